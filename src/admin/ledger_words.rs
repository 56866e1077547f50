//! What a line of the ledger says: one table of words for the pages, the exports and the command line.

use crate::store::{Kind, Line};

/// What the number in a line is the number of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Of nothing.
    Nothing,
    /// Of a car or part; the words stand behind it.
    Thing,
    /// Of a race.
    Race,
    /// Of a week.
    Week,
    /// Of a club.
    Club,
    /// Of a lobby, as a turf.
    Turf,
    /// Of a race night.
    Night,
    /// Of a classified ad.
    Ad,
    /// Of an auction.
    Auction,
    /// Of a trade.
    Trade,
}

/// The words for a kind of line, and what they are about.
pub const fn words(kind: Kind) -> (&'static str, About) {
    match kind {
        Kind::Opening => ("Balance when the ledger began", About::Nothing),
        Kind::Carried => ("Balance carried over from older lines", About::Nothing),
        Kind::StarterCash => ("Starter cash", About::Nothing),
        Kind::Salary => ("Weekly salary", About::Nothing),
        Kind::Aid => ("Help from the city", About::Nothing),
        Kind::Grant => ("From the operator of this server", About::Nothing),
        Kind::TradeIn => ("given in part payment", About::Thing),
        Kind::CarBought | Kind::PartBought => ("bought", About::Thing),
        Kind::Repair => ("repaired", About::Thing),
        Kind::Scrap => ("scrapped", About::Thing),
        Kind::CarWon => ("won in a race", About::Thing),
        Kind::CarLost => ("lost in a race", About::Thing),
        Kind::GoodsHeld => ("is held by the city until the deal is over", About::Thing),
        Kind::GoodsBack => ("came back from a deal", About::Thing),
        Kind::GoodsSold => ("sold", About::Thing),
        Kind::GoodsBought => ("bought by an ad", About::Thing),
        Kind::AuctionWon => ("won in an auction", About::Thing),
        Kind::GoodsGiven => ("given in a trade", About::Thing),
        Kind::GoodsGot => ("got in a trade", About::Thing),
        Kind::CarGiven => ("given by the operator of this server", About::Thing),
        Kind::CarTaken => ("taken by the operator of this server", About::Thing),
        Kind::Paint => ("painted", About::Thing),
        Kind::PrizeWon => ("won in a race night", About::Thing),
        Kind::EntryFee => ("Entry fee of", About::Race),
        Kind::Refund => ("Entry fee came back of", About::Race),
        Kind::Purse => ("Prize money of", About::Race),
        Kind::WeeklyReward => ("Weekly reward", About::Week),
        Kind::ClubFounded => ("Founded the club", About::Club),
        Kind::ClubRegistered => ("Registered for the turf wars: the club", About::Club),
        Kind::TurfWon => ("Your club won the turf", About::Turf),
        Kind::NightFee => ("Fee of", About::Night),
        Kind::NightRefund => ("Fee came back of", About::Night),
        Kind::NightPrize => ("Prize of", About::Night),
        Kind::AdFee => ("Price of the ad", About::Ad),
        Kind::AdRefund => ("For the days that were left of the ad", About::Ad),
        Kind::BidHeld => ("Bid, held until the end of", About::Auction),
        Kind::BidBack => ("Bid came back from", About::Auction),
        Kind::TradeMoney => ("Money in", About::Trade),
    }
}

/// A line in words, with nothing but the number of what it is about.
pub fn in_words(line: &Line) -> String {
    let (words, about) = words(line.kind);
    let number = line.reference;
    match about {
        About::Nothing | About::Week => words.to_owned(),
        About::Thing => format!("Car or part {number} {words}"),
        About::Race => format!("{words} race {number}"),
        About::Club | About::Turf | About::Ad => format!("{words} {number}"),
        About::Night => format!("{words} race night {number}"),
        About::Auction => format!("{words} auction {number}"),
        About::Trade => format!("{words} trade {number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_told_in_words_with_its_number() {
        let line = |kind| in_words(&Line { time: 0, kind, amount: 1, balance: 1, reference: 17 });
        for (kind, said) in [
            (Kind::StarterCash, "Starter cash"),
            (Kind::CarBought, "Car or part 17 bought"),
            (Kind::Purse, "Prize money of race 17"),
            (Kind::NightFee, "Fee of race night 17"),
            (Kind::BidBack, "Bid came back from auction 17"),
            (Kind::TradeMoney, "Money in trade 17"),
            (Kind::AdFee, "Price of the ad 17"),
        ] {
            assert_eq!(line(kind), said);
        }
    }
}
