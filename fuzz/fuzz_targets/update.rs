//! What is read of an update bundle before and after its signature, and the slot sector. `cargo +nightly fuzz run update`
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcos::appliance::bundle::{MAX_MANIFEST, Manifest, manifest_length};
use mcos::appliance::slot_sector::{SECTOR, SlotSector};

fuzz_target!(|bytes: &[u8]| {
    if let Some(start) = bytes.first_chunk()
        && let Ok(length) = manifest_length(start)
    {
        assert!((1..=MAX_MANIFEST).contains(&length));
    }

    if let Ok(manifest) = Manifest::parse(bytes) {
        assert!(manifest.size > 0 && manifest.boot_size > 0);
        assert!(manifest.boot_offset + manifest.boot_size <= manifest.size);
        for number in [manifest.size, manifest.boot_offset, manifest.boot_size] {
            assert_eq!(number % SECTOR as u64, 0);
        }
    }

    // A sector whose checksum the fuzzer could not guess: it is put right.
    let mut sector = [0; SECTOR];
    let length = bytes.len().min(SECTOR - 4);
    sector[..length].copy_from_slice(&bytes[..length]);
    let check = crc32fast::hash(&sector[..SECTOR - 4]).to_be_bytes();
    sector[SECTOR - 4..].copy_from_slice(&check);
    if let Ok(found) = SlotSector::read(&sector) {
        assert_eq!(found.bytes()[..36], sector[..36]);
        assert_eq!(SlotSector::read(&found.bytes()), Ok(found));
        assert_eq!(SlotSector::of_copies(&[[0; SECTOR], sector]), Ok(found));
    }
});
