//! The sans-IO half of a connection: which service talks, through which framing and cipher.

use super::bind::Service;
use super::observer::Observers;
use super::outbox::Outbound;
use crate::clock::Now;
use crate::config;
use crate::services::{Encryption, Game, Outcome, Push, lobby, login, mail, mcots as transactions, persona};
use crate::store::Ticket;
use crate::world::{ConnectionId, NpsServer};
use mco_proto::EncodeError;
use mco_proto::mcots::{self, Body, Outgoing};
use mco_proto::nps::{self, Packet};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Requests on the ports before the lobby are small: the largest, a new persona, has about 1,400 bytes.
const SMALL: usize = 4096;

/// One connection's dialogue with its service.
pub(super) enum Conversation {
    Nps(nps::Link, NpsService),
    Mcots(mcots::Link, transactions::ConnectionState),
}

/// Which NPS service a connection has reached.
pub(super) enum NpsService {
    Login(IpAddr),
    Persona(IpAddr),
    Mail(IpAddr),
    Lobby(lobby::ConnectionState),
}

/// What became of one message. The bytes for the sender have been written already.
pub(super) struct Step {
    /// An answer that could not be written, and those behind it: a fault of ours, which ends the connection.
    pub(super) unsent: Option<Unsent>,
    /// To be awaited before anything goes out.
    pub(super) commit: Option<Ticket>,
    /// For others.
    pub(super) pushes: Vec<Push>,
    /// The connection is to end.
    pub(super) close: bool,
}

impl Step {
    const fn pushes(pushes: Vec<Push>) -> Self {
        Self { unsent: None, commit: None, pushes, close: false }
    }
}

impl<P> From<Outcome<P>> for Step {
    fn from(outcome: Outcome<P>) -> Self {
        Self { unsent: None, commit: outcome.commit, pushes: outcome.pushes, close: outcome.close }
    }
}

/// A message of ours that could not be written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unsent {
    message: Number,
    error: EncodeError,
}

/// The number of a message, as its family is read.
#[derive(Debug, PartialEq, Eq)]
enum Number {
    Nps(nps::Id),
    Mcots(mcots::Number),
}

impl fmt::Display for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message {
            Number::Nps(id) => write!(f, "message {id} cannot be sent: {}", self.error),
            Number::Mcots(number) => write!(f, "message {number} cannot be sent: {}", self.error),
        }
    }
}

impl Conversation {
    pub(super) fn new(
        service: Service,
        connection: ConnectionId,
        peer: SocketAddr,
        local: SocketAddr,
    ) -> Option<Self> {
        let small = |headers, desk| Some(Self::Nps(nps::Link::new(headers, SMALL), desk));
        let address = peer.ip().to_canonical();
        let server = |server| {
            let caller = lobby::ConnectionState::new(connection, server, peer, local);
            let link = nps::Link::new(nps::Headers::Short, nps::Link::LARGEST);
            Some(Self::Nps(link, NpsService::Lobby(caller)))
        };
        match service {
            Service::Http | Service::Https => None,
            Service::Login => small(nps::Headers::Either, NpsService::Login(address)),
            Service::Persona => small(nps::Headers::Either, NpsService::Persona(address)),
            Service::Mail => small(nps::Headers::Short, NpsService::Mail(address)),
            Service::Lobby => server(NpsServer::Lobby),
            Service::Room(place) => server(NpsServer::Room(place)),
            Service::Mcots => Some(Self::Mcots(
                mcots::Link::new(),
                transactions::ConnectionState::new(connection, peer, local),
            )),
        }
    }

    /// What the Client hears on connecting.
    pub(super) fn greet(&mut self, out: &mut Vec<u8>, observers: &mut Observers) -> Result<(), Unsent> {
        match self {
            Self::Nps(link, NpsService::Lobby(caller)) => {
                write(link, &lobby::greeting(caller), false, out, observers)
            }
            _ => Ok(()),
        }
    }

    /// Takes in what arrived.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        match self {
            Self::Nps(link, _) => link.feed(bytes),
            Self::Mcots(link, _) => link.feed(bytes),
        }
    }

    /// Answers the next whole message, if one has arrived, appending what the sender gets to `out`. An error, in words
    /// for the log, ends the connection.
    pub(super) fn step(
        &mut self,
        game: &Game,
        now: Now,
        out: &mut Vec<u8>,
        observers: &mut Observers,
    ) -> Result<Option<Step>, Box<dyn fmt::Display + Send>> {
        match self {
            Self::Nps(link, desk) => {
                let Some(incoming) = link.next().map_err(|broken| Box::new(broken) as _)? else {
                    return Ok(None);
                };
                let size = link.last_size();
                observers.tell(|observer| observer.packet_received(&incoming, size));
                let outcome = match desk {
                    NpsService::Login(peer) => login::answer(game, *peer, &incoming.packet, now),
                    NpsService::Persona(peer) => persona::answer(game, *peer, &incoming.packet, now),
                    NpsService::Mail(peer) => mail::answer(game, *peer, &incoming.packet, now),
                    NpsService::Lobby(caller) => lobby::answer(game, caller, &incoming, now),
                };
                let (id, verdict) = (incoming.packet.id, outcome.verdict);
                observers.tell(|observer| observer.packet_answered(id, verdict));
                let unsent = write(link, &outcome, incoming.encrypted, out, observers).err();
                Ok(Some(Step { unsent, ..outcome.into() }))
            }
            Self::Mcots(link, caller) => {
                let Some(incoming) = link.next().map_err(|broken| Box::new(broken) as _)? else {
                    return Ok(None);
                };
                let size = link.last_size();
                observers.tell(|observer| observer.body_received(&incoming, size));
                let outcome = transactions::answer(game, caller, &incoming, now);
                let (number, verdict) = (incoming.body.number().unwrap_or_default(), outcome.verdict);
                observers.tell(|observer| observer.body_answered(number, verdict));
                let unsent = write_bodies(link, &outcome, out, observers).err();
                Ok(Some(Step { unsent, ..outcome.into() }))
            }
        }
    }

    /// Appends a push from somebody else. One for the other family of services is let go: services know which connections are whose.
    pub(super) fn deliver(
        &mut self,
        outbound: &Outbound,
        out: &mut Vec<u8>,
        observers: &mut Observers,
    ) -> Result<(), Unsent> {
        let start = out.len();
        match (self, outbound) {
            (Self::Nps(link, _), Outbound::Packet(packet, envelope)) => {
                let encrypted = *envelope == Encryption::Encrypted;
                link.write(packet, encrypted, out).map_err(|error| unsent_packet(packet, error))?;
                let raw = out.get(start..).unwrap_or_default();
                observers.tell(|observer| observer.packet_sent(packet, raw));
            }
            (Self::Mcots(link, _), Outbound::Body(body)) => {
                link.push(body, out).map_err(|error| unsent_body(body, error))?;
                let raw = out.get(start..).unwrap_or_default();
                observers.tell(|observer| observer.body_sent(body, raw));
            }
            (Self::Nps(..), Outbound::Body(_)) | (Self::Mcots(..), Outbound::Packet(..)) => {}
        }
        Ok(())
    }

    /// How long the Client may say nothing from now on, on a connection of this `age`. Who has signed in may be silent
    /// for ever: a player sits in the garage for hours, and no heartbeat was ever seen.
    pub(super) fn deadline(&self, limits: &config::Limits, age: Duration) -> Option<Duration> {
        match self {
            Self::Nps(_, NpsService::Lobby(caller)) if caller.signed_in() => None,
            Self::Mcots(_, caller) if caller.signed_in() => None,
            Self::Nps(_, NpsService::Lobby(_)) | Self::Mcots(..) => {
                Some(Duration::from_secs(limits.login_seconds).saturating_sub(age))
            }
            Self::Nps(..) => Some(Duration::from_secs(limits.idle_seconds)),
        }
    }

    /// The connection is gone. Returned is what others hear of it.
    pub(super) fn leave(&self, game: &Game, now: Now) -> Step {
        match self {
            Self::Nps(_, NpsService::Lobby(caller)) => Step::pushes(lobby::leave(game, caller, now)),
            Self::Nps(..) => Step::pushes(Vec::new()),
            Self::Mcots(_, caller) => transactions::leave(game, caller, now).into(),
        }
    }
}

/// Writes replies in the form of their request, then starts the ciphers if the request was a login.
fn write(
    link: &mut nps::Link,
    outcome: &Outcome<Packet>,
    encrypted: bool,
    out: &mut Vec<u8>,
    observers: &mut Observers,
) -> Result<(), Unsent> {
    for reply in &outcome.replies {
        let start = out.len();
        link.write(reply, encrypted, out).map_err(|error| unsent_packet(reply, error))?;
        let raw = out.get(start..).unwrap_or_default();
        observers.tell(|observer| observer.packet_sent(reply, raw));
    }
    if let Some(key) = &outcome.start_encryption {
        link.start_encryption(key);
    }
    Ok(())
}

/// The same for MCOTS.
fn write_bodies(
    link: &mut mcots::Link,
    outcome: &Outcome<Outgoing>,
    out: &mut Vec<u8>,
    observers: &mut Observers,
) -> Result<(), Unsent> {
    for reply in &outcome.replies {
        let start = out.len();
        link.write(reply, out).map_err(|error| unsent_body(&reply.body, error))?;
        let raw = out.get(start..).unwrap_or_default();
        observers.tell(|observer| observer.body_sent(&reply.body, raw));
    }
    if let Some(key) = &outcome.start_encryption {
        link.start_encryption(key);
    }
    Ok(())
}

const fn unsent_packet(packet: &Packet, error: EncodeError) -> Unsent {
    Unsent { message: Number::Nps(packet.id), error }
}

fn unsent_body(body: &Body, error: EncodeError) -> Unsent {
    Unsent { message: Number::Mcots(body.number().unwrap_or_default()), error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn conversation(game: &Game, service: Service) -> Conversation {
        let here = SocketAddr::from(([127, 0, 0, 1], 1));
        Conversation::new(service, game.world.new_connection(), here, here).unwrap()
    }

    #[test]
    fn what_cannot_be_encrypted_is_not_sent_in_clear() {
        let (game, _folder) = Game::for_tests();
        let packet = Outbound::Packet(Arc::new(Packet::bare(nps::id::HEARTBEAT)), Encryption::Encrypted);
        let body = Outbound::Body(Arc::new(Body(vec![101, 0])));
        for (service, outbound, shown) in
            [(Service::Lobby, packet, "message 0x0217"), (Service::Mcots, body, "message 101")]
        {
            let mut out = Vec::new();
            let unsent = conversation(&game, service)
                .deliver(&outbound, &mut out, &mut Observers::default())
                .unwrap_err();
            assert_eq!((unsent.error, out.len()), (EncodeError::NoKey, 0));
            assert!(unsent.to_string().starts_with(shown), "{unsent}");
        }
    }
}
