//! The week up to which a persona was paid its salary.

use super::error::StoreError;
use super::key;
use super::mail::CLOCK_IS_SET;
use super::table::Transaction;
use crate::clock::{self, Now};
use mco_proto::ids::PersonaId;

/// Notes that a new persona earns its salary from this week on, in the same transaction that creates it.
pub(super) fn begin(tx: &Transaction<'_>, id: PersonaId, now: Now) -> Result<(), StoreError> {
    match week(now) {
        Some(week) => tx.put(&key::paid_week(id), &week),
        None => Ok(()),
    }
}

/// The week that `now` is in; `None` as long as nobody has set the clock.
pub(super) fn week(now: Now) -> Option<u32> {
    (now.unix >= CLOCK_IS_SET.into()).then(|| clock::week(now.unix))
}
