//! A connection for Game Packets, from the Client's end.

use super::error::Error;
use super::peer::{Endpoint, Peer, Service};
use super::socket::Socket;
use super::wanted::Wanted;
use mco_proto::Malformed;
use mco_proto::nps::{Form, Headers, Id, Incoming, Link, Message, Packet, id};
use mco_proto::session_key::SessionKey;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How many received packets are kept until they are asked for; beyond that the oldest is dropped.
const BACKLOG: usize = 64;

/// The answers that say no.
const REFUSALS: [Id; 9] = [
    id::USER_INVALID,
    id::DUP_USER,
    id::DUP_PERSONA,
    id::SERVER_FULL,
    id::INVALID_KEY,
    id::CHANNEL_DENIED,
    ACCOUNT_PROBLEM,
    BANNED,
    id::FORCE_LOGOFF,
];
/// The account is refused (*seen in use*).
const ACCOUNT_PROBLEM: Id = Id(0x0623);
/// The User is banned (*documented*).
const BANNED: Id = Id(0x0626);

/// A connection to Login, Persona, Mail, Lobby or a room.
#[derive(Debug)]
pub struct Nps {
    socket: Socket,
    link: Link,
    encrypting: bool,
    backlog: VecDeque<Incoming>,
}

impl Nps {
    /// Connects. No wait on this connection will last longer than `timeout`.
    pub async fn connect(service: Service, at: &Endpoint, timeout: Duration) -> Result<Self, Error> {
        let socket = Socket::connect(Peer::new(service, at.clone()), timeout).await?;
        let headers = match service {
            Service::Login | Service::Persona => Headers::Either,
            _ => Headers::Short,
        };
        let link = Link::new(headers, Link::LARGEST);
        Ok(Self { socket, link, encrypting: false, backlog: VecDeque::new() })
    }

    /// From here on everything is sent, and answers are expected, inside 0x1101.
    pub fn start_encryption(&mut self, key: &SessionKey) {
        self.link.start_encryption(key);
        self.encrypting = true;
    }

    /// The address of this end, if the system knows it.
    pub fn local(&self) -> Option<SocketAddr> {
        self.socket.local()
    }

    /// Sends raw bytes.
    pub async fn send_bytes(&self, bytes: &[u8]) -> Result<(), Error> {
        self.socket.write(bytes).await
    }

    /// Sends a packet, encrypted once encryption has started.
    pub async fn send_packet(&mut self, packet: &Packet) -> Result<(), Error> {
        let mut wire = Vec::new();
        self.link.write(packet, self.encrypting, &mut wire)?;
        self.socket.write(&wire).await
    }

    /// Sends a message, encrypted once encryption has started.
    pub async fn send(&mut self, message: &impl Message) -> Result<(), Error> {
        self.send_packet(&message.packet()).await
    }

    /// The next packet, whatever it is; `None` if none arrives within `timeout`.
    pub async fn next_within(&mut self, timeout: Duration) -> Result<Option<Incoming>, Error> {
        match self.backlog.pop_front() {
            Some(incoming) => Ok(Some(incoming)),
            None => self.receive(Instant::now() + timeout, Wanted::Game(Id(0))).await,
        }
    }

    /// The next packet from the wire; `None` at the deadline.
    async fn receive(&mut self, deadline: Instant, wanted: Wanted) -> Result<Option<Incoming>, Error> {
        loop {
            let peer = self.socket.peer();
            let broken =
                |why: &dyn std::fmt::Display| Error::Broken { peer: peer.clone(), why: why.to_string() };
            if let Some(incoming) = self.link.next().map_err(|why| broken(&why))? {
                return Ok(Some(incoming));
            }
            if !self.socket.read(deadline, wanted, |bytes| self.link.feed(bytes)).await? {
                return Ok(None);
            }
        }
    }

    /// The next packet with one of the numbers `ids`. Others stay for later; a refusal that is not in `ids` is an error.
    pub async fn wait(&mut self, ids: &[Id]) -> Result<Incoming, Error> {
        let waiting = self.backlog.iter().position(|incoming| ids.contains(&incoming.packet.id));
        if let Some(incoming) = waiting.and_then(|at| self.backlog.remove(at)) {
            return Ok(incoming);
        }
        let wanted = Wanted::Game(ids.first().copied().unwrap_or_default());
        let deadline = self.socket.deadline();
        let mut instead = None;
        loop {
            let Some(incoming) = self.receive(deadline, wanted).await? else {
                return Err(Error::Silence { peer: self.socket.peer().clone(), wanted, instead });
            };
            let id = incoming.packet.id;
            if ids.contains(&id) {
                return Ok(incoming);
            }
            if REFUSALS.contains(&id) {
                let peer = self.socket.peer().clone();
                return Err(Error::Refused { peer, answer: Wanted::Game(id), code: 0 });
            }
            instead = Some(Wanted::Game(id));
            if self.backlog.len() == BACKLOG {
                self.backlog.pop_front();
            }
            self.backlog.push_back(incoming);
        }
    }

    /// The next message of this kind; it must come encrypted exactly if encryption has started.
    pub async fn answer<A: Message>(&mut self) -> Result<A, Error> {
        let incoming = self.wait(&[A::ID]).await?;
        if incoming.encrypted != self.encrypting {
            let why = if incoming.encrypted { "it came encrypted" } else { "it came in clear" };
            return Err(self.contradiction(A::ID, "envelope", why));
        }
        self.read(&incoming.packet)
    }

    /// Sends a request and gives its answer.
    pub async fn ask<A: Message>(&mut self, request: &impl Message) -> Result<A, Error> {
        self.send(request).await?;
        self.answer().await
    }

    /// Reads a packet as the message it is meant to be.
    pub fn read<M: Message>(&self, packet: &Packet) -> Result<M, Error> {
        read(packet).map_err(|why| Error::Malformed {
            peer: self.socket.peer().clone(),
            message: Wanted::Game(M::ID),
            why,
        })
    }

    /// An answer that parses and can't be right.
    pub fn contradiction(&self, id: Id, field: &'static str, why: &str) -> Error {
        let (peer, message) = (self.socket.peer().clone(), Wanted::Game(id));
        Error::Contradiction { peer, message, field, why: why.to_owned() }
    }
}

/// Reads a packet as the Client does: where the message has a long header its body starts at 12, whatever the header
/// says about itself (*captured*: servers left its second length 0).
pub fn read<M: Message>(packet: &Packet) -> Result<M, Malformed> {
    let missed = M::FORM.size().saturating_sub(packet.form.size());
    match packet.body.get(missed..) {
        Some(body) if missed > 0 => Packet { id: packet.id, form: Form::LONG, body: body.to_vec() }.read(),
        _ => packet.read(),
    }
}
