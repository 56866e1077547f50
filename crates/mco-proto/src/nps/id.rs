//! The table of the messages of NPS: number, name, and the struct of the body for each direction.
//!
//! Routing goes by number; names serve logs and documents. A request can be read only as the struct that stands in its row
//! ([`Packet::request`](super::Packet::request)).

use super::packet::{Form, Id, Message, Request};
use super::{channel, lobby, login, mail, persona};
use crate::bytes::{Empty, Rest};
use crate::table::{self, Layout, Sender};
use std::fmt;

impl Id {
    /// The community's name of it, for logs.
    pub const fn name(self) -> &'static str {
        name(self)
    }
}

/// `0x0106 (OPEN_COMM_CHANNEL)`.
impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:04x} ({})", self.0, self.name())
    }
}

/// Whether `id` can be the number of a message on 8226 or 8228. What port scanners and browsers send can't
/// (*seen in use*: the ranges are the community's filter).
pub const fn plausible(id: Id) -> bool {
    matches!(id.0, 0x0100..=0x0901 | 0x1001..=0x1301)
}

/// One row of [`TABLE`].
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The number.
    pub id: Id,
    /// The community's name of it.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Its bodies. Without one in a direction there is only the header, or the body is not known.
    pub layouts: &'static [Layout],
}

macro_rules! table {
    ($($(#[doc = $doc:literal])+ $id:literal $name:ident { $($side:ident $form:ident $type:ty),* })+) => {
        $($(#[doc = $doc])+ pub const $name: Id = Id($id);)+

        /// All messages that are known, by number.
        pub const TABLE: &[Row] = &[$(Row {
            id: $name,
            name: stringify!($name),
            about: concat!($($doc),+),
            layouts: &[$(table::big::<$type>(table!(@sender $side), stringify!($type))),*],
        }),+];

        /// The community's name of a number.
        const fn name(id: Id) -> &'static str {
            match id.0 {
                $($id => stringify!($name),)+
                _ => "unknown",
            }
        }

        $($(table! { @impl $side $id $name $form $type })*)+

        #[cfg(test)]
        mod tests {
            use super::*;
            use crate::nps::packet::survives;

            #[test]
            fn every_message_survives_being_written_and_read() {
                $($(table! { @test $side $type })*)+
            }
        }
    };
    (@sender server) => { Sender::Server };
    (@sender server_variant) => { Sender::Server };
    (@sender $client:ident) => { Sender::Client };
    (@impl client $id:literal $name:ident $form:ident $type:ty) => {
        table! { @impl server $id $name $form $type }
        table! { @impl shared $id $name $form $type }
    };
    (@impl shared $id:literal $name:ident $form:ident $type:ty) => {
        impl Request for super::packet::FromClient<$id> {
            type Body = $type;
        }
    };
    (@impl $side:ident $id:literal $name:ident $form:ident $type:ty) => {
        impl Message for $type {
            const ID: Id = $name;
            const FORM: Form = Form::$form;
        }
    };
    (@test shared $type:ty) => {};
    (@test $side:ident $type:ty) => { survives::<$type>(); };
}

// Before each body stands who sends it and which form its header has. `shared`: from the Client, and a struct that other
// numbers use too, or that is one of several; `client_variant` and `server_variant`: another layout under the same number.
table! {
    /// Relay to everybody in a channel, short form.
    0x0080 RELAY_ALL {}
    /// Relay to the server's plug-in, short form.
    0x0081 RELAY_PLUG_IN {}
    /// Relay to everybody who is ready, short form.
    0x0082 RELAY_READY_LIST {}
    /// Relay to some, short form.
    0x0083 RELAY_LIST {}
    /// Relay to all but some, short form.
    0x0084 RELAY_NOT_LIST {}
    /// Relay to a buddy, short form.
    0x0085 RELAY_BUDDY {}
    /// Relay to one, short form.
    0x0086 RELAY_SINGLE {}
    /// Relay to all but one, short form.
    0x0087 RELAY_NOT_SINGLE {}
    /// Relay of unknown addressing, short form.
    0x0088 RELAY_GAME_MESSAGE {}
    /// Relay to everybody in a channel, long form.
    0x0089 RELAY_LONG_ALL {}
    /// Relay to everybody in a channel, long form, once kept in a log.
    0x008A RELAY_LOGGED_ALL {}
    /// Relay to the server's plug-in, long form.
    0x008B RELAY_LONG_PLUG_IN {}
    /// Relay to the server's plug-in, long form, once kept in a log.
    0x008C RELAY_LOGGED_PLUG_IN {}
    /// Relay to everybody who is ready, long form.
    0x008D RELAY_LONG_READY_LIST {}
    /// Relay to everybody who is ready, long form, once kept in a log.
    0x008E RELAY_LOGGED_READY_LIST {}
    /// Relay to some, long form.
    0x008F RELAY_LONG_LIST {}
    /// Relay to some, long form, once kept in a log.
    0x0090 RELAY_LOGGED_LIST {}
    /// Relay to all but some, long form.
    0x0091 RELAY_LONG_NOT_LIST {}
    /// Relay to all but some, long form, once kept in a log.
    0x0092 RELAY_LOGGED_NOT_LIST {}
    /// Relay to a buddy, long form.
    0x0093 RELAY_LONG_BUDDY {}
    /// Relay to a buddy, long form, once kept in a log.
    0x0094 RELAY_LOGGED_BUDDY {}
    /// Relay to one, long form.
    0x0095 RELAY_LONG_SINGLE {}
    /// Relay to one, long form, once kept in a log.
    0x0096 RELAY_LOGGED_SINGLE {}
    /// Relay to all but one, long form.
    0x0097 RELAY_LONG_NOT_SINGLE {}
    /// Relay to all but one, long form, once kept in a log.
    0x0098 RELAY_LOGGED_NOT_SINGLE {}
    /// Relay of unknown addressing, long form.
    0x0099 RELAY_LONG_GAME_MESSAGE {}
    /// Relay of unknown addressing, long form, once kept in a log.
    0x009A RELAY_LOGGED_GAME_MESSAGE {}
    /// Lobby and room login, Client to Server.
    0x0100 LOGIN { client SHORT lobby::Login }
    /// Who is in a channel.
    0x0101 GET_USER_LIST { client SHORT lobby::GetUserList }
    /// The sender's own user data.
    0x0102 GET_MY_USER_DATA { client SHORT channel::GetMyUserData }
    /// Sets the 64 bytes that draw a player's car and driver.
    0x0103 SET_MY_USER_DATA { client SHORT lobby::SetMyUserData }
    /// Leaves the server; a Client closes the connection instead.
    0x0104 LOG_OFF_SERVER { shared SHORT Empty }
    /// Leaves a channel.
    0x0105 CLOSE_COMM_CHANNEL { client SHORT lobby::CloseCommChannel }
    /// Enters or makes a channel.
    0x0106 OPEN_COMM_CHANNEL { client SHORT lobby::OpenCommChannel }
    /// How many are connected.
    0x0107 GET_CLIENT_COUNT { client SHORT channel::GetClientCount }
    /// The sender is ready to race; from the Server: somebody is, or no longer.
    0x0109 READY_FOR_GAME { client SHORT channel::ReadyForGame, server SHORT channel::ReadyNotice }
    /// The host of a race wants everybody to go to the race server.
    0x010A START_GAME_SERVER { client SHORT channel::StartGameServer }
    /// Address of a room server.
    0x010C GET_SERVER_INFO { client SHORT lobby::GetServerInfo }
    /// Ready, or no longer.
    0x010D SET_COMM_FLAGS { client SHORT channel::SetCommFlags }
    /// Who is ready in a channel.
    0x010E GET_READY_LIST { client SHORT channel::GetReadyList }
    /// The host's description of a race has changed.
    0x0113 SET_CHANNEL_DATA { client SHORT channel::SetChannelData }
    /// The host of a race throws somebody out.
    0x0117 BOOT_USER_FROM_CHANNEL { client SHORT channel::BootUser }
    /// Where is a player?
    0x0118 LOCATE_USER { client SHORT channel::LocateUser }
    /// The host of a race ends it.
    0x011D TERMINATE_GAME_SERVER { client SHORT channel::TerminateGameServer }
    /// Ready.
    0x011F SET_READY_FOR_GAME { client SHORT channel::SetReadyForGame }
    /// Answer to [`LOGIN`].
    0x0120 LOGIN_RESP { server SHORT lobby::LoginResponse }
    /// State of UDP; arrives in clear and wants no answer.
    0x0125 UDP_STATUS { shared SHORT Rest }
    /// The user data of a player.
    0x0126 GET_USER_INFO { client SHORT channel::GetUserInfo }
    /// Names in a channel.
    0x0128 GET_MINI_USER_LIST { client SHORT lobby::GetMiniUserList }
    /// The server sends the User away.
    0x0201 FORCE_LOGOFF {}
    /// Somebody left the server.
    0x0202 USER_LEFT { server SHORT channel::UserLeft }
    /// Somebody came to the server.
    0x0203 USER_JOINED { server SHORT channel::UserJoined }
    /// The user data of one player.
    0x0204 USER_INFO { server SHORT lobby::UserInfo }
    /// Answer to [`GET_CLIENT_COUNT`].
    0x0206 CLIENT_COUNT { server SHORT channel::ClientCount }
    /// Done.
    0x0207 ACK { server SHORT persona::LongAck }
    /// Somebody left a channel.
    0x0208 USER_LEFT_CHANNEL { server SHORT lobby::UserLeftChannel }
    /// Answer to [`CLOSE_COMM_CHANNEL`].
    0x0209 CHANNEL_CLOSED { server SHORT lobby::ChannelClosed }
    /// A name is taken.
    0x020A DUP_USER {}
    /// The server has no room left.
    0x020B SERVER_FULL {}
    /// Somebody came into a channel.
    0x020C USER_JOINED_CHANNEL { server SHORT lobby::UserJoinedChannel }
    /// Answer to [`GET_SERVER_INFO`].
    0x020D SERVER_INFO { server SHORT lobby::ServerInfo }
    /// A race can be joined.
    0x020E CHANNEL_CREATED { server SHORT channel::ChannelCreated }
    /// A race can no longer be joined.
    0x020F CHANNEL_DELETED { server SHORT channel::ChannelDeleted }
    /// Answer to [`GET_READY_LIST`].
    0x0210 READY_LIST { server SHORT channel::ReadyList }
    /// Answer to [`GET_USER_LIST`].
    0x0211 USER_LIST { server SHORT lobby::UserList }
    /// A channel can't be entered.
    0x0213 CHANNEL_DENIED { server SHORT lobby::ChannelDenied }
    /// Answer to [`OPEN_COMM_CHANNEL`].
    0x0214 CHANNEL_GRANTED { server SHORT lobby::ChannelGranted }
    /// Sign of life, both ways, in clear.
    0x0217 HEARTBEAT { shared SHORT Empty }
    /// A race's description has changed.
    0x0219 CHANNEL_UPDATE { server SHORT channel::ChannelUpdate, server_variant SHORT channel::ChannelDataUpdate }
    /// The receiver was thrown out of a channel.
    0x021A FORCE_LEAVE_CHANNEL { server SHORT channel::ForceLeaveChannel }
    /// Answer to [`LOCATE_USER`].
    0x021B USER_LOCATION { server SHORT channel::UserLocation }
    /// The race server is ready.
    0x021C GAME_SERVER_STARTED { server SHORT channel::GameServerStarted, server_variant SHORT channel::GameServerStartedInfo }
    /// The race server has ended.
    0x021D GAME_SERVER_TERMINATED { server SHORT channel::GameServerTerminated }
    /// The race server starts, or runs.
    0x0224 GAME_SERVER_STATE_CHANGE { server SHORT channel::GameServerStateChange }
    /// A race has a new host.
    0x0227 CHANNEL_MASTER { server SHORT channel::ChannelMaster }
    /// Answer to [`GET_MINI_USER_LIST`].
    0x0229 MINI_USER_LIST { server SHORT lobby::MiniUserList }
    /// Lobby login refused.
    0x022A INVALID_KEY {}
    /// The lobby's greeting: a Client waits for it before it logs in.
    0x0230 OK_TO_LOGIN {}
    /// The list of open races is wanted.
    0x0302 SEND_RIFF_LIST { client SHORT channel::SendRiffList }
    /// The list of race servers is wanted.
    0x0309 SEND_GAME_SERVERS_LIST { client SHORT channel::SendGameServersList }
    /// The channel directory is wanted.
    0x030C SEND_MINI_RIFF_LIST { client SHORT lobby::SendMiniRiffList }
    /// The list of open races.
    0x0401 RIFF_LIST { server SHORT channel::RiffList, server_variant SHORT channel::WideRiffList }
    /// The list of race servers.
    0x0402 GAME_SERVERS_LIST { server SHORT channel::GameServersList }
    /// The channel directory.
    0x0404 MINI_RIFF_LIST { server SHORT lobby::MiniRiffList }
    /// Login with Context and encrypted Session Key.
    0x0501 USER_LOGIN { client LONG login::UserLogin }
    /// Selects a persona.
    0x0503 REGISTER_GAME_LOGIN { client LONG persona::RegisterGameLogin }
    /// Creates a persona.
    0x0507 NEW_GAME_ACCOUNT { shared LONG persona::NewPersona, client_variant LONG persona::NewGameAccount, client_variant LONG persona::NewGameAccountRecord, client_variant LONG persona::NewGameAccountHead }
    /// How many buddies.
    0x050B GET_BUDDY_LIST { client LONG persona::GetBuddyList }
    /// Leaves a persona.
    0x050F REGISTER_GAME_LOGOUT { client LONG persona::RegisterGameLogout }
    /// Deletes a persona.
    0x0512 DELETE_GAME_PERSONA { client LONG persona::DeleteGamePersona }
    /// Looks a persona up, by name or by id.
    0x0519 GET_PERSONA_INFO { shared LONG persona::GetPersonaInfo, client_variant LONG persona::GetPersonaInfoById, client_variant LONG persona::GetPersonaInfoByName }
    /// A mail is to be sent.
    0x0523 SEND_EMAIL {}
    /// A mail is wanted.
    0x0524 RECEIVE_EMAIL { client SHORT mail::ReceiveEmail }
    /// Mails are to be deleted.
    0x0525 DELETE_EMAILS { client SHORT mail::DeleteEmail }
    /// The mail list is wanted.
    0x0526 LIST_EMAILS { client SHORT mail::ListEmails }
    /// The personas of an account are wanted.
    0x0532 GET_PERSONA_MAPS { client LONG_0 persona::GetPersonaMaps }
    /// Is this persona name free?
    0x0533 VALIDATE_PERSONA_NAME { client LONG_0 persona::ValidatePersonaName }
    /// Is this text fit for a licence plate?
    0x0534 CHECK_TOKEN { client LONG_0 persona::CheckToken }
    /// Login accepted; also: name free, persona made.
    0x0601 USER_VALID { server LONG login::UserStatus }
    /// Login refused.
    0x0602 USER_INVALID {}
    /// The personas of an account.
    0x0607 GAME_ACCOUNT_INFO { server LONG persona::PersonaList }
    /// A persona was deleted.
    0x060C PERSONA_DELETED {}
    /// Answer to [`GET_BUDDY_LIST`].
    0x0614 BUDDY_LIST_COUNT { server LONG persona::BuddyListCount }
    /// One mail.
    0x0619 MAIL { server SHORT mail::Mail }
    /// Answer to [`LIST_EMAILS`].
    0x061B MAIL_LIST { server SHORT mail::MailList }
    /// A persona can't be made: the name is taken.
    0x0625 DUP_PERSONA {}
    /// Login refused: the account is banned.
    0x0626 USER_BANNED {}
    /// RSA public-key message; never sent by a Client.
    0x1001 PUBLIC_KEY {}
    /// The DES-CBC envelope of lobby and rooms.
    0x1101 ENCRYPTED {}
}
