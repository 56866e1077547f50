//! Cars and parts to win in a race night. The Escrow holds them from when they are given until the race night is over or cancelled.

use super::registration::open_one;
use super::{Host, Nights, club_of_captain, write};
use crate::clock::Now;
use crate::store::bookings::Bookings;
use crate::store::deals::{self, Amount, DealError, DealRules, Stock};
use crate::store::error::StoreError;
use crate::store::offices::ESCROW;
use crate::store::records::deal::{Goods, Item};
use crate::store::records::ledger::Kind;
use crate::store::records::night::{Night, Prize};
use crate::store::records::persona::PersonaRecord;
use crate::store::refused::{CityError, ensure};
use crate::store::table::{Table, Transaction};
use crate::store::ticket::Changed;
use crate::store::{city_key, deal_key, headlines, key};
use mco_proto::ids::PersonaId;

/// The most cars and parts to win in one race night.
pub const MOST_PRIZES: usize = 6;

impl Nights<'_> {
    /// Gives a car or a loose part of `from` to a race night that has not begun, as the next prize. A Captain gives own things to race
    /// nights of the club. Returned is what it is.
    pub fn give_prize(
        &self,
        rules: &dyn DealRules,
        host: Host,
        (night, from, goods): (u32, PersonaId, Goods),
        now: Now,
    ) -> Result<Changed<Item>, CityError> {
        self.store.change(|table| {
            let stock = Stock::find(table, from)?;
            let given = stock.give(table, &Bookings::find(table)?, &[goods], false);
            table.transact(|tx| {
                let mut night = open_one(tx, night)?;
                if let Host::Captain(captain) = host {
                    let club = club_of_captain(tx, captain)?.id;
                    ensure(night.club == club, "this is not a race night of your club")?;
                    ensure(from == captain, "give a thing of your own driver")?;
                }
                let begun = now.unix >= night.plan.start.into();
                ensure(!begun, "the race night has begun: give the thing to a later one")?;
                ensure(
                    night.prizes.len() < MOST_PRIZES,
                    "there are six prizes already: plan another race night",
                )?;
                let mut owner = deals::party(tx, from, now)?;
                let item = deals::hold(tx, &mut owner, goods, &given?, now)?;
                tx.put(&key::persona(from), &owner)?;
                tx.put(&deal_key::deal_of(from, deal_key::GIVER, night.id), &night.id)?;
                night.prizes.push(Prize { from, item });
                tx.put(&city_key::open_night(night.id), &night)?;
                let text = format!("To win in the race night {}: {}", night.plan.name, rules.name(item));
                headlines::write(tx, text, format!("/events/{}", night.id), now)?;
                let (name, thing) = (&night.plan.name, rules.name(item));
                let text = format!("Race night {name}: your {thing} is held until its end, as a prize. If nobody gets it, it comes back.");
                write(tx, from, &text, now)?;
                Ok(item)
            })
        })
    }
}

/// The things to win in a race night, and the room that those who are placed have for them, looked up before the transaction that ends it.
pub(super) struct Prizes<'r> {
    rules: &'r dyn DealRules,
    /// Who is placed, in that order.
    placed: Vec<(PersonaId, Stock)>,
}

impl<'r> Prizes<'r> {
    pub(super) fn find(table: &Table, rules: &'r dyn DealRules, night: u32) -> Result<Self, StoreError> {
        let night: Option<Night> = table.get(&city_key::open_night(night))?;
        let night = night.filter(|night| !night.prizes.is_empty()).unwrap_or_default();
        let placed =
            night.table().0.into_iter().map(|entry| Ok((entry.persona, Stock::find(table, entry.persona)?)));
        Ok(Self { rules, placed: placed.collect::<Result<_, StoreError>>()? })
    }

    /// Gives each prize to the first who is placed, has room for it and has none yet; what nobody gets goes back. Returned is who has won
    /// what.
    pub(super) fn give(
        &self,
        tx: &Transaction<'_>,
        night: &Night,
        now: Now,
    ) -> Result<Vec<(PersonaId, Item)>, StoreError> {
        let mut won: Vec<(PersonaId, Item)> = Vec::new();
        for (at, prize) in night.prizes.iter().enumerate() {
            let winner = self.winner(tx, night, (at, prize.item), &won)?;
            let Some(winner) = winner else {
                let why = "nobody who is placed and has won nothing else has room for it";
                self.back(tx, night, *prize, why, now)?;
                continue;
            };
            let Some(record) = handed_out(tx, *prize, winner, Kind::PrizeWon, now)? else { continue };
            won.push((winner, prize.item));
            let (name, thing) = (&night.plan.name, self.rules.name(prize.item));
            write(tx, winner, &format!("Race night {name}: you have won {thing}."), now)?;
            if winner != prize.from {
                let text = format!("Race night {name}: {} has won your prize, {thing}.", record.persona.name);
                write(tx, prize.from, &text, now)?;
            }
        }
        Self::forget(tx, night)?;
        Ok(won)
    }

    /// Who gets prize number `at`, which is `item`. Room is kept for what somebody gave, but not for this one itself nor for what others have won
    /// of it.
    fn winner(
        &self,
        tx: &Transaction<'_>,
        night: &Night,
        (at, item): (usize, Item),
        won: &[(PersonaId, Item)],
    ) -> Result<Option<PersonaId>, StoreError> {
        for (persona, stock) in &self.placed {
            let handed = night.prizes.iter().enumerate().filter(|(number, prize)| {
                let gone = won.iter().any(|(_, other)| other.goods == prize.item.goods);
                prize.from == *persona && (*number == at || gone)
            });
            let leaving = Amount::of(handed.map(|(_, prize)| &prize.item));
            let record: Option<PersonaRecord> = tx.get(&key::persona(*persona))?;
            let Some(record) = record.filter(|_| !won.iter().any(|(winner, _)| winner == persona)) else {
                continue;
            };
            if stock.take(self.rules, &record.persona, leaving, Amount::of([&item])).is_ok() {
                return Ok(Some(*persona));
            }
        }
        Ok(None)
    }

    /// Gives all prizes back.
    pub(super) fn give_back(
        &self,
        tx: &Transaction<'_>,
        night: &Night,
        why: &str,
        now: Now,
    ) -> Result<(), StoreError> {
        night.prizes.iter().try_for_each(|prize| self.back(tx, night, *prize, why, now))?;
        Self::forget(tx, night)
    }

    fn back(
        &self,
        tx: &Transaction<'_>,
        night: &Night,
        prize: Prize,
        why: &str,
        now: Now,
    ) -> Result<(), StoreError> {
        if !tx.has(&key::persona(prize.from))? {
            return deals::destroy(tx, prize.item.goods, ESCROW.number(tx)?);
        }
        handed_out(tx, prize, prize.from, Kind::GoodsBack, now)?;
        let (name, thing) = (&night.plan.name, self.rules.name(prize.item));
        write(tx, prize.from, &format!("Race night {name}: you have {thing} back. The reason: {why}."), now)
    }

    fn forget(tx: &Transaction<'_>, night: &Night) -> Result<(), StoreError> {
        let mut keys =
            night.prizes.iter().map(|prize| deal_key::deal_of(prize.from, deal_key::GIVER, night.id));
        keys.try_for_each(|key| tx.remove(&key))
    }
}

/// Hands a prize out. One that is not there, which only damage can cause, must not keep the race night from its end: `None`.
fn handed_out(
    tx: &Transaction<'_>,
    prize: Prize,
    to: PersonaId,
    kind: Kind,
    now: Now,
) -> Result<Option<PersonaRecord>, StoreError> {
    match deals::hand_out(tx, prize.item.goods, to, kind, now) {
        Ok(record) => Ok(Some(record)),
        Err(DealError::Store(error)) => Err(error),
        Err(error) => {
            log::error!(
                "race nights: prize {} cannot be given to persona {to}: {error}",
                prize.item.goods.number()
            );
            Ok(None)
        }
    }
}
