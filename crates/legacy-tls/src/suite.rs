//! Protocol versions and cipher suites, with their numbers and sizes.

use std::fmt;

/// A protocol version that [`LegacyServer`](crate::legacy::LegacyServer) speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// SSL 3.0: Windows XP with Internet Explorer 6 as delivered.
    Ssl30,
    /// TLS 1.0: Windows XP with Internet Explorer 7 or 8, Vista, 7 and 8.
    Tls10,
}

impl Version {
    /// The `u16` that stands for this version in records and hellos.
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

/// A cipher suite that [`LegacyServer`](crate::legacy::LegacyServer) speaks. All use RSA key exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// `TLS_RSA_WITH_AES_128_CBC_SHA`: Vista and later.
    Aes128Sha,
    /// `TLS_RSA_WITH_AES_256_CBC_SHA`: Vista and later.
    Aes256Sha,
    /// `TLS_RSA_WITH_3DES_EDE_CBC_SHA`: the best suite of Windows XP.
    TdesSha,
    /// `TLS_RSA_WITH_RC4_128_SHA`: Windows XP and later.
    Rc4Sha,
    /// `TLS_RSA_WITH_RC4_128_MD5`: listed first by Windows 98 to XP.
    Rc4Md5,
}

/// The hash function of a suite's MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MacHash {
    Md5,
    Sha1,
}

impl MacHash {
    /// Size in bytes of the hash, the MAC and the MAC's key.
    pub(crate) const fn size(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
        }
    }
}

impl Suite {
    /// All suites in the server's order of preference, best first. The client's order does not count.
    pub const BY_PREFERENCE: [Self; 5] =
        [Self::Aes128Sha, Self::Aes256Sha, Self::TdesSha, Self::Rc4Sha, Self::Rc4Md5];

    /// The `u16` that stands for this suite in hellos (IANA's registry of TLS cipher suites).
    pub const fn code(self) -> u16 {
        match self {
            Self::Aes128Sha => 0x002f,
            Self::Aes256Sha => 0x0035,
            Self::TdesSha => 0x000a,
            Self::Rc4Sha => 0x0005,
            Self::Rc4Md5 => 0x0004,
        }
    }

    /// The hash function of the MAC.
    pub(crate) const fn mac(self) -> MacHash {
        match self {
            Self::Rc4Md5 => MacHash::Md5,
            _ => MacHash::Sha1,
        }
    }

    /// Size of the cipher's key in bytes.
    pub(crate) const fn key_size(self) -> usize {
        match self {
            Self::Aes128Sha | Self::Rc4Sha | Self::Rc4Md5 => 16,
            Self::Aes256Sha => 32,
            Self::TdesSha => 24,
        }
    }

    /// Size in bytes of a cipher block and of the IV; `None` for a stream cipher.
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
