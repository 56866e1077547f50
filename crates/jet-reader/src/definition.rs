//! What a table looks like: its columns, and where its pages are.

use super::layout::{DEFINITION_PAGE, Version, byte, long, short};
use super::pages::{Pages, RowPointer};
use super::text;
use super::{JetError, MAX_COLUMNS, MAX_DEFINITION_PAGES};
use std::io::{Read, Seek};

const WHAT: &str = "a table's definition";

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Yes or no.
    Boolean,
    /// 0 to 255.
    Byte,
    /// 16 bits, signed.
    Integer,
    /// 32 bits, signed.
    Long,
    /// 64 bits, signed, in ten-thousandths.
    Money,
    /// 32 bits, IEEE.
    Single,
    /// 64 bits, IEEE.
    Double,
    /// Days since 30 December 1899, as 64 bits IEEE.
    DateTime,
    /// At most 255 characters.
    Text,
    /// Something this reader passes over; its number in the format.
    Other(u8),
}

impl Kind {
    const fn new(number: u8) -> Self {
        match number {
            1 => Self::Boolean,
            2 => Self::Byte,
            3 => Self::Integer,
            4 => Self::Long,
            5 => Self::Money,
            6 => Self::Single,
            7 => Self::Double,
            8 => Self::DateTime,
            10 => Self::Text,
            other => Self::Other(other),
        }
    }
}

/// Where a row keeps a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At the same place in each row.
    Fixed(u16),
    /// The so-manieth of those whose length differs from row to row.
    Variable(u16),
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Which one it is among all that the table ever had.
    pub(super) number: u16,
    pub(super) place: Place,
    /// In bytes, where it is fixed.
    pub(super) length: u16,
}

/// A table's definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its columns, in the order in which they came to the table.
    pub columns: Vec<Column>,
    /// How many rows the file says it has.
    pub row_count: u32,
    /// Where its definition begins; its pages name this as their owner.
    pub(super) page: u32,
    /// Whether rows have a list of places.
    pub(super) has_variable: bool,
    pub(super) owned: RowPointer,
}

impl Table {
    /// The place of a column among [`Self::columns`].
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))
    }
}

/// Reads the definition that begins on this page.
pub(super) fn read<R: Read + Seek>(pages: &mut Pages<R>, page: u32) -> Result<Table, JetError> {
    let bytes = gather(pages, page)?;
    parse(pages.version(), &bytes, page).ok_or(JetError::Damaged { what: WHAT, page })?
}

/// The definition in one piece: its first page, then the others without their headers.
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

fn parse(version: Version, bytes: &[u8], page: u32) -> Option<Result<Table, JetError>> {
    let places = version.definition();
    let count = usize::from(short(bytes, places.columns)?);
    if count > MAX_COLUMNS {
        return Some(Err(JetError::TooMany("columns in one table")));
    }
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
        columns.push(column(version, entry, name)?);
    }
    columns.sort_by_key(|column| column.number);
    Some(Ok(Table {
        columns,
        row_count: long(bytes, places.row_count)?,
        page,
        has_variable: short(bytes, places.variable_columns)? > 0,
        owned: RowPointer::from_number(long(bytes, places.owned_pages)?),
    }))
}

fn column(version: Version, entry: &[u8], name: &[u8]) -> Option<Column> {
    const FIXED: u8 = 1;
    let places = version.definition().column;
    let fixed = byte(entry, places.flags)? & FIXED != 0;
    Some(Column {
        name: text::plain(version, name),
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
