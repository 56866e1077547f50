//! Weekly rewards, clubs, turfs, race nights and seasons, rule by rule.

use super::deals::RULES as DEAL_RULES;
use super::*;
use crate::clock::Now;
use mco_proto::ids::RaceId;

/// 1 July 2030.
pub(super) const MONDAY: u64 = 1_909_094_400;
pub(super) const HOUR: u64 = 60 * 60;
pub(super) const DAY: u64 = 24 * HOUR;
pub(super) const WEEK: u64 = 7 * DAY;
pub(super) const LOBBY: u32 = 10_001;

pub(super) const RULES: ClubRules = ClubRules {
    founding_cost: 5000,
    founding_level: 10,
    officer_level: 10,
    most_members: 4,
    cooldown_days: 7,
    registration_cost: 500_000,
    re_registration_cost: 50_000,
};

pub(super) fn rewards() -> RewardTable<'static> {
    RewardTable { top_dog: &[1000, 500], trials: &[100], kind: |_| "circuit race" }
}

pub(super) fn at(unix: u64) -> Now {
    Now { unix, ..Now::read() }
}

/// A store with so many drivers of level 10, each of an account of its own, with a million dollars.
pub(super) fn city(dir: &Path, count: usize) -> (Store, Vec<PersonaId>) {
    let store = Store::open(dir).unwrap();
    // The cheapest way to many accounts with a password.
    let drivers = (0..count).map(|number| {
        let name = format!("account{number}");
        let owner = store.accounts().create(&name, &password("garage"), None, at(MONDAY)).unwrap().value;
        let new = NewPersona { starter_cash: 1_000_000, ..driver(&format!("Driver {number}")) };
        let id = store.personas().create(owner.customer_id, new, at(MONDAY)).unwrap().value.id;
        let _ = store.personas().update(id, |persona| persona.level = 10).unwrap();
        id
    });
    let drivers = drivers.collect();
    (store, drivers)
}

/// They race, and come in in this order; the first wins 50 points, the second 20.
pub(super) fn race(store: &Store, lobby: u32, order: &[PersonaId], now: Now) {
    let fees: Vec<Entrant> =
        order.iter().map(|racer| Entrant { persona: *racer, fee: 0, car: None }).collect();
    let number = store.results().last_race().unwrap().0 + 1;
    let booking = store.races().start(RaceId(number), &fees, false, now).unwrap().value;
    let points = |place: usize| [50, 20].get(place).copied().unwrap_or_default();
    let payouts = order.iter().enumerate().map(|(place, persona)| Payout {
        persona: *persona,
        cash: 0,
        points: points(place),
        place: Some(place),
    });
    let racers = (0_u8..).zip(order).map(|(place, persona)| RacerResult {
        persona: *persona,
        place: Some(place + 1),
        time: 6400 + u32::from(place) * 64,
        class: 2,
        model: BrandedPartId(104),
        ..RacerResult::default()
    });
    let settlement = Settlement {
        race_type: 17,
        racers: order.len(),
        payouts: payouts.collect(),
        cars_lost: Vec::new(),
        uncounted: Vec::new(),
        sheet: Sheet {
            lobby,
            terms: RaceTerms { laps: 2, ..RaceTerms::default() },
            metres: 0,
            racers: racers.collect(),
        },
        standing: |points| (points / 100 + 10, 0),
        letter: |_, _, _| Letter::city_news("race", "over"),
    };
    let _ = store.races().settle(booking, &settlement, now).unwrap();
}

pub(super) fn money(store: &Store, id: PersonaId) -> u32 {
    store.personas().by_id(id).unwrap().map_or(0, |persona| persona.bank_balance)
}

fn owner(store: &Store, id: PersonaId) -> CustomerId {
    store.personas().by_id(id).unwrap().unwrap().customer_id
}

pub(super) fn new_club(acronym: &str) -> NewClub {
    NewClub {
        name: format!("Club {acronym}"),
        acronym: acronym.to_owned(),
        description: "We race.".to_owned(),
        colours: [0, 0x00ff_ffff, 0x00cc_0000],
    }
}

pub(super) fn plan(start: u64, length: u64) -> NightPlan {
    let moment = |unix: u64| u32::try_from(unix).unwrap();
    NightPlan {
        name: "Friday night".to_owned(),
        lobby: LOBBY,
        start: moment(start),
        end: moment(start + length),
        fee: 1000,
        purse: 500,
        most: 4,
        ..NightPlan::default()
    }
}

/// The words of a refusal, before and after which everything is the same.
pub(super) fn refused<T: std::fmt::Debug>(
    store: &Store,
    act: impl FnOnce() -> Result<T, CityError>,
) -> String {
    let before = records(store);
    let Err(CityError::Refused(why)) = act() else { panic!("it was not refused") };
    assert_eq!(records(store), before, "{why}");
    why.into_owned()
}

fn mails(store: &Store, of: PersonaId, now: Now) -> Vec<String> {
    let all = store.mails().list(of, now).unwrap();
    all.iter().map(|mail| store.mails().get(of, mail.number, now).unwrap().unwrap().0.text).collect()
}

fn last_mail(store: &Store, of: PersonaId, now: Now) -> String {
    mails(store, of, now).pop().unwrap()
}

#[test]
fn the_best_of_a_week_are_paid_once_whatever_the_clock_does() {
    let dir = TempDir::new().unwrap();
    let (mut store, drivers) = city(dir.path(), 3);
    let settle = |store: &Store, now| store.rewards().settle(&rewards(), at(now)).unwrap().len();
    race(&store, LOBBY, &[drivers[0], drivers[1], drivers[2]], at(MONDAY));
    race(&store, LOBBY, &[drivers[0]], at(MONDAY + WEEK - 1));
    race(&store, LOBBY, &[drivers[1]], at(17));
    assert_eq!((settle(&store, MONDAY + WEEK - 1), settle(&store, 17)), (0, 0));
    for again in 0..3 {
        assert_eq!(settle(&store, MONDAY + WEEK), usize::from(again == 0));
        assert_eq!(
            drivers.iter().map(|id| money(&store, *id)).collect::<Vec<_>>(),
            [1_001_100, 1_000_500, 1_000_000]
        );
        store = if again == 1 {
            drop(store);
            Store::open(dir.path()).unwrap()
        } else {
            store
        };
    }
    assert!(last_mail(&store, drivers[0], at(MONDAY + WEEK)).contains("Trials, circuit race: 100 points"));
    assert_eq!(store.badges(drivers[0]).unwrap().len(), 2);
    // The clock goes back into the settled week, and on.
    race(&store, LOBBY, &[drivers[2]], at(MONDAY + DAY));
    assert_eq!(settle(&store, MONDAY + WEEK + 1), 0);
    // It goes far ahead and back: what is to come waits for its time.
    race(&store, LOBBY, &[drivers[2]], at(MONDAY + 500 * WEEK));
    race(&store, LOBBY, &[drivers[1]], at(MONDAY + WEEK + DAY));
    assert_eq!((settle(&store, MONDAY + 2 * WEEK), settle(&store, MONDAY + 3 * WEEK)), (1, 0));
    assert_eq!((money(&store, drivers[1]), money(&store, drivers[2])), (1_001_600, 1_000_000));
    let weeks = store.rewards().weeks(9).unwrap();
    assert_eq!((weeks.len(), weeks[1].boards.len(), weeks[1].boards[0].winners.len()), (2, 2, 2));
    assert!(store.ledger().check().unwrap().differences.is_empty());
}

#[test]
fn who_is_deleted_makes_room_for_the_next_and_a_full_bank_takes_what_it_can() {
    let dir = TempDir::new().unwrap();
    let (store, drivers) = city(dir.path(), 2);
    race(&store, LOBBY, &drivers, at(MONDAY));
    let _ = store.personas().delete(owner(&store, drivers[0]), drivers[0], at(MONDAY)).unwrap();
    let room = u32::MAX - money(&store, drivers[1]);
    let _ = store.personas().grant(drivers[1], i64::from(room) - 300, "rich", at(MONDAY)).unwrap();
    let settled = store.rewards().settle(&rewards(), at(MONDAY + WEEK)).unwrap().remove(0).value;
    let winners: Vec<_> = settled.boards.iter().map(|board| board.winners[0].dollars).collect();
    assert_eq!((winners, money(&store, drivers[1])), (vec![300, 0], u32::MAX));
    assert_eq!(all_rows(&store).iter().filter(|(key, _)| key.starts_with(b"zw")).count(), 0);
}

#[test]
fn a_club_is_founded_and_led_and_everybody_in_it_may_do_what_the_rank_says() {
    let dir = TempDir::new().unwrap();
    let (store, d) = city(dir.path(), 7);
    let (clubs, now) = (store.clubs(), at(MONDAY));
    for (new, why) in [
        (NewClub { acronym: "ABCD".to_owned(), ..new_club("A") }, "1 to 3 letters"),
        (NewClub { acronym: "A1".to_owned(), ..new_club("A") }, "1 to 3 letters"),
        (NewClub { name: "Xy".to_owned(), ..new_club("A") }, "3 to 30"),
        (NewClub { description: " ".to_owned(), ..new_club("A") }, "description"),
        (NewClub { colours: [u32::MAX; 3], ..new_club("A") }, "six digits"),
        (NewClub { name: "Cl\u{fc}b \u{1f3c1}".to_owned(), ..new_club("A") }, "Western Europe"),
    ] {
        assert!(refused(&store, || clubs.found(d[0], &new, &RULES, now)).contains(why), "{why}");
    }
    let _ = store.personas().update(d[1], |persona| persona.level = 9).unwrap();
    assert!(refused(&store, || clubs.found(d[1], &new_club("B"), &RULES, now)).contains("level 10"));
    let club = clubs.found(d[0], &new_club("abc"), &RULES, now).unwrap().value;
    assert_eq!((club.acronym.as_str(), money(&store, d[0])), ("ABC", 995_000));
    assert!(refused(&store, || clubs.found(d[2], &new_club("ABC"), &RULES, now)).contains("acronym"));
    let alike = NewClub { name: "C1UB  abc".to_owned(), ..new_club("X") };
    assert!(refused(&store, || clubs.found(d[2], &alike, &RULES, now)).contains("looks like"));
    assert!(refused(&store, || clubs.found(d[0], &new_club("X"), &RULES, now)).contains("in a club already"));
    // Invited, and asking.
    assert!(refused(&store, || clubs.accept(d[1], club.id, &RULES, now)).contains("does not invite"));
    let _ = clubs.invite(d[0], d[1], now).unwrap();
    let _ = clubs.accept(d[1], club.id, &RULES, now).unwrap();
    let _ = clubs.ask(d[2], club.id, now).unwrap();
    assert!(refused(&store, || clubs.admit(d[1], d[2], &RULES, now)).contains("officers"));
    let _ = clubs.admit(d[0], d[2], &RULES, now).unwrap();
    let _ = clubs.ask(d[3], club.id, now).unwrap();
    let _ = clubs.ask(d[4], club.id, now).unwrap();
    let _ = clubs.dismiss(d[0], d[4], now).unwrap();
    assert!(last_mail(&store, d[4], now).contains("does not let you in"));
    let _ = clubs.admit(d[0], d[3], &RULES, now).unwrap();
    let _ = clubs.invite(d[0], d[4], now).unwrap();
    assert!(refused(&store, || clubs.accept(d[4], club.id, &RULES, now)).contains("full"));
    // Ranks.
    assert!(refused(&store, || clubs.set_officer(d[0], d[1], true, &RULES)).contains("level 10"));
    let _ = clubs.set_officer(d[0], d[2], true, &RULES).unwrap();
    let _ = clubs.set_title(d[0], d[2], "Chief  mechanic").unwrap();
    assert!(refused(&store, || clubs.set_title(d[0], d[2], &"x".repeat(21))).contains("20 characters"));
    assert!(refused(&store, || clubs.expel(d[2], d[0], now)).contains("lower rank"));
    assert!(refused(&store, || clubs.register(d[2], &RULES, now)).contains("Captain"));
    assert_eq!(clubs.write(d[2], "", "Tonight at eight", now).unwrap().value, 3);
    assert_eq!(last_mail(&store, d[0], now), "Tonight at eight");
    let _ = clubs.expel(d[2], d[3], now).unwrap();
    assert_eq!(clubs.membership(d[3]).unwrap(), Membership::default());
    // The Captain goes: the officer follows, everybody is told, and nobody is in the next club at once.
    let _ = clubs.leave(d[0], now).unwrap();
    assert_eq!(clubs.get(club.id).unwrap().unwrap().captain(), Some(d[2]));
    assert!(last_mail(&store, d[1], now).contains("Driver 2"));
    assert!(refused(&store, || clubs.found(d[0], &new_club("NEW"), &RULES, now)).contains("in 7 days"));
    let later = at(MONDAY + 7 * DAY);
    let _ = clubs.found(d[0], &new_club("NEW"), &RULES, later).unwrap();
    // Deleted: the member follows, and with the last one the club ends.
    let _ = store.personas().delete(owner(&store, d[2]), d[2], later).unwrap();
    assert_eq!(clubs.get(club.id).unwrap().unwrap().captain(), Some(d[1]));
    let _ = store.accounts().remove("account1", later).unwrap();
    let _ = store.personas().delete(owner(&store, d[4]), d[4], later).unwrap();
    assert_eq!((clubs.get(club.id).unwrap(), clubs.list().unwrap().len()), (None, 1));
    let _ = clubs.close("new", "rude", later).unwrap();
    assert!(last_mail(&store, d[0], later).ends_with("[NEW]: rude") && clubs.list().unwrap().is_empty());
    assert!(store.ledger().check().unwrap().differences.is_empty());
}

#[test]
fn a_turf_goes_to_the_registered_club_with_most_points_once() {
    let dir = TempDir::new().unwrap();
    let (mut store, d) = city(dir.path(), 4);
    let one = store.clubs().found(d[0], &new_club("ONE"), &RULES, at(MONDAY)).unwrap().value.id;
    let two = store.clubs().found(d[1], &new_club("TWO"), &RULES, at(MONDAY)).unwrap().value.id;
    race(&store, LOBBY, &[d[0], d[1]], at(MONDAY));
    assert!(store.turfs().this_week(at(MONDAY)).unwrap().is_empty(), "no club is registered");
    for captain in [d[0], d[1]] {
        assert_eq!(
            store.clubs().register(captain, &RULES, at(MONDAY)).unwrap().value,
            crate::clock::week(MONDAY) + 4
        );
        assert_eq!(money(&store, captain), 495_000);
    }
    race(&store, LOBBY, &[d[1], d[0]], at(MONDAY));
    race(&store, LOBBY, &[d[0]], at(MONDAY));
    race(&store, LOBBY, &[d[2], d[3], d[1]], at(MONDAY));
    let points: Vec<_> = store.turfs().this_week(at(MONDAY)).unwrap()[0]
        .clubs
        .iter()
        .map(|club| (club.club, club.points))
        .collect();
    assert_eq!(points, [(two, 6 + 3), (one, 4)], "alone brings nothing");
    let settle =
        |store: &Store, now| store.turfs().settle(30_000, &|_| "Harbor".to_owned(), at(now)).unwrap().len();
    for again in 0..3 {
        assert_eq!(settle(&store, MONDAY + WEEK + again), usize::from(again == 0));
        assert_eq!(money(&store, d[1]), 525_000);
        race(&store, LOBBY, &[d[0], d[1]], at(MONDAY + DAY));
        drop(store);
        store = Store::open(dir.path()).unwrap();
    }
    let owners = store.turfs().owners(at(MONDAY + WEEK)).unwrap();
    assert_eq!((owners.len(), owners[0].clubs[0].acronym.as_str()), (1, "TWO"));
    assert_eq!(store.clubs().totals(two).unwrap().turfs, 1);
    let told = mails(&store, d[1], at(MONDAY + WEEK));
    assert_eq!(told.iter().filter(|text| text.contains("has won the turf Harbor")).count(), 1, "{told:?}");
    // Again it is cheaper, and adds to what is left; then it ends.
    let until = store.clubs().register(d[0], &RULES, at(MONDAY + WEEK)).unwrap().value;
    assert_eq!((until, money(&store, d[0])), (crate::clock::week(MONDAY) + 8, 445_000));
    assert!(
        refused(&store, || store.clubs().register(d[0], &RULES, at(MONDAY + WEEK))).contains("four weeks")
    );
    race(&store, LOBBY, &[d[1], d[0]], at(MONDAY + 4 * WEEK));
    let clubs = &store.turfs().this_week(at(MONDAY + 4 * WEEK)).unwrap()[0].clubs;
    assert_eq!(clubs.iter().map(|club| club.club).collect::<Vec<_>>(), [one], "the other has not prolonged");
    // A club that has ended wins nothing.
    let _ = store.clubs().disband(d[0], at(MONDAY + 4 * WEEK)).unwrap();
    assert_eq!(settle(&store, MONDAY + 9 * WEEK), 1);
    assert!(store.turfs().owners(at(MONDAY + 9 * WEEK)).unwrap()[0].clubs.is_empty());
    assert!(store.ledger().check().unwrap().differences.is_empty());
}

#[test]
fn a_race_night_counts_races_while_it_runs_and_pays_once() {
    let dir = TempDir::new().unwrap();
    let (mut store, d) = city(dir.path(), 4);
    let now = at(MONDAY);
    for (wrong, why) in [
        (NightPlan { end: 0, ..plan(MONDAY + DAY, HOUR) }, "before it begins"),
        (plan(MONDAY, HOUR), "beginning is over"),
        (plan(MONDAY + 400 * DAY, HOUR), "more than a year"),
        (plan(MONDAY + DAY, WEEK + 1), "a week at most"),
        (NightPlan { most: 1, ..plan(MONDAY + DAY, HOUR) }, "2 to 64"),
        (NightPlan { fee: u32::MAX, ..plan(MONDAY + DAY, HOUR) }, "$1,000,000"),
        (NightPlan { levels: (9, 3), ..plan(MONDAY + DAY, HOUR) }, "lowest level"),
        (NightPlan { season: 7, ..plan(MONDAY + DAY, HOUR) }, "season"),
    ] {
        assert!(refused(&store, || store.nights().plan(Host::Operator, &wrong, now)).contains(why), "{why}");
    }
    let weekly = NightPlan { weekly: true, ..plan(MONDAY + DAY, HOUR) };
    let night = store.nights().plan(Host::Operator, &weekly, now).unwrap().value;
    for driver in &d[..3] {
        let _ = store.nights().register(night, *driver, now).unwrap();
    }
    assert!(refused(&store, || store.nights().register(night, d[0], now)).contains("registered already"));
    let _ = store.nights().withdraw(night, d[2], now).unwrap();
    assert_eq!(
        d.iter().map(|id| money(&store, *id)).collect::<Vec<_>>(),
        [999_000, 999_000, 1_000_000, 1_000_000]
    );
    // Before, elsewhere, alone, and by who is not registered: none of that counts.
    race(&store, LOBBY, &[d[0], d[1]], now);
    let runs = at(MONDAY + DAY);
    race(&store, 10_002, &[d[0], d[1]], runs);
    race(&store, LOBBY, &[d[0]], runs);
    race(&store, LOBBY, &[d[2], d[3]], runs);
    race(&store, LOBBY, &[d[2], d[1], d[0]], runs);
    race(&store, LOBBY, &[d[0], d[1]], at(MONDAY + DAY + HOUR));
    assert!(refused(&store, || store.nights().withdraw(night, d[0], runs)).contains("has begun"));
    let table: Vec<_> = store
        .nights()
        .get(night)
        .unwrap()
        .unwrap()
        .table()
        .0
        .iter()
        .map(|entry| (entry.persona, entry.points))
        .collect();
    assert_eq!(table, [(d[1], 8), (d[0], 6)]);
    assert!(store.nights().turn(&DEAL_RULES, at(MONDAY + DAY + HOUR - 1)).unwrap().is_empty());
    for again in 0..3 {
        let turned = store.nights().turn(&DEAL_RULES, at(MONDAY + DAY + HOUR + 3 * WEEK)).unwrap();
        assert_eq!(turned.len(), usize::from(again == 0));
        if let Some(turned) = turned.first() {
            assert_eq!(turned.value.next, Some(night + 1));
        }
        drop(store);
        store = Store::open(dir.path()).unwrap();
        assert!(store.nights().turn(&DEAL_RULES, now).unwrap().is_empty(), "the clock goes back");
    }
    // 2,500 dollars: 70 and 30 percent.
    assert_eq!((money(&store, d[1]), money(&store, d[0])), (999_000 + 1750, 999_000 + 750));
    assert!(last_mail(&store, d[1], at(MONDAY + DAY)).contains("place 1 of 2. The prize of 1750 dollars"));
    let next = store.nights().open().unwrap().remove(0);
    assert_eq!(u64::from(next.plan.start), MONDAY + DAY + 4 * WEEK, "the first that is still to come");
    assert!(next.entries.is_empty() && store.nights().closed().unwrap().len() == 1);
    assert!(store.ledger().check().unwrap().differences.is_empty());
}

#[test]
fn fees_come_back_when_a_race_night_is_cancelled_or_nobody_drives() {
    let dir = TempDir::new().unwrap();
    let (store, d) = city(dir.path(), 3);
    let now = at(MONDAY);
    let plan_one =
        |length| store.nights().plan(Host::Operator, &plan(MONDAY + DAY, length), now).unwrap().value;
    let (cancelled, idle) = (plan_one(HOUR), plan_one(2 * HOUR));
    for night in [cancelled, idle] {
        let _ = store.nights().register(night, d[0], now).unwrap();
    }
    assert!(
        refused(&store, || store.nights().cancel(&DEAL_RULES, Host::Operator, (cancelled, ""), now))
            .contains("why")
    );
    let _ = store.nights().cancel(&DEAL_RULES, Host::Operator, (cancelled, "a storm"), now).unwrap();
    assert_eq!(money(&store, d[0]), 999_000);
    assert!(last_mail(&store, d[0], now).contains("a storm. Your fee is back"));
    assert!(
        refused(&store, || store.nights().cancel(&DEAL_RULES, Host::Operator, (cancelled, "again"), now))
            .contains("over")
    );
    // Deleted while it runs: the fee stays in the purse; before, it goes along.
    let _ = store.nights().register(idle, d[1], now).unwrap();
    let _ = store.personas().delete(owner(&store, d[1]), d[1], now).unwrap();
    assert_eq!(store.nights().get(idle).unwrap().unwrap().purse(), 1500);
    let _ = store.nights().register(idle, d[2], now).unwrap();
    let _ = store.personas().delete(owner(&store, d[2]), d[2], at(MONDAY + DAY)).unwrap();
    assert_eq!(store.nights().get(idle).unwrap().unwrap().purse(), 2500);
    let ended = store.nights().turn(&DEAL_RULES, at(MONDAY + 2 * DAY)).unwrap().remove(0).value.night;
    assert_eq!(ended.outcome.unwrap().cancelled, "nobody has a result");
    assert_eq!(money(&store, d[0]), 1_000_000);
    assert!(store.ledger().check().unwrap().differences.is_empty());
}

#[test]
fn a_captain_plans_for_fees_alone_and_a_season_has_a_champion() {
    let dir = TempDir::new().unwrap();
    let (store, d) = city(dir.path(), 3);
    let now = at(MONDAY);
    let club = store.clubs().found(d[0], &new_club("ONE"), &RULES, now).unwrap().value;
    let captain = Host::Captain(d[0]);
    assert!(
        refused(&store, || store.nights().plan(captain, &plan(MONDAY + DAY, HOUR), now))
            .contains("fees alone")
    );
    let own = NightPlan { purse: 0, ..plan(MONDAY + DAY, HOUR) };
    assert!(refused(&store, || store.nights().plan(Host::Captain(d[1]), &own, now)).contains("Captain"));
    let first = store.nights().plan(captain, &own, now).unwrap().value;
    assert_eq!(store.nights().get(first).unwrap().unwrap().club, club.id);
    for _ in 0..2 {
        let _ = store.nights().plan(captain, &own, now).unwrap();
    }
    assert!(refused(&store, || store.nights().plan(captain, &own, now)).contains("three"));
    assert!(refused(&store, || store.clubs().disband(d[0], now)).contains("race night"));
    let _ = store.nights().cancel(&DEAL_RULES, captain, (first, "rain"), now).unwrap();
    let season = store.seasons().begin("Summer 2030").unwrap().value;
    for (week, order) in [(1, [d[0], d[1]]), (2, [d[1], d[0]]), (3, [d[1], d[0]])] {
        let start = MONDAY + week * WEEK;
        let best = NightPlan { season, best_time: true, ..plan(start, HOUR) };
        let night = store.nights().plan(Host::Operator, &best, now).unwrap().value;
        for driver in &order {
            let _ = store.nights().register(night, *driver, now).unwrap();
        }
        race(&store, LOBBY, &order, at(start));
        let _ = store.nights().turn(&DEAL_RULES, at(start + HOUR)).unwrap();
    }
    let _ = store.seasons().end(season, at(MONDAY + 4 * WEEK)).unwrap();
    let found = store.seasons().get(season).unwrap().unwrap();
    let standings: Vec<_> = found.standings.iter().map(|row| (row.persona, row.points, row.won)).collect();
    assert_eq!(standings, [(d[1], 68, 2), (d[0], 61, 1)]);
    assert!(refused(&store, || store.seasons().end(season, now)).contains("ended already"));
    let kinds: Vec<_> = store.badges(d[1]).unwrap().iter().map(|badge| badge.kind).collect();
    assert_eq!(kinds, [BadgeKind::RaceNight, BadgeKind::RaceNight, BadgeKind::Champion]);
    assert!(store.headlines().unwrap()[0].text.contains("champion of the season Summer 2030"));
}
