//! Personas in use: from the choice of a driver until its connections are gone.

use super::{ConnectionId, locked};
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
    fn new() -> Self {
        Self { since: Instant::now(), connections: BTreeSet::new() }
    }

    fn counts(&self) -> bool {
        !self.connections.is_empty() || self.since.elapsed() < ARRIVAL
    }
}

impl Presence {
    /// A driver is chosen. Connections of an earlier use are returned, to be closed: most likely that Client crashed.
    pub fn select(&self, persona: PersonaId) -> Vec<ConnectionId> {
        let earlier = locked(&self.0).insert(persona, InUse::new());
        earlier.map(|earlier| earlier.connections.into_iter().collect()).unwrap_or_default()
    }

    /// A connection has signed in as this persona.
    pub fn arrive(&self, persona: PersonaId, connection: ConnectionId) {
        locked(&self.0).entry(persona).or_insert_with(InUse::new).connections.insert(connection);
    }

    /// A connection is gone. The persona is released with its last one.
    pub fn leave(&self, persona: PersonaId, connection: ConnectionId) -> Option<Released> {
        let mut personas = locked(&self.0);
        let in_use = personas.get_mut(&persona)?;
        if !in_use.connections.remove(&connection) || !in_use.connections.is_empty() {
            return None;
        }
        let after = in_use.since.elapsed();
        personas.remove(&persona);
        Some(Released { persona, after })
    }

    /// The driver is left. Its connections may outlive this by a few seconds (*captured*) and no longer count.
    pub fn deselect(&self, persona: PersonaId) -> Option<Released> {
        let in_use = locked(&self.0).remove(&persona)?;
        Some(Released { persona, after: in_use.since.elapsed() })
    }

    /// The connections of a persona.
    pub fn connections(&self, persona: PersonaId) -> Vec<ConnectionId> {
        let personas = locked(&self.0);
        personas.get(&persona).map(|in_use| in_use.connections.iter().copied().collect()).unwrap_or_default()
    }

    /// Every persona in use, since when, and its connections; by number.
    pub fn all(&self) -> Vec<(PersonaId, Instant, Vec<ConnectionId>)> {
        let personas = locked(&self.0);
        let mut all: Vec<_> = personas
            .iter()
            .filter(|(_, in_use)| in_use.counts())
            .map(|(id, in_use)| (*id, in_use.since, in_use.connections.iter().copied().collect()))
            .collect();
        all.sort_unstable_by_key(|(id, ..)| *id);
        all
    }

    /// Whether a persona is in use.
    pub fn in_use(&self, persona: PersonaId) -> bool {
        locked(&self.0).get(&persona).is_some_and(InUse::counts)
    }

    /// How many personas are in use.
    pub fn population(&self) -> usize {
        locked(&self.0).values().filter(|in_use| in_use.counts()).count()
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
        assert!(presence.select(BROWN).is_empty());
        assert!(presence.in_use(BROWN));
        presence.arrive(BROWN, LOBBY);
        presence.arrive(BROWN, ROOM);
        assert_eq!(presence.leave(BROWN, ROOM), None);
        assert_eq!(presence.population(), 1);
        assert!(presence.leave(BROWN, LOBBY).is_some());
        assert!(!presence.in_use(BROWN));
        assert_eq!(presence.population(), 0);
    }

    #[test]
    fn choosing_a_driver_again_gives_up_the_connections_of_the_crashed_client() {
        let presence = Presence::default();
        presence.select(BROWN);
        presence.arrive(BROWN, LOBBY);
        assert_eq!(presence.select(BROWN), [LOBBY]);
        assert_eq!(presence.leave(BROWN, LOBBY), None, "the old connection does not release the new use");
        assert!(presence.in_use(BROWN));
    }

    #[test]
    fn leaving_a_driver_releases_it_at_once_though_its_connection_still_closes() {
        let presence = Presence::default();
        presence.select(BROWN);
        presence.arrive(BROWN, LOBBY);
        assert!(presence.deselect(BROWN).is_some());
        assert!(!presence.in_use(BROWN));
        assert_eq!(presence.leave(BROWN, LOBBY), None);
    }
}
