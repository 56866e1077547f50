//! The registry settings of the game, as the text of a `.reg` file.

use crate::config::HostName;
use crate::services::Ports;
use std::fmt::Write as _;

/// Which half of the registry the game, a 32-bit program, looks into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// On 32-bit Windows.
    Native,
    /// On 64-bit Windows.
    Wow64,
}

impl View {
    const fn root(self) -> &'static str {
        match self {
            Self::Native => r"HKEY_LOCAL_MACHINE\SOFTWARE",
            Self::Wow64 => r"HKEY_LOCAL_MACHINE\SOFTWARE\WOW6432Node",
        }
    }
}

/// A number instead of a text.
const ZERO: &str = "dword:00000000";

/// The settings of a Client for this server (*seen in use*), for these halves of the registry. In the older of the two
/// forms of such a file, which every Windows from 98 on reads, with its line ends.
pub fn registry(views: &[View], host: &HostName, ports: &Ports) -> String {
    let base = host.front_page(ports.http);
    // Without `http://` and the slash at the end.
    let site = base.trim_start_matches("http://").trim_end_matches('/');
    let port = ports.http.to_string();
    let auth: [(&str, &str); 2] = [("AuthLoginServer", host.as_str()), ("AuthLoginBaseService", "AuthLogin")];
    // The last two stand in the registry of a PC that works (*seen in use*). What they mean is not known.
    let service = [auth[0], auth[1], ("AuthLogin", "2176"), ("SSLRetry", ZERO)];
    let create_account = format!("{site}/SubscribeEntry.jsp?prodID=REG-MCO");
    let shard_url = format!("{base}ShardList/");
    let ticker_url = format!("{base}ticker");
    let keys: [(&str, &[(&str, &str)]); 5] = [
        (r"EACom\AuthAuth", &service),
        (
            r"Electronic Arts\Motor City",
            &[
                ("GamePatch", "games/EA_Seattle/MotorCity/MCO"),
                ("UpdateInfoPatch", "games/EA_Seattle/MotorCity/UpdateInfo"),
                ("NPSPatch", "games/EA_Seattle/MotorCity/NPS"),
                ("PatchServerIP", host.as_str()),
                ("PatchServerPort", &port),
                ("CreateAccount", &create_account),
                ("Language", "English"),
            ],
        ),
        (
            r"Electronic Arts\Motor City\1.0",
            &[("ShardUrl", &shard_url), ("ShardUrlDev", &shard_url), ("TickerUrl", &ticker_url)],
        ),
        (r"Electronic Arts\Motor City\AuthAuth", &auth),
        (r"Electronic Arts\Network Play System", &[("Log", "1")]),
    ];
    let mut text = "REGEDIT4\r\n".to_owned();
    for view in views {
        for (key, values) in keys {
            // Writing to a String cannot fail.
            let _ = write!(text, "\r\n[{}\\{key}]\r\n", view.root());
            for (name, data) in values {
                let _ = if *data == ZERO {
                    write!(text, "\"{name}\"={ZERO}\r\n")
                } else {
                    write!(text, "\"{name}\"=\"{}\"\r\n", data.replace('\\', r"\\").replace('"', "\\\""))
                };
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(views: &[View], host: &str, http: u16) -> String {
        registry(views, &HostName::parse(host).unwrap(), &Ports { http, ..Ports::default() })
    }

    #[test]
    fn the_values_seen_in_use_are_written_for_the_visited_host() {
        let text = text(&[View::Native], "192.168.1.5", 80);
        for line in [
            "REGEDIT4\r\n\r\n[",
            "[HKEY_LOCAL_MACHINE\\SOFTWARE\\EACom\\AuthAuth]\r\n\"AuthLoginServer\"=\"192.168.1.5\"\r\n",
            "\"AuthLoginBaseService\"=\"AuthLogin\"\r\n\"AuthLogin\"=\"2176\"\r\n\"SSLRetry\"=dword:00000000\r\n\r\n[",
            "\"PatchServerPort\"=\"80\"\r\n",
            "\"CreateAccount\"=\"192.168.1.5/SubscribeEntry.jsp?prodID=REG-MCO\"\r\n",
            "Motor City\\1.0]\r\n\"ShardUrl\"=\"http://192.168.1.5/ShardList/\"\r\n",
            "\"TickerUrl\"=\"http://192.168.1.5/ticker\"\r\n",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
        assert!(!text.contains("WOW6432Node"));
        assert!(!text.replace("\r\n", "").contains('\n'));
    }

    #[test]
    fn both_halves_are_written_when_both_are_asked_for() {
        let both = text(&[View::Native, View::Wow64], "mcos.local", 80);
        assert_eq!(both.matches("\\SOFTWARE\\WOW6432Node\\").count(), 5);
        assert_eq!(both.matches("[HKEY_LOCAL_MACHINE\\SOFTWARE\\").count(), 10);
        assert_eq!(both.matches("REGEDIT4").count(), 1);
    }

    #[test]
    fn an_unusual_port_is_named_wherever_the_game_asks_over_http() {
        let text = text(&[View::Wow64], "mcos.local", 8080);
        for part in [
            "=\"http://mcos.local:8080/ShardList/\"",
            "=\"http://mcos.local:8080/ticker\"",
            "=\"mcos.local:8080/SubscribeEntry.jsp?prodID=REG-MCO\"",
            "\"PatchServerPort\"=\"8080\"",
            "\"PatchServerIP\"=\"mcos.local\"",
            "\"AuthLoginServer\"=\"mcos.local\"",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
