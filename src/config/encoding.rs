//! Text as the editors of Windows save it.

use super::read::line_at;

/// Why bytes are no text.
pub(super) struct Wrong {
    /// The line, counted from 1, if it can be told.
    pub(super) line: Option<usize>,
    /// What is wrong and what to do.
    pub(super) problem: &'static str,
}

/// Reads UTF-8, and the UTF-16 that Notepad calls "Unicode", which says so by a byte order mark.
pub(super) fn text(bytes: Vec<u8>) -> Result<String, Wrong> {
    match bytes.as_slice() {
        [0xFF, 0xFE, units @ ..] => utf16(units, u16::from_le_bytes),
        [0xFE, 0xFF, units @ ..] => utf16(units, u16::from_be_bytes),
        _ => String::from_utf8(bytes).map_err(|e| {
            let before = e.as_bytes().get(..e.utf8_error().valid_up_to()).unwrap_or_default();
            let problem = "is not UTF-8 text here; save the file as UTF-8";
            Wrong { line: Some(line_at(before, before.len())), problem }
        }),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Wrong> {
    let wrong = || Wrong { line: None, problem: "is damaged UTF-16 text; save the file as UTF-8" };
    let (units, rest) = bytes.as_chunks();
    let units: Vec<u16> = units.iter().copied().map(unit).collect();
    if rest.is_empty() { String::from_utf16(&units).map_err(|_| wrong()) } else { Err(wrong()) }
}
