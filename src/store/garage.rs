//! Cars and parts, and which persona owns them.
//!
//! A car is stored as one record with all its parts, so buying one writes a handful of records and not forty. So is what
//! hangs together in the inventory: a loose part with whatever is fixed to it. Every part is in exactly one of them.
//!
//! The store knows nothing of prices and of what fits where: whoever calls says so by a function.

pub(super) mod aid;
mod assembly;
pub(super) mod furnish;
pub(super) mod given;
pub(super) mod shop;
pub(super) mod workshop;

use super::deals::{self, Expected};
use super::error::StoreError;
use super::handle::Store;
use super::key;
use super::ledger::LedgerError;
use super::records::vehicle::{LooseRecord, Part, Vehicle, VehicleRecord};
use mco_proto::ids::{BrandedPartId, PersonaId, SkinId, VehicleId};
use std::fmt;

/// A complete car was captured with 40. The bound keeps its record within what the store can hold.
const MOST_PARTS: usize = 120;

/// What is needed to buy a car.
#[derive(Clone, Debug)]
pub struct CarPurchase {
    /// The model, as a number of the catalogue.
    pub model: BrandedPartId,
    /// The paint, as a number of the catalogue.
    pub skin: SkinId,
    /// Flags only the Client understands.
    pub flags: u32,
    /// The class in which it races.
    pub car_class: u8,
    /// The price, in dollars.
    pub price: u32,
    /// Its parts, at most 120.
    pub parts: Vec<NewPart>,
    /// Whether it is the first car, which every persona may choose once.
    pub first_car: bool,
}

/// A part of a car that is bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewPart {
    /// The kind of part, as a number of the catalogue.
    pub branded_part: BrandedPartId,
    /// The index, within [`CarPurchase::parts`], of the part it is fixed to. None: the car itself.
    pub parent: Option<usize>,
    /// The place at its parent where it is fixed.
    pub attachment_point: u8,
}

/// Why a car or part could not be bought, moved, repaired or scrapped. Nothing was changed.
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
    /// The garage holds no more cars.
    GarageFull,
    /// The inventory holds no more parts.
    InventoryFull,
    /// The persona owns no such car or part.
    NotYours,
    /// The part is fixed to another one already.
    Installed,
    /// The part is fixed to nothing.
    Loose,
    /// The part cannot go there; why.
    DoesNotFit(&'static str),
    /// A persona keeps at least one car.
    LastCar,
    /// The car is in a race that is not over.
    InRace,
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
            Self::GarageFull => f.write_str("the garage is full: trade a car in, or reach the next level"),
            Self::InventoryFull => {
                f.write_str("the inventory is full: install or scrap a part, or reach the next level")
            }
            Self::NotYours => f.write_str("the persona owns no such car or part"),
            Self::Installed => f.write_str("the part is installed: take it out first"),
            Self::Loose => f.write_str("the part is not installed"),
            Self::DoesNotFit(why) => write!(f, "the part does not fit: {why}"),
            Self::LastCar => f.write_str(
                "it is the persona's last car, or all others are wagered, and a driver keeps one: buy another car first, or trade this \
                 one in at a dealer",
            ),
            Self::InRace => f.write_str("the car is in a race: wait until the race is over"),
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

impl Store {
    /// The verbs about cars and parts.
    pub fn garage(&self) -> Garage<'_> {
        Garage { store: self }
    }
}

impl Garage<'_> {
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

    /// The parts a persona owns that are in no car, each behind what it is fixed to.
    pub fn loose_parts(&self, owner: PersonaId) -> Result<Vec<Part>, StoreError> {
        let records = self.store.table().scan::<LooseRecord>(&key::loose_parts_of(owner))?;
        Ok(records.into_iter().flat_map(|record| record.parts).collect())
    }

    /// What is on its way to a persona: room is kept for that.
    pub fn expected(&self, owner: PersonaId) -> Result<Expected, StoreError> {
        deals::expected(self.store.table(), owner)
    }

    fn record(self, id: VehicleId) -> Result<Option<VehicleRecord>, StoreError> {
        self.store.table().get(&key::vehicle(id))
    }
}
