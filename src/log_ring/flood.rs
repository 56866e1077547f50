//! Keeps floods out of the log: a neighbour who has a line written with every packet must not fill the card, nor hide what matters.
//!
//! Each place in the source that logs may write so many lines a minute, and all together so many bytes an hour, warnings apart from the
//! rest. What is left out is counted, and told once a minute. Nothing of this holds for the levels that the Operator has to ask for.

use log::Level;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Lines of one place within [`WINDOW`].
const LINES: u64 = 120;
const WINDOW: Duration = Duration::from_mins(1);
/// Bytes of all lines within an hour: as much for warnings and errors, and for the rest.
const BYTES: usize = 4 * 1024 * 1024;
const HOUR: Duration = Duration::from_hours(1);

/// A place in the source: its module and line.
type Place = (&'static str, u32);

/// What was let through, and what was not.
#[derive(Debug, Default)]
pub(crate) struct FloodGate {
    places: BTreeMap<Place, Lines>,
    /// Since when bytes are counted, and how many: of warnings and errors, and of the rest.
    bytes: Option<(Instant, [usize; 2])>,
}

#[derive(Debug)]
struct Lines {
    since: Instant,
    count: u64,
    left_out: u64,
    level: Level,
}

/// How many lines of one place were left out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LeftOut {
    /// The module.
    pub(crate) module: &'static str,
    /// How serious they are.
    pub(crate) level: Level,
    /// How many.
    pub(crate) count: u64,
}

impl FloodGate {
    /// Whether a line of `length` bytes may be written; it is counted in any case.
    pub(crate) fn admits(&mut self, place: Place, level: Level, length: usize, now: Instant) -> bool {
        if level > Level::Info {
            return true;
        }
        let bytes = self.bytes.filter(|(since, _)| now.saturating_duration_since(*since) < HOUR);
        let (since, mut written) = bytes.unwrap_or((now, [0; 2]));
        let fits = written.get_mut(usize::from(level > Level::Warn)).is_some_and(|written| {
            let fits = *written + length <= BYTES;
            *written += if fits { length } else { 0 };
            fits
        });
        self.bytes = Some((since, written));
        let lines = self.places.entry(place).or_insert(Lines { since: now, count: 0, left_out: 0, level });
        if now.saturating_duration_since(lines.since) >= WINDOW {
            (lines.since, lines.count) = (now, 0);
        }
        lines.count += 1;
        let admitted = fits && lines.count <= LINES;
        lines.left_out += u64::from(!admitted);
        admitted
    }

    /// What was left out in minutes that are over, to be told now.
    pub(crate) fn left_out(&mut self, now: Instant) -> Vec<LeftOut> {
        let over = |lines: &Lines| now.saturating_duration_since(lines.since) >= WINDOW;
        let told: Vec<_> = self
            .places
            .iter()
            .filter(|(_, lines)| over(lines) && lines.left_out > 0)
            .map(|((module, _), lines)| LeftOut { module, level: lines.level, count: lines.left_out })
            .collect();
        self.places.retain(|_, lines| !over(lines));
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place = ("mcos::server", 7);

    #[test]
    fn repeats_are_counted_and_told_when_the_minute_is_over() {
        let (mut gate, start) = (FloodGate::default(), Instant::now());
        let mut write =
            |place, level, seconds| gate.admits(place, level, 100, start + Duration::from_secs(seconds));
        assert_eq!((0..3126).filter(|_| write(HERE, Level::Info, 1)).count(), 120);
        assert!(write(("mcos::server", 8), Level::Info, 2), "another place");
        assert_eq!(
            (0..500).filter(|_| write(HERE, Level::Debug, 2)).count(),
            500,
            "who asks for all gets all"
        );
        assert!(gate.left_out(start + WINDOW).is_empty());
        let expected = LeftOut { module: "mcos::server", level: Level::Info, count: 3006 };
        assert_eq!(gate.left_out(start + Duration::from_secs(61)), [expected]);
        assert!(gate.left_out(start + Duration::from_secs(62)).is_empty(), "told once");
        assert!(gate.admits(HERE, Level::Info, 100, start + Duration::from_secs(62)));
    }

    #[test]
    fn a_flood_that_goes_on_is_told_each_minute_and_loses_no_count() {
        let (mut gate, start) = (FloodGate::default(), Instant::now());
        let (mut written, mut told) = (0, 0);
        for second in 0..600 {
            let now = start + Duration::from_secs(second);
            written += (0..50).filter(|_| gate.admits(HERE, Level::Warn, 10, now)).count() as u64;
            told += gate.left_out(now).iter().map(|left_out| left_out.count).sum::<u64>();
        }
        told +=
            gate.left_out(start + Duration::from_hours(1)).iter().map(|left_out| left_out.count).sum::<u64>();
        assert_eq!(written + told, 600 * 50);
        assert!(written <= 11 * LINES, "{written}");
    }

    #[test]
    fn an_hour_has_so_many_bytes_and_chatter_takes_none_from_warnings() {
        let (mut gate, start) = (FloodGate::default(), Instant::now());
        let mut bytes = 0;
        for second in 0..3000 {
            for line in 0..100 {
                let place = ("mcos::world", line);
                let now = start + Duration::from_secs(second);
                bytes += if gate.admits(place, Level::Info, 300, now) { 300 } else { 0 };
            }
        }
        assert!((BYTES - 300..=BYTES).contains(&bytes), "{bytes}");
        assert!(gate.admits(HERE, Level::Warn, 300, start + Duration::from_mins(50)));
        assert!(gate.admits(HERE, Level::Info, 300, start + HOUR));
        assert!(gate.places.len() <= 101);
    }
}
