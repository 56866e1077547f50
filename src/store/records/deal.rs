//! The records of deals between players: classified ads, auctions and trades. Moments are seconds of the city's clock.

use crate::store::record::Record;
use mco_proto::ids::{BrandedPartId, PartId, PersonaId, VehicleId};
use serde::{Deserialize, Serialize};

/// The persona that owns what is in a deal (*documented*).
pub const ESCROW: PersonaId = PersonaId(13);

/// Something that can change hands: a car with its parts, or a loose part with what is fixed to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Goods {
    /// With every part that is in it.
    Car(VehicleId),
    /// A loose part.
    Part(PartId),
}

impl Goods {
    /// Its number among all cars and parts.
    pub const fn number(self) -> u32 {
        match self {
            Self::Car(car) => car.0,
            Self::Part(part) => part.0,
        }
    }

    /// Whether it is a car.
    pub const fn is_car(self) -> bool {
        matches!(self, Self::Car(_))
    }
}

/// A thing together with its number in the catalogue, by which people know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Which it is.
    pub goods: Goods,
    /// What it is: a model of car or a kind of part.
    pub model: BrandedPartId,
}

/// The highest bid in an auction. Its dollars are held until somebody bids more, or the auction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bid {
    /// Who.
    pub bidder: PersonaId,
    /// How much, in dollars.
    pub dollars: u32,
}

/// An auction. What is sold belongs to the Escrow as long as it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Auction {
    /// Its number, among all deals.
    pub number: u32,
    /// Who sells, and gets the thing back if nobody bids.
    pub seller: PersonaId,
    /// What is sold.
    pub item: Item,
    /// The least that is bid first, in dollars.
    pub start: u32,
    /// For how many dollars it is sold at once.
    pub buy_now: Option<u32>,
    /// When it ends.
    pub ends: u32,
    /// When it ends at the latest, however late somebody bids.
    pub latest: u32,
    /// The highest bid.
    pub bid: Option<Bid>,
    /// How many bids there were.
    pub bids: u32,
}

impl Auction {
    /// The least that can be bid now, in dollars: a twentieth more than the highest bid, at least one dollar. `None`: nobody can
    /// bid more.
    pub fn least_bid(&self) -> Option<u32> {
        match self.bid {
            None => Some(self.start),
            Some(bid) => bid.dollars.checked_add(bid.dollars.div_ceil(20).max(1)),
        }
    }
}

impl Record for Auction {
    const WHAT: &'static str = "auction";
}

/// The categories of classified ads (*documented*). Stored by position: new ones go to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AdCategory {
    /// Something is for sale.
    ForSale,
    /// Something is wanted.
    Wanted,
    /// What clubs do.
    ClubActivities,
    /// What goes on.
    Events,
}

impl AdCategory {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ForSale, Self::Wanted, Self::ClubActivities, Self::Events];

    /// Its letter in keys and addresses of pages.
    pub const fn letter(self) -> char {
        match self {
            Self::ForSale => 's',
            Self::Wanted => 'w',
            Self::ClubActivities => 'c',
            Self::Events => 'e',
        }
    }

    /// What the publisher called it (*documented*).
    pub const fn name(self) -> &'static str {
        match self {
            Self::ForSale => "For Sale",
            Self::Wanted => "Wanted",
            Self::ClubActivities => "Club Activities",
            Self::Events => "Events",
        }
    }
}

/// A thing that an ad sells at a fixed price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    /// What. It belongs to the Escrow as long as the ad runs.
    pub item: Item,
    /// For how many dollars.
    pub price: u32,
}

/// A classified ad.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ad {
    /// Its number, among all deals.
    pub number: u32,
    /// Who placed it.
    pub advertiser: PersonaId,
    /// Under which heading it stands.
    pub category: AdCategory,
    /// What it says.
    pub text: String,
    /// When it ends.
    pub ends: u32,
    /// What it sells at a fixed price, if it does.
    pub offer: Option<Offered>,
}

impl Record for Ad {
    const WHAT: &'static str = "classified ad";
}

/// What one of the two gives in a trade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// Who.
    pub persona: PersonaId,
    /// Cars and loose parts, each once.
    pub items: Vec<Item>,
    /// Money of this side; in escrow only while the trade is carried out.
    pub dollars: u32,
    /// Whether this side has accepted the trade as it is now.
    pub accepted: bool,
}

/// A trade of two. Nothing is held meanwhile: what is offered is looked for when both have accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trade {
    /// Its number, among all deals.
    pub number: u32,
    /// Grows with every change, from 1.
    pub version: u32,
    /// When it ends, if nobody changes or accepts anything until then.
    pub ends: u32,
    /// First who began it.
    pub sides: [Side; 2],
}

impl Trade {
    /// What a persona gives, and what it gets. `None`: it is not its trade.
    pub fn seen_by(&self, persona: PersonaId) -> Option<(&Side, &Side)> {
        let [first, second] = &self.sides;
        match persona {
            id if id == first.persona => Some((first, second)),
            id if id == second.persona => Some((second, first)),
            _ => None,
        }
    }
}

impl Record for Trade {
    const WHAT: &'static str = "trade";
}

/// How late it was when something last happened to a deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct CityClock {
    /// By the city's clock.
    pub(in crate::store) city: u32,
    /// By the Server's, in seconds since 1970.
    pub(in crate::store) unix: u32,
}

impl Record for CityClock {
    const WHAT: &'static str = "city clock";
}

/// Whom a persona has muted: they can neither trade with it nor write to it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::store) struct Muted {
    pub(in crate::store) personas: Vec<PersonaId>,
}

impl Record for Muted {
    const WHAT: &'static str = "list of the muted";
}
