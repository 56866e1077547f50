//! Reads pages and decrypts them; finds rows on data pages, and the pages of a table in usage maps.

use super::layout::{DATA_PAGE, USAGE_PAGE, Version, array, byte, long, short};
use super::text::TextDecoder;
use super::{JetError, MAX_FILE};
use cipher::{KeyInit, StreamCipher};
use rc4::Rc4;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

/// The first bytes of a Jet file; the version byte follows.
const MAGIC: &[u8; 20] = b"\0\x01\0\0Standard Jet DB\0";
/// The first bytes of a file of Access 2007 or later.
const NEWER: &[u8; 20] = b"\0\x01\0\0Standard ACE DB\0";

/// The RC4 key of every file's header, and the offset from which it is encrypted.
const HEADER_KEY: [u8; 4] = [0xC7, 0xDA, 0x39, 0x6B];
const ENCRYPTED_FROM: usize = 0x18;
/// Offset in the header of the RC4 key of the other pages; 0 if they are not encrypted.
const PAGE_KEY: usize = 0x3E;
/// Offset in the header of the number of the code page of text, a `u16`.
const CODE_PAGE: usize = 0x3C;
const HEADER: usize = ENCRYPTED_FROM + 126;

/// The flags of a row, and the bits of its offset in the page.
const DELETED: u16 = 0x8000;
const MOVED: u16 = 0x4000;
const OFFSET: u16 = 0x1FFF;

/// Applies RC4 with a key of 4 bytes. The crate's infallible constructor wants 32; RC4 repeats its key anyway.
fn decrypt(key: [u8; 4], bytes: &mut [u8]) {
    let repeated: [u8; 32] = std::array::from_fn(|at| key.get(at % 4).copied().unwrap_or_default());
    Rc4::new(&repeated.into()).apply_keystream(bytes);
}

/// The address of a row: page, and number on that page. In the file 32 bits, with the row in the lowest byte.
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
pub(super) struct Row {
    /// Deleted, or moved here from another page, from which it is reached.
    pub(super) hidden: bool,
    pub(super) content: Content,
}

/// Where the bytes of a row are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// In this range of the page.
    Here(Range<usize>),
    /// Moved to another page because it had grown.
    Moved(RowPointer),
}

/// The number of rows on a data page. `None`: it is not a data page.
pub(super) fn row_count(version: Version, page: &[u8]) -> Option<u16> {
    let count = short(page, version.rows_at())?;
    let fits = version.rows_at() + 2 + usize::from(count) * 2 <= page.len();
    (byte(page, 0)? == DATA_PAGE && fits).then_some(count)
}

/// Row `number` of a data page, counted from 0. `None`: there is no such row, or it does not lie in the page.
pub(super) fn row(version: Version, page: &[u8], number: u16) -> Option<Row> {
    if number >= row_count(version, page)? {
        return None;
    }
    let entry = |number: u16| short(page, version.rows_at() + 2 + usize::from(number) * 2);
    let head = entry(number)?;
    // Rows fill the page from its end to its front.
    let end = match number.checked_sub(1) {
        Some(before) => usize::from(entry(before)? & OFFSET),
        None => page.len(),
    };
    let range = usize::from(head & OFFSET)..end;
    let bytes = page.get(range.clone())?;
    let hidden = head & DELETED != 0;
    let content = match (head & MOVED != 0, long(bytes, 0)) {
        (true, Some(pointer)) => Content::Moved(RowPointer::from_number(pointer)),
        (true, None) if !hidden => return None,
        _ => Content::Here(range),
    };
    Some(Row { hidden, content })
}

/// The pages of a file.
#[derive(Debug)]
pub(super) struct Pages<R> {
    reader: R,
    version: Version,
    code_page: u16,
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
        decrypt(HEADER_KEY, header.get_mut(ENCRYPTED_FROM..).unwrap_or_default());
        let key = long(&header, PAGE_KEY).ok_or(JetError::NotJet)?;
        let code_page = short(&header, CODE_PAGE).ok_or(JetError::NotJet)?;
        let size = version.page_size() as u64;
        if length % size != 0 {
            return Err(JetError::CutOff(length));
        }
        let count = u32::try_from(length / size).unwrap_or(u32::MAX);
        Ok(Self { reader, version, code_page, count, key })
    }

    /// The number of the code page that the header names.
    pub(super) const fn code_page(&self) -> u16 {
        self.code_page
    }

    /// How the text of the file is decoded.
    pub(super) fn text(&self) -> TextDecoder {
        TextDecoder::new(self.version, self.code_page)
    }

    pub(super) const fn version(&self) -> Version {
        self.version
    }

    /// Reads a page into `into` and decrypts it. `what` is read for the error.
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
            decrypt((self.key ^ page).to_le_bytes(), into);
        }
        Ok(())
    }

    /// The pages of a usage map, in order. Bits of pages that the file does not have are ignored: a map may reserve pages that
    /// were never written.
    pub(super) fn in_map(&mut self, map: RowPointer) -> Result<Vec<u32>, JetError> {
        const WHAT: &str = "a list of pages";
        const DIRECT: u8 = 0;
        const BY_PAGES: u8 = 1;
        const PAGE_HEADER: usize = 4;
        let damaged = JetError::Damaged { what: WHAT, page: map.page };
        let mut page = Vec::new();
        self.read(map.page, WHAT, &mut page)?;
        let Some(Row { hidden: false, content: Content::Here(range) }) = row(self.version, &page, map.row)
        else {
            return Err(damaged);
        };
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    const VERSIONS: [Version; 2] = [Version::Jet3, Version::Jet4];

    /// A header whose pages are encrypted with `key`, followed by `pages` empty ones.
    fn file(version: Version, key: u32, pages: usize) -> Vec<u8> {
        let mut file = MAGIC.to_vec();
        file.push(u8::from(version == Version::Jet4));
        file.resize(HEADER, 0);
        file[PAGE_KEY..PAGE_KEY + 4].copy_from_slice(&key.to_le_bytes());
        decrypt(HEADER_KEY, &mut file[ENCRYPTED_FROM..]);
        file.resize(version.page_size() * (1 + pages), 0);
        file
    }

    #[test]
    fn a_file_that_is_no_whole_number_of_pages_is_refused() {
        for version in [Version::Jet3, Version::Jet4] {
            let whole = file(version, 0, 2);
            for length in [whole.len() - 1, whole.len() - version.page_size() / 2, HEADER] {
                let cut = refused(whole[..length].to_vec());
                assert!(matches!(cut, JetError::CutOff(bytes) if bytes == length as u64), "{cut}");
            }
        }
    }

    fn refused(file: Vec<u8>) -> JetError {
        Pages::open(Cursor::new(file)).unwrap_err()
    }

    #[test]
    fn each_kind_of_file_that_is_not_read_has_its_error() {
        assert!(matches!(refused(Vec::new()), JetError::NotJet));
        assert!(matches!(refused(file(Version::Jet3, 0, 0)[..HEADER - 1].to_vec()), JetError::NotJet));
        let mut other = file(Version::Jet4, 0, 1);
        other[20] = 2;
        assert!(matches!(refused(other), JetError::Version(2)));
        let mut newer = file(Version::Jet4, 0, 1);
        newer[..20].copy_from_slice(NEWER);
        assert!(matches!(refused(newer), JetError::Version(1)));
    }

    #[test]
    fn a_page_is_read_and_decrypted_with_the_key_of_the_header_and_its_own_number() {
        for version in VERSIONS {
            let mut file = file(version, 0x1234_5678, 3);
            let size = version.page_size();
            file[2 * size..2 * size + 4].copy_from_slice(b"page");
            decrypt((0x1234_5678_u32 ^ 2).to_le_bytes(), &mut file[2 * size..3 * size]);
            let mut pages = Pages::open(Cursor::new(file)).unwrap();
            let mut page = Vec::new();
            pages.read(2, "x", &mut page).unwrap();
            assert_eq!((pages.version(), page.len(), &page[..5]), (version, size, &b"page\0"[..]));
        }
    }

    #[test]
    fn the_header_and_pages_behind_the_end_are_not_read() {
        let mut pages = Pages::open(Cursor::new(file(Version::Jet3, 0, 1))).unwrap();
        for page in [0, 2, u32::MAX] {
            let read = pages.read(page, "x", &mut Vec::new());
            assert!(matches!(read, Err(JetError::Damaged { what: "x", page: at }) if at == page), "{page}");
        }
        pages.read(1, "x", &mut Vec::new()).unwrap();
    }

    /// A data page of Jet 3 with these entries.
    fn data_page(entries: &[u16]) -> Vec<u8> {
        let mut page = vec![DATA_PAGE, 1, 0, 0, 0, 0, 0, 0];
        page.extend(u16::try_from(entries.len()).unwrap().to_le_bytes());
        page.extend(entries.iter().flat_map(|entry| entry.to_le_bytes()));
        page.resize(2048, 0);
        page
    }

    #[test]
    fn rows_fill_a_page_from_its_end_and_say_whether_they_are_deleted_or_moved() {
        let mut page = data_page(&[2040, 2036 + MOVED, 2032 + MOVED + DELETED, 2026 + DELETED, 2026, 2040]);
        for at in [2036, 2032] {
            page[at..at + 4].copy_from_slice(&0x0000_0503_u32.to_le_bytes());
        }
        let row = |number| row(Version::Jet3, &page, number);
        assert_eq!(row_count(Version::Jet3, &page), Some(6));
        let here = |hidden, range| Some(Row { hidden, content: Content::Here(range) });
        let moved = |hidden| Some(Row { hidden, content: Content::Moved(RowPointer { page: 5, row: 3 }) });
        assert_eq!(row(0), here(false, 2040..2048));
        assert_eq!((row(1), row(2)), (moved(false), moved(true)), "moved, and moved here and on");
        assert_eq!(row(3), here(true, 2026..2032));
        assert_eq!(row(4), here(false, 2026..2026));
        assert_eq!((row(5), row(6)), (None, None), "a row that begins behind its end, and none");
    }

    #[test]
    fn what_is_no_data_page_has_no_rows() {
        let mut page = data_page(&[2040]);
        page[0] = USAGE_PAGE;
        assert_eq!(row_count(Version::Jet3, &page), None);
        let mut page = data_page(&[2040]);
        page[8..10].copy_from_slice(&1019_u16.to_le_bytes());
        assert_eq!(row_count(Version::Jet3, &page), Some(1019), "as many as there is room for");
        page[8..10].copy_from_slice(&1020_u16.to_le_bytes());
        assert_eq!(row_count(Version::Jet3, &page), None);
        assert_eq!(row_count(Version::Jet4, &[]), None);
    }

    /// A file whose page 1 has this usage map as its only row, and whose page 2 is a bitmap.
    fn mapped(map: &[u8], bitmap: &[u8]) -> Result<Vec<u32>, JetError> {
        let mut bytes = file(Version::Jet3, 0, 0);
        let start = 2048 - map.len();
        let mut page = data_page(&[u16::try_from(start).unwrap()]);
        page[start..].copy_from_slice(map);
        bytes.extend(page);
        bytes.extend([&[USAGE_PAGE, 1, 0, 0], bitmap].concat());
        bytes.resize(2048 * 8, 0);
        Pages::open(Cursor::new(bytes)).unwrap().in_map(RowPointer { page: 1, row: 0 })
    }

    #[test]
    fn both_kinds_of_usage_maps_are_read_as_far_as_the_file_goes() {
        assert_eq!(mapped(&[0, 3, 0, 0, 0, 0b1101_0101], &[]).unwrap(), [3, 5, 7]);
        assert_eq!(mapped(&[0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], &[]).unwrap(), Vec::<u32>::new());
        assert_eq!(mapped(&[1, 0, 0, 0, 0, 2, 0, 0, 0], &[0xFF]).unwrap(), Vec::<u32>::new());
        assert_eq!(mapped(&[1, 2, 0, 0, 0, 9, 0, 0, 0], &[0b0011_0000, 1]).unwrap(), [4, 5]);
        for damaged in [&[][..], &[2, 0, 0, 0, 0], &[0, 1, 2, 3], &[1, 1, 0, 0, 0], &[1, 9, 0, 0, 0]] {
            assert!(matches!(mapped(damaged, &[]), Err(JetError::Damaged { .. })), "{damaged:?}");
        }
    }
}
