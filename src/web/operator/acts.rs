//! What the Operator's forms do.

use super::Ask;
use super::fields::Fields;
use crate::admin::expel::{self, Kicked};
use crate::admin::perform::{self, Performed, Server};
use crate::admin::requests::{Request, Secret};
use crate::catalog::{file as catalog_file, import};
use crate::clock;
use crate::clock::Now;
use crate::services::{Game, Push};
use crate::store::{BanTarget, Store};
use mco_proto::ids::CustomerId;
use std::io::BufReader;
use std::net::IpAddr;

/// Where a backup is sent to.
pub(super) const RESTORE: &str = "/operator/backup/restore";
/// Where the game's database is sent to.
pub(super) const CATALOG: &str = "/operator/catalog/import";

/// What became of a form.
pub(super) struct Done {
    /// What to tell the Operator.
    pub(super) outcome: Result<String, String>,
    /// The page to go on with.
    pub(super) page: &'static str,
    pub(super) pushes: Vec<Push>,
    pub(super) restart: bool,
    /// A file instead of a page.
    pub(super) file: Option<(String, Vec<u8>)>,
    /// All sessions end.
    pub(super) relogin: bool,
}

impl Done {
    fn new(page: &'static str, outcome: Result<String, String>) -> Self {
        Self { outcome, page, pushes: Vec::new(), restart: false, file: None, relogin: false }
    }
}

/// Does what a form asks for. Its token has been checked.
pub(super) fn act(game: &Game, ask: &Ask<'_>, fields: &Fields<'_>) -> Done {
    let name = || fields.text("name").trim().to_owned();
    let password = |field| Secret::new(fields.text(field).to_owned());
    match ask.path {
        "/operator/kick" => kick(game, fields),
        "/operator/accounts/add" => {
            let request =
                Request::AddAccount { name: name(), password: password("password"), customer_id: None };
            perform(game, "/operator/accounts", request, format!("Account {} was made.", name()))
        }
        "/operator/accounts/disable" => {
            let request = Request::SetDisabled { name: name(), disabled: true };
            perform(game, "/operator/accounts", request, format!("Account {} is disabled.", name()))
        }
        "/operator/accounts/enable" => {
            let request = Request::SetDisabled { name: name(), disabled: false };
            perform(game, "/operator/accounts", request, format!("Account {} is enabled.", name()))
        }
        "/operator/accounts/password" => {
            let request = Request::SetPassword { name: name(), password: password("password") };
            perform(game, "/operator/accounts", request, format!("Account {} has a new password.", name()))
        }
        "/operator/ban" => ban(game, ask, fields),
        "/operator/unban" => unban(game, fields),
        "/operator/message" => {
            let request = Request::SetMessage { text: fields.text("text").to_owned() };
            perform(game, "/operator/message", request, "The message is set.".to_owned())
        }
        "/operator/password" => change_password(game, ask, fields),
        "/operator/backup/download" => download(game),
        RESTORE => restore(game, fields),
        CATALOG => import_catalog(game, fields),
        "/operator/backup/restart" => {
            log::warn!("operator: restart, asked for by {}", ask.peer);
            Done { restart: true, ..Done::new("/operator", Ok(String::new())) }
        }
        _ => Done::new("/operator", Err("There is no such form.".to_owned())),
    }
}

fn perform(game: &Game, page: &'static str, request: Request, done: String) -> Done {
    match perform::perform(Server::Running(game), request, Now::read()) {
        Ok(Performed { pushes, .. }) => Done { pushes, ..Done::new(page, Ok(done)) },
        Err(why) => Done::new(page, Err(why.to_string())),
    }
}

fn kick(game: &Game, fields: &Fields<'_>) -> Done {
    let page = "/operator";
    let Ok(customer) = fields.text("customer").parse().map(CustomerId) else {
        return Done::new(page, Err("There is no such player.".to_owned()));
    };
    match expel::kick(game, customer, Now::read()) {
        Ok(Kicked { signed_in, push }) => {
            let outcome = if signed_in {
                Ok("Kicked: the connections are ended. The player may sign in again.".to_owned())
            } else {
                Err("That player had left already.".to_owned())
            };
            Done { pushes: vec![push], ..Done::new(page, outcome) }
        }
        Err(error) => Done::new(page, Err(error.to_string())),
    }
}

fn ban(game: &Game, ask: &Ask<'_>, fields: &Fields<'_>) -> Done {
    let page = "/operator/bans";
    let refused = |why: &str| Done::new(page, Err(why.to_owned()));
    let text = |field| Some(fields.text(field).trim()).filter(|text| !text.is_empty());
    let address = match text("address").map(str::parse::<IpAddr>) {
        Some(Err(_)) => return refused("That is no address: write it like 192.168.1.30."),
        Some(Ok(address)) if BanTarget::address(address) == BanTarget::address(ask.peer) => {
            return refused("That is the address you come from: you would lock yourself out.");
        }
        Some(Ok(address)) => Some(address),
        None => None,
    };
    let until = match fields.text("length") {
        "1 hour" => Some(3600),
        "1 day" => Some(86_400),
        "1 week" => Some(7 * 86_400),
        "30 days" => Some(30 * 86_400),
        "for ever" => None,
        _ => return refused("Choose how long it lasts."),
    };
    let request = Request::Ban {
        account: text("account").map(str::to_owned),
        address,
        reason: fields.text("reason").to_owned(),
        until: until.map(|seconds| Now::read().unix + seconds),
    };
    perform(game, page, request, "The ban is in force.".to_owned())
}

fn unban(game: &Game, fields: &Fields<'_>) -> Done {
    let customer = fields.text("customer").parse().ok().map(|id| BanTarget::Account(CustomerId(id)));
    let address = fields.text("address").parse().ok().map(BanTarget::address);
    match customer.or(address) {
        Some(target) => {
            perform(game, "/operator/bans", Request::Unban { target }, "The ban is lifted.".to_owned())
        }
        None => Done::new("/operator/bans", Err("There is no such ban.".to_owned())),
    }
}

fn change_password(game: &Game, ask: &Ask<'_>, fields: &Fields<'_>) -> Done {
    let page = "/operator/health";
    if fields.text("password") != fields.text("again") {
        return Done::new(page, Err("The two passwords differ.".to_owned()));
    }
    match game.store.operator().check_password(fields.text("old")) {
        Ok(true) => {}
        Ok(false) => {
            log::info!("operator: {} gave a wrong old password", ask.peer);
            return Done::new(page, Err("The old password is wrong.".to_owned()));
        }
        Err(error) => return Done::new(page, Err(error.to_string())),
    }
    let request = Request::SetOperatorPassword { password: Secret::new(fields.text("password").to_owned()) };
    Done { relogin: true, ..perform(game, page, request, String::new()) }
}

fn download(game: &Game) -> Done {
    let page = "/operator/backup";
    match game.store.backup().map_err(reason) {
        Ok(bytes) => {
            log::info!("operator: backup of {} bytes downloaded", bytes.len());
            let name = format!("mcos-backup-{}.mcos", clock::day(Now::read().unix));
            Done { file: Some((name, bytes)), ..Done::new(page, Ok(String::new())) }
        }
        Err(why) => Done::new(page, Err(why)),
    }
}

/// Checks the backup and keeps it for the next start, which follows at once.
fn restore(game: &Game, fields: &Fields<'_>) -> Done {
    let page = "/operator/backup";
    let Some(bytes) = fields.file().filter(|bytes| !bytes.is_empty()) else {
        return Done::new(page, Err("Choose the file of a backup first.".to_owned()));
    };
    if fields.text("sure") != "yes" {
        return Done::new(page, Err("Tick that everything since that backup may be replaced.".to_owned()));
    }
    let staged = Store::stage_restore_bytes(&game.data, "this file", bytes).map_err(reason);
    match staged {
        Ok(records) => {
            log::warn!("operator: a backup of {records} records is restored by a restart");
            Done { restart: true, ..Done::new(page, Ok(String::new())) }
        }
        Err(why) => {
            log::info!("operator: restore: refused: {why}");
            Done::new(page, Err(format!("Nothing was changed: {why}")))
        }
    }
}

/// Takes cars and parts out of the game's database. Whatever is wrong with it is found before anything is replaced.
fn import_catalog(game: &Game, fields: &Fields<'_>) -> Done {
    let page = "/operator/catalog";
    let Some(upload) = fields.upload().filter(|upload| upload.length() > 0) else {
        return Done::new(page, Err("Choose the game's database first.".to_owned()));
    };
    let name = upload.name().to_owned();
    let imported = import::read(BufReader::new(upload), &name, Now::read().unix, |_| ())
        .map_err(reason)
        .and_then(|imported| {
            catalog_file::save(&game.data, &imported).map_err(reason)?;
            Ok(imported.origin)
        });
    match imported {
        Ok(origin) => {
            log::warn!("operator: a catalogue is imported from {name:?}, SHA-256 {}", origin.hash());
            let done = "The catalogue is imported and in use. Lobbies for its tracks open at the next start.";
            perform(game, page, Request::ReloadCatalog, done.to_owned())
        }
        Err(why) => {
            log::info!("operator: catalog import of {name:?}: refused: {why}");
            Done::new(page, Err(format!("Nothing was changed: {why}")))
        }
    }
}

fn reason(error: impl std::fmt::Display) -> String {
    error.to_string()
}
