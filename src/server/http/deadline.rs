//! When a connection ends at the latest.

use smol::Timer;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A moment that can be put off, for a large file over a slow network.
pub(super) struct Deadline(Mutex<Instant>);

impl Deadline {
    /// So long from now on.
    pub(super) fn after(time: Duration) -> Self {
        Self(Mutex::new(Instant::now() + time))
    }

    /// Puts it off: so long from now on at least.
    pub(super) fn extend(&self, time: Duration) {
        let mut end = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *end = (*end).max(Instant::now() + time);
    }

    /// Waits until it is over.
    pub(super) async fn passed(&self) {
        loop {
            let end = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if end <= Instant::now() {
                return;
            }
            Timer::at(end).await;
        }
    }
}
