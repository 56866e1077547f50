//! Sockets, and nothing else: who may connect, the connection loops, and a clean end.
//!
//! Two servers in one process, as the Client knows them: the *SSL server* (`ssl`: Patch, Auth, Shard over HTTP) and the
//! *TCP server* (`tcp`: Login, Persona, Mail, Lobby, rooms, MCOTS).

pub(crate) mod addresses;
mod bind;
mod connection;
mod connections;
pub(crate) mod control;
pub mod conversation;
mod counters;
mod cut_short;
mod durations;
mod flooders;
mod http;
mod limits;
mod lingering_close;
mod memory_budget;
mod metrics;
mod netbios;
mod observer;
mod outbox;
mod pace;
mod published_name;
mod recorder;
mod restart;
mod sampling;
mod shared;
mod slow_work;
pub(crate) mod status_file;
mod syn_filter;
pub(crate) mod systemd;
mod tcp;
pub mod tls;
mod token_bucket;
mod turns;
mod watchdog;

pub use bind::BindError;
pub use control::ControlError;
pub use recorder::RecordError;
pub use shared::Ended;

use crate::admin::recordings::RecordingSwitch as _;
use crate::admin::status::{self, HostInfo};
use crate::appliance::Appliance;
use crate::catalog::Catalog;
use crate::config::{Config, Network};
use crate::services::{Game, mcots};
use crate::store::Store;
use crate::world::OwnName;
use async_signal::{Signal, Signals};
use bind::Bound;
use connections::Connections;
use cut_short::CutShort;
use futures_lite::{FutureExt as _, StreamExt as _, future};
use limits::Limits;
use mco_proto::session_key::LoginKey;
use recorder::Recorder;
use restart::RestartedBy;
use shared::{EXECUTOR, Shared};
use smol::Timer;
use smol::channel;
use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use watchdog::{Watchdog, keep_watch};

/// How long connections get to finish what they are doing when the server stops.
const FAREWELL: Duration = Duration::from_secs(2);

/// Whoever asks for a restart gets this long to read that it begins.
const LAST_WORD: Duration = Duration::from_millis(500);

/// Why the server did not start, or stopped in an untidy way.
#[derive(Debug)]
pub enum ServeError {
    /// A port or the control socket can't be had.
    Bind(BindError),
    /// The control socket can't be had.
    Control(ControlError),
    /// There are no certificates and none can be made.
    Tls(tls::AuthorityError),
    /// What passes can't be recorded.
    Record(RecordError),
    /// The system refuses something basic.
    System(io::Error),
    /// The last changes may not be on the card.
    Store(crate::store::StoreError),
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind(error) => error.fmt(f),
            Self::Control(error) => error.fmt(f),
            Self::Tls(error) => error.fmt(f),
            Self::Record(error) => error.fmt(f),
            Self::System(error) => write!(f, "the system refuses to work with us: {error}"),
            Self::Store(error) => write!(f, "the last changes could not be saved: {error}"),
        }
    }
}

impl std::error::Error for ServeError {}

/// What a server is started with.
pub struct Start<'a> {
    /// What the Operator chose.
    pub config: Config,
    /// The data folder.
    pub data: &'a Path,
    /// The open store in it.
    pub store: Store,
    /// Under which Clients send their Session Key.
    pub login_key: LoginKey,
    /// The folder to which what passes is recorded.
    pub record: Option<&'a Path>,
    /// What is different on a box.
    pub on_box: Option<OnBox>,
    /// What the box knows of itself, so that the Operator can update it.
    pub appliance: Option<Appliance>,
}

/// A server on a box, which nobody can look after but through the network and the card.
pub struct OnBox {
    /// Where `status.txt` is kept.
    pub status_file: Option<PathBuf>,
    /// The Operator's password was forgotten at this start.
    pub password_forgotten: bool,
}

/// Runs the server until SIGTERM or SIGINT. Prints one line `listening SERVICE ADDRESS:PORT` per service and address on
/// standard output once all of them answer; if that is a terminal, the addresses of the pages instead.
pub fn run(start: Start<'_>) -> Result<Ended, ServeError> {
    let recorder = start.record.map(Recorder::start).transpose().map_err(ServeError::Record)?;
    // Each Client holds three connections at times; the usual soft limit of 1,024 files is soon met.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        log::warn!("the limit of open files stays as it is: {error}");
    }
    let (watchdog, heartbeats) = Watchdog::new(thread::available_parallelism().map_or(1, usize::from));
    let mut heartbeats = heartbeats.into_iter();
    let ours = heartbeats.next();
    for (core, heartbeat) in (1..).zip(heartbeats) {
        thread::Builder::new()
            .name(format!("mcos-{core}"))
            .spawn(move || smol::block_on(EXECUTOR.run(heartbeat.attend::<()>())))
            .map_err(ServeError::System)?;
    }
    let watch =
        systemd::beat_every().map(|every| EXECUTOR.spawn(keep_watch(watchdog, start.store.clone(), every)));
    let attend = async {
        match ours {
            Some(heartbeat) => heartbeat.attend().await,
            None => future::pending().await,
        }
    };
    let ended = smol::block_on(EXECUTOR.run(serve(start, recorder).or(attend)));
    if let Some(watch) = watch {
        // It has a part of the store, which must be closed when we return.
        smol::block_on(EXECUTOR.run(watch.cancel()));
    }
    ended
}

async fn serve(start: Start<'_>, recorder: Option<Arc<Recorder>>) -> Result<Ended, ServeError> {
    let Start { mut config, data, store, login_key, on_box, appliance, .. } = start;
    let signals = Signals::new([Signal::Term, Signal::Int]).map_err(ServeError::System)?;
    let control = match control::ControlSocket::bind(data) {
        // Players are served all the same.
        Err(error) if store.trouble().is_some() => {
            log::error!("the command line cannot reach this server: {error}");
            None
        }
        bound => Some(bound.map_err(ServeError::Control)?),
    };
    systemd::status("starting: looking after the certificates");
    let tls = open_tls(&config, data).await?;
    keep_authority(&store, data);
    let Bound { listeners, ports } = open_ports(&mut config, on_box.is_some()).map_err(ServeError::Bind)?;
    let names = netbios::open(&config.network, &OwnName::default().read());
    let limits = Limits::new(&config.limits);
    let connections = Arc::new(Connections::new(config.limits.outbound_bytes));
    let game =
        Arc::new(Game::new(config, data.to_owned(), ports, store, Catalog::in_folder(data), login_key));
    game.world.access_list.set_own(addresses::all());
    mcots::furnish_old_cars(&game);
    let cut_short = CutShort::find(&game);
    let (restart, asked) = channel::bounded(1);
    let shared = Arc::new(Shared::new(game, connections, limits, tls, restart, recorder, appliance));
    let clock = EXECUTOR.spawn({
        let shared = Arc::clone(&shared);
        async move { future::zip(shared.watch_the_clock(), cut_short.refund(&shared.game)).await }
    });
    let samples = EXECUTOR.spawn({
        let shared = Arc::clone(&shared);
        async move { sampling::keep(&shared).await }
    });
    let control = EXECUTOR.spawn({
        let shared = Arc::clone(&shared);
        async move {
            match control {
                Some(control) => control.serve(&shared).await,
                None => future::pending().await,
            }
        }
    });
    let place = status_file::host_info(
        &shared.game,
        !names.is_empty(),
        on_box.as_ref().is_some_and(|on_box| on_box.password_forgotten),
    );
    shared.game.store.end_of_start();
    announce(&listeners, &shared.game, &place);
    let sockets = listeners.iter().map(|listener| Arc::clone(&listener.socket)).collect();
    let turning_away = EXECUTOR.spawn(syn_filter::keep(Arc::clone(&shared), sockets));
    let accepting: Vec<_> = listeners
        .into_iter()
        .map(|listener| EXECUTOR.spawn(tcp::accept(Arc::clone(&shared), listener)))
        .collect();
    let names: Vec<_> =
        names.into_iter().map(|service| EXECUTOR.spawn(service.serve(Arc::clone(&shared.game)))).collect();
    systemd::ready("ready");
    let status_file = on_box.and_then(|on_box| on_box.status_file);
    let notices = (systemd::listens() || status_file.is_some()).then(|| {
        EXECUTOR.spawn(status_file::keep(Arc::clone(&shared.game), shared.tls.clone(), place, status_file))
    });

    let ended = until_ended(signals, asked).await;
    if let Some(notices) = notices {
        notices.cancel().await;
    }
    match ended {
        Ended::Stopped => systemd::stopping(),
        Ended::ToRestart => systemd::restarting(),
    }
    for task in accepting.into_iter().chain(names).chain([turning_away]) {
        task.cancel().await;
    }
    control.cancel().await;
    clock.cancel().await;
    samples.cancel().await;
    close_all(&shared).await;
    if let Some(recorder) = shared.recorder.clone() {
        smol::unblock(move || recorder.finish()).await;
    }
    let recordings = Arc::clone(&shared.recordings);
    smol::unblock(move || recordings.stop()).await;
    let history = Arc::clone(&shared.history);
    smol::unblock(move || sampling::save(&history)).await;
    let store = shared.game.store.clone();
    let flushed = smol::unblock(move || if store.is_abandoned() { Ok(()) } else { store.flush() }).await;
    match flushed {
        // What could not be saved was not acknowledged, and the new start is to help.
        Err(error) if ended == Ended::ToRestart => {
            log::error!("the last changes could not be saved: {error}");
        }
        flushed => flushed.map_err(ServeError::Store)?,
    }
    log::info!("stopped");
    Ok(ended)
}

/// Sees to it that the backup has the certificate authority, which may be newer than it.
fn keep_authority(store: &Store, data: &Path) {
    if store.trouble().is_some() {
        return;
    }
    let (store, data) = (store.clone(), data.to_owned());
    // It reads all of the backup, for which nobody has to wait.
    smol::unblock(move || {
        if Store::kept_authority(&data).is_none() {
            store.renew_backup();
        }
    })
    .detach();
}

/// Closes all connections, and waits a moment for their ends.
async fn close_all(shared: &Shared) {
    shared.connections.close_all();
    let all_gone = async { shared.limits.all_gone().await };
    let deadline = async {
        Timer::after(FAREWELL).await;
    };
    all_gone.or(deadline).await;
}

/// Waits for a signal, or for `asked`: the shared state keeps its other end, so it comes only when somebody asks.
async fn until_ended(mut signals: Signals, asked: channel::Receiver<RestartedBy>) -> Ended {
    let signalled = async {
        let signal = signals.next().await;
        log::info!(
            "stopping: {}",
            if matches!(signal, Some(Ok(Signal::Int))) { "SIGINT" } else { "SIGTERM" }
        );
        Ended::Stopped
    };
    signalled
        .or(async {
            let by = asked.recv().await;
            Timer::after(LAST_WORD).await;
            match by {
                Ok(RestartedBy::Itself) => log::info!("stopping: the server starts itself again"),
                _ => log::info!("stopping: the Operator wants a restart"),
            }
            Ended::ToRestart
        })
        .await
}

/// All ports. A box must not be out of reach because of its configuration: if that leads nowhere, the defaults count.
fn open_ports(config: &mut Config, on_box: bool) -> Result<Bound, BindError> {
    match bind::all(&config.network) {
        Err(error) if on_box && config.network != Network::default() => {
            log::error!("{error}; until then the default addresses and ports of [network] count");
            // What else the section says leads nowhere else, and some of it closes something.
            let Network { allow, public_host, legacy_tls, netbios, name, .. } =
                std::mem::take(&mut config.network);
            config.network = Network { allow, public_host, legacy_tls, netbios, name, ..Network::default() };
            config.mistakes.push(error.into_mistake());
            bind::all(&config.network)
        }
        bound => bound,
    }
}

/// The certificates, which are made at the first start. That may take a minute on a small board.
async fn open_tls(config: &Config, data: &Path) -> Result<tls::Tls, ServeError> {
    let data = data.to_path_buf();
    let host = config.network.public_host.as_ref().map(|host| host.as_str().to_owned());
    let legacy = config.network.legacy_tls;
    smol::unblock(move || tls::Tls::open(&data, host.as_deref(), legacy)).await.map_err(ServeError::Tls)
}

/// One line per service saying where it listens, for programs; on a terminal the few lines that a person wants.
fn announce(listeners: &[bind::Listener], game: &Game, place: &HostInfo) {
    let mut text = String::new();
    let mut out = io::stdout().lock();
    if out.is_terminal() {
        let addresses = status_file::addresses(&game.config.network);
        text = status::at_start(game, &HostInfo { addresses, ..place.clone() }, listeners.len());
    } else {
        for listener in listeners {
            let _ = writeln!(text, "listening {} {}", listener.service, listener.address);
        }
    }
    // A closed standard output is no reason not to serve.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    log::info!(
        "shard {:?} is open; players reach it by this machine's address, port {} for HTTP",
        game.config.shard.name,
        game.ports.http
    );
}
