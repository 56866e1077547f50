//! Whether every car and part has exactly one owner, and the Escrow holds what deals name and nothing else.

use super::goods::ESCROW;
use crate::store::error::StoreError;
use crate::store::ledger::{Difference, Problem};
use crate::store::record::decode;
use crate::store::records::deal::{Ad, Auction, Goods};
use crate::store::records::vehicle::{LooseRecord, VehicleRecord};
use mco_proto::ids::{PartId, PersonaId, VehicleId};

/// All cars and parts of one state of the store, with what deals say of them.
#[derive(Default)]
pub(in crate::store) struct Property {
    /// Cars by the lists of their owners.
    listed: Vec<(u32, PersonaId)>,
    /// Cars by themselves.
    cars: Vec<(u32, PersonaId)>,
    /// The numbers of all cars and parts.
    numbers: Vec<u32>,
    /// What the Escrow holds.
    escrow: Vec<Goods>,
    /// What deals name.
    named: Vec<Goods>,
    /// The sum of all highest bids, in dollars.
    pub(in crate::store) held: u64,
}

impl Property {
    /// Takes a record into account.
    pub(in crate::store) fn see(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        match key {
            [b'g', rest @ ..] => {
                if let Some((owner, _)) = rest.split_first_chunk() {
                    self.listed.push((decode(value)?, PersonaId(u32::from_be_bytes(*owner))));
                }
            }
            [b'v', ..] => {
                let VehicleRecord { vehicle, parts } = decode(value)?;
                self.cars.push((vehicle.id.0, vehicle.owner));
                self.numbers.push(vehicle.id.0);
                self.numbers.extend(parts.iter().map(|part| part.id.0));
                if vehicle.owner == ESCROW {
                    self.escrow.push(Goods::Car(VehicleId(vehicle.id.0)));
                }
            }
            [b'l', rest @ ..] => {
                let LooseRecord { parts } = decode(value)?;
                self.numbers.extend(parts.iter().map(|part| part.id.0));
                let owner = rest.first_chunk().map(|owner| PersonaId(u32::from_be_bytes(*owner)));
                if owner == Some(ESCROW) {
                    self.escrow.extend(parts.first().map(|part| Goods::Part(PartId(part.id.0))));
                }
            }
            [b'd', b'a', ..] => {
                let auction: Auction = decode(value)?;
                self.named.push(auction.item.goods);
                self.held += auction.bid.map_or(0, |bid| u64::from(bid.dollars));
            }
            [b'd', b's', ..] => {
                let ad: Ad = decode(value)?;
                self.named.extend(ad.offer.map(|offer| offer.item.goods));
            }
            _ => {}
        }
        Ok(())
    }

    /// What is wrong; nothing if nothing is.
    pub(in crate::store) fn differences(mut self) -> Vec<Difference> {
        let mut found = Vec::new();
        for ((number, persona), _) in unpaired(&mut self.listed, &mut self.cars) {
            found.push(Difference { persona, problem: Problem::Owner { number } });
        }
        self.numbers.sort_unstable();
        let twice = self.numbers.windows(2).filter(|pair| matches!(pair, [one, other] if one == other));
        found.extend(
            twice.filter_map(|pair| pair.first()).map(|number| Difference {
                persona: PersonaId(0),
                problem: Problem::Twice { number: *number },
            }),
        );
        for (goods, is_named) in unpaired(&mut self.named, &mut self.escrow) {
            let number = goods.number();
            let problem = if is_named { Problem::NotHeld { number } } else { Problem::NoDeal { number } };
            found.push(Difference { persona: ESCROW, problem });
        }
        found
    }
}

/// What is in one of two lists only, with whether that is the first one. What is in a list twice counts twice.
fn unpaired<T: Copy + Ord>(first: &mut [T], second: &mut [T]) -> Vec<(T, bool)> {
    first.sort_unstable();
    second.sort_unstable();
    let (mut one, mut other) = (first.iter().copied().peekable(), second.iter().copied().peekable());
    let mut found = Vec::new();
    loop {
        match (one.peek(), other.peek()) {
            (Some(left), Some(right)) if left == right => {
                one.next();
                other.next();
            }
            (Some(left), Some(right)) if left > right => found.extend(other.next().map(|item| (item, false))),
            (Some(_), _) => found.extend(one.next().map(|item| (item, true))),
            (None, Some(_)) => found.extend(other.next().map(|item| (item, false))),
            (None, None) => return found,
        }
    }
}
