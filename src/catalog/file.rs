//! The imported catalogue on the card: `catalog.mcos` in the data folder.
//!
//! A file of its own beside the database, written in one piece: it changes once in years, can be made again from the
//! disc at any time (though `mcos backup` takes it along), and is read without opening the store, which the running server holds.
//!
//! Magic (8 bytes), version (u16), length of the rest (u32), its CRC-32 (u32), all little-endian; then the
//! [`Imported`] as postcard.

use super::imported::Imported;
use crate::atomic_file::{self, Access};
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const IN_USE: &str = "catalog.mcos";
/// One that was read and waits for the Operator's word.
const WAITING: &str = "catalog-waiting.mcos";
const MAGIC: &[u8; 8] = b"MCOSCAT\n";
const VERSION: u16 = 1;
const HEADER: usize = 18;
/// The largest file that is read, in bytes. A whole catalogue has about 400 KiB.
const MAX_BYTES: u64 = 64 << 20;

/// Why an imported catalogue was not read or saved. Each says what to do, in one line.
#[derive(Debug)]
pub enum FileError {
    /// The system cannot read or write the file.
    Io(PathBuf, io::Error),
    /// The file is not what was written.
    Damaged(PathBuf),
    /// A newer mcos wrote it.
    TooNew(PathBuf, u16),
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "{}: {error}: {}", path.display(), atomic_file::advice(error)),
            Self::Damaged(path) => {
                write!(f, "{} is damaged: import the catalogue again", path.display())
            }
            Self::TooNew(path, version) => write!(
                f,
                "{} was written by a newer mcos (format version {version}): update mcos, or import the catalogue again",
                path.display()
            ),
        }
    }
}

impl std::error::Error for FileError {}

/// Reads the imported catalogue of a data folder, if it has one.
pub fn load(data: &Path) -> Result<Option<Imported>, FileError> {
    load_file(data.join(IN_USE))
}

/// Reads the catalogue that waits in a data folder to be put in use, if one does.
pub fn load_waiting(data: &Path) -> Result<Option<Imported>, FileError> {
    load_file(data.join(WAITING))
}

fn load_file(path: PathBuf) -> Result<Option<Imported>, FileError> {
    match atomic_file::read(&path, MAX_BYTES) {
        Ok(bytes) => decode(&bytes, &path).map(Some),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(FileError::Damaged(path)),
        Err(error) => Err(FileError::Io(path, error)),
    }
}

/// Saves a catalogue in place of the one before. It is complete after a power cut at any moment, and belongs to whoever
/// the folder belongs to, so that the server may read what another user imported.
pub fn save(data: &Path, imported: &Imported) -> Result<(), FileError> {
    save_file(data, IN_USE, imported)
}

/// Saves a catalogue beside the one in use, to wait for [`put_in_use`] or [`discard`].
pub fn save_waiting(data: &Path, imported: &Imported) -> Result<(), FileError> {
    save_file(data, WAITING, imported)
}

fn save_file(data: &Path, name: &str, imported: &Imported) -> Result<(), FileError> {
    let path = data.join(name);
    write(data, &path, &encode(imported)).map_err(|error| FileError::Io(path, error))
}

/// What became of the catalogue that was to be used or thrown away.
#[derive(Debug)]
pub enum Waiting {
    /// That one is in use or thrown away.
    This(Box<Imported>),
    /// Another one waits by now, and was left alone.
    Another,
    /// None waits.
    Nothing,
}

/// Puts the catalogue that waits in place of the one before, if it is sound and was read from the file with this
/// [hash](super::imported::Origin::hash): somebody else may have handed in another one since it was looked at.
pub fn put_in_use(data: &Path, hash: &str) -> Result<Waiting, FileError> {
    let waiting = waiting_as(data, hash)?;
    if let Waiting::This(imported) = &waiting {
        save(data, imported)?;
        discard(data, hash)?;
    }
    Ok(waiting)
}

/// Removes the catalogue that waits, if it was read from the file with this hash. One that cannot be read goes in any case.
pub fn discard(data: &Path, hash: &str) -> Result<Waiting, FileError> {
    let waiting = match waiting_as(data, hash) {
        Err(FileError::Io(path, error)) => return Err(FileError::Io(path, error)),
        Ok(Waiting::Another) => return Ok(Waiting::Another),
        Ok(waiting) => waiting,
        Err(FileError::Damaged(_) | FileError::TooNew(..)) => Waiting::Nothing,
    };
    let path = data.join(WAITING);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::Io(path, error)),
        _ => Ok(waiting),
    }
}

fn waiting_as(data: &Path, hash: &str) -> Result<Waiting, FileError> {
    Ok(match load_waiting(data)? {
        None => Waiting::Nothing,
        Some(imported) if imported.origin.hash() == hash => Waiting::This(Box::new(imported)),
        Some(_) => Waiting::Another,
    })
}

fn write(data: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    atomic_file::create_private_dir(data)?;
    atomic_file::replace(path, Access::Owner, |new| {
        new.write_all(bytes)?;
        new.give_to_owner_of(data)
    })
}

fn encode(imported: &Imported) -> Vec<u8> {
    // Into memory, where nothing can fail.
    let body = postcard::to_stdvec(imported).unwrap_or_default();
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(HEADER + body.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
    bytes.extend_from_slice(&body);
    bytes
}

fn decode(bytes: &[u8], path: &Path) -> Result<Imported, FileError> {
    let damaged = || FileError::Damaged(path.to_owned());
    let (header, body) = bytes.split_at_checked(HEADER).ok_or_else(damaged)?;
    let header: &[u8; HEADER] = header.try_into().map_err(|_| damaged())?;
    let [_, _, _, _, _, _, _, _, v0, v1, l0, l1, l2, l3, c0, c1, c2, c3] = *header;
    let version = u16::from_le_bytes([v0, v1]);
    if !header.starts_with(MAGIC) {
        return Err(damaged());
    }
    if version > VERSION {
        return Err(FileError::TooNew(path.to_owned(), version));
    }
    let whole = u32::try_from(body.len()) == Ok(u32::from_le_bytes([l0, l1, l2, l3]));
    if !whole || crc32fast::hash(body) != u32::from_le_bytes([c0, c1, c2, c3]) {
        return Err(damaged());
    }
    postcard::from_bytes(body).map_err(|_| damaged())
}
