//! The records of who may sign in: accounts, bans, the login key and the operator's password.

use crate::store::record::Record;
use mco_proto::ids::CustomerId;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv6Addr};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// An account, without its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The number that stands for the account in all services.
    pub customer_id: CustomerId,
    /// The name, with the capitals it was created with.
    pub name: String,
    /// Whether signing in is forbidden.
    pub disabled: bool,
    /// When it was created, in seconds since 1970 by the Server's clock.
    pub created: u64,
}

/// An account with the hash of its password, which never leaves the store.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::store) struct AccountRecord {
    pub(in crate::store) customer_id: CustomerId,
    pub(in crate::store) name: String,
    pub(in crate::store) disabled: bool,
    pub(in crate::store) created: u64,
    pub(in crate::store) hash: String,
}

impl Record for AccountRecord {
    const WHAT: &'static str = "account";
}

impl From<AccountRecord> for Account {
    fn from(record: AccountRecord) -> Self {
        let AccountRecord { customer_id, name, disabled, created, hash: _ } = record;
        Self { customer_id, name, disabled, created }
    }
}

/// What a ban is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BanTarget {
    /// An account, from whatever address it signs in.
    Account(CustomerId),
    /// An address, whatever account signs in from it. Made by [`BanTarget::address`].
    Address(IpAddr),
}

impl BanTarget {
    /// The target for an address: IPv4 also if it is written as IPv6 (`::ffff:192.0.2.1`), and of IPv6 the network of
    /// 64 bits, because every host can take any address in it.
    pub fn address(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(v6) if !v6.is_loopback() => {
                Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into()
            }
            other => other,
        })
    }
}

/// A ban. It is in force until its end, or without an end until it is lifted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    /// The account or address.
    pub target: BanTarget,
    /// Why, in one line that the banned User is shown.
    pub reason: String,
    /// When it was made, in seconds since 1970 by the Server's clock.
    pub since: u64,
    /// When it ends, likewise; `None`: never.
    pub until: Option<u64>,
}

impl Ban {
    /// Whether it is in force at `now`, in seconds since 1970.
    pub fn counts_at(&self, now: u64) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Record for Ban {
    const WHAT: &'static str = "ban";
}

/// The private key to which Clients encrypt what they send to Login, as PKCS#8 DER.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(in crate::store) struct LoginKey(pub(in crate::store) Vec<u8>);

impl Record for LoginKey {
    const WHAT: &'static str = "login key";
}

/// The hash of the operator's password, which never leaves the store.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::store) struct OperatorRecord {
    pub(in crate::store) hash: String,
}

impl Record for OperatorRecord {
    const WHAT: &'static str = "operator's password";
}
