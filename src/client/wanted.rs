//! Messages of all families by number, as errors name them.

use std::fmt;

/// A message by number, as errors name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A Game Packet.
    Game(u16),
    /// A Transaction Packet.
    Transaction(u16),
    /// An HTTP answer.
    Http,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Game(id) => match mco_proto::nps::id::name(*id) {
                "unknown" => write!(f, "message 0x{id:04x}"),
                name => write!(f, "{name} (0x{id:04x})"),
            },
            Self::Transaction(number) => match mco_proto::mcots::number::name(*number) {
                "unknown" => write!(f, "message {number}"),
                name => write!(f, "{name} ({number})"),
            },
            Self::Http => f.write_str("an HTTP answer"),
        }
    }
}
