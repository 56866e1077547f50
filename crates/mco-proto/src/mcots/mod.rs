//! MCOTS: the Transaction Packets of port 43300, little-endian. See `docs/protocol/mcots.md`.
//!
//! A packet is an 11-byte header with a sequence number, which an answer repeats, and a [`Body`] of at most
//! [`Link::LARGEST_BODY`] bytes, encrypted with RC4 from the packet behind the answer to 438 on. Money is in dollars,
//! times are Unix seconds or ticks of 1/64 s, as each field says.

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
