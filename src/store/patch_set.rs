//! The patch set: files of the game that the Server Operator offers to players' PCs, such as a fan's fix or the database
//! that all agreed on.
//!
//! They lie in the folder `patch` of the data directory: each content once under its SHA-256, and `set.txt` with one line
//! for each file: SHA-256, size, seconds since 1970, `backup` or `-`, path, note, with tabs between them.

use super::free_space::{FreeSpace, RESERVE};
use super::ownership::hand_over;
use super::patch_path::PatchPath;
use crate::atomic_file::{self, Access};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::fmt::Write as _;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The folder in the data directory.
pub(super) const FOLDER: &str = "patch";
const LIST: &str = "set.txt";
const HEAD: &str = "mcos patch set 1";
const IN_BACKUP: &str = "backup";
/// The largest file, in bytes.
pub const MAX_PATCH_FILE: u64 = 64 * 1024 * 1024;
/// The most bytes of all files together.
pub const MAX_PATCH_SET: u64 = 256 * 1024 * 1024;
/// The most bytes of all files that go into backups: a backup is restored through a page as well, which takes 16 MiB.
pub const MAX_PATCH_IN_BACKUP: u64 = 8 * 1024 * 1024;
/// The most files.
pub const MAX_PATCH_FILES: usize = 100;
/// So many entries of the folder are looked at for contents to delete; what is left goes at the next change.
const MOST_ENTRIES: usize = 1000;
/// The longest note, in bytes.
const MAX_NOTE: usize = 200;
/// The longest list that is read, in bytes: twice what so many files can need.
const LONGEST_LIST: u64 = 128 * 1024;

/// A file that players' PCs can fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchFile {
    /// Where it belongs in the game's folder.
    pub path: PatchPath,
    /// Its size in bytes; at least 1.
    pub size: u64,
    /// The SHA-256 of its content: 64 hexadecimal digits in lower case.
    pub sha256: String,
    /// What it is, in the Operator's words: one line, which may be empty.
    pub note: String,
    /// Whether it goes into backups.
    pub in_backup: bool,
    /// When it was added, in seconds since 1970.
    pub added: u64,
}

/// Why the patch set was not changed or cannot be read.
#[derive(Debug)]
pub enum PatchError {
    /// The path is not one of a file in the game's folder; why.
    Path(&'static str),
    /// The file is empty.
    Empty,
    /// A file, or all together, would be larger than this many bytes.
    TooLarge(u64),
    /// So much would go into backups.
    TooLargeForBackup,
    /// There are as many files as there may be.
    TooMany,
    /// This file of the set is a folder of the other, or the other way round.
    InTheWay(PatchPath),
    /// There is no such file in the set.
    Missing,
    /// Another program changes the set at this moment.
    Busy,
    /// The card is full or read-only.
    NoRoom(String),
    /// The list is not one that this program wrote.
    Damaged,
    /// What the system says.
    Io(io::Error),
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes >> 20;
        match self {
            Self::Path(why) => write!(f, "this is no path for a file in the game's folder: {why}"),
            Self::Empty => f.write_str("the file is empty; choose another one"),
            Self::TooLarge(most) => write!(
                f,
                "that would be more than {} MiB; remove another file first, or choose a smaller one",
                mib(*most)
            ),
            Self::TooLargeForBackup => write!(
                f,
                "backups take at most {} MiB of the patch set; add the file without that",
                mib(MAX_PATCH_IN_BACKUP)
            ),
            Self::TooMany => write!(f, "the set has {MAX_PATCH_FILES} files already; remove one first"),
            Self::InTheWay(path) => {
                write!(f, "{path} in the set and this path cannot both be there: one would be a folder")
            }
            Self::Missing => f.write_str("there is no such file in the patch set"),
            Self::Busy => f.write_str("somebody else changes the patch set at this moment; try again"),
            Self::NoRoom(why) => f.write_str(why),
            Self::Damaged => {
                f.write_str("patch/set.txt in the data folder is damaged; delete it, and add the files again")
            }
            Self::Io(error) => {
                write!(f, "the patch set cannot be read or written: {error}: {}", atomic_file::advice(error))
            }
        }
    }
}

impl std::error::Error for PatchError {}

impl From<io::Error> for PatchError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The patch set in a data directory.
#[derive(Clone, Debug)]
pub struct PatchSet {
    data: PathBuf,
    folder: PathBuf,
}

impl PatchSet {
    /// The one in the data directory `data`, which is not touched yet.
    pub fn of(data: &Path) -> Self {
        Self { data: data.to_owned(), folder: data.join(FOLDER) }
    }

    /// All files, by path.
    ///
    /// # Errors
    /// [`PatchError::Damaged`] or [`PatchError::Io`].
    pub fn list(&self) -> Result<Vec<PatchFile>, PatchError> {
        match atomic_file::read(&self.folder.join(LIST), LONGEST_LIST) {
            Ok(bytes) => str::from_utf8(&bytes).ok().and_then(parse).ok_or(PatchError::Damaged),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(PatchError::Damaged),
            Err(error) => Err(error.into()),
        }
    }

    /// The file at a path, whatever the case of its letters.
    ///
    /// # Errors
    /// As [`Self::list`]; [`PatchError::Missing`].
    pub fn find(&self, path: &PatchPath) -> Result<PatchFile, PatchError> {
        self.list()?.into_iter().find(|file| file.path.is_same(path)).ok_or(PatchError::Missing)
    }

    /// Opens the content of a file. One that did not go into a backup is missing after a restore.
    ///
    /// # Errors
    /// [`PatchError::Missing`], [`PatchError::Io`].
    pub fn open(&self, file: &PatchFile) -> Result<File, PatchError> {
        match File::open(self.folder.join(&file.sha256)) {
            Ok(content) if content.metadata()?.len() == file.size => Ok(content),
            Ok(_) => Err(PatchError::Missing),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(PatchError::Missing),
            Err(error) => Err(error.into()),
        }
    }

    /// Adds a file, or replaces the one at that path. It is on the card when this returns, whole.
    ///
    /// # Errors
    /// Why it was not added. Nothing was changed then.
    pub fn add(
        &self,
        path: PatchPath,
        note: &str,
        in_backup: bool,
        content: impl Read,
        now: u64,
    ) -> Result<PatchFile, PatchError> {
        let _lock = self.lock()?;
        let mut files = self.list()?;
        files.retain(|file| !file.path.is_same(&path));
        if files.len() >= MAX_PATCH_FILES {
            return Err(PatchError::TooMany);
        }
        if let Some(other) = files.iter().find(|file| file.path.is_in_the_way_of(&path)) {
            return Err(PatchError::InTheWay(other.path.clone()));
        }
        let sum = |chosen: &dyn Fn(&&PatchFile) -> bool| {
            files.iter().filter(chosen).map(|file| file.size).sum::<u64>()
        };
        let (all, backed_up) = (sum(&|_| true), sum(&|file| file.in_backup));
        let incoming = self.folder.join("incoming");
        let (size, sha256) = match receive(&incoming, content) {
            Ok(received) => received,
            Err(error) => return Err(PatchError::Io(error)),
        };
        let refusal = if size == 0 {
            Some(PatchError::Empty)
        } else if size > MAX_PATCH_FILE {
            Some(PatchError::TooLarge(MAX_PATCH_FILE))
        } else if all + size > MAX_PATCH_SET {
            Some(PatchError::TooLarge(MAX_PATCH_SET))
        } else if in_backup && backed_up + size > MAX_PATCH_IN_BACKUP {
            Some(PatchError::TooLargeForBackup)
        } else {
            let trouble = FreeSpace::of(incoming.clone(), false).room_for(RESERVE).err();
            trouble.map(|trouble| PatchError::NoRoom(trouble.to_string()))
        };
        if let Some(refusal) = refusal {
            fs::remove_file(&incoming)?;
            return Err(refusal);
        }
        atomic_file::rename(&incoming, &self.folder.join(&sha256))?;
        let added = PatchFile { path, size, sha256, note: one_line(note), in_backup, added: now };
        files.push(added.clone());
        self.save(files)?;
        Ok(added)
    }

    /// Removes a file from the set. PCs that have it keep it.
    ///
    /// # Errors
    /// Why it was not removed.
    pub fn remove(&self, path: &PatchPath) -> Result<PatchFile, PatchError> {
        if !self.folder.exists() {
            return Err(PatchError::Missing);
        }
        let _lock = self.lock()?;
        let mut files = self.list()?;
        let at = files.iter().position(|file| file.path.is_same(path)).ok_or(PatchError::Missing)?;
        let removed = files.remove(at);
        self.save(files)?;
        Ok(removed)
    }

    /// Writes the list, and deletes the contents that are in it no more.
    fn save(&self, mut files: Vec<PatchFile>) -> Result<(), PatchError> {
        files.sort_by_key(|file| file.path.as_str().to_ascii_lowercase());
        atomic_file::replace(&self.folder.join(LIST), Access::Owner, |out| {
            out.write_all(text(&files).as_bytes())
        })?;
        for entry in fs::read_dir(&self.folder)?.take(MOST_ENTRIES) {
            let name = entry?.file_name();
            let Some(name) = name.to_str().filter(|name| is_hash(name)) else { continue };
            if !files.iter().any(|file| file.sha256 == name) {
                fs::remove_file(self.folder.join(name))?;
            }
        }
        Ok(())
    }

    fn lock(&self) -> Result<Lock, PatchError> {
        atomic_file::create_private_dir(&self.folder)?;
        let options = File::options().write(true).create(true).truncate(false).mode(0o600).clone();
        let file = options.open(self.folder.join("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { file, data: self.data.clone() }),
            Err(TryLockError::WouldBlock) => Err(PatchError::Busy),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
}

/// Copies a content to `file` while it is measured; its size and SHA-256. It stops behind the largest size.
fn receive(file: &Path, content: impl Read) -> io::Result<(u64, String)> {
    let (mut hash, mut size) = (Sha256::new(), 0_u64);
    let mut content = content.take(MAX_PATCH_FILE + 1);
    atomic_file::replace(file, Access::Owner, |out| {
        let mut piece = vec![0; 64 * 1024];
        loop {
            let length = match content.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let bytes = piece.get(..length).unwrap_or_default();
            hash.update(bytes);
            out.write_all(bytes)?;
            size += bytes.len() as u64;
        }
    })?;
    Ok((size, HEXLOWER.encode(&hash.finalize())))
}

/// Held by whoever changes the set.
struct Lock {
    file: File,
    data: PathBuf,
}

impl Drop for Lock {
    /// Closing is not enough, see the lock of the data directory.
    fn drop(&mut self) {
        hand_over(&self.data);
        if let Err(error) = self.file.unlock() {
            log::warn!("the lock of the patch set could not be released: {error}");
        }
    }
}

/// Whether this is a SHA-256 as the name of a content.
pub(super) fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The names below the data directory of what goes into a backup: the list, and the contents chosen for that. None if none
/// is chosen.
pub(super) fn names_in_backup(data: &Path) -> Vec<String> {
    let files = PatchSet::of(data).list().unwrap_or_else(|error| {
        log::warn!("the backup is without the patch set: {error}");
        Vec::new()
    });
    let chosen: Vec<String> =
        files.iter().filter(|file| file.in_backup).map(|file| format!("{FOLDER}/{}", file.sha256)).collect();
    let list = (!chosen.is_empty()).then(|| format!("{FOLDER}/{LIST}"));
    list.into_iter().chain(chosen).collect()
}

/// Whether a backup may hold a file of that name below the data directory for the patch set.
pub(super) fn is_name_in_backup(name: &str) -> bool {
    let rest = name.strip_prefix(FOLDER).and_then(|rest| rest.strip_prefix('/'));
    rest.is_some_and(|rest| rest == LIST || is_hash(rest))
}

fn one_line(note: &str) -> String {
    let note: String =
        note.trim().chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let end = (0..=MAX_NOTE.min(note.len())).rev().find(|end| note.is_char_boundary(*end)).unwrap_or(0);
    note.get(..end).unwrap_or_default().trim_end().to_owned()
}

fn text(files: &[PatchFile]) -> String {
    files.iter().fold(format!("{HEAD}\n"), |mut text, file| {
        let PatchFile { path, size, sha256, note, in_backup, added } = file;
        let backup = if *in_backup { IN_BACKUP } else { "-" };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{sha256}\t{size}\t{added}\t{backup}\t{path}\t{note}");
        text
    })
}

fn parse(text: &str) -> Option<Vec<PatchFile>> {
    let mut lines = text.lines();
    if lines.next()? != HEAD {
        return None;
    }
    lines
        .map(|line| {
            let mut fields = line.splitn(6, '\t');
            Some(PatchFile {
                sha256: fields.next().filter(|hash| is_hash(hash))?.to_owned(),
                size: fields.next()?.parse().ok()?,
                added: fields.next()?.parse().ok()?,
                in_backup: fields.next()? == IN_BACKUP,
                path: PatchPath::parse(fields.next()?).ok()?,
                note: fields.next()?.to_owned(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn path(text: &str) -> PatchPath {
        PatchPath::parse(text).unwrap()
    }

    fn add(set: &PatchSet, to: &str, content: &[u8]) -> Result<PatchFile, PatchError> {
        set.add(path(to), "a note\twith\nlines", false, content, 1000)
    }

    fn contents(data: &TempDir) -> usize {
        let names = fs::read_dir(data.path().join(FOLDER)).unwrap();
        names.filter(|entry| is_hash(&entry.as_ref().unwrap().file_name().to_string_lossy())).count()
    }

    #[test]
    fn files_are_added_replaced_listed_and_removed() {
        let data = TempDir::new().unwrap();
        let set = PatchSet::of(data.path());
        assert!(
            set.list().unwrap().is_empty() && !data.path().join(FOLDER).exists(),
            "reading makes nothing"
        );
        assert!(matches!(set.remove(&path("a")), Err(PatchError::Missing)));
        let added = add(&set, "Data/DB/Online.mdb", b"abc").unwrap();
        assert_eq!(added.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!((added.size, added.note.as_str()), (3, "a note with lines"));
        add(&set, "B.dll", b"abc").unwrap();
        assert_eq!(contents(&data), 1, "the same content lies there once");
        let replaced = add(&set, "data\\db\\ONLINE.mdb", b"other").unwrap();
        let listed: Vec<String> = set.list().unwrap().iter().map(|file| file.path.to_string()).collect();
        assert_eq!(
            (listed.as_slice(), contents(&data)),
            (&["B.dll".to_owned(), "data/db/ONLINE.mdb".to_owned()][..], 2)
        );
        let mut content = String::new();
        set.open(&replaced).unwrap().read_to_string(&mut content).unwrap();
        assert_eq!(content, "other");
        assert_eq!(set.remove(&path("DATA/DB/online.mdb")).unwrap(), replaced);
        assert!(matches!(set.open(&replaced), Err(PatchError::Missing)));
        assert_eq!((set.list().unwrap().len(), contents(&data)), (1, 1));
    }

    #[test]
    fn what_is_refused_changes_nothing() {
        let data = TempDir::new().unwrap();
        let set = PatchSet::of(data.path());
        add(&set, "Data/a", b"first").unwrap();
        assert!(matches!(add(&set, "Data/a", b""), Err(PatchError::Empty)));
        assert!(matches!(add(&set, "Data", b"x"), Err(PatchError::InTheWay(_))));
        let large = io::repeat(7).take(MAX_PATCH_FILE + 5);
        assert!(matches!(set.add(path("b"), "", false, large, 0), Err(PatchError::TooLarge(MAX_PATCH_FILE))));
        let large = io::repeat(7).take(MAX_PATCH_IN_BACKUP + 1);
        assert!(matches!(set.add(path("b"), "", true, large, 0), Err(PatchError::TooLargeForBackup)));
        let broken = b"abc".chain(Broken);
        assert!(matches!(set.add(path("Data/a"), "", false, broken, 0), Err(PatchError::Io(_))));
        assert_eq!(set.list().unwrap(), [set.find(&path("Data/a")).unwrap()]);
        assert_eq!((set.list().unwrap()[0].size, contents(&data)), (5, 1));
        let lock = set.lock().unwrap();
        assert!(matches!(add(&set, "b", b"x"), Err(PatchError::Busy)));
        drop(lock);
        for number in 1..MAX_PATCH_FILES {
            add(&set, &format!("f{number}"), b"x").unwrap();
        }
        assert!(matches!(add(&set, "one-more", b"x"), Err(PatchError::TooMany)));
    }

    #[test]
    fn of_very_many_contents_that_nothing_names_some_are_deleted_at_each_change() {
        let data = TempDir::new().unwrap();
        let set = PatchSet::of(data.path());
        add(&set, "a", b"x").unwrap();
        for number in 0..MOST_ENTRIES + 500 {
            fs::write(data.path().join(format!("patch/{number:064x}")), b"").unwrap();
        }
        add(&set, "b", b"y").unwrap();
        // Beside them lie the list, the lock and two contents, which are looked at or not.
        assert!((502..=506).contains(&contents(&data)), "{}", contents(&data));
        add(&set, "c", b"z").unwrap();
        assert_eq!(contents(&data), 3);
    }

    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("it broke off"))
        }
    }

    #[test]
    fn a_list_that_somebody_else_wrote_leads_nowhere() {
        let data = TempDir::new().unwrap();
        let set = PatchSet::of(data.path());
        add(&set, "a", b"x").unwrap();
        let good = fs::read_to_string(data.path().join("patch/set.txt")).unwrap();
        for (from, to) in [
            ("\ta\t", "\t../a\t"),
            ("mcos patch", "mcos match"),
            ("\t1\t", "\tx\t"),
            ("2d711642", "../../xx"),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            fs::write(data.path().join("patch/set.txt"), bad).unwrap();
            assert!(matches!(set.list(), Err(PatchError::Damaged)), "{to}");
        }
    }
}
