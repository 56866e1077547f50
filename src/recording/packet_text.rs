//! Packets field by field, for people, as the tables of layouts in `mco_proto` read them.

use super::{Side, cut};
use mco_proto::mcots::{self, Body};
use mco_proto::nps::{self, Form, Headers, Packet};
use mco_proto::table::{Layout, Sender};
use std::fmt::Write as _;

/// So many bytes of what has no layout are shown.
const MOST_BYTES: usize = 512;
/// What helps where there is nothing to show.
const IN_PLAIN: &str = "a recording (mcos serve --record) has it in plain";
/// Bytes in one line of them.
const LINE: usize = 16;

/// One packet in words: number, name, what it is for, and each field of each layout that fits. `from`: who sent it, if that is
/// known. Secrets of a sign-in are shown as zeros.
pub fn nps_packet(packet: &Packet, from: Option<Side>) -> String {
    let header = match packet.form {
        Form::Short => "short header".to_owned(),
        Form::Long { version } => format!("long header, version {version:#06x}"),
    };
    let mut text = format!("NPS {}, {header}, {} bytes\n", packet.id, packet.size());
    let cut = |side| cut(packet, side, true);
    let safe = from.map_or_else(|| cut(Side::Client).or_else(|| cut(Side::Server)), cut);
    let body = safe.as_ref().map_or(&packet.body, |safe| &safe.body);
    let row = nps::id::TABLE.iter().find(|row| row.id == packet.id);
    describe(&mut text, row.map(|row| (row.about, row.layouts)), body, body, from);
    text
}

/// The same of the body of a Transaction Packet, decrypted and whole.
pub fn mcots_body(body: &Body, from: Option<Side>) -> String {
    let Some(number) = body.number() else {
        return format!("MCOTS, {} bytes: too short for a message number\n", body.0.len());
    };
    let mut text = format!("MCOTS {number}, {} bytes\n", body.0.len());
    let row = mcots::number::TABLE.iter().find(|row| row.number == number);
    let record = body.0.get(2..).unwrap_or_default();
    describe(&mut text, row.map(|row| (row.about, row.layouts)), record, &body.0, from);
    text
}

/// A piece of a connection in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// A line for each packet and each of its fields, and for what is none.
    pub text: String,
    /// Whether all of it is packets in plain.
    pub is_whole: bool,
}

/// A stream of packets of one side in words, one after the other, as far as they can be read.
pub fn stream(bytes: &[u8], from: Option<Side>) -> Stream {
    if bytes.get(2..6) == Some(b"TOMC") { mcots_stream(bytes, from) } else { nps_stream(bytes, from) }
}

fn nps_stream(bytes: &[u8], from: Option<Side>) -> Stream {
    let mut link = nps::Link::new(Headers::Either, nps::Link::LARGEST);
    link.feed(bytes);
    let (mut text, mut used, mut in_plain) = (String::new(), 0, true);
    loop {
        match link.next() {
            Ok(Some(incoming)) => {
                used += link.last_size();
                if incoming.packet.id == nps::id::ENCRYPTED {
                    in_plain = false;
                    let _ =
                        writeln!(text, "NPS {}, {} bytes; {IN_PLAIN}", nps::id::ENCRYPTED, link.last_size());
                } else {
                    text.push_str(&nps_packet(&incoming.packet, from));
                }
            }
            Ok(None) => break,
            Err(broken) => {
                let _ = writeln!(text, "no packet of the game: {broken}");
                break;
            }
        }
    }
    left_over(&mut text, bytes, used);
    Stream { text, is_whole: in_plain && used == bytes.len() }
}

fn mcots_stream(bytes: &[u8], from: Option<Side>) -> Stream {
    let mut link = mcots::Link::new();
    link.feed(bytes);
    let (mut text, mut used) = (String::new(), 0);
    loop {
        match link.next() {
            Ok(Some(incoming)) => {
                used += link.last_size();
                let _ = write!(text, "sequence {}, flags {:#04x}; ", incoming.sequence, incoming.flags.0);
                text.push_str(&mcots_body(&incoming.body, from));
            }
            Ok(None) => break,
            Err(mcots::Broken::NoKey) => {
                text.push_str(
                    "MCOTS: an encrypted packet; a recording (mcos serve --record) has it in plain\n",
                );
                return Stream { text, is_whole: false };
            }
            Err(broken) => {
                let _ = writeln!(text, "no packet of the game: {broken}");
                break;
            }
        }
    }
    left_over(&mut text, bytes, used);
    Stream { text, is_whole: used == bytes.len() }
}

fn left_over(text: &mut String, bytes: &[u8], used: usize) {
    let left = bytes.get(used..).unwrap_or_default();
    if !left.is_empty() {
        let _ = writeln!(text, "{} bytes are no whole packet:", left.len());
        dump(text, left);
    }
}

/// Appends what the table knows of a message. Without a layout that fits, `whole` is shown as bytes.
fn describe(
    text: &mut String,
    row: Option<(&str, &[Layout])>,
    record: &[u8],
    whole: &[u8],
    from: Option<Side>,
) {
    let Some((about, layouts)) = row else {
        text.push_str("  It is in no table.\n");
        return dump(text, whole);
    };
    let _ = writeln!(text, "  {}", about.trim());
    let mut is_shown = false;
    for layout in layouts.iter().filter(|layout| from.is_none_or(|side| sender(side) == layout.sender)) {
        let who = match layout.sender {
            Sender::Client => "Client",
            Sender::Server => "Server",
        };
        match (layout.decode)(record) {
            Ok(decoded) => {
                is_shown = true;
                let _ = writeln!(text, "  from the {who}:");
                for line in format!("{decoded:#?}").lines() {
                    let _ = writeln!(text, "    {line}");
                }
                let known = decoded.encode().len();
                if let Some(more) = record.get(known..).filter(|more| !more.is_empty()) {
                    let _ = writeln!(text, "  {} bytes follow its last field:", more.len());
                    dump(text, more);
                }
            }
            Err(malformed) => {
                let _ = writeln!(text, "  not {} from the {who}: it {malformed}", layout.name);
            }
        }
    }
    if !is_shown && !record.is_empty() {
        dump(text, record);
    }
}

const fn sender(side: Side) -> Sender {
    match side {
        Side::Client => Sender::Client,
        Side::Server => Sender::Server,
    }
}

/// Appends bytes as hexadecimal digits and as letters.
fn dump(text: &mut String, bytes: &[u8]) {
    for (at, line) in bytes.chunks(LINE).take(MOST_BYTES / LINE).enumerate() {
        let digits: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        let letters: String = line
            .iter()
            .map(|byte| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' })
            .collect();
        let _ = writeln!(
            text,
            "    {:4}  {:<width$}  {letters}",
            at * LINE,
            digits.join(" "),
            width = LINE * 3 - 1
        );
    }
    if bytes.len() > MOST_BYTES {
        let _ = writeln!(text, "    and {} bytes more", bytes.len() - MOST_BYTES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mco_proto::nps::Message as _;
    use mco_proto::nps::login::UserLogin;
    use mco_proto::text::Str16;

    #[test]
    fn every_message_of_the_tables_is_shown_with_its_fields() {
        for row in nps::id::TABLE {
            for layout in row.layouts {
                let Ok(decoded) = (layout.decode)(&[1; 4096]) else { continue };
                let packet = Packet { id: row.id, form: Form::Short, body: decoded.encode() };
                let from = if layout.sender == Sender::Client { Side::Client } else { Side::Server };
                let text = nps_packet(&packet, Some(from));
                assert!(text.contains(row.name) && text.contains("  from the "), "{text}");
            }
        }
        for row in mcots::number::TABLE {
            for layout in row.layouts {
                let Ok(decoded) = (layout.decode)(&[1; 4096]) else { continue };
                let body = Body([&row.number.0.to_le_bytes()[..], &decoded.encode()].concat());
                let from = if layout.sender == Sender::Client { Side::Client } else { Side::Server };
                let text = mcots_body(&body, Some(from));
                assert!(text.contains(row.name) && text.contains("  from the "), "{text}");
            }
        }
    }

    #[test]
    fn the_secrets_of_a_sign_in_are_not_shown() {
        let login = UserLogin::new(
            Str16::constant(b"0123456789abcdef0123456789abcdef"),
            Str16::new(&"AB".repeat(128)).unwrap(),
        );
        for from in [None, Some(Side::Client)] {
            let text = nps_packet(&login.packet(), from);
            assert!(
                text.contains("2176") && !text.contains("0123456789") && !text.contains("ABAB"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_stream_is_cut_into_packets_and_what_is_left_is_shown() {
        let mut bytes = Vec::new();
        Packet::bare(nps::id::HEARTBEAT).encode(&mut bytes).unwrap();
        Packet::bare(nps::id::HEARTBEAT).encode(&mut bytes).unwrap();
        bytes.push(2);
        let Stream { text, is_whole } = stream(&bytes, None);
        assert!(!is_whole);
        assert_eq!(text.matches("HEARTBEAT").count(), 2, "{text}");
        assert!(text.contains("1 bytes are no whole packet"), "{text}");
        let Stream { text, is_whole } = stream(b"\x0b\0TOMC\x07\0\0\0\0\x8e\0", None);
        assert!(is_whole);
        assert!(text.contains("sequence 7, flags 0x00; MCOTS 142"), "{text}");
        for other in [&b""[..], b"GET / HTTP/1.1\r\n\r\n", &[0xff; 40], b"\x11\x01\x00\x0c12345678"] {
            let _ = stream(other, None);
        }
        for (unreadable, said) in [
            (&b"\x11\x01\x00\x0c12345678"[..], "in plain"),
            (b"\x0b\0TOMC\x07\0\0\0\x08\x8e\0", "in plain"),
            (b"GET / HTTP", "no packet of the game"),
        ] {
            let Stream { text, is_whole } = stream(unreadable, None);
            assert!(text.contains(said) && !is_whole, "{text}");
        }
    }

    #[test]
    fn what_is_in_no_table_is_shown_as_bytes() {
        let packet = Packet { id: nps::Id(0x0777), form: Form::Short, body: b"strange\x00\xff".to_vec() };
        let text = nps_packet(&packet, None);
        assert!(
            text.contains("in no table") && text.contains("73 74 72") && text.contains("strange.."),
            "{text}"
        );
        let large = Packet { body: vec![7; 2000], ..packet };
        assert!(nps_packet(&large, None).contains("and 1488 bytes more"));
    }
}
