//! `mcos keys`: the server's keys.

use super::{CliError, Setting, output, reach};
use crate::admin::requests::{Request, Response, Secret};
use clap::Subcommand;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A private key of 1024 bits has about 1 KiB in PEM form; more than this is another kind of file.
const MAX_FILE_BYTES: u64 = 16 * 1024;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Import the login key of another server, so that its players keep their pub.key
    ImportLogin {
        /// Private key (RSA, 1024 bits) in PEM form
        #[arg(value_name = "FILE.pem")]
        file: PathBuf,
    },
}

pub(super) fn run(setting: &Setting, command: Command) -> Result<(), CliError> {
    let Command::ImportLogin { file } = command;
    match reach::perform(setting, Request::ImportLoginKey { pem: read(&file)? })? {
        Response::LoginKeyImported => {
            output::line("the login key was imported; players need the pub.key that belongs to it")
        }
        other => Err(reach::unexpected(&other)),
    }
}

fn read(file: &Path) -> Result<Secret, CliError> {
    let name = file.display();
    // With room for the whole file, so that growing leaves no copy of the key behind.
    let mut text = String::with_capacity(usize::try_from(MAX_FILE_BYTES).unwrap_or_default() + 1);
    let read = output::open_regular(file)?.take(MAX_FILE_BYTES + 1).read_to_string(&mut text);
    let text = Secret::new(text);
    match read {
        Ok(length) if length as u64 <= MAX_FILE_BYTES => Ok(text),
        Ok(_) => Err(CliError::Failed(format!("{name}: this is too large for a private key in PEM form"))),
        Err(error) => Err(output::unreadable(file, &error)),
    }
}
