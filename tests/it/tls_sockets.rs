//! The HTTPS port over real sockets with clients nobody makes any more, and with those that nobody should have made.

use crate::old_client::{Format, OldClient};
use crate::responder::{Responder, is_whole_answer};
use crate::support::PATIENCE;
use legacy_tls::record::{HEADER, Kind};
use legacy_tls::{Suite, Version};
use mcos::server::tls::{Security, TlsError};
use rsa::RsaPublicKey;
use rsa::pkcs8::DecodePrivateKey as _;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

const REQUEST: &[u8] = b"GET /AuthLogin?username=a&password=b HTTP/1.0\r\n\r\n";

fn connect(responder: &Responder) -> TcpStream {
    let socket = TcpStream::connect(responder.address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn public_key(responder: &Responder) -> RsaPublicKey {
    let leaves = responder.tls.authority().leaves();
    rsa::RsaPrivateKey::from_pkcs8_der(leaves.legacy.key.secret_pkcs8_der()).unwrap().to_public_key()
}

/// Says hello and reads the answer to it.
fn greet(socket: &mut TcpStream, client: &mut OldClient, format: Format) -> Vec<Vec<u8>> {
    socket.write_all(&client.hello(format, &[])).unwrap();
    let mut chunk = [0; 1000];
    loop {
        let count = socket.read(&mut chunk).unwrap();
        assert_ne!(count, 0, "the server closed");
        if let Some(certificates) = client.take_flight(&chunk[..count]) {
            return certificates;
        }
    }
}

/// All that the server says until it closes.
fn rest(mut socket: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Where we sent too much the end may be a reset.
    let _ = socket.read_to_end(&mut bytes);
    bytes
}

#[test]
fn the_hello_of_windows_98_to_xp_is_served_with_each_version_and_suite() {
    let responder = Responder::start();
    for version in [Version::Ssl30, Version::Tls10] {
        for suite in Suite::BY_PREFERENCE {
            let (mut socket, mut client) = (connect(&responder), OldClient::new(version, suite));
            let chain = greet(&mut socket, &mut client, Format::V2);
            assert_eq!(chain[1], responder.tls.authority().certificate_der());
            let mut bytes = client.second_flight(&public_key(&responder));
            // The first byte on its own, as Windows does since 2012.
            bytes.extend(client.sealed(Kind::Data, &REQUEST[..1]));
            bytes.extend(client.sealed(Kind::Data, &REQUEST[1..]));
            socket.write_all(&bytes).unwrap();
            let contents = client.take(&rest(socket));
            let (data, alerts): (Vec<_>, Vec<_>) =
                contents.into_iter().partition(|(kind, _)| *kind == Kind::Data);
            let data: Vec<u8> = data.into_iter().flat_map(|(_, content)| content).collect();
            assert!(is_whole_answer(&data, Security::Legacy), "{version} {suite}");
            assert_eq!(alerts, [(Kind::Alert, vec![1, 0])]);
            assert_eq!(responder.outcome(), "legacy");
        }
    }
}

#[test]
fn who_sends_a_key_exchange_along_with_the_hello_is_answered_at_once() {
    let responder = Responder::start();
    let (mut socket, mut client) = (connect(&responder), OldClient::new(Version::Tls10, Suite::Aes128Sha));
    greet(&mut socket, &mut client, Format::V3);
    // It belongs to another connection, so it comes to nothing; but not only when the time is over.
    let flight = client.second_flight(&public_key(&responder));
    drop(socket);
    responder.outcome();
    let mut socket = connect(&responder);
    let hello = OldClient::new(Version::Tls10, Suite::Aes128Sha).hello(Format::V3, &[]);
    socket.write_all(&[hello, flight].concat()).unwrap();
    let said = rest(socket);
    assert_eq!(said[said.len() - 7..said.len() - 1], [21, 3, 1, 0, 2, 2], "a fatal alert");
    assert_ne!(responder.outcome(), format!("{:?}", TlsError::TimedOut));
}

#[test]
fn an_answer_that_is_flushed_at_once_is_one_record_and_a_goodbye() {
    let responder = Responder::start();
    let (mut socket, mut client) = (connect(&responder), OldClient::new(Version::Tls10, Suite::Aes128Sha));
    greet(&mut socket, &mut client, Format::V3);
    socket.write_all(&client.second_flight(&public_key(&responder))).unwrap();
    socket.write_all(&client.sealed(Kind::Data, REQUEST)).unwrap();
    let sizes: Vec<_> = client.take(&rest(socket)).iter().map(|(_, content)| content.len()).collect();
    let [first, second, .., goodbye] = sizes[..] else { panic!("{sizes:?}") };
    assert_eq!((first, second, goodbye), (16_384, 16_384, 2));
}

#[test]
fn plain_http_is_told_what_to_do() {
    let responder = Responder::start();
    for request in ["GET / HTTP/1.1\r\nHost: mcos.local:443\r\n\r\n", "POST /games/x HTTP/1.0\r\n\r\n"] {
        let mut socket = connect(&responder);
        socket.write_all(request.as_bytes()).unwrap();
        let answer = String::from_utf8(rest(socket)).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 400 ") && body.contains("https://"), "{answer}");
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{answer}");
        assert_eq!(responder.outcome(), "PlainHttp");
    }
}

#[test]
fn garbage_and_huge_hellos_are_refused_at_once() {
    let responder = Responder::start();
    let ssh = (&b"\0SH-2.0-nothing\r\n"[..], &b""[..], "Hello(NotTls)");
    let huge = (&[22, 3, 1, 0x40, 1, 1, 0, 0x3f, 0xff][..], &[21, 3, 1, 0, 2, 2, 50][..], "Hello(TooLong)");
    let endless = (&[0xff, 0xff, 1, 3, 0][..], huge.1, "Hello(TooLong)");
    let server_side = (&[22, 3, 1, 0, 4, 2, 0, 0, 0][..], &[21, 3, 1, 0, 2, 2, 10][..], "Hello(OutOfOrder)");
    for (bytes, answer, outcome) in [ssh, huge, endless, server_side] {
        let mut socket = connect(&responder);
        socket.write_all(bytes).unwrap();
        assert_eq!(rest(socket), answer);
        assert_eq!(responder.outcome(), outcome);
    }
    let only_export = OldClient::new(Version::Tls10, Suite::Rc4Md5).hello(Format::V2, &[]);
    let only_export: Vec<u8> = only_export.windows(1).flatten().copied().collect();
    let mut none = only_export;
    // The one suite of ours in the list becomes another.
    let at = none.windows(3).position(|suite| suite == [0, 0, 4]).unwrap();
    none[at + 2] = 3;
    let mut socket = connect(&responder);
    socket.write_all(&none).unwrap();
    assert_eq!(rest(socket), [21, 3, 1, 0, 2, 2, 40]);
    assert_eq!(responder.outcome(), "Refused(NoSharedSuite)");
}

#[test]
fn slow_and_half_hellos_and_handshakes_end_in_time() {
    let patience = Duration::from_millis(600);
    let responder = Responder::start_with(true, patience);
    // Long enough to come slowly for minutes.
    let hello = OldClient::new(Version::Tls10, Suite::TdesSha).hello(Format::V3, &[0x1234; 1500]);
    let (silent, half, mut slow) = (connect(&responder), connect(&responder), connect(&responder));
    let mut silent_after_hello = connect(&responder);
    silent_after_hello.write_all(&hello).unwrap();
    (&half).write_all(&hello[..20]).unwrap();
    let started = Instant::now();
    let dripping = hello.iter().take_while(|byte| {
        std::thread::sleep(Duration::from_millis(50));
        slow.write_all(&[**byte]).is_ok()
    });
    assert!(dripping.count() < hello.len());
    for _ in 0..4 {
        assert_eq!(responder.outcome(), "TimedOut");
    }
    assert!(started.elapsed() >= patience);
    drop((silent, half));
}

#[test]
fn a_client_that_leaves_in_the_middle_of_anything_is_let_go() {
    let responder = Responder::start();
    let hello = OldClient::new(Version::Tls10, Suite::TdesSha).hello(Format::V3, &[]);
    for end in [0, 1, 20, hello.len()] {
        let mut socket = connect(&responder);
        socket.write_all(&hello[..end]).unwrap();
        socket.shutdown(Shutdown::Write).unwrap();
        rest(socket);
        assert!(responder.outcome().contains("UnexpectedEof"), "{end}");
    }
    let (mut socket, mut client) = (connect(&responder), OldClient::new(Version::Tls10, Suite::TdesSha));
    greet(&mut socket, &mut client, Format::V3);
    socket.write_all(&client.second_flight(&public_key(&responder))).unwrap();
    let record = client.sealed(Kind::Data, REQUEST);
    socket.write_all(&record[..record.len() - 1]).unwrap();
    socket.shutdown(Shutdown::Write).unwrap();
    client.take(&rest(socket));
    assert_eq!(responder.outcome(), "closed", "a record cut short is no data");
}

#[test]
fn a_bad_secret_a_bad_mac_and_bad_padding_are_answered_with_the_same_alert() {
    let responder = Responder::start();
    let key = public_key(&responder);
    for version in [Version::Ssl30, Version::Tls10] {
        let [major, minor] = version.code().to_be_bytes();
        for suite in Suite::BY_PREFERENCE {
            let (mut socket, mut client) = (connect(&responder), OldClient::new(version, suite));
            greet(&mut socket, &mut client, Format::V3);
            let mut block = client.key_exchange(&key);
            *block.last_mut().unwrap() ^= 1;
            let bytes = [client.change_cipher(&block), client.finished()].concat();
            socket.write_all(&bytes).unwrap();
            assert_eq!(rest(socket), [21, major, minor, 0, 2, 2, 20], "{version} {suite}");
            assert_eq!(responder.outcome(), "Legacy(Record)");
            for from_end in [1, 25] {
                let (mut socket, mut client) = (connect(&responder), OldClient::new(version, suite));
                greet(&mut socket, &mut client, Format::V3);
                socket.write_all(&client.second_flight(&key)).unwrap();
                let mut record = client.sealed(Kind::Data, REQUEST);
                let at = record.len() - from_end;
                assert!(at > HEADER);
                record[at] ^= 1;
                socket.write_all(&record).unwrap();
                assert_eq!(client.take(&rest(socket)), [(Kind::Alert, vec![2, 20])], "{version} {suite}");
                assert!(responder.outcome().contains("Record"));
            }
        }
    }
}
