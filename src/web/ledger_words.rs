//! What a line of the ledger says: in words, with the name of what it was for and a link to it where it is still known.

use super::layout::Cell;
use super::words::{car, track};
use crate::services::Game;
use crate::services::deals::{self, CityRules};
use crate::store::{DealRules as _, Kind, Line, StoreError};
use mco_proto::ids::{RaceId, VehicleId};

/// A line in words. `link` leads to the page of what it was for.
pub(super) fn told(game: &Game, line: &Line) -> Result<Cell, StoreError> {
    let reference = line.reference;
    let plain = |text: &str| Ok(Cell::from(text));
    match line.kind {
        Kind::Opening => plain("Balance when the ledger began"),
        Kind::Carried => plain("Balance carried over from older lines"),
        Kind::StarterCash => plain("Starter cash"),
        Kind::Salary => plain("Weekly salary"),
        Kind::Aid => plain("Help from the city"),
        Kind::Grant => plain("From the operator of this server"),
        Kind::TradeIn => thing(game, reference, "given in part payment"),
        Kind::CarBought | Kind::PartBought => thing(game, reference, "bought"),
        Kind::Repair => thing(game, reference, "repaired"),
        Kind::Scrap => thing(game, reference, "scrapped"),
        Kind::CarWon => thing(game, reference, "won in a race"),
        Kind::CarLost => thing(game, reference, "lost in a race"),
        Kind::GoodsHeld => thing(game, reference, "is held by the city until the deal is over"),
        Kind::GoodsBack => thing(game, reference, "came back from a deal"),
        Kind::GoodsSold => thing(game, reference, "sold"),
        Kind::GoodsBought => thing(game, reference, "bought by an ad"),
        Kind::AuctionWon => thing(game, reference, "won in an auction"),
        Kind::GoodsGiven => thing(game, reference, "given in a trade"),
        Kind::GoodsGot => thing(game, reference, "got in a trade"),
        Kind::CarGiven => thing(game, reference, "given by the operator of this server"),
        Kind::CarTaken => thing(game, reference, "taken by the operator of this server"),
        Kind::Paint => thing(game, reference, "painted"),
        Kind::PrizeWon => thing(game, reference, "won in a race night"),
        Kind::AdRefund => ad(game, reference, "For the days that were left of the ad"),
        Kind::EntryFee => race(game, reference, "Entry fee of"),
        Kind::Refund => race(game, reference, "Entry fee came back of"),
        Kind::Purse => race(game, reference, "Prize money of"),
        Kind::WeeklyReward => Ok(Cell::linked("Weekly reward", "/rewards")),
        Kind::ClubFounded => club(game, reference, "Founded the club"),
        Kind::ClubRegistered => club(game, reference, "Registered for the turf wars: the club"),
        Kind::TurfWon => {
            Ok(Cell::linked(format!("Your club won the turf {}", track(&game.catalog, reference)), "/turfs"))
        }
        Kind::NightFee => night(game, reference, "Fee of"),
        Kind::NightRefund => night(game, reference, "Fee came back of"),
        Kind::NightPrize => night(game, reference, "Prize of"),
        Kind::AdFee => ad(game, reference, "Price of the ad"),
        Kind::BidHeld => auction(game, reference, "Bid, held until the end of"),
        Kind::BidBack => auction(game, reference, "Bid came back from"),
        Kind::TradeMoney => trade(game, reference),
    }
}

/// A car, or else a part: they are numbered together. One that is gone has its number only.
fn thing(game: &Game, number: u32, what: &str) -> Result<Cell, StoreError> {
    let found = game.store.garage().vehicle(VehicleId(number))?;
    let name = found.map_or_else(
        || format!("Car or part {number}"),
        |found| format!("{} (car {number})", car(&game.catalog, found.model)),
    );
    Ok(format!("{name} {what}").into())
}

fn race(game: &Game, number: u32, what: &str) -> Result<Cell, StoreError> {
    let runs = game.store.results().of_race(RaceId(number), 1)?;
    Ok(match runs.first() {
        Some(run) => Cell::linked(
            format!("{what} the race at {} (race {number})", track(&game.catalog, run.lobby)),
            format!("/races/{number}"),
        ),
        None => format!("{what} race {number}").into(),
    })
}

fn club(game: &Game, number: u32, what: &str) -> Result<Cell, StoreError> {
    Ok(match game.store.clubs().get(number)? {
        Some(club) => Cell::linked(format!("{what} {}", club.name), super::city::club_link(&club.acronym)),
        None => format!("{what} that is closed now").into(),
    })
}

fn night(game: &Game, number: u32, what: &str) -> Result<Cell, StoreError> {
    Ok(match game.store.nights().get(number)? {
        Some(night) => {
            Cell::linked(format!("{what} the race night {}", night.plan.name), format!("/events/{number}"))
        }
        None => format!("{what} race night {number}").into(),
    })
}

fn ad(game: &Game, number: u32, what: &str) -> Result<Cell, StoreError> {
    Ok(match deals::with(game, |deals| deals.ad(number))? {
        Some(ad) => Cell::linked(format!("{what}: {}", ad.text), format!("/market/{number}")),
        None => format!("{what} {number}").into(),
    })
}

fn auction(game: &Game, number: u32, what: &str) -> Result<Cell, StoreError> {
    Ok(match deals::with(game, |deals| deals.auction(number))? {
        Some(auction) => {
            let name = CityRules(&game.catalog).name(auction.item);
            Cell::linked(format!("{what} the auction of {name}"), format!("/auctions/{number}"))
        }
        None => format!("{what} auction {number}").into(),
    })
}

fn trade(game: &Game, number: u32) -> Result<Cell, StoreError> {
    Ok(match deals::with(game, |deals| deals.trade(number))? {
        Some(_) => Cell::linked(format!("Money in trade {number}"), format!("/trades/{number}")),
        None => format!("Money in trade {number}").into(),
    })
}
