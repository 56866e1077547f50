//! The ledger: every change leaves a line, and the lines make the balances.

use super::*;
use crate::clock::Now;
use crate::store::ledger::book as enter;
use crate::store::record::Record as _;
use crate::store::records::ledger::Page;
use crate::store::records::persona::PersonaRecord;
use crate::store::records::vehicle::VehicleRecord;
use std::fs;

fn book(store: &Store, persona: PersonaId, amount: i64) -> Result<(), LedgerError> {
    let changed = store.change(|table| {
        table.transact(|tx| {
            let mut record: PersonaRecord = tx.get(&key::persona(persona))?.unwrap();
            enter(tx, &mut record, Entry { kind: Kind::Purse, amount, reference: 7 }, Now::read())?;
            Ok::<_, LedgerError>(tx.put(&key::persona(persona), &record)?)
        })
    });
    changed.map(|changed| changed.value)
}

fn balance(store: &Store, persona: PersonaId) -> u32 {
    store.personas().by_id(persona).unwrap().unwrap().bank_balance
}

#[test]
fn money_comes_and_goes_in_lines_that_add_up() {
    let dir = TempDir::new().unwrap();
    let (store, _, persona) = furnished(dir.path());
    book(&store, persona, 1000).unwrap();
    let car = store.garage().buy_car(persona, fairlane(1500), Now::read()).unwrap().value;
    let lines = store.ledger().of(persona).unwrap();
    let seen: Vec<_> =
        lines.iter().map(|(number, line)| (*number, line.kind, line.amount, line.balance)).collect();
    assert_eq!(
        seen,
        [(0, Kind::StarterCash, 5000, 5000), (1, Kind::Purse, 1000, 6000), (2, Kind::CarBought, -1500, 4500)]
    );
    assert_eq!(lines[2].1.reference, car.0);
    let report = store.ledger().check().unwrap();
    assert_eq!((report.personas, report.lines, report.money), (1, 3, 4500));
    assert_eq!(report.differences, []);
}

#[test]
fn a_balance_never_leaves_its_bounds() {
    let dir = TempDir::new().unwrap();
    let (store, _, persona) = furnished(dir.path());
    let before = records(&store);
    assert_eq!(book(&store, persona, -5001), Err(LedgerError::Overdrawn));
    assert_eq!(book(&store, persona, i64::MIN), Err(LedgerError::Overdrawn));
    assert_eq!(book(&store, persona, i64::MAX), Err(LedgerError::TooRich));
    assert_eq!(book(&store, persona, i64::from(u32::MAX)), Err(LedgerError::TooRich));
    assert_eq!(records(&store), before);
    book(&store, persona, i64::from(u32::MAX) - 5000).unwrap();
    assert_eq!(balance(&store, persona), u32::MAX);
    book(&store, persona, -i64::from(u32::MAX)).unwrap();
    assert_eq!(balance(&store, persona), 0);
}

#[test]
fn only_the_ledger_changes_a_balance() {
    let dir = TempDir::new().unwrap();
    let (store, _, persona) = furnished(dir.path());
    let changed = store.personas().update(persona, |persona| persona.bank_balance = 1).unwrap();
    assert_eq!(changed.value.bank_balance, 5000);
    assert_eq!(balance(&store, persona), 5000);
}

#[test]
fn a_long_book_is_folded_and_still_adds_up() {
    let dir = TempDir::new().unwrap();
    let (store, _, persona) = furnished(dir.path());
    for _ in 0..2600 {
        book(&store, persona, 1).unwrap();
    }
    let lines = store.ledger().of(persona).unwrap();
    assert!((500..=1001).contains(&lines.len()), "{}", lines.len());
    assert_eq!((lines[0].0, lines[0].1.kind, lines[0].1.amount), (2000, Kind::Carried, 7000));
    assert_eq!(lines.last().unwrap().0, 2600);
    let report = store.ledger().check().unwrap();
    assert_eq!((report.money, report.differences), (7600, vec![]));
}

#[test]
fn whatever_is_wrong_with_a_book_is_found() {
    let dir = TempDir::new().unwrap();
    let (store, owner, persona) = furnished(dir.path());
    let other = store.personas().create(owner, driver("Marty"), Now::read()).unwrap().value.id;
    for _ in 0..3 {
        book(&store, persona, 10).unwrap();
    }
    let found = |work: &dyn Fn(&table::Transaction<'_>) -> Result<(), StoreError>| {
        let _ = store.change(|table| table.transact(work)).unwrap();
        let differences = store.ledger().check().unwrap().differences;
        differences.into_iter().map(|found| (found.persona, found.problem)).collect::<Vec<_>>()
    };
    assert_eq!(found(&|_| Ok(())), []);
    let whole: Page = store.inner.table.get(&key::line(persona, 0)).unwrap().unwrap();
    let (mut wrong, mut gap) = (whole.clone(), whole.clone());
    wrong.lines[2].1.balance = 1;
    gap.lines.remove(1);
    assert_eq!(
        found(&|tx| tx.put(&key::line(persona, 0), &wrong)),
        [(persona, Problem::Line { number: 2, derived: 5020, balance: 1 })]
    );
    assert_eq!(found(&|tx| tx.put(&key::line(persona, 0), &whole)), []);
    let missing = found(&|tx| tx.put(&key::line(persona, 0), &gap));
    assert!(missing.contains(&(persona, Problem::Gap { number: 1 })), "{missing:?}");
    assert!(missing.contains(&(persona, Problem::Balance { derived: 5020, balance: 5030 })));
    assert_eq!(found(&|tx| tx.put(&key::line(persona, 0), &whole)), []);
    assert_eq!(
        found(&|tx| tx.remove(&key::line(other, 0))),
        [(other, Problem::NoLines)],
        "a book without lines"
    );
    let stray = PersonaId(4711);
    let found = found(&|tx| tx.put(&key::line(stray, 0), &whole));
    assert!(found.contains(&(stray, Problem::NoPersona)));
}

/// The same persona as the program before the ledger would have written it.
fn first_version(store: &Store, persona: PersonaId) -> Row {
    #[derive(serde::Serialize)]
    struct First {
        serial: u32,
        persona: Persona,
    }
    let persona = store.personas().by_id(persona).unwrap().unwrap();
    let key = key::persona(persona.id);
    (key, postcard::to_extend(&First { serial: 0, persona }, vec![1]).unwrap())
}

#[test]
fn a_store_from_before_the_ledger_gets_opening_lines() {
    let dir = TempDir::new().unwrap();
    let (store, _, persona) = furnished(dir.path());
    let car = store.garage().buy_car(persona, fairlane(10), Now::read()).unwrap().value;
    let old = first_version(&store, persona);
    let _ = store
        .change(|table| {
            table.fill(&[old])?;
            table.transact(|tx| {
                tx.remove(key::LAYOUT)?;
                tx.remove(&key::line(persona, 0))
            })
        })
        .unwrap();
    let before = everything(&store);
    drop(store);

    let store = Store::open(dir.path()).unwrap();
    assert_eq!(everything(&store), before);
    let lines = store.ledger().of(persona).unwrap();
    assert_eq!((lines.len(), lines[0].1.kind, lines[0].1.amount), (1, Kind::Opening, 4990));
    assert_eq!(store.ledger().check().unwrap().differences, []);
    assert!(store.garage().vehicle(car).unwrap().is_some());
}

#[test]
fn a_store_of_a_newer_program_is_refused_and_left_alone() {
    let dir = TempDir::new().unwrap();
    let (store, _, persona) = furnished(dir.path());
    let car = store.garage().buy_car(persona, fairlane(10), Now::read()).unwrap().value;
    let whole: Vec<Row> = all_rows(&store);
    for (record, version) in [
        (key::persona(persona), PersonaRecord::VERSION),
        (key::vehicle(car), VehicleRecord::VERSION),
        (key::line(persona, 0), Page::VERSION),
    ] {
        let dir = TempDir::new().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let mut rows = whole.clone();
        rows.retain(|(key, _)| key != key::SUM && key != key::GENERATION);
        rows.iter_mut().find(|(key, _)| *key == record).unwrap().1[0] = version + 1;
        let _ = store.change(|table| table.fill(&rows)).unwrap();
        drop(store);
        for _ in 0..2 {
            let refused = Store::open(dir.path()).unwrap_err();
            assert!(
                matches!(refused, OpenError::TooNew { version: found, .. } if found == version + 1),
                "{refused}"
            );
        }
        let names = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(names.into_iter().all(|name| !name.to_string_lossy().contains("damaged")));
    }
}

#[test]
fn a_driver_with_a_full_book_is_twenty_records_at_most() {
    let dir = TempDir::new().unwrap();
    let (store, _, persona) = furnished(dir.path());
    let _ = store.garage().buy_car(persona, fairlane(10), Now::read()).unwrap();
    let empty = TempDir::new().unwrap();
    let shared = records(&Store::open(empty.path()).unwrap()).len();
    for number in 0..1500 {
        book(&store, persona, 1).unwrap();
        if number >= 1000 && number % 16 == 14 {
            let own = records(&store).into_iter().filter(|(key, _)| key[0] != b'm').count();
            assert!(own <= shared + 20, "{own} after {number}");
        }
    }
}

#[test]
fn books_of_older_programs_are_put_into_pages_also_after_a_cut() {
    let dir = TempDir::new().unwrap();
    let (store, owner, persona) = furnished(dir.path());
    let other = store.personas().create(owner, driver("Marty"), Now::read()).unwrap().value.id;
    for _ in 0..1234 {
        book(&store, persona, 1).unwrap();
    }
    book(&store, other, 3).unwrap();
    let books = [persona, other].map(|id| store.ledger().of(id).unwrap());
    let pages = records(&store);
    let one_record_a_line = |ids: &[(PersonaId, &Vec<(u32, Line)>)]| {
        let _ = store.change(|table| {
            for (id, lines) in ids {
                let old = lines.iter().map(|(number, line)| {
                    (key::line(*id, *number), postcard::to_extend(line, vec![1]).unwrap())
                });
                let rows: Vec<_> = table.scan_rows::<Page>(&key::lines_of(*id))?;
                table.transact(|tx| rows.iter().try_for_each(|(key, _)| tx.remove(key)))?;
                table.fill(&old.collect::<Vec<Row>>())?;
            }
            table.transact(|tx| tx.remove(key::LAYOUT))
        });
    };
    // Both, and one of them: the other was done before the power was cut.
    one_record_a_line(&[(persona, &books[0]), (other, &books[1])]);
    one_record_a_line(&[(persona, &books[0])]);
    assert_eq!([persona, other].map(|id| store.ledger().of(id).unwrap()), books);
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!([persona, other].map(|id| store.ledger().of(id).unwrap()), books);
    let lies = |rows: &[Row]| rows.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
    assert_eq!(lies(&records(&store)), lies(&pages));
    assert_eq!(store.ledger().check().unwrap().differences, []);
    book(&store, persona, 5).unwrap();
    assert_eq!(store.ledger().check().unwrap().differences, []);
}
