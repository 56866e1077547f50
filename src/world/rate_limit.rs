//! How often somebody may fail to sign in.

use super::locked;
use super::source::Source;
use crate::clock::Now;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The span in which failures are counted together, unless it is a day.
const WINDOW: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// How many counts are kept at once; beyond that the oldest is forgotten.
const MAX_COUNTS: usize = 8192;

/// An address may fail this many times as often as one of the names it tries: so nobody guesses much more by taking many names,
/// and who has forgotten a password does not lock out others behind the same router.
const NAMES: u32 = 5;

/// An address, and the hash of a name or none for all of them together.
type Key = (Source, Option<u64>);

/// Counts failures for each name that is tried from an address, and for each address, so that nobody can guess passwords
/// quickly. This machine itself (loopback) is exempt.
#[derive(Debug)]
pub struct FailureLimit {
    most: u32,
    window: Duration,
    /// Whether this machine itself is counted too.
    everybody: bool,
    /// Names are not kept: people type passwords there.
    seen: Mutex<HashMap<Key, Failures>>,
    hasher: RandomState,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    since: Instant,
    count: u32,
}

impl FailureLimit {
    /// Allows this many failures per address, name and minute.
    pub fn new(per_minute: u32) -> Self {
        Self {
            most: per_minute,
            window: WINDOW,
            everybody: false,
            seen: Mutex::default(),
            hasher: RandomState::new(),
        }
    }

    /// Allows this many within 24 hours from the first on.
    pub fn daily(per_day: u32) -> Self {
        Self { window: DAY, ..Self::new(per_day) }
    }

    /// The same as [`Self::new`], with this machine itself counted like any other.
    pub fn for_everybody(per_minute: u32) -> Self {
        Self { everybody: true, ..Self::new(per_minute) }
    }

    /// Whether this address may try this name at `now`; upper and lower case are one. Counts the try as failed until
    /// [`Self::forgive`] says otherwise, so that many tries at once gain nothing. A try that is refused is not counted.
    /// Where there are no names it is the empty one.
    pub fn admit(&self, from: IpAddr, name: &str, now: Now) -> bool {
        let Some(keys) = self.counted_as(from, name) else { return true };
        let most = [self.most, self.most.saturating_mul(NAMES)];
        let mut seen = locked(&self.seen);
        let count = |key| {
            seen.get(key)
                .filter(|failures| !failures.is_old(now, self.window))
                .map_or(0, |failures| failures.count)
        };
        if keys.iter().zip(most).any(|(key, most)| count(key) >= most) {
            return false;
        }
        for key in keys {
            make_room(&mut seen, &key, now, self.window);
            let failures = seen.entry(key).or_insert(Failures { since: now.mono, count: 0 });
            if failures.is_old(now, self.window) {
                *failures = Failures { since: now.mono, count: 0 };
            }
            failures.count += 1;
        }
        true
    }

    /// The last admitted try of this address and name was no failure.
    pub fn forgive(&self, from: IpAddr, name: &str) {
        let mut seen = locked(&self.seen);
        for key in self.counted_as(from, name).into_iter().flatten() {
            if let Some(failures) = seen.get_mut(&key) {
                failures.count = failures.count.saturating_sub(1);
            }
        }
    }

    /// Under what a failure is counted: the name and the address, and the address alone. There is no address for loopback, unless
    /// everybody is counted.
    fn counted_as(&self, from: IpAddr, name: &str) -> Option<[Key; 2]> {
        let from = Source::of(from);
        if from.is_this_machine() && !self.everybody {
            return None;
        }
        Some([(from, Some(self.hasher.hash_one(name.to_ascii_lowercase()))), (from, None)])
    }
}

impl Failures {
    fn is_old(&self, now: Now, window: Duration) -> bool {
        now.since(self.since) >= window
    }
}

/// Makes room for a count under `key`, if it is a new one.
fn make_room(seen: &mut HashMap<Key, Failures>, key: &Key, now: Now, window: Duration) {
    if seen.len() < MAX_COUNTS || seen.contains_key(key) {
        return;
    }
    seen.retain(|_, failures| !failures.is_old(now, window));
    if seen.len() >= MAX_COUNTS
        && let Some(oldest) = seen.iter().min_by_key(|(_, failures)| failures.since).map(|(key, _)| *key)
    {
        seen.remove(&oldest);
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
            assert!((0..9).all(|_| limit.admit(from.parse().unwrap(), "", now)), "{from}");
        }
    }

    #[test]
    fn this_machine_is_counted_where_everybody_is() {
        let limit = FailureLimit::for_everybody(1);
        let now = Now::read();
        for from in ["127.0.0.1", "::1"] {
            let from = from.parse().unwrap();
            assert!(limit.admit(from, "", now) && !limit.admit(from, "", now));
        }
    }

    #[test]
    fn failures_are_forgotten_after_a_minute() {
        let limit = FailureLimit::new(1);
        let start = Now::read();
        assert!(limit.admit(HOME, "", start));
        assert!(!limit.admit(HOME, "", start.later(Duration::from_secs(59))));
        assert!(limit.admit(HOME, "", start.later(Duration::from_mins(1))));
        assert!(!limit.admit(HOME, "", start.later(Duration::from_secs(61))));
    }

    #[test]
    fn who_tries_one_name_for_ever_does_not_lock_out_others_of_the_address() {
        let limit = FailureLimit::new(3);
        let now = Now::read();
        assert_eq!((0..1000).filter(|_| limit.admit(HOME, "child", now)).count(), 3);
        assert!(!limit.admit(HOME, "CHILD", now));
        assert!(limit.admit(HOME, "parent", now));
        limit.forgive(HOME, "parent");
        assert!((0..3).all(|_| limit.admit(HOME, "parent", now)));
    }

    #[test]
    fn an_address_gains_little_by_many_names() {
        let limit = FailureLimit::new(3);
        let now = Now::read();
        let admitted = (0..1000).filter(|name| limit.admit(HOME, &name.to_string(), now)).count();
        assert_eq!(admitted, 3 * NAMES as usize);
        assert!(!limit.admit(HOME, "another", now));
        assert!(limit.admit("192.168.1.10".parse().unwrap(), "another", now));
        assert_eq!(limit.seen.lock().unwrap().len(), admitted + 3, "what is refused is not remembered");
    }

    #[test]
    fn one_network_of_ipv6_counts_as_one_address() {
        let limit = FailureLimit::new(1);
        let now = Now::read();
        assert!(limit.admit("fd00::1".parse().unwrap(), "", now));
        assert!(!limit.admit("fd00::2".parse().unwrap(), "", now));
        assert!(limit.admit("fd00:0:0:1::1".parse().unwrap(), "", now));
    }

    #[test]
    fn the_memory_for_addresses_is_bounded() {
        let limit = FailureLimit::new(1);
        let now = Now::read();
        for n in 0..10_000u32 {
            assert!(limit.admit(Ipv4Addr::from_bits(0x0a00_0000 + n).into(), "", now));
        }
        assert_eq!(limit.seen.lock().unwrap().len(), MAX_COUNTS);
    }
}
