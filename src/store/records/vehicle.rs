//! The records of cars and loose parts.

use crate::store::record::{self, Record};
use mco_proto::ids::{BrandedPartId, PartId, PersonaId, SkinId, VehicleId};
use serde::{Deserialize, Serialize};

/// A car.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vehicle {
    /// Its number, which is also the id of its root part.
    pub id: VehicleId,
    /// The persona it belongs to.
    pub owner: PersonaId,
    /// The model, as a number of the catalogue.
    pub model: BrandedPartId,
    /// The paint, as a number of the catalogue.
    pub skin: SkinId,
    /// Flags only the Client understands.
    pub flags: u32,
    /// Counts the changes to the car, so that the Client knows whether its copy of the car is up to date.
    pub delta: u32,
    /// The class in which it races.
    pub car_class: u8,
    /// The dents, as the Client wrote them; at most 2000 bytes.
    pub damage: Vec<u8>,
}

/// A part, in a car or loose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its number, unique among all parts and cars.
    pub id: PartId,
    /// The part it is fixed to, which may be the car itself. `None`: it is loose.
    pub parent: Option<PartId>,
    /// The kind of part, as a number of the catalogue.
    pub branded_part: BrandedPartId,
    /// The persona it belongs to.
    pub owner: PersonaId,
    /// The car it is in; `None`: it is in the inventory.
    pub vehicle: Option<VehicleId>,
    /// The place at its parent where it is fixed.
    pub attachment_point: u8,
    /// Damage in percent, 0 to 100.
    pub damage: u8,
    /// Wear, in the Client's units.
    pub wear: u32,
}

/// A loose part with what is fixed to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::store) struct LooseRecord {
    /// First the one that is fixed to nothing.
    pub(in crate::store) parts: Vec<Part>,
}

impl Record for LooseRecord {
    const WHAT: &'static str = "loose part";
    const VERSION: u8 = 2;

    /// The first version held one part.
    fn older(version: u8, fields: &[u8]) -> Option<Self> {
        let part = (version == 1).then(|| record::whole::<Part>(fields)).flatten()?;
        Some(Self { parts: vec![part] })
    }
}

/// A car with its parts.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::store) struct VehicleRecord {
    pub(in crate::store) vehicle: Vehicle,
    /// Without the root, by id.
    pub(in crate::store) parts: Vec<Part>,
}

impl Record for VehicleRecord {
    const WHAT: &'static str = "vehicle";
}
