//! Classified ads: paid by letters and days, and perhaps with a thing at a fixed price.

use super::goods::{hand_out, hand_over, hold};
use super::stock::{Amount, Stock, arrive};
use super::{DealError, Deals, ESCROW, begin, charge, clock, count, party, tell};
use crate::clock::Now;
use crate::public_text::{self, ODD_LETTERS};
use crate::store::bookings::Bookings;
use crate::store::error::StoreError;
use crate::store::ledger::{self, Entry};
use crate::store::records::deal::{Ad, AdCategory, Goods, Offered};
use crate::store::records::ledger::Kind;
use crate::store::records::persona::PersonaRecord;
use crate::store::table::Transaction;
use crate::store::ticket::Changed;
use crate::store::{deal_key, key};
use mco_proto::ids::PersonaId;

const DAY: u32 = 24 * 60 * 60;

/// What is needed to place an ad.
#[derive(Clone, Debug)]
pub struct NewAd {
    /// Under which heading it stands.
    pub category: AdCategory,
    /// What it says: one line.
    pub text: String,
    /// For how many days it runs.
    pub days: u32,
    /// What it sells at a fixed price, and for how many dollars.
    pub offer: Option<(Goods, u32)>,
}

impl Deals<'_> {
    /// Places an ad, takes what it costs, and returns its number. What it sells belongs to the Escrow from now on.
    ///
    /// # Errors
    /// [`DealError::BadTerms`], [`DealError::TooMany`], [`DealError::InsufficientFunds`], [`DealError::NotYours`], [`DealError::InRace`],
    /// [`DealError::LastCar`], [`DealError::NoSuchPersona`], [`DealError::Banned`].
    pub fn place_ad(&self, advertiser: PersonaId, new: NewAd, now: Now) -> Result<Changed<u32>, DealError> {
        let NewAd { category, text, days, offer } = new;
        let text = public_text::one_line(&text).ok_or(DealError::BadTerms(ODD_LETTERS))?;
        if text.is_empty() {
            return Err(DealError::BadTerms("an ad needs a text: write one"));
        }
        if days == 0 {
            return Err(DealError::BadTerms("an ad runs one day or more: choose for how many"));
        }
        if self.rules.ad_price(1, days).is_none() {
            return Err(DealError::BadTerms(
                "the days are too many, the page Market says how many there may be: choose fewer",
            ));
        }
        let price = self.rules.ad_price(text.chars().count(), days);
        let price = price.ok_or(DealError::BadTerms("the text is too long: shorten it"))?;
        if offer.is_some() && category != AdCategory::ForSale {
            return Err(DealError::BadTerms(
                "only ads of the category For Sale sell something: choose that one",
            ));
        }
        if offer.is_some_and(|(_, price)| price == 0) {
            return Err(DealError::BadTerms("the fixed price is at least one dollar: enter it"));
        }
        self.change(now, |table, city| {
            let own = table.scan::<u32>(&deal_key::deals_of(advertiser, deal_key::ADVERTISER))?.len();
            if own >= self.rules.ads_each() {
                return Err(DealError::TooMany("ads of this driver"));
            }
            let wanted: Vec<Goods> = offer.iter().map(|(goods, _)| *goods).collect();
            let given =
                Stock::find(table, advertiser)?.give(table, &Bookings::find(table)?, &wanted, false)?;
            table.transact(|tx| {
                let mut owner = party(tx, advertiser, now)?;
                let number = begin(tx, deal_key::ADS, "ads")?;
                charge(tx, &mut owner, Kind::AdFee, price, number, now)?;
                let offer = match offer {
                    Some((goods, price)) => {
                        let item = hold(tx, &mut owner, goods, &given, now)?;
                        Some(Offered { item, price })
                    }
                    None => None,
                };
                tx.put(&key::persona(advertiser), &owner)?;
                let ends = city.saturating_add(days.saturating_mul(DAY));
                let ad = Ad { number, advertiser, category, text, ends, offer };
                tx.put(&deal_key::ad(number), &ad)?;
                tx.put(&deal_key::end(deal_key::AD, ends, number), &number)?;
                tx.put(&deal_key::listed_ad(category.letter() as u8, number), &number)?;
                tx.put(&deal_key::deal_of(advertiser, deal_key::ADVERTISER, number), &number)?;
                clock::note(tx, city, now)?;
                Ok(number)
            })
        })
    }

    /// Buys what an ad sells, and ends the ad. Returned is what was paid, in dollars.
    ///
    /// # Errors
    /// [`DealError::Over`]: also if the ad sells nothing. [`DealError::OwnDeal`], [`DealError::InsufficientFunds`], [`DealError::TooRich`],
    /// [`DealError::GarageFull`], [`DealError::InventoryFull`], [`DealError::NoSuchPersona`], [`DealError::Banned`].
    pub fn buy(&self, buyer: PersonaId, number: u32, now: Now) -> Result<Changed<u32>, DealError> {
        self.change(now, |table, city| {
            let stock = Stock::find(table, buyer)?;
            table.transact(|tx| {
                let ad: Ad = tx.get(&deal_key::ad(number))?.ok_or(DealError::Over)?;
                let Offered { item, price } = ad.offer.ok_or(DealError::Over)?;
                if city >= ad.ends {
                    return Err(DealError::Over);
                }
                let mut record = party(tx, buyer, now)?;
                let seller: Option<PersonaRecord> = tx.get(&key::persona(ad.advertiser))?;
                let mut seller = seller.ok_or(DealError::Over)?;
                if seller.persona.customer_id == record.persona.customer_id {
                    return Err(DealError::OwnDeal);
                }
                stock.take(self.rules, &record.persona, Amount::default(), Amount::of([&item]))?;
                let thing = item.goods.number();
                charge(tx, &mut record, Kind::GoodsBought, price, thing, now)?;
                let entry = Entry { kind: Kind::GoodsSold, amount: price.into(), reference: thing };
                ledger::book(tx, &mut seller, entry, now)?;
                remove(tx, &ad)?;
                hand_over(tx, item.goods, ESCROW.number(tx)?, buyer)?;
                arrive(&mut record.persona, item.goods);
                tx.put(&key::persona(buyer), &record)?;
                tx.put(&key::persona(ad.advertiser), &seller)?;
                let (name, by) = (self.name(item), &record.persona.name);
                let text = format!("{by} has bought {name} (ad {number}): you get {price} dollars.");
                tell(tx, ad.advertiser, ESCROW, "Sold by your ad", text, now)?;
                let text = format!("{name} is yours for {price} dollars (ad {number}).");
                tell(tx, buyer, ESCROW, "You bought something", text, now)?;
                clock::note(tx, city, now)?;
                Ok(price)
            })
        })
    }

    /// Takes an ad back. What it sells goes back, what it cost does not.
    ///
    /// # Errors
    /// [`DealError::Over`], [`DealError::Theirs`].
    pub fn withdraw_ad(
        &self,
        advertiser: PersonaId,
        number: u32,
        now: Now,
    ) -> Result<Changed<()>, DealError> {
        self.change(now, |table, city| {
            table.transact(|tx| {
                let ad: Ad = tx.get(&deal_key::ad(number))?.ok_or(DealError::Over)?;
                if ad.advertiser != advertiser {
                    return Err(DealError::Theirs);
                }
                clock::note(tx, city, now)?;
                self.expire(tx, &ad, now)
            })
        })
    }

    /// Ends an ad by which nothing was sold.
    pub(super) fn expire(&self, tx: &Transaction<'_>, ad: &Ad, now: Now) -> Result<(), DealError> {
        remove(tx, ad)?;
        let (number, advertiser) = (ad.number, ad.advertiser);
        let text = match ad.offer {
            Some(Offered { item, .. }) => {
                hand_out(tx, item.goods, advertiser, Kind::GoodsBack, now)?;
                format!(
                    "Your ad {number} is over, and nobody has bought {}. You have it back.",
                    self.name(item)
                )
            }
            None => format!("Your ad {number} is over: {}", ad.text),
        };
        Ok(tell(tx, advertiser, ESCROW, "Your ad is over", text, now)?)
    }
}

/// Removes the record of an ad with all entries that lead to it.
pub(super) fn remove(tx: &Transaction<'_>, ad: &Ad) -> Result<(), StoreError> {
    let number = ad.number;
    tx.remove(&deal_key::ad(number))?;
    tx.remove(&deal_key::end(deal_key::AD, ad.ends, number))?;
    tx.remove(&deal_key::listed_ad(ad.category.letter() as u8, number))?;
    tx.remove(&deal_key::deal_of(ad.advertiser, deal_key::ADVERTISER, number))?;
    count(tx, deal_key::ADS, false)
}
