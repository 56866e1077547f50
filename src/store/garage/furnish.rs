//! Cars of older programs get the parts that they were sold without.

use super::shop::{FIRST_PART, count};
use super::{Garage, MOST_PARTS};
use crate::store::error::StoreError;
use crate::store::key;
use crate::store::records::vehicle::{Part, Vehicle, VehicleRecord};
use crate::store::ticket::Changed;
use mco_proto::ids::{BrandedPartId, PartId, VehicleId};

/// A part for a car that has to be completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addition {
    /// The kind of part, as a number of the catalogue.
    pub branded_part: BrandedPartId,
    /// The part of the car to which it is fixed.
    pub parent: PartId,
    /// The place at its parent.
    pub attachment_point: u8,
}

impl Garage<'_> {
    /// Completes all cars by what `missing` says of each, once in the life of a store: a car that is taken apart later stays
    /// so. Returns how many cars got parts; `None`: it was done before.
    pub fn furnish(
        &self,
        missing: &dyn Fn(&Vehicle, &[Part]) -> Vec<Addition>,
    ) -> Result<Option<Changed<usize>>, StoreError> {
        const DONE: u32 = 1;
        if self.store.table().get::<u32>(key::FURNISHED)?.is_some() {
            return Ok(None);
        }
        let mut furnished = 0;
        for id in self.store.table().scan::<u32>(key::OWNED_VEHICLES)? {
            furnished += usize::from(self.furnish_one(VehicleId(id), missing)?);
        }
        // On the card after the cars, so that none is forgotten if the power fails in between.
        let done: Result<Changed<()>, StoreError> =
            self.store.change(|table| table.transact(|tx| tx.put(key::FURNISHED, &DONE)));
        Ok(Some(Changed { value: furnished, ticket: done?.ticket }))
    }

    fn furnish_one(
        self,
        id: VehicleId,
        missing: &dyn Fn(&Vehicle, &[Part]) -> Vec<Addition>,
    ) -> Result<bool, StoreError> {
        let furnished: Result<Changed<bool>, StoreError> = self.store.change(|table| {
            table.transact(|tx| {
                let Some(mut record) = tx.get::<VehicleRecord>(&key::vehicle(id))? else { return Ok(false) };
                let additions = missing(&record.vehicle, &record.parts);
                if additions.is_empty() || record.parts.len() + additions.len() > MOST_PARTS {
                    return Ok(false);
                }
                let first = tx.take(key::NEXT_PART, FIRST_PART, count(additions.len())?)?;
                record.parts.extend((first..).map(PartId).zip(additions).map(|(id, part)| Part {
                    id,
                    parent: Some(part.parent),
                    branded_part: part.branded_part,
                    owner: record.vehicle.owner,
                    vehicle: Some(record.vehicle.id),
                    attachment_point: part.attachment_point,
                    damage: 0,
                    wear: 0,
                }));
                record.vehicle.delta = record.vehicle.delta.wrapping_add(1);
                tx.put(&key::vehicle(id), &record)?;
                Ok(true)
            })
        });
        Ok(furnished?.value)
    }
}
