//! One place for each key of `mcos.toml`: its field, its default, and what it may hold.

use super::rule::Rule;

/// A key of a section.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) rule: Rule,
    /// The default, as it is written in the source.
    pub(super) default: &'static str,
}

/// Declares a section: the struct that holds it, with `KEYS`, the defaults, and what `mcos.toml` may say. A key is written
/// `name: type = default, rule;`. Fields that the file does not set stand in `computed { .. }` behind the struct.
macro_rules! section {
    (
        $(#[$meta:meta])*
        pub struct $section:ident {
            $($(#[$key_meta:meta])* $key:ident: $type:ty = $default:expr, $rule:expr;)+
        }
        $(computed { $($(#[$field_meta:meta])* $field:ident: $field_type:ty = $initial:expr;)+ })?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $section {
            $($(#[$key_meta])* pub $key: $type,)+
            $($($(#[$field_meta])* #[serde(skip)] pub $field: $field_type,)+)?
        }

        impl $section {
            pub(in crate::config) const KEYS: &[$crate::config::key::Key] =
                &[$($crate::config::key::Key {
                    name: stringify!($key),
                    rule: $rule,
                    default: stringify!($default),
                },)+];
        }

        impl Default for $section {
            fn default() -> Self {
                Self { $($key: $default,)+ $($($field: $initial,)+)? }
            }
        }
    };
}

/// Declares the values of a key that is one of several words: `Variant = "word"`. The first is the default.
macro_rules! choice {
    (
        $(#[$meta:meta])*
        pub enum $choice:ident {
            $(#[$first_meta:meta])* $first:ident = $first_word:literal,
            $($(#[$other_meta:meta])* $other:ident = $other_word:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
        pub enum $choice {
            $(#[$first_meta])*
            #[default]
            #[serde(rename = $first_word)]
            $first,
            $($(#[$other_meta])* #[serde(rename = $other_word)] $other,)+
        }

        impl $choice {
            const RULE: $crate::config::rule::Rule =
                $crate::config::rule::Rule::Word(&[$first_word, $($other_word),+]);
        }
    };
}

pub(super) use {choice, section};
