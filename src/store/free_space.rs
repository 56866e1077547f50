//! Whether the card can take another change, asked before the database engine is.
//!
//! sled 0.34 takes a failed write for the end: from then on it refuses everything, reads included. So a change is refused
//! while the file system takes no writes or has less than [`RESERVE`] left, and the engine never meets either. A few cheap
//! system calls tell, so nothing is remembered, and what has healed is noticed by the next change.

use super::error::StoreError;
use rustix::fs::fstatvfs;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

const MIB: u64 = 1024 * 1024;
/// What must be left for a change to be begun, in bytes: far more than all changes that may be under way at once, with
/// the segments of 512 KiB and the rewriting that the engine spends on them.
pub(super) const RESERVE: u64 = 8 * MIB;
/// What must be left for the engine to open the database, in bytes: it writes a snapshot and may begin a segment.
pub(super) const TO_OPEN: u64 = 2 * MIB;

/// The file system that holds the data directory.
#[derive(Debug)]
pub(super) struct FreeSpace {
    /// A file there that is ours.
    file: PathBuf,
    /// The database was opened from a copy elsewhere, because it could not be opened here.
    copy: bool,
    /// What was logged last.
    troubled: AtomicBool,
}

impl FreeSpace {
    /// The file system that holds `file`, which is ours and there, unless the file system is read-only.
    pub(super) const fn of(file: PathBuf, copy: bool) -> Self {
        Self { file, copy, troubled: AtomicBool::new(false) }
    }

    /// Whether a change may be begun. Logs when that changes.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let found = match self.room_for(RESERVE) {
            Ok(()) if self.copy => Err(StoreError::ReadOnly(
                "the data folder could not be written when the server started; the server restarts when it can".into(),
            )),
            // That there is room does not mean that it can be written.
            Ok(()) if self.troubled.load(Ordering::Relaxed) => self.probe(),
            found => found,
        };
        self.note(found.as_ref().err());
        found
    }

    /// Whether the database was opened from a copy, and need not be any more.
    pub(super) fn wants_restart(&self) -> bool {
        self.copy && self.room_for(RESERVE).is_ok() && self.probe().is_ok()
    }

    /// Writes a byte and has it synced.
    pub(super) fn probe(&self) -> Result<(), StoreError> {
        let work = || {
            let file = File::options().write(true).open(&self.file)?;
            file.write_all_at(b"\n", 0)?;
            file.sync_data()
        };
        work().map_err(|error| StoreError::refused(&error))
    }

    /// Whether the file system takes writes and has `bytes` left.
    pub(super) fn room_for(&self, bytes: u64) -> Result<(), StoreError> {
        let refused = |error: io::Error| StoreError::refused(&error);
        let file = File::options().write(true).open(&self.file).map_err(refused)?;
        // Writes nothing. Since Linux 6.14 ext4 says of a card that it gave up only to those who write (*seen*: 6.18).
        file.write_at(&[], 0).map_err(refused)?;
        let found = fstatvfs(&file).map_err(|error| refused(error.into()))?;
        let left = found.f_bavail.saturating_mul(found.f_frsize);
        if left < bytes { Err(StoreError::Full { left, needed: bytes }) } else { Ok(()) }
    }

    fn note(&self, trouble: Option<&StoreError>) {
        if self.troubled.swap(trouble.is_some(), Ordering::Relaxed) != trouble.is_some() {
            match trouble {
                Some(error) => log::error!("NO CHANGE IS ACCEPTED: {error}"),
                None => log::warn!("the card takes changes again, so they are accepted again"),
            }
        }
    }
}

/// A copy of the database where it can be written, for a server that starts on a card which cannot. It goes with this.
#[derive(Debug)]
pub(super) struct Duplicate {
    _folder: TempDir,
}

impl Duplicate {
    /// Copies what the engine keeps into a folder of the same name. Only its owner may enter, as with the original.
    pub(super) fn of(database: &Path) -> io::Result<(Self, PathBuf)> {
        let folder = tempfile::Builder::new().prefix("mcos-database-").tempdir()?;
        let copy = folder.path().join("database");
        copy_folder(database, &copy)?;
        Ok((Self { _folder: folder }, copy))
    }
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
