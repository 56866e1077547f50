//! When a connection ends at the latest.

use futures_lite::future;
use smol::Timer;
use smol::lock;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a request may wait for this server: for its turn to have a password checked, and for the card.
const WORK_TIME: Duration = Duration::from_mins(5);

/// A moment that can be put off: for a large file over a slow network, and while the server itself is what takes its time.
pub(super) struct Deadline {
    end: Mutex<Instant>,
    /// Held while the server works on the answer.
    working: lock::Mutex<()>,
}

impl Deadline {
    /// So long from now on.
    pub(super) fn after(time: Duration) -> Self {
        Self { end: Mutex::new(Instant::now() + time), working: lock::Mutex::default() }
    }

    /// Puts it off: so long from now on at least.
    pub(super) fn extend(&self, time: Duration) {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        *end = (*end).max(Instant::now() + time);
    }

    /// Does what the whole request asks for. That is not the Client's time: the deadline does not pass before it is done, if it is done
    /// in five minutes.
    pub(super) async fn hold<T>(&self, work: impl Future<Output = T>) -> T {
        let _working = self.working.lock().await;
        work.await
    }

    /// Waits until it is over.
    pub(super) async fn passed(&self) {
        loop {
            let end = *self.end.lock().unwrap_or_else(PoisonError::into_inner);
            if end > Instant::now() {
                Timer::at(end).await;
                continue;
            }
            let done = async { drop(self.working.lock().await) };
            let hopeless = async {
                Timer::after(WORK_TIME).await;
            };
            future::or(done, hopeless).await;
            // What was done may have brought a file, which has its own time.
            if *self.end.lock().unwrap_or_else(PoisonError::into_inner) == end {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_the_server_is_not_that_of_the_client_which_is_late_as_soon_as_the_work_is_done() {
        smol::block_on(async {
            let deadline = Deadline::after(Duration::ZERO);
            deadline.passed().await;
            let mut late = Box::pin(deadline.passed());
            let is_late = deadline.hold(async { future::poll_once(&mut late).await.is_some() }).await;
            assert!(!is_late, "who waits for a password check is not late");
            late.await;
        });
    }

    #[test]
    fn who_gets_a_file_has_its_time_though_it_was_late_before() {
        smol::block_on(async {
            let deadline = Deadline::after(Duration::ZERO);
            let mut late = Box::pin(deadline.passed());
            deadline
                .hold(async {
                    assert!(future::poll_once(&mut late).await.is_none());
                    deadline.extend(Duration::from_hours(1));
                })
                .await;
            assert!(future::poll_once(&mut late).await.is_none());
        });
    }
}
