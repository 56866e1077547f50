//! Whole races over real sockets, with an account of every byte that the racers say to each other.

use crate::support::track::{ANY_TIME, drive, traffic};
use crate::support::{PASSWORD, PATIENCE, Server};
use mco_proto::ids::CommId;
use mco_proto::mcots::race::{FinalResults, Placement, SLOTS};
use mcos::catalog::{RaceType, rules};
use mcos::client::racing::{Faults, Racer, Starter, Terms, Traffic, line_up};
use smol::{block_on, spawn};
use std::sync::Arc;
use std::time::{Duration, Instant};

const FEE: u32 = 250;
const MINUTE: u32 = 60 * 64;
/// A room server by its number in the directory.
const ROOM: CommId = CommId(1);

fn names(number: usize) -> (String, String) {
    (format!("driver{number}"), format!("Driver {number}"))
}

/// A server with so many accounts, each with a driver.
fn server(players: usize, more: &str) -> Server {
    let mut server = Server::with(more);
    for number in 0..players {
        let (user, name) = names(number);
        server.account(&user);
        server.persona(&user, &name);
    }
    server.start();
    server
}

/// Drivers on a room server, one after the other.
async fn arrive(server: &Server, numbers: std::ops::Range<usize>) -> Vec<Racer> {
    let mut racers = Vec::new();
    for number in numbers {
        let (user, name) = names(number);
        racers.push(Racer::sign_in(server.driver(&user, &name).await, ROOM).await.unwrap());
    }
    racers
}

/// How many packets a field of `racers` hears in all if each sends `packets`, a multiple of four.
fn heard(racers: u64, packets: u64) -> u64 {
    // To all others, to one, to a buddy, to all but one.
    racers * packets / 4 * ((racers - 1) + 1 + 1 + (racers - 2))
}

async fn money(racer: &mut Racer) -> u32 {
    racer.mcots().player_info().await.unwrap().bank_balance
}

/// Takes racers from the start to the bank. The last to come is the first to be in.
async fn race(mut racers: Vec<Racer>, packets: u32) -> Vec<Racer> {
    let count = racers.len();
    let mut before = Vec::new();
    for racer in &mut racers {
        before.push(money(racer).await);
    }
    let terms = Terms { lobby: racers[0].circuit().await.unwrap(), entry_fee: FEE, pink_slip: false };
    let field = line_up(racers, terms, &traffic([packets; SLOTS], 600, 5)).await.unwrap();
    let mut field = drive(field).await;
    let mut received = 0;
    for starter in &field {
        let ledger = starter.deliveries();
        assert!(ledger.is_complete());
        assert_eq!(ledger.faults(), Faults::default());
        assert_eq!(ledger.sent(), u64::from(packets));
        received += ledger.received();
    }
    assert_eq!(received, heard(count as u64, packets.into()));
    for (ticks, starter) in (MINUTE..).zip(field.iter_mut().rev()) {
        starter.finish(ticks).await.unwrap();
    }
    let mut racers = Vec::new();
    for (place, mut starter) in (0..count).rev().zip(field) {
        let results = starter.results().await.unwrap();
        assert_eq!(results.flags, FinalResults::AGAIN);
        let mut racer = starter.leave().await.unwrap();
        assert_eq!(results.placements[place].racer, racer.persona());
        assert!(results.placements[count..].iter().all(|nobody| nobody.time == 0));
        let won = rules::share(rules::purse(FEE, count), count, place);
        assert_eq!(results.placements[place].cash, won);
        assert_eq!(money(&mut racer).await, before[racers.len()] - FEE + won);
        racers.push(racer);
    }
    racers
}

#[test]
fn two_players_race_to_the_end_twice_and_every_byte_is_accounted_for() {
    let server = server(2, ANY_TIME);
    block_on(async {
        let racers = arrive(&server, 0..2).await;
        let racers = race(racers, 200).await;
        for racer in race(racers, 40).await {
            racer.sign_out().await.unwrap();
        }
    });
}

#[test]
fn six_players_race_to_the_end_and_every_byte_is_accounted_for() {
    let server = server(SLOTS, ANY_TIME);
    block_on(async {
        for racer in race(arrive(&server, 0..SLOTS).await, 100).await {
            racer.sign_out().await.unwrap();
        }
    });
}

#[test]
fn sixty_players_in_ten_rooms_race_to_the_end_and_every_byte_is_accounted_for() {
    const ROOMS: usize = 10;
    let server = Arc::new(server(ROOMS * SLOTS, ANY_TIME));
    block_on(async {
        let room = |number: usize| {
            let server = Arc::clone(&server);
            async move {
                let racers = arrive(&server, number * SLOTS..(number + 1) * SLOTS).await;
                race(racers, 40).await
            }
        };
        for task in (0..ROOMS).map(|number| spawn(room(number))).collect::<Vec<_>>() {
            for racer in task.await {
                racer.sign_out().await.unwrap();
            }
        }
        server.await_population(0).await;
    });
}

/// One race of all, from which each comes in by `come_in`; the results.
macro_rules! race_once {
    ($racers:expr, $starter:ident => $come_in:expr) => {{
        let mut racers: Vec<Racer> = $racers;
        let terms = Terms { lobby: racers[0].circuit().await.unwrap(), entry_fee: FEE, pink_slip: false };
        let field = line_up(racers, terms, &traffic([4; SLOTS], 100, 5)).await.unwrap();
        let mut field = drive(field).await;
        for $starter in &mut field {
            $come_in.await.unwrap();
        }
        let mut heard = Vec::new();
        racers = Vec::new();
        for mut starter in field {
            heard.push(starter.results().await.unwrap());
            racers.push(starter.leave().await.unwrap());
        }
        (racers, heard.remove(0))
    }};
}

#[test]
fn a_minute_in_a_moment_is_paid_to_nobody_and_told_once() {
    let server = server(2, "");
    block_on(async {
        let mut racers = arrive(&server, 0..2).await;
        let mut before = Vec::new();
        for racer in &mut racers {
            before.push(money(racer).await);
        }
        for _ in 0..3 {
            let results;
            (racers, results) = race_once!(racers, starter => starter.finish(MINUTE));
            assert_eq!(results.flags, FinalResults::AGAIN | FinalResults::VOID_CHEATING);
            assert!(results.placements[..2].iter().all(|place| place.flags == Placement::CHEAT_SUSPECTED));
        }
        for (racer, before) in racers.iter_mut().zip(before) {
            assert_eq!(money(racer).await, before);
        }
        let (user, name) = names(0);
        let mails = server.driver(&user, &name).await.mails().await.unwrap();
        assert_eq!(mails, 2, "a welcome, and one about the races");
    });
    assert!(server.log().contains("which is longer than the race had lasted: not counted"));
}

#[test]
fn a_race_that_is_driven_takes_its_time_and_pays_by_it() {
    let server = server(2, "");
    let shortest = rules::shortest_time(RaceType::Circuit, None, 2);
    block_on(async {
        let mut racers = arrive(&server, 0..2).await;
        let before = money(&mut racers[0]).await;
        let time = Duration::from_millis(u64::from(shortest) * 1000 / 64 + 500);
        let (mut racers, results) = race_once!(racers, starter => async {
            let left = time.saturating_sub(starter.driven());
            smol::Timer::after(left).await;
            starter.come_in().await
        });
        assert_eq!(results.flags, FinalResults::AGAIN);
        let winner = &results.placements[0];
        assert!(winner.time >= shortest);
        assert_eq!(winner.cash, rules::purse_for(FEE, 2, 2, winner.time));
        let own = if winner.racer == racers[0].persona() { winner.cash } else { 0 };
        assert_eq!(money(&mut racers[0]).await, before - FEE + own);
    });
}

/// How the server logs that it has cut off a receiver.
const CUT_OFF: &str = "does not read what others send; cut off";

/// Reads a packet now and then, until it is cut off or has heard `wanted` of them. Whether it has.
async fn dawdle(starter: &mut Starter, wanted: u64) -> bool {
    while starter.deliveries().received() < wanted {
        smol::Timer::after(Duration::from_millis(3)).await;
        let heard = starter.hear(PATIENCE).await;
        assert!(!matches!(heard, Ok(false)), "neither cut off nor served");
        if heard.is_err() {
            return false;
        }
    }
    true
}

/// Those who talk in a race, and behind them on the grid one who reads slowly and one who does not read at all.
const TALKERS: usize = 4;

/// A race in which the last two of six do not keep up, up to the moment at which the others have heard everything. Returned
/// are those, the slow one with whether it has heard everything too, and the dead one.
async fn drive_with_laggards(mut racers: Vec<Racer>) -> (Vec<Starter>, (Starter, bool), Starter) {
    const EACH: u32 = 160;
    assert_eq!(racers.len(), SLOTS);
    let terms = Terms { lobby: racers[0].circuit().await.unwrap(), entry_fee: FEE, pink_slip: false };
    let packets = [EACH, EACH, EACH, EACH, 0, 0];
    // Who talks waits for the others who talk, so none of them can have more waiting than a mailbox holds, however slow the
    // machine is; what waits for the dead one is several times as much.
    let traffic = Traffic { lead: Some(2), ..Traffic::clone(&traffic(packets, 8_000, 5)) };
    let mut field = line_up(racers, terms, &Arc::new(traffic)).await.unwrap();
    let dead = field.pop().unwrap();
    let mut slow = field.pop().unwrap();
    let wanted = slow.deliveries().outstanding();
    let slow = spawn(async move {
        let heard_all = dawdle(&mut slow, wanted).await;
        (slow, heard_all)
    });
    let talkers = drive(field).await;
    assert_eq!(talkers.len(), TALKERS);
    for talker in &talkers {
        assert!(talker.deliveries().is_complete());
        assert_eq!(talker.deliveries().faults(), Faults::default());
    }
    let (slow, heard_all) = slow.await;
    // Up to the moment at which it was cut off it heard all there was, in order.
    assert_eq!(
        slow.deliveries().faults(),
        Faults { lost: slow.deliveries().outstanding(), ..Faults::default() }
    );
    (talkers, (slow, heard_all), dead)
}

/// The end of such a race: the dead one is gone for good, the slow one comes in last.
async fn finish_with_laggards(
    mut talkers: Vec<Starter>,
    (mut slow, heard_all): (Starter, bool),
    dead: Starter,
) {
    drop(dead);
    for (ticks, talker) in (MINUTE..).zip(&mut talkers) {
        talker.finish(ticks).await.unwrap();
    }
    slow.finish(MINUTE * 2).await.unwrap();
    let slow_racer = slow.results().await.unwrap().placements[TALKERS].racer;
    for talker in &mut talkers {
        let results = talker.results().await.unwrap();
        assert_eq!(results.placements[TALKERS].racer, slow_racer);
        assert_eq!(results.placements[TALKERS + 1].time, 0);
        assert_eq!(results.placements[0].cash, rules::share(rules::purse(FEE, SLOTS), SLOTS, 0));
    }
    for talker in talkers {
        talker.leave().await.unwrap().sign_out().await.unwrap();
    }
    let racer = if heard_all { slow.leave().await } else { slow.abandon().await };
    racer.unwrap().sign_out().await.unwrap();
}

/// So many races at once, each with a slow and a dead receiver.
fn races_with_laggards(rooms: usize) {
    // Far more than a race needs, so that there is something to be cut off for.
    let much = format!("{ANY_TIME}[limits]\nrelay_bytes_per_second = 1_000_000_000\n");
    let running = Arc::new(server(rooms * SLOTS, &much));
    block_on(async {
        let room = |number: usize| {
            let server = Arc::clone(&running);
            async move { drive_with_laggards(arrive(&server, number * SLOTS..(number + 1) * SLOTS).await).await }
        };
        let mut driven = Vec::new();
        for task in (0..rooms).map(|number| spawn(room(number))).collect::<Vec<_>>() {
            driven.push(task.await);
        }
        // Every dead one is still there and was cut off, and so was every slow one that has not heard everything. (What is
        // said to it afterwards goes to its connection in the room, which nobody reads either.)
        let deadline = Instant::now() + PATIENCE;
        for (_, (slow, heard_all), dead) in &mut driven {
            let slow = slow.address().filter(|_| !*heard_all);
            for address in slow.into_iter().chain([dead.address().unwrap()]) {
                let line = format!("room: {address} {CUT_OFF}");
                while !running.log().contains(&line) {
                    assert!(Instant::now() < deadline, "{address} is not cut off");
                    smol::Timer::after(Duration::from_millis(20)).await;
                }
            }
        }
        let ends =
            driven.into_iter().map(|(talkers, slow, dead)| spawn(finish_with_laggards(talkers, slow, dead)));
        for end in ends.collect::<Vec<_>>() {
            end.await;
        }
        running.await_population(0).await;
    });
}

#[test]
fn a_slow_reader_and_a_dead_receiver_do_not_disturb_the_others() {
    races_with_laggards(1);
}

#[test]
fn a_slow_and_a_dead_receiver_in_each_of_ten_rooms_are_cut_off_and_nobody_waits_for_them() {
    races_with_laggards(10);
}

#[test]
fn a_load_run_prints_what_the_server_made_of_it() {
    let server = server(3, "");
    let path = server.path().join("players");
    let accounts: Vec<_> = (0..3).map(|number| format!("{} {PASSWORD}", names(number).0)).collect();
    std::fs::write(&path, accounts.join("\n")).unwrap();
    let chmod = |mode: &str| {
        let status = std::process::Command::new("chmod").arg(mode).arg(&path).status().unwrap();
        assert!(status.success());
    };
    let host = format!("127.0.0.1:{}", server.port("http"));
    server.write_ports();
    let arguments =
        ["load", &host, "--players", "3", "--seconds", "2", "--rate", "8", "--json", "--accounts"];
    let arguments = [&arguments[..], &[path.to_str().unwrap()]].concat();
    chmod("644");
    let output = server.cli(&arguments, "");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("chmod 600"));
    chmod("600");
    let report: serde_json::Value = serde_json::from_str(&server.must(&arguments, "")).unwrap();
    let report = &report["races"];
    assert_eq!(report["joined"], 3, "{report}");
    assert_eq!(report["finished"], 3, "{report}");
    assert_eq!((&report["sent"], &report["received"]), (&48.into(), &heard(3, 16).into()), "{report}");
    assert_eq!(report["faults"]["lost"], 0, "{report}");
    assert_eq!(report["errors"].as_array().unwrap().len(), 0, "{report}");
}

#[test]
fn a_load_run_on_the_own_machine_makes_its_accounts_once() {
    let mut server = Server::prepare();
    let load = ["load", "--players", "2", "--seconds", "1", "--rate", "8", "--make-accounts"];
    server.account("doc");
    assert_eq!(server.cli(&load, "").status.code(), Some(1));
    assert!(!server.must(&["account", "list"], "").contains("load-"), "there was no server for them");
    server.start();
    server.write_ports();
    for _ in 0..2 {
        let printed = server.must(&load, "");
        assert!(
            printed.contains("2 of 2 joined") && printed.contains("2 players heard the results"),
            "{printed}"
        );
        assert!(printed.contains("0 lost, 0 altered, 0 doubled, 0 reordered, 0 astray"), "{printed}");
    }
    let listed = server.must(&["account", "list"], "");
    assert_eq!(listed.matches("load-0").count(), 2, "{listed}");
    // Players may give theirs such a name.
    server.account("load-0003");
    server.persona("load-0003", "Somebody");
    let refused =
        server.cli(&["load", "--players", "3", "--seconds", "1", "--rate", "8", "--make-accounts"], "");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("load-0003 is somebody's"));
}

#[test]
fn all_that_players_do_beside_racing_can_be_loaded() {
    let mut server = Server::prepare();
    server.start();
    server.write_ports();
    let load = |scenario, players| {
        let arguments = ["load", "--players", players, "--seconds", "2", "--acts", "2", "--rate", "8"];
        let arguments = [&arguments[..], &["--make-accounts", "--json", "--scenario", scenario]].concat();
        let report: serde_json::Value = serde_json::from_str(&server.must(&arguments, "")).unwrap();
        report
    };
    for (scenario, what) in [
        ("sign-ins", "sign-ins"),
        ("logins", "logins"),
        ("lobby", "looks at the lobby"),
        ("chat", "lines of chat"),
        ("shopping", "purchases"),
    ] {
        let report = load(scenario, "3");
        let acts = &report["acts"][0];
        assert_eq!(
            (&acts["what"], &acts["joined"], &acts["done"]),
            (&what.into(), &3.into(), &12.into()),
            "{report}"
        );
        assert_eq!((&acts["refused"], &acts["lost"]), (&0.into(), &0.into()), "{report}");
        assert!(
            report["races"].is_null() && acts["latency_milliseconds"]["most"].as_f64().unwrap() > 0.0,
            "{report}"
        );
    }
    let report = load("mixed", "10");
    assert_eq!(
        (&report["races"]["finished"], report["acts"].as_array().unwrap().len()),
        (&6.into(), 4),
        "{report}"
    );
}
