//! Chat channels, lists and locations.

use super::scene::{Scene, race};
use super::*;
use crate::services::Encryption;
use mco_proto::nps::channel::{
    ClientCount, GetClientCount, GetMyUserData, GetUserInfo, LocateUser, UserJoined, UserLeft, UserLocation,
};
use mco_proto::nps::lobby::UserLeftChannel;

const OTHER_ROOM: NpsServer = NpsServer::Room(2);

fn population(scene: &mut Scene, caller: &mut ConnectionState, name: &str) -> u16 {
    let list: MiniRiffList = scene.one(caller, &SendMiniRiffList {});
    list.riffs.iter().find(|riff| riff.name.to_string() == name).unwrap().population
}

#[test]
fn the_lobby_counts_the_people_of_all_rooms_and_a_room_its_own() {
    let mut scene = Scene::of(3);
    let mut lobby = scene.connect(0, NpsServer::Lobby);
    let mut one = scene.connect(0, ROOM);
    let mut two = scene.connect(1, ROOM);
    let mut three = scene.connect(2, OTHER_ROOM);
    for caller in [&mut one, &mut two, &mut three] {
        scene.ask(caller, &open_lobby(LOBBY));
    }
    assert_eq!(population(&mut scene, &mut lobby, "LOBBY"), 3);
    assert_eq!(population(&mut scene, &mut one, "LOBBY"), 2);
    assert_eq!(population(&mut scene, &mut three, "LOBBY"), 1);
    assert_eq!(population(&mut scene, &mut lobby, "MCC01"), 2, "players on that port");
    assert_eq!(population(&mut scene, &mut lobby, "CTRL"), 1);
    scene.drop(&two);
    assert_eq!(population(&mut scene, &mut lobby, "LOBBY"), 2);
}

/// How many a channel is said to have, and who is named by 0128 and by 0101.
fn seen(scene: &mut Scene, caller: &mut ConnectionState, channel: CommId) -> (usize, Vec<PersonaId>) {
    let list: MiniRiffList = scene.one(caller, &SendMiniRiffList {});
    let riff = list.riffs.iter().find(|riff| riff.channel == channel).unwrap();
    let names: MiniUserList = scene.one(caller, &GetMiniUserList { channel });
    let users: UserList = scene.one(caller, &GetUserList { channel });
    let personas: Vec<_> = users.users.iter().map(|user| user.persona).collect();
    assert_eq!(names.users.iter().map(|user| user.persona).collect::<Vec<_>>(), personas);
    (riff.population.into(), personas)
}

#[test]
fn as_many_are_named_as_are_counted_whoever_asks_and_for_whatever_the_directory_shows() {
    const MCC01: CommId = CommId(1);
    let mut scene = Scene::of(4);
    let mut lobby = scene.connect(0, NpsServer::Lobby);
    let mut rooms = [scene.connect(1, ROOM), scene.connect(2, ROOM), scene.connect(3, OTHER_ROOM)];
    for room in &mut rooms {
        scene.ask(room, &open_lobby(LOBBY));
    }
    let [_, one, two, three] = [0, 1, 2, 3].map(|player| scene.persona(player));
    assert_eq!(seen(&mut scene, &mut lobby, LOBBY), (3, vec![one, two, three]));
    assert_eq!(seen(&mut scene, &mut lobby, MCC01), (2, vec![one, two]));
    let [here, _, there] = &mut rooms;
    assert_eq!(seen(&mut scene, here, LOBBY), (2, vec![one, two]));
    assert_eq!(seen(&mut scene, there, LOBBY), (1, vec![three]));
    assert_eq!(seen(&mut scene, there, MCC01), (2, vec![one, two]));
    // Once the asker is in a channel of that number itself, that one is meant.
    scene.ask(&mut lobby, &open_lobby(LOBBY));
    let zero = scene.persona(0);
    assert_eq!(seen(&mut scene, &mut lobby, LOBBY), (1, vec![zero]));
    scene.ask(there, &open_lobby(MCC01));
    assert_eq!(seen(&mut scene, there, MCC01), (1, vec![three]));
    for channel in scene.game.directory.listed().map(|entry| entry.channel).collect::<Vec<_>>() {
        for caller in [&mut lobby].into_iter().chain(&mut rooms) {
            let (count, named) = seen(&mut scene, caller, channel);
            assert_eq!(count, named.len(), "{channel}");
        }
    }
}

#[test]
fn a_player_with_two_connections_to_one_channel_is_one_player() {
    let mut scene = Scene::of(2);
    let (mut old, mut new, mut other) =
        (scene.connect(0, ROOM), scene.connect(0, ROOM), scene.connect(1, ROOM));
    scene.ask(&mut old, &open_lobby(LOBBY));
    scene.ask(&mut other, &open_lobby(LOBBY));
    scene.forget();
    scene.ask(&mut new, &open_lobby(LOBBY));
    scene.quiet();
    assert_eq!(population(&mut scene, &mut other, "LOBBY"), 2);
    let list: UserList = scene.one(&mut other, &GetUserList { channel: LOBBY });
    assert_eq!(list.users.len(), 2);
    scene.drop(&old);
    scene.quiet();
    scene.drop(&new);
    assert_eq!(scene.only::<UserLeftChannel>(&other).persona, scene.persona(0));
}

#[test]
fn a_change_of_car_reaches_everybody_who_shares_a_channel_once_and_on_the_right_connection() {
    let mut scene = Scene::of(2);
    let mut mine = scene.connect(0, ROOM);
    let (mut lobby, mut room) = (scene.connect(1, NpsServer::Lobby), scene.connect(1, ROOM));
    for caller in [&mut mine, &mut lobby] {
        scene.ask(caller, &race(CommId(500), "race", "", 0));
    }
    for caller in [&mut mine, &mut room] {
        scene.ask(caller, &open_lobby(LOBBY));
    }
    scene.forget();
    let data = SetMyUserData { persona: PersonaId(0), name: Name::default(), user_data: [9; 64] };
    scene.ask(&mut mine, &data);
    assert_eq!(scene.only::<UserInfo>(&room).user_data, [9; 64]);
    scene.quiet();
}

#[test]
fn counts_persons_and_places_can_be_asked_for() {
    let mut scene = Scene::of(2);
    let (mut mine, mut other) = (scene.connect(0, ROOM), scene.connect(1, ROOM));
    let data = SetMyUserData { persona: PersonaId(0), name: Name::default(), user_data: [9; 64] };
    scene.ask(&mut other, &data);
    assert_eq!(scene.one::<ClientCount>(&mut mine, &GetClientCount {}).count, 2);
    assert_eq!(scene.one::<UserInfo>(&mut other, &GetMyUserData {}).user_data, [9; 64]);
    let persona = scene.persona(1);
    let info: UserInfo = scene.one(&mut mine, &GetUserInfo { persona });
    assert_eq!((info.persona, info.user_data), (persona, [9; 64]));
    assert!(scene.ask(&mut mine, &GetUserInfo { persona: PersonaId(99) }).is_empty());
    let place = |channel| UserLocation { persona, channel };
    assert_eq!(scene.one::<UserLocation>(&mut mine, &LocateUser { persona }), place(CTRL));
    scene.ask(&mut other, &open_lobby(LOBBY));
    assert_eq!(scene.one::<UserLocation>(&mut mine, &LocateUser { persona }), place(LOBBY));
    scene.ask(&mut other, &race(CommId(500), "race", "", 0));
    assert_eq!(scene.one::<UserLocation>(&mut mine, &LocateUser { persona }), place(CommId(500)));
}

#[test]
fn coming_and_going_on_a_server_is_told_if_the_operator_wants() {
    let mut scene = Scene::of(2);
    let first = scene.connect(0, ROOM);
    let second = scene.connect(1, ROOM);
    scene.drop(&second);
    scene.quiet();
    scene.game.config.compat.server_notices = true;
    let second = scene.connect(1, ROOM);
    assert_eq!(scene.only::<UserJoined>(&first).persona, scene.persona(1));
    let again = scene.connect(1, ROOM);
    scene.drop(&again);
    scene.quiet();
    scene.drop(&second);
    assert_eq!(scene.only::<UserLeft>(&first).persona, scene.persona(1));
}

#[test]
fn news_travels_as_the_operator_says() {
    let mut scene = Scene::of(2);
    let (mut first, mut second) = (scene.connect(0, ROOM), scene.connect(1, ROOM));
    scene.ask(&mut first, &open_lobby(LOBBY));
    scene.ask(&mut second, &open_lobby(LOBBY));
    assert_eq!(scene.heard(&first)[0].1, Encryption::Encrypted);
    scene.game.config.compat.push_form = crate::config::PushForm::Clear;
    scene.game.config.compat.leave_notices = false;
    scene.ask(&mut second, &CloseCommChannel { channel: LOBBY });
    scene.quiet();
    scene.game.config.compat.chat_self_notice = true;
    let replies = scene.ask(&mut second, &open_lobby(LOBBY));
    assert_eq!(
        replies.iter().map(|reply| reply.id).collect::<Vec<_>>(),
        [id::CHANNEL_GRANTED, id::USER_JOINED_CHANNEL]
    );
    let heard = scene.heard(&first);
    assert_eq!((heard[0].0.id, heard[0].1), (id::USER_JOINED_CHANNEL, Encryption::Clear));
}

#[test]
fn the_chat_channel_belongs_to_its_server_under_any_number() {
    let mut scene = Scene::of(2);
    let (mut here, mut there) = (scene.connect(0, ROOM), scene.connect(1, OTHER_ROOM));
    for channel in [LOBBY, CommId(33)] {
        scene.ask(&mut here, &open_lobby(channel));
        scene.ask(&mut there, &open_lobby(channel));
        scene.quiet();
        let list: UserList = scene.one(&mut here, &GetUserList { channel });
        assert_eq!(list.users.len(), 1);
    }
}

#[test]
fn nobody_is_in_more_channels_than_there_is_room_for() {
    let mut scene = Scene::of(1);
    let mut callers = [scene.connect(0, ROOM), scene.connect(0, ROOM)];
    let mut open = |caller: usize, number| {
        let answer = scene.ask(&mut callers[caller], &race(CommId(number), "race", "", 0));
        answer.iter().any(|reply| reply.id == id::CHANNEL_GRANTED)
    };
    // One persona is in four races at most, by however many connections.
    assert!((501..=504).all(|number| open(0, number)));
    assert!(!open(0, 505) && !open(1, 505));
    assert!(open(0, 501) && open(1, 504), "it is in these already");
    scene.ask(&mut callers[0], &CloseCommChannel { channel: CommId(502) });
    let granted = scene.ask(&mut callers[1], &race(CommId(505), "race", "", 0));
    assert!(granted.iter().any(|reply| reply.id == id::CHANNEL_GRANTED), "there is a place again");
}

#[test]
fn the_number_of_a_club_goes_with_the_looks_only_where_that_is_switched_on() {
    let mut scene = Scene::of(2);
    let (mut mine, mut room) = (scene.connect(0, ROOM), scene.connect(1, ROOM));
    for caller in [&mut mine, &mut room] {
        scene.ask(caller, &open_lobby(LOBBY));
    }
    let club = scene.game.store.found_for_tests(scene.persona(0), Now::read());
    let data =
        |caller| SetMyUserData { persona: PersonaId(caller), name: Name::default(), user_data: [9; 64] };
    let mut with_club = [9; 64];
    with_club[44..48].copy_from_slice(&club.to_le_bytes());
    let mut in_none = [9; 64];
    in_none[44..48].copy_from_slice(&[0; 4]);
    for (on, first, second) in [(false, [9; 64], [9; 64]), (true, with_club, in_none)] {
        scene.game.config.compat.club_in_user_data = on;
        scene.forget();
        let mine_told: UserInfo = scene.one(&mut mine, &data(0));
        assert_eq!((mine_told.user_data, scene.only::<UserInfo>(&room).user_data), (first, first));
        let told: UserInfo = scene.one(&mut room, &data(0));
        assert_eq!((told.user_data, scene.only::<UserInfo>(&mine).user_data), (second, second));
        let persona = scene.persona(0);
        assert_eq!(scene.one::<UserInfo>(&mut room, &GetUserInfo { persona }).user_data, first);
    }
    // Whoever signs in has it with the looks at once.
    scene.drop(&mine);
    let mut mine = scene.connect(0, ROOM);
    scene.forget();
    assert_eq!(scene.one::<UserInfo>(&mut mine, &GetMyUserData {}).user_data[44..48], club.to_le_bytes());
}
