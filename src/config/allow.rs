//! `network.allow`: from where the server may be reached.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::Deserialize;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What stands for the IPv6 networks of this machine in the file.
const OWN_IPV6: &str = "own-ipv6";

/// A part of the world from which the server may be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Allowed {
    /// An IPv4 or IPv6 network, written as `192.168.0.0/16` or `fd00::1`.
    Network(IpNet),
    /// The networks of 64 bits in which this machine has IPv6 addresses, whatever they are today. Written `own-ipv6`.
    OwnIpv6,
}

impl Allowed {
    /// Reads one entry; `None` if it is none. IPv4 in the clothes of IPv6 is refused, because no network of it is meant as one.
    pub fn parse(text: &str) -> Option<Self> {
        if text == OWN_IPV6 {
            return Some(Self::OwnIpv6);
        }
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()?;
        let is_mapped = matches!(network, IpNet::V6(v6) if v6.addr().to_ipv4_mapped().is_some());
        (!is_mapped).then(|| Self::Network(network.trunc()))
    }

    /// Whether it is all of IPv4 or of IPv6, and so the internet.
    pub fn is_everybody(self) -> bool {
        matches!(self, Self::Network(network) if network.prefix_len() == 0)
    }

    /// Whether it is a part of what is let in where the file says nothing.
    pub(super) fn is_at_home(self) -> bool {
        Self::home().into_iter().any(|home| match (home, self) {
            (Self::Network(home), Self::Network(network)) => home.contains(&network),
            (home, this) => home == this,
        })
    }

    /// Homes, and the VPNs on which people play: private addresses, those that a machine gives itself, those behind the NAT of a
    /// provider (which Tailscale uses), Hamachi, Radmin, and IPv6 at home.
    pub(super) fn home() -> Vec<Self> {
        let v4 = |a, b, prefix| Ipv4Net::new_assert(Ipv4Addr::new(a, b, 0, 0), prefix).into();
        let v6 =
            |first, prefix| Ipv6Net::new_assert(Ipv6Addr::from([first, 0, 0, 0, 0, 0, 0, 0]), prefix).into();
        let networks: [IpNet; 9] = [
            v4(10, 0, 8),
            v4(172, 16, 12),
            v4(192, 168, 16),
            v4(169, 254, 16),
            v4(100, 64, 10),
            v4(25, 0, 8),
            v4(26, 0, 8),
            v6(0xfc00, 7),
            v6(0xfe80, 10),
        ];
        networks.into_iter().map(Self::Network).chain([Self::OwnIpv6]).collect()
    }
}

impl TryFrom<String> for Allowed {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("this is no network")
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(f),
            Self::OwnIpv6 => f.write_str(OWN_IPV6),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_as_people_write_them() {
        for (written, read) in [
            ("192.168.0.0/16", "192.168.0.0/16"),
            ("192.168.1.20/24", "192.168.1.0/24"),
            ("203.0.113.9", "203.0.113.9/32"),
            ("FD00::1", "fd00::1/128"),
            ("2001:db8:1:2::/64", "2001:db8:1:2::/64"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("own-ipv6", "own-ipv6"),
        ] {
            assert_eq!(Allowed::parse(written).unwrap().to_string(), read);
        }
        for wrong in [
            "",
            "home",
            "192.168.1",
            "10.0.0.0/33",
            "10.0.0.0/",
            " 10.0.0.0/8",
            "::ffff:10.0.0.0/104",
            "a.example",
        ] {
            assert_eq!(Allowed::parse(wrong), None, "{wrong}");
        }
        assert!(Allowed::parse("::/0").unwrap().is_everybody() && !Allowed::OwnIpv6.is_everybody());
    }
}
