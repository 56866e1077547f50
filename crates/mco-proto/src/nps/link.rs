//! Framing and encryption of one NPS connection, without its socket.

use super::id;
use super::packet::{Form, Id, Packet};
use crate::EncodeError;
use crate::cipher::{BLOCK, LobbyCipher};
use crate::inbox::Inbox;
use crate::session_key::SessionKey;
use std::fmt;

/// Which header forms are used on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Headers {
    /// Only the short one: Mail, Lobby, rooms.
    Short,
    /// Both, told apart by their content: Login, Persona.
    Either,
}

impl Headers {
    /// The headers of a port on which packets of this form travel.
    pub const fn of(form: Form) -> Self {
        match form {
            Form::Short => Self::Short,
            Form::Long { .. } => Self::Either,
        }
    }
}

/// Why the stream cannot be read any further. The connection must be closed: where the next packet begins is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The header announces a length that is impossible or beyond what this port accepts.
    Length {
        /// Message number of the header.
        id: Id,
        /// The length it announces.
        length: usize,
    },
    /// The message number is none that a Client sends: this is a port scan, a browser, another program.
    NotAClient(Id),
    /// The content of 0x1101 has so many bytes, which is 0 or not a multiple of [`BLOCK`].
    Unaligned(usize),
    /// An encrypted packet before [`Link::start_encryption`].
    NoKey,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { id, length } => {
                write!(f, "message {id} announces an impossible length of {length}")
            }
            Self::NotAClient(first) => write!(f, "starts with 0x{:04x}: not a game Client", first.0),
            Self::Unaligned(length) => {
                write!(f, "an encrypted packet of {length} bytes is no whole number of blocks")
            }
            Self::NoKey => f.write_str("an encrypted packet before signing in"),
        }
    }
}

impl std::error::Error for Broken {}

/// A packet that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// In clear; if it came encrypted, what was inside 0x1101.
    pub packet: Packet,
    /// Whether it came inside 0x1101.
    pub encrypted: bool,
}

/// One end of an NPS connection: what has arrived and is not read yet, and the ciphers. It does no I/O: the owner feeds
/// in what the socket gives and sends what [`Self::write`] appends.
#[derive(Debug)]
pub struct Link {
    inbox: Inbox,
    headers: Headers,
    largest: usize,
    cipher: Option<Box<LobbyCipher>>,
    /// The size of the packet that was taken last.
    size: usize,
}

impl Link {
    /// The largest size a header can say, in bytes.
    pub const LARGEST: usize = u16::MAX as usize;

    /// A new connection that accepts packets of up to `largest` bytes, header included.
    pub fn new(headers: Headers, largest: usize) -> Self {
        Self { inbox: Inbox::default(), headers, largest, cipher: None, size: 0 }
    }

    /// From here on packets of up to `largest` bytes are accepted.
    pub const fn accept_up_to(&mut self, largest: usize) {
        self.largest = largest;
    }

    /// The memory, in bytes, that is held for a packet which has not arrived completely. To be asked when [`Self::next`] gives none:
    /// what is not needed for it is given back.
    pub fn held(&mut self) -> usize {
        self.inbox.settle()
    }

    /// Starts the ciphers of both directions: from here on packets inside 0x1101 can be read and written.
    pub fn start_encryption(&mut self, key: &SessionKey) {
        self.cipher = Some(Box::new(LobbyCipher::new(key)));
    }

    /// How many bytes on the wire the packet had that [`Self::next`] gave last; 0 before the first.
    pub const fn last_size(&self) -> usize {
        self.size
    }

    /// Appends bytes that arrived.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.inbox.feed(bytes);
    }

    /// Whether [`Self::next`] has a packet to give, or an error.
    pub fn is_ready(&self) -> bool {
        let &[_, _, l0, l1, ..] = self.inbox.peek() else { return false };
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        self.inbox.peek().len() >= length || length > self.largest
    }

    /// The next packet, or `None` if it has not arrived completely.
    ///
    /// # Errors
    /// If the stream cannot be read any further.
    #[allow(clippy::should_implement_trait, reason = "not an iterator: None means `not yet`")]
    pub fn next(&mut self) -> Result<Option<Incoming>, Broken> {
        let &[i0, i1, l0, l1, ..] = self.inbox.peek() else { return Ok(None) };
        let id = Id(u16::from_be_bytes([i0, i1]));
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        if self.headers == Headers::Either && !id::plausible(id) {
            return Err(Broken::NotAClient(id));
        }
        if length < Form::Short.size() || length > self.largest {
            return Err(Broken::Length { id, length });
        }
        let Some(frame) = self.inbox.take(length) else { return Ok(None) };
        self.size = length;
        if id == id::ENCRYPTED && self.headers == Headers::Short {
            self.decrypt(frame).map(Some)
        } else {
            Ok(Some(Incoming { packet: clear(self.headers, id, &frame), encrypted: false }))
        }
    }

    /// Decrypts the content of 0x1101. The cipher's chain moves on by all of it, whatever is inside.
    fn decrypt(&mut self, mut frame: Vec<u8>) -> Result<Incoming, Broken> {
        let plain = frame.get_mut(Form::Short.size()..).unwrap_or_default();
        if plain.is_empty() || !plain.len().is_multiple_of(BLOCK) {
            return Err(Broken::Unaligned(plain.len()));
        }
        self.cipher.as_mut().ok_or(Broken::NoKey)?.decrypt(plain);
        let &mut [i0, i1, l0, l1, ..] = plain else { return Err(Broken::Unaligned(plain.len())) };
        // The inner length leaves out the padding, which is whatever lay in the Client's memory. A length that
        // does not fit is the message's fault, not the stream's: it is passed on as it is and refused when read.
        let length = usize::from(u16::from_be_bytes([l0, l1])).saturating_sub(Form::Short.size());
        // What is left when both headers are gone is the body: the frame's own memory serves for it.
        frame.drain(..2 * Form::Short.size());
        frame.truncate(length);
        Ok(Incoming {
            packet: Packet { id: Id(u16::from_be_bytes([i0, i1])), form: Form::Short, body: frame },
            encrypted: true,
        })
    }

    /// Appends a packet as it goes over the wire: as it is, or `encrypted` inside 0x1101, padded with zeros.
    ///
    /// # Errors
    /// If it is to be encrypted before [`Self::start_encryption`], or is larger than [`Packet::LARGEST`]. Then nothing
    /// is appended and the cipher has not moved.
    pub fn write(&mut self, packet: &Packet, encrypted: bool, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if !encrypted {
            return packet.encode(out);
        }
        let cipher = self.cipher.as_mut().ok_or(EncodeError::NoKey)?;
        let size = packet.size().next_multiple_of(BLOCK);
        let too_long = |_| EncodeError::TooLong { size: packet.size() };
        let length = u16::try_from(size + Form::Short.size()).map_err(too_long)?;
        let start = out.len();
        out.reserve(Form::Short.size() + size);
        out.extend_from_slice(&id::ENCRYPTED.0.to_be_bytes());
        out.extend_from_slice(&length.to_be_bytes());
        if let Err(error) = packet.encode(out) {
            out.truncate(start);
            return Err(error);
        }
        out.resize(start + Form::Short.size() + size, 0);
        cipher.encrypt(out.get_mut(start + Form::Short.size()..).unwrap_or_default());
        Ok(())
    }
}

/// A packet in clear. Long headers are told from short ones by their content: no short message of the Client looks
/// like one (`docs/protocol/nps.md`, framing).
fn clear(headers: Headers, id: Id, frame: &[u8]) -> Packet {
    if headers == Headers::Either
        && let &[_, _, l0, l1, v0, v1, 0, 0, 0, 0, m0, m1, ref body @ ..] = frame
        && [l0, l1] == [m0, m1]
        && matches!([v0, v1], [0, 0] | [1, 1])
    {
        let version = u16::from_be_bytes([v0, v1]);
        return Packet { id, form: Form::Long { version }, body: body.to_vec() };
    }
    Packet { id, form: Form::Short, body: frame.get(Form::Short.size()..).unwrap_or_default().to_vec() }
}

#[cfg(test)]
mod tests;
