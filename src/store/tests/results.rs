//! What is kept of races.

use super::*;
use crate::clock::{Now, week};
use crate::store::RaceTotals;
use mco_proto::ids::RaceId;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// 1 July 2030, a Monday.
const MONDAY: u64 = 1_909_094_400;
const DAY: u64 = 24 * 60 * 60;

fn at(unix: u64) -> Now {
    Now { unix, ..Now::read() }
}

fn standing(points: u32) -> (u32, u32) {
    (points / 100 + 1, points / 500)
}

/// A store with so many drivers.
fn with_drivers(dir: &Path, count: usize) -> (Store, Vec<PersonaId>) {
    let (store, owner, _) = furnished(dir);
    let drivers = (0..count).map(|number| {
        let new = NewPersona { max_per_customer: 100, ..driver(&format!("Driver {number}")) };
        store.personas().create(owner, new, at(MONDAY)).unwrap().value.id
    });
    let drivers = drivers.collect();
    (store, drivers)
}

/// Somebody who came in, in a car of that class.
fn came_in(persona: PersonaId, place: u8, time: u32, class: u8) -> RacerResult {
    RacerResult {
        persona,
        place: Some(place),
        time,
        class,
        model: BrandedPartId(104),
        ..RacerResult::default()
    }
}

/// Starts a race and settles it: the first of `racers` wins 1,000 dollars and 50 points.
fn race(store: &Store, number: u32, lobby: u32, laps: u8, racers: Vec<RacerResult>, now: Now) {
    let fees: Vec<Entrant> =
        racers.iter().map(|racer| Entrant { persona: racer.persona, fee: 0, car: None }).collect();
    let booking = store.races().start(RaceId(number), &fees, false, now).unwrap().value;
    let payouts = racers.iter().map(|racer| {
        let won = racer.place == Some(1);
        let place = racer.place.map(|place| usize::from(place) - 1);
        let (cash, points) = if won { (1000, 50) } else { (0, 0) };
        Payout { persona: racer.persona, cash, points, place }
    });
    let settlement = Settlement {
        race_type: 17,
        racers: racers.len(),
        payouts: payouts.collect(),
        cars_lost: Vec::new(),
        uncounted: Vec::new(),
        sheet: Sheet {
            lobby,
            terms: RaceTerms { laps, ..RaceTerms::default() },
            metres: 1000 * u32::from(laps),
            racers,
        },
        standing,
        letter: |_, _, _| Letter::city_news("race", "over"),
    };
    let _ = store.races().settle(booking, &settlement, now).unwrap();
}

#[test]
fn a_race_is_found_by_its_number_with_everybody_and_everything_that_was_paid() {
    let dir = TempDir::new().unwrap();
    let (store, drivers) = with_drivers(dir.path(), 2);
    let now = at(MONDAY);
    let lost = RacerResult { persona: drivers[1], flags: RacerResult::TIMED_OUT, ..RacerResult::default() };
    let ai = RacerResult { persona: PersonaId(3), place: Some(2), time: 7000, ..RacerResult::default() };
    let racers = vec![came_in(drivers[0], 1, 6400, 2), lost];
    race(&store, 0x10_0001, 10_001, 2, racers, now);
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    let found = store.results().of_race(RaceId(0x10_0001), 5).unwrap();
    let [result] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(
        (result.number, result.lobby, result.race_type, u64::from(result.at)),
        (1, 10_001, 17, MONDAY)
    );
    let [first, second] = result.racers.as_slice() else { panic!("{result:?}") };
    assert_eq!((first.name.as_str(), first.cash, first.points, first.level), ("Driver 0", 1000, 50, 1));
    assert!(first.is_player() && first.has(RacerResult::RECORD) && !ai.is_player());
    assert_eq!(
        (second.name.as_str(), second.place, second.flags),
        ("Driver 1", None, RacerResult::TIMED_OUT)
    );
    assert_eq!(store.results().last_race().unwrap(), RaceId(0x10_0001));
    assert!(store.results().of_race(RaceId(0x10_0002), 5).unwrap().is_empty());
    assert_eq!(store.results().of_persona(drivers[0]).unwrap().recent, [1]);
}

#[test]
fn a_race_that_cannot_be_settled_leaves_no_result() {
    let dir = TempDir::new().unwrap();
    let (store, drivers) = with_drivers(dir.path(), 1);
    let before = records(&store);
    let settlement = Settlement {
        race_type: 17,
        racers: 0,
        payouts: Vec::new(),
        cars_lost: Vec::new(),
        uncounted: Vec::new(),
        sheet: Sheet { racers: vec![came_in(drivers[0], 1, 1, 1)], ..Sheet::default() },
        standing,
        letter: |_, _, _| Letter::city_news("race", "over"),
    };
    let nowhere = mco_proto::ids::BookingId(77);
    assert!(store.races().settle(nowhere, &settlement, at(MONDAY)).is_err());
    assert_eq!(records(&store), before);
}

#[test]
fn results_go_after_sixty_days_and_what_they_add_up_to_stays() {
    let dir = TempDir::new().unwrap();
    let (store, drivers) = with_drivers(dir.path(), 1);
    let drive = |number, day| {
        race(&store, number, 10_001, 2, vec![came_in(drivers[0], 1, 6400, 2)], at(MONDAY + day * DAY));
    };
    drive(1, 0);
    drive(2, 1);
    drive(3, 60);
    assert_eq!(store.results().numbers().unwrap(), 1..4, "both are 60 days old at most");
    drive(4, 61);
    assert_eq!(store.results().numbers().unwrap(), 2..5);
    assert!(store.results().of_race(RaceId(1), 5).unwrap().is_empty());
    drive(5, 200);
    assert_eq!(store.results().numbers().unwrap(), 4..6, "two at once");
    let kept = store.results().of_persona(drivers[0]).unwrap();
    assert_eq!(kept.totals.weeks.iter().map(|week| week.totals.races).sum::<u32>(), 5);
    assert_eq!(kept.recent, [1, 2, 3, 4, 5]);
    let records = store.results().records().unwrap();
    assert_eq!((records.len(), records[0].best[0].race), (1, RaceId(1)));
    assert_eq!(all_rows(&store).iter().filter(|(key, _)| key[0] == b'x').count(), 2);
}

#[test]
fn results_of_a_clock_that_nobody_set_do_not_go_when_it_is_set() {
    let dir = TempDir::new().unwrap();
    let (store, drivers) = with_drivers(dir.path(), 1);
    for (number, unix) in [(1, 100), (2, MONDAY), (3, MONDAY)] {
        race(&store, number, 10_001, 2, vec![came_in(drivers[0], 1, 6400, 2)], at(unix));
    }
    assert_eq!(store.results().numbers().unwrap(), 1..4);
    let weeks = store.results().of_persona(drivers[0]).unwrap().totals.weeks;
    assert_eq!((weeks.len(), weeks[0].week, weeks[0].totals.races), (1, week(MONDAY), 2));
}

#[test]
fn damage_that_is_told_after_the_race_is_in_its_result_once() {
    let dir = TempDir::new().unwrap();
    let (store, drivers) = with_drivers(dir.path(), 1);
    let car = store.garage().buy_car(drivers[0], fairlane(0), at(MONDAY)).unwrap().value;
    let part = store.garage().parts_of(car).unwrap()[0].id;
    race(&store, 1, 10_001, 2, vec![came_in(drivers[0], 1, 6400, 2)], at(MONDAY));
    let seen = || store.results().of_race(RaceId(1), 1).unwrap()[0].racers[0].damage;
    let _ = store.races().damage((RaceId(1), false), drivers[0], car, &[(part, 10, 1)]).unwrap();
    assert_eq!(seen(), None, "of a run that is not settled yet");
    for worse in [40, 90] {
        let _ = store.races().damage((RaceId(1), true), drivers[0], car, &[(part, worse, 1)]).unwrap();
        assert_eq!(seen(), Some(40));
    }
}

#[test]
fn a_persona_that_is_deleted_stays_in_results_and_records_by_name() {
    let dir = TempDir::new().unwrap();
    let (store, drivers) = with_drivers(dir.path(), 1);
    race(&store, 1, 10_001, 2, vec![came_in(drivers[0], 1, 6400, 2)], at(MONDAY));
    let owner = store.personas().by_id(drivers[0]).unwrap().unwrap().customer_id;
    let _ = store.personas().delete(owner, drivers[0], Now::read()).unwrap();
    assert_eq!(store.results().records().unwrap()[0].best[0].name, "Driver 0");
    assert_eq!(store.results().newest(0, 9).unwrap()[0].racers[0].name, "Driver 0");
    assert!(store.results().totals().unwrap().is_empty());
}

/// One run: who comes in in which time (0: not at all), where, over how many laps, and how many days after the last.
type Run = (Vec<u32>, u32, u8, u64);

fn runs() -> impl Strategy<Value = Vec<Run>> {
    let run = (proptest::collection::vec(0..40_u32, 1..6), 10_001..10_004_u32, 1..3_u8, 0..9_u64);
    proptest::collection::vec(run, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Against a model that keeps everything.
    #[test]
    fn results_records_and_weeks_are_what_the_races_add_up_to(runs in runs()) {
        let dir = TempDir::new().unwrap();
        let (store, drivers) = with_drivers(dir.path(), 5);
        let mut best: BTreeMap<(u32, u8, u8), BTreeMap<PersonaId, u32>> = BTreeMap::new();
        let mut weeks: BTreeMap<(PersonaId, u32), (u32, u32, u64, u64)> = BTreeMap::new();
        let mut days = 0;
        for (number, (times, lobby, laps, later)) in (1..).zip(&runs) {
            days += later;
            let now = at(MONDAY + days * DAY);
            let mut order: Vec<(u32, PersonaId)> = times.iter().copied().zip(drivers.iter().copied()).collect();
            order.sort_by_key(|(time, _)| if *time == 0 { u32::MAX } else { *time });
            let racers = (1..).zip(&order).map(|(place, &(time, persona))| {
                let class = u8::try_from(persona.0 % 2 + 1).unwrap();
                if time == 0 {
                    return RacerResult { persona, class, ..RacerResult::default() };
                }
                best.entry((*lobby, *laps, class)).or_default().entry(persona)
                    .and_modify(|best| *best = (*best).min(time)).or_insert(time);
                came_in(persona, place, time, class)
            });
            let racers: Vec<RacerResult> = racers.collect();
            for racer in &racers {
                let entry = weeks.entry((racer.persona, week(now.unix))).or_default();
                let won = racer.place == Some(1);
                let metres = if racer.place.is_some() { 1000 * u64::from(*laps) } else { 0 };
                *entry = (
                    entry.0 + 1,
                    entry.1 + u32::from(won),
                    entry.2 + if won { 1000 } else { 0 },
                    entry.3 + metres,
                );
            }
            race(&store, number, *lobby, *laps, racers, now);
        }
        let numbers = store.results().numbers().unwrap();
        prop_assert_eq!(numbers.end as usize, runs.len() + 1);
        for number in numbers.clone() {
            let result = store.results().get(number).unwrap().unwrap();
            prop_assert_eq!(result.race, RaceId(number));
            prop_assert_eq!(&store.results().of_race(result.race, 1).unwrap()[0], &result);
        }
        prop_assert!(store.results().get(numbers.start - 1).unwrap().is_none());
        let newest = store.results().newest(0, 3).unwrap();
        prop_assert_eq!(newest[0].number, numbers.end - 1);
        for record in store.results().records().unwrap() {
            let Course { lobby, laps, class, .. } = record.course;
            let mut expected: Vec<u32> = best[&(lobby, laps, class)].values().copied().collect();
            expected.sort_unstable();
            let kept: Vec<u32> = record.best.iter().map(|time| time.time).collect();
            prop_assert_eq!(kept, expected);
        }
        prop_assert_eq!(store.results().records().unwrap().len(), best.len());
        for totals in store.results().totals().unwrap() {
            let results = store.results().of_persona(totals.persona).unwrap();
            prop_assert_eq!(&results.totals, &totals);
            prop_assert!(totals.weeks.len() <= 12 && totals.weeks.is_sorted_by_key(|week| week.week));
            for of in &totals.weeks {
                let RaceTotals { races, won, winnings, metres, .. } = of.totals;
                prop_assert_eq!((races, won, winnings, metres), weeks[&(totals.persona, of.week)]);
            }
            let of = weeks.iter().filter(|((persona, _), _)| *persona == totals.persona);
            prop_assert_eq!(totals.of_all_time().metres, of.map(|(_, totals)| totals.3).sum::<u64>());
            for own in &results.best {
                let Course { lobby, laps, class, .. } = own.course;
                prop_assert_eq!(own.time, best[&(lobby, laps, class)][&totals.persona]);
            }
        }
        prop_assert!(store.ledger().check().unwrap().differences.is_empty());
    }
}

/// How many bytes a race of six costs: the result with its entry, and how much it makes other records grow.
#[test]
fn a_race_of_six_takes_less_than_half_a_kilobyte() {
    let dir = TempDir::new().unwrap();
    let (store, drivers) = with_drivers(dir.path(), 6);
    let racers =
        || (1..).zip(&drivers).map(|(place, id)| came_in(*id, place, 6400 * u32::from(place), 2)).collect();
    let size = || {
        all_rows(&store)
            .iter()
            .filter(|(key, _)| b"fx".contains(&key[0]))
            .map(|(key, value)| key.len() + value.len())
            .sum::<usize>()
    };
    for number in 0x10_0000..0x10_0010 {
        race(&store, number, 10_001, 2, racers(), at(MONDAY));
    }
    let sixteen = size();
    assert!(sixteen / 16 < 300, "{} bytes each", sixteen / 16);
    let own = all_rows(&store).iter().filter(|(key, _)| key[0] == b'h').map(|(_, value)| value.len()).max();
    assert!(own.unwrap() < 200, "{own:?}");
}
