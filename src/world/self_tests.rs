//! What the self-test of a player kit has reached. The server sees that by itself, by the address of the PC: so the answer is about what
//! arrives, whatever the PC believes of it.

use super::locked;
use super::source::Source;
use crate::clock::Now;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How many addresses are remembered. Beyond that the oldest test is forgotten of that source from which most come: an IPv6 host
/// with many addresses pushes nobody out but itself.
const MAX_ADDRESSES: usize = 64;

/// For how long a test notes what it reaches: longer than it takes where nothing answers.
const LONGEST: Duration = Duration::from_mins(2);

/// What a PC has to reach, in the order in which the game needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tested {
    /// The pages, without TLS: the test has begun.
    Pages,
    /// The port of Auth.
    Auth,
    /// A request to that port by TLS: the PC trusts the certificate, and has a cipher in common with the server.
    Certificate,
    /// The port of Login.
    Login,
    /// The port of Persona.
    Persona,
    /// The port of Lobby.
    Lobby,
    /// The port of MCOTS.
    Mcots,
    /// A port of a room.
    Room,
}

impl Tested {
    /// All of them, in order.
    pub const ALL: [Self; 8] = [
        Self::Pages,
        Self::Auth,
        Self::Certificate,
        Self::Login,
        Self::Persona,
        Self::Lobby,
        Self::Mcots,
        Self::Room,
    ];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The last test of one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfTest {
    /// When it began.
    pub begun: Instant,
    reached: u8,
}

impl SelfTest {
    /// Whether it has reached this.
    pub const fn has_reached(self, what: Tested) -> bool {
        self.reached & what.bit() != 0
    }
}

/// The tests of all addresses.
#[derive(Debug, Default)]
pub struct SelfTests {
    /// Whether one may be under way. If not, a connection costs no lock.
    under_way: AtomicBool,
    tests: Mutex<HashMap<IpAddr, SelfTest>>,
}

impl SelfTests {
    /// A PC at this address begins a test.
    pub fn begin(&self, from: IpAddr, now: Now) {
        let from = from.to_canonical();
        let mut tests = locked(&self.tests);
        if tests.len() >= MAX_ADDRESSES && !tests.contains_key(&from) {
            let mut of_source: HashMap<Source, usize> = HashMap::new();
            for address in tests.keys() {
                *of_source.entry(Source::of(*address)).or_default() += 1;
            }
            let most = |address: &IpAddr| of_source.get(&Source::of(*address)).copied();
            let first = tests.iter().max_by_key(|(address, test)| (most(address), Reverse(test.begun)));
            if let Some(first) = first.map(|(address, _)| *address) {
                tests.remove(&first);
            }
        }
        tests.insert(from, SelfTest { begun: now.mono, reached: Tested::Pages.bit() });
        self.under_way.store(true, Ordering::Relaxed);
    }

    /// Something from this address has arrived.
    pub fn reached(&self, from: IpAddr, what: Tested, now: Now) {
        if !self.under_way.load(Ordering::Relaxed) {
            return;
        }
        let mut tests = locked(&self.tests);
        let is_under_way = |test: &SelfTest| now.since(test.begun) < LONGEST;
        if let Some(test) = tests.get_mut(&from.to_canonical()).filter(|test| is_under_way(test)) {
            test.reached |= what.bit();
        } else if !tests.values().any(is_under_way) {
            self.under_way.store(false, Ordering::Relaxed);
        }
    }

    /// The last test of an address, if there was one.
    pub fn of(&self, address: IpAddr) -> Option<SelfTest> {
        locked(&self.tests).get(&address.to_canonical()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 20));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 21));

    fn reached(tests: &SelfTests, address: IpAddr) -> Vec<Tested> {
        let test = tests.of(address).unwrap();
        Tested::ALL.into_iter().filter(|what| test.has_reached(*what)).collect()
    }

    #[test]
    fn a_test_has_reached_what_came_from_its_address_while_it_ran() {
        let (tests, now) = (SelfTests::default(), Now::read());
        tests.reached(HOME, Tested::Login, now);
        assert_eq!(tests.of(HOME), None, "nobody has begun one");
        tests.begin(HOME, now);
        tests.reached(HOME, Tested::Login, now);
        tests.reached(OTHER, Tested::Room, now);
        tests.reached("::ffff:192.168.1.20".parse().unwrap(), Tested::Mcots, now.later(LONGEST / 2));
        assert_eq!(reached(&tests, HOME), [Tested::Pages, Tested::Login, Tested::Mcots]);
        // Later it is the game that comes, or another program.
        tests.reached(HOME, Tested::Lobby, now.later(LONGEST));
        assert_eq!(reached(&tests, HOME).len(), 3);
        assert!(!tests.under_way.load(Ordering::Relaxed), "no test is under way any more");
        let again = now.later(LONGEST * 2);
        tests.begin(HOME, again);
        tests.reached(HOME, Tested::Auth, again);
        assert_eq!(reached(&tests, HOME), [Tested::Pages, Tested::Auth], "a new test begins with nothing");
    }

    #[test]
    fn the_oldest_test_is_forgotten_where_there_are_too_many() {
        let (tests, now) = (SelfTests::default(), Now::read());
        for number in 0..=u8::try_from(MAX_ADDRESSES).unwrap() {
            tests.begin([10, 0, 0, number].into(), now.later(Duration::from_secs(number.into())));
        }
        assert_eq!(tests.of([10, 0, 0, 0].into()), None);
        assert!(tests.of([10, 0, 0, 1].into()).is_some());
        assert_eq!(locked(&tests.tests).len(), MAX_ADDRESSES);
    }

    #[test]
    fn an_ipv6_host_with_all_its_addresses_pushes_nobody_else_out() {
        let (tests, now) = (SelfTests::default(), Now::read());
        tests.begin(HOME, now);
        tests.begin("fd00:1::7".parse().unwrap(), now);
        let own = |n: u16| IpAddr::from([0xfd00, 2, 0, 0, 0, 0, 0, n]);
        for n in 0..1000 {
            tests.begin(own(n), now.later(Duration::from_secs(1 + u64::from(n))));
        }
        tests.begin(OTHER, now.later(Duration::from_secs(2000)));
        assert!(tests.of(HOME).is_some() && tests.of(OTHER).is_some());
        assert!(tests.of("fd00:1::7".parse().unwrap()).is_some());
        assert!(tests.of(own(999)).is_some() && tests.of(own(900)).is_none());
        assert_eq!(locked(&tests.tests).len(), MAX_ADDRESSES);
    }
}
