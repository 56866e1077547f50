//! What happened since the server started, of all connections together: how many messages of each number came and what became of
//! them, why connections were turned away or ended, and how long it took to save changes.

use super::durations::Durations;
use super::observer::Observer;
use crate::services::Verdict;
use mco_proto::{mcots, nps};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What can become of a message.
const VERDICTS: [Verdict; 6] = [
    Verdict::Answered,
    Verdict::Refused,
    Verdict::NotAllowed,
    Verdict::Malformed,
    Verdict::Unknown,
    Verdict::Failed,
];

/// All counters.
#[derive(Debug)]
pub(crate) struct Counters {
    nps: Family,
    mcots: Family,
    /// How long players waited until a change of theirs was saved.
    pub(super) saving: Durations,
    /// Connections that were refused whatever room there was.
    pub(super) unwelcome: Tally,
    /// Game connections that ended.
    pub(super) ended: Tally,
}

/// How often each of a few reasons came up. They are words of this program, so there are not many.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<BTreeMap<&'static str, u64>>);

impl Tally {
    /// Once more.
    pub(super) fn count(&self, reason: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(reason).or_default() += 1;
    }

    /// Every reason that came up, with how often.
    pub(super) fn all(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One counter for each known number and verdict, and one more row for all other numbers.
#[derive(Debug)]
struct Family {
    /// In ascending order.
    numbers: Vec<u16>,
    counts: Vec<[AtomicU64; VERDICTS.len()]>,
}

impl Family {
    fn of(numbers: impl Iterator<Item = u16>) -> Self {
        let numbers: Vec<u16> = numbers.collect();
        let counts = (0..=numbers.len()).map(|_| Default::default()).collect();
        Self { numbers, counts }
    }

    fn count(&self, number: u16, verdict: Verdict) {
        let row = self.numbers.binary_search(&number).unwrap_or(self.numbers.len());
        if let Some(count) = self.counts.get(row).and_then(|row| row.get(verdict as usize)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Numbers and verdicts that came up; no number stands for all that are not known.
    fn all(&self) -> impl Iterator<Item = (Option<u16>, Verdict, u64)> + '_ {
        let rows = self.counts.iter().enumerate();
        rows.flat_map(move |(at, row)| {
            let number = self.numbers.get(at).copied();
            VERDICTS.into_iter().zip(row).map(move |(verdict, count)| (number, verdict, load(count)))
        })
        .filter(|(.., count)| *count > 0)
    }

    fn sum(&self, verdict: Verdict) -> u64 {
        let row = |row: &[AtomicU64; VERDICTS.len()]| row.get(verdict as usize).map_or(0, load);
        self.counts.iter().map(row).sum()
    }

    /// The same without what was answered.
    fn unusual(&self) -> impl Iterator<Item = (Option<u16>, Verdict, u64)> + '_ {
        self.all().filter(|(_, verdict, _)| *verdict != Verdict::Answered)
    }
}

fn load(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

impl Counters {
    /// Nothing came yet.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            nps: Family::of(nps::id::TABLE.iter().map(|row| row.id.0)),
            mcots: Family::of(mcots::number::TABLE.iter().map(|row| row.number.0)),
            saving: Durations::default(),
            unwelcome: Tally::default(),
            ended: Tally::default(),
        })
    }

    /// How many messages ended in this way.
    pub(crate) fn sum(&self, verdict: Verdict) -> u64 {
        self.nps.sum(verdict) + self.mcots.sum(verdict)
    }

    /// Tells family, number (none for all that are not known), verdict and count of every kind of message that came up.
    pub(crate) fn each(&self, mut tell: impl FnMut(&'static str, Option<u16>, Verdict, u64)) {
        self.nps.all().for_each(|(number, verdict, count)| tell("nps", number, verdict, count));
        self.mcots.all().for_each(|(number, verdict, count)| tell("mcots", number, verdict, count));
    }

    /// Every kind of message that was not simply answered, the most frequent first: which, what became of it, how often.
    pub(crate) fn unusual(&self) -> Vec<(String, Verdict, u64)> {
        let id = |number: Option<u16>| number.map_or_else(others, |number| nps::Id(number).to_string());
        let number =
            |number: Option<u16>| number.map_or_else(others, |number| mcots::Number(number).to_string());
        let nps = self.nps.unusual().map(|(number, verdict, count)| (id(number), verdict, count));
        let mcots = self.mcots.unusual().map(|(n, verdict, count)| (number(n), verdict, count));
        let mut all: Vec<_> = nps.chain(mcots).collect();
        all.sort_by_key(|(.., count)| std::cmp::Reverse(*count));
        all
    }
}

fn others() -> String {
    "unknown numbers".to_owned()
}

/// A connection counts into what all share.
pub(super) struct Counting(pub(super) Arc<Counters>);

impl Observer for Counting {
    fn packet_answered(&mut self, id: nps::Id, verdict: Verdict) {
        self.0.nps.count(id.0, verdict);
    }

    fn body_answered(&mut self, number: mcots::Number, verdict: Verdict) {
        self.0.mcots.count(number.0, verdict);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verdict_has_the_place_of_its_number() {
        assert!(VERDICTS.into_iter().enumerate().all(|(at, verdict)| verdict as usize == at));
    }

    #[test]
    fn messages_are_counted_by_number_and_verdict_and_unknown_numbers_together() {
        let counters = Counters::new();
        let mut counting = Counting(Arc::clone(&counters));
        counting.packet_answered(nps::id::OPEN_COMM_CHANNEL, Verdict::Answered);
        counting.packet_answered(nps::id::OPEN_COMM_CHANNEL, Verdict::Malformed);
        for number in [9, 1234, 65_535] {
            counting.body_answered(mcots::Number(number), Verdict::Unknown);
        }
        assert_eq!((counters.sum(Verdict::Answered), counters.sum(Verdict::Unknown)), (1, 3));
        let unusual = counters.unusual();
        let expected = [
            ("unknown numbers".to_owned(), Verdict::Unknown, 3),
            ("0x0106 (OPEN_COMM_CHANNEL)".to_owned(), Verdict::Malformed, 1),
        ];
        assert_eq!(unusual, expected);
    }
}
