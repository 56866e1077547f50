//! The city's clock, by which deals end: it runs like the Server's clock, but does not leap with it.
//!
//! The clock of a board without a battery is wrong until somebody sets it. If deals ended by it, a leap of some days would end all
//! auctions at once. So while the process runs, the city's clock goes by the clock that never leaps. When the store is opened it goes on
//! from where it was when something last happened, by as much as the Server's clock has gone on since; not at all if that went back.
//! What is noted of both is noted anew whenever a deal changes, and when the Server's clock is found to have leapt.
//!
//! So a leap, to and fro or for good, ends nothing early; time in which the server is off counts, unless the clock is behind when it
//! starts; time in which the machine sleeps does not count. Only a clock that is far ahead when the server *starts* ends deals early.

use super::Deals;
use crate::clock::Now;
use crate::store::deal_key;
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::records::deal::CityClock;
use crate::store::table::{Table, Transaction};
use crate::store::ticket::{Changed, lock};

/// By how many seconds the clocks may drift apart before that is noted.
const DRIFT: u32 = 60;

/// How late it is by the city's clock.
pub(super) fn city_time(store: &Store, now: Now) -> Result<u32, StoreError> {
    let mut anchor = lock(&store.inner.city_clock);
    let (since, city) = if let Some(known) = *anchor {
        known
    } else {
        let noted: Option<CityClock> = store.table().get(deal_key::CLOCK)?;
        let now_by = |noted: CityClock| noted.city.saturating_add(now.unix32().saturating_sub(noted.unix));
        *anchor.insert((now.mono, noted.map_or(now.unix32(), now_by)))
    };
    let passed = u32::try_from(now.since(since).as_secs()).unwrap_or(u32::MAX);
    Ok(city.saturating_add(passed))
}

/// Notes how late it is, in the transaction that changes a deal.
pub(super) fn note(tx: &Transaction<'_>, city: u32, now: Now) -> Result<(), StoreError> {
    tx.put(deal_key::CLOCK, &CityClock { city, unix: now.unix32() })
}

/// Whether the Server's clock has leapt since something was noted.
fn has_leapt(table: &Table, city: u32, now: Now) -> Result<bool, StoreError> {
    let Some(noted) = table.get::<CityClock>(deal_key::CLOCK)? else { return Ok(false) };
    let expected = noted.unix.saturating_add(city.saturating_sub(noted.city));
    Ok(expected.abs_diff(now.unix32()) > DRIFT)
}

impl Deals<'_> {
    /// How late it is by the city's clock, in seconds.
    pub fn city_time(&self, now: Now) -> Result<u32, StoreError> {
        city_time(self.store, now)
    }

    /// The moment of the city's clock by the Server's, in seconds since 1970: the same as long as nothing happens.
    pub fn moment(&self, city: u32) -> Result<u64, StoreError> {
        let noted: Option<CityClock> = self.store.table().get(deal_key::CLOCK)?;
        Ok(noted.map_or(city.into(), |noted| {
            (u64::from(noted.unix) + u64::from(city)).saturating_sub(noted.city.into())
        }))
    }

    /// Notes a leap of the Server's clock, so that it does not count when the store is opened the next time. `None`: there was none.
    pub(super) fn note_leap(&self, now: Now) -> Result<Option<Changed<()>>, StoreError> {
        let city = city_time(self.store, now)?;
        if !has_leapt(self.store.table(), city, now)? {
            return Ok(None);
        }
        self.store.change(|table| table.transact(|tx| note(tx, city, now))).map(Some)
    }
}
