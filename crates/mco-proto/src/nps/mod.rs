//! NPS: the Game Packets of Login (8226), Persona (8228), Mail (8227), Lobby (7003) and the rooms (9000-9014).
//!
//! All integers are big-endian. See `docs/protocol/nps.md`.

pub mod bare;
pub mod channel;
pub mod id;
mod link;
pub mod lobby;
pub mod login;
pub mod mail;
pub mod packet;
pub mod persona;
pub mod relay;
pub mod user_data;

pub use link::{Broken, Headers, Incoming, Link};
pub use packet::{Form, FromClient, Id, Message, Packet, Request};
