//! One table of versioned records, and transactions on it.
//!
//! What a transaction changes waits in memory, whole, where every reader finds it, until the writer makes a batch of all that
//! waits and puts it into the journal, which makes it safe. The engine gets it later, together with others: a record that is
//! changed often is written by the engine once. A transaction is never spread over two
//! batches, so after a power cut all of it is there or nothing.
//!
//! A batch that cannot be made safe is taken back, with all that was built upon it, by [`Table::recover`].

mod reading;

use super::engine::Engine;
use super::error::StoreError;
use super::giving::{Given, give_piece, place};
use super::journal::{Changes, Journal};
use super::key;
use super::pre_images::PreImages;
#[cfg(test)]
use super::record::Row;
use super::record::{Position, Record as _, encode};
use super::ticket::lock;
pub(super) use super::transaction::Transaction;
use super::transaction::{Before, Changed};
use super::view::View;
use std::ops::Bound;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// How much may wait for the writer, in bytes of keys and records; then whoever changes something makes it safe.
const MOST_PENDING: usize = 1024 * 1024;
/// How much that is safe waits for the engine, in bytes of memory, before it is given to it. Twice as much may be behind.
const MOST_BEHIND: usize = 768 * 1024;
/// The least that the engine is given at once, in bytes of keys and records: who waits for the next batch waits that long.
const LEAST_GIVEN: usize = 4 * 1024;

/// The open database.
#[derive(Debug)]
pub(super) struct Table {
    /// Held by whoever changes something, from the first look to the transaction.
    write_lock: Mutex<()>,
    /// Held during a transaction.
    transacting: Mutex<()>,
    /// Held while a batch is made safe. Locked before the state.
    safe: Mutex<Safe>,
    state: RwLock<View>,
    /// Readers wait for an engine that is opened again, instead of being refused: nobody else has a turn yet who would wait with them.
    readers_wait: AtomicBool,
}

/// What is on the card, as far as we were told.
#[derive(Debug)]
struct Safe {
    /// None: the database is a copy elsewhere, which is lost when it is closed.
    journal: Option<Journal>,
    /// The sum over all records.
    sum: u64,
    /// The generation in the engine.
    generation: u64,
    /// Writing the journal failed, so nothing may follow before it is mended.
    broken: bool,
    /// How much the engine has of what it is given now; none: nothing.
    given: Option<Given>,
    /// How much has become safe since the engine was given a piece, in bytes of memory.
    added: usize,
}

/// What opening a database gave.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) engine: Engine,
    /// The sum over all records.
    pub(super) sum: u64,
    /// Where batches go from now on. None: nothing is to survive.
    pub(super) journal: Option<Journal>,
    /// Whether every record was read.
    pub(super) checked: bool,
}

impl Table {
    /// A table of what was opened.
    pub(super) fn new(opened: Opened) -> Result<Self, StoreError> {
        let Opened { engine, sum, journal, checked } = opened;
        let (generation, _) = place(&engine)?;
        Ok(Self {
            write_lock: Mutex::default(),
            transacting: Mutex::default(),
            safe: Mutex::new(Safe { journal, sum, generation, broken: false, given: None, added: 0 }),
            state: RwLock::new(View {
                engine: Some(Arc::new(engine)),
                open: Changes::new(),
                batch: Arc::default(),
                safe: Changes::new(),
                giving: Arc::default(),
                given: 0,
                bytes: 0,
                safe_bytes: 0,
                sum,
                unchecked: !checked,
                snapshots: Vec::new(),
            }),
            readers_wait: AtomicBool::new(false),
        })
    }

    /// Whether readers wait for an engine that is opened again, at most a minute, instead of being refused.
    pub(super) fn set_readers_wait(&self, wait: bool) {
        self.readers_wait.store(wait, Ordering::Relaxed);
    }

    /// The database in the folder `dir`, unchecked and without a journal.
    #[cfg(test)]
    pub(super) fn open(dir: &Path) -> Result<Self, super::engine::EngineError> {
        Ok(Self::new(Opened { engine: Engine::open(dir)?, sum: 0, journal: None, checked: true }).unwrap())
    }

    /// What readers see. While it is held nothing is changed.
    pub(super) fn state(&self) -> RwLockReadGuard<'_, View> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, View> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is no record at all.
    pub(super) fn is_empty(&self) -> Result<bool, StoreError> {
        let state = self.state();
        let nothing = state.changes((Bound::Unbounded, Bound::Unbounded)).next().is_none();
        Ok(nothing && state.engine()?.is_empty()?)
    }

    /// How many bytes the database has on the card.
    pub(super) fn size_on_disk(&self) -> Result<u64, StoreError> {
        let engine = Arc::clone(self.state().engine()?);
        engine.size_on_disk()
    }

    /// Begins a snapshot of everything as it is between two changes. Returned are its generation and its state, for
    /// [`super::snapshot::Snapshot`]; whoever drops the state ends it.
    pub(super) fn begin_snapshot(&self) -> Result<(u64, Arc<Mutex<PreImages>>), StoreError> {
        let _write_lock = self.write_lock();
        let nothing = self.is_empty()?;
        let mut state = self.state_mut();
        let generation = state.generation()?;
        // The engine has the sum of what it was given last, which is not the sum of what waits as well.
        let sum = if nothing { None } else { Some((key::SUM.to_vec(), encode(&state.sum)?)) };
        let images = Arc::new(Mutex::new(PreImages::new(sum)));
        state.snapshots.push(Arc::downgrade(&images));
        Ok((generation, images))
    }

    /// Writes undecoded records, all or none.
    #[cfg(test)]
    pub(super) fn fill(&self, rows: &[Row]) -> Result<(), StoreError> {
        self.transact(|tx| rows.iter().try_for_each(|(key, value)| tx.insert(key, value.clone())))
    }

    /// Makes the caller the only one who changes anything, so that it can look around before its transaction.
    pub(super) fn write_lock(&self) -> MutexGuard<'_, ()> {
        lock(&self.write_lock)
    }

    /// Runs `work` as one transaction: an error takes everything back, and a power cut leaves all of it or nothing.
    /// Inside, only the transaction may be used, not the table.
    pub(super) fn transact<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let _transacting = lock(&self.transacting);
        let transaction = Transaction::on(self);
        let value = work(&transaction)?;
        let Changed { changes, bytes, growth } = transaction.end();
        let mut state = self.state_mut();
        state.add(changes, growth);
        state.bytes += bytes;
        if state.bytes > MOST_PENDING {
            drop(state);
            // The next sync meets an error too, and whoever waits for that is told.
            let _ = self.sync();
        }
        Ok(value)
    }

    /// Makes everything changed so far survive a power cut.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.save(&mut lock(&self.safe), false)
    }

    /// Makes what waits a batch, and saves it. `always`: also if nothing waits.
    fn save(&self, safe: &mut Safe, always: bool) -> Result<(), StoreError> {
        if safe.broken {
            return Err(StoreError::NotSaved("an earlier change could not be saved".into()));
        }
        // From the card, if need be, before everybody waits for it.
        self.look(key::POSITION, |_| ())?;
        let mut state = self.state_mut();
        if state.open.is_empty() && !always {
            return Ok(());
        }
        if state.unchecked {
            return Err(StoreError::Unchecked);
        }
        if let Some(journal) = &safe.journal {
            let (generation, position) = (journal.generation(), journal.end());
            if generation != safe.generation {
                state.put_own(key::GENERATION, &generation)?;
                safe.generation = generation;
            }
            // With a generation there is always a position.
            state.put_own(key::POSITION, &Position(position))?;
        }
        let sum = state.sum;
        let mut changes = std::mem::take(&mut state.open);
        changes.insert(key::SUM.to_vec(), Some(encode(&sum)?));
        let batch = Arc::new(changes);
        state.batch = Arc::clone(&batch);
        state.bytes = 0;
        drop(state);
        if let Some(journal) = &mut safe.journal
            && let Err(error) = journal.append(&batch)
        {
            safe.broken = true;
            return Err(StoreError::NotSaved(error.to_string().into()));
        }
        drop(batch);
        safe.sum = sum;
        safe.added += self.state_mut().batch_is_safe();
        // Without a journal it is nowhere else.
        if safe.journal.is_some() { Ok(()) } else { self.give_all(safe) }
    }

    /// Gives the engine a piece of what is safe, if that is much: twice as much as has become safe since the last piece, so that it keeps up.
    /// Not needed for anything to be safe: an engine that fails says so to whoever asks for its health.
    pub(super) fn hand_over(&self) -> Result<(), StoreError> {
        let mut safe = lock(&self.safe);
        let piece = LEAST_GIVEN.max(2 * std::mem::take(&mut safe.added));
        let begun = !self.state().gives_nothing();
        if begun || self.state().safe_bytes >= MOST_BEHIND { self.give(&mut safe, piece) } else { Ok(()) }
    }

    /// Gives the engine the next piece of what it is given, or of what is safe.
    fn give(&self, safe: &mut Safe, piece: usize) -> Result<(), StoreError> {
        let (engine, changes) = {
            let mut state = self.state_mut();
            if state.gives_nothing() {
                state.begin_giving();
            }
            (Arc::clone(state.engine()?), Arc::clone(&state.giving))
        };
        safe.given = give_piece(&engine, &changes, safe.given.take(), piece)?;
        if safe.given.is_none() {
            self.state_mut().end_giving();
        }
        Ok(())
    }

    /// Gives the engine all that is safe.
    fn give_all(&self, safe: &mut Safe) -> Result<(), StoreError> {
        if !self.state().gives_nothing() {
            self.give(safe, usize::MAX)?;
        }
        if self.state().safe.is_empty() { Ok(()) } else { self.give(safe, usize::MAX) }
    }

    /// Has the engine keep the mark by which older programs refuse a database whose newest changes are in a journal.
    pub(super) fn mark(&self) -> Result<(), StoreError> {
        self.mark_engine(&mut lock(&self.safe))
    }

    fn mark_engine(&self, safe: &mut Safe) -> Result<(), StoreError> {
        let engine = Arc::clone(self.state().engine()?);
        let mark = engine.get(key::POSITION)?;
        if safe.journal.is_none() || mark.is_some_and(|mark| mark.first() == Some(&Position::VERSION)) {
            return Ok(());
        }
        self.save(safe, true)?;
        self.give_all(safe)?;
        engine.flush()
    }

    /// Begins the journal of the next generation in the data directory `dir`, for a backup that is made now. Without a journal
    /// there is nothing to begin.
    pub(super) fn begin_generation(&self, dir: &Path) -> Result<(), StoreError> {
        let mut safe = lock(&self.safe);
        self.save(&mut safe, false)?;
        // What the engine is given at once is of one generation.
        self.give_all(&mut safe)?;
        if let Some(journal) = &safe.journal {
            let next = Journal::create(dir, journal.generation() + 1);
            let next = next.map_err(|error| StoreError::refused(&error))?;
            safe.journal = Some(next);
            self.save(&mut safe, true)?;
        }
        Ok(())
    }

    /// How long the batches of the journal are, in bytes.
    pub(super) fn journal_length(&self) -> u64 {
        lock(&self.safe).journal.as_ref().map_or(0, |journal| journal.batches().into())
    }

    /// Gives the engine everything that is safe, and has it survive a power cut there as well. Not needed for anything to be safe.
    pub(super) fn flush_engine(&self) -> Result<(), StoreError> {
        self.give_all(&mut lock(&self.safe))?;
        let engine = Arc::clone(self.state().engine()?);
        engine.flush()
    }

    /// Why [`Self::recover`] is needed, if it is.
    pub(super) fn failure(&self) -> Option<StoreError> {
        if lock(&self.safe).broken {
            return Some(StoreError::NotSaved("the journal could not be written".into()));
        }
        self.engine_failure()
    }

    /// Why the engine has to be opened again, if it has.
    pub(super) fn engine_failure(&self) -> Option<StoreError> {
        match &self.state().engine {
            Some(engine) => engine.failure(),
            None => Some(StoreError::reopening()),
        }
    }

    /// Whether not every record was read since the database was opened.
    pub(super) fn is_unchecked(&self) -> bool {
        self.state().unchecked
    }

    /// Every record was read.
    pub(super) fn set_checked(&self) {
        self.state_mut().unchecked = false;
    }

    /// Whether as much waits as may wait.
    pub(super) fn is_full(&self) -> bool {
        self.state().bytes > MOST_PENDING
    }

    /// What has been given all or part of what is safe.
    #[cfg(test)]
    pub(super) fn engine_for_tests(&self) -> Arc<Engine> {
        Arc::clone(self.state().engine().unwrap())
    }

    /// Has the engine fail.
    #[cfg(test)]
    pub(super) fn fail_for_tests(&self) {
        self.state().engine().unwrap().fail_for_tests();
    }

    /// Takes back what is not safe, has the journal written again, and opens the engine again by `reopen` if it has failed.
    /// `taken_back` is called when nothing of what was changed before is left but what is safe. Nobody may change
    /// anything meanwhile; readers go on, but for the time in which there is no engine.
    ///
    /// # Errors
    /// Why it did not succeed; then it is to be tried again.
    pub(super) fn recover(
        &self,
        reopen: impl FnOnce() -> Result<Opened, StoreError>,
        taken_back: &mut dyn FnMut(),
    ) -> Result<(), StoreError> {
        let _write_lock = self.write_lock();
        let mut safe = lock(&self.safe);
        let failed = self.engine_failure().is_some() || self.is_unchecked();
        {
            let mut state = self.state_mut();
            state.open.clear();
            state.bytes = 0;
            state.sum = safe.sum;
            state.batch = Arc::default();
            for images in state.snapshots.drain(..).filter_map(|images| images.upgrade()) {
                lock(&images).fail(StoreError::SnapshotLost);
            }
        }
        taken_back();
        if let Some(journal) = &mut safe.journal {
            journal.mend().map_err(|error| StoreError::refused(&error))?;
        }
        safe.broken = false;
        if failed {
            // What the engine did not have comes back from the journal.
            let engine = self.state_mut().engine.take();
            if let Some(engine) = engine {
                engine.wake_all();
            }
            let Opened { engine, sum, journal, checked } = reopen()?;
            safe.journal = journal;
            (safe.generation, _) = place(&engine)?;
            safe.sum = sum;
            safe.given = None;
            let mut state = self.state_mut();
            state.engine = Some(Arc::new(engine));
            state.safe.clear();
            state.safe_bytes = 0;
            state.end_giving();
            state.sum = sum;
            state.unchecked = !checked;
            drop(state);
            self.mark_engine(&mut safe)?;
        } else {
            safe.generation = self.state().generation()?;
        }
        // Only a write that succeeds proves that writes succeed.
        self.save(&mut safe, true)
    }
}

impl Before for Table {
    fn see(&self, key: &[u8], see: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), StoreError> {
        self.look(key, see)
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // What nobody waits for. If that fails, it is in nobody's journal either.
        if let Err(error) = self.sync() {
            log::error!("the last changes could not be saved: {error}");
        }
        if let Err(error) = self.give_all(&mut lock(&self.safe)) {
            log::error!(
                "the database could not be given the last changes, which are in the journal: {error}"
            );
        }
    }
}
