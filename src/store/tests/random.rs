//! Whatever is done to the store, closing and opening it changes nothing, and neither does losing the database.

use super::*;
use crate::clock::Now;
use proptest::prelude::*;
use std::fs;

/// A verb on small numbers, so that names and owners meet often.
#[derive(Clone, Debug)]
enum Verb {
    CreateAccount(u8, Option<u8>),
    Disable(u8, bool),
    CreatePersona(u8, u8, Option<u8>),
    DeletePersona(u8, u8),
    Describe(u8, String, u32),
    BuyCar(u8, u32, u8, bool),
    SetKey(Vec<u8>),
    Reopen,
}

fn verb() -> impl Strategy<Value = Verb> {
    prop_oneof![
        1 => (0..4_u8, proptest::option::of(0..4_u8)).prop_map(|(name, id)| Verb::CreateAccount(name, id)),
        1 => (0..4_u8, any::<bool>()).prop_map(|(name, disabled)| Verb::Disable(name, disabled)),
        5 => (0..4_u8, 0..6_u8, proptest::option::of(0..6_u8))
            .prop_map(|(owner, name, id)| Verb::CreatePersona(owner, name, id)),
        2 => (0..4_u8, 0..6_u8).prop_map(|(owner, persona)| Verb::DeletePersona(owner, persona)),
        3 => (0..6_u8, ".{0,20}", any::<u32>())
            .prop_map(|(persona, text, number)| Verb::Describe(persona, text, number)),
        5 => (0..6_u8, 0..3000_u32, 0..50_u8, any::<bool>())
            .prop_map(|(persona, price, parts, first)| Verb::BuyCar(persona, price, parts, first)),
        1 => proptest::collection::vec(any::<u8>(), 0..700).prop_map(Verb::SetKey),
        1 => Just(Verb::Reopen),
    ]
}

/// The id of one of the accounts or personas there are, or one that is not there.
fn pick<T: Copy>(all: &[T], number: u8, none: T) -> T {
    all.get(usize::from(number)).copied().unwrap_or(none)
}

fn apply(store: &Store, verb: &Verb) {
    let customers: Vec<_> =
        store.accounts().list().unwrap().iter().map(|account| account.customer_id).collect();
    let personas: Vec<_> = store.personas().list().unwrap().iter().map(|persona| persona.id).collect();
    let customer = |number| pick(&customers, number, CustomerId(999_999));
    let persona = |number| pick(&personas, number, PersonaId(999_999));
    // Refusals are as welcome as successes; only a failing store is not.
    let store_failed = match verb {
        Verb::CreateAccount(name, id) => matches!(
            store.accounts().create(
                &format!("account{name}"),
                &password("garage"),
                id.map(|id| CustomerId(u32::from(id))),
                Now::read()
            ),
            Err(AccountError::Store(_))
        ),
        Verb::Disable(name, disabled) => matches!(
            store.accounts().set_disabled(&format!("ACCOUNT{name}"), *disabled),
            Err(AccountError::Store(_))
        ),
        Verb::CreatePersona(owner, name, id) => {
            let id = id.map(|id| PersonaId(u32::from(id)));
            let new = NewPersona { id, ..driver(&format!("Driver {name}")) };
            matches!(store.personas().create(customer(*owner), new, Now::read()), Err(PersonaError::Store(_)))
        }
        Verb::DeletePersona(owner, id) => {
            matches!(
                store.personas().delete(customer(*owner), persona(*id), Now::read()),
                Err(PersonaError::Store(_))
            )
        }
        Verb::Describe(id, text, number) => {
            let changed = store.personas().update(persona(*id), |persona| {
                persona.description.clone_from(text);
                persona.points = *number;
            });
            matches!(changed, Err(PersonaError::Store(_)))
        }
        Verb::BuyCar(id, price, parts, first_car) => {
            let part = |number: u8| NewPart {
                branded_part: BrandedPartId(u32::from(number)),
                parent: number.checked_sub(1).map(usize::from),
                attachment_point: number,
            };
            let parts = (0..*parts).map(part).collect();
            let purchase = CarPurchase { parts, first_car: *first_car, ..fairlane(*price) };
            matches!(store.garage().buy_car(persona(*id), purchase, Now::read()), Err(GarageError::Store(_)))
        }
        Verb::SetKey(key) => store.keys().set_login_key(key).is_err(),
        Verb::Reopen => false,
    };
    assert!(!store_failed, "{verb:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reopening_and_rebuilding_change_nothing(verbs in proptest::collection::vec(verb(), 1..60)) {
        let dir = TempDir::new().unwrap();
        let mut store = Store::open(dir.path()).unwrap();
        for verb in &verbs {
            if let Verb::Reopen = verb {
                let before = everything(&store);
                drop(store);
                store = Store::open(dir.path()).unwrap();
                prop_assert_eq!(everything(&store), before);
            }
            apply(&store, verb);
        }
        let before = everything(&store);
        drop(store);

        let reopened = Store::open(dir.path()).unwrap();
        prop_assert_eq!(&everything(&reopened), &before);
        drop(reopened);

        if !before.accounts.is_empty() {
            fs::remove_dir_all(dir.path().join("database")).unwrap();
            prop_assert_eq!(&everything(&Store::open(dir.path()).unwrap()), &before);
        }
    }
}
