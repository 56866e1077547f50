//! An update bundle that came by the Operator's page. The server may not write to the disk itself: it keeps the bundle in
//! the data folder, checked, for the system's own service that runs `mcos update`.

use super::{Appliance, Bundle, Manifest, UpdateError};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The largest bundle that the Operator's page takes, in bytes.
pub const MAX_BUNDLE: u64 = 1024 * 1024 * 1024;

/// What must stay free beside it for the game's own data, in bytes.
const RESERVE: u64 = 64 * 1024 * 1024;

/// The name under which a checked bundle waits.
const STAGED: &str = "update.staged";
/// The name of one that is still arriving.
const PART: &str = "update.staged.part";

/// Whether a bundle waits in the data folder to be installed.
pub fn is_staged(data: &Path) -> bool {
    data.join(STAGED).exists()
}

/// A bundle that is arriving. What is there of it goes when this is dropped unfinished.
#[derive(Debug)]
pub struct Staging {
    data: PathBuf,
    file: File,
    left: u64,
}

impl Staging {
    /// Removes what a power cut has left of a bundle that was arriving.
    pub fn sweep(data: &Path) {
        match fs::remove_file(data.join(PART)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                log::warn!("{PART} stays behind: {error}");
            }
            _ => {}
        }
    }

    /// Begins to keep a bundle of at most `size` bytes in the data folder. The error is for the Operator.
    pub fn begin(data: &Path, size: u64) -> Result<Self, String> {
        if size > MAX_BUNDLE {
            return Err(format!("A bundle has at most {} MiB.", MAX_BUNDLE >> 20));
        }
        let part = data.join(PART);
        // One that a power cut has left.
        match fs::remove_file(&part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(not_kept(&error)),
            _ => {}
        }
        let room = rustix::fs::statvfs(data).map_err(|error| not_kept(&error.into()))?;
        let free = room.f_bavail.saturating_mul(room.f_frsize);
        if free < size.saturating_add(RESERVE) {
            return Err(format!(
                "There is no room for it on the card: {} MiB are free, {} are needed.",
                free >> 20,
                (size + RESERVE).div_ceil(1 << 20)
            ));
        }
        let file = File::options().write(true).create_new(true).mode(0o600).open(&part);
        Ok(Self { data: data.to_owned(), file: file.map_err(|error| not_kept(&error))?, left: size })
    }

    /// Keeps the next piece.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), String> {
        let left = self.left.checked_sub(piece.len() as u64);
        self.left = left.ok_or("There is more of it than the browser said.")?;
        self.file.write_all(piece).map_err(|error| not_kept(&error))
    }

    /// Checks the whole bundle, and has it wait to be installed. A power cut leaves a whole one or none.
    pub fn finish(self, appliance: &Appliance) -> Result<Manifest, String> {
        let manifest = self.check(appliance).map_err(|error| error.to_string())?;
        let renamed = self
            .file
            .sync_all()
            .and_then(|()| fs::rename(self.data.join(PART), self.data.join(STAGED)))
            .and_then(|()| File::open(&self.data)?.sync_all());
        renamed.map_err(|error| not_kept(&error))?;
        Ok(manifest)
    }

    fn check(&self, appliance: &Appliance) -> Result<Manifest, UpdateError> {
        Bundle::open(&self.data.join(PART), &appliance.key, &appliance.board)?.read_image(|_, _| Ok(()))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Finished, it has its name no more.
        let _ = fs::remove_file(self.data.join(PART));
    }
}

fn not_kept(error: &io::Error) -> String {
    format!("It cannot be kept: {error}")
}
