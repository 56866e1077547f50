//! Installing, removing, repairing and scrapping.

use super::assembly::Assembly;
use super::shop::{loose, person};
use super::{Garage, GarageError, MOST_PARTS};
use crate::clock::Now;
use crate::store::bookings::Bookings;
use crate::store::key;
use crate::store::ledger::{self, Entry};
use crate::store::records::ledger::Kind;
use crate::store::records::persona::Persona;
use crate::store::records::vehicle::{LooseRecord, Part};
use crate::store::ticket::Changed;
use mco_proto::ids::{BrandedPartId, PartId, PersonaId, VehicleId};

/// Whether a part can be fixed to that kind of part, to which others are fixed already; if not, why.
pub type Fits<'a> = &'a dyn Fn(&Part, BrandedPartId, &[&Part]) -> Result<(), &'static str>;
/// What a part costs or brings, in dollars.
pub type Price<'a> = &'a dyn Fn(&Part) -> u32;

impl Garage<'_> {
    /// Fixes a loose part, with what is fixed to it, at `point` of `parent`: the car itself, a part of it, or another
    /// loose part.
    ///
    /// # Errors
    /// [`GarageError::NotYours`], [`GarageError::Installed`], [`GarageError::DoesNotFit`].
    pub fn install(
        &self,
        owner: PersonaId,
        part: PartId,
        parent: PartId,
        point: u8,
        fits: Fits<'_>,
    ) -> Result<Changed<()>, GarageError> {
        self.store.change(|table| {
            let from = Assembly::find(table, owner, part)?.ok_or(GarageError::NotYours)?;
            if from.car().is_some() || !from.is_root(part) {
                return Err(GarageError::Installed);
            }
            let mut to = Assembly::find(table, owner, parent)?.ok_or(GarageError::NotYours)?;
            if to.root() == from.root() {
                return Err(GarageError::DoesNotFit("it would hang on itself"));
            }
            let on = to.branded(parent).ok_or(GarageError::NotYours)?;
            let mut moved = from.parts().to_vec();
            for (at, part) in moved.iter_mut().enumerate() {
                part.vehicle = to.car();
                if at == 0 {
                    part.parent = Some(parent);
                    part.attachment_point = point;
                }
            }
            let root = moved.first().ok_or(GarageError::NotYours)?;
            let there: Vec<&Part> = to.parts().iter().filter(|other| other.parent == Some(parent)).collect();
            fits(root, on, &there).map_err(GarageError::DoesNotFit)?;
            if to.parts().len() + moved.len() > MOST_PARTS {
                return Err(GarageError::DoesNotFit("there are too many parts"));
            }
            to.parts_mut().append(&mut moved);
            table.transact(|tx| {
                from.remove(tx, owner)?;
                Ok(to.put(tx, owner)?)
            })
        })
    }

    /// Takes a part, with what is fixed to it, into the inventory, which holds `room` things.
    ///
    /// # Errors
    /// [`GarageError::NotYours`], [`GarageError::Loose`], [`GarageError::InRace`], [`GarageError::InventoryFull`].
    pub fn remove(
        &self,
        owner: PersonaId,
        part: PartId,
        room: &dyn Fn(&Persona) -> usize,
    ) -> Result<Changed<()>, GarageError> {
        self.store.change(|table| {
            let bookings = Bookings::find(table)?;
            let mut from = Assembly::find(table, owner, part)?.ok_or(GarageError::NotYours)?;
            if from.is_root(part) {
                return Err(GarageError::Loose);
            }
            if from.car().is_some_and(|car| bookings.hold(car)) {
                return Err(GarageError::InRace);
            }
            let loose = loose(table, owner)?;
            let mut parts = from.take(part);
            for (at, part) in parts.iter_mut().enumerate() {
                part.vehicle = None;
                if at == 0 {
                    part.parent = None;
                    part.attachment_point = 0;
                }
            }
            let taken = LooseRecord { parts };
            table.transact(|tx| {
                if loose >= room(&person(tx, owner)?.persona) {
                    return Err(GarageError::InventoryFull);
                }
                from.put(tx, owner)?;
                Ok(tx.put(&key::loose_part(owner, part), &taken)?)
            })
        })
    }

    /// Repairs one part for `price` and returns the cost in dollars.
    ///
    /// # Errors
    /// [`GarageError::NotYours`], [`GarageError::InsufficientFunds`].
    pub fn repair_part(
        &self,
        owner: PersonaId,
        part: PartId,
        price: Price<'_>,
        now: Now,
    ) -> Result<Changed<u64>, GarageError> {
        self.repair(owner, part, false, price, now)
    }

    /// Repairs everything that is fixed to `root` (a car, or a loose part), and the dents of a car. Returns the cost in dollars.
    ///
    /// # Errors
    /// [`GarageError::NotYours`], [`GarageError::InsufficientFunds`].
    pub fn repair_all(
        &self,
        owner: PersonaId,
        root: PartId,
        price: Price<'_>,
        now: Now,
    ) -> Result<Changed<u64>, GarageError> {
        self.repair(owner, root, true, price, now)
    }

    fn repair(
        self,
        owner: PersonaId,
        what: PartId,
        all: bool,
        price: Price<'_>,
        now: Now,
    ) -> Result<Changed<u64>, GarageError> {
        self.store.change(|table| {
            let mut assembly = Assembly::find(table, owner, what)?.ok_or(GarageError::NotYours)?;
            let (mut cost, mut changed) = (0_u64, false);
            for part in assembly.parts_mut() {
                if part.damage > 0 && (all || part.id == what) {
                    cost = cost.saturating_add(price(part).into());
                    part.damage = 0;
                    changed = true;
                }
            }
            if let Assembly::Car(car) = &mut assembly
                && all
            {
                changed |= !car.vehicle.damage.is_empty();
                car.vehicle.damage.clear();
            }
            table.transact(|tx| {
                let mut payer = person(tx, owner)?;
                if !changed {
                    return Ok(0);
                }
                let amount = i64::try_from(cost).map_err(|_| GarageError::InsufficientFunds)?;
                let entry = Entry { kind: Kind::Repair, amount: -amount, reference: what.0 };
                ledger::book(tx, &mut payer, entry, now)?;
                tx.put(&key::persona(owner), &payer)?;
                assembly.put(tx, owner)?;
                Ok(cost)
            })
        })
    }

    /// Scraps a part, with what is fixed to it, or a whole car, but not the last one that the persona is sure to keep. Returns the dollars that were paid: the
    /// sum of what `value` says of each part.
    ///
    /// # Errors
    /// [`GarageError::NotYours`], [`GarageError::InRace`], [`GarageError::LastCar`], [`GarageError::TooRich`].
    pub fn scrap(
        &self,
        owner: PersonaId,
        part: PartId,
        value: Price<'_>,
        now: Now,
    ) -> Result<Changed<u64>, GarageError> {
        self.store.change(|table| {
            let bookings = Bookings::find(table)?;
            let mut assembly = Assembly::find(table, owner, part)?.ok_or(GarageError::NotYours)?;
            if assembly.car().is_some_and(|car| bookings.hold(car)) {
                return Err(GarageError::InRace);
            }
            let whole = assembly.is_root(part);
            let cars = table.scan::<u32>(&key::vehicles_of(owner))?;
            let gone = if whole { assembly.parts().to_vec() } else { assembly.take(part) };
            let car = assembly.car().filter(|_| whole);
            let mut others = cars.iter().copied().map(VehicleId).filter(|other| Some(*other) != car);
            let next = others.find(|other| !bookings.stake(*other));
            if car.is_some() && next.is_none() {
                return Err(GarageError::LastCar);
            }
            let paid = gone.iter().fold(0_u64, |sum, part| sum.saturating_add(value(part).into()));
            table.transact(|tx| {
                let mut seller = person(tx, owner)?;
                let amount = i64::try_from(paid).map_err(|_| GarageError::TooRich)?;
                ledger::book(tx, &mut seller, Entry { kind: Kind::Scrap, amount, reference: part.0 }, now)?;
                if car.is_some() && seller.persona.vehicle == car {
                    seller.persona.vehicle = next;
                }
                tx.put(&key::persona(owner), &seller)?;
                if whole {
                    assembly.remove(tx, owner)?;
                } else {
                    assembly.put(tx, owner)?;
                }
                Ok(paid)
            })
        })
    }
}
