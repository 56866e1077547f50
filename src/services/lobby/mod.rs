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

use super::dispatch::{Call, Caller, Refusal, Service, rows};
use super::playtime::keep_playtime;
use super::{Game, Listed, Outcome, Push};
use crate::clock::Now;
use crate::world::races::Move;
use crate::world::{ConnectionId, NpsServer};
use mco_proto::bytes::{Empty, Rest};
use mco_proto::ids::PersonaId;
use mco_proto::nps::bare::OK_TO_LOGIN;
use mco_proto::nps::{Incoming, Packet, id};
use notices::Notices;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

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
    pub fn persona(&self) -> Option<PersonaId> {
        self.me.as_ref().map(|me| me.persona)
    }

    /// Whether the connection is somebody's.
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

/// What happens on which message to the lobby or a room. `Encrypted` is the proof that a message comes from who signed in;
/// opening a channel and relays are taken in both forms (*seen in use*).
static SERVICE: Service<ConnectionState, Incoming, Packet> = Service {
    name: |caller| name_of(caller.server),
    rows: rows! {
        RELAY_ALL ..= RELAY_LOGGED_GAME_MESSAGE: SignedIn, Never => relay;

        LOGIN: Anyone, Expected => login;
        HEARTBEAT: Anyone, Expected => heartbeat;
        UDP_STATUS: Anyone, Never, opaque => udp_status;

        SEND_MINI_RIFF_LIST: Encrypted, Expected => directory;
        GET_SERVER_INFO: Encrypted, Expected => server_info;
        SEND_GAME_SERVERS_LIST: Encrypted, Expected => race_servers;

        GET_MINI_USER_LIST: Encrypted, Expected => names;
        GET_USER_LIST: Encrypted, Expected => users;
        GET_CLIENT_COUNT: Encrypted, Expected => count;
        SET_MY_USER_DATA: Encrypted, Expected => set_user_data;
        GET_MY_USER_DATA: Encrypted, Expected => my_user_data;
        GET_USER_INFO: Encrypted, Expected => user_info;
        LOCATE_USER: Encrypted, Expected => locate;

        OPEN_COMM_CHANNEL: SignedIn, Expected => open;
        CLOSE_COMM_CHANNEL: Encrypted, Expected => close;
        LOG_OFF_SERVER: Encrypted, Expected => log_off;

        SEND_RIFF_LIST: Encrypted, Expected => races;
        SET_CHANNEL_DATA: Encrypted, Never => set_channel_data;
        SET_COMM_FLAGS: Encrypted, Never => set_flags;
        READY_FOR_GAME: Encrypted, Never => ready;
        SET_READY_FOR_GAME: Encrypted, Never => set_ready;
        GET_READY_LIST: Encrypted, Expected => ready_list;
        BOOT_USER_FROM_CHANNEL: Encrypted, Never => boot;
        START_GAME_SERVER: Encrypted, Expected => start_race;
        TERMINATE_GAME_SERVER: Encrypted, Expected => stop_race;
    },
    // No refusal is known but that of a login.
    refuse: |call, refusal| match refusal {
        // Who has signed in stays so, whatever it sends then.
        Refusal::Malformed(_) if call.message.packet.id == id::LOGIN && !call.caller.signed_in() => {
            login::refused()
        }
        _ => Outcome::silence(),
    },
};

type Handler<'a> = Call<'a, ConnectionState, Incoming>;

/// What happens on a message to the lobby or a room.
pub fn answer(game: &Game, caller: &mut ConnectionState, incoming: &Incoming, now: Now) -> Outcome<Packet> {
    SERVICE.answer(Call { game, caller, message: incoming, now })
}

/// The rows of lobby and rooms.
pub fn listed() -> Vec<Listed> {
    SERVICE.listed()
}

/// The connection is gone, and with it everything it was part of; `how`, seen from the room of a race.
pub fn leave(game: &Game, caller: &ConnectionState, how: Move, now: Now) -> Vec<Push> {
    let Some(me) = &caller.me else { return Vec::new() };
    let left = game.world.channels.leave(caller.connection);
    for left in &left {
        race::sync_rooms_left(game, left, how, now);
    }
    if let Some(free) = game.world.presence.leave(me.persona, caller.connection, now) {
        keep_playtime(game, free);
    }
    let notices = Notices::of(game);
    let mut pushes: Vec<_> = left.into_iter().flat_map(|left| notices.left(left)).collect();
    pushes.extend(notices.gone(me.persona, notices.others_in(caller.server, me.persona)));
    pushes
}

impl Caller for ConnectionState {
    fn is_signed_in(&self) -> bool {
        self.signed_in()
    }
    fn address(&self) -> IpAddr {
        self.peer.ip().to_canonical()
    }
}

/// The address, and who it is.
impl fmt::Display for ConnectionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.me {
            Some(me) => write!(f, "{} ({:?})", self.peer, me.name),
            None => self.peer.fmt(f),
        }
    }
}

/// What needs nothing but the message.
#[expect(
    clippy::unused_self,
    clippy::trivially_copy_pass_by_ref,
    reason = "a row calls a method with the body"
)]
impl Handler<'_> {
    /// 0x0217: a sign of life, which is returned.
    fn heartbeat(&self, Empty: &Empty) -> Outcome<Packet> {
        Outcome::reply(Packet::bare(id::HEARTBEAT))
    }

    /// 0x0125: nobody here uses UDP.
    fn udp_status(&self, _: &Rest) {}

    /// 0x0104: the connection ends behind the answer.
    fn log_off(&self, Empty: &Empty) -> Outcome<Packet> {
        Outcome { close: true, ..Outcome::reply(Packet::bare(id::ACK)) }
    }
}

impl Handler<'_> {
    /// A line for a request that is understood and not granted.
    fn refused(&self, what: &str) {
        log::info!("{}: {} {what}", name_of(self.caller.server), self.caller);
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
