//! Buying cars and parts.

use super::{CarPurchase, Garage, GarageError, MOST_PARTS, NewPart};
use crate::clock::Now;
use crate::store::bookings::Bookings;
use crate::store::deals::{expected, hand_over_car};
use crate::store::error::StoreError;
use crate::store::key;
use crate::store::ledger::{self, Entry};
use crate::store::offices::JUNKYARD;
use crate::store::records::ledger::Kind;
use crate::store::records::persona::{Persona, PersonaRecord};
use crate::store::records::vehicle::{LooseRecord, Part, Vehicle, VehicleRecord};
use crate::store::table::{Table, Transaction};
use crate::store::ticket::Changed;
use mco_proto::ids::{PartId, PersonaId, VehicleId};

pub(super) const FIRST_PART: u32 = 1;
/// How many cars the junkyard keeps; then the one that was built first is gone for good.
const JUNKYARD_ROOM: usize = 50;

/// The terms on which a dealer sells.
pub struct Terms<'a> {
    /// The car that is given in part payment, if one is.
    pub trade_in: Option<VehicleId>,
    /// Gives what the dealer pays for it, in dollars.
    pub worth: &'a dyn Fn(&Vehicle, &[Part]) -> u32,
    /// Gives how many cars the garage of a persona holds.
    pub room: &'a dyn Fn(&Persona) -> usize,
}

/// What is needed to buy a part.
#[derive(Clone, Debug)]
pub struct PartPurchase {
    /// The price, in dollars.
    pub price: u32,
    /// The part, and behind it what comes fixed to it. Parents are indices into this list; only the first has none.
    pub parts: Vec<NewPart>,
}

impl Garage<'_> {
    /// Takes the money and gives the car with all its parts: both or nothing. A persona without a current car drives
    /// the new one. This is for the first car: the room in the garage is not checked, nothing is given in part payment.
    ///
    /// # Errors
    /// [`GarageError::NoSuchPersona`], [`GarageError::InsufficientFunds`], [`GarageError::AlreadyChosen`],
    /// [`GarageError::BadParts`].
    #[expect(clippy::needless_pass_by_value, reason = "the caller has no use for it afterwards")]
    pub fn buy_car(
        &self,
        owner: PersonaId,
        purchase: CarPurchase,
        now: Now,
    ) -> Result<Changed<VehicleId>, GarageError> {
        check_parts(&purchase.parts)?;
        self.store.change(|table| {
            table.transact(|tx| {
                let mut buyer = person(tx, owner)?;
                if purchase.first_car && buyer.persona.starter_car_chosen {
                    return Err(GarageError::AlreadyChosen);
                }
                buyer.persona.starter_car_chosen |= purchase.first_car;
                let id = sell(tx, &mut buyer, &purchase, Sale::of(&purchase), now)?;
                tx.put(&key::persona(owner), &buyer)?;
                Ok(id)
            })
        })
    }

    /// Buys a car from a dealer, who may take another car in part payment; it goes to the junkyard. Whoever buys so has
    /// chosen the first car.
    ///
    /// # Errors
    /// As [`Garage::buy_car`], and [`GarageError::GarageFull`], or [`GarageError::NotYours`] or [`GarageError::InRace`] for the
    /// car given in part payment.
    pub fn buy_from_dealer(
        &self,
        owner: PersonaId,
        purchase: &CarPurchase,
        terms: &Terms<'_>,
        now: Now,
    ) -> Result<Changed<VehicleId>, GarageError> {
        check_parts(&purchase.parts)?;
        self.store.change(|table| {
            let cars = table.scan::<u32>(&key::vehicles_of(owner))?.len();
            let coming = expected(table, owner)?;
            let wrecks = table.scan::<u32>(&key::vehicles_of(JUNKYARD.number_in(table)?))?;
            let bookings = Bookings::find(table)?;
            if terms.trade_in.is_some_and(|old| bookings.hold(old)) {
                return Err(GarageError::InRace);
            }
            table.transact(|tx| {
                let mut buyer = person(tx, owner)?;
                buyer.persona.starter_car_chosen = true;
                if terms.trade_in.is_none() && cars + coming.cars >= (terms.room)(&buyer.persona) {
                    return Err(GarageError::GarageFull);
                }
                // Looked up before the sale, which may give its number to the new car.
                let old = terms.trade_in.map(|old| own_car(tx, old, owner)).transpose()?;
                let give = |tx: &Transaction<'_>, buyer: &mut PersonaRecord| {
                    let Some(old) = old else { return Ok(()) };
                    trade_in(tx, buyer, old, terms.worth, now)?;
                    crush(tx, &wrecks).map_err(GarageError::from)
                };
                // What counts is the difference: who can pay without the old car need not be able to hold what it brings besides.
                let id = if buyer.persona.bank_balance >= purchase.price {
                    let id = sell(tx, &mut buyer, purchase, Sale::of(purchase), now)?;
                    give(tx, &mut buyer)?;
                    id
                } else {
                    give(tx, &mut buyer)?;
                    sell(tx, &mut buyer, purchase, Sale::of(purchase), now)?
                };
                buyer.persona.vehicle.get_or_insert(id);
                tx.put(&key::persona(owner), &buyer)?;
                Ok(id)
            })
        })
    }

    /// Takes the money and puts the part into the inventory, which holds `room` of them.
    ///
    /// # Errors
    /// [`GarageError::NoSuchPersona`], [`GarageError::InsufficientFunds`], [`GarageError::InventoryFull`],
    /// [`GarageError::BadParts`].
    pub fn buy_part(
        &self,
        owner: PersonaId,
        purchase: &PartPurchase,
        room: &dyn Fn(&Persona) -> usize,
        now: Now,
    ) -> Result<Changed<PartId>, GarageError> {
        check_parts(&purchase.parts)?;
        if purchase.parts.iter().position(|part| part.parent.is_none()) != Some(0)
            || purchase.parts.iter().filter(|part| part.parent.is_none()).count() != 1
        {
            return Err(GarageError::BadParts("not one part to which the others are fixed"));
        }
        self.store.change(|table| {
            let loose = loose(table, owner)?;
            table.transact(|tx| {
                let mut buyer = person(tx, owner)?;
                if loose >= room(&buyer.persona) {
                    return Err(GarageError::InventoryFull);
                }
                let id = tx.take(key::NEXT_PART, FIRST_PART, count(purchase.parts.len())?)?;
                let entry =
                    Entry { kind: Kind::PartBought, amount: -i64::from(purchase.price), reference: id };
                ledger::book(tx, &mut buyer, entry, now)?;
                tx.put(&key::persona(owner), &buyer)?;
                let parts = build(&purchase.parts, PartId(id), None, owner, None);
                tx.put(&key::loose_part(owner, PartId(id)), &LooseRecord { parts })?;
                Ok(PartId(id))
            })
        })
    }
}

/// How many things are in the inventory of a persona, or on their way to it; what is fixed to them does not count.
pub(super) fn loose(table: &Table, owner: PersonaId) -> Result<usize, StoreError> {
    let there = table.scan::<LooseRecord>(&key::loose_parts_of(owner))?.len();
    Ok(there + expected(table, owner)?.parts)
}

pub(super) fn person(tx: &Transaction<'_>, id: PersonaId) -> Result<PersonaRecord, GarageError> {
    tx.get(&key::persona(id))?.ok_or(GarageError::NoSuchPersona)
}

pub(super) fn count(parts: usize) -> Result<u32, StoreError> {
    u32::try_from(parts).map_err(|_| StoreError::NoMoreIds)
}

/// What the line of the ledger about a new car says.
#[derive(Clone, Copy)]
pub(super) struct Sale {
    pub(super) kind: Kind,
    /// What is paid for it, in dollars.
    pub(super) price: u32,
}

impl Sale {
    const fn of(purchase: &CarPurchase) -> Self {
        Self { kind: Kind::CarBought, price: purchase.price }
    }
}

pub(super) fn sell(
    tx: &Transaction<'_>,
    buyer: &mut PersonaRecord,
    purchase: &CarPurchase,
    sale: Sale,
    now: Now,
) -> Result<VehicleId, GarageError> {
    let owner = buyer.persona.id;
    let id = VehicleId(tx.take(key::NEXT_PART, FIRST_PART, count(purchase.parts.len())? + 1)?);
    let entry = Entry { kind: sale.kind, amount: -i64::from(sale.price), reference: id.0 };
    ledger::book(tx, buyer, entry, now)?;
    buyer.persona.vehicle.get_or_insert(id);
    let parts = build(&purchase.parts, PartId(id.0 + 1), Some(id.part()), owner, Some(id));
    let vehicle = Vehicle {
        id,
        owner,
        model: purchase.model,
        skin: purchase.skin,
        flags: purchase.flags,
        delta: 0,
        car_class: purchase.car_class,
        damage: Vec::new(),
    };
    tx.put(&key::vehicle(id), &VehicleRecord { vehicle, parts })?;
    tx.put(&key::vehicle_of(owner, id), &id.0)?;
    Ok(id)
}

/// The parts get ids from `first` on, in their order.
fn build(
    parts: &[NewPart],
    first: PartId,
    root: Option<PartId>,
    owner: PersonaId,
    vehicle: Option<VehicleId>,
) -> Vec<Part> {
    let ids = || (first.0..).map(PartId);
    let built = parts.iter().zip(ids()).map(|(part, id)| Part {
        id,
        parent: part.parent.and_then(|index| ids().nth(index)).or(root),
        branded_part: part.branded_part,
        owner,
        vehicle,
        attachment_point: part.attachment_point,
        damage: 0,
        wear: 0,
    });
    built.collect()
}

/// A car of this owner.
fn own_car(tx: &Transaction<'_>, id: VehicleId, owner: PersonaId) -> Result<VehicleRecord, GarageError> {
    let car: Option<VehicleRecord> = tx.get(&key::vehicle(id))?;
    car.filter(|car| car.vehicle.owner == owner).ok_or(GarageError::NotYours)
}

/// The seller's car goes to the junkyard and its worth to the bank.
fn trade_in(
    tx: &Transaction<'_>,
    seller: &mut PersonaRecord,
    car: VehicleRecord,
    worth: &dyn Fn(&Vehicle, &[Part]) -> u32,
    now: Now,
) -> Result<(), GarageError> {
    let id = car.vehicle.id;
    let amount = worth(&car.vehicle, &car.parts).into();
    ledger::book(tx, seller, Entry { kind: Kind::TradeIn, amount, reference: id.0 }, now)?;
    if seller.persona.vehicle == Some(id) {
        seller.persona.vehicle = None;
    }
    Ok(hand_over_car(tx, car, JUNKYARD.number(tx)?)?)
}

/// Makes room in the junkyard for one more car.
fn crush(tx: &Transaction<'_>, wrecks: &[u32]) -> Result<(), StoreError> {
    let surplus = (wrecks.len() + 1).saturating_sub(JUNKYARD_ROOM);
    let junkyard = JUNKYARD.number(tx)?;
    wrecks.iter().take(surplus).copied().map(VehicleId).try_for_each(|id| {
        tx.remove(&key::vehicle(id))?;
        tx.remove(&key::vehicle_of(junkyard, id))
    })
}

/// Every part must hang on the car, directly or by way of others.
pub(super) fn check_parts(parts: &[NewPart]) -> Result<(), GarageError> {
    if parts.len() > MOST_PARTS {
        return Err(GarageError::BadParts("more than 120 parts"));
    }
    for part in parts {
        let mut parent = part.parent;
        let mut steps = 0;
        while let Some(index) = parent {
            parent =
                parts.get(index).ok_or(GarageError::BadParts("a parent that is not in the list"))?.parent;
            steps += 1;
            if steps > parts.len() {
                return Err(GarageError::BadParts("parts that hang on each other in a circle"));
            }
        }
    }
    Ok(())
}
