//! Whose files these are: whoever the data directory belongs to, also when root did the work.
//!
//! `sudo mcos account add` without a running server makes and replaces files, and the server must be able to use them.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, lchown};
use std::path::{Path, PathBuf};

/// What the store makes in the data directory; also what was set aside, which has more behind its name.
const OURS: [&str; 7] = [
    "database",
    "backup.mcos",
    "backup-password",
    "restore.mcos",
    "store.lock",
    "catalog.mcos",
    "mcos.toml.last",
];
const FOLDERS: [&str; 2] = ["tls", "patch"];

/// Hands the files over when it is dropped.
#[derive(Debug)]
pub(super) struct HandOver(pub(super) PathBuf);

impl Drop for HandOver {
    fn drop(&mut self) {
        hand_over(&self.0);
    }
}

/// Gives to the owner of `dir` what somebody else, who can only be root, has made there.
pub(super) fn hand_over(dir: &Path) {
    let work = || -> io::Result<()> {
        let owner = fs::metadata(dir)?;
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if FOLDERS.contains(&&*name) || OURS.iter().any(|ours| name.starts_with(ours)) {
                give(&entry.path(), owner.uid(), owner.gid())?;
            }
        }
        Ok(())
    };
    if let Err(error) = work() {
        log::warn!("some files in {} do not belong to its owner: {error}", dir.display());
    }
}

fn give(path: &Path, user: u32, group: u32) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    if found.is_dir() {
        for entry in fs::read_dir(path)? {
            give(&entry?.path(), user, group)?;
        }
    }
    // Links could lead to files elsewhere.
    let plain = found.is_dir() || found.is_file() && found.nlink() == 1;
    if plain && found.uid() != user { lchown(path, Some(user), Some(group)) } else { Ok(()) }
}
