//! Lobby (7003) and room servers (9000-9014). Short headers throughout; everything but login, heartbeat and UDP status
//! travels inside 0x1101. See `docs/protocol/lobby-rooms.md`.

use super::user_data::UserData;
use crate::bytes::{List, layout};
use crate::ids::{CommId, CustomerId, PersonaId};
use crate::session_key::SessionKey;
use crate::text::PStr;
use std::net::Ipv4Addr;

/// The most users a list names: more would not fit a packet.
pub const MOST_USERS: usize = 500;
/// The most channels a directory names.
pub const MOST_CHANNELS: usize = 1000;

/// Name of a riff (channel) or user: 32 bytes with the NUL (*captured* sizes).
pub type Name = PStr<32>;

layout! {
    /// 0x0100, Client to Server, in clear (*captured*), the same bytes on 7003 and on a room port.
    pub struct Login {
        /// The persona; what the lobby calls "user id".
        pub persona: PersonaId,
        pub name: Name,
        /// Zeros at this point.
        pub user_data: UserData,
        pub customer: CustomerId,
        /// 0.
        pub flags: u32,
        /// "4.5.0.0".
        pub version: PStr<64>,
        /// "mco".
        pub game: PStr<64>,
        /// The Client's own idea of its address; behind NAT it is wrong. Not used.
        pub address: PStr<64>,
        /// MD5 of the Session Key (*captured*).
        pub proof: [u8; 16],
    }

    /// 0x0120, Server to Client, in clear (*captured*).
    pub struct LoginResponse {
        /// The persona, as asked.
        pub persona: PersonaId,
        pub name: Name,
        /// As it came.
        pub user_data: UserData,
    }

    /// 0x030C, Client to Server (*captured*).
    pub struct SendMiniRiffList {}

    /// 0x0404, Server to Client (*captured*): the directory of channels with live head counts.
    pub struct MiniRiffList {
        pub riffs: List<u32, MiniRiff, MOST_CHANNELS>,
    }

    /// 0x0128, Client to Server (*captured*).
    pub struct GetMiniUserList {
        /// A channel; 0 is the whole server.
        pub channel: CommId,
    }

    /// 0x0229, Server to Client (*captured*; the recorded server wrote the ids little-endian, by mistake).
    pub struct MiniUserList {
        /// As asked.
        pub channel: CommId,
        pub users: List<u32, MiniUser, MOST_USERS>,
    }

    /// 0x010C, Client to Server (*captured*): where is this room server?
    pub struct GetServerInfo {
        /// Number of the room server in the directory.
        pub channel: CommId,
    }

    /// 0x020D, Server to Client (*captured*): the Client connects there at once.
    pub struct ServerInfo {
        /// "MCC01" and so on.
        pub riff: Name,
        /// As asked.
        pub channel: CommId,
        /// IPv4 address in digits, 16 bytes with the NUL.
        pub address: PStr<16>,
        pub port: u32,
        /// User id of the server (*inferred*); the channel's number here.
        pub owner: u32,
        /// How many players it has.
        pub players: u32,
    }

    /// 0x0103, Client to Server (*captured*).
    pub struct SetMyUserData {
        /// The sender.
        pub persona: PersonaId,
        /// The sender's name.
        pub name: Name,
        /// How its car and its figure look.
        pub user_data: UserData,
    }

    /// 0x0204, Server to Client (*captured* as the answer to 0x0103).
    pub struct UserInfo {
        pub persona: PersonaId,
        pub name: Name,
        /// How its car and its figure look.
        pub user_data: UserData,
    }

    /// 0x0106, Client to Server (*captured*; field names *documented*).
    pub struct OpenCommChannel {
        pub channel: CommId,
        pub riff: Name,
        /// Any: -1.
        pub slot: i32,
        /// 1.
        pub slot_flags: u32,
        /// The port the Client is connected to.
        pub port: u32,
        /// 33 TCP, 44 UDP, 55 UDP preferred; always 33.
        pub protocol: u32,
        /// The sender.
        pub persona: PersonaId,
        /// 0.
        pub connected_users: u16,
        /// 0.
        pub open_channels: u16,
        /// 1.
        pub can_ready: u16,
        /// 0.
        pub game_ready: u16,
        /// 0.
        pub is_master: u16,
        /// 2: public.
        pub channel_type: u16,
        /// Empty, or what the host of a race chose.
        pub password: PStr<17>,
        /// 0.
        pub disable_backlog: u16,
        /// 1.
        pub game_server_running: u8,
        /// Uninitialised memory of the Client.
        pub launch_game_server: u16,
        /// 0.
        pub max_ready_players: u16,
        /// 0.
        pub sku: u32,
        /// 0.
        pub send_rate: u32,
        /// The host's description of a race; zeros for a chat lobby.
        pub channel_data: [u8; 256],
        /// 2.
        pub flags: u32,
    }

    /// 0x0214, Server to Client (*captured*).
    pub struct ChannelGranted {
        /// The channel now open.
        pub channel: CommId,
        /// The port it lives on.
        pub port: u32,
    }

    /// 0x0213, Server to Client: the channel can't be entered. The number is *documented*, the body *inferred*.
    pub struct ChannelDenied {
        pub channel: CommId,
        /// 0.
        pub reason: u32,
    }

    /// 0x020C, Server to the others in a channel (*seen in use*, one recorded Client only): somebody came.
    pub struct UserJoinedChannel {
        pub persona: PersonaId,
        pub name: Name,
        pub channel: CommId,
        /// How its car and its figure look.
        pub user_data: UserData,
        /// Who, once more.
        pub persona_again: PersonaId,
    }

    /// 0x0208, Server to the others in a channel: somebody left. The number is *documented*, the body *inferred*.
    pub struct UserLeftChannel {
        pub persona: PersonaId,
        pub channel: CommId,
    }

    /// 0x0101, Client to Server (*captured*).
    pub struct GetUserList {
        pub channel: CommId,
    }

    /// 0x0211, Server to Client (*captured*): everybody in the channel, the asker too.
    pub struct UserList {
        /// As asked.
        pub channel: CommId,
        pub users: List<u32, UserEntry, MOST_USERS>,
    }

    /// 0x0105, Client to Server (*captured*).
    pub struct CloseCommChannel {
        /// The channel to leave.
        pub channel: CommId,
    }

    /// 0x0209, Server to Client (*captured*).
    pub struct ChannelClosed {
        /// The channel left.
        pub channel: CommId,
        /// The lobby's port, also on a room port.
        pub port: u32,
    }
}

layout! {
    /// One channel of [`MiniRiffList`].
    pub struct MiniRiff {
        pub name: Name,
        pub channel: CommId,
        /// How many are in it.
        pub population: u16,
    }

    /// One user of [`MiniUserList`].
    pub struct MiniUser {
        pub persona: PersonaId,
        pub name: Name,
    }

    /// One user of [`UserList`].
    pub struct UserEntry {
        pub persona: PersonaId,
        pub name: Name,
        /// How its car and its figure look.
        pub user_data: UserData,
    }
}

impl Login {
    /// The Client's version as every recorded login says it (*captured*).
    pub const VERSION: &'static [u8; 7] = b"4.5.0.0";
    /// The game's name as every recorded login says it (*captured*).
    pub const GAME: &'static [u8; 3] = b"mco";

    /// The login of a persona whose Client believes to be at `address`, with everything else as *captured*.
    pub fn new(
        persona: PersonaId,
        name: Name,
        customer: CustomerId,
        address: Ipv4Addr,
        key: &SessionKey,
    ) -> Self {
        Self {
            persona,
            name,
            user_data: [0; 64],
            customer,
            flags: 0,
            version: PStr::constant(Self::VERSION),
            game: PStr::constant(Self::GAME),
            address: PStr::address(address),
            proof: key.proof(),
        }
    }
}

impl OpenCommChannel {
    /// `protocol`: TCP. No other value was ever captured.
    pub const TCP: u32 = 33;
    /// `channel_type`: everybody may enter.
    pub const PUBLIC: u16 = 2;
    /// What the recorded Clients sent where their memory was not initialised.
    pub const UNINITIALISED: u16 = 0xcdcd;

    /// Enters a chat lobby on the connection to `port`, with everything else as *captured*.
    pub fn enter_chat(channel: CommId, riff: Name, port: u16, persona: PersonaId) -> Self {
        Self {
            channel,
            riff,
            slot: -1,
            slot_flags: 1,
            port: port.into(),
            protocol: Self::TCP,
            persona,
            connected_users: 0,
            open_channels: 0,
            can_ready: 1,
            game_ready: 0,
            is_master: 0,
            channel_type: Self::PUBLIC,
            password: PStr::default(),
            disable_backlog: 0,
            game_server_running: 1,
            launch_game_server: Self::UNINITIALISED,
            max_ready_players: 0,
            sku: 0,
            send_rate: 0,
            channel_data: [0; 256],
            flags: 2,
        }
    }

    /// The same for a race (*inferred*: none was captured), which its host describes by `data` and opens to `most` racers
    /// (0: not said) who know the password.
    #[must_use]
    pub fn for_race(self, data: [u8; 256], password: PStr<17>, most: u16) -> Self {
        Self { channel_data: data, password, max_ready_players: most, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nps::Message as _;

    #[test]
    fn a_login_is_the_captured_one() {
        let key = SessionKey::new(
            *b"\xcd\xda\xfe\xfb\x26\x6f\x72\x71\x0b\xe7\x74\x6e\x9c\xdb\xd4\xbb\x52\xf7\xfa\x4c\x6b\x53\x4e\x95\x4a\xdd\x1f\x5a\x08\xc4\x11\xf6",
        );
        let (name, address) = (Name::constant(b"Dr Brown"), Ipv4Addr::new(10, 10, 5, 8));
        let mut wire = Vec::new();
        let login = Login::new(PersonaId(21), name, CustomerId(5_551_212), address, &key);
        login.packet().encode(&mut wire).unwrap();
        let expected = [
            b"\x01\0\0\x8f\0\0\0\x15\0\0\0\x09Dr Brown\0".as_slice(),
            &[0; 64],
            b"\0\x54\xb4\x6c\0\0\0\0\0\0\0\x084.5.0.0\0\0\0\0\x04mco\0\0\0\0\x0a10.10.5.8\0",
            b"\x39\x77\xfd\x19\x57\x7c\x66\x2f\x9d\xe8\xde\xd1\xd0\xb7\x94\x09",
        ];
        assert_eq!(wire, expected.concat());
    }

    #[test]
    fn a_chat_lobby_is_entered_as_captured() {
        let open = OpenCommChannel::enter_chat(CommId(2), Name::constant(b"LOBBY"), 9001, PersonaId(21));
        let mut wire = Vec::new();
        open.packet().encode(&mut wire).unwrap();
        let expected = [
            b"\x01\x06\x01\x4a\0\0\0\x02\0\0\0\x06LOBBY\0\xff\xff\xff\xff\0\0\0\x01\0\0\x23\x29\0\0\0\x21"
                .as_slice(),
            b"\0\0\0\x15\0\0\0\0\0\x01\0\0\0\0\0\x02\0\0\0\x01\0\0\0\x01\xcd\xcd\0\0\0\0\0\0\0\0\0\0",
            &[0; 256],
            b"\0\0\0\x02",
        ];
        assert_eq!(wire, expected.concat());
        assert_eq!(open.clone().for_race([0; 256], PStr::default(), 0), open);
    }
}
