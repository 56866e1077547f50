//! SSL 3.0 and TLS 1.0 for the Windows of the Client's time, without any I/O, and the reading of the hello that decides
//! who needs it.
//!
//! Windows XP can speak nothing else, and Vista to 8 nothing else as delivered (*documented*). What is in here is broken by
//! today's measure: RC4 and 3DES, MACs before padding, key exchange without forward secrecy. It exists so that such a PC
//! can sign in at all, and carries only what the Client itself asks for and pages everybody may read.
//!
//! * [`hello`] reads the first message of a connection and decides: modern TLS, this one, plain HTTP, or nothing;
//! * [`legacy`] is the server's side of a connection: bytes in, bytes out, and the data between;
//! * [`record`] protects single records, [`keys`] derives what that needs, [`server_key`] opens the Client's secret.
//!
//! Left out on purpose: resumption, renegotiation, client certificates, compression, every suite with less than 128-bit
//! keys or without authentication.
//!
//! Sources: RFC 2246 (TLS 1.0), RFC 6101 (SSL 3.0), RFC 5746 (renegotiation), RFC 7507 (fallback); *seen in use* with
//! OpenSSL, GnuTLS and tlslite-ng.

pub mod hello;
pub mod keys;
pub mod legacy;
mod queue;
mod reader;
pub mod record;
pub mod server_key;

pub use reader::Malformed;

use std::fmt;

/// The protocol versions spoken here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// SSL 3.0: Windows XP with Internet Explorer 6 as delivered.
    Ssl30,
    /// TLS 1.0: Windows XP with Internet Explorer 7 or 8, Vista, 7 and 8.
    Tls10,
}

impl Version {
    /// The version as records and hellos carry it.
    pub const fn code(self) -> u16 {
        match self {
            Self::Ssl30 => 0x0300,
            Self::Tls10 => 0x0301,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ssl30 => "SSL 3.0",
            Self::Tls10 => "TLS 1.0",
        })
    }
}

/// The cipher suites spoken here, all with RSA key exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// `TLS_RSA_WITH_AES_128_CBC_SHA`: Vista and later.
    Aes128Sha,
    /// `TLS_RSA_WITH_AES_256_CBC_SHA`: Vista and later.
    Aes256Sha,
    /// `TLS_RSA_WITH_3DES_EDE_CBC_SHA`: the best that Windows XP has.
    TdesSha,
    /// `TLS_RSA_WITH_RC4_128_SHA`.
    Rc4Sha,
    /// `TLS_RSA_WITH_RC4_128_MD5`: the first wish of Windows 98 to XP.
    Rc4Md5,
}

/// The hash under a suite's MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacHash {
    /// MD5, 16 bytes.
    Md5,
    /// SHA-1, 20 bytes.
    Sha1,
}

impl MacHash {
    /// Bytes of its output, and of the MAC's key.
    pub const fn size(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
        }
    }
}

impl Suite {
    /// All suites, best first: this order decides, not the Client's.
    pub const BY_PREFERENCE: [Self; 5] =
        [Self::Aes128Sha, Self::Aes256Sha, Self::TdesSha, Self::Rc4Sha, Self::Rc4Md5];

    /// The number on the wire.
    pub const fn code(self) -> u16 {
        match self {
            Self::Aes128Sha => 0x002f,
            Self::Aes256Sha => 0x0035,
            Self::TdesSha => 0x000a,
            Self::Rc4Sha => 0x0005,
            Self::Rc4Md5 => 0x0004,
        }
    }

    /// What hashes under the MAC.
    pub const fn mac(self) -> MacHash {
        match self {
            Self::Rc4Md5 => MacHash::Md5,
            _ => MacHash::Sha1,
        }
    }

    /// Bytes of the cipher's key.
    pub const fn key_size(self) -> usize {
        match self {
            Self::Aes128Sha | Self::Rc4Sha | Self::Rc4Md5 => 16,
            Self::Aes256Sha => 32,
            Self::TdesSha => 24,
        }
    }

    /// Bytes of a block, which is also the size of the IV; `None` for a stream cipher.
    pub const fn block_size(self) -> Option<usize> {
        match self {
            Self::Aes128Sha | Self::Aes256Sha => Some(16),
            Self::TdesSha => Some(8),
            Self::Rc4Sha | Self::Rc4Md5 => None,
        }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aes128Sha => "AES128-SHA",
            Self::Aes256Sha => "AES256-SHA",
            Self::TdesSha => "3DES-SHA",
            Self::Rc4Sha => "RC4-SHA",
            Self::Rc4Md5 => "RC4-MD5",
        })
    }
}

/// What one side tells the other when something is over or wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alert {
    /// Nothing more will be sent.
    CloseNotify,
    /// A message out of its order.
    UnexpectedMessage,
    /// A record that does not open: MAC, padding and length, all the same.
    BadRecordMac,
    /// A record longer than allowed.
    RecordOverflow,
    /// Nothing in common.
    HandshakeFailure,
    /// A field with a value it must not have.
    IllegalParameter,
    /// A message that can't be read.
    DecodeError,
    /// A Finished message that does not fit.
    DecryptError,
    /// A version that is not served.
    ProtocolVersion,
    /// A Client that could do better comes with less, perhaps pushed by somebody on the way.
    InappropriateFallback,
    /// No second handshake on this connection.
    NoRenegotiation,
}

impl Alert {
    /// Level and description as an alert record carries them. SSL 3.0 has fewer words (RFC 6101, 5.4), so there some
    /// are said by the nearest one it knows; not renegotiating is fatal there (RFC 5746, 4.5).
    pub const fn bytes(self, version: Version) -> [u8; 2] {
        const WARNING: u8 = 1;
        const FATAL: u8 = 2;
        const HANDSHAKE_FAILURE: u8 = 40;
        const ILLEGAL_PARAMETER: u8 = 47;
        match (self, version) {
            (Self::CloseNotify, _) => [WARNING, 0],
            (Self::UnexpectedMessage, _) => [FATAL, 10],
            (Self::BadRecordMac, _) => [FATAL, 20],
            (Self::RecordOverflow, Version::Tls10) => [FATAL, 22],
            (Self::DecodeError, Version::Tls10) => [FATAL, 50],
            (Self::DecryptError, Version::Tls10) => [FATAL, 51],
            (Self::ProtocolVersion, Version::Tls10) => [FATAL, 70],
            (Self::InappropriateFallback, _) => [FATAL, 86],
            (Self::NoRenegotiation, Version::Tls10) => [WARNING, 100],
            (Self::IllegalParameter, _) | (Self::RecordOverflow | Self::DecodeError, Version::Ssl30) => {
                [FATAL, ILLEGAL_PARAMETER]
            }
            (Self::HandshakeFailure, _)
            | (Self::DecryptError | Self::ProtocolVersion | Self::NoRenegotiation, Version::Ssl30) => {
                [FATAL, HANDSHAKE_FAILURE]
            }
        }
    }

    /// The alert as an unprotected record, for a connection on which nothing is agreed yet.
    pub fn record(self, version: Version) -> [u8; 7] {
        let [major, minor] = version.code().to_be_bytes();
        let [level, description] = self.bytes(version);
        [record::Kind::Alert.code(), major, minor, 0, 2, level, description]
    }
}
