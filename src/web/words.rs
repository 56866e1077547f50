//! The words of the city: tracks, kinds of race, cars, times and money as people read them.

use crate::catalog::{CarClass, Catalog, RaceType};
use crate::store::{RaceTerms, RacerResult};
use mco_proto::ids::BrandedPartId;
use mco_proto::mcots::race::LobbyFlags;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt::Display;

/// Ticks of the game's clock in a second.
const TICKS: u64 = 64;

/// A text in an address.
pub(super) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The page of a player.
pub(super) fn player_link(name: &str) -> String {
    format!("/players/{}", escaped(name))
}

/// The track of a lobby.
pub(super) fn track(catalog: &Catalog, lobby: u32) -> String {
    let found = catalog.lobbies().iter().find(|known| known.id == lobby);
    found.map_or_else(|| format!("track {lobby}"), |lobby| lobby.turf.clone())
}

/// The kind of a race, by the Client's number.
pub(super) fn kind(race_type: u32) -> &'static str {
    RaceType::from_number(race_type).map_or("race", RaceType::name)
}

/// A class of cars.
pub(super) fn class(class: u8) -> &'static str {
    CarClass::from_number(class).map_or("borrowed", CarClass::name)
}

pub(super) fn car(catalog: &Catalog, model: BrandedPartId) -> String {
    if model == BrandedPartId(0) {
        return "a borrowed car".to_owned();
    }
    catalog.car(model).map_or_else(|| format!("car {model}"), |car| car.to_string())
}

/// A time of the road in milliseconds.
pub(super) fn milliseconds(ticks: u32) -> u64 {
    u64::from(ticks) * 1000 / TICKS
}

/// A time of the road, as `1:23.45`; a dash if there is none.
pub(super) fn time(ticks: u32) -> String {
    if ticks == 0 {
        return "-".to_owned();
    }
    let hundredths = u64::from(ticks) * 100 / TICKS;
    let (minutes, seconds) = (hundredths / 6000, hundredths / 100 % 60);
    format!("{minutes}:{seconds:02}.{:02}", hundredths % 100)
}

/// A number in groups of three digits.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Money, as `$1,234`.
pub(super) fn money(dollars: impl Into<u64>) -> String {
    format!("${}", number(dollars.into()))
}

/// A distance, as `4.1 miles (6.6 km)`.
pub(super) fn distance(metres: u64) -> String {
    /// Tenths of a mile are so many of these.
    const MILLIMETRES: u64 = 160_934;
    let tenth = |tenths: u64| format!("{}.{}", number(tenths / 10), tenths % 10);
    let tenths_of_a_mile = metres.saturating_mul(1000).saturating_add(MILLIMETRES / 2) / MILLIMETRES;
    format!("{} miles ({} km)", tenth(tenths_of_a_mile), tenth(metres.saturating_add(50) / 100))
}

/// How far and which way a course goes, as `2 laps, backward`; empty if there is nothing to say.
pub(super) fn course(laps: u8, backward: bool) -> String {
    let laps = (laps > 0).then(|| several(laps.into(), "lap"));
    let parts: Vec<String> = laps.into_iter().chain(backward.then(|| "backward".to_owned())).collect();
    parts.join(", ")
}

/// What the host of a race chose, in words.
pub(super) fn terms(terms: &RaceTerms) -> String {
    let mut parts = Vec::new();
    parts.push(if terms.entry_fee == 0 {
        "no fee".to_owned()
    } else {
        format!("fee {}", money(terms.entry_fee))
    });
    let flags = LobbyFlags(terms.flags).to_string();
    parts.extend(Some(course(terms.laps, false)).filter(|course| !course.is_empty()));
    parts.extend(Some(flags.trim_start_matches(", ").to_owned()).filter(|flags| !flags.is_empty()));
    parts.extend(terms.pink_slip.then(|| "pink slips".to_owned()));
    parts.extend(terms.no_nitrous.then(|| "no nitrous".to_owned()));
    parts.extend((terms.round > 0).then(|| format!("round {}", terms.round)));
    parts.join(", ")
}

/// What is to be said of a racer beside its place, for people and for programs.
pub(super) fn remarks(racer: &RacerResult) -> Vec<&'static str> {
    let all = [
        (RacerResult::RECORD, "record"),
        (RacerResult::LEVEL_UP, "new level"),
        (RacerResult::WON_CAR, "won a car"),
        (RacerResult::LOST_CAR, "lost the car"),
        (RacerResult::NOT_COUNTED, "not counted"),
        (RacerResult::TIMED_OUT, "timed out"),
    ];
    all.into_iter().filter(|(flag, _)| racer.has(*flag)).map(|(_, word)| word).collect()
}

/// A sentence for the player about why something was not done.
pub(super) fn sentence(why: &impl Display) -> String {
    let why = why.to_string();
    let mut letters = why.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    format!("{}{}. Nothing was changed.", first.map(String::from).unwrap_or_default(), letters.as_str())
}

/// How many of something there are, as `1 day` or `2 days`.
pub(super) fn several(count: u64, one: &str) -> String {
    format!("{} {one}{}", number(count), if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_money_and_numbers_are_as_people_read_them() {
        assert_eq!([time(0), time(64), time(64 * 83 + 29)], ["-", "0:01.00", "1:23.45"]);
        assert_eq!(time(u32::MAX), "1118481:03.98");
        assert_eq!([money(0_u32), money(999_u32), money(1_234_567_u32)], ["$0", "$999", "$1,234,567"]);
        assert_eq!(
            [0, 402, 6598, 100_000_000].map(distance),
            [
                "0.0 miles (0.0 km)",
                "0.2 miles (0.4 km)",
                "4.1 miles (6.6 km)",
                "62,137.3 miles (100,000.0 km)"
            ]
        );
        assert_eq!([0, 1, 2000].map(|days| several(days, "day")), ["0 days", "1 day", "2,000 days"]);
        assert_eq!([course(0, false), course(1, true), course(4, false)], ["", "1 lap, backward", "4 laps"]);
    }

    #[test]
    fn terms_are_told_in_words() {
        let with =
            RaceTerms { entry_fee: 250, pink_slip: true, laps: 2, round: 1, flags: 8, no_nitrous: true };
        assert_eq!(terms(&with), "fee $250, 2 laps, night, pink slips, no nitrous, round 1");
        assert_eq!(terms(&RaceTerms::default()), "no fee");
    }

    #[test]
    fn a_name_cannot_leave_its_place_in_an_address() {
        assert_eq!(player_link("a/../?&#\"<b>"), "/players/a%2F%2E%2E%2F%3F%26%23%22%3Cb%3E");
    }
}
