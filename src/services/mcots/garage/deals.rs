//! Buying: cars from dealers, and parts.

use super::super::{Answer, Refusal, Request};
use super::{relieve, used};
use crate::catalog::{Car, Catalog, Offer, Skin};
use crate::services::{Game, Outcome};
use crate::store::{CarPurchase, NewPart, PartPurchase, Terms};
use mco_proto::ids::{BrandedPartId, SkinId, VehicleId};
use mco_proto::mcots::GenericRequest;
use mco_proto::mcots::garage::PurchaseStockCar;
use mco_proto::mcots::reply::{car_bought, part_bought};

/// A car with all its parts, for nothing, in the wanted paint if the car is made in it.
pub fn whole_car(catalog: &Catalog, car: &Car, wanted: SkinId) -> CarPurchase {
    let parts = catalog.stock_parts(car.model).unwrap_or_default().into_iter().map(|part| NewPart {
        branded_part: part.branded_part,
        parent: part.parent,
        attachment_point: part.attachment_point,
    });
    let Skin { id: skin, flags, .. } = catalog.paint(car.model, wanted);
    let (model, car_class) = (car.model, car.class.number());
    CarPurchase { model, skin, flags, car_class, price: 0, parts: parts.collect(), first_car: false }
}

/// The purchase that makes a whole car of an offer, in the wanted paint if the car is made in it.
pub(in super::super) fn purchase(game: &Game, offer: Offer, wanted: SkinId) -> CarPurchase {
    let Offer { car, price, .. } = offer;
    CarPurchase { price, first_car: true, ..whole_car(&game.catalog, &car, wanted) }
}

/// 142: a car from a dealer, perhaps with another one in part payment. A driver who never had a car has chosen the first
/// one by it.
pub(in super::super) fn purchase_stock_car(request: &Request<'_>, body: &PurchaseStockCar) -> Answer {
    let PurchaseStockCar { dealer, model, skin, trade_in } = *body;
    let (game, buyer) = (request.game, request.player.persona);
    let Some(offer) = game.catalog.offer(dealer, model, request.now.day()) else {
        return Err(Refusal::because(format!("dealer {dealer} has no {model}")));
    };
    // On the card before the purchase, whose ticket is waited for.
    drop(relieve(game, buyer, request.now));
    let purchase = purchase(game, offer.clone(), skin);
    let rules = game.catalog.tunables();
    let terms = Terms {
        trade_in: (trade_in != VehicleId(0)).then_some(trade_in),
        worth: &|car, parts| game.catalog.trade_in_price(car.model, &used(parts)),
        room: &|persona| rules.cars_room(persona.level),
    };
    let bought = game.store.garage().buy_from_dealer(buyer, &purchase, &terms, request.now)?;
    let Offer { car, price, .. } = offer;
    log::info!("garage: persona {buyer} bought a {car} for {price}, car {}", bought.value);
    Ok(Outcome::reply(car_bought(bought.value)).after(bought.ticket))
}

/// 176: a part, with what the catalogue says comes fixed to it. Which shop sells which part is known to the Client only,
/// so whatever shop it names will do.
pub(in super::super) fn buy_part(request: &Request<'_>, body: &GenericRequest) -> Answer {
    let GenericRequest { data, .. } = *body;
    let (game, buyer) = (request.game, request.player.persona);
    let part = BrandedPartId(data);
    let Some(purchase) = part_purchase(&game.catalog, part) else {
        return Err(Refusal::because(format!("nobody sells a part {part}")));
    };
    let rules = game.catalog.tunables();
    let bought = game.store.garage().buy_part(
        buyer,
        &purchase,
        &|persona| rules.parts_room(persona.level),
        request.now,
    )?;
    let price = purchase.price;
    log::info!("garage: persona {buyer} bought a part {part} for {price}, part {}", bought.value);
    Ok(Outcome::reply(part_bought(bought.value)).after(bought.ticket))
}

/// A part with its children, for the sum of their prices: assemblies have none of their own, and come empty for a price of
/// ours where nobody knows what is in them. Nothing that is a car, of no known kind, or of no known price is sold.
fn part_purchase(catalog: &Catalog, part: BrandedPartId) -> Option<PartPurchase> {
    const FREE: u32 = 0;
    catalog.kind(part)?.parent?;
    let children = catalog.stock_parts(part).unwrap_or_default();
    let price = std::iter::once(part).chain(children.iter().map(|child| child.branded_part));
    let price = price.fold(FREE, |sum, part| sum.saturating_add(catalog.part_price(part).unwrap_or(FREE)));
    let price = if price == FREE { catalog.empty_assembly_price(part)? } else { price };
    let root = NewPart { branded_part: part, parent: None, attachment_point: 0 };
    let children = children.into_iter().map(|child| NewPart {
        branded_part: child.branded_part,
        // One further back, since the part itself comes first.
        parent: Some(child.parent.map_or(0, |at| at + 1)),
        attachment_point: child.attachment_point,
    });
    Some(PartPurchase { price, parts: std::iter::once(root).chain(children).collect() })
}
