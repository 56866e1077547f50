//! The rounds of a race that is driven more than once: what the host said of them with 232, and how far they are.
//!
//! Each round is started by a 232 of its own and ended by a 237 of its own (*inferred*: no Client was recorded in a series).

use super::{Place, Race};
use crate::catalog::RaceType;
use mco_proto::mcots::race::LobbyFlags;

/// How far a series of rounds is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rounds {
    /// How many rounds make the series; 0: it is a single race.
    pub limit: u8,
    /// How many are completed, the last one included.
    pub completed: u8,
    /// Bit n is set if the second lane won round n, from 0.
    pub winners: u16,
    /// Head start of the two lanes, in ticks of 1/64 s, as the host said with the last start; 0 in a race without handicap. It is kept
    /// and logged and decides nothing: no message of the end has room for it, whether the times that Clients report include
    /// it is not known, and it is the host who writes it.
    pub dial_in: [u16; 2],
}

impl Rounds {
    /// The winners of so many fit.
    const MOST: u8 = 16;
}

impl Race {
    /// A round begins. What 230 said of the number of rounds counts, else what the host says now. A series that was complete, or of
    /// another length, begins again.
    pub(super) fn begin_round(&mut self, limit: u8, dial_in: [u16; 2]) {
        let agreed = self.settings.rounds;
        let limit = if agreed > 0 { agreed } else { limit }.min(Rounds::MOST);
        if limit != self.rounds.limit || self.rounds.completed >= limit {
            self.rounds = Rounds { limit, ..Rounds::default() };
        }
        self.rounds.dial_in = if self.settings.flags.has(LobbyFlags::HANDICAP) { dial_in } else { [0; 2] };
    }

    /// A round is over. One that nobody won does not count, nor does a single race that is not over a quarter mile.
    pub(super) fn count_round(&mut self) {
        let series = self.rounds.limit > 0 || self.settings.race_type == RaceType::Drag;
        let winner = Place::order(&self.field).into_iter().find(|place| place.place == Some(0));
        let Some(winner) = winner.filter(|_| series && self.rounds.completed < Rounds::MOST) else { return };
        if self.field.get(1) == Some(&winner.starter) {
            self.rounds.winners |= 1 << self.rounds.completed;
        }
        self.rounds.completed += 1;
    }
}
