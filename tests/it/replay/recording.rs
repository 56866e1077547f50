//! A recorded sitting: its files, its messages, and what the real Client accepted as answers.

use mco_proto::mcots::{self, number};
use mco_proto::nps::{Id, id};
use serde_json::Value;
use std::fmt;
use std::fs;
use std::path::Path;

/// The publicly known key pair whose public half the recorded Client had, as a PEM file.
pub(super) fn login_key(captures: &Path) -> String {
    use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};
    use rsa::{BigUint, RsaPrivateKey};
    let document: Value = json(&captures.join("login_key.json"));
    let number = |name: &str| BigUint::parse_bytes(document[name].as_str().unwrap().as_bytes(), 16).unwrap();
    let key =
        RsaPrivateKey::from_components(number("n"), number("e"), number("d"), vec![number("p"), number("q")]);
    key.unwrap().to_pkcs8_pem(LineEnding::LF).unwrap().to_string()
}

pub(super) fn json(file: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

pub(super) fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// A port of the recording.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Port {
    Login,
    Persona,
    Mail,
    Lobby,
    Room,
    Mcots,
}

impl Port {
    pub(super) fn of(number: u64) -> Option<Self> {
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

    pub(super) const fn name(self) -> &'static str {
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

/// The number of a message, of either family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Game(Id),
    Transaction(mcots::Number),
}
use Number::{Game, Transaction};

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Game(id) => id.fmt(f),
            Transaction(number) => number.fmt(f),
        }
    }
}

/// The answers to a request; several only where the recorded server sent several.
pub(super) fn answers(port: Port, request: Number) -> &'static [Number] {
    match (port, request) {
        (Port::Mcots, Transaction(number::CLIENT_CONNECT_MSG | number::LOGOUT)) => {
            &[Transaction(number::SUCCESS)]
        }
        (Port::Mcots, Transaction(number::LOGIN)) => &[Transaction(number::LOGIN_COMPLETE)],
        (Port::Mcots, Transaction(number::GET_LOBBIES)) => {
            &[Transaction(number::LOBBIES), Transaction(number::ENTRYFEE_PURSE_INFO)]
        }
        (Port::Mcots, Transaction(number::GET_ARCADE_CARS)) => &[Transaction(number::ARCADE_CARS)],
        (Port::Mcots, Transaction(number::GET_GAME_URLS)) => &[Transaction(number::GAME_URLS)],
        (Port::Mcots, Transaction(number::GET_MCO_TUNABLES)) => &[Transaction(number::MCO_TUNABLES)],
        (Port::Mcots, Transaction(number::GET_OWNED_VEHICLES)) => &[Transaction(number::OWNED_VEHICLES_LIST)],
        (Port::Mcots, Transaction(number::GET_PLAYER_INFO)) => &[Transaction(number::GET_PLAYER_INFO)],
        (Port::Mcots, Transaction(number::GET_PLAYER_PHYSICAL)) => {
            &[Transaction(number::PLAYER_PHYSICAL_INFO)]
        }
        (Port::Mcots, Transaction(number::GET_OWNED_PARTS)) => &[Transaction(number::OWNED_PARTS_LIST)],
        (Port::Mcots, Transaction(number::GET_COMPLETE_VEHICLE_INFO)) => &[Transaction(number::VEHICLE_INFO)],
        (Port::Mcots, Transaction(number::GET_PLAYER_RACING_HISTORY)) => {
            &[Transaction(number::PLAYER_RACING_HISTORY)]
        }
        (Port::Mcots, Transaction(number::TRACKING_MSG)) => &[],
        (Port::Login, Game(id::USER_LOGIN)) => &[Game(id::USER_VALID)],
        (Port::Persona, Game(id::GET_PERSONA_MAPS)) => &[Game(id::GAME_ACCOUNT_INFO)],
        (Port::Persona, Game(id::REGISTER_GAME_LOGIN | id::REGISTER_GAME_LOGOUT)) => &[Game(id::ACK)],
        (Port::Persona, Game(id::GET_BUDDY_LIST)) => &[Game(id::BUDDY_LIST_COUNT)],
        (Port::Mail, Game(id::LIST_EMAILS)) => &[Game(id::MAIL_LIST)],
        (Port::Lobby | Port::Room, Game(id::LOGIN)) => &[Game(id::LOGIN_RESP)],
        (Port::Lobby | Port::Room, Game(id::SEND_MINI_RIFF_LIST)) => &[Game(id::MINI_RIFF_LIST)],
        (Port::Lobby | Port::Room, Game(id::GET_MINI_USER_LIST)) => &[Game(id::MINI_USER_LIST)],
        (Port::Lobby, Game(id::GET_SERVER_INFO)) => &[Game(id::SERVER_INFO)],
        (Port::Lobby | Port::Room, Game(id::SET_MY_USER_DATA)) => &[Game(id::USER_INFO)],
        (Port::Room, Game(id::OPEN_COMM_CHANNEL)) => &[Game(id::CHANNEL_GRANTED)],
        (Port::Room, Game(id::GET_USER_LIST)) => &[Game(id::USER_LIST)],
        (Port::Room, Game(id::CLOSE_COMM_CHANNEL)) => &[Game(id::CHANNEL_CLOSED)],
        _ => {
            panic!("the recording holds {request} on {}, which this test does not know", port.name())
        }
    }
}

/// One message of the Client and what became of it.
pub(super) struct Message {
    pub(super) port: Port,
    pub(super) number: Number,
    pub(super) sequence: u32,
    /// Decrypted, from the message number on (MCOTS) or behind the header (NPS).
    pub(super) body: Vec<u8>,
    /// Answers that did not come yet.
    pub(super) missing: Vec<Number>,
    pub(super) faults: Vec<String>,
}

impl Message {
    pub(super) fn verdict(&self) -> Option<String> {
        let mut faults = self.faults.clone();
        if !self.missing.is_empty() {
            faults.push(format!(
                "no answer {}",
                self.missing.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            ));
        }
        let place = format!("{} {}", self.port.name(), self.number);
        (!faults.is_empty()).then(|| format!("{place}: {}", faults.join("; ")))
    }
}

/// 0x0501 with another Context and the lengths that go with it; every other byte stays.
pub(super) fn with_context(wire: &[u8], context: &str) -> Vec<u8> {
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
