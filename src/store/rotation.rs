//! A folder with a backup of each day: on the card, or on a stick. Which are the oldest is told by what they hold, never by their
//! names: the clock of a board without a battery may be years behind, or far ahead.
//!
//! Backups of one server are counted by their generation and, within one, by how much of its journal they hold, and a restore
//! leaves room below it, so the order is certain. Whose backup it is, is told by the login key in it. Those of other servers, of newer programs, and those that are newer than what
//! is kept now (the stick of another card of the same server) are never deleted.

use super::backup::{self, Backup, BackupError};
use super::key;
use super::record::{self, Position};
use crate::atomic_file::{self, Access};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// How many backups of one server stay in a folder.
const KEPT: usize = 5;
/// What the names of backups in such a folder begin and end with.
const NAME: (&str, &str) = ("mcos-", ".mcos");
/// How much of a name is the day: `mcos-YYYYMMDD`.
const DAY: usize = 13;

/// Why a backup was not kept. Told of the folder as "it", in words that end a sentence.
#[derive(Debug)]
pub enum KeepError {
    /// What was to be kept is no sound backup; why.
    NoBackup(String),
    /// The folder does not take it.
    Refused(io::Error),
}

impl fmt::Display for KeepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBackup(why) => write!(f, "what was to be kept is no sound backup ({why})"),
            Self::Refused(error) => write!(f, "{error}: {}", atomic_file::advice(error)),
        }
    }
}

impl std::error::Error for KeepError {}

/// A backup that lies in the folder.
struct Kept {
    path: PathBuf,
    /// None: it is damaged, and so older than all others.
    age: Option<Age>,
}

/// How late a backup was made: its generation, and its place in the journal of that.
type Age = (u64, u32);

/// Copies the backup `file` into `folder` under its own name (`mcos-YYYYMMDD-HHMM.mcos`), unless the newest there is the same.
/// It takes the place of another of its day, and the newest five of this server stay. Survives a power cut at any moment:
/// nothing is deleted before the copy is on the disk.
///
/// # Errors
/// [`KeepError`]. Nothing was deleted then.
pub fn keep(file: &Path, folder: &Path) -> Result<(), KeepError> {
    let bytes = fs::read(file).map_err(KeepError::Refused)?;
    let backup = read(&bytes).map_err(|error| KeepError::NoBackup(error.to_string()))?;
    let name = file.file_name().unwrap_or_default();
    fs::create_dir_all(folder).map_err(KeepError::Refused)?;
    let older = older(folder, &backup).map_err(KeepError::Refused)?;
    if older.last().is_some_and(|newest| fs::read(&newest.path).is_ok_and(|newest| newest == bytes)) {
        return Ok(());
    }
    let target = target(folder, name, &older);
    atomic_file::replace(&target, Access::Owner, |new| new.write_all(&bytes)).map_err(KeepError::Refused)?;
    let older: Vec<Kept> = older.into_iter().filter(|kept| kept.path != target).collect();
    let (same_day, others): (Vec<Kept>, Vec<Kept>) =
        older.into_iter().partition(|kept| day(kept.path.file_name()) == day(Some(name)));
    let spare = (others.len() + 1).saturating_sub(KEPT);
    for kept in same_day.iter().chain(others.iter().take(spare)) {
        fs::remove_file(&kept.path).map_err(KeepError::Refused)?;
    }
    Ok(())
}

/// The backups in `folder` which are not newer than `backup` and of the same server, the oldest first.
fn older(folder: &Path, backup: &Backup) -> io::Result<Vec<Kept>> {
    let mut older = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        if !(name.starts_with(NAME.0) && name.ends_with(NAME.1) && path.is_file()) {
            continue;
        }
        match read(&fs::read(&path)?) {
            Ok(found)
                if row(&found, key::LOGIN_KEY) == row(backup, key::LOGIN_KEY)
                    && age(&found) <= age(backup) =>
            {
                older.push(Kept { path, age: Some(age(&found)) });
            }
            Err(BackupError::Damaged(_)) => older.push(Kept { path, age: None }),
            Ok(_) | Err(_) => {}
        }
    }
    // Of one age the name decides, which is as good as any.
    older.sort_unstable_by(|a, b| (a.age, &a.path).cmp(&(b.age, &b.path)));
    Ok(older)
}

/// Where the backup goes: a file that must stay keeps its name.
fn target(folder: &Path, name: &OsStr, older: &[Kept]) -> PathBuf {
    let mut target = folder.join(name);
    let mut number = 1;
    while target.exists() && !older.iter().any(|kept| kept.path == target) {
        number += 1;
        let mut other = OsString::from(Path::new(name).file_stem().unwrap_or_default());
        other.push(format!("-{number}{}", NAME.1));
        target = folder.join(other);
    }
    target
}

fn day(name: Option<&OsStr>) -> Option<&str> {
    name?.to_str()?.get(..DAY)
}

fn read(bytes: &[u8]) -> Result<Backup, BackupError> {
    let mut bytes = bytes;
    backup::read_from(&mut bytes)
}

/// A backup made before there were journals holds nothing of one.
fn age(backup: &Backup) -> Age {
    let position = row(backup, key::POSITION).and_then(|position| record::decode(position).ok());
    (backup.generation, position.map_or(0, |Position(position)| position))
}

/// The record with this key. The login key is a server's own as long as it lives.
fn row<'b>(backup: &'b Backup, wanted: &[u8]) -> Option<&'b [u8]> {
    backup.rows.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    /// Puts a backup into a file.
    fn write(file: &Path, server: u8, generation: u64, content: &str) {
        let rows =
            vec![(b"aone".to_vec(), content.as_bytes().to_vec()), (key::LOGIN_KEY.to_vec(), vec![server])];
        backup::write(file, &Backup { generation, rows, files: Vec::new() }).unwrap();
    }

    struct Card {
        dir: TempDir,
    }

    impl Card {
        fn new() -> Self {
            Self { dir: TempDir::new().unwrap() }
        }

        fn folder(&self) -> PathBuf {
            self.dir.path().join("backups")
        }

        /// Another backup is made, when the clock says so.
        fn make(&self, name: &str, server: u8, generation: u64) {
            let file = self.dir.path().join(name);
            write(&file, server, generation, &format!("{generation}"));
            keep(&file, &self.folder()).unwrap();
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(self.folder()).unwrap();
            let mut names: Vec<String> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort_unstable();
            names
        }
    }

    #[test]
    fn the_oldest_content_goes_whatever_the_clock_said() {
        let card = Card::new();
        card.make("mcos-20260101-0000.mcos", 1, 1);
        // The clock jumps ahead, and is set right again.
        card.make("mcos-20990101-0000.mcos", 1, 2);
        card.make("mcos-20260701-0000.mcos", 1, 3);
        card.make("mcos-20260702-0000.mcos", 1, 4);
        // The battery is empty.
        card.make("mcos-19700101-0000.mcos", 1, 5);
        assert_eq!(card.names().len(), 5);
        card.make("mcos-19700102-0000.mcos", 1, 6);
        assert_eq!(
            card.names(),
            [
                "mcos-19700101-0000.mcos",
                "mcos-19700102-0000.mcos",
                "mcos-20260701-0000.mcos",
                "mcos-20260702-0000.mcos",
                "mcos-20990101-0000.mcos"
            ]
        );
        card.make("mcos-20260703-0000.mcos", 1, 7);
        assert!(!card.names().contains(&"mcos-20990101-0000.mcos".to_owned()), "{:?}", card.names());
        assert!(card.names().contains(&"mcos-20260703-0000.mcos".to_owned()));
    }

    #[test]
    fn one_of_a_day_stays_and_the_same_is_not_written_again() {
        let card = Card::new();
        card.make("mcos-20260701-0000.mcos", 1, 1);
        card.make("mcos-20260701-0100.mcos", 1, 2);
        assert_eq!(card.names(), ["mcos-20260701-0100.mcos"]);
        let file = card.dir.path().join("mcos-20260702-0000.mcos");
        write(&file, 1, 2, "2");
        keep(&file, &card.folder()).unwrap();
        assert_eq!(card.names(), ["mcos-20260701-0100.mcos"], "nothing has changed");
        // In the same minute.
        card.make("mcos-20260701-0100.mcos", 1, 3);
        assert_eq!(card.names(), ["mcos-20260701-0100.mcos"]);
        assert_eq!(backup::read(&card.folder().join("mcos-20260701-0100.mcos")).unwrap().generation, 3);
    }

    #[test]
    fn what_is_newer_or_of_another_server_stays() {
        let card = Card::new();
        card.make("mcos-20260701-0000.mcos", 2, 70);
        card.make("mcos-20260701-0000.mcos", 1, 50);
        assert_eq!(card.names(), ["mcos-20260701-0000-2.mcos", "mcos-20260701-0000.mcos"]);
        // An old card of the same server is put in again.
        for (day, generation) in [(2, 3), (3, 4), (4, 5), (5, 6), (6, 7), (7, 8), (8, 9)] {
            card.make(&format!("mcos-2026070{day}-0000.mcos"), 1, generation);
        }
        fs::write(card.folder().join("mcos-notes.txt"), "mine").unwrap();
        let names = card.names();
        assert_eq!(names.len(), 5 + 3, "{names:?}");
        for stays in [
            "mcos-20260701-0000-2.mcos",
            "mcos-20260701-0000.mcos",
            "mcos-20260708-0000.mcos",
            "mcos-notes.txt",
        ] {
            assert!(names.contains(&stays.to_owned()), "{stays}: {names:?}");
        }
    }

    #[test]
    fn a_damaged_one_goes_first_and_what_cannot_be_kept_costs_nothing() {
        let card = Card::new();
        for day in 1..=4 {
            card.make(&format!("mcos-2026070{day}-0000.mcos"), 1, day);
        }
        fs::write(card.folder().join("mcos-20260731-0000.mcos"), "cut").unwrap();
        card.make("mcos-20260705-0000.mcos", 1, 5);
        assert_eq!(card.names().len(), 5);
        assert!(!card.names().contains(&"mcos-20260731-0000.mcos".to_owned()));
        let cut = card.dir.path().join("mcos-20260801-0000.mcos");
        fs::write(&cut, "cut").unwrap();
        assert!(matches!(keep(&cut, &card.folder()), Err(KeepError::NoBackup(_))));
        assert_eq!(card.names().len(), 5);
        let full = KeepError::Refused(io::ErrorKind::StorageFull.into()).to_string();
        assert!(full.contains("is full"), "{full}");
        let locked = KeepError::Refused(io::ErrorKind::ReadOnlyFilesystem.into()).to_string();
        assert!(locked.contains("write-protected"), "{locked}");
    }
}
