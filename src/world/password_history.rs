//! How the last passwords of each address went. Where passwords wait to be checked, addresses whose players are known go first, and who guesses
//! goes last: who guesses may have more addresses than a Client has patience.

use super::locked;
use super::source::Source;
use crate::clock::Now;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How long a right password is remembered.
const RIGHT_REMEMBERED: Duration = Duration::from_hours(24);
/// How long a wrong one is. A right one after it takes nothing back, or who has an account could guess those of others.
const WRONG_REMEMBERED: Duration = Duration::from_mins(10);
/// Who signed in rightly within that day may give so many wrong ones, none of them ten minutes after another, without being taken for one who guesses.
const TYPOS: u8 = 2;
/// Of how many addresses at once. Beyond that the one is forgotten that was not heard of for longest; those with a right password last.
const MOST_SOURCES: usize = 4096;

/// In which order addresses are served where passwords wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// A password was right there lately, and none wrong.
    Known,
    /// Nothing is known; or one was right, and few wrong.
    Unknown,
    /// A password was wrong there lately and none right, or many were wrong.
    Guesses,
}

/// When passwords of each address were last right and wrong. This machine itself is no exception: who waits there only lets others go
/// first.
#[derive(Debug, Default)]
pub struct PasswordHistory(Mutex<HashMap<Source, Last>>);

/// When a password was last right, and when wrong.
#[derive(Clone, Copy, Debug, Default)]
struct Last {
    right: Option<Instant>,
    wrong: Option<Instant>,
    /// How many were wrong, each within [`WRONG_REMEMBERED`] of the one before.
    wrongs: u8,
}

impl Last {
    fn standing(self, now: Now) -> Standing {
        let lately = |at: Option<Instant>, remembered| at.is_some_and(|at| now.since(at) < remembered);
        match (lately(self.right, RIGHT_REMEMBERED), lately(self.wrong, WRONG_REMEMBERED)) {
            (true, false) => Standing::Known,
            (false, false) => Standing::Unknown,
            (true, true) if self.wrongs <= TYPOS => Standing::Unknown,
            (_, true) => Standing::Guesses,
        }
    }
}

impl PasswordHistory {
    /// A password from this address was checked, and was right or not. What was not checked because it was right a moment ago is not to
    /// be noted: one account could make the addresses of a whole crowd known.
    pub fn note(&self, from: IpAddr, right: bool, now: Now) {
        let (from, mut sources) = (Source::of(from), locked(&self.0));
        if sources.len() >= MOST_SOURCES
            && !sources.contains_key(&from)
            && let Some(oldest) = oldest(&sources)
        {
            sources.remove(&oldest);
        }
        let last = sources.entry(from).or_default();
        if right {
            last.right = Some(now.mono);
        } else {
            let more = last.wrong.is_some_and(|at| now.since(at) < WRONG_REMEMBERED);
            last.wrongs = if more { last.wrongs.saturating_add(1) } else { 1 };
            last.wrong = Some(now.mono);
        }
    }

    /// How that address stands now.
    pub fn standing(&self, source: Source, now: Now) -> Standing {
        locked(&self.0).get(&source).copied().unwrap_or_default().standing(now)
    }
}

fn oldest(sources: &HashMap<Source, Last>) -> Option<Source> {
    let age = |last: &Last| (last.right.is_some(), last.right.max(last.wrong));
    sources.iter().min_by_key(|(_, last)| age(last)).map(|(source, _)| *source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn host(n: u32) -> IpAddr {
        Ipv4Addr::from_bits(0x0a00_0000 + n).into()
    }

    #[test]
    fn a_wrong_password_is_remembered_for_ten_minutes_and_a_right_one_for_a_day() {
        let (history, start) = (PasswordHistory::default(), Now::read());
        let standing = |address: &str, now| history.standing(Source::of(address.parse().unwrap()), now);
        let almost = |time: Duration| start.later(time.saturating_sub(Duration::from_millis(1)));
        assert_eq!(standing("fd00::1", start), Standing::Unknown);
        history.note("fd00::1".parse().unwrap(), false, start);
        assert_eq!(
            standing("fd00::2", almost(WRONG_REMEMBERED)),
            Standing::Guesses,
            "one network of IPv6 is one address"
        );
        assert_eq!(standing("fd00:0:0:1::1", start), Standing::Unknown);
        assert_eq!(standing("fd00::1", start.later(WRONG_REMEMBERED)), Standing::Unknown);
        history.note("fd00::2".parse().unwrap(), true, start);
        assert_eq!(standing("fd00::1", almost(WRONG_REMEMBERED)), Standing::Unknown, "both of it");
        assert_eq!(standing("fd00::1", start.later(WRONG_REMEMBERED)), Standing::Known);
        assert_eq!(standing("fd00::1", almost(RIGHT_REMEMBERED)), Standing::Known);
        assert_eq!(standing("fd00::1", start.later(RIGHT_REMEMBERED)), Standing::Unknown);
    }

    #[test]
    fn who_has_an_account_is_taken_for_one_who_guesses_after_some_wrong_passwords() {
        let (history, start) = (PasswordHistory::default(), Now::read());
        let at = |seconds| start.later(Duration::from_secs(seconds));
        let after = |right, now| {
            history.note(host(1), right, now);
            history.standing(Source::of(host(1)), now)
        };
        assert_eq!(after(true, at(0)), Standing::Known);
        assert_eq!(
            [after(false, at(1)), after(false, at(2)), after(true, at(3))],
            [Standing::Unknown; 3],
            "typos"
        );
        assert_eq!(
            [after(false, at(4)), after(true, at(5))],
            [Standing::Guesses; 2],
            "a right one takes nothing back"
        );
        assert_eq!(history.standing(Source::of(host(1)), at(604)), Standing::Known);
        assert_eq!(after(false, at(604)), Standing::Unknown, "the first again");
    }

    #[test]
    fn the_memory_for_addresses_is_bounded_and_known_players_are_forgotten_last() {
        let (history, start) = (PasswordHistory::default(), Now::read());
        let most = u32::try_from(MOST_SOURCES).unwrap();
        let at = |n: u32| start.later(Duration::from_millis(n.into()));
        history.note(host(0), true, at(0));
        for n in 1..most + 100 {
            history.note(host(n), false, at(n));
        }
        assert_eq!(history.0.lock().unwrap().len(), MOST_SOURCES);
        let now = at(most + 100);
        let standing = |n| history.standing(Source::of(host(n)), now);
        assert_eq!(
            [standing(0), standing(100), standing(101)],
            [Standing::Known, Standing::Unknown, Standing::Guesses]
        );
    }
}
