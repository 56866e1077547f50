//! `mcos persona`: the drivers of an account.

use super::confirm::confirm;
use super::output::{self, Table};
use super::{CliError, Setting, reach};
use crate::admin::error::RequestError;
use crate::admin::requests::{PersonaEntry, Request, Response};
use clap::Subcommand;
use mco_proto::ids::PersonaId;

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
    },
}

pub(super) fn run(setting: &Setting, command: Command) -> Result<(), CliError> {
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
        Command::List { account } => Request::ListPersonas { account },
    };
    let removes = matches!(request, Request::RemovePersona { .. });
    match reach::perform(setting, request)? {
        Response::Persona(PersonaEntry { persona_id, name, account, .. }) if removes => {
            output::line(&format!("persona {name} (number {persona_id}) was removed from account {account}"))
        }
        Response::Persona(PersonaEntry { persona_id, name, account, .. }) => {
            output::line(&format!("persona {name} (number {persona_id}) was added to account {account}"))
        }
        Response::Personas(personas) => show(&personas),
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

fn show(personas: &[PersonaEntry]) -> Result<(), CliError> {
    let mut table = Table::new(["PERSONA", "NAME", "ACCOUNT", "BANK", "LAST SIGN-IN"]);
    for persona in personas {
        table.row([
            persona.persona_id.to_string(),
            persona.name.clone(),
            persona.account.clone(),
            persona.bank_balance.to_string(),
            if persona.last_login == 0 { "never".to_owned() } else { output::day(persona.last_login.into()) },
        ]);
    }
    table.print()
}
