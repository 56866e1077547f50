//! `mcos backup` and `mcos restore`: all data in one file.
//!
//! A running server has the store, and may run as another user than who types the command. So the two exchange the
//! file through the data folder, which both may enter.

use super::confirm::confirm;
use super::progress::Progress;
use super::reach::{self, NewFolder, Reached};
use super::{CliError, Setting, output, password};
use crate::admin::requests::{Request, Response};
use crate::atomic_file::{self, Access};
use crate::server::control::{self, AskError};
use crate::store::{BackupPassword, Contents, Lock, OpenError, Store};
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process;

/// What the audit log of the backup says once it is the one in use.
const RESTORED: &str = "a backup is restored";

/// Writes the backup, by whoever has the store.
pub(super) fn back_up(setting: &Setting, file: &Path) -> Result<(), CliError> {
    reach::need_data(setting)?;
    // Before anything is written: what was to be encrypted must not be left in clear.
    let password = BackupPassword::kept(&setting.data).map_err(CliError::failed)?;
    let exchange = Exchange::new(setting);
    let progress = Progress::unknown("writing the backup");
    match reach::reach(setting, &Request::WriteBackup { name: exchange.name.clone() })? {
        Reached::Store(store) => match &password {
            Some(password) => {
                let plain = store.backup().map_err(CliError::failed)?;
                password.write_sealed(plain.as_slice(), file).map_err(|error| not_written(file, &error))?;
            }
            None => store.write_backup(file).map_err(CliError::failed)?,
        },
        Reached::Server(Response::Done) => copy(&exchange.path, file, password.as_ref())?,
        Reached::Server(other) => return Err(reach::unexpected(&other)),
    }
    drop(progress);
    let file = file.display();
    if password.is_some() {
        return output::line(&format!(
            "the backup is in {file}, encrypted by the password for backups, without which nobody can restore it; mcos.toml is \
             not part of it"
        ));
    }
    output::line(&format!(
        "the backup is in {file}; it contains the server's keys and password hashes and is not encrypted, so keep it where nobody \
         else can read it; mcos.toml is not part of it"
    ))
}

/// Restores a backup: at once if no server runs, by a restart of the server if one does. `yes`: without asking. Where nothing is
/// stored, nothing is asked either. `password_stdin`: the password of an encrypted one is read from standard input.
pub(super) fn restore(
    setting: &Setting,
    file: &Path,
    yes: bool,
    password_stdin: bool,
) -> Result<(), CliError> {
    // First of all, so that a file that is no backup costs nobody anything.
    let sealed = Store::is_sealed(file).map_err(|error| output::unreadable(file, &error))?;
    if password_stdin && !sealed {
        return Err(CliError::Failed(format!(
            "{} is not encrypted: leave out --password-stdin",
            file.display()
        )));
    }
    let (contents, password) = if sealed {
        open(setting, file, password_stdin).map(|(contents, password)| (contents, Some(password)))?
    } else {
        (Store::check_backup(file, None).map_err(CliError::failed)?, None)
    };
    let password = password.as_ref();
    if !yes && Store::is_in(&setting.data) {
        confirm(&question(setting, file, contents))?;
    }
    let folder = NewFolder::look(setting);
    let progress = Progress::unknown("restoring");
    let restored = Store::restore(&setting.data, file, password);
    drop(progress);
    match restored {
        Ok(()) => {
            reach::note(setting, RESTORED.to_owned())?;
            folder.tell()?;
            output::line(&format!("{} is restored", file.display()))?;
            return tell_of_password(setting, sealed);
        }
        Err(OpenError::InUse { .. }) => {}
        Err(error) => return Err(CliError::failed(error)),
    }
    let exchange = Exchange::new(setting);
    match password {
        Some(password) => password.write_opened(file, &exchange.path).map_err(CliError::failed)?,
        None => copy(file, &exchange.path, None)?,
    }
    exchange.give_to_the_server(&setting.data)?;
    match reach::reach(setting, &Request::Restore { name: exchange.name.clone() })? {
        Reached::Server(Response::RestoreStaged) => {
            if sealed {
                Store::note_sealed_restore(&setting.data);
            }
            output::line(&format!(
                "{} is a valid backup; the running server restarts with it",
                file.display()
            ))?;
            tell_of_password(setting, sealed)
        }
        Reached::Server(other) => Err(reach::unexpected(&other)),
        Reached::Store(store) => {
            // The server has ended meanwhile.
            drop(store);
            Store::restore(&setting.data, file, password).map_err(CliError::failed)?;
            reach::note(setting, RESTORED.to_owned())?;
            output::line(&format!("{} is restored", file.display()))?;
            tell_of_password(setting, sealed)
        }
    }
}

/// Who restores an encrypted backup may think that the next ones are encrypted as well.
fn tell_of_password(setting: &Setting, sealed: bool) -> Result<(), CliError> {
    if sealed && matches!(BackupPassword::kept(&setting.data), Ok(None)) {
        return output::line(
            "it was encrypted, but new backups will not be until \"mcos operator backup-password\" sets a password for them",
        );
    }
    Ok(())
}

/// What an encrypted backup holds, and its password: that of this server, or else the one that is asked for.
fn open(
    setting: &Setting,
    file: &Path,
    password_stdin: bool,
) -> Result<(Contents, BackupPassword), CliError> {
    // One that cannot be read helps as little as none.
    let kept = BackupPassword::kept(&setting.data).ok().flatten().map(BackupPassword::of_command);
    if let Some(kept) = kept.filter(|_| !password_stdin) {
        match Store::check_backup(file, Some(&kept)) {
            Ok(contents) => return Ok((contents, kept)),
            Err(OpenError::Locked { lock: Lock::WrongPassword, .. }) => {}
            Err(error) => return Err(CliError::failed(error)),
        }
    }
    let given =
        password::existing(password_stdin, &format!("{} is encrypted. Its password", file.display()))?;
    let given = BackupPassword::given(given.expose()).of_command();
    let contents = Store::check_backup(file, Some(&given)).map_err(CliError::failed)?;
    Ok((contents, given))
}

fn question(setting: &Setting, file: &Path, contents: Contents) -> String {
    let Contents { accounts, personas } = contents;
    format!(
        "{} holds {} and {}. It takes the place of everything in {}: what was done since that backup is set aside. Restore it? [y/N] ",
        file.display(),
        output::count(accounts, "account"),
        output::count(personas, "persona"),
        setting.data.display()
    )
}

/// Keeps what is stored as `file`, as the running server gives it, or else as the last one left it beside its database. `false`
/// if nothing is stored. The store is not opened: whoever asks may be another user than the server, and what it would leave
/// in the folder would not be the server's own.
pub(super) fn keep(setting: &Setting, file: &Path) -> Result<bool, CliError> {
    let exchange = Exchange::new(setting);
    match control::ask(&setting.data, &Request::WriteBackup { name: exchange.name.clone() }) {
        Ok(Response::Done) => copy(&exchange.path, file, None)?,
        Ok(Response::Refused(why)) => return Err(CliError::Failed(why)),
        Ok(other) => return Err(reach::unexpected(&other)),
        Err(AskError::NobodyThere) => {
            let left = Store::backup_in(&setting.data);
            if !left.exists() {
                return Ok(false);
            }
            copy(&left, file, None)?;
        }
        Err(error) => return Err(CliError::failed(error)),
    }
    Ok(true)
}

/// A file in the data folder for the running server; gone when this is dropped.
struct Exchange {
    name: String,
    path: PathBuf,
}

impl Exchange {
    fn new(setting: &Setting) -> Self {
        let name = format!("exchange-{}.mcos", process::id());
        Self { path: setting.data.join(&name), name }
    }

    /// Where root puts a file for a server that is somebody else, that one must be able to read it.
    fn give_to_the_server(&self, data: &Path) -> Result<(), CliError> {
        let give = || -> io::Result<()> {
            let owner = fs::metadata(data)?;
            if fs::metadata(&self.path)?.uid() == owner.uid() {
                return Ok(());
            }
            chown(&self.path, Some(owner.uid()), Some(owner.gid()))
        };
        give().map_err(|error| {
            CliError::Failed(format!(
                "cannot give the backup to the running server: {error}; use sudo, or the server's own user"
            ))
        })
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        // Most often there is none any more, or none yet.
        let _ = fs::remove_file(&self.path);
    }
}

/// Copies a backup so that only its owner may read it, and nothing half-written is left under the name; encrypted, if there is
/// a password.
fn copy(from: &Path, to: &Path, password: Option<&BackupPassword>) -> Result<(), CliError> {
    let copied = atomic_file::open(from).and_then(|mut source| match password {
        Some(password) => password.write_sealed(source, to),
        None => atomic_file::replace(to, Access::Owner, |new| io::copy(&mut source, new).map(|_| ())),
    });
    copied.map_err(|error| {
        CliError::Failed(format!(
            "cannot copy {} to {}: {error}; {}",
            from.display(),
            to.display(),
            atomic_file::advice(&error)
        ))
    })
}

fn not_written(file: &Path, error: &io::Error) -> CliError {
    CliError::Failed(format!(
        "the backup {} cannot be written: {error}; {}",
        file.display(),
        atomic_file::advice(error)
    ))
}
