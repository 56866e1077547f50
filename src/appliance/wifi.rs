//! `wifi.txt`: the Wi-Fi that the box is to join, as a person writes it with any editor.
//!
//! The file has a line `WORD=VALUE` for each of three words; [`read`] makes of it what wpa_supplicant wants, or says in plain
//! English why not. Two rules: nothing that is not used stays unsaid, and no mistake leads into a network with less
//! protection than was asked for. A password is in the settings and nowhere else.

mod countries;
mod radio;

pub use radio::{Heard, Network, Protection, file, heard};

use crate::text_encoding;
use data_encoding::HEXLOWER;
use std::fmt::{self, Write as _};

/// The longest name of a network, in bytes; IEEE 802.11 has no longer ones.
const LONGEST_NAME: usize = 32;
/// How long a password may be, in bytes; WPA has no others.
const PASSWORD: std::ops::RangeInclusive<usize> = 8..=63;
/// How long a key is, in hexadecimal digits.
const KEY_DIGITS: usize = 64;
/// A larger file is none with three lines, in bytes.
pub const MAX_FILE: u64 = 64 * 1024;
/// The most notes about one file.
const MOST_NOTES: usize = 10;
/// The longest word that is repeated in a note, in letters.
const LONGEST_WORD: usize = 20;
/// How people begin a line with a password, whatever the word of the file for it is.
const PASSWORD_WORDS: [&str; 9] =
    ["password", "passwort", "passphrase", "passwd", "kennwort", "pass", "pwd", "psk", "key"];
/// The signs behind a word, the wide ones of East Asian keyboards as well; the first two are no colons.
const SIGNS: [char; 4] = ['=', '\u{ff1d}', ':', '\u{ff1a}'];
/// The most names of other networks in a note.
const MOST_NAMES: usize = 6;

/// What a file came to.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Wifi {
    /// The configuration of wpa_supplicant; `None`: no network is joined.
    pub settings: Option<String>,
    /// What is not used and why, for people: a sentence each, without a full stop. None holds a password.
    pub notes: Vec<String>,
}

impl fmt::Debug for Wifi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wifi").field("notes", &self.notes).finish_non_exhaustive()
    }
}

/// The lines of a file that count.
#[derive(Default)]
struct Lines {
    country: Option<String>,
    network: Option<String>,
    password: Option<String>,
    /// A password is there, but empty.
    empty_password: bool,
    /// A line is not understood. It may have been the password.
    unusable: bool,
    /// The number of the first line with a password that is a comment.
    commented_password: Option<usize>,
}

/// Reads the bytes of a `wifi.txt`: UTF-8 or UTF-16, with the line ends of any system.
///
/// | word | value |
/// |---|---|
/// | `country` | two letters of ISO 3166, for the channels that are permitted there |
/// | `network` | the name, 1 to 32 bytes of UTF-8 |
/// | `password` | 8 to 63 bytes, or the 64 hexadecimal digits of the key itself. Without this line the network is an open one |
///
/// Spaces around a value and one pair of quotation marks are no part of it. Hidden networks are found as others are.
pub fn read(bytes: Vec<u8>) -> Wifi {
    let mut notes = Vec::new();
    let settings = settings(bytes, &mut notes).unwrap_or_else(|why| {
        notes.push(format!("wifi.txt is not used, and the box joins no Wi-Fi: {why}"));
        None
    });
    // What matters most is said last.
    let spare = notes.len().saturating_sub(MOST_NOTES);
    notes.drain(..spare);
    Wifi { settings, notes }
}

fn settings(bytes: Vec<u8>, notes: &mut Vec<String>) -> Result<Option<String>, String> {
    if bytes.len() as u64 > MAX_FILE {
        return Err("it is too large for a file with three lines".to_owned());
    }
    let text = text_encoding::text(bytes).map_err(|wrong| match wrong.line {
        Some(line) => format!("line {line} {}", wrong.problem),
        None => format!("it {}", wrong.problem),
    })?;
    let lines = lines(&text_encoding::with_plain_line_ends(&text), notes);
    let country = lines.country.and_then(|country| country_code(&country, notes));
    let network = lines.network.ok_or("it has no line network=NAME with the name of the Wi-Fi")?;
    if network.len() > LONGEST_NAME {
        return Err(format!(
            "the name of a Wi-Fi has at most {LONGEST_NAME} bytes, and this one has {}; letters with accents count two or more",
            network.len()
        ));
    }
    if holds_password(&network) {
        return Err("the line with the name of the Wi-Fi seems to hold the password as well; write network=NAME and password=... in \
                    a line each"
            .to_owned());
    }
    // As hexadecimal digits a name needs no quotes, whatever is in it. A hidden network answers only who calls its name.
    let entry = |protection: &str| {
        let name = HEXLOWER.encode(network.as_bytes());
        format!("network={{\n    ssid={name}\n    scan_ssid=1\n    {protection}\n}}\n")
    };
    let mut settings = "ctrl_interface=/run/wpa_supplicant\n".to_owned();
    let entries = match lines.password {
        Some(password) => {
            let key = key(&password)?;
            let mut entries = entry(&format!("key_mgmt=WPA-PSK\n    psk={key}"));
            // WPA3 makes its own key out of the password. An entry for itself, the second one: where a router speaks both, WPA2 comes first,
            // as the firmware of some boards fails at WPA3 (raspberrypi/linux#4976, #7634), while for one that speaks WPA3 only there is
            // no other way.
            if key.starts_with('"') {
                // Both ways to do that, whichever the router has: some firmware says that it knows the newer one, and must then use it.
                settings.push_str("sae_pwe=2\n");
                entries.push_str(&entry(&format!("key_mgmt=SAE\n    ieee80211w=2\n    sae_password={key}")));
            }
            entries
        }
        None if lines.empty_password => {
            return Err(
                "the line with the password is empty; write the password behind password=, or remove the line if the Wi-Fi has \
                 none"
                    .to_owned(),
            );
        }
        None if lines.unusable => {
            return Err("no line password=... can be read, and a line that is not understood may have been meant as it; the \
                        box never joins a Wi-Fi with less protection than was asked for"
                .to_owned());
        }
        None => {
            if let Some(number) = lines.commented_password {
                notes.push(format!(
                    "wifi.txt, line {number}, with a password, is a comment, so the box joins only a Wi-Fi without a password; if it \
                     has one, take away the sign in front of that line"
                ));
            }
            entry("key_mgmt=NONE")
        }
    };
    if let Some(country) = country {
        let _ = writeln!(settings, "country={country}");
    }
    settings.push_str(&entries);
    Ok(Some(settings))
}

fn lines(text: &str, notes: &mut Vec<String>) -> Lines {
    let mut lines = Lines::default();
    for (number, line) in (1..).zip(text.lines()) {
        let line = trim(line);
        if let Some(comment) = line.strip_prefix(['#', ';']) {
            let comment = trim(comment.trim_start_matches(['#', ';'])).to_lowercase();
            let is_password = PASSWORD_WORDS.iter().any(|word| is_value_of(word, &comment, &SIGNS));
            lines.commented_password = lines.commented_password.or(is_password.then_some(number));
            continue;
        }
        if line.is_empty() {
            continue;
        }
        let Some((word, value)) = line.split_once(['=', ':']) else {
            lines.unusable = true;
            notes.push(format!("wifi.txt, line {number}, is not used: it has no \"=\""));
            continue;
        };
        let (word, value) = (trim(word).to_ascii_lowercase(), unquoted(trim(value)));
        let (place, name) = match word.as_str() {
            "country" => (&mut lines.country, "country"),
            "network" => (&mut lines.network, "network"),
            "password" => (&mut lines.password, "password"),
            _ => {
                lines.unusable = true;
                notes.push(format!(
                    "wifi.txt, line {number}, is not used: {}; the words are country, network and password",
                    unknown(&word)
                ));
                continue;
            }
        };
        if value.is_empty() {
            lines.empty_password |= name == "password";
        } else if let Some(first) = place {
            if first != value {
                notes.push(format!(
                    "wifi.txt, line {number}, is not used: {name} stands in a line above already"
                ));
            }
        } else {
            *place = Some(value.to_owned());
        }
    }
    lines
}

/// Whether a password seems to stand in a text that should be something else.
fn holds_password(text: &str) -> bool {
    let text = text.to_lowercase();
    PASSWORD_WORDS.iter().any(|word| {
        text.match_indices(word).any(|(at, _)| {
            let (before, after) = text.split_at(at);
            // Names such as "Monkey: business" are none with a key.
            let in_word = matches!(*word, "key" | "pass") && before.ends_with(char::is_alphanumeric);
            is_value_of(word, after, if in_word { &SIGNS[..2] } else { &SIGNS })
        })
    })
}

/// Whether a text begins with `word` and one of `signs`.
fn is_value_of(word: &str, text: &str, signs: &[char]) -> bool {
    text.strip_prefix(word).is_some_and(|rest| trim(rest).starts_with(signs))
}

/// Names a word, unless it could be a part of a password that somebody wrote alone.
fn unknown(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphabetic() || matches!(letter, '_' | '-' | ' ');
    if (1..=LONGEST_WORD).contains(&word.len()) && word.chars().all(plain) {
        format!("the word \"{word}\" is not known")
    } else {
        "it begins with no word that is known".to_owned()
    }
}

/// Without the white space around it, and the marks that editors leave unseen.
fn trim(text: &str) -> &str {
    text.trim_matches(|letter: char| {
        letter.is_whitespace() || matches!(letter, '\u{feff}' | '\u{200b}' | '\u{200e}' | '\u{200f}')
    })
}

/// Without one pair of quotation marks around it, if it has one.
fn unquoted(value: &str) -> &str {
    const PAIRS: [(char, char); 7] = [
        ('"', '"'),
        ('\'', '\''),
        ('\u{201c}', '\u{201d}'),
        ('\u{201e}', '\u{201c}'),
        ('\u{201d}', '\u{201d}'),
        ('\u{2018}', '\u{2019}'),
        ('\u{ab}', '\u{bb}'),
    ];
    let inner = |(left, right)| value.strip_prefix::<char>(left)?.strip_suffix::<char>(right);
    PAIRS.into_iter().find_map(inner).unwrap_or(value)
}

fn country_code(written: &str, notes: &mut Vec<String>) -> Option<String> {
    let code = written.to_ascii_uppercase();
    if code == "UK" {
        notes.push("wifi.txt: country=UK is not a code; GB is used, which is what it means".to_owned());
        return Some("GB".to_owned());
    }
    if countries::is_code(&code) {
        return Some(code);
    }
    notes.push(
        "wifi.txt: the line country=... is not used: write the two letters of the country, such as DE for Germany, GB for the \
         United Kingdom or US; without them the box uses only the channels that are permitted everywhere"
            .to_owned(),
    );
    None
}

/// The key as wpa_supplicant wants it: 64 digits, or the password in quotation marks, of which the first and the last count.
fn key(password: &str) -> Result<String, String> {
    if password.len() == KEY_DIGITS && password.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Ok(password.to_ascii_lowercase());
    }
    if !PASSWORD.contains(&password.len()) {
        let (unit, hint) = if password.is_ascii() {
            ("letters", "")
        } else {
            ("bytes", "; letters with accents count two or more")
        };
        return Err(format!(
            "the password of a Wi-Fi has {} to {} {unit}, or is a key of {KEY_DIGITS} hexadecimal digits, and this one has {}{hint}",
            PASSWORD.start(),
            PASSWORD.end(),
            password.len()
        ));
    }
    if password.chars().any(char::is_control) {
        return Err("the password holds a character that cannot be typed, such as a tab".to_owned());
    }
    Ok(format!("\"{password}\""))
}

/// What keeps the box out of its Wi-Fi at this moment; `None`: nothing, it is in. `settings` is what [`read`] made, `report` what
/// `wpa_cli` answers to `status`, `list_networks`, `scan_results` and `get_capability key_mgmt`, one behind the other.
pub fn trouble(settings: &str, report: &str) -> Option<String> {
    if report.lines().any(|line| line == "wpa_state=COMPLETED") {
        return None;
    }
    let digits = settings.lines().find_map(|line| line.trim().strip_prefix("ssid="))?;
    let asks_password = settings.contains("psk=");
    let name = escaped(digits);
    // Address, frequency, strength, flags, name.
    let found: Vec<(&str, &str)> = report
        .lines()
        .filter_map(|line| {
            let mut fields = line.splitn(5, '\t').skip(3);
            Some((fields.next()?, fields.next()?))
        })
        .collect();
    let ours: Vec<&str> = found.iter().filter(|(_, other)| *other == name).map(|(flags, _)| *flags).collect();
    let any = |part: &str| ours.iter().any(|flags| flags.contains(part));
    let why = if ours.is_empty() {
        let mut others: Vec<&str> =
            found.iter().map(|(_, other)| *other).filter(|other| !other.is_empty()).collect();
        others.sort_unstable();
        others.dedup();
        others.truncate(MOST_NAMES);
        if others.is_empty() {
            "no Wi-Fi is in reach; is it switched on, and near enough".to_owned()
        } else {
            format!(
                "it is not in reach; in reach are {}. Names must be written as they are there, capitals included",
                others.iter().map(|other| format!("\"{other}\"")).collect::<Vec<_>>().join(", ")
            )
        }
    } else if any("SAE") && !any("PSK") && !radio::speaks_wpa3(report) {
        "it speaks WPA3 only, which the box does not; set the router to WPA2, or to WPA2 and WPA3".to_owned()
    } else if any("PSK") || any("SAE") {
        if !asks_password {
            "it has a password; add the line password=... to wifi.txt".to_owned()
        } else if !any("PSK") && !settings.contains("sae_password=") {
            "it speaks WPA3 only, which needs the password itself and not the key of 64 digits; write it into wifi.txt".to_owned()
        } else if report.lines().any(|line| line.contains("TEMP-DISABLED")) {
            "it refuses the password of wifi.txt".to_owned()
        } else {
            "it is in reach, but has not let the box in yet; if that stays so, compare the password"
                .to_owned()
        }
    } else if any("EAP") {
        "it wants a user name beside the password (WPA Enterprise), which the box cannot give".to_owned()
    } else if any("OWE") || any("WEP") {
        "it has a protection that the box does not speak; set the router to WPA2".to_owned()
    } else if asks_password {
        "it has no password, but wifi.txt names one, so the box does not trust it".to_owned()
    } else {
        "it is in reach, but has not let the box in yet".to_owned()
    };
    Some(format!("the box is not in the Wi-Fi \"{name}\": {why}"))
}

/// A name in hexadecimal digits as `wpa_cli` writes it.
fn escaped(digits: &str) -> String {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let mut name = String::new();
    for byte in digits.as_bytes().chunks(2).filter_map(byte) {
        let _ = match byte {
            b'"' | b'\\' => write!(name, "\\{}", char::from(byte)),
            b'\n' => write!(name, "\\n"),
            b'\r' => write!(name, "\\r"),
            b'\t' => write!(name, "\\t"),
            0x1b => write!(name, "\\e"),
            b' '..=b'~' => write!(name, "{}", char::from(byte)),
            _ => write!(name, "\\x{byte:02x}"),
        };
    }
    name
}

#[cfg(test)]
mod tests;
