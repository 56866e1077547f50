//! `mcos probe`: tests a server the way the game uses it.

use super::{CliError, Setting, password};
use crate::client::probe::{self, Credentials, Options, TIMEOUT, Verdict};
use clap::Args;
use std::io::{self, ErrorKind};
use zeroize::Zeroizing;

#[derive(Debug, Args)]
pub(super) struct Probe {
    /// Name or address of the server, with :PORT if its web port is not 80 [default: the server of this machine]
    host: Option<String>,
    /// Test also login, lobby, MCOTS and a room, with this account. Use an account only for tests: a player who is in
    /// the game with the same account is disconnected
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Read the password from standard input instead of asking for it
    #[arg(long, requires = "user")]
    password_stdin: bool,
    /// Print one JSON document instead of lines
    #[arg(long)]
    json: bool,
}

pub(super) fn run(setting: Setting, command: Probe) -> Result<(), CliError> {
    let Probe { host, user, password_stdin, json } = command;
    let account = match user {
        Some(user) => {
            let password = password::existing(password_stdin, &format!("Password of {user}"))?;
            let password = Zeroizing::new(password.expose().to_owned());
            Some(Credentials { user, password })
        }
        None => None,
    };
    let options = Options { host, account, json, network: setting.config.network, timeout: TIMEOUT };
    match smol::block_on(probe::run(&options, &mut io::stdout())) {
        Ok(Ok(Verdict::Passed)) => Ok(()),
        Ok(Ok(Verdict::Failed)) => Err(CliError::Failed("at least one step failed, see above".to_owned())),
        Ok(Err(no_host)) => Err(CliError::Usage(no_host.to_string())),
        // `mcos probe | head` has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(CliError::Failed(format!("cannot print: {error}"))),
    }
}
