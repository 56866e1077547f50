//! Players in rooms over real sockets: they see each other, talk, and are not disturbed by those who do not listen.

use crate::support::{PATIENCE, Server};
use mco_proto::ids::{CommId, PersonaId};
use mco_proto::nps::Id;
use mco_proto::nps::channel::{
    GameServerStarted, ReadyNotice, RiffList, SendRiffList, SetCommFlags, StartGameServer,
};
use mco_proto::nps::lobby::{
    ChannelGranted, CloseCommChannel, GetUserList, OpenCommChannel, ServerInfo, UserJoinedChannel,
    UserLeftChannel, UserList,
};
use mco_proto::nps::relay::{Address, Relay};
use mco_proto::nps::{Message, Packet, id};
use mco_proto::text::PStr;
use mcos::client::sitting::{LobbyConnection, PersonaSession};
use smol::block_on;
use std::time::{Duration, Instant};

const CHAT: CommId = CommId(2);
const RACE: CommId = CommId(7001);
const CHAT_LINE: Id = Id(0x0089);
const TO_ONE: Id = Id(0x0095);
const TO_ALL_BUT_ONE: Id = Id(0x0097);

/// A server with so many players, all of them selected.
async fn players(count: usize) -> (Server, Vec<PersonaSession>) {
    players_of(Server::prepare(), count).await
}

/// The same on a server that has its configuration already.
async fn players_of(mut server: Server, count: usize) -> (Server, Vec<PersonaSession>) {
    for player in 0..count {
        server.account(&format!("account{player}"));
        server.persona(&format!("account{player}"), &format!("Driver {player}"));
    }
    server.start();
    let mut drivers = Vec::new();
    for player in 0..count {
        drivers.push(server.driver(&format!("account{player}"), &format!("Driver {player}")).await);
    }
    (server, drivers)
}

async fn in_room(server: &Server, driver: &PersonaSession, room: usize) -> LobbyConnection {
    driver.room(&driver.room_on_lobby_host(server.ports("room")[room])).await.unwrap()
}

async fn in_chat(server: &Server, driver: &PersonaSession) -> LobbyConnection {
    let mut connection = in_room(server, driver, 1).await;
    connection.open_chat(server.ports("room")[1]).await.unwrap();
    connection
}

fn race(most: u16) -> OpenCommChannel {
    OpenCommChannel::enter_chat(RACE, PStr::constant(b"Harbor run"), 7003, PersonaId(0)).for_race(
        [3; 256],
        PStr::default(),
        most,
    )
}

async fn say(connection: &mut LobbyConnection, me: &PersonaSession, id: Id, address: Address, text: &[u8]) {
    let relay = Relay { id, channel: CHAT, sender: me.persona, address, payload: text };
    connection.nps().send_packet(&relay.packet()).await.unwrap();
}

/// What a receiver is to get.
fn line(id: Id, from: &PersonaSession, text: &[u8]) -> Packet {
    let relay = Relay { id, channel: CHAT, sender: from.persona, address: Address::All, payload: text };
    relay.forwarded(from.persona)
}

async fn heard<M: Message>(connection: &mut LobbyConnection) -> M {
    connection.nps().wait(&[M::ID]).await.unwrap().packet.read().unwrap()
}

async fn nothing(connection: &mut LobbyConnection) {
    let surprise = connection.nps().next_within(Duration::from_millis(150)).await.unwrap();
    assert_eq!(surprise, None);
}

#[test]
fn players_see_each_other_come_and_go_whatever_way_they_go() {
    block_on(async {
        let (server, drivers) = players(3).await;
        let mut first = in_chat(&server, &drivers[0]).await;
        let mut second = in_chat(&server, &drivers[1]).await;
        assert_eq!(heard::<UserJoinedChannel>(&mut first).await.persona, drivers[1].persona);
        let third = in_chat(&server, &drivers[2]).await;
        for connection in [&mut first, &mut second] {
            assert_eq!(heard::<UserJoinedChannel>(connection).await.persona, drivers[2].persona);
        }
        drop(third);
        for connection in [&mut first, &mut second] {
            assert_eq!(heard::<UserLeftChannel>(connection).await.persona, drivers[2].persona);
        }
        second.close_chat().await.unwrap();
        assert_eq!(heard::<UserLeftChannel>(&mut first).await.persona, drivers[1].persona);
        let users = first.chat_users().await.unwrap();
        assert_eq!(users.iter().map(|user| user.persona).collect::<Vec<_>>(), [drivers[0].persona]);
        nothing(&mut first).await;
    });
}

#[test]
fn a_chat_line_reaches_everybody_else_once_with_its_bytes_unchanged_and_in_order() {
    block_on(async {
        let (server, drivers) = players(4).await;
        let mut connections = Vec::new();
        let mut lobbies = Vec::new();
        for driver in &drivers {
            lobbies.push(driver.lobby().await.unwrap());
            connections.push(in_chat(&server, driver).await);
        }
        let lines: Vec<Vec<u8>> = [0, 1, 7, 8, 100, 3_000, 60_000]
            .map(|size: usize| (0..size).map(|at| (at * 7 + size).to_le_bytes()[0]).collect())
            .into();
        for text in &lines {
            say(&mut connections[0], &drivers[0], CHAT_LINE, Address::All, text).await;
        }
        let one = Address::Single(drivers[2].persona);
        say(&mut connections[0], &drivers[0], TO_ONE, one, b"psst").await;
        let others = Address::NotSingle(drivers[0].persona);
        say(&mut connections[0], &drivers[0], TO_ALL_BUT_ONE, others, b"go").await;
        for (listener, connection) in connections.iter_mut().enumerate().skip(1) {
            for text in &lines {
                let incoming = connection.nps().wait(&[CHAT_LINE]).await.unwrap();
                assert!(incoming.encrypted, "in the form in which it was sent");
                assert_eq!(incoming.packet, line(CHAT_LINE, &drivers[0], text));
            }
            if listener == 2 {
                let incoming = connection.nps().wait(&[TO_ONE]).await.unwrap();
                assert_eq!(incoming.packet, line(TO_ONE, &drivers[0], b"psst"));
            }
            let incoming = connection.nps().wait(&[TO_ALL_BUT_ONE]).await.unwrap();
            assert_eq!(incoming.packet, line(TO_ALL_BUT_ONE, &drivers[0], b"go"));
        }
        // Answers come as if nothing had been said; only arrivals are left over.
        for connection in &mut connections {
            assert_eq!(connection.chat_users().await.unwrap().len(), 4);
            while let Some(incoming) = connection.nps().next_within(Duration::from_millis(100)).await.unwrap()
            {
                assert_eq!(incoming.packet.id, id::USER_JOINED_CHANNEL);
            }
        }
        for lobby in &mut lobbies {
            nothing(lobby).await;
        }
    });
}

#[test]
fn nobody_speaks_for_somebody_else_or_where_it_is_not() {
    block_on(async {
        let (server, drivers) = players(3).await;
        let mut first = in_chat(&server, &drivers[0]).await;
        let mut second = in_chat(&server, &drivers[1]).await;
        heard::<UserJoinedChannel>(&mut first).await;
        let mut outsider = in_room(&server, &drivers[2], 1).await;
        say(&mut outsider, &drivers[2], CHAT_LINE, Address::All, b"let me in").await;
        say(&mut outsider, &drivers[0], CHAT_LINE, Address::All, b"it is me").await;
        say(&mut second, &drivers[0], CHAT_LINE, Address::All, b"I am the first").await;
        let huge = Packet { body: vec![0xff; Packet::LARGEST - 4], ..Packet::bare(CHAT_LINE) };
        outsider.nps().send_packet(&huge).await.unwrap();
        outsider.directory().await.unwrap();
        let incoming = first.nps().wait(&[CHAT_LINE]).await.unwrap();
        assert_eq!(incoming.packet, line(CHAT_LINE, &drivers[1], b"I am the first"));
        nothing(&mut first).await;
        assert!(!server.log().contains("panicked"));
    });
}

#[test]
fn the_largest_frame_there_can_be_is_passed_on_whole_and_a_larger_one_goes_nowhere() {
    block_on(async {
        let (server, drivers) = players(2).await;
        let mut speaker = in_chat(&server, &drivers[0]).await;
        let mut listener = in_chat(&server, &drivers[1]).await;
        // Behind number, length, channel and sender: as many whole blocks as the length field of the envelope can tell.
        let text = vec![0x5a; 65_528 - 12];
        say(&mut speaker, &drivers[0], CHAT_LINE, Address::All, &text).await;
        let incoming = listener.nps().wait(&[CHAT_LINE]).await.unwrap();
        assert!(incoming.encrypted && incoming.packet == line(CHAT_LINE, &drivers[0], &text));
        // In clear the field can tell more, which no envelope could hold.
        let mut larger = [CHAT_LINE.0.to_be_bytes(), u16::MAX.to_be_bytes()].concat();
        larger.extend_from_slice(&CHAT.0.to_be_bytes());
        larger.extend_from_slice(&drivers[0].persona.0.to_be_bytes());
        larger.resize(65_535, 0xa5);
        speaker.nps().send_bytes(&larger).await.unwrap();
        say(&mut speaker, &drivers[0], CHAT_LINE, Address::All, b"and now in short").await;
        let incoming = listener.nps().wait(&[CHAT_LINE]).await.unwrap();
        assert_eq!(incoming.packet, line(CHAT_LINE, &drivers[0], b"and now in short"));
        assert!(server.log().contains("too large to be passed on"));
    });
}

#[test]
fn one_slow_and_one_dead_receiver_do_not_disturb_the_others() {
    block_on(async {
        // Far more than anybody has to say, so that there is something to be cut off for.
        let much = Server::with("[limits]\nrelay_bytes_per_second = 1_000_000_000\n");
        let (server, drivers) = players_of(much, 4).await;
        let mut speaker = in_chat(&server, &drivers[0]).await;
        let mut listener = in_chat(&server, &drivers[1]).await;
        let mut slow = in_chat(&server, &drivers[2]).await;
        // Never reads again, and stays connected.
        let dead = in_chat(&server, &drivers[3]).await;
        let text = vec![0x5a; 16_000];
        let began = Instant::now();
        let mut gone = false;
        let mut rounds = 0_usize;
        while !gone {
            assert!(began.elapsed() < PATIENCE, "the dead receiver is never cut off");
            say(&mut speaker, &drivers[0], CHAT_LINE, Address::All, &text).await;
            let incoming = listener.nps().wait(&[CHAT_LINE]).await.unwrap();
            assert_eq!(incoming.packet.body[8..], text);
            rounds += 1;
            if rounds.is_multiple_of(20) {
                // The slow one reads in bursts and loses nothing.
                for _ in 0..20 {
                    let incoming = slow.nps().wait(&[CHAT_LINE]).await.unwrap();
                    assert_eq!(incoming.packet.body[8..], text);
                }
                gone = listener.chat_users().await.unwrap().len() == 3;
            }
        }
        assert_eq!(heard::<UserLeftChannel>(&mut listener).await.persona, drivers[3].persona);
        assert!(server.log().contains("does not read what others send; cut off"));
        say(&mut speaker, &drivers[0], CHAT_LINE, Address::All, b"still here").await;
        let incoming = listener.nps().wait(&[CHAT_LINE]).await.unwrap();
        assert_eq!(incoming.packet, line(CHAT_LINE, &drivers[0], b"still here"));
        drop(dead);
    });
}

#[test]
fn racers_meet_get_ready_and_go_to_the_race_port_whatever_port_they_came_by() {
    block_on(async {
        let (server, drivers) = players(2).await;
        let mut host = drivers[0].lobby().await.unwrap();
        let mut guest_lobby = drivers[1].lobby().await.unwrap();
        let mut guest_chat = in_chat(&server, &drivers[1]).await;
        host.nps().send(&race(4)).await.unwrap();
        assert_eq!(heard::<ChannelGranted>(&mut host).await.channel, RACE);
        guest_chat.nps().wait(&[id::CHANNEL_CREATED]).await.unwrap();
        let list: RiffList = guest_lobby.nps().ask(&SendRiffList {}).await.unwrap();
        assert_eq!((list.riffs.len(), list.riffs[0].race.owner), (1, drivers[0].persona));

        guest_lobby.nps().send(&race(4)).await.unwrap();
        heard::<ChannelGranted>(&mut guest_lobby).await;
        loop {
            if heard::<UserJoinedChannel>(&mut host).await.persona == drivers[1].persona {
                break;
            }
        }
        guest_lobby.nps().send(&SetCommFlags { channel: RACE, flags: 0x20 }).await.unwrap();
        assert!(heard::<ReadyNotice>(&mut host).await.record.ready.0);

        let start = StartGameServer { channel: RACE, best_host: PStr::constant(b"127.0.0.1") };
        host.nps().send(&start).await.unwrap();
        let mut rooms = Vec::new();
        for (driver, lobby) in drivers.iter().zip([&mut host, &mut guest_lobby]) {
            let info: ServerInfo = heard(lobby).await;
            assert_eq!((info.channel, info.port), (RACE, server.ports("room")[0].into()));
            assert_eq!(heard::<GameServerStarted>(lobby).await.channel, RACE);
            let mut room = in_room(&server, driver, 0).await;
            room.nps().send(&race(4)).await.unwrap();
            heard::<ChannelGranted>(&mut room).await;
            rooms.push(room);
        }
        let list: UserList = rooms[0].nps().ask(&GetUserList { channel: RACE }).await.unwrap();
        assert_eq!(list.users.len(), 2, "two players with two connections each");
        let position = Relay {
            id: TO_ONE,
            channel: RACE,
            sender: drivers[0].persona,
            address: Address::Single(drivers[1].persona),
            payload: b"position",
        };
        rooms[0].nps().send_packet(&position.packet()).await.unwrap();
        let incoming = rooms[1].nps().wait(&[TO_ONE]).await.unwrap();
        assert_eq!(incoming.packet, position.forwarded(drivers[0].persona));
        drop(rooms);
        host.nps().wait(&[id::GAME_SERVER_TERMINATED]).await.unwrap();
        guest_lobby.nps().wait(&[id::GAME_SERVER_TERMINATED]).await.unwrap();
        for lobby in [host, guest_lobby] {
            let mut lobby = lobby;
            lobby.nps().send(&CloseCommChannel { channel: RACE }).await.unwrap();
            lobby.nps().wait(&[id::CHANNEL_CLOSED]).await.unwrap();
        }
        guest_chat.nps().wait(&[id::CHANNEL_DELETED]).await.unwrap();
    });
}
