//! `mcos persona`: the drivers of an account.

use super::confirm::confirm;
use super::output::{self, Table};
use super::{CliError, Setting, reach};
use crate::admin::error::RequestError;
use crate::admin::ledger_words::in_words;
use crate::admin::requests::{PersonaDetails, PersonaEntry, Request, Response};
use crate::clock::Zone;
use clap::Subcommand;
use mco_proto::ids::{BrandedPartId, PersonaId, VehicleId};

/// How many cars and loose parts are shown.
const MOST_THINGS: usize = 50;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a persona
    Add {
        /// Name of its account
        account: String,
        /// Name in the game: 1 to 12 characters
        name: String,
        /// Number of the persona [default: the next free one]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        persona_id: Option<u32>,
    },
    /// Remove a persona with its cars, parts, money and mail; there is no way back
    Remove {
        /// Its name in the game
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// List the personas of one account, or of all
    List {
        /// Name of the account
        account: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a persona with its cars and its last lines of the ledger
    Show {
        /// Its name in the game
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give a persona another name
    Rename {
        /// Its name in the game
        name: String,
        /// The name that it gets: 1 to 12 characters
        new_name: String,
    },
    /// Give a persona money, or take some; the player gets a mail with the reason
    Give {
        /// Its name in the game
        name: String,
        /// Dollars; negative ones are taken
        #[arg(allow_negative_numbers = true)]
        dollars: i64,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Give a persona a car for nothing, while the server runs; the player gets a mail with the reason
    GiveCar {
        /// Its name in the game
        name: String,
        /// Number of the model; "mcos catalog cars" prints all
        model: u32,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Take a car from a persona, while the server runs; the player gets a mail with the reason
    TakeCar {
        /// Its name in the game
        name: String,
        /// Number of the car: `mcos persona show` tells it
        car: u32,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

pub(super) fn run(setting: &Setting, command: Command) -> Result<(), CliError> {
    let json = matches!(command, Command::List { json: true, .. } | Command::Show { json: true, .. });
    let request = match command {
        Command::Add { account, name, persona_id } => {
            Request::AddPersona { account, name, persona_id: persona_id.map(PersonaId) }
        }
        Command::Remove { name, yes } => {
            if !yes {
                confirm(&question(setting, &name)?)?;
            }
            Request::RemovePersona { name }
        }
        Command::Show { name, .. } => Request::ShowPersona { name },
        Command::Rename { name, new_name } => Request::RenamePersona { name, new_name },
        Command::Give { name, dollars, reason } => Request::Give { name, dollars, reason },
        Command::GiveCar { name, model, reason } => {
            Request::GiveCar { name, model: BrandedPartId(model), reason }
        }
        Command::TakeCar { name, car, reason } => Request::TakeCar { name, car: VehicleId(car), reason },
        Command::List { account, .. } => Request::ListPersonas { account },
    };
    let done = match request {
        Request::RemovePersona { .. } => "was removed from",
        Request::RenamePersona { .. } => "has its new name in",
        Request::Give { .. } => "has other money now, in",
        Request::GiveCar { .. } => "has a car more, in",
        Request::TakeCar { .. } => "has a car less, in",
        _ => "was added to",
    };
    match reach::perform(setting, request)? {
        Response::Persona(PersonaEntry { persona_id, name, account, .. }) => {
            output::line(&format!("persona {name} (number {persona_id}) {done} account {account}"))
        }
        Response::Personas(personas) if json => output::json(&personas),
        Response::Personas(personas) => show(setting.zone(), &personas),
        Response::PersonaDetails(details) if json => output::json(&details),
        Response::PersonaDetails(details) => show_details(setting.zone(), &details),
        other => Err(reach::unexpected(&other)),
    }
}

/// What goes with a persona; an error if there is none of that name.
fn question(setting: &Setting, name: &str) -> Result<String, CliError> {
    let personas = match reach::perform(setting, Request::ListPersonas { account: None })? {
        Response::Personas(personas) => personas,
        other => return Err(reach::unexpected(&other)),
    };
    let same = |persona: &&PersonaEntry| persona.name.to_lowercase() == name.to_lowercase();
    let Some(PersonaEntry { name, account, bank_balance, .. }) = personas.iter().find(same) else {
        return Err(CliError::failed(RequestError::NoSuchPersona(name.to_owned())));
    };
    Ok(format!(
        "{name} of the account {account} has {bank_balance} dollars. It goes for ever, with its cars, parts and mail. Remove it? [y/N] "
    ))
}

fn show_details(zone: &Zone, details: &PersonaDetails) -> Result<(), CliError> {
    let PersonaDetails { persona, level, points, races, races_won, cars, property, lines } = details;
    show(zone, std::slice::from_ref(persona))?;
    output::line(&format!(
        "\nlevel {level}, {points} points, {races_won} of {races} races won, {}\n",
        output::count(cars.len(), "car")
    ))?;
    let mut table = Table::new(["CAR OR PART", "MODEL"]);
    for item in property.iter().take(MOST_THINGS) {
        let kind = if item.goods.is_car() { "car" } else { "part" };
        table.row([format!("{kind} {}", item.goods.number()), item.model.to_string()]);
    }
    table.print()?;
    if property.len() > MOST_THINGS {
        output::line(&format!("and {} more: add --json", property.len() - MOST_THINGS))?;
    }
    output::line("")?;
    let mut table = Table::new(["WHEN", "WHAT", "AMOUNT", "BALANCE"]);
    for line in lines {
        table.row([zone.day(line.time), in_words(line), line.amount.to_string(), line.balance.to_string()]);
    }
    table.print()
}

pub(super) fn show(zone: &Zone, personas: &[PersonaEntry]) -> Result<(), CliError> {
    let mut table = Table::new(["PERSONA", "NAME", "ACCOUNT", "BANK", "LAST SIGN-IN"]);
    for persona in personas {
        table.row([
            persona.persona_id.to_string(),
            persona.name.clone(),
            persona.account.clone(),
            persona.bank_balance.to_string(),
            if persona.last_login == 0 { "never".to_owned() } else { zone.day(persona.last_login) },
        ]);
    }
    table.print()
}
