//! Race nights, seasons and weekly rewards as everybody sees them.

use super::clubs;
use crate::clock::{Zone, next_week, week};
use crate::services::deals::CityRules;
use crate::store::{DealRules as _, Night, NightPlan, StoreError, WeekRewards};
use crate::web::deals::player;
use crate::web::fields::Fields;
use crate::web::layout::{Cell, Column, Page, Section, Window, refresh};
use crate::web::page::{PageRequest, PageResponse, Site, message};
use crate::web::words::{class, course, kind, milliseconds, money, number, player_link, time, track};
use serde::Serialize;

const DAY: u64 = 86_400;
/// How many weeks the calendar shows.
const WEEKS: u64 = 6;

/// A race night in a list. Moments are seconds since 1970, money is in dollars.
#[derive(Clone, Debug, Serialize)]
pub(super) struct NightRow {
    pub(super) id: u32,
    pub(super) name: String,
    pub(super) track: String,
    pub(super) start: u32,
    pub(super) end: u32,
    /// `planned`, `running`, `over` or `cancelled`.
    pub(super) state: &'static str,
    pub(super) weekly: bool,
    pub(super) fee: u32,
    pub(super) purse: u64,
    pub(super) registered: usize,
    pub(super) places: u16,
    /// The acronym of the club whose Captain planned it; empty: the operator did.
    pub(super) club: String,
}

/// Somebody in the table of a race night.
#[derive(Clone, Debug, Serialize)]
pub(super) struct NightPlace {
    /// From 1. `None`: no result yet.
    pub(super) place: Option<usize>,
    pub(super) name: String,
    pub(super) races: u32,
    pub(super) wins: u32,
    pub(super) points: u32,
    /// The best time; 0: none.
    pub(super) best_ms: u64,
    /// The prize that was paid.
    pub(super) dollars: u32,
    #[serde(skip)]
    ticks: u32,
}

/// A car or part to win.
#[derive(Clone, Debug, Serialize)]
pub(super) struct PrizeRow {
    pub(super) name: String,
    /// Who has given it; empty: a driver that is deleted.
    pub(super) from: String,
    /// Who has won it; empty: nobody.
    pub(super) winner: String,
}

/// Everything that is shown of one race night.
#[derive(Clone, Debug, Serialize)]
pub(super) struct NightView {
    #[serde(flatten)]
    pub(super) row: NightRow,
    pub(super) text: String,
    /// Which races count, in words.
    pub(super) counts: String,
    /// Why it was cancelled; empty: it was not.
    pub(super) cancelled: String,
    /// The number of its season; 0: none.
    pub(super) season: u32,
    /// The cars and parts to win, the first one first.
    pub(super) prizes: Vec<PrizeRow>,
    pub(super) table: Vec<NightPlace>,
}

fn state(night: &Night, now: u64) -> &'static str {
    match &night.outcome {
        Some(outcome) if outcome.cancelled.is_empty() => "over",
        Some(_) => "cancelled",
        None if now < night.plan.start.into() => "planned",
        None => "running",
    }
}

fn row(site: &Site<'_>, night: &Night) -> Result<NightRow, StoreError> {
    let NightPlan { name, lobby, start, end, weekly, fee, most, .. } = &night.plan;
    let club = if night.club == 0 { None } else { site.game.store.clubs().get(night.club)? };
    Ok(NightRow {
        id: night.id,
        name: name.clone(),
        track: track(&site.game.catalog, *lobby),
        start: *start,
        end: *end,
        state: state(night, site.now.unix),
        weekly: *weekly,
        fee: *fee,
        purse: night.purse(),
        registered: night.entries.len(),
        places: *most,
        club: club.map(|club| club.acronym).unwrap_or_default(),
    })
}

/// Which races count for a plan, in words.
fn counts(plan: &NightPlan) -> String {
    let mut parts: Vec<String> =
        Some(course(plan.laps, false)).filter(|text| !text.is_empty()).into_iter().collect();
    let either =
        |told: Option<bool>, no: &str, yes: &str| told.map(|told| if told { yes } else { no }.to_owned());
    parts.extend(either(plan.backward, "forward", "backward"));
    parts.extend(either(plan.no_nitrous, "nitrous allowed", "no nitrous"));
    parts.extend((plan.class > 0).then(|| format!("cars of class {}", class(plan.class))));
    parts.push(
        if plan.best_time { "the best time decides" } else { "points by place, with at least two players" }
            .to_owned(),
    );
    parts.join(", ")
}

/// Those that are planned or run, the next first, and then the closed ones, the newest first.
pub(super) fn rows(site: &Site<'_>) -> Result<Vec<NightRow>, StoreError> {
    let nights = site.game.store.nights();
    nights.open()?.iter().chain(&nights.closed()?).map(|night| row(site, night)).collect()
}

/// A race night by its number.
pub(super) fn view(site: &Site<'_>, id: &str) -> Result<Option<NightView>, StoreError> {
    let Ok(id) = id.parse() else { return Ok(None) };
    let Some(night) = site.game.store.nights().get(id)? else { return Ok(None) };
    let (placed, others) = night.table();
    let prizes = night.outcome.as_ref().map(|outcome| outcome.prizes.as_slice()).unwrap_or_default();
    let entries = placed.iter().map(|entry| (entry, true)).chain(others.iter().map(|entry| (entry, false)));
    let mut table = Vec::new();
    for (at, (entry, is_placed)) in entries.enumerate() {
        // Whoever was renamed is found by the name of now.
        let persona = site.game.store.personas().by_id(entry.persona)?;
        table.push(NightPlace {
            place: is_placed.then_some(at + 1),
            name: persona.map_or_else(|| entry.name.clone(), |persona| persona.name),
            races: entry.races,
            wins: entry.won,
            points: entry.points,
            best_ms: milliseconds(entry.best),
            dollars: prizes
                .iter()
                .find(|(persona, _)| *persona == entry.persona)
                .map_or(0, |(_, dollars)| *dollars),
            ticks: entry.best,
        });
    }
    Ok(Some(NightView {
        row: row(site, &night)?,
        text: night.plan.text.clone(),
        counts: counts(&night.plan),
        cancelled: night.outcome.as_ref().map(|outcome| outcome.cancelled.clone()).unwrap_or_default(),
        season: night.plan.season,
        prizes: prize_rows(site, &night)?,
        table,
    }))
}

fn prize_rows(site: &Site<'_>, night: &Night) -> Result<Vec<PrizeRow>, StoreError> {
    let won = night.outcome.as_ref().map(|outcome| outcome.won.as_slice()).unwrap_or_default();
    let rows = night.prizes.iter().map(|prize| {
        let winner = won.iter().find(|(_, item)| item.goods == prize.item.goods);
        Ok(PrizeRow {
            name: CityRules(&site.game.catalog).name(prize.item),
            from: player(site.game, prize.from)?,
            winner: winner.map(|(winner, _)| player(site.game, *winner)).transpose()?.unwrap_or_default(),
        })
    });
    rows.collect()
}

/// The rows of a table of race nights.
fn section(zone: &Zone, heading: &str, empty: &'static str, rows: Vec<NightRow>) -> Section {
    let cells = rows.into_iter().map(|row| {
        vec![
            zone.minute(row.start).into(),
            Cell::linked(&row.name, format!("/events/{}", row.id)),
            row.track.clone().into(),
            format!("{} of {}", row.registered, row.places).into(),
            if row.fee == 0 { "-".into() } else { money(row.fee).into() },
            money(row.purse).into(),
            row.state.into(),
        ]
    });
    Section {
        heading: heading.to_owned(),
        columns: Column::plain(&["Begins", "Race night", "Track", "Registered", "Fee", "Purse", "State"]),
        rows: cells.collect(),
        empty,
        ..Section::default()
    }
}

/// The next weeks, one row for each, with what begins on each day. A day without anything is empty.
fn calendar(site: &Site<'_>, open: &[NightRow]) -> Section {
    let (zone, now) = (site.game.zone(), site.now.unix);
    // Days with a change of the clocks have another hour or one less: noon, so many times 24 hours earlier, is still within its day.
    let monday = zone.midnight((zone.midnight(now, 0) + DAY / 2).saturating_sub(zone.weekday(now) * DAY), 0);
    let rows = (0..WEEKS).map(|week| {
        let days = (week * 7..week * 7 + 7).map(|day| {
            let (from, to) = (zone.midnight(monday, day), zone.midnight(monday, day + 1));
            let begins = open.iter().filter(|row| (from..to).contains(&u64::from(row.start)));
            let more: Vec<_> = begins.map(|row| (row.name.clone(), format!("/events/{}", row.id))).collect();
            let text = if more.is_empty() { String::new() } else { zone.day(from) };
            Cell { text, more, ..Cell::default() }
        });
        std::iter::once(zone.day(zone.midnight(monday, week * 7)).into()).chain(days).collect()
    });
    Section {
        heading: format!("Calendar ({})", zone.title()),
        columns: Column::plain(&["Week of", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]),
        rows: rows.collect(),
        ..Section::default()
    }
}

pub(super) fn list(
    site: &Site<'_>,
    request: &PageRequest<'_>,
    query: &Fields,
) -> Result<PageResponse, StoreError> {
    let (open, closed): (Vec<_>, Vec<_>) =
        rows(site)?.into_iter().partition(|row| matches!(row.state, "planned" | "running"));
    let (zone, calendar) = (site.game.zone(), calendar(site, &open));
    let window = Window::of(query.text("page"), closed.len());
    let choices = [
        ("Register", "/me/events"),
        ("Seasons", "/seasons"),
        ("Rewards of the week", "/rewards"),
        ("For your calendar (.ics)", "/events.ics"),
    ];
    let choices = choices.map(|(text, link)| (text.to_owned(), link.to_owned(), false));
    let sections = vec![
        Section { choices: vec![choices.into()], ..section(zone, "", "No race night is planned.", open) },
        calendar,
        Section {
            pager: window.pager("/events"),
            ..section(zone, "Over", "None was driven yet.", window.cut(closed))
        },
    ];
    // Without TLS: no phone knows the authority of this server.
    let calendar = request.host.page(site.game.ports.http, "/events.ics");
    let intro = vec![format!(
        "To see them in the calendar of your phone, add a calendar from this address there: {calendar}"
    )];
    Ok(Page { title: "Race nights".to_owned(), intro, sections, ..Page::default() }.render(site))
}

pub(super) fn one(site: &Site<'_>, id: &str, query: &Fields) -> Result<PageResponse, StoreError> {
    let Some(NightView { row, text, counts, cancelled, season, prizes, table }) = view(site, id)? else {
        let text = "There is no race night of this number. The page Events shows all.";
        return Ok(message(site, 404, "No such race night", text));
    };
    let zone = site.game.zone();
    let mut facts = vec![
        ("State", Cell::from(row.state)),
        ("Track", row.track.clone().into()),
        ("Begins", zone.stamp(row.start).into()),
        ("Ends", zone.stamp(row.end).into()),
        ("What counts", counts.into()),
        ("Registered", format!("{} of {}", row.registered, row.places).into()),
        ("Fee", money(row.fee).into()),
        ("Purse", money(row.purse).into()),
    ];
    if row.weekly {
        facts.push(("Repeats", "every week".into()));
    }
    if !row.club.is_empty() {
        facts.push(("Host", Cell::linked(format!("[{}]", row.club), clubs::link(&row.club))));
    }
    if season > 0 {
        facts.push(("Season", Cell::linked("standings", format!("/seasons/{season}"))));
    }
    if !cancelled.is_empty() {
        facts.push(("It does not count", cancelled.into()));
    }
    let open = matches!(row.state, "planned" | "running");
    if open {
        facts.push(("Register", Cell::linked("for one of my drivers", "/me/events")));
    }
    let cells = table.iter().map(|entry| {
        vec![
            entry.place.map_or_else(|| "-".into(), Cell::from),
            Cell::linked(&entry.name, player_link(&entry.name)),
            entry.points.into(),
            entry.wins.into(),
            entry.races.into(),
            time(entry.ticks).into(),
            if entry.dollars == 0 { "-".into() } else { money(entry.dollars).into() },
        ]
    });
    let to_win = prizes.iter().map(|prize| {
        let linked =
            |name: &str| if name.is_empty() { "-".into() } else { Cell::linked(name, player_link(name)) };
        vec![prize.name.as_str().into(), linked(&prize.from), linked(&prize.winner)]
    });
    let to_win = Section {
        heading: "To win".to_owned(),
        columns: Column::plain(&["What", "Given by", "Won by"]),
        rows: to_win.collect(),
        ..Section::default()
    };
    let mut sections = vec![Section { facts, ..Section::default() }];
    sections.extend(Some(to_win).filter(|section| !section.rows.is_empty()));
    sections.push(Section {
        heading: "Table".to_owned(),
        columns: Column::plain(&["Place", "Name", "Points", "Wins", "Races", "Best time", "Prize"]),
        rows: cells.collect(),
        empty: "Nobody is registered yet.",
        ..Section::default()
    });
    let intro = Some(text).filter(|text| !text.is_empty()).into_iter().collect();
    let refresh = refresh(30, &format!("/events/{}", row.id), query).filter(|_| row.state == "running");
    Ok(Page { title: row.name, intro, sections, refresh, ..Page::default() }.render(site))
}

/// What the game's ticker says of a race night: from a day before, from an hour before, from five minutes before, and while it runs.
pub(in crate::web) fn ticker(site: &Site<'_>) -> Result<Option<String>, StoreError> {
    let now = site.now.unix;
    let mut lines = site.game.store.nights().open()?.into_iter().filter_map(|night| {
        let (name, place) = (&night.plan.name, track(&site.game.catalog, night.plan.lobby));
        let at = site.game.zone().stamp(night.plan.start);
        let before = u64::from(night.plan.start).saturating_sub(now);
        match before {
            0 if night.runs_at(now) => Some(format!("Race night {name} is on: {place}!")),
            0 => None,
            1..=300 => Some(format!("Race night {name} begins in five minutes: {place}!")),
            301..=3600 => Some(format!("Race night {name} begins within the hour, at {at}: {place}.")),
            3601..=DAY => Some(format!("Race night {name} begins at {at}: {place}.")),
            _ => None,
        }
    });
    Ok(lines.next())
}

/// Somebody who was rewarded.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RewardPlace {
    pub(super) place: usize,
    pub(super) name: String,
    pub(super) points: u32,
    pub(super) dollars: u32,
}

/// One board of a week.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RewardBoardRow {
    pub(super) board: String,
    pub(super) winners: Vec<RewardPlace>,
}

/// A week that was settled.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RewardWeek {
    /// When the week began, in seconds since 1970.
    pub(super) begins: u64,
    pub(super) boards: Vec<RewardBoardRow>,
}

/// The weeks that were settled, the newest first; at most a year.
pub(super) fn reward_weeks(site: &Site<'_>) -> Result<Vec<RewardWeek>, StoreError> {
    let weeks = site.game.store.rewards().weeks(52)?;
    Ok(weeks.into_iter().map(|week| RewardWeek { begins: begins(&week), boards: boards(week) }).collect())
}

fn begins(settled: &WeekRewards) -> u64 {
    // 1970 began within week 0, on a Thursday.
    let begins = (u64::from(settled.week) * 7).saturating_sub(3) * DAY;
    debug_assert_eq!(week(begins), settled.week);
    begins
}

fn boards(week: WeekRewards) -> Vec<RewardBoardRow> {
    let boards = week.boards.into_iter().map(|board| {
        let name = board
            .race_type
            .map_or_else(|| "Top Dog".to_owned(), |number| format!("Trials: {}", kind(number)));
        let winners = board.winners.into_iter().enumerate().map(|(at, winner)| RewardPlace {
            place: at + 1,
            name: winner.name,
            points: winner.points,
            dollars: winner.dollars,
        });
        RewardBoardRow { board: name, winners: winners.collect() }
    });
    boards.collect()
}

pub(super) fn rewards(site: &Site<'_>, query: &Fields) -> Result<PageResponse, StoreError> {
    let weeks = reward_weeks(site)?;
    let asked = query.text("week").parse::<usize>().unwrap_or(0).min(weeks.len().saturating_sub(1));
    let amounts = &site.game.config.rewards;
    let list = |sums: &[u32]| sums.iter().map(|sum| money(*sum)).collect::<Vec<_>>().join(", ");
    let intro = vec![
        format!(
            "On Monday at 00:00 UTC the best of the week that is over are paid: who has won most points in all races (Top Dog), and in each kind of \
             race (Trials). The next time is {}.",
            site.game.zone().stamp(next_week(site.now.unix))
        ),
        format!("Top Dog: {}. Trials: {}.", list(&amounts.top_dog), list(&amounts.trials)),
    ];
    let mut sections = Vec::new();
    if let Some(week) = weeks.get(asked) {
        for board in &week.boards {
            let rows = board.winners.iter().map(|row| {
                let cell = Cell::linked(&row.name, player_link(&row.name));
                vec![row.place.into(), cell, number(row.points.into()).into(), money(row.dollars).into()]
            });
            sections.push(Section {
                heading: format!("{}, week of {}", board.board, crate::clock::day(week.begins)),
                columns: Column::plain(&["Place", "Name", "Points", "Reward"]),
                rows: rows.collect(),
                empty: "Nobody has won points.",
                ..Section::default()
            });
        }
        let links =
            weeks.iter().enumerate().take(12).map(|(at, week)| {
                (crate::clock::day(week.begins), format!("/rewards?week={at}"), at == asked)
            });
        sections.push(Section { choices: vec![links.collect()], ..Section::default() });
    } else {
        let (columns, empty) = (Column::plain(&["Week"]), "No week was settled yet.");
        sections.push(Section { columns, empty, ..Section::default() });
    }
    Ok(Page { title: "Rewards of the week".to_owned(), intro, sections, ..Page::default() }.render(site))
}
