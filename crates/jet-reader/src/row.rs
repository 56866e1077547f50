//! A row taken apart.
//!
//! From its front: how many columns it has, then those of fixed length. From its end: one bit per column (set where there
//! is a value; of a boolean column it *is* the value), how many columns of variable length it has, and where each of them
//! begins, backwards, then where the last one ends. Jet 3 keeps only the low bytes of these places and, between them and
//! their number, a list of the columns at which the next 256 begin.

use super::definition::{Column, Kind, Place, Table};
use super::layout::{Version, array, byte, short};
use super::text;

/// What a row has in a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// Of a boolean column.
    Boolean(bool),
    /// Of a byte, integer or long column.
    Integer(i32),
    /// Of a money column, in ten-thousandths.
    Money(i64),
    /// Of a single or double column.
    Real(f64),
    /// Days since 30 December 1899.
    DateTime(f64),
    /// Of a text column.
    Text(String),
    /// Something in a column of a kind that is passed over.
    Other,
}

/// Takes rows of one table apart.
pub(super) struct Decoder<'a> {
    table: &'a Table,
    version: Version,
    /// Where each column of variable length begins, then where the last one ends.
    starts: Vec<usize>,
    values: Vec<Value>,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(table: &'a Table, version: Version) -> Self {
        Self { table, version, starts: Vec::new(), values: Vec::with_capacity(table.columns.len()) }
    }

    /// One value per column of the table. `None`: the row does not fit together.
    pub(super) fn decode(&mut self, row: &[u8]) -> Option<&[Value]> {
        let count = match self.version {
            Version::Jet3 => u16::from(byte(row, 0)?),
            Version::Jet4 => short(row, 0)?,
        };
        let present_at = row.len().checked_sub(usize::from(count).div_ceil(8))?;
        let (body, present) = row.split_at_checked(present_at)?;
        self.find_starts(body, row.len())?;
        self.values.clear();
        for column in &self.table.columns {
            // Columns that were added after the row was written are not in it.
            let bit =
                present.get(usize::from(column.number / 8)).map_or(0, |byte| byte >> (column.number % 8));
            let is_present = column.number < count && bit & 1 != 0;
            self.values.push(match column.kind {
                Kind::Boolean => Value::Boolean(is_present),
                _ if !is_present => Value::Null,
                _ => self.cell(column, body)?,
            });
        }
        Some(&self.values)
    }

    fn find_starts(&mut self, body: &[u8], row_length: usize) -> Option<()> {
        self.starts.clear();
        if !self.table.has_variable {
            return Some(());
        }
        let count_at = body.len().checked_sub(self.version.row_word())?;
        match self.version {
            Version::Jet4 => {
                let count = usize::from(short(body, count_at)?);
                for at in 0..=count {
                    let place = count_at.checked_sub((at + 1) * 2)?;
                    self.starts.push(usize::from(short(body, place)?));
                }
            }
            Version::Jet3 => {
                let count = usize::from(byte(body, count_at)?);
                self.find_short_starts(body, count_at, count, row_length.checked_sub(1)? / 256)?;
            }
        }
        let inside = self.starts.last().is_none_or(|end| *end <= count_at);
        (inside && self.starts.is_sorted()).then_some(())
    }

    /// With the list of jumps. It is as long as the whole row wants it, rather than the last place in it, so its last
    /// entry may mean nothing.
    fn find_short_starts(
        &mut self,
        body: &[u8],
        count_at: usize,
        count: usize,
        mut jumps: usize,
    ) -> Option<()> {
        let first = count_at.checked_sub(jumps + 1)?;
        if first.checked_sub(count)? / 256 < jumps {
            jumps -= 1;
        }
        let mut jumped = 0;
        for at in 0..=count {
            while jumped < jumps && usize::from(byte(body, count_at.checked_sub(jumped + 1)?)?) == at {
                jumped += 1;
            }
            let low = usize::from(byte(body, first.checked_sub(at)?)?);
            self.starts.push(low + jumped * 256);
        }
        Some(())
    }

    /// `None`: it does not fit.
    fn cell(&self, column: &Column, body: &[u8]) -> Option<Value> {
        let range = match column.place {
            Place::Fixed(offset) => {
                let from = self.version.row_word() + usize::from(offset);
                let length = match column.kind {
                    Kind::Boolean => 0,
                    Kind::Byte => 1,
                    Kind::Integer => 2,
                    Kind::Long | Kind::Single => 4,
                    Kind::Money | Kind::Double | Kind::DateTime => 8,
                    Kind::Text | Kind::Other(_) => usize::from(column.length),
                };
                from..from + length
            }
            Place::Variable(index) => {
                let index = usize::from(index);
                let (Some(&from), Some(&to)) = (self.starts.get(index), self.starts.get(index + 1)) else {
                    return Some(Value::Null);
                };
                from..to
            }
        };
        value(self.version, column.kind, body.get(range)?)
    }
}

fn value(version: Version, kind: Kind, bytes: &[u8]) -> Option<Value> {
    Some(match kind {
        Kind::Boolean => Value::Null,
        Kind::Byte => Value::Integer(byte(bytes, 0)?.into()),
        Kind::Integer => Value::Integer(array(bytes, 0).map(i16::from_le_bytes)?.into()),
        Kind::Long => Value::Integer(array(bytes, 0).map(i32::from_le_bytes)?),
        Kind::Money => Value::Money(array(bytes, 0).map(i64::from_le_bytes)?),
        Kind::Single => Value::Real(array(bytes, 0).map(f32::from_le_bytes)?.into()),
        Kind::Double => Value::Real(array(bytes, 0).map(f64::from_le_bytes)?),
        Kind::DateTime => Value::DateTime(array(bytes, 0).map(f64::from_le_bytes)?),
        Kind::Text => Value::Text(text::cell(version, bytes)),
        Kind::Other(_) => Value::Other,
    })
}
