//! The races that were driven, and the page of each.

use crate::clock::Zone;
use crate::store::{RaceResult, RaceTerms, RacerResult, StoreError};
use crate::web::fields::Fields;
use crate::web::layout::{Cell, Column, Page, ROWS, Search, Section, Window};
use crate::web::page::{PageRequest, PageResponse, Site, message};
use crate::web::visit::Visit;
use crate::web::words::{
    car, class, kind, milliseconds, money, number, player_link, remarks, terms, time, track,
};
use mco_proto::ids::{PersonaId, RaceId};
use serde::Serialize;
use std::collections::HashSet;

/// How many runs of one race are shown.
const MOST_RUNS: usize = 20;

/// A race in a list.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RaceRow {
    /// The number that the game shows on the screen of results.
    pub(super) id: u32,
    /// When it was settled, in seconds since 1970.
    pub(super) at: u32,
    pub(super) track: String,
    pub(super) kind: &'static str,
    pub(super) racers: usize,
    pub(super) winner: Option<String>,
    /// The winner's time.
    pub(super) time_ms: Option<u64>,
    #[serde(skip)]
    ticks: u32,
}

impl RaceRow {
    pub(super) fn of(site: &Site<'_>, result: &RaceResult) -> Self {
        let winner = result.racers.iter().find(|racer| racer.place == Some(1));
        Self {
            id: result.race.0,
            at: result.at,
            track: track(&site.game.catalog, result.lobby),
            kind: kind(result.race_type),
            racers: result.racers.len(),
            winner: winner.filter(|winner| winner.is_player()).map(|winner| winner.name.clone()),
            time_ms: winner.map(|winner| milliseconds(winner.time)),
            ticks: winner.map_or(0, |winner| winner.time),
        }
    }
}

/// Races as a part of a page.
pub(super) fn section(zone: &Zone, heading: &str, races: &[RaceRow]) -> Section {
    let rows = races.iter().map(|race| {
        let winner = race.winner.as_ref();
        vec![
            Cell::linked(race.id.to_string(), format!("/races/{}", race.id)),
            zone.minute(race.at).into(),
            race.track.clone().into(),
            race.kind.into(),
            race.racers.into(),
            winner.map_or_else(|| "-".into(), |name| Cell::linked(name, player_link(name))),
            time(race.ticks).into(),
        ]
    });
    Section {
        heading: heading.to_owned(),
        columns: Column::plain(&["Race", "When", "Track", "Kind", "Racers", "Winner", "Time"]),
        rows: rows.collect(),
        empty: "No race yet.",
        ..Section::default()
    }
}

/// The races of a page of the list.
pub(super) fn rows(site: &Site<'_>, page: &str) -> Result<(Window, Vec<RaceRow>), StoreError> {
    let results = site.game.store.results();
    let window = Window::of(page, results.numbers()?.len());
    let found = results.newest(window.skipped(), ROWS)?;
    Ok((window, found.iter().map(|result| RaceRow::of(site, result)).collect()))
}

pub(super) fn list(site: &Site<'_>, query: &Fields) -> Result<PageResponse, StoreError> {
    // A number in the field leads to its race.
    if let Ok(id) = query.text("q").trim().parse::<u32>() {
        return Ok(PageResponse::go_to(format!("/races/{id}")));
    }
    let (window, rows) = rows(site, query.text("page"))?;
    let section = Section { pager: window.pager("/races"), ..section(site.game.zone(), "", &rows) };
    let search = Some(Search { action: "/races", label: "Number of the race", value: String::new() });
    let intro = vec![
        "The number of a race stands on the screen of results in the game. Each race is kept for 60 days."
            .to_owned(),
    ];
    Ok(Page { title: "Races".to_owned(), intro, search, sections: vec![section], ..Page::default() }
        .render(site))
}

/// One run of a race.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RunView {
    /// When it was settled, in seconds since 1970.
    pub(super) at: u32,
    pub(super) track: String,
    pub(super) lobby: u32,
    pub(super) kind: &'static str,
    pub(super) terms: TermsView,
    pub(super) racers: Vec<RacerView>,
    #[serde(skip)]
    said: RaceTerms,
}

/// What the host chose.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of the host")]
pub(super) struct TermsView {
    pub(super) entry_fee: u32,
    pub(super) pink_slip: bool,
    pub(super) laps: u8,
    pub(super) round: u8,
    pub(super) backward: bool,
    pub(super) night: bool,
    pub(super) rain: bool,
    pub(super) traffic: bool,
    pub(super) damage: bool,
    pub(super) nitrous: bool,
}

impl TermsView {
    fn of(terms: &RaceTerms) -> Self {
        use mco_proto::mcots::race::LobbyFlags;
        let flags = LobbyFlags(terms.flags);
        Self {
            entry_fee: terms.entry_fee,
            pink_slip: terms.pink_slip,
            laps: terms.laps,
            round: terms.round,
            backward: flags.has(LobbyFlags::BACKWARD),
            night: flags.has(LobbyFlags::NIGHT),
            rain: flags.has(LobbyFlags::WEATHER),
            traffic: flags.has(LobbyFlags::TRAFFIC),
            damage: flags.has(LobbyFlags::DAMAGE),
            nitrous: !terms.no_nitrous,
        }
    }
}

/// A racer of a run. Money is shown to the racer itself alone, and never here.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RacerView {
    pub(super) place: Option<u8>,
    /// The name; of a racer that a Client played there is none.
    pub(super) name: Option<String>,
    pub(super) time_ms: Option<u64>,
    pub(super) best_lap_ms: Option<u64>,
    pub(super) car: String,
    pub(super) class: &'static str,
    /// The worst damage of a part, in percent.
    pub(super) damage: Option<u8>,
    pub(super) points: u32,
    pub(super) remarks: Vec<&'static str>,
    #[serde(skip)]
    kept: RacerResult,
}

/// The runs of a race that are kept, the newest first.
pub(super) fn view(site: &Site<'_>, id: RaceId) -> Result<Vec<RunView>, StoreError> {
    let catalog = &site.game.catalog;
    let some = |ticks: u32| (ticks > 0).then(|| milliseconds(ticks));
    let racer = |kept: &RacerResult| RacerView {
        place: kept.place,
        name: kept.is_player().then(|| kept.name.clone()),
        time_ms: some(kept.time),
        best_lap_ms: some(kept.best_lap),
        car: car(catalog, kept.model),
        class: class(kept.class),
        damage: kept.damage,
        points: kept.points,
        remarks: remarks(kept),
        kept: kept.clone(),
    };
    let runs = site.game.store.results().of_race(id, MOST_RUNS)?;
    let views = runs.iter().map(|result| RunView {
        at: result.at,
        track: track(catalog, result.lobby),
        lobby: result.lobby,
        kind: kind(result.race_type),
        terms: TermsView::of(&result.terms),
        racers: result.racers.iter().map(racer).collect(),
        said: result.terms,
    });
    Ok(views.collect())
}

pub(super) fn one(site: &Site<'_>, request: &PageRequest<'_>, id: &str) -> Result<PageResponse, StoreError> {
    let runs = match id.parse() {
        Ok(id) => view(site, RaceId(id))?,
        Err(_) => Vec::new(),
    };
    if runs.is_empty() {
        let text = "There is no race of this number, or it was void, or it was driven more than 60 days ago.";
        return Ok(message(site, 404, "No such race", text));
    }
    let own: HashSet<PersonaId> = Visit::of(site, request)
        .map(|visit| visit.personas().iter().map(|persona| persona.id).collect())
        .unwrap_or_default();
    let sections = runs.iter().map(|run| run_section(site.game.zone(), run, &own)).collect();
    let page = Page { title: format!("Race {id}"), sections, ..Page::default() }.render(site);
    // Whoever is signed in sees more of it.
    Ok(if own.is_empty() { page } else { page.not_stored() })
}

/// A run as a part of a page, with the money of those personas that are one's `own`.
fn run_section(zone: &Zone, run: &RunView, own: &HashSet<PersonaId>) -> Section {
    let facts = vec![
        ("When", Cell::from(zone.minute(run.at))),
        ("Track", run.track.clone().into()),
        ("Kind", run.kind.into()),
        ("Terms", terms(&run.said).into()),
    ];
    let rows = run.racers.iter().map(|racer| {
        let kept = &racer.kept;
        let name = racer.name.as_ref();
        let mine = name.is_some() && own.contains(&kept.persona);
        let mut remarks: Vec<String> = racer.remarks.iter().map(|&remark| remark.to_owned()).collect();
        if mine {
            remarks.push(format!("won {}", money(kept.cash)));
            remarks.extend((kept.fee > 0).then(|| format!("paid {}", money(kept.fee))));
        }
        vec![
            racer.place.map_or_else(|| "-".into(), Cell::from),
            name.map_or_else(|| "computer driver".into(), |name| Cell::linked(name, player_link(name))),
            time(kept.time).into(),
            time(kept.best_lap).into(),
            racer.car.clone().into(),
            racer.class.into(),
            racer.damage.map_or_else(|| "-".into(), |percent| format!("{percent} %").into()),
            number(racer.points.into()).into(),
            remarks.join(", ").into(),
        ]
    });
    Section {
        facts,
        columns: Column::plain(&[
            "Place", "Racer", "Time", "Best lap", "Car", "Class", "Damage", "Points", "Remarks",
        ]),
        rows: rows.collect(),
        ..Section::default()
    }
}
