//! As much HTTP as the Client's three requests need: one GET per connection, an answer of bounded size.

use super::error::Error;
use super::peer::{Endpoint, Peer, Service};
use super::socket::Socket;
use super::wanted::Wanted;
use mco_proto::windows_1252;
use std::time::Duration;

/// The largest answer taken in, in bytes. A shard list has a few hundred.
const LARGEST: usize = 256 * 1024;

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Everything after the headers.
    pub body: Vec<u8>,
}

impl Response {
    /// The body as text, Windows-1252 as the Client reads it.
    pub fn text(&self) -> String {
        windows_1252::decode(&self.body)
    }
}

/// Asks for `page` with `query` (encoded already; empty: none). Errors name the page only: a query may hold a password.
pub(super) async fn get(
    endpoint: &Endpoint,
    page: &'static str,
    query: &str,
    timeout: Duration,
) -> Result<Response, Error> {
    let peer = Peer::new(Service::Web, endpoint.clone());
    let socket = Socket::connect(peer.clone(), timeout).await?;
    let mark = if query.is_empty() { "" } else { "?" };
    let request = format!(
        "GET {page}{mark}{query} HTTP/1.1\r\nHost: {endpoint}\r\nUser-Agent: mcos-probe\r\nConnection: close\r\n\r\n"
    );
    socket.write(request.as_bytes()).await?;
    let deadline = socket.deadline();
    let mut bytes = Vec::new();
    loop {
        let wrong = |why: &str| Error::Web { peer: peer.clone(), page, why: why.to_owned() };
        match socket.read(deadline, Wanted::Http, |read| bytes.extend_from_slice(read)).await {
            Ok(true) if bytes.len() > LARGEST => return Err(wrong("the answer is far too long")),
            Ok(true) => {
                if let Some(response) = parse(&bytes, false).map_err(wrong)? {
                    return Ok(response);
                }
            }
            Ok(false) => return Err(Error::Silence { peer, wanted: Wanted::Http, instead: None }),
            Err(Error::Closed { .. }) if !bytes.is_empty() => {
                return parse(&bytes, true)
                    .map_err(wrong)?
                    .ok_or_else(|| wrong("the answer ends in the middle"));
            }
            Err(error) => return Err(error),
        }
    }
}

/// The answer in `bytes`; `None` while it is not complete. Without a Content-Length it ends with the connection.
///
/// # Errors
/// It is not an answer that the Client reads; why.
fn parse(bytes: &[u8], at_end: bool) -> Result<Option<Response>, &'static str> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return if bytes.starts_with(b"HTTP/1.") || b"HTTP/1.".starts_with(bytes) {
            Ok(None)
        } else {
            Err("what answers here is no web server")
        };
    };
    let head = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1."))
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|digits| digits.parse().ok())
        .ok_or("what answers here is no web server")?;
    let mut length = None;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.trim().parse::<usize>().map_err(|_| "Content-Length is no number")?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err("the answer is chunked, which the Client was never seen to read");
        }
    }
    let body = bytes.get(end + 4..).unwrap_or_default();
    Ok(match length {
        Some(length) => body.get(..length).map(|body| Response { status, body: body.to_vec() }),
        None if at_end => Some(Response { status, body: body.to_vec() }),
        None => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_with_a_length_ends_with_it() {
        let wire = b"HTTP/1.1 200 OK\r\ncontent-LENGTH: 4\r\n\r\nfour and more";
        let response = parse(wire, false).unwrap().unwrap();
        assert_eq!((response.status, response.text().as_str()), (200, "four"));
        assert_eq!(parse(&wire[..wire.len() - 11], false), Ok(None));
    }

    #[test]
    fn an_answer_without_a_length_ends_with_the_connection_as_recorded() {
        let wire = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nValid=TRUE\nTicket=1";
        assert_eq!(parse(wire, false), Ok(None));
        assert_eq!(parse(wire, true).unwrap().unwrap().text(), "Valid=TRUE\nTicket=1");
    }

    #[test]
    fn another_program_on_the_port_is_recognised_at_once() {
        assert!(parse(b"SSH-2.0-OpenSSH_9.6\r\n", false).unwrap_err().contains("no web server"));
        assert_eq!(parse(b"HTT", false), Ok(None));
    }
}
