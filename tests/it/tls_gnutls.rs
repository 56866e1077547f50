//! GnuTLS's client against the HTTPS port.

use crate::foreign::{run, said, skip_missing};
use crate::responder::{Responder, is_whole_answer};
use crate::support::skipped;
use mcos::server::tls::Security;
use std::process::Output;

const REQUEST: &[u8] = b"GET /AuthLogin?username=a&password=b HTTP/1.0\r\n\r\n";

fn fetch(responder: &Responder, name: &str, priority: &str) -> Option<Output> {
    let (ca, port) = (responder.ca_file(), responder.address.port().to_string());
    let (ca, name) = (format!("--x509cafile={}", ca.display()), format!("--verify-hostname={name}"));
    let log = format!("--logfile={}", responder.data.path().join("gnutls.log").display());
    let priority = format!("--priority={priority}");
    run("gnutls-cli", &[&ca, &name, &log, &priority, "--port", &port, "127.0.0.1"], REQUEST)
}

/// What a program lacks it says in its own words; here they are made one.
fn does_not_know(priority: &str) -> bool {
    run("gnutls-cli", &["--list", &format!("--priority={priority}")], b"").is_some_and(|output| {
        !output.status.success() || !output.stdout.windows(4).any(|word| word == b"TLS_")
    })
}

#[test]
fn gnutls_fetches_over_tls_1_2_and_1_3() {
    let responder = Responder::start();
    for priority in ["NORMAL", "NORMAL:-VERS-ALL:+VERS-TLS1.3", "NORMAL:-VERS-ALL:+VERS-TLS1.2"] {
        for name in ["localhost", "127.0.0.1"] {
            let Some(output) = fetch(&responder, name, priority) else { return skip_missing("GnuTLS") };
            assert!(is_whole_answer(&output.stdout, Security::Modern), "{priority}: {}", said(&output));
            assert_eq!(responder.outcome(), "modern");
        }
    }
}

#[test]
fn gnutls_fetches_over_the_old_protocols() {
    let responder = Responder::start();
    for version in ["VERS-TLS1.0", "VERS-SSL3.0"] {
        for suite in [
            "+AES-128-CBC:+SHA1",
            "+AES-256-CBC:+SHA1",
            "+3DES-CBC:+SHA1",
            "+ARCFOUR-128:+SHA1",
            "+ARCFOUR-128:+MD5",
        ] {
            let priority = format!("NONE:+{version}:{suite}:+RSA:+COMP-NULL:+SIGN-ALL");
            if does_not_know(&priority) {
                skipped(&format!("GnuTLS with {version} {suite}: not installed, or built without it"));
                continue;
            }
            for name in ["localhost", "127.0.0.1"] {
                let output = fetch(&responder, name, &priority).unwrap();
                assert!(is_whole_answer(&output.stdout, Security::Legacy), "{priority}: {}", said(&output));
                assert_eq!(responder.outcome(), "legacy");
            }
        }
    }
}

#[test]
fn gnutls_refuses_a_name_that_is_not_ours() {
    let responder = Responder::start();
    let old = "NONE:+VERS-TLS1.0:+AES-128-CBC:+SHA1:+RSA:+COMP-NULL:+SIGN-ALL";
    for priority in ["NORMAL", old] {
        let output = fetch(&responder, "www.example.org", priority);
        let Some(output) = output else { return skip_missing("GnuTLS") };
        assert!(output.stdout.is_empty() && !output.status.success(), "{}", said(&output));
    }
}
