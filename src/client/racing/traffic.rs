//! The packets that racers send each other through the server, and a check of every byte of them.
//!
//! What each racer sends is fixed before the start: to whom packet *n* goes and what is in it follows from who sends it
//! and from *n*. So every receiver knows what it has to get and in which order, and whatever is lost, doubled,
//! reordered, altered or led astray on the way shows.

use crate::client::latency::Latency;
use mco_proto::ids::{CommId, PersonaId};
use mco_proto::mcots::race::SLOTS;
use mco_proto::nps::relay::{Address, Relay};
use mco_proto::nps::{Id, Packet, id};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Number, time and checksum around the filling.
const FRAME: usize = 4 + 8 + 4;

/// Live counters for a progress display.
#[derive(Debug, Default)]
pub struct Counters {
    /// Players that have signed in.
    pub joined: AtomicU64,
    /// Packets sent by all players.
    pub sent: AtomicU64,
    /// Packets received by all players.
    pub received: AtomicU64,
}

impl Counters {
    /// Adds one to a counter.
    pub(in crate::client) fn count(what: &AtomicU64) {
        what.fetch_add(1, Ordering::Relaxed);
    }
}

/// What the racers of one race send.
#[derive(Clone, Debug)]
pub struct Traffic {
    /// How many packets each racer sends, by its slot on the grid.
    pub packets: [u32; SLOTS],
    /// Time between two packets of one racer.
    pub interval: Duration,
    /// The fewest bytes of filling in a packet.
    pub least: usize,
    /// The most bytes of filling in a packet.
    pub most: usize,
    /// How many packets a racer may be ahead of those it hears; `None`: it does not wait for them.
    pub lead: Option<u32>,
    /// The moment from which times in packets are counted; the same for all who measure.
    pub epoch: Instant,
    /// Counts every packet that is sent or received.
    pub counters: Arc<Counters>,
}

impl Traffic {
    /// How many packets the racer at this slot sends.
    pub(super) fn packets_of(&self, slot: usize) -> u32 {
        self.packets.get(slot).copied().unwrap_or_default()
    }

    fn filling(&self, sender: PersonaId, number: u32) -> impl Iterator<Item = u8> + use<> {
        let span = self.most.saturating_sub(self.least) + 1;
        let length = self.least + usize::try_from(number).unwrap_or_default().wrapping_mul(37) % span;
        let seed = sender.0.wrapping_mul(31).wrapping_add(number.wrapping_mul(0x9e37_79b1));
        (0_u32..).flat_map(move |at| seed.wrapping_add(at).to_be_bytes()).take(length)
    }

    fn payload(&self, sender: PersonaId, number: u32, nanoseconds: u64) -> Vec<u8> {
        let mut payload = Vec::with_capacity(FRAME + self.most);
        payload.extend_from_slice(&number.to_be_bytes());
        payload.extend_from_slice(&nanoseconds.to_be_bytes());
        payload.extend(self.filling(sender, number));
        let sum = crc32fast::hash(&payload);
        payload.extend_from_slice(&sum.to_be_bytes());
        payload
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// The slots to which a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Recipients {
    /// 0x97 that excepts the sender, as the Client writes it.
    Others,
    /// 0x95.
    One(usize),
    /// 0x93.
    Buddy(usize),
    /// 0x97 that excepts somebody else.
    AllBut(usize),
}

impl Recipients {
    /// Of packet `number` of the racer at `from`, among `racers`. Everybody is aimed at alone in turn.
    fn of(number: u32, from: usize, racers: usize) -> Self {
        let turn = usize::try_from(number / 4).unwrap_or_default() % racers.saturating_sub(1).max(1);
        let mate = (from + 1 + turn) % racers.max(1);
        match number % 4 {
            1 => Self::One(mate),
            2 => Self::Buddy(mate),
            3 => Self::AllBut(mate),
            _ => Self::Others,
        }
    }

    const fn number(self) -> Id {
        match self {
            Self::Others | Self::AllBut(_) => id::RELAY_LONG_NOT_SINGLE,
            Self::One(_) => id::RELAY_LONG_SINGLE,
            Self::Buddy(_) => id::RELAY_LONG_BUDDY,
        }
    }

    const fn reaches(self, slot: usize, from: usize) -> bool {
        match self {
            Self::Others => slot != from,
            // Whoever is alone speaks to itself, and nobody hears that.
            Self::One(mate) | Self::Buddy(mate) => slot == mate && slot != from,
            Self::AllBut(mate) => slot != mate && slot != from,
        }
    }
}

/// Packets that did not arrive as they should.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Faults {
    /// Did not arrive.
    pub lost: u64,
    /// Arrived more than once.
    pub doubled: u64,
    /// Arrived after a later packet of the same sender.
    pub reordered: u64,
    /// Arrived with other bytes than were sent; counts as lost too.
    pub altered: u64,
    /// Arrived at a racer for which it was not meant.
    pub stray: u64,
}

impl Faults {
    /// The sum of all faults.
    pub const fn sum(self) -> u64 {
        self.lost + self.doubled + self.reordered + self.altered + self.stray
    }

    /// The sum of two, field by field.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            lost: self.lost + other.lost,
            doubled: self.doubled + other.doubled,
            reordered: self.reordered + other.reordered,
            altered: self.altered + other.altered,
            stray: self.stray + other.stray,
        }
    }
}

/// The packets that one racer receives from one other.
#[derive(Clone, Debug, Default)]
struct Stream {
    /// Higher than every number that came.
    next: u32,
    /// Lower ones that should have come and did not yet.
    missing: BTreeSet<u32>,
    /// How many are still to come in all.
    outstanding: u64,
}

/// The packets of one racer: sends what it has to send, and checks that every packet meant for it arrives once, in order and
/// unchanged.
#[derive(Clone, Debug)]
pub struct Deliveries {
    traffic: Arc<Traffic>,
    channel: CommId,
    grid: Arc<[PersonaId]>,
    slot: usize,
    streams: Vec<Stream>,
    faults: Faults,
    sent: u64,
    received: u64,
    bytes: u64,
    latency: Latency,
    last: Option<Instant>,
}

impl Deliveries {
    /// Of the racer in slot `slot` of `grid`.
    pub fn new(traffic: Arc<Traffic>, channel: CommId, grid: Arc<[PersonaId]>, slot: usize) -> Self {
        let wanted = |from: usize| {
            let aimed = |number: &u32| Recipients::of(*number, from, grid.len()).reaches(slot, from);
            let outstanding = (0..traffic.packets_of(from)).filter(aimed).count() as u64;
            Stream { outstanding, ..Stream::default() }
        };
        let streams = (0..grid.len()).map(wanted).collect();
        let (faults, latency) = (Faults::default(), Latency::default());
        let (sent, received, bytes, last) = (0, 0, 0, None);
        Self { traffic, channel, grid, slot, streams, faults, sent, received, bytes, latency, last }
    }

    /// The next packet to send; `None` when all are.
    pub fn next_packet(&mut self) -> Option<Packet> {
        let number = u32::try_from(self.sent).ok().filter(|n| *n < self.traffic.packets_of(self.slot))?;
        let sender = *self.grid.get(self.slot)?;
        let recipients = Recipients::of(number, self.slot, self.grid.len());
        let persona = |slot: usize| self.grid.get(slot).copied().unwrap_or_default();
        let address = match recipients {
            Recipients::Others => Address::NotSingle(sender),
            Recipients::AllBut(mate) => Address::NotSingle(persona(mate)),
            Recipients::One(mate) => Address::Single(persona(mate)),
            Recipients::Buddy(mate) => Address::Buddy(persona(mate)),
        };
        let payload = self.traffic.payload(sender, number, self.traffic.now());
        self.sent += 1;
        Counters::count(&self.traffic.counters.sent);
        Some(
            Relay { id: recipients.number(), channel: self.channel, sender, address, payload: &payload }
                .packet(),
        )
    }

    /// Checks a relay that the server has passed on.
    pub fn receive(&mut self, packet: &Packet) {
        self.received += 1;
        self.bytes += packet.size() as u64;
        self.last = Some(Instant::now());
        Counters::count(&self.traffic.counters.received);
        match self.understood(packet) {
            Some((from, number, sent_at)) => self.count(from, number, packet.id, sent_at),
            None => self.faults.altered += 1,
        }
    }

    /// Sender, number and time of a packet that is byte for byte what was sent.
    fn understood(&self, packet: &Packet) -> Option<(usize, u32, u64)> {
        let (channel, rest) = packet.body.split_first_chunk()?;
        let (sender, payload) = rest.split_first_chunk()?;
        let (number, rest) = payload.split_first_chunk()?;
        let (sent_at, _) = rest.split_first_chunk()?;
        let (sender, number) = (PersonaId(u32::from_be_bytes(*sender)), u32::from_be_bytes(*number));
        let sent_at = u64::from_be_bytes(*sent_at);
        let from = self.grid.iter().position(|racer| *racer == sender)?;
        let whole = CommId(u32::from_be_bytes(*channel)) == self.channel
            && payload == self.traffic.payload(sender, number, sent_at);
        whole.then_some((from, number, sent_at))
    }

    fn count(&mut self, from: usize, number: u32, id: Id, sent_at: u64) {
        let racers = self.grid.len();
        let aimed = |number| Recipients::of(number, from, racers).reaches(self.slot, from);
        let Some(stream) = self.streams.get_mut(from) else { return };
        let right = Recipients::of(number, from, racers).number() == id;
        if number >= self.traffic.packets_of(from) || !aimed(number) || !right {
            self.faults.stray += 1;
            return;
        }
        if number >= stream.next {
            stream.missing.extend((stream.next..number).filter(|skipped| aimed(*skipped)));
            stream.next = number + 1;
        } else if stream.missing.remove(&number) {
            self.faults.reordered += 1;
        } else {
            self.faults.doubled += 1;
            return;
        }
        stream.outstanding = stream.outstanding.saturating_sub(1);
        self.latency.record(Duration::from_nanos(self.traffic.now().saturating_sub(sent_at)));
    }

    /// Whether all that is to be sent and received has been.
    pub fn is_complete(&self) -> bool {
        !self.has_more() && self.outstanding() == 0
    }

    /// How long to wait between two packets.
    pub(super) fn interval(&self) -> Duration {
        self.traffic.interval
    }

    /// Whether there is more to send.
    pub(super) fn has_more(&self) -> bool {
        self.sent < self.traffic.packets_of(self.slot).into()
    }

    /// Whether others have to be heard before the next packet is sent.
    pub(super) fn is_ahead(&self) -> bool {
        let sent = u32::try_from(self.sent).unwrap_or(u32::MAX);
        let Some(due) = self.traffic.lead.and_then(|lead| sent.checked_sub(lead)) else { return false };
        self.streams.iter().enumerate().any(|(from, stream)| {
            let due = due.min(self.traffic.packets_of(from));
            let aimed = |number| Recipients::of(number, from, self.grid.len()).reaches(self.slot, from);
            stream.missing.first().is_some_and(|first| *first < due) || (stream.next..due).any(aimed)
        })
    }

    /// How many packets have not come yet.
    pub fn outstanding(&self) -> u64 {
        self.streams.iter().map(|stream| stream.outstanding).sum()
    }

    /// The faults, if no more packets arrive: what is still outstanding counts as lost.
    pub fn faults(&self) -> Faults {
        Faults { lost: self.outstanding(), ..self.faults }
    }

    /// Packets sent so far.
    pub const fn sent(&self) -> u64 {
        self.sent
    }

    /// Packets received, whatever was wrong with them.
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// Bytes received, headers included.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// From sending to receiving, of each packet that came as it should.
    pub const fn latency(&self) -> &Latency {
        &self.latency
    }

    /// When the last packet came.
    pub const fn last(&self) -> Option<Instant> {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANNEL: CommId = CommId(20_000);
    const PACKETS: u32 = 40;

    /// The accounts of three racers, and every packet of the first with the slots that get it.
    fn race() -> (Vec<Deliveries>, Vec<(Packet, Vec<usize>)>) {
        let traffic = Traffic {
            packets: [PACKETS, 0, 0, 0, 0, 0],
            interval: Duration::ZERO,
            least: 0,
            most: 50,
            lead: None,
            epoch: Instant::now(),
            counters: Arc::default(),
        };
        let (traffic, grid) = (Arc::new(traffic), Arc::from([PersonaId(7), PersonaId(8), PersonaId(9)]));
        let deliveries = |slot| Deliveries::new(Arc::clone(&traffic), CHANNEL, Arc::clone(&grid), slot);
        let mut ledgers: Vec<_> = (0..3).map(deliveries).collect();
        let mut packets = Vec::new();
        while let Some(packet) = ledgers[0].next_packet() {
            let relay = Relay::read(&packet).unwrap();
            let slots = (1..3).filter(|slot| match relay.address {
                Address::Single(persona) | Address::Buddy(persona) => persona == grid[*slot],
                Address::NotSingle(persona) => persona != grid[*slot],
                _ => unreachable!(),
            });
            packets.push((relay.forwarded(relay.sender), slots.collect()));
        }
        (ledgers, packets)
    }

    #[test]
    fn nobody_is_owed_anything_in_a_race_alone() {
        let mut traffic = Traffic::clone(&race().0[0].traffic);
        traffic.packets = [PACKETS; SLOTS];
        let deliveries = Deliveries::new(Arc::new(traffic), CHANNEL, Arc::from([PersonaId(7)]), 0);
        assert_eq!(deliveries.outstanding(), 0);
    }

    #[test]
    fn a_race_in_which_everything_arrives_has_no_faults() {
        let (mut ledgers, packets) = race();
        assert!(ledgers[0].is_complete() && !ledgers[1].is_complete());
        for (packet, slots) in &packets {
            for slot in slots {
                ledgers[*slot].receive(packet);
            }
        }
        for deliveries in &ledgers {
            assert!(deliveries.is_complete());
            assert_eq!(deliveries.faults(), Faults::default());
        }
        assert_eq!(ledgers[1].received() + ledgers[2].received(), u64::from(PACKETS / 4 * 5));
    }

    #[test]
    fn a_racer_with_a_bounded_lead_waits_for_those_it_hears() {
        let mut traffic = Traffic::clone(&race().0[0].traffic);
        traffic.packets = [8, 8, 0, 0, 0, 0];
        traffic.lead = Some(2);
        let (traffic, grid) = (Arc::new(traffic), Arc::from([PersonaId(7), PersonaId(8), PersonaId(9)]));
        let deliveries = |slot| Deliveries::new(Arc::clone(&traffic), CHANNEL, Arc::clone(&grid), slot);
        let mut ledgers = [deliveries(0), deliveries(1)];
        for _ in 0..3 {
            assert!(!ledgers[0].is_ahead());
            ledgers[0].next_packet().unwrap();
        }
        assert!(ledgers[0].is_ahead(), "it has sent three and heard none");
        let first = ledgers[1].next_packet().unwrap();
        ledgers[0].receive(&Relay::read(&first).unwrap().forwarded(PersonaId(8)));
        assert!(!ledgers[0].is_ahead());
    }

    #[test]
    fn what_is_lost_doubled_reordered_altered_or_astray_shows() {
        let mine = |(packet, slots): &(Packet, Vec<usize>)| slots.contains(&1).then(|| packet.clone());
        let faults = |change: &dyn Fn(&mut Vec<Packet>)| {
            let (mut ledgers, packets) = race();
            let mut packets: Vec<_> = packets.iter().filter_map(mine).collect();
            change(&mut packets);
            for packet in &packets {
                ledgers[1].receive(packet);
            }
            ledgers[1].faults()
        };
        let none = Faults::default();
        assert_eq!(faults(&|_| ()), none);
        assert_eq!(faults(&|packets| drop(packets.remove(3))), Faults { lost: 1, ..none });
        assert_eq!(faults(&|packets| drop(packets.pop())), Faults { lost: 1, ..none });
        assert_eq!(faults(&|packets| packets.insert(9, packets[2].clone())), Faults { doubled: 1, ..none });
        assert_eq!(faults(&|packets| packets.swap(4, 5)), Faults { reordered: 1, ..none });
        let altered = Faults { lost: 1, altered: 1, ..none };
        assert_eq!(faults(&|packets| packets[5].body[9] ^= 1), altered);
        assert_eq!(faults(&|packets| packets[5].body.truncate(30)), altered);
        assert_eq!(faults(&|packets| packets[5].id.0 ^= 2), Faults { lost: 1, stray: 1, ..none });
        let (mut ledgers, packets) = race();
        let foreign = packets.iter().find(|(_, slots)| slots == &[2]).unwrap();
        ledgers[1].receive(&foreign.0);
        assert_eq!(ledgers[1].faults().stray, 1);
    }
}
