//! How long something took, many times over: a histogram of fixed size, whose percentiles are exact to one in a hundred.

use hdrhistogram::Histogram;
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// Digits that are kept of each time.
const DIGITS: u8 = 2;

/// Nothing takes longer.
const LONGEST: Duration = Duration::from_hours(24);

/// Times, counted by microsecond. It grows with the longest time, not with their number.
#[derive(Clone, Debug)]
pub struct Latency(Histogram<u64>);

impl Default for Latency {
    fn default() -> Self {
        // Digits from 0 to 5 are always taken.
        Self(Histogram::new(DIGITS).unwrap_or_else(|error| unreachable!("{error}")))
    }
}

impl Latency {
    /// Adds one time.
    pub fn record(&mut self, time: Duration) {
        // It grows to fit, so that every number has a place.
        let _ = self.0.record(u64::try_from(time.min(LONGEST).as_micros()).unwrap_or_default());
    }

    /// Adds all times of `other`.
    pub fn add(&mut self, other: &Self) {
        // It fails only where the other one is wider and this one may not grow.
        let _ = self.0.add(&other.0);
    }

    /// How many times were recorded.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The figures that a report shows.
    pub fn percentiles(&self) -> Percentiles {
        let at = |quantile| Duration::from_micros(self.0.value_at_quantile(quantile)).as_secs_f64() * 1000.0;
        let most = Duration::from_micros(self.0.max()).as_secs_f64() * 1000.0;
        Percentiles { p50: at(0.5), p99: at(0.99), p99_9: at(0.999), most }
    }
}

/// Times in milliseconds, by the clock of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
    /// 99.9th percentile.
    pub p99_9: f64,
    /// The longest time.
    pub most: f64,
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p99, p99_9, most } = self;
        write!(f, "p50 {p50:.2} ms, p99 {p99:.2} ms, p99.9 {p99_9:.2} ms, most {most:.2} ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_to_one_in_a_hundred() {
        let mut latency = Latency::default();
        (1..=2000).rev().for_each(|micros| latency.record(Duration::from_micros(micros)));
        let Percentiles { p50, p99, p99_9, most } = latency.percentiles();
        for (found, right) in [(p50, 1.0), (p99, 1.98), (p99_9, 1.998), (most, 2.0)] {
            assert!((found / right - 1.0).abs() <= 0.01, "{found} for {right}");
        }
        assert_eq!(Latency::default().percentiles(), Percentiles::default());
    }

    #[test]
    fn histograms_of_any_width_are_added() {
        let (mut narrow, mut wide) = (Latency::default(), Latency::default());
        narrow.record(Duration::from_micros(7));
        wide.record(Duration::from_secs(50_000));
        narrow.add(&wide);
        assert_eq!(narrow.count(), 2);
        assert!(narrow.percentiles().most >= 49_500_000.0);
        wide.record(Duration::MAX);
        assert_eq!(wide.count(), 2);
    }
}
