//! Update bundles as a browser sends them.

use super::*;
use crate::appliance::Appliance;
use crate::appliance::bundle::tests::Signer;
use crate::store::OperatorPassword;
use std::fs;
use std::net::Shutdown;
use std::path::PathBuf;

const PASSWORD: &str = "cold start 57";
const SEND: &str = "/operator/update/send";

/// A box, and a browser in which the Operator is logged in.
struct TestBox {
    folder: tempfile::TempDir,
    server: Arc<SslServer>,
    cookies: Vec<(String, String)>,
}

impl TestBox {
    fn new(appliance: Option<Appliance>) -> Self {
        let (game, folder) = Game::for_tests();
        let password = OperatorPassword::new(PASSWORD).unwrap();
        game.store.operator().set_first_password(&password).unwrap().ticket.wait().unwrap();
        let shared = crate::server::shared::Shared::in_a_box(game, appliance);
        let mut it = Self { folder, server: shared.ssl, cookies: Vec::new() };
        let token = it.token("/operator");
        let form = format!("form={token}&password={PASSWORD}");
        let head = it.send("/operator/login", "application/x-www-form-urlencoded", form.as_bytes()).0;
        assert!(head.starts_with("HTTP/1.1 303"), "{head}");
        it
    }

    /// Sends these bytes as if by TLS 1.2, says that no more will come, and gives back head and body of the answer.
    fn exchange(&mut self, request: &[u8]) -> (String, String) {
        let answer = smol::block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (stream, peer) = listener.accept().await.unwrap();
            let local = stream.local_addr().unwrap();
            let connection = Connection { peer, local, security: Security::Modern, ban: None };
            let served =
                Arc::clone(&self.server).serve_stream(stream.clone(), stream, connection, Share::for_tests());
            let (mut reading, mut writing) = (client.clone(), client);
            let asked = async move {
                writing.write_all(request).await.unwrap();
                writing.shutdown(Shutdown::Write).unwrap();
            };
            let heard = async move {
                let mut answer = Vec::new();
                reading.read_to_end(&mut answer).await.unwrap();
                String::from_utf8_lossy(&answer).into_owned()
            };
            future::zip(served, future::zip(asked, heard)).await.1.1
        });
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        for line in head.lines().filter_map(|line| line.strip_prefix("Set-Cookie: ")) {
            let (name, value) = line.split_once(';').unwrap().0.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        (head.to_owned(), body.to_owned())
    }

    fn head(&self, method: &str, path: &str, more: &str) -> String {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!(
            "{method} {path} HTTP/1.1\r\nHost: mcos.local\r\nCookie: {}\r\n{more}\r\n",
            cookies.join("; ")
        )
    }

    fn send(&mut self, path: &str, content_type: &str, body: &[u8]) -> (String, String) {
        let more = format!("Content-Type: {content_type}\r\nContent-Length: {}\r\n", body.len());
        let request = [self.head("POST", path, &more).as_bytes(), body].concat();
        self.exchange(&request)
    }

    fn look(&mut self, path: &str) -> String {
        let request = self.head("GET", path, "");
        self.exchange(request.as_bytes()).1
    }

    fn token(&mut self, path: &str) -> String {
        let page = self.look(path);
        let (_, rest) = page.split_once("name=\"form\" value=\"").expect(&page);
        rest.split_once('"').unwrap().0.to_owned()
    }

    /// Sends a bundle as the page does, and gives back the head of the answer.
    fn upload(&mut self, bundle: &[u8]) -> String {
        let token = self.token("/operator/update");
        self.send(SEND, "multipart/form-data; boundary=XX", &form(&token, bundle)).0
    }

    /// What there is of bundles in the data folder.
    fn kept(&self) -> Vec<String> {
        let files = fs::read_dir(self.folder.path()).unwrap().flatten();
        let names = files.map(|file| file.file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("update.")).collect()
    }
}

fn form(token: &str, bundle: &[u8]) -> Vec<u8> {
    let head = format!(
        "--XX\r\nContent-Disposition: form-data; name=\"form\"\r\n\r\n{token}\r\n--XX\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"u.update\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    [head.as_bytes(), bundle, b"\r\n--XX--\r\n"].concat()
}

fn signed_box() -> (TestBox, Signer) {
    let signer = Signer::new();
    let (board, outcome) = ("rpi".to_owned(), PathBuf::from("/nowhere"));
    (TestBox::new(Some(Appliance { board, key: signer.key.clone(), outcome })), signer)
}

#[test]
fn a_sound_bundle_waits_to_be_installed_byte_for_byte() {
    let (mut it, signer) = signed_box();
    let image: Vec<u8> = (0..3_000_320_u32).map(|n| (n % 251) as u8).collect();
    let bundle = signer.bundle(&image);
    assert!(it.kept().is_empty());
    let head = it.upload(&bundle);
    assert!(head.starts_with("HTTP/1.1 303") && head.contains("Location: /operator/update"), "{head}");
    let page = it.look("/operator/update");
    assert!(page.contains("mcos 0.2.0 has arrived and is complete"), "{page}");
    assert_eq!(it.kept(), ["update.staged"]);
    assert!(fs::read(it.folder.path().join("update.staged")).unwrap() == bundle);
    let again = signer.bundle(&[3; 1024]);
    it.upload(&again);
    assert!(
        fs::read(it.folder.path().join("update.staged")).unwrap() == again,
        "a later one takes its place"
    );
}

#[test]
fn a_bundle_that_is_not_for_this_box_is_refused_and_leaves_nothing_behind() {
    let (mut it, signer) = signed_box();
    let sound = signer.bundle(&vec![7; 1024 * 1024]);
    let mut flipped = sound.clone();
    flipped[600_000] ^= 1;
    let foreign = Signer::new().bundle(&[7; 1024]);
    for (bytes, part) in [
        (&flipped[..], "damaged"),
        (&sound[..sound.len() - 512], "damaged"),
        (&foreign, "another key"),
        (b"PK\x03\x04 something else", "no update bundle"),
        (b"", "no update bundle"),
    ] {
        assert!(it.upload(bytes).starts_with("HTTP/1.1 303"));
        let page = it.look("/operator/update");
        assert!(page.contains("Nothing was changed") && page.contains(part), "{part}: {page}");
        assert!(it.kept().is_empty(), "{part}");
    }
}

#[test]
fn nothing_is_kept_from_who_is_not_logged_in_or_does_not_come_from_the_page() {
    let (mut it, signer) = signed_box();
    let bundle = signer.bundle(&vec![7; 1024 * 1024]);
    let token = it.token("/operator/update");
    let multipart = "multipart/form-data; boundary=XX";
    for wrong in ["", &"0".repeat(32)] {
        let (head, page) = it.send(SEND, multipart, &form(wrong, &bundle));
        assert!(head.starts_with("HTTP/1.1 403") && page.contains("has expired"), "{head}");
    }
    it.send(SEND, "application/x-www-form-urlencoded", format!("form={token}").as_bytes());
    assert!(it.look("/operator/update").contains("not from a page of this server"));
    let cookies = std::mem::take(&mut it.cookies);
    let (head, _) = it.send(SEND, multipart, &form(&token, &bundle));
    assert!(head.contains("Location: /operator"), "{head}");
    it.cookies = cookies;
    assert!(it.kept().is_empty());
    let plain = TestServer { _folder: tempfile::tempdir().unwrap(), server: Arc::clone(&it.server) };
    let request = it.head("POST", SEND, "Content-Length: 0\r\n");
    assert!(plain.raw(request.as_bytes()).contains("TLS 1.2 or newer"));
}

#[test]
fn an_upload_that_breaks_off_or_is_too_long_leaves_nothing_behind() {
    let (mut it, signer) = signed_box();
    let token = it.token("/operator/update");
    let body = form(&token, &signer.bundle(&vec![7; 2 * 1024 * 1024]));
    let more = |length: u64| {
        format!("Content-Type: multipart/form-data; boundary=XX\r\nContent-Length: {length}\r\n")
    };
    let head = it.head("POST", SEND, &more(body.len() as u64));
    it.exchange(&[head.as_bytes(), &body[..1024 * 1024]].concat());
    assert!(it.kept().is_empty());
    let head = it.head("POST", SEND, &more(2 << 30));
    assert!(it.exchange(head.as_bytes()).0.starts_with("HTTP/1.1 413"));
    assert!(it.upload(&signer.bundle(&[7; 1024])).starts_with("HTTP/1.1 303"), "the next one is welcome");
    assert_eq!(it.kept(), ["update.staged"]);
}

#[test]
fn a_server_that_is_no_box_takes_no_bundle() {
    let mut it = TestBox::new(None);
    let token = it.token("/operator/message");
    it.send(SEND, "multipart/form-data; boundary=XX", &form(&token, b"MCOSUPD1"));
    assert!(it.look("/operator/update").contains("does not run on a box; see below"));
    assert!(it.kept().is_empty());
}

#[test]
fn an_operator_who_is_logged_in_is_served_beside_a_crowd_that_is_not() {
    let mut test = TestBox::new(None);
    let (server, here) = (Arc::clone(&test.server), "127.0.0.1".parse().unwrap());
    let mut crowd: Vec<_> = (0..1000).map(|_| Box::pin(server.slow.turn(Work::Password, here))).collect();
    let _taken: Vec<_> = crowd.iter_mut().map(|one| smol::block_on(future::poll_once(one))).collect();
    let ask = |test: &mut TestBox| test.exchange(test.head("GET", "/operator/health", "").as_bytes()).0;
    assert!(ask(&mut test).starts_with("HTTP/1.1 200 "));
    test.cookies.clear();
    assert!(ask(&mut test).starts_with("HTTP/1.1 503 "));
}
