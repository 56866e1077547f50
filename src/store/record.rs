//! How a record looks on the card: one version byte, then the fields as postcard.
//!
//! The version byte belongs to the kind of record, not to the database, so that one kind can change while the others stay.

use super::error::StoreError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The longest record, in bytes.
///
/// sled keeps up to 16 records in one page and moves a page above 128 KiB into a file of its own, which nobody syncs.
/// This bound keeps every page below that, so that syncing the one `db` file is enough.
pub(super) const MAX_RECORD: usize = 7 * 1024;

/// A key and its record, not decoded.
pub(super) type Row = (Vec<u8>, Vec<u8>);

/// Something that is stored under a key of its own.
pub(super) trait Record: Serialize + DeserializeOwned {
    /// What messages call it.
    const WHAT: &'static str;
    /// The version written today. Whoever changes the fields raises it and teaches [`Self::older`] the old layout.
    const VERSION: u8 = 1;

    /// The record that an older program wrote as `version`, or none if that version never was or the bytes are not it.
    fn older(version: u8, fields: &[u8]) -> Option<Self> {
        let _ = (version, fields);
        None
    }
}

/// The bytes to store. Written into a buffer of fixed length first, which costs half of what a growing one does.
pub(super) fn encode<R: Record>(record: &R) -> Result<Vec<u8>, StoreError> {
    let too_large = StoreError::TooLarge { what: R::WHAT };
    let mut buffer = [0; MAX_RECORD];
    let [version, fields @ ..] = &mut buffer;
    *version = R::VERSION;
    let length = match postcard::to_slice(record, fields) {
        Ok(written) => 1 + written.len(),
        Err(_) => return Err(too_large),
    };
    buffer.get(..length).map(<[u8]>::to_vec).ok_or(too_large)
}

/// The record in `bytes`; refuses versions this program does not know, and trailing bytes.
pub(super) fn decode<R: Record>(bytes: &[u8]) -> Result<R, StoreError> {
    let damaged = StoreError::Damaged { what: R::WHAT };
    match bytes.split_first() {
        Some((&version, fields)) if version == R::VERSION => whole(fields).ok_or(damaged),
        Some((&version, _)) if version > R::VERSION => Err(StoreError::TooNew { what: R::WHAT, version }),
        Some((&version, fields)) => R::older(version, fields).ok_or(damaged),
        None => Err(damaged),
    }
}

/// The first fields of the record in `bytes`, for who needs no more of it: what stands behind them is not looked at. `F` has the same
/// fields in the same order.
pub(super) fn decode_front<R: Record, F: DeserializeOwned + From<R>>(bytes: &[u8]) -> Result<F, StoreError> {
    match bytes.split_first() {
        Some((&version, fields)) if version == R::VERSION => postcard::take_from_bytes(fields)
            .map(|(front, _)| front)
            .map_err(|_| StoreError::Damaged { what: R::WHAT }),
        _ => decode::<R>(bytes).map(F::from),
    }
}

/// Fields in postcard with nothing behind them.
pub(super) fn whole<T: DeserializeOwned>(fields: &[u8]) -> Option<T> {
    match postcard::take_from_bytes(fields) {
        Ok((value, [])) => Some(value),
        _ => None,
    }
}

/// What a record adds to the sum. The mixing (that of `SplitMix64`) keeps equal differences in several records from
/// cancelling each other, as they would in a sum of plain CRCs.
pub(super) fn digest(key: &[u8], value: &[u8]) -> u64 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(value);
    let mut mixed = u64::from(hasher.finalize()).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A plain number or id kept as a record: counters and the entries of indexes.
impl Record for u32 {
    const WHAT: &'static str = "counter";
}

/// Where a batch begins in the journal of the database's generation, in bytes.
///
/// The mark of a database with a journal, too: programs that take it for a counter of version 1 know no journal, or another one,
/// and would miss the changes in it; they refuse version 2 with words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position(pub(super) u32);

impl Record for Position {
    const WHAT: &'static str = "place in the journal";
    const VERSION: u8 = 2;

    fn older(version: u8, fields: &[u8]) -> Option<Self> {
        if version == 1 { whole(fields) } else { None }
    }
}

/// The generation, and the sum over all records.
impl Record for u64 {
    const WHAT: &'static str = "number";
}

/// An index entry that points to a key by name.
impl Record for String {
    const WHAT: &'static str = "index entry";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_as_it_was() {
        let bytes = encode(&"Dr Brown".to_owned()).unwrap();
        assert_eq!(bytes[0], 1);
        assert_eq!(decode::<String>(&bytes).unwrap(), "Dr Brown");
    }

    #[test]
    fn a_newer_version_is_refused_by_name_and_number() {
        let mut bytes = encode(&7_u32).unwrap();
        bytes[0] = 2;
        assert_eq!(decode::<u32>(&bytes), Err(StoreError::TooNew { what: "counter", version: 2 }));
    }

    #[test]
    fn cut_lengthened_and_empty_records_are_damaged() {
        let bytes = encode(&"Dr Brown".to_owned()).unwrap();
        let damaged = Err(StoreError::Damaged { what: "index entry" });
        assert_eq!(decode::<String>(&bytes[..bytes.len() - 1]), damaged);
        assert_eq!(decode::<String>(&[bytes.as_slice(), &[0]].concat()), damaged);
        assert_eq!(decode::<String>(&[]), damaged);
    }

    #[test]
    fn a_record_that_would_leave_the_synced_file_is_refused() {
        let long = "x".repeat(MAX_RECORD);
        assert_eq!(encode(&long), Err(StoreError::TooLarge { what: "index entry" }));
    }
}
