//! The page *Wire*: messages that nobody can explain yet.

use super::actions::Effect;
use super::pages::{self, Frame};
use super::request::OperatorResponse;
use crate::clock::moment;
use crate::recording::{Side, packet_text};
use crate::services::Game;
use crate::world::{Arrived, Reason, Unexpected};
use askama::Template;

/// The page.
pub(super) const PAGE: &str = "/operator/wire";
/// Where the form goes that begins the list anew.
pub(super) const CLEAR: &str = "/operator/wire/clear";

/// So much of a message's fields is shown, in characters; its bytes are shown as a whole.
const LONGEST_TEXT: usize = 8000;

#[derive(Template)]
#[template(path = "operator/wire.html")]
struct WirePage<'a> {
    frame: Frame<'a>,
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
}

pub(super) fn page(game: &Game, frame: Frame<'_>) -> OperatorResponse {
    let (messages, left_out) = game.world.unexpected.list();
    let messages = messages.into_iter().map(row).collect();
    pages::page(&WirePage { frame, messages, left_out })
}

fn row(kind: Unexpected) -> Row {
    let Unexpected { service, reason, count, first_at, from, message, answer, .. } = kind;
    let text = match &message {
        Arrived::Packet(packet) => packet_text::nps_packet(packet, Some(Side::Client)),
        Arrived::Body(body) => packet_text::mcots_body(body, Some(Side::Client)),
    };
    let digits = message.body().iter().map(|byte| format!("{byte:02x}")).collect();
    let text = match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}\n...", text.get(..end).unwrap_or_default()),
        None => text,
    };
    let (name, size) = (message.name(), message.body().len());
    Row { name, service, why: said(reason), count, since: moment(first_at), from, answer, size, text, digits }
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

pub(super) fn clear(game: &Game) -> Effect {
    game.world.unexpected.clear();
    Effect::new(PAGE, Ok("The list is empty. The next message of each kind is kept again.".to_owned()))
}
