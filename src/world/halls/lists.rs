//! Who is where: what the lists show.

use super::channel::Channel;
use super::{Hall, Halls, Inner, Person, Riff, Scope};
use crate::world::{ConnectionId, locked};
use mco_proto::ids::{CommId, PersonaId};
use std::collections::{BTreeMap, BTreeSet};

/// How many people there are, as seen from one hall.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    halls: BTreeMap<Hall, usize>,
    channels: BTreeMap<CommId, usize>,
}

impl Census {
    /// How many players a hall has.
    pub fn hall(&self, hall: Hall) -> usize {
        self.halls.get(&hall).copied().unwrap_or_default()
    }

    /// How many players a chat channel has: seen from the lobby those of all halls, from a room those of that room.
    pub fn channel(&self, channel: CommId) -> usize {
        self.channels.get(&channel).copied().unwrap_or_default()
    }
}

/// A race in the list of races.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaceInfo {
    /// The race.
    pub riff: Riff,
    /// The host.
    pub owner: PersonaId,
    /// How many are in it.
    pub players: usize,
    /// How many are ready.
    pub ready: usize,
    /// Whether the asker is in it.
    pub joined: bool,
    /// Whether it runs.
    pub running: bool,
}

/// Somebody in a race.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// Who.
    pub persona: PersonaId,
    /// Ready.
    pub ready: bool,
    /// The host.
    pub master: bool,
}

impl Halls {
    /// Who is in a channel, as seen from a connection, in the order in which they came.
    pub fn members(&self, connection: ConnectionId, channel: CommId) -> Vec<Person> {
        let inner = locked(&self.0);
        let Some((hall, channel)) = inner.seen(connection, channel) else { return Vec::new() };
        let seats = channel.people.iter().filter_map(|occupant| occupant.nearest(hall));
        seats.filter_map(|seat| Some(inner.guests.get(&seat.connection)?.person.clone())).collect()
    }

    /// Who is in a hall, channel or not, in the order in which they came.
    pub fn people(&self, hall: Hall) -> Vec<Person> {
        let inner = locked(&self.0);
        let mut here: Vec<_> = inner.guests.iter().filter(|(_, guest)| guest.hall == hall).collect();
        here.sort_unstable_by_key(|(connection, _)| **connection);
        let mut seen = BTreeSet::new();
        let once = here.into_iter().filter(|(_, guest)| seen.insert(guest.person.persona));
        once.map(|(_, guest)| guest.person.clone()).collect()
    }

    /// The hall that a connection has signed in to, if it is one of a hall.
    pub fn hall_of(&self, connection: ConnectionId) -> Option<Hall> {
        locked(&self.0).guests.get(&connection).map(|guest| guest.hall)
    }

    /// How many players a hall has.
    pub fn head_count(&self, hall: Hall) -> usize {
        locked(&self.0).population(hall)
    }

    /// How many people there are, as seen from a hall.
    pub fn census(&self, hall: Hall) -> Census {
        let inner = locked(&self.0);
        let present: BTreeSet<_> =
            inner.guests.values().map(|guest| (guest.hall, guest.person.persona)).collect();
        let mut census = Census::default();
        for (hall, _) in present {
            *census.halls.entry(hall).or_default() += 1;
        }
        let mut people = BTreeSet::new();
        for ((scope, id), channel) in &inner.channels {
            let seen = matches!(scope, Scope::Hall(place) if *place == hall || hall == Hall::Lobby);
            people.extend(channel.people.iter().filter(|_| seen).map(|occupant| (*id, occupant.persona)));
        }
        for (id, _) in people {
            *census.channels.entry(id).or_default() += 1;
        }
        census
    }

    /// What is kept of a player, as its latest connection has it.
    pub fn person(&self, persona: PersonaId) -> Option<Person> {
        let inner = locked(&self.0);
        let latest = inner.homes.get(&persona)?.last()?;
        Some(inner.guests.get(latest)?.person.clone())
    }

    /// A channel that a player is in: a race rather than a chat channel. `None`: it is in no hall.
    pub fn location(&self, persona: PersonaId) -> Option<CommId> {
        let inner = locked(&self.0);
        let home = inner.homes.get(&persona)?;
        let channels = home.iter().filter_map(|id| inner.guests.get(id)).flat_map(|guest| &guest.channels);
        Some(channels.min().map_or(CommId(0), |(_, id)| *id))
    }

    /// All races, by number, as seen from a connection.
    pub fn races(&self, connection: ConnectionId) -> Vec<RaceInfo> {
        let inner = locked(&self.0);
        let me = inner.guests.get(&connection).map(|guest| guest.person.persona);
        let race = |(_, channel): (CommId, &Channel)| {
            Some(RaceInfo {
                owner: channel.owner?,
                players: channel.people.len(),
                ready: channel.ready(),
                joined: me.is_some_and(|me| channel.occupant(me).is_some()),
                running: channel.running.is_some(),
                riff: channel.riff.clone(),
            })
        };
        inner.races().filter_map(race).collect()
    }

    /// Who is ready in a channel, as seen from a connection; everybody is listed.
    pub fn readiness(&self, connection: ConnectionId, channel: CommId) -> Vec<Readiness> {
        let inner = locked(&self.0);
        let Some((_, channel)) = inner.seen(connection, channel) else { return Vec::new() };
        let record = |occupant: &super::channel::Occupant| Readiness {
            persona: occupant.persona,
            ready: occupant.ready,
            master: channel.owner == Some(occupant.persona),
        };
        channel.people.iter().map(record).collect()
    }
}

impl Inner {
    /// The channel with this number as a connection means it: one it is in rather than another.
    fn seen(&self, connection: ConnectionId, id: CommId) -> Option<(Hall, &Channel)> {
        let hall = self.guests.get(&connection)?.hall;
        let key = self.membership(connection, id).or_else(|| self.known(hall, id))?;
        Some((hall, self.channels.get(&key)?))
    }

    fn population(&self, hall: Hall) -> usize {
        let here = self.guests.values().filter(|guest| guest.hall == hall);
        here.map(|guest| guest.person.persona).collect::<BTreeSet<_>>().len()
    }
}
