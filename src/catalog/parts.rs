//! What a car is made of: the parts of a stock car, their wear limits and engine families.

use super::Catalog;
use super::facts::Facts;
use super::imported::{AssemblyRow, Imported, find};
use super::kinds::{CAR, PartKind};
use super::stock::{self, StockPart};
use mco_proto::ids::BrandedPartId;
use std::sync::Arc;

/// Which parts of the cars built in go with which family of engine blocks: for the Bel-Air *documented*, for the Fairlane *inferred*
/// (a Ford V8 of 1957 is of 272 to 312 cubic inches, which is family 15). Parts that are not here go with all, as far as known.
#[rustfmt::skip]
const FAMILIES: &[(u32, &[u32])] = &[
    (6, &[160_006, 180_014, 190_016, 200_002, 280_024, 320_020, 1_000_123, 1_100_001, 1_200_034]),
    (15, &[160_026, 180_018, 190_077, 200_066, 280_030, 320_098, 1_000_001, 1_100_119, 1_200_048]),
];

/// The wear at which a part is worn out: of nearly every part this, of a few a twentieth (*documented*).
pub const MAX_WEAR: u32 = 30_000;

impl Catalog {
    /// The kind of a part: as imported, else told by its number.
    pub fn kind(&self, part: BrandedPartId) -> Option<Arc<PartKind>> {
        self.facts().kind_of(part).map(Arc::clone)
    }

    /// What a car that is for sale is made of: its assemblies, then what hangs on them. With an imported catalogue also
    /// what an assembly is made of.
    pub fn stock_parts(&self, model: BrandedPartId) -> Option<Vec<StockPart>> {
        self.facts().stock_parts(model)
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

impl Facts {
    /// See [`Catalog::stock_parts`].
    pub(super) fn stock_parts(&self, model: BrandedPartId) -> Option<Vec<StockPart>> {
        match &self.imported {
            Some(imported) => imported_parts(self, imported, model),
            None => self.car(model).map(|car| stock::parts_of(self, car)),
        }
    }
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
    use crate::catalog::stock::ASSEMBLIES;

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
    fn what_is_not_for_sale_is_made_of_nothing() {
        assert_eq!(Catalog::builtin().stock_parts(BrandedPartId(402)), None);
    }

    #[test]
    fn prices_and_families_are_told_where_they_are_known() {
        let catalog = Catalog::builtin();
        assert_eq!(catalog.part_price(BrandedPartId(160_006)), Some(1140));
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
