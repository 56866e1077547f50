//! How often somebody may fail to sign in.

use super::locked;
use crate::clock::Now;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The span in which failures of one address are counted together.
const WINDOW: Duration = Duration::from_mins(1);

/// How many addresses are remembered at once; beyond that the oldest is forgotten.
const MAX_ADDRESSES: usize = 4096;

/// Counts failed logins for each address, so that nobody can guess passwords quickly. This machine itself
/// (loopback) is exempt.
#[derive(Debug)]
pub struct FailureLimit {
    per_minute: u32,
    /// Whether this machine itself is counted too.
    everybody: bool,
    seen: Mutex<HashMap<IpAddr, Failures>>,
}

#[derive(Debug)]
struct Failures {
    since: Instant,
    count: u32,
}

impl FailureLimit {
    /// Allows this many failures per address and minute.
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute, everybody: false, seen: Mutex::default() }
    }

    /// The same, with this machine itself counted like any other.
    pub fn for_everybody(per_minute: u32) -> Self {
        Self { everybody: true, ..Self::new(per_minute) }
    }

    /// Whether this address may try at `now`. Counts the try as failed until [`Self::forgive`] says otherwise,
    /// so that many tries at once gain nothing.
    pub fn admit(&self, from: IpAddr, now: Now) -> bool {
        let Some(from) = self.counted_as(from) else { return true };
        let mut seen = locked(&self.seen);
        let is_old = |failures: &Failures| now.since(failures.since) >= WINDOW;
        if seen.len() >= MAX_ADDRESSES && !seen.contains_key(&from) {
            seen.retain(|_, failures| !is_old(failures));
            if seen.len() >= MAX_ADDRESSES
                && let Some(oldest) =
                    seen.iter().min_by_key(|(_, failures)| failures.since).map(|(ip, _)| *ip)
            {
                seen.remove(&oldest);
            }
        }
        let failures = seen.entry(from).or_insert(Failures { since: now.mono, count: 0 });
        if is_old(failures) {
            *failures = Failures { since: now.mono, count: 0 };
        }
        let admitted = failures.count < self.per_minute;
        if admitted {
            failures.count += 1;
        }
        admitted
    }

    /// The last admitted try of this address was no failure.
    pub fn forgive(&self, from: IpAddr) {
        let Some(from) = self.counted_as(from) else { return };
        let mut seen = locked(&self.seen);
        if let Some(failures) = seen.get_mut(&from) {
            failures.count = failures.count.saturating_sub(1);
        }
    }

    /// The address under which failures are counted: the whole network of 64 bits for IPv6, because every host has as
    /// many addresses there as it likes; none for loopback, unless everybody is counted.
    fn counted_as(&self, from: IpAddr) -> Option<IpAddr> {
        match from.to_canonical() {
            from if from.is_loopback() => self.everybody.then_some(from),
            IpAddr::V4(from) => Some(from.into()),
            IpAddr::V6(from) => Some(Ipv6Addr::from_bits(from.to_bits() & !u128::from(u64::MAX)).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 9));

    #[test]
    fn this_machine_itself_may_fail_as_often_as_it_likes() {
        let limit = FailureLimit::new(1);
        let now = Now::read();
        for from in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            assert!((0..9).all(|_| limit.admit(from.parse().unwrap(), now)), "{from}");
        }
    }

    #[test]
    fn this_machine_is_counted_where_everybody_is() {
        let limit = FailureLimit::for_everybody(1);
        let now = Now::read();
        for from in ["127.0.0.1", "::1"] {
            assert!(limit.admit(from.parse().unwrap(), now) && !limit.admit(from.parse().unwrap(), now));
        }
    }

    #[test]
    fn failures_are_forgotten_after_a_minute() {
        let limit = FailureLimit::new(1);
        let start = Now::read();
        assert!(limit.admit(HOME, start));
        assert!(!limit.admit(HOME, start.later(Duration::from_secs(59))));
        assert!(limit.admit(HOME, start.later(Duration::from_mins(1))));
        assert!(!limit.admit(HOME, start.later(Duration::from_secs(61))));
    }

    #[test]
    fn one_network_of_ipv6_counts_as_one_address() {
        let limit = FailureLimit::new(1);
        let now = Now::read();
        assert!(limit.admit("fd00::1".parse().unwrap(), now));
        assert!(!limit.admit("fd00::2".parse().unwrap(), now));
        assert!(limit.admit("fd00:0:0:1::1".parse().unwrap(), now));
    }

    #[test]
    fn the_memory_for_addresses_is_bounded() {
        let limit = FailureLimit::new(1);
        let now = Now::read();
        for n in 0..10_000u32 {
            assert!(limit.admit(Ipv4Addr::from_bits(0x0a00_0000 + n).into(), now));
        }
        assert_eq!(limit.seen.lock().unwrap().len(), MAX_ADDRESSES);
    }
}
