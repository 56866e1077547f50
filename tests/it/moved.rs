//! A router gives the server another address while people race.
//!
//! Needs a network of its own; elsewhere it says that it was skipped.

use crate::own_network;
use crate::stakes::{Pc, server, sound};
use crate::support::{PASSWORD, PATIENCE, Server};
use mcos::client::Endpoint;
use mcos::client::sitting::{Account, FixedPorts, PersonaSession, ShardEndpoints, Transactions};
use mcos::client::web::Web;
use std::fs;
use std::net::IpAddr;
use std::process::Command;
use std::sync::Arc;

const BEFORE: &str = "10.77.0.5";
const AFTER: &str = "10.77.0.6";
const PCS: [&str; 2] = ["10.77.0.9", "10.77.0.10"];

fn ip(line: &str) {
    let done = Command::new("ip").args(line.split(' ')).status().unwrap();
    assert!(done.success(), "ip {line}");
}

/// A player who comes to the server by this address.
async fn sign_in(server: &Server, at: usize, address: &str) -> PersonaSession {
    let from: IpAddr = PCS[at].parse().unwrap();
    let web = Web::new(Endpoint::new(address, server.port("http")).from(from), PATIENCE);
    let shards = web.shard_list().await.unwrap();
    let [persona, mail, mcots] = ["persona", "mail", "mcots"].map(|service| server.port(service));
    let place = ShardEndpoints::new(&shards[0], FixedPorts { persona, mail, mcots }, PATIENCE).from(from);
    assert_eq!(place.lobby.host.as_ref(), address, "the list names the address by which it was asked for");
    let account = Account::sign_in(&web, &Arc::new(place), &format!("driver{at}"), PASSWORD).await.unwrap();
    Server::pick(&account, &format!("Driver {at}")).await
}

#[test]
fn who_signs_in_by_the_new_address_of_the_server_goes_on_with_the_race() {
    const NAME: &str = "moved::who_signs_in_by_the_new_address_of_the_server_goes_on_with_the_race";
    let else_skipped =
        "no network of its own here (util-linux, iproute2): another address of the server not tried";
    if own_network::is_inside(NAME, "true", "ip addr add 10.77.0.5/32 dev lo", else_skipped) {
        move_on();
    }
}

fn move_on() {
    for address in PCS.into_iter().chain([BEFORE]) {
        ip(&format!("addr add {address}/32 dev lo"));
    }
    let mut server = server(2, "");
    server.stop();
    let settings = fs::read_to_string(server.config()).unwrap();
    server.configure(&settings.replace("bind = [\"127.0.0.1\"]", "bind = [\"0.0.0.0\"]"));
    server.start();
    sound(&server, async {
        let mut host = Pc::arrive_as(&server, sign_in(&server, 0, BEFORE).await).await;
        let mut other = Pc::arrive_as(&server, sign_in(&server, 1, BEFORE).await).await;
        let (race, room) = host.host(1000, false).await;
        other.join(race, &room).await;
        let field = [host.me(), other.me()];
        assert_eq!(host.start(race, &field).await.ok_to_start, 1);

        // Not a byte more passes on what is open, and nobody is told.
        ip(&format!("addr del {BEFORE}/32 dev lo"));
        ip(&format!("addr add {AFTER}/32 dev lo"));
        for (at, pc) in [&mut host, &mut other].into_iter().enumerate() {
            pc.who = sign_in(&server, at, AFTER).await;
            pc.mcots = Transactions::connect(&pc.who).await.unwrap();
            pc.mcots.sign_in(None).await.unwrap();
        }
        assert_eq!(server.population().await, 2, "nobody is there twice");
        host.finish(race, 60 * 64).await;
        other.finish(race, 61 * 64).await;
        for pc in [&mut host, &mut other] {
            let results = pc.results().await;
            let placed = results.placements[..2].iter().map(|placement| placement.racer);
            assert_eq!(placed.collect::<Vec<_>>(), field.map(|(persona, _)| persona));
            assert!(results.placements[0].cash > 0);
        }
        assert!(host.money().await > other.money().await);
    });
}
