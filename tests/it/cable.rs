//! A cable that is pulled: not a byte more in either direction, and no reset.
//!
//! Needs a network of its own, in which it may drop packets; elsewhere it says that it was skipped.

use crate::own_network;
use crate::stakes::{Pc, server, sound};
use crate::support::{PASSWORD, PATIENCE, Server};
use mcos::client::sitting::Account;
use mcos::client::web::Web;
use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

const TEST: &str =
    "cable::a_host_whose_cable_is_pulled_is_gone_from_the_pit_though_something_is_under_way_to_it";

/// Drops what goes to and comes from an address.
fn drop_packets(address: &str) -> String {
    format!("iptables -I INPUT -s {address} -j DROP && iptables -I INPUT -d {address} -j DROP")
}

/// A player on another PC.
async fn far(server: &Server, at: usize, address: Ipv4Addr) -> Pc {
    let from = IpAddr::V4(address);
    let place = Arc::unwrap_or_clone(server.place().await).from(from);
    let web = Web::new(server.at("http").from(from), PATIENCE);
    let account = Account::sign_in(&web, &Arc::new(place), &format!("driver{at}"), PASSWORD).await.unwrap();
    let who = Server::pick(&account, &format!("Driver {at}")).await;
    Pc::arrive_as(server, who).await
}

#[test]
fn a_host_whose_cable_is_pulled_is_gone_from_the_pit_though_something_is_under_way_to_it() {
    let else_skipped =
        "no network of its own with iptables here (util-linux, iproute2): pulled cables not tried";
    if own_network::is_inside(TEST, "true", &drop_packets("127.0.0.9"), else_skipped) {
        pull();
    }
}

fn pull() {
    let server = server(3, "[limits]\nunreachable_seconds = 6\n");
    sound(&server, async {
        let mut host = far(&server, 0, Ipv4Addr::new(127, 0, 0, 9)).await;
        let (mut one, mut two) = (Pc::arrive(&server, 1).await, Pc::arrive(&server, 2).await);
        let (race, room) = host.host(0, false).await;
        one.join(race, &room).await;
        two.join(race, &room).await;
        assert_eq!(one.room.users(room.channel).await.unwrap().len(), 3);
        let pulled = Command::new("sh").args(["-c", &drop_packets("127.0.0.9")]).status().unwrap();
        assert!(pulled.success());
        // The host would hear of these.
        one.room.ready(room.channel).await.unwrap();
        two.room.ready(room.channel).await.unwrap();
        let since = Instant::now();
        while one.room.users(room.channel).await.unwrap().len() > 2 {
            assert!(since.elapsed() < PATIENCE, "the host is still there");
            smol::Timer::after(Duration::from_secs(1)).await;
        }
        // Its connection to MCOTS, to which nothing is under way, goes as well, and the next can start.
        while one.start(race, &[one.me(), two.me()]).await.ok_to_start != 1 {
            assert!(since.elapsed() < PATIENCE, "nobody can start");
            smol::Timer::after(Duration::from_secs(1)).await;
        }
    });
}
