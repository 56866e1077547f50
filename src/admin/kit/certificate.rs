//! The certificate of this server's own authority, in the forms in which a PC takes it.

use crate::atomic_file;
use rsa::pkcs8::der::pem;
use sha1::{Digest as _, Sha1};
use std::fmt::{self, Write as _};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Where the authority keeps its key and its certificate, in the data folder.
const FILE: &str = "tls/authority.pem";

/// A key and a certificate of RSA-2048 have about 3 KiB.
const MAX_FILE_BYTES: u64 = 64 * 1024;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The certificate that a player's PC is to trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    thumbprint: String,
}

/// Why a certificate that exists cannot be used.
#[derive(Debug)]
pub enum CertificateError {
    /// The file cannot be read.
    File(PathBuf, io::Error),
    /// There is no certificate in it.
    Damaged(PathBuf),
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, e) => {
                write!(f, "the certificate in {} cannot be read: {e}", path.display())
            }
            Self::Damaged(path) => {
                let path = path.display();
                write!(f, "there is no certificate in {path}: restart the server, which makes a new one")
            }
        }
    }
}

impl std::error::Error for CertificateError {}

impl Certificate {
    /// A certificate from its DER form, unexamined.
    pub fn from_der(der: &[u8]) -> Self {
        let thumbprint = Sha1::digest(der).iter().fold(String::with_capacity(40), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02X}");
            text
        });
        Self { der: der.to_vec(), thumbprint }
    }

    /// The certificate in a data folder; `None` if no authority was made there yet.
    pub fn in_folder(data: &Path) -> Result<Option<Self>, CertificateError> {
        let path = data.join(FILE);
        // The private key stands in the same file.
        let bytes = match atomic_file::read(&path, MAX_FILE_BYTES) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(CertificateError::File(path, e)),
            Ok(bytes) => Zeroizing::new(bytes),
        };
        let found = str::from_utf8(&bytes).ok().and_then(Self::in_pem);
        found.map(Some).ok_or(CertificateError::Damaged(path))
    }

    /// The first certificate of a PEM text that may hold other things.
    fn in_pem(text: &str) -> Option<Self> {
        let from = text.find(BEGIN)?;
        let block = text.get(from..)?;
        let to = block.find(END)? + END.len();
        let (label, der) = pem::decode_vec(block.get(..to)?.as_bytes()).ok()?;
        (label == "CERTIFICATE").then(|| Self::from_der(&der))
    }

    /// The certificate itself.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-1 of the certificate in 40 capital hexadecimal digits: how Windows calls it.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// As PEM text with the line ends of Windows.
    pub fn pem(&self) -> String {
        pem::encode_string("CERTIFICATE", pem::LineEnding::CRLF, &self.der).unwrap_or_default()
    }

    /// A `.reg` file that puts it among the trusted roots of the whole machine, the one way that Windows XP offers
    /// without a dialog. The value is what Windows itself keeps there: a row of properties, each with its number, a 1 and
    /// its length in little-endian u32; 3 is the thumbprint, 32 the certificate (*documented* by Wine, which reads the same).
    pub fn registry(&self) -> String {
        const THUMBPRINT: u32 = 3;
        const CERTIFICATE: u32 = 32;
        let hash = Sha1::digest(&self.der);
        let mut blob = Vec::new();
        for (number, data) in [(THUMBPRINT, hash.as_slice()), (CERTIFICATE, &self.der)] {
            blob.extend(number.to_le_bytes());
            blob.extend(1_u32.to_le_bytes());
            blob.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes());
            blob.extend(data);
        }
        let lines: Vec<String> = blob
            .chunks(24)
            .map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(","))
            .collect();
        format!(
            "REGEDIT4\r\n\r\n\
             [HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\SystemCertificates\\ROOT\\Certificates\\{}]\r\n\
             \"Blob\"=hex:{}\r\n",
            self.thumbprint,
            lines.join(",\\\r\n  ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn sample() -> Certificate {
        Certificate::from_der(&(0..=255).collect::<Vec<u8>>())
    }

    #[test]
    fn the_thumbprint_is_sha_1_in_capitals() {
        assert_eq!(Certificate::from_der(b"abc").thumbprint(), "A9993E364706816ABA3E25717850C26C9CD0D89D");
    }

    #[test]
    fn it_is_found_behind_a_private_key_and_comes_back_the_same() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Certificate::in_folder(folder.path()).unwrap(), None);
        fs::create_dir(folder.path().join("tls")).unwrap();
        let file = folder.path().join(FILE);
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        fs::write(&file, format!("{key}{}", sample().pem())).unwrap();
        assert_eq!(Certificate::in_folder(folder.path()).unwrap(), Some(sample()));
        for damaged in ["", key, "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----", BEGIN] {
            fs::write(&file, damaged).unwrap();
            let error = Certificate::in_folder(folder.path()).unwrap_err().to_string();
            assert!(error.contains("restart the server"), "{error}");
        }
    }

    #[test]
    fn the_registry_form_is_the_row_of_properties_that_windows_keeps() {
        let text = sample().registry();
        assert!(
            text.starts_with(
                "REGEDIT4\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\SystemCertificates\\"
            )
        );
        assert!(text.contains(&format!("\\ROOT\\Certificates\\{}]\r\n\"Blob\"=hex:", sample().thumbprint())));
        let (_, hex) = text.split_once("hex:").unwrap();
        let hex: String = hex.chars().filter(|c| !"\\\r\n ".contains(*c)).collect();
        let blob: Vec<u8> = hex.split(',').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
        assert_eq!(blob[..12], [3, 0, 0, 0, 1, 0, 0, 0, 20, 0, 0, 0]);
        assert_eq!(blob[32..44], [32, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0]);
        assert_eq!(&blob[44..], sample().der());
        // The oldest editors of the registry take lines of at most some hundred characters.
        assert!(text.lines().all(|line| line.len() < 130));
    }
}
