//! `cargo bench --bench crowd`: what a crowd in the lobby costs everybody else, because the same lock is needed to relay: coming
//! and going, the directory (0x030C), the list of people (0x0128) and a relay to five, with 10 to 5,000 players there; and what a frame
//! costs in a room of 2 to 100: whoever it is for is found, and it is encrypted for each. Nothing here is asserted; the aim is that
//! coming and going and the directory take no more than 10 microseconds at 5,000.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark fails by panicking"
)]

#[path = "support/figures.rs"]
mod figures;

use mco_proto::ids::{CommId, PersonaId};
use mco_proto::nps::relay::{Address, Relay};
use mco_proto::nps::{Headers, Id, Link};
use mco_proto::session_key::SessionKey;
use mcos::clock::Now;
use mcos::config::Config;
use mcos::world::{
    Admission, ChannelInfo, ConnectionId, LOBBY, NpsServer, OpenRequest, Person, RelayLoad, World,
};
use std::hint::black_box;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

const ADDRESS: Ipv4Addr = Ipv4Addr::LOCALHOST;
const SPELL: Duration = Duration::from_millis(300);
/// Calls that are timed together.
const BATCH: u32 = 20;

fn main() {
    println!(
        "{:>8} {:>16} {:>12} {:>12} {:>12}   (us)",
        "players", "enter and leave", "0x030C", "0x0128", "relay to 5"
    );
    for players in [10, 100, 1000, 5000] {
        let config = Config::default();
        let world = World::new(&config.limits, config.network.allow);
        let connections: Vec<_> =
            (0..players).map(|n| player(&world, n, CommId(if n < 6 { 20 } else { LOBBY.0 }))).collect();
        let (first, channels) = (connections[0], &world.channels);
        let come_and_go = time(|| {
            let connection = player(&world, 1_000_000, CommId(21));
            black_box(channels.leave(connection));
        });
        let directory = time(|| _ = black_box(channels.census(first)));
        let people = time(|| _ = black_box(channels.people(NpsServer::Lobby)));
        let load = RelayLoad { bytes: 60, per_second: u32::MAX, now: Now::read() };
        let relay = time(|| _ = black_box(channels.receivers(first, CommId(20), &Address::All, false, load)));
        println!("{players:>8} {come_and_go:>16.2} {directory:>12.2} {people:>12.2} {relay:>12.2}");
        for (what, took) in [
            ("come and go", come_and_go),
            ("directory, 0x030C", directory),
            ("people, 0x0128", people),
            ("relay to 5", relay),
        ] {
            figures::growth(what, "us", "players in the lobby", f64::from(players), took);
        }
        if players == 5000 {
            figures::figure(
                "coming and going of one among 5,000 in the lobby",
                "us",
                come_and_go,
                0.0,
                "mcos <= 10",
            );
            figures::figure("directory (0x030C) with 5,000 in the lobby", "us", directory, 0.0, "mcos <= 10");
        }
    }
    println!("\n{:>8} {:>12} {:>12}   (us for a frame of 64 bytes)", "members", "found", "encrypted");
    for members in [2, 6, 20, 50, 100] {
        room(members);
    }
}

/// What the server does with one frame in a room of so many, but for reading and writing.
fn room(members: u32) {
    let config = Config::default();
    let world = World::new(&config.limits, config.network.allow);
    let connections: Vec<_> = (0..members).map(|n| player(&world, n, CommId(20))).collect();
    let load = RelayLoad { bytes: 64, per_second: u32::MAX, now: Now::read() };
    let sender = connections[0];
    let found =
        time(|| _ = black_box(world.channels.receivers(sender, CommId(20), &Address::All, false, load)));
    let relay = Relay {
        id: Id(0x0097),
        channel: CommId(20),
        sender: PersonaId(0),
        address: Address::All,
        payload: &[0; 64],
    };
    let packet = relay.packet();
    let mut links: Vec<_> = connections.iter().skip(1).map(|_| link()).collect();
    let mut out = Vec::new();
    let encrypted = time(|| {
        out.clear();
        for link in &mut links {
            link.write(&packet, true, &mut out).expect("written");
        }
    });
    println!("{members:>8} {found:>12.2} {encrypted:>12.2}");
    figures::growth("receivers found", "us", "members of a room", f64::from(members), found);
    figures::growth("encrypted for each", "us", "members of a room", f64::from(members), encrypted);
}

fn link() -> Link {
    let mut link = Link::new(Headers::Short, Link::LARGEST);
    link.start_encryption(&SessionKey::random());
    link
}

/// Somebody in the lobby and in a chat channel of it, as far as that has room.
fn player(world: &World, number: u32, channel: CommId) -> ConnectionId {
    let connection = world.new_connection();
    let person = Person { persona: PersonaId(number), name: format!("Player {number}"), user_data: [0; 64] };
    world.channels.enter(connection, NpsServer::Lobby, person, (ADDRESS.into(), ADDRESS));
    let riff = ChannelInfo {
        channel,
        name: "LOBBY".to_owned(),
        race: false,
        channel_type: 0,
        flags: 0,
        most: 0,
        data: Box::new([0; 256]),
    };
    let request = OpenRequest { riff, password: String::new(), strict: false };
    let _ = world.channels.open(connection, request, |_, _| Ok(Admission::ByPassword));
    connection
}

/// How long one call takes, in microseconds: the median of many small batches, which says nothing of what else the machine does.
fn time(mut what: impl FnMut()) -> f64 {
    let (began, mut batches) = (Instant::now(), Vec::new());
    while began.elapsed() < SPELL {
        let batch = Instant::now();
        (0..BATCH).for_each(|_| what());
        batches.push(batch.elapsed());
    }
    batches.sort_unstable();
    batches[batches.len() / 2].as_secs_f64() * 1e6 / f64::from(BATCH)
}
