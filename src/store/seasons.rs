//! Seasons: series of race nights with one table. Each race night of a season brings points by place, and whoever has most at the end is the
//! champion.

use super::badges;
use super::city_key as key;
use super::error::StoreError;
use super::handle::Store;
use super::headlines;
use super::key::persona as persona_key;
use super::mail::{self, Letter};
use super::records::contest::{BadgeKind, Season, Standing};
use super::records::night::Night;
use super::refused::{CityError, ensure, tidy};
use super::table::Transaction;
use super::ticket::Changed;
use crate::clock::Now;
use std::cmp::Reverse;

/// How many seasons are kept.
const MOST_SEASONS: usize = 50;
/// How many are in the standings of one.
const MOST_STANDINGS: usize = 100;
/// What a place in a race night brings.
pub const SEASON_POINTS: [u32; 10] = [25, 18, 15, 12, 10, 8, 6, 4, 2, 1];

/// The verbs about seasons. See [`Store::seasons`].
#[derive(Clone, Copy, Debug)]
pub struct Seasons<'a> {
    store: &'a Store,
}

impl Store {
    /// The verbs about seasons.
    pub fn seasons(&self) -> Seasons<'_> {
        Seasons { store: self }
    }
}

impl Seasons<'_> {
    /// All seasons, the newest first.
    pub fn list(&self) -> Result<Vec<Season>, StoreError> {
        let mut all = self.store.table().scan::<Season>(key::SEASONS)?;
        all.reverse();
        Ok(all)
    }

    /// The season with this number, open or ended.
    pub fn get(&self, season: u32) -> Result<Option<Season>, StoreError> {
        self.store.table().get(&key::season(season))
    }

    /// Begins a season; its number is returned. The oldest that has ended makes room.
    pub fn begin(&self, name: &str) -> Result<Changed<u32>, CityError> {
        let name = tidy(name, 3, 30, "a season's name has 3 to 30 characters: choose another")?;
        self.store.change(|table| {
            let all = table.scan::<Season>(key::SEASONS)?;
            let oldest = all.iter().find(|season| season.ended.is_some()).map(|season| season.id);
            let full = all.len() >= MOST_SEASONS;
            ensure(!full || oldest.is_some(), "50 seasons go on: end one of them first")?;
            table.transact(|tx| {
                if let Some(oldest) = oldest.filter(|_| full) {
                    tx.remove(&key::season(oldest))?;
                }
                let id = tx.take(key::NEXT_SEASON, 1, 1)?;
                let season = Season { id, name, nights: 0, standings: Vec::new(), ended: None };
                tx.put(&key::season(id), &season)?;
                Ok(id)
            })
        })
    }

    /// Ends a season, once: the first one is its champion, with a badge, a mail and a headline. Race nights of it that are planned do not
    /// count for it any more.
    pub fn end(&self, season: u32, now: Now) -> Result<Changed<Season>, CityError> {
        self.store.change(|table| {
            table.transact(|tx| {
                let found: Option<Season> = tx.get(&key::season(season))?;
                let mut season = found.ok_or(CityError::because("there is no such season"))?;
                ensure(season.ended.is_none(), "this season has ended already")?;
                season.ended = Some(now.unix32());
                tx.put(&key::season(season.id), &season)?;
                let page = format!("/seasons/{}", season.id);
                let mut text = format!("The season {} is over", season.name);
                if let Some(champion) = season.standings.first() {
                    text = format!("{} is the champion of the season {}", champion.name, season.name);
                    badges::give(tx, champion.persona, BadgeKind::Champion, &season.name, now)?;
                    if tx.has(&persona_key(champion.persona))? {
                        let letter =
                            Letter::city_news("Champion!", &format!("You are the champion: {text}."));
                        mail::post(tx, champion.persona, &letter, now)?;
                    }
                }
                headlines::write(tx, text, page, now)?;
                Ok(season)
            })
        })
    }
}

/// Counts a race night that is over for its season, if that goes on.
pub(super) fn note(tx: &Transaction<'_>, night: &Night) -> Result<(), StoreError> {
    let found: Option<Season> = tx.get(&key::season(night.plan.season))?;
    let Some(mut season) = found.filter(|season| season.ended.is_none()) else { return Ok(()) };
    season.nights = season.nights.saturating_add(1);
    for (place, (entry, points)) in night.table().0.iter().zip(SEASON_POINTS).enumerate() {
        let at = season.standings.iter().position(|standing| standing.persona == entry.persona);
        let at = at.unwrap_or_else(|| {
            let (persona, name) = (entry.persona, String::new());
            season.standings.push(Standing { persona, name, points: 0, nights: 0, won: 0 });
            season.standings.len() - 1
        });
        let Some(standing) = season.standings.get_mut(at) else { continue };
        standing.name.clone_from(&entry.name);
        standing.points = standing.points.saturating_add(points);
        standing.nights = standing.nights.saturating_add(1);
        standing.won = standing.won.saturating_add(u32::from(place == 0));
    }
    season.standings.sort_by_key(|row| (Reverse((row.points, row.won)), row.nights, row.persona));
    season.standings.truncate(MOST_STANDINGS);
    tx.put(&key::season(season.id), &season)
}
