//! A backup file (`src/store/backup.rs`, `src/store/records`, `src/store/restore.rs`).
//!
//! Input: the file. Its checksums are put right, because the fuzzer could not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcos::store::{OpenError, Store};
use mcos_fuzz::game::{START, folder, new_game};
use mcos_fuzz::{Input, plant};
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

static FILE: LazyLock<PathBuf> = LazyLock::new(|| folder("backup.mcos"));

fuzz_target!(init: plant(seeds()), |bytes: &[u8]| {
    fs::write(&*FILE, with_checksums(bytes)).unwrap();
    match Store::check_backup(&FILE, None) {
        Ok(_) => restore(),
        Err(error) => {
            assert!(matches!(error, OpenError::BadBackup { .. } | OpenError::TooNew { .. }), "{error}");
            let text = error.to_string();
            assert!(!text.contains(char::is_control), "{text:?}");
        }
    }
});

/// What is called a backup can be restored, and the store answers.
fn restore() {
    let data = folder("restored");
    Store::restore(&data, &FILE, None).unwrap();
    let store = Store::open(&data).unwrap();
    let _ = store.ledger().check();
    for persona in store.personas().list().unwrap_or_default() {
        let _ = (store.garage().vehicles(persona.id), store.mails().list(persona.id, *START));
    }
    let _ =
        (store.accounts().list(), store.bans().list(), store.races().under_way(), store.keys().login_key());
    drop(store);
    fs::remove_dir_all(data).unwrap();
}

/// The same file with the right checksum behind its header, and in each record and file.
fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut input = Input::new(bytes);
    let mut out = Vec::new();
    let version = bytes.get(7).copied().unwrap_or_default();
    let header = input.take(if version > 1 { 28 } else { 24 });
    out.extend(header);
    out.extend(crc32fast::hash(header).to_le_bytes());
    input.take(4);
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte));
    let records = number(header.get(16..20).unwrap_or_default());
    for part in 0.. {
        let lengths = input.take(if part < records { 4 } else { 6 });
        input.take(4);
        let content = input
            .take(number(&lengths[..2.min(lengths.len())]) + number(lengths.get(2..).unwrap_or_default()));
        if lengths.is_empty() {
            return out;
        }
        out.extend(lengths);
        out.extend(crc32fast::hash(&[lengths, content].concat()).to_le_bytes());
        out.extend(content);
    }
    out
}

/// The backup of a game with two players, one of whom has a car, a letter and a ban; an empty one; one of version 1; one of a newer
/// program; one after which no other could be counted.
fn seeds() -> Vec<Vec<u8>> {
    let game = new_game(&folder("seeds"));
    let whole = game.store.backup().unwrap();
    let empty = [&b"mcosbak\x02"[..], &[0; 20], &[0; 4]].concat();
    let old = [
        &b"mcosbak\x01"[..],
        &[7; 1],
        &[0; 7],
        &[1],
        &[0; 7],
        &[0; 4],
        &[4, 0, 3, 0, 0, 0, 0, 0],
        b"nonexyz",
    ]
    .concat();
    let newer = [&b"mcosbak\x03"[..], &[0; 24]].concat();
    let last = [&b"mcosbak\x02"[..], &[0xff; 8], &[0; 16]].concat();
    vec![whole, empty, old, newer, last]
}
