//! What can be bought, and where one can race: facts built in, or the owner's own catalogue.
//!
//! The Client carries the full catalogue of cars and parts in a database of its own; the server needs much of it, and both
//! must agree on its numbers. A few facts of it are restated here as tables of our own, enough to log in, buy a first car
//! and race. The rest comes from the owner's own copy: [`import`] takes it out of the database with [`jet_reader`],
//! [`file`](mod@file) keeps it in the data folder, and the same lookups serve it. What only the original servers knew (who sells
//! what, prices of the day, lobbies, purses, rules in numbers) is ours either way.

mod cars;
mod city;
mod dealers;
mod facts;
pub mod file;
mod fitting;
pub mod import;
pub mod imported;
mod kinds;
mod lobbies;
mod paints;
mod parts;
mod prices;
mod race_type;
pub mod rules;
#[cfg(test)]
pub(crate) mod sample;
mod stock;
mod tracks;

pub use cars::{Brand, Car, CarClass};
pub use city::Tunables;
pub use dealers::{Offer, SystemPersona};
pub use fitting::{Misfit, Placed};
pub use imported::{Imported, Origin};
pub use kinds::PartKind;
pub use lobbies::Lobby;
pub use paints::Skin;
pub use parts::MAX_WEAR;
pub use prices::UsedPart;
pub use race_type::RaceType;
pub use stock::StockPart;

use facts::Facts;
use import::Summary;
use mco_proto::ids::BrandedPartId;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

/// Cars, parts, lobbies and rules.
#[derive(Debug)]
pub struct Catalog {
    facts: RwLock<Arc<Facts>>,
    lobbies: Vec<Lobby>,
    tunables: Tunables,
}

impl Catalog {
    /// The built-in catalogue.
    pub fn builtin() -> Self {
        let facts = RwLock::new(Arc::new(Facts::builtin()));
        Self { facts, lobbies: lobbies::lobbies(&[]), tunables: city::TUNABLES }
    }

    /// The owner's own catalogue.
    pub fn of(imported: Imported) -> Self {
        let lobbies = lobbies::lobbies(&imported.tracks);
        let facts = RwLock::new(Arc::new(Facts::of(imported)));
        Self { facts, lobbies, tunables: city::TUNABLES }
    }

    /// The owner's own catalogue if it was imported into this data folder, else the one this program carries. One that
    /// cannot be read is logged and not used.
    pub fn in_folder(data: &Path) -> Self {
        match file::load(data) {
            Ok(Some(imported)) => {
                let Origin { file, .. } = &imported.origin;
                log::info!("the catalogue is the one imported from {file}");
                Self::of(imported)
            }
            Ok(None) => Self::builtin(),
            Err(error) => {
                log::error!("the imported catalogue cannot be used, so the built-in one is: {error}");
                Self::builtin()
            }
        }
    }

    /// Uses the owner's own catalogue from now on. Its tracks get their lobbies at the next start: Clients have learned
    /// the list already, and may be in one.
    pub fn replace(&self, imported: Imported) {
        let facts = Arc::new(Facts::of(imported));
        *self.facts.write().unwrap_or_else(PoisonError::into_inner) = facts;
    }

    /// Where the catalogue came from. `None`: it is the built-in one.
    pub fn origin(&self) -> Option<Origin> {
        self.facts().imported.as_ref().map(|imported| imported.origin.clone())
    }

    /// The owner's own catalogue in numbers, and where it came from.
    pub fn imported(&self) -> Option<(Origin, Summary)> {
        let facts = self.facts();
        facts.imported.as_ref().map(|imported| (imported.origin.clone(), Summary::of(imported)))
    }

    /// What importing the owner's own copy of the game would add, in words; `None` if that was done.
    pub fn missing(&self) -> Option<String> {
        let more = self.cars().len().saturating_sub(self.complete_cars());
        self.origin().is_none().then(|| {
            format!(
                "the real parts of {more} cars (they have generic ones now), the real prices, wear limits and engine families of all parts, \
                 the paints, and a lobby for each track"
            )
        })
    }

    fn facts(&self) -> Arc<Facts> {
        Arc::clone(&self.facts.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The cars that are for sale, by number.
    pub fn cars(&self) -> Vec<Arc<Car>> {
        self.facts().cars.clone()
    }

    /// The car for sale with this number.
    pub fn car(&self, model: BrandedPartId) -> Option<Arc<Car>> {
        self.facts().car(model).map(Arc::clone)
    }

    /// The number of cars for sale that have the parts which the game gives them; the others have generic ones.
    pub fn complete_cars(&self) -> usize {
        let facts = self.facts();
        match facts.imported {
            Some(_) => facts.cars.len(),
            None => stock::KNOWN_CARS,
        }
    }

    /// Whether a car was sold with all its parts by every version of this program. Older ones sold the others without, as
    /// long as nothing was imported.
    pub fn was_always_complete(&self, model: BrandedPartId) -> bool {
        stock::is_known(model)
    }

    /// The lobbies, by number.
    pub fn lobbies(&self) -> &[Lobby] {
        &self.lobbies
    }

    /// The rules in numbers (389).
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
