//! The records of cars and loose parts.

use crate::store::record::{self, Record};
use mco_proto::ids::{BrandedPartId, PartId, PersonaId, SkinId, VehicleId};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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

/// A car with its parts, each of which belongs to the owner of the car.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct VehicleRecord {
    pub(in crate::store) vehicle: Vehicle,
    /// Without the root, by id.
    pub(in crate::store) parts: Vec<Part>,
}

impl Record for VehicleRecord {
    const WHAT: &'static str = "vehicle";
    const VERSION: u8 = 2;

    /// The first version had each part whole.
    fn older(version: u8, fields: &[u8]) -> Option<Self> {
        let (vehicle, parts) = (version == 1).then(|| record::whole(fields)).flatten()?;
        Some(Self { vehicle, parts })
    }
}

/// A part as it is stored with its car: a race writes all parts of a car anew, so each takes few bytes. Whose it is and which car it is in
/// the car says, and numbers that lie close together are stored as their distances.
#[derive(Serialize, Deserialize)]
struct Fixed {
    /// By how much its number is above the car's.
    number: i64,
    /// By how much the number of what it is fixed to is above its own; 0: it is fixed to nothing.
    parent: i64,
    branded_part: BrandedPartId,
    attachment_point: u8,
    damage: u8,
    wear: u32,
}

impl Fixed {
    fn of(part: &Part, car: VehicleId) -> Self {
        let number = i64::from(part.id.0);
        Self {
            number: number - i64::from(car.0),
            parent: part.parent.map_or(0, |parent| i64::from(parent.0) - number),
            branded_part: part.branded_part,
            attachment_point: part.attachment_point,
            damage: part.damage,
            wear: part.wear,
        }
    }

    /// None if its numbers are none.
    fn in_car(self, car: &Vehicle) -> Option<Part> {
        let number = |from: i64, distance| u32::try_from(from.checked_add(distance)?).ok().map(PartId);
        let id = number(car.id.0.into(), self.number)?;
        let parent = match self.parent {
            0 => None,
            distance => Some(number(id.0.into(), distance)?),
        };
        Some(Part {
            id,
            parent,
            branded_part: self.branded_part,
            owner: car.owner,
            vehicle: Some(car.id),
            attachment_point: self.attachment_point,
            damage: self.damage,
            wear: self.wear,
        })
    }
}

impl Serialize for VehicleRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let parts: Vec<Fixed> = self.parts.iter().map(|part| Fixed::of(part, self.vehicle.id)).collect();
        (&self.vehicle, parts).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for VehicleRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (vehicle, fixed) = <(Vehicle, Vec<Fixed>)>::deserialize(deserializer)?;
        let parts = fixed.into_iter().map(|part| part.in_car(&vehicle)).collect::<Option<_>>();
        let parts = parts.ok_or_else(|| D::Error::custom("the number of a part is none"))?;
        Ok(Self { vehicle, parts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::error::StoreError;
    use crate::store::record::{decode, encode};

    fn car(id: u32, numbers: &[(u32, Option<u32>)]) -> VehicleRecord {
        let (owner, vehicle) = (PersonaId(77), VehicleId(id));
        let part = |&(number, parent): &(u32, Option<u32>)| Part {
            id: PartId(number),
            parent: parent.map(PartId),
            branded_part: BrandedPartId(300_001),
            owner,
            vehicle: Some(vehicle),
            attachment_point: 9,
            damage: 55,
            wear: 1234,
        };
        let vehicle = Vehicle {
            id: vehicle,
            owner,
            model: BrandedPartId(104),
            skin: SkinId(47),
            flags: 3,
            delta: 8,
            car_class: 2,
            damage: vec![1, 2, 3],
        };
        VehicleRecord { vehicle, parts: numbers.iter().map(part).collect() }
    }

    #[test]
    fn a_car_comes_back_with_parts_of_any_numbers() {
        for (id, numbers) in [
            (
                50_000,
                &[(50_001, Some(50_000)), (50_002, Some(50_001)), (7, Some(50_002)), (90_000, None)][..],
            ),
            (1, &[(u32::MAX, Some(0)), (0, Some(u32::MAX)), (2, Some(1))][..]),
            (u32::MAX, &[(u32::MAX - 1, Some(u32::MAX)), (0, None)][..]),
            (9, &[][..]),
        ] {
            let record = car(id, numbers);
            assert_eq!(decode::<VehicleRecord>(&encode(&record).unwrap()), Ok(record));
        }
    }

    #[test]
    fn a_car_of_the_first_version_is_read_as_it_was() {
        let record = car(50_000, &[(50_001, Some(50_000)), (7, None)]);
        let fields = postcard::to_extend(&(&record.vehicle, &record.parts), vec![1]).unwrap();
        assert_eq!(decode::<VehicleRecord>(&fields), Ok(record));
    }

    #[test]
    fn a_part_with_an_impossible_number_is_damage() {
        for (number, parent) in [(-50_001, 0), (i64::MAX, 0), (1, -50_002), (1, i64::MIN)] {
            let VehicleRecord { vehicle, .. } = car(50_000, &[]);
            let part = Fixed {
                number,
                parent,
                branded_part: BrandedPartId(1),
                attachment_point: 0,
                damage: 0,
                wear: 0,
            };
            let bytes = postcard::to_extend(&(&vehicle, [part].as_slice()), vec![2]).unwrap();
            assert_eq!(decode::<VehicleRecord>(&bytes), Err(StoreError::Damaged { what: "vehicle" }));
        }
    }

    #[test]
    fn a_part_of_a_car_takes_few_bytes() {
        let numbers: Vec<_> = (50_001..50_046).map(|number| (number, Some(50_000))).collect();
        let bytes = encode(&car(50_000, &numbers)).unwrap();
        assert!(bytes.len() < 45 * 11, "{}", bytes.len());
    }
}
