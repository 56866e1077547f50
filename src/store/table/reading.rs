//! How the records of a table are read.

use super::Table;
use crate::store::error::StoreError;
use crate::store::record::{Record, decode, decode_front};
use crate::store::view::{View, merge};
use serde::de::DeserializeOwned;
use std::ops::{Bound, ControlFlow};
use std::sync::atomic::Ordering;
use std::sync::{Arc, RwLockReadGuard};
use std::thread;
use std::time::Duration;

/// How often a record is looked for while nothing is locked, before changes wait for that.
const LOOKS: u32 = 3;
/// For how long readers wait who do: a minute in all.
const READ_TRIES: u32 = 3000;
const READ_PAUSE: Duration = Duration::from_millis(20);

impl Table {
    /// The state for somebody who reads records.
    fn for_reading(&self) -> RwLockReadGuard<'_, View> {
        for _ in 0..READ_TRIES {
            let state = self.state();
            if state.engine.is_some() || !self.readers_wait.load(Ordering::Relaxed) {
                return state;
            }
            drop(state);
            thread::sleep(READ_PAUSE);
        }
        self.state()
    }

    /// Shows `see` the record of a key as it is now.
    pub(super) fn look<T>(&self, key: &[u8], see: impl FnOnce(Option<&[u8]>) -> T) -> Result<T, StoreError> {
        self.look_while(key, see, || ())
    }

    /// The same. The engine is read while nothing is locked, since a page may have to come from the card; then `meanwhile` is called.
    fn look_while<T>(
        &self,
        key: &[u8],
        see: impl FnOnce(Option<&[u8]>) -> T,
        mut meanwhile: impl FnMut(),
    ) -> Result<T, StoreError> {
        for _ in 0..LOOKS {
            let state = self.for_reading();
            if state.change(key).is_some() {
                return state.look(key, see);
            }
            let (engine, given) = (Arc::clone(state.engine()?), state.given);
            drop(state);
            let found = engine.get(key)?;
            drop(engine);
            meanwhile();
            let state = self.state();
            // Else it was changed, and the engine may have been in the middle of being given that.
            if state.given == given && state.change(key).is_none() {
                drop(state);
                return Ok(see(found.as_deref()));
            }
        }
        self.for_reading().look(key, see)
    }

    /// Shows `see` all records whose key begins so, as they are now, in the order of their keys.
    pub(in crate::store) fn walk(
        &self,
        prefix: &[u8],
        mut see: impl FnMut(&[u8], &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let state = self.for_reading();
        let changes = state.changes((Bound::Included(prefix), Bound::Unbounded));
        let changes = changes.take_while(|(key, _)| key.starts_with(prefix));
        let see = |key: &[u8], value: &[u8]| see(key, value).map(ControlFlow::Continue);
        merge(state.engine()?.with_prefix(prefix)?, changes, see).map(|_| ())
    }

    pub(in crate::store) fn get<R: Record>(&self, key: &[u8]) -> Result<Option<R>, StoreError> {
        self.look(key, |bytes| bytes.map(decode).transpose())?
    }

    /// All records whose key begins so, in the order of their keys.
    pub(in crate::store) fn scan<R: Record>(&self, prefix: &[u8]) -> Result<Vec<R>, StoreError> {
        let mut records = Vec::new();
        self.walk(prefix, |_, value| {
            records.push(decode(value)?);
            Ok(())
        })?;
        Ok(records)
    }

    /// The same, but only their first fields.
    pub(in crate::store) fn scan_fronts<R: Record, F: DeserializeOwned + From<R>>(
        &self,
        prefix: &[u8],
    ) -> Result<Vec<F>, StoreError> {
        let mut fronts = Vec::new();
        self.walk(prefix, |_, value| {
            fronts.push(decode_front::<R, F>(value)?);
            Ok(())
        })?;
        Ok(fronts)
    }

    /// All records whose key begins so, with their keys.
    pub(in crate::store) fn scan_rows<R: Record>(
        &self,
        prefix: &[u8],
    ) -> Result<Vec<(Vec<u8>, R)>, StoreError> {
        let mut rows = Vec::new();
        self.walk(prefix, |key, value| {
            rows.push((key.to_vec(), decode(value)?));
            Ok(())
        })?;
        Ok(rows)
    }

    /// The first `most` records whose key begins with `prefix` and goes on with `rest` or what sorts behind it, with their keys.
    pub(in crate::store) fn scan_from<R: Record>(
        &self,
        prefix: &[u8],
        rest: &[u8],
        most: usize,
    ) -> Result<Vec<(Vec<u8>, R)>, StoreError> {
        let from = [prefix, rest].concat();
        let from = (Bound::Included(from.as_slice()), Bound::Unbounded);
        let state = self.for_reading();
        let mut rows = Vec::new();
        let ended = merge(state.engine()?.range(from.0)?, state.changes(from), |key, value| {
            if rows.len() >= most || !key.starts_with(prefix) {
                return Ok(ControlFlow::Break(()));
            }
            rows.push((key.to_vec(), decode(value)?));
            Ok(ControlFlow::Continue(()))
        });
        ended.map(|_| rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    #[test]
    fn what_is_changed_while_a_record_is_looked_for_is_found_though_it_is_changed_each_time() {
        let dir = TempDir::new().unwrap();
        let table = Table::open(dir.path()).unwrap();
        let number = |bytes: Option<&[u8]>| bytes.and_then(|bytes| bytes.first().copied());
        assert_eq!(table.look(b"p1", number), Ok(None));
        let mut times = 0;
        let found = table.look_while(b"p1", number, || {
            times += 1;
            table.fill(&[(b"p1".to_vec(), vec![times])]).unwrap();
            // The engine has it then, and nothing else.
            table.sync().unwrap();
        });
        assert_eq!((found, u32::from(times)), (Ok(Some(3)), LOOKS));
    }

    #[test]
    fn a_change_that_waits_is_found_before_what_the_engine_has() {
        let dir = TempDir::new().unwrap();
        let table = Table::open(dir.path()).unwrap();
        table.fill(&[(b"p1".to_vec(), vec![1])]).unwrap();
        table.sync().unwrap();
        let number = |bytes: Option<&[u8]>| bytes.and_then(|bytes| bytes.first().copied());
        let mut times = 0;
        let found = table.look_while(b"p1", number, || {
            times += 1;
            table.transact(|tx| tx.remove(b"p1")).unwrap();
        });
        assert_eq!((found, times), (Ok(None), 1));
    }
}
