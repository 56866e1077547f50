//! Text as the editors of Windows save it.

/// Why bytes are no text.
#[derive(Debug)]
pub struct Wrong {
    /// The line, counted from 1, if it can be told.
    pub line: Option<usize>,
    /// What is wrong and what to do.
    pub problem: &'static str,
}

/// Reads UTF-8, and the UTF-16 that Notepad calls "Unicode", which says so by a byte order mark. Some programs leave the mark
/// out; then the zero in one half of the first letter tells. The mark is no part of the text.
///
/// # Errors
/// [`Wrong`] if the bytes are in another encoding, or cut short.
pub fn text(bytes: Vec<u8>) -> Result<String, Wrong> {
    let text = match bytes.as_slice() {
        [0xFF, 0xFE, units @ ..] => utf16(units, u16::from_le_bytes),
        [0xFE, 0xFF, units @ ..] => utf16(units, u16::from_be_bytes),
        [1..=255, 0, ..] => utf16(&bytes, u16::from_le_bytes),
        [0, 1..=255, ..] => utf16(&bytes, u16::from_be_bytes),
        _ => String::from_utf8(bytes).map_err(|e| {
            let before = e.as_bytes().get(..e.utf8_error().valid_up_to()).unwrap_or_default();
            let problem = "is not UTF-8 text here; save the file as UTF-8";
            Wrong { line: Some(line_at(before, before.len())), problem }
        }),
    }?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Wrong> {
    let wrong = || Wrong { line: None, problem: "is damaged UTF-16 text; save the file as UTF-8" };
    let (units, rest) = bytes.as_chunks();
    let units: Vec<u16> = units.iter().copied().map(unit).collect();
    if rest.is_empty() { String::from_utf16(&units).map_err(|_| wrong()) } else { Err(wrong()) }
}

/// The same text with LF alone at the end of each line, where other systems and programs have CR LF, CR, a vertical tab, a form
/// feed, NEL, or one of Unicode's own separators.
pub fn with_plain_line_ends(text: &str) -> String {
    text.replace("\r\n", "\n").replace(['\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'], "\n")
}

/// The line, counted from 1, of a place in the text.
pub fn line_at(text: &[u8], offset: usize) -> usize {
    1 + text.iter().take(offset).filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_notepad_is_read_with_a_mark_and_without() {
        let wide =
            |text: &str, unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
        for text in ["", "a", "key = \"M\u{fc}nchen\"\r\n"] {
            for marked in [format!("\u{feff}{text}"), text.to_owned()] {
                assert_eq!(super::text(marked.clone().into_bytes()).unwrap(), text);
                assert_eq!(super::text(wide(&marked, u16::to_le_bytes)).unwrap(), text);
                assert_eq!(super::text(wide(&marked, u16::to_be_bytes)).unwrap(), text);
            }
        }
        assert_eq!(super::text(b"a\nb\xFC".to_vec()).unwrap_err().line, Some(2));
        assert!(super::text(b"\xFF\xFEa".to_vec()).is_err());
    }
}
