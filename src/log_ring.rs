//! The last lines of the log, kept in memory for the Operator's page: a board's journal is not easily looked at.
//!
//! What must not be in a log is in none of its lines, so it is not in here either.

use log::{Level, Log, Metadata, Record};
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// How many lines are kept.
const LINES: usize = 500;
/// The longest line, in bytes; the rest of a longer one is left out.
const LINE_BYTES: usize = 300;

static RING: Ring = Ring(Mutex::new(VecDeque::new()));

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When, by the Server's clock.
    pub at: SystemTime,
    /// How serious.
    pub level: Level,
    /// What, without control characters.
    pub text: Box<str>,
}

/// The last lines, oldest first.
pub fn recent() -> Vec<Line> {
    RING.lines()
}

/// Makes `logger` the log of this process, and keeps what it lets through. Whoever comes second changes nothing.
pub fn install(logger: env_logger::Logger) {
    let most = logger.filter();
    if log::set_boxed_logger(Box::new(Tee { logger, ring: &RING })).is_ok() {
        log::set_max_level(most);
    }
}

/// At most [`LINES`] lines of at most [`LINE_BYTES`].
struct Ring(Mutex<VecDeque<Line>>);

impl Ring {
    fn push(&self, at: SystemTime, level: Level, what: fmt::Arguments<'_>) {
        let mut text = Bounded(String::new());
        // Fails where the line is full, and then it is what we want.
        let _ = fmt::Write::write_fmt(&mut text, what);
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= LINES {
            lines.pop_front();
        }
        lines.push_back(Line { at, level, text: text.0.into_boxed_str() });
    }

    fn lines(&self) -> Vec<Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// Text that stops growing.
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for letter in text.chars() {
            let letter = if letter.is_control() { ' ' } else { letter };
            if self.0.len() + letter.len_utf8() > LINE_BYTES {
                return Err(fmt::Error);
            }
            self.0.push(letter);
        }
        Ok(())
    }
}

/// Writes to the usual log and to the ring.
struct Tee {
    logger: env_logger::Logger,
    ring: &'static Ring,
}

impl Log for Tee {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.logger.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if self.logger.matches(record) {
            self.logger.log(record);
            self.ring.push(SystemTime::now(), record.level(), *record.args());
        }
    }

    fn flush(&self) {
        self.logger.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> &'static Ring {
        Box::leak(Box::new(Ring(Mutex::default())))
    }

    fn put(ring: &Ring, text: &str) {
        ring.push(SystemTime::UNIX_EPOCH, Level::Info, format_args!("{text}"));
    }

    #[test]
    fn only_the_last_lines_are_kept_oldest_first() {
        let ring = ring();
        for number in 0..LINES + 7 {
            put(ring, &number.to_string());
        }
        let lines = ring.lines();
        assert_eq!(lines.len(), LINES);
        assert_eq!((&*lines[0].text, &*lines[LINES - 1].text), ("7", "506"));
    }

    #[test]
    fn a_long_line_is_cut_between_letters_and_holds_no_control_characters() {
        let ring = ring();
        put(ring, &"\u{fc}".repeat(1000));
        put(ring, "two\nlines\u{1b}[31m");
        let lines = ring.lines();
        assert_eq!(lines[0].text.len(), LINE_BYTES);
        assert_eq!(&*lines[1].text, "two lines [31m");
    }

    #[test]
    fn what_the_log_does_not_show_is_not_kept() {
        let ring = ring();
        let logger = env_logger::Builder::new().filter_level(log::LevelFilter::Warn).is_test(true).build();
        let tee = Tee { logger, ring };
        for level in [Level::Warn, Level::Info] {
            tee.log(&Record::builder().level(level).args(format_args!("hello")).build());
        }
        assert_eq!(ring.lines().len(), 1);
    }
}
