//! Signing in and out, the first car, and what lasts.

use super::*;
use crate::clock::Now;
use mco_proto::mcots::Number;

#[test]
fn the_first_packet_is_answered_in_clear_and_hands_over_the_key() {
    let mut scene = Scene::fresh();
    let body = connect(scene.brown.customer, scene.brown.persona);
    let outcome = scene.send(CLEAR, body);
    assert_eq!(outcome.replies, [Outgoing { sequence: 12, encrypted: false, body: success(Number(438)) }]);
    assert!(outcome.start_encryption == Some(scene.brown.key.clone()) && !outcome.close);
    assert!(scene.caller.signed_in());
}

#[test]
fn whoever_is_not_signed_in_is_shown_the_door_without_a_word_why() {
    let mut scene = Scene::fresh();
    let (brown, strange) = (scene.brown.clone(), scene.game.player("strange", "Stranger", peer()));
    let elsewhere = scene.game.player("else", "Elsewhere", "10.10.5.9".parse().unwrap());
    let revoked = scene.game.player("revoked", "Revoked", peer());
    scene.game.world.sessions.revoke(revoked.customer);
    for (customer, persona) in [
        (CustomerId(4711), brown.persona),
        (strange.customer, brown.persona),
        (brown.customer, PersonaId(4711)),
        (brown.customer, strange.persona),
        (elsewhere.customer, elsewhere.persona),
        (revoked.customer, revoked.persona),
        (CustomerId(0), PersonaId(0)),
    ] {
        let outcome = scene.send(CLEAR, connect(customer, persona));
        assert!(outcome.close && outcome.replies.is_empty() && outcome.start_encryption.is_none());
        assert!(!scene.caller.signed_in());
    }
}

#[test]
fn a_second_connect_changes_nothing() {
    let mut scene = Scene::connected();
    let strange = scene.game.player("strange", "Stranger", peer());
    for flags in [CLEAR, SEALED] {
        let outcome = scene.send(flags, connect(strange.customer, strange.persona));
        assert!(outcome.replies.is_empty() && outcome.start_encryption.is_none() && !outcome.close);
    }
    assert_eq!(scene.info().player, scene.brown.persona);
}

#[test]
fn what_comes_in_clear_is_refused_in_clear() {
    let mut scene = Scene::fresh();
    for asked in [number::GET_LOBBIES, number::LOGIN, number::GET_PLAYER_INFO, Number(4711)] {
        let outcome = scene.send(CLEAR, GenericRequest::body(asked, 0));
        assert_eq!(outcome.replies, [Outgoing { sequence: 12, encrypted: false, body: failed(asked) }]);
    }
    let mut scene = Scene::connected();
    let brown = scene.brown.persona.0;
    for asked in [number::GET_PLAYER_INFO, number::STOCK_CAR_INFO, number::DELETE_PERSONA] {
        let outcome = scene.send(CLEAR, GenericRequest::body(asked, brown));
        assert_eq!(outcome.replies, [Outgoing { sequence: 12, encrypted: false, body: failed(asked) }]);
    }
    let persona = scene.brown.persona;
    assert!(scene.game.store.personas().by_id(persona).unwrap().is_some());
}

#[test]
fn login_is_complete_with_zeros_behind_the_flag() {
    let mut scene = Scene::connected();
    let complete = scene.ask(scene.login(0, 0, 0));
    assert_eq!((complete.number(), complete.0.len()), (Some(Number(213)), 173));
    let complete: LoginComplete = complete.read().unwrap();
    assert_eq!(complete, LoginComplete::new(complete.server_time, true, complete.next_paycheck));
    let midnight =
        (complete.next_paycheck.hour, complete.next_paycheck.minute, complete.next_paycheck.second);
    assert!(complete.next_paycheck.year >= 2026 && midnight == (0, 0, 0), "{:?}", complete.next_paycheck);
    assert!(u64::from(complete.server_time).abs_diff(Now::read().unix) < 60);
}

#[test]
fn login_as_somebody_else_is_refused() {
    let mut scene = Scene::connected();
    let strange = scene.game.player("strange", "Stranger", peer());
    let mixed = TestPlayer { persona: strange.persona, ..scene.brown.clone() };
    for other in [strange, mixed] {
        assert_eq!(scene.ask(login(&other, 8, 101, 0)), failed(number::LOGIN));
        assert!(scene.game.store.garage().vehicles(other.persona).unwrap().is_empty());
        assert!(!scene.game.world.presence.in_use(other.persona, Now::read()));
    }
}

#[test]
fn first_time_ends_with_the_second_sitting_and_a_car() {
    let mut scene = Scene::connected();
    let sitting = |scene: &Scene| {
        scene.game.store.personas().update(scene.brown.persona, |brown| brown.logins += 1).unwrap()
    };
    let first_time = |scene: &mut Scene, dealer, model| {
        let body = scene.login(dealer, model, 0);
        scene.ask(body).read::<LoginComplete>().unwrap().flags == LoginComplete::FIRST_TIME
    };
    sitting(&scene).ticket.wait().unwrap();
    assert!(first_time(&mut scene, 0, 0));
    sitting(&scene).ticket.wait().unwrap();
    assert!(first_time(&mut scene, 0, 0), "no car yet");
    assert!(first_time(&mut scene, 8, 101));
    assert!(!first_time(&mut scene, 0, 0));
}

#[test]
fn the_first_car_is_bought_with_the_login_and_only_once() {
    let mut scene = Scene::connected();
    let price = scene.game.catalog.offer(DealerId(8), BrandedPartId(104), Now::read().day()).unwrap().price;
    let body = scene.login(8, 104, 0);
    assert_eq!(scene.change(body.clone()).number(), Some(Number(213)));
    let cars = scene.cars();
    assert_eq!(cars.len(), 1);
    assert_eq!(cars[0].1, BrandedPartId(104));
    let info = scene.info();
    assert_eq!((info.bank_balance, info.vehicles, info.vehicle), (20_000 - price, 1, cars[0].0));

    let car: VehicleInfo = scene.get(number::GET_COMPLETE_VEHICLE_INFO, cars[0].0.0);
    assert_eq!(
        (car.owner, car.vehicle, car.skin, car.car_class),
        (scene.brown.persona, cars[0].0, SkinId(47), 2)
    );
    assert_eq!((car.damage.len(), car.parts.len()), (2000, 40));
    assert_eq!(car.parts.iter().filter(|part| part.parent == car.vehicle.part()).count(), 8);
    let ids: Vec<_> = car.parts.iter().map(|part| part.part).collect();
    assert!(car.parts[8..].iter().all(|part| ids.contains(&part.parent)));

    for again in [body, scene.login(8, 101, 0)] {
        assert_eq!(scene.ask(again).number(), Some(Number(213)));
    }
    assert_eq!((scene.cars(), scene.info().bank_balance), (cars, 20_000 - price));
}

#[test]
fn a_driver_who_comes_back_another_week_finds_the_salary_in_the_bank() {
    let mut scene = Scene::connected();
    let body = scene.login(0, 0, 0);
    scene.ask(body.clone());
    assert_eq!(scene.info().bank_balance, 20_000);
    // As if the last time had been long ago.
    scene.game.store.personas().forget_pay_for_tests(scene.brown.persona);
    assert_eq!(scene.change(body.clone()).number(), Some(Number(213)), "told when it is on the card");
    assert_eq!(scene.info().bank_balance, 21_000);
    scene.ask(body);
    assert_eq!(scene.info().bank_balance, 21_000);
    assert_eq!(scene.game.store.ledger().check().unwrap().differences, []);
}

#[test]
fn a_paint_that_was_picked_is_kept() {
    let mut scene = Scene::connected();
    let body = scene.login(6, 101, 815);
    scene.change(body);
    let (car, _) = scene.cars()[0];
    assert_eq!(scene.get::<VehicleInfo>(number::GET_COMPLETE_VEHICLE_INFO, car.0).skin, SkinId(815));
}

#[test]
fn a_car_that_cannot_be_had_leaves_the_login_alone() {
    let mut scene = Scene::connected();
    // Too dear, no car for sale, nothing that exists.
    for (dealer, model) in [(8, 117), (8, 402), (u32::MAX, u32::MAX)] {
        let body = scene.login(dealer, model, 0);
        assert_eq!(scene.change(body).number(), Some(Number(213)), "with a mail about it");
    }
    assert!(scene.cars().is_empty());
    assert_eq!(scene.info().bank_balance, 20_000);
    let body = scene.login(8, 101, 0);
    scene.change(body);
    assert_eq!(scene.cars().len(), 1, "the choice is still open");
}

#[test]
fn a_car_picked_at_a_lot_that_does_not_exist_comes_from_one_that_has_it() {
    // The only login with a first car that was ever logged: dealer 0x800, model 0x69, paint 0x375 (*captured*, 2018).
    let mut scene = Scene::connected();
    let body = scene.login(0x800, 0x69, 0x375);
    scene.change(body);
    assert_eq!(scene.cars()[0].1, BrandedPartId(0x69));
}

#[test]
fn two_connections_that_choose_at_once_get_one_car() {
    for _ in 0..8 {
        let scene = Scene::connected();
        let game = Arc::new(scene.game);
        let start = Arc::new(Barrier::new(2));
        let buyers = [101, 356].map(|model| {
            let (game, start, brown) = (Arc::clone(&game), Arc::clone(&start), scene.brown.clone());
            std::thread::spawn(move || {
                let mut caller = new_caller(&game);
                let mut send = |flags, body| {
                    answer(&game, &mut caller, &Incoming { sequence: 1, flags, body }, Now::read())
                };
                let _ = send(CLEAR, connect(brown.customer, brown.persona));
                start.wait();
                send(SEALED, login(&brown, 8, model, 0)).replies[0].body.number()
            })
        });
        assert_eq!(buyers.map(|buyer| buyer.join().unwrap()), [Some(Number(213)), Some(Number(213))]);
        let cars = game.store.garage().vehicles(scene.brown.persona).unwrap();
        let [car] = &cars[..] else { panic!("{} cars", cars.len()) };
        let price = game.catalog.offer(DealerId(8), car.model, Now::read().day()).unwrap().price;
        let brown = game.store.personas().by_id(scene.brown.persona).unwrap().unwrap();
        assert_eq!(brown.bank_balance, 20_000 - price);
    }
}

#[test]
fn what_was_answered_survives_a_restart() {
    let mut scene = Scene::connected();
    for body in [
        scene.login(8, 356, 0),
        options().body(),
        looks(scene.brown.persona).body(),
        words("Drives at 88\r\nmiles per hour"),
    ] {
        scene.change(body);
    }
    let (cars, info) = (scene.cars(), scene.info());
    let car: VehicleInfo = scene.get(number::GET_COMPLETE_VEHICLE_INFO, cars[0].0.0);

    let mut scene = scene.restart();
    assert_eq!((scene.cars(), scene.get(number::GET_COMPLETE_VEHICLE_INFO, cars[0].0.0)), (cars, car));
    let again = scene.info();
    assert_eq!((again.bank_balance, again.vehicle), (info.bank_balance, info.vehicle));
    assert_eq!(
        (again.name.to_string().as_str(), again.plate_text.to_string().as_str()),
        ("Dr Brown", "MCO 57")
    );
    assert_eq!((again.plate_code, again.car_info_setting), (0x0120, 3));
    assert_eq!(again.car_numbers, options().car_numbers);
    assert_eq!(again.description.to_string(), "Drives at 88\r\nmiles per hour");
    let brown = scene.brown.persona;
    assert_eq!(scene.get::<PlayerPhysicalInfo>(Number(264), brown.0).physical, looks(brown).physical);
    let body = scene.login(8, 101, 0);
    scene.ask(body);
    assert_eq!(scene.cars().len(), 1, "the first car was chosen before");
}

#[test]
fn only_the_persona_of_the_connection_can_be_deleted_and_a_second_time_is_fine() {
    let mut scene = Scene::connected();
    let strange = scene.game.player("strange", "Stranger", peer());
    assert_eq!(scene.ask(GenericRequest::body(Number(320), strange.persona.0)), failed(Number(320)));
    assert!(scene.game.store.personas().by_id(strange.persona).unwrap().is_some());

    let brown = scene.brown.persona;
    assert_eq!(
        scene.ask(GenericRequest::body(Number(320), brown.0)),
        failed(Number(320)),
        "not on its first day"
    );
    scene.game.config.game.deletion_day = 1;
    let session = scene.brown.session;
    scene.game.world.presence.select(brown, &[session], Now::read());
    let lobby = scene.game.world.new_connection();
    scene.game.world.presence.arrive(brown, lobby, session, Now::read()).unwrap();
    let body = scene.login(8, 101, 0);
    scene.change(body);
    let outcome = scene.send(SEALED, GenericRequest::body(Number(320), brown.0));
    assert_eq!(outcome.replies[0].body, success(Number(320)));
    assert!(matches!(&outcome.pushes[..], [Push::Dismiss(others)] if others == &[lobby]));
    outcome.commit.unwrap().wait().unwrap();
    assert!(scene.game.store.personas().by_id(brown).unwrap().is_none());
    assert!(scene.game.store.garage().vehicles(brown).unwrap().is_empty());

    assert_eq!(scene.ask(GenericRequest::body(Number(320), brown.0)), success(Number(320)));
    let body = scene.login(0, 0, 0);
    assert_eq!(scene.ask(body), failed(number::LOGIN));
    assert_eq!(scene.ask(options().body()), failed(number::SET_OPTIONS));
}

#[test]
fn a_persona_is_in_the_game_from_its_first_message_until_its_connection_is_gone() {
    let mut scene = Scene::connected();
    let brown = scene.brown.persona;
    scene.ask(GenericRequest::body(number::DELETE_PERSONA, brown.0));
    let in_use = |scene: &Scene| scene.game.world.presence.in_use(brown, Now::read());
    assert!(!in_use(&scene), "a short connection to delete a persona does not count");
    let body = scene.login(0, 0, 0);
    scene.ask(body);
    assert!(in_use(&scene) && scene.info().is_logged_on.0);
    assert!(leave(&scene.game, &scene.caller, Now::read()).pushes.is_empty());
    assert!(!scene.game.world.presence.in_use(brown, Now::read()));
    assert!(leave(&scene.game, &new_caller(&scene.game), Now::read()).pushes.is_empty());
}

#[test]
fn the_recorded_way_to_the_home_screen_and_out_is_answered_step_by_step() {
    let mut scene = Scene::connected();
    let brown = scene.brown.persona.0;
    let body = scene.login(8, 104, 0);
    scene.change(body);
    let car = scene.cars()[0].0.0;
    let steps: &[(Number, u32, &[Number])] = &[
        (Number(324), 0, &[Number(325), Number(408)]),
        (Number(322), 0, &[Number(323)]),
        (Number(363), 0, &[Number(364)]),
        (Number(389), 0, &[Number(390)]),
        (Number(172), brown, &[Number(173)]),
        (Number(108), brown, &[Number(108)]),
        (Number(264), brown, &[Number(265)]),
        (Number(174), 0, &[Number(175)]),
        (Number(145), car, &[Number(123)]),
        (Number(361), brown, &[Number(362)]),
        (Number(440), 0, &[]),
        (Number(106), 0, &[Number(101)]),
    ];
    for (asked, data, wanted) in steps {
        let outcome = scene.send(SEALED, GenericRequest::body(*asked, *data));
        let numbers: Vec<_> = outcome.replies.iter().filter_map(|reply| reply.body.number()).collect();
        assert_eq!((numbers.as_slice(), outcome.close), (*wanted, false), "to {asked}");
    }
}

#[test]
fn who_does_not_know_the_key_gets_no_encrypted_answer() {
    let (game, _folder) = Game::for_tests();
    let player = game.player("doc", "Dr Brown", peer());
    let first = |body: Body, encrypted| {
        let mut caller = unproven_caller(&game);
        let now = Now::read();
        let hello = Incoming { sequence: 1, flags: Flags(0), body: connect(player.customer, player.persona) };
        assert_eq!(answer(&game, &mut caller, &hello, now).replies.len(), 1);
        let flags = Flags(if encrypted { Flags::ENCRYPTED } else { 0 });
        let outcome = answer(&game, &mut caller, &Incoming { sequence: 3, flags, body }, now);
        (outcome.replies.len(), outcome.close)
    };
    let names = |id: u32| GenericRequest::body(number::GET_MCO_TUNABLES, id);
    for body in [
        Body(Vec::new()),
        Body(vec![7; 16]),
        names(0),
        names(player.customer.0 + 1),
        Body([&[0xff, 0xff][..], &player.customer.0.to_le_bytes()].concat()),
        Body(number::GET_MCO_TUNABLES.0.to_le_bytes().to_vec()),
    ] {
        assert_eq!(first(body.clone(), true), (0, true), "{body:?}");
    }
    for id in [player.customer.0, player.persona.0] {
        assert_eq!(first(names(id), true), (1, false));
    }
}

#[test]
fn a_persona_is_on_one_pc_only_whether_the_other_says_105_or_leaves_it_out() {
    let mut scene = Scene::connected();
    scene.info();
    let key = SessionKey::random();
    let sessions = &scene.game.world.sessions;
    let elsewhere: SocketAddr = "10.10.5.9:1042".parse().unwrap();
    let played = scene.game.world.presence.sessions();
    sessions.begin(scene.brown.customer, key, elsewhere.ip(), &played, Now::read()).unwrap();
    let other = ConnectionState::new(scene.game.world.new_connection(), elsewhere, LOCAL.parse().unwrap());
    let older = std::mem::replace(&mut scene.caller, ConnectionState { proven: true, ..other });
    scene.send(CLEAR, connect(scene.brown.customer, scene.brown.persona));
    let taken_over =
        scene.send(SEALED, GenericRequest::body(number::GET_OWNED_VEHICLES, scene.brown.persona.0));
    assert!(
        matches!(&taken_over.pushes[..], [Push::Dismiss(ended)] if *ended == [older.connection]),
        "{:?}",
        taken_over.pushes
    );
    assert_eq!(taken_over.replies.len(), 1);
    scene.caller = older;
    let refused = scene.send(SEALED, GenericRequest::body(number::GET_OWNED_VEHICLES, scene.brown.persona.0));
    assert!(refused.close && refused.replies.is_empty());
    // Nor does the older one come back on a new connection without choosing the persona anew.
    scene.caller = new_caller(&scene.game);
    scene.send(CLEAR, connect(scene.brown.customer, scene.brown.persona));
    let refused = scene.send(SEALED, GenericRequest::body(number::BUY_NEW_PART, 22_009));
    assert!(refused.close && refused.replies.is_empty());
}
