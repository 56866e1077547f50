//! Races as channels of the lobby and the room servers: lists, readiness, hosts, start and end. No recording has any of
//! these; evidence is given per message. See `docs/protocol/lobby-rooms.md`.

use super::lobby::Name;
use super::user_data::UserData;
use crate::bytes::{Bool16, List, Rest, layout};
use crate::ids::{CommId, PersonaId};
use crate::text::PStr;

/// The most races a list names: more would not fit a packet.
pub const MOST_RACES: usize = 190;
/// The most players a ready list names.
pub const MOST_READY: usize = 500;
/// The host's description of a race: passed on byte for byte. Its first four bytes may be MCOTS's race id, little-endian
/// (*inferred*).
pub type ChannelData = [u8; 256];

/// Flag of 0x010D (*documented*, the values *inferred*): ready.
pub const READY: u32 = 0x20;
/// Flag of 0x010D: no longer ready.
pub const NOT_READY: u32 = 0x40;

/// State of a race server in 0x0224 (*documented*): about to start.
pub const START_PENDING: u32 = 2;
/// State of a race server in 0x0224 (*documented*): runs.
pub const RUNNING: u32 = 4;

layout! {
    /// 0x0302, Client to Server (*seen in use*): which races are open?
    pub struct SendRiffList {}

    /// 0x0401, Server to Client (*seen in use*), with one byte for the last field, as its description says.
    pub struct RiffList {
        /// 0; the size of the Client's own structure has no use on the wire.
        pub structure_size: u32,
        pub riffs: List<u32, RaceRiff, MOST_RACES>,
    }

    /// 0x0401 with four bytes for the last field, as a community server writes it.
    pub struct WideRiffList {
        /// 0.
        pub structure_size: u32,
        pub riffs: List<u32, WideRaceRiff, MOST_RACES>,
    }

    /// 0x0309, Client to Server (*seen in use*): which race servers are there?
    pub struct SendGameServersList {}

    /// 0x0402, Server to Client (*seen in use*).
    pub struct GameServersList {
        /// 8 and 195 for each server, and 4 more (*seen in use*).
        pub structure_size: u32,
        pub servers: List<u32, GameServer, 16>,
    }

    /// 0x0107, Client to Server (*documented*): how many are connected?
    pub struct GetClientCount {}

    /// 0x0206, Server to Client (number *documented*, body *inferred*).
    pub struct ClientCount {
        /// How many players this server has.
        pub count: u32,
    }

    /// 0x0102, Client to Server (*documented*): what is kept of me? Answered by 0x0204.
    pub struct GetMyUserData {}

    /// 0x0126, Client to Server (number *documented*, body *inferred*): who is this? Answered by 0x0204.
    pub struct GetUserInfo {
        pub persona: PersonaId,
    }

    /// 0x0118, Client to Server (number *documented*, body *inferred*): where is this player?
    pub struct LocateUser {
        pub persona: PersonaId,
    }

    /// 0x021B, Server to Client (number *documented*, body *inferred*).
    pub struct UserLocation {
        pub persona: PersonaId,
        /// A channel that player is in; 0 if none.
        pub channel: CommId,
    }

    /// 0x0202, Server to others on the same server (number *documented*, body *inferred*): somebody is gone.
    pub struct UserLeft {
        pub persona: PersonaId,
    }

    /// 0x0203, Server to others on the same server (number *documented*, body *inferred*): somebody came.
    pub struct UserJoined {
        pub persona: PersonaId,
        pub name: Name,
        /// How its car and its figure look.
        pub user_data: UserData,
    }

    /// 0x020E, Server to Client (*seen in use*): a race can be joined.
    pub struct ChannelCreated {
        pub riff: Description,
    }

    /// 0x020F, Server to Client (number *documented*, body *inferred*): a race can no longer be joined.
    pub struct ChannelDeleted {
        pub channel: CommId,
    }

    /// 0x0113, Client to Server (*seen in use*), from the host of a race.
    pub struct SetChannelData {
        pub channel: CommId,
        /// The new description.
        pub data: ChannelData,
    }

    /// 0x0219, Server to Client (number *documented*, body *inferred* after 0x020E).
    pub struct ChannelUpdate {
        /// The race as it is now.
        pub riff: Description,
    }

    /// 0x0219 as it may look otherwise (*inferred* after 0x0113).
    pub struct ChannelDataUpdate {
        pub channel: CommId,
        /// The new description.
        pub data: ChannelData,
    }

    /// 0x010D, Client to Server (*seen in use*, body *inferred*).
    pub struct SetCommFlags {
        pub channel: CommId,
        /// [`READY`] or [`NOT_READY`].
        pub flags: u32,
    }

    /// 0x0109, Client to Server (number *documented*, body *inferred*): ready.
    pub struct ReadyForGame {
        pub channel: CommId,
    }

    /// 0x0109, Server to Client (*seen in use*): somebody is ready, or no longer.
    pub struct ReadyNotice {
        pub record: ReadyRecord,
    }

    /// 0x011F, Client to Server (number *documented*, body *inferred*).
    pub struct SetReadyForGame {
        pub channel: CommId,
        /// Nothing: ready. Otherwise a number of unknown width: 0 is not ready.
        pub ready: Rest,
    }

    /// 0x010E, Client to Server (*seen in use*).
    pub struct GetReadyList {
        pub channel: CommId,
    }

    /// 0x0210, Server to Client (*seen in use*).
    pub struct ReadyList {
        /// Everybody in the channel.
        pub records: List<u32, ReadyRecord, MOST_READY>,
    }

    /// 0x0117, Client to Server (number *documented*, body *inferred*), from the host of a race.
    pub struct BootUser {
        pub channel: CommId,
        /// Who has to go.
        pub persona: PersonaId,
    }

    /// 0x021A, Server to Client (number *documented*, body *inferred*): you have to go.
    pub struct ForceLeaveChannel {
        pub channel: CommId,
    }

    /// 0x0227, Server to everybody in a race (number *documented*, body *inferred*): there is a new host.
    pub struct ChannelMaster {
        pub channel: CommId,
        /// The new host.
        pub persona: PersonaId,
    }

    /// 0x010A, Client to Server (*seen in use*), from the host of a race.
    pub struct StartGameServer {
        pub channel: CommId,
        /// The address that the Client thinks is best. Not used.
        pub best_host: PStr<64>,
    }

    /// 0x0224, Server to everybody in a race (*documented*, body *inferred*).
    pub struct GameServerStateChange {
        pub channel: CommId,
        /// 1 not running, 2 about to start, 4 running.
        pub state: u32,
    }

    /// 0x021C, Server to everybody in a race (*seen in use*).
    pub struct GameServerStarted {
        pub channel: CommId,
    }

    /// 0x021C with the body of 0x020D, as a document has it.
    pub struct GameServerStartedInfo {
        /// Name of the race.
        pub riff: Name,
        pub channel: CommId,
        /// IPv4 address in digits.
        pub address: PStr<16>,
        pub port: u32,
        /// The host.
        pub owner: u32,
        /// How many players.
        pub players: u32,
    }

    /// 0x011D, Client to Server (number *documented*, body *inferred*), from the host of a race.
    pub struct TerminateGameServer {
        pub channel: CommId,
    }

    /// 0x021D, Server to everybody in a race (number *documented*, body *inferred*).
    pub struct GameServerTerminated {
        pub channel: CommId,
    }
}

layout! {
    /// A race as 0x020E describes it.
    pub struct Description {
        pub channel: CommId,
        pub name: Name,
        /// 33: TCP.
        pub protocol: u32,
        /// As its host describes it.
        pub data: ChannelData,
        /// As its host made it; 2 is public.
        pub channel_type: u16,
        /// The most racers; 0: not said.
        pub max_ready_players: u16,
    }

    /// A race as 0x0401 describes it, but for the last field.
    pub struct RaceEntry {
        pub name: Name,
        /// 33: TCP.
        pub protocol: u32,
        pub channel: CommId,
        /// Empty: nobody is told a password.
        pub password: PStr<17>,
        /// As its host made it; 2 is public.
        pub channel_type: u16,
        /// How many are in it.
        pub connected_users: u16,
        /// 0.
        pub open_channels: u16,
        /// Whether the asker is in it.
        pub connected: Bool16,
        /// As its host describes it.
        pub data: ChannelData,
        /// How many are ready.
        pub ready_players: u16,
        /// The most racers; 0: not said.
        pub max_ready_players: u16,
        /// The host.
        pub owner: PersonaId,
    }

    /// A race in [`RiffList`].
    pub struct RaceRiff {
        /// All but the last field.
        pub race: RaceEntry,
        /// Whether its race server runs.
        pub running: u8,
    }

    /// A race in [`WideRiffList`].
    pub struct WideRaceRiff {
        /// All but the last field.
        pub race: RaceEntry,
        /// Whether its race server runs.
        pub running: u32,
    }

    /// A race server in [`GameServersList`].
    pub struct GameServer {
        /// "0".
        pub group: PStr<64>,
        /// "RACE".
        pub name: PStr<64>,
        /// IPv4 address in digits.
        pub address: PStr<64>,
    }

    /// Who is ready: 12 bytes.
    pub struct ReadyRecord {
        pub channel: CommId,
        pub persona: PersonaId,
        pub ready: Bool16,
        /// The host.
        pub master: Bool16,
    }
}
