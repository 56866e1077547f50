//! What only a PC has: Secure Boot, starting from a USB stick, and more than one disk.

use super::board::Board;
use super::machine::Machine;
use super::{Bench, all_is_well, players};
use smol::block_on;

#[test]
fn a_pc_with_secure_boot_starts_from_a_usb_stick_and_keeps_what_it_is_told() {
    let Some(mut bench) = Bench::on_a_pc() else { return };
    bench.board = Board::SecurePc;
    let card = bench.flashed();
    bench.tell_the_kernel(&card, &bench.board.shell());
    let mut machine = bench.start(&card);
    eprintln!("Secure Boot, from a USB stick: {:.1} s to the pages", machine.await_pages().as_secs_f32());
    // The kernel that the starter has started knows that it must start nothing that is not signed.
    let secure = machine.ask("cat /sys/kernel/security/lockdown");
    assert!(secure.contains("[integrity]"), "{secure}");
    players::make_account("marty").unwrap();
    block_on(players::make_driver("marty")).unwrap();
    all_is_well("marty");
    machine.pull_the_plug();
    let mut machine = bench.start(&card);
    machine.await_pages();
    all_is_well("marty");
    machine.pull_the_plug();
}

#[test]
fn a_pc_with_mcos_on_two_disks_says_so_and_starts_once_one_of_them_is_gone() {
    let Some(bench) = Bench::on_a_pc() else { return };
    let card = bench.flashed();
    let twin = card.copied(bench.place("twin.img"));
    let disk = format!("if=none,id=twin,format=raw,file={}", twin.path().display());
    // On a cable of its own: QEMU would put it on that of the first.
    let more = ["-drive", &disk, "-device", "ide-hd,drive=twin,bus=ide.1"].map(str::to_owned);
    let mut machine = Machine::start_with(&bench.board, &card, &more);
    machine.await_that("it says that there are two", |machine| {
        machine.console().contains("mcos is on two disks")
            && machine.console().contains("take one of them out")
    });
    machine.pull_the_plug();
    let mut machine = bench.start(&card);
    machine.await_pages();
    machine.pull_the_plug();
}
