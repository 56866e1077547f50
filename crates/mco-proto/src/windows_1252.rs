//! The code page of the Client's Windows (*documented*; no byte above 7F was ever captured), both ways.
//!
//! Reading and writing again gives the same bytes. Five bytes have no character (81, 8D, 8F, 90, 9D): as in Windows itself and on the
//! Web, they are the control characters of the same numbers. Those of the other bytes from 80 to 9F are written as these bytes, too:
//! versions of the server that took the wire for Latin-1 have stored a "€" as U+0080.

/// The characters of bytes 80 to 9F; every other byte is the character with its number.
const SPECIAL: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

/// Marks that follow their letter, with the letters that they change and what these become. Text that comes from a Mac may be so.
const MARKED: [(char, &str, &str); 8] = [
    ('\u{300}', "AEIOUaeiou", "ÀÈÌÒÙàèìòù"),
    ('\u{301}', "AEIOUYaeiouy", "ÁÉÍÓÚÝáéíóúý"),
    ('\u{302}', "AEIOUaeiou", "ÂÊÎÔÛâêîôû"),
    ('\u{303}', "ANOano", "ÃÑÕãñõ"),
    ('\u{308}', "AEIOUYaeiouy", "ÄËÏÖÜŸäëïöüÿ"),
    ('\u{30A}', "Aa", "Åå"),
    ('\u{30C}', "SZsz", "ŠŽšž"),
    ('\u{327}', "Cc", "Çç"),
];

/// Blocks of 256 characters by the upper part of their numbers, spelt in ASCII, with tabs between them.
const SPELT: &[(u32, &str)] = include!(concat!(env!("OUT_DIR"), "/spelt.rs"));

/// The character of a byte.
pub fn character(byte: u8) -> char {
    let special = byte.checked_sub(0x80).and_then(|at| SPECIAL.get(usize::from(at)));
    special.copied().unwrap_or(char::from(byte))
}

/// The byte of a character; `None` if the code page lacks it.
pub fn byte(character: char) -> Option<u8> {
    let special = || SPECIAL.iter().position(|special| *special == character);
    let number = u8::try_from(u32::from(character)).ok();
    number.or_else(|| u8::try_from(special()? + 0x80).ok())
}

/// Whether the code page has the character and one can see it: no control character, no blank, no hyphen that shows only at the end
/// of a line.
pub fn is_visible(character: char) -> bool {
    byte(character).is_some()
        && !character.is_control()
        && !character.is_whitespace()
        && character != '\u{AD}'
}

/// The text of these bytes.
pub fn decode(bytes: &[u8]) -> String {
    // The longest character takes three bytes; so the text never moves while it grows, and leaves no copy behind.
    let mut text = String::with_capacity(bytes.len().saturating_mul(3));
    text.extend(bytes.iter().copied().map(character));
    text
}

/// The bytes of a text. What the code page lacks is spelt with the letters it has ("Жук" as "Zhuk"), or is `?`; so are NULs, which
/// end a text on the wire. Only control characters of the text itself come out as such.
pub fn encode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        let marked = rest.peek().and_then(|mark| with_mark(letter, *mark));
        if marked.is_some() {
            rest.next();
        }
        match byte(marked.unwrap_or(letter)) {
            Some(0) => bytes.push(b'?'),
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(spelt(letter).as_bytes()),
        }
    }
    bytes
}

/// A text spelt in ASCII alone, for who knows no code page ("Zoë" as "Zoe").
pub fn in_ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() { plain.push(character) } else { plain.push_str(spelt(character)) }
    }
    plain
}

/// A letter and the mark behind it as one letter of the code page.
fn with_mark(letter: char, mark: char) -> Option<char> {
    let (_, plain, marked) = MARKED.iter().find(|(known, ..)| *known == mark)?;
    marked.chars().nth(plain.chars().position(|known| known == letter)?)
}

/// A character in ASCII.
fn spelt(character: char) -> &'static str {
    let number = u32::from(character);
    let block = SPELT.iter().find(|(block, _)| *block == number >> 8);
    let at = usize::try_from(number & 0xFF).unwrap_or_default();
    block.and_then(|(_, spelt)| spelt.split('\t').nth(at)).unwrap_or("?")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_byte_but_nul_is_read_and_written_as_it_was() {
        let bytes: Vec<u8> = (1..=255).collect();
        let text = decode(&bytes);
        assert_eq!(encode(&text), bytes);
        assert_eq!(text.chars().count(), 255);
        assert_eq!(decode(b"\x80 \x84\xdcber\x93 \x96 \x99"), "€ „Über“ – ™");
    }

    #[test]
    fn what_an_earlier_version_stored_is_written_as_it_came() {
        let latin_1: String = (1..=255).map(char::from).collect();
        assert_eq!(encode(&latin_1), (1..=255).collect::<Vec<u8>>());
    }

    #[test]
    fn what_the_code_page_lacks_is_spelt_with_what_it_has() {
        for (text, expected) in [
            ("Łódź", "Lódz"),
            ("Győr", "Gyor"),
            ("Đorđe Şimşek", "Dorde Simsek"),
            ("Жук", "Zhuk"),
            ("Αθήνα", "Athena"),
            ("Nguyễn", "Nguyen"),
            ("たろう", "tarou"),
            ("１２［", "12["),
            ("ﬁn − 5′", "fin - 5'"),
            ("a\u{2028}b\u{301}c", "a bc"),
            ("🏁", "checkered flag"),
            ("\u{E000}\u{FFFFF}\0", "???"),
            ("北京", "??"),
        ] {
            assert_eq!(decode(&encode(text)), expected, "{text}");
        }
    }

    #[test]
    fn a_text_in_ascii_alone_keeps_its_lines_and_loses_only_the_marks() {
        assert_eq!(in_ascii("Zoë’s\n“Straße” 5 €, Жук 北"), "Zoe's\n\"Strasse\" 5 EUR, Zhuk ?");
    }

    #[test]
    fn a_letter_with_its_mark_behind_it_is_one_letter_where_there_is_one() {
        assert_eq!(decode(&encode("Ju\u{308}rgen, c\u{327}a, s\u{30C}")), "Jürgen, ça, š");
        assert_eq!(decode(&encode("x\u{308}\u{308}u\u{308}\u{301}\u{308}")), "xü", "others lose it");
        for (_, plain, marked) in MARKED {
            assert_eq!(plain.chars().count(), marked.chars().count());
        }
    }

    #[test]
    fn only_what_shows_is_visible() {
        assert!("azAZ09!~äß€šŸ¿".chars().all(is_visible));
        for hidden in " \u{A0}\u{AD}\n\0\u{7F}\u{80}\u{9D}ŁЖ\u{301}".chars() {
            assert!(!is_visible(hidden), "{hidden:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_turns_into_control_characters_or_grows_much(text: String) {
            let bytes = encode(&text);
            let control = |byte: &u8| character(*byte).is_control();
            prop_assert!(bytes.iter().filter(|byte| control(byte)).count() <= text.chars().filter(|c| c.is_control()).count());
            prop_assert!(bytes.len() <= 64 * text.len());
            prop_assert_eq!(encode(&decode(&bytes)), bytes);
        }
    }
}
