//! What one transaction reads and writes.

use super::error::StoreError;
use super::journal::Changes;
use super::record::{Record, decode, digest, encode};
use std::cell::{Cell, RefCell};

/// The records as they were before a transaction.
pub(super) trait Before {
    /// Shows `see` the record with this key, once.
    fn see(&self, key: &[u8], see: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), StoreError>;
}

/// What a transaction has changed.
pub(super) struct Changed {
    /// The records, by key.
    pub(super) changes: Changes,
    /// How long their keys and records are.
    pub(super) bytes: usize,
    /// By how much the sum over all records grows.
    pub(super) growth: u64,
}

/// A transaction in progress. What it reads includes what it wrote.
pub(super) struct Transaction<'a> {
    before: &'a dyn Before,
    changes: RefCell<Changes>,
    /// How long their keys and records are.
    bytes: Cell<usize>,
    /// By how much the sum over all records grows.
    growth: Cell<u64>,
}

impl<'a> Transaction<'a> {
    /// One that has changed nothing.
    pub(super) fn on(before: &'a dyn Before) -> Self {
        Self { before, changes: RefCell::default(), bytes: Cell::new(0), growth: Cell::new(0) }
    }

    /// What it has changed.
    pub(super) fn end(self) -> Changed {
        let Self { changes, bytes, growth, .. } = self;
        Changed { changes: changes.into_inner(), bytes: bytes.get(), growth: growth.get() }
    }

    fn look<T>(&self, key: &[u8], see: impl FnOnce(Option<&[u8]>) -> T) -> Result<T, StoreError> {
        if let Some(change) = self.changes.borrow().get(key) {
            return Ok(see(change.as_deref()));
        }
        let (mut see, mut seen) = (Some(see), None);
        self.before.see(key, &mut |record| seen = see.take().map(|see| see(record)))?;
        seen.ok_or_else(|| StoreError::Database("a record was not shown".into()))
    }

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

    /// The same for one that is written already.
    pub(super) fn insert(&self, key: &[u8], value: Vec<u8>) -> Result<(), StoreError> {
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
