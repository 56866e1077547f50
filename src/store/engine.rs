//! The only file that talks to sled: an ordered map of bytes on the card, behind the journal.
//!
//! What is durable is decided by the journal ([`super::journal`]); sled is given each change after that, in order, and
//! writes it when it pleases. What it loses of that in a power cut is taken from the journal when it is opened. So
//! changes go to it one by one, which costs it less than a transaction of its own.
//!
//! sled 0.34 takes a failed write for the end: from then on it refuses everything. [`Engine::failure`] says so, and
//! the only remedy is to open it again.

use super::error::{StoreError, is_out_of_files};
use super::key;
use super::record::{Row, decode, digest};
use super::ticket::lock;
use crate::atomic_file;
use std::fs::{self, File};
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

/// sled would take 1 GiB if not told otherwise. It counts what pages are long on the card, rounded up to powers of two.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;
/// sled counts a page into its cache only when 64 were asked for of the same 256th of all pages. Who reads everything asks once for each page of
/// up to 16 records, and would keep 16,384 pages beside the cache. Asking again for one record of so many makes them a third of that.
const ASKED_AGAIN: usize = 4;
/// sled can hold its lock a moment longer than the handle that was dropped, and so can a process that is started at that
/// moment, until it runs its own program. Five seconds in all.
const LOCK_TRIES: u32 = 250;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Why the engine could not be opened.
#[derive(Debug)]
pub(super) enum EngineError {
    /// Another process has it open.
    Locked,
    /// The system refused for a reason that says nothing about the files.
    Refused(io::Error),
    /// The files are no longer a database.
    Damaged(String),
}

/// The open engine.
#[derive(Debug)]
pub(super) struct Engine {
    /// Taken out only to be dropped under guard.
    db: Option<sled::Db>,
    /// A second handle on sled's data file: `flush` of sled hands the bytes to the device, only a sync of this file
    /// makes the device keep them.
    file: File,
    failure: Mutex<Option<StoreError>>,
}

/// Removes what a power cut has left of a snapshot of the engine's own (`snap.*.generating`). It takes such a file for the newest
/// snapshot and the database for damaged (sled issue 1527), and would write a shorter one over it. All that is in
/// a snapshot is in the log as well. Nobody else may have the database open.
fn remove_unfinished_snapshots(dir: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(entry.path())?;
            log::warn!("{name} was left by a power cut and is removed; nothing is lost by that");
        }
    }
    Ok(())
}

impl Engine {
    /// Opens or creates the database in the folder `dir`, which must exist.
    pub(super) fn open(dir: &Path) -> Result<Self, EngineError> {
        remove_unfinished_snapshots(dir).map_err(EngineError::Refused)?;
        let config = sled::Config::new()
            .path(dir)
            .cache_capacity(CACHE_BYTES)
            .mode(sled::Mode::LowSpace)
            // Our own writer flushes, and syncs.
            .flush_every_ms(None);
        let mut tries = 0;
        let db = loop {
            let opened = catch_unwind(AssertUnwindSafe(|| config.open())).map_err(|_| {
                EngineError::Damaged("the database engine panicked while opening it".to_owned())
            })?;
            match opened {
                Ok(db) => break db,
                Err(error) if is_lock(&error) => {
                    tries += 1;
                    if tries == LOCK_TRIES {
                        return Err(EngineError::Locked);
                    }
                    thread::sleep(LOCK_PAUSE);
                }
                Err(sled::Error::Io(error)) if says_nothing_about_the_files(&error) => {
                    return Err(EngineError::Refused(error));
                }
                Err(error) => return Err(EngineError::Damaged(error.to_string())),
            }
        };
        let file =
            File::options().read(true).write(true).open(dir.join("db")).map_err(EngineError::Refused)?;
        // sled leaves its settings and the names of its files to chance.
        File::open(dir.join("conf")).and_then(|conf| conf.sync_all()).map_err(EngineError::Refused)?;
        atomic_file::sync_dir(dir).map_err(EngineError::Refused)?;
        Ok(Self { db: Some(db), file, failure: Mutex::default() })
    }

    fn tree(&self) -> Result<&sled::Tree, StoreError> {
        self.db.as_deref().ok_or_else(|| StoreError::Database("closed".into()))
    }

    /// Why the engine works no more, if it has said so.
    pub(super) fn failure(&self) -> Option<StoreError> {
        lock(&self.failure).clone()
    }

    /// What the engine said, remembered if it is bad.
    fn noted<T>(&self, said: sled::Result<T>) -> Result<T, StoreError> {
        said.map_err(|error| {
            let error = StoreError::Database(error.to_string().into());
            lock(&self.failure).get_or_insert_with(|| error.clone()).clone()
        })
    }

    /// The record of a key.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<sled::IVec>, StoreError> {
        self.noted(self.tree()?.get(key))
    }

    /// A number that is kept as a record.
    pub(super) fn number<N: super::record::Record>(&self, key: &[u8]) -> Result<Option<N>, StoreError> {
        self.get(key)?.as_deref().map(decode).transpose()
    }

    /// All records from this bound on, in the order of their keys.
    pub(super) fn range(&self, from: Bound<&[u8]>) -> Result<Rows<'_>, StoreError> {
        Ok(Rows { engine: self, rows: self.tree()?.range::<&[u8], _>((from, Bound::Unbounded)) })
    }

    /// The same for who reads all of them: it does not keep them in memory.
    fn all(
        &self,
        from: Bound<&[u8]>,
    ) -> Result<impl Iterator<Item = Result<(sled::IVec, sled::IVec), StoreError>>, StoreError> {
        let mut read = 0;
        Ok(self.range(from)?.map(move |row| {
            let row = row?;
            read += 1;
            if read % ASKED_AGAIN == 0 {
                self.get(&row.0)?;
            }
            Ok(row)
        }))
    }

    /// The first `most` bytes of keys and records from this bound on, up to the end of a record, and whether that is all there is.
    pub(super) fn piece(&self, from: Bound<&[u8]>, most: usize) -> Result<(Vec<Row>, bool), StoreError> {
        let (mut rows, mut size) = (Vec::new(), 0);
        for row in self.all(from)? {
            let (key, value) = row?;
            size += key.len() + value.len();
            rows.push((key.to_vec(), value.to_vec()));
            if size >= most {
                return Ok((rows, false));
            }
        }
        Ok((rows, true))
    }

    /// All records whose key begins so, in the order of their keys.
    pub(super) fn with_prefix(&self, prefix: &[u8]) -> Result<Rows<'_>, StoreError> {
        Ok(Rows { engine: self, rows: self.tree()?.scan_prefix(prefix) })
    }

    /// Whether there is no record at all.
    pub(super) fn is_empty(&self) -> Result<bool, StoreError> {
        Ok(self.tree()?.is_empty())
    }

    /// How many bytes the database has on the card.
    pub(super) fn size_on_disk(&self) -> Result<u64, StoreError> {
        let db = self.db.as_ref().ok_or_else(|| StoreError::Database("closed".into()))?;
        self.noted(db.size_on_disk())
    }

    /// Changes one record: the new one, or none if it goes.
    pub(super) fn put(&self, key: &[u8], change: Option<&[u8]>) -> Result<(), StoreError> {
        let tree = self.tree()?;
        self.noted(match change {
            Some(value) => tree.insert(key, value),
            None => tree.remove(key),
        })
        .map(|_| ())
    }

    /// Does `work` with it. A panic of the engine's own is taken for its end.
    pub(super) fn guarded(&self, work: impl FnOnce() -> Result<(), StoreError>) -> Result<(), StoreError> {
        catch_unwind(AssertUnwindSafe(work))
            .unwrap_or_else(|_| self.noted(Err(sled::Error::ReportableBug("a panic".to_owned()))))
    }

    /// Makes everything that it was given survive a power cut.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        self.noted(self.tree()?.flush())?;
        self.noted(self.file.sync_data().map_err(sled::Error::from))
    }

    /// Behaves from now on as if a write had failed.
    #[cfg(test)]
    pub(super) fn fail_for_tests(&self) {
        let _ = self.noted::<()>(Err(sled::Error::ReportableBug("a test".to_owned())));
    }

    /// Wakes those who wait for an engine that has failed: its own thread may have failed without telling them.
    pub(super) fn wake_all(&self) {
        if self.failure().is_some()
            && let Ok(tree) = self.tree()
        {
            let _ = catch_unwind(AssertUnwindSafe(|| tree.flush().map(|_| ())));
        }
    }

    /// Reads every record once, which makes sled read and check every page, and compares with the stored sum, which is
    /// returned.
    ///
    /// sled notices a page that is wrong, but it may silently leave out a write in the middle of a damaged log. The
    /// sum, which every batch carries along, does not add up then. To be called before anything is changed. `understood`
    /// refuses records that this program does not know.
    pub(super) fn check(
        &self,
        understood: fn(&[u8], &[u8]) -> Result<(), StoreError>,
    ) -> Result<Sum, StoreError> {
        catch_unwind(AssertUnwindSafe(|| {
            let mut sum = 0_u64;
            for row in self.all(Bound::Unbounded)? {
                let (key, value) = row?;
                understood(&key, &value)?;
                if key != key::SUM {
                    sum = sum.wrapping_add(digest(&key, &value));
                }
            }
            let stored = self.number(key::SUM)?.unwrap_or(0);
            Ok(Sum { found: sum, stored })
        }))
        .unwrap_or_else(|_| Err(StoreError::Database("the database engine panicked while reading".into())))
    }
}

/// The sum over all records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sum {
    /// What it is.
    pub(super) found: u64,
    /// What the last batch says that it is.
    pub(super) stored: u64,
}

/// Records in the order of their keys.
pub(super) struct Rows<'e> {
    engine: &'e Engine,
    rows: sled::Iter,
}

impl Iterator for Rows<'_> {
    type Item = Result<(sled::IVec, sled::IVec), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next().map(|row| self.engine.noted(row))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // sled syncs once more when it is closed, and panics if the card refuses.
        let db = self.db.take();
        if catch_unwind(AssertUnwindSafe(|| drop(db))).is_err() {
            log::error!("the database could not be closed cleanly; what it lacks is in the journal");
        }
    }
}

/// sled has no error of its own for this.
fn is_lock(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("could not acquire lock"))
}

fn says_nothing_about_the_files(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied
            | io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::OutOfMemory
    ) || is_out_of_files(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    #[test]
    fn a_piece_is_as_long_as_was_asked_for_up_to_the_end_of_a_record() {
        let dir = TempDir::new().unwrap();
        let engine = Engine::open(dir.path()).unwrap();
        for number in 0..1000_u32 {
            engine.put(&number.to_be_bytes(), Some(&[7; 96])).unwrap();
        }
        // Behind the record of a number.
        let piece = |behind: Option<u32>, most| {
            let behind = behind.map(u32::to_be_bytes);
            let from = behind.as_ref().map_or(Bound::Unbounded, |key| Bound::Excluded(key.as_slice()));
            let (rows, all) = engine.piece(from, most).unwrap();
            assert!(rows.iter().all(|(key, value)| key.len() == 4 && *value == [7; 96]));
            (rows.first().map(|(key, _)| key.clone()), rows.len(), all)
        };
        let key = |number: u32| Some(number.to_be_bytes().to_vec());
        assert_eq!(piece(None, usize::MAX), (key(0), 1000, true));
        assert_eq!(piece(None, 1000), (key(0), 10, false));
        assert_eq!(piece(None, 1001), (key(0), 11, false));
        assert_eq!(piece(Some(300), 1000), (key(301), 10, false));
        assert_eq!(piece(Some(996), 1000), (key(997), 3, true));
        assert_eq!(piece(Some(999), 1000), (None, 0, true));
    }
}
