//! Racers whose game files add up to something else: they may not see the same race. Kept for the last [`REMEMBERED`] and for a bounded
//! number of pairs.

use super::locked;
use crate::clock::Now;
use mco_proto::ids::PersonaId;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The most pairs that are kept; the one not seen for the longest time is forgotten first.
const MOST: usize = 256;
/// For how long they are kept, and how long nobody is told of the same pair again.
const REMEMBERED: Duration = Duration::from_hours(7 * 24);

/// Two racers with different game files, as they were last seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DifferentFiles {
    /// Who, by number.
    pub racers: [PersonaId; 2],
    /// When, in seconds since 1970.
    pub last: u64,
}

/// All pairs of racers with different game files.
#[derive(Debug, Default)]
pub struct GameFiles(Mutex<BTreeMap<[PersonaId; 2], Seen>>);

#[derive(Clone, Copy, Debug)]
struct Seen {
    last: u64,
    at: Instant,
    told: Instant,
}

impl GameFiles {
    /// Two racers have the same files, or not. Whether they are to be told: the first time in [`REMEMBERED`].
    pub fn compared(&self, one: PersonaId, other: PersonaId, same: bool, now: Now) -> bool {
        let mut pairs = locked(&self.0);
        pairs.retain(|_, seen| now.since(seen.at) < REMEMBERED);
        let racers = if one < other { [one, other] } else { [other, one] };
        if same {
            pairs.remove(&racers);
            return false;
        }
        let told = pairs.get(&racers).map(|seen| seen.told).filter(|told| now.since(*told) < REMEMBERED);
        if pairs.len() >= MOST && !pairs.contains_key(&racers) {
            let oldest = pairs.iter().min_by_key(|(_, seen)| seen.at).map(|(racers, _)| *racers);
            oldest.and_then(|oldest| pairs.remove(&oldest));
        }
        pairs.insert(racers, Seen { last: now.unix, at: now.mono, told: told.unwrap_or(now.mono) });
        told.is_none()
    }

    /// Who has different files, those seen last first.
    pub fn different(&self, now: Now) -> Vec<DifferentFiles> {
        let pairs = locked(&self.0);
        let recent = pairs.iter().filter(|(_, seen)| now.since(seen.at) < REMEMBERED);
        let mut all: Vec<_> =
            recent.map(|(racers, seen)| DifferentFiles { racers: *racers, last: seen.last }).collect();
        all.sort_by_key(|pair| std::cmp::Reverse(pair.last));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_told_once_a_week_and_forgotten_when_its_files_are_the_same() {
        let files = GameFiles::default();
        let now = Now::read();
        let [ann, bob] = [PersonaId(21), PersonaId(22)];
        assert!(files.compared(ann, bob, false, now) && !files.compared(bob, ann, false, now));
        assert_eq!(files.different(now), [DifferentFiles { racers: [ann, bob], last: now.unix }]);
        let later = now.later(REMEMBERED);
        assert!(!files.compared(ann, bob, false, now.later(REMEMBERED / 2)));
        assert!(files.compared(ann, bob, false, later));
        assert!(!files.compared(bob, ann, true, later));
        assert_eq!(files.different(later), []);
    }

    #[test]
    fn a_bounded_number_of_pairs_is_kept() {
        let files = GameFiles::default();
        let now = Now::read();
        for number in 0..1000 {
            let now = now.later(Duration::from_secs(number.into()));
            assert!(files.compared(PersonaId(5), PersonaId(100 + number), false, now));
        }
        assert_eq!(files.different(now.later(Duration::from_secs(1000))).len(), MOST);
        assert_eq!(files.different(now.later(REMEMBERED + Duration::from_secs(1000))), []);
    }
}
