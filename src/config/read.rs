//! Reads `mcos.toml`, or says in which line and key its first mistake is.

use super::key::Key;
use super::rule::Rule;
use super::{
    Accounts, Api, Backup, Compat, Config, ConfigError, FILE_NAME, GameRules, Limits, Lobby, Network,
    Rewards, Shard,
};
use crate::public_text;
use crate::text_encoding::line_at;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A mistake with the place in the text where it stands.
pub(super) struct Mistake {
    pub(super) offset: usize,
    pub(super) key: Option<String>,
    problem: String,
}

impl Mistake {
    /// The same with its line in `text`.
    pub(super) fn in_text(self, text: &str) -> ConfigError {
        ConfigError {
            file: FILE_NAME.to_owned(),
            line: Some(line_at(text.as_bytes(), self.offset)),
            key: self.key,
            problem: self.problem,
        }
    }
}

/// Reads a whole configuration, or reports its first mistake.
pub(super) fn read(text: &str) -> Result<Config, ConfigError> {
    // Editors on Windows like to put a byte order mark in front, which is no part of the text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    read_document(text).map_err(|mistake| mistake.in_text(text))
}

fn read_document(text: &str) -> Result<Config, Mistake> {
    let document = DeTable::parse(text).map_err(|error| foreign(text, &error))?.into_inner();
    if let Some(first) = mistakes(text, &document).into_iter().min_by_key(|m| m.offset) {
        return Err(first);
    }
    let mut config: Config = toml::from_str(text).map_err(|error| foreign(text, &error))?;
    config.network.http_configured = position(&document, "network", "http").is_some();
    config.network.https_configured = position(&document, "network", "https").is_some();
    match clash(&config, &document) {
        None => Ok(config),
        Some(mistake) => Err(mistake),
    }
}

/// What the parser found wrong, in words for people if it is one of the usual mistakes.
pub(super) fn foreign(text: &str, error: &toml::de::Error) -> Mistake {
    let offset = error.span().map_or(0, |span| span.start);
    let before = text.get(..offset).unwrap_or_default();
    let begins = before.rfind('\n').map_or(0, |at| at + 1);
    let line = text.get(begins..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let problem = usual(line).map_or_else(
        || {
            let message = in_one_line(&error.message().replace('\n', ", "));
            format!("{message}; each line is [section], KEY = VALUE, or begins with #")
        },
        str::to_owned,
    );
    Mistake { offset, key: None, problem }
}

/// What is wrong with a line, if people often write it so.
fn usual(line: &str) -> Option<&'static str> {
    const CURLY: [char; 9] = [
        '\u{201c}', '\u{201d}', '\u{201e}', '\u{201f}', '\u{2018}', '\u{2019}', '\u{201a}', '\u{ab}',
        '\u{bb}',
    ];
    const SWITCHES: [&str; 8] = ["yes", "no", "on", "off", "true", "false", "y", "n"];
    let Some((_, value)) = line.split_once('=') else {
        return line
            .contains(':')
            .then_some("has a colon in place of an equals sign, or none; write KEY = VALUE");
    };
    let value = value.split('#').next().unwrap_or_default().trim();
    let first = value.chars().next()?;
    if value.starts_with(CURLY) || value.starts_with('[') && value.contains(CURLY) {
        return Some("use straight quotation marks (\"), as Notepad writes them, and no curly ones");
    }
    if SWITCHES.contains(&value.to_lowercase().as_str()) {
        return Some("write true or false, in small letters and without quotation marks");
    }
    match first {
        '"' | '\'' if value.len() == 1 || !value.ends_with(first) => {
            Some("the quotation mark at the end of the text is missing")
        }
        first if first.is_alphabetic() => Some("a text stands between quotation marks: KEY = \"text\""),
        _ => None,
    }
}

/// What is wrong with the keys of a document, in no order.
pub(super) fn mistakes(text: &str, document: &DeTable<'_>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for (name, value) in document {
        match value.get_ref() {
            DeValue::Table(section) if is_section(name.get_ref()) => {
                for (key, value) in section {
                    mistakes.extend(mistake(text, name.get_ref(), key, value));
                }
            }
            _ => mistakes.extend(mistake(text, "", name, value)),
        }
    }
    mistakes
}

/// The sections in the order of `mcos.toml.example`, with their keys. The first has no name: the top of the file.
const SECTIONS: [(&str, &[Key]); 11] = [
    ("", &[Key { name: "data_dir", rule: Rule::FOLDER, default: "" }]),
    ("shard", Shard::KEYS),
    ("network", Network::KEYS),
    ("accounts", Accounts::KEYS),
    ("api", Api::KEYS),
    ("game", GameRules::KEYS),
    ("rewards", Rewards::KEYS),
    ("lobby", Lobby::KEYS),
    ("limits", Limits::KEYS),
    ("backup", Backup::KEYS),
    ("compat", Compat::KEYS),
];

/// Every key with the name of its section.
pub(super) fn keys() -> impl Iterator<Item = (&'static str, &'static Key)> {
    SECTIONS.iter().flat_map(|(section, keys)| keys.iter().map(|key| (*section, key)))
}

fn section_names() -> impl Iterator<Item = &'static str> {
    SECTIONS.iter().map(|(section, _)| *section).filter(|section| !section.is_empty())
}

pub(super) fn is_section(name: &str) -> bool {
    section_names().any(|section| section == name)
}

/// The name of a key with that of its section.
pub(super) fn full_name(section: &str, name: &str) -> String {
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
    let problem = match keys().find(|(within, key)| *within == section && key.name == name) {
        Some((_, key)) if key.rule.allows(value.get_ref()) => return None,
        Some((_, key)) => format!("must be {}, not {}", key.rule.wanted(), excerpt(text, value)),
        None => unknown(section, name),
    };
    Some(Mistake { offset, key: Some(in_one_line(&full_name(section, name))), problem })
}

/// A text of the file without what would break the line that shows it, and with the numbers of letters that cannot be seen or turn
/// others round.
fn in_one_line(text: &str) -> String {
    let mut line = String::new();
    for letter in text.chars() {
        if letter.is_control() || letter.is_whitespace() {
            line.push(' ');
        } else if public_text::one_line(letter.encode_utf8(&mut [0; 4])).is_some() {
            line.push(letter);
        } else {
            line.extend(letter.escape_unicode());
        }
    }
    line
}

/// The value as it is written, shortened to something that fits into a message.
fn excerpt(text: &str, value: &Spanned<DeValue<'_>>) -> String {
    let written = text.get(value.span()).unwrap_or_default();
    let line = in_one_line(written);
    let mut short: String = line.chars().take(48).collect();
    if short.len() < line.len() {
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
    match keys().find(|(_, key)| key.name == name) {
        Some(("", _)) => {
            "unknown key here; move it to the top of the file, above the first [section]".to_owned()
        }
        Some((right, _)) => format!("unknown key here; move it to the section [{right}]"),
        None if section.is_empty() => {
            let sections = names(section_names().collect());
            format!("unknown key; there is data_dir, and there are the sections {sections}")
        }
        None => {
            let known = keys().filter(|(within, _)| *within == section).map(|(_, key)| key.name).collect();
            format!("unknown key; the keys of [{section}] are {}", names(known))
        }
    }
}

/// Where a key stands in the text, if it does.
fn position(document: &DeTable<'_>, section: &str, name: &str) -> Option<usize> {
    let section = document.get(section)?.get_ref().as_table()?;
    section.iter().find(|(key, _)| key.get_ref() == name).map(|(key, _)| key.span().start)
}

/// What two keys say that cannot both count. The message stands at the later of those that the file names: that is the one that was
/// just written, the other may be a default.
pub(super) fn clash(config: &Config, document: &DeTable<'_>) -> Option<Mistake> {
    shared_port(config, document).or_else(|| two_answers(config, document))
}

/// At the later of two keys of a section; the text says what is wrong, from the full name of the other.
fn at_later(
    document: &DeTable<'_>,
    section: &str,
    [one, other]: [&str; 2],
    problem: impl FnOnce(&str) -> String,
) -> Mistake {
    let place = |name| position(document, section, name);
    let (here, there) = if place(one) > place(other) { (one, other) } else { (other, one) };
    Mistake {
        offset: place(here).unwrap_or_default(),
        key: Some(full_name(section, here)),
        problem: problem(&full_name(section, there)),
    }
}

/// A message has one answer.
fn two_answers(config: &Config, document: &DeTable<'_>) -> Option<Mistake> {
    let Compat { mcots_silent, mcots_success, .. } = &config.compat;
    let number = mcots_silent.iter().find(|number| mcots_success.contains(number))?;
    Some(at_later(document, "compat", ["mcots_silent", "mcots_success"], |other| {
        format!("message {number} is also in {other}; name it in one of the two")
    }))
}

/// Two services cannot have one port.
fn shared_port(config: &Config, document: &DeTable<'_>) -> Option<Mistake> {
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
        at_later(document, "network", [one, other], |other| {
            format!("port {port} is also used by {other}; give every service its own port")
        })
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

#[cfg(test)]
pub(super) fn every_key() -> impl Iterator<Item = String> {
    keys().map(|(section, key)| full_name(section, key.name))
}
