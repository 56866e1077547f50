//! Times that the clock contradicts, and races that are none.

use super::*;

const PINK_SLIP: CreateRace = CreateRace { pink_slip: Bool8(true), ..CreateRace::open_to_all(CIRCUIT, 6, 2) };

fn drag(track: &Track) -> CreateRace {
    let lobby = track.game.catalog.lobbies().iter().find(|lobby| lobby.race_type == RaceType::Drag).unwrap();
    CreateRace { pink_slip: Bool8(true), ..CreateRace::open_to_all(lobby.id, 2, 0) }
}

#[test]
fn the_slower_of_two_drag_racers_does_not_win_by_a_lie() {
    let mut track = Track::with(2);
    (0..2).for_each(|who| {
        track.seasoned(who);
    });
    let wish = drag(&track);
    let race = track.running(&wish, &[0, 1]);
    let began = track.elapsed + Duration::from_secs(20);
    track.elapsed = began + Duration::from_secs(12);
    track.say_finished(0, race, 12 * 64);
    // Seven seconds behind, and says five.
    track.elapsed = began + Duration::from_secs(19);
    let results = track.say_finished(1, race, 5 * 64).unwrap();
    assert_eq!(track.owner(track.racers[0].car), track.racers[0].id(), "{:?}", results.results);
}

#[test]
fn the_slower_of_two_does_not_win_by_a_lie_of_twenty_seconds() {
    let mut track = Track::with(2);
    (0..2).for_each(|who| {
        track.seasoned(who);
    });
    let race = track.running(&PINK_SLIP, &[0, 1]);
    let began = track.elapsed + Duration::from_secs(20);
    track.elapsed = began + Duration::from_mins(2);
    track.say_finished(0, race, 120 * 64);
    track.elapsed = began + Duration::from_secs(139);
    track.say_finished(1, race, 119 * 64).unwrap();
    assert_eq!(track.owner(track.racers[0].car), track.racers[0].id());
}

#[test]
fn two_who_lie_alike_do_not_take_the_car_of_the_third() {
    let mut track = Track::with(3);
    (0..3).for_each(|who| {
        track.seasoned(who);
    });
    let race = track.running(&PINK_SLIP, &[0, 1, 2]);
    let began = track.elapsed + Duration::from_secs(20);
    track.elapsed = began + Duration::from_mins(2);
    track.say_finished(2, race, 120 * 64);
    track.elapsed = began + Duration::from_secs(121);
    track.say_finished(0, race, 61 * 64);
    let results = track.say_finished(1, race, 61 * 64).unwrap();
    assert_eq!(track.owner(track.racers[2].car), track.racers[2].id(), "{:?}", results.results.placements[2]);
}

#[test]
fn a_race_in_which_the_others_give_up_at_once_pays_no_more_than_one_alone() {
    let mut track = Track::with(6);
    let race = track.running(&wish(), &[0, 1, 2, 3, 4, 5]);
    (1..6).for_each(|who| {
        track.quit(who, race);
    });
    let results = track.finish(0, race, 60 * 64).unwrap();
    assert_eq!((results.results.placements[0].cash, results.results.placements[0].points), (660, 25));
}

#[test]
fn drag_racers_who_began_apart_both_count_as_the_documents_say() {
    let mut track = Track::with(2);
    let wish = CreateRace { pink_slip: Bool8(false), ..drag(&track) };
    let race = track.running(&wish, &[0, 1]);
    let began = track.elapsed + Duration::from_secs(20);
    track.elapsed = began + Duration::from_secs(12);
    track.say_finished(0, race, 12 * 64);
    track.elapsed = began + Duration::from_secs(45);
    let results = track.say_finished(1, race, 13 * 64).unwrap();
    assert_eq!(results.results.flags & FinalResults::VOID_CHEATING, 0, "{:?}", results.results);
}
