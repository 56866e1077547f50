//! The data directory: its lock, and the database in it, which is set aside and built again if it is damaged.

use super::backup::{self, BACKUP, Backup, BackupError};
use super::engine::{Engine, EngineError};
use super::error::{OpenError, StoreError};
use super::free_space::Duplicate;
use super::giving::{give, place};
use super::journal::{self, Chain, End, Journal};
use super::key;
use super::record;
use super::records;
use super::table::Opened;
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
/// How many databases are kept of those that were damaged, and of those that were replaced.
const KEPT_ASIDE: usize = 3;

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

/// How a database was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repaired {
    /// It was sound.
    No,
    /// It was built again, and nothing is missing.
    Whole,
    /// It was built again from what there was, perhaps nothing; what was changed after that is lost.
    InPart,
}

/// When every record of a database is read that was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// Before anything else.
    AtOnce,
    /// While it is used; but at once what an older program wrote, and a copy.
    Behind,
}

/// What [`DataDir::open_database`] found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) opened: Opened,
    pub(super) repaired: Repaired,
    /// Backup and journal are not all there is, or the journal is in pieces: a new backup is needed.
    pub(super) stale: bool,
}

/// A database that can be used.
struct Sound {
    engine: Engine,
    /// The sum over all records.
    sum: u64,
    /// Whether every record was read.
    checked: bool,
    /// Where its last journal ends.
    end: Option<End>,
}

/// A database that is behind what it was given last, or cannot be used; why.
enum Unsound {
    Damaged(String),
    Error(OpenError),
}

/// The data directory, locked: no other process has the store open.
#[derive(Debug)]
pub(super) struct DataDir {
    /// The data directory.
    pub(super) dir: PathBuf,
    /// The directory with the database: the same, unless that cannot be written.
    parent: PathBuf,
    pub(super) database: PathBuf,
    pub(super) backup: PathBuf,
    /// sled's own lock lies in the folder that may have to be set aside, so it cannot guard that step. None on a card
    /// that is read-only and never had one.
    _lock: Option<Lock>,
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
        Ok(Self { dir: dir.to_owned(), parent: dir.to_owned(), database, backup, _lock: lock })
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

    /// Opens the database, gives it what it lacks of the journal, and reads all of it, unless that is to be done behind. One that cannot
    /// be read, or is older than the backup beside it, is set aside and built again.
    pub(super) fn open_database(&self, check: When) -> Result<Found, OpenError> {
        let saved = backup::open(&self.backup).map(|reader| reader.generation);
        let base = saved.as_ref().map_or(0, |generation| *generation);
        let chain = Chain::behind(&self.dir, base).map_err(self.refused())?;
        match self.open_sound(&saved, &chain, check) {
            Ok(Sound { engine, sum, checked, end }) => {
                let file = self.backup.display();
                match &saved {
                    Err(BackupError::Damaged(why)) => {
                        log::warn!("the backup {file} is damaged ({why}) and will be replaced");
                    }
                    Err(BackupError::Unreadable(error)) => {
                        log::warn!("the backup {file} cannot be read ({error}) and will be replaced");
                    }
                    _ => {}
                }
                let mut found = self.go_on(engine, sum, &saved, end, Repaired::No)?;
                found.stale |= chain.len() > 1;
                found.opened.checked = checked;
                Ok(found)
            }
            Err(Unsound::Damaged(why)) => self.repair(&why, &chain),
            Err(Unsound::Error(error)) => Err(error),
        }
    }

    fn open_sound(
        &self,
        saved: &Result<u64, BackupError>,
        chain: &Chain,
        check: When,
    ) -> Result<Sound, Unsound> {
        if !self.database.exists() {
            if !matches!(saved, Err(BackupError::Missing)) || !chain.is_empty() {
                return Err(Unsound::Damaged("it is missing".to_owned()));
            }
            self.create_database()?;
        }
        let engine = Engine::open(&self.database).map_err(|error| match error {
            EngineError::Damaged(why) => Unsound::Damaged(why),
            error => self.explain(error).into(),
        })?;
        let (generation, _) = place(&engine)?;
        if generation < *saved.as_ref().unwrap_or(&0) {
            return Err(Unsound::Damaged("it has lost what its backup still has".to_owned()));
        }
        let end = replay(&engine, chain)?;
        let layout = engine.number(key::LAYOUT)?.unwrap_or(0);
        if layout > records::LAYOUT {
            let version = u8::try_from(layout).unwrap_or(u8::MAX);
            return Err(StoreError::TooNew { what: "database", version }.into());
        }
        if check == When::Behind && layout == records::LAYOUT && self.dir == self.parent {
            let sum = engine.number(key::SUM)?.unwrap_or(0);
            return Ok(Sound { engine, sum, checked: false, end });
        }
        let sum = engine.check(records::check)?;
        if sum.found == sum.stored {
            Ok(Sound { engine, sum: sum.found, checked: true, end })
        } else {
            Err(StoreError::Damaged { what: "set of records" }.into())
        }
    }

    /// Makes ready for more batches: at the `end` of a journal that goes on where the database is, or in a new one.
    fn go_on(
        &self,
        engine: Engine,
        sum: u64,
        saved: &Result<u64, BackupError>,
        end: Option<End>,
        repaired: Repaired,
    ) -> Result<Found, OpenError> {
        if self.dir != self.parent {
            let opened = Opened { engine, sum, journal: None, checked: true };
            return Ok(Found { opened, repaired, stale: false });
        }
        let refused = self.refused();
        let mut stale = matches!(saved, Err(BackupError::Damaged(_) | BackupError::Unreadable(_)));
        let journal = if let Some(end) = end {
            end.go_on(&self.dir)
        } else {
            let (generation, _) = place(&engine)?;
            let newest = journal::newest(&self.dir).map_err(&refused)?;
            let highest = generation.max(newest.unwrap_or(0)).max(*saved.as_ref().unwrap_or(&0));
            // Nothing precedes the first journal of a new store. Any other needs a backup to go on from.
            let new = highest == 0 && newest.is_none() && engine.is_empty()?;
            stale |= !new;
            Journal::create(&self.dir, if new { 0 } else { highest + 1 })
        };
        let journal = journal.map_err(&refused)?;
        if let Ok(base) = saved {
            journal::forget_before(&self.dir, *base).map_err(&refused)?;
        }
        let opened = Opened { engine, sum, journal: Some(journal), checked: true };
        Ok(Found { opened, repaired, stale })
    }

    /// Sets a damaged database aside and builds it again.
    fn repair(&self, why: &str, chain: &Chain) -> Result<Found, OpenError> {
        let both = |backup| OpenError::Damaged { database: why.to_owned(), backup };
        let saved = match verify(&self.backup) {
            Ok(records) => Some(records),
            Err(Unverified::Backup(BackupError::Missing)) => None,
            Err(Unverified::Backup(BackupError::Unreadable(source))) => {
                let (database, backup) = (why.to_owned(), self.backup.clone());
                return Err(OpenError::NotRepaired { database, backup, source });
            }
            Err(Unverified::Backup(BackupError::Damaged(backup))) => return Err(both(backup)),
            // The server's own is never encrypted.
            Err(Unverified::Backup(BackupError::Locked(lock))) => return Err(both(lock.to_string())),
            Err(Unverified::Backup(BackupError::TooNew(version))) => {
                return Err(OpenError::TooNew { what: "backup", version });
            }
            Err(Unverified::Record(error @ StoreError::TooNew { .. })) => return Err(error.into()),
            Err(Unverified::Record(StoreError::Damaged { what })) => {
                return Err(both(format!("it holds a damaged {what}")));
            }
            Err(Unverified::Record(other)) => return Err(both(other.to_string())),
        };
        log::error!("THE DATABASE IS DAMAGED: {why}");
        let repaired = if chain.is_empty() { Repaired::InPart } else { Repaired::Whole };
        match (saved, repaired) {
            (None, Repaired::InPart) => {
                log::error!("there is no backup of it, so the server begins anew, without any accounts");
            }
            (_, Repaired::InPart) => log::error!(
                "rebuilding it from {} ({} records); what changed after that backup is lost",
                self.backup.display(),
                saved.unwrap_or(0)
            ),
            _ => log::error!(
                "rebuilding it from {} ({} records) and the journal beside it; nothing is lost",
                self.backup.display(),
                saved.unwrap_or(0)
            ),
        }
        self.rebuild("damaged", chain, repaired)
    }

    /// Renames the database, if there is one, and builds a new one from the backup and the journals behind it. Interrupted, it is
    /// older than the backup and will be rebuilt again.
    pub(super) fn rebuild(&self, name: &str, chain: &Chain, repaired: Repaired) -> Result<Found, OpenError> {
        if self.database.exists() {
            let aside = self.free_name(name).map_err(self.refused())?;
            atomic_file::rename(&self.database, &aside).map_err(self.refused())?;
            log::warn!("the old database is kept as {}", aside.display());
        }
        self.create_database()?;
        let engine = Engine::open(&self.database).map_err(|error| self.explain(error))?;
        let broken = |error: BackupError| OpenError::Store(StoreError::Database(error.to_string().into()));
        let mut generation = Err(BackupError::Missing);
        if let Ok(mut saved) = backup::open(&self.backup) {
            while let Some((key, value)) = saved.row().map_err(broken)? {
                // The generation is the seal on the finished work.
                if key != key::GENERATION {
                    engine.put(&key, Some(&value))?;
                }
            }
            engine.flush()?;
            engine.put(key::GENERATION, Some(&record::encode(&saved.generation)?))?;
            generation = Ok(saved.generation);
        }
        let end = replay(&engine, chain).map_err(|unsound| match unsound {
            Unsound::Damaged(why) => OpenError::Store(StoreError::Database(why.into())),
            Unsound::Error(error) => error,
        })?;
        let sum = engine.check(records::check)?.found;
        engine.put(key::SUM, Some(&record::encode(&sum)?))?;
        engine.flush()?;
        // Only now that there is a sound one.
        if let Err(error) = self.forget_old(name) {
            log::warn!("an old database could not be deleted: {error}");
        }
        self.go_on(engine, sum, &generation, end, repaired)
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

    fn explain(&self, error: EngineError) -> OpenError {
        match error {
            EngineError::Locked => OpenError::InUse { dir: self.parent.clone() },
            EngineError::Refused(source) => OpenError::Io { path: self.database.clone(), source },
            EngineError::Damaged(why) => OpenError::Store(StoreError::Database(why.into())),
        }
    }
}

/// Gives the engine what it lacks of the journals. Returned is where the last one ends, if the database is where it begins or in
/// it.
fn replay(engine: &Engine, chain: &Chain) -> Result<Option<End>, Unsound> {
    let (generation, position) = place(engine)?;
    let mut count = 0_u64;
    let end = chain.replay(generation, position, |changes| {
        count += 1;
        give(engine, &changes).map_err(Unsound::from)
    })?;
    if count > 0 {
        log::info!("{count} batches of changes that the database had not yet came from the journal");
    }
    Ok(end)
}

/// What is wrong with a backup.
enum Unverified {
    Backup(BackupError),
    Record(StoreError),
}

/// How many records a backup has, all of which this program understands.
fn verify(file: &Path) -> Result<u64, Unverified> {
    let mut reader = backup::open(file).map_err(Unverified::Backup)?;
    let mut count = 0;
    while let Some((key, value)) = reader.row().map_err(Unverified::Backup)? {
        records::check(&key, &value).map_err(Unverified::Record)?;
        count += 1;
    }
    while reader.file().map_err(Unverified::Backup)?.is_some() {}
    Ok(count)
}

impl From<OpenError> for Unsound {
    fn from(error: OpenError) -> Self {
        Self::Error(error)
    }
}

impl From<io::Error> for Unsound {
    /// Of a journal that the system does not let us read.
    fn from(source: io::Error) -> Self {
        Self::Error(OpenError::Io { path: PathBuf::from("the journal of the database"), source })
    }
}

impl From<StoreError> for Unsound {
    fn from(error: StoreError) -> Self {
        match error {
            error @ StoreError::TooNew { .. } => Self::Error(error.into()),
            error => Self::Damaged(error.to_string()),
        }
    }
}
