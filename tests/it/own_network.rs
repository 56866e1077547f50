//! Tests that run themselves again in a network that nobody else is in: a network namespace of Linux, with the loopback device alone.

use crate::support::skipped;
use std::env;
use std::process::Command;

/// Set where a test runs in a network of its own.
const INSIDE: &str = "MCOS_OWN_NETWORK";

/// Whether the test that calls, by its full name, is in a network of its own already. If not, it is run in one, in which the line of
/// shell `prepare` comes first, and its result is this one's. Where such a network cannot be had, or the line `possible` fails in one,
/// the test is skipped, and `else_skipped` is told.
pub(crate) fn is_inside(test: &str, prepare: &str, possible: &str, else_skipped: &str) -> bool {
    if env::var_os(INSIDE).is_some() {
        return true;
    }
    let prepare = format!("ip link set lo up && {prepare}");
    let trial = format!("{prepare} && {possible}");
    let may = |way_in: &&[&str]| shell(way_in, &trial).output().is_ok_and(|output| output.status.success());
    let ways: [&[&str]; 2] = [&["--net"], &["--net", "--map-root-user"]];
    let Some(way_in) = ways.iter().find(|way_in| may(way_in)) else {
        skipped(else_skipped);
        return false;
    };
    let program = env::current_exe().unwrap();
    let script = format!("{prepare} && exec \"$0\" --exact {test} --nocapture");
    let output = shell(way_in, &script).arg(program).env(INSIDE, "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("1 passed"), "{said}");
    false
}

fn shell(way_in: &[&str], script: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(way_in).args(["sh", "-c", script]);
    command
}
