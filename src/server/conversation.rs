//! A connection to a TCP service without its socket: the bytes of a Client go in, messages are answered by the service of the port, and
//! the bytes for the Client come out. Tests and fuzzers drive it as the connection loop does.

pub use super::bind::Service;
pub use super::observer::Observers;
pub use super::outbox::Outbound;

use crate::clock::Now;
use crate::config;
use crate::services::{Encryption, Game, Outcome, Push, lobby, login, mail, mcots as transactions, persona};
use crate::store::Ticket;
use crate::world::races::Move;
use crate::world::{ConnectionId, NpsServer};
use mco_proto::EncodeError;
use mco_proto::mcots::{self, Body, Outgoing};
use mco_proto::nps::{self, Packet};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The longest packet on the ports before the lobby, and on every other before the Client has signed in, in bytes: the largest, a new
/// persona, has about 1,400.
const SMALL: usize = 4096;

/// The server's state of one connection: framing, cipher, and what its service knows of the Client.
pub struct Conversation(Family);

enum Family {
    Nps(nps::Link, NpsService),
    Mcots(mcots::Link, transactions::ConnectionState),
}

/// The NPS service that a connection has reached.
enum NpsService {
    Login(IpAddr),
    Persona(IpAddr),
    Mail(IpAddr),
    Lobby(lobby::ConnectionState),
}

/// What one message led to, besides the bytes for its sender.
pub struct Step {
    /// An answer that could not be written, and those behind it: a fault of ours, which ends the connection.
    pub unsent: Option<Unsent>,
    /// To be awaited before the answer or a push goes out.
    pub commit: Option<Ticket>,
    /// Messages for other connections.
    pub pushes: Vec<Push>,
    /// Whether the connection is to end after the answer.
    pub close: bool,
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

/// A message of the server that could not be encoded. `Display` says which, for the log.
#[derive(Debug, PartialEq, Eq)]
pub struct Unsent {
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
    /// A new connection from `peer` to the address `local` of a service. `None` for HTTP and HTTPS.
    pub fn new(
        service: Service,
        connection: ConnectionId,
        peer: SocketAddr,
        local: SocketAddr,
    ) -> Option<Self> {
        let small = |headers, service| Some(Self(Family::Nps(nps::Link::new(headers, SMALL), service)));
        let address = peer.ip().to_canonical();
        let server = |server| {
            let caller = lobby::ConnectionState::new(connection, server, peer, local);
            let link = nps::Link::new(nps::Headers::Short, SMALL);
            Some(Self(Family::Nps(link, NpsService::Lobby(caller))))
        };
        match service {
            Service::Http | Service::Https => None,
            Service::Login => small(nps::Headers::Either, NpsService::Login(address)),
            Service::Persona => small(nps::Headers::Either, NpsService::Persona(address)),
            Service::Mail => small(nps::Headers::Short, NpsService::Mail(address)),
            Service::Lobby => server(NpsServer::Lobby),
            Service::Room(place) => server(NpsServer::Room(place)),
            Service::Mcots => {
                let caller = transactions::ConnectionState::new(connection, peer, local);
                let mut link = mcots::Link::new();
                link.accept_up_to(SMALL);
                Some(Self(Family::Mcots(link, caller)))
            }
        }
    }

    /// Appends to `out` what the Client gets on connecting.
    ///
    /// # Errors
    /// [`Unsent`] if that cannot be encoded.
    pub fn greet(&mut self, out: &mut Vec<u8>, observers: &mut Observers) -> Result<(), Unsent> {
        match &mut self.0 {
            Family::Nps(link, NpsService::Lobby(caller)) => {
                write(link, &lobby::greeting(caller), false, out, observers)
            }
            _ => Ok(()),
        }
    }

    /// Takes in what arrived from the Client.
    pub fn feed(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Family::Nps(link, _) => link.feed(bytes),
            Family::Mcots(link, _) => link.feed(bytes),
        }
    }

    /// The memory, in bytes, that is held for a message which has not arrived completely. To be asked when there is nothing to answer.
    pub(super) fn held(&mut self) -> usize {
        match &mut self.0 {
            Family::Nps(link, _) => link.held(),
            Family::Mcots(link, _) => link.held(),
        }
    }

    /// Whether the next [`Self::step`] takes long: Login opens a Session Key with RSA.
    pub(super) fn is_slow(&self) -> bool {
        matches!(&self.0, Family::Nps(link, NpsService::Login(_)) if link.is_ready())
    }

    /// Answers the next message, if a whole one has arrived, and appends the answer to `out`.
    ///
    /// # Errors
    /// Why the stream cannot be understood any further, for the log. The connection is to end.
    pub fn step(
        &mut self,
        game: &Game,
        now: Now,
        out: &mut Vec<u8>,
        observers: &mut Observers,
    ) -> Result<Option<Step>, Box<dyn fmt::Display + Send>> {
        match &mut self.0 {
            Family::Nps(link, service) => {
                let Some(incoming) = link.next().map_err(|broken| Box::new(broken) as _)? else {
                    return Ok(None);
                };
                let size = link.last_size();
                observers.tell(|observer| observer.packet_received(&incoming, size));
                let outcome = match service {
                    NpsService::Login(peer) => login::answer(game, *peer, &incoming.packet, now),
                    NpsService::Persona(peer) => persona::answer(game, *peer, &incoming.packet, now),
                    NpsService::Mail(peer) => mail::answer(game, *peer, &incoming.packet, now),
                    NpsService::Lobby(caller) => lobby::answer(game, caller, &incoming, now),
                };
                let (id, verdict) = (incoming.packet.id, outcome.verdict);
                observers.tell(|observer| observer.packet_answered(id, verdict));
                if let NpsService::Lobby(caller) = service
                    && let Some(persona) = caller.persona()
                {
                    observers.tell(|observer| observer.signed_in(persona));
                    link.accept_up_to(nps::Link::LARGEST);
                }
                let unsent = write(link, &outcome, incoming.encrypted, out, observers).err();
                Ok(Some(Step { unsent, ..outcome.into() }))
            }
            Family::Mcots(link, caller) => {
                let Some(incoming) = link.next().map_err(|broken| Box::new(broken) as _)? else {
                    return Ok(None);
                };
                let size = link.last_size();
                observers.tell(|observer| observer.body_received(&incoming, size));
                if incoming.flags.has(mcots::Flags::ENCRYPTED) {
                    caller.key_proven(link.key_in_use());
                }
                let outcome = transactions::answer(game, caller, &incoming, now);
                let (number, verdict) = (incoming.message_number().unwrap_or_default(), outcome.verdict);
                observers.tell(|observer| observer.body_answered(number, verdict));
                if let Some(persona) = caller.persona() {
                    observers.tell(|observer| observer.signed_in(persona));
                    link.accept_up_to(mcots::Link::LARGEST_BODY);
                }
                let unsent = write_bodies(link, &outcome, out, observers).err();
                if outcome.start_encryption.is_some()
                    && let Some((customer, keys)) = caller.possible_keys()
                {
                    link.start_encryption_with_one_of(customer, keys);
                }
                Ok(Some(Step { unsent, ..outcome.into() }))
            }
        }
    }

    /// Appends a push from another connection to `out`. One of the other message family is ignored.
    ///
    /// # Errors
    /// [`Unsent`] if it cannot be encoded.
    pub fn deliver(
        &mut self,
        outbound: &Outbound,
        out: &mut Vec<u8>,
        observers: &mut Observers,
    ) -> Result<(), Unsent> {
        let start = out.len();
        match (&mut self.0, outbound) {
            (Family::Nps(link, _), Outbound::Packet(packet, envelope)) => {
                let encrypted = *envelope == Encryption::Encrypted;
                link.write(packet, encrypted, out).map_err(|error| unsent_packet(packet, error))?;
                let raw = out.get(start..).unwrap_or_default();
                observers.tell(|observer| observer.packet_sent(packet, raw));
            }
            (Family::Mcots(link, _), Outbound::Body(body)) => {
                link.push(body, out).map_err(|error| unsent_body(body, error))?;
                let raw = out.get(start..).unwrap_or_default();
                observers.tell(|observer| observer.body_sent(body, raw));
            }
            (Family::Nps(..), Outbound::Body(_)) | (Family::Mcots(..), Outbound::Packet(..)) => {}
        }
        Ok(())
    }

    /// Whether the Client has proven who it is, so that it plays.
    pub(super) const fn signed_in(&self) -> bool {
        match &self.0 {
            Family::Nps(_, NpsService::Lobby(caller)) => caller.signed_in(),
            Family::Nps(..) => false,
            Family::Mcots(_, caller) => caller.signed_in(),
        }
    }

    /// How long the Client may say nothing from now on, on a connection of this `age`. Who has signed in may be silent
    /// for ever: a player sits in the garage for hours, and no heartbeat was ever seen.
    pub(super) fn deadline(&self, limits: &config::Limits, age: Duration) -> Option<Duration> {
        match &self.0 {
            _ if self.signed_in() => None,
            Family::Nps(_, NpsService::Lobby(_)) | Family::Mcots(..) => {
                Some(Duration::from_secs(limits.login_seconds).saturating_sub(age))
            }
            Family::Nps(..) => Some(Duration::from_secs(limits.idle_seconds)),
        }
    }

    /// Ends what the service knows of the connection, which is gone: `how`, seen from the room of a race. Returned is what others hear of it.
    pub fn leave(&self, game: &Game, how: Move, now: Now) -> Step {
        match &self.0 {
            Family::Nps(_, NpsService::Lobby(caller)) => Step::pushes(lobby::leave(game, caller, how, now)),
            Family::Nps(..) => Step::pushes(Vec::new()),
            Family::Mcots(_, caller) => transactions::leave(game, caller, now).into(),
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
mod tests;
