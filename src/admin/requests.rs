//! What the Operator may do to accounts, personas, bans and keys. The command line asks for it, either of the running
//! server (through the control socket) or of the store itself; the Operator's pages ask the running server.

use crate::admin::kit::Certificate;
use crate::clock::Now;
use crate::config::Config;
use crate::services::bans;
use crate::store::{
    Account, Ban, BanTarget, Changed, LedgerReport, NewPersona, OperatorPassword, Password, Persona, Store,
};
use mco_proto::ids::{CustomerId, PersonaId};
use mco_proto::session_key::LoginKey;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// How many differences in the ledger are told: the first ones show where to look.
const MOST_DIFFERENCES: usize = 1000;

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
    /// The login key is the imported one.
    LoginKeyImported,
    /// It is done, and there is nothing to tell.
    Done,
    /// All bans.
    Bans(Vec<BanEntry>),
    /// A backup is staged and the server is about to restart with it.
    Restarting,
    /// What the check of the ledger found.
    Ledger(LedgerReport),
    /// The catalogue is the imported one.
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

/// Does what is asked for and waits until it has survived a power cut.
pub fn perform(store: &Store, config: &Config, request: Request, now: Now) -> Response {
    attempt(store, config, request, now).unwrap_or_else(Response::Refused)
}

fn attempt(store: &Store, config: &Config, request: Request, now: Now) -> Result<Response, String> {
    match request {
        Request::AddAccount { name, password, customer_id } => {
            let password = Password::new(password.expose()).map_err(reason)?;
            let account =
                settled(store.accounts().create(&name, &password, customer_id, now).map_err(reason)?)?;
            Ok(Response::Account(account_entry(store, account)?))
        }
        Request::ListAccounts => {
            let accounts = store.accounts().list().map_err(reason)?;
            let entries = accounts.into_iter().map(|account| account_entry(store, account));
            let mut entries = entries.collect::<Result<Vec<_>, _>>()?;
            entries.sort_by_key(|entry| entry.customer_id);
            Ok(Response::Accounts(entries))
        }
        Request::SetDisabled { name, disabled } => {
            let account = settled(store.accounts().set_disabled(&name, disabled).map_err(reason)?)?;
            Ok(Response::Account(account_entry(store, account)?))
        }
        Request::SetPassword { name, password } => {
            let password = Password::new(password.expose()).map_err(reason)?;
            let account = settled(store.accounts().set_password(&name, &password).map_err(reason)?)?;
            Ok(Response::Account(account_entry(store, account)?))
        }
        Request::AddPersona { account, name, persona_id } => {
            let account = account_named(store, &account)?;
            let new = NewPersona {
                name,
                shard: config.shard.id,
                id: persona_id,
                starter_cash: config.game.starter_cash,
                max_per_customer: usize::from(config.shard.max_personas),
            };
            let persona = settled(store.personas().create(account.customer_id, new, now).map_err(reason)?)?;
            Ok(Response::Persona(persona_entry(persona, account.name)))
        }
        Request::ListPersonas { account: None } => {
            let owners = store.accounts().list().map_err(reason)?;
            let owners: HashMap<_, _> = owners.into_iter().map(|a| (a.customer_id, a.name)).collect();
            let owner =
                |id: CustomerId| owners.get(&id).cloned().unwrap_or_else(|| format!("(customer {id})"));
            let personas = store.personas().list().map_err(reason)?;
            Ok(by_number(personas.into_iter().map(|p| (owner(p.customer_id), p))))
        }
        Request::ListPersonas { account: Some(name) } => {
            let account = account_named(store, &name)?;
            let personas = store.personas().of_customer(account.customer_id).map_err(reason)?;
            Ok(by_number(personas.into_iter().map(|p| (account.name.clone(), p))))
        }
        Request::KitParts => kit_parts(store, config),
        Request::ImportLoginKey { pem } => {
            let key = LoginKey::from_pem(pem.expose()).map_err(reason)?;
            let key = key.to_pkcs8_der().map_err(reason)?;
            settled(store.keys().set_login_key(&key).map_err(reason)?)?;
            Ok(Response::LoginKeyImported)
        }
        Request::SetOperatorPassword { password } => {
            let password = OperatorPassword::new(password.expose()).map_err(reason)?;
            settled(store.operator().set_password(&password).map_err(reason)?)?;
            Ok(Response::Done)
        }
        Request::SetMessage { text } => {
            settled(store.operator().set_message(&text).map_err(reason)?)?;
            Ok(Response::Done)
        }
        Request::Ban { account, address, reason: why, until } => {
            let mut targets = Vec::new();
            if let Some(name) = account {
                targets.push(BanTarget::Account(account_named(store, &name)?.customer_id));
            }
            if let Some(address) = address {
                targets.push(bans::bannable(address)?);
            }
            bans::check_end(until, now)?;
            if targets.is_empty() {
                return Err("name an account, an address or both".to_owned());
            }
            for target in targets {
                settled(store.bans().put(target, &why, until, now).map_err(reason)?)?;
            }
            Ok(Response::Done)
        }
        Request::Unban { target } => {
            if settled(store.bans().lift(target).map_err(reason)?)? {
                Ok(Response::Done)
            } else {
                Err("there is no such ban; \"mcos operator bans\" shows those there are".to_owned())
            }
        }
        Request::ListBans => ban_entries(store, now),
        Request::WriteBackup { .. } | Request::Restore { .. } => {
            Err("this is for a running server only; run \"mcos backup\" or \"mcos restore\"".to_owned())
        }
        Request::CheckLedger => {
            let mut report = store.ledger().check().map_err(reason)?;
            report.differences.truncate(MOST_DIFFERENCES);
            Ok(Response::Ledger(report))
        }
        // It lies beside the store, and whoever starts next reads it; a running server does so at once.
        Request::ReloadCatalog => Ok(Response::CatalogReloaded),
    }
}

fn ban_entries(store: &Store, now: Now) -> Result<Response, String> {
    let entries = store.bans().list().map_err(reason)?.into_iter().map(|ban| {
        let account = match ban.target {
            BanTarget::Account(customer) => store.accounts().by_customer(customer).map_err(reason)?,
            BanTarget::Address(_) => None,
        };
        Ok(BanEntry { account: account.map(|account| account.name), counts: ban.counts_at(now.unix), ban })
    });
    Ok(Response::Bans(entries.collect::<Result<_, String>>()?))
}

fn kit_parts(store: &Store, config: &Config) -> Result<Response, String> {
    let key = store.keys().login_key().map_err(reason)?;
    let key = key.ok_or("there is no login key yet; start the server once, which makes it")?;
    let public_key = LoginKey::from_pkcs8_der(&key).and_then(|key| key.public_hex()).map_err(reason)?;
    let certificate = match &config.data_dir {
        Some(data) => Certificate::in_folder(data).map_err(reason)?,
        None => None,
    };
    let certificate = certificate.map(|certificate| certificate.der().to_vec());
    Ok(Response::KitParts { public_key, http: config.network.http, certificate })
}

fn reason(error: impl fmt::Display) -> String {
    error.to_string()
}

/// The changed value, once the change has survived a power cut.
fn settled<T>(changed: Changed<T>) -> Result<T, String> {
    changed.ticket.wait().map_err(reason)?;
    Ok(changed.value)
}

fn account_named(store: &Store, name: &str) -> Result<Account, String> {
    let account = store.accounts().by_name(name).map_err(reason)?;
    account
        .ok_or_else(|| format!("there is no account {name:?}; \"mcos account list\" shows those there are"))
}

fn account_entry(store: &Store, account: Account) -> Result<AccountEntry, String> {
    let personas = store.personas().of_customer(account.customer_id).map_err(reason)?.len();
    let Account { customer_id, name, disabled, created, .. } = account;
    Ok(AccountEntry { customer_id, name, disabled, created, personas })
}

fn by_number(personas: impl Iterator<Item = (String, Persona)>) -> Response {
    let mut entries: Vec<_> = personas.map(|(account, persona)| persona_entry(persona, account)).collect();
    entries.sort_by_key(|entry| entry.persona_id);
    Response::Personas(entries)
}

fn persona_entry(persona: Persona, account: String) -> PersonaEntry {
    let Persona { id, name, bank_balance, last_login, .. } = persona;
    PersonaEntry { persona_id: id, name, account, bank_balance, last_login }
}

#[cfg(test)]
mod tests;
