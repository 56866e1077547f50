//! The only file that talks to sled: one table of versioned records, transactions on it, and a sync that is one.
//!
//! A transaction of sled costs more than the records in it: each rolls sled's log buffer. So what a transaction changes waits in
//! memory, whole, where every reader finds it, until the writer gives all that waits to sled as one batch. After a power cut
//! sled has a batch or nothing of it, and a transaction is never spread over two: all of it survives or none.

use super::commit::lock;
use super::error::{StoreError, is_out_of_files};
use super::key;
use super::pre_images::PreImages;
use super::record::{Record, Row, decode, digest, encode};
use crate::atomic_file;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::ops::{Bound, ControlFlow};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
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
/// How much of a snapshot is read at once, in bytes of keys and records: whoever changes something waits that long.
const PIECE: usize = 32 * 1024;

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

/// The open database.
#[derive(Debug)]
pub(super) struct Table {
    /// Taken out only to be dropped under guard.
    db: Option<sled::Db>,
    /// A second handle on sled's data file: `flush` of sled hands the bytes to the device, only a sync of this file
    /// makes the device keep them.
    file: File,
    /// Held by whoever changes something, from the first look to the transaction.
    write_lock: Mutex<()>,
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
    /// The snapshots that are being read. Locked after this.
    snapshots: Vec<Weak<Mutex<PreImages>>>,
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

impl Table {
    /// Opens or creates the database in the folder `dir`, which must exist.
    pub(super) fn open(dir: &Path) -> Result<Self, TableError> {
        remove_unfinished_snapshots(dir).map_err(TableError::Refused)?;
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
        atomic_file::sync_dir(dir).map_err(TableError::Refused)?;
        Ok(Self {
            db: Some(db),
            file,
            write_lock: Mutex::new(()),
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
    /// sum, which every batch carries along, does not add up then. To be called before anything is changed. `understood`
    /// refuses records that this program does not know.
    pub(super) fn check(
        &self,
        understood: fn(&[u8], &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        catch_unwind(AssertUnwindSafe(|| {
            let mut sum = 0_u64;
            for row in self.tree()? {
                let (key, value) = row?;
                understood(&key, &value)?;
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

    /// The record of a key, not decoded.
    fn current(&self, pending: &Pending, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match pending.changes.get(key) {
            Some(change) => Ok(change.clone()),
            None => Ok(self.tree()?.get(key)?.map(|value| value.to_vec())),
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
        let changes = changes.take_while(|(key, _)| key.starts_with(prefix));
        let see = |key: &[u8], value: &[u8]| see(key, value).map(ControlFlow::Continue);
        merge(self.tree()?.scan_prefix(prefix), changes, see).map(|_| ())
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

    /// Begins a snapshot of everything as it is between two changes. Returned are its generation and its state, for
    /// [`Self::read_snapshot`]; whoever drops the state ends it.
    pub(super) fn begin_snapshot(&self) -> Result<(u64, Arc<Mutex<PreImages>>), StoreError> {
        let _write_lock = self.write_lock();
        let nothing = self.is_empty()?;
        let mut pending = self.pending_mut();
        let generation = self.current(&pending, key::GENERATION)?;
        let generation = generation.as_deref().map(decode).transpose()?.unwrap_or(0);
        // sled has the sum of what it was given last, which is not the sum of what waits as well.
        let sum = if nothing { None } else { Some((key::SUM.to_vec(), encode(&pending.sum)?)) };
        let state = Arc::new(Mutex::new(PreImages::new(sum)));
        pending.snapshots.push(Arc::downgrade(&state));
        Ok((generation, state))
    }

    /// Reads the next piece of a snapshot, and says whether it was the last one.
    pub(super) fn read_snapshot(&self, state: &Mutex<PreImages>) -> Result<(Vec<Row>, bool), StoreError> {
        // While it is held for reading nothing is changed.
        let pending = self.pending();
        let mut state = lock(state);
        let from = (state.rest()?, Bound::Unbounded);
        let mut rows = BTreeMap::new();
        let (mut size, mut end) = (0, None);
        let changes = pending.changes.range::<[u8], _>(from);
        let cut = merge(self.tree()?.range::<&[u8], _>(from), changes, |key, value| {
            size += key.len() + value.len();
            rows.insert(key.to_vec(), value.to_vec());
            if size < PIECE {
                return Ok(ControlFlow::Continue(()));
            }
            end = Some(key.to_vec());
            Ok(ControlFlow::Break(()))
        })?;
        state.restore(&mut rows, end);
        Ok((rows.into_iter().collect(), cut.is_continue()))
    }

    /// Writes undecoded records, all or none.
    pub(super) fn fill(&self, rows: &[Row]) -> Result<(), StoreError> {
        self.transact(|tx| rows.iter().try_for_each(|(key, value)| tx.insert(key, value.clone())))
    }

    /// Makes the caller the only one who changes anything, so that it can look around before its transaction.
    pub(super) fn write_lock(&self) -> MutexGuard<'_, ()> {
        lock(&self.write_lock)
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
        let changes = changes.into_inner();
        let mut pending = self.pending_mut();
        self.keep_for_snapshots(&mut pending, &changes);
        pending.changes.extend(changes);
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

    /// Lets those who read a snapshot remember the records that `changes` is about to change.
    fn keep_for_snapshots(&self, pending: &mut Pending, changes: &Changes) {
        pending.snapshots.retain(|state| state.strong_count() > 0);
        for state in pending.snapshots.iter().filter_map(Weak::upgrade) {
            let mut state = lock(&state);
            for key in changes.keys() {
                state.keep(key, || self.current(pending, key));
            }
        }
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

/// Shows `see` the records of sled with the changes that it does not have yet, in the order of their keys, until it breaks off.
fn merge<'c>(
    rows: sled::Iter,
    changes: impl Iterator<Item = (&'c Vec<u8>, &'c Option<Vec<u8>>)>,
    mut see: impl FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, StoreError>,
) -> Result<ControlFlow<()>, StoreError> {
    let mut see = |key: &[u8], value: Option<&[u8]>| match value {
        Some(value) => see(key, value),
        None => Ok(ControlFlow::Continue(())),
    };
    let mut changes = changes.peekable();
    for row in rows {
        let (key, value) = row?;
        while let Some((before, change)) = changes.next_if(|(changed, _)| changed.as_slice() < &*key) {
            if see(before, change.as_deref())?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        let newer = changes.next_if(|(changed, _)| changed.as_slice() == &*key);
        let value = newer.map_or(Some(&*value), |(_, change)| change.as_deref());
        if see(&key, value)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    for (key, change) in changes {
        if see(key, change.as_deref())?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
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
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied
            | io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::OutOfMemory
    ) || is_out_of_files(error)
}
