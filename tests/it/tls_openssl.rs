//! OpenSSL's client against the HTTPS port.

use crate::foreign::{run, said, skip_missing};
use crate::responder::{Responder, is_whole_answer};
use crate::support::{PATIENCE, skipped};
use mcos::server::tls::Security;

const REQUEST: &[u8] = b"GET /AuthLogin?username=a&password=b HTTP/1.0\r\n\r\n";

fn fetch(responder: &Responder, name: &[&str], options: &[&str]) -> Option<std::process::Output> {
    let (address, ca) = (responder.address.to_string(), responder.ca_file());
    let mut arguments = vec![
        "s_client",
        "-connect",
        &address,
        "-quiet",
        "-CAfile",
        ca.to_str().unwrap(),
        "-verify_return_error",
    ];
    arguments.extend_from_slice(name);
    arguments.extend_from_slice(options);
    run("openssl", &arguments, REQUEST)
}

/// Whether this build of OpenSSL still has the suite.
fn has_suite(suite: &str) -> bool {
    run("openssl", &["ciphers", "-s", "-tls1", &format!("{suite}:@SECLEVEL=0")], b"").is_some_and(|output| {
        output.status.success() && String::from_utf8_lossy(&output.stdout).contains(suite)
    })
}

#[test]
fn openssl_fetches_over_tls_1_2_and_1_3() {
    let responder = Responder::start();
    for options in [
        vec!["-tls1_3"],
        vec!["-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384"],
        // Its first hello is for a group that rustls has not got, so it has to say hello once more.
        vec!["-tls1_3", "-groups", "P-521:P-256"],
        vec!["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"],
        vec!["-tls1_2"],
        // What Windows 7 and 8.1 have in common with rustls.
        vec!["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384", "-curves", "P-256"],
        vec!["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256", "-curves", "P-384:P-256"],
        vec![],
    ] {
        for name in [vec!["-verify_hostname", "localhost"], vec!["-verify_ip", "127.0.0.1"]] {
            let Some(output) = fetch(&responder, &name, &options) else { return skip_missing("OpenSSL") };
            assert!(is_whole_answer(&output.stdout, Security::Modern), "{options:?}: {}", said(&output));
            assert_eq!(responder.outcome(), "modern");
        }
    }
}

#[test]
fn openssl_fetches_over_tls_1_0() {
    let responder = Responder::start();
    for suite in ["AES128-SHA", "AES256-SHA", "DES-CBC3-SHA", "RC4-SHA", "RC4-MD5"] {
        if !has_suite(suite) {
            skipped(&format!("OpenSSL with {suite}: not installed, or built without it"));
            continue;
        }
        let cipher = format!("{suite}:@SECLEVEL=0");
        for name in [vec!["-verify_hostname", "mcos.local"], vec!["-verify_ip", "127.0.0.1"]] {
            let output = fetch(&responder, &name, &["-tls1", "-cipher", &cipher]).unwrap();
            assert!(is_whole_answer(&output.stdout, Security::Legacy), "{suite}: {}", said(&output));
            assert_eq!(responder.outcome(), "legacy");
        }
    }
}

#[test]
fn a_client_with_tls_1_2_but_only_old_suites_is_served_with_tls_1_0() {
    let responder = Responder::start();
    let options = ["-cipher", "AES128-SHA:@SECLEVEL=0", "-no_tls1_3"];
    let Some(output) = fetch(&responder, &[], &options) else { return skip_missing("OpenSSL") };
    assert!(is_whole_answer(&output.stdout, Security::Legacy), "{}", said(&output));
}

#[test]
fn with_the_old_protocols_switched_off_only_the_new_are_served() {
    let responder = Responder::start_with(false, PATIENCE);
    let old = fetch(&responder, &[], &["-tls1", "-cipher", "ALL:@SECLEVEL=0"]);
    let Some(old) = old else { return skip_missing("OpenSSL") };
    assert!(old.stdout.is_empty(), "{}", said(&old));
    assert!(said(&old).contains("alert protocol version"), "{}", said(&old));
    assert_eq!(responder.outcome(), "Refused(LegacyOff)");
    let new = fetch(&responder, &[], &[]).unwrap();
    assert!(is_whole_answer(&new.stdout, Security::Modern), "{}", said(&new));
}
