//! The player kit: a zip file with everything that sets a player's PC up for this server.
//!
//! Where the values stand in the registry, and that `pub.key` lies in the game's folder, is *seen in use* with real Clients.
//! Nothing in the kit is secret.

mod certificate;
mod registry;

pub use certificate::{Certificate, CertificateError};
pub use registry::{View, registry};

use super::health;
use crate::config::{HostName, Network};
use crate::netbios::MachineName;
use crate::services::{AUTH_PORT, Ports};
use askama::Template;
use std::fmt;
use std::io::{Cursor, Write as _};
use std::net::Ipv4Addr;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// The player kit for one server name.
#[derive(Clone, Debug)]
pub struct Kit {
    /// The name or address that the game will use.
    pub host: HostName,
    /// The address of `host`, for a PC that does not find that name.
    pub address: Option<Ipv4Addr>,
    /// The name by which older Windows finds the server, see [`netbios_name`].
    pub netbios: Option<MachineName>,
    /// The ports of the server.
    pub ports: Ports,
    /// The content of `pub.key`.
    pub public_key: String,
    /// The certificate of the server's own authority, which the PC has to trust.
    pub certificate: Option<Certificate>,
}

/// Why a kit cannot be made.
#[derive(Debug)]
pub enum KitError {
    /// The host is an IPv6 address, which the game does not know.
    Ipv6,
    /// The zip file could not be made.
    Zip(String),
}

impl fmt::Display for KitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipv6 => f.write_str("the game knows no IPv6: use the server's name or its IPv4 address"),
            Self::Zip(why) => write!(f, "the kit could not be made: {why}"),
        }
    }
}

impl std::error::Error for KitError {}

#[derive(Template)]
#[template(path = "kit/setup.bat", escape = "none")]
struct Setup<'a> {
    host: &'a HostName,
    base: &'a str,
    hosts_address: Option<Ipv4Addr>,
    older_windows: &'a [String],
    moved: &'a [String],
    version: &'static str,
}

#[derive(Template)]
#[template(path = "kit/undo.bat", escape = "none")]
struct Undo<'a> {
    host: &'a HostName,
    version: &'static str,
}

#[derive(Template)]
#[template(path = "kit/update.bat", escape = "none")]
struct Update<'a> {
    host: &'a HostName,
    version: &'static str,
}

#[derive(Template)]
#[template(path = "kit/update.js", escape = "none")]
struct UpdateScript<'a> {
    host: &'a HostName,
    base: &'a str,
    version: &'static str,
}

#[derive(Template)]
#[template(path = "kit/kit.js", escape = "none")]
struct Script<'a> {
    host: &'a HostName,
    base: &'a str,
    hosts_address: Option<Ipv4Addr>,
    thumbprint: Option<&'a str>,
    /// The address of the server and its front page there, for a PC that reaches the name by IPv6.
    address: Option<Ipv4Addr>,
    address_base: Option<String>,
    /// Where the game looks for Auth.
    auth_port: u16,
    /// What the self-test tries to reach.
    test_ports: String,
    version: &'static str,
}

#[derive(Template)]
#[template(path = "kit/test.bat", escape = "none")]
struct Test<'a> {
    host: &'a HostName,
    version: &'static str,
}

#[derive(Template)]
#[template(path = "kit/read_me.txt", escape = "none")]
struct ReadMe<'a> {
    host: &'a HostName,
    base: &'a str,
    hosts_address: Option<Ipv4Addr>,
    certificate: Option<&'a Certificate>,
    older_windows: &'a [String],
    moved: &'a [String],
    ports: String,
    version: &'static str,
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

impl Kit {
    /// The files of the kit with their names, texts with the line ends of Windows.
    pub fn files(&self) -> Result<Vec<(&'static str, Vec<u8>)>, KitError> {
        let Self { host, ports, public_key, certificate, .. } = self;
        if host.is_ipv6() {
            return Err(KitError::Ipv6);
        }
        let base = host.front_page(ports.http);
        let certificate = certificate.as_ref();
        let thumbprint = certificate.map(Certificate::thumbprint);
        // An address needs no line in the file `hosts`.
        let is_name = host.as_str().parse::<Ipv4Addr>().is_err();
        let hosts_address = self.address.filter(|_| is_name);
        let older_windows = &pages_for_older_windows(host, self.netbios, self.address, ports.http);
        let (moved, version) = (&health::moved_ports(ports), VERSION);
        let setup = Setup { host, base: &base, hosts_address, older_windows, moved, version };
        let undo = Undo { host, version };
        let update = Update { host, version };
        let update_script = UpdateScript { host, base: &base, version };
        let address_base =
            self.address.map(|address| HostName::from_address(address.into()).front_page(ports.http));
        let self_test = Test { host, version };
        let script = Script {
            host,
            base: &base,
            hosts_address,
            thumbprint,
            address: self.address,
            address_base,
            auth_port: AUTH_PORT,
            test_ports: test_ports(ports),
            version,
        };
        let ports_text = port_list(ports);
        let read_me = ReadMe {
            host,
            base: &base,
            hosts_address,
            certificate,
            older_windows,
            moved,
            ports: ports_text,
            version,
        };
        let text = |text: Result<String, askama::Error>| match text {
            Ok(text) => Ok(windows_lines(&text)),
            Err(error) => Err(KitError::Zip(error.to_string())),
        };
        let mut files = vec![
            ("READ ME.txt", text(read_me.render())?),
            ("setup.bat", text(setup.render())?),
            ("undo.bat", text(undo.render())?),
            ("test.bat", text(self_test.render())?),
            ("kit.js", text(script.render())?),
            ("update.bat", text(update.render())?),
            ("update.js", text(update_script.render())?),
            ("mcos-32bit.reg", registry(&[View::Native], host, ports).into_bytes()),
            ("mcos-64bit.reg", registry(&[View::Wow64], host, ports).into_bytes()),
            ("pub.key", public_key.clone().into_bytes()),
        ];
        if let Some(certificate) = certificate {
            files.push(("mcos-ca.crt", certificate.pem().into_bytes()));
            files.push(("mcos-ca.reg", certificate.registry().into_bytes()));
        }
        Ok(files)
    }

    /// The whole kit. The same kit gives the same bytes.
    pub fn zip(&self) -> Result<Vec<u8>, KitError> {
        let failed = |error: &dyn fmt::Display| KitError::Zip(error.to_string());
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        // Stored, because a dozen kilobytes are not worth a compressor; and with the oldest time a zip can name.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644);
        for (name, content) in self.files()? {
            zip.start_file(name, options).map_err(|e| failed(&e))?;
            zip.write_all(&content).map_err(|e| failed(&e))?;
        }
        Ok(zip.finish().map_err(|e| failed(&e))?.into_inner())
    }
}

/// The name by which Windows finds this machine with NetBIOS, if it answers there: that of `network.name`, else `own`, what this machine
/// is called in its network.
pub fn netbios_name(network: &Network, own: &str) -> Option<MachineName> {
    let name = if network.name.is_empty() {
        MachineName::from_host(own)
    } else {
        MachineName::from_host(&network.name)
    };
    name.filter(|_| network.netbios)
}

/// Where Windows XP to 8 get a kit of their own, if a kit for `host` is none for them: they do not find names that end in
/// `.local` (*documented*), but the name by which this machine is found with NetBIOS, and the address.
pub fn pages_for_older_windows(
    host: &HostName,
    netbios: Option<MachineName>,
    address: Option<Ipv4Addr>,
    http_port: u16,
) -> Vec<String> {
    if !host.as_str().to_ascii_lowercase().ends_with(".local") {
        return Vec::new();
    }
    let netbios = netbios.and_then(|name| HostName::parse(name.as_str()));
    let address = address.map(|address| HostName::from_address(address.into()));
    let hosts = netbios.into_iter().chain(address);
    let pages: Vec<String> = hosts.map(|host| host.front_page(http_port) + "kit").collect();
    if pages.is_empty() { vec!["the page of this server by its IPv4 address".to_owned()] } else { pages }
}

/// The ports a player's firewall has to let out.
pub fn port_list(ports: &Ports) -> String {
    // The HTTPS port is 443 for the game, whatever this server could get.
    let Ports { http, https: _, login, persona, mail, lobby, rooms, mcots } = ports;
    let mut list: Vec<String> =
        [*http, AUTH_PORT, *lobby, *login, *mail, *persona].iter().map(u16::to_string).collect();
    list.extend(match (rooms.iter().min(), rooms.iter().max()) {
        (Some(lowest), Some(highest)) if lowest < highest => Some(format!("{lowest}-{highest}")),
        (Some(only), _) => Some(only.to_string()),
        _ => None,
    });
    list.push(mcots.to_string());
    list.join(", ")
}

/// What the self-test of the kit tries to reach beside the pages, in the order in which the game needs it.
fn test_ports(ports: &Ports) -> String {
    let Ports { http: _, https: _, login, persona, lobby, mail: _, rooms, mcots } = ports;
    let fixed = [AUTH_PORT, *login, *persona, *lobby, *mcots];
    let all = fixed.into_iter().chain(rooms.iter().min().copied());
    all.map(|port| port.to_string()).collect::<Vec<_>>().join(", ")
}

fn windows_lines(text: &str) -> Vec<u8> {
    let mut lines = text.lines().collect::<Vec<_>>().join("\r\n");
    lines.push_str("\r\n");
    lines.into_bytes()
}

#[cfg(test)]
mod tests;
