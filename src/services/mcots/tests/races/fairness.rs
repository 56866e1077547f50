//! Nobody gets money without driving, nor keeps or ruins what it has lost.

use super::*;
use crate::store::{PersonaError, UncountedResults};
use mco_proto::ids::DealerId;
use mco_proto::mcots::garage::PurchaseStockCar;
use mco_proto::mcots::race::CrcPreRaceData;

const MINUTE: u32 = 60 * 64;
/// Two laps of the circuit take no less.
const SHORTEST: u32 = 30 * 64;
const PINK_SLIP: CreateRace = CreateRace { pink_slip: Bool8(true), ..CreateRace::open_to_all(CIRCUIT, 6, 2) };

impl Track {
    fn titles(&self, who: usize) -> Vec<String> {
        let (mails, of) = (self.game.store.mails(), self.racers[who].id());
        let mails = mails.list(of, self.now()).unwrap().into_iter().map(|entry| {
            let (mail, _) = self.game.store.mails().get(of, entry.number, self.now()).unwrap().unwrap();
            mail.title
        });
        mails.collect()
    }

    fn uncounted(&self) -> Vec<UncountedResults> {
        self.game.store.uncounted_results(self.now()).unwrap()
    }

    /// A race for two of them in which both wager a car, and have another one.
    fn pink_slip(&mut self) -> RaceId {
        (0..2).for_each(|who| {
            self.seasoned(who);
        });
        self.running(&PINK_SLIP, &[0, 1])
    }

    fn first_part(&self, car: VehicleId) -> PartId {
        self.game.store.garage().parts_of(car).unwrap()[0].id
    }

    pub(super) fn owner(&self, car: VehicleId) -> PersonaId {
        self.game.store.garage().vehicle(car).unwrap().unwrap().owner
    }
}

fn trade_in(car: VehicleId) -> Body {
    let (dealer, model) = (DealerId(8), BrandedPartId(101));
    PurchaseStockCar { dealer, model, skin: SkinId(0), trade_in: car }.body()
}

#[test]
fn five_seconds_again_and_again_bring_nothing_and_one_mail() {
    const TRIES: usize = 40;
    let mut track = Track::with(1);
    let before = track.titles(0).len();
    let race = track.create(0, &wish());
    for _ in 0..TRIES {
        let slots = track.slots(&[0]);
        assert_eq!(track.start(0, race, slots).ok_to_start, 1);
        track.elapsed += Duration::from_millis(1);
        let results = track.say_finished(0, race, 5 * 64).unwrap();
        assert_eq!(results.results.flags, FinalResults::AGAIN | FinalResults::VOID_CHEATING);
        assert_eq!(results.placement(track.racers[0].id()).flags, Placement::CHEAT_SUSPECTED);
    }
    let persona = track.persona(0);
    assert_eq!((persona.bank_balance, persona.points, persona.level), (20_000, 0, 1));
    assert_eq!(track.titles(0)[before..], ["Race: not counted"]);
    let [kept] = &track.uncounted()[..] else { panic!("one persona, one entry") };
    assert_eq!((kept.persona, kept.count, kept.race, kept.time), (persona.id, 40, race, 5 * 64));
    // After a week it counts anew.
    track.elapsed += Duration::from_hours(7 * 24);
    assert!(track.uncounted().is_empty());
    let slots = track.slots(&[0]);
    track.start(0, race, slots);
    track.say_finished(0, race, 5 * 64);
    assert_eq!(track.uncounted()[0].count, 1);
    assert_eq!(track.titles(0).iter().filter(|title| *title == "Race: not counted").count(), 2);
    track.ledger_is_right();
}

#[test]
fn a_time_counts_once_so_much_time_has_passed_since_the_start() {
    let mut track = Track::with(1);
    let loading = rules::LONGEST_LOADING;
    let minute = Duration::from_mins(1);
    let cases = [
        (Duration::ZERO, MINUTE, false),
        (Duration::from_secs(50), MINUTE, false),
        // The clock of the PC may be off a little.
        (Duration::from_millis(57_200), MINUTE, true),
        (minute, MINUTE, true),
        (minute + loading, MINUTE, true),
        (minute + loading + Duration::from_secs(4), MINUTE, false),
        (minute, SHORTEST, true),
        (minute, SHORTEST - 1, false),
        (minute, 0, false),
    ];
    for (passed, time, counts) in cases {
        let before = track.persona(0).races_won;
        let race = track.running(&wish(), &[0]);
        track.elapsed += passed;
        track.say_finished(0, race, time);
        assert_eq!(track.persona(0).races_won - before, u32::from(counts), "{time} after {passed:?}");
    }
    // Full pay from a minute on.
    assert_eq!(track.money(0), 20_000 + 3 * 660 + 330);
}

#[test]
fn a_cheat_among_others_is_paid_nothing_and_told_once_and_the_others_are_paid() {
    let mut track = Track::with(3);
    for _ in 0..3 {
        let race = track.running(&CreateRace { entry_fee: 100, ..wish() }, &[0, 1, 2]);
        track.say_finished(0, race, 5 * 64);
        track.finish(1, race, MINUTE);
        let results = track.finish(2, race, MINUTE + 5).unwrap();
        let [cheat, first, second] = [0, 1, 2].map(|who| track.racers[who].id());
        assert_eq!(results.order(), [first, second, cheat]);
        assert_eq!(results.placement(cheat).cash, 0);
    }
    // Who says so at once has not driven: it was a race of two, for the fees of three.
    let purse = rules::purse_for(100, 3, 2, MINUTE);
    assert_eq!([0, 1, 2].map(|who| track.money(who)), [19_700, 19_700 + 3 * purse, 19_700]);
    assert_eq!(track.titles(0)[1..], ["Race: not counted"]);
    assert_eq!(track.titles(1)[1..], ["Race: place 1 of 3"; 3]);
    assert_eq!(track.uncounted()[0].count, 3);
}

#[test]
fn a_short_time_that_is_told_late_wins_nothing_though_all_may_have_loaded_long() {
    // So many seconds after the light each tells a time; whose counts.
    type Case<'a> = (&'a [(u64, u32)], &'a [bool]);
    let cases: [Case<'_>; 5] = [
        // The last has driven for 86 s and says 61.
        (&[(60, MINUTE), (61, MINUTE), (86, MINUTE + 64)], &[true, true, false]),
        // Who says more than it was, so that others seem to have been late, frames nobody if they are two.
        (&[(60, MINUTE), (61, MINUTE + 64), (90, 2 * MINUTE)], &[true, true, false]),
        // Of two nobody knows who is right.
        (&[(60, MINUTE), (90, MINUTE)], &[false, false]),
        // Messages may be late, and clocks are not the same.
        (&[(60, MINUTE), (77, MINUTE)], &[true, true]),
        // Who drives alone loaded as long as it says.
        (&[(180, MINUTE)], &[true]),
    ];
    for (told, counts) in cases {
        let mut track = Track::with(told.len());
        let all: Vec<usize> = (0..told.len()).collect();
        let race = track.running(&CreateRace { entry_fee: 100, ..wish() }, &all);
        let start = track.elapsed + Duration::from_secs(30);
        let mut results = None;
        for (who, &(after, time)) in told.iter().enumerate() {
            track.elapsed = start + Duration::from_secs(after);
            results = track.say_finished(who, race, time);
        }
        let results = results.unwrap();
        for (who, counts) in counts.iter().enumerate() {
            let suspected = results.placement(track.racers[who].id()).flags & Placement::CHEAT_SUSPECTED != 0;
            assert_eq!(suspected, !counts, "racer {who} of {told:?}");
            assert_eq!(track.titles(who).contains(&"Race: not counted".to_owned()), !counts);
        }
        let void = results.results.flags & FinalResults::VOID_CHEATING != 0;
        assert_eq!(void, counts.iter().all(|counts| !counts));
        if void {
            assert!(all.iter().all(|who| track.money(*who) == 20_000), "the fees go back");
        }
        track.ledger_is_right();
    }
}

#[test]
fn where_the_operator_says_so_times_are_not_held_against_the_clock() {
    let mut track = Track::with(1);
    track.game.config.game.check_race_times = false;
    let race = track.running(&wish(), &[0]);
    track.say_finished(0, race, MINUTE);
    assert_eq!(track.money(0), 20_660);
    let slots = track.slots(&[0]);
    track.start(0, race, slots);
    track.say_finished(0, race, rules::SHORTEST_TIME - 1);
    assert_eq!(track.money(0), 20_660, "but nobody drives so fast anywhere");
}

#[test]
fn racers_that_the_own_client_plays_make_no_win_worth_more_points() {
    let mut track = Track::with(1);
    let race = track.create(0, &wish());
    let mut slots = track.slots(&[0]);
    for (number, slot) in (900_001..).zip(&mut slots[1..]) {
        *slot = RacerSlot::ai(PersonaId(number));
    }
    track.start(0, race, slots);
    let results = track.finish(0, race, MINUTE).unwrap();
    let points = rules::points(1, 0);
    assert_eq!(results.placement(track.racers[0].id()).points, i16::try_from(points).unwrap());
    assert_eq!(track.persona(0).points, points);
}

#[test]
fn a_car_in_a_race_cannot_be_traded_scrapped_or_stripped_and_no_racer_deleted() {
    let mut track = Track::with(2);
    let race = track.pink_slip();
    let Racer { car, player, .. } = &track.racers[1];
    let (car, customer, persona) = (*car, player.customer, player.persona);
    let part = track.first_part(car);
    let before = (track.money(1), track.game.store.garage().parts_of(car).unwrap());
    let remove = GenericRequest::body(number::REMOVE_PART, part.0);
    assert_eq!(track.ask(1, trade_in(car)), refused(number::PURCHASE_STOCK_CAR, None));
    assert_eq!(track.ask(1, remove.clone()), refused(number::REMOVE_PART, None));
    for gone in [part, car.part()] {
        track.tell(1, GenericRequest::body(number::DESTROY_PART, gone.0));
    }
    let delete = GenericRequest::body(number::DELETE_PERSONA, persona.0);
    assert_eq!(track.ask(1, delete), refused(number::DELETE_PERSONA, None));
    assert_eq!(
        track.game.store.personas().delete(customer, persona, Now::read()).unwrap_err(),
        PersonaError::InRace
    );
    assert_eq!((track.money(1), track.game.store.garage().parts_of(car).unwrap()), before);

    track.finish(0, race, MINUTE);
    track.finish(1, race, MINUTE + 1);
    assert_eq!(track.owner(car), track.racers[0].id());
    // It is over: the winner may do what he likes with it.
    assert_eq!(track.ask(0, remove), success(number::REMOVE_PART));
    assert!(track.game.store.personas().delete(customer, persona, Now::read()).is_ok());
    track.ledger_is_right();
}

#[test]
fn a_race_without_a_wager_holds_its_cars_too() {
    let mut track = Track::with(1);
    let race = track.running(&wish(), &[0]);
    let car = track.racers[0].car;
    assert_eq!(track.ask(0, trade_in(car)), refused(number::PURCHASE_STOCK_CAR, None));
    track.quit(0, race);
    assert_eq!(track.ask(0, trade_in(car)).number(), Some(number::GENERIC_REPLY));
}

#[test]
fn nobody_wagers_the_last_car_or_sells_the_one_he_has_left() {
    let mut track = Track::with(2);
    let spare = track.seasoned(0);
    track.seasoned(1);
    let race = track.create(0, &PINK_SLIP);
    track.join(1, race);
    // Between 218 and 232 the other car goes.
    track.tell(0, GenericRequest::body(number::DESTROY_PART, spare.0));
    let slots = track.slots(&[0, 1]);
    let started = track.start(0, race, slots);
    assert_eq!((started.ok_to_start, started.slots[0].barred.0), (0, true));
    assert_eq!(
        track.ask(0, PINK_SLIP.body()),
        refused(number::CREATE_STANDARD_RACE, Some(number::INVALID_VEHICLE))
    );

    let spare = track.seasoned(0);
    assert_eq!(track.start(0, race, slots).ok_to_start, 1);
    track.tell(0, GenericRequest::body(number::DESTROY_PART, spare.0));
    assert_eq!(track.owner(spare), track.racers[0].id(), "it is all he is sure to keep");
}

#[test]
fn no_pink_slip_below_level_five_for_host_or_joiner() {
    let mut track = Track::with(3);
    track.give_car(track.racers[2].id());
    let low = Some(number::INVALID_DRIVER_CLASS);
    assert_eq!(track.ask(2, PINK_SLIP.body()), refused(number::CREATE_STANDARD_RACE, low));
    (0..2).for_each(|who| {
        track.seasoned(who);
    });
    let race = track.create(0, &PINK_SLIP);
    assert_eq!(track.join(2, race), refused(number::RACE_JOIN, low));
    assert_eq!(track.join(1, race).number(), Some(number::RACE_JOIN_OK));
    let only = track.racers[1].car;
    let others = track.game.store.garage().vehicles(track.racers[1].id()).unwrap();
    for other in others.iter().filter(|other| other.id != only) {
        track.tell(1, GenericRequest::body(number::DESTROY_PART, other.id.0));
    }
    assert_eq!(
        track.join(1, race),
        refused(number::RACE_JOIN, Some(number::INVALID_VEHICLE)),
        "the last car"
    );
}

#[test]
fn a_car_is_wagered_in_one_race_at_a_time() {
    let mut track = Track::with(3);
    track.pink_slip();
    track.seasoned(2);
    // He hangs up in the middle, and would wager the same car again.
    track.drop(1);
    let again = track.create(2, &PINK_SLIP);
    assert_eq!(track.join(1, again).number(), Some(number::RACE_JOIN_OK));
    let slots = track.slots(&[2, 1]);
    let started = track.start(2, again, slots);
    assert_eq!(started.slots.map(|slot| slot.barred.0)[..2], [false, true]);
}

#[test]
fn the_loser_cannot_ruin_the_car_it_has_lost() {
    let mut track = Track::with(2);
    let race = track.pink_slip();
    track.finish(0, race, MINUTE);
    track.finish(1, race, MINUTE + 1);
    let lost = track.racers[1].car;
    assert_eq!(track.owner(lost), track.racers[0].id());
    let part = track.first_part(lost);
    let parts = Damages::new(vec![Damage::new(part, 100, 0xff_ffff)]).unwrap();
    for who in [1, 1, 0] {
        track.tell(who, PostRaceDamage { race, parts: parts.clone() }.body());
        let part = &track.game.store.garage().parts_of(lost).unwrap()[0];
        assert_eq!((part.damage, part.wear), (0, 0));
    }
}

#[test]
fn the_laps_of_a_start_frame_nobody_who_drove_those_that_were_agreed() {
    let mut track = Track::with(2);
    let race = track.create(0, &wish());
    track.join(1, race);
    let start = StartRace {
        race,
        slots: track.slots(&[0, 1]),
        multi_round_limit: 0,
        laps: 255,
        lobby_flags: 0,
        dial_in: [0; 2],
    };
    track.started.insert(race, track.elapsed);
    assert_eq!(track.ask(0, start.body()).read::<RaceStarted>().unwrap().ok_to_start, 1);
    track.finish(1, race, MINUTE);
    let results = track.finish(0, race, 2 * MINUTE).unwrap();
    assert_eq!(results.order(), [track.racers[1].id(), track.racers[0].id()]);
    assert!(track.uncounted().is_empty());
}

#[test]
fn a_run_ends_after_two_hours_whatever_is_still_heard_of_it() {
    let mut track = Track::with(2);
    let race = track.running(&CreateRace { entry_fee: 100, ..wish() }, &[0, 1]);
    let car = track.racers[1].car;
    assert!(track.quit(1, race).is_none());
    let mut results = None;
    for _ in 0..13 {
        track.ask(0, GenericRequest::body(number::KEEP_RACE_ALIVE, race.0));
        results = results.or(track.pass(Duration::from_mins(10)));
    }
    assert!(results.is_some(), "the run is over");
    assert_eq!(track.money(0), 20_000, "and its fees are back");
    assert_ne!(track.ask(1, trade_in(car)).number(), Some(number::FAILED), "nothing is held any more");
    track.ledger_is_right();
}

#[test]
fn the_fees_of_a_race_that_could_not_be_settled_go_back_as_soon_as_that_can_be_done_once() {
    let mut track = Track::with(2);
    track.running(&CreateRace { entry_fee: 100, ..wish() }, &[0, 1]);
    assert_eq!(track.money(0), 19_900);
    let [booking] = track.game.store.races().under_way().unwrap()[..] else { panic!("one booking") };
    track.game.world.races.lock().keep_unsettled(booking);
    for _ in 0..2 {
        track.pass(Duration::from_secs(3));
        assert_eq!((track.money(0), track.money(1)), (20_000, 20_000));
    }
    assert!(track.game.store.races().under_way().unwrap().is_empty());
    track.ledger_is_right();
}

#[test]
fn racers_with_different_game_files_are_told_once_and_so_is_the_operator() {
    let mut track = Track::with(3);
    let race = track.running(&wish(), &[0, 1, 2]);
    let say = |track: &mut Track, who: usize, game_files| {
        let opaque = mco_proto::bytes::Rest(Vec::new());
        let sums = CrcPreRaceData { checksum: 0, race, game_files, opaque };
        assert!(track.tell(who, sums.body()).replies.is_empty());
    };
    for (who, files) in [(0, [1, 2, 3]), (1, [1, 2, 3]), (2, [1, 2, 4]), (2, [1, 2, 4])] {
        say(&mut track, who, files);
    }
    let told = |track: &Track, who| {
        track.titles(who).iter().filter(|title| *title == "Race: different game files").count()
    };
    // The third of each of the others, and each of them of the third.
    assert_eq!([0, 1, 2].map(|who| told(&track, who)), [1, 1, 2]);
    let different = track.game.world.game_files.different(track.now());
    let [one, two, three] = [0, 1, 2].map(|who: usize| track.racers[who].id());
    let mut pairs: Vec<_> = different.iter().map(|pair| pair.racers).collect();
    pairs.sort_unstable();
    assert_eq!(pairs, [[one, three], [two, three]]);
    let (mails, now) = (track.game.store.mails(), track.now());
    let newest = mails.list(one, now).unwrap().last().unwrap().number;
    let text = mails.get(one, newest, now).unwrap().unwrap().0.text;
    assert!(text.contains("update.bat") && text.ends_with("patch set."), "it fits: {text}");
    say(&mut track, 2, [1, 2, 3]);
    assert_eq!(track.game.world.game_files.different(now), []);
}
