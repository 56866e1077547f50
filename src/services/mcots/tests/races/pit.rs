//! Places in the pit of a race: who holds one, who loses it, and who is put on the grid from it.

use super::rooms::room;
use super::*;
use crate::world::races::Move;
use mco_proto::ids::CommId;
use mco_proto::nps::channel::{BootUser, SetChannelData};
use mco_proto::nps::id;
use mco_proto::nps::lobby::{CloseCommChannel, OpenCommChannel};

#[test]
fn a_pit_in_which_people_wait_for_half_an_hour_still_has_its_race() {
    let mut track = Track::with(3);
    let race = track.create(0, &CreateRace { most_racers: 3, ..wish() });
    track.enter(0, race);
    track.join(1, race);
    track.enter(1, race);
    track.pass(Duration::from_mins(32));
    assert_eq!(track.join(2, race).number(), Some(number::RACE_JOIN_OK));
    let slots = track.slots(&[0, 1]);
    assert_eq!(track.start(0, race, slots).ok_to_start, 1);
}

#[test]
fn who_says_218_again_and_again_and_never_comes_does_not_keep_the_place() {
    let mut track = Track::with(3);
    let race = track.create(0, &CreateRace { most_racers: 2, ..wish() });
    track.enter(0, race);
    track.join(1, race);
    for _ in 0..10 {
        track.pass(Duration::from_secs(80));
        track.join(1, race);
    }
    assert_eq!(track.join(2, race).number(), Some(number::RACE_JOIN_OK), "after 800 s");
}

#[test]
fn a_joiner_who_is_not_in_the_pit_is_not_its_host_when_the_host_leaves() {
    let mut track = Track::with(3);
    let race = track.create(0, &wish());
    track.enter(0, race);
    track.join(1, race);
    track.join(2, race);
    track.enter(2, race);
    track.walk(0);
    let slots = track.slots(&[2]);
    let body = track.ask(2, start(race, slots));
    assert_eq!(body.number(), Some(number::RACE_STARTED), "{body:?}");
}

#[test]
fn who_closed_the_pit_is_not_on_the_grid_whoever_starts_from_outside() {
    let mut track = Track::with(2);
    let race = track.create(0, &CreateRace { entry_fee: 1000, ..wish() });
    track.open(0, &room(race));
    track.join(1, race);
    track.open(1, &room(race));
    for who in [1, 0] {
        track.say(who, &CloseCommChannel { channel: CommId(race.0) });
    }
    let slots = track.slots(&[0, 1]);
    let started = track.start(0, race, slots);
    assert_eq!((started.ok_to_start, started.slots[1].barred.0), (0, true));
    assert_eq!(track.money(1), 20_000);
}

/// A room of a stranger's that says later that it is that of a race.
#[test]
fn a_stranger_makes_no_second_pit_for_a_race() {
    let mut track = Track::with(3);
    let race = track.create(0, &wish());
    track.enter(0, race);
    let fake = CommId(30_000);
    track.open(2, &OpenCommChannel { channel: fake, ..room(race) });
    let mut data = [0; 256];
    data[..4].copy_from_slice(&race.0.to_le_bytes());
    track.say(2, &SetChannelData { channel: fake, data });
    track.join(1, race);
    let replies = track.say(1, &OpenCommChannel { channel: fake, ..room(race) });
    let let_in = replies.iter().any(|reply| reply.id == id::CHANNEL_GRANTED);
    let slots = track.slots(&[0, 1]);
    let victim = track.racers[1].id();
    track.say(2, &BootUser { channel: fake, persona: victim });
    let started = track.start(0, race, slots);
    assert_eq!((let_in, started.slots[1].barred.0), (false, true), "let into the stranger's pit");
}

/// The host waits for the joiner who never came; a pit that somebody else closed.
#[test]
fn who_joined_and_did_not_come_in_time_pays_nothing() {
    let mut track = Track::with(2);
    let race = track.create(0, &CreateRace { entry_fee: 1000, ..wish() });
    track.join(1, race);
    track.pass(Duration::from_mins(20));
    let slots = track.slots(&[0, 1]);
    track.start(0, race, slots);
    assert_eq!(track.money(1), 20_000, "the Client of the joiner has given up after 90 s");
}

/// The squatter hosts the race for ever, by 218 each 80 s.
#[test]
fn a_squatter_outside_of_the_pit_does_not_keep_the_others_from_starting() {
    let mut track = Track::with(3);
    let race = track.create(0, &wish());
    track.enter(0, race);
    track.join(1, race);
    track.join(2, race);
    track.enter(2, race);
    track.walk(0);
    for _ in 0..10 {
        track.pass(Duration::from_secs(80));
        track.join(1, race);
    }
    let slots = track.slots(&[2]);
    let body = track.ask(2, start(race, slots));
    assert_eq!(body.number(), Some(number::RACE_STARTED), "after 800 s: {body:?}");
}

/// The Wi-Fi resets the connection to MCOTS, which is made again at once; the room is never lost.
#[test]
fn a_reset_of_mcots_that_is_mended_at_once_does_not_lose_the_car() {
    let mut track = Track::with(2);
    (0..2).for_each(|who| {
        track.seasoned(who);
    });
    let race = track.create(0, &wager());
    for who in 0..2 {
        track.join(who, race);
        track.enter(who, race);
    }
    let slots = track.slots(&[0, 1]);
    assert_eq!(track.start(0, race, slots).ok_to_start, 1);
    track.elapsed += Duration::from_secs(40);
    assert!(track.drop(1).is_none());
    track.drive(race, 60 * 64);
    let (me, car) = (track.racers[1].id(), track.racers[1].car);
    let answer = track.tell(1, finish(race, me, 60 * 64)).replies;
    track.finish(0, race, 70 * 64);
    assert_eq!(track.owner(car), me, "came in first; the answer to 234: {answer:?}");
}

/// The host throws out who has joined and sits outside of the pit.
#[test]
fn a_joiner_outside_of_the_pit_can_be_thrown_out() {
    let mut track = Track::with(3);
    let race = track.create(0, &CreateRace { most_racers: 2, ..wish() });
    track.open(0, &room(race));
    track.join(1, race);
    let persona = track.racers[1].id();
    track.say(0, &BootUser { channel: CommId(race.0), persona });
    assert_eq!(track.join(2, race).number(), Some(number::RACE_JOIN_OK), "its place is free");
}

/// A player who has left the pit (0105) is in no race: joins, makes and, on the pages, repairs.
#[test]
fn who_closed_the_pit_is_in_no_race() {
    let mut track = Track::with(2);
    let race = track.create(0, &wish());
    track.open(0, &room(race));
    track.join(1, race);
    track.open(1, &room(race));
    track.say(1, &CloseCommChannel { channel: CommId(race.0) });
    let id = track.racers[1].id();
    track.pass(Duration::from_mins(10));
    assert!(track.game.world.races.lock().of(id).is_none(), "the page of the garage refuses: in a race");
}

#[test]
fn who_is_cut_off_because_of_what_others_sent_has_not_left_and_is_not_lost() {
    let mut track = Track::with(2);
    (0..2).for_each(|who| {
        track.seasoned(who);
    });
    let race = track.create(0, &wager());
    track.join(1, race);
    for who in [0, 1] {
        track.enter(who, race);
    }
    track.lose_room(1, Move::CutOff);
    assert_eq!(track.join(1, race).number(), Some(number::RACE_JOIN_OK));
    track.enter(1, race);
    let slots = track.slots(&[0, 1]);
    assert_eq!(track.start(0, race, slots).ok_to_start, 1);
    track.lose_room(1, Move::CutOff);
    assert!(track.pass(rules::LOADING_GRACE + rules::LOST_TIMEOUT * 3).is_none());
    let time = 4 * 60 * 64;
    track.say_finished(1, race, time);
    let results = track.say_finished(0, race, time + 1).unwrap();
    assert_eq!(results.order(), [1, 0].map(|who: usize| track.racers[who].id()));
}

#[test]
fn who_hangs_up_in_a_race_is_waited_for_a_minute_and_then_out() {
    let mut track = Track::with(2);
    let race = track.running(&wish(), &[0, 1]);
    track.finish(0, race, 6400);
    let outcome = leave(&track.game, &track.racers[1].caller, track.now());
    assert!(Results::of(&outcome.pushes).is_none());
    assert!(track.pass(rules::LOST_TIMEOUT.saturating_sub(Duration::from_secs(1))).is_none());
    let results = track.pass(Duration::from_secs(1)).unwrap();
    assert_eq!(results.order(), [0, 1].map(|who: usize| track.racers[who].id()));
}

#[test]
fn a_pc_that_loads_the_track_is_given_time() {
    let mut track = Track::with(2);
    let race = track.create(0, &CreateRace { most_racers: 2, ..wish() });
    track.enter(0, race);
    track.join(1, race);
    track.enter(1, race);
    track.call(0);
    track.walk(1);
    let slots = track.slots(&[0, 1]);
    track.start(0, race, slots);
    let almost = (rules::LOADING_GRACE + rules::LOST_TIMEOUT).saturating_sub(Duration::from_secs(1));
    track.pass(almost);
    track.finish(0, race, 6400);
    assert!(track.game.world.races.lock().get(race).unwrap().field[1].outcome.is_none());
    track.pass(Duration::from_secs(1));
    assert!(track.game.world.races.lock().get(race).unwrap().field[1].outcome.is_some());
}

/// A race for cars.
fn wager() -> CreateRace {
    CreateRace { pink_slip: Bool8(true), ..wish() }
}
