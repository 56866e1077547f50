//! The only file that talks to sled: one table of versioned records, transactions on it, and a sync that is one.

use super::backup::sync_dir;
use super::commit::lock;
use super::error::StoreError;
use super::key;
use super::record::{Record, decode, encode};
use sled::transaction::{
    ConflictableTransactionError, TransactionError, TransactionalTree, UnabortableTransactionError,
};
use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// sled would take 1 GiB if not told otherwise. This holds some ten thousand records.
const CACHE_BYTES: u64 = 16 * 1024 * 1024;
/// sled can hold its lock a moment longer than the handle that was dropped.
const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

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
        Ok(Self { db: Some(db), file, turn: Mutex::new(()) })
    }

    fn tree(&self) -> Result<&sled::Tree, StoreError> {
        self.db.as_deref().ok_or_else(|| StoreError::Database("closed".into()))
    }

    /// Reads every record once, which makes sled read and check every page, and compares with the stored sum.
    ///
    /// sled notices a page that is wrong, but it may silently leave out a write in the middle of a damaged log. The
    /// sum, which every transaction carries along, does not add up then.
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
                Ok(())
            } else {
                Err(StoreError::Damaged { what: "set of records" })
            }
        }))
        .unwrap_or_else(|_| Err(StoreError::Database("the database engine panicked while reading".into())))
    }

    /// Whether there is no record at all.
    pub(super) fn is_empty(&self) -> Result<bool, StoreError> {
        Ok(self.tree()?.is_empty())
    }

    /// One record.
    pub(super) fn get<R: Record>(&self, key: &[u8]) -> Result<Option<R>, StoreError> {
        self.tree()?.get(key).map_err(StoreError::from)?.map(|bytes| decode(&bytes)).transpose()
    }

    /// All records whose key begins so, in the order of their keys.
    pub(super) fn scan<R: Record>(&self, prefix: &[u8]) -> Result<Vec<R>, StoreError> {
        let values = self.tree()?.scan_prefix(prefix).values();
        values.map(|value| decode(&value.map_err(StoreError::from)?)).collect()
    }

    /// The same with their keys.
    pub(super) fn scan_rows<R: Record>(&self, prefix: &[u8]) -> Result<Vec<(Vec<u8>, R)>, StoreError> {
        let rows = self.tree()?.scan_prefix(prefix);
        rows.map(|row| {
            let (key, value) = row.map_err(StoreError::from)?;
            Ok((key.to_vec(), decode(&value)?))
        })
        .collect()
    }

    /// Everything, undecoded, as it is between two changes.
    pub(super) fn rows(&self) -> Result<Vec<Row>, StoreError> {
        let _turn = self.turn();
        let rows = self.tree()?.iter();
        rows.map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())).map_err(StoreError::from))
            .collect()
    }

    /// Writes undecoded records, all or none.
    pub(super) fn fill(&self, rows: &[Row]) -> Result<(), StoreError> {
        self.transact(|tx| rows.iter().try_for_each(|(key, value)| tx.insert(key, value.as_slice().into())))
    }

    /// Makes the caller the only one who changes anything, so that it can look around before its transaction.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        lock(&self.turn)
    }

    /// Runs `work` as one transaction: an error takes everything back, and a power cut leaves all of it or nothing.
    /// Inside, only the transaction may be used, not the table.
    pub(super) fn transact<T, E: From<StoreError>>(
        &self,
        work: impl Fn(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let done = self.tree()?.transaction(|tree| {
            let transaction = Transaction { tree, trouble: RefCell::new(None), growth: Cell::new(0) };
            let outcome =
                work(&transaction).and_then(|value| transaction.carry_sum().map(|()| value).map_err(E::from));
            match transaction.trouble.into_inner() {
                Some(UnabortableTransactionError::Conflict) => Err(ConflictableTransactionError::Conflict),
                Some(UnabortableTransactionError::Storage(error)) => {
                    Err(ConflictableTransactionError::Storage(error))
                }
                None => outcome.map_err(ConflictableTransactionError::Abort),
            }
        });
        done.map_err(|error| match error {
            TransactionError::Abort(error) => error,
            TransactionError::Storage(error) => StoreError::from(error).into(),
        })
    }

    /// Makes everything changed so far survive a power cut.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.tree()?.flush().map_err(|error| StoreError::NotSaved(error.to_string().into()))?;
        self.file.sync_data().map_err(|error| StoreError::NotSaved(error.to_string().into()))
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        let db = self.db.take();
        // sled syncs once more when it is closed, and panics if the card refuses.
        if catch_unwind(AssertUnwindSafe(|| drop(db))).is_err() {
            log::error!("the database could not be closed cleanly");
        }
    }
}

/// A transaction in progress. What it reads includes what it wrote.
pub(super) struct Transaction<'a> {
    tree: &'a TransactionalTree,
    /// What sled said, for sled: it may want to try again.
    trouble: RefCell<Option<UnabortableTransactionError>>,
    /// By how much the sum over all records grows.
    growth: Cell<u64>,
}

impl Transaction<'_> {
    fn note<T>(&self, result: Result<T, UnabortableTransactionError>) -> Result<T, StoreError> {
        result.map_err(|error| {
            let told = StoreError::Database(error.to_string().into());
            self.trouble.replace(Some(error));
            told
        })
    }

    /// One record.
    pub(super) fn get<R: Record>(&self, key: &[u8]) -> Result<Option<R>, StoreError> {
        self.note(self.tree.get(key))?.map(|bytes| decode(&bytes)).transpose()
    }

    /// Whether there is a record.
    pub(super) fn has(&self, key: &[u8]) -> Result<bool, StoreError> {
        Ok(self.note(self.tree.get(key))?.is_some())
    }

    /// Creates or replaces a record.
    pub(super) fn put<R: Record>(&self, key: &[u8], record: &R) -> Result<(), StoreError> {
        self.insert(key, encode(record)?.into())
    }

    fn insert(&self, key: &[u8], value: sled::IVec) -> Result<(), StoreError> {
        let gain = digest(key, &value);
        let old = self.note(self.tree.insert(key, value))?;
        self.grow(gain, key, old.as_deref());
        Ok(())
    }

    /// Removes a record, if it is there.
    pub(super) fn remove(&self, key: &[u8]) -> Result<(), StoreError> {
        let old = self.note(self.tree.remove(key))?;
        self.grow(0, key, old.as_deref());
        Ok(())
    }

    fn grow(&self, gain: u64, key: &[u8], old: Option<&[u8]>) {
        let loss = old.map_or(0, |old| digest(key, old));
        self.growth.set(self.growth.get().wrapping_add(gain).wrapping_sub(loss));
    }

    fn carry_sum(&self) -> Result<(), StoreError> {
        let sum = self.get(key::SUM)?.unwrap_or(0_u64).wrapping_add(self.growth.get());
        self.note(self.tree.insert(key::SUM, encode(&sum)?)).map(|_| ())
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
