//! One channel and the people in it.

use super::{ChannelInfo, NpsServer};
use crate::world::ConnectionId;
use crate::world::thrown_out::ThrownOut;
use mco_proto::ids::PersonaId;
use std::net::IpAddr;

/// The most connections with which one persona may be in one channel.
const MOST_SEATS: usize = 8;

/// A channel. It exists as long as somebody is in it.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) riff: ChannelInfo,
    pub(super) password: String,
    /// The host of a race; nobody's in a chat channel.
    pub(super) owner: Option<PersonaId>,
    /// The address from which it was made.
    pub(super) made_from: IpAddr,
    /// The server in which its race runs.
    pub(super) running: Option<NpsServer>,
    /// In the order in which they came.
    pub(super) people: Vec<Member>,
    /// Whom the host has thrown out.
    pub(super) thrown_out: ThrownOut,
}

/// A persona in a channel, however many connections it is in with.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) persona: PersonaId,
    pub(super) ready: bool,
    /// In the order in which they came; never empty.
    memberships: heapless::Vec<Membership, MOST_SEATS>,
}

/// A connection in a channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Membership {
    pub(super) connection: ConnectionId,
    pub(super) server: NpsServer,
}

/// How near two channels are: what happens on one connection is told on the nearest of another player.
pub(super) fn nearness(one: NpsServer, other: NpsServer) -> u8 {
    match (one, other) {
        _ if one == other => 2,
        (NpsServer::Room(_), NpsServer::Room(_)) => 1,
        _ => 0,
    }
}

impl Member {
    /// The connection nearest to `server`; of several the latest.
    pub(super) fn nearest(&self, server: NpsServer) -> Option<Membership> {
        self.memberships.iter().copied().max_by_key(|membership| nearness(membership.server, server))
    }

    /// All connections.
    pub(super) fn memberships(&self) -> impl Iterator<Item = Membership> {
        self.memberships.iter().copied()
    }
}

impl Channel {
    pub(super) const fn new(
        riff: ChannelInfo,
        password: String,
        owner: Option<PersonaId>,
        made_from: IpAddr,
    ) -> Self {
        Self {
            riff,
            password,
            owner,
            made_from,
            running: None,
            people: Vec::new(),
            thrown_out: ThrownOut::nobody(),
        }
    }

    pub(super) fn member(&self, persona: PersonaId) -> Option<&Member> {
        self.people.iter().find(|member| member.persona == persona)
    }

    pub(super) fn occupant_mut(&mut self, persona: PersonaId) -> Option<&mut Member> {
        self.people.iter_mut().find(|member| member.persona == persona)
    }

    /// Lets a connection in. `false`: the persona has too many already.
    pub(super) fn membership(&mut self, persona: PersonaId, membership: Membership) -> bool {
        if let Some(member) = self.occupant_mut(persona) {
            return member.memberships.push(membership).is_ok();
        }
        let memberships = heapless::Vec::from_iter([membership]);
        self.people.push(Member { persona, ready: false, memberships });
        true
    }

    /// Lets a connection go, and the persona with its last one. `false`: it was not here.
    pub(super) fn unseat(&mut self, persona: PersonaId, connection: ConnectionId) -> bool {
        let Some(member) = self.occupant_mut(persona) else { return false };
        let before = member.memberships.len();
        member.memberships.retain(|membership| membership.connection != connection);
        let gone = member.memberships.len() < before;
        if member.memberships.is_empty() {
            self.people.retain(|member| member.persona != persona);
        }
        gone
    }

    /// Everybody but `persona`, each on the connection nearest to `server`.
    pub(super) fn others(
        &self,
        persona: PersonaId,
        server: NpsServer,
    ) -> impl Iterator<Item = (&Member, Membership)> {
        self.people
            .iter()
            .filter(move |member| member.persona != persona)
            .filter_map(move |member| Some((member, member.nearest(server)?)))
    }

    /// Who has to hear that `persona` came to or left this channel by a connection in `server`: everybody else, each on the
    /// connection nearest to it, unless another connection of `persona` is as near. So somebody who is in the
    /// race's room hears of an arrival there even if both met in the lobby before, and nobody hears anything twice.
    pub(super) fn recipients(
        &self,
        persona: PersonaId,
        server: NpsServer,
        connection: ConnectionId,
    ) -> Vec<ConnectionId> {
        let more: Vec<NpsServer> = self
            .member(persona)
            .into_iter()
            .flat_map(Member::memberships)
            .filter(|membership| membership.connection != connection)
            .map(|membership| membership.server)
            .collect();
        self.others(persona, server)
            .filter(|(_, membership)| {
                more.iter()
                    .all(|more| nearness(*more, membership.server) < nearness(server, membership.server))
            })
            .map(|(_, membership)| membership.connection)
            .collect()
    }

    /// How many are ready.
    pub(super) fn ready(&self) -> usize {
        self.people.iter().filter(|member| member.ready).count()
    }
}
