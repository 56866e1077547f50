//! `mcos catalog`: cars and parts from the owner's own copy of the game.
//!
//! The database is read here, by the user who may read the disc. What was taken is saved in the data folder, where the
//! server finds it when it starts; one that runs is asked to use it at once. So nothing large travels through the
//! control socket, and what the server reads is complete and checked before it looks.

use super::output::{self, Table};
use super::progress::Progress;
use super::reach::{self, NewFolder};
use super::{CliError, Setting};
use crate::admin::requests::{Request, Response};
use crate::catalog::import::{self, Progress as Steps, Reading, Summary};
use crate::catalog::{Catalog, Imported, file};
use crate::clock::{Now, Zone};
use crate::server::control::{self, AskError};
use clap::Subcommand;
use serde::Serialize;
use std::io::BufReader;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Import cars and parts from the game's own database
    Import {
        /// Database file (Jet, also called Access) of the installed game
        #[arg(value_name = "FILE.mdb")]
        file: PathBuf,
    },
    /// Show the known cars and parts, and what an import would add
    Show,
    /// List the cars for sale with the numbers of their models
    Cars {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(setting: &Setting, command: Command) -> Result<(), CliError> {
    match command {
        Command::Import { file } => import(setting, &file),
        Command::Show => show(setting),
        Command::Cars { json } => cars(setting, json),
    }
}

fn import(setting: &Setting, path: &Path) -> Result<(), CliError> {
    let data = &setting.data;
    let Reading { imported, notes } = read(path)?;
    let folder = NewFolder::look(setting);
    file::save(data, &imported).map_err(CliError::failed)?;
    describe(setting.zone(), &imported)?;
    folder.tell()?;
    for note in notes {
        output::line(&format!("note: {note}"))?;
    }
    match control::ask(data, &Request::ReloadCatalog) {
        Ok(Response::CatalogReloaded) => {
            output::line("the running server uses it now; lobbies for its tracks open when it is restarted")
        }
        Ok(Response::Refused(why)) => Err(CliError::Failed(format!(
            "the catalogue is imported, but restart the server to use it: {why}"
        ))),
        Ok(other) => Err(reach::unexpected(&other)),
        Err(AskError::NobodyThere) => {
            reach::note(setting, Request::ReloadCatalog.to_string())?;
            output::line("the server will use it when it is started")
        }
        Err(error) => Err(CliError::Failed(format!(
            "the catalogue is imported, but restart the server to use it: {error}"
        ))),
    }
}

fn read(path: &Path) -> Result<Reading, CliError> {
    let failed = |error: &dyn std::fmt::Display| CliError::Failed(format!("{}: {error}", path.display()));
    let file = output::open_regular(path)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let now = Now::read().unix;
    let mut progress = None;
    let read = import::read(BufReader::new(file), &name, now, |Steps { done, of, now }| {
        let progress = progress.get_or_insert_with(|| Progress::of(of as u64));
        progress.at(done as u64, format_args!("reading {now}"));
    });
    drop(progress);
    read.map_err(|error| failed(&error))
}

fn describe(zone: &Zone, imported: &Imported) -> Result<(), CliError> {
    let origin = &imported.origin;
    output::line(&format!(
        "{}, {} KiB, Jet {}, imported {}",
        origin.file,
        origin.bytes / 1024,
        origin.jet,
        zone.day(origin.imported)
    ))?;
    output::line(&format!("SHA-256 {}", origin.hash()))?;
    let summary = Summary::of(imported);
    let mut table = Table::new(["COUNT", "WHAT"]);
    for (what, count) in summary.counts {
        table.row([count.to_string(), what.to_owned()]);
    }
    table.print()?;
    for unusual in summary.unusual {
        output::line(&format!("note: {unusual}; that is fine if all players have the same version"))?;
    }
    Ok(())
}

/// A car for sale.
#[derive(Serialize)]
struct CarEntry {
    /// The number of its model.
    model: u32,
    /// Year, maker and name.
    name: String,
    /// Fat fender, shoebox or muscle.
    class: &'static str,
    /// Its price when new, in dollars.
    price: u32,
}

/// Lists the cars of the catalogue that a server with this data folder uses.
fn cars(setting: &Setting, json: bool) -> Result<(), CliError> {
    let imported = file::load(&setting.data).map_err(CliError::failed)?;
    if imported.is_none() {
        reach::need_data(setting)?;
    }
    let mut cars = imported.map_or_else(Catalog::builtin, Catalog::of).cars();
    cars.sort_by_key(|car| car.model);
    let cars = cars.iter().map(|car| CarEntry {
        model: car.model.0,
        name: car.to_string(),
        class: car.class.name(),
        price: car.price,
    });
    if json {
        return output::json(&cars.collect::<Vec<_>>());
    }
    let mut table = Table::new(["MODEL", "CLASS", "PRICE", "CAR"]);
    for car in cars {
        table.row([car.model.to_string(), car.class.to_owned(), car.price.to_string(), car.name]);
    }
    table.print()
}

fn show(setting: &Setting) -> Result<(), CliError> {
    if let Some(imported) = file::load(&setting.data).map_err(CliError::failed)? {
        return describe(setting.zone(), &imported);
    }
    reach::need_data(setting)?;
    let catalog = Catalog::builtin();
    output::line(&format!(
        "the built-in catalogue: {} cars for sale, {} of them with the parts that the game gives them",
        catalog.cars().len(),
        catalog.complete_cars()
    ))?;
    let missing = catalog.missing().unwrap_or_default();
    output::line(&format!(
        "importing Online.mdb from your own copy of the game (\"mcos catalog import FILE.mdb\", or the operator's page) adds {missing}"
    ))
}
