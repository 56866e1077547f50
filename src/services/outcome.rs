//! What a service hands back.

use crate::config::PushForm;
use crate::store::Ticket;
use crate::world::ConnectionId;
use mco_proto::mcots::Body;
use mco_proto::nps::Packet;
use mco_proto::session_key::SessionKey;
use std::fmt;
use std::sync::Arc;

/// The outcome of one message for its sender and for others.
#[derive(Debug)]
pub struct Outcome<P> {
    /// Answers to the caller, in order, in the form (encrypted or clear) of its message.
    pub replies: Vec<P>,
    /// What others get. Goes out together with the replies.
    pub pushes: Vec<Push>,
    /// Set when the message changed something: nothing goes out before the change is on the card.
    pub commit: Option<Ticket>,
    /// Set when the caller has just signed in: ciphers start behind these replies.
    pub start_encryption: Option<SessionKey>,
    /// The connection ends behind these replies.
    pub close: bool,
    /// What became of the message.
    pub verdict: Verdict,
}

/// What became of a message, for counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Done as its row says.
    Answered,
    /// Understood and not granted.
    Refused,
    /// Sent by somebody who may not, or in the wrong form.
    NotAllowed,
    /// Its body does not fit its layout.
    Malformed,
    /// Its number is not known.
    Unknown,
    /// The server could not do it.
    Failed,
}

/// How a Game Packet for others travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Inside 0x1101.
    Encrypted,
    /// As it is.
    Clear,
}

impl From<PushForm> for Encryption {
    fn from(form: PushForm) -> Self {
        match form {
            PushForm::Sealed => Self::Encrypted,
            PushForm::Clear => Self::Clear,
        }
    }
}

/// A message to other connections. The body is shared; each connection encrypts it with its own state.
#[derive(Clone, Debug)]
pub enum Push {
    /// A packet for these connections.
    Packet(Vec<ConnectionId>, Arc<Packet>, Encryption),
    /// A Transaction Packet's body for these connections to MCOTS.
    Body(Vec<ConnectionId>, Arc<Body>),
    /// These connections are to end.
    Dismiss(Vec<ConnectionId>),
}

impl<P> Outcome<P> {
    /// No answer.
    pub const fn silence() -> Self {
        Self {
            replies: Vec::new(),
            pushes: Vec::new(),
            commit: None,
            start_encryption: None,
            close: false,
            verdict: Verdict::Answered,
        }
    }

    /// One answer.
    pub fn reply(reply: P) -> Self {
        Self::replies([reply])
    }

    /// Several answers.
    pub fn replies(replies: impl IntoIterator<Item = P>) -> Self {
        Self { replies: replies.into_iter().collect(), ..Self::silence() }
    }

    /// No answer, and the end of the connection.
    pub fn goodbye() -> Self {
        Self { close: true, ..Self::silence() }
    }

    /// The same, to go out when `ticket`'s change is on the card.
    #[must_use]
    pub fn after(mut self, ticket: Ticket) -> Self {
        self.commit = Some(match self.commit.take() {
            Some(earlier) => earlier.and(ticket),
            None => ticket,
        });
        self
    }

    /// The same, with a push.
    #[must_use]
    pub fn push(mut self, push: Push) -> Self {
        self.pushes.push(push);
        self
    }
}

/// Bytes of an unknown or malformed message for a log line: the first 64, as hexadecimal digits.
#[derive(Clone, Copy)]
pub struct Hex<'a>(pub &'a [u8]);

impl Hex<'_> {
    const SHOWN: usize = 64;
}

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(Self::SHOWN).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        if self.0.len() > Self::SHOWN { f.write_str("...") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_shows_a_bounded_part_of_the_bytes() {
        assert_eq!(Hex(&[0xca, 0xfe]).to_string(), "cafe");
        assert_eq!(Hex(&vec![0; 65_535]).to_string().len(), 64 * 2 + 3);
    }
}
