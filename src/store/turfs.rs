//! Turf wars: the track of each lobby is a turf, and each week belongs to the club whose members have won most points there.
//!
//! The publisher's rules (*documented*): it goes by weeks, every track is a turf, a club takes part once its Captain has registered it, five clubs are
//! ranked, the Captain of the winner gets 30,000 dollars, and all its members a mail. Where points come from is ours: [`POINTS`].

use super::badges;
use super::city_key as key;
use super::clubs;
use super::error::StoreError;
use super::handle::Store;
use super::headlines;
use super::key::persona as persona_key;
use super::ledger;
use super::records::club::{Club, ClubTotals};
use super::records::contest::{BadgeKind, TurfClub, TurfWeek};
use super::records::ledger::Kind;
use super::records::persona::PersonaRecord;
use super::records::result::RaceResult;
use super::table::Transaction;
use super::ticket::Changed;
use super::week::week;
use crate::clock::Now;
use std::cmp::Reverse;

/// What a racer who came in brings its club, by place among all racers: only in a race in which somebody raced who is not of the same club.
pub const POINTS: [u32; 6] = [6, 4, 3, 2, 1, 1];
/// How many clubs are ranked (*documented*).
const RANKED: usize = 5;
/// How many settled weeks a turf keeps.
const MOST_WEEKS: usize = 104;

/// The verbs about turfs. See [`Store::turfs`].
#[derive(Clone, Copy, Debug)]
pub struct Turfs<'a> {
    store: &'a Store,
}

impl Store {
    /// The verbs about turfs.
    pub fn turfs(&self) -> Turfs<'_> {
        Turfs { store: self }
    }
}

fn by_points(clubs: &mut [TurfClub]) {
    clubs.sort_by_key(|club| (Reverse(club.points), club.races, club.club));
}

impl Turfs<'_> {
    /// How the clubs stand in the week of `now`, turf by turf, the best club first. Those without points are not there.
    pub fn this_week(&self, now: Now) -> Result<Vec<TurfWeek>, StoreError> {
        let this_week = week(now);
        let mut all = self.store.table().scan::<TurfWeek>(key::OPEN_TURFS)?;
        all.retain(|turf| Some(turf.week) == this_week);
        for turf in &mut all {
            by_points(&mut turf.clubs);
        }
        Ok(all)
    }

    /// The last settled week of each turf before the week of `now`, by lobby.
    pub fn owners(&self, now: Now) -> Result<Vec<TurfWeek>, StoreError> {
        let this_week = crate::clock::week(now.unix);
        let mut last: Vec<TurfWeek> = Vec::new();
        let settled = self.store.table().scan::<TurfWeek>(key::TURFS)?.into_iter();
        for turf in settled.filter(|turf| turf.week < this_week) {
            match last.last_mut() {
                Some(before) if before.lobby == turf.lobby => *before = turf,
                _ => last.push(turf),
            }
        }
        Ok(last)
    }

    /// Settles the turfs of all weeks that are over: pays `prize` dollars to the Captains of the winners. Each once, whatever the clock does, as
    /// with the weekly rewards. `turf` says what to call the track of a lobby.
    pub fn settle(
        &self,
        prize: u32,
        turf: &dyn Fn(u32) -> String,
        now: Now,
    ) -> Result<Vec<Changed<TurfWeek>>, StoreError> {
        let Some(this_week) = week(now) else { return Ok(Vec::new()) };
        let open = self.store.table().scan::<TurfWeek>(key::OPEN_TURFS)?;
        let over = open.into_iter().filter(|turf| turf.week < this_week);
        let settled = over.map(|week| self.settle_week(week.week, week.lobby, prize, turf, now));
        settled.filter_map(|settled| settled.map(Changed::some).transpose()).collect()
    }

    /// `None`: it was settled before.
    fn settle_week(
        self,
        week: u32,
        lobby: u32,
        prize: u32,
        name: &dyn Fn(u32) -> String,
        now: Now,
    ) -> Result<Changed<Option<TurfWeek>>, StoreError> {
        self.store.change(|table| {
            let settled = table.scan::<TurfWeek>(&key::weeks_of_turf(lobby))?;
            table.transact(|tx| {
                let open: Option<TurfWeek> = tx.get(&key::open_turf(week, lobby))?;
                tx.remove(&key::open_turf(week, lobby))?;
                let open = open.filter(|_| !settled.iter().any(|settled| settled.week == week));
                let Some(mut turf) = open else { return Ok(None) };
                by_points(&mut turf.clubs);
                let mut clubs: Vec<(TurfClub, Club)> = Vec::new();
                for found in turf.clubs {
                    if let Some(club) =
                        tx.get::<Club>(&key::club(found.club))?.filter(|_| clubs.len() < RANKED)
                    {
                        clubs.push((TurfClub { acronym: club.acronym.clone(), ..found }, club));
                    }
                }
                if let Some((_, winner)) = clubs.first() {
                    reward(tx, winner, prize, &name(lobby), lobby, now)?;
                }
                turf.clubs = clubs.into_iter().map(|(row, _)| row).collect();
                if settled.len() >= MOST_WEEKS
                    && let Some(oldest) = settled.first()
                {
                    tx.remove(&key::turf(lobby, oldest.week))?;
                }
                tx.put(&key::turf(lobby, week), &turf)?;
                Ok(Some(turf))
            })
        })
    }
}

fn reward(
    tx: &Transaction<'_>,
    club: &Club,
    prize: u32,
    turf: &str,
    lobby: u32,
    now: Now,
) -> Result<(), StoreError> {
    let mut dollars = 0;
    if let Some(captain) = club.captain()
        && let Some(mut record) = tx.get::<PersonaRecord>(&persona_key(captain))?
    {
        dollars = ledger::give(tx, &mut record, Kind::TurfWon, prize, lobby, now)?;
        tx.put(&persona_key(captain), &record)?;
    }
    let text = format!(
        "{} [{}] has won the turf {turf} this week. The Captain gets {dollars} dollars.",
        club.name, club.acronym
    );
    clubs::tell(tx, club, "A turf is won", &text, now)?;
    for member in &club.members {
        badges::give(tx, member.persona, BadgeKind::Turf, &format!("[{}] won {turf}", club.acronym), now)?;
    }
    let mut totals: ClubTotals = tx.get(&key::club_totals(club.id))?.unwrap_or_default();
    totals.turfs = totals.turfs.saturating_add(1);
    tx.put(&key::club_totals(club.id), &totals)?;
    headlines::write(
        tx,
        format!("{} [{}] wins the turf {turf}", club.name, club.acronym),
        "/turfs".to_owned(),
        now,
    )
}

/// Counts a settled race on its turf, unless the week is settled there.
pub(super) fn note(tx: &Transaction<'_>, result: &RaceResult, now: Now) -> Result<(), StoreError> {
    let Some(week) = week(now) else { return Ok(()) };
    let players: Vec<_> = result.racers.iter().filter(|racer| racer.is_player()).collect();
    let mut of_clubs = Vec::new();
    for racer in &players {
        of_clubs.push((clubs::club_of(tx, racer.persona)?, racer.place));
    }
    if tx.has(&key::turf(result.lobby, week))? {
        return Ok(());
    }
    let mut turf: Option<TurfWeek> = None;
    for (club, place) in &of_clubs {
        let points = place.and_then(|place| POINTS.get(usize::from(place).saturating_sub(1))).copied();
        let rivals = of_clubs.iter().any(|(other, _)| other != club);
        let Some(points) = points.filter(|_| *club > 0 && rivals) else { continue };
        let registered = tx.get::<Club>(&key::club(*club))?.is_some_and(|club| club.registered_until > week);
        if !registered {
            continue;
        }
        if turf.is_none() {
            turf = tx.get(&key::open_turf(week, result.lobby))?;
        }
        let turf = turf.get_or_insert_with(|| TurfWeek { lobby: result.lobby, week, clubs: Vec::new() });
        let at = turf.clubs.iter().position(|row| row.club == *club).unwrap_or_else(|| {
            turf.clubs.push(TurfClub { club: *club, acronym: String::new(), points: 0, races: 0 });
            turf.clubs.len() - 1
        });
        if let Some(row) = turf.clubs.get_mut(at) {
            row.points = row.points.saturating_add(points);
            row.races = row.races.saturating_add(1);
        }
    }
    turf.map_or(Ok(()), |turf| tx.put(&key::open_turf(week, result.lobby), &turf))
}
