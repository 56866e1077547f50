//! The types of the public pages: the site, a request, a response, and the frame around every page.

use crate::admin::kit::Certificate;
use crate::clock::Now;
use crate::config::HostName;
use crate::services::Game;
use crate::store::StoreError;
use crate::world::FailureLimit;
use askama::Template;
use hyper::header::{HeaderName, LOCATION};
use mco_proto::ids::PersonaId;
use std::net::IpAddr;

/// The server as the pages show it.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// The shard.
    pub game: &'a Game,
    /// The certificate for players' PCs, if the server has one.
    pub certificate: Option<&'a Certificate>,
    /// Counts requests for accounts.
    pub registrations: &'a FailureLimit,
    /// When the page is asked for.
    pub now: Now,
    /// The menu of whoever is signed in.
    pub(super) menu: Option<&'a Menu>,
}

impl<'a> Site<'a> {
    /// The server for one request.
    pub const fn new(
        game: &'a Game,
        certificate: Option<&'a Certificate>,
        registrations: &'a FailureLimit,
        now: Now,
    ) -> Self {
        Self { game, certificate, registrations, now, menu: None }
    }
}

/// A request for a page or a file.
#[derive(Clone, Copy)]
pub struct PageRequest<'a> {
    /// The path in lower case, without a slash at the end: empty for the front page.
    pub path: &'a str,
    /// What stands behind the `?`.
    pub query: &'a str,
    /// The name or address by which the browser reached the server.
    pub host: &'a HostName,
    /// The browser's address.
    pub peer: IpAddr,
    /// The server's address at which the request arrived.
    pub local: IpAddr,
    /// The value of `Cookie`.
    pub cookies: &'a str,
    /// Whether it came by HTTPS.
    pub secure: bool,
    /// The value of `If-None-Match`.
    pub known: &'a str,
    /// The value of `Authorization`.
    pub authorization: &'a str,
}

/// How long a browser may keep a page or a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CachePolicy {
    /// Not at all: it holds what somebody typed.
    NoStore,
    /// It may be kept, but must be asked for again. Not "no-cache": old Internet Explorers then refuse to save files that
    /// come by HTTPS (*documented*).
    Revalidate,
    /// It may be used for 86,400 s without asking again.
    OneDay,
}

impl CachePolicy {
    /// As the value of `Cache-Control`.
    pub const fn header(self) -> &'static str {
        match self {
            Self::NoStore => "no-store",
            Self::Revalidate => "private, max-age=0",
            Self::OneDay => "public, max-age=86400",
        }
    }
}

/// A page or a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageResponse {
    /// The status of HTTP.
    pub status: u16,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The name under which a browser saves it, if it is a file.
    pub file_name: Option<&'static str>,
    /// How long it may be kept.
    pub cache: CachePolicy,
    /// More lines of the head: their names and values.
    pub headers: Vec<(HeaderName, String)>,
    /// The page or file itself.
    pub body: Vec<u8>,
}

impl PageResponse {
    pub(super) fn text(body: String) -> Self {
        let (content_type, cache) = ("text/plain", CachePolicy::Revalidate);
        Self {
            status: 200,
            content_type,
            file_name: None,
            cache,
            headers: Vec::new(),
            body: body.into_bytes(),
        }
    }

    pub(super) fn file(name: &'static str, content_type: &'static str, body: Vec<u8>) -> Self {
        let cache = CachePolicy::Revalidate;
        Self { status: 200, content_type, file_name: Some(name), cache, headers: Vec::new(), body }
    }

    pub(super) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(super) fn with_header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Has the browser go to another page.
    pub(super) fn go_to(path: impl Into<String>) -> Self {
        Self::text(String::new()).with_status(303).not_stored().with_header(LOCATION, path)
    }

    pub(super) fn not_stored(self) -> Self {
        Self { cache: CachePolicy::NoStore, ..self }
    }
}

/// The parts that all pages have.
pub(super) struct Frame<'a> {
    pub(super) shard: &'a str,
    pub(super) version: &'static str,
    pub(super) menu: Option<&'a Menu>,
    /// The time zone of all moments.
    pub(super) zone: String,
}

/// The second menu, of a player who is signed in: the same on all pages of the city.
pub(super) struct Menu {
    pub(super) account: String,
    /// The token of the form to sign out.
    pub(super) form: String,
    pub(super) driver: Option<Driver>,
    /// The same page, or the garage, for each other driver: links and names.
    pub(super) others: Vec<(String, String)>,
}

/// The driver that the links of the menu are about.
pub(super) struct Driver {
    pub(super) id: PersonaId,
    pub(super) name: String,
}

impl<'a> Frame<'a> {
    pub(super) fn of(site: &Site<'a>) -> Self {
        let zone = site.game.zone().title();
        Self {
            shard: &site.game.config.shard.name,
            version: env!("CARGO_PKG_VERSION"),
            menu: site.menu,
            zone,
        }
    }
}

/// A page with a heading and one sentence.
#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    frame: Frame<'a>,
    heading: &'a str,
    text: &'a str,
}

/// A finished page.
pub(super) fn page(template: &impl Template) -> PageResponse {
    match template.render() {
        Ok(text) => PageResponse {
            status: 200,
            content_type: "text/html; charset=utf-8",
            file_name: None,
            cache: CachePolicy::Revalidate,
            headers: Vec::new(),
            body: text.into_bytes(),
        },
        Err(error) => {
            log::error!("http: a page cannot be written: {error}");
            PageResponse::text("The server could not make this page. Its log says why.".to_owned())
                .with_status(500)
        }
    }
}

/// A page with a heading and one sentence.
pub(super) fn message(site: &Site<'_>, status: u16, heading: &str, text: &str) -> PageResponse {
    page(&Message { frame: Frame::of(site), heading, text }).with_status(status)
}

/// The answer when the store does not tell what a page should show.
pub(super) fn unreadable(site: &Site<'_>, error: &StoreError) -> PageResponse {
    log::error!("http: a page cannot be shown: {error}");
    let text = "The server cannot read this at the moment. Its log says why. Tell the operator.";
    message(site, 503, "Not at the moment", text)
}
