//! Messages of all families by number, as errors name them.

use mco_proto::mcots::Number;
use mco_proto::nps::Id;
use std::fmt;

/// A message by its number; displayed as its name and number, such as `LOGIN (105)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A Game Packet (Login, Persona, Mail, Lobby, rooms).
    Game(Id),
    /// A Transaction Packet (MCOTS).
    Transaction(Number),
    /// An HTTP answer, whatever it says.
    Http,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Game(id) => match id.name() {
                "unknown" => write!(f, "message 0x{:04x}", id.0),
                name => write!(f, "{name} (0x{:04x})", id.0),
            },
            Self::Transaction(number) => match number.name() {
                "unknown" => write!(f, "message {}", number.0),
                name => write!(f, "{name} ({})", number.0),
            },
            Self::Http => f.write_str("an HTTP answer"),
        }
    }
}
