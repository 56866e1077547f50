use super::*;
use crate::config::Config;
use std::io::Read as _;

fn kit(host: &str) -> Kit {
    Kit {
        host: HostName::parse(host).unwrap(),
        address: Some(Ipv4Addr::new(192, 168, 1, 5)),
        // Not the host's own name: what the machine is called is what it answers to.
        netbios: MachineName::from_host("garage"),
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
        "kit.js",
        "mcos-32bit.reg",
        "mcos-64bit.reg",
        "mcos-ca.crt",
        "mcos-ca.reg",
        "pub.key",
        "setup.bat",
        "test.bat",
        "undo.bat",
        "update.bat",
        "update.js",
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
        for name in ["setup.bat", "undo.bat", "test.bat", "update.bat"] {
            let script = file(&kit(host), name);
            let labels: Vec<&str> = script.lines().filter_map(|line| line.strip_prefix(':')).collect();
            for line in script.lines() {
                assert!(!line.contains("{{") && !line.contains("{%"), "{name}: {line}");
                assert!(line.len() < 200, "{name}: {line}");
                if line.starts_with("rem ") {
                    continue;
                }
                assert_eq!(percents(line), Ok(()), "{name}: {line}");
                assert!(line.matches('"').count().is_multiple_of(2), "{name}: {line}");
                // A digit in front of an arrow would be taken for the number of a stream.
                let before = line.split(" >").next().unwrap();
                assert!(!before.ends_with(char::is_numeric) || before == line, "{name}: {line}");
                for target in line.split("goto ").skip(1) {
                    let target = target.split_whitespace().next().unwrap();
                    assert!(labels.contains(&target), "{name}: no label {target}");
                }
            }
        }
    }
}

/// What is typed, and the folder that the kit lies in, may hold any letter that means something to `cmd.exe`.
#[test]
fn the_scripts_write_out_nothing_that_a_person_chose() {
    for name in ["setup.bat", "undo.bat", "test.bat", "update.bat"] {
        let script = file(&kit("mcos.local"), name);
        assert!(script.contains("disabledelayedexpansion"));
        for line in script.lines().filter(|line| !line.starts_with("rem ")) {
            assert!(!line.contains("%MCOS_") && !line.contains("%*"), "{name}: {line}");
            for chosen in ["%KIT%", "%~dp0", "%~1", "%CSCRIPT%"] {
                for (at, _) in line.match_indices(chosen) {
                    let quotes = line[..at].matches('"').count();
                    assert!(quotes % 2 == 1, "{name}: {chosen} outside of quotation marks: {line}");
                }
            }
        }
    }
}

#[test]
fn the_scripts_give_windows_only_fixed_commands() {
    for (name, least) in [("kit.js", 11), ("update.js", 2)] {
        let script = file(&kit("mcos.local"), name);
        assert!(!script.contains("{{") && !script.contains("{%"));
        assert_eq!(script.matches("shell.Run(").count(), 1);
        let commands: Vec<&str> = script
            .lines()
            .filter(|line| line.contains("run(") && !line.starts_with("function run("))
            .collect();
        assert!(commands.len() >= least, "{name}");
        for line in commands {
            for part in line.split("run(").skip(1) {
                let parameters = part.splitn(3, ", ").nth(2).unwrap();
                for chosen in ["folder", "typed", "target", "environment", "places", "path", "entry"] {
                    assert!(!parameters.contains(chosen), "{line}");
                }
            }
        }
    }
}

#[test]
fn setup_writes_the_half_of_the_registry_that_the_game_reads() {
    let kit = kit("mcos.local");
    let script = file(&kit, "kit.js");
    assert!(script.contains(r#"REGFILE = IS_32_BIT ? "mcos-32bit.reg" : "mcos-64bit.reg""#));
    assert!(script.contains(r#"HALF = IS_32_BIT ? "HKLM\\SOFTWARE" : "HKLM\\SOFTWARE\\WOW6432Node""#));
    let thumbprint = kit.certificate.as_ref().unwrap().thumbprint();
    assert!(script.contains(&format!("THUMBPRINT = \"{thumbprint}\"")));
}

#[test]
fn a_kit_for_a_name_of_multicast_dns_says_who_needs_another_one() {
    let pages = "http://GARAGE/kit or http://192.168.1.5/kit";
    for host in ["mcos.local", "MCOS.LOCAL"] {
        for name in ["READ ME.txt", "setup.bat"] {
            let text = file(&kit(host), name);
            assert!(text.contains("8 do not find") && text.contains(pages), "{host}: {name}: {text}");
        }
    }
    let nameless = Kit { netbios: None, address: None, ..kit("mcos.local") };
    assert!(file(&nameless, "READ ME.txt").contains("8 do not find"));
    let network = Network { name: "Car-Shed.lan".to_owned(), ..Config::default().network };
    assert_eq!(netbios_name(&network, "mcos"), MachineName::from_host("CAR-SHED"));
    assert_eq!(netbios_name(&Network { netbios: false, ..network.clone() }, "mcos"), None);
    let unnamed = Network { name: String::new(), ..network };
    assert_eq!(netbios_name(&unnamed, "mcos3"), MachineName::from_host("MCOS3"));
    for host in ["MCOS", "192.168.1.5", "mco.example.org"] {
        for name in ["READ ME.txt", "setup.bat"] {
            assert!(!file(&kit(host), name).contains("8 do not find"), "{host}: {name}");
        }
    }
}

#[test]
fn a_kit_without_the_port_of_auth_says_that_nobody_can_sign_in() {
    let mut kit = kit("192.168.1.5");
    for name in ["READ ME.txt", "setup.bat"] {
        assert!(!file(&kit, name).contains("For the person who runs the server"));
        assert!(!file(&kit, name).contains("cannot sign in without it"));
    }
    kit.ports.https = 8443;
    for name in ["READ ME.txt", "setup.bat"] {
        let text = file(&kit, name);
        assert!(
            text.contains("on port 8443, but the game knows only 443 and cannot sign in"),
            "{name}: {text}"
        );
    }
}

#[test]
fn only_a_name_is_offered_for_the_file_hosts() {
    assert!(file(&kit("mcos.local"), "kit.js").contains("HOSTS_LINE = \"192.168.1.5 mcos.local\""));
    assert!(file(&kit("192.168.1.5"), "kit.js").contains("HOSTS_LINE = \"\""));
    assert!(!file(&kit("192.168.1.5"), "setup.bat").contains("ping"));
}

#[test]
fn a_kit_without_certificate_says_so_and_has_none() {
    let kit = Kit { certificate: None, ..kit("mcos.local") };
    assert!(!kit.files().unwrap().iter().any(|(name, _)| name.starts_with("mcos-ca")));
    assert!(file(&kit, "READ ME.txt").contains("had no certificate when the kit was made"));
    assert!(file(&kit, "kit.js").contains("THUMBPRINT = \"\""));
}

#[test]
fn an_ipv6_address_makes_no_kit() {
    let kit = Kit { host: HostName::from_header("[fd00::1]").unwrap(), ..kit("mcos.local") };
    assert!(matches!(kit.zip(), Err(KitError::Ipv6)));
}

#[test]
fn the_scripts_ask_for_the_rights_of_an_administrator_once_and_not_where_nobody_is_there_to_answer() {
    for (name, script) in [("setup", "kit.js"), ("undo", "kit.js"), ("update", "update.js")] {
        let bat = file(&kit("mcos.local"), &format!("{name}.bat"));
        let (_, rights) = bat.split_once(":no_rights\r\n").unwrap();
        let lines: Vec<&str> = rights.lines().collect();
        let asks = lines.iter().position(|line| line.contains("%KIT%\" elevate-%NAME%")).unwrap();
        for guard in ["if defined QUIET goto rights_in_words", "if defined AGAIN goto rights_in_words"] {
            assert!(lines.iter().position(|line| *line == guard).unwrap() < asks, "{name}: {guard}");
        }
        assert!(bat.contains("if /i \"%~1\"==\"/again\" set \"AGAIN=yes\""), "{name}");
        assert!(bat.contains(&format!("set \"NAME={name}\"")), "{name}");
        let js = file(&kit("mcos.local"), script);
        assert!(js.contains(&format!("case \"elevate-{name}\": return elevate(\"{name}.bat\");")), "{name}");
        assert!(js.contains("\"/again\", HERE, \"runas\""), "{script}");
    }
    let test = file(&kit("mcos.local"), "test.bat");
    assert!(!test.contains("elevate") && !test.contains("no_rights"), "it needs no rights");
}

#[test]
fn the_self_test_tries_the_ports_that_the_game_needs_and_knows_the_address_for_a_name() {
    let mut kit = kit("mcos.local");
    let js = file(&kit, "kit.js");
    assert!(js.contains("AUTH_PORT = 443, TEST_PORTS = [443, 8226, 8228, 7003, 43300, 9000];"), "{js}");
    assert!(js.contains("ADDRESS_BASE = \"http://192.168.1.5/\", ADDRESS = \"192.168.1.5\";"), "{js}");
    // What the game knows is 443, whatever this server could get.
    kit.ports = Ports { http: 8080, https: 8443, rooms: vec![9102, 9101], ..kit.ports };
    let js = file(&kit, "kit.js");
    assert!(js.contains("AUTH_PORT = 443, TEST_PORTS = [443, 8226, 8228, 7003, 43300, 9101];"), "{js}");
    assert!(js.contains("ADDRESS_BASE = \"http://192.168.1.5:8080/\""), "{js}");
    let js = file(&Kit { address: None, ..kit }, "kit.js");
    assert!(js.contains("ADDRESS_BASE = \"\", ADDRESS = \"\";"), "{js}");
}
