//! Where real Jet files are found, and what is said when there are none.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Says on the terminal, and at the end of `scripts/test`, what this run did not do.
pub(crate) fn skip(why: &str) {
    eprintln!("SKIPPED: {why}");
    if let Some(list) = std::env::var_os("MCOS_SKIPS") {
        let list = OpenOptions::new().append(true).create(true).open(list);
        list.and_then(|mut list| writeln!(list, "{why}")).unwrap();
    }
}

/// The real files, if they were fetched.
pub(crate) fn files() -> Option<Vec<PathBuf>> {
    let folder = std::env::var_os("MCOS_JET_SAMPLES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/jet-samples"), PathBuf::from);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "mdb"));
    files.sort();
    if files.is_empty() {
        skip("no real Jet files (scripts/fetch-jet-samples): the reader not tested on them");
        return None;
    }
    Some(files)
}
