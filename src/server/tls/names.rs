//! All names and addresses by which this machine may be called.

use crate::server::published_name::published_name;
use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// More addresses than any home's server has; beyond, a certificate would grow without end.
const MOST_ADDRESSES: usize = 64;

/// Names and addresses, each once and in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    hosts: BTreeSet<String>,
    addresses: BTreeSet<IpAddr>,
    /// What people are told to type, if the Operator chose it.
    public_host: Option<String>,
}

impl Names {
    /// The names of this machine as it is now: `localhost`, its host name and the one that its network knows, with and without `.local`, `mcos.local`, the
    /// addresses of its interfaces, and the public name from the configuration, if there is one.
    pub fn of_this_machine(public_host: Option<&str>) -> Self {
        let mut names =
            Self::new(["localhost", "mcos.local"], [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        if let Some(host) = gethostname::gethostname().to_str() {
            names.add_host(host);
            // The part before the first dot is what multicast DNS announces, unless somebody else has that name already.
            names.add_host(&format!("{}.local", host.split('.').next().unwrap_or(host)));
        }
        if let Some(name) = published_name() {
            names.add_host(&name);
            names.add_host(&format!("{name}.local"));
        }
        match if_addrs::get_if_addrs() {
            // A link-local IPv6 address works only with its interface beside it, which no certificate can say.
            Ok(interfaces) => interfaces
                .iter()
                .filter(|interface| !(interface.ip().is_ipv6() && interface.is_link_local()))
                .for_each(|interface| names.add_address(interface.ip())),
            Err(error) => {
                log::warn!("this machine does not tell its addresses: {error}; certificates will lack them");
            }
        }
        if let Some(host) = public_host {
            names.add_host(host);
            names.public_host = Some(host.to_owned());
        }
        names
    }

    /// Exactly these.
    pub fn new<'a>(
        hosts: impl IntoIterator<Item = &'a str>,
        addresses: impl IntoIterator<Item = IpAddr>,
    ) -> Self {
        let mut names = Self::default();
        hosts.into_iter().for_each(|host| names.add_host(host));
        addresses.into_iter().for_each(|address| names.add_address(address));
        names
    }

    /// IPv4 in the form of IPv6 is taken as IPv4; one too many is left out.
    pub fn add_address(&mut self, address: IpAddr) {
        if self.addresses.len() < MOST_ADDRESSES {
            self.addresses.insert(address.to_canonical());
        }
    }

    /// These, and the addresses of `earlier` as far as there is room: where two addresses take turns, nothing changes any more once
    /// both were seen.
    #[must_use]
    pub fn with_addresses_of(&self, earlier: &Self) -> Self {
        let mut names = self.clone();
        earlier.addresses().for_each(|address| names.add_address(address));
        names
    }

    /// Adds a name; an address written as a name counts as an address, and what can be neither is left out.
    fn add_host(&mut self, host: &str) {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if let Ok(address) = host.parse() {
            self.add_address(address);
        } else if (1..=253).contains(&host.len()) && host.bytes().all(fits) && host != ".local" {
            self.hosts.insert(host.to_ascii_lowercase());
        } else {
            log::warn!("{host:?} cannot be the name of a server; certificates will lack it");
        }
    }

    /// Host names, lower case.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(String::as_str)
    }

    /// In ascending order, each once.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.addresses.iter().copied()
    }

    /// Whether `address` is among them.
    pub fn has_address(&self, address: IpAddr) -> bool {
        self.addresses.contains(&address.to_canonical())
    }

    /// The one name for fields that hold only one (at most 64 characters): what the Operator chose, or `mcos.local`.
    pub fn common_name(&self) -> &str {
        self.public_host.as_deref().filter(|host| host.len() <= 64).unwrap_or("mcos.local")
    }
}

/// All of them on one line, the public name first.
impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.public_host.as_deref().unwrap_or("-"))?;
        self.hosts.iter().try_for_each(|host| write!(f, " {host}"))?;
        self.addresses.iter().try_for_each(|address| write!(f, " {address}"))
    }
}

impl FromStr for Names {
    type Err = std::convert::Infallible;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let mut words = line.split_ascii_whitespace();
        let public_host = words.next().filter(|word| *word != "-").map(str::to_owned);
        Ok(Self { public_host, ..Self::new(words, []) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_called_localhost_among_others() {
        let names = Names::of_this_machine(Some("Race.example.org"));
        for host in ["localhost", "mcos.local", "race.example.org"] {
            assert!(names.hosts().any(|name| name == host), "{names}");
        }
        assert!(
            names.has_address(Ipv4Addr::LOCALHOST.into()) && names.has_address(Ipv6Addr::LOCALHOST.into())
        );
        assert_eq!(names.common_name(), "Race.example.org");
    }

    #[test]
    fn a_public_host_that_is_an_address_counts_as_one() {
        let names = Names::of_this_machine(Some("203.0.113.9"));
        assert!(names.has_address("203.0.113.9".parse().unwrap()));
        assert!(names.hosts().all(|host| host != "203.0.113.9"));
    }

    #[test]
    fn names_are_the_same_after_a_line_of_text() {
        for public_host in [None, Some("mco.lan"), Some("10.0.0.1")] {
            let names = Names::of_this_machine(public_host);
            assert_eq!(names.to_string().parse(), Ok(names));
        }
    }

    #[test]
    fn what_can_be_no_name_is_left_out() {
        let names = Names::new(["", "a b", "zażółć", "good.name"], []);
        assert_eq!(names.hosts().collect::<Vec<_>>(), ["good.name"]);
    }
}
