//! The file as a row of pages, taken out of its masks.

use super::layout::{DATA_PAGE, USAGE_PAGE, Version, array, byte, long, short};
use super::{JetError, MAX_FILE};
use cipher::{KeyInit, StreamCipher};
use rc4::Rc4;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

/// How every Jet file begins; the version follows.
const MAGIC: &[u8; 20] = b"\0\x01\0\0Standard Jet DB\0";
/// How newer files begin.
const NEWER: &[u8; 20] = b"\0\x01\0\0Standard ACE DB\0";

/// Every file's header is masked with this key, from here on.
const HEADER_KEY: [u8; 4] = [0xC7, 0xDA, 0x39, 0x6B];
const MASKED_FROM: usize = 0x18;
/// Where the header says with which key the other pages are masked; 0 for not at all.
const PAGE_KEY: usize = 0x3E;
const HEADER: usize = MASKED_FROM + 126;

/// The flags beside the place where a row begins.
const GONE: u16 = 0x8000;
const ELSEWHERE: u16 = 0x4000;
const PLACE: u16 = 0x1FFF;

/// Applies RC4 with a key of 4 bytes. The crate's infallible constructor wants 32; RC4 repeats its key anyway.
fn unmask(key: [u8; 4], bytes: &mut [u8]) {
    let repeated: [u8; 32] = std::array::from_fn(|at| key.get(at % 4).copied().unwrap_or_default());
    Rc4::new(&repeated.into()).apply_keystream(bytes);
}

/// Where a row lies: page, and number on it. In the file one number of 32 bits, the row in its lowest byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RowPointer {
    pub(super) page: u32,
    pub(super) row: u16,
}

impl RowPointer {
    pub(super) const fn from_number(number: u32) -> Self {
        Self { page: number >> 8, row: (number & 0xFF) as u16 }
    }
}

/// A row of a data page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// Its bytes within the page.
    Here(Range<usize>),
    /// It has grown and lies elsewhere.
    Elsewhere(RowPointer),
    /// Deleted, or the place to which another page's row has grown: not to be counted here.
    Gone(Range<usize>),
}

/// How many rows a data page has. `None`: this is no data page.
pub(super) fn row_count(version: Version, page: &[u8]) -> Option<u16> {
    let count = short(page, version.rows_at())?;
    let fits = version.rows_at() + 2 + usize::from(count) * 2 <= page.len();
    (byte(page, 0)? == DATA_PAGE && fits).then_some(count)
}

/// One of them, counted from 0. `None`: it does not fit.
pub(super) fn row(version: Version, page: &[u8], number: u16) -> Option<Row> {
    if number >= row_count(version, page)? {
        return None;
    }
    let entry = |number: u16| short(page, version.rows_at() + 2 + usize::from(number) * 2);
    let head = entry(number)?;
    // Rows are laid down from the end of the page to its front.
    let end = match number.checked_sub(1) {
        Some(before) => usize::from(entry(before)? & PLACE),
        None => page.len(),
    };
    let range = usize::from(head & PLACE)..end;
    let bytes = page.get(range.clone())?;
    Some(match (head & GONE != 0, head & ELSEWHERE != 0) {
        (true, _) => Row::Gone(range),
        (false, true) => Row::Elsewhere(RowPointer::from_number(long(bytes, 0)?)),
        (false, false) => Row::Here(range),
    })
}

/// The pages of a file.
#[derive(Debug)]
pub(super) struct Pages<R> {
    reader: R,
    version: Version,
    count: u32,
    key: u32,
}

impl<R: Read + Seek> Pages<R> {
    pub(super) fn open(mut reader: R) -> Result<Self, JetError> {
        let length = reader.seek(SeekFrom::End(0))?;
        if length > MAX_FILE {
            return Err(JetError::TooLarge(length));
        }
        let mut header = Vec::with_capacity(HEADER);
        reader.seek(SeekFrom::Start(0))?;
        reader.by_ref().take(HEADER as u64).read_to_end(&mut header)?;
        let version = byte(&header, MAGIC.len());
        if header.starts_with(NEWER) {
            return Err(JetError::Version(version.unwrap_or_default()));
        }
        if !header.starts_with(MAGIC) || header.len() < HEADER {
            return Err(JetError::NotJet);
        }
        let version = match version {
            Some(0) => Version::Jet3,
            Some(1) => Version::Jet4,
            other => return Err(JetError::Version(other.unwrap_or_default())),
        };
        unmask(HEADER_KEY, header.get_mut(MASKED_FROM..).unwrap_or_default());
        let key = long(&header, PAGE_KEY).ok_or(JetError::NotJet)?;
        let count = u32::try_from(length / version.page_size() as u64).unwrap_or(u32::MAX);
        Ok(Self { reader, version, count, key })
    }

    pub(super) const fn version(&self) -> Version {
        self.version
    }

    /// Reads a page; `what` for is named should it not be there.
    pub(super) fn read(&mut self, page: u32, what: &'static str, into: &mut Vec<u8>) -> Result<(), JetError> {
        // Page 0 is the header, and nothing else.
        if page == 0 || page >= self.count {
            return Err(JetError::Damaged { what, page });
        }
        let size = self.version.page_size();
        into.resize(size, 0);
        self.reader.seek(SeekFrom::Start(u64::from(page) * size as u64))?;
        self.reader.read_exact(into)?;
        if self.key != 0 {
            unmask((self.key ^ page).to_le_bytes(), into);
        }
        Ok(())
    }

    /// The pages of a usage map, in order. Bits for pages that the file does not have are passed over: a map may
    /// reserve what was never written.
    pub(super) fn in_map(&mut self, map: RowPointer) -> Result<Vec<u32>, JetError> {
        const WHAT: &str = "a list of pages";
        const DIRECT: u8 = 0;
        const BY_PAGES: u8 = 1;
        const PAGE_HEADER: usize = 4;
        let damaged = JetError::Damaged { what: WHAT, page: map.page };
        let mut page = Vec::new();
        self.read(map.page, WHAT, &mut page)?;
        let Some(Row::Here(range)) = row(self.version, &page, map.row) else { return Err(damaged) };
        let mut pages = Vec::new();
        match page.get(range).and_then(|map| map.split_first()) {
            Some((&DIRECT, map)) => {
                let (Some(first), Some(bits)) = (long(map, 0), map.get(4..)) else { return Err(damaged) };
                self.add_bits(first, bits, &mut pages);
            }
            Some((&BY_PAGES, map)) => {
                let per_page = (self.version.page_size() - PAGE_HEADER) * 8;
                let mut bits = Vec::new();
                for (at, number) in map.chunks_exact(4).enumerate() {
                    let number = array(number, 0).map_or(0, u32::from_le_bytes);
                    let first = u32::try_from(at * per_page).unwrap_or(u32::MAX);
                    if number == 0 || first >= self.count {
                        continue;
                    }
                    self.read(number, WHAT, &mut bits)?;
                    if byte(&bits, 0) != Some(USAGE_PAGE) {
                        return Err(JetError::Damaged { what: WHAT, page: number });
                    }
                    self.add_bits(first, bits.get(PAGE_HEADER..).unwrap_or_default(), &mut pages);
                }
            }
            _ => return Err(damaged),
        }
        Ok(pages)
    }

    fn add_bits(&self, first: u32, bits: &[u8], pages: &mut Vec<u32>) {
        let set = |at: usize| bits.get(at / 8).is_some_and(|byte| byte & (1 << (at % 8)) != 0);
        let numbers = (0..bits.len() * 8).filter(|&at| set(at)).filter_map(|at| u32::try_from(at).ok());
        pages.extend(numbers.filter_map(|at| first.checked_add(at)).filter(|page| *page < self.count));
    }
}
