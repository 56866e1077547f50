//! What the Server Operator does in the city: race nights, seasons, clubs, and what of the players' deals has to go.

use super::error::RequestError;
use crate::clock::Now;
use crate::config::Config;
use crate::services::deals::CityRules;
use crate::services::nights;
use crate::store::{
    Ad, Auction, Changed, DealRules as _, Deals, Goods, Host, Night, NightPlan, Store, StoreError,
};
use mco_proto::ids::PersonaId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How many ads and auctions are listed at once.
const MOST_LISTED: usize = 1000;

/// One thing that the Server Operator asks for in the city.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum CityRequest {
    /// Show all race nights.
    ListNights,
    /// Show a race night with its table.
    ShowNight {
        /// Its number.
        night: u32,
    },
    /// Plan a race night.
    PlanNight {
        /// What it is to be.
        plan: Box<NightPlan>,
    },
    /// Cancel a race night: all fees and prizes go back.
    CancelNight {
        /// Its number.
        night: u32,
        /// Why; those who are registered are told by mail.
        reason: String,
    },
    /// Give a car or part of a persona to a race night, as a prize.
    GivePrize {
        /// The number of the race night.
        night: u32,
        /// The name of the persona.
        persona: String,
        /// What it gives.
        goods: Goods,
    },
    /// Open a season: race nights from now on count for it.
    BeginSeason {
        /// As players read it on the pages.
        name: String,
    },
    /// End a season, which makes its champion.
    EndSeason {
        /// Its number.
        season: u32,
    },
    /// Close a club: nobody is in it any more.
    CloseClub {
        /// At most three letters, as on the Client's screens.
        acronym: String,
        /// Why; its members are told by mail.
        reason: String,
    },
    /// Show the newest classified ads.
    ListAds,
    /// Show the auctions that end first.
    ListAuctions,
    /// Remove a classified ad: what it sells goes back, and the price of the days that are left.
    RemoveAd {
        /// Its number.
        ad: u32,
        /// Why; who placed it is told by mail.
        reason: String,
    },
    /// Remove an auction: the thing and the money of the highest bid go back.
    RemoveAuction {
        /// Its number.
        auction: u32,
        /// Why; seller and bidder are told by mail.
        reason: String,
    },
}

impl CityRequest {
    /// Whether it changes anything.
    pub(super) const fn changes(&self) -> bool {
        !matches!(self, Self::ListNights | Self::ShowNight { .. } | Self::ListAds | Self::ListAuctions)
    }
}

impl fmt::Display for CityRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ListNights => write!(f, "event list"),
            Self::ShowNight { night } => write!(f, "event show {night}"),
            Self::PlanNight { plan } => write!(f, "plan race night {:?}", plan.name),
            Self::CancelNight { night, reason } => write!(f, "cancel race night {night}: {reason:?}"),
            Self::GivePrize { night, persona, goods } => {
                let kind = if goods.is_car() { "car" } else { "part" };
                write!(f, "give {kind} {} of {persona:?} to race night {night}", goods.number())
            }
            Self::BeginSeason { name } => write!(f, "begin season {name:?}"),
            Self::EndSeason { season } => write!(f, "end season {season}"),
            Self::CloseClub { acronym, reason } => write!(f, "close club {acronym:?}: {reason:?}"),
            Self::ListAds => write!(f, "market list"),
            Self::ListAuctions => write!(f, "auction list"),
            Self::RemoveAd { ad, reason } => write!(f, "remove ad {ad}: {reason:?}"),
            Self::RemoveAuction { auction, reason } => write!(f, "remove auction {auction}: {reason:?}"),
        }
    }
}

/// The answer to a [`CityRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CityResponse {
    /// All race nights: those that are planned or run, the next first, and then the closed ones, the newest first.
    Nights(Vec<Night>),
    /// One of them.
    Night(Box<Night>),
    /// The number of what was planned or begun.
    Made(u32),
    /// What is held now, in words.
    Held(String),
    /// The newest ads.
    Ads {
        /// At most a thousand of them.
        ads: Vec<AdEntry>,
        /// How many there are in all.
        total: u32,
    },
    /// The auctions that end first.
    Auctions {
        /// At most a thousand of them.
        auctions: Vec<AuctionEntry>,
        /// How many there are in all.
        total: u32,
    },
    /// It is done, and there is nothing more to say.
    Done,
}

/// A classified ad as the Operator sees it. Money is in dollars, moments are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdEntry {
    /// Its number.
    pub ad: u32,
    /// The name of who placed it.
    pub persona: String,
    /// For Sale, Wanted, Club Activities or Events.
    pub category: String,
    /// What it says.
    pub text: String,
    /// What it sells at a fixed price.
    pub sells: Option<String>,
    /// The fixed price.
    pub price: Option<u32>,
    /// When it ends.
    pub ends: u64,
}

/// An auction as the Operator sees it. Money is in dollars, moments are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuctionEntry {
    /// Its number.
    pub auction: u32,
    /// The name of the seller.
    pub seller: String,
    /// What is sold.
    pub sells: String,
    /// The least that is bid first.
    pub start: u32,
    /// The highest bid.
    pub highest: Option<u32>,
    /// The name of who has the highest bid.
    pub bidder: Option<String>,
    /// The price to buy it at once.
    pub buy_now: Option<u32>,
    /// When it ends.
    pub ends: u64,
}

/// Does what is asked for, and returns once it has survived a power cut.
///
/// # Errors
/// Why it was not done.
pub(super) fn perform(
    store: &Store,
    config: &Config,
    rules: CityRules<'_>,
    request: CityRequest,
    now: Now,
) -> Result<CityResponse, RequestError> {
    let shard = config.shard.id;
    let (all_nights, deals) = (store.nights().in_zone(&config.shard.time_zone), store.deals(&rules));
    Ok(match request {
        CityRequest::ListNights => {
            let mut all = all_nights.open()?;
            all.extend(all_nights.closed()?);
            CityResponse::Nights(all)
        }
        CityRequest::ShowNight { night } => {
            let found = all_nights.get(night)?.ok_or(RequestError::NoSuchNight(night))?;
            CityResponse::Night(Box::new(found))
        }
        CityRequest::PlanNight { plan } => {
            let lobbies = rules.0.lobbies().iter().filter(|lobby| lobby.race_type.is_race());
            let known: Vec<_> = lobbies.map(|lobby| (lobby.id, lobby.turf.clone())).collect();
            if !known.iter().any(|(number, _)| *number == plan.lobby) {
                return Err(RequestError::NoSuchLobby { wanted: plan.lobby, known });
            }
            CityResponse::Made(nights::plan(rules.0, all_nights, Host::Operator, &plan, now)?.saved()?)
        }
        CityRequest::CancelNight { night, reason } => {
            done(all_nights.cancel(&rules, Host::Operator, (night, &reason), now)?)?
        }
        CityRequest::GivePrize { night, persona, goods } => {
            let from = store.personas().by_name(shard, &persona)?;
            let from = from.ok_or(RequestError::NoSuchPersona(persona))?.id;
            let item = all_nights.give_prize(&rules, Host::Operator, (night, from, goods), now)?.saved()?;
            CityResponse::Held(rules.name(item))
        }
        CityRequest::BeginSeason { name } => CityResponse::Made(store.seasons().begin(&name)?.saved()?),
        CityRequest::EndSeason { season } => {
            store.seasons().end(season, now)?.saved()?;
            CityResponse::Done
        }
        CityRequest::CloseClub { acronym, reason } => done(store.clubs().close(&acronym, &reason, now)?)?,
        CityRequest::ListAds => {
            let listed = deals.ads(None, None, MOST_LISTED)?;
            let ads = listed.rows.into_iter().map(|ad| ad_entry(store, rules, deals, ad));
            CityResponse::Ads { ads: ads.collect::<Result<_, _>>()?, total: listed.total }
        }
        CityRequest::ListAuctions => {
            let listed = deals.auctions(None, None, MOST_LISTED)?;
            let auctions =
                listed.rows.into_iter().map(|auction| auction_entry(store, rules, deals, &auction));
            CityResponse::Auctions { auctions: auctions.collect::<Result<_, _>>()?, total: listed.total }
        }
        CityRequest::RemoveAd { ad, reason } => done(deals.remove_ad(ad, &reason, now)?)?,
        CityRequest::RemoveAuction { auction, reason } => done(deals.remove_auction(auction, &reason, now)?)?,
    })
}

fn ad_entry(store: &Store, rules: CityRules<'_>, deals: Deals<'_>, ad: Ad) -> Result<AdEntry, StoreError> {
    Ok(AdEntry {
        ad: ad.number,
        persona: name(store, ad.advertiser)?,
        category: ad.category.name().to_owned(),
        sells: ad.offer.map(|offer| rules.name(offer.item)),
        price: ad.offer.map(|offer| offer.price),
        ends: deals.moment(ad.ends)?,
        text: ad.text,
    })
}

fn auction_entry(
    store: &Store,
    rules: CityRules<'_>,
    deals: Deals<'_>,
    auction: &Auction,
) -> Result<AuctionEntry, StoreError> {
    let Auction { number, seller, item, start, buy_now, ends, bid, .. } = *auction;
    Ok(AuctionEntry {
        auction: number,
        seller: name(store, seller)?,
        sells: rules.name(item),
        start,
        highest: bid.map(|bid| bid.dollars),
        bidder: bid.map(|bid| name(store, bid.bidder)).transpose()?,
        buy_now,
        ends: deals.moment(ends)?,
    })
}

/// What a persona is called, also one that is deleted.
fn name(store: &Store, id: PersonaId) -> Result<String, StoreError> {
    let persona = store.personas().by_id(id)?;
    Ok(persona.map_or_else(|| format!("(persona {id})"), |persona| persona.name))
}

fn done(changed: Changed<()>) -> Result<CityResponse, StoreError> {
    changed.saved().map(|()| CityResponse::Done)
}
