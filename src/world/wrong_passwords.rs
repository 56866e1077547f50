//! Who gave a wrong password lately. Others go first where passwords wait to be checked.

use super::locked;
use super::source::Source;
use crate::clock::Now;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How long a wrong password is remembered.
const REMEMBERED: Duration = Duration::from_mins(10);
/// Of how many addresses at once; beyond that the oldest is forgotten.
const MOST_SOURCES: usize = 4096;

/// The addresses whose last password was wrong, each for ten minutes. This machine itself is no exception: who waits there
/// only lets others go first.
#[derive(Debug, Default)]
pub struct WrongPasswords(Mutex<HashMap<Source, Instant>>);

impl WrongPasswords {
    /// A password from this address was checked, and was right or not.
    pub fn note(&self, from: IpAddr, right: bool, now: Now) {
        let (from, mut wrong) = (Source::of(from), locked(&self.0));
        if right {
            wrong.remove(&from);
            return;
        }
        if wrong.len() >= MOST_SOURCES && !wrong.contains_key(&from) {
            wrong.retain(|_, at| is_remembered(*at, now));
            if wrong.len() >= MOST_SOURCES
                && let Some(oldest) = wrong.iter().min_by_key(|(_, at)| **at).map(|(from, _)| *from)
            {
                wrong.remove(&oldest);
            }
        }
        wrong.insert(from, now.mono);
    }

    /// Whether the last password from there was wrong, within the last ten minutes.
    pub fn is_from(&self, source: Source, now: Now) -> bool {
        locked(&self.0).get(&source).is_some_and(|at| is_remembered(*at, now))
    }
}

fn is_remembered(at: Instant, now: Now) -> bool {
    now.since(at) < REMEMBERED
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn host(n: u32) -> IpAddr {
        Ipv4Addr::from_bits(0x0a00_0000 + n).into()
    }

    #[test]
    fn a_wrong_password_is_remembered_for_ten_minutes_or_until_a_right_one() {
        let (wrong, start) = (WrongPasswords::default(), Now::read());
        let is_from = |address: &str, now| wrong.is_from(Source::of(address.parse().unwrap()), now);
        wrong.note("fd00::1".parse().unwrap(), false, start);
        let almost = start.later(REMEMBERED.saturating_sub(Duration::from_millis(1)));
        assert!(is_from("fd00::2", almost), "one network of IPv6 is one address");
        assert!(!is_from("fd00:0:0:1::1", almost));
        assert!(!is_from("fd00::1", start.later(REMEMBERED)));
        wrong.note("fd00::2".parse().unwrap(), true, almost);
        assert!(!is_from("fd00::1", almost));
    }

    #[test]
    fn the_memory_for_addresses_is_bounded_and_the_oldest_is_forgotten() {
        let (wrong, start) = (WrongPasswords::default(), Now::read());
        let most = u32::try_from(MOST_SOURCES).unwrap();
        let at = |n: u32| start.later(Duration::from_millis(n.into()));
        for n in 0..most + 100 {
            wrong.note(host(n), false, at(n));
        }
        assert_eq!(wrong.0.lock().unwrap().len(), MOST_SOURCES);
        let now = at(most + 100);
        assert!(!wrong.is_from(Source::of(host(99)), now) && wrong.is_from(Source::of(host(100)), now));
    }
}
