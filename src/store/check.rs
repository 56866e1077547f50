//! The check of all records while players sign in.
//!
//! The engine notices a page that is wrong when it reads it, but it may silently leave out a write in the middle of a damaged log. Only
//! the sum over all records tells, and that takes as long as there are records. So the server does not wait for it:
//! readers see what there is, changes are made in memory, and nothing is made safe, nor anybody told of it, before the sum is right.
//! If it is not, all that is taken back, and the database is built again from backup and journal.

use super::error::StoreError;
use super::key;
use super::record::{decode, digest};
use super::records;
use super::snapshot::Snapshot;
use super::table::Table;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// A check that is about to begin.
#[derive(Debug)]
pub(super) struct Check {
    snapshot: Snapshot,
    began: Instant,
}

impl Check {
    /// A check of the table as it is now.
    pub(super) fn of(table: &Arc<Table>) -> Result<Self, StoreError> {
        Ok(Self { snapshot: Snapshot::take(table)?, began: Instant::now() })
    }

    /// Reads all records, unless it is told to give up.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn run(self, given_up: &AtomicBool) -> Result<(), StoreError> {
        log::info!(
            "the database is being checked; meanwhile players can sign in, and changes are saved when that is done"
        );
        let (mut found, mut stored, mut count) = (0_u64, 0_u64, 0_u64);
        for rows in self.snapshot {
            if given_up.load(Ordering::Relaxed) {
                return Err(StoreError::Unchecked);
            }
            for (key, value) in rows? {
                records::check(&key, &value)?;
                count += 1;
                if key == key::SUM {
                    stored = decode(&value)?;
                } else {
                    found = found.wrapping_add(digest(&key, &value));
                }
            }
        }
        if found != stored {
            return Err(StoreError::Damaged { what: "set of records" });
        }
        log::info!("the database is sound: {count} records in {:.1} s", self.began.elapsed().as_secs_f32());
        Ok(())
    }
}
