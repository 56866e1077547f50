//! `mcos update`: installs a new system on the box, and shows the state of the last update.

use super::progress::Progress;
use super::{CliError, Setting, backup, output, reach};
use crate::appliance::{self, Bundle, Disk, Slot, UpdateError, UpdateKey, disk};
use clap::Args;
use log::{info, warn};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The name of the backup that is kept beside the data before an update.
const BEFORE: &str = "before-update.mcos";

#[derive(Debug, Args)]
pub(super) struct Update {
    /// Update bundle: mcos-VERSION-BOARD.update
    #[arg(value_name = "FILE", required_unless_present_any = ["confirm", "status"])]
    file: Option<PathBuf>,
    /// Keep the running system for good, if it is being tried
    #[arg(long, conflicts_with_all = ["file", "status", "key", "board"])]
    confirm: bool,
    /// Show which slot runs, which one is committed, and which one is being tried
    #[arg(long, conflicts_with_all = ["file", "key", "board"])]
    status: bool,
    /// Print the status as JSON
    #[arg(long, requires = "status")]
    json: bool,
    /// Card or image file to change [default: the disk this system runs from]
    #[arg(long, value_name = "PATH")]
    disk: Option<PathBuf>,
    /// Public key (Ed25519, PEM) that must have signed the bundle [default: the key of the box]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Kind of board that the bundle must be for [default: the board of the box]
    #[arg(long, value_name = "NAME")]
    board: Option<String>,
}

pub(super) fn run(setting: &Setting, command: &Update) -> Result<(), CliError> {
    if command.status {
        return status(command);
    }
    let (path, running) = place(command)?;
    match &command.file {
        Some(file) => install(setting, command, file, &path, running),
        None => confirm(&path, running),
    }
}

/// The disk to work on, and the slot that runs from it, if one does.
fn place(command: &Update) -> Result<(PathBuf, Option<Slot>), CliError> {
    if let Some(path) = &command.disk {
        return Ok((path.clone(), None));
    }
    let (path, slot) = disk::running().map_err(CliError::failed)?;
    Ok((path, Some(slot)))
}

fn install(
    setting: &Setting,
    command: &Update,
    file: &Path,
    path: &Path,
    running: Option<Slot>,
) -> Result<(), CliError> {
    let folder = Path::new(appliance::FOLDER);
    let key = command.key.clone().unwrap_or_else(|| appliance::key_file(folder));
    let key = UpdateKey::read(&key).map_err(|error| or_name(error, "--key"))?;
    let board = match &command.board {
        Some(board) => board.clone(),
        None => appliance::board(folder).map_err(|error| or_name(error, "--board"))?,
    };
    let bundle = Bundle::open(file, &key, &board).map_err(CliError::failed)?;
    let disk = Disk::open_to_change(path).map_err(CliError::failed)?;
    let manifest = bundle.manifest().clone();
    let slot = disk.target(running, &manifest).map_err(CliError::failed)?;
    let version = &manifest.version;
    if running.is_some() {
        info!("installing {version} in slot {slot}; version {} is running", env!("CARGO_PKG_VERSION"));
        if !is_newer(version, env!("CARGO_PKG_VERSION")) {
            warn!("{version} is not newer than the running version; it is installed anyway");
        }
        keep_backup(setting)?;
    } else {
        info!("installing {version} in slot {slot} of {}", path.display());
    }
    let mut progress = Progress::of(manifest.size);
    disk.install(slot, bundle, |safe| progress.at(safe, "written")).map_err(CliError::failed)?;
    drop(progress);
    if running.is_some() {
        reach::note_by_server(setting, format!("update to {version}"))?;
    }
    // The box looks for "the box tries it at its next start", to add how that ended (image/overlay/usr/lib/mcos/update-outcome).
    output::line(&format!(
        "mcos {version} is in slot {slot}; the box tries it at its next start, {} times at most, and goes back to slot {} \
         if it does not start properly",
        disk::TRIES,
        slot.other()
    ))
}

/// A trial may change the data in a way the old system does not understand. So what there was before is kept.
fn keep_backup(setting: &Setting) -> Result<(), CliError> {
    let file = setting.data.join(BEFORE);
    match backup::keep(setting, &file) {
        Ok(true) => info!("a backup of the data is in {}", file.display()),
        Ok(false) => warn!("there is no data in {}, so no backup is made", setting.data.display()),
        Err(CliError::Failed(why) | CliError::Usage(why)) => {
            return Err(CliError::Failed(format!(
                "nothing was changed, because the data could not be backed up: {why}; to install without a backup, name the disk with --disk"
            )));
        }
    }
    Ok(())
}

fn confirm(path: &Path, running: Option<Slot>) -> Result<(), CliError> {
    let disk = Disk::open_to_change(path).map_err(CliError::failed)?;
    match disk.confirm(running).map_err(CliError::failed)? {
        Some(slot) => output::line(&format!("slot {slot} is committed")),
        None => output::line("no update is being tried; nothing was changed"),
    }
}

/// What a box can tell about itself.
#[derive(Serialize)]
struct Status {
    disk: PathBuf,
    running: Option<String>,
    committed: String,
    /// The slot on trial.
    trial: Option<String>,
    /// How often it may still be tried.
    tries: u32,
    version: &'static str,
    board: Option<String>,
}

fn status(command: &Update) -> Result<(), CliError> {
    let (path, running) = place(command)?;
    let sector = Disk::open(&path).and_then(|disk| disk.slot_sector()).map_err(CliError::failed)?;
    let other = sector.committed.other();
    let on_trial = sector.tries > 0 || running == Some(other);
    let status = Status {
        disk: path,
        running: running.map(|slot| slot.to_string()),
        committed: sector.committed.to_string(),
        trial: on_trial.then(|| other.to_string()),
        tries: sector.tries,
        version: env!("CARGO_PKG_VERSION"),
        board: appliance::board(Path::new(appliance::FOLDER)).ok(),
    };
    if command.json {
        return output::line(&serde_json::to_string(&status).map_err(CliError::failed)?);
    }
    let Status { disk, running, committed, trial, tries, version, board } = status;
    let trial = trial.map_or_else(|| "none".to_owned(), |slot| format!("slot {slot}, {tries} more tries"));
    for (name, fact) in [
        ("disk", disk.display().to_string()),
        ("running", running.map_or_else(|| "unknown".to_owned(), |slot| format!("slot {slot}"))),
        ("committed", format!("slot {committed}")),
        ("trial", trial),
        ("version", version.to_owned()),
        ("board", board.unwrap_or_else(|| "unknown".to_owned())),
    ] {
        output::line(&format!("{name}: {fact}"))?;
    }
    Ok(())
}

/// Where a default is missing, the option can say what it would.
fn or_name(error: UpdateError, option: &str) -> CliError {
    match error {
        UpdateError::Unreadable { .. } => CliError::Failed(format!("{error}; name it with {option}")),
        error => CliError::failed(error),
    }
}

/// Whether a version is newer than another. What is no number in it does not count.
fn is_newer(version: &str, than: &str) -> bool {
    let numbers = |version: &str| -> Vec<u64> {
        version.split(['.', '-', '+', '~']).take(3).map_while(|number| number.parse().ok()).collect()
    };
    numbers(version) > numbers(than)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        for (version, than, newer) in [
            ("0.2.0", "0.1.9", true),
            ("0.10.0", "0.9.0", true),
            ("0.1.0", "0.1.0", false),
            ("0.1.0+git5", "0.1.0", false),
            ("0.0.9", "0.1.0", false),
            ("nightly", "0.1.0", false),
        ] {
            assert_eq!(is_newer(version, than), newer, "{version} {than}");
        }
    }
}
