//! An update bundle that came by the Operator's page. The server may not write to the disk itself: it keeps the bundle in
//! the data folder, checked, for the system's own service that runs `mcos update`.

use super::{Appliance, Bundle, Manifest, StagingError, UpdateError};
use crate::atomic_file::{self, Access, NewFile};
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

/// The largest bundle that the Operator's page takes, in bytes.
pub const MAX_BUNDLE: u64 = 1024 * 1024 * 1024;

/// What must stay free beside it for the game's own data, in bytes.
const RESERVE: u64 = 64 * 1024 * 1024;

/// The name under which a checked bundle waits.
const STAGED: &str = "update.staged";
/// The name that older versions gave to one that was still arriving.
const OLD_PART: &str = "update.staged.part";

/// Whether a bundle waits in the data folder to be installed.
pub fn is_staged(data: &Path) -> bool {
    data.join(STAGED).exists()
}

/// A bundle that is arriving. What is there of it goes when this is dropped unfinished.
#[derive(Debug)]
pub struct Staging {
    file: NewFile,
    /// How many bytes may still come.
    left: u64,
}

impl Staging {
    /// Removes what a power cut has left of a bundle that was arriving.
    pub fn sweep(data: &Path) {
        let old = match fs::remove_file(data.join(OLD_PART)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        };
        if let Err(error) = old.and(atomic_file::remove_unfinished(&data.join(STAGED))) {
            log::warn!("an update that did not arrive completely could not be deleted: {error}");
        }
    }

    /// Begins to keep a bundle of at most `size` bytes in the data folder.
    ///
    /// # Errors
    /// It is too large, or the card has no room for it or does not take it.
    pub fn begin(data: &Path, size: u64) -> Result<Self, StagingError> {
        if size > MAX_BUNDLE {
            return Err(StagingError::TooLarge { most: MAX_BUNDLE });
        }
        // One that a power cut has left takes room.
        atomic_file::remove_unfinished(&data.join(STAGED)).map_err(StagingError::NotKept)?;
        let room = rustix::fs::statvfs(data).map_err(|error| StagingError::NotKept(error.into()))?;
        let free = room.f_bavail.saturating_mul(room.f_frsize);
        let needed = size + RESERVE;
        if free < needed {
            return Err(StagingError::NoRoom { free, needed });
        }
        let file = NewFile::create(&data.join(STAGED), Access::Owner).map_err(StagingError::NotKept)?;
        Ok(Self { file, left: size })
    }

    /// Keeps the next piece.
    ///
    /// # Errors
    /// There is more than was announced, or the card does not take it.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), StagingError> {
        let left = self.left.checked_sub(piece.len() as u64);
        self.left = left.ok_or(StagingError::LongerThanSaid)?;
        self.file.write_all(piece).map_err(StagingError::NotKept)
    }

    /// Checks the whole bundle, and has it wait to be installed. A power cut leaves a whole one or none.
    ///
    /// # Errors
    /// It cannot be installed here, or the card does not take it.
    pub fn finish(mut self, appliance: &Appliance) -> Result<Manifest, StagingError> {
        let manifest = self.check(appliance)?;
        self.file.finish().map_err(StagingError::NotKept)?;
        Ok(manifest)
    }

    fn check(&mut self, appliance: &Appliance) -> Result<Manifest, UpdateError> {
        let path = self.file.temporary_path().to_owned();
        self.file.flush().map_err(UpdateError::unreadable(&path))?;
        Bundle::open(&path, &appliance.key, &appliance.board)?.read_image(|_, _| Ok(()))
    }
}
