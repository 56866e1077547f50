//! Signing in as a player's Windows does, over each TLS stack at hand with each suite: all get the same bytes.

use crate::foreign::{python, run, said, skip_missing};
use crate::support::skipped;
use crate::support::{PASSWORD, Server};
use std::process::Output;

const TLSLITE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/tlslite_client.py");

/// The answer without what differs each time: the date, and the Context, which must look like one.
fn sameness(what: &str, output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{what}: {}", said(output)));
    let context = body.strip_prefix("Valid=TRUE\nTicket=").unwrap_or_else(|| panic!("{what}: {body}"));
    assert!(context.len() == 32 && context.bytes().all(|byte| byte.is_ascii_hexdigit()), "{what}");
    head.lines().filter(|line| !line.starts_with("Date:")).collect::<Vec<_>>().join("\n")
}

#[test]
fn each_tls_stack_signs_in_with_each_of_its_suites_and_gets_the_same_bytes() {
    let server = Server::started();
    let port = server.port("https").to_string();
    let path = format!("/AuthLogin?username=doc&password={PASSWORD}&serviceID=2176&version=3.3.0.6");
    let request = format!("GET {path} HTTP/1.0\r\n\r\n");
    let mut answers = Vec::new();

    let at = format!("127.0.0.1:{port}");
    for options in [
        &["-tls1_3"][..],
        &["-tls1_2"],
        &["-tls1", "-cipher", "AES128-SHA:@SECLEVEL=0"],
        &["-tls1", "-cipher", "AES256-SHA:@SECLEVEL=0"],
    ] {
        let arguments = [&["s_client", "-connect", &at, "-quiet"], options].concat();
        match run("openssl", &arguments, request.as_bytes()) {
            Some(output) => answers.push(sameness(&format!("OpenSSL {options:?}"), &output)),
            None => skip_missing("OpenSSL"),
        }
    }

    for suite in [
        "NORMAL:-VERS-ALL:+VERS-TLS1.3",
        "NORMAL:-VERS-ALL:+VERS-TLS1.2",
        "NONE:+VERS-TLS1.0:+AES-128-CBC:+SHA1:+RSA:+COMP-NULL:+SIGN-ALL",
        "NONE:+VERS-TLS1.0:+AES-256-CBC:+SHA1:+RSA:+COMP-NULL:+SIGN-ALL",
        "NONE:+VERS-TLS1.0:+3DES-CBC:+SHA1:+RSA:+COMP-NULL:+SIGN-ALL",
        "NONE:+VERS-TLS1.0:+ARCFOUR-128:+SHA1:+RSA:+COMP-NULL:+SIGN-ALL",
        "NONE:+VERS-TLS1.0:+ARCFOUR-128:+MD5:+RSA:+COMP-NULL:+SIGN-ALL",
    ] {
        let log = format!("--logfile={}", server.path().join("gnutls.log").display());
        let priority = format!("--priority={suite}");
        let arguments = ["--no-ca-verification", &log, &priority, "--port", &port, "127.0.0.1"];
        match run("gnutls-cli", &arguments, request.as_bytes()) {
            Some(output) => answers.push(sameness(&format!("GnuTLS {suite}"), &output)),
            None => skip_missing("GnuTLS"),
        }
    }

    for version in ["ssl3", "tls1"] {
        for (cipher, mac) in
            [("aes128", "sha"), ("aes256", "sha"), ("3des", "sha"), ("rc4", "sha"), ("rc4", "md5")]
        {
            let arguments = [TLSLITE, "127.0.0.1", &port, version, cipher, mac, &path];
            match run(python(), &arguments, b"") {
                Some(output) => answers.push(sameness(&format!("tlslite {version} {cipher} {mac}"), &output)),
                None => skip_missing("tlslite-ng"),
            }
        }
    }

    let Some(first) = answers.first() else { return skipped("signing in over TLS: no stack at all") };
    assert!(answers.iter().all(|answer| answer == first), "{answers:#?}");
}
