//! How much one persona may have passed on, so that nobody is flooded.
//!
//! A receiver that does not read, because its PC loads a track, is cut off when too much waits for it. What it does not read must
//! therefore be what races need, and not what somebody sends to get rid of it.

use crate::clock::Now;
use std::time::{Duration, Instant};

/// So many seconds' worth of relays may be sent at once, if little was sent before.
const BURST_SECONDS: u64 = 4;

/// What a relay costs.
#[derive(Clone, Copy, Debug)]
pub struct RelayLoad {
    /// Its length, in bytes.
    pub bytes: usize,
    /// How many bytes a second a persona may send, on all its connections together.
    pub per_second: u32,
    /// When it came.
    pub now: Now,
}

/// Why a relay goes nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unheard {
    /// The sender is not in that channel.
    NotThere,
    /// The sender sends too much.
    TooMuch,
}

/// What a persona may still send.
#[derive(Debug)]
pub(super) struct Allowance {
    bytes: u64,
    at: Instant,
}

impl Allowance {
    pub(super) const fn full(load: RelayLoad) -> Self {
        Self { bytes: load.burst(), at: load.now.mono }
    }

    /// Takes what a relay costs, if it is there.
    pub(super) fn take(&mut self, load: RelayLoad) -> bool {
        let since = load.now.since(self.at).min(Duration::from_mins(1)).as_micros();
        let back = u64::try_from(since).unwrap_or_default() * u64::from(load.per_second) / 1_000_000;
        if back > 0 {
            (self.bytes, self.at) = ((self.bytes + back).min(load.burst()), load.now.mono);
        }
        let left = self.bytes.checked_sub(u64::try_from(load.bytes).unwrap_or(u64::MAX));
        self.bytes = left.unwrap_or(self.bytes);
        left.is_some()
    }
}

impl RelayLoad {
    const fn burst(self) -> u64 {
        BURST_SECONDS * self.per_second as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Limits;

    #[test]
    fn a_race_is_far_below_the_rate_and_a_flood_gets_no_more_than_that() {
        let per_second = Limits::default().relay_bytes_per_second;
        let mut now = Now::read();
        let load = |bytes, now| RelayLoad { bytes, per_second, now };
        let mut racer = Allowance::full(load(0, now));
        for _ in 0..30 * 60 {
            now = now.later(Duration::from_millis(33));
            assert!(racer.take(load(300, now)));
        }
        let mut flooder = Allowance::full(load(0, now));
        let most = load(0, now).burst() + 10 * u64::from(per_second);
        let mut passed = 0;
        for _ in 0..1000 {
            now = now.later(Duration::from_millis(10));
            passed += if flooder.take(load(60_000, now)) { 60_000 } else { 0 };
        }
        assert!((most - 60_000..=most).contains(&passed), "{passed}");
    }
}
