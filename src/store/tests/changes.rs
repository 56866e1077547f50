//! Changes to a store that no verb makes, for the tests of those who use it.

use crate::clock::Now;
use crate::store::error::StoreError;
use crate::store::key;
use crate::store::ledger::{self, Entry};
use crate::store::records::ledger::Kind;
use crate::store::records::persona::PersonaRecord;
use crate::store::records::vehicle::VehicleRecord;
use crate::store::ticket::Changed;
use crate::store::{Garage, Personas};
use mco_proto::ids::{PersonaId, VehicleId};

impl Garage<'_> {
    /// Leaves every part of a car with that damage in percent, as a race would, and a dent.
    pub(crate) fn wreck_for_tests(self, car: VehicleId, damage: u8) {
        let wrecked = self.store.change(|table| {
            table.transact(|tx| {
                let mut record: VehicleRecord = tx.get(&key::vehicle(car))?.unwrap();
                record.vehicle.damage = vec![damage; 4];
                record.parts.iter_mut().for_each(|part| part.damage = damage);
                tx.put(&key::vehicle(car), &record)
            })
        });
        let _: Result<Changed<()>, StoreError> = wrecked;
    }
}

impl Personas<'_> {
    /// Makes the persona's last pay day the first there was.
    pub(crate) fn forget_pay_for_tests(self, id: PersonaId) {
        let forgotten = self.store.change(|table| table.transact(|tx| tx.put(&key::paid_week(id), &1_u32)));
        let _: Result<Changed<()>, StoreError> = forgotten;
    }
}

impl Personas<'_> {
    /// Has so many dollars, by a line of the ledger.
    pub(crate) fn set_money_for_tests(self, id: PersonaId, dollars: u32) {
        let set = self.store.change(|table| {
            table.transact(|tx| {
                let mut record: PersonaRecord = tx.get(&key::persona(id))?.unwrap();
                let amount = i64::from(dollars) - i64::from(record.persona.bank_balance);
                let entry = Entry { kind: Kind::Purse, amount, reference: 0 };
                ledger::book(tx, &mut record, entry, Now::read()).unwrap();
                tx.put(&key::persona(id), &record)
            })
        });
        let _: Result<Changed<()>, StoreError> = set;
    }
}

impl Garage<'_> {
    /// All cars are gone, as if they had been wagered and lost.
    pub(crate) fn lose_cars_for_tests(self, owner: PersonaId) {
        let lost = self.store.change(|table| {
            let cars = table.scan::<u32>(&key::vehicles_of(owner))?;
            table.transact(|tx| {
                cars.iter().copied().map(VehicleId).try_for_each(|car| {
                    tx.remove(&key::vehicle(car))?;
                    tx.remove(&key::vehicle_of(owner, car))
                })
            })
        });
        let _: Result<Changed<()>, StoreError> = lost;
    }
}
