//! Whose files they are. Root may run a command while no server runs; what that leaves in the data folder must be the
//! server's, or it could not read its own backup at the next start.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, lchown};
use std::path::Path;

const ROOT: u32 = 0;

/// Gives what root has made in the data folder to the folder's owner.
pub(super) fn hand_back(data: &Path) {
    let given = || -> io::Result<()> {
        let folder = fs::symlink_metadata(data)?;
        // The folder of a process belongs to whom the process runs as.
        let we_are_root = fs::metadata("/proc/self")?.uid() == ROOT;
        if we_are_root && folder.is_dir() && folder.uid() != ROOT {
            give(data, folder.uid(), folder.gid())?;
        }
        Ok(())
    };
    if let Err(error) = given()
        && error.kind() != io::ErrorKind::NotFound
    {
        log::warn!("what is in {} may not all belong to the server: {error}", data.display());
    }
}

/// Does not follow links: they may lead anywhere.
fn give(folder: &Path, user: u32, group: u32) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, found) = (entry.path(), entry.metadata()?);
        if found.uid() == ROOT {
            lchown(&path, Some(user), Some(group))?;
        }
        if found.is_dir() {
            give(&path, user, group)?;
        }
    }
    Ok(())
}
