//! No sequence of buying, taking apart, fitting, scrapping, repairing and trading in makes money, whatever parts and cars cost.

use super::*;
use crate::catalog::{Imported, sample};
use proptest::prelude::*;

/// What may be done. Each number chooses among what there is.
#[derive(Clone, Copy, Debug)]
enum Deal {
    BuyCar(usize),
    /// Another car for an old one.
    TradeIn(usize, usize),
    BuyPart(usize),
    /// One part comes out of a car, or all of them.
    TakeOut(usize, usize),
    Strip(usize),
    /// One loose part goes into a car, or all that find a free place there.
    Fit(usize, usize),
    Fill(usize),
    Scrap(usize),
    ScrapAll,
    /// A race leaves its marks, and the workshop removes the damage.
    Race(usize, u8, u32),
    Repair(usize),
}

fn deals() -> impl Strategy<Value = Vec<Deal>> {
    let any = any::<usize>;
    let deal = prop_oneof![
        any().prop_map(Deal::BuyCar),
        (any(), any()).prop_map(|(old, new)| Deal::TradeIn(old, new)),
        any().prop_map(Deal::BuyPart),
        (any(), any()).prop_map(|(car, part)| Deal::TakeOut(car, part)),
        any().prop_map(Deal::Strip),
        (any(), any()).prop_map(|(car, part)| Deal::Fit(car, part)),
        any().prop_map(Deal::Fill),
        any().prop_map(Deal::Scrap),
        Just(Deal::ScrapAll),
        (any(), 0..=100_u8, 0..40_000_u32).prop_map(|(car, damage, wear)| Deal::Race(car, damage, wear)),
        any().prop_map(Deal::Repair),
    ];
    prop::collection::vec(deal, 1..60)
}

/// A persona with endless credit, and with luck: whatever it wants is the deal of the day.
struct Trader<'a> {
    catalog: &'a Catalog,
    parts_for_sale: Vec<BrandedPartId>,
    bank: i128,
    cars: Vec<(BrandedPartId, Vec<UsedPart>)>,
    loose: Vec<UsedPart>,
}

fn new_parts(catalog: &Catalog, model: BrandedPartId) -> Vec<UsedPart> {
    let stock = catalog.stock_parts(model).unwrap();
    let new =
        |branded_part, attachment_point| UsedPart { branded_part, attachment_point, damage: 0, wear: 0 };
    stock.iter().map(|part| new(part.branded_part, part.attachment_point)).collect()
}

fn least_price(catalog: &Catalog, model: BrandedPartId) -> u32 {
    let days = u64::try_from(catalog.cars().len()).unwrap();
    (0..days)
        .filter_map(|day| {
            (1..=8)
                .filter_map(|dealer| Some(catalog.offer(mco_proto::ids::DealerId(dealer), model, day)?.price))
                .min()
        })
        .min()
        .unwrap()
}

impl<'a> Trader<'a> {
    fn new(catalog: &'a Catalog) -> Self {
        let parts = catalog
            .cars()
            .into_iter()
            .flat_map(|car| new_parts(catalog, car.model))
            .map(|part| part.branded_part);
        let parts = parts.filter(|part| catalog.part_price(*part).is_some_and(|price| price > 0));
        let parts: std::collections::BTreeSet<_> = parts.collect();
        Self {
            catalog,
            parts_for_sale: parts.into_iter().collect(),
            bank: 0,
            cars: Vec::new(),
            loose: Vec::new(),
        }
    }

    fn slot(&self, part: &UsedPart, point: u8) -> (u32, u8) {
        (self.catalog.kind(part.branded_part).unwrap().id, point)
    }

    fn junk(&self, parts: &[UsedPart]) -> i128 {
        parts
            .iter()
            .map(|part| i128::from(self.catalog.junk_price(part.branded_part, part.damage, part.wear)))
            .sum()
    }

    fn trade_in(&self, car: &(BrandedPartId, Vec<UsedPart>)) -> i128 {
        self.catalog.trade_in_price(car.0, &car.1).into()
    }

    /// What it could have if it sold all: bank, junk, and each car in the better way.
    fn wealth(&self) -> i128 {
        let cars: i128 = self.cars.iter().map(|car| self.trade_in(car).max(self.junk(&car.1))).sum();
        self.bank + self.junk(&self.loose) + cars
    }

    fn buy_car(&mut self, which: usize) {
        let cars = self.catalog.cars();
        let model = cars[which % cars.len()].model;
        self.bank -= i128::from(least_price(self.catalog, model));
        self.cars.push((model, new_parts(self.catalog, model)));
    }

    fn fit(&mut self, car: usize, part: UsedPart) {
        for point in [0, 10, 11] {
            let slot = self.slot(&part, point);
            let belongs = new_parts(self.catalog, self.cars[car].0)
                .iter()
                .any(|other| self.slot(other, other.attachment_point) == slot);
            let taken = self.cars[car].1.iter().any(|other| self.slot(other, other.attachment_point) == slot);
            if belongs && !taken {
                self.cars[car].1.push(UsedPart { attachment_point: point, ..part });
                return;
            }
        }
        self.loose.push(part);
    }

    fn deal(&mut self, deal: Deal) {
        let pick = |which: usize, of: usize| which.checked_rem(of);
        let a_car = |which| pick(which, self.cars.len());
        match deal {
            Deal::BuyCar(which) => self.buy_car(which),
            Deal::TradeIn(old, new) => {
                if let Some(old) = a_car(old) {
                    let old = self.cars.swap_remove(old);
                    self.bank += self.trade_in(&old);
                    self.buy_car(new);
                }
            }
            Deal::BuyPart(which) => {
                let Some(at) = pick(which, self.parts_for_sale.len()) else { return };
                let branded_part = self.parts_for_sale[at];
                self.bank -= i128::from(self.catalog.part_price(branded_part).unwrap());
                self.loose.push(UsedPart { branded_part, attachment_point: 0, damage: 0, wear: 0 });
            }
            Deal::TakeOut(car, part) => {
                if let Some(car) = a_car(car)
                    && let Some(at) = pick(part, self.cars[car].1.len())
                {
                    let part = self.cars[car].1.swap_remove(at);
                    self.loose.push(part);
                }
            }
            Deal::Strip(car) => {
                if let Some(car) = a_car(car) {
                    let mut parts = std::mem::take(&mut self.cars[car].1);
                    self.loose.append(&mut parts);
                }
            }
            Deal::Fit(car, part) => {
                if let Some(car) = a_car(car)
                    && let Some(at) = pick(part, self.loose.len())
                {
                    let part = self.loose.swap_remove(at);
                    self.fit(car, part);
                }
            }
            Deal::Fill(car) => {
                if let Some(car) = a_car(car) {
                    for part in std::mem::take(&mut self.loose) {
                        self.fit(car, part);
                    }
                }
            }
            Deal::Scrap(part) => {
                if let Some(at) = pick(part, self.loose.len()) {
                    let part = self.loose.swap_remove(at);
                    self.bank += self.junk(&[part]);
                }
            }
            Deal::ScrapAll => {
                let all = std::mem::take(&mut self.loose);
                self.bank += self.junk(&all);
            }
            Deal::Race(car, damage, wear) => {
                if let Some(car) = a_car(car) {
                    for part in &mut self.cars[car].1 {
                        part.damage = part.damage.max(damage);
                        part.wear = part.wear.max(wear);
                    }
                }
            }
            Deal::Repair(car) => {
                if let Some(car) = a_car(car) {
                    for part in &mut self.cars[car].1 {
                        self.bank -= i128::from(self.catalog.repair_price(part.branded_part, part.damage));
                        part.damage = 0;
                    }
                }
            }
        }
    }
}

fn nothing_is_gained(catalog: &Catalog, deals: &[Deal]) -> Result<(), TestCaseError> {
    let mut trader = Trader::new(catalog);
    for (at, deal) in deals.iter().enumerate() {
        trader.deal(*deal);
        prop_assert!(
            trader.wealth() <= 0,
            "{} dollars out of nothing by {:?}",
            trader.wealth(),
            &deals[..=at]
        );
    }
    Ok(())
}

/// The sample with these prices instead, one after the other and again from the beginning.
fn priced(prices: &[u32], cars: &[u32]) -> Catalog {
    let mut imported: Imported = sample::catalogue();
    for (part, price) in imported.parts.iter_mut().filter(|part| part.price > 0).zip(prices.iter().cycle()) {
        part.price = *price;
    }
    for (car, price) in imported.vehicles.iter_mut().zip(cars) {
        car.price = *price;
    }
    Catalog::of(imported)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_deals_makes_money_with_the_built_in_catalogue(deals in deals()) {
        nothing_is_gained(&Catalog::builtin(), &deals)?;
    }

    #[test]
    fn no_sequence_of_deals_makes_money_with_an_imported_catalogue_whatever_is_in_it(
        deals in deals(),
        prices in prop::collection::vec(prop_oneof![0..300_u32, 0..60_000_u32, Just(u32::MAX)], 1..70),
        cars in prop::collection::vec(prop_oneof![1..1000_u32, 1001..150_000_u32, Just(u32::MAX)], 2),
    ) {
        nothing_is_gained(&priced(&prices, &cars), &deals)?;
    }
}

#[test]
fn each_car_brings_half_its_price_whole_nothing_as_a_shell_and_never_its_price_in_parts() {
    for catalog in [Catalog::builtin(), Catalog::of(sample::catalogue()), priced(&[60_000], &[2000, 3000])] {
        for car in catalog.cars() {
            let mut parts = new_parts(&catalog, car.model);
            assert_eq!(catalog.trade_in_price(car.model, &parts), car.price / 2, "{car}");
            assert_eq!(catalog.trade_in_price(car.model, &[]), 0, "{car}");
            let junk: u64 =
                parts.iter().map(|part| u64::from(catalog.junk_price(part.branded_part, 0, 0))).sum();
            assert!(0 < junk && junk <= least_price(&catalog, car.model).into(), "{car}: {junk}");
            for part in &mut parts {
                part.damage = 50;
            }
            let half = catalog.trade_in_price(car.model, &parts);
            assert_eq!(half, car.price / 4, "{car}");
        }
    }
    assert_eq!(Catalog::builtin().trade_in_price(BrandedPartId(402), &[]), 0);
}

#[test]
fn a_part_counts_in_its_own_place_and_no_more_than_the_original() {
    const BLOWER: u32 = 350_001;
    let catalog = Catalog::builtin();
    let bel_air = BrandedPartId(113);
    let whole = new_parts(&catalog, bel_air);
    let without = |kind: u32| -> Vec<UsedPart> {
        let of_kind = |part: &UsedPart| catalog.kind(part.branded_part).unwrap().id == kind;
        whole.iter().copied().filter(|part| !of_kind(part)).collect()
    };
    let worth = |parts: &[UsedPart]| catalog.trade_in_price(bel_air, parts);
    let with = |mut parts: Vec<UsedPart>, part| {
        parts.push(UsedPart { branded_part: BrandedPartId(part), attachment_point: 0, damage: 0, wear: 0 });
        parts
    };
    let no_block = worth(&without(160_001));
    assert!(no_block < worth(&whole));
    assert_eq!(worth(&with(without(160_001), BLOWER)), no_block, "no other kind makes up for it");
    assert_eq!(worth(&with(without(160_001), 160_026)), worth(&whole), "a dearer one");
    let cheaper = worth(&with(without(130_001), 130_047));
    assert!((worth(&without(130_001)) + 1..worth(&whole)).contains(&cheaper), "{cheaper}");
}

#[test]
fn every_part_of_a_car_built_in_is_sold_repaired_and_scrapped_for_money() {
    let catalog = Catalog::builtin();
    for car in catalog.cars() {
        for part in new_parts(&catalog, car.model) {
            let part = part.branded_part;
            if catalog.kind(part).unwrap().parent == Some(CAR) {
                assert_eq!(catalog.part_price(part), Some(0), "{car}: {part}");
                assert!(catalog.empty_assembly_price(part).is_some_and(|price| price > 0), "{car}: {part}");
            } else {
                assert!(catalog.part_price(part).is_some_and(|price| price > 0), "{car}: {part}");
                assert!(catalog.repair_price(part, 50) > 0 && catalog.junk_price(part, 0, 0) > 0);
            }
        }
    }
}

#[test]
fn prices_of_ours_are_for_parts_that_there_may_be() {
    let price = |part| Catalog::builtin().part_price(BrandedPartId(part));
    assert_eq!([160_006, 160_026, 110_200, 31_153].map(price), [Some(1140), Some(1200), Some(130), Some(50)]);
    assert_eq!([0, 100, 104, 28_001, 36_002, 1_300_001, 1_202_000, u32::MAX].map(price), [None; 8]);
    let kinds = crate::catalog::kinds::KINDS;
    assert!(BY_KIND.is_sorted_by(|a, b| a.0 < b.0));
    let sold: Vec<_> = kinds.iter().filter(|kind| kind.parent.is_some()).map(|kind| kind.id).collect();
    assert!(BY_KIND.iter().map(|row| row.0).eq(sold), "a price for each kind that is sold");
}

#[test]
fn a_car_is_roadworthy_until_something_is_missing_or_destroyed_that_it_needs() {
    let catalog = Catalog::builtin();
    for car in catalog.cars() {
        let whole = new_parts(&catalog, car.model);
        assert!(catalog.is_roadworthy(car.model, &whole), "{car}");
        assert!(!catalog.is_roadworthy(car.model, &[]), "{car}");
        for at in 0..whole.len() {
            let kind = catalog.kind(whole[at].branded_part).unwrap();
            let seen_only = kind.id == 6001 || kind.parent == Some(6001);
            let mut parts = whole.clone();
            parts[at].damage = 99;
            assert!(catalog.is_roadworthy(car.model, &parts));
            parts[at].damage = 100;
            assert_eq!(catalog.is_roadworthy(car.model, &parts), seen_only, "{car}: {}", kind.name);
            parts.remove(at);
            assert_eq!(catalog.is_roadworthy(car.model, &parts), seen_only, "{car}: {}", kind.name);
        }
    }
}
