//! The page *Wire*: recordings, and messages that nobody can explain yet.

use super::actions::Effect;
use super::pages::{self, Frame};
use super::request::{Form, OperatorRequest, OperatorResponse};
use crate::admin::recordings::{self, Kept, RecordingSwitch, Whom};
use crate::clock::{Now, Zone};
use crate::config::{Choice as _, ChosenAnswer, MOST_CHOSEN};
use crate::recording::{Side, packet_text};
use crate::services::{Game, mcots};
use crate::web::fields::Fields;
use crate::world::{Arrived, Reason, Unexpected};
use askama::Template;
use data_encoding::HEXLOWER;
use mco_proto::mcots::Number;
use std::io::ErrorKind;

pub(super) const PAGE: &str = "/operator/wire";
/// Where the form goes that begins the list anew.
const CLEAR: &str = "/operator/wire/clear";

/// So much of a message's fields is shown, in characters; its bytes are shown as a whole.
const LONGEST_TEXT: usize = 8000;

/// Where the form goes that chooses an answer.
const ANSWER: &str = "/operator/wire/answer";
/// Where the forms about recordings go.
const START: &str = "/operator/wire/start";
const STOP: &str = "/operator/wire/stop";
const DOWNLOAD: &str = "/operator/wire/download";
const REMOVE: &str = "/operator/wire/remove";

#[derive(Template)]
#[template(path = "operator/wire.html")]
struct WirePage<'a> {
    frame: Frame<'a>,
    /// What is recorded now: whose messages, and until when.
    running: Option<(String, String)>,
    /// How the last one ended, if by itself.
    ended: Option<String>,
    kept: Vec<(Kept, String)>,
    /// Chosen answers: number, name, and word of each.
    chosen: Vec<(u16, String, &'static str)>,
    messages: Vec<Row>,
    left_out: u64,
}

/// One kind of message.
struct Row {
    name: String,
    service: &'static str,
    why: &'static str,
    count: u64,
    since: String,
    from: String,
    answer: String,
    size: usize,
    /// Its fields, or its bytes.
    text: String,
    /// All its bytes as hexadecimal digits.
    digits: String,
    /// The number, if another answer to it can be chosen.
    choice: Option<u16>,
}

pub(super) fn page(game: &Game, recordings: &dyn RecordingSwitch, frame: Frame<'_>) -> OperatorResponse {
    let (messages, left_out) = game.world.unexpected.list();
    let messages = messages.into_iter().map(|kind| row(game.zone(), kind)).collect();
    let running = recordings.running().map(|running| {
        let whom = match running.whom {
            Whom::Everybody => "everybody".to_owned(),
            Whom::Account { name, .. } => format!("the account {name}"),
            Whom::Address(address) => format!("the address {address}"),
        };
        (whom, game.zone().moment(running.until))
    });
    let kept = recordings::list(&game.data).unwrap_or_else(|error| {
        log::warn!("operator: the recordings cannot be listed: {error}");
        Vec::new()
    });
    let with_size = |kept: Kept| {
        let size = format!("{} KiB", kept.bytes.div_ceil(1024));
        (kept, size)
    };
    let kept = kept.into_iter().rev().map(with_size).collect();
    let chosen = game.answers.all().into_iter();
    let chosen = chosen.map(|(number, answer)| (number, Number(number).to_string(), answer.word())).collect();
    pages::page(&WirePage { frame, running, ended: recordings.ended(), kept, chosen, messages, left_out })
}

/// Carries out a form of this page, whose token has been checked; `None`: it is one of another page.
pub(super) fn act(
    game: &Game,
    recordings: &dyn RecordingSwitch,
    request: &OperatorRequest<'_>,
    form: &Form,
) -> Option<Effect> {
    let fields = &form.fields;
    Some(match request.path {
        CLEAR => clear(game),
        ANSWER => answer(game, fields),
        START => start(game, recordings, fields, request.now),
        STOP => stop(recordings),
        DOWNLOAD => download(game, fields),
        REMOVE => remove(game, recordings, fields),
        _ => return None,
    })
}

fn row(zone: &Zone, kind: Unexpected) -> Row {
    let Unexpected { service, reason, count, first_at, from, message, answer, .. } = kind;
    let text = match &message {
        Arrived::Packet(packet) => packet_text::nps_packet(packet, Some(Side::Client)),
        Arrived::Body(body) => packet_text::mcots_body(body, Some(Side::Client)),
    };
    let digits = HEXLOWER.encode(message.body());
    let text = match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}\n...", text.get(..end).unwrap_or_default()),
        None => text,
    };
    let is_body = matches!(message, Arrived::Body(_));
    let choice = (is_body && reason == Reason::Unknown).then(|| message.number());
    let (name, size) = (message.name(), message.body().len());
    Row {
        name,
        service,
        why: said(reason),
        count,
        since: zone.moment(first_at),
        from,
        answer,
        size,
        text,
        digits,
        choice,
    }
}

const fn said(reason: Reason) -> &'static str {
    match reason {
        Reason::Unknown => "not known",
        Reason::Malformed => "could not be read",
        Reason::NotAllowed => "not allowed",
        Reason::Guessed => "its layout is a guess",
        Reason::Opaque => "its content is not understood",
    }
}

fn clear(game: &Game) -> Effect {
    game.world.unexpected.clear();
    Effect::new(PAGE, Ok("The list is empty. The next message of each kind is kept again.".to_owned()))
        .noted("list of messages emptied")
}

fn start(game: &Game, recordings: &dyn RecordingSwitch, fields: &Fields, now: Now) -> Effect {
    let outcome = whom(game, fields).and_then(|whom| {
        let minutes = fields.text("minutes").parse().ok();
        let minutes = minutes.filter(|minutes| (1..=recordings::MOST_MINUTES).contains(minutes));
        let minutes = minutes
            .ok_or_else(|| format!("Choose for how long: 1 to {} minutes.", recordings::MOST_MINUTES))?;
        recordings.start(whom, minutes, now)
    });
    Effect::new(PAGE, outcome.map(|()| "The recording is on.".to_owned())).noted("recording start")
}

/// Whose messages the form asks for.
fn whom(game: &Game, fields: &Fields) -> Result<Whom, String> {
    let (account, address) = (fields.text("account").trim(), fields.text("address").trim());
    match (account.is_empty(), address.is_empty()) {
        (true, true) => Ok(Whom::Everybody),
        (false, false) => Err("Name an account or an address, not both.".to_owned()),
        (true, false) => address
            .parse()
            .map(Whom::Address)
            .map_err(|_| "This is not an IP address. An address looks like 192.168.1.30.".to_owned()),
        (false, true) => {
            let found = game.store.accounts().by_name(account).map_err(|error| pages::sentence(&error))?;
            let found =
                found.ok_or("There is no account with this name. The page Accounts shows all names.")?;
            Ok(Whom::Account { customer: found.customer_id, name: found.name })
        }
    }
}

fn stop(recordings: &dyn RecordingSwitch) -> Effect {
    let outcome = if recordings.stop() {
        Ok("The recording is off. It can be downloaded.".to_owned())
    } else {
        Err("Nothing was being recorded any more.".to_owned())
    };
    Effect::new(PAGE, outcome).noted("recording stop")
}

const NO_RECORDING: &str = "There is no such recording any more.";

fn download(game: &Game, fields: &Fields) -> Effect {
    let name = fields.text("name");
    match recordings::zip(&game.data, name) {
        Ok(Some(bytes)) => {
            log::info!("operator: {name} is downloaded");
            Effect { file: Some((format!("mcos-{name}.zip"), bytes)), ..Effect::new(PAGE, Ok(String::new())) }
        }
        Ok(None) => Effect::refused(PAGE, NO_RECORDING),
        Err(error) => Effect::new(PAGE, Err(pages::sentence(&error))),
    }
}

fn remove(game: &Game, recordings: &dyn RecordingSwitch, fields: &Fields) -> Effect {
    let name = fields.text("name");
    if recordings.running().is_some_and(|running| running.name == name) {
        return Effect::refused(PAGE, "This recording is being made. Stop it first.");
    }
    match recordings::remove(&game.data, name) {
        Ok(true) => {
            Effect::new(PAGE, Ok("The recording is removed.".to_owned())).noted(format!("{name} removed"))
        }
        Ok(false) => Effect::refused(PAGE, NO_RECORDING),
        Err(error) => Effect::new(PAGE, Err(pages::sentence(&error))),
    }
}

fn answer(game: &Game, fields: &Fields) -> Effect {
    let Ok(number) = fields.text("number").trim().parse::<u16>() else {
        return Effect::refused(PAGE, "Give the number of a message to MCOTS, 0 to 65535.");
    };
    if mcots::is_handled(Number(number)) {
        let why = format!(
            "The server handles message {number} itself. Choose answers for numbers that it does not know."
        );
        return Effect::new(PAGE, Err(why));
    }
    let answer = match fields.text("answer") {
        "default" => None,
        word => match ChosenAnswer::from_word(word) {
            Some(answer) => Some(answer),
            None => return Effect::refused(PAGE, "Choose an answer."),
        },
    };
    let outcome = match game.answers.choose(number, answer) {
        Ok(()) => {
            let what = answer.map_or("as mcos.toml says", ChosenAnswer::word);
            log::warn!("operator: message {number} to MCOTS is answered from now on: {what}");
            Ok(format!("Message {number} is answered from now on: {what}."))
        }
        Err(error) if error.kind() == ErrorKind::QuotaExceeded => {
            Err(format!("There are {MOST_CHOSEN} chosen answers already. Take one back first."))
        }
        Err(error) => Err(pages::nothing_changed(&error.to_string())),
    };
    Effect::new(PAGE, outcome).noted(format!("answer message {number}: {}", fields.text("answer")))
}
