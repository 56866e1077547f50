use super::*;
use crate::clock::Now;
use crate::services::{Push, TestPlayer};
use mco_proto::ids::ShardId;
use mco_proto::nps::persona::{GetPersonaInfoById, GetPersonaInfoByName};
use mco_proto::text::Str16;
use std::net::Ipv4Addr;

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 20));
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 66));

fn shard() -> (Game, tempfile::TempDir, TestPlayer) {
    let (game, folder) = Game::for_tests();
    let player = game.player("doc", "Dr Brown", PEER);
    (game, folder, player)
}

fn names(game: &Game, peer: IpAddr, customer: CustomerId) -> Vec<String> {
    let outcome = answer(game, peer, &GetPersonaMaps { customer }.packet(), Now::read());
    let list: PersonaList = outcome.replies[0].read().unwrap();
    list.personas.iter().map(|persona| persona.name.to_string()).collect()
}

fn select(player: &TestPlayer) -> RegisterGameLogin {
    RegisterGameLogin { customer: player.customer, persona: player.persona, shard: ShardId(44) }
}

fn new_persona(customer: CustomerId, name: &str) -> NewGameAccount {
    let (server_data, created, last_login, games) = (1, 2, 3, 4);
    let (name, persona, rest) = (Str16::new(name).unwrap(), PersonaId(0), Rest(vec![9; 40]));
    NewGameAccount { customer, name, server_data, created, last_login, games, persona, rest }
}

#[test]
fn one_persona_is_listed_in_the_66_bytes_that_clients_are_proven_to_read() {
    let (game, _folder, player) = shard();
    let reply = answer(&game, PEER, &GetPersonaMaps { customer: player.customer }.packet(), Now::read())
        .replies
        .remove(0);
    assert_eq!(reply.size(), 66);
    assert_eq!(reply.body[..2], [0, 1]);
    assert_eq!(reply.body[8..12], player.persona.0.to_be_bytes());
    assert_eq!(reply.body[12..16], [0, 0, 0, 44]);
    assert_eq!(reply.body[20..22], [0, 8]);
    assert_eq!(&reply.body[22..31], b"Dr Brown\0");
}

#[test]
fn two_personas_stand_79_bytes_apart() {
    let (game, _folder, player) = shard();
    answer(&game, PEER, &new_persona(player.customer, "Marty").packet(), Now::read());
    let reply = answer(&game, PEER, &GetPersonaMaps { customer: player.customer }.packet(), Now::read())
        .replies
        .remove(0);
    assert_eq!(reply.size(), 14 + 2 * 79 + 2);
    // Offsets 99, 111 and 113 of the packet: where a Client was seen to read the second id, name length and name.
    assert_eq!(reply.body[113 - 12..118 - 12], *b"Marty");
    assert_eq!(reply.body[111 - 12..113 - 12], [0, 0x3d]);
    assert_ne!(reply.body[99 - 12..103 - 12], [0; 4]);
}

#[test]
fn a_stranger_learns_nothing_and_changes_nothing() {
    let (game, _folder, player) = shard();
    for (peer, customer) in [(ELSEWHERE, player.customer), (PEER, CustomerId(99))] {
        let list = answer(&game, peer, &GetPersonaMaps { customer }.packet(), Now::read()).replies;
        assert_eq!(list, [REFUSED], "an empty list would invite to make a driver");
    }
    let by_id = GetPersonaInfoById { persona: player.persona }.packet();
    for request in [select(&player).packet(), by_id] {
        assert_eq!(answer(&game, ELSEWHERE, &request, Now::read()).replies, [REFUSED]);
    }
    assert!(!game.world.presence.in_use(player.persona, Now::read()));
    let delete = DeleteGamePersona { customer: player.customer, persona: player.persona };
    assert_eq!(answer(&game, ELSEWHERE, &delete.packet(), Now::read()).replies, [REFUSED]);
    let create = new_persona(player.customer, "Biff");
    assert_eq!(
        answer(&game, ELSEWHERE, &create.packet(), Now::read()).replies,
        [Packet::bare(id::USER_INVALID)]
    );
    assert_eq!(names(&game, PEER, player.customer), ["Dr Brown"]);
}

#[test]
fn somebody_elses_persona_can_not_be_selected_or_deleted() {
    let (game, _folder, player) = shard();
    let biff = game.player("biff", "Biff", PEER);
    let foreign = RegisterGameLogin { persona: biff.persona, ..select(&player) };
    assert_eq!(answer(&game, PEER, &foreign.packet(), Now::read()).replies, [REFUSED]);
    assert!(!game.world.presence.in_use(biff.persona, Now::read()));
    let delete = DeleteGamePersona { customer: player.customer, persona: biff.persona };
    assert_eq!(answer(&game, PEER, &delete.packet(), day(7)).replies, [REFUSED]);
    assert_eq!(names(&game, PEER, biff.customer), ["Biff"]);
}

#[test]
fn a_selected_persona_is_in_use_until_it_is_left_and_its_login_counts() {
    let (game, _folder, player) = shard();
    let outcome = answer(&game, PEER, &select(&player).packet(), Now::read());
    assert_eq!(outcome.replies[0].size(), 255);
    assert_eq!(outcome.replies[0].id, id::ACK);
    assert!(game.world.presence.in_use(player.persona, Now::read()));
    assert_eq!(game.store.personas().by_id(player.persona).unwrap().unwrap().logins, 1);
    let RegisterGameLogin { customer, persona, shard } = select(&player);
    let leave = RegisterGameLogout { customer, persona, shard };
    assert_eq!(answer(&game, PEER, &leave.packet(), Now::read()).replies, [Packet::bare(id::ACK)]);
    assert!(!game.world.presence.in_use(player.persona, Now::read()));
}

#[test]
fn a_name_is_free_once_and_refused_when_taken_or_no_name() {
    let (game, _folder, player) = shard();
    let ask = |name: &str| {
        let request = ValidatePersonaName::new(player.customer, Str16::new(name).unwrap());
        answer(&game, PEER, &request.packet(), Now::read()).replies.remove(0)
    };
    assert_eq!(ask("Marty"), Packet::bare(id::USER_VALID));
    for taken in
        ["Dr Brown", "dr brown", "Dr  Brown", "Dr Br0wn", "", " Marty", "Thirteen chars", "Race C0ntrol"]
    {
        assert_eq!(ask(taken), Packet::bare(id::DUP_USER), "{taken:?}");
    }
    let official = new_persona(player.customer, "Race C0ntrol");
    let refused = answer(&game, PEER, &official.packet(), Now::read()).replies;
    assert_eq!(refused, [Packet::bare(id::DUP_PERSONA)]);
    assert_eq!(game.store.personas().of_customer(player.customer).unwrap().len(), 1);
}

#[test]
fn a_name_is_in_windows_1252_on_the_wire_in_utf_8_in_the_store_and_the_same_in_both() {
    let (game, _folder, player) = shard();
    let wire = b"J\xf6rg \x8a\x80\xdf";
    let request = NewGameAccount { name: Str16::constant(wire), ..new_persona(player.customer, "") };
    let granted = answer(&game, PEER, &request.packet(), Now::read()).replies.remove(0);
    let persona = account_in(&granted).persona;
    assert_eq!(game.store.personas().by_id(persona).unwrap().unwrap().name, "Jörg Š€ß");
    let list = answer(&game, PEER, &GetPersonaMaps { customer: player.customer }.packet(), Now::read());
    assert!(list.replies[0].body.windows(wire.len()).any(|part| part == wire));
    let upper = ValidatePersonaName::new(player.customer, Str16::constant(b"J\xd6RG \x9a\x80\xdf"));
    assert_eq!(
        answer(&game, PEER, &upper.packet(), Now::read()).replies,
        [Packet::bare(id::DUP_USER)],
        "the same name with other capitals"
    );
    for hidden in [&b"J\x81rg"[..], b"J\xadrg", b"J\xa0rg"] {
        let name = Str16::new(&mco_proto::windows_1252::decode(hidden)).unwrap();
        let request = NewGameAccount { name, ..new_persona(player.customer, "") };
        let reply = answer(&game, PEER, &request.packet(), Now::read()).replies.remove(0);
        assert_eq!(reply, Packet::bare(id::USER_INVALID));
    }
}

#[test]
fn a_persona_made_over_the_wire_is_named_given_cash_and_found_with_the_id_of_the_answer() {
    let (game, _folder, player) = shard();
    let request = new_persona(player.customer, "Marty");
    let outcome = answer(&game, PEER, &request.packet(), Now::read());
    assert!(outcome.commit.is_some(), "the answer waits until the persona is on the card");
    let granted = &outcome.replies[0];
    assert_eq!(granted.id, id::USER_VALID);
    let echoed = account_in(granted);
    assert_eq!(NewGameAccount { persona: PersonaId(0), ..echoed.clone() }, request);
    let made = game.store.personas().by_id(echoed.persona).unwrap().unwrap();
    assert_eq!((made.name.as_str(), made.bank_balance), ("Marty", game.config.game.starter_cash));
    assert_eq!(names(&game, PEER, player.customer), ["Dr Brown", "Marty"]);
}

#[test]
fn a_persona_is_made_whichever_layout_the_request_has() {
    let (game, _folder, player) = shard();
    let NewGameAccount { customer, server_data, created, last_login, games, persona, rest, .. } =
        new_persona(player.customer, "");
    let name = Chars::constant(b"Marty");
    let fixed =
        NewGameAccountRecord { customer, name, server_data, created, last_login, games, persona, rest };
    let granted = answer(&game, PEER, &fixed.packet(), Now::read()).replies.remove(0);
    assert_eq!((granted.id, granted.body.len()), (id::USER_VALID, fixed.packet().body.len()));
    let head = NewGameAccountHead { customer, name: Str16::constant(b"Jennifer") };
    assert_eq!(answer(&game, PEER, &head.packet(), Now::read()).replies[0].id, id::USER_VALID);
    assert_eq!(names(&game, PEER, customer), ["Dr Brown", "Marty", "Jennifer"]);
}

#[test]
fn a_taken_name_a_bad_name_and_one_persona_too_many_are_refused() {
    let (game, _folder, player) = shard();
    let create = |name: &str| {
        answer(&game, PEER, &new_persona(player.customer, name).packet(), Now::read()).replies.remove(0)
    };
    assert_eq!(create("DR BROWN"), Packet::bare(id::DUP_PERSONA));
    assert_eq!(create(""), Packet::bare(id::USER_INVALID));
    for number in 1..game.config.shard.max_personas {
        assert_eq!(create(&format!("Driver {number}")).id, id::USER_VALID);
    }
    assert_eq!(create("One More"), Packet::bare(id::USER_INVALID));
}

#[test]
fn a_deleted_persona_is_gone_and_its_connections_end() {
    let (game, _folder, player) = shard();
    let connection = game.world.new_connection();
    game.world.presence.arrive(player.persona, connection, player.session, Now::read()).unwrap();
    let delete = DeleteGamePersona { customer: player.customer, persona: player.persona };
    let outcome = answer(&game, PEER, &delete.packet(), day(7));
    assert_eq!(outcome.replies, [Packet::bare(id::PERSONA_DELETED)]);
    assert!(matches!(&outcome.pushes[..], [Push::Dismiss(ended)] if *ended == [connection]));
    assert!(names(&game, PEER, player.customer).is_empty());
}

#[test]
fn a_persona_is_deleted_from_the_seventh_day_of_its_life_on_or_when_the_operator_says() {
    let (mut game, _folder, player) = shard();
    let delete = DeleteGamePersona { customer: player.customer, persona: player.persona }.packet();
    let nearly = Now { unix: day(7).unix - 60, ..day(7) };
    for early in [Now::read(), day(6), nearly] {
        let outcome = answer(&game, PEER, &delete, early);
        assert!(outcome.replies == [REFUSED] && outcome.pushes.is_empty() && outcome.commit.is_none());
    }
    assert_eq!(names(&game, PEER, player.customer), ["Dr Brown"]);
    game.config.game.deletion_day = 1;
    assert_eq!(answer(&game, PEER, &delete, Now::read()).replies, [Packet::bare(id::PERSONA_DELETED)]);
}

/// When a persona that was made just now is on that day of its life, the first being 1.
fn day(number: u64) -> Now {
    let now = Now::read();
    Now { unix: now.unix + (number - 1) * 24 * 60 * 60, ..now }
}

#[test]
fn on_two_pcs_one_account_plays_two_personas_and_the_same_one_only_on_the_newer() {
    let (game, _folder, player) = shard();
    let there = game
        .world
        .sessions
        .begin(
            player.customer,
            player.key.clone(),
            ELSEWHERE,
            &std::collections::BTreeSet::new(),
            Now::read(),
        )
        .unwrap();
    let marty = account_in(
        &answer(&game, PEER, &new_persona(player.customer, "Marty").packet(), Now::read()).replies[0],
    );
    assert_eq!(names(&game, ELSEWHERE, player.customer), ["Dr Brown", "Marty"]);
    let lobby = game.world.new_connection();
    answer(&game, PEER, &select(&player).packet(), Now::read());
    game.world.presence.arrive(player.persona, lobby, player.session, Now::read()).unwrap();
    let other = RegisterGameLogin { persona: marty.persona, ..select(&player) };
    assert!(answer(&game, ELSEWHERE, &other.packet(), Now::read()).pushes.is_empty(), "another persona");
    let same = answer(&game, ELSEWHERE, &select(&player).packet(), Now::read());
    assert!(matches!(&same.pushes[..], [Push::Dismiss(ended)] if *ended == [lobby]));
    let RegisterGameLogin { customer, persona, shard } = select(&player);
    answer(&game, PEER, &RegisterGameLogout { customer, persona, shard }.packet(), Now::read());
    game.world.presence.arrive(player.persona, game.world.new_connection(), there, Now::read()).unwrap();
    answer(&game, PEER, &RegisterGameLogout { customer, persona, shard }.packet(), Now::read());
    assert!(game.world.presence.in_use(player.persona, Now::read()), "the older one leaves nothing");
    answer(&game, ELSEWHERE, &RegisterGameLogout { customer, persona, shard }.packet(), Now::read());
    assert!(!game.world.presence.in_use(player.persona, Now::read()));
}

#[test]
fn text_and_buddies_are_answered_as_recorded() {
    let (game, _folder, player) = shard();
    let check = CheckToken { kind: 2, text: Str16::constant(b"Marty") };
    assert_eq!(answer(&game, PEER, &check.packet(), Now::read()).replies, [Packet::bare(id::ACK)]);
    let buddies = answer(&game, PEER, &GetBuddyList { persona: player.persona }.packet(), Now::read())
        .replies
        .remove(0);
    assert_eq!((buddies.id, buddies.size(), &buddies.body[..]), (id::BUDDY_LIST_COUNT, 14, &[0, 0][..]));
}

#[test]
fn info_is_told_by_id_to_the_owner_and_names_are_checked_by_the_older_form() {
    let (game, _folder, player) = shard();
    let by_id = GetPersonaInfoById { persona: player.persona };
    let list: PersonaList = answer(&game, PEER, &by_id.packet(), Now::read()).replies[0].read().unwrap();
    assert_eq!(list.personas.len(), 1);
    let by_name = |name: &str| {
        let (service, name) = (Str16::constant(b"Motor City"), Str16::new(name).unwrap());
        answer(
            &game,
            PEER,
            &GetPersonaInfoByName { customer: player.customer, service, name }.packet(),
            Now::read(),
        )
        .replies
        .remove(0)
    };
    assert_eq!(by_name("Marty"), Packet::bare(id::USER_VALID));
    assert_eq!(by_name("Dr Brown"), Packet::bare(id::GAME_ACCOUNT_INFO));
}

#[test]
fn truncated_requests_get_the_answer_that_lets_the_client_go_on() {
    let (game, _folder, player) = shard();
    for packet in [
        select(&player).packet(),
        new_persona(player.customer, "Marty").packet(),
        GetPersonaMaps { customer: player.customer }.packet(),
        GetBuddyList { persona: player.persona }.packet(),
    ] {
        let short = Packet { body: packet.body[..3].to_vec(), ..packet };
        let reply = answer(&game, PEER, &short, Now::read()).replies.remove(0);
        assert!(matches!(reply.id, id::ACK | id::USER_INVALID), "{}", reply.id);
    }
    assert_eq!(names(&game, PEER, player.customer), ["Dr Brown"]);
}

/// The answer to 0x0507 has the same layout under another number.
fn account_in(packet: &Packet) -> NewGameAccount {
    Packet { id: id::NEW_GAME_ACCOUNT, ..packet.clone() }.read().unwrap()
}
