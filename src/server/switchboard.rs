//! The way from one connection to others.

use super::mailbox::{Mailbox, Parcel};
use crate::services::Push;
use crate::world::ConnectionId;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Finds the mailbox of a connection.
#[derive(Debug)]
pub(super) struct Switchboard {
    outbound_bytes: usize,
    mailboxes: RwLock<HashMap<ConnectionId, Arc<Mailbox>>>,
}

impl Switchboard {
    /// Nobody connected. Each connection may have `outbound_bytes` waiting.
    pub(super) fn new(outbound_bytes: usize) -> Self {
        Self { outbound_bytes, mailboxes: RwLock::default() }
    }

    /// A mailbox for a new connection.
    pub(super) fn plug_in(&self, connection: ConnectionId) -> Arc<Mailbox> {
        let mailbox = Arc::new(Mailbox::new(self.outbound_bytes));
        let mut mailboxes = self.mailboxes.write().unwrap_or_else(PoisonError::into_inner);
        mailboxes.insert(connection, Arc::clone(&mailbox));
        mailbox
    }

    /// The connection is gone.
    pub(super) fn unplug(&self, connection: ConnectionId) {
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
                    for mailbox in receivers.iter().filter_map(|receiver| mailboxes.get(receiver)) {
                        mailbox.post(Parcel::Packet(Arc::clone(&packet), envelope));
                    }
                }
                Push::Body(receivers, body) => {
                    for mailbox in receivers.iter().filter_map(|receiver| mailboxes.get(receiver)) {
                        mailbox.post(Parcel::Body(Arc::clone(&body)));
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

    /// Ends all connections.
    pub(super) fn dismiss_all(&self) {
        let mailboxes = self.mailboxes.read().unwrap_or_else(PoisonError::into_inner);
        mailboxes.values().for_each(|mailbox| mailbox.dismiss());
    }
}
