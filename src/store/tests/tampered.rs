//! What a store that was tampered with does to the garage: nothing for ever.

use super::*;
use crate::clock::Now;
use crate::store::records::vehicle::{LooseRecord, VehicleRecord};
use mco_proto::ids::{PartId, VehicleId};

/// A car of the persona in which two parts hang on each other, and a loose part that hangs on itself.
fn knotted(store: &Store, owner: PersonaId) -> (VehicleId, PartId) {
    let car = store.garage().buy_car(owner, fairlane(10), Now::read()).unwrap().value;
    let horn = NewPart { branded_part: BrandedPartId(300), parent: None, attachment_point: 0 };
    let purchase = PartPurchase { price: 1, parts: vec![horn] };
    let loose = store.garage().buy_part(owner, &purchase, &|_| 9, Now::read()).unwrap().value;
    let _ = store
        .change(|table| {
            table.transact(|tx| {
                let mut record: VehicleRecord = tx.get(&key::vehicle(car))?.unwrap();
                let [first, second, ..] = &mut record.parts[..] else { panic!("a car with parts") };
                (first.parent, second.parent) = (Some(second.id), Some(first.id));
                tx.put(&key::vehicle(car), &record)?;
                let mut record: LooseRecord = tx.get(&key::loose_part(owner, loose))?.unwrap();
                record.parts[0].parent = Some(loose);
                tx.put(&key::loose_part(owner, loose), &record)
            })
        })
        .unwrap();
    (car, loose)
}

#[test]
fn parts_that_hang_on_each_other_in_a_circle_keep_no_verb_busy_for_ever() {
    let dir = TempDir::new().unwrap();
    let (store, _, owner) = furnished(dir.path());
    let (car, loose) = knotted(&store, owner);
    let garage = store.garage();
    let parts = garage.parts_of(car).unwrap();
    let first = parts[0].id;
    assert!(garage.install(owner, loose, first, 0, &|_, _, _| Err("no")).is_err());
    assert!(garage.install(owner, loose, loose, 0, &|_, _, _| Ok(())).is_err(), "on itself");
    assert!(garage.repair_all(owner, car.part(), &|_| 1, Now::read()).is_ok());
    // Both go together, and the third, which hangs on them.
    assert!(garage.remove(owner, first, &|_| 9).is_ok());
    assert!(garage.parts_of(car).unwrap().is_empty());
    assert_eq!(garage.loose_parts(owner).unwrap().len(), parts.len() + 1);
    assert!(
        garage.scrap(owner, first, &|_| 1, Now::read()).is_ok()
            && garage.scrap(owner, loose, &|_| 1, Now::read()).is_ok()
    );
    assert!(garage.loose_parts(owner).unwrap().is_empty());
    assert_eq!(store.ledger().check().unwrap().differences, []);
}
