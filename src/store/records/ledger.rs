//! The records of the ledger.

use crate::store::record::{self, Record};
use serde::{Deserialize, Serialize};

/// The kind of a line of the ledger. Stored by position: new kinds go to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// The balance a persona had when the ledger was introduced.
    Opening,
    /// The balance after older lines that were folded.
    Carried,
    /// The money that a new persona begins with.
    StarterCash,
    /// A car was bought; the reference is the car.
    CarBought,
    /// A car was given in part payment; the reference is the car.
    TradeIn,
    /// A part was bought; the reference is the part.
    PartBought,
    /// Repairs; the reference is the part or the car.
    Repair,
    /// A part or a car was scrapped; the reference is the part or the car.
    Scrap,
    /// The fee of a race; the reference is the race.
    EntryFee,
    /// An entry fee came back; the reference is the race.
    Refund,
    /// Prize money; the reference is the race.
    Purse,
    /// A car was won; the reference is the car, the amount 0.
    CarWon,
    /// A car was lost; the reference is the car, the amount 0.
    CarLost,
    /// The weekly salary.
    Salary,
    /// What the city gave to a persona without a car and without the money for one.
    Aid,
    /// What the Server Operator gave, or took.
    Grant,
    /// A reward for a place in the week; the reference is the week.
    WeeklyReward,
    /// A club was founded; the reference is the club.
    ClubFounded,
    /// A club was registered for the turf wars; the reference is the club.
    ClubRegistered,
    /// What the Captain of a club gets for a turf; the reference is the lobby.
    TurfWon,
    /// The fee of a race night; the reference is the race night.
    NightFee,
    /// The fee of a race night came back; the reference is the race night.
    NightRefund,
    /// A prize of a race night; the reference is the race night.
    NightPrize,
    /// The price of a classified ad; the reference is the ad.
    AdFee,
    /// A thing went to the Escrow; the reference is the car or part, the amount 0.
    GoodsHeld,
    /// A thing came back from the Escrow; the reference is the car or part, the amount 0.
    GoodsBack,
    /// A thing was sold in an auction or by an ad; the reference is the car or part.
    GoodsSold,
    /// A thing was bought by an ad; the reference is the car or part.
    GoodsBought,
    /// A bid, which is held; the reference is the auction.
    BidHeld,
    /// A bid came back; the reference is the auction.
    BidBack,
    /// An auction was won with the bid that is held; the reference is the car or part, the amount 0.
    AuctionWon,
    /// Money in a trade, given or got; the reference is the trade.
    TradeMoney,
    /// A thing was given in a trade; the reference is the car or part, the amount 0.
    GoodsGiven,
    /// A thing was got in a trade; the reference is the car or part, the amount 0.
    GoodsGot,
    /// A car or part was won in a race night; the reference is the car or part, the amount 0.
    PrizeWon,
    /// A part of the price of an ad came back; the reference is the ad.
    AdRefund,
    /// The Server Operator gave a car; the reference is the car, the amount 0.
    CarGiven,
    /// The Server Operator took a car; the reference is the car, the amount 0.
    CarTaken,
    /// A car was painted; the reference is the car.
    Paint,
}

/// A line of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When it was written, in seconds since 1970 by the Server's clock.
    pub time: u32,
    /// What the money was for.
    pub kind: Kind,
    /// By how many dollars the balance changed: positive if the persona got them.
    pub amount: i64,
    /// The balance after it, in dollars.
    pub balance: u32,
    /// The number of the car, part, race or whatever it was for; see [`Kind`]. 0: none.
    pub reference: u32,
}

/// Lines of one book that lie in one record, in their order, each with its distance from the number in the record's key. So long as there
/// are 256 of them at most, a page is never longer than a record may be (22 bytes a line and its distance).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct Page {
    pub(in crate::store) lines: Vec<(u8, Line)>,
}

impl Record for Page {
    const WHAT: &'static str = "page of the ledger";
    const VERSION: u8 = 2;

    /// Version 1 was one line.
    fn older(version: u8, fields: &[u8]) -> Option<Self> {
        if version == 1 { record::whole(fields).map(|line| Self { lines: vec![(0, line)] }) } else { None }
    }
}
