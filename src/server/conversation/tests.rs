//! Whole connections without a socket: a client's link and a [`Conversation`] against each other, on a clock that the test sets.

use super::*;
use crate::services::TestPlayer;
use crate::world::races::Move;
use mco_proto::bytes::Rest;
use mco_proto::ids::{CommId, CustomerId, PersonaId};
use mco_proto::mcots::session::{ClientConnect, Login as EnterGame};
use mco_proto::mcots::{Flags, GenericReply, GenericRequest, Message as _, number};
use mco_proto::nps::lobby::{Login, MiniRiffList, Name, OpenCommChannel, SendMiniRiffList};
use mco_proto::nps::mail::ListEmails;
use mco_proto::nps::persona::GetPersonaMaps;
use mco_proto::nps::{Headers, Incoming, Link, Message as _, id};
use mco_proto::session_key::{PublicLoginKey, SessionKey};
use mco_proto::text::{Chars, Str16};
use proptest::prelude::*;
use std::net::Ipv4Addr;
use std::sync::Arc;

const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 168, 1, 20)), 1042);
const HERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 168, 1, 2)), 7003);

fn conversation(game: &Game, service: Service) -> Conversation {
    Conversation::new(service, game.world.new_connection(), PEER, HERE).unwrap()
}

/// How a conversation went.
#[derive(Debug, Default, PartialEq)]
struct Went {
    /// Everything that the server wrote.
    written: Vec<u8>,
    /// Why it ended, if it did.
    ended: Option<String>,
}

/// Plays `bytes` to a new connection, cut at `cuts`, at one moment.
fn play(game: &Game, service: Service, bytes: &[u8], cuts: &[usize], now: Now) -> Went {
    let (mut conversation, mut observers) = (conversation(game, service), Observers::default());
    let mut went = Went::default();
    conversation.greet(&mut went.written, &mut observers).unwrap();
    let mut cuts: Vec<usize> =
        cuts.iter().map(|cut| cut % (bytes.len() + 1)).chain([0, bytes.len()]).collect();
    cuts.sort_unstable();
    for piece in cuts.windows(2) {
        conversation.feed(&bytes[piece[0]..piece[1]]);
        loop {
            match conversation.step(game, now, &mut went.written, &mut observers) {
                Ok(Some(step)) if step.close => {
                    went.ended = Some("by the service".to_owned());
                    break;
                }
                Ok(Some(step)) => assert_eq!(step.unsent, None),
                Ok(None) => break,
                Err(broken) => {
                    went.ended = Some(broken.to_string());
                    break;
                }
            }
        }
        if went.ended.is_some() {
            break;
        }
    }
    conversation.leave(game, Move::Other, now);
    went
}

/// A game with one player, who has signed in with a key that every game of these tests has.
fn game() -> (Game, tempfile::TempDir, TestPlayer) {
    let (game, folder) = Game::for_tests();
    let player = game.player("doc", "Dr Brown", PEER.ip());
    let key = SessionKey::new([0x5a; 32]);
    game.world
        .sessions
        .begin(player.customer, key.clone(), PEER.ip(), &std::collections::BTreeSet::new(), Now::read())
        .unwrap();
    (game, folder, TestPlayer { key, ..player })
}

fn login(player: &TestPlayer) -> Packet {
    let name = Name::new("Dr Brown").unwrap();
    Login::new(player.persona, name, player.customer, Ipv4Addr::LOCALHOST, &player.key).packet()
}

/// The bytes of Game Packets, those behind a login encrypted.
fn game_packets(player: &TestPlayer, packets: &[Packet]) -> Vec<u8> {
    let (mut link, mut bytes) = (Link::new(Headers::Short, Link::LARGEST), Vec::new());
    let mut encrypted = false;
    for packet in packets {
        link.write(packet, encrypted, &mut bytes).unwrap();
        if packet.id == id::LOGIN && !encrypted {
            link.start_encryption(&player.key);
            encrypted = true;
        }
    }
    bytes
}

/// What the client's end makes of what the server wrote.
fn read_packets(player: &TestPlayer, written: &[u8]) -> Vec<Incoming> {
    let mut link = Link::new(Headers::Short, Link::LARGEST);
    link.feed(written);
    let mut packets = Vec::new();
    while let Some(incoming) = link.next().unwrap() {
        if incoming.packet.id == id::LOGIN_RESP && !incoming.encrypted {
            link.start_encryption(&player.key);
        }
        packets.push(incoming);
    }
    packets
}

fn connect(player: &TestPlayer) -> Body {
    let persona_name = Chars::new("Dr Brown").unwrap();
    let (customer, persona) = (player.customer, player.persona);
    ClientConnect { customer, persona, customer_name: Chars::default(), persona_name, version: 6001 }.body()
}

/// The bytes of Transaction Packets, the first in clear.
fn transactions_of(player: &TestPlayer, bodies: &[Body]) -> Vec<u8> {
    let (mut link, mut bytes) = (mcots::Link::new(), Vec::new());
    for (sequence, body) in (1..).zip(bodies) {
        let outgoing = Outgoing { sequence, encrypted: sequence > 1, body: body.clone() };
        link.write(&outgoing, &mut bytes).unwrap();
        if sequence == 1 {
            link.start_encryption(&player.key);
        }
    }
    bytes
}

fn read_bodies(player: &TestPlayer, written: &[u8]) -> Vec<mcots::Incoming> {
    let mut link = mcots::Link::new();
    link.feed(written);
    let mut bodies = Vec::new();
    while let Some(incoming) = link.next().unwrap() {
        if bodies.is_empty() {
            link.start_encryption(&player.key);
        }
        bodies.push(incoming);
    }
    bodies
}

/// What a Client does first on each service, as bytes.
fn evening(player: &TestPlayer) -> Vec<(Service, Vec<u8>)> {
    let PersonaId(persona) = player.persona;
    let chat = OpenCommChannel::enter_chat(CommId(191), Name::new("MCCHAT").unwrap(), 7003, player.persona);
    let list = ListEmails { persona: player.persona, last_known: 0, unknown: 1, filler: 0xfdfe };
    let lobby =
        [login(player), SendMiniRiffList {}.packet(), chat.packet(), Packet::bare(id::LOG_OFF_SERVER)];
    let enter = EnterGame {
        customer: player.customer,
        persona: player.persona,
        dealer: mco_proto::ids::DealerId(0),
        model: mco_proto::ids::BrandedPartId(0),
        skin: mco_proto::ids::SkinId(0),
        persona_name: Chars::new("Dr Brown").unwrap(),
        version: 6001,
    };
    let mut bodies = vec![connect(player), enter.body()];
    bodies.extend(
        [number::GET_LOBBIES, number::GET_MCO_TUNABLES].map(|number| GenericRequest::body(number, 0)),
    );
    bodies.push(GenericRequest::body(number::GET_PLAYER_INFO, persona));
    let mut maps = Vec::new();
    GetPersonaMaps { customer: player.customer }.packet().encode(&mut maps).unwrap();
    vec![
        (Service::Persona, maps),
        (Service::Mail, game_packets(player, &[list.packet()])),
        (Service::Lobby, game_packets(player, &lobby)),
        (Service::Mcots, transactions_of(player, &bodies)),
    ]
}

#[test]
fn an_evening_s_beginning_is_understood_by_both_ends() {
    let (game, _folder, player) = game();
    let [_, _, (lobby, wire), (mcots, bodies)] = &evening(&player)[..] else { panic!("four services") };
    let went = play(&game, *lobby, wire, &[], Now::read());
    assert_eq!(went.ended.as_deref(), Some("by the service"), "it logged off");
    let ids: Vec<_> =
        read_packets(&player, &went.written).iter().map(|it| (it.packet.id, it.encrypted)).collect();
    let expected = [
        (id::OK_TO_LOGIN, false),
        (id::LOGIN_RESP, false),
        (id::MINI_RIFF_LIST, true),
        (id::CHANNEL_GRANTED, true),
        (id::ACK, true),
    ];
    assert_eq!(ids, expected);
    let went = play(&game, *mcots, bodies, &[], Now::read());
    let numbers: Vec<_> = read_bodies(&player, &went.written)
        .iter()
        .map(|it| (it.sequence, it.body.number().unwrap(), it.flags.has(Flags::ENCRYPTED)))
        .collect();
    let expected = [
        (1, number::SUCCESS, false),
        (2, number::LOGIN_COMPLETE, true),
        (3, number::LOBBIES, true),
        (3, number::ENTRYFEE_PURSE_INFO, true),
        (4, number::MCO_TUNABLES, true),
        (5, number::GET_PLAYER_INFO, true),
    ];
    assert_eq!(numbers, expected);
}

#[test]
fn any_cut_of_the_stream_comes_to_the_same() {
    use proptest::test_runner::{Config, TestRunner};
    let (game, _folder, player) = game();
    let now = Now::read();
    for (service, bytes) in evening(&player) {
        let whole = play(&game, service, &bytes, &[], now);
        assert!(!whole.written.is_empty());
        let mut runner =
            TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
        let cuts = proptest::collection::vec(any::<usize>(), 0..12);
        let outcome = runner.run(&cuts, |cuts| {
            prop_assert_eq!(&play(&game, service, &bytes, &cuts, now), &whole);
            Ok(())
        });
        outcome.unwrap();
        let each: Vec<usize> = (0..bytes.len()).collect();
        assert_eq!(play(&game, service, &bytes, &each, now), whole, "byte by byte");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_body_came_encrypted_both_ends_stay_in_step(
        odd in proptest::collection::vec((any::<u16>(), proptest::collection::vec(any::<u8>(), 0..80)), 1..6),
    ) {
        let (game, _folder, player) = game();
        let mut packets = vec![login(&player)];
        let kept = |id: &u16| ![id::LOG_OFF_SERVER.0, id::ENCRYPTED.0, id::LOGIN.0].contains(id);
        let odd_packets = odd.iter().filter(|(id, _)| kept(id));
        packets.extend(odd_packets.map(|(id, body)| {
            Packet { id: nps::Id(*id), form: nps::Form::Short, body: body.clone() }
        }));
        packets.push(SendMiniRiffList {}.packet());
        let went = play(&game, Service::Lobby, &game_packets(&player, &packets), &[], Now::read());
        prop_assert_eq!(went.ended, None);
        let answers = read_packets(&player, &went.written);
        prop_assert!(answers.last().unwrap().packet.read::<MiniRiffList>().is_ok());

        let mut bodies = vec![connect(&player), known(&player)];
        let kept = |number: &u16| ![number::DELETE_PERSONA.0, number::CLIENT_CONNECT_MSG.0].contains(number);
        bodies.extend(odd.iter().filter(|(number, _)| kept(number)).map(|(number, rest)| {
            Body::carrying(mcots::Number(*number), &Rest(rest.clone()))
        }));
        bodies.push(GenericRequest::body(number::GET_MCO_TUNABLES, 0));
        let went = play(&game, Service::Mcots, &transactions_of(&player, &bodies), &[], Now::read());
        prop_assert_eq!(went.ended, None);
        let answers = read_bodies(&player, &went.written);
        prop_assert_eq!(answers.last().unwrap().body.number(), Some(number::MCO_TUNABLES));
    }
}

/// A request by which an MCOTS connection shows that it has the key: it names the persona.
fn known(player: &TestPlayer) -> Body {
    GenericRequest::body(number::GET_MCO_TUNABLES, player.persona.0)
}

#[test]
fn each_reason_to_end_a_connection_is_given() {
    let (game, _folder, player) = game();
    let now = Now::read();
    let ended = |service, bytes: &[u8]| play(&game, service, bytes, &[], now).ended;
    let signed_in = game_packets(&player, &[login(&player)]);
    let then = |more: &[u8]| [signed_in.as_slice(), more].concat();
    let stranger = TestPlayer { customer: CustomerId(4711), ..player.clone() };
    let mcots_in = transactions_of(&player, &[connect(&player)]);
    let no_room = [mcots_in.as_slice(), b"\x08\0TOMC\0\0\0\0\0"].concat();
    let mut other_program = mcots_in.clone();
    other_program.extend_from_slice(b"\x0a\0HTTP");
    let cases: [(Service, &[u8], &str); 10] = [
        (Service::Login, b"GET / HTTP/1.1\r\n\r\n", "starts with 0x4745: not a game Client"),
        (Service::Lobby, &[1, 0, 0, 3], "message 0x0100 (LOGIN) announces an impossible length of 3"),
        (
            Service::Mail,
            &[5, 0x26, 0xff, 0xff],
            "message 0x0526 (LIST_EMAILS) announces an impossible length of 65535",
        ),
        (Service::Lobby, &[0x11, 1, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0], "an encrypted packet before signing in"),
        (
            Service::Lobby,
            &then(&[0x11, 1, 0, 9, 1, 2, 3, 4, 5]),
            "an encrypted packet of 5 bytes is no whole number of blocks",
        ),
        (Service::Lobby, &game_packets(&stranger, &[login(&stranger)]), "by the service"),
        (Service::Mcots, &other_program, "[48, 54, 54, 50] instead of TOMC: not a game Client"),
        (Service::Mcots, &no_room, "an impossible length of 8"),
        (Service::Mcots, b"\x0b\0TOMC\0\0\0\0\x08\0\0", "an encrypted packet before 438 named the customer"),
        (Service::Mcots, &transactions_of(&stranger, &[connect(&stranger)]), "by the service"),
    ];
    for (service, bytes, why) in cases {
        assert_eq!(ended(service, bytes).as_deref(), Some(why), "{service}");
    }
}

#[test]
fn who_has_not_signed_in_may_be_silent_for_so_long_and_who_has_for_ever() {
    let (game, _folder, player) = game();
    let limits = &game.config.limits;
    let (sign_in, idle) =
        (Duration::from_secs(limits.login_seconds), Duration::from_secs(limits.idle_seconds));
    let mut lobby = conversation(&game, Service::Lobby);
    assert_eq!(lobby.deadline(limits, Duration::ZERO), Some(sign_in));
    assert_eq!(lobby.deadline(limits, sign_in), Some(Duration::ZERO), "it is counted from the beginning");
    assert_eq!(conversation(&game, Service::Persona).deadline(limits, idle), Some(idle));
    lobby.feed(&game_packets(&player, &[login(&player)]));
    assert!(lobby.step(&game, Now::read(), &mut Vec::new(), &mut Observers::default()).is_ok());
    assert_eq!(lobby.deadline(limits, sign_in), None);
}

#[test]
fn the_key_that_login_was_given_opens_the_lobby() {
    let (game, _folder, player) = game();
    let now = Now::read();
    let key = SessionKey::random();
    let context = Str16::new(&game.world.sessions.issue_context(player.customer, PEER.ip(), now)).unwrap();
    let public = PublicLoginKey::from_hex(&game.login_key().public_hex().unwrap()).unwrap();
    let block = Str16::new(&public.encrypt(&key).unwrap()).unwrap();
    let mut wire = Vec::new();
    nps::login::UserLogin::new(context, block).packet().encode(&mut wire).unwrap();
    let went = play(&game, Service::Login, &wire, &[7], now);
    assert_eq!((went.written.len(), went.ended), (2 * 38, None), "the answer goes out twice");
    let player = TestPlayer { key, ..player };
    let packets = [login(&player), SendMiniRiffList {}.packet()];
    let went = play(&game, Service::Lobby, &game_packets(&player, &packets), &[], now);
    assert_eq!(read_packets(&player, &went.written).len(), 3);
}

#[test]
fn a_context_and_a_session_end_by_the_clock() {
    let (game, _folder, player) = game();
    let now = Now::read();
    let enter = game_packets(&player, &[login(&player)]);
    let day = Duration::from_hours(24);
    let refused = |now| play(&game, Service::Lobby, &enter, &[], now).ended.is_some();
    assert!(!refused(now.later(day.saturating_sub(Duration::from_mins(1)))), "each use prolongs it");
    assert!(!refused(now.later(day + Duration::from_hours(12))));
    assert!(refused(now.later(3 * day)));
}

#[test]
fn what_cannot_be_encrypted_is_not_sent_in_clear() {
    let (game, _folder) = Game::for_tests();
    let packet = Outbound::Packet(Arc::new(Packet::bare(id::HEARTBEAT)), Encryption::Encrypted);
    let body = Outbound::Body(Arc::new(Body(vec![101, 0])));
    for (service, outbound, shown) in
        [(Service::Lobby, packet, "message 0x0217"), (Service::Mcots, body, "message 101")]
    {
        let mut out = Vec::new();
        let unsent =
            conversation(&game, service).deliver(&outbound, &mut out, &mut Observers::default()).unwrap_err();
        assert_eq!((unsent.error, out.len()), (EncodeError::NoKey, 0));
        assert!(unsent.to_string().starts_with(shown), "{unsent}");
    }
}

#[test]
fn a_refusal_is_one_answer_and_a_row_that_says_never_is_never_answered() {
    let (game, _folder, player) = game();
    let truncated = |number: mcots::Number| Body(number.0.to_le_bytes().to_vec());
    let bodies = [
        connect(&player),
        known(&player),
        truncated(number::TRACKING_MSG),
        truncated(number::GET_OWNED_VEHICLES),
    ];
    let mut wire = transactions_of(&player, &bodies);
    // And once in clear, where encryption is asked for.
    mcots::Link::new()
        .write(&Outgoing { sequence: 9, encrypted: false, body: truncated(number::TRACKING_MSG) }, &mut wire)
        .unwrap();
    let went = play(&game, Service::Mcots, &wire, &[], Now::read());
    let [connected, tunables, refused] = &read_bodies(&player, &went.written)[..] else {
        panic!("three answers")
    };
    assert_eq!(tunables.body.number(), Some(number::MCO_TUNABLES));
    assert_eq!(connected.body.number(), Some(number::SUCCESS));
    let reply: GenericReply = refused.body.record().unwrap();
    assert_eq!((refused.body.number(), reply.request), (Some(number::FAILED), number::GET_OWNED_VEHICLES));
}
