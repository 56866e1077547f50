//! All records as they were at one moment, read piece by piece while changes go on.

use super::error::StoreError;
use super::pre_images::PreImages;
use super::record::Row;
use super::table::Table;
use std::sync::{Arc, Mutex};

/// All records as they were between two changes, in the order of their keys: an iterator over pieces of some tens of KiB.
/// Whoever changes a record waits for one piece at most.
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
}

impl Iterator for Snapshot {
    type Item = Result<Vec<Row>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.table.read_snapshot(&self.state) {
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
