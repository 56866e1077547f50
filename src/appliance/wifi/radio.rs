//! What the radio of a box hears, and `wifi.txt` as a page writes it.

use data_encoding::HEXLOWER;

/// The most networks that are told.
const MOST_NETWORKS: usize = 30;
/// What people hear of a name or a password with a letter that has no place in the file.
const ODD_LETTER: &str = "holds a character that cannot be typed, such as a line end";

/// What a radio hears.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// The name of the network that the box is in, if it is in one.
    pub joined: Option<String>,
    /// The networks in reach, the strongest first, each name once. Names that are no text, or hidden, are left out.
    pub networks: Vec<Network>,
}

/// A network in reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its name, without control characters.
    pub name: String,
    /// How loud it is, in dBm: -30 beside the router, -90 at the end of its reach.
    pub strength: i32,
    /// What it asks for.
    pub protection: Protection,
}

/// What a network asks of who joins it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Nothing.
    Open,
    /// A password, as WPA2 has it, or WPA3 where the radio speaks that.
    Password,
    /// Something that the box does not speak.
    Other,
}

/// Whether a radio speaks WPA3, by what `wpa_cli` answers to `get_capability key_mgmt`: a line of words, of which `WPA-PSK` is one in any
/// case.
pub(super) fn speaks_wpa3(report: &str) -> bool {
    report.lines().any(|line| {
        let has = |wanted: &str| line.split(' ').any(|word| word == wanted);
        has("WPA-PSK") && has("SAE")
    })
}

/// Reads what `wpa_cli` answers to `status`, `scan_results` and `get_capability key_mgmt`, for one radio or for several, one behind the
/// other.
pub fn heard(report: &str) -> Heard {
    let mut heard = Heard::default();
    let wpa3 = speaks_wpa3(report);
    let mut last = None;
    for line in report.lines() {
        if let Some(name) = line.strip_prefix("ssid=") {
            last = text(name);
        } else if let Some(state) = line.strip_prefix("wpa_state=") {
            let joined = last.take().filter(|_| state == "COMPLETED");
            heard.joined = heard.joined.or(joined);
        } else if let Some(network) = network(line, wpa3) {
            heard.networks.push(network);
        }
    }
    heard.networks.sort_by(|one, other| other.strength.cmp(&one.strength).then(one.name.cmp(&other.name)));
    let mut names = std::collections::BTreeSet::new();
    heard.networks.retain(|network| names.insert(network.name.clone()));
    heard.networks.truncate(MOST_NETWORKS);
    heard
}

/// Address, frequency, strength, flags, name.
fn network(line: &str, wpa3: bool) -> Option<Network> {
    let fields: Vec<&str> = line.splitn(5, '\t').collect();
    let [_, _, strength, flags, name] = fields.as_slice() else { return None };
    let protection = if flags.contains("PSK") || wpa3 && flags.contains("SAE") {
        Protection::Password
    } else if ["SAE", "EAP", "OWE", "WEP"].iter().any(|other| flags.contains(other)) {
        Protection::Other
    } else {
        Protection::Open
    };
    let name = text(name).filter(|name| !name.is_empty())?;
    Some(Network { name, strength: strength.parse().ok()?, protection })
}

/// A name as `wpa_cli` writes it; `None` if it is no text that a person can read.
fn text(escaped: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = escaped.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next()? {
            b'x' => {
                let digits = [rest.next()?, rest.next()?];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
            }
            sign @ (b'"' | b'\\') => bytes.push(sign),
            _ => return None,
        }
    }
    String::from_utf8(bytes).ok().filter(|name| !name.chars().any(char::is_control))
}

/// A `wifi.txt` with these values; an empty `country` or `password` is left out.
///
/// # Errors
/// What is wrong with them, as [`super::read`] says it of a file: a sentence for people, without a full stop and without the password.
pub fn file(country: &str, network: &str, password: &str) -> Result<String, String> {
    if network.is_empty() {
        return Err("choose the Wi-Fi, or type its name".to_owned());
    }
    for (what, value) in [("the country", country), ("the name", network), ("the password", password)] {
        if value.chars().any(|letter| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}')) {
            return Err(format!("{what} {ODD_LETTER}"));
        }
    }
    let mut file = String::new();
    // The quotation marks keep what begins or ends with a space or with such a mark itself.
    for (word, value) in [("country", country), ("network", network), ("password", password)] {
        if !value.is_empty() {
            file.extend([word, "=\"", value, "\"\r\n"]);
        }
    }
    let mut notes = Vec::new();
    let settings = super::settings(file.clone().into_bytes(), &mut notes)?.unwrap_or_default();
    if let Some(note) = notes.pop() {
        return Err(note.strip_prefix("wifi.txt: ").unwrap_or(&note).to_owned());
    }
    let digits = HEXLOWER.encode(network.as_bytes());
    let says = |line: &str| settings.lines().any(|written| written.trim() == line);
    if says(&format!("ssid={digits}")) && password.is_empty() != settings.contains("psk=") {
        Ok(file)
    } else {
        Err("this name or password cannot be written into a file".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_heard_is_told_once_by_its_name_and_the_strongest_first() {
        let report = "bssid / frequency / signal level / flags / ssid\n\
            02:00:00:00:00:01\t2412\t-70\t[WPA2-PSK-CCMP][ESS]\tGar\\xc3\\xa4ge \\\"57\\\"\n\
            02:00:00:00:00:02\t5180\t-50\t[WPA2-PSK-CCMP][WPS][ESS]\tGar\\xc3\\xa4ge \\\"57\\\"\n\
            02:00:00:00:00:03\t2412\t-40\t[ESS]\tCaf\\xc3\\xa9\n\
            02:00:00:00:00:04\t2412\t-90\t[WPA2-SAE-CCMP][ESS]\tNew\n\
            02:00:00:00:00:05\t2412\t-30\t[ESS]\t\n\
            02:00:00:00:00:06\t2412\t-30\t[ESS]\t\\xff\\xfe\n\
            02:00:00:00:00:07\t2412\t-30\t[ESS]\ta\\nb\n\
            02:00:00:00:00:08\t2412\tloud\t[ESS]\tLoud\n\
            02:00:00:00:00:09\t2412\t-60\t[WPA2-PSK+SAE-CCMP][ESS]\tBoth\\\\\n";
        let heard = heard(report);
        let told: Vec<_> =
            heard.networks.iter().map(|one| (one.name.as_str(), one.strength, one.protection)).collect();
        assert_eq!(
            told,
            [
                ("Caf\u{e9}", -40, Protection::Open),
                ("Gar\u{e4}ge \"57\"", -50, Protection::Password),
                ("Both\\", -60, Protection::Password),
                ("New", -90, Protection::Other),
            ]
        );
        assert_eq!(heard.joined, None);
        // A name is no capability, whatever it is.
        let named = report.to_owned() + "02:00:00:00:00:0a\t2412\t-91\t[ESS]\tWPA-PSK SAE X\n";
        let protection = |report: &str| {
            super::heard(report).networks.iter().find(|one| one.name == "New").map(|one| one.protection)
        };
        assert_eq!(protection(&named), Some(Protection::Other));
        assert_eq!(protection(&format!("{report}NONE WPA-PSK\n")), Some(Protection::Other));
        assert_eq!(
            protection(&format!("{report}NONE IEEE8021X WPA-EAP WPA-PSK SAE OWE\n")),
            Some(Protection::Password)
        );
        let many: Vec<String> =
            (0..99).map(|n| format!("02:00:00:00:00:01\t2412\t-{n}\t[ESS]\tnet {n}\n")).collect();
        assert_eq!(super::heard(&many.concat()).networks.len(), MOST_NETWORKS);
    }

    #[test]
    fn the_network_that_the_box_is_in_is_told_whichever_radio_it_is() {
        let away = "wpa_state=SCANNING\naddress=02:00:00:00:00:00\n";
        let inside = "bssid=02:00:00:00:00:01\nssid=Garage\nid=0\nkey_mgmt=WPA2-PSK\nwpa_state=COMPLETED\n";
        let knocking = "bssid=02:00:00:00:00:01\nssid=Other\nwpa_state=4WAY_HANDSHAKE\n";
        for (report, joined) in [
            (away.to_owned(), None),
            (knocking.to_owned(), None),
            (away.to_owned() + inside, Some("Garage")),
            (inside.to_owned() + away, Some("Garage")),
            (knocking.to_owned() + inside, Some("Garage")),
        ] {
            assert_eq!(heard(&report).joined.as_deref(), joined, "{report}");
        }
    }

    #[test]
    fn a_file_of_the_page_is_read_as_it_was_meant_or_is_none() {
        let settings = |file: &str| super::super::read(file.as_bytes().to_vec()).settings.unwrap();
        for (country, network, password) in [
            ("DE", "Garage", "longpass12"),
            ("", " \"Garage\" ", " longpass12 "),
            ("", "Caf\u{e9} #57", ""),
            ("us", "'x'", "\"quoted\"pass"),
        ] {
            let file = file(country, network, password).unwrap();
            let settings = settings(&file);
            assert!(settings.contains(&format!("ssid={}\n", HEXLOWER.encode(network.as_bytes()))), "{file}");
            let key =
                if password.is_empty() { "key_mgmt=NONE".to_owned() } else { format!("psk=\"{password}\"") };
            assert!(settings.contains(&key), "{settings}");
            assert_eq!(settings.contains("country="), !country.is_empty());
        }
        for (country, network, password, why) in [
            ("", "", "longpass12", "choose the Wi-Fi"),
            ("", "Garage", "short", "has 8 to 63 letters"),
            ("Germany", "Garage", "longpass12", "the two letters of the country"),
            ("UK", "Garage", "longpass12", "GB is used"),
            ("", "a\nnetwork=b", "longpass12", ODD_LETTER),
            ("", "Garage", "long\u{2028}pass12", ODD_LETTER),
            ("", "a name that is much too long for a Wi-Fi", "longpass12", "at most 32 bytes"),
            ("", "Garage password=longpass12", "", "a line each"),
        ] {
            let said = file(country, network, password).unwrap_err();
            assert!(said.contains(why) && !said.contains("longpass12"), "{said}");
        }
    }
}
