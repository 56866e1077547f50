//! Does what the Server Operator asks for, on the store alone or on a running server.

use super::city;
use super::error::RequestError;
use super::exchange::is_exchange_name;
use super::expel::{customers_at, expel};
use super::kit::Certificate;
use super::lists::{self, account_entry, persona_entry};
use super::requests::{Request, Response};
use super::settings;
use crate::catalog::file::FileError;
use crate::catalog::{self, Catalog};
use crate::clock::Now;
use crate::config::Config;
use crate::public_text;
use crate::services::bans::{self, BanRefused};
use crate::services::deals::CityRules;
use crate::services::{Game, Push, mcots};
use crate::store::{
    Account, BackupPassword, BanTarget, Letter, NewPersona, OperatorPassword, Password, Persona, Store,
    check_account_name,
};
use mco_proto::ids::{CustomerId, SkinId};
use mco_proto::session_key::LoginKey;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// The most differences in the ledger that are told: the first ones show where to look.
const MOST_DIFFERENCES: usize = 1000;
/// The most characters of title and text of a mail, as the game shows them.
const LONGEST_MAIL: (usize, usize) = (30, 255);
/// The most entries of the audit log that are told at once.
const MOST_AUDIT: usize = 200;

/// Whose store a request changes.
#[derive(Clone, Copy)]
pub enum Server<'a> {
    /// No server runs: the command line has the store.
    Stopped {
        /// The open store.
        store: &'a Store,
        /// The configuration that the server would have.
        config: &'a Config,
        /// The data folder.
        data: &'a Path,
    },
    /// A running server, for which every change counts at once.
    Running(&'a Game),
}

impl<'a> Server<'a> {
    fn store(self) -> &'a Store {
        match self {
            Self::Stopped { store, .. } => store,
            Self::Running(game) => &game.store,
        }
    }

    fn config(self) -> &'a Config {
        match self {
            Self::Stopped { config, .. } => config,
            Self::Running(game) => &game.config,
        }
    }

    fn data(self) -> &'a Path {
        match self {
            Self::Stopped { data, .. } => data,
            Self::Running(game) => &game.data,
        }
    }

    /// The HTTP and HTTPS ports: those in use, or the configured ones.
    fn web_ports(self) -> (u16, u16) {
        match self {
            Self::Stopped { config, .. } => (config.network.http, config.network.https),
            Self::Running(game) => (game.ports.http, game.ports.https),
        }
    }

    /// Does something by the rules of this city.
    fn with_rules<T>(self, work: impl FnOnce(CityRules<'_>) -> T) -> Result<T, FileError> {
        match self {
            Self::Running(game) => Ok(work(CityRules(&game.catalog))),
            Self::Stopped { data, .. } => {
                let catalog = Catalog::builtin();
                if let Some(imported) = catalog::file::load(data)? {
                    catalog.replace(imported);
                }
                Ok(work(CityRules(&catalog)))
            }
        }
    }

    fn running(self) -> Result<&'a Game, RequestError> {
        match self {
            Self::Stopped { .. } => Err(RequestError::NeedsRunningServer),
            Self::Running(game) => Ok(game),
        }
    }

    /// Ends what goes on under an account; on a stopped server nothing does.
    fn expel(self, customer: CustomerId) -> Result<Vec<Push>, RequestError> {
        match self {
            Self::Stopped { .. } => Ok(Vec::new()),
            Self::Running(game) => {
                expel(game, customer).map(|push| vec![push]).map_err(RequestError::ConnectionsStay)
            }
        }
    }
}

/// A request that was done.
#[derive(Debug)]
#[must_use = "the connections it names are to be ended"]
pub struct Performed {
    /// The answer to whoever asked.
    pub response: Response,
    /// Which connections are to end because of it.
    pub pushes: Vec<Push>,
}

impl From<Response> for Performed {
    fn from(response: Response) -> Self {
        Self { response, pushes: Vec::new() }
    }
}

/// Does what is asked for. When it returns, the change has survived a power cut, and a running server uses it. Blocks until
/// then. A line in the log of a running server says who asked for what.
///
/// # Errors
/// Why it was not done.
pub fn perform(server: Server<'_>, request: Request, now: Now) -> Result<Performed, RequestError> {
    let (name, changes) = (request.to_string(), request.changes());
    let performed = attempt(server, request, now);
    if performed.is_ok() && changes {
        // What was asked for is done, whatever becomes of the entry.
        note(server.store(), &name, now);
    }
    if let Server::Running(_) = server {
        match &performed {
            Ok(_) => log::info!("operator: {name}"),
            Err(why) => log::info!("operator: {name}: refused: {why}"),
        }
    }
    performed
}

/// Looks for what is wrong with a request whatever the store holds.
///
/// # Errors
/// Why it would not be done.
pub fn check(request: &Request) -> Result<(), RequestError> {
    match request {
        Request::AddAccount { name, password, .. } => {
            check_account_name(name)?;
            Password::new(password.expose())?;
        }
        Request::ImportLoginKey { pem } => drop(LoginKey::from_pem(pem.expose())?),
        Request::SetOperatorPassword { password } => drop(OperatorPassword::new(password.expose())?),
        _ => {}
    }
    Ok(())
}

#[expect(clippy::too_many_lines, reason = "a table: one arm for each request")]
fn attempt(server: Server<'_>, request: Request, now: Now) -> Result<Performed, RequestError> {
    let store = server.store();
    let response = match request {
        Request::AddAccount { name, password, customer_id } => {
            let password = Password::new(password.expose())?;
            let account = store.accounts().create(&name, &password, customer_id, now)?.saved()?;
            Response::Account(account_entry(store, account)?)
        }
        Request::ListAccounts => Response::Accounts(lists::accounts(store)?),
        Request::ShowAccount { name } => {
            let account = account_named(store, &name)?;
            let personas = lists::personas_of(store, &account)?;
            Response::AccountDetails { account: account_entry(store, account)?, personas }
        }
        Request::RenameAccount { name, new_name } => {
            account_named(store, &name)?;
            let account = store.accounts().rename(&name, &new_name)?.saved()?;
            Response::Account(account_entry(store, account)?)
        }
        Request::RemoveAccount { name } => {
            let account = account_named(store, &name)?;
            let entry = account_entry(store, account.clone())?;
            let personas = store.personas().of_customer(account.customer_id)?;
            store.accounts().remove(&name, now)?.saved()?;
            let pushes = match server {
                Server::Stopped { .. } => Vec::new(),
                Server::Running(game) => {
                    game.world.revoke(account.customer_id);
                    let connections =
                        personas.iter().flat_map(|persona| game.world.presence.forget(persona.id));
                    vec![Push::Dismiss(connections.collect())]
                }
            };
            return Ok(Performed { response: Response::Account(entry), pushes });
        }
        Request::SetDisabled { name, disabled } => {
            account_named(store, &name)?;
            let account = store.accounts().set_disabled(&name, disabled)?.saved()?;
            let pushes = if disabled { server.expel(account.customer_id)? } else { Vec::new() };
            return Ok(Performed { response: Response::Account(account_entry(store, account)?), pushes });
        }
        Request::SetPassword { name, password } => {
            account_named(store, &name)?;
            let password = Password::new(password.expose())?;
            let account = store.accounts().set_password(&name, &password)?.saved()?;
            let pushes = server.expel(account.customer_id)?;
            return Ok(Performed { response: Response::Account(account_entry(store, account)?), pushes });
        }
        Request::AddPersona { account, name, persona_id } => {
            let account = account_named(store, &account)?;
            let config = server.config();
            let new = NewPersona {
                name,
                shard: config.shard.id,
                id: persona_id,
                starter_cash: config.game.starter_cash,
                max_per_customer: usize::from(config.shard.max_personas),
            };
            let persona = store.personas().create(account.customer_id, new, now)?.saved()?;
            Response::Persona(persona_entry(account.name, persona))
        }
        Request::RemovePersona { name } => return remove_persona(server, &name, now),
        Request::City(request) => {
            let config = server.config();
            Response::City(server.with_rules(|rules| city::perform(store, config, rules, request, now))??)
        }
        Request::ShowPersona { name } => {
            let (persona, account) = persona_named(server, &name)?;
            Response::PersonaDetails(Box::new(lists::details(store, account, persona)?))
        }
        Request::RenamePersona { name, new_name } => {
            let (persona, account) = persona_named(server, &name)?;
            let persona = store.personas().rename(persona.id, &new_name)?.saved()?;
            Response::Persona(persona_entry(account, persona))
        }
        Request::Give { name, dollars, reason } => {
            let reason = checked_reason(&reason)?;
            if dollars == 0 {
                return Err(RequestError::NoReason);
            }
            let (persona, account) = persona_named(server, &name)?;
            let persona = store.personas().grant(persona.id, dollars, &reason, now)?.saved()?;
            Response::Persona(persona_entry(account, persona))
        }
        Request::GiveCar { name, model, reason } => {
            let (game, reason) = (server.running()?, checked_reason(&reason)?);
            let (persona, account) = persona_named(server, &name)?;
            let car = game.catalog.car(model).ok_or(RequestError::NoSuchModel(model))?;
            let purchase = mcots::whole_car(&game.catalog, &car, SkinId(0));
            let room = |persona: &Persona| game.catalog.tunables().cars_room(persona.level);
            let letter =
                Letter::city_news("A car for you", &format!("The operator gave you {car}: {reason}"));
            store.garage().give_car(persona.id, &purchase, &room, &letter, now)?.saved()?;
            Response::Persona(persona_entry(account, persona))
        }
        Request::TakeCar { name, car, reason } => {
            let (game, reason) = (server.running()?, checked_reason(&reason)?);
            let (persona, account) = persona_named(server, &name)?;
            let found = store.garage().vehicle(car)?.filter(|found| found.owner == persona.id);
            let model = found.ok_or(RequestError::NoSuchCar)?.model;
            let what = game.catalog.car(model).map_or_else(|| format!("car {car}"), |car| car.to_string());
            let letter = Letter::city_news("A car is taken", &format!("The operator took {what}: {reason}"));
            store.garage().take_car(persona.id, car, &letter, now)?.saved()?;
            Response::Persona(persona_entry(account, persona))
        }
        Request::MailAll { title, text } => {
            let title = public_text::one_line(&title).ok_or(RequestError::OddLetters)?;
            let text = public_text::lines(&text).ok_or(RequestError::OddLetters)?;
            if title.is_empty() || text.is_empty() {
                return Err(RequestError::EmptyMail);
            }
            if title.chars().count() > LONGEST_MAIL.0 || text.chars().count() > LONGEST_MAIL.1 {
                return Err(RequestError::LongMail);
            }
            let letter = Letter::city_news(&title, &text);
            let personas = store.personas().list()?;
            for persona in &personas {
                drop(store.mails().send(persona.id, &letter, now)?);
            }
            store.flush()?;
            Response::Mailed(personas.len())
        }
        Request::ListAudit => Response::Audit(store.audit().newest(0, MOST_AUDIT)?),
        Request::ListPersonas { account: None } => Response::Personas(lists::personas(store)?),
        Request::ListPersonas { account: Some(name) } => {
            Response::Personas(lists::personas_of(store, &account_named(store, &name)?)?)
        }
        Request::KitParts => kit_parts(server)?,
        Request::ImportLoginKey { pem } => {
            let key = LoginKey::from_pem(pem.expose())?;
            store.keys().set_login_key(&key.to_pkcs8_der()?)?.saved()?;
            if let Server::Running(game) = server {
                game.replace_login_key(key);
            }
            Response::LoginKeyImported
        }
        Request::SetOperatorPassword { password } => {
            let password = OperatorPassword::new(password.expose())?;
            store.operator().set_password(&password)?.saved()?;
            Response::Done
        }
        Request::SetBackupPassword { password } => {
            let password = password.map(|password| BackupPassword::new(password.expose())).transpose()?;
            store.set_backup_password(password.as_ref())?;
            Response::Done
        }
        Request::SetMessage { text } => {
            store.operator().set_message(&text)?.saved()?;
            Response::Done
        }
        Request::Ban { account, address, reason, until } => {
            let account = account.map(|name| account_named(store, &name)).transpose()?;
            return ban(server, account.map(|account| account.customer_id), address, &reason, until, now);
        }
        Request::Unban { target } => {
            if !store.bans().lift(target)?.saved()? {
                return Err(RequestError::NoSuchBan);
            }
            Response::Done
        }
        Request::ListBans => Response::Bans(lists::bans(store, now)?),
        Request::WriteBackup { name } => {
            let file = exchange_file(server.running()?, &name)?;
            store.write_backup(&file)?;
            Response::Done
        }
        Request::Restore { name } => {
            let game = server.running()?;
            if let Some(error) = settings::keeps_from_starting(game) {
                return Err(RequestError::WouldNotStart(error));
            }
            Store::stage_restore(&game.data, &exchange_file(game, &name)?)?;
            Response::RestoreStaged
        }
        Request::CheckLedger => {
            let mut report = store.ledger().check()?;
            report.differences.truncate(MOST_DIFFERENCES);
            Response::Ledger(report)
        }
        Request::ReloadCatalog => {
            let game = server.running()?;
            let imported = catalog::file::load(&game.data)?.ok_or(RequestError::NoImportedCatalog)?;
            game.catalog.replace(imported);
            Response::CatalogReloaded
        }
        // Whatever changes something is noted.
        Request::Note { .. } => Response::Done,
    };
    Ok(response.into())
}

/// A reason that a player can read.
fn checked_reason(reason: &str) -> Result<String, RequestError> {
    let reason = public_text::one_line(reason).ok_or(RequestError::OddLetters)?;
    if reason.is_empty() { Err(RequestError::NoReason) } else { Ok(reason) }
}

/// Notes in the audit log what was done otherwise than by a request.
pub fn note(store: &Store, what: &str, now: Now) {
    match store.audit().note(what, now) {
        Ok(noted) => drop(noted.ticket),
        Err(error) => log::error!("operator: {what} is not in the audit log: {error}"),
    }
}

/// Deletes a persona; who plays it is sent away.
fn remove_persona(server: Server<'_>, name: &str, now: Now) -> Result<Performed, RequestError> {
    let store = server.store();
    let (persona, account) = persona_named(server, name)?;
    store.personas().delete(persona.customer_id, persona.id, now)?.saved()?;
    let connections = match server {
        Server::Stopped { .. } => Vec::new(),
        Server::Running(game) => game.world.presence.forget(persona.id),
    };
    let pushes = if connections.is_empty() { Vec::new() } else { vec![Push::Dismiss(connections)] };
    Ok(Performed { response: Response::Persona(persona_entry(account, persona)), pushes })
}

/// A persona of the shard, and the name of its account.
fn persona_named(server: Server<'_>, name: &str) -> Result<(Persona, String), RequestError> {
    let store = server.store();
    let persona = store.personas().by_name(server.config().shard.id, name)?;
    let persona = persona.ok_or_else(|| RequestError::NoSuchPersona(name.to_owned()))?;
    let account = store.accounts().by_customer(persona.customer_id)?;
    let account =
        account.map_or_else(|| format!("(customer {})", persona.customer_id), |account| account.name);
    Ok((persona, account))
}

/// Keeps an account, an address or both out, and ends what goes on under them.
fn ban(
    server: Server<'_>,
    account: Option<CustomerId>,
    address: Option<IpAddr>,
    reason: &str,
    until: Option<u64>,
    now: Now,
) -> Result<Performed, RequestError> {
    let address = address.map(|address| bannable(server, address)).transpose()?;
    bans::check_end(until, now)?;
    let targets: Vec<_> = account.map(BanTarget::Account).into_iter().chain(address).collect();
    if targets.is_empty() {
        return Err(RequestError::NobodyNamed);
    }
    for target in targets {
        server.store().bans().put(target, reason, until, now)?.saved()?;
    }
    let mut customers: Vec<_> = account.into_iter().collect();
    if let (Server::Running(game), Some(address)) = (server, address) {
        customers.extend(customers_at(game, address, now));
    }
    let mut pushes = Vec::new();
    for customer in customers {
        pushes.extend(server.expel(customer)?);
    }
    Ok(Performed { response: Response::Done, pushes })
}

/// An address as the target of a ban, but none that this machine has: the Operator's own browser may come from it.
fn bannable(server: Server<'_>, address: IpAddr) -> Result<BanTarget, BanRefused> {
    match server {
        Server::Running(game) if game.world.access_list.is_own(address) => Err(BanRefused::Address(address)),
        _ => bans::bannable(address),
    }
}

fn kit_parts(server: Server<'_>) -> Result<Response, RequestError> {
    let key = server.store().keys().login_key()?.ok_or(RequestError::NoLoginKey)?;
    let public_key = LoginKey::from_pkcs8_der(&key)?.public_hex()?;
    let certificate = Certificate::in_folder(server.data())?.map(|certificate| certificate.der().to_vec());
    let (http, https) = server.web_ports();
    Ok(Response::KitParts { public_key, http, https, certificate })
}

/// A file that the command line and the server exchange. It lies in the data folder, which both may enter.
fn exchange_file(game: &Game, name: &str) -> Result<PathBuf, RequestError> {
    if is_exchange_name(name) { Ok(game.data.join(name)) } else { Err(RequestError::NoExchangeFile) }
}

fn account_named(store: &Store, name: &str) -> Result<Account, RequestError> {
    store.accounts().by_name(name)?.ok_or_else(|| RequestError::NoSuchAccount(name.to_owned()))
}

#[cfg(test)]
mod tests;
