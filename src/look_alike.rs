//! Names that people take for each other: what is left of one for whoever reads it quickly.

use mco_proto::windows_1252;

/// The same text for names that look alike on a screen: letters without case and marks, digits and signs as the letters they look
/// like, spaces that stand together as one.
pub fn look(name: &str) -> String {
    let mut look = String::new();
    for letter in name.chars().flat_map(char::to_lowercase) {
        match plain(letter) {
            Some(' ') if look.ends_with(' ') => {}
            Some(letter) => look.push(letter),
            None => look.push_str(&windows_1252::in_ascii(&letter.to_string()).to_lowercase()),
        }
    }
    look.replace("vv", "w").replace("rn", "m").replace('i', "l")
}

/// Only the letters of that, with more digits and signs read as letters: "0per-8tor" is "operbtor".
pub fn letters(name: &str) -> String {
    let read = |sign| LETTERS.iter().find(|(digit, _)| *digit == sign).map_or(sign, |(_, letter)| *letter);
    let mut letters = look(&name.chars().map(read).collect::<String>());
    letters.retain(char::is_alphanumeric);
    letters
}

/// Digits and signs that are written for letters.
const LETTERS: [(char, char); 9] = [
    ('0', 'o'),
    ('1', 'l'),
    ('3', 'e'),
    ('4', 'a'),
    ('5', 's'),
    ('7', 't'),
    ('8', 'b'),
    ('@', 'a'),
    ('$', 's'),
];

/// A sign as the one it looks like; `None` if it is to be spelt.
const fn plain(letter: char) -> Option<char> {
    match letter {
        '0' => Some('o'),
        '1' | '|' | '!' => Some('l'),
        '5' | '$' => Some('s'),
        '`' | '\u{b4}' | '\u{2018}' | '\u{2019}' => Some('\''),
        ascii if ascii.is_ascii() => Some(ascii),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_taken_for_each_other_look_the_same() {
        for (one, other) in [
            ("Dr Brown", "DR  BR0WN"),
            ("Bill 1", "B|ll I"),
            ("Jörg", "J\u{d6}RG"),
            ("Zoë", "Zoe"),
            ("Wayne", "VVayne"),
            ("Mick", "Rnick"),
            ("Sam", "5am"),
            ("O'Neil", "O\u{2019}Neil"),
        ] {
            assert_eq!(look(one), look(other), "{one} and {other}");
        }
        for (one, other) in [("DrBrown", "Dr Brown"), ("Dr Browm", "Dr Brown"), ("Bo", "Bob")] {
            assert_ne!(look(one), look(other), "{one} and {other}");
        }
    }

    #[test]
    fn of_a_name_only_the_letters_are_left() {
        for name in ["Operator", "0PERATOR", "  oper-ator", "Op3r4t0r", "*Operator*", "\u{d6}per\u{e4}tor"] {
            assert_eq!(letters(name), letters("operator"), "{name}");
        }
        assert_ne!(letters("operators"), letters("operator"));
        assert_eq!(letters("007"), letters("OOT"));
    }
}
