//! The records of weeks, turfs, badges, seasons and headlines.

use crate::store::record::Record;
use mco_proto::ids::PersonaId;
use serde::{Deserialize, Serialize};

/// What the races of a persona in one week add up to, until the week is settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct WeekPoints {
    pub(in crate::store) persona: PersonaId,
    /// By kind of race.
    pub(in crate::store) kinds: Vec<KindPoints>,
}

/// The same for one kind of race.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct KindPoints {
    /// The Client's number of the kind.
    pub(in crate::store) race_type: u32,
    pub(in crate::store) races: u32,
    pub(in crate::store) won: u32,
    pub(in crate::store) points: u32,
}

impl Record for WeekPoints {
    const WHAT: &'static str = "points of a week";
}

/// A week whose rewards were paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeekRewards {
    /// The week, counted as [`crate::clock::week`] does.
    pub week: u32,
    /// When it was settled, in seconds since 1970.
    pub at: u32,
    /// The first is Top Dog, then one for each kind of race that was driven.
    pub boards: Vec<RewardBoard>,
}

impl Record for WeekRewards {
    const WHAT: &'static str = "rewards of a week";
}

/// The best of a week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RewardBoard {
    /// The Client's number of the kind of race; `None`: all kinds, Top Dog.
    pub race_type: Option<u32>,
    /// The best first.
    pub winners: Vec<Rewarded>,
}

/// Somebody who was rewarded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewarded {
    /// Who.
    pub persona: PersonaId,
    /// The name at that time.
    pub name: String,
    /// Points of the week.
    pub points: u32,
    /// Dollars paid.
    pub dollars: u32,
}

/// A turf in one week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurfWeek {
    /// The lobby whose track it is.
    pub lobby: u32,
    /// Counted from 1970 as [`crate::clock::week`] does.
    pub week: u32,
    /// The clubs with points; of a settled week the best five, the winner first.
    pub clubs: Vec<TurfClub>,
}

impl Record for TurfWeek {
    const WHAT: &'static str = "week of a turf";
}

/// A club on a turf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurfClub {
    /// The number of the club.
    pub club: u32,
    /// Its acronym; empty until the week is settled.
    pub acronym: String,
    /// Points of its members there.
    pub points: u32,
    /// Races that counted.
    pub races: u32,
}

/// What a persona was honoured for, beside what can be seen from its results.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct Badges {
    /// The oldest first; at most fifty.
    pub(in crate::store) all: Vec<Badge>,
}

impl Record for Badges {
    const WHAT: &'static str = "badges of a persona";
}

/// A distinction that a persona's page shows for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Badge {
    /// What for.
    pub kind: BadgeKind,
    /// In words, at most 60 characters.
    pub text: String,
    /// When, in seconds since 1970.
    pub at: u32,
}

/// The kinds of badges. Stored by position: new kinds go to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BadgeKind {
    /// Won a season.
    Champion,
    /// Won a race night.
    RaceNight,
    /// The best of a week.
    TopDog,
    /// Was in a club when it won a turf.
    Turf,
}

/// A series of race nights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Season {
    /// Its number, from 1.
    pub id: u32,
    /// Its name, at most 30 characters.
    pub name: String,
    /// How many of its race nights were driven.
    pub nights: u32,
    /// The standings, the best first; at most a hundred.
    pub standings: Vec<Standing>,
    /// When it ended, in seconds since 1970; `None`: it has not.
    pub ended: Option<u32>,
}

impl Record for Season {
    const WHAT: &'static str = "season";
}

/// Somebody in a season.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Who.
    pub persona: PersonaId,
    /// The name when it last drove.
    pub name: String,
    /// Points of the season.
    pub points: u32,
    /// Race nights in which it was placed.
    pub nights: u32,
    /// Race nights that it won.
    pub won: u32,
}

/// A headline of the news.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headline {
    /// When, in seconds since 1970.
    pub at: u32,
    /// One line, as the page of news prints it.
    pub text: String,
    /// The page that says more, as a path.
    pub page: String,
}

impl Record for Headline {
    const WHAT: &'static str = "headline";
}
