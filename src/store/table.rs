//! The only file that talks to sled: one table of versioned records, transactions on it, and a sync that is one.
//!
//! A transaction of sled costs more than the records in it: each rolls sled's log buffer. So what a transaction changes waits in
//! memory, whole, where every reader finds it, until the writer gives all that waits to sled as one batch. After a power cut
//! sled has a batch or nothing of it, and a transaction is never spread over two: all of it survives or none.

use super::backup::sync_dir;
use super::commit::lock;
use super::error::StoreError;
use super::key;
use super::record::{Record, decode, encode};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread;
use std::time::Duration;

/// sled would take 1 GiB if not told otherwise. This holds some ten thousand records.
const CACHE_BYTES: u64 = 16 * 1024 * 1024;
/// sled can hold its lock a moment longer than the handle that was dropped, and so can a process that is started at that
/// moment, until it runs its own program. Five seconds in all.
const LOCK_TRIES: u32 = 250;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// How much may wait for the writer, in bytes of keys and records; then whoever changes something gives it to sled.
const MOST_PENDING: usize = 1024 * 1024;

/// For each key the new record, or none if it goes.
type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Why the table could not be opened.
#[derive(Debug)]
pub(super) enum TableError {
    /// Another process has it open.
    Locked,
    /// The system refused for a reason that says nothing about the files.
    Refused(io::Error),
    /// The files are no longer a database.
    Damaged(String),
}

/// A key and its undecoded record.
pub(super) type Row = (Vec<u8>, Vec<u8>);

/// The open database.
#[derive(Debug)]
pub(super) struct Table {
    /// Taken out only to be dropped under guard.
    db: Option<sled::Db>,
    /// A second handle on sled's data file: `flush` of sled hands the bytes to the device, only a sync of this file
    /// makes the device keep them.
    file: File,
    /// Held by whoever changes something, and by the backup while it copies.
    turn: Mutex<()>,
    /// Held during a transaction.
    transacting: Mutex<()>,
    /// Locked while sled takes it, so that a reader sees every record either here or there.
    pending: RwLock<Pending>,
}

/// The changes that sled does not have yet.
#[derive(Debug, Default)]
struct Pending {
    changes: Changes,
    /// How long the keys and records were that came in.
    bytes: usize,
    /// The sum over all records, these included.
    sum: u64,
}

impl Table {
    /// Opens or creates the database in the folder `dir`, which must exist.
    pub(super) fn open(dir: &Path) -> Result<Self, TableError> {
        let config = sled::Config::new()
            .path(dir)
            .cache_capacity(CACHE_BYTES)
            .mode(sled::Mode::LowSpace)
            // Our own writer flushes, and syncs.
            .flush_every_ms(None);
        let mut tries = 0;
        let db = loop {
            let opened = catch_unwind(AssertUnwindSafe(|| config.open())).map_err(|_| {
                TableError::Damaged("the database engine panicked while opening it".to_owned())
            })?;
            match opened {
                Ok(db) => break db,
                Err(error) if is_lock(&error) => {
                    tries += 1;
                    if tries == LOCK_TRIES {
                        return Err(TableError::Locked);
                    }
                    thread::sleep(LOCK_PAUSE);
                }
                Err(sled::Error::Io(error)) if says_nothing_about_the_files(&error) => {
                    return Err(TableError::Refused(error));
                }
                Err(error) => return Err(TableError::Damaged(error.to_string())),
            }
        };
        let file =
            File::options().read(true).write(true).open(dir.join("db")).map_err(TableError::Refused)?;
        // sled leaves its settings and the names of its files to chance.
        File::open(dir.join("conf")).and_then(|conf| conf.sync_all()).map_err(TableError::Refused)?;
        sync_dir(dir).map_err(TableError::Refused)?;
        Ok(Self {
            db: Some(db),
            file,
            turn: Mutex::new(()),
            transacting: Mutex::new(()),
            pending: RwLock::default(),
        })
    }

    fn tree(&self) -> Result<&sled::Tree, StoreError> {
        self.db.as_deref().ok_or_else(|| StoreError::Database("closed".into()))
    }

    fn pending(&self) -> RwLockReadGuard<'_, Pending> {
        self.pending.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn pending_mut(&self) -> RwLockWriteGuard<'_, Pending> {
        self.pending.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads every record once, which makes sled read and check every page, and compares with the stored sum.
    ///
    /// sled notices a page that is wrong, but it may silently leave out a write in the middle of a damaged log. The
    /// sum, which every batch carries along, does not add up then. To be called before anything is changed.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        catch_unwind(AssertUnwindSafe(|| {
            let mut sum = 0_u64;
            for row in self.tree()? {
                let (key, value) = row?;
                key::check(&key, &value)?;
                if key != key::SUM {
                    sum = sum.wrapping_add(digest(&key, &value));
                }
            }
            if sum == self.get(key::SUM)?.unwrap_or(0) {
                self.pending_mut().sum = sum;
                Ok(())
            } else {
                Err(StoreError::Damaged { what: "set of records" })
            }
        }))
        .unwrap_or_else(|_| Err(StoreError::Database("the database engine panicked while reading".into())))
    }

    /// Whether there is no record at all.
    pub(super) fn is_empty(&self) -> Result<bool, StoreError> {
        Ok(self.pending().changes.is_empty() && self.tree()?.is_empty())
    }

    /// How many bytes the database has on the card.
    pub(super) fn size_on_disk(&self) -> Result<u64, StoreError> {
        let db = self.db.as_ref().ok_or_else(|| StoreError::Database("closed".into()))?;
        Ok(db.size_on_disk()?)
    }

    /// Shows `see` the record of a key as it is now.
    fn look<T>(&self, key: &[u8], see: impl FnOnce(Option<&[u8]>) -> T) -> Result<T, StoreError> {
        let pending = self.pending();
        match pending.changes.get(key) {
            Some(change) => Ok(see(change.as_deref())),
            None => Ok(see(self.tree()?.get(key)?.as_deref())),
        }
    }

    /// Shows `see` all records whose key begins so, as they are now, in the order of their keys.
    fn walk(
        &self,
        prefix: &[u8],
        mut see: impl FnMut(&[u8], &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let pending = self.pending();
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let changes = pending.changes.range::<[u8], _>(from);
        let mut changes = changes.take_while(|(key, _)| key.starts_with(prefix)).peekable();
        for row in self.tree()?.scan_prefix(prefix) {
            let (key, value) = row?;
            while let Some((before, change)) = changes.next_if(|(changed, _)| changed.as_slice() < &*key) {
                change.as_ref().map_or(Ok(()), |value| see(before, value))?;
            }
            match changes.next_if(|(changed, _)| changed.as_slice() == &*key) {
                Some((_, change)) => change.as_ref().map_or(Ok(()), |value| see(&key, value))?,
                None => see(&key, &value)?,
            }
        }
        changes.try_for_each(|(key, change)| change.as_ref().map_or(Ok(()), |value| see(key, value)))
    }

    /// One record.
    pub(super) fn get<R: Record>(&self, key: &[u8]) -> Result<Option<R>, StoreError> {
        self.look(key, |bytes| bytes.map(decode).transpose())?
    }

    /// All records whose key begins so, in the order of their keys.
    pub(super) fn scan<R: Record>(&self, prefix: &[u8]) -> Result<Vec<R>, StoreError> {
        let mut records = Vec::new();
        self.walk(prefix, |_, value| {
            records.push(decode(value)?);
            Ok(())
        })?;
        Ok(records)
    }

    /// The same with their keys.
    pub(super) fn scan_rows<R: Record>(&self, prefix: &[u8]) -> Result<Vec<(Vec<u8>, R)>, StoreError> {
        let mut rows = Vec::new();
        self.walk(prefix, |key, value| {
            rows.push((key.to_vec(), decode(value)?));
            Ok(())
        })?;
        Ok(rows)
    }

    /// Everything, undecoded, as it is between two changes.
    pub(super) fn rows(&self) -> Result<Vec<Row>, StoreError> {
        let _turn = self.turn();
        let mut rows = Vec::new();
        self.walk(b"", |key, value| {
            rows.push((key.to_vec(), value.to_vec()));
            Ok(())
        })?;
        Ok(rows)
    }

    /// Writes undecoded records, all or none.
    pub(super) fn fill(&self, rows: &[Row]) -> Result<(), StoreError> {
        self.transact(|tx| rows.iter().try_for_each(|(key, value)| tx.insert(key, value.clone())))
    }

    /// Makes the caller the only one who changes anything, so that it can look around before its transaction.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        lock(&self.turn)
    }

    /// Runs `work` as one transaction: an error takes everything back, and a power cut leaves all of it or nothing.
    /// Inside, only the transaction may be used, not the table.
    pub(super) fn transact<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let _transacting = lock(&self.transacting);
        let transaction = Transaction {
            table: self,
            changes: RefCell::default(),
            bytes: Cell::new(0),
            growth: Cell::new(0),
        };
        let value = work(&transaction)?;
        let Transaction { changes, bytes, growth, .. } = transaction;
        let mut pending = self.pending_mut();
        pending.changes.extend(changes.into_inner());
        pending.bytes += bytes.get();
        pending.sum = pending.sum.wrapping_add(growth.get());
        if pending.bytes > MOST_PENDING
            && let Err(error) = self.hand_over(&mut pending)
        {
            // The next sync meets it too, and whoever waits for that is told.
            log::error!("{error}");
        }
        Ok(value)
    }

    /// Gives all that waits to sled, as one batch. What sled refuses goes on waiting, and is read from here.
    fn hand_over(&self, pending: &mut Pending) -> Result<(), StoreError> {
        if pending.changes.is_empty() {
            return Ok(());
        }
        let mut batch = sled::Batch::default();
        for (key, change) in &pending.changes {
            match change {
                Some(value) => batch.insert(key.as_slice(), value.as_slice()),
                None => batch.remove(key.as_slice()),
            }
        }
        batch.insert(key::SUM, encode(&pending.sum)?);
        self.tree()?.apply_batch(batch)?;
        pending.changes.clear();
        pending.bytes = 0;
        Ok(())
    }

    /// Makes everything changed so far survive a power cut.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        let not_saved = |why: &dyn std::fmt::Display| StoreError::NotSaved(why.to_string().into());
        self.hand_over(&mut self.pending_mut()).map_err(|error| not_saved(&error))?;
        self.tree()?.flush().map_err(|error| not_saved(&error))?;
        self.file.sync_data().map_err(|error| not_saved(&error))
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // sled syncs once more when it is closed, and panics if the card refuses.
        let closed = catch_unwind(AssertUnwindSafe(|| {
            let handed = self.hand_over(&mut self.pending_mut());
            drop(self.db.take());
            handed
        }));
        if !matches!(closed, Ok(Ok(()))) {
            log::error!("the database could not be closed cleanly");
        }
    }
}

/// A transaction in progress. What it reads includes what it wrote.
pub(super) struct Transaction<'a> {
    table: &'a Table,
    changes: RefCell<Changes>,
    /// How long their keys and records are.
    bytes: Cell<usize>,
    /// By how much the sum over all records grows.
    growth: Cell<u64>,
}

impl Transaction<'_> {
    fn look<T>(&self, key: &[u8], see: impl FnOnce(Option<&[u8]>) -> T) -> Result<T, StoreError> {
        match self.changes.borrow().get(key) {
            Some(change) => Ok(see(change.as_deref())),
            None => self.table.look(key, see),
        }
    }

    /// One record.
    pub(super) fn get<R: Record>(&self, key: &[u8]) -> Result<Option<R>, StoreError> {
        self.look(key, |bytes| bytes.map(decode).transpose())?
    }

    /// Whether there is a record.
    pub(super) fn has(&self, key: &[u8]) -> Result<bool, StoreError> {
        self.look(key, |bytes| bytes.is_some())
    }

    /// Creates or replaces a record.
    pub(super) fn put<R: Record>(&self, key: &[u8], record: &R) -> Result<(), StoreError> {
        self.insert(key, encode(record)?)
    }

    fn insert(&self, key: &[u8], value: Vec<u8>) -> Result<(), StoreError> {
        self.change(key, Some(value))
    }

    /// Removes a record, if it is there.
    pub(super) fn remove(&self, key: &[u8]) -> Result<(), StoreError> {
        self.change(key, None)
    }

    fn change(&self, key: &[u8], value: Option<Vec<u8>>) -> Result<(), StoreError> {
        let loss = self.look(key, |old| old.map_or(0, |old| digest(key, old)))?;
        let gain = value.as_deref().map_or(0, |value| digest(key, value));
        self.growth.set(self.growth.get().wrapping_add(gain).wrapping_sub(loss));
        self.bytes.set(self.bytes.get() + key.len() + value.as_ref().map_or(0, Vec::len));
        self.changes.borrow_mut().insert(key.to_vec(), value);
        Ok(())
    }

    /// Takes `count` numbers in a row from a counter and returns the first. A new counter begins with `first`.
    pub(super) fn take(&self, counter: &[u8], first: u32, count: u32) -> Result<u32, StoreError> {
        let taken = self.get(counter)?.unwrap_or(first);
        let next = taken.checked_add(count).ok_or(StoreError::NoMoreIds)?;
        self.put(counter, &next)?;
        Ok(taken)
    }
}

/// What a record adds to the sum. The mixing (that of `SplitMix64`) keeps equal differences in several records from
/// cancelling each other, as they would in a sum of plain CRCs.
fn digest(key: &[u8], value: &[u8]) -> u64 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(value);
    let mut mixed = u64::from(hasher.finalize()).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl From<sled::Error> for StoreError {
    fn from(error: sled::Error) -> Self {
        Self::Database(error.to_string().into())
    }
}

/// sled has no error of its own for this.
fn is_lock(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("could not acquire lock"))
}

fn says_nothing_about_the_files(error: &io::Error) -> bool {
    const EMFILE: i32 = 24;
    const ENFILE: i32 = 23;
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied
            | io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::OutOfMemory
    ) || matches!(error.raw_os_error(), Some(EMFILE | ENFILE))
}
