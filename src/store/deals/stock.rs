//! What a persona has, and whether it may give or take something.

use super::expected::{Expected, expected};
use super::{DealError, DealRules};
use crate::store::bookings::Bookings;
use crate::store::error::StoreError;
use crate::store::key;
use crate::store::records::deal::{Goods, Item};
use crate::store::records::persona::Persona;
use crate::store::records::vehicle::{LooseRecord, VehicleRecord};
use crate::store::table::Table;
use mco_proto::ids::{PersonaId, VehicleId};

/// What a persona has, and what is on its way to it.
pub(in crate::store) struct Stock {
    persona: PersonaId,
    cars: Vec<VehicleId>,
    loose: usize,
    expected: Expected,
}

/// How many cars and parts.
#[derive(Clone, Copy, Default)]
pub(in crate::store) struct Amount {
    cars: usize,
    parts: usize,
}

impl Amount {
    pub(in crate::store) fn of<'i>(items: impl IntoIterator<Item = &'i Item>) -> Self {
        items.into_iter().fold(Self::default(), |sum, item| {
            let car = usize::from(item.goods.is_car());
            Self { cars: sum.cars + car, parts: sum.parts + 1 - car }
        })
    }
}

/// What is to be given, and the car that is driven afterwards.
pub(in crate::store) struct Given {
    pub(super) items: Vec<Item>,
    next: Option<VehicleId>,
}

impl Given {
    /// The car that a persona drives when that is gone.
    pub(super) fn leave(&self, persona: &mut Persona) {
        let gone = |car: &VehicleId| self.items.iter().any(|item| item.goods == Goods::Car(*car));
        if persona.vehicle.as_ref().is_some_and(gone) {
            persona.vehicle = self.next;
        }
    }
}

/// The car that a persona drives when something has come.
pub(super) const fn arrive(persona: &mut Persona, goods: Goods) {
    if let (Goods::Car(car), None) = (goods, persona.vehicle) {
        persona.vehicle = Some(car);
    }
}

impl Stock {
    /// Looks it up.
    pub(in crate::store) fn find(table: &Table, persona: PersonaId) -> Result<Self, StoreError> {
        Ok(Self {
            persona,
            cars: table.scan::<u32>(&key::vehicles_of(persona))?.into_iter().map(VehicleId).collect(),
            loose: table.scan::<LooseRecord>(&key::loose_parts_of(persona))?.len(),
            expected: expected(table, persona)?,
        })
    }

    /// Whether the persona may give all of this. It keeps one car that no race can take, or `gets_car`.
    ///
    /// # Errors
    /// [`DealError::NotYours`], [`DealError::InRace`], [`DealError::LastCar`], [`DealError::BadTerms`].
    pub(in crate::store) fn give(
        &self,
        table: &Table,
        bookings: &Bookings,
        wanted: &[Goods],
        gets_car: bool,
    ) -> Result<Given, DealError> {
        let mut items: Vec<Item> = Vec::new();
        for goods in wanted.iter().copied() {
            if items.iter().any(|item| item.goods == goods) {
                return Err(DealError::BadTerms("the same thing is offered twice: choose it once"));
            }
            items.push(look(table, goods, self.persona)?.ok_or(DealError::NotYours)?);
            if let Goods::Car(car) = goods
                && bookings.hold(car)
            {
                return Err(DealError::InRace);
            }
        }
        let kept = self.cars.iter().copied().filter(|car| !wanted.contains(&Goods::Car(*car)));
        let next = kept.into_iter().find(|car| !bookings.stake(*car));
        if next.is_none() && !gets_car && items.iter().any(|item| item.goods.is_car()) {
            return Err(DealError::LastCar);
        }
        Ok(Given { items, next })
    }

    /// Whether there is room for `more` once `less` is gone.
    ///
    /// # Errors
    /// [`DealError::GarageFull`], [`DealError::InventoryFull`].
    pub(in crate::store) fn take(
        &self,
        rules: &dyn DealRules,
        persona: &Persona,
        less: Amount,
        more: Amount,
    ) -> Result<(), DealError> {
        let full = |have: usize, less: usize, more: usize, room: usize| {
            more > 0 && have.saturating_sub(less).saturating_add(more) > room
        };
        if full(self.cars.len() + self.expected.cars, less.cars, more.cars, rules.cars_room(persona)) {
            return Err(DealError::GarageFull);
        }
        if full(self.loose + self.expected.parts, less.parts, more.parts, rules.parts_room(persona)) {
            return Err(DealError::InventoryFull);
        }
        Ok(())
    }
}

/// What goods of `owner` are; `None`: it has no such car, and no such part that is fixed to nothing.
fn look(table: &Table, goods: Goods, owner: PersonaId) -> Result<Option<Item>, StoreError> {
    let model = match goods {
        Goods::Car(id) => {
            let car: Option<VehicleRecord> = table.get(&key::vehicle(id))?;
            car.filter(|car| car.vehicle.owner == owner).map(|car| car.vehicle.model)
        }
        Goods::Part(id) => {
            let loose: Option<LooseRecord> = table.get(&key::loose_part(owner, id))?;
            loose.and_then(|loose| Some(loose.parts.first()?.branded_part))
        }
    };
    Ok(model.map(|model| Item { goods, model }))
}
