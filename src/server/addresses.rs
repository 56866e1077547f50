//! The addresses of this machine, those first by which others most likely reach it.

use std::cmp::Reverse;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

/// The IPv4 routes of this machine. `/proc/net` itself is hidden from a service that sees no more than its own process.
const ROUTES: &str = "/proc/self/net/route";
/// Where the system shows its interfaces.
const INTERFACES: &str = "/sys/class/net";

/// All addresses of this machine, without loopback, in no order.
pub(crate) fn all() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    interfaces.iter().filter(|found| !found.is_loopback()).map(if_addrs::Interface::ip).collect()
}

/// The IPv4 addresses of this machine, without loopback: first that of the interface with the default route, then those of
/// other cables and radios, then those of tunnels, bridges and the like.
pub(crate) fn own() -> Vec<Ipv4Addr> {
    let found: Vec<(String, Ipv4Addr)> = if_addrs::get_if_addrs()
        .unwrap_or_default()
        .into_iter()
        .filter(|found| !found.is_loopback())
        .filter_map(|found| match found.ip() {
            IpAddr::V4(address) => Some((found.name, address)),
            // The Client knows no IPv6, and such addresses change by the day.
            IpAddr::V6(_) => None,
        })
        .collect();
    let routes = fs::read_to_string(ROUTES).unwrap_or_default();
    in_order(found, default_interface(&routes), |interface| {
        // Tunnels, bridges and the like have no device behind them.
        Path::new(INTERFACES).join(interface).join("device").exists()
    })
}

fn in_order(
    mut found: Vec<(String, Ipv4Addr)>,
    default: Option<&str>,
    is_device: impl Fn(&str) -> bool,
) -> Vec<Ipv4Addr> {
    // An address that a machine gave itself, because nobody gave it one, leads nowhere as long as there is another.
    found.sort_by_cached_key(|(interface, address)| {
        (
            address.is_link_local(),
            Reverse(Some(interface.as_str()) == default),
            Reverse(is_device(interface)),
            *address,
        )
    });
    found.into_iter().map(|(_, address)| address).collect()
}

/// The interface of the default route, of the one with the lowest metric if there are several.
fn default_interface(routes: &str) -> Option<&str> {
    let default = |line: &str| -> bool {
        let mut fields = line.split_whitespace();
        fields.nth(1) == Some("00000000") && fields.nth(5) == Some("00000000")
    };
    let metric = |line: &&str| line.split_whitespace().nth(6).and_then(|metric| metric.parse::<u64>().ok());
    routes.lines().filter(|line| default(line)).min_by_key(metric)?.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTES: &str = "\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
tun0\t00000000\t0100000A\t0003\t0\t0\t0\t00000080\t0\t0\t0
wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
eth0\t00000000\t0100A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t0000A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
";

    #[test]
    fn the_default_route_is_that_with_the_lowest_metric() {
        assert_eq!(default_interface(ROUTES), Some("eth0"));
        assert_eq!(default_interface("Iface\tDestination\n"), None);
        assert_eq!(default_interface(""), None);
    }

    #[test]
    fn the_address_of_the_default_route_comes_first_and_those_of_tunnels_last() {
        let found = || -> Vec<(String, Ipv4Addr)> {
            [
                ("docker0", "172.17.0.1"),
                ("tun0", "10.8.0.2"),
                ("eth1", "169.254.3.4"),
                ("wlan0", "192.168.0.20"),
                ("eth0", "192.168.0.21"),
            ]
            .map(|(name, address)| (name.to_owned(), address.parse().unwrap()))
            .into()
        };
        let device = |name: &str| name.starts_with("eth") || name.starts_with("wlan");
        let words =
            |addresses: Vec<Ipv4Addr>| -> Vec<String> { addresses.iter().map(ToString::to_string).collect() };
        let all = words(in_order(found(), Some("eth0"), device));
        assert_eq!(all, ["192.168.0.21", "192.168.0.20", "10.8.0.2", "172.17.0.1", "169.254.3.4"]);
        let without = words(in_order(found(), None, device));
        assert_eq!(without, ["192.168.0.20", "192.168.0.21", "10.8.0.2", "172.17.0.1", "169.254.3.4"]);
        // Where all of the network goes through a tunnel, its address is the way in.
        assert_eq!(words(in_order(found(), Some("tun0"), device))[0], "10.8.0.2");
    }
}
