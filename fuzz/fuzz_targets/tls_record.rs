//! Records of an old protocol, and the machine that takes them. `cargo +nightly fuzz run tls_record`
#![no_main]

use libfuzzer_sys::fuzz_target;
use legacy_tls::keys::Keys;
use legacy_tls::legacy::{Entropy, Identity, LegacyServer};
use legacy_tls::record::{HEADER, Header, Kind, Opener, Sealer, Unopened};
use legacy_tls::server_key::ServerKey;
use legacy_tls::{Suite, Version};
use rsa::pkcs8::EncodePrivateKey as _;
use std::sync::{Arc, LazyLock};

static IDENTITY: LazyLock<Arc<Identity>> = LazyLock::new(|| {
    let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 1024).unwrap();
    let key = ServerKey::from_pkcs8_der(key.to_pkcs8_der().unwrap().as_bytes()).unwrap();
    Arc::new(Identity { chain: vec![vec![0x30; 20]], key })
});

fn keys(suite: Suite) -> Keys {
    let iv = vec![3; suite.block_size().unwrap_or(0)];
    Keys { mac: vec![1; suite.mac().size()], cipher: (0..).take(suite.key_size()).collect(), iv }
}

fuzz_target!(|input: (u8, u8, Vec<u8>)| {
    let (choice, step, bytes) = input;
    let version = if choice & 1 == 0 { Version::Ssl30 } else { Version::Tls10 };
    let suite = Suite::BY_PREFERENCE[usize::from(choice >> 1) % 5];

    // A record that nobody sealed does not open.
    let mut opener = Opener::new(version, suite, keys(suite));
    assert_eq!(opener.open(Kind::Data, &mut bytes.clone()), Err(Unopened));

    // One that was does, whatever it carries.
    let (mut sealer, mut opener) =
        (Sealer::new(version, suite, keys(suite)), Opener::new(version, suite, keys(suite)));
    let content = &bytes[..bytes.len().min(16_384)];
    let mut record = Vec::new();
    sealer.seal(Kind::Data, content, &mut record);
    assert_eq!(Header::read(&record).unwrap().unwrap().length + HEADER, record.len());
    assert_eq!(opener.open(Kind::Data, &mut record[HEADER..]), Ok(content));

    // The machine does not care how its input is cut.
    let machine =
        || LegacyServer::new(Arc::clone(&IDENTITY), Entropy { random: [7; 32], substitute: [9; 48] });
    let (mut whole, mut cut) = (machine(), machine());
    let at_once = whole.feed(&bytes);
    let in_steps = bytes.chunks(usize::from(step) + 1).try_for_each(|part| cut.feed(part));
    assert_eq!(at_once, in_steps);
    assert_eq!((whole.outbound(), whole.data()), (cut.outbound(), cut.data()));
});
