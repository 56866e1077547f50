//! The week up to which a persona was paid its salary.

use super::error::StoreError;
use super::mail::CLOCK_IS_SET;
use super::table::Transaction;
use super::{key, unix_seconds};
use crate::clock;
use mco_proto::ids::PersonaId;

/// Notes that a new persona earns its salary from this week on, in the same transaction that creates it.
pub(super) fn begin(tx: &Transaction<'_>, id: PersonaId) -> Result<(), StoreError> {
    match week(unix_seconds()) {
        Some(week) => tx.put(&key::paid_week(id), &week),
        None => Ok(()),
    }
}

/// The week of a moment in seconds since 1970; `None` as long as nobody has set the clock.
pub(super) fn week(now: u64) -> Option<u32> {
    (now >= CLOCK_IS_SET.into()).then(|| clock::week(now))
}
