//! Decodes a row into values.
//!
//! A row begins with its number of columns and the columns of fixed length. It ends with the null mask, one bit per column (set
//! if there is a value; for a boolean column the bit *is* the value). In front of that stand the number of columns of variable
//! length and, backwards, the offset of each of them and of the end of the last. Jet 3 keeps only the low byte of these offsets
//! and, between them and their number, the jump table: the columns at which the high byte increases.

use super::definition::{Column, Kind, Place, Table};
use super::layout::{Version, array, byte, short};
use super::text::TextDecoder;

/// The value of a column in a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// The value of a boolean column, which is never null.
    Boolean(bool),
    /// The value of a byte, integer or long column.
    Integer(i32),
    /// The value of a currency column, in ten-thousandths.
    Currency(i64),
    /// The value of a single or double column.
    Real(f64),
    /// The value of a date column: days since 30 December 1899, the time of day as a fraction, without time zone.
    DateTime(f64),
    /// The value of a text column.
    Text(String),
    /// A value of a type that is not read.
    Other,
}

/// Decodes rows of one table.
pub(super) struct Decoder<'a> {
    table: &'a Table,
    version: Version,
    text: TextDecoder,
    /// Offset of each column of variable length, then the end of the last one.
    starts: Vec<usize>,
    values: Vec<Value>,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(table: &'a Table, version: Version, text: TextDecoder) -> Self {
        Self { table, version, text, starts: Vec::new(), values: Vec::with_capacity(table.columns.len()) }
    }

    /// One value per column of the table. `None`: the row is damaged.
    pub(super) fn decode(&mut self, row: &[u8]) -> Option<&[Value]> {
        let count = match self.version {
            Version::Jet3 => u16::from(byte(row, 0)?),
            Version::Jet4 => short(row, 0)?,
        };
        let present_at = row.len().checked_sub(usize::from(count).div_ceil(8))?;
        let (body, present) = row.split_at_checked(present_at)?;
        self.starts.clear();
        // A row that is older than all columns of variable length has no list of their offsets.
        let mut columns = self.table.columns.iter();
        if columns.any(|column| matches!(column.place, Place::Variable(_)) && column.number < count) {
            self.find_starts(body, row.len())?;
        }
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

    /// The same for Jet 3, with the jump table. Its size follows from the length of the whole row rather than from the last
    /// offset, so its last entry may be unused.
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

    /// The value of one column. `None`: it does not lie in the row.
    fn cell(&self, column: &Column, body: &[u8]) -> Option<Value> {
        let range = match column.place {
            Place::Fixed(offset) => {
                let from = self.version.row_word() + usize::from(offset);
                let length = match column.kind {
                    Kind::Boolean => 0,
                    Kind::Byte => 1,
                    Kind::Integer => 2,
                    Kind::Long | Kind::Single => 4,
                    Kind::Currency | Kind::Double | Kind::DateTime => 8,
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
        value(self.text, column.kind, body.get(range)?)
    }
}

fn value(text: TextDecoder, kind: Kind, bytes: &[u8]) -> Option<Value> {
    Some(match kind {
        Kind::Boolean => Value::Null,
        Kind::Byte => Value::Integer(byte(bytes, 0)?.into()),
        Kind::Integer => Value::Integer(array(bytes, 0).map(i16::from_le_bytes)?.into()),
        Kind::Long => Value::Integer(array(bytes, 0).map(i32::from_le_bytes)?),
        Kind::Currency => Value::Currency(array(bytes, 0).map(i64::from_le_bytes)?),
        Kind::Single => Value::Real(array(bytes, 0).map(f32::from_le_bytes)?.into()),
        Kind::Double => Value::Real(array(bytes, 0).map(f64::from_le_bytes)?),
        Kind::DateTime => Value::DateTime(array(bytes, 0).map(f64::from_le_bytes)?),
        Kind::Text => Value::Text(text.cell(bytes)),
        Kind::Other(_) => Value::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::RowPointer;

    fn column(kind: Kind, number: u16, place: Place) -> Column {
        Column { name: format!("{number}"), kind, number, place, length: 4 }
    }

    /// A boolean, a long at 0, and two texts.
    fn table() -> Table {
        Table {
            columns: vec![
                column(Kind::Boolean, 0, Place::Fixed(0)),
                column(Kind::Long, 1, Place::Fixed(0)),
                column(Kind::Text, 2, Place::Variable(0)),
                column(Kind::Text, 3, Place::Variable(1)),
            ],
            name: "Cars".to_owned(),
            row_count: 1,
            page: 3,
            owned: RowPointer { page: 1, row: 0 },
        }
    }

    fn decoded(version: Version, row: &[u8]) -> Option<Vec<Value>> {
        Decoder::new(&table(), version, TextDecoder::new(version, 1252)).decode(row).map(<[Value]>::to_vec)
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    /// Number of columns, a long, texts, their end and starts backwards, jumps, number of texts, null mask.
    const JET3: &[u8] = b"\x04\x07\0\0\0ABCDE\x0a\x07\x05\x02\x0f";
    const JET4: &[u8] = b"\x04\0\x07\0\0\0A\0B\0\xFF\xFECDE\x0f\0\x0a\0\x06\0\x02\0\x0f";

    #[test]
    fn a_row_of_each_version_is_decoded() {
        let values = |last: &str| vec![Value::Boolean(true), Value::Integer(7), text("AB"), text(last)];
        assert_eq!(decoded(Version::Jet3, JET3), Some(values("CDE")));
        assert_eq!(decoded(Version::Jet4, JET4), Some(values("CDE")));
    }

    #[test]
    fn a_column_is_null_by_its_bit_or_if_it_is_newer_than_the_row() {
        let with = |at_end: usize, byte: u8| {
            let mut row = JET3.to_vec();
            let at = row.len() - at_end;
            row[at] = byte;
            decoded(Version::Jet3, &row)
        };
        let (null, no) = (Value::Null, Value::Boolean(false));
        assert_eq!(with(1, 0b0100), Some(vec![no, null.clone(), text("AB"), null.clone()]));
        let older = with(JET3.len(), 3);
        assert_eq!(older, Some(vec![Value::Boolean(true), Value::Integer(7), text("AB"), null]));
    }

    #[test]
    fn a_row_that_is_older_than_every_text_has_no_list_of_offsets() {
        let values = Some(vec![Value::Boolean(true), Value::Integer(7), Value::Null, Value::Null]);
        assert_eq!(decoded(Version::Jet3, b"\x02\x07\0\0\0\x03"), values);
        assert_eq!(decoded(Version::Jet4, b"\x02\0\x07\0\0\0\x03"), values);
    }

    /// 300 letters in the first text, so the second begins behind offset 255.
    #[test]
    fn offsets_of_jet_3_beyond_255_need_the_jump_table() {
        let mut row = b"\x04\x07\0\0\0".to_vec();
        row.extend([b'A'; 300]);
        row.extend(b"BC");
        let [end, second] = [307_u16, 305].map(|offset| offset.to_le_bytes()[0]);
        row.extend([end, second, 5, 1, 2, 0x0f]);
        let values = decoded(Version::Jet3, &row).unwrap();
        assert_eq!((&values[2], &values[3]), (&text(&"A".repeat(300)), &text("BC")));
    }

    #[test]
    fn an_unused_entry_of_the_jump_table_is_skipped() {
        // 257 bytes in all, but no column begins behind offset 255.
        let mut row = b"\x04\x07\0\0\0".to_vec();
        row.extend([b'A'; 245]);
        row.extend([250, 250, 5, 99, 2, 0x0f]);
        assert_eq!(row.len(), 256);
        row.insert(5, b'A');
        (row[251], row[252]) = (251, 251);
        assert_eq!(row.len(), 257);
        let values = decoded(Version::Jet3, &row).unwrap();
        assert_eq!((&values[2], &values[3]), (&text(&"A".repeat(246)), &text("")));
    }

    #[test]
    fn a_row_cut_anywhere_is_damaged_or_decoded_but_never_more() {
        for (version, row) in [(Version::Jet3, JET3), (Version::Jet4, JET4)] {
            assert_eq!(decoded(version, &[]), None);
            for end in 1..row.len() {
                let _ = decoded(version, &row[..end]);
            }
            let mut backwards = row.to_vec();
            let at = if version == Version::Jet3 { 11 } else { 17 };
            backwards[at] = 0xEE;
            assert_eq!(decoded(version, &backwards), None, "a text that begins behind its end");
        }
    }
}
