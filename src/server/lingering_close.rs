//! Closes a TCP connection so that the other side can still read the last answer.
//!
//! A system that closes a socket while bytes from the other side lie unread in it, or still arrive, answers them with a
//! reset. The other side then fails to write, and may lose an answer that it has received but not read yet: Windows
//! throws it away. So an answer that is given before the whole request was read must be followed by a lingering close.

use async_net::TcpStream;
use futures_lite::{AsyncReadExt as _, FutureExt as _, future};
use smol::Timer;
use std::io;
use std::net::Shutdown;
use std::time::Duration;

/// Bytes read at once.
const CHUNK: usize = 4 * 1024;

/// What is still read, and thrown away, after the last answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) bytes: u64,
    /// The longest pause between two reads.
    pub(super) pause: Duration,
    /// The longest time in all.
    pub(super) time: Duration,
}

/// For an answer to a request: enough for the rest of any form without a large file.
pub(super) const AFTER_ANSWER: Bounds =
    Bounds { bytes: 16 * 1024 * 1024, pause: Duration::from_secs(3), time: Duration::from_secs(15) };

/// Tells the other side that nothing more will be sent, then reads and throws away what it sends until it closes its side
/// too or a bound is reached. What was written to the socket before must have been flushed.
pub(super) async fn lingering_close(mut socket: TcpStream, bounds: Bounds) {
    let discard = async {
        socket.shutdown(Shutdown::Write)?;
        let mut chunk = vec![0; CHUNK];
        let mut left = bounds.bytes;
        while left > 0 {
            let paused = async {
                Timer::after(bounds.pause).await;
                Ok(0)
            };
            let count = socket.read(&mut chunk).or(paused).await?;
            if count == 0 {
                break;
            }
            left = left.saturating_sub(count as u64);
            // A fast sender always has more; others want to be served meanwhile.
            future::yield_now().await;
        }
        io::Result::Ok(())
    };
    let too_long = async {
        Timer::after(bounds.time).await;
        Ok(())
    };
    // It fails when the other side is gone, which is the aim.
    let _ = discard.or(too_long).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_lite::AsyncWriteExt as _;
    use smol::block_on;
    use smol::net::TcpListener;
    use std::time::Instant;

    const BRIEF: Bounds =
        Bounds { bytes: 100_000, pause: Duration::from_millis(200), time: Duration::from_millis(600) };

    /// Both ends of a connection; on one of them a short answer was written already.
    async fn answered() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut server = listener.accept().await.unwrap().0;
        server.write_all(b"answer").await.unwrap();
        (client, server)
    }

    #[test]
    fn who_is_still_sending_reads_the_answer() {
        block_on(async {
            let (mut client, server) = answered().await;
            let sending = async {
                for _ in 0..20 {
                    client.write_all(&[7; 4000]).await.unwrap();
                    Timer::after(Duration::from_millis(10)).await;
                }
                let mut answer = String::new();
                client.read_to_string(&mut answer).await.unwrap();
                drop(client);
                answer
            };
            assert_eq!(future::zip(lingering_close(server, BRIEF), sending).await.1, "answer");
        });
    }

    #[test]
    fn it_ends_with_the_other_side_and_at_each_bound() {
        block_on(async {
            let (client, server) = answered().await;
            drop(client);
            let long = Bounds { pause: Duration::from_mins(1), time: Duration::from_mins(1), ..BRIEF };
            lingering_close(server, long).await;

            let (_silent, server) = answered().await;
            lingering_close(server, Bounds { time: Duration::from_mins(1), ..BRIEF }).await;

            let (mut dripping, server) = answered().await;
            let began = Instant::now();
            let drip = async {
                while dripping.write_all(b"x").await.is_ok() {
                    Timer::after(Duration::from_millis(20)).await;
                }
            };
            future::zip(lingering_close(server, BRIEF), drip).await;
            assert!(began.elapsed() >= BRIEF.time);

            let (mut flooding, server) = answered().await;
            let flood = async {
                let mut sent = 0_usize;
                while flooding.write_all(&[7; 1000]).await.is_ok() {
                    sent += 1000;
                }
                sent
            };
            let sent = future::zip(lingering_close(server, Bounds { ..long }), flood).await.1;
            assert!(sent >= 90_000, "{sent}");
        });
    }
}
