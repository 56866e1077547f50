//! The ports of all services.

use crate::config::Network;
use crate::world::NpsServer;

/// The port of Auth, built into the Client: its settings name a host, and none is known that names a port (*inferred*).
pub const AUTH_PORT: u16 = 443;

/// The ports the server really listens on: with a configured 0 only known after binding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// Patch, Auth, Shard and the pages, in clear.
    pub http: u16,
    /// The same by TLS; the Client signs in here.
    pub https: u16,
    /// NPS login, which the shard list names.
    pub login: u16,
    /// NPS persona, fixed in the Client.
    pub persona: u16,
    /// NPS mail, which the Client learns from the persona service.
    pub mail: u16,
    /// NPS lobby, which the shard list names.
    pub lobby: u16,
    /// Room servers. The first one is kept for races; a Client meets people on the others.
    pub rooms: Vec<u16>,
    /// The world's, fixed in the Client.
    pub mcots: u16,
}

/// The ports as they are configured, a 0 for any free one among them.
impl From<&Network> for Ports {
    fn from(network: &Network) -> Self {
        Self {
            http: network.http,
            https: network.https,
            login: network.login,
            persona: network.persona,
            mail: network.mail,
            lobby: network.lobby,
            rooms: network.room_ports(),
            mcots: network.mcots,
        }
    }
}

impl Ports {
    /// The server on which races run, and its port: the first room server.
    pub(super) fn race_server(&self) -> Option<(NpsServer, u16)> {
        self.rooms.first().map(|port| (NpsServer::Room(0), *port))
    }
}
