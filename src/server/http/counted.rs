//! What a connection to the SSL server holds in memory, counted into the budget of all for as long as it is open. The figures are
//! what such connections were seen to take, with what the allocator rounds up.

use crate::server::memory_budget::Share;
use futures_lite::{AsyncRead, AsyncWrite};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

/// What a connection takes that has sent nothing, or is only waited for to close.
pub(super) const SILENT: usize = 28 * 1024;
/// What the beginning of a request takes besides, up to [`FIRST_BUFFER`].
const BEGINNING: usize = 16 * 1024;
/// What is read of a head at first.
const FIRST_BUFFER: usize = 8 * 1024;
/// What a longer request takes besides [`SILENT`], up to its longest head and the form behind it: the buffer has grown, and what it
/// was before is not gone yet. What is longer than that goes to a file as it arrives.
const LONG: usize = 48 * 1024;
/// How an answer begins that is none yet.
const INTERIM: &[u8] = b"HTTP/1.1 1";

/// A connection whose memory is counted.
pub(super) struct Counted<'a, S> {
    stream: S,
    share: &'a mut Share,
    /// What is held below the request: by TLS, for a record that is not complete.
    below: usize,
    read: usize,
    /// How many bytes of the answer lie in memory, once there is one.
    answer: &'a AtomicUsize,
    answered: bool,
}

impl<'a, S> Counted<'a, S> {
    /// The same connection, counted into `share`, with so many bytes held `below` it. Who makes the answer writes to `answer` how many
    /// bytes of it lie in memory.
    pub(super) fn around(stream: S, share: &'a mut Share, below: usize, answer: &'a AtomicUsize) -> Self {
        share.set(below + SILENT);
        Self { stream, share, below, read: 0, answer, answered: false }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.stream).poll_read(context, bytes))?;
        if !self.answered && count > 0 {
            self.read = self.read.saturating_add(count);
            let request = if self.read <= FIRST_BUFFER { BEGINNING } else { LONG };
            let held = self.below + SILENT + request;
            self.share.set(held);
        }
        Poll::Ready(Ok(count))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<'_, S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if !self.answered && !bytes.starts_with(INTERIM) {
            self.answered = true;
            let held = self.below + SILENT + self.answer.load(Ordering::Relaxed);
            self.share.set(held);
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
    use crate::server::memory_budget::{Eviction, MemoryBudget};
    use futures_lite::io::Cursor;
    use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
    use std::sync::Arc;

    #[test]
    fn a_connection_counts_from_its_beginning_and_its_answer_until_it_is_sent() {
        let budget = MemoryBudget::new(1_000_000);
        let mut share = budget.share(Arc::<Eviction>::default());
        let answer = AtomicUsize::new(0);
        let mut stream = Counted::around(Cursor::new(vec![b'x'; 200_000]), &mut share, 16, &answer);
        smol::block_on(async {
            assert_eq!(budget.held(), 16 + SILENT);
            stream.read_exact(&mut [0]).await.unwrap();
            assert_eq!(budget.held(), 16 + SILENT + BEGINNING);
            stream.read_exact(&mut vec![0; FIRST_BUFFER]).await.unwrap();
            assert_eq!(budget.held(), 16 + SILENT + LONG);
            stream.read_exact(&mut vec![0; 100_000]).await.unwrap();
            assert_eq!(budget.held(), 16 + SILENT + LONG, "a file is not kept in memory");
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
            assert_eq!(budget.held(), 16 + SILENT + LONG);
            answer.store(75_000, Ordering::Relaxed);
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            stream.read_exact(&mut [0; 1000]).await.unwrap();
            assert_eq!(budget.held(), 16 + SILENT + 75_000);
        });
        drop(share);
        assert_eq!(budget.held(), 0);
    }
}
