//! MCOTS: the Transaction Packets of port 43300.
//!
//! All integers are little-endian. See `docs/protocol/mcots.md`.

mod link;
pub mod message;

pub use link::{Broken, Flags, Incoming, Link, Outgoing};
pub use message::{Body, Message};
