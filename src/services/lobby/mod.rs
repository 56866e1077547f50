//! Lobby (7003) and rooms (9000-9014): one protocol. Only the lobby greets, and only the lobby tells where the rooms are.
//! See `docs/protocol/lobby-rooms.md`.
//!
//! | file | what |
//! |---|---|
//! | here | the table of what happens on which message |
//! | `login` | signing in |
//! | `directory` | what is told of channels and servers |
//! | `people` | who is where, and what they look like |
//! | `channels` | opening and closing |
//! | `race` | hosts, readiness, start and end |
//! | `relay` | passing on what Clients say to each other |
//! | `notices` | what is pushed to others, in the layout and form that `[compat]` says |

mod channels;
mod directory;
mod login;
mod notices;
mod people;
mod race;
mod relay;

use super::playtime::keep_playtime;
use super::{Game, Hex, Outcome, Push};
use crate::clock::Now;
use crate::world::{ConnectionId, NpsServer};
use mco_proto::Malformed;
use mco_proto::ids::PersonaId;
use mco_proto::nps::lobby::OK_TO_LOGIN;
use mco_proto::nps::{Incoming, Packet, id, relay as relays};
use notices::Notices;
use std::net::SocketAddr;

/// One connection to the lobby or a room.
#[derive(Debug)]
pub struct ConnectionState {
    connection: ConnectionId,
    server: NpsServer,
    peer: SocketAddr,
    local: SocketAddr,
    /// Who it is, once signed in.
    me: Option<Me>,
    /// Whether a relay of this connection went nowhere: one such line in the log is enough.
    lost_relay: bool,
}

#[derive(Clone, Debug)]
struct Me {
    persona: PersonaId,
    name: String,
}

impl ConnectionState {
    /// A connection that has just been made from `peer` to our address `local`.
    pub const fn new(
        connection: ConnectionId,
        server: NpsServer,
        peer: SocketAddr,
        local: SocketAddr,
    ) -> Self {
        Self { connection, server, peer, local, me: None, lost_relay: false }
    }

    /// Whether somebody has signed in.
    pub const fn signed_in(&self) -> bool {
        self.me.is_some()
    }
}

/// What the Client hears on connecting: the greeting in the lobby, nothing in a room (*captured*).
pub fn greeting(caller: &ConnectionState) -> Outcome<Packet> {
    match caller.server {
        NpsServer::Lobby => Outcome::reply(OK_TO_LOGIN),
        NpsServer::Room(_) => Outcome::silence(),
    }
}

/// What happens on a message to the lobby or a room.
pub fn answer(game: &Game, caller: &mut ConnectionState, incoming: &Incoming, now: Now) -> Outcome<Packet> {
    let Incoming { packet, sealed } = incoming;
    let mut desk = Handler { game, caller, now };
    let outcome = match (packet.id, *sealed) {
        (id::LOGIN, false) => return desk.login(packet),
        (id::HEARTBEAT, _) => Ok(Outcome::reply(Packet::bare(id::HEARTBEAT))),
        (id::UDP_STATUS, _) => Ok(Outcome::silence()),
        _ if desk.caller.me.is_none() => {
            desk.unexpected(packet, "before signing in");
            Ok(Outcome::silence())
        }
        // These are taken in both forms (*seen in use*).
        (id::OPEN_COMM_CHANNEL, _) => packet.read().map(|request| desk.open(&request)),
        (relay, _) if relays::is_relay(relay) => desk.relay(packet, *sealed),
        // Everything else counts only if it came encrypted: that is the proof that it comes from who signed in.
        (_, false) => {
            desk.unexpected(packet, "in clear");
            Ok(Outcome::silence())
        }
        (_, true) => desk.obey(packet),
    };
    outcome.unwrap_or_else(|error: Malformed| {
        desk.unexpected(packet, &format!("malformed, {error}"));
        Outcome::silence()
    })
}

/// The connection is gone, and with it everything it was part of.
pub fn leave(game: &Game, caller: &ConnectionState, now: Now) -> Vec<Push> {
    let Some(me) = &caller.me else { return Vec::new() };
    let (left, others) = game.world.channels.leave(caller.connection);
    for left in &left {
        race::sync_rooms_left(game, left);
    }
    if let Some(free) = game.world.presence.leave(me.persona, caller.connection, now) {
        keep_playtime(game, free);
    }
    let notices = Notices::of(game);
    let mut pushes: Vec<_> = left.into_iter().flat_map(|left| notices.left(left)).collect();
    pushes.extend(notices.gone(me.persona, others));
    pushes
}

struct Handler<'a> {
    game: &'a Game,
    caller: &'a mut ConnectionState,
    now: Now,
}

impl Handler<'_> {
    /// What a Client asks for once it has signed in.
    fn obey(&self, packet: &Packet) -> Result<Outcome<Packet>, Malformed> {
        Ok(match packet.id {
            id::SEND_MINI_RIFF_LIST => self.directory(),
            id::GET_SERVER_INFO => self.server_info(&packet.read()?),
            id::SEND_GAME_SERVERS_LIST => self.race_servers(),

            id::GET_MINI_USER_LIST => self.names(&packet.read()?),
            id::GET_USER_LIST => self.users(&packet.read()?),
            id::GET_CLIENT_COUNT => self.count(),
            id::SET_MY_USER_DATA => self.set_user_data(&packet.read()?),
            id::GET_MY_USER_DATA => self.my_user_data(),
            id::GET_USER_INFO => self.user_info(&packet.read()?),
            id::LOCATE_USER => self.locate(&packet.read()?),

            id::CLOSE_COMM_CHANNEL => self.close(&packet.read()?),
            id::LOG_OFF_SERVER => Outcome { close: true, ..Outcome::reply(Packet::bare(id::ACK)) },

            id::SEND_RIFF_LIST => self.races(),
            id::SET_CHANNEL_DATA => self.set_channel_data(&packet.read()?),
            id::SET_COMM_FLAGS => self.set_flags(&packet.read()?),
            id::READY_FOR_GAME => self.ready(&packet.read()?),
            id::SET_READY_FOR_GAME => self.set_ready(&packet.read()?),
            id::GET_READY_LIST => self.ready_list(&packet.read()?),
            id::BOOT_USER_FROM_CHANNEL => self.boot(&packet.read()?),
            id::START_GAME_SERVER => self.start_race(&packet.read()?),
            id::TERMINATE_GAME_SERVER => self.stop_race(&packet.read()?),

            _ => {
                self.unexpected(packet, "unknown");
                Outcome::silence()
            }
        })
    }

    /// A line for a message that gets no answer.
    fn unexpected(&self, packet: &Packet, why: &str) {
        let ConnectionState { server, peer, .. } = *self.caller;
        let (id, name, length) = (packet.id, id::name(packet.id), packet.size());
        // A login holds the proof of the key.
        let hex = if id == id::LOGIN { &[] } else { packet.body.as_slice() };
        log::info!(
            "{}: {peer} sent 0x{id:04x} ({name}, {length} bytes), {why}: {}",
            name_of(server),
            Hex(hex)
        );
    }

    /// A line for a request that is understood and not granted.
    fn refused(&self, what: &str) {
        let ConnectionState { server, peer, me, .. } = &*self.caller;
        let name = me.as_ref().map(|me| me.name.as_str()).unwrap_or_default();
        log::info!("{}: {peer} ({name:?}) {what}", name_of(*server));
    }
}

const fn name_of(server: NpsServer) -> &'static str {
    match server {
        NpsServer::Lobby => "lobby",
        NpsServer::Room(_) => "room",
    }
}

#[cfg(test)]
mod tests;
