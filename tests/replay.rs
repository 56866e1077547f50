//! Plays the Client's side of recorded sittings to the real server: every recorded byte in recorded order, over all
//! connections, still under the recorded Session Key. Only the Context inside 0x0501 is exchanged for a valid one.
//!
//! The recordings are not part of this repository. `MCOS_CAPTURES` says where they are; without it they are looked for
//! beside the project, in `../shared/captures`.

mod support;

use mcos::client::nps::read as read_packet;
use mcos::client::sitting::{FirstCar, Transactions};
use mcos::protocol::ids::{CommId, CustomerId, PersonaId, ShardId};
use mcos::protocol::mcots::garage::{OwnedParts, OwnedVehicles, VehicleInfo};
use mcos::protocol::mcots::lists::{ArcadeCars, EntryFeePurses, GameUrls, Lobbies, Tunables};
use mcos::protocol::mcots::player::{PlayerInfo, PlayerPhysicalInfo, PlayerRacingHistory};
use mcos::protocol::mcots::session::LoginComplete;
use mcos::protocol::mcots::{self, GenericReply, number};
use mcos::protocol::nps::lobby::{
    ChannelClosed, ChannelGranted, LoginResponse, MiniRiffList, MiniUserList, ServerInfo, SetMyUserData,
    UserInfo, UserList,
};
use mcos::protocol::nps::login::UserStatus;
use mcos::protocol::nps::mail::MailList;
use mcos::protocol::nps::persona::{BuddyListCount, PersonaList};
use mcos::protocol::nps::{self, Form, Headers, Packet, id};
use mcos::protocol::session_key::SessionKey;
use serde_json::Value;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use support::{PASSWORD, PATIENCE, Server, skipped};

const USER: &str = "drbrown";
const CUSTOMER: CustomerId = CustomerId(5_551_212);
const PERSONA: PersonaId = PersonaId(21);
const NAME: &str = "Dr Brown";
const SHARD: ShardId = ShardId(44);
/// The recorded Client asks for this car.
const CAR: u32 = 1;

/// How long a server may take that has left an answer out before.
const LESS_PATIENCE: Duration = Duration::from_secs(2);

#[test]
fn every_message_of_the_recorded_sittings_gets_the_answer_the_real_client_accepted() {
    let folder = captures();
    let runs = runs(&folder);
    if runs.is_empty() {
        skipped(&format!("no captures at {}: the recorded sittings were not replayed", folder.display()));
        return;
    }
    let server = prepared(&folder);
    let mut shortcomings = Vec::new();
    for run in runs {
        let name = run.file_name().unwrap().to_string_lossy().into_owned();
        let (total, short) = Replay::of(&run, &server).play();
        let _ = writeln!(
            std::io::stderr(),
            "{name}: {} of {total} Client messages answered as recorded",
            total - short.len().min(total)
        );
        assert!(total > 20, "{name} holds next to nothing");
        shortcomings.extend(short.into_iter().map(|what| format!("{name}: {what}")));
    }
    assert!(shortcomings.is_empty(), "fell short:\n{}", shortcomings.join("\n"));
}

fn captures() -> PathBuf {
    std::env::var_os("MCOS_CAPTURES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures"), PathBuf::from)
}

/// The folders of recorded sittings, named after their time.
fn runs(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let mut runs: Vec<PathBuf> = entries.filter(|path| path.join("login_run.json").is_file()).collect();
    runs.sort();
    runs
}

/// A server with the recorded Client's key, account and persona, and one car in its garage.
fn prepared(captures: &Path) -> Server {
    let mut server = Server::prepare();
    let key = server.path().join("login.pem");
    fs::write(&key, login_key(captures)).unwrap();
    server.must(&["keys", "import-login", key.to_str().unwrap()], "");
    let customer = CUSTOMER.to_string();
    server.must(
        &["account", "add", USER, "--password-stdin", "--customer-id", &customer],
        &format!("{PASSWORD}\n"),
    );
    server.must(&["persona", "add", USER, NAME, "--persona-id", &PERSONA.to_string()], "");
    server.start();
    smol::block_on(async {
        let driver = server.driver(USER, NAME).await;
        let stock =
            Transactions::stock(&driver.account.place, mcos::protocol::ids::DealerId(8)).await.unwrap();
        let first = stock.cars.first().expect("dealer 8 sells cars");
        let mut mcots = driver.transactions().await.unwrap();
        let car =
            FirstCar { dealer: stock.dealer, model: first.model, skin: mcos::protocol::ids::SkinId(47) };
        mcots.sign_in(Some(car)).await.unwrap();
        let cars = mcots.cars().await.unwrap();
        assert_eq!(cars.iter().map(|car| car.vehicle.0).collect::<Vec<_>>(), [CAR]);
        mcots.logout().await.unwrap();
        driver.leave().await.unwrap();
        server.await_population(0).await;
    });
    server
}

/// The publicly known key pair whose public half the recorded Client had, as a PEM file.
fn login_key(captures: &Path) -> String {
    use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};
    use rsa::{BigUint, RsaPrivateKey};
    let document: Value = json(&captures.join("login_key.json"));
    let number = |name: &str| BigUint::parse_bytes(document[name].as_str().unwrap().as_bytes(), 16).unwrap();
    let key =
        RsaPrivateKey::from_components(number("n"), number("e"), number("d"), vec![number("p"), number("q")]);
    key.unwrap().to_pkcs8_pem(LineEnding::LF).unwrap().to_string()
}

fn json(file: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// A port of the recording.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Port {
    Login,
    Persona,
    Mail,
    Lobby,
    Room,
    Mcots,
}

impl Port {
    fn of(number: u64) -> Option<Self> {
        Some(match number {
            8226 => Self::Login,
            8228 => Self::Persona,
            8227 => Self::Mail,
            7003 => Self::Lobby,
            9001 => Self::Room,
            43300 => Self::Mcots,
            // HTTP: only the server's side was recorded.
            _ => return None,
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Login => "8226",
            Self::Persona => "8228",
            Self::Mail => "8227",
            Self::Lobby => "7003",
            Self::Room => "9001",
            Self::Mcots => "43300",
        }
    }
}

/// The answers to a request; several only where the recorded server sent several.
fn answers(port: Port, request: u16) -> &'static [u16] {
    match (port, request) {
        (Port::Mcots, number::CLIENT_CONNECT_MSG | number::LOGOUT) => &[number::SUCCESS],
        (Port::Mcots, number::LOGIN) => &[number::LOGIN_COMPLETE],
        (Port::Mcots, number::GET_LOBBIES) => &[number::LOBBIES, number::ENTRYFEE_PURSE_INFO],
        (Port::Mcots, number::GET_ARCADE_CARS) => &[number::ARCADE_CARS],
        (Port::Mcots, number::GET_GAME_URLS) => &[number::GAME_URLS],
        (Port::Mcots, number::GET_MCO_TUNABLES) => &[number::MCO_TUNABLES],
        (Port::Mcots, number::GET_OWNED_VEHICLES) => &[number::OWNED_VEHICLES_LIST],
        (Port::Mcots, number::GET_PLAYER_INFO) => &[number::GET_PLAYER_INFO],
        (Port::Mcots, number::GET_PLAYER_PHYSICAL) => &[number::PLAYER_PHYSICAL_INFO],
        (Port::Mcots, number::GET_OWNED_PARTS) => &[number::OWNED_PARTS_LIST],
        (Port::Mcots, number::GET_COMPLETE_VEHICLE_INFO) => &[number::VEHICLE_INFO],
        (Port::Mcots, number::GET_PLAYER_RACING_HISTORY) => &[number::PLAYER_RACING_HISTORY],
        (Port::Mcots, number::TRACKING_MSG) => &[],
        (Port::Login, id::USER_LOGIN) => &[id::USER_VALID],
        (Port::Persona, id::GET_PERSONA_MAPS) => &[id::GAME_ACCOUNT_INFO],
        (Port::Persona, id::REGISTER_GAME_LOGIN | id::REGISTER_GAME_LOGOUT) => &[id::ACK],
        (Port::Persona, id::GET_BUDDY_LIST) => &[id::BUDDY_LIST_COUNT],
        (Port::Mail, id::LIST_EMAILS) => &[id::MAIL_LIST],
        (Port::Lobby | Port::Room, id::LOGIN) => &[id::LOGIN_RESP],
        (Port::Lobby | Port::Room, id::SEND_MINI_RIFF_LIST) => &[id::MINI_RIFF_LIST],
        (Port::Lobby | Port::Room, id::GET_MINI_USER_LIST) => &[id::MINI_USER_LIST],
        (Port::Lobby, id::GET_SERVER_INFO) => &[id::SERVER_INFO],
        (Port::Lobby | Port::Room, id::SET_MY_USER_DATA) => &[id::USER_INFO],
        (Port::Room, id::OPEN_COMM_CHANNEL) => &[id::CHANNEL_GRANTED],
        (Port::Room, id::GET_USER_LIST) => &[id::USER_LIST],
        (Port::Room, id::CLOSE_COMM_CHANNEL) => &[id::CHANNEL_CLOSED],
        _ => {
            panic!("the recording holds message {request} on {}, which this test does not know", port.name())
        }
    }
}

/// One message of the Client and what became of it.
struct Message {
    port: Port,
    number: u16,
    sequence: u32,
    /// Decrypted, from the message number on (MCOTS) or behind the header (NPS).
    body: Vec<u8>,
    /// Answers that did not come yet.
    missing: Vec<u16>,
    faults: Vec<String>,
}

impl Message {
    fn verdict(&self) -> Option<String> {
        let mut faults = self.faults.clone();
        if !self.missing.is_empty() {
            faults.push(format!(
                "no answer {}",
                self.missing.iter().map(|id| self.shown(*id)).collect::<Vec<_>>().join(", ")
            ));
        }
        let place = format!("{} {}", self.port.name(), self.shown(self.number));
        (!faults.is_empty()).then(|| format!("{place}: {}", faults.join("; ")))
    }

    fn shown(&self, number: u16) -> String {
        if self.port == Port::Mcots {
            format!("{} ({number})", mcots::number::name(number))
        } else {
            format!("{} (0x{number:04x})", nps::id::name(number))
        }
    }
}

/// The link of a connection, from the Client's end.
enum Link {
    Nps(nps::Link),
    Mcots(mcots::Link),
}

/// Something the server sent.
enum Arrival {
    Nps(nps::Incoming),
    Mcots(mcots::Incoming),
}

impl Arrival {
    fn number(&self) -> u16 {
        match self {
            Self::Nps(incoming) => incoming.packet.id,
            Self::Mcots(incoming) => incoming.body.number().unwrap_or_default(),
        }
    }
}

/// One recorded connection.
struct Connection {
    port: Port,
    stream: Option<TcpStream>,
    link: Link,
    /// Indices into [`Replay::messages`], oldest first.
    asked: Vec<usize>,
    arrived: VecDeque<Arrival>,
    /// The second 0x0601.
    repeated: bool,
}

/// A moment of the recording: when, its place in its connection, which connection, what.
type Event = (f64, usize, usize, Value);

/// A sitting being replayed.
struct Replay<'a> {
    server: &'a Server,
    key: SessionKey,
    context: String,
    events: Vec<Event>,
    connections: Vec<Connection>,
    messages: Vec<Message>,
    room: Option<u16>,
    room_data: [u8; 64],
    late: bool,
}

impl<'a> Replay<'a> {
    fn of(run: &Path, server: &'a Server) -> Self {
        let login = json(&run.join("login_run.json"));
        let key = bytes(login["session_key"].as_str().unwrap());
        let mut files: Vec<PathBuf> = fs::read_dir(run).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let mut events: Vec<Event> = Vec::new();
        let mut connections = Vec::new();
        for file in files.iter().filter(|file| file.file_name().unwrap() != "login_run.json") {
            let document = json(file);
            let Some(port) = document["port"].as_u64().and_then(Port::of) else { continue };
            let begun = document["t0_ms"].as_f64().unwrap();
            for (place, event) in document["events"].as_array().unwrap().iter().enumerate() {
                events.push((
                    begun + event["t_ms"].as_f64().unwrap(),
                    place,
                    connections.len(),
                    event.clone(),
                ));
            }
            let link = match port {
                Port::Mcots => Link::Mcots(mcots::Link::new()),
                Port::Login | Port::Persona => Link::Nps(nps::Link::new(Headers::Either, nps::Link::LARGEST)),
                _ => Link::Nps(nps::Link::new(Headers::Short, nps::Link::LARGEST)),
            };
            let (asked, arrived) = (Vec::new(), VecDeque::new());
            connections.push(Connection { port, stream: None, link, asked, arrived, repeated: false });
        }
        events.sort_by(|a, b| (a.0, a.1, a.2).partial_cmp(&(b.0, b.1, b.2)).unwrap());
        let context = smol::block_on(server.web().auth(USER, PASSWORD)).unwrap();
        Self {
            server,
            key: SessionKey::new(key.try_into().unwrap()),
            context: context.as_str().to_owned(),
            events,
            connections,
            messages: Vec::new(),
            room: None,
            room_data: [0; 64],
            late: false,
        }
    }

    /// Plays it all; how many Client messages there are, and which fell short.
    fn play(mut self) -> (usize, Vec<String>) {
        let mut short = Vec::new();
        for (_, _, connection, event) in std::mem::take(&mut self.events) {
            if self.connections[connection].stream.is_none() {
                short.extend(self.connect(connection).err());
            }
            match event["dir"].as_str().unwrap() {
                "c2s" => self.send(connection, &event),
                "s2c" => self.settle(connection),
                "disconnect" => short.extend(self.hang_up(connection).err()),
                other => panic!("an event of kind {other}"),
            }
        }
        for connection in 0..self.connections.len() {
            short.extend(self.hang_up(connection).err());
        }
        short.extend(self.messages.iter().filter_map(Message::verdict));
        (self.messages.len(), short)
    }

    /// Connects; on 7003 the server must greet, in a room it must not.
    fn connect(&mut self, connection: usize) -> Result<(), String> {
        let port = self.connections[connection].port;
        let service = match port {
            Port::Login => "login",
            Port::Persona => "persona",
            Port::Mail => "mail",
            Port::Lobby => "lobby",
            Port::Room => "room",
            Port::Mcots => "mcots",
        };
        let number = if port == Port::Room { self.room } else { None };
        let number = number.unwrap_or_else(|| self.server.port(service));
        let stream =
            TcpStream::connect(("127.0.0.1", number)).map_err(|error| format!("{}: {error}", port.name()))?;
        stream.set_nodelay(true).unwrap();
        self.connections[connection].stream = Some(stream);
        match port {
            Port::Lobby => match self.receive(connection, PATIENCE) {
                Some(Arrival::Nps(incoming)) if incoming.packet == Packet::bare(id::OK_TO_LOGIN) => Ok(()),
                Some(other) => Err(format!("7003: 0x{:04x} instead of the greeting", other.number())),
                None => Err("7003: no greeting".to_owned()),
            },
            Port::Room => match self.receive(connection, Duration::from_millis(100)) {
                None => Ok(()),
                Some(early) => Err(format!("9001: 0x{:04x} before the Client spoke", early.number())),
            },
            _ => Ok(()),
        }
    }

    /// Sends what the Client sent, byte for byte.
    fn send(&mut self, connection: usize, event: &Value) {
        let port = self.connections[connection].port;
        let mut wire = bytes(event["hex"].as_str().unwrap());
        for packet in event["packets"].as_array().unwrap() {
            let text = |name: &str| packet[name].as_str().unwrap_or_default().to_owned();
            let message = if port == Port::Mcots {
                let body = if text("plain").is_empty() { text("body") } else { text("plain") };
                (packet["msgno"].as_u64().unwrap(), packet["seq"].as_u64().unwrap(), bytes(&body))
            } else if text("plain").is_empty() {
                (u64::from_str_radix(&text("id"), 16).unwrap(), 0, bytes(&text("body")))
            } else {
                (u64::from_str_radix(&text("inner_id"), 16).unwrap(), 0, bytes(&text("plain"))[4..].to_vec())
            };
            let number = u16::try_from(message.0).unwrap();
            let sequence = u32::try_from(message.1).unwrap();
            let missing = answers(port, number).to_vec();
            self.connections[connection].asked.push(self.messages.len());
            self.messages.push(Message {
                port,
                number,
                sequence,
                body: message.2,
                missing,
                faults: Vec::new(),
            });
        }
        if port == Port::Login {
            wire = with_context(&wire, &self.context);
        }
        let sent = self.connections[connection].stream.as_mut().map(|stream| stream.write_all(&wire));
        if !matches!(sent, Some(Ok(()))) {
            let last = *self.connections[connection].asked.last().unwrap();
            self.messages[last].faults.push("could not be sent".to_owned());
        }
    }

    /// Takes answers until nothing is outstanding on this connection, as the Client had its answer at this moment.
    fn settle(&mut self, connection: usize) {
        let patience = if self.late { LESS_PATIENCE } else { PATIENCE };
        let deadline = Instant::now() + patience;
        while self.connections[connection].asked.iter().any(|at| !self.messages[*at].missing.is_empty()) {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { break };
            let Some(arrival) = self.receive(connection, left) else { break };
            self.judge(connection, &arrival);
        }
        let late: Vec<usize> = self.connections[connection]
            .asked
            .iter()
            .copied()
            .filter(|at| !self.messages[*at].missing.is_empty() && self.messages[*at].faults.is_empty())
            .collect();
        for at in late {
            self.late = true;
            let missing = std::mem::take(&mut self.messages[at].missing);
            let names: Vec<String> = missing.iter().map(|id| self.messages[at].shown(*id)).collect();
            self.messages[at].faults.push(format!("no answer {}", names.join(", ")));
        }
    }

    /// Closes as the Client did. A server that did so first, other than after the logout, has cut the Client off.
    fn hang_up(&mut self, connection: usize) -> Result<(), String> {
        self.settle(connection);
        while let Some(arrival) = self.receive(connection, Duration::from_millis(20)) {
            self.judge(connection, &arrival);
        }
        let Connection { port, stream, asked, .. } = &mut self.connections[connection];
        let Some(mut stream) = stream.take() else { return Ok(()) };
        let after_logout = asked.last().is_some_and(|at| self.messages[*at].number == number::LOGOUT);
        stream.set_nonblocking(true).unwrap();
        match stream.read(&mut [0]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            _ if *port == Port::Mcots && after_logout => Ok(()),
            _ => {
                Err(format!("{}: the server closed the connection, which is the Client's part", port.name()))
            }
        }
    }

    /// The next packet; `None` if none comes in time or the server hung up.
    fn receive(&mut self, connection: usize, patience: Duration) -> Option<Arrival> {
        let deadline = Instant::now() + patience;
        let Connection { stream, link, arrived, .. } = &mut self.connections[connection];
        let stream = stream.as_mut()?;
        loop {
            if let Some(arrival) = arrived.pop_front() {
                return Some(arrival);
            }
            let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
            stream.set_nonblocking(false).unwrap();
            stream.set_read_timeout(Some(left)).unwrap();
            let mut buffer = [0; 4096];
            let count = match stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(count) => count,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return None;
                }
                Err(_) => return None,
            };
            // The key starts to count right behind the answer that lets the Client in, which may share a segment
            // with what follows: so packet by packet.
            match link {
                Link::Nps(link) => {
                    link.feed(&buffer[..count]);
                    while let Some(incoming) = link.next().expect("the server's stream is understood") {
                        if incoming.packet.id == id::LOGIN_RESP && !incoming.sealed {
                            link.unlock(&self.key);
                        }
                        arrived.push_back(Arrival::Nps(incoming));
                    }
                }
                Link::Mcots(link) => {
                    link.feed(&buffer[..count]);
                    while let Some(incoming) = link.next().expect("the server's stream is understood") {
                        if !incoming.flags.has(mcots::Flags::ENCRYPTED) {
                            link.unlock(&self.key);
                        }
                        arrived.push_back(Arrival::Mcots(incoming));
                    }
                }
            }
        }
    }

    /// Finds the message that something answers, and holds it against that message.
    fn judge(&mut self, connection: usize, arrival: &Arrival) {
        let number = arrival.number();
        let Connection { port, asked, repeated, .. } = &mut self.connections[connection];
        let found = asked.iter().copied().find(|at| {
            let message = &self.messages[*at];
            let sequence = match arrival {
                Arrival::Mcots(incoming) => incoming.sequence,
                Arrival::Nps(_) => 0,
            };
            message.missing.contains(&number) && message.sequence == sequence
        });
        if let Some(at) = found {
            self.messages[at].missing.retain(|missing| *missing != number);
            let faults = match arrival {
                Arrival::Nps(incoming) => self.judge_nps(at, incoming),
                Arrival::Mcots(incoming) => self.judge_mcots(at, incoming),
            };
            self.messages[at].faults.extend(faults);
            return;
        }
        let last = asked.last().copied();
        let known_push =
            matches!(*port, Port::Lobby | Port::Room) && matches!(number, id::USER_INFO | 0x0208 | 0x020c);
        let second_status =
            *port == Port::Login && number == id::USER_VALID && !std::mem::replace(repeated, true);
        if let Some(last) = last
            && !known_push
            && !second_status
        {
            let shown = self.messages[last].shown(number);
            self.messages[last].faults.push(format!("{shown} came, which answers nothing"));
        }
    }

    fn judge_nps(&mut self, at: usize, incoming: &nps::Incoming) -> Vec<String> {
        let mut faults = Vec::new();
        let Message { port, number, ref body, .. } = self.messages[at];
        let packet = &incoming.packet;
        let sealed = matches!(port, Port::Lobby | Port::Room) && number != id::LOGIN;
        expect(&mut faults, "encrypted", incoming.sealed, sealed);
        let channel = body.first_chunk().map_or(CommId(0), |bytes| CommId(u32::from_be_bytes(*bytes)));
        let rooms = self.server.ports("room");
        match packet.id {
            id::USER_VALID => check::<UserStatus>(packet, &mut faults, |status, faults| {
                expect(faults, "customer", status.customer, CUSTOMER);
            }),
            id::GAME_ACCOUNT_INFO => check::<PersonaList>(packet, &mut faults, |list, faults| {
                let found: Vec<_> = list
                    .personas
                    .iter()
                    .map(|entry| (entry.persona, entry.shard, entry.name.to_string()))
                    .collect();
                expect(faults, "personas", found, vec![(PERSONA, SHARD, NAME.to_owned())]);
            }),
            id::BUDDY_LIST_COUNT => check::<BuddyListCount>(packet, &mut faults, |_, _| ()),
            id::MAIL_LIST => check::<MailList>(packet, &mut faults, |_, _| ()),
            id::LOGIN_RESP => check::<LoginResponse>(packet, &mut faults, |response, faults| {
                expect(
                    faults,
                    "user",
                    (response.persona, response.name.to_string()),
                    (PERSONA, NAME.to_owned()),
                );
            }),
            id::MINI_RIFF_LIST => check::<MiniRiffList>(packet, &mut faults, |list, faults| {
                let room = list.riffs.iter().any(|riff| riff.channel == CommId(1));
                expect(faults, "room 1, which the Client asks for next, is listed", room, true);
            }),
            id::MINI_USER_LIST => check::<MiniUserList>(packet, &mut faults, |list, faults| {
                expect(faults, "channel", list.channel, channel);
                let me =
                    list.users.iter().any(|user| user.persona == PERSONA && user.name.to_string() == NAME);
                expect(faults, "lists the asker", me, true);
            }),
            id::SERVER_INFO => check::<ServerInfo>(packet, &mut faults, |info, faults| {
                expect(faults, "channel", info.channel, channel);
                expect(faults, "address", info.address.to_string(), "127.0.0.1".to_owned());
                let port = u16::try_from(info.port).unwrap_or_default();
                expect(faults, "port is a room's", rooms.contains(&port), true);
                self.room = Some(port);
            }),
            id::USER_INFO => check::<UserInfo>(packet, &mut faults, |info, faults| {
                expect(faults, "user", (info.persona, info.name.to_string()), (PERSONA, NAME.to_owned()));
                let sent = Packet { id: id::SET_MY_USER_DATA, form: Form::Short, body: body.clone() };
                let sent: SetMyUserData = sent.read().expect("the recording parses");
                expect(faults, "user data", info.user_data, sent.user_data);
                if port == Port::Room {
                    self.room_data = sent.user_data;
                }
            }),
            id::CHANNEL_GRANTED => check::<ChannelGranted>(packet, &mut faults, |granted, faults| {
                expect(faults, "channel", granted.channel, channel);
                let port = u16::try_from(granted.port).unwrap_or_default();
                expect(faults, "port is a room's", rooms.contains(&port), true);
            }),
            id::USER_LIST => check::<UserList>(packet, &mut faults, |list, faults| {
                expect(faults, "channel", list.channel, channel);
                let mine = list.users.iter().find(|user| user.persona == PERSONA).map(|user| user.user_data);
                expect(faults, "my user data", mine, Some(self.room_data));
            }),
            id::CHANNEL_CLOSED => check::<ChannelClosed>(packet, &mut faults, |closed, faults| {
                expect(faults, "channel", closed.channel, channel);
            }),
            // Length and content of an ACK do not matter.
            id::ACK => (),
            other => faults.push(format!("0x{other:04x} is an answer without a check")),
        }
        faults
    }

    fn judge_mcots(&self, at: usize, incoming: &mcots::Incoming) -> Vec<String> {
        let mut faults = Vec::new();
        let message = &self.messages[at];
        let body = &incoming.body;
        let clear = message.number == number::CLIENT_CONNECT_MSG;
        expect(&mut faults, "flags", incoming.flags.0, if clear { 0 } else { mcots::Flags::ENCRYPTED });
        match body.number().unwrap_or_default() {
            number::SUCCESS => inspect::<GenericReply>(body, &mut faults, |reply, faults| {
                expect(faults, "request", reply.request, message.number);
            }),
            number::LOGIN_COMPLETE => inspect::<LoginComplete>(body, &mut faults, |_, _| ()),
            number::LOBBIES => inspect::<Lobbies>(body, &mut faults, |list, faults| {
                expect(faults, "any lobbies", list.lobbies.is_empty(), false);
            }),
            number::ENTRYFEE_PURSE_INFO => inspect::<EntryFeePurses>(body, &mut faults, |_, _| ()),
            number::ARCADE_CARS => inspect::<ArcadeCars>(body, &mut faults, |_, _| ()),
            number::GAME_URLS => inspect::<GameUrls>(body, &mut faults, |_, _| ()),
            number::MCO_TUNABLES => inspect::<Tunables>(body, &mut faults, |_, _| ()),
            number::OWNED_VEHICLES_LIST => inspect::<OwnedVehicles>(body, &mut faults, |list, faults| {
                expect(faults, "car 1 is listed", list.vehicles.iter().any(|car| car.vehicle.0 == CAR), true);
            }),
            number::GET_PLAYER_INFO => inspect::<PlayerInfo>(body, &mut faults, |info, faults| {
                expect(faults, "player", (info.player, info.name.to_string()), (PERSONA, NAME.to_owned()));
            }),
            number::PLAYER_PHYSICAL_INFO => {
                inspect::<PlayerPhysicalInfo>(body, &mut faults, |info, faults| {
                    expect(faults, "player", info.physical.player, PERSONA);
                })
            }
            number::OWNED_PARTS_LIST => inspect::<OwnedParts>(body, &mut faults, |list, faults| {
                expect(faults, "owner", list.owner, PERSONA);
            }),
            number::VEHICLE_INFO => inspect::<VehicleInfo>(body, &mut faults, |info, faults| {
                expect(faults, "vehicle", info.vehicle.0, CAR);
                expect(faults, "owner", info.owner, PERSONA);
                expect(faults, "any parts", info.parts.is_empty(), false);
            }),
            number::PLAYER_RACING_HISTORY => {
                inspect::<PlayerRacingHistory>(body, &mut faults, |list, faults| {
                    expect(faults, "player", list.player, PERSONA);
                })
            }
            other => faults.push(format!("{other} is an answer without a check")),
        }
        faults
    }
}

/// Parses an NPS answer and looks at it.
fn check<M: nps::Message>(
    packet: &Packet,
    faults: &mut Vec<String>,
    look: impl FnOnce(&M, &mut Vec<String>),
) {
    match read_packet::<M>(packet) {
        Ok(message) => look(&message, faults),
        Err(error) => faults.push(format!("0x{:04x} does not parse: {error}", packet.id)),
    }
}

/// Parses an MCOTS answer and looks at it. It must also be written anew to the same bytes, so nothing is left over.
fn inspect<R: mcos::protocol::Wire>(
    body: &mcots::Body,
    faults: &mut Vec<String>,
    look: impl FnOnce(&R, &mut Vec<String>),
) {
    let number = body.number().unwrap_or_default();
    match body.read::<R>() {
        Ok(message) => {
            expect(faults, "size", body.0.len(), mcots::Body::carrying(number, &message).0.len());
            look(&message, faults);
        }
        Err(error) => faults.push(format!("{number} does not parse: {error}")),
    }
}

fn expect<T: PartialEq + std::fmt::Debug>(faults: &mut Vec<String>, what: &str, found: T, wanted: T) {
    if found != wanted {
        faults.push(format!("{what}: {found:?}, not {wanted:?}"));
    }
}

/// 0x0501 with another Context and the lengths that go with it; every other byte stays.
fn with_context(wire: &[u8], context: &str) -> Vec<u8> {
    let old = usize::from(u16::from_be_bytes([wire[12], wire[13]]));
    let rest = &wire[14 + old..];
    let length = u16::try_from(14 + context.len() + rest.len()).unwrap();
    let mut new = wire[..2].to_vec();
    new.extend_from_slice(&length.to_be_bytes());
    new.extend_from_slice(&wire[4..8]);
    new.extend_from_slice(&u32::from(length).to_be_bytes());
    new.extend_from_slice(&u16::try_from(context.len()).unwrap().to_be_bytes());
    new.extend_from_slice(context.as_bytes());
    new.extend_from_slice(rest);
    new
}
