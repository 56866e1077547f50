//! Results that were not counted: what the Server Operator sees of them, and the one mail that the racer gets.

use super::error::StoreError;
use super::handle::Store;
use super::key;
use super::mail::{self, Letter};
use super::records::race::UncountedResults;
use super::table::Transaction;
use crate::clock::Now;
use mco_proto::ids::{PersonaId, RaceId};

/// For how long results are counted together, in seconds: 7 days. In this time a racer gets one mail about all of them.
const TOGETHER: u32 = 7 * 24 * 60 * 60;

/// A result that is not counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uncounted {
    /// Whose.
    pub persona: PersonaId,
    /// The time that was reported, in ticks of 1/64 s.
    pub time: u32,
    /// Why it is not counted, in a few words.
    pub why: String,
    /// The mail to the racer.
    pub letter: Letter,
}

impl Store {
    /// The results of the last 7 days that were not counted, by persona.
    pub fn uncounted_results(&self, now: Now) -> Result<Vec<UncountedResults>, StoreError> {
        let mut all = self.table().scan::<UncountedResults>(key::UNCOUNTED)?;
        all.retain(|results| is_recent(results, now));
        Ok(all)
    }
}

/// Keeps such a result, in the same change that ends its race. There is one record for each persona, however often it tries.
pub(super) fn note(
    tx: &Transaction<'_>,
    race: RaceId,
    result: &Uncounted,
    now: Now,
) -> Result<(), StoreError> {
    let Uncounted { persona, time, why, letter } = result;
    if !tx.has(&key::persona(*persona))? {
        return Ok(());
    }
    let before: Option<UncountedResults> = tx.get(&key::uncounted(*persona))?;
    let before = before.filter(|results| is_recent(results, now));
    if before.is_none() {
        mail::post(tx, *persona, letter, now)?;
    }
    let (count, first) = before.map_or((0, now.unix32()), |results| (results.count, results.first));
    let results = UncountedResults {
        persona: *persona,
        count: count.saturating_add(1),
        first,
        last: now.unix32(),
        race,
        time: *time,
        why: why.clone(),
    };
    tx.put(&key::uncounted(*persona), &results)
}

fn is_recent(results: &UncountedResults, now: Now) -> bool {
    now.unix32().saturating_sub(results.first) < TOGETHER
}
