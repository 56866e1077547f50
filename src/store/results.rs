//! What came of races. Whoever settles one keeps its result in the same transaction, so that result, money and records are there
//! together or not at all.
//!
//! Each result is kept whole for [`KEPT_SECONDS`], as long as there are not more than [`MOST_RESULTS`]. What results add up to (the best
//! times of each course, and the weeks, classes and best times of each persona) is kept in records of its own, for ever.

use super::error::StoreError;
use super::handle::Store;
use super::key;
use super::mail::CLOCK_IS_SET;
use super::records::race::RaceUnderWay;
use super::records::result::{
    ClassTotals, Course, CourseRecord, CourseTime, OwnTime, PersonaResults, PersonaTotals, RaceResult,
    RaceTerms, RaceTotals, RacerResult, WeekTotals,
};
use super::table::Transaction;
use super::week::week;
use crate::clock::Now;
use mco_proto::ids::{PersonaId, RaceId};

/// How long a result is kept, in seconds: 60 days. The publisher kept them for two weeks at least (*documented*).
const KEPT_SECONDS: u32 = 60 * 24 * 60 * 60;
/// How many results are kept: in two weeks one every 12 seconds.
pub const MOST_RESULTS: u32 = 100_000;
/// How many old results one new one removes. A clock that is wrong for a while takes no more along.
const REMOVED_AT_ONCE: u32 = 2;
/// The number of the first result.
const FIRST_RESULT: u32 = 1;

/// How many times a course keeps.
const MOST_TIMES: usize = 10;
/// How many weeks a persona keeps.
const MOST_WEEKS: usize = 12;
/// How many of its results a persona knows.
const MOST_RECENT: usize = 20;
/// How many courses a persona keeps its best time of. The one that was driven longest ago makes room.
const MOST_OWN_TIMES: usize = 30;

/// What is kept of a race that is settled, beside what each persona gets.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    /// The lobby in which it was arranged.
    pub lobby: u32,
    /// What its host chose.
    pub terms: RaceTerms,
    /// How far it was, in metres; 0: not known.
    pub metres: u32,
    /// Everybody who drove, in the order of the results. Name, points, money and level are filled in by the settlement.
    pub racers: Vec<RacerResult>,
}

/// The verbs about results. See [`Store::results`].
#[derive(Clone, Copy, Debug)]
pub struct Results<'a> {
    store: &'a Store,
}

impl Store {
    /// The verbs about what came of races.
    pub fn results(&self) -> Results<'_> {
        Results { store: self }
    }
}

impl Results<'_> {
    /// The numbers of the results that are kept: from the oldest to the one behind the newest.
    pub fn numbers(&self) -> Result<std::ops::Range<u32>, StoreError> {
        let table = self.store.table();
        let first = table.get::<u32>(key::FIRST_RESULT)?.unwrap_or(FIRST_RESULT);
        let next = table.get::<u32>(key::NEXT_RESULT)?.unwrap_or(FIRST_RESULT);
        Ok(first..next.max(first))
    }

    /// A result. `None`: there is none of this number, or it is not kept any more.
    pub fn get(&self, number: u32) -> Result<Option<RaceResult>, StoreError> {
        self.store.table().get(&key::result(number))
    }

    /// So many results, the newest first, without the `skipped` newest.
    pub fn newest(&self, skipped: usize, count: usize) -> Result<Vec<RaceResult>, StoreError> {
        let numbers = self.numbers()?;
        let wanted = numbers.rev().skip(skipped).take(count);
        wanted.filter_map(|number| self.get(number).transpose()).collect()
    }

    /// The results of a race, the newest first; at most `most`.
    pub fn of_race(&self, race: RaceId, most: usize) -> Result<Vec<RaceResult>, StoreError> {
        let numbers = self.store.table().scan::<u32>(&key::results_of(race))?;
        numbers.into_iter().rev().take(most).filter_map(|number| self.get(number).transpose()).collect()
    }

    /// What the races of a persona add up to; nothing if it has none.
    pub fn of_persona(&self, persona: PersonaId) -> Result<PersonaResults, StoreError> {
        let found = self.store.table().get(&key::persona_results(persona))?;
        Ok(found.unwrap_or_else(|| none_of(persona)))
    }

    /// What the races of each persona that has any add up to, by number.
    pub fn totals(&self) -> Result<Vec<PersonaTotals>, StoreError> {
        self.store.table().scan_fronts::<PersonaResults, _>(key::PERSONA_RESULTS)
    }

    /// The best times of all courses, by lobby, laps, direction and class.
    pub fn records(&self) -> Result<Vec<CourseRecord>, StoreError> {
        self.store.table().scan(key::COURSES)
    }

    /// The number of the last race that was started; 0: none yet. Numbers are not given out twice, since Clients show them.
    pub fn last_race(&self) -> Result<RaceId, StoreError> {
        Ok(RaceId(self.store.table().get::<u32>(key::LAST_RACE)?.unwrap_or_default()))
    }
}

/// The results of a persona that has none yet.
fn none_of(persona: PersonaId) -> PersonaResults {
    let totals = PersonaTotals { persona, ..PersonaTotals::default() };
    PersonaResults { totals, ..PersonaResults::default() }
}

/// Keeps the result of a race, and returns it: `racers` are those of the sheet, filled in.
pub(super) fn keep(
    tx: &Transaction<'_>,
    race: &RaceUnderWay,
    race_type: u32,
    sheet: &Sheet,
    mut racers: Vec<RacerResult>,
    now: Now,
) -> Result<RaceResult, StoreError> {
    make_room(tx, now)?;
    let number = tx.take(key::NEXT_RESULT, FIRST_RESULT, 1)?;
    for racer in racers.iter_mut().filter(|racer| racer.is_player()) {
        let fee = race.fees.iter().find(|(persona, _)| *persona == racer.persona);
        racer.fee = fee.map_or(0, |(_, fee)| *fee);
        let course = course_of(sheet, racer);
        if let Some(course) = course
            && note_time(tx, course, race_type, race.race, racer, now)?
        {
            racer.flags |= RacerResult::RECORD;
        }
        note_racer(tx, number, course, race_type, race.race, (racer, sheet.metres), now)?;
    }
    let Sheet { lobby, terms, .. } = *sheet;
    let result = RaceResult { number, race: race.race, lobby, race_type, at: now.unix32(), terms, racers };
    tx.put(&key::result(number), &result)?;
    tx.put(&key::result_of(race.race, number), &number)?;
    Ok(result)
}

/// Removes what is too old or too much.
fn make_room(tx: &Transaction<'_>, now: Now) -> Result<(), StoreError> {
    let first = tx.get::<u32>(key::FIRST_RESULT)?.unwrap_or(FIRST_RESULT);
    let next = tx.get::<u32>(key::NEXT_RESULT)?.unwrap_or(FIRST_RESULT);
    let mut oldest = first;
    while oldest < next && oldest - first < REMOVED_AT_ONCE {
        let result = tx.get::<RaceResult>(&key::result(oldest))?;
        let is_old = result.as_ref().is_none_or(|result| {
            result.at >= CLOCK_IS_SET && now.unix32().saturating_sub(result.at) > KEPT_SECONDS
        });
        if !is_old && next - oldest < MOST_RESULTS {
            break;
        }
        if let Some(result) = result {
            tx.remove(&key::result_of(result.race, oldest))?;
            tx.remove(&key::result(oldest))?;
        }
        oldest += 1;
    }
    if oldest == first { Ok(()) } else { tx.put(key::FIRST_RESULT, &oldest) }
}

/// Where a racer's time can be compared with others, if it counts and was driven in the racer's own car.
fn course_of(sheet: &Sheet, racer: &RacerResult) -> Option<Course> {
    let counts = racer.place.is_some() && racer.time > 0 && racer.class > 0;
    counts.then_some(Course {
        lobby: sheet.lobby,
        laps: sheet.terms.laps,
        backward: sheet.terms.is_backward(),
        class: racer.class,
    })
}

/// Enters a time among the best of its course, if it is one; whether it is the best of all.
fn note_time(
    tx: &Transaction<'_>,
    course: Course,
    race_type: u32,
    race: RaceId,
    racer: &RacerResult,
    now: Now,
) -> Result<bool, StoreError> {
    let Course { lobby, laps, backward, class } = course;
    let key = key::course(lobby, laps, backward, class);
    let found: Option<CourseRecord> = tx.get(&key)?;
    let mut record = found.unwrap_or(CourseRecord { course, race_type, best: Vec::new() });
    if record.best.iter().any(|time| time.persona == racer.persona && time.time <= racer.time) {
        return Ok(false);
    }
    let at = record.best.partition_point(|time| time.time <= racer.time);
    if at >= MOST_TIMES {
        return Ok(false);
    }
    record.best.retain(|time| time.persona != racer.persona);
    let time = CourseTime {
        persona: racer.persona,
        name: racer.name.clone(),
        time: racer.time,
        at: now.unix32(),
        model: racer.model,
        race,
    };
    // Its own older time was worse, so it stood behind.
    record.best.insert(at, time);
    record.best.truncate(MOST_TIMES);
    tx.put(&key, &record)?;
    Ok(at == 0)
}

/// Adds a result, of a race of so many metres, to what the persona's races add up to.
fn note_racer(
    tx: &Transaction<'_>,
    number: u32,
    course: Option<Course>,
    race_type: u32,
    race: RaceId,
    (racer, metres): (&RacerResult, u32),
    now: Now,
) -> Result<(), StoreError> {
    let persona = racer.persona;
    // How far the others have come is not known.
    let metres = if racer.place.is_some() { u64::from(metres) } else { 0 };
    let found: Option<PersonaResults> = tx.get(&key::persona_results(persona))?;
    let mut results = found.unwrap_or_else(|| none_of(persona));
    let won = u32::from(racer.place == Some(1));
    let race_totals = RaceTotals { races: 1, won, points: racer.points, winnings: racer.cash.into(), metres };
    let PersonaTotals { weeks, classes, .. } = &mut results.totals;
    if let Some(week) = week(now) {
        if let Some(of) = weeks.iter_mut().find(|of| of.week == week) {
            of.totals.add(race_totals);
        } else {
            weeks.push(WeekTotals { week, totals: race_totals });
            weeks.sort_by_key(|of| of.week);
            weeks.drain(..weeks.len().saturating_sub(MOST_WEEKS));
        }
    }
    match classes.iter_mut().find(|of| of.class == racer.class) {
        Some(of) => of.totals.add(race_totals),
        None => classes.push(ClassTotals { class: racer.class, totals: race_totals }),
    }
    results.recent.push(number);
    results.recent.drain(..results.recent.len().saturating_sub(MOST_RECENT));
    if let Some(course) = course {
        let own = OwnTime { course, race_type, time: racer.time, at: now.unix32(), model: racer.model, race };
        let best = &mut results.best;
        let before = best.iter().position(|time| time.course == course).map(|at| best.remove(at));
        best.push(before.filter(|before| before.time <= own.time).unwrap_or(own));
        best.drain(..best.len().saturating_sub(MOST_OWN_TIMES));
    }
    tx.put(&key::persona_results(persona), &results)
}

/// Notes in the newest result of a race the damage that a racer's Client has reported since, once.
pub(super) fn note_damage(
    tx: &Transaction<'_>,
    newest: u32,
    racer: PersonaId,
    percent: u8,
) -> Result<(), StoreError> {
    let Some(mut result) = tx.get::<RaceResult>(&key::result(newest))? else { return Ok(()) };
    let found = result.racers.iter_mut().find(|result| result.is_player() && result.persona == racer);
    let Some(of_racer) = found.filter(|result| result.damage.is_none()) else { return Ok(()) };
    of_racer.damage = Some(percent.min(100));
    tx.put(&key::result(newest), &result)
}
