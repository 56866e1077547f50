//! Words for a request whose head is too large.
//!
//! The HTTP engine refuses it by itself, with an answer that has no body, before there is a request that could be answered. What
//! makes heads large is nobody's fault: browsers send the cookies of every service that has the same name or address, whatever
//! its port. So the engine's answer is replaced on its way out.

use futures_lite::{AsyncRead, AsyncWrite};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// How the engine's answer begins.
const REFUSAL: &[u8] = b"HTTP/1.1 431 ";

const BODY: &str = "<!DOCTYPE html>\n<html><head><title>Too many cookies</title></head><body>\n\
    <h1>Your browser sends too much</h1>\n\
    <p>With every page it sends the cookies of all services that have this name or address, and they are more than this server \
    reads. Delete the cookies of this address in your browser, or open this page under another name of the server: its IP \
    address, or a name such as mcos.local.</p>\n</body></html>\n";

/// A connection on which an empty 431 becomes one with words.
pub(super) struct TooLarge<S> {
    stream: S,
    /// How much of the words is sent, once the refusal was seen.
    refused: Option<usize>,
    /// The engine has written something, so what follows is no beginning.
    begun: bool,
    answer: Vec<u8>,
}

impl<S> TooLarge<S> {
    /// The same connection with words.
    pub(super) const fn around(stream: S) -> Self {
        Self { stream, refused: None, begun: false, answer: Vec::new() }
    }
}

fn answer() -> Vec<u8> {
    let length = BODY.len();
    format!(
        "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n{BODY}"
    )
    .into_bytes()
}

impl<S: AsyncRead + Unpin> AsyncRead for TooLarge<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_read(context, bytes)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TooLarge<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if !this.begun && bytes.starts_with(REFUSAL) {
            this.refused = Some(0);
            this.answer = answer();
        }
        this.begun = true;
        let Some(sent) = &mut this.refused else {
            return Pin::new(&mut this.stream).poll_write(context, bytes);
        };
        while let Some(rest) = this.answer.get(*sent..).filter(|rest| !rest.is_empty()) {
            let written = ready!(Pin::new(&mut this.stream).poll_write(context, rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            *sent += written;
        }
        // What the engine wrote is not sent at all.
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(context)
    }
}
