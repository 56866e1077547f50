//! Parts that hang together: a car, or a loose part with what is fixed to it.

use crate::store::error::StoreError;
use crate::store::key;
use crate::store::records::vehicle::{LooseRecord, Part, VehicleRecord};
use crate::store::table::{Table, Transaction};
use mco_proto::ids::{BrandedPartId, PartId, PersonaId, VehicleId};

/// A car, or a loose part with what is fixed to it.
#[derive(Clone)]
pub(super) enum Assembly {
    Car(VehicleRecord),
    /// With the id under which it is stored.
    Loose(PartId, LooseRecord),
}

impl Assembly {
    /// Where `part` is, if it is in something that `owner` has. The car itself counts as a part.
    pub(super) fn find(table: &Table, owner: PersonaId, part: PartId) -> Result<Option<Self>, StoreError> {
        for id in table.scan::<u32>(&key::vehicles_of(owner))? {
            let Some(car) = table.get::<VehicleRecord>(&key::vehicle(VehicleId(id)))? else { continue };
            if id == part.0 || car.parts.iter().any(|other| other.id == part) {
                return Ok(Some(Self::Car(car)));
            }
        }
        let loose = table.scan::<LooseRecord>(&key::loose_parts_of(owner))?;
        let found = loose.into_iter().find(|record| record.parts.iter().any(|other| other.id == part));
        Ok(found.and_then(|record| Some(Self::Loose(record.parts.first()?.id, record))))
    }

    pub(super) fn parts(&self) -> &[Part] {
        match self {
            Self::Car(car) => &car.parts,
            Self::Loose(_, record) => &record.parts,
        }
    }

    pub(super) const fn parts_mut(&mut self) -> &mut Vec<Part> {
        match self {
            Self::Car(car) => &mut car.parts,
            Self::Loose(_, record) => &mut record.parts,
        }
    }

    /// Whether `part` is that to which everything here is fixed.
    pub(super) fn is_root(&self, part: PartId) -> bool {
        self.root() == part
    }

    pub(super) const fn root(&self) -> PartId {
        match self {
            Self::Car(car) => car.vehicle.id.part(),
            Self::Loose(root, _) => *root,
        }
    }

    pub(super) const fn car(&self) -> Option<VehicleId> {
        match self {
            Self::Car(car) => Some(car.vehicle.id),
            Self::Loose(..) => None,
        }
    }

    /// Which part it is that something is to be fixed to.
    pub(super) fn branded(&self, part: PartId) -> Option<BrandedPartId> {
        match self {
            Self::Car(car) if car.vehicle.id.part() == part => Some(car.vehicle.model),
            _ => self.parts().iter().find(|other| other.id == part).map(|other| other.branded_part),
        }
    }

    /// Takes out `part` with everything that is fixed to it, itself first.
    pub(super) fn take(&mut self, part: PartId) -> Vec<Part> {
        let all = self.parts_mut();
        let mut taken: Vec<Part> = all.extract_if(.., |other| other.id == part).collect();
        let mut looked_at = 0;
        while let Some(parent) = taken.get(looked_at).map(|part| part.id) {
            taken.extend(all.extract_if(.., |other| other.parent == Some(parent)));
            looked_at += 1;
        }
        taken
    }

    /// Stores it as it is now; a car counts the change.
    pub(super) fn put(&self, tx: &Transaction<'_>, owner: PersonaId) -> Result<(), StoreError> {
        match self {
            Self::Car(car) => {
                let mut car = car.clone();
                car.vehicle.delta = car.vehicle.delta.wrapping_add(1);
                tx.put(&key::vehicle(car.vehicle.id), &car)
            }
            Self::Loose(root, record) => tx.put(&key::loose_part(owner, *root), record),
        }
    }

    /// Removes it with all that is in it.
    pub(super) fn remove(&self, tx: &Transaction<'_>, owner: PersonaId) -> Result<(), StoreError> {
        match self {
            Self::Car(car) => {
                tx.remove(&key::vehicle(car.vehicle.id))?;
                tx.remove(&key::vehicle_of(owner, car.vehicle.id))
            }
            Self::Loose(root, _) => tx.remove(&key::loose_part(owner, *root)),
        }
    }
}
