//! What an opened store is used for before all of its records are read.

use super::*;
use crate::store::engine::Engine;
use crate::store::record::encode;
use crate::store::records::LAYOUT;
use crate::store::table::{Opened, Table};
use std::sync::Arc;

/// A closed store.
fn closed() -> (TempDir, PersonaId) {
    let dir = TempDir::new().unwrap();
    let (store, _, persona) = furnished(dir.path());
    let _ = store.garage().buy_car(persona, fairlane(1500), Now::read()).unwrap();
    drop(store);
    (dir, persona)
}

/// Changes the database behind the back of the store.
fn tamper(dir: &Path, key: &[u8], change: Option<&[u8]>) {
    let engine = Engine::open(&dir.join("database")).unwrap();
    engine.put(key, change).unwrap();
    engine.flush().unwrap();
}

fn describe(store: &Store, persona: PersonaId, text: &str) -> Result<(), StoreError> {
    let changed = store.personas().update(persona, |persona| persona.description = text.to_owned());
    changed.map_err(|error| StoreError::NotSaved(error.to_string().into()))?.ticket.wait()
}

#[test]
fn a_sound_store_is_read_and_changed_at_once_and_its_tickets_wait_for_the_check() {
    let (dir, persona) = closed();
    let store = Store::open_soon(dir.path()).unwrap();
    assert_eq!(store.personas().by_id(persona).unwrap().unwrap().name, "Dr Brown");
    describe(&store, persona, "fast").unwrap();
    assert!(!store.is_being_checked(), "a ticket has resolved");
    assert_eq!(store.trouble(), None);
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.personas().by_id(persona).unwrap().unwrap().description, "fast");
    assert!(!store.was_repaired());
}

#[test]
fn a_record_that_is_missing_or_old_is_noticed_behind_and_nothing_is_built_upon_it() {
    let (dir, persona) = closed();
    let before = records(&Store::open(dir.path()).unwrap());
    let old = before.iter().find(|(key, _)| *key == key::persona(persona)).unwrap().1.clone();
    let car = before.iter().find(|(key, _)| key.starts_with(b"v")).unwrap().0.clone();
    {
        let store = Store::open(dir.path()).unwrap();
        let _ = store.garage().buy_car(persona, fairlane(1500), Now::read()).unwrap();
    }
    let newest = records(&Store::open(dir.path()).unwrap());
    for (key, change) in [(car, None), (key::persona(persona), Some(old))] {
        tamper(dir.path(), &key, change.as_deref());
        let store = Store::open_soon(dir.path()).unwrap();
        // Refused, taken back, or made once the database is rebuilt.
        let mut told = describe(&store, persona, "on top");
        while told.is_err() {
            std::thread::sleep(std::time::Duration::from_millis(10));
            told = describe(&store, persona, "on top");
        }
        assert!(store.was_repaired() && !store.has_lost_changes());
        describe(&store, persona, "").unwrap();
        assert_eq!(records(&store), newest);
        assert_eq!(store.ledger().check().unwrap().differences, []);
    }
}

#[test]
fn who_reads_during_a_start_waits_for_a_database_that_is_opened_again_and_later_is_refused() {
    let dir = TempDir::new().unwrap();
    let open = || Opened { engine: Engine::open(dir.path()).unwrap(), sum: 0, journal: None, checked: true };
    let table = Arc::new(Table::new(open()).unwrap());
    table.transact(|tx| tx.put(key::FIRST_RESULT, &7_u32)).unwrap();
    table.sync().unwrap();
    for waits in [false, true] {
        table.set_readers_wait(waits);
        table.fail_for_tests();
        let mut reader = None;
        let reopen = || {
            let table = Arc::clone(&table);
            let reads = std::thread::spawn(move || table.get::<u32>(key::FIRST_RESULT));
            if waits {
                std::thread::sleep(std::time::Duration::from_millis(100));
                reader = Some(reads);
            } else {
                assert!(reads.join().unwrap().is_err());
            }
            Ok(open())
        };
        table.recover(reopen, &mut || {}).unwrap();
        if let Some(reader) = reader {
            assert_eq!(reader.join().unwrap(), Ok(Some(7)));
        }
    }
}

#[test]
fn a_backup_waits_for_the_check() {
    let (dir, _) = closed();
    let key =
        records(&Store::open(dir.path()).unwrap()).iter().find(|(key, _)| key[0] == b'v').unwrap().0.clone();
    tamper(dir.path(), &key, None);
    let store = Store::open_soon(dir.path()).unwrap();
    let file = dir.path().join("copy.mcos");
    // Either it is refused, or it has what was missing.
    while store.write_backup(&file).is_err() {}
    let other = TempDir::new().unwrap();
    Store::restore(other.path(), &file, None).unwrap();
    let restored = records(&Store::open(other.path()).unwrap());
    assert!(restored.iter().any(|(found, _)| *found == key), "a record is missing in the backup");
}

#[test]
fn what_a_newer_program_wrote_is_refused_without_reading_all_of_it() {
    let (dir, _) = closed();
    tamper(dir.path(), key::LAYOUT, Some(&encode(&(LAYOUT + 1)).unwrap()));
    for opened in [Store::open(dir.path()), Store::open_soon(dir.path())] {
        assert!(matches!(opened, Err(OpenError::TooNew { what: "database", .. })), "{opened:?}");
    }
    assert!(dir.path().join("database").exists(), "nothing was touched");
}

#[test]
fn what_an_older_program_wrote_is_checked_at_once() {
    let (dir, _) = closed();
    {
        let store = Store::open(dir.path()).unwrap();
        store.inner.table.transact(|tx| tx.remove(key::LAYOUT)).unwrap();
    }
    let store = Store::open_soon(dir.path()).unwrap();
    assert!(!store.inner.table.is_unchecked());
    assert_eq!(store.inner.table.get(key::LAYOUT).unwrap(), Some(LAYOUT));
}

#[test]
fn nothing_goes_into_the_journal_before_the_check_has_ended() {
    let dir = TempDir::new().unwrap();
    let engine = Engine::open(dir.path()).unwrap();
    let table = Table::new(Opened { engine, sum: 0, journal: None, checked: false }).unwrap();
    let record = "x".repeat(7000);
    for number in 0..200_u32 {
        table.transact(|tx| tx.put(format!("c{number}").as_bytes(), &record)).unwrap();
    }
    assert!(table.is_full());
    assert_eq!(table.sync(), Err(StoreError::Unchecked));
    assert!(table.engine_for_tests().is_empty().unwrap());
    table.set_checked();
    table.sync().unwrap();
    assert!(!table.is_full());
}

#[test]
fn names_that_look_alike_are_found_by_an_index_which_older_stores_get() {
    let dir = TempDir::new().unwrap();
    let (store, owner, persona) = furnished(dir.path());
    let entries = |store: &Store| records(store).iter().filter(|(key, _)| key[0] == b'q').count();
    let taken = |store: &Store, name: &str| !store.personas().name_is_free(SHARD, name).unwrap();
    assert!(taken(&store, "DR  BR0WN") && !taken(&store, "Dr Brow") && !taken(&store, "Dr Brown2"));
    assert!(store.personas().name_is_free(ShardId(45), "Dr Brown").unwrap());
    let entry = key::persona_like(SHARD, "Dr Brown", persona);
    let _ =
        store.change(|table| table.transact(|tx| tx.remove(&entry).and_then(|()| tx.remove(key::LAYOUT))));
    assert!(!taken(&store, "DR  BR0WN"));
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert!(taken(&store, "DR  BR0WN"));
    let _ = store.personas().rename(persona, "DR BR0WN").unwrap();
    let _ = store.personas().rename(persona, "Marty").unwrap();
    assert!(!taken(&store, "Dr Brown") && taken(&store, "MARTY"));
    assert_eq!(entries(&store), 1);
    let _ = store.personas().delete(owner, persona, Now::read()).unwrap();
    assert_eq!((entries(&store), taken(&store, "Marty")), (0, false));
}
