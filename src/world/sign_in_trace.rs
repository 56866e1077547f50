//! What the server has seen from each address, so that a player can look up where signing in stopped.
//!
//! Kept by address, because the player who needs it could not sign in. No names, no secrets, and bounded: players
//! share a home, not a city.

use super::locked;
use crate::clock::Now;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How many addresses are remembered; beyond that the one that was silent for longest is forgotten.
const MAX_ADDRESSES: usize = 256;

/// A password check after so much silence begins a new sitting. A Client checks twice, and between the two its User may
/// linger, but the second follows something else within a second (*captured*).
const SILENCE: Duration = Duration::from_mins(1);

/// The way of a Client into the game, in the order it goes (*captured*).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInStep {
    /// AuthLogin: name and password.
    Password,
    /// HTTPS: where the services are.
    ShardList,
    /// Login, with the Session Key encrypted with `pub.key`.
    Login,
    /// NPS 8228: which personas the customer has.
    PersonaList,
    /// A persona was chosen.
    Persona,
    /// NPS 7003: greeted and let in.
    Lobby,
    /// 43300: the world let the persona in.
    Mcots,
    /// A room server.
    Room,
}

impl SignInStep {
    /// All of them, in order.
    pub const ALL: [Self; 8] = [
        Self::Password,
        Self::ShardList,
        Self::Login,
        Self::PersonaList,
        Self::Persona,
        Self::Lobby,
        Self::Mcots,
        Self::Room,
    ];
}

/// When a step was last seen, and how it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When.
    pub at: Instant,
    /// Whether the Client was let through.
    pub passed: bool,
}

/// The last sitting of one address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    steps: [Option<Seen>; SignInStep::ALL.len()],
}

impl Trace {
    /// What was seen of one step.
    pub fn step(&self, step: SignInStep) -> Option<Seen> {
        self.steps.get(step as usize).copied().flatten()
    }

    fn last(&self) -> Option<Instant> {
        self.steps.iter().flatten().map(|seen| seen.at).max()
    }

    fn put(&mut self, step: SignInStep, seen: Seen) {
        if let Some(place) = self.steps.get_mut(step as usize) {
            *place = Some(seen);
        }
    }
}

/// The trails of all addresses.
#[derive(Debug, Default)]
pub struct SignInTrace(Mutex<HashMap<IpAddr, Trace>>);

impl SignInTrace {
    /// A Client at this address got through a step.
    pub fn passed(&self, from: IpAddr, step: SignInStep, now: Now) {
        self.note(from, step, Seen { at: now.mono, passed: true });
    }

    /// A Client at this address was refused at a step.
    pub fn refused(&self, from: IpAddr, step: SignInStep, now: Now) {
        self.note(from, step, Seen { at: now.mono, passed: false });
    }

    /// The last sitting of an address; an empty one if there was none.
    pub fn of(&self, address: IpAddr) -> Trace {
        locked(&self.0).get(&address.to_canonical()).copied().unwrap_or_default()
    }

    fn note(&self, from: IpAddr, step: SignInStep, seen: Seen) {
        let from = from.to_canonical();
        let mut trails = locked(&self.0);
        if trails.len() >= MAX_ADDRESSES
            && !trails.contains_key(&from)
            && let Some(silent) =
                trails.iter().min_by_key(|(_, trail)| trail.last()).map(|(address, _)| *address)
        {
            trails.remove(&silent);
        }
        let trail = trails.entry(from).or_default();
        let long_ago = |last: Instant| seen.at.saturating_duration_since(last) > SILENCE;
        if step == SignInStep::Password && trail.last().is_some_and(long_ago) {
            *trail = Trace::default();
        }
        trail.put(step, seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 20));

    fn seen(at: Instant) -> Seen {
        Seen { at, passed: true }
    }

    #[test]
    fn steps_are_stored_in_the_order_they_are_listed() {
        for (place, step) in SignInStep::ALL.into_iter().enumerate() {
            assert_eq!(step as usize, place);
        }
    }

    #[test]
    fn the_last_outcome_of_each_step_is_kept_for_each_address() {
        let sign_in_trace = SignInTrace::default();
        sign_in_trace.refused(HOME, SignInStep::Password, Now::read());
        sign_in_trace.passed("::ffff:192.168.1.20".parse().unwrap(), SignInStep::Password, Now::read());
        sign_in_trace.refused(HOME, SignInStep::Login, Now::read());
        let trail = sign_in_trace.of(HOME);
        assert!(trail.step(SignInStep::Password).unwrap().passed);
        assert!(!trail.step(SignInStep::Login).unwrap().passed);
        assert_eq!(trail.step(SignInStep::Lobby), None);
        assert_eq!(sign_in_trace.of(Ipv4Addr::LOCALHOST.into()), Trace::default());
    }

    #[test]
    fn a_password_check_after_a_minute_of_silence_begins_anew_and_a_second_one_does_not() {
        let sign_in_trace = SignInTrace::default();
        let start = Instant::now();
        let second = |n| start + Duration::from_secs(n);
        sign_in_trace.note(HOME, SignInStep::Password, seen(start));
        sign_in_trace.note(HOME, SignInStep::ShardList, seen(second(200)));
        sign_in_trace.note(HOME, SignInStep::Password, seen(second(201)));
        assert!(
            sign_in_trace.of(HOME).step(SignInStep::ShardList).is_some(),
            "the second check of one sitting"
        );
        sign_in_trace.note(HOME, SignInStep::Lobby, seen(second(900)));
        sign_in_trace.note(HOME, SignInStep::Password, seen(second(961)));
        assert_eq!(sign_in_trace.of(HOME).step(SignInStep::ShardList), None);
        assert_eq!(sign_in_trace.of(HOME).step(SignInStep::Lobby), None);
    }

    #[test]
    fn the_memory_is_bounded_and_the_longest_silent_goes_first() {
        let sign_in_trace = SignInTrace::default();
        let start = Instant::now();
        let address = |n: u32| IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + n));
        for n in 0..1000 {
            sign_in_trace.note(address(n), SignInStep::Password, seen(start + Duration::from_secs(n.into())));
        }
        assert_eq!(locked(&sign_in_trace.0).len(), MAX_ADDRESSES);
        assert!(sign_in_trace.of(address(999)).step(SignInStep::Password).is_some());
        assert_eq!(sign_in_trace.of(address(0)), Trace::default());
    }
}
