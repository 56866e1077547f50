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
    let plain = !text.contains(char::is_control) && words.iter().all(|word| all_are_seen(word));
    plain.then(|| words.join(" "))
}

/// The same with the lines that it has, and no empty ones at the ends.
pub fn lines(text: &str) -> Option<String> {
    let lines: Vec<String> =
        text.trim().lines().map(|line| one_line(&line.replace('\t', " "))).collect::<Option<_>>()?;
    Some(lines.join("\n"))
}

/// Joins two pictures to one.
const JOINER: char = '\u{200d}';
/// Has the sign before it shown as a picture.
const AS_PICTURE: char = '\u{fe0f}';

/// Whether it colours the skin in the picture before it. The game has nothing for it.
const fn is_skin(letter: char) -> bool {
    matches!(letter, '\u{1f3fb}'..='\u{1f3ff}')
}

/// Whether nothing of a word is hidden. Some signs that cannot be seen are parts of pictures, and let in there alone: within a picture they
/// hide nothing, and turn no letters round.
fn all_are_seen(word: &str) -> bool {
    let mut before = None;
    let mut letters = word.chars().peekable();
    while let Some(letter) = letters.next() {
        let seen = match letter {
            JOINER => {
                let behind_picture = before
                    .is_some_and(|before| is_picture(before) || before == AS_PICTURE || is_skin(before));
                behind_picture && letters.peek().copied().is_some_and(is_picture)
            }
            // Behind a picture alone, so never behind another of its kind.
            AS_PICTURE => before.is_some_and(is_picture),
            letter if is_skin(letter) => before.is_some_and(is_picture),
            letter => is_seen(letter),
        };
        if !seen {
            return false;
        }
        before = Some(letter);
    }
    true
}

/// Whether it is a picture that people know from their phones: of the blocks in which nearly all are.
fn is_picture(letter: char) -> bool {
    matches!(letter, '\u{2600}'..='\u{27bf}' | '\u{1f300}'..='\u{1faff}') && is_seen(letter)
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
    fn pictures_of_several_parts_are_let_in_and_their_hidden_signs_nowhere_else() {
        // A family, a flag, a heart, a farmer with a colour of skin.
        for whole in [
            "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
            "\u{1f3f3}\u{fe0f}\u{200d}\u{1f308}",
            "\u{2764}\u{fe0f}",
            "\u{1f468}\u{1f3fd}\u{200d}\u{1f33e}",
        ] {
            let text = format!("see {whole} you");
            assert_eq!(one_line(&text).as_deref(), Some(text.as_str()), "{text:?}");
            assert!(!is_name(whole));
            let spelt = windows_1252::encode(whole);
            assert!(
                spelt.iter().any(u8::is_ascii_graphic) && !spelt.contains(&b'?'),
                "{whole:?} is spelt in the game"
            );
        }
        for odd in [
            "\u{200d}",
            "\u{200d}\u{1f467}",
            "\u{1f467}\u{200d}",
            "\u{1f467}\u{200d} \u{1f467}",
            "\u{1f467}\u{200d}\u{200d}\u{1f467}",
            "\u{1f467}\u{200d}a",
            "a\u{200d}\u{1f467}",
            "\u{fe0f}",
            "a\u{fe0f}",
            "\u{1f3fd}",
            "a\u{1f3fd}",
            "\u{1f468}\u{1f3fd}\u{1f3fd}",
            "\u{2764}\u{fe0f}\u{fe0f}",
            "a\u{fe0f}\u{200d}\u{1f467}",
            "\u{1f467}\u{200b}\u{1f467}",
        ] {
            assert_eq!(one_line(odd), None, "{odd:?}");
        }
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
