//! NPS: the Game Packets of Login (8226), Persona (8228), Mail (8227), Lobby (7003) and the rooms (9000-9014),
//! big-endian. See `docs/protocol/nps.md`.
//!
//! A [`Packet`] has a short or a long header and a body; with its header it has at most [`Packet::LARGEST`] bytes. On
//! Lobby and rooms whole packets travel encrypted (DES-CBC) inside packets with the number 0x1101, once the login is
//! answered.

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
