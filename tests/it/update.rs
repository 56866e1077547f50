//! `mcos update` on images of cards: the real program, bundles made by OpenSSL as the build makes them, and kills at any moment.

use crate::foreign;
use crate::support::PATIENCE;
use std::fs::{self, File};
use std::hash::{BuildHasher as _, RandomState};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;
use tempfile::TempDir;

const SECTOR: u64 = 512;
const MIB: u64 = 1024 * 1024;
/// The slots, in bytes: where they begin, and how long they are.
const A: u64 = 8 * MIB;
const B: u64 = 24 * MIB;
const SLOT: u64 = 16 * MIB;
const CARD: u64 = 42 * MIB;
/// The copies of the slot sector.
const COPIES: [u64; 2] = [2048 * SECTOR, 2056 * SECTOR];

/// The slot sector by its description, not by the program: committed slot, tries, boot scripts of A and B.
fn sector(committed: u32, tries: u32, a: (u32, u32), b: (u32, u32)) -> Vec<u8> {
    let numbers = [1, committed, tries, a.0, a.1, b.0, b.1];
    let mut bytes = b"MCOSSLOT".to_vec();
    bytes.extend(numbers.iter().flat_map(|number: &u32| number.to_le_bytes()));
    bytes.resize(508, 0);
    // CRC-32, bit by bit.
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    });
    bytes.extend((!crc).to_be_bytes());
    bytes
}

/// The boot script of an image of ours: its second and third sector.
fn script(slot: u64) -> (u32, u32) {
    (u32::try_from(slot / SECTOR).unwrap() + 1, 2)
}

/// A card with a system in slot A, somebody who signs bundles, and a place for both.
struct Bench {
    folder: TempDir,
}

impl Bench {
    /// `None`, visibly, without OpenSSL.
    fn new() -> Option<Self> {
        let bench = Self { folder: TempDir::new().unwrap() };
        if foreign::run("openssl", &["version"], b"").is_none() {
            foreign::skip_missing("OpenSSL");
            return None;
        }
        bench.make_key("update-key");
        bench.flash();
        Some(bench)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn make_key(&self, name: &str) {
        let (private, public) = (self.text(&format!("{name}.pem")), self.text(&format!("{name}.pub")));
        openssl(&["genpkey", "-algorithm", "ed25519", "-out", &private]);
        openssl(&["pkey", "-in", &private, "-pubout", "-out", &public]);
    }

    /// The card as the image is flashed: a partition table, two copies of the slot sector, a system in slot A.
    fn flash(&self) {
        let card = File::create(self.path("card.img")).unwrap();
        card.set_len(CARD).unwrap();
        let parts = [(4 * MIB, 4 * MIB), (A, SLOT), (B, SLOT), (40 * MIB, 2 * MIB)];
        for (place, (start, size)) in (446..).step_by(16).zip(parts) {
            let numbers = [start, size].map(|bytes| u32::try_from(bytes / SECTOR).unwrap().to_le_bytes());
            card.write_all_at(&numbers.concat(), place + 8).unwrap();
        }
        card.write_all_at(&[0x55, 0xaa], 510).unwrap();
        for place in COPIES {
            card.write_all_at(&flashed(), place).unwrap();
        }
        card.write_all_at(&noise(1, 3 * MIB), A).unwrap();
    }

    /// A bundle for the board "qemu", as the build makes it.
    fn bundle(&self, name: &str, version: &str, image: &[u8]) -> PathBuf {
        self.bundle_by("update-key", name, version, image)
    }

    fn bundle_by(&self, key: &str, name: &str, version: &str, image: &[u8]) -> PathBuf {
        let (image_file, head_file) = (self.path("image"), self.path("head"));
        fs::write(&image_file, image).unwrap();
        let hash = openssl(&["dgst", "-sha256", "-r", image_file.to_str().unwrap()]);
        let hash = String::from_utf8(hash.stdout).unwrap();
        let manifest = format!(
            "version = \"{version}\"\nboard = \"qemu\"\nsize = {}\nsha256 = \"{}\"\nboot_offset = 512\nboot_size = 1024\n",
            image.len(),
            hash.split(' ').next().unwrap()
        );
        let length = u32::try_from(manifest.len()).unwrap().to_le_bytes();
        let head = [b"MCOSUPD1", &length[..], manifest.as_bytes()].concat();
        fs::write(&head_file, &head).unwrap();
        let (key, head_name) = (self.text(&format!("{key}.pem")), self.text("head"));
        let signature = openssl(&["pkeyutl", "-sign", "-rawin", "-inkey", &key, "-in", &head_name]).stdout;
        assert_eq!(signature.len(), 64);
        let path = self.path(name);
        fs::write(&path, [&head, &signature, image].concat()).unwrap();
        path
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcos"));
        command.arg("update").args(arguments).current_dir(self.folder.path());
        command.env_remove("RUST_LOG").env_remove("STATE_DIRECTORY");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn update(&self, bundle: &Path) -> Output {
        let bundle = bundle.to_str().unwrap();
        let arguments = [bundle, "--disk", "card.img", "--key", "update-key.pub", "--board", "qemu"];
        self.command(&arguments).output().unwrap()
    }

    fn on_card(&self, what: &str) -> Output {
        self.command(&[what, "--disk", "card.img"]).output().unwrap()
    }

    fn card(&self) -> Vec<u8> {
        fs::read(self.path("card.img")).unwrap()
    }

    fn read(&self, place: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        File::open(self.path("card.img")).unwrap().read_exact_at(&mut bytes, place).unwrap();
        bytes
    }

    fn write(&self, place: u64, bytes: &[u8]) {
        File::options().write(true).open(self.path("card.img")).unwrap().write_all_at(bytes, place).unwrap();
    }

    fn copies(&self) -> [Vec<u8>; 2] {
        COPIES.map(|place| self.read(place, 512))
    }
}

fn flashed() -> Vec<u8> {
    sector(0, 0, script(A), (0, 0))
}

fn openssl(arguments: &[&str]) -> Output {
    let output = foreign::run("openssl", arguments, b"").unwrap();
    assert!(output.status.success(), "openssl {arguments:?}: {}", foreign::said(&output));
    output
}

/// Bytes that are neither zero nor alike.
fn noise(seed: u64, length: u64) -> Vec<u8> {
    let mut state = seed;
    let words = (0..length.div_ceil(8)).flat_map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state | 0x0101_0101_0101_0101).to_le_bytes()
    });
    words.collect()
}

fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", foreign::said(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The one line that says why it did not work.
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", foreign::said(output));
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("mcos: ")).collect();
    assert_eq!(lines.len(), 1, "{text}");
    lines[0].to_owned()
}

#[test]
fn an_update_goes_into_the_other_slot_and_on_trial_and_changes_nothing_else() {
    let Some(bench) = Bench::new() else { return };
    let image = noise(2, 9 * MIB);
    let bundle = bench.bundle("u.update", "9.9.9", &image);
    let before = bench.card();
    let said = succeeded(&bench.update(&bundle));
    assert!(said.contains("9.9.9") && said.contains("slot B"), "{said}");
    let mut expected = before;
    let mut put = |place: u64, bytes: &[u8]| {
        let place = usize::try_from(place).unwrap();
        expected[place..place + bytes.len()].copy_from_slice(bytes);
    };
    put(B, &image);
    for place in COPIES {
        put(place, &sector(0, 3, script(A), script(B)));
    }
    assert!(bench.card() == expected, "the card is not, byte for byte, what it should be");
}

#[test]
fn updates_take_turns_between_the_slots_and_each_is_confirmed_before_the_next() {
    let Some(bench) = Bench::new() else { return };
    let bundles = [
        bench.bundle("1.update", "9.9.1", &noise(3, MIB)),
        bench.bundle("2.update", "9.9.2", &noise(4, MIB)),
    ];
    assert!(succeeded(&bench.on_card("--status")).contains("committed: slot A\ntrial: none\n"));
    assert!(succeeded(&bench.on_card("--confirm")).contains("nothing was changed"));
    assert_eq!(bench.copies(), [flashed(), flashed()]);

    succeeded(&bench.update(&bundles[0]));
    assert!(
        succeeded(&bench.on_card("--status")).contains("committed: slot A\ntrial: slot B, 3 more tries\n")
    );
    let before = bench.card();
    assert!(refused(&bench.update(&bundles[1])).contains("waits to be tried"));
    assert!(bench.card() == before);

    // The boot loader has taken two tries.
    for place in COPIES {
        bench.write(place, &sector(0, 1, script(A), script(B)));
    }
    assert!(succeeded(&bench.on_card("--confirm")).contains("slot B is committed"));
    let committed = sector(1, 0, script(A), script(B));
    assert_eq!(bench.copies(), [committed.clone(), committed]);

    succeeded(&bench.update(&bundles[1]));
    assert!(bench.read(A, usize::try_from(MIB).unwrap()) == noise(4, MIB));
    assert!(bench.read(B, usize::try_from(MIB).unwrap()) == noise(3, MIB));
    let json = bench.command(&["--status", "--json", "--disk", "card.img"]).output().unwrap();
    let json: serde_json::Value = serde_json::from_str(&succeeded(&json)).unwrap();
    assert_eq!((&json["committed"], &json["trial"], &json["tries"]), (&"B".into(), &"A".into(), &3.into()));
    succeeded(&bench.on_card("--confirm"));
    assert_eq!(bench.copies()[0], sector(0, 0, script(A), script(B)));
}

/// What the starter of a PC asks at each start.
#[test]
fn a_board_without_u_boot_is_told_which_slot_to_start_and_a_trial_pays_for_each_start() {
    let Some(bench) = Bench::new() else { return };
    fs::write(bench.path("windows.img"), noise(8, 2 * MIB)).unwrap();
    let start = |disks: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcos"));
        command.args(["box", "start-slot"]).args(disks).current_dir(bench.folder.path());
        command.env_remove("RUST_LOG").stdin(Stdio::null()).output().unwrap()
    };
    let all = ["windows.img", "card.img"];
    let (a, b) = (script(A), script(B));
    let (first, second) = (format!("2 {} {}\n", a.0, a.1), format!("3 {} {}\n", b.0, b.1));
    let before = bench.card();
    assert_eq!(succeeded(&start(&all)), format!("card.img\n{first}"));
    assert!(bench.card() == before, "an ordinary start writes nothing");

    for place in COPIES {
        bench.write(place, &sector(0, 2, a, b));
    }
    for left in [1, 0] {
        assert_eq!(succeeded(&start(&all)), format!("card.img\n{second}{first}"));
        assert_eq!(bench.copies(), [sector(0, left, a, b), sector(0, left, a, b)]);
    }
    assert_eq!(succeeded(&start(&all)), format!("card.img\n{first}{second}"));

    fs::copy(bench.path("card.img"), bench.path("twin.img")).unwrap();
    let why = refused(&start(&["card.img", "windows.img", "twin.img"]));
    assert!(why.contains("card.img and twin.img") && why.contains("take one of them out"), "{why}");
    assert!(refused(&start(&["windows.img"])).contains("no disk says where mcos is"));
}

#[test]
fn a_bundle_with_a_flipped_bit_anywhere_is_refused_and_the_committed_slot_stays_as_it_is() {
    let Some(bench) = Bench::new() else { return };
    let sound = fs::read(bench.bundle("u.update", "9.9.9", &noise(5, MIB))).unwrap();
    let (flipped, head) = (bench.path("flipped.update"), sound.len() - usize::try_from(MIB).unwrap());
    let (system, before) = (noise(1, 3 * MIB), bench.card());
    let places = (0..head).step_by(11).chain([head - 1, head, head + 700_001, sound.len() - 1]);
    for place in places {
        let mut bytes = sound.clone();
        bytes[place] ^= 1 << (place % 8);
        fs::write(&flipped, &bytes).unwrap();
        let why = refused(&bench.update(&flipped));
        assert!(why.contains("damaged") || (place < 8 && why.contains("no update bundle")), "{place}: {why}");
        assert_eq!(bench.copies(), [flashed(), flashed()], "{place}");
        assert!(bench.read(A, system.len()) == system, "{place}");
        assert!(place >= head || bench.card() == before, "nothing is written before the signature is right");
    }
}

#[test]
fn whatever_is_no_update_for_this_card_is_refused_in_one_line_that_says_what_to_do() {
    let Some(bench) = Bench::new() else { return };
    let image = noise(6, MIB);
    let bundle = bench.bundle("u.update", "9.9.9", &image);
    let sound = fs::read(&bundle).unwrap();
    let before = bench.card();
    let other = bench.path("other.update");
    for (bytes, part) in [
        (&sound[..sound.len() - 1], "download it again"),
        (&sound[..100], "download it again"),
        (&sound[..9], "mcos-VERSION-BOARD.update"),
        (&[&sound[..], b"x"].concat(), "download it again"),
        (&b"PK\x03\x04 something else"[..], "mcos-VERSION-BOARD.update"),
        (b"", "mcos-VERSION-BOARD.update"),
    ] {
        fs::write(&other, bytes).unwrap();
        let why = refused(&bench.update(&other));
        assert!(why.contains(part), "{why}");
    }
    bench.make_key("another");
    let why = refused(&bench.update(&bench.bundle_by("another", "x.update", "9.9.9", &image)));
    assert!(why.contains("another key"), "{why}");
    let why = refused(&bench.update(&bench.bundle("x.update", "9.9.9", &noise(7, SLOT + SECTOR))));
    assert!(why.contains("flash the new image"), "{why}");
    assert!(refused(&bench.update(&bench.path("none.update"))).contains("cannot read"));
    let file = bundle.to_str().unwrap();
    fs::write(bench.path("rsa.pub"), "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n").unwrap();
    for (disk, key, board, part) in [
        ("card.img", "update-key.pub", "rpi", "take mcos-9.9.9-rpi.update"),
        ("card.img", "none.pub", "qemu", "name it with --key"),
        ("card.img", "rsa.pub", "qemu", "name another with --key"),
        ("none.img", "update-key.pub", "qemu", "none.img"),
        ("u.update", "update-key.pub", "qemu", "no sound slot sector"),
        ("update-key.pub", "update-key.pub", "qemu", "no sound slot sector"),
    ] {
        let arguments = [file, "--disk", disk, "--key", key, "--board", board];
        let why = refused(&bench.command(&arguments).output().unwrap());
        assert!(why.contains(part), "{why}");
    }
    assert!(bench.card() == before, "none of these may touch the card");
    assert_eq!(fs::read(&bundle).unwrap(), sound);
    for place in COPIES {
        bench.write(place, &[0; 512]);
    }
    assert!(refused(&bench.update(&bundle)).contains("no sound slot sector"));
    assert!(refused(&bench.on_card("--confirm")).contains("no sound slot sector"));
}

#[test]
fn one_damaged_copy_of_the_slot_sector_does_no_harm_and_is_mended_by_the_next_update() {
    let Some(bench) = Bench::new() else { return };
    let bundle = bench.bundle("u.update", "9.9.9", &noise(8, MIB));
    for place in COPIES {
        bench.flash();
        bench.write(place + 100, b"torn");
        assert!(succeeded(&bench.on_card("--status")).contains("committed: slot A"));
        succeeded(&bench.update(&bundle));
        let on_trial = sector(0, 3, script(A), script(B));
        assert_eq!(bench.copies(), [on_trial.clone(), on_trial]);
    }
}

#[test]
fn the_partition_table_is_read_as_sfdisk_writes_it() {
    let Some(bench) = Bench::new() else { return };
    bench.write(440, &[0; 72]);
    let image = noise(9, MIB);
    let bundle = bench.bundle("u.update", "9.9.9", &image);
    assert!(refused(&bench.update(&bundle)).contains("no slot B"));
    let table = "label: dos\nstart=4MiB, size=4MiB, type=c, bootable\nstart=8MiB, size=16MiB\nstart=24MiB, size=16MiB\n\
                 start=40MiB, size=2MiB\n";
    match foreign::run("sfdisk", &["--quiet", &bench.text("card.img")], table.as_bytes()) {
        Some(output) => assert!(output.status.success(), "{}", foreign::said(&output)),
        None => return foreign::skip_missing("sfdisk"),
    }
    succeeded(&bench.update(&bundle));
    assert!(bench.read(B, image.len()) == image);
    assert_eq!(bench.copies()[1], sector(0, 3, script(A), script(B)));
}

/// Kills a running update as soon as `ripe` says so, or finds that it has ended.
fn kill_when(mut update: Child, mut ripe: impl FnMut() -> bool) {
    let start = Instant::now();
    while update.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < PATIENCE, "the update does not end");
        if ripe() {
            update.kill().unwrap();
            break;
        }
    }
    update.wait().unwrap();
}

#[test]
fn an_update_that_is_killed_at_any_moment_leaves_a_box_that_boots() {
    let Some(bench) = Bench::new() else { return };
    let (image, system) = (noise(10, 12 * MIB), noise(1, 3 * MIB));
    let bundle = bench.bundle("u.update", "9.9.9", &image);
    let on_trial = sector(0, 3, script(A), script(B));
    let random = RandomState::new();
    let (mut unfinished, mut finished) = (0, 0);
    for turn in 0..26_u64 {
        bench.flash();
        let card = File::open(bench.path("card.img")).unwrap();
        // A moment is when a certain byte of the image has arrived; at last, when the first copy of the sector has.
        let moment = random.hash_one(turn) % (image.len() as u64);
        let arrived = |place: u64, wanted: u8| {
            let mut byte = [0];
            card.read_exact_at(&mut byte, place).unwrap();
            byte[0] == wanted
        };
        let wanted = image[usize::try_from(moment).unwrap()];
        let arguments =
            [bundle.to_str().unwrap(), "--disk", "card.img", "--key", "update-key.pub", "--board", "qemu"];
        let update = bench.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        kill_when(
            update,
            || if turn < 22 { arrived(B + moment, wanted) } else { arrived(COPIES[0] + 16, 3) },
        );

        assert!(bench.read(A, system.len()) == system, "turn {turn}: the committed slot has changed");
        let [first, second] = bench.copies();
        if first == flashed() {
            assert_eq!(second, flashed(), "turn {turn}");
            unfinished += 1;
            succeeded(&bench.update(&bundle));
        } else {
            assert_eq!(first, on_trial, "turn {turn}");
            assert!(second == on_trial || second == flashed(), "turn {turn}");
            finished += 1;
        }
        assert!(bench.read(B, image.len()) == image, "turn {turn}: what is on trial is not whole");
    }
    println!("{unfinished} of {} updates were killed before they were done", unfinished + finished);
}

#[test]
fn a_system_that_runs_from_no_slot_says_so() {
    let folder = TempDir::new().unwrap();
    for arguments in [&["--status"][..], &["--confirm"], &["u.update"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcos"));
        let output = command.arg("update").args(arguments).current_dir(folder.path()).output().unwrap();
        assert!(!refused(&output).is_empty());
    }
}
