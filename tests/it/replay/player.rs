//! Plays the Client's side of a recording.

use super::USER;
use super::recording::{Message, Number, Port, answers, bytes, json, with_context};
use crate::support::{PASSWORD, PATIENCE, Server};
use mco_proto::mcots;
use mco_proto::mcots::number;
use mco_proto::nps::{self, Headers, Packet, id};
use mco_proto::session_key::SessionKey;
use serde_json::Value;
use std::collections::VecDeque;
use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a server may take that has left an answer out before.
const LESS_PATIENCE: Duration = Duration::from_secs(2);

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
    fn number(&self) -> Number {
        match self {
            Self::Nps(incoming) => Number::Game(incoming.packet.id),
            Self::Mcots(incoming) => Number::Transaction(incoming.body.number().unwrap_or_default()),
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
pub(super) struct Replay<'a> {
    pub(super) server: &'a Server,
    key: SessionKey,
    context: String,
    events: Vec<Event>,
    connections: Vec<Connection>,
    pub(super) messages: Vec<Message>,
    pub(super) room: Option<u16>,
    pub(super) room_data: [u8; 64],
    late: bool,
}

impl<'a> Replay<'a> {
    pub(super) fn of(run: &Path, server: &'a Server) -> Self {
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
    pub(super) fn play(mut self) -> (usize, Vec<String>) {
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
                Some(other) => Err(format!("7003: {} instead of the greeting", other.number())),
                None => Err("7003: no greeting".to_owned()),
            },
            Port::Room => match self.receive(connection, Duration::from_millis(100)) {
                None => Ok(()),
                Some(early) => Err(format!("9001: {} before the Client spoke", early.number())),
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
            let number = if port == Port::Mcots {
                Number::Transaction(mcots::Number(number))
            } else {
                Number::Game(nps::Id(number))
            };
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
            .filter(|at| !self.messages[*at].missing.is_empty())
            .collect();
        for at in late {
            self.late = true;
            let missing = std::mem::take(&mut self.messages[at].missing);
            let names: Vec<String> = missing.iter().map(ToString::to_string).collect();
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
        let after_logout =
            asked.last().is_some_and(|at| self.messages[*at].number == Number::Transaction(number::LOGOUT));
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
                        if incoming.packet.id == id::LOGIN_RESP && !incoming.encrypted {
                            link.start_encryption(&self.key);
                        }
                        arrived.push_back(Arrival::Nps(incoming));
                    }
                }
                Link::Mcots(link) => {
                    link.feed(&buffer[..count]);
                    while let Some(incoming) = link.next().expect("the server's stream is understood") {
                        if !incoming.flags.has(mcots::Flags::ENCRYPTED) {
                            link.start_encryption(&self.key);
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
        let sequence = match arrival {
            Arrival::Mcots(incoming) => Some(incoming.sequence),
            Arrival::Nps(_) => None,
        };
        let mut awaiting = asked.iter().copied().filter(|at| self.messages[*at].missing.contains(&number));
        let first = awaiting.clone().next();
        let exact =
            awaiting.find(|at| sequence.is_none_or(|sequence| self.messages[*at].sequence == sequence));
        if let Some(at) = exact.or(first) {
            let message = &mut self.messages[at];
            message.missing.retain(|missing| *missing != number);
            if exact.is_none() {
                message.faults.push(format!("{number} carries the sequence number {sequence:?}"));
            }
            let faults = match arrival {
                Arrival::Nps(incoming) => self.judge_nps(at, incoming),
                Arrival::Mcots(incoming) => self.judge_mcots(at, incoming),
            };
            self.messages[at].faults.extend(faults);
            return;
        }
        let last = asked.last().copied();
        let known_push = matches!(*port, Port::Lobby | Port::Room)
            && matches!(
                number,
                Number::Game(id::USER_INFO | id::USER_LEFT_CHANNEL | id::USER_JOINED_CHANNEL)
            );
        let second_status = *port == Port::Login
            && number == Number::Game(id::USER_VALID)
            && !std::mem::replace(repeated, true);
        if let Some(last) = last
            && !known_push
            && !second_status
        {
            self.messages[last].faults.push(format!("{number} came, which answers nothing"));
        }
    }
}
