//! What the Operator may do to accounts, personas and keys. The command line asks for it, either of the running
//! server (through the control socket) or of the store itself.

use crate::config::Config;
use crate::protocol::ids::{CustomerId, PersonaId};
use crate::protocol::session_key::LoginKey;
use crate::services::kit::Certificate;
use crate::store::{Account, Changed, LedgerReport, NewPersona, Password, Persona, Store};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
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
    /// Derive every balance from the ledger and compare.
    CheckLedger,
    /// Use the catalogue that was imported into the data folder.
    ReloadCatalog,
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

/// Does what is asked for and waits until it has survived a power cut.
pub fn perform(store: &Store, config: &Config, request: Request) -> Response {
    attempt(store, config, request).unwrap_or_else(Response::Refused)
}

fn attempt(store: &Store, config: &Config, request: Request) -> Result<Response, String> {
    match request {
        Request::AddAccount { name, password, customer_id } => {
            let password = Password::new(password.expose()).map_err(reason)?;
            let account = settled(store.accounts().create(&name, &password, customer_id).map_err(reason)?)?;
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
            let persona = settled(store.personas().create(account.customer_id, new).map_err(reason)?)?;
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
        Request::CheckLedger => {
            let mut report = store.ledger().check().map_err(reason)?;
            report.differences.truncate(MOST_DIFFERENCES);
            Ok(Response::Ledger(report))
        }
        // It lies beside the store, and whoever starts next reads it; a running server does so at once.
        Request::ReloadCatalog => Ok(Response::CatalogReloaded),
    }
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
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        (folder, store)
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn add_account(name: &str, customer_id: Option<u32>) -> Request {
        let customer_id = customer_id.map(CustomerId);
        Request::AddAccount { name: name.to_owned(), password: secret("s3cret"), customer_id }
    }

    fn add_persona(account: &str, name: &str, persona_id: Option<u32>) -> Request {
        let persona_id = persona_id.map(PersonaId);
        Request::AddPersona { account: account.to_owned(), name: name.to_owned(), persona_id }
    }

    fn is_refused(response: &Response) -> bool {
        matches!(response, Response::Refused(why) if !why.is_empty() && why.lines().count() == 1)
    }

    #[test]
    fn an_added_account_is_listed_and_its_password_works() {
        let (_folder, store) = store();
        let config = Config::default();
        let Response::Account(bob) = perform(&store, &config, add_account("bob", None)) else { panic!() };
        let Response::Account(alice) = perform(&store, &config, add_account("alice", Some(7))) else {
            panic!()
        };
        assert_eq!((alice.customer_id, alice.disabled, alice.personas), (CustomerId(7), false, 0));
        assert!(store.accounts().check_password("bob", "s3cret").unwrap().is_some());
        assert_eq!(perform(&store, &config, Request::ListAccounts), Response::Accounts(vec![alice, bob]));
    }

    #[test]
    fn what_cannot_be_done_is_refused_with_a_reason_in_one_line() {
        let (_folder, store) = store();
        let config = Config::default();
        perform(&store, &config, add_account("alice", None));
        for request in [
            add_account("Alice", None),
            Request::AddAccount { name: "carol".to_owned(), password: secret("abc"), customer_id: None },
            Request::SetDisabled { name: "nobody".to_owned(), disabled: true },
            Request::SetPassword { name: "nobody".to_owned(), password: secret("s3cret") },
            Request::SetPassword { name: "alice".to_owned(), password: secret("") },
            add_persona("nobody", "Racer", None),
            Request::ListPersonas { account: Some("nobody".to_owned()) },
            Request::ImportLoginKey { pem: secret("no key") },
        ] {
            let name = request.to_string();
            let response = perform(&store, &config, request);
            assert!(is_refused(&response), "{name}: {response:?}");
        }
    }

    #[test]
    fn a_disabled_account_can_be_enabled_again_and_a_password_replaced() {
        let (_folder, store) = store();
        let config = Config::default();
        perform(&store, &config, add_account("alice", None));
        let works = |password| store.accounts().check_password("alice", password).unwrap().is_some();
        for (disabled, password_works) in [(true, false), (false, true)] {
            let request = Request::SetDisabled { name: "alice".to_owned(), disabled };
            let Response::Account(entry) = perform(&store, &config, request) else { panic!() };
            assert_eq!((entry.disabled, works("s3cret")), (disabled, password_works));
        }
        perform(
            &store,
            &config,
            Request::SetPassword { name: "alice".to_owned(), password: secret("n3w-pass") },
        );
        assert!(works("n3w-pass") && !works("s3cret"));
    }

    #[test]
    fn a_persona_starts_with_the_configured_cash_and_their_number_is_limited() {
        let (_folder, store) = store();
        let config = Config::parse("[shard]\nmax_personas = 2\n[game]\nstarter_cash = 12345").unwrap();
        perform(&store, &config, add_account("alice", None));
        let Response::Persona(racer) = perform(&store, &config, add_persona("ALICE", "Racer", Some(21)))
        else {
            panic!()
        };
        assert_eq!(
            (racer.persona_id, racer.bank_balance, racer.account.as_str()),
            (PersonaId(21), 12345, "alice")
        );
        let Response::Persona(second) = perform(&store, &config, add_persona("alice", "Second", None)) else {
            panic!()
        };
        assert!(is_refused(&perform(&store, &config, add_persona("alice", "Third", None))));
        for account in [None, Some("alice".to_owned())] {
            let listed = perform(&store, &config, Request::ListPersonas { account });
            assert_eq!(listed, Response::Personas(vec![racer.clone(), second.clone()]));
        }
    }

    #[test]
    fn an_imported_login_key_is_the_stored_one() {
        use rsa::pkcs8::{EncodePrivateKey, LineEnding};
        let (_folder, store) = store();
        let key = rsa::RsaPrivateKey::new(&mut rand::rngs::OsRng, 1024).unwrap();
        let pem = Secret::new(key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string());
        let response = perform(&store, &Config::default(), Request::ImportLoginKey { pem });
        assert_eq!(response, Response::LoginKeyImported);
        assert_eq!(store.keys().login_key().unwrap().unwrap(), key.to_pkcs8_der().unwrap().as_bytes());
    }

    #[test]
    fn secrets_show_in_no_description_of_a_request() {
        for request in [
            add_account("alice", None),
            Request::SetPassword { name: "alice".to_owned(), password: secret("s3cret") },
            Request::ImportLoginKey { pem: secret("s3cret") },
        ] {
            assert!(!format!("{request:?} {request}").contains("s3cret"));
        }
    }
}
