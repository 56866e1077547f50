//! The API: what the pages show, as JSON, for programs. It only reads. `docs/openapi.json` describes it, and a test holds that against
//! the answers.

use super::{boards, clubs, decoded, live, nights, players, races, records, seasons};
use crate::store::StoreError;
use crate::web::deals;
use crate::web::fields::Fields;
use crate::web::layout::Window;
use crate::web::page::{CachePolicy, PageRequest, PageResponse, Site};
use crate::world::Token;
use hyper::header::{ALLOW, ETAG, WWW_AUTHENTICATE};
use mco_proto::ids::RaceId;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

const TYPE: &str = "application/json";

/// The description of the API.
const DESCRIPTION: &str = include_str!("../../../docs/openapi.json");

/// A page of a list.
#[derive(Serialize)]
struct Listed<T> {
    page: usize,
    pages: usize,
    total: usize,
    rows: Vec<T>,
}

impl<T> Listed<T> {
    fn of(query: &Fields, all: Vec<T>) -> Self {
        let window = Window::of(query.text("page"), all.len());
        Self::window(window, window.cut(all))
    }

    fn window(window: Window, rows: Vec<T>) -> Self {
        let Window { page, pages, total } = window;
        Self { page, pages, total, rows }
    }
}

/// A piece of a list that has no numbered pages, because others come and go in between.
#[derive(Serialize)]
struct Piece<T> {
    /// How many there are in all.
    total: u32,
    /// What to send as `from` for the next piece.
    next: Option<String>,
    rows: Vec<T>,
}

impl<T> Piece<T> {
    fn of((rows, next, total): (Vec<T>, Option<String>, u32)) -> Self {
        Self { total, next, rows }
    }
}

/// What the server says of itself.
#[derive(Serialize)]
struct Status<'a> {
    shard: &'a str,
    description: &'a str,
    version: &'static str,
    online: usize,
    players: usize,
    races_kept: usize,
}

/// A race with its runs.
#[derive(Serialize)]
struct RaceView {
    id: u32,
    runs: Vec<races::RunView>,
}

/// What went wrong, in words.
#[derive(Serialize)]
struct Problem<'a> {
    error: &'a str,
}

/// An answer of the API to `path`, which stands behind `/api`; `None` if there is nothing.
pub(super) fn read(
    site: &Site<'_>,
    request: &PageRequest<'_>,
    path: &str,
    query: &Fields,
) -> Option<PageResponse> {
    let settings = &site.game.config.api;
    if !settings.enabled {
        return Some(problem(404, "the API is switched off: api.enabled in mcos.toml"));
    }
    if !settings.token.is_empty() {
        let given = request.authorization.strip_prefix("Bearer ").unwrap_or_default();
        if !Token::same(given, &settings.token) {
            let answer = problem(401, "send the token of this server as Authorization: Bearer TOKEN");
            return Some(answer.with_header(WWW_AUTHENTICATE, "Bearer"));
        }
    }
    let below = path.strip_prefix("/v1/")?;
    let answer = answer(site, query, below);
    Some(match answer {
        Ok(Some(text)) => tagged(request, text),
        Ok(None) => problem(404, "there is nothing here"),
        Err(error) => {
            log::error!("http: the API cannot answer: {error}");
            problem(503, "the server cannot read this at the moment; its log says why")
        }
    })
}

fn answer(site: &Site<'_>, query: &Fields, path: &str) -> Result<Option<String>, StoreError> {
    let (first, rest) =
        path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(decoded(rest))));
    Ok(match (first, rest) {
        ("openapi.json", None) => Some(DESCRIPTION.to_owned()),
        ("status", None) => json(&status(site)?),
        ("players", None) => json(&Listed::of(query, players::rows(site, &players::Wish::of(query))?)),
        ("players", Some(name)) => players::view(site, &name)?.and_then(|view| json(&view)),
        ("races", None) => {
            let (window, rows) = races::rows(site, query.text("page"))?;
            json(&Listed::window(window, rows))
        }
        ("races", Some(id)) => match id.parse() {
            Ok(id) => {
                let runs = races::view(site, RaceId(id))?;
                if runs.is_empty() { None } else { json(&RaceView { id, runs }) }
            }
            Err(_) => None,
        },
        ("records", None) => json(&Listed::of(query, records::rows(site, query)?)),
        ("boards", None) => {
            let (window, rows) = boards::rows(site, query)?;
            json(&Listed::window(window, rows))
        }
        ("live", None) => json(&live::view(site)),
        ("clubs", None) => json(&Listed::of(query, clubs::rows(site)?)),
        ("clubs", Some(acronym)) => clubs::view(site, &acronym)?.and_then(|view| json(&view)),
        ("turfs", None) => json(&Listed::of(query, clubs::turfs(site)?)),
        ("events", None) => json(&Listed::of(query, nights::rows(site)?)),
        ("events", Some(id)) => nights::view(site, &id)?.and_then(|view| json(&view)),
        ("seasons", None) => json(&Listed::of(query, seasons::season_rows(site)?)),
        ("rewards", None) => json(&Listed::of(query, nights::reward_weeks(site)?)),
        ("market", None) => json(&Piece::of(deals::ads_listed(site, query)?)),
        ("auctions", None) => json(&Piece::of(deals::auctions_listed(site, query)?)),
        _ => None,
    })
}

fn status<'a>(site: &Site<'a>) -> Result<Status<'a>, StoreError> {
    let game = site.game;
    Ok(Status {
        shard: &game.config.shard.name,
        description: &game.config.shard.description,
        version: env!("CARGO_PKG_VERSION"),
        online: game.world.population(site.now),
        players: game.store.personas().count()?,
        races_kept: game.store.results().numbers()?.len(),
    })
}

/// Numbers and texts without anything that JSON cannot say, so this does not fail.
fn json(value: &impl Serialize) -> Option<String> {
    serde_json::to_string(value).inspect_err(|error| log::error!("http: {error}")).ok()
}

/// The answer with a tag by which a program knows whether it has it already.
fn tagged(request: &PageRequest<'_>, text: String) -> PageResponse {
    let hash = Sha256::digest(text.as_bytes());
    let short: u64 = hash.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
    let tag = format!("\"{short:016x}\"");
    let known = request.known.split(',').map(|known| known.trim().trim_start_matches("W/"));
    let has = known.into_iter().any(|known| known == tag || known == "*");
    let answer = if has { of_json(304, String::new()) } else { of_json(200, text) };
    answer.with_header(ETAG, tag)
}

fn problem(status: u16, error: &str) -> PageResponse {
    of_json(status, json(&Problem { error }).unwrap_or_default())
}

/// The answer to whoever wants to change something.
pub(in crate::web) fn only_reads() -> PageResponse {
    problem(405, "this API only reads").with_header(ALLOW, "GET, HEAD")
}

fn of_json(status: u16, text: String) -> PageResponse {
    let answer =
        PageResponse { content_type: TYPE, cache: CachePolicy::Revalidate, ..PageResponse::text(text) };
    answer.with_status(status)
}
