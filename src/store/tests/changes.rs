//! Changes to a store that no verb makes, for the tests of those who use it.

use crate::store::commit::Changed;
use crate::store::error::StoreError;
use crate::store::key;
use crate::store::records::vehicle::VehicleRecord;
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
