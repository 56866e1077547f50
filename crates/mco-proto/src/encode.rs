//! Why something cannot be written: nothing is cut and nothing goes out in clear in place of an error.

use std::fmt;

/// A text or a list has more bytes, or more records, than its field may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    /// How many there are.
    pub size: usize,
    /// The most the field may hold.
    pub limit: usize,
}

impl TooLong {
    /// `Ok` if `size` does not exceed `limit`.
    pub(crate) const fn check(size: usize, limit: usize) -> Result<(), Self> {
        if size > limit { Err(Self { size, limit }) } else { Ok(()) }
    }
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} are too many for a field that holds {}", self.size, self.limit)
    }
}

impl std::error::Error for TooLong {}

/// Why a packet cannot be written to a connection. Nothing of it has been written, and the ciphers have not moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodeError {
    /// It is to be encrypted, and this connection has no key yet.
    NoKey,
    /// It does not fit the 16-bit length of a packet.
    TooLong {
        /// Its size in bytes: NPS with its header, MCOTS the body.
        size: usize,
    },
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey => f.write_str("it is to be encrypted, and the connection has no key"),
            Self::TooLong { size } => write!(f, "its {size} bytes do not fit one packet"),
        }
    }
}

impl std::error::Error for EncodeError {}
