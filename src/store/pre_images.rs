//! What a snapshot of the table has to remember while changes go on: the records that were changed before the snapshot
//! was read so far, as they were when it was taken.
//!
//! A snapshot is read once, in the order of the keys. So of a record that is changed, the old value is kept if its key lies
//! behind the place that was reached; what lies before it has been read already. That is a fraction of the store, where
//! a copy would be all of it.

use super::error::StoreError;
use super::record::Row;
use std::collections::BTreeMap;
use std::mem::take;
use std::ops::Bound;

/// The most that one snapshot may remember, in bytes of keys and records. Who reads slower than others change this much
/// (a disk that hangs, most likely) loses the snapshot; changes never wait, and memory stays bounded.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// The state of one snapshot.
#[derive(Debug)]
pub(super) struct PreImages {
    /// The last key that was read; `None`: none yet.
    read_to: Option<Vec<u8>>,
    /// The old records of keys behind it that were changed since; `None`: there was none of that key.
    records: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    bytes: usize,
    /// Why the snapshot cannot be read to its end, once it cannot.
    failed: Option<StoreError>,
}

impl PreImages {
    /// Of a snapshot that is taken now and in which `different` differs from what lies in the table.
    pub(super) fn new(different: impl IntoIterator<Item = Row>) -> Self {
        let records = different.into_iter().map(|(key, value)| (key, Some(value))).collect();
        Self { read_to: None, records, bytes: 0, failed: None }
    }

    /// Where to read on: behind this bound.
    ///
    /// # Errors
    /// Why the snapshot is lost, if it is.
    pub(super) fn rest(&self) -> Result<Bound<&[u8]>, StoreError> {
        match (&self.failed, &self.read_to) {
            (Some(error), _) => Err(error.clone()),
            (None, Some(key)) => Ok(Bound::Excluded(key)),
            (None, None) => Ok(Bound::Unbounded),
        }
    }

    /// Remembers the record of a key that is about to be changed, unless it was read or changed before.
    pub(super) fn keep(&mut self, key: &[u8], old: impl FnOnce() -> Result<Option<Vec<u8>>, StoreError>) {
        let was_read = self.read_to.as_deref().is_some_and(|read_to| key <= read_to);
        if self.failed.is_some() || was_read || self.records.contains_key(key) {
            return;
        }
        match old() {
            Ok(old) => {
                self.bytes += key.len() + old.as_ref().map_or(0, Vec::len);
                self.records.insert(key.to_vec(), old);
                if self.bytes > MOST_BYTES {
                    self.fail(StoreError::SnapshotLost);
                }
            }
            Err(error) => self.fail(error),
        }
    }

    /// Makes of `rows`, which were read just now from where [`Self::rest`] says to the key `end` (`None`: to the end of the
    /// table), what they were when the snapshot was taken, and goes on behind them.
    pub(super) fn restore(&mut self, rows: &mut BTreeMap<Vec<u8>, Vec<u8>>, end: Option<Vec<u8>>) {
        let behind = match &end {
            Some(end) => {
                let mut behind = self.records.split_off(end.as_slice());
                // The end itself belongs to what was read.
                if let Some((key, old)) = behind.remove_entry(end.as_slice()) {
                    self.records.insert(key, old);
                }
                behind
            }
            None => BTreeMap::new(),
        };
        for (key, old) in std::mem::replace(&mut self.records, behind) {
            self.bytes = self.bytes.saturating_sub(key.len() + old.as_ref().map_or(0, Vec::len));
            match old {
                Some(old) => rows.insert(key, old),
                None => rows.remove(&key),
            };
        }
        if end.is_some() {
            self.read_to = end;
        }
    }

    /// Ends the snapshot.
    pub(super) fn fail(&mut self, error: StoreError) {
        self.failed = Some(error);
        drop(take(&mut self.records));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: &str, value: &str) -> Row {
        (key.into(), value.into())
    }

    fn kept(images: &mut PreImages, key: &str, old: Option<&str>) {
        images.keep(key.as_bytes(), || Ok(old.map(|old| old.as_bytes().to_vec())));
    }

    #[test]
    fn rows_become_what_they_were_and_what_was_read_is_forgotten() {
        let mut images = PreImages::new([row("s", "sum")]);
        kept(&mut images, "a", Some("old a"));
        kept(&mut images, "a", Some("newer a"));
        kept(&mut images, "b", None);
        kept(&mut images, "c", Some("old c"));
        kept(&mut images, "d", Some("removed d"));
        let mut rows = BTreeMap::from([row("a", "new a"), row("b", "new b"), row("c", "new c")]);
        images.restore(&mut rows, Some(b"c".to_vec()));
        assert_eq!(rows, BTreeMap::from([row("a", "old a"), row("c", "old c")]));
        assert_eq!(images.rest(), Ok(Bound::Excluded(&b"c"[..])));

        kept(&mut images, "a", Some("not wanted any more"));
        kept(&mut images, "c", Some("not wanted any more"));
        let mut rows = BTreeMap::from([row("e", "e"), row("s", "another sum")]);
        images.restore(&mut rows, None);
        assert_eq!(rows, BTreeMap::from([row("d", "removed d"), row("e", "e"), row("s", "sum")]));
        assert!(images.records.is_empty());
    }

    #[test]
    fn memory_is_bounded_and_who_is_too_slow_is_told() {
        let mut images = PreImages::new([]);
        let record = "x".repeat(7000);
        for number in 0..10_000 {
            kept(&mut images, &format!("{number:05}"), Some(&record));
            assert!(images.bytes <= MOST_BYTES + record.len() + 5);
        }
        assert_eq!(images.rest(), Err(StoreError::SnapshotLost));
        assert!(images.records.is_empty());
    }
}
