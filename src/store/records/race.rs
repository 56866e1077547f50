//! The record of a race that was started and is not settled.

use crate::store::record::Record;
use mco_proto::ids::{PersonaId, RaceId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The number of a race that was started and is not settled. Unlike the race's own number it is never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BookingId(pub u32);

impl fmt::Display for BookingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A race under way, with the fees that were taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct RaceUnderWay {
    pub(in crate::store) booking: BookingId,
    pub(in crate::store) race: RaceId,
    /// The fee that each persona paid, in dollars.
    pub(in crate::store) fees: Vec<(PersonaId, u32)>,
}

impl Record for RaceUnderWay {
    const WHAT: &'static str = "race under way";
}
