//! What can go wrong with the certificate authority.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why there is no authority.
#[derive(Debug)]
pub enum AuthorityError {
    /// A file can't be read or written.
    File(PathBuf, io::Error),
    /// A key can't be made or used.
    Crypto(String),
}

impl fmt::Display for AuthorityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => {
                write!(
                    f,
                    "{}: {error}; HTTPS needs this file, check its owner, its mode and the free space",
                    path.display()
                )
            }
            Self::Crypto(why) => write!(f, "a certificate can't be made: {why}"),
        }
    }
}

impl std::error::Error for AuthorityError {}

impl From<rcgen::Error> for AuthorityError {
    fn from(error: rcgen::Error) -> Self {
        Self::Crypto(error.to_string())
    }
}
