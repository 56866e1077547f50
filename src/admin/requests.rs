//! What the Server Operator may ask for, and the answers: the two halves of a line on the control socket.
//!
//! The command line and the operator's pages build a [`Request`]; [`perform`](super::perform::perform) does it.

use crate::store::{Ban, BanTarget, LedgerReport};
use mco_proto::ids::{CustomerId, PersonaId};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A password or a private key on its way: never shown, and wiped when it is dropped.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes charge of a secret text.
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

/// One thing to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    /// Make an account.
    AddAccount {
        /// The User's name.
        name: String,
        /// The User's password.
        password: Secret,
        /// The number it is to have; otherwise the next free one.
        customer_id: Option<CustomerId>,
    },
    /// Show all accounts.
    ListAccounts,
    /// Refuse logins of an account, or allow them again.
    SetDisabled {
        /// The User's name.
        name: String,
        /// Whether logins are refused from now on.
        disabled: bool,
    },
    /// Give an account another password.
    SetPassword {
        /// The User's name.
        name: String,
        /// The new password.
        password: Secret,
    },
    /// Make a persona with the starter cash of the configuration.
    AddPersona {
        /// The name of the account it belongs to.
        account: String,
        /// The persona's name.
        name: String,
        /// The number it is to have; otherwise the next free one.
        persona_id: Option<PersonaId>,
    },
    /// Show the personas of one account or of all.
    ListPersonas {
        /// The name of the account, or all.
        account: Option<String>,
    },
    /// Show what a player kit is made of.
    KitParts,
    /// Take over another server's login key.
    ImportLoginKey {
        /// The private key in PEM form.
        pem: Secret,
    },
    /// Set or replace the password of the Operator's pages.
    SetOperatorPassword {
        /// The new password.
        password: Secret,
    },
    /// Replace the message of the day.
    SetMessage {
        /// One line; empty for none.
        text: String,
    },
    /// Keep an account, an address or both out.
    Ban {
        /// The name of an account.
        account: Option<String>,
        /// An address.
        address: Option<IpAddr>,
        /// Why, as the banned User is told.
        reason: String,
        /// When it ends, in seconds since 1970; `None`: never.
        until: Option<u64>,
    },
    /// Let somebody in again.
    Unban {
        /// Whom.
        target: BanTarget,
    },
    /// Show all bans.
    ListBans,
    /// Write everything into a file of the data folder, for the command line to fetch.
    WriteBackup {
        /// Its name there: see [`is_exchange_name`].
        name: String,
    },
    /// Restore a file of the data folder that the command line put there: the server restarts with it.
    Restore {
        /// Its name there: see [`is_exchange_name`].
        name: String,
    },
    /// Derive every balance from the ledger and compare.
    CheckLedger,
    /// Use the catalogue that was imported into the data folder.
    ReloadCatalog,
}

/// Whether a file of this name in the data folder is one that the command line and the running server exchange.
pub fn is_exchange_name(name: &str) -> bool {
    let number = name.strip_prefix("exchange-").and_then(|rest| rest.strip_suffix(".mcos"));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

impl fmt::Display for Request {
    /// For the log: the command as the Operator typed it, without secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddAccount { name, .. } => write!(f, "account add {name:?}"),
            Self::ListAccounts => write!(f, "account list"),
            Self::SetDisabled { name, disabled: true } => write!(f, "account disable {name:?}"),
            Self::SetDisabled { name, disabled: false } => write!(f, "account enable {name:?}"),
            Self::SetPassword { name, .. } => write!(f, "account passwd {name:?}"),
            Self::AddPersona { account, name, .. } => write!(f, "persona add {account:?} {name:?}"),
            Self::ListPersonas { .. } => write!(f, "persona list"),
            Self::KitParts => write!(f, "kit"),
            Self::ImportLoginKey { .. } => write!(f, "keys import-login"),
            Self::SetOperatorPassword { .. } => write!(f, "operator passwd"),
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
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Response {
    /// The account as it is now.
    Account(AccountEntry),
    /// All accounts, by number.
    Accounts(Vec<AccountEntry>),
    /// The persona as it is now.
    Persona(PersonaEntry),
    /// The personas asked for, by number.
    Personas(Vec<PersonaEntry>),
    /// What a player kit is made of. None of it is secret.
    KitParts {
        /// The content of `pub.key`.
        public_key: String,
        /// The HTTP port: of the running server the real one, otherwise the configured one.
        http: u16,
        /// The certificate of the server's own authority in DER form, if there is one.
        certificate: Option<Vec<u8>>,
    },
    /// The imported login key is stored, and a running server uses it.
    LoginKeyImported,
    /// It is done, and there is nothing to tell.
    Done,
    /// All bans.
    Bans(Vec<BanEntry>),
    /// The backup is checked and staged; the server restarts with it next.
    RestoreStaged,
    /// What the check of the ledger found.
    Ledger(LedgerReport),
    /// The running server uses the imported catalogue.
    CatalogReloaded,
    /// Nothing was changed; why, and what to do.
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
    /// What it has in the bank.
    pub bank_balance: u32,
    /// When it was last in the game, in seconds since 1970; 0 for never.
    pub last_login: u32,
}

/// A ban as the Operator sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BanEntry {
    /// The ban itself.
    pub ban: Ban,
    /// The account's name, if an account is banned.
    pub account: Option<String>,
    /// Whether it still counts.
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
