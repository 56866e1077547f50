//! What a car is made of: the parts of a stock car, their prices, wear limits and engine families.

use super::Catalog;
use super::facts::Facts;
use super::imported::{AssemblyRow, Imported, find};
use super::kinds::{CAR, PartKind};
use mco_proto::ids::BrandedPartId;
use std::sync::Arc;

/// The eight assemblies that every car has. As parts they carry the number of their kind.
const ASSEMBLIES: [u32; 8] = [1001, 2001, 4001, 5001, 6001, 15_001, 36_001, 37_001];

/// Where on its parent a part sits: front and rear axle, else the one place there is (*captured*).
const ONLY: u8 = 0;
const FRONT: u8 = 10;
const REAR: u8 = 11;

/// What a stock car has below its assemblies. The lists of the other cars are the Client's own property and come with
/// the import of the Operator's own copy; until then those cars are sold with their assemblies only.
const STOCK: &[(BrandedPartId, &[(u32, u8)])] =
    &[(BrandedPartId(104), FAIRLANE), (BrandedPartId(113), BEL_AIR)];

/// How many of the cars built in are complete.
pub(super) const KNOWN_CARS: usize = STOCK.len();

/// As *captured* in a vehicle answer that a Client accepted.
#[rustfmt::skip]
const FAIRLANE: &[(u32, u8)] = &[
    (10_001, FRONT), (10_004, REAR), (11_004, FRONT), (11_004, REAR), (12_010, FRONT), (12_022, REAR),
    (20_104, ONLY), (22_014, ONLY), (31_153, ONLY), (40_006, ONLY),
    (100_006, FRONT), (100_006, REAR), (110_021, FRONT), (110_021, REAR),
    (130_047, ONLY), (140_007, ONLY),
    (160_026, ONLY), (180_018, ONLY), (190_077, ONLY), (200_066, ONLY), (230_001, ONLY), (240_001, ONLY),
    (250_030, ONLY), (280_030, ONLY), (290_001, ONLY), (300_001, ONLY), (320_098, ONLY), (330_020, ONLY),
    (340_002, ONLY), (1_000_001, ONLY), (1_100_119, ONLY), (1_200_048, ONLY),
];

/// As *documented* by the community.
#[rustfmt::skip]
const BEL_AIR: &[(u32, u8)] = &[
    (10_001, FRONT), (10_004, REAR), (11_004, FRONT), (11_004, REAR), (12_009, FRONT), (12_030, REAR),
    (20_113, ONLY), (22_009, ONLY), (31_153, ONLY), (40_016, ONLY),
    (100_002, FRONT), (100_002, REAR), (110_014, FRONT), (110_014, REAR),
    (130_021, ONLY), (140_021, ONLY),
    (160_006, ONLY), (180_014, ONLY), (190_016, ONLY), (200_002, ONLY), (230_001, ONLY), (240_001, ONLY),
    (250_026, ONLY), (280_024, ONLY), (290_003, ONLY), (300_001, ONLY), (320_020, ONLY), (330_052, ONLY),
    (340_002, ONLY), (1_000_123, ONLY), (1_100_001, ONLY), (1_200_034, ONLY),
];

/// Dollars for a new part, as far as known: those of the Bel-Air.
#[rustfmt::skip]
const PRICES: &[(u32, u32)] = &[
    (10_001, 138), (10_004, 107), (11_004, 42), (12_009, 176), (12_030, 97), (20_113, 1000), (22_009, 25),
    (31_153, 50), (40_016, 30), (100_002, 36), (110_014, 129), (130_021, 1058), (140_021, 962), (160_006, 1140),
    (180_014, 180), (190_016, 133), (200_002, 54), (230_001, 242), (240_001, 174), (250_026, 174), (280_024, 179),
    (290_003, 37), (300_001, 49), (320_020, 212), (330_052, 175), (340_002, 56), (1_000_123, 831),
    (1_100_001, 444), (1_200_034, 74),
];

/// Which of the parts above go with which family of engine blocks: for the Bel-Air *documented*, for the Fairlane *inferred*
/// (a Ford V8 of 1957 is of 272 to 312 cubic inches, which is family 15). Parts that are not here go with all, as far as known.
#[rustfmt::skip]
const FAMILIES: &[(u32, &[u32])] = &[
    (6, &[160_006, 180_014, 190_016, 200_002, 280_024, 320_020, 1_000_123, 1_100_001, 1_200_034]),
    (15, &[160_026, 180_018, 190_077, 200_066, 280_030, 320_098, 1_000_001, 1_100_119, 1_200_048]),
];

/// The wear at which a part is worn out: of nearly every part this, of a few a twentieth (*documented*).
pub const MAX_WEAR: u32 = 30_000;

/// A part of a car as it leaves the dealer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StockPart {
    /// Number of the part.
    pub branded_part: BrandedPartId,
    /// What it hangs on: an index into the list it is in, or the car itself.
    pub parent: Option<usize>,
    /// Where on its parent: 10 front, 11 rear, 0 otherwise.
    pub attachment_point: u8,
}

impl Catalog {
    /// The kind of a part: as imported, else told by its number.
    pub fn kind(&self, part: BrandedPartId) -> Option<Arc<PartKind>> {
        self.facts().kind_of(part).map(Arc::clone)
    }

    /// What a car that is for sale is made of: its assemblies, then what hangs on them. With an imported catalogue also
    /// what an assembly is made of.
    pub fn stock_parts(&self, model: BrandedPartId) -> Option<Vec<StockPart>> {
        let facts = self.facts();
        match &facts.imported {
            Some(imported) => imported_parts(&facts, imported, model),
            None => facts.car(model).map(|_| builtin_parts(&facts, model)),
        }
    }

    /// Whether every part of a car that is for sale is known.
    pub(super) fn is_complete(&self, model: BrandedPartId) -> bool {
        let facts = self.facts();
        facts.car(model).is_some()
            && (facts.imported.is_some() || STOCK.iter().any(|(known, _)| *known == model))
    }

    /// Dollars for a new part, where known.
    pub fn part_price(&self, part: BrandedPartId) -> Option<u32> {
        match &self.facts().imported {
            Some(imported) => find(&imported.parts, part.0).map(|part| part.price),
            None => PRICES.iter().find(|(id, _)| *id == part.0).map(|(_, price)| *price),
        }
    }

    /// The wear at which a part is worn out.
    pub fn max_wear(&self, part: BrandedPartId) -> u32 {
        let facts = self.facts();
        let imported = facts.imported.as_ref().and_then(|imported| find(&imported.parts, part.0));
        imported.map_or(MAX_WEAR, |part| part.max_wear)
    }

    /// The family of engine blocks a part belongs to or fits. `None`: it fits all, as far as known.
    pub fn engine_family(&self, part: BrandedPartId) -> Option<u32> {
        let Some(imported) = &self.facts().imported else {
            let family = FAMILIES.iter().find(|(_, parts)| parts.contains(&part.0));
            return family.map(|(family, _)| *family);
        };
        let family = find(&imported.parts, part.0)?.family;
        (family != 0).then_some(family)
    }
}

fn builtin_parts(facts: &Facts, model: BrandedPartId) -> Vec<StockPart> {
    let known = STOCK.iter().find(|(known, _)| *known == model).map_or(&[][..], |(_, parts)| parts);
    let assemblies = ASSEMBLIES.into_iter().map(|assembly| StockPart {
        branded_part: BrandedPartId(assembly),
        parent: None,
        attachment_point: ONLY,
    });
    let parts = known.iter().map(|&(part, attachment_point)| {
        let branded_part = BrandedPartId(part);
        let on = facts.kind_of(branded_part).and_then(|kind| kind.parent);
        let parent = ASSEMBLIES.iter().position(|assembly| Some(*assembly) == on);
        StockPart { branded_part, parent, attachment_point }
    });
    assemblies.chain(parts).collect()
}

/// A whole's parts are listed flat; each hangs on the one whose kind its own kind names. In two passes, for some lists
/// name a part before the assembly it hangs on (*seen* in the data).
fn imported_parts(facts: &Facts, imported: &Imported, whole: BrandedPartId) -> Option<Vec<StockPart>> {
    let root = imported.kind_of(whole.0)?.id;
    let rows = imported.parts_in(whole.0);
    if rows.is_empty() || (root == CAR && facts.car(whole).is_none()) {
        return None;
    }
    let on = |part| imported.kind_of(part).and_then(|kind| kind.parent);
    let (first, then): (Vec<_>, Vec<_>) =
        rows.iter().copied().partition(|row: &AssemblyRow| on(row.part) == Some(root));
    let part = |row: &AssemblyRow, parent| StockPart {
        branded_part: BrandedPartId(row.part),
        parent,
        attachment_point: row.attachment_point,
    };
    let mut parts: Vec<StockPart> = first.iter().map(|row| part(row, None)).collect();
    for row in then {
        let kind = on(row.part);
        let parent = first.iter().position(|row| imported.kind_of(row.part).map(|kind| kind.id) == kind);
        parts.push(part(&row, parent));
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::KINDS;

    #[test]
    fn kinds_stand_in_order_and_hang_on_the_car_directly_or_by_way_of_an_assembly() {
        assert!(KINDS.is_sorted_by(|a, b| a.id < b.id));
        for parent in KINDS.iter().filter_map(|kind| kind.parent) {
            assert!(parent == CAR || ASSEMBLIES.contains(&parent), "{parent}");
        }
    }

    #[test]
    fn a_part_is_told_by_its_number() {
        let kind = |part| Catalog::builtin().kind(BrandedPartId(part)).map(|kind| kind.name.to_string());
        assert_eq!(kind(110_014).as_deref(), Some("tires"));
        assert_eq!(kind(113).as_deref(), Some("car"));
        assert_eq!((kind(100), kind(u32::MAX).as_deref()), (None, Some("valve covers")));
    }

    #[test]
    fn the_two_known_cars_are_complete_as_captured() {
        for model in [104, 113] {
            let parts = Catalog::builtin().stock_parts(BrandedPartId(model)).unwrap();
            assert_eq!(parts.len(), 40);
            assert!(parts[..8].iter().all(|part| part.parent.is_none()));
            assert!(parts[8..].iter().all(|part| part.parent.is_some_and(|parent| parent < 8)));
            let engine = parts.iter().find(|part| (160_001..170_000).contains(&part.branded_part.0)).unwrap();
            assert_eq!(parts[engine.parent.unwrap()].branded_part, BrandedPartId(36_001));
        }
    }

    #[test]
    fn every_other_car_has_its_assemblies_and_what_is_not_for_sale_has_nothing() {
        let catalog = Catalog::builtin();
        for car in catalog.cars() {
            assert!(catalog.stock_parts(car.model).unwrap().len() >= ASSEMBLIES.len());
        }
        assert_eq!(catalog.stock_parts(BrandedPartId(402)), None);
    }

    #[test]
    fn prices_and_families_are_told_where_they_are_known() {
        let catalog = Catalog::builtin();
        assert_eq!(catalog.part_price(BrandedPartId(160_006)), Some(1140));
        assert_eq!(catalog.part_price(BrandedPartId(160_026)), None);
        assert_eq!(catalog.engine_family(BrandedPartId(230_001)), None);
        let parts = catalog.stock_parts(BrandedPartId(113)).unwrap();
        assert!(parts[8..].iter().all(|part| catalog.part_price(part.branded_part).is_some()));
        for (model, family) in [(113, 6), (104, 15)] {
            let parts = catalog.stock_parts(BrandedPartId(model)).unwrap();
            let by_family = parts.iter().filter(|part| catalog.kind(part.branded_part).unwrap().by_family);
            assert!(by_family.clone().count() == 9);
            assert!(
                by_family.into_iter().all(|part| catalog.engine_family(part.branded_part) == Some(family))
            );
        }
    }
}
