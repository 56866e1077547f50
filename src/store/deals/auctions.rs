//! Auctions: the highest bid at the end gets the thing, or at once whoever pays the price for that.

use super::goods::{hand_out, hold};
use super::stock::{Amount, Stock};
use super::{
    AUCTION_HOUSE, DealError, Deals, MOST_AUCTIONS_EACH, MOST_BIDS_EACH, begin, charge, clock, count, party,
    tell,
};
use crate::clock::Now;
use crate::store::bookings::Bookings;
use crate::store::error::StoreError;
use crate::store::records::deal::{Auction, Bid, Goods};
use crate::store::records::ledger::Kind;
use crate::store::records::persona::{Persona, PersonaRecord};
use crate::store::table::Transaction;
use crate::store::ticket::Changed;
use crate::store::{deal_key, key, ledger};
use mco_proto::ids::PersonaId;

const HOUR: u32 = 60 * 60;
/// The longest auction, in hours: with [`EXTENDED`] three days, as long as the publisher's lasted at most (*documented*).
pub const LONGEST_HOURS: u32 = 71;
/// A bid in the last so many seconds makes the auction last so many seconds from then on.
pub const LAST_SECONDS: u32 = 5 * 60;
/// By how many seconds bids make an auction longer in all, at most.
const EXTENDED: u32 = HOUR;

/// What is needed to open an auction.
#[derive(Clone, Copy, Debug)]
pub struct NewAuction {
    /// What is sold.
    pub goods: Goods,
    /// The least that is bid first, in dollars; at least one.
    pub start: u32,
    /// For how many dollars it is sold at once.
    pub buy_now: Option<u32>,
    /// How many hours it lasts, 1 to 71.
    pub hours: u32,
}

/// What came of a bid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BidOutcome {
    /// It is the highest one: these dollars are held.
    Highest(u32),
    /// The thing is bought at once for these dollars.
    Bought(u32),
}

const fn kind(auction: &Auction) -> u8 {
    if auction.item.goods.is_car() { deal_key::CAR_AUCTION } else { deal_key::PART_AUCTION }
}

impl Deals<'_> {
    /// Opens an auction, and returns its number. The thing belongs to the Escrow from now on.
    ///
    /// # Errors
    /// [`DealError::BadTerms`], [`DealError::TooMany`], [`DealError::NotYours`], [`DealError::InRace`], [`DealError::LastCar`],
    /// [`DealError::NoSuchPersona`], [`DealError::Banned`].
    pub fn open_auction(
        &self,
        seller: PersonaId,
        new: NewAuction,
        now: Now,
    ) -> Result<Changed<u32>, DealError> {
        let NewAuction { goods, start, buy_now, hours } = new;
        if start == 0 {
            return Err(DealError::BadTerms("an auction starts at one dollar or more: enter a start price"));
        }
        if buy_now.is_some_and(|price| price < start) {
            return Err(DealError::BadTerms(
                "the price to buy at once is less than the start price: raise it",
            ));
        }
        if !(1..=LONGEST_HOURS).contains(&hours) {
            return Err(DealError::BadTerms("an auction lasts 1 to 71 hours: choose another time"));
        }
        self.change(now, |table, city| {
            if table.scan::<u32>(&deal_key::deals_of(seller, deal_key::SELLER))?.len() >= MOST_AUCTIONS_EACH {
                return Err(DealError::TooMany("auctions of this driver"));
            }
            let given = Stock::find(table, seller)?.give(table, &Bookings::find(table)?, &[goods], false)?;
            table.transact(|tx| {
                let mut owner = party(tx, seller, now)?;
                let number = begin(tx, deal_key::AUCTIONS, "auctions")?;
                let item = hold(tx, &mut owner, goods, &given, now)?;
                tx.put(&key::persona(seller), &owner)?;
                let ends = city.saturating_add(hours * HOUR);
                let latest = ends.saturating_add(EXTENDED);
                let auction =
                    Auction { number, seller, item, start, buy_now, ends, latest, bid: None, bids: 0 };
                tx.put(&deal_key::auction(number), &auction)?;
                tx.put(&deal_key::end(kind(&auction), ends, number), &number)?;
                tx.put(&deal_key::deal_of(seller, deal_key::SELLER, number), &number)?;
                clock::note(tx, city, now)?;
                Ok(number)
            })
        })
    }

    /// Bids so many dollars, which are held from now on; who had the highest bid gets its dollars back. If it is enough to buy the thing
    /// at once, that is done, for that price.
    ///
    /// # Errors
    /// [`DealError::Over`], [`DealError::OwnDeal`], [`DealError::TooLow`], [`DealError::TooMany`], [`DealError::InsufficientFunds`],
    /// [`DealError::TooRich`], [`DealError::GarageFull`], [`DealError::InventoryFull`], [`DealError::NoSuchPersona`],
    /// [`DealError::Banned`].
    pub fn bid(
        &self,
        bidder: PersonaId,
        number: u32,
        dollars: u32,
        now: Now,
    ) -> Result<Changed<BidOutcome>, DealError> {
        self.change(now, |table, city| {
            let stock = Stock::find(table, bidder)?;
            let bids = table.scan::<u32>(&deal_key::deals_of(bidder, deal_key::BIDDER))?.len();
            table.transact(|tx| {
                let mut auction: Auction = tx.get(&deal_key::auction(number))?.ok_or(DealError::Over)?;
                if city >= auction.ends {
                    return Err(DealError::Over);
                }
                let buyer = party(tx, bidder, now)?;
                let seller: PersonaRecord = tx.get(&key::persona(auction.seller))?.ok_or(DealError::Over)?;
                if seller.persona.customer_id == buyer.persona.customer_id {
                    return Err(DealError::OwnDeal);
                }
                let at_once = auction.buy_now.filter(|price| dollars >= *price);
                let least = auction.least_bid().ok_or(DealError::Over)?;
                if at_once.is_none() && dollars < least {
                    return Err(DealError::TooLow(auction.buy_now.map_or(least, |price| price.min(least))));
                }
                let dollars = at_once.unwrap_or(dollars);
                // First: whoever bids what it does not have must not learn from the answer how rich the seller is.
                let own = auction.bid.filter(|bid| bid.bidder == bidder).map_or(0, |bid| bid.dollars);
                if buyer.persona.bank_balance.saturating_add(own) < dollars {
                    return Err(DealError::InsufficientFunds);
                }
                if seller.persona.bank_balance.checked_add(dollars).is_none() {
                    return Err(DealError::TooRich);
                }
                let leads = auction.bid.is_some_and(|bid| bid.bidder == bidder);
                if !leads {
                    stock.take(self.rules, &buyer.persona, Amount::default(), Amount::of([&auction.item]))?;
                    if bids >= MOST_BIDS_EACH && at_once.is_none() {
                        return Err(DealError::TooMany("highest bids of this driver"));
                    }
                }
                // Of an own bid that is raised the dollars stay held: there might be no room for them in the bank.
                if !leads {
                    self.return_bid(tx, &auction, &buyer.persona, dollars, now)?;
                }
                let mut buyer = buyer;
                charge(tx, &mut buyer, Kind::BidHeld, dollars.saturating_sub(own), number, now)?;
                tx.put(&key::persona(bidder), &buyer)?;
                tx.put(&deal_key::deal_of(bidder, deal_key::BIDDER, number), &number)?;
                auction.bid = Some(Bid { bidder, dollars });
                auction.bids = auction.bids.saturating_add(1);
                clock::note(tx, city, now)?;
                if at_once.is_some() {
                    self.conclude(tx, &auction, now)?;
                    return Ok(BidOutcome::Bought(dollars));
                }
                let ends = auction.ends.max(city.saturating_add(LAST_SECONDS).min(auction.latest));
                tx.remove(&deal_key::end(kind(&auction), auction.ends, number))?;
                tx.put(&deal_key::end(kind(&auction), ends, number), &number)?;
                auction.ends = ends;
                tx.put(&deal_key::auction(number), &auction)?;
                Ok(BidOutcome::Highest(dollars))
            })
        })
    }

    /// Ends an auction in which nobody has bid yet: the thing goes back.
    ///
    /// # Errors
    /// [`DealError::Over`], [`DealError::Theirs`], [`DealError::HasBids`].
    pub fn cancel_auction(&self, seller: PersonaId, number: u32, now: Now) -> Result<Changed<()>, DealError> {
        self.change(now, |table, city| {
            table.transact(|tx| {
                let auction: Auction = tx.get(&deal_key::auction(number))?.ok_or(DealError::Over)?;
                if auction.seller != seller {
                    return Err(DealError::Theirs);
                }
                if auction.bid.is_some() {
                    return Err(DealError::HasBids);
                }
                clock::note(tx, city, now)?;
                self.conclude(tx, &auction, now)
            })
        })
    }

    /// Gives the highest bid back, because somebody else bids more, and tells who had it.
    fn return_bid(
        &self,
        tx: &Transaction<'_>,
        auction: &Auction,
        by: &Persona,
        dollars: u32,
        now: Now,
    ) -> Result<(), DealError> {
        let Some(Bid { bidder, dollars: held }) = auction.bid else { return Ok(()) };
        tx.remove(&deal_key::deal_of(bidder, deal_key::BIDDER, auction.number))?;
        let Some(mut before) = tx.get::<PersonaRecord>(&key::persona(bidder))? else { return Ok(()) };
        let back = ledger::give(tx, &mut before, Kind::BidBack, held, auction.number, now)?;
        tx.put(&key::persona(bidder), &before)?;
        let text = format!(
            "{} bids {dollars} dollars for {} (auction {}). Your {back} dollars are back in the bank.",
            by.name,
            self.name(auction.item),
            auction.number
        );
        Ok(tell(tx, bidder, AUCTION_HOUSE, "You were outbid", text, now)?)
    }

    /// Ends an auction: the thing goes to the highest bidder and the money to the seller, or the thing goes back.
    pub(super) fn conclude(
        &self,
        tx: &Transaction<'_>,
        auction: &Auction,
        now: Now,
    ) -> Result<(), DealError> {
        let Auction { number, seller, item, bid, .. } = *auction;
        remove(tx, auction)?;
        let name = self.name(item);
        let to = bid.map_or(seller, |bid| bid.bidder);
        let kind = if bid.is_some() { Kind::AuctionWon } else { Kind::GoodsBack };
        let owner = hand_out(tx, item.goods, to, kind, now)?;
        let Some(Bid { bidder, dollars }) = bid else {
            let text = format!("Auction {number} of {name} is over without a bid. You have it back.");
            return Ok(tell(tx, seller, AUCTION_HOUSE, "Nobody has bid", text, now)?);
        };
        let text = format!("{name} is yours for {dollars} dollars (auction {number}).");
        tell(tx, bidder, AUCTION_HOUSE, "You won an auction", text, now)?;
        let buyer = owner.persona.name;
        let Some(mut record) = tx.get::<PersonaRecord>(&key::persona(seller))? else { return Ok(()) };
        let paid = ledger::give(tx, &mut record, Kind::GoodsSold, dollars, item.goods.number(), now)?;
        tx.put(&key::persona(seller), &record)?;
        let text = format!("{buyer} has bought {name} in auction {number}: you get {paid} dollars.");
        Ok(tell(tx, seller, AUCTION_HOUSE, "Your auction is over", text, now)?)
    }
}

/// Removes the record of an auction with all entries that lead to it.
pub(super) fn remove(tx: &Transaction<'_>, auction: &Auction) -> Result<(), StoreError> {
    let number = auction.number;
    tx.remove(&deal_key::auction(number))?;
    tx.remove(&deal_key::end(kind(auction), auction.ends, number))?;
    tx.remove(&deal_key::deal_of(auction.seller, deal_key::SELLER, number))?;
    if let Some(bid) = auction.bid {
        tx.remove(&deal_key::deal_of(bid.bidder, deal_key::BIDDER, number))?;
    }
    count(tx, deal_key::AUCTIONS, false)
}
