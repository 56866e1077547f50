//! The open store: a handle that is cheap to clone.

use super::commit::Writer;
use super::data_dir::{DataDir, Repaired};
use super::error::StoreError;
use super::free_space::{Duplicate, FreeSpace, RESERVE};
use super::ownership::HandOver;
use super::password;
use super::table::Table;
use super::ticket::{Changed, lock};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

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
    pub(super) repaired: Arc<Mutex<Repaired>>,
    pub(super) abandoned: AtomicBool,
    /// How many changes were made.
    pub(super) changes: AtomicU64,
    /// How late it was by the clock that never leaps and by the city's, when that was first asked; see `deals`.
    pub(super) city_clock: Mutex<Option<(Instant, u32)>>,
    pub(super) _copy: Option<Duplicate>,
    pub(super) _hand_over: HandOver,
    /// The lock is in it.
    pub(super) data: Arc<DataDir>,
}

impl Store {
    /// How many bytes the database has on the card, as far as the engine knows.
    pub fn size_on_disk(&self) -> Result<u64, StoreError> {
        self.inner.table.size_on_disk()
    }

    /// How many changes were made since the store was opened.
    pub fn changes(&self) -> u64 {
        self.inner.changes.load(Ordering::Relaxed)
    }

    /// When changes were last made safe, in seconds since 1970; `None`: not since the store was opened.
    pub fn last_commit(&self) -> Option<u64> {
        self.inner.writer.last_commit()
    }

    /// Whether the thread that saves changes is still there and does not hang. Without it no ticket would ever resolve. To be
    /// asked every few seconds: it answers each time, and one that has not answered for 45 seconds hangs.
    pub fn is_being_saved(&self) -> bool {
        self.inner.writer.is_alive()
    }

    /// Why no change is accepted now, if none is: the card is full, or cannot be written, or a change could not be saved
    /// and none was saved since. What is stored can be read all the same, but for moments in which the database is opened
    /// again.
    pub fn trouble(&self) -> Option<StoreError> {
        let Inner { writer, table, free_space, .. } = &*self.inner;
        if let Some(failed) = writer.failed() {
            return Some(failed);
        }
        if let Some(failed) = table.engine_failure() {
            writer.look();
            return Some(failed);
        }
        free_space.check().err()
    }

    /// Whether a file of so many bytes may be put beside the database: the room that changes need stays.
    ///
    /// # Errors
    /// Why not.
    pub fn room_for(&self, bytes: u64) -> Result<(), StoreError> {
        self.inner.free_space.room_for(RESERVE.saturating_add(bytes))
    }

    /// Whether the database is still being checked after [`Store::open_soon`]. Changes are made, and their tickets wait for the end of that.
    pub fn is_being_checked(&self) -> bool {
        self.inner.writer.is_checking()
    }

    /// Players sign in from now on: who reads while a database that was found damaged is built again is refused, since waiting would
    /// keep everybody else waiting, too.
    pub fn end_of_start(&self) {
        self.inner.table.set_readers_wait(false);
    }

    /// Whether the database was found damaged since the store was opened, and made anew: from the backup and the journal
    /// beside it, or empty if there was none.
    pub fn was_repaired(&self) -> bool {
        *lock(&self.inner.repaired) != Repaired::No
    }

    /// Whether something is lost by that: what was changed after the backup.
    pub fn has_lost_changes(&self) -> bool {
        *lock(&self.inner.repaired) == Repaired::InPart
    }

    /// Whether opening the store in a new process may end the trouble: it could not be written when it was opened, and could be
    /// now; or to open it again within the process has failed for a minute.
    pub fn wants_restart(&self) -> bool {
        self.inner.free_space.wants_restart() || self.inner.writer.is_hopeless()
    }

    /// Has nobody wait for the thread that saves changes any more, because it hangs: the process can end then.
    pub fn abandon(&self) {
        self.inner.abandoned.store(true, Ordering::Relaxed);
        std::mem::forget(self.clone());
    }

    /// Whether that has happened.
    pub fn is_abandoned(&self) -> bool {
        self.inner.abandoned.load(Ordering::Relaxed)
    }

    /// Gives back the memory that was needed to check passwords, if nobody has signed in since the last call.
    pub fn rest(&self) {
        password::rest();
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
        let _write_lock = self.inner.table.write_lock();
        // Nothing may be built upon what is taken back; and what is taken back has its ticket.
        if let Some(failed) = self.inner.writer.failed() {
            return Err(failed.into());
        }
        if self.inner.writer.is_checking() && self.inner.table.is_full() {
            return Err(StoreError::Unchecked.into());
        }
        let value = work(&self.inner.table)?;
        self.inner.changes.fetch_add(1, Ordering::Relaxed);
        Ok(Changed { value, ticket: self.inner.writer.ticket(true) })
    }
}
