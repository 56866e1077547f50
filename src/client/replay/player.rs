//! Plays a recording: sends what the Client sent, and waits for each answer that was recorded.

use super::recording::{Connection, Content, Recording, Said, What, headers_of};
use crate::client::Error;
use crate::client::peer::{Endpoint, Peer, Service};
use crate::client::probe::Credentials;
use crate::client::sitting::{Account, ShardEndpoints};
use crate::client::socket::Socket;
use crate::client::wanted::Wanted;
use crate::client::web::Web;
use crate::recording::Side;
use mco_proto::ids::CustomerId;
use mco_proto::mcots::{self, Flags, Outgoing, number};
use mco_proto::nps::lobby::{Login, ServerInfo};
use mco_proto::nps::login::UserLogin;
use mco_proto::nps::{self, Message as _, Packet, id};
use mco_proto::session_key::{PublicLoginKey, SessionKey};
use mco_proto::text::Str16;
use std::collections::{HashMap, VecDeque};
use std::fmt::Display;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ReplayError;

/// How long an answer may take once one has been missing.
const SHORT_TIMEOUT: Duration = Duration::from_secs(2);

/// Where the flags are in a Transaction Packet's header.
const FLAGS: usize = 10;

/// How many messages and answers there were.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// Messages of the Client.
    pub(super) sent: usize,
    /// Answers as recorded.
    pub(super) same: usize,
    /// Answers that are not, and connections and messages that failed.
    pub(super) differing: usize,
}

/// A packet from the server.
struct Arrival {
    message: Wanted,
    encrypted: bool,
    /// MCOTS only.
    sequence: u32,
    /// NPS only.
    packet: Option<Packet>,
}

enum Link {
    Nps(nps::Link),
    Mcots(mcots::Link),
}

/// One connection that is open.
struct OpenConnection {
    socket: Socket,
    link: Link,
    /// The Session Key that starts the ciphers behind the answer to the login that was sent.
    awaiting: Option<SessionKey>,
    arrived: VecDeque<Arrival>,
    /// The last message sent.
    asked: Option<Wanted>,
}

/// An account on the server, for one customer of the recording.
pub(super) struct Actor<'a> {
    user: &'a Credentials,
    customer: CustomerId,
    key: SessionKey,
    /// The key of a 0x0501 that has not been answered yet.
    offered: Option<SessionKey>,
}

impl<'a> Actor<'a> {
    /// An account that has signed in.
    pub(super) fn new(account: Account, user: &'a Credentials) -> Self {
        Self { user, customer: account.customer, key: account.key, offered: None }
    }

    /// Whose account it is.
    pub(super) const fn customer(&self) -> CustomerId {
        self.customer
    }
}

pub(super) struct Player<'a> {
    web: &'a Web,
    endpoints: Arc<ShardEndpoints>,
    login_key: PublicLoginKey,
    actors: Vec<Actor<'a>>,
    /// Where the rooms with these recorded ports are now.
    rooms: HashMap<u16, Endpoint>,
    open: Vec<Option<OpenConnection>>,
    late: bool,
    tally: Tally,
}

impl<'a> Player<'a> {
    /// A player of all these accounts.
    pub(super) async fn new(
        web: &'a Web,
        endpoints: Arc<ShardEndpoints>,
        actors: Vec<Actor<'a>>,
    ) -> Result<Self, Error> {
        Ok(Self {
            web,
            login_key: web.public_key().await?,
            endpoints,
            actors,
            rooms: HashMap::new(),
            open: Vec::new(),
            late: false,
            tally: Tally::default(),
        })
    }

    /// Plays the whole recording.
    pub(super) async fn play(
        mut self,
        recording: &Recording,
        out: &mut dyn Write,
    ) -> Result<Tally, ReplayError> {
        self.open.resize_with(recording.connections.len(), || None);
        for event in &recording.events {
            let Some(connection) = recording.connections.get(event.connection) else { continue };
            match &event.what {
                What::Made => {
                    if let Err(why) = self.connect(event.connection, connection).await {
                        self.differs(out, "failed", connection.service, &why.to_string())?;
                    }
                }
                What::Said(Side::Client, said) => self.send(event.connection, connection, said, out).await?,
                What::Said(Side::Server, said) => self.hear(event.connection, connection, said, out).await?,
                What::Ended => self.leave(event.connection, connection.service, out)?,
            }
        }
        for (at, connection) in recording.connections.iter().enumerate() {
            self.leave(at, connection.service, out)?;
        }
        Ok(self.tally)
    }

    async fn connect(&mut self, at: usize, connection: &Connection) -> Result<(), Error> {
        let Connection { service, port, .. } = *connection;
        let endpoints = &self.endpoints;
        let endpoint = match service {
            Service::Login => endpoints.login.clone(),
            Service::Persona => endpoints.persona.clone(),
            Service::Mail => endpoints.mail.clone(),
            Service::Mcots => endpoints.mcots.clone(),
            // Where no answer of the lobby has said otherwise, rooms are where they were.
            Service::Room => self.rooms.get(&port).cloned().unwrap_or_else(|| endpoints.lobby.at(port)),
            Service::Lobby | Service::Web => endpoints.lobby.clone(),
        };
        let peer = Peer::new(service, endpoint);
        let socket = Socket::connect(peer, endpoints.timeout).await?;
        let link = match service {
            Service::Mcots => Link::Mcots(mcots::Link::new()),
            _ => Link::Nps(nps::Link::new(headers_of(service), nps::Link::LARGEST)),
        };
        let open = OpenConnection { socket, link, awaiting: None, arrived: VecDeque::new(), asked: None };
        if let Some(entry) = self.open.get_mut(at) {
            *entry = Some(open);
        }
        Ok(())
    }

    /// Sends what the Client sent, with our own secrets and under our own key. That it could not be sent is reported.
    async fn send(
        &mut self,
        at: usize,
        connection: &Connection,
        said: &Said,
        out: &mut dyn Write,
    ) -> Result<(), ReplayError> {
        let remade = match &said.content {
            Content::Packet(packet) => Some(self.remade(connection, packet).await?),
            Content::Body { .. } => None,
        };
        let key = self.actor(connection).map(|actor| actor.key.clone());
        let Some(open) = self.open.get_mut(at).and_then(Option::as_mut) else {
            let text = format!("{} was not sent: there is no connection", name(&said.content));
            return self.differs(out, "failed", connection.service, &text);
        };
        let mut wire = Vec::new();
        let encoded = match (&mut open.link, &said.content) {
            (Link::Nps(link), _) => match remade {
                Some(packet) => {
                    if packet.id == id::LOGIN {
                        open.awaiting = key;
                    }
                    link.write(&packet, said.encrypted, &mut wire)
                }
                None => Ok(()),
            },
            (Link::Mcots(link), Content::Body { sequence, flags, body }) => {
                let outgoing =
                    Outgoing { sequence: *sequence, encrypted: said.encrypted, body: body.clone() };
                let encoded = link.write(&outgoing, &mut wire);
                if let Some(byte) = wire.get_mut(FLAGS) {
                    *byte |= flags;
                }
                if body.number() == Some(number::CLIENT_CONNECT_MSG) {
                    open.awaiting = key;
                }
                encoded
            }
            (Link::Mcots(_), Content::Packet(_)) => Ok(()),
        };
        if let Err(why) = encoded {
            let text = format!("{} was not sent: {why}", name(&said.content));
            return self.differs(out, "failed", connection.service, &text);
        }
        open.asked = Some(name(&said.content));
        self.tally.sent += 1;
        match open.socket.write(&wire).await {
            Ok(()) => Ok(()),
            Err(why) => {
                let text = format!("{} could not be sent: {why}", name(&said.content));
                self.differs(out, "failed", connection.service, &text)
            }
        }
    }

    /// Whose connection it is. Of one that nobody signed in by, the first account's.
    fn actor(&mut self, connection: &Connection) -> Option<&mut Actor<'a>> {
        let owner = |actor: &Actor<'_>| connection.customer.is_none_or(|customer| customer == actor.customer);
        self.actors.iter_mut().find(|actor| owner(actor))
    }

    /// The packet with our own secrets in place of those that were cut.
    async fn remade(&mut self, connection: &Connection, packet: &Packet) -> Result<Packet, Error> {
        let (web, login_key) = (self.web, self.login_key.clone());
        let Some(actor) = self.actor(connection) else { return Ok(packet.clone()) };
        let body = match packet.id {
            id::USER_LOGIN => {
                let Ok(login) = packet.read::<UserLogin>() else { return Ok(packet.clone()) };
                let context = web.auth(&actor.user.user, &actor.user.password).await?;
                let key = SessionKey::random();
                let block =
                    login_key.encrypt(&key).map_err(|why| Error::PublicKey { why: why.to_string() })?;
                actor.offered = Some(key);
                let context = Str16::new(context.as_str())?;
                UserLogin { context, key_block: Str16::new(&block)?, ..login }.packet().body
            }
            id::LOGIN => {
                let Ok(login) = packet.read::<Login>() else { return Ok(packet.clone()) };
                Login { proof: actor.key.proof(), ..login }.packet().body
            }
            _ => packet.body.clone(),
        };
        Ok(Packet { body, ..packet.clone() })
    }

    /// Waits for what the server said then, and judges what it says now.
    async fn hear(
        &mut self,
        at: usize,
        connection: &Connection,
        said: &Said,
        out: &mut dyn Write,
    ) -> Result<(), ReplayError> {
        let service = connection.service;
        let wanted = name(&said.content);
        let timeout =
            if self.late { SHORT_TIMEOUT.min(self.endpoints.timeout) } else { self.endpoints.timeout };
        let deadline = Instant::now() + timeout;
        let Some(open) = self.open.get_mut(at).and_then(Option::as_mut) else {
            return self.differs(out, "missing", service, &format!("{wanted}: there is no connection"));
        };
        let after = open.asked.map_or_else(|| "on connecting".to_owned(), |asked| format!("after {asked}"));
        let arrival = match open.find(said, deadline).await {
            Ok(Some(arrival)) => arrival,
            missing => {
                let why = missing.err().map(|why| format!(": {why}")).unwrap_or_default();
                self.late = true;
                return match open.arrived.pop_front() {
                    Some(Arrival { message: instead, .. }) => {
                        let text = format!("{instead} instead of {wanted} {after}{why}");
                        self.differs(out, "different", service, &text)
                    }
                    None => self.differs(out, "missing", service, &format!("{wanted} {after}{why}")),
                };
            }
        };
        if arrival.encrypted != said.encrypted {
            let how = if arrival.encrypted { "encrypted" } else { "in clear" };
            return self.differs(out, "different", service, &format!("{wanted} {after} came {how}"));
        }
        self.learn(connection, said, &arrival);
        self.tally.same += 1;
        writeln!(out, "  {:<9}  {service:<7}  {wanted} {after}", "same")?;
        Ok(())
    }

    /// What follows from an answer for what comes next.
    fn learn(&mut self, connection: &Connection, said: &Said, arrival: &Arrival) {
        let (Content::Packet(then), Some(now)) = (&said.content, &arrival.packet) else { return };
        if connection.service == Service::Login
            && now.id == id::USER_VALID
            && let Some(actor) = self.actor(connection)
            && let Some(key) = actor.offered.take()
        {
            actor.key = key;
        }
        if now.id == id::SERVER_INFO
            && let (Ok(then), Ok(now)) = (then.read::<ServerInfo>(), now.read::<ServerInfo>())
            && let (Ok(then), Ok(port)) = (u16::try_from(then.port), u16::try_from(now.port))
        {
            self.rooms.insert(then, Endpoint::new(&now.address.to_string(), port));
        }
    }

    /// Hangs up; what arrived and was never recorded is told.
    fn leave(&mut self, at: usize, service: Service, out: &mut dyn Write) -> Result<(), ReplayError> {
        let Some(open) = self.open.get_mut(at).and_then(Option::take) else { return Ok(()) };
        for arrival in open.arrived {
            let text = format!("{} came, which was not recorded", arrival.message);
            self.differs(out, "different", service, &text)?;
        }
        Ok(())
    }

    fn differs(
        &mut self,
        out: &mut dyn Write,
        verdict: &str,
        service: Service,
        text: &str,
    ) -> Result<(), ReplayError> {
        self.tally.differing += 1;
        writeln!(out, "  {verdict:<9}  {service:<7}  {text}").map_err(|why: io::Error| why.into())
    }
}

impl OpenConnection {
    /// The first packet of the kind that was recorded; `None` if none comes in time.
    ///
    /// # Errors
    /// The connection ended, or what came is not understood.
    async fn find(&mut self, said: &Said, deadline: Instant) -> Result<Option<Arrival>, Error> {
        let wanted = name(&said.content);
        let sequence = match said.content {
            Content::Body { sequence, .. } => sequence,
            Content::Packet(_) => 0,
        };
        loop {
            let fits = |arrival: &Arrival| arrival.message == wanted && arrival.sequence == sequence;
            if let Some(at) = self.arrived.iter().position(fits) {
                return Ok(self.arrived.remove(at));
            }
            if !self.socket.read(deadline, wanted, |bytes| self.link.feed(bytes)).await? {
                return Ok(None);
            }
            self.take()?;
        }
    }

    /// Takes whole packets out of what arrived. The ciphers start right behind the answer to the login.
    fn take(&mut self) -> Result<(), Error> {
        let broken =
            |why: &dyn Display| Error::Broken { peer: self.socket.peer().clone(), why: why.to_string() };
        loop {
            let arrival = match &mut self.link {
                Link::Nps(link) => {
                    let Some(incoming) = link.next().map_err(|why| broken(&why))? else { return Ok(()) };
                    if incoming.packet.id == id::LOGIN_RESP
                        && let Some(key) = self.awaiting.take()
                    {
                        link.start_encryption(&key);
                    }
                    Arrival {
                        message: Wanted::Game(incoming.packet.id),
                        encrypted: incoming.encrypted,
                        sequence: 0,
                        packet: Some(incoming.packet),
                    }
                }
                Link::Mcots(link) => {
                    let Some(incoming) = link.next().map_err(|why| broken(&why))? else { return Ok(()) };
                    if let Some(key) = self.awaiting.take() {
                        link.start_encryption(&key);
                    }
                    Arrival {
                        message: Wanted::Transaction(incoming.body.number().unwrap_or_default()),
                        encrypted: incoming.flags.has(Flags::ENCRYPTED),
                        sequence: incoming.sequence,
                        packet: None,
                    }
                }
            };
            self.arrived.push_back(arrival);
        }
    }
}

impl Link {
    fn feed(&mut self, bytes: &[u8]) {
        match self {
            Self::Nps(link) => link.feed(bytes),
            Self::Mcots(link) => link.feed(bytes),
        }
    }
}

fn name(content: &Content) -> Wanted {
    match content {
        Content::Packet(packet) => Wanted::Game(packet.id),
        Content::Body { body, .. } => Wanted::Transaction(body.number().unwrap_or_default()),
    }
}
