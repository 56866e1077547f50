//! Framing and encryption of one MCOTS connection, without its socket.

use super::message::{Body, Number};
use super::number;
use crate::EncodeError;
use crate::cipher::TransactionCipher;
use crate::ids::CustomerId;
use crate::inbox::Inbox;
use crate::pkware;
use crate::session_key::SessionKey;
use std::fmt;

/// `u16 length, "TOMC", i32 sequence, u8 flags`. Always in clear.
const HEADER: usize = 11;
const SIGNATURE: [u8; 4] = *b"TOMC";
/// What the length field counts besides the body.
const COUNTED: usize = HEADER - 2;

/// The flag byte of the header (*documented*; only 0x00 and 0x08 were ever captured).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Flags {
    /// The body is imploded (PKWARE DCL).
    pub const COMPRESSED: u8 = 0x02;
    /// The body is encrypted (RC4).
    pub const ENCRYPTED: u8 = 0x08;
    /// A heartbeat; not answered.
    pub const HEARTBEAT: u8 = 0x80;

    /// Whether `flag` is set.
    pub const fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }
}

/// Why the stream cannot be read any further. The connection must be closed: where the next packet begins is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// These bytes stand where "TOMC" belongs: another program.
    Signature([u8; 4]),
    /// The length field says so many bytes: fewer than the header has, or more than are accepted yet.
    Length(usize),
    /// An encrypted body before [`Link::start_encryption`].
    NoKey,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signature(found) => write!(f, "{found:02x?} instead of TOMC: not a game Client"),
            Self::Length(length) => write!(f, "an impossible length of {length}"),
            Self::NoKey => f.write_str("an encrypted packet before 438 named the customer"),
        }
    }
}

impl std::error::Error for Broken {}

/// A packet that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// The sender's running number; answers repeat it.
    pub sequence: u32,
    /// From the header, but without [`Flags::COMPRESSED`] where the body was exploded: one that still has it cannot be read.
    pub flags: Flags,
    /// Decrypted, and exploded if it was compressed and could be.
    pub body: Body,
}

impl Incoming {
    /// The number of the message; `None` if it cannot be told.
    pub fn message_number(&self) -> Option<Number> {
        if self.flags.has(Flags::COMPRESSED) { None } else { self.body.number() }
    }
}

/// A packet to send.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub struct Outgoing {
    /// An answer carries its request's.
    pub sequence: u32,
    /// Whether its body is to be encrypted.
    pub encrypted: bool,
    /// At most 65,526 bytes.
    pub body: Body,
}

/// One end of an MCOTS connection: what has arrived and is not read yet, and the ciphers. It does no I/O: the owner feeds
/// in what the socket gives and sends what [`Self::write`] appends.
#[derive(Debug)]
pub struct Link {
    inbox: Inbox,
    /// The largest body.
    largest: usize,
    cipher: Option<Box<TransactionCipher>>,
    /// Set until the first encrypted body shows which of several keys the far end has.
    guess: Option<Box<Guess>>,
    /// The place of the key in use among those the ciphers were started with.
    key: usize,
    /// The sequence of the last packet that arrived.
    heard: u32,
    /// The bytes of that packet on the wire, header and all.
    size: usize,
}

/// Several Session Keys, one of which the far end has.
#[derive(Debug)]
struct Guess {
    customer: CustomerId,
    keys: Vec<SessionKey>,
}

impl Guess {
    /// The place of the key under which `body` is what a Client of that customer begins with: 105, which names the customer, or
    /// failing that any message that is known. The first if it is neither under any key. `flags` are those of its packet.
    fn settle(&self, body: &[u8], flags: Flags) -> usize {
        let [c0, c1, c2, c3] = self.customer.0.to_le_bytes();
        let [n0, n1] = number::LOGIN.0.to_le_bytes();
        let plain: Vec<Body> = self
            .keys
            .iter()
            .map(|key| {
                let mut body = body.to_vec();
                TransactionCipher::new(key).decrypt(&mut body);
                exploded(Body(body), flags).0
            })
            .collect();
        let login = plain.iter().position(|body| body.0.starts_with(&[n0, n1, c0, c1, c2, c3]));
        let known = |body: &Body| number::TABLE.iter().any(|row| Some(row.number) == body.number());
        login.or_else(|| plain.iter().position(known)).unwrap_or_default()
    }
}

/// A body as it was before it was compressed, if it was and can be read; its flags say so then.
fn exploded(body: Body, flags: Flags) -> (Body, Flags) {
    if !flags.has(Flags::COMPRESSED) {
        return (body, flags);
    }
    let limit = Link::LARGEST_BODY.min(body.0.len() * Link::MOST_EXPANSION);
    match pkware::explode(&body.0, limit) {
        Ok(exploded) => (Body(exploded), Flags(flags.0 & !Flags::COMPRESSED)),
        Err(_) => (body, flags),
    }
}

impl Link {
    /// The largest body, in bytes: the length field has 16 bits. Compressed ones become no larger.
    pub const LARGEST_BODY: usize = u16::MAX as usize - COUNTED;
    /// How many times its size a compressed body may become, so that small packets cannot cost much. The largest request that is
    /// known, 2 KB about the damage of a car, comes out 120 times as large if it is nothing but zeros.
    pub const MOST_EXPANSION: usize = 128;

    /// A new connection.
    #[allow(clippy::new_without_default, reason = "a connection is not a value that has a usual state")]
    pub fn new() -> Self {
        Self {
            inbox: Inbox::default(),
            largest: Self::LARGEST_BODY,
            cipher: None,
            guess: None,
            key: 0,
            heard: 0,
            size: 0,
        }
    }

    /// From here on packets with bodies of up to `largest` bytes are accepted.
    pub const fn accept_up_to(&mut self, largest: usize) {
        self.largest = largest;
    }

    /// The memory, in bytes, that is held for a packet which has not arrived completely. To be asked when [`Self::next`] gives none:
    /// what is not needed for it is given back.
    pub fn held(&mut self) -> usize {
        self.inbox.settle()
    }

    /// Starts the ciphers of both directions: from here on encrypted bodies can be read and written.
    pub fn start_encryption(&mut self, key: &SessionKey) {
        self.cipher = Some(Box::new(TransactionCipher::new(key)));
    }

    /// The same, if `customer` is signed in on several PCs at once, each with a key of its own, and 438 does not say with which of
    /// them: the first encrypted body decides. Until then nothing must be sent encrypted.
    pub fn start_encryption_with_one_of(&mut self, customer: CustomerId, keys: Vec<SessionKey>) {
        if let Some(first) = keys.first() {
            self.start_encryption(first);
        }
        self.guess = (keys.len() > 1).then(|| Box::new(Guess { customer, keys }));
    }

    /// The place of the key in use among those of [`Self::start_encryption_with_one_of`]: 0 until an encrypted body has arrived.
    pub const fn key_in_use(&self) -> usize {
        self.key
    }

    /// How many bytes on the wire the packet had that [`Self::next`] gave last; 0 before the first.
    pub const fn last_size(&self) -> usize {
        self.size
    }

    /// Appends bytes that arrived.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.inbox.feed(bytes);
    }

    /// The next packet, or `None` if it has not arrived completely.
    ///
    /// # Errors
    /// If the stream cannot be read any further.
    #[allow(clippy::should_implement_trait, reason = "not an iterator: None means `not yet`")]
    pub fn next(&mut self) -> Result<Option<Incoming>, Broken> {
        let waiting = self.inbox.peek();
        // Another program ends here with its first bytes, not when its "length" has arrived.
        let signature = waiting.get(2..).unwrap_or_default();
        if let Some(found) = signature.first_chunk::<4>().filter(|found| **found != SIGNATURE) {
            return Err(Broken::Signature(*found));
        }
        let &[l0, l1, _, _, _, _, s0, s1, s2, s3, flags, ..] = waiting else { return Ok(None) };
        let length = usize::from(u16::from_le_bytes([l0, l1]));
        if length < COUNTED || length - COUNTED > self.largest {
            return Err(Broken::Length(length));
        }
        let flags = Flags(flags);
        let sequence = u32::from_le_bytes([s0, s1, s2, s3]);
        let Some(mut frame) = self.inbox.take(length + 2) else { return Ok(None) };
        let mut body = frame.split_off(HEADER);
        if flags.has(Flags::ENCRYPTED) {
            if let Some(guess) = self.guess.take() {
                self.key = guess.settle(&body, flags);
                guess.keys.get(self.key).into_iter().for_each(|key| self.start_encryption(key));
            }
            self.cipher.as_mut().ok_or(Broken::NoKey)?.decrypt(&mut body);
        }
        let (body, flags) = exploded(Body(body), flags);
        self.heard = sequence;
        self.size = length + 2;
        Ok(Some(Incoming { sequence, flags, body }))
    }

    /// Appends a packet that nobody asked for, encrypted. Which sequence the Client wants in one is not known; it gets
    /// the last it sent, 0 before that (*inferred*: it takes the packets of one answer with one sequence).
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn push(&mut self, body: &Body, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.append(self.heard, true, &body.0, out)
    }

    /// Appends a packet as it goes over the wire.
    ///
    /// # Errors
    /// If it is to be encrypted before [`Self::start_encryption`], or its body is larger than [`Self::LARGEST_BODY`].
    /// Then nothing is appended and the cipher has not moved.
    pub fn write(&mut self, packet: &Outgoing, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.append(packet.sequence, packet.encrypted, &packet.body.0, out)
    }

    fn append(
        &mut self,
        sequence: u32,
        encrypted: bool,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let too_long = |_| EncodeError::TooLong { size: body.len() };
        let length = u16::try_from(body.len() + COUNTED).map_err(too_long)?;
        let cipher = if encrypted { Some(self.cipher.as_mut().ok_or(EncodeError::NoKey)?) } else { None };
        out.reserve(HEADER + body.len());
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&SIGNATURE);
        out.extend_from_slice(&sequence.to_le_bytes());
        out.push(if encrypted { Flags::ENCRYPTED } else { 0 });
        let start = out.len();
        out.extend_from_slice(body);
        if let Some(cipher) = cipher {
            cipher.encrypt(out.get_mut(start..).unwrap_or_default());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
