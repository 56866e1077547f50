//! What is right in a `mcos.toml` with mistakes: for a box, which starts in spite of them.
//!
//! Every key that is right counts. For those that are wrong or missing the last settings without a mistake count, if there are
//! any, else the defaults; a line that cannot be read may have been any of them. The exception is who may make accounts: where
//! nothing says so for certain, it is the Operator alone.

use super::mistake::{ConfigError, Mistake};
use super::read;
use super::{Config, Registration};
use std::fmt::Write as _;
use toml::Table;
use toml::de::{DeTable, DeValue, ValueDeserializer};

/// The most mistakes that are named.
const MOST: usize = 10;
/// What must not become more open by a mistake.
const REGISTRATION: (&str, &str) = ("accounts", "registration");
/// The value of that which is the least open.
const ONLY_OPERATOR: &str = "operator";
/// What decides which personas are shown.
const SHARD_ID: (&str, &str) = ("shard", "id");

/// What counts of a file whose text is `text`, and all its mistakes, of which `error` is the first. `last` is the text of the last
/// settings without a mistake.
pub(super) fn salvage(text: &str, error: ConfigError, last: Option<&str>) -> Config {
    let (document, broken) = DeTable::parse_recoverable(text);
    let document = document.into_inner();
    let mut last = last.filter(|last| read::read(last).is_ok()).and_then(|last| last.parse::<Table>().ok());
    let mut found = read::mistakes(text, &document);
    found.extend(broken.iter().map(read::foreign));
    let mut settings = Table::new();
    for (section, key) in read::keys() {
        let name = read::full_name(section, key.name);
        let wrong = found.iter().any(|mistake| mistake.key.as_ref() == Some(&name));
        let written = if wrong { None } else { value(&document, section, key.name) };
        let before =
            || take(last.as_mut()?, section, key.name).filter(|value| may_stand_in(section, key.name, value));
        if let Some(value) = written.or_else(before) {
            put(&mut settings, section, key.name, value);
        }
    }
    let mut clashing = Vec::new();
    let mut config = loop {
        let config: Config = settings.clone().try_into().unwrap_or_default();
        let Some(clash) = read::clash(&config, &document) else { break config };
        // Each turn takes a key away, and the defaults do not clash.
        let key = clash.key.as_deref().and_then(|key| key.strip_prefix("network.")).unwrap_or_default();
        if take(&mut settings, "network", key).is_none() && settings.remove("network").is_none() {
            break config;
        }
        clashing.push(clash);
    };
    found.extend(clashing);
    found.sort_by_key(|mistake| mistake.offset);
    let network = settings.get("network").and_then(toml::Value::as_table);
    let configured = |key| network.is_some_and(|network| network.contains_key(key));
    config.network.http_configured = configured("http");
    config.network.https_configured = configured("https");

    let (section, key) = REGISTRATION;
    let said = settings.get(section).and_then(|section| section.get(key)).is_some();
    let certain = said || cannot_have_said(&found, REGISTRATION);
    // Where the text itself is broken, even a line that can be read may not be what was meant: there may be two of them.
    let closed = config.accounts.registration == Registration::Open && !(certain && broken.is_empty());
    if closed {
        config.accounts.registration = Registration::Operator;
    }
    let (section, key) = SHARD_ID;
    let said = settings.get(section).and_then(|section| section.get(key)).is_some();
    let other_shard = !said && !cannot_have_said(&found, SHARD_ID);
    let instead = if last.is_some() {
        "what it said at the last start without a mistake counts in its place"
    } else {
        "the default counts in its place"
    };
    if found.is_empty() {
        return unreadable(error, None);
    }
    let more = found.len().saturating_sub(MOST);
    config.mistakes =
        found.into_iter().take(MOST).map(|m| named(m.in_text(text), instead.to_owned())).collect();
    if let Some(first) = config.mistakes.first_mut() {
        if closed {
            first.instead.push_str(", and only the operator can make accounts");
        }
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
    let before = last.and_then(|last| read::read(last).ok());
    let (mut config, instead) = match before {
        Some(config) => (
            config,
            "the settings of the last start without a mistake count, but only the operator can make accounts"
                .to_owned(),
        ),
        None => (
            Config::default(),
            format!(
                "the whole file is ignored, the defaults count, and only the operator can make accounts{}",
                in_default_shard()
            ),
        ),
    };
    config.accounts.registration = Registration::Operator;
    config.mistakes = vec![named(error, instead)];
    config
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

/// Whether what a key said before may count in place of what cannot be read now: not, if that could be more open.
fn may_stand_in(section: &str, key: &str, before: &toml::Value) -> bool {
    (section, key) != REGISTRATION || before.as_str() == Some(ONLY_OPERATOR)
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
