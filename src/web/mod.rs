//! Pages and files for people: from a request value to an answer value, without sockets.
//!
//! They are read by browsers of 2001 as well as of today: plain HTML without script, which works without its one style sheet
//! and without cookies. Every text from outside is escaped by the template engine.

mod account;
mod diagnose;
mod files;
mod form;
mod game_pages;
mod guide;
pub mod operator;

use crate::admin::kit::Certificate;
use crate::clock::Now;
use crate::config::HostName;
use crate::services::Game;
use crate::world::FailureLimit;
use askama::Template;
use log::error;
use std::net::IpAddr;

/// The longest form. A name and three passwords, every character escaped, have about 500 bytes.
pub const MAX_FORM: usize = 4096;

/// What the pages are about.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// The shard.
    pub game: &'a Game,
    /// What players' PCs are to trust, if the server has it.
    pub certificate: Option<&'a Certificate>,
    /// Counts requests for accounts.
    pub registrations: &'a FailureLimit,
    /// When the page is asked for.
    pub now: Now,
}

/// Somebody asks for a page.
#[derive(Clone, Copy)]
pub struct Visit<'a> {
    /// The path in lower case, without a slash at the end: empty for the front page.
    pub path: &'a str,
    /// What stands behind the `?`.
    pub query: &'a str,
    /// The name or address by which the visitor came.
    pub host: &'a HostName,
    /// Where the visitor is.
    pub peer: IpAddr,
    /// At which of our addresses the visitor came in.
    pub local: IpAddr,
}

/// How long a browser may keep an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Not at all: it holds what somebody typed.
    No,
    /// It may be kept, but must be asked for again. Not "no-cache": old Internet Explorers then refuse to save files that
    /// come by HTTPS (*documented*).
    Stale,
    /// For a day.
    Day,
}

impl Keep {
    /// As the value of `Cache-Control`.
    pub const fn header(self) -> &'static str {
        match self {
            Self::No => "no-store",
            Self::Stale => "private, max-age=0",
            Self::Day => "public, max-age=86400",
        }
    }
}

/// An answer to a visitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The name under which a browser saves it, if it is a file.
    pub file_name: Option<&'static str>,
    /// How long it may be kept.
    pub keep: Keep,
    /// The page or file itself.
    pub body: Vec<u8>,
}

impl Answer {
    fn text(body: String) -> Self {
        let content_type = "text/plain";
        Self { status: 200, content_type, file_name: None, keep: Keep::Stale, body: body.into_bytes() }
    }

    fn file(name: &'static str, content_type: &'static str, body: Vec<u8>) -> Self {
        Self { status: 200, content_type, file_name: Some(name), keep: Keep::Stale, body }
    }

    fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    fn private(self) -> Self {
        Self { keep: Keep::No, ..self }
    }
}

/// What every page shows.
struct Frame<'a> {
    shard: &'a str,
    version: &'static str,
}

impl<'a> Frame<'a> {
    fn of(site: &Site<'a>) -> Self {
        Self { shard: &site.game.config.shard.name, version: env!("CARGO_PKG_VERSION") }
    }
}

/// A page with one thing to say.
#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    frame: Frame<'a>,
    heading: &'a str,
    text: &'a str,
}

/// A finished page.
fn page(template: &impl Template) -> Answer {
    match template.render() {
        Ok(text) => Answer {
            status: 200,
            content_type: "text/html; charset=utf-8",
            file_name: None,
            keep: Keep::Stale,
            body: text.into_bytes(),
        },
        Err(e) => {
            error!("http: a page cannot be written: {e}");
            Answer::text("The server has a problem with this page".to_owned()).with_status(500)
        }
    }
}

fn message(site: &Site<'_>, status: u16, heading: &str, text: &str) -> Answer {
    page(&Message { frame: Frame::of(site), heading, text }).with_status(status)
}

/// Answers who asks for a page or a file; `None` if there is no such page.
pub fn read(site: &Site<'_>, visit: &Visit<'_>) -> Option<Answer> {
    Some(match visit.path {
        "" | "/index.html" => guide::front(site, visit),
        "/account" | "/subscribeentry.jsp" => account::blank(site),
        "/password" => account::blank_change(site),
        "/transfertocamhelpservlet" => game_pages::password_help(site),
        "/kit" => guide::kit(site, visit),
        "/help" => guide::help(site, visit),
        "/diagnose" => diagnose::show(site, visit),
        "/urls" => game_pages::numbered(site, visit)?,
        "/ticker" => game_pages::ticker(site),
        "/kit.zip" | "/download/kit" => files::kit(site, visit),
        "/cert" | "/download/certificate" => files::certificate(site),
        "/key" | "/download/key" => files::key(site),
        "/registry" | "/download/registry" => files::registry(site, visit),
        "/style.css" => files::style(),
        _ => return None,
    })
}

/// Whether a form is sent to this path.
pub fn takes_forms(path: &str) -> bool {
    matches!(path, "/account" | "/password")
}

/// Answers who has filled in a form. Checks or hashes a password, so it belongs on a worker thread.
pub fn submit(site: &Site<'_>, visit: &Visit<'_>, body: &[u8]) -> Answer {
    let form = form::Form::read(body);
    if visit.path == "/password" {
        account::change(site, visit.peer, &form)
    } else {
        account::create(site, visit.peer, &form)
    }
}

/// The answer to a form that is too long or broke off.
pub fn bad_form(site: &Site<'_>) -> Answer {
    message(site, 413, "That form was too long", "Nothing was changed. Go back, and type less.")
}

/// The answer to a form when too many passwords are waiting already.
pub fn busy(site: &Site<'_>) -> Answer {
    message(site, 503, "The server is busy", "Nothing was changed. Please try again in a moment.")
}

/// The answer to who asks for what is not there.
pub fn not_found(site: &Site<'_>) -> Answer {
    message(site, 404, "Not found", "There is no page at this address.")
}

#[cfg(test)]
mod tests;
