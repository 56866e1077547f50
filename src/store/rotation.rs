//! A folder with a backup of each day: on the card, or on a stick. Which are the oldest is told by what they hold, never by the day in
//! their names: the clock of a board without a battery may be years behind, or far ahead.
//!
//! Backups of one server are counted by their generation and, within one, by how much of its journal they hold, and a restore
//! leaves room below it, so the order is certain. Whose backup it is, is told by the login key in it. Those of other servers, of newer programs, and those that are newer than what
//! is kept now (the stick of another card of the same server) are never deleted.
//!
//! Nothing can be told of an encrypted backup without its password, which may have been another one then. So its name has what counts:
//! `mcos-YYYYMMDD-HHMM-SERVER-GENERATION-POSITION-CONTENT.mcos.age`, where SERVER and CONTENT are the beginnings of SHA-256 sums, in
//! hexadecimal digits.

use super::backup::{BackupError, Reader};
use super::handle::Store;
use super::key;
use super::record::{self, Position};
use super::sealed::{BackupPassword, unsealed};
use crate::atomic_file::{self, Access};
use sha2::{Digest as _, Sha256};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

/// How many backups of one server stay in a folder.
const KEPT: usize = 5;
/// What the names of backups in such a folder begin and end with.
const NAME: (&str, &str) = ("mcos-", ".mcos");
/// What the name of an encrypted one ends with.
const SEALED: &str = ".mcos.age";
/// What a name ends with besides as long as it is being written ([`atomic_file`]).
const UNFINISHED: &str = ".new";
/// How much of a name is the day: `mcos-YYYYMMDD`.
const DAY: usize = 13;
/// How much of it is the minute as well: `mcos-YYYYMMDD-HHMM`.
const MINUTE: usize = 18;
/// So many entries of a folder are looked at: no folder for backups has more, and a full card must not keep the box busy.
const MOST_ENTRIES: usize = 10_000;

/// Why a backup was not kept. Told of the folder as "it", in words that end a sentence.
#[derive(Debug)]
pub enum KeepError {
    /// What was to be kept is no sound backup; why.
    NoBackup(String),
    /// The folder has more than so many entries.
    Crowded(usize),
    /// The folder does not take it.
    Refused(io::Error),
}

impl fmt::Display for KeepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBackup(why) => write!(f, "what was to be kept is no sound backup ({why})"),
            Self::Crowded(most) => {
                write!(f, "it has more than {most} files: delete or move away those that are no backups")
            }
            Self::Refused(error) => write!(f, "{error}: {}", atomic_file::advice(error)),
        }
    }
}

impl std::error::Error for KeepError {}

/// A backup that lies in the folder.
struct Kept {
    path: PathBuf,
    sealed: bool,
    /// None: it is damaged, and so older than all others.
    about: Option<About>,
}

/// How late a backup was made: its generation, and its place in the journal of that.
type Age = (u64, u32);

/// What is told of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct About {
    /// Whose it is.
    server: u32,
    age: Age,
    /// What it holds.
    content: u64,
}

/// Copies the backup `file` into `folder` under its own name (`mcos-YYYYMMDD-HHMM.mcos`; an encrypted one, which is made with `password`,
/// has more behind that), unless the newest there is the same.
/// It takes the place of another of its day, and the newest five of this server stay. Survives a power cut at any moment:
/// nothing is deleted before the copy is on the disk, but what is left of one that a power cut or a pulled stick has kept from being
/// finished. Nobody else may keep one there at the same time.
///
/// # Errors
/// [`KeepError`]. No backup was deleted then.
pub fn keep(file: &Path, folder: &Path, password: Option<&BackupPassword>) -> Result<(), KeepError> {
    let sealed = Store::is_sealed(file).map_err(KeepError::Refused)?;
    if password.is_some() && !sealed {
        // The password was set after it was made.
        return Err(KeepError::NoBackup(
            "it is not encrypted, though a password for backups is set".to_owned(),
        ));
    }
    let about = About::read(file, password).map_err(|error| KeepError::NoBackup(error.to_string()))?;
    let name = file.file_name().unwrap_or_default();
    let name = if sealed { about.sealed_name(name) } else { name.to_owned() };
    fs::create_dir_all(folder).map_err(KeepError::Refused)?;
    let older = older(folder, &about)?;
    if let Some(newest) = older.last()
        && newest.sealed == sealed
        && newest.about.is_some_and(|newest| newest.content == about.content)
        // With another password it would be lost to who knows the new one alone.
        && (!sealed || password.is_some_and(|password| password.opens(&newest.path)))
    {
        return Ok(());
    }
    let target = target(folder, &name, &older);
    let copied = atomic_file::open(file).and_then(|mut source| {
        atomic_file::replace(&target, Access::Owner, |new| io::copy(&mut source, new).map(|_| ()))
    });
    copied.map_err(KeepError::Refused)?;
    let older: Vec<Kept> = older.into_iter().filter(|kept| kept.path != target).collect();
    let (same_day, others): (Vec<Kept>, Vec<Kept>) =
        older.into_iter().partition(|kept| day(kept.path.file_name()) == day(Some(name.as_os_str())));
    let spare = (others.len() + 1).saturating_sub(KEPT);
    for kept in same_day.iter().chain(others.iter().take(spare)) {
        fs::remove_file(&kept.path).map_err(KeepError::Refused)?;
    }
    Ok(())
}

/// The backups in `folder` which are not newer than what `about` tells of and of the same server, the oldest first. Takes away what is
/// no whole one.
fn older(folder: &Path, about: &About) -> Result<Vec<Kept>, KeepError> {
    let mut older = Vec::new();
    for (number, entry) in fs::read_dir(folder).map_err(KeepError::Refused)?.enumerate() {
        if number == MOST_ENTRIES {
            return Err(KeepError::Crowded(MOST_ENTRIES));
        }
        let path = entry.map_err(KeepError::Refused)?.path();
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        if let Some(name) = name.strip_suffix(UNFINISHED)
            && name.starts_with(NAME.0)
            && (name.ends_with(SEALED) || name.ends_with(NAME.1))
            && path.is_file()
        {
            // The next ones have other names, and nobody would ever take it away.
            fs::remove_file(&path).map_err(KeepError::Refused)?;
            continue;
        }
        let sealed = name.ends_with(SEALED);
        if !(name.starts_with(NAME.0) && (sealed || name.ends_with(NAME.1)) && path.is_file()) {
            continue;
        }
        let found = match (sealed, About::of_sealed_name(name)) {
            (true, Some(found)) if Store::is_sealed(&path).map_err(KeepError::Refused)? => Ok(found),
            (true, Some(_)) => Err(BackupError::Damaged("it is not encrypted".to_owned())),
            // Somebody has given it another name, and looks after it.
            (true, None) => continue,
            (false, _) => About::read(&path, None),
        };
        match found {
            Ok(found) if found.server == about.server && found.age <= about.age => {
                older.push(Kept { path, sealed, about: Some(found) });
            }
            Err(BackupError::Damaged(_)) => older.push(Kept { path, sealed, about: None }),
            Err(BackupError::Unreadable(error)) => return Err(KeepError::Refused(error)),
            Ok(_) | Err(_) => {}
        }
    }
    // Of one age the name decides, which is as good as any.
    older.sort_unstable_by(|a, b| (a.age(), &a.path).cmp(&(b.age(), &b.path)));
    Ok(older)
}

impl Kept {
    fn age(&self) -> Option<Age> {
        self.about.map(|about| about.age)
    }
}

/// Where the backup goes: a file that must stay keeps its name.
fn target(folder: &Path, name: &OsStr, older: &[Kept]) -> PathBuf {
    let mut target = folder.join(name);
    let mut number = 1;
    let name = name.to_string_lossy();
    let end = if name.ends_with(SEALED) { SEALED } else { NAME.1 };
    while target.exists() && !older.iter().any(|kept| kept.path == target) {
        number += 1;
        target = folder.join(format!("{}-{number}{end}", name.strip_suffix(end).unwrap_or(&name)));
    }
    target
}

fn day(name: Option<&OsStr>) -> Option<&str> {
    name?.to_str()?.get(..DAY)
}

impl About {
    /// Reads a whole backup, piece by piece.
    fn read(file: &Path, password: Option<&BackupPassword>) -> Result<Self, BackupError> {
        let input = atomic_file::open(file).map_err(BackupError::Unreadable)?;
        let mut reader = Reader::begin(unsealed(BufReader::new(input), password)?)?;
        let (mut server, mut position, mut content) = (0, 0, Sha256::new());
        let mut add = |name: &[u8], bytes: &[u8]| {
            for piece in [name, bytes] {
                content.update((piece.len() as u64).to_le_bytes());
                content.update(piece);
            }
        };
        add(b"generation", &reader.generation.to_le_bytes());
        while let Some((key, value)) = reader.row()? {
            add(&key, &value);
            // The login key is a server's own as long as it lives.
            if key == key::LOGIN_KEY {
                server = begin_of(Sha256::digest(&value).as_slice()) >> 32;
            }
            // A backup made before there were journals holds nothing of one.
            if key == key::POSITION
                && let Ok(Position(found)) = record::decode(&value)
            {
                position = found;
            }
        }
        while let Some(file) = reader.file()? {
            add(file.name.as_bytes(), &file.bytes);
        }
        let (age, content) = ((reader.generation, position), begin_of(content.finalize().as_slice()));
        Ok(Self { server: u32::try_from(server).unwrap_or_default(), age, content })
    }

    /// The name of an encrypted backup that is called `name`, which has the day and the minute.
    fn sealed_name(&self, name: &OsStr) -> OsString {
        let name = name.to_string_lossy();
        let begin = name.get(..MINUTE).unwrap_or(name.strip_suffix(NAME.1).unwrap_or(&name));
        let Self { server, age: (generation, position), content } = self;
        format!("{begin}-{server:08x}-{generation}-{position}-{content:016x}{SEALED}").into()
    }

    fn of_sealed_name(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(SEALED)?.get(MINUTE..)?.strip_prefix('-')?.split('-');
        let mut next = || parts.next();
        let (server, generation, position, content) = (next()?, next()?, next()?, next()?);
        Some(Self {
            server: u32::from_str_radix(server, 16).ok()?,
            age: (generation.parse().ok()?, position.parse().ok()?),
            content: u64::from_str_radix(content, 16).ok()?,
        })
    }
}

/// The first eight bytes as a number.
fn begin_of(sum: &[u8]) -> u64 {
    sum.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests;
