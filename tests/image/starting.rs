//! A card is written, put into a board, and there is a server.

use super::players::{self, Told};
use super::support::skipped;
use super::{Bench, Card, Machine, all_is_well, machine};
use smol::block_on;
use std::{env, fs};

/// What the box has written on its card once all is well.
fn await_ready(machine: &mut Machine, card: &Card) -> String {
    machine.await_that("the status on the boot partition says that all is well", |_| {
        card.get("mcos-status.txt")
            .is_some_and(|status| status.contains("READY") && status.contains("Nothing."))
    });
    card.get("mcos-status.txt").unwrap()
}

#[test]
fn a_flashed_card_starts_into_a_server_that_remembers_its_players_and_says_how_it_is() {
    let Some(bench) = Bench::new() else { return };
    let card = bench.flashed();

    let mut machine = bench.start(&card);
    eprintln!("first start: {:.1} s to the pages", machine.await_pages().as_secs_f32());
    players::make_account("marty").unwrap();
    block_on(players::make_driver("marty")).unwrap();
    all_is_well("marty");
    let status = await_ready(&mut machine, &card);
    assert!(status.contains("http://") && status.contains("mcos.local"), "{status}");
    assert!(status.contains("\r\n"), "as Notepad of Windows XP wants it");
    machine.pull_the_plug();

    // A mistake in the settings, as Notepad may have saved it.
    card.put("mcos.toml", b"\xef\xbb\xbf[shard]\r\nname = \"Garage\"\r\nmax_persona = 9\r\n");
    let mut machine = bench.start(&card);
    eprintln!("second start: {:.1} s to the pages", machine.await_pages().as_secs_f32());
    let marty = Told { user: "marty".to_owned(), driver: true, ..Told::default() };
    block_on(players::is_all_there(&marty)).unwrap();
    machine.await_that("the mistake is named on the boot partition", |_| {
        card.get("mcos-status.txt")
            .is_some_and(|status| status.contains("line 3") && status.contains("max_persona"))
    });
    let front = block_on(machine::web().get("/", "")).unwrap().text();
    assert!(front.contains("line 3"), "the front page says so, too: {front}");
    machine.pull_the_plug();
}

/// QEMU's Raspberry Pi 3 has neither the firmware nor the watchdog of a real one, and no network: the server is asked on the board.
#[test]
fn the_image_for_the_raspberry_pi_starts_into_a_server_on_an_emulated_one() {
    let Some(bench) = Bench::new() else { return };
    let Some(image) = env::var_os("MCOS_PI_IMAGE") else {
        return skipped("the image for the Raspberry Pi was not built (scripts/test-image --pi does it)");
    };
    let card = Card::flashed(image.as_ref(), bench.place("pi.img"));
    card.tell_the_kernel("systemd.watchdog_sec=0 systemd.debug_shell=ttyS1");
    let (uboot, tree) = (bench.place("u-boot.bin"), bench.place("pi.dtb"));
    fs::write(&uboot, card.take("u-boot.bin").unwrap()).unwrap();
    fs::write(&tree, card.take("bcm2837-rpi-3-b.dtb").unwrap()).unwrap();
    let mut machine = Machine::start_pi(&uboot, &tree, &card);
    let status = await_ready(&mut machine, &card);
    assert!(status.contains("The box has no address yet"), "{status}");
    let walk = machine.ask("mcos probe 127.0.0.1; echo code $?");
    assert!(walk.ends_with("code 0"), "{walk}");
    eprintln!("{walk}");
    assert!(machine.ask("mcos update --status").contains("committed: slot A"));
    machine.pull_the_plug();
}
