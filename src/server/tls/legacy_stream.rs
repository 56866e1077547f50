//! The legacy machine as a stream.

use async_net::TcpStream;
use futures_lite::{AsyncRead, AsyncWrite, ready};
use legacy_tls::legacy::LegacyServer;
use legacy_tls::record::LONGEST_PLAIN;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Bytes taken from the socket at once.
const CHUNK: usize = 4096;

/// An SSL 3.0 or TLS 1.0 connection whose handshake is over.
///
/// What is written goes out with the next flush, as few records as possible: an answer that fits is one record. A Client
/// that closes its side without saying goodbye is taken as having said it, because those of that time often don't.
pub(super) struct LegacyStream {
    socket: TcpStream,
    machine: LegacyServer,
    /// Written, but not sealed yet.
    pending: Vec<u8>,
}

impl fmt::Debug for LegacyStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LegacyStream").field("machine", &self.machine).finish_non_exhaustive()
    }
}

impl LegacyStream {
    pub(super) fn new(socket: TcpStream, machine: LegacyServer) -> Self {
        Self { socket, machine, pending: Vec::new() }
    }

    /// Everything the machine has for the socket.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.machine.outbound().is_empty() {
            let count = ready!(Pin::new(&mut self.socket).poll_write(context, self.machine.outbound()))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.machine.sent(count);
        }
        Poll::Ready(Ok(()))
    }

    fn seal_pending(&mut self) {
        self.machine.send(&std::mem::take(&mut self.pending));
    }
}

impl AsyncRead for LegacyStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let data = self.machine.data();
            if !data.is_empty() {
                let count = data.len().min(buffer.len());
                buffer.iter_mut().zip(data).for_each(|(slot, byte)| *slot = *byte);
                self.machine.read(count);
                return Poll::Ready(Ok(count));
            }
            if self.machine.is_finished() {
                return Poll::Ready(Ok(0));
            }
            // Alerts in answer to what is read. Who does not take them gets nothing more read.
            ready!(self.poll_send(context))?;
            let mut chunk = [0; CHUNK];
            let count = ready!(Pin::new(&mut self.socket).poll_read(context, &mut chunk))?;
            if count == 0 {
                return Poll::Ready(Ok(0));
            }
            if let Err(failure) = self.machine.feed(chunk.get(..count).unwrap_or_default()) {
                // The alert goes out now or never: nobody uses a stream on after an error.
                let _ = self.poll_send(context);
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, failure)));
            }
            if self.machine.data().is_empty() {
                // Others have their turn first: who sends without pause what brings nothing keeps no thread for itself.
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }
}

impl AsyncWrite for LegacyStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_send(context))?;
        if self.pending.len() == LONGEST_PLAIN {
            self.seal_pending();
            ready!(self.poll_send(context))?;
        }
        let count = bytes.len().min(LONGEST_PLAIN - self.pending.len());
        self.pending.extend_from_slice(bytes.get(..count).unwrap_or_default());
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.seal_pending();
        ready!(self.poll_send(context))?;
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.seal_pending();
        self.machine.close();
        ready!(self.poll_send(context))?;
        Pin::new(&mut self.socket).poll_close(context)
    }
}
