//! Contexts (tickets) from AuthLogin, and the Session Keys that Login shares with the other services.

use super::locked;
use crate::clock::Now;
use data_encoding::HEXLOWER;
use mco_proto::ids::CustomerId;
use mco_proto::session_key::SessionKey;
use rand::RngCore;
use rand::rngs::OsRng;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A Client asks twice per sitting and may do so for several sittings; beyond this the oldest Context goes.
const CONTEXTS_PER_CUSTOMER: usize = 16;
/// A family plays on several PCs with one account, and a Client that crashed signs in again; beyond this a session goes for the
/// new one: see [`Sessions::begin`].
pub const SESSIONS_PER_CUSTOMER: usize = 8;
/// A Session Key that no connection was made with for so long is forgotten; a Client always signs in again when it
/// starts.
const SESSION_LIFE: Duration = Duration::from_hours(24);

/// The number of a session: a later login has a higher one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(u64);

#[cfg(test)]
impl SessionId {
    pub(crate) const fn new(number: u64) -> Self {
        Self(number)
    }
}

/// What a successful login leaves behind. One account may have several: one for each PC on which it is played.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its number.
    pub id: SessionId,
    /// The key all ciphers of this Client come from.
    pub key: SessionKey,
    /// Where the login came from; the unauthenticated services answer no other address.
    pub address: IpAddr,
    used: Instant,
}

/// An account plays on as many PCs at once as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllPlayed;

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
    /// Sessions of a customer, in the order of their logins; never empty.
    sessions: HashMap<CustomerId, Vec<Session>>,
    /// How many sessions there were.
    begun: u64,
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
        let context = HEXLOWER.encode(&random);
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

    /// Whether an account can begin one more session: it has fewer than it may, or one in which nothing is played, as `played` says.
    pub fn has_place(&self, customer: CustomerId, played: &BTreeSet<SessionId>, now: Now) -> bool {
        let inner = locked(&self.inner);
        let sessions = inner.sessions.get(&customer).into_iter().flatten();
        sessions.filter(|known| known.is_alive(now) && played.contains(&known.id)).count()
            < SESSIONS_PER_CUSTOMER
    }

    /// Begins a session of an account, beside those of its other PCs. A login with the same key from the same address is the same
    /// session. If the account has as many as it may, one goes that is not among those `played`, in which somebody plays: the one
    /// not used for the longest time, of those from the same address if there is one, so that a PC that signs in again and again
    /// costs no other PC its session.
    ///
    /// # Errors
    /// [`AllPlayed`]: somebody plays in each of them.
    pub fn begin(
        &self,
        customer: CustomerId,
        key: SessionKey,
        address: IpAddr,
        played: &BTreeSet<SessionId>,
        now: Now,
    ) -> Result<SessionId, AllPlayed> {
        let mut inner = locked(&self.inner);
        inner.begun += 1;
        let new = SessionId(inner.begun);
        let sessions = inner.sessions.entry(customer).or_default();
        sessions.retain(|known| known.is_alive(now));
        let same = sessions.iter().position(|known| known.key == key && known.address == address);
        let id = same.map_or(new, |at| sessions.remove(at).id);
        if sessions.len() >= SESSIONS_PER_CUSTOMER {
            let idle = sessions.iter().filter(|known| !played.contains(&known.id));
            let oldest = idle.min_by_key(|known| (known.address != address, known.used)).ok_or(AllPlayed)?.id;
            sessions.retain(|known| known.id != oldest);
        }
        sessions.push(Session { id, key, address, used: now.mono });
        Ok(id)
    }

    /// The session of an account whose key `proof` is made from, if its login came from this address; it lives on because it is
    /// asked for. The proof is the same each time, so without the address whoever overheard it could come in.
    pub fn proven(
        &self,
        customer: CustomerId,
        address: IpAddr,
        proof: &[u8; 16],
        now: Now,
    ) -> Option<Session> {
        let mut inner = locked(&self.inner);
        let mut alive = inner.alive_at(customer, address, now);
        let session = alive.find(|session| session.key.proven_by(proof))?;
        session.used = now.mono;
        Some(session.clone())
    }

    /// The sessions of an account whose logins came from this address, the latest first; they live on because they are asked for.
    /// There is more than one if two PCs are behind one router, or if a Client crashed.
    pub fn at(&self, customer: CustomerId, address: IpAddr, now: Now) -> Vec<Session> {
        let mut inner = locked(&self.inner);
        let mut sessions: Vec<_> = inner
            .alive_at(customer, address, now)
            .map(|session| {
                session.used = now.mono;
                session.clone()
            })
            .collect();
        sessions.reverse();
        sessions
    }

    /// Whether this account signed in from this address: all the proof there is on ports 8227 and 8228.
    pub fn signed_in_from(&self, customer: CustomerId, address: IpAddr, now: Now) -> bool {
        let mut inner = locked(&self.inner);
        let latest = inner.alive_at(customer, address, now).last();
        latest.map(|session| session.used = now.mono).is_some()
    }

    /// Who has signed in and from where, by number, an account once for each session. Looking does not prolong anything.
    pub fn all(&self, now: Now) -> Vec<(CustomerId, IpAddr, SessionId)> {
        let inner = locked(&self.inner);
        let sessions = inner
            .sessions
            .iter()
            .flat_map(|(customer, sessions)| sessions.iter().map(move |session| (*customer, session)));
        let alive = sessions.filter(|(_, session)| session.is_alive(now));
        let mut all: Vec<_> =
            alive.map(|(customer, session)| (customer, session.address, session.id)).collect();
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
        self.sessions.retain(|_, sessions| {
            sessions.retain(|session| session.is_alive(now));
            !sessions.is_empty()
        });
    }

    /// The sessions of an account from an address, in the order of their logins.
    fn alive_at(
        &mut self,
        customer: CustomerId,
        address: IpAddr,
        now: Now,
    ) -> impl Iterator<Item = &mut Session> {
        let sessions = self.sessions.get_mut(&customer).into_iter().flatten();
        let address = address.to_canonical();
        sessions.filter(move |session| session.is_alive(now) && session.address.to_canonical() == address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const NONE: BTreeSet<SessionId> = BTreeSet::new();
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

    const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7));

    #[test]
    fn an_account_has_a_session_for_each_pc_which_its_proof_or_its_address_finds() {
        let sessions = Sessions::new(HALF_AN_HOUR);
        let now = Now::read();
        let keys = [(); 3].map(|()| SessionKey::random());
        let [one, other, same_router] = [(0, HERE), (1, THERE), (2, HERE)]
            .map(|(n, from)| sessions.begin(ANN, keys[n].clone(), from, &NONE, now).unwrap());
        let found = |address, n: usize| {
            sessions.proven(ANN, address, &keys[n].proof(), now).map(|session| session.id)
        };
        assert_eq!(
            [found(HERE, 0), found(THERE, 1), found(HERE, 2)],
            [Some(one), Some(other), Some(same_router)]
        );
        assert_eq!(
            [found(THERE, 0), found(HERE, 1)],
            [None, None],
            "a proof counts from where its login came"
        );
        let at = |address| {
            sessions.at(ANN, address, now).into_iter().map(|session| session.id).collect::<Vec<_>>()
        };
        assert_eq!((at(HERE), at(THERE)), (vec![same_router, one], vec![other]));
        assert!(sessions.signed_in_from(ANN, HERE, now) && sessions.signed_in_from(ANN, THERE, now));
        assert!(!sessions.signed_in_from(ANN, IpAddr::V4(Ipv4Addr::new(10, 0, 0, 8)), now));
        assert!(!sessions.signed_in_from(CustomerId(2), HERE, now));
    }

    #[test]
    fn a_session_is_forgotten_a_day_after_it_was_last_asked_for() {
        let sessions = Sessions::new(HALF_AN_HOUR);
        let start = Now::read();
        let key = SessionKey::random();
        sessions.begin(ANN, key.clone(), HERE, &NONE, start).unwrap();
        sessions.begin(ANN, SessionKey::random(), THERE, &NONE, start).unwrap();
        let almost = start.later(SESSION_LIFE.saturating_sub(Duration::from_secs(1)));
        assert!(sessions.proven(ANN, HERE, &key.proof(), almost).is_some());
        let later = start.later(SESSION_LIFE);
        assert!(sessions.at(ANN, THERE, later).is_empty());
        assert_eq!(sessions.all(later).len(), 1);
    }

    #[test]
    fn a_pc_that_signs_in_again_and_again_costs_no_other_pc_its_session() {
        let sessions = Sessions::new(HALF_AN_HOUR);
        let start = Now::read();
        let sister = SessionKey::random();
        sessions.begin(ANN, sister.clone(), THERE, &NONE, start).unwrap();
        let again = SessionKey::random();
        for second in 1..40 {
            let now = start.later(Duration::from_secs(second));
            sessions.begin(ANN, SessionKey::random(), HERE, &NONE, now).unwrap();
            let begin = || sessions.begin(ANN, again.clone(), HERE, &NONE, now).unwrap();
            let id = begin();
            assert_eq!(begin(), id, "the same key is the same session");
        }
        let end = start.later(Duration::from_mins(1));
        assert_eq!(sessions.all(end).len(), SESSIONS_PER_CUSTOMER);
        assert!(sessions.proven(ANN, THERE, &sister.proof(), end).is_some());
        assert_eq!(sessions.at(ANN, HERE, end).iter().filter(|session| session.key == again).count(), 1);
    }

    #[test]
    fn a_session_in_which_somebody_plays_goes_for_no_other() {
        let sessions = Sessions::new(HALF_AN_HOUR);
        let now = Now::read();
        let begin =
            |played: &BTreeSet<SessionId>| sessions.begin(ANN, SessionKey::random(), HERE, played, now);
        let mut played: BTreeSet<_> = (0..7).map(|_| begin(&NONE).unwrap()).collect();
        for _ in 0..20 {
            begin(&played).unwrap();
            assert!(sessions.has_place(ANN, &played, now));
        }
        let known = || sessions.all(now).into_iter().map(|(.., id)| id).collect::<BTreeSet<_>>();
        assert!(known().is_superset(&played), "only the eighth has gone each time");
        played = known();
        assert_eq!(begin(&played), Err(AllPlayed));
        assert!(!sessions.has_place(ANN, &played, now) && sessions.has_place(CustomerId(2), &played, now));
        assert_eq!(known(), played);
    }

    #[test]
    fn a_revoked_account_has_neither_context_nor_session() {
        let sessions = Sessions::new(HALF_AN_HOUR);
        let context = sessions.issue_context(ANN, Now::read());
        for address in [HERE, THERE] {
            sessions.begin(ANN, SessionKey::random(), address, &NONE, Now::read()).unwrap();
        }
        sessions.revoke(ANN);
        assert!(sessions.redeem(&context, Now::read()).is_none() && sessions.all(Now::read()).is_empty());
    }
}
