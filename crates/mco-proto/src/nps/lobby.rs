//! Lobby (7003) and room servers (9000-9014). Short headers throughout; everything but login, heartbeat and UDP status
//! travels inside 0x1101. See `docs/protocol/lobby-rooms.md`.

use super::user_data::UserData;
use crate::bytes::{List, layout};
use crate::ids::{CommId, CustomerId, PersonaId};
use crate::text::PStr;

/// The most users a list names: more would not fit a packet.
pub const MOST_USERS: usize = 500;
/// The most channels a directory names.
pub const MOST_CHANNELS: usize = 1000;

/// Name of a riff (channel) or user: 32 bytes with the NUL (*captured* sizes).
pub type Name = PStr<32>;

layout! {
    /// 0x0100, Client to Server, in clear (*captured*), the same bytes on 7003 and on a room port.
    pub struct Login {
        /// The driver; what the lobby calls "user id".
        pub persona: PersonaId,
        /// The driver's name.
        pub name: Name,
        /// Zeros at this point.
        pub user_data: UserData,
        /// The account.
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
        /// The driver, as asked.
        pub persona: PersonaId,
        /// The driver's name.
        pub name: Name,
        /// As it came.
        pub user_data: UserData,
    }

    /// 0x030C, Client to Server (*captured*).
    pub struct SendMiniRiffList {}

    /// 0x0404, Server to Client (*captured*): the directory of channels with live head counts.
    pub struct MiniRiffList {
        /// The channels.
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
        /// Who is there.
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
        /// Port.
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
        /// Car and driver.
        pub user_data: UserData,
    }

    /// 0x0204, Server to Client (*captured* as the answer to 0x0103).
    pub struct UserInfo {
        /// Whose.
        pub persona: PersonaId,
        /// The name.
        pub name: Name,
        /// Car and driver.
        pub user_data: UserData,
    }

    /// 0x0106, Client to Server (*captured*; field names *documented*).
    pub struct OpenCommChannel {
        /// The channel wanted.
        pub channel: CommId,
        /// Its name.
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
        /// The channel wanted.
        pub channel: CommId,
        /// 0.
        pub reason: u32,
    }

    /// 0x020C, Server to the others in a channel (*seen in use*, one recorded Client only): somebody came.
    pub struct UserJoinedChannel {
        /// Who.
        pub persona: PersonaId,
        /// The name.
        pub name: Name,
        /// Where.
        pub channel: CommId,
        /// Car and driver.
        pub user_data: UserData,
        /// Who, once more.
        pub persona_again: PersonaId,
    }

    /// 0x0208, Server to the others in a channel: somebody left. The number is *documented*, the body *inferred*.
    pub struct UserLeftChannel {
        /// Who.
        pub persona: PersonaId,
        /// Where.
        pub channel: CommId,
    }

    /// 0x0101, Client to Server (*captured*).
    pub struct GetUserList {
        /// Which channel.
        pub channel: CommId,
    }

    /// 0x0211, Server to Client (*captured*): everybody in the channel, the asker too.
    pub struct UserList {
        /// As asked.
        pub channel: CommId,
        /// Who is there.
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
        /// Its name.
        pub name: Name,
        /// Its number.
        pub channel: CommId,
        /// How many are in it.
        pub population: u16,
    }

    /// One user of [`MiniUserList`].
    pub struct MiniUser {
        /// Who.
        pub persona: PersonaId,
        /// The name.
        pub name: Name,
    }

    /// One user of [`UserList`].
    pub struct UserEntry {
        /// Who.
        pub persona: PersonaId,
        /// The name.
        pub name: Name,
        /// Car and driver.
        pub user_data: UserData,
    }
}
