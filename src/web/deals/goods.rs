//! Cars and parts as people choose and judge them.

use crate::catalog::Catalog;
use crate::services::Game;
use crate::services::deals::CityRules;
use crate::store::{DealRules as _, Goods, Item, Part, Persona, PersonaError, StoreError};
use crate::web::layout::{Cell, Column, Section};
use crate::web::page::Site;
use crate::web::words::{car, class};
use mco_proto::ids::{PartId, PersonaId, VehicleId};

/// A thing in the value of a field: `c17` or `p18`.
pub(in crate::web) fn value(goods: Goods) -> String {
    match goods {
        Goods::Car(id) => format!("c{id}"),
        Goods::Part(id) => format!("p{id}"),
    }
}

/// The thing in the value of a field.
pub(in crate::web) fn parse(value: &str) -> Option<Goods> {
    let number = |rest: &str| rest.parse().ok();
    match value.split_at_checked(1)? {
        ("c", rest) => number(rest).map(|id| Goods::Car(VehicleId(id))),
        ("p", rest) => number(rest).map(|id| Goods::Part(PartId(id))),
        _ => None,
    }
}

/// What a thing is called.
pub(super) fn name(site: &Site<'_>, item: Item) -> String {
    CityRules(&site.game.catalog).name(item)
}

/// The condition of the worst of some parts, in percent.
pub(super) fn condition(parts: &[Part]) -> u8 {
    100 - parts.iter().map(|part| part.damage).max().unwrap_or_default().min(100)
}

fn part_name(catalog: &Catalog, part: &Part) -> String {
    let kind = catalog.kind(part.branded_part);
    kind.map_or_else(|| format!("part {}", part.branded_part), |kind| kind.name.to_string())
}

/// All cars and loose parts of a persona, with what they are called and their numbers.
pub(in crate::web) fn choices(game: &Game, persona: &Persona) -> Result<Vec<(Goods, String)>, StoreError> {
    let (garage, catalog) = (game.store.garage(), &game.catalog);
    let mut all = Vec::new();
    for own in garage.vehicles(persona.id)? {
        let condition = condition(&garage.parts_of(own.id)?);
        let name = car(catalog, own.model);
        all.push((
            Goods::Car(own.id),
            format!("{name}, {}, {condition} % (car {})", class(own.car_class), own.id),
        ));
    }
    for part in garage.loose_parts(persona.id)?.iter().filter(|part| part.parent.is_none()) {
        let condition = condition(std::slice::from_ref(part));
        let name = part_name(catalog, part);
        all.push((Goods::Part(part.id), format!("{name}, {condition} % (part {})", part.id)));
    }
    Ok(all)
}

/// The parts of somebody's car, or a loose part of somebody's with what is fixed to it.
pub(super) fn parts_of(game: &Game, owner: PersonaId, goods: Goods) -> Result<Vec<Part>, StoreError> {
    let garage = game.store.garage();
    let part = match goods {
        Goods::Car(car) => return garage.parts_of(car),
        Goods::Part(part) => part,
    };
    let all = garage.loose_parts(owner)?;
    let mut whole: Vec<Part> = all.iter().filter(|one| one.id == part).cloned().collect();
    let mut at = 0;
    while let Some(id) = whole.get(at).map(|part| part.id) {
        whole.extend(all.iter().filter(|one| one.parent == Some(id)).cloned());
        at += 1;
    }
    Ok(whole)
}

/// The parts that somebody gets with a thing.
pub(super) fn parts(site: &Site<'_>, parts: &[Part]) -> Section {
    let catalog = &site.game.catalog;
    let rows = parts.iter().map(|part| {
        let wear = part.wear * 100 / catalog.max_wear(part.branded_part).max(1);
        let condition = 100 - part.damage.min(100);
        vec![
            part_name(catalog, part).into(),
            Cell::from(format!("{condition} %")),
            Cell::from(format!("{wear} %")),
        ]
    });
    Section {
        heading: "Parts".to_owned(),
        columns: Column::plain(&["Part", "Condition", "Wear"]),
        rows: rows.collect(),
        empty: "There are no parts in it.",
        ..Section::default()
    }
}

/// The name of a persona; nobody's is empty.
pub(in crate::web) fn player(game: &Game, id: PersonaId) -> Result<String, StoreError> {
    Ok(game.store.personas().by_id(id)?.map(|persona| persona.name).unwrap_or_default())
}

/// The persona of that name.
pub(super) fn named(site: &Site<'_>, name: &str) -> Result<Persona, String> {
    let found = site.game.store.personas().by_name(site.game.config.shard.id, name.trim());
    let found = found.map_err(|error| crate::web::words::sentence(&PersonaError::Store(error)))?;
    found.ok_or_else(|| "There is no driver of this name. The page Players shows all names.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_chosen_by_its_letter_and_number() {
        for goods in [Goods::Car(VehicleId(17)), Goods::Part(PartId(u32::MAX))] {
            assert_eq!(parse(&value(goods)), Some(goods));
        }
        for bad in ["", "c", "p-1", "c4294967296", "x5", "5", "\u{1f3c1}5", "c1 "] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
