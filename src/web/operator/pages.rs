//! The Operator's pages as HTML.

use super::page_forms;
use super::plots::{self, Picture};
use super::request::{OperatorRequest, OperatorResponse, ServerFigures};
use crate::admin::health;
use crate::admin::history::History;
use crate::admin::lists;
use crate::admin::machine::Machine;
use crate::admin::online::{self, Player};
use crate::admin::requests::{AccountEntry, BanEntry};
use crate::appliance::{self, Appliance, Slot, disk};
use crate::catalog::file as catalog_file;
use crate::catalog::import::Summary;
use crate::clock::{Now, Zone, span};
use crate::log_ring;
use crate::services::{Game, Verdict};
use crate::store::{
    BanTarget, MAX_PATCH_FILE, MAX_PATCH_FILES, MAX_PATCH_IN_BACKUP, MAX_PATCH_SET, PatchError, PatchFile,
    PatchSet,
};
use crate::web::forms::{FormView, show_again};
use crate::web::layout::Page;
use crate::world::{Notice, Token};
use askama::Template;
use std::time::UNIX_EPOCH;

/// The parts that all pages have.
pub(super) struct Frame<'a> {
    pub(super) shard: &'a str,
    pub(super) version: &'static str,
    /// The token of all forms; empty where nobody is signed in.
    pub(super) form: &'a str,
    pub(super) notice: Option<Notice>,
    /// The time zone of all moments.
    pub(super) zone: String,
}

pub(super) fn frame<'a>(game: &'a Game, form: &'a str, notice: Option<Notice>) -> Frame<'a> {
    let zone = game.zone().title();
    Frame { shard: &game.config.shard.name, version: env!("CARGO_PKG_VERSION"), form, notice, zone }
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
    on_box: bool,
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
    forms: [FormView; 1],
}

#[derive(Template)]
#[template(path = "operator/bans.html")]
struct BansPage<'a> {
    frame: Frame<'a>,
    rows: Vec<BanRow>,
    forms: [FormView; 1],
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
    forms: [FormView; 1],
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
#[template(path = "operator/catalog.html")]
struct CatalogPage<'a> {
    frame: Frame<'a>,
    /// The facts about the imported file; empty for the built-in catalogue.
    facts: Vec<(&'static str, String)>,
    counts: Vec<(&'static str, usize)>,
    unusual: Vec<String>,
    /// The number of cars and parts that an import would add, in words.
    missing: Option<String>,
    waiting: Option<WaitingCatalog>,
}

/// A catalogue that was read and is not in use yet.
struct WaitingCatalog {
    file: String,
    /// SHA-256 of the file, which the forms carry: what is put in use is what was shown.
    hash: String,
    /// How many of each thing are in it, and in the catalogue in use.
    counts: Vec<(&'static str, usize, String)>,
    unusual: Vec<String>,
}

#[derive(Template)]
#[template(path = "operator/patch.html")]
struct PatchPage<'a> {
    frame: Frame<'a>,
    files: Vec<PatchRow>,
    forms: [FormView; 1],
    most_files: usize,
    /// In MiB, as the next two.
    most_each: u64,
    most_all: u64,
    most_in_backup: u64,
}

struct PatchRow {
    file: PatchFile,
    added: String,
    /// Whether its content is there.
    there: bool,
}

#[derive(Template)]
#[template(path = "operator/update.html")]
struct UpdatePage<'a> {
    frame: Frame<'a>,
    /// The kind of board, if the server runs on a box.
    board: Option<&'a str>,
    slot: Option<Slot>,
    /// Whether an update is about to be installed.
    staged: bool,
    /// The result of the last update, in lines.
    last: Vec<String>,
}

#[derive(Template)]
#[template(path = "operator/health.html")]
struct HealthPage<'a> {
    frame: Frame<'a>,
    facts: Vec<(&'static str, String)>,
    warnings: Vec<String>,
    pictures: Vec<Picture>,
}

#[derive(Template)]
#[template(path = "operator/text.html")]
struct TextPage<'a> {
    frame: Frame<'a>,
    heading: &'a str,
    text: &'a str,
    reload: bool,
}

/// A page of sections and forms.
#[derive(Template)]
#[template(path = "operator/content.html")]
struct ContentPage<'a> {
    frame: Frame<'a>,
    page: Page,
    forms: Vec<FormView>,
}

/// A page of sections and forms. What was typed into a form that was refused stands in it.
pub(super) fn content(frame: Frame<'_>, content: Page, forms: Vec<FormView>) -> OperatorResponse {
    let mut forms = forms;
    show_again(&mut forms, frame.notice.as_ref());
    page(&ContentPage { frame, page: content, forms })
}

pub(super) fn page(template: &impl Template) -> OperatorResponse {
    match template.render() {
        Ok(text) => OperatorResponse::page(text),
        Err(error) => {
            log::error!("operator: a page cannot be written: {error}");
            OperatorResponse::page("The server could not make this page. Its log says why.".to_owned())
                .with_status(500)
        }
    }
}

/// The page for connections without TLS or with an old version of it; `link` leads to the right address.
pub fn refusal(shard: &str, link: Option<&str>) -> OperatorResponse {
    page(&Refusal { shard, link }).with_status(403)
}

pub(super) fn login(game: &Game, token: &str, on_box: bool, problem: Option<&str>) -> OperatorResponse {
    page(&Login { frame: frame(game, "", None), token, on_box, problem })
}

pub(super) fn first_visit(game: &Game, token: &str, near: bool, problem: Option<&str>) -> OperatorResponse {
    page(&FirstVisit { frame: frame(game, "", None), token, near, problem })
}

/// The answer to a form that is not done, with a heading and why.
pub(super) fn not_done(game: &Game, token: &str, status: u16, heading: &str, text: &str) -> OperatorResponse {
    page(&TextPage { frame: frame(game, token, None), heading, text, reload: false }).with_status(status)
}

pub(super) fn restarting(game: &Game) -> OperatorResponse {
    let text = "All players are disconnected; they can sign in again in a few seconds. This page reloads by itself when the server is back. Then sign in again.";
    page(&TextPage { frame: frame(game, "", None), heading: "The server restarts", text, reload: true })
}

pub(super) fn store_failed(game: &Game) -> OperatorResponse {
    let text = "The server cannot read its data. Its log says why.";
    let frame = frame(game, "", None);
    page(&TextPage { frame, heading: "An error occurred", text, reload: false }).with_status(500)
}

/// A text that begins with a capital letter.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    first + letters.as_str()
}

/// A message of the program as a sentence: it begins with a capital letter and ends with a full stop.
pub(super) fn sentence(message: &impl ToString) -> String {
    let message = message.to_string();
    let end = if message.ends_with(['.', '!', '?']) { "" } else { "." };
    capital(&message) + end
}

/// Why a file was refused.
pub(super) fn nothing_changed(why: &str) -> String {
    format!("Nothing was changed. {}", sentence(&why))
}

/// A page for a session. `forms` is the token of its forms.
pub(super) fn read(
    game: &Game,
    (figures, kept): (&ServerFigures, &History),
    appliance: Option<&Appliance>,
    request: &OperatorRequest<'_>,
    forms: &Token,
    notice: Option<Notice>,
) -> OperatorResponse {
    let frame = frame(game, forms.as_str(), notice);
    match request.path {
        "/operator" => page(&Online { frame, players: online::players(game, request.now) }),
        "/operator/accounts" => match lists::accounts(&game.store) {
            Ok(accounts) => {
                let forms = filled(page_forms::new_account(), &frame);
                page(&AccountsPage { frame, accounts, forms })
            }
            Err(error) => trouble(frame, &error),
        },
        "/operator/bans" => match lists::bans(&game.store, request.now) {
            Ok(bans) => {
                let forms = filled(page_forms::new_ban(), &frame);
                page(&BansPage {
                    frame,
                    rows: bans.into_iter().map(|ban| ban_row(game.zone(), ban)).collect(),
                    forms,
                })
            }
            Err(error) => trouble(frame, &error),
        },
        "/operator/message" => match game.store.operator().message() {
            Ok(text) => {
                let forms = filled(page_forms::new_message(&text), &frame);
                page(&MessagePage { frame, forms })
            }
            Err(error) => trouble(frame, &error),
        },
        "/operator/log" => page(&LogPage { frame, lines: log_lines(game.zone()) }),
        "/operator/patch" => match patch_rows(game) {
            Ok(files) => page(&PatchPage {
                forms: filled(page_forms::new_patch(), &frame),
                frame,
                files,
                most_files: MAX_PATCH_FILES,
                most_each: MAX_PATCH_FILE >> 20,
                most_all: MAX_PATCH_SET >> 20,
                most_in_backup: MAX_PATCH_IN_BACKUP >> 20,
            }),
            Err(error) => trouble(frame, &error),
        },
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
            facts: facts(game, figures, request.now),
            pictures: plots::pictures(kept),
            warnings: health::of(game, request.now).iter().map(sentence).collect(),
        }),
        _ => {
            let (heading, text) = ("Not found", "There is no page at this address.");
            page(&TextPage { frame, heading, text, reload: false }).with_status(404)
        }
    }
}

/// A form, with what was typed if it was refused.
fn filled(form: FormView, frame: &Frame<'_>) -> [FormView; 1] {
    let mut forms = [form];
    show_again(&mut forms, frame.notice.as_ref());
    forms
}

fn catalog_page<'a>(game: &Game, frame: Frame<'a>) -> CatalogPage<'a> {
    let missing = game.catalog.missing();
    let in_use = game.catalog.imported();
    let waiting = waiting_catalog(game, in_use.as_ref().map(|(_, summary)| summary));
    let Some((origin, summary)) = in_use else {
        let counts = vec![
            ("cars for sale", game.catalog.cars().len()),
            ("of them with the parts that the game gives them", game.catalog.complete_cars()),
        ];
        return CatalogPage { frame, facts: Vec::new(), counts, unusual: Vec::new(), missing, waiting };
    };
    let facts = vec![
        ("File", origin.file.clone()),
        ("Size", format!("{} KiB", origin.bytes.div_ceil(1024))),
        ("Format", format!("Jet {}", origin.jet)),
        ("Imported", game.zone().moment(origin.imported)),
        ("SHA-256", origin.hash()),
    ];
    CatalogPage { frame, facts, counts: summary.counts, unusual: summary.unusual, missing, waiting }
}

/// The catalogue that waits to be put in use. One that cannot be read is as good as none.
fn waiting_catalog(game: &Game, in_use: Option<&Summary>) -> Option<WaitingCatalog> {
    let imported = catalog_file::load_waiting(&game.data).unwrap_or_else(|error| {
        log::warn!("operator: the catalogue that waits cannot be read: {error}");
        None
    })?;
    let Summary { counts, unusual } = Summary::of(&imported);
    let now = |what| match in_use {
        Some(summary) => summary.counts.iter().find(|(known, _)| *known == what).map(|(_, count)| *count),
        None if what == "cars for sale" => Some(game.catalog.cars().len()),
        None => None,
    };
    let counts = counts
        .into_iter()
        .map(|(what, count)| (what, count, now(what).map_or_else(String::new, |count| count.to_string())))
        .collect();
    let hash = imported.origin.hash();
    Some(WaitingCatalog { file: imported.origin.file, hash, counts, unusual })
}

fn patch_rows(game: &Game) -> Result<Vec<PatchRow>, PatchError> {
    let set = PatchSet::of(&game.data);
    let row = |file: PatchFile| PatchRow {
        added: game.zone().moment(file.added),
        there: set.open(&file).is_ok(),
        file,
    };
    Ok(set.list()?.into_iter().map(row).collect())
}

pub(super) fn trouble(frame: Frame<'_>, error: &impl ToString) -> OperatorResponse {
    let text = sentence(error);
    page(&TextPage { frame, heading: "An error occurred", text: &text, reload: false }).with_status(500)
}

fn ban_row(zone: &Zone, entry: BanEntry) -> BanRow {
    let ban = entry.ban;
    let (who, field, value) = match ban.target {
        BanTarget::Account(customer) => {
            let name = entry.account.unwrap_or_else(|| format!("number {customer}"));
            (format!("account {name}"), "customer", customer.to_string())
        }
        BanTarget::Address(address) if address.is_ipv6() => {
            (format!("network {address}/64"), "address", address.to_string())
        }
        BanTarget::Address(address) => (format!("address {address}"), "address", address.to_string()),
    };
    let end = match ban.until {
        None => "never".to_owned(),
        Some(until) if entry.counts => zone.moment(until),
        Some(_) => "ended".to_owned(),
    };
    BanRow { who, field, value, reason: ban.reason, since: zone.moment(ban.since), end }
}

/// The last lines of the log, the newest first.
fn log_lines(zone: &Zone) -> Vec<LogLine> {
    let lines = log_ring::recent().into_iter().rev();
    lines
        .map(|line| LogLine {
            at: zone.moment(line.at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())),
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

fn facts(game: &Game, figures: &ServerFigures, now: Now) -> Vec<(&'static str, String)> {
    let kib = |bytes: u64| format!("{} KiB", bytes.div_ceil(1024));
    let or_unknown = |fact: Option<String>| fact.unwrap_or_else(|| "unknown".to_owned());
    let mut facts = vec![
        ("Version", env!("CARGO_PKG_VERSION").to_owned()),
        ("Running for", span(figures.uptime)),
        ("Players online", game.world.population(now).to_string()),
        ("Connections", format!("{} of at most {}", figures.connections, game.config.limits.connections)),
        ("Catalogue", catalog_fact(game)),
        ("Memory", or_unknown(figures.memory.map(kib))),
        (
            "Processor",
            or_unknown(Machine::here().temperature.map(|degrees| format!("{degrees} degrees Celsius"))),
        ),
        ("Database size", or_unknown(game.store.size_on_disk().ok().map(kib))),
        (
            "Last change saved",
            game.store
                .last_commit()
                .map_or_else(|| "none since the start".to_owned(), |at| game.zone().moment(at)),
        ),
        (
            "Time to save a change",
            figures.saving.clone().unwrap_or_else(|| "no player changed anything since the start".to_owned()),
        ),
        (
            "Certificate is valid for",
            if figures.certificate_names.is_empty() {
                "nothing".to_owned()
            } else {
                figures.certificate_names.join(", ")
            },
        ),
    ];
    let answered = format!("{} answered", figures.messages_answered);
    let unusual = figures.messages_unusual.iter().take(MOST_UNUSUAL);
    let unusual = unusual.map(|(message, verdict, count)| format!("{count} x {message} {}", said(*verdict)));
    facts.push((
        "Messages of the game",
        std::iter::once(answered).chain(unusual).collect::<Vec<_>>().join("; "),
    ));
    facts
}

/// The catalogue in use, and what an import would add to it.
fn catalog_fact(game: &Game) -> String {
    match (game.catalog.origin(), game.catalog.missing()) {
        (Some(origin), _) => format!("imported from {}, SHA-256 {}", origin.file, origin.hash()),
        (None, Some(missing)) => {
            format!(
                "built in; importing Online.mdb from your own copy of the game (page Catalogue) adds {missing}"
            )
        }
        (None, None) => "built in".to_owned(),
    }
}
