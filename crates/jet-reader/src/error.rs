//! Why a file was not read.

use std::fmt;
use std::io;

/// Why a Jet file, or a table of it, was not read. Each says what to do, in one line.
#[derive(Debug)]
pub enum JetError {
    /// The file does not begin as Jet files do.
    NotJet,
    /// A Jet file of a kind this reader does not know; the version byte of its header.
    Version(u8),
    /// Larger than any catalogue, in bytes.
    TooLarge(u64),
    /// More of something than a sound file has.
    TooMany(&'static str),
    /// Something does not fit together, on this page.
    Damaged {
        /// What was being read.
        what: &'static str,
        /// The page, counted from 0.
        page: u32,
    },
    /// The file can't be read at all.
    Io(io::Error),
}

impl fmt::Display for JetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJet => f.write_str("this is no Jet (Access) database; choose a file that ends in .mdb"),
            Self::Version(version) => write!(
                f,
                "this database is of a newer kind (version {version}); save it as Access 97, 2000 or 2003 (.mdb)"
            ),
            Self::TooLarge(bytes) => write!(
                f,
                "this file is too large for a catalogue ({} MiB, at most {} are read); choose the game's own",
                bytes >> 20,
                super::MAX_FILE >> 20
            ),
            Self::TooMany(what) => {
                write!(f, "this database has more {what} than a sound one; copy it from the disc again")
            }
            Self::Damaged { what, page } => {
                write!(f, "this database is damaged ({what}, page {page}); copy it from the disc again")
            }
            Self::Io(error) => write!(f, "the file cannot be read: {error}"),
        }
    }
}

impl std::error::Error for JetError {}

impl From<io::Error> for JetError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
