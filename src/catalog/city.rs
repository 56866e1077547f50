//! The lobbies of the city, and its rules in numbers. Those of the original servers are lost; these are ours.

use super::Catalog;
use super::imported::Named;
use mco_proto::ids::BrandedPartId;

/// The kinds of races, with the Client's numbers (*documented*).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum RaceType {
    /// One player tries a car.
    TestDrive = 14,
    /// A race in the streets.
    Street = 16,
    /// A race in laps.
    Circuit = 17,
    /// A race over a quarter mile.
    Drag = 18,
    /// One player against the clock.
    TimeTrial = 19,
    /// Stunts with a borrowed car.
    ArcadeStunt = 23,
    /// Against the clock with a borrowed car.
    ArcadeTimeTrial = 25,
    /// Two players trade; to the Client that is a race too.
    TradeWindow = 26,
}

impl RaceType {
    /// The number in messages.
    pub const fn number(self) -> u32 {
        self as u32
    }
}

/// A lobby: where races of one kind on one track are arranged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lobby {
    /// The number in 324, unique.
    pub id: u32,
    /// The kind of its races.
    pub race_type: RaceType,
    /// Name of its channel on the lobby server, at most 31 characters.
    pub channel: String,
    /// The name that players read, at most 31 characters.
    pub turf: String,
    /// Number of the track in the Client's catalogue.
    pub track: u32,
    /// The most racers of one race.
    pub max_players: u16,
    /// Whether races are at night unless the host decides otherwise.
    pub night: bool,
}

/// The one track whose number is known (*captured*: both recorded lobbies lie there).
const TRACK: u32 = 25;

/// The length of tracks in metres, by name (*documented*: 4.1 and 5.4 miles).
const LENGTHS: &[(&str, u32)] = &[("Hazard Hollow", 6598), ("Goose Pointe", 8690)];

impl Lobby {
    /// The length of its track in metres, if it is known.
    pub fn length(&self) -> Option<u32> {
        LENGTHS.iter().find(|(track, _)| self.turf.starts_with(track)).map(|(_, metres)| *metres)
    }
}

/// The most tracks that get a lobby. How many an owner's catalogue has is not known; the Client's list is for a screen.
const MAX_TRACKS: usize = 32;

/// The two lobbies that a Client was seen to accept; the garage's test drive wants number 2 (*seen in use*). Then one
/// for each other track of the owner's own catalogue (*inferred*: no Client was seen there yet).
pub(super) fn lobbies(tracks: &[Named]) -> Vec<Lobby> {
    const FIRST: u32 = 10_002;
    let lobby = |id, race_type, channel: String, turf: &str, track| Lobby {
        id,
        race_type,
        channel,
        turf: turf.chars().take(31).collect(),
        track,
        max_players: 8,
        night: true,
    };
    let mut lobbies = vec![
        lobby(2, RaceType::TestDrive, "MCC10".to_owned(), "Proving Ground", TRACK),
        lobby(10_001, RaceType::Circuit, "MC100".to_owned(), "Harbor Loop", TRACK),
    ];
    let others = tracks.iter().filter(|track| track.id != 0 && track.id != TRACK && !track.name.is_empty());
    lobbies.extend(
        (FIRST..).zip(others.take(MAX_TRACKS)).map(|(id, track)| {
            lobby(id, RaceType::Circuit, format!("MCT{}", track.id), &track.name, track.id)
        }),
    );
    lobbies
}

/// Cars that arcade lobbies lend out, with the lobby (0: every one; *captured*).
pub(super) const ARCADE_CARS: &[(BrandedPartId, u32)] = &[(BrandedPartId(113), 0)];

/// The rules in numbers. Money in dollars, factors in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tunables {
    /// What founding a club costs.
    pub club_creation_cost: u32,
    /// The level it takes to found a club.
    pub club_creation_level: u32,
    /// The level it takes to be an officer of a club.
    pub club_officer_level: u32,
    /// Loose parts a garage holds, for each level of its owner.
    pub inventory_per_level: u32,
    /// Cars a garage holds, for each level of its owner.
    pub cars_per_level: u32,
    /// The last level of easy street.
    pub max_ez_street_level: u32,
    /// Days until a player who left a club may join another.
    pub club_switch_cooldown: u32,
    /// Cost of a repair, in percent of the price of what is damaged.
    pub repair_percent: u32,
    /// Paid for a scrapped part, in percent of its present worth.
    pub scrap_percent: u32,
    /// Cost of an advertisement of 1 to 7 days, in dollars.
    pub ad_costs: [u32; 7],
    /// Paid for a car, in percent of its present worth.
    pub trade_in_percent: u32,
    /// The highest wager, in dollars.
    pub max_wager: u32,
    /// Salary for each level, in dollars a week.
    pub salary_per_level: u32,
    /// The most members of a club.
    pub club_max_members: u32,
    /// What registering a club costs.
    pub club_registration_cost: u32,
    /// What registering it again costs.
    pub club_re_registration_cost: u32,
    /// Cost of a classified advertisement, in dollars.
    pub classified_ad_rate: u32,
    /// The most days that a classified advertisement may run.
    pub classified_ad_max_duration: u32,
    /// The most characters of a classified advertisement.
    pub classified_ad_max_size: u32,
    /// The most classified advertisements of one player.
    pub classified_ad_max_count: u32,
}

/// Clubs and advertisements do not exist yet; their numbers are only there to be shown.
pub(super) const TUNABLES: Tunables = Tunables {
    club_creation_cost: 5000,
    club_creation_level: 10,
    club_officer_level: 10,
    inventory_per_level: 100,
    cars_per_level: 5,
    max_ez_street_level: 5,
    club_switch_cooldown: 7,
    repair_percent: 100,
    scrap_percent: 50,
    ad_costs: [100, 200, 300, 400, 500, 600, 700],
    trade_in_percent: 50,
    max_wager: 1000,
    salary_per_level: 100,
    club_max_members: 50,
    club_registration_cost: 1000,
    club_re_registration_cost: 500,
    classified_ad_rate: 100,
    classified_ad_max_duration: 7,
    classified_ad_max_size: 100,
    classified_ad_max_count: 5,
};

impl Tunables {
    /// What repairing a part costs whose price when new is `retail`, in dollars, rounded up. `damage` in percent.
    pub fn repair_price(&self, retail: u32, damage: u8) -> u32 {
        let cost = u64::from(retail) * u64::from(damage.min(100)) * u64::from(self.repair_percent);
        u32::try_from(cost.div_ceil(100 * 100)).unwrap_or(u32::MAX)
    }

    /// What the junkyard pays for a part, in dollars, rounded down. `wear` out of `max_wear`.
    pub fn junk_price(&self, retail: u32, damage: u8, wear: u32, max_wear: u32) -> u32 {
        let sound = u64::from(100 - damage.min(100));
        let unworn = u64::from(max_wear.saturating_sub(wear));
        let worth = u64::from(retail) * sound * unworn * u64::from(self.scrap_percent);
        let parts = 100 * 100 * u64::from(max_wear);
        u32::try_from(worth.checked_div(parts).unwrap_or_default()).unwrap_or(u32::MAX)
    }

    /// What a dealer takes off the price of a new car for an old one, in dollars, rounded down: the trade-in share of
    /// `price` (its own when new), times how sound its parts are on average. `parts` are damage in percent, wear, and the
    /// wear at which the part is worn out; a car without parts counts as sound.
    pub fn trade_in_price(&self, price: u32, parts: impl IntoIterator<Item = (u8, u32, u32)>) -> u32 {
        /// A part without any fault.
        const SOUND: u64 = 1_000_000;
        let (mut count, mut sound) = (0_u64, 0_u64);
        for (damage, wear, max_wear) in parts {
            let max_wear = max_wear.max(1);
            let unworn = u64::from(max_wear.saturating_sub(wear)) * SOUND / u64::from(max_wear);
            count += 1;
            sound += unworn * u64::from(100 - damage.min(100)) / 100;
        }
        let (sound, whole) = if count == 0 { (1, 1) } else { (sound, SOUND * count) };
        let worth = u128::from(price) * u128::from(self.trade_in_percent) * u128::from(sound);
        u32::try_from(worth / (100 * u128::from(whole))).unwrap_or(u32::MAX)
    }

    /// What a driver of `level` is paid on a pay day, in dollars.
    pub const fn salary(&self, level: u32) -> u32 {
        self.salary_per_level.saturating_mul(level)
    }

    /// How many cars the garage of a driver of `level` holds.
    pub fn cars_room(&self, level: u32) -> usize {
        room(self.cars_per_level, level)
    }

    /// How many things the inventory of a driver of `level` holds.
    pub fn parts_room(&self, level: u32) -> usize {
        room(self.inventory_per_level, level)
    }
}

/// The lists that show them count in one byte.
fn room(per_level: u32, level: u32) -> usize {
    usize::try_from(per_level.saturating_mul(level))
        .unwrap_or(usize::MAX)
        .min(mco_proto::mcots::garage::MOST_SHORT)
}

/// How many web pages a Client is told of (*captured*). What each of them was is unknown.
const PAGES: u32 = 67;

impl Catalog {
    /// The web pages that the game opens: number, and path on this server's web site. As long as nobody knows what the
    /// Client expects behind which number, they all are one page that is told the number.
    pub fn game_pages(&self) -> impl Iterator<Item = (u32, String)> {
        (0..PAGES).map(|id| (id, format!("urls?id={id}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lobbies_have_numbers_and_channels_of_their_own_that_fit() {
        let tracks: Vec<_> =
            (0..99).map(|id| Named { id, name: format!("{id} {}", "long ".repeat(20)) }).collect();
        let lobbies = lobbies(&tracks);
        assert_eq!(lobbies.len(), 2 + MAX_TRACKS);
        assert!(lobbies.iter().any(|lobby| lobby.id == 2 && lobby.race_type == RaceType::TestDrive));
        assert!(lobbies.is_sorted_by(|a, b| a.id < b.id && a.channel != b.channel));
        assert!(lobbies.iter().all(|lobby| lobby.channel.len() < 32 && lobby.turf.len() < 256));
    }

    #[test]
    fn the_length_of_a_track_is_known_by_its_name() {
        let tracks = ["Goose Pointe", "Nowhere"].map(|name| Named { id: 7, name: name.to_owned() });
        let lengths: Vec<_> = lobbies(&tracks).iter().map(Lobby::length).collect();
        assert_eq!(lengths, [None, None, Some(8690), None]);
    }

    #[test]
    fn a_wreck_costs_its_price_to_repair_and_is_worth_nothing() {
        assert_eq!(TUNABLES.repair_price(1140, 100), 1140);
        assert_eq!(TUNABLES.repair_price(1140, 0), 0);
        assert_eq!(TUNABLES.repair_price(42, 1), 1, "rounded up");
        assert_eq!(TUNABLES.junk_price(1140, 0, 0, 30_000), 570);
        assert_eq!(TUNABLES.junk_price(1140, 50, 15_000, 30_000), 142);
        assert_eq!(TUNABLES.junk_price(1140, 100, 0, 30_000), 0);
        assert_eq!(TUNABLES.junk_price(1140, 0, 90_000, 30_000), 0);
        assert_eq!(TUNABLES.junk_price(u32::MAX, 255, u32::MAX, 0), 0);
        assert_eq!(TUNABLES.repair_price(u32::MAX, 255), u32::MAX);
    }

    #[test]
    fn a_trade_in_brings_its_share_of_what_the_car_is_still_worth() {
        let worth = |parts: &[(u8, u32, u32)]| TUNABLES.trade_in_price(20_000, parts.iter().copied());
        assert_eq!(worth(&[]), 10_000);
        assert_eq!(worth(&[(0, 0, 30_000), (0, 0, 30_000)]), 10_000);
        assert_eq!(worth(&[(100, 0, 30_000), (0, 0, 30_000)]), 5000);
        assert_eq!(worth(&[(50, 15_000, 30_000)]), 2500);
        assert_eq!(worth(&[(0, 1500, 1500), (0, 1500, 30_000)]), 4750, "one of them wears out sooner");
        assert_eq!(worth(&[(255, u32::MAX, 0)]), 0);
        assert_eq!(TUNABLES.trade_in_price(u32::MAX, [(0, 0, u32::MAX); 120]), u32::MAX / 2);
    }

    #[test]
    fn a_salary_grows_with_the_level() {
        assert_eq!([1, 7, u32::MAX].map(|level| TUNABLES.salary(level)), [100, 700, u32::MAX]);
    }

    #[test]
    fn a_garage_grows_with_the_level_as_far_as_lists_can_tell() {
        assert_eq!((TUNABLES.cars_room(1), TUNABLES.cars_room(3)), (5, 15));
        assert_eq!((TUNABLES.parts_room(1), TUNABLES.parts_room(u32::MAX)), (100, 255));
        assert_eq!(TUNABLES.cars_room(0), 0);
    }

    #[test]
    fn there_are_as_many_pages_as_a_client_was_told_of() {
        let pages: Vec<_> = Catalog::builtin().game_pages().collect();
        assert_eq!((pages.len(), pages[66].clone()), (67, (66, "urls?id=66".to_owned())));
    }
}
