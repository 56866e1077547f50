//! What the box takes: time to start, memory, and writes to its card. `scripts/test-image --measure` asks for it.

use super::board::Board;
use super::machine::Machine;
use super::{Bench, players};
use smol::block_on;
use std::env;
use std::thread::sleep;
use std::time::Duration;

/// How often each start is measured; the one in the middle counts.
const STARTS: usize = 3;
/// How long a box is left alone before it counts as idle: past its own housekeeping after a start.
const SETTLED: Duration = Duration::from_mins(25);

/// Seconds from the kernel's first moment, which is when its clock starts, until a unit was active.
fn seconds_until(machine: &mut Machine, unit: &str) -> f64 {
    loop {
        let said = machine.ask(&format!("systemctl show -P ActiveEnterTimestampMonotonic {unit}"));
        let microseconds: f64 = said.parse().unwrap();
        if microseconds > 0.0 {
            return microseconds / 1e6;
        }
        sleep(Duration::from_secs(2));
    }
}

/// What is in use of the memory, in MiB; without what the kernel would give back.
fn memory_used(machine: &mut Machine) -> u64 {
    let said = machine.ask("awk '/^MemTotal/{t=$2} /^MemAvailable/{print t-$2}' /proc/meminfo");
    said.parse::<u64>().unwrap() / 1024
}

/// What was written to the card since the start, in KiB.
fn written(machine: &mut Machine, board: &Board) -> u64 {
    machine.ask(&format!("awk '{{print $7}}' /sys/block/{}/stat", board.disk())).parse::<u64>().unwrap() / 2
}

fn middle(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

#[test]
#[ignore = "takes ten minutes and proves nothing: scripts/test-image --measure"]
fn what_a_start_costs() {
    let Some(bench) = Bench::new() else { return };
    let debian = bench.debian();

    // The first start of a card is another thing: it grows the data partition and makes keys.
    let card = bench.flashed();
    bench.tell_the_kernel(&card, &bench.board.shell());
    let mut machine = bench.start(&card);
    machine.await_pages();
    let first = seconds_until(&mut machine, "mcos.service");
    // Long enough for everything to be on the card.
    sleep(Duration::from_mins(1));
    machine.pull_the_plug();

    let (mut bare, mut boxes) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let mut machine = Machine::start_debian(&bench.board, &debian, None);
        bare.push(seconds_until(&mut machine, "multi-user.target"));
        machine.pull_the_plug();

        let mut machine = bench.start(&card);
        machine.await_pages();
        boxes.push(seconds_until(&mut machine, "mcos.service"));
        machine.pull_the_plug();
    }
    eprintln!("kernel to all ports, first start of a card: {first:.1} s");
    eprintln!("kernel to all ports: {boxes:.1?} s; bare Debian to multi-user.target: {bare:.1?} s");
    let (bare, boxes) = (middle(bare), middle(boxes));
    eprintln!("{boxes:.1} : {bare:.1} = {:.2}", boxes / bare);
}

#[test]
#[ignore = "takes an hour and a half and proves nothing: scripts/test-image --measure"]
fn what_an_idle_hour_costs() {
    let Some(bench) = Bench::new() else { return };
    let mut machine = Machine::start_debian(&bench.board, &bench.debian(), None);
    machine.ask("systemctl is-system-running --wait");
    let bare = memory_used(&mut machine);
    machine.pull_the_plug();

    let minutes = env::var("MCOS_IDLE_MINUTES").map_or(60, |minutes| minutes.parse().unwrap());
    let card = bench.flashed();
    bench.tell_the_kernel(&card, &bench.board.shell());
    let mut machine = bench.start(&card);
    machine.await_pages();
    players::make_account("marty").unwrap();
    block_on(players::make_driver("marty")).unwrap();
    sleep(SETTLED);
    let used = memory_used(&mut machine);
    let server = machine.ask("awk '/^VmRSS/{print $2}' /proc/$(pidof mcos)/status");
    eprintln!("memory in use, idle: {used} MiB, of which the server {server} KiB; bare Debian: {bare} MiB");
    let before = written(&mut machine, &bench.board);
    sleep(Duration::from_mins(minutes));
    let after = written(&mut machine, &bench.board);
    eprintln!("written in {minutes} idle minutes: {} KiB ({before} KiB before)", after - before);
    machine.pull_the_plug();
}
