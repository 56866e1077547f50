//! What can go wrong between a Client and a server, in words that the Server Operator can act on.

use super::peer::Peer;
use super::wanted::Wanted;
use mco_proto::{EncodeError, Malformed, TooLong};
use std::{fmt, io};

/// Why a step of a sitting failed. `peer` is the server that was asked, `wanted` what it should have sent.
#[derive(Debug)]
#[allow(missing_docs, reason = "the names of the fields say what they hold")]
pub enum Error {
    /// The host name has no address.
    Unresolved { peer: Peer, why: io::Error },
    /// No connection could be made.
    Unreachable { peer: Peer, why: io::Error },
    /// The connection was made and then failed.
    Lost { peer: Peer, why: io::Error },
    /// The server closed the connection while an answer was awaited. Normally the Client closes first.
    Closed { peer: Peer, wanted: Wanted },
    /// Nothing that fits came in time.
    Silence {
        peer: Peer,
        wanted: Wanted,
        /// What came instead, if anything.
        instead: Option<Wanted>,
    },
    /// What came is not this protocol, or the ciphers of both ends are out of step.
    Broken {
        peer: Peer,
        /// Where it goes wrong.
        why: String,
    },
    /// A message that ends too early or counts too much.
    Malformed {
        peer: Peer,
        message: Wanted,
        /// Where it goes wrong.
        why: Malformed,
    },
    /// A message that parses and says what it can't mean.
    Contradiction {
        peer: Peer,
        message: Wanted,
        field: &'static str,
        /// What it says, and what it should.
        why: String,
    },
    /// The server understood and said no.
    Refused {
        peer: Peer,
        answer: Wanted,
        /// Result code of an MCOTS refusal; 0 for others.
        code: u32,
    },
    /// AuthLogin refuses the name or the password.
    WrongPassword { reason: String },
    /// An HTTP answer that the Client cannot use.
    Web {
        peer: Peer,
        /// The page, without its query (which holds a password).
        page: &'static str,
        why: String,
    },
    /// The shard list can't be read.
    ShardList(ShardListError),
    /// A text or a list of ours does not fit its field.
    TooLong(TooLong),
    /// A packet of ours cannot be written.
    Unsendable(EncodeError),
    /// What `/key` serves is no login key.
    PublicKey { why: String },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unresolved { peer, why } => write!(f, "the name {} has no address: {why}", peer.host()),
            Self::Unreachable { peer, why } => match why.kind() {
                io::ErrorKind::ConnectionRefused => {
                    write!(f, "{peer}: connection refused, nothing listens on port {}", peer.port())
                }
                io::ErrorKind::TimedOut => {
                    write!(f, "{peer}: no connection in time; a firewall may block port {}", peer.port())
                }
                _ => write!(f, "{peer}: no connection: {why}"),
            },
            Self::Lost { peer, why } => write!(f, "{peer}: the connection was lost: {why}"),
            Self::Closed { peer, wanted } => {
                write!(f, "{peer}: the server closed the connection instead of sending {wanted}")
            }
            Self::Silence { peer, wanted, instead: None } => {
                write!(f, "{peer}: {wanted} did not come in time")
            }
            Self::Silence { peer, wanted, instead: Some(instead) } => {
                write!(f, "{peer}: {wanted} did not come in time, but {instead} did")
            }
            Self::Broken { peer, why } => write!(f, "{peer}: not understood: {why}"),
            Self::Malformed { peer, message, why } => write!(f, "{peer}: {message} {why}"),
            Self::Contradiction { peer, message, field, why } => {
                write!(f, "{peer}: {message}, field \"{field}\": {why}")
            }
            Self::Refused { peer, answer, code: 0 } => write!(f, "{peer}: refused with {answer}"),
            Self::Refused { peer, answer, code } => {
                write!(f, "{peer}: refused with {answer}, result code {code}")
            }
            Self::WrongPassword { reason } if reason.is_empty() => f.write_str("AuthLogin refuses this User"),
            Self::WrongPassword { reason } => write!(f, "AuthLogin refuses this User: {reason}"),
            Self::Web { peer, page, why } => write!(f, "{peer}{page}: {why}"),
            Self::ShardList(why) => why.fmt(f),
            Self::TooLong(why) => write!(f, "a message cannot be made: {why}"),
            Self::Unsendable(why) => write!(f, "a message cannot be sent: {why}"),
            Self::PublicKey { why } => write!(f, "what /key serves is no pub.key: {why}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unresolved { why, .. } | Self::Unreachable { why, .. } | Self::Lost { why, .. } => {
                Some(why)
            }
            Self::Malformed { why, .. } => Some(why),
            Self::ShardList(why) => Some(why),
            Self::TooLong(why) => Some(why),
            Self::Unsendable(why) => Some(why),
            _ => None,
        }
    }
}

impl From<TooLong> for Error {
    fn from(why: TooLong) -> Self {
        Self::TooLong(why)
    }
}

impl From<EncodeError> for Error {
    fn from(why: EncodeError) -> Self {
        Self::Unsendable(why)
    }
}

/// Why a text is not a shard list.
#[allow(missing_docs, reason = "the names of the fields say what they hold")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShardListError {
    /// No `[name]` line.
    Empty,
    /// Shards, and none with status 0.
    NoneOpen,
    /// A key that the Client needs is not there.
    Missing { shard: String, key: &'static str },
    /// A value that should be a number.
    NoNumber { shard: String, key: &'static str, value: String },
}

impl fmt::Display for ShardListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the shard list names no shard (no line in square brackets)"),
            Self::NoneOpen => f.write_str("the shard list names no shard that is open (StatusId 0)"),
            Self::Missing { shard, key } => write!(f, "the shard list has no {key} for \"{shard}\""),
            Self::NoNumber { shard, key, value } => {
                write!(f, "the shard list says {key}={value} for \"{shard}\", which is no number")
            }
        }
    }
}

impl std::error::Error for ShardListError {}
