//! What the host of a race and the racers do in its channel.

use super::channel::{Channel, Member};
use super::{ChannelInfo, Channels, HandOver, Inner, Key, Left, NpsServer, Person, Scope};
use crate::world::{ConnectionId, locked};
use mco_proto::ids::{CommId, PersonaId};
use mco_proto::nps::channel::ChannelData;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// A race is to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The race.
    pub riff: ChannelInfo,
    /// Who starts it.
    pub host: Person,
    /// How many are in it.
    pub players: usize,
    /// Everybody else in it, with the address of ours by which that Client came.
    pub racers: Vec<(ConnectionId, Ipv4Addr)>,
}

/// Somebody was thrown out of a race.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booted {
    /// The host of the room.
    pub by: PersonaId,
    /// The connections with which that player was in it.
    pub memberships: Vec<ConnectionId>,
    /// What follows from it, for each of them.
    pub left: Vec<Left>,
}

impl Channels {
    /// Whoever is in a race says whether it is ready. `None`: it is in no such race. Returned are the number of the host
    /// and who has to hear of it; nobody, if it is nothing new.
    pub fn set_ready(
        &self,
        connection: ConnectionId,
        channel: CommId,
        ready: bool,
    ) -> Option<(bool, Vec<ConnectionId>)> {
        let mut inner = locked(&self.0);
        let (me, server, key) = inner.present(connection, channel)?;
        let channel = inner.channels.get_mut(&key)?;
        let member = channel.occupant_mut(me)?;
        let news = member.ready != ready;
        member.ready = ready;
        let master = channel.owner == Some(me);
        let others = channel.others(me, server).map(|(_, membership)| membership.connection);
        Some((master, if news { others.collect() } else { Vec::new() }))
    }

    /// The host changes a race's description, unless it is `fixed`. `None`: it is not its host. Returned are the race as it is now and
    /// who has to hear of it; nobody, if nothing has changed.
    pub(in crate::world) fn set_data(
        &self,
        connection: ConnectionId,
        channel: CommId,
        data: &ChannelData,
        fixed: impl FnOnce(&ChannelInfo) -> bool,
    ) -> Option<(ChannelInfo, Vec<ConnectionId>)> {
        let mut inner = locked(&self.0);
        let (me, server, key) = inner.hosted(connection, channel)?;
        let channel = inner.channels.get_mut(&key)?;
        let others: Vec<_> =
            channel.others(me, server).map(|(_, membership)| membership.connection).collect();
        let news = *channel.riff.data != *data && !fixed(&channel.riff);
        if news {
            channel.riff.data.copy_from_slice(data);
        }
        Some((channel.riff.clone(), if news { others } else { Vec::new() }))
    }

    /// Who the persona at a connection is, if it is the host of this race.
    pub fn host_at(&self, connection: ConnectionId, channel: CommId) -> Option<PersonaId> {
        locked(&self.0).hosted(connection, channel).map(|(me, ..)| me)
    }

    /// The host throws somebody out. `None`: it is not the host, or there is no such player, or it is the host itself.
    pub fn boot(&self, connection: ConnectionId, channel: CommId, persona: PersonaId) -> Option<Booted> {
        let mut inner = locked(&self.0);
        let (me, _, key) = inner.hosted(connection, channel)?;
        let channel = inner.channels.get_mut(&key)?;
        let target = channel.member(persona).filter(|_| persona != me)?;
        let memberships: Vec<_> = target.memberships().map(|membership| membership.connection).collect();
        channel.thrown_out.add(persona);
        let left = memberships.iter().filter_map(|membership| inner.part(key, *membership)).collect();
        Some(Booted { by: me, memberships, left })
    }

    /// The host starts the race in `room`. `None`: it is not the host. With `same_hall` the others hear of it in the host's
    /// server if they have a connection there, otherwise on the connection with which they are in the race.
    pub fn start(
        &self,
        connection: ConnectionId,
        channel: CommId,
        room: NpsServer,
        same_hall: bool,
    ) -> Option<Start> {
        let mut inner = locked(&self.0);
        let (me, server, key) = inner.hosted(connection, channel)?;
        inner.channels.get_mut(&key)?.running = Some(room);
        let channel = inner.channels.get(&key)?;
        let near = |persona: PersonaId| {
            let home = inner.by_persona.get(&persona).into_iter().flatten();
            home.copied().rfind(|id| inner.clients.get(id).is_some_and(|client| client.server == server))
        };
        let racers = channel.others(me, server).filter_map(|(member, membership)| {
            let near = if same_hall { near(member.persona) } else { None };
            let id = near.unwrap_or(membership.connection);
            Some((id, inner.clients.get(&id)?.address))
        });
        Some(Start {
            racers: racers.collect(),
            players: channel.people.len(),
            riff: channel.riff.clone(),
            host: inner.clients.get(&connection)?.person.clone(),
        })
    }

    /// The host ends the race. `None`: it is not the host, or the race does not run. Returned are the race and everybody
    /// else in it.
    pub fn stop(
        &self,
        connection: ConnectionId,
        channel: CommId,
    ) -> Option<(ChannelInfo, Vec<ConnectionId>)> {
        let mut inner = locked(&self.0);
        let (me, server, key) = inner.hosted(connection, channel)?;
        let channel = inner.channels.get_mut(&key)?;
        channel.running.take()?;
        let others = channel.others(me, server).map(|(_, membership)| membership.connection).collect();
        Some((channel.riff.clone(), others))
    }

    /// Who is in a race, and whether they are called to the race server.
    pub fn room(&self, channel: CommId) -> (Vec<PersonaId>, bool) {
        let inner = locked(&self.0);
        let Some(channel) = inner.channels.get(&(Scope::Races, channel)) else { return Default::default() };
        (channel.people.iter().map(|member| member.persona).collect(), channel.running.is_some())
    }
}

impl Inner {
    /// The race with this number that the persona at a connection is in, be it by another of its connections: a host in a
    /// room starts its race in the lobby.
    fn present(&self, connection: ConnectionId, id: CommId) -> Option<(PersonaId, NpsServer, Key)> {
        let client = self.clients.get(&connection)?;
        let me = client.person.persona;
        let key = self.membership(connection, id).or_else(|| self.known(client.server, id))?;
        let channel = self.channels.get(&key).filter(|channel| channel.riff.race)?;
        channel.member(me)?;
        Some((me, client.server, key))
    }

    /// The same, if the persona is its host.
    fn hosted(&self, connection: ConnectionId, id: CommId) -> Option<(PersonaId, NpsServer, Key)> {
        let (me, server, key) = self.present(connection, id)?;
        let host = self.channels.get(&key)?.owner == Some(me);
        host.then_some((me, server, key))
    }
}

impl Channel {
    /// The host has left this channel in `server`: whoever has been here longest is the host now. If the race does not run, nobody
    /// is ready any more (*documented*).
    pub(super) fn hand_over(&mut self, server: NpsServer) -> Option<HandOver> {
        self.owner = self.people.first().map(|oldest| oldest.persona);
        let waits = self.running.is_none();
        let mut unready = Vec::new();
        for member in self.people.iter_mut().filter(|member| waits && member.ready) {
            member.ready = false;
            unready.push(member.persona);
        }
        let everybody = self.people.iter().filter_map(|member| member.nearest(server));
        let recipients = everybody.map(|membership| membership.connection).collect();
        self.owner.map(|host| HandOver { host, unready, recipients })
    }

    /// Somebody has left this channel in `server`. If that was the last one in the room where the race runs, the race is over,
    /// and those still in the channel have to hear of it.
    pub(super) fn race_ended(&mut self, server: NpsServer) -> Vec<ConnectionId> {
        let racing = |member: &Member| member.memberships().any(|membership| membership.server == server);
        if self.running != Some(server) || self.people.iter().any(racing) {
            return Vec::new();
        }
        self.running = None;
        let left: BTreeMap<_, _> = self
            .people
            .iter()
            .filter_map(|member| Some((member.persona, member.nearest(server)?.connection)))
            .collect();
        left.into_values().collect()
    }
}
