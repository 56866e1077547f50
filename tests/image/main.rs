//! The box itself: the image is started in emulated boards, used, cut off from power, and updated.
//!
//! `scripts/test-image` builds what these tests need and says in the environment where it is: `MCOS_IMAGE` (the image, not
//! compressed), `MCOS_BOARD` (the board that it is for: "qemu-virt", "rpi" or "pc"), `MCOS_UBOOT` (QEMU's U-Boot, for the first),
//! `MCOS_UPDATE` (a signed bundle of the same system), `MCOS_DEBIAN` (the root file system before it becomes a box, as squashfs),
//! `MCOS_KERNEL` and `MCOS_INITRD` (of it), `MCOS_PROGRAM` (the server for the board), `MCOS_PI_IMAGE` (the image for the Raspberry
//! Pi, not compressed; may be missing). `MCOS_CUTS` is how often the plug is pulled, and `MCOS_SEED` repeats a run. Without them
//! every test here says that it was skipped.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says how far it is"
)]

mod board;
mod card;
mod figures;
mod finding;
#[path = "../home/mod.rs"]
mod home;
mod installing;
mod machine;
mod pc;
mod pi5;
mod players;
mod plug;
mod recovering;
mod starting;
#[path = "../support/mod.rs"]
mod support;
mod updating;

use board::Board;
use card::Card;
use machine::{ADDRESS, Debian, Machine, PATIENCE};
use players::PASSWORD;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use smol::block_on;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard};
use std::{env, fs};
use support::browser::Browser;
use tempfile::TempDir;

/// One board at a time: they all have the same address.
static BOARD: Mutex<()> = Mutex::new(());

/// The operator's password.
const OPERATOR: &str = "cold+start+57";

/// What a test needs: the image, a place for cards, and the only board.
struct Bench {
    image: PathBuf,
    board: Board,
    update: PathBuf,
    cuts: u32,
    chance: StdRng,
    folder: TempDir,
    _board: MutexGuard<'static, ()>,
}

impl Bench {
    fn new() -> Option<Self> {
        let (Some(image), Some(board), Some(update)) =
            (env::var_os("MCOS_IMAGE"), env::var_os("MCOS_BOARD"), env::var_os("MCOS_UPDATE"))
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
            board: match board.to_str() {
                Some("pc") => Board::Pc,
                Some("rpi") => Board::Pi5,
                _ => Board::Virt(given("MCOS_UBOOT")),
            },
            update: update.into(),
            cuts: number("MCOS_CUTS").map_or(2, |cuts| u32::try_from(cuts).unwrap()),
            chance: StdRng::seed_from_u64(seed),
            // Cards are large; /tmp may be in memory.
            folder: TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap(),
            _board: BOARD.lock().unwrap_or_else(std::sync::PoisonError::into_inner),
        })
    }

    /// The same, for what only a PC can do.
    fn on_a_pc() -> Option<Self> {
        let bench = Self::new()?;
        if !matches!(bench.board, Board::Pc) {
            support::skipped("this is no PC (scripts/test-image --pc)");
            return None;
        }
        Some(bench)
    }

    /// A place for another card.
    fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A card whose server tells Clients the address by which they reach it from outside QEMU's network.
    fn flashed(&self) -> Card {
        self.flashed_with(&self.image, "card.img")
    }

    /// The same with another image, or as a further card.
    fn flashed_with(&self, image: &Path, name: &str) -> Card {
        let card = Card::flashed(image, self.place(name));
        card.put("mcos.toml", format!("[network]\r\npublic_host = \"{ADDRESS}\"\r\n").as_bytes());
        if !self.board.words().is_empty() {
            self.tell_the_kernel(&card, "");
        }
        card
    }

    /// Adds words to the kernel's command line.
    fn tell_the_kernel(&self, card: &Card, words: &str) {
        card.tell_the_kernel(&format!("{} {words}", self.board.words()));
    }

    /// A Debian without this project.
    fn debian(&self) -> Debian {
        let root = self.place("debian.img");
        fs::copy(given("MCOS_DEBIAN"), &root).unwrap();
        Debian { root: Card::at(root), kernel: given("MCOS_KERNEL"), initrd: given("MCOS_INITRD") }
    }

    /// An empty USB stick with this label.
    fn stick(&self, label: &str) -> PathBuf {
        let stick = self.place("stick.img");
        let made =
            Command::new("mkfs.vfat").args(["-C", "-n", label]).arg(&stick).arg("65536").output().unwrap();
        assert!(made.status.success(), "mkfs.vfat: {}", String::from_utf8_lossy(&made.stderr));
        stick
    }

    fn start(&self, card: &Card) -> Machine {
        Machine::start(&self.board, card)
    }
}

/// A file that `scripts/test-image` names in the environment.
fn given(name: &str) -> PathBuf {
    env::var_os(name).unwrap_or_else(|| panic!("scripts/test-image sets {name}")).into()
}

/// The whole walk of a Client must succeed.
fn all_is_well(user: &str) {
    let probe = machine::probe(user, PASSWORD);
    let said = String::from_utf8_lossy(&probe.stdout);
    assert!(probe.status.success(), "{said}{}", String::from_utf8_lossy(&probe.stderr));
}

/// The operator's browser, which trusts the box's own authority, as its page offers it.
fn browser() -> Browser {
    let authority = block_on(machine::web().get("/cert", "")).unwrap();
    Browser::at(ADDRESS, 443, authority.text().as_bytes(), PATIENCE)
}

/// The operator's first visit: there is no password yet.
fn first_visit() -> Browser {
    let mut operator = browser();
    let fields = format!("password={OPERATOR}&again={OPERATOR}");
    let answer = operator.fill_in("/operator", "/operator/first", &fields);
    assert_eq!(answer.status, 303, "{}", answer.text());
    operator
}
