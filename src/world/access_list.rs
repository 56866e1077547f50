//! From where the server may be reached: `network.allow`, and who was refused by it.

use super::locked;
use super::refusals::Refusals;
use super::source::Source;
use crate::clock::Now;
use crate::config::Allowed;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Mutex;

/// Decides about every connection before anything is read of it.
#[derive(Debug, Default)]
pub struct AccessList {
    allowed: Vec<Allowed>,
    /// The addresses that this machine has.
    own: Mutex<Vec<IpAddr>>,
    refused: Mutex<Refusals>,
}

/// An address that is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedAddress {
    /// Which.
    pub address: Source,
    /// How many times, since the server was started.
    pub count: u64,
    /// The last time, in seconds since 1970.
    pub last: u64,
}

impl AccessList {
    /// Lets in who comes from one of these networks, or from this machine.
    pub fn new(allowed: Vec<Allowed>) -> Self {
        Self { allowed, ..Self::default() }
    }

    /// What other networks would let in on this machine.
    #[must_use]
    pub fn with(&self, allowed: Vec<Allowed>) -> Self {
        let own = locked(&self.own).clone();
        let list = Self::new(allowed);
        list.set_own(own);
        list
    }

    /// These are the addresses of this machine now.
    pub fn set_own(&self, addresses: Vec<IpAddr>) {
        *locked(&self.own) = addresses;
    }

    /// Whether this machine has this address.
    pub fn is_own(&self, address: IpAddr) -> bool {
        locked(&self.own).contains(&address.to_canonical())
    }

    /// Whether a connection from `from` is let in.
    pub fn admits(&self, from: IpAddr) -> bool {
        let from = from.to_canonical();
        if from.is_loopback() || self.is_own(from) {
            return true;
        }
        self.allowed.iter().any(|allowed| match allowed {
            Allowed::Network(network) => network.contains(&from),
            Allowed::OwnIpv6 => self.is_own_ipv6(from),
        })
    }

    /// Whether an address is in a network of 64 bits in which this machine has an IPv6 address too.
    pub fn is_own_ipv6(&self, address: IpAddr) -> bool {
        let network = |address: Ipv6Addr| address.to_bits() >> 64;
        let IpAddr::V6(address) = address.to_canonical() else { return false };
        locked(&self.own)
            .iter()
            .any(|own| matches!(own, IpAddr::V6(own) if network(*own) == network(address)))
    }

    /// Notes that a connection from `from` was refused. `Some` if that is worth a line of the log now: how many there were since
    /// the last such line, this one included.
    pub fn refused(&self, from: IpAddr, now: Now) -> Option<u64> {
        locked(&self.refused).note(Source::of(from), now)
    }

    /// Who was refused since the server was started, the last one first. The list is bounded.
    pub fn all_refused(&self) -> Vec<RefusedAddress> {
        let mut all: Vec<_> = locked(&self.refused).all().collect();
        all.sort_by_key(|(address, seen)| (std::cmp::Reverse(seen.last.mono), *address));
        all.into_iter()
            .map(|(address, seen)| RefusedAddress { address, count: seen.count, last: seen.last.unix })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use std::time::Duration;

    fn list(allow: &str) -> AccessList {
        AccessList::new(Config::parse(&format!("network.allow = {allow}")).unwrap().network.allow)
    }

    fn admits(list: &AccessList, from: &str) -> bool {
        list.admits(from.parse().unwrap())
    }

    #[test]
    fn by_default_homes_and_the_vpns_of_players_are_let_in_and_the_internet_is_not() {
        let list = AccessList::new(Config::default().network.allow);
        for near in [
            "127.0.0.1",
            "::1",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "::ffff:192.168.0.1",
            "169.254.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "25.1.2.3",
            "26.1.2.3",
            "fd12:3456::1",
            "fe80::1",
        ] {
            assert!(admits(&list, near), "{near}");
        }
        for far in [
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "24.255.255.255",
            "27.0.0.1",
            "2001:db8::1",
            "::ffff:8.8.8.8",
        ] {
            assert!(!admits(&list, far), "{far}");
        }
    }

    #[test]
    fn the_ipv6_networks_of_this_machine_are_those_it_has_now() {
        let list = list("[\"own-ipv6\"]");
        assert!(!admits(&list, "2001:db8:1:2::9"));
        list.set_own(vec!["2001:db8:1:2::1".parse().unwrap(), "203.0.113.5".parse().unwrap()]);
        assert!(admits(&list, "2001:db8:1:2::9") && !admits(&list, "2001:db8:1:3::9"));
        assert!(admits(&list, "203.0.113.5"), "this machine itself");
        assert!(!admits(&list, "203.0.113.6"), "its neighbours of IPv4 are named or not let in");
        list.set_own(vec!["2001:db8:7:7::1".parse().unwrap()]);
        assert!(!admits(&list, "2001:db8:1:2::9") && admits(&list, "2001:db8:7:7::9"));
    }

    #[test]
    fn only_this_machine_is_let_in_if_nobody_is_named() {
        let list = list("[]");
        list.set_own(vec!["192.168.0.2".parse().unwrap()]);
        assert!(admits(&list, "127.0.0.1") && admits(&list, "192.168.0.2") && !admits(&list, "192.168.0.3"));
    }

    #[test]
    fn who_is_refused_is_remembered_the_last_one_first() {
        let (list, start) = (list("[]"), Now::read());
        assert_eq!(list.refused("26.1.2.3".parse().unwrap(), start), Some(1));
        let later = start.later(Duration::from_secs(9));
        assert_eq!(list.refused("2001:db8::1".parse().unwrap(), later), Some(1));
        assert_eq!(
            list.refused("2001:db8::2".parse().unwrap(), later),
            None,
            "one network of 64 bits is one"
        );
        let all: Vec<_> = list.all_refused().iter().map(|one| (one.address.to_string(), one.count)).collect();
        assert_eq!(all, [("2001:db8::/64".to_owned(), 2), ("26.1.2.3".to_owned(), 1)]);
    }
}
