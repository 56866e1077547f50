//! The record of a persona.

use crate::store::record::{self, Record};
use mco_proto::ids::{CustomerId, PersonaId, ShardId, VehicleId};
use serde::{Deserialize, Serialize};

/// The most types of race in a racing history. The Client knows eight (*seen in use*); twice that leaves room.
pub(in crate::store) const MOST_RACE_TYPES: usize = 16;

/// A persona. Times are seconds since 1970 by the Server's clock, money is in dollars.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Persona {
    /// Its number, never zero.
    pub id: PersonaId,
    /// The account it belongs to.
    pub customer_id: CustomerId,
    /// The shard it plays in.
    pub shard: ShardId,
    /// 1 to 12 characters that the Client can show; no other of the shard looks like it.
    pub name: String,
    /// When it was created.
    pub created: u32,
    /// When it was last chosen for playing; 0: never.
    pub last_login: u32,
    /// How often it was chosen for playing.
    pub logins: u32,
    /// How many seconds it played in all.
    pub seconds_online: u32,
    /// Its money. Only the ledger changes it.
    pub bank_balance: u32,
    /// Whether it has taken its first car.
    pub starter_car_chosen: bool,
    /// The looks of the figure.
    pub physical: Physical,
    /// The licence plate of its cars.
    pub plate: Plate,
    /// What others may see of its cars; a number only the Client understands.
    pub car_info_setting: u32,
    /// The racing numbers on its cars, at most 2 characters each.
    pub car_numbers: [String; 6],
    /// What the player wrote about it, at most 255 characters.
    pub description: String,
    /// The car it drives.
    pub vehicle: Option<VehicleId>,
    /// The class of its licence.
    pub driver_class: u8,
    /// Its level, from 1.
    pub level: u32,
    /// All points it has won; level and rank follow from them.
    pub points: u32,
    /// The rank that the points make, from 0.
    pub rank: u32,
    /// How many races it began.
    pub races_entered: u32,
    /// How many races it won.
    pub races_won: u32,
    /// How many races it finished.
    pub races_completed: u32,
    /// All money it has won.
    pub total_winnings: u32,
    /// The same by type of race, at most 16 of them.
    pub history: Vec<RaceRecord>,
}

/// The looks of a persona's figure. Colours are ARGB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Physical {
    /// The number of one of the Client's figures.
    pub body_type: u32,
    /// Colour of the hair.
    pub hair_color: u32,
    /// Colour of the skin.
    pub skin_color: u32,
    /// Colour of the shirt.
    pub shirt_color: u32,
    /// Colour of the trousers.
    pub pants_color: u32,
}

/// A licence plate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plate {
    /// The number of one of the Client's designs.
    pub code: u16,
    /// At most 7 characters.
    pub text: String,
}

/// The results of a persona in one type of race. Numbers stop growing at 4,294,967,295.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaceRecord {
    /// The Client's number of the type.
    pub race_type: u32,
    /// Races begun.
    pub entered: u32,
    /// Races finished.
    pub finished: u32,
    /// Races won.
    pub won: u32,
    /// Cars won as a wager.
    pub cars_won: u32,
    /// Cars lost as a wager.
    pub cars_lost: u32,
    /// For the field of that name in the Client's record; nothing raises it.
    pub championships_won: u32,
    /// Dollars won.
    pub cash_won: u32,
}

/// A persona with what only the store needs to know.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::store) struct PersonaRecord {
    /// Its place in the order of creation. The clock cannot tell: a board without one starts in the past.
    pub(in crate::store) serial: u32,
    /// How many lines the ledger ever had for it; the next line gets this number. 0: its book is not opened yet.
    pub(in crate::store) lines: u32,
    /// When the city last helped it out, in seconds since 1970; 0: never. The ledger folds its lines, so they cannot tell.
    pub(in crate::store) aided: u32,
    pub(in crate::store) persona: Persona,
}

/// Version 2, from when the time of the last aid was looked up in the ledger.
#[derive(Deserialize)]
struct PersonaRecord2 {
    serial: u32,
    lines: u32,
    persona: Persona,
}

/// Version 1, from before there was a ledger.
#[derive(Deserialize)]
struct PersonaRecord1 {
    serial: u32,
    persona: Persona,
}

impl Record for PersonaRecord {
    const WHAT: &'static str = "persona";
    const VERSION: u8 = 3;

    fn older(version: u8, fields: &[u8]) -> Option<Self> {
        let PersonaRecord2 { serial, lines, persona } = match version {
            1 => {
                let PersonaRecord1 { serial, persona } = record::whole(fields)?;
                PersonaRecord2 { serial, lines: 0, persona }
            }
            2 => record::whole(fields)?,
            _ => return None,
        };
        Some(Self { serial, lines, aided: 0, persona })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::record::{decode, encode};

    fn stored(version: u8, fields: &impl Serialize) -> Vec<u8> {
        let mut buffer = [0; 512];
        [&[version], &*postcard::to_slice(fields, &mut buffer).unwrap()].concat()
    }

    #[test]
    fn a_persona_of_each_version_is_read_with_what_it_had_then() {
        let persona = Persona { name: "Dr Brown".to_owned(), bank_balance: 12, ..Persona::default() };
        let of = |bytes: &[u8]| {
            let PersonaRecord { serial, lines, aided, persona } = decode(bytes).unwrap();
            (serial, lines, aided, persona)
        };
        assert_eq!(of(&stored(1, &(7_u32, &persona))), (7, 0, 0, persona.clone()));
        assert_eq!(of(&stored(2, &(7_u32, 5_u32, &persona))), (7, 5, 0, persona.clone()));
        let now = PersonaRecord { serial: 7, lines: 5, aided: 9, persona: persona.clone() };
        let bytes = encode(&now).unwrap();
        assert_eq!((bytes[0], of(&bytes)), (3, (7, 5, 9, persona)));
    }
}
