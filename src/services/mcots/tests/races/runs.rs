//! Races that are driven.

use super::*;
use crate::clock::Now;
use mco_proto::mcots::Number;
use std::time::Duration;

const MINUTE: u32 = 60 * 64;

#[test]
fn of_two_the_winner_takes_all_and_both_hear_it() {
    let mut track = Track::with(2);
    let race = track.running(&CreateRace { entry_fee: 100, ..wish() }, &[0, 1]);
    assert_eq!([0, 1].map(|who| track.money(who)), [19_900, 19_900]);
    assert!(track.finish(1, race, MINUTE).is_none());
    let results = track.finish(0, race, MINUTE + 1).unwrap();
    assert_eq!(results.receivers, [0, 1].map(|who| track.racers[who].caller.connection));
    let [ann, bob] = [0, 1].map(|who| track.racers[who].id());
    assert_eq!(results.order(), [bob, ann]);
    let purse = rules::purse(100, 2);
    assert_eq!([0, 1].map(|who| track.money(who)), [19_900, 19_900 + purse]);
    let won = results.placement(bob);
    assert_eq!(
        (won.cash, won.points, won.total_points, won.time, won.top_speed),
        (purse, 50, 50, MINUTE, 40)
    );
    assert_eq!((won.points_to_next_level, won.old_level, won.level, won.flags), (50, 1, 1, 0));
    assert_eq!((results.placement(ann).cash, results.placement(ann).points), (0, 37));
    assert_eq!((results.results.race, results.results.flags), (race, FinalResults::AGAIN));
    track.ledger_is_right();
}

#[test]
fn six_share_and_all_of_it_is_counted() {
    let mut track = Track::with(6);
    let all: Vec<usize> = (0..6).collect();
    let race = track.running(&wish(), &all);
    for who in 0..5 {
        assert!(track.finish(who, race, MINUTE * 2 - u32::try_from(who).unwrap()).is_none());
    }
    // As fast as the one before: the order of the slots decides.
    let results = track.finish(5, race, MINUTE * 2 - 4).unwrap();
    let order: Vec<PersonaId> = [4, 5, 3, 2, 1, 0].map(|who: usize| track.racers[who].id()).to_vec();
    assert_eq!(results.order(), order);
    let purse = rules::purse(0, 6);
    let paid: Vec<u32> = (0..6).map(|who| track.money(who) - 20_000).collect();
    assert_eq!(paid, [0, 0, 0, purse / 10, purse * 6 / 10, purse * 3 / 10]);
    let points: Vec<u32> = (0..6).map(|who| track.persona(who).points).collect();
    assert_eq!(points, [5, 10, 25, 50, 100, 75]);
    let winner = track.persona(4);
    assert_eq!((winner.level, winner.races_entered, winner.races_won, winner.races_completed), (2, 1, 1, 1));
    assert_eq!(winner.total_winnings, purse * 6 / 10);
    let rows: PlayerRacingHistory =
        track.ask(0, GenericRequest::body(Number(361), winner.id.0)).read().unwrap();
    let row = &rows.races[0];
    assert_eq!(
        (row.race_type, row.entered, row.finished, row.won, row.cash_won),
        (17, 1, 1, 1, purse * 6 / 10)
    );
    let info: PlayerInfo = track.ask(0, GenericRequest::body(Number(108), winner.id.0)).read().unwrap();
    assert_eq!((info.points, info.current_level, info.points_to_next_level), (100, 2, 300));
}

#[test]
fn one_player_races_alone_for_less_than_half_a_purse_and_no_fee() {
    let mut track = Track::with(1);
    let race = track.running(&CreateRace { entry_fee: 500, ..wish() }, &[0]);
    assert_eq!(track.money(0), 20_000);
    let results = track.finish(0, race, MINUTE).unwrap();
    assert_eq!(results.placement(track.racers[0].id()).cash, 660);
    assert_eq!(track.money(0), 20_660);
}

#[test]
fn a_test_drive_costs_nothing_wins_nothing_and_needs_no_car_of_ones_own() {
    let mut track = Track::with(1);
    let wish = CreateRace { lobby: PROVING_GROUND, entry_fee: 1000, pink_slip: Bool8(true), ..wish() };
    let created: RaceCreated = track.ask(0, wish.body()).read().unwrap();
    assert_eq!(created.entry_fee, 0);
    let mut slots = track.slots(&[0]);
    slots[0].vehicle = VehicleId(4711);
    assert_eq!(track.start(0, created.race, slots).ok_to_start, 1);
    let answer = track.ask(0, Body::carrying(number::CRC_PRE_RACE_DATA_TEST_DRIVE, &0_u32));
    assert_eq!(answer, success(number::CRC_PRE_RACE_DATA_TEST_DRIVE));
    assert!(track.finish(0, created.race, MINUTE).is_none());
    assert_eq!((track.money(0), track.persona(0).races_entered), (20_000, 0));
    assert_eq!(track.start(0, created.race, slots).ok_to_start, 1, "and again");
}

#[test]
fn the_joiners_hear_that_it_starts_and_who_may_not() {
    let mut track = Track::with(3);
    let race = track.create(0, &wish());
    track.join(1, race);
    track.join(2, race);
    let mut slots = track.slots(&[0, 1, 2]);
    slots[2].vehicle = track.racers[1].car;
    let outcome = track.tell(0, start(race, slots));
    let [Push::Body(receivers, body)] = &outcome.pushes[..] else { panic!("not one push") };
    assert_eq!(**body, outcome.replies[0].body);
    assert_eq!(*receivers, [1, 2].map(|who: usize| track.racers[who].caller.connection));
    let started: RaceStarted = body.read().unwrap();
    let barred: Vec<bool> = started.slots.iter().map(|slot| slot.barred.0).collect();
    assert_eq!((started.ok_to_start, barred), (1, vec![false, false, true, false, false, false]));
    track.finish(0, race, MINUTE);
    assert_eq!(track.finish(1, race, MINUTE).unwrap().order().len(), 2);
}

#[test]
fn the_start_can_be_left_to_the_host_to_tell() {
    let mut track = Track::with(2);
    track.game.config.compat.start_notices = false;
    let race = track.create(0, &wish());
    track.join(1, race);
    let slots = track.slots(&[0, 1]);
    let outcome = track.tell(0, start(race, slots));
    assert_eq!(outcome.replies[0].body.read::<RaceStarted>().unwrap().ok_to_start, 1);
    assert!(outcome.pushes.is_empty());
    track.finish(0, race, MINUTE);
    assert_eq!(
        track.finish(1, race, MINUTE).unwrap().receivers.len(),
        2,
        "the results are pushed nevertheless"
    );
}

#[test]
fn who_gives_up_drops_or_never_comes_in_does_not_keep_the_others_waiting() {
    let mut track = Track::with(4);
    let race = track.running(&CreateRace { entry_fee: 100, ..wish() }, &[0, 1, 2, 3]);
    assert!(track.quit(1, race).is_none());
    assert!(track.vanish(2).is_none());
    assert!(track.finish(0, race, MINUTE).is_none());
    let soon = track.now().later(rules::FINISH_TIMEOUT / 2);
    assert!(tick(&track.game, soon).pushes.is_empty());
    let late = track.now().later(rules::FINISH_TIMEOUT + Duration::from_secs(1));
    let outcome = tick(&track.game, late);
    outcome.commit.unwrap().wait().unwrap();
    let results = Results::of(&outcome.pushes).unwrap();
    let ids: Vec<PersonaId> = track.racers.iter().map(Racer::id).collect();
    assert_eq!(results.order(), ids, "those who did not come in stand in the order of the slots");
    assert_eq!(results.receivers.len(), 3, "who dropped hears nothing");
    assert_eq!(results.placement(ids[3]).flags, Placement::TIMED_OUT);
    assert_eq!([1, 2, 3].map(|who| results.placement(ids[who]).time), [0; 3]);
    // Who gave up at once did not race.
    let purse = rules::purse_for(100, 4, 3, MINUTE);
    assert_eq!(track.money(0), 19_900 + rules::share(purse, 3, 0));
    assert_eq!([1, 2, 3].map(|who| track.money(who)), [19_900; 3]);
    assert_eq!([0, 1].map(|who| track.persona(who).races_completed), [1, 0]);
    assert!(tick(&track.game, late.later(rules::FINISH_TIMEOUT)).pushes.is_empty(), "once");
}

#[test]
fn a_race_that_nobody_finishes_is_void_and_the_fees_go_back() {
    let mut track = Track::with(2);
    let race = track.running(&CreateRace { entry_fee: 1000, ..wish() }, &[0, 1]);
    assert!(track.vanish(0).is_none());
    let results = track.quit(1, race).unwrap();
    assert!(results.is_void());
    assert_eq!([0, 1].map(|who| track.money(who)), [20_000; 2]);
    assert_eq!(track.persona(1).races_entered, 0);
    track.ledger_is_right();
    let race = track.running(&CreateRace { entry_fee: 1000, ..wish() }, &[0, 1]);
    let outcome = tick(&track.game, track.now().later(rules::SILENCE_TIMEOUT));
    assert!(Results::of(&outcome.pushes).unwrap().is_void(), "nobody stirs in race {race}");
    assert_eq!([0, 1].map(|who| track.money(who)), [20_000; 2]);
}

#[test]
fn a_race_that_is_cut_short_by_a_restart_gives_the_fees_back_once() {
    let mut track = Track::with(2);
    track.running(&CreateRace { entry_fee: 1000, ..wish() }, &[0, 1]);
    let Track { game, folder, racers, opened, elapsed, started } = track;
    let Game { config, ports, store, catalog, .. } = game;
    drop(store);
    let key = mco_proto::session_key::LoginKey::generate().unwrap();
    let game =
        Game::new(config, folder.path().to_owned(), ports, Store::open(folder.path()).unwrap(), catalog, key);
    let track = Track { game, folder, racers, opened, elapsed, started };
    assert_eq!([0, 1].map(|who| track.money(who)), [19_000; 2]);
    let races = races_cut_short(&track.game).unwrap();
    assert_eq!(races.len(), 1);
    refund_races(&track.game, &races, Now::read()).unwrap().unwrap().wait().unwrap();
    assert!(refund_races(&track.game, &races, Now::read()).unwrap().is_none());
    assert_eq!([0, 1].map(|who| track.money(who)), [20_000; 2]);
    track.ledger_is_right();
}

#[test]
fn the_same_race_can_be_driven_again() {
    let mut track = Track::with(2);
    let race = track.running(&CreateRace { entry_fee: 100, ..wish() }, &[0, 1]);
    track.finish(0, race, MINUTE);
    track.finish(1, race, MINUTE + 5);
    assert_eq!(
        track.ask(1, finish(race, track.racers[1].id(), MINUTE)),
        refused(number::RACER_COMPLETED_RACE, Some(number::RACE_TIME_ALREADY_RECEIVED)),
        "a late repetition is not a report of the next run"
    );
    let slots = track.slots(&[0, 1]);
    assert_eq!(track.start(0, race, slots).ok_to_start, 1);
    track.finish(1, race, MINUTE);
    assert!(track.finish(0, race, MINUTE + 5).is_some());
    let purse = rules::purse(100, 2);
    assert_eq!([0, 1].map(|who| track.money(who)), [19_800 + purse; 2]);
    assert_eq!([0, 1].map(|who| track.persona(who).races_won), [1, 1]);
}

#[test]
fn a_host_who_vanishes_leaves_the_race_to_the_next() {
    let mut track = Track::with(3);
    let race = track.create(0, &wish());
    track.join(1, race);
    track.join(2, race);
    track.drop(0);
    let slots = track.slots(&[1, 2]);
    assert_eq!(track.ask(2, start(race, slots)), refused(number::RACE_START, None));
    assert_eq!(track.start(1, race, slots).ok_to_start, 1);
    // While it runs: the rest goes on, and the new host speaks for racers that are not human.
    assert!(track.vanish(1).is_none());
    let results = track.finish(2, race, MINUTE).unwrap();
    assert_eq!(results.order(), [2, 1].map(|who: usize| track.racers[who].id()));
    // After it: the last one leaves and nothing is left.
    assert_eq!(track.races(), 1);
    track.drop(2);
    assert_eq!(track.races(), 0);
}

#[test]
fn a_host_who_vanishes_after_the_race_leaves_the_next_one_to_be_driven_again() {
    let mut track = Track::with(3);
    let race = track.running(&wish(), &[0, 1, 2]);
    for who in [0, 1, 2] {
        track.finish(who, race, MINUTE);
    }
    track.drop(0);
    let slots = track.slots(&[1, 2]);
    assert_eq!(
        track.ask(0, start(race, slots)),
        refused(number::RACE_START, Some(number::PERSONA_NOT_IN_RACE))
    );
    assert_eq!(track.start(1, race, slots).ok_to_start, 1);
}

#[test]
fn a_race_whose_racers_all_vanish_is_settled_and_forgotten() {
    let mut track = Track::with(2);
    let race = track.running(&CreateRace { entry_fee: 100, ..wish() }, &[0, 1]);
    track.finish(0, race, MINUTE);
    assert!(track.vanish(0).is_none());
    assert!(track.vanish(1).is_some());
    assert_eq!(track.races(), 0);
    assert_eq!(track.money(0), 19_900 + rules::purse(100, 2), "who came in is paid");
}

#[test]
fn the_host_reports_racers_that_no_human_drives_and_they_hold_nobody_up() {
    let mut track = Track::with(2);
    let race = track.create(0, &CreateRace { ai_racers: Bool8(true), ..wish() });
    track.join(1, race);
    let mut slots = track.slots(&[0, 1]);
    slots[2] = RacerSlot::ai(PersonaId(900_001));
    slots[3] = RacerSlot::ai(PersonaId(900_002));
    assert_eq!(track.start(0, race, slots).ok_to_start, 1);
    let ai = PersonaId(900_001);
    assert_eq!(
        track.ask(1, finish(race, ai, MINUTE)),
        refused(number::RACER_COMPLETED_RACE, Some(number::PERSONA_NOT_IN_RACE))
    );
    assert!(track.tell(0, finish(race, ai, MINUTE)).replies.is_empty());
    assert_eq!(
        track.ask(0, finish(race, ai, MINUTE)),
        refused(number::RACER_COMPLETED_RACE, Some(number::RACE_TIME_ALREADY_RECEIVED))
    );
    track.finish(0, race, MINUTE + 1);
    let results = track.finish(1, race, MINUTE + 2).unwrap();
    let [ann, bob] = [0, 1].map(|who| track.racers[who].id());
    assert_eq!(results.order(), [ai, ann, bob, PersonaId(900_002)]);
    assert_eq!(track.money(0) - 20_000, rules::share(rules::purse(0, 2), 4, 1));
    assert_eq!(track.persona(0).races_won, 0);
}

#[test]
fn nobody_but_players_races_for_money_or_a_car_or_where_the_host_did_not_ask_for_others() {
    let with_ai = CreateRace { ai_racers: Bool8(true), ..wish() };
    for (wish, may) in [
        (with_ai.clone(), true),
        (wish(), false),
        (CreateRace { entry_fee: 100, ..with_ai.clone() }, false),
        (CreateRace { pink_slip: Bool8(true), ..with_ai }, false),
    ] {
        let mut track = Track::with(1);
        track.seasoned(0);
        let race = track.create(0, &wish);
        let mut slots = track.slots(&[0]);
        slots[1] = RacerSlot::ai(PersonaId(900_001));
        assert_eq!(!track.start(0, race, slots).slots[1].barred.0, may, "{wish:?}");
    }
}

#[test]
fn impossible_times_are_marked_and_win_nothing() {
    let mut track = Track::with(3);
    let race = track.running(&CreateRace { entry_fee: 100, ..wish() }, &[0, 1, 2]);
    track.finish(0, race, 0);
    track.finish(1, race, rules::shortest_time(RaceType::Circuit, None, 2) - 1);
    let results = track.finish(2, race, MINUTE).unwrap();
    let [ann, bob, cal] = [0, 1, 2].map(|who| track.racers[who].id());
    assert_eq!(results.order(), [cal, bob, ann]);
    assert_eq!([ann, bob].map(|who| results.placement(who).flags), [Placement::CHEAT_SUSPECTED; 2]);
    assert_eq!([0, 1].map(|who| track.money(who)), [19_900; 2]);
    assert_eq!(track.persona(1).races_completed, 0);

    let race = track.running(&CreateRace { entry_fee: 100, ..wish() }, &[0, 1]);
    track.finish(0, race, 0);
    let results = track.finish(1, race, 1).unwrap();
    assert_eq!(results.results.flags, FinalResults::AGAIN | FinalResults::VOID_CHEATING);
    assert_eq!([0, 1].map(|who| track.money(who)), [19_900; 2], "fees go back");
}

#[test]
fn the_winner_of_a_pink_slip_gets_the_losers_car() {
    let mut track = Track::with(2);
    let wish = CreateRace { pink_slip: Bool8(true), entry_fee: 100, ..wish() };
    let [_, spare] = [0, 1].map(|who| track.seasoned(who));
    let race = track.running(&wish, &[0, 1]);
    track.finish(0, race, MINUTE);
    let results = track.quit(1, race).unwrap();
    let [ann, bob] = [0, 1].map(|who| track.racers[who].id());
    assert_eq!(results.placement(ann).flags, Placement::WON_CAR);
    assert_eq!(results.placement(bob).flags, Placement::LOST_CAR, "giving up does not save the car");
    let lost = track.racers[1].car;
    let car = track.game.store.garage().vehicle(lost).unwrap().unwrap();
    assert_eq!(car.owner, ann);
    assert!(track.game.store.garage().parts_of(lost).unwrap().iter().all(|part| part.owner == ann));
    assert_eq!(track.game.store.garage().vehicles(ann).unwrap().len(), 3);
    assert_eq!(track.game.store.garage().vehicles(bob).unwrap().len(), 1);
    assert_eq!(
        (track.persona(0).vehicle, track.persona(1).vehicle),
        (Some(track.racers[0].car), Some(spare))
    );
    let [ann, bob] = [0, 1].map(|who| track.persona(who).history[0]);
    assert_eq!((ann.cars_won, ann.cars_lost, bob.cars_won, bob.cars_lost), (1, 0, 0, 1));
    track.ledger_is_right();
}

#[test]
fn a_pink_slip_needs_room_in_the_garage_and_the_car_that_was_wagered() {
    let mut track = Track::with(2);
    let wish = CreateRace { pink_slip: Bool8(true), ..wish() };
    let [_, other] = [0, 1].map(|who| track.seasoned(who));
    let race = track.create(0, &wish);
    track.join(1, race);
    let mut slots = track.slots(&[0, 1]);
    slots[1].vehicle = other;
    assert!(track.start(0, race, slots).slots[1].barred.0, "the host can't make a joiner wager another car");
    track.quit(0, race);
    let room = track.game.catalog.tunables().cars_room(rules::PINK_SLIP_LEVEL);
    for _ in 2..room {
        track.give_car(track.racers[1].id());
    }
    let race = track.create(0, &wish);
    track.join(1, race);
    let slots = track.slots(&[0, 1]);
    assert!(track.start(0, race, slots).slots[1].barred.0, "the garage is full");
}

#[test]
fn what_a_race_did_to_a_car_is_kept_and_never_repairs_it() {
    let mut track = Track::with(2);
    let race = track.running(&wish(), &[0, 1]);
    let car = track.racers[0].car;
    let part = track.game.store.garage().parts_of(car).unwrap()[0].id;
    let report = |percent, wear| {
        let parts =
            Damages::new(vec![Damage::new(part, percent, wear), Damage::new(PartId(1), 9, 9)]).unwrap();
        PostRaceDamage { race, parts }.body()
    };
    let kept = |track: &Track| {
        let part = track.game.store.garage().parts_of(car).unwrap()[0].clone();
        (part.damage, part.wear)
    };
    track.tell(1, report(100, 0x1_0000));
    assert_eq!(kept(&track), (0, 0), "another's car");
    // Whose car it will be is known at the end. What comes a second time does not count.
    for (percent, wear) in [(25, 0x123), (255, 0x300)] {
        assert!(track.tell(0, report(percent, wear)).replies.is_empty());
        assert_eq!(kept(&track), (0, 0));
    }
    track.finish(1, race, MINUTE);
    track.finish(0, race, MINUTE);
    assert_eq!(kept(&track), (25, 0x123));
    track.tell(0, report(255, 0x300));
    assert_eq!(kept(&track), (25, 0x123));
    // The next run's report makes nothing better, and may come behind the end.
    let slots = track.slots(&[0, 1]);
    track.start(0, race, slots);
    track.finish(1, race, MINUTE);
    track.finish(0, race, MINUTE);
    track.tell(0, report(0, 0x200));
    assert_eq!(kept(&track), (25, 0x200));
}

#[test]
fn a_sign_of_life_keeps_a_room_from_being_forgotten() {
    let mut track = Track::with(1);
    let race = track.create(0, &wish());
    let before = track.now();
    let alive = track.ask(0, GenericRequest::body(number::KEEP_RACE_ALIVE, race.0));
    assert_eq!(alive, success(number::KEEP_RACE_ALIVE));
    tick(&track.game, before.later(rules::SILENCE_TIMEOUT.saturating_sub(Duration::from_secs(1))));
    assert_eq!(track.races(), 1);
    tick(&track.game, track.now().later(rules::SILENCE_TIMEOUT));
    assert_eq!(track.races(), 0);
    assert_eq!(track.join(0, race), refused(number::RACE_JOIN, Some(number::INVALID_RACE_ID)));
}
