//! Contexts (tickets) from AuthLogin, and the Session Keys that Login shares with the other services.

use super::locked;
use crate::clock::Now;
use mco_proto::ids::CustomerId;
use mco_proto::session_key::SessionKey;
use rand::RngCore;
use rand::rngs::OsRng;
use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A Client asks twice per sitting and may do so for several sittings; beyond this the oldest Context goes.
const CONTEXTS_PER_CUSTOMER: usize = 16;
/// A Session Key that no connection was made with for so long is forgotten; a Client always signs in again when it
/// starts.
const SESSION_LIFE: Duration = Duration::from_hours(24);

/// What a successful login leaves behind.
#[derive(Clone, Debug)]
pub struct Session {
    /// The key all ciphers of this Client come from.
    pub key: SessionKey,
    /// Where the login came from; the unauthenticated services answer no other address.
    pub address: IpAddr,
    used: Instant,
}

impl Session {
    fn is_alive(&self, now: Now) -> bool {
        now.since(self.used) < SESSION_LIFE
    }
}

/// Who may sign in, and who has.
#[derive(Debug)]
pub struct Sessions {
    context_life: Duration,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    contexts: HashMap<String, Context>,
    /// Contexts of a customer, oldest first.
    issued: HashMap<CustomerId, VecDeque<String>>,
    sessions: HashMap<CustomerId, Session>,
}

#[derive(Debug)]
struct Context {
    customer: CustomerId,
    expires: Instant,
}

impl Sessions {
    /// Nobody yet.
    pub fn new(context_life: Duration) -> Self {
        Self { context_life, inner: Mutex::default() }
    }

    /// A new Context for an account: 32 hexadecimal digits from the system's random source. It can be redeemed any
    /// number of times until it expires: a Client fetches two and may sign in again with the one it has.
    pub fn issue_context(&self, customer: CustomerId, now: Now) -> String {
        let mut random = [0; 16];
        OsRng.fill_bytes(&mut random);
        let mut context = String::with_capacity(32);
        for byte in random {
            // Writing to a String cannot fail.
            let _ = write!(context, "{byte:02x}");
        }
        let mut inner = locked(&self.inner);
        inner.forget_expired(now);
        let issued = inner.issued.entry(customer).or_default();
        issued.push_back(context.clone());
        let oldest = if issued.len() > CONTEXTS_PER_CUSTOMER { issued.pop_front() } else { None };
        if let Some(oldest) = oldest {
            inner.contexts.remove(&oldest);
        }
        let expires = now.mono + self.context_life;
        inner.contexts.insert(context.clone(), Context { customer, expires });
        context
    }

    /// The account a Context was issued to, if it is still valid.
    pub fn redeem(&self, context: &str, now: Now) -> Option<CustomerId> {
        let inner = locked(&self.inner);
        inner
            .contexts
            .get(context)
            .filter(|context| context.expires > now.mono)
            .map(|context| context.customer)
    }

    /// Begins the session of an account; its previous one, and with it the previous Session Key, is replaced.
    pub fn begin(&self, customer: CustomerId, key: SessionKey, address: IpAddr, now: Now) {
        let used = now.mono;
        locked(&self.inner).sessions.insert(customer, Session { key, address, used });
    }

    /// The session of an account, which lives on because it is asked for.
    pub fn of(&self, customer: CustomerId, now: Now) -> Option<Session> {
        let mut inner = locked(&self.inner);
        let session = inner.sessions.get_mut(&customer).filter(|session| session.is_alive(now))?;
        session.used = now.mono;
        Some(session.clone())
    }

    /// Whether this account signed in from this address: all the proof there is on ports 8227 and 8228.
    pub fn signed_in_from(&self, customer: CustomerId, address: IpAddr, now: Now) -> bool {
        self.of(customer, now).is_some_and(|session| session.address == address)
    }

    /// Who has signed in and from where, by number. Looking does not prolong anything.
    pub fn all(&self, now: Now) -> Vec<(CustomerId, IpAddr)> {
        let inner = locked(&self.inner);
        let alive = inner.sessions.iter().filter(|(_, session)| session.is_alive(now));
        let mut all: Vec<_> = alive.map(|(customer, session)| (*customer, session.address)).collect();
        all.sort_unstable();
        all
    }

    /// Ends everything an account could sign in with: it was disabled or its password changed.
    pub fn revoke(&self, customer: CustomerId) {
        let mut inner = locked(&self.inner);
        for context in inner.issued.remove(&customer).unwrap_or_default() {
            inner.contexts.remove(&context);
        }
        inner.sessions.remove(&customer);
    }
}

impl Inner {
    /// Every Context lives equally long, so the expired ones of a customer stand in front.
    fn forget_expired(&mut self, now: Now) {
        let contexts = &mut self.contexts;
        contexts.retain(|_, context| context.expires > now.mono);
        self.issued.retain(|_, issued| {
            issued.retain(|context| contexts.contains_key(context));
            !issued.is_empty()
        });
        self.sessions.retain(|_, session| session.is_alive(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const HALF_AN_HOUR: Duration = Duration::from_mins(30);
    const ANN: CustomerId = CustomerId(1);
    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn a_context_is_32_hexadecimal_digits_and_serves_more_than_once() {
        let sessions = Sessions::new(HALF_AN_HOUR);
        let (first, second) =
            (sessions.issue_context(ANN, Now::read()), sessions.issue_context(ANN, Now::read()));
        assert!(first.len() == 32 && first.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(first, second);
        for context in [&first, &second, &first] {
            assert_eq!(sessions.redeem(context, Now::read()), Some(ANN));
        }
        assert_eq!(sessions.redeem("ffffffffffffffffffffffffffffffff", Now::read()), None);
    }

    #[test]
    fn a_context_expires_and_makes_room() {
        let sessions = Sessions::new(HALF_AN_HOUR);
        let start = Now::read();
        let context = sessions.issue_context(ANN, start);
        let nearly = start.later(HALF_AN_HOUR.saturating_sub(Duration::from_secs(1)));
        assert_eq!(sessions.redeem(&context, nearly), Some(ANN));
        assert_eq!(sessions.redeem(&context, start.later(HALF_AN_HOUR)), None);
        sessions.issue_context(ANN, start.later(HALF_AN_HOUR));
        assert_eq!(locked(&sessions.inner).contexts.len(), 1);
    }

    #[test]
    fn an_account_holds_a_bounded_number_of_contexts() {
        let sessions = Sessions::new(HALF_AN_HOUR);
        let contexts: Vec<_> = (0..40).map(|_| sessions.issue_context(ANN, Now::read())).collect();
        let valid = contexts.iter().filter(|context| sessions.redeem(context, Now::read()).is_some()).count();
        assert_eq!(valid, CONTEXTS_PER_CUSTOMER);
        assert!(sessions.redeem(contexts.last().unwrap(), Now::read()).is_some());
    }

    #[test]
    fn a_new_login_replaces_the_session_key() {
        let sessions = Sessions::new(HALF_AN_HOUR);
        let (old, new) = (SessionKey::random(), SessionKey::random());
        sessions.begin(ANN, old, HERE, Now::read());
        sessions.begin(ANN, new.clone(), HERE, Now::read());
        assert!(sessions.of(ANN, Now::read()).unwrap().key == new);
        assert!(sessions.signed_in_from(ANN, HERE, Now::read()));
        assert!(!sessions.signed_in_from(ANN, IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7)), Now::read()));
    }

    #[test]
    fn a_revoked_account_has_neither_context_nor_session() {
        let sessions = Sessions::new(HALF_AN_HOUR);
        let context = sessions.issue_context(ANN, Now::read());
        sessions.begin(ANN, SessionKey::random(), HERE, Now::read());
        sessions.revoke(ANN);
        assert!(sessions.redeem(&context, Now::read()).is_none() && sessions.of(ANN, Now::read()).is_none());
    }
}
