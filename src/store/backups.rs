//! Making backups: the one beside the database, and those that the Server Operator asks for. Each is one state of the store,
//! read from a snapshot while changes go on, and is never in memory as a whole unless it was asked for so.

use super::backup::{self, Encoder};
use super::commit::{Disk, WriteBackup};
use super::data_dir::{DataDir, Repaired, When};
use super::error::{OpenError, StoreError};
use super::free_space::{FreeSpace, RESERVE};
use super::handle::Store;
use super::journal;
use super::record::Row;
use super::side_files::{AUTHORITY, SideFile};
use super::snapshot::Snapshot;
use super::table::Table;
use super::ticket::lock;
use crate::atomic_file::{Access, NewFile};
use std::fs;
use std::io::{Cursor, Seek, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// After so many bytes the writer of a backup looks again whether there is room for more.
const STEP: usize = 1024 * 1024;
/// A journal that is shorter than this, in bytes, is no reason for a backup.
const LEAST: u64 = 1024 * 1024;
/// How long backup and journal together may be, in bytes, to be made one file when the store is closed.
const SMALL: u64 = 4 * 1024 * 1024;
/// A journal that is longer than this, in bytes, and four times as long as the backup, does not wait for its time: a rebuild would take
/// long, and the card has other uses for the room.
const MUCH: u64 = 16 * 1024 * 1024;
/// The longest rest between two pieces of a backup.
const LONGEST_REST: Duration = Duration::from_millis(20);

impl Store {
    /// Writes everything into one file, for [`Store::restore`]. Only its owner may read it: it holds password hashes, the
    /// login key, and what lies beside the database: the certificate authority and an imported catalogue. It is one
    /// state of the store; changes go on meanwhile.
    ///
    /// # Errors
    /// [`StoreError::BackupNotWritten`], [`StoreError::BackupIncomplete`], or what reading the database failed with.
    pub fn write_backup(&self, file: &Path) -> Result<(), StoreError> {
        let side_files = SideFile::all(&self.inner.data.dir)?;
        let snapshot = self.checked_snapshot()?;
        write(file, snapshot.generation(), snapshot, &side_files, |_| Ok(()))
    }

    /// The certificate authority (PEM text) that the backup beside the database in `dir` holds, if there is one.
    pub fn kept_authority(dir: &Path) -> Option<Vec<u8>> {
        authority_in(&Self::backup_in(dir)).map(|file| file.bytes)
    }

    /// Has the backup beside the database written anew, as after a change: what lies beside the database has changed.
    pub fn renew_backup(&self) {
        self.inner.writer.renew_backup();
    }

    /// A snapshot of records that are all there. One of a damaged database that is about to be built again has holes.
    fn checked_snapshot(&self) -> Result<Snapshot, StoreError> {
        self.inner.writer.wait_for_check();
        let snapshot = Snapshot::take(&self.inner.table)?;
        if self.inner.table.is_unchecked() { Err(StoreError::Unchecked) } else { Ok(snapshot) }
    }

    /// [`Store::write_backup`] in memory: it needs no room on a card that is full.
    ///
    /// # Errors
    /// [`StoreError::BackupIncomplete`], or what reading the database failed with.
    pub fn backup(&self) -> Result<Vec<u8>, StoreError> {
        let side_files = SideFile::all(&self.inner.data.dir)?;
        let mut bytes = Cursor::new(Vec::new());
        let snapshot = self.checked_snapshot()?;
        let generation = snapshot.generation();
        encode(&mut bytes, Path::new("in memory"), generation, snapshot, &side_files, |_| Ok(()))?;
        Ok(bytes.into_inner())
    }
}

/// The certificate authority in a backup.
fn authority_in(file: &Path) -> Option<SideFile> {
    let mut reader = backup::open(file).ok()?;
    while reader.row().ok()?.is_some() {}
    let mut found = None;
    // To the end, for a backup that is damaged behind it is not to be believed.
    while let Some(file) = reader.file().ok()? {
        found = found.or_else(|| (file.name == AUTHORITY).then_some(file));
    }
    found
}

/// Writes a snapshot as a backup in place of `file`. `room` is asked before every few bytes whether there is room for so
/// many.
fn write(
    file: &Path,
    generation: u64,
    snapshot: impl Iterator<Item = Result<Vec<Row>, StoreError>>,
    side_files: &[SideFile],
    room: impl Fn(u64) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let failed = |error| StoreError::backup_not_written(file, &error);
    let mut new = NewFile::create(file, Access::Owner).map_err(failed)?;
    encode(&mut new, file, generation, snapshot, side_files, room)?;
    new.finish().map_err(failed)
}

fn encode<W: Write + Seek>(
    out: &mut W,
    file: &Path,
    generation: u64,
    snapshot: impl Iterator<Item = Result<Vec<Row>, StoreError>>,
    side_files: &[SideFile],
    room: impl Fn(u64) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let failed = |error| StoreError::backup_not_written(file, &error);
    let mut encoder = Encoder::begin(out, generation).map_err(failed)?;
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

/// What the writer thread works on: the database, and the backup and the journal beside it.
pub(super) struct BackupDisk {
    pub(super) table: Arc<Table>,
    pub(super) free_space: Arc<FreeSpace>,
    pub(super) data: Arc<DataDir>,
    /// Whether the database had to be built again.
    pub(super) repaired: Arc<Mutex<Repaired>>,
    /// When it was opened again, backup and journal were not all there is.
    pub(super) gap: bool,
}

impl Disk for BackupDisk {
    fn sync(&mut self) -> Result<(), StoreError> {
        self.table.sync()
    }

    fn hand_over(&mut self) -> Result<(), StoreError> {
        self.table.hand_over()
    }

    fn failure(&self) -> Option<StoreError> {
        self.table.failure()
    }

    fn recover(&mut self, taken_back: &mut dyn FnMut()) -> Result<(), StoreError> {
        let (data, repaired, gap) = (&self.data, &self.repaired, &mut self.gap);
        let reopen = || match data.open_database(When::AtOnce) {
            Ok(found) => {
                *gap |= found.stale;
                if found.repaired != Repaired::No {
                    *lock(repaired) = found.repaired;
                }
                Ok(found.opened)
            }
            Err(OpenError::Store(error)) => Err(error),
            Err(error) => Err(StoreError::Database(error.to_string().into())),
        };
        self.table.recover(reopen, taken_back)
    }

    fn is_unchecked(&self) -> bool {
        self.table.is_unchecked()
    }

    fn end_check(&mut self, outcome: Result<(), StoreError>) -> Result<(), StoreError> {
        outcome.map(|()| self.table.set_checked())
    }

    /// Once the journal is as long as the backup: so all backups together are about as long as all changes. A small one is made
    /// when the store is closed, so that there is one file with everything.
    fn backup_due(&self, closing: bool) -> bool {
        let journal = self.table.journal_length();
        let backup = || fs::metadata(&self.data.backup).map_or(0, |backup| backup.len());
        self.gap || if closing { journal + backup() <= SMALL } else { journal > LEAST && journal > backup() }
    }

    fn backup_is_urgent(&self) -> bool {
        let backup = fs::metadata(&self.data.backup).map_or(0, |backup| backup.len());
        self.table.journal_length() > MUCH.max(4 * backup)
    }

    /// The database learns of the backup first: one that has lost something afterwards is older than the backup, and
    /// that is how [`Store::open`] notices.
    fn begin_backup(&mut self) -> Result<WriteBackup, StoreError> {
        // It must not take the room that changes need, and will most likely be as long as the last one.
        let last = fs::metadata(&self.data.backup).map_or(0, |last| last.len());
        self.free_space.room_for(RESERVE.saturating_add(last))?;
        self.table.begin_generation(&self.data.dir)?;
        self.gap = false;
        let snapshot = Snapshot::take(&self.table)?;
        // What was changed in between is in it.
        self.table.sync()?;
        let (table, data) = (Arc::clone(&self.table), Arc::clone(&self.data));
        let free_space = Arc::clone(&self.free_space);
        Ok(Box::new(move || {
            // From now on the database is not older than the new backup, and does not ask for the old journals.
            table.flush_engine()?;
            // A file that was damaged since must not be all that is left.
            let authority = SideFile::authority(&data.dir).or_else(|| authority_in(&data.backup));
            let generation = snapshot.generation();
            let paced = snapshot.inspect(paced());
            write(&data.backup, generation, paced, authority.as_slice(), |bytes| {
                free_space.room_for(RESERVE.saturating_add(bytes))
            })?;
            journal::forget_before(&data.dir, generation)
                .map_err(|error| StoreError::backup_not_written(&data.backup, &error))
        }))
    }
}

/// Rests as long after each piece as it took, so that others get the card and the processor half of the time.
fn paced<T>() -> impl FnMut(&T) {
    let mut last = Instant::now();
    move |_| {
        thread::sleep(last.elapsed().min(LONGEST_REST));
        last = Instant::now();
    }
}
