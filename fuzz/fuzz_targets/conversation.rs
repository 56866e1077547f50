//! Two players on all TCP services at once (`src/server/conversation.rs` and everything below it), without sockets.
//!
//! Input: steps. The first byte of each names the connection and what is done: a message (number, length, body), bytes as they are
//! (length, bytes), a proper sign-in, a lost connection, or time that passes.
//!
//! A client's end decodes all that the server writes. Whatever was sent: nothing is unsent, both ends of a connection stay in step, and when
//! all have left, every balance follows from the ledger.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mco_proto::ids::{CustomerId, PersonaId};
use mco_proto::mcots::session::ClientConnect;
use mco_proto::mcots::{self, Body, Message as _, Outgoing};
use mco_proto::nps::lobby::{Login, Name};
use mco_proto::nps::login::UserLogin;
use mco_proto::nps::{self, Form, Headers, Id, Message as _, Packet};
use mco_proto::session_key::{LoginKey, PublicLoginKey, SessionKey};
use mco_proto::table::{Layout, Sender};
use mco_proto::text::{Chars, PStr, Str16};
use mcos::clock::Now;
use mcos::server::conversation::{Conversation, Observers, Outbound, Service, Step};
use mcos::services::{Game, Push};
use mcos::store::Ticket;
use mcos::world::ConnectionId;
use mcos::world::races::Move;
use mcos_fuzz::game::{PLAYERS, START, folder, new_game, private_key};
use mcos_fuzz::{Input, plant};
use rsa::pkcs8::EncodePrivateKey as _;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

/// Which player has a connection to which service.
const CONNECTIONS: [(usize, Service); 11] = [
    (0, Service::Login),
    (0, Service::Persona),
    (0, Service::Mail),
    (0, Service::Lobby),
    (0, Service::Room(0)),
    (0, Service::Room(1)),
    (0, Service::Mcots),
    (1, Service::Lobby),
    (1, Service::Room(0)),
    (1, Service::Room(1)),
    (1, Service::Mcots),
];

fn key(player: usize) -> SessionKey {
    SessionKey::new([0x5a + player as u8; 32])
}

fuzz_target!(init: plant(seeds()), |bytes: &[u8]| {
    let mut kept = GAME.lock().unwrap_or_else(PoisonError::into_inner);
    let (game, folder) = kept.take().unwrap_or_else(renewed);
    let mut scene = Scene::new(&game);
    let mut input = Input::new(bytes);
    // A hundred steps are enough for everything, and soon over.
    for _ in 0..100 {
        if input.is_empty() {
            break;
        }
        scene.act(&mut input);
    }
    let changed = scene.end();
    if changed {
        drop(game);
        fs::remove_dir_all(folder).unwrap();
    } else {
        *kept = Some((game, folder));
    }
});

/// The game, for as long as nothing was changed in its store, so that an input does the same every time.
static GAME: Mutex<Option<(Game, PathBuf)>> = Mutex::new(None);

static PUBLIC_KEY: LazyLock<PublicLoginKey> = LazyLock::new(|| {
    let login_key = LoginKey::from_pkcs8_der(private_key().to_pkcs8_der().unwrap().as_bytes()).unwrap();
    PublicLoginKey::from_hex(&login_key.public_hex().unwrap()).unwrap()
});

fn renewed() -> (Game, PathBuf) {
    let folder = folder("game");
    (new_game(&folder), folder)
}

/// A Client's end of a connection.
enum Client {
    Nps(nps::Link),
    Mcots(mcots::Link, u32),
}

struct Connection {
    id: ConnectionId,
    server: Conversation,
    client: Client,
    /// Whether the Client sends encrypted from now on.
    signed_in: bool,
}

struct Scene<'a> {
    game: &'a Game,
    now: Now,
    connections: Vec<Connection>,
    tickets: Vec<Ticket>,
}

impl<'a> Scene<'a> {
    fn new(game: &'a Game) -> Self {
        let mut scene = Self { game, now: *START, connections: Vec::new(), tickets: Vec::new() };
        for player in 0..PLAYERS.len() {
            let (customer, from) = (CustomerId(PLAYERS[player]), address(player).ip());
            game.world.sessions.begin(customer, key(player), from, &BTreeSet::new(), scene.now).unwrap();
        }
        scene.connections = (0..CONNECTIONS.len()).map(|place| scene.connect(place)).collect();
        scene
    }

    fn connect(&self, place: usize) -> Connection {
        let (player, service) = CONNECTIONS[place];
        let (id, here) = (self.game.world.new_connection(), SocketAddr::from((Ipv4Addr::LOCALHOST, 7003)));
        let mut server = Conversation::new(service, id, address(player), here).unwrap();
        let mut client = match service {
            Service::Mcots => {
                let mut link = mcots::Link::new();
                link.start_encryption(&key(player));
                Client::Mcots(link, 0)
            }
            Service::Login | Service::Persona => {
                Client::Nps(nps::Link::new(Headers::Either, nps::Link::LARGEST))
            }
            _ => {
                let mut link = nps::Link::new(Headers::Short, nps::Link::LARGEST);
                link.start_encryption(&key(player));
                Client::Nps(link)
            }
        };
        let mut out = Vec::new();
        server.greet(&mut out, &mut Observers::default()).unwrap();
        client.hear(&out);
        Connection { id, server, client, signed_in: false }
    }

    fn act(&mut self, input: &mut Input<'_>) {
        let choice = input.byte();
        let place = usize::from(choice & 15) % CONNECTIONS.len();
        match choice >> 4 & 7 {
            0..=2 => {
                let number = u16::from_be_bytes([input.byte(), input.byte()]);
                let length = usize::from(u16::from_be_bytes([input.byte(), input.byte()]));
                let body = input.take(length);
                let encrypted = self.connections[place].signed_in != (choice & 0x80 != 0);
                self.send(place, number, body, encrypted);
            }
            3 => {
                let bytes = input.counted();
                self.feed(place, bytes);
            }
            4 | 5 => self.sign_in(place),
            6 => self.reconnect(place),
            _ => {
                self.now = self.now.later(Duration::from_secs(u64::from(input.byte())));
                let step = mcots_tick(self.game, self.now);
                self.after(step.0, step.1);
            }
        }
    }

    fn send(&mut self, place: usize, number: u16, body: &[u8], encrypted: bool) {
        let mut wire = Vec::new();
        let written = match &mut self.connections[place].client {
            Client::Nps(link) => {
                let form = if matches!(CONNECTIONS[place].1, Service::Login | Service::Persona) {
                    Form::LONG
                } else {
                    Form::Short
                };
                let packet = Packet { id: Id(number), form, body: body.to_vec() };
                // On the services before the lobby nothing is ever encrypted.
                link.write(&packet, encrypted && form == Form::Short, &mut wire)
            }
            Client::Mcots(link, sequence) => {
                *sequence += 1;
                let body = Body([&number.to_le_bytes(), body].concat());
                link.write(&Outgoing { sequence: *sequence, encrypted, body }, &mut wire)
            }
        };
        if written.is_ok() {
            self.feed(place, &wire);
        }
    }

    fn sign_in(&mut self, place: usize) {
        let (player, service) = CONNECTIONS[place];
        let (customer, persona) = (CustomerId(PLAYERS[player]), PersonaId(PLAYERS[player]));
        match service {
            Service::Login => {
                let context =
                    self.game.world.sessions.issue_context(customer, Ipv4Addr::LOCALHOST.into(), self.now);
                let login = UserLogin {
                    context: Str16::new(&context).unwrap(),
                    object: 0,
                    key_block: Str16::new(&PUBLIC_KEY.encrypt(&key(player)).unwrap()).unwrap(),
                    service: Str16::new("2176").unwrap(),
                    checksum: 0,
                };
                let packet = login.packet();
                self.send(place, packet.id.0, &packet.body, false);
            }
            Service::Lobby | Service::Room(_) => {
                let login = Login {
                    persona,
                    name: Name::new(&format!("Driver {player}")).unwrap(),
                    user_data: [0; 64],
                    customer,
                    flags: 0,
                    version: PStr::new("4.5.0.0").unwrap(),
                    game: PStr::new("mco").unwrap(),
                    address: PStr::new("10.10.5.8").unwrap(),
                    proof: key(player).proof(),
                };
                let packet = login.packet();
                self.send(place, packet.id.0, &packet.body, false);
                self.connections[place].signed_in = true;
            }
            Service::Mcots => {
                let connect = ClientConnect {
                    customer,
                    persona,
                    customer_name: Chars::new("").unwrap(),
                    persona_name: Chars::new(&format!("Driver {player}")).unwrap(),
                    version: 6001,
                };
                let body = connect.body();
                self.send(place, mcots::number::CLIENT_CONNECT_MSG.0, &body.0[2..], false);
                self.connections[place].signed_in = true;
            }
            _ => {}
        }
    }

    /// What the connection loop does with bytes.
    fn feed(&mut self, place: usize, bytes: &[u8]) {
        self.connections[place].server.feed(bytes);
        loop {
            let mut out = Vec::new();
            let connection = &mut self.connections[place];
            match connection.server.step(self.game, self.now, &mut out, &mut Observers::default()) {
                Ok(None) => return,
                Ok(Some(Step { unsent, commit, pushes, close })) => {
                    assert_eq!(unsent, None);
                    connection.client.hear(&out);
                    self.after(commit, pushes);
                    if close {
                        return self.reconnect(place);
                    }
                }
                Err(_) => return self.reconnect(place),
            }
        }
    }

    fn reconnect(&mut self, place: usize) {
        let new = self.connect(place);
        let old = std::mem::replace(&mut self.connections[place], new);
        self.left(&old);
    }

    fn left(&mut self, connection: &Connection) {
        let Step { unsent, commit, pushes, .. } = connection.server.leave(self.game, Move::Other, self.now);
        assert_eq!(unsent, None);
        self.after(commit, pushes);
    }

    fn after(&mut self, commit: Option<Ticket>, pushes: Vec<Push>) {
        self.tickets.extend(commit);
        for push in pushes {
            let (receivers, outbound) = match push {
                Push::Packet(receivers, packet, encryption) => {
                    (receivers, Outbound::Packet(packet, encryption))
                }
                Push::Body(receivers, body) => (receivers, Outbound::Body(body)),
                Push::Dismiss(connections) => {
                    for place in 0..self.connections.len() {
                        if connections.contains(&self.connections[place].id) {
                            self.reconnect(place);
                        }
                    }
                    continue;
                }
            };
            for connection in &mut self.connections {
                if receivers.contains(&connection.id) {
                    let mut out = Vec::new();
                    connection.server.deliver(&outbound, &mut out, &mut Observers::default()).unwrap();
                    connection.client.hear(&out);
                }
            }
        }
    }

    /// Everybody leaves. Returned is whether anything was changed that survives.
    fn end(mut self) -> bool {
        for connection in std::mem::take(&mut self.connections) {
            self.left(&connection);
        }
        let changed = !self.tickets.is_empty();
        for ticket in self.tickets {
            ticket.wait().unwrap();
        }
        if changed {
            let report = self.game.store.ledger().check().unwrap();
            assert!(report.differences.is_empty(), "{:?}", report.differences);
        }
        changed
    }
}

fn mcots_tick(game: &Game, now: Now) -> (Option<Ticket>, Vec<Push>) {
    let outcome = mcos::services::mcots::tick(game, now);
    (outcome.commit, outcome.pushes)
}

/// Both from this machine, whose failures are not counted.
fn address(player: usize) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::new(127, 0, 0, 1 + player as u8), 1042))
}

impl Client {
    /// What the server writes can be read, all of it.
    fn hear(&mut self, bytes: &[u8]) {
        match self {
            Self::Nps(link) => {
                link.feed(bytes);
                while let Some(incoming) = link.next().unwrap() {
                    readable(
                        incoming.packet.id,
                        nps::id::TABLE.iter().find(|row| row.id == incoming.packet.id).map(|row| row.layouts),
                        &incoming.packet.body,
                    );
                }
            }
            Self::Mcots(link, _) => {
                link.feed(bytes);
                while let Some(incoming) = link.next().unwrap() {
                    let number = incoming.body.number().unwrap();
                    readable(
                        number,
                        mcots::number::TABLE.iter().find(|row| row.number == number).map(|row| row.layouts),
                        &incoming.body.0[2..],
                    );
                }
            }
        }
    }
}

/// One of the layouts of a message from the server fits, if any is known. Without a body it is only a sign: ACK has one on one service.
fn readable(number: impl Display, layouts: Option<&[Layout]>, body: &[u8]) {
    let mut known =
        layouts.unwrap_or_default().iter().filter(|layout| layout.sender == Sender::Server).peekable();
    let fits = body.is_empty() || known.peek().is_none() || known.any(|layout| (layout.decode)(body).is_ok());
    assert!(fits, "{number}: {body:02x?}");
}

/// Each message of the Client, filled with zeros, ones and twos, from both players where they are signed in, and once
/// where they are not.
fn seeds() -> Vec<Vec<u8>> {
    let sign_in: Vec<u8> = (0..CONNECTIONS.len() as u8).map(|place| 0x40 | place).collect();
    let messages = |layouts: &[Layout], number: u16, places: &[u8], seeds: &mut Vec<Vec<u8>>| {
        for layout in layouts.iter().filter(|layout| layout.sender == Sender::Client) {
            for body in [0, 1, 2].into_iter().filter_map(|fill| (layout.decode)(&[fill; 512]).ok()) {
                let body = body.encode();
                let mut messages = Vec::new();
                for place in places {
                    messages.push(*place);
                    messages.extend(number.to_be_bytes());
                    messages.extend((body.len() as u16).to_be_bytes());
                    messages.extend(&body);
                }
                seeds.push([&sign_in[..], &messages, &[0x70, 60]].concat());
                seeds.push(messages);
            }
        }
    };
    let mut seeds = Vec::new();
    for row in nps::id::TABLE {
        let places: &[u8] = match row.id.0 {
            0x0500.. => &[0, 1, 2],
            _ => &[2, 3, 4, 5, 7, 8, 9],
        };
        messages(row.layouts, row.id.0, places, &mut seeds);
    }
    for row in mcots::number::TABLE {
        messages(row.layouts, row.number.0, &[6, 10], &mut seeds);
    }
    seeds.push([&sign_in[..], &[0x33, 9], &[0x11, 1, 0, 9, 1, 2, 3, 4, 5]].concat());
    seeds
}
