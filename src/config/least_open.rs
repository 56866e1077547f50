//! What a key can open, and so what may count for it where nobody knows for certain what the file says.

use super::Allowed;
use super::key::Key;
use super::rule::MAX_ADDRESSES;
use std::collections::HashSet;
use std::net::IpAddr;
use toml::Value;

/// What a key can open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opens {
    /// Nothing: what counted before may stand in for it.
    Nothing,
    /// Something that is to be closed: this word closes it. It counts whenever it is not certain that the file says another.
    UnlessWord(&'static str),
    /// The same with true or false.
    UnlessSwitch(bool),
    /// Something, but only with a mistake in the key itself: this closes it. Elsewhere a mistake is not worth what it costs.
    IfWrong(bool),
    /// More, the larger the number is: with a mistake in the key itself, the default is the most.
    Above(i64),
    /// What a text guards. If that is not known, [`GUARDED_BY_TOKEN`] is closed.
    WithoutText,
    /// The networks that are let in. Those that are right count, and none but homes on mere suspicion.
    Networks,
    /// The addresses that are listened on. Those that are right count, and no others as long as there is one.
    Addresses,
}

/// The switch for what the token guards.
pub(super) const GUARDED_BY_TOKEN: (&str, &str) = ("api", "enabled");

/// What this key can open. Everything in `[limits]` does, the more the larger it is.
pub(super) fn opens(section: &str, key: &Key) -> Opens {
    match (section, key.name) {
        ("accounts", "registration") => Opens::UnlessWord("operator"),
        ("api", "enabled") => Opens::UnlessSwitch(false),
        ("api", "token") => Opens::WithoutText,
        ("network", "allow") => Opens::Networks,
        ("network", "bind") => Opens::Addresses,
        ("network", "legacy_tls" | "netbios") => Opens::IfWrong(false),
        ("game", "check_race_times") | ("compat", "bind_context" | "prove_key" | "deny_wrong_password") => {
            Opens::IfWrong(true)
        }
        ("limits", _) => Opens::Above(key.default.replace('_', "").parse().unwrap_or_default()),
        _ => Opens::Nothing,
    }
}

impl Opens {
    /// Whether a value, which the key may hold, opens nothing that a mistake may not open.
    pub(super) fn is_closed(self, value: &Value) -> bool {
        match self {
            Self::Nothing => true,
            Self::UnlessWord(word) => value.as_str() == Some(word),
            Self::UnlessSwitch(closed) | Self::IfWrong(closed) => value.as_bool() == Some(closed),
            Self::Above(most) => value.as_integer().is_some_and(|number| number <= most),
            Self::WithoutText => value.as_str().is_some_and(|text| !text.is_empty()),
            Self::Networks => texts(value).all(|text| Allowed::parse(text).is_some_and(Allowed::is_at_home)),
            Self::Addresses => addresses(value).all(|(_, address)| !address.is_unspecified()),
        }
    }

    /// Whether a mistake elsewhere in the file is reason enough for the least open.
    pub(super) const fn is_strict(self) -> bool {
        !matches!(self, Self::Nothing | Self::IfWrong(_) | Self::Above(_))
    }

    /// What is right in a value that the key may not hold.
    pub(super) fn right_part(self, value: &Value) -> Option<Value> {
        let right: Vec<&str> = match self {
            Self::Networks => texts(value).filter(|text| Allowed::parse(text).is_some()).collect(),
            Self::Addresses => {
                let mut seen = HashSet::new();
                addresses(value).filter(|(_, address)| seen.insert(*address)).map(|(text, _)| text).collect()
            }
            _ => Vec::new(),
        };
        let right: Vec<&str> = right.into_iter().take(MAX_ADDRESSES).collect();
        (!right.is_empty()).then(|| right.into())
    }

    /// The value that opens the least; `None`: the default does, or there is none.
    pub(super) fn least(self) -> Option<Value> {
        match self {
            Self::UnlessWord(word) => Some(word.into()),
            Self::UnlessSwitch(closed) | Self::IfWrong(closed) => Some(closed.into()),
            _ => None,
        }
    }
}

/// The texts of a list, or the one text that was written in place of a list.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    value.as_str().into_iter().chain(list.iter().filter_map(Value::as_str))
}

fn addresses(value: &Value) -> impl Iterator<Item = (&str, IpAddr)> {
    texts(value).filter_map(|text| Some((text, text.parse().ok()?)))
}
