//! What each key of `mcos.toml` may hold, and how a mistake is reported.

use super::{Config, ConfigError, FILE_NAME, HostName};
use crate::netbios::MachineName;
use std::collections::HashSet;
use std::net::IpAddr;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The most addresses, and the most room servers, that a configuration may ask for.
const MAX_ADDRESSES: usize = 16;
const MAX_ROOMS: u16 = 100;
/// The most chat channels a configuration may ask for.
const MAX_CHANNELS: usize = 50;

/// One key: where it stands, whether a value will do, and what to tell the Operator if not.
struct Key {
    /// The section; empty for the top of the file.
    section: &'static str,
    name: &'static str,
    rule: Rule,
    /// Completes "must be ...".
    wanted: &'static str,
}

enum Rule {
    Number(i64, i64),
    OneOf(&'static [i64]),
    Switch,
    Text(fn(&str) -> bool),
    Addresses,
    RoomPorts,
    Channels,
    MessageNumbers,
}

const PORT: Rule = Rule::Number(0, 65535);
const TRUE_OR_FALSE: &str = "true or false";
const A_PORT: &str = "a port number from 0 to 65535, where 0 means any free port";
const A_COUNT: &str = "a whole number from 1 to 1000000";
/// The most numbers of messages that a switch may name.
const MAX_MESSAGE_NUMBERS: usize = 100;
const MESSAGE_NUMBERS: &str = "a list of at most 100 message numbers from 0 to 65535, such as [161, 391]";
const SECONDS: &str = "a number of seconds from 1 to 86400";

const fn key(section: &'static str, name: &'static str, rule: Rule, wanted: &'static str) -> Key {
    Key { section, name, rule, wanted }
}

#[rustfmt::skip]
const KEYS: &[Key] = &[
    key("", "data_dir", Rule::Text(|text| !text.is_empty()), "the name of a folder in quotes"),
    key("shard", "name", Rule::Text(is_name),
        "1 to 40 plain ASCII characters without brackets, line breaks or spaces at the ends, in quotes"),
    key("shard", "id", Rule::Number(1, 2_147_483_647), "a whole number from 1 to 2147483647"),
    key("shard", "max_personas", Rule::Number(1, 32), "a whole number from 1 to 32"),
    key("shard", "description", Rule::Text(is_line), "one line of at most 200 plain ASCII characters in quotes"),
    key("shard", "ticker", Rule::Text(is_line), "one line of at most 200 plain ASCII characters in quotes"),
    key("shard", "group", Rule::Text(is_name),
        "1 to 40 plain ASCII characters without brackets, line breaks or spaces at the ends, in quotes"),
    key("network", "bind", Rule::Addresses,
        "a list of this machine's own IP addresses in quotes, such as [\"0.0.0.0\", \"::\"]"),
    key("network", "public_host", Rule::Text(|text| text.is_empty() || HostName::parse(text).is_some()),
        "a host name or IPv4 address without a port, in quotes (empty: the address by which each Client came)"),
    key("network", "http", PORT, A_PORT),
    key("network", "https", PORT, A_PORT),
    key("network", "login", PORT, A_PORT),
    key("network", "persona", PORT, A_PORT),
    key("network", "mail", PORT, A_PORT),
    key("network", "lobby", PORT, A_PORT),
    key("network", "rooms", Rule::RoomPorts,
        "the lowest and the highest room port, at most 100 ports, such as [9000, 9014]"),
    key("network", "mcots", PORT, A_PORT),
    key("network", "legacy_tls", Rule::Switch, TRUE_OR_FALSE),
    key("network", "netbios", Rule::Switch, TRUE_OR_FALSE),
    key("network", "name", Rule::Text(|text| text.is_empty() || is_machine(text)),
        "a name of at most 15 letters, digits and hyphens, in quotes (empty: the host name)"),
    key("accounts", "registration", Rule::Text(|text| matches!(text, "open" | "operator")),
        "\"open\" or \"operator\""),
    key("game", "starter_cash", Rule::Number(0, 2_147_483_647), "a whole number from 0 to 2147483647"),
    key("lobby", "rooms", Rule::Number(1, MAX_ROOMS as i64), "a whole number from 1 to 100"),
    key("lobby", "channels", Rule::Channels,
        "at most 50 channels, each with a name of 1 to 31 plain ASCII characters and a number of its own \
         from 3 to 2147483647, such as { MCCHAT = 191 }"),
    key("limits", "connections", Rule::Number(1, 1_000_000), A_COUNT),
    key("limits", "connections_per_address", Rule::Number(1, 1_000_000), A_COUNT),
    key("limits", "failed_logins_per_minute", Rule::Number(1, 1_000_000), A_COUNT),
    key("limits", "outbound_bytes", Rule::Number(4096, 67_108_864), "a number of bytes from 4096 to 67108864"),
    key("limits", "idle_seconds", Rule::Number(1, 86_400), SECONDS),
    key("limits", "login_seconds", Rule::Number(1, 86_400), SECONDS),
    key("limits", "password_workers", Rule::Number(1, 2), "1 or 2"),
    key("limits", "context_minutes", Rule::Number(30, 10_080), "a number of minutes from 30 to 10080"),
    key("compat", "push_form", Rule::Text(|text| matches!(text, "sealed" | "clear")), "\"sealed\" or \"clear\""),
    key("compat", "relay_form", Rule::Text(|text| matches!(text, "as-sent" | "sealed" | "clear")),
        "\"as-sent\", \"sealed\" or \"clear\""),
    key("compat", "short_relays", Rule::Switch, TRUE_OR_FALSE),
    key("compat", "echo_relays", Rule::Switch, TRUE_OR_FALSE),
    key("compat", "deny_wrong_password", Rule::Switch, TRUE_OR_FALSE),
    key("compat", "race_self_notice", Rule::Switch, TRUE_OR_FALSE),
    key("compat", "chat_self_notice", Rule::Switch, TRUE_OR_FALSE),
    key("compat", "leave_notices", Rule::Switch, TRUE_OR_FALSE),
    key("compat", "ready_notices", Rule::Switch, TRUE_OR_FALSE),
    key("compat", "owner_notices", Rule::Switch, TRUE_OR_FALSE),
    key("compat", "announce_races", Rule::Switch, TRUE_OR_FALSE),
    key("compat", "channel_updates", Rule::Text(|text| matches!(text, "whole" | "data" | "off")),
        "\"whole\", \"data\" or \"off\""),
    key("compat", "server_notices", Rule::Switch, TRUE_OR_FALSE),
    key("compat", "race_list_width", Rule::OneOf(&[1, 4]), "1 or 4"),
    key("compat", "state_changes", Rule::Switch, TRUE_OR_FALSE),
    key("compat", "race_started", Rule::Text(|text| matches!(text, "number" | "server-info")),
        "\"number\" or \"server-info\""),
    key("compat", "race_start_on", Rule::Text(|text| matches!(text, "member" | "hosts-server")),
        "\"member\" or \"hosts-server\""),
    key("compat", "start_notices", Rule::Switch, TRUE_OR_FALSE),
    key("compat", "mcots_silent", Rule::MessageNumbers, MESSAGE_NUMBERS),
    key("compat", "mcots_success", Rule::MessageNumbers, MESSAGE_NUMBERS),
    key("compat", "car_class", Rule::Text(|text| matches!(text, "body" | "race")), "\"body\" or \"race\""),
];

/// Text that can stand between the brackets of the shard list.
fn is_name(text: &str) -> bool {
    let plain = |c: u8| (c == b' ' || c.is_ascii_graphic()) && !matches!(c, b'[' | b']');
    (1..=40).contains(&text.len()) && text.bytes().all(plain) && text.trim() == text
}

/// The name of a channel: 32 bytes with its NUL.
fn is_riff(text: &str) -> bool {
    (1..=31).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_graphic())
}

/// A name that Windows can look for, whole.
fn is_machine(text: &str) -> bool {
    text.len() <= 15 && !text.contains('.') && MachineName::from_host(text).is_some()
}

/// Text that can stand behind a `=` of the shard list.
fn is_line(text: &str) -> bool {
    text.len() <= 200 && text.bytes().all(|c| c == b' ' || c.is_ascii_graphic())
}

fn as_number(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

impl Rule {
    fn allows(&self, value: &DeValue<'_>) -> bool {
        match self {
            Self::Number(from, to) => as_number(value).is_some_and(|n| (*from..=*to).contains(&n)),
            Self::OneOf(numbers) => as_number(value).is_some_and(|n| numbers.contains(&n)),
            Self::Switch => value.is_bool(),
            Self::Text(test) => value.as_str().is_some_and(test),
            Self::Addresses => value.as_array().is_some_and(|list| {
                let addresses: Option<HashSet<IpAddr>> =
                    list.iter().map(|one| one.get_ref().as_str()?.parse().ok()).collect();
                (1..=MAX_ADDRESSES).contains(&list.len()) && addresses.is_some_and(|a| a.len() == list.len())
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
            Self::MessageNumbers => value.as_array().is_some_and(|list| {
                let numbers: Option<Vec<u16>> =
                    list.iter().map(|one| as_number(one.get_ref()).and_then(|n| n.try_into().ok())).collect();
                list.len() <= MAX_MESSAGE_NUMBERS && numbers.is_some()
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

/// A mistake with the place in the text where it stands.
struct Mistake {
    offset: usize,
    key: Option<String>,
    problem: String,
}

/// Reads a whole configuration, or reports its first mistake.
pub(super) fn read(text: &str) -> Result<Config, ConfigError> {
    // Editors on Windows like to put a byte order mark in front, which is no part of the text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    read_document(text).map_err(|mistake| ConfigError {
        file: FILE_NAME.to_owned(),
        line: Some(line_at(text.as_bytes(), mistake.offset)),
        key: mistake.key,
        problem: mistake.problem,
    })
}

fn read_document(text: &str) -> Result<Config, Mistake> {
    let foreign = |e: &toml::de::Error| Mistake {
        offset: e.span().map_or(0, |span| span.start),
        key: None,
        problem: format!("{}; see mcos.toml.example for how it is written", e.message().replace('\n', ", ")),
    };
    let document = DeTable::parse(text).map_err(|e| foreign(&e))?.into_inner();
    let mut mistakes = Vec::new();
    for (name, value) in &document {
        match value.get_ref() {
            DeValue::Table(section) if is_section(name.get_ref()) => {
                for (key, value) in section {
                    mistakes.extend(mistake(text, name.get_ref(), key, value));
                }
            }
            _ => mistakes.extend(mistake(text, "", name, value)),
        }
    }
    if let Some(first) = mistakes.into_iter().min_by_key(|m| m.offset) {
        return Err(first);
    }
    let mut config: Config = toml::from_str(text).map_err(|e| foreign(&e))?;
    config.network.http_configured = position(&document, "network", "http").is_some();
    config.network.https_configured = position(&document, "network", "https").is_some();
    match clash(&config, &document) {
        None => Ok(config),
        Some(mistake) => Err(mistake),
    }
}

fn is_section(name: &str) -> bool {
    KEYS.iter().any(|key| !key.section.is_empty() && key.section == name)
}

fn full_name(section: &str, name: &str) -> String {
    if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") }
}

/// What is wrong with one key, if anything.
fn mistake(
    text: &str,
    section: &str,
    name: &Spanned<impl AsRef<str>>,
    value: &Spanned<DeValue<'_>>,
) -> Option<Mistake> {
    let (offset, name) = (name.span().start, name.get_ref().as_ref());
    let problem = match KEYS.iter().find(|key| key.section == section && key.name == name) {
        Some(key) if key.rule.allows(value.get_ref()) => return None,
        Some(key) => format!("must be {}, not {}", key.wanted, excerpt(text, value)),
        None => unknown(section, name),
    };
    Some(Mistake { offset, key: Some(full_name(section, name)), problem })
}

/// The value as it is written, shortened to something that fits into a message.
fn excerpt(text: &str, value: &Spanned<DeValue<'_>>) -> String {
    let written = text.get(value.span()).unwrap_or_default();
    let mut short: String = written.chars().take(48).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if short.len() < written.len() {
        short.push_str("...");
    }
    short
}

/// Helps with a key that does not exist: it may only stand in the wrong place.
fn unknown(section: &str, name: &str) -> String {
    if section.is_empty() && is_section(name) {
        return format!("is a section; write [{name}] on a line of its own and its keys below");
    }
    let names = |list: Vec<&str>| list.join(", ");
    match KEYS.iter().find(|key| key.name == name) {
        Some(key) if key.section.is_empty() => {
            "unknown key here; move it to the top of the file, above the first [section]".to_owned()
        }
        Some(key) => format!("unknown key here; move it to the section [{}]", key.section),
        None if section.is_empty() => {
            let mut sections: Vec<&str> =
                KEYS.iter().map(|key| key.section).filter(|s| !s.is_empty()).collect();
            sections.dedup();
            format!("unknown key; there is data_dir, and there are the sections {}", names(sections))
        }
        None => {
            let known = KEYS.iter().filter(|key| key.section == section).map(|key| key.name).collect();
            format!("unknown key; the keys of [{section}] are {}", names(known))
        }
    }
}

/// Where a key stands in the text, if it does.
fn position(document: &DeTable<'_>, section: &str, name: &str) -> Option<usize> {
    let section = document.get(section)?.get_ref().as_table()?;
    section.iter().find(|(key, _)| key.get_ref() == name).map(|(key, _)| key.span().start)
}

/// Two services cannot have one port. The message stands at the later of the two keys that the file names:
/// that is the one that was just written, the other may be a default.
fn clash(config: &Config, document: &DeTable<'_>) -> Option<Mistake> {
    let network = &config.network;
    let single = [
        ("http", network.http),
        ("https", network.https),
        ("login", network.login),
        ("persona", network.persona),
        ("mail", network.mail),
        ("lobby", network.lobby),
        ("mcots", network.mcots),
    ];
    let [lowest, highest] = network.rooms;
    let report = |port: u16, one: &str, other: &str| {
        let place = |name| position(document, "network", name);
        let (here, there) = if place(one) > place(other) { (one, other) } else { (other, one) };
        Mistake {
            offset: place(here).unwrap_or_default(),
            key: Some(full_name("network", here)),
            problem: format!("port {port} is also used by network.{there}; give every service its own port"),
        }
    };
    for (i, (one, port)) in single.iter().enumerate().filter(|(_, (_, port))| *port != 0) {
        if let Some((other, _)) = single.iter().skip(i + 1).find(|(_, other)| other == port) {
            return Some(report(*port, one, other));
        }
        if (lowest..=highest).contains(port) {
            return Some(report(*port, one, "rooms"));
        }
    }
    None
}

/// The line, counted from 1, of a place in the text.
pub(super) fn line_at(text: &[u8], offset: usize) -> usize {
    1 + text.iter().take(offset).filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
pub(super) fn every_key() -> impl Iterator<Item = String> {
    KEYS.iter().map(|key| full_name(key.section, key.name))
}
