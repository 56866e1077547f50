//! The open store: a handle that is cheap to clone.

use super::commit::{Changed, Writer};
use super::data_dir::Lock;
use super::error::StoreError;
use super::free_space::{Duplicate, FreeSpace, RESERVE};
use super::ownership::HandOver;
use super::table::Table;
use std::path::PathBuf;
use std::sync::Arc;

/// The open store. Cloning it is cheap, every thread may use it, and the last clone closes it: whatever waits is
/// written, then the backup if it is out of date.
#[derive(Clone, Debug)]
pub struct Store {
    pub(super) inner: Arc<Inner>,
}

/// Dropped in this order: the writer finishes, then the database is closed, then others may open it.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) writer: Writer,
    pub(super) table: Arc<Table>,
    pub(super) free_space: Arc<FreeSpace>,
    /// The data directory.
    pub(super) dir: PathBuf,
    pub(super) repaired: bool,
    pub(super) _copy: Option<Duplicate>,
    pub(super) _hand_over: HandOver,
    pub(super) _lock: Option<Lock>,
}

impl Store {
    /// How many bytes the database has on the card, as far as the engine knows.
    pub fn size_on_disk(&self) -> Result<u64, StoreError> {
        self.inner.table.size_on_disk()
    }

    /// When changes were last made safe, in seconds since 1970; `None`: not since the store was opened.
    pub fn last_commit(&self) -> Option<u64> {
        self.inner.writer.last_commit()
    }

    /// Whether the thread that saves changes is still there. Without it no ticket would ever resolve.
    pub fn is_being_saved(&self) -> bool {
        self.inner.writer.is_alive()
    }

    /// Why no change is accepted now, if none is: the card is full, or cannot be written. What is stored can be read
    /// all the same. After a write that failed this lasts until the store is opened again, since what the system
    /// says of later writes cannot be believed.
    pub fn trouble(&self) -> Option<StoreError> {
        self.inner.writer.failed().or_else(|| self.inner.free_space.check().err())
    }

    /// Whether a file of so many bytes may be put beside the database: the room that changes need stays.
    ///
    /// # Errors
    /// Why not.
    pub fn room_for(&self, bytes: u64) -> Result<(), StoreError> {
        self.inner.free_space.room_for(RESERVE.saturating_add(bytes))
    }

    /// Whether the database was found damaged when the store was opened, and made anew: from the backup beside it, or empty if
    /// there was none. What was changed after that backup is lost.
    pub fn was_repaired(&self) -> bool {
        self.inner.repaired
    }

    /// Whether opening the store again would end the trouble: it could not be written when it was opened, and could be
    /// now.
    pub fn wants_restart(&self) -> bool {
        self.inner.free_space.wants_restart()
    }

    /// Waits until everything changed so far is on the card.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.inner.writer.ticket(false).wait()
    }

    pub(super) fn table(&self) -> &Table {
        &self.inner.table
    }

    /// Runs a change while nobody else changes anything, and takes its ticket.
    pub(super) fn change<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Table) -> Result<T, E>,
    ) -> Result<Changed<T>, E> {
        if let Some(trouble) = self.trouble() {
            return Err(trouble.into());
        }
        let write_lock = self.inner.table.write_lock();
        let value = work(&self.inner.table)?;
        drop(write_lock);
        Ok(Changed { value, ticket: self.inner.writer.ticket(true) })
    }
}
