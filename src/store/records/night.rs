//! The records of race nights.

use super::deal::Item;
use crate::store::record::{Record, whole};
use mco_proto::ids::{BrandedPartId, PersonaId};
use serde::{Deserialize, Serialize};

/// What a race night is to be. Moments are seconds since 1970, money is in dollars.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NightPlan {
    /// 3 to 40 characters.
    pub name: String,
    /// What it is about, at most 255 characters.
    pub text: String,
    /// The lobby in which its races are arranged.
    pub lobby: u32,
    /// Laps of a race that counts; 0: any.
    pub laps: u8,
    /// Whether it has to be driven the other way round; `None`: either.
    pub backward: Option<bool>,
    /// Whether nitrous has to be forbidden, or allowed; `None`: either.
    pub no_nitrous: Option<bool>,
    /// The class of the cars that count; 0: any.
    pub class: u8,
    /// The lowest and the highest level of who may register; 0: no bound.
    pub levels: (u32, u32),
    /// When it begins.
    pub start: u32,
    /// When it ends.
    pub end: u32,
    /// Whether there is another one a week later.
    pub weekly: bool,
    /// What registering costs.
    pub fee: u32,
    /// What the city adds to the purse.
    pub purse: u32,
    /// How many can register.
    pub most: u16,
    /// Whether the best time of one race decides, instead of the sum of points.
    pub best_time: bool,
    /// The season for which it counts; 0: none.
    pub season: u32,
}

/// A race night.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Night {
    /// Its number, from 1; never given out twice.
    pub id: u32,
    /// What it is to be.
    pub plan: NightPlan,
    /// The club whose Captain planned it; 0: the Server Operator did.
    pub club: u32,
    /// Everybody who is registered, in that order.
    pub entries: Vec<NightEntry>,
    /// Fees of drivers that were deleted while it ran.
    pub kept: u32,
    /// What came of it; `None`: it is planned or runs.
    pub outcome: Option<NightOutcome>,
    /// Cars and parts to win, the best first. The Escrow holds them until it is over.
    pub prizes: Vec<Prize>,
    /// How many seconds later it begins than at the hour for which it was planned, because the clocks are put forward over that.
    pub delay: u32,
}

/// A car or part to win in a race night.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prize {
    /// Who has given it, and gets it back if nobody wins it.
    pub from: PersonaId,
    /// What it is.
    pub item: Item,
}

impl Record for Night {
    const WHAT: &'static str = "race night";
    const VERSION: u8 = 3;

    fn older(version: u8, fields: &[u8]) -> Option<Self> {
        if version == 2 {
            let NightV2 { id, plan, club, entries, kept, outcome, prizes } = whole(fields)?;
            return Some(Self { id, plan, club, entries, kept, outcome, prizes, delay: 0 });
        }
        if version != 1 {
            return None;
        }
        let NightV1 { id, plan, club, entries, kept, outcome } = whole(fields)?;
        let outcome = outcome.map(|OutcomeV1 { at, cancelled, prizes }| NightOutcome {
            at,
            cancelled,
            prizes,
            won: Vec::new(),
        });
        Some(Self { id, plan, club, entries, kept, outcome, prizes: Vec::new(), delay: 0 })
    }
}

/// A race night as it was before the hour was remembered for which it was planned.
#[derive(Deserialize)]
struct NightV2 {
    id: u32,
    plan: NightPlan,
    club: u32,
    entries: Vec<NightEntry>,
    kept: u32,
    outcome: Option<NightOutcome>,
    prizes: Vec<Prize>,
}

/// A race night as it was before there were things to win.
#[derive(Deserialize)]
struct NightV1 {
    id: u32,
    plan: NightPlan,
    club: u32,
    entries: Vec<NightEntry>,
    kept: u32,
    outcome: Option<OutcomeV1>,
}

#[derive(Deserialize)]
struct OutcomeV1 {
    at: u32,
    cancelled: String,
    prizes: Vec<(PersonaId, u32)>,
}

/// Somebody who is registered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NightEntry {
    /// Who.
    pub persona: PersonaId,
    /// The name at that time.
    pub name: String,
    /// The fee that is held.
    pub fee: u32,
    /// Races that counted.
    pub races: u32,
    /// Of these, won.
    pub won: u32,
    /// Points by the places in them.
    pub points: u32,
    /// The best time, in ticks of 1/64 s; 0: none.
    pub best: u32,
    /// In which model that was driven, as a number of the catalogue.
    pub model: BrandedPartId,
}

/// What came of a race night.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NightOutcome {
    /// When it was ended, in seconds since 1970.
    pub at: u32,
    /// Why it was cancelled; empty: it was not.
    pub cancelled: String,
    /// Who was paid how many dollars, the winner first.
    pub prizes: Vec<(PersonaId, u32)>,
    /// Who has won which car or part, in the order of the prizes.
    pub won: Vec<(PersonaId, Item)>,
}

impl Night {
    /// Whether it runs at a moment.
    pub const fn runs_at(&self, unix: u64) -> bool {
        self.plan.start as u64 <= unix && unix < self.plan.end as u64 && self.outcome.is_none()
    }

    /// The fees that it holds.
    pub fn fees(&self) -> u64 {
        let fees: u64 = self.entries.iter().map(|entry| u64::from(entry.fee)).sum();
        u64::from(self.kept) + fees
    }

    /// What is paid at the end: the city's part and the fees.
    pub fn purse(&self) -> u64 {
        u64::from(self.plan.purse) + self.fees()
    }

    /// Those who are placed, the first one first; then those who have no result yet, in the order of registration.
    pub fn table(&self) -> (Vec<&NightEntry>, Vec<&NightEntry>) {
        let by_time = self.plan.best_time;
        let placed = |entry: &&NightEntry| if by_time { entry.best > 0 } else { entry.points > 0 };
        let (mut first, rest): (Vec<_>, Vec<_>) = self.entries.iter().partition(placed);
        // Who registered first is first of two who are equal: sorting keeps the order.
        first.sort_by_key(|entry| {
            let points = u32::MAX - entry.points;
            if by_time { (entry.best, points, 0) } else { (points, u32::MAX - entry.won, entry.best) }
        });
        (first, rest)
    }
}
