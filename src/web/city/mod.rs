//! The city as everybody may see it: players, races, records, leader boards, who is there now, clubs, turfs, race nights,
//! and the news. Pages and the API show
//! the same rows. What a persona has in the bank is in none of them: that is its player's alone.

mod api;
mod boards;
mod calendar;
mod clubs;
mod live;
mod news;
mod nights;
mod pictures;
mod players;
mod plots;
mod races;
mod records;
mod seasons;

pub(super) use api::only_reads;
pub(super) use clubs::link as club_link;
pub(super) use nights::ticker;

use super::fields::Fields;
use super::page::{PageRequest, PageResponse, Site, unreadable};
use percent_encoding::percent_decode_str;

/// Whether a path belongs to these pages.
pub(super) fn is_here(path: &str) -> bool {
    let first = path.strip_prefix('/').and_then(|path| path.split('/').next());
    let pages = [
        "players", "races", "records", "boards", "live", "news", "api", "clubs", "turfs", "events",
        "seasons", "rewards",
    ];
    let files = ["events.ics", "logo.svg", "badge.svg", "plot.svg"];
    first.is_some_and(|first| pages.contains(&first) || files.contains(&first))
}

/// Whether a path belongs to the API.
pub(super) fn is_api(path: &str) -> bool {
    path.strip_prefix("/api").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A page of the city, or an answer of the API; `None` if there is none at this path.
pub(super) fn read(site: &Site<'_>, request: &PageRequest<'_>) -> Option<PageResponse> {
    let query = Fields::urlencoded(request.query.as_bytes());
    if let Some(path) = request.path.strip_prefix("/api") {
        return api::read(site, request, path, &query);
    }
    let mut parts = request.path.splitn(3, '/').skip(1);
    let (first, rest) = (parts.next()?, parts.next().map(decoded));
    let answer = match (first, rest.as_deref()) {
        ("players", None) => players::list(site, &query),
        ("players", Some(name)) => players::one(site, name),
        ("races", None) => races::list(site, &query),
        ("races", Some(id)) => races::one(site, request, id),
        ("records", None) => records::list(site, &query),
        ("boards", None) => boards::list(site, &query),
        ("live", None) => live::page(site, &query),
        ("news", None) => news::page(site),
        ("clubs", None) => clubs::list(site, &query),
        ("clubs", Some(acronym)) => clubs::one(site, acronym),
        ("turfs", None) => clubs::turfs_page(site),
        ("events", None) => nights::list(site, request, &query),
        ("events", Some(id)) => nights::one(site, id, &query),
        ("events.ics", None) => calendar::file(site),
        ("seasons", None) => seasons::seasons(site),
        ("seasons", Some(id)) => seasons::season(site, id),
        ("rewards", None) => nights::rewards(site, &query),
        ("logo.svg", None) => pictures::logo(site, &query).transpose()?,
        ("plot.svg", None) => plots::picture(site, &query).transpose()?,
        ("badge.svg", None) => return pictures::badge(&query),
        _ => return None,
    };
    Some(answer.unwrap_or_else(|error| unreadable(site, &error)))
}

/// A piece of a path as text.
fn decoded(piece: &str) -> String {
    percent_decode_str(piece).decode_utf8_lossy().into_owned()
}
