//! Race nights: planned for a lobby and a time, with a fee and a purse. Who registers pays the fee, which the record of the night holds; the races
//! of those who are registered count while it runs; at its end the purse is paid, or all fees go back. See `ending`.
//!
//! A race night that is planned or runs and one that is closed lie under different keys, and closing it moves it in the transaction that pays:
//! so nothing is paid twice, whatever the clock does.

mod ending;
mod prizes;
mod registration;

pub use ending::{NIGHT_POINTS, Turned};
pub use prizes::MOST_PRIZES;
pub(super) use registration::Registered;

use super::city_key as key;
use super::deals::party;
use super::error::StoreError;
use super::handle::Store;
use super::headlines;
use super::key::persona as persona_key;
use super::mail::{self, CLOCK_IS_SET, Letter};
use super::records::club::{Club, Membership};
use super::records::contest::Season;
use super::records::night::{Night, NightPlan};
use super::records::result::{BACKWARD, RaceResult, RacerResult};
use super::refused::{CityError, ensure, tidy};
use super::table::{Table, Transaction};
use super::ticket::Changed;
use crate::clock::{Now, Zone};
use mco_proto::ids::PersonaId;

/// How many race nights are planned or run at a time.
const MOST_OPEN: usize = 50;
/// How many of them one club has.
const MOST_OF_CLUB: usize = 3;
/// How many can register for one.
pub const MOST_ENTRIES: u16 = 64;
/// How many closed ones are kept.
const MOST_CLOSED: usize = 200;
/// The highest fee, and the most that the city adds to a purse.
const MOST_DOLLARS: (u32, u32) = (1_000_000, 10_000_000);
const HOUR: u32 = 60 * 60;
const DAY: u32 = 24 * HOUR;
/// The longest one, and how far ahead it can be planned.
const LONGEST: u32 = 7 * DAY;
const FARTHEST: u32 = 366 * DAY;

/// Who plans a race night.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// The Server Operator.
    Operator,
    /// The Captain of a club: for its fees alone.
    Captain(PersonaId),
}

/// The verbs about race nights. See [`Store::nights`].
#[derive(Clone, Copy, Debug)]
pub struct Nights<'a> {
    store: &'a Store,
    /// By whose clocks a weekly one comes again, and headlines tell when one begins.
    zone: &'a Zone,
}

impl Store {
    /// The verbs about race nights. Those that change something fail with [`CityError::Refused`], whose words say which rule is against it.
    pub fn nights(&self) -> Nights<'_> {
        Nights { store: self, zone: Zone::utc() }
    }
}

impl<'a> Nights<'a> {
    /// The same by the clocks of a zone: a weekly race night keeps its hour there.
    #[must_use]
    pub const fn in_zone(self, zone: &'a Zone) -> Self {
        Self { zone, ..self }
    }

    /// Those that are planned or run, the next first.
    pub fn open(&self) -> Result<Vec<Night>, StoreError> {
        let mut all = open(self.store.table())?;
        all.sort_by_key(|night| (night.plan.start, night.id));
        Ok(all)
    }

    /// Those that are over or cancelled, the newest first.
    pub fn closed(&self) -> Result<Vec<Night>, StoreError> {
        let mut all = self.store.table().scan::<Night>(key::CLOSED_NIGHTS)?;
        all.reverse();
        Ok(all)
    }

    /// One of either.
    pub fn get(&self, night: u32) -> Result<Option<Night>, StoreError> {
        let table = self.store.table();
        match table.get(&key::open_night(night))? {
            Some(found) => Ok(Some(found)),
            None => table.get(&key::closed_night(night)),
        }
    }

    /// Plans a race night; its number is returned.
    pub fn plan(&self, host: Host, plan: &NightPlan, now: Now) -> Result<Changed<u32>, CityError> {
        let plan = checked(plan, host, now)?;
        self.store.change(|table| {
            let others = open(table)?;
            ensure(others.len() < MOST_OPEN, "50 race nights are planned: wait until one is over")?;
            table.transact(|tx| {
                let club = match host {
                    Host::Operator => 0,
                    Host::Captain(captain) => {
                        party(tx, captain, now)?;
                        club_of_captain(tx, captain)?.id
                    }
                };
                let own = others.iter().filter(|other| club > 0 && other.club == club).count();
                ensure(
                    own < MOST_OF_CLUB,
                    "your club has planned three race nights: wait until one is over",
                )?;
                season_of(tx, plan.season)?;
                let id = tx.take(key::NEXT_NIGHT, 1, 1)?;
                let text = format!("A race night is planned: {}, {}", plan.name, self.zone.stamp(plan.start));
                tx.put(&key::open_night(id), &Night { id, plan, club, ..Night::default() })?;
                headlines::write(tx, text, format!("/events/{id}"), now)?;
                Ok(id)
            })
        })
    }
}

/// Those that are planned or run.
pub(super) fn open(table: &Table) -> Result<Vec<Night>, StoreError> {
    table.scan(key::OPEN_NIGHTS)
}

/// The club whose Captain this is.
fn club_of_captain(tx: &Transaction<'_>, captain: PersonaId) -> Result<Club, CityError> {
    let club = tx.get::<Membership>(&key::membership(captain))?.unwrap_or_default().club;
    let club: Option<Club> = tx.get(&key::club(club))?;
    let club = club.filter(|club| club.captain() == Some(captain));
    club.ok_or(CityError::because(
        "only the Captain of a club may do this for it: ask the Captain, or the operator",
    ))
}

/// The season of this number, unless it is 0, which has to go on.
fn season_of(tx: &Transaction<'_>, season: u32) -> Result<(), CityError> {
    if season == 0 {
        return Ok(());
    }
    let goes_on = tx.get::<Season>(&key::season(season))?.is_some_and(|season| season.ended.is_none());
    ensure(goes_on, "there is no such season, or it has ended: choose another")
}

/// Writes to somebody, unless it is deleted.
fn write(tx: &Transaction<'_>, to: PersonaId, text: &str, now: Now) -> Result<(), StoreError> {
    if tx.has(&persona_key(to))? {
        mail::post(tx, to, &Letter::city_news("Race night", text), now)
    } else {
        Ok(())
    }
}

/// A plan without mistakes.
fn checked(plan: &NightPlan, host: Host, now: Now) -> Result<NightPlan, CityError> {
    let name = tidy(&plan.name, 3, 40, "a race night's name has 3 to 40 characters: choose another")?;
    let text = tidy(&plan.text, 0, 255, "a text has at most 255 characters: shorten it")?;
    let now = now.unix32();
    ensure(now >= CLOCK_IS_SET, "the clock of the server is not set: set it first")?;
    ensure(plan.start > now, "the beginning is over: choose a later one")?;
    ensure(plan.start - now <= FARTHEST, "that is more than a year ahead: choose an earlier beginning")?;
    ensure(plan.end > plan.start, "it would end before it begins: choose another end")?;
    ensure(plan.end - plan.start <= LONGEST, "a race night lasts a week at most: choose an earlier end")?;
    ensure((2..=MOST_ENTRIES).contains(&plan.most), "2 to 64 can register: choose another number")?;
    ensure(plan.fee <= MOST_DOLLARS.0, "a fee is at most $1,000,000: choose a lower one")?;
    ensure(plan.purse <= MOST_DOLLARS.1, "the city adds at most $10,000,000: choose less")?;
    let (least, most) = plan.levels;
    ensure(most == 0 || least <= most, "the lowest level is above the highest: change one of them")?;
    if let Host::Captain(_) = host {
        ensure(plan.purse == 0 && plan.season == 0, "a club's race night is driven for its fees alone")?;
    }
    Ok(NightPlan { name, text, ..plan.clone() })
}

/// Counts a settled race for the race nights that run.
pub(super) fn note(
    tx: &Transaction<'_>,
    nights: &[Night],
    result: &RaceResult,
    now: Now,
) -> Result<(), StoreError> {
    for night in nights.iter().filter(|night| night.runs_at(now.unix) && counts(&night.plan, result)) {
        let mut night = night.clone();
        let mut changed = false;
        let by_time = night.plan.best_time;
        let class = night.plan.class;
        for entry in &mut night.entries {
            let driven =
                result.racers.iter().find(|racer| racer.is_player() && racer.persona == entry.persona);
            if let Some(racer) = driven.filter(|racer| class == 0 || racer.class == class) {
                add(entry, racer, by_time);
                changed = true;
            }
        }
        if changed {
            tx.put(&key::open_night(night.id), &night)?;
        }
    }
    Ok(())
}

/// Whether a race was driven as the race night wants it. Points are only for races with another player.
fn counts(plan: &NightPlan, result: &RaceResult) -> bool {
    let terms = &result.terms;
    let players = result.racers.iter().filter(|racer| racer.is_player()).count();
    result.lobby == plan.lobby
        && (plan.laps == 0 || plan.laps == terms.laps)
        && plan.backward.is_none_or(|backward| backward == (terms.flags & BACKWARD != 0))
        && plan.no_nitrous.is_none_or(|without| without == terms.no_nitrous)
        && (plan.best_time || players > 1)
}

fn add(entry: &mut super::records::night::NightEntry, racer: &RacerResult, by_time: bool) {
    entry.races = entry.races.saturating_add(1);
    let Some(place) = racer.place else { return };
    entry.won = entry.won.saturating_add(u32::from(place == 1));
    if !by_time {
        let points = NIGHT_POINTS.get(usize::from(place).saturating_sub(1)).copied().unwrap_or_default();
        entry.points = entry.points.saturating_add(points);
    }
    if racer.time > 0 && (entry.best == 0 || racer.time < entry.best) {
        (entry.best, entry.model) = (racer.time, racer.model);
    }
}
