//! The certificates of the HTTPS port against the authority's certificate, as strict verifiers see them.

use crate::foreign::{run, said, skip_missing};
use crate::responder::{Responder, is_whole_answer};
use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
use futures_rustls::TlsConnector;
use mcos::server::tls::{Leaf, Security};
use rsa::pkcs8::LineEnding;
use rsa::pkcs8::der::pem::encode_string;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;

fn leaf_file(responder: &Responder, name: &str, leaf: &Leaf) -> String {
    let path = responder.data.path().join(name);
    std::fs::write(&path, encode_string("CERTIFICATE", LineEnding::LF, &leaf.chain[0]).unwrap()).unwrap();
    path.display().to_string()
}

#[test]
fn openssl_verifies_both_certificates_against_the_authority_at_any_time_and_under_each_name() {
    let responder = Responder::start();
    let (ca, leaves) = (responder.ca_file().display().to_string(), responder.tls.authority().leaves());
    let seconds_of = |year: u32| ((year - 1970) * 31_557_600).to_string();
    for (file, leaf) in [("modern.pem", &leaves.modern), ("legacy.pem", &leaves.legacy)] {
        let file = leaf_file(&responder, file, leaf);
        let verify = |options: &[&str]| {
            let arguments =
                [&["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", &ca], options, &[&file]]
                    .concat();
            run("openssl", &arguments, b"")
        };
        let Some(now) = verify(&[]) else { return skip_missing("OpenSSL") };
        assert!(now.status.success(), "{}", said(&now));
        for year in [2001, 2010, 2037] {
            let then = verify(&["-attime", &seconds_of(year)]).unwrap();
            assert!(then.status.success(), "{year}: {}", said(&then));
        }
        for host in leaves.names.hosts() {
            let named = verify(&["-verify_hostname", host]).unwrap();
            assert!(named.status.success(), "{host}: {}", said(&named));
        }
        for address in leaves.names.addresses() {
            let address = address.to_string();
            let named = verify(&["-verify_ip", &address]).unwrap();
            assert!(named.status.success(), "{address}: {}", said(&named));
        }
        assert!(!verify(&["-verify_hostname", "www.example.org"]).unwrap().status.success());
        assert!(!verify(&["-verify_ip", "192.0.2.77"]).unwrap().status.success());
    }
}

#[test]
fn certificates_say_what_the_oldest_and_the_strictest_readers_want() {
    let responder = Responder::start();
    let leaves = responder.tls.authority().leaves();
    let legacy = leaf_file(&responder, "legacy.pem", &leaves.legacy);
    let modern = leaf_file(&responder, "modern.pem", &leaves.modern);
    let ca = responder.ca_file().display().to_string();
    let text = |file: &str| {
        let output = run("openssl", &["x509", "-noout", "-text", "-in", file], b"")?;
        Some(String::from_utf8(output.stdout).unwrap())
    };
    let Some(ca) = text(&ca) else { return skip_missing("OpenSSL") };
    let (legacy, modern) = (text(&legacy).unwrap(), text(&modern).unwrap());
    for certificate in [&ca, &legacy, &modern] {
        for part in [
            "Version: 3",
            "sha256WithRSAEncryption",
            "Not Before: Jan  1 00:00:00 2000",
            "TLS Web Server Auth",
        ] {
            assert!(certificate.contains(part), "{part}: {certificate}");
        }
        for part in ["CRL Distribution", "Authority Information Access"] {
            assert!(!certificate.contains(part), "{certificate}");
        }
    }
    assert!(
        ca.contains("CA:TRUE, pathlen:0") && ca.contains("Certificate Sign") && ca.contains("(2048 bit)"),
        "{ca}"
    );
    assert!(
        legacy.contains("(2048 bit)") && legacy.contains("Digital Signature, Key Encipherment"),
        "{legacy}"
    );
    assert!(modern.contains("prime256v1") && modern.contains("CA:FALSE"), "{modern}");
    for part in
        ["DNS:localhost", "DNS:127.0.0.1", "IP Address:127.0.0.1", "DNS:mcos.local", "CN = mcos.local"]
    {
        assert!(legacy.contains(part) && modern.contains(part), "{part}: {legacy}");
    }
}

#[test]
fn rustls_as_a_client_trusts_the_authority_under_name_and_address() {
    let responder = Responder::start();
    let mut roots = RootCertStore::empty();
    let pem = responder.tls.authority().certificate_pem();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    for (name, trusted) in
        [("localhost", true), ("127.0.0.1", true), ("mcos.local", true), ("example.org", false)]
    {
        let fetched: std::io::Result<Vec<u8>> = smol::block_on(async {
            let socket = async_net::TcpStream::connect(responder.address).await?;
            let mut stream = connector.connect(ServerName::try_from(name).unwrap(), socket).await?;
            stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
            stream.flush().await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            Ok(answer)
        });
        assert_eq!(fetched.is_ok_and(|answer| is_whole_answer(&answer, Security::Modern)), trusted, "{name}");
    }
}
