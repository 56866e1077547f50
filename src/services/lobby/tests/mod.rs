mod channels;
mod model;
mod races;
mod relays;
mod scene;

use super::*;
use crate::clock::Now;
use crate::services::TestPlayer;
use crate::services::directory::{CTRL, Directory};
use crate::world::LOBBY;
use mco_proto::ids::{CommId, CustomerId};
use mco_proto::nps::Id;
use mco_proto::nps::Message;
use mco_proto::nps::bare::{FORCE_LOGOFF, INVALID_KEY, OK_TO_LOGIN};
use mco_proto::nps::lobby::{
    ChannelClosed, ChannelGranted, CloseCommChannel, GetMiniUserList, GetServerInfo, GetUserList, Login,
    LoginResponse, MiniRiffList, MiniUserList, Name, OpenCommChannel, SendMiniRiffList, ServerInfo,
    SetMyUserData, UserInfo, UserJoinedChannel, UserList,
};
use mco_proto::text::PStr;
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr};

const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 168, 1, 20)), 1042);
const BOX: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 2));
const ROOM: NpsServer = NpsServer::Room(1);

fn caller(game: &Game, server: NpsServer) -> ConnectionState {
    let port = match server {
        NpsServer::Lobby => 7003,
        NpsServer::Room(place) => 9000 + place,
    };
    ConnectionState::new(game.world.new_connection(), server, PEER, SocketAddr::new(BOX, port))
}

fn login(player: &TestPlayer) -> Login {
    let (name, address) = (Name::constant(b"Dr Brown"), Ipv4Addr::new(10, 10, 5, 8));
    Login::new(player.persona, name, player.customer, address, &player.key)
}

fn clear(message: &impl Message) -> Incoming {
    Incoming { packet: message.packet(), encrypted: false }
}

fn encrypted(message: &impl Message) -> Incoming {
    Incoming { packet: message.packet(), encrypted: true }
}

fn open_lobby(channel: CommId) -> OpenCommChannel {
    OpenCommChannel::enter_chat(channel, Name::constant(b"LOBBY"), 9001, PersonaId(0))
}

/// A player who has signed in to `server`.
fn arrived(game: &Game, server: NpsServer, account: &str, persona: &str) -> (ConnectionState, TestPlayer) {
    let player = game.player(account, persona, PEER.ip());
    let mut caller = caller(game, server);
    let outcome = answer(game, &mut caller, &clear(&login(&player)), Now::read());
    assert_eq!(outcome.replies[0].id, id::LOGIN_RESP);
    (caller, player)
}

#[test]
fn only_the_lobby_greets() {
    let (game, _folder) = Game::for_tests();
    assert_eq!(greeting(&caller(&game, NpsServer::Lobby)).replies, [OK_TO_LOGIN]);
    assert!(greeting(&caller(&game, ROOM)).replies.is_empty());
}

#[test]
fn a_login_with_the_right_proof_starts_the_cipher_and_echoes_the_persona() {
    let (game, _folder) = Game::for_tests();
    let player = game.player("doc", "Dr Brown", PEER.ip());
    let mut caller = caller(&game, NpsServer::Lobby);
    let outcome = answer(&game, &mut caller, &clear(&login(&player)), Now::read());
    let response: LoginResponse = outcome.replies[0].read().unwrap();
    assert_eq!((response.persona, response.name.to_string()), (player.persona, "Dr Brown".to_owned()));
    assert!(outcome.start_encryption == Some(player.key) && !outcome.close);
    assert!(game.world.presence.in_use(player.persona, Now::read()));
}

#[test]
fn a_wrong_proof_a_foreign_persona_and_an_unknown_customer_are_refused_alike() {
    let (game, _folder) = Game::for_tests();
    let player = game.player("doc", "Dr Brown", PEER.ip());
    let biff = game.player("biff", "Biff", PEER.ip());
    let good = login(&player);
    for bad in [
        Login { proof: [7; 16], ..good.clone() },
        Login { persona: biff.persona, ..good.clone() },
        Login { persona: PersonaId(0), ..good.clone() },
        Login { customer: CustomerId(99), ..good.clone() },
        Login { customer: biff.customer, ..good },
    ] {
        let mut caller = caller(&game, ROOM);
        let outcome = answer(&game, &mut caller, &clear(&bad), Now::read());
        assert_eq!(outcome.replies, [INVALID_KEY]);
        assert!(outcome.close && outcome.start_encryption.is_none() && !caller.signed_in());
    }
    assert_eq!(game.world.population(Now::read()), 0);
}

#[test]
fn an_overheard_login_does_not_open_the_lobby_from_another_address() {
    let (game, _folder) = Game::for_tests();
    let player = game.player("doc", "Dr Brown", PEER.ip());
    let elsewhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 168, 1, 66)), 1042);
    let local = SocketAddr::new(BOX, 7003);
    let mut thief = ConnectionState::new(game.world.new_connection(), NpsServer::Lobby, elsewhere, local);
    assert_eq!(answer(&game, &mut thief, &clear(&login(&player)), Now::read()).replies, [INVALID_KEY]);
}

#[test]
fn each_pc_of_an_account_comes_in_by_its_own_key_and_the_newer_one_has_a_persona_alone() {
    let (game, _folder) = Game::for_tests();
    let (older, player) = arrived(&game, NpsServer::Lobby, "doc", "Dr Brown");
    let key = mco_proto::session_key::SessionKey::random();
    let session = game
        .world
        .sessions
        .begin(player.customer, key.clone(), PEER.ip(), &std::collections::BTreeSet::new(), Now::read())
        .unwrap();
    let other = TestPlayer { session, key, ..player.clone() };
    let enter =
        |player: &TestPlayer| answer(&game, &mut caller(&game, ROOM), &clear(&login(player)), Now::read());
    assert!(
        enter(&player).start_encryption == Some(player.key.clone()),
        "the other login took nothing from it"
    );
    let outcome = enter(&other);
    assert!(outcome.start_encryption == Some(other.key));
    let [Push::Packet(told, packet, _), Push::Dismiss(ended)] = &outcome.pushes[..] else {
        panic!("two pushes")
    };
    assert_eq!((&**packet, told, ended.contains(&older.connection)), (&FORCE_LOGOFF, ended, true));
    assert_eq!(enter(&player).replies, [INVALID_KEY]);
    assert!(game.world.presence.in_use(player.persona, Now::read()));
}

#[test]
fn the_directory_names_the_lobby_once_and_as_many_room_servers_as_the_operator_wants() {
    let (mut game, _folder) = Game::for_tests();
    let listed = |game: &Game, caller: &mut ConnectionState| {
        let outcome = answer(game, caller, &encrypted(&SendMiniRiffList {}), Now::read());
        outcome.replies[0].read::<MiniRiffList>().unwrap().riffs.len()
    };
    let (mut doc, _) = arrived(&game, NpsServer::Lobby, "doc", "Dr Brown");
    assert_eq!(listed(&game, &mut doc), 7, "at home everybody meets in one place");
    game.config.lobby.rooms = 14;
    game.directory = Directory::new(&game.config, &game.ports, &game.catalog);
    assert_eq!(listed(&game, &mut doc), 7 + 13);
    let outcome = answer(&game, &mut doc, &encrypted(&SendMiniRiffList {}), Now::read());
    let list: MiniRiffList = outcome.replies[0].read().unwrap();
    let riffs: Vec<_> = list.riffs.iter().map(|riff| (riff.name.to_string(), riff.channel.0)).collect();
    assert_eq!(riffs[..3], [("CTRL".to_owned(), 0), ("LOBBY".to_owned(), 2), ("MCCHAT".to_owned(), 191)]);
    assert!(riffs.contains(&("MCC01".to_owned(), 1)) && riffs.contains(&("MCC14".to_owned(), 14)));
    assert!(riffs.contains(&("MC100".to_owned(), 10001)), "race lobbies have MCOTS's numbers");
    let mut numbers: Vec<_> = riffs.iter().map(|(_, number)| number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), riffs.len(), "no number means two things");
}

#[test]
fn the_room_server_is_at_the_address_by_which_the_client_reached_the_box() {
    let (game, _folder) = Game::for_tests();
    let (mut doc, _) = arrived(&game, NpsServer::Lobby, "doc", "Dr Brown");
    let mut ask = |channel| {
        let outcome =
            answer(&game, &mut doc, &encrypted(&GetServerInfo { channel: CommId(channel) }), Now::read());
        let info: ServerInfo = outcome.replies[0].read().unwrap();
        (info.riff.to_string(), info.channel.0, info.address.to_string(), info.port)
    };
    assert_eq!(ask(1), ("MCC01".to_owned(), 1, "192.168.1.2".to_owned(), 9001));
    assert_eq!(ask(222), ("MCC02".to_owned(), 222, "192.168.1.2".to_owned(), 9002));
    assert_eq!(ask(4711), ("MCC01".to_owned(), 4711, "192.168.1.2".to_owned(), 9001));
}

#[test]
fn people_in_a_channel_see_each_other_come_change_and_go() {
    let (game, _folder) = Game::for_tests();
    let (mut doc, doc_player) = arrived(&game, ROOM, "doc", "Dr Brown");
    let (mut marty, marty_player) = arrived(&game, ROOM, "marty", "Marty");
    let granted = answer(&game, &mut doc, &encrypted(&open_lobby(LOBBY)), Now::read());
    assert_eq!(
        granted.replies[0].read::<ChannelGranted>().unwrap(),
        ChannelGranted { channel: LOBBY, port: 9001 }
    );

    let joined = answer(&game, &mut marty, &encrypted(&open_lobby(LOBBY)), Now::read());
    let [Push::Packet(receivers, packet, _)] = &joined.pushes[..] else { panic!("one push") };
    assert_eq!(*receivers, [doc.connection]);
    assert_eq!(packet.read::<UserJoinedChannel>().unwrap().persona, marty_player.persona);

    let data =
        SetMyUserData { persona: doc_player.persona, name: Name::constant(b"Marty"), user_data: [7; 64] };
    let changed = answer(&game, &mut marty, &encrypted(&data), Now::read());
    let info: UserInfo = changed.replies[0].read().unwrap();
    assert_eq!(info.persona, marty_player.persona, "nobody changes somebody else's car");
    assert!(matches!(&changed.pushes[..], [Push::Packet(to, ..)] if *to == [doc.connection]));

    let users: UserList = answer(&game, &mut doc, &encrypted(&GetUserList { channel: LOBBY }), Now::read())
        .replies[0]
        .read()
        .unwrap();
    let seen: Vec<_> = users.users.iter().map(|user| (user.persona, user.user_data)).collect();
    assert_eq!(seen, [(doc_player.persona, [0; 64]), (marty_player.persona, [7; 64])]);

    let closed = answer(&game, &mut marty, &encrypted(&CloseCommChannel { channel: LOBBY }), Now::read());
    assert_eq!(
        closed.replies[0].read::<ChannelClosed>().unwrap(),
        ChannelClosed { channel: LOBBY, port: 7003 }
    );
    assert!(matches!(&closed.pushes[..], [Push::Packet(to, ..)] if *to == [doc.connection]));

    answer(&game, &mut marty, &encrypted(&open_lobby(LOBBY)), Now::read());
    let gone = leave(&game, &marty, Move::Other, Now::read());
    assert!(
        matches!(&gone[..], [Push::Packet(to, packet, _)] if *to == [doc.connection] && packet.id == id::USER_LEFT_CHANNEL)
    );
    assert!(!game.world.presence.in_use(marty_player.persona, Now::read()));
}

#[test]
fn one_persona_is_in_the_lobby_and_a_room_at_once() {
    let (game, _folder) = Game::for_tests();
    let (lobby, player) = arrived(&game, NpsServer::Lobby, "doc", "Dr Brown");
    let mut room = caller(&game, ROOM);
    assert!(answer(&game, &mut room, &clear(&login(&player)), Now::read()).start_encryption.is_some());
    leave(&game, &room, Move::Other, Now::read());
    assert!(game.world.presence.in_use(player.persona, Now::read()), "the lobby connection is still there");
    leave(&game, &lobby, Move::Other, Now::read());
    assert!(!game.world.presence.in_use(player.persona, Now::read()));
}

#[test]
fn the_mini_list_of_channel_0_is_the_whole_server() {
    let (game, _folder) = Game::for_tests();
    let (mut doc, _) = arrived(&game, NpsServer::Lobby, "doc", "Dr Brown");
    arrived(&game, NpsServer::Lobby, "marty", "Marty");
    let list: MiniUserList =
        answer(&game, &mut doc, &encrypted(&GetMiniUserList { channel: CTRL }), Now::read()).replies[0]
            .read()
            .unwrap();
    let names: Vec<_> = list.users.iter().map(|user| user.name.to_string()).collect();
    assert_eq!(names, ["Dr Brown", "Marty"]);
}

#[test]
fn commands_in_clear_or_before_signing_in_are_not_obeyed() {
    let (game, _folder) = Game::for_tests();
    let mut stranger = caller(&game, ROOM);
    let open = open_lobby(LOBBY);
    assert!(answer(&game, &mut stranger, &clear(&open), Now::read()).replies.is_empty());
    let (mut doc, _) = arrived(&game, ROOM, "doc", "Dr Brown");
    assert!(answer(&game, &mut doc, &clear(&GetUserList { channel: LOBBY }), Now::read()).replies.is_empty());
    assert_eq!(
        answer(&game, &mut doc, &clear(&open), Now::read()).replies[0].id,
        id::CHANNEL_GRANTED,
        "this one is taken in both forms"
    );
}

#[test]
fn a_heartbeat_is_returned() {
    let (game, _folder) = Game::for_tests();
    let (mut doc, _) = arrived(&game, ROOM, "doc", "Dr Brown");
    let beat = Incoming { packet: Packet::bare(id::HEARTBEAT), encrypted: false };
    assert_eq!(answer(&game, &mut doc, &beat, Now::read()).replies, [Packet::bare(id::HEARTBEAT)]);
}

#[test]
fn a_second_login_on_a_connection_changes_nothing() {
    let (game, _folder) = Game::for_tests();
    let (mut doc, player) = arrived(&game, ROOM, "doc", "Dr Brown");
    let outcome = answer(&game, &mut doc, &clear(&login(&player)), Now::read());
    assert!(outcome.replies.is_empty() && outcome.start_encryption.is_none());
}

#[test]
fn no_packet_can_make_the_lobby_panic() {
    let (game, _folder) = Game::for_tests();
    let (doc, _) = arrived(&game, ROOM, "doc", "Dr Brown");
    let doc = std::cell::RefCell::new(doc);
    let body = proptest::collection::vec(any::<u8>(), 0..400);
    proptest::test_runner::TestRunner::default()
        .run(&(any::<u16>(), body, any::<bool>()), |(id, body, encrypted)| {
            for id in
                [id, id::OPEN_COMM_CHANNEL.0, id::SET_MY_USER_DATA.0, id::LOGIN.0, id::CLOSE_COMM_CHANNEL.0]
            {
                let packet = Packet { body: body.clone(), ..Packet::bare(Id(id)) };
                answer(&game, &mut doc.borrow_mut(), &Incoming { packet, encrypted }, Now::read());
            }
            Ok(())
        })
        .unwrap();
}
