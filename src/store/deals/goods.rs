//! Handing cars and parts over.

use super::stock::{Given, arrive};
use super::{DealError, note};
use crate::clock::Now;
use crate::store::error::StoreError;
use crate::store::key;
use crate::store::offices::ESCROW;
use crate::store::records::deal::{Goods, Item};
use crate::store::records::ledger::Kind;
use crate::store::records::persona::PersonaRecord;
use crate::store::records::vehicle::{LooseRecord, VehicleRecord};
use crate::store::table::Transaction;
use mco_proto::ids::{PersonaId, VehicleId};

/// Hands a car with all its parts over to somebody else.
pub(in crate::store) fn hand_over_car(
    tx: &Transaction<'_>,
    mut car: VehicleRecord,
    to: PersonaId,
) -> Result<(), StoreError> {
    let (id, from) = (car.vehicle.id, car.vehicle.owner);
    car.vehicle.owner = to;
    car.vehicle.delta = car.vehicle.delta.wrapping_add(1);
    car.parts.iter_mut().for_each(|part| part.owner = to);
    tx.put(&key::vehicle(id), &car)?;
    tx.remove(&key::vehicle_of(from, id))?;
    tx.put(&key::vehicle_of(to, id), &id.0)
}

/// Hands goods over, and says what they are.
///
/// # Errors
/// [`DealError::NotYours`]: `from` has no such car, or no such part that is fixed to nothing.
pub(super) fn hand_over(
    tx: &Transaction<'_>,
    goods: Goods,
    from: PersonaId,
    to: PersonaId,
) -> Result<Item, DealError> {
    match goods {
        Goods::Car(id) => {
            let car = car_of(tx, id, from)?.ok_or(DealError::NotYours)?;
            let model = car.vehicle.model;
            hand_over_car(tx, car, to)?;
            Ok(Item { goods, model })
        }
        Goods::Part(id) => {
            let loose: Option<LooseRecord> = tx.get(&key::loose_part(from, id))?;
            let mut loose = loose.ok_or(DealError::NotYours)?;
            let model = loose.parts.first().ok_or(DealError::NotYours)?.branded_part;
            loose.parts.iter_mut().for_each(|part| part.owner = to);
            tx.remove(&key::loose_part(from, id))?;
            tx.put(&key::loose_part(to, id), &loose)?;
            Ok(Item { goods, model })
        }
    }
}

fn car_of(
    tx: &Transaction<'_>,
    id: VehicleId,
    owner: PersonaId,
) -> Result<Option<VehicleRecord>, StoreError> {
    Ok(tx.get::<VehicleRecord>(&key::vehicle(id))?.filter(|car| car.vehicle.owner == owner))
}

/// Takes goods of a persona, which the Escrow holds from now on. The caller puts the record.
pub(in crate::store) fn hold(
    tx: &Transaction<'_>,
    owner: &mut PersonaRecord,
    goods: Goods,
    given: &Given,
    now: Now,
) -> Result<Item, DealError> {
    let item = hand_over(tx, goods, owner.persona.id, ESCROW.number(tx)?)?;
    given.leave(&mut owner.persona);
    note(tx, owner, Kind::GoodsHeld, goods.number(), now)?;
    Ok(item)
}

/// Gives a persona goods that the Escrow holds. Returned is the record of the persona as it is now.
pub(in crate::store) fn hand_out(
    tx: &Transaction<'_>,
    goods: Goods,
    to: PersonaId,
    kind: Kind,
    now: Now,
) -> Result<PersonaRecord, DealError> {
    let owner: Option<PersonaRecord> = tx.get(&key::persona(to))?;
    let mut owner = owner.ok_or(DealError::NoSuchPersona)?;
    hand_over(tx, goods, ESCROW.number(tx)?, to)?;
    arrive(&mut owner.persona, goods);
    note(tx, &mut owner, kind, goods.number(), now)?;
    tx.put(&key::persona(to), &owner)?;
    Ok(owner)
}

/// Removes goods that go with their owner.
pub(in crate::store) fn destroy(
    tx: &Transaction<'_>,
    goods: Goods,
    owner: PersonaId,
) -> Result<(), StoreError> {
    match goods {
        Goods::Car(id) => {
            tx.remove(&key::vehicle(id))?;
            tx.remove(&key::vehicle_of(owner, id))
        }
        Goods::Part(id) => tx.remove(&key::loose_part(owner, id)),
    }
}
