//! The form that plans a race night: the same for the Server Operator and for the Captain of a club.

use super::fields::Fields;
use super::forms::Input;
use super::words::{class, moment};
use crate::catalog::Catalog;
use crate::clock::{Now, read_moment};
use crate::store::{MOST_ENTRIES, NightPlan, Season};

const TEN: usize = 10;

/// What it asks for. The operator, for whom `seasons` are given, can add money and choose a season.
pub(super) fn inputs(catalog: &Catalog, seasons: Option<&[Season]>, now: Now) -> Vec<Input> {
    // Tomorrow evening.
    let evening = (now.unix / 86_400 + 1) * 86_400 + 20 * 3600;
    let lobbies = catalog.lobbies().iter().filter(|lobby| lobby.race_type.is_race());
    let either = |no: &'static str, yes: &'static str| [("", "either"), ("no", no), ("yes", yes)];
    let mut inputs = vec![
        Input::text("name", "Name", 40),
        Input::text("text", "What it is about", 255),
        Input::choice(
            "lobby",
            "Track",
            lobbies.map(|lobby| (lobby.id, format!("{} ({})", lobby.turf, lobby.race_type.name()))),
        ),
        Input::text("start", "Begins (UTC)", 19).with(&moment(evening)),
        Input::text("end", "Ends (UTC)", 19).with(&moment(evening + 2 * 3600)),
        Input::tick("weekly", "Every week"),
        Input::choice("by", "Decided by", [("points", "points by place"), ("time", "the best time")]),
        Input::text("laps", "Laps (0: any)", 2).with(&0),
        Input::choice("backward", "Direction", either("forward", "backward")),
        Input::choice("nitrous", "Nitrous", either("allowed", "not allowed")),
        Input::choice(
            "class",
            "Class of cars",
            (0..=3).map(|number| (number, if number == 0 { "any" } else { class(number) })),
        ),
        Input::text("least", "Lowest level (0: any)", 4).with(&0),
        Input::text("highest", "Highest level (0: any)", 4).with(&0),
        Input::text("fee", "Fee in dollars", TEN).with(&0),
        Input::text("most", "Most who can register", 2).with(&(MOST_ENTRIES / 2)),
    ];
    if let Some(seasons) = seasons {
        inputs.push(Input::text("purse", "Dollars that the city adds", TEN).with(&0));
        let going = seasons.iter().filter(|season| season.ended.is_none());
        let choices = [("0".to_owned(), "none".to_owned())].into_iter();
        let choices = choices.chain(going.map(|season| (season.id.to_string(), season.name.clone())));
        inputs.push(Input::choice("season", "Season", choices));
    }
    inputs
}

/// The plan that a form describes; else what is wrong with it, in words.
pub(super) fn read(catalog: &Catalog, fields: &Fields) -> Result<NightPlan, String> {
    let number = |field: &str| -> Result<u32, String> {
        let text = fields.text(field).trim().replace(['$', ','], "");
        if text.is_empty() {
            return Ok(0);
        }
        text.parse().map_err(|_| format!("\"{}\" is no whole number. Nothing was changed.", short(&text)))
    };
    let when = |field: &str| -> Result<u32, String> {
        let text = fields.text(field);
        let at = read_moment(text).and_then(|at| u32::try_from(at).ok());
        at.ok_or_else(|| {
            format!("\"{}\" is no moment. Write it as 2030-07-01 20:00. Nothing was changed.", short(text))
        })
    };
    let either = |field: &str| match fields.text(field) {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    };
    let small = |number: u32| {
        u8::try_from(number).map_err(|_| "That number is too large. Nothing was changed.".to_owned())
    };
    let number_of_lobby = number("lobby")?;
    let Some(lobby) = catalog.lobbies().iter().find(|known| known.id == number_of_lobby) else {
        return Err("Choose a track. Nothing was changed.".to_owned());
    };
    // Times can be compared only over one number of laps and in one direction.
    let best_time = fields.text("by") == "time";
    let (laps, backward) = (small(number("laps")?)?, either("backward"));
    let usual = u8::try_from(lobby.laps.default).unwrap_or_default();
    let (laps, backward) = if best_time {
        (if laps == 0 { usual } else { laps }, backward.or(Some(false)))
    } else {
        (laps, backward)
    };
    Ok(NightPlan {
        name: fields.text("name").to_owned(),
        text: fields.text("text").to_owned(),
        lobby: lobby.id,
        laps,
        backward,
        no_nitrous: either("nitrous"),
        class: small(number("class")?)?,
        levels: (number("least")?, number("highest")?),
        start: when("start")?,
        end: when("end")?,
        weekly: fields.text("weekly") == "yes",
        fee: number("fee")?,
        purse: number("purse")?,
        most: u16::try_from(number("most")?).unwrap_or(u16::MAX),
        best_time,
        season: number("season")?,
    })
}

fn short(text: &str) -> String {
    text.chars().take(20).collect()
}
