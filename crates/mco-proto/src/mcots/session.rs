//! From the first packet of a connection to the Home screen and out again.

use crate::ids::{BrandedPartId, CustomerId, DealerId, PersonaId, SkinId};
use crate::layout;
use crate::text::Chars;

/// A persona's name: 12 characters.
pub type Name = Chars<13>;

layout! {
    /// 438, Client to Server, in clear (*captured*): whose connection this is. Both sides encrypt from the packet after
    /// its answer on.
    pub struct ClientConnect {
        /// The account; says which Session Key to use.
        pub customer: CustomerId,
        pub persona: PersonaId,
        /// Empty.
        pub customer_name: Name,
        pub persona_name: Name,
        /// 6001, build number of the Client.
        pub version: u32,
    }

    /// 105, Client to Server (*captured*).
    pub struct Login {
        pub customer: CustomerId,
        pub persona: PersonaId,
        /// Where the first car was picked; 0 unless the persona was just made (*seen in use*).
        pub dealer: DealerId,
        /// Which car; 0 likewise.
        pub model: BrandedPartId,
        /// Which paint; 0 likewise.
        pub skin: SkinId,
        pub persona_name: Name,
        /// 6001.
        pub version: u32,
    }

    /// 213, Server to Client (*documented*). A recorded server sent another, 72-byte layout which a Client accepted; as
    /// long as everything behind `flags` is zero, both readings see the same values.
    pub struct LoginComplete {
        /// Unix seconds, UTC.
        pub server_time: u32,
        /// Bit 0: [`Self::FIRST_TIME`]. Other bits: pay cheque waiting, club invitations waiting, tally in progress
        /// (*documented*; order of the last two unknown), all of them 0 here.
        pub flags: u8,
        /// 0: no shutdown ahead.
        pub seconds_till_shutdown: u16,
        /// 0.
        pub shard_gnp: f64,
        /// 0.
        pub shard_cars_sold: u32,
        /// 0.
        pub shard_average_salary: u32,
        /// 0.
        pub shard_average_cars_owned: u32,
        /// 0.
        pub shard_average_player_level: u32,
        /// Four other MCOTS servers of 26 bytes each: none, so the Client stays on its connection (*captured*: it does
        /// so without any list).
        pub servers: [u8; 104],
        /// Would identify the player to the game's web pages; 0.
        pub web_cookie: u32,
        /// When salaries are reckoned next.
        pub next_tally: Timestamp,
        /// When they are paid next.
        pub next_paycheck: Timestamp,
    }

    /// 440, Client to Server (*captured*): what the Client's makers wanted to know. Never answered.
    pub struct Tracking {
        /// 1 hardware, 0 screens (*captured*; a community table says 2).
        pub kind: u16,
        /// Comma-separated.
        pub text: Chars<256>,
    }
}

layout! {
    /// A date in SQL style, 16 bytes (*documented*).
    pub struct Timestamp {
        /// 0: no date.
        pub year: i16,
        /// 1..=12.
        pub month: u16,
        /// 1..=31.
        pub day: u16,
        /// 0..=23.
        pub hour: u16,
        /// 0..=59.
        pub minute: u16,
        /// 0..=59.
        pub second: u16,
        /// Nanoseconds, says the document; microseconds, said older servers.
        pub fraction: u32,
    }
}

// It is sent twice.
impl Copy for Timestamp {}

impl Timestamp {
    /// No date.
    pub const NONE: Self = Self { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0, fraction: 0 };
}

/// Build number of the Client, as every recorded one says it (*captured*).
pub const CLIENT_BUILD: u32 = 6001;

impl ClientConnect {
    /// The connection of this persona, with everything else as *captured*.
    pub fn new(customer: CustomerId, persona: PersonaId, name: Name) -> Self {
        Self { customer, persona, customer_name: Name::default(), persona_name: name, version: CLIENT_BUILD }
    }
}

impl Login {
    /// A persona that has its car already, with everything else as *captured*.
    pub const fn new(customer: CustomerId, persona: PersonaId, name: Name) -> Self {
        Self {
            customer,
            persona,
            dealer: DealerId(0),
            model: BrandedPartId(0),
            skin: SkinId(0),
            persona_name: name,
            version: CLIENT_BUILD,
        }
    }
}

impl LoginComplete {
    /// The bit of `flags` that says: this persona was never here before. As a byte of 1 it is the one value that was
    /// *captured*.
    pub const FIRST_TIME: u8 = 1;

    /// The answer with everything zero that is not named. Both dates lie behind the end of the shorter layout.
    pub const fn new(server_time: u32, first_time: bool, next_pay_day: Timestamp) -> Self {
        Self {
            server_time,
            flags: if first_time { Self::FIRST_TIME } else { 0 },
            seconds_till_shutdown: 0,
            shard_gnp: 0.0,
            shard_cars_sold: 0,
            shard_average_salary: 0,
            shard_average_cars_owned: 0,
            shard_average_player_level: 0,
            servers: [0; 104],
            web_cookie: 0,
            next_tally: next_pay_day,
            next_paycheck: next_pay_day,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcots::Message;
    use crate::mcots::message::vector;

    #[test]
    fn connect_is_the_captured_one() {
        let body =
            vector("b601 6cb45400 15000000 00000000000000000000000000 44722042726f776e0000000000 71170000");
        let connect: ClientConnect = body.read().unwrap();
        assert_eq!((connect.customer, connect.persona), (CustomerId(5_551_212), PersonaId(21)));
        assert_eq!((connect.persona_name.to_string().as_str(), connect.version), ("Dr Brown", 6001));
        assert_eq!(connect.body(), body);
    }

    #[test]
    fn login_is_the_captured_one() {
        let body =
            vector("6900 6cb45400 15000000 00000000 00000000 00000000 44722042726f776e0000000000 71170000");
        let login: Login = body.read().unwrap();
        assert_eq!((login.customer, login.persona), (CustomerId(5_551_212), PersonaId(21)));
        assert_eq!((login.dealer, login.model, login.skin), Default::default());
        assert_eq!((login.persona_name.to_string().as_str(), login.version), ("Dr Brown", 6001));
        assert_eq!(login.body(), body);
    }

    #[test]
    fn login_complete_reads_the_same_in_both_layouts() {
        let pay_day = Timestamp { year: 2026, month: 1, day: 12, ..Timestamp::NONE };
        let body = LoginComplete::new(0x6963_e3fb, true, pay_day).body();
        assert_eq!(body.0.len(), 173);
        assert_eq!(body.0[..7], vector("d500 fbe36369 01").0);
        // The shorter layout has 72 bytes, its dates among them.
        assert!(body.0[7..141].iter().all(|byte| *byte == 0));
        let date = vector("ea07 0100 0c00 0000 0000 0000 00000000").0;
        assert_eq!((&body.0[141..157], &body.0[157..]), (&date[..], &date[..]));
    }

    #[test]
    fn tracking_reads_the_captured_text() {
        let mut body = vector("b801 0000");
        body.0.extend_from_slice(br#""26/01/11 12:55:08",Home,0"#);
        body.0.resize(260, 0);
        let tracking: Tracking = body.read().unwrap();
        assert_eq!((tracking.kind, tracking.text.to_string().as_str()), (0, r#""26/01/11 12:55:08",Home,0"#));
        assert_eq!(tracking.body(), body);
    }
}
