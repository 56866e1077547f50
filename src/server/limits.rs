//! How many connections there may be: in all, from one address, new ones within a second, and for each purpose.
//!
//! Whoever takes all the places it can get must leave some: of all places, a sixteenth is kept for each [`Purpose`], and an eighth
//! for those who play already, from whose addresses new connections count as theirs, and for Operators who are logged in.

use super::bind::Service;
use super::flooders::Flooders;
use super::token_bucket::TokenBuckets;
use crate::clock::Now;
use crate::config;
use crate::world::{Refusals, Source};
use atomic_waker::AtomicWaker;
use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

/// So many parts of all places are kept for each purpose.
const PART_OF_A_PURPOSE: usize = 16;
/// So many parts of all places are kept for who plays already.
const PART_OF_PLAYERS: usize = 8;
/// For so many seconds' worth of connections an address may come at once: a browser opens several for one page, and sixty players
/// behind one address who sign in at the same moment some 500.
const BURST_SECONDS: u64 = 12;
/// What a connection costs of its address's share if nobody there plays yet. Signing in takes some eight connections, and a flood
/// from many addresses is bounded by this alone.
const COST_OF_STRANGER: u32 = 2;
/// Who is refused more often within a second than `limits.connections_per_second`, divided and multiplied by this, floods: where many
/// addresses flood, and where one does.
const FLOOD: (u32, u32) = (4, 5);
/// Who was turned away has so much of its share when it is answered again: enough for others behind the same address.
const SHARE_AFTER_FLOOD: Duration = Duration::from_secs(1);
/// Of so many parts of all places this many may be taken; then a stranger's address that has more than its even share gets no more.
const EASY: (usize, usize) = (3, 4);
/// An even share is that of so many parts of all places which falls to each address that has any.
const PART_TO_SHARE: usize = 2;
/// No even share is smaller: signing in takes some eight connections.
const LEAST_SHARE: usize = 8;
/// Of those who play there may be so many times `limits.connections_per_address`: a game holds three or four connections.
const PLAYERS: usize = 2;

/// For so long after a request of an Operator who is logged in, its address is known.
const VOUCHED: Duration = Duration::from_mins(30);
/// The most addresses that are known so.
const MOST_VOUCHED: usize = 64;

/// Counts connections.
#[derive(Debug)]
pub(crate) struct Limits {
    most: usize,
    most_per_address: usize,
    counts: Mutex<Counts>,
    empty: AtomicWaker,
    flooded: AtomicWaker,
}

#[derive(Debug)]
struct Counts {
    all: usize,
    /// Those of who plays already.
    players: usize,
    by_purpose: [usize; Purpose::ALL],
    by_source: HashMap<Source, OfSource>,
    /// From where an Operator is logged in, and when that was last seen.
    vouched: HashMap<Source, Instant>,
    new: TokenBuckets,
    refusals: Refusals,
    flooders: Flooders,
    /// How many connections were refused, by what there was too much of.
    refused: [u64; TooMany::ALL.len()],
}

/// The connections of one address.
#[derive(Clone, Copy, Debug, Default)]
struct OfSource {
    /// That have not signed in.
    strangers: usize,
    /// That have.
    players: usize,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// HTTP and HTTPS: the pages, and the first step of signing in.
    Web,
    /// Login, Persona and Mail.
    SignIn,
    /// Lobby, rooms and MCOTS.
    Play,
}

impl Purpose {
    const ALL: usize = 3;

    pub(crate) const fn of(service: Service) -> Self {
        match service {
            Service::Http | Service::Https => Self::Web,
            Service::Login | Service::Persona | Service::Mail => Self::SignIn,
            Service::Lobby | Service::Room(_) | Service::Mcots => Self::Play,
        }
    }
}

/// A connection's place; free again when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    limits: Arc<Limits>,
    purpose: Purpose,
    /// Where from, if that is counted.
    source: Option<Source>,
    /// Counted among all players.
    of_player: bool,
    /// Counted among the players of its address.
    signed_in: bool,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crowded {
    /// What there is too much of.
    pub(crate) what: TooMany,
    /// How many times this address was refused since the log last told it, if it is time to tell it.
    pub(crate) to_log: Option<u64>,
}

/// What there is too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TooMany {
    /// All places are taken that this connection might have.
    InAll,
    /// This address has all the connections it may have.
    OfAddress,
    /// This address makes new connections too quickly.
    New,
}

impl TooMany {
    /// All of them, in the order of their numbers.
    const ALL: [Self; 3] = [Self::InAll, Self::OfAddress, Self::New];

    const fn word(self) -> &'static str {
        match self {
            Self::InAll => "all_places",
            Self::OfAddress => "places_of_address",
            Self::New => "new_of_address",
        }
    }
}

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InAll => "all places are taken; see limits.connections in mcos.toml",
            Self::OfAddress => "it has all it may have; see limits.connections_per_address in mcos.toml",
            Self::New => "it makes them too quickly; see limits.connections_per_second in mcos.toml",
        })
    }
}

impl Limits {
    pub(crate) fn new(limits: &config::Limits) -> Arc<Self> {
        let per_second = u64::from(limits.connections_per_second);
        let counts = Counts {
            all: 0,
            players: 0,
            by_purpose: [0; Purpose::ALL],
            by_source: HashMap::new(),
            vouched: HashMap::new(),
            new: TokenBuckets::new(per_second, per_second.saturating_mul(BURST_SECONDS)),
            refusals: Refusals::default(),
            flooders: Flooders::new(
                (
                    limits.connections_per_second / FLOOD.0,
                    limits.connections_per_second.saturating_mul(FLOOD.1),
                ),
                Now::read(),
            ),
            refused: Default::default(),
        };
        Arc::new(Self {
            most: limits.connections,
            most_per_address: limits.connections_per_address,
            counts: Mutex::new(counts),
            empty: AtomicWaker::new(),
            flooded: AtomicWaker::new(),
        })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection from `address`. This machine itself is not counted by address: the Operator's tools and
    /// tests run there.
    pub(crate) fn admit(
        self: &Arc<Self>,
        purpose: Purpose,
        address: IpAddr,
        now: Now,
    ) -> Result<Permit, Crowded> {
        let from = Source::of(address);
        let source = (!from.is_this_machine()).then_some(from);
        let mut counts = self.counts();
        match counts.place_for(purpose, source, (self.most, self.most_per_address), now) {
            Ok(of_player) => {
                counts.all += 1;
                counts.players += usize::from(of_player);
                counts.of_purpose(purpose, |count| *count += 1);
                if let Some(source) = source {
                    counts.by_source.entry(source).or_default().strangers += 1;
                }
                Ok(Permit { limits: Arc::clone(self), purpose, source, of_player, signed_in: false })
            }
            Err(what) => {
                if let Some(count) = counts.refused.get_mut(what as usize) {
                    *count += 1;
                }
                let to_log = counts.refusals.note(from, now);
                let plays = counts.by_source.get(&from).is_some_and(|of_source| of_source.players > 0);
                drop(counts);
                // That all places are taken is no fault of who comes, and where many play theirs may be. Who comes too quickly for them is
                // refused for that.
                if what == TooMany::New || what == TooMany::OfAddress && !plays {
                    self.refused_to(address, now);
                }
                Err(Crowded { what, to_log })
            }
        }
    }

    /// An Operator is logged in at this address: for a while its connections have the places of those who play.
    pub(crate) fn vouch_for(&self, address: IpAddr, now: Now) {
        let mut counts = self.counts();
        counts.vouched.retain(|_, seen| now.since(*seen) < VOUCHED);
        if counts.vouched.len() < MOST_VOUCHED {
            counts.vouched.insert(Source::of(address), now.mono);
        }
    }

    /// A connection from `address` was closed at once because of what its sender is or does. Who goes on and on is turned away.
    pub(crate) fn refused_to(&self, address: IpAddr, now: Now) {
        let from = Source::of(address);
        if from.is_this_machine() {
            return;
        }
        let mut counts = self.counts();
        if let Some(long) = counts.flooders.note(from, now) {
            // Else it came back with as many as at first.
            counts.new.empty_until(from, now.later(long.saturating_sub(SHARE_AFTER_FLOOD)));
            self.flooded.wake();
        }
    }

    /// Whose new connections are not to be answered, in order.
    pub(crate) fn turned_away(&self, now: Now) -> Vec<Source> {
        self.counts().flooders.turned_away(now)
    }

    /// Waits until somebody is turned away that was not before. For one waiter.
    pub(crate) async fn somebody_floods(&self) {
        poll_fn(|context| {
            self.flooded.register(context.waker());
            if self.counts().flooders.has_news() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// How many connections were refused so far, by the reason.
    pub(crate) fn refused(&self) -> impl Iterator<Item = (&'static str, u64)> {
        TooMany::ALL.into_iter().map(TooMany::word).zip(self.counts().refused)
    }

    /// How many connections there are.
    pub(crate) fn count(&self) -> usize {
        self.counts().all
    }

    /// Waits until no connection is left. For one waiter: the end of the server.
    pub(crate) async fn all_gone(&self) {
        poll_fn(|context| {
            self.empty.register(context.waker());
            if self.counts().all == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

impl Counts {
    /// Whether there is a place among `most` and `most_per_address`, and if so whether it is one of those kept for players.
    fn place_for(
        &mut self,
        purpose: Purpose,
        source: Option<Source>,
        (most, most_per_address): (usize, usize),
        now: Now,
    ) -> Result<bool, TooMany> {
        let of_source = source.and_then(|source| self.by_source.get(&source)).copied().unwrap_or_default();
        let vouched = source.and_then(|source| self.vouched.get(&source));
        let plays = of_source.players > 0 || vouched.is_some_and(|seen| now.since(*seen) < VOUCHED);
        // What is still kept for others.
        let kept: usize = self
            .by_purpose
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != purpose as usize)
            .map(|(_, count)| (most / PART_OF_A_PURPOSE).saturating_sub(*count))
            .sum();
        let kept_for_players = (most / PART_OF_PLAYERS).saturating_sub(self.players);
        let taken = self.all + if plays { 0 } else { kept + kept_for_players };
        if taken >= most {
            return Err(TooMany::InAll);
        }
        let Some(source) = source else { return Ok(plays) };
        let share = (most / PART_TO_SHARE / self.by_source.len().max(1)).max(LEAST_SHARE);
        if !plays && of_source.strangers >= share && taken >= most / EASY.1 * EASY.0 {
            return Err(TooMany::OfAddress);
        }
        let cost = if plays { 1 } else { COST_OF_STRANGER };
        if !self.new.take(source, cost.into(), now) {
            return Err(TooMany::New);
        }
        if of_source.strangers >= most_per_address { Err(TooMany::OfAddress) } else { Ok(plays) }
    }

    fn of_purpose(&mut self, purpose: Purpose, change: impl FnOnce(&mut usize)) {
        if let Some(count) = self.by_purpose.get_mut(purpose as usize) {
            change(count);
        }
    }
}

impl Permit {
    /// Whether somebody at its address plays already, or an Operator is logged in there.
    pub(crate) const fn is_of_player(&self) -> bool {
        self.of_player
    }

    /// The connection is a player's from now on: it no longer takes one of the places of its address, unless the players of the
    /// address have [`PLAYERS`] times as many already.
    pub(crate) fn signed_in(&mut self) {
        if self.signed_in {
            return;
        }
        let mut counts = self.limits.counts();
        if let Some(of_source) = self.source.and_then(|source| counts.by_source.get_mut(&source)) {
            if of_source.players >= self.limits.most_per_address.saturating_mul(PLAYERS) {
                return;
            }
            of_source.strangers = of_source.strangers.saturating_sub(1);
            of_source.players += 1;
        }
        self.signed_in = true;
        if !self.of_player {
            self.of_player = true;
            counts.players += 1;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.limits.counts();
        counts.all = counts.all.saturating_sub(1);
        counts.players = counts.players.saturating_sub(usize::from(self.of_player));
        counts.of_purpose(self.purpose, |count| *count = count.saturating_sub(1));
        if let Some(source) = self.source
            && let Some(of_source) = counts.by_source.get_mut(&source)
        {
            let count = if self.signed_in { &mut of_source.players } else { &mut of_source.strangers };
            *count = count.saturating_sub(1);
            if of_source.strangers + of_source.players == 0 {
                counts.by_source.remove(&source);
            }
        }
        if counts.all == 0 {
            self.limits.empty.wake();
        }
    }
}

#[cfg(test)]
mod tests;
