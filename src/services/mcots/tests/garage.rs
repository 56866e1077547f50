//! The garage through its messages.

mod workshop;

use super::*;
use crate::catalog::{Catalog, sample};
use crate::clock::Now;
use crate::config::ClassForm;
use crate::store::{Kind, NewPart, Part, PartPurchase};
use mco_proto::ids::PartId;
use mco_proto::mcots::Number;
use mco_proto::mcots::garage::{AttachmentPoint, InstallPart, PricedPart, PurchaseStockCar};

const MUFFLER: u32 = 300_001;
const EXHAUST: u32 = 37_001;

impl Scene {
    fn garage() -> (Self, VehicleId) {
        let mut scene = Self::connected();
        let bought = scene.change(purchase(104, 0));
        let car = VehicleId(bought.record::<GenericReply>().unwrap().data);
        (scene, car)
    }

    /// The same with the owner's own catalogue.
    fn imported_garage() -> (Self, VehicleId) {
        let mut scene = Self::connected();
        scene.game.catalog = Catalog::of(sample::catalogue());
        let car = VehicleId(scene.change(purchase(104, 0)).record::<GenericReply>().unwrap().data);
        (scene, car)
    }

    fn parts(&mut self, id: u32) -> Vec<PricedPart> {
        self.get::<AssemblyParts>(number::GET_ASSEMBLY_PARTS, id).parts.to_vec()
    }

    fn inventory(&mut self) -> Vec<PricedPart> {
        self.get::<OwnedParts>(number::GET_OWNED_PARTS, 0).parts.to_vec()
    }

    /// The part of that number in a car.
    fn part(&mut self, car: VehicleId, branded: u32) -> PartId {
        let parts = self.parts(car.0);
        parts.iter().find(|part| part.part.branded_part == BrandedPartId(branded)).unwrap().part.part
    }

    fn delta(&mut self, car: VehicleId) -> u32 {
        self.get::<VehicleInfo>(number::GET_COMPLETE_VEHICLE_INFO, car.0).delta
    }

    fn balance(&mut self) -> u32 {
        self.info().bank_balance
    }

    fn buy(&mut self, part: u32) -> PartId {
        let bought: GenericReply = self.change(GenericRequest::body(Number(176), part)).record().unwrap();
        assert!(bought.request == Number(176) && bought.result == bought.data);
        PartId(bought.data)
    }

    /// A part in the inventory, for nothing.
    fn give_part(&mut self, part: u32) -> PartId {
        let part = NewPart { branded_part: BrandedPartId(part), parent: None, attachment_point: 0 };
        let purchase = PartPurchase { price: 0, parts: vec![part] };
        self.game.store.garage().buy_part(self.brown.persona, &purchase, &|_| 100, Now::read()).unwrap().value
    }

    /// As after a race.
    fn wreck(&mut self, car: VehicleId, damage: u8) {
        self.game.store.garage().wreck_for_tests(car, damage);
    }

    fn scrap(&mut self, part: u32) -> bool {
        let outcome = self.send(SEALED, GenericRequest::body(Number(214), part));
        assert!(outcome.replies.is_empty());
        outcome.commit.map(|ticket| ticket.wait().unwrap()).is_some()
    }
}

fn purchase(model: u32, trade_in: u32) -> Body {
    PurchaseStockCar {
        dealer: DealerId(8),
        model: BrandedPartId(model),
        skin: SkinId(3),
        trade_in: VehicleId(trade_in),
    }
    .body()
}

fn install(part: PartId, parent: u32, point: u32) -> Body {
    InstallPart { part, parent: PartId(parent), point: AttachmentPoint(point) }.body()
}

#[test]
fn a_first_car_is_bought_once_however_it_is_asked_for() {
    let (mut scene, car) = Scene::garage();
    assert_eq!(scene.cars(), [(car, BrandedPartId(104))]);
    let price = 20_000 - scene.balance();
    assert!(scene.game.catalog.car(BrandedPartId(104)).unwrap().price >= price);
    let body = scene.login(8, 113, 0);
    scene.ask(body);
    assert_eq!(scene.cars().len(), 1);
    assert_eq!(scene.info().vehicle, car);
    scene.is_sound();
}

#[test]
fn an_old_car_pays_for_a_part_of_the_new_one_and_goes_to_the_junkyard() {
    let (mut scene, car) = Scene::garage();
    let before = scene.balance();
    let list = scene.game.catalog.car(BrandedPartId(104)).unwrap().price;
    scene.wreck(car, 50);
    let cheapest = scene
        .get::<StockCarInfo>(Number(141), 8)
        .cars
        .iter()
        .map(|car| (car.price, car.model))
        .min()
        .unwrap();
    let answer = scene.ask(purchase(cheapest.1.0, car.0));
    if before + list / 4 < cheapest.0 {
        assert_eq!(answer, GenericReply::failed(Number(142), Some(number::INSUFFICIENT_FUNDS)));
        return;
    }
    let new = scene.cars()[0];
    assert_eq!((answer, new.1), (mco_proto::mcots::reply::car_bought(new.0), cheapest.1));
    assert_eq!(scene.cars().len(), 1);
    assert_eq!(scene.info().vehicle, new.0);
    assert_eq!(scene.balance(), before + list / 4 - cheapest.0);
    let wreck: VehicleInfo = scene.get(Number(145), car.0);
    assert_eq!(wreck.owner, PersonaId(9));
    let kinds: Vec<_> = scene.game.store.ledger().of(scene.brown.persona).unwrap();
    let kinds: Vec<_> = kinds.iter().map(|(_, line)| line.kind).collect();
    assert_eq!(kinds, [Kind::StarterCash, Kind::CarBought, Kind::TradeIn, Kind::CarBought]);
    // It is nobody's to sell again.
    assert_eq!(
        scene.ask(purchase(104, car.0)),
        GenericReply::failed(Number(142), Some(number::INVALID_VEHICLE))
    );
    scene.is_sound();
}

#[test]
fn a_purchase_that_cannot_be_is_refused_with_its_reason() {
    let (mut scene, car) = Scene::garage();
    let before = (scene.cars(), scene.balance(), scene.inventory());
    let dearest = scene
        .get::<StockCarInfo>(Number(141), 1)
        .cars
        .iter()
        .map(|car| (car.price, car.model))
        .max()
        .unwrap();
    let dear =
        PurchaseStockCar { dealer: DealerId(1), model: dearest.1, skin: SkinId(0), trade_in: VehicleId(0) };
    assert_eq!(scene.ask(dear.body()), GenericReply::failed(Number(142), Some(number::INSUFFICIENT_FUNDS)));
    let strange = scene.game.player("strange", "Stranger", peer());
    let theirs =
        scene.game.store.garage().buy_car(strange.persona, small_car(104), Now::read()).unwrap().value;
    for trade_in in [theirs.0, 0x7fff_ffff, u32::MAX, car.0 + 1] {
        let refused = GenericReply::failed(Number(142), Some(number::INVALID_VEHICLE));
        assert_eq!(scene.ask(purchase(101, trade_in)), refused);
    }
    for model in [0, 402, 4711, u32::MAX] {
        assert_eq!(scene.ask(purchase(model, 0)), failed(Number(142)));
    }
    // No part, a car, an assembly and a part that nobody knows, and a kind that hangs on nothing.
    for part in [0, 104, 36_002, 162_000, 28_001, u32::MAX] {
        assert_eq!(scene.ask(GenericRequest::body(Number(176), part)), failed(Number(176)));
    }
    assert_eq!((scene.cars(), scene.balance(), scene.inventory()), before);
    scene.is_sound();
}

#[test]
fn who_is_poor_neither_buys_a_part_nor_has_anything_repaired() {
    let (mut scene, car) = Scene::garage();
    let brown = scene.brown.persona;
    let rest = scene.balance() - 10;
    let spend = CarPurchase { price: rest, ..small_car(101) };
    let _ = scene.game.store.garage().buy_car(brown, spend, Now::read()).unwrap();
    scene.wreck(car, 90);
    let muffler = scene.part(car, MUFFLER);
    let before = (scene.parts(car.0), scene.inventory(), scene.delta(car));
    for (asked, id) in [(176, 160_006), (177, muffler.0), (178, car.0)] {
        let poor = GenericReply::failed(Number(asked), Some(number::INSUFFICIENT_FUNDS));
        assert_eq!(scene.ask(GenericRequest::body(Number(asked), id)), poor);
    }
    assert_eq!((scene.parts(car.0), scene.inventory(), scene.delta(car)), before);
    assert_eq!(scene.balance(), 10);
    scene.is_sound();
}

fn small_car(model: u32) -> CarPurchase {
    let (model, skin) = (BrandedPartId(model), SkinId(1));
    CarPurchase { model, skin, flags: 0, car_class: 2, price: 1, parts: Vec::new(), first_car: false }
}

#[test]
fn a_garage_and_an_inventory_hold_what_the_level_says() {
    let (mut scene, _) = Scene::garage();
    let brown = scene.brown.persona;
    for _ in 0..4 {
        let _ = scene
            .game
            .store
            .garage()
            .buy_car(brown, CarPurchase { price: 0, ..small_car(104) }, Now::read())
            .unwrap();
    }
    assert_eq!(scene.ask(purchase(101, 0)), failed(Number(142)), "five cars are the most at level 1");
    let horn = NewPart { branded_part: BrandedPartId(22_009), parent: None, attachment_point: 0 };
    let horn = PartPurchase { price: 0, parts: vec![horn] };
    for _ in 0..1000 {
        let _ = scene.game.store.garage().buy_part(brown, &horn, &|_| 1000, Now::read()).unwrap();
    }
    assert_eq!(scene.ask(GenericRequest::body(Number(176), 22_009)), failed(Number(176)));
    let info = scene.info();
    assert_eq!((info.inventory_slots_used, info.max_inventory_slots), (1000, 1000));
    let car = scene.cars()[0].0;
    let muffler = scene.part(car, MUFFLER);
    assert_eq!(
        scene.ask(GenericRequest::body(Number(182), muffler.0)),
        failed(Number(182)),
        "no room for it"
    );
    scene.is_sound();
}

#[test]
fn a_car_is_sold_only_in_a_paint_that_is_made_for_it() {
    let (mut scene, car) = Scene::imported_garage();
    let skin = |scene: &mut Scene, car: VehicleId| {
        let seen: VehicleInfo = scene.get(Number(145), car.0);
        (seen.skin, seen.flags)
    };
    assert_eq!(skin(&mut scene, car), (sample::PLAIN_FAIRLANE, 0), "paint 3 is nobody's");
    scene.game.config.game.starter_cash = 1_000_000;
    let rich = scene.game.player("rich", "Rich", peer());
    scene.caller = new_caller(&scene.game);
    scene.send(CLEAR, connect(rich.customer, rich.persona));
    for (wanted, sold) in [
        (sample::FLAMES, (sample::FLAMES, 0)),
        (sample::RUST, (sample::RUST, 1)),
        (sample::NOT_FOR_SALE, (sample::PLAIN_BEL_AIR, 0)),
        (sample::PLAIN_FAIRLANE, (sample::PLAIN_BEL_AIR, 0)),
        (SkinId(0), (sample::PLAIN_BEL_AIR, 0)),
    ] {
        let purchase = PurchaseStockCar { skin: wanted, ..purchase(113, 0).read().unwrap() };
        let bought: GenericReply = scene.change(purchase.body()).record().unwrap();
        assert_eq!(skin(&mut scene, VehicleId(bought.data)), sold, "{wanted}");
    }
    // So it is with the first car, which comes with the login.
    let first = scene.game.player("first", "First", peer());
    scene.caller = new_caller(&scene.game);
    scene.send(CLEAR, connect(first.customer, first.persona));
    scene.change(login(&first, 8, 113, sample::PLAIN_FAIRLANE.0));
    let cars: OwnedVehicles = scene.get(Number(172), first.persona.0);
    assert_eq!(skin(&mut scene, cars.vehicles[0].vehicle), (sample::PLAIN_BEL_AIR, 0));
    scene.is_sound();
}

#[test]
fn what_others_own_cannot_be_touched() {
    let (mut scene, car) = Scene::garage();
    let strange = scene.game.player("strange", "Stranger", peer());
    let parts = scene.game.catalog.stock_parts(BrandedPartId(113)).unwrap();
    let parts = parts.into_iter().map(|part| NewPart {
        branded_part: part.branded_part,
        parent: part.parent,
        attachment_point: part.attachment_point,
    });
    let theirs = CarPurchase { parts: parts.collect(), ..small_car(113) };
    let theirs = scene.game.store.garage().buy_car(strange.persona, theirs, Now::read()).unwrap().value;
    scene.wreck(theirs, 40);
    let mine = scene.buy(MUFFLER);
    let their_exhaust = scene.part(theirs, EXHAUST);
    let their_muffler = scene.part(theirs, MUFFLER);
    let (seen, balance) = (scene.parts(theirs.0), scene.balance());
    for (asked, id) in [(177, their_muffler.0), (178, theirs.0), (182, their_muffler.0)] {
        let refused = GenericReply::failed(Number(asked), Some(number::INVALID_VEHICLE));
        assert_eq!(scene.ask(GenericRequest::body(Number(asked), id)), refused);
    }
    let refused = GenericReply::failed(Number(181), Some(number::INVALID_VEHICLE));
    assert_eq!(scene.ask(install(mine, their_exhaust.0, 0)), refused);
    assert_eq!(scene.ask(install(their_muffler, car.0, 0)), refused);
    assert!(!scene.scrap(their_muffler.0) && !scene.scrap(theirs.0));
    assert_eq!((scene.parts(theirs.0), scene.balance()), (seen, balance));
}

#[test]
fn a_part_that_two_connections_sell_at_once_is_sold_once() {
    let (mut scene, _) = Scene::garage();
    for _ in 0..10 {
        let horn = scene.buy(22_009);
        let before = scene.balance();
        let callers: Vec<_> = (0..4)
            .map(|_| {
                let mut caller = new_caller(&scene.game);
                let hello = connect(scene.brown.customer, scene.brown.persona);
                answer(
                    &scene.game,
                    &mut caller,
                    &Incoming { sequence: 1, flags: CLEAR, body: hello },
                    Now::read(),
                );
                caller
            })
            .collect();
        let barrier = Barrier::new(callers.len());
        std::thread::scope(|scope| {
            for mut caller in callers {
                let (game, barrier) = (&scene.game, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    let body = GenericRequest::body(Number(214), horn.0);
                    answer(game, &mut caller, &Incoming { sequence: 2, flags: SEALED, body }, Now::read())
                });
            }
        });
        assert_eq!(scene.balance(), before + 12);
    }
    scene.is_sound();
}

#[test]
fn a_car_that_two_connections_trade_in_at_once_is_traded_once() {
    let (scene, car) = Scene::garage();
    let rich = CarPurchase { price: 0, ..small_car(101) };
    let spare = scene.game.store.garage().buy_car(scene.brown.persona, rich, Now::read()).unwrap().value;
    let offer = scene.game.catalog.offers(DealerId(8), 0, Now::read().day());
    let cheapest = offer.iter().min_by_key(|offer| offer.price).unwrap().car.model.0;
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let mut caller = new_caller(&scene.game);
            let hello = connect(scene.brown.customer, scene.brown.persona);
            answer(
                &scene.game,
                &mut caller,
                &Incoming { sequence: 1, flags: CLEAR, body: hello },
                Now::read(),
            );
            caller
        })
        .collect();
    let barrier = Barrier::new(callers.len());
    std::thread::scope(|scope| {
        for mut caller in callers {
            let (game, barrier) = (&scene.game, &barrier);
            scope.spawn(move || {
                barrier.wait();
                let body = purchase(cheapest, car.0);
                answer(game, &mut caller, &Incoming { sequence: 2, flags: SEALED, body }, Now::read())
            });
        }
    });
    let lines = scene.game.store.ledger().of(scene.brown.persona).unwrap();
    let traded = lines.iter().filter(|(_, line)| line.kind == Kind::TradeIn).count();
    let cars = scene.game.store.garage().vehicles(scene.brown.persona).unwrap();
    assert_eq!(cars.len(), 2);
    assert_eq!(traded, 1);
    assert!(cars.iter().all(|kept| kept.id != car) && cars.iter().any(|kept| kept.id == spare));
    scene.is_sound();
}

#[test]
fn bodies_cut_anywhere_change_nothing_in_the_garage() {
    let (mut scene, car) = Scene::garage();
    let muffler = scene.part(car, MUFFLER);
    let state = |scene: &mut Scene| (scene.cars(), scene.balance(), scene.parts(car.0), scene.inventory());
    let before = state(&mut scene);
    for whole in [
        purchase(101, car.0),
        GenericRequest::body(Number(182), muffler.0),
        GenericRequest::body(Number(214), muffler.0),
    ] {
        for length in 2..whole.0.len() {
            let outcome = scene.send(SEALED, Body(whole.0[..length].to_vec()));
            assert!(outcome.commit.is_none() && !outcome.close);
        }
    }
    assert_eq!(state(&mut scene), before);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_number_breaks_the_garage(
        asked in prop::sample::select(vec![142_u16, 176, 177, 178, 181, 182, 183, 214, 145]),
        a in prop::sample::select(vec![0_u32, 1, 2, 9, 40, 41, 42, 104, MUFFLER, 0x7fff_ffff, 0x8000_0000, u32::MAX]),
        b in any::<u32>(),
        tail in prop::collection::vec(any::<u8>(), 0..12),
    ) {
        let (mut scene, _) = Scene::garage();
        let mut body = asked.to_le_bytes().to_vec();
        body.extend(a.to_le_bytes());
        body.extend(b.to_le_bytes());
        body.extend(tail);
        scene.send(SEALED, Body(body));
        scene.is_sound();
        let car = scene.cars()[0].0;
        let parts: Vec<Part> = scene.game.store.garage().parts_of(car).unwrap();
        prop_assert!(parts.iter().all(|part| part.owner == scene.brown.persona));
    }
}
