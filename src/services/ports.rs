//! The ports of all services.

use crate::world::NpsServer;

/// The ports the server really listens on: with a configured 0 only known after binding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// HTTP.
    pub http: u16,
    /// HTTPS.
    pub https: u16,
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

impl Ports {
    /// The server on which races run, and its port: the first room server.
    pub(super) fn race_server(&self) -> Option<(NpsServer, u16)> {
        self.rooms.first().map(|port| (NpsServer::Room(0), *port))
    }
}
