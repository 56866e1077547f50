//! The bodies of requests: read within bounds of size and time.

use super::deadline::Deadline;
use futures_lite::FutureExt as _;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes};
use smol::Timer;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a browser may pause while it sends.
const PAUSE: Duration = Duration::from_secs(30);

/// Why a body was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyError {
    /// It is longer than allowed.
    TooLong,
    /// It broke off, or is not what HTTP calls a body.
    Incomplete,
    /// The browser paused for too long, or the deadline of the connection has passed.
    TooSlow,
}

/// Reads the body of one request.
pub(super) struct BodyReader<'a, B> {
    body: B,
    deadline: &'a Deadline,
}

impl<'a, B: Body<Data = Bytes> + Unpin> BodyReader<'a, B> {
    /// Reads `body` while `deadline` has not passed.
    pub(super) const fn new(body: B, deadline: &'a Deadline) -> Self {
        Self { body, deadline }
    }

    /// How many bytes are still to come, if the browser has said that.
    pub(super) fn length(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// The next bytes; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        let Self { body, deadline } = self;
        let read = async {
            loop {
                match body.frame().await {
                    None => return Ok(None),
                    Some(Err(_)) => return Err(BodyError::Incomplete),
                    // What is not data is the lines behind a chunked body.
                    Some(Ok(frame)) => {
                        if let Ok(data) = frame.into_data() {
                            return Ok(Some(data));
                        }
                    }
                }
            }
        };
        let too_slow = async {
            let paused = async {
                Timer::after(PAUSE).await;
            };
            paused.or(deadline.passed()).await;
            Err(BodyError::TooSlow)
        };
        read.or(too_slow).await
    }

    /// Everything, up to `limit` bytes. It may hold passwords: it is wiped when dropped, and no copy of it is left behind.
    pub(super) async fn read_to_end(mut self, limit: usize) -> Result<Zeroizing<Vec<u8>>, BodyError> {
        let expected = usize::try_from(self.body.size_hint().lower()).unwrap_or(usize::MAX);
        if expected > limit {
            return Err(BodyError::TooLong);
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(expected));
        while let Some(piece) = self.next().await? {
            if bytes.len() + piece.len() > limit {
                return Err(BodyError::TooLong);
            }
            append(&mut bytes, &piece);
        }
        Ok(bytes)
    }

    /// Reads up to `limit` bytes and throws them away.
    pub(super) async fn discard(&mut self, limit: u64) -> Result<(), BodyError> {
        let mut left = limit;
        if self.body.size_hint().lower() > left {
            return Err(BodyError::TooLong);
        }
        while let Some(piece) = self.next().await? {
            left = left.checked_sub(piece.len() as u64).ok_or(BodyError::TooLong)?;
        }
        Ok(())
    }
}

/// Adds a piece. A vector that grows by itself leaves a copy of what it held in memory; here the old one is wiped.
fn append(bytes: &mut Zeroizing<Vec<u8>>, piece: &[u8]) {
    let needed = bytes.len() + piece.len();
    if needed > bytes.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(2 * bytes.capacity())));
        larger.extend_from_slice(bytes);
        *bytes = larger;
    }
    bytes.extend_from_slice(piece);
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::body::{Frame, SizeHint};
    use smol::block_on;
    use std::collections::VecDeque;
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    /// What a browser sends.
    #[derive(Clone)]
    enum Sent {
        Piece(&'static [u8]),
        Failure,
        /// It pauses for ever.
        Pause,
    }

    struct Browser {
        length: Option<u64>,
        sent: VecDeque<Sent>,
    }

    impl Body for Browser {
        type Data = Bytes;
        type Error = io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
            match self.sent.pop_front() {
                None => Poll::Ready(None),
                Some(Sent::Piece(piece)) => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(piece))))),
                Some(Sent::Failure) => Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
                Some(Sent::Pause) => {
                    self.sent.push_front(Sent::Pause);
                    Poll::Pending
                }
            }
        }

        fn size_hint(&self) -> SizeHint {
            self.length.map_or_else(SizeHint::new, SizeHint::with_exact)
        }
    }

    fn sent(length: Option<u64>, sent: &[Sent]) -> Browser {
        Browser { length, sent: sent.iter().cloned().collect() }
    }

    fn deadline() -> Deadline {
        Deadline::after(Duration::from_mins(1))
    }

    fn read(browser: Browser, limit: usize) -> Result<Vec<u8>, BodyError> {
        let deadline = deadline();
        block_on(BodyReader::new(browser, &deadline).read_to_end(limit)).map(|bytes| bytes.to_vec())
    }

    #[test]
    fn a_body_is_read_up_to_its_limit_whether_its_length_is_announced_or_not() {
        use Sent::Piece;
        for length in [Some(6), None] {
            let browser = || sent(length, &[Piece(b"abc"), Piece(b""), Piece(b"def")]);
            assert_eq!(read(browser(), 6), Ok(b"abcdef".to_vec()));
            assert_eq!(read(browser(), 5), Err(BodyError::TooLong));
        }
        assert_eq!(read(sent(Some(7), &[Sent::Pause]), 6), Err(BodyError::TooLong), "nothing is read of it");
        assert_eq!(read(sent(None, &[Piece(b"abc"), Sent::Failure]), 6), Err(BodyError::Incomplete));
    }

    #[test]
    fn a_body_is_waited_for_until_the_deadline() {
        let deadline = Deadline::after(Duration::from_millis(20));
        let mut reader = BodyReader::new(sent(None, &[Sent::Piece(b"abc"), Sent::Pause]), &deadline);
        assert_eq!(block_on(reader.next()), Ok(Some(Bytes::from_static(b"abc"))));
        assert_eq!(block_on(reader.next()), Err(BodyError::TooSlow));
    }

    #[test]
    fn what_nobody_wants_is_read_up_to_a_limit_too() {
        let deadline = deadline();
        for (limit, outcome) in [(6, Ok(())), (5, Err(BodyError::TooLong))] {
            let browser = sent(None, &[Sent::Piece(b"abc"), Sent::Piece(b"def")]);
            assert_eq!(block_on(BodyReader::new(browser, &deadline).discard(limit)), outcome);
        }
    }

    #[test]
    fn a_buffer_that_grows_keeps_what_it_has() {
        let mut bytes = Zeroizing::new(Vec::new());
        let mut expected = Vec::new();
        for number in 0..200_u8 {
            append(&mut bytes, &[number; 5]);
            expected.extend_from_slice(&[number; 5]);
        }
        assert_eq!(*bytes, expected);
    }
}
