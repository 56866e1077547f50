//! Mail service, port 8227. Short headers throughout. See `docs/protocol/login-persona-mail.md`.

use crate::ids::PersonaId;
use crate::layout;
use crate::text::{CStr, Str16};

layout! {
    /// 0x0526, Client to Server (*captured*): asked once when a persona enters the lobby.
    pub struct ListEmails {
        pub persona: PersonaId,
        /// The last mail the Client knows; 0 in all captures.
        pub last_known: u32,
        /// 1 in all captures; meaning unknown.
        pub unknown: u16,
        /// Uninitialised memory of the Client.
        pub filler: u16,
    }

    /// 0x061B, Server to Client (*captured* with one mail; zeros for none are *inferred*).
    pub struct MailList {
        /// How many mails.
        pub count: u16,
        /// Number of the first of them; 0 if there is none.
        pub first: u32,
    }

    /// 0x0524, Client to Server (*seen in use*): a mail or its header is wanted.
    pub struct ReceiveEmail {
        pub persona: PersonaId,
        /// Which; a community parser reads the upper half only.
        pub mail: u32,
        /// 1: the header is enough.
        pub header_only: u16,
    }
    /// 0x0619, Server to Client (*seen in use*).
    pub struct Mail {
        pub mail: u32,
        /// Whom it is from.
        pub sender: PersonaId,
        pub sender_name: CStr<51>,
        /// 0: a server found that the Client wants one more byte here.
        pub gap: u8,
        /// What it is about.
        pub title: CStr<31>,
        /// When it was sent, in seconds since 1970.
        pub sent: u32,
        /// When it goes, in seconds since 1970.
        pub expires: u32,
        /// 1 until it was read.
        pub unread: u16,
        /// What it says.
        pub text: Str16<255>,
    }

    /// 0x0525, Client to Server; only its name is known, the layout is that of 0x0524 (*inferred*).
    pub struct DeleteEmail {
        pub persona: PersonaId,
        pub mail: u32,
    }
}

impl ListEmails {
    /// Asks for all mails of a persona, as *captured*.
    pub const fn all(persona: PersonaId) -> Self {
        Self { persona, last_known: 0, unknown: 1, filler: 0xfdfe }
    }
}

/// The numbers that `mail` of a request may mean, likelier first. One parser of the community takes the first half of
/// the four bytes as the number and does not look at the rest.
pub const fn numbers(mail: u32) -> [u32; 2] {
    [mail, mail >> 16]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nps::Message;

    #[test]
    fn a_mail_looks_as_seen_in_use() {
        let mail = Mail {
            mail: 1,
            sender: PersonaId(12),
            sender_name: CStr::constant(b"News"),
            gap: 0,
            title: CStr::constant(b"Hi"),
            sent: 2,
            expires: 3,
            unread: 1,
            text: Str16::constant(b"Ok"),
        };
        let body = b"\0\0\0\x01\0\0\0\x0cNews\0\0Hi\0\0\0\0\x02\0\0\0\x03\0\x01\0\x02Ok";
        assert_eq!(mail.packet().body, body);
        assert_eq!(mail.packet().read::<Mail>().unwrap(), mail);
    }

    #[test]
    fn a_number_of_16_bits_is_understood_whatever_follows_it() {
        assert_eq!(numbers(7), [7, 0]);
        assert_eq!(numbers(0x0007_fdfe), [0x0007_fdfe, 7]);
    }
}
