//! The sessions of browsers on the pages, of the Operator and of players alike. They are kept in memory only: a restart ends them
//! all.

use super::locked;
use super::sent_forms::{FormAdmission, FormDigest, FormDone, SentForms};
use crate::clock::Now;
use data_encoding::HEXLOWER;
use rand::RngCore;
use rand::rngs::OsRng;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq;

/// How long sessions live, and how many there are.
#[derive(Clone, Copy, Debug)]
pub struct PageTerms {
    /// A session ends when it was not used for so long ...
    pub idle: Duration,
    /// ... and so long after it began in any case.
    pub life: Duration,
    /// The most sessions of one User at the same time. A new one beyond that ends the one that was unused for longest.
    pub most_each: usize,
    /// The same for all Users together.
    pub most: usize,
}

/// How long a form that comes again waits for what it did to be over.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// 128 random bits in hexadecimal digits: a session's secret, or the token of its forms, behind which the forms of a page have `-` and the number
/// of that page. Never shown by `Debug`.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Makes one from the system's random source.
    pub fn random() -> Self {
        let mut random = [0; 16];
        OsRng.fill_bytes(&mut random);
        Self(HEXLOWER.encode(&random))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `text` is this token; the time it takes does not tell how much of it is right.
    pub fn is(&self, text: &str) -> bool {
        Self::same(&self.0, text)
    }

    /// Whether two texts are the same; the time it takes does not tell either.
    pub fn same(one: &str, other: &str) -> bool {
        one.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

#[derive(Debug)]
struct Session<W> {
    who: W,
    secret: Token,
    forms: Token,
    sent: SentForms,
    began: Instant,
    used: Instant,
    notice: Option<Notice>,
}

/// The outcome of a form, shown on the next page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Whether the form did what it was to do.
    pub good: bool,
    /// The text that is shown.
    pub text: String,
    /// What was typed into the form, if it was refused.
    pub typed: Option<Typed>,
}

impl Notice {
    /// What a form came to: what was done, or why it was not.
    pub fn of(outcome: Result<String, String>) -> Self {
        let good = outcome.is_ok();
        let (Ok(text) | Err(text)) = outcome;
        Self { good, text, typed: None }
    }
}

/// What somebody typed into a form, so that it need not be typed again. A session keeps one of them at most, until the next page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// The path to which the form was sent.
    pub action: String,
    /// Its fields, without passwords.
    pub fields: Vec<(String, String)>,
}

/// The sessions of one kind of User, of whom `W` says who it is.
#[derive(Debug)]
pub struct PageSessions<W> {
    terms: PageTerms,
    all: Mutex<Vec<Session<W>>>,
    /// Told whenever a form is settled.
    settled: Condvar,
}

impl<W: Copy + Eq> PageSessions<W> {
    /// None yet.
    pub fn new(terms: PageTerms) -> Self {
        Self { terms, all: Mutex::default(), settled: Condvar::new() }
    }

    /// Begins a session, and returns the secret for its cookie.
    pub fn begin(&self, who: W, now: Now) -> Token {
        let secret = Token::random();
        let session = Session {
            who,
            secret: secret.clone(),
            forms: Token::random(),
            sent: SentForms::default(),
            began: now.mono,
            used: now.mono,
            notice: None,
        };
        let mut sessions = self.alive(now);
        make_room(&mut sessions, self.terms.most_each, |session| session.who == who);
        make_room(&mut sessions, self.terms.most, |_| true);
        sessions.push(session);
        secret
    }

    /// Who has the session that the secret belongs to, and the token that the forms of this page carry. Counts as a use of the session.
    pub fn enter(&self, secret: &str, now: Now) -> Option<(W, Token)> {
        let mut sessions = self.alive(now);
        let session = found(&mut sessions, secret)?;
        session.used = now.mono;
        let page = session.sent.next_page();
        Some((session.who, Token(format!("{}-{page}", session.forms.as_str()))))
    }

    /// Whether a form with this token comes from a page of the session.
    pub fn is_ours(&self, secret: &str, token: &str, now: Now) -> bool {
        found(&mut self.alive(now), secret).is_some_and(|session| session.page_of(token).is_some())
    }

    /// Whether a form with this token is to be done. Waits some seconds if the same one is being done at the moment.
    pub fn admit(&self, secret: &str, token: &str, digest: FormDigest, now: Now) -> FormAdmission {
        let pending = |sessions: &mut Vec<Session<W>>| {
            found(sessions, secret).is_some_and(|session| session.sent.is_pending(&digest))
        };
        let waited = self.settled.wait_timeout_while(self.alive(now), LONGEST_WAIT, pending);
        let (mut sessions, _) = waited.unwrap_or_else(PoisonError::into_inner);
        found(&mut sessions, secret)
            .and_then(|session| Some((session.page_of(token)?, session)))
            .map_or(FormAdmission::Foreign, |(page, session)| session.sent.admit(page, digest))
    }

    /// Keeps what a form that was admitted did, for when it comes again; `None`: it changed nothing, and may come again.
    pub fn settle(&self, secret: &str, digest: &FormDigest, done: Option<FormDone>, now: Now) {
        if let Some(session) = found(&mut self.alive(now), secret) {
            session.sent.settle(digest, done);
        }
        self.settled.notify_all();
    }

    /// How many sessions somebody has.
    pub fn count(&self, who: W, now: Now) -> usize {
        self.alive(now).iter().filter(|session| session.who == who).count()
    }

    /// Leaves a notice for the next page of a session.
    pub fn leave_notice(&self, secret: &str, notice: Notice, now: Now) {
        if let Some(session) = found(&mut self.alive(now), secret) {
            session.notice = Some(notice);
        }
    }

    /// Keeps what was typed into a form beside the notice that says why it was refused. One that was done is not kept.
    pub fn keep_typed(&self, secret: &str, typed: Typed, now: Now) {
        let mut sessions = self.alive(now);
        if let Some(notice) = found(&mut sessions, secret)
            .and_then(|session| session.notice.as_mut())
            .filter(|notice| !notice.good)
        {
            notice.typed = Some(typed);
        }
    }

    /// Takes the notice that was left for the next page.
    pub fn take_notice(&self, secret: &str, now: Now) -> Option<Notice> {
        found(&mut self.alive(now), secret)?.notice.take()
    }

    /// Ends the session that this secret belongs to.
    pub fn end(&self, secret: &str, now: Now) {
        self.alive(now).retain(|session| !session.secret.is(secret));
    }

    /// Ends all sessions of somebody: the password was changed, or its account disabled.
    pub fn end_of(&self, who: W) {
        locked(&self.all).retain(|session| session.who != who);
    }

    fn alive(&self, now: Now) -> MutexGuard<'_, Vec<Session<W>>> {
        let PageTerms { idle, life, .. } = self.terms;
        let mut sessions = locked(&self.all);
        sessions.retain(|session| now.since(session.used) < idle && now.since(session.began) < life);
        sessions
    }
}

/// The session that this secret belongs to.
fn found<'s, W>(sessions: &'s mut [Session<W>], secret: &str) -> Option<&'s mut Session<W>> {
    sessions.iter_mut().find(|session| session.secret.is(secret))
}

impl<W> Session<W> {
    /// The number of the page with this token, if it is one of this session.
    fn page_of(&self, token: &str) -> Option<u64> {
        let (forms, page) = token.split_once('-')?;
        page.parse().ok().filter(|_| self.forms.is(forms))
    }
}

/// Makes room for one more of those that `counts` names, of which there may be so many.
fn make_room<W>(sessions: &mut Vec<Session<W>>, most: usize, counts: impl Fn(&Session<W>) -> bool) {
    let counted = || sessions.iter().enumerate().filter(|(_, session)| counts(session));
    if counted().count() >= most
        && let Some(oldest) = counted().min_by_key(|(_, session)| session.used).map(|(place, _)| place)
    {
        sessions.remove(oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: PageTerms =
        PageTerms { idle: Duration::from_mins(30), life: Duration::from_hours(12), most_each: 8, most: 10 };
    const IDLE: Duration = TERMS.idle;
    const LIFE: Duration = TERMS.life;

    #[test]
    fn a_session_is_known_by_its_secret_and_by_nothing_else() {
        let (sessions, now) = (PageSessions::new(TERMS), Now::read());
        let secret = sessions.begin('m', now);
        assert!(secret.as_str().len() == 32 && !format!("{secret:?}").contains(secret.as_str()));
        let forms = sessions.enter(secret.as_str(), now).unwrap().1;
        assert!(!forms.is(secret.as_str()), "the page must not give the cookie away");
        for wrong in ["", "0", &"0".repeat(32), forms.as_str(), &secret.as_str()[..31]] {
            assert!(sessions.enter(wrong, now).is_none());
        }
        sessions.end(secret.as_str(), now);
        assert!(sessions.enter(secret.as_str(), now).is_none());
    }

    #[test]
    fn a_session_ends_when_it_is_unused_and_at_last_even_if_it_is_not() {
        let (sessions, start) = (PageSessions::new(TERMS), Now::read());
        let (lazy, busy) = (sessions.begin('m', start), sessions.begin('m', start));
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
        let (sessions, start) = (PageSessions::new(TERMS), Now::read());
        let secrets: Vec<_> =
            (0..20).map(|n| sessions.begin('m', start.later(Duration::from_secs(n)))).collect();
        let alive = secrets.iter().filter(|secret| sessions.enter(secret.as_str(), start).is_some()).count();
        assert_eq!(alive, TERMS.most_each);
        assert_eq!(sessions.count('m', start), TERMS.most_each);
        for other in 'a'..='c' {
            sessions.begin(other, start.later(Duration::from_secs(30)));
        }
        assert_eq!((sessions.count('m', start), sessions.count('a', start)), (7, 1), "ten in all");
        assert!(sessions.enter(secrets[19].as_str(), start).is_some());
        sessions.end_of('m');
        assert_eq!(sessions.count('a', start), 1);
        assert!(sessions.enter(secrets[19].as_str(), start).is_none());
    }

    #[test]
    fn a_form_that_comes_again_meanwhile_waits_and_is_told_what_the_first_did() {
        let (sessions, now) = (PageSessions::new(TERMS), Now::read());
        let secret = sessions.begin('m', now);
        let (secret, token) = (secret.as_str(), sessions.enter(secret.as_str(), now).unwrap().1);
        let admit = || sessions.admit(secret, token.as_str(), [1; 32], now);
        assert_eq!(admit(), FormAdmission::First);
        let done = FormDone { page: "/x".to_owned(), text: "done".to_owned() };
        std::thread::scope(|scope| {
            let again = scope.spawn(admit);
            sessions.settle(secret, &[1; 32], Some(done.clone()), now);
            assert_eq!(again.join().unwrap(), FormAdmission::Again(Some(done.clone())));
        });
        let plain = token.as_str().split_once('-').unwrap().0;
        for foreign in ["", "-1", plain, &format!("{plain}-"), &format!("{plain}-9"), "0-1"] {
            assert_eq!(sessions.admit(secret, foreign, [2; 32], now), FormAdmission::Foreign, "{foreign}");
        }
        assert!(sessions.is_ours(secret, token.as_str(), now) && !sessions.is_ours(secret, plain, now));
    }

    #[test]
    fn a_notice_is_shown_once() {
        let (sessions, now) = (PageSessions::new(TERMS), Now::read());
        let secret = sessions.begin('m', now);
        let notice = Notice::of(Ok("done".to_owned()));
        sessions.leave_notice(secret.as_str(), notice.clone(), now);
        assert_eq!(sessions.take_notice(secret.as_str(), now), Some(notice));
        assert_eq!(sessions.take_notice(secret.as_str(), now), None);
    }

    #[test]
    fn what_was_typed_is_kept_for_the_next_page_only_if_it_was_refused() {
        let (sessions, now) = (PageSessions::new(TERMS), Now::read());
        let secret = sessions.begin('m', now);
        let typed = Typed { action: "/x".to_owned(), fields: vec![("name".to_owned(), "y".to_owned())] };
        for (outcome, kept) in [(Err("no".to_owned()), Some(typed.clone())), (Ok("yes".to_owned()), None)] {
            sessions.leave_notice(secret.as_str(), Notice::of(outcome), now);
            sessions.keep_typed(secret.as_str(), typed.clone(), now);
            assert_eq!(sessions.take_notice(secret.as_str(), now).unwrap().typed, kept);
        }
        sessions.keep_typed(secret.as_str(), typed, now);
        assert_eq!(sessions.take_notice(secret.as_str(), now), None, "nothing without a notice");
    }
}
