//! `cargo bench --bench crowd`: what a crowd in the lobby costs everybody else, because the same lock is needed to relay: coming
//! and going, the directory (0x030C), the list of people (0x0128) and a relay to five, with 10 to 5,000 players there. Nothing here
//! is asserted; the aim is that the first two take no more than 10 microseconds at 5,000.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark fails by panicking"
)]

use mco_proto::ids::{CommId, PersonaId};
use mco_proto::nps::relay::Address;
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
    }
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

/// How long one call takes, in microseconds.
fn time(mut what: impl FnMut()) -> f64 {
    let (began, mut calls) = (Instant::now(), 0_u32);
    while began.elapsed() < SPELL {
        (0..10).for_each(|_| what());
        calls += 10;
    }
    began.elapsed().as_secs_f64() * 1e6 / f64::from(calls)
}
