//! Pay days.

use super::*;
use crate::clock::Now;

/// 1 July 2030, long after the personas were made.
const MONDAY: u64 = 1_909_094_400;
const WEEK: u64 = 7 * 24 * 60 * 60;

fn at(unix: u64) -> Now {
    Now { unix, ..Now::read() }
}

fn pay(store: &Store, id: PersonaId, now: u64) -> Option<u32> {
    let paid = store.personas().pay_salary(id, &|persona| 100 * persona.level, at(now)).unwrap();
    paid.map(|paid| {
        paid.ticket.wait().unwrap();
        paid.value
    })
}

fn money(store: &Store, id: PersonaId) -> u32 {
    store.personas().by_id(id).unwrap().unwrap().bank_balance
}

#[test]
fn a_salary_is_paid_once_a_week_with_a_line_in_the_ledger_and_a_mail() {
    let dir = TempDir::new().unwrap();
    let (store, _, ann) = furnished(dir.path());
    assert_eq!(pay(&store, ann, MONDAY - 1), Some(100));
    assert_eq!((pay(&store, ann, MONDAY - 1), pay(&store, ann, MONDAY - 5000)), (None, None));
    assert_eq!(pay(&store, ann, MONDAY), Some(100), "another week");
    assert_eq!(pay(&store, ann, MONDAY + WEEK - 1), None);
    assert_eq!(pay(&store, ann, MONDAY + 9 * WEEK), Some(100), "weeks away bring nothing");
    assert_eq!(money(&store, ann), 5300);
    let lines = store.ledger().of(ann).unwrap();
    let salaries: Vec<_> =
        lines.iter().filter(|(_, line)| line.kind == Kind::Salary).map(|(_, line)| line.amount).collect();
    assert_eq!(salaries, [100, 100, 100]);
    let mails = store.mails().list(ann, at(MONDAY + 9 * WEEK)).unwrap();
    assert_eq!(mails.len(), 3, "the welcome of years before has expired");
    assert_eq!(store.ledger().check().unwrap().differences, []);
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(pay(&store, ann, MONDAY + 9 * WEEK), None, "also after a restart");
}

#[test]
fn a_clock_that_is_not_set_or_was_ahead_pays_nothing() {
    let dir = TempDir::new().unwrap();
    let (store, _, ann) = furnished(dir.path());
    assert_eq!(pay(&store, ann, 17), None);
    assert_eq!(pay(&store, ann, MONDAY + 500 * WEEK), Some(100));
    assert_eq!(pay(&store, ann, MONDAY), Some(0), "begin anew");
    assert_eq!(pay(&store, ann, MONDAY + WEEK), Some(100));
    assert_eq!(money(&store, ann), 5200);
}

#[test]
fn a_driver_from_before_there_were_salaries_begins_to_earn() {
    let dir = TempDir::new().unwrap();
    let (store, _, ann) = furnished(dir.path());
    let _ = store.change(|table| table.transact(|tx| tx.remove(&key::paid_week(ann)))).unwrap();
    assert_eq!((pay(&store, ann, MONDAY), pay(&store, ann, MONDAY + WEEK)), (Some(0), Some(100)));
}

#[test]
fn a_new_driver_has_earned_nothing_and_a_full_bank_takes_what_it_can() {
    let dir = TempDir::new().unwrap();
    let (store, owner, ann) = furnished(dir.path());
    let salary: &dyn Fn(&Persona) -> u32 = &|_| u32::MAX;
    assert!(store.personas().pay_salary(ann, salary, Now::read()).unwrap().is_none());
    let paid = store.personas().pay_salary(ann, salary, at(MONDAY)).unwrap().unwrap();
    assert_eq!((paid.value, money(&store, ann)), (u32::MAX - 5000, u32::MAX));
    assert_eq!(pay(&store, ann, MONDAY + WEEK), Some(0));
    let _ = store.personas().delete(owner, ann, Now::read()).unwrap();
    assert_eq!(store.personas().pay_salary(ann, salary, at(MONDAY)).unwrap_err(), PersonaError::NotFound);
}
