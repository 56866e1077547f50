//! Races: made, joined, started, driven, paid.
//!
//! 235 (left) and 448 (still alive) are [`GenericRequest`](super::GenericRequest)s whose data is the race. Times are
//! ticks of 1/64 s, speeds metres per second.

use crate::bytes::{Bool8, Count as _, Rest};
use crate::ids::{PartId, PersonaId, RaceId, VehicleId};
use crate::text::Chars;
use crate::{Malformed, Reader, TooLong, Wire, Writer, layout};

mod flags;

pub use flags::LobbyFlags;

/// Every race message has room for so many racers (*captured*).
pub const SLOTS: usize = 6;
/// Room for parts in [`InRaceDamage`] (*captured*: 243 bytes whatever the count says).
pub const DAMAGE_SLOTS: usize = 47;
/// The most parts that a report of the damage after a race may name; a car has about 40.
pub const MOST_DAMAGED: usize = 500;

/// The password of a race's room: 8 bytes, of which the last is a NUL here ("Marty" *seen in use*).
pub type Password = Chars<8>;

layout! {
    /// 230, Client to Server, 50 bytes (*documented*, *seen in use*).
    pub struct CreateRace {
        pub lobby: u32,
        /// What each racer pays, in dollars.
        pub entry_fee: u32,
        /// Between clubs.
        pub club_race: Bool8,
        /// Cars are wagered.
        pub pink_slip: Bool8,
        /// Teams race against each other.
        pub team_trial: Bool8,
        /// 0: no sponsor.
        pub sponsor: u32,
        /// 0: none.
        pub least_level: u32,
        /// 0: none.
        pub most_level: u32,
        /// Horse power; 0: no limit.
        pub most_power: u32,
        pub most_racers: u8,
        pub least_racers: u8,
        /// 0: a single race.
        pub rounds: u8,
        pub laps: u8,
        /// The other way round.
        pub backward: Bool8,
        pub mirrored: Bool8,
        /// At night.
        pub night: Bool8,
        /// In the rain.
        pub weather: Bool8,
        /// Cars can be damaged.
        pub damage: Bool8,
        /// With other cars on the road.
        pub traffic: Bool8,
        /// With racers that the host's Client plays.
        pub ai_racers: Bool8,
        /// Drag races: with a head start for the slower car.
        pub handicapped: Bool8,
        /// 0: no limit.
        pub power_class: u32,
        /// 0: no limit.
        pub body_class: u32,
        pub no_nitrous: Bool8,
    }

    /// 223, Server to Client, 30 bytes (*seen in use*; the race's number *captured* coming back).
    pub struct RaceCreated {
        pub race: RaceId,
        /// As accepted, in dollars.
        pub entry_fee: u32,
        /// Dollars by which each player makes the purse grow.
        pub bonus_per_player: u32,
        /// For the host's room.
        pub password: Password,
        /// Any unique number.
        pub history: u32,
        /// Dollars by which the purse grows whoever drives.
        pub bonus_per_race: u32,
    }

    /// 218, Client to Server, 12 bytes (*documented*, *seen in use*).
    pub struct JoinRace {
        /// Its number, read from the data of the room's channel.
        pub race: RaceId,
        /// The car the player sits in.
        pub vehicle: VehicleId,
        /// As the Client computed it.
        pub power_class: u8,
        /// 0.
        pub padding: u8,
    }

    /// 224, Server to Client, 14 bytes (*documented*, *seen in use*).
    pub struct RaceJoined {
        pub race: RaceId,
        /// For the host's room.
        pub password: Password,
    }

    /// 232, Client to Server, 70 bytes (*captured*).
    pub struct StartRace {
        pub race: RaceId,
        /// Who races, in the order the host sees them.
        pub slots: [RacerSlot; SLOTS],
        /// 0: none.
        pub multi_round_limit: u8,
        /// Laps; 0 is the lobby's own or one run from point to point (*captured*).
        pub laps: u8,
        /// How it is driven: [`LobbyFlags`].
        pub lobby_flags: u32,
        /// Head start of the two lanes of a drag race, in ticks of 1/64 s.
        pub dial_in: [u16; 2],
    }

    /// 233, Server to Client, 40 bytes (*documented*, *seen in use*).
    pub struct RaceStarted {
        pub race: RaceId,
        /// 1: go, there are enough racers.
        pub ok_to_start: u32,
        /// As in [`StartRace`].
        pub slots: [StartSlot; SLOTS],
    }

    /// 434, Client to Server, up to several kilobytes (*captured*): sent once track and cars are loaded.
    pub struct CrcPreRaceData {
        /// Of this message; how it is computed is unknown.
        pub checksum: u32,
        pub race: RaceId,
        /// What the racer's game files add up to.
        pub game_files: [u32; 3],
        /// A record for each racer, not understood.
        pub opaque: Rest,
    }

    /// 455, Client to Server: number and name only.
    pub struct CrcPreRaceDataTestDrive {
        /// Not understood.
        pub opaque: Rest,
    }

    /// 435, Client to Server: number and name only.
    pub struct CrcPostRaceData {
        /// Not understood.
        pub opaque: Rest,
    }

    /// 240, Client to Server, 243 bytes (*captured*), now and then while racing.
    pub struct InRaceDamage {
        pub race: RaceId,
        /// How many of the slots mean something; the others hold what they held before (*captured*).
        pub count: u16,
        /// Parts of the racer's car.
        pub parts: [PartId; DAMAGE_SLOTS],
        /// Their damage, 100 is destroyed.
        pub percent: [u8; DAMAGE_SLOTS],
    }

    /// 241, Client to Server (*documented*, *seen in use*): what the race did to the car.
    pub struct PostRaceDamage {
        pub race: RaceId,
        /// Parts of the racer's car.
        pub parts: Damages,
    }

    /// 202, Client to Server: the dents of the player's car. Number and name only.
    pub struct UpdateBodyDamage {
        /// Not understood.
        pub opaque: Rest,
    }

    /// 234, Client to Server, 30 bytes and the travel map (*documented*, *seen in use*).
    pub struct RacerCompleted {
        /// Metres per second. It stands before the race's number, unlike in every other message.
        pub top_speed: u16,
        pub race: RaceId,
        /// The sender, or a racer that the sender's Client plays (*inferred*).
        pub racer: PersonaId,
        /// Ticks of 1/64 s.
        pub time: u32,
        /// Ticks of 1/64 s.
        pub best_lap: u32,
        /// Metres per second.
        pub average_speed: u16,
        /// 0: nothing suspicious. The bits are unknown.
        pub security: u32,
        /// How long the travel map is when unpacked; says nothing about the bytes that follow.
        pub travel_map_length: u32,
        /// Where the car went, packed.
        pub travel_map: Rest,
    }

    /// 237, Server to Client, 262 bytes (*documented*; no capture shows one).
    pub struct FinalResults {
        pub race: RaceId,
        /// The winner first; zeros behind the last.
        pub placements: [Placement; SLOTS],
        /// Drag races: how many rounds are completed.
        pub rounds: u8,
        /// Drag races: bit n is set if the second lane won round n.
        pub round_winners: u16,
        /// See [`FinalResults::AGAIN`] and its neighbours.
        pub flags: u8,
        /// Team trials: dollars.
        pub team_cash: u32,
        /// Team trials: points.
        pub team_points: u32,
        /// Team trials: ticks of 1/64 s.
        pub team_par: u32,
    }
}

layout! {
    /// One slot of [`StartRace`], 9 bytes; all zero if nobody is in it.
    pub struct RacerSlot {
        /// A persona, or the number of a racer that the host's Client plays.
        pub racer: PersonaId,
        pub vehicle: VehicleId,
        /// Whether it is a persona.
        pub human: Bool8,
    }

    /// One slot of [`RaceStarted`], 5 bytes.
    pub struct StartSlot {
        /// As in [`RacerSlot`].
        pub racer: PersonaId,
        /// Whether this racer must not race.
        pub barred: Bool8,
    }

    /// One part of [`PostRaceDamage`], 8 bytes.
    pub struct Damage {
        pub part: PartId,
        /// Damage in percent in the top byte, wear below.
        pub packed: u32,
    }

    /// One racer of [`FinalResults`], 40 bytes.
    pub struct Placement {
        pub racer: PersonaId,
        /// Ticks of 1/64 s; 0: did not finish.
        pub time: u32,
        /// Ticks of 1/64 s.
        pub best_lap: u32,
        /// Metres per second.
        pub top_speed: u16,
        /// Metres per second.
        pub average_speed: u16,
        /// Won or lost in this race.
        pub points: i16,
        /// After the race.
        pub total_points: u16,
        pub points_to_next_level: u16,
        pub points_to_next_rank: u16,
        /// Before the race.
        pub old_level: u8,
        /// Before the race.
        pub old_rank: u8,
        /// A part that was won; 0: none.
        pub prize: PartId,
        /// Dollars.
        pub cash: u32,
        /// After the race.
        pub level: u8,
        /// After the race.
        pub rank: u8,
        /// See [`Placement::WON_CAR`] and its neighbours.
        pub flags: u32,
    }
}

// Arrays of them are read and written whole.
impl Copy for RacerSlot {}
impl Copy for StartSlot {}
impl Copy for Placement {}

impl RacerSlot {
    /// Nobody.
    pub const NOBODY: Self = Self { racer: PersonaId(0), vehicle: VehicleId(0), human: Bool8(false) };

    /// A persona and its car.
    pub const fn human(racer: PersonaId, vehicle: VehicleId) -> Self {
        Self { racer, vehicle, human: Bool8(true) }
    }

    /// A racer that the host's Client plays.
    pub const fn ai(racer: PersonaId) -> Self {
        Self { racer, vehicle: VehicleId(0), human: Bool8(false) }
    }
}

impl Default for RacerSlot {
    fn default() -> Self {
        Self::NOBODY
    }
}

impl Default for StartSlot {
    fn default() -> Self {
        Self { racer: PersonaId(0), barred: Bool8(false) }
    }
}

impl FinalResults {
    /// Flag: the same race may be driven again.
    pub const AGAIN: u8 = 0x01;
    /// Flag: it does not count, because of an error.
    pub const VOID: u8 = 0x02;
    /// Flag: it does not count, because of cheating.
    pub const VOID_CHEATING: u8 = 0x04;
}

impl Placement {
    /// Flag: won a car.
    pub const WON_CAR: u32 = 0x001;
    /// Flag: lost the car.
    pub const LOST_CAR: u32 = 0x002;
    /// Flag: did not come in in time.
    pub const TIMED_OUT: u32 = 0x100;
    /// Flag: cannot have been driven so.
    pub const CHEAT_SUSPECTED: u32 = 0x400;

    /// Nobody.
    pub const NOBODY: Self = Self {
        racer: PersonaId(0),
        time: 0,
        best_lap: 0,
        top_speed: 0,
        average_speed: 0,
        points: 0,
        total_points: 0,
        points_to_next_level: 0,
        points_to_next_rank: 0,
        old_level: 0,
        old_rank: 0,
        prize: PartId(0),
        cash: 0,
        level: 0,
        rank: 0,
        flags: 0,
    };
}

impl Default for Placement {
    fn default() -> Self {
        Self::NOBODY
    }
}

impl CreateRace {
    /// A free race by night that is open to everybody: no fee, no limits but the number of racers, no extras.
    pub const fn open_to_all(lobby: u32, most_racers: u8, laps: u8) -> Self {
        let off = Bool8(false);
        Self {
            lobby,
            entry_fee: 0,
            club_race: off,
            pink_slip: off,
            team_trial: off,
            sponsor: 0,
            least_level: 0,
            most_level: 0,
            most_power: 0,
            most_racers,
            least_racers: 1,
            rounds: 0,
            laps,
            backward: off,
            mirrored: off,
            night: Bool8(true),
            weather: off,
            damage: off,
            traffic: off,
            ai_racers: off,
            handicapped: off,
            power_class: 0,
            body_class: 0,
            no_nitrous: off,
        }
    }
}

impl InRaceDamage {
    /// No damage.
    pub const fn none(race: RaceId) -> Self {
        Self { race, count: 0, parts: [PartId(0); DAMAGE_SLOTS], percent: [0; DAMAGE_SLOTS] }
    }
}

impl Damage {
    /// Of a part: percent, and wear (24 bits).
    pub const fn new(part: PartId, percent: u8, wear: u32) -> Self {
        Self { part, packed: (percent as u32) << 24 | wear & 0xff_ffff }
    }

    /// Damage in percent; what a Client says is at most 100 but need not be.
    pub const fn percent(&self) -> u8 {
        self.packed.to_be_bytes()[0]
    }

    /// Wear in the Client's units.
    pub const fn wear(&self) -> u32 {
        self.packed & 0xff_ffff
    }
}

/// u16 count and that many [`Damage`]s. A body that is shorter holds fewer (*seen in use*: such lists come cut, or padded
/// to a fixed size).
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub struct Damages(Vec<Damage>);

impl Damages {
    /// All of `parts`.
    ///
    /// # Errors
    /// If they are more than [`MOST_DAMAGED`].
    pub fn new(parts: Vec<Damage>) -> Result<Self, TooLong> {
        TooLong::check(parts.len(), MOST_DAMAGED)?;
        Ok(Self(parts))
    }
}

impl std::ops::Deref for Damages {
    type Target = [Damage];
    fn deref(&self) -> &[Damage] {
        &self.0
    }
}

impl Wire for Damages {
    const MOST_BYTES: usize = u16::MOST_BYTES + MOST_DAMAGED * Damage::MOST_BYTES;
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        const EACH: usize = 8;
        let count = usize::from(u16::read(reader)?).min(reader.remaining() / EACH).min(MOST_DAMAGED);
        (0..count).map(|_| Damage::read(reader)).collect::<Result<_, _>>().map(Self)
    }
    fn write(&self, writer: &mut Writer) {
        u16::of(self.0.len()).write(writer);
        for part in &self.0 {
            part.write(writer);
        }
    }
}

#[cfg(test)]
mod tests;
