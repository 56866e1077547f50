//! The record of a race that was started and is not settled.

use crate::store::record::Record;
use mco_proto::ids::{BookingId, PersonaId, RaceId};
use serde::{Deserialize, Serialize};

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
