//! Races from their opening to their end.

use super::scene::{Scene, data, race};
use super::*;
use crate::clock::Now;
use crate::config::{ChannelUpdates, RaceStartOn, RaceStarted};
use mco_proto::bytes::Bool16;
use mco_proto::nps::Id;
use mco_proto::nps::channel::{
    BootUser, ChannelCreated, ChannelDataUpdate, ChannelDeleted, ChannelMaster, ChannelUpdate,
    ForceLeaveChannel, GameServerStarted, GameServerStartedInfo, GameServerStateChange, GameServerTerminated,
    GameServersList, GetReadyList, NOT_READY, READY, ReadyForGame, ReadyList, ReadyNotice, RiffList,
    SendGameServersList, SendRiffList, SetChannelData, SetCommFlags, SetReadyForGame, StartGameServer,
    TerminateGameServer, WideRiffList,
};
use mco_proto::nps::lobby::UserLeftChannel;

const RACE: CommId = CommId(55);

fn numbers(replies: &[Packet]) -> Vec<Id> {
    replies.iter().map(|reply| reply.id).collect()
}

/// The number under which a race was granted.
fn granted(replies: &[Packet]) -> CommId {
    let granted = replies.iter().find(|reply| reply.id == id::CHANNEL_GRANTED).expect("granted");
    granted.read::<ChannelGranted>().unwrap().channel
}

/// Players of a race on the given channels, in this order.
fn racers(channels: &[NpsServer]) -> (Scene, Vec<ConnectionState>) {
    let mut scene = Scene::of(channels.len());
    let callers = channels.iter().enumerate().map(|(player, server)| {
        let mut caller = scene.connect(player, *server);
        granted(&scene.ask(&mut caller, &race(RACE, "race", "", 0)));
        caller
    });
    let callers = callers.collect();
    scene.forget();
    (scene, callers)
}

fn start() -> StartGameServer {
    StartGameServer { channel: RACE, best_host: PStr::constant(b"127.0.0.1") }
}

#[test]
fn a_race_keeps_the_bytes_of_its_name() {
    let mut scene = Scene::of(2);
    let mut host = scene.connect(0, ROOM);
    for wire in [(1..0x20).collect::<Vec<u8>>(), (0x80..0x9f).collect(), (0xe1..=0xff).collect()] {
        let name = Name::first_n(&mco_proto::windows_1252::decode(&wire));
        let open = OpenCommChannel { riff: name, ..race(CommId(0), "", "", 0) };
        let replies = scene.ask(&mut host, &open);
        let created: ChannelCreated = replies[0].read().unwrap();
        assert_eq!(created.riff.name.as_bytes(), wire);
    }
}

#[test]
fn a_new_race_is_granted_and_everybody_in_a_lobby_hears_of_it() {
    let mut scene = Scene::of(3);
    let mut host = scene.connect(0, NpsServer::Lobby);
    let mut host_room = scene.connect(0, ROOM);
    let mut here = scene.connect(1, ROOM);
    let mut there = scene.connect(2, NpsServer::Room(7));
    for caller in [&mut host_room, &mut here, &mut there] {
        scene.ask(caller, &open_lobby(LOBBY));
    }
    scene.forget();
    let replies = scene.ask(&mut host, &race(RACE, "My race", "secret", 4));
    assert_eq!(numbers(&replies), [id::CHANNEL_CREATED, id::CHANNEL_GRANTED, id::USER_JOINED_CHANNEL]);
    let created: ChannelCreated = replies[0].read().unwrap();
    assert_eq!((created.riff.channel, created.riff.name.to_string()), (RACE, "My race".to_owned()));
    assert_eq!((created.riff.data, created.riff.max_ready_players), (data(1), 4));
    assert_eq!(scene.only::<ChannelCreated>(&here), created);
    assert_eq!(scene.only::<ChannelCreated>(&there), created);
    scene.quiet();
    scene.ask(&mut host, &CloseCommChannel { channel: RACE });
    for caller in [&here, &there, &host_room] {
        assert_eq!(scene.only::<ChannelDeleted>(caller).channel, RACE);
    }
    scene.quiet();
}

#[test]
fn the_list_shows_every_race_to_everybody_and_no_password_to_anybody() {
    let mut scene = Scene::of(2);
    let (mut host, mut other) = (scene.connect(0, NpsServer::Lobby), scene.connect(1, ROOM));
    let empty: RiffList = scene.one(&mut other, &SendRiffList {});
    assert!(empty.riffs.is_empty());
    scene.ask(&mut host, &race(RACE, "one", "secret", 4));
    scene.ask(&mut host, &race(CommId(56), "two", "", 2));
    scene.ask(&mut host, &SetCommFlags { channel: RACE, flags: READY });
    let list: RiffList = scene.one(&mut other, &SendRiffList {});
    let seen: Vec<_> = list.riffs.iter().map(|riff| &riff.race).collect();
    assert_eq!(seen.len(), 2);
    assert_eq!((seen[0].channel, seen[0].password.to_string()), (RACE, String::new()));
    assert_eq!((seen[0].connected_users, seen[0].ready_players, seen[0].max_ready_players), (1, 1, 4));
    assert_eq!((seen[0].owner, seen[0].connected), (scene.persona(0), Bool16(false)));
    let own: RiffList = scene.one(&mut host, &SendRiffList {});
    assert!(own.riffs.iter().all(|riff| riff.race.connected.0));
    let narrow = scene.ask(&mut host, &SendRiffList {})[0].body.len();
    scene.game.config.compat.race_list_width = 4;
    let wide = scene.ask(&mut host, &SendRiffList {});
    assert_eq!(wide[0].body.len(), narrow + 2 * 3);
    assert_eq!(wide[0].read::<WideRiffList>().unwrap().riffs.len(), 2);
    let directory: MiniRiffList = scene.one(&mut other, &SendMiniRiffList {});
    assert!(directory.riffs.iter().all(|riff| riff.channel != RACE), "a race is no permanent channel");
}

#[test]
fn racers_meet_whatever_port_they_came_by() {
    let (mut scene, mut callers) = racers(&[NpsServer::Lobby, NpsServer::Room(0), NpsServer::Room(9)]);
    for caller in &mut callers {
        let list: UserList = scene.one(caller, &GetUserList { channel: RACE });
        let personas: Vec<_> = list.users.iter().map(|user| user.persona).collect();
        assert_eq!(personas, [0, 1, 2].map(|player| scene.persona(player)));
    }
}

#[test]
fn a_race_without_a_number_gets_a_free_one_and_its_joiners_find_it_by_name_and_password() {
    let mut scene = Scene::of(4);
    let mut callers = [0, 1, 2, 3].map(|player| scene.connect(player, NpsServer::Lobby));
    let mut open = |caller: &mut ConnectionState, number: u32, name, password| {
        let replies = scene.ask(caller, &race(CommId(number), name, password, 0));
        granted(&replies).0
    };
    let taken = open(&mut callers[3], 20_000, "squatter", "");
    let first = open(&mut callers[0], u32::MAX, "race", "secret");
    let second = open(&mut callers[1], 0, "race", "other");
    let joined = open(&mut callers[2], u32::MAX, "race", "secret");
    assert_eq!((taken, first, second), (20_000, 20_001, 20_002));
    assert_eq!(joined, first);
    assert_ne!(open(&mut callers[3], 0x8000_0000, "race", ""), first, "no password, another race");
}

#[test]
fn a_wrong_password_is_let_pass_until_the_operator_is_sure() {
    let mut scene = Scene::of(3);
    let [mut host, mut guest, mut thief] = [0, 1, 2].map(|player| scene.connect(player, NpsServer::Lobby));
    granted(&scene.ask(&mut host, &race(RACE, "race", "secret", 0)));
    granted(&scene.ask(&mut thief, &race(RACE, "race", "guess", 0)));
    scene.drop(&thief);
    scene.game.config.compat.deny_wrong_password = true;
    let mut thief = scene.connect(2, NpsServer::Lobby);
    for guess in ["guess", "", "secrets"] {
        let replies = scene.ask(&mut thief, &race(RACE, "race", guess, 0));
        assert_eq!(numbers(&replies), [id::CHANNEL_DENIED], "{guess:?}");
    }
    granted(&scene.ask(&mut guest, &race(RACE, "race", "secret", 0)));
    let mut guests_room = scene.connect(1, NpsServer::Room(0));
    granted(&scene.ask(&mut guests_room, &race(RACE, "race", "", 0)));
}

#[test]
fn a_full_race_lets_nobody_in_but_those_it_has() {
    let mut scene = Scene::of(3);
    let [mut host, mut guest, mut third] = [0, 1, 2].map(|player| scene.connect(player, NpsServer::Lobby));
    granted(&scene.ask(&mut host, &race(RACE, "race", "", 2)));
    granted(&scene.ask(&mut guest, &race(RACE, "race", "", 99)));
    assert_eq!(numbers(&scene.ask(&mut third, &race(RACE, "race", "", 9))), [id::CHANNEL_DENIED]);
    let mut hosts_room = scene.connect(0, NpsServer::Room(0));
    granted(&scene.ask(&mut hosts_room, &race(RACE, "race", "", 2)));
    scene.drop(&guest);
    granted(&scene.ask(&mut third, &race(RACE, "race", "", 2)));
}

#[test]
fn a_race_that_has_vanished_is_made_anew() {
    let (mut scene, mut callers) = racers(&[NpsServer::Lobby, NpsServer::Lobby]);
    scene.ask(&mut callers[0], &CloseCommChannel { channel: RACE });
    scene.ask(&mut callers[1], &CloseCommChannel { channel: RACE });
    assert!(scene.one::<RiffList>(&mut callers[0], &SendRiffList {}).riffs.is_empty());
    granted(&scene.ask(&mut callers[1], &race(RACE, "race", "new", 0)));
    let list: ReadyList = scene.one(&mut callers[0], &GetReadyList { channel: RACE });
    assert_eq!((list.records.len(), list.records[0].master), (1, Bool16(true)));
    assert_eq!(list.records[0].persona, scene.persona(1));
}

#[test]
fn readiness_is_told_to_the_others_once_and_listed() {
    let (mut scene, mut callers) = racers(&[NpsServer::Lobby, NpsServer::Lobby]);
    let ready = |scene: &mut Scene, caller: &mut ConnectionState| {
        let list: ReadyList = scene.one(caller, &GetReadyList { channel: RACE });
        list.records.iter().map(|record| (record.ready.0, record.master.0)).collect::<Vec<_>>()
    };
    let flags = |flags| SetCommFlags { channel: RACE, flags };
    assert!(scene.ask(&mut callers[1], &flags(READY)).is_empty());
    let notice: ReadyNotice = scene.only(&callers[0]);
    assert_eq!((notice.record.persona, notice.record.ready), (scene.persona(1), Bool16(true)));
    assert!(scene.ask(&mut callers[1], &flags(READY)).is_empty());
    scene.quiet();
    assert_eq!(ready(&mut scene, &mut callers[0]), [(false, true), (true, false)]);
    scene.ask(&mut callers[1], &flags(NOT_READY));
    assert_eq!(scene.only::<ReadyNotice>(&callers[0]).record.ready, Bool16(false));
    scene.ask(&mut callers[0], &ReadyForGame { channel: RACE });
    assert_eq!(scene.only::<ReadyNotice>(&callers[1]).record.master, Bool16(true));
    let set = |bytes: &[u8]| SetReadyForGame { channel: RACE, ready: Rest(bytes.to_vec()) };
    for (bytes, expected) in [(&[0, 0][..], false), (&[0, 1], true), (&[0; 4], false), (&[], true)] {
        scene.ask(&mut callers[0], &set(bytes));
        assert_eq!(ready(&mut scene, &mut callers[1])[0].0, expected);
    }
    scene.game.config.compat.ready_notices = false;
    scene.forget();
    scene.ask(&mut callers[0], &flags(NOT_READY));
    scene.ask(&mut callers[0], &flags(0x60));
    scene.ask(&mut callers[0], &SetCommFlags { channel: CommId(99), flags: READY });
    scene.quiet();
}

#[test]
fn only_the_host_describes_its_race() {
    let (mut scene, mut callers) = racers(&[NpsServer::Lobby, NpsServer::Room(3)]);
    let change = SetChannelData { channel: RACE, data: data(7) };
    assert!(scene.ask(&mut callers[1], &change).is_empty());
    scene.quiet();
    assert!(scene.ask(&mut callers[0], &change).is_empty());
    assert_eq!(scene.only::<ChannelUpdate>(&callers[1]).riff.data, data(7));
    scene.ask(&mut callers[0], &change);
    scene.quiet();
    let list: RiffList = scene.one(&mut callers[1], &SendRiffList {});
    assert_eq!(list.riffs[0].race.data, data(7));
    scene.game.config.compat.channel_updates = ChannelUpdates::Data;
    scene.ask(&mut callers[0], &SetChannelData { channel: RACE, data: data(8) });
    assert_eq!(scene.only::<ChannelDataUpdate>(&callers[1]).data, data(8));
    scene.game.config.compat.channel_updates = ChannelUpdates::Off;
    scene.ask(&mut callers[0], &SetChannelData { channel: RACE, data: data(9) });
    scene.quiet();
}

#[test]
fn a_host_who_goes_hands_over_to_the_oldest_guest() {
    let (mut scene, mut callers) = racers(&[NpsServer::Lobby; 3]);
    scene.drop(&callers[0]);
    for caller in &callers[1..] {
        let heard = scene.heard(caller);
        assert_eq!((heard[0].0.id, heard[1].0.id), (id::USER_LEFT_CHANNEL, id::CHANNEL_MASTER));
        let master: ChannelMaster = heard[1].0.read().unwrap();
        assert_eq!((master.channel, master.persona), (RACE, scene.persona(1)));
    }
    let list: RiffList = scene.one(&mut callers[2], &SendRiffList {});
    assert_eq!(list.riffs[0].race.owner, scene.persona(1));
    scene.game.config.compat.owner_notices = false;
    scene.ask(&mut callers[1], &CloseCommChannel { channel: RACE });
    assert_eq!(scene.numbers(&callers[2]), [id::USER_LEFT_CHANNEL]);
    assert!(scene.ask(&mut callers[2], &SetChannelData { channel: RACE, data: data(3) }).is_empty());
    assert!(!scene.ask(&mut callers[2], &start()).is_empty(), "the last one is the host now");
}

#[test]
fn a_host_who_drops_while_its_race_runs_leaves_it_to_the_next_who_can_end_it() {
    let (mut scene, mut callers) = racers(&[NpsServer::Room(0); 3]);
    scene.ask(&mut callers[0], &start());
    scene.forget();
    scene.drop(&callers[0]);
    for caller in &callers[1..] {
        assert_eq!(scene.numbers(caller), [id::USER_LEFT_CHANNEL, id::CHANNEL_MASTER]);
    }
    let end = TerminateGameServer { channel: RACE };
    assert!(scene.ask(&mut callers[2], &end).is_empty(), "it is not the host");
    scene.quiet();
    assert_eq!(scene.ask(&mut callers[1], &end).len(), 1);
    assert_eq!(scene.only::<GameServerTerminated>(&callers[2]).channel, RACE);
}

#[test]
fn a_host_with_another_connection_in_the_race_stays_its_host() {
    let (mut scene, callers) = racers(&[NpsServer::Lobby, NpsServer::Lobby]);
    let mut hosts_room = scene.connect(0, NpsServer::Room(0));
    scene.ask(&mut hosts_room, &race(RACE, "race", "", 0));
    scene.quiet();
    scene.drop(&callers[0]);
    assert_eq!(scene.numbers(&callers[1]), [id::USER_LEFT_CHANNEL], "left the lobby's half of the race");
    assert!(!scene.ask(&mut hosts_room, &start()).is_empty());
}

#[test]
fn the_host_throws_a_guest_out_and_nobody_else_can() {
    let (mut scene, mut callers) = racers(&[NpsServer::Lobby; 3]);
    let boot = |persona| BootUser { channel: RACE, persona };
    let [host, guest, other] = [0, 1, 2].map(|player| scene.persona(player));
    assert!(scene.ask(&mut callers[1], &boot(host)).is_empty());
    assert!(scene.ask(&mut callers[1], &boot(other)).is_empty());
    assert!(scene.ask(&mut callers[0], &boot(host)).is_empty());
    assert!(scene.ask(&mut callers[0], &boot(PersonaId(99))).is_empty());
    assert!(scene.ask(&mut callers[0], &BootUser { channel: CommId(9), persona: guest }).is_empty());
    scene.quiet();
    assert!(scene.ask(&mut callers[0], &boot(guest)).is_empty());
    assert_eq!(scene.only::<ForceLeaveChannel>(&callers[1]).channel, RACE);
    for caller in [0, 2] {
        let left: UserLeftChannel = scene.only(&callers[caller]);
        assert_eq!((left.persona, left.channel), (guest, RACE));
    }
    let list: UserList = scene.one(&mut callers[0], &GetUserList { channel: RACE });
    assert_eq!(list.users.len(), 2);
}

#[test]
fn the_start_sends_everybody_to_the_first_room_port_at_the_address_by_which_each_came() {
    let (mut scene, mut callers) = racers(&[NpsServer::Lobby, NpsServer::Lobby]);
    let mut far = ConnectionState::new(
        scene.game.world.new_connection(),
        NpsServer::Lobby,
        PEER,
        SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)), 7003),
    );
    let player = scene.game.player("far", "Far Away", PEER.ip());
    answer(&scene.game, &mut far, &clear(&login(&player)), Now::read());
    scene.ask(&mut far, &race(RACE, "race", "", 0));
    scene.forget();
    let replies = scene.ask(&mut callers[0], &start());
    assert_eq!(numbers(&replies), [id::SERVER_INFO, id::USER_JOINED_CHANNEL, id::GAME_SERVER_STARTED]);
    let info: ServerInfo = replies[0].read().unwrap();
    assert_eq!((info.riff.to_string(), info.channel, info.port), ("race".to_owned(), RACE, 9000));
    assert_eq!((info.owner, info.players), (scene.persona(0).0, 3));
    assert_eq!(info.address.to_string(), BOX.to_string());
    assert_eq!(replies[1].read::<UserJoinedChannel>().unwrap().persona, scene.persona(0));
    assert_eq!(replies[2].read::<GameServerStarted>().unwrap().channel, RACE);
    let heard: Vec<_> = scene.heard(&callers[1]).into_iter().map(|(packet, _)| packet).collect();
    assert_eq!(heard, replies);
    let heard = scene.heard(&far);
    assert_eq!(heard[0].0.read::<ServerInfo>().unwrap().address.to_string(), "10.0.0.2");
    assert_eq!(heard.len(), 3);
    let list: RiffList = scene.one(&mut callers[1], &SendRiffList {});
    assert_eq!(list.riffs[0].running, 1);
    scene.quiet();
}

#[test]
fn only_the_host_starts_and_ends_its_race() {
    let (mut scene, mut callers) = racers(&[NpsServer::Lobby, NpsServer::Lobby]);
    let end = TerminateGameServer { channel: RACE };
    assert!(scene.ask(&mut callers[1], &start()).is_empty());
    assert!(scene.ask(&mut callers[0], &StartGameServer { channel: CommId(99), ..start() }).is_empty());
    assert!(scene.ask(&mut callers[0], &end).is_empty(), "it does not run");
    scene.quiet();
    scene.ask(&mut callers[0], &start());
    scene.forget();
    assert!(scene.ask(&mut callers[1], &end).is_empty());
    assert_eq!(numbers(&scene.ask(&mut callers[0], &end)), [id::GAME_SERVER_TERMINATED]);
    assert_eq!(scene.only::<GameServerTerminated>(&callers[1]).channel, RACE);
    assert!(scene.ask(&mut callers[0], &end).is_empty());
}

#[test]
fn a_lone_player_starts_too() {
    let (mut scene, mut callers) = racers(&[NpsServer::Lobby]);
    assert_eq!(scene.ask(&mut callers[0], &start()).len(), 3);
    scene.quiet();
}

#[test]
fn the_start_can_look_as_the_document_says() {
    let (mut scene, mut callers) = racers(&[NpsServer::Lobby, NpsServer::Lobby]);
    scene.game.config.compat.state_changes = true;
    scene.game.config.compat.race_started = RaceStarted::ServerInfo;
    let replies = scene.ask(&mut callers[0], &start());
    let states: Vec<_> =
        replies[..2].iter().map(|packet| packet.read::<GameServerStateChange>().unwrap().state).collect();
    assert_eq!(states, [2, 4]);
    assert_eq!(replies[2].id, id::SERVER_INFO);
    let started: GameServerStartedInfo = replies[4].read().unwrap();
    assert_eq!((started.channel, started.port, started.players), (RACE, 9000, 2));
    assert_eq!(scene.numbers(&callers[1]).len(), 5);
}

#[test]
fn racers_in_rooms_hear_of_the_start_there_or_in_the_lobby_where_the_host_is() {
    let (mut scene, rooms) = racers(&[ROOM, ROOM]);
    let mut host = scene.connect(0, NpsServer::Lobby);
    let guest = scene.connect(1, NpsServer::Lobby);
    assert_eq!(scene.ask(&mut host, &start()).len(), 3, "a host in a room starts in the lobby");
    assert_eq!(scene.numbers(&rooms[1]).len(), 3);
    scene.quiet();
    scene.game.config.compat.race_start_on = RaceStartOn::HostsServer;
    scene.ask(&mut host, &start());
    assert_eq!(scene.numbers(&guest).len(), 3);
    scene.quiet();
}

#[test]
fn racers_on_the_race_port_see_each_other_arrive_and_the_last_one_ends_the_race() {
    let (mut scene, mut callers) = racers(&[NpsServer::Lobby, NpsServer::Lobby]);
    scene.ask(&mut callers[0], &start());
    scene.forget();
    let mut first = scene.connect(0, NpsServer::Room(0));
    let replies = scene.ask(&mut first, &race(RACE, "race", "", 0));
    assert_eq!(numbers(&replies), [id::CHANNEL_CREATED, id::CHANNEL_GRANTED, id::USER_JOINED_CHANNEL]);
    assert_eq!(replies[1].read::<ChannelGranted>().unwrap().port, 9000);
    scene.quiet();
    let mut second = scene.connect(1, NpsServer::Room(0));
    scene.ask(&mut second, &race(RACE, "race", "", 0));
    assert_eq!(scene.only::<UserJoinedChannel>(&first).persona, scene.persona(1));
    scene.quiet();
    scene.ask(&mut second, &CloseCommChannel { channel: RACE });
    assert_eq!(scene.only::<UserLeftChannel>(&first).persona, scene.persona(1));
    scene.quiet();
    scene.drop(&first);
    for caller in &callers {
        assert_eq!(scene.only::<GameServerTerminated>(caller).channel, RACE);
    }
    scene.quiet();
}

#[test]
fn the_race_server_can_be_asked_for() {
    let (mut scene, mut callers) = racers(&[NpsServer::Lobby]);
    let info: ServerInfo = scene.one(&mut callers[0], &GetServerInfo { channel: RACE });
    assert_eq!((info.riff.to_string(), info.port, info.players), ("race".to_owned(), 9000, 1));
    let list: GameServersList = scene.one(&mut callers[0], &SendGameServersList {});
    assert_eq!((list.servers.len(), list.structure_size), (1, 207));
    assert_eq!(list.servers[0].address.to_string(), BOX.to_string());
}
