//! Personas in use: from the choice of a driver until its connections are gone.

use super::{ConnectionId, SessionId, locked};
use crate::clock::Now;
use mco_proto::ids::PersonaId;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A driver who was chosen but never arrived anywhere is free again after this time.
const ARRIVAL: Duration = Duration::from_mins(5);

/// A persona that is free again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Released {
    /// Who.
    pub persona: PersonaId,
    /// For how long it was in use.
    pub after: Duration,
}

/// A persona in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// Who.
    pub persona: PersonaId,
    /// Since when.
    pub since: Instant,
    /// In which session, once it has connected.
    pub session: Option<SessionId>,
    /// Those that have signed in as this persona, to any service.
    pub connections: Vec<ConnectionId>,
}

/// How many sessions that lost a persona to another are remembered with it; the oldest is forgotten first.
const MOST_SUPERSEDED: usize = 8;

/// The persona was chosen in another session since, and this one has to choose it again first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Superseded;

/// Which personas are in use, in which session of their account, and on which connections. One persona may hold connections to
/// the lobby, a room and MCOTS at once, all of one session: who comes with a newer one has it alone.
#[derive(Debug, Default)]
pub struct Presence(Mutex<HashMap<PersonaId, InUse>>);

#[derive(Debug)]
struct InUse {
    since: Instant,
    connections: BTreeSet<ConnectionId>,
    /// Whose it is. Choosing a persona proves no session, so that is known from its first connection on.
    holder: Option<SessionId>,
    /// Whose it was before it was chosen from the same address: it may have been chosen by the same session again.
    before: Option<SessionId>,
    /// Sessions that have lost it, the first loser first.
    superseded: VecDeque<Loser>,
}

/// A session that has lost a persona to another one.
#[derive(Clone, Copy, Debug)]
struct Loser {
    session: SessionId,
    /// It has said that it leaves the persona, which it no longer had.
    left: bool,
}

impl InUse {
    const fn new(now: Now) -> Self {
        Self {
            since: now.mono,
            connections: BTreeSet::new(),
            holder: None,
            before: None,
            superseded: VecDeque::new(),
        }
    }

    fn counts(&self, now: Now) -> bool {
        !self.connections.is_empty() || now.since(self.since) < ARRIVAL
    }

    fn supersede(&mut self, session: SessionId) {
        if self.superseded.len() >= MOST_SUPERSEDED {
            self.superseded.pop_front();
        }
        self.superseded.push_back(Loser { session, left: false });
    }

    fn is_superseded(&self, session: SessionId) -> bool {
        self.superseded.iter().any(|loser| loser.session == session)
    }
}

impl Presence {
    /// A driver is chosen, in one of the sessions `from` which its account has at the address of who chose. Connections of an
    /// earlier use are returned, to be closed: the newer use counts. Most likely that Client crashed, or it is another PC.
    pub fn select(&self, persona: PersonaId, from: &[SessionId], now: Now) -> Vec<ConnectionId> {
        let mut personas = locked(&self.0);
        let Some(earlier) = personas.insert(persona, InUse::new(now)) else { return Vec::new() };
        if let Some(in_use) = personas.get_mut(&persona) {
            in_use.superseded =
                earlier.superseded.into_iter().filter(|loser| !from.contains(&loser.session)).collect();
            match earlier.holder.or(earlier.before) {
                Some(holder) if from.contains(&holder) => in_use.before = Some(holder),
                Some(holder) => in_use.supersede(holder),
                None => {}
            }
        }
        earlier.connections.into_iter().collect()
    }

    /// A connection has signed in as this persona and proven its session. Connections of another session are returned, to be
    /// closed.
    ///
    /// # Errors
    /// [`Superseded`]: another session has the persona since.
    pub fn arrive(
        &self,
        persona: PersonaId,
        connection: ConnectionId,
        session: SessionId,
        now: Now,
    ) -> Result<Vec<ConnectionId>, Superseded> {
        let mut personas = locked(&self.0);
        let in_use = personas.entry(persona).or_insert_with(|| InUse::new(now));
        if in_use.is_superseded(session) {
            return Err(Superseded);
        }
        let mut ended = Vec::new();
        let earlier = in_use.holder.replace(session).or(in_use.before.take());
        if let Some(earlier) = earlier.filter(|earlier| *earlier != session) {
            in_use.supersede(earlier);
            ended = std::mem::take(&mut in_use.connections).into_iter().collect();
        }
        in_use.connections.insert(connection);
        Ok(ended)
    }

    /// Whether a session has lost a persona to another one.
    pub fn is_superseded(&self, persona: PersonaId, session: SessionId) -> bool {
        locked(&self.0).get(&persona).is_some_and(|in_use| in_use.is_superseded(session))
    }

    /// A connection is gone. The persona is released with its last one.
    pub fn leave(&self, persona: PersonaId, connection: ConnectionId, now: Now) -> Option<Released> {
        let mut personas = locked(&self.0);
        let in_use = personas.get_mut(&persona)?;
        if !in_use.connections.remove(&connection) || !in_use.connections.is_empty() {
            return None;
        }
        let after = now.since(in_use.since);
        personas.remove(&persona);
        Some(Released { persona, after })
    }

    /// The driver is left, in one of the sessions `from`. Its connections may outlive this by a few seconds (*captured*) and no
    /// longer count. A session that has lost the persona to another one leaves nothing.
    pub fn deselect(&self, persona: PersonaId, from: &[SessionId], now: Now) -> Option<Released> {
        let mut personas = locked(&self.0);
        let in_use = personas.get_mut(&persona)?;
        if in_use.holder.is_some_and(|holder| !from.contains(&holder)) {
            return None;
        }
        // From the same address as who has it now: if it was not the loser, the last connection will release the persona.
        let loser = in_use.superseded.iter_mut().find(|loser| !loser.left && from.contains(&loser.session));
        if let Some(loser) = loser.filter(|_| !in_use.connections.is_empty()) {
            loser.left = true;
            return None;
        }
        let after = now.since(in_use.since);
        personas.remove(&persona);
        Some(Released { persona, after })
    }

    /// The persona is gone for good: its connections are returned, to be closed.
    pub fn forget(&self, persona: PersonaId) -> Vec<ConnectionId> {
        let in_use = locked(&self.0).remove(&persona);
        in_use.map(|in_use| in_use.connections.into_iter().collect()).unwrap_or_default()
    }

    /// The connections of a persona.
    pub fn connections(&self, persona: PersonaId) -> Vec<ConnectionId> {
        let personas = locked(&self.0);
        personas.get(&persona).map(|in_use| in_use.connections.iter().copied().collect()).unwrap_or_default()
    }

    /// Every persona in use, by number.
    pub fn all(&self, now: Now) -> Vec<Present> {
        let personas = locked(&self.0);
        let mut all: Vec<_> = personas
            .iter()
            .filter(|(_, in_use)| in_use.counts(now))
            .map(|(persona, in_use)| Present {
                persona: *persona,
                since: in_use.since,
                session: in_use.holder,
                connections: in_use.connections.iter().copied().collect(),
            })
            .collect();
        all.sort_unstable_by_key(|present| present.persona);
        all
    }

    /// The sessions in which somebody plays.
    pub fn sessions(&self) -> BTreeSet<SessionId> {
        let personas = locked(&self.0);
        let played = personas.values().filter(|in_use| !in_use.connections.is_empty());
        played.filter_map(|in_use| in_use.holder).collect()
    }

    /// Whether a persona is in use.
    pub fn in_use(&self, persona: PersonaId, now: Now) -> bool {
        locked(&self.0).get(&persona).is_some_and(|in_use| in_use.counts(now))
    }

    /// How many personas are in use.
    pub fn population(&self, now: Now) -> usize {
        locked(&self.0).values().filter(|in_use| in_use.counts(now)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BROWN: PersonaId = PersonaId(21);
    const LOBBY: ConnectionId = ConnectionId(1);
    const ROOM: ConnectionId = ConnectionId(2);
    const OTHER: ConnectionId = ConnectionId(3);
    const ONE: SessionId = SessionId::new(1);
    const TWO: SessionId = SessionId::new(2);
    const THREE: SessionId = SessionId::new(3);

    /// Chosen and in the lobby, in session [`ONE`].
    fn played() -> Presence {
        let presence = Presence::default();
        assert!(presence.select(BROWN, &[ONE], Now::read()).is_empty());
        assert_eq!(presence.arrive(BROWN, LOBBY, ONE, Now::read()), Ok(vec![]));
        presence
    }

    #[test]
    fn a_persona_is_released_with_its_last_connection() {
        let presence = played();
        assert!(presence.in_use(BROWN, Now::read()));
        assert_eq!(presence.arrive(BROWN, ROOM, ONE, Now::read()), Ok(vec![]));
        assert_eq!(presence.leave(BROWN, ROOM, Now::read()), None);
        assert_eq!(presence.population(Now::read()), 1);
        assert_eq!(presence.sessions(), BTreeSet::from([ONE]));
        assert!(presence.leave(BROWN, LOBBY, Now::read()).is_some());
        assert!(presence.sessions().is_empty());
        assert!(!presence.in_use(BROWN, Now::read()));
        assert_eq!(presence.population(Now::read()), 0);
    }

    #[test]
    fn choosing_a_driver_again_gives_up_the_connections_of_the_crashed_client() {
        let presence = played();
        assert_eq!(presence.select(BROWN, &[ONE], Now::read()), [LOBBY]);
        assert_eq!(
            presence.leave(BROWN, LOBBY, Now::read()),
            None,
            "the old connection does not release the new use"
        );
        assert!(presence.in_use(BROWN, Now::read()));
        assert_eq!(presence.arrive(BROWN, ROOM, ONE, Now::read()), Ok(vec![]), "the same session goes on");
    }

    #[test]
    fn a_driver_chosen_on_another_pc_is_lost_to_the_first_until_that_one_chooses_again() {
        let presence = played();
        assert_eq!(presence.select(BROWN, &[TWO], Now::read()), [LOBBY]);
        assert_eq!(presence.arrive(BROWN, ROOM, ONE, Now::read()), Err(Superseded));
        assert_eq!(presence.arrive(BROWN, OTHER, TWO, Now::read()), Ok(vec![]));
        assert_eq!(
            presence.deselect(BROWN, &[ONE], Now::read()),
            None,
            "the first leaves what it no longer has"
        );
        assert!(presence.in_use(BROWN, Now::read()));
        assert_eq!(presence.select(BROWN, &[ONE], Now::read()), [OTHER]);
        assert_eq!(presence.arrive(BROWN, OTHER, TWO, Now::read()), Err(Superseded));
        assert_eq!(presence.arrive(BROWN, LOBBY, ONE, Now::read()), Ok(vec![]));
    }

    #[test]
    fn of_two_sessions_at_one_address_the_one_that_arrives_first_has_chosen() {
        for chooser in [ONE, TWO] {
            let presence = played();
            assert_eq!(presence.select(BROWN, &[TWO, ONE], Now::read()), [LOBBY]);
            assert_eq!(presence.arrive(BROWN, ROOM, chooser, Now::read()), Ok(vec![]));
            assert_eq!(presence.is_superseded(BROWN, ONE), chooser == TWO);
        }
    }

    #[test]
    fn the_loser_at_the_same_address_leaves_once_without_taking_the_driver_from_the_other() {
        let presence = played();
        presence.select(BROWN, &[TWO, ONE], Now::read());
        presence.arrive(BROWN, ROOM, TWO, Now::read()).unwrap();
        assert_eq!(presence.deselect(BROWN, &[TWO, ONE], Now::read()), None);
        assert!(presence.deselect(BROWN, &[TWO, ONE], Now::read()).is_some());
    }

    #[test]
    fn who_comes_with_another_session_without_choosing_has_the_driver_alone_too() {
        let presence = played();
        assert_eq!(presence.arrive(BROWN, OTHER, TWO, Now::read()), Ok(vec![LOBBY]));
        assert_eq!(presence.arrive(BROWN, LOBBY, ONE, Now::read()), Err(Superseded));
        assert_eq!(presence.arrive(BROWN, ROOM, THREE, Now::read()), Ok(vec![OTHER]));
    }

    #[test]
    fn the_sessions_that_lost_a_driver_are_a_bounded_number() {
        let presence = played();
        for session in 2..100 {
            presence.arrive(BROWN, LOBBY, SessionId::new(session), Now::read()).unwrap();
        }
        let remembered = (0..100).filter(|session| presence.is_superseded(BROWN, SessionId::new(*session)));
        assert_eq!(remembered.count(), MOST_SUPERSEDED);
    }

    #[test]
    fn leaving_a_driver_releases_it_at_once_though_its_connection_still_closes() {
        let presence = played();
        assert!(presence.deselect(BROWN, &[ONE], Now::read()).is_some());
        assert!(!presence.in_use(BROWN, Now::read()));
        assert_eq!(presence.leave(BROWN, LOBBY, Now::read()), None);
    }
}
