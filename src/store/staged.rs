//! A backup that waits to be restored.
//!
//! A running server cannot put another database under its own feet. So it checks the backup, keeps it as
//! `restore.mcos` in the data directory, and restarts; what is staged is restored before the store is opened. The file
//! goes when that is done, so a power cut in between only means that it is done again.

use super::backup;
use super::error::OpenError;
use super::free_space::{FreeSpace, RESERVE};
use super::handle::Store;
use super::open::sound;
use crate::atomic_file;
use std::fs;
use std::io;
use std::path::Path;

const STAGED: &str = "restore.mcos";
const REFUSED: &str = "restore.mcos.refused";

impl Store {
    /// Whether a file is a backup that this program can restore: neither damaged, nor foreign, nor of a newer program.
    pub fn check_backup(file: &Path) -> Result<(), OpenError> {
        sound(file).map(|_| ())
    }

    /// Checks a backup and keeps it in the data directory `dir` to be restored at the next start. A damaged or foreign
    /// file, or one of a newer program, is refused and nothing is touched. Returned is the number of its records.
    pub fn stage_restore(dir: &Path, file: &Path) -> Result<usize, OpenError> {
        let saved = sound(file)?;
        backup::write(&dir.join(STAGED), &saved).map_err(refused(dir))?;
        Ok(saved.rows.len())
    }

    /// Restores what is staged in `dir`, if anything is, and says whether it did. The store must not be open. What
    /// cannot be restored after all is set aside, and the server goes on with what it has.
    pub fn restore_staged(dir: &Path) -> Result<bool, OpenError> {
        let staged = dir.join(STAGED);
        if !staged.exists() {
            return Ok(false);
        }
        if let Err(trouble) = FreeSpace::of(staged.clone(), false).room_for(RESERVE) {
            log::error!("the backup that is waiting is NOT RESTORED at this start: {trouble}");
            return Ok(false);
        }
        match Self::restore(dir, &staged) {
            Ok(()) => {
                fs::remove_file(&staged).and_then(|()| atomic_file::sync_dir(dir)).map_err(refused(dir))?;
                log::warn!("the backup that was waiting is restored");
                Ok(true)
            }
            Err(error @ (OpenError::BadBackup { .. } | OpenError::TooNew { .. })) => {
                let aside = dir.join(REFUSED);
                atomic_file::rename(&staged, &aside).map_err(refused(dir))?;
                log::error!("NOT RESTORED: {error}; it is kept as {}", aside.display());
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}

fn refused(dir: &Path) -> impl Fn(io::Error) -> OpenError {
    move |source| OpenError::Io { path: dir.to_owned(), source }
}
