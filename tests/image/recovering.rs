//! What helps when something went wrong: forgotten passwords, lost cards, damaged and full ones.

use super::card::{Card, DATA};
use super::machine::Machine;
use super::players::{self, Told};
use super::{Bench, OPERATOR, all_is_well, browser, first_visit};
use smol::block_on;
use std::path::Path;
use std::process::Command;

#[test]
fn what_the_operator_forgets_and_cards_lose_can_be_brought_back() {
    let Some(bench) = Bench::new() else { return };
    let card = bench.flashed();
    let mut machine = bench.start(&card);
    machine.await_pages();
    players::make_account("marty").unwrap();
    let marty = Told { user: "marty".to_owned(), driver: true, ..Told::default() };
    block_on(players::make_driver("marty")).unwrap();
    first_visit();
    machine.pull_the_plug();

    // Twenty minutes after the start it would be made by itself; with the stick in, at once.
    let stick = bench.stick("MCOS-BACKUP");
    let mut machine = Machine::start_with_stick(&bench.board, &card, &stick);
    machine.await_that("there is a backup on the boot partition", |_| a_backup(&card).is_some());
    machine.await_that("and on the stick", |_| {
        let listed = Command::new("mdir").arg("-b").arg("-i").arg(&stick).arg("::/backups").output().unwrap();
        String::from_utf8_lossy(&listed.stdout).contains("/backups/mcos-")
    });
    machine.pull_the_plug();

    // A new card, with the backup of the old one.
    let new = bench.flashed_with(&bench.image, "new.img");
    new.put("restore.mcos", &card.take(&a_backup(&card).unwrap()).unwrap());
    let mut machine = bench.start(&new);
    machine.await_pages();
    block_on(players::is_all_there(&marty)).unwrap();
    let mut operator = browser();
    operator.fill_in("/operator", "/operator/login", &format!("password={OPERATOR}"));
    assert!(operator.look("/operator").contains("Players online"), "the operator's password came along");
    machine.pull_the_plug();
    assert!(new.get("restored.mcos").is_some(), "{:?}", new.names("/"));

    // The database is damaged.
    new.damage(&format!("{DATA}/database/db"));
    let mut machine = bench.start(&new);
    machine.await_pages();
    block_on(players::is_all_there(&marty)).unwrap();
    machine.await_that("the card says what happened", |_| {
        new.get("mcos-status.txt").is_some_and(|status| status.contains("damaged"))
    });
    machine.pull_the_plug();

    // The card is full, nearly to the last block.
    new.fill(64);
    let mut machine = bench.start(&new);
    machine.await_pages();
    block_on(players::is_all_there(&marty)).unwrap();
    let refused = players::make_account("doc").unwrap_err();
    assert!(refused.contains("its card is full"), "{refused}");
    machine.await_that("the card says that it is full", |_| {
        new.get("mcos-status.txt").is_some_and(|status| status.contains("full"))
    });
    machine.pull_the_plug();

    // With room again, all is well; and the operator has forgotten the password. Notepad adds ".txt".
    new.make_room();
    new.put("reset-operator-password.txt", b"");
    let mut machine = bench.start(&new);
    machine.await_pages();
    first_visit();
    assert!(new.get("reset-operator-password.txt").is_none(), "it is forgotten once");
    players::make_account("doc").unwrap();
    block_on(players::make_driver("doc")).unwrap();
    all_is_well("doc");
    machine.pull_the_plug();
}

/// A backup that the box made on its card.
fn a_backup(card: &Card) -> Option<String> {
    let names = card.names("/backups").into_iter();
    // "new" is one that is not finished.
    let mut names = names.map(|name| name.trim_start_matches("::/").to_owned());
    names.find(|name| Path::new(name).extension().is_some_and(|ending| ending == "mcos"))
}
