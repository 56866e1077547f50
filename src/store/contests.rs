//! What a settled race counts for beside its own result: the week, the clubs, the turfs and the race nights that run. All of it in the
//! change that settles the race.

use super::clubs;
use super::error::StoreError;
use super::nights;
use super::records::night::Night;
use super::records::result::RaceResult;
use super::table::{Table, Transaction};
use super::turfs;
use super::weekly;
use crate::clock::Now;

/// The race nights for which a race may count, looked up before the change.
pub(super) fn open_nights(table: &Table) -> Result<Vec<Night>, StoreError> {
    nights::open(table)
}

/// Counts a race.
pub(super) fn note(
    tx: &Transaction<'_>,
    nights: &[Night],
    result: &RaceResult,
    now: Now,
) -> Result<(), StoreError> {
    weekly::note(tx, result, now)?;
    clubs::note(tx, result)?;
    turfs::note(tx, result, now)?;
    nights::note(tx, nights, result, now)
}
