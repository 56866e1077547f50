//! Cars that the Server Operator gives and takes, and paints that players buy.

use super::shop::{self, Sale, check_parts, person};
use super::{CarPurchase, Garage, GarageError};
use crate::clock::Now;
use crate::store::bookings::Bookings;
use crate::store::deals::expected;
use crate::store::garage::assembly::Assembly;
use crate::store::key;
use crate::store::ledger::{self, Entry};
use crate::store::mail::{self, Letter};
use crate::store::records::ledger::Kind;
use crate::store::records::persona::Persona;
use crate::store::records::vehicle::{Vehicle, VehicleRecord};
use crate::store::ticket::Changed;
use mco_proto::ids::{PersonaId, SkinId, VehicleId};

impl Garage<'_> {
    /// Gives a car with all its parts for nothing, if the garage, which holds as many as `room` says, has a place for it; with a line of the
    /// ledger and this letter.
    ///
    /// # Errors
    /// [`GarageError::NoSuchPersona`], [`GarageError::GarageFull`], [`GarageError::BadParts`].
    pub fn give_car(
        &self,
        owner: PersonaId,
        purchase: &CarPurchase,
        room: &dyn Fn(&Persona) -> usize,
        letter: &Letter,
        now: Now,
    ) -> Result<Changed<VehicleId>, GarageError> {
        check_parts(&purchase.parts)?;
        self.store.change(|table| {
            let cars = table.scan::<u32>(&key::vehicles_of(owner))?.len() + expected(table, owner)?.cars;
            table.transact(|tx| {
                let mut record = person(tx, owner)?;
                if cars >= room(&record.persona) {
                    return Err(GarageError::GarageFull);
                }
                let id = shop::sell(tx, &mut record, purchase, Sale { kind: Kind::CarGiven, price: 0 }, now)?;
                tx.put(&key::persona(owner), &record)?;
                mail::post(tx, owner, letter, now)?;
                Ok(id)
            })
        })
    }

    /// Takes a car with all its parts away, but not the last one that the persona is sure to keep; with a line of the ledger and this letter.
    ///
    /// # Errors
    /// [`GarageError::NotYours`], [`GarageError::InRace`], [`GarageError::LastCar`].
    pub fn take_car(
        &self,
        owner: PersonaId,
        car: VehicleId,
        letter: &Letter,
        now: Now,
    ) -> Result<Changed<()>, GarageError> {
        self.store.change(|table| {
            let bookings = Bookings::find(table)?;
            let assembly = Assembly::find(table, owner, car.part())?.ok_or(GarageError::NotYours)?;
            if assembly.car() != Some(car) {
                return Err(GarageError::NotYours);
            }
            if bookings.hold(car) {
                return Err(GarageError::InRace);
            }
            let cars = table.scan::<u32>(&key::vehicles_of(owner))?;
            let mut others = cars.into_iter().map(VehicleId).filter(|other| *other != car);
            let next = others.find(|other| !bookings.stake(*other)).ok_or(GarageError::LastCar)?;
            table.transact(|tx| {
                let mut record = person(tx, owner)?;
                let entry = Entry { kind: Kind::CarTaken, amount: 0, reference: car.0 };
                ledger::book(tx, &mut record, entry, now)?;
                if record.persona.vehicle == Some(car) {
                    record.persona.vehicle = Some(next);
                }
                tx.put(&key::persona(owner), &record)?;
                assembly.remove(tx, owner)?;
                mail::post(tx, owner, letter, now)?;
                Ok(())
            })
        })
    }

    /// Paints a car for so many dollars. `flags` are those of a car that wears the paint. Nothing happens, and nothing is paid, if it has it.
    ///
    /// # Errors
    /// [`GarageError::NotYours`], [`GarageError::InRace`], [`GarageError::InsufficientFunds`].
    pub fn paint(
        &self,
        owner: PersonaId,
        car: VehicleId,
        paint: Paint,
        now: Now,
    ) -> Result<Changed<Vehicle>, GarageError> {
        self.store.change(|table| {
            if Bookings::find(table)?.hold(car) {
                return Err(GarageError::InRace);
            }
            table.transact(|tx| {
                let found: Option<VehicleRecord> = tx.get(&key::vehicle(car))?;
                let mut record =
                    found.filter(|found| found.vehicle.owner == owner).ok_or(GarageError::NotYours)?;
                if record.vehicle.skin == paint.skin {
                    return Ok(record.vehicle);
                }
                let mut payer = person(tx, owner)?;
                let entry = Entry { kind: Kind::Paint, amount: -i64::from(paint.price), reference: car.0 };
                ledger::book(tx, &mut payer, entry, now)?;
                tx.put(&key::persona(owner), &payer)?;
                let vehicle = &mut record.vehicle;
                (vehicle.skin, vehicle.flags) = (paint.skin, paint.flags);
                vehicle.delta = vehicle.delta.wrapping_add(1);
                tx.put(&key::vehicle(car), &record)?;
                Ok(record.vehicle)
            })
        })
    }
}

/// A paint, as a car gets it.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    /// Its number.
    pub skin: SkinId,
    /// The flags of a car that wears it.
    pub flags: u32,
    /// What it costs, in dollars.
    pub price: u32,
}
