//! Registering for a race night and withdrawing from it.

use super::{Nights, open};
use crate::clock::Now;
use crate::store::city_key as key;
use crate::store::deals::party;
use crate::store::error::StoreError;
use crate::store::key::persona as persona_key;
use crate::store::ledger::{self, Entry};
use crate::store::records::ledger::Kind;
use crate::store::records::night::{Night, NightEntry};
use crate::store::records::persona::PersonaRecord;
use crate::store::refused::{CityError, ensure};
use crate::store::table::{Table, Transaction};
use crate::store::ticket::Changed;
use mco_proto::ids::PersonaId;

impl Nights<'_> {
    /// Registers a persona, which pays the fee. It can until the race night is over; races count from then on.
    pub fn register(&self, night: u32, who: PersonaId, now: Now) -> Result<Changed<()>, CityError> {
        self.store.change(|table| {
            table.transact(|tx| {
                let mut night = open_one(tx, night)?;
                let mut record = party(tx, who, now)?;
                let plan = &night.plan;
                ensure(now.unix < plan.end.into(), "this race night is over")?;
                let registered = night.entries.iter().any(|entry| entry.persona == who);
                ensure(!registered, "your driver is registered already")?;
                for entry in &night.entries {
                    let other: Option<PersonaRecord> = tx.get(&persona_key(entry.persona))?;
                    let same =
                        other.is_some_and(|other| other.persona.customer_id == record.persona.customer_id);
                    ensure(!same, "another driver of your account is registered: withdraw that one first")?;
                }
                ensure(
                    night.entries.len() < plan.most.into(),
                    "all places are taken: ask the host for more",
                )?;
                let (least, most) = plan.levels;
                let level = record.persona.level;
                ensure(
                    level >= least,
                    "your driver's level is too low for this race night: win some races first",
                )?;
                ensure(most == 0 || level <= most, "your driver's level is too high for this race night")?;
                if plan.fee > 0 {
                    let amount = -i64::from(plan.fee);
                    ledger::book(
                        tx,
                        &mut record,
                        Entry { kind: Kind::NightFee, amount, reference: night.id },
                        now,
                    )?;
                    tx.put(&persona_key(who), &record)?;
                }
                let (name, fee) = (record.persona.name, plan.fee);
                night.entries.push(NightEntry { persona: who, name, fee, ..NightEntry::default() });
                Ok(tx.put(&key::open_night(night.id), &night)?)
            })
        })
    }

    /// Withdraws before the beginning; the fee comes back. Returned are the dollars that came.
    pub fn withdraw(&self, night: u32, who: PersonaId, now: Now) -> Result<Changed<u32>, CityError> {
        self.store.change(|table| {
            table.transact(|tx| {
                let mut night = open_one(tx, night)?;
                let at = night.entries.iter().position(|entry| entry.persona == who);
                let at = at.ok_or(CityError::because("your driver is not registered"))?;
                let begun = now.unix >= night.plan.start.into();
                ensure(!begun, "the race night has begun, so nobody can withdraw any more")?;
                let entry = night.entries.remove(at);
                let back = refund(tx, night.id, &entry, now)?;
                ensure(
                    back == entry.fee,
                    "your bank is full, so the fee could not come back: spend some money first",
                )?;
                tx.put(&key::open_night(night.id), &night)?;
                Ok(back)
            })
        })
    }
}

pub(super) fn open_one(tx: &Transaction<'_>, night: u32) -> Result<Night, CityError> {
    let gone = CityError::because("there is no such race night, or it is over");
    tx.get::<Night>(&key::open_night(night))?.ok_or(gone)
}

/// Gives a fee back, as much as the bank holds; how many dollars that was.
pub(super) fn refund(
    tx: &Transaction<'_>,
    night: u32,
    entry: &NightEntry,
    now: Now,
) -> Result<u32, StoreError> {
    let found: Option<PersonaRecord> = tx.get(&persona_key(entry.persona))?;
    let Some(mut record) = found.filter(|_| entry.fee > 0) else { return Ok(0) };
    let back = ledger::give(tx, &mut record, Kind::NightRefund, entry.fee, night, now)?;
    tx.put(&persona_key(entry.persona), &record)?;
    Ok(back)
}

/// The race nights that are not over for which a persona is registered.
pub(in crate::store) struct Registered(Vec<u32>);

impl Registered {
    /// Finds them, while nobody else changes anything.
    pub(in crate::store) fn find(table: &Table, who: PersonaId) -> Result<Self, StoreError> {
        let with =
            open(table)?.into_iter().filter(|night| night.entries.iter().any(|entry| entry.persona == who));
        Ok(Self(with.map(|night| night.id).collect()))
    }

    /// Takes a persona that is deleted out of them. Its fee stays in the purse if the race night has begun, and else goes with it.
    pub(in crate::store) fn forget(
        &self,
        tx: &Transaction<'_>,
        who: PersonaId,
        now: Now,
    ) -> Result<(), StoreError> {
        for id in &self.0 {
            let Some(mut night) = tx.get::<Night>(&key::open_night(*id))? else { continue };
            let fees = night.entries.iter().filter(|entry| entry.persona == who).map(|entry| entry.fee);
            if now.unix >= night.plan.start.into() {
                night.kept = fees.fold(night.kept, u32::saturating_add);
            }
            night.entries.retain(|entry| entry.persona != who);
            tx.put(&key::open_night(*id), &night)?;
        }
        Ok(())
    }
}
