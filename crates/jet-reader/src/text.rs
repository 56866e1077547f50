//! Decodes text: code page 1252 in Jet 3; UTF-16LE in Jet 4, where the text of a row may be compressed.

use super::layout::Version;

/// The characters of bytes 80 to 9F in code page 1252; every other byte is the character with its number. Five are not assigned.
const PAGE_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

fn page_1252(byte: u8) -> char {
    let special = byte.checked_sub(0x80).and_then(|at| PAGE_1252.get(usize::from(at)));
    special.copied().unwrap_or(char::from(byte))
}

/// Decodes text that is never compressed: names of columns.
pub(super) fn plain(version: Version, bytes: &[u8]) -> String {
    match version {
        Version::Jet3 => bytes.iter().copied().map(page_1252).collect(),
        Version::Jet4 => wide(bytes.as_chunks().0.iter().copied()),
    }
}

/// Decodes text of a row. Half a surrogate pair becomes the replacement character U+FFFD.
pub(super) fn cell(version: Version, bytes: &[u8]) -> String {
    const COMPRESSED: &[u8] = b"\xFF\xFE";
    match (version, bytes.strip_prefix(COMPRESSED)) {
        (Version::Jet4, Some(compressed)) => wide(decompress(compressed).into_iter()),
        _ => plain(version, bytes),
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

    #[test]
    fn text_of_access_97_is_in_code_page_1252() {
        assert_eq!(cell(Version::Jet3, b"Caf\xE9 \x80 5\x97"), "Café € 5—");
    }

    #[test]
    fn compressed_text_switches_between_one_and_two_bytes() {
        assert_eq!(cell(Version::Jet4, b"\xFF\xFEBel-Air"), "Bel-Air");
        assert_eq!(cell(Version::Jet4, b"\xFF\xFEa\0\xAC\x20\0b"), "a€b");
        assert_eq!(cell(Version::Jet4, b"a\0\xAC\x20"), "a€");
        assert_eq!(cell(Version::Jet4, b"\xFF\xFEa\0\xAC"), "a", "cut off");
        assert_eq!(cell(Version::Jet4, b"\x00\xD8a\0"), "\u{FFFD}a", "half a character");
    }
}
