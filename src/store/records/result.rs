//! The records of what came of races: each settled race for some weeks, and for ever what they add up to.

use crate::store::record::{Record, whole};
use mco_proto::ids::{BrandedPartId, PersonaId, RaceId, VehicleId};
use serde::{Deserialize, Serialize};

/// A race that was settled. Times of the road are ticks of 1/64 s, money is in dollars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaceResult {
    /// Its number among the results: they count up without gaps, in the order in which races were settled.
    pub number: u32,
    /// The race, as Clients show it. One that is driven several times has several results.
    pub race: RaceId,
    /// The lobby in which it was arranged.
    pub lobby: u32,
    /// The Client's number of the type of race.
    pub race_type: u32,
    /// When it was settled, in seconds since 1970 by the Server's clock.
    pub at: u32,
    /// What its host chose.
    pub terms: RaceTerms,
    /// Everybody who drove, in the order of the results; at most six.
    pub racers: Vec<RacerResult>,
}

impl Record for RaceResult {
    const WHAT: &'static str = "result of a race";
}

/// The bit of [`RaceTerms::flags`] for a track that is driven the other way round (*documented*).
pub(in crate::store) const BACKWARD: u32 = 0x01;

/// What the host of a race chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaceTerms {
    /// Dollars that each racer paid to start.
    pub entry_fee: u32,
    /// Whether cars were wagered.
    pub pink_slip: bool,
    /// Laps; 0 where the track has none to choose.
    pub laps: u8,
    /// Which round of a series it was; 0: it was a single race.
    pub round: u8,
    /// Direction, night, weather, damage, traffic and handicap, as 232 writes them.
    pub flags: u32,
    /// Whether nitrous was not allowed.
    pub no_nitrous: bool,
}

impl RaceTerms {
    /// Whether the track was driven the other way round.
    pub const fn is_backward(self) -> bool {
        self.flags & BACKWARD != 0
    }
}

/// What came of one racer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RacerResult {
    /// The persona; of a racer that a Client plays, the number that the Client gave it.
    pub persona: PersonaId,
    /// The name of the persona at that time; empty: a racer that a Client played.
    pub name: String,
    /// The place from 1. `None`: it did not finish, or its time is not counted.
    pub place: Option<u8>,
    /// The time that its Client reported; 0: none.
    pub time: u32,
    /// The best lap, likewise.
    pub best_lap: u32,
    /// The car, if it was its own.
    pub car: Option<VehicleId>,
    /// The model of that car, as a number of the catalogue; 0: a borrowed car.
    pub model: BrandedPartId,
    /// The class of that car; 0: a borrowed car.
    pub class: u8,
    /// The worst damage of a part after the race, in percent. `None`: the Client has not said.
    pub damage: Option<u8>,
    /// Points won.
    pub points: u32,
    /// Prize money.
    pub cash: u32,
    /// The fee that was paid.
    pub fee: u32,
    /// The level after the race.
    pub level: u32,
    /// See the constants.
    pub flags: u16,
}

impl RacerResult {
    /// The others waited for it long enough.
    pub const TIMED_OUT: u16 = 0x01;
    /// Its time is not counted.
    pub const NOT_COUNTED: u16 = 0x02;
    /// An opponent's car became its own (pink slip).
    pub const WON_CAR: u16 = 0x04;
    /// Its own car went to the winner (pink slip).
    pub const LOST_CAR: u16 = 0x08;
    /// It reached a new level.
    pub const LEVEL_UP: u16 = 0x10;
    /// Its time is the best of all on that track, with so many laps, in that class.
    pub const RECORD: u16 = 0x20;

    /// Whether a player drove it.
    pub fn is_player(&self) -> bool {
        !self.name.is_empty()
    }

    /// Whether all bits of `flag` are set.
    pub const fn has(&self, flag: u16) -> bool {
        self.flags & flag == flag
    }
}

/// Where times can be compared: on one track, in one direction, over as many laps, in one class of cars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Course {
    /// The Client's number of the lobby, which stands for the track.
    pub lobby: u32,
    /// Laps; 0 where the track has none to choose.
    pub laps: u8,
    /// The other way round.
    pub backward: bool,
    /// The class of the car, never 0.
    pub class: u8,
}

/// The best times on one course.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseRecord {
    /// On what the times were driven.
    pub course: Course,
    /// The Client's number of the type of race.
    pub race_type: u32,
    /// The best of each persona, the best of all first; at most ten.
    pub best: Vec<CourseTime>,
}

impl Record for CourseRecord {
    const WHAT: &'static str = "list of best times";
}

/// One of the best times on a course.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseTime {
    /// Who.
    pub persona: PersonaId,
    /// The name at that time.
    pub name: String,
    /// The time, in ticks of 1/64 s.
    pub time: u32,
    /// When, in seconds since 1970.
    pub at: u32,
    /// In which model, as a number of the catalogue.
    pub model: BrandedPartId,
    /// Its result, as long as it is kept.
    pub race: RaceId,
}

/// What the races of one persona add up to, beside what its own record says, and what else is known of them. It is kept as long as
/// the persona.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonaResults {
    /// What they add up to.
    pub totals: PersonaTotals,
    /// The numbers of its last results, oldest first; at most twenty.
    pub recent: Vec<u32>,
    /// Its best times, the oldest first; at most thirty.
    pub best: Vec<OwnTime>,
}

/// What the races of one persona add up to: the front of [`PersonaResults`], which is read alone where those of everybody are compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonaTotals {
    /// Whose.
    pub persona: PersonaId,
    /// By week, oldest first; at most twelve. Races of a time when the clock was not set are not in it.
    pub weeks: Vec<WeekTotals>,
    /// By class of car.
    pub classes: Vec<ClassTotals>,
}

impl Record for PersonaResults {
    const WHAT: &'static str = "results of a persona";
    const VERSION: u8 = 2;

    fn older(version: u8, fields: &[u8]) -> Option<Self> {
        if version != 1 {
            return None;
        }
        let PersonaResultsV1 { persona, weeks, classes, recent, best } = whole(fields)?;
        let weeks = weeks.into_iter().map(|(week, races, won, points, winnings)| WeekTotals {
            week,
            totals: RaceTotals { races, won, points, winnings, metres: 0 },
        });
        let classes = classes.into_iter().map(|(class, races, won, points, winnings)| ClassTotals {
            class,
            totals: RaceTotals { races, won, points, winnings, metres: 0 },
        });
        let totals = PersonaTotals { persona, weeks: weeks.collect(), classes: classes.collect() };
        Some(Self { totals, recent, best })
    }
}

impl From<PersonaResults> for PersonaTotals {
    fn from(results: PersonaResults) -> Self {
        results.totals
    }
}

/// The results of a persona as they were before distances were kept.
#[derive(Deserialize)]
struct PersonaResultsV1 {
    persona: PersonaId,
    /// Week, races, won, points, winnings.
    weeks: Vec<(u32, u32, u32, u32, u64)>,
    /// Class, races, won, points, winnings.
    classes: Vec<(u8, u32, u32, u32, u64)>,
    recent: Vec<u32>,
    best: Vec<OwnTime>,
}

impl PersonaTotals {
    /// Everything since results are kept.
    pub fn of_all_time(&self) -> RaceTotals {
        let mut all = RaceTotals::default();
        for class in &self.classes {
            all.add(class.totals);
        }
        all
    }
}

/// What some races add up to. Numbers stop growing at the highest of their type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaceTotals {
    /// Races begun.
    pub races: u32,
    /// Races won.
    pub won: u32,
    /// Points won.
    pub points: u32,
    /// Dollars won.
    pub winnings: u64,
    /// The length of the races that were finished in metres, as far as it was known.
    pub metres: u64,
}

impl RaceTotals {
    /// Counts these races as well.
    pub fn add(&mut self, more: Self) {
        let Self { races, won, points, winnings, metres } = more;
        self.races = self.races.saturating_add(races);
        self.won = self.won.saturating_add(won);
        self.points = self.points.saturating_add(points);
        self.winnings = self.winnings.saturating_add(winnings);
        self.metres = self.metres.saturating_add(metres);
    }
}

/// The races of one week.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeekTotals {
    /// The week, counted from 1970 as [`crate::clock::week`] does.
    pub week: u32,
    /// What they add up to.
    pub totals: RaceTotals,
}

/// The races with cars of one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassTotals {
    /// The Client's number of the class of cars; 0: borrowed cars.
    pub class: u8,
    /// What they add up to.
    pub totals: RaceTotals,
}

/// The best time of a persona on one course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnTime {
    /// On what it was driven.
    pub course: Course,
    /// The Client's number of the type of race.
    pub race_type: u32,
    /// The time, in ticks of 1/64 s.
    pub time: u32,
    /// When, in seconds since 1970.
    pub at: u32,
    /// In which model, as a number of the catalogue.
    pub model: BrandedPartId,
    /// Its result, as long as it is kept.
    pub race: RaceId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::error::StoreError;
    use crate::store::record::{decode, decode_front, encode};

    /// A persona's results as version 1 wrote them: a week, two classes, two results and no best time.
    const OLD: [u8; 25] = [
        1, // version
        7, // persona
        1, 0xb9, 0x10, 3, 1, 40, 0xe8, 0x07, // a week
        2, 0, 1, 0, 10, 5, 2, 2, 1, 30, 100, // two classes
        2, 1, 2, // recent results
        0, // best times
    ];

    #[test]
    fn results_without_distances_are_read_and_written_anew() {
        let read: PersonaResults = decode(&OLD).unwrap();
        let totals = |races, won, points, winnings| RaceTotals { races, won, points, winnings, metres: 0 };
        let expected = PersonaResults {
            totals: PersonaTotals {
                persona: PersonaId(7),
                weeks: vec![WeekTotals { week: 2105, totals: totals(3, 1, 40, 1000) }],
                classes: vec![
                    ClassTotals { class: 0, totals: totals(1, 0, 10, 5) },
                    ClassTotals { class: 2, totals: totals(2, 1, 30, 100) },
                ],
            },
            recent: vec![1, 2],
            best: Vec::new(),
        };
        assert_eq!(read, expected);
        assert_eq!(read.totals.of_all_time(), totals(3, 1, 40, 105));
        let new = encode(&read).unwrap();
        assert_eq!((new[0], decode::<PersonaResults>(&new).unwrap()), (2, expected));
        assert!(decode::<PersonaResults>(&OLD[..OLD.len() - 1]).is_err());
    }

    #[test]
    fn totals_are_the_front_of_the_record_of_today_and_of_the_one_before() {
        let front = |bytes: &[u8]| decode_front::<PersonaResults, PersonaTotals>(bytes);
        let results: PersonaResults = decode(&OLD).unwrap();
        for bytes in [OLD.to_vec(), encode(&results).unwrap()] {
            assert_eq!(front(&bytes).unwrap(), results.totals);
        }
        assert_eq!(front(&[3, 7, 0, 0]), Err(StoreError::TooNew { what: PersonaResults::WHAT, version: 3 }));
        assert_eq!(front(&[2, 7, 1]), Err(StoreError::Damaged { what: PersonaResults::WHAT }));
    }
}
