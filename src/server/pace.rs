//! How many messages an address may send to the game ports in a second. Each costs little, but a PC can send hundreds of thousands.

use super::token_bucket::TokenBuckets;
use crate::clock::Now;
use crate::world::Source;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// More than sixty players behind one address send who race, several times over.
const PER_SECOND: u64 = 4000;
/// How many may come at once.
const BURST: u64 = 8000;

/// Counts the messages of all connections of each address. This machine itself is exempt.
#[derive(Debug)]
pub(super) struct Pace(Mutex<TokenBuckets>);

impl Pace {
    pub(super) fn new() -> Self {
        Self(Mutex::new(TokenBuckets::new(PER_SECOND, BURST)))
    }

    /// Whether so many messages more of this address, which have been answered, are within its bounds. If not, its connection rests and
    /// asks again.
    pub(super) fn admit(&self, from: IpAddr, messages: u32, now: Now) -> bool {
        let from = Source::of(from);
        messages == 0
            || from.is_this_machine()
            || self.0.lock().unwrap_or_else(PoisonError::into_inner).take(from, messages.into(), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn an_address_has_so_many_messages_a_second_and_others_their_own() {
        let (pace, now) = (Pace::new(), Now::read());
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let admitted = |from, now| (0..1000).filter(|_| pace.admit(from, 64, now)).count();
        assert_eq!(admitted(one, now), 125, "a burst");
        assert!(pace.admit(one, 0, now), "nothing");
        assert_eq!(admitted(one, now.later(Duration::from_secs(1))), 62);
        assert_eq!(admitted(other, now), 125);
        assert_eq!(admitted([127, 0, 0, 1].into(), now), 1000);
    }
}
