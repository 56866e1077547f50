//! What each verb does and refuses.

use super::*;
use crate::clock::Now;
use mco_proto::ids::{PartId, VehicleId};
use std::sync::Barrier;
use std::thread;

#[test]
fn everything_is_there_after_reopening() {
    let dir = TempDir::new().unwrap();
    let before = {
        let (store, owner, persona) = furnished(dir.path());
        let _ = store
            .accounts()
            .create("Another.One", &password("another"), Some(CustomerId(7)), Now::read())
            .unwrap();
        let _ = store.personas().create(owner, driver("Marty"), Now::read()).unwrap();
        let _ = store.keys().set_login_key(&[0x30, 0x82, 1, 2]).unwrap();
        let _ = store
            .personas()
            .update(persona, |persona| {
                persona.physical = Physical { body_type: 5, hair_color: 0xffac_450d, ..Physical::default() };
                persona.plate = Plate { code: 3, text: "OUTATIM".to_owned() };
                persona.car_numbers[5] = "88".to_owned();
                persona.description = "1.21 \u{a3}".to_owned();
                persona.history.push(RaceRecord { race_type: 18, won: 2, ..RaceRecord::default() });
            })
            .unwrap();
        let _ = store.garage().buy_car(persona, fairlane(1500), Now::read()).unwrap();
        everything(&store)
    };
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(everything(&store), before);
    assert_eq!((before.accounts.len(), before.personas.len()), (2, 2));
    assert_eq!(before.cars[0][0].1.len(), 3);
    assert!(store.accounts().check_password("driver", "garage", Now::read()).unwrap().is_some());
}

#[test]
fn names_and_ids_of_accounts_are_unique_whatever_their_case() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let accounts = store.accounts();
    let first = accounts.create("Driver", &password("garage"), None, Now::read()).unwrap().value;
    assert_eq!(first.customer_id, CustomerId(1000));
    let taken = accounts.create("dRIVER", &password("garage"), None, Now::read());
    assert_eq!(taken.unwrap_err(), AccountError::NameTaken);
    for id in [0, 1000] {
        let taken = accounts.create("other", &password("garage"), Some(CustomerId(id)), Now::read());
        assert_eq!(taken.unwrap_err(), AccountError::CustomerIdTaken);
    }
    assert_eq!(accounts.by_name("DRIVER").unwrap(), Some(first.clone()));
    assert_eq!(accounts.by_customer(CustomerId(1000)).unwrap(), Some(first));
    assert_eq!(accounts.by_customer(CustomerId(1001)).unwrap(), None);
}

#[test]
fn numbers_given_out_step_over_those_asked_for() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let _ =
        store.accounts().create("moved", &password("garage"), Some(CustomerId(1000)), Now::read()).unwrap();
    let next = store.accounts().create("driver", &password("garage"), None, Now::read()).unwrap().value;
    assert_eq!(next.customer_id, CustomerId(1001));

    let moved = NewPersona { id: Some(PersonaId(1000)), ..driver("Doc") };
    let _ = store.personas().create(next.customer_id, moved, Now::read()).unwrap();
    let persona = store.personas().create(next.customer_id, driver("Marty"), Now::read()).unwrap().value;
    assert_eq!(persona.id, PersonaId(1001));
}

#[test]
fn account_names_keep_to_the_rules() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for name in ["", "with space", "caf\u{e9}", "a/b", "nul\0", &"x".repeat(33)] {
        let refused = store.accounts().create(name, &password("garage"), None, Now::read());
        assert!(matches!(refused, Err(AccountError::BadName(_))), "{name:?}");
    }
    assert_eq!(store.accounts().list().unwrap(), []);
    for name in ["a", "A_b.c-9", &"x".repeat(32)] {
        let _ = store.accounts().create(name, &password("garage"), None, Now::read()).unwrap();
    }
}

#[test]
fn only_the_right_password_of_an_enabled_account_opens_it() {
    let dir = TempDir::new().unwrap();
    let (store, owner, _) = furnished(dir.path());
    let accounts = store.accounts();
    let opens = |name, text| {
        accounts.check_password(name, text, Now::read()).unwrap().map(|account| account.customer_id)
    };
    assert_eq!(opens("driver", "garage"), Some(owner));
    assert_eq!(opens("DRIVER", "garage"), Some(owner));
    assert_eq!(opens("driver", "Garage"), None);
    assert_eq!(opens("nobody", "garage"), None);

    assert!(accounts.set_disabled("Driver", true).unwrap().value.disabled);
    assert_eq!(opens("driver", "garage"), None);
    let _ = accounts.set_password("driver", &password("newword")).unwrap();
    let _ = accounts.set_disabled("driver", false).unwrap();
    assert_eq!(opens("driver", "garage"), None);
    assert_eq!(opens("driver", "newword"), Some(owner));

    assert_eq!(accounts.set_disabled("nobody", true).unwrap_err(), AccountError::NotFound);
    assert_eq!(accounts.set_password("nobody", &password("word")).unwrap_err(), AccountError::NotFound);
}

#[test]
fn a_login_costs_the_same_for_known_unknown_and_disabled_accounts() {
    let dir = TempDir::new().unwrap();
    let (store, ..) = furnished(dir.path());
    let _ = store.accounts().create("barred", &password("garage"), None, Now::read()).unwrap();
    let _ = store.accounts().set_disabled("barred", true).unwrap();
    for (name, text) in [
        ("driver", "garage"),
        ("driver", "wrong"),
        ("nobody", "garage"),
        ("barred", "garage"),
        ("barred", "wrong"),
        ("", ""),
        (&"x".repeat(5000), "garage"),
    ] {
        let before = EVALUATIONS.get();
        let _ = store.accounts().check_password(name, text, Now::read()).unwrap();
        assert_eq!(EVALUATIONS.get() - before, 1, "{name} {text}");
    }
}

#[test]
fn what_is_shown_of_an_account_has_no_hash() {
    let dir = TempDir::new().unwrap();
    let (store, ..) = furnished(dir.path());
    assert!(!format!("{:?}", store.accounts().list().unwrap()).contains("argon2"));
}

/// Lets `work` run in `threads` threads at the same moment and counts the successes.
fn race(threads: usize, work: impl Fn(usize) -> bool + Sync) -> usize {
    let barrier = Barrier::new(threads);
    let (work, barrier) = (&work, &barrier);
    thread::scope(|scope| {
        let start = |number| {
            scope.spawn(move || {
                barrier.wait();
                work(number)
            })
        };
        let running: Vec<_> = (0..threads).map(start).collect();
        running.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
    })
}

#[test]
fn of_two_who_want_the_same_account_name_exactly_one_gets_it() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for round in 0..8 {
        let name = |number| format!("{}{round}", if number == 0 { "RACER" } else { "racer" });
        let winners = race(2, |number| {
            store.accounts().create(&name(number), &password("garage"), None, Now::read()).is_ok()
        });
        assert_eq!(winners, 1);
    }
    assert_eq!(store.accounts().list().unwrap().len(), 8);
}

#[test]
fn of_many_who_want_the_same_persona_name_exactly_one_gets_it() {
    let dir = TempDir::new().unwrap();
    let (store, owner, _) = furnished(dir.path());
    for round in 0..20 {
        let new = NewPersona { max_per_customer: 99, ..driver(&format!("Racer {round}")) };
        assert_eq!(race(4, |_| store.personas().create(owner, new.clone(), Now::read()).is_ok()), 1);
    }
    assert_eq!(store.personas().of_customer(owner).unwrap().len(), 21);
}

#[test]
fn a_race_for_the_last_places_does_not_exceed_the_limit() {
    let dir = TempDir::new().unwrap();
    let (store, owner, _) = furnished(dir.path());
    let winners = race(8, |number| {
        store.personas().create(owner, driver(&format!("Racer {number}")), Now::read()).is_ok()
    });
    assert_eq!(winners, 3);
}

#[test]
fn persona_names_keep_to_the_rules_and_are_unique_per_shard() {
    let dir = TempDir::new().unwrap();
    let (store, owner, _) = furnished(dir.path());
    let personas = store.personas();
    let ford = personas.create(owner, driver("Ford"), Now::read()).unwrap().value.id;
    for name in [
        "",
        " Doc",
        "Doc ",
        " ",
        "Doctor  Brown",
        "Жук",
        "Łucja",
        "Jo\u{308}rg",
        "no\u{a0}space",
        "so\u{ad}ft",
        "\u{80}",
        "a\tb",
        "nul\0",
    ] {
        assert!(matches!(personas.check_name(name), Err(PersonaError::BadName(_))), "{name:?}");
        let refused = personas.create(owner, driver(name), Now::read());
        assert!(matches!(refused, Err(PersonaError::BadName(_))), "{name:?}");
        let renamed = personas.rename(ford, name);
        assert!(matches!(renamed, Err(PersonaError::BadName(_))), "the operator keeps to the same: {name:?}");
    }
    for name in ["Doctor Brown", "Jörg", "ÄÖÜäöüß€ŠžŸ…"] {
        assert_eq!(personas.check_name(name), Ok(()));
    }
    let _ = personas.create(owner, driver("Jörg"), Now::read()).unwrap();
    assert!(!personas.name_is_free(SHARD, "JÖRG").unwrap());

    for alike in ["DR BROWN", "Dr  Brown", "Dr Br0wn", "dr   br0wn"] {
        assert!(!personas.name_is_free(SHARD, alike).unwrap(), "{alike}");
        let refused = personas.create(owner, driver(alike), Now::read());
        assert_eq!(refused.unwrap_err(), PersonaError::NameTaken, "{alike}");
        assert_eq!(personas.rename(ford, alike).unwrap_err(), PersonaError::NameTaken, "{alike}");
    }
    let _ = personas.delete(owner, ford, Now::read()).unwrap();
    for other in ["DrBrown", "Dr Browm", "Dr. Brown"] {
        assert!(personas.name_is_free(SHARD, other).unwrap(), "{other}");
    }
    let _ = personas.create(owner, driver("Bo  Bill 1"), Now::read()).unwrap();
    for alike in ["Bo Bill 1", "Bo Bill l", "bo bill I", "B0 Bi|l |"] {
        assert!(!personas.name_is_free(SHARD, alike).unwrap(), "{alike}");
    }
    assert_eq!(personas.by_name(SHARD, "bo  bill 1").unwrap().unwrap().name, "Bo  Bill 1");
    assert!(personas.by_name(SHARD, "Bo Bill 1").unwrap().is_none());
    assert!(personas.name_is_free(ShardId(45), "Dr Brown").unwrap());
    let elsewhere = NewPersona { shard: ShardId(45), ..driver("dr brown") };
    assert_eq!(personas.create(owner, elsewhere, Now::read()).unwrap().value.name, "dr brown");
}

#[test]
fn a_persona_needs_an_account_a_free_id_and_a_free_place() {
    let dir = TempDir::new().unwrap();
    let (store, owner, persona) = furnished(dir.path());
    let create =
        |owner, new| store.personas().create(owner, new, Now::read()).map(|changed| changed.value.id);
    assert_eq!(create(CustomerId(9), driver("Marty")), Err(PersonaError::NoSuchAccount));
    for id in [PersonaId(0), persona] {
        assert_eq!(create(owner, NewPersona { id: Some(id), ..driver("Marty") }), Err(PersonaError::IdTaken));
    }
    let last = NewPersona { max_per_customer: 1, ..driver("Marty") };
    assert_eq!(create(owner, last), Err(PersonaError::TooMany));
    assert!(store.personas().name_is_free(SHARD, "Marty").unwrap());
}

#[test]
fn personas_are_listed_in_the_order_of_their_creation() {
    let dir = TempDir::new().unwrap();
    let (store, owner, first) = furnished(dir.path());
    let moved = NewPersona { id: Some(PersonaId(21)), ..driver("Old Timer") };
    let _ = store.personas().create(owner, moved, Now::read()).unwrap();
    let _ = store.personas().create(owner, driver("Marty"), Now::read()).unwrap();
    let ids: Vec<_> =
        store.personas().of_customer(owner).unwrap().into_iter().map(|persona| persona.id).collect();
    assert_eq!(ids, [first, PersonaId(21), PersonaId(1001)]);
}

#[test]
fn an_update_cannot_change_who_a_persona_is_nor_exceed_a_field() {
    let dir = TempDir::new().unwrap();
    let (store, _, id) = furnished(dir.path());
    let before = store.personas().by_id(id).unwrap().unwrap();
    let after = store.personas().update(id, |persona| {
        *persona = Persona { logins: 3, ..Persona::default() };
    });
    let expected = Persona {
        id,
        customer_id: before.customer_id,
        shard: SHARD,
        name: before.name,
        created: before.created,
        bank_balance: before.bank_balance,
        logins: 3,
        ..Persona::default()
    };
    assert_eq!(after.unwrap().value, expected);

    let too_long: [fn(&mut Persona); 4] = [
        |persona| persona.plate.text = "12345678".to_owned(),
        |persona| persona.car_numbers[2] = "123".to_owned(),
        |persona| persona.description = "x".repeat(256),
        |persona| persona.history = vec![RaceRecord::default(); 17],
    ];
    for change in too_long {
        assert!(matches!(store.personas().update(id, change), Err(PersonaError::TooLong(_))));
    }
    assert_eq!(store.personas().by_id(id).unwrap(), Some(expected));
    let nobody = store.personas().update(PersonaId(5), |_| {});
    assert_eq!(nobody.unwrap_err(), PersonaError::NotFound);
}

#[test]
fn the_largest_persona_and_car_can_be_stored() {
    let dir = TempDir::new().unwrap();
    let (store, _, id) = furnished(dir.path());
    let fullest = store.personas().update(id, |persona| {
        persona.description = "\u{10ffff}".repeat(255);
        persona.plate.text = "\u{10ffff}".repeat(7);
        persona.car_numbers = std::array::from_fn(|_| "\u{10ffff}\u{10ffff}".to_owned());
        let most = u32::MAX;
        persona.history = vec![
            RaceRecord {
                race_type: most,
                entered: most,
                finished: most,
                won: most,
                cars_won: most,
                cars_lost: most,
                championships_won: most,
                cash_won: most,
            };
            16
        ];
    });
    let _ = fullest.unwrap();
    let part =
        NewPart { branded_part: BrandedPartId(u32::MAX), parent: Some(119), attachment_point: u8::MAX };
    let mut parts = vec![part; 120];
    parts[119].parent = None;
    let car = store.garage().buy_car(id, CarPurchase { parts, ..fairlane(1) }, Now::read()).unwrap().value;
    assert_eq!(store.garage().parts_of(car).unwrap().len(), 120);

    // The same with ids as large as they can be and a car that is one dent.
    let parts = store.garage().parts_of(car).unwrap().into_iter().map(|part| Part {
        id: PartId(u32::MAX),
        parent: Some(PartId(u32::MAX)),
        owner: PersonaId(u32::MAX),
        vehicle: Some(VehicleId(u32::MAX)),
        wear: u32::MAX,
        ..part
    });
    let vehicle = Vehicle {
        id: VehicleId(u32::MAX),
        owner: PersonaId(u32::MAX),
        skin: SkinId(u32::MAX),
        flags: u32::MAX,
        delta: u32::MAX,
        damage: vec![0xff; 2000],
        ..store.garage().vehicle(car).unwrap().unwrap()
    };
    assert!(record::encode(&records::vehicle::VehicleRecord { vehicle, parts: parts.collect() }).is_ok());
}

#[test]
fn a_deleted_persona_leaves_nothing_behind() {
    let dir = TempDir::new().unwrap();
    let (store, owner, persona) = furnished(dir.path());
    let before = records(&store).len();
    let other = store.personas().create(owner, driver("Marty"), Now::read()).unwrap().value.id;
    let car = store.garage().buy_car(other, fairlane(10), Now::read()).unwrap().value;
    let _ = store.garage().buy_car(other, fairlane(10), Now::read()).unwrap();
    let kept = store.garage().buy_car(persona, fairlane(10), Now::read()).unwrap().value;
    let stranger = store
        .accounts()
        .create("stranger", &password("garage"), None, Now::read())
        .unwrap()
        .value
        .customer_id;

    let refused = store.personas().delete(stranger, other, Now::read()).unwrap_err();
    assert_eq!(refused, PersonaError::NotYours);
    assert_eq!(store.garage().vehicles(other).unwrap().len(), 2);

    let _ = store.personas().delete(owner, other, Now::read()).unwrap();
    assert_eq!(store.personas().by_id(other).unwrap(), None);
    assert_eq!(store.garage().vehicle(car).unwrap(), None);
    assert_eq!(store.garage().parts_of(car).unwrap(), []);
    assert!(store.personas().name_is_free(SHARD, "Marty").unwrap());
    assert_eq!(store.personas().delete(owner, other, Now::read()).unwrap_err(), PersonaError::NotFound);
    assert_eq!(store.garage().vehicles(persona).unwrap()[0].id, kept);
    // The other account is two records, the car of the other persona two, the counter one; the line lies in a page that was there.
    assert_eq!(records(&store).len(), before + 5);
}

#[test]
fn a_car_comes_with_its_parts_and_costs_its_price() {
    let dir = TempDir::new().unwrap();
    let (store, _, persona) = furnished(dir.path());
    let car = store.garage().buy_car(persona, fairlane(1500), Now::read()).unwrap().value;
    assert_eq!(car, VehicleId(1));
    let vehicle = store.garage().vehicle(car).unwrap().unwrap();
    assert_eq!((vehicle.owner, vehicle.model, vehicle.skin), (persona, BrandedPartId(104), SkinId(47)));
    assert_eq!(store.garage().vehicles(persona).unwrap(), [vehicle]);

    let parts = store.garage().parts_of(car).unwrap();
    let hangs: Vec<_> = parts.iter().map(|part| (part.id.0, part.parent.unwrap().0)).collect();
    assert_eq!(hangs, [(2, 4), (3, 1), (4, 3)]);
    assert!(parts.iter().all(|part| part.owner == persona && part.vehicle == Some(car)));

    let persona_after = store.personas().by_id(persona).unwrap().unwrap();
    assert_eq!((persona_after.bank_balance, persona_after.vehicle), (3500, Some(car)));
    assert!(!persona_after.starter_car_chosen);

    let second = store.garage().buy_car(persona, fairlane(0), Now::read()).unwrap().value;
    assert_eq!(second, VehicleId(5));
    assert_eq!(store.personas().by_id(persona).unwrap().unwrap().vehicle, Some(car));
}

#[test]
fn a_purchase_that_is_refused_changes_nothing() {
    let dir = TempDir::new().unwrap();
    let (store, _, persona) = furnished(dir.path());
    let first = CarPurchase { first_car: true, ..fairlane(5000) };
    let _ = store.garage().buy_car(persona, first.clone(), Now::read()).unwrap();
    let before = records(&store);

    let part = |parent| NewPart { branded_part: BrandedPartId(1), parent, attachment_point: 0 };
    let parts = |parts: Vec<_>| CarPurchase { parts, ..fairlane(0) };
    let refused = |owner, purchase| store.garage().buy_car(owner, purchase, Now::read()).unwrap_err();
    assert_eq!(refused(persona, fairlane(1)), GarageError::InsufficientFunds);
    assert_eq!(refused(persona, CarPurchase { price: 0, ..first }), GarageError::AlreadyChosen);
    assert_eq!(refused(PersonaId(5), fairlane(0)), GarageError::NoSuchPersona);
    for list in
        [vec![part(Some(1))], vec![part(Some(0))], vec![part(Some(1)), part(Some(0))], vec![part(None); 121]]
    {
        assert!(matches!(refused(persona, parts(list)), GarageError::BadParts(_)));
    }
    assert_eq!(records(&store), before);
}

#[test]
fn a_race_to_spend_the_same_money_is_won_once() {
    let dir = TempDir::new().unwrap();
    let (store, _, persona) = furnished(dir.path());
    assert_eq!(race(8, |_| store.garage().buy_car(persona, fairlane(2000), Now::read()).is_ok()), 2);
    assert_eq!(store.personas().by_id(persona).unwrap().unwrap().bank_balance, 1000);
    assert_eq!(store.garage().vehicles(persona).unwrap().len(), 2);
}

#[test]
fn the_login_key_can_be_replaced() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.keys().login_key().unwrap(), None);
    for key in [&[1, 2, 3][..], &[4]] {
        store.keys().set_login_key(key).unwrap().ticket.wait().unwrap();
        assert_eq!(store.keys().login_key().unwrap().as_deref(), Some(key));
    }
    let long = vec![0; record::MAX_RECORD];
    assert_eq!(store.keys().set_login_key(&long).unwrap_err(), StoreError::TooLarge { what: "login key" });
}

#[test]
fn the_car_that_is_bought_is_not_given_in_part_payment_for_itself() {
    let dir = TempDir::new().unwrap();
    let (store, _, persona) = furnished(dir.path());
    let buy = |trade_in| {
        let terms = Terms { trade_in, worth: &|_, _| 1, room: &|_| 9 };
        store.garage().buy_from_dealer(persona, &fairlane(1), &terms, Now::read()).map(|bought| bought.value)
    };
    let [first, second] = [(); 2].map(|()| buy(None).unwrap());
    // The number that the next one gets.
    let next = VehicleId(second.0 + (second.0 - first.0));
    let before = records(&store);
    assert_eq!(buy(Some(next)), Err(GarageError::NotYours));
    assert_eq!(records(&store), before);
    assert_eq!(buy(None), Ok(next));
    assert_eq!(store.personas().by_id(persona).unwrap().unwrap().vehicle, Some(first));
    // Its own number is another matter once it is there.
    assert!(buy(Some(next)).is_ok());
    assert_eq!(store.garage().vehicle(next).unwrap().unwrap().owner, JUNKYARD.usual);
}
