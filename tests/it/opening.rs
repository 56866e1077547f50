//! Players are served before all records are read; what is wrong with them is noticed meanwhile.

use crate::full_card::{buy, look, sign_in_and_look, take_first_car};
use crate::support::{Server, wait_until};
use mco_proto::ids::RaceId;
use mcos::clock::Now;
use mcos::config::Config;
use mcos::store::{Entrant, Store};
use smol::block_on;

/// Takes a record out of the closed database, which the engine itself would not notice.
fn lose_a_car(server: &Server) {
    let database = sled::Config::new().path(server.data().join("database")).open().unwrap();
    let (key, _) = database.scan_prefix(b"v").next().unwrap().unwrap();
    database.remove(key).unwrap();
    database.flush().unwrap();
}

#[test]
fn a_record_that_is_lost_is_noticed_while_players_sign_in_and_comes_back() {
    let mut server = Server::prepare();
    server.account("doc");
    server.persona("doc", "Dr Brown");
    server.start();
    server.await_log("the database is sound", 1);
    let (_, before) = take_first_car(&server);
    assert!(server.stop().success());
    lose_a_car(&server);
    server.start();
    let pid = server.pid();
    server.await_log("a change was saved again, so changes are accepted again", 1);
    assert!(server.log().contains("THE DATABASE IS DAMAGED"), "{}", server.log());
    let (mut mcots, has) = sign_in_and_look(&server);
    assert_eq!(has, before);
    assert!(server.operator().look("/operator/health").contains("so nothing is lost"));
    block_on(buy(&mut mcots)).unwrap();
    let after = block_on(look(&mut mcots));
    assert_eq!((server.pid(), server.is_alive()), (pid, true), "it was not restarted");
    assert!(server.stop().success());
    server.start();
    assert_eq!(sign_in_and_look(&server).1, after);
}

/// What somebody has, in dollars.
fn balance(server: &Server) -> Option<u64> {
    let shown = server.cli(&["persona", "show", "Dr Brown", "--json"], "");
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).ok()?;
    shown["persona"]["bank_balance"].as_u64()
}

#[test]
fn the_fee_of_a_race_that_was_cut_short_comes_back_though_the_database_is_found_damaged_after_that() {
    let mut server = Server::prepare();
    server.account("doc");
    server.persona("doc", "Dr Brown");
    server.start();
    take_first_car(&server);
    assert!(server.stop().success());
    let before = balance(&server).unwrap();
    {
        let store = Store::open(&server.data()).unwrap();
        let found = store.personas().by_name(Config::default().shard.id, "Dr Brown").unwrap();
        let entrant = Entrant { persona: found.unwrap().id, fee: 500, car: None };
        store.races().start(RaceId(7), &[entrant], false, Now::read()).unwrap().saved().unwrap();
    }
    assert_eq!(balance(&server), Some(before - 500));
    lose_a_car(&server);
    server.start();
    server.await_log("a change was saved again, so changes are accepted again", 1);
    wait_until(|| balance(&server), |balance| *balance == Some(before));
    assert!(server.stop().success());
    let ledger = Store::open(&server.data()).unwrap().ledger().check().unwrap();
    assert!(ledger.differences.is_empty(), "{:?}", ledger.differences);
}
