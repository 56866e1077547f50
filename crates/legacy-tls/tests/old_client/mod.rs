//! A small SSL 3.0 / TLS 1.0 client of the Client's time: no I/O, and willing to misbehave.

use legacy_tls::keys::{Keys, MasterSecret, Side, Transcript};
use legacy_tls::record::{HEADER, Header, Kind, Opener, Sealer, write_plain};
use legacy_tls::{Suite, Version};
use rsa::rand_core::OsRng;
use rsa::{Pkcs1v15Encrypt, RsaPublicKey};

/// How the hello is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    V3,
    V2,
}

const RANDOM: [u8; 32] = [
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xe4, 0x7e, 0xdb, 0xe4, 0x41, 0xc9, 0x0a, 0xf5, 0xc4,
    0x35, 0xd9, 0xac, 0xd4, 0x21, 0x3f, 0xcc,
];

pub(crate) struct OldClient {
    pub(crate) version: Version,
    pub(crate) suite: Suite,
    pub(crate) transcript: Transcript,
    /// What the ServerHello says behind the suite and the compression method.
    pub(crate) server_extensions: Vec<u8>,
    server_random: [u8; 32],
    master: Option<MasterSecret>,
    pub(crate) sealer: Option<Sealer>,
    server_keys: Option<Keys>,
    opener: Option<Opener>,
    inbound: Vec<u8>,
}

impl OldClient {
    pub(crate) fn new(version: Version, suite: Suite) -> Self {
        Self {
            version,
            suite,
            transcript: Transcript::default(),
            server_extensions: Vec::new(),
            server_random: [0; 32],
            master: None,
            sealer: None,
            server_keys: None,
            opener: None,
            inbound: Vec::new(),
        }
    }

    /// The hello. In format V2 it looks like that of Windows 98 to XP, with SSL 2.0's own suites in the list.
    pub(crate) fn hello(&mut self, format: Format, more_suites: &[u16]) -> Vec<u8> {
        let mut suites = vec![self.suite.code()];
        suites.extend_from_slice(more_suites);
        let version = self.version.code().to_be_bytes();
        match format {
            Format::V3 => {
                let mut body = version.to_vec();
                body.extend_from_slice(&RANDOM);
                body.push(0);
                body.extend_from_slice(&u16::try_from(suites.len() * 2).unwrap().to_be_bytes());
                body.extend(suites.iter().flat_map(|suite| suite.to_be_bytes()));
                body.extend_from_slice(&[1, 0]);
                self.plain(1, &body)
            }
            Format::V2 => {
                let mut specs = vec![1, 0, 0x80, 7, 0, 0xc0];
                for suite in &suites {
                    specs.push(0);
                    specs.extend_from_slice(&suite.to_be_bytes());
                }
                specs.extend_from_slice(&[3, 0, 0x80]);
                let mut message = vec![1, version[0], version[1]];
                message.extend_from_slice(&u16::try_from(specs.len()).unwrap().to_be_bytes());
                message.extend_from_slice(&[0, 0, 0, 16]);
                message.extend_from_slice(&specs);
                message.extend_from_slice(&RANDOM[16..]);
                self.transcript.add(&message);
                let length = u16::try_from(message.len()).unwrap() | 0x8000;
                [&length.to_be_bytes(), &message[..]].concat()
            }
        }
    }

    fn plain(&mut self, kind: u8, body: &[u8]) -> Vec<u8> {
        let message = message(kind, body);
        self.transcript.add(&message);
        let mut out = Vec::new();
        write_plain(Kind::Handshake, self.version, &message, &mut out);
        out
    }

    /// Reads ServerHello, Certificate and ServerHelloDone, each in a record of its own; returns the certificates. `None`
    /// if more bytes are needed.
    pub(crate) fn take_flight(&mut self, bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
        self.inbound.extend_from_slice(bytes);
        let mut rest = self.inbound.as_slice();
        let mut messages = Vec::new();
        while messages.len() < 3 {
            let header = Header::read(rest).unwrap()?;
            assert_eq!((header.kind, header.version), (Kind::Handshake, self.version.code()), "{rest:02x?}");
            let body = rest.get(HEADER..HEADER + header.length)?;
            messages.push(body.to_vec());
            rest = &rest[HEADER + header.length..];
        }
        assert!(rest.is_empty(), "{rest:02x?}");
        for message in &messages {
            self.transcript.add(message);
        }
        let [hello, certificate, done] = messages.try_into().unwrap();
        assert_eq!((hello[0], certificate[0], done.as_slice()), (2, 11, &[14, 0, 0, 0][..]));
        assert_eq!(hello[4..6], self.version.code().to_be_bytes());
        self.server_random.copy_from_slice(&hello[6..38]);
        assert_eq!(hello[38], 0, "nothing to resume");
        assert_eq!(hello[39..41], self.suite.code().to_be_bytes());
        assert_eq!(hello[41], 0);
        self.server_extensions = hello[42..].to_vec();
        self.inbound.clear();
        let mut certificates = Vec::new();
        let mut rest = &certificate[7..];
        while !rest.is_empty() {
            let (certificate, tail) = rest[3..].split_at(usize::from(rest[1]) * 256 + usize::from(rest[2]));
            certificates.push(certificate.to_vec());
            rest = tail;
        }
        Some(certificates)
    }

    /// The secret under the server's key, as the body of a ClientKeyExchange.
    pub(crate) fn key_exchange(&mut self, key: &RsaPublicKey) -> Vec<u8> {
        let mut secret = [0x5a; 48];
        secret[..2].copy_from_slice(&self.version.code().to_be_bytes());
        self.master = Some(MasterSecret::derive(self.version, &secret, &RANDOM, &self.server_random));
        let block = key.encrypt(&mut OsRng, Pkcs1v15Encrypt, &secret).unwrap();
        match self.version {
            Version::Ssl30 => block,
            Version::Tls10 => [&u16::try_from(block.len()).unwrap().to_be_bytes()[..], &block].concat(),
        }
    }

    /// ClientKeyExchange, ChangeCipherSpec.
    pub(crate) fn change_cipher(&mut self, key_exchange: &[u8]) -> Vec<u8> {
        let mut out = self.plain(16, key_exchange);
        write_plain(Kind::ChangeCipherSpec, self.version, &[1], &mut out);
        let master = self.master.as_ref().unwrap();
        let (ours, theirs) = master.keys(self.version, self.suite, &RANDOM, &self.server_random);
        self.sealer = Some(Sealer::new(self.version, self.suite, ours));
        self.server_keys = Some(theirs);
        out
    }

    /// Finished.
    pub(crate) fn finished(&mut self) -> Vec<u8> {
        let proof = self.transcript.finished(self.version, self.master.as_ref().unwrap(), Side::Client);
        let message = message(20, &proof);
        self.transcript.add(&message);
        self.sealed(Kind::Handshake, &message)
    }

    /// All that follows the server's flight.
    pub(crate) fn second_flight(&mut self, key: &RsaPublicKey) -> Vec<u8> {
        let key_exchange = self.key_exchange(key);
        let mut out = self.change_cipher(&key_exchange);
        out.extend(self.finished());
        out
    }

    pub(crate) fn sealed(&mut self, kind: Kind, content: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        self.sealer.as_mut().unwrap().seal(kind, content, &mut out);
        out
    }

    /// The records in `bytes`, opened; what is not complete is kept. ChangeCipherSpec and Finished are checked.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Vec<(Kind, Vec<u8>)> {
        self.inbound.extend_from_slice(bytes);
        let mut contents = Vec::new();
        while let Some(header) = Header::read(&self.inbound).unwrap() {
            if self.inbound.len() < HEADER + header.length {
                break;
            }
            assert_eq!(header.version, self.version.code());
            let rest = self.inbound.split_off(HEADER + header.length);
            let mut body = std::mem::replace(&mut self.inbound, rest).split_off(HEADER);
            let content = match &mut self.opener {
                Some(opener) => opener.open(header.kind, &mut body).unwrap().to_vec(),
                None => body,
            };
            match header.kind {
                Kind::ChangeCipherSpec => {
                    assert_eq!(content, [1]);
                    let keys = self.server_keys.take().unwrap();
                    self.opener = Some(Opener::new(self.version, self.suite, keys));
                }
                Kind::Handshake => {
                    let master = self.master.as_ref().unwrap();
                    let proof = self.transcript.finished(self.version, master, Side::Server);
                    assert_eq!(content, message(20, &proof));
                }
                kind => contents.push((kind, content)),
            }
        }
        contents
    }
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind][..], &length, body].concat()
}
