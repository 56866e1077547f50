//! Which channels and servers there are.

use super::Handler;
use crate::catalog::Catalog;
use crate::config::Config;
use crate::services::{Game, Outcome, Ports};
use crate::world::{LOBBY, NpsServer};
use mco_proto::bytes::List;
use mco_proto::ids::CommId;
use mco_proto::nps::channel::{GameServer, GameServersList, SendGameServersList};
use mco_proto::nps::lobby::{GetServerInfo, MiniRiff, MiniRiffList, Name, SendMiniRiffList, ServerInfo};
use mco_proto::nps::{Message as _, Packet};
use mco_proto::text::PStr;

/// The whole server.
pub(super) const CTRL: CommId = CommId(0);

/// What is always there: the system's channels, chat channels, MCOTS's race lobbies, and the room servers. Every other
/// channel is a race that somebody opened.
#[derive(Debug)]
pub struct Directory {
    places: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    name: String,
    channel: CommId,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// The server that shows the list.
    Here,
    /// A chat channel, there in every server.
    Chat,
    /// A room server.
    Room { server: NpsServer, port: u16, listed: bool },
}

impl Directory {
    /// The directory of a shard. No number means two things: LOBBY keeps 2, and a lobby or channel with a number that is
    /// taken is left out.
    pub fn new(config: &Config, ports: &Ports, catalog: &Catalog) -> Self {
        let place = |name: &str, channel, kind| Place { name: name.to_owned(), channel, kind };
        let system = [place("CTRL", CTRL, Kind::Here), place("LOBBY", LOBBY, Kind::Chat)];
        let chats = config.lobby.channels.iter().map(|(name, id)| place(name, CommId(*id), Kind::Chat));
        let races = catalog.lobbies().iter().map(|lobby| place(&lobby.channel, CommId(lobby.id), Kind::Chat));
        let mut places: Vec<Place> = Vec::new();
        let all = system.into_iter().chain(chats).chain(races).chain(rooms(config, ports));
        for place in all {
            if places.iter().all(|other| other.channel != place.channel) {
                places.push(place);
            }
        }
        Self { places }
    }

    /// Whether a channel is one of those that are always there. Names count as well: the recorded Client opened
    /// "LOBBY" under a number that the list gave to something else.
    pub(super) fn is_permanent(&self, channel: CommId, name: &str) -> bool {
        let named = |place: &Place| matches!(place.kind, Kind::Chat) && place.name == name;
        self.places.iter().any(|place| place.channel == channel || named(place))
    }

    fn rooms(&self) -> impl Iterator<Item = (&Place, NpsServer, u16)> {
        self.places.iter().filter_map(|place| match place.kind {
            Kind::Room { server, port, .. } => Some((place, server, port)),
            _ => None,
        })
    }

    fn listed(&self) -> impl Iterator<Item = &Place> {
        self.places.iter().filter(|place| !matches!(place.kind, Kind::Room { listed: false, .. }))
    }
}

/// The room servers where people meet: "MCCnn" is number nn of the range, and number nn of the directory (*captured*
/// for MCC01 on 9001). The first port of the range is kept for races. Number 2 means the channel "LOBBY", so MCC02
/// goes by 222, as in a later numbering the community used.
fn rooms(config: &Config, ports: &Ports) -> Vec<Place> {
    let alone = ports.rooms.len() == 1;
    let ports = (0_u16..).zip(&ports.rooms).skip(usize::from(!alone));
    let room = |(place, port): (u16, &u16)| {
        let number = if alone { 1 } else { place };
        let listed = number <= config.lobby.rooms;
        let channel = if CommId(number.into()) == LOBBY { CommId(222) } else { CommId(number.into()) };
        let kind = Kind::Room { server: NpsServer::Room(place), port: *port, listed };
        Place { name: format!("MCC{number:02}"), channel, kind }
    };
    ports.map(room).collect()
}

/// Where races run: the first room server.
pub(super) fn race_server(game: &Game) -> Option<(NpsServer, u16)> {
    game.ports.rooms.first().map(|port| (NpsServer::Room(0), *port))
}

impl Handler<'_> {
    /// 0x030C: the channels of this server with their head counts, on the lobby those of the whole shard.
    pub(super) fn directory(&self, _: &SendMiniRiffList) -> Outcome<Packet> {
        let server = self.caller.server;
        let census = self.game.world.channels.census(server);
        let riffs = self.game.directory.listed().map(|place| {
            let population = match place.kind {
                Kind::Here => census.server(server),
                Kind::Chat => census.channel(place.channel),
                Kind::Room { server, .. } => census.server(server),
            };
            let population = u16::try_from(population).unwrap_or(u16::MAX);
            MiniRiff { name: Name::first_n(&place.name), channel: place.channel, population }
        });
        Outcome::reply(MiniRiffList { riffs: List::first_n(riffs) }.packet())
    }

    /// 0x010C: where a server is. A race is on the race server; an unknown number gets the first room, or the Client would
    /// wait for ever.
    pub(super) fn server_info(&self, request: &GetServerInfo) -> Outcome<Packet> {
        let channels = &self.game.world.channels;
        let race =
            channels.races(self.caller.connection).into_iter().find(|r| r.riff.channel == request.channel);
        if let (Some(race), Some((_, port))) = (race, race_server(self.game)) {
            let info = self.server(&race.riff.name, request.channel, port, race.owner.0, race.players);
            return Outcome::reply(info.packet());
        }
        let mut rooms = self.game.directory.rooms();
        let first = self.game.directory.rooms().next();
        let asked = rooms.find(|(place, ..)| place.channel == request.channel).or(first);
        let Some((place, server, port)) = asked else { return Outcome::silence() };
        let players = channels.head_count(server);
        let info = self.server(&place.name, request.channel, port, place.channel.0, players);
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
