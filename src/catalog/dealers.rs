//! Who sells what, and what is cheaper today.

use super::Catalog;
use super::cars::{Brand, Car, CarClass};
use mco_proto::ids::{BrandedPartId, DealerId, PersonaId};
use std::sync::Arc;

/// A persona that nobody plays. The Client's own catalogue knows these numbers; the names are ours, short enough for a
/// persona's name field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemPersona {
    /// Its number, below 15.
    pub id: PersonaId,
    /// At most 12 characters.
    pub name: &'static str,
}

const fn system(id: u32, name: &'static str) -> SystemPersona {
    SystemPersona { id: PersonaId(id), name }
}

/// All of them. Which of them sell new cars by maker, which by class of car, and what the others do is read from the
/// names the original had for them (*inferred*).
pub(super) const SYSTEM_PERSONAS: &[SystemPersona] = &[
    system(0, "Nobody"),
    system(1, "Muscle Lot"),
    system(2, "Parts Shop"),
    system(3, "Fender Lot"),
    system(4, "Wheel Shop"),
    system(5, "Chrysler Lot"),
    system(6, "Ford Lot"),
    system(7, "Shoebox Lot"),
    system(8, "GM Lot"),
    system(9, "Junkyard"),
    system(10, "Paint Shop"),
    system(11, "Race Control"),
    system(12, "City News"),
    system(13, "Escrow"),
    system(14, "Auctions"),
];

/// Up to this price a car is a starter car: the dealer whom a new persona asks (8: *seen in use*) has it on offer,
/// whoever built it.
const STARTER_PRICE: u32 = 20_500;

/// The discount, in percent: a fifth off. Each dealer has one such deal a day (UTC), and goes through its whole list.
pub(super) const DISCOUNT_PERCENT: u32 = 20;

/// A car that a dealer sells on a certain day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What is for sale.
    pub car: Arc<Car>,
    /// Price in dollars, with the discount of the day taken off.
    pub price: u32,
    /// Whether it is the deal of the day.
    pub deal_of_the_day: bool,
}

/// Whether `dealer` sells `car`.
fn sells(dealer: DealerId, car: &Car) -> bool {
    match dealer.0 {
        1 => matches!(car.class, CarClass::Muscle),
        3 => matches!(car.class, CarClass::FatFender),
        5 => [Brand::DODGE, Brand::PLYMOUTH].contains(&car.brand),
        6 => [Brand::FORD, Brand::MERCURY, Brand::SHELBY].contains(&car.brand),
        7 => matches!(car.class, CarClass::Shoebox),
        8 => {
            car.price <= STARTER_PRICE
                || [Brand::CHEVROLET, Brand::CADILLAC, Brand::OLDSMOBILE, Brand::BUICK, Brand::PONTIAC]
                    .contains(&car.brand)
        }
        _ => false,
    }
}

impl Catalog {
    /// The name of a persona that nobody plays.
    pub fn system_persona(&self, id: PersonaId) -> Option<&'static SystemPersona> {
        SYSTEM_PERSONAS.iter().find(|persona| persona.id == id)
    }

    /// All personas that nobody plays.
    pub const fn system_personas(&self) -> &'static [SystemPersona] {
        SYSTEM_PERSONAS
    }

    /// What `dealer` has on offer on `day` (days since 1970, UTC), by number. `brand` narrows it down to one maker; 0
    /// and numbers of nobody do not (*seen in use*: an older Client asked with a number that is no maker's).
    pub fn offers(&self, dealer: DealerId, brand: u32, day: u64) -> Vec<Offer> {
        let narrow = self.cars().iter().any(|car| car.brand.number() == brand);
        let mut offers = self.all_offers(dealer, day);
        offers.retain(|offer| !narrow || offer.car.brand.number() == brand);
        offers
    }

    /// One car of [`Self::offers`].
    pub fn offer(&self, dealer: DealerId, model: BrandedPartId, day: u64) -> Option<Offer> {
        self.all_offers(dealer, day).into_iter().find(|offer| offer.car.model == model)
    }

    /// The first offer of `model` at any dealer's.
    pub fn offer_anywhere(&self, model: BrandedPartId, day: u64) -> Option<Offer> {
        SYSTEM_PERSONAS.iter().find_map(|persona| self.offer(DealerId(persona.id.0), model, day))
    }

    /// The list price in dollars of the cheapest car for sale: on no day does it cost more. `None`: none is for sale.
    pub fn lowest_price(&self) -> Option<u32> {
        self.cars().iter().map(|car| car.price).min()
    }

    fn all_offers(&self, dealer: DealerId, day: u64) -> Vec<Offer> {
        let mut cars = self.cars();
        cars.retain(|car| sells(dealer, car));
        let deal = usize::try_from(day).ok().and_then(|day| day.checked_rem(cars.len()));
        let offers = cars.into_iter().enumerate().map(|(at, car)| {
            let deal_of_the_day = deal == Some(at);
            let off =
                if deal_of_the_day { u64::from(car.price) * u64::from(DISCOUNT_PERCENT) / 100 } else { 0 };
            let price = car.price.saturating_sub(u32::try_from(off).unwrap_or_default());
            Offer { car, price, deal_of_the_day }
        });
        offers.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use std::collections::BTreeSet;

    fn dealers() -> impl Iterator<Item = u32> {
        0..=14
    }

    fn models(dealer: u32, brand: u32) -> BTreeSet<u32> {
        let offers = Catalog::builtin().offers(DealerId(dealer), brand, 0);
        offers.iter().map(|offer| offer.car.model.0).collect()
    }

    #[test]
    fn every_car_is_on_offer_somewhere_and_fits_one_list() {
        let all: BTreeSet<u32> = dealers().flat_map(|dealer| models(dealer, 0)).collect();
        assert_eq!(all.len(), 82);
        assert!(dealers().all(|dealer| models(dealer, 0).len() <= mco_proto::mcots::garage::MOST_STOCK));
    }

    #[test]
    fn the_dealer_of_new_personas_has_the_starter_cars_of_every_maker() {
        let starters = models(8, 0);
        assert!([101, 104, 113, 356, 357].iter().all(|model| starters.contains(model)));
        assert!(models(6, 0).contains(&104) && !models(5, 0).contains(&104));
    }

    #[test]
    fn a_maker_narrows_the_list_down_and_nobody_does_not() {
        assert!(models(8, 3).contains(&113) && !models(8, 3).contains(&104));
        assert_eq!(models(8, 105), models(8, 0));
        assert!(models(8, 10).is_empty(), "a maker this dealer does not have");
        assert!(models(9, 0).is_empty() && models(4711, 0).is_empty());
    }

    #[test]
    fn each_dealer_has_one_deal_a_day_and_every_car_gets_its_turn() {
        let catalog = Catalog::builtin();
        let deals: BTreeSet<u32> = (20_000..20_200)
            .map(|day| {
                let offers = catalog.offers(DealerId(8), 0, day);
                let deals: Vec<_> = offers.iter().filter(|offer| offer.deal_of_the_day).collect();
                assert_eq!(deals.len(), 1);
                assert_eq!(deals[0].price, deals[0].car.price - deals[0].car.price / 5);
                assert!(offers.iter().all(|offer| offer.deal_of_the_day || offer.price == offer.car.price));
                assert_eq!(catalog.offer(DealerId(8), deals[0].car.model, day).as_ref(), Some(deals[0]));
                deals[0].car.model.0
            })
            .collect();
        assert_eq!(deals, models(8, 0));
    }

    #[test]
    fn what_a_new_persona_has_buys_a_car_on_any_day() {
        let cash = Config::default().game.starter_cash;
        for day in 0..100 {
            let offers = Catalog::builtin().offers(DealerId(8), 0, day);
            assert!(offers.iter().any(|offer| offer.price <= cash), "on day {day}");
        }
    }

    #[test]
    fn the_personas_that_nobody_plays_have_names_that_fit() {
        for (at, persona) in SYSTEM_PERSONAS.iter().enumerate() {
            assert_eq!(persona.id.0, u32::try_from(at).unwrap());
            assert!((1..=12).contains(&persona.name.len()));
        }
        assert!(Catalog::builtin().system_persona(PersonaId(15)).is_none());
    }
}
