//! What a connection has sent of a request that is not complete yet, counted into the budget of all.

use crate::server::input_budget::Share;
use futures_lite::{AsyncRead, AsyncWrite};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// What the engine takes for the first byte of a head.
const FIRST_BUFFER: usize = 8 * 1024;
/// What is held of a request at most: its head, and the form behind it. What is longer goes to a file as it arrives.
const MOST: usize = super::MAX_HEAD + crate::web::MAX_FORM;
/// How an answer begins that is none yet.
const INTERIM: &[u8] = b"HTTP/1.1 1";

/// A connection whose bytes are counted until it is answered.
pub(super) struct Unfinished<S> {
    stream: S,
    share: Share,
    /// What is held below the request: by TLS, for a record that is not complete.
    below: usize,
    read: usize,
    answered: bool,
}

impl<S> Unfinished<S> {
    /// The same connection, counted into `share`, with so many bytes held `below` it.
    pub(super) fn around(stream: S, mut share: Share, below: usize) -> Self {
        share.set(below);
        Self { stream, share, below, read: 0, answered: false }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Unfinished<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.stream).poll_read(context, bytes))?;
        if !self.answered {
            self.read = self.read.saturating_add(count);
            let held = self.below + self.read.clamp(FIRST_BUFFER, MOST);
            self.share.set(held);
        }
        Poll::Ready(Ok(count))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Unfinished<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if !self.answered && !bytes.starts_with(INTERIM) {
            self.answered = true;
            self.share.set(0);
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::input_budget::{Eviction, InputBudget};
    use futures_lite::io::Cursor;
    use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
    use std::sync::Arc;

    #[test]
    fn a_request_counts_from_its_first_byte_to_its_answer() {
        let budget = InputBudget::new(1_000_000);
        let share = budget.share(Arc::<Eviction>::default());
        let mut stream = Unfinished::around(Cursor::new(vec![b'x'; 200_000]), share, 16);
        smol::block_on(async {
            assert_eq!(budget.held(), 16);
            stream.read_exact(&mut [0]).await.unwrap();
            assert_eq!(budget.held(), 16 + FIRST_BUFFER);
            stream.read_exact(&mut vec![0; 20_000]).await.unwrap();
            assert_eq!(budget.held(), 16 + 20_001);
            stream.read_exact(&mut vec![0; 100_000]).await.unwrap();
            assert_eq!(budget.held(), 16 + MOST, "a file is not kept in memory");
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
            assert_eq!(budget.held(), 16 + MOST);
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            stream.read_exact(&mut [0; 1000]).await.unwrap();
            assert_eq!(budget.held(), 0);
        });
    }
}
