//! The first bytes of a connection on the HTTPS port. `cargo +nightly fuzz run tls_hello`
#![no_main]

use libfuzzer_sys::fuzz_target;
use legacy_tls::hello::{LONGEST, Progress, read, route};

fuzz_target!(|bytes: &[u8]| {
    let routes = [true, false].map(|legacy_allowed| route(bytes, legacy_allowed));
    assert_eq!(routes[0].is_err(), routes[1].is_err());
    match read(bytes) {
        Ok(Progress::More(wanted)) => assert!(wanted > bytes.len() && wanted <= LONGEST),
        Ok(Progress::Done(found)) => {
            assert!(found.consumed <= bytes.len() && found.consumed <= LONGEST);
            // What follows it changes nothing, and nothing is decided before it is there.
            assert_eq!(read(&bytes[..found.consumed]), Ok(Progress::Done(found.clone())));
            assert!(
                matches!(read(&bytes[..found.consumed - 1]), Ok(Progress::More(wanted)) if wanted == found.consumed)
            );
        }
        Err(_) => {}
    }
});
