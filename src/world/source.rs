//! Who counts as one address, wherever something is counted by address.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// An IPv4 address, or the whole network of 64 bits of an IPv6 address, because every host has as many addresses there as it
/// likes. IPv4 in the clothes of IPv6 is IPv4. This machine itself (loopback) stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Source(IpAddr);

impl Source {
    /// The source that everything from `address` is counted under.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) if !address.is_loopback() => {
                Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
            }
            address => address,
        })
    }

    /// The IPv4 address, or the first address of the network of 64 bits.
    pub const fn address(self) -> IpAddr {
        self.0
    }

    /// Whether it is this machine itself, which most limits leave out: the Server Operator's tools and the tests run there.
    pub const fn is_this_machine(self) -> bool {
        self.0.is_loopback()
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V6(network) if !network.is_loopback() => write!(f, "{network}/64"),
            address => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(address: &str) -> Source {
        Source::of(address.parse().unwrap())
    }

    #[test]
    fn a_network_of_64_bits_counts_as_one_and_an_ipv4_address_as_itself() {
        assert_eq!(source("fd00::1"), source("fd00::ffff:2"));
        assert_ne!(source("fd00::1"), source("fd00:0:0:1::1"));
        assert_ne!(source("192.168.1.9"), source("192.168.1.10"));
        assert_eq!(source("::ffff:192.168.1.9"), source("192.168.1.9"));
        assert_eq!(source("fd00::1").to_string(), "fd00::/64");
        assert_eq!(source("::ffff:10.0.0.1").to_string(), "10.0.0.1");
    }

    #[test]
    fn this_machine_is_known_by_all_its_own_addresses() {
        for own in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
            assert!(source(own).is_this_machine(), "{own}");
        }
        assert!(!source("::2").is_this_machine());
    }
}
