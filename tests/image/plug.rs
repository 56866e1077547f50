//! The plug is pulled while players buy.

use super::machine::Machine;
use super::players::{self, Told};
use super::{Bench, all_is_well};
use rand::Rng as _;
use smol::block_on;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const PLAYERS: usize = 3;
/// How long the first part may take to be bought.
const FIRST_PART: Duration = Duration::from_mins(10);
/// In a first start things are written for so long, in milliseconds.
const FIRST_START: std::ops::Range<u64> = 0..30_000;

/// The data partition gets the rest of the card then, and its file system follows; the server makes its keys.
#[test]
fn a_first_start_may_be_cut_as_often_as_one_likes() {
    let Some(mut bench) = Bench::new() else { return };
    let mut card = bench.flashed();
    for cut in 0..bench.cuts {
        let before = card.copied(bench.place("before.img"));
        let (mut machine, log) = Machine::start_logged(&bench.board, &card);
        machine.await_that("something is written", |_| log.has_begun());
        let wait = Duration::from_millis(bench.chance.gen_range(FIRST_START));
        thread::sleep(wait);
        machine.pull_the_plug();
        let lost = log.replay(&before, &mut bench.chance);
        eprintln!("cut {cut}: after {wait:?} of what a first start writes; {lost:?}");
        card = before.moved_to(card);
    }
    let mut machine = bench.start(&card);
    machine.await_pages();
    players::make_account("marty").unwrap();
    block_on(players::make_driver("marty")).unwrap();
    all_is_well("marty");
    machine.await_that("the status says that all is well", |_| {
        card.get("mcos-status.txt").is_some_and(|status| status.contains("Nothing."))
    });
    machine.pull_the_plug();
}

#[test]
fn no_acknowledged_purchase_is_lost_when_the_plug_is_pulled() {
    let Some(mut bench) = Bench::new() else { return };
    let mut card = bench.flashed();
    let mut all: Vec<Told> = Vec::new();
    for cut in 0..=bench.cuts {
        // The card as it is before this start, to which what was written is added up to the cut.
        let before = card.copied(bench.place("before.img"));
        let (mut machine, log) = Machine::start_logged(&bench.board, &card);
        let seconds = machine.await_pages().as_secs_f32();
        for told in &all {
            block_on(players::is_all_there(told)).unwrap();
        }
        let parts: usize = all.iter().map(|told| told.parts.len()).sum();
        eprintln!(
            "start {cut}: {seconds:.1} s; all {} players and {parts} bought parts are there",
            all.len()
        );
        if cut == bench.cuts {
            // Whoever was cut off before there was a driver makes one now.
            let user = &all[0].user;
            if !all[0].driver {
                block_on(players::make_driver(user)).unwrap();
            }
            all_is_well(user);
            break;
        }

        let told: Vec<Mutex<Told>> = (0..PLAYERS)
            .map(|number| Mutex::new(Told { user: format!("cut{cut}p{number}"), ..Told::default() }))
            .collect();
        for told in &told {
            players::make_account(&told.lock().unwrap().user).unwrap();
        }
        let stop = AtomicBool::new(false);
        let wait = Duration::from_millis(bench.chance.gen_range(1_000..12_000));
        thread::scope(|scope| {
            for told in &told {
                let stop = &stop;
                // An error is what the cut looks like from here.
                scope.spawn(move || block_on(players::shop(told, stop)));
            }
            // The later ones may come before anybody has anything, but not the first, however slow this machine is.
            let begun = Instant::now();
            let bought = || told.iter().any(|told| !told.lock().unwrap().parts.is_empty());
            while cut == 0 && !bought() && begun.elapsed() < FIRST_PART {
                thread::sleep(Duration::from_millis(100));
            }
            thread::sleep(wait);
            machine.cut();
            stop.store(true, Ordering::Relaxed);
        });
        machine.pull_the_plug();
        let lost = log.replay(&before, &mut bench.chance);
        eprintln!("cut {cut}: after {wait:?} of buying; {lost:?}");
        all.extend(told.into_iter().map(|told| told.into_inner().unwrap()));
        card = before.moved_to(card);
    }
    assert!(all.iter().any(|told| !told.parts.is_empty()), "nobody ever bought anything");
}
