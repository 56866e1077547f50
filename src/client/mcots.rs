//! A connection for Transaction Packets, from the Client's end.

use super::error::Error;
use super::peer::{Endpoint, Peer, Service};
use super::socket::Socket;
use super::wanted::Wanted;
use mco_proto::Wire;
use mco_proto::mcots::{Body, Flags, Incoming, Link, Message, Number, Outgoing, number};
use mco_proto::session_key::SessionKey;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many received packets are kept until they are asked for; beyond that the oldest is dropped.
const BACKLOG: usize = 64;

/// A connection to MCOTS.
#[derive(Debug)]
pub struct Mcots {
    socket: Socket,
    link: Link,
    encrypting: bool,
    /// Packets sent and packets received: together with 1 the number of the next packet, as the recorded Client counts.
    passed: u32,
    backlog: VecDeque<Incoming>,
}

impl Mcots {
    /// Connects. No wait on this connection will last longer than `timeout`.
    pub async fn connect(at: &Endpoint, timeout: Duration) -> Result<Self, Error> {
        let socket = Socket::connect(Peer::new(Service::Mcots, at.clone()), timeout).await?;
        Ok(Self { socket, link: Link::new(), encrypting: false, passed: 0, backlog: VecDeque::new() })
    }

    /// From here on everything is sent, and answers are expected, through the cipher.
    pub fn start_encryption(&mut self, key: &SessionKey) {
        self.link.start_encryption(key);
        self.encrypting = true;
    }

    /// Sends bytes as they are; they don't count as a packet.
    pub async fn send_bytes(&self, bytes: &[u8]) -> Result<(), Error> {
        self.socket.write(bytes).await
    }

    /// Sends a body, encrypted once encryption has started; gives the sequence number it went out with.
    pub async fn send_body(&mut self, body: Body) -> Result<u32, Error> {
        let encrypted = self.encrypting;
        self.send_as(body, encrypted).await
    }

    /// Sends a body, encrypted or in clear whatever the connection's state is.
    pub async fn send_as(&mut self, body: Body, encrypted: bool) -> Result<u32, Error> {
        let sequence = self.passed.wrapping_add(1);
        let mut wire = Vec::new();
        self.link.write(&Outgoing { sequence, encrypted, body }, &mut wire)?;
        self.socket.write(&wire).await?;
        self.passed = sequence;
        Ok(sequence)
    }

    /// Sends a message; gives the sequence number it went out with.
    pub async fn send(&mut self, message: &impl Message) -> Result<u32, Error> {
        self.send_body(message.body()).await
    }

    /// The next packet, whatever it is; `None` if none arrives within `timeout`.
    pub async fn next_within(&mut self, timeout: Duration) -> Result<Option<Incoming>, Error> {
        match self.backlog.pop_front() {
            Some(incoming) => Ok(Some(incoming)),
            None => self.receive(Instant::now() + timeout, Wanted::Transaction(Number(0))).await,
        }
    }

    /// The next packet from the wire; `None` at the deadline.
    async fn receive(&mut self, deadline: Instant, wanted: Wanted) -> Result<Option<Incoming>, Error> {
        loop {
            let peer = self.socket.peer();
            let broken =
                |why: &dyn std::fmt::Display| Error::Broken { peer: peer.clone(), why: why.to_string() };
            if let Some(incoming) = self.link.next().map_err(|why| broken(&why))? {
                self.passed = self.passed.wrapping_add(1);
                return Ok(Some(incoming));
            }
            if !self.socket.read(deadline, wanted, |bytes| self.link.feed(bytes)).await? {
                return Ok(None);
            }
        }
    }

    /// The packet that answers request `sequence` with one of the message numbers `numbers`. Others stay for later; the
    /// refusal of this request is an error unless its number is in `numbers`.
    pub async fn wait(&mut self, sequence: u32, numbers: &[Number]) -> Result<Incoming, Error> {
        let fits = |incoming: &Incoming| {
            incoming.sequence == sequence
                && incoming.body.number().is_some_and(|number| numbers.contains(&number))
        };
        if let Some(incoming) = self.backlog.iter().position(fits).and_then(|at| self.backlog.remove(at)) {
            return Ok(incoming);
        }
        let wanted = Wanted::Transaction(numbers.first().copied().unwrap_or_default());
        let deadline = self.socket.deadline();
        let mut instead = None;
        loop {
            let Some(incoming) = self.receive(deadline, wanted).await? else {
                return Err(Error::Silence { peer: self.socket.peer().clone(), wanted, instead });
            };
            if fits(&incoming) {
                return Ok(incoming);
            }
            let found = incoming.body.number().unwrap_or_default();
            if found == number::FAILED && incoming.sequence == sequence {
                let code =
                    incoming.body.0.get(4..8).and_then(<[u8]>::first_chunk).copied().map(u32::from_le_bytes);
                return Err(Error::Refused {
                    peer: self.socket.peer().clone(),
                    answer: Wanted::Transaction(found),
                    code: code.unwrap_or_default(),
                });
            }
            if numbers.contains(&found) {
                let why = format!("it is {}, the request's was {sequence}", incoming.sequence);
                return Err(self.contradiction(found, "sequence", &why));
            }
            instead = Some(Wanted::Transaction(found));
            if self.backlog.len() == BACKLOG {
                self.backlog.pop_front();
            }
            self.backlog.push_back(incoming);
        }
    }

    /// The answer to request `sequence`; it must come encrypted exactly if encryption has started.
    pub async fn answer<A: Message>(&mut self, sequence: u32) -> Result<A, Error> {
        let incoming = self.wait(sequence, &[A::NUMBER]).await?;
        self.check_encryption(A::NUMBER, incoming.flags.has(Flags::ENCRYPTED))?;
        self.read_as(&incoming.body, A::NUMBER)
    }

    /// Whether a packet travelled as it should: through the cipher once encryption has started.
    pub(super) fn check_encryption(&self, number: Number, encrypted: bool) -> Result<(), Error> {
        if encrypted == self.encrypting {
            return Ok(());
        }
        let why = if encrypted { "it came encrypted" } else { "it came in clear" };
        Err(self.contradiction(number, "flags", why))
    }

    /// Sends a request and gives its answer.
    pub async fn ask<A: Message>(&mut self, request: &impl Message) -> Result<A, Error> {
        let sequence = self.send(request).await?;
        self.answer(sequence).await
    }

    /// Reads a body as the record that `number` stands for.
    pub(super) fn read_as<M: Wire>(&self, body: &Body, number: Number) -> Result<M, Error> {
        body.record().map_err(|why| Error::Malformed {
            peer: self.socket.peer().clone(),
            message: Wanted::Transaction(number),
            why,
        })
    }

    pub(super) fn silence(&self, number: Number) -> Error {
        let (peer, wanted) = (self.socket.peer().clone(), Wanted::Transaction(number));
        Error::Silence { peer, wanted, instead: None }
    }

    /// An answer that parses and can't be right.
    pub fn contradiction(&self, number: Number, field: &'static str, why: &str) -> Error {
        let (peer, message) = (self.socket.peer().clone(), Wanted::Transaction(number));
        Error::Contradiction { peer, message, field, why: why.to_owned() }
    }
}
