//! The data that lookups use: the facts built in, or the owner's own catalogue once it is imported.

use super::cars::{self, Brand, Car, CarClass};
use super::city::TUNABLES;
use super::imported::{Imported, KindRow, VehicleRow, find};
use super::kinds::{KINDS, PartKind};
use mco_proto::ids::BrandedPartId;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Cars, kinds of parts, and the imported rest.
#[derive(Debug)]
pub(super) struct Facts {
    /// Sorted by number.
    pub(super) cars: Vec<Arc<Car>>,
    /// Sorted by number.
    pub(super) kinds: Vec<Arc<PartKind>>,
    /// The owner's own catalogue, if there is one.
    pub(super) imported: Option<Imported>,
    /// Parts that count for less than their price when they are sold again; see [`Self::find_resale_limits`].
    pub(super) resale_limits: BTreeMap<BrandedPartId, u32>,
}

impl Facts {
    pub(super) fn builtin() -> Self {
        let cars = cars::CARS.iter().cloned().map(Arc::new).collect();
        let kinds = KINDS.iter().cloned().map(Arc::new).collect();
        Self::new(cars, kinds, None)
    }

    fn new(cars: Vec<Arc<Car>>, kinds: Vec<Arc<PartKind>>, imported: Option<Imported>) -> Self {
        let mut facts = Self { cars, kinds, imported, resale_limits: BTreeMap::new() };
        facts.find_resale_limits(TUNABLES.scrap_percent);
        facts
    }

    pub(super) fn of(imported: Imported) -> Self {
        let cars = imported.for_sale().filter_map(|vehicle| car(&imported, vehicle)).map(Arc::new).collect();
        let kinds = imported.kinds.iter().map(|kind| {
            let name = Cow::Owned(kind.name.to_lowercase());
            let KindRow { id, parent, stays_stock, by_family, .. } = *kind;
            Arc::new(PartKind { id, parent, name, stays_stock, by_family })
        });
        let kinds = kinds.collect();
        Self::new(cars, kinds, Some(imported))
    }

    pub(super) fn car(&self, model: BrandedPartId) -> Option<&Arc<Car>> {
        self.cars.binary_search_by_key(&model, |car| car.model).ok().and_then(|at| self.cars.get(at))
    }

    fn kind(&self, id: u32) -> Option<&Arc<PartKind>> {
        self.kinds.binary_search_by_key(&id, |kind| kind.id).ok().and_then(|at| self.kinds.get(at))
    }

    /// The kind of a part: as imported, else told by its number.
    pub(super) fn kind_of(&self, part: BrandedPartId) -> Option<&Arc<PartKind>> {
        if let Some(imported) = &self.imported {
            return self.kind(imported.kind_of(part.0)?.id);
        }
        let behind = self.kinds.partition_point(|kind| kind.id <= part.0);
        self.kinds.get(behind.checked_sub(1)?)
    }
}

/// A car as dealers know it. The name of its type is year, maker and name in one (*seen* in the data).
fn car(imported: &Imported, vehicle: &VehicleRow) -> Option<Car> {
    let part = find(&imported.parts, vehicle.id)?;
    let part_type = find(&imported.part_types, part.part_type)?;
    let model = find(&imported.models, part.model);
    let brand = model.and_then(|model| find(&imported.brands, model.brand));
    let brand = brand.map_or(Brand::UNKNOWN, |brand| Brand::new(brand.id, brand.name.clone()));
    let class = CarClass::from_number(vehicle.class)?;
    let (year, name) = match part_type.name.split_once(' ') {
        Some((year, rest)) if year.len() == 4 && year.parse::<u16>().is_ok() => {
            (year.parse().unwrap_or(0), rest)
        }
        _ => (0, part_type.name.as_str()),
    };
    let name = name.strip_prefix(brand.name()).unwrap_or(name).trim();
    let name = match (name, model) {
        ("", Some(model)) => model.name.clone(),
        _ => name.to_owned(),
    };
    let model = BrandedPartId(vehicle.id);
    Some(Car { model, year, brand, name: Cow::Owned(name), class, price: vehicle.price })
}
