//! Opening the store.

use super::backup::BACKUP;
use super::backups::BackupDisk;
use super::check::Check;
use super::commit::Writer;
use super::data_dir::{DATABASE, DataDir, Found, LOCK, When};
use super::deals;
use super::error::OpenError;
use super::free_space::{Duplicate, FreeSpace, TO_OPEN};
use super::handle::{Inner, Store};
use super::key;
use super::ledger;
use super::names;
use super::ownership::HandOver;
use super::records;
use super::table::Table;
use crate::clock::Now;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The backup beside the database is begun no more often than this.
const BACKUP_EVERY: Duration = Duration::from_mins(1);

impl Store {
    /// The backup that lies beside the database in the data directory `dir`; complete when the store was closed.
    pub fn backup_in(dir: &Path) -> PathBuf {
        dir.join(BACKUP)
    }

    /// Whether there is anything to open in the data directory `dir`: a database, or a backup of it. [`Store::open`] would
    /// begin anew otherwise.
    pub fn is_in(dir: &Path) -> bool {
        dir.join(DATABASE).exists() || Self::backup_in(dir).exists()
    }

    /// Opens the store in the data directory `dir`, which is created if need be (mode 0700).
    ///
    /// What the database lacks comes from the journal. Every record is read once. If the database cannot be read, or is older
    /// than the backup beside it, it is renamed to `database.damaged-` and the time, and rebuilt from backup and journal, with a
    /// loud line in the log. Without any backup it begins anew.
    ///
    /// A database on a card that is read-only, or too full for the engine, is copied to the system's folder for temporary
    /// files and read there; every change is refused.
    ///
    /// # Errors
    /// [`OpenError::InUse`] if another process has it open. [`OpenError::Damaged`] and [`OpenError::NotRepaired`] if the
    /// database is damaged and the backup cannot help; nothing was touched then. [`OpenError::TooNew`] if a newer program
    /// wrote it. Otherwise what the system or the engine says.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        Self::open_and_check(dir, When::AtOnce)
    }

    /// The same for a server, which has players waiting: all records are read while the store is used. Until that has ended the tickets
    /// of changes wait, and if it finds the database damaged, what was changed is taken back and the database rebuilt,
    /// while readers are refused; before [`Store::end_of_start`] they wait for it. What an older program wrote is checked at once.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_soon(dir: &Path) -> Result<Self, OpenError> {
        Self::open_and_check(dir, When::Behind)
    }

    fn open_and_check(dir: &Path, check: When) -> Result<Self, OpenError> {
        let data = DataDir::enter(dir)?;
        let free_space = |copy| FreeSpace::of(dir.join(LOCK), copy);
        let card = free_space(false);
        match card.room_for(TO_OPEN).and_then(|()| card.probe()) {
            Ok(()) => Self::open_in(data, free_space(false), None, check),
            Err(trouble) => {
                let (data, copy) = data.copied(trouble)?;
                Self::open_in(data, free_space(true), Some(copy), check)
            }
        }
    }

    fn open_in(
        data: DataDir,
        free_space: FreeSpace,
        copy: Option<Duplicate>,
        check: When,
    ) -> Result<Self, OpenError> {
        let Found { opened, repaired, stale } = data.open_database(check)?;
        let table = Arc::new(Table::new(opened)?);
        table.mark()?;
        if table.get(key::LAYOUT)? != Some(records::LAYOUT) {
            ledger::open_books(&table, Now::read())?;
            names::enter_all(&table)?;
            // Last, so that a power cut in between only means that the rest is done later.
            table.transact(|tx| tx.put(key::LAYOUT, &records::LAYOUT))?;
        }
        deals::settle_in(&table)?;
        table.set_readers_wait(table.is_unchecked());
        let check = table.is_unchecked().then(|| Check::of(&table)).transpose()?;
        let check = check.map(|check| Box::new(move |given_up: &AtomicBool| check.run(given_up)) as _);
        let (data, free_space) = (Arc::new(data), Arc::new(free_space));
        let repaired = Arc::new(Mutex::new(repaired));
        let disk = BackupDisk {
            table: Arc::clone(&table),
            free_space: Arc::clone(&free_space),
            data: Arc::clone(&data),
            repaired: Arc::clone(&repaired),
            gap: false,
        };
        let writer = Writer::start(disk, BACKUP_EVERY, stale, check).map_err(data.refused())?;
        let hand_over = HandOver(data.dir.clone());
        let inner = Inner {
            writer,
            table,
            free_space,
            repaired,
            abandoned: AtomicBool::new(false),
            changes: AtomicU64::default(),
            city_clock: Mutex::default(),
            _copy: copy,
            _hand_over: hand_over,
            data,
        };
        let store = Self { inner: Arc::new(inner) };
        // Says so at once if there is any.
        let _ = store.trouble();
        Ok(store)
    }
}
