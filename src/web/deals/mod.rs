//! Deals between players: auctions and the market, which everybody sees, and trades, which only their two sides see. Who takes part is
//! signed in.

mod auctions;
mod frame;
mod goods;
mod market;
mod trades;

pub(super) use auctions::listed as auctions_listed;
pub(super) use goods::{choices, parse as read_goods, player, value as goods_value};
pub(super) use market::listed as ads_listed;

use super::fields::Fields;
use super::layout::{Page, Section};
use super::page::{PageRequest, PageResponse, Site, message, unreadable};
use super::visit::{Action, Done, Visit};
use crate::store::StoreError;
use frame::Party;

/// Whether a path belongs to these pages.
pub(super) fn is_here(path: &str) -> bool {
    let first = path.strip_prefix('/').and_then(|path| path.split('/').next());
    matches!(first, Some("market" | "auctions" | "trades"))
}

/// A page; `None` if there is none at this path.
pub(super) fn read(site: &Site<'_>, request: &PageRequest<'_>) -> Option<PageResponse> {
    let query = Fields::urlencoded(request.query.as_bytes());
    let visit = Visit::of(site, request);
    let (section, rest) = parts(request.path)?;
    let number = match rest {
        None => None,
        Some(rest) => Some(rest.parse::<u32>().ok()?),
    };
    let who = match &visit {
        None if section == "trades" => return Some(PageResponse::go_to("/me/sign-in")),
        None => None,
        Some(visit) => match visit.persona(query.text("persona")) {
            Some(persona) => Some(Party::new(visit, persona)),
            None if section == "trades" => return Some(no_driver(site)),
            None => None,
        },
    };
    let answer = match (section, number, &who) {
        ("market", None, who) => market::list(site, who.as_ref(), &query),
        ("market", Some(number), who) => market::one(site, who.as_ref(), number),
        ("auctions", None, who) => auctions::list(site, who.as_ref(), &query),
        ("auctions", Some(number), who) => auctions::one(site, who.as_ref(), number),
        ("trades", None, Some(who)) => trades::list(site, who),
        ("trades", Some(number), Some(who)) => trades::one(site, who, number),
        _ => return None,
    };
    Some(answer.unwrap_or_else(|error| unreadable(site, &error)).not_stored())
}

/// The forms of these pages, by where they are sent to.
pub(super) const FORMS: [(&str, Action); 11] = [
    ("/auctions/open", auctions::open),
    ("/auctions/bid", auctions::bid),
    ("/auctions/cancel", auctions::cancel),
    ("/market/place", market::place),
    ("/market/buy", market::buy),
    ("/market/withdraw", market::withdraw),
    ("/trades/open", trades::open),
    ("/trades/offer", trades::offer),
    ("/trades/accept", trades::accept),
    ("/trades/leave", trades::leave),
    ("/trades/mute", trades::mute),
];

/// Answers a form.
pub(super) fn submit(site: &Site<'_>, request: &PageRequest<'_>, form: &Fields) -> PageResponse {
    let Some(visit) = Visit::of(site, request) else { return PageResponse::go_to("/me/sign-in") };
    let Some((_, act)) = FORMS.iter().find(|(path, _)| *path == request.path) else {
        return super::not_found(site);
    };
    visit.answer(request, form, |about, form| {
        let (path, outcome) = act(about, form);
        (format!("{path}?persona={}", about.persona.id), outcome)
    })
}

/// The name of the pages in a path, and what stands behind it.
fn parts(path: &str) -> Option<(&str, Option<&str>)> {
    let path = path.strip_prefix('/')?;
    Some(path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest))))
}

/// A number in a form; 0, which is the number of nothing, if there is none.
fn number(text: &str) -> u32 {
    text.trim().parse().unwrap_or_default()
}

/// Dollars in a form: whole ones, perhaps with a sign and commas.
fn dollars(text: &str) -> Result<u32, String> {
    let digits: String =
        text.trim().trim_start_matches('$').chars().filter(|letter| *letter != ',').collect();
    let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    let parsed = if plain { digits.parse().ok() } else { None };
    parsed.ok_or_else(|| "Enter whole dollars, for example 1500. Nothing was changed.".to_owned())
}

fn no_driver(site: &Site<'_>) -> PageResponse {
    let text = "Choose one of your drivers on the page My drivers. A driver is made in the game.";
    message(site, 404, "Not one of your drivers", text).not_stored()
}

/// The answer to a question about a deal that is not there.
fn no_deal(site: &Site<'_>, who: Option<&Party<'_>>) -> Result<PageResponse, StoreError> {
    let intro = vec!["This deal is over, or it never was.".to_owned()];
    let ways = [("Market", "/market"), ("Auctions", "/auctions")];
    let ways = ways.map(|(name, path)| (name.to_owned(), frame::link(who, path), false));
    let sections = vec![Section { choices: vec![ways.into()], ..Section::default() }];
    let page = Page { title: "Not there any more".to_owned(), intro, sections, ..Page::default() };
    Ok(frame::finish(site, who, &page, Vec::new())?.with_status(404))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_whole_and_not_negative() {
        for (text, sum) in [("1500", 1500), (" $1,500 ", 1500), ("4294967295", u32::MAX), ("0", 0)] {
            assert_eq!(dollars(text), Ok(sum), "{text}");
        }
        for text in ["", "-5", "+5", "1.5", "1e9", "4294967296", "99999999999999999999", "five", "$", "$$-5"]
        {
            assert!(dollars(text).is_err(), "{text}");
        }
    }
}
