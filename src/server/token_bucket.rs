//! So much per second and address, with room for a burst: token buckets.

use crate::clock::Now;
use crate::world::Source;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How many addresses have a bucket at once. Who is forgotten begins with a full one.
const MOST_SOURCES: usize = 8192;

/// A bucket of tokens for each address. They come back at a constant rate; what is asked for must be there as a whole.
#[derive(Debug)]
pub(super) struct TokenBuckets {
    per_second: u64,
    burst: u64,
    buckets: HashMap<Source, Bucket>,
}

/// What one address had when it was last asked about. A full bucket is no bucket: it is forgotten.
#[derive(Debug)]
struct Bucket {
    /// In thousandths of a token.
    left: u64,
    at: Instant,
}

impl TokenBuckets {
    /// Buckets that hold `burst` tokens and get `per_second` back each second.
    pub(super) fn new(per_second: u64, burst: u64) -> Self {
        Self { per_second, burst, buckets: HashMap::new() }
    }

    /// Takes so many tokens of an address, if it has them.
    pub(super) fn take(&mut self, from: Source, tokens: u64, now: Now) -> bool {
        let (per_second, full) = (self.per_second, self.burst.saturating_mul(1000));
        if self.buckets.len() >= MOST_SOURCES && !self.buckets.contains_key(&from) {
            self.buckets.retain(|_, bucket| bucket.at(now, per_second) < full);
            if self.buckets.len() >= MOST_SOURCES
                && let Some(oldest) =
                    self.buckets.iter().min_by_key(|(_, bucket)| bucket.at).map(|one| *one.0)
            {
                self.buckets.remove(&oldest);
            }
        }
        let bucket = self.buckets.entry(from).or_insert(Bucket { left: full, at: now.mono });
        bucket.left = bucket.at(now, per_second).min(full);
        bucket.at = bucket.at.max(now.mono);
        let left = bucket.left.checked_sub(tokens.saturating_mul(1000));
        bucket.left = left.unwrap_or(bucket.left);
        left.is_some()
    }

    /// An address that has a bucket has nothing left, and gets nothing back before `until`.
    pub(super) fn empty_until(&mut self, from: Source, until: Now) {
        if let Some(bucket) = self.buckets.get_mut(&from) {
            *bucket = Bucket { left: 0, at: until.mono };
        }
    }
}

impl Bucket {
    /// What is in it now, or more than it holds.
    fn at(&self, now: Now, per_second: u64) -> u64 {
        let back = now.since(self.at).min(Duration::from_hours(1)).as_millis();
        self.left.saturating_add(u64::try_from(back).unwrap_or(u64::MAX).saturating_mul(per_second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn host(n: u32) -> Source {
        Source::of(Ipv4Addr::from_bits(0x0a00_0000 + n).into())
    }

    #[test]
    fn a_burst_is_had_at_once_and_comes_back_by_and_by_for_each_address_alone() {
        let (mut buckets, now) = (TokenBuckets::new(10, 30), Now::read());
        assert_eq!((0..100).filter(|_| buckets.take(host(1), 1, now)).count(), 30);
        assert!(buckets.take(host(2), 30, now));
        let later = now.later(Duration::from_millis(500));
        assert_eq!((0..100).filter(|_| buckets.take(host(1), 1, later)).count(), 5);
        let much_later = now.later(Duration::from_hours(9));
        assert_eq!((0..100).filter(|_| buckets.take(host(1), 1, much_later)).count(), 30);
    }

    #[test]
    fn asking_in_vain_costs_nothing_however_often() {
        let (mut buckets, now) = (TokenBuckets::new(1, 1), Now::read());
        assert!(buckets.take(host(1), 1, now));
        for millisecond in 0..1000 {
            assert!(!buckets.take(host(1), 1, now.later(Duration::from_millis(millisecond))));
        }
        assert!(buckets.take(host(1), 1, now.later(Duration::from_secs(1))));
    }

    #[test]
    fn who_floods_has_nothing_until_a_time_and_nothing_saved_up_then() {
        let (mut buckets, now) = (TokenBuckets::new(10, 30), Now::read());
        let at = |second| now.later(Duration::from_secs(second));
        assert!(buckets.take(host(1), 1, now));
        buckets.empty_until(host(1), at(10));
        for second in 0..=10 {
            assert!(!buckets.take(host(1), 1, at(second)));
        }
        assert_eq!((0..100).filter(|_| buckets.take(host(1), 1, at(11))).count(), 10);
    }

    #[test]
    fn the_memory_for_addresses_is_bounded() {
        let (mut buckets, now) = (TokenBuckets::new(1, 1), Now::read());
        for n in 0..20_000 {
            assert!(buckets.take(host(n), 1, now));
        }
        assert_eq!(buckets.buckets.len(), MOST_SOURCES);
    }
}
