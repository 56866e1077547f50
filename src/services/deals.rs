//! Deals between players: the rules of the city for them. The game's own messages for them are not known; the pages
//! make them, and the game shows what came of them in garage, inventory and mail.

use super::Game;
use crate::catalog::Catalog;
use crate::store::{DealRules, Deals, Item, Persona};

/// The rules by the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct CityRules<'a>(pub &'a Catalog);

impl DealRules for CityRules<'_> {
    fn name(&self, item: Item) -> String {
        let Item { goods, model } = item;
        if goods.is_car() {
            return self.0.car(model).map_or_else(|| format!("car {model}"), |car| car.to_string());
        }
        let kind = self.0.kind(model);
        kind.map_or_else(|| format!("part {model}"), |kind| kind.name.to_string())
    }

    fn cars_room(&self, persona: &Persona) -> usize {
        self.0.tunables().cars_room(persona.level)
    }

    fn parts_room(&self, persona: &Persona) -> usize {
        self.0.tunables().parts_room(persona.level)
    }

    fn ad_price(&self, characters: usize, days: u32) -> Option<u32> {
        self.0.tunables().ad_price(characters, days)
    }

    fn ads_each(&self) -> usize {
        usize::try_from(self.0.tunables().classified_ad_max_count).unwrap_or(usize::MAX)
    }
}

/// Does something with the verbs about deals, by the rules of this city.
pub fn with<T>(game: &Game, work: impl FnOnce(Deals<'_>) -> T) -> T {
    work(game.store.deals(&CityRules(&game.catalog)))
}
