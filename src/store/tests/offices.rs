//! Data folders in which a player has the number of an office.

use super::*;
use crate::clock::Now;
use crate::store::table::Transaction;
use mco_proto::ids::VehicleId;
use std::time::Duration;

/// Gives a persona another number, as an older program would have done it when asked to.
fn renumber(tx: &Transaction<'_>, old: PersonaId, new: PersonaId) -> Result<(), StoreError> {
    let mut record: records::persona::PersonaRecord = tx.get(&key::persona(old))?.unwrap();
    record.persona.id = new;
    let (customer, serial) = (record.persona.customer_id, record.serial);
    let page: records::ledger::Page = tx.get(&key::line(old, 0))?.unwrap();
    assert_eq!(page.lines.len(), record.lines as usize);
    tx.remove(&key::line(old, 0))?;
    tx.put(&key::line(new, 0), &page)?;
    tx.remove(&key::persona(old))?;
    tx.put(&key::persona(new), &record)?;
    names::strike(tx, record.persona.shard, &record.persona.name, old)?;
    names::enter(tx, record.persona.shard, &record.persona.name, new)?;
    tx.put(&key::persona_of(customer, serial), &new.0)
}

#[test]
fn an_office_whose_number_a_player_has_takes_another_one() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let now = Now::read();
    let people = deals::people(&store, 5, now);
    let rules = &deals::RULES;
    let car = |store: &Store, of| store.garage().vehicles(of).unwrap()[0].id;
    // What an older program held under the usual number, as it did not know better.
    let (ann, bob) = (people[0].1, people[1].1);
    let (first, second) = (Goods::Car(car(&store, ann)), deals::loose_part(&store, ann, now));
    let new = NewAuction { goods: first, start: 1, buy_now: None, hours: 2 };
    let auction = store.deals(rules).open_auction(ann, new, now).unwrap().value;
    let offer = Some((Goods::Part(second), 7));
    let ad = NewAd { category: AdCategory::ForSale, text: "x".to_owned(), days: 1, offer };
    let ad = store.deals(rules).place_ad(ann, ad, now).unwrap().value;
    let usual = [JUNKYARD.usual, ESCROW.usual, AUCTION_HOUSE.usual];
    for ((_, id), office) in people[2..].iter().zip(usual) {
        let own: Vec<_> = store.garage().vehicles(*id).unwrap().iter().map(|car| car.id).collect();
        let _ = store
            .change(|table| {
                table.transact(|tx| {
                    for car in &own {
                        let car: records::vehicle::VehicleRecord = tx.get(&key::vehicle(*car))?.unwrap();
                        super::super::deals::hand_over_car(tx, car, office)?;
                    }
                    renumber(tx, *id, office)
                })
            })
            .unwrap();
    }
    // Twice: the numbers stay.
    drop(store);
    drop(Store::open(dir.path()).unwrap());
    let store = Store::open(dir.path()).unwrap();
    let own = store.garage().vehicles(ESCROW.usual).unwrap();
    assert_eq!(own.len(), 2, "the player's own cars, and not what is held");
    assert_eq!(store.garage().vehicle(VehicleId(first.number())).unwrap().unwrap().owner, PersonaId(16));
    // That player deals like everybody else, and gets nothing of the others.
    let thirteen = ESCROW.usual;
    let sold = NewAuction { goods: Goods::Car(own[0].id), start: 1, buy_now: None, hours: 2 };
    let _ = store.deals(rules).open_auction(thirteen, sold, now).unwrap();
    let _ = store.deals(rules).bid(bob, auction, 5, now).unwrap();
    let _ = store.deals(rules).buy(bob, ad, now).unwrap();
    while store.deals(rules).end_due(now.later(Duration::from_hours(3))).unwrap().is_some() {}
    assert_eq!(store.garage().vehicles(bob).unwrap().len(), 3);
    assert_eq!(store.garage().vehicles(thirteen).unwrap().len(), 2);
    // Cars in part payment do not go to the player with the number of the junkyard.
    let terms = Terms { trade_in: Some(car(&store, bob)), worth: &|_, _| 1, room: &|_| 9 };
    let _ = store.garage().buy_from_dealer(bob, &fairlane(1), &terms, now).unwrap();
    assert_eq!(store.garage().vehicles(JUNKYARD.usual).unwrap().len(), 2);
    // Nobody else gets these numbers.
    for office in [15, 16, 17] {
        let new = NewPersona { id: Some(PersonaId(office)), ..driver("Office") };
        assert_eq!(store.personas().create(people[0].0, new, now).err(), Some(PersonaError::IdTaken));
    }
    let found = store.ledger().check().unwrap().differences;
    let mine = |found: &&Difference| matches!(found.problem, Problem::Property { .. });
    assert_eq!(found.iter().filter(mine).count(), 0, "{found:?}");
}

#[test]
fn in_a_new_folder_the_offices_have_their_usual_numbers() {
    let dir = TempDir::new().unwrap();
    let (store, customer, _) = furnished(dir.path());
    for office in [JUNKYARD, ESCROW, AUCTION_HOUSE] {
        assert_eq!(office.number_in(&store.inner.table).unwrap(), office.usual);
        let new = NewPersona { id: Some(office.usual), ..driver("Office") };
        assert_eq!(store.personas().create(customer, new, Now::read()).err(), Some(PersonaError::IdTaken));
    }
}
