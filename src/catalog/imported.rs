//! What an import takes out of the owner's own database, as it is kept.
//!
//! Only what the server needs; numbers are the Client's own (*documented*, `docs/catalogue.md`). Everything is sorted by
//! its first number, so that it can be looked up where it lies.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

/// Where an imported catalogue came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The name of the file, without its folder.
    pub file: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// SHA-256 of the whole file.
    pub sha256: [u8; 32],
    /// Version of the file's format, 3 or 4.
    pub jet: u8,
    /// When it was imported, in seconds since 1970 by the clock of the machine.
    pub imported: u64,
}

impl Origin {
    /// The file's SHA-256 as people compare it.
    pub fn hash(&self) -> String {
        HEXLOWER.encode(&self.sha256)
    }
}

/// A number and what it is called: attachment points, tracks, race types, driver classes.
#[allow(missing_docs, reason = "id is the number, name the English name in the database")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    pub id: u32,
    pub name: String,
}

/// A maker of cars or parts.
#[allow(missing_docs, reason = "id is the number, name the English name in the database")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrandRow {
    pub id: u32,
    pub name: String,
    /// Whether it makes cars.
    pub cars: bool,
}

/// A name that a maker gives to a product.
#[allow(missing_docs, reason = "id is the number, name the English name in the database")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelRow {
    pub id: u32,
    /// Number of its maker.
    pub brand: u32,
    pub name: String,
}

/// A kind of part.
#[allow(missing_docs, reason = "id is the number, name the English name in the database")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindRow {
    pub id: u32,
    /// The kind it hangs on.
    pub parent: Option<u32>,
    pub name: String,
    /// Whether a car is still unmodified after such a part was changed.
    pub stays_stock: bool,
    /// Whether one record stands for a pair.
    pub paired: bool,
    /// Whether such a part must be of the engine block's family.
    pub by_family: bool,
}

/// A type of part; parts of one type differ only in who made them.
#[allow(missing_docs, reason = "id is the number, name the English name in the database")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartTypeRow {
    pub id: u32,
    pub kind: u32,
    /// 1 stock to 4 racing, 0 for what has no grade.
    pub grade: u8,
    /// Its name; of a car with year and maker.
    pub name: String,
}

/// A part, assembly or car.
#[allow(missing_docs, reason = "id is the number, name the English name in the database")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRow {
    pub id: u32,
    /// Number of its type.
    pub part_type: u32,
    /// Number of its model, which has the name that its maker gave it.
    pub model: u32,
    /// Price when new, in dollars. 0 for assemblies and cars.
    pub price: u32,
    /// The wear at which it is worn out.
    pub max_wear: u32,
    /// The family of engine blocks it fits; 0 for all.
    pub family: u32,
    /// How rare it is: how many there are at a time.
    pub quantity: u32,
}

/// One part of an assembly or car as it is sold. All that is in a car is listed under the car itself.
#[allow(missing_docs, reason = "id is the number, name the English name in the database")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssemblyRow {
    /// The assembly or car.
    pub whole: u32,
    pub part: u32,
    /// Where on its parent the part is.
    pub attachment_point: u8,
}

/// A car as it is sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VehicleRow {
    /// Its number as a part.
    pub id: u32,
    /// 1 fat fender, 2 shoebox, 3 muscle.
    pub class: u8,
    /// Where it may appear: 0 everywhere, 1 in the city; others are for arcade, traffic, police and tests.
    pub mode: u32,
    /// Of which car it is a variant.
    pub base: u32,
    /// Price of the whole car, in dollars.
    pub price: u32,
}

/// A paint.
#[allow(missing_docs, reason = "id is the number, name the English name in the database")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkinRow {
    pub id: u32,
    /// The type of the cars it fits.
    pub part_type: u32,
    /// 1 for plain colours; see `docs/catalogue.md` for the others.
    pub kind: u32,
    /// Price in dollars.
    pub price: u32,
    /// The flags of a car that wears it.
    pub flags: u32,
    pub name: String,
}

/// Which types of parts go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompatibilityRow {
    /// Type of the part something is put on.
    pub parent: u32,
    /// Type of what is put on it.
    pub child: u32,
    /// Whether the parent does not work without it.
    pub critical: bool,
    /// The fewest of them.
    pub least: u32,
    /// The most of them.
    pub most: u32,
}

/// Numbers for prices of used parts. What each column means is not known yet, so they keep their names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PricingGuide {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// As many numbers in each row; 0 where there is none.
    pub rows: Vec<Vec<f64>>,
}

/// Everything that was taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is named after its rows")]
pub struct Imported {
    pub origin: Origin,
    pub brands: Vec<BrandRow>,
    pub models: Vec<ModelRow>,
    pub kinds: Vec<KindRow>,
    pub part_types: Vec<PartTypeRow>,
    pub parts: Vec<PartRow>,
    /// By whole; the parts of one in the order of the file.
    pub assemblies: Vec<AssemblyRow>,
    pub vehicles: Vec<VehicleRow>,
    pub skins: Vec<SkinRow>,
    pub attachment_points: Vec<Named>,
    pub families: Vec<Named>,
    pub tracks: Vec<Named>,
    pub race_types: Vec<Named>,
    pub driver_classes: Vec<Named>,
    pub compatibilities: Vec<CompatibilityRow>,
    pub pricing: PricingGuide,
}

/// A row that is found by its number.
pub(super) trait Numbered {
    fn number(&self) -> u32;
}

macro_rules! numbered {
    ($($row:ty: $field:ident),* $(,)?) => {
        $(impl Numbered for $row {
            fn number(&self) -> u32 {
                self.$field
            }
        })*
    };
}
numbered!(Named: id, BrandRow: id, ModelRow: id, KindRow: id, PartTypeRow: id, PartRow: id, VehicleRow: id, SkinRow: id);

/// A row of a sorted list.
pub(super) fn find<T: Numbered>(rows: &[T], number: u32) -> Option<&T> {
    rows.binary_search_by_key(&number, Numbered::number).ok().and_then(|at| rows.get(at))
}

impl Imported {
    /// The kind of the paints that are plain colours.
    const PLAIN: u32 = 1;

    /// The kind of a part.
    pub(super) fn kind_of(&self, part: u32) -> Option<&KindRow> {
        let part = find(&self.parts, part)?;
        find(&self.kinds, find(&self.part_types, part.part_type)?.kind)
    }

    /// The first paint for cars of this type that is a plain colour.
    pub(super) fn plain_paint(&self, part_type: u32) -> Option<&SkinRow> {
        self.skins.iter().find(|skin| skin.kind == Self::PLAIN && skin.part_type == part_type)
    }

    /// The rows of an assembly or car.
    pub(super) fn parts_in(&self, whole: u32) -> &[AssemblyRow] {
        let from = self.assemblies.partition_point(|row| row.whole < whole);
        let to = self.assemblies.partition_point(|row| row.whole <= whole);
        self.assemblies.get(from..to).unwrap_or_default()
    }

    /// The cars that dealers may sell. Those for arcade races, traffic, police and tests are not, nor those that were
    /// never finished, which cost what the database puts in where nothing was said (*inferred* from the data).
    pub(super) fn for_sale(&self) -> impl Iterator<Item = &VehicleRow> {
        const UNFINISHED: u32 = 1000;
        const CITY: u32 = 1;
        self.vehicles.iter().filter(|car| {
            car.mode <= CITY && car.price > 0 && car.price != UNFINISHED && (1..=3).contains(&car.class)
        })
    }
}
