//! `mcos decode`: packets of the game field by field.

use super::{CliError, output};
use crate::recording::packet_text::{self, Stream};
use crate::recording::{Line, Opening, Passed, Side};
use clap::{Args, ValueEnum};
use data_encoding::HEXLOWER_PERMISSIVE;
use mco_proto::mcots::Body;
use mco_proto::nps::{Form, Id, Packet};
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The largest file that is read, in bytes: more than the largest of a recording.
const MAX_FILE: u64 = 16 << 20;

#[derive(Args, Debug)]
pub(super) struct Decode {
    /// Bytes as hexadecimal digits, or the name of a file with such digits, with the bytes themselves, or of a recording
    /// (.jsonl)
    #[arg(value_name = "HEX|FILE")]
    input: String,
    /// Who sent it; without this, the layouts of both sides are tried
    #[arg(long, value_name = "SIDE")]
    from: Option<From>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum From {
    Client,
    Server,
}

pub(super) fn run(command: &Decode) -> Result<(), CliError> {
    let from = command.from.map(|side| match side {
        From::Client => Side::Client,
        From::Server => Side::Server,
    });
    let path = PathBuf::from(&command.input);
    let Stream { text, is_whole } = if path.is_file() {
        let bytes = read(&path)?;
        match std::str::from_utf8(&bytes) {
            Ok(text) if text.starts_with('{') => Stream { text: recording(text)?, is_whole: true },
            Ok(text) => packet_text::stream(&digits(text).unwrap_or_else(|| text.as_bytes().to_vec()), from),
            Err(_) => packet_text::stream(&bytes, from),
        }
    } else {
        let bytes = digits(&command.input).ok_or_else(|| {
            CliError::Usage(format!(
                "{} is no file and no pairs of hexadecimal digits; give bytes like \"02 17 00 04\", or a file",
                command.input
            ))
        })?;
        packet_text::stream(&bytes, from)
    };
    output::text(&text)?;
    if is_whole {
        return Ok(());
    }
    Err(CliError::Failed(
        "not all of this could be decoded, see above; give whole packets from their first byte on, in plain"
            .to_owned(),
    ))
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let failed = |error: &std::io::Error| output::unreadable(path, error);
    let file = File::open(path).map_err(|error| failed(&error))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    if bytes.len() as u64 > MAX_FILE {
        let (file, most) = (path.display(), MAX_FILE >> 20);
        return Err(CliError::Failed(format!("{file}: it is larger than {most} MiB; give a smaller file")));
    }
    Ok(bytes)
}

/// The bytes that these pairs of digits are; blanks, commas, colons and `0x` between them are for the eye. `None`: they are none.
fn digits(text: &str) -> Option<Vec<u8>> {
    let digits: String = text
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ':' | '-'))
        .map(|word| word.strip_prefix("0x").unwrap_or(word))
        .collect();
    HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok().filter(|bytes| !bytes.is_empty())
}

/// Each message of one file of a recording.
fn recording(text: &str) -> Result<String, CliError> {
    let (mut out, mut is_mcots) = (String::new(), false);
    for (at, line) in text.lines().enumerate() {
        let line: Line = serde_json::from_str(line).map_err(|error| {
            CliError::Failed(format!("line {} is no line of a recording: {error}", at + 1))
        })?;
        // Writing to a String cannot fail.
        let _ = match line {
            Line::Connection(Opening { service, peer, .. }) => {
                is_mcots = service == "mcots";
                writeln!(out, "connection of {peer} to {service}")
            }
            Line::Message(passed) => {
                let who = if passed.from == Side::Client { "Client" } else { "Server" };
                write!(out, "\n{} ms, {who}: {}", passed.ms, message(&passed, is_mcots))
            }
            Line::Lost { messages } => writeln!(out, "\n{messages} messages are missing here"),
            Line::Stopped { why } => writeln!(out, "\nthe recording stopped: {why}"),
            Line::End { ms, why, .. } => writeln!(out, "\n{ms} ms: the connection ended: {why}"),
        };
    }
    Ok(out)
}

fn message(passed: &Passed, is_mcots: bool) -> String {
    let from = Some(passed.from);
    match &passed.plain {
        Some(plain) if is_mcots => packet_text::mcots_body(&Body(plain.0.clone()), from),
        Some(plain) => {
            let packet = Packet { id: Id(passed.number), form: Form::Short, body: plain.0.clone() };
            packet_text::nps_packet(&packet, from)
        }
        None => packet_text::stream(&passed.raw.0, from).text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_however_they_are_written() {
        for text in ["010600ff", "01 06 00 FF", "01:06:00:ff", "0x01, 0x06, 0x00, 0xff", " 0106\n00ff\n"] {
            assert_eq!(digits(text), Some(vec![1, 6, 0, 0xff]), "{text}");
        }
        for text in ["", " ", "1", "0106 0", "help", "01 g6"] {
            assert_eq!(digits(text), None, "{text}");
        }
    }

    #[test]
    fn a_recording_is_decoded_line_by_line() {
        let text = concat!(
            r#"{"line":"connection","format":1,"order":0,"service":"mcots","port":43300,"connection":1,"peer":"10.0.0.9:1","unix_ms":1}"#,
            "\n",
            r#"{"line":"message","order":1,"ms":7,"from":"client","number":142,"raw":"","plain":"8e00"}"#,
            "\n",
            r#"{"line":"end","order":2,"ms":9,"why":"the Client closed"}"#,
            "\n",
        );
        let told = recording(text).unwrap();
        for part in ["connection of 10.0.0.9:1 to mcots", "7 ms, Client: MCOTS 142", "the Client closed"] {
            assert!(told.contains(part), "{told}");
        }
        assert!(recording("{}").is_err());
    }
}
