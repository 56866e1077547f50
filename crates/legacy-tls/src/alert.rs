//! Alerts: how one side tells the other that something is over or wrong.

use crate::{Version, record};

/// An alert that the server sends.
///
/// Each has two bytes on the wire, level and description (RFC 2246, 7.2). SSL 3.0 defines fewer descriptions (RFC 6101, 5.4);
/// there the nearest one is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alert {
    /// `close_notify`: the server will send nothing more.
    CloseNotify,
    /// `unexpected_message`: another message must come at this point.
    UnexpectedMessage,
    /// `bad_record_mac`: MAC, padding or length of an encrypted record is wrong; which of them is not told.
    BadRecordMac,
    /// `record_overflow`: a record is longer than the protocol allows.
    RecordOverflow,
    /// `handshake_failure`: client and server have no cipher suite in common.
    HandshakeFailure,
    /// `illegal_parameter`: a field has a value that is not allowed.
    IllegalParameter,
    /// `decode_error`: the fields of a message do not fit its length.
    DecodeError,
    /// `decrypt_error`: the Finished message does not match the handshake.
    DecryptError,
    /// `protocol_version`: the offered version is not served.
    ProtocolVersion,
    /// `inappropriate_fallback`: the client offers less than it can do, perhaps because an attacker made it (RFC 7507).
    InappropriateFallback,
    /// `no_renegotiation`: a second handshake on one connection is not supported.
    NoRenegotiation,
}

impl Alert {
    /// Level and description. Refusing a renegotiation is a warning in TLS 1.0 and fatal in SSL 3.0 (RFC 5746, 4.5).
    pub(crate) const fn bytes(self, version: Version) -> [u8; 2] {
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

    /// The alert as an unencrypted record, for a connection whose handshake has not begun. After that
    /// [`LegacyServer`](crate::legacy::LegacyServer) sends alerts itself.
    pub fn record(self, version: Version) -> [u8; 7] {
        let [major, minor] = version.code().to_be_bytes();
        let [level, description] = self.bytes(version);
        [record::Kind::Alert.code(), major, minor, 0, 2, level, description]
    }
}
