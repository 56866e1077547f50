//! The records of races: those that were started and are not settled, and results that were not counted.

use crate::store::record::{self, Record};
use mco_proto::ids::{BookingId, PersonaId, RaceId, VehicleId};
use serde::{Deserialize, Serialize};

/// A race under way, with the fees that were taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct RaceUnderWay {
    pub(in crate::store) booking: BookingId,
    pub(in crate::store) race: RaceId,
    /// The fee that each persona paid, in dollars.
    pub(in crate::store) fees: Vec<(PersonaId, u32)>,
    /// The cars that are driven, as far as they are the racers' own.
    pub(in crate::store) cars: Vec<VehicleId>,
    /// Whether these cars are wagered.
    pub(in crate::store) wagered: bool,
}

/// Version 1, from before bookings held the cars.
#[derive(Deserialize)]
struct RaceUnderWay1 {
    booking: BookingId,
    race: RaceId,
    fees: Vec<(PersonaId, u32)>,
}

impl Record for RaceUnderWay {
    const WHAT: &'static str = "race under way";
    const VERSION: u8 = 2;

    fn older(version: u8, fields: &[u8]) -> Option<Self> {
        if version != 1 {
            return None;
        }
        let RaceUnderWay1 { booking, race, fees } = record::whole(fields)?;
        Some(Self { booking, race, fees, cars: Vec::new(), wagered: false })
    }
}

/// The results of one persona that were not counted, since the first of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UncountedResults {
    /// Whose results.
    pub persona: PersonaId,
    /// How many.
    pub count: u32,
    /// When the first was, in seconds since 1970.
    pub first: u32,
    /// When the last was, in seconds since 1970.
    pub last: u32,
    /// The race of the last.
    pub race: RaceId,
    /// Its time, in ticks of 1/64 s.
    pub time: u32,
    /// Why it was not counted, in words.
    pub why: String,
}

impl Record for UncountedResults {
    const WHAT: &'static str = "list of results that were not counted";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::record::decode;

    #[test]
    fn a_booking_of_an_older_program_holds_no_cars() {
        let fees = vec![(PersonaId(21), 100)];
        let fields = (BookingId(3), RaceId(88), fees.clone());
        let old = postcard::to_extend(&fields, vec![1]).unwrap();
        let read: RaceUnderWay = decode(&old).unwrap();
        let (booking, race) = (BookingId(3), RaceId(88));
        assert_eq!(read, RaceUnderWay { booking, race, fees, cars: Vec::new(), wagered: false });
    }
}
