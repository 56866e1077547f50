//! The cars that dealers sell.
//!
//! Facts of the Client's own catalogue, restated: which numbers it knows, which car each of them is, and what it costs.
//! The Client's catalogue holds more cars (for traffic, police, arcade races and its makers' tests); those are not for
//! sale and a Client that asks for one is refused.

use mco_proto::ids::BrandedPartId;
use std::borrow::Cow;
use std::fmt;

/// A car that can be bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Car {
    /// Its number in the Client's catalogue.
    pub model: BrandedPartId,
    /// Model year; 0 where it is unknown.
    pub year: u16,
    /// Its maker.
    pub brand: Brand,
    /// What it is called, without year and brand.
    pub name: Cow<'static, str>,
    /// Its class: when it was built, roughly.
    pub class: CarClass,
    /// Price when new, in dollars.
    pub price: u32,
}

impl fmt::Display for Car {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.year {
            0 => write!(f, "{} {}", self.brand.name(), self.name),
            year => write!(f, "{year} {} {}", self.brand.name(), self.name),
        }
    }
}

/// The kinds of cars, with the numbers that 123 carries (*seen in use*).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CarClass {
    /// Built in the thirties and forties.
    FatFender = 1,
    /// Built in the fifties.
    Shoebox = 2,
    /// Built in the sixties and seventies.
    Muscle = 3,
}

impl CarClass {
    /// The number in messages: 1, 2 or 3.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FatFender => "fat fender",
            Self::Shoebox => "shoebox",
            Self::Muscle => "muscle",
        }
    }

    /// The class with this number, if there is one.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::FatFender),
            2 => Some(Self::Shoebox),
            3 => Some(Self::Muscle),
            _ => None,
        }
    }
}

/// A car maker of the Client's catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brand {
    number: u32,
    name: Cow<'static, str>,
}

#[allow(missing_docs, reason = "a maker needs no words")]
impl Brand {
    pub const FORD: Self = Self::known(1, "Ford");
    pub const MERCURY: Self = Self::known(2, "Mercury");
    pub const CHEVROLET: Self = Self::known(3, "Chevrolet");
    pub const CADILLAC: Self = Self::known(4, "Cadillac");
    pub const OLDSMOBILE: Self = Self::known(5, "Oldsmobile");
    pub const BUICK: Self = Self::known(6, "Buick");
    pub const PONTIAC: Self = Self::known(7, "Pontiac");
    pub const DODGE: Self = Self::known(9, "Dodge");
    pub const PLYMOUTH: Self = Self::known(10, "Plymouth");
    pub const AMC: Self = Self::known(11, "AMC");
    pub const SHELBY: Self = Self::known(78, "Shelby");
    /// Of a car whose maker the catalogue does not tell.
    pub(super) const UNKNOWN: Self = Self::known(0, "");

    const fn known(number: u32, name: &'static str) -> Self {
        Self { number, name: Cow::Borrowed(name) }
    }

    pub(super) const fn new(number: u32, name: String) -> Self {
        Self { number, name: Cow::Owned(name) }
    }

    /// Its number in the Client's catalogue.
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// The name of the maker; empty if the catalogue does not tell it.
    pub fn name(&self) -> &str {
        &self.name
    }
}

const fn car(model: u32, year: u16, brand: Brand, name: &'static str, class: CarClass, price: u32) -> Car {
    Car { model: BrandedPartId(model), year, brand, name: Cow::Borrowed(name), class, price }
}

/// All cars that are for sale, by number.
#[rustfmt::skip]
pub(super) const CARS: &[Car] = {
    use CarClass::{FatFender, Muscle, Shoebox};
    &[
        car(101, 1932, Brand::FORD, "V-8 Coupe", FatFender, 7610),
        car(102, 1940, Brand::FORD, "Deluxe Coupe", FatFender, 11562),
        car(103, 1953, Brand::FORD, "Crestline", Shoebox, 13144),
        car(104, 1957, Brand::FORD, "Fairlane 500", Shoebox, 18162),
        car(105, 1957, Brand::FORD, "Ranchero", Shoebox, 18616),
        car(106, 1957, Brand::FORD, "Thunderbird", Shoebox, 17964),
        car(107, 1963, Brand::FORD, "Thunderbird", Muscle, 27658),
        car(108, 1965, Brand::FORD, "Mustang", Muscle, 28976),
        car(109, 1964, Brand::FORD, "Galaxie 500", Muscle, 20844),
        car(110, 1969, Brand::FORD, "Torino GT", Muscle, 22386),
        car(111, 1970, Brand::FORD, "Boss 302 Mustang", Muscle, 54910),
        car(112, 1949, Brand::MERCURY, "Coupe", FatFender, 13674),
        car(113, 1957, Brand::CHEVROLET, "Bel-Air", Shoebox, 20214),
        car(114, 1957, Brand::CHEVROLET, "Corvette", Shoebox, 46982),
        car(115, 1957, Brand::CHEVROLET, "Nomad Wagon", Shoebox, 19456),
        car(116, 1964, Brand::CHEVROLET, "Impala", Muscle, 31920),
        car(117, 1963, Brand::CHEVROLET, "Corvette Stingray", Muscle, 106_456),
        car(118, 1958, Brand::CHEVROLET, "Impala", Shoebox, 21780),
        car(119, 1967, Brand::CHEVROLET, "Chevelle", Muscle, 29062),
        car(120, 1967, Brand::CHEVROLET, "Camaro", Muscle, 39098),
        car(121, 1970, Brand::CHEVROLET, "Chevelle", Muscle, 31346),
        car(122, 1970, Brand::CHEVROLET, "El Camino", Muscle, 35486),
        car(123, 1970, Brand::CHEVROLET, "Nova", Muscle, 34530),
        car(124, 1947, Brand::CADILLAC, "Series 62 Sedanette", FatFender, 20734),
        car(125, 1959, Brand::CADILLAC, "Eldorado Biarritz", Shoebox, 22180),
        car(126, 1969, Brand::OLDSMOBILE, "4-4-2", Muscle, 31036),
        car(127, 1955, Brand::BUICK, "Century", Shoebox, 15940),
        car(128, 1966, Brand::PONTIAC, "GTO", Muscle, 40806),
        car(129, 1969, Brand::PONTIAC, "GTO", Muscle, 35880),
        car(130, 1973, Brand::PONTIAC, "Firebird T/A", Muscle, 55586),
        car(131, 1969, Brand::AMC, "AMX", Muscle, 34666),
        car(132, 1969, Brand::DODGE, "Charger", Muscle, 27940),
        car(133, 1969, Brand::PLYMOUTH, "Road Runner", Muscle, 31470),
        car(134, 1970, Brand::PLYMOUTH, "Cuda", Muscle, 51874),
        car(135, 1971, Brand::PLYMOUTH, "Duster", Muscle, 24612),
        car(159, 1957, Brand::FORD, "Fairlane 500", Shoebox, 16216),
        car(171, 1970, Brand::FORD, "Boss 429 Mustang", Muscle, 75870),
        car(184, 1969, Brand::PLYMOUTH, "GTX Coupe", Muscle, 36732),
        car(190, 1969, Brand::AMC, "Big Bad AMX", Muscle, 41738),
        car(208, 1955, Brand::BUICK, "Century", Shoebox, 15958),
        car(236, 1957, Brand::CHEVROLET, "Bel-Air", Shoebox, 20086),
        car(320, 1966, Brand::SHELBY, "427 Cobra", Muscle, 103_848),
        car(335, 1970, Brand::FORD, "Mustang", Muscle, 27676),
        car(336, 1969, Brand::FORD, "Torino GT Cobra", Muscle, 36426),
        car(337, 1970, Brand::FORD, "Mustang Mach 1", Muscle, 35306),
        car(338, 1970, Brand::PLYMOUTH, "Hemi Cuda", Muscle, 79086),
        car(339, 1970, Brand::PLYMOUTH, "440 Cuda", Muscle, 50570),
        car(340, 1970, Brand::PLYMOUTH, "AAR Cuda", Muscle, 49912),
        car(341, 1971, Brand::PLYMOUTH, "340 Duster", Muscle, 27844),
        car(342, 1964, Brand::CHEVROLET, "Impala SS", Muscle, 27998),
        car(343, 1967, Brand::CHEVROLET, "Chevelle SS", Muscle, 28504),
        car(344, 1967, Brand::CHEVROLET, "Camaro RS", Muscle, 35546),
        car(345, 1967, Brand::CHEVROLET, "Camaro Z-28", Muscle, 45646),
        car(346, 1970, Brand::CHEVROLET, "Chevelle SS", Muscle, 36390),
        car(347, 1970, Brand::CHEVROLET, "El Camino SS", Muscle, 29172),
        car(348, 1970, Brand::CHEVROLET, "Nova SS", Muscle, 33008),
        car(349, 1969, Brand::OLDSMOBILE, "442 W-30", Muscle, 34620),
        car(350, 1969, Brand::OLDSMOBILE, "Hurst 442", Muscle, 46938),
        car(351, 1969, Brand::PONTIAC, "GTO Judge", Muscle, 35372),
        car(352, 1973, Brand::PONTIAC, "Firebird Formula", Muscle, 54196),
        car(353, 1973, Brand::PONTIAC, "Firebird", Muscle, 50390),
        car(354, 1947, Brand::CADILLAC, "Series 62 Sedanette", FatFender, 20554),
        car(355, 1949, Brand::MERCURY, "Coupe", FatFender, 17152),
        car(356, 1953, Brand::FORD, "Crestline", Shoebox, 10246),
        car(357, 1957, Brand::FORD, "Fairlane 500", Shoebox, 14696),
        car(358, 1957, Brand::FORD, "Ranchero", Shoebox, 15560),
        car(359, 1957, Brand::FORD, "Thunderbird", Shoebox, 16656),
        car(360, 1957, Brand::CHEVROLET, "Bel-Air", Shoebox, 18208),
        car(361, 1957, Brand::CHEVROLET, "Nomad Wagon", Shoebox, 16560),
        car(362, 1957, Brand::CHEVROLET, "Corvette", Muscle, 46076),
        car(363, 1958, Brand::CHEVROLET, "Impala", Muscle, 21280),
        car(364, 1963, Brand::CHEVROLET, "Corvette Stingray", Muscle, 102_566),
        car(365, 1964, Brand::CHEVROLET, "Impala", Muscle, 28474),
        car(366, 1964, Brand::FORD, "Galaxie 500", Muscle, 20522),
        car(367, 1965, Brand::FORD, "Mustang", Muscle, 28084),
        car(368, 1966, Brand::PONTIAC, "GTO", Muscle, 40204),
        car(369, 1967, Brand::CHEVROLET, "Chevelle", Muscle, 29370),
        car(370, 1967, Brand::CHEVROLET, "Camaro", Muscle, 37674),
        car(371, 1969, Brand::OLDSMOBILE, "4-4-2", Muscle, 32080),
        car(372, 1969, Brand::PONTIAC, "GTO", Muscle, 35112),
        car(373, 1969, Brand::PLYMOUTH, "Road Runner", Muscle, 30660),
        car(374, 1967, Brand::CHEVROLET, "Camaro SS", Muscle, 34938),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_82_cars_each_once_and_none_for_nothing() {
        assert_eq!(CARS.len(), 82);
        assert!(CARS.is_sorted_by(|a, b| a.model < b.model));
        assert!(CARS.iter().all(|car| car.price > 5_000 && (1932..=1973).contains(&car.year)));
    }

    #[test]
    fn a_car_introduces_itself_with_year_and_maker() {
        let car = CARS.iter().find(|car| car.model == BrandedPartId(113)).unwrap();
        assert_eq!(car.to_string(), "1957 Chevrolet Bel-Air");
        assert_eq!((car.brand.number(), car.class.number(), car.price), (3, 2, 20_214));
    }
}
