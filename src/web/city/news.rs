//! The news: headlines that write themselves from the last races, and those about clubs, weeks and race nights, below what the Operator has to say. The page has the size and the
//! colour of the game's own news window (*documented*: about 520 pixels, #FEF7E5, not cached).

use crate::store::{RaceResult, RacerResult, StoreError};
use crate::web::page::{Frame, PageResponse, Site, page as render};
use crate::web::words::{car, kind, time, track};
use askama::Template;
use hyper::header::PRAGMA;
use std::cmp::Reverse;

/// How many races are looked at, and how many headlines there are at most.
const RACES: usize = 100;
const MOST: usize = 30;

#[derive(Template)]
#[template(path = "city/news.html")]
struct NewsPage<'a> {
    frame: Frame<'a>,
    message: String,
    headlines: Vec<Headline>,
}

/// A headline: its moment, its text, and the page that says more.
struct Headline {
    unix: u32,
    at: String,
    text: String,
    page: String,
}

pub(super) fn page(site: &Site<'_>) -> Result<PageResponse, StoreError> {
    let (store, zone) = (&site.game.store, site.game.zone());
    let mut headlines = Vec::new();
    for result in store.results().newest(0, RACES)? {
        headlines.extend(of_race(site, &result));
        if headlines.len() >= MOST {
            break;
        }
    }
    headlines.extend(store.headlines()?.into_iter().map(|line| Headline {
        unix: line.at,
        at: zone.minute(line.at),
        text: line.text,
        page: line.page,
    }));
    // Those of one moment stay in their order.
    headlines.sort_by_key(|line| Reverse(line.unix));
    headlines.truncate(MOST);
    let message = store.operator().message()?;
    let answer = render(&NewsPage { frame: Frame::of(site), message, headlines });
    Ok(answer.not_stored().with_header(PRAGMA, "no-cache"))
}

/// The headlines of a race. One that somebody drove alone is news only if it was a record.
fn of_race(site: &Site<'_>, result: &RaceResult) -> Vec<Headline> {
    let catalog = &site.game.catalog;
    let where_to = format!("{} ({})", track(catalog, result.lobby), kind(result.race_type));
    let players = || result.racers.iter().filter(|racer| racer.is_player());
    let mut texts = Vec::new();
    for racer in players() {
        let name = &racer.name;
        if racer.has(RacerResult::RECORD) {
            let (time, car) = (time(racer.time), car(catalog, racer.model));
            texts.push(format!("Record! {name} needs {time} on {where_to}, in {car}"));
        }
        if racer.has(RacerResult::LEVEL_UP) {
            texts.push(format!("{name} reaches level {}", racer.level));
        }
        if racer.has(RacerResult::LOST_CAR) {
            let winner = players().find(|racer| racer.has(RacerResult::WON_CAR));
            let to = winner.map(|winner| format!(" to {}", winner.name)).unwrap_or_default();
            texts.push(format!("{name} loses {}{to} in a race for pink slips", car(catalog, racer.model)));
        }
    }
    let winner = players().find(|racer| racer.place == Some(1));
    if let Some(winner) = winner.filter(|_| players().count() > 1) {
        let beaten: Vec<&str> = players()
            .filter(|racer| racer.persona != winner.persona)
            .map(|racer| racer.name.as_str())
            .collect();
        texts.push(format!("{} beats {} on {where_to}", winner.name, beaten.join(", ")));
    }
    let page = format!("/races/{}", result.race);
    let line =
        |text| Headline { unix: result.at, at: site.game.zone().minute(result.at), text, page: page.clone() };
    texts.into_iter().map(line).collect()
}
