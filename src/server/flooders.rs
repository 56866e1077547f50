//! Who is refused without end, and so is no longer answered at all: for a while the system throws its new connections away
//! ([`syn_filter`](super::syn_filter)), which costs a small part of accepting and closing each of them.

use crate::clock::Now;
use crate::world::Source;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// For so long nothing new of a flooder is answered: the first time, and the longest. It is twice as long each time, if the flood goes on
/// as soon as it is answered. Who asks to connect asks again after 1, 3, 7 and 15 seconds, so that others behind the same address come
/// in late, but come in.
const TURNED_AWAY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));
/// Who does not flood for so long after it is answered again is a flooder for the first time, if it ever floods again.
const FORGOTTEN: Duration = Duration::from_secs(5);
/// Refusals are counted anew after this time.
const WINDOW: Duration = Duration::from_secs(1);
/// How many addresses are counted at once; what others do in the same second is forgotten.
const MOST_COUNTED: usize = 1024;
/// How many addresses are turned away at once; the system looks through all of them at each new connection, and has memory for these
/// where net.core.optmem_max is 10,240 (Linux of 32 bits up to 6.7; of 64 bits 20,480, and later 131,072).
pub(super) const MOST_TURNED_AWAY: usize = 128;

/// Counts refusals, and remembers who is turned away.
#[derive(Debug)]
pub(super) struct Flooders {
    /// Who is refused more often than this within a second floods: the least and the most. One alone has the most, and several have as
    /// many together, because to refuse that many costs next to nothing. So who asks now and then, behind an address from which another
    /// one asks in bursts, is served, unless those bursts are as many as a flood.
    allowed: (u32, u32),
    refused: HashMap<Source, u32>,
    since: Instant,
    known: HashMap<Source, Known>,
    /// Somebody is turned away that was not when this was last asked.
    news: bool,
}

/// Who floods, or did a moment ago.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// For so long it is turned away,
    long: Duration,
    /// until this time.
    until: Instant,
}

impl Flooders {
    /// Nobody, from `now` on; so many refusals within a second are no flood: of each of many addresses, and of all together.
    pub(super) fn new(allowed: (u32, u32), now: Now) -> Self {
        Self { allowed, refused: HashMap::new(), since: now.mono, known: HashMap::new(), news: false }
    }

    /// A connection was refused. Returns for how long its address is turned away, if that begins with this one.
    pub(super) fn note(&mut self, from: Source, now: Now) -> Option<Duration> {
        // What was already waiting to be accepted still comes, and is no new flood.
        if self.known.get(&from).is_some_and(|known| now.mono < known.until) {
            return None;
        }
        if now.since(self.since) >= WINDOW {
            self.refused.clear();
            self.since = now.mono;
        }
        if self.refused.len() >= MOST_COUNTED && !self.refused.contains_key(&from) {
            return None;
        }
        let count = self.refused.entry(from).or_default();
        *count = count.saturating_add(1);
        let count = *count;
        if count <= self.allowed.0 {
            return None;
        }
        self.known.retain(|_, known| now.mono < known.until + FORGOTTEN);
        let known = self.known.get(&from);
        let others = self.known.len() - usize::from(known.is_some());
        let share = self.allowed.1 / u32::try_from(others + 1).unwrap_or(u32::MAX);
        if count <= share || others >= MOST_TURNED_AWAY {
            return None;
        }
        let (first, longest) = TURNED_AWAY;
        let long = known.map_or(first, |known| (known.long * 2).min(longest));
        self.known.insert(from, Known { long, until: now.mono + long });
        // Else it has had its share of this second already when it comes back.
        self.refused.remove(&from);
        self.news = true;
        Some(long)
    }

    /// Who is turned away at this time, in order.
    pub(super) fn turned_away(&self, now: Now) -> Vec<Source> {
        let turned_away = self.known.iter().filter(|(_, known)| now.mono < known.until);
        let mut sources: Vec<_> = turned_away.map(|(source, _)| *source).collect();
        sources.sort_unstable();
        sources
    }

    /// Whether somebody is turned away since this was last asked.
    pub(super) fn has_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn host(n: u32) -> Source {
        Source::of(Ipv4Addr::from_bits(0x0a00_0000 + n).into())
    }

    /// Refuses so many; the time for which the address is turned away, if that begins then.
    fn refuse(flooders: &mut Flooders, from: Source, count: u32, now: Now) -> Option<u64> {
        let times: Vec<_> = (0..count).filter_map(|_| flooders.note(from, now)).collect();
        assert!(times.len() <= 1, "it is told once");
        times.first().map(Duration::as_secs)
    }

    #[test]
    fn who_is_refused_more_often_in_a_second_than_allowed_is_turned_away_for_longer_and_longer() {
        let start = Now::read();
        let mut flooders = Flooders::new((3, 30), start);
        let at = |milliseconds| start.later(Duration::from_millis(milliseconds));
        for second in 0..20 {
            assert_eq!(
                refuse(&mut flooders, host(1), 30, at(second * 1000)),
                None,
                "thirty a second are no flood"
            );
        }
        assert!(flooders.turned_away(at(19_000)).is_empty() && !flooders.has_news());
        let mut now = 20_000;
        for seconds in [1, 2, 4, 8, 10, 10] {
            assert_eq!(refuse(&mut flooders, host(2), 100, at(now)), Some(seconds));
            assert!(flooders.has_news() && !flooders.has_news());
            let end = now + 1000 * seconds;
            assert_eq!(refuse(&mut flooders, host(2), 100, at(end - 1)), None, "who waited already");
            assert_eq!(flooders.turned_away(at(end - 1)), [host(2)]);
            assert!(flooders.turned_away(at(end)).is_empty());
            now = end + 4000;
        }
        assert_eq!(
            refuse(&mut flooders, host(2), 100, at(now + 1000)),
            Some(1),
            "it was quiet for five seconds"
        );
    }

    #[test]
    fn bursts_below_the_bound_turn_nobody_away_even_of_who_has_flooded() {
        let start = Now::read();
        let mut flooders = Flooders::new((16, 256), start);
        assert_eq!(refuse(&mut flooders, host(1), 300, start), Some(1));
        for second in 1..60 {
            let now = start.later(Duration::from_secs(second));
            assert_eq!(refuse(&mut flooders, host(1), 240, now), None);
        }
    }

    #[test]
    fn many_have_together_what_one_has_alone() {
        let start = Now::read();
        let mut flooders = Flooders::new((4, 32), start);
        let needed: Vec<u32> =
            (0..20).map(|n| (1..10_000).find(|_| flooders.note(host(n), start).is_some()).unwrap()).collect();
        assert_eq!(needed[..9], [33, 17, 11, 9, 7, 6, 5, 5, 5]);
        assert!(needed[9..].iter().all(|count| *count == 5), "{needed:?}");
    }

    #[test]
    fn the_memory_for_flooders_is_bounded() {
        let start = Now::read();
        let mut flooders = Flooders::new((1, 1), start);
        for n in 0..5000 {
            flooders.note(host(n), start);
            flooders.note(host(n), start);
        }
        assert_eq!(flooders.refused.len(), MOST_COUNTED);
        assert_eq!(flooders.turned_away(start).len(), MOST_TURNED_AWAY);
        assert_eq!(flooders.known.len(), MOST_TURNED_AWAY);
    }
}
