//! What parts and cars cost and bring.
//!
//! One rule holds all of it together: no sequence of buying, taking apart, fitting, scrapping and trading in makes money. So a
//! part is worth no more on the junkyard than its share of the cheapest car that it comes with costs on a day with a
//! discount, and what a dealer takes off for an old car is shared out over the parts with which it was sold: what is missing
//! counts as nothing.

use super::Catalog;
use super::dealers::DISCOUNT_PERCENT;
use super::facts::Facts;
use super::imported::find;
use super::kinds::CAR;
use mco_proto::ids::BrandedPartId;
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// Dollars for a new part, as far as known: those of the Bel-Air (*documented*).
#[rustfmt::skip]
const KNOWN: &[(u32, u32)] = &[
    (10_001, 138), (10_004, 107), (11_004, 42), (12_009, 176), (12_030, 97), (20_113, 1000), (22_009, 25),
    (31_153, 50), (40_016, 30), (100_002, 36), (110_014, 129), (130_021, 1058), (140_021, 962), (160_006, 1140),
    (180_014, 180), (190_016, 133), (200_002, 54), (230_001, 242), (240_001, 174), (250_026, 174), (280_024, 179),
    (290_003, 37), (300_001, 49), (320_020, 212), (330_052, 175), (340_002, 56), (1_000_123, 831),
    (1_100_001, 444), (1_200_034, 74),
];

/// Dollars for a new part of each kind, for the parts built in whose price is not known: ours, near the known ones. What an
/// assembly costs is for one that comes empty. Kinds that hang on nothing are not sold.
#[rustfmt::skip]
const BY_KIND: &[(u32, u32)] = &[
    (1001, 100), (2001, 150), (4001, 100), (5001, 60), (6001, 50), (10_001, 120), (11_001, 45), (12_001, 140),
    (13_001, 110), (14_001, 130), (15_001, 50), (16_001, 15), (17_001, 250), (18_001, 80), (20_001, 1000), (21_001, 90),
    (22_001, 25), (23_001, 120), (26_001, 70), (29_001, 180), (30_001, 220), (31_001, 50), (32_001, 200), (34_001, 150),
    (35_001, 120), (36_001, 150), (37_001, 40), (40_001, 60), (100_001, 60), (110_001, 130), (120_001, 30),
    (130_001, 1050), (140_001, 950), (150_001, 110), (160_001, 1200), (180_001, 190), (190_001, 140), (200_001, 60),
    (230_001, 240), (240_001, 175), (250_001, 175), (280_001, 180), (290_001, 40), (300_001, 50), (310_001, 25),
    (320_001, 220), (330_001, 180), (340_001, 55), (340_333, 160), (340_666, 60), (350_001, 2500), (350_666, 2500),
    (360_001, 1500), (1_000_001, 850), (1_100_001, 450), (1_200_001, 80),
];

/// No kind of the Client's catalogue has more parts than 300, and their numbers begin at the kind's own (*documented*). Far
/// beyond it are no parts, and a Client must not be shown one that it does not know.
const NUMBERS_PER_KIND: u32 = 999;

/// A part of a used car.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsedPart {
    /// Its kind, as a number of the catalogue.
    pub branded_part: BrandedPartId,
    /// Where on its parent it sits.
    pub attachment_point: u8,
    /// Damage in percent.
    pub damage: u8,
    /// Wear, in the units of [`Catalog::max_wear`].
    pub wear: u32,
}

impl Catalog {
    /// Dollars for a new part: as imported, as known, or ours by its kind. 0 for assemblies, whose price is that of what is
    /// in them. `None`: there is no such part for sale.
    pub fn part_price(&self, part: BrandedPartId) -> Option<u32> {
        self.facts().part_price(part)
    }

    /// Dollars for an assembly that comes empty; `None` for every other part.
    pub fn empty_assembly_price(&self, part: BrandedPartId) -> Option<u32> {
        let facts = self.facts();
        let kind = facts.kind_of(part).filter(|kind| kind.parent == Some(CAR))?.id;
        // Such an assembly is a generic one. Others, engines for instance, are made of parts.
        (part.0 == kind).then(|| by_kind(kind)).flatten()
    }

    /// What repairing a part costs, in dollars; nothing where its price is not known. `damage` in percent.
    pub fn repair_price(&self, part: BrandedPartId, damage: u8) -> u32 {
        self.tunables().repair_price(self.part_price(part).unwrap_or_default(), damage)
    }

    /// What the junkyard pays for a part, in dollars; nothing where its price is not known. `damage` in percent.
    pub fn junk_price(&self, part: BrandedPartId, damage: u8, wear: u32) -> u32 {
        self.tunables().junk_price(self.facts().resale_base(part), damage, wear, self.max_wear(part))
    }

    /// What a dealer takes off the price of a new car for a used one, in dollars: the trade-in share of its list price, as far
    /// as the parts with which the car is sold are there and sound. A part counts by its price; a cheaper one in its place
    /// counts by its own, a dearer one no more than the original; a missing one counts as nothing. 0 for a car that is not
    /// for sale.
    pub fn trade_in_price(&self, model: BrandedPartId, parts: &[UsedPart]) -> u32 {
        /// A part without any fault, in millionths of it.
        const SOUND: u128 = 1_000_000;
        let facts = self.facts();
        let Some(car) = facts.car(model) else { return 0 };
        let slot = |part: BrandedPartId, point| Some((facts.kind_of(part)?.id, point));
        let there: BTreeMap<_, _> = parts
            .iter()
            .filter_map(|part| Some((slot(part.branded_part, part.attachment_point)?, part)))
            .collect();
        let stock = facts.stock_parts(model).unwrap_or_default();
        // Where no price of any part is known, all count alike.
        let priced = stock.iter().any(|part| facts.resale_base(part.branded_part) > 0);
        let weight = |part| if priced { facts.resale_base(part) } else { 1 };
        let (mut present, mut whole) = (0_u128, 0_u128);
        for sold_with in stock {
            let most = weight(sold_with.branded_part);
            whole += SOUND * u128::from(most);
            let slot = slot(sold_with.branded_part, sold_with.attachment_point);
            if let Some(part) = slot.and_then(|slot| there.get(&slot)) {
                let max_wear = self.max_wear(part.branded_part).max(1);
                let unworn = SOUND * u128::from(max_wear.saturating_sub(part.wear)) / u128::from(max_wear);
                let sound = u128::from(100 - part.damage.min(100));
                present += u128::from(weight(part.branded_part).min(most)) * (unworn * sound / 100);
            }
        }
        let worth = u128::from(car.price) * u128::from(self.tunables().trade_in_percent) * present;
        u32::try_from(worth / (100 * whole.max(1))).unwrap_or(u32::MAX)
    }

    /// Whether a car has everything it takes to drive: of each kind with which it is sold a part that is not destroyed. What
    /// is only to be seen does not count. A car that is not for sale counts as
    /// roadworthy as long as anything is in it: nobody knows what belongs there.
    pub fn is_roadworthy(&self, model: BrandedPartId, parts: &[UsedPart]) -> bool {
        const VISIBLE_PARTS: u32 = 6001;
        let facts = self.facts();
        let kind = |part| facts.kind_of(part);
        let sound = parts.iter().filter(|part| part.damage < 100);
        let there: Vec<_> =
            sound.filter_map(|part| Some((kind(part.branded_part)?.id, part.attachment_point))).collect();
        let Some(stock) = facts.stock_parts(model) else { return !there.is_empty() };
        stock.iter().all(|part| {
            kind(part.branded_part).is_none_or(|kind| {
                kind.id == VISIBLE_PARTS
                    || kind.parent == Some(VISIBLE_PARTS)
                    || there.contains(&(kind.id, part.attachment_point))
            })
        })
    }
}

impl Facts {
    /// See [`Catalog::part_price`].
    pub(super) fn part_price(&self, part: BrandedPartId) -> Option<u32> {
        if let Some(imported) = &self.imported {
            return find(&imported.parts, part.0).map(|part| part.price);
        }
        if let Some((_, price)) = KNOWN.iter().find(|(id, _)| *id == part.0) {
            return Some(*price);
        }
        let kind = self.kind_of(part).filter(|kind| part.0 - kind.id <= NUMBERS_PER_KIND)?;
        match kind.parent? {
            CAR => (kind.id == part.0).then_some(0),
            _ => by_kind(kind.id),
        }
    }

    /// What a part counts for when it is sold again, in dollars: its price, but not more than its share of a car that it comes
    /// with.
    fn resale_base(&self, part: BrandedPartId) -> u32 {
        let price = || self.part_price(part).unwrap_or_default();
        self.resale_limits.get(&part).copied().unwrap_or_else(price)
    }

    /// The parts that would bring more on the junkyard than the car costs in which they come, and what they count for instead.
    /// `scrap_percent` is what the junkyard pays.
    pub(super) fn find_resale_limits(&mut self, scrap_percent: u32) {
        let mut limits: BTreeMap<BrandedPartId, u32> = BTreeMap::new();
        for car in &self.cars {
            let parts = self.stock_parts(car.model).unwrap_or_default();
            let priced = parts
                .iter()
                .map(|part| (part.branded_part, self.part_price(part.branded_part).unwrap_or_default()));
            let priced: Vec<_> = priced.filter(|(_, price)| *price > 0).collect();
            let all: u128 = priced.iter().map(|(_, price)| u128::from(*price)).sum();
            // What the car costs at least, and what its parts would bring, both in hundredths of a dollar.
            let cost = u128::from(car.price) * u128::from(100 - DISCOUNT_PERCENT);
            let scrap = all * u128::from(scrap_percent);
            if scrap <= cost {
                continue;
            }
            for (part, price) in priced {
                let share = u32::try_from(u128::from(price) * cost / scrap).unwrap_or(u32::MAX);
                let limit = limits.entry(part).or_insert(share);
                *limit = share.min(*limit);
            }
        }
        self.resale_limits = limits;
    }
}

fn by_kind(kind: u32) -> Option<u32> {
    BY_KIND.iter().find(|(id, _)| *id == kind).map(|(_, price)| *price)
}
