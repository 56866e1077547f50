//! What happens to the deals of a persona that is deleted: it waits for the end of auctions in which others take part; all others of
//! its deals are ended, and what it sells goes with it.

use super::{ESCROW, ads, auctions, goods, trades};
use crate::store::deal_key;
use crate::store::error::StoreError;
use crate::store::records::deal::{Ad, Auction, Trade};
use crate::store::table::{Table, Transaction};
use mco_proto::ids::PersonaId;

/// The deals of a persona that is to be deleted.
pub(in crate::store) struct Closing {
    persona: PersonaId,
    auctions: Vec<Auction>,
    ads: Vec<Ad>,
    trades: Vec<Trade>,
    /// The race nights to which it has given prizes.
    prizes: Vec<u32>,
    /// Whether it has the highest bid somewhere.
    bids: bool,
}

impl Closing {
    /// Finds them, while nobody else changes anything.
    pub(in crate::store) fn find(table: &Table, persona: PersonaId) -> Result<Self, StoreError> {
        let numbers = |role| table.scan::<u32>(&deal_key::deals_of(persona, role));
        let auctions = numbers(deal_key::SELLER)?.into_iter();
        let ads = numbers(deal_key::ADVERTISER)?.into_iter();
        let trades = numbers(deal_key::SIDE)?.into_iter();
        Ok(Self {
            persona,
            auctions: auctions
                .filter_map(|id| table.get(&deal_key::auction(id)).transpose())
                .collect::<Result<_, _>>()?,
            ads: ads.filter_map(|id| table.get(&deal_key::ad(id)).transpose()).collect::<Result<_, _>>()?,
            trades: trades
                .filter_map(|id| table.get(&deal_key::trade(id)).transpose())
                .collect::<Result<_, _>>()?,
            prizes: numbers(deal_key::GIVER)?,
            bids: !numbers(deal_key::BIDDER)?.is_empty(),
        })
    }

    /// Whether others wait for the end of an auction in which it sells or has bid.
    pub(in crate::store) fn is_bound(&self) -> bool {
        self.bids || self.auctions.iter().any(|auction| auction.bid.is_some())
    }

    /// Ends all deals, in the transaction that deletes the persona, and before it is gone.
    pub(in crate::store) fn close(&self, tx: &Transaction<'_>) -> Result<(), StoreError> {
        for auction in &self.auctions {
            auctions::remove(tx, auction)?;
            goods::destroy(tx, auction.item.goods, ESCROW.number(tx)?)?;
        }
        for ad in &self.ads {
            ads::remove(tx, ad)?;
            if let Some(offer) = ad.offer {
                goods::destroy(tx, offer.item.goods, ESCROW.number(tx)?)?;
            }
        }
        // The prizes themselves stay.
        for night in &self.prizes {
            tx.remove(&deal_key::deal_of(self.persona, deal_key::GIVER, *night))?;
        }
        self.trades.iter().try_for_each(|trade| trades::remove(tx, trade))?;
        tx.remove(&deal_key::muted_by(self.persona))
    }
}
