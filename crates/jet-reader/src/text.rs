//! Decodes text: one code page in Jet 3; UTF-16LE in Jet 4, where the text of a row may be compressed.

use super::layout::Version;
use encoding_rs as encodings;
use encoding_rs::Encoding;

/// Code pages that may be named by their number in Windows. 1252 stands for 0 too, by which a file names none.
const CODE_PAGES: [(u16, &Encoding); 16] = [
    (0, encodings::WINDOWS_1252),
    (866, encodings::IBM866),
    (874, encodings::WINDOWS_874),
    (932, encodings::SHIFT_JIS),
    (936, encodings::GBK),
    (949, encodings::EUC_KR),
    (950, encodings::BIG5),
    (1250, encodings::WINDOWS_1250),
    (1251, encodings::WINDOWS_1251),
    (1252, encodings::WINDOWS_1252),
    (1253, encodings::WINDOWS_1253),
    (1254, encodings::WINDOWS_1254),
    (1255, encodings::WINDOWS_1255),
    (1256, encodings::WINDOWS_1256),
    (1257, encodings::WINDOWS_1257),
    (1258, encodings::WINDOWS_1258),
];

/// The code page of this number; `None` if it is not one that is read.
fn code_page(number: u16) -> Option<&'static Encoding> {
    CODE_PAGES.iter().find(|(known, _)| *known == number).map(|(_, encoding)| *encoding)
}

/// How the text of a file is decoded.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextDecoder {
    version: Version,
    /// For Jet 3.
    code_page: &'static Encoding,
    is_known: bool,
}

impl TextDecoder {
    /// For a file of this version whose header names this code page.
    pub(super) fn new(version: Version, number: u16) -> Self {
        let found = code_page(number);
        let is_known = found.is_some() || version == Version::Jet4;
        Self { version, code_page: found.unwrap_or(encodings::WINDOWS_1252), is_known }
    }

    /// Whether the code page is one that is read. If not, what is not ASCII may be decoded wrongly.
    pub(super) const fn is_known(self) -> bool {
        self.is_known
    }

    /// Decodes text that is never compressed: names of columns.
    pub(super) fn plain(self, bytes: &[u8]) -> String {
        match self.version {
            Version::Jet3 => self.code_page.decode_without_bom_handling(bytes).0.into_owned(),
            Version::Jet4 => wide(bytes.as_chunks().0.iter().copied()),
        }
    }

    /// Decodes text of a row. Half a surrogate pair becomes the replacement character U+FFFD.
    pub(super) fn cell(self, bytes: &[u8]) -> String {
        const COMPRESSED: &[u8] = b"\xFF\xFE";
        match (self.version, bytes.strip_prefix(COMPRESSED)) {
            (Version::Jet4, Some(compressed)) => wide(decompress(compressed).into_iter()),
            _ => self.plain(bytes),
        }
    }
}

fn wide(units: impl Iterator<Item = [u8; 2]>) -> String {
    char::decode_utf16(units.map(u16::from_le_bytes))
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// Undoes "Unicode compression" (FF FE in front): one byte per character, whose upper byte is zero; a zero byte switches to two
/// bytes per character and back.
fn decompress(mut bytes: &[u8]) -> Vec<[u8; 2]> {
    let mut units = Vec::with_capacity(bytes.len());
    let mut one_byte = true;
    while let [first, rest @ ..] = bytes {
        bytes = rest;
        match (first, rest) {
            (0, _) => one_byte = !one_byte,
            (low, _) if one_byte => units.push([*low, 0]),
            (low, [high, rest @ ..]) => {
                units.push([*low, *high]);
                bytes = rest;
            }
            (_, []) => {}
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(version: Version, number: u16, bytes: &[u8]) -> String {
        TextDecoder::new(version, number).cell(bytes)
    }

    #[test]
    fn text_of_access_97_is_in_the_code_page_of_the_file() {
        for number in [0, 1252] {
            assert_eq!(cell(Version::Jet3, number, b"Caf\xE9 \x80 5\x97"), "Caf\u{e9} \u{20ac} 5\u{2014}");
        }
        assert_eq!(
            cell(Version::Jet3, 1251, b"\xCC\xEE\xF1\xEA\xE2\xE0"),
            "\u{41c}\u{43e}\u{441}\u{43a}\u{432}\u{430}"
        );
        assert_eq!(cell(Version::Jet3, 932, b"\x8E\xD4"), "\u{8eca}");
    }

    #[test]
    fn a_code_page_that_is_not_known_is_read_as_1252_and_told() {
        assert!(!TextDecoder::new(Version::Jet3, 437).is_known());
        assert_eq!(cell(Version::Jet3, 437, b"Caf\xE9"), "Caf\u{e9}");
        assert!(TextDecoder::new(Version::Jet3, 1251).is_known());
        assert!(TextDecoder::new(Version::Jet4, 437).is_known(), "it has no text in a code page");
    }

    #[test]
    fn compressed_text_switches_between_one_and_two_bytes() {
        let cell = |bytes| cell(Version::Jet4, 1252, bytes);
        assert_eq!(cell(b"\xFF\xFEBel-Air"), "Bel-Air");
        assert_eq!(cell(b"\xFF\xFEa\0\xAC\x20\0b"), "a\u{20ac}b");
        assert_eq!(cell(b"a\0\xAC\x20"), "a\u{20ac}");
        assert_eq!(cell(b"\xFF\xFEa\0\xAC"), "a", "cut off");
        assert_eq!(cell(b"\x00\xD8a\0"), "\u{FFFD}a", "half a character");
    }
}
