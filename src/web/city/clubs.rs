//! The clubs, the page of each, and the turfs.

use crate::store::{Club, ClubTotals, StoreError};
use crate::web::fields::Fields;
use crate::web::layout::{Cell, Column, Page, Section, Window};
use crate::web::page::{PageResponse, Site, message};
use crate::web::words::{number, player_link, track};
use mco_proto::ids::PersonaId;
use serde::Serialize;
use std::collections::HashMap;

/// A club in the list.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ClubRow {
    pub(super) acronym: String,
    pub(super) name: String,
    pub(super) captain: String,
    pub(super) members: usize,
    pub(super) races: u32,
    pub(super) wins: u32,
    pub(super) points: u32,
    /// Weeks of turfs won.
    pub(super) turfs: u32,
    /// When it was founded, in seconds since 1970.
    pub(super) founded: u32,
    /// Whether it is in the turf wars of this week.
    pub(super) registered: bool,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct MemberRow {
    pub(super) name: String,
    pub(super) rank: &'static str,
    pub(super) title: String,
    pub(super) level: u32,
    pub(super) points: u32,
    /// When it joined, in seconds since 1970.
    pub(super) joined: u32,
}

/// Everything that is shown of one club.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ClubView {
    #[serde(flatten)]
    pub(super) row: ClubRow,
    pub(super) description: String,
    /// Foreground, background and third colour, as `FFCC00`.
    pub(super) colours: [String; 3],
    pub(super) roster: Vec<MemberRow>,
}

/// The page of a club.
pub(in crate::web) fn link(acronym: &str) -> String {
    format!("/clubs/{acronym}")
}

/// The clubs of all personas that are in one: its name and acronym.
pub(super) fn by_member(site: &Site<'_>) -> Result<HashMap<PersonaId, (String, String)>, StoreError> {
    let clubs = site.game.store.clubs().list()?;
    let members = clubs.iter().flat_map(|club| {
        club.members.iter().map(|member| (member.persona, (club.name.clone(), club.acronym.clone())))
    });
    Ok(members.collect())
}

fn name_of(site: &Site<'_>, persona: PersonaId) -> Result<String, StoreError> {
    Ok(site.game.store.personas().by_id(persona)?.map_or_else(String::new, |persona| persona.name))
}

fn row(site: &Site<'_>, club: &Club) -> Result<ClubRow, StoreError> {
    let ClubTotals { races, won, points, turfs } = site.game.store.clubs().totals(club.id)?;
    let captain = club.captain().map(|captain| name_of(site, captain)).transpose()?;
    Ok(ClubRow {
        acronym: club.acronym.clone(),
        name: club.name.clone(),
        captain: captain.unwrap_or_default(),
        members: club.members.len(),
        races,
        wins: won,
        points,
        turfs,
        founded: club.founded,
        registered: club.registered_until > crate::clock::week(site.now.unix),
    })
}

/// All clubs, those with most points first.
pub(super) fn rows(site: &Site<'_>) -> Result<Vec<ClubRow>, StoreError> {
    let clubs = site.game.store.clubs().list()?;
    let mut rows = clubs.iter().map(|club| row(site, club)).collect::<Result<Vec<_>, _>>()?;
    rows.sort_by_key(|row| std::cmp::Reverse((row.points, row.wins)));
    Ok(rows)
}

/// A club by its acronym.
pub(super) fn view(site: &Site<'_>, acronym: &str) -> Result<Option<ClubView>, StoreError> {
    let Some(club) = site.game.store.clubs().by_acronym(acronym)? else { return Ok(None) };
    let mut roster = Vec::new();
    for member in &club.members {
        let Some(persona) = site.game.store.personas().by_id(member.persona)? else { continue };
        roster.push(MemberRow {
            name: persona.name,
            rank: member.rank.name(),
            title: member.title.clone(),
            level: persona.level,
            points: persona.points,
            joined: member.joined,
        });
    }
    let colours = club.colours.map(|colour| format!("{colour:06X}"));
    Ok(Some(ClubView { row: row(site, &club)?, description: club.description, colours, roster }))
}

pub(super) fn list(site: &Site<'_>, query: &Fields) -> Result<PageResponse, StoreError> {
    let rows = rows(site)?;
    let window = Window::of(query.text("page"), rows.len());
    let cells = window.cut(rows).into_iter().map(|row| {
        vec![
            Cell::linked(&row.name, link(&row.acronym)),
            format!("[{}]", row.acronym).into(),
            Cell::linked(&row.captain, player_link(&row.captain)),
            row.members.into(),
            number(row.points.into()).into(),
            number(row.wins.into()).into(),
            row.turfs.into(),
        ]
    });
    let section = Section {
        choices: vec![vec![
            ("Turf wars".to_owned(), "/turfs".to_owned(), false),
            ("My club".to_owned(), "/me/club".to_owned(), false),
        ]],
        columns: Column::plain(&["Club", "Acronym", "Captain", "Members", "Points", "Wins", "Turfs"]),
        rows: cells.collect(),
        empty: "There is no club yet. Found one on the page My club.",
        pager: window.pager("/clubs"),
        ..Section::default()
    };
    Ok(Page { title: "Clubs".to_owned(), sections: vec![section], ..Page::default() }.render(site))
}

pub(super) fn one(site: &Site<'_>, acronym: &str) -> Result<PageResponse, StoreError> {
    let Some(ClubView { row, description, colours, roster }) = view(site, acronym)? else {
        let text = "There is no club with this acronym. The page Clubs shows all clubs.";
        return Ok(message(site, 404, "No such club", text));
    };
    let facts = vec![
        ("Captain", Cell::linked(&row.captain, player_link(&row.captain))),
        ("Members", row.members.into()),
        ("Races of members", number(row.races.into()).into()),
        ("Wins", number(row.wins.into()).into()),
        ("Points", number(row.points.into()).into()),
        ("Turfs won", row.turfs.into()),
        ("Turf wars", if row.registered { "takes part this week" } else { "does not take part" }.into()),
        ("Colours", colours.join(", ").into()),
        ("Founded", site.game.zone().day(row.founded).into()),
    ];
    let members = roster.iter().map(|member| {
        vec![
            Cell::linked(&member.name, player_link(&member.name)),
            member.rank.into(),
            member.title.clone().into(),
            member.level.into(),
            number(member.points.into()).into(),
            site.game.zone().day(member.joined).into(),
        ]
    });
    let sections = vec![
        Section { facts, ..Section::default() },
        Section {
            heading: "Members".to_owned(),
            columns: Column::plain(&["Name", "Rank", "Title", "Level", "Points", "Since"]),
            rows: members.collect(),
            ..Section::default()
        },
    ];
    let logo = (format!("/logo.svg?club={}", row.acronym), format!("The logo of {}", row.name));
    let title = format!("{} [{}]", row.name, row.acronym);
    let page = Page { title, intro: vec![description], pictures: vec![logo], sections, ..Page::default() };
    Ok(page.render(site))
}

/// A club's place on a turf.
#[derive(Clone, Debug, Serialize)]
pub(super) struct TurfPlace {
    pub(super) acronym: String,
    pub(super) points: u32,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct TurfRow {
    pub(super) lobby: u32,
    pub(super) track: String,
    /// The acronym of the club that won the last week that was settled; empty: none.
    pub(super) owner: String,
    /// The best five of that week.
    pub(super) last: Vec<TurfPlace>,
    /// The best five of this week, so far.
    pub(super) now: Vec<TurfPlace>,
}

/// All turfs, by lobby: every track on which races are driven, and those of before that somebody has fought for.
pub(super) fn turfs(site: &Site<'_>) -> Result<Vec<TurfRow>, StoreError> {
    const RANKED: usize = 5;
    let (turfs, clubs) = (site.game.store.turfs(), site.game.store.clubs().list()?);
    let acronym = |club: u32| clubs.iter().find(|known| known.id == club).map(|club| club.acronym.clone());
    let mut rows: Vec<TurfRow> = Vec::new();
    let new = |lobby| TurfRow {
        lobby,
        track: track(&site.game.catalog, lobby),
        owner: String::new(),
        last: Vec::new(),
        now: Vec::new(),
    };
    for turf in turfs.owners(site.now)? {
        let last: Vec<_> = turf
            .clubs
            .into_iter()
            .map(|club| TurfPlace { acronym: club.acronym, points: club.points })
            .collect();
        let owner = last.first().map(|club| club.acronym.clone()).unwrap_or_default();
        rows.push(TurfRow { owner, last, ..new(turf.lobby) });
    }
    for turf in turfs.this_week(site.now)? {
        let places = turf
            .clubs
            .iter()
            .filter_map(|club| Some(TurfPlace { acronym: acronym(club.club)?, points: club.points }));
        let now = places.take(RANKED).collect();
        match rows.iter_mut().find(|row| row.lobby == turf.lobby) {
            Some(row) => row.now = now,
            None => rows.push(TurfRow { now, ..new(turf.lobby) }),
        }
    }
    for lobby in site.game.catalog.lobbies().iter().filter(|lobby| lobby.race_type.is_race()) {
        if rows.iter().all(|row| row.lobby != lobby.id) {
            rows.push(new(lobby.id));
        }
    }
    rows.sort_by_key(|row| row.lobby);
    Ok(rows)
}

pub(super) fn turfs_page(site: &Site<'_>) -> Result<PageResponse, StoreError> {
    let places = |places: &[TurfPlace]| {
        let all: Vec<_> =
            places.iter().map(|place| format!("[{}] {}", place.acronym, place.points)).collect();
        Cell::from(if all.is_empty() { "-".to_owned() } else { all.join(", ") })
    };
    let rows = turfs(site)?.into_iter().map(|row| {
        let owner = if row.owner.is_empty() {
            Cell::from("-")
        } else {
            Cell::linked(format!("[{}]", row.owner), link(&row.owner))
        };
        vec![row.track.clone().into(), owner, places(&row.now), places(&row.last)]
    });
    let section = Section {
        columns: Column::plain(&["Turf", "Owner", "This week", "The week before"]),
        rows: rows.collect(),
        empty: "No club has points on any turf yet.",
        ..Section::default()
    };
    let intro = vec![format!(
        "Every track is a turf. On Monday at 00:00 UTC it goes for a week to the club whose members have won most points there, and the \
         club's Captain gets {}. A club takes part once its Captain has registered it.",
        crate::web::words::money(site.game.config.rewards.turf)
    )];
    Ok(Page { title: "Turf wars".to_owned(), intro, sections: vec![section], ..Page::default() }.render(site))
}
