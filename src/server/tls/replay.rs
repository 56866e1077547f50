//! A stream of which the beginning was read already.

use async_net::TcpStream;
use futures_lite::{AsyncRead, AsyncWrite};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

/// After so many reads one after the other somebody else has a turn: records without content, which whoever reads passes over, can come faster
/// than they are decrypted.
const IN_A_ROW: u8 = 4;

/// Gives the bytes that were read once more, then those of the socket.
#[derive(Debug)]
pub(super) struct Replay {
    beginning: Vec<u8>,
    given: usize,
    socket: TcpStream,
    /// How many reads of the socket have brought something since it had nothing, or others had their turn.
    in_a_row: u8,
}

impl Replay {
    pub(super) fn new(beginning: Vec<u8>, socket: TcpStream) -> Self {
        Self { beginning, given: 0, socket, in_a_row: 0 }
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
            if self.in_a_row == IN_A_ROW {
                self.in_a_row = 0;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            let read = Pin::new(&mut self.socket).poll_read(context, buffer);
            self.in_a_row = if read.is_ready() { self.in_a_row + 1 } else { 0 };
            return read;
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

#[cfg(test)]
mod tests {
    use super::*;
    use futures_lite::future::poll_once;
    use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};

    #[test]
    fn who_always_has_more_to_read_lets_others_have_their_turn_and_loses_nothing() {
        smol::block_on(async {
            let listener = async_net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (socket, _) = listener.accept().await.unwrap();
            client.write_all(&[7; 1000]).await.unwrap();
            let mut replay = Replay::new(vec![6; 2], socket);
            let (mut read, mut turns) = (Vec::new(), 0);
            while read.len() < 1002 {
                let mut byte = [0];
                match poll_once(replay.read(&mut byte)).await {
                    Some(count) => read.extend_from_slice(&byte[..count.unwrap()]),
                    None => turns += 1,
                }
            }
            assert_eq!(read, [vec![6; 2], vec![7; 1000]].concat());
            assert!(turns >= 1000 / usize::from(IN_A_ROW) - 1, "{turns}");
        });
    }
}
