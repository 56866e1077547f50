//! For tests: a small catalogue as an import brings it, made of the facts built in. It has the two cars of which every part
//! is known, and what the built-in one lacks: wear limits, paints, and a part for engines of every family.

use super::cars::CARS;
use super::imported::{
    AssemblyRow, BrandRow, Imported, KindRow, ModelRow, Origin, PartRow, PartTypeRow, PricingGuide, SkinRow,
    VehicleRow,
};
use super::{Catalog, MAX_WEAR};
use mco_proto::ids::{BrandedPartId, SkinId};
use std::collections::BTreeSet;

pub(crate) const CAMSHAFT_FOR_ALL: BrandedPartId = BrandedPartId(1_100_500);
pub(crate) const PLAIN_FAIRLANE: SkinId = SkinId(47);
pub(crate) const PLAIN_BEL_AIR: SkinId = SkinId(60);
pub(crate) const FLAMES: SkinId = SkinId(70);
pub(crate) const RUST: SkinId = SkinId(71);
pub(crate) const NOT_FOR_SALE: SkinId = SkinId(72);
/// A part that wears out soon.
pub(crate) const MUFFLER: BrandedPartId = BrandedPartId(300_001);
pub(crate) const MUFFLER_WEAR: u32 = 1500;

const MODELS: [u32; 2] = [104, 113];

/// Types of parts have numbers of their own.
const fn type_of(part: u32) -> u32 {
    part + 5_000_000
}

pub(crate) fn catalogue() -> Imported {
    let known = Catalog::builtin();
    let assemblies: Vec<AssemblyRow> = MODELS
        .into_iter()
        .flat_map(|whole| {
            let parts = known.stock_parts(BrandedPartId(whole)).unwrap();
            parts.into_iter().map(move |part| AssemblyRow {
                whole,
                part: part.branded_part.0,
                attachment_point: part.attachment_point,
            })
        })
        .collect();
    let mut numbers: BTreeSet<u32> = assemblies.iter().map(|row| row.part).chain(MODELS).collect();
    numbers.insert(CAMSHAFT_FOR_ALL.0);
    let kind = |part| known.kind(BrandedPartId(part)).unwrap();
    let skin = |id: SkinId, car, kind, price, flags| {
        let name = format!("paint {id}");
        SkinRow { id: id.0, part_type: type_of(car), kind, price, flags, name }
    };
    Imported {
        origin: Origin { file: "sample.mdb".to_owned(), bytes: 1, sha256: [7; 32], jet: 3, imported: 1 },
        brands: vec![BrandRow { id: 1, name: "Ford".to_owned(), cars: true }],
        models: vec![ModelRow { id: 1, brand: 1, name: "Sample".to_owned() }],
        kinds: super::kinds::KINDS
            .iter()
            .map(|kind| KindRow {
                id: kind.id,
                parent: kind.parent,
                name: kind.name.to_string(),
                stays_stock: kind.stays_stock,
                paired: false,
                by_family: kind.by_family,
            })
            .collect(),
        part_types: numbers
            .iter()
            .map(|&part| PartTypeRow {
                id: type_of(part),
                kind: kind(part).id,
                grade: 1,
                name: format!("type {part}"),
            })
            .collect(),
        parts: numbers
            .iter()
            .map(|&id| PartRow {
                id,
                part_type: type_of(id),
                model: 1,
                price: known.part_price(BrandedPartId(id)).unwrap_or_default(),
                max_wear: if id == MUFFLER.0 { MUFFLER_WEAR } else { MAX_WEAR },
                family: known.engine_family(BrandedPartId(id)).unwrap_or_default(),
                quantity: 0,
            })
            .collect(),
        assemblies,
        vehicles: CARS
            .iter()
            .filter(|car| MODELS.contains(&car.model.0))
            .map(|car| VehicleRow {
                id: car.model.0,
                class: car.class.number(),
                mode: 0,
                base: car.model.0,
                price: car.price,
            })
            .collect(),
        skins: vec![
            skin(PLAIN_FAIRLANE, 104, 1, 200, 0),
            skin(PLAIN_BEL_AIR, 113, 1, 200, 0),
            skin(FLAMES, 113, 4, 5000, 0),
            skin(RUST, 113, 7, 50, 1),
            skin(NOT_FOR_SALE, 113, 2, 99_999_999, 0),
        ],
        attachment_points: Vec::new(),
        families: Vec::new(),
        tracks: Vec::new(),
        race_types: Vec::new(),
        driver_classes: Vec::new(),
        compatibilities: Vec::new(),
        pricing: PricingGuide::default(),
    }
}
