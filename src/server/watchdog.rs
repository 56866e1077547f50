//! Whether the server still works, as opposed to merely being there: every thread of the executor is asked by name.
//!
//! A task alone would prove too little: any thread may run it, while all others hang.

use super::systemd;
use crate::store::Store;
use futures_lite::future;
use smol::Timer;
use smol::channel::{self, Receiver, Sender};
use std::time::Duration;

/// Who asks.
pub(super) struct Watchdog(Vec<Sender<Sender<()>>>);

/// The place of one thread, which answers.
pub(super) struct Heartbeat(Receiver<Sender<()>>);

impl Watchdog {
    /// A roll call for so many threads, and a heartbeat for each.
    pub(super) fn new(threads: usize) -> (Self, Vec<Heartbeat>) {
        let (questions, heartbeats) = (0..threads)
            .map(|_| channel::bounded(1))
            .map(|(question, heartbeat)| (question, Heartbeat(heartbeat)))
            .unzip();
        (Self(questions), heartbeats)
    }

    /// Returns when every thread has answered; never if one has ended.
    async fn all_present(&self) {
        let (answer, answers) = channel::bounded(self.0.len().max(1));
        for question in &self.0 {
            if question.send(answer.clone()).await.is_err() {
                log::error!("a thread of the server has ended in a bug; please report the lines above");
                future::pending::<()>().await;
            }
        }
        for _ in &self.0 {
            // The other end is here as well, so this is an answer.
            let _ = answers.recv().await;
        }
    }
}

impl Heartbeat {
    /// Answers for ever. The thread must poll this itself, not as a task that others may run.
    pub(super) async fn attend<T>(self) -> T {
        while let Ok(answer) = self.0.recv().await {
            // There is room for everybody's answer.
            let _ = answer.try_send(());
        }
        future::pending().await
    }
}

/// Tells systemd in time that all is well, while it is: all threads answer, and changes are still being saved.
pub(super) async fn keep_watch(watchdog: Watchdog, store: Store, every: Duration) {
    loop {
        watchdog.all_present().await;
        if !store.is_being_saved() {
            log::error!(
                "the thread that writes the database has ended or hangs, so systemd is left to restart the server"
            );
            future::pending::<()>().await;
        }
        systemd::beat();
        Timer::after(every).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_lite::FutureExt as _;
    use smol::Executor;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    const SOON: Duration = Duration::from_millis(300);

    async fn present(watchdog: &Watchdog, deadline: Duration) -> bool {
        let present = async {
            watchdog.all_present().await;
            true
        };
        let late = async {
            Timer::after(deadline).await;
            false
        };
        present.or(late).await
    }

    #[test]
    fn a_thread_that_hangs_is_missed_though_others_run_and_is_found_again_when_it_goes_on() {
        let executor: &'static Executor<'static> = Box::leak(Box::new(Executor::new()));
        let (watchdog, mut heartbeats) = Watchdog::new(2);
        let heartbeat = heartbeats.pop().unwrap();
        thread::spawn(move || smol::block_on(executor.run(heartbeat.attend::<()>())));
        let own = heartbeats.pop().unwrap();
        let (hangs, released) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        smol::block_on(
            async {
                assert!(present(&watchdog, Duration::from_mins(1)).await);
                // Only the other thread takes tasks here.
                executor
                    .spawn({
                        let (hangs, released) = (Arc::clone(&hangs), Arc::clone(&released));
                        async move {
                            hangs.store(true, Ordering::SeqCst);
                            while !released.load(Ordering::SeqCst) {
                                thread::sleep(Duration::from_millis(1));
                            }
                        }
                    })
                    .detach();
                while !hangs.load(Ordering::SeqCst) {
                    Timer::after(Duration::from_millis(1)).await;
                }
                assert!(!present(&watchdog, SOON).await);
                released.store(true, Ordering::SeqCst);
                assert!(present(&watchdog, Duration::from_mins(1)).await);
            }
            .or(own.attend()),
        );
    }

    #[test]
    fn a_thread_that_has_ended_is_missed() {
        let (watchdog, heartbeats) = Watchdog::new(1);
        drop(heartbeats);
        assert!(!smol::block_on(present(&watchdog, SOON)));
    }
}
