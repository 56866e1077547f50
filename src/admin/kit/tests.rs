use super::*;
use crate::config::Config;
use std::io::Read as _;

fn kit(host: &str) -> Kit {
    Kit {
        host: HostName::parse(host).unwrap(),
        address: Some(Ipv4Addr::new(192, 168, 1, 5)),
        ports: Ports::from(&Config::default().network),
        public_key: "30819f".repeat(54),
        certificate: Some(Certificate::from_der(b"a certificate")),
    }
}

fn file(kit: &Kit, name: &str) -> String {
    let files = kit.files().unwrap();
    let (_, content) = files.iter().find(|(found, _)| *found == name).unwrap();
    String::from_utf8(content.clone()).unwrap()
}

#[test]
fn the_kit_holds_what_a_player_needs_and_the_same_bytes_each_time() {
    let kit = kit("mcos.local");
    let bytes = kit.zip().unwrap();
    assert_eq!(bytes, kit.zip().unwrap());
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut names: Vec<String> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    names.sort_unstable();
    let expected = [
        "READ ME.txt",
        "mcos-32bit.reg",
        "mcos-64bit.reg",
        "mcos-ca.crt",
        "mcos-ca.reg",
        "pub.key",
        "setup.bat",
        "undo.bat",
    ];
    assert_eq!(names, expected);
    let mut key = String::new();
    zip.by_name("pub.key").unwrap().read_to_string(&mut key).unwrap();
    assert_eq!(key, kit.public_key, "no line end behind the key");
}

#[test]
fn every_text_is_ascii_with_the_line_ends_of_windows() {
    for host in ["mcos.local", "192.168.1.5"] {
        for (name, content) in kit(host).files().unwrap() {
            let text = String::from_utf8(content).unwrap();
            assert!(text.is_ascii(), "{name}");
            if name != "pub.key" {
                assert!(text.ends_with("\r\n"), "{name}");
                assert!(!text.replace("\r\n", "").contains(['\n', '\r']), "{name}");
            }
        }
    }
}

/// What `cmd.exe` makes of the percent signs of a line, or why it would stumble. Only the forms that the scripts use:
/// `%NAME%` with changes behind a colon, `%1` and its kin, and `%%X` in loops.
fn percents(line: &str) -> Result<(), String> {
    let mut rest = line;
    while let Some(at) = rest.find('%') {
        let after = &rest[at + 1..];
        rest = if let Some(letter) = after.strip_prefix('%') {
            if !letter.starts_with(|c: char| c.is_ascii_uppercase()) {
                return Err("a doubled percent sign without a letter".to_owned());
            }
            &letter[1..]
        } else if let Some(modified) = after.strip_prefix('~') {
            let letters = modified.trim_start_matches(|c: char| c.is_ascii_lowercase());
            letters.strip_prefix(|c: char| c.is_ascii_digit()).ok_or("a modifier without a number")?
        } else if after.starts_with(|c: char| c.is_ascii_digit() || c == '*') {
            &after[1..]
        } else {
            let (name, rest) = after.split_once('%').ok_or("an open percent sign")?;
            let name = name.split(':').next().unwrap();
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return Err(format!("{name:?} is no variable"));
            }
            rest
        };
    }
    Ok(())
}

#[test]
fn the_scripts_are_sound_for_cmd_exe() {
    for host in ["mcos.local", "192.168.1.5"] {
        for name in ["setup.bat", "undo.bat"] {
            let script = file(&kit(host), name);
            let labels: Vec<&str> = script.lines().filter_map(|line| line.strip_prefix(':')).collect();
            for line in script.lines() {
                assert!(!line.contains("{{") && !line.contains("{%"), "{name}: {line}");
                assert!(line.len() < 200, "{name}: {line}");
                if line.starts_with("rem ") {
                    continue;
                }
                assert_eq!(percents(line), Ok(()), "{name}: {line}");
                // All but `""%~f0" %*"` and the substitution of quotes pair them.
                let odd = line.matches('"').count() % 2 == 1;
                assert!(!odd || line.contains(":\"="), "{name}: {line}");
                // A digit in front of an arrow would be taken for the number of a stream.
                let before = line.split(" >").next().unwrap();
                assert!(line.starts_with(">>") || !before.ends_with(char::is_numeric) || before == line);
                for target in line.split("goto ").skip(1) {
                    let target = target.split_whitespace().next().unwrap();
                    assert!(target == ":eof" || labels.contains(&target), "{name}: no label {target}");
                }
                if let Some(target) = line.strip_prefix("call :") {
                    assert!(labels.contains(&target.split_whitespace().next().unwrap()), "{name}: {line}");
                }
            }
        }
    }
}

#[test]
fn setup_writes_the_half_of_the_registry_that_the_game_reads_and_undo_puts_both_back() {
    let kit = kit("mcos.local");
    let (setup, undo) = (file(&kit, "setup.bat"), file(&kit, "undo.bat"));
    assert!(setup.contains("set \"REGFILE=mcos-64bit.reg\""));
    assert!(setup.contains("if /i \"%PROCESSOR_ARCHITECTURE%\"==\"x86\" set \"REGFILE=mcos-32bit.reg\""));
    for (half, root) in [("32", "HKLM\\SOFTWARE"), ("64", "HKLM\\SOFTWARE\\WOW6432Node")] {
        assert!(setup.contains(&format!("call :keep {half} \"{root}\"")), "{half}");
        assert!(undo.contains(&format!("call :restore {half} \"{root}\"")), "{half}");
    }
    for key in ["EACom\\AuthAuth", "Electronic Arts\\Motor City", "Electronic Arts\\Network Play System"] {
        for view in ["mcos-32bit.reg", "mcos-64bit.reg"] {
            assert!(file(&kit, view).contains(&format!("\\{key}]")), "{view}: {key}");
        }
        assert!(setup.contains(&format!("reg export \"%~2\\{key}\"")));
        assert!(undo.contains(&format!("call :put_back \"%~2\\{key}\"")));
    }
    let thumbprint = kit.certificate.as_ref().unwrap().thumbprint();
    assert!(setup.contains(thumbprint) && undo.contains(thumbprint));
}

#[test]
fn only_a_name_is_offered_for_the_file_hosts() {
    assert!(file(&kit("mcos.local"), "setup.bat").contains("echo 192.168.1.5 mcos.local # mcos player kit"));
    assert!(!file(&kit("192.168.1.5"), "setup.bat").contains("write_host"));
}

#[test]
fn a_kit_without_certificate_says_so_and_has_none() {
    let kit = Kit { certificate: None, ..kit("mcos.local") };
    assert!(!kit.files().unwrap().iter().any(|(name, _)| name.starts_with("mcos-ca")));
    assert!(file(&kit, "READ ME.txt").contains("had no certificate when the kit was made"));
    assert!(!file(&kit, "setup.bat").contains("certutil"));
    assert!(!file(&kit, "undo.bat").contains("certutil"));
}

#[test]
fn an_ipv6_address_makes_no_kit() {
    let kit = Kit { host: HostName::from_header("[fd00::1]").unwrap(), ..kit("mcos.local") };
    assert!(matches!(kit.zip(), Err(KitError::Ipv6)));
}
