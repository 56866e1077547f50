//! The records of mail: which mails a persona has, and the mails.

use crate::store::record::Record;
use mco_proto::ids::PersonaId;
use serde::{Deserialize, Serialize};

/// A letter from one persona to another, as the mail service (8227) delivers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// The persona that sent it.
    pub sender: PersonaId,
    /// The sender's name, at most 50 characters.
    pub sender_name: String,
    /// The subject, at most 30 characters.
    pub title: String,
    /// The text, at most 255 characters.
    pub text: String,
    /// When it was sent, in seconds since 1970 by the Server's clock.
    pub sent: u32,
    /// From when on it is no longer listed, likewise; 0: never.
    pub expires: u32,
}

impl Record for Mail {
    const WHAT: &'static str = "mail";
}

/// A mail in the list of a persona.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailEntry {
    /// Its number: grows from 1 with every mail of the persona, and is never used twice.
    pub number: u32,
    /// Whether it was read.
    pub read: bool,
    /// From when on it is no longer listed, in seconds since 1970; 0: never.
    pub expires: u32,
}

/// The list of a persona's mails.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::store) struct Mailbox {
    /// The number of the newest mail there ever was; 0: none yet.
    pub(in crate::store) last: u32,
    /// Oldest first; some may have expired.
    pub(in crate::store) mails: Vec<MailEntry>,
}

impl Record for Mailbox {
    const WHAT: &'static str = "mailbox";
}

impl Mailbox {
    /// The mails that have not expired at `now`, in seconds since 1970.
    pub(in crate::store) fn current(&self, now: u32) -> impl Iterator<Item = MailEntry> {
        self.mails.iter().copied().filter(move |mail| mail.expires == 0 || mail.expires > now)
    }
}
