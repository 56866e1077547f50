//! `mcos serve`: the server.

use super::{CliError, Setting};
use crate::protocol::session_key::LoginKey;
use crate::store::Store;
use clap::Args;
use log::info;
use std::path::PathBuf;

#[derive(Debug, Default, Args)]
pub(super) struct Serve {
    /// Write down what passes on each connection, one file for each, for "mcos replay". Chat and mail are in it,
    /// passwords and keys are not. The folder must be new or empty
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
}

pub(super) fn run(setting: Setting, command: &Serve) -> Result<(), CliError> {
    let Setting { config, data } = setting;
    info!("mcos {} with the data folder {}", env!("CARGO_PKG_VERSION"), data.display());
    let store = Store::open(&data).map_err(CliError::failed)?;
    let login_key = login_key(&store)?;
    crate::server::run(config, &data, store, login_key, command.record.as_deref()).map_err(CliError::failed)
}

/// The stored login key, which is made at the first start.
fn login_key(store: &Store) -> Result<LoginKey, CliError> {
    if let Some(key) = store.keys().login_key().map_err(CliError::failed)? {
        let damaged = |e| {
            CliError::Failed(format!(
                "the stored login key is unusable ({e}); import one with \"mcos keys import-login\""
            ))
        };
        return LoginKey::from_pkcs8_der(&key).map_err(damaged);
    }
    let key = LoginKey::generate().map_err(CliError::failed)?;
    let stored = store
        .keys()
        .set_login_key(&key.to_pkcs8_der().map_err(CliError::failed)?)
        .map_err(CliError::failed)?;
    stored.ticket.wait().map_err(CliError::failed)?;
    info!("made the login key; players get their half of it as pub.key from this server's page /key");
    Ok(key)
}
