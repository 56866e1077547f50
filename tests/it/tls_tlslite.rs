//! tlslite-ng against the HTTPS port: the only stack around that still speaks SSL 3.0.

use crate::foreign::{python, run, said, skip_missing};
use crate::responder::{self, Responder, is_whole_answer};
use mcos::server::tls::Security;

const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/tlslite_client.py");

fn fetch_all(cases: &[(&str, &str, &str)], security: Security) {
    let responder = Responder::start();
    let port = responder.address.port().to_string();
    for (version, cipher, mac) in cases {
        let arguments = [CLIENT, "127.0.0.1", &port, version, cipher, mac];
        let Some(output) = run(python(), &arguments, b"") else { return skip_missing("tlslite-ng") };
        assert!(is_whole_answer(&output.stdout, security), "{version} {cipher} {mac}: {}", said(&output));
        assert_eq!(responder.outcome(), responder::name(security));
    }
}

#[test]
fn tlslite_fetches_over_ssl_3_0() {
    fetch_all(
        &[
            ("ssl3", "aes128", "sha"),
            ("ssl3", "aes256", "sha"),
            ("ssl3", "3des", "sha"),
            ("ssl3", "rc4", "sha"),
            ("ssl3", "rc4", "md5"),
        ],
        Security::Legacy,
    );
}

#[test]
fn tlslite_fetches_over_tls_1_0() {
    fetch_all(
        &[
            ("tls1", "aes128", "sha"),
            ("tls1", "aes256", "sha"),
            ("tls1", "3des", "sha"),
            ("tls1", "rc4", "sha"),
            ("tls1", "rc4", "md5"),
        ],
        Security::Legacy,
    );
}

#[test]
fn tlslite_fetches_over_tls_1_2_and_1_3() {
    fetch_all(
        &[
            ("tls1_2", "aes128gcm", "-"),
            ("tls1_2", "aes256gcm", "-"),
            ("tls1_3", "aes128gcm", "-"),
            ("tls1_3", "aes256gcm", "-"),
        ],
        Security::Modern,
    );
}
