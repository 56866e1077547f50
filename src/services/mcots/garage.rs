//! Cars and parts, as the Client lists and draws them. Everybody's cars may be seen; loose parts are one's own.

mod aid;
mod deals;
mod workshop;

pub(super) use aid::{furnish, relieve};
pub use deals::whole_car;
pub(super) use deals::{buy_part, purchase, purchase_stock_car};
pub(super) use workshop::{destroy, install, remove, repair_all, repair_part};

use super::{Answer, Call, Refusal, Request};
use crate::catalog::{Catalog, UsedPart};
use crate::config::ClassForm;
use crate::services::dispatch::Message as _;
use crate::services::{Game, Outcome};
use crate::store::{Part, Vehicle};
use mco_proto::bytes::{Bool16, List, PagedList, Rest};
use mco_proto::ids::{DealerId, PartId, PersonaId, VehicleId};
use mco_proto::mcots::garage::{
    AssemblyParts, CarPart, MOST_SHORT, OwnedParts, OwnedVehicle, OwnedVehicles, PricedPart, StockCar,
    StockCarInfo, VehicleInfo,
};
use mco_proto::mcots::{GenericRequest, Message, number};

/// 141: what a dealer has on offer, and what a new persona can spend. Nobody needs to sign in for it; who has signed in
/// encrypts this too.
pub(super) fn stock_cars(call: &Call<'_>, request: &GenericRequest) -> Answer {
    let GenericRequest { data, data2: brand } = *request;
    let Call { game, now, .. } = call;
    if call.caller.signed_in() && !call.message.is_encrypted() {
        return Err(Refusal::NotAllowed("in clear"));
    }
    let dealer = DealerId(data);
    let starter_cash = game.config.game.starter_cash;
    let mut offers = game.catalog.offers(dealer, brand, now.day());
    // Who looks for a car is helped to one, if need be. Who makes a persona sees what its money buys: the purchase comes with
    // the first login, and the Client is not told if it fails.
    let helped = call.caller.player.and_then(|player| relieve(game, player.persona, *now));
    if call.caller.player.is_none() {
        // A persona with less than the cheapest car costs is given the rest.
        let cash = starter_cash.max(game.catalog.lowest_price().unwrap_or_default());
        offers.retain(|offer| offer.price <= cash);
    }
    let cars = PagedList::first_n(offers.into_iter().map(|offer| StockCar {
        model: offer.car.model,
        price: offer.price,
        deal_of_the_day: Bool16(offer.deal_of_the_day),
    }));
    let answer = Outcome::reply(StockCarInfo { starter_cash, dealer, brand, cars }.body());
    Ok(match helped {
        Some(ticket) => answer.after(ticket),
        None => answer,
    })
}

/// 172: the cars of a player.
pub(super) fn owned_vehicles(request: &Request<'_>, body: &GenericRequest) -> Answer {
    let GenericRequest { data, .. } = *body;
    let owner = PersonaId(data);
    if request.game.store.personas().by_id(owner)?.is_none() {
        return Err(Refusal::because(format!("there is no persona {owner}")));
    }
    let vehicles = request.game.store.garage().vehicles(owner)?.into_iter();
    let vehicles = List::first_n(vehicles.map(|car| OwnedVehicle { vehicle: car.id, model: car.model }));
    Ok(Outcome::reply(OwnedVehicles { vehicles }.body()))
}

/// 174: the caller's own loose parts (*captured*: the request names nobody). What is fixed to a loose part is not listed:
/// 183 asks for that (*inferred*). One answer holds 255, for it counts in one byte, and an inventory up to 1,200: the rest comes in
/// further answers to the same request (*inferred*; 324 is answered by two packets as well).
pub(super) fn owned_parts(request: &Request<'_>, body: &GenericRequest) -> Answer {
    let GenericRequest { .. } = *body;
    let owner = request.player.persona;
    let parts = request.game.store.garage().loose_parts(owner)?;
    let roots = parts.iter().filter(|part| part.parent.is_none());
    let roots: Vec<PricedPart> = roots.map(|part| priced(&request.game.catalog, part)).collect();
    let answer =
        |parts: &[PricedPart]| OwnedParts { owner, parts: List::first_n(parts.iter().cloned()) }.body();
    if roots.is_empty() {
        return Ok(Outcome::reply(answer(&[])));
    }
    Ok(Outcome::replies(roots.chunks(MOST_SHORT).map(answer)))
}

/// 183: the parts of a car, or of an assembly among the caller's loose parts. The root comes first, then what hangs on
/// it, level by level (*seen in use*).
pub(super) fn assembly_parts(request: &Request<'_>, body: &GenericRequest) -> Answer {
    let GenericRequest { data, .. } = *body;
    let garage = request.game.store.garage();
    let (root, below) = if let Some(car) = garage.vehicle(VehicleId(data))? {
        (root_of(&car), garage.parts_of(car.id)?)
    } else {
        let mut loose = garage.loose_parts(request.player.persona)?;
        let Some(at) = loose.iter().position(|part| part.id == PartId(data)) else {
            return Err(no_such_car(data));
        };
        (Part { parent: None, ..loose.swap_remove(at) }, loose)
    };
    let owner = root.owner;
    let parts = List::first_n(tree(root, below).iter().map(|part| priced(&request.game.catalog, part)));
    Ok(Outcome::reply(AssemblyParts { owner, parts }.body()))
}

/// 145: a car with all its parts, anybody's: the Client draws the others' too. The whole car is sent whatever the Client
/// remembers of it.
pub(super) fn complete_vehicle(request: &Request<'_>, body: &GenericRequest) -> Answer {
    let GenericRequest { data, .. } = *body;
    let garage = request.game.store.garage();
    let Some(car) = garage.vehicle(VehicleId(data))? else { return Err(no_such_car(data)) };
    let parts = garage.parts_of(car.id)?;
    let info = VehicleInfo {
        owner: car.owner,
        vehicle: car.id,
        skin: car.skin,
        flags: car.flags,
        delta: car.delta,
        car_class: class_of(request.game, &car, &parts),
        damage: VehicleInfo::dents(&car.damage),
        parts: List::new(parts.iter().map(|part| on_wire(&request.game.catalog, part)))?,
    };
    Ok(Outcome::reply(info.body()))
}

/// 163: a car changed, says the Client.
pub(super) fn update_cached_vehicle(_: &Request<'_>, _: &Rest) {}

/// The class of a car, as Clients are told it.
pub(super) fn class_of(game: &Game, car: &Vehicle, parts: &[Part]) -> u8 {
    match game.config.compat.car_class {
        ClassForm::Body => car.car_class,
        ClassForm::Race => {
            let parts = parts.iter().map(|part| part.branded_part);
            game.catalog.race_class(car.model, car.car_class, parts)
        }
    }
}

fn no_such_car(id: u32) -> Refusal {
    Refusal::Because(Some(number::INVALID_VEHICLE), format!("there is no car or assembly {id}"))
}

/// A car is a part too.
fn root_of(car: &Vehicle) -> Part {
    Part {
        id: car.id.part(),
        parent: None,
        branded_part: car.model,
        owner: car.owner,
        vehicle: Some(car.id),
        attachment_point: 0,
        damage: 0,
        wear: 0,
    }
}

/// `root` and what hangs on it directly or by way of others, parents before children.
fn tree(root: Part, mut others: Vec<Part>) -> Vec<Part> {
    let mut found = vec![root];
    let mut looked_at = 0;
    while let Some(parent) = found.get(looked_at).map(|part| part.id) {
        let children: Vec<Part> = others.extract_if(.., |part| part.parent == Some(parent)).collect();
        found.extend(children);
        looked_at += 1;
    }
    found
}

/// What the Client shows is what it costs.
fn repair_price(catalog: &Catalog, part: &Part) -> u32 {
    catalog.repair_price(part.branded_part, part.damage)
}

/// What the junkyard pays.
fn junk_price(catalog: &Catalog, part: &Part) -> u32 {
    catalog.junk_price(part.branded_part, part.damage, part.wear)
}

/// Parts of a car as the catalogue looks at them.
/// Whether a car has everything it takes to drive.
pub(super) fn is_roadworthy(game: &Game, car: &Vehicle, parts: &[Part]) -> bool {
    game.catalog.is_roadworthy(car.model, &used(parts))
}

fn used(parts: &[Part]) -> Vec<UsedPart> {
    let used = parts.iter().map(|part| {
        let Part { branded_part, attachment_point, damage, wear, .. } = *part;
        UsedPart { branded_part, attachment_point, damage, wear }
    });
    used.collect()
}

fn on_wire(catalog: &Catalog, part: &Part) -> CarPart {
    let Part { damage, wear, .. } = *part;
    CarPart {
        part: part.id,
        parent: part.parent.unwrap_or(PartId(0)),
        branded_part: part.branded_part,
        repair_price: repair_price(catalog, part),
        junk_price: junk_price(catalog, part),
        wear,
        attachment_point: part.attachment_point,
        damage,
    }
}

fn priced(catalog: &Catalog, part: &Part) -> PricedPart {
    let retail_price = catalog.part_price(part.branded_part).unwrap_or_default();
    PricedPart { part: on_wire(catalog, part), retail_price, max_wear: catalog.max_wear(part.branded_part) }
}
