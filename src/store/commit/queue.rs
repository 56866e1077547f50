//! What waits for the writer: the open batch, and what others have to tell it.

use super::super::error::StoreError;
use super::super::ticket::{Batch, lock};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Whether the backup is out of date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stale {
    #[default]
    No,
    /// There are changes which it does not have, so it is to follow when it is due.
    Changed,
    /// It is wanted whether or not it is due.
    Wanted,
}

/// What waits for the writer.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) open: Arc<Batch>,
    /// How many tickets the open batch has.
    pub(super) joined: usize,
    /// How many the last one had.
    pub(super) expected: usize,
    /// Somebody waits for the open batch.
    pub(super) wanted: bool,
    pub(super) stale: Stale,
    /// How the backup ended that was being written.
    pub(super) backed_up: Option<Result<(), StoreError>>,
    /// When the writer was asked for a sign of life that it has not given yet.
    pub(super) asked: Option<Instant>,
    /// Nothing is made safe before the database is checked.
    pub(super) held: bool,
    /// How the check ended.
    pub(super) checked: Option<Result<(), StoreError>>,
    pub(super) closing: bool,
}

impl Queue {
    /// Begins a new batch; returned is the old one.
    pub(super) fn take_batch(&mut self) -> Arc<Batch> {
        self.wanted = false;
        self.expected = std::mem::take(&mut self.joined);
        std::mem::take(&mut self.open)
    }
}

#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) queue: Mutex<Queue>,
    /// Tells the writer that the queue has changed.
    pub(super) changed: Condvar,
    /// Tells those who wait for it that the database is checked.
    pub(super) released: Condvar,
    /// In seconds since 1970; 0: no sync has succeeded yet.
    pub(super) last_commit: AtomicU64,
    /// What changes are refused with.
    pub(super) failed: Mutex<Option<StoreError>>,
    /// Whether it is so, and for so long that there is no more hope.
    pub(super) hopeless: AtomicBool,
    pub(super) recovering: AtomicBool,
}

/// What the writer took from the queue.
pub(super) struct Work {
    pub(super) batch: Option<Arc<Batch>>,
    pub(super) stale: Stale,
    pub(super) backed_up: Option<Result<(), StoreError>>,
    pub(super) checked: Option<Result<(), StoreError>>,
    pub(super) closing: bool,
}

impl Shared {
    /// Waits for a batch (a wanted one for `linger` more, if others may join it), for the end of a backup or the wish for one, for
    /// the end of the check, before which no batch is taken, for somebody who asks for a sign of life, for the end of all, or for `until`.
    pub(super) fn next(&self, until: Option<Instant>, linger: Duration) -> Work {
        let mut queue = lock(&self.queue);
        let mut until = until;
        let mut lingers = false;
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            let wanted = queue.wanted && !queue.held;
            let full = wanted && queue.joined >= queue.expected;
            let asked = queue.asked.take().is_some() && !lingers;
            let ended = queue.backed_up.is_some() || queue.checked.is_some();
            let told = asked || ended || queue.closing || queue.stale == Stale::Wanted;
            if full || told || left == Some(Duration::ZERO) {
                return Work {
                    batch: wanted.then(|| queue.take_batch()),
                    stale: std::mem::take(&mut queue.stale),
                    backed_up: queue.backed_up.take(),
                    checked: queue.checked.take(),
                    closing: queue.closing,
                };
            }
            if wanted && !lingers {
                lingers = true;
                let end = Instant::now() + linger;
                until = Some(until.map_or(end, |until| until.min(end)));
                continue;
            }
            queue = match left {
                Some(left) => {
                    self.changed.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Lets batches be taken from now on, if they were held.
    pub(super) fn release(&self) {
        lock(&self.queue).held = false;
        self.released.notify_all();
    }

    pub(super) fn failed(&self) -> Option<StoreError> {
        lock(&self.failed).clone()
    }

    /// Tells everybody of the open batch that it is taken back.
    pub(super) fn take_back(&self, error: &StoreError) {
        let mut queue = lock(&self.queue);
        queue.wanted = false;
        queue.joined = 0;
        let batch = std::mem::take(&mut queue.open);
        drop(queue);
        batch.settle(Err(error.clone()));
    }
}
