//! `mcos account`: accounts.

use super::confirm::confirm;
use super::output::{self, Table};
use super::{CliError, Setting, password, persona, reach};
use crate::admin::requests::{AccountEntry, Request, Response};
use crate::clock::Zone;
use crate::store::{AccountError, Store};
use clap::{Args, Subcommand};
use mco_proto::ids::CustomerId;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add an account
    Add {
        /// Name for signing in: 1 to 32 letters, digits, dots, hyphens and underscores
        name: String,
        #[command(flatten)]
        password: PasswordSource,
        /// Number of the account [default: the next free one]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        customer_id: Option<u32>,
    },
    /// List all accounts
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show an account with its personas
    Show {
        /// Name of the account
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give an account another name to sign in with
    Rename {
        /// Name of the account
        name: String,
        /// The name that it gets
        new_name: String,
    },
    /// Remove an account with all its personas and what they own; there is no way back
    Remove {
        /// Name of the account
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Disable an account, so that it cannot sign in
    Disable {
        /// Name of the account
        name: String,
    },
    /// Enable a disabled account
    Enable {
        /// Name of the account
        name: String,
    },
    /// Set a new password
    Passwd {
        /// Name of the account
        name: String,
        #[command(flatten)]
        password: PasswordSource,
    },
}

/// Where a password comes from.
#[derive(Debug, Args)]
pub(super) struct PasswordSource {
    /// Read the password from standard input instead of asking for it
    #[arg(long)]
    password_stdin: bool,
}

pub(super) fn run(setting: &Setting, command: Command) -> Result<(), CliError> {
    let json = matches!(command, Command::List { json: true } | Command::Show { json: true, .. });
    let (request, done) = match command {
        Command::Add { name, password, customer_id } => {
            if !password.password_stdin && is_there(setting, &name)? == Some(true) {
                return Err(CliError::failed(AccountError::NameTaken));
            }
            let password = password::new(password.password_stdin, &format!("Password for {name}"))?;
            let customer_id = customer_id.map(CustomerId);
            (Request::AddAccount { name, password, customer_id }, "was added")
        }
        Command::List { .. } => (Request::ListAccounts, ""),
        Command::Show { name, .. } => (Request::ShowAccount { name }, ""),
        Command::Rename { name, new_name } => (Request::RenameAccount { name, new_name }, "has its new name"),
        Command::Remove { name, yes } => {
            if !yes {
                confirm(&question(setting, &name)?)?;
            }
            (Request::RemoveAccount { name }, "was removed")
        }
        Command::Disable { name } => (Request::SetDisabled { name, disabled: true }, "is disabled"),
        Command::Enable { name } => (Request::SetDisabled { name, disabled: false }, "is enabled"),
        Command::Passwd { name, password } => {
            if !password.password_stdin && is_there(setting, &name)? == Some(false) {
                return Err(CliError::failed(AccountError::NotFound));
            }
            let password = password::new(password.password_stdin, &format!("New password for {name}"))?;
            (Request::SetPassword { name, password }, "has a new password")
        }
    };
    match reach::perform(setting, request)? {
        Response::Account(account) => {
            output::line(&format!("account {} (customer {}) {done}", account.name, account.customer_id))
        }
        Response::Accounts(accounts) if json => output::json(&accounts),
        Response::Accounts(accounts) => show(setting.zone(), &accounts),
        Response::AccountDetails { account, personas } if json => output::json(&(account, personas)),
        Response::AccountDetails { account, personas } => {
            show(setting.zone(), &[account])?;
            output::line("")?;
            persona::show(setting.zone(), &personas)
        }
        other => Err(reach::unexpected(&other)),
    }
}

/// Whether there is an account of that name, before somebody types a password twice in vain. `None`: nothing is stored yet.
fn is_there(setting: &Setting, name: &str) -> Result<Option<bool>, CliError> {
    if !Store::is_in(&setting.data) {
        return Ok(None);
    }
    match reach::perform(setting, Request::ListAccounts)? {
        Response::Accounts(accounts) => {
            Ok(Some(accounts.iter().any(|account| account.name.eq_ignore_ascii_case(name))))
        }
        other => Err(reach::unexpected(&other)),
    }
}

fn show(zone: &Zone, accounts: &[AccountEntry]) -> Result<(), CliError> {
    let mut table = Table::new(["CUSTOMER", "NAME", "PERSONAS", "STATE", "CREATED"]);
    for account in accounts {
        table.row([
            account.customer_id.to_string(),
            account.name.clone(),
            account.personas.to_string(),
            if account.disabled { "disabled" } else { "enabled" }.to_owned(),
            zone.day(account.created),
        ]);
    }
    table.print()
}

/// What goes with an account; an error if there is none of that name.
fn question(setting: &Setting, name: &str) -> Result<String, CliError> {
    let personas = match reach::perform(setting, Request::ListPersonas { account: Some(name.to_owned()) })? {
        Response::Personas(personas) => personas,
        other => return Err(reach::unexpected(&other)),
    };
    let names: Vec<_> = personas.iter().map(|persona| persona.name.as_str()).collect();
    let with =
        if names.is_empty() { String::new() } else { format!(" with {} and all they own", names.join(", ")) };
    Ok(format!("The account {name} goes for ever{with}. Remove it? [y/N] "))
}
