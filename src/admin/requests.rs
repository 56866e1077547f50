//! What the Server Operator may ask for, and the answers: the two halves of a line on the control socket.
//!
//! The command line and the operator's pages build a [`Request`]; [`perform`](super::perform::perform) does it.

use super::city::{CityRequest, CityResponse};
use crate::store::{AuditEntry, Ban, BanTarget, Item, LedgerReport, Line};
use mco_proto::ids::{BrandedPartId, CustomerId, PersonaId, VehicleId};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A password or a private key: never shown by `Debug`, and wiped when it is dropped.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret text, which is wiped when this is dropped.
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// One thing that the Server Operator asks for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    /// Make an account.
    AddAccount {
        /// Name of the account.
        name: String,
        /// In clear; the store keeps only its hash.
        password: Secret,
        /// Its number; `None`: the next free one.
        customer_id: Option<CustomerId>,
    },
    /// Show all accounts.
    ListAccounts,
    /// Show an account with its personas.
    ShowAccount {
        /// Name of the account.
        name: String,
    },
    /// Give an account another name.
    RenameAccount {
        /// Name of the account.
        name: String,
        /// The name that it gets.
        new_name: String,
    },
    /// Delete an account with all its personas and what they own.
    RemoveAccount {
        /// Name of the account.
        name: String,
    },
    /// Refuse logins of an account, or allow them again.
    SetDisabled {
        /// Name of the account.
        name: String,
        /// Whether logins are refused from now on.
        disabled: bool,
    },
    /// Give an account another password.
    SetPassword {
        /// Name of the account.
        name: String,
        /// The new password.
        password: Secret,
    },
    /// Make a persona with the starter cash of the configuration.
    AddPersona {
        /// Name of its account.
        account: String,
        /// Name of the persona.
        name: String,
        /// Its number; `None`: the next free one.
        persona_id: Option<PersonaId>,
    },
    /// Delete a persona with all it owns, whatever its age.
    RemovePersona {
        /// Name of the persona.
        name: String,
    },
    /// Show a persona with its last lines of the ledger.
    ShowPersona {
        /// Name of the persona.
        name: String,
    },
    /// Give a persona another name.
    RenamePersona {
        /// Name of the persona.
        name: String,
        /// The name that it gets.
        new_name: String,
    },
    /// Give a persona money, or take some.
    Give {
        /// Name of the persona.
        name: String,
        /// Dollars; negative ones are taken.
        dollars: i64,
        /// Why; the player is told by mail.
        reason: String,
    },
    /// Give a persona a car, for nothing.
    GiveCar {
        /// Name of the persona.
        name: String,
        /// The model, as a number of the catalogue.
        model: BrandedPartId,
        /// Why; the player is told by mail.
        reason: String,
    },
    /// Take a car from a persona.
    TakeCar {
        /// Name of the persona.
        name: String,
        /// The number of the car.
        car: VehicleId,
        /// Why; the player is told by mail.
        reason: String,
    },
    /// Write a mail to every persona.
    MailAll {
        /// The title, at most 30 characters.
        title: String,
        /// The text, at most 255 characters.
        text: String,
    },
    /// Something in the city: race nights, seasons, clubs, deals.
    City(CityRequest),
    /// Show what the Operator did, the newest first.
    ListAudit,
    /// Show the personas of one account or of all.
    ListPersonas {
        /// Name of the account; `None`: all accounts.
        account: Option<String>,
    },
    /// Show what is needed to write a player kit.
    KitParts,
    /// Import another server's login key.
    ImportLoginKey {
        /// The private key in PEM form.
        pem: Secret,
    },
    /// Set or replace the password of the Operator's pages.
    SetOperatorPassword {
        /// The new password.
        password: Secret,
    },
    /// Set, replace or remove the password by which backups are encrypted.
    SetBackupPassword {
        /// The new password; `None`: backups are not encrypted.
        password: Option<Secret>,
    },
    /// Replace the message of the day.
    SetMessage {
        /// One line; empty for none.
        text: String,
    },
    /// Keep an account, an address or both out.
    Ban {
        /// Name of an account to ban.
        account: Option<String>,
        /// Address to ban; of an IPv6 address its network.
        address: Option<IpAddr>,
        /// Why; the banned player is told.
        reason: String,
        /// When it ends, in seconds since 1970; `None`: never.
        until: Option<u64>,
    },
    /// Remove a ban.
    Unban {
        /// Who was banned.
        target: BanTarget,
    },
    /// Show all bans.
    ListBans,
    /// Write everything into a file of the data folder, for the command line to fetch.
    WriteBackup {
        /// Its name there: see [`is_exchange_name`](super::exchange::is_exchange_name).
        name: String,
    },
    /// Restore a file of the data folder that the command line put there: the server restarts with it.
    Restore {
        /// Its name there: see [`is_exchange_name`](super::exchange::is_exchange_name).
        name: String,
    },
    /// Recalculate all balances from the ledger and compare.
    CheckLedger,
    /// Use the catalogue that was imported into the data folder.
    ReloadCatalog,
    /// Note in the audit log what the command line did by itself, in files of which the store knows nothing.
    Note {
        /// What, as one line without secrets.
        what: String,
    },
}

impl Request {
    /// Whether it changes anything, and so belongs into the audit log.
    pub const fn changes(&self) -> bool {
        if let Self::City(request) = self {
            return request.changes();
        }
        !matches!(
            self,
            Self::ListAccounts
                | Self::ShowAccount { .. }
                | Self::ListPersonas { .. }
                | Self::ShowPersona { .. }
                | Self::ListAudit
                | Self::ListBans
                | Self::KitParts
                | Self::WriteBackup { .. }
                | Self::CheckLedger
        )
    }
}

impl fmt::Display for Request {
    /// For the log: the command as the Operator typed it, without secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddAccount { name, .. } => write!(f, "account add {name:?}"),
            Self::ListAccounts => write!(f, "account list"),
            Self::ShowAccount { name } => write!(f, "account show {name:?}"),
            Self::RenameAccount { name, new_name } => write!(f, "account rename {name:?} {new_name:?}"),
            Self::RemoveAccount { name } => write!(f, "account remove {name:?}"),
            Self::ShowPersona { name } => write!(f, "persona show {name:?}"),
            Self::RenamePersona { name, new_name } => write!(f, "persona rename {name:?} {new_name:?}"),
            Self::Give { name, dollars, reason } => {
                write!(f, "persona give {name:?} {dollars} --reason {reason:?}")
            }
            Self::GiveCar { name, model, reason } => {
                write!(f, "persona give-car {name:?} model {model}: {reason:?}")
            }
            Self::TakeCar { name, car, reason } => {
                write!(f, "persona take-car {name:?} car {car}: {reason:?}")
            }
            Self::MailAll { title, .. } => write!(f, "mail to all {title:?}"),
            Self::City(request) => request.fmt(f),
            Self::ListAudit => write!(f, "operator audit"),
            Self::SetDisabled { name, disabled: true } => write!(f, "account disable {name:?}"),
            Self::SetDisabled { name, disabled: false } => write!(f, "account enable {name:?}"),
            Self::SetPassword { name, .. } => write!(f, "account passwd {name:?}"),
            Self::AddPersona { account, name, .. } => write!(f, "persona add {account:?} {name:?}"),
            Self::RemovePersona { name } => write!(f, "persona remove {name:?}"),
            Self::ListPersonas { .. } => write!(f, "persona list"),
            Self::KitParts => write!(f, "kit"),
            Self::ImportLoginKey { .. } => write!(f, "keys import-login"),
            Self::SetOperatorPassword { .. } => write!(f, "operator passwd"),
            Self::SetBackupPassword { password: Some(_) } => write!(f, "operator backup-password"),
            Self::SetBackupPassword { password: None } => write!(f, "operator backup-password --remove"),
            Self::SetMessage { text } => write!(f, "message of the day {text:?}"),
            Self::Ban { account, address, reason, until } => {
                write!(f, "ban")?;
                if let Some(account) = account {
                    write!(f, " account {account:?}")?;
                }
                if let Some(address) = address {
                    write!(f, " address {address}")?;
                }
                match until {
                    Some(until) => write!(f, " until {until}: {reason:?}"),
                    None => write!(f, ": {reason:?}"),
                }
            }
            Self::Unban { target: BanTarget::Account(customer) } => write!(f, "unban customer {customer}"),
            Self::Unban { target: BanTarget::Address(address) } => write!(f, "unban address {address}"),
            Self::ListBans => write!(f, "ban list"),
            Self::WriteBackup { .. } => write!(f, "backup"),
            Self::Restore { .. } => write!(f, "restore"),
            Self::CheckLedger => write!(f, "ledger check"),
            Self::ReloadCatalog => write!(f, "catalog import"),
            Self::Note { what } => f.write_str(what),
        }
    }
}

/// The answer to a [`Request`]. One that says that something is done comes after it was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Response {
    /// The account as it is now.
    Account(AccountEntry),
    /// All accounts, by number.
    Accounts(Vec<AccountEntry>),
    /// The persona as it is now, or was when it was removed.
    Persona(PersonaEntry),
    /// The personas asked for, by number.
    Personas(Vec<PersonaEntry>),
    /// An account with its personas.
    AccountDetails {
        /// The line that [`Response::Accounts`] would have for it.
        account: AccountEntry,
        /// Its personas, by number.
        personas: Vec<PersonaEntry>,
    },
    /// A persona with what it did last.
    PersonaDetails(Box<PersonaDetails>),
    /// What the Operator did, the newest first.
    Audit(Vec<AuditEntry>),
    /// So many personas were written to.
    Mailed(usize),
    /// What is needed to write a player kit. None of it is secret.
    KitParts {
        /// The content of `pub.key`.
        public_key: String,
        /// The HTTP port: of the running server the real one, otherwise the configured one.
        http: u16,
        /// The HTTPS port, likewise.
        https: u16,
        /// The certificate of the server's own authority in DER form, if there is one.
        certificate: Option<Vec<u8>>,
    },
    /// The imported login key is stored, and a running server uses it.
    LoginKeyImported,
    /// What came of something in the city.
    City(CityResponse),
    /// It is done, and there is nothing more to say.
    Done,
    /// Answers [`Request::ListBans`].
    Bans(Vec<BanEntry>),
    /// The backup is checked and staged; the server restarts with it next.
    RestoreStaged,
    /// What the check of the ledger found.
    Ledger(LedgerReport),
    /// The running server uses the imported catalogue.
    CatalogReloaded,
    /// It was not done; why, and what to do.
    Refused(String),
}

/// An account as the Operator sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountEntry {
    /// The account's number.
    pub customer_id: CustomerId,
    /// The User's name.
    pub name: String,
    /// Whether logins are refused.
    pub disabled: bool,
    /// When it was made, in seconds since 1970.
    pub created: u64,
    /// How many personas it has.
    pub personas: usize,
}

/// A persona as the Operator sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonaEntry {
    /// The persona's number.
    pub persona_id: PersonaId,
    /// The persona's name.
    pub name: String,
    /// The name of the account it belongs to.
    pub account: String,
    /// Its money in dollars.
    pub bank_balance: u32,
    /// When it was last in the game, in seconds since 1970; 0 for never.
    pub last_login: u32,
}

/// A persona as the Operator sees it by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonaDetails {
    /// The line that [`Response::Personas`] would have for it.
    pub persona: PersonaEntry,
    /// The level that the points make, from 1.
    pub level: u32,
    /// Career points, of all time.
    pub points: u32,
    /// Races begun.
    pub races: u32,
    /// Of `races`, those in which it came in first.
    pub races_won: u32,
    /// The numbers of the models of its cars.
    pub cars: Vec<BrandedPartId>,
    /// Its cars and loose parts with their own numbers.
    pub property: Vec<Item>,
    /// Its last lines of the ledger, the newest first.
    pub lines: Vec<Line>,
}

/// A ban as the Operator sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BanEntry {
    /// The ban itself.
    pub ban: Ban,
    /// The account's name, if an account is banned.
    pub account: Option<String>,
    /// Whether it is still in force.
    pub counts: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_show_in_no_description_of_a_request() {
        let secret = || Secret::new("s3cret".to_owned());
        for request in [
            Request::AddAccount { name: "alice".to_owned(), password: secret(), customer_id: None },
            Request::SetPassword { name: "alice".to_owned(), password: secret() },
            Request::ImportLoginKey { pem: secret() },
        ] {
            assert!(!format!("{request:?} {request}").contains("s3cret"));
        }
    }
}
