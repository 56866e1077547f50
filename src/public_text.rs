//! Texts that somebody writes and others read: names, ads, clubs, race nights, mails, reasons, messages. One rule for all of them: only characters that
//! people can see and that the game has, or can spell. So nothing in a text is hidden, turns the letters round, or breaks out of its line.

use mco_proto::windows_1252;

/// What is said when a text has others.
pub const ODD_LETTERS: &str =
    "a sign of it cannot be seen, or the game cannot show it: use plain letters, digits and signs";

/// Whether a name has only spaces and characters that people can see and that the game has.
pub fn is_name(text: &str) -> bool {
    text.chars().all(|letter| letter == ' ' || windows_1252::is_visible(letter))
}

/// The text on one line: blanks of every kind are spaces, none at the ends, and none beside another. `None`: it has a control character, or one
/// that people cannot see or the game cannot even spell.
pub fn one_line(text: &str) -> Option<String> {
    let text = text.trim();
    let words: Vec<&str> = text.split_whitespace().collect();
    let plain = !text.contains(char::is_control) && words.iter().all(|word| word.chars().all(is_seen));
    plain.then(|| words.join(" "))
}

/// The same with the lines that it has, and no empty ones at the ends.
pub fn lines(text: &str) -> Option<String> {
    let lines: Vec<String> =
        text.trim().lines().map(|line| one_line(&line.replace('\t', " "))).collect::<Option<_>>()?;
    Some(lines.join("\n"))
}

fn is_seen(letter: char) -> bool {
    let is_spelt = || {
        let spelt = windows_1252::in_ascii(letter.encode_utf8(&mut [0; 4]));
        spelt.contains(|sign: char| sign.is_ascii_graphic() && sign != '?')
    };
    // Marks around notes of a text, which the table spells.
    let is_special = ('\u{fff0}'..='\u{ffff}').contains(&letter);
    windows_1252::is_visible(letter) || windows_1252::byte(letter).is_none() && !is_special && is_spelt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_what_one_sees_on_as_many_lines_as_it_may_have() {
        for (text, line) in [
            ("a Hemi, caf\u{e9} \u{20ac}5 <b>", "a Hemi, caf\u{e9} \u{20ac}5 <b>"),
            ("  a  b\u{a0}c\u{3000} ", "a b c"),
            ("\u{10d}au \u{416}\u{443}\u{43a}", "\u{10d}au \u{416}\u{443}\u{43a}"),
            ("we race \u{1f3c1}", "we race \u{1f3c1}"),
            ("", ""),
            ("\u{a0}\n", ""),
        ] {
            assert_eq!(one_line(text).as_deref(), Some(line), "{text:?}");
        }
        assert_eq!(lines("\n a \r\n\r\nb\tc\n").as_deref(), Some("a\n\nb c"));
        assert_eq!(one_line("a\nb"), None);
        assert!(is_name("Zo\u{eb} 1") && !is_name("\u{10d}au") && !is_name("a\u{200b}"));
    }

    #[test]
    fn nothing_that_is_hidden_or_turns_letters_round_passes() {
        for odd in [
            '\0',
            '\u{7}',
            '\u{1b}',
            '\u{7f}',
            '\u{81}',
            '\u{85}',
            '\u{9d}',
            '\u{ad}',
            '\u{301}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{180e}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{200f}',
            '\u{202a}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{2800}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fff9}',
            '\u{e0041}',
        ] {
            let text = format!("a{odd}b");
            assert_eq!((one_line(&text), lines(&text)), (None, None), "{odd:?}");
            assert!(!is_name(&text), "{odd:?}");
        }
    }
}
