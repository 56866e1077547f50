//! Why a connection failed, and what each side hears of it.

use crate::Alert;
use crate::hello::{HelloError, Refusal};
use crate::record::{BadHeader, Unopened};
use std::fmt;

/// Why a connection failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The hello can't be read.
    Hello(HelloError),
    /// The hello offers nothing that is served here.
    Refused(Refusal),
    /// The Client says that it failed, with this alert description.
    Alert(u8),
    /// A message where another must come.
    OutOfOrder,
    /// A record of another version than agreed.
    Version(u16),
    /// A message with a wrong length.
    Malformed,
    /// A record that is too long.
    Overflow,
    /// A record that does not open.
    Record,
    /// The Client saw another handshake than we did.
    Finished,
    /// Too many records without content.
    Idle,
    /// It insists on a second handshake, which SSL 3.0 has no gentle word against.
    Renegotiation,
}

impl Failure {
    /// What to tell the Client; nothing if it told us.
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
            Self::Alert(42 | 45 | 46) => f.write_str(
                "it does not like our certificate; check the name it connects to, and the date of that PC",
            ),
            Self::Alert(48) => {
                f.write_str("it does not know our authority; install the certificate from /cert on that PC")
            }
            Self::Alert(description) => write!(f, "it gave up with alert {description}"),
            Self::OutOfOrder => f.write_str("it sent a message out of order"),
            Self::Version(version) => write!(f, "it changed to version {version:#06x}"),
            Self::Malformed => f.write_str("it sent a malformed message"),
            Self::Overflow => f.write_str("it sent a record that is too long"),
            Self::Record => Unopened.fmt(f),
            Self::Finished => f.write_str("it saw another handshake than we did"),
            Self::Idle => f.write_str("it sends nothing but empty records"),
            Self::Renegotiation => f.write_str("it wants a second handshake"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<Unopened> for Failure {
    fn from(_: Unopened) -> Self {
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
