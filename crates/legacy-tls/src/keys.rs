//! Key derivation and Finished messages of SSL 3.0 (RFC 6101, 6) and TLS 1.0 (RFC 2246, 5, 6.3 and 7.4.9).
//!
//! [`LegacyServer`](crate::legacy::LegacyServer) does all of this by itself. It is public for programs that need the other side of a
//! handshake: a test client, or a tool that decrypts a recording.

use super::{MacHash, Suite, Version};
use hmac::digest::crypto_common::Key;
use hmac::digest::{Digest, KeyInit, Output};
use hmac::{Hmac, Mac};
use md5::Md5;
use sha1::Sha1;
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Size in bytes of the premaster secret and of the master secret.
pub const SECRET: usize = 48;
/// Size in bytes of the random value in a hello.
pub const RANDOM: usize = 32;

/// The master secret of a connection, from which its keys and Finished messages are derived. Zeroed when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterSecret([u8; SECRET]);

impl fmt::Debug for MasterSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterSecret")
    }
}

/// The keys of one direction of a connection, made by [`MasterSecret::keys`]. Zeroed when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Keys {
    pub(crate) mac: Vec<u8>,
    pub(crate) cipher: Vec<u8>,
    /// The IV of the first record; empty for a stream cipher.
    pub(crate) iv: Vec<u8>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

/// An end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The end that opened the connection.
    Client,
    /// The end that accepted it.
    Server,
}

impl MasterSecret {
    /// Derives the master secret from the premaster secret and the random values of both hellos.
    pub fn derive(
        version: Version,
        premaster: &[u8; SECRET],
        client: &[u8; RANDOM],
        server: &[u8; RANDOM],
    ) -> Self {
        let mut master = Self([0; SECRET]);
        expand(version, premaster, b"master secret", [client, server], &mut master.0);
        master
    }

    /// Derives the keys of both directions: first those for the client's records, then those for the server's. `client` and
    /// `server` are the random values of their hellos.
    pub fn keys(
        &self,
        version: Version,
        suite: Suite,
        client: &[u8; RANDOM],
        server: &[u8; RANDOM],
    ) -> (Keys, Keys) {
        let (mac, key, iv) = (suite.mac().size(), suite.key_size(), suite.block_size().unwrap_or(0));
        let mut block = Zeroizing::new(vec![0; 2 * (mac + key + iv)]);
        expand(version, &self.0, b"key expansion", [server, client], &mut block);
        let mut rest = block.as_slice();
        let mut cut = |length| {
            let (part, tail) = rest.split_at_checked(length).unwrap_or_default();
            rest = tail;
            part.to_vec()
        };
        let (macs, keys, ivs) = ([cut(mac), cut(mac)], [cut(key), cut(key)], [cut(iv), cut(iv)]);
        let ([c_mac, s_mac], [c_key, s_key], [c_iv, s_iv]) = (macs, keys, ivs);
        (Keys { mac: c_mac, cipher: c_key, iv: c_iv }, Keys { mac: s_mac, cipher: s_key, iv: s_iv })
    }
}

fn expand(
    version: Version,
    secret: &[u8],
    label: &[u8],
    [first, second]: [&[u8; RANDOM]; 2],
    out: &mut [u8],
) {
    match version {
        Version::Tls10 => prf(secret, &[label, first, second], out),
        Version::Ssl30 => ssl3_expand(secret, &[first, second], out),
    }
}

/// The pseudo-random function of TLS 1.0 (RFC 2246, 5): MD5 and SHA-1, each over half of the secret, one over the other.
/// `seed` begins with the label.
fn prf(secret: &[u8], seed: &[&[u8]], out: &mut [u8]) {
    let half = secret.len().div_ceil(2);
    let first = secret.get(..half).unwrap_or_default();
    let second = secret.get(secret.len() - half..).unwrap_or_default();
    out.fill(0);
    p_hash::<Hmac<Md5>>(first, seed, out);
    p_hash::<Hmac<Sha1>>(second, seed, out);
}

/// XORs P_hash(secret, seed) onto `out`.
fn p_hash<M: Mac + KeyInit>(secret: &[u8], seed: &[&[u8]], out: &mut [u8]) {
    let mut a = hmac::<M>(secret, seed);
    for chunk in out.chunks_mut(M::output_size()) {
        let mut parts = vec![a.as_slice()];
        parts.extend_from_slice(seed);
        for (byte, mask) in chunk.iter_mut().zip(hmac::<M>(secret, &parts)) {
            *byte ^= mask;
        }
        a = hmac::<M>(secret, &[&a]);
    }
}

/// HMAC over `parts`. Keys here have at most 48 bytes; HMAC itself pads them with zeros to its block of 64.
pub(super) fn hmac<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Output<M> {
    let mut block = Key::<M>::default();
    for (slot, byte) in block.iter_mut().zip(key) {
        *slot = *byte;
    }
    let mut mac = <M as KeyInit>::new(&block);
    block.as_mut_slice().zeroize();
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes()
}

/// Key expansion of SSL 3.0 (RFC 6101, 6.1): MD5(secret, SHA1("A", secret, seed)), then with "BB", "CCC" and so on.
fn ssl3_expand(secret: &[u8], seed: &[&[u8]], out: &mut [u8]) {
    for ((chunk, letter), repeat) in out.chunks_mut(MacHash::Md5.size()).zip(b'A'..=b'Z').zip(1..) {
        let mut inner = Sha1::new_with_prefix(vec![letter; repeat]);
        inner.update(secret);
        for part in seed {
            inner.update(part);
        }
        let outer = Md5::new().chain_update(secret).chain_update(inner.finalize()).finalize();
        for (slot, byte) in chunk.iter_mut().zip(outer) {
            *slot = byte;
        }
    }
}

/// The running MD5 and SHA-1 hashes over all handshake messages of a connection.
#[derive(Clone, Default)]
pub struct Transcript {
    md5: Md5,
    sha1: Sha1,
}

impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transcript")
    }
}

impl Transcript {
    /// Adds a handshake message with its 4-byte header, without record headers.
    pub fn add(&mut self, message: &[u8]) {
        self.md5.update(message);
        self.sha1.update(message);
    }

    /// The body of `side`'s Finished message for the messages added so far: 12 bytes in TLS 1.0, 36 in SSL 3.0.
    pub fn finished(&self, version: Version, master: &MasterSecret, side: Side) -> Vec<u8> {
        let (md5, sha1) = (self.md5.clone(), self.sha1.clone());
        match version {
            Version::Tls10 => {
                let label: &[u8] = match side {
                    Side::Client => b"client finished",
                    Side::Server => b"server finished",
                };
                let mut out = vec![0; 12];
                prf(&master.0, &[label, &md5.finalize(), &sha1.finalize()], &mut out);
                out
            }
            Version::Ssl30 => {
                let sender = match side {
                    Side::Client => b"CLNT",
                    Side::Server => b"SRVR",
                };
                let mut out = ssl3_finished(md5, MacHash::Md5, &master.0, sender).to_vec();
                out.extend_from_slice(&ssl3_finished(sha1, MacHash::Sha1, &master.0, sender));
                out
            }
        }
    }
}

/// hash(master, pad2, hash(messages, sender, master, pad1)).
fn ssl3_finished<D: Digest>(messages: D, hash: MacHash, master: &[u8], sender: &[u8]) -> Output<D> {
    let (pad1, pad2) = ssl3_pads(hash);
    let inner = messages.chain_update(sender).chain_update(master).chain_update(pad1).finalize();
    D::new().chain_update(master).chain_update(pad2).chain_update(inner).finalize()
}

/// The pads of SSL 3.0's MAC: 48 bytes for MD5, 40 for SHA-1 (RFC 6101, 5.2.3.1).
pub(super) const fn ssl3_pads(hash: MacHash) -> (&'static [u8], &'static [u8]) {
    match hash {
        MacHash::Md5 => (&[0x36; 48], &[0x5c; 48]),
        MacHash::Sha1 => (&[0x36; 40], &[0x5c; 40]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        use std::fmt::Write as _;
        bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
    }

    fn counting<const N: usize>() -> [u8; N] {
        std::array::from_fn(|at| u8::try_from(at).unwrap())
    }

    const CLIENT: [u8; RANDOM] = [0xc1; RANDOM];
    const SERVER: [u8; RANDOM] = [0x5e; RANDOM];

    fn master(version: Version) -> MasterSecret {
        MasterSecret::derive(version, &counting(), &CLIENT, &SERVER)
    }

    /// The vector that was published for TLS 1.0 and that OpenSSL's `kdf TLS1-PRF` agrees with.
    #[test]
    fn the_prf_gives_what_the_published_vector_says() {
        let mut out = [0; 104];
        prf(&[0xab; 48], &[b"PRF Testvector", &[0xcd; 64]], &mut out);
        let expected = "d3d4d1e349b5d515044666d51de32bab258cb521b6b053463e354832fd976754443bcf9a296519bc289abcbc1187e4eb\
                        d31e602353776c408aafb74cbc85eff69255f9788faa184cbb957a9819d84a5d7eb006eb459d3ae8de9810454b8b2d8f\
                        1afbc655a8c9a013";
        assert_eq!(hex(&out), expected);
    }

    /// From tlslite-ng.
    #[test]
    fn the_halves_of_an_odd_secret_share_its_middle_byte() {
        let mut out = [0; 40];
        prf(&counting::<47>(), &[b"label", b"seed"], &mut out);
        let expected = "d3ac09c2c758a412f0701c8b70dc0c4012edf866180d9942d5d2553414e24e0668b14626b33f8eea";
        assert_eq!(hex(&out), expected);
    }

    /// From tlslite-ng.
    #[test]
    fn master_secrets_and_keys_are_those_of_another_implementation() {
        let ssl = "a05f3ed2ae92fe140eff17db73c69c4ab203f50069d5eb18ae1fd3debdaa772fe72c06a24a46df08ec429c0d7c73c632";
        let tls = "9e601336dfde87087d0d7306fa5205feefbc48e59379ad632b16d2aaacb23fc2395e57b2ed1aef1a32819c6e719908df";
        assert_eq!(hex(&master(Version::Ssl30).0), ssl);
        assert_eq!(hex(&master(Version::Tls10).0), tls);
        let (client, server) = master(Version::Ssl30).keys(Version::Ssl30, Suite::Rc4Sha, &CLIENT, &SERVER);
        let block = "79bdcc921301690956da5052895b463097a7db743f259ba97003876235410d70c13c69315b79bf4c";
        assert_eq!(hex(&client.mac) + &hex(&server.mac), block);
    }

    #[test]
    fn keys_are_cut_in_the_order_and_size_of_the_suite() {
        for suite in Suite::BY_PREFERENCE {
            let version = Version::Tls10;
            let (client, server) = master(version).keys(version, suite, &CLIENT, &SERVER);
            let mut block = vec![0; 2 * (client.mac.len() + client.cipher.len() + client.iv.len())];
            prf(&master(version).0, &[b"key expansion", &SERVER, &CLIENT], &mut block);
            let parts = [&client.mac, &server.mac, &client.cipher, &server.cipher, &client.iv, &server.iv];
            assert_eq!(parts.map(Vec::as_slice).concat(), block);
            let sizes = (client.mac.len(), client.cipher.len(), client.iv.len());
            assert_eq!(
                sizes,
                match suite.code() {
                    0x002f => (20, 16, 16),
                    0x0035 => (20, 32, 16),
                    0x000a => (20, 24, 8),
                    0x0005 => (20, 16, 0),
                    _ => (16, 16, 0),
                }
            );
        }
    }

    /// From tlslite-ng.
    #[test]
    fn finished_messages_are_those_of_another_implementation() {
        let mut transcript = Transcript::default();
        transcript.add(b"hello, ");
        transcript.add(b"handshake");
        for (version, side, expected) in [
            (
                Version::Ssl30,
                Side::Client,
                "f49302b22c0d3784f44dba4278a2c60b312a142111848d98e74c23a61e0744f7075e162f",
            ),
            (
                Version::Ssl30,
                Side::Server,
                "8c75cd3db294944139463b07763fb8a2db2f0ff3476588296034a04d9abbfc2d45f1b859",
            ),
            (Version::Tls10, Side::Client, "3b3b84af3885059bfae102c4"),
            (Version::Tls10, Side::Server, "1de84017108490f35391b75f"),
        ] {
            assert_eq!(hex(&transcript.finished(version, &master(version), side)), expected);
        }
    }

    #[test]
    fn secrets_do_not_show_themselves() {
        let (keys, _) = master(Version::Tls10).keys(Version::Tls10, Suite::Rc4Md5, &CLIENT, &SERVER);
        assert_eq!(format!("{:?} {keys:?}", master(Version::Tls10)), "MasterSecret Keys");
    }
}
