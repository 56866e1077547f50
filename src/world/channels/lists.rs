//! Who is where: what the lists show.

use super::channel::{Channel, nearness};
use super::place::Place;
use super::{ChannelInfo, Channels, Client, Inner, NpsServer, Person, Scope};
use crate::world::{ConnectionId, locked};
use mco_proto::ids::{CommId, PersonaId};
use mco_proto::nps::user_data::UserData;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many people there are, as seen from one connection: as many as [`Channels::people`] and [`Channels::members`] name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    servers: BTreeMap<NpsServer, usize>,
    channels: BTreeMap<CommId, usize>,
}

impl Census {
    /// How many players a server has.
    pub fn server(&self, server: NpsServer) -> usize {
        self.servers.get(&server).copied().unwrap_or_default()
    }

    /// How many players a chat channel has.
    pub fn channel(&self, channel: CommId) -> usize {
        self.channels.get(&channel).copied().unwrap_or_default()
    }
}

/// A race in the list of races.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaceInfo {
    /// The race.
    pub riff: ChannelInfo,
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
    /// Whether it has said that it is ready to start.
    pub ready: bool,
    /// The host.
    pub master: bool,
}

impl Channels {
    /// Who is in a channel, as seen from a connection, each once, in the order in which they came. A chat channel that the
    /// connection is not in is seen from a room as that of this room, and from the lobby as those of all servers, one after the
    /// other.
    pub fn members(&self, connection: ConnectionId, channel: CommId) -> Vec<Person> {
        let inner = locked(&self.0);
        let Some(client) = inner.clients.get(&connection) else { return Vec::new() };
        let server = client.server;
        let channels = inner.meant(connection, client, channel);
        let mut seen = BTreeSet::new();
        let members = channels.iter().flat_map(|channel| &channel.people);
        let once = members.filter(|member| seen.insert(member.persona));
        let memberships = once.filter_map(|member| member.nearest(server));
        memberships
            .filter_map(|membership| Some(inner.clients.get(&membership.connection)?.person.clone()))
            .collect()
    }

    /// Whether a connection is in a channel.
    pub fn is_in(&self, connection: ConnectionId, channel: CommId) -> bool {
        locked(&self.0).membership(connection, channel).is_some()
    }

    /// Who is in a server, channel or not, in the order in which they came: as many as a list can name.
    pub fn people(&self, server: NpsServer) -> Arc<Vec<Person>> {
        let mut inner = locked(&self.0);
        let Inner { places, clients, .. } = &mut *inner;
        places.get_mut(&server).map(|place| place.list(clients)).unwrap_or_default()
    }

    /// The server that a connection has signed in to, if it is one of a server.
    pub fn hall_of(&self, connection: ConnectionId) -> Option<NpsServer> {
        locked(&self.0).clients.get(&connection).map(|client| client.server)
    }

    /// How many players a server has.
    pub fn head_count(&self, server: NpsServer) -> usize {
        locked(&self.0).places.get(&server).map_or(0, Place::head_count)
    }

    /// How many people there are, as seen from a connection.
    pub fn census(&self, connection: ConnectionId) -> Census {
        let inner = locked(&self.0);
        let Some(client) = inner.clients.get(&connection) else { return Census::default() };
        let servers = inner.places.iter().map(|(server, place)| (*server, place.head_count())).collect();
        let mut channels: BTreeMap<_, _> = match client.server {
            // From the lobby those of all servers are seen as one.
            NpsServer::Lobby => inner.chatting.iter().map(|(id, people)| (*id, people.len())).collect(),
            server @ NpsServer::Room(_) => {
                let here = inner.in_scope(Scope::NpsServer(server));
                here.map(|(id, channel)| (id, channel.people.len())).collect()
            }
        };
        // A channel that the connection is in is seen alone; of two with one number the first.
        for key in client.channels.iter().rev() {
            if let Some(channel) = inner.channels.get(key) {
                channels.insert(key.1, channel.people.len());
            }
        }
        Census { servers, channels }
    }

    /// Car and driver of a player who signs in to another server, as last set: in a room as in another room, else as in the lobby.
    /// `None`: it has set nothing yet.
    pub fn user_data(&self, persona: PersonaId, server: NpsServer) -> Option<UserData> {
        /// Where the copies sent to the lobby say so (*captured*).
        const LOBBY_ID: std::ops::Range<usize> = 40..44;
        let inner = locked(&self.0);
        let clients = inner.by_persona.get(&persona)?.iter().filter_map(|id| inner.clients.get(id));
        let known = clients.filter(|client| client.person.user_data != [0; 64]);
        let client = known.max_by_key(|client| nearness(client.server, server))?;
        let mut user_data = client.person.user_data;
        if matches!(server, NpsServer::Room(_)) {
            user_data.get_mut(LOBBY_ID)?.fill(0);
        }
        Some(user_data)
    }

    /// What is kept of a player, as its latest connection has it.
    pub fn person(&self, persona: PersonaId) -> Option<Person> {
        let inner = locked(&self.0);
        let latest = inner.by_persona.get(&persona)?.last()?;
        Some(inner.clients.get(latest)?.person.clone())
    }

    /// What is kept of a player in a server, as its first connection there has it.
    pub fn person_in(&self, server: NpsServer, persona: PersonaId) -> Option<Person> {
        let inner = locked(&self.0);
        let mut clients = inner.by_persona.get(&persona)?.iter().filter_map(|id| inner.clients.get(id));
        clients.find(|client| client.server == server).map(|client| client.person.clone())
    }

    /// A channel that a player is in: a race rather than a chat channel. `None`: it is in no server.
    pub fn location(&self, persona: PersonaId) -> Option<CommId> {
        let inner = locked(&self.0);
        let home = inner.by_persona.get(&persona)?;
        let channels = home.iter().filter_map(|id| inner.clients.get(id)).flat_map(|client| &client.channels);
        Some(channels.min().map_or(CommId(0), |(_, id)| *id))
    }

    /// All races, by number, as seen from a connection.
    pub fn races(&self, connection: ConnectionId) -> Vec<RaceInfo> {
        let inner = locked(&self.0);
        let me = inner.clients.get(&connection).map(|client| client.person.persona);
        let race = |(_, channel): (CommId, &Channel)| {
            Some(RaceInfo {
                owner: channel.owner?,
                players: channel.people.len(),
                ready: channel.ready(),
                joined: me.is_some_and(|me| channel.member(me).is_some()),
                running: channel.running.is_some(),
                riff: channel.riff.clone(),
            })
        };
        inner.races().filter_map(race).collect()
    }

    /// Whether a race runs.
    pub fn races_run(&self) -> bool {
        locked(&self.0).races().any(|(_, channel)| channel.running.is_some())
    }

    /// Who is ready in a channel, as seen from a connection; everybody is listed.
    pub fn readiness(&self, connection: ConnectionId, channel: CommId) -> Vec<Readiness> {
        let inner = locked(&self.0);
        let Some((_, channel)) = inner.seen(connection, channel) else { return Vec::new() };
        let record = |member: &super::channel::Member| Readiness {
            persona: member.persona,
            ready: member.ready,
            master: channel.owner == Some(member.persona),
        };
        channel.people.iter().map(record).collect()
    }
}

impl Client {
    /// Whether it sees the chat channels there without being in one.
    fn sees(&self, scope: Scope) -> bool {
        match scope {
            Scope::Races => false,
            Scope::NpsServer(place) => place == self.server || self.server == NpsServer::Lobby,
        }
    }
}

impl Inner {
    /// The channels with this number as a connection sees them: the one it is in, or the race, or the chat channels that it sees.
    fn meant(&self, connection: ConnectionId, client: &Client, id: CommId) -> Vec<&Channel> {
        let race = Some((Scope::Races, id)).filter(|key| self.channels.contains_key(key));
        if let Some(key) = self.membership(connection, id).or(race) {
            return self.channels.get(&key).into_iter().collect();
        }
        let chats = self.channels.iter().filter(|((scope, other), _)| *other == id && client.sees(*scope));
        chats.map(|(_, channel)| channel).collect()
    }

    /// The channel with this number as a connection means it: one it is in rather than another.
    fn seen(&self, connection: ConnectionId, id: CommId) -> Option<(NpsServer, &Channel)> {
        let server = self.clients.get(&connection)?.server;
        let key = self.membership(connection, id).or_else(|| self.known(server, id))?;
        Some((server, self.channels.get(&key)?))
    }
}
