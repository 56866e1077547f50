//! What fits where, and what makes a car a modified one. *Documented*, as far as the community read it out of the Client's
//! own tables; the table of the exact rules (`PartTypeCompatibility`) is kept, but nobody has seen its rows.

use super::{CarClass, Catalog};
use mco_proto::ids::BrandedPartId;

/// The kind of engine blocks: the block says of which family an engine is.
const ENGINE_BLOCK: u32 = 160_001;

/// Why a part does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The part is of no known kind.
    UnknownPart,
    /// What it would hang on is of no known kind.
    UnknownParent,
    /// Its kind hangs on another kind.
    WrongParent,
    /// Another part of its kind is in that place.
    Taken,
    /// It belongs to another family of engines.
    OtherFamily,
}

impl Misfit {
    /// For the log, without a full stop.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::UnknownPart => "it is of no known kind",
            Self::UnknownParent => "it would hang on something of no known kind",
            Self::WrongParent => "such parts hang on something else",
            Self::Taken => "the place is taken: take the other part out first",
            Self::OtherFamily => "it belongs to another family of engines",
        }
    }
}

/// A part, and where on its parent it sits.
pub type Placed = (BrandedPartId, u8);

impl Catalog {
    /// Whether a part may go onto the part `on`, to which `there` are fixed already; if not, why.
    ///
    /// It hangs on what its kind says, each place takes one part of a kind, and what goes with one family of engine blocks
    /// only goes with those of its own. Parts of no family go with all.
    pub fn fits(&self, part: Placed, on: BrandedPartId, there: &[Placed]) -> Result<(), Misfit> {
        let kind = self.kind(part.0).ok_or(Misfit::UnknownPart)?;
        let parent = self.kind(on).ok_or(Misfit::UnknownParent)?;
        if kind.parent != Some(parent.id) {
            return Err(Misfit::WrongParent);
        }
        let kind_of = |other: BrandedPartId| self.kind(other).map(|kind| kind.id);
        if there.iter().any(|other| other.1 == part.1 && kind_of(other.0) == Some(kind.id)) {
            return Err(Misfit::Taken);
        }
        let Some(family) = self.engine_family(part.0).filter(|_| kind.by_family) else { return Ok(()) };
        // A part has to go with the block, and a block with every part.
        let others = there.iter().filter(|other| {
            self.kind(other.0)
                .is_some_and(|other| other.by_family && (kind.id == ENGINE_BLOCK || other.id == ENGINE_BLOCK))
        });
        let strange = others.filter_map(|other| self.engine_family(other.0)).any(|other| other != family);
        if strange { Err(Misfit::OtherFamily) } else { Ok(()) }
    }

    /// Whether a car of this model with these parts is no longer as it was sold: something is in it, of a kind that makes
    /// a difference, that it is not sold with. What was taken out makes no difference. `None`: it is not for sale, so nobody
    /// knows what it would be sold with.
    pub fn is_modified(
        &self,
        model: BrandedPartId,
        parts: impl IntoIterator<Item = BrandedPartId>,
    ) -> Option<bool> {
        let stock = self.stock_parts(model)?;
        let is_stock = |part| stock.iter().any(|stock| stock.branded_part == part);
        let matters = |part| self.kind(part).is_none_or(|kind| !kind.stays_stock);
        Some(parts.into_iter().any(|part| !is_stock(part) && matters(part)))
    }

    /// The class in which a car races: 0 stock, 1 stock muscle, 2 modified classic, 3 modified muscle (*documented*). `body`
    /// is the class of its model. Where nobody knows with what it is sold it counts as unmodified.
    pub fn race_class(
        &self,
        model: BrandedPartId,
        body: u8,
        parts: impl IntoIterator<Item = BrandedPartId>,
    ) -> u8 {
        const MODIFIED: u8 = 2;
        let modified = self.is_modified(model, parts).unwrap_or(false);
        u8::from(body == CarClass::Muscle.number()) + if modified { MODIFIED } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::sample;

    const BEL_AIR: BrandedPartId = BrandedPartId(113);
    const ENGINE: BrandedPartId = BrandedPartId(36_001);
    const BLOCK: u32 = 160_006;
    const CAMSHAFT: u32 = 1_100_001;
    /// Of the Fairlane.
    const STRANGE_BLOCK: u32 = 160_026;
    const STRANGE_CAMSHAFT: u32 = 1_100_119;

    fn both() -> [Catalog; 2] {
        [Catalog::builtin(), Catalog::of(sample::catalogue())]
    }

    fn placed(parts: &[u32]) -> Vec<Placed> {
        parts.iter().map(|part| (BrandedPartId(*part), 0)).collect()
    }

    fn fits(catalog: &Catalog, part: u32, on: u32, there: &[u32]) -> Result<(), Misfit> {
        catalog.fits((BrandedPartId(part), 0), BrandedPartId(on), &placed(there))
    }

    #[test]
    fn a_part_goes_onto_the_kind_it_belongs_to_and_where_no_other_sits() {
        for catalog in both() {
            assert_eq!(fits(&catalog, 300_001, 37_001, &[290_003]), Ok(()));
            assert!(fits(&catalog, 300_001, 37_001, &[300_001]).is_err());
            assert!(fits(&catalog, 300_001, 36_001, &[]).is_err());
            assert!(fits(&catalog, 300_001, 113, &[]).is_err());
            assert!(fits(&catalog, 113, 37_001, &[]).is_err(), "a car hangs on nothing");
            assert!(fits(&catalog, 50, 37_001, &[]).is_err(), "nobody knows it");
            let (front, rear) = (10, 11);
            let tire = BrandedPartId(110_014);
            assert_eq!(catalog.fits((tire, front), BrandedPartId(15_001), &[(tire, rear)]), Ok(()));
            assert!(catalog.fits((tire, front), BrandedPartId(15_001), &[(tire, front)]).is_err());
        }
    }

    #[test]
    fn what_is_in_an_engine_is_of_its_blocks_family() {
        for catalog in both() {
            let fits = |part, there: &[u32]| fits(&catalog, part, ENGINE.0, there);
            assert_eq!(fits(CAMSHAFT, &[BLOCK, 230_001]), Ok(()));
            assert_eq!(fits(STRANGE_CAMSHAFT, &[BLOCK]), Err(Misfit::OtherFamily));
            assert!(fits(CAMSHAFT, &[STRANGE_BLOCK]).is_err());
            assert!(
                fits(BLOCK, &[180_014, STRANGE_CAMSHAFT]).is_err(),
                "the block has to go with what is there"
            );
            assert_eq!(fits(BLOCK, &[180_014, CAMSHAFT]), Ok(()));
            assert_eq!(fits(STRANGE_CAMSHAFT, &[180_014]), Ok(()), "without a block nothing is decided");
            assert_eq!(fits(230_001, &[STRANGE_BLOCK]), Ok(()), "a cooling system goes with all");
        }
    }

    #[test]
    fn a_part_of_no_family_goes_with_every_block() {
        let catalog = Catalog::of(sample::catalogue());
        for block in [BLOCK, STRANGE_BLOCK] {
            assert_eq!(fits(&catalog, sample::CAMSHAFT_FOR_ALL.0, ENGINE.0, &[block]), Ok(()));
        }
    }

    #[test]
    fn a_car_is_modified_by_a_part_that_matters_and_that_it_is_not_sold_with() {
        for catalog in both() {
            let stock: Vec<_> =
                catalog.stock_parts(BEL_AIR).unwrap().iter().map(|part| part.branded_part).collect();
            let modified = |extra: &[u32]| {
                let extra = extra.iter().copied().map(BrandedPartId);
                catalog.is_modified(BEL_AIR, stock.iter().copied().chain(extra))
            };
            assert_eq!(modified(&[]), Some(false));
            assert_eq!(catalog.is_modified(BEL_AIR, stock[..20].iter().copied()), Some(false), "half of it");
            assert_eq!(modified(&[110_021, 22_014]), Some(false), "tires and a horn do not matter");
            assert_eq!(modified(&[STRANGE_CAMSHAFT]), Some(true));
            assert_eq!(catalog.is_modified(BrandedPartId(402), stock.iter().copied()), None);
            let class = |body, extra: &[u32]| {
                catalog.race_class(BEL_AIR, body, extra.iter().copied().map(BrandedPartId))
            };
            assert_eq!([class(2, &[]), class(3, &[])], [0, 1]);
            assert_eq!([class(2, &[STRANGE_CAMSHAFT]), class(3, &[STRANGE_CAMSHAFT])], [2, 3]);
        }
    }
}
