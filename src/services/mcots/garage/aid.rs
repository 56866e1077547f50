//! A way back: nobody is left without a car and without the money for one.
//!
//! Who has no car that can drive, nor would with a loose part fitted, and could not buy the cheapest one even with all loose parts scrapped
//! and the cars traded in or scrapped by parts, is given what is missing to its price. So the city never makes anybody richer than that car costs, however often
//! it pays; and to pass it on to a friend pays little, for it pays once a day. It pays when somebody signs in, looks at a
//! dealer's cars, or wants to buy one.

use super::{junk_price, used};
use crate::catalog::Catalog;
use crate::clock::Now;
use crate::services::Game;
use crate::store::{Addition, Belongings, Changed, Letter, Part, StoreError, Ticket, Vehicle};
use mco_proto::ids::PersonaId;

/// Pays, if there is need.
pub(in super::super) fn relieve(game: &Game, persona: PersonaId, now: Now) -> Option<Ticket> {
    let catalog = &game.catalog;
    let cheapest = catalog.lowest_price()?;
    let relieved = game.store.garage().relieve(persona, &|all| need(catalog, cheapest, all), &letter, now);
    match relieved {
        Ok(None) => None,
        Ok(Some(Changed { value: dollars, ticket })) => {
            log::info!("garage: persona {persona} is left without a car and is given {dollars}");
            Some(ticket)
        }
        Err(error) => {
            log::error!("garage: persona {persona} may have no way back, and cannot be helped: {error}");
            None
        }
    }
}

/// The dollars that are missing to the price of the cheapest car.
fn need(catalog: &Catalog, cheapest: u32, all: &Belongings) -> u32 {
    let drives = |(car, parts): &(Vehicle, Vec<Part>)| {
        let fitted: Vec<Part> = parts.iter().chain(&all.loose).cloned().collect();
        catalog.is_roadworthy(car.model, &used(&fitted))
    };
    if all.persona.bank_balance >= cheapest || all.cars.iter().any(drives) {
        return 0;
    }
    let junk =
        |parts: &[Part]| parts.iter().fold(0_u32, |sum, part| sum.saturating_add(junk_price(catalog, part)));
    let worth = |(car, parts): &(Vehicle, Vec<Part>)| {
        catalog.trade_in_price(car.model, &used(parts)).max(junk(parts))
    };
    let cars = all.cars.iter().map(worth).fold(0_u32, u32::saturating_add);
    cheapest.saturating_sub(all.persona.bank_balance.saturating_add(cars).saturating_add(junk(&all.loose)))
}

fn letter(dollars: u32) -> Letter {
    let text = format!(
        "You have no car that can drive, and no money for one. The city gives you {dollars} dollars: with what your parts bring on \
         the junkyard that buys the cheapest car there is. Good luck!"
    );
    Letter::city_news("The city helps you out", &text)
}

/// Completes the cars that an older program sold with empty assemblies, once. To be called before anybody plays.
pub(in super::super) fn furnish(game: &Game) -> Result<(), StoreError> {
    let furnished = game.store.garage().furnish(&|car, parts| missing(&game.catalog, car, parts))?;
    if let Some(Changed { value: cars @ 1.., .. }) = furnished {
        log::info!("garage: {cars} cars had been sold without parts and have them now");
    }
    Ok(())
}

/// What a car lacks below its assemblies, if it has nothing there.
fn missing(catalog: &Catalog, car: &Vehicle, parts: &[Part]) -> Vec<Addition> {
    let stock = catalog.stock_parts(car.model).unwrap_or_default();
    let root = car.id.part();
    if parts.iter().any(|part| part.parent != Some(root)) || catalog.was_always_complete(car.model) {
        return Vec::new();
    }
    let addition = |part: &crate::catalog::StockPart| {
        let assembly = stock.get(part.parent?)?.branded_part;
        let parent = parts.iter().find(|other| other.branded_part == assembly)?.id;
        Some(Addition { branded_part: part.branded_part, parent, attachment_point: part.attachment_point })
    };
    stock.iter().filter_map(addition).collect()
}
