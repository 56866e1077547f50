//! The rules of the city in numbers. Those of the original servers are lost; these are ours.

use super::Catalog;
use mco_proto::ids::BrandedPartId;
use mco_proto::mcots::lists::GAME_PAGES;

/// Cars that arcade lobbies lend out, with the lobby (0: every one; *captured*).
pub(super) const ARCADE_CARS: &[(BrandedPartId, u32)] = &[(BrandedPartId(113), 0)];

/// The rules in numbers. Money in dollars, factors in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tunables {
    /// What founding a club costs (*documented*).
    pub club_creation_cost: u32,
    /// The level it takes to found a club.
    pub club_creation_level: u32,
    /// The level it takes to be an officer of a club.
    pub club_officer_level: u32,
    /// Loose things an inventory holds (*documented*).
    pub inventory: u32,
    /// The same for a driver of [`Self::large_inventory_level`] and above (*documented*).
    pub large_inventory: u32,
    /// The level from which an inventory holds more (*documented*).
    pub large_inventory_level: u32,
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
    /// Salary for each level, in dollars a week (*documented*).
    pub salary_per_level: u32,
    /// The most members of a club.
    pub club_max_members: u32,
    /// What registering a club costs (*documented*).
    pub club_registration_cost: u32,
    /// What registering it again costs (*documented*).
    pub club_re_registration_cost: u32,
    /// Cost of one letter of a classified advertisement for a day, in hundredths of a dollar.
    pub classified_ad_rate: u32,
    /// The most days that a classified advertisement may run.
    pub classified_ad_max_duration: u32,
    /// The most characters of a classified advertisement.
    pub classified_ad_max_size: u32,
    /// The most classified advertisements of one player.
    pub classified_ad_max_count: u32,
}

/// *Documented* are the numbers that the
/// publisher told its players (updates 5 and 6.1 of 2002); the others are ours.
pub(super) const TUNABLES: Tunables = Tunables {
    club_creation_cost: 5000,
    club_creation_level: 10,
    club_officer_level: 10,
    inventory: 1000,
    large_inventory: 1200,
    large_inventory_level: 30,
    cars_per_level: 5,
    max_ez_street_level: 5,
    club_switch_cooldown: 7,
    repair_percent: 100,
    scrap_percent: 50,
    ad_costs: [100, 200, 300, 400, 500, 600, 700],
    trade_in_percent: 50,
    max_wager: 1000,
    salary_per_level: 1000,
    club_max_members: 50,
    club_registration_cost: 500_000,
    club_re_registration_cost: 50_000,
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

    /// What a classified advertisement of so many letters costs that runs so many days, in dollars, rounded up. The publisher told its
    /// players that letters and days are paid and that both have a bound (*documented*), but not how much: this is ours, and a
    /// whole advertisement costs what [`Self::ad_costs`] says of its days. `None`: there are no such advertisements.
    pub fn ad_price(&self, letters: usize, days: u32) -> Option<u32> {
        let letters =
            u32::try_from(letters).ok().filter(|letters| *letters <= self.classified_ad_max_size)?;
        let most = self.ad_costs.get(usize::try_from(days).ok()?.checked_sub(1)?)?;
        (days <= self.classified_ad_max_duration)
            .then(|| (letters * days * self.classified_ad_rate).div_ceil(100).min(*most))
    }

    /// What a driver of `level` is paid on a pay day, in dollars.
    pub const fn salary(&self, level: u32) -> u32 {
        self.salary_per_level.saturating_mul(level)
    }

    /// How many cars the garage of a driver of `level` holds: no more than the one list can tell in which a Client hears of them.
    pub fn cars_room(&self, level: u32) -> usize {
        let room = self.cars_per_level.saturating_mul(level);
        usize::try_from(room).unwrap_or(usize::MAX).min(mco_proto::mcots::garage::MOST_SHORT)
    }

    /// How many things the inventory of a driver of `level` holds.
    pub fn parts_room(&self, level: u32) -> usize {
        let room = if level < self.large_inventory_level { self.inventory } else { self.large_inventory };
        usize::try_from(room).unwrap_or(usize::MAX)
    }
}

impl Catalog {
    /// The web pages that the game opens: number, and path on this server's web site. As long as nobody knows what the
    /// Client expects behind which number, they all are one page that is told the number.
    pub fn game_pages(&self) -> impl Iterator<Item = (u32, String)> {
        (0..GAME_PAGES).map(|id| (id, format!("urls?id={id}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn an_advertisement_is_paid_by_letters_and_days_and_both_have_a_bound() {
        let price = |letters, days| TUNABLES.ad_price(letters, days);
        assert_eq!([price(0, 1), price(1, 1), price(40, 3), price(100, 7)], [0, 1, 120, 700].map(Some));
        assert_eq!([price(101, 1), price(1, 0), price(1, 8), price(usize::MAX, u32::MAX)], [None; 4]);
        assert_eq!(price(100, 7), Some(TUNABLES.ad_costs[6]), "a whole one");
    }

    #[test]
    fn a_salary_grows_with_the_level() {
        assert_eq!([1, 7, u32::MAX].map(|level| TUNABLES.salary(level)), [1000, 7000, u32::MAX]);
    }

    #[test]
    fn a_garage_grows_with_the_level_as_far_as_its_list_can_tell_and_an_inventory_once() {
        assert_eq!([0, 1, 3, u32::MAX].map(|level| TUNABLES.cars_room(level)), [0, 5, 15, 255]);
        assert_eq!(
            [0, 1, 29, 30, u32::MAX].map(|level| TUNABLES.parts_room(level)),
            [1000, 1000, 1000, 1200, 1200]
        );
    }

    #[test]
    fn there_are_as_many_pages_as_a_client_was_told_of() {
        let pages: Vec<_> = Catalog::builtin().game_pages().collect();
        assert_eq!((pages.len(), pages[66].clone()), (67, (66, "urls?id=66".to_owned())));
    }
}
