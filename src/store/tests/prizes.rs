//! Cars and parts to win in race nights.

use super::city::{DAY, HOUR, LOBBY, MONDAY, at, plan, race, refused};
use super::city_model::owners;
use super::deals::RULES as DEAL_RULES;
use super::*;
use mco_proto::ids::{PartId, VehicleId};

/// Four drivers with two cars and a loose part each, and a race night that begins in a day.
fn scene(dir: &Path) -> (Store, Vec<PersonaId>, u32) {
    let (store, d) = owners(dir, 4);
    let night = store.nights().plan(Host::Operator, &plan(MONDAY + DAY, HOUR), at(MONDAY)).unwrap().value;
    (store, d, night)
}

fn cars(store: &Store, of: PersonaId) -> Vec<VehicleId> {
    store.garage().vehicles(of).unwrap().iter().map(|car| car.id).collect()
}

fn part(store: &Store, of: PersonaId) -> PartId {
    store.garage().loose_parts(of).unwrap()[0].id
}

fn give(
    store: &Store,
    night: u32,
    from: PersonaId,
    goods: Goods,
    unix: u64,
) -> Result<Changed<Item>, CityError> {
    store.nights().give_prize(&DEAL_RULES, Host::Operator, (night, from, goods), at(unix))
}

fn last_mail(store: &Store, of: PersonaId, unix: u64) -> String {
    let last = store.mails().list(of, at(unix)).unwrap().pop().unwrap();
    store.mails().get(of, last.number, at(unix)).unwrap().unwrap().0.text
}

fn kinds(store: &Store, of: PersonaId) -> Vec<Kind> {
    store.ledger().of(of).unwrap().iter().map(|(_, line)| line.kind).collect()
}

fn check(store: &Store) {
    assert_eq!(store.ledger().check().unwrap().differences, []);
}

#[test]
fn things_to_win_are_held_and_go_to_those_who_are_placed_and_have_room() {
    let dir = TempDir::new().unwrap();
    let (store, d, night) = scene(dir.path());
    let (car, thing) = (cars(&store, d[0])[0], part(&store, d[0]));
    assert_eq!(give(&store, night, d[0], Goods::Car(car), MONDAY).unwrap().value.goods, Goods::Car(car));
    let _ = give(&store, night, d[0], Goods::Part(thing), MONDAY).unwrap();
    assert_eq!(store.garage().vehicle(car).unwrap().unwrap().owner, ESCROW.usual);
    assert_eq!(store.garage().expected(d[0]).unwrap().cars, 1, "room is kept");
    check(&store);
    for (goods, why) in [
        (Goods::Car(cars(&store, d[0])[0]), "last car"),
        (Goods::Car(car), "owns no such"),
        (Goods::Part(PartId(999_999)), "owns no such"),
    ] {
        assert!(refused(&store, || give(&store, night, d[0], goods, MONDAY)).contains(why), "{goods:?}");
    }
    let late = MONDAY + DAY;
    let other = Goods::Car(cars(&store, d[1])[0]);
    assert!(refused(&store, || give(&store, night, d[1], other, late)).contains("has begun"));
    assert!(refused(&store, || give(&store, 77, d[1], other, MONDAY)).contains("no such race night"));
    let captain = Host::Captain(d[1]);
    let by_captain = || store.nights().give_prize(&DEAL_RULES, captain, (night, d[1], other), at(MONDAY));
    assert!(refused(&store, by_captain).contains("Captain"));
    for id in &d[1..] {
        let _ = store.nights().register(night, *id, at(MONDAY)).unwrap();
    }
    // The winner's garage is full: four cars.
    for _ in 0..2 {
        let _ = store.garage().buy_car(d[1], fairlane(0), at(MONDAY)).unwrap();
    }
    race(&store, LOBBY, &d[1..], at(late));
    let store = {
        drop(store);
        Store::open(dir.path()).unwrap()
    };
    let end = late + HOUR;
    for again in [false, true] {
        assert_eq!(store.nights().turn(&DEAL_RULES, at(end)).unwrap().is_empty(), again);
    }
    assert!(cars(&store, d[2]).contains(&car), "the first with room for it");
    assert!(store.garage().loose_parts(d[1]).unwrap().iter().any(|own| own.id == thing));
    assert!(kinds(&store, d[2]).contains(&Kind::PrizeWon) && kinds(&store, d[1]).contains(&Kind::PrizeWon));
    assert!(last_mail(&store, d[2], end).contains("you have won thing 104"));
    assert!(last_mail(&store, d[0], end).contains("has won your prize"));
    let closed = store.nights().get(night).unwrap().unwrap();
    let won: Vec<_> = closed.outcome.unwrap().won.iter().map(|(who, item)| (*who, item.goods)).collect();
    assert_eq!(won, [(d[2], Goods::Car(car)), (d[1], Goods::Part(thing))]);
    assert_eq!(store.garage().expected(d[0]).unwrap(), Expected::default());
    check(&store);
}

#[test]
fn who_gave_a_prize_may_win_it_back_into_an_otherwise_full_garage_and_has_room_once_it_is_won_by_another() {
    for first in [0, 1] {
        let dir = TempDir::new().unwrap();
        let (store, d, night) = scene(dir.path());
        let (own, other) = (cars(&store, d[0])[0], cars(&store, d[2])[0]);
        for (from, car) in [(d[0], own), (d[2], other)] {
            let _ = give(&store, night, from, Goods::Car(car), MONDAY).unwrap();
        }
        assert!(last_mail(&store, d[0], MONDAY).contains("is held until its end, as a prize"));
        // With what is held for it the garage is full: four cars.
        for _ in 0..2 {
            let _ = store.garage().buy_car(d[0], fairlane(0), at(MONDAY)).unwrap();
        }
        let placed = [d[first], d[1 - first]];
        for id in placed {
            let _ = store.nights().register(night, id, at(MONDAY)).unwrap();
        }
        race(&store, LOBBY, &placed, at(MONDAY + DAY));
        let _ = store.nights().turn(&DEAL_RULES, at(MONDAY + DAY + HOUR)).unwrap();
        let closed = store.nights().get(night).unwrap().unwrap();
        let won: Vec<_> = closed.outcome.unwrap().won.iter().map(|(who, item)| (*who, item.goods)).collect();
        assert_eq!(won, [(placed[0], Goods::Car(own)), (placed[1], Goods::Car(other))]);
        check(&store);
    }
}

#[test]
fn things_that_nobody_wins_come_back_and_go_with_a_driver_that_is_gone() {
    let dir = TempDir::new().unwrap();
    let (store, d, night) = scene(dir.path());
    let (car, other) = (cars(&store, d[0])[0], cars(&store, d[1])[0]);
    let _ = give(&store, night, d[0], Goods::Car(car), MONDAY).unwrap();
    let cancel = |night| store.nights().cancel(&DEAL_RULES, Host::Operator, (night, "rain"), at(MONDAY));
    let _ = cancel(night).unwrap();
    assert!(
        cars(&store, d[0]).contains(&car)
            && kinds(&store, d[0]).ends_with(&[Kind::GoodsHeld, Kind::GoodsBack])
    );
    assert!(last_mail(&store, d[0], MONDAY).contains("back. The reason: rain."));
    check(&store);
    // Nobody drives; and of two prizes one has lost its giver.
    let night = store.nights().plan(Host::Operator, &plan(MONDAY + DAY, HOUR), at(MONDAY)).unwrap().value;
    let _ = give(&store, night, d[0], Goods::Car(car), MONDAY).unwrap();
    let _ = give(&store, night, d[1], Goods::Car(other), MONDAY).unwrap();
    let customer = store.personas().by_id(d[1]).unwrap().unwrap().customer_id;
    let _ = store.personas().delete(customer, d[1], at(MONDAY)).unwrap();
    check(&store);
    let _ = store.nights().turn(&DEAL_RULES, at(MONDAY + DAY + HOUR)).unwrap();
    assert!(cars(&store, d[0]).contains(&car));
    assert_eq!(store.garage().vehicle(other).unwrap(), None);
    check(&store);
    // A weekly one goes on without the things, and there are at most six.
    let weekly = NightPlan { weekly: true, ..plan(MONDAY + 2 * DAY, HOUR) };
    let night = store.nights().plan(Host::Operator, &weekly, at(MONDAY + DAY)).unwrap().value;
    for _ in 0..MOST_PRIZES {
        let loose = deals::loose_part(&store, d[2], at(MONDAY));
        let _ = give(&store, night, d[2], Goods::Part(loose), MONDAY + DAY).unwrap();
    }
    let one_more = Goods::Car(cars(&store, d[2])[0]);
    assert!(refused(&store, || give(&store, night, d[2], one_more, MONDAY + DAY)).contains("six"));
    let _ = store.nights().turn(&DEAL_RULES, at(MONDAY + 2 * DAY + HOUR)).unwrap();
    assert_eq!(store.nights().open().unwrap()[0].prizes, []);
    check(&store);
}

#[test]
fn race_nights_of_an_older_version_are_read() {
    let dir = TempDir::new().unwrap();
    let (store, d, night) = scene(dir.path());
    let _ = store.nights().register(night, d[0], at(MONDAY)).unwrap();
    let known = store.nights().get(night).unwrap().unwrap();
    // The old layout is the new one without the things at its end.
    let fields = (known.id, &known.plan, known.club, &known.entries, known.kept, None::<u32>);
    let old = [vec![1], postcard::to_allocvec(&fields).unwrap()].concat();
    assert_eq!(record::decode::<Night>(&old), Ok(known.clone()));
    let outcome = Some((7_u32, "rain", vec![(d[0], 5_u32)]));
    let fields = (known.id, &known.plan, known.club, &known.entries, known.kept, outcome);
    let old = [vec![1], postcard::to_allocvec(&fields).unwrap()].concat();
    let read: Night = record::decode(&old).unwrap();
    let outcome =
        NightOutcome { at: 7, cancelled: "rain".to_owned(), prizes: vec![(d[0], 5)], won: Vec::new() };
    assert_eq!(read.outcome, Some(outcome));
    let fields =
        (known.id, &known.plan, known.club, &known.entries, known.kept, &known.outcome, &known.prizes);
    let old = [vec![2], postcard::to_allocvec(&fields).unwrap()].concat();
    assert_eq!(record::decode::<Night>(&old), Ok(known));
}
