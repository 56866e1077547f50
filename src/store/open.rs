//! Opening, repairing, backing up and restoring.

use super::backup::{self, Backup, BackupError, sync_dir};
use super::commit::{Disk, Writer};
use super::error::{OpenError, StoreError};
use super::free_space::{Duplicate, FreeSpace, RESERVE, TO_OPEN};
use super::ownership::{HandOver, hand_over};
use super::side_files::SideFile;
use super::table::{Table, TableError};
use super::{Inner, Store, key, ledger};
use crate::clock::Now;
use std::env;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub(super) const LOCK: &str = "store.lock";
const BACKUP_EVERY: Duration = Duration::from_mins(1);
/// How many databases are kept of those that were damaged, and of those that were replaced.
const KEPT_ASIDE: usize = 3;
/// How many records of a backup are written at once.
const CHUNK: usize = 256;

impl Store {
    /// The backup that lies beside the database in the data directory `dir`; complete when the store was closed.
    pub fn backup_in(dir: &Path) -> PathBuf {
        dir.join("backup.mcos")
    }

    /// Opens the store in the data directory `dir`, which is created if need be (mode 0700).
    ///
    /// Every record is read once. If the database cannot be read, or is older than the backup beside it, it is
    /// renamed to `database.damaged-` and the time, and rebuilt from the backup, with a loud line in the log. Without
    /// any backup it begins anew. If the backup is damaged as well nothing is touched and the error says so.
    ///
    /// A database on a card that is read-only, or too full for the engine, is copied to the system's folder for temporary
    /// files and read there; every change is refused.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        let place = DataDir::enter(dir)?;
        let card = |copy| FreeSpace::of(dir.join(LOCK), copy);
        match card(false).room_for(TO_OPEN) {
            Ok(()) => Self::open_at(place, card(false), None),
            Err(trouble) => {
                let (place, copy) = place.copied(trouble)?;
                Self::open_at(place, card(true), Some(copy))
            }
        }
    }

    fn open_at(place: DataDir, card: FreeSpace, copy: Option<Duplicate>) -> Result<Self, OpenError> {
        let saved = backup::read(&place.backup);
        let (table, stale, repaired) = match place.open_database(&saved)? {
            Ok(table) => {
                if let Err(BackupError::Damaged(why)) = &saved {
                    log::warn!(
                        "the backup {} is damaged ({why}) and will be replaced",
                        place.backup.display()
                    );
                }
                let stale = copy.is_none() && saved.is_err() && !table.is_empty()?;
                (table, stale, false)
            }
            Err(why) => (place.repair(&why, saved)?, false, true),
        };
        ledger::open_books(&table, Now::read())?;
        let (table, card) = (Arc::new(table), Arc::new(card));
        let keeper =
            BackupDisk { table: Arc::clone(&table), card: Arc::clone(&card), backup: place.backup.clone() };
        let writer = Writer::start(keeper, BACKUP_EVERY, stale).map_err(place.refused())?;
        let (dir, lock) = (place.home, place.lock);
        let hand_over = HandOver(dir.clone());
        let inner =
            Inner { writer, table, card, dir, repaired, _copy: copy, _hand_over: hand_over, _lock: lock };
        let store = Self { inner: Arc::new(inner) };
        // Says so at once if there is any.
        let _ = store.trouble();
        Ok(store)
    }

    /// Replaces everything in `dir` by what [`Store::write_backup`] wrote. The old database is renamed to
    /// `database.replaced-` and the time, and so are the files beside it that the backup replaces. What the backup does
    /// not hold stays. The store must not be open. A power cut in between leaves a sound store; then do it again.
    pub fn restore(dir: &Path, file: &Path) -> Result<(), OpenError> {
        let place = DataDir::enter(dir)?;
        let mut saved = sound(file)?;
        // Once the backup in the directory is the newest of all, whatever interrupts us leads to it at the next start.
        let old = Table::open(&place.database).ok().and_then(|table| generation(&table).ok()).unwrap_or(0);
        let newest = backup::read(&place.backup).map_or(0, |backup| backup.generation);
        for file in std::mem::take(&mut saved.files) {
            file.put_back(dir).map_err(place.refused())?;
        }
        saved.generation = old.max(newest).max(saved.generation) + 1;
        backup::write(&place.backup, &saved).map_err(place.refused())?;
        place.rebuild("replaced", Some(saved))?;
        hand_over(dir);
        Ok(())
    }
}

/// A backup file, if this program can restore it.
pub(super) fn sound(file: &Path) -> Result<Backup, OpenError> {
    let bad = |why: String| OpenError::BadBackup { file: file.to_owned(), why };
    let saved = match backup::read(file) {
        Ok(saved) => saved,
        Err(BackupError::Missing) => return Err(bad("there is no such file".to_owned())),
        Err(BackupError::Damaged(why)) => return Err(bad(why)),
        Err(BackupError::TooNew(version)) => return Err(OpenError::TooNew { what: "backup", version }),
    };
    check(&saved).map_err(|error| match error {
        StoreError::TooNew { .. } => error.into(),
        other => bad(other.to_string()),
    })?;
    Ok(saved)
}

/// Writes all records, and what lies beside them in `dir`, into `file`.
pub(super) fn write_backup(table: &Table, dir: &Path, file: &Path) -> Result<(), StoreError> {
    backup::write(file, &whole_backup(table, dir)?).map_err(|error| not_saved(&error))
}

/// The same in memory.
pub(super) fn backup_bytes(table: &Table, dir: &Path) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    backup::write_to(&mut bytes, &whole_backup(table, dir)?).map_err(|error| not_saved(&error))?;
    Ok(bytes)
}

fn whole_backup(table: &Table, dir: &Path) -> Result<Backup, StoreError> {
    Ok(Backup { generation: generation(table)?, rows: table.rows()?, files: SideFile::all(dir)? })
}

fn not_saved(error: &io::Error) -> StoreError {
    StoreError::NotSaved(error.to_string().into())
}

fn generation(table: &Table) -> Result<u64, StoreError> {
    Ok(table.get(key::GENERATION)?.unwrap_or(0))
}

fn check(backup: &Backup) -> Result<(), StoreError> {
    backup.rows.iter().try_for_each(|(key, value)| key::check(key, value))
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

/// What the writer thread works on.
struct BackupDisk {
    table: Arc<Table>,
    card: Arc<FreeSpace>,
    backup: PathBuf,
}

impl Disk for BackupDisk {
    fn sync(&mut self) -> Result<(), StoreError> {
        self.table.sync()
    }

    /// The database learns of the backup first: one that has lost something afterwards is older than the backup, and
    /// that is how [`Store::open`] notices. A database that cannot be written is older too, and rightly so.
    fn back_up(&mut self) -> Result<(), StoreError> {
        self.card.room_for(RESERVE)?;
        let generation = generation(&self.table)? + 1;
        let noted = self
            .table
            .transact::<_, StoreError>(|tx| tx.put(key::GENERATION, &generation))
            .and_then(|()| self.table.sync());
        if let Err(error) = noted {
            log::warn!("the database does not know of its newest backup: {error}");
        }
        let backup = Backup { generation, rows: self.table.rows()?, files: Vec::new() };
        // It must not take the room that changes need.
        let size = backup.rows.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
        self.card.room_for(RESERVE.saturating_add(u64::try_from(size).unwrap_or(u64::MAX)))?;
        backup::write(&self.backup, &backup).map_err(|error| not_saved(&error))
    }
}

/// The data directory, for us alone.
struct DataDir {
    /// The data directory.
    home: PathBuf,
    /// Where the database lies: the same, unless that cannot be written.
    dir: PathBuf,
    database: PathBuf,
    backup: PathBuf,
    /// sled's own lock lies in the folder that may have to be set aside, so it cannot guard that step. None on a card
    /// that is read-only and never had one.
    lock: Option<Lock>,
}

impl DataDir {
    fn enter(dir: &Path) -> Result<Self, OpenError> {
        let refused = refused(dir);
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(&refused)?;
        let lock = match lock_file(&dir.join(LOCK)).map_err(&refused)?.map(Lock::on).transpose() {
            Ok(lock) => lock,
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse { dir: dir.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(refused(source)),
        };
        let (database, backup) = (dir.join("database"), Store::backup_in(dir));
        Ok(Self { home: dir.to_owned(), dir: dir.to_owned(), database, backup, lock })
    }

    fn refused(&self) -> impl Fn(io::Error) -> OpenError + use<> {
        refused(&self.dir)
    }

    /// The same with the database copied to where it can be written.
    fn copied(self, trouble: StoreError) -> Result<(Self, Duplicate), OpenError> {
        if !self.database.exists() {
            return Err(trouble.into());
        }
        let (copy, database) = Duplicate::of(&self.database).map_err(refused(&env::temp_dir()))?;
        log::error!("the database is read from a copy in {}", database.display());
        let dir = database.parent().unwrap_or(&self.dir).to_owned();
        Ok((Self { dir, database, ..self }, copy))
    }

    /// The database if it is sound, or what is wrong with it.
    fn open_database(&self, saved: &Result<Backup, BackupError>) -> Result<Result<Table, String>, OpenError> {
        if !self.database.exists() {
            if !matches!(saved, Err(BackupError::Missing)) {
                return Ok(Err("it is missing".to_owned()));
            }
            self.create_database()?;
        }
        let table = match Table::open(&self.database) {
            Ok(table) => table,
            Err(TableError::Damaged(why)) => return Ok(Err(why)),
            Err(error) => return Err(self.explain(error)),
        };
        match table.check().and_then(|()| generation(&table)) {
            Ok(generation) if generation < saved.as_ref().map_or(0, |saved| saved.generation) => {
                Ok(Err("it has lost what its backup still has".to_owned()))
            }
            Ok(_) => Ok(Ok(table)),
            Err(error @ StoreError::TooNew { .. }) => Err(error.into()),
            Err(error) => Ok(Err(error.to_string())),
        }
    }

    /// Sets a damaged database aside and builds it again.
    fn repair(&self, why: &str, saved: Result<Backup, BackupError>) -> Result<Table, OpenError> {
        let saved = match saved {
            Ok(saved) => Some(saved),
            Err(BackupError::Missing) => None,
            Err(BackupError::Damaged(backup)) => {
                return Err(OpenError::Damaged { database: why.to_owned(), backup });
            }
            Err(BackupError::TooNew(version)) => return Err(OpenError::TooNew { what: "backup", version }),
        };
        if let Some(saved) = &saved {
            check(saved)?;
        }
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
    fn rebuild(&self, name: &str, saved: Option<Backup>) -> Result<Table, OpenError> {
        if self.database.exists() {
            let aside = self.free_name(name).map_err(self.refused())?;
            fs::rename(&self.database, &aside).map_err(self.refused())?;
            log::error!("the old database is kept as {}", aside.display());
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
        DirBuilder::new().mode(0o700).create(&self.database).map_err(self.refused())?;
        sync_dir(&self.dir).map_err(self.refused())
    }

    /// A name nobody has, behind those that are there: the clock of a board without a battery may go back.
    fn free_name(&self, name: &str) -> io::Result<PathBuf> {
        let newest = self.set_aside(name)?.pop().map_or(0, |(number, _)| number);
        let number = Now::read().unix.max(newest.saturating_add(1));
        Ok(self.dir.join(format!("database.{name}-{number}")))
    }

    /// The databases that were set aside under this name, oldest first.
    fn set_aside(&self, name: &str) -> io::Result<Vec<(u64, PathBuf)>> {
        let prefix = format!("database.{name}-");
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
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
            TableError::Locked => OpenError::InUse { dir: self.dir.clone() },
            TableError::Refused(source) => OpenError::Io { path: self.database.clone(), source },
            TableError::Damaged(why) => OpenError::Store(StoreError::Database(why.into())),
        }
    }
}
