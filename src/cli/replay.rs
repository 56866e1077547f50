//! `mcos replay`: the Client's side of a recording, played against a server.

use super::{CliError, Setting, password};
use crate::client::probe::{Credentials, Options, PATIENCE};
use crate::client::replay::{self, ReplayError, Verdict};
use clap::Args;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Play the Client's side of a recording ("mcos serve --record") against a server; exit 0 if it answers alike
///
/// The account and its personas must have the numbers they have in the recording. On a fresh server that is done with
/// "mcos account add NAME --customer-id N" and "mcos persona add ACCOUNT NAME --persona-id N". Play against a server
/// for trying things out: whatever was bought or changed in the recording is bought or changed again.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Replay {
    /// The folder with the recording
    dir: PathBuf,
    /// Name or address of the server, with :PORT if its web port is not 80 [default: the server of this machine]
    host: Option<String>,
    /// The account to play with
    #[arg(long, value_name = "NAME")]
    user: String,
    /// Read the password from standard input instead of asking for it
    #[arg(long)]
    password_stdin: bool,
}

pub(super) fn run(setting: Setting, command: Replay) -> Result<(), CliError> {
    let Replay { dir, host, user, password_stdin } = command;
    let password = password::existing(password_stdin, &format!("Password of {user}"))?;
    let user = Credentials { user, password: Zeroizing::new(password.expose().to_owned()) };
    let network = setting.config.network;
    let options = Options { host, account: None, json: false, network, patience: PATIENCE };
    match smol::block_on(replay::run(&dir, &options, &user, &mut io::stdout())) {
        Ok(Verdict::Same) => Ok(()),
        Ok(Verdict::Differs(count)) => Err(CliError::Failed(format!(
            "{count} answers are missing or different from the recording, see the lines above"
        ))),
        Err(ReplayError::Host(no_host)) => Err(CliError::Usage(no_host.to_string())),
        // `mcos replay ... | head` has seen enough.
        Err(ReplayError::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(CliError::failed(error)),
    }
}
