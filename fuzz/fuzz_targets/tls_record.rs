//! Records of SSL 3.0 and TLS 1.0, and whole connections (`crates/legacy-tls`).
//!
//! Input: version and suite; what is done; then, by that,
//! - the body of a record, which must not decrypt, and the content of one, which must come back;
//! - sizes of pieces, and what a client sends that knows nothing;
//! - sizes of pieces; places and values of bytes that are changed on the way; what a client sends after its handshake.
#![no_main]

#[path = "../../crates/legacy-tls/tests/old_client/mod.rs"]
mod old_client;

use legacy_tls::keys::{Keys, MasterSecret};
use legacy_tls::legacy::{Entropy, Identity, LegacyServer};
use legacy_tls::record::{BadRecord, HEADER, Header, Kind, LONGEST_PLAIN, Opener, Sealer};
use legacy_tls::server_key::ServerKey;
use legacy_tls::{Suite, Version};
use libfuzzer_sys::fuzz_target;
use mcos_fuzz::game::private_key;
use mcos_fuzz::{Input, pieces, plant};
use old_client::{Format, OldClient};
use rsa::pkcs8::EncodePrivateKey as _;
use rsa::{RsaPrivateKey, RsaPublicKey};
use std::sync::{Arc, LazyLock};

static KEY: LazyLock<RsaPrivateKey> = LazyLock::new(private_key);
static PUBLIC: LazyLock<RsaPublicKey> = LazyLock::new(|| KEY.to_public_key());
static IDENTITY: LazyLock<Arc<Identity>> = LazyLock::new(|| {
    let key = ServerKey::from_pkcs8_der(KEY.to_pkcs8_der().unwrap().as_bytes()).unwrap();
    Arc::new(Identity { chain: vec![vec![0x30; 20]], key })
});

fn server() -> LegacyServer {
    LegacyServer::new(Arc::clone(&IDENTITY), Entropy { random: [7; 32], substitute: [9; 48] })
}

fn keys(version: Version, suite: Suite) -> Keys {
    MasterSecret::derive(version, &[1; 48], &[2; 32], &[3; 32]).keys(version, suite, &[2; 32], &[3; 32]).0
}

fuzz_target!(init: plant(seeds()), |bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let choice = input.byte();
    let version = if choice & 1 == 0 { Version::Ssl30 } else { Version::Tls10 };
    let suite = Suite::BY_PREFERENCE[usize::from(choice >> 1) % Suite::BY_PREFERENCE.len()];
    let format = if choice & 0x80 == 0 { Format::V3 } else { Format::V2 };
    match input.byte() % 3 {
        0 => record(version, suite, input.rest()),
        1 => {
            let sizes = input.counted();
            anybody(sizes, input.rest());
        }
        _ => connection(version, suite, format, input),
    }
});

fn record(version: Version, suite: Suite, bytes: &[u8]) {
    let mut opener = Opener::new(version, suite, keys(version, suite));
    assert_eq!(opener.open(Kind::Data, &mut bytes.to_vec()), Err(BadRecord));

    let mut sealer = Sealer::new(version, suite, keys(version, suite));
    let mut opener = Opener::new(version, suite, keys(version, suite));
    let content = &bytes[..bytes.len().min(LONGEST_PLAIN)];
    for kind in [Kind::Data, Kind::Alert] {
        let mut record = Vec::new();
        sealer.seal(kind, content, &mut record);
        let header = Header::read(&record).unwrap().unwrap();
        assert_eq!(
            (header.kind, header.version, header.length + HEADER),
            (kind, version.code(), record.len())
        );
        assert_eq!(opener.open(kind, &mut record[HEADER..]), Ok(content));
    }
}

/// The server does not care how its input is cut.
fn anybody(sizes: &[u8], bytes: &[u8]) {
    let (mut whole, mut cut) = (server(), server());
    let at_once = whole.feed(bytes);
    let in_pieces = pieces(bytes, sizes).try_for_each(|piece| cut.feed(piece));
    assert_eq!(at_once, in_pieces);
    assert_eq!((whole.outbound(), whole.data()), (cut.outbound(), cut.data()));
    assert!(!whole.is_open() && whole.data().is_empty(), "nobody gets in without the server's key");
}

/// A whole connection, on which bytes may be changed: what arrives is the beginning of what was sent.
fn connection(version: Version, suite: Suite, format: Format, mut input: Input<'_>) {
    let (sizes, changes) = (input.counted(), input.counted());
    let (mut client, mut server) = (OldClient::new(version, suite), server());
    server.feed(&client.hello(format, &[])).unwrap();
    assert!(client.take_flight(server.outbound()).is_some());
    server.sent(server.outbound().len());

    let mut stream = client.second_flight(&PUBLIC);
    let mut sent = Vec::new();
    while !input.is_empty() {
        let content = input.counted();
        sent.extend_from_slice(content);
        stream.extend(client.sealed(Kind::Data, content));
    }
    stream.extend(client.sealed(Kind::Alert, &[1, 0]));
    let unchanged = stream.clone();
    for change in changes.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % stream.len();
        stream[at] ^= change[2];
    }

    let mut result = Ok(());
    for piece in pieces(&stream, sizes) {
        result = server.feed(piece);
        if result.is_err() {
            break;
        }
    }
    assert!(sent.starts_with(server.data()));
    if stream == unchanged {
        // 33 records without content are too many.
        if result.is_ok() {
            assert!(server.is_open() && server.is_finished() && server.data() == sent);
            assert!(client.take(server.outbound()).is_empty());
        }
    } else {
        assert!(result.is_err() || !server.is_finished(), "a change is noticed, or the end is missing");
    }
    assert_eq!(server.feed(&[]), result);
}

/// Each version and suite: a record, a connection that is sound, and one on which a byte is changed. And a client's
/// messages without any key.
fn seeds() -> Vec<Vec<u8>> {
    let request = b"\x12GET / HTTP/1.0\r\n\r\n";
    let suites = || (0..10).flat_map(|choice| [choice, choice | 0x80]);
    let record = suites().map(|choice| vec![choice, 0, 1, 2, 3]);
    let sound = suites().map(|choice| [&[choice, 2, 2, 9, 200, 0, 0], &request[..], b"\x01G\x02ET"].concat());
    let changed = suites().map(|choice| [&[choice, 2, 0, 3, 1, 20, 1], &request[..]].concat());
    let mut client = OldClient::new(Version::Tls10, Suite::Aes128Sha);
    let mut stream = client.hello(Format::V3, &[]);
    stream.extend([22, 3, 1, 0, 6, 16, 0, 0, 2, 0, 0, 20, 3, 1, 0, 1, 1, 22, 3, 1, 0, 32]);
    stream.extend([0; 32]);
    let anybody = [&[0, 1, 2, 3, 40][..], &stream].concat();
    record.chain(sound).chain(changed).chain([anybody]).collect()
}
