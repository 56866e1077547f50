//! The store as its callers see it.

mod backups;
mod changes;
mod city;
mod city_model;
mod corrections;
mod damage;
mod deals;
mod journal;
mod ledger;
mod offices;
mod operator;
mod prizes;
mod races;
mod random;
mod refusals;
mod results;
mod salary;
mod tampered;
mod verbs;
mod whole_city;

use super::backups::BackupDisk;
use super::record::Row;
use super::snapshot::Snapshot;
use super::*;
use crate::clock::Now;
use mco_proto::ids::{BrandedPartId, CustomerId, PersonaId, ShardId, SkinId};
use std::path::Path;
use tempfile::TempDir;

const SHARD: ShardId = ShardId(44);

fn password(text: &str) -> Password {
    Password::new(text).unwrap()
}

fn driver(name: &str) -> NewPersona {
    NewPersona { name: name.to_owned(), shard: SHARD, id: None, starter_cash: 5000, max_per_customer: 4 }
}

fn fairlane(price: u32) -> CarPurchase {
    let part = |number, parent| NewPart {
        branded_part: BrandedPartId(number),
        parent,
        attachment_point: u8::try_from(number % 12).unwrap(),
    };
    CarPurchase {
        model: BrandedPartId(104),
        skin: SkinId(47),
        flags: 0,
        car_class: 2,
        price,
        parts: vec![part(200, Some(2)), part(201, None), part(202, Some(1))],
        first_car: false,
    }
}

/// A store with the account "driver" and its persona "Dr Brown".
fn furnished(dir: &Path) -> (Store, CustomerId, PersonaId) {
    let store = Store::open(dir).unwrap();
    let owner =
        store.accounts().create("driver", &password("garage"), None, Now::read()).unwrap().value.customer_id;
    let persona = store.personas().create(owner, driver("Dr Brown"), Now::read()).unwrap().value.id;
    (store, owner, persona)
}

/// All records as they are now.
fn all_rows(store: &Store) -> Vec<Row> {
    Snapshot::take(&store.inner.table).unwrap().flat_map(Result::unwrap).collect()
}

/// Takes out the generation and the position, which the writer changes when it pleases, and the sum, which includes them.
fn without_counters(rows: &mut Vec<Row>) {
    rows.retain(|(key, _)| ![key::GENERATION, key::POSITION, key::SUM].contains(&key.as_slice()));
}

/// All records but those: the same as long as nothing was changed.
pub(crate) fn records(store: &Store) -> Vec<Row> {
    let mut rows = all_rows(store);
    without_counters(&mut rows);
    rows
}

/// Everything that can be seen through the verbs.
#[derive(Debug, PartialEq)]
struct Everything {
    accounts: Vec<Account>,
    by_customer: Vec<Option<Account>>,
    personas: Vec<Persona>,
    by_owner: Vec<Vec<Persona>>,
    cars: Vec<Vec<(Vehicle, Vec<Part>)>>,
    loose: Vec<Vec<Part>>,
    login_key: Option<Vec<u8>>,
}

fn everything(store: &Store) -> Everything {
    let accounts = store.accounts().list().unwrap();
    let personas = store.personas().list().unwrap();
    let cars = |persona: &Persona| {
        let vehicles = store.garage().vehicles(persona.id).unwrap();
        vehicles.into_iter().map(|car| (car.clone(), store.garage().parts_of(car.id).unwrap())).collect()
    };
    Everything {
        by_customer: accounts
            .iter()
            .map(|account| store.accounts().by_customer(account.customer_id).unwrap())
            .collect(),
        by_owner: accounts
            .iter()
            .map(|account| store.personas().of_customer(account.customer_id).unwrap())
            .collect(),
        cars: personas.iter().map(cars).collect(),
        loose: personas.iter().map(|persona| store.garage().loose_parts(persona.id).unwrap()).collect(),
        login_key: store.keys().login_key().unwrap(),
        accounts,
        personas,
    }
}
