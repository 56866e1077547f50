//! Backups while changes go on: each is one state of the store, and nobody waits for it.

use super::*;
use crate::clock::Now;
use crate::store::backup::{self, Backup};
use crate::store::record::{Row, digest};
use crate::store::records::check;
use crate::store::rotation;
use crate::store::snapshot::Snapshot;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// The records of a snapshot that is read to its end now.
fn rest(snapshot: Snapshot) -> Vec<Row> {
    snapshot.flat_map(Result::unwrap).collect()
}

fn snapshot(store: &Store) -> Snapshot {
    Snapshot::take(&store.inner.table).unwrap()
}

/// Whether the generation and the sum in it are those of its records.
fn assert_consistent(backup: &Backup) {
    let number = |wanted: &[u8]| {
        let row = backup.rows.iter().find(|(key, _)| key == wanted);
        row.map_or(0, |(_, value)| record::decode::<u64>(value).unwrap())
    };
    assert_eq!(number(key::GENERATION), backup.generation);
    let others = backup.rows.iter().filter(|(key, _)| key != key::SUM);
    let sum = others.fold(0_u64, |sum, (key, value)| sum.wrapping_add(digest(key, value)));
    assert_eq!(number(key::SUM), sum);
    assert!(backup.rows.is_sorted_by(|(one, _), (other, _)| one < other), "each key once, in order");
    backup.rows.iter().try_for_each(|(key, value)| check(key, value)).unwrap();
}

/// A store with so many drivers, each with a car.
fn crowd(dir: &Path, drivers: u32) -> (Store, CustomerId, Vec<PersonaId>) {
    let (store, owner, first) = furnished(dir);
    let mut all = vec![first];
    for number in 1..drivers {
        let new = NewPersona { max_per_customer: usize::MAX, ..driver(&format!("Racer {number}")) };
        let persona = store.personas().create(owner, new, Now::read()).unwrap().value.id;
        let _ = store.garage().buy_car(persona, fairlane(3), Now::read()).unwrap();
        all.push(persona);
    }
    (store, owner, all)
}

#[test]
fn a_snapshot_shows_what_was_there_when_it_was_taken_however_late_it_is_read() {
    let dir = TempDir::new().unwrap();
    let (store, owner, all) = crowd(dir.path(), 150);
    for synced in [false, true] {
        for pieces in 0.. {
            let before = records(&store);
            let mut snapshot = snapshot(&store);
            let generation = snapshot.generation();
            let read: Vec<_> = snapshot.by_ref().take(pieces).map(Result::unwrap).collect();
            let ended = read.len() < pieces;
            // Records are replaced, go and come, at both ends of the keys.
            let _ = store.accounts().set_disabled("driver", pieces % 2 == 0).unwrap();
            let one = all[pieces * 7 % all.len()];
            let _ = store.garage().buy_car(one, fairlane(1), Now::read()).unwrap();
            let (gone, new) = (all[pieces % 10 + 100], format!("New {synced} {pieces}"));
            let _ = store.personas().delete(owner, gone, Now::read());
            let new = NewPersona { max_per_customer: usize::MAX, id: Some(gone), ..driver(&new) };
            let _ = store.personas().create(owner, new, Now::read()).unwrap();
            if synced {
                store.flush().unwrap();
            }
            let mut rows = read.concat();
            rows.extend(rest(snapshot));
            let mut backup = Backup { generation, rows, files: Vec::new() };
            assert_consistent(&backup);
            without_counters(&mut backup.rows);
            assert!(backup.rows == before, "{pieces} pieces, synced {synced}");
            if ended {
                assert!(pieces > 3, "the store must be larger than a few pieces");
                break;
            }
        }
    }
}

#[test]
fn a_verb_completes_while_a_backup_is_held_in_the_middle() {
    let dir = TempDir::new().unwrap();
    let (store, owner, all) = crowd(dir.path(), 60);
    store.flush().unwrap();
    let before = everything(&store);
    let mut held = snapshot(&store);
    let generation = held.generation();
    let mut rows = held.next().unwrap().unwrap();
    // Each of these waits until it is on the card.
    store.garage().buy_car(all[0], fairlane(1), Now::read()).unwrap().ticket.wait().unwrap();
    store.personas().delete(owner, all[1], Now::read()).unwrap().ticket.wait().unwrap();
    let late = store.accounts().create("late", &password("garage"), None, Now::read()).unwrap();
    late.ticket.wait().unwrap();
    // So does another backup.
    let other = backup::read_from(&mut store.backup().unwrap().as_slice()).unwrap();
    assert_consistent(&other);
    rows.extend(rest(held));
    let backup = Backup { generation, rows, files: Vec::new() };
    assert_consistent(&backup);
    assert_ne!(other.rows, backup.rows);

    let (file, elsewhere) = (dir.path().join("held.mcos"), TempDir::new().unwrap());
    backup::write(&file, &backup).unwrap();
    Store::restore(elsewhere.path(), &file, None).unwrap();
    assert_eq!(everything(&Store::open(elsewhere.path()).unwrap()), before);
}

#[test]
fn every_backup_that_is_made_amid_changes_restores_to_books_that_balance() {
    let dir = TempDir::new().unwrap();
    let (store, owner, all) = crowd(dir.path(), 40);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let (store, all, stop) = (&store, &all, &stop);
        for thread in 0..3_u32 {
            scope.spawn(move || {
                let mut number = thread;
                while !stop.load(Ordering::Relaxed) {
                    number += 1;
                    let one = all[number as usize % all.len()];
                    // Money and a car, a new persona, a letter: several records each, or none.
                    let bought = store.garage().buy_car(one, fairlane(1), Now::read());
                    if number % 5 == 0
                        && let Ok(bought) = bought
                    {
                        bought.ticket.wait().unwrap();
                    }
                    let new = NewPersona {
                        max_per_customer: usize::MAX,
                        ..driver(&format!("T{thread} {}", number % 7))
                    };
                    if let Ok(made) = store.personas().create(owner, new, Now::read()) {
                        let _ = store.personas().delete(owner, made.value.id, Now::read()).unwrap();
                    }
                }
            });
        }
        let mut states = Vec::new();
        for round in 0..12 {
            let file = dir.path().join(format!("{round}.mcos"));
            store.write_backup(&file).unwrap();
            let saved = backup::read(&file).unwrap();
            assert_consistent(&saved);
            let elsewhere = TempDir::new().unwrap();
            Store::restore(elsewhere.path(), &file, None).unwrap();
            let restored = Store::open(elsewhere.path()).unwrap();
            let report = restored.ledger().check().unwrap();
            assert_eq!(report.differences, [], "round {round}");
            assert!(report.personas >= all.len() && !restored.was_repaired());
            states.push(saved.rows);
        }
        stop.store(true, Ordering::Relaxed);
        assert!(states.windows(2).all(|pair| pair[0] != pair[1]), "there were changes in between");
    });
    assert_eq!(store.ledger().check().unwrap().differences, []);
    drop(store);
    assert_consistent(&backup::read(&Store::backup_in(dir.path())).unwrap());
}

#[test]
fn the_backup_beside_the_database_is_the_state_at_closing() {
    let dir = TempDir::new().unwrap();
    let (store, _, all) = crowd(dir.path(), 3);
    let _ = store.garage().buy_car(all[1], fairlane(1), Now::read()).unwrap();
    let before = records(&store);
    drop(store);
    let mut saved = backup::read(&Store::backup_in(dir.path())).unwrap();
    assert_consistent(&saved);
    without_counters(&mut saved.rows);
    assert!(saved.rows == before);
}

#[test]
fn a_reader_who_never_goes_on_costs_a_bounded_amount_of_memory_and_stops_nobody() {
    let dir = TempDir::new().unwrap();
    let (store, ..) = furnished(dir.path());
    let _ = store.keys().set_login_key(&[1; 6000]).unwrap();
    let stuck = snapshot(&store);
    // So many records of 6 KiB that what they were before does not fit.
    let put = |value: u8| {
        for chunk in 0..60_u32 {
            let rows: Vec<Row> = (0..50)
                .map(|number| (key::paid_week(PersonaId(100_000 + chunk * 50 + number)), vec![value; 6000]))
                .collect();
            store.table().fill(&rows).unwrap();
        }
    };
    put(1);
    let (mut before, mut after) = (rest(stuck), rest(snapshot(&store)));
    without_counters(&mut before);
    without_counters(&mut after);
    assert_eq!(after.len(), before.len() + 3000);
    let mut stuck = snapshot(&store);
    put(2);
    assert_eq!(stuck.next().unwrap().unwrap_err(), StoreError::SnapshotLost);
    assert!(stuck.next().is_none());
    let file = dir.path().join("b.mcos");
    store.write_backup(&file).unwrap();
    assert!(backup::read(&file).is_ok());
}

#[test]
fn a_backup_that_cannot_be_written_says_so_and_leaves_nothing() {
    let dir = TempDir::new().unwrap();
    let (store, ..) = furnished(dir.path());
    let nowhere = dir.path().join("no/such/folder.mcos");
    let error = store.write_backup(&nowhere).unwrap_err();
    assert!(matches!(&error, StoreError::BackupNotWritten { file, .. } if file.contains("folder.mcos")));
    assert!(error.to_string().contains("check that its folder is there"), "{error}");
    fs::create_dir_all(dir.path().join("tls/authority.pem")).unwrap();
    let file = dir.path().join("b.mcos");
    let error = store.write_backup(&file).unwrap_err();
    assert!(matches!(&error, StoreError::BackupIncomplete { file, .. } if file.contains("authority.pem")));
    assert!(!file.exists());
}

#[test]
fn a_backup_without_records_is_refused() {
    let dir = TempDir::new().unwrap();
    let (store, ..) = furnished(dir.path());
    drop(store);
    let saved = backup::read(&Store::backup_in(dir.path())).unwrap();
    let file = dir.path().join("empty.mcos");
    let counters: Vec<Row> = saved.rows.into_iter().filter(|(key, _)| key.starts_with(key::META)).collect();
    assert!(!counters.is_empty());
    for rows in [Vec::new(), counters] {
        backup::write(&file, &Backup { generation: 1 << 40, rows, files: Vec::new() }).unwrap();
        let error = Store::restore(dir.path(), &file, None).unwrap_err();
        assert!(matches!(&error, OpenError::BadBackup { why, .. } if why.contains("no records")), "{error}");
        assert!(Store::stage_restore(dir.path(), &file).is_err());
    }
    let store = Store::open(dir.path()).unwrap();
    assert_eq!((store.accounts().list().unwrap().len(), store.was_repaired()), (1, false));
}

#[test]
fn what_a_backup_holds_is_known_before_it_is_restored() {
    let dir = TempDir::new().unwrap();
    let (store, ..) = crowd(dir.path(), 3);
    let file = dir.path().join("b.mcos");
    store.write_backup(&file).unwrap();
    assert_eq!(Store::check_backup(&file, None).unwrap(), Contents { accounts: 1, personas: 3 });
}

#[test]
fn a_restored_card_counts_on_behind_whatever_the_old_one_kept_after_that_backup() {
    let [old, new] = [(); 2].map(|()| TempDir::new().unwrap());
    let (store, ..) = furnished(old.path());
    let file = old.path().join("b.mcos");
    store.write_backup(&file).unwrap();
    drop(store);
    let kept = backup::read(&file).unwrap().generation;
    Store::restore(new.path(), &file, None).unwrap();
    let restored = backup::read(&Store::backup_in(new.path())).unwrap().generation;
    assert!(restored > kept + 10_000_000, "{restored}");
    drop(Store::open(new.path()).unwrap());
    // However often: the highest is never passed.
    let highest = Backup { generation: key::LAST_GENERATION - 5, ..backup::read(&file).unwrap() };
    backup::write(&file, &highest).unwrap();
    Store::restore(new.path(), &file, None).unwrap();
    assert!(!Store::open(new.path()).unwrap().was_repaired());
}

#[test]
fn a_backup_nobody_may_read_is_not_called_damaged() {
    let dir = TempDir::new().unwrap();
    let (store, ..) = furnished(dir.path());
    drop(store);
    let backup = Store::backup_in(dir.path());
    // Whoever runs the tests as root may read everything, but nobody can read a directory.
    fs::remove_file(&backup).unwrap();
    fs::create_dir(&backup).unwrap();
    let database = dir.path().join("database");
    for file in fs::read_dir(&database).unwrap().map(|entry| entry.unwrap().path()) {
        if file.is_file() {
            fs::write(file, [0xa5; 64]).unwrap();
        }
    }
    let error = Store::open(dir.path()).unwrap_err();
    assert!(matches!(&error, OpenError::NotRepaired { backup: file, .. } if file == &backup), "{error}");
    let text = error.to_string();
    assert!(text.contains("cannot be read") && text.contains("nothing was changed"), "{text}");
    let error = Store::check_backup(&backup, None).unwrap_err();
    assert!(matches!(error, OpenError::BackupUnreadable { .. }), "{error}");
    assert!(error.to_string().contains("name the file of a backup"), "{error}");
}

#[test]
fn what_waits_to_be_restored_and_cannot_be_read_stays_and_the_server_goes_on() {
    let dir = TempDir::new().unwrap();
    let (store, ..) = furnished(dir.path());
    let before = everything(&store);
    drop(store);
    let staged = dir.path().join("restore.mcos");
    std::os::unix::fs::symlink(dir.path().join("database"), &staged).unwrap();
    assert!(!Store::restore_staged(dir.path()).unwrap());
    assert!(staged.exists());
    assert_eq!(everything(&Store::open(dir.path()).unwrap()), before);
}

#[test]
fn of_backups_between_which_no_other_one_was_written_the_oldest_goes_whatever_its_name() {
    let dir = TempDir::new().unwrap();
    let (store, ..) = furnished(dir.path());
    let folder = dir.path().join("kept");
    // By years of a clock that is never right.
    let years = [2099, 2026, 1970, 2027, 2020, 2028, 2000];
    let mut content = Vec::new();
    for year in years {
        let file = dir.path().join(format!("mcos-{year}0101-0000.mcos"));
        store.operator().set_message(&format!("in {year}")).unwrap().ticket.wait().unwrap();
        store.write_backup(&file).unwrap();
        rotation::keep(&file, &folder, None).unwrap();
        content.push(file.file_name().unwrap().to_owned());
        let generation = |name| backup::read(&dir.path().join(name)).unwrap().generation;
        assert_eq!(generation(&content[0]), generation(content.last().unwrap()));
        let mut newest: Vec<_> = content.iter().rev().take(5).cloned().collect();
        newest.sort();
        let mut there: Vec<_> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        there.sort();
        assert_eq!(there, newest);
    }
}
