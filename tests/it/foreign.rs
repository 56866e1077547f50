//! Foreign programs as peers, and what to say when one is not installed.

use crate::support::chromium::test_peers;
use crate::support::{PATIENCE, skipped};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// As [`skipped`], for a program that is missing.
pub(crate) fn skip_missing(program: &str) {
    skipped(&format!("{program} is not installed; run scripts/install-test-peers"));
}

/// Runs a program with `input`; `None` if it is not installed.
pub(crate) fn run(program: impl Into<PathBuf>, arguments: &[&str], input: &[u8]) -> Option<Output> {
    let program = program.into();
    let mut command = Command::new(&program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => panic!("{}: {error}", program.display()),
    };
    let mut stdin = child.stdin.take().unwrap();
    // A peer that gives up early does not take its input.
    let _ = stdin.write_all(input);
    let _ = stdin.flush();
    let watched = child.id();
    let started = Instant::now();
    let waiter = thread::spawn(move || child.wait_with_output());
    while !waiter.is_finished() {
        thread::sleep(Duration::from_millis(5));
        assert!(started.elapsed() < PATIENCE, "{} (process {watched}) does not end", program.display());
    }
    drop(stdin);
    Some(waiter.join().unwrap().unwrap())
}

/// A program of the Python environment that scripts/install-test-peers makes.
pub(crate) fn python() -> PathBuf {
    test_peers().join("venv/bin/python")
}

/// For a message about a failure.
pub(crate) fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let stdout = output.stdout.len();
    format!("{}, {stdout} bytes of output, said: {text}", output.status)
}
