//! `mcos serve`: the server.

use super::{CliError, Setting};
use crate::protocol::session_key::LoginKey;
use crate::services::Game;
use crate::store::Store;
use log::info;
use std::sync::Arc;

pub(super) fn run(setting: Setting) -> Result<(), CliError> {
    let Setting { config, data } = setting;
    info!("mcos {} with the data folder {}", env!("CARGO_PKG_VERSION"), data.display());
    let store = Store::open(&data).map_err(CliError::failed)?;
    ensure_login_key(&store)?;
    let game = Game::new(config, store).map_err(CliError::failed)?;
    crate::server::run(Arc::new(game)).map_err(CliError::failed)
}

/// Makes the login key at the first start.
fn ensure_login_key(store: &Store) -> Result<(), CliError> {
    if store.keys().login_key().map_err(CliError::failed)?.is_some() {
        return Ok(());
    }
    let key = LoginKey::generate().and_then(|key| key.to_pkcs8_der()).map_err(CliError::failed)?;
    let stored = store.keys().set_login_key(&key).map_err(CliError::failed)?;
    stored.ticket.wait().map_err(CliError::failed)?;
    info!("made the login key; players get their half of it as pub.key from this server's page /key");
    Ok(())
}
