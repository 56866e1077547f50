//! Sizes and offsets, in bytes, in each version of the format, and readers of little-endian numbers.

/// A version of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Jet 3: Access 97. Pages of 2 KiB, text in one code page.
    Jet3,
    /// Jet 4: Access 2000 to 2003. Pages of 4 KiB, text in UTF-16.
    Jet4,
}

impl Version {
    /// 3 or 4.
    pub const fn number(self) -> u8 {
        match self {
            Self::Jet3 => 3,
            Self::Jet4 => 4,
        }
    }

    const fn pick(self, jet3: usize, jet4: usize) -> usize {
        match self {
            Self::Jet3 => jet3,
            Self::Jet4 => jet4,
        }
    }

    /// Size of a page.
    pub(super) const fn page_size(self) -> usize {
        self.pick(2048, 4096)
    }

    /// Offset in a data page of the number of its rows, a `u16`, which the offset of each row follows.
    pub(super) const fn rows_at(self) -> usize {
        self.pick(8, 12)
    }

    /// Size of the numbers within a row: counts of columns, and offsets.
    pub(super) const fn row_word(self) -> usize {
        self.pick(1, 2)
    }

    /// Size of the length of a name in a table's definition.
    pub(super) const fn name_word(self) -> usize {
        self.pick(1, 2)
    }

    /// Offsets in a table's definition.
    pub(super) const fn definition(self) -> Definition {
        match self {
            Self::Jet3 => Definition {
                row_count: 12,
                columns: 25,
                real_indexes: 31,
                owned_pages: 35,
                indexes_at: 43,
                index_size: 8,
                column: Column { size: 18, number: 1, variable: 3, flags: 13, offset: 14, length: 16 },
            },
            Self::Jet4 => Definition {
                row_count: 16,
                columns: 45,
                real_indexes: 51,
                owned_pages: 55,
                indexes_at: 63,
                index_size: 12,
                column: Column { size: 25, number: 5, variable: 7, flags: 15, offset: 21, length: 23 },
            },
        }
    }
}

/// Offsets in a table's definition, from the start of its first page.
pub(super) struct Definition {
    pub(super) row_count: usize,
    pub(super) columns: usize,
    pub(super) real_indexes: usize,
    pub(super) owned_pages: usize,
    /// Offset of one entry per real index, which the columns and then their names follow.
    pub(super) indexes_at: usize,
    pub(super) index_size: usize,
    pub(super) column: Column,
}

/// Size of the description of a column, and offsets in it. Its type is at offset 0.
pub(super) struct Column {
    pub(super) size: usize,
    pub(super) number: usize,
    pub(super) variable: usize,
    pub(super) flags: usize,
    pub(super) offset: usize,
    pub(super) length: usize,
}

/// The first byte of a page, its type.
pub(super) const DATA_PAGE: u8 = 1;
pub(super) const DEFINITION_PAGE: u8 = 2;
pub(super) const USAGE_PAGE: u8 = 5;

pub(super) fn byte(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

pub(super) fn short(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

pub(super) fn long(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}
