//! Race messages beside what was captured or documented.

use super::*;
use crate::mcots::message::vector;
use crate::mcots::number;
use crate::mcots::{GenericRequest, Message};

const RACE: RaceId = RaceId(88);
const BROWN: PersonaId = PersonaId(21);

fn solo() -> [RacerSlot; SLOTS] {
    let mut slots = [RacerSlot::NOBODY; SLOTS];
    slots[0] = RacerSlot::human(BROWN, VehicleId(1));
    slots
}

#[test]
fn a_race_is_made_in_50_bytes() {
    let create = CreateRace { entry_fee: 100, ..CreateRace::open_to_all(10_001, 2, 2) };
    let body = vector(
        "e600 11270000 64000000 00 00 00 00000000 00000000 00000000 00000000 02 01 00 02 00 00 01 00 00 00 00 00
         00000000 00000000 00",
    );
    assert_eq!((create.body(), body.0.len()), (body, 50));
}

#[test]
fn a_race_is_confirmed_as_the_client_was_seen_to_accept_it() {
    let created = RaceCreated {
        race: RACE,
        entry_fee: 5,
        bonus_per_player: 20,
        password: Chars::constant(b"Marty"),
        history: 44,
        bonus_per_race: 3,
    };
    assert_eq!(created.body(), vector("df00 58000000 05000000 14000000 4d61727479000000 2c000000 03000000"));
}

#[test]
fn a_race_is_joined_as_documented() {
    let join = JoinRace { race: RACE, vehicle: VehicleId(1), power_class: 3, padding: 0 };
    assert_eq!(join.body(), vector("da00 58000000 01000000 03 00"));
    let joined = RaceJoined { race: RACE, password: Chars::constant(b"Marty") };
    assert_eq!(joined.body(), vector("e000 58000000 4d61727479000000"));
}

#[test]
fn a_race_is_started_as_captured() {
    let start = StartRace {
        race: RACE,
        slots: solo(),
        multi_round_limit: 0,
        laps: 0,
        lobby_flags: 0x08,
        dial_in: [0; 2],
    };
    let body = vector(
        "e800 58000000 15000000 01000000 01 000000000000000000 000000000000000000 000000000000000000
         000000000000000000 000000000000000000 00 00 08000000 0000 0000",
    );
    assert_eq!((start.body(), body.0.len()), (body, 70));
    let mut slots = [StartSlot::default(); SLOTS];
    slots[0].racer = BROWN;
    let started = RaceStarted { race: RACE, ok_to_start: 1, slots };
    assert_eq!(started.body().0[..15], vector("e900 58000000 01000000 15000000 00").0);
    assert_eq!((started.body().0.len(), started.body().0[15..].iter().max()), (40, Some(&0)));
}

#[test]
fn the_game_files_of_a_racer_stand_where_they_were_captured() {
    let head =
        vector("b201 678a0000 58000000 f37ab814 afa53c9e 13eaf01d 15000000 e069dec5 1d9959ae 00000000");
    let crc: CrcPreRaceData = head.read().unwrap();
    assert_eq!((crc.checksum, crc.race), (0x8a67, RACE));
    assert_eq!(crc.game_files, [0x14b8_7af3, 0x9e3c_a5af, 0x1df0_ea13]);
    assert_eq!(crc.opaque.0[..4], BROWN.0.to_le_bytes());
}

#[test]
fn damage_while_racing_always_takes_243_bytes() {
    let mut update = InRaceDamage::none(RACE);
    update.parts[0] = PartId(14);
    update.percent[0] = 25;
    let body = update.body();
    assert_eq!(body.0.len(), 243);
    assert_eq!(body.0[..12], vector("f000 58000000 0000 0e000000").0);
    assert_eq!(body.0[196], 25);
}

#[test]
fn damage_after_the_race_holds_as_much_as_there_is() {
    let damage = Damage::new(PartId(1001), 25, 0x123);
    let report = PostRaceDamage { race: RACE, parts: Damages::new(vec![damage.clone()]).unwrap() };
    assert_eq!(report.body(), vector("f100 58000000 0100 e9030000 23010019"));
    assert_eq!((damage.percent(), damage.wear()), (25, 0x123));
    let cut: PostRaceDamage = vector("f100 58000000 0300 e9030000 23010019 ea03").read().unwrap();
    assert_eq!(cut.parts.0, [damage]);
    let mut padded = vector("f100 58000000 ffff");
    padded.0.resize(60_000, 0);
    assert_eq!(padded.read::<PostRaceDamage>().unwrap().parts.0.len(), MOST_DAMAGED);
}

#[test]
fn a_finish_is_reported_as_documented_whatever_the_length_of_the_map_says() {
    let body = vector("ea00 2800 58000000 15000000 80160000 80050000 1e00 00000000 00000000");
    let finish: RacerCompleted = body.read().unwrap();
    assert_eq!((finish.race, finish.racer, finish.top_speed, finish.average_speed), (RACE, BROWN, 40, 30));
    assert_eq!((finish.time, finish.best_lap), (90 * 64, 22 * 64));
    assert_eq!((finish.body(), body.0.len()), (body.clone(), 30));
    let mut map = body;
    map.0[26..30].fill(0xff);
    map.0.extend([1, 2, 3]);
    assert_eq!(map.read::<RacerCompleted>().unwrap().travel_map.0, [1, 2, 3]);
}

#[test]
fn final_results_are_the_documented_262_bytes() {
    let mut placements = [Placement::NOBODY; SLOTS];
    placements[0] = Placement {
        racer: BROWN,
        time: 90 * 64,
        best_lap: 22 * 64,
        top_speed: 40,
        average_speed: 30,
        points: 75,
        total_points: 75,
        points_to_next_level: 25,
        points_to_next_rank: 25,
        old_level: 1,
        old_rank: 1,
        cash: 1000,
        level: 1,
        rank: 1,
        ..Placement::NOBODY
    };
    let results = FinalResults {
        race: RACE,
        placements,
        rounds: 0,
        round_winners: 0,
        flags: FinalResults::AGAIN,
        team_cash: 0,
        team_points: 0,
        team_par: 0,
    };
    let mut expected = vector(
        "ed00 58000000 15000000 80160000 80050000 2800 1e00 4b00 4b00 1900 1900 01 01 00000000 e8030000
         01 01 00000000",
    );
    expected.0.resize(246, 0);
    expected.0.extend(vector("00 0000 01 00000000 00000000 00000000").0);
    assert_eq!((results.body(), expected.0.len()), (expected, 262));
}

#[test]
fn leaving_and_staying_alive_name_the_race() {
    assert_eq!(GenericRequest::body(number::RACER_LEFT_RACE, 88), vector("eb00 58000000 00000000"));
    assert_eq!(GenericRequest::body(number::KEEP_RACE_ALIVE, 88), vector("c001 58000000 00000000"));
}
