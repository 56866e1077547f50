//! Everything a service may look at or change.

use crate::catalog::Catalog;
use crate::config::Config;
use crate::protocol::session_key::{KeyError, LoginKey};
use crate::store::Store;
use crate::world::World;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// The ports the server really listens on: with a configured 0 only known after binding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// HTTP.
    pub http: u16,
    /// Login.
    pub login: u16,
    /// Persona.
    pub persona: u16,
    /// Mail.
    pub mail: u16,
    /// Lobby.
    pub lobby: u16,
    /// Room servers. The first one is kept for races; a Client meets people on the others.
    pub rooms: Vec<u16>,
    /// MCOTS.
    pub mcots: u16,
}

/// The shard as its services see it.
#[derive(Debug)]
pub struct Game {
    /// What the Operator chose.
    pub config: Config,
    /// Where it listens.
    pub ports: Ports,
    /// What survives a reboot.
    pub store: Store,
    /// Cars, parts and lobbies.
    pub catalog: Catalog,
    /// What it knows while it runs.
    pub world: World,
    login_key: RwLock<Arc<LoginKey>>,
}

impl Game {
    /// A shard without players.
    pub fn new(config: Config, ports: Ports, store: Store, catalog: Catalog, login_key: LoginKey) -> Self {
        let context_life = Duration::from_mins(config.limits.context_minutes.into());
        let login_key = RwLock::new(Arc::new(login_key));
        Self { config, ports, store, catalog, world: World::new(context_life), login_key }
    }

    /// The key under which Clients send their Session Key.
    pub fn login_key(&self) -> Arc<LoginKey> {
        Arc::clone(&self.login_key.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Uses another login key from now on; the caller has stored it.
    pub fn replace_login_key(&self, pkcs8_der: &[u8]) -> Result<(), KeyError> {
        let key = Arc::new(LoginKey::from_pkcs8_der(pkcs8_der)?);
        *self.login_key.write().unwrap_or_else(PoisonError::into_inner) = key;
        Ok(())
    }

    /// The IPv4 address a Client is sent to: the configured one, or that by which this Client reached us.
    /// The Client knows no IPv6, and the packet that carries the address has room for digits only.
    pub fn address_for(&self, local: SocketAddr) -> Ipv4Addr {
        let reached = match local.ip().to_canonical() {
            IpAddr::V4(address) => address,
            IpAddr::V6(_) => Ipv4Addr::LOCALHOST,
        };
        let configured = self.config.network.public_host.as_ref();
        configured.and_then(|host| host.as_str().parse().ok()).unwrap_or(reached)
    }
}
