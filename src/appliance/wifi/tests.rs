//! What becomes of what people write.

use super::*;

/// What the settings say about the network, or what the last note says if there are none.
fn came_to(file: &[u8]) -> Result<String, String> {
    let Wifi { settings, notes } = read(file.to_vec());
    settings.ok_or_else(|| notes.last().cloned().unwrap_or_default())
}

fn joined(country: &str, name: &str, protection: &str) -> String {
    let country = if country.is_empty() { String::new() } else { format!("country={country}\n") };
    let name = HEXLOWER.encode(name.as_bytes());
    let entry =
        |protection: &str| format!("network={{\n    ssid={name}\n    scan_ssid=1\n    {protection}\n}}\n");
    // A password, other than a key, is one for WPA3 as well.
    let (ways, second) = match protection.split_once("psk=\"") {
        Some((_, password)) => {
            ("sae_pwe=2\n", entry(&format!("key_mgmt=SAE\n    ieee80211w=2\n    sae_password=\"{password}")))
        }
        None => ("", String::new()),
    };
    format!("ctrl_interface=/run/wpa_supplicant\n{ways}{country}{}{second}", entry(protection))
}

/// What `wpa_cli` says of a radio that speaks WPA3.
const WPA3: &str = "NONE IEEE8021X WPA-EAP WPA-PSK SAE\n";
const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[test]
fn a_file_is_used_whatever_editor_wrote_it() {
    let text = "country=de\nnetwork=M\u{fc}ller's WLAN\npassword=longpass12\n";
    let wanted = joined("DE", "M\u{fc}ller's WLAN", "key_mgmt=WPA-PSK\n    psk=\"longpass12\"");
    let wide = |text: &str, unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
    let spaced =
        "\u{feff}  country = DE \n\n# ours\n Network =\u{a0}M\u{fc}ller's WLAN\t\nPASSWORD=  longpass12  ";
    let quoted = "country=\"DE\"\nnetwork='M\u{fc}ller's WLAN'\npassword=\u{201c}longpass12\u{201d}";
    let colons = "country: DE\nnetwork: M\u{fc}ller's WLAN\npassword: longpass12";
    for text in [text, spaced, quoted, colons] {
        for ends in ["\n", "\r\n", "\r", "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}"] {
            let text = text.replace('\n', ends);
            for file in [
                text.clone().into_bytes(),
                format!("\u{feff}{text}").into_bytes(),
                wide(&format!("\u{feff}{text}"), u16::to_le_bytes),
                wide(&format!("\u{feff}{text}"), u16::to_be_bytes),
            ] {
                let wifi = read(file);
                assert_eq!(wifi.settings.as_ref(), Some(&wanted), "{text:?}: {wifi:?}");
                assert_eq!(wifi.notes, Vec::<String>::new(), "{text:?}");
            }
        }
    }
}

#[test]
fn names_and_passwords_are_taken_as_they_are_meant() {
    let long = "n".repeat(32);
    for (file, wanted) in [
        // The digits of a key are the key.
        (format!("network=H\npassword={KEY}"), joined("", "H", &format!("key_mgmt=WPA-PSK\n    psk={KEY}"))),
        (
            format!("network=H\npassword={}", KEY.to_uppercase()),
            joined("", "H", &format!("key_mgmt=WPA-PSK\n    psk={KEY}")),
        ),
        // 63 of them are a password.
        (
            format!("network=H\npassword={}", &KEY[1..]),
            joined("", "H", &format!("key_mgmt=WPA-PSK\n    psk=\"{}\"", &KEY[1..])),
        ),
        // Behind the first sign everything is the value.
        (
            "network=a=b:c\npassword=x=y:z#\"12".into(),
            joined("", "a=b:c", "key_mgmt=WPA-PSK\n    psk=\"x=y:z#\"12\""),
        ),
        // Quotation marks keep spaces, and other quotation marks.
        (
            "network=\" H \"\npassword=\"\"quoted\"\"".into(),
            joined("", " H ", "key_mgmt=WPA-PSK\n    psk=\"\"quoted\"\""),
        ),
        (
            format!("network={long}\npassword=longpass12"),
            joined("", &long, "key_mgmt=WPA-PSK\n    psk=\"longpass12\""),
        ),
        // No line with a password, and none that could be one: an open network is what was asked for.
        ("country=US\nnetwork=H".into(), joined("US", "H", "key_mgmt=NONE")),
        ("network=Monkey: business".into(), joined("", "Monkey: business", "key_mgmt=NONE")),
    ] {
        assert_eq!(came_to(file.as_bytes()), Ok(wanted), "{file:?}");
    }
}

#[test]
fn a_file_that_is_not_understood_joins_nothing_and_says_why() {
    for (file, why) in [
        ("country=DE\nnetwork=H\npasswort=longpass12", "less protection"),
        ("network=H\nlongpass12", "less protection"),
        ("network={\n    ssid=\"H\"\n    psk=\"longpass12\"\n}", "less protection"),
        ("network=H\npassword=", "password is empty"),
        ("network=H\npassword=\"\"", "password is empty"),
        (
            "network=H\npassword=short",
            "has 8 to 63 letters, or is a key of 64 hexadecimal digits, and this one has 5",
        ),
        (
            "network=H\npassword=\u{fc}\u{fc}\u{fc}x",
            "8 to 63 bytes, or is a key of 64 hexadecimal digits, and this one has 7; letters with accents count two",
        ),
        (&format!("network=H\npassword={}x", &KEY[1..]), "and this one has 64"),
        (&format!("network=H\npassword={KEY}0"), "and this one has 65"),
        ("network=H\npassword=long\tpass", "cannot be typed"),
        (
            &format!("network={}\npassword=longpass12", "n".repeat(33)),
            "at most 32 bytes, and this one has 33",
        ),
        // 17 letters of two bytes.
        (&format!("network={}\npassword=longpass12", "\u{fc}".repeat(17)), "this one has 34"),
        ("", "no line network=NAME"),
        ("network=\npassword=longpass12", "no line network=NAME"),
        ("netzwerk=H\npassword=longpass12", "no line network=NAME"),
    ] {
        let said = came_to(file.as_bytes()).unwrap_err();
        assert!(said.starts_with("wifi.txt is not used, and the box joins no Wi-Fi: "), "{said}");
        assert!(said.contains(why), "{file:?}: {said}");
    }
    assert!(
        came_to(b"country=DE\nnetwork=M\xFCller\npassword=longpass12")
            .unwrap_err()
            .contains("line 2 is not UTF-8")
    );
    assert!(came_to(&vec![b'\n'; 70_000]).unwrap_err().contains("too large"));
}

#[test]
fn what_is_not_used_is_named_though_the_network_is_joined() {
    for (file, note, country) in [
        (
            "country=Germany\nnetwork=H\npassword=longpass12",
            "the line country=... is not used: write the two letters",
            "",
        ),
        ("country=EN\nnetwork=H\npassword=longpass12", "the line country=... is not used", ""),
        ("country=UK\nnetwork=H\npassword=longpass12", "GB is used", "GB"),
        ("ssid=G\nnetwork=H\npassword=longpass12", "line 1, is not used: the word \"ssid\" is not known", ""),
        (
            "network=H\nnetwork=G\npassword=longpass12",
            "line 2, is not used: network stands in a line above",
            "",
        ),
        ("network=H\npassword=longpass12\nhello", "line 3, is not used: it has no \"=\"", ""),
    ] {
        let wifi = read(file.into());
        let wanted = joined(country, "H", "key_mgmt=WPA-PSK\n    psk=\"longpass12\"");
        assert_eq!(wifi.settings, Some(wanted), "{file:?}: {wifi:?}");
        assert_eq!(wifi.notes.len(), 1, "{wifi:?}");
        assert!(wifi.notes[0].contains(note), "{wifi:?}");
    }
}

#[test]
fn a_password_is_never_taken_for_a_part_of_the_name() {
    for between in [" ", ", ", ";", "; ", "|", "\t", "\\n", "/", ""] {
        for word in ["password", "Passwort", "PSK", "Kennwort", "passphrase"] {
            for sign in ["=", " = ", ":", "\u{ff1d}"] {
                for more in ["", "\npassword=another99"] {
                    let wifi = read(format!("network=Home{between}{word}{sign}hunter2long{more}").into());
                    assert_eq!(wifi.settings, None, "{between:?} {word}{sign}");
                    assert!(wifi.notes[0].contains("seems to hold the password as well"), "{wifi:?}");
                    assert!(!format!("{wifi:?}").contains("hunter2"), "{wifi:?}");
                }
            }
        }
    }
    assert!(came_to(b"network=Home key=hunter2long").unwrap_err().contains("seems to hold the password"));
    // A list in one line.
    assert!(
        came_to(b"country=DE network=Home password=hunter2long")
            .unwrap_err()
            .contains("no line network=NAME")
    );
}

#[test]
fn a_password_that_is_a_comment_is_named() {
    for comment in [";password=hunter2long", "# Password : hunter2long", "##psk=hunter2long"] {
        let wifi = read(format!("network=H\n{comment}\n").into());
        assert_eq!(wifi.settings, Some(joined("", "H", "key_mgmt=NONE")), "{wifi:?}");
        assert!(
            wifi.notes.len() == 1 && wifi.notes[0].contains("line 2, with a password, is a comment"),
            "{wifi:?}"
        );
        assert!(!wifi.notes[0].contains("hunter2"), "{wifi:?}");
        let wifi = read(format!("network=H\n{comment}\npassword=longpass12\n").into());
        assert_eq!(wifi.notes, Vec::<String>::new());
    }
    assert_eq!(read("network=H\n# no password here".into()).notes, Vec::<String>::new());
}

#[test]
fn no_note_holds_a_password() {
    for file in [
        "network=H\nhunter2longpass",
        "network=H\nhunter2=longpass",
        "network=H\npasswort=hunter2longpass",
        "network=H\npassword=a\npassword=hunter2longpass",
        "network=H\npassword=hunter2\x07longpass",
        "country=hunter2longpass\nnetwork=H\npassword=hunter2longpass",
    ] {
        let wifi = read(file.into());
        assert!(!wifi.notes.is_empty());
        assert!(!format!("{wifi:?}").contains("hunter2"), "{wifi:?}");
    }
    assert!(read("x\n".repeat(1000).into()).notes.len() <= MOST_NOTES);
}

#[test]
fn what_keeps_the_box_out_is_told_from_what_it_hears() {
    let asks = read("network=H \u{fc}\npassword=longpass12".into()).settings.unwrap();
    let open = read("network=H \u{fc}".into()).settings.unwrap();
    let key = read(format!("network=H \u{fc}\npassword={KEY}").into()).settings.unwrap();
    let report = |state: &str, listed: &str, flags: &str, name: &str| {
        format!(
            "wpa_state={state}\nnetwork id / ssid / bssid / flags\n0\tH \\xc3\\xbc\tany\t{listed}\n\
             bssid / frequency / signal level / flags / ssid\n02:00:00:00:00:00\t2412\t-50\t[WPA2-PSK-CCMP][ESS]\tOther\n\
             02:00:00:00:00:01\t2412\t-60\t{flags}[ESS]\t{name}\n"
        )
    };
    let ours = "H \\xc3\\xbc";
    for (settings, report, wanted) in [
        (&asks, report("SCANNING", "[CURRENT]", "[WPA2-SAE-CCMP]", ours), "WPA3 only"),
        (
            &asks,
            report("SCANNING", "[CURRENT]", "[WPA2-SAE-CCMP]", "h"),
            "not in reach; in reach are \"Other\", \"h\"",
        ),
        (
            &asks,
            report("DISCONNECTED", "[TEMP-DISABLED]", "[WPA2-PSK+SAE-CCMP]", ours),
            "refuses the password",
        ),
        (&asks, report("SCANNING", "[CURRENT]", "[WPA2-PSK-CCMP]", ours), "compare the password"),
        (&asks, report("SCANNING", "[CURRENT]", "[WPA2-SAE-CCMP]", ours) + WPA3, "compare the password"),
        (
            &asks,
            report("SCANNING", "[TEMP-DISABLED]", "[WPA2-SAE-CCMP]", ours) + WPA3,
            "refuses the password",
        ),
        (&open, report("SCANNING", "[CURRENT]", "[WPA2-SAE-CCMP]", ours) + WPA3, "add the line password="),
        (&key, report("SCANNING", "[CURRENT]", "[WPA2-SAE-CCMP]", ours) + WPA3, "not the key of 64 digits"),
        (&asks, report("SCANNING", "[CURRENT]", "[WPA2-EAP-CCMP]", ours), "user name"),
        (&asks, report("SCANNING", "[CURRENT]", "", ours), "does not trust it"),
        (&open, report("SCANNING", "[CURRENT]", "[WPA2-PSK-CCMP]", ours), "add the line password="),
        (&asks, "wpa_state=SCANNING\n".to_owned(), "no Wi-Fi is in reach"),
        (&asks, String::new(), "no Wi-Fi is in reach"),
    ] {
        let said = trouble(settings, &report).unwrap();
        assert!(
            said.starts_with("the box is not in the Wi-Fi \"H \\xc3\\xbc\": ") && said.contains(wanted),
            "{said}"
        );
    }
    assert_eq!(trouble(&asks, &report("COMPLETED", "[CURRENT]", "[WPA2-PSK-CCMP]", ours)), None);
}
