//! What the Operator sees.

use super::sessions::{Notice, Token};
use super::{Ask, Reply, Vitals};
use crate::admin::health;
use crate::admin::lists;
use crate::admin::online::{self, Player};
use crate::admin::requests::{AccountEntry, BanEntry};
use crate::appliance::{self, Appliance, Slot, disk};
use crate::clock::Now;
use crate::clock::{moment, span};
use crate::log_ring;
use crate::services::{Game, Verdict};
use crate::store::{BanTarget, StoreError};
use askama::Template;
use std::time::UNIX_EPOCH;

/// What every page shows.
struct Frame<'a> {
    shard: &'a str,
    version: &'static str,
    /// The token of all forms; empty where nobody is logged in.
    form: &'a str,
    notice: Option<Notice>,
}

fn frame<'a>(game: &'a Game, form: &'a str, notice: Option<Notice>) -> Frame<'a> {
    Frame { shard: &game.config.shard.name, version: env!("CARGO_PKG_VERSION"), form, notice }
}

#[derive(Template)]
#[template(path = "operator/refusal.html")]
struct Refusal<'a> {
    shard: &'a str,
    link: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "operator/login.html")]
struct Login<'a> {
    frame: Frame<'a>,
    token: &'a str,
    problem: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "operator/first.html")]
struct FirstVisit<'a> {
    frame: Frame<'a>,
    token: &'a str,
    near: bool,
    problem: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "operator/online.html")]
struct Online<'a> {
    frame: Frame<'a>,
    players: Vec<Player>,
}

#[derive(Template)]
#[template(path = "operator/accounts.html")]
struct AccountsPage<'a> {
    frame: Frame<'a>,
    accounts: Vec<AccountEntry>,
}

#[derive(Template)]
#[template(path = "operator/bans.html")]
struct BansPage<'a> {
    frame: Frame<'a>,
    rows: Vec<BanRow>,
}

struct BanRow {
    who: String,
    field: &'static str,
    value: String,
    reason: String,
    since: String,
    end: String,
}

#[derive(Template)]
#[template(path = "operator/message.html")]
struct MessagePage<'a> {
    frame: Frame<'a>,
    text: String,
}

#[derive(Template)]
#[template(path = "operator/log.html")]
struct LogPage<'a> {
    frame: Frame<'a>,
    lines: Vec<LogLine>,
}

struct LogLine {
    at: String,
    level: &'static str,
    text: Box<str>,
}

#[derive(Template)]
#[template(path = "operator/backup.html")]
struct BackupPage<'a> {
    frame: Frame<'a>,
}

#[derive(Template)]
#[template(path = "operator/catalog.html")]
struct CatalogPage<'a> {
    frame: Frame<'a>,
    /// Where it came from; empty for the one built in.
    facts: Vec<(&'static str, String)>,
    counts: Vec<(&'static str, usize)>,
    unusual: Vec<String>,
    /// What an import would add to the one built in.
    missing: Option<String>,
}

#[derive(Template)]
#[template(path = "operator/update.html")]
struct UpdatePage<'a> {
    frame: Frame<'a>,
    /// Where it is a box.
    board: Option<&'a str>,
    slot: Option<Slot>,
    /// A bundle waits to be installed.
    staged: bool,
    /// What came of the last one.
    last: Vec<String>,
}

#[derive(Template)]
#[template(path = "operator/health.html")]
struct HealthPage<'a> {
    frame: Frame<'a>,
    facts: Vec<(&'static str, String)>,
    warnings: Vec<String>,
}

#[derive(Template)]
#[template(path = "operator/said.html")]
struct Said<'a> {
    frame: Frame<'a>,
    heading: &'a str,
    text: &'a str,
    reload: bool,
}

fn page(template: &impl Template) -> Reply {
    match template.render() {
        Ok(text) => Reply::page(text),
        Err(error) => {
            log::error!("operator: a page cannot be written: {error}");
            Reply::page("The server has a problem with this page".to_owned()).with_status(500)
        }
    }
}

/// For who comes without TLS or by an old kind of it; `link` is where to go instead.
pub fn refusal(shard: &str, link: Option<&str>) -> Reply {
    page(&Refusal { shard, link }).with_status(403)
}

pub(super) fn login(game: &Game, token: &str, problem: Option<&str>) -> Reply {
    page(&Login { frame: frame(game, "", None), token, problem })
}

pub(super) fn first_visit(game: &Game, token: &str, near: bool, problem: Option<&str>) -> Reply {
    page(&FirstVisit { frame: frame(game, "", None), token, near, problem })
}

pub(super) fn stale(game: &Game, forms: &Token) -> Reply {
    let text = "The form did not come from a page of this session, so nothing was done. Go back, load the page again, and try once more.";
    let frame = frame(game, forms.as_str(), None);
    page(&Said { frame, heading: "That page was too old", text, reload: false }).with_status(403)
}

pub(super) fn restarting(game: &Game) -> Reply {
    let text = "Players are disconnected and can sign in again in a few seconds. This page looks for the server by itself; you will have to log in again.";
    page(&Said { frame: frame(game, "", None), heading: "The server restarts", text, reload: true })
}

/// One of the pages, for who is logged in.
pub(super) fn read(
    game: &Game,
    vitals: &Vitals,
    appliance: Option<&Appliance>,
    ask: &Ask<'_>,
    forms: &Token,
    notice: Option<Notice>,
) -> Reply {
    let frame = frame(game, forms.as_str(), notice);
    match ask.path {
        "/operator" => page(&Online { frame, players: online::players(game, ask.now) }),
        "/operator/accounts" => match lists::accounts(&game.store) {
            Ok(accounts) => page(&AccountsPage { frame, accounts }),
            Err(error) => trouble(frame, &error),
        },
        "/operator/bans" => match lists::bans(&game.store, ask.now) {
            Ok(bans) => page(&BansPage { frame, rows: bans.into_iter().map(ban_row).collect() }),
            Err(error) => trouble(frame, &error),
        },
        "/operator/message" => match game.store.operator().message() {
            Ok(text) => page(&MessagePage { frame, text }),
            Err(error) => trouble(frame, &error),
        },
        "/operator/log" => page(&LogPage { frame, lines: log_lines() }),
        "/operator/backup" => page(&BackupPage { frame }),
        "/operator/catalog" => page(&catalog_page(game, frame)),
        "/operator/update" => page(&UpdatePage {
            frame,
            board: appliance.map(|appliance| appliance.board.as_str()),
            slot: appliance.and_then(|_| disk::running().ok()).map(|(_, slot)| slot),
            staged: appliance::is_staged(&game.data),
            last: appliance.map(Appliance::last_update).unwrap_or_default(),
        }),
        "/operator/health" => page(&HealthPage {
            frame,
            facts: facts(game, vitals, ask.now),
            warnings: health::of(game, ask.now),
        }),
        _ => {
            let (heading, text) = ("Not found", "There is no page at this address.");
            page(&Said { frame, heading, text, reload: false }).with_status(404)
        }
    }
}

fn catalog_page<'a>(game: &Game, frame: Frame<'a>) -> CatalogPage<'a> {
    let missing = game.catalog.missing();
    let Some((origin, summary)) = game.catalog.imported() else {
        let counts = vec![
            ("cars for sale", game.catalog.cars().len()),
            ("of which every part is known", game.catalog.complete_cars()),
        ];
        return CatalogPage { frame, facts: Vec::new(), counts, unusual: Vec::new(), missing };
    };
    let facts = vec![
        ("File", origin.file.clone()),
        ("Size", format!("{} KiB", origin.bytes.div_ceil(1024))),
        ("Format", format!("Jet {}", origin.jet)),
        ("Imported", moment(origin.imported)),
        ("SHA-256", origin.hash()),
    ];
    CatalogPage { frame, facts, counts: summary.counts, unusual: summary.unusual, missing }
}

fn trouble(frame: Frame<'_>, error: &StoreError) -> Reply {
    let text = error.to_string();
    page(&Said { frame, heading: "That did not work", text: &text, reload: false }).with_status(500)
}

fn ban_row(entry: BanEntry) -> BanRow {
    let ban = entry.ban;
    let (who, field, value) = match ban.target {
        BanTarget::Account(customer) => {
            let name = entry.account.unwrap_or_else(|| format!("customer {customer}"));
            (format!("account {name}"), "customer", customer.to_string())
        }
        BanTarget::Address(address) if address.is_ipv6() => {
            (format!("network {address}/64"), "address", address.to_string())
        }
        BanTarget::Address(address) => (format!("address {address}"), "address", address.to_string()),
    };
    let end = match ban.until {
        None => "never".to_owned(),
        Some(until) if entry.counts => moment(until),
        Some(_) => "is over".to_owned(),
    };
    BanRow { who, field, value, reason: ban.reason, since: moment(ban.since), end }
}

/// The newest first.
fn log_lines() -> Vec<LogLine> {
    let lines = log_ring::recent().into_iter().rev();
    lines
        .map(|line| LogLine {
            at: moment(line.at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())),
            level: line.level.as_str(),
            text: line.text,
        })
        .collect()
}

/// How many kinds of unusual messages the page names.
const MOST_UNUSUAL: usize = 10;

const fn said(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Answered => "answered",
        Verdict::Refused => "refused",
        Verdict::NotAllowed => "not allowed",
        Verdict::Malformed => "could not be read",
        Verdict::Unknown => "not known",
        Verdict::Failed => "failed",
    }
}

fn facts(game: &Game, vitals: &Vitals, now: Now) -> Vec<(&'static str, String)> {
    let kib = |bytes: u64| format!("{} KiB", bytes.div_ceil(1024));
    let or_unknown = |fact: Option<String>| fact.unwrap_or_else(|| "unknown".to_owned());
    let mut facts = vec![
        ("Version", env!("CARGO_PKG_VERSION").to_owned()),
        ("Running for", span(vitals.uptime)),
        ("Players in the game", game.world.population(now).to_string()),
        ("Connections", format!("{} of at most {}", vitals.connections, game.config.limits.connections)),
        ("Catalogue", catalog_fact(game)),
        ("Memory", or_unknown(vitals.memory.map(kib))),
        ("Database on the card", or_unknown(game.store.size_on_disk().ok().map(kib))),
        (
            "Last change made safe",
            game.store.last_commit().map_or_else(|| "none since the start".to_owned(), moment),
        ),
        (
            "Certificate for",
            if vitals.certificate_names.is_empty() {
                "nothing".to_owned()
            } else {
                vitals.certificate_names.join(", ")
            },
        ),
    ];
    let answered = format!("{} answered", vitals.messages_answered);
    let unusual = vitals.messages_unusual.iter().take(MOST_UNUSUAL);
    let unusual = unusual.map(|(message, verdict, count)| format!("{count} x {message} {}", said(*verdict)));
    facts.push((
        "Messages of the game",
        std::iter::once(answered).chain(unusual).collect::<Vec<_>>().join("; "),
    ));
    facts
}

/// Which catalogue it is, and what importing another would add.
fn catalog_fact(game: &Game) -> String {
    match (game.catalog.origin(), game.catalog.missing()) {
        (Some(origin), _) => format!("imported from {}, SHA-256 {}", origin.file, origin.hash()),
        (None, Some(missing)) => {
            format!("built in; importing your own copy of the game (page Catalogue) adds {missing}")
        }
        (None, None) => "built in".to_owned(),
    }
}
