//! A recording, read from its folder and put in order.

use crate::client::Service;
use crate::recording::{EXTENSION, FORMAT, Line, Passed, Side};
use mco_proto::ids::{CustomerId, PersonaId};
use mco_proto::mcots::session::ClientConnect;
use mco_proto::mcots::{Body, Flags, number};
use mco_proto::nps::lobby::Login;
use mco_proto::nps::login::UserStatus;
use mco_proto::nps::{self, Form, Headers, Packet, id};
use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The largest file that is read, in bytes; recordings of this server are far smaller.
const LARGEST: u64 = 64 << 20;
/// The most files that are read.
const MAX_FILES: usize = 10_000;

/// Why a folder cannot be replayed.
#[derive(Debug)]
pub struct RecordingError {
    path: PathBuf,
    problem: Problem,
}

/// What is wrong with a folder or a file.
#[derive(Debug)]
enum Problem {
    /// The system cannot read it.
    Io(io::Error),
    /// The folder has no files of a recording.
    NoFiles,
    /// It is larger than any recording, in bytes.
    TooLarge(u64),
    /// It has a format of a newer mcos.
    TooNew(u32),
    /// A line, counted from 1, is damaged; how.
    Line(usize, String),
    /// There is nothing in it.
    Empty,
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const AGAIN: &str = "the file is damaged, copy it from its source again";
        write!(f, "cannot replay {}: ", self.path.display())?;
        match &self.problem {
            Problem::Io(why) => why.fmt(f),
            Problem::NoFiles => write!(
                f,
                "it has no files *.{EXTENSION}; name a folder that \"mcos serve --record\" has written"
            ),
            Problem::TooLarge(size) => write!(f, "{size} bytes are more than any recording has"),
            Problem::TooNew(format) => {
                write!(f, "it has format {format}, from a newer mcos; update this one")
            }
            Problem::Line(number, why) => write!(f, "line {number}: {why}; {AGAIN}"),
            Problem::Empty => write!(f, "it is empty; {AGAIN}"),
        }
    }
}

impl std::error::Error for RecordingError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Problem::Io(why) = &self.problem { Some(why) } else { None }
    }
}

impl From<io::Error> for Problem {
    fn from(why: io::Error) -> Self {
        Self::Io(why)
    }
}

/// Everything that passed on all connections.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) connections: Vec<Connection>,
    /// In the order in which they were recorded.
    pub(super) events: Vec<Event>,
    /// Where something is missing, in words.
    pub(super) gaps: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) service: Service,
    /// The recorded server's port.
    pub(super) port: u16,
    /// Who signed in by it.
    pub(super) customer: Option<CustomerId>,
}

#[derive(Debug)]
pub(super) struct Event {
    order: u64,
    /// Index into [`Recording::connections`].
    pub(super) connection: usize,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Made,
    Said(Side, Said),
    Ended,
}

/// A message that passed.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) encrypted: bool,
    pub(super) content: Content,
}

#[derive(Debug)]
pub(super) enum Content {
    Packet(Packet),
    Body {
        sequence: u32,
        /// Without [`Flags::ENCRYPTED`], and without [`Flags::COMPRESSED`] where that is undone in the body.
        flags: u8,
        body: Body,
    },
}

impl Recording {
    /// Reads all files of a folder.
    pub(super) fn load(folder: &Path) -> Result<Self, RecordingError> {
        let wrong = |problem| RecordingError { path: folder.to_owned(), problem };
        let entries = fs::read_dir(folder).map_err(|error| wrong(error.into()))?;
        let mut files: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == EXTENSION))
            .take(MAX_FILES)
            .collect();
        if files.is_empty() {
            return Err(wrong(Problem::NoFiles));
        }
        files.sort();
        let mut recording = Self { connections: Vec::new(), events: Vec::new(), gaps: Vec::new() };
        for file in &files {
            recording.read(file).map_err(|problem| RecordingError { path: file.clone(), problem })?;
        }
        recording.events.sort_by_key(|event| event.order);
        recording.name_connections();
        Ok(recording)
    }

    /// Finds out who signed in by each connection.
    fn name_connections(&mut self) {
        for event in &self.events {
            if let What::Said(from, said) = &event.what
                && let Some(connection) = self.connections.get_mut(event.connection)
                && connection.customer.is_none()
            {
                connection.customer = customer(connection.service, *from, &said.content);
            }
        }
    }

    fn read(&mut self, file: &Path) -> Result<(), Problem> {
        let size = fs::metadata(file)?.len();
        if size > LARGEST {
            return Err(Problem::TooLarge(size));
        }
        let text = fs::read_to_string(file)?;
        let connection = self.connections.len();
        let mut service = None;
        for (at, text) in text.lines().enumerate() {
            let damaged = |why: &dyn fmt::Display| Problem::Line(at + 1, why.to_string());
            let line: Line = serde_json::from_str(text).map_err(|error| damaged(&error))?;
            let mut happened = |order, what| self.events.push(Event { order, connection, what });
            match (line, service) {
                (Line::Connection(opening), None) => {
                    if opening.format > FORMAT {
                        return Err(Problem::TooNew(opening.format));
                    }
                    let found = service_named(&opening.service)
                        .ok_or_else(|| damaged(&format!("no service {:?} is known", opening.service)))?;
                    if opening.late {
                        self.gaps.push(format!(
                            "{}: it was made before the recording began, so it is not played",
                            file.display()
                        ));
                        return Ok(());
                    }
                    service = Some(found);
                    self.connections.push(Connection { service: found, port: opening.port, customer: None });
                    happened(opening.order, What::Made);
                }
                (Line::Connection(_), Some(_)) => return Err(damaged(&"a second connection in one file")),
                (_, None) => return Err(damaged(&"the first line does not say which connection this is")),
                (Line::Message(passed), Some(service)) => {
                    let (order, from) = (passed.order, passed.from);
                    let said = Said::of(passed, service).map_err(|why| damaged(&why))?;
                    happened(order, What::Said(from, said));
                }
                (Line::Lost { messages }, _) => {
                    self.gaps.push(format!("{}: {messages} messages were left out", file.display()));
                }
                (Line::Stopped { why }, _) => self.gaps.push(format!("{}: {why}", file.display())),
                (Line::End { order, .. }, _) => happened(order, What::Ended),
            }
        }
        match service {
            Some(_) => Ok(()),
            None => Err(Problem::Empty),
        }
    }

    fn said(&self) -> impl Iterator<Item = (Side, &Content)> {
        self.events.iter().filter_map(|event| match &event.what {
            What::Said(from, said) => Some((*from, &said.content)),
            _ => None,
        })
    }

    /// Whose recording it is.
    pub(super) fn customers(&self) -> Vec<CustomerId> {
        let customers = self.connections.iter().filter_map(|connection| connection.customer);
        customers.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The personas that must exist before it is played, with their customers: none if it makes some itself.
    pub(super) fn personas(&self) -> Vec<(CustomerId, PersonaId)> {
        let makes = |content: &Content| matches!(content, Content::Packet(packet) if packet.id == id::NEW_GAME_ACCOUNT);
        if self.said().any(|(from, content)| from == Side::Client && makes(content)) {
            return Vec::new();
        }
        let personas = self.said().filter_map(|(from, content)| login(from, content));
        personas.collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// Whose connection it is, if this message tells.
fn customer(service: Service, from: Side, content: &Content) -> Option<CustomerId> {
    match (service, from, content) {
        (Service::Login, Side::Server, Content::Packet(packet)) if packet.id == id::USER_VALID => {
            packet.read::<UserStatus>().ok().map(|status| status.customer)
        }
        _ => login(from, content).map(|(customer, _)| customer),
    }
}

/// Who signs in with this message of the Client.
fn login(from: Side, content: &Content) -> Option<(CustomerId, PersonaId)> {
    match content {
        _ if from == Side::Server => None,
        Content::Packet(packet) if packet.id == id::LOGIN => {
            let login: Login = packet.read().ok()?;
            Some((login.customer, login.persona))
        }
        Content::Body { body, .. } if body.number() == Some(number::CLIENT_CONNECT_MSG) => {
            let connect: ClientConnect = body.read().ok()?;
            Some((connect.customer, connect.persona))
        }
        _ => None,
    }
}

impl Said {
    fn of(passed: Passed, service: Service) -> Result<Self, &'static str> {
        let Passed { number, raw, plain, .. } = passed;
        let encrypted = plain.is_some();
        let content = if service == Service::Mcots {
            // `u16 length, "TOMC", i32 sequence, u8 flags`.
            let &[_, _, _, _, _, _, s0, s1, s2, s3, flags, ref rest @ ..] = raw.0.as_slice() else {
                return Err("a Transaction Packet ends within its header");
            };
            let undone = if encrypted { Flags::ENCRYPTED | Flags::COMPRESSED } else { 0 };
            Content::Body {
                sequence: u32::from_le_bytes([s0, s1, s2, s3]),
                flags: flags & !undone,
                body: Body(plain.map_or_else(|| rest.to_vec(), |plain| plain.0)),
            }
        } else if let Some(plain) = plain {
            Content::Packet(Packet { id: nps::Id(number), form: Form::Short, body: plain.0 })
        } else {
            let mut link = nps::Link::new(headers_of(service), nps::Link::LARGEST);
            link.feed(&raw.0);
            match link.next() {
                Ok(Some(incoming)) => Content::Packet(incoming.packet),
                _ => return Err("its bytes are no Game Packet"),
            }
        };
        Ok(Self { encrypted, content })
    }
}

/// Which headers a service's packets have.
pub(super) const fn headers_of(service: Service) -> Headers {
    match service {
        Service::Login | Service::Persona => Headers::Either,
        _ => Headers::Short,
    }
}

fn service_named(name: &str) -> Option<Service> {
    Some(match name {
        "login" => Service::Login,
        "persona" => Service::Persona,
        "mail" => Service::Mail,
        "lobby" => Service::Lobby,
        "room" => Service::Room,
        "mcots" => Service::Mcots,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::{Bytes, Side};

    #[test]
    fn what_is_undone_in_a_recorded_body_is_not_in_its_flags() {
        let said = |flags, plain: Option<&[u8]>| {
            let raw = Bytes([b"\x0c\0TOMC\x03\0\0\0", &[flags][..], b"\x82\x24\x25"].concat());
            let plain = plain.map(|plain| Bytes(plain.to_vec()));
            let passed = Passed { order: 1, ms: 2, from: Side::Client, number: 106, raw, plain, cut: false };
            let Content::Body { sequence: 3, flags, body } =
                Said::of(passed, Service::Mcots).unwrap().content
            else {
                panic!("no Transaction Packet of that sequence")
            };
            (flags, body.0)
        };
        assert_eq!(said(0x0a, Some(b"\x6a\0")), (0, b"\x6a\0".to_vec()));
        assert_eq!(said(0x1e, Some(b"\x6a\0")), (0x14, b"\x6a\0".to_vec()));
        assert_eq!(said(0x02, None), (0x02, b"\x82\x24\x25".to_vec()));
    }
}
