//! Who drives a run of a race, and in which order they came in.

use crate::catalog::rules;
use mco_proto::ids::{PersonaId, VehicleId};

/// Who sits in a car.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// A player, in a car.
    Human {
        /// Who.
        persona: PersonaId,
        /// The car.
        vehicle: VehicleId,
    },
    /// One whom the host's Client plays, by its number.
    Ai(u32),
}

/// What a Client reports of a racer who came in. Times in ticks of 1/64 s, speeds in metres per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// For the whole run.
    pub time: u32,
    /// For the best lap.
    pub best_lap: u32,
    /// Highest.
    pub top_speed: u16,
    /// On average.
    pub average_speed: u16,
}

impl Report {
    /// Whether nobody can have driven so fast.
    pub const fn is_impossible(&self) -> bool {
        self.time < rules::SHORTEST_TIME
    }
}

/// Why a racer is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Said so: gave up, made a false start, was caught.
    Quit,
    /// The connection is gone.
    Dropped,
    /// Was waited for long enough.
    TimedOut,
}

/// What became of a racer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Came in.
    In(Report),
    /// Did not.
    Out(Exit),
}

/// One of the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Starter {
    /// Who.
    pub driver: Driver,
    /// What became of it, once that is known.
    pub outcome: Option<Outcome>,
}

impl Starter {
    /// On the way.
    pub const fn new(driver: Driver) -> Self {
        Self { driver, outcome: None }
    }

    /// Whether it is this persona.
    pub fn is(&self, other: PersonaId) -> bool {
        matches!(self.driver, Driver::Human { persona, .. } if persona == other)
    }

    /// Whether a run can't end before something is known of it. Racers that no human drives hold nobody up.
    pub const fn is_awaited(&self) -> bool {
        matches!(self.driver, Driver::Human { .. }) && self.outcome.is_none()
    }

    /// Out, if it is not in.
    pub(super) const fn put_out(&mut self, exit: Exit) {
        if self.outcome.is_none() {
            self.outcome = Some(Outcome::Out(exit));
        }
    }

    /// What it reported, if it came in.
    pub const fn report(&self) -> Option<Report> {
        match self.outcome {
            Some(Outcome::In(report)) => Some(report),
            _ => None,
        }
    }
}

/// A racer's place in the results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The racer.
    pub starter: Starter,
    /// Which place, from 0, among those whose time counts; none for the others.
    pub place: Option<usize>,
}

impl Place {
    /// The field in the order of the results: who came in, by time, in the order of the slots if it is equal; then those
    /// with times that nobody can drive; then those who did not come in.
    pub fn order(field: &[Starter]) -> Vec<Self> {
        let key = |starter: &Starter| match starter.report() {
            Some(report) if !report.is_impossible() => (0, report.time),
            Some(report) if report.time > 0 => (1, report.time),
            _ => (2, 0),
        };
        let mut sorted = field.to_vec();
        sorted.sort_by_key(key);
        let places = sorted.into_iter().enumerate();
        places.map(|(at, starter)| Self { starter, place: (key(&starter).0 == 0).then_some(at) }).collect()
    }
}
