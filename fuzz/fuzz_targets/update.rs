//! An update bundle (`src/appliance/bundle.rs`) and the slot sector (`src/appliance/slot_sector.rs`).
//!
//! Input: what is done; then the beginning of a bundle, a manifest, a sector; or the length (2 bytes) and text of a manifest that is then
//! signed, and the image behind it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcos::appliance::UpdateError;
use mcos::appliance::bundle::{Bundle, MAGIC, MAX_MANIFEST, Manifest, UpdateKey, manifest_length};
use mcos::appliance::slot_sector::{SECTOR, Slot, SlotSector};
use mcos_fuzz::{Input, plant};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rsa::pkcs8::DecodePublicKey as _;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

const BOARD: &str = "qemu-arm64";

fuzz_target!(init: plant(seeds()), |bytes: &[u8]| {
    let mut input = Input::new(bytes);
    match input.byte() % 4 {
        0 => {
            if let Some(start) = input.rest().first_chunk()
                && let Ok(length) = manifest_length(start)
            {
                assert!((1..=MAX_MANIFEST).contains(&length));
            }
        }
        1 => {
            if let Ok(manifest) = Manifest::parse(input.rest()) {
                sound(&manifest);
            }
        }
        2 => sector(input.rest()),
        _ => {
            let length = input.take(2).iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
            let manifest = input.take(length % (MAX_MANIFEST + 1));
            bundle(manifest, input.rest());
        }
    }
});

fn sound(manifest: &Manifest) {
    assert!(manifest.size > 0 && manifest.boot_size > 0);
    assert!(manifest.boot_offset + manifest.boot_size <= manifest.size);
    for number in [manifest.size, manifest.boot_offset, manifest.boot_size] {
        assert_eq!(number % SECTOR as u64, 0);
    }
    for word in [&manifest.version, &manifest.board] {
        assert!((1..=32).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_graphic()));
    }
}

/// A sector whose checksum is right, as the fuzzer could not guess it.
fn sector(bytes: &[u8]) {
    let mut sector = [0; SECTOR];
    let length = bytes.len().min(SECTOR - 4);
    sector[..length].copy_from_slice(&bytes[..length]);
    let check = crc32fast::hash(&sector[..SECTOR - 4]).to_be_bytes();
    sector[SECTOR - 4..].copy_from_slice(&check);
    if let Ok(found) = SlotSector::read(&sector) {
        assert_eq!(found.bytes()[..36], sector[..36]);
        assert_eq!(SlotSector::read(&found.bytes()), Ok(found));
        assert_eq!(SlotSector::of_copies(&[[0; SECTOR], sector]), Ok(found));
        for slot in [Slot::A, Slot::B] {
            let changed = found.committed_to(slot).with_trial(slot.other(), found.script(slot), 3);
            assert_eq!(SlotSector::read(&changed.bytes()), Ok(changed));
        }
    }
}

static SIGNER: LazyLock<Ed25519KeyPair> =
    LazyLock::new(|| Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap());

/// What every bundle is checked with (RFC 8410: an object identifier, and the key).
static KEY: LazyLock<UpdateKey> = LazyLock::new(|| {
    let prefix = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
    UpdateKey::from_public_key_der(&[&prefix[..], SIGNER.public_key().as_ref()].concat()).unwrap()
});

static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("mcos-fuzz-{}.update", std::process::id())));

/// A bundle whose signature is right, whatever its manifest says: an image other than the one in it is refused.
fn bundle(manifest: &[u8], image: &[u8]) {
    let mut signed = MAGIC.to_vec();
    signed.extend(u32::try_from(manifest.len()).unwrap().to_le_bytes());
    signed.extend(manifest);
    let signature = SIGNER.sign(&signed);
    fs::write(&*FILE, [&signed, signature.as_ref(), image].concat()).unwrap();
    let opened = Bundle::open(&FILE, &KEY, BOARD);
    fs::remove_file(&*FILE).unwrap();
    match opened {
        Ok(bundle) => {
            sound(bundle.manifest());
            assert_eq!(bundle.manifest().board, BOARD);
            assert_eq!(bundle.manifest().size, image.len() as u64);
            let mut read = Vec::new();
            let done = bundle.read_image(|piece, offset| {
                assert_eq!(offset, read.len() as u64);
                read.extend_from_slice(piece);
                Ok(())
            });
            assert_eq!(read, image);
            if let Ok(manifest) = done {
                assert_eq!(ring::digest::digest(&ring::digest::SHA256, image).as_ref(), manifest.sha256);
            }
        }
        Err(error) => {
            assert!(manifest.is_empty() || !matches!(error, UpdateError::Signature));
            assert_eq!(error.to_string().lines().count(), 1, "{error}");
        }
    }
}

/// A manifest of a sector of zeros, alone and signed with that image, and a slot sector.
fn seeds() -> Vec<Vec<u8>> {
    let hash = "076a27c79e5ace2a3d47f9dd2e83e4ff6ea8872b3c2218f66c92b89b55f36560";
    let manifest = format!(
        "version = \"0.2.0\"\nboard = \"{BOARD}\"\nsize = 512\nsha256 = \"{hash}\"\nboot_offset = 0\nboot_size = 512\n"
    );
    let [high, low] = u16::try_from(manifest.len()).unwrap().to_be_bytes();
    let sector = SlotSector { committed: Slot::A, tries: 0, a: Default::default(), b: Default::default() };
    vec![
        b"\0MCOSUPD1\x64\0\0\0".to_vec(),
        [b"\x01", manifest.as_bytes()].concat(),
        [&[2][..], &sector.committed_to(Slot::B).bytes()[..36]].concat(),
        [&[3, high, low][..], manifest.as_bytes(), &[0; 512]].concat(),
    ]
}
