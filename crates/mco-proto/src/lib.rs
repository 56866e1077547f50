//! Wire formats and ciphers. Nothing in here does I/O or knows a service.
//!
//! A message is a plain struct whose definition *is* its layout table ([`layout!`](crate::layout)):
//! fields stand in wire order, and each field type knows its own bytes ([`bytes::Wire`]). Two families use it:
//!
//! * [`nps`]: Game Packets of Login, Persona, Mail, Lobby and rooms, big-endian;
//! * [`mcots`]: Transaction Packets of port 43300, little-endian.
//!
//! The reference for all of it is `docs/protocol/`.

pub mod bytes;
pub mod cipher;
mod encode;
pub mod ids;
mod inbox;
pub mod mcots;
pub mod nps;
pub mod session_key;
pub mod table;
pub mod text;

pub(crate) use bytes::layout;
pub use bytes::{Malformed, Reader, Wire, Writer};
pub use encode::{EncodeError, TooLong};
