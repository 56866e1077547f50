//! The server side of an SSL 3.0 or TLS 1.0 connection as a state machine without I/O: bytes from the socket go in, bytes for
//! the socket and application data come out.
//!
//! ```text
//! ClientHello ->
//!                   <- ServerHello, Certificate, ServerHelloDone (a record each)
//! ClientKeyExchange,
//! ChangeCipherSpec, Finished ->
//!                   <- ChangeCipherSpec, Finished
//! data        <->   data
//! ```

mod failure;

pub use failure::Failure;

use super::hello::{self, Progress, Route};
use super::keys::{Keys, MasterSecret, RANDOM, SECRET, Side, Transcript};
use super::queue::Queue;
use super::record::{self, Header, Kind, Opener, Sealer};
use super::server_key::ServerKey;
use super::{Alert, Suite, Version};
use rand::RngCore as _;
use rand::rngs::OsRng;
use std::fmt;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
const SERVER_HELLO_DONE: u8 = 14;
const CLIENT_KEY_EXCHANGE: u8 = 16;
const FINISHED: u8 = 20;

/// The longest handshake message after the hello, in bytes. An RSA key of 8192 bits needs half of it.
const LONGEST_MESSAGE: usize = 2048;
/// How many records without content, alerts, or attempts to begin anew may follow each other. Some clients send an empty record before each other one.
const IDLE_RECORDS: u32 = 32;

/// The certificates of a server and their private key. One can serve any number of connections.
#[derive(Debug)]
pub struct Identity {
    /// The certificate chain, each in DER form, the server's own first. It is sent as it is and not checked.
    pub chain: Vec<Vec<u8>>,
    /// The private key of the first certificate.
    pub key: ServerKey,
}

/// The random bytes that one handshake needs. Each connection needs its own; zeroed when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Entropy {
    /// The random value of the ServerHello.
    pub random: [u8; RANDOM],
    /// Used in place of a premaster secret that cannot be decrypted.
    pub substitute: [u8; SECRET],
}

impl Entropy {
    /// Takes the bytes from the operating system's random source.
    pub fn fresh() -> Self {
        let mut entropy = Self { random: [0; RANDOM], substitute: [0; SECRET] };
        OsRng.fill_bytes(&mut entropy.random);
        OsRng.fill_bytes(&mut entropy.substitute);
        entropy
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy")
    }
}

/// What both sides have agreed on so far in a handshake.
struct Agreed {
    suite: Suite,
    /// The versions with which the premaster secret may begin.
    versions: [u16; 2],
    client_random: [u8; RANDOM],
    transcript: Transcript,
}

/// The message that is expected next.
enum State {
    Hello,
    KeyExchange(Box<Agreed>),
    ChangeCipherSpec {
        agreed: Box<Agreed>,
        master: MasterSecret,
        client: Keys,
        server: Keys,
    },
    Finished {
        agreed: Box<Agreed>,
        master: MasterSecret,
        server: Keys,
    },
    Data,
    /// The client has sent `close_notify`.
    Closed,
    Failed(Failure),
}

/// The server side of a connection.
///
/// Call [`feed`](Self::feed) with what came from the socket, write [`outbound`](Self::outbound) to the socket and report with
/// [`sent`](Self::sent) how much of it was written, even after an error. Once [`is_open`](Self::is_open), the request is in
/// [`data`](Self::data), is taken with [`read`](Self::read) and answered with [`send`](Self::send).
///
/// An idle connection holds no buffers. A connection keeps at most one incomplete record (18,437 bytes), one incomplete handshake
/// message (16 KiB) and what was not taken from `data` and `outbound`. Time-outs are the caller's business.
pub struct LegacyServer {
    identity: Arc<Identity>,
    entropy: Entropy,
    version: Version,
    state: State,
    opener: Option<Opener>,
    sealer: Option<Sealer>,
    /// The beginning of a record that is not complete.
    inbound: Vec<u8>,
    /// The beginning of a handshake message that is not complete.
    message: Vec<u8>,
    outbound: Queue,
    data: Queue,
    idle_records: u32,
    said_goodbye: bool,
}

impl fmt::Debug for LegacyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LegacyServer").field("version", &self.version).finish_non_exhaustive()
    }
}

impl LegacyServer {
    /// A connection from which no byte was read yet. `entropy` must be used for one connection only.
    pub fn new(identity: Arc<Identity>, entropy: Entropy) -> Self {
        Self {
            identity,
            entropy,
            version: Version::Tls10,
            state: State::Hello,
            opener: None,
            sealer: None,
            inbound: Vec::new(),
            message: Vec::new(),
            outbound: Queue::default(),
            data: Queue::default(),
            idle_records: 0,
            said_goodbye: false,
        }
    }

    /// Processes what came from the socket. How the stream is cut into calls does not matter. An incomplete record is kept; whoever
    /// empties [`Self::data`] and [`Self::outbound`] after each call has memory use bounded by the size of `bytes`.
    ///
    /// The call that completes the ClientKeyExchange decrypts it with RSA: milliseconds on a small board.
    ///
    /// # Errors
    /// [`Failure`] if the connection failed, now or before. [`Self::outbound`] may hold an alert for the client; nothing more
    /// is processed.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.take(bytes, false)
    }

    /// As [`Self::feed`], but never slow: where the ClientKeyExchange comes next it is left, with all behind it, for a call of that.
    ///
    /// # Errors
    /// Those of [`Self::feed`].
    pub fn feed_before_key_exchange(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.take(bytes, true)
    }

    /// Whether the ClientKeyExchange comes next.
    pub const fn awaits_key_exchange(&self) -> bool {
        matches!(self.state, State::KeyExchange(_))
    }

    /// Whether something was received that is not processed: a record that is not complete, or what a call of
    /// [`Self::feed_before_key_exchange`] has left.
    pub const fn has_unprocessed(&self) -> bool {
        !self.inbound.is_empty()
    }

    fn take(&mut self, bytes: &[u8], before_key_exchange: bool) -> Result<(), Failure> {
        if let State::Failed(failure) = self.state {
            return Err(failure);
        }
        let mut inbound = std::mem::take(&mut self.inbound);
        inbound.extend_from_slice(bytes);
        let mut taken = 0;
        let outcome = loop {
            if before_key_exchange && self.awaits_key_exchange() {
                break Ok(());
            }
            match self.take_one(inbound.get_mut(taken..).unwrap_or_default()) {
                Ok(0) => break Ok(()),
                Ok(count) => taken += count,
                Err(failure) => break Err(failure),
            }
        };
        match outcome {
            Ok(()) => {
                inbound.drain(..taken);
                if !inbound.is_empty() {
                    self.inbound = inbound;
                }
            }
            Err(failure) => self.fail(failure),
        }
        outcome
    }

    /// The bytes to write to the socket.
    pub fn outbound(&self) -> &[u8] {
        self.outbound.waiting()
    }

    /// Removes the first `count` bytes of [`Self::outbound`], which were written to the socket.
    pub fn sent(&mut self, count: usize) {
        self.outbound.advance(count);
    }

    /// The application data received from the client.
    pub fn data(&self) -> &[u8] {
        self.data.waiting()
    }

    /// Removes the first `count` bytes of [`Self::data`], which the caller has taken.
    pub fn read(&mut self, count: usize) {
        self.data.advance(count);
    }

    /// Whether the handshake is complete, so that [`Self::send`] works.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Data | State::Closed) && self.sealer.is_some()
    }

    /// Whether nothing more will come from the client: it sent `close_notify`, or the connection failed.
    pub fn is_finished(&self) -> bool {
        matches!(self.state, State::Closed | State::Failed(_))
    }

    /// The version agreed on. Meaningless before [`Self::is_open`].
    pub fn version(&self) -> Version {
        self.version
    }

    /// Encrypts `data` into [`Self::outbound`]. Before [`Self::is_open`] and after [`Self::close`] it is dropped.
    pub fn send(&mut self, data: &[u8]) {
        if let Some(sealer) = self.sealer.as_mut().filter(|_| !self.said_goodbye && !data.is_empty()) {
            sealer.seal(Kind::Data, data, self.outbound.end());
        }
    }

    /// Sends `close_notify`, once: nothing more will be sent.
    pub fn close(&mut self) {
        if !self.said_goodbye {
            self.said_goodbye = true;
            self.send_record(Kind::Alert, &Alert::CloseNotify.bytes(self.version));
        }
    }

    fn fail(&mut self, failure: Failure) {
        if let Some(alert) = failure.alert()
            && !self.said_goodbye
        {
            self.send_record(Kind::Alert, &alert.bytes(self.version));
        }
        self.said_goodbye = true;
        self.state = State::Failed(failure);
    }

    fn send_record(&mut self, kind: Kind, content: &[u8]) {
        match &mut self.sealer {
            Some(sealer) => sealer.seal(kind, content, self.outbound.end()),
            None => record::write_plain(kind, self.version, content, self.outbound.end()),
        }
    }

    /// Takes one record, or the hello, off the front of `bytes` and returns its length; 0 if it is not complete.
    fn take_one(&mut self, bytes: &mut [u8]) -> Result<usize, Failure> {
        if matches!(self.state, State::Hello) {
            return self.take_hello(bytes);
        }
        if matches!(self.state, State::Closed) {
            return Ok(bytes.len());
        }
        let Some(header) = Header::read(bytes)? else { return Ok(0) };
        if header.version != self.version.code() {
            return Err(Failure::Version(header.version));
        }
        let whole = record::HEADER + header.length;
        let Some(body) = bytes.get_mut(record::HEADER..whole) else { return Ok(0) };
        let content = match &mut self.opener {
            Some(opener) => opener.open(header.kind, body)?,
            None => body,
        };
        if content.len() > record::LONGEST_PLAIN {
            return Err(Failure::Overflow);
        }
        self.take_content(header.kind, content)?;
        Ok(whole)
    }

    fn take_content(&mut self, kind: Kind, content: &[u8]) -> Result<(), Failure> {
        // After the handshake, its messages bring nothing on either.
        let late = kind == Kind::Handshake && matches!(self.state, State::Data);
        if kind == Kind::Alert || content.is_empty() || late {
            self.count_idle()?;
        } else {
            self.idle_records = 0;
        }
        match kind {
            Kind::Alert => self.take_alert(content),
            Kind::ChangeCipherSpec => self.take_change_cipher_spec(content),
            Kind::Handshake => self.take_handshake(content),
            Kind::Data if matches!(self.state, State::Data) => {
                self.data.end().extend_from_slice(content);
                Ok(())
            }
            Kind::Data => Err(Failure::OutOfOrder),
        }
    }

    fn count_idle(&mut self) -> Result<(), Failure> {
        self.idle_records += 1;
        if self.idle_records > IDLE_RECORDS { Err(Failure::Idle) } else { Ok(()) }
    }

    fn take_alert(&mut self, content: &[u8]) -> Result<(), Failure> {
        const WARNING: u8 = 1;
        const CLOSE_NOTIFY: u8 = 0;
        match *content {
            [WARNING, CLOSE_NOTIFY] => {
                self.state = State::Closed;
                Ok(())
            }
            [WARNING, _] => Ok(()),
            [_, description] => Err(Failure::Alert(description)),
            _ => Err(Failure::Malformed),
        }
    }

    fn take_hello(&mut self, bytes: &[u8]) -> Result<usize, Failure> {
        let found = match hello::read(bytes).map_err(Failure::Hello)? {
            Progress::More(_) => return Ok(0),
            Progress::Done(found) => found,
        };
        let hello = found.hello;
        if let Some(version) = hello.legacy_version() {
            self.version = version;
        }
        // Whether a newer protocol would be better was decided before, by `hello::route`.
        let suite = match hello.legacy_route() {
            Route::Legacy(_, suite) => suite,
            Route::Refuse(refusal) => return Err(Failure::Refused(refusal)),
            Route::Modern | Route::PlainHttp => return Err(Failure::OutOfOrder),
        };
        let mut agreed = Box::new(Agreed {
            suite,
            versions: [hello.offered, self.version.code()],
            client_random: hello.random,
            transcript: Transcript::default(),
        });
        agreed.transcript.add(&found.transcript);
        let identity = Arc::clone(&self.identity);
        let server_hello = self.server_hello(suite, hello.renegotiation_info);
        for (kind, body) in [
            (SERVER_HELLO, server_hello),
            (CERTIFICATE, certificate(&identity.chain)),
            (SERVER_HELLO_DONE, Vec::new()),
        ] {
            let message = message(kind, &body);
            agreed.transcript.add(&message);
            self.send_record(Kind::Handshake, &message);
        }
        self.state = State::KeyExchange(agreed);
        Ok(found.consumed)
    }

    /// `u16 version, u8[32] random, u8+session id, u16 suite, u8 compression, [u16+extensions]`. The session id is empty:
    /// sessions are not resumed. The random value does not carry TLS 1.3's downgrade mark: a client that offers TLS 1.2 and ends here
    /// has no better suite in common with the server, and would refuse to go on.
    fn server_hello(&self, suite: Suite, renegotiation_info: bool) -> Vec<u8> {
        let mut body = self.version.code().to_be_bytes().to_vec();
        body.extend_from_slice(&self.entropy.random);
        body.push(0);
        body.extend_from_slice(&suite.code().to_be_bytes());
        body.push(0);
        if renegotiation_info {
            body.extend_from_slice(&[0, 5, 0xff, 1, 0, 1, 0]);
        }
        body
    }

    fn take_handshake(&mut self, content: &[u8]) -> Result<(), Failure> {
        self.message.extend_from_slice(content);
        while let Some((kind, length)) = handshake_header(&self.message) {
            if length > LONGEST_MESSAGE && !(kind == CLIENT_HELLO && length <= hello::LONGEST) {
                return Err(Failure::Malformed);
            }
            let whole = 4 + length;
            if self.message.len() < whole {
                return Ok(());
            }
            let rest = self.message.split_off(whole);
            let message = std::mem::replace(&mut self.message, rest);
            self.take_message(kind, &message)?;
        }
        Ok(())
    }

    fn take_message(&mut self, kind: u8, message: &[u8]) -> Result<(), Failure> {
        let body = message.get(4..).unwrap_or_default();
        match (std::mem::replace(&mut self.state, State::Failed(Failure::OutOfOrder)), kind) {
            (State::KeyExchange(mut agreed), CLIENT_KEY_EXCHANGE) => {
                let secret = self.identity.key.open(body, agreed.versions, &self.entropy.substitute);
                let (version, suite) = (self.version, agreed.suite);
                let randoms = (&agreed.client_random, &self.entropy.random);
                let master = MasterSecret::derive(version, &secret, randoms.0, randoms.1);
                let (client, server) = master.keys(version, suite, randoms.0, randoms.1);
                agreed.transcript.add(message);
                self.state = State::ChangeCipherSpec { agreed, master, client, server };
                Ok(())
            }
            (State::Finished { mut agreed, master, server }, FINISHED) => {
                let expected = agreed.transcript.finished(self.version, &master, Side::Client);
                if !bool::from(expected.ct_eq(body)) {
                    return Err(Failure::Finished);
                }
                agreed.transcript.add(message);
                let ours = agreed.transcript.finished(self.version, &master, Side::Server);
                self.send_record(Kind::ChangeCipherSpec, &[1]);
                self.sealer = Some(Sealer::new(self.version, agreed.suite, server));
                self.send_record(Kind::Handshake, &self::message(FINISHED, &ours));
                self.state = State::Data;
                Ok(())
            }
            (State::Data, CLIENT_HELLO) => match self.version {
                Version::Ssl30 => Err(Failure::Renegotiation),
                Version::Tls10 => {
                    // A record may hold thousands of them, and each is answered.
                    self.count_idle()?;
                    self.state = State::Data;
                    self.send_record(Kind::Alert, &Alert::NoRenegotiation.bytes(self.version));
                    Ok(())
                }
            },
            _ => Err(Failure::OutOfOrder),
        }
    }

    fn take_change_cipher_spec(&mut self, content: &[u8]) -> Result<(), Failure> {
        match std::mem::replace(&mut self.state, State::Failed(Failure::OutOfOrder)) {
            // The keys must not change in the middle of a message.
            State::ChangeCipherSpec { agreed, master, client, server }
                if content == [1] && self.message.is_empty() =>
            {
                self.opener = Some(Opener::new(self.version, agreed.suite, client));
                self.state = State::Finished { agreed, master, server };
                Ok(())
            }
            _ => Err(Failure::OutOfOrder),
        }
    }
}

/// Type and length of the handshake message at the beginning of `bytes`, if its header is complete.
fn handshake_header(bytes: &[u8]) -> Option<(u8, usize)> {
    let &[kind, high, middle, low] = bytes.first_chunk()?;
    Some((kind, usize::from(high) * 0x1_0000 + usize::from(middle) * 0x100 + usize::from(low)))
}

/// A handshake message: `u8 kind, u24 length, body`.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind];
    message.extend_from_slice(&u24(body.len()));
    message.extend_from_slice(body);
    message
}

/// `u24+certificates`, each `u24+DER`.
fn certificate(chain: &[Vec<u8>]) -> Vec<u8> {
    let mut body = u24(chain.iter().map(|certificate| 3 + certificate.len()).sum()).to_vec();
    for certificate in chain {
        body.extend_from_slice(&u24(certificate.len()));
        body.extend_from_slice(certificate);
    }
    body
}

fn u24(number: usize) -> [u8; 3] {
    let [_, high, middle, low] = u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes();
    [high, middle, low]
}
