use super::*;
use proptest::prelude::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

/// The body of a hello of format V3, and with its headers in one record.
fn body(version: u16, suites: &[u16], extensions: &[u8]) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend_from_slice(&[7; 32]);
    body.push(0);
    body.extend_from_slice(&u16::try_from(suites.len() * 2).unwrap().to_be_bytes());
    body.extend(suites.iter().flat_map(|suite| suite.to_be_bytes()));
    body.extend_from_slice(&[1, 0]);
    if !extensions.is_empty() {
        body.extend_from_slice(&u16::try_from(extensions.len()).unwrap().to_be_bytes());
        body.extend_from_slice(extensions);
    }
    body
}

fn message(body: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[CLIENT_HELLO][..], &length, body].concat()
}

fn in_records(message: &[u8], size: usize) -> Vec<u8> {
    let record =
        |part: &[u8]| [&[22, 3, 1][..], &u16::try_from(part.len()).unwrap().to_be_bytes(), part].concat();
    message.chunks(size).flat_map(record).collect()
}

fn hello(version: u16, suites: &[u16], extensions: &[u8]) -> Vec<u8> {
    in_records(&message(&body(version, suites, extensions)), 16_384)
}

fn routed(bytes: &[u8]) -> Route {
    match route(bytes, true) {
        Ok(Progress::Done(route)) => route,
        other => panic!("{other:?}"),
    }
}

/// What the Windows of the time offer (*documented*), and who must answer them.
#[test]
fn each_windows_goes_where_it_is_served() {
    let xp: &[u16] =
        &[0x0004, 0x0005, 0x000a, 0x0009, 0x0064, 0x0062, 0x0003, 0x0006, 0x0013, 0x0012, 0x0063, 0x00ff];
    let vista: &[u16] =
        &[0x002f, 0x0035, 0x0005, 0x000a, 0xc009, 0xc00a, 0xc013, 0xc014, 0x0032, 0x0038, 0x0013, 0x0004];
    let seven: &[u16] = &[
        0xc028, 0xc027, 0xc014, 0xc013, 0x009f, 0x009e, 0x009d, 0x009c, 0x003d, 0x003c, 0x0035, 0x002f,
        0xc02c, 0xc02b, 0xc024, 0xc023, 0xc00a, 0xc009, 0x000a,
    ];
    let posready: &[u16] = &[0x003c, 0x002f, 0x003d, 0x0035, 0x0005, 0x000a];
    let eleven: &[u16] = &[0x1302, 0x1301, 0xc02c, 0xc02b, 0xc030, 0xc02f, 0x0035, 0x002f];
    let versions = [0, 0x2b, 0, 5, 4, 3, 4, 3, 3];
    assert_eq!(routed(&hello(0x0300, xp, &[])), Route::Legacy(Version::Ssl30, Suite::TdesSha));
    assert_eq!(routed(&hello(0x0301, xp, &[])), Route::Legacy(Version::Tls10, Suite::TdesSha));
    assert_eq!(routed(&hello(0x0301, vista, &[])), Route::Legacy(Version::Tls10, Suite::Aes128Sha));
    assert_eq!(routed(&hello(0x0303, seven, &[])), Route::Modern);
    assert_eq!(routed(&hello(0x0303, posready, &[])), Route::Legacy(Version::Tls10, Suite::Aes128Sha));
    assert_eq!(routed(&hello(0x0303, eleven, &versions)), Route::Modern);
}

#[test]
fn the_hello_of_ssl_2_is_read() {
    let hello = bytes(
        "802e 01 0301 0015 0000 0010 000004 00000a 010080 0700c0 030080 000005 000009 e47edbe441c90af5c435d9acd4213fcc",
    );
    let Ok(Progress::Done(found)) = read(&hello) else { panic!() };
    assert_eq!(found.consumed, hello.len());
    assert_eq!(found.transcript, hello[2..]);
    assert_eq!(found.hello.suites, [4, 10, 5, 9]);
    assert_eq!((found.hello.format, found.hello.offered), (Format::V2, 0x0301));
    assert_eq!(found.hello.random[..16], [0; 16]);
    assert_eq!(found.hello.random[16..], hello[hello.len() - 16..]);
    assert_eq!(routed(&hello), Route::Legacy(Version::Tls10, Suite::TdesSha));
    for end in 0..hello.len() {
        assert!(matches!(read(&hello[..end]), Ok(Progress::More(more)) if more > end), "{end}");
    }
}

#[test]
fn a_hello_of_ssl_2_that_means_ssl_2_is_refused() {
    let mut hello = bytes("8016 01 0002 0003 0000 0010 010080 00000000000000000000000000000000");
    hello[1] = u8::try_from(hello.len() - 2).unwrap();
    assert_eq!(read(&hello), Err(HelloError::Version(2)));
}

#[test]
fn whoever_names_its_versions_is_taken_at_its_word() {
    let all = [0x1301, 0xc02b, 0x002f];
    let only = |versions: &[u8]| {
        let length = u8::try_from(versions.len()).unwrap();
        let extension = [&[0, 0x2b, 0, length + 1, length][..], versions].concat();
        routed(&hello(0x0303, &all, &extension))
    };
    assert_eq!(only(&[3, 4]), Route::Modern);
    assert_eq!(only(&[3, 3]), Route::Modern);
    assert_eq!(only(&[3, 1]), Route::Legacy(Version::Tls10, Suite::Aes128Sha));
    assert_eq!(only(&[3, 0, 3, 2]), Route::Legacy(Version::Ssl30, Suite::Aes128Sha));
    assert_eq!(only(&[3, 2]), Route::Refuse(Refusal::NoSharedVersion));
}

#[test]
fn what_is_not_served_is_refused_with_the_reason() {
    // Only single DES and export.
    assert_eq!(routed(&hello(0x0301, &[0x0009, 0x0064, 0x0003], &[])), Route::Refuse(Refusal::NoSharedSuite));
    // Only ECDHE with RSA certificates.
    assert_eq!(routed(&hello(0x0303, &[0xc02f, 0xc030], &[])), Route::Refuse(Refusal::NoSharedSuite));
    let fallback = hello(0x0301, &[0x002f, 0x5600], &[]);
    assert_eq!(routed(&fallback), Route::Refuse(Refusal::Fallback));
    let old = route(&hello(0x0301, &[0x002f], &[]), false);
    assert_eq!(old, Ok(Progress::Done(Route::Refuse(Refusal::LegacyOff))));
    let modern = route(&hello(0x0303, &[0xc02b], &[]), false);
    assert_eq!(modern, Ok(Progress::Done(Route::Modern)));
}

#[test]
fn renegotiation_info_is_asked_for_by_suite_or_extension() {
    let asked = |bytes: &[u8]| match read(bytes) {
        Ok(Progress::Done(found)) => found.hello.renegotiation_info,
        other => panic!("{other:?}"),
    };
    assert!(!asked(&hello(0x0301, &[0x002f], &[])));
    assert!(asked(&hello(0x0301, &[0x002f, 0x00ff], &[])));
    assert!(asked(&hello(0x0301, &[0x002f], &[0xff, 1, 0, 1, 0])));
    // A first handshake that claims to be a second one.
    assert!(matches!(read(&hello(0x0301, &[0x002f], &[0xff, 1, 0, 2, 1, 9])), Err(HelloError::Malformed(_))));
}

#[test]
fn plain_http_and_noise_are_told_apart_by_the_first_byte() {
    for request in ["GET / HTTP/1.0", "P", "HEAD"] {
        assert_eq!(routed(request.as_bytes()), Route::PlainHttp);
    }
    for noise in [&b"\0"[..], b"\x15\x03\x01", b"ssh", b"\xff\xff\xff\xff", b"\x80\x2e\x02"] {
        assert_eq!(route(noise, true), Err(HelloError::NotTls), "{noise:?}");
    }
    assert_eq!(route(b"", true), Ok(Progress::More(1)));
}

#[test]
fn a_hello_that_cannot_be_one_is_refused_before_it_is_all_there() {
    assert_eq!(read(&[22, 3, 1, 0x40, 0]), Err(HelloError::TooLong));
    assert_eq!(read(&[22, 3, 1, 0, 4, 1, 0, 0x40, 0]), Err(HelloError::TooLong));
    assert_eq!(read(&[0xff, 0xff, 1]), Err(HelloError::TooLong));
    assert_eq!(read(&[22, 3, 1, 0, 4, 2, 0, 0, 1]), Err(HelloError::OutOfOrder));
    assert_eq!(read(&[22, 2, 0, 0, 4]), Err(HelloError::Version(0x0200)));
    assert!(matches!(read(&[22, 3, 1, 0, 0]), Err(HelloError::Malformed(_))));
    let mut more_than_a_hello = message(&body(0x0301, &[0x002f], &[]));
    more_than_a_hello.push(16);
    assert_eq!(read(&in_records(&more_than_a_hello, 16_384)), Err(HelloError::OutOfOrder));
    let mut compressed = body(0x0301, &[0x002f], &[]);
    *compressed.last_mut().unwrap() = 1;
    assert_eq!(read(&in_records(&message(&compressed), 16_384)), Err(HelloError::Compression));
    let long = body(0x0301, &vec![0x0009; 7000], &[]);
    assert!(matches!(read(&in_records(&message(&long), 5000)), Ok(Progress::Done(_))));
    let too_long = body(0x0301, &vec![0x0009; 9000], &[]);
    assert_eq!(read(&in_records(&message(&too_long), 5000)), Err(HelloError::TooLong));
}

#[test]
fn each_way_to_cut_the_message_short_is_noticed() {
    let body = body(0x0303, &[0x002f, 0xc02b], &[0, 0x2b, 0, 3, 2, 3, 3]);
    // Without its extensions it is whole, too.
    let whole = [body.len(), body.len() - 9];
    for end in 0..=body.len() {
        let read = read(&in_records(&message(&body[..end]), 16_384));
        assert_eq!(read.is_ok(), whole.contains(&end), "{end}: {read:?}");
    }
    assert!(read(&in_records(&message(&[&body[..], &[0]].concat()), 16_384)).is_err());
}

/// `type 1, u24 length, u16 version, u8[32] random, u8 0, u16 4, two suites, u8 1, u8 0, u16 7, one extension`: each field at its
/// offset in the message.
#[test]
fn the_first_field_that_does_not_fit_is_named_by_its_offset_in_the_message() {
    let body = body(0x0303, &[0x002f, 0xc02b], &[0, 0x2b, 0, 3, 2, 3, 3]);
    let offset = |body: &[u8], record: usize| match read(&in_records(&message(body), record)) {
        Err(HelloError::Malformed(Malformed { offset })) => offset,
        other => panic!("{other:?}"),
    };
    let with = |at: usize, byte: u8| {
        let mut body = body.clone();
        body[at - 4] = byte;
        body
    };
    for record in [16_384, 7] {
        assert_eq!(offset(&body[..10], record), 6, "the random value");
        assert_eq!(offset(&with(38, 33), record), 39, "a session id of 33 bytes");
        assert_eq!(offset(&with(40, 200), record), 41, "the suites");
        assert_eq!(offset(&with(40, 3), record), 43, "half a suite");
        assert_eq!(offset(&with(45, 99), record), 46, "the compression methods");
        assert_eq!(offset(&with(48, 8), record), 49, "extensions beyond the end");
        assert_eq!(offset(&with(48, 6), record), 55, "a byte behind the extensions");
        assert_eq!(offset(&with(52, 9), record), 53, "an extension beyond the others");
        assert_eq!(offset(&with(53, 4), record), 54, "versions beyond their extension");
        assert_eq!(offset(&with(53, 1), record), 54, "half a version");
    }
    // An empty record in the middle.
    let halves = message(&body);
    let records =
        [in_records(&halves[..20], 20), vec![22, 3, 1, 0, 0], in_records(&halves[20..], 99)].concat();
    assert_eq!(read(&records), Err(HelloError::Malformed(Malformed { offset: 20 })));
}

#[test]
fn in_a_hello_of_ssl_2_the_length_in_front_does_not_count() {
    let mut hello = bytes("8013 01 0300 0003 0000 0007 00000a 00000000000000");
    assert_eq!(read(&hello), Err(HelloError::Malformed(Malformed { offset: 12 })), "a challenge of 7 bytes");
    hello[8] = 8;
    assert_eq!(
        read(&hello),
        Err(HelloError::Malformed(Malformed { offset: 12 })),
        "a session id that is too long"
    );
    hello[6] = 200;
    assert_eq!(read(&hello), Err(HelloError::Malformed(Malformed { offset: 9 })), "suites that are too long");
}

proptest! {
    #[test]
    fn however_records_and_reads_cut_it_a_hello_is_the_same(
        suites in proptest::collection::vec(any::<u16>(), 0..200),
        record in 1..300_usize,
        read_size in 1..50_usize,
    ) {
        let message = message(&body(0x0301, &suites, &[]));
        let bytes = in_records(&message, record);
        let mut there = 0;
        let found = loop {
            match read(&bytes[..there])? {
                Progress::Done(found) => break found,
                Progress::More(wanted) => {
                    prop_assert!(wanted > there && wanted <= bytes.len());
                    there = (there + read_size).min(bytes.len());
                }
            }
        };
        prop_assert_eq!(found.consumed, bytes.len());
        prop_assert_eq!(found.transcript, message);
        prop_assert_eq!(found.hello.suites, suites);
    }

    #[test]
    fn any_bytes_are_read_without_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..600), kind in 0..3_u8) {
        match kind {
            0 => bytes.splice(..0, [22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 1]).for_each(drop),
            1 => bytes.splice(..0, [0x80, 100, 1, 3, 0]).for_each(drop),
            _ => {}
        }
        let _ = route(&bytes, true);
    }
}
