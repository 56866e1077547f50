//! What can go wrong with the store, in words an Operator can act on.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why the store could not do what it was asked. Cheap to clone: one failed write is told to everybody who waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The change is in memory, but writing it to the card failed. It may be gone after a power cut.
    NotSaved(Arc<str>),
    /// The file system with the data directory has too little room for changes. Nothing was changed.
    Full {
        /// How many bytes are left.
        left: u64,
        /// How many there must be.
        needed: u64,
    },
    /// The file system with the data directory cannot be written; why. Nothing was changed.
    ReadOnly(Arc<str>),
    /// Too many files are open, here or in the whole system; what the system said. Nothing was changed.
    OutOfFiles(Arc<str>),
    /// The database engine refused to read or write.
    Database(Arc<str>),
    /// A record could not be understood, though it has a version we know.
    Damaged {
        /// The kind of record.
        what: &'static str,
    },
    /// A record was written by a newer version of this program.
    TooNew {
        /// The kind of record.
        what: &'static str,
        /// The version found.
        version: u8,
    },
    /// A record is longer than the store keeps (7 KiB).
    TooLarge {
        /// The kind of record.
        what: &'static str,
    },
    /// All ids of a kind have been given out.
    NoMoreIds,
    /// A backup could not be written. Nothing was changed.
    BackupNotWritten {
        /// Where it was to be.
        file: Arc<str>,
        /// What the system said.
        why: Arc<str>,
    },
    /// A file that belongs into a backup could not be read, so there is no backup.
    BackupIncomplete {
        /// Its path.
        file: Arc<str>,
        /// What the system said.
        why: Arc<str>,
    },
    /// The password for backups could not be put into the data folder, or taken out of it; what the system said. It is as it was.
    BackupPasswordNotKept(Arc<str>),
    /// The database is being checked since the server was started, and no more changes can wait for that. Nothing was changed.
    Unchecked,
    /// More was changed while a backup was being written than the server can remember (16 MiB), so there is no backup.
    SnapshotLost,
}

impl StoreError {
    /// Says that the backup `file` could not be written.
    pub(super) fn backup_not_written(file: &Path, error: &io::Error) -> Self {
        Self::BackupNotWritten { file: file.display().to_string().into(), why: error.to_string().into() }
    }

    /// Says why the system refuses what a change needs.
    pub(super) fn refused(error: &io::Error) -> Self {
        let why = error.to_string().into();
        if is_out_of_files(error) { Self::OutOfFiles(why) } else { Self::ReadOnly(why) }
    }

    /// Says that the engine is not there at this moment.
    pub(super) fn reopening() -> Self {
        Self::Database("it is being opened again".into())
    }

    /// What changes are refused with from the moment at which one failed so, until one is saved again.
    pub(super) fn until_saved(&self) -> Self {
        match self {
            Self::NotSaved(why) => Self::ReadOnly(Arc::clone(why)),
            other => other.clone(),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSaved(why) => write!(
                f,
                "the change could not be saved ({why}): check that the card is not full, write-protected or worn out"
            ),
            Self::Full { left, needed } => write!(
                f,
                "the card with the data folder is full ({} KiB are left), so nothing can be changed: delete what it need \
                 not hold, or use a larger one; with {} MiB left changes are accepted again",
                left / 1024,
                needed.div_ceil(1024 * 1024)
            ),
            Self::ReadOnly(why) => write!(
                f,
                "the card with the data folder cannot be written ({why}), so nothing can be changed: the server tries again \
                 every few seconds; if this stays so, save a backup, check the card and replace it if it is worn out"
            ),
            Self::OutOfFiles(why) => write!(
                f,
                "the system lets the server open no more files ({why}), so nothing can be changed: end other programs, or raise \
                 its limit of open files; the server tries again every few seconds"
            ),
            Self::Database(why) => write!(
                f,
                "the database failed ({why}): the server opens it again by itself, and repairs it from the backup if need be; \
                 if this stays so, check the card and replace it if it is worn out"
            ),
            Self::Damaged { what } => write!(
                f,
                "a stored {what} is damaged: restart the server, which repairs the database from the backup"
            ),
            Self::TooNew { what, version } => write!(
                f,
                "a stored {what} has format version {version}, which is newer than this program: update mcos"
            ),
            Self::TooLarge { what } => write!(f, "the {what} is too long to be stored: shorten it"),
            Self::NoMoreIds => f.write_str("all ids of this kind are used up: nothing more can be created"),
            Self::BackupNotWritten { file, why } => write!(
                f,
                "the backup {file} could not be written ({why}): check that its folder is there, may be written and has room"
            ),
            Self::BackupIncomplete { file, why } => write!(
                f,
                "{file} cannot be read ({why}), and without it the backup would be incomplete: check its permissions"
            ),
            Self::BackupPasswordNotKept(why) => write!(
                f,
                "the password for backups could not be changed ({why}): check that the data folder may be written and has room"
            ),
            Self::Unchecked => f.write_str(
                "the database is being checked, as at each start, and no more changes can wait for that: try again in a minute",
            ),
            Self::SnapshotLost => f.write_str(
                "the backup could not be completed, because the disk it goes to is too slow, or a change could not be saved \
                 meanwhile: try again, or use another disk",
            ),
        }
    }
}

impl std::error::Error for StoreError {}

/// Why an encrypted backup is not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// No password was given.
    NoPassword,
    /// It is encrypted with another password, or its beginning was altered: which of them nobody can tell.
    WrongPassword,
    /// The password was made to cost more memory than is given for it; the binary logarithm of how many KiB.
    TooMuchWork(u8),
    /// It is encrypted for the holder of a key, by no password.
    Key,
    /// It is of a version of the format that this program does not know.
    UnknownFormat,
}

impl fmt::Display for Lock {
    /// What is the matter with the file and what to do, in words that end a sentence about it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ELSEWHERE: &str = "open it on a PC with the program \"age\" (\"age -d FILE >backup.mcos\"), and restore what comes out";
        match self {
            Self::NoPassword => f.write_str("it is encrypted: give the password with which it was made"),
            Self::WrongPassword => f.write_str(
                "the password is not the one with which it was encrypted, or its beginning was altered: type it again, or \
                 choose another backup",
            ),
            Self::TooMuchWork(work @ ..33) => {
                write!(f, "to open it takes {} MiB of memory: {ELSEWHERE}", (1_u64 << work).div_ceil(1024))
            }
            Self::TooMuchWork(_) => write!(f, "to open it takes more memory than there is: {ELSEWHERE}"),
            Self::Key => write!(f, "it is encrypted for a key and not by a password: {ELSEWHERE}"),
            Self::UnknownFormat => write!(f, "it is encrypted in a newer format: {ELSEWHERE}"),
        }
    }
}

/// Why there is no password for backups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackupPasswordError {
    /// It has fewer than 12 or more than 128 characters, or one that cannot be typed.
    BadPassword,
    /// There is one in the data folder, which cannot be used.
    Unreadable {
        /// Its file.
        file: PathBuf,
        /// Why not.
        why: String,
    },
}

impl fmt::Display for BackupPasswordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadPassword => {
                f.write_str("a password for backups needs 12 to 128 characters: choose another")
            }
            Self::Unreadable { file, why } => write!(
                f,
                "the password for backups in {} cannot be used ({why}), and without it none is made: do this as the user that runs \
                 the server, or set it anew with `mcos operator backup-password`",
                file.display()
            ),
        }
    }
}

impl std::error::Error for BackupPasswordError {}

/// Why the store could not be opened. In each of these cases the files are left as they were.
#[derive(Debug)]
pub enum OpenError {
    /// Another process (a running server, most likely) has the store open.
    InUse {
        /// The data directory.
        dir: PathBuf,
    },
    /// The data was written by a newer version of this program.
    TooNew {
        /// What is newer: a kind of record or "backup".
        what: &'static str,
        /// The version that was found; this program knows only lower ones.
        version: u8,
    },
    /// Neither the database nor the backup beside it can be read.
    Damaged {
        /// What is wrong with the database.
        database: String,
        /// What is wrong with the backup.
        backup: String,
    },
    /// The database is damaged, and the system does not let us read the backup beside it, which may be sound.
    NotRepaired {
        /// What is wrong with the database.
        database: String,
        /// The file that could not be read.
        backup: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system does not let us read a backup file.
    BackupUnreadable {
        /// The backup's path, as it was given.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that was to be restored is not there, or is no sound backup.
    BadBackup {
        /// The backup's path, as it was given.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file that was to be restored is encrypted, and is not opened.
    Locked {
        /// The backup's path, as it was given.
        file: PathBuf,
        /// Why not.
        lock: Lock,
    },
    /// The operating system refused: no permission, no space, a read-only file system.
    Io {
        /// What was touched.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The database opened and then failed.
    Store(StoreError),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse { dir } => write!(
                f,
                "the data in {} is in use by another mcos: stop it first, for only one can use a data folder",
                dir.display()
            ),
            Self::TooNew { what, version } => write!(
                f,
                "the stored data is newer than this program ({what} version {version}): update mcos; nothing was changed"
            ),
            Self::Damaged { database, backup } => write!(
                f,
                "the database is damaged ({database}) and so is the backup beside it ({backup}): \
                 restore an older backup with `mcos restore FILE`; nothing was changed"
            ),
            Self::NotRepaired { database, backup, source } => write!(
                f,
                "the database is damaged ({database}) and the backup beside it, {}, cannot be read ({source}): {}; \
                 nothing was changed",
                backup.display(),
                advice(source)
            ),
            Self::BackupUnreadable { file, source } => {
                write!(
                    f,
                    "{} cannot be read ({source}): {}; nothing was changed",
                    file.display(),
                    advice(source)
                )
            }
            Self::BadBackup { file, why } => {
                write!(
                    f,
                    "{} cannot be restored ({why}): choose another backup; nothing was changed",
                    file.display()
                )
            }
            Self::Locked { file, lock } => {
                write!(f, "{} cannot be restored, for {lock}; nothing was changed", file.display())
            }
            Self::Io { path, source } => {
                write!(f, "cannot use {}: {source}: check permissions and free space", path.display())
            }
            Self::Store(error) => error.fmt(f),
        }
    }
}

/// What to do about a file that cannot be read.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "let the user that runs the server read it, and try again",
        io::ErrorKind::IsADirectory | io::ErrorKind::InvalidData => "name the file of a backup",
        io::ErrorKind::OutOfMemory => "end other programs, and try again",
        _ if is_out_of_files(error) => "too many files are open: end other programs, and try again",
        _ => {
            "check the card or disk it is on; if it stays so, restore another backup with `mcos restore FILE`"
        }
    }
}

/// Whether a system call failed because too many files are open, here or in all.
pub(super) fn is_out_of_files(error: &io::Error) -> bool {
    const EMFILE: i32 = 24;
    const ENFILE: i32 = 23;
    matches!(error.raw_os_error(), Some(EMFILE | ENFILE))
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. }
            | Self::NotRepaired { source, .. }
            | Self::BackupUnreadable { source, .. } => Some(source),
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::TooNew { what, version } => Self::TooNew { what, version },
            other => Self::Store(other),
        }
    }
}
