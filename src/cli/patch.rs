//! `mcos patch`: files of the game that players' PCs can fetch with the kit's `update.bat`.
//!
//! The files are put into the data folder here, by the user who may read them; a running server reads the list anew at
//! each request.

use super::output::{self, Table};
use super::{CliError, Setting, reach};
use crate::clock::Now;
use crate::store::{PatchPath, PatchSet};
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a file, or replace the one at that path
    Add {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Where it belongs in the game's folder, for example Data/DB/Online.mdb
        #[arg(value_name = "PATH", value_parser = patch_path)]
        path: PatchPath,
        /// What it is, in one line; players see it
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
        /// Put it into backups as well
        #[arg(long)]
        backup: bool,
    },
    /// List the files
    List,
    /// Remove a file; PCs that have it keep it
    Remove {
        /// Its path in the game's folder
        #[arg(value_name = "PATH", value_parser = patch_path)]
        path: PatchPath,
    },
}

fn patch_path(text: &str) -> Result<PatchPath, &'static str> {
    PatchPath::parse(text)
}

pub(super) fn run(setting: &Setting, command: Command) -> Result<(), CliError> {
    reach::need_data(setting)?;
    let set = PatchSet::of(&setting.data);
    match command {
        Command::Add { file, path, note, backup } => {
            let content = output::open_regular(&file)?;
            let added = set.add(path, &note, backup, content, Now::read().unix).map_err(CliError::failed)?;
            reach::note(setting, format!("patch add {} {}", added.path, added.sha256))?;
            output::line(&format!("{}, {} bytes, SHA-256 {}", added.path, added.size, added.sha256))?;
            output::line("players get it with update.bat of their kit")
        }
        Command::List => {
            let mut table = Table::new(["PATH", "BYTES", "ADDED", "BACKUP", "SHA-256", "NOTE"]);
            for file in set.list().map_err(CliError::failed)? {
                let there = if set.open(&file).is_ok() { "" } else { "(MISSING: add it again) " };
                table.row([
                    file.path.to_string(),
                    file.size.to_string(),
                    setting.zone().day(file.added),
                    if file.in_backup { "yes" } else { "no" }.to_owned(),
                    file.sha256,
                    format!("{there}{}", file.note),
                ]);
            }
            table.print()
        }
        Command::Remove { path } => {
            let removed = set.remove(&path).map_err(CliError::failed)?;
            reach::note(setting, format!("patch remove {:?}", removed.path.to_string()))?;
            output::line(&format!("{} is removed; PCs that have it keep it", removed.path))
        }
    }
}
