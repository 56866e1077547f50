//! The files of the data folder by which the command line and a running server exchange a backup. The command removes its own when it ends;
//! what one has left that was cut off goes at the next start of a server.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// No command needs its file for longer.
const LONGEST: Duration = Duration::from_hours(1);
/// So many entries of the data folder are looked at. It has some dozens.
const MOST_ENTRIES: usize = 10_000;

/// Whether this is the name of such a file: `exchange-`, digits, `.mcos`.
pub fn is_exchange_name(name: &str) -> bool {
    let number = name.strip_prefix("exchange-").and_then(|rest| rest.strip_suffix(".mcos"));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Removes what commands have left in the data folder `data` that were cut off. They may be large, and hold everything in clear.
pub fn sweep(data: &Path, now: SystemTime) {
    let Ok(entries) = fs::read_dir(data) else { return };
    for entry in entries.take(MOST_ENTRIES).flatten() {
        let name = entry.file_name();
        // One that was still being written has more behind its name.
        let is_ours =
            name.to_str().is_some_and(|name| is_exchange_name(name.strip_suffix(".new").unwrap_or(name)));
        let is_old = || {
            let changed = entry.metadata().ok().filter(fs::Metadata::is_file)?.modified().ok()?;
            now.duration_since(changed).ok().filter(|age| *age > LONGEST)
        };
        if !is_ours || is_old().is_none() {
            continue;
        }
        match fs::remove_file(entry.path()) {
            Ok(()) => {
                log::warn!("removed {}, which a command that was cut off has left", entry.path().display());
            }
            Err(error) => {
                log::warn!("{} is left over and cannot be removed: {error}", entry.path().display());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn what_was_left_is_removed_after_an_hour_and_nothing_else_ever() {
        let data = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        let age = |name: &str, minutes: u64| {
            let file = File::create(data.path().join(name)).unwrap();
            file.set_modified(now - Duration::from_mins(minutes)).unwrap();
        };
        for name in ["exchange-1.mcos", "exchange-22.mcos.new"] {
            age(name, 61);
        }
        let kept =
            ["exchange-3.mcos", "exchange-.mcos", "exchange-x.mcos", "exchange-4.mcos.old", "backup.mcos"];
        age(kept[0], 59);
        for name in &kept[1..] {
            age(name, 600);
        }
        // The clock of a board may have been put back.
        age("exchange-5.mcos", 0);
        fs::create_dir(data.path().join("exchange-6.mcos")).unwrap();
        sweep(data.path(), now);
        let mut left: Vec<_> = fs::read_dir(data.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        let mut wanted = [&kept[..], &["exchange-5.mcos", "exchange-6.mcos"]].concat();
        wanted.sort_unstable();
        assert_eq!(left, wanted);
        sweep(&data.path().join("none"), now);
    }
}
