//! A cursor over a handshake message that cannot run off its end. All numbers of TLS are big-endian.

use std::fmt;

/// The fields of a message do not fit its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Offset in bytes of the first field that does not fit, from the start of the handshake message (its type byte). Record
    /// headers, and the two length bytes in front of a hello of SSL 2.0, do not count.
    pub offset: usize,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "has a field at offset {} that does not fit", self.offset)
    }
}

impl std::error::Error for Malformed {}

#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The offset of `bytes` in the handshake message.
    base: usize,
}

impl<'a> Reader<'a> {
    /// A reader of `bytes`, which lie `base` bytes behind the start of their message.
    pub(crate) const fn new(bytes: &'a [u8], base: usize) -> Self {
        Self { bytes, at: 0, base }
    }

    /// A reader of the next `count` bytes alone.
    pub(crate) fn part(&mut self, count: usize) -> Result<Self, Malformed> {
        let base = self.base + self.at;
        self.take(count).map(|bytes| Self::new(bytes, base))
    }

    /// How many bytes are left.
    pub(crate) const fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// The error for a field that begins here.
    pub(crate) const fn malformed(&self) -> Malformed {
        Malformed { offset: self.base + self.at }
    }

    /// The next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let end = self.at.checked_add(count).ok_or(self.malformed())?;
        let bytes = self.bytes.get(self.at..end).ok_or(self.malformed())?;
        self.at = end;
        Ok(bytes)
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_be_bytes)
    }

    /// `found`, the length of the field that begins here, if it does not exceed `limit`.
    pub(crate) fn length(&self, found: usize, limit: usize) -> Result<usize, Malformed> {
        if found > limit { Err(self.malformed()) } else { Ok(found) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_big_endian_and_follow_each_other() {
        let mut reader = Reader::new(&[1, 2, 3, 4, 5, 6], 0);
        assert_eq!((reader.u8(), reader.u16(), reader.array()), (Ok(1), Ok(0x0203), Ok([4, 5])));
        assert_eq!((reader.remaining(), reader.take(1)), (1, Ok(&[6][..])));
        assert_eq!((reader.remaining(), reader.take(0)), (0, Ok(&[][..])));
    }

    #[test]
    fn the_error_names_where_the_field_that_does_not_fit_begins() {
        let mut reader = Reader::new(&[0; 5], 0);
        reader.take(3).unwrap();
        assert_eq!(reader.array::<3>(), Err(Malformed { offset: 3 }));
        assert_eq!(reader.take(usize::MAX), Err(Malformed { offset: 3 }));
        // A field that does not fit is not taken.
        assert_eq!((reader.u16(), reader.u8()), (Ok(0), Err(Malformed { offset: 5 })));
    }

    #[test]
    fn offsets_count_from_the_start_of_the_message_in_each_part_of_it() {
        let mut reader = Reader::new(&[0; 9], 4);
        reader.u8().unwrap();
        let mut part = reader.part(6).unwrap();
        part.u16().unwrap();
        let mut inner = part.part(3).unwrap();
        assert_eq!((inner.remaining(), part.remaining(), reader.remaining()), (3, 1, 2));
        inner.u16().unwrap();
        assert_eq!(inner.u16(), Err(Malformed { offset: 9 }));
        assert_eq!(part.part(2).err(), Some(Malformed { offset: 10 }));
        assert_eq!(reader.take(3), Err(Malformed { offset: 11 }));
    }

    #[test]
    fn a_length_up_to_its_limit_is_returned() {
        let reader = Reader::new(&[0; 40], 2);
        assert_eq!((reader.length(32, 32), reader.length(33, 32)), (Ok(32), Err(Malformed { offset: 2 })));
    }

    #[test]
    fn the_error_reads_as_the_end_of_a_sentence() {
        let error = Malformed { offset: 39 };
        assert_eq!(format!("the hello {error}"), "the hello has a field at offset 39 that does not fit");
    }
}
