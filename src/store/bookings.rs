//! What races under way hold. Until a race is settled nobody takes away the cars it was booked with, nor the racers.

use super::error::StoreError;
use super::key;
use super::records::race::RaceUnderWay;
use super::table::Table;
use mco_proto::ids::{PersonaId, VehicleId};

/// The bookings of all races under way.
pub(super) struct Bookings(Vec<RaceUnderWay>);

impl Bookings {
    /// Looks them up. Whoever does so within a change sees them as they are for that change.
    pub(super) fn find(table: &Table) -> Result<Self, StoreError> {
        Ok(Self(table.scan(key::RACES)?))
    }

    /// All of them.
    pub(super) fn into_all(self) -> Vec<RaceUnderWay> {
        self.0
    }

    /// Whether this car is in a race.
    pub(super) fn hold(&self, car: VehicleId) -> bool {
        self.0.iter().any(|booking| booking.cars.contains(&car))
    }

    /// Whether this car may be lost in a race.
    pub(super) fn stake(&self, car: VehicleId) -> bool {
        self.0.iter().any(|booking| booking.wagered && booking.cars.contains(&car))
    }

    /// Whether this persona is in a race.
    pub(super) fn name(&self, racer: PersonaId) -> bool {
        self.0.iter().any(|booking| booking.fees.iter().any(|(persona, _)| *persona == racer))
    }
}
