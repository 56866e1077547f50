//! Parts come out and go in, are repaired and scrapped.

use super::*;

#[test]
fn a_part_comes_out_another_goes_in_and_the_car_counts_it() {
    let (mut scene, car) = Scene::garage();
    let (old, exhaust) = (scene.part(car, MUFFLER), scene.part(car, EXHAUST));
    let before = scene.balance();
    let new = scene.buy(MUFFLER);
    assert_eq!(before - scene.balance(), 49);
    assert_eq!(scene.ask(install(new, exhaust.0, 0)), failed(Number(181)), "the place is taken");
    assert_eq!(scene.delta(car), 0);

    assert_eq!(scene.change(GenericRequest::body(Number(182), old.0)), success(Number(182)));
    assert_eq!(scene.delta(car), 1);
    let inventory: Vec<_> = scene.inventory().iter().map(|part| part.part.part).collect();
    assert_eq!(inventory, [old, new]);
    assert_eq!(scene.parts(car.0).len(), 40);

    for (parent, point) in
        [(car.0, 0), (exhaust.0, 12), (exhaust.0, u32::MAX), (old.0, 0), (new.0, 0), (0, 0)]
    {
        let answer = scene.ask(install(new, parent, point));
        assert_eq!(answer.number(), Some(number::FAILED), "at {point} of {parent}");
    }
    assert_eq!(scene.change(install(new, exhaust.0, 0)), success(Number(181)));
    assert_eq!(scene.delta(car), 2);
    assert_eq!(scene.part(car, MUFFLER), new);
    assert_eq!(scene.inventory().len(), 1);
    assert_eq!(scene.ask(install(new, exhaust.0, 0)), failed(Number(181)), "it is installed already");
    assert_eq!(
        scene.ask(GenericRequest::body(Number(182), old.0)),
        failed(Number(182)),
        "it is loose already"
    );
    assert_eq!(
        scene.ask(GenericRequest::body(Number(182), car.0)),
        failed(Number(182)),
        "a car is no part of itself"
    );
    scene.is_sound();
}

#[test]
fn a_part_for_another_family_of_engines_is_refused_and_stays_loose() {
    const CAMSHAFT: u32 = 1_100_119;
    const OF_THE_BEL_AIR: u32 = 1_100_001;
    for (mut scene, car) in [Scene::garage(), Scene::imported_garage()] {
        let (engine, own) = (scene.part(car, 36_001), scene.part(car, CAMSHAFT));
        let strange = scene.give_part(OF_THE_BEL_AIR);
        assert_eq!(scene.change(GenericRequest::body(Number(182), own.0)), success(Number(182)));
        let before = (scene.parts(car.0), scene.inventory(), scene.delta(car));
        assert_eq!(scene.ask(install(strange, engine.0, 0)), failed(Number(181)), "made for a Chevrolet");
        assert_eq!((scene.parts(car.0), scene.inventory(), scene.delta(car)), before);
        assert_eq!(scene.change(install(own, engine.0, 0)), success(Number(181)));
        // Another block would not go with what is in the engine.
        let block = scene.part(car, 160_026);
        let other_block = scene.give_part(160_006);
        scene.change(GenericRequest::body(Number(182), block.0));
        assert_eq!(scene.ask(install(other_block, engine.0, 0)), failed(Number(181)));
        assert_eq!(scene.change(install(block, engine.0, 0)), success(Number(181)));
        scene.is_sound();
    }
}

#[test]
fn a_part_that_makes_a_difference_moves_a_car_to_the_modified_class() {
    const EXHAUST_PIPE: u32 = 290_001;
    for (mut scene, car) in [Scene::garage(), Scene::imported_garage()] {
        let class = |scene: &mut Scene| scene.get::<VehicleInfo>(Number(145), car.0).car_class;
        assert_eq!(class(&mut scene), 2, "a shoebox");
        scene.game.config.compat.car_class = ClassForm::Race;
        assert_eq!(class(&mut scene), 0, "a stock car");
        let (exhaust, own) = (scene.part(car, EXHAUST), scene.part(car, EXHAUST_PIPE));
        scene.change(GenericRequest::body(Number(182), own.0));
        assert_eq!(class(&mut scene), 0, "something is missing, nothing strange is in it");
        let other = scene.give_part(290_003);
        assert_eq!(scene.change(install(other, exhaust.0, 0)), success(Number(181)));
        assert_eq!(class(&mut scene), 2, "modified");
        scene.change(GenericRequest::body(Number(182), other.0));
        assert_eq!(scene.change(install(own, exhaust.0, 0)), success(Number(181)));
        assert_eq!(class(&mut scene), 0, "as it was sold");
    }
}

#[test]
fn a_part_that_wears_out_soon_is_worth_less_for_the_same_wear() {
    for ((mut scene, _), (most, worth)) in [
        (Scene::garage(), (crate::catalog::MAX_WEAR, 23)),
        (Scene::imported_garage(), (sample::MUFFLER_WEAR, 12)),
    ] {
        let car = scene.cars()[0].0;
        let muffler = scene.part(car, MUFFLER);
        let reported = [(muffler, 0, 750)];
        let _ = scene
            .game
            .store
            .races()
            .damage((mco_proto::ids::RaceId(1), false), scene.brown.persona, car, &reported)
            .unwrap();
        let parts = scene.parts(car.0);
        let worn = parts.iter().find(|part| part.part.part == muffler).unwrap();
        assert_eq!((worn.max_wear, worn.part.junk_price), (most, worth));
        let before = scene.balance();
        assert!(scene.scrap(muffler.0));
        assert_eq!(scene.balance(), before + worth);
    }
}

#[test]
fn an_assembly_comes_out_with_its_parts_and_goes_back_with_them() {
    let (mut scene, car) = Scene::garage();
    let engine = scene.part(car, 36_001);
    let whole = scene.parts(car.0);
    scene.change(GenericRequest::body(Number(182), engine.0));
    let taken = scene.parts(engine.0);
    assert_eq!((taken.len(), taken[0].part.part, taken[0].part.parent), (15, engine, PartId(0)));
    assert_eq!(scene.inventory().len(), 1, "what is fixed to it is not listed by itself");
    assert_eq!(scene.parts(car.0).len(), 41 - 15);
    // Out of the loose engine, and back into it.
    let block = taken.iter().find(|part| part.part.branded_part.0 == 160_026).unwrap().part.part;
    assert_eq!(scene.change(GenericRequest::body(Number(182), block.0)), success(Number(182)));
    assert_eq!(
        scene.ask(install(engine, block.0, 0)),
        failed(Number(181)),
        "an engine does not hang on its block"
    );
    assert_eq!(scene.change(install(block, engine.0, 0)), success(Number(181)));
    assert_eq!(scene.change(install(engine, car.0, 0)), success(Number(181)));
    let ids = |parts: &[PricedPart]| {
        let mut ids: Vec<_> = parts.iter().map(|part| (part.part.part, part.part.parent)).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&scene.parts(car.0)), ids(&whole));
    assert!(scene.inventory().is_empty());
}

#[test]
fn repairs_cost_what_the_client_was_shown() {
    let (mut scene, car) = Scene::garage();
    scene.game.store.personas().set_money_for_tests(scene.brown.persona, 50_000);
    scene.wreck(car, 40);
    let parts = scene.parts(car.0);
    let muffler = parts.iter().find(|part| part.part.branded_part.0 == MUFFLER).unwrap();
    assert_eq!((muffler.part.damage, muffler.part.repair_price), (40, 20));
    let before = scene.balance();
    assert_eq!(scene.change(GenericRequest::body(Number(177), muffler.part.part.0)), success(Number(177)));
    assert_eq!(scene.balance(), before - 20);
    let rest: u32 = scene.parts(car.0).iter().map(|part| part.part.repair_price).sum();
    assert!(rest > 0);
    assert_eq!(scene.change(GenericRequest::body(Number(178), car.0)), success(Number(178)));
    assert_eq!(scene.balance(), before - 20 - rest);
    assert!(scene.parts(car.0).iter().all(|part| part.part.damage == 0 && part.part.repair_price == 0));
    let delta = scene.delta(car);
    assert_eq!(
        scene.ask(GenericRequest::body(Number(178), car.0)),
        success(Number(178)),
        "nothing to repair is no failure"
    );
    assert_eq!((scene.balance(), scene.delta(car)), (before - 20 - rest, delta));
    for id in [0, 4711, u32::MAX] {
        for repair in [177, 178] {
            let refused = GenericReply::failed(Number(repair), Some(number::INVALID_VEHICLE));
            assert_eq!(scene.ask(GenericRequest::body(Number(repair), id)), refused);
        }
    }
    scene.is_sound();
}

#[test]
fn a_part_is_scrapped_once_for_what_the_client_was_shown_and_without_an_answer() {
    let (mut scene, car) = Scene::garage();
    let horn = scene.buy(22_009);
    let before = scene.balance();
    assert!(scene.scrap(horn.0));
    assert_eq!(scene.balance(), before + 12);
    assert!(scene.inventory().is_empty());
    for id in [horn.0, 0, u32::MAX, car.0] {
        assert!(!scene.scrap(id), "{id}: gone, unknown, or the last car");
    }
    assert_eq!(scene.balance(), before + 12);
    let exhaust = scene.part(car, EXHAUST);
    let worth: u32 = scene
        .parts(car.0)
        .iter()
        .filter(|part| part.part.parent == exhaust)
        .map(|part| part.part.junk_price)
        .sum();
    assert!(scene.scrap(exhaust.0));
    assert_eq!(scene.balance(), before + 12 + worth);
    let spare =
        scene.game.store.garage().buy_car(scene.brown.persona, small_car(113), Now::read()).unwrap().value;
    assert!(scene.scrap(car.0), "not the last car any more");
    assert_eq!((scene.cars().len(), scene.info().vehicle), (1, spare));
    scene.is_sound();
}
