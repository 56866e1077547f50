//! `mcos serve`: the server.

use super::{CliError, Setting};
use crate::admin::{exchange, perform, status};
use crate::appliance::{self, Appliance, Staging};
use crate::clock::Now;
use crate::server::{self, Ended, OnBox, Start, status_file, systemd};
use crate::store::{OpenError, Store};
use clap::Args;
use log::{error, info, warn};
use mco_proto::session_key::LoginKey;
use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

/// How long the server waits for a command that has the store.
const STORE_TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Debug, Default, Args)]
pub(super) struct Serve {
    /// Record the messages of every connection in this folder, for "mcos replay". Chat and mail are recorded, passwords and
    /// keys are not. The folder must be new or empty
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
}

pub(super) fn run(setting: Setting, command: &Serve) -> Result<(), CliError> {
    let status_file = setting.on_box.then(status_file).flatten();
    match serve(setting, command, status_file.clone()) {
        Ok(Ended::Stopped) => Ok(()),
        Ok(Ended::ToRestart) => {
            if let Some(folder) = &command.record {
                warn!(
                    "the recording in {} ends here, and nothing is recorded after the restart; to go on, stop the \
                     server and start it with --record and a new folder",
                    folder.display()
                );
            }
            Err(restart())
        }
        Err(error) => {
            if let (Some(file), CliError::Failed(why)) = (status_file, &error) {
                status_file::write(&file, &status::file_of_failure(why));
            }
            Err(error)
        }
    }
}

fn serve(setting: Setting, command: &Serve, status_file: Option<PathBuf>) -> Result<Ended, CliError> {
    let Setting { config, data, on_box } = setting;
    info!("mcos {} with the data folder {}", env!("CARGO_PKG_VERSION"), data.display());
    systemd::starting("starting: opening the database");
    let store = open(&data)?;
    let password_forgotten = store.operator().forget_password_if_asked(&data).unwrap_or_else(|problem| {
        error!("cannot remove the operator's password as asked: {problem}");
        false
    });
    Staging::sweep(&data);
    exchange::sweep(&data, SystemTime::now());
    let start = Start {
        config,
        data: &data,
        login_key: login_key(&store)?,
        store,
        record: command.record.as_deref(),
        on_box: on_box.then_some(OnBox { status_file, password_forgotten }),
        appliance: on_a_box(),
    };
    server::run(start).map_err(CliError::failed)
}

/// Where `status.txt` belongs: the folder systemd made for the service while it runs.
fn status_file() -> Option<PathBuf> {
    let folders = env::var_os("RUNTIME_DIRECTORY")?;
    // systemd separates several by colons; the first is the service's own.
    let folder = env::split_paths(&folders).next().filter(|folder| !folder.as_os_str().is_empty())?;
    Some(folder.join("status.txt"))
}

/// The box we are on, if it is one. A damaged key must not keep players out.
fn on_a_box() -> Option<Appliance> {
    Appliance::in_folder(Path::new(appliance::FOLDER)).unwrap_or_else(|error| {
        warn!("the operator's pages cannot install updates: {error}");
        None
    })
}

/// The store, with what waited to be restored. A command that found no server may have it for a moment, between the two
/// lives of a server that restarts for instance.
fn open(data: &Path) -> Result<Store, CliError> {
    let start = Instant::now();
    loop {
        let opened = Store::restore_staged(data).and_then(|restored| Ok((Store::open_soon(data)?, restored)));
        match opened {
            Err(OpenError::InUse { .. }) if start.elapsed() < STORE_TIMEOUT => {
                sleep(Duration::from_millis(50));
            }
            opened => {
                let (store, restored) = opened.map_err(CliError::failed)?;
                if restored {
                    // The log that said who asked for it was replaced by that of the backup.
                    perform::note(&store, "a backup is restored", Now::read());
                }
                return Ok(store);
            }
        }
    }
}

/// The arguments without `--record DIR`: a recording ends with the run, and its folder is not empty any more.
fn without_record(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut kept = Vec::new();
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        if argument == "--record" {
            arguments.next();
        } else if !argument.to_string_lossy().starts_with("--record=") {
            kept.push(argument);
        }
    }
    kept
}

/// Starts this program again in the same process, with the same arguments: systemd need not notice, low ports stay
/// permitted, and nothing of the old server is left. Returns only if the system refuses.
fn restart() -> CliError {
    info!("restarting");
    systemd::beat();
    let refused = match env::current_exe() {
        Ok(program) => Command::new(program).args(without_record(env::args_os().skip(1))).exec(),
        Err(error) => error,
    };
    CliError::Failed(format!("the server could not restart ({refused}): start it again"))
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
    info!("made the login key; players get its public half (pub.key) from the page /key of this server");
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_does_not_go_on_with_a_recording() {
        let kept =
            |line: &str| without_record(line.split(' ').map(OsString::from)).join(&OsString::from(" "));
        assert_eq!(kept("serve --record /tmp/r --data d"), "serve --data d");
        assert_eq!(kept("--data d serve --record=/tmp/r"), "--data d serve");
    }
}
