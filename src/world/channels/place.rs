//! Who is in one server, counted as they come and go, so that nobody who asks has to count thousands.

use super::{Channels, Client, Person};
use crate::world::ConnectionId;
use mco_proto::ids::PersonaId;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// One server with the people in it.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// With how many connections each persona is here.
    people: HashMap<PersonaId, usize>,
    /// In the order in which they came.
    connections: BTreeSet<ConnectionId>,
    /// Who is here, in that order, each once and as many as a list can name; made when it is asked for and kept until it changes.
    list: Option<Arc<Vec<Person>>>,
}

impl Place {
    pub(super) fn enter(&mut self, connection: ConnectionId, persona: PersonaId) {
        *self.people.entry(persona).or_default() += 1;
        self.connections.insert(connection);
        self.list = None;
    }

    pub(super) fn leave(&mut self, connection: ConnectionId, persona: PersonaId) {
        if let Some(count) = self.people.get_mut(&persona) {
            *count -= 1;
            if *count == 0 {
                self.people.remove(&persona);
            }
        }
        self.connections.remove(&connection);
        self.list = None;
    }

    /// Somebody here looks different now.
    pub(super) fn looks_changed(&mut self) {
        self.list = None;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// How many people there are.
    pub(super) fn head_count(&self) -> usize {
        self.people.len()
    }

    pub(super) fn has(&self, persona: PersonaId) -> bool {
        self.people.contains_key(&persona)
    }

    pub(super) fn list(&mut self, clients: &HashMap<ConnectionId, Client>) -> Arc<Vec<Person>> {
        let connections = &self.connections;
        let list = self.list.get_or_insert_with(|| {
            let mut seen = HashSet::new();
            let here = connections.iter().filter_map(|connection| clients.get(connection));
            let once = here.filter(|client| seen.insert(client.person.persona));
            Arc::new(once.take(Channels::MOST_MEMBERS).map(|client| client.person.clone()).collect())
        });
        Arc::clone(list)
    }

    pub(super) fn one_of_each(&self, clients: &HashMap<ConnectionId, Client>) -> Vec<ConnectionId> {
        let mut seen = HashSet::new();
        let here = self.connections.iter().rev().filter_map(|id| Some((*id, clients.get(id)?)));
        let mut once: Vec<_> = here
            .filter(|(_, client)| seen.insert(client.person.persona))
            .map(|(id, client)| (client.person.persona, id))
            .collect();
        once.sort_unstable();
        once.into_iter().map(|(_, id)| id).collect()
    }
}
