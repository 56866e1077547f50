//! Tickets, which say when a change has survived a power cut.

use super::error::StoreError;
use std::future::poll_fn;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// A lock that a panic elsewhere cannot take away: what these locks guard is consistent after every statement.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The changes that share one sync.
#[derive(Debug, Default)]
pub(super) struct Batch {
    state: Mutex<BatchState>,
    settled: Condvar,
}

#[derive(Debug, Default)]
struct BatchState {
    outcome: Option<Result<(), StoreError>>,
    wakers: Vec<Waker>,
}

impl Batch {
    /// How it ended, if it has.
    #[cfg(test)]
    pub(super) fn outcome(&self) -> Option<Result<(), StoreError>> {
        lock(&self.state).outcome.clone()
    }

    pub(super) fn settle(&self, outcome: Result<(), StoreError>) {
        let wakers = {
            let mut state = lock(&self.state);
            state.outcome = Some(outcome);
            std::mem::take(&mut state.wakers)
        };
        self.settled.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    fn poll(&self, context: &Context<'_>) -> Poll<Result<(), StoreError>> {
        let mut state = lock(&self.state);
        if let Some(outcome) = &state.outcome {
            return Poll::Ready(outcome.clone());
        }
        if !state.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
            state.wakers.push(context.waker().clone());
        }
        Poll::Pending
    }

    pub(super) fn wait(&self) -> Result<(), StoreError> {
        let mut state = lock(&self.state);
        loop {
            if let Some(outcome) = &state.outcome {
                return outcome.clone();
            }
            state = self.settled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A promise that a change will be on the card.
///
/// Dropping it does not take the change back; it only means that nobody waits for it.
#[derive(Debug)]
#[must_use = "the change is not on the card before its ticket says so"]
pub struct Ticket {
    pub(super) batch: Arc<Batch>,
    pub(super) others: Vec<Arc<Batch>>,
}

impl Ticket {
    /// One for a change in that batch.
    pub(super) const fn of(batch: Arc<Batch>) -> Self {
        Self { batch, others: Vec::new() }
    }

    /// Resolves when the change has survived a power cut. Needs no particular runtime.
    pub async fn committed(self) -> Result<(), StoreError> {
        for batch in self.batches() {
            poll_fn(|context| batch.poll(context)).await?;
        }
        Ok(())
    }

    /// The same for those who may block: the command line and the tests.
    pub fn wait(self) -> Result<(), StoreError> {
        self.batches().try_for_each(Batch::wait)
    }

    /// A ticket for both changes. It fails if either fails.
    pub fn and(mut self, other: Self) -> Self {
        let Self { batch, others } = other;
        for batch in std::iter::once(batch).chain(others) {
            if !self.batches().any(|ours| std::ptr::eq(ours, Arc::as_ptr(&batch))) {
                self.others.push(batch);
            }
        }
        self
    }

    fn batches(&self) -> impl Iterator<Item = &Batch> {
        std::iter::once(&self.batch).chain(&self.others).map(AsRef::as_ref)
    }
}

/// What a verb that changes something returns: its result, and the ticket to await before anybody is told.
#[derive(Debug)]
#[must_use = "the change is not on the card before its ticket says so"]
pub struct Changed<T> {
    /// The result.
    pub value: T,
    /// Resolves when the change is on the card.
    pub ticket: Ticket,
}

impl<T> Changed<T> {
    /// The result, once the change is on the card. Waits for it.
    ///
    /// # Errors
    /// If it could not be saved.
    pub fn saved(self) -> Result<T, StoreError> {
        self.ticket.wait()?;
        Ok(self.value)
    }
}

impl<T> Changed<Option<T>> {
    /// The change, if there was one.
    pub(super) fn some(self) -> Option<Changed<T>> {
        let Self { value, ticket } = self;
        value.map(|value| Changed { value, ticket })
    }
}
