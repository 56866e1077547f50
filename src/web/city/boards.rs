//! The leader boards: who has most points, wins or winnings or has driven farthest, in this week or in all, and by class of car.

use crate::clock::week;
use crate::services::Game;
use crate::store::{Persona, PersonaTotals, RaceTotals, StoreError};
use crate::web::fields::Fields;
use crate::web::layout::{Cell, Column, Page, Section, Window};
use crate::web::page::{PageResponse, Site};
use crate::web::words::{class, distance, money, number, player_link};
use mco_proto::ids::PersonaId;
use serde::Serialize;
use std::cmp::Reverse;

/// Who has driven fewer races has no rate of wins yet.
const LEAST_RACES: u32 = 5;

/// What the boards compare, with what people call it.
const BOARDS: [(&str, &str); 5] = [
    ("points", "Points"),
    ("wins", "Wins"),
    ("rate", "Win rate"),
    ("winnings", "Winnings"),
    ("distance", "Distance"),
];

/// Somebody on a board.
#[derive(Clone, Debug, Serialize)]
pub(super) struct BoardRow {
    pub(super) place: usize,
    pub(super) name: String,
    /// Points, wins, percent, dollars or metres.
    pub(super) value: u64,
    pub(super) races: u32,
}

/// Which board is asked for. What makes no sense is the first of its kind.
struct Wish {
    board: &'static str,
    this_week: bool,
    /// 0: all classes.
    class: u8,
}

impl Wish {
    fn of(query: &Fields) -> Self {
        let asked = query.text("board");
        let board = BOARDS.iter().map(|(board, _)| *board).find(|board| *board == asked).unwrap_or("points");
        let of_class = query.text("class");
        let class = (1..=3).find(|number| class(*number) == of_class).unwrap_or_default();
        // Weeks are not kept by class.
        let this_week = query.text("period") == "week" && class == 0;
        Self { board, this_week, class }
    }

    fn link(&self) -> String {
        let period = if self.this_week { "week" } else { "all" };
        let class = if self.class == 0 {
            String::new()
        } else {
            format!("&class={}", crate::web::words::escaped(class(self.class)))
        };
        format!("/boards?board={}&period={period}{class}", self.board)
    }
}

/// What the races of a persona add up to that a board compares.
fn compared(wish: &Wish, totals: &PersonaTotals, this_week: u32) -> RaceTotals {
    if wish.this_week {
        let found = totals.weeks.iter().find(|of| of.week == this_week);
        return found.map_or_else(RaceTotals::default, |of| of.totals);
    }
    if wish.class > 0 {
        let found = totals.classes.iter().find(|of| of.class == wish.class);
        return found.map_or_else(RaceTotals::default, |of| of.totals);
    }
    totals.of_all_time()
}

/// The same of all races, as the record of the persona has it, which is older than those of results. It knows no distance.
fn of_record(persona: &Persona) -> RaceTotals {
    RaceTotals {
        races: persona.races_entered,
        won: persona.races_won,
        points: persona.points,
        winnings: persona.total_winnings.into(),
        metres: 0,
    }
}

/// The part of a board that is asked for, the best first. Who has nothing is not on it.
pub(super) fn rows(site: &Site<'_>, query: &Fields) -> Result<(Window, Vec<BoardRow>), StoreError> {
    let (store, wish) = (&site.game.store, Wish::of(query));
    let all: Vec<(PersonaId, RaceTotals)> = if wish.this_week || wish.class > 0 || wish.board == "distance" {
        let this_week = week(site.now.unix);
        let all = store.results().totals()?.into_iter();
        all.map(|totals| (totals.persona, compared(&wish, &totals, this_week))).collect()
    } else {
        store.personas().list()?.iter().map(|persona| (persona.id, of_record(persona))).collect()
    };
    let value = |totals: &RaceTotals| match wish.board {
        "wins" => totals.won.into(),
        "rate" if totals.races < LEAST_RACES => 0,
        "rate" => u64::from(totals.won) * 100 / u64::from(totals.races),
        "winnings" => totals.winnings,
        "distance" => totals.metres,
        _ => totals.points.into(),
    };
    let ranked = all.into_iter().map(|(persona, totals)| (value(&totals), totals, persona));
    let mut ranked: Vec<(u64, RaceTotals, PersonaId)> = ranked.filter(|(value, ..)| *value > 0).collect();
    ranked.sort_by_key(|(value, totals, persona)| (Reverse(*value), Reverse(totals.won), *persona));
    let window = Window::of(query.text("page"), ranked.len());
    let places: Vec<_> = (1..).zip(ranked).collect();
    let mut rows = Vec::new();
    for (place, (value, totals, persona)) in window.cut(places) {
        // Who was removed a moment ago has no name.
        let persona = store.personas().by_id(persona)?;
        rows.extend(persona.map(|persona| BoardRow {
            place,
            name: persona.name,
            value,
            races: totals.races,
        }));
    }
    Ok((window, rows))
}

/// What counts for the distance, and where it is not known.
fn about_distances(game: &Game) -> String {
    const COUNTS: &str = "Laps times the length of the track, of the races that were finished.";
    let lobbies = game.catalog.lobbies().iter().filter(|lobby| lobby.race_type.is_race());
    let unknown = lobbies.filter(|lobby| game.lap_length(lobby).is_none());
    let unknown: Vec<String> =
        unknown.map(|lobby| format!("{} (track {})", lobby.turf, lobby.track)).collect();
    if unknown.is_empty() {
        return COUNTS.to_owned();
    }
    format!(
        "{COUNTS} Races add nothing where nobody has told the server the length of the track: {}. The operator can say it: game.track_lengths in mcos.toml.",
        unknown.join(", ")
    )
}

pub(super) fn list(site: &Site<'_>, query: &Fields) -> Result<PageResponse, StoreError> {
    let wish = Wish::of(query);
    let (window, rows) = rows(site, query)?;
    let boards = BOARDS
        .iter()
        .map(|(board, label)| ((*label).to_owned(), Wish { board, ..wish }.link(), *board == wish.board));
    let periods = [("all time", false), ("this week", true)].map(|(label, this_week)| {
        (
            label.to_owned(),
            Wish { this_week, class: if this_week { 0 } else { wish.class }, ..wish }.link(),
            this_week == wish.this_week,
        )
    });
    let classes = (0..=3).map(|number| {
        let label = if number == 0 { "all classes" } else { class(number) };
        (
            label.to_owned(),
            Wish { class: number, this_week: wish.this_week && number == 0, ..wish }.link(),
            number == wish.class,
        )
    });
    let choices = vec![boards.collect(), periods.into(), classes.collect()];
    let label = BOARDS.iter().find(|(board, _)| *board == wish.board).map_or("", |(_, label)| *label);
    let cells = rows.into_iter().map(|row| {
        let value = match wish.board {
            "winnings" => money(row.value),
            "rate" => format!("{} %", row.value),
            "distance" => distance(row.value),
            _ => number(row.value),
        };
        vec![
            row.place.into(),
            Cell::linked(&row.name, player_link(&row.name)),
            value.into(),
            number(row.races.into()).into(),
        ]
    });
    let section = Section {
        choices,
        columns: Column::plain(&["Place", "Name", label, "Races"]),
        rows: cells.collect(),
        empty: "Nobody is on this board yet.",
        pager: window.pager(&wish.link()),
        ..Section::default()
    };
    let intro = match wish.board {
        "rate" => Some(format!("Percent of the races that were won, from {LEAST_RACES} races on.")),
        "distance" => Some(about_distances(site.game)),
        _ => None,
    };
    let intro = intro.into_iter().collect();
    Ok(Page { title: "Leader boards".to_owned(), intro, sections: vec![section], ..Page::default() }
        .render(site))
}
