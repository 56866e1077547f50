//! The time: one reading of both clocks ([`Now`]), and moments as people read them, in UTC here and in the zone of a place by [`Zone`].
//!
//! Whoever acts on a message gets the time from its caller. Only where work begins (a message, a request, a tick, a command) is a clock read.

mod zone;

pub use zone::{NoMoment, Zone};

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Seconds of a day.
const DAY: u64 = 86_400;

/// One moment, by the two clocks of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// By the clock that never goes back: for how long something has lasted.
    pub mono: Instant,
    /// Seconds since 1970, UTC. On a board without a battery this is wrong until somebody sets the clock, and may jump.
    pub unix: u64,
}

impl Now {
    /// Reads both clocks.
    pub fn read() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self { mono: Instant::now(), unix }
    }

    /// Seconds since 1970 as records and messages carry them; the largest number from the year 2106 on.
    pub fn unix32(self) -> u32 {
        u32::try_from(self.unix).unwrap_or(u32::MAX)
    }

    /// Days since 1970, UTC.
    pub const fn day(self) -> u64 {
        self.unix / DAY
    }

    /// How long ago `earlier` was; nothing if it is later.
    pub fn since(self, earlier: Instant) -> Duration {
        self.mono.saturating_duration_since(earlier)
    }

    /// So much later, by both clocks.
    #[must_use]
    pub fn later(self, time: Duration) -> Self {
        Self { mono: self.mono + time, unix: self.unix + time.as_secs() }
    }
}

/// 1970 began on a Thursday: so many days of its week were over.
const DAYS_BEFORE_1970: u64 = 3;

/// The day of a moment given in seconds since 1970, as `2026-01-31` (UTC).
pub fn day(seconds: u64) -> String {
    let (year, month, day) = date(seconds);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Year, month from 1, and day from 1 of a moment.
pub fn date(seconds: u64) -> (u64, u64, u64) {
    // Days are counted from 1 March of the year 0, so that the leap day is the last of its year: after
    // H. Hinnant's account of civil calendars.
    let days = seconds / DAY + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

/// The moment that a text as [`moment`] writes it names; the seconds can be left out, and a `T` can stand for the space. `None` for any other
/// text, and for days that no calendar has.
pub fn read_moment(text: &str) -> Option<u64> {
    let (day, time) = text.trim().split_once([' ', 'T'])?;
    let numbers = |text: &str, sign| -> Option<Vec<u64>> {
        let is_number =
            |part: &&str| (1..=4).contains(&part.len()) && part.bytes().all(|c| c.is_ascii_digit());
        text.split(sign).map(|part| Some(part).filter(is_number)?.parse().ok()).collect()
    };
    let ([year, month, day], time) = (<[u64; 3]>::try_from(numbers(day, '-')?).ok()?, numbers(time, ':')?);
    let (hour, minute, second) = match *time.as_slice() {
        [hour, minute] => (hour, minute, 0),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    if year < 1970 || !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // As in `date`, the other way round.
    let (year_from_march, month_from_march) =
        if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year_of_era) = (year_from_march / 400, year_from_march % 400);
    let day_of_year = (153 * month_from_march + 2) / 5 + day.checked_sub(1)?;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = (era * 146_097 + day_of_era).checked_sub(719_468)?;
    let at = days * DAY + hour * 3600 + minute * 60 + second;
    (date(at) == (year, month, day)).then_some(at)
}

/// How many weeks have begun since 1970, each on a Monday.
pub fn week(seconds: u64) -> u32 {
    u32::try_from((seconds / DAY + DAYS_BEFORE_1970) / 7).unwrap_or(u32::MAX)
}

/// When the week after that of a moment begins.
pub fn next_week(seconds: u64) -> u64 {
    ((u64::from(week(seconds)) + 1) * 7 - DAYS_BEFORE_1970) * DAY
}

/// The moment itself, as `2026-01-31 23:59:59`.
pub fn moment(seconds: u64) -> String {
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{} {hour:02}:{minute:02}:{second:02}", day(seconds))
}

/// A length of time, as `3 d 4 h`, `4 h 5 min`, `5 min 6 s` or `6 s`.
pub fn span(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_004_400_000, "2001-10-30"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(day(seconds), text);
        }
        assert_eq!(moment(1_004_400_000 + 86_399), "2001-10-30 23:59:59");
    }

    #[test]
    fn a_moment_is_read_as_it_is_written_and_nothing_else_is() {
        for at in [0, 951_782_399, 951_868_800, 1_004_400_000 + 86_399, 1_909_094_400, 4_107_542_400] {
            assert_eq!(read_moment(&moment(at)), Some(at));
            assert_eq!(read_moment(&moment(at).replace(' ', "T")), Some(at));
        }
        assert_eq!(read_moment(" 2030-07-01 20:30 "), Some(1_909_094_400 + 20 * 3600 + 1800));
        for text in [
            "",
            "2030-07-01",
            "20:30",
            "2030-02-29 20:30",
            "2030-13-01 20:30",
            "2030-07-00 20:30",
            "2030-07-32 20:30",
            "2030-07-01 24:00",
            "2030-07-01 20:60",
            "1969-07-01 20:30",
            "2030-07-01 20:30:61",
            "-1-07-01 20:30",
            "99999999999-07-01 20:30",
            "2030-07-01 2x:30",
            "2030-07-+1 20:30",
            "2030-07-01  20:30",
        ] {
            assert_eq!(read_moment(text), None, "{text}");
        }
    }

    #[test]
    fn weeks_begin_on_mondays() {
        let monday = 1_909_094_400;
        assert_eq!(day(monday), "2030-07-01");
        assert_eq!(week(monday), week(monday - 1) + 1);
        assert_eq!(week(monday), week(monday + 7 * DAY - 1));
        assert_eq!((next_week(monday - 1), next_week(monday)), (monday, monday + 7 * DAY));
        assert_eq!((week(0), moment(next_week(0)).as_str()), (0, "1970-01-05 00:00:00"));
    }

    #[test]
    fn spans_are_told_in_two_units() {
        for (seconds, text) in [(0, "0 s"), (66, "1 min 6 s"), (3660, "1 h 1 min"), (90_000, "1 d 1 h")] {
            assert_eq!(span(seconds), text);
        }
    }
}
