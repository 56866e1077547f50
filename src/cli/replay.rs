//! `mcos replay`: sends the Client's side of a recording to a server.

use super::{CliError, Setting, password};
use crate::client::probe::{Credentials, Options, TIMEOUT};
use crate::client::replay::{self, ReplayError, Verdict};
use clap::Args;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use zeroize::Zeroizing;

#[derive(Debug, Args)]
pub(super) struct Replay {
    /// The folder with the recording
    dir: PathBuf,
    /// Name or address of the server, with :PORT if its web port is not 80 [default: the server of this machine]
    host: Option<String>,
    /// Account to use; repeat it for each account in the recording
    #[arg(long = "user", value_name = "NAME", required = true)]
    users: Vec<String>,
    /// Read the passwords from standard input instead of asking for them, one line for each account
    #[arg(long)]
    password_stdin: bool,
}

pub(super) fn run(setting: Setting, command: Replay) -> Result<(), CliError> {
    let Replay { dir, host, users, password_stdin } = command;
    let passwords = password::existing_of(password_stdin, &users)?;
    let users = users
        .into_iter()
        .zip(&passwords)
        .map(|(user, password)| Credentials { user, password: Zeroizing::new(password.expose().to_owned()) });
    let users: Vec<_> = users.collect();
    let network = setting.config.network;
    let options = Options { host, account: None, json: false, network, timeout: TIMEOUT };
    match smol::block_on(replay::run(&dir, &options, &users, &mut io::stdout())) {
        Ok(Verdict::Same) => Ok(()),
        Ok(Verdict::Differs(count)) => {
            Err(CliError::Failed(format!("answers that are missing or different: {count}; see above")))
        }
        Err(ReplayError::Host(no_host)) => Err(CliError::Usage(no_host.to_string())),
        // `mcos replay ... | head` has seen enough.
        Err(ReplayError::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(CliError::failed(error)),
    }
}
