//! `mcos.toml` as the Operator sees and changes it on a page: each key with its value and with what `mcos.toml.example` says of it. A
//! change keeps comments, order and whatever else stands in the file.

use super::rule::Rule;
use super::{ConfigError, read};
use crate::clock::Zone;
use std::str::FromStr as _;
use toml_edit::{Array, DocumentMut, Item, Table, Value};

/// Where the words and the defaults of all keys stand.
const EXAMPLE: &str = include_str!("../../mcos.toml.example");

/// The section that counts only on a box.
pub const BACKUP: &str = "backup";

/// The sections that a page offers, with what people call them.
pub const SECTIONS: [(&str, &str); 10] = [
    ("shard", "The city"),
    ("accounts", "Accounts"),
    ("game", "Rules of the game"),
    ("rewards", "Weekly rewards"),
    ("lobby", "Lobby"),
    ("network", "Network"),
    ("api", "Programs that read"),
    ("limits", "Limits"),
    (BACKUP, "Backups of the box"),
    ("compat", "Unproven answers"),
];

/// What no page offers: the number by which all personas belong to their shard, and a secret.
const NOT_OFFERED: [(&str, &str); 2] = [("shard", "id"), ("api", "token")];

/// A key that a page offers.
#[derive(Debug)]
pub struct Setting {
    /// Its name within the section.
    pub name: &'static str,
    /// What `mcos.toml.example` says of it.
    pub help: String,
    /// What it may hold; completes "must be ...".
    pub wanted: String,
    /// The values of which it has one; empty: whatever is typed.
    pub choices: Vec<String>,
    /// What counts, as it is typed.
    pub value: String,
    /// What counts if the file does not name it, as it is typed.
    pub default: String,
}

/// The keys of a section that a page offers, as the file `text` sets them.
///
/// # Errors
/// The first mistake in the file.
pub fn settings(text: &str, section: &str) -> Result<Vec<Setting>, ConfigError> {
    let document = document(text)?;
    let said = example();
    let offered = read::keys().filter(|(of, key)| *of == section && is_offered(section, key.name, &key.rule));
    let setting = offered.filter_map(|(_, key)| {
        let entry = said.iter().find(|entry| entry.section == section && entry.name == key.name)?;
        let default = Value::from_str(entry.default).ok().map(|value| typed(&value)).unwrap_or_default();
        let value = document.get(section).and_then(|keys| keys.get(key.name)).and_then(Item::as_value);
        Some(Setting {
            name: key.name,
            help: entry.words.join(" "),
            wanted: key.rule.wanted(),
            choices: choices(&key.rule),
            value: value.map_or_else(|| default.clone(), typed),
            default,
        })
    });
    Ok(setting.collect())
}

/// The file `text` with these keys of a section as they were typed. A key whose value stays is not touched, and what a page does
/// not offer is passed over.
///
/// # Errors
/// The first mistake of the file as it is, or as it would be.
pub fn change(text: &str, section: &str, wanted: &[(&str, &str)]) -> Result<String, ConfigError> {
    let mut document = document(text)?;
    for setting in settings(text, section)? {
        let Some((_, asked)) = wanted.iter().find(|(name, _)| *name == setting.name) else { continue };
        let rule = read::keys().find(|(of, key)| *of == section && key.name == setting.name);
        let Some((_, key)) = rule.filter(|_| asked.trim() != setting.value) else { continue };
        put(&mut document, section, setting.name, value(&key.rule, asked.trim()));
    }
    let changed = document.to_string();
    read::read(&changed)?;
    Ok(changed)
}

/// A file without a mistake.
fn document(text: &str) -> Result<DocumentMut, ConfigError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    read::read(text)?;
    DocumentMut::from_str(text).map_err(|error| ConfigError {
        file: super::FILE_NAME.to_owned(),
        line: None,
        key: None,
        problem: error.message().replace('\n', ", "),
    })
}

fn is_offered(section: &str, name: &str, rule: &Rule) -> bool {
    let form = match rule {
        Rule::Number(..)
        | Rule::NumberOrNone(..)
        | Rule::NumberOf(_)
        | Rule::Word(_)
        | Rule::Switch
        | Rule::Text(..)
        | Rule::Networks
        | Rule::Amounts(_)
        | Rule::TimeZone => true,
        // Another port or address would take the page away from under whoever changes it, and the rest has pages of its own.
        Rule::Port
        | Rule::Addresses
        | Rule::RoomPorts
        | Rule::Channels
        | Rule::MessageNumbers
        | Rule::GamePages
        | Rule::TrackLengths => false,
    };
    form && !NOT_OFFERED.contains(&(section, name))
}

fn choices(rule: &Rule) -> Vec<String> {
    match rule {
        Rule::Switch => vec!["true".to_owned(), "false".to_owned()],
        Rule::Word(words) => words.iter().map(|word| (*word).to_owned()).collect(),
        Rule::NumberOf(numbers) => numbers.iter().map(ToString::to_string).collect(),
        Rule::TimeZone => Zone::names(),
        _ => Vec::new(),
    }
}

/// A value as people type it: a text without quotation marks, a list with commas.
fn typed(value: &Value) -> String {
    match value {
        Value::String(text) => text.value().clone(),
        Value::Integer(number) => number.value().to_string(),
        Value::Boolean(switch) => switch.value().to_string(),
        Value::Array(list) => list.iter().map(typed).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// What was typed as a value. What cannot be what the key holds stays a text: the check of the file says what is wanted.
fn value(rule: &Rule, typed: &str) -> Value {
    let number = |text: &str| text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from);
    let parts =
        || typed.split(|c: char| c.is_whitespace() || ",;".contains(c)).filter(|part| !part.is_empty());
    match rule {
        Rule::Number(..) | Rule::NumberOrNone(..) | Rule::NumberOf(_) => number(typed),
        Rule::Switch => typed.parse::<bool>().map_or_else(|_| Value::from(typed), Value::from),
        Rule::Amounts(_) => parts().map(number).collect::<Array>().into(),
        Rule::Networks => parts().map(Value::from).collect::<Array>().into(),
        _ => Value::from(typed),
    }
}

/// Sets a key. What stands behind the old value on its line, a comment for instance, stays.
fn put(document: &mut DocumentMut, section: &str, name: &str, mut value: Value) {
    let keys = document.entry(section).or_insert_with(|| Item::Table(Table::new()));
    let Some(keys) = keys.as_table_like_mut() else { return };
    match keys.get_mut(name).and_then(Item::as_value_mut) {
        Some(old) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => drop(keys.insert(name, Item::Value(value))),
    }
}

/// What the example says of a key.
struct Entry {
    section: &'static str,
    name: &'static str,
    default: &'static str,
    words: Vec<&'static str>,
}

/// All keys of the example. Keys that stand together share the words above them.
fn example() -> Vec<Entry> {
    let (mut entries, mut section, mut words, mut behind_key) = (Vec::new(), "", Vec::new(), false);
    for line in EXAMPLE.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        }
        let Some(text) = line.strip_prefix("# ") else {
            words.clear();
            continue;
        };
        let key = text.split_once(" = ");
        if let Some((name, default)) =
            key.filter(|(name, _)| read::keys().any(|(of, key)| of == section && key.name == *name))
        {
            entries.push(Entry { section, name, default, words: words.clone() });
            behind_key = true;
            continue;
        }
        if std::mem::take(&mut behind_key) {
            words.clear();
        }
        words.push(text);
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn of(text: &str, section: &str, name: &str) -> Setting {
        let all = settings(text, section).unwrap();
        all.into_iter().find(|setting| setting.name == name).unwrap_or_else(|| panic!("{section}.{name}"))
    }

    #[test]
    fn a_number_that_may_be_none_is_written_as_a_number() {
        let limits = |bytes| change("", "limits", &[("input_bytes", bytes)]);
        assert!(limits("65536").unwrap().contains("input_bytes = 65536\n"));
        assert!(limits("65535").is_err());
    }

    #[test]
    fn every_key_that_is_offered_has_its_words_and_its_default() {
        let mut count = 0;
        for (section, _) in SECTIONS {
            for setting in settings("", section).unwrap() {
                assert!(setting.help.len() > 20, "{section}.{}: {}", setting.name, setting.help);
                assert!(setting.choices.is_empty() || setting.choices.contains(&setting.default));
                assert_eq!(setting.value, setting.default, "{section}.{}", setting.name);
                count += 1;
            }
            // A form with all defaults changes nothing.
            let all = settings("", section).unwrap();
            let same: Vec<_> = all.iter().map(|one| (one.name, one.default.as_str())).collect();
            assert_eq!(change("# mine\n", section, &same).unwrap(), "# mine\n");
        }
        assert!(count > 50, "{count}");
        let secret = settings("", "api").unwrap().into_iter().any(|setting| setting.name == "token");
        let number = settings("", "shard").unwrap().into_iter().any(|setting| setting.name == "id");
        let ports = settings("", "network").unwrap().into_iter().any(|setting| setting.name == "https");
        assert!(!secret && !number && !ports);
        assert_eq!(of("", "game", "starter_cash").default, "20000");
        assert!(of("", "compat", "chat_self_notice").help.starts_with("Tell who opens a race"));
        assert_eq!(of("", "rewards", "top_dog").value, "10000, 7500, 5000, 3000, 2000");
    }

    #[test]
    fn every_section_has_a_name_for_people() {
        let sections: std::collections::BTreeSet<&str> =
            read::keys().map(|(section, _)| section).filter(|section| !section.is_empty()).collect();
        assert_eq!(sections, SECTIONS.iter().map(|(section, _)| *section).collect());
    }

    #[test]
    fn a_change_keeps_everything_else_of_the_file() {
        const FILE: &str = "# my box\ndata_dir = \"d\"\n\n[network] # at home\nhttp = 8080 # not 80\n\n[game]\nstarter_cash = 5 # poor\n# last words\n";
        let changed =
            change(FILE, "game", &[("starter_cash", "70000"), ("check_race_times", "true")]).unwrap();
        assert_eq!(changed, FILE.replace("= 5 #", "= 70000 #"));
        let changed = change(&changed, "game", &[("check_race_times", "false")]).unwrap();
        assert!(
            changed.starts_with(FILE.split("[game]").next().unwrap()) && changed.ends_with("# last words\n")
        );
        let config = Config::parse(&changed).unwrap();
        assert_eq!((config.game.starter_cash, config.game.check_race_times), (70_000, false));
        let changed = change(&changed, "shard", &[("name", "M\u{fc}hlstadt"), ("id", "7")]).unwrap();
        let config = Config::parse(&changed).unwrap();
        assert_eq!((config.shard.name.as_str(), config.shard.id.0), ("M\u{fc}hlstadt", 44));
        let changed =
            change("network = { http = 81 }", "network", &[("allow", "10.0.0.0/8 own-ipv6")]).unwrap();
        let config = Config::parse(&changed).unwrap();
        assert_eq!((config.network.http, config.network.allow.len()), (81, 2));
        let changed = change("", "rewards", &[("top_dog", "5, 4"), ("trials", ""), ("turf", "1")]).unwrap();
        let rewards = Config::parse(&changed).unwrap().rewards;
        assert_eq!((rewards.top_dog, rewards.trials, rewards.turf), (vec![5, 4], Vec::new(), 1));
    }

    #[test]
    fn what_a_key_cannot_hold_is_refused_with_what_it_may() {
        for (section, name, wrong, why) in [
            ("game", "starter_cash", "much", "must be a whole number from 0 to"),
            ("game", "starter_cash", "-1", "must be a whole number from 0 to"),
            ("game", "check_race_times", "yes", "must be true or false"),
            ("accounts", "registration", "closed", "must be \"open\" or \"operator\""),
            ("shard", "name", "", "must be 1 to 40 characters"),
            ("shard", "name", "a]\nb", "must be 1 to 40 characters"),
            ("network", "allow", "everybody", "must be a list of at most"),
            ("rewards", "turf", "99999999999999999999", "must be a whole number"),
            ("limits", "password_workers", "3", "must be 1 or 2"),
            ("shard", "time_zone", "Europe/Berlim", "must be the name of a time zone, such as"),
            ("shard", "time_zone", "", "must be the name of a time zone, such as"),
        ] {
            let error = change("", section, &[(name, wrong)]).unwrap_err();
            assert_eq!(error.key, Some(format!("{section}.{name}")), "{error}");
            assert!(error.problem.contains(why), "{error}");
        }
        let broken = change("[game]\nstarter_cash = much\n", "shard", &[("name", "x")]).unwrap_err();
        assert_eq!(broken.line, Some(2), "a file with a mistake is corrected by hand first");
    }
}
