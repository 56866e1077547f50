//! The way from one connection to others.

use super::outbox::{Outbound, Outbox};
use crate::services::Push;
use crate::world::ConnectionId;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Finds the outbox of a connection.
#[derive(Debug)]
pub(super) struct Connections {
    outbound_bytes: usize,
    mailboxes: RwLock<HashMap<ConnectionId, Arc<Outbox>>>,
}

impl Connections {
    /// Nobody connected. Each connection may have `outbound_bytes` waiting.
    pub(super) fn new(outbound_bytes: usize) -> Self {
        Self { outbound_bytes, mailboxes: RwLock::default() }
    }

    /// An outbox for a new connection.
    pub(super) fn register(&self, connection: ConnectionId) -> Arc<Outbox> {
        let outbox = Arc::new(Outbox::new(self.outbound_bytes));
        let mut mailboxes = self.mailboxes.write().unwrap_or_else(PoisonError::into_inner);
        mailboxes.insert(connection, Arc::clone(&outbox));
        outbox
    }

    /// The connection is gone.
    pub(super) fn remove(&self, connection: ConnectionId) {
        self.mailboxes.write().unwrap_or_else(PoisonError::into_inner).remove(&connection);
    }

    /// Delivers what a service has for others.
    pub(super) fn deliver(&self, pushes: Vec<Push>) {
        if pushes.is_empty() {
            return;
        }
        let mailboxes = self.mailboxes.read().unwrap_or_else(PoisonError::into_inner);
        for push in pushes {
            match push {
                Push::Packet(receivers, packet, envelope) => {
                    for outbox in receivers.iter().filter_map(|receiver| mailboxes.get(receiver)) {
                        outbox.post(Outbound::Packet(Arc::clone(&packet), envelope));
                    }
                }
                Push::Body(receivers, body) => {
                    for outbox in receivers.iter().filter_map(|receiver| mailboxes.get(receiver)) {
                        outbox.post(Outbound::Body(Arc::clone(&body)));
                    }
                }
                Push::Dismiss(connections) => {
                    connections
                        .iter()
                        .filter_map(|connection| mailboxes.get(connection))
                        .for_each(|m| m.dismiss());
                }
            }
        }
    }

    /// How many bytes wait for all that do not read, and how many wait for whom there is most.
    pub(super) fn waiting(&self) -> (usize, usize) {
        // Whoever relays needs the list, so it is not kept for as long as it takes to look at all of them.
        let all: Vec<_> =
            self.mailboxes.read().unwrap_or_else(PoisonError::into_inner).values().map(Arc::clone).collect();
        let bytes = all.iter().map(|outbox| outbox.waiting());
        bytes.fold((0, 0), |(all, most), bytes| (all + bytes, most.max(bytes)))
    }

    /// Ends all connections.
    pub(super) fn close_all(&self) {
        let mailboxes = self.mailboxes.read().unwrap_or_else(PoisonError::into_inner);
        mailboxes.values().for_each(|outbox| outbox.dismiss());
    }
}
