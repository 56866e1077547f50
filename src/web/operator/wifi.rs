//! The Wi-Fi of a box: what is in reach, and another network to try.

use super::actions::Effect;
use super::pages::{self, Frame};
use super::request::{Form, OperatorRequest, OperatorResponse};
use crate::admin::radio::{self, Radio};
use crate::appliance::wifi::{Network, Protection};
use crate::services::Game;
use crate::web::fields::Fields;
use crate::web::forms::{FormView, Input};
use crate::web::layout::{Column, Page, Section};
use std::io;

/// The page, to which its forms go.
pub(super) const PAGE: &str = "/operator/wifi";

/// The longest name of a network, in bytes.
const LONGEST_NAME: usize = 32;
/// The longest password, or key, in characters.
const LONGEST_PASSWORD: usize = 64;
/// From so many dBm on a network is called strong, and from so many on it is called medium.
const STRENGTHS: [i32; 2] = [-60, -75];

pub(super) fn page(game: &Game, frame: Frame<'_>) -> OperatorResponse {
    let Some(radio) = radio::state(game) else {
        let text = "This server runs on no box: its network is set up where the computer is.";
        return pages::not_done(game, frame.form, 404, "No Wi-Fi to change", text);
    };
    let mut intro = vec![
        "The Wi-Fi that the box joins stands in wifi.txt on its card. Another one is tried first: only if it lets the box in within a minute \
         does it stand there from then on, and otherwise the box goes back. A cable works besides."
            .to_owned(),
    ];
    if radio.waits {
        intro.push("The box is about to look, or to try. Load this page again in a minute.".to_owned());
    }
    let mut facts =
        vec![("In the Wi-Fi", radio.heard.joined.clone().unwrap_or_else(|| "none".to_owned()).into())];
    if let Some(outcome) = &radio.outcome {
        facts.push(("The last wish", pages::sentence(outcome).into()));
    }
    let now = Section { facts, ..Section::default() };
    let forms = vec![look(), join(&radio)];
    let page = Page {
        title: "Wi-Fi".to_owned(),
        intro,
        sections: vec![now],
        below: vec![in_reach(&radio.heard.networks)],
        ..Page::default()
    };
    pages::content(frame, page, forms)
}

fn look() -> FormView {
    FormView {
        heading: "What is in reach",
        text: "This takes half a minute, in which the Wi-Fi goes on.".to_owned(),
        action: PAGE,
        button: "Look".to_owned(),
        hidden: vec![("do", "look".to_owned())],
        ..FormView::default()
    }
}

fn join(radio: &Radio) -> FormView {
    let known = radio.heard.networks.iter().filter(|network| network.protection != Protection::Other);
    let mut choices = vec![(String::new(), "the name below".to_owned())];
    choices.extend(known.map(|network| (network.name.clone(), network.name.clone())));
    let mut inputs = Vec::new();
    if choices.len() > 1 {
        inputs.push(Input::choice("network", "Wi-Fi", choices));
    }
    inputs.extend([
        Input::text("name", "Another name", LONGEST_NAME)
            .helped("For one that is not in the list, as it is written there, capitals included. Hidden ones are found."),
        Input::password("password", "Password", LONGEST_PASSWORD)
            .helped("That of the router, or its key of 64 digits. Empty: a Wi-Fi without a password."),
        Input::text("country", "Country", 2).helped(
            "Two letters, such as DE, GB or US, for the channels that are permitted there. Empty: only those that are permitted everywhere.",
        ),
    ]);
    FormView {
        heading: "Join another Wi-Fi",
        text: "If you reach this page by the Wi-Fi, it is away for a minute, and may have another address afterwards: http://mcos.local/ finds it."
            .to_owned(),
        action: PAGE,
        button: "Try it".to_owned(),
        hidden: vec![("do", "join".to_owned())],
        inputs,
        ..FormView::default()
    }
}

fn in_reach(networks: &[Network]) -> Section {
    let row = |network: &Network| {
        let [strong, medium] = STRENGTHS;
        let strength = match network.strength {
            dbm if dbm >= strong => "strong",
            dbm if dbm >= medium => "medium",
            _ => "weak",
        };
        let protection = match network.protection {
            Protection::Open => "no password",
            Protection::Password => "password",
            Protection::Other => {
                "one that the box does not speak: set the router to WPA2, or to WPA2 and WPA3"
            }
        };
        vec![network.name.as_str().into(), strength.into(), protection.into()]
    };
    Section {
        heading: "In reach".to_owned(),
        columns: Column::plain(&["Name", "Strength", "Protection"]),
        rows: networks.iter().map(row).collect(),
        empty: "Nobody has looked since the start, or nothing was heard.",
        ..Section::default()
    }
}

/// Carries out a form of this page; `None` if it is none.
pub(super) fn act(game: &Game, request: &OperatorRequest<'_>, form: &Form) -> Option<Effect> {
    if request.path != PAGE {
        return None;
    }
    if radio::state(game).is_none() {
        return Some(Effect::refused(PAGE, "This server runs on no box whose Wi-Fi it could change."));
    }
    let fields = &form.fields;
    Some(match fields.text("do") {
        "look" => {
            let asked =
                radio::look(game).map_err(|error: io::Error| pages::nothing_changed(&error.to_string()));
            let done = "The box looks which Wi-Fi is in reach. Load this page again in half a minute.";
            Effect::new(PAGE, asked.map(|()| done.to_owned())).noted("Wi-Fi: look what is in reach")
        }
        "join" => ask_to_join(game, request, fields),
        _ => Effect::refused(PAGE, "There is no such form."),
    })
}

fn ask_to_join(game: &Game, request: &OperatorRequest<'_>, fields: &Fields) -> Effect {
    let (chosen, typed) = (fields.text("network"), fields.text("name"));
    if !chosen.is_empty() && !typed.is_empty() && chosen != typed {
        let why = "One Wi-Fi is chosen from the list, and another name is typed. Empty the field, or choose \"the name below\". Nothing was \
                   changed.";
        return Effect::refused(PAGE, why);
    }
    let network = if chosen.is_empty() { typed } else { chosen };
    match radio::join(game, fields.text("country").trim(), network, fields.text("password")) {
        Ok(()) => {
            log::warn!("operator: {} has the box try another Wi-Fi", request.peer);
            let done =
                "The box tries this Wi-Fi. Load this page again in a minute: it says whether it is in.";
            Effect::new(PAGE, Ok(done.to_owned())).noted(format!("Wi-Fi: try {network:?}"))
        }
        Err(why) => Effect::new(PAGE, Err(pages::nothing_changed(&why))),
    }
}
