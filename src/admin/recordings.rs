//! Recordings that the Server Operator switches on and off while the server runs: their folders in the data folder, their bounds,
//! and what the layer of sockets does on command.

use crate::clock::Now;
use crate::recording::EXTENSION;
use mco_proto::ids::CustomerId;
use std::fs;
use std::io::{self, Cursor, Write as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Bytes of one recording at most: it is downloaded as one file, from memory.
pub const MOST_BYTES: u64 = 32 << 20;
/// Recordings that are kept at most; the oldest goes.
pub const MOST_KEPT: usize = 4;
/// For how long is recorded at most, in minutes.
pub const MOST_MINUTES: u64 = 240;

/// The folder of all recordings in the data folder.
const FOLDER: &str = "recordings";
/// What the folder of a recording is called, before its number.
const PREFIX: &str = "recording-";

/// Whose messages are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Those of every Client.
    Everybody,
    /// Those of one account.
    Account {
        /// Its number.
        customer: CustomerId,
        /// Its name, for people.
        name: String,
    },
    /// Those from one address.
    Address(IpAddr),
}

/// What is recorded at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// The recording's name.
    pub name: String,
    /// Whose messages.
    pub whom: Whom,
    /// When it ends by itself, in seconds since 1970 UTC.
    pub until: u64,
}

/// The switch, which the layer of sockets has.
pub trait RecordingSwitch: Send + Sync {
    /// Records from now on, for so many minutes.
    ///
    /// # Errors
    /// Why not, in words.
    fn start(&self, whom: Whom, minutes: u64, now: Now) -> Result<(), String>;
    /// Records no longer. Returned is whether anything was recorded. Waits until the card has all of it.
    fn stop(&self) -> bool;
    /// What is recorded now.
    fn running(&self) -> Option<Running>;
    /// How the last one ended, in words, if by itself and not by [`RecordingSwitch::stop`].
    fn ended(&self) -> Option<String>;
}

/// A recording in the data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its name: that of its folder.
    pub name: String,
    /// How many connections are in it.
    pub files: usize,
    /// How many bytes they have.
    pub bytes: u64,
}

/// All recordings in the data folder `data`, the oldest first.
///
/// # Errors
/// What the system says.
pub fn list(data: &Path) -> io::Result<Vec<Kept>> {
    let mut kept = Vec::new();
    for (_, name) in numbered(data)? {
        let files = files(&data.join(FOLDER).join(&name))?;
        let bytes = files.iter().filter_map(|file| fs::metadata(file).ok()).map(|file| file.len()).sum();
        kept.push(Kept { name, files: files.len(), bytes });
    }
    Ok(kept)
}

/// A name and a folder, which is not made yet, for one more recording. Old ones go until there is room for it.
///
/// # Errors
/// What the system says.
pub fn next(data: &Path) -> io::Result<(String, PathBuf)> {
    let present = numbered(data)?;
    let number = present.last().map_or(0, |(number, _)| *number).saturating_add(1);
    let too_many = (present.len() + 1).saturating_sub(MOST_KEPT);
    for (_, old) in present.iter().take(too_many) {
        fs::remove_dir_all(data.join(FOLDER).join(old))?;
        log::info!("{old} is removed: {MOST_KEPT} recordings are kept");
    }
    let name = format!("{PREFIX}{number:06}");
    Ok((name.clone(), data.join(FOLDER).join(name)))
}

/// Removes a recording. Returned is whether there was one of that name.
///
/// # Errors
/// What the system says.
pub fn remove(data: &Path, name: &str) -> io::Result<bool> {
    let found = number_of(name).is_some() && data.join(FOLDER).join(name).is_dir();
    if found {
        fs::remove_dir_all(data.join(FOLDER).join(name))?;
    }
    Ok(found)
}

/// A recording as one zip file; `None` if there is none of that name.
///
/// # Errors
/// What the system says.
pub fn zip(data: &Path, name: &str) -> io::Result<Option<Vec<u8>>> {
    let folder = data.join(FOLDER).join(name);
    if number_of(name).is_none() || !folder.is_dir() {
        return Ok(None);
    }
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o600);
    for path in files(&folder)? {
        if let Some(file) = path.file_name().and_then(|file| file.to_str()) {
            zip.start_file(format!("{name}/{file}"), options).map_err(io::Error::other)?;
            zip.write_all(&fs::read(&path)?)?;
        }
    }
    Ok(Some(zip.finish().map_err(io::Error::other)?.into_inner()))
}

fn number_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix(PREFIX)?;
    digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Numbers and names of all recordings, in order.
fn numbered(data: &Path) -> io::Result<Vec<(u64, String)>> {
    let entries = match fs::read_dir(data.join(FOLDER)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        if let Ok(name) = entry?.file_name().into_string()
            && let Some(number) = number_of(&name)
        {
            found.push((number, name));
        }
    }
    found.sort();
    Ok(found)
}

/// The files of a recording, in order.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_recording_goes_and_numbers_go_on() {
        let data = tempfile::tempdir().unwrap();
        assert_eq!(list(data.path()).unwrap(), []);
        for number in 1..=7 {
            let (name, folder) = next(data.path()).unwrap();
            assert_eq!(name, format!("recording-{number:06}"));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("000001-mail.jsonl"), "{}\n").unwrap();
        }
        let names: Vec<String> = list(data.path()).unwrap().into_iter().map(|kept| kept.name).collect();
        assert_eq!(names, [4, 5, 6, 7].map(|number| format!("recording-{number:06}")));
        assert!(remove(data.path(), "recording-000005").unwrap());
        assert!(!remove(data.path(), "recording-000005").unwrap());
    }

    #[test]
    fn only_recordings_are_given_away_or_removed() {
        let data = tempfile::tempdir().unwrap();
        fs::create_dir_all(data.path().join("tls")).unwrap();
        fs::create_dir_all(data.path().join(FOLDER)).unwrap();
        for name in ["..", "../tls", "", "recording-", "recording-1/../../tls", "recording-+1"] {
            assert!(
                !remove(data.path(), name).unwrap() && zip(data.path(), name).unwrap().is_none(),
                "{name}"
            );
        }
        assert!(data.path().join("tls").is_dir());
    }
}
