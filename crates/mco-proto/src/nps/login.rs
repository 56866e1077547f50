//! Login service, port 8226. See `docs/protocol/login-persona-mail.md`.

use crate::bytes::Bool8;
use crate::ids::CustomerId;
use crate::layout;
use crate::text::Str16;

layout! {
    /// 0x0501, Client to Server (*captured*): signs in with the Context of AuthLogin.
    pub struct UserLogin {
        /// The Context (ticket) exactly as AuthLogin gave it; a Client keeps up to 256 bytes.
        pub context: Str16<256>,
        /// Always 0; the number of the object that follows (*inferred*).
        pub object: u16,
        /// The Session Key under the login key, 256 hexadecimal digits: see
        /// [`LoginKey::open`](crate::session_key::LoginKey::open).
        pub key_block: Str16<256>,
        /// "2176", EA's number of the game.
        pub service: Str16<32>,
        /// Checksum of the Client's program; fe a3 1c 19 in every sample since 2017.
        pub checksum: u32,
    }

    /// 0x0601, Server to Client (*captured*; names of the three flags *seen in use*): the login is accepted. Sent twice,
    /// because the debug build of the Client reads two and the retail build does not mind.
    pub struct UserStatus {
        /// The account; the Client repeats it in all later requests.
        pub customer: CustomerId,
        /// Ignored by the Client; 0.
        pub persona_slot: u32,
        /// 0: no other value was ever tried.
        pub cache_hit: Bool8,
        /// 0: no other value was ever tried.
        pub banned: Bool8,
        /// 0: no other value was ever tried.
        pub gagged: Bool8,
        /// The first 12 hexadecimal digits of the Session Key, in ASCII.
        pub key_echo: [u8; 12],
        /// Zeros.
        pub reserved: [u8; 3],
    }
}
