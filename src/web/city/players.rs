//! The index of players, and the page of each.

use super::clubs;
use super::plots::{self, OwnRace};
use super::races::RaceRow;
use crate::clock::Zone;
use crate::store::{BadgeKind, Persona, StoreError};
use crate::web::fields::Fields;
use crate::web::layout::{Cell, Column, Page, Search, Section, Window};
use crate::web::page::{PageResponse, Site, message};
use crate::web::words::{car, class, course, distance, escaped, kind, number, player_link, time, track};
use mco_proto::ids::PersonaId;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::HashSet;

/// A player in the index. The columns are those of the publisher's own index (*documented*) and what races add up to.
#[derive(Clone, Debug, Serialize)]
pub(super) struct PlayerRow {
    pub(super) name: String,
    pub(super) online: bool,
    /// The name of the club; empty: none.
    pub(super) club: String,
    pub(super) acronym: String,
    pub(super) level: u32,
    pub(super) points: u32,
    pub(super) races: u32,
    pub(super) wins: u32,
    #[serde(skip)]
    pub(super) persona: PersonaId,
}

/// By what the index can be sorted.
const ORDERS: [(&str, &str); 8] = [
    ("name", "Name"),
    ("online", "Online"),
    ("club", "Club"),
    ("acronym", "Acronym"),
    ("level", "Level"),
    ("points", "Points"),
    ("races", "Races"),
    ("wins", "Wins"),
];

/// What is asked for: the order, which may be any text, and a part of a name.
pub(super) struct Wish {
    order: &'static str,
    pub(super) search: String,
}

impl Wish {
    pub(super) fn of(query: &Fields) -> Self {
        let asked = query.text("sort");
        let order = ORDERS.iter().map(|(order, _)| *order).find(|order| *order == asked).unwrap_or("points");
        Self { order, search: query.text("q").trim().chars().take(40).collect() }
    }

    fn link(&self, order: &str) -> String {
        format!("/players?sort={order}&q={}", escaped(&self.search))
    }
}

/// All players that are asked for, sorted.
pub(super) fn rows(site: &Site<'_>, wish: &Wish) -> Result<Vec<PlayerRow>, StoreError> {
    let game = site.game;
    let here: HashSet<PersonaId> =
        game.world.presence.all(site.now).into_iter().map(|present| present.persona).collect();
    let wanted = wish.search.to_lowercase();
    let all = game.store.personas().list()?.into_iter();
    let found = all.filter(|persona| wanted.is_empty() || persona.name.to_lowercase().contains(&wanted));
    let clubs = clubs::by_member(site)?;
    let mut rows: Vec<PlayerRow> =
        found.map(|persona| row(here.contains(&persona.id), clubs.get(&persona.id), &persona)).collect();
    match wish.order {
        "name" => rows.sort_by_cached_key(|row| row.name.to_lowercase()),
        "online" => rows.sort_by_key(|row| (!row.online, Reverse(row.points), row.persona)),
        // Those without a club come last.
        "club" => rows.sort_by_cached_key(|row| (row.club.is_empty(), row.club.to_lowercase(), row.persona)),
        "acronym" => {
            rows.sort_by_cached_key(|row| (row.acronym.is_empty(), row.acronym.clone(), row.persona));
        }
        "level" => rows.sort_by_key(|row| (Reverse((row.level, row.points)), row.persona)),
        "races" => rows.sort_by_key(|row| (Reverse(row.races), row.persona)),
        "wins" => rows.sort_by_key(|row| (Reverse(row.wins), row.persona)),
        _ => rows.sort_by_key(|row| (Reverse(row.points), row.persona)),
    }
    Ok(rows)
}

fn row(online: bool, club: Option<&(String, String)>, persona: &Persona) -> PlayerRow {
    let (club, acronym) = club.cloned().unwrap_or_default();
    PlayerRow {
        name: persona.name.clone(),
        online,
        club,
        acronym,
        level: persona.level,
        points: persona.points,
        races: persona.races_entered,
        wins: persona.races_won,
        persona: persona.id,
    }
}

pub(super) fn list(site: &Site<'_>, query: &Fields) -> Result<PageResponse, StoreError> {
    let wish = Wish::of(query);
    let rows = rows(site, &wish)?;
    let window = Window::of(query.text("page"), rows.len());
    let cells = window.cut(rows).into_iter().map(|row| {
        vec![
            Cell::linked(&row.name, player_link(&row.name)),
            Cell::from(if row.online { "yes" } else { "" }),
            if row.club.is_empty() { "".into() } else { Cell::linked(&row.club, clubs::link(&row.acronym)) },
            row.acronym.clone().into(),
            row.level.into(),
            number(row.points.into()).into(),
            number(row.races.into()).into(),
            number(row.wins.into()).into(),
        ]
    });
    let columns = ORDERS
        .iter()
        .map(|(order, label)| Column { label, link: (*order != wish.order).then(|| wish.link(order)) });
    let section = Section {
        columns: columns.collect(),
        rows: cells.collect(),
        empty: if wish.search.is_empty() {
            "There are no players yet."
        } else {
            "No player has such a name."
        },
        pager: window.pager(&wish.link(wish.order)),
        ..Section::default()
    };
    let search = Some(Search { action: "/players", label: "Name", value: wish.search.clone() });
    let page = Page { title: "Players".to_owned(), search, sections: vec![section], ..Page::default() };
    Ok(page.render(site))
}

/// The results of a player in one kind of race.
#[derive(Clone, Debug, Serialize)]
pub(super) struct KindRow {
    pub(super) kind: &'static str,
    pub(super) races: u32,
    pub(super) finished: u32,
    pub(super) wins: u32,
}

/// The best time of a player on one course.
#[derive(Clone, Debug, Serialize)]
pub(super) struct OwnTimeRow {
    pub(super) track: String,
    pub(super) kind: &'static str,
    pub(super) laps: u8,
    pub(super) backward: bool,
    pub(super) class: &'static str,
    pub(super) time_ms: u64,
    pub(super) car: String,
    pub(super) at: u32,
    pub(super) race: u32,
    #[serde(skip)]
    ticks: u32,
}

/// A car of a player.
#[derive(Clone, Debug, Serialize)]
pub(super) struct CarRow {
    pub(super) name: String,
    pub(super) class: &'static str,
}

/// Everything that is shown of one player.
#[derive(Clone, Debug, Serialize)]
pub(super) struct PlayerView {
    #[serde(flatten)]
    pub(super) row: PlayerRow,
    /// When the persona was made, in seconds since 1970.
    pub(super) created: u32,
    /// How far it has driven, as the board of distances counts.
    pub(super) metres: u64,
    pub(super) kinds: Vec<KindRow>,
    pub(super) best: Vec<OwnTimeRow>,
    pub(super) cars: Vec<CarRow>,
    pub(super) last_races: Vec<RaceRow>,
    pub(super) badges: Vec<BadgeRow>,
    #[serde(skip)]
    description: String,
}

/// What a player is honoured for.
#[derive(Clone, Debug, Serialize)]
pub(super) struct BadgeRow {
    /// The kind of it, as `/badge.svg` knows it.
    pub(super) kind: &'static str,
    pub(super) text: String,
    /// Since when, in seconds since 1970.
    pub(super) at: u32,
}

/// The badges of a player: those that were given, and what can be seen from records, club and age.
fn badges(
    site: &Site<'_>,
    persona: &Persona,
    club: Option<&(String, String)>,
) -> Result<Vec<BadgeRow>, StoreError> {
    const YEAR: u32 = 365 * 86_400;
    let store = &site.game.store;
    let given = store.badges(persona.id)?.into_iter().map(|badge| {
        let (kind, prefix) = match badge.kind {
            BadgeKind::Champion => ("champion", "Champion: "),
            BadgeKind::RaceNight => ("race-night", ""),
            BadgeKind::TopDog => ("top-dog", ""),
            BadgeKind::Turf => ("turf", ""),
        };
        BadgeRow { kind, text: format!("{prefix}{}", badge.text), at: badge.at }
    });
    let mut badges: Vec<BadgeRow> = given.collect();
    let records = store.results().records()?;
    let held: Vec<u32> = records
        .iter()
        .filter_map(|course| course.best.first())
        .filter(|best| best.persona == persona.id)
        .map(|best| best.at)
        .collect();
    if let Some(last) = held.iter().max() {
        let text = if held.len() == 1 {
            "Holds a record".to_owned()
        } else {
            format!("Holds {} records", held.len())
        };
        badges.push(BadgeRow { kind: "record", text, at: *last });
    }
    if let Some((name, acronym)) = club {
        let club = store.clubs().by_acronym(acronym)?;
        let member =
            club.and_then(|club| club.members.into_iter().find(|member| member.persona == persona.id));
        let at = member.map_or(0, |member| member.joined);
        badges.push(BadgeRow { kind: "club", text: format!("In the club {name}"), at });
    }
    let years = site.now.unix32().saturating_sub(persona.created) / YEAR;
    // Who was made before anybody set the clock has no age.
    if years > 0 && persona.created > YEAR * 30 {
        let text =
            if years == 1 { "A year in the city".to_owned() } else { format!("{years} years in the city") };
        badges.push(BadgeRow { kind: "years", text, at: persona.created });
    }
    Ok(badges)
}

/// A player by name, whatever the case of its letters.
pub(super) fn view(site: &Site<'_>, name: &str) -> Result<Option<PlayerView>, StoreError> {
    let (store, catalog) = (&site.game.store, &site.game.catalog);
    let Some(persona) = store.personas().by_name(site.game.config.shard.id, name)? else { return Ok(None) };
    let results = store.results().of_persona(persona.id)?;
    let kinds = persona.history.iter().map(|row| KindRow {
        kind: kind(row.race_type),
        races: row.entered,
        finished: row.finished,
        wins: row.won,
    });
    let mut best: Vec<OwnTimeRow> = results
        .best
        .iter()
        .map(|own| OwnTimeRow {
            track: track(catalog, own.course.lobby),
            kind: kind(own.race_type),
            laps: own.course.laps,
            backward: own.course.backward,
            class: class(own.course.class),
            time_ms: crate::web::words::milliseconds(own.time),
            car: car(catalog, own.model),
            at: own.at,
            race: own.race.0,
            ticks: own.time,
        })
        .collect();
    best.sort_by(|one, other| one.track.cmp(&other.track).then(one.ticks.cmp(&other.ticks)));
    let cars = store.garage().vehicles(persona.id)?;
    let cars = cars.iter().map(|own| CarRow { name: car(catalog, own.model), class: class(own.car_class) });
    let mut last_races = Vec::new();
    for number in results.recent.iter().rev() {
        last_races.extend(store.results().get(*number)?.map(|result| RaceRow::of(site, &result)));
    }
    let online = site.game.world.presence.in_use(persona.id, site.now);
    let club = store.clubs().of(persona.id)?.map(|club| (club.name, club.acronym));
    let badges = badges(site, &persona, club.as_ref())?;
    Ok(Some(PlayerView {
        row: row(online, club.as_ref(), &persona),
        created: persona.created,
        metres: results.totals.of_all_time().metres,
        kinds: kinds.collect(),
        best,
        cars: cars.collect(),
        last_races,
        badges,
        description: persona.description,
    }))
}

/// How somebody did in the last races, as pictures and as a table, the newest first.
fn form_section(zone: &Zone, name: &str, races: &[OwnRace]) -> Section {
    let rows = races.iter().rev().map(|race| {
        vec![
            zone.minute(race.result.at).into(),
            Cell::linked(race.result.race.to_string(), format!("/races/{}", race.result.race)),
            race.place.map_or_else(|| "-".into(), Cell::from),
            format!("+{}", number(race.won.into())).into(),
            number(race.points.into()).into(),
        ]
    });
    Section {
        heading: "Points and places".to_owned(),
        plots: if races.is_empty() { Vec::new() } else { plots::of_player(name) },
        columns: Column::plain(&["When", "Race", "Place", "Won", "Points"]),
        rows: rows.collect(),
        empty: "No race yet.",
        ..Section::default()
    }
}

pub(super) fn one(site: &Site<'_>, name: &str) -> Result<PageResponse, StoreError> {
    let Some(view) = view(site, name)? else {
        let text = "There is no player of this name. The page Players has a search.";
        return Ok(message(site, 404, "No such player", text));
    };
    let zone = site.game.zone();
    let PlayerView { row, created, metres, kinds, best, cars, last_races, badges, description } = view;
    let own_races = plots::own_races(site, row.persona, row.points)?;
    let facts = vec![
        ("Online", Cell::from(if row.online { "yes" } else { "no" })),
        (
            "Club",
            if row.club.is_empty() {
                "-".into()
            } else {
                Cell::linked(format!("{} [{}]", row.club, row.acronym), clubs::link(&row.acronym))
            },
        ),
        ("Level", row.level.into()),
        ("Points", number(row.points.into()).into()),
        ("Races", number(row.races.into()).into()),
        ("Wins", number(row.wins.into()).into()),
        ("Distance", Cell::linked(distance(metres), "/boards?board=distance&period=all")),
        ("Here since", zone.day(created).into()),
    ];
    let kinds = kinds.iter().map(|row| {
        vec![
            row.kind.into(),
            number(row.races.into()).into(),
            number(row.finished.into()).into(),
            number(row.wins.into()).into(),
        ]
    });
    let best = best.iter().map(|own| {
        vec![
            own.track.clone().into(),
            course(own.laps, own.backward).into(),
            own.class.into(),
            Cell::linked(time(own.ticks), format!("/races/{}", own.race)),
            own.car.clone().into(),
            zone.minute(own.at).into(),
        ]
    });
    let cars = cars.iter().map(|own| vec![own.name.clone().into(), own.class.into()]);
    let sections = vec![
        Section { facts, ..Section::default() },
        Section {
            heading: "By kind of race".to_owned(),
            columns: Column::plain(&["Kind", "Races", "Finished", "Wins"]),
            rows: kinds.collect(),
            empty: "No race yet.",
            ..Section::default()
        },
        Section {
            heading: "Best times".to_owned(),
            columns: Column::plain(&["Track", "Course", "Class", "Time", "Car", "When"]),
            rows: best.collect(),
            empty: "No time yet.",
            ..Section::default()
        },
        Section {
            heading: "Cars".to_owned(),
            columns: Column::plain(&["Car", "Class"]),
            rows: cars.collect(),
            empty: "No car yet.",
            ..Section::default()
        },
        form_section(zone, &row.name, &own_races),
        super::races::section(zone, "Last races", &last_races),
        Section {
            heading: "Badges".to_owned(),
            columns: Column::plain(&["Badge", "When"]),
            rows: badges
                .iter()
                .map(|badge| vec![badge.text.clone().into(), zone.day(badge.at).into()])
                .collect(),
            empty: "No badge yet.",
            ..Section::default()
        },
    ];
    let intro = Some(description).filter(|text| !text.is_empty()).into_iter().collect();
    let pictures = badges.into_iter().map(|badge| (format!("/badge.svg?kind={}", badge.kind), badge.text));
    let pictures = pictures.collect();
    Ok(Page { title: row.name, intro, pictures, sections, ..Page::default() }.render(site))
}
