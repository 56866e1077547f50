//! What is right in a `mcos.toml` with mistakes: for a box, which starts in spite of them.
//!
//! Every key that is right counts. For those that are wrong or missing the last settings without a mistake count, if there are
//! any, else the defaults; a line that cannot be read may have been any of them. The exceptions are keys that open something
//! ([`least_open`]): where nothing says so for certain, it stays closed.

use super::Config;
use super::key::Key;
use super::least_open::{self, Opens};
use super::mistake::{ConfigError, Mistake};
use super::read;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use toml::Table;
use toml::de::{DeTable, DeValue, ValueDeserializer};

/// The most mistakes that are named.
const MOST: usize = 10;
/// Who may make accounts, which is told in words of its own.
const REGISTRATION: (&str, &str) = ("accounts", "registration");
/// What decides which personas are shown.
const SHARD_ID: (&str, &str) = ("shard", "id");

/// What counts of a file whose text is `text`, and all its mistakes, of which `error` is the first. `last` is the text of the last
/// settings without a mistake.
pub(super) fn salvage(text: &str, error: ConfigError, last: Option<&str>) -> Config {
    let (document, broken) = DeTable::parse_recoverable(text);
    let document = document.into_inner();
    let mut found = read::mistakes(text, &document);
    found.extend(broken.iter().map(|error| read::foreign(text, error)));
    let mut settled = Settled::of(&document, &found, !broken.is_empty(), last);
    let mut clashing = Vec::new();
    let mut config = loop {
        let config = settled.config();
        let Some(clash) = read::clash(&config, &document) else { break config };
        // Each turn takes a key away, and the defaults do not clash.
        let (section, key) = clash.key.as_deref().and_then(|key| key.split_once('.')).unwrap_or_default();
        if take(&mut settled.settings, section, key).is_none() && settled.settings.remove(section).is_none() {
            break config;
        }
        clashing.push(clash);
    };
    found.extend(clashing);
    found.sort_by_key(|mistake| mistake.offset);
    let (section, key) = SHARD_ID;
    let said = settled.settings.get(section).and_then(|section| section.get(key)).is_some();
    let other_shard = !said && !cannot_have_said(&found, SHARD_ID);
    if found.is_empty() {
        return unreadable(error, None);
    }
    let more = found.len().saturating_sub(MOST);
    let instead = if settled.has_last {
        "what it said at the last start without a mistake counts in its place"
    } else {
        "the default counts in its place"
    };
    let in_place = |mistake: read::Mistake| {
        let name = mistake.key.clone().unwrap_or_default();
        let closed = settled.in_place.get(&name).map(|value| format!("{name} = {value} counts"));
        named(mistake.in_text(text), closed.unwrap_or_else(|| instead.to_owned()))
    };
    config.mistakes = found.into_iter().take(MOST).map(in_place).collect();
    if let Some(first) = config.mistakes.first_mut() {
        first.instead.push_str(&settled.closed_in_words());
        if other_shard {
            first.instead.push_str(&in_default_shard());
        }
        if more > 0 {
            let _ = write!(first.instead, " ({more} more mistakes are not shown)");
        }
    }
    config
}

/// The settings in place of a file that cannot be read at all.
pub(super) fn unreadable(error: ConfigError, last: Option<&str>) -> Config {
    let settled = Settled::of(&DeTable::new(), &[], true, last);
    let mut config = settled.config();
    let closed = settled.closed_in_words();
    let instead = if settled.has_last {
        format!("the settings of the last start without a mistake count{closed}")
    } else {
        format!("the whole file is ignored, the defaults count{closed}{}", in_default_shard())
    };
    config.mistakes = vec![named(error, instead)];
    config
}

/// What counts, and why.
struct Settled {
    settings: Table,
    /// There are settings of a start without a mistake.
    has_last: bool,
    /// What counts in place of a key with a mistake, because another value might be more open.
    in_place: BTreeMap<String, toml::Value>,
    /// What is closed because of a mistake elsewhere.
    closed: BTreeMap<String, toml::Value>,
}

impl Settled {
    /// What counts of a document with these mistakes, whose text may be `broken` besides.
    fn of(document: &DeTable<'_>, found: &[read::Mistake], broken: bool, last: Option<&str>) -> Self {
        let mut last =
            last.filter(|last| read::read(last).is_ok()).and_then(|last| last.parse::<Table>().ok());
        let mut settled = Self {
            settings: Table::new(),
            has_last: last.is_some(),
            in_place: BTreeMap::new(),
            closed: BTreeMap::new(),
        };
        for (section, key) in read::keys() {
            let before = last.as_mut().and_then(|last| take(last, section, key.name));
            settled.settle(document, (section, key), found, broken, before);
        }
        settled
    }

    fn settle(
        &mut self,
        document: &DeTable<'_>,
        (section, key): (&str, &Key),
        found: &[read::Mistake],
        broken: bool,
        before: Option<toml::Value>,
    ) {
        let (name, opens) = (read::full_name(section, key.name), least_open::opens(section, key));
        let wrong = found.iter().any(|mistake| mistake.key.as_ref() == Some(&name));
        let written = value(document, section, key.name);
        // Where the text itself is broken, even a line that can be read may not be what was meant: there may be two of them.
        let counts = |value: &toml::Value| !(wrong || broken && opens.is_strict() && !opens.is_closed(value));
        let doubtful =
            wrong || opens.is_strict() && (broken || !cannot_have_said(found, (section, key.name)));
        if let Some(written) = written.clone().filter(counts) {
            put(&mut self.settings, section, key.name, written);
            return;
        }
        let rest = || opens.right_part(written.as_ref().filter(|_| wrong)?);
        let astray = || opens.right_part(&misplaced(document, section, key.name)?);
        // What was left out on purpose comes back only if it opens nothing.
        let before = before.filter(|before| opens.is_closed(before) || !wrong && !opens.is_strict());
        if !doubtful {
            if let Some(before) = before {
                put(&mut self.settings, section, key.name, before);
            }
            return;
        }
        if let Some(right) = rest().or_else(astray) {
            put(&mut self.settings, section, key.name, right.clone());
            self.remember(name, wrong, right);
        } else if let Some(before) = before {
            put(&mut self.settings, section, key.name, before);
        } else if let Some(least) = opens.least() {
            put(&mut self.settings, section, key.name, least.clone());
            self.remember(name, wrong, least);
        } else if opens == Opens::WithoutText {
            let (section, key) = least_open::GUARDED_BY_TOKEN;
            put(&mut self.settings, section, key, false.into());
            self.closed.insert(read::full_name(section, key), false.into());
        }
    }

    fn config(&self) -> Config {
        let mut config: Config = self.settings.clone().try_into().unwrap_or_default();
        let network = self.settings.get("network").and_then(toml::Value::as_table);
        let configured = |key| network.is_some_and(|network| network.contains_key(key));
        config.network.http_configured = configured("http");
        config.network.https_configured = configured("https");
        config
    }

    fn remember(&mut self, name: String, wrong: bool, value: toml::Value) {
        let why = if wrong { &mut self.in_place } else { &mut self.closed };
        why.insert(name, value);
    }

    /// What is closed because of a mistake, for people.
    fn closed_in_words(&self) -> String {
        let mut words = String::new();
        let registration = read::full_name(REGISTRATION.0, REGISTRATION.1);
        for (name, value) in &self.closed {
            if *name != registration {
                let _ = write!(words, ", {name} = {value}");
            }
        }
        if self.closed.contains_key(&registration) || self.in_place.contains_key(&registration) {
            words.push_str(", and only the operator can make accounts");
        }
        words
    }
}

/// What a key says that stands in a section which does not exist, or in none.
fn misplaced(document: &DeTable<'_>, section: &str, key: &str) -> Option<toml::Value> {
    let names: Vec<String> = document.keys().map(|name| name.get_ref().to_string()).collect();
    names
        .iter()
        .map(String::as_str)
        .filter(|other| *other != section && !read::is_section(other))
        .find_map(|other| value(document, other, key))
        .or_else(|| value(document, "", key))
}

/// Whether none of the mistakes can have been meant as this key: each is at a key that is known for another one.
fn cannot_have_said(found: &[read::Mistake], (section, key): (&str, &str)) -> bool {
    let elsewhere = |known: &String| {
        *known != read::full_name(section, key)
            && read::keys().any(|(section, key)| read::full_name(section, key.name) == *known)
    };
    found.iter().all(|mistake| mistake.key.as_ref().is_some_and(elsewhere))
}

/// What is said where nobody knows which shard it was: its players would find none of their personas, and not know why.
fn in_default_shard() -> String {
    let id = Config::default().shard.id;
    format!(
        ", and shard.id is {id}: personas of a shard with another number are not shown until the file is right"
    )
}

fn named(error: ConfigError, instead: String) -> Mistake {
    Mistake { error, instead }
}

/// What a key says in a document.
fn value(document: &DeTable<'_>, section: &str, key: &str) -> Option<toml::Value> {
    let table = if section.is_empty() { document } else { document.get(section)?.get_ref().as_table()? };
    let value: &toml::Spanned<DeValue<'_>> = table.get(key)?;
    serde::Deserialize::deserialize(ValueDeserializer::from(value.clone())).ok()
}

fn take(settings: &mut Table, section: &str, key: &str) -> Option<toml::Value> {
    let table = if section.is_empty() { settings } else { settings.get_mut(section)?.as_table_mut()? };
    table.remove(key)
}

fn put(settings: &mut Table, section: &str, key: &str, value: toml::Value) {
    let table = if section.is_empty() {
        Some(settings)
    } else {
        settings.entry(section).or_insert_with(|| Table::new().into()).as_table_mut()
    };
    if let Some(table) = table {
        table.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests;
