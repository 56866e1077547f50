//! One channel and the people in it.

use super::{Hall, Riff};
use crate::world::ConnectionId;
use mco_proto::ids::PersonaId;

/// The most connections with which one persona may be in one channel.
const MOST_SEATS: usize = 8;

/// A channel. It exists as long as somebody is in it.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) riff: Riff,
    pub(super) password: String,
    /// The host of a race; nobody's in a chat channel.
    pub(super) owner: Option<PersonaId>,
    /// The hall in which its race runs.
    pub(super) running: Option<Hall>,
    /// In the order in which they came.
    pub(super) people: Vec<Occupant>,
}

/// A persona in a channel, however many connections it is in with.
#[derive(Debug)]
pub(super) struct Occupant {
    pub(super) persona: PersonaId,
    pub(super) ready: bool,
    /// In the order in which they came; never empty.
    seats: heapless::Vec<Seat, MOST_SEATS>,
}

/// A connection in a channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seat {
    pub(super) connection: ConnectionId,
    pub(super) hall: Hall,
}

/// How near two halls are: what happens on one connection is told on the nearest of another player.
pub(super) fn nearness(one: Hall, other: Hall) -> u8 {
    match (one, other) {
        _ if one == other => 2,
        (Hall::Room(_), Hall::Room(_)) => 1,
        _ => 0,
    }
}

impl Occupant {
    /// The connection nearest to `hall`; of several the latest.
    pub(super) fn nearest(&self, hall: Hall) -> Option<Seat> {
        self.seats.iter().copied().max_by_key(|seat| nearness(seat.hall, hall))
    }

    /// All connections.
    pub(super) fn seats(&self) -> impl Iterator<Item = Seat> {
        self.seats.iter().copied()
    }
}

impl Channel {
    pub(super) const fn new(riff: Riff, password: String, owner: Option<PersonaId>) -> Self {
        Self { riff, password, owner, running: None, people: Vec::new() }
    }

    pub(super) fn occupant(&self, persona: PersonaId) -> Option<&Occupant> {
        self.people.iter().find(|occupant| occupant.persona == persona)
    }

    pub(super) fn occupant_mut(&mut self, persona: PersonaId) -> Option<&mut Occupant> {
        self.people.iter_mut().find(|occupant| occupant.persona == persona)
    }

    /// Lets a connection in. `false`: the persona has too many already.
    pub(super) fn seat(&mut self, persona: PersonaId, seat: Seat) -> bool {
        if let Some(occupant) = self.occupant_mut(persona) {
            return occupant.seats.push(seat).is_ok();
        }
        let seats = heapless::Vec::from_iter([seat]);
        self.people.push(Occupant { persona, ready: false, seats });
        true
    }

    /// Lets a connection go, and the persona with its last one. `false`: it was not here.
    pub(super) fn unseat(&mut self, persona: PersonaId, connection: ConnectionId) -> bool {
        let Some(occupant) = self.occupant_mut(persona) else { return false };
        let before = occupant.seats.len();
        occupant.seats.retain(|seat| seat.connection != connection);
        let gone = occupant.seats.len() < before;
        if occupant.seats.is_empty() {
            self.people.retain(|occupant| occupant.persona != persona);
        }
        gone
    }

    /// Everybody but `persona`, each on the connection nearest to `hall`.
    pub(super) fn others(&self, persona: PersonaId, hall: Hall) -> impl Iterator<Item = (&Occupant, Seat)> {
        self.people
            .iter()
            .filter(move |occupant| occupant.persona != persona)
            .filter_map(move |occupant| Some((occupant, occupant.nearest(hall)?)))
    }

    /// Who has to hear that `persona` came to or left this channel by a connection in `hall`: everybody else, each on the
    /// connection nearest to it, unless another connection of `persona` is as near. So somebody who is in the
    /// race's room hears of an arrival there even if both met in the lobby before, and nobody hears anything twice.
    pub(super) fn witnesses(
        &self,
        persona: PersonaId,
        hall: Hall,
        connection: ConnectionId,
    ) -> Vec<ConnectionId> {
        let more: Vec<Hall> = self
            .occupant(persona)
            .into_iter()
            .flat_map(Occupant::seats)
            .filter(|seat| seat.connection != connection)
            .map(|seat| seat.hall)
            .collect();
        self.others(persona, hall)
            .filter(|(_, seat)| {
                more.iter().all(|more| nearness(*more, seat.hall) < nearness(hall, seat.hall))
            })
            .map(|(_, seat)| seat.connection)
            .collect()
    }

    /// How many are ready.
    pub(super) fn ready(&self) -> usize {
        self.people.iter().filter(|occupant| occupant.ready).count()
    }
}
