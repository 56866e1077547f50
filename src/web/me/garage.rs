//! A player's cars, and what can be done to them from a chair.

use super::{Me, sentence};
use crate::catalog::{Catalog, Skin, UsedPart};
use crate::services::deals::{self, CityRules};
use crate::store::{DealRules as _, Item, Kind, Paint, Part, Persona, StoreError, Vehicle};
use crate::web::fields::Fields;
use crate::web::forms::{FormView, Input};
use crate::web::layout::Cell;
use crate::web::ledger_words::told;
use crate::web::page::{Frame, PageResponse, Site, page};
use crate::web::visit::{Act, Done, Visit};
use crate::web::words::{car as car_name, class as class_name, money};
use askama::Template;
use mco_proto::ids::{PartId, VehicleId};

#[derive(Template)]
#[template(path = "me/garage.html")]
struct GaragePage<'a> {
    frame: Frame<'a>,
    me: Me,
    cars: Vec<CarRow>,
    /// How many parts lie in the inventory.
    loose: usize,
    /// What the city holds until a deal is over: what it is, and the deal.
    held: Vec<(String, Cell)>,
}

#[derive(Template)]
#[template(path = "me/car.html")]
struct CarPage<'a> {
    frame: Frame<'a>,
    me: Me,
    car: CarRow,
    parts: Vec<PartRow>,
    history: Vec<(String, String)>,
    /// The form to paint it, where the catalogue has paints for it.
    forms: Vec<FormView>,
}

struct CarRow {
    id: u32,
    name: String,
    class: &'static str,
    paint: String,
    /// Percent of what it was when new, and ten signs for it.
    condition: u8,
    bar: String,
    value: String,
    /// The cost of all repairs, in dollars.
    repair: u64,
    cost: String,
    driven: bool,
    racing: bool,
}

struct PartRow {
    id: u32,
    /// How deep it hangs below the car.
    depth: usize,
    name: String,
    condition: u8,
    bar: String,
    wear: u32,
    repair: u32,
}

/// Ten signs that show a condition in percent.
fn bar(condition: u8) -> String {
    let full = usize::from(condition.min(100)).div_ceil(10);
    "#".repeat(full) + &".".repeat(10 - full)
}

fn name_of(catalog: &Catalog, part: &Part) -> String {
    catalog
        .kind(part.branded_part)
        .map_or_else(|| format!("part {}", part.branded_part), |kind| kind.name.to_string())
}

fn repair_price(catalog: &Catalog, part: &Part) -> u32 {
    catalog.repair_price(part.branded_part, part.damage)
}

fn row(site: &Site<'_>, persona: &Persona, car: &Vehicle, parts: &[Part]) -> CarRow {
    let catalog = &site.game.catalog;
    let used = parts.iter().map(|part| {
        let Part { branded_part, attachment_point, damage, wear, .. } = *part;
        UsedPart { branded_part, attachment_point, damage, wear }
    });
    let used: Vec<UsedPart> = used.collect();
    let worst = parts.iter().map(|part| part.damage).max().unwrap_or_default();
    let repair = parts.iter().fold(0_u64, |sum, part| sum.saturating_add(repair_price(catalog, part).into()));
    let paint = catalog.skins(car.model).into_iter().find(|skin| skin.id == car.skin);
    let condition = 100 - worst.min(100);
    CarRow {
        id: car.id.0,
        name: car_name(catalog, car.model),
        class: class_name(car.car_class),
        paint: paint.map_or_else(|| format!("paint {}", car.skin), |skin| skin.name),
        condition,
        bar: bar(condition),
        value: money(catalog.trade_in_price(car.model, &used)),
        repair,
        cost: money(repair),
        driven: persona.vehicle == Some(car.id),
        racing: site.game.world.races.lock().of(persona.id).is_some(),
    }
}

pub(super) fn show(
    site: &Site<'_>,
    visit: &Visit<'_>,
    persona: &Persona,
    query: &Fields,
) -> Result<PageResponse, StoreError> {
    let garage = site.game.store.garage();
    let me = Me::of(visit, Some(persona));
    let asked = query.text("car").parse().ok().map(VehicleId);
    let cars = garage.vehicles(persona.id)?;
    if let Some(car) = asked.and_then(|asked| cars.iter().find(|car| car.id == asked)) {
        return one(site, me, persona, car);
    }
    let rows = cars.iter().map(|car| Ok(row(site, persona, car, &garage.parts_of(car.id)?)));
    let cars = rows.collect::<Result<_, StoreError>>()?;
    let loose = garage.loose_parts(persona.id)?.len();
    Ok(page(&GaragePage { frame: Frame::of(site), me, cars, loose, held: held(site, persona)? }))
}

/// The cars and parts of a persona that are to be sold, and belong to nobody else meanwhile.
fn held(site: &Site<'_>, persona: &Persona) -> Result<Vec<(String, Cell)>, StoreError> {
    let own = deals::with(site.game, |deals| deals.of(persona.id))?;
    let what = |item: Item| {
        let kind = if item.goods.is_car() { "car" } else { "part" };
        format!("{} ({kind} {})", CityRules(&site.game.catalog).name(item), item.goods.number())
    };
    let deal = |name: &str, path: &str, number: u32| {
        Cell::linked(format!("{name} {number}"), format!("/{path}/{number}?persona={}", persona.id))
    };
    let auctions = own.auctions.iter();
    let auctions = auctions.map(|auction| (what(auction.item), deal("auction", "auctions", auction.number)));
    let ads = own.ads.iter().filter_map(|ad| Some((what(ad.offer?.item), deal("ad", "market", ad.number))));
    let nights = site.game.store.nights().open()?;
    let prizes = nights.iter().flat_map(|night| {
        let own = night.prizes.iter().filter(|prize| prize.from == persona.id);
        own.map(|prize| {
            let link = Cell::linked(
                format!("prize of the race night {}", night.plan.name),
                format!("/events/{}", night.id),
            );
            (what(prize.item), link)
        })
    });
    Ok(auctions.chain(ads).chain(prizes).collect())
}

/// One car as the tree of its parts.
fn one(site: &Site<'_>, me: Me, persona: &Persona, car: &Vehicle) -> Result<PageResponse, StoreError> {
    let catalog = &site.game.catalog;
    let parts = site.game.store.garage().parts_of(car.id)?;
    let mut rows = Vec::new();
    below(catalog, &parts, car.id.part(), 0, &mut rows);
    let lines = site.game.store.ledger().of(persona.id)?;
    let about = lines.iter().rev().filter(|(_, line)| {
        let kinds = [
            Kind::CarBought,
            Kind::TradeIn,
            Kind::CarWon,
            Kind::CarLost,
            Kind::CarGiven,
            Kind::CarTaken,
            Kind::GoodsGot,
            Kind::GoodsBought,
            Kind::AuctionWon,
            Kind::Repair,
            Kind::Paint,
        ];
        kinds.contains(&line.kind) && line.reference == car.id.0
    });
    let history =
        about.take(20).map(|(_, line)| Ok((site.game.zone().minute(line.time), told(site.game, line)?.text)));
    let history = history.collect::<Result<_, StoreError>>()?;
    let forms = painting(site, persona, car).into_iter().collect();
    let car = row(site, persona, car, &parts);
    Ok(page(&CarPage { frame: Frame::of(site), me, car, parts: rows, history, forms }))
}

/// The form to paint a car in another of the paints that are made for it.
fn painting(site: &Site<'_>, persona: &Persona, car: &Vehicle) -> Option<FormView> {
    let racing = site.game.world.races.lock().of(persona.id).is_some();
    let paints =
        site.game.catalog.paints_for_sale(car.model).into_iter().filter(|paint| paint.id != car.skin);
    let paints: Vec<_> =
        paints.map(|paint| (paint.id, format!("{}, {}", paint.name, money(paint.price)))).collect();
    (!racing && !paints.is_empty()).then(|| FormView {
        heading: "Paint",
        action: "/me/garage/paint",
        button: "Paint it".to_owned(),
        hidden: vec![("persona", persona.id.to_string()), ("car", car.id.to_string())],
        inputs: vec![Input::choice("paint", "Paint", paints)],
        ..FormView::default()
    })
}

/// Paints a car.
pub(super) fn paint(act: Act<'_>, form: &Fields) -> Done {
    let (back, _) = target(act, form);
    let work = || {
        let Act { site, persona, .. } = act;
        let car = form.text("car").parse().ok().map(VehicleId);
        let car = car.map(|car| site.game.store.garage().vehicle(car)).transpose();
        let car = car.map_err(|error| sentence(&error))?.flatten();
        let car =
            car.filter(|car| car.owner == persona.id).ok_or("There is no such car. Nothing was changed.")?;
        let paints = site.game.catalog.paints_for_sale(car.model);
        let asked = paints.into_iter().find(|paint| paint.id.to_string() == form.text("paint"));
        let Skin { id: skin, price, name, flags } =
            asked.ok_or("This paint is not made for this car. Nothing was changed.")?;
        if car.skin == skin {
            return Err(format!("The car has this paint already: {name}. Nothing was changed."));
        }
        let painted =
            site.game.store.garage().paint(persona.id, car.id, Paint { skin, flags, price }, site.now);
        let painted = painted.map_err(|error| sentence(&error))?;
        painted.ticket.wait().map_err(|error| sentence(&error))?;
        log::info!("garage: persona {} had car {} painted on the pages for {price}", persona.id, car.id);
        Ok(format!("The car is painted: {name}, for {}.", money(price)))
    };
    let outcome = objection(act).map_or_else(work, Err);
    (back, outcome)
}

/// The parts that hang on `parent`, each before what hangs on it. They hang on one another without a circle, and two levels deep.
fn below(catalog: &Catalog, parts: &[Part], parent: PartId, depth: usize, rows: &mut Vec<PartRow>) {
    if depth > 4 {
        return;
    }
    for part in parts.iter().filter(|part| part.parent == Some(parent)) {
        let condition = 100 - part.damage.min(100);
        rows.push(PartRow {
            id: part.id.0,
            depth,
            name: name_of(catalog, part),
            condition,
            bar: bar(condition),
            wear: part.wear * 100 / catalog.max_wear(part.branded_part).max(1),
            repair: repair_price(catalog, part),
        });
        below(catalog, parts, part.id, depth + 1, rows);
    }
}

/// Where the garage is, and what of it a form is about.
fn target(act: Act<'_>, form: &Fields) -> (String, Option<PartId>) {
    let persona = act.persona.id;
    let back = match form.text("car").parse::<u32>() {
        Ok(car) => format!("/me/garage?persona={persona}&car={car}"),
        Err(_) => format!("/me/garage?persona={persona}"),
    };
    (back, form.text("part").parse().ok().map(PartId))
}

/// Why nothing is done to the cars of a persona now, if so.
fn objection(act: Act<'_>) -> Option<String> {
    let racing = act.site.game.world.races.lock().of(act.persona.id).is_some();
    racing.then(|| "This driver is in a race. Wait until the race is over. Nothing was changed.".to_owned())
}

/// Repairs a part, or a car with everything in it.
pub(super) fn repair(act: Act<'_>, form: &Fields) -> Done {
    let (back, part) = target(act, form);
    let outcome = objection(act).map_or_else(|| mend(act, part, form.text("all") == "yes"), Err);
    (back, outcome)
}

fn mend(act: Act<'_>, part: Option<PartId>, all: bool) -> Result<String, String> {
    let part = part.ok_or("There is no such part. Nothing was changed.")?;
    let Act { site, persona, .. } = act;
    let (garage, catalog) = (site.game.store.garage(), &site.game.catalog);
    let price = |part: &Part| repair_price(catalog, part);
    let repaired = if all {
        garage.repair_all(persona.id, part, &price, site.now)
    } else {
        garage.repair_part(persona.id, part, &price, site.now)
    };
    let repaired = repaired.map_err(|error| sentence(&error))?;
    repaired.ticket.wait().map_err(|error| sentence(&error))?;
    log::info!("garage: persona {} had {part} repaired on the pages for {}", persona.id, repaired.value);
    Ok(format!("Repaired for {}.", money(repaired.value)))
}

/// Scraps a part with what hangs on it, or a car.
pub(super) fn scrap(act: Act<'_>, form: &Fields) -> Done {
    let (_, part) = target(act, form);
    let back = format!("/me/garage?persona={}", act.persona.id);
    let sure = || {
        (form.text("sure") != "yes")
            .then(|| "Tick the box beside the button to confirm. Nothing was changed.".to_owned())
    };
    let outcome = objection(act).or_else(sure).map_or_else(|| junk(act, part), Err);
    (back, outcome)
}

fn junk(act: Act<'_>, part: Option<PartId>) -> Result<String, String> {
    let part = part.ok_or("There is no such part. Nothing was changed.")?;
    let Act { site, persona, .. } = act;
    let catalog = &site.game.catalog;
    let value = |part: &Part| catalog.junk_price(part.branded_part, part.damage, part.wear);
    let scrapped = site
        .game
        .store
        .garage()
        .scrap(persona.id, part, &value, site.now)
        .map_err(|error| sentence(&error))?;
    scrapped.ticket.wait().map_err(|error| sentence(&error))?;
    log::info!("garage: persona {} scrapped {part} on the pages for {}", persona.id, scrapped.value);
    Ok(format!("Scrapped. The junkyard paid {}.", money(scrapped.value)))
}
