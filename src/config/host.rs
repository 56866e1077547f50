//! Names and addresses by which a Client reaches the server.

use serde::{Deserialize, Deserializer, de};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest name that is repeated to a Client; its buffers are unknown and old (*inferred*).
const MAX_LENGTH: usize = 64;

/// The longest label of a name (RFC 1035).
const MAX_LABEL: usize = 63;

/// A host name or address that is safe to write into an answer: at most 64 letters, digits, hyphens and underscores in
/// labels with single dots between them, or an IP address. Whatever a Client claims in its `Host` header becomes one of
/// these or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(String);

impl HostName {
    /// A host name or an IPv4 address, without a port. What ends in a number is an address or nothing, as in a browser
    /// (WHATWG URL, *documented*): `1.2.3.999` is no name.
    pub fn parse(text: &str) -> Option<Self> {
        let known = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
        let is_label = |label: &str| {
            label.starts_with(|c: char| c.is_ascii_alphanumeric())
                && !label.ends_with('-')
                && label.len() <= MAX_LABEL
                && label.bytes().all(known)
        };
        let ends_in_number = text.rsplit('.').next().is_some_and(is_number);
        (text.len() <= MAX_LENGTH
            && text.split('.').all(is_label)
            && (!ends_in_number
                || text.parse().is_ok_and(|address: Ipv4Addr| leads_somewhere(address.into()))))
        .then(|| Self(text.to_owned()))
    }

    /// The host of a `Host` header (`name`, `name:port`, `[IPv6]`, `[IPv6]:port`), if it is a sound one that leads others
    /// here as well. Of a name that ends in a dot, which is the root of all names, the dot is left out. An IPv6 address that
    /// holds on one cable only is none: it works only with its interface beside it, which no answer can name.
    pub fn from_header(value: &str) -> Option<Self> {
        let value = value.trim_matches([' ', '\t']);
        let (host, port) = if let Some(rest) = value.strip_prefix('[') {
            let (address, port) = rest.split_once(']')?;
            let address = address.parse::<Ipv6Addr>().ok()?;
            if address.is_unicast_link_local() || !leads_somewhere(address.to_canonical()) {
                return None;
            }
            (
                Self::from_address(address.into()),
                port.strip_prefix(':').or_else(|| port.is_empty().then_some("")),
            )
        } else {
            let (name, port) = value.split_once(':').unwrap_or((value, ""));
            (Self::parse(name.strip_suffix('.').unwrap_or(name))?, Some(port))
        };
        let port = port?;
        (port.len() <= 5 && port.bytes().all(|c| c.is_ascii_digit())).then_some(host)
    }

    /// The text of an address. IPv4 in the disguise of IPv6, as a socket open for both shows it, is unmasked.
    pub fn from_address(address: IpAddr) -> Self {
        Self(address.to_canonical().to_string())
    }

    /// The name or address, without a port and without brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it means "this machine itself" wherever it is used.
    pub fn is_loopback(&self) -> bool {
        self.0.eq_ignore_ascii_case("localhost")
            || self.0.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }

    /// Whether it is an IPv6 address, which the Client does not know.
    pub fn is_ipv6(&self) -> bool {
        self.0.contains(':')
    }

    /// The front page of this host, `http://host/`; the port is named where a browser would not guess it.
    pub fn front_page(&self, http_port: u16) -> String {
        self.page(http_port, "/")
    }

    /// A page of this host without TLS, which `path` names with a slash in front.
    pub fn page(&self, http_port: u16, path: &str) -> String {
        let host = self.bracketed();
        let port = if http_port == 80 { String::new() } else { format!(":{http_port}") };
        format!("http://{host}{port}{path}")
    }

    /// The Operator's pages of this host, `https://host/operator`.
    pub fn operator_page(&self, https_port: u16) -> String {
        self.secure_page(https_port, "/operator")
    }

    /// A page of this host by HTTPS, which `path` names with a slash in front.
    pub fn secure_page(&self, https_port: u16, path: &str) -> String {
        let host = self.bracketed();
        let port = if https_port == 443 { String::new() } else { format!(":{https_port}") };
        format!("https://{host}{port}{path}")
    }

    fn bracketed(&self) -> String {
        if self.is_ipv6() { format!("[{}]", self.0) } else { self.0.clone() }
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether an address can be that of one machine: no network "this" (RFC 791), no group, no broadcast.
fn leads_somewhere(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.octets()[0] != 0 && !v4.is_multicast() && !v4.is_broadcast(),
        IpAddr::V6(v6) => !v6.is_unspecified() && !v6.is_multicast(),
    }
}

/// What a browser reads as a number, decimal or hexadecimal.
fn is_number(label: &str) -> bool {
    let hexadecimal = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    hexadecimal.is_some_and(|digits| digits.bytes().all(|c| c.is_ascii_hexdigit()))
        || label.bytes().all(|c| c.is_ascii_digit())
}

/// Reads `public_host`: an empty text stands for "no fixed name".
pub(super) fn optional<'de, D: Deserializer<'de>>(from: D) -> Result<Option<HostName>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    HostName::parse(&text).map(Some).ok_or_else(|| de::Error::custom("not a host name"))
}

#[cfg(test)]
mod tests {
    use super::HostName;

    fn header(value: &str) -> Option<String> {
        HostName::from_header(value).map(|host| host.as_str().to_owned())
    }

    #[test]
    fn a_port_and_brackets_are_taken_off_a_host_header() {
        for (value, host) in [
            ("mcos.local", "mcos.local"),
            ("mcos.local:8080", "mcos.local"),
            (" 192.168.1.5:80 ", "192.168.1.5"),
            ("MCO_BOX", "MCO_BOX"),
            ("mcos.local.", "mcos.local"),
            ("MCOS.:80", "MCOS"),
            ("2001.example", "2001.example"),
            ("x86", "x86"),
            ("mcos.local:", "mcos.local"),
            ("[::1]", "::1"),
            ("[::1]:8080", "::1"),
            ("[::ffff:10.0.0.1]:80", "10.0.0.1"),
        ] {
            assert_eq!(header(value).as_deref(), Some(host), "{value}");
        }
    }

    #[test]
    fn a_hostile_host_header_is_no_host() {
        let long = "a".repeat(65);
        for value in [
            "",
            " ",
            ":80",
            ".",
            "-a",
            "a b",
            "a\tb",
            "a\r\nb",
            "a/b",
            "a?b",
            "a[b]",
            "[",
            "[]",
            "[::1",
            "[::1]x",
            "[x]",
            "[::1%eth0]",
            "a:80:80",
            "a:8o",
            "a:123456",
            "<script>",
            "a=b",
            "b\u{fc}cher",
            "::1",
            "user@host",
            "mcos..local",
            "mcos.local..",
            "..",
            ".mcos",
            "a.-b",
            "a-.b",
            "1.2.3.999",
            "1.2.3",
            "1.2.3.4.5",
            "01.2.3.4",
            "2130706433",
            "0x7f000001",
            "a.0x",
            "[fe80::1]",
            "[fe80::1]:80",
            "[febf::1]",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "239.255.255.250:80",
            "255.255.255.255",
            "[::]",
            "[ff02::1]",
            "[::ffff:0.0.0.0]",
            &long[1..],
            &long,
        ] {
            assert_eq!(header(value), None, "{value:?}");
        }
    }

    #[test]
    fn the_front_page_names_only_an_unusual_port() {
        let host = HostName::parse("mcos.local").unwrap();
        assert_eq!(host.front_page(80), "http://mcos.local/");
        assert_eq!(host.front_page(8080), "http://mcos.local:8080/");
        assert_eq!(HostName::from_header("[::1]").unwrap().front_page(80), "http://[::1]/");
    }
}
