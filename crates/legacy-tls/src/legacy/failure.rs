//! Why a connection failed, and which alert tells the client.

use crate::Alert;
use crate::hello::{HelloError, Refusal};
use crate::record::{BadHeader, BadRecord};
use std::fmt;

/// Why a connection failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The ClientHello cannot be read.
    Hello(HelloError),
    /// The ClientHello offers nothing that is served.
    Refused(Refusal),
    /// The client sent a fatal alert with this description (RFC 2246, 7.2).
    Alert(u8),
    /// Another message must come at this point.
    OutOfOrder,
    /// A record has another version than the one agreed on.
    Version(u16),
    /// A message has an impossible length.
    Malformed,
    /// A record is longer than allowed.
    Overflow,
    /// A record cannot be decrypted: wrong length, padding or MAC, or the key exchange went wrong.
    Record,
    /// The client's Finished message does not match the handshake: somebody may have changed it on the way.
    Finished,
    /// Too many records without content, or warnings, in a row.
    Idle,
    /// The client wants a second handshake, which can be declined only by closing in SSL 3.0.
    Renegotiation,
}

impl Failure {
    /// The alert to send; `None` if there is none, or the client has sent one itself. [`LegacyServer`](crate::legacy::LegacyServer) has
    /// put it into its outbound bytes already.
    pub const fn alert(self) -> Option<Alert> {
        match self {
            Self::Hello(error) => error.alert(),
            Self::Refused(refusal) => Some(refusal.alert()),
            Self::Alert(_) => None,
            Self::OutOfOrder | Self::Idle => Some(Alert::UnexpectedMessage),
            Self::Version(_) => Some(Alert::ProtocolVersion),
            Self::Malformed => Some(Alert::DecodeError),
            Self::Overflow => Some(Alert::RecordOverflow),
            Self::Record => Some(Alert::BadRecordMac),
            Self::Finished => Some(Alert::DecryptError),
            Self::Renegotiation => Some(Alert::NoRenegotiation),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hello(error) => error.fmt(f),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Alert(description @ (42 | 45 | 46)) => {
                write!(f, "the client refuses the server's certificate (alert {description})")
            }
            Self::Alert(48) => {
                f.write_str("the client does not trust the authority of the server's certificate (alert 48)")
            }
            Self::Alert(description) => write!(f, "the client ended the connection with alert {description}"),
            Self::OutOfOrder => f.write_str("the client sent a message out of order"),
            Self::Version(version) => write!(f, "the client changed to version {version:#06x}"),
            Self::Malformed => f.write_str("the client sent a malformed message"),
            Self::Overflow => f.write_str("the client sent a record that is too long"),
            Self::Record => BadRecord.fmt(f),
            Self::Finished => f.write_str("the client saw another handshake than the server; somebody on the network may have changed it"),
            Self::Idle => f.write_str("the client sends nothing but empty records"),
            Self::Renegotiation => f.write_str("the client wants a second handshake"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<BadRecord> for Failure {
    fn from(_: BadRecord) -> Self {
        Self::Record
    }
}

impl From<BadHeader> for Failure {
    fn from(bad: BadHeader) -> Self {
        match bad {
            BadHeader::Kind(_) => Self::OutOfOrder,
            BadHeader::TooLong(_) => Self::Overflow,
        }
    }
}
