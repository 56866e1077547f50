#![doc = include_str!("../README.md")]

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
use pages::{Content, Pages, Row, RowPointer};
use row::Decoder;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{Read, Seek};

/// The largest file that is read, in bytes: 256 MiB.
pub const MAX_FILE: u64 = 256 << 20;
/// The most tables in a file.
pub const MAX_TABLES: usize = 2048;
/// The most columns in a table: the format's own limit.
pub const MAX_COLUMNS: usize = 255;
/// The most rows in a table, deleted ones included.
pub const MAX_ROWS: usize = 1_000_000;
/// The most pages of one table's definition.
const MAX_DEFINITION_PAGES: usize = 64;

/// The page on which the definition of `MSysObjects` begins, the list of all objects in the file.
const OBJECTS_PAGE: u32 = 2;

/// An open database. Nothing is kept in memory but the list of tables; rows are read when they are asked for.
#[derive(Debug)]
pub struct Database<R> {
    pages: Pages<R>,
    /// Names of tables, and the pages on which their definitions begin.
    tables: Vec<(String, u32)>,
    /// Names of tables that are in other files.
    links: Vec<String>,
}

impl<R: Read + Seek> Database<R> {
    /// Opens a database: reads its header and the list of its tables.
    ///
    /// # Errors
    /// [`JetError`] if it is not a Jet database of version 3 or 4, is too large or damaged, or if `reader` fails.
    pub fn open(reader: R) -> Result<Self, JetError> {
        let mut database = Self { pages: Pages::open(reader)?, tables: Vec::new(), links: Vec::new() };
        database.list()?;
        Ok(database)
    }

    /// The version of the format.
    pub const fn version(&self) -> Version {
        self.pages.version()
    }

    /// The names of all tables, including those of the format itself (`MSys…`).
    pub fn table_names(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().map(|(name, _)| name.as_str())
    }

    /// The names of all tables that this file only links to: their rows are in another file.
    pub fn link_names(&self) -> impl Iterator<Item = &str> {
        self.links.iter().map(String::as_str)
    }

    /// The number of a code page that is not read; what is not ASCII in the file's text may then be decoded wrongly.
    pub fn unknown_code_page(&self) -> Option<u16> {
        Some(self.pages.code_page()).filter(|_| !self.pages.text().is_known())
    }

    /// Reads the definition of the table with this name; `None` if there is none. Upper and lower case matter.
    ///
    /// # Errors
    /// [`JetError`] if the definition is damaged, or if the reader underneath fails.
    pub fn table(&mut self, name: &str) -> Result<Option<Table>, JetError> {
        let found = self.tables.iter().find(|(known, _)| known == name);
        let Some(page) = found.map(|(_, page)| *page) else { return Ok(None) };
        definition::read(&mut self.pages, name, page).map(Some)
    }

    /// Calls `each` for every row of a table with one value per column, in the order of [`Table::columns`]. The order of rows is that
    /// of the file.
    ///
    /// # Errors
    /// [`JetError`] if a page or row is damaged, if a page with rows is there twice, if there are more or fewer rows than
    /// [`Table::row_count`], or if the reader underneath fails; `each` was called for all rows before.
    pub fn rows(&mut self, table: &Table, mut each: impl FnMut(&[Value])) -> Result<(), JetError> {
        let mut read = 0;
        self.rows_there_are(table, |row| {
            read += 1;
            each(row);
        })?;
        if read == table.row_count {
            return Ok(());
        }
        Err(JetError::RowsMissing { table: table.name.clone(), read, counted: table.row_count })
    }

    /// The same, however many rows there are.
    fn rows_there_are(&mut self, table: &Table, mut each: impl FnMut(&[Value])) -> Result<(), JetError> {
        const WHAT: &str = "rows";
        const OWNER: usize = 4;
        let version = self.version();
        let mut decoder = Decoder::new(table, version, self.pages.text());
        let (mut page, mut moved) = (Vec::new(), Vec::new());
        let (mut seen, mut pages_seen) = (0, HashSet::new());
        for number in self.pages.in_map(table.owned)? {
            let damaged = || JetError::Damaged { what: WHAT, page: number };
            self.pages.read(number, WHAT, &mut page)?;
            // The map also has pages of memos, whose owner is the word LVAL, and freed pages.
            if byte(&page, 0) != Some(layout::DATA_PAGE) || long(&page, OWNER) != Some(table.page) {
                continue;
            }
            let rows = pages::row_count(version, &page).ok_or_else(damaged)?;
            if rows > 0 && !pages_seen.insert(fingerprint(&page)) {
                return Err(JetError::PageTwice { table: table.name.clone(), page: number });
            }
            for row in 0..rows {
                seen += 1;
                if seen > MAX_ROWS {
                    return Err(JetError::TooMany("rows in one table"));
                }
                let Row { hidden, content } = pages::row(version, &page, row).ok_or_else(damaged)?;
                let bytes = match content {
                    _ if hidden => continue,
                    Content::Here(range) => page.get(range),
                    Content::Moved(at) => Some(self.moved(at, &mut moved)?),
                };
                each(bytes.and_then(|bytes| decoder.decode(bytes)).ok_or_else(damaged)?);
            }
        }
        Ok(())
    }

    /// Reads a row that was moved to another page, perhaps more than once.
    fn moved<'p>(&mut self, mut at: RowPointer, page: &'p mut Vec<u8>) -> Result<&'p [u8], JetError> {
        const WHAT: &str = "a moved row";
        const MOST_MOVES: usize = 8;
        let version = self.version();
        for _ in 0..MOST_MOVES {
            self.pages.read(at.page, WHAT, page)?;
            match pages::row(version, page, at.row).map(|row| row.content) {
                Some(Content::Here(range)) => return Ok(page.get(range).unwrap_or_default()),
                Some(Content::Moved(next)) => at = next,
                None => break,
            }
        }
        Err(JetError::Damaged { what: WHAT, page: at.page })
    }

    /// Reads the tables and links in `MSysObjects`.
    fn list(&mut self) -> Result<(), JetError> {
        const NAME: &str = "MSysObjects";
        const TABLE: i32 = 1;
        const LINK_BY_ODBC: i32 = 4;
        const LINK: i32 = 6;
        const PAGE: u32 = 0x00FF_FFFF;
        let objects = definition::read(&mut self.pages, NAME, OBJECTS_PAGE)?;
        let places = (objects.column("Id"), objects.column("Name"), objects.column("Type"));
        let (Some(id), Some(name), Some(kind)) = places else {
            return Err(JetError::Damaged { what: "the list of tables", page: OBJECTS_PAGE });
        };
        let (mut tables, mut links) = (Vec::new(), Vec::new());
        // Its count of rows is not held against it: a table that is needed and missing is missed anyway.
        self.rows_there_are(&objects, |row| {
            let (Some(Value::Integer(id)), Some(Value::Text(name)), Some(Value::Integer(kind))) =
                (row.get(id), row.get(name), row.get(kind))
            else {
                return;
            };
            match *kind {
                TABLE if tables.len() <= MAX_TABLES => tables.push((name.clone(), id.cast_unsigned() & PAGE)),
                LINK | LINK_BY_ODBC if links.len() <= MAX_TABLES => links.push(name.clone()),
                _ => {}
            }
        })?;
        if tables.len() > MAX_TABLES || links.len() > MAX_TABLES {
            return Err(JetError::TooMany("tables"));
        }
        (self.tables, self.links) = (tables, links);
        Ok(())
    }
}

/// A number that two pages share only if they are the same, by all odds.
fn fingerprint(page: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    page.hash(&mut hasher);
    hasher.finish()
}
