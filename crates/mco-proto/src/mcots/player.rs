//! What is known of a player, and what a player may change.

use super::session::{Name, Timestamp};
use crate::bytes::{Bool8, PagedList};
use crate::ids::{PersonaId, VehicleId};
use crate::text::Chars;
use crate::{Malformed, Reader, Wire, Writer, layout};

/// The most rows of a racing history that are sent; there are fewer kinds of race.
pub const MOST_HISTORY: usize = 64;

layout! {
    /// 108, Server to Client, 423 bytes: the Client keeps it as its record of the player (size and the places of name and
    /// description *seen in use*, derived from the Client; the rest *captured* or *documented*).
    pub struct PlayerInfo {
        pub player: PersonaId,
        pub name: Name,
        /// Empty.
        pub drivers_licence: Chars<12>,
        /// 0: the sources disagree on the others.
        pub driver_class: u8,
        /// Dollars.
        pub bank_balance: u32,
        pub vehicles: u16,
        /// Whether the player is in the game right now.
        pub is_logged_on: Bool8,
        /// Numbers on the doors.
        pub car_numbers: CarNumbers,
        /// Region << 8 | locale.
        pub plate_code: u16,
        /// Text of the licence plate.
        pub plate_text: Chars<8>,
        /// How car data are shown.
        pub car_info_setting: u32,
        /// The current car; 0 without one.
        pub vehicle: VehicleId,
        pub races_entered: u32,
        pub races_won: u32,
        pub races_completed: u32,
        /// Dollars.
        pub total_winnings: u32,
        /// 0.
        pub insurance_risk: u16,
        /// 0.
        pub insurance_points: u32,
        /// 0.
        pub challenge_races_entered: u32,
        /// 0.
        pub challenge_races_won: u32,
        /// 0.
        pub challenge_races_completed: u32,
        pub cars_won: u16,
        pub cars_lost: u16,
        pub points: u32,
        /// From 1.
        pub current_level: u32,
        /// From 0.
        pub current_rank: u32,
        pub points_to_next_level: u16,
        pub points_to_next_rank: u16,
        /// How many loose parts the garage holds.
        pub max_inventory_slots: u32,
        /// How many loose parts are in it.
        pub inventory_slots_used: u32,
        /// 0.
        pub inventory_on_auction: u32,
        /// Money bound in bids; 0.
        pub highest_bids: u32,
        /// 0: no club.
        pub club: u32,
        /// Zeros.
        pub date_left_club: Timestamp,
        /// 0.
        pub can_be_invited_to_club: Bool8,
        /// What the player says about himself.
        pub description: Chars<257>,
    }

    /// 265, Server to Client (*captured*).
    pub struct PlayerPhysicalInfo {
        pub physical: Physical,
    }

    /// 266, Client to Server (*seen in use*): the same bytes the other way.
    pub struct UpdatePlayerPhysical {
        pub physical: Physical,
    }

    /// 109, Client to Server (*seen in use*): after a persona is made, and from the options screen.
    pub struct SetOptions {
        /// Region << 8 | locale.
        pub plate_code: u16,
        /// Text of the licence plate.
        pub plate_text: Chars<8>,
        /// How car data are shown.
        pub car_info_setting: u32,
        /// Numbers on the doors.
        pub car_numbers: CarNumbers,
    }

    /// 492, Client to Server (*seen in use*).
    pub struct SetPersonaDescription {
        /// What the player says about himself.
        pub description: Chars<256>,
    }

    /// 362, Server to Client (*captured* without records; the records *seen in use*).
    pub struct PlayerRacingHistory {
        pub player: PersonaId,
        /// One row for each kind of race.
        pub races: PagedList<RaceRow, MOST_HISTORY>,
    }

    /// 165, Server to Client. Number *documented*, layout *inferred* from its neighbours.
    pub struct PlayerName {
        pub player: PersonaId,
        pub name: Name,
    }
}

layout! {
    /// The looks of a persona (*captured*). Colours are ARGB.
    pub struct Physical {
        pub player: PersonaId,
        /// Model of the figure.
        pub body_type: u32,
        /// ARGB.
        pub hair_color: u32,
        /// ARGB.
        pub skin_color: u32,
        /// ARGB.
        pub shirt_color: u32,
        /// ARGB.
        pub pants_color: u32,
    }

    /// One row of [`PlayerRacingHistory`], 32 bytes (*seen in use*).
    pub struct RaceRow {
        pub race_type: u32,
        pub entered: u32,
        pub finished: u32,
        pub won: u32,
        pub cars_won: u32,
        pub cars_lost: u32,
        pub championships_won: u32,
        /// Dollars.
        pub cash_won: u32,
    }
}

/// The six numbers that a player paints on doors: two characters and a NUL each (*seen in use*).
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub struct CarNumbers(pub [Chars<3>; 6]);

impl Wire for CarNumbers {
    const MOST_BYTES: usize = 6 * 3;
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut numbers = Self::default();
        for number in &mut numbers.0 {
            *number = Wire::read(reader)?;
        }
        Ok(numbers)
    }
    fn write(&self, writer: &mut Writer) {
        for number in &self.0 {
            number.write(writer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcots::Message;
    use crate::mcots::Number;
    use crate::mcots::message::vector;

    fn dr_brown() -> PlayerInfo {
        PlayerInfo {
            player: PersonaId(21),
            name: Name::constant(b"Dr Brown"),
            drivers_licence: Chars::default(),
            driver_class: 0,
            bank_balance: 50,
            vehicles: 0,
            is_logged_on: Bool8(false),
            car_numbers: CarNumbers::default(),
            plate_code: 0x0120,
            plate_text: Chars::constant(b"MCO 57"),
            car_info_setting: 0,
            vehicle: VehicleId(7),
            races_entered: 0,
            races_won: 0,
            races_completed: 0,
            total_winnings: 0,
            insurance_risk: 0,
            insurance_points: 0,
            challenge_races_entered: 0,
            challenge_races_won: 0,
            challenge_races_completed: 0,
            cars_won: 0,
            cars_lost: 0,
            points: 0,
            current_level: 1,
            current_rank: 0,
            points_to_next_level: 3,
            points_to_next_rank: 0,
            max_inventory_slots: 100,
            inventory_slots_used: 0,
            inventory_on_auction: 0,
            highest_bids: 0,
            club: 0,
            date_left_club: Timestamp::NONE,
            can_be_invited_to_club: Bool8(false),
            description: Chars::constant(b"Drives at 88"),
        }
    }

    #[test]
    fn the_captured_values_of_a_player_stand_where_they_were_captured() {
        let body = dr_brown().body();
        assert_eq!(body.0.len(), 423);
        assert_eq!(
            body.0[..32],
            vector("6c00 15000000 44722042726f776e0000000000 000000000000000000000000 00").0
        );
        assert_eq!(body.0[32..36], [50, 0, 0, 0]);
        assert_eq!(body.0[57..65], *b"\x20\x01MCO 57");
        assert_eq!((body.0[71], body.0[117], body.0[125], body.0[129]), (7, 1, 3, 100));
        assert_eq!(body.0[0xa6..0xa6 + 13], *b"Drives at 88\0");
    }

    #[test]
    fn looks_are_the_captured_ones_in_both_directions() {
        let body = vector("0901 15000000 05000000 0d45acff a5ceffff ffffffff 00d8ffff");
        let info: PlayerPhysicalInfo = body.read().unwrap();
        assert_eq!((info.physical.player, info.physical.body_type), (PersonaId(21), 5));
        assert_eq!((info.physical.hair_color, info.physical.skin_color), (0xffac_450d, 0xffff_cea5));
        assert_eq!((info.physical.shirt_color, info.physical.pants_color), (0xffff_ffff, 0xffff_d800));
        assert_eq!(info.body(), body);
        let update = UpdatePlayerPhysical { physical: info.physical }.body();
        assert_eq!((update.number(), &update.0[2..]), (Some(Number(266)), &body.0[2..]));
    }

    #[test]
    fn options_are_34_bytes_and_a_description_258() {
        let options = SetOptions {
            plate_code: 32,
            plate_text: Chars::constant(b"NY 1957"),
            car_info_setting: 1,
            car_numbers: CarNumbers(["7", "57", "", "", "", "99"].map(|text| Chars::new(text).unwrap())),
        };
        let body = vector("6d00 2000 4e59203139353700 01000000 370000 353700 000000 000000 000000 393900");
        assert_eq!((options.body(), body.0.len()), (body, 34));
        let description = SetPersonaDescription { description: Chars::default() };
        assert_eq!(description.body().0.len(), 258);
    }

    #[test]
    fn an_empty_history_is_9_bytes_and_a_row_adds_32() {
        let mut history = PlayerRacingHistory { player: PersonaId(21), races: PagedList::first_n([]) };
        assert_eq!(history.body(), vector("6a01 15000000 0000 00"));
        history.races = PagedList::first_n([RaceRow {
            race_type: 17,
            entered: 4,
            finished: 3,
            won: 2,
            cars_won: 1,
            cars_lost: 0,
            championships_won: 0,
            cash_won: 1000,
        }]);
        assert_eq!(history.body().0.len(), 9 + 32);
    }
}
