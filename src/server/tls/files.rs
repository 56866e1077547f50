//! The authority's files: PEM text, for the owner only, replaced as a whole.

use super::error::AuthorityError;
use crate::atomic_file::{self, Access};
use crate::clock::Now;
use rsa::pkcs8::LineEnding;
use rsa::pkcs8::der::pem::encode_string;
use rustls::pki_types::pem::{self, SectionKind};
use std::ffi::OsString;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

/// The most bytes that are read of a file; ours have a few thousand.
const LARGEST_FILE: u64 = 256 * 1024;

/// A block of PEM text, taken apart.
type Section = (SectionKind, Vec<u8>);

/// A block of PEM text.
pub(super) fn block(label: &str, der: &[u8], line_ends: LineEnding) -> String {
    // Fails only for labels that are not plain text, and ours are.
    encode_string(label, line_ends, der).unwrap_or_default()
}

/// The blocks of a file; `None` if there is no such file. A file that is not PEM text all the way has no blocks.
pub(super) fn read(path: &Path) -> Result<Option<Vec<Section>>, AuthorityError> {
    match atomic_file::read(path, LARGEST_FILE) {
        Ok(bytes) => Ok(Some(sections(&bytes))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(AuthorityError::File(path.to_owned(), error)),
    }
}

/// The blocks of PEM text. What is not PEM text all the way has none.
pub(super) fn sections(bytes: &[u8]) -> Vec<Section> {
    let mut rest = bytes;
    let mut sections = Vec::new();
    loop {
        match pem::from_buf(&mut rest) {
            Ok(Some(section)) => sections.push(section),
            Ok(None) => return sections,
            Err(_) => return Vec::new(),
        }
    }
}

/// Replaces a file so that a power cut leaves the old one or the new one.
pub(super) fn write(path: &Path, text: &str) -> Result<(), AuthorityError> {
    atomic_file::replace(path, Access::Owner, |new| new.write_all(text.as_bytes()))
        .map_err(|error| AuthorityError::File(path.to_owned(), error))
}

/// Renames a damaged file, for somebody to look at.
pub(super) fn set_aside(path: &Path) -> Result<(), AuthorityError> {
    let now = Now::read().unix;
    let mut aside = OsString::from(path);
    aside.push(format!(".damaged-{now}"));
    atomic_file::rename(path, Path::new(&aside)).map_err(|error| AuthorityError::File(path.to_owned(), error))
}
