//! The import of a catalogue from a Jet file, which these tests write themselves.

mod command;
#[path = "../../../crates/jet-reader/tests/it/counted.rs"]
mod counted;
mod damage;
#[allow(clippy::too_many_lines, reason = "the tables are long")]
pub(crate) mod game;
#[path = "../../../crates/jet-reader/tests/it/samples.rs"]
mod samples;
mod tables;
#[path = "../../../crates/jet-reader/tests/it/writer.rs"]
#[allow(dead_code, reason = "shared with the tests of the reader")]
pub(crate) mod writer;

use jet_reader::Version;

const BOTH: [Version; 2] = [Version::Jet3, Version::Jet4];
