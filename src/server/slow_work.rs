//! Threads for passwords, handshakes and large pages: few, and of low priority, so that the system prefers whoever plays.

use super::turns::{Turn, Turns, Work};
use crate::services::Game;
use smol::channel::{self, Sender};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, LazyLock};
use std::thread;

/// How many threads there are. [`Turns`](super::turns::Turns) says how many of them may work at once.
const THREADS: usize = 2;
/// How much these threads stand back (`nice`): they get a tenth of a core that is wanted by others, and all of one that is not. Lower
/// still, and one that holds a lock might not come to let go of it.
const NICE: i32 = 10;

type Job = Box<dyn FnOnce() + Send>;

/// The way to the threads; `None` if there are none.
static JOBS: LazyLock<Option<Sender<Job>>> = LazyLock::new(|| {
    let (sender, jobs) = channel::unbounded::<Job>();
    let mut threads = 0;
    for number in 0..THREADS {
        let jobs = jobs.clone();
        let work = move || {
            // A server that stands back as a whole gets no threads that come forward.
            let own = rustix::process::getpriority_process(None).unwrap_or_default();
            if let Err(error) = rustix::process::setpriority_process(None, own.max(NICE)) {
                log::info!("passwords are checked at the usual priority: {error}");
            }
            while let Ok(job) = jobs.recv_blocking() {
                job();
            }
        };
        match thread::Builder::new().name(format!("mcos-slow-{number}")).spawn(work) {
            Ok(_) => threads += 1,
            Err(error) => log::error!("a thread for passwords cannot be started: {error}"),
        }
    }
    (threads > 0).then_some(sender)
});

/// Does `work` on one of the threads. A panic in it is one of the caller's.
pub(super) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let Some(jobs) = &*JOBS else { return smol::unblock(work).await };
    let (sender, done) = channel::bounded(1);
    let job = move || {
        // Nobody waits for it any more if this fails.
        let _ = sender.try_send(catch_unwind(AssertUnwindSafe(work)));
    };
    // The threads never end, so the channels stay open.
    let _ = jobs.send(Box::new(job)).await;
    match done.recv().await {
        Ok(Ok(value)) => value,
        Ok(Err(panic)) => resume_unwind(panic),
        Err(closed) => resume_unwind(Box::new(closed.to_string())),
    }
}

/// Does what takes long, in fair turns.
#[derive(Clone)]
pub(super) struct SlowWork {
    turns: Arc<Turns>,
    /// The shard.
    pub(super) game: Arc<Game>,
}

impl SlowWork {
    /// Work in these turns, while this shard is played.
    pub(super) fn new(turns: Arc<Turns>, game: Arc<Game>) -> Self {
        turns.order_by(Arc::clone(&game.world.password_history));
        Self { turns, game }
    }

    /// Does `work`, which somebody at `from` has asked for, when it is its turn. `None`: too many wait already. While races run no
    /// more than one core is taken.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        kind: Work,
        from: IpAddr,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let turn = self.turn(kind, from).await?;
        let done = run(move || {
            // Given back when the work is done, even if the Client has gone meanwhile.
            let _turn = turn;
            work()
        });
        Some(done.await)
    }

    /// Waits for a turn.
    pub(super) async fn turn(&self, kind: Work, from: IpAddr) -> Option<Turn> {
        let races_run = self.game.world.channels.races_run();
        self.turns.allow(if races_run { 1 } else { self.game.config.limits.password_workers });
        self.turns.wait(kind, from).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_lite::FutureExt as _;
    use smol::block_on;

    #[test]
    fn work_is_done_on_a_thread_that_stands_back_and_survives_a_panic() {
        block_on(async {
            let nice = || rustix::process::getpriority_process(None).unwrap();
            let here = nice();
            for _ in 0..3 {
                let (name, there) = run(move || (thread::current().name().unwrap().to_owned(), nice())).await;
                assert!(name.starts_with("mcos-slow-"), "{name}");
                assert!(there >= here.max(NICE), "{there} stands back behind {here}");
                let panicked = AssertUnwindSafe(run(|| panic!("a mistake of ours"))).catch_unwind().await;
                assert!(panicked.is_err());
            }
        });
    }
}
