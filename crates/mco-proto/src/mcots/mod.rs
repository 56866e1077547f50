//! MCOTS: the Transaction Packets of port 43300.
//!
//! All integers are little-endian. See `docs/protocol/mcots.md`.

pub mod garage;
pub mod generic;
mod link;
pub mod lists;
pub mod message;
pub mod number;
pub mod player;
pub mod race;
pub mod reply;
pub mod session;

pub use generic::{GenericReply, GenericRequest};
pub use link::{Broken, Flags, Incoming, Link, Outgoing};
pub use message::{Body, FromClient, Message, Number, Request};
