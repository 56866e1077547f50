//! The sessions of the Operator's pages. They are kept in memory only: a restart ends them all.

use crate::clock::Now;
use data_encoding::HEXLOWER;
use rand::RngCore;
use rand::rngs::OsRng;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq;

/// A session ends when it was not used for so long ...
const IDLE: Duration = Duration::from_mins(30);
/// ... and so long after it began in any case.
const LIFE: Duration = Duration::from_hours(12);
/// The most sessions at the same time. A new one beyond that ends the one that was unused for longest.
const MOST: usize = 8;

/// 128 random bits in hexadecimal digits: a session's secret, or the token of its forms. Never shown by `Debug`.
#[derive(Clone)]
pub(super) struct Token(String);

impl Token {
    /// Makes one from the system's random source.
    pub(super) fn random() -> Self {
        let mut random = [0; 16];
        OsRng.fill_bytes(&mut random);
        Self(HEXLOWER.encode(&random))
    }

    /// The 32 digits.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `text` is this token; the time it takes does not tell how much of it is right.
    pub(super) fn is(&self, text: &str) -> bool {
        Self::same(&self.0, text)
    }

    /// Whether two texts are the same; the time it takes does not tell either.
    pub(super) fn same(one: &str, other: &str) -> bool {
        one.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

struct Session {
    secret: Token,
    forms: Token,
    began: Instant,
    used: Instant,
    notice: Option<Notice>,
}

impl Session {
    fn is_over(&self, now: Now) -> bool {
        now.since(self.used) >= IDLE || now.since(self.began) >= LIFE
    }
}

/// The outcome of a form, shown on the next page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    /// Whether the form did what it was to do.
    pub(super) good: bool,
    /// The text that is shown.
    pub(super) text: String,
}

/// All sessions of one server.
#[derive(Default)]
pub(super) struct Sessions(Mutex<Vec<Session>>);

impl Sessions {
    /// Begins a session, and returns the secret for its cookie.
    pub(super) fn begin(&self, now: Now) -> Token {
        let secret = Token::random();
        let session = Session {
            secret: secret.clone(),
            forms: Token::random(),
            began: now.mono,
            used: now.mono,
            notice: None,
        };
        let mut sessions = self.alive(now);
        if sessions.len() >= MOST
            && let Some(oldest) =
                sessions.iter().enumerate().min_by_key(|(_, session)| session.used).map(|(place, _)| place)
        {
            sessions.remove(oldest);
        }
        sessions.push(session);
        secret
    }

    /// The token that the forms of a session carry, if the secret belongs to one. Counts as a use of the session.
    pub(super) fn enter(&self, secret: &str, now: Now) -> Option<Token> {
        let mut sessions = self.alive(now);
        let session = sessions.iter_mut().find(|session| session.secret.is(secret))?;
        session.used = now.mono;
        Some(session.forms.clone())
    }

    /// Leaves a notice for the next page of a session.
    pub(super) fn leave_notice(&self, secret: &str, notice: Notice, now: Now) {
        if let Some(session) = self.alive(now).iter_mut().find(|session| session.secret.is(secret)) {
            session.notice = Some(notice);
        }
    }

    /// Takes the notice that was left for the next page.
    pub(super) fn take_notice(&self, secret: &str, now: Now) -> Option<Notice> {
        self.alive(now).iter_mut().find(|session| session.secret.is(secret))?.notice.take()
    }

    /// Ends the session that this secret belongs to.
    pub(super) fn end(&self, secret: &str, now: Now) {
        self.alive(now).retain(|session| !session.secret.is(secret));
    }

    /// Ends all sessions: the password was changed.
    pub(super) fn end_all(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn alive(&self, now: Now) -> MutexGuard<'_, Vec<Session>> {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|session| !session.is_over(now));
        sessions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_known_by_its_secret_and_by_nothing_else() {
        let (sessions, now) = (Sessions::default(), Now::read());
        let secret = sessions.begin(now);
        assert!(secret.as_str().len() == 32 && !format!("{secret:?}").contains(secret.as_str()));
        let forms = sessions.enter(secret.as_str(), now).unwrap();
        assert!(!forms.is(secret.as_str()), "the page must not give the cookie away");
        for wrong in ["", "0", &"0".repeat(32), forms.as_str(), &secret.as_str()[..31]] {
            assert!(sessions.enter(wrong, now).is_none());
        }
        sessions.end(secret.as_str(), now);
        assert!(sessions.enter(secret.as_str(), now).is_none());
    }

    #[test]
    fn a_session_ends_when_it_is_unused_and_at_last_even_if_it_is_not() {
        let (sessions, start) = (Sessions::default(), Now::read());
        let (lazy, busy) = (sessions.begin(start), sessions.begin(start));
        let mut passed = IDLE / 2;
        while passed < LIFE {
            assert!(sessions.enter(busy.as_str(), start.later(passed)).is_some());
            passed += IDLE / 2;
        }
        assert!(sessions.enter(busy.as_str(), start.later(LIFE)).is_none());
        assert!(sessions.enter(lazy.as_str(), start.later(IDLE)).is_none());
    }

    #[test]
    fn the_number_of_sessions_is_bounded_and_the_longest_unused_goes_first() {
        let (sessions, start) = (Sessions::default(), Now::read());
        let secrets: Vec<_> = (0..20).map(|n| sessions.begin(start.later(Duration::from_secs(n)))).collect();
        let alive = secrets.iter().filter(|secret| sessions.enter(secret.as_str(), start).is_some()).count();
        assert_eq!(alive, MOST);
        assert!(sessions.enter(secrets[19].as_str(), start).is_some());
        sessions.end_all();
        assert!(sessions.enter(secrets[19].as_str(), start).is_none());
    }

    #[test]
    fn a_notice_is_shown_once() {
        let (sessions, now) = (Sessions::default(), Now::read());
        let secret = sessions.begin(now);
        let notice = Notice { good: true, text: "done".to_owned() };
        sessions.leave_notice(secret.as_str(), notice.clone(), now);
        assert_eq!(sessions.take_notice(secret.as_str(), now), Some(notice));
        assert_eq!(sessions.take_notice(secret.as_str(), now), None);
    }
}
