//! Who is refused without end, and so is no longer answered at all: for a while the system throws its new connections away
//! ([`syn_filter`](super::syn_filter)), which costs a small part of accepting and closing each of them.

use crate::clock::Now;
use crate::world::Source;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// For so long nothing new of a flooder is answered. Who asks to connect asks again after 1, 3, 7 and 15 seconds, so that others behind
/// the same address come in late, but come in.
pub(super) const TURNED_AWAY: Duration = Duration::from_secs(10);
/// Refusals are counted anew after this time.
const WINDOW: Duration = Duration::from_secs(1);
/// How many addresses are counted at once; what others do in the same second is forgotten.
const MOST_COUNTED: usize = 1024;
/// How many addresses are turned away at once; the system looks through all of them at each new connection.
const MOST_TURNED_AWAY: usize = 128;

/// Counts refusals, and remembers who is turned away.
#[derive(Debug)]
pub(super) struct Flooders {
    /// Who is refused more often than this within a second floods.
    most: u32,
    refused: HashMap<Source, u32>,
    since: Instant,
    /// Until when.
    turned_away: HashMap<Source, Instant>,
}

impl Flooders {
    /// Nobody, from `now` on; `most` refusals within a second are no flood.
    pub(super) fn new(most: u32, now: Now) -> Self {
        Self { most, refused: HashMap::new(), since: now.mono, turned_away: HashMap::new() }
    }

    /// A connection was refused. Returns until when its address is turned away, if that begins with this one.
    pub(super) fn note(&mut self, from: Source, now: Now) -> Option<Now> {
        if now.since(self.since) >= WINDOW {
            self.refused.clear();
            self.since = now.mono;
        }
        if self.refused.len() >= MOST_COUNTED && !self.refused.contains_key(&from) {
            return None;
        }
        let count = self.refused.entry(from).or_default();
        *count = count.saturating_add(1);
        // What was already waiting to be accepted still comes, and is no new flood.
        if *count <= self.most
            || self.turned_away.contains_key(&from)
            || self.turned_away.len() >= MOST_TURNED_AWAY
        {
            return None;
        }
        let until = now.later(TURNED_AWAY);
        self.turned_away.insert(from, until.mono);
        Some(until)
    }

    /// Who is turned away at this time, in order.
    pub(super) fn turned_away(&mut self, now: Now) -> Vec<Source> {
        self.turned_away.retain(|_, until| *until > now.mono);
        let mut sources: Vec<_> = self.turned_away.keys().copied().collect();
        sources.sort_unstable();
        sources
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
    fn who_is_refused_more_often_in_a_second_than_allowed_is_turned_away_for_ten() {
        let start = Now::read();
        let mut flooders = Flooders::new(3, start);
        let at = |milliseconds| start.later(Duration::from_millis(milliseconds));
        for second in 0..20 {
            for _ in 0..3 {
                assert!(flooders.note(host(1), at(second * 1000)).is_none(), "three a second are no flood");
            }
        }
        assert!(flooders.turned_away(at(20_000)).is_empty());
        for _ in 0..3 {
            assert!(flooders.note(host(2), at(20_000)).is_none());
        }
        assert_eq!(flooders.note(host(2), at(20_500)).map(|until| until.mono), Some(at(30_500).mono));
        assert!(flooders.note(host(2), at(20_600)).is_none(), "it is told once");
        assert_eq!(flooders.turned_away(at(30_499)), [host(2)]);
        assert!(flooders.turned_away(at(30_500)).is_empty());
        for _ in 0..3 {
            assert!(flooders.note(host(2), at(31_000)).is_none());
        }
        assert!(flooders.note(host(2), at(31_000)).is_some(), "and again, if it goes on");
    }

    #[test]
    fn the_memory_for_flooders_is_bounded() {
        let start = Now::read();
        let mut flooders = Flooders::new(1, start);
        for n in 0..5000 {
            flooders.note(host(n), start);
            flooders.note(host(n), start);
        }
        assert_eq!(flooders.refused.len(), MOST_COUNTED);
        assert_eq!(flooders.turned_away(start).len(), MOST_TURNED_AWAY);
    }
}
