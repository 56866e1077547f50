//! What each verb does and refuses.

use super::*;
use crate::protocol::ids::{PartId, VehicleId};
use std::sync::Barrier;
use std::thread;

#[test]
fn everything_is_there_after_reopening() {
    let dir = TempDir::new().unwrap();
    let before = {
        let (store, owner, persona) = furnished(dir.path());
        let _ = store.accounts().create("Another.One", &password("another"), Some(CustomerId(7))).unwrap();
        let _ = store.personas().create(owner, driver("Marty")).unwrap();
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
        let _ = store.garage().buy_car(persona, fairlane(1500)).unwrap();
        everything(&store)
    };
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(everything(&store), before);
    assert_eq!((before.accounts.len(), before.personas.len()), (2, 2));
    assert_eq!(before.cars[0][0].1.len(), 3);
    assert!(store.accounts().check_password("driver", "garage").unwrap().is_some());
}
