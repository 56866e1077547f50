//! The connection loop of all TCP services: bytes in, messages answered, bytes out, until one side ends it.

use super::bind::Service;
use super::conversation::{Conversation, Unsent};
use super::counters::Counting;
use super::limits::Permit;
use super::observer::Observers;
use super::outbox::{Ending, Outbox};
use super::recorder::Switched;
use super::shared::Shared;
use crate::clock::Now;
use crate::world::ConnectionId;
use async_net::TcpStream;
use futures_lite::{AsyncRead as _, AsyncWrite as _, AsyncWriteExt as _, FutureExt as _};
use smol::Timer;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

/// Bytes taken from the socket at once. The buffer is on the stack while data is there, not in each idle connection.
const CHUNK: usize = 16 * 1024;
/// Answers are written when so many bytes wait, even if more requests have arrived already.
const BATCH: usize = 64 * 1024;

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

/// Runs one connection to its end and cleans up behind it.
pub(super) async fn converse(
    shared: &Shared,
    origin: Origin,
    mut stream: TcpStream,
    mut conversation: Conversation,
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
    let end = talk(shared, &mut place, &outbox, &mut stream, &mut conversation, &mut observers).await;
    shared.connections.remove(connection);
    let why = end.to_string();
    observers.tell(|observer| observer.ended(&why));
    shared.tell(conversation.leave(&shared.game, Now::read())).await;
    match &end {
        End::Broken(_) | End::Ended(Ending::Overflow | Ending::OverBudget) => {
            log::info!("{service}: {peer} {end}")
        }
        End::Unsaved(_) | End::Unsent(_) => log::error!("{service}: {peer} {end}"),
        _ => log::debug!("{service}: {peer} {end}"),
    }
    if matches!(end, End::Finished | End::Ended(Ending::Dismissed) | End::Broken(_) | End::Unsent(_)) {
        // The Client may be gone already.
        let _ = stream.close().await;
    }
}

async fn talk(
    shared: &Shared,
    place: &mut Permit,
    outbox: &Arc<Outbox>,
    stream: &mut TcpStream,
    conversation: &mut Conversation,
    observers: &mut Observers,
) -> End {
    let began = Instant::now();
    let mut share = shared.input.share(Arc::clone(outbox) as _);
    let mut out = Vec::new();
    if let Err(unsent) = conversation.greet(&mut out, observers) {
        return End::Unsent(unsent);
    }
    loop {
        let answered = match answer_all(shared, conversation, &mut out, observers).await {
            Ok(more) => deliver_all(outbox, conversation, &mut out, observers).map(|()| more),
            Err(end) => Err(end),
        };
        match answered {
            Err(end) => {
                // What was answered before still goes out.
                let _ = write(stream, outbox, &mut out, observers).await;
                return end;
            }
            Ok(more) => {
                if let Err(end) = write(stream, outbox, &mut out, observers).await {
                    return end;
                }
                if more {
                    continue;
                }
            }
        }
        if let Some(ending) = outbox.ending() {
            return End::Ended(ending);
        }
        share.set(conversation.held());
        if conversation.signed_in() {
            place.signed_in();
        }
        let deadline = conversation.deadline(&shared.game.config.limits, began.elapsed());
        let event = wait(stream, outbox, conversation, observers);
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
            return end;
        }
    }
}

/// Answers what has arrived. `true`: there may be more, but what is answered should go out first.
async fn answer_all(
    shared: &Shared,
    conversation: &mut Conversation,
    out: &mut Vec<u8>,
    observers: &mut Observers,
) -> Result<bool, End> {
    loop {
        let answered = out.len();
        let step = match conversation.step(&shared.game, Now::read(), out, observers) {
            Ok(Some(step)) => step,
            Ok(None) => return Ok(false),
            Err(reason) => return Err(End::Broken(reason.to_string())),
        };
        if let Some(ticket) = step.commit
            && let Err(error) = ticket.committed().await
        {
            // A Client that hears nothing asks again; one that hears "done" relies on it.
            out.truncate(answered);
            observers.tell(|observer| observer.withdrawn());
            return Err(End::Unsaved(error.to_string()));
        }
        shared.connections.deliver(step.pushes);
        if let Some(unsent) = step.unsent {
            return Err(End::Unsent(unsent));
        }
        if step.close {
            return Err(End::Finished);
        }
        if out.len() >= BATCH {
            return Ok(true);
        }
    }
}

/// Appends what others have for this Client.
fn deliver_all(
    outbox: &Outbox,
    conversation: &mut Conversation,
    out: &mut Vec<u8>,
    observers: &mut Observers,
) -> Result<(), End> {
    let mut waiting = outbox.drain().into_iter();
    waiting.try_for_each(|outbound| conversation.deliver(&outbound, out, observers)).map_err(End::Unsent)
}

/// Writes everything, unless the connection is to be cut off meanwhile.
async fn write(
    stream: &mut TcpStream,
    outbox: &Outbox,
    out: &mut Vec<u8>,
    observers: &mut Observers,
) -> Result<(), End> {
    let mut written = 0;
    while let Some(rest) = out.get(written..).filter(|rest| !rest.is_empty()) {
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
    *out = Vec::new();
    observers.tell(|observer| observer.written());
    Ok(())
}

/// Waits until something arrives from the Client or from others.
async fn wait(
    stream: &mut TcpStream,
    outbox: &Outbox,
    conversation: &mut Conversation,
    observers: &mut Observers,
) -> Result<(), End> {
    poll_fn(|context| {
        if outbox.poll(context) {
            return Poll::Ready(Ok(()));
        }
        read(stream, context, conversation, observers)
    })
    .await
}

fn read(
    stream: &mut TcpStream,
    context: &mut Context<'_>,
    conversation: &mut Conversation,
    observers: &mut Observers,
) -> Poll<Result<(), End>> {
    let mut chunk = [0; CHUNK];
    match pin!(stream).poll_read(context, &mut chunk) {
        Poll::Pending => Poll::Pending,
        Poll::Ready(Ok(0)) => Poll::Ready(Err(End::Closed)),
        Poll::Ready(Ok(count)) => {
            let arrived = chunk.get(..count).unwrap_or_default();
            conversation.feed(arrived);
            observers.tell(|observer| observer.received(arrived));
            Poll::Ready(Ok(()))
        }
        Poll::Ready(Err(error)) => Poll::Ready(Err(End::Failed(error))),
    }
}
