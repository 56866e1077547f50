use super::*;
use data_encoding::HEXLOWER;
use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use tempfile::TempDir;

/// Somebody who may sign bundles, and a folder for them.
pub(crate) struct Signer {
    pair: Ed25519KeyPair,
    pub(crate) key: UpdateKey,
    folder: TempDir,
}

impl Signer {
    pub(crate) fn new() -> Self {
        let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(pair.as_ref()).unwrap();
        let public = pair.public_key().as_ref().try_into().unwrap();
        let key = UpdateKey(UnparsedPublicKey::new(&ED25519, public));
        Self { pair, key, folder: tempfile::tempdir().unwrap() }
    }

    /// A bundle with this image, whose boot script is its second sector.
    pub(crate) fn bundle(&self, image: &[u8]) -> Vec<u8> {
        let manifest = manifest(&[
            ("size", &image.len().to_string()),
            ("sha256", &HEXLOWER.encode(&Sha256::digest(image))),
        ]);
        self.signed(manifest.as_bytes(), image)
    }

    fn signed(&self, manifest: &[u8], image: &[u8]) -> Vec<u8> {
        let length = u32::try_from(manifest.len()).unwrap().to_le_bytes();
        let head = [&MAGIC[..], &length, manifest].concat();
        [&head, self.pair.sign(&head).as_ref(), image].concat()
    }

    pub(crate) fn open(&self, bytes: &[u8]) -> Result<Bundle, UpdateError> {
        let path = self.folder.path().join("b.update");
        fs::write(&path, bytes).unwrap();
        Bundle::open(&path, &self.key, "rpi")
    }

    fn check(&self, bytes: &[u8]) -> Result<Manifest, UpdateError> {
        self.open(bytes)?.read_image(|_, _| Ok(()))
    }
}

/// A sound manifest but for these values, given as they are written.
fn manifest(values: &[(&str, &str)]) -> String {
    let sha256 = "0".repeat(64);
    let sound = [
        ("version", "0.2.0"),
        ("board", "rpi"),
        ("size", "1024"),
        ("sha256", &sha256),
        ("boot_offset", "512"),
        ("boot_size", "512"),
    ];
    let lines = sound.map(|(name, sound)| {
        let value = values.iter().find(|(other, _)| *other == name).map_or(sound, |(_, value)| value);
        if matches!(name, "version" | "board" | "sha256") {
            format!("{name} = \"{value}\"\n")
        } else {
            format!("{name} = {value}\n")
        }
    });
    lines.concat()
}

#[test]
fn the_example_of_the_reference_is_a_manifest() {
    let read = Manifest::parse(manifest(&[]).as_bytes()).unwrap();
    assert_eq!((read.version.as_str(), read.board.as_str()), ("0.2.0", "rpi"));
    assert_eq!((read.size, read.boot_offset, read.boot_size), (1024, 512, 512));
    let more = format!("{}later = [1, 2]\n", manifest(&[("sha256", &"aF".repeat(32))]));
    assert_eq!(Manifest::parse(more.as_bytes()).unwrap().sha256, [0xaf; 32]);
}

#[test]
fn a_manifest_that_makes_no_sense_is_refused_with_what_is_wrong() {
    for (name, value, part) in [
        ("version", "", "version"),
        ("version", "1.0\\n", "version"),
        ("board", "../etc", "board"),
        ("board", &"x".repeat(33), "board"),
        ("size", "0", "size"),
        ("size", "1000", "size"),
        ("size", "-512", "invalid value"),
        ("size", "9223372036854775296", "size"),
        ("sha256", &"0".repeat(63), "sha256"),
        ("sha256", &"0".repeat(66), "sha256"),
        ("sha256", &"g0".repeat(32), "sha256"),
        ("sha256", &"\u{e4}".repeat(32), "sha256"),
        ("boot_offset", "1024", "boot script"),
        ("boot_offset", "9223372036854775296", "boot script"),
        ("boot_offset", "100", "boot_offset"),
        ("boot_size", "0", "boot script"),
        ("boot_size", "1024", "boot script"),
        ("boot_size", "\"512\"", "invalid type"),
    ] {
        let why = Manifest::parse(manifest(&[(name, value)]).as_bytes()).expect_err(value);
        assert!(why.to_string().contains(part), "{name} = {value}: {why}");
    }
    for text in [&b""[..], b"version", b"version = \"1\"", b"\xff\xfe"] {
        assert!(Manifest::parse(text).is_err());
    }
}

#[test]
fn every_flipped_byte_is_noticed() {
    let signer = Signer::new();
    let sound = signer.bundle(&[7; 1024]);
    assert_eq!(signer.check(&sound).unwrap().size, 1024);
    for place in 0..sound.len() {
        let mut bytes = sound.clone();
        bytes[place] ^= 1 << (place % 8);
        let error = signer.check(&bytes).expect_err("a flipped byte");
        let (image, magic) = (sound.len() - 1024, MAGIC.len());
        assert!(
            match error {
                UpdateError::NotABundle => place < magic,
                UpdateError::Signature => (magic..image).contains(&place),
                UpdateError::Damaged => place >= image,
                _ => false,
            },
            "{place}: {error}"
        );
    }
}

#[test]
fn a_bundle_that_ends_early_or_late_is_refused() {
    let signer = Signer::new();
    let sound = signer.bundle(&[7; 1024]);
    for length in 0..sound.len() {
        assert!(signer.check(&sound[..length]).is_err(), "{length}");
    }
    let late = [&sound[..], b"\0"].concat();
    assert!(matches!(signer.check(&late), Err(UpdateError::Length { .. })));
}

#[test]
fn what_somebody_else_signed_is_refused_whatever_it_says() {
    let (ours, theirs) = (Signer::new(), Signer::new());
    assert!(matches!(ours.check(&theirs.bundle(&[7; 1024])), Err(UpdateError::Signature)));
    assert!(matches!(ours.check(&theirs.signed(b"nonsense", b"")), Err(UpdateError::Signature)));
    assert!(matches!(ours.check(&ours.signed(b"nonsense", b"")), Err(UpdateError::Manifest(_))));
    let other_board = manifest(&[("board", "qemu")]);
    assert!(matches!(
        ours.check(&ours.signed(other_board.as_bytes(), b"")),
        Err(UpdateError::OtherBoard { bundle, .. }) if bundle == "qemu"
    ));
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_no_manifest_and_do_no_harm(bytes: Vec<u8>, start: [u8; 12]) {
        prop_assert!(Manifest::parse(&bytes).is_err());
        prop_assert!(manifest_length(&start).is_err() || start.starts_with(&MAGIC));
    }
}
