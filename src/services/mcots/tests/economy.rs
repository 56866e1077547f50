//! Fair play with money and property: nothing out of nothing, a way back for everybody, and nobody's balance for others.

use super::*;
use crate::catalog::{Catalog, sample};
use crate::store::{Kind, NewPart, Part, PartPurchase, Vehicle};
use mco_proto::ids::PartId;
use mco_proto::mcots::Number;
use mco_proto::mcots::garage::{AttachmentPoint, InstallPart, PurchaseStockCar};

const DAY: Duration = Duration::from_hours(24);

impl Scene {
    fn money(&self) -> u32 {
        self.game.store.personas().by_id(self.brown.persona).unwrap().unwrap().bank_balance
    }

    /// Has so many dollars, whatever it had.
    fn set_money(&self, dollars: u32) {
        self.game.store.personas().set_money_for_tests(self.brown.persona, dollars);
    }

    fn titles(&self) -> Vec<String> {
        let mails = self.game.store.mails();
        let all = mails.list(self.brown.persona, Now::read()).unwrap();
        all.iter()
            .map(|entry| mails.get(self.brown.persona, entry.number, Now::read()).unwrap().unwrap().0.title)
            .collect()
    }

    fn aid(&self) -> Vec<i64> {
        let lines = self.game.store.ledger().of(self.brown.persona).unwrap();
        lines.iter().filter(|(_, line)| line.kind == Kind::Aid).map(|(_, line)| line.amount).collect()
    }

    fn whole(&self) -> (Vehicle, Vec<Part>) {
        let garage = self.game.store.garage();
        let car = garage.vehicles(self.brown.persona).unwrap().remove(0);
        let parts = garage.parts_of(car.id).unwrap();
        (car, parts)
    }

    fn generic(&mut self, number: u16, data: u32) -> Outcome<Outgoing> {
        self.send(SEALED, GenericRequest::body(Number(number), data))
    }

    /// Takes all assemblies out of the first car and scraps them with all that is in them.
    fn strip_and_scrap(&mut self) {
        let (car, parts) = self.whole();
        for part in parts.iter().filter(|part| part.parent == Some(car.id.part())) {
            self.generic(214, part.id.0);
        }
        assert!(self.whole().1.is_empty());
    }

    /// The list price of the cheapest car. On some days a dealer asks less.
    fn lowest_price(&self) -> u32 {
        self.game.catalog.lowest_price().unwrap()
    }

    /// Buys the cheapest car and says what it cost.
    fn buy_cheapest(&mut self, trade_in: u32) -> u32 {
        let before = self.money();
        let body = buy(&self.game, CHEAPEST, trade_in);
        self.change(body);
        let lines = self.game.store.ledger().of(self.brown.persona).unwrap();
        let (_, bought) = lines.iter().rfind(|(_, line)| line.kind == Kind::CarBought).unwrap();
        let price = u32::try_from(-bought.amount).unwrap();
        assert!(price <= before.max(self.lowest_price()) && price <= self.lowest_price());
        price
    }
}

/// The cheapest car built in.
const CHEAPEST: u32 = 101;

fn new_part(part: u32) -> NewPart {
    NewPart { branded_part: BrandedPartId(part), parent: None, attachment_point: 0 }
}

fn buy(game: &Game, model: u32, trade_in: u32) -> Body {
    let day = Now::read().day();
    let dealer = (0..15)
        .map(DealerId)
        .filter(|dealer| game.catalog.offer(*dealer, BrandedPartId(model), day).is_some());
    let dealer =
        dealer.min_by_key(|dealer| game.catalog.offer(*dealer, BrandedPartId(model), day).unwrap().price);
    PurchaseStockCar {
        dealer: dealer.unwrap(),
        model: BrandedPartId(model),
        skin: SkinId(0),
        trade_in: VehicleId(trade_in),
    }
    .body()
}

#[test]
fn an_empty_body_is_worth_nothing_to_a_dealer() {
    for imported in [false, true] {
        let mut scene = Scene::connected();
        if imported {
            scene.game.catalog = Catalog::of(sample::catalogue());
        }
        scene.set_money(100_000);
        let body = buy(&scene.game, 104, 0);
        scene.change(body);
        let price = 100_000 - scene.money();
        scene.strip_and_scrap();
        let scrap = scene.money() + price - 100_000;
        assert!(scrap > 0 && scrap < price / 2, "{scrap}");
        let (shell, before) = (scene.cars()[0].0, scene.money());
        let body = buy(&scene.game, 104, shell.0);
        scene.change(body);
        assert_eq!(before - scene.money(), price, "the second one costs as much as the first");
        let traded = scene.game.store.ledger().of(scene.brown.persona).unwrap();
        assert!(traded.iter().any(|(_, line)| line.kind == Kind::TradeIn && line.amount == 0));
        scene.is_sound();
    }
}

#[test]
fn a_car_built_in_is_taken_apart_repaired_and_put_together_with_parts_that_are_bought() {
    // None of the two of which every part is known.
    let mut scene = Scene::connected();
    let body = buy(&scene.game, 356, 0);
    scene.change(body);
    let (car, parts) = scene.whole();
    assert_eq!(parts.len(), 40);
    scene.set_money(100_000);
    scene.game.store.garage().wreck_for_tests(car.id, 50);
    assert_eq!(scene.change(GenericRequest::body(Number(178), car.id.0)), success(Number(178)));
    assert!(scene.money() < 100_000, "repairs cost something");
    scene.strip_and_scrap();
    // First the assemblies, empty ones, then what hangs on them.
    let mut assemblies = Vec::new();
    for old in &parts {
        let bought: GenericReply =
            scene.change(GenericRequest::body(Number(176), old.branded_part.0)).record().unwrap();
        let parent = match old.parent {
            Some(parent) if parent == car.id.part() => parent,
            Some(parent) => assemblies.iter().find(|(was, _)| *was == parent).unwrap().1,
            None => unreachable!("every part of a car hangs on something"),
        };
        assemblies.push((old.id, PartId(bought.data)));
        let point = AttachmentPoint(old.attachment_point.into());
        let install = InstallPart { part: PartId(bought.data), parent, point };
        assert_eq!(scene.change(install.body()), success(Number(181)), "{}", old.branded_part);
    }
    let placed = |parts: &[Part]| {
        let mut placed: Vec<_> =
            parts.iter().map(|part| (part.branded_part, part.attachment_point)).collect();
        placed.sort();
        placed
    };
    assert_eq!(placed(&scene.whole().1), placed(&parts));
    assert!(scene.get::<OwnedParts>(Number(174), 0).parts.is_empty());
    scene.is_sound();
}

#[test]
fn who_has_no_car_and_no_money_for_one_is_given_what_is_missing_once() {
    let mut scene = Scene::connected();
    scene.set_money(100);
    let least = scene.lowest_price();
    let body = scene.login(0, 0, 0);
    scene.change(body.clone());
    assert_eq!((scene.money(), scene.aid()), (least, vec![i64::from(least - 100)]));
    assert_eq!(scene.titles(), ["Welcome to the city", "The city helps you out"]);
    scene.ask(body.clone());
    assert_eq!(scene.aid().len(), 1, "once is enough");
    scene.buy_cheapest(0);
    scene.set_money(0);
    scene.ask(body);
    assert_eq!((scene.aid().len(), scene.money()), (1, 0), "it has a car that drives");
    scene.is_sound();
}

#[test]
fn a_new_persona_without_a_dollar_gets_its_first_car_all_the_same() {
    let mut scene = Scene::connected();
    scene.set_money(0);
    let body = scene.login(8, CHEAPEST, 0);
    scene.change(body);
    assert_eq!((scene.cars().len(), scene.aid().len()), (1, 1));
}

#[test]
fn help_comes_at_the_dealers_and_however_the_car_was_lost() {
    // Everything scrapped, and the money gone.
    let mut scene = Scene::connected();
    let least = scene.lowest_price();
    scene.buy_cheapest(0);
    scene.strip_and_scrap();
    scene.set_money(0);
    let outcome = scene.generic(141, 8);
    outcome.commit.expect("told when it is on the card").wait().unwrap();
    assert_eq!((scene.money(), scene.aid().len()), (least, 1));
    let shell = scene.cars()[0].0;
    scene.buy_cheapest(shell.0);
    assert_eq!(scene.cars().len(), 1);
    // A wreck that nobody can pay for; who goes straight to buying is helped too.
    scene.elapsed += DAY;
    let wreck = scene.cars()[0].0;
    scene.game.store.garage().wreck_for_tests(wreck, 100);
    scene.set_money(0);
    let price = scene.buy_cheapest(wreck.0);
    assert_eq!((scene.cars().len(), scene.money(), scene.aid().len()), (1, least - price, 2));
    // The car is somebody else's.
    scene.game.store.garage().lose_cars_for_tests(scene.brown.persona);
    scene.set_money(0);
    scene.elapsed += DAY;
    let body = scene.login(0, 0, 0);
    scene.change(body);
    assert_eq!((scene.cars().len(), scene.money(), scene.aid().len()), (0, least, 3));
    scene.is_sound();
}

#[test]
fn help_makes_nobody_richer_than_the_cheapest_car_however_often_it_comes() {
    let mut scene = Scene::connected();
    scene.set_money(0);
    let least = scene.lowest_price();
    for round in 0..12 {
        scene.elapsed += DAY;
        let outcome = scene.generic(141, 8);
        assert_eq!(outcome.commit.is_some(), scene.aid().len() == round + 1);
        assert!(scene.money() <= least, "{} in round {round}", scene.money());
        let old = scene.cars().first().map_or(0, |car| car.0.0);
        scene.buy_cheapest(old);
        scene.strip_and_scrap();
        assert!(scene.money() < least);
    }
    // What was given away to a friend is not given again on the same day.
    let helped = scene.aid().len();
    scene.set_money(0);
    scene.elapsed += Duration::from_hours(23);
    scene.generic(141, 8);
    assert_eq!((scene.money(), scene.aid().len()), (0, helped));
    scene.elapsed += DAY;
    // Parts count as money: who owns some has them scrapped first.
    let garage = scene.game.store.garage();
    for _ in 0..40 {
        let blower = PartPurchase { price: 0, parts: vec![new_part(350_001)] };
        let _ = garage.buy_part(scene.brown.persona, &blower, &|_| 9999, Now::read()).unwrap();
    }
    let (before, helped) = (scene.money(), scene.aid().len());
    scene.generic(141, 8);
    assert_eq!((scene.money(), scene.aid().len()), (before, helped));
    scene.is_sound();
}

#[test]
fn a_first_car_that_is_too_dear_is_not_on_offer_and_a_mail_says_why_there_is_none() {
    let mut scene = Scene::fresh();
    let stock = |scene: &mut Scene| -> StockCarInfo {
        scene.send(CLEAR, GenericRequest::body(Number(141), 8)).replies[0].body.read().unwrap()
    };
    let offered = stock(&mut scene);
    assert!(offered.cars.len() > 5 && offered.cars.iter().all(|car| car.price <= offered.starter_cash));
    scene.game.config.game.starter_cash = 10;
    let cheapest = stock(&mut scene);
    assert!(cheapest.cars.iter().any(|car| car.model == BrandedPartId(CHEAPEST)));
    assert!(cheapest.cars.iter().all(|car| car.price <= scene.lowest_price()));
    // Of a maker whose cars are all too dear nothing is shown.
    scene.game.config.game.starter_cash = 9_000;
    for maker in 0..12_u32 {
        let mut body = GenericRequest::body(Number(141), 8);
        body.0[6..10].copy_from_slice(&maker.to_le_bytes());
        let stock: StockCarInfo = scene.send(CLEAR, body).replies[0].body.read().unwrap();
        assert!(stock.cars.iter().all(|car| car.price <= 9_000), "maker {maker}");
    }

    let mut scene = Scene::connected();
    let all: StockCarInfo = scene.get(Number(141), 8);
    assert!(all.cars.iter().any(|car| car.price > all.starter_cash), "who plays sees all");
    let body = scene.login(8, 117, 0);
    scene.change(body);
    assert!(scene.cars().is_empty());
    assert_eq!(scene.titles(), ["Welcome to the city", "Your first car"]);
    let mails = scene.game.store.mails();
    let (mail, _) = mails.get(scene.brown.persona, 2, Now::read()).unwrap().unwrap();
    assert!(
        mail.text.contains("1963 Chevrolet Corvette Stingray") && mail.text.ends_with("still open."),
        "{}",
        mail.text
    );
}

#[test]
fn the_balance_of_others_is_never_told() {
    let mut scene = Scene::connected();
    let strange = scene.game.player("strange", "Stranger", peer());
    let theirs: PlayerInfo = scene.get(number::GET_PLAYER_INFO, strange.persona.0);
    assert_eq!((theirs.player, theirs.bank_balance), (strange.persona, 0));
    assert_eq!(scene.info().bank_balance, 20_000);
    // Nor that of another persona of the same account, which may be a brother's.
    let new = crate::store::NewPersona {
        name: "Brother".to_owned(),
        shard: scene.game.config.shard.id,
        id: None,
        starter_cash: 777,
        max_per_customer: 4,
    };
    let brother =
        scene.game.store.personas().create(scene.brown.customer, new, Now::read()).unwrap().value.id;
    assert_eq!(scene.get::<PlayerInfo>(number::GET_PLAYER_INFO, brother.0).bank_balance, 0);
}

#[test]
fn the_number_of_a_club_is_told_only_where_that_is_switched_on() {
    let mut scene = Scene::connected();
    let strange = scene.game.player("strange", "Stranger", peer());
    let store = &scene.game.store;
    let club = store.found_for_tests(scene.brown.persona, Now::read());
    for (on, told) in [(false, 0), (true, club)] {
        scene.game.config.compat.club_in_player_info = on;
        assert_eq!(scene.info().club, told);
        let theirs: PlayerInfo = scene.get(number::GET_PLAYER_INFO, strange.persona.0);
        assert_eq!(theirs.club, 0, "who is in none");
    }
    let _ = scene.game.store.clubs().leave(scene.brown.persona, Now::read()).unwrap();
    assert_eq!(scene.info().club, 0);
}

#[test]
fn what_108_counts_is_what_the_lists_hold() {
    let mut scene = Scene::connected();
    let brown = scene.brown.persona;
    let garage = scene.game.store.garage();
    let car = |model| CarPurchase {
        model: BrandedPartId(model),
        skin: SkinId(0),
        flags: 0,
        car_class: 1,
        price: 0,
        parts: Vec::new(),
        first_car: false,
    };
    for _ in 0..256 {
        let _ = garage.buy_car(brown, car(101), Now::read()).unwrap();
    }
    for _ in 0..600 {
        let horn = PartPurchase { price: 0, parts: vec![new_part(22_009)] };
        let _ = garage.buy_part(brown, &horn, &|_| 1000, Now::read()).unwrap();
    }
    let info = scene.info();
    assert_eq!((info.vehicles, scene.cars().len()), (255, 255));
    assert_eq!((info.inventory_slots_used, info.max_inventory_slots), (600, 1000));
    let answers = scene.generic(174, 0).replies;
    assert!(answers.iter().all(|answer| answer.sequence == 12 && answer.encrypted));
    let lists: Vec<OwnedParts> = answers.iter().map(|answer| answer.body.read().unwrap()).collect();
    assert_eq!(lists.iter().map(|list| list.parts.len()).collect::<Vec<_>>(), [255, 255, 90]);
    let parts: std::collections::BTreeSet<_> =
        lists.iter().flat_map(|list| list.parts.iter().map(|part| part.part.part)).collect();
    assert_eq!(parts.len(), 600, "each once");
}

#[test]
fn cars_that_an_older_program_sold_without_parts_get_them_once() {
    let mut scene = Scene::connected();
    let brown = scene.brown.persona;
    let assemblies = [1001, 2001, 4001, 5001, 6001, 15_001, 36_001, 37_001].map(new_part);
    let old = |model| CarPurchase {
        model: BrandedPartId(model),
        skin: SkinId(0),
        flags: 0,
        car_class: 1,
        price: 0,
        parts: assemblies.to_vec(),
        first_car: false,
    };
    let garage = scene.game.store.garage();
    let plain = garage.buy_car(brown, old(120), Now::read()).unwrap().value;
    let known = garage.buy_car(brown, old(113), Now::read()).unwrap().value;
    furnish_old_cars(&scene.game);
    let parts = scene.game.store.garage().parts_of(plain).unwrap();
    let whole = scene.game.catalog.stock_parts(BrandedPartId(120)).unwrap();
    assert_eq!(parts.len(), whole.len());
    for (part, stock) in parts.iter().zip(&whole) {
        assert_eq!((part.branded_part, part.attachment_point), (stock.branded_part, stock.attachment_point));
        assert_eq!((part.owner, part.vehicle), (brown, Some(plain)));
        let parent = stock.parent.map_or(plain.part(), |at| parts[at].id);
        assert_eq!(part.parent, Some(parent));
    }
    assert_eq!(scene.game.store.garage().parts_of(known).unwrap().len(), 8, "somebody took it apart");
    for part in &parts[8..] {
        scene.generic(214, part.id.0);
    }
    furnish_old_cars(&scene.game);
    assert_eq!(scene.game.store.garage().parts_of(plain).unwrap().len(), 8, "not a second time");
    let ids: std::collections::BTreeSet<_> = parts.iter().map(|part| part.id).collect();
    assert_eq!(ids.len(), 40);
    scene.is_sound();
}
