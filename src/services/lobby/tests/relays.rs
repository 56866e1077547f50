//! What Clients say to each other.

use super::scene::{Scene, race};
use super::*;
use crate::config::RelayForm;
use crate::services::Encryption;
use mco_proto::nps::Id;
use mco_proto::nps::channel::{READY, SetCommFlags};
use mco_proto::nps::relay::{Address, Relay};

const RACE: CommId = CommId(55);

/// A race with four players, each with one connection to the room.
fn four() -> (Scene, [ConnectionState; 4]) {
    let mut scene = Scene::of(4);
    let callers = [0, 1, 2, 3].map(|player| {
        let mut caller = scene.connect(player, ROOM);
        scene.ask(&mut caller, &race(RACE, "race", "", 0));
        caller
    });
    scene.forget();
    (scene, callers)
}

fn relay(id: Id, sender: PersonaId, address: Address, payload: &[u8]) -> Packet {
    Relay { id, channel: RACE, sender, address, payload }.packet()
}

fn say(scene: &mut Scene, caller: &mut ConnectionState, packet: Packet) {
    assert!(scene.send(caller, &Incoming { packet, encrypted: true }).is_empty(), "no relay is answered");
}

/// Which of the callers heard something.
fn ears(scene: &mut Scene, callers: &[ConnectionState]) -> Vec<usize> {
    (0..callers.len()).filter(|at| !scene.heard(&callers[*at]).is_empty()).collect()
}

#[test]
fn each_kind_reaches_whom_it_is_for_and_never_its_sender() {
    let (mut scene, mut callers) = four();
    let personas = [0, 1, 2, 3].map(|player| scene.persona(player));
    scene.ask(&mut callers[2], &SetCommFlags { channel: RACE, flags: READY });
    scene.ask(&mut callers[0], &SetCommFlags { channel: RACE, flags: READY });
    scene.forget();
    let some = || vec![personas[0], personas[1], personas[3]];
    for (ids, address, receivers) in [
        ([0x80, 0x89, 0x8a], Address::All, vec![1, 2, 3]),
        ([0x81, 0x8b, 0x8c], Address::PlugIn, vec![]),
        ([0x82, 0x8d, 0x8e], Address::Ready, vec![2]),
        ([0x83, 0x8f, 0x90], Address::List(some()), vec![1, 3]),
        ([0x84, 0x91, 0x92], Address::NotList(some()), vec![2]),
        ([0x85, 0x93, 0x94], Address::Buddy(personas[2]), vec![2]),
        ([0x86, 0x95, 0x96], Address::Single(personas[3]), vec![3]),
        ([0x86, 0x95, 0x96], Address::Single(personas[0]), vec![]),
        ([0x86, 0x95, 0x96], Address::Single(PersonaId(99)), vec![]),
        ([0x87, 0x97, 0x98], Address::NotSingle(personas[1]), vec![2, 3]),
        ([0x87, 0x97, 0x98], Address::NotSingle(personas[0]), vec![1, 2, 3]),
        ([0x88, 0x99, 0x9a], Address::All, vec![1, 2, 3]),
    ] {
        for id in ids {
            let packet = relay(Id(id), personas[0], address.clone(), b"\xca\xfe\xba\xbe");
            say(&mut scene, &mut callers[0], packet);
            assert_eq!(ears(&mut scene, &callers), receivers, "0x{id:02x} {address:?}");
        }
    }
}

#[test]
fn a_receiver_gets_the_bytes_unchanged_behind_a_header_of_twelve() {
    let (mut scene, mut callers) = four();
    let (me, other) = (scene.persona(0), scene.persona(1));
    for size in [0, 1, 4, 1000, 60_000] {
        let payload: Vec<u8> = (0..size).map(|at: usize| at.to_le_bytes()[0]).collect();
        say(&mut scene, &mut callers[0], relay(Id(0x95), me, Address::Single(other), &payload));
        let heard = scene.heard(&callers[1]);
        let mut wire = Vec::new();
        heard[0].0.encode(&mut wire).unwrap();
        let header = [0x0095_u16.to_be_bytes(), u16::try_from(12 + size).unwrap().to_be_bytes()].concat();
        let numbers = [RACE.0.to_be_bytes(), me.0.to_be_bytes()].concat();
        assert_eq!(wire, [header, numbers, payload].concat());
    }
}

#[test]
fn nobody_speaks_in_somebody_elses_name() {
    let (mut scene, mut callers) = four();
    let (me, other) = (scene.persona(0), scene.persona(1));
    say(&mut scene, &mut callers[0], relay(Id(0x89), other, Address::All, b"x"));
    let heard = scene.heard(&callers[2]);
    assert_eq!(heard[0].0.body[4..8], me.0.to_be_bytes());
    scene.forget();
    say(&mut scene, &mut callers[0], relay(Id(0x80), other, Address::All, b"x"));
    scene.quiet();
}

#[test]
fn who_is_not_in_a_channel_is_not_heard_in_it() {
    let (mut scene, mut callers) = four();
    let personas = [0, 1].map(|player| scene.persona(player));
    scene.ask(&mut callers[0], &CloseCommChannel { channel: RACE });
    scene.forget();
    for address in [Address::All, Address::NotSingle(personas[0])] {
        say(&mut scene, &mut callers[0], relay(Id(0x97), personas[0], address, b"x"));
    }
    say(&mut scene, &mut callers[0], relay(Id(0x95), personas[0], Address::Single(personas[1]), b"x"));
    say(&mut scene, &mut callers[0], relay(Id(0x93), personas[0], Address::Buddy(personas[1]), b"x"));
    scene.quiet();
    for body in [vec![], vec![0; 11], vec![0xff; 65_000]] {
        for id in 0x80..=0x9a {
            say(&mut scene, &mut callers[0], Packet { body: body.clone(), ..Packet::bare(Id(id)) });
        }
    }
    scene.quiet();
}

#[test]
fn a_buddy_is_found_on_the_whole_server() {
    let mut scene = Scene::of(2);
    let (me, buddy) = (scene.persona(0), scene.persona(1));
    let mut mine = scene.connect(0, ROOM);
    scene.ask(&mut mine, &open_lobby(LOBBY));
    let whisper = |channel| {
        Relay { id: Id(0x93), channel, sender: me, address: Address::Buddy(buddy), payload: b"psst" }.packet()
    };
    say(&mut scene, &mut mine, whisper(LOBBY));
    scene.quiet();
    let elsewhere = scene.connect(1, NpsServer::Room(5));
    say(&mut scene, &mut mine, whisper(LOBBY));
    assert_eq!(scene.numbers(&elsewhere), [Id(0x93)]);
    let lobby = scene.connect(1, NpsServer::Lobby);
    say(&mut scene, &mut mine, whisper(CTRL));
    assert_eq!(scene.numbers(&lobby), [Id(0x93)]);
    let mut here = scene.connect(1, ROOM);
    scene.ask(&mut here, &open_lobby(LOBBY));
    scene.forget();
    say(&mut scene, &mut mine, whisper(LOBBY));
    assert_eq!(scene.numbers(&here), [Id(0x93)]);
    scene.quiet();
}

#[test]
fn a_racer_with_two_connections_hears_everything_once_where_the_sender_is() {
    let mut scene = Scene::of(2);
    let mut connections = Vec::new();
    for player in [0, 1] {
        for server in [NpsServer::Lobby, NpsServer::Room(0)] {
            let mut caller = scene.connect(player, server);
            scene.ask(&mut caller, &race(RACE, "race", "", 0));
            connections.push(caller);
        }
    }
    scene.forget();
    let (me, other) = (scene.persona(0), scene.persona(1));
    for (from, to) in [(0, 2), (1, 3)] {
        for address in [Address::All, Address::NotSingle(me), Address::Single(other), Address::Buddy(other)] {
            let id = match address {
                Address::All => 0x89,
                Address::NotSingle(_) => 0x97,
                Address::Single(_) => 0x95,
                _ => 0x93,
            };
            say(&mut scene, &mut connections[from], relay(Id(id), me, address, b"x"));
            assert_eq!(ears(&mut scene, &connections), [to]);
        }
    }
}

#[test]
fn a_relay_travels_in_the_form_in_which_it_came_unless_the_operator_says_otherwise() {
    let (mut scene, mut callers) = four();
    let packet = relay(Id(0x89), scene.persona(0), Address::All, b"x");
    for (form, sent, arrives) in [
        (RelayForm::AsSent, true, Encryption::Encrypted),
        (RelayForm::AsSent, false, Encryption::Clear),
        (RelayForm::Sealed, false, Encryption::Encrypted),
        (RelayForm::Clear, true, Encryption::Clear),
    ] {
        scene.game.config.compat.relay_form = form;
        scene.send(&mut callers[0], &Incoming { packet: packet.clone(), encrypted: sent });
        assert_eq!(scene.heard(&callers[1])[0].1, arrives);
    }
}

#[test]
fn echo_and_short_relays_can_be_switched() {
    let (mut scene, mut callers) = four();
    let me = scene.persona(0);
    scene.game.config.compat.echo_relays = true;
    say(&mut scene, &mut callers[0], relay(Id(0x89), me, Address::All, b"x"));
    assert_eq!(ears(&mut scene, &callers), [0, 1, 2, 3]);
    say(&mut scene, &mut callers[0], relay(Id(0x97), me, Address::NotSingle(me), b"x"));
    assert_eq!(ears(&mut scene, &callers), [1, 2, 3]);
    scene.game.config.compat.short_relays = false;
    say(&mut scene, &mut callers[0], relay(Id(0x80), me, Address::All, b"x"));
    scene.quiet();
}

#[test]
fn what_no_packet_can_carry_goes_nowhere() {
    let (mut scene, mut callers) = four();
    let me = scene.persona(0);
    let fits = Packet::LARGEST - 12;
    let packet = relay(Id(0x89), me, Address::All, &vec![1; fits]);
    say(&mut scene, &mut callers[0], packet);
    assert_eq!(scene.heard(&callers[1])[0].0.body.len(), 8 + fits);
    scene.forget();
    say(&mut scene, &mut callers[0], relay(Id(0x89), me, Address::All, &vec![1; fits + 1]));
    scene.quiet();
}
