//! The first bytes of a connection on the HTTPS port (`crates/legacy-tls/src/hello.rs`).
//!
//! Input: the bytes.
#![no_main]

use legacy_tls::hello::{HelloError, LONGEST, Progress, Route, read, route};
use libfuzzer_sys::fuzz_target;
use mcos_fuzz::plant;

fuzz_target!(init: plant(seeds()), |bytes: &[u8]| {
    let [with, without] = [true, false].map(|legacy_allowed| route(bytes, legacy_allowed));
    assert_eq!(with.is_err(), without.is_err());
    assert!(!matches!(without, Ok(Progress::Done(Route::Legacy(..)))));
    match read(bytes) {
        Ok(Progress::More(wanted)) => assert!(wanted > bytes.len() && wanted <= LONGEST),
        Ok(Progress::Done(found)) => {
            assert!(found.consumed <= bytes.len() && found.consumed <= LONGEST);
            assert!(found.transcript.len() < found.consumed);
            // What follows it changes nothing, and nothing is decided before it is there.
            let whole = &bytes[..found.consumed];
            assert_eq!(read(whole), Ok(Progress::Done(found.clone())));
            for end in [whole.len() - 1, whole.len() / 2, 1] {
                assert!(matches!(read(&whole[..end]), Ok(Progress::More(wanted)) if wanted > end && wanted <= whole.len()));
            }
        }
        // Everything after the first wrong byte is of no interest.
        Err(HelloError::Malformed(malformed)) => assert!(malformed.offset <= bytes.len()),
        Err(error) => assert_eq!(read(&[bytes, &[0]].concat()), Err(error)),
    }
});

/// Hellos of Windows XP, 7 and 11, one in two records, the hello of SSL 2.0, and plain HTTP.
fn seeds() -> Vec<Vec<u8>> {
    let message = |version: [u8; 2], suites: &[u16], extensions: &[u8]| {
        let suites: Vec<u8> = suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
        let mut body = [&version[..], &[7; 32], &[0, 0, suites.len() as u8], &suites, &[1, 0]].concat();
        if !extensions.is_empty() {
            body.extend([0, extensions.len() as u8]);
            body.extend(extensions);
        }
        [&[1, 0, 0, body.len() as u8][..], &body].concat()
    };
    let record = |part: &[u8]| [&[22, 3, 1, 0, part.len() as u8][..], part].concat();
    let xp = message([3, 1], &[4, 5, 10, 9, 0x64, 0x62, 3, 6, 0x13, 0x12, 0x63, 0xff], &[]);
    let seven =
        message([3, 3], &[0xc028, 0xc014, 0x9f, 0x3d, 0x35, 0xc02c, 0xc02b, 0x0a], &[0xff, 1, 0, 1, 0]);
    let eleven = message([3, 3], &[0x1302, 0x1301, 0xc02c, 0x2f], &[0, 0x2b, 0, 5, 4, 3, 4, 3, 3]);
    let ssl2 =
        [&[0x80, 0x25, 1, 3, 1, 0, 12, 0, 0, 0, 16, 0, 0, 4, 0, 0, 10, 1, 0, 0x80, 0, 0, 9][..], &[0x5a; 16]]
            .concat();
    vec![
        record(&xp),
        record(&seven),
        record(&eleven),
        [record(&xp[..20]), record(&xp[20..])].concat(),
        record(&message([3, 1], &[0x2f, 0x5600], &[])),
        ssl2,
        b"GET / HTTP/1.1\r\n".to_vec(),
    ]
}
