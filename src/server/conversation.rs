//! The sans-IO half of a connection: which service talks, through which framing and cipher.

use super::bind::Service;
use super::mailbox::Parcel;
use super::recorder::Tap;
use crate::config;
use crate::services::{Envelope, Game, Outcome, Push, lobby, login, mail, mcots as transactions, persona};
use crate::store::Ticket;
use crate::world::{ConnectionId, Hall};
use mco_proto::mcots;
use mco_proto::nps::{self, Packet};
use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Requests on the ports before the lobby are small: the largest, a new persona, has about 1,400 bytes.
const SMALL: usize = 4096;

/// One connection's dialogue with its service.
pub(super) enum Conversation {
    Nps(nps::Link, Desk),
    Mcots(mcots::Link, transactions::Caller),
}

/// Which NPS service a connection has reached.
pub(super) enum Desk {
    Login(IpAddr),
    Persona(IpAddr),
    Mail(IpAddr),
    Lobby(lobby::Caller),
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
        let hall = |hall| {
            let caller = lobby::Caller::new(connection, hall, peer, local);
            let link = nps::Link::new(nps::Headers::Short, nps::Link::LARGEST);
            Some(Self::Nps(link, Desk::Lobby(caller)))
        };
        match service {
            Service::Http | Service::Https => None,
            Service::Login => small(nps::Headers::Either, Desk::Login(address)),
            Service::Persona => small(nps::Headers::Either, Desk::Persona(address)),
            Service::Mail => small(nps::Headers::Short, Desk::Mail(address)),
            Service::Lobby => hall(Hall::Lobby),
            Service::Room(place) => hall(Hall::Room(place)),
            Service::Mcots => {
                Some(Self::Mcots(mcots::Link::new(), transactions::Caller::new(connection, peer, local)))
            }
        }
    }

    /// What the Client hears on connecting.
    pub(super) fn greet(&mut self, out: &mut Vec<u8>, tap: &mut Option<Box<Tap>>) {
        if let Self::Nps(link, Desk::Lobby(caller)) = self {
            write(link, lobby::greeting(caller), false, out, tap);
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
        out: &mut Vec<u8>,
        tap: &mut Option<Box<Tap>>,
    ) -> Result<Option<Step>, Box<dyn Display + Send>> {
        match self {
            Self::Nps(link, desk) => {
                let Some(incoming) = link.next().map_err(|broken| Box::new(broken) as _)? else {
                    return Ok(None);
                };
                if let Some(tap) = tap {
                    tap.heard_packet(&incoming);
                }
                let outcome = match desk {
                    Desk::Login(peer) => login::answer(game, *peer, &incoming.packet),
                    Desk::Persona(peer) => persona::answer(game, *peer, &incoming.packet),
                    Desk::Mail(peer) => mail::answer(game, *peer, &incoming.packet),
                    Desk::Lobby(caller) => lobby::answer(game, caller, &incoming),
                };
                Ok(Some(write(link, outcome, incoming.sealed, out, tap)))
            }
            Self::Mcots(link, caller) => {
                let Some(incoming) = link.next().map_err(|broken| Box::new(broken) as _)? else {
                    return Ok(None);
                };
                if let Some(tap) = tap {
                    tap.heard_body(&incoming);
                }
                let outcome = transactions::answer(game, caller, &incoming);
                for reply in &outcome.replies {
                    let start = out.len();
                    link.write(reply, out);
                    if let Some(tap) = tap {
                        tap.said_body(&reply.body, out.get(start..).unwrap_or_default());
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
    pub(super) fn deliver(&mut self, parcel: &Parcel, out: &mut Vec<u8>, tap: &mut Option<Box<Tap>>) {
        let start = out.len();
        match (self, parcel) {
            (Self::Nps(link, _), Parcel::Packet(packet, envelope)) => {
                link.write(packet, *envelope == Envelope::Sealed, out);
                if let Some(tap) = tap {
                    tap.said_packet(packet, out.get(start..).unwrap_or_default());
                }
            }
            (Self::Mcots(link, _), Parcel::Body(body)) => {
                link.push(body, out);
                if let Some(tap) = tap {
                    tap.said_body(body, out.get(start..).unwrap_or_default());
                }
            }
            (Self::Nps(..), Parcel::Body(_)) | (Self::Mcots(..), Parcel::Packet(..)) => {}
        }
    }

    /// How long the Client may say nothing from now on, on a connection of this `age`. Who has signed in may be silent
    /// for ever: a player sits in the garage for hours, and no heartbeat was ever seen.
    pub(super) fn patience(&self, limits: &config::Limits, age: Duration) -> Option<Duration> {
        match self {
            Self::Nps(_, Desk::Lobby(caller)) if caller.signed_in() => None,
            Self::Mcots(_, caller) if caller.signed_in() => None,
            Self::Nps(_, Desk::Lobby(_)) | Self::Mcots(..) => {
                Some(Duration::from_secs(limits.login_seconds).saturating_sub(age))
            }
            Self::Nps(..) => Some(Duration::from_secs(limits.idle_seconds)),
        }
    }

    /// The connection is gone. Returned is what others hear of it.
    pub(super) fn leave(&self, game: &Game) -> Step {
        match self {
            Self::Nps(_, Desk::Lobby(caller)) => Step::pushes(lobby::leave(game, caller)),
            Self::Nps(..) => Step::pushes(Vec::new()),
            Self::Mcots(_, caller) => transactions::leave(game, caller).into(),
        }
    }
}

/// Writes replies in the form of their request, then starts the ciphers if the request was a login.
fn write(
    link: &mut nps::Link,
    outcome: Outcome<Packet>,
    sealed: bool,
    out: &mut Vec<u8>,
    tap: &mut Option<Box<Tap>>,
) -> Step {
    for reply in &outcome.replies {
        let start = out.len();
        link.write(reply, sealed, out);
        if let Some(tap) = tap {
            tap.said_packet(reply, out.get(start..).unwrap_or_default());
        }
    }
    if let Some(key) = &outcome.unlock {
        link.unlock(key);
    }
    outcome.into()
}
