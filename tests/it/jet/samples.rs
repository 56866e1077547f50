//! Where real Jet files are found, and what is said when there are none.

use crate::support::skipped;
use std::fs;
use std::path::{Path, PathBuf};

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
        skipped("no real Jet files (scripts/fetch-jet-samples): the reader not tested on them");
        return None;
    }
    Some(files)
}
