//! The one writer: group commits, and tickets that say when a change has survived a power cut.
//!
//! A change joins the open batch and gets a ticket for it. The writer waits until a batch is wanted, replaces it by a
//! new one, syncs once, and tells everybody of the old batch. Whoever comes during a sync joins the next batch, so a
//! ticket never resolves by a sync that began before its change, and many changes at once cost few syncs.
//!
//! Those whom a sync releases mostly come back with the next change. So the writer waits for about as many as it has just
//! released, but never longer than the sync itself took: else the first to come back would have a sync for himself, and
//! with a fast disk most syncs would carry one change.
//!
//! While the database is checked (see [`super::check`]), nothing is made safe: changes are made in memory, and their tickets wait. What is
//! built upon a damaged record is taken back with everything else, and nobody was told of it.
//!
//! The backup beside the database is begun by the writer, since the database must learn of it first, and written by a thread
//! of its own from a snapshot, so that changes go on and tickets resolve meanwhile.
//!
//! If a sync fails, every ticket of its batch fails, and so do those of what was changed upon it: all that is taken back.
//! Nothing is changed any more until the disk has recovered, which is tried at once and then every few seconds. Only a write
//! that succeeds ends that.

mod queue;

use super::error::StoreError;
use super::ticket::{Ticket, lock};
use crate::clock::Now;
use queue::{Shared, Stale};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What the writer does to the disk.
pub(super) trait Disk: Send + 'static {
    /// Makes everything changed so far survive a power cut.
    fn sync(&mut self) -> Result<(), StoreError>;
    /// Does what is left to do after that, for which nobody has to wait.
    fn hand_over(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
    /// Why [`Self::recover`] is needed, if it is.
    fn failure(&self) -> Option<StoreError>;
    /// Takes back what is not safe, calls `taken_back` before anybody can change anything again, and goes on if a write
    /// succeeds.
    fn recover(&mut self, taken_back: &mut dyn FnMut()) -> Result<(), StoreError>;
    /// Whether nothing may be made safe yet, because the database is not checked.
    fn is_unchecked(&self) -> bool {
        false
    }
    /// How the check of the database ended.
    fn end_check(&mut self, outcome: Result<(), StoreError>) -> Result<(), StoreError> {
        outcome
    }
    /// Whether it is time for a backup of what has changed; `closing`: the store is closed now.
    fn backup_due(&self, closing: bool) -> bool;
    /// Whether it is so much that the time since the last backup does not matter.
    fn backup_is_urgent(&self) -> bool {
        false
    }
    /// Begins a backup of everything changed so far. What is returned writes it, in another thread, while changes go on.
    fn begin_backup(&mut self) -> Result<WriteBackup, StoreError>;
}

/// What is left to do for a backup that was begun.
pub(super) type WriteBackup = Box<dyn FnOnce() -> Result<(), StoreError> + Send>;

/// Checks the database, in a thread of its own, unless it is told that nobody wants to know any more.
pub(super) type Check = Box<dyn FnOnce(&AtomicBool) -> Result<(), StoreError> + Send>;

/// The longest that the writer waits for more changes, whatever the disk.
const LONGEST_LINGER: Duration = Duration::from_millis(2);
/// How long the writer may take for one thing, before it is said to hang.
const HANGS_AFTER: Duration = Duration::from_secs(45);
/// How long it may take to recover, which may mean to build the database again.
const RECOVERS_WITHIN: Duration = Duration::from_mins(10);
/// The pauses between two tries to recover, the last of which stays.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];
/// For how long to recover is tried before it is said to be hopeless.
const HOPELESS_AFTER: Duration = Duration::from_mins(1);
/// The longest pause between two backups, however many fail.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// The writer thread, seen from those who bring work.
#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread. `stale`: the backup is missing or older than the database already. `check`: what is to end well before anything
    /// is made safe.
    pub(super) fn start(
        disk: impl Disk,
        backup_every: Duration,
        stale: bool,
        check: Option<Check>,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let checking = check.map(|check| Checking::begin(check, &shared)).transpose()?;
        let thread = thread::Builder::new().name("store-writer".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || {
                let backup_at = Instant::now();
                Loop {
                    disk,
                    shared,
                    backup_every,
                    stale: if stale { Stale::Wanted } else { Stale::No },
                    backup_at,
                    backup: None,
                    backup_fails: 0,
                    checking,
                    linger: Duration::ZERO,
                    failing: None,
                }
                .run();
            }
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// A ticket for everything changed before this call. `changed`: something was, so the backup must follow.
    pub(super) fn ticket(&self, changed: bool) -> Ticket {
        let mut queue = lock(&self.shared.queue);
        queue.wanted = true;
        if changed {
            queue.stale = queue.stale.max(Stale::Changed);
        }
        queue.joined += 1;
        // Those in between need not wake a writer who waits for more.
        let notify = queue.joined == 1 || queue.joined >= queue.expected;
        let batch = Arc::clone(&queue.open);
        drop(queue);
        if notify {
            self.shared.changed.notify_one();
        }
        Ticket::of(batch)
    }

    /// Waits until nothing is held back any more because the database is being checked.
    pub(super) fn wait_for_check(&self) {
        let queue = lock(&self.shared.queue);
        let released = &self.shared.released;
        drop(released.wait_while(queue, |queue| queue.held).unwrap_or_else(PoisonError::into_inner));
    }

    /// Whether something is.
    pub(super) fn is_checking(&self) -> bool {
        lock(&self.shared.queue).held
    }

    /// Has the backup written anew though nothing was changed.
    pub(super) fn renew_backup(&self) {
        lock(&self.shared.queue).stale = Stale::Wanted;
        self.shared.changed.notify_one();
    }

    /// Whether the thread still runs, and has answered the last call in time; asks for the next answer.
    pub(super) fn is_alive(&self) -> bool {
        let mut queue = lock(&self.shared.queue);
        let asked = *queue.asked.get_or_insert_with(Instant::now);
        drop(queue);
        self.shared.changed.notify_one();
        let recovering = self.shared.recovering.load(Ordering::Relaxed);
        let limit = if recovering { RECOVERS_WITHIN } else { HANGS_AFTER };
        asked.elapsed() < limit && self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Has the writer look whether the disk has failed.
    pub(super) fn look(&self) {
        let _ = self.is_alive();
    }

    /// When a sync last succeeded, in seconds since 1970.
    pub(super) fn last_commit(&self) -> Option<u64> {
        Some(self.shared.last_commit.load(Ordering::Relaxed)).filter(|seconds| *seconds != 0)
    }

    /// What every change is refused with since something could not be saved.
    pub(super) fn failed(&self) -> Option<StoreError> {
        self.shared.failed()
    }

    /// Whether to recover has been tried in vain for long.
    pub(super) fn is_hopeless(&self) -> bool {
        self.shared.hopeless.load(Ordering::Relaxed)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        lock(&self.shared.queue).closing = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the thread that writes the database failed; the last changes may be lost");
        }
    }
}

/// The state of the thread itself.
struct Loop<D> {
    disk: D,
    shared: Arc<Shared>,
    backup_every: Duration,
    /// Whether the backup is out of date, even the one that is being written.
    stale: Stale,
    /// No backup before this.
    backup_at: Instant,
    /// The thread that writes one.
    backup: Option<JoinHandle<()>>,
    /// How many backups have failed in a row: said once, not each time.
    backup_fails: u32,
    checking: Option<Checking>,
    /// How long the last sync took, as far as the writer may wait that long.
    linger: Duration,
    failing: Option<Failing>,
}

/// The check of the database that is under way.
struct Checking {
    thread: JoinHandle<()>,
    /// Nobody wants to know any more.
    given_up: Arc<AtomicBool>,
}

impl Checking {
    fn begin(check: Check, shared: &Arc<Shared>) -> io::Result<Self> {
        lock(&shared.queue).held = true;
        let given_up = Arc::new(AtomicBool::new(false));
        let thread = thread::Builder::new().name("store-check".to_owned()).spawn({
            let (shared, given_up) = (Arc::clone(shared), Arc::clone(&given_up));
            move || {
                let outcome = guarded(|| check(&given_up));
                lock(&shared.queue).checked = Some(outcome);
                shared.changed.notify_one();
            }
        })?;
        Ok(Self { thread, given_up })
    }
}

/// Something could not be saved.
struct Failing {
    since: Instant,
    /// How often to recover was tried.
    tries: usize,
    /// When it is tried next.
    next: Instant,
}

impl<D: Disk> Loop<D> {
    fn run(mut self) {
        loop {
            let work = self.shared.next(self.wake_at(), self.linger);
            self.stale = self.stale.max(work.stale);
            if let Some(batch) = work.batch {
                let began = Instant::now();
                let outcome = self.sync();
                let synced = outcome.is_ok();
                batch.settle(outcome);
                self.linger = began.elapsed().min(LONGEST_LINGER);
                if synced && let Err(error) = guarded(|| self.disk.hand_over()) {
                    self.fail(&error);
                }
            }
            if let Some(outcome) = work.checked {
                self.end_check(outcome);
            }
            if let Some(outcome) = work.backed_up {
                self.backup = None;
                self.end_backup(&outcome);
            }
            self.look();
            if work.closing {
                self.close();
                return;
            }
            if self.failing.as_ref().is_some_and(|failing| Instant::now() >= failing.next) {
                self.recover();
            }
            if self.backup_wanted() && (Instant::now() >= self.backup_at || self.is_urgent()) {
                self.back_up();
                self.look();
            }
        }
    }

    fn wake_at(&self) -> Option<Instant> {
        match &self.failing {
            Some(failing) => Some(failing.next),
            None => self.backup_wanted().then_some(self.backup_at),
        }
    }

    fn backup_wanted(&self) -> bool {
        self.backup.is_none() && self.failing.is_none() && self.checking.is_none() && self.is_due(false)
    }

    /// One that fails need not be tried again at once.
    fn is_urgent(&self) -> bool {
        self.backup_fails == 0 && self.disk.backup_is_urgent()
    }

    fn is_due(&self, closing: bool) -> bool {
        match self.stale {
            Stale::No => false,
            Stale::Changed => self.disk.backup_due(closing),
            Stale::Wanted => true,
        }
    }

    fn end_check(&mut self, outcome: Result<(), StoreError>) {
        self.checking = None;
        // Else the database was opened again meanwhile, which includes a check.
        if self.disk.is_unchecked() {
            match self.disk.end_check(outcome) {
                Ok(()) => self.shared.release(),
                Err(error) => self.fail(&error),
            }
        }
    }

    /// Nothing changes any more. The check goes on if something waits for it, which is made safe then.
    fn close_check(&mut self) {
        let wanted = lock(&self.shared.queue).wanted;
        if let Some(Checking { thread, given_up }) = self.checking.take() {
            given_up.store(!wanted, Ordering::Relaxed);
            let _ = thread.join();
            let outcome = lock(&self.shared.queue).checked.take();
            if wanted {
                self.end_check(outcome.unwrap_or_else(|| Err(engine_panicked())));
            }
        }
        if wanted {
            let batch = lock(&self.shared.queue).take_batch();
            batch.settle(self.sync());
        }
    }

    /// Nothing changes any more, so this backup is the last one.
    fn close(mut self) {
        self.close_check();
        if let Some(thread) = self.backup.take() {
            // It tells how it went in the queue, even if it panicked.
            let _ = thread.join();
            let outcome = lock(&self.shared.queue).backed_up.take();
            self.end_backup(&outcome.unwrap_or_else(|| Err(engine_panicked())));
        }
        if self.is_due(true)
            && self.failing.is_none()
            && !self.disk.is_unchecked()
            && let Some(write) = self.begin_backup()
        {
            self.end_backup(&guarded(write));
        }
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        if let Some(error) = self.shared.failed() {
            return Err(error);
        }
        let outcome = guarded(|| self.disk.sync());
        match &outcome {
            Ok(()) => self.shared.last_commit.store(Now::read().unix, Ordering::Relaxed),
            Err(error) => self.fail(error),
        }
        outcome
    }

    /// Notices that the disk has failed, though perhaps nothing was lost by that.
    fn look(&mut self) {
        if self.failing.is_none()
            && let Some(error) = self.disk.failure()
        {
            self.fail(&error);
        }
    }

    fn fail(&mut self, error: &StoreError) {
        let error = error.until_saved();
        log::error!("NO CHANGE IS ACCEPTED: {error}");
        *lock(&self.shared.failed) = Some(error);
        // Who waits need not wait for the check to hear of it.
        self.shared.release();
        let now = Instant::now();
        self.failing.get_or_insert(Failing { since: now, tries: 0, next: now });
    }

    fn recover(&mut self) {
        let error = self.shared.failed().unwrap_or_else(engine_panicked);
        let (disk, shared) = (&mut self.disk, &self.shared);
        shared.recovering.store(true, Ordering::Relaxed);
        let outcome = guarded(|| disk.recover(&mut || shared.take_back(&error)));
        shared.recovering.store(false, Ordering::Relaxed);
        let Some(failing) = &mut self.failing else { return };
        match outcome {
            Ok(()) => {
                log::warn!("a change was saved again, so changes are accepted again");
                self.failing = None;
                self.stale = self.stale.max(Stale::Changed);
                *lock(&shared.failed) = None;
                shared.hopeless.store(false, Ordering::Relaxed);
                shared.last_commit.store(Now::read().unix, Ordering::Relaxed);
            }
            Err(error) => {
                let error = error.until_saved();
                if lock(&shared.failed).replace(error.clone()).as_ref() != Some(&error) {
                    log::error!("STILL NO CHANGE IS ACCEPTED: {error}");
                }
                let pause = PAUSES.get(failing.tries).or(PAUSES.last()).copied().unwrap_or_default();
                failing.tries += 1;
                failing.next = Instant::now() + pause;
                let hopeless = failing.since.elapsed() >= HOPELESS_AFTER;
                shared.hopeless.store(hopeless, Ordering::Relaxed);
            }
        }
    }

    /// Has a backup written in a thread of its own.
    fn back_up(&mut self) {
        let Some(write) = self.begin_backup() else { return };
        let shared = Arc::clone(&self.shared);
        let thread = thread::Builder::new().name("store-backup".to_owned()).spawn(move || {
            let outcome = guarded(write);
            lock(&shared.queue).backed_up = Some(outcome);
            shared.changed.notify_one();
        });
        match thread {
            Ok(thread) => self.backup = Some(thread),
            Err(error) => self.end_backup(&Err(StoreError::NotSaved(error.to_string().into()))),
        }
    }

    /// Begins a backup, of which the database then knows.
    fn begin_backup(&mut self) -> Option<WriteBackup> {
        match guarded(|| self.disk.begin_backup()) {
            Ok(write) => {
                self.stale = Stale::No;
                Some(write)
            }
            Err(error) => {
                self.end_backup(&Err(error));
                None
            }
        }
    }

    fn end_backup(&mut self, outcome: &Result<(), StoreError>) {
        let mut pause = self.backup_every;
        if let Err(error) = outcome {
            self.stale = Stale::Wanted;
            if self.backup_fails == 0 {
                log::error!("there is no new backup of the database: {error}");
            }
            let longer = pause.saturating_mul(1 << self.backup_fails.min(6));
            pause = longer.min(LONGEST_PAUSE.max(pause));
        }
        self.backup_fails = if outcome.is_ok() { 0 } else { self.backup_fails + 1 };
        self.backup_at = Instant::now() + pause;
    }
}

/// sled reports some failures by panicking. They must not end the writer, or every ticket would wait for ever.
fn guarded<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(engine_panicked()))
}

fn engine_panicked() -> StoreError {
    StoreError::NotSaved("the database engine panicked".into())
}

#[cfg(test)]
mod tests;
