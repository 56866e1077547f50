//! The Session Key, and the RSA key pair under which the Client delivers it.
//!
//! `rsa` is named in this file only, so that the move to its next generation is one file. RUSTSEC-2023-0071 (timing of
//! RSA decryption) is open for all its releases. What is done about it here: blinded decryption, and one failure that
//! looks the same whatever went wrong. A server should limit the failures of one address besides.

use md5::{Digest as _, Md5};
use rand::rngs::OsRng;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use rsa::traits::PublicKeyParts;
use rsa::{Oaep, RsaPrivateKey, RsaPublicKey};
use sha1::Sha1;
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Bytes of the login key's modulus: 1024 bits, because the Client's field is 256 hexadecimal digits wide (*captured*).
const MODULUS: usize = 128;

/// 32 random bytes that a Client makes at each login and sends in 0x0501; the keys of all its connections are cut from
/// them. Wiped from memory when dropped, never shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct SessionKey([u8; 32]);

impl SessionKey {
    /// The key with these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A fresh key from the system's random source, as a Client makes it.
    pub fn random() -> Self {
        Self(rand::Rng::r#gen(&mut OsRng))
    }

    /// The DES key of lobby and room connections (SKey): bytes 0-7.
    pub fn skey(&self) -> [u8; 8] {
        std::array::from_fn(|at| self.0.get(at).copied().unwrap_or_default())
    }

    /// The RC4 key of MCOTS connections: bytes 0-15.
    pub fn transaction_key(&self) -> [u8; 16] {
        std::array::from_fn(|at| self.0.get(at).copied().unwrap_or_default())
    }

    /// MD5 of the 32 bytes: the proof of possession that closes a lobby login (*captured*, all recorded logins).
    pub fn proof(&self) -> [u8; 16] {
        Md5::digest(self.0).into()
    }

    /// Whether `proof` is this key's, in constant time.
    pub fn proven_by(&self, proof: &[u8; 16]) -> bool {
        self.proof().ct_eq(proof).into()
    }

    /// The first 6 bytes as 12 ASCII digits: the echo in 0x0601 (*captured*; the Client does not need it).
    pub fn echo(&self) -> [u8; 12] {
        let mut echo = [0; 12];
        for (pair, byte) in echo.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&hex_digits(byte, b"0123456789abcdef"));
        }
        echo
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey")
    }
}

/// A key block cannot be decrypted. It says no reason, so that who probes the key learns nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotDecrypted;

impl fmt::Display for NotDecrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the Session Key cannot be decrypted: this Client's pub.key is not this server's")
    }
}

impl std::error::Error for NotDecrypted {}

/// Why an RSA key cannot be the login key.
#[derive(Debug)]
pub enum KeyError {
    /// Not a private RSA key in PKCS#8 or PKCS#1.
    Unreadable,
    /// An RSA key of another size, in bits.
    WrongSize(usize),
    /// A key that is not consistent in itself.
    Invalid,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str(
                "this is not an unencrypted private RSA key in PEM form (\"BEGIN PRIVATE KEY\" or \"BEGIN RSA PRIVATE KEY\")",
            ),
            Self::WrongSize(bits) => {
                write!(f, "the login key must have 1024 bits because the Client's packet has room for no other; this one has {bits}")
            }
            Self::Invalid => f.write_str("the numbers in this RSA key do not fit together; the file is damaged"),
        }
    }
}

impl std::error::Error for KeyError {}

/// The server's RSA-1024 key pair, whose public half lies in each Client's `pub.key`.
#[derive(Clone)]
pub struct LoginKey(RsaPrivateKey);

impl LoginKey {
    /// A new key pair from the system's random source.
    ///
    /// # Errors
    /// [`KeyError::Invalid`] if the key cannot be made.
    pub fn generate() -> Result<Self, KeyError> {
        RsaPrivateKey::new(&mut OsRng, MODULUS * 8).map(Self).map_err(|_| KeyError::Invalid)
    }

    /// Reads a key in PEM form, PKCS#8 or PKCS#1.
    ///
    /// # Errors
    /// If it is not a sound, unencrypted private RSA key of 1024 bits.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let key = RsaPrivateKey::from_pkcs8_pem(pem)
            .or_else(|_| RsaPrivateKey::from_pkcs1_pem(pem))
            .map_err(|_| KeyError::Unreadable)?;
        Self::checked(key)
    }

    /// Reads a key in PKCS#8 DER form.
    ///
    /// # Errors
    /// If it is not a sound private RSA key of 1024 bits.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        Self::checked(RsaPrivateKey::from_pkcs8_der(der).map_err(|_| KeyError::Unreadable)?)
    }

    fn checked(key: RsaPrivateKey) -> Result<Self, KeyError> {
        key.validate().map_err(|_| KeyError::Invalid)?;
        match key.size() {
            MODULUS => Ok(Self(key)),
            other => Err(KeyError::WrongSize(other * 8)),
        }
    }

    /// The key in PKCS#8 DER form, wiped from memory when dropped.
    ///
    /// # Errors
    /// [`KeyError::Invalid`] if it cannot be written.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.0
            .to_pkcs8_der()
            .map(|der| Zeroizing::new(der.as_bytes().to_vec()))
            .map_err(|_| KeyError::Invalid)
    }

    /// The content of `pub.key`: 324 lower-case hexadecimal digits of the public half's SubjectPublicKeyInfo (DER).
    ///
    /// # Errors
    /// [`KeyError::Invalid`] if it cannot be written.
    pub fn public_hex(&self) -> Result<String, KeyError> {
        let der = self.0.to_public_key().to_public_key_der().map_err(|_| KeyError::Invalid)?;
        Ok(hex(der.as_bytes(), b"0123456789abcdef"))
    }

    /// Decrypts the key block of 0x0501: 256 hexadecimal digits of RSA-OAEP (SHA-1, MGF1-SHA1, no label) over
    /// `u16 32, key[32], u32 expiry`, big-endian. The expiry was 0 (never) in all recorded logins and is not judged.
    ///
    /// # Errors
    /// One and the same for whatever is wrong.
    pub fn decrypt(&self, digits: &[u8]) -> Result<SessionKey, NotDecrypted> {
        // A block that is no hexadecimal text still costs a decryption, so that its answer takes as long as any other.
        let block = unhex(digits).unwrap_or([0; MODULUS]);
        let plain = self
            .0
            .decrypt_blinded(&mut OsRng, Oaep::new::<Sha1>(), &block)
            .map(Zeroizing::new)
            .map_err(|_| NotDecrypted)?;
        match plain.as_slice() {
            [0, 32, rest @ ..] if rest.len() == 36 => {
                let key = rest.first_chunk().copied().ok_or(NotDecrypted)?;
                Ok(SessionKey(key))
            }
            _ => Err(NotDecrypted),
        }
    }
}

impl fmt::Debug for LoginKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginKey")
    }
}

/// The public half of the login key, as the file `pub.key` of a Client holds it.
#[derive(Clone, Debug)]
pub struct PublicLoginKey(RsaPublicKey);

impl PublicLoginKey {
    /// Reads the text of a `pub.key` file: hexadecimal digits, blanks around them are ignored.
    ///
    /// # Errors
    /// If it is not a public RSA key of 1024 bits.
    pub fn from_hex(text: &str) -> Result<Self, KeyError> {
        let digits = text.trim().as_bytes();
        let der: Option<Vec<u8>> = digits.chunks(2).map(unhex_pair).collect();
        let der = der.ok_or(KeyError::Unreadable)?;
        let key = RsaPublicKey::from_public_key_der(&der).map_err(|_| KeyError::Unreadable)?;
        match key.size() {
            MODULUS => Ok(Self(key)),
            other => Err(KeyError::WrongSize(other * 8)),
        }
    }

    /// The key block of 0x0501 that carries `key`: 256 upper-case hexadecimal digits.
    ///
    /// # Errors
    /// [`KeyError::Invalid`] if the public key cannot encrypt.
    pub fn encrypt(&self, key: &SessionKey) -> Result<String, KeyError> {
        let mut plain = Zeroizing::new(vec![0, 32]);
        plain.extend_from_slice(&key.0);
        plain.extend_from_slice(&[0; 4]);
        let block = self.0.encrypt(&mut OsRng, Oaep::new::<Sha1>(), &plain).map_err(|_| KeyError::Invalid)?;
        Ok(hex(&block, b"0123456789ABCDEF"))
    }
}

fn hex_digits(byte: u8, digits: &[u8; 16]) -> [u8; 2] {
    [byte >> 4, byte & 0xf].map(|nibble| digits.get(usize::from(nibble)).copied().unwrap_or_default())
}

fn hex(bytes: &[u8], digits: &[u8; 16]) -> String {
    bytes.iter().flat_map(|byte| hex_digits(*byte, digits)).map(char::from).collect()
}

fn unhex_pair(pair: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}

fn unhex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let bytes: Vec<u8> = digits.chunks(2).map(unhex_pair).collect::<Option<_>>()?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> LoginKey {
        LoginKey::generate().unwrap()
    }

    #[test]
    fn a_session_key_encrypted_with_pub_key_is_decrypted_with_the_login_key() {
        let login_key = key();
        let public = PublicLoginKey::from_hex(&login_key.public_hex().unwrap()).unwrap();
        let session_key = SessionKey::random();
        let block = public.encrypt(&session_key).unwrap();
        assert_eq!(block.len(), 256);
        assert!(login_key.decrypt(block.as_bytes()) == Ok(session_key));
    }

    #[test]
    fn pub_key_is_324_digits_that_begin_as_the_client_expects() {
        let hex = key().public_hex().unwrap();
        assert_eq!(hex.len(), 324);
        assert!(hex.starts_with("30819f300d06092a864886f70d010101050003818d0030818902818100"));
        assert!(hex.ends_with("0203010001"));
    }

    #[test]
    fn whatever_is_wrong_with_a_key_block_it_fails_alike() {
        let (mine, other) = (key(), key());
        let foreign = PublicLoginKey::from_hex(&other.public_hex().unwrap()).unwrap();
        let foreign = foreign.encrypt(&SessionKey::random()).unwrap();
        for block in
            [foreign.as_bytes(), b"", b"zz", &[b'0'; 256], &[b'F'; 256], &[b'0'; 254], "é".as_bytes()]
        {
            assert_eq!(mine.decrypt(block).err(), Some(NotDecrypted));
        }
    }

    #[test]
    fn only_a_1024_bit_key_is_taken_over_and_the_error_says_so() {
        use rsa::pkcs8::LineEnding;
        let small = RsaPrivateKey::new(&mut OsRng, 768).unwrap().to_pkcs8_pem(LineEnding::LF).unwrap();
        assert!(matches!(LoginKey::from_pem(&small), Err(KeyError::WrongSize(768))));
        assert!(matches!(LoginKey::from_pem("hello"), Err(KeyError::Unreadable)));
        let der = key().to_pkcs8_der().unwrap();
        assert!(LoginKey::from_pkcs8_der(&der).is_ok());
    }

    #[test]
    fn the_proof_is_md5_of_the_key_as_recorded() {
        let key = SessionKey::new(
            *b"\xcd\xda\xfe\xfb\x26\x6f\x72\x71\x0b\xe7\x74\x6e\x9c\xdb\xd4\xbb\x52\xf7\xfa\x4c\x6b\x53\x4e\x95\x4a\xdd\x1f\x5a\x08\xc4\x11\xf6",
        );
        let proof = *b"\x39\x77\xfd\x19\x57\x7c\x66\x2f\x9d\xe8\xde\xd1\xd0\xb7\x94\x09";
        assert!(key.proven_by(&proof));
        assert!(!key.proven_by(&[0; 16]));
        assert_eq!(&key.echo(), b"cddafefb266f");
    }

    #[test]
    fn keys_do_not_show_themselves() {
        assert_eq!(format!("{:?} {:?}", SessionKey::random(), key()), "SessionKey LoginKey");
    }
}
