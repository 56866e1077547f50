//! What can be bought, and where one can race: facts built in.
//!
//! The Client carries the full catalogue of cars and parts; the server needs the numbers of what it sells and a few facts
//! about them. Facts of the Client's catalogue are restated here as tables of our own; what only the original servers
//! knew (who sells what, prices of the day, lobbies, purses, rules in numbers) is ours.

mod cars;
mod city;
mod dealers;
mod parts;
pub mod rules;

pub use cars::{Brand, Car, CarClass};
pub use city::{Lobby, RaceType, Tunables};
pub use dealers::{Offer, SystemPersona};
pub use parts::{MAX_WEAR, PartKind, StockPart};

use crate::protocol::ids::BrandedPartId;

/// Cars, parts, lobbies and rules.
#[derive(Clone, Debug)]
pub struct Catalog {
    lobbies: Vec<Lobby>,
    tunables: Tunables,
}

impl Catalog {
    /// The catalogue this program carries.
    pub fn builtin() -> Self {
        Self { lobbies: city::lobbies(), tunables: city::TUNABLES }
    }

    /// The cars that are for sale, by number.
    pub fn cars(&self) -> &'static [Car] {
        cars::CARS
    }

    /// One of them.
    pub fn car(&self, model: BrandedPartId) -> Option<&'static Car> {
        let at = cars::CARS.binary_search_by_key(&model, |car| car.model).ok()?;
        cars::CARS.get(at)
    }

    /// The lobbies, by number.
    pub fn lobbies(&self) -> &[Lobby] {
        &self.lobbies
    }

    /// The rules in numbers.
    pub const fn tunables(&self) -> &Tunables {
        &self.tunables
    }

    /// Entry fees and the purses they make, in dollars.
    pub fn purses(&self) -> &'static [(u32, u32)] {
        rules::PURSES
    }

    /// Cars that arcade lobbies lend out, with the lobby; 0 is every one.
    pub fn arcade_cars(&self) -> &'static [(BrandedPartId, u32)] {
        city::ARCADE_CARS
    }
}
