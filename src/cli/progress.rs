//! How far a command is that takes a while: a bar on a terminal; elsewhere lines of the log, which `RUST_LOG=info` shows.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use log::info;
use std::fmt::Display;
use std::time::Duration;

/// Of work whose size is known.
const BAR: &str = "{wide_bar} {percent:>3} %  {msg}";
/// Of work whose size is not known.
const SPINNER: &str = "{spinner} {msg} ({elapsed})";
/// How often a spinner turns.
const TURN: Duration = Duration::from_millis(100);
/// The log has a line for so many percent.
const STEP: u64 = 10;

/// Work in progress; the bar is gone when this is dropped.
pub(super) struct Progress {
    bar: ProgressBar,
    /// All of the work; 0 if that is not known.
    whole: u64,
    /// From how many percent on the log gets its next line.
    next: u64,
}

impl Progress {
    /// Work of a known size, in whatever unit.
    pub(super) fn of(whole: u64) -> Self {
        Self::new(ProgressBar::with_draw_target(Some(whole), ProgressDrawTarget::stderr()), BAR, whole)
    }

    /// Work of which only the end is seen. `doing` says what is done.
    pub(super) fn unknown(doing: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_message(doing);
        let progress = Self::new(bar, SPINNER, 0);
        if progress.bar.is_hidden() {
            info!("{doing}");
        } else {
            progress.bar.enable_steady_tick(TURN);
        }
        progress
    }

    fn new(bar: ProgressBar, template: &str, whole: u64) -> Self {
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        Self { bar: bar.with_style(style), whole, next: 0 }
    }

    /// So much is done, and `doing` is what is in hand now.
    pub(super) fn at(&mut self, done: u64, doing: impl Display) {
        if !self.bar.is_hidden() {
            self.bar.set_message(doing.to_string());
            self.bar.set_position(done);
        } else if let Some(percent) = self.due(done) {
            info!("{percent} % {doing}");
        }
    }

    /// The percentage for the next line of the log, if it is time for one.
    fn due(&mut self, done: u64) -> Option<u64> {
        let percent = done.saturating_mul(100).checked_div(self.whole)?;
        if percent < self.next {
            return None;
        }
        self.next = percent - percent % STEP + STEP;
        Some(percent)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_bar_looks_like_is_understood() {
        for template in [BAR, SPINNER] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }

    #[test]
    fn the_log_has_a_line_for_each_tenth_that_is_reached_and_one_for_the_end() {
        let mut progress = Progress::of(2000);
        let told: Vec<u64> = (0..=2000).step_by(30).filter_map(|done| progress.due(done)).collect();
        assert_eq!(told, [0, 10, 21, 30, 40, 51, 60, 70, 81, 90]);
        assert_eq!(progress.due(2000), Some(100));
        assert_eq!(progress.due(2000), None);
        assert_eq!(Progress::of(0).due(0), None, "nothing to do is never half done");
    }
}
