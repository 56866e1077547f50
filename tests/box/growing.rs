//! The data partition gets the rest of the card at the first start (`image/overlay/usr/lib/mcos/grow-data`), whatever the card is and
//! whenever the plug is pulled. The card is a file, and its table is the real one.

use crate::programs::StandIn;
use crate::support::skipped;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, Output, Stdio};

const MIB: u64 = 1 << 20;
/// The image, in MiB, and where its partitions are (`image/layout`).
const IMAGE: u64 = 1220;
const TABLE: &str = "label: dos\nlabel-id: 0x6d636f73\nstart=4MiB,size=512MiB,type=c\nstart=516MiB,size=320MiB\n\
                     start=836MiB,size=320MiB\nstart=1156MiB,size=64MiB\n";
/// Each stand-in first says that it was called. The call whose number is in the file `cut` is one in which the plug is pulled: before it, or
/// after it.
const CALLED: &str = "called() { echo x >>\"$MCOS_BOX_ROOT/calls\"; \
                      [ \"$(wc -l <\"$MCOS_BOX_ROOT/calls\") $1\" != \"$(cat \"$MCOS_BOX_ROOT/cut\" 2>/dev/null)\" ] || kill -KILL 0; }\n\
                      ended() { code=$?; [ \"$(wc -l <\"$MCOS_BOX_ROOT/calls\") after\" != \"$(cat \"$MCOS_BOX_ROOT/cut\" 2>/dev/null)\" ] || kill -KILL 0; \
                      exit $code; }\ncalled before\n";

/// A box whose image was written to a card of so many bytes; `None` where the programs are missing.
fn flashed(bytes: u64) -> Option<StandIn> {
    let stand_in = StandIn::new();
    let card = File::create(stand_in.at("card")).unwrap();
    card.set_len(IMAGE * MIB).unwrap();
    let mut sfdisk = Command::new("sfdisk")
        .arg("-q")
        .arg(stand_in.at("card"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .ok()?;
    sfdisk.stdin.take().unwrap().write_all(TABLE.as_bytes()).unwrap();
    assert!(sfdisk.wait().unwrap().success());
    Command::new("partx").arg("--version").output().ok()?;
    // Something in each partition, at its beginning and at its end.
    for place in [4, 516, 836, 1156] {
        card.write_all_at(b"begin", place * MIB).unwrap();
        card.write_all_at(b"end", place * MIB - 3).unwrap();
    }
    card.write_all_at(b"end", IMAGE * MIB - 3).unwrap();
    card.set_len(bytes).unwrap();
    for folder in ["sys/class/block/card", "dev"] {
        fs::create_dir_all(stand_in.at(folder)).unwrap();
    }
    fs::write(stand_in.at("sys/class/block/card/size"), format!("{}\n", bytes / 512)).unwrap();
    let real = |name: &str| format!("{CALLED}PATH=${{PATH#*:}} {name} \"$@\"\nended\n");
    stand_in.tool("findmnt", &format!("{CALLED}echo /dev/root\nended\n"));
    // The program looks for it in /dev.
    let card = stand_in.at("card").display().to_string();
    stand_in.tool("lsblk", &format!("{CALLED}echo '..{card}'\nended\n"));
    stand_in.tool("partx", &format!("case \"$*\" in\n*-u*) exit 0 ;;\nesac\n{}", real("partx")));
    stand_in.tool("sfdisk", &real("sfdisk"));
    stand_in.tool("mcos", &format!("{CALLED}'{}' \"$@\"\nended\n", env!("CARGO_BIN_EXE_mcos")));
    stand_in.tool("udevadm", "[ \"$1\" = lock ] || exit 0\nshift 2\n\"$@\"\n");
    Some(stand_in)
}

/// In a group of processes of its own, which the cut ends.
fn grow(stand_in: &StandIn) -> Output {
    let _ = fs::remove_file(stand_in.at("calls"));
    stand_in.command(&["sh"], "grow-data").process_group(0).output().unwrap()
}

/// First sector and number of sectors of each partition.
fn table(stand_in: &StandIn) -> Vec<(u32, u32)> {
    let mut sector = [0; 512];
    File::open(stand_in.at("card")).unwrap().read_exact_at(&mut sector, 0).unwrap();
    assert_eq!((&sector[440..444], &sector[510..]), (&0x6d63_6f73_u32.to_le_bytes()[..], &[0x55, 0xaa][..]));
    let word = |at: usize| u32::from_le_bytes(sector[at..at + 4].try_into().unwrap());
    (0..4).map(|number| 446 + number * 16).map(|entry| (word(entry + 8), word(entry + 12))).collect()
}

/// The image is on the card as it was, but for the end of its last partition.
fn is_whole(stand_in: &StandIn) {
    let card = File::open(stand_in.at("card")).unwrap();
    let has = |place: u64, wanted: &[u8]| {
        let mut bytes = vec![0; wanted.len()];
        card.read_exact_at(&mut bytes, place).unwrap();
        assert_eq!(bytes, wanted, "at {place}");
    };
    for place in [4, 516, 836, 1156] {
        has(place * MIB, b"begin");
        has(place * MIB - 3, b"end");
    }
    has(IMAGE * MIB - 3, b"end");
}

fn sectors(mib: u64) -> u32 {
    u32::try_from(mib * MIB / 512).unwrap()
}

fn as_in_the_image() -> Vec<(u32, u32)> {
    [(4, 512), (516, 320), (836, 320), (1156, 64)].map(|(start, size)| (sectors(start), sectors(size))).into()
}

#[test]
fn wherever_the_plug_is_pulled_the_next_start_goes_on_from_there() {
    let bytes = 2 << 30;
    let mut grown = as_in_the_image();
    grown[3].1 = sectors(2048 - 1156);
    let mut cuts = 0;
    for number in 1.. {
        for when in ["before", "after"] {
            let Some(stand_in) = flashed(bytes) else {
                return skipped("a growing data partition: sfdisk or partx is not installed (fdisk)");
            };
            fs::write(stand_in.at("cut"), format!("{number} {when}")).unwrap();
            let output = grow(&stand_in);
            if output.status.signal() != Some(9) {
                // There are no more steps.
                assert!(output.status.success() && number > 5, "{output:?}");
                assert_eq!(table(&stand_in), grown);
                assert!(cuts > 10, "{cuts}");
                return;
            }
            cuts += 1;
            let left = table(&stand_in);
            assert!(left == as_in_the_image() || left == grown, "{number} {when}: {left:?}");
            fs::remove_file(stand_in.at("cut")).unwrap();
            for _ in 0..2 {
                let output = grow(&stand_in);
                assert!(output.status.success(), "{output:?}");
                assert_eq!(table(&stand_in), grown, "{number} {when}");
                assert_eq!(stand_in.notes(), "");
                is_whole(&stand_in);
            }
        }
    }
}

#[test]
fn a_card_without_room_stays_as_it_is_and_one_that_is_too_small_is_told() {
    for (bytes, told) in [
        (IMAGE * MIB, ""),
        (IMAGE * MIB + 4 * MIB - 512, ""),
        ((IMAGE - 1) * MIB, "the card is smaller than the image"),
        ((IMAGE - 100) * MIB, "the card is smaller than the image"),
    ] {
        let Some(stand_in) = flashed(bytes) else {
            return skipped("cards of odd sizes: sfdisk or partx is not installed (fdisk)");
        };
        let output = grow(&stand_in);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(table(&stand_in), as_in_the_image());
        let said = stand_in.notes();
        assert!(said.contains(told) && said.is_empty() == told.is_empty(), "{bytes}: {said}");
        let screen = fs::read_to_string(stand_in.at("dev/console")).unwrap_or_default();
        assert!(screen.contains(told) && screen.is_empty() == told.is_empty(), "{bytes}: {screen}");
        if told.is_empty() {
            is_whole(&stand_in);
        } else {
            // Without the partition there is no server, and the status says why.
            stand_in.tool("findmnt", "exit 1\n");
            stand_in.tool("systemctl", "echo inactive\n");
            assert!(stand_in.run("box-status").status.success());
            let status = fs::read_to_string(stand_in.at("boot/mcos/mcos-status.txt")).unwrap();
            let status = status.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                status.contains("cannot be read") && status.contains("write the image to one of 2 GB"),
                "{status}"
            );
        }
    }
}

#[test]
fn a_card_that_does_not_keep_what_it_takes_is_not_grown_to_and_is_told() {
    let Some(stand_in) = flashed(4 << 30) else {
        return skipped("a card that lies: sfdisk or partx is not installed (fdisk)");
    };
    stand_in.tool("mcos", "echo 'mcos: the card has less than the 4 GB that it says it has' >&2\nexit 1\n");
    let output = grow(&stand_in);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(table(&stand_in), as_in_the_image());
    let said = stand_in.notes();
    assert_eq!(
        said,
        "the card has less than the 4 GB that it says it has, so there is little room on it for accounts and cars; use another one\n"
    );
    is_whole(&stand_in);
}
