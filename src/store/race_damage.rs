//! What races do to cars.

use super::error::StoreError;
use super::key;
use super::races::Races;
use super::records::vehicle::VehicleRecord;
use super::results;
use super::ticket::Changed;
use mco_proto::ids::{PartId, PersonaId, RaceId, VehicleId};

impl Races<'_> {
    /// Stores what a run of `race` did to a car of `owner`: for each part the damage in percent and the wear in the Client's units,
    /// neither of which gets less by racing. Parts that are not in the car are left out, and nothing happens to a car that is somebody
    /// else's by now. If the run is `settled` already, its result says from now on how bad the worst part is. Returned is how many parts
    /// are worse than before.
    pub fn damage(
        &self,
        (race, settled): (RaceId, bool),
        owner: PersonaId,
        car: VehicleId,
        reported: &[(PartId, u8, u32)],
    ) -> Result<Changed<usize>, StoreError> {
        self.store.change(|table| {
            let newest = table.scan::<u32>(&key::results_of(race))?.pop().filter(|_| settled);
            table.transact(|tx| {
                let record = tx.get::<VehicleRecord>(&key::vehicle(car))?;
                let Some(mut record) = record.filter(|record| record.vehicle.owner == owner) else {
                    return Ok(0);
                };
                let (mut worse, mut percent) = (0, 0);
                for part in &mut record.parts {
                    let said = reported.iter().filter(|(id, ..)| *id == part.id);
                    let before = (part.damage, part.wear);
                    for &(_, damage, wear) in said {
                        part.damage = part.damage.max(damage.min(100));
                        part.wear = part.wear.max(wear);
                        percent = percent.max(part.damage);
                    }
                    worse += usize::from(before != (part.damage, part.wear));
                }
                if worse > 0 {
                    record.vehicle.delta = record.vehicle.delta.wrapping_add(1);
                    tx.put(&key::vehicle(car), &record)?;
                }
                if let Some(newest) = newest {
                    results::note_damage(tx, newest, owner, percent)?;
                }
                Ok(worse)
            })
        })
    }
}
