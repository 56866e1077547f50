//! Time zones: moments as the people of one place read and write them. The rules of all zones are within the program, because a board has
//! no files with them; a new rule comes with a new version of the program.

use super::{DAY, DAYS_BEFORE_1970, day, moment, read_moment};
use jiff::Timestamp;
use jiff::tz::{AmbiguousOffset, AmbiguousTimestamp, Offset, TimeZone, TimeZoneDatabase};
use serde::Deserialize;
use std::fmt;
use std::sync::LazyLock;

/// The zone of a server that was told no other.
static UTC: Zone = Zone(TimeZone::UTC);

/// What it is called.
const UTC_NAME: &str = "UTC";

/// The rules of all zones, as they were when the program was built.
static RULES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The zone by which people at one place count days and hours. UTC unless it was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Zone(TimeZone);

/// Why a text names no moment in a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoMoment {
    /// It is not written as one, or no calendar has that day.
    Unreadable,
    /// The clocks are put forward over it.
    Skipped,
}

impl fmt::Display for NoMoment {
    /// Completes the text that was read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "is no moment. Write it as 2030-07-01 20:00",
            Self::Skipped => "is no moment, because the clocks are put forward over it. Choose another hour",
        })
    }
}

impl Default for Zone {
    fn default() -> Self {
        UTC.clone()
    }
}

impl TryFrom<String> for Zone {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::named(&name).ok_or_else(|| format!("there is no time zone {name:?}"))
    }
}

/// Whether it is a zone of a place, as "Europe/Berlin" is.
fn is_of_a_place(name: &str) -> bool {
    name.contains('/') && !name.starts_with("Etc/")
}

impl Zone {
    /// The zone that everybody knows, in which records and messages are.
    pub fn utc() -> &'static Self {
        &UTC
    }

    /// The zone of this name: one of [`Zone::names`], letter for letter.
    pub fn named(name: &str) -> Option<Self> {
        if name == UTC_NAME {
            return Some(UTC.clone());
        }
        let zone = RULES.get(name).ok().filter(|_| is_of_a_place(name))?;
        (zone.iana_name() == Some(name)).then_some(Self(zone))
    }

    /// The names of all zones that can be chosen: UTC, then those of places by the alphabet.
    pub fn names() -> Vec<String> {
        let places = RULES.available().map(|name| name.as_str().to_owned());
        let mut names: Vec<String> = places.filter(|name| is_of_a_place(name)).collect();
        names.sort_unstable();
        names.insert(0, UTC_NAME.to_owned());
        names
    }

    /// Its name as people read it: "UTC", or "America/New York".
    pub fn title(&self) -> String {
        self.0.iana_name().unwrap_or(UTC_NAME).replace('_', " ")
    }

    /// What its clocks show, as seconds since 1970 in UTC. From the year 10000 on that is UTC.
    fn shown(&self, unix: u64) -> u64 {
        let at = i64::try_from(unix).ok().and_then(|unix| Timestamp::from_second(unix).ok());
        let ahead = at.map_or(0, |at| self.0.to_offset(at).seconds());
        unix.saturating_add_signed(ahead.into())
    }

    /// When its clocks show what UTC shows so many seconds after 1970 began.
    fn instant(&self, shown: u64) -> Option<AmbiguousTimestamp> {
        let shown = Timestamp::from_second(i64::try_from(shown).ok()?).ok()?;
        Some(self.0.to_ambiguous_timestamp(Offset::UTC.to_datetime(shown)))
    }

    /// The same; over what its clocks skip it goes on by as much, and of what they show twice the first counts.
    fn nearest(&self, shown: u64) -> Option<u64> {
        let at = self.instant(shown)?.compatible().ok()?;
        u64::try_from(at.as_second()).ok()
    }

    /// A moment in seconds since 1970, as `2026-01-31 23:59:59`.
    pub fn moment(&self, unix: impl Into<u64>) -> String {
        moment(self.shown(unix.into()))
    }

    /// The same without seconds, as `2026-01-31 23:59`.
    pub fn minute(&self, unix: impl Into<u64>) -> String {
        let mut text = self.moment(unix);
        text.truncate(text.len() - 3);
        text
    }

    /// The same with what its clocks are called then, as `2026-07-31 23:59 CEST`: a text that stands alone.
    pub fn stamp(&self, unix: impl Into<u64>) -> String {
        let unix = unix.into();
        let at = i64::try_from(unix).ok().and_then(|unix| Timestamp::from_second(unix).ok());
        let info = at.map(|at| self.0.to_offset_info(at));
        let clocks = info.as_ref().map_or(UTC_NAME, |info| info.abbreviation());
        // Where nobody ever gave them a name, they are called "+03".
        let named = if clocks.starts_with(['+', '-']) { UTC_NAME } else { "" };
        format!("{} {named}{clocks}", self.minute(unix))
    }

    /// The day of a moment, as `2026-01-31`.
    pub fn day(&self, unix: impl Into<u64>) -> String {
        day(self.shown(unix.into()))
    }

    /// The moment that a text names, which is written as for [`read_moment`]. Of an hour that its clocks show twice the first counts.
    ///
    /// # Errors
    /// [`NoMoment`], whose words complete the text.
    pub fn read(&self, text: &str) -> Result<u64, NoMoment> {
        let shown = read_moment(text).ok_or(NoMoment::Unreadable)?;
        let at = self.instant(shown).ok_or(NoMoment::Unreadable)?;
        if matches!(at.offset(), AmbiguousOffset::Gap { .. }) {
            return Err(NoMoment::Skipped);
        }
        let at = at.earlier().map_err(|_| NoMoment::Unreadable)?;
        u64::try_from(at.as_second()).map_err(|_| NoMoment::Unreadable)
    }

    /// When the day begins that comes so many days after that of a moment.
    pub fn midnight(&self, unix: u64, days: u64) -> u64 {
        let shown = (self.shown(unix) / DAY + days) * DAY;
        self.nearest(shown).unwrap_or(shown)
    }

    /// How many days of the week of a moment are over, from 0 on a Monday.
    pub fn weekday(&self, unix: u64) -> u64 {
        (self.shown(unix) / DAY + DAYS_BEFORE_1970) % 7
    }

    /// When its clocks show the same so many days later as they did `delay` seconds before a moment, and how many seconds later than that it
    /// is: more than 0 if they are put forward over it.
    pub fn days_later(&self, (unix, delay): (u64, u64), days: u64) -> (u64, u64) {
        let shown = self.shown(unix).saturating_sub(delay).saturating_add(days.saturating_mul(DAY));
        self.nearest(shown).map_or((shown, 0), |at| (at, self.shown(at).saturating_sub(shown)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2030-03-31 01:00 UTC and 2030-10-27 01:00 UTC: when the clocks of Berlin are put forward and back.
    const FORWARD: u64 = 1_901_149_200;
    const BACK: u64 = 1_919_293_200;

    fn berlin() -> Zone {
        Zone::named("Europe/Berlin").unwrap()
    }

    #[test]
    fn what_clocks_show_follows_the_summer_time() {
        assert_eq!(moment(FORWARD), "2030-03-31 01:00:00");
        assert_eq!(moment(BACK), "2030-10-27 01:00:00");
        let berlin = berlin();
        assert_eq!(berlin.moment(FORWARD - 1), "2030-03-31 01:59:59");
        assert_eq!(berlin.moment(FORWARD), "2030-03-31 03:00:00");
        assert_eq!(berlin.stamp(FORWARD - 60), "2030-03-31 01:59 CET");
        assert_eq!(berlin.stamp(FORWARD), "2030-03-31 03:00 CEST");
        assert_eq!(berlin.stamp(BACK - 60), "2030-10-27 02:59 CEST");
        assert_eq!(berlin.stamp(BACK), "2030-10-27 02:00 CET");
        assert_eq!(berlin.day(FORWARD - 4 * 3600), "2030-03-30");
        assert_eq!(berlin.day(FORWARD + 21 * 3600), "2030-04-01", "22:00 UTC is the next day there");
    }

    #[test]
    fn a_zone_without_summer_time_and_utc_stay_what_they_are() {
        let tokyo = Zone::named("Asia/Tokyo").unwrap();
        for at in [FORWARD, BACK, 1_893_456_000, 1_909_094_400] {
            assert_eq!(tokyo.moment(at), moment(at + 9 * 3600));
            assert!(tokyo.stamp(at).ends_with(" JST"));
            assert_eq!(Zone::default().moment(at), moment(at));
            assert_eq!(Zone::default().stamp(at), format!("{} UTC", &moment(at)[..16]));
            assert_eq!(Zone::utc().midnight(at, 2), (at / DAY + 2) * DAY);
            assert_eq!(Zone::utc().days_later((at, 0), 7), (at + 7 * DAY, 0));
        }
        // Clocks without a name, and such as are not ahead by whole hours.
        assert_eq!(Zone::named("America/Sao_Paulo").unwrap().stamp(FORWARD), "2030-03-30 22:00 UTC-03");
        assert_eq!(Zone::named("Asia/Kathmandu").unwrap().stamp(FORWARD), "2030-03-31 06:45 UTC+0545");
    }

    #[test]
    fn what_people_write_is_read_as_their_clocks_show_it() {
        let berlin = berlin();
        for at in [FORWARD - 1, FORWARD, BACK - 3601, BACK + 3600, 1_909_094_400] {
            assert_eq!(berlin.read(&berlin.moment(at)), Ok(at), "{at}");
        }
        assert_eq!(berlin.read("2030-07-01 20:00"), Ok(1_909_094_400 + 18 * 3600));
        assert_eq!(berlin.read("2030-03-31 02:30"), Err(NoMoment::Skipped));
        assert_eq!(berlin.read("2030-10-27 02:30"), Ok(BACK - 1800), "shown twice: the first counts");
        for text in ["", "tomorrow", "2030-02-29 20:00", "2030-07-01 24:00"] {
            assert_eq!(berlin.read(text), Err(NoMoment::Unreadable), "{text}");
        }
        assert_eq!(Zone::utc().read("2030-03-31 02:30"), Ok(FORWARD + 5400));
        assert!(NoMoment::Skipped.to_string().contains("Choose another hour"));
    }

    #[test]
    fn days_have_as_many_hours_as_their_clocks_show() {
        let berlin = berlin();
        let sunday = berlin.midnight(FORWARD, 0);
        assert_eq!((berlin.moment(sunday).as_str(), berlin.weekday(sunday)), ("2030-03-31 00:00:00", 6));
        assert_eq!(berlin.midnight(FORWARD, 1) - sunday, 23 * 3600);
        assert_eq!(berlin.midnight(BACK, 1) - berlin.midnight(BACK, 0), 25 * 3600);
        assert_eq!(berlin.weekday(sunday - 1), 5);
        assert_eq!(berlin.weekday(berlin.midnight(FORWARD, 1)), 0);
        let evening = berlin.read("2030-03-27 20:00").unwrap();
        assert_eq!(berlin.days_later((evening, 0), 7), (evening + 7 * DAY - 3600, 0));
        // What is skipped a week later is an hour later there.
        let night = berlin.read("2030-03-24 02:30").unwrap();
        let later = berlin.days_later((night, 0), 7);
        assert_eq!((berlin.moment(later.0).as_str(), later.1), ("2030-03-31 03:30:00", 3600));
        let again = berlin.days_later(later, 7);
        assert_eq!((berlin.moment(again.0).as_str(), again.1), ("2030-04-07 02:30:00", 0));
        // Clocks that are put forward at midnight: the day begins at one.
        let cairo = Zone::named("Africa/Cairo").unwrap();
        let friday = cairo.read("2026-04-24 12:00").unwrap();
        assert_eq!(cairo.moment(cairo.midnight(friday, 0)), "2026-04-24 01:00:00");
    }

    #[test]
    fn every_zone_that_is_offered_has_its_rules_and_no_other_name_is_one() {
        let names = Zone::names();
        assert_eq!(names.first().map(String::as_str), Some("UTC"));
        assert!(names.len() > 400 && names.is_sorted_by(|one, other| one < other || one == "UTC"));
        for name in &names {
            let zone = Zone::named(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(zone.title(), name.replace('_', " "));
            let at = 1_909_094_400;
            assert_eq!(zone.read(&zone.moment(at)), Ok(at), "{name}");
        }
        assert_eq!(Zone::named("America/New_York").unwrap().title(), "America/New York");
        for name in ["", "Berlin", "europe/berlin", "Europe/Berlim", "CEST", "Etc/GMT+3", "Europe/", "../etc"]
        {
            assert_eq!(Zone::named(name), None, "{name}");
        }
        assert!(Zone::try_from("Europe/Berlim".to_owned()).unwrap_err().contains("Europe/Berlim"));
    }

    #[test]
    fn no_number_is_too_large_or_too_small_for_a_moment() {
        for zone in [berlin(), Zone::named("America/New_York").unwrap(), Zone::default()] {
            for at in [0, 1, u64::from(u32::MAX), 253_402_207_200, u64::MAX / 2] {
                assert!(!zone.stamp(at).is_empty());
                assert!(!zone.day(at).is_empty());
                assert!(zone.weekday(at) < 7);
            }
            assert_eq!(zone.read("9999-12-31 23:59"), Err(NoMoment::Unreadable));
        }
    }
}
