//! Removing personas and accounts with everything they have.

use super::accounts::{AccountError, Accounts};
use super::bookings::Bookings;
use super::city_key;
use super::clubs::Mentions;
use super::deals::Closing;
use super::error::StoreError;
use super::key;
use super::mail;
use super::names;
use super::nights::Registered;
use super::records::account::{Account, AccountRecord};
use super::records::ledger::Page;
use super::records::persona::PersonaRecord;
use super::records::vehicle::LooseRecord;
use super::table::{Table, Transaction};
use super::ticket::Changed;
use super::weekly;
use crate::clock::Now;
use mco_proto::ids::{PersonaId, VehicleId};

/// The records of a persona that are found by a look at the table.
pub(super) struct Belongings {
    id: PersonaId,
    lines: Vec<Vec<u8>>,
    vehicles: Vec<VehicleId>,
    loose: Vec<Vec<u8>>,
    weeks: Vec<Vec<u8>>,
    clubs: Mentions,
    nights: Registered,
}

impl Belongings {
    /// Finds them, while nobody else changes anything.
    pub(super) fn find(table: &Table, id: PersonaId) -> Result<Self, StoreError> {
        let keys = |rows: Vec<(Vec<u8>, Page)>| rows.into_iter().map(|(key, _)| key).collect();
        let loose = table.scan_rows::<LooseRecord>(&key::loose_parts_of(id))?;
        Ok(Self {
            id,
            lines: keys(table.scan_rows::<Page>(&key::lines_of(id))?),
            vehicles: table.scan::<u32>(&key::vehicles_of(id))?.into_iter().map(VehicleId).collect(),
            loose: loose.into_iter().map(|(key, _)| key).collect(),
            weeks: weekly::rows_of(table, id)?,
            clubs: Mentions::find(table, id)?,
            nights: Registered::find(table, id)?,
        })
    }

    /// Removes them and the persona, whose record this is.
    pub(super) fn remove(
        &self,
        tx: &Transaction<'_>,
        record: &PersonaRecord,
        now: Now,
    ) -> Result<(), StoreError> {
        let id = self.id;
        for vehicle in self.vehicles.iter().copied() {
            tx.remove(&key::vehicle(vehicle))?;
            tx.remove(&key::vehicle_of(id, vehicle))?;
        }
        self.nights.forget(tx, id, now)?;
        self.clubs.forget(tx, id, now)?;
        tx.remove(&city_key::badges(id))?;
        self.lines.iter().chain(&self.loose).chain(&self.weeks).try_for_each(|key| tx.remove(key))?;
        mail::empty(tx, id)?;
        tx.remove(&key::paid_week(id))?;
        tx.remove(&key::uncounted(id))?;
        tx.remove(&key::persona_results(id))?;
        names::strike(tx, record.persona.shard, &record.persona.name, id)?;
        tx.remove(&key::persona_of(record.persona.customer_id, record.serial))?;
        tx.remove(&key::persona(id))
    }
}

impl Accounts<'_> {
    /// Removes an account with all its personas and what they have, but not in the middle of a race. Its ban goes too.
    ///
    /// # Errors
    /// [`AccountError::NotFound`], [`AccountError::InRace`], [`AccountError::InAuction`].
    pub fn remove(&self, name: &str, now: Now) -> Result<Changed<Account>, AccountError> {
        self.store.change(|table| {
            let found: Option<AccountRecord> = table.get(&key::account(name))?;
            let record = found.ok_or(AccountError::NotFound)?;
            let owner = record.customer_id;
            let bookings = Bookings::find(table)?;
            let mut personas = Vec::new();
            for id in table.scan::<u32>(&key::personas_of(owner))?.into_iter().map(PersonaId) {
                if bookings.name(id) {
                    return Err(AccountError::InRace);
                }
                let deals = Closing::find(table, id)?;
                if deals.is_bound() {
                    return Err(AccountError::InAuction);
                }
                personas.push((Belongings::find(table, id)?, deals));
            }
            table.transact(|tx| {
                for (belongings, deals) in &personas {
                    deals.close(tx)?;
                    if let Some(record) = tx.get::<PersonaRecord>(&key::persona(belongings.id))? {
                        belongings.remove(tx, &record, now)?;
                    }
                }
                tx.remove(&key::banned_account(owner))?;
                tx.remove(&key::customer(owner))?;
                tx.remove(&key::account(name))?;
                Ok(record.into())
            })
        })
    }
}
