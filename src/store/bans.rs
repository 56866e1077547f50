//! Bans: which accounts and addresses may not sign in, and why.

use super::error::StoreError;
use super::handle::Store;
use super::key;
use super::records::account::{Ban, BanTarget};
use super::ticket::Changed;
use crate::clock::Now;
use crate::public_text::{self, ODD_LETTERS};
use mco_proto::windows_1252;
use std::fmt;

/// The most bans there can be.
const MOST: usize = 1000;
/// The longest reason, in characters: a Client shows it in a small window.
const LONGEST_REASON: usize = 120;

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

impl Store {
    /// The verbs about bans.
    pub fn bans(&self) -> Bans<'_> {
        Bans { store: self }
    }
}

impl Bans<'_> {
    /// Bans an account or address from `now` until `until`, in seconds since 1970 (`None`: until the ban is lifted); an earlier
    /// ban of it is replaced. The reason is one line of 1 to 120 characters, counted as a
    /// Client is shown them.
    ///
    /// # Errors
    /// [`BanError::BadReason`], and [`BanError::TooMany`] if there are 1000 already.
    pub fn put(
        &self,
        target: BanTarget,
        reason: &str,
        until: Option<u64>,
        now: Now,
    ) -> Result<Changed<Ban>, BanError> {
        let reason = &public_text::one_line(reason).ok_or(BanError::BadReason(ODD_LETTERS))?;
        if !(1..=LONGEST_REASON).contains(&windows_1252::encode(reason).len()) {
            return Err(BanError::BadReason("use 1 to 120 characters"));
        }
        let ban = Ban { target, reason: reason.clone(), since: now.unix, until };
        let key = key_of(target);
        self.store.change(|table| {
            if table.scan::<Ban>(key::BANS)?.len() >= MOST && table.get::<Ban>(&key)?.is_none() {
                return Err(BanError::TooMany);
            }
            table.transact(|tx| Ok(tx.put(&key, &ban).map(|()| ban)?))
        })
    }

    /// Removes a ban. `false`: there was none.
    pub fn lift(&self, target: BanTarget) -> Result<Changed<bool>, StoreError> {
        let key = key_of(target);
        self.store.change(|table| {
            table.transact(|tx| {
                let there = tx.has(&key)?;
                tx.remove(&key)?;
                Ok(there)
            })
        })
    }

    /// The ban of exactly this account or address, in force or over.
    pub fn of(&self, target: BanTarget) -> Result<Option<Ban>, StoreError> {
        self.store.table().get(&key_of(target))
    }

    /// All bans, in force or over: first the accounts by number, then the addresses.
    pub fn list(&self) -> Result<Vec<Ban>, StoreError> {
        self.store.table().scan(key::BANS)
    }
}

/// Where the ban of an account or address lies.
fn key_of(target: BanTarget) -> Vec<u8> {
    match target {
        BanTarget::Account(customer) => key::banned_account(customer),
        BanTarget::Address(address) => key::banned_address(address),
    }
}
