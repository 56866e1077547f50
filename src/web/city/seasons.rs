//! Seasons as everybody sees them.

use crate::store::{Season, StoreError};
use crate::web::layout::{Cell, Column, Page, Section};
use crate::web::page::{PageResponse, Site, message};
use crate::web::words::player_link;
use serde::Serialize;

/// Somebody in the standings of a season.
#[derive(Clone, Debug, Serialize)]
pub(super) struct StandingRow {
    pub(super) place: usize,
    pub(super) name: String,
    pub(super) points: u32,
    pub(super) nights: u32,
    pub(super) wins: u32,
}

/// A season with its standings.
#[derive(Clone, Debug, Serialize)]
pub(super) struct SeasonRow {
    pub(super) id: u32,
    pub(super) name: String,
    /// How many race nights it had so far.
    pub(super) nights: u32,
    pub(super) ended: bool,
    /// The best first; at most a hundred.
    pub(super) standings: Vec<StandingRow>,
}

impl SeasonRow {
    fn of(season: Season) -> Self {
        let standings = season.standings.into_iter().enumerate().map(|(at, row)| StandingRow {
            place: at + 1,
            name: row.name,
            points: row.points,
            nights: row.nights,
            wins: row.won,
        });
        let (id, name, nights, ended) = (season.id, season.name, season.nights, season.ended.is_some());
        Self { id, name, nights, ended, standings: standings.collect() }
    }
}

/// All seasons, the newest first.
pub(super) fn season_rows(site: &Site<'_>) -> Result<Vec<SeasonRow>, StoreError> {
    Ok(site.game.store.seasons().list()?.into_iter().map(SeasonRow::of).collect())
}

pub(super) fn seasons(site: &Site<'_>) -> Result<PageResponse, StoreError> {
    let rows = season_rows(site)?.into_iter().map(|season| {
        let first = season.standings.first().map(|row| row.name.clone()).unwrap_or_default();
        vec![
            Cell::linked(&season.name, format!("/seasons/{}", season.id)),
            season.nights.into(),
            if season.ended { "over" } else { "goes on" }.into(),
            if first.is_empty() { "-".into() } else { Cell::linked(&first, player_link(&first)) },
        ]
    });
    let section = Section {
        columns: Column::plain(&["Season", "Race nights", "State", "First"]),
        rows: rows.collect(),
        empty: "There is no season yet.",
        ..Section::default()
    };
    Ok(Page { title: "Seasons".to_owned(), sections: vec![section], ..Page::default() }.render(site))
}

pub(super) fn season(site: &Site<'_>, id: &str) -> Result<PageResponse, StoreError> {
    let found = match id.parse() {
        Ok(id) => site.game.store.seasons().get(id)?,
        Err(_) => None,
    };
    let Some(season) = found.map(SeasonRow::of) else {
        return Ok(message(site, 404, "No such season", "The page Seasons shows all."));
    };
    let rows = season.standings.iter().map(|row| {
        let cell = Cell::linked(&row.name, player_link(&row.name));
        vec![row.place.into(), cell, row.points.into(), row.nights.into(), row.wins.into()]
    });
    let section = Section {
        columns: Column::plain(&["Place", "Name", "Points", "Race nights", "Wins"]),
        rows: rows.collect(),
        empty: "No race night of this season is over yet.",
        ..Section::default()
    };
    let state = if season.ended { "The season is over." } else { "The season goes on." };
    let intro = vec![format!("{state} Race nights so far: {}.", season.nights)];
    let title = format!("Season {}", season.name);
    Ok(Page { title, intro, sections: vec![section], ..Page::default() }.render(site))
}
