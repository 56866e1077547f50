//! Which car may wear which paint.

use super::Catalog;
use super::imported::{SkinRow, find};
use mco_proto::ids::{BrandedPartId, SkinId};

/// A paint of a car.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skin {
    /// Its number; 0 leaves the choice to the Client (*inferred*: it then draws the car's first).
    pub id: SkinId,
    /// Price in dollars.
    pub price: u32,
    /// Its English name.
    pub name: String,
    /// The flags of a car that wears it: 1 for those sold rusty, else 0 (*documented*).
    pub flags: u32,
}

/// The price of what is not for sale (*documented*).
const NOT_FOR_SALE: u32 = 99_999_999;

/// The paint in which the recorded Fairlane was sold. Which paints other cars have is known to the Client only.
const PAINTS: &[(BrandedPartId, SkinId)] = &[(BrandedPartId(104), SkinId(47))];

impl Skin {
    /// A paint of which only the number is known.
    const fn unknown(id: SkinId) -> Self {
        Self { id, price: 0, name: String::new(), flags: 0 }
    }

    fn of(row: &SkinRow) -> Self {
        Self { id: SkinId(row.id), price: row.price, name: row.name.clone(), flags: row.flags }
    }
}

impl Catalog {
    /// The paints that are made for a car, by number, those that are not for sale too; none where they are not known.
    pub fn skins(&self, model: BrandedPartId) -> Vec<Skin> {
        let facts = self.facts();
        let Some(imported) = &facts.imported else { return Vec::new() };
        let Some(part) = find(&imported.parts, model.0) else { return Vec::new() };
        imported.skins.iter().filter(|skin| skin.part_type == part.part_type).map(Skin::of).collect()
    }

    /// The paints in which a car can be painted, by number: those that are made for it and for sale. None where they are not known.
    pub fn paints_for_sale(&self, model: BrandedPartId) -> Vec<Skin> {
        let mut all = self.skins(model);
        all.retain(|skin| skin.price < NOT_FOR_SALE);
        all
    }

    /// The paint of a car whose buyer chose none, where known: the first that is a plain colour.
    pub fn default_skin(&self, model: BrandedPartId) -> Option<Skin> {
        let facts = self.facts();
        let Some(imported) = &facts.imported else {
            return PAINTS.iter().find(|(id, _)| *id == model).map(|(_, skin)| Skin::unknown(*skin));
        };
        let part_type = find(&imported.parts, model.0)?.part_type;
        imported.plain_paint(part_type).map(Skin::of)
    }

    /// The paint in which a car is sold to whoever wants `wanted`: that one if it is made for this car and for sale,
    /// else the default (*documented* for numbers nobody knows). Where paints are not known the buyer's Client knows best.
    pub fn paint(&self, model: BrandedPartId, wanted: SkinId) -> Skin {
        const NONE: SkinId = SkinId(0);
        let chosen = match &self.facts().imported {
            None => (wanted != NONE).then_some(Skin::unknown(wanted)),
            Some(_) => {
                self.skins(model).into_iter().find(|skin| skin.id == wanted && skin.price < NOT_FOR_SALE)
            }
        };
        chosen.or_else(|| self.default_skin(model)).unwrap_or(Skin::unknown(NONE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::sample;

    const FAIRLANE: BrandedPartId = BrandedPartId(104);
    const BEL_AIR: BrandedPartId = BrandedPartId(113);

    #[test]
    fn where_paints_are_not_known_the_buyer_chooses_and_who_does_not_gets_the_known_one() {
        let catalog = Catalog::builtin();
        assert_eq!(catalog.paint(BEL_AIR, SkinId(885)).id, SkinId(885));
        assert_eq!(catalog.paint(FAIRLANE, SkinId(0)).id, SkinId(47));
        assert_eq!(catalog.paint(BEL_AIR, SkinId(0)).id, SkinId(0));
        assert!(catalog.skins(FAIRLANE).is_empty());
    }

    #[test]
    fn a_paint_of_another_car_or_not_for_sale_or_of_nobody_becomes_the_first_plain_one() {
        let catalog = Catalog::of(sample::catalogue());
        assert_eq!(catalog.paint(BEL_AIR, sample::FLAMES).id, sample::FLAMES);
        assert_eq!(catalog.paint(BEL_AIR, sample::RUST).flags, 1);
        for wanted in [SkinId(0), sample::NOT_FOR_SALE, sample::PLAIN_FAIRLANE, SkinId(u32::MAX)] {
            let paint = catalog.paint(BEL_AIR, wanted);
            assert_eq!((paint.id, paint.flags), (sample::PLAIN_BEL_AIR, 0), "{wanted}");
        }
        assert_eq!(catalog.paint(FAIRLANE, sample::FLAMES).id, sample::PLAIN_FAIRLANE);
    }
}
