//! What the cars built in are sold with: the two lists that are known, and lists of ours for the other cars.
//!
//! The lists of the other cars are the Client's own property and come with the import of the Server Operator's own copy.
//! Until then each of those cars is sold with a complete set of generic parts: those of whichever of the two known cars its
//! maker is closer to, and a body of its own. So every car can be driven, repaired, taken apart and improved.

use super::cars::{Brand, Car};
use super::facts::Facts;
use mco_proto::ids::BrandedPartId;

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

/// The eight assemblies that every car has. As parts they carry the number of their kind.
pub(super) const ASSEMBLIES: [u32; 8] = [1001, 2001, 4001, 5001, 6001, 15_001, 36_001, 37_001];

/// Where on its parent a part sits: front and rear axle, else the one place there is (*captured*).
const ONLY: u8 = 0;
const FRONT: u8 = 10;
const REAR: u8 = 11;

/// The parts below the assemblies, each with its place.
type Parts = &'static [(u32, u8)];

/// The cars whose lists are known.
const KNOWN: &[(BrandedPartId, Parts)] = &[(BrandedPartId(104), FAIRLANE), (BrandedPartId(113), BEL_AIR)];

/// How many of the cars built in have the parts that the game gives them.
pub(super) const KNOWN_CARS: usize = KNOWN.len();

/// As *captured* in a vehicle answer that a Client accepted.
#[rustfmt::skip]
const FAIRLANE: Parts = &[
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
const BEL_AIR: Parts = &[
    (10_001, FRONT), (10_004, REAR), (11_004, FRONT), (11_004, REAR), (12_009, FRONT), (12_030, REAR),
    (20_113, ONLY), (22_009, ONLY), (31_153, ONLY), (40_016, ONLY),
    (100_002, FRONT), (100_002, REAR), (110_014, FRONT), (110_014, REAR),
    (130_021, ONLY), (140_021, ONLY),
    (160_006, ONLY), (180_014, ONLY), (190_016, ONLY), (200_002, ONLY), (230_001, ONLY), (240_001, ONLY),
    (250_026, ONLY), (280_024, ONLY), (290_003, ONLY), (300_001, ONLY), (320_020, ONLY), (330_052, ONLY),
    (340_002, ONLY), (1_000_123, ONLY), (1_100_001, ONLY), (1_200_034, ONLY),
];

/// The kind of bodies. The body of car 104 is part 20,104, that of car 113 is 20,113: so the other basic cars, 101 to 135,
/// are taken to have bodies of that form (*inferred*).
const BODY: u32 = 20_001;
const BODY_OF_CAR_0: u32 = 20_000;
/// The last of the basic cars.
const LAST_BASIC: u32 = 135;

/// Which basic car each other one is a variant of, by year, maker and name. The Cobra (320) is none; it gets the body of
/// another open two-seater.
#[rustfmt::skip]
const VARIANTS: &[(u32, u32)] = &[
    (159, 104), (171, 111), (184, 133), (190, 131), (208, 127), (236, 113), (320, 114), (335, 111), (336, 110),
    (337, 111), (338, 134), (339, 134), (340, 134), (341, 135), (342, 116), (343, 119), (344, 120), (345, 120),
    (346, 121), (347, 122), (348, 123), (349, 126), (350, 126), (351, 129), (352, 130), (353, 130), (354, 124),
    (355, 112), (356, 103), (357, 104), (358, 105), (359, 106), (360, 113), (361, 115), (362, 114), (363, 118),
    (364, 117), (365, 116), (366, 109), (367, 108), (368, 128), (369, 119), (370, 120), (371, 126), (372, 129),
    (373, 133), (374, 120),
];

/// Whether the list of this car is known.
pub(super) fn is_known(model: BrandedPartId) -> bool {
    KNOWN.iter().any(|(known, _)| *known == model)
}

/// The assemblies of a car built in, then what hangs on them.
pub(super) fn parts_of(facts: &Facts, car: &Car) -> Vec<StockPart> {
    let assemblies = ASSEMBLIES.into_iter().map(|assembly| StockPart {
        branded_part: BrandedPartId(assembly),
        parent: None,
        attachment_point: ONLY,
    });
    let parts = list(facts, car).into_iter().map(|(branded_part, attachment_point)| {
        let on = facts.kind_of(branded_part).and_then(|kind| kind.parent);
        let parent = ASSEMBLIES.iter().position(|assembly| Some(*assembly) == on);
        StockPart { branded_part, parent, attachment_point }
    });
    assemblies.chain(parts).collect()
}

fn list(facts: &Facts, car: &Car) -> Vec<(BrandedPartId, u8)> {
    let numbered = |parts: Parts| parts.iter().map(|&(part, point)| (BrandedPartId(part), point));
    if let Some((_, parts)) = KNOWN.iter().find(|(known, _)| *known == car.model) {
        return numbered(parts).collect();
    }
    let ford = [Brand::FORD, Brand::MERCURY, Brand::SHELBY].contains(&car.brand);
    let is_body = |part| facts.kind_of(part).is_some_and(|kind| kind.id == BODY);
    numbered(if ford { FAIRLANE } else { BEL_AIR })
        .map(|(part, point)| if is_body(part) { (body(car.model, part), point) } else { (part, point) })
        .collect()
}

/// The body of a car, or `other` for one whose body is not known.
fn body(model: BrandedPartId, other: BrandedPartId) -> BrandedPartId {
    let basic = VARIANTS.iter().find(|(variant, _)| *variant == model.0).map_or(model.0, |(_, basic)| *basic);
    if basic <= LAST_BASIC { BrandedPartId(BODY_OF_CAR_0 + basic) } else { other }
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;
    use mco_proto::ids::BrandedPartId;
    use std::collections::BTreeSet;

    #[test]
    fn every_car_built_in_has_a_complete_tree_in_which_each_part_fits() {
        let catalog = Catalog::builtin();
        for car in catalog.cars() {
            let parts = catalog.stock_parts(car.model).unwrap();
            assert_eq!(parts.len(), 40, "{car}");
            let mut slots = BTreeSet::new();
            for (at, part) in parts.iter().enumerate() {
                let on = part.parent.map_or(car.model, |parent| parts[parent].branded_part);
                assert!(part.parent.is_none_or(|parent| parent < at), "{car}");
                let there: Vec<_> = parts[..at]
                    .iter()
                    .filter(|other| other.parent == part.parent)
                    .map(|other| (other.branded_part, other.attachment_point))
                    .collect();
                let placed = (part.branded_part, part.attachment_point);
                assert_eq!(catalog.fits(placed, on, &there), Ok(()), "{car}: {}", part.branded_part);
                slots.insert((catalog.kind(part.branded_part).unwrap().id, part.attachment_point));
            }
            assert_eq!(slots.len(), 40, "{car}");
        }
    }

    #[test]
    fn a_variant_has_the_body_of_the_car_it_is_a_variant_of() {
        let catalog = Catalog::builtin();
        let has = |model, body| {
            let parts = catalog.stock_parts(BrandedPartId(model)).unwrap();
            parts.iter().any(|part| part.branded_part == BrandedPartId(body))
        };
        assert!(has(104, 20_104) && has(113, 20_113) && has(101, 20_101) && has(374, 20_120));
        for car in catalog.cars() {
            let basic = |car: &str| car.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
            let parts = catalog.stock_parts(car.model).unwrap();
            let body = parts.iter().find(|part| (20_001..21_000).contains(&part.branded_part.0)).unwrap();
            let of = catalog.car(BrandedPartId(body.branded_part.0 - 20_000)).unwrap();
            let alike = [171, 190, 184, 320, 335, 337, 338, 339, 340, 341, 349, 350, 351, 352, 353];
            assert!(
                basic(&of.to_string()) == basic(&car.to_string()) || alike.contains(&car.model.0),
                "{car} with the body of {of}"
            );
        }
    }
}
