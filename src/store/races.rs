//! Races: the fees that are taken when one starts, and what is paid when it ends.
//!
//! Between start and end a race has a *booking*: a record of who paid what. It goes in the same transaction that pays, so
//! a race is paid or refunded once, whatever is interrupted; a booking found when the server starts belongs to a race
//! that was cut short. As long as there is a booking the cars it names stay with their owners as they are, and the racers are not
//! deleted: see `bookings`.

use super::bookings::Bookings;
use super::contests;
use super::deals::hand_over_car;
use super::error::StoreError;
use super::handle::Store;
use super::key;
use super::ledger::{self, Entry, LedgerError};
use super::mail::{self, Letter};
use super::records::ledger::Kind;
use super::records::persona::{MOST_RACE_TYPES, PersonaRecord, RaceRecord};
use super::records::race::RaceUnderWay;
use super::records::result::RacerResult;
use super::records::vehicle::VehicleRecord;
use super::results::{self, Sheet};
use super::table::{Table, Transaction};
use super::ticket::Changed;
use super::uncounted::{self, Uncounted};
use crate::clock::Now;
use mco_proto::ids::{BookingId, PersonaId, RaceId, VehicleId};
use std::collections::BTreeMap;
use std::fmt;

const FIRST_BOOKING: u32 = 1;

/// Somebody who is to race.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entrant {
    /// Who.
    pub persona: PersonaId,
    /// What it pays, in dollars.
    pub fee: u32,
    /// The car it drives, if that is its own.
    pub car: Option<VehicleId>,
}

/// The result of one racer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payout {
    /// The racer.
    pub persona: PersonaId,
    /// Prize money, in dollars.
    pub cash: u32,
    /// Points won.
    pub points: u32,
    /// The place, 0 being the winner's. `None`: it did not finish.
    pub place: Option<usize>,
}

impl Payout {
    fn won(&self) -> bool {
        self.place == Some(0)
    }
}

/// The results of a race, to be settled.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// The Client's number of the type of race.
    pub race_type: u32,
    /// How many raced, computer drivers included.
    pub racers: usize,
    /// Every persona that raced, once.
    pub payouts: Vec<Payout>,
    /// Cars that were wagered and lost, with the personas that lost them. They go to the winner.
    pub cars_lost: Vec<(PersonaId, VehicleId)>,
    /// Results among these that are not counted.
    pub uncounted: Vec<Uncounted>,
    /// What is kept of the race.
    pub sheet: Sheet,
    /// Gives level and rank of a persona with so many points.
    pub standing: fn(u32) -> (u32, u32),
    /// The mail that a racer gets about it, unless its result is not counted.
    pub letter: fn(&Self, &Payout, &Settled) -> Letter,
}

/// What a settlement has changed for one racer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The racer.
    pub persona: PersonaId,
    /// The dollars that were paid: fewer than promised if the balance would be more than 4,294,967,295.
    pub cash: u32,
    /// All its points, after the race.
    pub points: u32,
    /// Level before and after.
    pub level: (u32, u32),
    /// Rank before and after.
    pub rank: (u32, u32),
    /// How many opponents' cars became its own by pink slip.
    pub cars_won: u32,
    /// How many of its own went to an opponent by pink slip.
    pub cars_lost: u32,
}

/// Why a race could not be started or settled. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RaceError {
    /// There is no such persona.
    NoSuchPersona(PersonaId),
    /// The persona cannot pay the fee.
    InsufficientFunds(PersonaId),
    /// The persona cannot drive this car in this race; why.
    CarRefused(PersonaId, &'static str),
    /// The race is settled already, or never started.
    NotUnderWay(BookingId),
    /// The store failed.
    Store(StoreError),
}

impl fmt::Display for RaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchPersona(id) => write!(f, "there is no persona {id}: check with `mcos persona list`"),
            Self::InsufficientFunds(id) => write!(f, "persona {id} cannot pay the fee: choose a lower one"),
            Self::CarRefused(id, why) => write!(f, "persona {id} cannot race with this car: {why}"),
            Self::NotUnderWay(booking) => write!(f, "race {booking} was settled before"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RaceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

impl From<StoreError> for RaceError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The verbs about races. See [`Store::races`].
#[derive(Clone, Copy, Debug)]
pub struct Races<'a> {
    pub(super) store: &'a Store,
}

impl Store {
    /// The verbs about races.
    pub fn races(&self) -> Races<'_> {
        Races { store: self }
    }
}

impl Races<'_> {
    /// Takes the fees of all racers, or of none, and holds their cars until the race is settled. If the cars are `wagered`, each
    /// racer keeps another one.
    ///
    /// # Errors
    /// [`RaceError::NoSuchPersona`], [`RaceError::InsufficientFunds`], [`RaceError::CarRefused`].
    pub fn start(
        &self,
        race: RaceId,
        entrants: &[Entrant],
        wagered: bool,
        now: Now,
    ) -> Result<Changed<BookingId>, RaceError> {
        self.store.change(|table| {
            let bookings = Bookings::find(table)?;
            let mut spare = BTreeMap::new();
            for Entrant { persona, car, .. } in entrants {
                let cars = table.scan::<u32>(&key::vehicles_of(*persona))?.into_iter().map(VehicleId);
                spare.insert(
                    *persona,
                    cars.filter(|other| Some(*other) != *car && !bookings.stake(*other)).count(),
                );
            }
            table.transact(|tx| {
                for &Entrant { persona: id, fee, car } in entrants {
                    let mut racer: PersonaRecord =
                        tx.get(&key::persona(id))?.ok_or(RaceError::NoSuchPersona(id))?;
                    if let Some(car) = car {
                        let refused = |why| Err(RaceError::CarRefused(id, why));
                        let record: Option<VehicleRecord> = tx.get(&key::vehicle(car))?;
                        if record.is_none_or(|record| record.vehicle.owner != id) {
                            return refused("the car is not its own any more");
                        }
                        if bookings.stake(car) || (wagered && bookings.hold(car)) {
                            return refused("the car is in another race");
                        }
                        if wagered && spare.get(&id).is_none_or(|spare| *spare == 0) {
                            return refused("its last car cannot be wagered");
                        }
                    }
                    if fee > 0 {
                        let entry =
                            Entry { kind: Kind::EntryFee, amount: -i64::from(fee), reference: race.0 };
                        ledger::book(tx, &mut racer, entry, now).map_err(|error| match error {
                            LedgerError::Overdrawn | LedgerError::TooRich => RaceError::InsufficientFunds(id),
                            LedgerError::Store(error) => RaceError::Store(error),
                        })?;
                        tx.put(&key::persona(id), &racer)?;
                    }
                }
                let booking = BookingId(tx.take(key::NEXT_BOOKING, FIRST_BOOKING, 1)?);
                tx.put(key::LAST_RACE, &race.0)?;
                let fees = entrants.iter().map(|entrant| (entrant.persona, entrant.fee)).collect();
                let cars = entrants.iter().filter_map(|entrant| entrant.car).collect();
                tx.put(&key::race(booking), &RaceUnderWay { booking, race, fees, cars, wagered })?;
                Ok(booking)
            })
        })
    }

    /// Pays the prizes, counts the race, moves the cars that were lost, keeps the result and sends a mail to every racer, all in one
    /// change.
    ///
    /// A persona that was deleted meanwhile is left out, and a car that is no longer its racer's stays where it is.
    ///
    /// # Errors
    /// [`RaceError::NotUnderWay`]: also the second time, so no race is paid twice.
    pub fn settle(
        &self,
        booking: BookingId,
        settlement: &Settlement,
        now: Now,
    ) -> Result<Changed<Vec<Settled>>, RaceError> {
        self.store.change(|table| {
            let spare = spare_cars(table, &settlement.cars_lost)?;
            let nights = contests::open_nights(table)?;
            table.transact(|tx| {
                let under_way = close(tx, booking)?;
                let race = under_way.race;
                let mut racers = Racers::load(tx, settlement, now)?;
                for payout in &settlement.payouts {
                    racers.pay(tx, race, settlement, payout)?;
                }
                let winner =
                    settlement.payouts.iter().find(|payout| payout.won()).map(|payout| payout.persona);
                if let Some(winner) = winner {
                    for &(loser, car) in &settlement.cars_lost {
                        racers.hand_over(tx, settlement.race_type, car, loser, winner, &spare)?;
                    }
                }
                racers.write(tx, settlement)?;
                let kept = racers.results(settlement);
                let result =
                    results::keep(tx, &under_way, settlement.race_type, &settlement.sheet, kept, now)?;
                contests::note(tx, &nights, &result, now)?;
                settlement.uncounted.iter().try_for_each(|result| uncounted::note(tx, race, result, now))?;
                racers.store(tx)
            })
        })
    }

    /// Gives all fees back, for a race of which no result counts. Returned are the personas with the dollars they got.
    ///
    /// # Errors
    /// [`RaceError::NotUnderWay`].
    pub fn refund(
        &self,
        booking: BookingId,
        results: &[Uncounted],
        now: Now,
    ) -> Result<Changed<Vec<(PersonaId, u32)>>, RaceError> {
        self.store.change(|table| {
            table.transact(|tx| {
                let RaceUnderWay { race, fees, .. } = close(tx, booking)?;
                let mut refunded = Vec::new();
                for (id, fee) in fees {
                    let Some(mut racer) = tx.get::<PersonaRecord>(&key::persona(id))? else { continue };
                    let fee = ledger::give(tx, &mut racer, Kind::Refund, fee, race.0, now)?;
                    tx.put(&key::persona(id), &racer)?;
                    refunded.push((id, fee));
                }
                results.iter().try_for_each(|result| uncounted::note(tx, race, result, now))?;
                Ok(refunded)
            })
        })
    }

    /// The races that are not settled: when the server starts, those that were cut short.
    pub fn under_way(&self) -> Result<Vec<BookingId>, StoreError> {
        let races = Bookings::find(self.store.table())?.into_all();
        Ok(races.into_iter().map(|race| race.booking).collect())
    }
}

/// Takes the booking out.
fn close(tx: &Transaction<'_>, booking: BookingId) -> Result<RaceUnderWay, RaceError> {
    let race = tx.get::<RaceUnderWay>(&key::race(booking))?.ok_or(RaceError::NotUnderWay(booking))?;
    tx.remove(&key::race(booking))?;
    Ok(race)
}

/// The cars of those who may lose one.
fn spare_cars(
    table: &Table,
    cars_lost: &[(PersonaId, VehicleId)],
) -> Result<BTreeMap<PersonaId, Vec<u32>>, StoreError> {
    cars_lost.iter().map(|&(loser, _)| Ok((loser, table.scan::<u32>(&key::vehicles_of(loser))?))).collect()
}

/// The personas of one settlement, read once and written once.
struct Racers {
    all: BTreeMap<PersonaId, (PersonaRecord, Settled)>,
    /// When the race is settled.
    now: Now,
}

impl Racers {
    fn load(tx: &Transaction<'_>, settlement: &Settlement, now: Now) -> Result<Self, StoreError> {
        let mut racers = BTreeMap::new();
        for id in settlement.payouts.iter().map(|payout| payout.persona) {
            if let Some(record) = tx.get::<PersonaRecord>(&key::persona(id))? {
                let (level, rank, points) =
                    (record.persona.level, record.persona.rank, record.persona.points);
                let settled = Settled {
                    persona: id,
                    cash: 0,
                    points,
                    level: (level, level),
                    rank: (rank, rank),
                    cars_won: 0,
                    cars_lost: 0,
                };
                racers.insert(id, (record, settled));
            }
        }
        Ok(Self { all: racers, now })
    }

    fn pay(
        &mut self,
        tx: &Transaction<'_>,
        race: RaceId,
        settlement: &Settlement,
        payout: &Payout,
    ) -> Result<(), StoreError> {
        let Some((record, settled)) = self.all.get_mut(&payout.persona) else { return Ok(()) };
        settled.cash = ledger::give(tx, record, Kind::Purse, payout.cash, race.0, self.now)?;
        let (finished, won) = (u32::from(payout.place.is_some()), u32::from(payout.won()));
        let persona = &mut record.persona;
        add(&mut persona.points, payout.points);
        (persona.level, persona.rank) = (settlement.standing)(persona.points);
        add(&mut persona.races_entered, 1);
        add(&mut persona.races_completed, finished);
        add(&mut persona.races_won, won);
        add(&mut persona.total_winnings, settled.cash);
        if let Some(row) = row(&mut persona.history, settlement.race_type) {
            add(&mut row.entered, 1);
            add(&mut row.finished, finished);
            add(&mut row.won, won);
            add(&mut row.cash_won, settled.cash);
        }
        settled.points = persona.points;
        settled.level.1 = persona.level;
        settled.rank.1 = persona.rank;
        Ok(())
    }

    /// What is kept of each racer.
    fn results(&self, settlement: &Settlement) -> Vec<RacerResult> {
        let filled = settlement.sheet.racers.iter().map(|racer| {
            let payout = settlement.payouts.iter().find(|payout| payout.persona == racer.persona);
            let Some((payout, (record, settled))) = payout.zip(self.all.get(&racer.persona)) else {
                return racer.clone();
            };
            let mut flags = racer.flags;
            let mut flag = |set: bool, flag: u16| flags |= if set { flag } else { 0 };
            flag(settled.cars_won > 0, RacerResult::WON_CAR);
            flag(settled.cars_lost > 0, RacerResult::LOST_CAR);
            flag(settled.level.1 > settled.level.0, RacerResult::LEVEL_UP);
            RacerResult {
                name: record.persona.name.clone(),
                points: payout.points,
                cash: settled.cash,
                level: settled.level.1,
                flags,
                ..racer.clone()
            }
        });
        filled.collect()
    }

    /// A car changes hands, with its parts.
    fn hand_over(
        &mut self,
        tx: &Transaction<'_>,
        race_type: u32,
        car: VehicleId,
        loser: PersonaId,
        winner: PersonaId,
        spare: &BTreeMap<PersonaId, Vec<u32>>,
    ) -> Result<(), StoreError> {
        if loser == winner || !self.all.contains_key(&winner) || !self.all.contains_key(&loser) {
            return Ok(());
        }
        let Some(record) = tx.get::<VehicleRecord>(&key::vehicle(car))? else { return Ok(()) };
        if record.vehicle.owner != loser {
            return Ok(());
        }
        hand_over_car(tx, record, winner)?;
        if let Some((record, settled)) = self.all.get_mut(&loser) {
            note(tx, record, Kind::CarLost, car, self.now)?;
            settled.cars_lost += 1;
            if record.persona.vehicle == Some(car) {
                let others = spare.get(&loser).into_iter().flatten();
                record.persona.vehicle = others.copied().map(VehicleId).find(|other| *other != car);
            }
            if let Some(row) = row(&mut record.persona.history, race_type) {
                add(&mut row.cars_lost, 1);
            }
        }
        if let Some((record, settled)) = self.all.get_mut(&winner) {
            note(tx, record, Kind::CarWon, car, self.now)?;
            settled.cars_won += 1;
            record.persona.vehicle.get_or_insert(car);
            if let Some(row) = row(&mut record.persona.history, race_type) {
                add(&mut row.cars_won, 1);
            }
        }
        Ok(())
    }

    /// Tells everybody by mail: unlike message 237 it can be read later.
    fn write(&self, tx: &Transaction<'_>, settlement: &Settlement) -> Result<(), StoreError> {
        for payout in &settlement.payouts {
            let counts = settlement.uncounted.iter().all(|result| result.persona != payout.persona);
            if let Some((_, settled)) = self.all.get(&payout.persona).filter(|_| counts) {
                mail::post(tx, payout.persona, &(settlement.letter)(settlement, payout, settled), self.now)?;
            }
        }
        Ok(())
    }

    fn store(self, tx: &Transaction<'_>) -> Result<Vec<Settled>, RaceError> {
        let mut all = Vec::new();
        for (id, (record, settled)) in self.all {
            tx.put(&key::persona(id), &record)?;
            all.push(settled);
        }
        Ok(all)
    }
}

/// A line of the ledger that moves no money.
fn note(
    tx: &Transaction<'_>,
    record: &mut PersonaRecord,
    kind: Kind,
    car: VehicleId,
    now: Now,
) -> Result<(), StoreError> {
    match ledger::book(tx, record, Entry { kind, amount: 0, reference: car.0 }, now) {
        Err(LedgerError::Store(error)) => Err(error),
        _ => Ok(()),
    }
}

/// The row of a type of race; none if there are too many types already.
fn row(history: &mut Vec<RaceRecord>, race_type: u32) -> Option<&mut RaceRecord> {
    let at = history.iter().position(|row| row.race_type == race_type).or_else(|| {
        (history.len() < MOST_RACE_TYPES).then(|| {
            history.push(RaceRecord { race_type, ..RaceRecord::default() });
            history.len() - 1
        })
    })?;
    history.get_mut(at)
}

fn add(counter: &mut u32, by: u32) {
    *counter = counter.saturating_add(by);
}
