//! Errors of the reader.

use std::fmt;
use std::io;

/// Why a file, or a table of it, cannot be read. `Display` gives one line that says what to do.
#[derive(Debug)]
pub enum JetError {
    /// The file is not a Jet database: its first bytes are wrong, or it is shorter than a header.
    NotJet,
    /// The file is a database of another version, such as that of Access 2007; the version byte of its header.
    Version(u8),
    /// The file is larger than [`MAX_FILE`](crate::MAX_FILE): its size in bytes.
    TooLarge(u64),
    /// The file has more of this than is read; see the limits of this crate.
    TooMany(&'static str),
    /// The file is damaged.
    Damaged {
        /// The part that was read.
        what: &'static str,
        /// The page, counted from 0.
        page: u32,
    },
    /// The file is no whole number of pages: its size in bytes.
    CutOff(u64),
    /// Pages of a table are lost, or its definition is not that of its rows.
    RowsMissing {
        /// The table.
        table: String,
        /// How many rows were read.
        read: u32,
        /// How many there are by the table's definition.
        counted: u32,
    },
    /// Two pages of a table hold the same: one was written over another.
    PageTwice {
        /// The table.
        table: String,
        /// The second of the pages, counted from 0.
        page: u32,
    },
    /// The reader underneath failed.
    Io(io::Error),
}

impl fmt::Display for JetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJet => f.write_str("this is no Jet (Access) database; choose a file that ends in .mdb"),
            Self::Version(version) => write!(
                f,
                "this database has another version (number {version}); save it as Access 97, 2000 or 2003 (.mdb)"
            ),
            Self::TooLarge(bytes) => write!(
                f,
                "this file is too large ({} MiB, at most {} MiB are read); choose a smaller one",
                bytes >> 20,
                super::MAX_FILE >> 20
            ),
            Self::TooMany(what) => {
                write!(
                    f,
                    "this database has too many {what}; it may be damaged: copy it again from its original"
                )
            }
            Self::Damaged { what, page } => {
                write!(f, "this database is damaged ({what}, page {page}); copy it again from its original")
            }
            Self::CutOff(bytes) => write!(
                f,
                "this database is cut off ({bytes} bytes are no whole number of pages); close the game and copy the file again"
            ),
            Self::RowsMissing { table, read, counted } => write!(
                f,
                "{read} of {counted} rows of {table} can be read; close the game and copy the file again"
            ),
            Self::PageTwice { table, page } => write!(
                f,
                "a page of {table} is there twice, and what should be in its place is lost (page {page}); copy the file again from \
                 its original"
            ),
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
