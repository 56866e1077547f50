//! Personas in use: from the choice of a driver until its connections are gone.

use super::{ConnectionId, locked};
use crate::clock::Now;
use mco_proto::ids::PersonaId;
use std::collections::{BTreeSet, HashMap};
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

/// Which personas are in use, and on which connections. One persona may hold connections to the lobby, a room and
/// MCOTS at once.
#[derive(Debug, Default)]
pub struct Presence(Mutex<HashMap<PersonaId, InUse>>);

#[derive(Debug)]
struct InUse {
    since: Instant,
    connections: BTreeSet<ConnectionId>,
}

impl InUse {
    const fn new(now: Now) -> Self {
        Self { since: now.mono, connections: BTreeSet::new() }
    }

    fn counts(&self, now: Now) -> bool {
        !self.connections.is_empty() || now.since(self.since) < ARRIVAL
    }
}

impl Presence {
    /// A driver is chosen. Connections of an earlier use are returned, to be closed: most likely that Client crashed.
    pub fn select(&self, persona: PersonaId, now: Now) -> Vec<ConnectionId> {
        let earlier = locked(&self.0).insert(persona, InUse::new(now));
        earlier.map(|earlier| earlier.connections.into_iter().collect()).unwrap_or_default()
    }

    /// A connection has signed in as this persona.
    pub fn arrive(&self, persona: PersonaId, connection: ConnectionId, now: Now) {
        locked(&self.0).entry(persona).or_insert_with(|| InUse::new(now)).connections.insert(connection);
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

    /// The driver is left. Its connections may outlive this by a few seconds (*captured*) and no longer count.
    pub fn deselect(&self, persona: PersonaId, now: Now) -> Option<Released> {
        let in_use = locked(&self.0).remove(&persona)?;
        Some(Released { persona, after: now.since(in_use.since) })
    }

    /// The connections of a persona.
    pub fn connections(&self, persona: PersonaId) -> Vec<ConnectionId> {
        let personas = locked(&self.0);
        personas.get(&persona).map(|in_use| in_use.connections.iter().copied().collect()).unwrap_or_default()
    }

    /// Every persona in use, since when, and its connections; by number.
    pub fn all(&self, now: Now) -> Vec<(PersonaId, Instant, Vec<ConnectionId>)> {
        let personas = locked(&self.0);
        let mut all: Vec<_> = personas
            .iter()
            .filter(|(_, in_use)| in_use.counts(now))
            .map(|(id, in_use)| (*id, in_use.since, in_use.connections.iter().copied().collect()))
            .collect();
        all.sort_unstable_by_key(|(id, ..)| *id);
        all
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

    #[test]
    fn a_persona_is_released_with_its_last_connection() {
        let presence = Presence::default();
        assert!(presence.select(BROWN, Now::read()).is_empty());
        assert!(presence.in_use(BROWN, Now::read()));
        presence.arrive(BROWN, LOBBY, Now::read());
        presence.arrive(BROWN, ROOM, Now::read());
        assert_eq!(presence.leave(BROWN, ROOM, Now::read()), None);
        assert_eq!(presence.population(Now::read()), 1);
        assert!(presence.leave(BROWN, LOBBY, Now::read()).is_some());
        assert!(!presence.in_use(BROWN, Now::read()));
        assert_eq!(presence.population(Now::read()), 0);
    }

    #[test]
    fn choosing_a_driver_again_gives_up_the_connections_of_the_crashed_client() {
        let presence = Presence::default();
        presence.select(BROWN, Now::read());
        presence.arrive(BROWN, LOBBY, Now::read());
        assert_eq!(presence.select(BROWN, Now::read()), [LOBBY]);
        assert_eq!(
            presence.leave(BROWN, LOBBY, Now::read()),
            None,
            "the old connection does not release the new use"
        );
        assert!(presence.in_use(BROWN, Now::read()));
    }

    #[test]
    fn leaving_a_driver_releases_it_at_once_though_its_connection_still_closes() {
        let presence = Presence::default();
        presence.select(BROWN, Now::read());
        presence.arrive(BROWN, LOBBY, Now::read());
        assert!(presence.deselect(BROWN, Now::read()).is_some());
        assert!(!presence.in_use(BROWN, Now::read()));
        assert_eq!(presence.leave(BROWN, LOBBY, Now::read()), None);
    }
}
