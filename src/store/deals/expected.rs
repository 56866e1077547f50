//! What is on its way to a persona, for which room is kept in its garage and inventory.

use crate::store::city_key;
use crate::store::deal_key;
use crate::store::error::StoreError;
use crate::store::records::deal::{Ad, Auction, Goods};
use crate::store::records::night::Night;
use crate::store::table::Table;
use mco_proto::ids::PersonaId;

/// How much is on its way, and what of the persona's dollars is bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Cars: its own in auctions and ads and given as prizes, which come back if nobody buys or wins them, and those for which it has the highest bid.
    pub cars: usize,
    /// Loose parts, likewise.
    pub parts: usize,
    /// How many things it sells in auctions.
    pub on_auction: u32,
    /// The sum of its highest bids, in dollars.
    pub bids: u64,
}

impl Expected {
    /// Whether anything of the persona's is in a deal.
    pub(in crate::store) const fn is_anything(&self) -> bool {
        self.cars > 0 || self.parts > 0
    }

    const fn add(&mut self, goods: Goods) {
        if goods.is_car() {
            self.cars += 1;
        } else {
            self.parts += 1;
        }
    }
}

/// Looks it up.
pub(in crate::store) fn expected(table: &Table, persona: PersonaId) -> Result<Expected, StoreError> {
    let mut expected = Expected::default();
    for role in [deal_key::SELLER, deal_key::BIDDER] {
        for number in table.scan::<u32>(&deal_key::deals_of(persona, role))? {
            let Some(auction) = table.get::<Auction>(&deal_key::auction(number))? else { continue };
            expected.add(auction.item.goods);
            if role == deal_key::SELLER {
                expected.on_auction += 1;
            } else {
                expected.bids += auction.bid.map_or(0, |bid| u64::from(bid.dollars));
            }
        }
    }
    for number in table.scan::<u32>(&deal_key::deals_of(persona, deal_key::ADVERTISER))? {
        let ad: Option<Ad> = table.get(&deal_key::ad(number))?;
        if let Some(offer) = ad.and_then(|ad| ad.offer) {
            expected.add(offer.item.goods);
        }
    }
    for number in table.scan::<u32>(&deal_key::deals_of(persona, deal_key::GIVER))? {
        let night: Option<Night> = table.get(&city_key::open_night(number))?;
        let prizes = night.into_iter().flat_map(|night| night.prizes);
        prizes.filter(|prize| prize.from == persona).for_each(|prize| expected.add(prize.item.goods));
    }
    Ok(expected)
}
