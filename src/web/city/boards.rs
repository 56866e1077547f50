//! The leader boards: who has most points, wins or winnings or has driven farthest, in this week or in all, and by class of car.

use crate::clock::week;
use crate::services::Game;
use crate::store::{Persona, PersonaResults, StoreError};
use crate::web::fields::Fields;
use crate::web::layout::{Cell, Column, Page, Section, Window};
use crate::web::page::{PageResponse, Site};
use crate::web::words::{class, distance, money, number, player_link};
use mco_proto::ids::PersonaId;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::HashMap;

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
pub(super) struct Wish {
    pub(super) board: &'static str,
    pub(super) this_week: bool,
    /// 0: all classes.
    pub(super) class: u8,
}

impl Wish {
    pub(super) fn of(query: &Fields) -> Self {
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

/// What somebody's races add up to.
#[derive(Clone, Copy, Default)]
struct Totals {
    races: u32,
    wins: u32,
    points: u32,
    winnings: u64,
    metres: u64,
}

fn totals(site: &Site<'_>, wish: &Wish, persona: &Persona, results: Option<&PersonaResults>) -> Totals {
    if wish.this_week {
        let this_week = week(site.now.unix);
        let found = results.and_then(|results| results.weeks.iter().find(|totals| totals.week == this_week));
        return found.map_or_else(Totals::default, |week| Totals {
            races: week.races,
            wins: week.won,
            points: week.points,
            winnings: week.winnings,
            metres: week.metres,
        });
    }
    if wish.class > 0 {
        let found =
            results.and_then(|results| results.classes.iter().find(|totals| totals.class == wish.class));
        return found.map_or_else(Totals::default, |class| Totals {
            races: class.races,
            wins: class.won,
            points: class.points,
            winnings: class.winnings,
            metres: class.metres,
        });
    }
    Totals {
        races: persona.races_entered,
        wins: persona.races_won,
        points: persona.points,
        winnings: persona.total_winnings.into(),
        metres: results.map_or(0, PersonaResults::metres),
    }
}

/// Everybody on a board, the best first. Who has nothing is not on it.
pub(super) fn rows(site: &Site<'_>, wish: &Wish) -> Result<Vec<BoardRow>, StoreError> {
    let store = &site.game.store;
    let needed = wish.this_week || wish.class > 0 || wish.board == "distance";
    let results = if needed { store.results().of_all()? } else { Vec::new() };
    let results: HashMap<PersonaId, PersonaResults> =
        results.into_iter().map(|results| (results.persona, results)).collect();
    let mut ranked: Vec<(u64, Totals, Persona)> = Vec::new();
    for persona in store.personas().list()? {
        let totals = totals(site, wish, &persona, results.get(&persona.id));
        let value = match wish.board {
            "wins" => totals.wins.into(),
            "rate" if totals.races < LEAST_RACES => 0,
            "rate" => u64::from(totals.wins) * 100 / u64::from(totals.races),
            "winnings" => totals.winnings,
            "distance" => totals.metres,
            _ => totals.points.into(),
        };
        if value > 0 {
            ranked.push((value, totals, persona));
        }
    }
    ranked.sort_by_key(|(value, totals, persona)| (Reverse(*value), Reverse(totals.wins), persona.id));
    let rows = (1..).zip(ranked);
    Ok(rows
        .map(|(place, (value, totals, persona))| BoardRow {
            place,
            name: persona.name,
            value,
            races: totals.races,
        })
        .collect())
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
    let rows = rows(site, &wish)?;
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
    let window = Window::of(query.text("page"), rows.len());
    let cells = window.cut(rows).into_iter().map(|row| {
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
