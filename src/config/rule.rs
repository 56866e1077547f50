//! What a key of `mcos.toml` may hold, and how that is said to the Server Operator.

use super::{Allowed, Choice, GamePage, HostName};
use crate::clock::Zone;
use crate::netbios::MachineName;
use crate::public_text;
use mco_proto::mcots::lists::GAME_PAGES;
use mco_proto::windows_1252;
use std::borrow::Cow;
use std::collections::HashSet;
use std::net::IpAddr;
use toml::Spanned;
use toml::de::DeValue;

/// The most addresses that a configuration may ask for.
pub(super) const MAX_ADDRESSES: usize = 16;
/// The most networks that a configuration may let in.
const MAX_NETWORKS: usize = 64;
/// The most room servers that a configuration may ask for.
const MAX_ROOMS: u16 = 100;
/// The most chat channels that a configuration may ask for.
const MAX_CHANNELS: usize = 50;
/// The most numbers of messages that a key may name.
const MAX_MESSAGE_NUMBERS: usize = 100;

/// The most tracks whose length a configuration may state.
const MAX_TRACKS: usize = 100;
/// The longest track, in metres: a hundred kilometres.
const MAX_LENGTH: i64 = 100_000;

/// The most dollars that a list may name.
const MAX_AMOUNT: i64 = 10_000_000;

/// What a key may hold.
pub(super) enum Rule {
    /// A number between two, both included; the text says of what.
    Number(&'static str, i64, i64),
    /// 0, or a number between two, both included; the text says of what.
    NumberOrNone(&'static str, i64, i64),
    /// One of these numbers.
    NumberOf(&'static [i64]),
    /// One of these words.
    Word(&'static [&'static str]),
    /// True or false.
    Switch,
    /// A TCP port, or 0.
    Port,
    /// A text that passes a test, and what completes "must be ...".
    Text(fn(&str) -> bool, &'static str),
    /// The addresses to listen on.
    Addresses,
    /// Networks from which the server may be reached.
    Networks,
    /// The lowest and the highest room port.
    RoomPorts,
    /// Chat channels with their numbers.
    Channels,
    /// Lengths of tracks by their numbers.
    TrackLengths,
    /// Numbers of MCOTS messages.
    MessageNumbers,
    /// Numbers of the game's pages with pages of this server.
    GamePages,
    /// Dollars for at most so many places.
    Amounts(usize),
    /// The name of a time zone.
    TimeZone,
}

impl Rule {
    pub(super) const FOLDER: Self = Self::Text(
        |text| !text.is_empty() && !text.contains(char::is_control),
        "the name of a folder in quotes",
    );
    pub(super) const TOKEN: Self = Self::Text(
        |text| text.len() <= 200 && text.bytes().all(|byte| byte.is_ascii_graphic()),
        "at most 200 letters without accents, digits and other plain characters without spaces, in quotes",
    );
    pub(super) const NAME: Self = Self::Text(
        is_name,
        "1 to 40 characters that one can see, without brackets, line breaks or spaces at the ends, in quotes",
    );
    pub(super) const LINE: Self =
        Self::Text(is_line, "one line of at most 200 characters that one can see, in quotes");
    pub(super) const HOST: Self = Self::Text(
        |text| text.is_empty() || HostName::parse(text).is_some(),
        "a host name or IPv4 address without a port, in quotes (empty: the address by which each Client came)",
    );
    pub(super) const MACHINE: Self = Self::Text(
        |text| text.is_empty() || is_machine(text),
        "a name of at most 15 letters, digits and hyphens, in quotes (empty: the host name)",
    );
    pub(super) const LABEL: Self = Self::Text(
        |text| text.is_empty() || is_plain_name(text, 16) && !is_of_the_card(text),
        "at most 16 letters without accents, digits, spaces, hyphens and underscores, not the name of the card itself, in quotes (empty: no stick)",
    );
    pub(super) const FOLDER_NAME: Self = Self::Text(
        |text| is_plain_name(text, 40),
        "1 to 40 letters without accents, digits, spaces, hyphens and underscores, in quotes",
    );
    pub(super) const COUNT: Self = Self::Number("a whole number", 1, 1_000_000);
    pub(super) const SECONDS: Self = Self::Number("a number of seconds", 1, 86_400);
    pub(super) const ROOMS: Self = Self::Number("a whole number", 1, MAX_ROOMS as i64);

    /// Completes "must be ...".
    pub(super) fn wanted(&self) -> String {
        match self {
            Self::Number(what, from, to) => format!("{what} from {from} to {to}"),
            Self::NumberOrNone(what, from, to) => format!("0, or {what} from {from} to {to}"),
            Self::NumberOf(numbers) => one_of(numbers.iter().map(ToString::to_string).collect()),
            Self::Word(words) => one_of(words.iter().map(|word| format!("\"{word}\"")).collect()),
            Self::Switch => "true or false".to_owned(),
            Self::Port => "a port number from 0 to 65535, where 0 means any free port".to_owned(),
            Self::Text(_, wanted) => (*wanted).to_owned(),
            Self::Addresses => {
                "a list of this machine's own IP addresses in quotes, such as [\"0.0.0.0\", \"::\"]"
                    .to_owned()
            }
            Self::Networks => format!(
                "a list of at most {MAX_NETWORKS} networks or addresses in quotes, such as [\"192.168.0.0/16\", \"own-ipv6\"]"
            ),
            Self::RoomPorts => format!(
                "the lowest and the highest room port, at most {MAX_ROOMS} ports, such as [9000, 9014]"
            ),
            Self::Channels => format!(
                "at most {MAX_CHANNELS} channels, each with a name of 1 to 31 plain ASCII characters and a number of its own \
                 from 3 to 2147483647, such as {{ MCCHAT = 191 }}"
            ),
            Self::TrackLengths => format!(
                "at most {MAX_TRACKS} numbers of tracks, each with the length of a lap from 1 to {MAX_LENGTH} metres, such as {{ 25 = 3200 }}"
            ),
            Self::Amounts(most) => {
                format!("a list of at most {most} sums from 0 to {MAX_AMOUNT} dollars, such as [5000, 2500]")
            }
            Self::GamePages => format!(
                "a list of texts with the number of a page of the game, 0 to {}, each number once, a space and one of these pages: {}; such as \
                 [\"5 /boards\"]",
                GAME_PAGES - 1,
                GamePage::ALL.map(Choice::word).join(", ")
            ),
            Self::TimeZone => {
                "the name of a time zone, such as \"Europe/Berlin\" or \"America/New_York\", or \"UTC\", in quotes".to_owned()
            }
            Self::MessageNumbers => format!(
                "a list of at most {MAX_MESSAGE_NUMBERS} message numbers from 0 to 65535, each once, such as [161, 391]"
            ),
        }
    }

    /// Whether a value will do.
    pub(super) fn allows(&self, value: &DeValue<'_>) -> bool {
        match self {
            Self::Number(_, from, to) => as_number(value).is_some_and(|n| (*from..=*to).contains(&n)),
            Self::NumberOrNone(_, from, to) => {
                as_number(value).is_some_and(|n| n == 0 || (*from..=*to).contains(&n))
            }
            Self::NumberOf(numbers) => as_number(value).is_some_and(|n| numbers.contains(&n)),
            Self::Word(words) => value.as_str().is_some_and(|word| words.contains(&word)),
            Self::Switch => value.is_bool(),
            Self::Port => as_number(value).is_some_and(|n| u16::try_from(n).is_ok()),
            Self::Text(test, _) => value.as_str().is_some_and(test),
            Self::Addresses => value.as_array().is_some_and(|list| {
                let addresses: Option<HashSet<IpAddr>> =
                    list.iter().map(|one| one.get_ref().as_str()?.parse().ok()).collect();
                (1..=MAX_ADDRESSES).contains(&list.len()) && addresses.is_some_and(|a| a.len() == list.len())
            }),
            Self::Networks => value.as_array().is_some_and(|list| {
                let networks: Option<Vec<Allowed>> =
                    list.iter().map(|one| Allowed::parse(one.get_ref().as_str()?)).collect();
                list.len() <= MAX_NETWORKS && networks.is_some()
            }),
            Self::RoomPorts => value.as_array().is_some_and(|list| {
                let ports: Option<Vec<u16>> =
                    list.iter().map(|one| as_number(one.get_ref()).and_then(|n| n.try_into().ok())).collect();
                match ports.as_deref() {
                    Some([0, highest]) => *highest == 0,
                    Some([lowest, highest]) => highest.checked_sub(*lowest).is_some_and(|n| n < MAX_ROOMS),
                    _ => false,
                }
            }),
            Self::Amounts(most) => value.as_array().is_some_and(|list| {
                let sum = |one: &DeValue<'_>| as_number(one).is_some_and(|n| (0..=MAX_AMOUNT).contains(&n));
                list.len() <= *most && list.iter().all(|one| sum(one.get_ref()))
            }),
            Self::GamePages => value.as_array().is_some_and(|list| {
                let numbers: Option<HashSet<u16>> =
                    list.iter().map(|one| Some(GamePage::line(one.get_ref().as_str()?)?.0)).collect();
                numbers.is_some_and(|numbers| {
                    numbers.len() == list.len() && numbers.iter().all(|n| u32::from(*n) < GAME_PAGES)
                })
            }),
            Self::TimeZone => value.as_str().is_some_and(|name| Zone::named(name).is_some()),
            Self::MessageNumbers => value.as_array().is_some_and(|list| {
                let numbers: Option<HashSet<u16>> =
                    list.iter().map(|one| as_number(one.get_ref()).and_then(|n| n.try_into().ok())).collect();
                let each_once = numbers.is_some_and(|numbers| numbers.len() == list.len());
                list.len() <= MAX_MESSAGE_NUMBERS && each_once
            }),
            Self::TrackLengths => value.as_table().is_some_and(|table| {
                let right = |(track, metres): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
                    let number = track.get_ref().parse::<u32>();
                    number.is_ok_and(|number| number.to_string() == *track.get_ref())
                        && as_number(metres.get_ref())
                            .is_some_and(|metres| (1..=MAX_LENGTH).contains(&metres))
                };
                table.len() <= MAX_TRACKS && table.iter().all(right)
            }),
            Self::Channels => value.as_table().is_some_and(|table| {
                let numbers: Option<HashSet<i64>> = table
                    .iter()
                    .map(|(name, number)| {
                        let number = as_number(number.get_ref())?;
                        (is_riff(name.get_ref()) && (3..=2_147_483_647).contains(&number)).then_some(number)
                    })
                    .collect();
                table.len() <= MAX_CHANNELS && numbers.is_some_and(|numbers| numbers.len() == table.len())
            }),
        }
    }
}

/// "1 or 4", "a, b or c".
fn one_of(mut values: Vec<String>) -> String {
    let last = values.pop().unwrap_or_default();
    if values.is_empty() { last } else { format!("{} or {last}", values.join(", ")) }
}

/// Text that can stand between the brackets of the shard list. What counts is how it is written there.
fn is_name(text: &str) -> bool {
    let wire = windows_1252::encode(text);
    let ends = !text.starts_with(char::is_whitespace) && !text.ends_with(char::is_whitespace);
    let shown = ends && wire == wire.trim_ascii() && !wire.iter().any(|byte| b"[]".contains(byte));
    (1..=40).contains(&wire.len()) && shown && is_plain(text)
}

/// The name of a channel: 32 bytes with its NUL.
fn is_riff(text: &str) -> bool {
    (1..=31).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_graphic())
}

/// A name that Windows can look for, whole.
fn is_machine(text: &str) -> bool {
    text.len() <= 15 && !text.contains('.') && MachineName::from_host(text).is_some()
}

/// Whether a label would be that of a partition of the card, as the box compares labels: by capitals and digits alone.
fn is_of_the_card(label: &str) -> bool {
    let bare: String = label.chars().filter(char::is_ascii_alphanumeric).collect();
    ["MCOS", "MCOSDATA"].iter().any(|own| bare.eq_ignore_ascii_case(own))
}

/// A name that every file system and a shell take as it is.
fn is_plain_name(text: &str, longest: usize) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-' | b'_');
    let named = text.contains(|letter: char| letter.is_ascii_alphanumeric());
    (1..=longest).contains(&text.len()) && text.trim() == text && named && text.bytes().all(plain)
}

/// Text that can stand behind a `=` of the shard list.
fn is_line(text: &str) -> bool {
    windows_1252::encode(text).len() <= 200 && is_plain(text)
}

/// Text on one line in which nothing is hidden or turns other letters round: players read it.
fn is_plain(text: &str) -> bool {
    !text.contains(['\u{2028}', '\u{2029}']) && public_text::one_line(text).is_some()
}

fn as_number(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}
