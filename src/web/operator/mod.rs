//! The Operator's pages: from a request value to an answer value, without sockets.
//!
//! They are for TLS 1.2 and 1.3 only; whoever comes otherwise is told so by [`refusal`]. A password opens a session, which
//! a cookie proves; every form carries a token besides, so that no other page can send it. They work without script.

mod acts;
mod fields;
mod pages;
mod parcel;
mod sessions;
mod upload;

pub use pages::refusal;
pub use parcel::MultipartUpload;

use crate::appliance::{Appliance, Manifest};
use crate::clock::Now;
use crate::services::{Game, Push, Verdict};
use crate::store::{OperatorError, OperatorPassword};
use crate::world::FailureLimit;
use fields::Fields;
use sessions::{Notice, Sessions, Token};
use std::fs::File;
use std::net::IpAddr;
use std::time::Instant;

/// Wrong passwords of one address within a minute. People mistype; programs that guess get nowhere.
const FAILURES_PER_MINUTE: u32 = 5;
/// The longest form without a file.
const MAX_FORM: usize = 8 * 1024;
/// The largest backup that can be sent by a form. Larger ones are for `mcos restore`.
const MAX_UPLOAD: usize = 16 * 1024 * 1024;
/// The largest game's database that can be sent by a form. Larger ones are for `mcos catalog import`.
const MAX_DATABASE: u64 = 64 * 1024 * 1024;
/// For who sends a larger one.
pub const DATABASE_TOO_LARGE: &str = "That file is larger than 64 MiB. Nothing was changed. The game's own database is much smaller; \
     \"mcos catalog import\" on the box takes larger files.";
/// Where an update bundle is sent to.
pub const BUNDLE: &str = "/operator/update/send";
/// Browsers take a cookie of this kind of name only by HTTPS, for this host and every path.
const SESSION: &str = "__Host-mcos-operator";
/// The token of the forms before there is a session.
const FORMS: &str = "__Host-mcos-form";

/// Somebody asks.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// The path in lower case, without a slash at the end.
    pub path: &'a str,
    /// The value of `Cookie`.
    pub cookies: &'a str,
    /// Where from.
    pub peer: IpAddr,
    /// When.
    pub now: Now,
    /// A form; `None` for who only reads.
    pub form: Option<Form<'a>>,
}

/// A form as it was sent.
#[derive(Clone, Copy)]
pub struct Form<'a> {
    /// The value of `Content-Type`.
    pub content_type: &'a str,
    /// The form itself.
    pub sent: Sent<'a>,
}

/// Where a form lies.
#[derive(Clone, Copy)]
pub enum Sent<'a> {
    /// In memory.
    Memory(&'a [u8]),
    /// In a file, from its beginning to its end.
    File(&'a File),
}

/// Where a form is to be put, and how long it may be in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intake {
    /// Into memory.
    Memory(usize),
    /// Into a file, since it may be large.
    File(u64),
}

/// What only the sockets know.
#[derive(Clone, Debug, Default)]
pub struct Vitals {
    /// Connections at this moment, this one included.
    pub connections: usize,
    /// For how long the server has run, in seconds.
    pub uptime: u64,
    /// The memory of the process, in bytes, if the system tells.
    pub memory: Option<u64>,
    /// The names and addresses in the certificates.
    pub certificate_names: Vec<String>,
    /// How many messages of the game were answered since the start.
    pub messages_answered: u64,
    /// Kinds of messages that were not simply answered: which, what became of them, how many.
    pub messages_unusual: Vec<(String, Verdict, u64)>,
}

/// An answer.
#[derive(Debug, Default)]
pub struct Reply {
    /// The status of HTTP.
    pub status: u16,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The page or file itself.
    pub body: Vec<u8>,
    /// Where to go instead.
    pub location: Option<&'static str>,
    /// The values of `Set-Cookie`.
    pub cookies: Vec<String>,
    /// The name under which a browser saves it, if it is a file.
    pub file_name: Option<String>,
    /// What players hear of it.
    pub pushes: Vec<Push>,
    /// The server is to restart.
    pub restart: bool,
}

impl Reply {
    fn page(body: String) -> Self {
        let content_type = "text/html; charset=utf-8";
        Self { status: 200, content_type, body: body.into_bytes(), ..Self::default() }
    }

    fn go_to(location: &'static str) -> Self {
        Self { status: 303, content_type: "text/plain", location: Some(location), ..Self::default() }
    }

    fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    fn with_cookie(mut self, name: &str, value: &str) -> Self {
        self.cookies.push(cookie(name, value));
        self
    }
}

/// No script reads it, no other site sends it, and no connection without TLS carries it. An empty value takes it back.
fn cookie(name: &str, value: &str) -> String {
    let end = if value.is_empty() { "; Max-Age=0" } else { "" };
    format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict{end}")
}

/// Whether a path belongs to these pages. It is lower case, without a slash at the end.
pub fn is_here(path: &str) -> bool {
    path.strip_prefix("/operator").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The desk at which the Operator is served.
pub struct OperatorSite {
    sessions: Sessions,
    failures: FailureLimit,
    /// The box it stands in, if it is one.
    appliance: Option<Appliance>,
}

impl Default for OperatorSite {
    fn default() -> Self {
        Self {
            sessions: Sessions::default(),
            failures: FailureLimit::for_everybody(FAILURES_PER_MINUTE),
            appliance: None,
        }
    }
}

impl OperatorSite {
    /// A desk on a box, if `appliance` is one.
    pub fn on(appliance: Option<Appliance>) -> Self {
        Self { appliance, ..Self::default() }
    }

    /// The box, if this is one.
    pub const fn appliance(&self) -> Option<&Appliance> {
        self.appliance.as_ref()
    }

    /// Whether somebody is logged in.
    pub fn knows(&self, cookies: &str) -> bool {
        self.sessions.enter(value(cookies, SESSION), Instant::now()).is_some()
    }

    /// Whether a form comes from a page of the session that the cookies prove.
    pub fn is_token(&self, cookies: &str, token: &str) -> bool {
        let forms = self.sessions.enter(value(cookies, SESSION), Instant::now());
        forms.is_some_and(|forms| forms.is(token))
    }

    /// The answer to somebody who must log in first.
    pub fn send_away(&self) -> Reply {
        Reply::go_to("/operator")
    }

    /// The answer to a form that does not come from a page of the session.
    pub fn stale(&self, game: &Game, cookies: &str, peer: IpAddr) -> Reply {
        log::info!("operator: {peer} sent a form without the page's token");
        match self.sessions.enter(value(cookies, SESSION), Instant::now()) {
            Some(forms) => pages::stale(game, &forms),
            None => self.send_away(),
        }
    }

    /// The answer to an update bundle: whether it is kept to be installed.
    pub fn took_bundle(&self, cookies: &str, outcome: Result<Manifest, String>) -> Reply {
        let notice = match outcome {
            Ok(Manifest { version, .. }) => {
                log::warn!("operator: an update to {version} is checked, and waits to be installed");
                let text = format!(
                    "mcos {version} has arrived and is sound. The box installs it and restarts by itself."
                );
                Notice { good: true, text }
            }
            Err(why) => Notice { good: false, text: format!("Nothing was changed: {why}") },
        };
        self.sessions.leave_notice(value(cookies, SESSION), notice, Instant::now());
        Reply::go_to("/operator/update")
    }

    /// How a form will be read. Only who is logged in may send much.
    pub fn intake(&self, path: &str, cookies: &str) -> Intake {
        let known = || self.sessions.enter(value(cookies, SESSION), Instant::now()).is_some();
        match path {
            acts::RESTORE if known() => Intake::Memory(MAX_UPLOAD),
            acts::CATALOG if known() => Intake::File(MAX_DATABASE + MAX_FORM as u64),
            _ => Intake::Memory(MAX_FORM),
        }
    }

    /// Answers. May check a password and waits for the card, so it belongs on a worker thread.
    pub fn answer(&self, game: &Game, vitals: &Vitals, ask: &Ask<'_>) -> Reply {
        let secret = value(ask.cookies, SESSION);
        let forms = self.sessions.enter(secret, Instant::now());
        let fields = ask.form.as_ref().map(Fields::read);
        match (forms, fields) {
            (None, None) => door(game, ask, None),
            (None, Some(fields)) => self.knock(game, ask, &fields),
            (Some(forms), None) => {
                let notice = self.sessions.take_notice(secret, Instant::now());
                pages::read(game, vitals, self.appliance(), ask, &forms, notice)
            }
            (Some(forms), Some(fields)) if forms.is(fields.text("form")) => {
                self.act(game, ask, secret, &fields)
            }
            (Some(_), Some(_)) => self.stale(game, ask.cookies, ask.peer),
        }
    }

    /// Somebody without a session sends a form.
    fn knock(&self, game: &Game, ask: &Ask<'_>, fields: &Fields<'_>) -> Reply {
        let token = value(ask.cookies, FORMS);
        if token.is_empty() || !Token::same(token, fields.text("form")) {
            log::info!("operator: {} sent a form without the page's token", ask.peer);
            let problem = "That page was too old, or the browser keeps no cookies. Please try again.";
            return door(game, ask, Some(problem)).with_status(403);
        }
        match ask.path {
            "/operator/login" => self.log_in(game, ask, fields),
            "/operator/first" => self.set_first_password(game, ask, fields),
            _ => door(game, ask, Some("Please log in first.")).with_status(403),
        }
    }

    fn log_in(&self, game: &Game, ask: &Ask<'_>, fields: &Fields<'_>) -> Reply {
        if !self.failures.admit(ask.peer, ask.now) {
            log::info!("operator: refused {}: too many wrong passwords within a minute", ask.peer);
            let problem = "Too many wrong passwords from your address. Wait a minute.";
            return door(game, ask, Some(problem)).with_status(429);
        }
        match game.store.operator().check_password(fields.text("password")) {
            Ok(true) => {
                self.failures.forgive(ask.peer);
                log::info!("operator: logged in from {}", ask.peer);
                self.begin()
            }
            Ok(false) => {
                log::info!("operator: refused {}: wrong password", ask.peer);
                door(game, ask, Some("That is not the operator's password.")).with_status(403)
            }
            Err(error) => {
                self.failures.forgive(ask.peer);
                log::error!("operator: cannot check the password: {error}");
                door(game, ask, Some(&error.to_string())).with_status(500)
            }
        }
    }

    fn set_first_password(&self, game: &Game, ask: &Ask<'_>, fields: &Fields<'_>) -> Reply {
        if !is_near(ask.peer) {
            log::info!("operator: refused {}: the first password is set from the home network", ask.peer);
            return door(game, ask, None).with_status(403);
        }
        let password = fields.text("password");
        if password != fields.text("again") {
            return door(game, ask, Some("The two passwords differ.")).with_status(403);
        }
        let set = OperatorPassword::new(password)
            .and_then(|password| game.store.operator().set_first_password(&password))
            .and_then(|changed| changed.ticket.wait().map_err(OperatorError::from));
        match set {
            Ok(()) => {
                log::warn!("operator: {} has set the operator's password", ask.peer);
                self.begin()
            }
            Err(error) => door(game, ask, Some(&error.to_string())).with_status(403),
        }
    }

    fn begin(&self) -> Reply {
        let secret = self.sessions.begin(Instant::now());
        Reply::go_to("/operator").with_cookie(SESSION, secret.as_str()).with_cookie(FORMS, "")
    }

    /// A form of the Operator's.
    fn act(&self, game: &Game, ask: &Ask<'_>, secret: &str, fields: &Fields<'_>) -> Reply {
        if ask.path == "/operator/logout" {
            self.sessions.end(secret, Instant::now());
            log::info!("operator: logged out");
            return Reply::go_to("/operator").with_cookie(SESSION, "");
        }
        let guesses = ask.path == "/operator/password";
        if guesses && !self.failures.admit(ask.peer, ask.now) {
            let text = "Too many wrong passwords from your address. Wait a minute.".to_owned();
            self.sessions.leave_notice(secret, Notice { good: false, text }, Instant::now());
            return Reply::go_to("/operator/health");
        }
        let acts::Done { outcome, page, pushes, restart, file, relogin } = acts::act(game, ask, fields);
        if let Some((name, body)) = file {
            let content_type = "application/octet-stream";
            return Reply { status: 200, content_type, body, file_name: Some(name), ..Reply::default() };
        }
        let notice = match outcome {
            Ok(text) => Notice { good: true, text },
            Err(text) => Notice { good: false, text },
        };
        if relogin && notice.good {
            self.failures.forgive(ask.peer);
            self.sessions.end_all();
            return Reply { pushes, ..Reply::go_to("/operator").with_cookie(SESSION, "") };
        }
        if restart {
            return Reply { pushes, restart, ..pages::restarting(game) };
        }
        self.sessions.leave_notice(secret, notice, Instant::now());
        Reply { pushes, ..Reply::go_to(page) }
    }
}

/// Somebody without a session looks at the door: the page to log in, or to set the first password.
fn door(game: &Game, ask: &Ask<'_>, problem: Option<&str>) -> Reply {
    if ask.path != "/operator" && ask.form.is_none() {
        return Reply::go_to("/operator");
    }
    let known = value(ask.cookies, FORMS);
    // An invented token would do no harm, but one of our own form tells that the browser keeps cookies.
    let (token, fresh) = if known.len() == 32 && known.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        (known.to_owned(), false)
    } else {
        (Token::random().as_str().to_owned(), true)
    };
    let page = match game.store.operator().has_password() {
        Ok(true) => pages::login(game, &token, problem),
        Ok(false) => pages::first_visit(game, &token, is_near(ask.peer), problem),
        Err(error) => {
            log::error!("operator: the store does not answer: {error}");
            return refusal(&game.config.shard.name, None).with_status(500);
        }
    };
    if fresh { page.with_cookie(FORMS, &token) } else { page }
}

/// The value of a cookie; empty if there is none.
fn value<'a>(cookies: &'a str, wanted: &str) -> &'a str {
    let pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(name, _)| *name == wanted).map_or("", |(_, value)| value)
}

/// Whether an address is of the home network or of this machine: where somebody may set the first password.
fn is_near(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests;
