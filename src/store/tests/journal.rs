//! Backup and journal together: a sound pair at any moment, wherever they are cut, and all that was acknowledged.

use super::*;
use crate::clock::Now;
use crate::store::commit::Disk as _;
use crate::store::data_dir::Repaired;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            // A file that is written anew gets its name at the end: the one it had meanwhile may be gone.
            match fs::copy(entry.path(), target) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                copied => drop(copied.unwrap()),
            }
        }
    }
}

/// What the files of an open store hold, as after a kill, without its database.
fn without_database(dir: &Path) -> TempDir {
    loop {
        let left = TempDir::new().unwrap();
        let before = names(dir);
        copy(dir, left.path());
        // A kill leaves files of one moment. A backup that ended meanwhile took journals away that a copy has not, with the older backup.
        if names(dir) == before {
            fs::remove_dir_all(left.path().join("database")).unwrap();
            return left;
        }
    }
}

/// The files and folders in `dir`, and which ones have these names.
fn names(dir: &Path) -> BTreeSet<(PathBuf, u64)> {
    let entries = fs::read_dir(dir).unwrap().map(Result::unwrap);
    entries.filter_map(|entry| Some((entry.path(), entry.metadata().ok()?.ino()))).collect()
}

fn journals(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut journals: Vec<_> =
        entries.filter(|path| path.to_str().unwrap().contains("backup.mcos.journal-")).collect();
    journals.sort_unstable();
    journals
}

/// Where the last batch ends in the journal; 20 bytes are its header.
fn end_of_journal(store: &Store) -> u64 {
    20 + store.table().journal_length()
}

fn snapshot(store: &Store) -> Snapshot {
    Snapshot::take(&store.inner.table).unwrap()
}

fn repaired(store: &Store) -> Repaired {
    *store.inner.repaired.lock().unwrap()
}

#[test]
fn a_database_that_is_lost_while_the_store_is_open_costs_nothing_that_was_acknowledged() {
    let dir = TempDir::new().unwrap();
    let (store, owner, persona) = furnished(dir.path());
    for round in 0..6 {
        store.garage().buy_car(persona, fairlane(10), Now::read()).unwrap().ticket.wait().unwrap();
        if round == 2 {
            store.renew_backup();
        }
        let new = NewPersona { max_per_customer: 50, ..driver(&format!("Marty {round}")) };
        store.personas().create(owner, new, Now::read()).unwrap().ticket.wait().unwrap();
        let left = without_database(dir.path());
        let rebuilt = Store::open(left.path()).unwrap();
        assert_eq!(everything(&rebuilt), everything(&store), "round {round}");
        assert_eq!(repaired(&rebuilt), Repaired::Whole);
        assert!(rebuilt.was_repaired() && !rebuilt.has_lost_changes());
        assert_eq!(rebuilt.ledger().check().unwrap().differences, []);
    }
}

#[test]
fn a_killed_store_takes_from_the_journal_what_the_engine_had_not_written() {
    let dir = TempDir::new().unwrap();
    let (store, _, persona) = furnished(dir.path());
    store.garage().buy_car(persona, fairlane(10), Now::read()).unwrap().ticket.wait().unwrap();
    let left = TempDir::new().unwrap();
    copy(dir.path(), left.path());
    let again = Store::open(left.path()).unwrap();
    assert_eq!(everything(&again), everything(&store));
    assert!(!again.was_repaired());
}

#[test]
fn a_journal_cut_at_any_byte_leaves_a_sound_store_with_all_before_the_cut() {
    let dir = TempDir::new().unwrap();
    let (store, _, persona) = furnished(dir.path());
    store.flush().unwrap();
    let mut states = vec![everything(&store)];
    let length = || end_of_journal(&store);
    let mut ends = vec![length()];
    for _ in 0..3 {
        store.garage().buy_car(persona, fairlane(10), Now::read()).unwrap().ticket.wait().unwrap();
        states.push(everything(&store));
        ends.push(length());
    }
    let left = without_database(dir.path());
    let journal = journals(left.path()).remove(0);
    let whole = fs::read(&journal).unwrap();
    let first = usize::try_from(ends[0]).unwrap();
    let every = std::env::var_os("MCOS_EVERY_CUT").is_some();
    let last = usize::try_from(ends[3]).unwrap();
    assert!(last > first + 500 && whole.len() > last, "{ends:?}");
    let cuts = (first..=last + 9)
        .filter(|cut| every || cut % 53 == 0 || ends.iter().any(|end| (*cut as u64).abs_diff(*end) < 2));
    for cut in cuts {
        let work = TempDir::new().unwrap();
        copy(left.path(), work.path());
        fs::write(&journals(work.path())[0], &whole[..cut]).unwrap();
        let expected = ends.iter().filter(|end| **end <= cut as u64).count() - 1;
        let rebuilt = Store::open(work.path()).unwrap();
        assert_eq!(everything(&rebuilt), states[expected], "cut at {cut}");
        assert_eq!(rebuilt.ledger().check().unwrap().differences, [], "cut at {cut}");
        // It goes on from there.
        rebuilt.garage().buy_car(persona, fairlane(10), Now::read()).unwrap().ticket.wait().unwrap();
        let after = everything(&rebuilt);
        let again = without_database(work.path());
        drop(rebuilt);
        assert_eq!(everything(&Store::open(again.path()).unwrap()), after, "cut at {cut}");
    }
}

#[test]
fn at_any_moment_of_a_backup_the_files_are_a_sound_pair() {
    let dir = TempDir::new().unwrap();
    let (store, _, persona) = furnished(dir.path());
    store.flush().unwrap();
    let buy = || {
        store.garage().buy_car(persona, fairlane(10), Now::read()).unwrap().ticket.wait().unwrap();
    };
    let sound = |moment: &str| {
        let before = everything(&store);
        let [whole, part] = [TempDir::new().unwrap(), without_database(dir.path())];
        copy(dir.path(), whole.path());
        for left in [whole.path(), part.path()] {
            let opened = Store::open(left).unwrap();
            assert_eq!(everything(&opened), before, "{moment}");
            assert!(!opened.has_lost_changes());
            drop(opened);
            assert_eq!(everything(&Store::open(left).unwrap()), before, "{moment}, opened again");
        }
    };
    for round in 0..2 {
        buy();
        sound("before");
        let mut disk = BackupDisk {
            table: std::sync::Arc::clone(&store.inner.table),
            free_space: std::sync::Arc::clone(&store.inner.free_space),
            data: std::sync::Arc::clone(&store.inner.data),
            repaired: std::sync::Arc::clone(&store.inner.repaired),
            gap: false,
        };
        // One that is never finished, and another.
        drop(disk.begin_backup().unwrap());
        buy();
        sound("after one that was begun");
        let write = disk.begin_backup().unwrap();
        buy();
        sound("while it is written");
        let old = journals(dir.path()).into_iter().map(|path| (path.clone(), fs::read(path).unwrap()));
        let old: Vec<_> = old.collect();
        write().unwrap();
        assert_eq!(journals(dir.path()).len(), 1, "round {round}");
        sound("after it");
        for (path, bytes) in &old[..old.len() - 1] {
            fs::write(path, bytes).unwrap();
        }
        sound("before the old journals are gone");
        buy();
    }
}

#[test]
fn a_cut_at_any_byte_of_the_backup_that_is_written_leaves_the_old_one() {
    let dir = TempDir::new().unwrap();
    let (store, _, persona) = furnished(dir.path());
    store.garage().buy_car(persona, fairlane(10), Now::read()).unwrap().ticket.wait().unwrap();
    let before = everything(&store);
    let whole = store.backup().unwrap();
    for cut in (0..=whole.len()).step_by(whole.len() / 9) {
        let left = without_database(dir.path());
        fs::write(left.path().join("backup.mcos.new"), &whole[..cut]).unwrap();
        let opened = Store::open(left.path()).unwrap();
        assert_eq!(everything(&opened), before);
        drop(opened);
    }
}

#[test]
fn a_data_folder_of_an_older_program_is_opened_and_gets_a_journal() {
    let dir = TempDir::new().unwrap();
    let (store, _, persona) = furnished(dir.path());
    drop(store);
    // Older programs had no journal.
    for journal in journals(dir.path()) {
        fs::remove_file(journal).unwrap();
    }
    let store = Store::open(dir.path()).unwrap();
    assert!(!store.was_repaired());
    store.garage().buy_car(persona, fairlane(10), Now::read()).unwrap().ticket.wait().unwrap();
    let before = everything(&store);
    // The new backup is begun at once: from then on nothing is lost with the database.
    let deadline = std::time::Instant::now() + std::time::Duration::from_mins(3);
    loop {
        let left = without_database(dir.path());
        let rebuilt = Store::open(left.path()).unwrap();
        if !rebuilt.has_lost_changes() {
            assert_eq!(everything(&rebuilt), before);
            break;
        }
        assert!(std::time::Instant::now() < deadline);
    }
}

#[test]
fn changes_write_no_backup_as_long_as_the_journal_is_short_and_idleness_writes_nothing() {
    let dir = TempDir::new().unwrap();
    let (store, _, persona) = furnished(dir.path());
    for _ in 0..20 {
        store.garage().buy_car(persona, fairlane(1), Now::read()).unwrap().ticket.wait().unwrap();
    }
    assert!(!Store::backup_in(dir.path()).exists());
    let length = || end_of_journal(&store);
    let before = length();
    store.flush().unwrap();
    let _ = (store.trouble(), store.is_being_saved());
    assert_eq!(length(), before);
    drop(store);
    // Closed, a small store is one file.
    assert!(backup::read(&Store::backup_in(dir.path())).is_ok());
    let written = fs::metadata(Store::backup_in(dir.path())).unwrap().modified().unwrap();
    drop(Store::open(dir.path()).unwrap());
    assert_eq!(fs::metadata(Store::backup_in(dir.path())).unwrap().modified().unwrap(), written);
}

#[test]
fn what_lies_on_an_old_card_is_restored_with_its_journal() {
    let dir = TempDir::new().unwrap();
    let (store, _, persona) = furnished(dir.path());
    let _ = store.keys().set_login_key(&[7; 600]).unwrap();
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    store.garage().buy_car(persona, fairlane(10), Now::read()).unwrap().ticket.wait().unwrap();
    let before = everything(&store);
    let old_card = without_database(dir.path());
    let new = TempDir::new().unwrap();
    let file = Store::backup_in(old_card.path());
    assert_ne!(backup::read(&file).unwrap().rows, records(&store));
    Store::restore(new.path(), &file, None).unwrap();
    let restored = Store::open(new.path()).unwrap();
    assert_eq!(everything(&restored), before);
    assert_eq!(restored.ledger().check().unwrap().differences, []);
    // Restored into a folder with journals of its own, it wins.
    let other = TempDir::new().unwrap();
    let (busy, ..) = furnished(other.path());
    busy.accounts().create("other", &password("garage"), None, Now::read()).unwrap().ticket.wait().unwrap();
    drop(busy);
    Store::restore(other.path(), &file, None).unwrap();
    for _ in 0..2 {
        let restored = Store::open(other.path()).unwrap();
        assert_eq!(everything(&restored), before);
        assert!(!restored.was_repaired());
    }
}

#[test]
fn an_older_program_refuses_a_database_whose_newest_changes_are_in_the_journal() {
    // What programs make of it that know no journal.
    let older = |row: Option<&[u8]>| record::decode::<u32>(row.unwrap());
    let refused = Err(StoreError::TooNew { what: "counter", version: 2 });
    let dir = TempDir::new().unwrap();
    let (store, ..) = furnished(dir.path());
    store.flush().unwrap();
    // From the first moment on, whatever the engine has written, and in each backup.
    let copied = TempDir::new().unwrap();
    copy(dir.path(), copied.path());
    let engine = engine::Engine::open(&copied.path().join("database")).unwrap();
    assert_eq!(older(engine.get(key::POSITION).unwrap().as_deref()), refused);
    let saved = backup::read_from(&mut store.backup().unwrap().as_slice()).unwrap();
    let row = saved.rows.iter().find(|(key, _)| key == key::POSITION).unwrap();
    assert_eq!(older(Some(&row.1)), refused);
    // One of a program with a journal but without this mark gets it when it is opened.
    let position = engine.number::<record::Position>(key::POSITION).unwrap().unwrap();
    let old = record::encode(&position.0).unwrap();
    let sum = engine.check(|_, _| Ok(())).unwrap().found;
    let sum = sum
        .wrapping_sub(record::digest(key::POSITION, &record::encode(&position).unwrap()))
        .wrapping_add(record::digest(key::POSITION, &old));
    engine.put(key::POSITION, Some(&old)).unwrap();
    engine.put(key::SUM, Some(&record::encode(&sum).unwrap())).unwrap();
    drop(engine);
    let again = Store::open(copied.path()).unwrap();
    assert!(!again.was_repaired());
    assert_eq!(everything(&again), everything(&store));
    let mark = again.table().engine_for_tests().get(key::POSITION).unwrap();
    assert_eq!(older(mark.as_deref()), refused);
}

#[test]
fn what_waits_for_the_engine_is_seen_by_every_reader_and_reaches_it() {
    let dir = TempDir::new().unwrap();
    let (store, ..) = furnished(dir.path());
    store.flush().unwrap();
    let table = store.table();
    let of_engine = |key: &[u8]| table.engine_for_tests().get(key).unwrap();
    let all = |store: &Store| store.table().scan_rows::<String>(b"c").unwrap();
    let begin = end_of_journal(&store);
    let first = key::customer(CustomerId(5000));
    assert_eq!(of_engine(&first), None);
    let mut number = 5000;
    // It is given much at once, and has empty records in the place of new ones first.
    while of_engine(&first).is_none_or(|record| record.is_empty()) {
        let (key, value) = (key::customer(CustomerId(number)), format!("{number:06000}"));
        store
            .change(|table| table.transact::<_, StoreError>(|tx| tx.put(&key, &value)))
            .unwrap()
            .ticket
            .wait()
            .unwrap();
        assert_eq!(table.get::<String>(&key).unwrap(), Some(value));
        number += 1;
        assert_eq!(all(&store).len(), 1 + number as usize - 5000);
        assert!(number < 5200);
    }
    assert!(end_of_journal(&store) - begin > 200_000, "{number}");
    // What is removed or changed while the engine has an older record of it.
    let second = key::customer(CustomerId(5001));
    let work = |tx: &table::Transaction<'_>| {
        tx.remove(&first)?;
        tx.put(&second, &"changed".to_owned())
    };
    store.table().transact::<_, StoreError>(work).unwrap();
    store.flush().unwrap();
    assert!(of_engine(&first).is_some() && of_engine(&second).unwrap().len() > 6000);
    assert_eq!(table.get::<String>(&first).unwrap(), None);
    let rows = all(&store);
    assert_eq!(rows.len(), number as usize - 5000);
    assert!(rows.iter().any(|(key, value)| *key == second && value == "changed"));
    let in_snapshot: Vec<_> =
        snapshot(&store).flat_map(Result::unwrap).filter(|row| row.0[0] == b'c').collect();
    assert_eq!(in_snapshot.len(), rows.len());
    // Killed, and then closed in good order.
    let left = TempDir::new().unwrap();
    copy(dir.path(), left.path());
    let killed = Store::open(left.path()).unwrap();
    assert_eq!(all(&killed), rows);
    assert!(!killed.was_repaired());
    drop(store);
    let again = Store::open(dir.path()).unwrap();
    assert_eq!(all(&again), rows);
    assert_eq!(again.table().engine_for_tests().get(&first).unwrap(), None);
}

/// Waits until the store takes changes again.
fn await_recovery(store: &Store) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_mins(3);
    while let Some(trouble) = store.trouble() {
        assert!(std::time::Instant::now() < deadline, "{trouble}");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn an_engine_that_fails_is_opened_again_within_the_process_and_nothing_is_lost() {
    let dir = TempDir::new().unwrap();
    let (store, _, persona) = furnished(dir.path());
    for _ in 0..3 {
        store.garage().buy_car(persona, fairlane(10), Now::read()).unwrap().ticket.wait().unwrap();
        let before = everything(&store);
        store.table().fail_for_tests();
        let trouble = store.trouble().unwrap().to_string();
        assert!(trouble.contains("opens it again by itself"), "{trouble}");
        await_recovery(&store);
        assert_eq!(everything(&store), before);
        assert!(!store.was_repaired());
    }
    let before = everything(&store);
    drop(store);
    let again = Store::open(dir.path()).unwrap();
    assert_eq!(everything(&again), before);
    assert!(!again.was_repaired());
}

#[test]
fn an_engine_that_fails_over_damaged_files_is_built_again_within_the_process() {
    let dir = TempDir::new().unwrap();
    let (store, _, persona) = furnished(dir.path());
    store.garage().buy_car(persona, fairlane(10), Now::read()).unwrap().ticket.wait().unwrap();
    let before = everything(&store);
    fs::write(dir.path().join("database/conf"), [0xa5; 64]).unwrap();
    store.table().fail_for_tests();
    await_recovery(&store);
    assert_eq!(everything(&store), before);
    assert!(store.was_repaired() && !store.has_lost_changes());
    store.garage().buy_car(persona, fairlane(10), Now::read()).unwrap().ticket.wait().unwrap();
    let before = everything(&store);
    drop(store);
    let again = Store::open(dir.path()).unwrap();
    assert_eq!(everything(&again), before);
    assert!(!again.was_repaired());
}

#[test]
fn what_a_failed_write_takes_back_is_seen_by_nobody_and_in_no_backup() {
    let dir = TempDir::new().unwrap();
    let (store, ..) = furnished(dir.path());
    store.flush().unwrap();
    let before = records(&store);
    let journal = journals(dir.path()).remove(0);
    let held = snapshot(&store);
    let kept = end_of_journal(&store);
    assert!(fs::read(&journal).unwrap().len() as u64 > kept);
    // Nobody waits for this change, so it waits in memory.
    let work = |tx: &table::Transaction<'_>| tx.put(&key::paid_week(PersonaId(9)), &1_u32);
    store.table().transact::<_, StoreError>(work).unwrap();
    assert_ne!(records(&store), before);
    let taken_back = std::cell::Cell::new(false);
    let nothing = || -> Result<_, StoreError> { panic!("the engine is well") };
    store.inner.table.recover(nothing, &mut || taken_back.set(true)).unwrap();
    assert!(taken_back.get());
    assert_eq!(records(&store), before);
    assert!(held.into_iter().any(|rows| rows.is_err()));
    assert!(end_of_journal(&store) > kept, "a write has succeeded");
    drop(store);
    assert_eq!(records(&Store::open(dir.path()).unwrap()), before);
}

#[test]
fn a_burst_of_changes_has_a_backup_begun_at_once() {
    let dir = TempDir::new().unwrap();
    let (store, ..) = furnished(dir.path());
    let longest =
        |journals: Vec<PathBuf>| journals.iter().map(|file| fs::metadata(file).unwrap().len()).max();
    let rows = |round: u32| {
        let row = |number: u32| {
            (format!("c{round} {number}").into_bytes(), record::encode(&"x".repeat(7000)).unwrap())
        };
        (0..140).map(row).collect::<Vec<Row>>()
    };
    store.renew_backup();
    // 40 MB, in a time in which no backup would be begun.
    for round in 0..40 {
        store.change(|table| table.fill(&rows(round))).unwrap().ticket.wait().unwrap();
    }
    drop(store);
    assert!(fs::metadata(dir.path().join("backup.mcos")).unwrap().len() > 1024 * 1024);
    assert!(longest(journals(dir.path())).unwrap() < 30 * 1024 * 1024);
}
