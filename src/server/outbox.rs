//! What waits to be written to one connection by others.

use super::memory_budget::Evict;
use crate::services::Encryption;
use atomic_waker::AtomicWaker;
use mco_proto::mcots::Body;
use mco_proto::nps::Packet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;

/// What a waiting packet weighs besides its bytes.
const OVERHEAD: usize = 64;

/// A message for a connection, shared by all that get it; each encrypts it with its own state.
#[derive(Clone, Debug)]
pub enum Outbound {
    /// For NPS, and the form in which it is to travel.
    Packet(Arc<Packet>, Encryption),
    /// For MCOTS.
    Body(Arc<Body>),
}

impl Outbound {
    fn weight(&self) -> usize {
        OVERHEAD
            + match self {
                Self::Packet(packet, _) => packet.size(),
                Self::Body(body) => body.0.len(),
            }
    }
}

/// A bounded queue of packets for one connection. A receiver that does not read is cut off when it is full; whoever
/// sends never waits.
#[derive(Debug)]
pub(super) struct Outbox {
    limit: usize,
    state: Mutex<State>,
    waker: AtomicWaker,
}

#[derive(Debug, Default)]
struct State {
    packets: Vec<Outbound>,
    bytes: usize,
    ending: Option<Ending>,
}

/// Why a connection is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Others had more for it than it read.
    Overflow,
    /// A service or the Operator ends it.
    Dismissed,
    /// It holds most of what all connections together may send without completing it.
    OverBudget,
}

impl Outbox {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, state: Mutex::default(), waker: AtomicWaker::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a packet in.
    pub(super) fn post(&self, packet: Outbound) {
        let mut state = self.state();
        if state.ending.is_some() {
            return;
        }
        state.bytes += packet.weight();
        if state.bytes > self.limit {
            *state = State { ending: Some(Ending::Overflow), ..State::default() };
        } else {
            state.packets.push(packet);
        }
        drop(state);
        self.waker.wake();
    }

    /// Ends the connection.
    pub(super) fn dismiss(&self) {
        self.end(Ending::Dismissed);
    }

    fn end(&self, why: Ending) {
        self.state().ending.get_or_insert(why);
        self.waker.wake();
    }

    /// Takes everything out, in order, and the queue's memory with it: most connections are idle.
    pub(super) fn drain(&self) -> Vec<Outbound> {
        let mut state = self.state();
        state.bytes = 0;
        std::mem::take(&mut state.packets)
    }

    /// How many bytes wait.
    pub(super) fn waiting(&self) -> usize {
        self.state().bytes
    }

    /// Whether and why the connection is to end.
    pub(super) fn ending(&self) -> Option<Ending> {
        self.state().ending
    }

    /// Whether there is anything to do; if not, the task will be woken.
    pub(super) fn poll(&self, context: &Context<'_>) -> bool {
        self.waker.register(context.waker());
        let state = self.state();
        !state.packets.is_empty() || state.ending.is_some()
    }
}

impl Evict for Outbox {
    fn evict(&self) {
        self.end(Ending::OverBudget);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mco_proto::nps::Id;

    fn packet(size: usize) -> Outbound {
        Outbound::Packet(Arc::new(Packet { body: vec![0; size], ..Packet::bare(Id(1)) }), Encryption::Clear)
    }

    fn size(outbound: &Outbound) -> usize {
        match outbound {
            Outbound::Packet(packet, envelope) => {
                assert_eq!(*envelope, Encryption::Clear);
                packet.body.len()
            }
            Outbound::Body(body) => body.0.len(),
        }
    }

    #[test]
    fn packets_come_out_in_order_and_in_their_form() {
        let outbox = Outbox::new(10_000);
        outbox.post(packet(1));
        outbox.post(Outbound::Body(Arc::new(Body(vec![0; 2]))));
        assert_eq!(outbox.drain().iter().map(size).collect::<Vec<_>>(), [1, 2]);
        assert!(outbox.drain().is_empty() && outbox.ending().is_none());
    }

    #[test]
    fn a_receiver_that_does_not_read_is_cut_off_and_holds_no_memory() {
        let outbox = Outbox::new(10_000);
        for _ in 0..20 {
            outbox.post(packet(1_000));
        }
        assert_eq!(outbox.ending(), Some(Ending::Overflow));
        assert!(outbox.drain().is_empty());
    }

    #[test]
    fn who_reads_in_time_may_get_any_number_of_packets() {
        let outbox = Outbox::new(10_000);
        for _ in 0..20 {
            outbox.post(packet(9_000));
            assert_eq!(outbox.drain().len(), 1);
        }
        assert_eq!(outbox.ending(), None);
    }

    #[test]
    fn a_dismissed_connection_still_gets_what_waits() {
        let outbox = Outbox::new(10_000);
        outbox.post(packet(1));
        outbox.dismiss();
        assert_eq!(outbox.drain().len(), 1);
        assert_eq!(outbox.ending(), Some(Ending::Dismissed));
    }
}
