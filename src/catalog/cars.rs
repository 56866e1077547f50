//! The cars that dealers sell.
//!
//! Facts of the Client's own catalogue, restated: which numbers it knows, which car each of them is, and what it costs.
//! The Client's catalogue holds more cars (for traffic, police, arcade races and its makers' tests); those are not for
//! sale and a Client that asks for one is refused.

use crate::protocol::ids::BrandedPartId;
use std::fmt;

/// A car that can be bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Car {
    /// Its number in the Client's catalogue.
    pub model: BrandedPartId,
    /// Model year.
    pub year: u16,
    /// Who built it.
    pub brand: Brand,
    /// What it is called, without year and brand.
    pub name: &'static str,
    /// Its kind.
    pub class: CarClass,
    /// Dollars, new.
    pub price: u32,
}

impl fmt::Display for Car {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.year, self.brand.name(), self.name)
    }
}

/// The kinds of cars, with the numbers that 123 carries (*seen in use*).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CarClass {
    /// Thirties and forties.
    FatFender = 1,
    /// Fifties.
    Shoebox = 2,
    /// Sixties and seventies.
    Muscle = 3,
}

impl CarClass {
    /// As it travels.
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// A car maker of the Client's catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "a maker needs no words")]
pub enum Brand {
    Ford = 1,
    Mercury = 2,
    Chevrolet = 3,
    Cadillac = 4,
    Oldsmobile = 5,
    Buick = 6,
    Pontiac = 7,
    Dodge = 9,
    Plymouth = 10,
    Amc = 11,
    Shelby = 78,
}

impl Brand {
    /// Its number in the Client's catalogue.
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ford => "Ford",
            Self::Mercury => "Mercury",
            Self::Chevrolet => "Chevrolet",
            Self::Cadillac => "Cadillac",
            Self::Oldsmobile => "Oldsmobile",
            Self::Buick => "Buick",
            Self::Pontiac => "Pontiac",
            Self::Dodge => "Dodge",
            Self::Plymouth => "Plymouth",
            Self::Amc => "AMC",
            Self::Shelby => "Shelby",
        }
    }
}

const fn car(model: u32, year: u16, brand: Brand, name: &'static str, class: CarClass, price: u32) -> Car {
    Car { model: BrandedPartId(model), year, brand, name, class, price }
}

/// All of them, by number.
#[rustfmt::skip]
pub(super) const CARS: &[Car] = {
    use Brand::{Amc, Buick, Cadillac, Chevrolet, Dodge, Ford, Mercury, Oldsmobile, Plymouth, Pontiac, Shelby};
    use CarClass::{FatFender, Muscle, Shoebox};
    &[
        car(101, 1932, Ford, "V-8 Coupe", FatFender, 7610),
        car(102, 1940, Ford, "Deluxe Coupe", FatFender, 11562),
        car(103, 1953, Ford, "Crestline", Shoebox, 13144),
        car(104, 1957, Ford, "Fairlane 500", Shoebox, 18162),
        car(105, 1957, Ford, "Ranchero", Shoebox, 18616),
        car(106, 1957, Ford, "Thunderbird", Shoebox, 17964),
        car(107, 1963, Ford, "Thunderbird", Muscle, 27658),
        car(108, 1965, Ford, "Mustang", Muscle, 28976),
        car(109, 1964, Ford, "Galaxie 500", Muscle, 20844),
        car(110, 1969, Ford, "Torino GT", Muscle, 22386),
        car(111, 1970, Ford, "Boss 302 Mustang", Muscle, 54910),
        car(112, 1949, Mercury, "Coupe", FatFender, 13674),
        car(113, 1957, Chevrolet, "Bel-Air", Shoebox, 20214),
        car(114, 1957, Chevrolet, "Corvette", Shoebox, 46982),
        car(115, 1957, Chevrolet, "Nomad Wagon", Shoebox, 19456),
        car(116, 1964, Chevrolet, "Impala", Muscle, 31920),
        car(117, 1963, Chevrolet, "Corvette Stingray", Muscle, 106_456),
        car(118, 1958, Chevrolet, "Impala", Shoebox, 21780),
        car(119, 1967, Chevrolet, "Chevelle", Muscle, 29062),
        car(120, 1967, Chevrolet, "Camaro", Muscle, 39098),
        car(121, 1970, Chevrolet, "Chevelle", Muscle, 31346),
        car(122, 1970, Chevrolet, "El Camino", Muscle, 35486),
        car(123, 1970, Chevrolet, "Nova", Muscle, 34530),
        car(124, 1947, Cadillac, "Series 62 Sedanette", FatFender, 20734),
        car(125, 1959, Cadillac, "Eldorado Biarritz", Shoebox, 22180),
        car(126, 1969, Oldsmobile, "4-4-2", Muscle, 31036),
        car(127, 1955, Buick, "Century", Shoebox, 15940),
        car(128, 1966, Pontiac, "GTO", Muscle, 40806),
        car(129, 1969, Pontiac, "GTO", Muscle, 35880),
        car(130, 1973, Pontiac, "Firebird T/A", Muscle, 55586),
        car(131, 1969, Amc, "AMX", Muscle, 34666),
        car(132, 1969, Dodge, "Charger", Muscle, 27940),
        car(133, 1969, Plymouth, "Road Runner", Muscle, 31470),
        car(134, 1970, Plymouth, "Cuda", Muscle, 51874),
        car(135, 1971, Plymouth, "Duster", Muscle, 24612),
        car(159, 1957, Ford, "Fairlane 500", Shoebox, 16216),
        car(171, 1970, Ford, "Boss 429 Mustang", Muscle, 75870),
        car(184, 1969, Plymouth, "GTX Coupe", Muscle, 36732),
        car(190, 1969, Amc, "Big Bad AMX", Muscle, 41738),
        car(208, 1955, Buick, "Century", Shoebox, 15958),
        car(236, 1957, Chevrolet, "Bel-Air", Shoebox, 20086),
        car(320, 1966, Shelby, "427 Cobra", Muscle, 103_848),
        car(335, 1970, Ford, "Mustang", Muscle, 27676),
        car(336, 1969, Ford, "Torino GT Cobra", Muscle, 36426),
        car(337, 1970, Ford, "Mustang Mach 1", Muscle, 35306),
        car(338, 1970, Plymouth, "Hemi Cuda", Muscle, 79086),
        car(339, 1970, Plymouth, "440 Cuda", Muscle, 50570),
        car(340, 1970, Plymouth, "AAR Cuda", Muscle, 49912),
        car(341, 1971, Plymouth, "340 Duster", Muscle, 27844),
        car(342, 1964, Chevrolet, "Impala SS", Muscle, 27998),
        car(343, 1967, Chevrolet, "Chevelle SS", Muscle, 28504),
        car(344, 1967, Chevrolet, "Camaro RS", Muscle, 35546),
        car(345, 1967, Chevrolet, "Camaro Z-28", Muscle, 45646),
        car(346, 1970, Chevrolet, "Chevelle SS", Muscle, 36390),
        car(347, 1970, Chevrolet, "El Camino SS", Muscle, 29172),
        car(348, 1970, Chevrolet, "Nova SS", Muscle, 33008),
        car(349, 1969, Oldsmobile, "442 W-30", Muscle, 34620),
        car(350, 1969, Oldsmobile, "Hurst 442", Muscle, 46938),
        car(351, 1969, Pontiac, "GTO Judge", Muscle, 35372),
        car(352, 1973, Pontiac, "Firebird Formula", Muscle, 54196),
        car(353, 1973, Pontiac, "Firebird", Muscle, 50390),
        car(354, 1947, Cadillac, "Series 62 Sedanette", FatFender, 20554),
        car(355, 1949, Mercury, "Coupe", FatFender, 17152),
        car(356, 1953, Ford, "Crestline", Shoebox, 10246),
        car(357, 1957, Ford, "Fairlane 500", Shoebox, 14696),
        car(358, 1957, Ford, "Ranchero", Shoebox, 15560),
        car(359, 1957, Ford, "Thunderbird", Shoebox, 16656),
        car(360, 1957, Chevrolet, "Bel-Air", Shoebox, 18208),
        car(361, 1957, Chevrolet, "Nomad Wagon", Shoebox, 16560),
        car(362, 1957, Chevrolet, "Corvette", Muscle, 46076),
        car(363, 1958, Chevrolet, "Impala", Muscle, 21280),
        car(364, 1963, Chevrolet, "Corvette Stingray", Muscle, 102_566),
        car(365, 1964, Chevrolet, "Impala", Muscle, 28474),
        car(366, 1964, Ford, "Galaxie 500", Muscle, 20522),
        car(367, 1965, Ford, "Mustang", Muscle, 28084),
        car(368, 1966, Pontiac, "GTO", Muscle, 40204),
        car(369, 1967, Chevrolet, "Chevelle", Muscle, 29370),
        car(370, 1967, Chevrolet, "Camaro", Muscle, 37674),
        car(371, 1969, Oldsmobile, "4-4-2", Muscle, 32080),
        car(372, 1969, Pontiac, "GTO", Muscle, 35112),
        car(373, 1969, Plymouth, "Road Runner", Muscle, 30660),
        car(374, 1967, Chevrolet, "Camaro SS", Muscle, 34938),
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
