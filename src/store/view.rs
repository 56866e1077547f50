//! What readers see: the changes that wait, before the batch that is being made safe, before what is safe already, before the
//! engine.

use super::engine::{Engine, Rows};
use super::error::StoreError;
use super::journal::Changes;
use super::key;
use super::pre_images::PreImages;
use super::record::{Record, decode, digest, encode};
use super::ticket::lock;
use std::ops::{Bound, ControlFlow};
use std::sync::{Arc, Mutex, Weak};

/// What a change takes in memory besides its key and its record, in bytes, roughly.
const ENTRY: usize = 64;

/// What readers see: the newer changes before the older ones, before the engine.
#[derive(Debug)]
pub(super) struct View {
    /// None while it is opened again.
    pub(super) engine: Option<Arc<Engine>>,
    /// What waits for the next batch.
    pub(super) open: Changes,
    /// The batch that is being made safe.
    pub(super) batch: Arc<Changes>,
    /// What is safe and waits for the engine.
    pub(super) safe: Changes,
    /// What is safe and is given to the engine, until it has all of it.
    pub(super) giving: Arc<Changes>,
    /// How often the engine has got all that it was given.
    pub(super) given: u64,
    /// How long the keys and records are that wait.
    pub(super) bytes: usize,
    /// How much memory that takes which is safe and waits for the engine.
    pub(super) safe_bytes: usize,
    /// The sum over all records, these included.
    pub(super) sum: u64,
    /// Not every record was read since the database was opened, so nothing is made safe.
    pub(super) unchecked: bool,
    /// The snapshots that are being read. Locked after this.
    pub(super) snapshots: Vec<Weak<Mutex<PreImages>>>,
}

impl View {
    pub(super) fn engine(&self) -> Result<&Arc<Engine>, StoreError> {
        self.engine.as_ref().ok_or_else(StoreError::reopening)
    }

    /// The newest change of a key that the engine may not have.
    pub(super) fn change(&self, key: &[u8]) -> Option<&Option<Vec<u8>>> {
        let layers = [&self.open, &*self.batch, &self.safe, &*self.giving];
        layers.into_iter().find_map(|layer| layer.get(key))
    }

    pub(super) fn look<T>(&self, key: &[u8], see: impl FnOnce(Option<&[u8]>) -> T) -> Result<T, StoreError> {
        match self.change(key) {
            Some(change) => Ok(see(change.as_deref())),
            None => Ok(see(self.engine()?.get(key)?.as_deref())),
        }
    }

    /// The record of a key, not decoded.
    fn current(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.look(key, |bytes| bytes.map(<[u8]>::to_vec))
    }

    /// The changes that the engine may not have, in the order of their keys.
    pub(super) fn changes<'c>(
        &'c self,
        range: (Bound<&[u8]>, Bound<&[u8]>),
    ) -> impl Iterator<Item = (&'c Vec<u8>, &'c Option<Vec<u8>>)> + use<'c> {
        let mut layers = [&self.open, &*self.batch, &self.safe, &*self.giving]
            .map(|layer| layer.range::<[u8], _>(range).peekable());
        std::iter::from_fn(move || {
            let next = layers.iter_mut().filter_map(|layer| layer.peek().map(|(key, _)| *key)).min()?;
            // Each layer goes on, and the newest one counts.
            let found = layers.iter_mut().map(|layer| layer.next_if(|(key, _)| *key == next));
            found.fold(None, Option::or)
        })
    }

    /// The batch is safe, so it can wait for the engine. Returned is how much memory it takes.
    pub(super) fn batch_is_safe(&mut self) -> usize {
        let batch = Arc::unwrap_or_clone(std::mem::take(&mut self.batch));
        let mut all = 0;
        for (key, change) in batch {
            let size = |change: &Option<Vec<u8>>| change.as_ref().map_or(0, Vec::len);
            let (more, length) = (size(&change), key.len() + ENTRY);
            let less = self.safe.insert(key, change).map_or(0, |old| size(&old) + length);
            self.safe_bytes = (self.safe_bytes + more + length).saturating_sub(less);
            all += more + length;
        }
        all
    }

    /// Whether nothing is given to the engine now.
    pub(super) fn gives_nothing(&self) -> bool {
        self.giving.is_empty()
    }

    /// What is safe is given to the engine from now on. Nothing else may be.
    pub(super) fn begin_giving(&mut self) {
        self.giving = Arc::new(std::mem::take(&mut self.safe));
        self.safe_bytes = 0;
    }

    /// The engine has all that it was given.
    pub(super) fn end_giving(&mut self) {
        self.giving = Arc::default();
        self.given += 1;
    }

    /// Adds the changes of a transaction.
    pub(super) fn add(&mut self, changes: Changes, growth: u64) {
        self.keep_for_snapshots(&changes);
        self.open.extend(changes);
        self.sum = self.sum.wrapping_add(growth);
    }

    /// Adds a change to a record that is the table's own.
    pub(super) fn put_own<R: Record>(&mut self, key: &[u8], new: &R) -> Result<(), StoreError> {
        let new = encode(new)?;
        let loss = self.look(key, |old| old.map_or(0, |old| digest(key, old)))?;
        let growth = digest(key, &new).wrapping_sub(loss);
        self.add(Changes::from([(key.to_vec(), Some(new))]), growth);
        Ok(())
    }

    /// The generation that readers see.
    pub(super) fn generation(&self) -> Result<u64, StoreError> {
        Ok(self.look(key::GENERATION, |bytes| bytes.map(decode).transpose())??.unwrap_or(0))
    }

    /// Lets those who read a snapshot remember the records that are about to be changed.
    fn keep_for_snapshots(&mut self, changes: &Changes) {
        self.snapshots.retain(|images| images.strong_count() > 0);
        for images in self.snapshots.iter().filter_map(Weak::upgrade) {
            let mut images = lock(&images);
            for key in changes.keys() {
                images.keep(key, || self.current(key));
            }
        }
    }
}

/// Shows `see` the records of the engine with the changes that it does not have yet, in the order of their keys, until it breaks off.
pub(super) fn merge<'c>(
    rows: Rows<'_>,
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
