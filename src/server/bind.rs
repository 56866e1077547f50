//! Opening all ports before anything else happens, with errors an Operator can act on.

use crate::config::{ConfigError, FILE_NAME, Mistake, Network};
use crate::services::Ports;
use smol::Async;
use socket2::{Domain, Protocol, Socket, Type};
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

/// Connections waiting to be accepted: a whole LAN party pressing "connect" at once.
const BACKLOG: i32 = 1024;

/// A service that has a port of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Patch, Auth, Shard and the pages, without TLS.
    Http,
    /// The same with TLS.
    Https,
    /// NPS, where a Context becomes a Customer Id.
    Login,
    /// NPS, the list of personas.
    Persona,
    /// NPS, the letters of players.
    Mail,
    /// NPS, the hub with its chat channels.
    Lobby,
    /// A room server, with its index in the range of room ports.
    Room(u16),
    /// The world: cars, parts and races.
    Mcots,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Login => "login",
            Self::Persona => "persona",
            Self::Mail => "mail",
            Self::Lobby => "lobby",
            Self::Room(_) => "room",
            Self::Mcots => "mcots",
        })
    }
}

impl Service {
    /// The key of `[network]` that moves it.
    fn key(self) -> String {
        match self {
            Self::Room(_) => "network.rooms".to_owned(),
            other => format!("network.{other}"),
        }
    }
}

/// One open port.
pub(crate) struct Listener {
    pub(crate) service: Service,
    pub(crate) address: SocketAddr,
    pub(crate) socket: Arc<Async<TcpListener>>,
}

/// All open ports.
pub(crate) struct Bound {
    pub(crate) listeners: Vec<Listener>,
    pub(crate) ports: Ports,
}

/// Why a port can't be had.
#[derive(Debug)]
pub struct BindError {
    service: Service,
    address: SocketAddr,
    error: io::Error,
    /// Another program that has the port, as far as we may know.
    holder: Option<String>,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, address, error, holder } = self;
        let (port, key) = (address.port(), service.key());
        match error.kind() {
            ErrorKind::AddrInUse => {
                write!(f, "port {port} ({service}) on {} is taken by ", address.ip())?;
                f.write_str(match (holder, service) {
                    (Some(holder), _) => holder,
                    (None, Service::Http | Service::Https) => {
                        "another program, probably a web server or another mcos"
                    }
                    (None, _) => "another program, probably another mcos",
                })?;
                write!(f, "; stop it, or choose another port with {key} in mcos.toml")
            }
            ErrorKind::PermissionDenied => write!(
                f,
                "port {port} ({service}) needs more rights than this user has; choose one above 1023 with {key} in \
                 mcos.toml, or give the program the right to low ports (setcap cap_net_bind_service=+ep mcos)"
            ),
            ErrorKind::AddrNotAvailable => write!(
                f,
                "this machine does not have the address {}; correct network.bind in mcos.toml",
                address.ip()
            ),
            _ => write!(
                f,
                "cannot listen on {address} ({service}): {error}; see {key} and network.bind in mcos.toml"
            ),
        }
    }
}

impl std::error::Error for BindError {}

impl BindError {
    /// The same as a mistake in the configuration, in which the key that is to blame stands.
    pub(super) fn into_mistake(self) -> Mistake {
        let key = if self.error.kind() == ErrorKind::AddrNotAvailable {
            "network.bind".to_owned()
        } else {
            self.service.key()
        };
        let error =
            ConfigError { file: FILE_NAME.to_owned(), line: None, key: Some(key), problem: self.to_string() };
        Mistake {
            error,
            instead: "the section [network] is ignored, but for allow, and its defaults are used".to_owned(),
        }
    }
}

/// Opens the ports of all services on all configured addresses.
pub(crate) fn all(network: &Network) -> Result<Bound, BindError> {
    let mut listeners = Vec::new();
    let mut open = |service, port| on_every_address(network, service, port, &mut listeners);
    let mut open_web = |service, port, fallback: Option<u16>| match open(service, port) {
        Err(BindError { error, .. }) if error.kind() == ErrorKind::PermissionDenied && fallback.is_some() => {
            let instead = fallback.unwrap_or_default();
            log::warn!(
                "port {port} is not permitted to this user, so {service} is on {instead}, where the game itself does not \
                 look for it; run mcos with the right to low ports (setcap cap_net_bind_service=+ep mcos), or set \
                 network.{service} in mcos.toml"
            );
            open(service, instead)
        }
        other => other,
    };
    let http = open_web(Service::Http, network.http, network.http_fallback())?;
    let https = open_web(Service::Https, network.https, network.https_fallback())?;
    let ports = Ports {
        http,
        https,
        login: open(Service::Login, network.login)?,
        persona: open(Service::Persona, network.persona)?,
        mail: open(Service::Mail, network.mail)?,
        lobby: open(Service::Lobby, network.lobby)?,
        rooms: (0..)
            .zip(network.room_ports())
            .map(|(place, port)| open(Service::Room(place), port))
            .collect::<Result<_, _>>()?,
        mcots: open(Service::Mcots, network.mcots)?,
    };
    Ok(Bound { listeners, ports })
}

/// One service on every configured address, all with the same port: the first address decides if it is 0.
fn on_every_address(
    network: &Network,
    service: Service,
    mut port: u16,
    listeners: &mut Vec<Listener>,
) -> Result<u16, BindError> {
    let mut opened = Vec::new();
    for ip in &network.bind {
        let address = SocketAddr::new(*ip, port);
        match listen(address) {
            Ok(socket) => {
                let address = socket.get_ref().local_addr().unwrap_or(address);
                port = address.port();
                opened.push(Listener { service, address, socket: Arc::new(socket) });
            }
            // A machine without IPv6 loses nothing: the Client knows none.
            Err(error) if ip.is_ipv6() && no_ipv6(&error) && !opened.is_empty() => {
                log::debug!("{service}: no IPv6 here: {error}");
            }
            Err(error) => {
                let taken = error.kind() == ErrorKind::AddrInUse;
                let holder = if taken { holder::of(port) } else { None };
                return Err(BindError { service, address, error, holder });
            }
        }
    }
    listeners.append(&mut opened);
    Ok(port)
}

fn listen(address: SocketAddr) -> io::Result<Async<TcpListener>> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // 0.0.0.0 has a socket of its own.
        socket.set_only_v6(true)?;
    }
    // Connections of the previous run that linger must not keep the server from starting again.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Async::new(TcpListener::from(socket))
}

fn no_ipv6(error: &io::Error) -> bool {
    const EAFNOSUPPORT: i32 = 97;
    error.kind() == ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(EAFNOSUPPORT)
}

/// Who has a port, from the tables Linux shows to everybody; the program's name only to its own user and to root.
mod holder {
    use std::fs;
    use std::path::Path;

    /// State "listening" in /proc/net/tcp.
    const LISTENING: &str = "0A";

    /// A description of the program that listens on `port`.
    pub(super) fn of(port: u16) -> Option<String> {
        let inode = ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|table| inode(table, port))?;
        let socket = format!("socket:[{inode}]");
        let processes = fs::read_dir("/proc").ok()?.flatten().map(|process| process.path());
        let mut processes =
            processes.filter(|path| path.file_name().is_some_and(|name| is_number(&name.to_string_lossy())));
        let holder = processes.find(|process| has_open(process, &socket))?;
        let name = fs::read_to_string(holder.join("comm")).ok()?;
        Some(format!("{:?} (process {})", name.trim(), holder.file_name()?.to_string_lossy()))
    }

    /// The socket that listens on `port`: local address and port are in the second column, the state in the fourth, the
    /// inode in the tenth.
    fn inode(table: &str, port: u16) -> Option<String> {
        let table = fs::read_to_string(table).ok()?;
        let wanted = format!(":{port:04X}");
        table.lines().skip(1).find_map(|line| {
            let columns: Vec<_> = line.split_whitespace().collect();
            let &[_, local, _, state, _, _, _, _, _, inode, ..] = columns.as_slice() else { return None };
            (local.ends_with(&wanted) && state == LISTENING).then(|| inode.to_owned())
        })
    }

    fn is_number(name: &str) -> bool {
        name.bytes().all(|byte| byte.is_ascii_digit())
    }

    fn has_open(process: &Path, socket: &str) -> bool {
        let Ok(files) = fs::read_dir(process.join("fd")) else { return false };
        files
            .flatten()
            .any(|file| fs::read_link(file.path()).is_ok_and(|target| target.as_os_str() == socket))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    fn anywhere() -> Network {
        let any = 0;
        Network {
            bind: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
            http: any,
            https: any,
            login: any,
            persona: any,
            mail: any,
            lobby: any,
            rooms: [any, any],
            mcots: any,
            http_configured: true,
            https_configured: true,
            ..Network::default()
        }
    }

    #[test]
    fn port_zero_takes_any_free_port_and_tells_which() {
        let bound = all(&anywhere()).unwrap();
        assert!(bound.ports.login != 0 && bound.ports.mcots != 0);
        assert!(bound.ports.rooms.iter().all(|port| *port != 0));
        assert_eq!(bound.listeners.len(), 7 + bound.ports.rooms.len());
    }

    #[test]
    fn a_busy_port_is_named_with_its_holder_and_the_key_that_moves_it() {
        let busy = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = busy.local_addr().unwrap().port();
        let error = all(&Network { login: port, ..anywhere() }).err().unwrap().to_string();
        for word in [&format!("port {port} (login)"), "(process ", "network.login"] {
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn an_address_of_another_machine_is_named() {
        let network = Network { bind: vec!["192.0.2.1".parse().unwrap()], ..anywhere() };
        let error = all(&network).err().unwrap().to_string();
        assert!(error.contains("192.0.2.1") && error.contains("network.bind"), "{error}");
    }
}
