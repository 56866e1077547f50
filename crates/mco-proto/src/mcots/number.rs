//! Message numbers of MCOTS, and the reason codes that share their number space. Routing goes by number; [`name`]
//! serves logs only.

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)*) => {
        $($(#[$doc])* pub const $name: u16 = $number;)*

        /// The community's name of a message number, for logs.
        pub const fn name(number: u16) -> &'static str {
            match number {
                $($number => stringify!($name),)*
                243..=276 => "EVENT?",
                311..=313 => "BADGE?",
                365..=477 => "CLUB?",
                478..=494 => "CLASSIFIED_AD?",
                1080..=1127 => "SEASON?",
                _ => "unknown",
            }
        }

        /// Every number that has a name.
        #[cfg(test)]
        const NAMED: &[u16] = &[$($name),*];
    };
}

numbers! {
    /// Done (*captured*).
    SUCCESS = 101,
    /// Refused (*documented*; never captured).
    FAILED = 102,
    /// Done, and the answer carries a value (*seen in use*).
    GENERIC_REPLY = 103,
    /// A persona signs in (*captured*).
    LOGIN = 105,
    /// The Client is about to leave (*captured*).
    LOGOUT = 106,
    /// What is known of a player, and the answer to it (*captured*: both carry this number).
    GET_PLAYER_INFO = 108,
    /// Licence plate, car numbers, display of car data (*seen in use*).
    SET_OPTIONS = 109,
    /// The number the community's documents give the answer to 108; the Client accepts 108 (*captured*).
    PLAYER_INFO = 122,
    /// A car with all its parts (*captured*).
    VEHICLE_INFO = 123,
    /// Reason: not enough money (*documented*).
    INSUFFICIENT_FUNDS = 133,
    /// What a dealer has on offer, and the answer to it (*seen in use*).
    STOCK_CAR_INFO = 141,
    /// Buys a car (*seen in use*).
    PURCHASE_STOCK_CAR = 142,
    /// A car with all its parts is wanted (*captured*).
    GET_COMPLETE_VEHICLE_INFO = 145,
    /// The cars of several players; number and name only (*documented*).
    GET_PLAYERS_VEHICLES = 161,
    /// A car changed, says the Client; wants no answer (*seen in use*).
    UPDATE_CACHED_VEHICLE = 163,
    /// A player's name is wanted (*documented*).
    GET_PLAYER_NAME = 164,
    /// A player's name (*documented*).
    PLAYER_NAME = 165,
    /// The cars of a player are wanted (*captured*).
    GET_OWNED_VEHICLES = 172,
    /// The cars of a player (*captured*).
    OWNED_VEHICLES_LIST = 173,
    /// The loose parts of the asker are wanted (*captured*).
    GET_OWNED_PARTS = 174,
    /// The loose parts of a player (*captured* empty).
    OWNED_PARTS_LIST = 175,
    /// Buys a part (*seen in use*).
    BUY_NEW_PART = 176,
    /// Repairs one part (*seen in use*).
    REPAIR_SINGLE_PART = 177,
    /// Repairs all parts of a car (*seen in use*).
    REPAIR_MULTIPLE_PARTS = 178,
    /// Puts a part into a car (*seen in use*).
    INSTALL_PART = 181,
    /// Takes a part off a car (*seen in use*).
    REMOVE_PART = 182,
    /// The parts of a car or assembly are wanted (*seen in use*).
    GET_ASSEMBLY_PARTS = 183,
    /// The parts of a car or assembly (*seen in use*).
    ASSEMBLY_PARTS = 184,
    /// Reason: this car's class may not race here (*documented*).
    INVALID_CAR_CLASS = 189,
    /// Reason: this driver's class may not race here (*documented*).
    INVALID_DRIVER_CLASS = 190,
    /// Reason: no such car, or not the player's (*documented*).
    INVALID_VEHICLE = 191,
    /// The dents of the player's car (*seen in use*).
    UPDATE_BODY_DAMAGE = 202,
    /// Answer to [`LOGIN`] (*captured*).
    LOGIN_COMPLETE = 213,
    /// Throws a part away (*seen in use*).
    DESTROY_PART = 214,
    /// The dents of a car are wanted; a constant without a handler (*seen in use*).
    GET_BODY_DAMAGE_INFO = 215,
    /// Joins a race (*documented*).
    RACE_JOIN = 218,
    /// A race was made (*documented*).
    RACE_CREATE_OK = 223,
    /// A race was joined (*documented*).
    RACE_JOIN_OK = 224,
    /// Makes a race (*documented*).
    CREATE_STANDARD_RACE = 230,
    /// Reason: no such race (*documented*).
    INVALID_RACE_ID = 231,
    /// The host starts the race (*captured*).
    RACE_START = 232,
    /// The race is on (*documented*).
    RACE_STARTED = 233,
    /// A racer finished (*documented*).
    RACER_COMPLETED_RACE = 234,
    /// A racer gave up (*documented*).
    RACER_LEFT_RACE = 235,
    /// Reason: not in that race (*documented*).
    PERSONA_NOT_IN_RACE = 236,
    /// Who won what (*documented*).
    RACE_FINAL_RESULTS = 237,
    /// Reason: the race is full (*documented*).
    TOO_MANY_PLAYERS = 238,
    /// Reason: reported twice (*documented*).
    RACE_TIME_ALREADY_RECEIVED = 239,
    /// Damage while racing (*captured*).
    IN_RACE_DAMAGE_UPDATE = 240,
    /// Damage after the race (*documented*).
    REPORT_POST_RACE_DAMAGE = 241,
    /// The looks of a player are wanted (*captured*).
    GET_PLAYER_PHYSICAL = 264,
    /// The looks of a player (*captured*).
    PLAYER_PHYSICAL_INFO = 265,
    /// New looks (*seen in use*).
    UPDATE_PLAYER_PHYSICAL = 266,
    /// Deletes the persona (*seen in use*).
    DELETE_PERSONA = 320,
    /// The cars lent out in arcade lobbies are wanted (*captured*).
    GET_ARCADE_CARS = 322,
    /// The cars lent out in arcade lobbies (*captured*; the name is ours).
    ARCADE_CARS = 323,
    /// The lobbies are wanted; answered by two messages (*captured*).
    GET_LOBBIES = 324,
    /// The lobbies (*captured*).
    LOBBIES = 325,
    /// Trade window: opens one (*documented*, name only).
    TW_HOST_SESSION = 338,
    /// Trade window: opened (*documented*, name only).
    TW_SESSION_HOSTED = 339,
    /// Trade window: may I come in (*documented*, name only).
    TW_JOIN_REQUEST = 340,
    /// Trade window: come in (*documented*, name only).
    TW_JOIN_SESSION = 341,
    /// Trade window: another offer (*documented*, name only).
    TW_REQUEST_OFFER_CHANGE = 350,
    /// Trade window: the offer changed (*documented*, name only).
    TW_OFFER_CHANGE = 351,
    /// A player's racing history is wanted (*captured*).
    GET_PLAYER_RACING_HISTORY = 361,
    /// A player's racing history (*captured* empty).
    PLAYER_RACING_HISTORY = 362,
    /// The web pages of the game are wanted (*captured*).
    GET_GAME_URLS = 363,
    /// The web pages of the game (*captured*; the name is ours).
    GAME_URLS = 364,
    /// The rules in numbers are wanted (*captured*).
    GET_MCO_TUNABLES = 389,
    /// The rules in numbers (*captured*; the name is ours).
    MCO_TUNABLES = 390,
    /// Invitations to clubs; number and name only (*seen in use*).
    CLUB_GET_INVITATIONS = 391,
    /// Which entry fee wins which purse (*captured*).
    ENTRYFEE_PURSE_INFO = 408,
    /// What the game files of a racer add up to, before the race (*captured*).
    CRC_PRE_RACE_DATA = 434,
    /// The same after the race (*seen in use*).
    CRC_POST_RACE_DATA = 435,
    /// The first message of a connection, in clear (*captured*).
    CLIENT_CONNECT_MSG = 438,
    /// Hardware and screen reports; never answered (*captured*).
    TRACKING_MSG = 440,
    /// A race goes on, every 900 s (*documented*).
    KEEP_RACE_ALIVE = 448,
    /// As [`CRC_PRE_RACE_DATA`], for a test drive (*seen in use*).
    CRC_PRE_RACE_DATA_TEST_DRIVE = 455,
    /// How many advertisements; number and name only (*seen in use*).
    CLASSIFIED_AD_GET_COUNT = 490,
    /// The words a player says about himself (*seen in use*).
    SET_PERSONA_DESCRIPTION = 492,
    /// Reason: these words are not for everybody (*seen in use*).
    FILTHY_TEXT = 493,
    /// The words are stored (*seen in use*; plain [`SUCCESS`] says so too).
    PERSONA_DESCRIPTION_SET = 494,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_number_has_its_own_name_and_the_rest_that_of_its_range() {
        assert_eq!(name(CLIENT_CONNECT_MSG), "CLIENT_CONNECT_MSG");
        assert_eq!(name(MCO_TUNABLES), "MCO_TUNABLES");
        assert_eq!((name(400), name(250), name(1100), name(9)), ("CLUB?", "EVENT?", "SEASON?", "unknown"));
        assert!(NAMED.iter().all(|number| !matches!(name(*number), "unknown" | "CLUB?")));
        assert!(NAMED.is_sorted(), "a number stands twice or out of order");
    }
}
