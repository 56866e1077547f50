//! Whether an answer is what the real Client accepted: encrypted like it, parsed by our own layouts, with the right ids.

use super::player::Replay;
use super::recording::{Message, Number, Port};
use super::{CAR, CUSTOMER, NAME, PERSONA, SHARD};
use mco_proto::Wire;
use mco_proto::ids::CommId;
use mco_proto::mcots::garage::{OwnedParts, OwnedVehicles, VehicleInfo};
use mco_proto::mcots::lists::{ArcadeCars, EntryFeePurses, GameUrls, Lobbies, Tunables};
use mco_proto::mcots::player::{PlayerInfo, PlayerPhysicalInfo, PlayerRacingHistory};
use mco_proto::mcots::session::LoginComplete;
use mco_proto::mcots::{self, GenericReply, number};
use mco_proto::nps::lobby::{
    ChannelClosed, ChannelGranted, LoginResponse, MiniRiffList, MiniUserList, ServerInfo, SetMyUserData,
    UserInfo, UserList,
};
use mco_proto::nps::login::UserStatus;
use mco_proto::nps::mail::MailList;
use mco_proto::nps::persona::{BuddyListCount, PersonaList};
use mco_proto::nps::{self, Form, Packet, id};
use mcos::client::nps::read as read_packet;

impl Replay<'_> {
    pub(super) fn judge_nps(&mut self, at: usize, incoming: &nps::Incoming) -> Vec<String> {
        let mut faults = Vec::new();
        let Message { port, number, ref body, .. } = self.messages[at];
        let packet = &incoming.packet;
        let encrypted = matches!(port, Port::Lobby | Port::Room) && number != Number::Game(id::LOGIN);
        expect(&mut faults, "encrypted", incoming.encrypted, encrypted);
        let channel = body.first_chunk().map_or(CommId(0), |bytes| CommId(u32::from_be_bytes(*bytes)));
        let rooms = self.server.ports("room");
        match packet.id {
            id::USER_VALID => check::<UserStatus>(packet, &mut faults, |status, faults| {
                expect(faults, "customer", status.customer, CUSTOMER);
            }),
            id::GAME_ACCOUNT_INFO => check::<PersonaList>(packet, &mut faults, |list, faults| {
                let found: Vec<_> = list
                    .personas
                    .iter()
                    .map(|entry| (entry.persona, entry.shard, entry.name.to_string()))
                    .collect();
                expect(faults, "personas", found, vec![(PERSONA, SHARD, NAME.to_owned())]);
            }),
            id::BUDDY_LIST_COUNT => check::<BuddyListCount>(packet, &mut faults, |_, _| ()),
            id::MAIL_LIST => check::<MailList>(packet, &mut faults, |_, _| ()),
            id::LOGIN_RESP => check::<LoginResponse>(packet, &mut faults, |response, faults| {
                expect(
                    faults,
                    "user",
                    (response.persona, response.name.to_string()),
                    (PERSONA, NAME.to_owned()),
                );
            }),
            id::MINI_RIFF_LIST => check::<MiniRiffList>(packet, &mut faults, |list, faults| {
                let room = list.riffs.iter().any(|riff| riff.channel == CommId(1));
                expect(faults, "room 1, which the Client asks for next, is listed", room, true);
            }),
            id::MINI_USER_LIST => check::<MiniUserList>(packet, &mut faults, |list, faults| {
                expect(faults, "channel", list.channel, channel);
                let me =
                    list.users.iter().any(|user| user.persona == PERSONA && user.name.to_string() == NAME);
                expect(faults, "lists the asker", me, true);
            }),
            id::SERVER_INFO => check::<ServerInfo>(packet, &mut faults, |info, faults| {
                expect(faults, "channel", info.channel, channel);
                expect(faults, "address", info.address.to_string(), "127.0.0.1".to_owned());
                let port = u16::try_from(info.port).unwrap_or_default();
                expect(faults, "port is a room's", rooms.contains(&port), true);
                self.room = Some(port);
            }),
            id::USER_INFO => check::<UserInfo>(packet, &mut faults, |info, faults| {
                expect(faults, "user", (info.persona, info.name.to_string()), (PERSONA, NAME.to_owned()));
                let sent = Packet { id: id::SET_MY_USER_DATA, form: Form::Short, body: body.clone() };
                let sent: SetMyUserData = sent.read().expect("the recording parses");
                expect(faults, "user data", info.user_data, sent.user_data);
                if port == Port::Room {
                    self.room_data = sent.user_data;
                }
            }),
            id::CHANNEL_GRANTED => check::<ChannelGranted>(packet, &mut faults, |granted, faults| {
                expect(faults, "channel", granted.channel, channel);
                let port = u16::try_from(granted.port).unwrap_or_default();
                expect(faults, "port is a room's", rooms.contains(&port), true);
            }),
            id::USER_LIST => check::<UserList>(packet, &mut faults, |list, faults| {
                expect(faults, "channel", list.channel, channel);
                let mine = list.users.iter().find(|user| user.persona == PERSONA).map(|user| user.user_data);
                expect(faults, "my user data", mine, Some(self.room_data));
            }),
            id::CHANNEL_CLOSED => check::<ChannelClosed>(packet, &mut faults, |closed, faults| {
                expect(faults, "channel", closed.channel, channel);
            }),
            // Length and content of an ACK do not matter.
            id::ACK => (),
            other => faults.push(format!("{other} is an answer without a check")),
        }
        faults
    }

    pub(super) fn judge_mcots(&self, at: usize, incoming: &mcots::Incoming) -> Vec<String> {
        let mut faults = Vec::new();
        let message = &self.messages[at];
        let body = &incoming.body;
        let clear = message.number == Number::Transaction(number::CLIENT_CONNECT_MSG);
        expect(&mut faults, "flags", incoming.flags.0, if clear { 0 } else { mcots::Flags::ENCRYPTED });
        match body.number().unwrap_or_default() {
            number::SUCCESS => inspect::<GenericReply>(body, &mut faults, |reply, faults| {
                expect(faults, "request", Number::Transaction(reply.request), message.number);
            }),
            number::LOGIN_COMPLETE => inspect::<LoginComplete>(body, &mut faults, |_, _| ()),
            number::LOBBIES => inspect::<Lobbies>(body, &mut faults, |list, faults| {
                expect(faults, "any lobbies", list.lobbies.is_empty(), false);
            }),
            number::ENTRYFEE_PURSE_INFO => inspect::<EntryFeePurses>(body, &mut faults, |_, _| ()),
            number::ARCADE_CARS => inspect::<ArcadeCars>(body, &mut faults, |_, _| ()),
            number::GAME_URLS => inspect::<GameUrls>(body, &mut faults, |_, _| ()),
            number::MCO_TUNABLES => inspect::<Tunables>(body, &mut faults, |_, _| ()),
            number::OWNED_VEHICLES_LIST => inspect::<OwnedVehicles>(body, &mut faults, |list, faults| {
                expect(faults, "car 1 is listed", list.vehicles.iter().any(|car| car.vehicle.0 == CAR), true);
            }),
            number::GET_PLAYER_INFO => inspect::<PlayerInfo>(body, &mut faults, |info, faults| {
                expect(faults, "player", (info.player, info.name.to_string()), (PERSONA, NAME.to_owned()));
            }),
            number::PLAYER_PHYSICAL_INFO => {
                inspect::<PlayerPhysicalInfo>(body, &mut faults, |info, faults| {
                    expect(faults, "player", info.physical.player, PERSONA);
                });
            }
            number::OWNED_PARTS_LIST => inspect::<OwnedParts>(body, &mut faults, |list, faults| {
                expect(faults, "owner", list.owner, PERSONA);
            }),
            number::VEHICLE_INFO => inspect::<VehicleInfo>(body, &mut faults, |info, faults| {
                expect(faults, "vehicle", info.vehicle.0, CAR);
                expect(faults, "owner", info.owner, PERSONA);
                expect(faults, "any parts", info.parts.is_empty(), false);
            }),
            number::PLAYER_RACING_HISTORY => {
                inspect::<PlayerRacingHistory>(body, &mut faults, |list, faults| {
                    expect(faults, "player", list.player, PERSONA);
                });
            }
            other => faults.push(format!("{other} is an answer without a check")),
        }
        faults
    }
}

/// Parses an NPS answer and looks at it.
fn check<M: nps::Message>(
    packet: &Packet,
    faults: &mut Vec<String>,
    look: impl FnOnce(&M, &mut Vec<String>),
) {
    match read_packet::<M>(packet) {
        Ok(message) => look(&message, faults),
        Err(error) => faults.push(format!("{} does not parse: {error}", packet.id)),
    }
}

/// Parses an MCOTS answer and looks at it. It must also be written anew to the same bytes, so nothing is left over.
fn inspect<R: Wire>(body: &mcots::Body, faults: &mut Vec<String>, look: impl FnOnce(&R, &mut Vec<String>)) {
    let number = body.number().unwrap_or_default();
    match body.record::<R>() {
        Ok(message) => {
            expect(faults, "size", body.0.len(), mcots::Body::carrying(number, &message).0.len());
            look(&message, faults);
        }
        Err(error) => faults.push(format!("{number} does not parse: {error}")),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "reads better where it is called")]
fn expect<T: PartialEq + std::fmt::Debug>(faults: &mut Vec<String>, what: &str, found: T, wanted: T) {
    if found != wanted {
        faults.push(format!("{what}: {found:?}, not {wanted:?}"));
    }
}
