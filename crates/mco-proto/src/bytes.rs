//! Reads and writes packed records. [`layout!`] makes a record's struct definition its layout.

use super::ids::{
    BrandedPartId, CommId, CustomerId, DealerId, PartId, PersonaId, RaceId, ShardId, SkinId, VehicleId,
};
use crate::encode::TooLong;
use std::fmt;

/// Why bytes do not have the layout of the message they are read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Where it went wrong, in bytes from the start of the body (NPS: behind the header; MCOTS: at the message number).
    pub offset: usize,
    /// What is wrong at that place.
    pub problem: Problem,
}

/// What is wrong with a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The body ends before the field does; this many bytes were wanted.
    Short(usize),
    /// A length or count field exceeds its bound.
    TooLong {
        /// What the field says.
        found: usize,
        /// The largest value that is accepted.
        limit: usize,
    },
    /// It is another message than the one it is read as: the one with this number.
    OtherMessage(u16),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problem {
            Problem::Short(wanted) => {
                write!(f, "ends too early: {wanted} bytes wanted at offset {}", self.offset)
            }
            Problem::TooLong { found, limit } => {
                write!(f, "a length of {found} at offset {} where {limit} is the most", self.offset)
            }
            Problem::OtherMessage(number) => write!(f, "is message {number} ({number:#06x}), another one"),
        }
    }
}

impl std::error::Error for Malformed {}

/// Byte order of a message family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Big,
    Little,
}

/// A cursor over the bytes of a message. What it reads is bounded by the end of the bytes.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    order: Order,
}

impl<'a> Reader<'a> {
    /// A cursor that reads big-endian integers (NPS).
    pub const fn big(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, order: Order::Big }
    }

    /// A cursor that reads little-endian integers (MCOTS, and the Client's own structs).
    pub const fn little(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, order: Order::Little }
    }

    /// Takes the next `count` bytes.
    ///
    /// # Errors
    /// If fewer are left.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let end = self.at.checked_add(count);
        match end.and_then(|end| self.bytes.get(self.at..end)) {
            Some(bytes) => {
                self.at += count;
                Ok(bytes)
            }
            None => Err(self.malformed(Problem::Short(count))),
        }
    }

    /// Takes the next `N` bytes.
    ///
    /// # Errors
    /// If fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// Takes all bytes that are left.
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at = self.bytes.len();
        rest
    }

    /// How many bytes are left.
    pub const fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// The error that says `problem` is at the current position.
    pub const fn malformed(&self, problem: Problem) -> Malformed {
        Malformed { offset: self.at, problem }
    }

    /// `found` as a length.
    ///
    /// # Errors
    /// If it exceeds `limit`.
    pub fn length(&self, found: usize, limit: usize) -> Result<usize, Malformed> {
        if found > limit { Err(self.malformed(Problem::TooLong { found, limit })) } else { Ok(found) }
    }
}

/// Builds the bytes of a message.
#[derive(Clone, Debug)]
pub struct Writer {
    bytes: Vec<u8>,
    order: Order,
}

impl Writer {
    /// An empty message with big-endian integers (NPS).
    pub const fn big() -> Self {
        Self { bytes: Vec::new(), order: Order::Big }
    }

    /// An empty message with little-endian integers (MCOTS, and the Client's own structs).
    pub const fn little() -> Self {
        Self { bytes: Vec::new(), order: Order::Little }
    }

    /// Appends these bytes.
    pub fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends `count` zero bytes.
    pub fn zeros(&mut self, count: usize) {
        self.bytes.resize(self.bytes.len() + count, 0);
    }

    /// The bytes of the message.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// A value with a layout on the wire. The reader or writer determines the byte order.
pub trait Wire: Sized {
    /// The most bytes it ever takes; `usize::MAX` if nothing here bounds it.
    const MOST_BYTES: usize;
    /// Reads the value.
    ///
    /// # Errors
    /// If the bytes do not have its layout.
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed>;
    /// Appends the value's bytes.
    fn write(&self, writer: &mut Writer);
}

macro_rules! number {
    ($($type:ty),*) => {$(
        impl Wire for $type {
            const MOST_BYTES: usize = size_of::<Self>();
            fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
                let bytes = reader.array()?;
                Ok(match reader.order {
                    Order::Big => Self::from_be_bytes(bytes),
                    Order::Little => Self::from_le_bytes(bytes),
                })
            }
            fn write(&self, writer: &mut Writer) {
                match writer.order {
                    Order::Big => writer.put(&self.to_be_bytes()),
                    Order::Little => writer.put(&self.to_le_bytes()),
                }
            }
        }
    )*};
}
number!(u8, u16, u32, i16, i32, f64);

macro_rules! id {
    ($($type:ident),*) => {$(
        impl Wire for $type {
            const MOST_BYTES: usize = u32::MOST_BYTES;
            fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
                u32::read(reader).map(Self)
            }
            fn write(&self, writer: &mut Writer) {
                self.0.write(writer);
            }
        }
    )*};
}
id!(BrandedPartId, CommId, CustomerId, DealerId, PartId, PersonaId, RaceId, ShardId, SkinId, VehicleId);

impl<T: Wire + Copy + Default, const N: usize> Wire for [T; N] {
    const MOST_BYTES: usize = T::MOST_BYTES.saturating_mul(N);
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut array = [T::default(); N];
        for slot in &mut array {
            *slot = T::read(reader)?;
        }
        Ok(array)
    }
    fn write(&self, writer: &mut Writer) {
        for item in self {
            item.write(writer);
        }
    }
}

/// A boolean that is one byte wide: zero is false, all else true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub struct Bool8(pub bool);

/// A boolean that is two bytes wide: zero is false, all else true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub struct Bool16(pub bool);

impl Wire for Bool8 {
    const MOST_BYTES: usize = u8::MOST_BYTES;
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        u8::read(reader).map(|value| Self(value != 0))
    }
    fn write(&self, writer: &mut Writer) {
        u8::from(self.0).write(writer);
    }
}

impl Wire for Bool16 {
    const MOST_BYTES: usize = u16::MOST_BYTES;
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        u16::read(reader).map(|value| Self(value != 0))
    }
    fn write(&self, writer: &mut Writer) {
        u16::from(self.0).write(writer);
    }
}

/// A number that counts the records behind it. How wide it is differs from message to message.
pub trait Count: Wire {
    /// How many records it says.
    fn get(&self) -> usize;
    /// The field that says `count`; [`Self::MOST`] for whatever is more.
    fn of(count: usize) -> Self;
    /// The largest count it can say.
    const MOST: usize;
}

macro_rules! count {
    ($($type:ty),*) => {$(
        impl Count for $type {
            fn get(&self) -> usize {
                usize::try_from(*self).unwrap_or(usize::MAX)
            }
            fn of(count: usize) -> Self {
                Self::try_from(count).unwrap_or(Self::MAX)
            }
            const MOST: usize = <$type>::MAX as usize;
        }
    )*};
}
count!(u8, u16, u32);

/// A count of type `C`, then that many records: at most `MOST`, both when read and when written.
#[derive(Clone, Debug, PartialEq)]
pub struct List<C, T, const MOST: usize> {
    records: Vec<T>,
    count: std::marker::PhantomData<C>,
}

impl<C: Count, T, const MOST: usize> List<C, T, MOST> {
    const LIMIT: usize = if MOST < C::MOST { MOST } else { C::MOST };

    /// All of `records`.
    ///
    /// # Errors
    /// If they are more than the list may hold.
    pub fn new(records: impl IntoIterator<Item = T>) -> Result<Self, TooLong> {
        let records: Vec<T> = records.into_iter().collect();
        TooLong::check(records.len(), Self::LIMIT)?;
        Ok(Self { records, count: std::marker::PhantomData })
    }

    /// The first of `records`, as many as the list may hold; the others are left out.
    pub fn first_n(records: impl IntoIterator<Item = T>) -> Self {
        let records = records.into_iter().take(Self::LIMIT).collect();
        Self { records, count: std::marker::PhantomData }
    }
}

impl<C, T, const MOST: usize> std::ops::Deref for List<C, T, MOST> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.records
    }
}

impl<C: Count, T: Wire, const MOST: usize> Wire for List<C, T, MOST> {
    const MOST_BYTES: usize = C::MOST_BYTES.saturating_add(T::MOST_BYTES.saturating_mul(Self::LIMIT));
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let count = C::read(reader)?.get();
        let count = reader.length(count, Self::LIMIT)?;
        let records = (0..count).map(|_| T::read(reader)).collect::<Result<_, _>>()?;
        Ok(Self { records, count: std::marker::PhantomData })
    }
    fn write(&self, writer: &mut Writer) {
        C::of(self.records.len()).write(writer);
        for record in &self.records {
            record.write(writer);
        }
    }
}

/// The usual list of MCOTS: u16 count, u8 "more to come" (written as 0, because one packet carries all; ignored when
/// read), then the records, at most `MOST`.
#[derive(Clone, Debug, PartialEq)]
pub struct PagedList<T, const MOST: usize>(Vec<T>);

impl<T, const MOST: usize> PagedList<T, MOST> {
    const LIMIT: usize = if MOST < u16::MOST { MOST } else { u16::MOST };

    /// All of `records`.
    ///
    /// # Errors
    /// If they are more than the list may hold.
    pub fn new(records: impl IntoIterator<Item = T>) -> Result<Self, TooLong> {
        let records: Vec<T> = records.into_iter().collect();
        TooLong::check(records.len(), Self::LIMIT)?;
        Ok(Self(records))
    }

    /// The first of `records`, as many as the list may hold; the others are left out.
    pub fn first_n(records: impl IntoIterator<Item = T>) -> Self {
        Self(records.into_iter().take(Self::LIMIT).collect())
    }
}

impl<T, const MOST: usize> std::ops::Deref for PagedList<T, MOST> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Wire, const MOST: usize> Wire for PagedList<T, MOST> {
    const MOST_BYTES: usize = 3_usize.saturating_add(T::MOST_BYTES.saturating_mul(Self::LIMIT));
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let count = u16::read(reader)?.get();
        let count = reader.length(count, Self::LIMIT)?;
        let _more_to_come = u8::read(reader)?;
        (0..count).map(|_| T::read(reader)).collect::<Result<Vec<_>, _>>().map(Self)
    }
    fn write(&self, writer: &mut Writer) {
        u16::of(self.0.len()).write(writer);
        0_u8.write(writer);
        for record in &self.0 {
            record.write(writer);
        }
    }
}

/// A body without fields: all that is said is the number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub struct Empty;

impl Wire for Empty {
    const MOST_BYTES: usize = 0;
    fn read(_: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self)
    }
    fn write(&self, _: &mut Writer) {}
}

/// All bytes up to the end of the message, not interpreted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub struct Rest(pub Vec<u8>);

impl Wire for Rest {
    const MOST_BYTES: usize = usize::MAX;
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self(reader.rest().to_vec()))
    }
    fn write(&self, writer: &mut Writer) {
        writer.put(&self.0);
    }
}

/// Defines packed records: the fields, in the order in which they stand on the wire, are the layout.
macro_rules! layout {
    ($($(#[$doc:meta])* pub struct $name:ident { $($(#[$field_doc:meta])* pub $field:ident: $type:ty),* $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
        #[allow(missing_docs, reason = "a field whose name and type say all has no words of its own")]
        pub struct $name { $($(#[$field_doc])* pub $field: $type),* }

        impl $crate::bytes::Wire for $name {
            const MOST_BYTES: usize = 0_usize$(.saturating_add(<$type as $crate::bytes::Wire>::MOST_BYTES))*;
            #[allow(unused_variables, reason = "a message without fields reads nothing")]
            fn read(
                reader: &mut $crate::bytes::Reader<'_>,
            ) -> Result<Self, $crate::bytes::Malformed> {
                Ok(Self { $($field: $crate::bytes::Wire::read(reader)?),* })
            }
            #[allow(unused_variables, reason = "a message without fields writes nothing")]
            fn write(&self, writer: &mut $crate::bytes::Writer) {
                $($crate::bytes::Wire::write(&self.$field, writer);)*
            }
        }
    )+};
}
pub(crate) use layout;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_stops_at_the_end_and_says_where() {
        let mut reader = Reader::big(&[1, 2, 3]);
        assert_eq!(u16::read(&mut reader), Ok(0x0102));
        let error = u32::read(&mut reader).unwrap_err();
        assert_eq!(error, Malformed { offset: 2, problem: Problem::Short(4) });
        assert_eq!(error.to_string(), "ends too early: 4 bytes wanted at offset 2");
        assert_eq!(reader.rest(), [3]);
    }

    #[test]
    fn a_count_beyond_the_limit_is_refused_before_anything_is_allocated() {
        let error = List::<u32, u32, 10>::read(&mut Reader::big(&[0xff; 8])).unwrap_err();
        assert_eq!(error.problem, Problem::TooLong { found: 0xffff_ffff, limit: 10 });
    }

    #[test]
    fn a_list_that_does_not_fit_is_cut_only_by_who_asks_for_that() {
        let error = TooLong { size: 3, limit: 2 };
        assert_eq!(List::<u8, u32, 2>::new([1, 2, 3]), Err(error));
        assert_eq!(PagedList::<u32, 2>::new([1, 2, 3]), Err(error));
        assert_eq!(List::<u8, u32, 2>::first_n([1, 2, 3]), List::new([1, 2]).unwrap());
        assert_eq!(PagedList::<u32, 2>::first_n([1, 2, 3]), PagedList::new([1, 2]).unwrap());
        let counted = List::<u8, u8, 300>::new(vec![0; 256]);
        assert_eq!(counted, Err(TooLong { size: 256, limit: 255 }), "what its count can't say does not fit");
    }

    #[test]
    fn the_two_families_differ_in_byte_order_only() {
        let mut big = Writer::big();
        let mut little = Writer::little();
        0x0102_0304_u32.write(&mut big);
        0x0102_0304_u32.write(&mut little);
        assert_eq!(big.into_bytes(), [1, 2, 3, 4]);
        assert_eq!(little.into_bytes(), [4, 3, 2, 1]);
    }
}
