//! Pages that the game itself opens: numbered pages, the news ticker, and help with a forgotten password.

use super::account;
use super::city;
use super::page::{Frame, PageRequest, PageResponse, Site, page};
use crate::config::Choice as _;
use askama::Template;
use mco_proto::windows_1252;

#[derive(Template)]
#[template(path = "game_page.html")]
struct GamePage<'a> {
    frame: Frame<'a>,
    heading: String,
    number: u32,
    players: usize,
}

/// One of the pages whose addresses MCOTS hands out, by its number; `None` for a number it does not hand out.
pub(super) fn numbered(site: &Site<'_>, request: &PageRequest<'_>) -> Option<PageResponse> {
    let asked = request.query.split('&').find_map(|pair| pair.strip_prefix("id="));
    let number: u32 = asked?.parse().ok()?;
    site.game.catalog.game_pages().find(|(id, _)| *id == number)?;
    if site.game.world.game_pages.visit(number) {
        log::info!("http: the game of {} has opened page {number} for the first time", request.peer);
    }
    if let Some(page) = site.game.game_page(number) {
        return Some(PageResponse::go_to(page.word()));
    }
    let heading = format!("Page {number} of the game");
    Some(page(&GamePage {
        frame: Frame::of(site),
        heading,
        number,
        players: site.game.world.population(site.now),
    }))
}

/// The text of the game's news ticker: the Operator's message of the day, or `shard.ticker`, or a default text; and below it the next race
/// night, if it begins within a day or runs.
///
/// Its form is a line with a colour, and lines of text behind two tabs (*seen in use*), in Windows-1252: the game reads it, no browser.
pub(super) fn ticker(site: &Site<'_>) -> PageResponse {
    let shard = &site.game.config.shard;
    let message = site.game.store.operator().message().unwrap_or_else(|error| {
        log::error!("http: cannot read the message of the day: {error}");
        String::new()
    });
    let news = if !message.is_empty() {
        message
    } else if shard.ticker.is_empty() {
        let players = match site.game.world.population(site.now) {
            1 => "1 player is".to_owned(),
            players => format!("{players} players are"),
        };
        format!("Welcome to {}! {players} online.", shard.name)
    } else {
        shard.ticker.clone()
    };
    let night = city::ticker(site).unwrap_or_else(|error| {
        log::error!("http: cannot read the race nights: {error}");
        None
    });
    let night = night.map_or_else(String::new, |night| format!("\n\t\t{night}"));
    let ticker = windows_1252::encode(&format!("/color=0xFFFF00\n\t\t{news}{night}"));
    PageResponse { body: ticker, ..PageResponse::text(String::new()) }
}

/// The page that the game opens for a forgotten password.
pub(super) fn password_help(site: &Site<'_>) -> PageResponse {
    account::blank_change(site)
}
