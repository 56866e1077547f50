//! The same while players are there: what the Operator does has consequences for those who are signed in.

use super::requests::{Request, Response, is_exchange_name, perform as perform_on};
use crate::catalog;
use crate::clock::Now;
use crate::services::{Game, Push};
use crate::store::{BanTarget, Store};
use crate::world::ConnectionId;
use mco_proto::ids::CustomerId;
use std::fmt::Display;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Does what is asked for, uses it at once, and says which connections are to end. Blocks until it is on the card.
pub fn perform(game: &Game, request: Request, now: Now) -> (Response, Vec<Push>) {
    let name = request.to_string();
    let expelled = expelled(&request);
    let banned = if let Request::Ban { account, address, .. } = &request {
        (account.clone(), *address)
    } else {
        (None, None)
    };
    let response = match request {
        Request::WriteBackup { name } => {
            in_data_folder(game, &name, |_, file| game.store.write_backup(file).map_err(|e| e.to_string()))
                .map_or_else(Response::Refused, |()| Response::Done)
        }
        Request::Restore { name } => in_data_folder(game, &name, |data, file| {
            Store::stage_restore(data, file).map_err(|e| e.to_string())
        })
        .map_or_else(Response::Refused, |_| Response::Restarting),
        request => match perform_on(&game.store, &game.config, request, now) {
            Response::KitParts { public_key, certificate, http: _ } => {
                Response::KitParts { public_key, http: game.ports.http, certificate }
            }
            other => other,
        },
    };
    match &response {
        Response::Refused(why) => log::info!("operator: {name}: refused: {why}"),
        _ => log::info!("operator: {name}"),
    }
    if response == Response::LoginKeyImported
        && let Err(why) = take_over_login_key(game)
    {
        log::error!("operator: {name}: {why}");
        return (Response::Refused(why), Vec::new());
    }
    if response == Response::CatalogReloaded
        && let Err(why) = put_up_catalogue(game)
    {
        log::error!("operator: {name}: {why}");
        return (Response::Refused(why), Vec::new());
    }
    let pushes = match &response {
        Response::Refused(_) => Vec::new(),
        Response::Account(account) if expelled => vec![expel(game, account.customer_id)],
        _ => banned_now(game, banned.0.as_deref(), banned.1, now),
    };
    (response, pushes)
}

/// Ends everything that goes on under an account; it may sign in again. `false`: there was nothing to end.
pub fn kick(game: &Game, customer: CustomerId, now: Now) -> (bool, Push) {
    let signed_in = game.world.sessions.all(now).iter().any(|(signed_in, _)| *signed_in == customer);
    log::info!("operator: kick customer {customer}");
    (signed_in, expel(game, customer))
}

/// Whether who plays with the account has to sign in again after this.
const fn expelled(request: &Request) -> bool {
    matches!(request, Request::SetDisabled { disabled: true, .. } | Request::SetPassword { .. })
}

/// Ends an account's Contexts and its Session Key, and names its connections.
fn expel(game: &Game, customer: CustomerId) -> Push {
    game.world.sessions.revoke(customer);
    let personas = game.store.personas().of_customer(customer).unwrap_or_default();
    let connections: Vec<ConnectionId> =
        personas.iter().flat_map(|persona| game.world.presence.connections(persona.id)).collect();
    Push::Dismiss(connections)
}

/// Ends what goes on under a banned account, and under every account that signed in from a banned address.
fn banned_now(game: &Game, account: Option<&str>, address: Option<IpAddr>, now: Now) -> Vec<Push> {
    let mut customers = Vec::new();
    if let Some(Ok(Some(account))) = account.map(|name| game.store.accounts().by_name(name)) {
        customers.push(account.customer_id);
    }
    if let Some(banned) = address.map(BanTarget::address) {
        let signed_in = game.world.sessions.all(now).into_iter();
        customers.extend(
            signed_in
                .filter(|(_, address)| BanTarget::address(*address) == banned)
                .map(|(customer, _)| customer),
        );
    }
    customers.into_iter().map(|customer| expel(game, customer)).collect()
}

/// Makes the stored login key the one this server uses.
fn take_over_login_key(game: &Game) -> Result<(), String> {
    let restart = |e: &dyn Display| format!("the key is stored, but restart the server to use it: {e}");
    match game.store.keys().login_key() {
        Ok(Some(key)) => game.replace_login_key(&key).map_err(|e| restart(&e)),
        Ok(None) => Err(restart(&"it is gone again")),
        Err(e) => Err(restart(&e)),
    }
}

/// Makes the imported catalogue the one this server uses.
fn put_up_catalogue(game: &Game) -> Result<(), String> {
    match catalog::file::load(data_folder(game)?) {
        Ok(Some(imported)) => {
            game.catalog.put_up(imported);
            Ok(())
        }
        Ok(None) => {
            Err("there is no imported catalogue in the server's data folder; was it another --data?"
                .to_owned())
        }
        Err(error) => Err(error.to_string()),
    }
}

fn data_folder(game: &Game) -> Result<&Path, String> {
    game.config.data_dir.as_deref().ok_or_else(|| "the server does not know its data folder".to_owned())
}

/// Works on a file that the command line and the server exchange. It lies in the data folder, which both may enter.
fn in_data_folder<T>(
    game: &Game,
    name: &str,
    work: impl FnOnce(&Path, &PathBuf) -> Result<T, String>,
) -> Result<T, String> {
    if !is_exchange_name(name) {
        return Err("this is no name of a file to exchange".to_owned());
    }
    let data = data_folder(game)?;
    work(data, &data.join(name))
}
