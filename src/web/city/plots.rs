//! Pictures of how players do over time, and of how fast a track was driven. Each is on a page beside a table of the same numbers.

use crate::store::{RaceResult, StoreError};
use crate::web::fields::Fields;
use crate::web::page::{PageResponse, Site};
use crate::web::plot::{self, MOST_MARKS, Plot, Shape};
use crate::web::words::{course, escaped, time, track};
use mco_proto::ids::PersonaId;
use std::collections::BTreeMap;

/// Among how many of the newest races times of a track are looked for.
const NEWEST: usize = 1000;
/// The address of the pictures.
const PATH: &str = "/plot.svg";

/// What is drawn of a player.
const OF_PLAYER: [(&str, &str); 2] = [("points", "Points"), ("places", "Places in races")];

/// One of somebody's races, as it is drawn: when, the place, the points it brought, and those it made in all.
pub(super) struct OwnRace {
    pub(super) result: RaceResult,
    pub(super) place: Option<u8>,
    pub(super) won: u32,
    pub(super) points: u32,
}

/// The last races of somebody who has so many points now, the oldest first.
pub(super) fn own_races(
    site: &Site<'_>,
    persona: PersonaId,
    points: u32,
) -> Result<Vec<OwnRace>, StoreError> {
    let results = site.game.store.results();
    let (mut all, mut points) = (Vec::new(), points);
    for number in results.of_persona(persona)?.recent.iter().rev() {
        let Some(result) = results.get(*number)? else { continue };
        let Some(racer) = result.racers.iter().find(|racer| racer.is_player() && racer.persona == persona)
        else {
            continue;
        };
        let (place, won) = (racer.place, racer.points);
        all.push(OwnRace { result, place, won, points });
        points = points.saturating_sub(won);
    }
    all.reverse();
    Ok(all)
}

/// The pictures of a player.
pub(super) fn of_player(name: &str) -> Vec<(String, String)> {
    let plot = |(what, label): (&str, &str)| {
        let text = format!("Plot: {label} of the last races; the table below has the numbers");
        (format!("{PATH}?player={}&what={what}", escaped(name)), text)
    };
    OF_PLAYER.map(plot).into()
}

/// The picture of a track.
pub(super) fn of_track(lobby: u32) -> (String, String) {
    (
        format!("{PATH}?lobby={lobby}"),
        "Strip: times of the newest races; the table below has the best".to_owned(),
    )
}

/// The picture that is asked for; `None` if there is no such player or track.
pub(super) fn picture(site: &Site<'_>, query: &Fields) -> Result<Option<PageResponse>, StoreError> {
    let drawn = match query.text("lobby").parse::<u32>() {
        Ok(lobby) => Some(strip(site, lobby)?),
        Err(_) => player(site, query)?,
    };
    Ok(drawn.map(|drawn| PageResponse { content_type: plot::TYPE, ..PageResponse::text(drawn) }))
}

fn player(site: &Site<'_>, query: &Fields) -> Result<Option<String>, StoreError> {
    let Some((what, title)) = OF_PLAYER.into_iter().find(|(what, _)| *what == query.text("what")) else {
        return Ok(None);
    };
    let found = site.game.store.personas().by_name(site.game.config.shard.id, query.text("player"))?;
    let Some(persona) = found else { return Ok(None) };
    let races = own_races(site, persona.id, persona.points)?;
    let points: Vec<(u64, u64)> = races
        .iter()
        .filter_map(|race| {
            let value = if what == "points" { u64::from(race.points) } else { u64::from(race.place?) };
            Some((u64::from(race.result.at), value))
        })
        .collect();
    let shape = if what == "points" { Shape::Steps } else { Shape::Places };
    Ok(Some(plot::draw(&Plot { title, points: &points, shape, zone: site.game.zone() })))
}

/// The times of one track in the newest races, over the number of laps and in the direction in which most were driven.
fn strip(site: &Site<'_>, lobby: u32) -> Result<String, StoreError> {
    let mut courses: BTreeMap<(u8, bool), Vec<u32>> = BTreeMap::new();
    for result in site.game.store.results().newest(0, NEWEST)? {
        if result.lobby == lobby {
            let times = result.racers.iter().filter(|racer| racer.place.is_some() && racer.time > 0);
            let course = courses.entry((result.terms.laps, result.terms.is_backward())).or_default();
            course.extend(times.map(|racer| racer.time));
        }
    }
    let most = courses.into_iter().max_by_key(|(_, times)| times.len());
    let ((laps, backward), mut times) = most.unwrap_or_default();
    times.truncate(MOST_MARKS);
    let said = course(laps, backward);
    let said = if said.is_empty() { said } else { format!(", {said}") };
    Ok(plot::strip(&format!("Times of the newest races{said}"), &times, time))
}

/// What a strip is called on its page.
pub(super) fn heading(site: &Site<'_>, lobby: u32) -> String {
    format!("Times on {}", track(&site.game.catalog, lobby))
}
