//! Lobby (7003) and rooms (9000-9014): one protocol. Only the lobby greets, and only the lobby tells where the rooms are.
//! See `docs/protocol/lobby-rooms.md`.

use super::persona::released;
use super::{Envelope, Game, Hex, Outcome, Push};
use crate::protocol::Malformed;
use crate::protocol::bytes::List;
use crate::protocol::ids::{CommId, CustomerId, PersonaId};
use crate::protocol::nps::lobby::{
    ChannelClosed, ChannelDenied, ChannelGranted, CloseCommChannel, GetMiniUserList, GetServerInfo,
    GetUserList, INVALID_KEY, Login, LoginResponse, MiniRiff, MiniRiffList, MiniUser, MiniUserList, Name,
    OK_TO_LOGIN, OpenCommChannel, ServerInfo, SetMyUserData, UserEntry, UserInfo, UserJoinedChannel,
    UserLeftChannel, UserList,
};
use crate::protocol::nps::{Incoming, Message, Packet, id};
use crate::protocol::session_key::SessionKey;
use crate::protocol::text::PStr;
use crate::world::{ConnectionId, Hall, Person, Step};
use std::net::SocketAddr;
use std::sync::Arc;

/// One connection to the lobby or a room.
#[derive(Debug)]
pub struct Caller {
    connection: ConnectionId,
    hall: Hall,
    peer: SocketAddr,
    local: SocketAddr,
    /// Who it is, once signed in.
    me: Option<Me>,
}

#[derive(Clone, Debug)]
struct Me {
    persona: PersonaId,
    name: String,
}

impl Caller {
    /// A connection that has just been made from `peer` to our address `local`.
    pub const fn new(connection: ConnectionId, hall: Hall, peer: SocketAddr, local: SocketAddr) -> Self {
        Self { connection, hall, peer, local, me: None }
    }

    /// Whether somebody has signed in.
    pub const fn signed_in(&self) -> bool {
        self.me.is_some()
    }
}

/// What the Client hears on connecting: the greeting in the lobby, nothing in a room (*captured*).
pub fn greeting(caller: &Caller) -> Outcome<Packet> {
    match caller.hall {
        Hall::Lobby => Outcome::reply(OK_TO_LOGIN),
        Hall::Room(_) => Outcome::silence(),
    }
}

/// What happens on a message to the lobby or a room.
pub fn answer(game: &Game, caller: &mut Caller, incoming: &Incoming) -> Outcome<Packet> {
    let packet = &incoming.packet;
    let desk = Desk { game, caller };
    let outcome = match (packet.id, incoming.sealed) {
        (id::LOGIN, false) => return desk.login(packet),
        (id::HEARTBEAT, _) => Ok(Outcome::reply(Packet::bare(id::HEARTBEAT))),
        (id::UDP_STATUS, _) => Ok(Outcome::silence()),
        _ if desk.caller.me.is_none() => {
            desk.unexpected(packet, "before signing in");
            Ok(Outcome::silence())
        }
        (id::OPEN_COMM_CHANNEL, _) => packet.read().map(|request| desk.open(&request)),
        // Everything else counts only if it came encrypted: that is the proof that it comes from who signed in.
        (_, false) => {
            desk.unexpected(packet, "in clear");
            Ok(Outcome::silence())
        }
        (id::SEND_MINI_RIFF_LIST, true) => Ok(desk.directory()),
        (id::GET_MINI_USER_LIST, true) => packet.read().map(|request| desk.names(&request)),
        (id::GET_SERVER_INFO, true) => packet.read().map(|request| desk.server_info(&request)),
        (id::SET_MY_USER_DATA, true) => packet.read().map(|request| desk.set_user_data(&request)),
        (id::GET_USER_LIST, true) => packet.read().map(|request| desk.users(&request)),
        (id::CLOSE_COMM_CHANNEL, true) => packet.read().map(|request| desk.close(&request)),
        (id::LOG_OFF_SERVER, true) => Ok(Outcome { close: true, ..Outcome::reply(Packet::bare(id::ACK)) }),
        (_, true) => {
            desk.unexpected(packet, "unknown");
            Ok(Outcome::silence())
        }
    };
    outcome.unwrap_or_else(|error: Malformed| {
        desk.unexpected(packet, &format!("malformed, {error}"));
        Outcome::silence()
    })
}

/// The connection is gone, and with it everything it was part of.
pub fn leave(game: &Game, caller: &Caller) -> Vec<Push> {
    let Some(me) = &caller.me else { return Vec::new() };
    let left = game.world.halls.leave(caller.connection);
    if let Some(free) = game.world.presence.leave(me.persona, caller.connection) {
        released(game, free);
    }
    left.into_iter().filter_map(|(channel, others)| has_left(me.persona, channel, others)).collect()
}

struct Desk<'a> {
    game: &'a Game,
    caller: &'a mut Caller,
}

impl Desk<'_> {
    /// 0x0100, the same on every port. Refused alike for an unknown account, a stale key and somebody else's persona.
    fn login(self, packet: &Packet) -> Outcome<Packet> {
        let Caller { connection, hall, peer, .. } = *self.caller;
        if self.caller.me.is_some() {
            self.unexpected(packet, "a second login");
            return Outcome::silence();
        }
        let login = match packet.read::<Login>() {
            Ok(login) => login,
            Err(error) => {
                // No hexadecimal digits here: the bytes hold the proof of the key.
                log::info!("{}: refused {peer}: 0x0100 of {} bytes {error}", name_of(hall), packet.size());
                return refused();
            }
        };
        let Some((name, key)) = self.admitted(&login) else {
            log::info!("{}: refused {peer}: not signed in as persona {}", name_of(hall), login.persona);
            self.game.world.footprints.refused(peer.ip(), step_of(hall));
            return refused();
        };
        let persona = login.persona;
        log::info!("{}: persona {persona} {name:?} from {peer}", name_of(hall));
        self.game.world.footprints.passed(peer.ip(), step_of(hall));
        self.game.world.presence.arrive(persona, connection);
        let user_data = login.user_data;
        self.game.world.halls.enter(connection, hall, Person { persona, name: name.clone(), user_data });
        let response = LoginResponse { persona, name: Name::new(&name), user_data };
        self.caller.me = Some(Me { persona, name });
        Outcome { unlock: Some(key), ..Outcome::reply(response.packet()) }
    }

    /// The persona's name and the Session Key, if the account has signed in with that key, from the same address, and
    /// owns the persona. The proof is the same each time, so without the address whoever overheard it could come in.
    fn admitted(&self, login: &Login) -> Option<(String, SessionKey)> {
        let session = self.game.world.sessions.of(login.customer)?;
        let here = session.address == self.caller.peer.ip().to_canonical();
        let proven = session.key.proven_by(&login.proof) && here;
        let persona = self.persona_of(login.customer, login.persona)?;
        proven.then_some((persona, session.key))
    }

    fn persona_of(&self, customer: CustomerId, persona: PersonaId) -> Option<String> {
        let persona = self.game.store.personas().by_id(persona).unwrap_or_else(|error| {
            log::error!("lobby: cannot read persona {persona}: {error}");
            None
        });
        persona.filter(|persona| persona.customer_id == customer).map(|persona| persona.name)
    }

    /// 0x030C: the channels of this server with their head counts.
    fn directory(&self) -> Outcome<Packet> {
        let riffs = List::of(directory(self.game, self.caller.hall));
        Outcome::reply(MiniRiffList { riffs }.packet())
    }

    /// 0x0128: names only; channel 0 is the whole server.
    fn names(&self, request: &GetMiniUserList) -> Outcome<Packet> {
        let halls = &self.game.world.halls;
        let people = match request.channel {
            CTRL => halls.people(self.caller.hall),
            channel => halls.members(self.caller.hall, channel),
        };
        let users =
            people.iter().map(|person| MiniUser { persona: person.persona, name: Name::new(&person.name) });
        Outcome::reply(MiniUserList { channel: request.channel, users: List::of(users) }.packet())
    }

    /// 0x010C: where a room server is. An unknown number gets the first one, or the Client would wait for ever.
    fn server_info(&self, request: &GetServerInfo) -> Outcome<Packet> {
        let rooms = rooms(self.game);
        let asked = rooms.iter().find(|room| room.channel == request.channel).or(rooms.first());
        let Some(room) = asked else { return Outcome::silence() };
        let players = self.game.world.halls.head_count(room.hall);
        let info = ServerInfo {
            riff: Name::new(&room.name),
            channel: request.channel,
            address: PStr::new(&self.game.address_for(self.caller.local).to_string()),
            port: room.port.into(),
            owner: room.channel.0,
            players: u32::try_from(players).unwrap_or(u32::MAX),
        };
        Outcome::reply(info.packet())
    }

    /// 0x0103: what others see of car and driver. Who it is about is the caller, whatever the message says.
    fn set_user_data(&self, request: &SetMyUserData) -> Outcome<Packet> {
        let Some(me) = &self.caller.me else { return Outcome::silence() };
        let others = self.game.world.halls.set_user_data(self.caller.connection, request.user_data);
        let info = UserInfo { persona: me.persona, name: Name::new(&me.name), user_data: request.user_data };
        let packet = info.packet();
        Outcome::reply(packet.clone()).push(Push::Packet(others, Arc::new(packet), Envelope::Sealed))
    }

    /// 0x0106: enters a channel, or makes it. The number in the request counts, not what the directory calls by it.
    fn open(&self, request: &OpenCommChannel) -> Outcome<Packet> {
        let Some(me) = &self.caller.me else { return Outcome::silence() };
        let channel = request.channel;
        match self.game.world.halls.open(self.caller.connection, channel) {
            Ok(others) => {
                let granted = ChannelGranted { channel, port: self.caller.local.port().into() };
                let user_data = self.my_user_data(channel, me.persona);
                let joined = UserJoinedChannel {
                    persona: me.persona,
                    name: Name::new(&me.name),
                    channel,
                    user_data,
                    persona_again: me.persona,
                };
                Outcome::reply(granted.packet()).push(Push::Packet(
                    others,
                    Arc::new(joined.packet()),
                    Envelope::Sealed,
                ))
            }
            Err(denied) => {
                let Caller { hall, peer, .. } = *self.caller;
                log::info!("{}: {peer} cannot open channel {channel}: {denied:?}", name_of(hall));
                Outcome::reply(ChannelDenied { channel, reason: 0 }.packet())
            }
        }
    }

    fn my_user_data(&self, channel: CommId, me: PersonaId) -> [u8; 64] {
        let members = self.game.world.halls.members(self.caller.hall, channel);
        members.iter().rev().find(|person| person.persona == me).map_or([0; 64], |person| person.user_data)
    }

    /// 0x0101: everybody in a channel, the asker too.
    fn users(&self, request: &GetUserList) -> Outcome<Packet> {
        let members = self.game.world.halls.members(self.caller.hall, request.channel);
        let users = members.iter().map(|person| UserEntry {
            persona: person.persona,
            name: Name::new(&person.name),
            user_data: person.user_data,
        });
        Outcome::reply(UserList { channel: request.channel, users: List::of(users) }.packet())
    }

    /// 0x0105: leaves a channel. The port in the answer is the lobby's, also in a room (*captured*).
    fn close(&self, request: &CloseCommChannel) -> Outcome<Packet> {
        let Some(me) = &self.caller.me else { return Outcome::silence() };
        let channel = request.channel;
        let others = self.game.world.halls.close(self.caller.connection, channel).unwrap_or_default();
        let closed = ChannelClosed { channel, port: self.game.ports.lobby.into() };
        let outcome = Outcome::reply(closed.packet());
        match has_left(me.persona, channel, others) {
            Some(push) => outcome.push(push),
            None => outcome,
        }
    }

    /// A line for a message that gets no answer.
    fn unexpected(&self, packet: &Packet, why: &str) {
        let Caller { hall, peer, .. } = *self.caller;
        let (id, name, length) = (packet.id, id::name(packet.id), packet.size());
        // A login holds the proof of the key.
        let hex = if id == id::LOGIN { &[] } else { packet.body.as_slice() };
        log::info!("{}: {peer} sent 0x{id:04x} ({name}, {length} bytes), {why}: {}", name_of(hall), Hex(hex));
    }
}

fn refused() -> Outcome<Packet> {
    Outcome { close: true, ..Outcome::reply(INVALID_KEY) }
}

/// 0x0208 for those still in a channel that somebody left.
fn has_left(persona: PersonaId, channel: CommId, others: Vec<ConnectionId>) -> Option<Push> {
    let left = UserLeftChannel { persona, channel };
    (!others.is_empty()).then(|| Push::Packet(others, Arc::new(left.packet()), Envelope::Sealed))
}

const fn step_of(hall: Hall) -> Step {
    match hall {
        Hall::Lobby => Step::Lobby,
        Hall::Room(_) => Step::Room,
    }
}

const fn name_of(hall: Hall) -> &'static str {
    match hall {
        Hall::Lobby => "lobby",
        Hall::Room(_) => "room",
    }
}

/// The whole server.
const CTRL: CommId = CommId(0);
/// The chat channel of a room server, by the number under which the Client opens it (*captured*).
const LOBBY: CommId = CommId(2);
/// Listed in all directories ever seen.
const CHAT: CommId = CommId(191);

/// A room server as the directory shows it.
struct Room {
    name: String,
    channel: CommId,
    hall: Hall,
    port: u16,
}

/// The room servers where people meet: "MCCnn" is number nn of the range, and number nn of the directory (*captured*
/// for MCC01 on 9001). The first port of the range is kept for races. Number 2 means the channel "LOBBY", so MCC02
/// goes by 222, as in a later numbering the community used.
fn rooms(game: &Game) -> Vec<Room> {
    let alone = game.ports.rooms.len() == 1;
    let ports = (0_u16..).zip(&game.ports.rooms).skip(usize::from(!alone));
    let room = |(place, port): (u16, &u16)| {
        let number = if alone { 1 } else { u32::from(place) };
        let channel = if CommId(number) == LOBBY { CommId(222) } else { CommId(number) };
        Room { name: format!("MCC{number:02}"), channel, hall: Hall::Room(place), port: *port }
    };
    ports.map(room).collect()
}

/// All that 0x0404 lists, on the lobby and on every room server: the system's channels, the room servers, and the race
/// lobbies under the numbers MCOTS gives them.
fn directory(game: &Game, hall: Hall) -> Vec<MiniRiff> {
    let halls = &game.world.halls;
    let riff = |name: &str, channel: CommId, population: usize| MiniRiff {
        name: Name::new(name),
        channel,
        population: u16::try_from(population).unwrap_or(u16::MAX),
    };
    // People open "LOBBY" in the rooms: seen from 7003 it is all of them.
    let lobby = match hall {
        Hall::Room(_) => halls.population(hall, LOBBY),
        Hall::Lobby => rooms(game).iter().map(|room| halls.population(room.hall, LOBBY)).sum(),
    };
    let system = [
        riff("CTRL", CTRL, halls.head_count(hall)),
        riff("LOBBY", LOBBY, lobby),
        riff("MCCHAT", CHAT, halls.population(hall, CHAT)),
    ];
    let races = game.catalog.lobbies().iter().map(|lobby| (lobby.channel.as_str(), CommId(lobby.id)));
    let races = races.filter(|(_, channel)| *channel != LOBBY);
    let races: Vec<_> =
        races.map(|(name, channel)| riff(name, channel, halls.population(hall, channel))).collect();
    let rooms =
        rooms(game).into_iter().map(|room| riff(&room.name, room.channel, halls.head_count(room.hall)));
    system.into_iter().chain(races).chain(rooms).collect()
}

#[cfg(test)]
mod tests;
