//! Cars and parts: who owns what.
//!
//! A car is stored as one record with all its parts, so buying one writes four records and not forty.

use super::commit::Changed;
use super::error::StoreError;
use super::ledger::{self, Entry, Kind, LedgerError};
use super::personas::PersonaRecord;
use super::record::Record;
use super::{Store, key};
use crate::protocol::ids::{BrandedPartId, PartId, PersonaId, SkinId, VehicleId};
use serde::{Deserialize, Serialize};
use std::fmt;

const FIRST_PART: u32 = 1;
/// A complete car was captured with 40. The bound keeps its record within what the store can hold.
const MOST_PARTS: usize = 120;

/// A car.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vehicle {
    /// The id of its root part.
    pub id: VehicleId,
    /// Who owns it.
    pub owner: PersonaId,
    /// Which car it is.
    pub model: BrandedPartId,
    /// Its paint.
    pub skin: SkinId,
    /// Flags only the Client understands.
    pub flags: u32,
    /// Counts the changes to the car, so that the Client knows whether what it remembers is still true.
    pub delta: u32,
    /// The class in which it races.
    pub car_class: u8,
    /// The dents, as the Client wrote them; at most 2000 bytes.
    pub damage: Vec<u8>,
}

/// A part, in a car or loose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its own number.
    pub id: PartId,
    /// What it is fixed to: another part or the car itself. Loose parts have none.
    pub parent: Option<PartId>,
    /// Which part it is.
    pub branded_part: BrandedPartId,
    /// Who owns it.
    pub owner: PersonaId,
    /// The car it is in.
    pub vehicle: Option<VehicleId>,
    /// Where at its parent.
    pub attachment_point: u8,
    /// In percent.
    pub damage: u8,
    /// In the Client's units.
    pub wear: u32,
}

impl Record for Part {
    const WHAT: &'static str = "part";
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct VehicleRecord {
    pub(super) vehicle: Vehicle,
    /// Without the root, by id.
    pub(super) parts: Vec<Part>,
}

impl Record for VehicleRecord {
    const WHAT: &'static str = "vehicle";
}

/// What is needed to buy a car.
#[derive(Clone, Debug)]
pub struct CarPurchase {
    /// Which car.
    pub model: BrandedPartId,
    /// Its paint.
    pub skin: SkinId,
    /// The class in which it races.
    pub car_class: u8,
    /// What it costs.
    pub price: u32,
    /// What it is made of, at most 120 parts.
    pub parts: Vec<NewPart>,
    /// This is the car which every driver chooses at the beginning, once.
    pub first_car: bool,
}

/// A part of a car that is bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewPart {
    /// Which part.
    pub branded_part: BrandedPartId,
    /// The index, within [`CarPurchase::parts`], of the part it is fixed to. None: the car itself.
    pub parent: Option<usize>,
    /// Where at its parent.
    pub attachment_point: u8,
}

/// Why a purchase failed. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GarageError {
    /// There is no such persona.
    NoSuchPersona,
    /// The price is more than the persona has.
    InsufficientFunds,
    /// The balance would be more than the Client can show.
    TooRich,
    /// The persona has had its first car.
    AlreadyChosen,
    /// The list of parts makes no car; why.
    BadParts(&'static str),
    /// The store failed.
    Store(StoreError),
}

impl fmt::Display for GarageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchPersona => f.write_str("there is no such persona: check with `mcos persona list`"),
            Self::InsufficientFunds => f.write_str("the persona cannot afford this: earn money first"),
            Self::TooRich => f.write_str("the persona's bank holds no more money: spend some first"),
            Self::AlreadyChosen => {
                f.write_str("the persona has chosen its first car already: buy from a dealer")
            }
            Self::BadParts(why) => write!(f, "the catalogue describes this car wrongly ({why}): correct it"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for GarageError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

impl From<StoreError> for GarageError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<LedgerError> for GarageError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Overdrawn => Self::InsufficientFunds,
            LedgerError::TooRich => Self::TooRich,
            LedgerError::Store(error) => Self::Store(error),
        }
    }
}

/// The verbs about cars and parts. See [`Store::garage`].
#[derive(Clone, Copy, Debug)]
pub struct Garage<'a> {
    pub(super) store: &'a Store,
}

impl Garage<'_> {
    /// Takes the money and gives the car with all its parts: both or nothing.
    ///
    /// A persona without a current car drives the new one.
    #[expect(clippy::needless_pass_by_value, reason = "the caller has no use for it afterwards")]
    pub fn buy_car(
        &self,
        owner: PersonaId,
        purchase: CarPurchase,
    ) -> Result<Changed<VehicleId>, GarageError> {
        check_parts(&purchase.parts)?;
        let ids = u32::try_from(purchase.parts.len() + 1).map_err(|_| StoreError::NoMoreIds)?;
        self.store.change(|table| {
            table.transact(|tx| {
                let mut buyer: PersonaRecord =
                    tx.get(&key::persona(owner))?.ok_or(GarageError::NoSuchPersona)?;
                if purchase.first_car && buyer.persona.starter_car_chosen {
                    return Err(GarageError::AlreadyChosen);
                }
                let id = VehicleId(tx.take(key::NEXT_PART, FIRST_PART, ids)?);
                let price = -i64::from(purchase.price);
                let entry = Entry { kind: Kind::CarBought, amount: price, reference: id.0 };
                ledger::book(tx, &mut buyer, entry)?;
                buyer.persona.starter_car_chosen |= purchase.first_car;
                buyer.persona.vehicle.get_or_insert(id);
                tx.put(&key::persona(owner), &buyer)?;
                tx.put(&key::vehicle(id), &assemble(id, owner, &purchase))?;
                tx.put(&key::vehicle_of(owner, id), &id.0)?;
                Ok(id)
            })
        })
    }

    /// The cars of a persona, by id.
    pub fn vehicles(&self, owner: PersonaId) -> Result<Vec<Vehicle>, StoreError> {
        let ids = self.store.table().scan::<u32>(&key::vehicles_of(owner))?;
        ids.into_iter().filter_map(|id| self.vehicle(VehicleId(id)).transpose()).collect()
    }

    /// One car.
    pub fn vehicle(&self, id: VehicleId) -> Result<Option<Vehicle>, StoreError> {
        Ok(self.record(id)?.map(|record| record.vehicle))
    }

    /// The parts of a car without the car itself, by id. None if there is no such car.
    pub fn parts_of(&self, id: VehicleId) -> Result<Vec<Part>, StoreError> {
        Ok(self.record(id)?.map(|record| record.parts).unwrap_or_default())
    }

    /// The parts a persona owns that are in no car, by id.
    pub fn loose_parts(&self, owner: PersonaId) -> Result<Vec<Part>, StoreError> {
        self.store.table().scan(&key::loose_parts_of(owner))
    }

    fn record(self, id: VehicleId) -> Result<Option<VehicleRecord>, StoreError> {
        self.store.table().get(&key::vehicle(id))
    }
}

/// The car gets `id`, its parts the ids behind it, in their order.
fn assemble(id: VehicleId, owner: PersonaId, purchase: &CarPurchase) -> VehicleRecord {
    let part_ids = || (id.0 + 1..).map(PartId);
    let parts = purchase.parts.iter().zip(part_ids()).map(|(part, part_id)| Part {
        id: part_id,
        parent: Some(part.parent.and_then(|index| part_ids().nth(index)).unwrap_or(id.part())),
        branded_part: part.branded_part,
        owner,
        vehicle: Some(id),
        attachment_point: part.attachment_point,
        damage: 0,
        wear: 0,
    });
    let vehicle = Vehicle {
        id,
        owner,
        model: purchase.model,
        skin: purchase.skin,
        flags: 0,
        delta: 0,
        car_class: purchase.car_class,
        damage: Vec::new(),
    };
    VehicleRecord { vehicle, parts: parts.collect() }
}

/// Every part must hang on the car, directly or by way of others.
fn check_parts(parts: &[NewPart]) -> Result<(), GarageError> {
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
