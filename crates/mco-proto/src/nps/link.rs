//! One NPS connection without its socket: bytes in, packets out, and the cipher between.

use super::id;
use super::packet::{Form, Id, Packet};
use crate::EncodeError;
use crate::cipher::{BLOCK, LobbyCipher};
use crate::inbox::Inbox;
use crate::session_key::SessionKey;
use std::fmt;

/// Which header forms a port's Client uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Headers {
    /// Short ones only: Mail, Lobby, rooms.
    Short,
    /// Both, told apart by their content: Login, Persona.
    Either,
}

impl Headers {
    /// What a reader of such packets must expect.
    pub const fn of(form: Form) -> Self {
        match form {
            Form::Short => Self::Short,
            Form::Long { .. } => Self::Either,
        }
    }
}

/// A stream that can't be understood any further: the connection ends here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The header announces a length that is impossible or beyond what this port accepts.
    Length {
        /// Message number of the header.
        id: Id,
        /// The length it announces.
        length: usize,
    },
    /// The first number is none a Client would send: a port scan, a browser, another program.
    Stranger(Id),
    /// An encrypted packet whose size is no multiple of the cipher's block.
    Unaligned(usize),
    /// An encrypted packet on a connection that has not signed in.
    NoKey,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { id, length } => {
                write!(f, "message {id} announces an impossible length of {length}")
            }
            Self::Stranger(first) => write!(f, "starts with 0x{:04x}: not a game Client", first.0),
            Self::Unaligned(length) => {
                write!(f, "an encrypted packet of {length} bytes is no whole number of blocks")
            }
            Self::NoKey => f.write_str("an encrypted packet before signing in"),
        }
    }
}

impl std::error::Error for Broken {}

/// A packet that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// The packet; the inner one if it came encrypted.
    pub packet: Packet,
    /// Whether it came inside 0x1101.
    pub encrypted: bool,
}

/// The state of one NPS connection, at either end.
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
    /// No packet can be larger: the length field has 16 bits.
    pub const LARGEST: usize = u16::MAX as usize;

    /// A new connection that accepts packets of up to `largest` bytes.
    pub fn new(headers: Headers, largest: usize) -> Self {
        Self { inbox: Inbox::default(), headers, largest, cipher: None, size: 0 }
    }

    /// Starts encryption: from here on [`id::ENCRYPTED`] packets can be read and written.
    pub fn start_encryption(&mut self, key: &SessionKey) {
        self.cipher = Some(Box::new(LobbyCipher::new(key)));
    }

    /// How many bytes on the wire the packet had that [`Self::next`] gave last; 0 before the first.
    pub const fn last_size(&self) -> usize {
        self.size
    }

    /// Takes in what arrived.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.inbox.feed(bytes);
    }

    /// The next whole packet, or `None` until more arrives. After an error the stream is lost.
    #[allow(clippy::should_implement_trait, reason = "not an iterator: None means `not yet`")]
    pub fn next(&mut self) -> Result<Option<Incoming>, Broken> {
        let &[i0, i1, l0, l1, ..] = self.inbox.peek() else { return Ok(None) };
        let id = Id(u16::from_be_bytes([i0, i1]));
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        if self.headers == Headers::Either && !id::plausible(id) {
            return Err(Broken::Stranger(id));
        }
        if length < Form::Short.size() || length > self.largest {
            return Err(Broken::Length { id, length });
        }
        let Some(frame) = self.inbox.take(length) else { return Ok(None) };
        self.size = length;
        if id == id::ENCRYPTED && self.headers == Headers::Short {
            self.open(frame).map(Some)
        } else {
            Ok(Some(Incoming { packet: clear(self.headers, id, &frame), encrypted: false }))
        }
    }

    /// Opens an 0x1101 envelope. The chain moves on by the whole envelope whatever is inside.
    fn open(&mut self, mut frame: Vec<u8>) -> Result<Incoming, Broken> {
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
mod tests {
    use super::*;

    fn pair() -> (Link, Link) {
        let key = SessionKey::random();
        let mut pair = [(); 2].map(|()| Link::new(Headers::Short, Link::LARGEST));
        for link in &mut pair {
            link.start_encryption(&key);
        }
        let [one, other] = pair;
        (one, other)
    }

    fn of_size(size: usize) -> Packet {
        Packet { body: vec![7; size - Form::Short.size()], ..Packet::bare(id::RELAY_LONG_ALL) }
    }

    #[test]
    fn without_a_key_nothing_goes_out_in_place_of_an_encrypted_packet() {
        let mut link = Link::new(Headers::Short, Link::LARGEST);
        let mut out = vec![1, 2, 3];
        assert_eq!(link.write(&Packet::bare(id::ACK), true, &mut out), Err(EncodeError::NoKey));
        assert_eq!(out, [1, 2, 3]);
    }

    #[test]
    fn a_packet_that_is_too_long_leaves_no_trace() {
        let (mut writer, mut reader) = pair();
        let mut out = Vec::new();
        for encrypted in [true, false] {
            for size in [Packet::LARGEST + 1, Link::LARGEST, Link::LARGEST + 1, 1 << 20] {
                let error = writer.write(&of_size(size), encrypted, &mut out);
                assert_eq!((error, out.len()), (Err(EncodeError::TooLong { size }), 0));
            }
        }
        writer.write(&of_size(Packet::LARGEST), true, &mut out).unwrap();
        writer.write(&of_size(Packet::LARGEST), false, &mut out).unwrap();
        reader.feed(&out);
        for encrypted in [true, false] {
            let incoming = reader.next().unwrap().unwrap();
            assert_eq!(incoming, Incoming { packet: of_size(Packet::LARGEST), encrypted });
        }
    }
}
