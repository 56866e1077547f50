//! What only the starter of the Raspberry Pi 5 does: it stays where the slot has its own kernel, and starts another one where not.

use super::{Bench, Board, Card, all_is_well, players, support};
use smol::block_on;
use std::fs::File;
use std::os::unix::fs::FileExt as _;

/// The slot sector and its copy, in bytes.
const SECTORS: [u64; 2] = [2048 * 512, 2056 * 512];
/// The slots, in bytes (image/layout).
const SLOTS: [u64; 2] = [516 << 20, 836 << 20];
const SLOT_BYTES: usize = 320 << 20;
/// What stands before the sum of its kernel in a slot's boot script.
const SUM_IS_BEHIND: &[u8] = b"#: stay_if ";

/// Puts the version of slot A into slot B as well, as one whose kernel is another one, and has it tried.
fn with_another_kernel(card: &Card, tries: u32) {
    let disk = File::options().read(true).write(true).open(card.path()).unwrap();
    let mut sector = [0; 512];
    disk.read_exact_at(&mut sector, SECTORS[0]).unwrap();
    let number = |at: usize| u32::from_le_bytes(sector[at..at + 4].try_into().unwrap());
    let (first, sectors) = (number(20), number(24));
    let mut slot = vec![0; SLOT_BYTES];
    disk.read_exact_at(&mut slot, SLOTS[0]).unwrap();
    let begin = usize::try_from(u64::from(first) * 512 - SLOTS[0]).unwrap();
    let script = &mut slot[begin..][..sectors as usize * 512];
    let sum = script.windows(SUM_IS_BEHIND.len()).position(|bytes| bytes == SUM_IS_BEHIND).unwrap();
    script[sum + SUM_IS_BEHIND.len()..][..64].fill(b'0');
    disk.write_all_at(&slot, SLOTS[1]).unwrap();
    let apart = u32::try_from((SLOTS[1] - SLOTS[0]) / 512).unwrap();
    sector[16..20].copy_from_slice(&tries.to_le_bytes());
    sector[28..32].copy_from_slice(&(first + apart).to_le_bytes());
    sector[32..36].copy_from_slice(&sectors.to_le_bytes());
    let sum = crc32fast::hash(&sector[..508]);
    sector[508..].copy_from_slice(&sum.to_be_bytes());
    for at in SECTORS {
        disk.write_all_at(&sector, at).unwrap();
    }
}

#[test]
fn the_starter_stays_for_its_own_kernel_and_starts_another_one_at_each_start() {
    let Some(bench) = Bench::new() else { return };
    if !matches!(bench.board, Board::Pi5) {
        return support::skipped("this is no Raspberry Pi 5 (scripts/test-image --pi5)");
    }
    let card = bench.flashed();
    let shell = bench.board.shell();
    bench.tell_the_kernel(&card, &shell);
    let mut machine = bench.start(&card);
    machine.await_pages();
    players::make_account("marty").unwrap();
    block_on(players::make_driver("marty")).unwrap();
    let words = machine.ask("cat /proc/cmdline");
    assert!(words.contains("mcos.starter=stay") && !words.contains("root="), "{words}");
    assert!(machine.ask("mcos update --status").contains("running: slot A"));
    machine.pull_the_plug();

    with_another_kernel(&card, 3);
    let mut machine = bench.start(&card);
    machine.await_that("the new version is kept", |_| card.slots() == (1, 0));
    all_is_well("marty");
    machine.pull_the_plug();

    // No trial any more: the kernel that the firmware starts is still the one of slot A.
    let mut machine = bench.start(&card);
    machine.await_pages();
    all_is_well("marty");
    let words = machine.ask("cat /proc/cmdline");
    assert!(words.contains("root=PARTUUID=6d636f73-03") && !words.contains("mcos.starter"), "{words}");
    assert!(machine.ask("mcos update --status").contains("running: slot B"));
    machine.pull_the_plug();
}
