//! What a Client is told of channels and servers: 0x030C, 0x010C and 0x0309.

use super::Handler;
use crate::services::Outcome;
use crate::services::directory::EntryKind;
use mco_proto::bytes::List;
use mco_proto::ids::CommId;
use mco_proto::nps::channel::{GameServer, GameServersList, SendGameServersList};
use mco_proto::nps::lobby::{GetServerInfo, MiniRiff, MiniRiffList, Name, SendMiniRiffList, ServerInfo};
use mco_proto::nps::{Message as _, Packet};
use mco_proto::text::PStr;

impl Handler<'_> {
    /// 0x030C: the channels of this server with their head counts, on the lobby those of the whole shard: as many as
    /// [`Self::people_of`] names.
    pub(super) fn directory(&self, _: &SendMiniRiffList) -> Outcome<Packet> {
        let Self { caller, game, .. } = self;
        let census = game.world.channels.census(caller.connection);
        let riffs = self.game.directory.listed().map(|entry| {
            let population = match entry.kind {
                EntryKind::Here => census.server(caller.server),
                EntryKind::Room { server, .. }
                    if !game.world.channels.is_in(caller.connection, entry.channel) =>
                {
                    census.server(server)
                }
                EntryKind::Chat | EntryKind::Room { .. } => census.channel(entry.channel),
            };
            let population = u16::try_from(population).unwrap_or(u16::MAX);
            MiniRiff { name: Name::first_n(&entry.name), channel: entry.channel, population }
        });
        Outcome::reply(MiniRiffList { riffs: List::first_n(riffs) }.packet())
    }

    /// 0x010C: where a server is. A race is on the race server; an unknown number gets the first room, or the Client would
    /// wait for ever.
    pub(super) fn server_info(&self, request: &GetServerInfo) -> Outcome<Packet> {
        let channels = &self.game.world.channels;
        let race =
            channels.races(self.caller.connection).into_iter().find(|r| r.riff.channel == request.channel);
        if let (Some(race), Some((_, port))) = (race, self.game.ports.race_server()) {
            let info = self.server(&race.riff.name, request.channel, port, race.owner.0, race.players);
            return Outcome::reply(info.packet());
        }
        let mut rooms = self.game.directory.rooms();
        let first = self.game.directory.rooms().next();
        let asked = rooms.find(|(entry, ..)| entry.channel == request.channel).or(first);
        let Some((entry, server, port)) = asked else { return Outcome::silence() };
        let players = channels.head_count(server);
        let info = self.server(&entry.name, request.channel, port, entry.channel.0, players);
        Outcome::reply(info.packet())
    }

    fn server(&self, name: &str, channel: CommId, port: u16, owner: u32, players: usize) -> ServerInfo {
        ServerInfo {
            riff: Name::first_n(name),
            channel,
            address: PStr::address(self.game.address_for(self.caller.local)),
            port: port.into(),
            owner,
            players: u32::try_from(players).unwrap_or(u32::MAX),
        }
    }

    /// 0x0309: one server for all races.
    pub(super) fn race_servers(&self, _: &SendGameServersList) -> Outcome<Packet> {
        let address = self.game.address_for(self.caller.local);
        let server = GameServer {
            group: PStr::constant(b"0"),
            name: PStr::constant(b"RACE"),
            address: PStr::address(address),
        };
        let list = GameServersList { structure_size: 4 + 8 + 195, servers: List::first_n([server]) };
        Outcome::reply(list.packet())
    }
}
