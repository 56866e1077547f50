//! What a connection to the SSL server holds in memory, counted into the budget of all for as long as it is open. The figures are
//! what such connections were seen to take, with what the allocator rounds up.

use crate::server::memory_budget::Share;
use futures_lite::{AsyncRead, AsyncWrite};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

/// What a connection takes with TLS and a request up to [`FIRST_BUFFER`], in bytes. Every one counts so much, silent or not: if those who
/// say nothing counted less, the one among them who asks would be the largest, and pay for all.
pub(in crate::server) const LEAST: usize = 60 * 1024;
/// What is read of a head at first.
const FIRST_BUFFER: usize = 8 * 1024;
/// What a longer request takes besides, up to its longest head and the form behind it: the buffer has grown, and what it was before is
/// not gone yet. What is longer than that goes to a file as it arrives.
const LONGER: usize = 32 * 1024;
/// How an answer begins that is none yet.
const INTERIM: &[u8] = b"HTTP/1.1 1";

/// A connection whose memory is counted.
pub(super) struct Counted<'a, S> {
    stream: S,
    share: &'a mut Share,
    read: usize,
    /// How many bytes of the answer lie in memory, once there is one.
    answer: &'a AtomicUsize,
    answered: bool,
}

impl<'a, S> Counted<'a, S> {
    /// The same connection, counted into `share`. Who makes the answer writes to `answer` how many bytes of it lie in memory.
    pub(super) fn around(stream: S, share: &'a mut Share, answer: &'a AtomicUsize) -> Self {
        share.set(LEAST);
        Self { stream, share, read: 0, answer, answered: false }
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
            let held = if self.read <= FIRST_BUFFER { LEAST } else { LEAST + LONGER };
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
            let held = LEAST + self.answer.load(Ordering::Relaxed);
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
        let mut share = budget.share([10, 0, 0, 1].into(), false, Arc::<Eviction>::default());
        let answer = AtomicUsize::new(0);
        let mut stream = Counted::around(Cursor::new(vec![b'x'; 200_000]), &mut share, &answer);
        smol::block_on(async {
            assert_eq!(budget.held(), LEAST);
            stream.read_exact(&mut [0]).await.unwrap();
            assert_eq!(budget.held(), LEAST);
            stream.read_exact(&mut vec![0; FIRST_BUFFER]).await.unwrap();
            assert_eq!(budget.held(), LEAST + LONGER);
            stream.read_exact(&mut vec![0; 100_000]).await.unwrap();
            assert_eq!(budget.held(), LEAST + LONGER, "a file is not kept in memory");
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
            assert_eq!(budget.held(), LEAST + LONGER);
            answer.store(75_000, Ordering::Relaxed);
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            stream.read_exact(&mut [0; 1000]).await.unwrap();
            assert_eq!(budget.held(), LEAST + 75_000);
        });
        drop(share);
        assert_eq!(budget.held(), 0);
    }
}
