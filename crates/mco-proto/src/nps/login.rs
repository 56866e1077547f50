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
        /// [`LoginKey::decrypt`](crate::session_key::LoginKey::decrypt).
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

impl UserLogin {
    /// EA's number of the game (*captured*).
    pub const SERVICE: &'static [u8; 4] = b"2176";
    /// The checksum of the Client's program in every sample since 2017 (*captured*).
    pub const CHECKSUM: u32 = 0xfea3_1c19;

    /// A login with this Context and key block, with everything else as *captured*.
    pub fn new(context: Str16<256>, key_block: Str16<256>) -> Self {
        let service = Str16::constant(Self::SERVICE);
        Self { context, object: 0, key_block, service, checksum: Self::CHECKSUM }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nps::Message as _;

    #[test]
    fn a_login_begins_and_ends_as_captured() {
        let (context, key_block) = ([b'd'; 34], [b'A'; 256]);
        let login = UserLogin::new(Str16::constant(&context), Str16::constant(&key_block));
        let mut wire = Vec::new();
        login.packet().encode(&mut wire).unwrap();
        let expected = [
            b"\x05\x01\x01\x3e\x01\x01\0\0\0\0\x01\x3e\0\x22".as_slice(),
            &context,
            b"\0\0\x01\0",
            &key_block,
            b"\0\x042176\xfe\xa3\x1c\x19",
        ];
        assert_eq!(wire, expected.concat());
    }
}
