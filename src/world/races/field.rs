//! Who drives a run of a race, and in which order they came in.

use crate::catalog::rules;
use mco_proto::ids::{PartId, PersonaId, VehicleId};
use std::fmt;
use std::time::Duration;

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
    /// 0 where no lap was completed.
    pub best_lap: u32,
    /// Highest.
    pub top_speed: u16,
    /// On average.
    pub average_speed: u16,
}

/// What a racer says that a run did to its car.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamageReport {
    /// Who.
    pub driver: PersonaId,
    /// The one that it drove.
    pub car: VehicleId,
    /// For each part the damage in percent and the wear in the Client's units; as many as one message holds.
    pub parts: Vec<(PartId, u8, u32)>,
}

/// Which times a run can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimits {
    /// The shortest time in which it can be driven, in ticks.
    pub shortest: u32,
    /// The longest that it may take from the host's start until the racers go. `None`: times are not held against the clock.
    pub longest_loading: Option<Duration>,
}

impl TimeLimits {
    /// Why a time that is told so long after the host's start cannot be true, if so.
    pub fn doubt(&self, time: u32, after: Duration) -> Option<Doubt> {
        if time < self.shortest {
            return Some(Doubt::TooFast);
        }
        let longest_loading = self.longest_loading?;
        let driven = Duration::from_secs(time.into()) / 64;
        let slack = driven * rules::CLOCK_SLACK_PERCENT / 100;
        if driven > after + slack {
            Some(Doubt::TooSoon)
        } else if after > longest_loading.saturating_add(driven + slack) {
            Some(Doubt::TooLate)
        } else {
            None
        }
    }
}

/// Why a time cannot be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Nobody drives so fast.
    TooFast,
    /// So much time has not passed since the start.
    TooSoon,
    /// Much more time has passed since the start.
    TooLate,
    /// It contradicts the times of others, by the moments at which they came in.
    AtOdds,
}

/// What is wrong with the time, behind "it is".
impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooFast => "shorter than anybody can drive there",
            Self::TooSoon => "longer than the race had lasted",
            Self::TooLate => "much shorter than the race had lasted",
            Self::AtOdds => "at odds with those of the others, as if they had not begun together",
        })
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
    /// Why its time is not counted, if so.
    pub doubt: Option<Doubt>,
    /// How long after the host's start its outcome was known.
    pub after: Duration,
    /// Whether its time is held against the clock.
    pub is_timed: bool,
    /// How bad the worst part of its car was after the run, in percent, once that was said.
    pub damage: Option<u8>,
}

impl Starter {
    /// On the way.
    pub const fn new(driver: Driver) -> Self {
        Self { driver, outcome: None, doubt: None, after: Duration::ZERO, is_timed: false, damage: None }
    }

    /// Whether it is this persona.
    pub fn is(&self, other: PersonaId) -> bool {
        matches!(self.driver, Driver::Human { persona, .. } if persona == other)
    }

    /// Whether a player drives it.
    pub const fn is_human(&self) -> bool {
        matches!(self.driver, Driver::Human { .. })
    }

    /// Whether a run can't end before something is known of it. Racers that no human drives hold nobody up.
    pub const fn is_awaited(&self) -> bool {
        self.is_human() && self.outcome.is_none()
    }

    /// Out, so long after the host's start, if it is not in.
    pub(super) const fn put_out(&mut self, exit: Exit, after: Duration) {
        if self.outcome.is_none() {
            (self.outcome, self.after) = (Some(Outcome::Out(exit)), after);
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

/// What the clock has to do with the order in which racers came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clocked {
    /// All have begun at one moment: several runs behind one start are out of the question.
    pub(super) one_light: bool,
    /// A fee or a car is at stake.
    pub(super) stakes: bool,
}

/// Doubts times that do not agree with each other, by the server's clock.
///
/// Where something is at stake and one who came in earlier is to stand behind one who came in later, nobody's time counts, if that is
/// not by a moment. Else those are doubted who did not begin together with more than half of the others who came in: all see the same green light, so a time that is told
/// late and short, or long, begins at another moment. If there is no such half, nobody's time counts: who is right cannot be known, and
/// whoever lies wins nothing by it.
pub(super) fn doubt_who_is_at_odds(field: &mut [Starter], clocked: Clocked) {
    let counted = |starter: &Starter| {
        let report = starter.report().filter(|_| starter.is_timed && starter.doubt.is_none())?;
        let driven = Duration::from_secs(report.time.into()) / 64;
        Some((starter.after, driven, starter.after.saturating_sub(driven)))
    };
    let all: Vec<_> = field.iter().filter_map(counted).collect();
    let overtakes = |(came, driven, _): (Duration, Duration, _)| {
        all.iter().any(|(other, longer, _)| {
            let apart = came.abs_diff(*other) + longer.abs_diff(driven);
            driven < *longer && came > *other && apart > rules::ORDER_SLACK
        })
    };
    let contradicted = clocked.stakes && all.iter().copied().any(overtakes);
    let longest = all.iter().map(|(_, driven, _)| *driven).max().unwrap_or_default();
    let tolerance = rules::start_spread(longest) + longest * rules::CLOCK_SLACK_PERCENT / 100;
    for starter in field {
        let Some((.., began)) = counted(starter) else { continue };
        let together = all.iter().filter(|(.., other)| began.abs_diff(*other) <= tolerance).count();
        let alone = clocked.one_light && all.len() > 1 && together * 2 <= all.len();
        if contradicted || alone {
            starter.doubt = Some(Doubt::AtOdds);
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
    /// with times that cannot be true; then those who did not come in.
    pub fn order(field: &[Starter]) -> Vec<Self> {
        let key = |starter: &Starter| match starter.report() {
            Some(report) if starter.doubt.is_none() => (0, report.time),
            Some(report) if report.time > 0 => (1, report.time),
            _ => (2, 0),
        };
        let mut sorted = field.to_vec();
        sorted.sort_by_key(key);
        let places = sorted.into_iter().enumerate();
        places.map(|(at, starter)| Self { starter, place: (key(&starter).0 == 0).then_some(at) }).collect()
    }
}
