//! The other end of a connection: a service at a host and port.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// A host, by name or address, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Name or address; an IPv6 address without brackets.
    pub host: Arc<str>,
    /// TCP port; 0 stands for one that is not known.
    pub port: u16,
    /// Address of this machine from which it is connected to; `None`: the system chooses.
    pub from: Option<IpAddr>,
}

impl Endpoint {
    /// An IPv6 address is given without brackets.
    pub fn new(host: &str, port: u16) -> Self {
        Self { host: host.into(), port, from: None }
    }

    /// The same host at another port.
    #[must_use]
    pub fn at(&self, port: u16) -> Self {
        Self { port, ..self.clone() }
    }

    /// The same, connected to from this address of this machine.
    #[must_use]
    pub fn from(self, address: IpAddr) -> Self {
        Self { from: Some(address), ..self }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// A service of the server. In brackets the port that it usually has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// AuthLogin, shard list and `/key` over HTTP (80).
    Web,
    /// Sign-in with a Context (8226).
    Login,
    /// Personas of an account (8228).
    Persona,
    /// Mail (8227).
    Mail,
    /// The lobby (7003).
    Lobby,
    /// A room or race server (9000-9014).
    Room,
    /// Transactions (43300).
    Mcots,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Web => "HTTP",
            Self::Login => "Login",
            Self::Persona => "Persona",
            Self::Mail => "Mail",
            Self::Lobby => "Lobby",
            Self::Room => "Room",
            Self::Mcots => "MCOTS",
        })
    }
}

/// The other end of a connection: which service, and where. Errors name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    service: Service,
    endpoint: Endpoint,
}

impl Peer {
    pub(super) const fn new(service: Service, endpoint: Endpoint) -> Self {
        Self { service, endpoint }
    }

    /// Which service was asked.
    pub const fn service(&self) -> Service {
        self.service
    }

    /// Address of this machine from which it is connected to, if one was chosen.
    pub(super) const fn from(&self) -> Option<IpAddr> {
        self.endpoint.from
    }

    /// The host as it was given: a name, or an address without brackets.
    pub fn host(&self) -> &str {
        &self.endpoint.host
    }

    /// The TCP port.
    pub const fn port(&self) -> u16 {
        self.endpoint.port
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.service, self.endpoint)
    }
}
