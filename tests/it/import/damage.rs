//! No input, however damaged, makes the import panic or run for ever.

#[path = "../../../crates/jet-reader/tests/it/damage/changes.rs"]
mod changes;

use super::counted::Counted;
use super::{BOTH, game, samples, writer};
use mcos::catalog::import;
use std::fs;
use std::sync::LazyLock;

/// Real files where they are, and written ones.
static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let written = BOTH
        .into_iter()
        .flat_map(|version| [0, 7].map(|key| writer::database(version, key, &game::tables())));
    let real = samples::files().into_iter().map(|file| fs::read(file).unwrap());
    written.chain(real).collect()
});

/// Imports as far as it goes.
fn read_everything(bytes: &[u8]) {
    let _ = import::read(Counted::new(bytes), "x", 1, |_| ());
}
