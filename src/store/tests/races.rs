//! Fees, pay and wagered cars.

use super::*;
use crate::clock::Now;
use mco_proto::ids::{PartId, RaceId, VehicleId};

const RACE: RaceId = RaceId(88);

fn standing(points: u32) -> (u32, u32) {
    (points / 100 + 1, points / 500)
}

/// A store with two drivers, and a car of the second.
fn two(dir: &Path) -> (Store, PersonaId, PersonaId, VehicleId) {
    let (store, owner, ann) = furnished(dir);
    let bob = store.personas().create(owner, driver("Bob"), Now::read()).unwrap().value.id;
    let car = store.garage().buy_car(bob, fairlane(0), Now::read()).unwrap().value;
    (store, ann, bob, car)
}

fn money(store: &Store, id: PersonaId) -> u32 {
    store.personas().by_id(id).unwrap().unwrap().bank_balance
}

/// In a car that is not its own.
fn entrant(persona: PersonaId, fee: u32) -> Entrant {
    Entrant { persona, fee, car: None }
}

fn payout(persona: PersonaId, cash: u32, won: bool) -> Payout {
    Payout { persona, cash, points: 50, place: Some(usize::from(!won)) }
}

fn settlement(ann: PersonaId, bob: PersonaId, cars_lost: Vec<(PersonaId, VehicleId)>) -> Settlement {
    Settlement {
        race_type: 17,
        racers: 2,
        payouts: vec![payout(ann, 1800, true), payout(bob, 0, false)],
        cars_lost,
        uncounted: Vec::new(),
        sheet: Sheet::default(),
        standing,
        letter: |_, payout, settled| {
            Letter::city_news("race", &format!("{:?} {}", payout.place, settled.cash))
        },
    }
}

#[test]
fn all_fees_are_taken_or_none() {
    let dir = TempDir::new().unwrap();
    let (store, ann, bob, _) = two(dir.path());
    let before = records(&store);
    let races = store.races();
    let error = races.start(RACE, &[entrant(ann, 100), entrant(bob, 5001)], false, Now::read()).unwrap_err();
    assert_eq!(error, RaceError::InsufficientFunds(bob));
    let error =
        races.start(RACE, &[entrant(ann, 100), entrant(PersonaId(9), 0)], false, Now::read()).unwrap_err();
    assert_eq!(error, RaceError::NoSuchPersona(PersonaId(9)));
    assert_eq!(records(&store), before);
    let first =
        races.start(RACE, &[entrant(ann, 100), entrant(bob, 5000)], false, Now::read()).unwrap().value;
    assert_eq!((money(&store, ann), money(&store, bob)), (4900, 0));
    let second = races.start(RACE, &[entrant(ann, 0)], false, Now::read()).unwrap().value;
    assert_eq!(races.under_way().unwrap(), [first, second], "the same race again is another booking");
}

#[test]
fn a_race_is_paid_or_refunded_once_also_after_a_restart() {
    let dir = TempDir::new().unwrap();
    let (store, ann, bob, _) = two(dir.path());
    let fees = [entrant(ann, 100), entrant(bob, 100)];
    let paid = store.races().start(RACE, &fees, false, Now::read()).unwrap().value;
    let refunded = store.races().start(RACE, &fees, false, Now::read()).unwrap().value;
    store.races().settle(paid, &settlement(ann, bob, vec![]), Now::read()).unwrap().ticket.wait().unwrap();
    store.races().refund(refunded, &[], Now::read()).unwrap().ticket.wait().unwrap();
    let after = (money(&store, ann), money(&store, bob));
    assert_eq!(after, (5000 - 100 + 1800, 5000 - 100));
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    for booking in [paid, refunded] {
        let again = store.races().settle(booking, &settlement(ann, bob, vec![]), Now::read());
        assert_eq!(again.unwrap_err(), RaceError::NotUnderWay(booking));
        assert_eq!(
            store.races().refund(booking, &[], Now::read()).unwrap_err(),
            RaceError::NotUnderWay(booking)
        );
    }
    assert_eq!((money(&store, ann), money(&store, bob)), after);
    assert!(store.ledger().check().unwrap().differences.is_empty());
}

#[test]
fn a_settlement_reports_points_levels_and_cars() {
    let dir = TempDir::new().unwrap();
    let (store, ann, bob, car) = two(dir.path());
    let booking =
        store.races().start(RACE, &[entrant(ann, 0), entrant(bob, 0)], false, Now::read()).unwrap().value;
    let mut end = settlement(ann, bob, vec![(bob, car)]);
    end.payouts[0].points = 100;
    let settled = store.races().settle(booking, &end, Now::read()).unwrap().value;
    let of = |id| *settled.iter().find(|settled| settled.persona == id).unwrap();
    assert_eq!((of(ann).cash, of(ann).points, of(ann).level, of(ann).cars_won), (1800, 100, (1, 2), 1));
    assert_eq!((of(bob).cash, of(bob).level, of(bob).cars_lost), (0, (1, 1), 1));
    let vehicle = store.garage().vehicle(car).unwrap().unwrap();
    assert_eq!((vehicle.owner, vehicle.delta), (ann, 1));
    assert!(store.garage().vehicles(bob).unwrap().is_empty());
    let [ann, bob] = [ann, bob].map(|id| store.personas().by_id(id).unwrap().unwrap());
    assert_eq!((ann.vehicle, bob.vehicle), (Some(car), None));
}

#[test]
fn a_car_that_is_not_the_losers_stays_and_a_racer_is_not_deleted() {
    let dir = TempDir::new().unwrap();
    let (store, ann, bob, car) = two(dir.path());
    let other = store.garage().buy_car(ann, fairlane(0), Now::read()).unwrap().value;
    let owner = store.personas().by_id(ann).unwrap().unwrap().customer_id;
    let booking =
        store.races().start(RACE, &[entrant(ann, 10), entrant(bob, 10)], false, Now::read()).unwrap().value;
    assert_eq!(store.personas().delete(owner, bob, Now::read()).unwrap_err(), PersonaError::InRace);
    // Ann's car, said to be Bob's.
    let end = settlement(ann, bob, vec![(bob, other)]);
    store.races().settle(booking, &end, Now::read()).unwrap().ticket.wait().unwrap();
    assert_eq!(store.garage().vehicle(other).unwrap().unwrap().owner, ann);
    store.personas().delete(owner, bob, Now::read()).unwrap().ticket.wait().unwrap();
    assert_eq!(store.garage().vehicle(car).unwrap(), None);
    assert!(store.races().under_way().unwrap().is_empty());
}

#[test]
fn a_booking_holds_its_cars_also_after_a_restart_until_it_is_settled() {
    let dir = TempDir::new().unwrap();
    let (store, ann, bob, car) = two(dir.path());
    let spare = store.garage().buy_car(bob, fairlane(0), Now::read()).unwrap().value;
    let wagers = |persona, car| [Entrant { persona, fee: 0, car: Some(car) }];
    let start = |store: &Store, persona, car, wagered| {
        store.races().start(RACE, &wagers(persona, car), wagered, Now::read()).map(|booked| booked.value)
    };
    assert_eq!(
        start(&store, ann, car, false),
        Err(RaceError::CarRefused(ann, "the car is not its own any more"))
    );
    let booking = start(&store, bob, car, true).unwrap();
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    let garage = store.garage();
    let part = garage.parts_of(car).unwrap()[0].id;
    assert_eq!(garage.scrap(bob, part, &|_| 1, Now::read()).unwrap_err(), GarageError::InRace);
    assert_eq!(garage.scrap(bob, car.part(), &|_| 1, Now::read()).unwrap_err(), GarageError::InRace);
    assert_eq!(garage.scrap(bob, spare.part(), &|_| 1, Now::read()).unwrap_err(), GarageError::LastCar);
    assert_eq!(garage.remove(bob, part, &|_| 9).unwrap_err(), GarageError::InRace);
    for wagered in [false, true] {
        let refused = start(&store, bob, car, wagered).unwrap_err();
        assert_eq!(refused, RaceError::CarRefused(bob, "the car is in another race"));
    }
    let refused = start(&store, bob, spare, true).unwrap_err();
    assert_eq!(refused, RaceError::CarRefused(bob, "its last car cannot be wagered"));
    store.races().refund(booking, &[], Now::read()).unwrap().ticket.wait().unwrap();
    assert_eq!(garage.scrap(bob, spare.part(), &|_| 1, Now::read()).unwrap().value, 3);
}

#[test]
fn a_full_bank_takes_what_it_can() {
    let dir = TempDir::new().unwrap();
    let (store, ann, bob, _) = two(dir.path());
    let booking =
        store.races().start(RACE, &[entrant(ann, 0), entrant(bob, 0)], false, Now::read()).unwrap().value;
    let mut end = settlement(ann, bob, vec![]);
    end.payouts[0].cash = u32::MAX;
    let settled = store.races().settle(booking, &end, Now::read()).unwrap().value;
    assert_eq!((money(&store, ann), settled[0].cash), (u32::MAX, u32::MAX - 5000));
    assert!(store.ledger().check().unwrap().differences.is_empty());
}

#[test]
fn damage_only_grows_and_belongs_to_the_car() {
    let dir = TempDir::new().unwrap();
    let (store, ann, bob, car) = two(dir.path());
    let part = store.garage().parts_of(car).unwrap()[0].id;
    let damage = |reported: &[_]| store.races().damage((RACE, false), bob, car, reported).unwrap().value;
    assert_eq!(damage(&[(part, 30, 100), (PartId(4711), 50, 50)]), 1);
    assert_eq!(damage(&[(part, 20, 90)]), 0);
    assert_eq!(
        store.races().damage((RACE, false), bob, VehicleId(4711), &[(part, 99, 99)]).unwrap().value,
        0
    );
    assert_eq!(
        store.races().damage((RACE, false), ann, car, &[(part, 99, 99)]).unwrap().value,
        0,
        "somebody else's"
    );
    let part = store.garage().parts_of(car).unwrap()[0].clone();
    assert_eq!((part.damage, part.wear, part.owner), (30, 100, bob));
    assert_eq!(store.garage().vehicle(car).unwrap().unwrap().delta, 1);
}
