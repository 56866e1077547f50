//! The box itself: the image for QEMU's "virt" machine is started, used, cut off from power, and updated.
//!
//! `scripts/test-image` builds what these tests need and says in the environment where it is: `MCOS_IMAGE` (the image, not
//! compressed), `MCOS_UBOOT` (QEMU's U-Boot), `MCOS_UPDATE` (a signed bundle of the same system). `MCOS_CUTS` is how often
//! the plug is pulled, and `MCOS_SEED` repeats a run. Without them every test here says that it was skipped.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says how far it is"
)]

mod card;
mod machine;
mod players;
#[path = "../support/mod.rs"]
mod support;

use card::Card;
use machine::{ADDRESS, Machine};
use players::{PASSWORD, Told};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use smol::block_on;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use std::{env, thread};
use tempfile::TempDir;

/// One board at a time: they all have the same address.
static BOARD: Mutex<()> = Mutex::new(());

/// What a test needs: the image, a place for cards, and the only board.
struct Bench {
    image: PathBuf,
    uboot: PathBuf,
    update: PathBuf,
    cuts: u32,
    chance: StdRng,
    folder: TempDir,
    _board: MutexGuard<'static, ()>,
}

impl Bench {
    fn new() -> Option<Self> {
        let (Some(image), Some(uboot), Some(update)) =
            (env::var_os("MCOS_IMAGE"), env::var_os("MCOS_UBOOT"), env::var_os("MCOS_UPDATE"))
        else {
            support::skipped(
                "the image of the box was not built (scripts/test-image does it): it was not started",
            );
            return None;
        };
        let number = |name: &str| env::var(name).ok().map(|value| value.parse().expect("a number"));
        let seed = number("MCOS_SEED").unwrap_or_else(rand::random);
        eprintln!("MCOS_SEED={seed}");
        Some(Self {
            image: image.into(),
            uboot: uboot.into(),
            update: update.into(),
            cuts: number("MCOS_CUTS").map_or(2, |cuts| u32::try_from(cuts).unwrap()),
            chance: StdRng::seed_from_u64(seed),
            // Cards are large; /tmp may be in memory.
            folder: TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap(),
            _board: BOARD.lock().unwrap_or_else(std::sync::PoisonError::into_inner),
        })
    }

    /// A card whose server tells Clients the address by which they reach it from outside QEMU's network.
    fn flashed(&self) -> Card {
        let card = Card::flashed(&self.image, self.folder.path().join("card.img"));
        card.put("mcos.toml", format!("[network]\r\npublic_host = \"{ADDRESS}\"\r\n").as_bytes());
        card
    }

    fn start(&self, card: &Card) -> Machine {
        Machine::start(&self.uboot, card)
    }
}

/// The whole walk of a Client must succeed.
fn all_is_well(user: &str) {
    let probe = machine::probe(user, PASSWORD);
    let said = String::from_utf8_lossy(&probe.stdout);
    assert!(probe.status.success(), "{said}{}", String::from_utf8_lossy(&probe.stderr));
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
    machine.await_that("the status is on the boot partition", |_| {
        card.get("mcos-status.txt").is_some_and(|status| status.contains("http://"))
    });
    machine.pull_the_plug();
    let status = card.get("mcos-status.txt").unwrap();
    assert!(status.contains("mcos.local") && status.contains("\r\n"), "{status}");

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

#[test]
fn no_acknowledged_purchase_is_lost_when_the_plug_is_pulled() {
    const PLAYERS: usize = 3;
    let Some(mut bench) = Bench::new() else { return };
    let mut card = bench.flashed();
    let mut all: Vec<Told> = Vec::new();
    for cut in 0..=bench.cuts {
        // The card as it is before this start, to which what was written is added up to the cut.
        let before = card.copied(bench.folder.path().join(format!("before-{cut}.img")));
        let (mut machine, log) = Machine::start_logged(&bench.uboot, &card);
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

#[test]
fn a_version_that_never_comes_up_makes_room_for_the_old_one() {
    let Some(bench) = Bench::new() else { return };
    let card = bench.flashed();
    card.with_a_hopeless_version(3);
    card.tear_slot_sector();
    let mut machine = bench.start(&card);
    machine.await_pages();
    assert_eq!(machine.console().matches("hopeless version").count(), 3, "it had its three tries");
    machine.pull_the_plug();
    assert_eq!(card.slots(), (0, 0));
}

#[test]
fn an_update_from_the_boot_partition_is_tried_and_kept_and_a_cut_in_it_costs_nothing() {
    let Some(mut bench) = Bench::new() else { return };
    let mut card = bench.flashed();
    let mut machine = bench.start(&card);
    machine.await_pages();
    players::make_account("marty").unwrap();
    block_on(players::make_driver("marty")).unwrap();
    all_is_well("marty");
    machine.pull_the_plug();
    assert_eq!(card.slots(), (0, 0));

    for cut in 0..bench.cuts {
        card.put_file("new.update", &bench.update);
        let before = card.copied(bench.folder.path().join(format!("before-{cut}.img")));
        let (mut machine, log) = Machine::start_logged(&bench.uboot, &card);
        machine
            .await_that("the update begins", |machine| machine.console().contains("installing the update"));
        thread::sleep(Duration::from_millis(bench.chance.gen_range(0..20_000)));
        machine.pull_the_plug();
        let lost = log.replay(&before, &mut bench.chance);
        card = before.moved_to(card);
        eprintln!("cut {cut} in the update: {lost:?}, slots {:?}", card.slots());
        // However far it came: the box starts, and knows its player.
        let mut machine = bench.start(&card);
        machine.await_pages();
        all_is_well("marty");
        machine.pull_the_plug();
    }

    card.put_file("new.update", &bench.update);
    let committed = card.slots().0;
    let mut machine = bench.start(&card);
    machine.await_that("the new version is kept", |_| card.slots() == (1 - committed, 0));
    machine.await_pages();
    all_is_well("marty");
    machine.pull_the_plug();
    assert!(card.get("update-result.txt").is_some(), "{:?}", card.names("/"));
}
