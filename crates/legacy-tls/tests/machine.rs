//! The legacy machine without sockets: with all versions and suites, cut into pieces, and with what should never come.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod old_client;

use legacy_tls::legacy::{Entropy, Failure, Identity, LegacyServer};
use legacy_tls::record::{HEADER, Kind};
use legacy_tls::server_key::ServerKey;
use legacy_tls::{Suite, Version};
use old_client::{Format, OldClient};
use proptest::prelude::*;
use rsa::pkcs8::EncodePrivateKey as _;
use rsa::{RsaPrivateKey, RsaPublicKey};
use std::sync::{Arc, LazyLock};

static KEY: LazyLock<RsaPrivateKey> =
    LazyLock::new(|| RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 1024).unwrap());

static IDENTITY: LazyLock<Arc<Identity>> = LazyLock::new(|| {
    let key = ServerKey::from_pkcs8_der(KEY.to_pkcs8_der().unwrap().as_bytes()).unwrap();
    Arc::new(Identity { chain: vec![vec![0x30; 900], vec![0x31; 700]], key })
});

const VERSIONS: [Version; 2] = [Version::Ssl30, Version::Tls10];
/// A bad record, as everybody says it before keys are agreed on.
const BAD_RECORD_MAC: [u8; 2] = [2, 20];

fn server() -> LegacyServer {
    LegacyServer::new(Arc::clone(&IDENTITY), Entropy { random: [0x33; 32], substitute: [0x44; 48] })
}

fn public() -> RsaPublicKey {
    KEY.to_public_key()
}

fn outbound(server: &mut LegacyServer) -> Vec<u8> {
    let bytes = server.outbound().to_vec();
    server.sent(bytes.len());
    bytes
}

fn data(server: &mut LegacyServer) -> Vec<u8> {
    let bytes = server.data().to_vec();
    server.read(bytes.len());
    bytes
}

fn greeted(version: Version, suite: Suite, format: Format) -> (OldClient, LegacyServer) {
    let (mut client, mut server) = (OldClient::new(version, suite), server());
    server.feed(&client.hello(format, &[])).unwrap();
    assert_eq!(client.take_flight(&outbound(&mut server)), Some(IDENTITY.chain.clone()));
    (client, server)
}

fn connected(version: Version, suite: Suite) -> (OldClient, LegacyServer) {
    let (mut client, mut server) = greeted(version, suite, Format::V3);
    server.feed(&client.second_flight(&public())).unwrap();
    assert!(client.take(&outbound(&mut server)).is_empty() && server.is_open());
    (client, server)
}

fn every() -> impl Iterator<Item = (Version, Suite)> {
    VERSIONS.into_iter().flat_map(|version| Suite::BY_PREFERENCE.map(|suite| (version, suite)))
}

#[test]
fn each_version_and_suite_and_hello_carries_data_both_ways() {
    for ((version, suite), format) in
        every().flat_map(|pair| [Format::V3, Format::V2].map(|format| (pair, format)))
    {
        let (mut client, mut server) = greeted(version, suite, format);
        assert!(!server.is_open());
        server.feed(&client.second_flight(&public())).unwrap();
        assert!(client.take(&outbound(&mut server)).is_empty() && server.is_open());
        let question: Vec<u8> = (0..40_000_u32).map(|at| at.to_le_bytes()[0]).collect();
        server.feed(&client.sealed(Kind::Data, &question)).unwrap();
        assert_eq!(data(&mut server), question, "{version} {suite} {format:?}");
        server.send(b"Valid=TRUE");
        server.send(&question);
        server.close();
        server.close();
        let answer = client.take(&outbound(&mut server));
        let sizes: Vec<_> = answer.iter().map(|(kind, content)| (*kind, content.len())).collect();
        let data = |size| (Kind::Data, size);
        assert_eq!(
            sizes,
            [data(10), data(16_384), data(16_384), data(40_000 - 2 * 16_384), (Kind::Alert, 2)]
        );
        assert_eq!(answer.last().unwrap().1, [1, 0]);
    }
}

#[test]
fn the_server_decides_the_suite_and_answers_renegotiation_info_only_when_asked() {
    for version in VERSIONS {
        let (mut client, mut server) = (OldClient::new(version, Suite::Aes128Sha), server());
        server.feed(&client.hello(Format::V3, &[0x0004, 0x0009, 0x00ff, 0xc014])).unwrap();
        client.take_flight(&outbound(&mut server)).unwrap();
        assert_eq!(client.server_extensions, [0, 5, 0xff, 1, 0, 1, 0]);
        assert!(greeted(version, Suite::Rc4Md5, Format::V3).0.server_extensions.is_empty());
    }
}

/// Everything a Client sends on a connection that carries data, and what it hears and leaves behind.
fn recorded(version: Version, suite: Suite, format: Format) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let (mut client, mut server) = (OldClient::new(version, suite), server());
    let mut sent = client.hello(format, &[]);
    server.feed(&sent).unwrap();
    let mut heard = outbound(&mut server);
    client.take_flight(&heard).unwrap();
    let mut more = client.second_flight(&public());
    // An empty record, a single byte and the rest: what patched Windows and OpenSSL make of one request.
    for part in [&b""[..], b"G", b"ET / HTTP/1.0\r\n\r\n"] {
        more.extend(client.sealed(Kind::Data, part));
    }
    more.extend(client.sealed(Kind::Alert, &[1, 0]));
    server.feed(&more).unwrap();
    heard.extend(outbound(&mut server));
    sent.extend(more);
    (sent, heard, data(&mut server))
}

#[test]
fn the_key_exchange_is_left_for_a_call_that_may_be_slow_whatever_came_with_the_hello() {
    for version in VERSIONS {
        let (sent, heard, left) = recorded(version, Suite::Aes128Sha, Format::V3);
        let mut server = server();
        server.feed_before_key_exchange(&sent).unwrap();
        assert!(server.awaits_key_exchange() && server.has_unprocessed() && !server.is_open());
        let greeting = outbound(&mut server);
        server.feed_before_key_exchange(&[]).unwrap();
        assert!(server.awaits_key_exchange() && server.outbound().is_empty(), "nor with the next such call");
        server.feed(&[]).unwrap();
        assert!(!server.awaits_key_exchange() && !server.has_unprocessed());
        assert_eq!([greeting, outbound(&mut server)].concat(), heard);
        assert_eq!(data(&mut server), left);
    }
}

fn any_suite() -> impl Strategy<Value = (Version, Suite)> {
    (0..2_usize, 0..5_usize).prop_map(|(version, suite)| (VERSIONS[version], Suite::BY_PREFERENCE[suite]))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn however_the_bytes_are_cut_the_result_is_the_same(
        (version, suite) in any_suite(),
        old_hello: bool,
        sizes in proptest::collection::vec(1..200_usize, 1..100),
    ) {
        let format = if old_hello { Format::V2 } else { Format::V3 };
        let (sent, heard, left) = recorded(version, suite, format);
        prop_assert_eq!(&left, b"GET / HTTP/1.0\r\n\r\n");
        let mut server = server();
        let mut rest = sent.as_slice();
        for size in sizes.iter().cycle() {
            let (part, tail) = rest.split_at(rest.len().min(*size));
            server.feed(part).unwrap();
            rest = tail;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(outbound(&mut server), heard);
        prop_assert_eq!(data(&mut server), left);
        prop_assert!(server.is_finished());
    }

    #[test]
    fn what_is_changed_on_the_way_is_noticed_and_never_panics(
        (version, suite) in any_suite(),
        at: prop::sample::Index,
        change in 1..=255_u8,
    ) {
        let (mut sent, _, left) = recorded(version, suite, Format::V3);
        let at = at.index(sent.len());
        // The minor version in the header of the very first record means nothing.
        prop_assume!(at != 2);
        sent[at] ^= change;
        let mut server = server();
        let fed = server.feed(&sent);
        prop_assert!(fed.is_err() || !server.is_finished(), "byte {at}");
        prop_assert!(left.starts_with(server.data()));
        prop_assert_eq!(fed, server.feed(&[]));
    }

    #[test]
    fn a_connection_that_ends_early_is_only_unfinished((version, suite) in any_suite(), at: prop::sample::Index) {
        let (sent, _, left) = recorded(version, suite, Format::V3);
        let mut server = server();
        prop_assert_eq!(server.feed(&sent[..at.index(sent.len())]), Ok(()));
        prop_assert!(!server.is_finished() && left.starts_with(server.data()));
    }

    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..2000), like_a_record: bool) {
        let mut bytes = bytes;
        if like_a_record && bytes.len() > 3 {
            bytes[..3].copy_from_slice(&[22, 3, 1]);
        }
        let _ = server().feed(&bytes);
        let (_, mut server) = connected(Version::Tls10, Suite::Aes128Sha);
        let _ = server.feed(&bytes);
    }
}

/// The alert with which the server ends a connection after `bytes`, if it says exactly one thing.
fn last_words(client: &mut OldClient, server: &mut LegacyServer, bytes: &[u8]) -> (Failure, Vec<u8>) {
    let failure = server.feed(bytes).unwrap_err();
    assert!(server.is_finished() && server.data().is_empty());
    let mut heard = client.take(&outbound(server));
    assert_eq!(heard.len(), 1);
    let (kind, alert) = heard.remove(0);
    assert_eq!(kind, Kind::Alert);
    // Nothing more, whatever comes.
    assert_eq!(server.feed(bytes), Err(failure));
    server.send(b"data");
    server.close();
    assert!(server.outbound().is_empty());
    (failure, alert)
}

#[test]
fn bad_secrets_and_bad_records_get_one_and_the_same_alert() {
    for (version, suite) in every() {
        let bad_block: &[fn(&mut Vec<u8>)] = &[
            |body| body.truncate(body.len() - 1),
            |body| *body.last_mut().unwrap() ^= 1,
            |body| body.clear(),
            |body| body.fill(0),
            |body| body.fill(0xff),
            |body| body.extend([0; 100]),
        ];
        for spoil in bad_block {
            let (mut client, mut server) = greeted(version, suite, Format::V3);
            let mut body = client.key_exchange(&public());
            spoil(&mut body);
            let first = client.change_cipher(&body);
            // Nothing is to be seen of it yet.
            assert_eq!(server.feed(&first), Ok(()));
            assert!(server.outbound().is_empty());
            let finished = client.finished();
            let (failure, alert) = last_words(&mut client, &mut server, &finished);
            assert_eq!(
                (failure, alert.as_slice()),
                (Failure::Record, &BAD_RECORD_MAC[..]),
                "{version} {suite}"
            );
        }
        let block = suite.block_size().unwrap_or(1);
        let bad_record: &[fn(&mut Vec<u8>, usize)] = &[
            // The last block is padding, or MAC; the first is data, the second MAC.
            |body, _| *body.last_mut().unwrap() ^= 1,
            |body, block| {
                let at = body.len() - block - 1;
                body[at] ^= 0x80;
            },
            |body, _| body[0] ^= 1,
            |body, _| {
                let at = body.len() / 2;
                body[at] ^= 4;
            },
            |body, block| {
                let left = body.len() - block;
                body.truncate(left);
            },
            |body, _| {
                body.pop();
            },
            |body, _| body.push(0),
            |body, _| body.clear(),
            |body, block| body.extend(vec![7; block]),
        ];
        for spoil in bad_record {
            let (mut client, mut server) = connected(version, suite);
            let mut body = client.sealed(Kind::Data, b"GET / HTTP/1.0\r\n\r\n").split_off(HEADER);
            spoil(&mut body, block);
            let [high, low] = u16::try_from(body.len()).unwrap().to_be_bytes();
            let [major, minor] = version.code().to_be_bytes();
            let record = [&[23, major, minor, high, low][..], &body].concat();
            let (failure, alert) = last_words(&mut client, &mut server, &record);
            assert_eq!(
                (failure, alert.as_slice()),
                (Failure::Record, &BAD_RECORD_MAC[..]),
                "{version} {suite}"
            );
        }
    }
}

#[test]
fn a_record_that_is_replayed_or_of_another_kind_does_not_open() {
    for (version, suite) in every() {
        let (mut client, mut server) = connected(version, suite);
        let record = client.sealed(Kind::Data, b"once");
        server.feed(&record).unwrap();
        assert_eq!(data(&mut server), b"once");
        assert_eq!(last_words(&mut client, &mut server, &record).0, Failure::Record);
        let (mut client, mut server) = connected(version, suite);
        let mut record = client.sealed(Kind::Alert, &[1, 0]);
        record[0] = 23;
        assert_eq!(last_words(&mut client, &mut server, &record).0, Failure::Record);
    }
}

#[test]
fn a_second_handshake_is_declined() {
    let (mut client, mut server) = connected(Version::Tls10, Suite::TdesSha);
    let hello = OldClient::new(Version::Tls10, Suite::TdesSha).hello(Format::V3, &[]).split_off(HEADER);
    server.feed(&client.sealed(Kind::Handshake, &hello)).unwrap();
    assert_eq!(client.take(&outbound(&mut server)), [(Kind::Alert, vec![1, 100])]);
    server.feed(&client.sealed(Kind::Data, b"then not")).unwrap();
    assert_eq!(data(&mut server), b"then not");

    let (mut client, mut server) = connected(Version::Ssl30, Suite::TdesSha);
    let record = client.sealed(Kind::Handshake, &hello);
    assert_eq!(last_words(&mut client, &mut server, &record), (Failure::Renegotiation, vec![2, 40]));
}

#[test]
fn who_greets_anew_without_end_is_let_go_and_leaves_little_behind() {
    let greetings = [1, 0, 0, 0].repeat(4000);
    let (mut client, mut server) = connected(Version::Tls10, Suite::Aes128Sha);
    assert_eq!(server.feed(&client.sealed(Kind::Handshake, &greetings)), Err(Failure::Idle));
    assert!(outbound(&mut server).len() < 4096, "of 4,000 answers");
    let (mut client, mut server) = connected(Version::Tls10, Suite::Aes128Sha);
    let failure = (0..100).find_map(|_| server.feed(&client.sealed(Kind::Handshake, &greetings[..4])).err());
    assert_eq!(failure, Some(Failure::Idle));
}

#[test]
fn warnings_are_ignored_a_goodbye_is_taken_and_a_fatal_alert_is_not_answered() {
    let (mut client, mut server) = connected(Version::Tls10, Suite::Rc4Sha);
    server.feed(&client.sealed(Kind::Alert, &[1, 90])).unwrap();
    server.feed(&client.sealed(Kind::Data, b"x")).unwrap();
    server.feed(&client.sealed(Kind::Alert, &[1, 0])).unwrap();
    assert!(server.is_finished() && server.data() == b"x");
    // Nobody listens any more, but what was asked is answered.
    server.feed(&client.sealed(Kind::Data, b"late")).unwrap();
    assert_eq!(data(&mut server), b"x");
    server.send(b"answer");
    assert_eq!(client.take(&outbound(&mut server)), [(Kind::Data, b"answer".to_vec())]);

    let (mut client, mut server) = connected(Version::Tls10, Suite::Rc4Sha);
    assert_eq!(server.feed(&client.sealed(Kind::Alert, &[2, 48])), Err(Failure::Alert(48)));
    assert!(server.outbound().is_empty());
    assert!(Failure::Alert(48).to_string().contains("does not trust the authority"));
}

#[test]
fn empty_records_and_warnings_without_end_are_not_suffered() {
    for (kind, content) in [(Kind::Data, &[][..]), (Kind::Alert, &[1, 90])] {
        let (mut client, mut server) = connected(Version::Tls10, Suite::Aes256Sha);
        let failure = (0..100).find_map(|_| server.feed(&client.sealed(kind, content)).err());
        assert_eq!(failure, Some(Failure::Idle));
        assert_eq!(client.take(&outbound(&mut server)), [(Kind::Alert, vec![2, 10])]);
    }
}

#[test]
fn messages_out_of_order_end_the_connection() {
    let (version, suite) = (Version::Tls10, Suite::Aes128Sha);
    let out_of_order: &[&[u8]] = &[
        &[23, 3, 1, 0, 1, 0],           // data
        &[20, 3, 1, 0, 1, 1],           // ChangeCipherSpec
        &[22, 3, 1, 0, 4, 20, 0, 0, 0], // Finished
        &[22, 3, 1, 0, 4, 14, 0, 0, 0], // ServerHelloDone
        &[99, 3, 1, 0, 1, 0],           // no kind of record
    ];
    for record in out_of_order {
        let (mut client, mut server) = greeted(version, suite, Format::V3);
        assert_eq!(
            last_words(&mut client, &mut server, record),
            (Failure::OutOfOrder, vec![2, 10]),
            "{record:?}"
        );
    }
    let (mut client, mut server) = greeted(version, suite, Format::V3);
    let half_a_message_then_new_keys = [22, 3, 1, 0, 2, 16, 0, 20, 3, 1, 0, 1, 1];
    assert_eq!(last_words(&mut client, &mut server, &half_a_message_then_new_keys).0, Failure::OutOfOrder);
}

#[test]
fn what_is_too_long_is_refused_before_it_is_collected() {
    let (version, suite) = (Version::Tls10, Suite::Aes128Sha);
    let (mut client, mut server) = greeted(version, suite, Format::V3);
    assert_eq!(last_words(&mut client, &mut server, &[22, 3, 1, 0x48, 1]), (Failure::Overflow, vec![2, 22]));
    let (mut client, mut server) = greeted(version, suite, Format::V3);
    let long_message = [22, 3, 1, 0, 4, 16, 1, 0, 0];
    assert_eq!(last_words(&mut client, &mut server, &long_message), (Failure::Malformed, vec![2, 50]));
    let (mut client, mut server) = greeted(version, suite, Format::V3);
    assert_eq!(
        last_words(&mut client, &mut server, &[22, 3, 3, 0, 1]),
        (Failure::Version(0x0303), vec![2, 70])
    );
}

#[test]
fn another_handshake_than_ours_is_noticed_at_its_end() {
    for (version, alert) in [(Version::Tls10, [2, 51]), (Version::Ssl30, [2, 40])] {
        let (mut client, mut server) = greeted(version, Suite::Aes128Sha, Format::V3);
        let block = client.key_exchange(&public());
        server.feed(&client.change_cipher(&block)).unwrap();
        client.transcript.add(b"something else");
        let finished = client.finished();
        assert_eq!(last_words(&mut client, &mut server, &finished), (Failure::Finished, alert.to_vec()));
    }
}
