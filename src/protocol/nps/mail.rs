//! Mail service, port 8227. Short headers throughout. See `docs/protocol/login-persona-mail.md`.

use super::id;
use super::packet::{Form, messages};
use crate::protocol::ids::PersonaId;

messages! {
    /// 0x0526, Client to Server (*captured*): asked once when a driver enters the lobby.
    id::LIST_EMAILS, Form::Short;
    pub struct ListEmails {
        /// Whose mail.
        pub persona: PersonaId,
        /// The last mail the Client knows; 0 in all captures.
        pub last_known: u32,
        /// 1 in all captures; meaning unknown.
        pub unknown: u16,
        /// Uninitialised memory of the Client.
        pub filler: u16,
    }

    /// 0x061B, Server to Client (*captured* with one mail; zeros for none are *inferred*).
    id::MAIL_LIST, Form::Short;
    pub struct MailList {
        /// How many mails.
        pub count: u16,
        /// Number of the first of them; 0 if there is none.
        pub first: u32,
    }

    /// 0x0524, Client to Server (*seen in use*): a mail or its header is wanted.
    id::RECEIVE_EMAIL, Form::Short;
    pub struct ReceiveEmail {
        /// Whose mail.
        pub persona: PersonaId,
        /// Which; a community parser reads the upper half only.
        pub mail: u32,
        /// 1: the header is enough.
        pub header_only: u16,
    }
}
