//! The kinds of parts, built in: the Client's own numbers and what hangs on what.
//!
//! A part's number tells its kind: the kinds' own numbers cut the number space into ranges (*checked* on both cars whose
//! parts are known). Each kind hangs on one other kind, and never more than two levels below the car.

use std::borrow::Cow;

/// A kind of part: what parts of this kind hang on, and what they do to a car.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartKind {
    /// Its number, and the lowest number of its parts.
    pub id: u32,
    /// The kind it hangs on. The car's own kind and a few that no car has hang on nothing.
    pub parent: Option<u32>,
    /// What it is, for logs.
    pub name: Cow<'static, str>,
    /// Whether a car is still unmodified after such a part was changed.
    pub stays_stock: bool,
    /// Whether such a part must be of the family of the engine block.
    pub by_family: bool,
}

/// The kind of all cars.
pub(super) const CAR: u32 = 101;

/// A kind that hangs on another.
const fn on(parent: u32, id: u32, name: &'static str) -> PartKind {
    let mut kind = without_parent(id, name);
    kind.parent = Some(parent);
    kind
}

/// A kind that hangs on another and of which any part leaves a car unmodified.
const fn cosmetic(parent: u32, id: u32, name: &'static str) -> PartKind {
    let mut kind = on(parent, id, name);
    kind.stays_stock = true;
    kind
}

/// A kind that hangs on the engine and must be of the family of its block.
const fn in_engine(id: u32, name: &'static str) -> PartKind {
    let mut kind = on(36_001, id, name);
    kind.by_family = true;
    kind
}

/// A kind that hangs on nothing.
const fn without_parent(id: u32, name: &'static str) -> PartKind {
    PartKind { id, parent: None, name: Cow::Borrowed(name), stays_stock: false, by_family: false }
}

/// All kinds, by number.
pub(super) const KINDS: &[PartKind] = &[
    without_parent(CAR, "car"),
    cosmetic(CAR, 1001, "suspension"),
    on(CAR, 2001, "chassis"),
    cosmetic(CAR, 4001, "drive line"),
    on(CAR, 5001, "brake set"),
    on(CAR, 6001, "visible parts"),
    on(5001, 10_001, "brakes"),
    cosmetic(1001, 11_001, "shocks"),
    cosmetic(1001, 12_001, "springs"),
    on(1001, 13_001, "sway bar"),
    on(1001, 14_001, "traction bar"),
    cosmetic(CAR, 15_001, "wheels"),
    cosmetic(6001, 16_001, "fuzzy dice"),
    on(6001, 17_001, "roll bar"),
    cosmetic(6001, 18_001, "window tinting"),
    on(2001, 20_001, "body"),
    cosmetic(6001, 21_001, "wheel skirts"),
    cosmetic(6001, 22_001, "horn"),
    cosmetic(6001, 23_001, "running boards"),
    cosmetic(6001, 26_001, "fog lights"),
    without_parent(28_001, "spot light"),
    on(2001, 29_001, "chin spoiler"),
    on(2001, 30_001, "rear spoiler"),
    cosmetic(6001, 31_001, "top"),
    cosmetic(6001, 32_001, "wheelie bar"),
    without_parent(33_001, "driver"),
    cosmetic(6001, 34_001, "fenders"),
    cosmetic(6001, 35_001, "bumpers"),
    on(CAR, 36_001, "engine"),
    on(CAR, 37_001, "exhaust"),
    without_parent(39_001, "police lights"),
    on(6001, 40_001, "hood"),
    cosmetic(15_001, 100_001, "rims"),
    cosmetic(15_001, 110_001, "tires"),
    cosmetic(6001, 120_001, "hub caps"),
    on(4001, 130_001, "transmission"),
    on(4001, 140_001, "rear end"),
    on(4001, 150_001, "transmission cooler"),
    in_engine(160_001, "engine block"),
    in_engine(180_001, "crankshaft"),
    in_engine(190_001, "connecting rods"),
    in_engine(200_001, "pistons"),
    without_parent(210_001, "cylinder head A"),
    on(36_001, 230_001, "cooling system"),
    on(36_001, 240_001, "electrical system"),
    on(36_001, 250_001, "lubrication system"),
    in_engine(280_001, "exhaust manifold"),
    on(37_001, 290_001, "exhaust pipe"),
    on(37_001, 300_001, "muffler"),
    on(6001, 310_001, "tail pipe tip"),
    in_engine(320_001, "intake manifold"),
    on(36_001, 330_001, "carburetor"),
    on(36_001, 340_001, "air cleaner"),
    on(36_001, 340_333, "air scoop"),
    on(36_001, 340_666, "air intake point"),
    on(36_001, 350_001, "blower"),
    on(36_001, 350_666, "supercharger"),
    on(36_001, 360_001, "nitrous injector"),
    in_engine(1_000_001, "cylinder head"),
    in_engine(1_100_001, "camshaft"),
    in_engine(1_200_001, "valve train"),
    without_parent(1_300_001, "intake valves"),
    without_parent(1_400_001, "exhaust valves"),
    without_parent(1_500_001, "valve covers"),
];
