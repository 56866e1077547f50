//! Reads the ClientHello, the first message of a TLS connection, and decides which protocol stack can answer it.
//!
//! Nothing is consumed: the stack that gets the connection reads the same bytes again. Two formats are read: that of
//! SSL 3.0 and later, possibly spread over several records (RFC 5246, 7.4.1.2), and that of SSL 2.0 (RFC 5246, E.2), in which
//! Windows 98 to XP with Internet Explorer 6 send their offer of SSL 3.0 (*documented*).

use super::{Alert, Suite, Version};
use crate::reader::{Malformed, Reader};
use std::fmt;

/// The most bytes of a hello that is read, record headers included: 16 KiB. Usual hellos are below 2 KiB.
pub const LONGEST: usize = 16 * 1024;

/// The handshake type of a ClientHello, in both formats.
const CLIENT_HELLO: u8 = 1;
/// The content type of handshake records.
const HANDSHAKE: u8 = 22;
/// Sizes in bytes of a record's header and of a handshake message's header.
const RECORD_HEADER: usize = 5;
const MESSAGE_HEADER: usize = 4;

const TLS12: u16 = 0x0303;
const TLS13: u16 = 0x0304;
/// The suites of rustls with its ring provider and an ECDSA certificate (*documented*).
const TLS13_SUITES: [u16; 3] = [0x1301, 0x1302, 0x1303];
const TLS12_SUITES: [u16; 3] = [0xc02b, 0xc02c, 0xcca9];
/// Signals in the list of suites that are not suites (RFC 5746, RFC 7507).
const RENEGOTIATION_INFO_SCSV: u16 = 0x00ff;
const FALLBACK_SCSV: u16 = 0x5600;
const SUPPORTED_VERSIONS: u16 = 0x002b;
const RENEGOTIATION_INFO: u16 = 0xff01;

/// The protocol stack that can answer a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// TLS 1.2 or 1.3. The client has a suite in common with rustls (ring provider, ECDSA certificate).
    Modern,
    /// SSL 3.0 or TLS 1.0 with this suite: [`LegacyServer`](crate::legacy::LegacyServer).
    Legacy(Version, Suite),
    /// No TLS: the first byte is a capital letter, as in an HTTP request.
    PlainHttp,
    /// None. Send [`Refusal::alert`] and close.
    Refuse(Refusal),
}

/// Why a well-formed hello cannot be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No cipher suite in common.
    NoSharedSuite,
    /// No version in common.
    NoSharedVersion,
    /// Only SSL 3.0 and TLS 1.0 in common, and these are not allowed (`legacy_allowed` of [`route`]).
    LegacyOff,
    /// The client says that it offers less than it can do because a better offer failed (RFC 7507). A better one would have
    /// been answered, so an attacker may have made it fail.
    Fallback,
}

impl Refusal {
    /// The alert to send.
    pub const fn alert(self) -> Alert {
        match self {
            Self::NoSharedSuite => Alert::HandshakeFailure,
            Self::NoSharedVersion | Self::LegacyOff => Alert::ProtocolVersion,
            Self::Fallback => Alert::InappropriateFallback,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSharedSuite => "the client offers no cipher suite that is served here",
            Self::NoSharedVersion => "the client offers no version of TLS that is served here",
            Self::LegacyOff => "the client speaks nothing newer than TLS 1.0, which is switched off here",
            Self::Fallback => {
                "the client offers less than it can do; somebody on the network may have caused that"
            }
        })
    }
}

/// Why bytes are not a hello that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelloError {
    /// Not TLS, and not HTTP either.
    NotTls,
    /// More than [`LONGEST`] bytes.
    TooLong,
    /// Another message, or more bytes than the hello although the client must wait for an answer.
    OutOfOrder,
    /// The fields do not fit the message's length.
    Malformed(Malformed),
    /// SSL 2.0 only, or a version that does not exist.
    Version(u16),
    /// The client does not offer to work without compression.
    Compression,
}

impl HelloError {
    /// The alert to send; `None` if the peer does not speak TLS.
    pub const fn alert(self) -> Option<Alert> {
        match self {
            Self::NotTls => None,
            Self::TooLong | Self::Malformed(_) => Some(Alert::DecodeError),
            Self::OutOfOrder => Some(Alert::UnexpectedMessage),
            Self::Version(_) => Some(Alert::ProtocolVersion),
            Self::Compression => Some(Alert::IllegalParameter),
        }
    }
}

impl fmt::Display for HelloError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotTls => f.write_str("the client speaks neither TLS nor HTTP"),
            Self::TooLong => write!(f, "the client's hello has more than {LONGEST} bytes"),
            Self::OutOfOrder => f.write_str("the client does not begin with a hello"),
            Self::Malformed(malformed) => write!(f, "the client's hello {malformed}"),
            Self::Version(version) => {
                write!(f, "the client offers version {version:#06x}, which is not served")
            }
            Self::Compression => f.write_str("the client does not work without compression"),
        }
    }
}

impl std::error::Error for HelloError {}

impl From<Malformed> for HelloError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

/// The result of reading from an incomplete stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<T> {
    /// More bytes are needed: at least this many, counted from the beginning of the connection. Always more than there were,
    /// and at most [`LONGEST`].
    More(usize),
    /// The message is complete.
    Done(T),
}

/// The format of a hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// That of SSL 3.0 and later.
    V3,
    /// That of SSL 2.0.
    V2,
}

/// A ClientHello: what the client offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    /// The format in which it was sent.
    pub format: Format,
    /// `client_version`: the highest version offered, unless `versions` is there.
    pub offered: u16,
    /// The client's random value. In format V2 the challenge, filled up with zeros in front.
    pub random: [u8; 32],
    /// The cipher suites, in the client's order of preference.
    pub suites: Vec<u16>,
    /// The extension `supported_versions`, if it is there.
    pub versions: Option<Vec<u16>>,
    /// Whether the client supports secure renegotiation (RFC 5746), told by suite or extension.
    pub renegotiation_info: bool,
}

/// A hello with its place in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The message.
    pub hello: ClientHello,
    /// The bytes that the Finished messages hash: without record headers, and without the two length bytes of format V2.
    pub transcript: Vec<u8>,
    /// Size in bytes on the wire, counted from the beginning of the connection.
    pub consumed: usize,
}

/// Decides which stack can answer a connection that begins with `bytes`. Call it with all bytes received so far. With
/// `legacy_allowed == false` a client that speaks nothing newer than TLS 1.0 is refused.
///
/// # Errors
/// [`HelloError`] if `bytes` cannot become a hello. Send [`HelloError::alert`] and close.
pub fn route(bytes: &[u8], legacy_allowed: bool) -> Result<Progress<Route>, HelloError> {
    if bytes.first().is_some_and(u8::is_ascii_uppercase) {
        return Ok(Progress::Done(Route::PlainHttp));
    }
    Ok(match read(bytes)? {
        Progress::More(bytes) => Progress::More(bytes),
        Progress::Done(found) => Progress::Done(found.hello.route(legacy_allowed)),
    })
}

/// Reads the hello at the beginning of `bytes`.
///
/// # Errors
/// [`HelloError`] if `bytes` cannot become a hello.
pub fn read(bytes: &[u8]) -> Result<Progress<Found>, HelloError> {
    match bytes {
        [] => Ok(Progress::More(1)),
        [HANDSHAKE, ..] => read_v3(bytes),
        [first, ..] if *first >= 0x80 => read_v2(bytes),
        _ => Err(HelloError::NotTls),
    }
}

/// One or more records that carry one handshake message.
fn read_v3(bytes: &[u8]) -> Result<Progress<Found>, HelloError> {
    let mut reader = Reader::new(bytes, 0);
    let mut message = Vec::new();
    loop {
        let consumed = bytes.len() - reader.remaining();
        if reader.remaining() < RECORD_HEADER {
            return more(consumed + RECORD_HEADER);
        }
        let (kind, version) = (reader.u8()?, reader.u16()?);
        let length = usize::from(reader.u16()?);
        if kind != HANDSHAKE {
            return Err(HelloError::OutOfOrder);
        }
        if version >> 8 != 3 {
            return Err(HelloError::Version(version));
        }
        // Empty records without end would keep the server busy.
        if length == 0 {
            return Err(Malformed { offset: message.len() }.into());
        }
        if reader.remaining() < length {
            return more(consumed + RECORD_HEADER + length);
        }
        message.extend_from_slice(reader.take(length)?);
        if let Some(&[kind, high, middle, low]) = message.first_chunk::<MESSAGE_HEADER>() {
            if kind != CLIENT_HELLO {
                return Err(HelloError::OutOfOrder);
            }
            let whole = MESSAGE_HEADER
                + usize::from(high) * 0x1_0000
                + usize::from(middle) * 0x100
                + usize::from(low);
            if whole > LONGEST {
                return Err(HelloError::TooLong);
            }
            if message.len() > whole {
                return Err(HelloError::OutOfOrder);
            }
            if message.len() == whole {
                let hello = ClientHello::read_v3(message.get(MESSAGE_HEADER..).unwrap_or_default())?;
                let consumed = bytes.len() - reader.remaining();
                return Ok(Progress::Done(Found { hello, transcript: message, consumed }));
            }
        }
    }
}

/// One SSL 2.0 record with a two-byte header: 15 bits of length, and no padding.
fn read_v2(bytes: &[u8]) -> Result<Progress<Found>, HelloError> {
    let &[high, low, ref rest @ ..] = bytes else { return more(2) };
    let length = usize::from(high & 0x7f) * 0x100 + usize::from(low);
    match rest.first() {
        Some(&CLIENT_HELLO) => {}
        Some(_) => return Err(HelloError::NotTls),
        None => return more(3),
    }
    let Some(message) = rest.get(..length) else { return more(2 + length) };
    let hello = ClientHello::read_v2(message)?;
    Ok(Progress::Done(Found { hello, transcript: message.to_vec(), consumed: 2 + length }))
}

fn more(bytes: usize) -> Result<Progress<Found>, HelloError> {
    if bytes > LONGEST { Err(HelloError::TooLong) } else { Ok(Progress::More(bytes)) }
}

impl ClientHello {
    /// `u16 version, u8[32] random, u8+session id, u16+suites, u8+compression methods, [u16+extensions]`.
    fn read_v3(body: &[u8]) -> Result<Self, HelloError> {
        let mut reader = Reader::new(body, MESSAGE_HEADER);
        let offered = reader.u16()?;
        if offered >> 8 != 3 {
            return Err(HelloError::Version(offered));
        }
        let random = reader.array()?;
        let session_id = reader.u8()?;
        let session_id = reader.length(usize::from(session_id), 32)?;
        reader.take(session_id)?;
        let suites = usize::from(reader.u16()?);
        let suites = numbers(reader.part(suites)?)?;
        let compressions = usize::from(reader.u8()?);
        if !reader.take(compressions)?.contains(&0) {
            return Err(HelloError::Compression);
        }
        let mut hello = Self {
            format: Format::V3,
            offered,
            random,
            renegotiation_info: suites.contains(&RENEGOTIATION_INFO_SCSV),
            suites,
            versions: None,
        };
        if reader.remaining() > 0 {
            let length = usize::from(reader.u16()?);
            let extensions = reader.part(length)?;
            reader.length(reader.remaining(), 0)?;
            hello.read_extensions(extensions)?;
        }
        Ok(hello)
    }

    fn read_extensions(&mut self, mut reader: Reader<'_>) -> Result<(), HelloError> {
        while reader.remaining() > 0 {
            let kind = reader.u16()?;
            let length = usize::from(reader.u16()?);
            let mut content = reader.part(length)?;
            match kind {
                SUPPORTED_VERSIONS => {
                    let length = usize::from(content.u8()?);
                    self.versions = Some(numbers(content.part(length)?)?);
                }
                RENEGOTIATION_INFO => {
                    // `renegotiated_connection`, which is empty in a first handshake.
                    let length = usize::from(content.u8()?);
                    content.length(length, 0)?;
                    self.renegotiation_info = true;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// `u8 1, u16 version, u16 bytes of suites, u16 of session id, u16 of challenge, suites of 3 bytes, session id, challenge`.
    fn read_v2(message: &[u8]) -> Result<Self, HelloError> {
        let mut reader = Reader::new(message, 0);
        let _kind = reader.u8()?;
        let offered = reader.u16()?;
        if offered >> 8 != 3 {
            return Err(HelloError::Version(offered));
        }
        let suites = usize::from(reader.u16()?);
        let session_id = usize::from(reader.u16()?);
        let challenge = usize::from(reader.u16()?);
        let suites: Vec<_> = reader
            .take(suites)?
            .chunks(3)
            .filter_map(|suite| match *suite {
                // The others are SSL 2.0's own.
                [0, high, low] => Some(u16::from_be_bytes([high, low])),
                _ => None,
            })
            .collect();
        reader.take(session_id)?;
        let challenge = reader.length(challenge, 32)?;
        if challenge < 16 {
            return Err(reader.malformed().into());
        }
        let challenge = reader.take(challenge)?;
        reader.length(reader.remaining(), 0)?;
        let mut random = [0; 32];
        for (slot, byte) in random.iter_mut().rev().zip(challenge.iter().rev()) {
            *slot = *byte;
        }
        let renegotiation_info = suites.contains(&RENEGOTIATION_INFO_SCSV);
        Ok(Self { format: Format::V2, offered, random, suites, versions: None, renegotiation_info })
    }

    /// Decides which stack can answer this hello; see [`route`].
    pub fn route(&self, legacy_allowed: bool) -> Route {
        if self.is_modern() {
            return Route::Modern;
        }
        match self.legacy_route() {
            Route::Legacy(..) if !legacy_allowed => Route::Refuse(Refusal::LegacyOff),
            route => route,
        }
    }

    /// Whether SSL 3.0 or TLS 1.0 can answer this hello, and with which suite.
    pub(crate) fn legacy_route(&self) -> Route {
        match (self.legacy_version(), self.legacy_suite()) {
            (None, _) => Route::Refuse(Refusal::NoSharedVersion),
            (_, None) => Route::Refuse(Refusal::NoSharedSuite),
            _ if self.suites.contains(&FALLBACK_SCSV) && self.offered < TLS12 => {
                Route::Refuse(Refusal::Fallback)
            }
            (Some(version), Some(suite)) => Route::Legacy(version, suite),
        }
    }

    /// Whether rustls has version and suite in common with the client. Its handshake may still fail, on curves for example.
    fn is_modern(&self) -> bool {
        let has = |suites: &[u16]| suites.iter().any(|suite| self.suites.contains(suite));
        let speaks = |version| match &self.versions {
            Some(versions) => versions.contains(&version),
            None => version == TLS12 && self.offered >= TLS12,
        };
        self.format == Format::V3
            && (speaks(TLS13) && has(&TLS13_SUITES) || speaks(TLS12) && has(&TLS12_SUITES))
    }

    /// The best of TLS 1.0 and SSL 3.0 that the client speaks. A client that offers TLS 1.2, but no suite of it that rustls
    /// has, is answered with TLS 1.0.
    pub(crate) fn legacy_version(&self) -> Option<Version> {
        let speaks = |version: Version| match &self.versions {
            Some(versions) => versions.contains(&version.code()),
            None => self.offered >= version.code(),
        };
        [Version::Tls10, Version::Ssl30].into_iter().find(|version| speaks(*version))
    }

    /// The first of [`Suite::BY_PREFERENCE`] that the client offers.
    pub(crate) fn legacy_suite(&self) -> Option<Suite> {
        Suite::BY_PREFERENCE.into_iter().find(|suite| self.suites.contains(&suite.code()))
    }
}

/// The 16-bit numbers that fill the rest of `reader`.
fn numbers(mut reader: Reader<'_>) -> Result<Vec<u16>, Malformed> {
    (0..reader.remaining().div_ceil(2)).map(|_| reader.u16()).collect()
}

#[cfg(test)]
mod tests;
