//! Bans: who may not come in, and why.

use super::commit::Changed;
use super::error::StoreError;
use super::record::Record;
use super::{Store, key};
use crate::clock::Now;
use mco_proto::ids::CustomerId;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// The most bans there can be.
const MOST: usize = 1000;
/// The longest reason, in characters: a Client shows it in a small window.
const LONGEST_REASON: usize = 120;

/// Who is banned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BanTarget {
    /// Whoever signs in with this account, from anywhere.
    Account(CustomerId),
    /// Whoever comes from this address, with any account. See [`BanTarget::address`].
    Address(IpAddr),
}

impl BanTarget {
    /// An address: IPv4 without its disguise, and for IPv6 the network of 64 bits, because every host has as many
    /// addresses there as it likes.
    pub fn address(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(v6) if !v6.is_loopback() => {
                Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into()
            }
            other => other,
        })
    }
}

/// A ban. It counts as long as its end is not reached, or without an end until it is lifted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    /// Who.
    pub target: BanTarget,
    /// Why, as the banned User is told: one line.
    pub reason: String,
    /// When it was made, in seconds since 1970 by the Server's clock.
    pub since: u64,
    /// When it ends, likewise; `None`: never.
    pub until: Option<u64>,
}

impl Ban {
    /// Whether it still counts at `now`, in seconds since 1970.
    pub fn counts_at(&self, now: u64) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Record for Ban {
    const WHAT: &'static str = "ban";
}

/// Why a ban could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BanError {
    /// The reason breaks a rule, which is named.
    BadReason(&'static str),
    /// There are too many bans already.
    TooMany,
    /// The store failed.
    Store(StoreError),
}

impl fmt::Display for BanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadReason(why) => write!(f, "this reason cannot be used: {why}"),
            Self::TooMany => write!(f, "there are {MOST} bans already: lift some that are no longer needed"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BanError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

impl From<StoreError> for BanError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The verbs about bans. See [`Store::bans`].
#[derive(Clone, Copy, Debug)]
pub struct Bans<'a> {
    pub(super) store: &'a Store,
}

impl Bans<'_> {
    /// Bans somebody from now on; an earlier ban of the same account or address is replaced. The reason has 1 to 120
    /// printable ASCII characters, all that a Client can show.
    pub fn put(
        &self,
        target: BanTarget,
        reason: &str,
        until: Option<u64>,
        now: Now,
    ) -> Result<Changed<Ban>, BanError> {
        let reason = reason.trim();
        if reason.is_empty() || reason.len() > LONGEST_REASON {
            return Err(BanError::BadReason("use 1 to 120 characters"));
        }
        if !reason.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            return Err(BanError::BadReason("the game shows only plain letters, digits and signs"));
        }
        let ban = Ban { target, reason: reason.to_owned(), since: now.unix, until };
        let key = key::ban(target);
        self.store.change(|table| {
            if table.scan::<Ban>(key::BANS)?.len() >= MOST && table.get::<Ban>(&key)?.is_none() {
                return Err(BanError::TooMany);
            }
            table.transact(|tx| tx.put(&key, &ban).map(|()| ban.clone()).map_err(BanError::from))
        })
    }

    /// Lifts a ban. `false`: there was none.
    pub fn lift(&self, target: BanTarget) -> Result<Changed<bool>, StoreError> {
        let key = key::ban(target);
        self.store.change(|table| {
            table.transact(|tx| {
                let there = tx.has(&key)?;
                tx.remove(&key)?;
                Ok(there)
            })
        })
    }

    /// The ban of exactly this account or address, over or not.
    pub fn of(&self, target: BanTarget) -> Result<Option<Ban>, StoreError> {
        self.store.table().get(&key::ban(target))
    }

    /// All bans, over or not: first the accounts by number, then the addresses.
    pub fn list(&self) -> Result<Vec<Ban>, StoreError> {
        self.store.table().scan(key::BANS)
    }
}
