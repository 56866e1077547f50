//! Who was refused, and how often: counted by address, so that a flood makes one line of the log a minute.

use super::source::Source;
use crate::clock::Now;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How many refused addresses are remembered; beyond that the one that was silent for longest is forgotten.
const MAX_SOURCES: usize = 64;

/// How often one refused address is logged at most.
const LOG_AGAIN: Duration = Duration::from_mins(1);

/// Counts what was refused, for each address. Its size is bounded.
#[derive(Debug, Default)]
pub struct Refusals(HashMap<Source, Refused>);

/// How often one address was refused.
#[derive(Clone, Copy, Debug)]
pub struct Refused {
    /// How many times.
    pub count: u64,
    /// The last time.
    pub last: Now,
    /// Those that no line of the log has told.
    unlogged: u64,
    logged: Instant,
}

impl Refusals {
    /// Notes one. `Some` if that is worth a line of the log now: how many there were since the last such line, this one included.
    pub fn note(&mut self, from: Source, now: Now) -> Option<u64> {
        if self.0.len() >= MAX_SOURCES
            && !self.0.contains_key(&from)
            && let Some(oldest) = self.0.iter().min_by_key(|(_, seen)| seen.last.mono).map(|(from, _)| *from)
        {
            self.0.remove(&oldest);
        }
        let mut is_new = false;
        let seen = self.0.entry(from).or_insert_with(|| {
            is_new = true;
            Refused { count: 0, unlogged: 0, logged: now.mono, last: now }
        });
        seen.count += 1;
        seen.unlogged += 1;
        seen.last = now;
        if !is_new && now.since(seen.logged) < LOG_AGAIN {
            return None;
        }
        seen.logged = now.mono;
        Some(std::mem::take(&mut seen.unlogged))
    }

    /// All that are remembered, in no order.
    pub fn all(&self) -> impl Iterator<Item = (Source, Refused)> + '_ {
        self.0.iter().map(|(from, seen)| (*from, *seen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn host(n: u32) -> Source {
        Source::of(Ipv4Addr::from_bits(0x0800_0000 + n).into())
    }

    #[test]
    fn repeats_are_counted_and_told_once_a_minute() {
        let (mut refusals, start) = (Refusals::default(), Now::read());
        assert_eq!(refusals.note(host(1), start), Some(1));
        for second in 1..60 {
            assert_eq!(refusals.note(host(1), start.later(Duration::from_secs(second))), None);
        }
        assert_eq!(refusals.note(host(1), start.later(Duration::from_mins(1))), Some(60));
        let [(from, seen)] = refusals.all().collect::<Vec<_>>()[..] else { panic!("one address") };
        assert_eq!((from, seen.count, seen.last.unix), (host(1), 61, start.unix + 60));
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_the_last() {
        let (mut refusals, start) = (Refusals::default(), Now::read());
        for n in 0..1000 {
            assert_eq!(refusals.note(host(n), start.later(Duration::from_millis(n.into()))), Some(1));
        }
        assert_eq!(refusals.all().count(), MAX_SOURCES);
        assert!(refusals.all().any(|(from, _)| from == host(999)));
    }
}
