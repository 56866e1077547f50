//! The other end of a connection: a service at a host and port.

use std::fmt;
use std::sync::Arc;

/// A host, by name or address, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Name or address; an IPv6 address without brackets.
    pub host: Arc<str>,
    /// TCP port.
    pub port: u16,
}

impl Endpoint {
    /// `host` at `port`.
    pub fn new(host: &str, port: u16) -> Self {
        Self { host: host.into(), port }
    }

    /// The same host at another port.
    #[must_use]
    pub fn at(&self, port: u16) -> Self {
        Self { host: self.host.clone(), port }
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

/// What a Client wants from a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// AuthLogin, shard list, key.
    Web,
    /// 8226.
    Login,
    /// 8228.
    Persona,
    /// 8227.
    Mail,
    /// 7003.
    Lobby,
    /// 9000-9014.
    Room,
    /// 43300.
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

/// The other end of a connection, for errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    service: Service,
    endpoint: Endpoint,
}

impl Peer {
    /// The service at `endpoint`.
    pub(super) const fn new(service: Service, endpoint: Endpoint) -> Self {
        Self { service, endpoint }
    }

    /// Its service.
    pub const fn service(&self) -> Service {
        self.service
    }

    /// Its host, by name or address.
    pub fn host(&self) -> &str {
        &self.endpoint.host
    }

    /// Its port.
    pub const fn port(&self) -> u16 {
        self.endpoint.port
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.service, self.endpoint)
    }
}
