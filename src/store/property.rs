//! Whether every car and part has exactly one owner, and the Escrow holds what deals name and nothing else.

use super::error::StoreError;
use super::record::decode;
use super::records::deal::{Ad, Auction, Goods};
use super::records::night::Night;
use super::records::vehicle::{LooseRecord, VehicleRecord};
use mco_proto::ids::{PartId, PersonaId, VehicleId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is wrong with a car or part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Misplaced {
    /// A car is not in the list of its owner, or in that of somebody else.
    Owner,
    /// It is there twice.
    Twice,
    /// A deal or a race night names it, but the Escrow does not hold it.
    NotHeld,
    /// The Escrow holds it, but no deal or race night names it.
    NoDeal,
}

impl fmt::Display for Misplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Owner => "does not have exactly one owner",
            Self::Twice => "is there twice",
            Self::NotHeld => "is in a deal or a prize, but the Escrow does not hold it",
            Self::NoDeal => "is held by the Escrow, but no deal or race night names it",
        })
    }
}

/// All cars and parts of one state of the store, with what deals say of them.
#[derive(Default)]
pub(super) struct Property {
    /// The number of the Escrow.
    holder: PersonaId,
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
    /// The sum of all highest bids and of the fees of race nights, in dollars.
    pub(super) held: u64,
}

impl Property {
    /// None yet; `holder` is the number of the Escrow.
    pub(super) fn held_by(holder: PersonaId) -> Self {
        Self { holder, ..Self::default() }
    }

    /// Takes a record into account.
    pub(super) fn see(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
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
                if vehicle.owner == self.holder {
                    self.escrow.push(Goods::Car(VehicleId(vehicle.id.0)));
                }
            }
            [b'l', rest @ ..] => {
                let LooseRecord { parts } = decode(value)?;
                self.numbers.extend(parts.iter().map(|part| part.id.0));
                let owner = rest.first_chunk().map(|owner| PersonaId(u32::from_be_bytes(*owner)));
                if owner == Some(self.holder) {
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
            [b'z', b'o', ..] => {
                let night: Night = decode(value)?;
                self.named.extend(night.prizes.iter().map(|prize| prize.item.goods));
                self.held += night.fees();
            }
            _ => {}
        }
        Ok(())
    }

    /// Whose cars and parts are not where they belong, with their numbers.
    pub(super) fn misplaced(mut self) -> Vec<(PersonaId, u32, Misplaced)> {
        let mut found = Vec::new();
        for ((number, persona), _) in unpaired(&mut self.listed, &mut self.cars) {
            found.push((persona, number, Misplaced::Owner));
        }
        self.numbers.sort_unstable();
        let twice = self.numbers.windows(2).filter(|pair| matches!(pair, [one, other] if one == other));
        let twice = twice.filter_map(|pair| pair.first());
        found.extend(twice.map(|number| (PersonaId(0), *number, Misplaced::Twice)));
        for (goods, is_named) in unpaired(&mut self.named, &mut self.escrow) {
            let misplaced = if is_named { Misplaced::NotHeld } else { Misplaced::NoDeal };
            found.push((self.holder, goods.number(), misplaced));
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
