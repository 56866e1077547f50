//! A signed-in connection to the lobby or to a room.

use super::Error;
use crate::client::nps::Nps;
use crate::client::peer::Endpoint;
use mco_proto::TooLong;
use mco_proto::bytes::List;
use mco_proto::ids::{BrandedPartId, CommId, PersonaId, RaceId, SkinId, VehicleId};
use mco_proto::nps::Id;
use mco_proto::nps::Message as _;
use mco_proto::nps::channel::{
    ChannelData, GameServerStarted, GetReadyList, READY, RaceRiff, ReadyList, RiffList, SendRiffList,
    SetCommFlags, StartGameServer,
};
use mco_proto::nps::lobby::{
    ChannelClosed, ChannelGranted, CloseCommChannel, GetMiniUserList, GetServerInfo, GetUserList, MiniRiff,
    MiniRiffList, MiniUser, MiniUserList, Name, OpenCommChannel, SendMiniRiffList, ServerInfo, SetMyUserData,
    UserEntry, UserInfo, UserList,
};
use mco_proto::nps::user_data::{Appearance, UserData};
use mco_proto::text::PStr;
use std::net::Ipv4Addr;

/// What this Client says its address is. The Server does not use it.
pub(super) const OWN_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 9);

/// Where a room is, as the lobby says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomAddress {
    /// IPv4 address in digits, and port.
    pub endpoint: Endpoint,
    /// Its name in the directory.
    pub name: String,
}

/// The channel of a race.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaceChannel {
    /// Its number; 0 before it is made.
    pub channel: CommId,
    /// The name of the channel.
    pub name: String,
    /// The password that MCOTS gave for the race.
    pub password: String,
    /// 256 bytes with which the host describes the race; they begin with its number.
    pub data: ChannelData,
}

/// The channel of the chat lobby, and its name, as the recorded Client asks for it.
const CHAT: (CommId, &str) = (CommId(2), "LOBBY");

/// A signed-in connection to the lobby or to a room. Everything it sends is encrypted.
#[derive(Debug)]
pub struct LobbyConnection {
    nps: Nps,
    persona: PersonaId,
    name: Name,
}

impl LobbyConnection {
    pub(super) const fn new(nps: Nps, persona: PersonaId, name: Name) -> Self {
        Self { nps, persona, name }
    }

    /// The connection below, for what has no method here.
    pub const fn nps(&mut self) -> &mut Nps {
        &mut self.nps
    }

    /// Asks for the channels and their head counts (0x030C).
    pub async fn directory(&mut self) -> Result<List<u32, MiniRiff, 1000>, Error> {
        let list: MiniRiffList = self.nps.ask(&SendMiniRiffList {}).await?;
        Ok(list.riffs)
    }

    /// The names in a channel; channel 0 is the whole server.
    pub async fn names(&mut self, channel: CommId) -> Result<List<u32, MiniUser, 500>, Error> {
        let list: MiniUserList = self.nps.ask(&GetMiniUserList { channel }).await?;
        self.expect_channel(MiniUserList::ID, list.channel, channel)?;
        Ok(list.users)
    }

    /// Asks where a room is (0x010C).
    pub async fn server_info(&mut self, channel: CommId) -> Result<RoomAddress, Error> {
        let info: ServerInfo = self.nps.ask(&GetServerInfo { channel }).await?;
        self.address_in(&info, channel)
    }

    fn address_in(&self, info: &ServerInfo, channel: CommId) -> Result<RoomAddress, Error> {
        self.expect_channel(ServerInfo::ID, info.channel, channel)?;
        let port = u16::try_from(info.port).ok().filter(|port| *port > 0);
        let port = port.ok_or_else(|| {
            self.nps.contradiction(ServerInfo::ID, "port", &format!("{} is no TCP port", info.port))
        })?;
        let address = info.address.to_string();
        if address.parse::<Ipv4Addr>().is_err() {
            let why = format!("{address:?} is no IPv4 address in digits");
            return Err(self.nps.contradiction(ServerInfo::ID, "address", &why));
        }
        Ok(RoomAddress { endpoint: Endpoint::new(&address, port), name: info.riff.to_string() })
    }

    /// Shows others our car and driver.
    pub async fn set_user_data(&mut self, user_data: &UserData) -> Result<(), Error> {
        let request = SetMyUserData { persona: self.persona, name: self.name.clone(), user_data: *user_data };
        self.nps.send(&request).await?;
        // The same number also tells of others' changes.
        loop {
            let info: UserInfo = self.nps.answer().await?;
            if info.persona == self.persona {
                if info.user_data != *user_data {
                    let why = "it is not what was sent";
                    return Err(self.nps.contradiction(UserInfo::ID, "user data", why));
                }
                return Ok(());
            }
        }
    }

    /// Enters the chat lobby of the room at `port`.
    pub async fn open_chat(&mut self, port: u16) -> Result<(), Error> {
        self.open_channel(CHAT.0, CHAT.1, port).await
    }

    /// Who is in the chat lobby.
    pub async fn chat_users(&mut self) -> Result<List<u32, UserEntry, 500>, Error> {
        self.users(CHAT.0).await
    }

    /// Leaves the chat lobby.
    pub async fn close_chat(&mut self) -> Result<(), Error> {
        self.close_channel(CHAT.0).await
    }

    /// Enters a channel of the room at `port`, or makes it.
    pub async fn open_channel(&mut self, channel: CommId, name: &str, port: u16) -> Result<(), Error> {
        let granted: ChannelGranted = self.nps.ask(&self.opening(channel, name, port)?).await?;
        self.expect_channel(ChannelGranted::ID, granted.channel, channel)
    }

    fn opening(&self, channel: CommId, name: &str, port: u16) -> Result<OpenCommChannel, TooLong> {
        Ok(OpenCommChannel::enter_chat(channel, Name::new(name)?, port, self.persona))
    }

    /// Enters the channel of a race, or makes it if its number is 0; gives its number.
    pub async fn open_race(&mut self, race: &RaceChannel, port: u16) -> Result<CommId, Error> {
        let open = self.opening(race.channel, &race.name, port)?;
        let request = open.for_race(race.data, PStr::new(&race.password)?, 0);
        let granted: ChannelGranted = self.nps.ask(&request).await?;
        if race.channel != CommId(0) {
            self.expect_channel(ChannelGranted::ID, granted.channel, race.channel)?;
        }
        Ok(granted.channel)
    }

    /// The open races; their passwords are not told.
    pub async fn races(&mut self) -> Result<Vec<RaceChannel>, Error> {
        let list: RiffList = self.nps.ask(&SendRiffList {}).await?;
        let race = |riff: &RaceRiff| RaceChannel {
            channel: riff.race.channel,
            name: riff.race.name.to_string(),
            password: String::new(),
            data: riff.race.data,
        };
        Ok(list.riffs.iter().map(race).collect())
    }

    /// A race that is not in the list, or not there under its number.
    pub(in crate::client) fn no_such_race(&self, race: RaceId) -> Error {
        self.nps.contradiction(
            RiffList::ID,
            "channel",
            &format!("race {race} is not where its host opened it"),
        )
    }

    /// Ready for a race.
    pub async fn ready(&mut self, channel: CommId) -> Result<(), Error> {
        self.nps.send(&SetCommFlags { channel, flags: READY }).await
    }

    /// How many are ready for a race.
    pub async fn ready_count(&mut self, channel: CommId) -> Result<usize, Error> {
        let list: ReadyList = self.nps.ask(&GetReadyList { channel }).await?;
        Ok(list.records.iter().filter(|record| record.ready.0).count())
    }

    /// Not all who said that they are ready are.
    pub(in crate::client) fn not_all_ready(&self) -> Error {
        self.nps.contradiction(ReadyList::ID, "records", "not everybody who said so is ready")
    }

    /// The host sends everybody to the race server.
    pub async fn start_race(&mut self, channel: CommId) -> Result<(), Error> {
        self.nps.send(&StartGameServer { channel, best_host: PStr::address(OWN_ADDRESS) }).await
    }

    /// The race starts: where.
    pub async fn race_started(&mut self, channel: CommId) -> Result<RoomAddress, Error> {
        let info: ServerInfo = self.nps.answer().await?;
        let address = self.address_in(&info, channel)?;
        let started: GameServerStarted = self.nps.answer().await?;
        self.expect_channel(GameServerStarted::ID, started.channel, channel)?;
        Ok(address)
    }

    /// Who is in a channel.
    pub async fn users(&mut self, channel: CommId) -> Result<List<u32, UserEntry, 500>, Error> {
        let list: UserList = self.nps.ask(&GetUserList { channel }).await?;
        self.expect_channel(UserList::ID, list.channel, channel)?;
        Ok(list.users)
    }

    /// Leaves a channel (0x0105).
    pub async fn close_channel(&mut self, channel: CommId) -> Result<(), Error> {
        let closed: ChannelClosed = self.nps.ask(&CloseCommChannel { channel }).await?;
        self.expect_channel(ChannelClosed::ID, closed.channel, channel)
    }

    fn expect_channel(&self, id: Id, found: CommId, wanted: CommId) -> Result<(), Error> {
        if found == wanted {
            return Ok(());
        }
        Err(self.nps.contradiction(id, "channel", &format!("it is {found}, not {wanted}")))
    }
}

/// What a Client with this car shows others: on the lobby connection, or in a room.
pub fn appearance(vehicle: VehicleId, model: BrandedPartId, skin: SkinId, in_lobby: bool) -> UserData {
    Appearance {
        vehicle,
        model,
        skin,
        driver: 5,
        skin_color: 0xffff_cea5,
        hair_color: 0xffac_450d,
        shirt_color: 0xffff_ffff,
        pants_color: 0xffff_d800,
        car_changed: 2,
        decals: [0; 7],
        lobby: u32::from(in_lobby),
        club: 0,
        flags: 8,
        performance: [0; 4],
        points: 0,
        level: 1,
        reserved: [0; 5],
    }
    .to_user_data()
}
