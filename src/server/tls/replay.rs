//! A stream of which the beginning was read already.

use async_net::TcpStream;
use futures_lite::{AsyncRead, AsyncWrite};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Gives the bytes that were read once more, then those of the socket.
#[derive(Debug)]
pub(super) struct Replay {
    beginning: Vec<u8>,
    given: usize,
    socket: TcpStream,
}

impl Replay {
    pub(super) fn new(beginning: Vec<u8>, socket: TcpStream) -> Self {
        Self { beginning, given: 0, socket }
    }
}

impl AsyncRead for Replay {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let rest = self.beginning.get(self.given..).unwrap_or_default();
        if rest.is_empty() {
            return Pin::new(&mut self.socket).poll_read(context, buffer);
        }
        let count = rest.len().min(buffer.len());
        buffer.iter_mut().zip(rest).for_each(|(slot, byte)| *slot = *byte);
        self.given += count;
        if self.given == self.beginning.len() {
            (self.beginning, self.given) = (Vec::new(), 0);
        }
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for Replay {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_close(context)
    }
}
