//! `mcos operator`: the password of the Operator's pages, and the bans.

use super::output::{self, Table};
use super::{CliError, Setting, password, reach};
use crate::admin::requests::{BanEntry, Request, Response};
use crate::store::BanTarget;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Set the password of the operator's pages
    Passwd {
        /// Read the password from standard input instead of asking for it
        #[arg(long)]
        password_stdin: bool,
    },
    /// Encrypt all backups that leave this server by a password
    ///
    /// That is what the operator's page offers, what "mcos backup" writes and what a box puts onto its card and a USB stick. Without
    /// the password nobody can restore them, so write it down. The password lies in the data folder; the server's own
    /// backup beside its database is not encrypted.
    BackupPassword {
        /// Read the password from standard input instead of asking for it
        #[arg(long)]
        password_stdin: bool,
        /// Encrypt none any more
        #[arg(long, conflicts_with = "password_stdin")]
        remove: bool,
    },
    /// List all bans
    Bans {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what the operator did, the newest first
    Audit {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Write a mail to every persona
    Mail {
        /// The title, at most 30 characters
        title: String,
        /// The text, at most 255 characters
        text: String,
    },
    /// Remove the ban of an account or address
    Unban {
        /// Name of the account, or the address
        who: String,
    },
}

pub(super) fn run(setting: &Setting, command: Command) -> Result<(), CliError> {
    let zone = setting.zone();
    match command {
        Command::Passwd { password_stdin } => {
            let password = password::new(password_stdin, "New password for the operator's pages")?;
            done(reach::perform(setting, Request::SetOperatorPassword { password })?, || {
                "the password of the operator's pages is set".to_owned()
            })
        }
        Command::BackupPassword { remove: true, .. } => {
            let request = Request::SetBackupPassword { password: None };
            done(reach::perform(setting, request)?, || {
                "backups are not encrypted from now on; those that were made before are".to_owned()
            })
        }
        Command::BackupPassword { password_stdin, remove: false } => {
            let password = password::new(password_stdin, "New password for backups")?;
            let request = Request::SetBackupPassword { password: Some(password) };
            done(reach::perform(setting, request)?, || {
                "backups are encrypted from now on; write the password down: without it they cannot be restored".to_owned()
            })
        }
        Command::Bans { json: true } => output::json(&bans(setting)?),
        Command::Audit { json } => match reach::perform(setting, Request::ListAudit)? {
            Response::Audit(entries) if json => output::json(&entries),
            Response::Audit(entries) => {
                let mut table = Table::new(["WHEN", "WHAT"]);
                for entry in entries {
                    table.row([zone.moment(entry.at), entry.what]);
                }
                table.print()
            }
            other => Err(reach::unexpected(&other)),
        },
        Command::Mail { title, text } => match reach::perform(setting, Request::MailAll { title, text })? {
            Response::Mailed(personas) => output::line(&format!("{personas} personas have a mail more")),
            other => Err(reach::unexpected(&other)),
        },
        Command::Bans { json: false } => {
            let mut table = Table::new(["WHO", "SINCE", "UNTIL", "REASON"]);
            for entry in bans(setting)? {
                let until = match entry.ban.until {
                    None => "never ends".to_owned(),
                    Some(until) if entry.counts => zone.moment(until),
                    Some(_) => "ended".to_owned(),
                };
                table.row([who(&entry), zone.moment(entry.ban.since), until, entry.ban.reason]);
            }
            table.print()
        }
        Command::Unban { who: wanted } => {
            let address = wanted.parse().ok().map(BanTarget::address);
            let found = bans(setting)?.into_iter().find(|entry| {
                Some(entry.ban.target) == address
                    || entry.account.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(&wanted))
            });
            let Some(entry) = found else {
                let problem = format!("{wanted} is not banned; \"mcos operator bans\" shows who is");
                return Err(CliError::Failed(problem));
            };
            let request = Request::Unban { target: entry.ban.target };
            done(reach::perform(setting, request)?, || format!("{} is no longer banned", who(&entry)))
        }
    }
}

fn bans(setting: &Setting) -> Result<Vec<BanEntry>, CliError> {
    match reach::perform(setting, Request::ListBans)? {
        Response::Bans(bans) => Ok(bans),
        other => Err(reach::unexpected(&other)),
    }
}

fn done(response: Response, said: impl FnOnce() -> String) -> Result<(), CliError> {
    match response {
        Response::Done => output::line(&said()),
        other => Err(reach::unexpected(&other)),
    }
}

fn who(entry: &BanEntry) -> String {
    match (&entry.account, entry.ban.target) {
        (Some(name), _) => name.clone(),
        (None, BanTarget::Account(customer)) => format!("customer {customer}"),
        (None, BanTarget::Address(address)) => address.to_string(),
    }
}
