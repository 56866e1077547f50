//! A reader for Microsoft Jet databases: version 3 (Access 97, which the game installs) and 4 (Access 2000 to 2003).
//!
//! Written from the public descriptions of the format that the mdbtools and Jackcess projects keep, and checked against
//! `mdb-export` on real files (`tests/it`). It reads tables and nothing else: no queries, forms, memos or pictures.
//!
//! A file is a row of pages of 2 KiB (Jet 3) or 4 KiB (Jet 4), each beginning with what it is: 1 data, 2 a table's
//! definition, 5 a map of pages; page 0 is the header. All numbers are little-endian.
//!
//! - *Header*: magic, version; then masked with a constant key, and in it the key with which all other pages are masked
//!   (with their number), if they are.
//! - *Definition*: columns with type, number, place and name, and a pointer to the map of the pages the table owns. Goes
//!   on over as many pages as it takes. That of `MSysObjects`, the list of everything in the file, begins on page 2.
//! - *Data page*: owner, number of rows, where each begins (with flags: deleted, moved to another page).
//! - *Row*: see `row.rs`.
//!
//! A file is foreign input: every place is checked, nothing is trusted to end, and what does not fit is a
//! [`JetError`]. Everything that is read is bounded by the constants below.

mod definition;
mod error;
mod layout;
mod pages;
mod row;
mod text;

pub use definition::{Column, Kind, Table};
pub use error::JetError;
pub use layout::Version;
pub use row::Value;

use layout::{byte, long};
use pages::{Pages, Row, RowPointer};
use row::Decoder;
use std::io::{Read, Seek};

/// The largest file that is read, in bytes. The game's has a few MiB.
pub const MAX_FILE: u64 = 256 << 20;
/// The most tables a file may have. The game's has about 60.
pub const MAX_TABLES: usize = 2048;
/// The most columns a table may have: the format's own limit.
pub const MAX_COLUMNS: usize = 255;
/// The most rows a table may have. The game's largest has 9,294.
pub const MAX_ROWS: usize = 1_000_000;
/// The most pages a definition may go on over.
const MAX_DEFINITION_PAGES: usize = 64;

/// The list of everything in the file.
const OBJECTS_PAGE: u32 = 2;

/// An open database.
#[derive(Debug)]
pub struct Database<R> {
    pages: Pages<R>,
    /// Names of tables, and the pages on which their definitions begin.
    tables: Vec<(String, u32)>,
}

impl<R: Read + Seek> Database<R> {
    /// Reads the header and the list of tables.
    pub fn open(reader: R) -> Result<Self, JetError> {
        let mut database = Self { pages: Pages::open(reader)?, tables: Vec::new() };
        database.tables = database.list()?;
        Ok(database)
    }

    /// Of which version of the format the file is.
    pub const fn version(&self) -> Version {
        self.pages.version()
    }

    /// The names of its tables, the format's own (`MSys…`) among them.
    pub fn table_names(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().map(|(name, _)| name.as_str())
    }

    /// The definition of a table.
    pub fn table(&mut self, name: &str) -> Result<Option<Table>, JetError> {
        let found = self.tables.iter().find(|(known, _)| known == name);
        let Some(page) = found.map(|(_, page)| *page) else { return Ok(None) };
        definition::read(&mut self.pages, page).map(Some)
    }

    /// Shows every row of a table, one value per column.
    pub fn rows(&mut self, table: &Table, mut each: impl FnMut(&[Value])) -> Result<(), JetError> {
        const WHAT: &str = "rows";
        const OWNER: usize = 4;
        let version = self.version();
        let mut decoder = Decoder::new(table, version);
        let (mut page, mut moved) = (Vec::new(), Vec::new());
        let mut seen = 0;
        for number in self.pages.in_map(table.owned)? {
            let damaged = || JetError::Damaged { what: WHAT, page: number };
            self.pages.read(number, WHAT, &mut page)?;
            // The map also holds the pages of memos, whose owner is the word LVAL, and pages given back.
            if byte(&page, 0) != Some(layout::DATA_PAGE) || long(&page, OWNER) != Some(table.page) {
                continue;
            }
            for row in 0..pages::row_count(version, &page).ok_or_else(damaged)? {
                seen += 1;
                if seen > MAX_ROWS {
                    return Err(JetError::TooMany("rows in one table"));
                }
                let bytes = match pages::row(version, &page, row).ok_or_else(damaged)? {
                    Row::Gone(_) => continue,
                    Row::Here(range) => page.get(range),
                    Row::Elsewhere(at) => Some(self.moved(at, &mut moved)?),
                };
                each(bytes.and_then(|bytes| decoder.decode(bytes)).ok_or_else(damaged)?);
            }
        }
        Ok(())
    }

    /// A row that has grown, on its other page. Where it moved again, what it left there leads on.
    fn moved<'p>(&mut self, mut at: RowPointer, page: &'p mut Vec<u8>) -> Result<&'p [u8], JetError> {
        const WHAT: &str = "a moved row";
        const MOST_MOVES: usize = 8;
        let version = self.version();
        for _ in 0..MOST_MOVES {
            self.pages.read(at.page, WHAT, page)?;
            match pages::row(version, page, at.row) {
                Some(Row::Here(range) | Row::Gone(range)) => return Ok(page.get(range).unwrap_or_default()),
                Some(Row::Elsewhere(next)) => at = next,
                None => break,
            }
        }
        Err(JetError::Damaged { what: WHAT, page: at.page })
    }

    /// The tables that `MSysObjects` lists.
    fn list(&mut self) -> Result<Vec<(String, u32)>, JetError> {
        const TABLE: i32 = 1;
        const PAGE: u32 = 0x00FF_FFFF;
        let objects = definition::read(&mut self.pages, OBJECTS_PAGE)?;
        let places = (objects.column("Id"), objects.column("Name"), objects.column("Type"));
        let (Some(id), Some(name), Some(kind)) = places else {
            return Err(JetError::Damaged { what: "the list of tables", page: OBJECTS_PAGE });
        };
        let mut tables = Vec::new();
        self.rows(&objects, |row| {
            let (Some(Value::Integer(id)), Some(Value::Text(name)), Some(Value::Integer(TABLE))) =
                (row.get(id), row.get(name), row.get(kind))
            else {
                return;
            };
            if tables.len() <= MAX_TABLES {
                tables.push((name.clone(), id.cast_unsigned() & PAGE));
            }
        })?;
        if tables.len() > MAX_TABLES {
            return Err(JetError::TooMany("tables"));
        }
        Ok(tables)
    }
}
