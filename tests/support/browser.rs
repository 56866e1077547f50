//! A browser for the Operator's pages, over real TLS.

use super::{PATIENCE, Server};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How a form without a file is sent.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// A browser that trusts the server's authority and keeps cookies.
pub(crate) struct Browser {
    host: String,
    port: u16,
    patience: Duration,
    tls: Arc<ClientConfig>,
    pub(crate) cookies: Vec<(String, String)>,
    /// What else it says in the head of each request: whole lines.
    pub(crate) says: String,
}

/// What the server answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|end| end == b"\r\n\r\n").expect("an answer has a head");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, body: bytes[end + 4..].to_vec() }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl Browser {
    pub(crate) fn new(server: &Server) -> Self {
        Self::trusting(&server.data().join("tls/authority.pem"), server)
    }

    /// The same, trusting the authority in this file.
    pub(crate) fn trusting(authority: &Path, server: &Server) -> Self {
        Self::at("127.0.0.1", server.port("https"), &fs::read(authority).unwrap(), PATIENCE)
    }

    /// A browser for another server, that trusts this authority (PEM) and waits that long for an answer.
    pub(crate) fn at(host: &str, port: u16, authority: &[u8], patience: Duration) -> Self {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(authority) {
            roots.add(certificate.unwrap()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let tls = Arc::new(tls.with_root_certificates(roots).with_no_client_auth());
        Self { host: host.to_owned(), port, patience, tls, cookies: Vec::new(), says: String::new() }
    }

    /// A new connection to the server.
    pub(crate) fn connect(&self) -> StreamOwned<ClientConnection, TcpStream> {
        let name = ServerName::try_from(self.host.clone()).unwrap();
        let connection = ClientConnection::new(Arc::clone(&self.tls), name).unwrap();
        let socket = TcpStream::connect((self.host.as_str(), self.port)).unwrap();
        socket.set_read_timeout(Some(self.patience)).unwrap();
        StreamOwned::new(connection, socket)
    }

    /// Whether the server proves itself under this name, too.
    pub(crate) fn is_certified(&self, name: &str) -> bool {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let mut connection = ClientConnection::new(Arc::clone(&self.tls), name).unwrap();
        let mut socket = TcpStream::connect((self.host.as_str(), self.port)).unwrap();
        socket.set_read_timeout(Some(self.patience)).unwrap();
        connection.complete_io(&mut socket).is_ok()
    }

    pub(crate) fn send(&mut self, path: &str, form: Option<(&str, &[u8])>) -> Answer {
        let mut stream = self.connect();
        let method = if form.is_some() { "POST" } else { "GET" };
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}:{}\r\n", self.host, self.port);
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request.extend(["Cookie: ", &pairs.join("; "), "\r\n"]);
        }
        request.push_str(&self.says);
        let (content_type, body) = form.unwrap_or_default();
        if form.is_some() {
            let length = body.len().to_string();
            request.extend(["Content-Type: ", content_type, "\r\nContent-Length: ", &length, "\r\n"]);
        }
        stream.write_all(&[request.as_bytes(), b"\r\n", body].concat()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let answer = Answer::read(&bytes);
        let cookies: Vec<_> = answer.header("set-cookie").map(str::to_owned).collect();
        for cookie in cookies {
            let (name, value) = cookie.split_once(';').unwrap().0.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    pub(crate) fn look(&mut self, path: &str) -> String {
        let answer = self.send(path, None);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.text()
    }

    pub(crate) fn token(&mut self, page: &str) -> String {
        let page = self.look(page);
        let (_, rest) = page.split_once("name=\"form\" value=\"").expect("the page has a form");
        rest.split_once('"').unwrap().0.to_owned()
    }

    pub(crate) fn fill_in(&mut self, page: &str, path: &str, fields: &str) -> Answer {
        let token = self.token(page);
        self.send(path, Some((FORM, format!("form={token}&{fields}").as_bytes())))
    }

    pub(crate) fn upload(&mut self, file: &[u8]) -> Answer {
        let token = self.token("/operator/backup");
        self.send_file("/operator/backup/restore", &token, file)
    }

    /// Hands in a catalogue.
    pub(crate) fn import(&mut self, file: &[u8]) -> Answer {
        let token = self.token("/operator/catalog");
        self.send_file("/operator/catalog/import", &token, file)
    }

    /// Hands in a file on the form with this token.
    pub(crate) fn send_file(&mut self, path: &str, token: &str, file: &[u8]) -> Answer {
        let head = format!(
            "--XX\r\nContent-Disposition: form-data; name=\"form\"\r\n\r\n{token}\r\n--XX\r\n\
             Content-Disposition: form-data; name=\"sure\"\r\n\r\nyes\r\n--XX\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"C:\\MCity\\game.mdb\"\r\n\r\n"
        );
        let body = [head.as_bytes(), file, b"\r\n--XX--\r\n"].concat();
        self.send(path, Some(("multipart/form-data; boundary=XX", &body)))
    }
}
