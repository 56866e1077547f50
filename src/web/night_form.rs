//! The forms that plan a race night, give a prize to it and cancel it: the same for the Server Operator and for the Captain of a club.

use super::deals;
use super::fields::Fields;
use super::forms::{FormView, Input};
use super::words::class;
use crate::clock::{NoMoment, Now, Zone};
use crate::services::Game;
use crate::store::{Goods, MOST_ENTRIES, Night, NightPlan, Persona, Season, StoreError};

const TEN: usize = 10;

/// What it asks for. The operator, for whom `seasons` are given, can add money and choose a season.
pub(super) fn inputs(game: &Game, seasons: Option<&[Season]>, now: Now) -> Vec<Input> {
    let (catalog, zone) = (&game.catalog, game.zone());
    let tomorrow = zone.day(zone.midnight(now.unix, 1));
    let when = |name, what: &str, hour: &str| {
        Input::text(name, format!("{what} ({})", zone.title()), 19).with(&format!("{tomorrow} {hour}"))
    };
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
        when("start", "Begins", "20:00"),
        when("end", "Ends", "22:00"),
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

/// The plan that a form describes; else what in it is no plan at all, in words. What a plan may be is for [`nights`] to say.
///
/// [`nights`]: crate::services::nights
pub(super) fn read(zone: &Zone, fields: &Fields) -> Result<NightPlan, String> {
    let number = |field: &str| -> Result<u32, String> {
        let text = fields.text(field).trim().replace(['$', ','], "");
        if text.is_empty() {
            return Ok(0);
        }
        text.parse().map_err(|_| format!("\"{}\" is no whole number. Nothing was changed.", short(&text)))
    };
    let when = |field: &str| -> Result<u32, String> {
        let text = fields.text(field);
        let at = zone.read(text).and_then(|at| u32::try_from(at).map_err(|_| NoMoment::Unreadable));
        at.map_err(|why| format!("\"{}\" {why}. Nothing was changed.", short(text)))
    };
    let yes = |field: &str| -> Result<Option<bool>, String> {
        match fields.text(field) {
            "" => Ok(None),
            "yes" => Ok(Some(true)),
            "no" => Ok(Some(false)),
            other => Err(format!("\"{}\" is no choice of the form. Nothing was changed.", short(other))),
        }
    };
    let best_time = match fields.text("by") {
        "time" => true,
        "" | "points" => false,
        other => {
            return Err(format!(
                "\"{}\" decides nothing. Choose points or the best time. Nothing was changed.",
                short(other)
            ));
        }
    };
    Ok(NightPlan {
        name: fields.text("name").to_owned(),
        text: fields.text("text").to_owned(),
        lobby: number("lobby")?,
        laps: u8::try_from(number("laps")?).unwrap_or(u8::MAX),
        backward: yes("backward")?,
        no_nitrous: yes("nitrous")?,
        class: u8::try_from(number("class")?).unwrap_or(u8::MAX),
        levels: (number("least")?, number("highest")?),
        start: when("start")?,
        end: when("end")?,
        weekly: yes("weekly")?.unwrap_or_default(),
        fee: number("fee")?,
        purse: number("purse")?,
        most: u16::try_from(number("most")?).unwrap_or(u16::MAX),
        best_time,
        season: number("season")?,
    })
}

/// The form by which a thing of a driver becomes a prize of one of these race nights, if there is a thing and one that has not begun. Whose form it
/// is says where it is sent to.
pub(super) fn prize<'n>(
    game: &Game,
    nights: impl Iterator<Item = &'n Night>,
    giver: &Persona,
    now: Now,
) -> Result<Option<FormView>, StoreError> {
    let nights = nights.filter(|night| now.unix < night.plan.start.into());
    let nights: Vec<_> = nights.map(|night| (night.id, night.plan.name.clone())).collect();
    let things = deals::choices(game, giver)?;
    if things.is_empty() || nights.is_empty() {
        return Ok(None);
    }
    let things = things.into_iter().map(|(goods, name)| (deals::goods_value(goods), name));
    let text = format!(
        "A thing of {}, which is held until the end. The first prize goes to the winner, the next one to the second, and so on; it comes back \
         if nobody gets it, or if the race night is cancelled.",
        giver.name
    );
    Ok(Some(FormView {
        heading: "Give a prize",
        text,
        button: "Give it".to_owned(),
        hidden: vec![("do", "prize".to_owned())],
        inputs: vec![Input::choice("night", "Race night", nights), Input::choice("goods", "What", things)],
        ..FormView::default()
    }))
}

/// The thing that such a form names.
pub(super) fn goods(fields: &Fields) -> Result<Goods, String> {
    let goods = deals::read_goods(fields.text("goods"));
    goods.ok_or_else(|| "Choose a car or a part. Nothing was changed.".to_owned())
}

/// The question before a race night is cancelled, with its number and name, and the form that answers it.
pub(super) fn cancelling(zone: &Zone, night: &Night) -> (String, FormView) {
    let name = format!("race night {} ({}, {})", night.id, night.plan.name, zone.stamp(night.plan.start));
    let form = FormView {
        text: "All fees and prizes go back. A weekly one ends with it.".to_owned(),
        button: format!("Yes, cancel {name}"),
        hidden: vec![("do", "cancel".to_owned()), ("night", night.id.to_string())],
        inputs: vec![why()],
        ..FormView::default()
    };
    (format!("Cancel {name}?"), form)
}

/// The field for why something ends.
pub(super) fn why() -> Input {
    Input::text("why", "Why", 100).helped("Everybody who is in it gets a mail with this.")
}

fn short(text: &str) -> String {
    text.chars().take(20).collect()
}
