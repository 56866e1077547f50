//! What players may not do, and what is no race message at all.

use super::*;
use mco_proto::mcots::Number;

const CREATE: Number = number::CREATE_STANDARD_RACE;
const JOIN: Number = number::RACE_JOIN;
const START: Number = number::RACE_START;
const DONE: Number = number::RACER_COMPLETED_RACE;

#[test]
fn a_race_is_refused_for_a_place_a_fee_or_a_wager_there_is_not() {
    let mut track = Track::with(1);
    assert_eq!(track.ask(0, CreateRace { lobby: 4711, ..wish() }.body()), refused(CREATE, None));
    let fee = |entry_fee| CreateRace { entry_fee, ..wish() }.body();
    assert_eq!(track.ask(0, fee(rules::HIGHEST_FEE + 1)), refused(CREATE, None));
    track.set_money(0, 99);
    assert_eq!(track.ask(0, fee(100)), refused(CREATE, Some(number::INSUFFICIENT_FUNDS)));
    let pauper = track.game.player("pauper", "Pauper", peer());
    let caller = track.connect(&pauper);
    track.racers.push(Racer { player: pauper, caller, car: VehicleId(0), room: None });
    let pink_slip = CreateRace { pink_slip: Bool8(true), ..wish() };
    assert_eq!(track.ask(1, pink_slip.body()), refused(CREATE, Some(number::INVALID_VEHICLE)));
    assert_eq!(track.races(), 0);
}

#[test]
fn joining_is_refused_with_the_reason_the_client_knows() {
    let mut track = Track::with(3);
    assert_eq!(track.join(0, RaceId(77)), refused(JOIN, Some(number::INVALID_RACE_ID)));
    let race = track.create(0, &CreateRace { most_racers: 2, entry_fee: 100, ..wish() });
    for car in [VehicleId(0), VehicleId(4711), track.racers[0].car] {
        assert_eq!(track.ask(1, join(race, car)), refused(JOIN, Some(number::INVALID_VEHICLE)), "car {car}");
    }
    track.set_money(2, 99);
    assert_eq!(track.join(2, race), refused(JOIN, Some(number::INSUFFICIENT_FUNDS)));
    assert_eq!(track.join(1, race).number(), Some(number::RACE_JOIN_OK));
    assert_eq!(track.join(2, race), refused(JOIN, Some(number::TOO_MANY_PLAYERS)));

    let race = track.create(0, &CreateRace { least_level: 2, ..wish() });
    assert_eq!(track.join(1, race), refused(JOIN, Some(number::INVALID_DRIVER_CLASS)));
    let other_class = CreateRace { most_level: 1, body_class: 3, ..wish() };
    let race = track.create(0, &other_class);
    assert_eq!(track.join(1, race).number(), Some(number::RACE_JOIN_OK), "what a class is, is not proven");
    track.game.config.compat.check_body_class = true;
    let race = track.create(0, &other_class);
    assert_eq!(track.join(1, race), refused(JOIN, Some(number::INVALID_CAR_CLASS)));
    // The car of the second one has a part too many to be a stock car.
    track.game.config.compat.car_class = crate::config::ClassForm::Race;
    track.racers[1].car = track.give_modified_car(track.racers[1].id());
    let race = track.create(0, &CreateRace { body_class: 2, ..wish() });
    assert_eq!(track.join(1, race).number(), Some(number::RACE_JOIN_OK));
    let race = track.create(0, &CreateRace { body_class: 1, ..wish() });
    assert_eq!(track.join(1, race), refused(JOIN, Some(number::INVALID_CAR_CLASS)));
    let race = track.create(0, &CreateRace { power_class: 2, ..wish() });
    assert_eq!(track.join(1, race), refused(JOIN, Some(number::INVALID_CAR_CLASS)));
}

#[test]
fn a_running_race_takes_nobody_in_and_who_is_in_may_say_so_again() {
    let mut track = Track::with(3);
    let race = track.running(&wish(), &[0, 1]);
    assert_eq!(track.join(2, race), refused(JOIN, None));
    let password = track.join(1, race).read::<RaceJoined>().unwrap().password;
    assert_eq!(track.join(0, race).read::<RaceJoined>().unwrap().password, password, "the host too");
    assert_eq!(password.as_bytes().len(), 7);
    assert!(password.as_bytes().iter().all(u8::is_ascii_alphanumeric));
}

#[test]
fn nobody_is_in_two_races() {
    let mut track = Track::with(2);
    let first = track.create(0, &wish());
    let second = track.create(1, &wish());
    assert_eq!(track.join(0, second).number(), Some(number::RACE_JOIN_OK));
    assert_eq!(track.join(1, first), refused(JOIN, Some(number::INVALID_RACE_ID)), "it is empty and gone");
    assert_eq!(track.races(), 1);
    // Who goes elsewhere while racing has given up.
    let slots = track.slots(&[1, 0]);
    track.start(1, second, slots);
    let outcome = track.tell(0, wish().body());
    assert!(Results::of(&outcome.pushes).is_none());
    assert!(track.finish(1, second, 6400).is_some());
}

#[test]
fn only_the_host_starts_once_with_members_in_cars_of_their_own() {
    let mut track = Track::with(3);
    let race = track.create(0, &wish());
    track.join(1, race);
    let slots = track.slots(&[0, 1]);
    assert_eq!(track.ask(0, start(RaceId(77), slots)), refused(START, Some(number::INVALID_RACE_ID)));
    assert_eq!(track.ask(2, start(race, slots)), refused(START, Some(number::PERSONA_NOT_IN_RACE)));
    assert_eq!(track.ask(1, start(race, slots)), refused(START, None));

    let barred = |track: &mut Track, slots| {
        let started = track.start(0, race, slots);
        assert_eq!(started.ok_to_start, 0);
        started.slots.map(|slot| slot.barred.0)
    };
    let none = [RacerSlot::NOBODY; SLOTS];
    assert_eq!(barred(&mut track, none), [false; SLOTS], "an empty grid");
    let strangers = track.slots(&[2]);
    assert!(barred(&mut track, strangers)[0], "a stranger");
    let others = track.slots(&[1]);
    assert_eq!(barred(&mut track, others), [false; SLOTS], "the host stays at home");
    let mut stolen = track.slots(&[0]);
    stolen[0].vehicle = track.racers[1].car;
    assert!(barred(&mut track, stolen)[0], "in the car of another");
    let mut disguised = track.slots(&[1]);
    disguised[0] = RacerSlot::ai(track.racers[0].id());
    assert!(barred(&mut track, disguised)[0], "a player as a racer that no human drives");

    let mut twice = track.slots(&[0, 0, 2, 1]);
    twice[4] = RacerSlot::human(PersonaId(0), VehicleId(5));
    let started = track.start(0, race, twice);
    assert_eq!(started.slots.map(|slot| slot.barred.0), [false, true, true, false, true, false]);
    assert_eq!(started.ok_to_start, 1, "enough are left");
    assert_eq!(track.ask(0, start(race, slots)), refused(START, None), "it runs");
}

#[test]
fn too_few_racers_and_racers_without_money_do_not_start_and_pay_nothing() {
    let mut track = Track::with(3);
    let race = track.create(0, &CreateRace { least_racers: 3, most_racers: 3, entry_fee: 500, ..wish() });
    track.join(1, race);
    track.join(2, race);
    let two = track.slots(&[0, 1]);
    assert_eq!(track.start(0, race, two).ok_to_start, 0);
    track.set_money(1, 499);
    let three = track.slots(&[0, 1, 2]);
    let started = track.start(0, race, three);
    assert_eq!((started.ok_to_start, started.slots[1].barred.0), (0, true));
    assert_eq!([0, 1, 2].map(|who| track.money(who)), [20_000, 499, 20_000]);
    assert!(track.game.store.races().under_way().unwrap().is_empty());
}

#[test]
fn a_result_is_believed_once_from_the_racer_while_the_race_runs() {
    let mut track = Track::with(3);
    let [ann, bob, cal] = [0, 1, 2].map(|who| track.racers[who].id());
    assert_eq!(track.ask(0, finish(RaceId(77), ann, 6400)), refused(DONE, Some(number::INVALID_RACE_ID)));
    let race = track.create(0, &wish());
    track.join(1, race);
    assert_eq!(track.ask(0, finish(race, ann, 6400)), refused(DONE, None), "it has not started");
    let slots = track.slots(&[0, 1]);
    track.start(0, race, slots);
    assert_eq!(track.ask(0, finish(race, bob, 6400)), refused(DONE, Some(number::PERSONA_NOT_IN_RACE)));
    assert_eq!(track.ask(2, finish(race, cal, 6400)), refused(DONE, Some(number::PERSONA_NOT_IN_RACE)));
    assert!(track.finish(0, race, 6400).is_none());
    let again = refused(DONE, Some(number::RACE_TIME_ALREADY_RECEIVED));
    assert_eq!(track.ask(0, finish(race, ann, 3200)), again);
    assert!(track.quit(1, race).is_some());
    assert_eq!(track.ask(1, finish(race, bob, 6400)), again, "who gave up did not come in");
    assert_eq!(track.persona(0).races_won, 1);
}

#[test]
fn bodies_that_are_too_short_or_far_too_long_do_no_harm() {
    let mut track = Track::with(2);
    let race = track.running(&wish(), &[0, 1]);
    for number in [CREATE, JOIN, START, DONE, number::KEEP_RACE_ALIVE] {
        assert_eq!(track.ask(0, Body::carrying(number, &7_u16)), refused(number, None));
    }
    for number in [202, 235, 240, 241, 434, 435] {
        assert!(track.tell(0, Body::carrying(Number(number), &7_u16)).replies.is_empty(), "{number}");
    }
    for number in [202, 235, 240, 241, 434, 435, 448, 455] {
        let mut body = Body::carrying(Number(number), &race);
        body.0.resize(mco_proto::mcots::Link::LARGEST_BODY, 0xff);
        assert!(track.tell(1, body).replies.len() <= 1, "{number}");
    }
    let long = |mut body: Body| {
        body.0.resize(60_000, 0xff);
        body
    };
    let racer = track.racers[0].id();
    let outcome = track.tell(0, long(finish(race, racer, 6400)));
    assert!(outcome.replies.is_empty());
    assert!(Results::of(&outcome.pushes).is_some(), "the other one left with its long 235");
    let slots = track.slots(&[0, 1]);
    let again: RaceStarted = track.ask(0, long(start(race, slots))).read().unwrap();
    assert_eq!(again.ok_to_start, 1);
}

#[test]
fn the_server_holds_a_bounded_number_of_races() {
    use crate::world::races::{MOST_RACES, Settings};
    let mut track = Track::with(1);
    let catalog = crate::catalog::Catalog::builtin();
    let lobby = catalog.lobbies().iter().find(|lobby| lobby.id == CIRCUIT).unwrap();
    let (settings, _) = Settings::nearest(&wish(), lobby);
    for persona in 0..u32::try_from(MOST_RACES).unwrap() {
        let connection = track.game.world.new_connection();
        let mut races = track.game.world.races.lock();
        races.create(PersonaId(500_000 + persona), connection, settings, Now::read()).unwrap();
    }
    assert_eq!(track.ask(0, wish().body()), refused(CREATE, None));
}
