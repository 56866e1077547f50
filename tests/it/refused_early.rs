//! Forms and uploads that the server refuses before it has read them: who is still sending must be able to send on, and then
//! read the answer. The same over HTTP, over today's TLS and over the TLS of old Windows.

use crate::old_client::{Format, OldClient};
use crate::support::browser::{Answer, Browser};
use crate::support::{PATIENCE, Server};
use legacy_tls::record::Kind;
use legacy_tls::{Suite, Version};
use mcos::server::tls::Tls;
use rsa::RsaPublicKey;
use rsa::pkcs8::DecodePrivateKey as _;
use rustls::{ClientConnection, StreamOwned};
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=XX";
/// How often each case is tried.
const ROUNDS: usize = 5;

/// A connection to the server by one of the three ways.
enum Connection {
    Http(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
    OldTls(TcpStream, Box<OldClient>),
}

impl Connection {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Http(socket) => socket.write_all(bytes),
            Self::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
            Self::OldTls(socket, client) => {
                bytes.chunks(16_000).try_for_each(|piece| socket.write_all(&client.sealed(Kind::Data, piece)))
            }
        }
    }

    /// All that comes. Its end must be a proper one.
    fn answer(&mut self) -> Answer {
        let mut bytes = Vec::new();
        match self {
            Self::Http(socket) => _ = socket.read_to_end(&mut bytes).unwrap(),
            Self::Tls(stream) => _ = stream.read_to_end(&mut bytes).unwrap(),
            Self::OldTls(socket, client) => {
                let mut sealed = Vec::new();
                socket.read_to_end(&mut sealed).unwrap();
                let contents = client.take(&sealed);
                assert_eq!(contents.last().unwrap(), &(Kind::Alert, vec![1, 0]), "close_notify");
                bytes = contents
                    .into_iter()
                    .filter(|(kind, _)| *kind == Kind::Data)
                    .flat_map(|(_, data)| data)
                    .collect();
            }
        }
        Answer::read(&bytes)
    }
}

/// The running server and the ways to it.
struct Site {
    server: Server,
    browser: Browser,
    key: RsaPublicKey,
}

impl Site {
    /// A server whose Operator is logged in.
    fn new() -> Self {
        let server = Server::started();
        let mut browser = Browser::new(&server);
        let fields = "password=cold+start+57&again=cold+start+57";
        assert_eq!(browser.fill_in("/operator", "/operator/first", fields).status, 303);
        let tls = Tls::open(&server.data(), None, true).unwrap();
        let key = rsa::RsaPrivateKey::from_pkcs8_der(tls.authority().leaves().legacy.key.secret_pkcs8_der());
        Self { key: key.unwrap().to_public_key(), server, browser }
    }

    fn socket(&self, service: &str) -> TcpStream {
        let socket = TcpStream::connect(("127.0.0.1", self.server.port(service))).unwrap();
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket
    }

    fn http(&self) -> Connection {
        Connection::Http(self.socket("http"))
    }

    fn tls(&self) -> Connection {
        Connection::Tls(Box::new(self.browser.connect()))
    }

    fn old_tls(&self) -> Connection {
        let mut socket = self.socket("https");
        let mut client = OldClient::new(Version::Tls10, Suite::Aes128Sha);
        socket.write_all(&client.hello(Format::V3, &[])).unwrap();
        let mut chunk = [0; 1000];
        loop {
            let count = socket.read(&mut chunk).unwrap();
            if client.take_flight(&chunk[..count]).is_some() {
                break;
            }
        }
        socket.write_all(&client.second_flight(&self.key)).unwrap();
        Connection::OldTls(socket, Box::new(client))
    }

    /// The Operator's cookies, as a line of a head.
    fn cookies(&self) -> String {
        let pairs: Vec<_> =
            self.browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("Cookie: {}\r\n", pairs.join("; "))
    }
}

/// The head of a form with so many bytes, and `more` lines.
fn post(path: &str, content_type: &str, length: usize, more: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n{more}\r\n"
    )
}

/// Sends this in small pieces for a while, the first one with the head: the answer is decided long before the last. No
/// piece may fail.
fn sent_slowly(mut connection: Connection, head: &str, body: &[u8]) -> Answer {
    let mut pieces = body.chunks((body.len() / 40).max(1));
    connection.send(&[head.as_bytes(), pieces.next().unwrap()].concat()).unwrap();
    for piece in pieces {
        sleep(Duration::from_millis(5));
        connection.send(piece).unwrap();
    }
    connection.answer()
}

/// A form with a file of this size, whose token is wrong.
fn upload(size: usize) -> Vec<u8> {
    let head = "--XX\r\nContent-Disposition: form-data; name=\"form\"\r\n\r\nforged\r\n--XX\r\n\
                Content-Disposition: form-data; name=\"file\"; filename=\"a.mdb\"\r\n\r\n";
    [head.as_bytes(), &vec![7; size], b"\r\n--XX--\r\n"].concat()
}

type Open<'a> = &'a (dyn Fn() -> Connection + Sync);

/// Tries each case, all of them at the same time.
fn all_are_answered(cases: &[(&str, Open<'_>, String, Vec<u8>, u16)]) {
    thread::scope(|scope| {
        for (name, open, head, body, status) in cases {
            scope.spawn(move || {
                for _ in 0..ROUNDS {
                    let answer = sent_slowly(open(), head, body);
                    assert_eq!(answer.status, *status, "{name}: {}", answer.text());
                }
            });
        }
    });
}

#[test]
fn who_is_still_sending_a_form_that_is_refused_reads_why() {
    let site = Site::new();
    let (http, tls, old_tls) = (|| site.http(), || site.tls(), || site.old_tls());
    let https_port = || Connection::Http(site.socket("https"));
    let large = vec![b'x'; 100_000];
    let chunks = b"4\r\nname\r\n".repeat(12_000);
    let chunked = "POST /account HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    let length = large.len();
    let mut cases: Vec<(&str, Open<'_>, String, Vec<u8>, u16)> = Vec::new();
    for open in [&http as Open<'_>, &tls, &old_tls] {
        for (name, path, status) in [
            ("too large", "/account", 413),
            ("unknown path", "/nowhere", 404),
            ("not for forms", "/AuthLogin", 404),
            ("too large for Patch", "/games/EA_Seattle/MotorCity/NPS", 413),
        ] {
            cases.push((name, open, post(path, FORM, length, ""), large.clone(), status));
        }
        cases.push(("chunked and too large", open, chunked.clone(), chunks.clone(), 413));
        let head_of_many = "GET / HTTP/1.1\r\n".to_owned();
        cases.push(("head too large", open, head_of_many, b"X: y\r\n".repeat(10_000), 431));
        cases.push(("no HTTP", open, "\u{1}\r\n\r\n".to_owned(), large.clone(), 400));
        let gigabyte = post("/account", FORM, 1 << 30, "");
        cases.push(("a gigabyte announced", open, gigabyte, large.clone(), 413));
    }
    for open in [&http as Open<'_>, &old_tls] {
        cases.push(("not safe enough", open, post("/operator/login", FORM, length, ""), large.clone(), 403));
    }
    cases.push((
        "HTTP on the HTTPS port",
        &https_port,
        post("/account", FORM, length, ""),
        large.clone(),
        400,
    ));
    all_are_answered(&cases);
}

#[test]
fn who_is_still_sending_a_form_that_the_operators_pages_refuse_reads_why() {
    let site = Site::new();
    let tls = || site.tls();
    let large = vec![b'x'; 100_000];
    let length = large.len();
    let file = upload(3_000_000);
    let cookies = site.cookies();
    let mut cases: Vec<(&str, Open<'_>, String, Vec<u8>, u16)> = Vec::new();
    for (name, path, content_type, body, more, status) in [
        ("no session", "/operator/backup/restore", FORM, &large, "", 413),
        ("no session for a bundle", "/operator/update/send", MULTIPART, &file, "", 303),
        ("too large", "/operator/message", FORM, &large, &cookies, 413),
        (
            "no token",
            "/operator/message",
            FORM,
            &b"text=forged+and+slow+enough+to+be+late".to_vec(),
            &cookies,
            403,
        ),
        ("wrong token for a bundle", "/operator/update/send", MULTIPART, &file, &cookies, 403),
        ("wrong content type for a bundle", "/operator/update/send", FORM, &large, &cookies, 303),
    ] {
        cases.push((name, &tls, post(path, content_type, body.len(), more), body.clone(), status));
    }
    cases.push((
        "2 GiB announced",
        &tls,
        post("/operator/update/send", MULTIPART, 2 << 30, &cookies),
        large,
        413,
    ));
    assert!(length > 0);
    all_are_answered(&cases);
    // One file at a time is taken in, so these come one after the other.
    for _ in 0..ROUNDS {
        let head = post("/operator/catalog/import", MULTIPART, file.len(), &cookies);
        assert_eq!(sent_slowly(site.tls(), &head, &file).status, 403, "wrong token for a database");
    }
}

#[test]
fn who_sends_without_end_is_cut_off_at_last() {
    let site = Site::new();
    let mut connection = site.http();
    let began = Instant::now();
    connection.send(post("/account", FORM, 1 << 30, "").as_bytes()).unwrap();
    let mut sent = 0;
    while connection.send(&[b'x'; 16 * 1024]).is_ok() {
        sent += 16 * 1024;
        assert!(sent < 200 << 20, "the server reads on for ever");
    }
    assert!(sent >= 8 << 20, "after {sent} bytes already");
    assert!(began.elapsed() < PATIENCE);
}
