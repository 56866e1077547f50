//! Deals between players: auctions, classified ads and trades.
//!
//! What is sold in an auction or by an ad belongs to the Escrow as long as the deal runs: so nobody else's verb can touch it, and
//! the deal's record names whose it is. The dollars of the highest bid are held by the record of the auction. Each end of a deal removes
//! its record in the same transaction that moves goods, money and mail, so none ends twice, whatever is interrupted.
//!
//! Room is kept in garage and inventory for what is sure or likely to come (see [`expected`]), so that no end can fail for want of it.
//!
//! Ends are moments of the city's clock, which does not leap with the Server's: see [`clock`].

mod ads;
mod auctions;
mod clock;
mod closing;
mod ending;
mod expected;
mod goods;
mod muted;
mod removing;
mod settle_in;
mod stock;
mod trades;

pub use ads::NewAd;
pub use auctions::{BidOutcome, LAST_SECONDS, LONGEST_HOURS, NewAuction};
pub(super) use closing::Closing;
pub use expected::Expected;
pub(super) use expected::expected;
pub(super) use goods::{destroy, hand_out, hand_over_car, hold};
pub(super) use settle_in::settle_in;
pub(super) use stock::{Amount, Stock};

use super::error::StoreError;
use super::handle::Store;
use super::ledger::{self, Entry, LedgerError};
use super::mail::{self, Letter};
use super::offices::{AUCTION_HOUSE, ESCROW, Office};
use super::records::account::{AccountRecord, Ban};
use super::records::deal::{Ad, AdCategory, Auction, Goods, Item, Trade};
use super::records::ledger::Kind;
use super::records::persona::{Persona, PersonaRecord};
use super::records::vehicle::{LooseRecord, Part, VehicleRecord};
use super::table::{Table, Transaction};
use super::ticket::Changed;
use super::{deal_key, key};
use crate::clock::Now;
use mco_proto::ids::PersonaId;
use std::fmt;

/// The most auctions, the most ads and the most trades of all personas together.
pub const MOST_DEALS: u32 = 100_000;
/// The most auctions one persona has at the same time.
pub const MOST_AUCTIONS_EACH: usize = 10;
/// In how many auctions one persona has the highest bid at the same time.
pub const MOST_BIDS_EACH: usize = 20;
/// In how many trades one persona is at the same time.
pub const MOST_TRADES_EACH: usize = 5;
/// The most cars and parts that one side gives in a trade.
pub const MOST_TRADED: usize = 10;
/// The most personas that one persona mutes.
pub const MOST_MUTED: usize = 100;
/// The number of the first deal.
const FIRST_DEAL: u32 = 1;

/// What deals need to know of the city.
pub trait DealRules {
    /// What people call a thing.
    fn name(&self, item: Item) -> String;
    /// How many cars the garage of a persona holds.
    fn cars_room(&self, persona: &Persona) -> usize;
    /// How many things the inventory of a persona holds.
    fn parts_room(&self, persona: &Persona) -> usize;
    /// What an ad of so many characters costs that runs so many days, in dollars; `None`: there are no such ads.
    fn ad_price(&self, characters: usize, days: u32) -> Option<u32>;
    /// The most ads of one persona.
    fn ads_each(&self) -> usize;
}

/// Why something was not done. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DealError {
    /// There is no such persona.
    NoSuchPersona,
    /// The account of the persona is banned or disabled.
    Banned,
    /// There is no such deal, or it is over.
    Over,
    /// The persona does not own that, or the part is fixed to something.
    NotYours,
    /// The deal is another persona's.
    Theirs,
    /// The car is in a race that is not over.
    InRace,
    /// A persona keeps at least one car.
    LastCar,
    /// There is no room in the garage.
    GarageFull,
    /// There is no room in the inventory.
    InventoryFull,
    /// The persona has less than it costs.
    InsufficientFunds,
    /// The balance of whoever gets the money would be more than the Client can show.
    TooRich,
    /// There are as many as there may be; of what.
    TooMany(&'static str),
    /// Nobody makes a deal with a persona of the same account.
    OwnDeal,
    /// The bid is too low: the least that can be bid.
    TooLow(u32),
    /// There is a bid already, so the auction goes on.
    HasBids,
    /// The terms make no sense; why.
    BadTerms(&'static str),
    /// The trade was changed meanwhile.
    Changed,
    /// One of the two has muted the other.
    Muted,
    /// What is missing is on the other side.
    Partner(Box<Self>),
    /// The store failed.
    Store(StoreError),
}

impl fmt::Display for DealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchPersona => f.write_str("there is no such driver: the page Players shows all names"),
            Self::Banned => f.write_str("the account of this driver is banned or disabled: ask the operator"),
            Self::Over => f.write_str("this deal is over or was never there: look for another one"),
            Self::NotYours => f.write_str("the driver owns no such car or loose part: take an installed part out first"),
            Self::Theirs => f.write_str("another driver made this deal, and only that one takes it back: look for it among your own"),
            Self::InRace => f.write_str("the car is in a race: wait until the race is over"),
            Self::LastCar => f.write_str("it is the last car, or all others are wagered, and a driver keeps one: buy another car first"),
            Self::GarageFull => f.write_str(
                "the garage has no room, and room is kept for your own auctions, ads and highest bids: sell a car, or reach the \
                 next level",
            ),
            Self::InventoryFull => f.write_str(
                "the inventory has no room, and room is kept for your own auctions, ads and highest bids: install or scrap a part",
            ),
            Self::InsufficientFunds => f.write_str("this is more than there is in the bank: earn money first"),
            Self::TooRich => f.write_str("the bank of whoever gets the money holds no more: it must be spent first"),
            Self::TooMany(what) => write!(f, "there are as many {what} as there may be: wait until one is over"),
            Self::OwnDeal => f.write_str("this belongs to a driver of your own account: deal with other players"),
            Self::TooLow(least) => write!(f, "the bid is too low: bid at least {least} dollars"),
            Self::HasBids => f.write_str("somebody has bid already: the auction goes on until its end"),
            Self::BadTerms(why) => f.write_str(why),
            Self::Changed => f.write_str("the trade was changed meanwhile: look at it again"),
            Self::Muted => f.write_str("one of the two has muted the other: there is no trade between them"),
            Self::Partner(why) => write!(f, "on the other side: {why}"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for DealError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

impl From<StoreError> for DealError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<LedgerError> for DealError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Overdrawn => Self::InsufficientFunds,
            LedgerError::TooRich => Self::TooRich,
            LedgerError::Store(error) => Self::Store(error),
        }
    }
}

/// The verbs about deals. See [`Store::deals`].
#[derive(Clone, Copy)]
pub struct Deals<'a> {
    store: &'a Store,
    rules: &'a dyn DealRules,
}

impl Store {
    /// The verbs about auctions, classified ads and trades, by these rules.
    pub fn deals<'a>(&'a self, rules: &'a dyn DealRules) -> Deals<'a> {
        Deals { store: self, rules }
    }
}

/// The deals of one persona.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnDeals {
    /// The auctions in which it sells.
    pub auctions: Vec<Auction>,
    /// The auctions in which it has the highest bid.
    pub bids: Vec<Auction>,
    /// The ads that it placed.
    pub ads: Vec<Ad>,
    /// The trades in which it is a side.
    pub trades: Vec<Trade>,
}

/// A piece of a list of deals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// The deals.
    pub rows: Vec<T>,
    /// Where the next piece begins. `None`: this is the last one.
    pub next: Option<Vec<u8>>,
    /// How many deals of this sort there are in all, whatever was asked for.
    pub total: u32,
}

impl Deals<'_> {
    /// One auction that runs.
    pub fn auction(&self, number: u32) -> Result<Option<Auction>, StoreError> {
        self.store.table().get(&deal_key::auction(number))
    }

    /// One ad that runs.
    pub fn ad(&self, number: u32) -> Result<Option<Ad>, StoreError> {
        self.store.table().get(&deal_key::ad(number))
    }

    /// One trade that goes on.
    pub fn trade(&self, number: u32) -> Result<Option<Trade>, StoreError> {
        self.store.table().get(&deal_key::trade(number))
    }

    /// The parts of a thing that the Escrow holds: those of a car without the car itself, or a loose part with what is fixed to it.
    pub fn parts_held(&self, goods: Goods) -> Result<Vec<Part>, StoreError> {
        let table = self.store.table();
        Ok(match goods {
            Goods::Car(car) => table.get::<VehicleRecord>(&key::vehicle(car))?.map(|record| record.parts),
            Goods::Part(part) => {
                let escrow = ESCROW.number_in(table)?;
                table.get::<LooseRecord>(&key::loose_part(escrow, part))?.map(|record| record.parts)
            }
        }
        .unwrap_or_default())
    }

    /// So many auctions, the first to end first: of cars, of parts, or of both (`None`); from `from` on, which is the `next` of the piece
    /// before.
    pub fn auctions(
        &self,
        cars: Option<bool>,
        from: Option<&[u8]>,
        count: usize,
    ) -> Result<Listed<Auction>, StoreError> {
        let kinds = [(true, deal_key::CAR_AUCTION), (false, deal_key::PART_AUCTION)];
        let kinds = kinds.into_iter().filter(|(car, _)| cars.is_none_or(|cars| cars == *car));
        let lists: Vec<Vec<u8>> = kinds.map(|(_, kind)| deal_key::ends_of(kind)).collect();
        self.list(&lists, from, count, deal_key::AUCTIONS, |number| self.auction(number))
    }

    /// So many ads, the newest first: of one category or of all.
    pub fn ads(
        &self,
        category: Option<AdCategory>,
        from: Option<&[u8]>,
        count: usize,
    ) -> Result<Listed<Ad>, StoreError> {
        let categories =
            AdCategory::ALL.into_iter().filter(|known| category.is_none_or(|asked| asked == *known));
        let lists: Vec<Vec<u8>> =
            categories.map(|category| deal_key::ads_of(category.letter() as u8)).collect();
        self.list(&lists, from, count, deal_key::ADS, |number| self.ad(number))
    }

    /// A piece of one or more indexes, which are sorted alike behind their prefixes.
    fn list<T>(
        &self,
        prefixes: &[Vec<u8>],
        from: Option<&[u8]>,
        count: usize,
        counter: &[u8],
        get: impl Fn(u32) -> Result<Option<T>, StoreError>,
    ) -> Result<Listed<T>, StoreError> {
        let table = self.store.table();
        let mut found: Vec<(Vec<u8>, u32)> = Vec::new();
        for prefix in prefixes {
            for (key, number) in table.scan_from::<u32>(prefix, from.unwrap_or_default(), count + 1)? {
                found.push((key.get(prefix.len()..).unwrap_or_default().to_vec(), number));
            }
        }
        found.sort();
        let next = found.get(count).map(|(place, _)| place.clone());
        found.truncate(count);
        let rows = found.into_iter().filter_map(|(_, number)| get(number).transpose());
        let rows = rows.collect::<Result<_, StoreError>>()?;
        Ok(Listed { rows, next, total: table.get(counter)?.unwrap_or_default() })
    }

    /// How many ads there are.
    pub fn count_ads(&self) -> Result<u32, StoreError> {
        Ok(self.store.table().get(deal_key::ADS)?.unwrap_or_default())
    }

    /// All deals of a persona.
    pub fn of(&self, persona: PersonaId) -> Result<OwnDeals, StoreError> {
        let table = self.store.table();
        let numbers = |role| table.scan::<u32>(&deal_key::deals_of(persona, role));
        let auctions = |role| {
            let found = numbers(role)?.into_iter().filter_map(|number| self.auction(number).transpose());
            found.collect::<Result<Vec<_>, StoreError>>()
        };
        let ads = numbers(deal_key::ADVERTISER)?.into_iter();
        let trades = numbers(deal_key::SIDE)?.into_iter();
        Ok(OwnDeals {
            auctions: auctions(deal_key::SELLER)?,
            bids: auctions(deal_key::BIDDER)?,
            ads: ads.filter_map(|number| self.ad(number).transpose()).collect::<Result<_, _>>()?,
            trades: trades.filter_map(|number| self.trade(number).transpose()).collect::<Result<_, _>>()?,
        })
    }

    /// Runs a change, which is told how late it is by the city's clock.
    fn change<T>(
        &self,
        now: Now,
        work: impl FnOnce(&Table, u32) -> Result<T, DealError>,
    ) -> Result<Changed<T>, DealError> {
        self.store.change(|table| work(table, clock::city_time(self.store, now)?))
    }

    /// What a mail calls a thing.
    fn name(&self, item: Item) -> String {
        self.rules.name(item).chars().take(60).collect()
    }
}

/// The persona who acts or is acted with, if it may.
pub(super) fn party(tx: &Transaction<'_>, id: PersonaId, now: Now) -> Result<PersonaRecord, DealError> {
    let record: PersonaRecord = tx.get(&key::persona(id))?.ok_or(DealError::NoSuchPersona)?;
    let customer = record.persona.customer_id;
    let ban: Option<Ban> = tx.get(&key::banned_account(customer))?;
    let name: Option<String> = tx.get(&key::customer(customer))?;
    let account: Option<AccountRecord> = match name {
        Some(name) => tx.get(&key::account(&name))?,
        None => None,
    };
    if ban.is_some_and(|ban| ban.counts_at(now.unix)) || account.is_none_or(|account| account.disabled) {
        return Err(DealError::Banned);
    }
    Ok(record)
}

/// Changes the count of a sort of deals.
fn count(tx: &Transaction<'_>, counter: &[u8], more: bool) -> Result<(), StoreError> {
    let before: u32 = tx.get(counter)?.unwrap_or_default();
    tx.put(counter, &if more { before.saturating_add(1) } else { before.saturating_sub(1) })
}

/// Takes the number of a new deal and counts it.
fn begin(tx: &Transaction<'_>, counter: &[u8], what: &'static str) -> Result<u32, DealError> {
    if tx.get::<u32>(counter)?.unwrap_or_default() >= MOST_DEALS {
        return Err(DealError::TooMany(what));
    }
    count(tx, counter, true)?;
    Ok(tx.take(deal_key::NEXT_DEAL, FIRST_DEAL, 1)?)
}

/// A line of the ledger that moves no money.
fn note(
    tx: &Transaction<'_>,
    record: &mut PersonaRecord,
    kind: Kind,
    reference: u32,
    now: Now,
) -> Result<(), DealError> {
    Ok(ledger::book(tx, record, Entry { kind, amount: 0, reference }, now)?)
}

/// Pays dollars out of a persona's bank.
fn charge(
    tx: &Transaction<'_>,
    record: &mut PersonaRecord,
    kind: Kind,
    dollars: u32,
    reference: u32,
    now: Now,
) -> Result<(), DealError> {
    Ok(ledger::book(tx, record, Entry { kind, amount: -i64::from(dollars), reference }, now)?)
}

/// Writes to a persona, as an office.
pub(super) fn tell(
    tx: &Transaction<'_>,
    to: PersonaId,
    from: Office,
    title: &str,
    text: String,
    now: Now,
) -> Result<(), StoreError> {
    let (sender, sender_name) = (from.number(tx)?, from.name.to_owned());
    let letter = Letter { sender, sender_name, title: title.to_owned(), text };
    mail::post(tx, to, &letter, now)
}
