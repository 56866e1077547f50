//! Making backups: the one beside the database, and those that the Server Operator asks for. Each is one state of the store,
//! read from a snapshot while changes go on, and is never in memory as a whole unless it was asked for so.

use super::backup::{self, Encoder};
use super::commit::{Disk, WriteBackup};
use super::error::StoreError;
use super::free_space::{FreeSpace, RESERVE};
use super::handle::Store;
use super::key;
use super::side_files::{AUTHORITY, SideFile};
use super::snapshot::Snapshot;
use super::table::Table;
use crate::atomic_file::{Access, NewFile};
use std::fs;
use std::io::{Cursor, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// After so many bytes the writer of a backup looks again whether there is room for more.
const STEP: usize = 1024 * 1024;

impl Store {
    /// Writes everything into one file, for [`Store::restore`]. Only its owner may read it: it holds password hashes, the
    /// login key, and what lies beside the database: the certificate authority and an imported catalogue. It is one
    /// state of the store; changes go on meanwhile.
    ///
    /// # Errors
    /// [`StoreError::BackupNotWritten`], [`StoreError::BackupIncomplete`], or what reading the database failed with.
    pub fn write_backup(&self, file: &Path) -> Result<(), StoreError> {
        let side_files = SideFile::all(&self.inner.dir)?;
        write(file, Snapshot::take(&self.inner.table)?, &side_files, |_| Ok(()))
    }

    /// The certificate authority (PEM text) that the backup beside the database in `dir` holds, if there is one.
    pub fn kept_authority(dir: &Path) -> Option<Vec<u8>> {
        authority_in(&Self::backup_in(dir)).map(|file| file.bytes)
    }

    /// Has the backup beside the database written anew, as after a change: what lies beside the database has changed.
    pub fn renew_backup(&self) {
        // Nobody waits for it.
        drop(self.inner.writer.ticket(true));
    }

    /// [`Store::write_backup`] in memory: it needs no room on a card that is full.
    ///
    /// # Errors
    /// [`StoreError::BackupIncomplete`], or what reading the database failed with.
    pub fn backup(&self) -> Result<Vec<u8>, StoreError> {
        let side_files = SideFile::all(&self.inner.dir)?;
        let mut bytes = Cursor::new(Vec::new());
        let snapshot = Snapshot::take(&self.inner.table)?;
        encode(&mut bytes, Path::new("in memory"), snapshot, &side_files, |_| Ok(()))?;
        Ok(bytes.into_inner())
    }
}

/// The certificate authority in a backup.
fn authority_in(file: &Path) -> Option<SideFile> {
    backup::read(file).ok()?.files.into_iter().find(|file| file.name == AUTHORITY)
}

/// Writes a snapshot as a backup in place of `file`. `room` is asked before every few bytes whether there is room for so
/// many.
fn write(
    file: &Path,
    snapshot: Snapshot,
    side_files: &[SideFile],
    room: impl Fn(u64) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let failed = |error| StoreError::backup_not_written(file, &error);
    let mut new = NewFile::create(file, Access::Owner).map_err(failed)?;
    encode(&mut new, file, snapshot, side_files, room)?;
    new.finish().map_err(failed)
}

fn encode<W: Write + Seek>(
    out: &mut W,
    file: &Path,
    snapshot: Snapshot,
    side_files: &[SideFile],
    room: impl Fn(u64) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let failed = |error| StoreError::backup_not_written(file, &error);
    let mut encoder = Encoder::begin(out, snapshot.generation()).map_err(failed)?;
    let mut left = 0_usize;
    for rows in snapshot {
        for (key, value) in rows? {
            let size = key.len() + value.len();
            if left < size {
                room(STEP as u64)?;
                left = STEP;
            }
            left = left.saturating_sub(size);
            encoder.record(&key, &value).map_err(failed)?;
        }
    }
    encoder.finish(side_files).map_err(failed)
}

/// What the writer thread works on: the database, and the backup beside it.
pub(super) struct BackupDisk {
    pub(super) table: Arc<Table>,
    pub(super) free_space: Arc<FreeSpace>,
    /// The backup.
    pub(super) backup: PathBuf,
}

impl Disk for BackupDisk {
    fn sync(&mut self) -> Result<(), StoreError> {
        self.table.sync()
    }

    /// The database learns of the backup first: one that has lost something afterwards is older than the backup, and
    /// that is how [`Store::open`] notices. A database that cannot be written is older too, and rightly so.
    fn begin_backup(&mut self) -> Result<WriteBackup, StoreError> {
        // It must not take the room that changes need, and will most likely be as long as the last one.
        let last = fs::metadata(&self.backup).map_or(0, |last| last.len());
        self.free_space.room_for(RESERVE.saturating_add(last))?;
        let generation = self.table.get::<u64>(key::GENERATION)?.unwrap_or(0) + 1;
        self.table.transact::<_, StoreError>(|tx| tx.put(key::GENERATION, &generation))?;
        let snapshot = Snapshot::take(&self.table)?;
        let (backup, free_space) = (self.backup.clone(), Arc::clone(&self.free_space));
        Ok(Box::new(move || {
            // A file that was damaged since must not be all that is left.
            let folder = backup.parent().unwrap_or(Path::new("."));
            let authority = SideFile::authority(folder).or_else(|| authority_in(&backup));
            write(&backup, snapshot, authority.as_slice(), |bytes| {
                free_space.room_for(RESERVE.saturating_add(bytes))
            })
        }))
    }
}
