//! What the city gives to who has nothing left to race with.

use super::Garage;
use crate::clock::Now;
use crate::store::deals::expected;
use crate::store::error::StoreError;
use crate::store::key;
use crate::store::ledger::{self, Entry, LedgerError};
use crate::store::mail::{self, Letter};
use crate::store::records::ledger::Kind;
use crate::store::records::persona::{Persona, PersonaRecord};
use crate::store::records::vehicle::{LooseRecord, Part, Vehicle, VehicleRecord};
use crate::store::table::Table;
use crate::store::ticket::Changed;
use mco_proto::ids::{PersonaId, VehicleId};

/// The city helps a persona once in so many seconds: a day.
const AID_EVERY: u64 = 24 * 60 * 60;

/// All that a persona has.
#[derive(Clone, Debug)]
pub struct Belongings {
    /// The persona itself, with its bank balance.
    pub persona: Persona,
    /// Its cars with their parts.
    pub cars: Vec<(Vehicle, Vec<Part>)>,
    /// Parts that are in no car.
    pub loose: Vec<Part>,
}

impl Garage<'_> {
    /// Pays what `need` says of all that a persona has, in dollars, with a mail about it. `None`: it needs nothing, was helped within
    /// the last [`AID_EVERY`] seconds, has something in an auction or an ad, or there is no such persona.
    pub fn relieve(
        &self,
        owner: PersonaId,
        need: &dyn Fn(&Belongings) -> u32,
        letter: &dyn Fn(u32) -> Letter,
        now: Now,
    ) -> Result<Option<Changed<u32>>, StoreError> {
        // Most need nothing, and looking writes nothing.
        if belongings(self.store.table(), owner)?.is_none_or(|all| need(&all) == 0) {
            return Ok(None);
        }
        let paid: Changed<u32> = self.store.change(|table| {
            // Somebody else may have paid meanwhile.
            let dollars = belongings(table, owner)?.map_or(0, |all| need(&all));
            table.transact(|tx| {
                let Some(mut record) = tx.get::<PersonaRecord>(&key::persona(owner))? else { return Ok(0) };
                if dollars == 0 || was_helped(&record, now) {
                    return Ok(0);
                }
                let entry = Entry { kind: Kind::Aid, amount: dollars.into(), reference: 0 };
                match ledger::book(tx, &mut record, entry, now) {
                    Ok(()) => {}
                    Err(LedgerError::Store(error)) => return Err(error),
                    Err(LedgerError::Overdrawn | LedgerError::TooRich) => return Ok(0),
                }
                record.aided = now.unix32();
                tx.put(&key::persona(owner), &record)?;
                mail::post(tx, owner, &letter(dollars), now)?;
                Ok(dollars)
            })
        })?;
        Ok((paid.value > 0).then_some(paid))
    }
}

/// Whether the city has helped the persona lately. By a clock that is not set yet nobody is helped twice.
fn was_helped(record: &PersonaRecord, now: Now) -> bool {
    record.aided > 0 && now.unix < u64::from(record.aided) + AID_EVERY
}

/// All that a persona has, unless something of it is in a deal or on its way.
fn belongings(table: &Table, owner: PersonaId) -> Result<Option<Belongings>, StoreError> {
    if expected(table, owner)?.is_anything() {
        return Ok(None);
    }
    let Some(PersonaRecord { persona, .. }) = table.get(&key::persona(owner))? else { return Ok(None) };
    let mut cars = Vec::new();
    for id in table.scan::<u32>(&key::vehicles_of(owner))? {
        if let Some(VehicleRecord { vehicle, parts }) = table.get(&key::vehicle(VehicleId(id)))? {
            cars.push((vehicle, parts));
        }
    }
    let loose = table.scan::<LooseRecord>(&key::loose_parts_of(owner))?;
    let loose = loose.into_iter().flat_map(|record| record.parts).collect();
    Ok(Some(Belongings { persona, cars, loose }))
}
