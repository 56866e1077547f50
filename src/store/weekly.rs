//! The weekly rewards: who has most points in a week, in all races (Top Dog) and in each kind of race (Trials), is paid for it when the
//! week is over, on Monday at 00:00 UTC.
//!
//! Trials go by points, not by time. The publisher told its players of Open Trials and Sponsored Trials with ten places each and of what they pay less
//! than races against others (*documented*: updates 5 and 6), but not how they were ranked. Driving against the clock is a kind of race of its own to the
//! Client (19), and no lobby of this server offers it, since the times it asks for, and what they win, are lost.
//!
//! A week is settled once, whatever the clock does: its settlement stays as a record, and from then on no race counts for that week, nor is
//! it settled again when the clock comes back to it. What races bring in a week that is to come by a clock that was wrong waits for it.

use super::badges;
use super::city_key as key;
use super::error::StoreError;
use super::handle::Store;
use super::headlines;
use super::key::persona as persona_key;
use super::ledger;
use super::mail::{self, Letter};
use super::records::contest::{BadgeKind, KindPoints, RewardBoard, Rewarded, WeekPoints, WeekRewards};
use super::records::ledger::Kind;
use super::records::persona::{MOST_RACE_TYPES, PersonaRecord};
use super::records::result::RaceResult;
use super::table::{Table, Transaction};
use super::ticket::Changed;
use super::week::week;
use crate::clock::Now;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// How many kinds of race have a board in a week.
const MOST_KINDS: usize = 8;
/// How many are rewarded on one board at most.
const MOST_WINNERS: usize = 10;

/// What the places of a week bring, in dollars, the best place first.
#[derive(Clone, Copy, Debug)]
pub struct RewardTable<'a> {
    /// In all races together.
    pub top_dog: &'a [u32],
    /// In each kind of race.
    pub trials: &'a [u32],
    /// What to call a kind of race, by the Client's number.
    pub kind: fn(u32) -> &'static str,
}

/// The verbs about weekly rewards. See [`Store::rewards`].
#[derive(Clone, Copy, Debug)]
pub struct Rewards<'a> {
    store: &'a Store,
}

impl Store {
    /// The verbs about weekly rewards.
    pub fn rewards(&self) -> Rewards<'_> {
        Rewards { store: self }
    }
}

impl Rewards<'_> {
    /// The weeks that were settled, the newest first; at most `most`.
    pub fn weeks(&self, most: usize) -> Result<Vec<WeekRewards>, StoreError> {
        let mut all = self.store.table().scan::<WeekRewards>(key::REWARDS)?;
        all.reverse();
        all.truncate(most);
        Ok(all)
    }

    /// Pays the rewards of all weeks that are over and were not settled, with a line of the ledger and a mail for everybody who gets some.
    /// Nothing as long as the clock was not set. Returned are those weeks.
    pub fn settle(&self, table: &RewardTable<'_>, now: Now) -> Result<Vec<Changed<WeekRewards>>, StoreError> {
        let Some(this_week) = week(now) else { return Ok(Vec::new()) };
        let open = self.store.table().scan::<u32>(key::OPEN_WEEKS)?;
        let over = open.into_iter().filter(|week| *week < this_week);
        let settled = over.map(|week| self.settle_week(week, table, now));
        settled.filter_map(|settled| settled.map(Changed::some).transpose()).collect()
    }

    /// `None`: it was settled before.
    fn settle_week(
        self,
        week: u32,
        rewards: &RewardTable<'_>,
        now: Now,
    ) -> Result<Changed<Option<WeekRewards>>, StoreError> {
        self.store.change(|table| {
            let rows = table.scan::<WeekPoints>(&key::points_of_week(week))?;
            table.transact(|tx| {
                for row in &rows {
                    tx.remove(&key::points(week, row.persona))?;
                }
                let is_open = tx.has(&key::open_week(week))? && !tx.has(&key::rewards(week))?;
                tx.remove(&key::open_week(week))?;
                if !is_open {
                    return Ok(None);
                }
                let mut boards = vec![pay(tx, None, &totals(&rows), rewards, week, now)?];
                for (race_type, ranked) in by_kind(&rows) {
                    boards.push(pay(tx, Some(race_type), &ranked, rewards, week, now)?);
                }
                let settled = WeekRewards { week, at: now.unix32(), boards };
                tx.put(&key::rewards(week), &settled)?;
                Ok(Some(settled))
            })
        })
    }
}

/// What somebody has on a board.
type Score<'a> = (&'a WeekPoints, KindPoints);

fn ranked(mut scores: Vec<Score<'_>>) -> Vec<Score<'_>> {
    scores.retain(|(_, score)| score.points > 0);
    scores.sort_by_key(|(row, score)| (Reverse(score.points), Reverse(score.won), score.races, row.persona));
    scores
}

fn totals(rows: &[WeekPoints]) -> Vec<Score<'_>> {
    let sum = |row: &WeekPoints| {
        row.kinds.iter().fold(KindPoints::default(), |sum, kind| KindPoints {
            race_type: 0,
            races: sum.races.saturating_add(kind.races),
            won: sum.won.saturating_add(kind.won),
            points: sum.points.saturating_add(kind.points),
        })
    };
    ranked(rows.iter().map(|row| (row, sum(row))).collect())
}

fn by_kind(rows: &[WeekPoints]) -> BTreeMap<u32, Vec<Score<'_>>> {
    let mut kinds: BTreeMap<u32, Vec<Score<'_>>> = BTreeMap::new();
    for row in rows {
        for kind in &row.kinds {
            if kinds.len() < MOST_KINDS || kinds.contains_key(&kind.race_type) {
                kinds.entry(kind.race_type).or_default().push((row, *kind));
            }
        }
    }
    kinds.into_iter().map(|(kind, scores)| (kind, ranked(scores))).collect()
}

/// Rewards the best of those who are still there.
fn pay(
    tx: &Transaction<'_>,
    race_type: Option<u32>,
    scores: &[Score<'_>],
    table: &RewardTable<'_>,
    week: u32,
    now: Now,
) -> Result<RewardBoard, StoreError> {
    let amounts = if race_type.is_some() { table.trials } else { table.top_dog };
    let amounts = amounts.get(..amounts.len().min(MOST_WINNERS)).unwrap_or_default();
    let board =
        race_type.map_or_else(|| "Top Dog".to_owned(), |kind| format!("Trials, {}", (table.kind)(kind)));
    let mut winners = Vec::new();
    for (row, score) in scores {
        let Some(&amount) = amounts.get(winners.len()) else { break };
        let Some(mut record) = tx.get::<PersonaRecord>(&persona_key(row.persona))? else { continue };
        let dollars = ledger::give(tx, &mut record, Kind::WeeklyReward, amount, week, now)?;
        tx.put(&persona_key(row.persona), &record)?;
        let place = winners.len() + 1;
        let text = format!(
            "Place {place} of the week, {board}: {} points. The reward of {dollars} dollars is in the bank.",
            score.points
        );
        mail::post(tx, row.persona, &Letter::city_news("Weekly reward", &text), now)?;
        let name = record.persona.name;
        if place == 1 {
            let kind = BadgeKind::TopDog;
            badges::give(tx, row.persona, kind, &format!("Best of a week: {board}"), now)?;
            let text = format!("{name} is the best of the week: {board}, {} points", score.points);
            headlines::write(tx, text, "/rewards".to_owned(), now)?;
        }
        winners.push(Rewarded { persona: row.persona, name, points: score.points, dollars });
    }
    Ok(RewardBoard { race_type, winners })
}

/// Counts a settled race for its week, unless that week is settled already.
pub(super) fn note(tx: &Transaction<'_>, result: &RaceResult, now: Now) -> Result<(), StoreError> {
    let Some(week) = week(now) else { return Ok(()) };
    if tx.has(&key::rewards(week))? {
        return Ok(());
    }
    let mut noted = false;
    for racer in result.racers.iter().filter(|racer| racer.is_player()) {
        let persona = racer.persona;
        let found: Option<WeekPoints> = tx.get(&key::points(week, persona))?;
        let mut row = found.unwrap_or(WeekPoints { persona, kinds: Vec::new() });
        let at = row.kinds.iter().position(|kind| kind.race_type == result.race_type);
        let at = at.unwrap_or_else(|| {
            row.kinds.push(KindPoints { race_type: result.race_type, ..KindPoints::default() });
            row.kinds.len() - 1
        });
        let Some(kind) = row.kinds.get_mut(at).filter(|_| at < MOST_RACE_TYPES) else { continue };
        kind.races = kind.races.saturating_add(1);
        kind.won = kind.won.saturating_add(u32::from(racer.place == Some(1)));
        kind.points = kind.points.saturating_add(racer.points);
        tx.put(&key::points(week, persona), &row)?;
        noted = true;
    }
    if noted { tx.put(&key::open_week(week), &week) } else { Ok(()) }
}

/// The keys of a persona's rows in weeks that are not settled.
pub(super) fn rows_of(table: &Table, persona: mco_proto::ids::PersonaId) -> Result<Vec<Vec<u8>>, StoreError> {
    let open = table.scan::<u32>(key::OPEN_WEEKS)?;
    Ok(open.into_iter().map(|week| key::points(week, persona)).collect())
}
