//! The data directory: its lock, and the database in it, which is set aside and built again if it is damaged.

use super::backup::{Backup, BackupError};
use super::error::{OpenError, StoreError};
use super::free_space::Duplicate;
use super::key;
use super::records;
use super::table::{Table, TableError};
use crate::atomic_file;
use crate::clock::Now;
use std::env;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The file that is locked while the store is open.
pub(super) const LOCK: &str = "store.lock";
/// The folder of the database.
pub(super) const DATABASE: &str = "database";
/// The backup beside the database.
pub(super) const BACKUP: &str = "backup.mcos";
/// How many databases are kept of those that were damaged, and of those that were replaced.
const KEPT_ASIDE: usize = 3;
/// How many records of a backup are written at once.
const CHUNK: usize = 256;

/// The generation of a database: how many backups of it had been written when it was changed last.
pub(super) fn generation(table: &Table) -> Result<u64, StoreError> {
    Ok(table.get(key::GENERATION)?.unwrap_or(0))
}

/// Whether this program understands every record of a backup.
pub(super) fn check(backup: &Backup) -> Result<(), StoreError> {
    backup.rows.iter().try_for_each(|(key, value)| records::check(key, value))
}

fn refused(path: &Path) -> impl Fn(io::Error) -> OpenError + use<> {
    let path = path.to_owned();
    move |source| OpenError::Io { path: path.clone(), source }
}

/// The file that is locked. On a card that is read-only the one that lies there, if any does.
fn lock_file(path: &Path) -> io::Result<Option<File>> {
    match File::options().write(true).create(true).truncate(false).mode(0o600).open(path) {
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        },
        opened => opened.map(Some),
    }
}

/// A file that is locked until this value is dropped.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    fn on(file: File) -> Result<Self, TryLockError> {
        file.try_lock().map(|()| Self(file))
    }
}

impl Drop for Lock {
    /// Closing the file is not enough: a process that another thread starts at this moment has a copy of the descriptor
    /// until it runs its own program, and the copy would hold the lock.
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            log::warn!("the lock of the data folder could not be released: {error}");
        }
    }
}

/// What [`DataDir::open_database`] found.
pub(super) enum Found {
    Sound(Table),
    /// What is wrong with it.
    Damaged(String),
}

/// The data directory, locked: no other process has the store open.
pub(super) struct DataDir {
    /// The data directory.
    pub(super) dir: PathBuf,
    /// The directory with the database: the same, unless that cannot be written.
    parent: PathBuf,
    pub(super) database: PathBuf,
    pub(super) backup: PathBuf,
    /// sled's own lock lies in the folder that may have to be set aside, so it cannot guard that step. None on a card
    /// that is read-only and never had one.
    pub(super) lock: Option<Lock>,
}

impl DataDir {
    /// Makes and locks the data directory `dir`.
    pub(super) fn enter(dir: &Path) -> Result<Self, OpenError> {
        let refused = refused(dir);
        atomic_file::create_private_dir(dir).map_err(&refused)?;
        let lock = match lock_file(&dir.join(LOCK)).map_err(&refused)?.map(Lock::on).transpose() {
            Ok(lock) => lock,
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse { dir: dir.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(refused(source)),
        };
        let (database, backup) = (dir.join(DATABASE), dir.join(BACKUP));
        Ok(Self { dir: dir.to_owned(), parent: dir.to_owned(), database, backup, lock })
    }

    /// Says of an error that it came from the directory with the database.
    pub(super) fn refused(&self) -> impl Fn(io::Error) -> OpenError + use<> {
        refused(&self.parent)
    }

    /// The same with the database copied to where it can be written.
    pub(super) fn copied(self, trouble: StoreError) -> Result<(Self, Duplicate), OpenError> {
        if !self.database.exists() {
            return Err(trouble.into());
        }
        let (copy, database) = Duplicate::of(&self.database).map_err(refused(&env::temp_dir()))?;
        log::error!("the database is read from a copy in {}", database.display());
        let parent = database.parent().unwrap_or(&self.parent).to_owned();
        Ok((Self { parent, database, ..self }, copy))
    }

    /// Opens the database and reads all of it. `saved` is the backup beside it: a database that is older has lost something.
    pub(super) fn open_database(&self, saved: &Result<Backup, BackupError>) -> Result<Found, OpenError> {
        if !self.database.exists() {
            if !matches!(saved, Err(BackupError::Missing)) {
                return Ok(Found::Damaged("it is missing".to_owned()));
            }
            self.create_database()?;
        }
        let table = match Table::open(&self.database) {
            Ok(table) => table,
            Err(TableError::Damaged(why)) => return Ok(Found::Damaged(why)),
            Err(error) => return Err(self.explain(error)),
        };
        match table.check(records::check).and_then(|()| generation(&table)) {
            Ok(generation) if generation < saved.as_ref().map_or(0, |saved| saved.generation) => {
                Ok(Found::Damaged("it has lost what its backup still has".to_owned()))
            }
            Ok(_) => Ok(Found::Sound(table)),
            Err(error @ StoreError::TooNew { .. }) => Err(error.into()),
            Err(error) => Ok(Found::Damaged(error.to_string())),
        }
    }

    /// Sets a damaged database aside and builds it again.
    pub(super) fn repair(&self, why: &str, saved: Result<Backup, BackupError>) -> Result<Table, OpenError> {
        let both = |backup| OpenError::Damaged { database: why.to_owned(), backup };
        let saved = match saved {
            Ok(saved) => Some(saved),
            Err(BackupError::Missing) => None,
            Err(BackupError::Unreadable(source)) => {
                let (database, backup) = (why.to_owned(), self.backup.clone());
                return Err(OpenError::NotRepaired { database, backup, source });
            }
            Err(BackupError::Damaged(backup)) => return Err(both(backup)),
            Err(BackupError::TooNew(version)) => return Err(OpenError::TooNew { what: "backup", version }),
        };
        saved.as_ref().map_or(Ok(()), check).map_err(|error| match error {
            StoreError::TooNew { .. } => error.into(),
            StoreError::Damaged { what } => both(format!("it holds a damaged {what}")),
            other => both(other.to_string()),
        })?;
        log::error!("THE DATABASE IS DAMAGED: {why}");
        match &saved {
            Some(saved) => log::error!(
                "rebuilding it from {} ({} records); what changed after that backup is lost",
                self.backup.display(),
                saved.rows.len()
            ),
            None => log::error!("there is no backup of it, so the server begins anew, without any accounts"),
        }
        self.rebuild("damaged", saved)
    }

    /// Renames the database, if there is one, and builds a new one. Interrupted, it is older than the backup and will
    /// be rebuilt again.
    pub(super) fn rebuild(&self, name: &str, saved: Option<Backup>) -> Result<Table, OpenError> {
        if self.database.exists() {
            let aside = self.free_name(name).map_err(self.refused())?;
            atomic_file::rename(&self.database, &aside).map_err(self.refused())?;
            log::warn!("the old database is kept as {}", aside.display());
        }
        self.create_database()?;
        let table = Table::open(&self.database).map_err(|error| self.explain(error))?;
        if let Some(Backup { generation, mut rows, .. }) = saved {
            // The sum comes about anew, and the generation is the seal on the finished work.
            rows.retain(|(key, _)| key != key::GENERATION && key != key::SUM);
            for chunk in rows.chunks(CHUNK) {
                table.fill(chunk)?;
            }
            table.sync()?;
            table.transact::<_, StoreError>(|tx| tx.put(key::GENERATION, &generation))?;
            table.sync()?;
        }
        // Only now that there is a sound one.
        if let Err(error) = self.forget_old(name) {
            log::warn!("an old database could not be deleted: {error}");
        }
        Ok(table)
    }

    fn create_database(&self) -> Result<(), OpenError> {
        atomic_file::create_private_dir(&self.database).map_err(self.refused())
    }

    /// A name nobody has, behind those that are there: the clock of a board without a battery may go back.
    fn free_name(&self, name: &str) -> io::Result<PathBuf> {
        let newest = self.set_aside(name)?.pop().map_or(0, |(number, _)| number);
        let number = Now::read().unix.max(newest.saturating_add(1));
        Ok(self.parent.join(format!("database.{name}-{number}")))
    }

    /// The databases that were set aside under this name, oldest first.
    fn set_aside(&self, name: &str) -> io::Result<Vec<(u64, PathBuf)>> {
        let prefix = format!("database.{name}-");
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.parent)? {
            let entry = entry?;
            let number = entry.file_name().to_str().and_then(|file| file.strip_prefix(&prefix)?.parse().ok());
            all.extend(number.map(|number| (number, entry.path())));
        }
        all.sort_unstable();
        Ok(all)
    }

    /// Deletes all of them but the newest few: a card must not fill up with them.
    fn forget_old(&self, name: &str) -> io::Result<()> {
        let all = self.set_aside(name)?;
        for (_, old) in all.iter().take(all.len().saturating_sub(KEPT_ASIDE)) {
            fs::remove_dir_all(old)?;
            log::warn!("{} was deleted: the newest {KEPT_ASIDE} are kept", old.display());
        }
        Ok(())
    }

    fn explain(&self, error: TableError) -> OpenError {
        match error {
            TableError::Locked => OpenError::InUse { dir: self.parent.clone() },
            TableError::Refused(source) => OpenError::Io { path: self.database.clone(), source },
            TableError::Damaged(why) => OpenError::Store(StoreError::Database(why.into())),
        }
    }
}
