//! The table of the messages of MCOTS: number, name, and the struct of the body for each direction; and the reason codes that
//! share their number space.
//!
//! Routing goes by number; names serve logs and documents. A request can be read only as the struct that stands in its row
//! ([`Body::request`](super::Body::request)).

use super::generic::{GenericReply, GenericRequest};
use super::message::{FromClient, Message, Number, Request};
use super::{garage, lists, player, race, session};
use crate::bytes::Rest;
use crate::table::{self, Layout, Sender};
use std::fmt;

impl Number {
    /// The community's name of it, for logs.
    pub const fn name(self) -> &'static str {
        name(self)
    }
}

/// `142 (PURCHASE_STOCK_CAR)`.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0, self.name())
    }
}

/// One row of [`TABLE`].
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The number.
    pub number: Number,
    /// The community's name of it.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Its bodies, behind the number. Without one in a direction the body is not known.
    pub layouts: &'static [Layout],
}

macro_rules! table {
    ($($(#[doc = $doc:literal])+ $number:literal $name:ident { $($side:ident $type:ty),* })+) => {
        $($(#[doc = $doc])+ pub const $name: Number = Number($number);)+

        /// All messages and reason codes that are known, by number.
        pub const TABLE: &[Row] = &[$(Row {
            number: $name,
            name: stringify!($name),
            about: concat!($($doc),+),
            layouts: &[$(table::little::<$type>(table!(@sender $side), stringify!($type))),*],
        }),+];

        /// The community's name of a number, or of the range in which it lies.
        const fn name(number: Number) -> &'static str {
            match number.0 {
                $($number => stringify!($name),)+
                243..=276 => "EVENT?",
                311..=313 => "BADGE?",
                365..=477 => "CLUB?",
                478..=494 => "CLASSIFIED_AD?",
                1080..=1127 => "SEASON?",
                _ => "unknown",
            }
        }

        $($(table! { @impl $side $number $name $type })*)+

        #[cfg(test)]
        mod round_trips {
            use super::*;
            use crate::mcots::message::survives;

            #[test]
            fn every_message_survives_being_written_and_read() {
                $($(table! { @test $side $type })*)+
            }
        }
    };
    (@sender server) => { Sender::Server };
    (@sender shared_reply) => { Sender::Server };
    (@sender $client:ident) => { Sender::Client };
    (@impl client $number:literal $name:ident $type:ty) => {
        table! { @impl server $number $name $type }
        table! { @impl shared $number $name $type }
    };
    (@impl shared $number:literal $name:ident $type:ty) => {
        impl Request for FromClient<$number> {
            type Body = $type;
        }
    };
    (@impl shared_reply $number:literal $name:ident $type:ty) => {};
    (@impl server $number:literal $name:ident $type:ty) => {
        impl Message for $type {
            const NUMBER: Number = $name;
        }
    };
    (@test shared $type:ty) => {};
    (@test shared_reply $type:ty) => {};
    (@test $side:ident $type:ty) => { survives::<$type>(); };
}

// Before each body stands who sends it; `shared` (from the Client) and `shared_reply` are structs that other numbers use too.
table! {
    /// Done (*captured*).
    101 SUCCESS { shared_reply GenericReply }
    /// Refused (*documented*; never captured).
    102 FAILED { shared_reply GenericReply }
    /// Done, and the answer carries a value (*seen in use*).
    103 GENERIC_REPLY { shared_reply GenericReply }
    /// A persona signs in (*captured*).
    105 LOGIN { client session::Login }
    /// The Client is about to leave (*captured*).
    106 LOGOUT { shared GenericRequest }
    /// What is known of a player, and the answer to it (*captured*: both carry this number).
    108 GET_PLAYER_INFO { shared GenericRequest, server player::PlayerInfo }
    /// Licence plate, car numbers, display of car data (*seen in use*).
    109 SET_OPTIONS { client player::SetOptions }
    /// The number the community's documents give the answer to 108; the Client accepts 108 (*captured*).
    122 PLAYER_INFO {}
    /// A car with all its parts (*captured*).
    123 VEHICLE_INFO { server garage::VehicleInfo }
    /// Reason: not enough money (*documented*).
    133 INSUFFICIENT_FUNDS {}
    /// What a dealer has on offer, and the answer to it (*seen in use*).
    141 STOCK_CAR_INFO { shared GenericRequest, server garage::StockCarInfo }
    /// Buys a car (*seen in use*).
    142 PURCHASE_STOCK_CAR { client garage::PurchaseStockCar }
    /// A car with all its parts is wanted (*captured*).
    145 GET_COMPLETE_VEHICLE_INFO { shared GenericRequest }
    /// The cars of several players; number and name only (*documented*).
    161 GET_PLAYERS_VEHICLES {}
    /// A car changed, says the Client; wants no answer (*seen in use*).
    163 UPDATE_CACHED_VEHICLE { shared Rest }
    /// A player's name is wanted (*documented*).
    164 GET_PLAYER_NAME { shared GenericRequest }
    /// A player's name (*documented*).
    165 PLAYER_NAME { server player::PlayerName }
    /// The cars of a player are wanted (*captured*).
    172 GET_OWNED_VEHICLES { shared GenericRequest }
    /// The cars of a player (*captured*).
    173 OWNED_VEHICLES_LIST { server garage::OwnedVehicles }
    /// The loose parts of the asker are wanted (*captured*).
    174 GET_OWNED_PARTS { shared GenericRequest }
    /// The loose parts of a player (*captured* empty).
    175 OWNED_PARTS_LIST { server garage::OwnedParts }
    /// Buys a part (*seen in use*).
    176 BUY_NEW_PART { shared GenericRequest }
    /// Repairs one part (*seen in use*).
    177 REPAIR_SINGLE_PART { shared GenericRequest }
    /// Repairs all parts of a car (*seen in use*).
    178 REPAIR_MULTIPLE_PARTS { client garage::RepairMultipleParts }
    /// Puts a part into a car (*seen in use*).
    181 INSTALL_PART { client garage::InstallPart }
    /// Takes a part off a car (*seen in use*).
    182 REMOVE_PART { shared GenericRequest }
    /// The parts of a car or assembly are wanted (*seen in use*).
    183 GET_ASSEMBLY_PARTS { shared GenericRequest }
    /// The parts of a car or assembly (*seen in use*).
    184 ASSEMBLY_PARTS { server garage::AssemblyParts }
    /// Reason: this car's class may not race here (*documented*).
    189 INVALID_CAR_CLASS {}
    /// Reason: this driver's class may not race here (*documented*).
    190 INVALID_DRIVER_CLASS {}
    /// Reason: no such car, or not the player's (*documented*).
    191 INVALID_VEHICLE {}
    /// The dents of the player's car (*seen in use*).
    202 UPDATE_BODY_DAMAGE { client race::UpdateBodyDamage }
    /// Answer to [`LOGIN`] (*captured*).
    213 LOGIN_COMPLETE { server session::LoginComplete }
    /// Throws a part away (*seen in use*).
    214 DESTROY_PART { shared GenericRequest }
    /// The dents of a car are wanted; a constant without a handler (*seen in use*).
    215 GET_BODY_DAMAGE_INFO {}
    /// Joins a race (*documented*).
    218 RACE_JOIN { client race::JoinRace }
    /// A race was made (*documented*).
    223 RACE_CREATE_OK { server race::RaceCreated }
    /// A race was joined (*documented*).
    224 RACE_JOIN_OK { server race::RaceJoined }
    /// Makes a race (*documented*).
    230 CREATE_STANDARD_RACE { client race::CreateRace }
    /// Reason: no such race (*documented*).
    231 INVALID_RACE_ID {}
    /// The host starts the race (*captured*).
    232 RACE_START { client race::StartRace }
    /// The race is on (*documented*).
    233 RACE_STARTED { server race::RaceStarted }
    /// A racer finished (*documented*).
    234 RACER_COMPLETED_RACE { client race::RacerCompleted }
    /// A racer gave up (*documented*).
    235 RACER_LEFT_RACE { shared GenericRequest }
    /// Reason: not in that race (*documented*).
    236 PERSONA_NOT_IN_RACE {}
    /// Who won what (*documented*).
    237 RACE_FINAL_RESULTS { server race::FinalResults }
    /// Reason: the race is full (*documented*).
    238 TOO_MANY_PLAYERS {}
    /// Reason: reported twice (*documented*).
    239 RACE_TIME_ALREADY_RECEIVED {}
    /// Damage while racing (*captured*).
    240 IN_RACE_DAMAGE_UPDATE { client race::InRaceDamage }
    /// Damage after the race (*documented*).
    241 REPORT_POST_RACE_DAMAGE { client race::PostRaceDamage }
    /// The looks of a player are wanted (*captured*).
    264 GET_PLAYER_PHYSICAL { shared GenericRequest }
    /// The looks of a player (*captured*).
    265 PLAYER_PHYSICAL_INFO { server player::PlayerPhysicalInfo }
    /// New looks (*seen in use*).
    266 UPDATE_PLAYER_PHYSICAL { client player::UpdatePlayerPhysical }
    /// Deletes the persona (*seen in use*).
    320 DELETE_PERSONA { shared GenericRequest }
    /// The cars lent out in arcade lobbies are wanted (*captured*).
    322 GET_ARCADE_CARS { shared GenericRequest }
    /// The cars lent out in arcade lobbies (*captured*; the name is ours).
    323 ARCADE_CARS { server lists::ArcadeCars }
    /// The lobbies are wanted; answered by two messages (*captured*).
    324 GET_LOBBIES { shared GenericRequest }
    /// The lobbies (*captured*).
    325 LOBBIES { server lists::Lobbies }
    /// Trade window: opens one (*documented*, name only).
    338 TW_HOST_SESSION {}
    /// Trade window: opened (*documented*, name only).
    339 TW_SESSION_HOSTED {}
    /// Trade window: may I come in (*documented*, name only).
    340 TW_JOIN_REQUEST {}
    /// Trade window: come in (*documented*, name only).
    341 TW_JOIN_SESSION {}
    /// Trade window: another offer (*documented*, name only).
    350 TW_REQUEST_OFFER_CHANGE {}
    /// Trade window: the offer changed (*documented*, name only).
    351 TW_OFFER_CHANGE {}
    /// A player's racing history is wanted (*captured*).
    361 GET_PLAYER_RACING_HISTORY { shared GenericRequest }
    /// A player's racing history (*captured* empty).
    362 PLAYER_RACING_HISTORY { server player::PlayerRacingHistory }
    /// The web pages of the game are wanted (*captured*).
    363 GET_GAME_URLS { shared GenericRequest }
    /// The web pages of the game (*captured*; the name is ours).
    364 GAME_URLS { server lists::GameUrls }
    /// The rules in numbers are wanted (*captured*).
    389 GET_MCO_TUNABLES { shared GenericRequest }
    /// The rules in numbers (*captured*; the name is ours).
    390 MCO_TUNABLES { server lists::Tunables }
    /// Invitations to clubs; number and name only (*seen in use*).
    391 CLUB_GET_INVITATIONS {}
    /// Which entry fee wins which purse (*captured*).
    408 ENTRYFEE_PURSE_INFO { server lists::EntryFeePurses }
    /// What the game files of a racer add up to, before the race (*captured*).
    434 CRC_PRE_RACE_DATA { client race::CrcPreRaceData }
    /// The same after the race (*seen in use*).
    435 CRC_POST_RACE_DATA { client race::CrcPostRaceData }
    /// The first message of a connection, in clear (*captured*).
    438 CLIENT_CONNECT_MSG { client session::ClientConnect }
    /// Hardware and screen reports; never answered (*captured*).
    440 TRACKING_MSG { client session::Tracking }
    /// A race goes on, every 900 s (*documented*).
    448 KEEP_RACE_ALIVE { shared GenericRequest }
    /// As [`CRC_PRE_RACE_DATA`], for a test drive (*seen in use*).
    455 CRC_PRE_RACE_DATA_TEST_DRIVE { client race::CrcPreRaceDataTestDrive }
    /// How many advertisements; number and name only (*seen in use*).
    490 CLASSIFIED_AD_GET_COUNT { shared Rest }
    /// The words a player says about himself (*seen in use*).
    492 SET_PERSONA_DESCRIPTION { client player::SetPersonaDescription }
    /// Reason: these words are not for everybody (*seen in use*).
    493 FILTHY_TEXT {}
    /// The words are stored (*seen in use*; plain [`SUCCESS`] says so too).
    494 PERSONA_DESCRIPTION_SET {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_number_has_its_own_name_and_the_rest_that_of_its_range() {
        assert_eq!(CLIENT_CONNECT_MSG.name(), "CLIENT_CONNECT_MSG");
        assert_eq!(MCO_TUNABLES.name(), "MCO_TUNABLES");
        assert_eq!(
            [400, 250, 1100, 9].map(|number| Number(number).name()),
            ["CLUB?", "EVENT?", "SEASON?", "unknown"]
        );
        assert!(TABLE.iter().all(|row| row.name == row.number.name()));
        assert!(TABLE.is_sorted_by(|a, b| a.number < b.number), "a number stands twice or out of order");
    }
}
