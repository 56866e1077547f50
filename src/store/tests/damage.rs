//! Damaged, locked, newer and missing files.

use super::*;
use crate::clock::Now;
use crate::store::record::Row;
use crate::store::table::Table;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// A closed store, what was in it, and its directory.
fn closed() -> (TempDir, Everything) {
    let dir = TempDir::new().unwrap();
    let (store, owner, persona) = furnished(dir.path());
    let _ = store.garage().buy_car(persona, fairlane(1500), Now::read()).unwrap();
    let _ = store.personas().create(owner, driver("Marty"), Now::read()).unwrap();
    let _ = store.keys().set_login_key(&[7; 600]).unwrap();
    let before = everything(&store);
    drop(store);
    (dir, before)
}

fn backup_of(dir: &Path) -> PathBuf {
    dir.join("backup.mcos")
}

fn aside(dir: &Path, name: &str) -> usize {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|file| file.starts_with(&format!("database.{name}-"))).count()
}

/// The file of sled whose name begins so.
fn file_of_sled(dir: &Path, name: &str) -> PathBuf {
    let mut files = fs::read_dir(dir.join("database")).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(name)).unwrap()
}

fn overwrite(file: &Path, at: usize, with: &[u8]) {
    let mut bytes = fs::read(file).unwrap();
    for (byte, new) in bytes.iter_mut().skip(at).zip(with) {
        *byte = *new;
    }
    fs::write(file, bytes).unwrap();
}

/// Opens, compares, and opens again: a repaired store is a sound one.
fn assert_repaired(dir: &Path, before: &Everything) {
    for _ in 0..2 {
        let store = Store::open(dir).unwrap();
        assert_eq!(&everything(&store), before);
        store.accounts().set_disabled("driver", false).unwrap().ticket.wait().unwrap();
    }
}

#[test]
fn a_database_overwritten_with_rubbish_is_set_aside_and_rebuilt() {
    for name in ["db", "conf"] {
        let (dir, before) = closed();
        let file = file_of_sled(dir.path(), name);
        fs::write(&file, vec![0xa5; usize::try_from(fs::metadata(&file).unwrap().len()).unwrap()]).unwrap();
        assert_repaired(dir.path(), &before);
        assert_eq!(aside(dir.path(), "damaged"), 1, "{name}");
    }
}

#[test]
fn that_the_database_was_repaired_is_known_until_the_next_start() {
    let (dir, _) = closed();
    overwrite(&file_of_sled(dir.path(), "db"), 0, &[0xa5; 1000]);
    assert!(Store::open(dir.path()).unwrap().was_repaired());
    assert!(!Store::open(dir.path()).unwrap().was_repaired());
}

#[test]
fn a_damaged_snapshot_is_set_aside_and_rebuilt() {
    let (dir, before) = closed();
    // sled writes a snapshot when it opens a database that has something in it.
    drop(Store::open(dir.path()).unwrap());
    let snapshot = file_of_sled(dir.path(), "snap");
    overwrite(&snapshot, 3, &[0xa5; 8]);
    assert_repaired(dir.path(), &before);
    assert_eq!(aside(dir.path(), "damaged"), 1);
}

#[test]
fn an_emptied_or_shortened_database_file_loses_nothing() {
    for keep in [0, 1, 100, 1000, 2000] {
        let (dir, before) = closed();
        let file = file_of_sled(dir.path(), "db");
        let bytes = fs::read(&file).unwrap();
        fs::write(&file, &bytes[..keep]).unwrap();
        assert_repaired(dir.path(), &before);
    }
}

#[test]
fn wherever_a_database_is_damaged_nothing_is_lost() {
    for reopened in [false, true] {
        let (dir, before) = closed();
        if reopened {
            drop(Store::open(dir.path()).unwrap());
        }
        let used = fs::read(file_of_sled(dir.path(), "db")).unwrap();
        let end = used.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        for step in 0..40 {
            let work = TempDir::new().unwrap();
            copy(dir.path(), work.path());
            overwrite(&file_of_sled(work.path(), "db"), end.min(8000) * step / 40, &[0x5a; 3]);
            let store = Store::open(work.path()).unwrap();
            assert_eq!(everything(&store), before, "step {step}, reopened {reopened}");
        }
    }
}

#[test]
fn a_log_of_several_segments_may_lose_any_piece() {
    let dir = TempDir::new().unwrap();
    let before = {
        let (store, owner, _) = furnished(dir.path());
        for number in 0..250 {
            let new = NewPersona { max_per_customer: usize::MAX, ..driver(&format!("Racer {number}")) };
            let persona = store.personas().create(owner, new, Now::read()).unwrap().value.id;
            let _ = store.garage().buy_car(persona, fairlane(3), Now::read()).unwrap();
            let _ =
                store.personas().update(persona, |persona| persona.description = "x".repeat(200)).unwrap();
        }
        everything(&store)
    };
    let mut state = 0x2001_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for round in 0..24 {
        if round == 12 {
            // From here on there is a snapshot as well.
            drop(Store::open(dir.path()).unwrap());
        }
        let work = TempDir::new().unwrap();
        copy(dir.path(), work.path());
        let file = file_of_sled(work.path(), "db");
        let mut bytes = fs::read(&file).unwrap();
        let (at, length) = (random(bytes.len()), 1 + random(3000));
        match round % 4 {
            0 => bytes.truncate(at),
            1 => bytes.iter_mut().skip(at).take(length).for_each(|byte| *byte = 0),
            2 => bytes.iter_mut().skip(at).take(length).for_each(|byte| *byte ^= 0x5a),
            _ => bytes[at] ^= 1 << random(8),
        }
        fs::write(&file, bytes).unwrap();
        assert_eq!(everything(&Store::open(work.path()).unwrap()), before, "round {round}");
    }
}

#[test]
fn a_write_missing_from_the_middle_is_noticed() {
    let (dir, before) = closed();
    // A record is replaced behind the back of the sum, as if a later write to it had been left out.
    let db = engine(dir.path());
    let older = record::encode(&1_u32).unwrap();
    assert!(db.insert(key::NEXT_PART, older).unwrap().is_some());
    drop(db);
    assert_repaired(dir.path(), &before);
    assert_eq!(aside(dir.path(), "damaged"), 1);
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_snapshot_of_the_engine_that_a_power_cut_left_unfinished_is_no_damage() {
    for (name, left) in [
        ("snap.FFFFFFFFFFFFFFFF.generating", vec![]),
        ("snap.0000000000000001.generating", vec![0x5a; 100_000]),
    ] {
        let (dir, before) = closed();
        let file = dir.path().join("database").join(name);
        fs::write(&file, left).unwrap();
        let store = Store::open(dir.path()).unwrap();
        assert!(!store.was_repaired() && !file.exists());
        assert_eq!(everything(&store), before);
        drop(store);
        assert_eq!(aside(dir.path(), "damaged"), 0);
        assert_eq!(everything(&Store::open(dir.path()).unwrap()), before);
    }
}

#[test]
fn a_missing_database_is_rebuilt_from_the_backup() {
    let (dir, before) = closed();
    fs::remove_dir_all(dir.path().join("database")).unwrap();
    assert_repaired(dir.path(), &before);
    assert_eq!(aside(dir.path(), "damaged"), 0);
}

#[test]
fn a_rebuilding_that_was_interrupted_is_done_again() {
    let (dir, before) = closed();
    // The state after a power cut between the renaming and the end of the copying: some records, no generation.
    fs::remove_dir_all(dir.path().join("database")).unwrap();
    fs::create_dir(dir.path().join("database")).unwrap();
    let table = Table::open(&dir.path().join("database")).unwrap();
    let saved = backup::read(&backup_of(dir.path())).unwrap();
    table.fill(&saved.rows[..3]).unwrap();
    table.sync().unwrap();
    drop(table);
    assert_repaired(dir.path(), &before);
}

#[test]
fn a_damaged_database_without_a_backup_is_kept_and_a_new_one_begun() {
    let (dir, _) = closed();
    fs::remove_file(backup_of(dir.path())).unwrap();
    fs::write(file_of_sled(dir.path(), "conf"), [0xa5; 64]).unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.accounts().list().unwrap(), []);
    assert_eq!(aside(dir.path(), "damaged"), 1);
}

#[test]
fn a_damaged_backup_is_refused_and_nothing_is_touched() {
    let (dir, _) = closed();
    let backup = backup_of(dir.path());
    let middle = fs::read(&backup).unwrap().len() / 2;
    overwrite(&backup, middle, &[0x5a; 2]);
    let bad = fs::read(&backup).unwrap();
    let conf = file_of_sled(dir.path(), "conf");
    fs::write(&conf, [0xa5; 64]).unwrap();
    let error = Store::open(dir.path()).unwrap_err();
    assert!(matches!(&error, OpenError::Damaged { backup, .. } if backup.contains("checksum")), "{error}");
    assert!(error.to_string().contains("mcos restore"), "{error}");
    assert_eq!(aside(dir.path(), "damaged"), 0);
    assert_eq!(fs::read(&backup).unwrap(), bad);
    assert_eq!(fs::read(&conf).unwrap(), [0xa5; 64]);
}

#[test]
fn a_damaged_or_missing_backup_beside_a_sound_database_is_replaced() {
    for missing in [false, true] {
        let (dir, before) = closed();
        let backup = backup_of(dir.path());
        if missing {
            fs::remove_file(&backup).unwrap();
        } else {
            overwrite(&backup, 20, &[0x5a; 9]);
        }
        assert_eq!(everything(&Store::open(dir.path()).unwrap()), before);
        let rows = backup::read(&backup).unwrap().rows;
        assert!(!rows.is_empty());
        assert_eq!(aside(dir.path(), "damaged"), 0);
    }
}

#[test]
fn an_open_store_is_in_use_even_if_it_looks_damaged() {
    let dir = TempDir::new().unwrap();
    let (store, ..) = furnished(dir.path());
    assert!(matches!(Store::open(dir.path()), Err(OpenError::InUse { .. })));
    fs::write(file_of_sled(dir.path(), "conf"), [0xa5; 64]).unwrap();
    assert!(matches!(Store::open(dir.path()), Err(OpenError::InUse { .. })));
    assert!(matches!(Store::restore(dir.path(), Path::new("x"), None), Err(OpenError::InUse { .. })));
    assert_eq!(aside(dir.path(), "damaged"), 0);
    assert_eq!(store.accounts().list().unwrap().len(), 1);
}

#[test]
fn a_database_another_program_holds_is_in_use_and_not_damaged() {
    let (dir, before) = closed();
    let other = Table::open(&dir.path().join("database")).unwrap();
    assert!(matches!(Store::open(dir.path()), Err(OpenError::InUse { .. })));
    assert_eq!(aside(dir.path(), "damaged"), 0);
    drop(other);
    assert_repaired(dir.path(), &before);
}

#[test]
fn a_store_can_be_opened_again_the_moment_it_is_closed() {
    let dir = TempDir::new().unwrap();
    for round in 0..20 {
        let store = Store::open(dir.path()).unwrap();
        let name = format!("driver{round}");
        let _ = store.accounts().create(&name, &password("garage"), None, Now::read()).unwrap();
    }
    assert_eq!(Store::open(dir.path()).unwrap().accounts().list().unwrap().len(), 20);
}

/// The database as it is, without the checks of [`Table`]. A program that another test starts at this moment may hold the lock
/// until it runs.
fn engine(dir: &Path) -> sled::Db {
    let config = sled::Config::new().path(dir.join("database"));
    let mut tries = 0;
    loop {
        match config.open() {
            Ok(db) => return db,
            Err(sled::Error::Io(error)) if tries < 3000 && error.to_string().contains("lock") => {
                tries += 1;
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// Writes a record as a later version of this program would.
fn write_raw(dir: &Path, key: &[u8], value: &[u8]) {
    let table = Table::open(&dir.join("database")).unwrap();
    table.fill(&[(key.to_vec(), value.to_vec())]).unwrap();
    table.sync().unwrap();
}

#[test]
fn a_record_of_a_newer_version_is_refused_and_nothing_is_changed() {
    for (key, value) in [(key::account("driver"), vec![2, 1, 2, 3]), (b"zrace".to_vec(), vec![1])] {
        let (dir, _) = closed();
        write_raw(dir.path(), &key, &value);
        let rows = || {
            let db = engine(dir.path());
            db.iter()
                .map(|row| row.unwrap())
                .map(|(key, value)| (key.to_vec(), value.to_vec()))
                .collect::<Vec<Row>>()
        };
        let (before, backup) = (rows(), fs::read(backup_of(dir.path())).unwrap());
        let error = Store::open(dir.path()).unwrap_err();
        assert!(matches!(error, OpenError::TooNew { .. }), "{error}");
        assert_eq!(rows(), before);
        assert_eq!(fs::read(backup_of(dir.path())).unwrap(), backup);
        assert_eq!(aside(dir.path(), "damaged"), 0);
    }
}

#[test]
fn a_backup_of_a_newer_version_is_not_used() {
    for newer_record in [false, true] {
        let (dir, _) = closed();
        let backup = backup_of(dir.path());
        if newer_record {
            let mut saved = backup::read(&backup).unwrap();
            saved.rows[0].1[0] = 9;
            backup::write(&backup, &saved).unwrap();
        } else {
            overwrite(&backup, 7, &[9]);
        }
        fs::write(file_of_sled(dir.path(), "conf"), [0xa5; 64]).unwrap();
        assert!(matches!(Store::open(dir.path()), Err(OpenError::TooNew { version: 9, .. })));
        assert_eq!(aside(dir.path(), "damaged"), 0);
    }
}

#[test]
fn a_record_that_makes_no_sense_sends_the_database_to_repair() {
    let (dir, before) = closed();
    write_raw(dir.path(), &key::account("driver"), &[1, 0xff]);
    assert_repaired(dir.path(), &before);
    assert_eq!(aside(dir.path(), "damaged"), 1);
}

#[test]
fn a_backup_brings_everything_to_another_place() {
    let (dir, before) = closed();
    let file = dir.path().join("mine.mcos");
    Store::open(dir.path()).unwrap().write_backup(&file).unwrap();

    let fresh = TempDir::new().unwrap();
    Store::restore(&fresh.path().join("data"), &file, None).unwrap();
    assert_eq!(everything(&Store::open(&fresh.path().join("data")).unwrap()), before);
}

#[test]
fn restoring_replaces_what_was_there_and_keeps_it_aside() {
    let (dir, before) = closed();
    let file = dir.path().join("mine.mcos");
    let store = Store::open(dir.path()).unwrap();
    store.write_backup(&file).unwrap();
    let _ = store.accounts().create("later", &password("garage"), None, Now::read()).unwrap();
    drop(store);
    Store::restore(dir.path(), &file, None).unwrap();
    assert_repaired(dir.path(), &before);
    assert_eq!((aside(dir.path(), "replaced"), aside(dir.path(), "damaged")), (1, 0));
}

#[test]
fn a_restoring_interrupted_after_its_first_step_is_completed_at_the_next_start() {
    let (dir, before) = closed();
    let mut saved = backup::read(&backup_of(dir.path())).unwrap();
    let store = Store::open(dir.path()).unwrap();
    let _ = store.accounts().create("later", &password("garage"), None, Now::read()).unwrap();
    drop(store);
    saved.generation += 100;
    backup::write(&backup_of(dir.path()), &saved).unwrap();
    assert_repaired(dir.path(), &before);
}

#[test]
fn a_file_that_is_no_backup_is_not_restored() {
    let (dir, before) = closed();
    let file = dir.path().join("mine.mcos");
    assert!(matches!(Store::restore(dir.path(), &file, None), Err(OpenError::BadBackup { .. })));
    fs::write(&file, "holiday photographs").unwrap();
    assert!(matches!(Store::restore(dir.path(), &file, None), Err(OpenError::BadBackup { .. })));
    assert_eq!(aside(dir.path(), "replaced"), 0);
    assert_repaired(dir.path(), &before);
}

#[test]
fn others_on_the_machine_cannot_read_the_files() {
    let parent = TempDir::new().unwrap();
    let dir = parent.path().join("data");
    drop(furnished(&dir));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    assert_eq!(mode(&dir.join("database")), 0o700);
    assert_eq!(mode(&backup_of(&dir)), 0o600);
}

#[test]
fn a_directory_that_cannot_be_made_is_reported_by_name() {
    let parent = TempDir::new().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Store::open(&file.join("data")).unwrap_err();
    assert!(matches!(error, OpenError::Io { .. }));
    assert!(error.to_string().contains("file/data"), "{error}");
}

#[test]
fn what_a_ticket_has_confirmed_is_there_after_a_kill() {
    let dir = TempDir::new().unwrap();
    let (store, owner, persona) = furnished(dir.path());
    let bought = store.garage().buy_car(persona, fairlane(1500), Now::read()).unwrap();
    let created = store.personas().create(owner, driver("Marty"), Now::read()).unwrap();
    bought.ticket.and(created.ticket).wait().unwrap();
    // What the files hold while the store is still open is what a killed process leaves.
    let left = TempDir::new().unwrap();
    copy(dir.path(), left.path());
    assert_eq!(everything(&Store::open(left.path()).unwrap()), everything(&store));
}

#[test]
fn of_damaged_databases_the_newest_three_are_kept() {
    let (dir, before) = closed();
    // One from a time to which the clock has not come again.
    let future = dir.path().join("database.damaged-99999999999");
    fs::create_dir(&future).unwrap();
    for round in 1..=5 {
        fs::write(file_of_sled(dir.path(), "db"), [0xa5; 4096]).unwrap();
        assert_eq!(everything(&Store::open(dir.path()).unwrap()), before, "round {round}");
        assert_eq!(aside(dir.path(), "damaged"), (round + 1).min(3));
        assert!(dir.path().join(format!("database.damaged-{}", 99_999_999_999_u64 + round as u64)).exists());
    }
    assert!(!future.exists());
}

#[test]
fn what_root_makes_in_the_folder_of_somebody_else_belongs_to_that_one() {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let dir = TempDir::new().unwrap();
    if chown(dir.path(), Some(4711), Some(4712)).is_err() {
        // Who is not root cannot make anything in the folder of somebody else either.
        return;
    }
    drop(furnished(dir.path()).0);
    let backup = dir.path().join("kept-elsewhere");
    Store::open(dir.path()).unwrap().write_backup(&backup).unwrap();
    Store::restore(dir.path(), &backup, None).unwrap();
    let mut left = vec![dir.path().to_owned()];
    let mut seen = 0;
    while let Some(path) = left.pop() {
        let found = fs::symlink_metadata(&path).unwrap();
        if path != backup {
            assert_eq!((found.uid(), found.gid()), (4711, 4712), "{}", path.display());
            seen += 1;
        }
        if found.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    assert!(seen > 6, "{seen}");
}
