//! What the game itself opens: its numbered pages, the news ticker, and help with a forgotten password.

use super::{Answer, Frame, Site, Visit, account, page};
use askama::Template;

#[derive(Template)]
#[template(path = "game_page.html")]
struct GamePage<'a> {
    frame: Frame<'a>,
    heading: String,
    number: u32,
    players: usize,
}

/// One of the pages whose addresses MCOTS hands out, by its number; `None` for a number it does not hand out.
pub(super) fn numbered(site: &Site<'_>, visit: &Visit<'_>) -> Option<Answer> {
    let asked = visit.query.split('&').find_map(|pair| pair.strip_prefix("id="));
    let number: u32 = asked?.parse().ok()?;
    site.game.catalog.game_pages().find(|(id, _)| *id == number)?;
    let heading = format!("Page {number} of the game");
    Some(page(&GamePage {
        frame: Frame::of(site),
        heading,
        number,
        players: site.game.world.population(site.now),
    }))
}

/// The Operator's message of the day, or what the configuration says, or something of our own.
///
/// The text that crawls through the game: a line with a colour, and lines of text behind two tabs (*seen in use*).
pub(super) fn ticker(site: &Site<'_>) -> Answer {
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
        format!("Welcome to {}! {players} on line. Drive carefully.", shard.name)
    } else {
        shard.ticker.clone()
    };
    Answer::text(format!("/color=0xFFFF00\n\t\t{news}"))
}

/// Where the game sends who has forgotten the password.
pub(super) fn password_help(site: &Site<'_>) -> Answer {
    account::blank_change(site)
}
