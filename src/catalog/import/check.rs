//! Whether an import fits together, and what it brings, for people.

use super::super::imported::{Imported, find};
use std::fmt;

/// What does not fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// This many parts of assemblies and cars are unknown, this one for instance.
    UnknownParts(usize, u32),
    /// In this many cars a part has nothing to hang on, in this one for instance.
    Unattached(usize, u32),
    /// This many cars for sale have no plain paint, this one for instance.
    Unpainted(usize, u32),
    /// There is no car for sale.
    NoCars,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownParts(count, part) => {
                write!(f, "{count} parts of its cars are in no list of parts (such as {part})")
            }
            Self::Unattached(count, car) => {
                write!(f, "the parts of {count} cars do not hang together (such as {car})")
            }
            Self::Unpainted(count, car) => write!(f, "{count} cars for sale have no paint (such as {car})"),
            Self::NoCars => f.write_str("it has no car for sale"),
        }
    }
}

/// The first thing that does not fit together.
pub(super) fn unsound(imported: &Imported) -> Option<Finding> {
    let unknown =
        imported.assemblies.iter().map(|row| row.part).filter(|part| imported.kind_of(*part).is_none());
    let cars = || imported.vehicles.iter().map(|car| car.id);
    let loose = cars().filter(|car| !hangs_together(imported, *car));
    let bare = imported.for_sale().map(|car| car.id).filter(|car| !is_painted(imported, *car));
    let no_cars = imported.for_sale().next().is_none();
    some(unknown, Finding::UnknownParts)
        .or_else(|| some(loose, Finding::Unattached))
        .or_else(|| some(bare, Finding::Unpainted))
        .or_else(|| no_cars.then_some(Finding::NoCars))
}

fn some(mut bad: impl Iterator<Item = u32>, finding: impl Fn(usize, u32) -> Finding) -> Option<Finding> {
    let first = bad.next()?;
    Some(finding(bad.count() + 1, first))
}

/// Whether each part's kind hangs on the car's own kind, or on that of another part which does. So no kinds can hang on each
/// other in a circle, and none is more than two levels below the car (*checked* on the data).
fn hangs_together(imported: &Imported, car: u32) -> bool {
    let parts = || imported.parts_in(car).iter().filter_map(|row| imported.kind_of(row.part));
    let kind = imported.kind_of(car).map(|kind| kind.id);
    parts().all(|part| {
        part.parent.is_some()
            && (part.parent == kind
                || parts().any(|other| Some(other.id) == part.parent && other.parent == kind))
    })
}

fn is_painted(imported: &Imported, car: u32) -> bool {
    find(&imported.parts, car).is_some_and(|part| imported.plain_paint(part.part_type).is_some())
}

/// What an import brings, in numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// What there is, and how many of it.
    pub counts: Vec<(&'static str, usize)>,
    /// What is not as in the one catalogue whose numbers are known. It may be of another version of the game.
    pub unusual: Vec<String>,
}

impl Summary {
    /// Counts what was imported.
    pub fn of(imported: &Imported) -> Self {
        let for_sale = imported.for_sale().count();
        let counts = vec![
            ("cars for sale", for_sale),
            ("cars in all", imported.vehicles.len()),
            ("parts", imported.parts.len()),
            ("parts in assemblies", imported.assemblies.len()),
            ("paints", imported.skins.len()),
            ("types of parts", imported.part_types.len()),
            ("kinds of parts", imported.kinds.len()),
            ("makers", imported.brands.len()),
            ("models", imported.models.len()),
            ("places for parts", imported.attachment_points.len()),
            ("families of engines", imported.families.len()),
            ("tracks", imported.tracks.len()),
            ("race types", imported.race_types.len()),
            ("classes of drivers", imported.driver_classes.len()),
            ("rules which parts fit", imported.compatibilities.len()),
            ("rules for prices", imported.pricing.rows.len()),
        ];
        let known = [
            ("cars for sale", for_sale, 82),
            ("parts", imported.parts.len(), 3208),
            ("parts in assemblies", imported.assemblies.len(), 9294),
            ("paints", imported.skins.len(), 1149),
        ];
        let unusual = known.iter().filter(|(_, count, usual)| count != usual);
        let unusual = unusual
            .map(|(what, count, usual)| format!("{count} {what}, where the known catalogue has {usual}"));
        Self { counts, unusual: unusual.collect() }
    }
}
