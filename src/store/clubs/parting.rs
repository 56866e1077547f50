//! How a club goes on when somebody parts from it, and how it ends.

use super::{membership, tell};
use crate::clock::Now;
use crate::store::city_key as key;
use crate::store::error::StoreError;
use crate::store::key::persona as persona_key;
use crate::store::records::club::{Club, Membership, Rank};
use crate::store::records::persona::PersonaRecord;
use crate::store::table::{Table, Transaction};
use mco_proto::ids::PersonaId;

/// Takes a member out. The caller puts the club, unless nobody is left in it. `by_choice`: it has to wait until it may be in another one.
pub(super) fn part(
    tx: &Transaction<'_>,
    club: &mut Club,
    who: PersonaId,
    by_choice: bool,
    now: Now,
) -> Result<(), StoreError> {
    let rank = club.rank(who);
    club.members.retain(|member| member.persona != who);
    let before = membership(tx, who)?;
    let left = if by_choice { now.unix32() } else { before.left };
    tx.put(&key::membership(who), &Membership { club: 0, left })?;
    if club.members.is_empty() {
        return disband(tx, club);
    }
    if rank == Some(Rank::Captain) { succeed(tx, club, who, now) } else { Ok(()) }
}

/// Makes the officer who joined first the Captain, or else the member, and tells everybody (*documented*: by mail).
fn succeed(tx: &Transaction<'_>, club: &mut Club, gone: PersonaId, now: Now) -> Result<(), StoreError> {
    let officer = club.members.iter().position(|member| member.rank == Rank::Officer);
    let Some(next) = club.members.get_mut(officer.unwrap_or_default()) else { return Ok(()) };
    next.rank = Rank::Captain;
    let next = next.persona;
    let name = |id| {
        Ok::<_, StoreError>(tx.get::<PersonaRecord>(&persona_key(id))?.map(|record| record.persona.name))
    };
    let (gone, next) = (name(gone)?.unwrap_or_default(), name(next)?.unwrap_or_default());
    let text = format!("{gone} has left {} [{}]. The Captain is {next} now.", club.name, club.acronym);
    tell(tx, club, "A new Captain", &text, now)
}

/// Ends a club: nobody is in it any more.
pub(super) fn disband(tx: &Transaction<'_>, club: &mut Club) -> Result<(), StoreError> {
    for member in club.members.drain(..) {
        let before = membership(tx, member.persona)?;
        tx.put(&key::membership(member.persona), &Membership { club: 0, ..before })?;
    }
    tx.remove(&key::club_totals(club.id))?;
    tx.remove(&key::club(club.id))
}

/// The clubs that know a persona: as a member, invited or asking.
pub(in crate::store) struct Mentions(Vec<u32>);

impl Mentions {
    /// Finds them, while nobody else changes anything.
    pub(in crate::store) fn find(table: &Table, of: PersonaId) -> Result<Self, StoreError> {
        let clubs = super::all(table)?.into_iter();
        let known = clubs.filter(|club| {
            club.rank(of).is_some() || club.invited.contains(&of) || club.asking.contains(&of)
        });
        Ok(Self(known.map(|club| club.id).collect()))
    }

    /// Takes a persona that is deleted out of them.
    pub(in crate::store) fn forget(
        &self,
        tx: &Transaction<'_>,
        who: PersonaId,
        now: Now,
    ) -> Result<(), StoreError> {
        for id in &self.0 {
            // The club may have ended with another persona of the same account.
            let Some(mut club) = tx.get::<Club>(&key::club(*id))? else { continue };
            club.invited.retain(|other| *other != who);
            club.asking.retain(|other| *other != who);
            if club.rank(who).is_some() {
                part(tx, &mut club, who, false, now)?;
            }
            if !club.members.is_empty() {
                tx.put(&key::club(*id), &club)?;
            }
        }
        tx.remove(&key::membership(who))
    }
}
