//! Badges: what a persona was honoured for. They go with it.

use super::city_key as key;
use super::error::StoreError;
use super::handle::Store;
use super::key::persona as persona_key;
use super::records::contest::{Badge, BadgeKind, Badges};
use super::table::Transaction;
use crate::clock::Now;
use mco_proto::ids::PersonaId;

/// How many a persona keeps. For one more the oldest goes.
const MOST_BADGES: usize = 50;
/// The longest text, in characters.
const LONGEST: usize = 60;

impl Store {
    /// The badges of a persona, the oldest first.
    pub fn badges(&self, of: PersonaId) -> Result<Vec<Badge>, StoreError> {
        Ok(self.table().get::<Badges>(&key::badges(of))?.unwrap_or_default().all)
    }
}

/// Gives one. To a persona that does not exist nothing is given.
pub(super) fn give(
    tx: &Transaction<'_>,
    to: PersonaId,
    kind: BadgeKind,
    text: &str,
    now: Now,
) -> Result<(), StoreError> {
    if !tx.has(&persona_key(to))? {
        return Ok(());
    }
    let mut badges: Badges = tx.get(&key::badges(to))?.unwrap_or_default();
    badges.all.push(Badge { kind, text: text.chars().take(LONGEST).collect(), at: now.unix32() });
    badges.all.drain(..badges.all.len().saturating_sub(MOST_BADGES));
    tx.put(&key::badges(to), &badges)
}
