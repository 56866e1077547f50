//! Muting: who is muted can neither trade with the one who did it nor write to it (*documented*).

use super::{DealError, Deals, MOST_MUTED};
use crate::store::deal_key;
use crate::store::error::StoreError;
use crate::store::key;
use crate::store::records::deal::Muted;
use crate::store::table::Transaction;
use crate::store::ticket::Changed;
use mco_proto::ids::PersonaId;

/// Whether one of two has muted the other.
pub(super) fn between(tx: &Transaction<'_>, one: PersonaId, other: PersonaId) -> Result<bool, StoreError> {
    for (by, whom) in [(one, other), (other, one)] {
        let muted: Option<Muted> = tx.get(&deal_key::muted_by(by))?;
        if muted.is_some_and(|muted| muted.personas.contains(&whom)) {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Deals<'_> {
    /// Whom a persona has muted, the first first.
    pub fn muted_by(&self, persona: PersonaId) -> Result<Vec<PersonaId>, StoreError> {
        let muted: Option<Muted> = self.store.table().get(&deal_key::muted_by(persona))?;
        Ok(muted.unwrap_or_default().personas)
    }

    /// Mutes somebody, or ends that.
    ///
    /// # Errors
    /// [`DealError::NoSuchPersona`], [`DealError::TooMany`].
    pub fn mute(&self, by: PersonaId, whom: PersonaId, muted: bool) -> Result<Changed<()>, DealError> {
        self.store.change(|table| {
            table.transact(|tx| {
                if by == whom || !tx.has(&key::persona(by))? || muted && !tx.has(&key::persona(whom))? {
                    return Err(DealError::NoSuchPersona);
                }
                let mut list: Muted = tx.get(&deal_key::muted_by(by))?.unwrap_or_default();
                list.personas.retain(|known| *known != whom);
                if muted {
                    list.personas.push(whom);
                }
                if list.personas.len() > MOST_MUTED {
                    return Err(DealError::TooMany("muted drivers"));
                }
                Ok(tx.put(&deal_key::muted_by(by), &list)?)
            })
        })
    }
}
