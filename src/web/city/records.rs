//! The best times of each course.

use super::plots;
use crate::store::{CourseRecord, CourseTime, StoreError};
use crate::web::fields::Fields;
use crate::web::layout::{Cell, Column, Page, Section, Window};
use crate::web::page::{PageResponse, Site};
use crate::web::words::{car, class, course, kind, milliseconds, player_link, time, track};
use serde::Serialize;

/// A time on a course.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RecordRow {
    pub(super) track: String,
    pub(super) lobby: u32,
    pub(super) kind: &'static str,
    pub(super) laps: u8,
    pub(super) backward: bool,
    pub(super) class: &'static str,
    pub(super) place: usize,
    pub(super) name: String,
    pub(super) time_ms: u64,
    /// When it was driven, in seconds since 1970.
    pub(super) at: u32,
    pub(super) car: String,
    pub(super) race: u32,
    #[serde(skip)]
    number: u8,
    #[serde(skip)]
    ticks: u32,
}

fn row(site: &Site<'_>, record: &CourseRecord, place: usize, best: &CourseTime) -> RecordRow {
    let catalog = &site.game.catalog;
    RecordRow {
        track: track(catalog, record.course.lobby),
        lobby: record.course.lobby,
        kind: kind(record.race_type),
        laps: record.course.laps,
        backward: record.course.backward,
        class: class(record.course.class),
        place,
        name: best.name.clone(),
        time_ms: milliseconds(best.time),
        at: best.at,
        car: car(catalog, best.model),
        race: best.race.0,
        number: record.course.class,
        ticks: best.time,
    }
}

/// The records that are asked for: the best of each course, or with a lobby the ten best of each of its courses; of all classes or of one.
pub(super) fn rows(site: &Site<'_>, query: &Fields) -> Result<Vec<RecordRow>, StoreError> {
    let lobby = query.text("lobby").parse::<u32>().ok();
    let wanted = query.text("class");
    let mut rows = Vec::new();
    for record in site.game.store.results().records()? {
        let of_class = wanted.is_empty() || wanted == class(record.course.class);
        if !of_class || lobby.is_some_and(|lobby| lobby != record.course.lobby) {
            continue;
        }
        let shown = if lobby.is_some() { record.best.len() } else { 1 };
        rows.extend(
            (1..).zip(record.best.iter().take(shown)).map(|(place, best)| row(site, &record, place, best)),
        );
    }
    rows.sort_by(|one, other| {
        let key = |row: &RecordRow| (row.lobby, row.laps, row.backward, row.number, row.place);
        one.track.cmp(&other.track).then(key(one).cmp(&key(other)))
    });
    Ok(rows)
}

pub(super) fn list(site: &Site<'_>, query: &Fields) -> Result<PageResponse, StoreError> {
    let rows = rows(site, query)?;
    let lobby = query.text("lobby").parse::<u32>().ok();
    let link = |class: &str| match lobby {
        Some(lobby) => format!("/records?lobby={lobby}&class={}", crate::web::words::escaped(class)),
        None => format!("/records?class={}", crate::web::words::escaped(class)),
    };
    let here = query.text("class");
    let classes = std::iter::once(("all classes".to_owned(), String::new()))
        .chain((1..=3).map(|number| (class(number).to_owned(), class(number).to_owned())));
    let choices = classes.map(|(label, class)| (label, link(&class), class == here));
    let choices = vec![choices.collect()];
    let window = Window::of(query.text("page"), rows.len());
    let cells = window.cut(rows).into_iter().map(|row| {
        vec![
            Cell::linked(&row.track, format!("/records?lobby={}", row.lobby)),
            row.kind.into(),
            course(row.laps, row.backward).into(),
            row.class.into(),
            row.place.into(),
            Cell::linked(time(row.ticks), format!("/races/{}", row.race)),
            Cell::linked(&row.name, player_link(&row.name)),
            row.car.into(),
            site.game.zone().minute(row.at).into(),
        ]
    });
    let section = Section {
        heading: lobby.map(|lobby| plots::heading(site, lobby)).unwrap_or_default(),
        plots: lobby.map(plots::of_track).into_iter().collect(),
        choices,
        columns: Column::plain(&["Track", "Kind", "Course", "Class", "Place", "Time", "Who", "Car", "When"]),
        rows: cells.collect(),
        empty: "No record yet: whoever comes in first sets it.",
        pager: window.pager(&link(here)),
        ..Section::default()
    };
    let intro = match lobby {
        Some(_) => vec!["The ten best of each course.".to_owned()],
        None => vec!["The best time of each course. The name of a track leads to the ten best.".to_owned()],
    };
    Ok(Page { title: "Records".to_owned(), intro, sections: vec![section], ..Page::default() }.render(site))
}
