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
use pages::{Pages, Row, RowPointer};
use row::Decoder;
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
}

impl<R: Read + Seek> Database<R> {
    /// Opens a database: reads its header and the list of its tables.
    ///
    /// # Errors
    /// [`JetError`] if it is not a Jet database of version 3 or 4, is too large or damaged, or if `reader` fails.
    pub fn open(reader: R) -> Result<Self, JetError> {
        let mut database = Self { pages: Pages::open(reader)?, tables: Vec::new() };
        database.tables = database.list()?;
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

    /// Reads the definition of the table with this name; `None` if there is none. Upper and lower case matter.
    ///
    /// # Errors
    /// [`JetError`] if the definition is damaged, or if the reader underneath fails.
    pub fn table(&mut self, name: &str) -> Result<Option<Table>, JetError> {
        let found = self.tables.iter().find(|(known, _)| known == name);
        let Some(page) = found.map(|(_, page)| *page) else { return Ok(None) };
        definition::read(&mut self.pages, page).map(Some)
    }

    /// Calls `each` for every row of a table with one value per column, in the order of [`Table::columns`]. The order of rows is that
    /// of the file.
    ///
    /// # Errors
    /// [`JetError`] if a page or row is damaged, or if the reader underneath fails; `each` was called for all rows before.
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
            // The map also has pages of memos, whose owner is the word LVAL, and freed pages.
            if byte(&page, 0) != Some(layout::DATA_PAGE) || long(&page, OWNER) != Some(table.page) {
                continue;
            }
            for row in 0..pages::row_count(version, &page).ok_or_else(damaged)? {
                seen += 1;
                if seen > MAX_ROWS {
                    return Err(JetError::TooMany("rows in one table"));
                }
                let bytes = match pages::row(version, &page, row).ok_or_else(damaged)? {
                    Row::Deleted(_) => continue,
                    Row::Here(range) => page.get(range),
                    Row::Moved(at) => Some(self.moved(at, &mut moved)?),
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
            match pages::row(version, page, at.row) {
                Some(Row::Here(range) | Row::Deleted(range)) => {
                    return Ok(page.get(range).unwrap_or_default());
                }
                Some(Row::Moved(next)) => at = next,
                None => break,
            }
        }
        Err(JetError::Damaged { what: WHAT, page: at.page })
    }

    /// Reads the tables in `MSysObjects`.
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
