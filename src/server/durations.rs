//! How long something took, each time: counted in fixed steps, so that no number of times takes more memory.

use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper ends of the steps, in milliseconds. What took longer than the last is in a step of its own.
const STEPS: [u32; 13] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];

/// Counts of durations. Any thread may add to them.
#[derive(Debug, Default)]
pub(crate) struct Durations {
    counts: [AtomicU64; STEPS.len() + 1],
    /// Of all together, in microseconds.
    sum: AtomicU64,
}

impl Durations {
    /// It took so long once more.
    pub(crate) fn add(&self, took: Duration) {
        let step = STEPS.partition_point(|end| Duration::from_millis((*end).into()) < took);
        if let Some(count) = self.counts.get(step) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// How many there were in each step.
    fn counts(&self) -> [u64; STEPS.len() + 1] {
        self.counts.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    /// How long it takes as a rule and at worst, in words; `None` if nothing was done yet.
    pub(crate) fn in_words(&self) -> Option<String> {
        let counts = self.counts();
        let all: u64 = counts.iter().sum();
        let within = |percent: u64| {
            let mut left = all.saturating_mul(percent).div_ceil(100);
            let step = counts.iter().position(|count| {
                left = left.saturating_sub(*count);
                left == 0
            });
            step.and_then(|step| STEPS.get(step))
                .map_or_else(|| "longer than 10 s".to_owned(), |end| format!("within {end} ms"))
        };
        (all > 0).then(|| format!("half of all {}, 99 of 100 {}", within(50), within(99)))
    }

    /// As a histogram of Prometheus, in seconds.
    pub(super) fn write(&self, name: &str, out: &mut String) -> fmt::Result {
        writeln!(out, "# TYPE {name} histogram")?;
        let mut all = 0;
        let ends = STEPS.map(|end| Some(f64::from(end) / 1000.0)).into_iter().chain([None]);
        for (end, count) in ends.zip(self.counts()) {
            all += count;
            let end = end.map_or_else(|| "+Inf".to_owned(), |end| end.to_string());
            writeln!(out, "{name}_bucket{{le=\"{end}\"}} {all}")?;
        }
        let sum = Duration::from_micros(self.sum.load(Ordering::Relaxed));
        writeln!(out, "{name}_sum {}\n{name}_count {all}", sum.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_step_and_the_slow_have_one_as_well() {
        let durations = Durations::default();
        let add = |milliseconds, times| {
            (0..times).for_each(|_| durations.add(Duration::from_millis(milliseconds)));
        };
        assert_eq!(durations.in_words(), None);
        for (milliseconds, times) in [(1, 50), (7, 45), (20, 4), (60_000, 1)] {
            add(milliseconds, times);
        }
        assert_eq!(durations.in_words().unwrap(), "half of all within 1 ms, 99 of 100 within 20 ms");
        let mut text = String::new();
        durations.write("x_seconds", &mut text).unwrap();
        for line in [
            "# TYPE x_seconds histogram\nx_seconds_bucket{le=\"0.001\"} 50\n",
            "\nx_seconds_bucket{le=\"0.01\"} 95\n",
            "\nx_seconds_bucket{le=\"10\"} 99\nx_seconds_bucket{le=\"+Inf\"} 100\nx_seconds_sum 60.445\nx_seconds_count 100\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
        assert_eq!(text.lines().count(), STEPS.len() + 4);
        add(60_000, 1);
        assert_eq!(durations.in_words().unwrap(), "half of all within 10 ms, 99 of 100 longer than 10 s");
    }
}
