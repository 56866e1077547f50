//! Shard: the list from which the Client learns where the game's services are.

use crate::config::{HostName, Shard};
use crate::services::Ports;
use std::net::IpAddr;

/// The name by which a Client is to find every service: the configured one, else the one by which it found us
/// (its `Host` header, if that is a sound name), else the address at which its connection arrived. So home
/// network, VPN and loopback work alike.
pub fn reached_as(configured: Option<&HostName>, header: Option<&str>, local: IpAddr) -> HostName {
    configured
        .cloned()
        .or_else(|| header.and_then(HostName::from_header))
        .unwrap_or_else(|| HostName::from_address(local))
}

/// The shard list: one section in the captured order, indentation and line ends, none at the end (*captured*).
/// `DiagnosticServer` is the SSL server without TLS. `StatusId` 0 is the only value known to mean that the shard can be entered.
pub fn list(shard: &Shard, host: &HostName, ports: &Ports, population: usize) -> String {
    let Shard { name, id, max_personas, description, group, ticker: _, time_zone: _ } = shard;
    let Ports { login, lobby, http, .. } = ports;
    let description = if description.is_empty() { name } else { description };
    [
        format!("[{name}]"),
        format!("Description={description}"),
        format!("ShardId={id}"),
        format!("LoginServerIP={host}"),
        format!("LoginServerPort={login}"),
        format!("LobbyServerIP={host}"),
        format!("LobbyServerPort={lobby}"),
        format!("MCOTSServerIP={host}"),
        "StatusId=0".to_owned(),
        "Status_Reason=".to_owned(),
        format!("ServerGroup_Name={group}"),
        format!("Population={population}"),
        format!("MaxPersonasPerUser={max_personas}"),
        format!("DiagnosticServerHost={host}"),
        format!("DiagnosticServerPort={http}"),
    ]
    .join("\n      ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use mco_proto::ids::ShardId;

    #[test]
    fn the_list_is_the_captured_one_byte_for_byte() {
        let shard = Shard {
            name: "The Clocktower".to_owned(),
            id: ShardId(44),
            max_personas: 2,
            description: String::new(),
            ticker: String::new(),
            group: "Group-1".to_owned(),
            ..Shard::default()
        };
        let host = HostName::parse("rusty-motors.com").unwrap();
        let ports = Ports { login: 8226, lobby: 7003, http: 80, ..Ports::default() };
        let captured = concat!(
            "[The Clocktower]\n",
            "      Description=The Clocktower\n",
            "      ShardId=44\n",
            "      LoginServerIP=rusty-motors.com\n",
            "      LoginServerPort=8226\n",
            "      LobbyServerIP=rusty-motors.com\n",
            "      LobbyServerPort=7003\n",
            "      MCOTSServerIP=rusty-motors.com\n",
            "      StatusId=0\n",
            "      Status_Reason=\n",
            "      ServerGroup_Name=Group-1\n",
            "      Population=88\n",
            "      MaxPersonasPerUser=2\n",
            "      DiagnosticServerHost=rusty-motors.com\n",
            "      DiagnosticServerPort=80",
        );
        assert_eq!(list(&shard, &host, &ports, 88), captured);
    }

    #[test]
    fn a_description_of_its_own_is_shown() {
        let shard = Shard { description: "Sundays only".to_owned(), ..Shard::default() };
        let text = list(&shard, &HostName::parse("a").unwrap(), &Ports::default(), 0);
        assert!(text.starts_with("[Motor City]\n      Description=Sundays only\n"), "{text}");
    }

    #[test]
    fn the_configured_name_wins_then_a_sound_host_header_then_the_local_address() {
        let local = "::ffff:192.168.1.5".parse().unwrap();
        let configured = HostName::parse("mco.lan");
        assert_eq!(reached_as(configured.as_ref(), Some("other"), local).as_str(), "mco.lan");
        assert_eq!(reached_as(None, Some("mcos.local:8080"), local).as_str(), "mcos.local");
        assert_eq!(reached_as(None, Some("x\nLobbyServerIP=evil"), local).as_str(), "192.168.1.5");
        assert_eq!(reached_as(None, Some("[Evil]"), local).as_str(), "192.168.1.5");
        assert_eq!(reached_as(None, None, local).as_str(), "192.168.1.5");
    }
}
