//! A line of the ledger on a page: in words, with the name of what it was for and a link to it where it is still known.

use super::layout::Cell;
use super::words::{car, track};
use crate::admin::ledger_words::{About, in_words, words};
use crate::services::Game;
use crate::services::deals::{self, CityRules};
use crate::store::{DealRules as _, Line, StoreError};
use mco_proto::ids::{RaceId, VehicleId};

/// A line in words. `link` leads to the page of what it was for.
pub(super) fn told(game: &Game, line: &Line) -> Result<Cell, StoreError> {
    let (words, about) = words(line.kind);
    let number = line.reference;
    let found = match about {
        About::Nothing => None,
        About::Thing => thing(game, number, words)?,
        About::Race => race(game, number, words)?,
        About::Week => Some(Cell::linked(words, "/rewards")),
        About::Club => Some(club(game, number, words)?),
        About::Turf => Some(Cell::linked(format!("{words} {}", track(&game.catalog, number)), "/turfs")),
        About::Night => night(game, number, words)?,
        About::Ad => ad(game, number, words)?,
        About::Auction => auction(game, number, words)?,
        About::Trade => trade(game, line)?,
    };
    Ok(found.unwrap_or_else(|| in_words(line).into()))
}

/// A car; a part, or a car that is gone, has only its number.
fn thing(game: &Game, number: u32, what: &str) -> Result<Option<Cell>, StoreError> {
    let found = game.store.garage().vehicle(VehicleId(number))?;
    Ok(found.map(|found| format!("{} (car {number}) {what}", car(&game.catalog, found.model)).into()))
}

fn race(game: &Game, number: u32, what: &str) -> Result<Option<Cell>, StoreError> {
    let runs = game.store.results().of_race(RaceId(number), 1)?;
    Ok(runs.first().map(|run| {
        let text = format!("{what} the race at {} (race {number})", track(&game.catalog, run.lobby));
        Cell::linked(text, format!("/races/{number}"))
    }))
}

fn club(game: &Game, number: u32, what: &str) -> Result<Cell, StoreError> {
    Ok(match game.store.clubs().get(number)? {
        Some(club) => Cell::linked(format!("{what} {}", club.name), super::city::club_link(&club.acronym)),
        None => format!("{what} that is closed now").into(),
    })
}

fn night(game: &Game, number: u32, what: &str) -> Result<Option<Cell>, StoreError> {
    let night = game.store.nights().get(number)?;
    Ok(night.map(|night| {
        Cell::linked(format!("{what} the race night {}", night.plan.name), format!("/events/{number}"))
    }))
}

fn ad(game: &Game, number: u32, what: &str) -> Result<Option<Cell>, StoreError> {
    let ad = deals::with(game, |deals| deals.ad(number))?;
    Ok(ad.map(|ad| Cell::linked(format!("{what}: {}", ad.text), format!("/market/{number}"))))
}

fn auction(game: &Game, number: u32, what: &str) -> Result<Option<Cell>, StoreError> {
    let auction = deals::with(game, |deals| deals.auction(number))?;
    Ok(auction.map(|auction| {
        let name = CityRules(&game.catalog).name(auction.item);
        Cell::linked(format!("{what} the auction of {name}"), format!("/auctions/{number}"))
    }))
}

fn trade(game: &Game, line: &Line) -> Result<Option<Cell>, StoreError> {
    let trade = deals::with(game, |deals| deals.trade(line.reference))?;
    Ok(trade.map(|_| Cell::linked(in_words(line), format!("/trades/{}", line.reference))))
}
