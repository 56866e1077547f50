//! The box gets a new version: by the page, by the card, and by an unlucky hand.

use super::machine::Machine;
use super::players;
use super::{Bench, Card, OPERATOR, all_is_well, first_visit};
use rand::Rng as _;
use smol::block_on;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

const BEGINS: &str = "installing the update";

/// What came of the last update, as the card says it.
fn told(card: &Card) -> String {
    card.get("update-result.txt").unwrap_or_default()
}

#[test]
fn a_version_that_never_comes_up_makes_room_for_the_old_one() {
    let Some(bench) = Bench::new() else { return };
    let card = bench.flashed();
    card.with_a_hopeless_version(&bench.board, 3);
    card.tear_slot_sector();
    card.put(
        "update-result.txt",
        b"mcos 9.9 is in slot B; the box tries it at its next start, 3 times at most\r\n",
    );
    let mut machine = bench.start(&card);
    machine.await_pages();
    assert_eq!(machine.console().matches("hopeless version").count(), 3, "it had its three tries");
    machine.await_that("the card says how it ended", |_| {
        told(&card).ends_with("so the version before is back.\r\n")
    });
    machine.pull_the_plug();
    assert_eq!(card.slots(), (0, 0));
}

#[test]
fn an_update_from_the_page_or_the_card_is_tried_and_kept_and_a_cut_in_it_costs_nothing() {
    let Some(mut bench) = Bench::new() else { return };
    let mut card = bench.flashed();
    let mut machine = bench.start(&card);
    machine.await_pages();
    players::make_account("marty").unwrap();
    block_on(players::make_driver("marty")).unwrap();
    all_is_well("marty");
    assert_eq!(card.slots(), (0, 0));

    // The operator sends it by the page.
    let mut operator = first_visit();
    let token = operator.token("/operator/update");
    let answer = operator.send_file("/operator/update/send", &token, &fs::read(&bench.update).unwrap());
    assert_eq!(answer.status, 303, "{}", answer.text());
    machine.await_that("the update begins", |machine| machine.console().contains(BEGINS));
    let begun = Instant::now();
    machine.await_that("the new version is kept", |_| card.slots() == (1, 0));
    let whole = begun.elapsed();
    eprintln!("from the beginning of the update to the new version being kept: {:.1} s", whole.as_secs_f32());
    machine.await_pages();
    all_is_well("marty");
    machine.await_that("the card says how it ended", |_| told(&card).ends_with("It works and is kept.\r\n"));
    operator.fill_in("/operator", "/operator/login", &format!("password={OPERATOR}"));
    assert!(operator.look("/operator/update").contains("It works and is kept."));
    machine.pull_the_plug();

    // Cuts at any moment of that, with the file on the card.
    for cut in 0..bench.cuts {
        card.put_file("new.update", &bench.update);
        let before = card.copied(bench.place("before.img"));
        let (mut machine, log) = Machine::start_logged(&bench.board, &card);
        let seconds = machine.await_pages().as_secs_f32();
        all_is_well("marty");
        machine.await_that("the update begins", |machine| machine.console().contains(BEGINS));
        let wait = bench.chance.gen_range(Duration::ZERO..whole);
        thread::sleep(wait);
        machine.pull_the_plug();
        let lost = log.replay(&before, &mut bench.chance);
        card = before.moved_to(card);
        eprintln!(
            "cut {cut}: started in {seconds:.1} s; {wait:?} into the update; {lost:?}, slots {:?}",
            card.slots()
        );
    }

    // However far the last one came: the box starts, knows its player, and installs what is on the card.
    card.put_file("new.update", &bench.update);
    let mut machine = bench.start(&card);
    machine.await_that("the update begins", |machine| machine.console().contains(BEGINS));
    let committed = card.slots().0;
    machine.await_that("the new version is kept", |_| card.slots() == (1 - committed, 0));
    machine.await_pages();
    all_is_well("marty");
    machine.pull_the_plug();
    assert!(card.get("new.update").is_none() && card.get("new.update.done").is_some());
}
