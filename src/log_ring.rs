//! The last lines of the log, kept in memory for the Operator's page: a board's journal is not easily looked at.
//!
//! What must not be in a log is in none of its lines, so it is not in here either.

mod flood;

use flood::{FloodGate, LeftOut};
use log::{Level, Log, Metadata, Record};
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Instant, SystemTime};

/// How many lines are kept; of warnings and errors as many more, so that chatter does not push them out.
const LINES: usize = 500;
/// The longest line, in bytes; the rest of a longer one is left out.
const LINE_BYTES: usize = 300;

static RING: Ring = Ring(Mutex::new(Kept { chatter: VecDeque::new(), serious: VecDeque::new(), count: 0 }));

static TEE: OnceLock<Tee> = OnceLock::new();

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
    if log::set_logger(TEE.get_or_init(|| Tee::new(logger, &RING))).is_ok() {
        log::set_max_level(most);
    }
}

/// Tells what the log has left out in the last minute. To be called from time to time.
pub fn tell_left_out() {
    if let Some(tee) = TEE.get() {
        tee.tell_left_out(Instant::now());
    }
}

/// At most [`LINES`] lines of each kind, of at most [`LINE_BYTES`].
struct Ring(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// With their numbers, by which both are put in order.
    chatter: VecDeque<(u64, Line)>,
    /// Warnings and errors.
    serious: VecDeque<(u64, Line)>,
    count: u64,
}

impl Ring {
    fn push(&self, at: SystemTime, level: Level, what: fmt::Arguments<'_>) {
        let mut text = Bounded(String::new());
        // Fails where the line is full, and then it is what we want.
        let _ = fmt::Write::write_fmt(&mut text, what);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.count += 1;
        let number = kept.count;
        let lines = if level <= Level::Warn { &mut kept.serious } else { &mut kept.chatter };
        if lines.len() >= LINES {
            lines.pop_front();
        }
        lines.push_back((number, Line { at, level, text: text.0.into_boxed_str() }));
    }

    fn lines(&self) -> Vec<Line> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines: Vec<_> = kept.chatter.iter().chain(&kept.serious).cloned().collect();
        drop(kept);
        lines.sort_unstable_by_key(|(number, _)| *number);
        lines.into_iter().map(|(_, line)| line).collect()
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

/// Writes to the usual log and to the ring, but no floods.
struct Tee {
    logger: env_logger::Logger,
    ring: &'static Ring,
    gate: Mutex<FloodGate>,
}

impl Tee {
    fn new(logger: env_logger::Logger, ring: &'static Ring) -> Self {
        Self { logger, ring, gate: Mutex::default() }
    }

    fn gate(&self) -> MutexGuard<'_, FloodGate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, record: &Record<'_>) {
        self.logger.log(record);
        self.ring.push(SystemTime::now(), record.level(), *record.args());
    }

    fn tell_left_out(&self, now: Instant) {
        let told = self.gate().left_out(now);
        for LeftOut { module, level, count } in told {
            let args = format_args!("and {count} more lines like the last ones from here, within a minute");
            self.write(&Record::builder().level(level).target(module).args(args).build());
        }
    }
}

/// How long a line is, roughly: its text, and what stands before it.
fn length(record: &Record<'_>) -> usize {
    struct Count(usize);
    impl fmt::Write for Count {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 += text.len();
            Ok(())
        }
    }
    let mut count = Count(record.target().len() + 30);
    // Counting does not fail.
    let _ = fmt::Write::write_fmt(&mut count, *record.args());
    count.0
}

impl Log for Tee {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.logger.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.logger.matches(record) {
            return;
        }
        let place = (record.module_path_static().unwrap_or_default(), record.line().unwrap_or_default());
        let admitted = self.gate().admits(place, record.level(), length(record), Instant::now());
        if admitted {
            self.write(record);
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
    fn chatter_does_not_push_out_warnings_and_the_order_stays() {
        let ring = ring();
        put(ring, "before");
        ring.push(SystemTime::UNIX_EPOCH, Level::Warn, format_args!("a warning"));
        for number in 0..10 * LINES {
            put(ring, &number.to_string());
        }
        let lines = ring.lines();
        assert_eq!((&*lines[0].text, lines.len(), &*lines[1].text), ("a warning", LINES + 1, "4500"));
    }

    #[test]
    fn a_flood_is_counted_and_told() {
        let ring = ring();
        let logger = env_logger::Builder::new().filter_level(log::LevelFilter::Info).is_test(true).build();
        let tee = Tee::new(logger, ring);
        for _ in 0..1000 {
            let args = format_args!("refused");
            tee.log(&Record::builder().level(Level::Info).line(Some(7)).args(args).build());
        }
        tee.tell_left_out(Instant::now() + std::time::Duration::from_mins(2));
        let lines = ring.lines();
        assert!(lines.len() < 1000);
        let told = format!("and {} more lines", 1000 - (lines.len() - 1));
        assert!(lines.last().unwrap().text.starts_with(&told), "{:?}", lines.last());
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
        let tee = Tee::new(logger, ring);
        for level in [Level::Warn, Level::Info] {
            tee.log(&Record::builder().level(level).args(format_args!("hello")).build());
        }
        assert_eq!(ring.lines().len(), 1);
    }
}
