//! The lines of a recording, as `mcos serve --record` writes and `mcos replay` reads them, and what is cut out of them.
//! See `docs/recording.md`.

pub mod packet_text;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use mco_proto::mcots::{Body, number};
use mco_proto::nps::lobby::{Login, OpenCommChannel};
use mco_proto::nps::login::{UserLogin, UserStatus};
use mco_proto::nps::{Message as _, Packet, id};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::ops::Range;

/// Version of the lines described here. A reader refuses a higher one.
pub const FORMAT: u32 = 1;

/// How the name of a recording's file ends.
pub const EXTENSION: &str = "jsonl";

/// One line of a file. `order` counts all lines of all files of a run, so that they can be put together again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "lowercase")]
pub enum Line {
    /// The first line: a connection was made.
    Connection(Opening),
    /// What one side said to the other on an opened connection.
    Message(Passed),
    /// Messages are missing here, because more passed than could be written.
    Lost {
        /// How many.
        messages: u64,
    },
    /// A bound was reached: the connection went on, the recording of it did not.
    Stopped {
        /// Which bound.
        why: String,
    },
    /// The connection ended.
    End {
        /// Place among all lines of the run.
        order: u64,
        /// Milliseconds since the connection was made.
        ms: u64,
        /// Who ended it, and why.
        why: String,
    },
}

/// A connection that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The version of the file's layout: [`FORMAT`] in files that this program writes.
    pub format: u32,
    /// Place among all lines of the run.
    pub order: u64,
    /// "login", "persona", "mail", "lobby", "room" or "mcots".
    pub service: String,
    /// The server's TCP port.
    pub port: u16,
    /// Number of the connection in this run of the server.
    pub connection: u64,
    /// Address and port of the Client.
    pub peer: String,
    /// When, in milliseconds since 1970 UTC. Of a late one: when the recording of it began.
    pub unix_ms: u64,
    /// It was made before the recording began: what passed before is missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
}

/// A message that passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// Place among all lines of the run.
    pub order: u64,
    /// Milliseconds since the connection was made.
    pub ms: u64,
    /// Who sent it.
    pub from: Side,
    /// Its number; the inner one if it was encrypted.
    pub number: u16,
    /// Its bytes as they passed, header and all; nothing if they were encrypted and [`Self::cut`].
    pub raw: Bytes,
    /// If it was encrypted: its plain body. NPS without the inner header and the padding, MCOTS with the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plain: Option<Bytes>,
    /// Zeros stand in place of secrets.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The game, or the simulated Client.
    Client,
    /// This program, or the one that is recorded.
    Server,
}

/// Bytes that are written as hexadecimal digits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&HEXLOWER.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(deserializer)?;
        let bytes = HEXLOWER_PERMISSIVE.decode(digits.as_bytes());
        bytes.map(Self).map_err(|_| de::Error::custom("these are no pairs of hexadecimal digits"))
    }
}

/// The packet with zeros in place of its secrets; `None` if it has none. Where a packet that should hold secrets cannot
/// be read, nobody knows where they are, and its whole body goes.
///
/// Secrets from the Client are the Context and the key block of 0x0501, the proof of 0x0100, and the password in 0x0106; of a 0x0106
/// that cannot be read everything goes from where the password may begin. From Login (`echoes`) it is the echo of the
/// Session Key in 0x0601; on Persona that number means something else.
pub fn cut(packet: &Packet, from: Side, echoes: bool) -> Option<Packet> {
    let secrets = match (from, packet.id) {
        (Side::Client, id::USER_LOGIN) => in_user_login(packet),
        (Side::Client, id::LOGIN) => in_login(packet),
        (Side::Client, id::OPEN_COMM_CHANNEL) => {
            Some(vec![in_open_channel(&packet.body, packet.read().ok().as_ref())?])
        }
        (Side::Server, id::USER_VALID) if echoes => in_user_status(packet),
        _ => return None,
    };
    let mut body = packet.body.clone();
    match secrets {
        Some(ranges) => {
            for range in ranges {
                body.get_mut(range).unwrap_or_default().fill(0);
            }
        }
        None => body.fill(0),
    }
    Some(Packet { body, ..packet.clone() })
}

/// The body of a Transaction Packet of the server with zeros in place of the password of a race's room (223, 224); `None` if it
/// has none.
pub fn cut_body(body: &Body) -> Option<Body> {
    let password = match body.number()? {
        number::RACE_CREATE_OK => 14..22,
        number::RACE_JOIN_OK => 6..14,
        _ => return None,
    };
    let mut cut = body.0.clone();
    cut.get_mut(password)?.fill(0);
    Some(Body(cut))
}

/// Where the name of the channel begins in 0x0106, behind its length of 4 bytes, and how long it is at most.
const NAME: usize = 8;
const LONGEST_NAME: usize = 32;
/// Bytes between the name and the password in 0x0106.
const BEFORE_PASSWORD: usize = 32;

/// The password of a channel with its length in front, if it has one. Where it cannot be read, all from there on; where not even
/// the name can be, all from there on.
fn in_open_channel(body: &[u8], open: Option<&OpenCommChannel>) -> Option<Range<usize>> {
    let length_at = |at: usize| {
        let bytes = body.get(at..)?.first_chunk()?;
        usize::try_from(u32::from_be_bytes(*bytes)).ok()
    };
    let name = length_at(NAME - 4).filter(|length| *length <= LONGEST_NAME);
    let from = name.map(|length| NAME + length + BEFORE_PASSWORD);
    let password = from.and_then(|from| Some(from + 4..from + 4 + length_at(from)?));
    match (open, password) {
        (Some(open), _) if open.password.as_bytes().is_empty() => None,
        (Some(_), Some(password)) => Some(password),
        _ => Some(from.unwrap_or(NAME).min(body.len())..body.len()),
    }
}

/// Digits of the key block (*captured*).
const KEY_BLOCK: usize = 256;

fn in_user_login(packet: &Packet) -> Option<Vec<Range<usize>>> {
    packet.read::<UserLogin>().ok()?;
    let length_at = |at: usize| {
        let bytes = packet.body.get(at..)?.first_chunk()?;
        Some(usize::from(u16::from_be_bytes(*bytes)))
    };
    let context = 2..2 + length_at(0)?;
    // Behind it: the object's number, 2 bytes, and the length of the block.
    let block = context.end + 4..context.end + 4 + length_at(context.end + 2)?;
    (block.len() == KEY_BLOCK).then(|| vec![context, block])
}

fn in_login(packet: &Packet) -> Option<Vec<Range<usize>>> {
    let login: Login = packet.read().ok()?;
    let end = login.packet().body.len();
    let proof = end.checked_sub(login.proof.len())?..end;
    (packet.body.get(proof.clone())? == login.proof).then(|| vec![proof])
}

fn in_user_status(packet: &Packet) -> Option<Vec<Range<usize>>> {
    let status: UserStatus = packet.read().ok()?;
    let end = packet.body.len().checked_sub(status.reserved.len())?;
    let echo = end.checked_sub(status.key_echo.len())?..end;
    (packet.body.get(echo.clone())? == status.key_echo).then(|| vec![echo])
}

#[cfg(test)]
mod tests {
    use super::*;
    use mco_proto::bytes::Bool8;
    use mco_proto::ids::{CommId, CustomerId, PersonaId, RaceId};
    use mco_proto::mcots::Message as _;
    use mco_proto::mcots::race::{RaceCreated, RaceJoined};
    use mco_proto::nps::Form;
    use mco_proto::session_key::SessionKey;
    use mco_proto::text::{Chars, PStr, Str16};
    use std::net::Ipv4Addr;

    fn holds(packet: &Packet, secret: &[u8]) -> bool {
        packet.body.windows(secret.len()).any(|window| window == secret)
    }

    #[test]
    fn context_and_key_block_are_cut_and_the_rest_of_0501_stays() {
        let login = UserLogin::new(
            Str16::constant(b"0123456789abcdef0123456789abcdef"),
            Str16::new(&"AB".repeat(128)).unwrap(),
        );
        let packet = login.packet();
        let cut = cut(&packet, Side::Client, true).unwrap();
        assert!(!holds(&cut, b"0123") && !holds(&cut, b"AB"), "{cut:?}");
        assert!(holds(&cut, b"2176"));
        assert_eq!(cut.body.len(), packet.body.len());
        assert!(cut.read::<UserLogin>().is_ok());
    }

    #[test]
    fn the_proof_of_0100_is_cut() {
        let login = Login {
            proof: [0xa5; 16],
            ..Login::new(
                PersonaId(21),
                PStr::constant(b"Dr Brown"),
                CustomerId(7),
                Ipv4Addr::new(10, 0, 0, 9),
                &SessionKey::random(),
            )
        };
        let read: Login = cut(&login.packet(), Side::Client, false).unwrap().read().unwrap();
        assert_eq!(read, Login { proof: [0; 16], ..login });
    }

    #[test]
    fn the_echo_of_the_session_key_is_cut() {
        let status = UserStatus {
            customer: CustomerId(7),
            persona_slot: 0,
            cache_hit: Bool8(false),
            banned: Bool8(false),
            gagged: Bool8(false),
            key_echo: *b"cddafefb266f",
            reserved: [0; 3],
        };
        let read: UserStatus = cut(&status.packet(), Side::Server, true).unwrap().read().unwrap();
        assert_eq!(read, UserStatus { key_echo: [0; 12], ..status });
        assert_eq!(cut(&status.packet(), Side::Server, false), None);
    }

    #[test]
    fn the_passwords_of_rooms_are_cut() {
        let chat = OpenCommChannel::enter_chat(CommId(1), PStr::constant(b"LOBBY"), 7003, PersonaId(21));
        assert_eq!(cut(&chat.packet(), Side::Client, false), None, "it has none");
        for text in ["L", "clock tower"] {
            let password = PStr::first_n(text);
            let open = OpenCommChannel { password, ..chat.clone() };
            let read: OpenCommChannel = cut(&open.packet(), Side::Client, false).unwrap().read().unwrap();
            assert_eq!(read, OpenCommChannel { password: read.password.clone(), ..open });
            assert!(read.password.as_bytes().iter().all(|byte| *byte == 0));
        }
        // Spaces at the end are no part of it, and stand behind it.
        let open = OpenCommChannel { password: PStr::first_n("marty"), ..chat.clone() };
        let mut spaced = open.packet();
        let at = spaced.body.windows(5).position(|window| window == b"marty").unwrap();
        spaced.body[at - 1] += 2;
        spaced.body.splice(at + 5..at + 5, *b" \r");
        assert_eq!(spaced.read::<OpenCommChannel>().unwrap(), open);
        assert!(!holds(&cut(&spaced, Side::Client, false).unwrap(), b"marty"));
        let joined = RaceJoined { race: RaceId(7), password: Chars::constant(b"Marty") };
        let read: RaceJoined = cut_body(&joined.body()).unwrap().read().unwrap();
        assert_eq!(read, RaceJoined { race: RaceId(7), password: Chars::default() });
        let created = RaceCreated {
            race: RaceId(7),
            entry_fee: 1,
            bonus_per_player: 2,
            password: Chars::constant(b"Marty"),
            history: 3,
            bonus_per_race: 4,
        };
        let read: RaceCreated = cut_body(&created.body()).unwrap().read().unwrap();
        assert_eq!(read, RaceCreated { password: Chars::default(), ..created });
    }

    #[test]
    fn of_an_0106_that_cannot_be_read_what_stands_before_the_password_is_kept() {
        let chat = OpenCommChannel::enter_chat(CommId(1), PStr::constant(b"LOBBY"), 7003, PersonaId(21));
        let whole = OpenCommChannel { password: PStr::first_n("clock tower"), ..chat }.packet();
        let at = whole.body.windows(5).position(|window| window == b"clock").unwrap();
        let mut cases =
            vec![whole.body[..whole.body.len() - 200].to_vec(), [&whole.body[..], b"more"].concat()];
        // A password that is too long, and one whose length lies.
        cases.push(
            [&whole.body[..at - 1], &[30], &b"clock tower at ten past ten pm"[..], &whole.body[at + 12..]]
                .concat(),
        );
        cases.push([&whole.body[..at - 4], &[255; 4], &whole.body[at..]].concat());
        cases.push(whole.body[..at + 5].to_vec());
        for body in cases {
            let packet = Packet { body, ..whole.clone() };
            if packet.read::<OpenCommChannel>().is_ok() {
                continue;
            }
            let cut = cut(&packet, Side::Client, false).unwrap();
            assert!(!holds(&cut, b"clock") && !holds(&cut, b"tower") && holds(&cut, b"LOBBY"), "{cut:?}");
            assert_eq!(cut.body.len(), packet.body.len());
            assert_eq!(cut.body[..at - 4], packet.body[..at - 4]);
        }
        // Where not even the name can be read, nobody knows what is behind it.
        let body = [&[0, 0, 0, 1, 0, 9, 0, 0][..], b"LOBBY clock tower"].concat();
        let cut = cut(&Packet { body, ..whole }, Side::Client, false).unwrap();
        assert_eq!(cut.body, [&[0, 0, 0, 1, 0, 9, 0, 0][..], &[0; 17]].concat());
    }

    #[test]
    fn a_login_that_cannot_be_read_is_cut_as_a_whole() {
        for id in [id::USER_LOGIN, id::LOGIN] {
            let packet = Packet { id, form: Form::Short, body: b"\x00\xffsecret".to_vec() };
            assert_eq!(cut(&packet, Side::Client, true).unwrap().body, [0; 8]);
        }
        assert_eq!(cut(&Packet::bare(id::HEARTBEAT), Side::Client, true), None);
    }

    #[test]
    fn a_line_reads_as_it_was_written() {
        let passed = Passed {
            order: 3,
            ms: 12,
            from: Side::Client,
            number: 0x0217,
            raw: Bytes(vec![2, 0x17, 0, 4]),
            plain: None,
            cut: false,
        };
        let text = serde_json::to_string(&Line::Message(passed.clone())).unwrap();
        assert_eq!(
            text,
            r#"{"line":"message","order":3,"ms":12,"from":"client","number":535,"raw":"02170004"}"#
        );
        assert_eq!(serde_json::from_str::<Line>(&text).unwrap(), Line::Message(passed));
        for odd in ["0217000", "0217000x"] {
            assert!(serde_json::from_str::<Line>(&text.replace("02170004", odd)).is_err(), "{odd}");
        }
    }
}
