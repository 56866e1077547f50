//! Who is told what passes on a connection: the recorder, if the Operator asked for one, and the counters. Neither changes
//! anything about the connection.

use crate::services::Verdict;
use mco_proto::ids::PersonaId;
use mco_proto::mcots::{self, Body};
use mco_proto::nps::{self, Packet};

/// Is told what passes on one connection, in the order in which it passes.
pub(super) trait Observer: Send {
    /// These bytes arrived.
    fn received(&mut self, _bytes: &[u8]) {}
    /// The first `size` bytes that arrived and were not told of yet are this packet.
    fn packet_received(&mut self, _incoming: &nps::Incoming, _size: usize) {}
    /// The first `size` bytes that arrived and were not told of yet have this body.
    fn body_received(&mut self, _incoming: &mcots::Incoming, _size: usize) {}
    /// What became of the Game Packet received last.
    fn packet_answered(&mut self, _id: nps::Id, _verdict: Verdict) {}
    /// What became of the Transaction Packet received last.
    fn body_answered(&mut self, _number: mcots::Number, _verdict: Verdict) {}
    /// The connection is this persona's.
    fn signed_in(&mut self, _persona: PersonaId) {}
    /// This packet is going out as these bytes.
    fn packet_sent(&mut self, _packet: &Packet, _raw: &[u8]) {}
    /// This body is going out as these bytes.
    fn body_sent(&mut self, _body: &Body, _raw: &[u8]) {}
    /// The answers to the message received last do not go out.
    fn withdrawn(&mut self) {}
    /// Everything has gone out.
    fn written(&mut self) {}
    /// The connection has ended; what was not written has not gone out.
    fn ended(&mut self, _why: &str) {}
}

/// The observers of one connection; none by default.
#[derive(Default)]
pub struct Observers(Vec<Box<dyn Observer>>);

impl Observers {
    /// One more.
    pub(super) fn add(&mut self, observer: impl Observer + 'static) {
        self.0.push(Box::new(observer));
    }

    /// Tells each of them.
    pub(super) fn tell(&mut self, mut what: impl FnMut(&mut dyn Observer)) {
        for observer in &mut self.0 {
            what(&mut **observer);
        }
    }
}
