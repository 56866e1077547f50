//! Random players do everything of the city while they race, the store is opened again, cleanly or not, and the clock jumps: no money comes from nowhere,
//! nothing is paid twice, and each thing is in one place.

use super::city::{DAY, HOUR, LOBBY, MONDAY, RULES, WEEK, at, city, money, new_club, plan, race, rewards};
use super::deals::RULES as DEAL_RULES;
use super::*;
use mco_proto::ids::VehicleId;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const DRIVERS: usize = 6;

/// A city whose drivers have two cars and a loose part each.
pub(super) fn owners(dir: &Path, count: usize) -> (Store, Vec<PersonaId>) {
    let (store, drivers) = city(dir, count);
    for id in &drivers {
        for _ in 0..2 {
            let _ = store.garage().buy_car(*id, fairlane(0), at(MONDAY)).unwrap();
        }
        deals::loose_part(&store, *id, at(MONDAY));
    }
    (store, drivers)
}

/// What somebody does, on small numbers, so that people and clubs meet often.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Found(usize, u8),
    Invite(usize, usize),
    Ask(usize, u32),
    Answer(usize, usize, u32, u8),
    Rank(usize, usize, u8),
    Leave(usize, u8),
    Register(usize),
    Plan(Option<usize>, u64, u64, bool, bool),
    Enter(usize, u32, bool),
    Cancel(Option<usize>, u32),
    Prize(usize, u32),
    Race(Vec<usize>, u32),
    Delete(usize),
    Season(u32, bool),
    Clock(i64),
    Turn,
    Reopen(bool),
}

pub(super) fn act() -> impl Strategy<Value = Act> {
    let who = || 0..DRIVERS;
    prop_oneof![
        3 => (who(), 0..4_u8).prop_map(|(who, name)| Act::Found(who, name)),
        3 => (who(), who()).prop_map(|(by, who)| Act::Invite(by, who)),
        2 => (who(), 1..4_u32).prop_map(|(who, club)| Act::Ask(who, club)),
        4 => (who(), who(), 1..4_u32, 0..5_u8).prop_map(|(by, who, club, how)| Act::Answer(by, who, club, how)),
        2 => (who(), who(), 0..4_u8).prop_map(|(by, who, how)| Act::Rank(by, who, how)),
        1 => (who(), 0..3_u8).prop_map(|(who, how)| Act::Leave(who, how)),
        3 => who().prop_map(Act::Register),
        4 => (proptest::option::of(who()), 1..50_u64, 1..50_u64, any::<bool>(), any::<bool>())
            .prop_map(|(host, start, length, weekly, time)| Act::Plan(host, start, length, weekly, time)),
        8 => (who(), 1..12_u32, any::<bool>()).prop_map(|(who, night, enters)| Act::Enter(who, night, enters)),
        1 => (proptest::option::of(who()), 1..12_u32).prop_map(|(host, night)| Act::Cancel(host, night)),
        4 => (who(), 1..12_u32).prop_map(|(who, night)| Act::Prize(who, night)),
        8 => (proptest::sample::subsequence((0..DRIVERS).collect::<Vec<_>>(), 1..5).prop_shuffle(), 0..2_u32)
            .prop_map(|(order, lobby)| Act::Race(order, LOBBY + lobby)),
        1 => who().prop_map(Act::Delete),
        1 => (1..3_u32, any::<bool>()).prop_map(|(season, begins)| Act::Season(season, begins)),
        6 => prop_oneof![
            4 => 1..(2 * DAY).cast_signed(),
            1 => -(9 * DAY).cast_signed()..0,
            1 => (WEEK.cast_signed())..(200 * WEEK).cast_signed(),
        ].prop_map(Act::Clock),
        8 => Just(Act::Turn),
        2 => any::<bool>().prop_map(Act::Reopen),
    ]
}

/// Refusals are as welcome as successes; only a failing store is not.
fn fine<T>(outcome: Result<T, CityError>) {
    if let Err(CityError::Store(error)) = outcome {
        panic!("{error}");
    }
}

/// What time brings, and what it was: (week, board), (week, lobby) and race nights, each to be seen once.
fn turn(store: &Store, now: Now, seen: &mut BTreeSet<(char, u32, u32)>) {
    for settled in store.rewards().settle(&rewards(), now).unwrap() {
        assert!(seen.insert(('w', settled.value.week, 0)), "{settled:?}");
    }
    for settled in store.turfs().settle(30_000, &|_| "turf".to_owned(), now).unwrap() {
        assert!(seen.insert(('t', settled.value.week, settled.value.lobby)), "{settled:?}");
    }
    for turned in store.nights().turn(&DEAL_RULES, now).unwrap() {
        assert!(seen.insert(('n', turned.value.night.id, 0)), "{turned:?}");
    }
}

pub(super) fn apply(
    store: &Store,
    act: &Act,
    d: &[PersonaId],
    now: Now,
    seen: &mut BTreeSet<(char, u32, u32)>,
) {
    let (clubs, nights) = (store.clubs(), store.nights());
    let lives = |id: PersonaId| store.personas().by_id(id).unwrap().is_some();
    match *act {
        Act::Found(who, name) => {
            fine(clubs.found(d[who], &new_club(["A", "BB", "CCC", "D"][usize::from(name)]), &RULES, now));
        }
        Act::Invite(by, who) => fine(clubs.invite(d[by], d[who], now)),
        Act::Ask(who, club) => fine(clubs.ask(d[who], club, now)),
        Act::Answer(by, who, club, how) => match how {
            0 => fine(clubs.admit(d[by], d[who], &RULES, now)),
            1 => fine(clubs.dismiss(d[by], d[who], now)),
            2 => fine(clubs.decline(d[by], club)),
            _ => fine(clubs.accept(d[by], club, &RULES, now)),
        },
        Act::Rank(by, who, how) => match how {
            0 => fine(clubs.expel(d[by], d[who], now)),
            1 => fine(clubs.hand_over(d[by], d[who], now)),
            2 => fine(clubs.set_title(d[by], d[who], "Wrench")),
            _ => fine(clubs.set_officer(d[by], d[who], true, &RULES)),
        },
        Act::Leave(who, how) => {
            if how == 0 {
                fine(clubs.disband(d[who], now));
            } else {
                fine(clubs.leave(d[who], now));
            }
        }
        Act::Register(who) => fine(clubs.register(d[who], &RULES, now)),
        Act::Plan(host, start, length, weekly, best_time) => {
            let plan = NightPlan { weekly, best_time, ..plan(now.unix + start * HOUR, length * HOUR) };
            match host {
                Some(who) => fine(nights.plan(Host::Captain(d[who]), &NightPlan { purse: 0, ..plan }, now)),
                None => {
                    fine(nights.plan(Host::Operator, &NightPlan { season: u32::from(weekly), ..plan }, now));
                }
            }
        }
        Act::Enter(who, night, true) => fine(nights.register(night, d[who], now)),
        Act::Enter(who, night, false) => fine(nights.withdraw(night, d[who], now)),
        Act::Cancel(host, night) => {
            let host = host.map_or(Host::Operator, |who| Host::Captain(d[who]));
            let open = nights.open().unwrap().iter().any(|open| open.id == night);
            if open && nights.cancel(&DEAL_RULES, host, (night, "rain"), now).is_ok() {
                assert!(seen.insert(('n', night, 0)));
            }
        }
        Act::Prize(who, night) => {
            let car = store.garage().vehicles(d[who]).unwrap().first().map_or(VehicleId(1), |car| car.id);
            let given = (night, d[who], Goods::Car(car));
            fine(nights.give_prize(&DEAL_RULES, Host::Operator, given, now));
        }
        Act::Race(ref order, lobby) => {
            let order: Vec<_> = order.iter().map(|at| d[*at]).filter(|id| lives(*id)).collect();
            if !order.is_empty() {
                race(store, lobby, &order, now);
            }
        }
        Act::Delete(who) => {
            if let Some(persona) = store.personas().by_id(d[who]).unwrap() {
                let _ = store.personas().delete(persona.customer_id, d[who], now).unwrap();
            }
        }
        Act::Season(_, true) => fine(store.seasons().begin("Summer")),
        Act::Season(season, false) => fine(store.seasons().end(season, now)),
        Act::Turn => turn(store, now, seen),
        Act::Clock(_) | Act::Reopen(_) => {}
    }
}

/// Each is in one club at most, as its own record says, and each club has one Captain.
pub(super) fn clubs_are_sound(store: &Store, d: &[PersonaId]) {
    let mut members = BTreeMap::new();
    for club in store.clubs().list().unwrap() {
        let captains = club.members.iter().filter(|member| member.rank == Rank::Captain).count();
        assert_eq!(captains, 1, "{club:?}");
        for member in &club.members {
            assert_eq!(members.insert(member.persona, club.id), None, "{club:?}");
            assert!(store.personas().by_id(member.persona).unwrap().is_some());
        }
    }
    for id in d {
        assert_eq!(store.clubs().membership(*id).unwrap().club, members.get(id).copied().unwrap_or(0));
    }
}

/// What holds at every moment.
fn check(store: &Store, d: &[PersonaId]) {
    let report = store.ledger().check().unwrap();
    assert_eq!(report.differences, []);
    clubs_are_sound(store, d);
    // What the race nights hold is what was paid and has not come back; prizes come from the purses.
    let open = store.nights().open().unwrap();
    assert_eq!(report.held, open.iter().map(Night::fees).sum::<u64>());
    for id in d {
        let held: i64 = open
            .iter()
            .flat_map(|night| &night.entries)
            .filter(|entry| entry.persona == *id)
            .map(|entry| i64::from(entry.fee))
            .sum();
        let lines = store.ledger().of(*id).unwrap();
        let sum = |night: u32| -> i64 {
            let of_night = lines.iter().filter(|(_, line)| line.reference == night);
            of_night
                .filter(|(_, line)| [Kind::NightFee, Kind::NightRefund].contains(&line.kind))
                .map(|(_, line)| line.amount)
                .sum()
        };
        let paid: i64 = open.iter().map(|night| sum(night.id)).sum();
        assert!(lines.is_empty() || held == -paid, "{id}: {held} held, {paid} paid");
        assert_eq!(lines.is_empty(), store.personas().by_id(*id).unwrap().is_none());
    }
    for night in store.nights().closed().unwrap() {
        let outcome = night.outcome.as_ref().unwrap();
        let prizes: u64 = outcome.prizes.iter().map(|(_, dollars)| u64::from(*dollars)).sum();
        assert!(prizes <= night.purse() && (outcome.cancelled.is_empty() || prizes == 0), "{night:?}");
        for (persona, dollars) in &outcome.prizes {
            let lines = store.ledger().of(*persona).unwrap();
            let paid: Vec<_> = lines
                .iter()
                .filter(|(_, line)| line.kind == Kind::NightPrize && line.reference == night.id)
                .map(|(_, line)| line.amount)
                .collect();
            assert!(lines.is_empty() || paid == [i64::from(*dollars)], "{night:?}: {paid:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_players_clocks_and_restarts_do_money_is_what_the_ledger_says_and_nothing_ends_twice(
        acts in proptest::collection::vec(act(), 1..120)
    ) {
        let mut dir = TempDir::new().unwrap();
        let (mut store, d) = owners(dir.path(), DRIVERS);
        let mut unix = MONDAY;
        let mut seen = BTreeSet::new();
        for act in &acts {
            match act {
                Act::Clock(by) => unix = unix.saturating_add_signed(*by).clamp(MONDAY - 20 * WEEK, MONDAY + 2000 * WEEK),
                Act::Reopen(cleanly) => {
                    let before: Vec<_> = d.iter().map(|id| money(&store, *id)).collect();
                    store.flush().unwrap();
                    if !cleanly {
                        // What a power cut leaves: the files as they are while the store is open.
                        let left = TempDir::new().unwrap();
                        deals::model::copy(dir.path(), left.path());
                        dir = left;
                    }
                    drop(store);
                    store = Store::open(dir.path()).unwrap();
                    prop_assert_eq!(d.iter().map(|id| money(&store, *id)).collect::<Vec<_>>(), before);
                }
                _ => apply(&store, act, &d, at(unix), &mut seen),
            }
            check(&store, &d);
        }
        // At the very end everything that was open ends, once.
        for _ in 0..2 {
            turn(&store, at(MONDAY + 4000 * WEEK), &mut seen);
            check(&store, &d);
        }
    }
}
