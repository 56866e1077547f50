//! The server's RSA key, which decrypts the premaster secret of a ClientKeyExchange.
//!
//! RUSTSEC-2023-0071 (timing of RSA decryption) is open for all releases of `rsa`. What is done about it here: blinding,
//! padding checked in constant time, and a random secret in place of one that cannot be decrypted, so that the handshake fails
//! later and always in the same way (RFC 5246, 7.4.7.1).

use super::keys::SECRET;
use rand::rngs::OsRng;
use rsa::hazmat::rsa_decrypt_and_check;
use rsa::pkcs8::DecodePrivateKey;
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, RsaPrivateKey};
use std::fmt;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::{Zeroize as _, Zeroizing};

/// The smallest modulus that is accepted, in bytes: 1024 bits, the least that every Windows accepts (*documented*).
const SMALLEST: usize = 128;

/// The bytes are not a private RSA key of at least 1024 bits in PKCS#8 form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnusableKey;

impl fmt::Display for UnusableKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is not a private RSA key of at least 1024 bits in PKCS#8 form")
    }
}

impl std::error::Error for UnusableKey {}

/// A private RSA key of at least 1024 bits.
pub struct ServerKey(RsaPrivateKey);

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerKey")
    }
}

impl ServerKey {
    /// Reads a key in PKCS#8 DER form.
    ///
    /// # Errors
    /// [`UnusableKey`] if the bytes are something else, or the key is inconsistent or smaller than 1024 bits.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, UnusableKey> {
        let key = RsaPrivateKey::from_pkcs8_der(der).map_err(|_| UnusableKey)?;
        key.validate().map_err(|_| UnusableKey)?;
        if key.size() < SMALLEST { Err(UnusableKey) } else { Ok(Self(key)) }
    }

    /// Decrypts the premaster secret in the body of a ClientKeyExchange. It begins with the version that the client offered;
    /// some clients put the negotiated one there (*documented*), so either of `versions` is accepted. If anything is wrong,
    /// `substitute` is returned instead, and the caller cannot tell.
    pub(crate) fn open(
        &self,
        body: &[u8],
        versions: [u16; 2],
        substitute: &[u8; SECRET],
    ) -> Zeroizing<[u8; SECRET]> {
        // The length of the block, and whether it is larger than the modulus, is no secret; that may show in the time.
        let block = self.block(body).unwrap_or_default();
        let opened = rsa_decrypt_and_check(&self.0, Some(&mut OsRng), &BigUint::from_bytes_be(block));
        let valid = Choice::from(u8::from(opened.is_ok()));
        let mut number = opened.unwrap_or_default();
        let bytes = Zeroizing::new(number.to_bytes_be());
        number.zeroize();
        let mut padded = Zeroizing::new(vec![0; self.0.size().saturating_sub(bytes.len())]);
        padded.extend_from_slice(&bytes);
        choose(&padded, valid, versions, substitute)
    }

    /// The encrypted block: after a `u16` length in TLS 1.0, without one in SSL 3.0. Some old stacks confuse the two, so
    /// the length of the body decides.
    fn block<'a>(&self, body: &'a [u8]) -> Option<&'a [u8]> {
        let size = self.0.size();
        match body {
            bare if bare.len() == size => Some(bare),
            [high, low, block @ ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                (block.len() == size && length == size).then_some(block)
            }
            _ => None,
        }
    }
}

/// The secret in `0, 2, non-zero bytes, 0, secret` (PKCS#1 v1.5), or `substitute` if that is malformed; in constant time.
fn choose(
    padded: &[u8],
    mut good: Choice,
    versions: [u16; 2],
    substitute: &[u8; SECRET],
) -> Zeroizing<[u8; SECRET]> {
    let (padding, secret) = padded.split_at(padded.len().saturating_sub(SECRET));
    let end = padding.len().saturating_sub(1);
    for (at, byte) in padding.iter().enumerate() {
        good &= match at {
            0 => byte.ct_eq(&0),
            1 => byte.ct_eq(&2),
            at if at == end => byte.ct_eq(&0),
            _ => !byte.ct_eq(&0),
        };
    }
    let mut chosen = Zeroizing::new(*substitute);
    let version = match *secret {
        [major, minor, ..] => u16::from_be_bytes([major, minor]),
        _ => 0,
    };
    let [first, second] = versions;
    good &= version.ct_eq(&first) | version.ct_eq(&second);
    good &= secret.len().ct_eq(&SECRET);
    for (slot, byte) in chosen.iter_mut().zip(secret) {
        slot.conditional_assign(byte, good);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsa::pkcs8::EncodePrivateKey;
    use rsa::{Pkcs1v15Encrypt, RsaPublicKey};
    use std::sync::LazyLock;

    const SUBSTITUTE: [u8; SECRET] = [0xee; SECRET];
    const VERSIONS: [u16; 2] = [0x0303, 0x0301];

    static KEY: LazyLock<RsaPrivateKey> = LazyLock::new(|| RsaPrivateKey::new(&mut OsRng, 1024).unwrap());

    fn server() -> ServerKey {
        ServerKey::from_pkcs8_der(KEY.to_pkcs8_der().unwrap().as_bytes()).unwrap()
    }

    fn secret(version: u16) -> [u8; SECRET] {
        let mut secret = [0x5a; SECRET];
        secret[..2].copy_from_slice(&version.to_be_bytes());
        secret
    }

    fn sealed(plain: &[u8]) -> Vec<u8> {
        RsaPublicKey::from(&*KEY).encrypt(&mut OsRng, Pkcs1v15Encrypt, plain).unwrap()
    }

    fn open(body: &[u8]) -> [u8; SECRET] {
        *server().open(body, VERSIONS, &SUBSTITUTE)
    }

    #[test]
    fn a_secret_opens_with_and_without_a_length_in_front() {
        for version in VERSIONS {
            let block = sealed(&secret(version));
            assert_eq!(open(&block), secret(version));
            assert_eq!(open(&[&[0, 128], &block[..]].concat()), secret(version));
        }
    }

    #[test]
    fn whatever_is_wrong_with_a_block_the_substitute_is_used() {
        let good = sealed(&secret(0x0301));
        let mut flipped = good.clone();
        flipped[60] ^= 1;
        let wrong = [
            vec![],
            vec![0; 1],
            vec![0; 128],
            vec![0xff; 128],
            vec![0xff; 5000],
            flipped,
            good[1..].to_vec(),
            [&[0, 127], &good[..]].concat(),
            sealed(&secret(0x0302)),
            sealed(&secret(0x0301)[..47]),
            sealed(&[&secret(0x0301)[..], &[0]].concat()),
            sealed(b""),
        ];
        for body in wrong {
            assert_eq!(open(&body), SUBSTITUTE);
        }
    }

    #[test]
    fn each_byte_of_the_padding_counts() {
        let mut padded = vec![0xaa; 128];
        (padded[0], padded[1], padded[79]) = (0, 2, 0);
        padded[80..].copy_from_slice(&secret(0x0301));
        let choose = |padded: &[u8]| *choose(padded, Choice::from(1), VERSIONS, &SUBSTITUTE);
        assert_eq!(choose(&padded), secret(0x0301));
        for at in 0..80 {
            let mut wrong = padded.clone();
            wrong[at] = u8::from(!(2..79).contains(&at));
            assert_eq!(choose(&wrong), SUBSTITUTE, "byte {at}");
        }
    }

    #[test]
    fn a_key_that_is_none_or_too_small_is_refused() {
        assert_eq!(ServerKey::from_pkcs8_der(b"key").err(), Some(UnusableKey));
        let small = RsaPrivateKey::new(&mut OsRng, 768).unwrap().to_pkcs8_der().unwrap();
        assert_eq!(ServerKey::from_pkcs8_der(small.as_bytes()).err(), Some(UnusableKey));
    }
}
