//! Backups that leave the server are encrypted, if the Server Operator set a password for that: in the age format
//! (<https://age-encryption.org/v1>), so that the program `age` opens them as well, on any machine and without mcos.
//!
//! The key is derived from the password by scrypt with a constant amount of work: what a small board writes by itself every day must
//! not need more memory than it has, nor another amount each time. The password lies in clear in a file of the data folder, for its
//! owner alone: who can read that file can read the database beside it.

use super::backup::BackupError;
use super::error::{BackupPasswordError, Lock, OpenError, StoreError};
use super::handle::Store;
use super::ticket::lock;
use crate::atomic_file::{self, Access};
use age::secrecy::{ExposeSecret as _, SecretString};
use age::stream::{StreamReader, StreamWriter};
use age::{DecryptError, Decryptor, Encryptor, scrypt};
use std::fmt;
use std::fs;
use std::io::{self, BufReader, Chain, Cursor, Read, Write};
use std::iter;
use std::path::Path;
use std::sync::Mutex;
use zeroize::Zeroizing;

/// The password in the data folder, and a line end. Mode 0600.
const KEPT: &str = "backup-password";
/// An empty file: a backup that was restored was encrypted, and nobody has said yet whether new ones are to be.
const WANTED: &str = "backup-password.wanted";
/// The longest such file that is read, in bytes: no character has more than 4.
const LONGEST_FILE: u64 = 4 * MOST as u64 + 2;
/// How many characters such a password has. Who has a stolen backup can guess as long as they like.
const LEAST: usize = 12;
const MOST: usize = 128;
/// The binary logarithm of scrypt's N; with its r of 8, N is the number of KiB. So a backup costs 64 MiB for a moment.
const WORK: u8 = 16;
/// The most work that a command does to open a backup: 256 MiB, as the program `age` asks for.
const MOST_WORK_OF_COMMAND: u8 = 18;
/// What an age file begins with.
const MAGIC: &[u8] = b"age-encryption.org/";
/// A header for a password is some 200 bytes long. One that is longer than this is none, and is not read.
const LONGEST_HEADER: usize = 512;

/// So much memory for one derivation at a time is enough.
static TURN: Mutex<()> = Mutex::new(());

/// A password for backups. Wiped from memory when dropped, and never shown.
pub struct BackupPassword {
    text: SecretString,
    most_work: u8,
}

impl fmt::Debug for BackupPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BackupPassword")
    }
}

impl BackupPassword {
    /// Takes a new password: 12 to 128 characters, none of them a control character.
    ///
    /// # Errors
    /// [`BackupPasswordError::BadPassword`].
    pub fn new(text: &str) -> Result<Self, BackupPasswordError> {
        let fits = (LEAST..=MOST).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        if fits { Ok(Self::given(text)) } else { Err(BackupPasswordError::BadPassword) }
    }

    /// Takes whatever somebody says that a backup was encrypted with. A file that wants more memory than 64 MiB is not opened.
    pub fn given(text: &str) -> Self {
        Self { text: SecretString::from(text.to_owned()), most_work: WORK }
    }

    /// The same for a command, a process of its own: with 256 MiB it opens what the program `age` encrypted as well.
    #[must_use]
    pub fn of_command(self) -> Self {
        Self { most_work: MOST_WORK_OF_COMMAND, ..self }
    }

    /// The password that the data directory `dir` has for backups; `None` if backups are not encrypted.
    ///
    /// # Errors
    /// [`BackupPasswordError::Unreadable`]: there is one, but it cannot be used. A backup must not be left in clear then.
    pub fn kept(dir: &Path) -> Result<Option<Self>, BackupPasswordError> {
        let file = dir.join(KEPT);
        let unreadable = |why: String| BackupPasswordError::Unreadable { file: file.clone(), why };
        let bytes = match atomic_file::read(&file, LONGEST_FILE) {
            Ok(bytes) => Zeroizing::new(bytes),
            // A link to a place that is missing is not the wish for clear backups.
            Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(&file).is_err() => {
                return Ok(None);
            }
            Err(error) => return Err(unreadable(error.to_string())),
        };
        let text = str::from_utf8(&bytes).map_err(|_| unreadable("it is no text".to_owned()))?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        Self::new(text).map(Some).map_err(|_| unreadable("it holds no password".to_owned()))
    }

    /// Puts it into the data directory.
    fn keep(&self, dir: &Path) -> io::Result<()> {
        atomic_file::replace(&dir.join(KEPT), Access::Owner, |new| {
            new.write_all(self.text.expose_secret().as_bytes())?;
            new.write_all(b"\n")
        })
    }

    /// Encrypts a backup that is in memory. Takes 64 MiB and a fraction of a second, on a small board some seconds.
    ///
    /// # Errors
    /// What the system says.
    pub fn seal(&self, plain: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = self.begin(Vec::with_capacity(plain.len() + LONGEST_HEADER))?;
        out.write_all(plain)?;
        out.finish()
    }

    /// Encrypts what is read from `plain` into `file`, which is replaced as a whole. Only its owner may read it.
    ///
    /// # Errors
    /// What the system says. Nothing was changed then.
    pub fn write_sealed(&self, mut plain: impl Read, file: &Path) -> io::Result<()> {
        atomic_file::replace(file, Access::Owner, |new| {
            let mut out = self.begin(new)?;
            io::copy(&mut plain, &mut out)?;
            out.finish().map(|_| ())
        })
    }

    /// Writes the backup that is encrypted in the file `sealed` into the file `plain`. Only its owner may read that.
    ///
    /// # Errors
    /// Why it cannot be opened, or what the system says. There is no file `plain` then that was not there before.
    pub fn write_opened(&self, sealed: &Path, plain: &Path) -> Result<(), OpenError> {
        let unreadable = |source| OpenError::BackupUnreadable { file: sealed.to_owned(), source };
        let input = atomic_file::open(sealed).map_err(unreadable)?;
        let mut input = unsealed(BufReader::new(input), Some(self)).map_err(|error| error.of(sealed))?;
        atomic_file::replace(plain, Access::Owner, |new| io::copy(&mut input, new).map(|_| ())).map_err(
            |error| match error.kind() {
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                    BackupError::from(error).of(sealed)
                }
                _ => OpenError::Io { path: plain.to_owned(), source: error },
            },
        )
    }

    /// Whether the encrypted backup in `file` was made with this password, and is whole.
    pub(super) fn opens(&self, file: &Path) -> bool {
        let opened =
            atomic_file::open(file).map_err(BackupError::from).and_then(|file| unsealed(file, Some(self)));
        opened.is_ok_and(|mut content| io::copy(&mut content, &mut io::sink()).is_ok())
    }

    fn begin<W: Write>(&self, out: W) -> io::Result<StreamWriter<W>> {
        let mut recipient = scrypt::Recipient::new(self.text.clone());
        recipient.set_work_factor(WORK);
        let turn = lock(&TURN);
        let encryptor = Encryptor::with_recipients(iter::once(&recipient as &dyn age::Recipient));
        drop(turn);
        encryptor.map_err(|_| io::Error::other("it cannot be encrypted by a password"))?.wrap_output(out)
    }

    fn open<R: Read>(&self, input: R) -> Result<StreamReader<R>, BackupError> {
        let decryptor = Decryptor::new(input).map_err(|error| locked(&error))?;
        if !decryptor.is_scrypt() {
            return Err(BackupError::Locked(Lock::Key));
        }
        let mut identity = scrypt::Identity::new(self.text.clone());
        identity.set_max_work_factor(self.most_work);
        let _turn = lock(&TURN);
        decryptor.decrypt(iter::once(&identity as &dyn age::Identity)).map_err(|error| locked(&error))
    }
}

impl Store {
    /// The password that backups of this store get when they leave it; `None` if they are not encrypted.
    ///
    /// # Errors
    /// As [`BackupPassword::kept`].
    pub fn backup_password(&self) -> Result<Option<BackupPassword>, BackupPasswordError> {
        BackupPassword::kept(&self.inner.data.dir)
    }

    /// Whether an encrypted backup was restored, and nobody has said since then whether backups of this store are to be encrypted.
    pub fn wants_backup_password(&self) -> bool {
        let dir = &self.inner.data.dir;
        dir.join(WANTED).exists() && matches!(BackupPassword::kept(dir), Ok(None))
    }

    /// Notes in the data directory `dir` that an encrypted backup is restored there: its password may be another one than that of the
    /// store, which may have none.
    pub fn note_sealed_restore(dir: &Path) {
        let noted = || atomic_file::replace(&dir.join(WANTED), Access::Owner, |_| Ok(()));
        if matches!(BackupPassword::kept(dir), Ok(None))
            && let Err(error) = noted()
        {
            log::warn!(
                "nobody will be asked for a password for new backups, though the restored one had one: {error}"
            );
        }
    }

    /// Encrypts backups by this password from now on; `None`: by none. Those that are there already stay as they are.
    ///
    /// # Errors
    /// [`StoreError::BackupPasswordNotKept`].
    pub fn set_backup_password(&self, password: Option<&BackupPassword>) -> Result<(), StoreError> {
        let dir = &self.inner.data.dir;
        let done = match password {
            Some(password) => password.keep(dir),
            None => match fs::remove_file(dir.join(KEPT)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => atomic_file::sync_dir(dir),
            },
        };
        // Whatever was said counts: nobody is asked again.
        let answered = done.and_then(|()| match fs::remove_file(dir.join(WANTED)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        });
        answered.map_err(|error| StoreError::BackupPasswordNotKept(error.to_string().into()))
    }

    /// Whether the file is encrypted in the age format.
    ///
    /// # Errors
    /// What the system says.
    pub fn is_sealed(file: &Path) -> io::Result<bool> {
        let mut head = Vec::new();
        atomic_file::open(file)?.take(MAGIC.len() as u64).read_to_end(&mut head)?;
        Ok(head == MAGIC)
    }
}

/// A file whose beginning was looked at already.
type Looked<R> = Chain<Cursor<Vec<u8>>, R>;

/// A backup that is read, whether it was encrypted or not.
pub(super) enum Unsealed<R> {
    Plain(Looked<R>),
    Sealed(Box<BufReader<StreamReader<Looked<R>>>>),
}

impl<R> Unsealed<R> {
    /// Whether it was encrypted.
    pub(super) const fn was_sealed(&self) -> bool {
        matches!(self, Self::Sealed(_))
    }
}

impl<R: Read> Read for Unsealed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(input) => input.read(buffer),
            Self::Sealed(input) => input.read(buffer),
        }
    }
}

/// What `input` holds, opened by the password if it is encrypted.
pub(super) fn unsealed<R: Read>(
    mut input: R,
    password: Option<&BackupPassword>,
) -> Result<Unsealed<R>, BackupError> {
    let mut head = Vec::with_capacity(LONGEST_HEADER);
    input.by_ref().take(LONGEST_HEADER as u64).read_to_end(&mut head)?;
    let sealed = head.starts_with(MAGIC);
    // A header without an end would be looked for in all of the file.
    let has_end = head.windows(5).any(|bytes| bytes == b"\n--- ");
    let whole = Cursor::new(head).chain(input);
    match password {
        _ if !sealed => Ok(Unsealed::Plain(whole)),
        _ if !has_end => {
            Err(BackupError::Damaged("its beginning is not that of an encrypted backup".to_owned()))
        }
        None => Err(BackupError::Locked(Lock::NoPassword)),
        Some(password) => password.open(whole).map(|input| Unsealed::Sealed(Box::new(BufReader::new(input)))),
    }
}

/// In our own words: those of the library are made for the command line of another program.
fn locked(error: &DecryptError) -> BackupError {
    match error {
        DecryptError::ExcessiveWork { required, .. } => BackupError::Locked(Lock::TooMuchWork(*required)),
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            BackupError::Locked(Lock::WrongPassword)
        }
        DecryptError::NoMatchingKeys => BackupError::Locked(Lock::Key),
        DecryptError::UnknownFormat => BackupError::Locked(Lock::UnknownFormat),
        DecryptError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            BackupError::Unreadable(io::Error::new(error.kind(), error.to_string()))
        }
        DecryptError::Io(_) => BackupError::Damaged("it is cut short".to_owned()),
        _ => BackupError::Damaged("its beginning was altered".to_owned()),
    }
}

#[cfg(test)]
mod tests;
