//! What the Client fetches once, on its way to the Home screen.

use crate::bytes::{Bool16, PagedList};
use crate::ids::BrandedPartId;
use crate::layout;
use crate::text::Chars;

/// The most lobbies that are sent: more would not fit a packet.
pub const MOST_LOBBIES: usize = 115;
/// The most rows of the purse table.
pub const MOST_PURSES: usize = 100;
/// The most arcade cars that are sent.
pub const MOST_ARCADE_CARS: usize = 500;
/// How many web pages a Client was told of (*captured*), numbered from 0. What each of them was is unknown.
pub const GAME_PAGES: u32 = 67;
/// The most pages that are sent: more would not fit a packet.
pub const MOST_URLS: usize = 126;

layout! {
    /// 325, Server to Client (*captured*): the first answer to 324.
    pub struct Lobbies {
        pub lobbies: PagedList<LobbyInfo, MOST_LOBBIES>,
    }

    /// 408, Server to Client (*captured*): the second answer to 324, with the same sequence.
    pub struct EntryFeePurses {
        pub purses: PagedList<Purse, MOST_PURSES>,
    }

    /// 323, Server to Client (*captured*).
    pub struct ArcadeCars {
        pub cars: PagedList<ArcadeCar, MOST_ARCADE_CARS>,
    }

    /// 364, Server to Client (*captured* with 67 pages).
    pub struct GameUrls {
        pub urls: PagedList<GameUrl, MOST_URLS>,
    }

    /// 390, Server to Client, 118 bytes (*captured*; names *seen in use*).
    pub struct Tunables {
        /// Dollars.
        pub club_creation_cost: u32,
        pub club_creation_level: u32,
        pub club_officer_level: u32,
        /// Loose parts a garage holds, for each level.
        pub inventory_per_level: u32,
        /// Cars a garage holds, for each level.
        pub cars_per_level: u32,
        /// The last level of easy street.
        pub max_ez_street_level: u32,
        /// Days between clubs.
        pub club_switch_cooldown: u32,
        /// Factor on repair prices.
        pub repair_cost_modifier: f64,
        /// Factor on scrap prices.
        pub scrap_value_modifier: f64,
        /// Dollars for an advertisement of 1 to 7 days.
        pub ad_costs: [u32; 7],
        /// Factor on the price of a car that is traded in.
        pub trade_in_modifier: f64,
        /// Dollars.
        pub sim_street_max_wager: u32,
        /// Dollars, for each level.
        pub salary_per_level: u32,
        /// Members.
        pub club_max_members: u32,
        /// Dollars.
        pub club_registration_cost: u32,
        /// Dollars.
        pub club_re_registration_cost: u32,
        /// Dollars.
        pub classified_ad_rate: u32,
        /// Days.
        pub classified_ad_max_duration: u32,
        /// Characters.
        pub classified_ad_max_size: u32,
        /// Advertisements.
        pub classified_ad_max_count: u32,
    }
}

layout! {
    /// A lobby, 569 bytes (*captured* size and values; names *seen in use*).
    pub struct LobbyInfo {
        pub lobby: u32,
        pub race_type: u32,
        /// 0.
        pub turf: u32,
        /// Name of the channel on the lobby server.
        pub name: Chars<32>,
        /// What players read.
        pub turf_name: Chars<256>,
        /// Stem of an art file of the Client; empty.
        pub client_art: Chars<11>,
        /// The track.
        pub element: u32,
        /// 0.
        pub turf_length: u32,
        /// 0: where on the track it starts and ends is left to the Client.
        pub start_slice: u32,
        /// 0.
        pub end_slice: u32,
        /// Drag strip.
        pub drag_stage_left: u32,
        /// Drag strip.
        pub drag_stage_right: u32,
        /// Drag strip.
        pub drag_staging_slice: u32,
        /// 0.
        pub grid_spread_factor: u32,
        /// From one point to another, not in laps.
        pub linear: Bool16,
        pub players: Choice,
        pub laps: Choice,
        pub rounds: Choice,
        /// Rain.
        pub weather: Switch,
        /// Night (*captured*: default on).
        pub night: Switch,
        /// The other way round.
        pub backwards: Switch,
        /// Other cars on the road.
        pub traffic: Switch,
        /// Racers that the Client plays.
        pub driver_ai: Switch,
        /// From 389 on: top dog, turf owner, clubs, time trial, prizes: the sources disagree by two bytes where these fields begin,
        /// so nothing but zeros is sent (a recorded server did set a top dog, 4 bytes in, and nobody saw it shown).
        pub reserved: [u8; 180],
    }

    /// A number that the host of a race may choose.
    pub struct Choice {
        pub least: u16,
        pub most: u16,
        /// What the Client suggests.
        pub default: u16,
        /// Whether there is a choice.
        pub enabled: Bool16,
    }

    /// A switch that the host of a race may turn.
    pub struct Switch {
        /// What the Client suggests.
        pub default: Bool16,
        /// Whether there is a choice.
        pub enabled: Bool16,
    }

    /// One row of [`EntryFeePurses`].
    pub struct Purse {
        /// What each racer pays, in dollars.
        pub entry_fee: u32,
        /// What there is to win, in dollars.
        pub purse: u32,
    }

    /// One car of [`ArcadeCars`].
    pub struct ArcadeCar {
        pub model: BrandedPartId,
        /// The lobby that lends it; 0 is every one (*captured*).
        pub lobby: u32,
    }

    /// One page of [`GameUrls`], 516 bytes.
    pub struct GameUrl {
        pub id: u32,
        pub url: Chars<512>,
    }
}

// Each lobby has several.
impl Copy for Choice {}
impl Copy for Switch {}

impl Choice {
    /// Nothing to choose.
    pub const NONE: Self = Self { least: 0, most: 0, default: 0, enabled: Bool16(false) };

    /// Free between two bounds, both included.
    pub const fn between(least: u16, most: u16, default: u16) -> Self {
        Self { least, most, default, enabled: Bool16(true) }
    }
}

impl Switch {
    /// Off, and nothing to choose.
    pub const OFF: Self = Self { default: Bool16(false), enabled: Bool16(false) };
    /// On, and nothing to choose.
    pub const ON: Self = Self { default: Bool16(true), enabled: Bool16(false) };
    /// Free, and off unless the host says otherwise.
    pub const FREE: Self = Self { default: Bool16(false), enabled: Bool16(true) };
    /// Free, and on unless the host says otherwise.
    pub const FREE_ON: Self = Self { default: Bool16(true), enabled: Bool16(true) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcots::Message;
    use crate::mcots::message::vector;

    fn lobby() -> LobbyInfo {
        LobbyInfo {
            lobby: 10_001,
            race_type: 17,
            turf: 0,
            name: Chars::constant(b"MC100"),
            turf_name: Chars::constant(b"River Loop"),
            client_art: Chars::default(),
            element: 25,
            turf_length: 0,
            start_slice: 0,
            end_slice: 0,
            drag_stage_left: 0,
            drag_stage_right: 0,
            drag_staging_slice: 0,
            grid_spread_factor: 0,
            linear: Bool16(false),
            players: Choice { most: 8, ..Choice::NONE },
            laps: Choice::NONE,
            rounds: Choice::NONE,
            weather: Switch::OFF,
            night: Switch::ON,
            backwards: Switch::OFF,
            traffic: Switch::OFF,
            driver_ai: Switch::OFF,
            reserved: [0; 180],
        }
    }

    #[test]
    fn the_captured_values_of_a_lobby_stand_where_they_were_captured() {
        let body = Lobbies { lobbies: PagedList::first_n([lobby(), lobby()]) }.body();
        assert_eq!(body.0.len(), 1143);
        assert_eq!(body.0[..13], vector("4501 0200 00 11270000 11000000").0);
        let record = &body.0[5 + 569..];
        assert_eq!(record[12..18], *b"MC100\0");
        assert_eq!(record[44..55], *b"River Loop\0");
        assert_eq!((record[311], record[347], record[373]), (25, 8, 1));
    }

    #[test]
    fn purses_are_the_captured_one_and_the_documented_two() {
        let row = |entry_fee, purse| Purse { entry_fee, purse };
        let one = EntryFeePurses { purses: PagedList::first_n([row(100, 1000)]) };
        assert_eq!(one.body(), vector("9801 0100 00 64000000 e8030000"));
        let two = EntryFeePurses { purses: PagedList::first_n([row(100, 1000), row(500, 4000)]) };
        assert_eq!(two.body(), vector("9801 0200 00 64000000 e8030000 f4010000 a00f0000"));
    }

    #[test]
    fn arcade_cars_are_the_captured_one() {
        let cars =
            ArcadeCars { cars: PagedList::first_n([ArcadeCar { model: BrandedPartId(113), lobby: 0 }]) };
        assert_eq!(cars.body(), vector("4301 0100 00 71000000 00000000"));
    }

    #[test]
    fn pages_lie_516_bytes_apart_and_as_many_as_the_list_holds_fit_a_packet() {
        let page = |id| GameUrl { id, url: Chars::constant(b"http://mcos.local/urls?id=0") };
        let body = GameUrls { urls: PagedList::first_n((0..GAME_PAGES).map(page)) }.body();
        assert_eq!(body.0.len(), 34_577);
        assert_eq!(body.0[..9], vector("6c01 4300 00 00000000").0);
        assert_eq!((body.0[521], body.0[1037]), (1, 2));
        let full = GameUrls { urls: PagedList::first_n((0..999).map(page)) }.body();
        assert!(full.0.len() <= crate::mcots::Link::LARGEST_BODY);
        let full = Lobbies { lobbies: PagedList::first_n(std::iter::repeat_n(lobby(), 999)) }.body();
        assert!(full.0.len() <= crate::mcots::Link::LARGEST_BODY);
    }

    #[test]
    fn tunables_are_the_captured_ones() {
        let captured = Tunables {
            club_creation_cost: 150,
            club_creation_level: 1,
            club_officer_level: 1,
            inventory_per_level: 20,
            cars_per_level: 3,
            max_ez_street_level: 5,
            club_switch_cooldown: 1,
            repair_cost_modifier: 3.6,
            scrap_value_modifier: 3.6,
            ad_costs: [1, 2, 3, 4, 5, 6, 7],
            trade_in_modifier: 3.6,
            sim_street_max_wager: 20,
            salary_per_level: 6,
            club_max_members: 4,
            club_registration_cost: 2,
            club_re_registration_cost: 3,
            classified_ad_rate: 10,
            classified_ad_max_duration: 4,
            classified_ad_max_size: 17,
            classified_ad_max_count: 2,
        };
        let body = captured.body();
        assert_eq!(body.0.len(), 118);
        assert_eq!(body.0[..6], vector("8601 96000000").0);
        assert_eq!(body.0[30..38], 3.6_f64.to_le_bytes());
        assert_eq!((body.0[46], body.0[70], body.0[82], body.0[114]), (1, 7, 20, 2));
    }
}
