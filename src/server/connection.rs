//! The connection loop of all TCP services: bytes in, messages answered, bytes out, until one side ends it.

use super::bind::Service;
use super::conversation::{Conversation, Step, Unsent};
use super::counters::Counting;
use super::limits::Permit;
use super::observer::Observers;
use super::outbox::{Ending, Outbox};
use super::recorder::Switched;
use super::shared::Shared;
use super::slow_work;
use super::turns::Work;
use crate::clock::Now;
use crate::services::Game;
use crate::world::ConnectionId;
use crate::world::races::Move;
use async_net::TcpStream;
use futures_lite::{AsyncWrite as _, AsyncWriteExt as _, FutureExt as _, future};
use smol::{Async, Timer};
use std::fmt;
use std::future::poll_fn;
use std::io::{self, ErrorKind, Read as _};
use std::net::{self, IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Bytes taken from the socket at once. The buffer is on the stack while data is there, not in each idle connection.
const CHUNK: usize = 16 * 1024;
/// Answers are written when so many bytes wait, even if more requests have arrived already.
const BATCH: usize = 64 * 1024;
/// After so many messages the others have their turn, even if more have arrived already: each takes some microseconds.
const AT_ONCE: u32 = 64;
/// How long a connection rests whose address has sent too many messages.
const REST: Duration = Duration::from_millis(20);

/// Why a connection ended.
enum End {
    /// The Client closed it.
    Closed,
    /// A service closed it.
    Finished,
    /// Silent for too long.
    Silent,
    /// Ended from outside.
    Ended(Ending),
    /// Not understood any further, for the reason given.
    Broken(String),
    /// A change could not be saved, so its answer must not go out.
    Unsaved(String),
    /// A message of ours could not be written: a fault of ours.
    Unsent(Unsent),
    /// The network failed.
    Failed(io::Error),
}

impl End {
    /// In one word, to be counted.
    const fn word(&self) -> &'static str {
        match self {
            Self::Closed => "closed_by_client",
            Self::Finished => "done",
            Self::Silent => "silent",
            Self::Ended(Ending::Overflow) => "does_not_read",
            Self::Ended(Ending::Dismissed) => "dismissed",
            Self::Ended(Ending::OverBudget) => "unfinished_input",
            Self::Broken(_) => "not_understood",
            Self::Unsaved(_) => "unsaved",
            Self::Unsent(_) => "fault_of_server",
            Self::Failed(_) => "lost",
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("closed by the Client"),
            Self::Finished => f.write_str("done"),
            Self::Silent => f.write_str("silent for too long"),
            Self::Ended(Ending::Overflow) => f.write_str("does not read what others send; cut off"),
            Self::Ended(Ending::Dismissed) => f.write_str("dismissed"),
            Self::Ended(Ending::OverBudget) => {
                f.write_str("holds most of the half packets of all; see limits.input_bytes")
            }
            Self::Broken(reason) => write!(f, "closed, {reason}"),
            Self::Unsaved(reason) => write!(f, "closed, a change could not be saved: {reason}"),
            Self::Unsent(unsent) => write!(f, "closed, a fault of this server: {unsent}"),
            Self::Failed(error) => write!(f, "lost: {error}"),
        }
    }
}

/// Where a connection comes from.
pub(super) struct Origin {
    /// Its number.
    pub(super) connection: ConnectionId,
    /// What it asks.
    pub(super) service: Service,
    /// From where.
    pub(super) peer: SocketAddr,
    /// The place it takes.
    pub(super) place: Permit,
}

/// All of a connection but its socket: what answering changes. It is lent to another thread for a message whose answer takes long.
struct Talk {
    conversation: Conversation,
    observers: Observers,
    /// What waits to be written.
    out: Vec<u8>,
}

/// What answering the next message led to: nothing if there is none, or the reason why no more can be understood.
type Stepped = Result<Option<Step>, String>;

impl Talk {
    fn step(&mut self, game: &Game) -> Stepped {
        let Self { conversation, observers, out } = self;
        conversation.step(game, Now::read(), out, observers).map_err(|reason| reason.to_string())
    }
}

/// Runs one connection to its end and cleans up behind it.
pub(super) async fn converse(
    shared: &Arc<Shared>,
    origin: Origin,
    mut stream: TcpStream,
    conversation: Conversation,
) {
    let Origin { connection, service, peer, mut place } = origin;
    let outbox = shared.connections.register(connection);
    let mut observers = Observers::default();
    observers.add(Counting(Arc::clone(&shared.counters)));
    let port = stream.local_addr().map_or(0, |local| local.port());
    observers.add(Switched::new(Arc::clone(&shared.recordings), service, port, connection, peer));
    if let Some(recorder) = &shared.recorder {
        recorder
            .open(service, port, connection, peer)
            .into_iter()
            .for_each(|recording| observers.add(recording));
    }
    let talk = Box::new(Talk { conversation, observers, out: Vec::new() });
    let (mut talk, end) =
        converse_until_the_end(shared, (peer, &mut place), &outbox, &mut stream, talk).await;
    shared.connections.remove(connection);
    shared.counters.ended.count(end.word());
    let why = end.to_string();
    talk.observers.tell(|observer| observer.ended(&why));
    let how = if matches!(end, End::Ended(Ending::Overflow)) { Move::CutOff } else { Move::Other };
    shared.tell(talk.conversation.leave(&shared.game, how, Now::read())).await;
    match &end {
        End::Broken(_) | End::Ended(Ending::Overflow | Ending::OverBudget) => {
            log::info!("{service}: {peer} {end}");
        }
        End::Unsaved(_) | End::Unsent(_) => log::error!("{service}: {peer} {end}"),
        _ => log::debug!("{service}: {peer} {end}"),
    }
    if matches!(end, End::Finished | End::Ended(Ending::Dismissed) | End::Broken(_) | End::Unsent(_)) {
        // The Client may be gone already.
        let _ = stream.close().await;
    }
}

async fn converse_until_the_end(
    shared: &Arc<Shared>,
    (peer, place): (SocketAddr, &mut Permit),
    outbox: &Arc<Outbox>,
    stream: &mut TcpStream,
    mut talk: Box<Talk>,
) -> (Box<Talk>, End) {
    let began = Instant::now();
    let mut incoming = Incoming::of(stream);
    let mut share = shared.input.share(peer.ip(), place.is_of_player(), Arc::clone(outbox) as _);
    let Talk { conversation, observers, out } = &mut *talk;
    if let Err(unsent) = conversation.greet(out, observers) {
        return (talk, End::Unsent(unsent));
    }
    loop {
        let answered;
        (talk, answered) = answer_some(shared, peer.ip(), talk).await;
        let answers = !talk.out.is_empty();
        let answered = answered.and_then(|more| deliver_all(outbox, &mut talk).map(|()| more));
        match answered {
            Err(end) => {
                // What was answered before still goes out.
                let _ = write(stream, outbox, &mut talk).await;
                return (talk, end);
            }
            Ok((more, count)) => {
                if let Err(end) = write(stream, outbox, &mut talk).await {
                    return (talk, end);
                }
                while count > 0 && !shared.pace.admit(peer.ip(), count, Now::read()) {
                    if let Some(ending) = outbox.ending() {
                        return (talk, End::Ended(ending));
                    }
                    Timer::after(REST).await;
                }
                if more {
                    future::yield_now().await;
                    continue;
                }
                incoming.drained &= !answers;
            }
        }
        if let Some(ending) = outbox.ending() {
            return (talk, End::Ended(ending));
        }
        if talk.conversation.signed_in() {
            place.signed_in();
            share.somebody_plays();
        }
        share.set(talk.conversation.held());
        let deadline = talk.conversation.deadline(&shared.game.config.limits, began.elapsed());
        let event = wait(&mut incoming, outbox, &mut talk);
        let happened = match deadline {
            None => event.await,
            Some(deadline) => {
                let silence = async {
                    Timer::after(deadline).await;
                    Err(End::Silent)
                };
                event.or(silence).await
            }
        };
        if let Err(end) = happened {
            return (talk, end);
        }
    }
}

/// Answers what has arrived: how many messages that were, and `true` if there may be more, but what is answered should go out first.
async fn answer_some(
    shared: &Arc<Shared>,
    peer: IpAddr,
    mut talk: Box<Talk>,
) -> (Box<Talk>, Result<(bool, u32), End>) {
    for count in 0..AT_ONCE {
        let answered = talk.out.len();
        let stepped;
        (talk, stepped) = step(shared, peer, talk).await;
        let step = match stepped {
            Ok(Some(step)) => step,
            Ok(None) => return (talk, Ok((false, count))),
            Err(reason) => return (talk, Err(End::Broken(reason))),
        };
        if let Some(ticket) = step.commit
            && let Err(error) = shared.saved(ticket).await
        {
            // A Client that hears nothing asks again; one that hears "done" relies on it.
            talk.out.truncate(answered);
            talk.observers.tell(|observer| observer.withdrawn());
            return (talk, Err(End::Unsaved(error.to_string())));
        }
        shared.connections.deliver(step.pushes);
        if let Some(unsent) = step.unsent {
            return (talk, Err(End::Unsent(unsent)));
        }
        if step.close {
            return (talk, Err(End::Finished));
        }
        if talk.out.len() >= BATCH {
            return (talk, Ok((true, count + 1)));
        }
    }
    (talk, Ok((true, AT_ONCE)))
}

/// Answers the next message: here, or when it is its turn on a thread for what takes long.
async fn step(shared: &Arc<Shared>, peer: IpAddr, mut talk: Box<Talk>) -> (Box<Talk>, Stepped) {
    if !talk.conversation.is_slow() {
        let stepped = talk.step(&shared.game);
        return (talk, stepped);
    }
    let turn = shared.slow.turn(Work::Login, peer).await;
    let game = Arc::clone(&shared.game);
    slow_work::run(move || {
        let _turn = turn;
        let stepped = talk.step(&game);
        (talk, stepped)
    })
    .await
}

/// Appends what others have for this Client.
fn deliver_all(outbox: &Outbox, talk: &mut Talk) -> Result<(), End> {
    let Talk { conversation, observers, out } = talk;
    let mut waiting = outbox.drain().into_iter();
    waiting.try_for_each(|outbound| conversation.deliver(&outbound, out, observers)).map_err(End::Unsent)
}

/// Writes everything, unless the connection is to be cut off meanwhile.
async fn write(stream: &mut TcpStream, outbox: &Outbox, talk: &mut Talk) -> Result<(), End> {
    let mut written = 0;
    while let Some(rest) = talk.out.get(written..).filter(|rest| !rest.is_empty()) {
        let count = poll_fn(|context| {
            if let Poll::Ready(result) = Pin::new(&mut *stream).poll_write(context, rest) {
                return Poll::Ready(result.map_err(End::Failed));
            }
            // The socket is full. Whoever ends this connection must not wait for a Client that does not read.
            match outbox.poll(context).then(|| outbox.ending()).flatten() {
                Some(ending) => Poll::Ready(Err(End::Ended(ending))),
                None => Poll::Pending,
            }
        })
        .await?;
        written += count;
    }
    // An idle connection keeps no buffer.
    talk.out = Vec::new();
    talk.observers.tell(|observer| observer.written());
    Ok(())
}

/// Where bytes of the Client come from. Others write to a connection far more often than its Client does, so it is read only when
/// the system has said that there is something: an attempt in vain costs as much as a small packet. But who was just answered
/// often has the next request ready, and to be woken for it costs several times as much as to look.
struct Incoming {
    socket: Arc<Async<net::TcpStream>>,
    /// Nothing was left when it was last read, and nothing is expected at once.
    drained: bool,
}

impl Incoming {
    fn of(stream: &TcpStream) -> Self {
        Self { socket: stream.clone().into(), drained: false }
    }

    fn poll(&mut self, context: &mut Context<'_>, talk: &mut Talk) -> Poll<Result<(), End>> {
        loop {
            if self.drained {
                match self.socket.poll_readable(context) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(())) => self.drained = false,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(End::Failed(error))),
                }
            }
            let mut chunk = [0; CHUNK];
            match self.socket.get_ref().read(&mut chunk) {
                Ok(0) => return Poll::Ready(Err(End::Closed)),
                Ok(count) => {
                    self.drained = count < CHUNK;
                    let arrived = chunk.get(..count).unwrap_or_default();
                    talk.conversation.feed(arrived);
                    talk.observers.tell(|observer| observer.received(arrived));
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.drained = true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(End::Failed(error))),
            }
        }
    }
}

/// Waits until something arrives from the Client or from others.
async fn wait(incoming: &mut Incoming, outbox: &Outbox, talk: &mut Talk) -> Result<(), End> {
    poll_fn(|context| {
        if outbox.poll(context) {
            return Poll::Ready(Ok(()));
        }
        incoming.poll(context, talk)
    })
    .await
}
