//! The channels and servers that are always there.

use super::Ports;
use crate::catalog::Catalog;
use crate::config::Config;
use crate::world::{LOBBY, NpsServer};
use mco_proto::ids::CommId;
use mco_proto::nps::lobby::Name;

/// The whole server.
pub(super) const CTRL: CommId = CommId(0);

/// What is always there: the system's channels, chat channels, MCOTS's race lobbies, and the room servers. Every other
/// channel is a race that somebody opened.
#[derive(Debug)]
pub struct Directory {
    entries: Vec<Entry>,
}

/// A channel or server that is always there.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) channel: CommId,
    pub(super) kind: EntryKind,
}

#[derive(Debug)]
pub(super) enum EntryKind {
    /// The server that shows the list.
    Here,
    /// A chat channel, there in every server.
    Chat,
    Room {
        server: NpsServer,
        port: u16,
        listed: bool,
    },
}

impl Directory {
    /// The directory of a shard. No number means two things: LOBBY keeps 2, and a lobby or channel with a number that is
    /// taken is left out.
    pub fn new(config: &Config, ports: &Ports, catalog: &Catalog) -> Self {
        // As a Client reads the name, and asks for it again.
        let entry =
            |name: &str, channel, kind| Entry { name: Name::first_n(name).to_string(), channel, kind };
        let system = [entry("CTRL", CTRL, EntryKind::Here), entry("LOBBY", LOBBY, EntryKind::Chat)];
        let chats = config.lobby.channels.iter().map(|(name, id)| entry(name, CommId(*id), EntryKind::Chat));
        let races =
            catalog.lobbies().iter().map(|lobby| entry(&lobby.channel, CommId(lobby.id), EntryKind::Chat));
        let mut entries: Vec<Entry> = Vec::new();
        let all = system.into_iter().chain(chats).chain(races).chain(rooms(config, ports));
        for entry in all {
            if entries.iter().all(|other| other.channel != entry.channel) {
                entries.push(entry);
            }
        }
        Self { entries }
    }

    /// Whether a channel is one of those that are always there. Names count as well: the recorded Client opened
    /// "LOBBY" under a number that the list gave to something else.
    pub(super) fn is_permanent(&self, channel: CommId, name: &str) -> bool {
        let named = |entry: &Entry| matches!(entry.kind, EntryKind::Chat) && entry.name == name;
        self.entries.iter().any(|entry| entry.channel == channel || named(entry))
    }

    /// The room servers, listed or not, with their ports.
    pub(super) fn rooms(&self) -> impl Iterator<Item = (&Entry, NpsServer, u16)> {
        self.entries.iter().filter_map(|entry| match entry.kind {
            EntryKind::Room { server, port, .. } => Some((entry, server, port)),
            _ => None,
        })
    }

    /// What a Client is shown.
    pub(super) fn listed(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| !matches!(entry.kind, EntryKind::Room { listed: false, .. }))
    }
}

/// The room servers where people meet: "MCCnn" is number nn of the range, and number nn of the directory (*captured*
/// for MCC01 on 9001). The first port of the range is kept for races. Number 2 means the channel "LOBBY", so MCC02
/// goes by 222, as in a later numbering the community used.
fn rooms(config: &Config, ports: &Ports) -> Vec<Entry> {
    let alone = ports.rooms.len() == 1;
    let ports = (0_u16..).zip(&ports.rooms).skip(usize::from(!alone));
    let room = |(index, port): (u16, &u16)| {
        let number = if alone { 1 } else { index };
        let listed = number <= config.lobby.rooms;
        let channel = if CommId(number.into()) == LOBBY { CommId(222) } else { CommId(number.into()) };
        let kind = EntryKind::Room { server: NpsServer::Room(index), port: *port, listed };
        Entry { name: format!("MCC{number:02}"), channel, kind }
    };
    ports.map(room).collect()
}
