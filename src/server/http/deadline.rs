//! When a connection ends at the latest.

use smol::Timer;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a request may wait for this server: for its turn to have a password checked, and for the card.
const WORK_TIME: Duration = Duration::from_mins(5);

/// A moment that can be put off: for a large file over a slow network, and while the server itself is what takes its time.
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

    /// Does what the whole request asks for. The time that this takes is not the Client's, which is no later afterwards than now.
    pub(super) async fn hold<T>(&self, work: impl Future<Output = T>) -> T {
        let end = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *end();
        self.extend(WORK_TIME);
        let done = work.await;
        *end() = before.max(Instant::now());
        done
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_the_server_is_not_that_of_the_client() {
        smol::block_on(async {
            let deadline = Deadline::after(Duration::ZERO);
            deadline.passed().await;
            let passed_meanwhile = deadline
                .hold(async {
                    smol::future::or(
                        async {
                            deadline.passed().await;
                            true
                        },
                        async {
                            smol::future::yield_now().await;
                            false
                        },
                    )
                    .await
                })
                .await;
            assert!(!passed_meanwhile, "who waits for a password check is not late");
            deadline.passed().await;
        });
    }
}
