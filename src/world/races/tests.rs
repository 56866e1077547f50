//! The races by themselves, without store and messages.

use super::*;
use crate::catalog::Catalog;
use crate::catalog::rules;
use mco_proto::bytes::Bool8;
use mco_proto::ids::PartId;
use mco_proto::mcots::race::CreateRace;
use std::time::Duration;

const ANN: PersonaId = PersonaId(21);
const BOB: PersonaId = PersonaId(22);
const HERE: ConnectionId = ConnectionId(1);
const THERE: ConnectionId = ConnectionId(2);
const CAR: VehicleId = VehicleId(7);
const ANY_TIME: TimeLimits = TimeLimits { shortest: 1, longest_loading: None };

fn settings() -> Settings {
    in_lobby(10_001, &CreateRace::open_to_all(10_001, 6, 2))
}

fn in_lobby(lobby: u32, wish: &CreateRace) -> Settings {
    let catalog = Catalog::builtin();
    let lobby = catalog.lobbies().iter().find(|other| other.id == lobby).unwrap();
    let (settings, unfit) = Settings::nearest(wish, lobby);
    assert_eq!(unfit, None);
    settings
}

/// Ann's race, which Bob has joined.
fn two(now: Now) -> (Table, RaceId) {
    let mut table = Table::default();
    let id = table.create(ANN, HERE, settings(), now).unwrap().id;
    table.join(id, BOB, THERE, CAR, now).unwrap();
    (table, id)
}

fn field() -> Vec<Starter> {
    [ANN, BOB].map(|persona| Starter::new(Driver::Human { persona, vehicle: CAR })).to_vec()
}

#[test]
fn a_number_is_no_channels_nor_taken_and_leaves_the_top_byte_alone() {
    let now = Now::read();
    let (mut table, first) = two(now);
    table.last_number = LAST_NUMBER - 1;
    let id = |table: &mut Table, persona| table.create(PersonaId(persona), HERE, settings(), now).unwrap().id;
    assert_eq!((first, id(&mut table, 31)), (RaceId(FIRST_NUMBER), RaceId(LAST_NUMBER)));
    assert_eq!(id(&mut table, 32), RaceId(FIRST_NUMBER + 1), "the first is still there");
}

#[test]
fn a_password_is_printable_fits_its_field_and_differs() {
    let passwords: Vec<String> = (0..20).map(|_| room::password()).collect();
    assert!(passwords.iter().all(|word| word.len() == 7 && word.bytes().all(|c| c.is_ascii_alphanumeric())));
    assert!(passwords.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn other_game_files_are_noticed_and_forgotten_with_the_run() {
    let now = Now::read();
    let (mut table, id) = two(now);
    assert_eq!(table.start(id, field(), ANY_TIME, None, now), Ok(()));
    assert!(table.compare(ANN, [1, 2, 3]).is_empty());
    assert_eq!(table.compare(BOB, [1, 2, 4]), [(ANN, false)]);
    assert_eq!(table.compare(BOB, [1, 2, 3]), [(ANN, true)]);
    assert_eq!(table.start(id, field(), ANY_TIME, None, now), Ok(()));
    assert!(table.compare(BOB, [9, 9, 9]).is_empty());
}

#[test]
fn only_the_connection_that_races_takes_its_racer_along_when_it_goes() {
    let now = Now::read();
    let (mut table, id) = two(now);
    assert_eq!(table.hang_up(BOB, HERE, now), None, "a short one of the same player");
    table.touch(BOB, HERE, now);
    assert_eq!(table.hang_up(BOB, THERE, now), None, "it races through another now");
    assert_eq!(table.hang_up(BOB, HERE, now), Some(id));
    assert!(table.of(BOB).is_none());
    assert_eq!(table.hang_up(ANN, HERE, now), Some(id));
    assert!(table.is_empty());
}

#[test]
fn a_run_ends_once_when_nobody_is_awaited() {
    let now = Now::read();
    let (mut table, id) = two(now);
    assert_eq!(table.start(id, field(), ANY_TIME, Some(BookingId(3)), now), Ok(()));
    assert!(table.finish(id).is_none());
    table.report(id, ANN, ANN, Report { time: 6400, ..Report::default() }, now).unwrap();
    let soon = now.later(rules::FINISH_TIMEOUT.saturating_sub(Duration::from_millis(1)));
    assert!(table.expire(soon).is_empty());
    assert_eq!(table.expire(now.later(rules::FINISH_TIMEOUT)), [id]);
    let (race, booking) = table.finish(id).unwrap();
    assert_eq!((booking, race.field[1].outcome), (Some(BookingId(3)), Some(Outcome::Out(Exit::TimedOut))));
    assert!(table.finish(id).is_none());
    assert_eq!(table.get(id).unwrap().state, State::Finished);
}

/// Whoever loses a car by pink slip could say anything of it in the moment between the end of the run and the change of hands.
#[test]
fn what_is_said_of_a_car_while_the_run_is_settled_is_held_until_then() {
    let now = Now::read();
    let (mut table, id) = two(now);
    assert_eq!(table.start(id, field(), ANY_TIME, Some(BookingId(3)), now), Ok(()));
    let said = |percent| vec![(PartId(7), percent, 100)];
    for racer in [ANN, BOB] {
        table.report(id, racer, racer, Report { time: 6400, ..Report::default() }, now).unwrap();
    }
    assert_eq!(table.take_damage(id, ANN, said(10)), None);
    let (race, _) = table.finish(id).unwrap();
    assert_eq!(race.damage.len(), 1);
    assert_eq!(table.take_damage(id, BOB, said(20)), None, "it is being settled");
    let late: Vec<_> = table.settled(id).into_iter().map(|report| (report.driver, report.parts)).collect();
    assert_eq!(late, [(BOB, said(20))]);
    assert_eq!(table.settled(id), []);
    // Each says it once for each run.
    assert_eq!(table.take_damage(id, BOB, said(30)), None);
    assert_eq!(table.start(id, field(), ANY_TIME, Some(BookingId(4)), now), Ok(()));
    for racer in [ANN, BOB] {
        table.report(id, racer, racer, Report { time: 6400, ..Report::default() }, now).unwrap();
    }
    table.finish(id).unwrap();
    table.settled(id);
    let (report, won) = table.take_damage(id, BOB, said(40)).expect("at once, once it is settled");
    assert_eq!((report.parts, won), (said(40), true));
}

#[test]
fn a_race_nobody_speaks_of_is_forgotten_with_its_members() {
    let now = Now::read();
    let (mut table, id) = two(now);
    table.touch(BOB, THERE, now.later(Duration::from_mins(20)));
    assert!(table.expire(now.later(rules::SILENCE_TIMEOUT)).is_empty());
    assert!(table.get(id).is_some());
    table.expire(now.later(Duration::from_mins(20) + rules::SILENCE_TIMEOUT));
    assert!(table.is_empty() && table.member_of.is_empty());
}

#[test]
fn results_are_ordered_by_time_then_slot_with_the_impossible_and_the_lost_behind() {
    let came_in = |number, time| Starter {
        outcome: Some(Outcome::In(Report { time, ..Report::default() })),
        ..Starter::new(Driver::Ai(number))
    };
    let lost = Starter { outcome: Some(Outcome::Out(Exit::Quit)), ..Starter::new(Driver::Ai(1)) };
    let doubtful = |number, time| Starter { doubt: Some(Doubt::TooFast), ..came_in(number, time) };
    let field = [lost, doubtful(2, 1), came_in(3, 6400), came_in(4, 5000), came_in(5, 6400), doubtful(6, 0)];
    let order = Place::order(&field);
    let seen: Vec<_> = order
        .iter()
        .map(|place| match place.starter.driver {
            Driver::Ai(number) => (number, place.place),
            Driver::Human { .. } => panic!("there is none"),
        })
        .collect();
    assert_eq!(seen, [(4, Some(0)), (3, Some(1)), (5, Some(2)), (2, None), (1, None), (6, None)]);
}

#[test]
fn while_a_race_is_started_nobody_joins_it_and_who_leaves_is_out() {
    let now = Now::read();
    let (mut table, id) = two(now);
    let race = table.prepare(id, ANN).unwrap();
    assert_eq!(race.members.len(), 2);
    assert_eq!(table.prepare(id, ANN).unwrap_err(), Denied::Running, "it is being started");
    assert_eq!(table.joinable(id, PersonaId(23)).unwrap_err(), Denied::Running);
    table.hang_up(BOB, THERE, now);
    assert_eq!(table.start(id, field(), ANY_TIME, Some(BookingId(3)), now), Ok(()));
    let bob = table.get(id).unwrap().field.iter().find(|starter| starter.is(BOB)).copied().unwrap();
    assert_eq!(bob.outcome, Some(Outcome::Out(Exit::Dropped)));
}

#[test]
fn a_start_that_comes_to_nothing_leaves_the_race_as_it_was_and_one_that_everybody_left_gives_its_booking_back()
 {
    let now = Now::read();
    let (mut table, id) = two(now);
    let before = table.get(id).unwrap().state;
    table.prepare(id, ANN).unwrap();
    table.stay(id, before);
    assert!(table.joinable(id, PersonaId(23)).is_ok());
    table.prepare(id, ANN).unwrap();
    table.hang_up(ANN, HERE, now);
    table.hang_up(BOB, THERE, now);
    assert_eq!(table.start(id, field(), ANY_TIME, Some(BookingId(3)), now), Err(Some(BookingId(3))));
}

#[test]
fn a_time_is_doubted_by_the_track_and_by_the_clock() {
    let limits = TimeLimits { shortest: 320, longest_loading: Some(Duration::from_secs(100)) };
    let after = |time, seconds| limits.doubt(time, Duration::from_secs(seconds));
    assert_eq!([after(319, 60), after(0, 0)], [Some(Doubt::TooFast); 2]);
    assert_eq!([after(64 * 100, 94), after(u32::MAX, 1000)], [Some(Doubt::TooSoon); 2]);
    assert_eq!([after(64 * 100, 95), after(64 * 100, 205)], [None; 2]);
    assert_eq!(after(64 * 100, 206), Some(Doubt::TooLate));
    assert_eq!(TimeLimits { longest_loading: None, ..limits }.doubt(u32::MAX, Duration::ZERO), None);
    let always = TimeLimits { longest_loading: Some(Duration::MAX), ..limits };
    assert_eq!(always.doubt(320, Duration::from_hours(9999)), None);
}

/// The drag strip of the built-in catalogue.
const STRIP: u32 = 10_003;

/// Ann and Bob drive a run of the race with these times and the host's word of rounds and head start; how far the series is then.
fn run(table: &mut Table, id: RaceId, times: [u32; 2], limit: u8, dial_in: [u16; 2]) -> Rounds {
    let now = Now::read();
    table.prepare(id, ANN).unwrap();
    table.begin_round(id, limit, dial_in);
    table.start(id, field(), ANY_TIME, None, now).unwrap();
    for (who, time) in [ANN, BOB].into_iter().zip(times) {
        table.report(id, who, who, Report { time, ..Report::default() }, now).unwrap();
    }
    table.finish(id).unwrap().0.rounds
}

fn race_of_two(lobby: u32, wish: &CreateRace) -> (Table, RaceId) {
    let now = Now::read();
    let mut table = Table::default();
    let id = table.create(ANN, HERE, in_lobby(lobby, wish), now).unwrap().id;
    table.join(id, BOB, THERE, CAR, now).unwrap();
    (table, id)
}

#[test]
fn the_rounds_of_a_series_are_counted_with_the_winner_of_each_and_begin_again() {
    let wish = CreateRace { rounds: 3, handicapped: Bool8(true), ..CreateRace::open_to_all(STRIP, 2, 0) };
    let (mut table, id) = race_of_two(STRIP, &wish);
    let dial_in = [0, 64];
    let mut round = |times| run(&mut table, id, times, 3, dial_in);
    assert_eq!(round([900, 800]), Rounds { limit: 3, completed: 1, winners: 0b1, dial_in });
    assert_eq!(round([800, 900]), Rounds { limit: 3, completed: 2, winners: 0b1, dial_in });
    assert_eq!(round([0, 0]).completed, 2, "nobody won that one");
    assert_eq!(round([900, 800]), Rounds { limit: 3, completed: 3, winners: 0b101, dial_in });
    assert_eq!(round([900, 800]), Rounds { limit: 3, completed: 1, winners: 0b1, dial_in });
}

#[test]
fn the_number_of_rounds_is_the_one_that_was_agreed_or_else_the_one_the_host_starts_with() {
    let wish = CreateRace { rounds: 3, ..CreateRace::open_to_all(STRIP, 2, 0) };
    let (mut table, id) = race_of_two(STRIP, &wish);
    let rounds = run(&mut table, id, [900, 800], 5, [0, 64]);
    assert_eq!((rounds.limit, rounds.dial_in), (3, [0; 2]), "nor is there a head start that was not agreed");
    let (mut table, id) = race_of_two(10_001, &CreateRace::open_to_all(10_001, 2, 2));
    assert_eq!(run(&mut table, id, [900, 800], 2, [0; 2]).completed, 1);
    assert_eq!(run(&mut table, id, [900, 800], 2, [0; 2]).completed, 2);
    assert_eq!(run(&mut table, id, [900, 800], 255, [0; 2]).limit, 16, "what the message has bits for");
    assert_eq!(run(&mut table, id, [900, 800], 0, [0; 2]), Rounds::default(), "a single race has no rounds");
}

#[test]
fn a_single_run_over_the_quarter_mile_is_one_round() {
    let (mut table, id) = race_of_two(STRIP, &CreateRace::open_to_all(STRIP, 2, 0));
    for _ in 0..2 {
        assert_eq!(
            run(&mut table, id, [900, 800], 0, [0; 2]),
            Rounds { completed: 1, winners: 1, ..Rounds::default() }
        );
    }
}
