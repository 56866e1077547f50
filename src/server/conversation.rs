//! The sans-IO half of a connection: which service talks, through which framing and cipher.

use super::bind::Service;
use super::outbox::Outbound;
use super::recorder::Connection;
use crate::clock::Now;
use crate::config;
use crate::services::{Encryption, Game, Outcome, Push, lobby, login, mail, mcots as transactions, persona};
use crate::store::Ticket;
use crate::world::{ConnectionId, NpsServer};
use mco_proto::mcots;
use mco_proto::nps::{self, Packet};
use std::fmt::Display;
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
    /// To be awaited before anything goes out.
    pub(super) commit: Option<Ticket>,
    /// For others.
    pub(super) pushes: Vec<Push>,
    /// The connection is to end.
    pub(super) close: bool,
}

impl Step {
    const fn pushes(pushes: Vec<Push>) -> Self {
        Self { commit: None, pushes, close: false }
    }
}

impl<P> From<Outcome<P>> for Step {
    fn from(outcome: Outcome<P>) -> Self {
        Self { commit: outcome.commit, pushes: outcome.pushes, close: outcome.close }
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
    pub(super) fn greet(&mut self, out: &mut Vec<u8>, recording: &mut Option<Box<Connection>>) {
        if let Self::Nps(link, NpsService::Lobby(caller)) = self {
            write(link, lobby::greeting(caller), false, out, recording);
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
        recording: &mut Option<Box<Connection>>,
    ) -> Result<Option<Step>, Box<dyn Display + Send>> {
        match self {
            Self::Nps(link, desk) => {
                let Some(incoming) = link.next().map_err(|broken| Box::new(broken) as _)? else {
                    return Ok(None);
                };
                if let Some(recording) = recording {
                    recording.heard_packet(&incoming);
                }
                let outcome = match desk {
                    NpsService::Login(peer) => login::answer(game, *peer, &incoming.packet, now),
                    NpsService::Persona(peer) => persona::answer(game, *peer, &incoming.packet, now),
                    NpsService::Mail(peer) => mail::answer(game, *peer, &incoming.packet, now),
                    NpsService::Lobby(caller) => lobby::answer(game, caller, &incoming, now),
                };
                Ok(Some(write(link, outcome, incoming.sealed, out, recording)))
            }
            Self::Mcots(link, caller) => {
                let Some(incoming) = link.next().map_err(|broken| Box::new(broken) as _)? else {
                    return Ok(None);
                };
                if let Some(recording) = recording {
                    recording.heard_body(&incoming);
                }
                let outcome = transactions::answer(game, caller, &incoming, now);
                for reply in &outcome.replies {
                    let start = out.len();
                    link.write(reply, out);
                    if let Some(recording) = recording {
                        recording.said_body(&reply.body, out.get(start..).unwrap_or_default());
                    }
                }
                if let Some(key) = &outcome.unlock {
                    link.unlock(key);
                }
                Ok(Some(outcome.into()))
            }
        }
    }

    /// Appends a push from somebody else. One for the other family of services is let go: services know which connections are whose.
    pub(super) fn deliver(
        &mut self,
        outbound: &Outbound,
        out: &mut Vec<u8>,
        recording: &mut Option<Box<Connection>>,
    ) {
        let start = out.len();
        match (self, outbound) {
            (Self::Nps(link, _), Outbound::Packet(packet, envelope)) => {
                link.write(packet, *envelope == Encryption::Sealed, out);
                if let Some(recording) = recording {
                    recording.said_packet(packet, out.get(start..).unwrap_or_default());
                }
            }
            (Self::Mcots(link, _), Outbound::Body(body)) => {
                link.push(body, out);
                if let Some(recording) = recording {
                    recording.said_body(body, out.get(start..).unwrap_or_default());
                }
            }
            (Self::Nps(..), Outbound::Body(_)) | (Self::Mcots(..), Outbound::Packet(..)) => {}
        }
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
    outcome: Outcome<Packet>,
    sealed: bool,
    out: &mut Vec<u8>,
    recording: &mut Option<Box<Connection>>,
) -> Step {
    for reply in &outcome.replies {
        let start = out.len();
        link.write(reply, sealed, out);
        if let Some(recording) = recording {
            recording.said_packet(reply, out.get(start..).unwrap_or_default());
        }
    }
    if let Some(key) = &outcome.unlock {
        link.unlock(key);
    }
    outcome.into()
}
