//! Reads a table's definition: its columns, and the pointer to the usage map of its pages.

use super::layout::{DEFINITION_PAGE, Version, byte, long, short};
use super::pages::{Pages, RowPointer};
use super::text::TextDecoder;
use super::{JetError, MAX_COLUMNS, MAX_DEFINITION_PAGES};
use std::io::{Read, Seek};

const WHAT: &str = "a table's definition";

/// The data type of a column, and the [`Value`](crate::Value) it is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Yes or no: `Value::Boolean`.
    Boolean,
    /// 8 bits, unsigned: `Value::Integer`.
    Byte,
    /// 16 bits, signed: `Value::Integer`.
    Integer,
    /// 32 bits, signed: `Value::Integer`.
    Long,
    /// Currency: 64 bits, signed, in ten-thousandths: `Value::Currency`.
    Currency,
    /// 32 bits, IEEE 754: `Value::Real`.
    Single,
    /// 64 bits, IEEE 754: `Value::Real`.
    Double,
    /// Days since 30 December 1899, 64 bits, IEEE 754: `Value::DateTime`.
    DateTime,
    /// At most 255 characters: `Value::Text`.
    Text,
    /// A type that is not read (binary, OLE, memo, GUID, numeric): its number in the format. `Value::Other`.
    Other(u8),
}

impl Kind {
    const fn new(number: u8) -> Self {
        match number {
            1 => Self::Boolean,
            2 => Self::Byte,
            3 => Self::Integer,
            4 => Self::Long,
            5 => Self::Currency,
            6 => Self::Single,
            7 => Self::Double,
            8 => Self::DateTime,
            10 => Self::Text,
            other => Self::Other(other),
        }
    }
}

/// The position of a column in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Fixed length: at this offset in bytes behind the number of columns.
    Fixed(u16),
    /// Variable length: the index among the columns of variable length.
    Variable(u16),
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// As the database spells it.
    pub name: String,
    /// The data type.
    pub kind: Kind,
    /// The number of the column, which counts deleted columns too; the bit of a row's null mask.
    pub(super) number: u16,
    pub(super) place: Place,
    /// Length in bytes, if it is fixed.
    pub(super) length: u16,
}

/// The definition of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The name, as [`Database::table_names`](crate::Database::table_names) has it.
    pub name: String,
    /// The columns, in the order in which they were added to the table.
    pub columns: Vec<Column>,
    /// The number of rows, as the file says. [`Database::rows`](crate::Database::rows) fails if it finds more or fewer.
    pub row_count: u32,
    /// The page on which the definition begins; data pages name it as their owner.
    pub(super) page: u32,
    /// The usage map of the data pages.
    pub(super) owned: RowPointer,
}

impl Table {
    /// The index in [`Self::columns`] of the column with this name. Upper and lower case of ASCII letters do not matter.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))
    }
}

/// Reads the definition that begins on this page.
pub(super) fn read<R: Read + Seek>(pages: &mut Pages<R>, name: &str, page: u32) -> Result<Table, JetError> {
    let bytes = gather(pages, page)?;
    let damaged = || JetError::Damaged { what: WHAT, page };
    let count = short(&bytes, pages.version().definition().columns).ok_or_else(damaged)?;
    if usize::from(count) > MAX_COLUMNS {
        return Err(JetError::TooMany("columns in one table"));
    }
    let columns = columns(pages.text(), pages.version(), &bytes, count.into()).ok_or_else(damaged)?;
    let places = pages.version().definition();
    let numbers = (long(&bytes, places.row_count), long(&bytes, places.owned_pages));
    let (Some(row_count), Some(owned)) = numbers else { return Err(damaged()) };
    Ok(Table { name: name.to_owned(), columns, row_count, page, owned: RowPointer::from_number(owned) })
}

/// The definition in one piece: its first page, then the following ones without their headers.
fn gather<R: Read + Seek>(pages: &mut Pages<R>, first: u32) -> Result<Vec<u8>, JetError> {
    const HEADER: usize = 8;
    const NEXT: usize = 4;
    let mut gathered = Vec::new();
    let mut bytes = Vec::new();
    let mut page = first;
    for _ in 0..MAX_DEFINITION_PAGES {
        pages.read(page, WHAT, &mut bytes)?;
        if byte(&bytes, 0) != Some(DEFINITION_PAGE) {
            return Err(JetError::Damaged { what: WHAT, page });
        }
        let from = if page == first { 0 } else { HEADER };
        gathered.extend_from_slice(bytes.get(from..).unwrap_or_default());
        page = long(&bytes, NEXT).unwrap_or_default();
        if page == 0 {
            return Ok(gathered);
        }
    }
    Err(JetError::TooMany("pages for one table's definition"))
}

/// `None`: a field lies outside of the definition.
fn columns(text: TextDecoder, version: Version, bytes: &[u8], count: usize) -> Option<Vec<Column>> {
    let places = version.definition();
    let indexes = usize::try_from(long(bytes, places.real_indexes)?).ok()?;
    let columns_at = places.indexes_at.checked_add(indexes.checked_mul(places.index_size)?)?;
    let mut name_at = columns_at.checked_add(count * places.column.size)?;
    let mut columns = Vec::with_capacity(count);
    for at in 0..count {
        let entry = bytes.get(columns_at + at * places.column.size..)?.get(..places.column.size)?;
        let length = match version {
            Version::Jet3 => usize::from(byte(bytes, name_at)?),
            Version::Jet4 => usize::from(short(bytes, name_at)?),
        };
        name_at += version.name_word();
        let name = bytes.get(name_at..name_at + length)?;
        name_at += length;
        columns.push(column(version, entry, text.plain(name))?);
    }
    columns.sort_by_key(|column| column.number);
    Some(columns)
}

fn column(version: Version, entry: &[u8], name: String) -> Option<Column> {
    const FIXED: u8 = 1;
    let places = version.definition().column;
    let fixed = byte(entry, places.flags)? & FIXED != 0;
    Some(Column {
        name,
        kind: Kind::new(byte(entry, 0)?),
        number: short(entry, places.number)?,
        place: if fixed {
            Place::Fixed(short(entry, places.offset)?)
        } else {
            Place::Variable(short(entry, places.variable)?)
        },
        length: short(entry, places.length)?,
    })
}
