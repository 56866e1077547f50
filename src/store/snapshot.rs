//! All records as they were at one moment, read piece by piece while changes go on.
//!
//! The engine is read while nothing is locked, since a page may have to come from the card first. What it does not have yet is added under
//! the lock of the state, which takes as long as there are such records. In between the engine may have been given some of them, so that
//! they are found in neither: then the piece is read once more.

use super::error::StoreError;
use super::journal::Changes;
use super::pre_images::PreImages;
use super::record::Row;
use super::table::Table;
use super::ticket::lock;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex};

/// How much is read at once, in bytes of keys and records: so much from the engine, and so much that it does not have yet.
const PIECE: usize = 32 * 1024;
/// How often a piece is read at most. The last time the engine gets nothing meanwhile.
const TRIES: u32 = 3;

/// All records as they were between two changes, in the order of their keys: an iterator over pieces of some tens of KiB.
/// Whoever changes a record meanwhile waits for none of them.
///
/// The generation and the sum among the records are those of that moment.
#[derive(Debug)]
pub(super) struct Snapshot {
    table: Arc<Table>,
    state: Arc<Mutex<PreImages>>,
    generation: u64,
    ended: bool,
}

impl Snapshot {
    /// Takes one of the table as it is now.
    pub(super) fn take(table: &Arc<Table>) -> Result<Self, StoreError> {
        let (generation, state) = table.begin_snapshot()?;
        Ok(Self { table: Arc::clone(table), state, generation, ended: false })
    }

    /// The generation among its records: how many backups had been written.
    pub(super) const fn generation(&self) -> u64 {
        self.generation
    }

    /// Reads the next piece, and says whether it was the last one. `meanwhile` is called when the engine was read and nothing is locked.
    fn read(&self, mut meanwhile: impl FnMut()) -> Result<(Vec<Row>, bool), StoreError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let before = self.table.state();
            let (engine, given) = (Arc::clone(before.engine()?), before.given);
            let from = lock(&self.state).rest()?.map(<[u8]>::to_vec);
            let from = from.as_ref().map(Vec::as_slice);
            let before = (tries == TRIES).then_some(before);
            let (rows, all) = engine.piece(from, PIECE)?;
            drop(engine);
            let mut end = if all { None } else { rows.last().map(|(key, _)| key.clone()) };
            let mut rows: BTreeMap<_, _> = rows.into_iter().collect();
            let state = before.unwrap_or_else(|| {
                meanwhile();
                self.table.state()
            });
            if state.given != given {
                continue;
            }
            let mut newer = Changes::new();
            let mut size = 0;
            let to = end.as_deref().map_or(Bound::Unbounded, Bound::Included);
            for (key, change) in state.changes((from, to)) {
                size += key.len() + change.as_ref().map_or(0, Vec::len);
                newer.insert(key.clone(), change.clone());
                if size >= PIECE {
                    end = Some(key.clone());
                    break;
                }
            }
            drop(state);
            if let Some(end) = &end {
                rows.retain(|key, _| key <= end);
            }
            for (key, change) in newer {
                match change {
                    Some(value) => rows.insert(key, value),
                    None => rows.remove(&key),
                };
            }
            let mut images = lock(&self.state);
            // It may be lost since, and what was read with it.
            images.rest()?;
            let ended = end.is_none();
            images.restore(&mut rows, end);
            return Ok((rows.into_iter().collect(), ended));
        }
    }
}

impl Iterator for Snapshot {
    type Item = Result<Vec<Row>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.read(|| ()) {
            Ok((rows, ended)) => {
                self.ended = ended;
                Some(Ok(rows))
            }
            Err(error) => {
                self.ended = true;
                Some(Err(error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn rows(range: std::ops::Range<u32>, text: &str) -> Vec<Row> {
        range.map(|number| (format!("p{number:05}").into_bytes(), text.as_bytes().to_vec())).collect()
    }

    /// A table in which the engine has these records.
    fn table(dir: &TempDir, rows: &[Row]) -> Arc<Table> {
        let table = Table::open(dir.path()).unwrap();
        table.fill(rows).unwrap();
        table.sync().unwrap();
        Arc::new(table)
    }

    /// All records of a snapshot but for the sum, while in each piece something else happens.
    fn read(snapshot: &mut Snapshot, mut meanwhile: impl FnMut()) -> Vec<Row> {
        let mut all = Vec::new();
        while !snapshot.ended {
            let (rows, ended) = snapshot.read(&mut meanwhile).unwrap();
            let size: usize = rows.iter().map(|(key, value)| key.len() + value.len()).sum();
            assert!(size < 3 * PIECE, "{size}");
            all.extend(rows);
            snapshot.ended = ended;
        }
        all.retain(|(key, _)| key.first() == Some(&b'p'));
        all
    }

    #[test]
    fn what_the_engine_is_given_while_a_piece_is_read_is_in_it() {
        let dir = TempDir::new().unwrap();
        let old = rows(0..2000, "as the engine has it, long enough for several pieces");
        let table = table(&dir, &old);
        let waits = rows(1000..3000, "what waits for the engine, when the snapshot is taken");
        table.fill(&waits).unwrap();
        let mut snapshot = Snapshot::take(&table).unwrap();
        let found = read(&mut snapshot, || table.sync().unwrap());
        assert!(found == [&old[..1000], &waits].concat(), "{} records", found.len());
    }

    #[test]
    fn what_is_changed_while_a_piece_is_read_is_not_in_it_and_it_ends_though_the_engine_is_given_something_each_time()
     {
        let dir = TempDir::new().unwrap();
        let old = rows(0..3000, "as it was when the snapshot was taken");
        let table = table(&dir, &old);
        let mut snapshot = Snapshot::take(&table).unwrap();
        let mut times = 0_u32;
        let found = read(&mut snapshot, || {
            times += 1;
            let at = times * 7 % 3000;
            table.fill(&rows(at..at + 400, &format!("changed {times}"))).unwrap();
            table.transact(|tx| tx.remove(format!("p{:05}", at / 2).as_bytes())).unwrap();
            table.sync().unwrap();
        });
        assert!(found == old, "{} records", found.len());
        assert!(times > 4, "{times}");
    }

    #[test]
    fn much_that_waits_for_the_engine_comes_in_pieces() {
        let dir = TempDir::new().unwrap();
        let table = table(&dir, &rows(0..1, "first"));
        let waits = rows(1..8000, "it waits, and lies between two records of the engine");
        table.fill(&waits).unwrap();
        let found = read(&mut Snapshot::take(&table).unwrap(), || ());
        assert!(found == [rows(0..1, "first"), waits].concat(), "{} records", found.len());
    }

    #[test]
    fn what_was_read_of_a_snapshot_that_is_lost_meanwhile_is_not_used() {
        let dir = TempDir::new().unwrap();
        let table = table(&dir, &rows(0..9, "a record"));
        let snapshot = Snapshot::take(&table).unwrap();
        let lost = snapshot.read(|| lock(&snapshot.state).fail(StoreError::SnapshotLost));
        assert_eq!(lost, Err(StoreError::SnapshotLost));
    }
}
