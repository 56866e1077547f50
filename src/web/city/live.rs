//! What goes on in the city now: who is there and where, which races wait for racers, and which are driven.

use crate::admin::online;
use crate::clock::span;
use crate::store::{RaceTerms, StoreError};
use crate::web::fields::Fields;
use crate::web::layout::{Cell, Column, Page, Section, refresh};
use crate::web::page::{PageResponse, Site};
use crate::web::words::{player_link, terms, track};
use crate::world::races::{Driver, Race, State};
use mco_proto::ids::PersonaId;
use serde::Serialize;

/// How often browsers ask again, in seconds.
const REFRESH: u32 = 20;
/// How many of each are shown at most: more than play in a home, and no page grows without end.
const MOST: usize = 100;

/// What goes on.
#[derive(Clone, Debug, Serialize)]
pub(super) struct LiveView {
    pub(super) online: usize,
    pub(super) players: Vec<OnlineRow>,
    pub(super) waiting: Vec<PitRow>,
    pub(super) running: Vec<RunningRow>,
}

/// Somebody who is there.
#[derive(Clone, Debug, Serialize)]
pub(super) struct OnlineRow {
    pub(super) name: String,
    pub(super) place: String,
    pub(super) seconds: u64,
}

/// A race that waits for racers.
#[derive(Clone, Debug, Serialize)]
pub(super) struct PitRow {
    pub(super) id: u32,
    pub(super) track: String,
    pub(super) kind: &'static str,
    pub(super) host: Option<String>,
    pub(super) terms: String,
    pub(super) racers: usize,
    pub(super) free: usize,
}

/// A race that is driven.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RunningRow {
    pub(super) id: u32,
    pub(super) track: String,
    pub(super) kind: &'static str,
    pub(super) racers: Vec<String>,
    pub(super) seconds: u64,
}

/// What goes on now. The races are copied first: no lock of the world is held while the store is asked for names.
pub(super) fn view(site: &Site<'_>) -> LiveView {
    let game = site.game;
    let races: Vec<Race> = game.world.races.lock().all().take(MOST).cloned().collect();
    let name = |persona: PersonaId| {
        let found = game.store.personas().by_id(persona);
        found.inspect_err(|error| log::error!("http: {error}")).ok().flatten().map(|persona| persona.name)
    };
    let mut waiting = Vec::new();
    let mut running = Vec::new();
    for race in &races {
        let (id, settings) = (race.id.0, &race.settings);
        let (track, kind) = (track(&game.catalog, settings.lobby), settings.race_type.name());
        match race.state {
            State::Running(_) => {
                let humans = race.field.iter().filter_map(|starter| match starter.driver {
                    Driver::Human { persona, .. } => name(persona),
                    Driver::Ai(_) => None,
                });
                let seconds = race.elapsed(site.now).unwrap_or_default().as_secs();
                running.push(RunningRow { id, track, kind, racers: humans.collect(), seconds });
            }
            State::Open | State::Starting | State::Finished => {
                let here = race.members.iter().filter(|member| member.is_here()).count();
                let free = settings.most_racers.saturating_sub(here);
                let said = RaceTerms {
                    entry_fee: settings.entry_fee,
                    pink_slip: settings.pink_slip,
                    laps: settings.laps,
                    round: 0,
                    flags: settings.flags.0,
                    no_nitrous: settings.no_nitrous,
                };
                let host = race.host().and_then(name);
                waiting.push(PitRow { id, track, kind, host, terms: terms(&said), racers: here, free });
            }
        }
    }
    let all = online::players(game, site.now);
    let players = all.iter().take(MOST).map(|player| OnlineRow {
        name: player.persona.clone(),
        place: place(&player.services),
        seconds: player.seconds,
    });
    LiveView { online: all.len(), players: players.collect(), waiting, running }
}

/// Where somebody is, by the services to which its Client is connected.
fn place(services: &[String]) -> String {
    let place = if let Some(room) = services.iter().find(|service| service.starts_with("room")) {
        room.as_str()
    } else if services.iter().any(|service| service == "lobby") {
        "lobby"
    } else if services.is_empty() {
        "signing in"
    } else {
        "garage"
    };
    place.to_owned()
}

pub(super) fn page(site: &Site<'_>, query: &Fields) -> Result<PageResponse, StoreError> {
    let LiveView { online, players, waiting, running } = view(site);
    let players = players.iter().map(|player| {
        vec![
            Cell::linked(&player.name, player_link(&player.name)),
            player.place.clone().into(),
            span(player.seconds).into(),
        ]
    });
    let waiting = waiting.iter().map(|pit| {
        vec![
            pit.track.clone().into(),
            pit.kind.into(),
            pit.host.as_ref().map_or_else(|| "-".into(), |name| Cell::linked(name, player_link(name))),
            pit.terms.clone().into(),
            pit.racers.into(),
            pit.free.into(),
        ]
    });
    let running = running.iter().map(|race| {
        vec![
            race.id.into(),
            race.track.clone().into(),
            race.kind.into(),
            race.racers.join(", ").into(),
            span(race.seconds).into(),
        ]
    });
    let sections = vec![
        Section {
            heading: "Races that wait for racers".to_owned(),
            columns: Column::plain(&["Track", "Kind", "Host", "Terms", "Racers", "Free places"]),
            rows: waiting.collect(),
            empty: "No race waits.",
            ..Section::default()
        },
        Section {
            heading: "Races that are driven".to_owned(),
            columns: Column::plain(&["Race", "Track", "Kind", "Racers", "For"]),
            rows: running.collect(),
            empty: "No race is driven.",
            ..Section::default()
        },
        Section {
            heading: format!("Players online: {online}"),
            columns: Column::plain(&["Name", "Where", "For"]),
            rows: players.collect(),
            empty: "Nobody is online.",
            ..Section::default()
        },
    ];
    let refresh = refresh(REFRESH, "/live", query);
    Ok(Page { title: "Live".to_owned(), sections, refresh, ..Page::default() }.render(site))
}
