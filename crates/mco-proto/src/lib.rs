#![doc = include_str!("../README.md")]
//!
//! # Where to look
//!
//! | module | what |
//! |---|---|
//! | [`nps`] | Game Packets of Login, Persona, Mail, Lobby and rooms, big-endian |
//! | [`mcots`] | Transaction Packets of port 43300, little-endian |
//! | [`session_key`] | the Session Key of a sign-in and the RSA key that protects it on its way |
//! | [`cipher`] | the two ciphers that are keyed from it |
//! | [`bytes`], [`text`], [`ids`] | what the records are made of |
//! | [`windows_1252`] | the code page of every text |
//! | [`pkware`] | the compression that a Client may use on MCOTS |
//!
//! A message is a plain struct whose definition *is* its layout: the fields stand in the order of the wire, and each
//! field's type knows its own bytes ([`Wire`]). The reference for all layouts is `docs/protocol/` of the repository.
//!
//! # Sizes and units
//!
//! Numbers have the width of their Rust type. Texts are Windows-1252, and the number in their type is the size of their field
//! in bytes. Lists say in their type how wide their count is and how many records they may hold. [`Wire::MOST_BYTES`] is
//! the largest size of a record; no message exceeds what fits a packet, but for those that end in
//! [`Rest`](bytes::Rest). Money is in dollars, times are seconds since 1970 unless the field says otherwise, colours are
//! ARGB. A field without words of its own is what its name and type say; a field described by a bare number has that
//! value in everything that was recorded, and its meaning is not known or of no use.
//!
//! # Errors
//!
//! Reading gives [`Malformed`] with the offset; a malformed body leaves the connection usable. A stream that cannot be
//! read any further gives [`nps::Broken`] or [`mcots::Broken`]. Writing gives [`EncodeError`] and then has appended
//! nothing and moved no cipher. Texts and lists are cut only by functions whose name says so (`first_n`).
//!
//! # How sure a statement is
//!
//! * *captured*: read from bytes that an original Client sent, or that it received and visibly went on with.
//! * *seen in use*: what a community server sent or took while original Clients played on it.
//! * *documented*: from the community's documents, not confirmed by bytes.
//! * *inferred*: our conclusion from the others. What is built on it can be changed the day a recording disproves it.
//!
//! # Features
//!
//! `arbitrary`: every message can be made from any bytes ([`arbitrary`](https://docs.rs/arbitrary)), for property tests
//! and fuzzers.

#[cfg(any(test, feature = "arbitrary"))]
mod arbitrary;
pub mod bytes;
pub mod cipher;
mod encode;
pub mod ids;
mod inbox;
pub mod mcots;
pub mod nps;
pub mod pkware;
pub mod session_key;
pub mod table;
pub mod text;
pub mod windows_1252;

#[cfg(test)]
mod tests;

pub(crate) use bytes::layout;
pub use bytes::{Malformed, Reader, Wire, Writer};
pub use encode::{EncodeError, TooLong};
