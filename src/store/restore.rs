//! Restoring a backup: at once where no server runs, or before the next start of one.
//!
//! A running server cannot replace the database that it has open. So it checks the backup, keeps it as `restore.mcos` in
//! the data directory, and restarts; what is kept there is restored before the store is opened. The file goes when that is
//! done, so a power cut in between only means that it is done again. An encrypted one that somebody else has put there (a box
//! takes it from its card) waits for its password, if the data directory does not have it.

use super::backup::{self, BACKUP, Backup, BackupError};
use super::data_dir::{DataDir, Repaired, check};
use super::engine::Engine;
use super::error::{OpenError, StoreError};
use super::free_space::{FreeSpace, RESERVE};
use super::giving::place;
use super::handle::Store;
use super::journal::{self, Chain};
use super::key::{self, LAST_GENERATION};
use super::ownership::hand_over;
use super::sealed::{BackupPassword, unsealed};
use crate::atomic_file;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// How many generations a restore leaves out: more than a card makes in its life, at most one a minute.
const AHEAD: u64 = 1 << 24;
const STAGED: &str = "restore.mcos";
/// One that waits for its password. No later start takes it by itself: by then it may be older than what is there.
const LOCKED: &str = "restore.mcos.locked";
const REFUSED: &str = "restore.mcos.refused";

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// How many accounts.
    pub accounts: usize,
    /// How many personas.
    pub personas: usize,
}

impl Store {
    /// Replaces everything in `dir` by what [`Store::write_backup`] wrote. The old database is renamed to
    /// `database.replaced-` and the time, and so are the files beside it that the backup replaces. What the backup does
    /// not hold stays. The store must not be open. A power cut in between leaves a sound store; then do it again. The password is for
    /// an encrypted backup.
    ///
    /// # Errors
    /// [`OpenError::InUse`] if the store is open; otherwise that the file is no backup that can be restored, or what the
    /// system says. Nothing was changed then, unless the system refused in between; then do it again.
    pub fn restore(dir: &Path, file: &Path, password: Option<&BackupPassword>) -> Result<(), OpenError> {
        let data = DataDir::enter(dir)?;
        let (mut saved, sealed) = read(file, password)?;
        // Once the backup in the directory is the newest of all, whatever interrupts us leads to it at the next start.
        let engine = data.database.exists().then(|| Engine::open(&data.database).ok()).flatten();
        let old = engine.and_then(|engine| place(&engine).ok()).map_or(0, |(generation, _)| generation);
        let newest = backup::open(&data.backup).map_or(0, |backup| backup.generation);
        let newest = newest.max(journal::newest(dir).map_err(refused(dir))?.unwrap_or(0));
        for file in std::mem::take(&mut saved.files) {
            file.put_back(dir).map_err(refused(dir))?;
        }
        let highest = old.max(newest).max(saved.generation);
        // Also newer than what its old card may have kept elsewhere after this backup.
        saved.generation = highest.saturating_add(AHEAD).min(LAST_GENERATION).max(highest + 1);
        backup::write(&data.backup, &saved).map_err(refused(dir))?;
        journal::forget_before(dir, saved.generation).map_err(refused(dir))?;
        data.rebuild("replaced", &Chain::default(), Repaired::No)?;
        if sealed {
            Self::note_sealed_restore(dir);
        }
        hand_over(dir);
        Ok(())
    }

    /// What a backup holds that this program can restore: neither damaged, nor empty, nor foreign, nor of a newer program.
    ///
    /// # Errors
    /// Why it cannot be restored.
    pub fn check_backup(file: &Path, password: Option<&BackupPassword>) -> Result<Contents, OpenError> {
        read(file, password).map(|(saved, _)| {
            let count = |kind: &[u8]| saved.rows.iter().filter(|(key, _)| key.starts_with(kind)).count();
            Contents { accounts: count(key::ACCOUNTS), personas: count(key::PERSONAS) }
        })
    }

    /// Checks a backup and keeps it in the data directory `dir` to be restored at the next start. Returned is the number
    /// of its records.
    ///
    /// # Errors
    /// Why it cannot be restored. Nothing was changed then.
    pub fn stage_restore(dir: &Path, file: &Path) -> Result<usize, OpenError> {
        stage(dir, &read(file, None)?.0)
    }

    /// The same for a backup that is read from elsewhere and may be encrypted; errors call it `name`.
    ///
    /// # Errors
    /// As [`Store::stage_restore`].
    pub fn stage_restore_from(
        dir: &Path,
        name: &str,
        reader: impl Read,
        password: Option<&BackupPassword>,
    ) -> Result<usize, OpenError> {
        let name = Path::new(name);
        let (saved, sealed) = read_unsealed(reader, password).map_err(|error| error.of(name))?;
        let records = stage(dir, &sound(name, saved)?)?;
        if sealed {
            Self::note_sealed_restore(dir);
        }
        Ok(records)
    }

    /// Whether an encrypted backup is kept in `dir`, to be restored once somebody gives its password.
    pub fn waits_for_password(dir: &Path) -> bool {
        Self::is_sealed(&dir.join(LOCKED)).unwrap_or_default()
    }

    /// Gives the password of the backup that [`Store::waits_for_password`]: then it is restored at the next start. Returned is the
    /// number of its records.
    ///
    /// # Errors
    /// Why it cannot be restored. Nothing was changed then.
    pub fn open_staged(dir: &Path, password: &BackupPassword) -> Result<usize, OpenError> {
        let locked = dir.join(LOCKED);
        let records = stage(dir, &read(&locked, Some(password))?.0)?;
        Self::note_sealed_restore(dir);
        fs::remove_file(&locked).and_then(|()| atomic_file::sync_dir(dir)).map_err(refused(dir))?;
        Ok(records)
    }

    /// Deletes the backup that [`Store::waits_for_password`], whatever it is encrypted by.
    ///
    /// # Errors
    /// What the system says, also that there is none.
    pub fn discard_staged(dir: &Path) -> Result<(), OpenError> {
        fs::remove_file(dir.join(LOCKED)).and_then(|()| atomic_file::sync_dir(dir)).map_err(refused(dir))
    }

    /// Restores what is kept in `dir` for that, if anything is, and says whether it did. The store must not be open. What
    /// cannot be restored after all is renamed, and what cannot be read stays; the server then goes on with what it has.
    ///
    /// # Errors
    /// What the system says.
    pub fn restore_staged(dir: &Path) -> Result<bool, OpenError> {
        let staged = dir.join(STAGED);
        if !staged.exists() {
            return Ok(false);
        }
        if let Err(trouble) = FreeSpace::of(staged.clone(), false).room_for(RESERVE) {
            log::error!("the backup that is waiting is NOT RESTORED at this start: {trouble}");
            return Ok(false);
        }
        let password = BackupPassword::kept(dir).unwrap_or_else(|error| {
            log::error!("{error}");
            None
        });
        match Self::restore(dir, &staged, password.as_ref()) {
            Ok(()) => {
                fs::remove_file(&staged).and_then(|()| atomic_file::sync_dir(dir)).map_err(refused(dir))?;
                log::warn!("the backup that was waiting is restored");
                Ok(true)
            }
            Err(error @ (OpenError::BadBackup { .. } | OpenError::TooNew { .. })) => {
                let aside = dir.join(REFUSED);
                atomic_file::rename(&staged, &aside).map_err(refused(dir))?;
                log::error!("NOT RESTORED: {error}; it is kept as {}", aside.display());
                Ok(false)
            }
            Err(OpenError::Locked { lock, .. }) => {
                atomic_file::rename(&staged, &dir.join(LOCKED)).map_err(refused(dir))?;
                log::error!("the backup that is waiting is NOT RESTORED, for {lock}");
                log::error!(
                    "it is kept as {LOCKED}; if its password is all that is missing, the operator's page Backup asks for it"
                );
                Ok(false)
            }
            Err(error @ OpenError::BackupUnreadable { .. }) => {
                log::error!("the backup that is waiting is NOT RESTORED at this start: {error}");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}

fn stage(dir: &Path, saved: &Backup) -> Result<usize, OpenError> {
    backup::write(&dir.join(STAGED), saved).map_err(refused(dir))?;
    Ok(saved.rows.len())
}

/// What a file holds, and whether it was encrypted.
fn read(file: &Path, password: Option<&BackupPassword>) -> Result<(Backup, bool), OpenError> {
    let input = atomic_file::open(file).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => BackupError::Missing,
        _ => BackupError::Unreadable(error),
    });
    let read = input.and_then(|input| read_unsealed(BufReader::new(input), password));
    let (saved, sealed) = read.map_err(|error| error.of(file))?;
    let saved = sound(file, saved)?;
    if file.file_name().is_none_or(|name| name != BACKUP) {
        return Ok((saved, sealed));
    }
    // That of another data folder, an old card's for instance: what was changed since lies beside it.
    let with_journal = with_journal(saved, file.parent().unwrap_or(Path::new(".")));
    let saved =
        with_journal.map_err(|source| OpenError::BackupUnreadable { file: file.to_owned(), source })?;
    sound(file, saved).map(|saved| (saved, sealed))
}

fn read_unsealed(input: impl Read, password: Option<&BackupPassword>) -> Result<(Backup, bool), BackupError> {
    let mut input = unsealed(input, password)?;
    let sealed = input.was_sealed();
    Ok((backup::read_from(&mut input)?, sealed))
}

/// The backup with the changes of the journals behind it in `dir`.
fn with_journal(saved: Backup, dir: &Path) -> io::Result<Backup> {
    let chain = Chain::behind(dir, saved.generation)?;
    if chain.is_empty() {
        return Ok(saved);
    }
    let mut rows: BTreeMap<_, _> = saved.rows.into_iter().collect();
    chain.replay::<io::Error>(saved.generation, 0, |changes| {
        for (key, change) in changes {
            match change {
                Some(value) => rows.insert(key, value),
                None => rows.remove(&key),
            };
        }
        Ok(())
    })?;
    Ok(Backup { rows: rows.into_iter().collect(), ..saved })
}

/// What was read from `file`, if this program can restore it.
fn sound(file: &Path, saved: Backup) -> Result<Backup, OpenError> {
    let bad = |why: String| OpenError::BadBackup { file: file.to_owned(), why };
    // The counters alone are no server.
    if saved.rows.iter().all(|(key, _)| key.starts_with(key::META)) {
        return Err(bad("it holds no records".to_owned()));
    }
    check(&saved).map_err(|error| match error {
        StoreError::TooNew { .. } => error.into(),
        other => bad(other.to_string()),
    })?;
    Ok(saved)
}

fn refused(dir: &Path) -> impl Fn(io::Error) -> OpenError {
    move |source| OpenError::Io { path: dir.to_owned(), source }
}
