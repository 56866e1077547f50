//! The body of each NPS message (`crates/mco-proto/src/nps`).
//!
//! Input: the message; whether a body follows or a value is made from what follows; that.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use mco_proto::nps::channel::{self, *};
use mco_proto::nps::relay::{Relay, is_relay};
use mco_proto::nps::{Message, Packet, lobby, login, mail, persona};
use mcos_fuzz::{Input, plant};
use std::fmt::Debug;

fuzz_target!(init: plant(seeds()), |bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let message = usize::from(input.byte());
    let made = input.byte() & 1 != 0;
    match MESSAGES.get(message) {
        Some(check) => check(made, input.rest()),
        None => relay(message as u16 & 0xff, input.rest()),
    }
});

/// A message with its check.
type Check = fn(bool, &[u8]);

macro_rules! checks {
    ($($message:ty),* $(,)?) => { [$(check::<$message> as Check),*] };
}

#[rustfmt::skip]
const MESSAGES: [Check; 74] = checks![
    login::UserLogin, login::UserStatus,
    persona::GetPersonaMaps, persona::RegisterGameLogin, persona::RegisterGameLogout, persona::ValidatePersonaName,
    persona::CheckToken, persona::NewGameAccount, persona::NewGameAccountHead, persona::NewGameAccountRecord,
    persona::DeleteGamePersona, persona::GetPersonaInfoById, persona::GetPersonaInfoByName, persona::GetBuddyList,
    persona::BuddyListCount, persona::LongAck, persona::PersonaList,
    mail::ListEmails, mail::MailList, mail::ReceiveEmail, mail::Mail, mail::DeleteEmail,
    lobby::Login, lobby::LoginResponse, lobby::SendMiniRiffList, lobby::MiniRiffList, lobby::GetMiniUserList,
    lobby::MiniUserList, lobby::GetServerInfo, lobby::ServerInfo, lobby::SetMyUserData, lobby::UserInfo,
    lobby::OpenCommChannel, lobby::ChannelGranted, lobby::ChannelDenied, lobby::UserJoinedChannel,
    lobby::UserLeftChannel, lobby::GetUserList, lobby::UserList, lobby::CloseCommChannel, lobby::ChannelClosed,
    SendRiffList, RiffList, WideRiffList, SendGameServersList, GameServersList, GetClientCount, ClientCount,
    GetMyUserData, GetUserInfo, LocateUser, UserLocation, UserLeft, UserJoined, ChannelCreated, ChannelDeleted,
    SetChannelData, ChannelUpdate, ChannelDataUpdate, SetCommFlags, ReadyForGame, ReadyNotice, SetReadyForGame,
    GetReadyList, ReadyList, BootUser, ForceLeaveChannel, ChannelMaster, StartGameServer, GameServerStateChange,
    GameServerStarted, GameServerStartedInfo, TerminateGameServer, channel::GameServerTerminated,
];

/// Decoding, encoding and decoding again gives the same message, and so does encoding first.
fn check<M: Message + Debug + for<'a> Arbitrary<'a>>(made: bool, bytes: &[u8]) {
    let message: M = if made {
        let Ok(message) = M::arbitrary_take_rest(Unstructured::new(bytes)) else { return };
        message
    } else {
        let packet = Packet { id: M::ID, form: M::FORM, body: bytes.to_vec() };
        match packet.read() {
            Ok(message) => message,
            Err(malformed) => return assert!(malformed.offset <= bytes.len(), "{malformed}"),
        }
    };
    let packet = message.packet();
    let again: M = packet.read().unwrap();
    // Not by value: numbers with a floating point may not equal themselves.
    assert_eq!(format!("{again:?}"), format!("{message:?}"));
    assert_eq!(again.packet(), packet);
}

fn relay(id: u16, body: &[u8]) {
    if !is_relay(id) {
        return;
    }
    let packet = Packet { body: body.to_vec(), ..Packet::bare(id) };
    if let Ok(relay) = Relay::read(&packet) {
        let again = relay.packet();
        assert_eq!(Relay::read(&again).as_ref(), Ok(&relay));
        let forwarded = relay.forwarded(relay.sender);
        assert!(forwarded.body.ends_with(relay.payload) && forwarded.body.len() <= body.len());
    }
}

/// Zeros, which most messages can be read from, and a made-up value of each.
fn seeds() -> Vec<Vec<u8>> {
    let value: Vec<u8> = (1..=255).collect();
    let messages = (0..MESSAGES.len() as u8).flat_map(|message| {
        [[&[message, 0][..], &[0; 600]].concat(), [&[message, 1][..], &value, &value].concat()]
    });
    let relays =
        (0x80..=0x9a).map(|id| [&[id, 0][..], &[0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 7, 0, 2, 1, 2]].concat());
    messages.chain(relays).collect()
}
