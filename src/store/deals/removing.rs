//! What the Server Operator removes: ads and auctions that offend.

use super::goods::hand_out;
use super::{AUCTION_HOUSE, DealError, Deals, ESCROW, ads, auctions, clock, tell};
use crate::clock::Now;
use crate::public_text::{self, ODD_LETTERS};
use crate::store::ledger;
use crate::store::records::deal::{Ad, Auction, Bid};
use crate::store::records::ledger::Kind;
use crate::store::records::persona::PersonaRecord;
use crate::store::ticket::Changed;
use crate::store::{deal_key, key};

const DAY: u32 = 24 * 60 * 60;
/// The longest reason, in characters.
const LONGEST_REASON: usize = 100;

impl Deals<'_> {
    /// Removes an ad: what it sells goes back to who placed it, with the price of each whole day for which it would have run on.
    ///
    /// # Errors
    /// [`DealError::Over`], [`DealError::BadTerms`] for the reason, which is written to who placed it.
    pub fn remove_ad(&self, number: u32, why: &str, now: Now) -> Result<Changed<()>, DealError> {
        let why = reason(why)?;
        self.change(now, |table, city| {
            table.transact(|tx| {
                let ad: Ad = tx.get(&deal_key::ad(number))?.ok_or(DealError::Over)?;
                ads::remove(tx, &ad)?;
                let mut lines = vec![format!("The operator has removed your ad {number}: {why}.")];
                if let Some(offer) = ad.offer {
                    hand_out(tx, offer.item.goods, ad.advertiser, Kind::GoodsBack, now)?;
                    lines.push(format!("You have {} back.", self.name(offer.item)));
                }
                let days = ad.ends.saturating_sub(city) / DAY;
                let price = self.rules.ad_price(ad.text.chars().count(), days).unwrap_or_default();
                let owner: Option<PersonaRecord> = tx.get(&key::persona(ad.advertiser))?;
                let mut owner = owner.ok_or(DealError::NoSuchPersona)?;
                let back = ledger::give(tx, &mut owner, Kind::AdRefund, price, number, now)?;
                tx.put(&key::persona(ad.advertiser), &owner)?;
                if back > 0 {
                    lines.push(format!("{back} dollars for the days that were left are in the bank."));
                }
                clock::note(tx, city, now)?;
                Ok(tell(tx, ad.advertiser, ESCROW, "Your ad was removed", lines.join(" "), now)?)
            })
        })
    }

    /// Removes an auction: the thing goes back to the seller, and the money of the highest bid to the bidder.
    ///
    /// # Errors
    /// [`DealError::Over`], [`DealError::BadTerms`] for the reason, which is written to both.
    pub fn remove_auction(&self, number: u32, why: &str, now: Now) -> Result<Changed<()>, DealError> {
        let why = reason(why)?;
        self.change(now, |table, city| {
            table.transact(|tx| {
                let auction: Auction = tx.get(&deal_key::auction(number))?.ok_or(DealError::Over)?;
                let name = self.name(auction.item);
                auctions::remove(tx, &auction)?;
                hand_out(tx, auction.item.goods, auction.seller, Kind::GoodsBack, now)?;
                let text = format!("The operator has removed auction {number}: {why}. You have {name} back.");
                tell(tx, auction.seller, AUCTION_HOUSE, "Your auction was removed", text, now)?;
                clock::note(tx, city, now)?;
                let Some(Bid { bidder, dollars }) = auction.bid else { return Ok(()) };
                let record: Option<PersonaRecord> = tx.get(&key::persona(bidder))?;
                let mut record = record.ok_or(DealError::NoSuchPersona)?;
                let back = ledger::give(tx, &mut record, Kind::BidBack, dollars, number, now)?;
                tx.put(&key::persona(bidder), &record)?;
                let text = format!(
                    "The operator has removed auction {number} of {name}: {why}. Your {back} dollars are back in the bank."
                );
                Ok(tell(tx, bidder, AUCTION_HOUSE, "An auction was removed", text, now)?)
            })
        })
    }
}

fn reason(why: &str) -> Result<String, DealError> {
    let why = public_text::one_line(why).ok_or(DealError::BadTerms(ODD_LETTERS))?;
    let why = why.trim_end_matches('.');
    if why.is_empty() || why.chars().count() > LONGEST_REASON {
        return Err(DealError::BadTerms("say in 1 to 100 characters why it is removed"));
    }
    Ok(why.to_owned())
}
