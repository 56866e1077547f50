//! The record layer: reads record headers, decrypts and encrypts record bodies (RFC 2246, 6; RFC 6101, 5).
//!
//! A record is `u8 kind, u16 version, u16 length, body`, big-endian. Both versions compute the MAC before padding and encryption and
//! use the last block of a record as the IV of the next; the padding-oracle attacks and BEAST rest on that. The server's part of
//! the defence is here: whether MAC, padding or length is wrong, the work done and the error returned are the same
//! ([`BadRecord`]). SSL 3.0 leaves the content of padding undefined, so POODLE cannot be prevented, only made no easier.

use super::keys::{Keys, hmac, ssl3_pads};
use super::{MacHash, Suite, Version};
use aes::{Aes128, Aes256};
use cipher::{Array, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, StreamCipher};
use des::TdesEde3;
use hmac::Hmac;
use md5::digest::Output;
use md5::{Digest, Md5};
use rc4::Rc4;
use sha1::Sha1;
use std::fmt;
use std::hint::black_box;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater};

/// Size in bytes of a record's header.
pub const HEADER: usize = 5;
/// The most bytes of content in a record, before MAC and padding.
pub const LONGEST_PLAIN: usize = 16_384;
/// The most bytes of a record's body on the wire, with MAC and padding.
pub const LONGEST_BODY: usize = LONGEST_PLAIN + 2048;

/// The content type of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `change_cipher_spec`: the next record of this direction is encrypted with the new keys.
    ChangeCipherSpec,
    /// `alert`: two bytes, level and description.
    Alert,
    /// `handshake`: handshake messages or parts of them.
    Handshake,
    /// `application_data`.
    Data,
}

impl Kind {
    const ALL: [Self; 4] = [Self::ChangeCipherSpec, Self::Alert, Self::Handshake, Self::Data];

    /// The `u8` that stands for this type on the wire.
    pub const fn code(self) -> u8 {
        match self {
            Self::ChangeCipherSpec => 20,
            Self::Alert => 21,
            Self::Handshake => 22,
            Self::Data => 23,
        }
    }
}

/// The header of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The content type.
    pub kind: Kind,
    /// The protocol version, such as 0x0301 for TLS 1.0. Any value is accepted here.
    pub version: u16,
    /// Size in bytes of the body, at most [`LONGEST_BODY`].
    pub length: usize,
}

/// Why five bytes are not a record's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadHeader {
    /// The content type is unknown.
    Kind(u8),
    /// The body would have this many bytes, more than [`LONGEST_BODY`].
    TooLong(usize),
}

impl Header {
    /// Reads the header at the beginning of `bytes`; `None` if there are fewer than [`HEADER`] bytes.
    ///
    /// # Errors
    /// [`BadHeader`] if the content type is unknown or the body too long.
    pub fn read(bytes: &[u8]) -> Result<Option<Self>, BadHeader> {
        let Some(&[kind, major, minor, high, low]) = bytes.first_chunk::<HEADER>() else { return Ok(None) };
        let kind = Kind::ALL.into_iter().find(|known| known.code() == kind).ok_or(BadHeader::Kind(kind))?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length > LONGEST_BODY {
            return Err(BadHeader::TooLong(length));
        }
        Ok(Some(Self { kind, version: u16::from_be_bytes([major, minor]), length }))
    }

    fn write(kind: Kind, version: Version, length: usize, out: &mut Vec<u8>) {
        out.push(kind.code());
        out.extend_from_slice(&version.code().to_be_bytes());
        out.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
    }
}

/// Appends `content` to `out` in unencrypted records of at most [`LONGEST_PLAIN`] bytes.
pub fn write_plain(kind: Kind, version: Version, content: &[u8], out: &mut Vec<u8>) {
    for part in content.chunks(LONGEST_PLAIN) {
        Header::write(kind, version, part.len(), out);
        out.extend_from_slice(part);
    }
}

/// The record cannot be decrypted: its length, padding or MAC is wrong. Which of them is deliberately not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadRecord;

impl fmt::Display for BadRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the client sent a record that cannot be decrypted")
    }
}

impl std::error::Error for BadRecord {}

/// Computes the MACs of one direction; knows the sequence number of the next record.
struct Authenticator {
    version: Version,
    hash: MacHash,
    keys: Keys,
    sequence: u64,
}

impl Authenticator {
    fn new(version: Version, suite: Suite, keys: Keys) -> Self {
        Self { version, hash: suite.mac(), keys, sequence: 0 }
    }

    /// The MAC of the next record.
    fn code(&mut self, kind: Kind, content: &[u8]) -> heapless::Vec<u8, 20> {
        let length = u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes();
        let (sequence, version, kind) =
            (self.sequence.to_be_bytes(), self.version.code().to_be_bytes(), [kind.code()]);
        self.sequence = self.sequence.wrapping_add(1);
        let tls = [&sequence[..], &kind, &version, &length, content];
        let ssl = [&sequence[..], &kind, &length, content];
        let key = &self.keys.mac;
        let code = match (self.version, self.hash) {
            (Version::Tls10, MacHash::Md5) => heapless::Vec::from_slice(&hmac::<Hmac<Md5>>(key, &tls)),
            (Version::Tls10, MacHash::Sha1) => heapless::Vec::from_slice(&hmac::<Hmac<Sha1>>(key, &tls)),
            (Version::Ssl30, MacHash::Md5) => {
                heapless::Vec::from_slice(&ssl3_mac::<Md5>(self.hash, key, &ssl))
            }
            (Version::Ssl30, MacHash::Sha1) => {
                heapless::Vec::from_slice(&ssl3_mac::<Sha1>(self.hash, key, &ssl))
            }
        };
        code.unwrap_or_default()
    }

    /// Hashes as often as a content of `longest` bytes would have needed more than one of `actual` bytes: how much padding
    /// there was is not to be seen in how long we took ("Lucky Thirteen").
    fn make_up_for(&self, actual: usize, longest: usize) {
        const BLOCK: usize = 64;
        // What is hashed in front of the content, and behind it the hash's own end mark and length.
        let around = 9 + match (self.version, self.hash) {
            (Version::Tls10, _) => BLOCK + 13,
            (Version::Ssl30, MacHash::Md5) => 16 + 48 + 11,
            (Version::Ssl30, MacHash::Sha1) => 20 + 40 + 11,
        };
        let blocks = |content: usize| (around + content).div_ceil(BLOCK);
        let missing = blocks(longest).saturating_sub(blocks(actual));
        // Padding has at most 256 bytes, which are at most five blocks.
        let idle = black_box([0; 5 * BLOCK]);
        let idle = idle.get(..missing * BLOCK).unwrap_or(&idle);
        match self.hash {
            MacHash::Md5 => _ = black_box(Md5::digest(idle)),
            MacHash::Sha1 => _ = black_box(Sha1::digest(idle)),
        }
    }
}

/// The MAC of SSL 3.0: hash(key, pad2, hash(key, pad1, content)) (RFC 6101, 5.2.3.1).
fn ssl3_mac<D: Digest>(hash: MacHash, key: &[u8], content: &[&[u8]]) -> Output<D> {
    let (pad1, pad2) = ssl3_pads(hash);
    let mut inner = D::new().chain_update(key).chain_update(pad1);
    for part in content {
        inner.update(part);
    }
    D::new().chain_update(key).chain_update(pad2).chain_update(inner.finalize()).finalize()
}

/// The cipher state for records that this side sends.
enum Encryptor {
    Rc4(Box<Rc4>),
    Tdes(Box<cbc::Encryptor<TdesEde3>>),
    Aes128(Box<cbc::Encryptor<Aes128>>),
    Aes256(Box<cbc::Encryptor<Aes256>>),
}

/// The cipher state for records that the other side sends.
enum Decryptor {
    Rc4(Box<Rc4>),
    Tdes(Box<cbc::Decryptor<TdesEde3>>),
    Aes128(Box<cbc::Decryptor<Aes128>>),
    Aes256(Box<cbc::Decryptor<Aes256>>),
}

/// The first `N` bytes of a key or IV. [`Keys`] have exactly the size that the suite's cipher takes.
fn sized<const N: usize>(bytes: &[u8]) -> [u8; N] {
    std::array::from_fn(|at| bytes.get(at).copied().unwrap_or_default())
}

/// RC4 repeats its key anyway, and the crate's constructor that cannot fail wants 32 bytes.
fn rc4(keys: &Keys) -> Box<Rc4> {
    let [first, second] = [sized::<16>(&keys.cipher); 2];
    let mut twice = [0; 32];
    twice.iter_mut().zip(first.iter().chain(&second)).for_each(|(slot, byte)| *slot = *byte);
    Box::new(cipher::KeyInit::new(&twice.into()))
}

impl Encryptor {
    fn new(suite: Suite, keys: &Keys) -> Self {
        let (key, iv) = (&keys.cipher, &keys.iv);
        match suite {
            Suite::Rc4Sha | Suite::Rc4Md5 => Self::Rc4(rc4(keys)),
            Suite::TdesSha => Self::Tdes(Box::new(KeyIvInit::new(&sized(key).into(), &sized(iv).into()))),
            Suite::Aes128Sha => Self::Aes128(Box::new(KeyIvInit::new(&sized(key).into(), &sized(iv).into()))),
            Suite::Aes256Sha => Self::Aes256(Box::new(KeyIvInit::new(&sized(key).into(), &sized(iv).into()))),
        }
    }

    fn run(&mut self, bytes: &mut [u8]) {
        match self {
            Self::Rc4(cipher) => cipher.apply_keystream(bytes),
            Self::Tdes(cipher) => cipher.encrypt_blocks(Array::slice_as_chunks_mut(bytes).0),
            Self::Aes128(cipher) => cipher.encrypt_blocks(Array::slice_as_chunks_mut(bytes).0),
            Self::Aes256(cipher) => cipher.encrypt_blocks(Array::slice_as_chunks_mut(bytes).0),
        }
    }
}

impl Decryptor {
    fn new(suite: Suite, keys: &Keys) -> Self {
        let (key, iv) = (&keys.cipher, &keys.iv);
        match suite {
            Suite::Rc4Sha | Suite::Rc4Md5 => Self::Rc4(rc4(keys)),
            Suite::TdesSha => Self::Tdes(Box::new(KeyIvInit::new(&sized(key).into(), &sized(iv).into()))),
            Suite::Aes128Sha => Self::Aes128(Box::new(KeyIvInit::new(&sized(key).into(), &sized(iv).into()))),
            Suite::Aes256Sha => Self::Aes256(Box::new(KeyIvInit::new(&sized(key).into(), &sized(iv).into()))),
        }
    }

    fn run(&mut self, bytes: &mut [u8]) {
        match self {
            Self::Rc4(cipher) => cipher.apply_keystream(bytes),
            Self::Tdes(cipher) => cipher.decrypt_blocks(Array::slice_as_chunks_mut(bytes).0),
            Self::Aes128(cipher) => cipher.decrypt_blocks(Array::slice_as_chunks_mut(bytes).0),
            Self::Aes256(cipher) => cipher.decrypt_blocks(Array::slice_as_chunks_mut(bytes).0),
        }
    }
}

/// Encrypts the records of one direction.
pub struct Sealer {
    block: Option<usize>,
    authenticator: Authenticator,
    cipher: Encryptor,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

impl Sealer {
    /// A direction on which no record was encrypted yet.
    pub fn new(version: Version, suite: Suite, keys: Keys) -> Self {
        let cipher = Encryptor::new(suite, &keys);
        Self { block: suite.block_size(), authenticator: Authenticator::new(version, suite, keys), cipher }
    }

    /// Encrypts `content` and appends it to `out`, in records of at most [`LONGEST_PLAIN`] bytes each, with their headers. Empty
    /// content makes one empty record.
    pub fn seal(&mut self, kind: Kind, content: &[u8], out: &mut Vec<u8>) {
        let (first, mut rest) = content.split_at(content.len().min(LONGEST_PLAIN));
        self.seal_one(kind, first, out);
        while !rest.is_empty() {
            let (part, tail) = rest.split_at(rest.len().min(LONGEST_PLAIN));
            self.seal_one(kind, part, out);
            rest = tail;
        }
    }

    fn seal_one(&mut self, kind: Kind, content: &[u8], out: &mut Vec<u8>) {
        let code = self.authenticator.code(kind, content);
        let bare = content.len() + code.len();
        // Padding is at least the byte that tells its length.
        let padding = self.block.map_or(0, |block| block - bare % block);
        Header::write(kind, self.authenticator.version, bare + padding, out);
        let body = out.len();
        out.extend_from_slice(content);
        out.extend_from_slice(&code);
        let value = u8::try_from(padding.saturating_sub(1)).unwrap_or_default();
        out.resize(out.len() + padding, value);
        self.cipher.run(out.get_mut(body..).unwrap_or_default());
    }
}

/// Decrypts the records of one direction.
pub struct Opener {
    block: Option<usize>,
    authenticator: Authenticator,
    cipher: Decryptor,
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opener")
    }
}

impl Opener {
    /// A direction on which no record was decrypted yet.
    pub fn new(version: Version, suite: Suite, keys: Keys) -> Self {
        let cipher = Decryptor::new(suite, &keys);
        Self { block: suite.block_size(), authenticator: Authenticator::new(version, suite, keys), cipher }
    }

    /// Decrypts the body of a record in place and returns its content.
    ///
    /// # Errors
    /// [`BadRecord`] if length, padding or MAC is wrong. The direction cannot be used any further then.
    pub fn open<'a>(&mut self, kind: Kind, body: &'a mut [u8]) -> Result<&'a [u8], BadRecord> {
        let mac = self.authenticator.hash.size();
        // The length of a record is no secret, so this need not take constant time.
        let whole_blocks =
            self.block.is_none_or(|block| body.len().is_multiple_of(block) && body.len() > mac);
        if !whole_blocks || body.len() < mac {
            return Err(BadRecord);
        }
        self.cipher.run(body);
        let (padding, well_padded) = match self.block {
            Some(block) => padding(self.authenticator.version, body, mac, block),
            None => (0, Choice::from(1)),
        };
        let length = body.len() - mac - padding;
        let (content, rest) = body.split_at(length);
        let code = self.authenticator.code(kind, content);
        if self.block.is_some() {
            self.authenticator.make_up_for(length, body.len() - mac);
        }
        let genuine = code.as_slice().ct_eq(rest.get(..mac).unwrap_or_default());
        if bool::from(well_padded & genuine) { Ok(content) } else { Err(BadRecord) }
    }
}

/// How many bytes of padding to take off, and whether they are what they should be. If not it is only the length byte,
/// so that the MAC is computed nevertheless. In constant time for a given length of `body`.
fn padding(version: Version, body: &[u8], mac: usize, block: usize) -> (usize, Choice) {
    let last = body.last().copied().unwrap_or_default();
    let (claimed, room) = (u32::from(last), u32::try_from(body.len() - mac - 1).unwrap_or(u32::MAX));
    let mut good = !claimed.ct_gt(&room);
    match version {
        Version::Ssl30 => good &= !claimed.ct_gt(&u32::try_from(block - 1).unwrap_or_default()),
        Version::Tls10 => {
            for (distance, byte) in (0_u32..=255).zip(body.iter().rev()) {
                good &= distance.ct_gt(&claimed) | byte.ct_eq(&last);
            }
        }
    }
    let padding = u32::conditional_select(&0, &claimed, good) + 1;
    (usize::try_from(padding).unwrap_or_default(), good)
}

#[cfg(test)]
mod tests;
