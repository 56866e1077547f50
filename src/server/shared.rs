//! What the connections of one server share, and the executor that runs them.

use super::connections::Connections;
use super::conversation::Step;
use super::counters::Counters;
use super::limits::Limits;
use super::memory_budget::MemoryBudget;
use super::metrics::Metrics;
use super::pace::Pace;
use super::recorder::{Recorder, Recordings};
use super::restart::{self, RestartedBy};
use super::slow_work::SlowWork;
use super::{addresses, http, tls};
use crate::admin::calendar;
use crate::admin::history::History;
use crate::admin::kit::Certificate;
use crate::appliance::Appliance;
use crate::clock::Now;
use crate::log_ring;
use crate::services::{Game, mcots};
use crate::store::{StoreError, Ticket};
use crate::web::operator::OperatorSite;
use smol::channel::Sender;
use smol::{Executor, Timer};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The tasks of the whole process: one thread per core takes part.
pub(super) static EXECUTOR: Executor<'static> = Executor::new();

/// What is logged when the store wants that. Either the card could not be written when the server started, or the database could not be
/// opened again for a minute.
const RESTARTS: &str =
    "the data folder can be written now, or only a new start may help, so the server restarts with it";

/// Interval of what is done by the clock.
const TICK: Duration = Duration::from_secs(10);

/// After so many of them memory that nobody needed meanwhile is given back.
const TICKS_TO_REST: u32 = 6;

/// What connections share.
pub(crate) struct Shared {
    /// The shard.
    pub(super) game: Arc<Game>,
    /// The way to other connections.
    pub(super) connections: Arc<Connections>,
    /// How many connections there may be.
    pub(super) limits: Arc<Limits>,
    /// What connections may hold of input that is not complete yet.
    pub(super) input: Arc<MemoryBudget>,
    /// How many messages each address sends.
    pub(super) pace: Pace,
    /// What takes long.
    pub(super) slow: SlowWork,
    /// Patch, Auth and Shard.
    pub(super) ssl: Arc<http::SslServer>,
    /// What protects them on the HTTPS port.
    pub(super) tls: tls::Tls,
    /// Where somebody asks for a restart.
    pub(super) restart: Sender<RestartedBy>,
    /// Who writes down what passes, if the Operator asked for it.
    pub(super) recorder: Option<Arc<Recorder>>,
    /// What is recorded while the Operator has it switched on.
    pub(super) recordings: Arc<Recordings>,
    /// How many messages came, and what became of them.
    pub(super) counters: Arc<Counters>,
    /// What the plots of *Health* show.
    pub(super) history: Arc<History>,
}

impl Shared {
    pub(super) fn new(
        game: Arc<Game>,
        connections: Arc<Connections>,
        limits: Arc<Limits>,
        tls: tls::Tls,
        restart: Sender<RestartedBy>,
        recorder: Option<Arc<Recorder>>,
        appliance: Option<Appliance>,
    ) -> Self {
        let counters = Counters::new();
        let recordings = Recordings::new(Arc::clone(&game));
        let history = Arc::new(History::open(&game.data));
        let slow = SlowWork::new(Arc::clone(tls.turns()), Arc::clone(&game));
        let operator = http::OperatorHttp::new(
            slow.clone(),
            Arc::clone(&connections),
            Arc::clone(&limits),
            tls.clone(),
            restart.clone(),
            OperatorSite::new(appliance, Arc::clone(&recordings) as _, Arc::clone(&history)),
            Arc::clone(&counters),
        );
        let input = MemoryBudget::configured(&game.config.limits);
        let metrics = Metrics {
            game: Arc::clone(&game),
            limits: Arc::clone(&limits),
            input: Arc::clone(&input),
            counters: Arc::clone(&counters),
            turns: Arc::clone(tls.turns()),
            connections: Arc::clone(&connections),
            started: Instant::now(),
        };
        let certificate = Certificate::from_der(tls.authority().certificate_der());
        let ssl = http::SslServer::new(Arc::clone(&game), Some(certificate), operator, slow.clone(), metrics);
        Self {
            pace: Pace::new(),
            game,
            connections,
            limits,
            input,
            slow,
            ssl,
            tls,
            restart,
            recorder,
            recordings,
            counters,
            history,
        }
    }

    /// Has the server end in good order and begin anew.
    pub(super) fn restart(&self, by: RestartedBy) {
        // Full: somebody has asked already.
        let _ = self.restart.try_send(by);
    }

    /// Tells others what a service has for them, once the change it speaks of is on the card.
    pub(super) async fn tell(&self, step: Step) {
        if let Some(ticket) = step.commit
            && let Err(error) = self.saved(ticket).await
        {
            log::error!("{error}");
            return;
        }
        self.connections.deliver(step.pushes);
    }

    /// Waits until a change is on the card.
    pub(super) async fn saved(&self, ticket: Ticket) -> Result<(), StoreError> {
        let begun = Instant::now();
        let saved = ticket.committed().await;
        self.counters.saving.add(begun.elapsed());
        saved
    }

    /// Ends races whose racers do not report, and notices when the card can be written again or this machine has other addresses:
    /// services have no clock of their own.
    pub(super) async fn watch_the_clock(&self) {
        let mut told: Option<String> = None;
        for tick in 1_u32.. {
            Timer::after(TICK).await;
            if tick % TICKS_TO_REST == 0 {
                self.game.store.rest();
            }
            let store = self.game.store.clone();
            // It writes to see whether it can, and that may take long.
            if smol::unblock(move || store.wants_restart()).await {
                let game = Arc::clone(&self.game);
                let (why, may_restart) =
                    smol::unblock(move || restart::may_restart(&game, told.as_deref())).await;
                told = why;
                if may_restart {
                    log::warn!("{RESTARTS}");
                    self.restart(RestartedBy::Itself);
                }
            }
            if !self.game.store.is_being_saved() {
                log::error!("the thread that writes the database has ended or hangs, so the server restarts");
                self.game.store.abandon();
                self.restart(RestartedBy::Itself);
            }
            // Providers give homes another IPv6 network now and then.
            self.game.world.access_list.set_own(addresses::all());
            log_ring::tell_left_out();
            // Whatever happens to the card is logged though nobody changes anything.
            let _ = self.game.store.trouble();
            let recordings = Arc::clone(&self.recordings);
            smol::unblock(move || recordings.look_at_the_time(Now::read())).await;
            let game = Arc::clone(&self.game);
            smol::unblock(move || calendar::turn(&game, Now::read())).await;
            self.tell(mcots::tick(&self.game, Now::read()).into()).await;
        }
    }
}

/// How the server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// For good.
    Stopped,
    /// To begin anew, perhaps with another database.
    ToRestart,
}

#[cfg(test)]
impl Shared {
    /// Shared state without listeners.
    pub(crate) fn for_tests(game: Game) -> Self {
        Self::in_a_box(game, None)
    }

    /// The same on a box, if `appliance` is one.
    pub(crate) fn in_a_box(game: Game, appliance: Option<Appliance>) -> Self {
        let tls = tls::Tls::open(&game.data, None, true).unwrap();
        let (connections, limits) = (Arc::new(Connections::new(10_000)), Limits::new(&game.config.limits));
        Self::new(Arc::new(game), connections, limits, tls, smol::channel::bounded(1).0, None, appliance)
    }
}
