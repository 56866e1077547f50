//! `mcos box`: what the programs of the box leave to this one, because it takes more than a shell to do it right. They are
//! in `image/overlay/usr/lib/mcos`. What has to be told to people goes into a file of notes (see `appliance::notes`).

use super::{CliError, output};
use crate::appliance::card_probe::{self, Found};
use crate::appliance::disk::Medium as _;
use crate::appliance::{Disk, UpdateError, disk, slot_sector, wifi};
use crate::atomic_file::{self, Access};
use crate::config::Config;
use crate::store::{BackupPassword, rotation};
use clap::Subcommand;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// More than `wpa_cli` has to say, in bytes.
const MAX_REPORT: u64 = 1024 * 1024;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make the settings of wpa_supplicant out of wifi.txt; without any, no network is joined
    Wifi {
        /// wifi.txt, as a person wrote it
        file: PathBuf,
        /// The settings to write, or to remove
        settings: PathBuf,
        /// The notes to write
        notes: PathBuf,
    },
    /// Note why the box is not in its Wi-Fi; standard input is what wpa_cli says
    WifiState {
        /// The settings of wpa_supplicant
        settings: PathBuf,
        /// The notes to write
        notes: PathBuf,
    },
    /// Print where the settings of the box want its backups
    BackupTarget {
        /// Which of the three settings: card (yes or no), stick (its label) or folder
        #[arg(value_enum)]
        which: Target,
        /// The folder with mcos.toml
        settings: PathBuf,
        /// The data folder, with the last settings without a mistake
        last: PathBuf,
    },
    /// Say whether a card keeps what is written on it behind a place; a few blocks there are written, and put back
    ProbeCard {
        /// The card, as a device
        disk: PathBuf,
        /// The first sector of 512 bytes that is free
        sector: u32,
    },
    /// Begin a start of the box: print the disk, then which slots to start, the best first, a line each: the number of its partition, the
    /// first sector of its boot script, and how many sectors that has. A slot on trial loses a try
    StartSlot {
        /// All disks there are; one of them is the box's
        disks: Vec<PathBuf>,
    },
    /// Put a backup into a folder with older ones, of which the newest of this server stay; an encrypted one needs --data
    KeepBackup {
        /// The backup
        file: PathBuf,
        /// The folder
        folder: PathBuf,
    },
}

/// A setting of `[backup]`.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Target {
    /// Whether the card gets them.
    Card,
    /// The label of the stick.
    Stick,
    /// The folder on it.
    Folder,
}

/// `data`: the data folder, which has the password of backups.
pub(super) fn run(command: Command, data: Option<&Path>) -> Result<(), CliError> {
    match command {
        Command::StartSlot { disks } => start_slot(&disks),
        Command::BackupTarget { which, settings, last } => backup_target(which, &settings, &last),
        Command::Wifi { file, settings, notes } => join(&file, &settings, &notes),
        Command::WifiState { settings, notes } => state(&settings, &notes),
        Command::ProbeCard { disk, sector } => probe_card(&disk, sector),
        Command::KeepBackup { file, folder } => {
            let password = data.map_or(Ok(None), BackupPassword::kept).map_err(CliError::failed)?;
            rotation::keep(&file, &folder, password.as_ref()).map_err(CliError::failed)
        }
    }
}

fn probe_card(disk: &Path, sector: u32) -> Result<(), CliError> {
    let broken = |error: io::Error| {
        CliError::Failed(format!("the card cannot be read and written to its end ({error})"))
    };
    let card = File::options().read(true).write(true).open(disk).map_err(broken)?;
    let from = u64::from(sector) * slot_sector::SECTOR as u64;
    let failed = |problem: String| Err(CliError::Failed(problem));
    match card_probe::try_out(&card, from).map_err(broken)? {
        Found::HoldsAll => Ok(()),
        // As it is written on cards: in billions.
        Found::HoldsLess => {
            let says = card.size().map_err(broken)? / 1_000_000_000;
            failed(format!("the card has less than the {says} GB that it says it has"))
        }
        Found::NoRoom => failed(format!(
            "the card has {} bytes, so from sector {sector} on there is no block on it that could be tried",
            card.size().map_err(broken)?
        )),
    }
}

fn start_slot(disks: &[PathBuf]) -> Result<(), CliError> {
    let begin = || {
        let path = disk::only_of(disks)?;
        Ok((path, Disk::open_to_change(path)?.begin_start()?))
    };
    let (path, slots) = begin().map_err(|error: UpdateError| CliError::failed(error))?;
    output::line(&path.display().to_string())?;
    for (slot, script) in slots {
        output::line(&format!("{} {} {}", slot.partition(), script.first, script.sectors))?;
    }
    Ok(())
}

fn backup_target(which: Target, settings: &Path, last: &Path) -> Result<(), CliError> {
    let backup = Config::load_on_box(None, settings, last).backup;
    let said = match which {
        Target::Card if backup.card => "yes".to_owned(),
        Target::Card => "no".to_owned(),
        Target::Stick => backup.stick,
        Target::Folder => backup.folder,
    };
    output::line(&said)
}

fn join(file: &Path, settings: &Path, notes: &Path) -> Result<(), CliError> {
    let mut bytes = Vec::new();
    let read = atomic_file::open(file).and_then(|file| file.take(wifi::MAX_FILE + 1).read_to_end(&mut bytes));
    let made = match read {
        Ok(_) => wifi::read(bytes),
        Err(error) => {
            let note = format!("wifi.txt cannot be read, and the box joins no Wi-Fi: {error}");
            wifi::Wifi { settings: None, notes: vec![note] }
        }
    };
    match made.settings {
        Some(text) => write(settings, Access::Owner, &text)?,
        None => remove(settings)?,
    }
    note(notes, &made.notes)
}

fn state(settings: &Path, notes: &Path) -> Result<(), CliError> {
    let mut report = Vec::new();
    io::stdin()
        .lock()
        .take(MAX_REPORT)
        .read_to_end(&mut report)
        .map_err(|error| CliError::Failed(format!("cannot read what wpa_cli says: {error}")))?;
    let settings = fs::read_to_string(settings)
        .map_err(|error| CliError::Failed(format!("{}: {error}", settings.display())))?;
    let trouble = wifi::trouble(&settings, &String::from_utf8_lossy(&report));
    note(notes, trouble.as_slice())
}

/// Replaces the notes; without any there is no file.
fn note(file: &Path, notes: &[String]) -> Result<(), CliError> {
    if notes.is_empty() {
        return remove(file);
    }
    for note in notes {
        // For the journal of the box.
        let _ = writeln!(io::stderr(), "{note}");
    }
    write(file, Access::Everyone, &(notes.join("\n") + "\n"))
}

/// Not synced: these files lie in memory.
fn write(file: &Path, access: Access, text: &str) -> Result<(), CliError> {
    atomic_file::replace_unsynced(file, access, |new| new.write_all(text.as_bytes()))
        .map_err(|error| CliError::Failed(format!("cannot write {}: {error}", file.display())))
}

fn remove(file: &Path) -> Result<(), CliError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(CliError::Failed(format!("cannot remove {}: {error}", file.display())))
        }
        _ => Ok(()),
    }
}
