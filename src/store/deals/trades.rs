//! Trades: two offer cars, parts and money until both accept the same.

use super::goods::hand_over;
use super::stock::{Amount, Given, Stock, arrive};
use super::{
    DealError, Deals, ESCROW, MOST_TRADED, MOST_TRADES_EACH, begin, clock, count, muted, note, party, tell,
};
use crate::clock::Now;
use crate::store::bookings::Bookings;
use crate::store::error::StoreError;
use crate::store::ledger::{self, Entry};
use crate::store::records::deal::{Goods, Side, Trade};
use crate::store::records::ledger::Kind;
use crate::store::records::persona::PersonaRecord;
use crate::store::table::{Table, Transaction};
use crate::store::ticket::Changed;
use crate::store::{deal_key, key};
use mco_proto::ids::PersonaId;

/// A trade ends when nobody has changed or accepted anything for so many seconds: a day.
const IDLE: u32 = 24 * 60 * 60;

impl Deals<'_> {
    /// Begins a trade with somebody, and returns its number.
    ///
    /// # Errors
    /// [`DealError::OwnDeal`], [`DealError::Muted`], [`DealError::TooMany`], [`DealError::NoSuchPersona`], [`DealError::Banned`].
    pub fn open_trade(&self, from: PersonaId, with: PersonaId, now: Now) -> Result<Changed<u32>, DealError> {
        self.change(now, |table, city| {
            for (side, what) in [(from, "trades of this driver"), (with, "trades of the other driver")] {
                if table.scan::<u32>(&deal_key::deals_of(side, deal_key::SIDE))?.len() >= MOST_TRADES_EACH {
                    return Err(DealError::TooMany(what));
                }
            }
            table.transact(|tx| {
                let own = party(tx, from, now)?;
                let other = party(tx, with, now).map_err(|error| match error {
                    DealError::Banned => DealError::Partner(Box::new(error)),
                    other => other,
                })?;
                if own.persona.customer_id == other.persona.customer_id {
                    return Err(DealError::OwnDeal);
                }
                if muted::between(tx, from, with)? {
                    return Err(DealError::Muted);
                }
                let number = begin(tx, deal_key::TRADES, "trades")?;
                let side = |persona| Side { persona, items: Vec::new(), dollars: 0, accepted: false };
                let ends = city.saturating_add(IDLE);
                let trade = Trade { number, version: 1, ends, sides: [side(from), side(with)] };
                tx.put(&deal_key::trade(number), &trade)?;
                tx.put(&deal_key::end(deal_key::TRADE, ends, number), &number)?;
                for side in [from, with] {
                    tx.put(&deal_key::deal_of(side, deal_key::SIDE, number), &number)?;
                }
                let text = format!(
                    "{} wants to trade with you (trade {number}): see the page Trades of the server.",
                    own.persona.name
                );
                tell(tx, with, ESCROW, "Somebody wants to trade", text, now)?;
                clock::note(tx, city, now)?;
                Ok(number)
            })
        })
    }

    /// Replaces what one side gives, which makes a new version that nobody has accepted yet. `version` is the one that this side has
    /// seen. Returned is the new version.
    ///
    /// # Errors
    /// [`DealError::Over`], [`DealError::Changed`], [`DealError::Muted`], [`DealError::BadTerms`], [`DealError::NotYours`],
    /// [`DealError::InRace`], [`DealError::InsufficientFunds`], [`DealError::NoSuchPersona`], [`DealError::Banned`].
    pub fn offer(
        &self,
        persona: PersonaId,
        (number, version): (u32, u32),
        goods: &[Goods],
        dollars: u32,
        now: Now,
    ) -> Result<Changed<u32>, DealError> {
        if goods.len() > MOST_TRADED {
            return Err(DealError::BadTerms("a side gives at most 10 cars and parts: choose fewer"));
        }
        self.change(now, |table, city| {
            let mut trade = current(table, persona, number, version, city)?;
            // Whether it keeps a car is seen when both have accepted.
            let given = Stock::find(table, persona)?.give(table, &Bookings::find(table)?, goods, true)?;
            table.transact(|tx| {
                let record = party(tx, persona, now)?;
                let [first, second] = &trade.sides;
                if muted::between(tx, first.persona, second.persona)? {
                    return Err(DealError::Muted);
                }
                if dollars > record.persona.bank_balance {
                    return Err(DealError::InsufficientFunds);
                }
                trade.version = trade.version.checked_add(1).ok_or(DealError::Over)?;
                for side in &mut trade.sides {
                    side.accepted = false;
                    if side.persona == persona {
                        side.items.clone_from(&given.items);
                        side.dollars = dollars;
                    }
                }
                keep(tx, &mut trade, city, now)?;
                Ok(trade.version)
            })
        })
    }

    /// Accepts a version. If the other side has accepted it as well, everything changes hands: `true`.
    ///
    /// # Errors
    /// [`DealError::Over`], [`DealError::Changed`], [`DealError::Muted`], [`DealError::BadTerms`], and for either side, for the other one in
    /// [`DealError::Partner`]: [`DealError::NotYours`], [`DealError::InRace`], [`DealError::LastCar`], [`DealError::InsufficientFunds`],
    /// [`DealError::TooRich`], [`DealError::GarageFull`], [`DealError::InventoryFull`], [`DealError::NoSuchPersona`],
    /// [`DealError::Banned`].
    pub fn accept(
        &self,
        persona: PersonaId,
        (number, version): (u32, u32),
        now: Now,
    ) -> Result<Changed<bool>, DealError> {
        self.change(now, |table, city| {
            let trade = current(table, persona, number, version, city)?;
            if trade.sides.iter().all(|side| side.items.is_empty() && side.dollars == 0) {
                return Err(DealError::BadTerms("nothing is offered yet: offer something first"));
            }
            let accepted = |side: &Side| side.accepted && side.persona != persona;
            let swap =
                if trade.sides.iter().any(accepted) { Some(swap(table, &trade, persona)?) } else { None };
            table.transact(|tx| {
                party(tx, persona, now)?;
                let [first, second] = &trade.sides;
                if muted::between(tx, first.persona, second.persona)? {
                    return Err(DealError::Muted);
                }
                let Some(swap) = swap else {
                    let mut trade = trade.clone();
                    trade.sides.iter_mut().for_each(|side| side.accepted |= side.persona == persona);
                    keep(tx, &mut trade, city, now)?;
                    return Ok(false);
                };
                for half in &swap {
                    half.settle(tx, self, &trade, now)
                        .map_err(|error| on_side(error, half.from.persona, persona))?;
                }
                for half in &swap {
                    half.hand_over(tx, now).map_err(|error| on_side(error, half.from.persona, persona))?;
                }
                remove(tx, &trade)?;
                clock::note(tx, city, now)?;
                Ok(true)
            })
        })
    }

    /// Ends a trade without anything changing hands. Either side can do that at any time.
    ///
    /// # Errors
    /// [`DealError::Over`].
    pub fn leave_trade(&self, persona: PersonaId, number: u32, now: Now) -> Result<Changed<()>, DealError> {
        self.change(now, |table, city| {
            table.transact(|tx| {
                let trade: Option<Trade> = tx.get(&deal_key::trade(number))?;
                let trade = trade.filter(|trade| trade.seen_by(persona).is_some()).ok_or(DealError::Over)?;
                clock::note(tx, city, now)?;
                Ok(abandon(tx, &trade, Some(persona), now)?)
            })
        })
    }
}

/// Looks whether each side may give what it has offered.
fn swap<'t>(table: &Table, trade: &'t Trade, acting: PersonaId) -> Result<[Half<'t>; 2], DealError> {
    let bookings = Bookings::find(table)?;
    let half = |from: &'t Side, to: &'t Side| {
        let wanted: Vec<Goods> = from.items.iter().map(|item| item.goods).collect();
        let gets_car = to.items.iter().any(|item| item.goods.is_car());
        let stock = Stock::find(table, from.persona)?;
        let given = stock.give(table, &bookings, &wanted, gets_car);
        let given = given.map_err(|error| on_side(error, from.persona, acting))?;
        Ok::<_, DealError>(Half { from, to, stock, given })
    };
    let [first, second] = &trade.sides;
    Ok([half(first, second)?, half(second, first)?])
}

/// An error of the side `of`, told to `acting`.
fn on_side(error: DealError, of: PersonaId, acting: PersonaId) -> DealError {
    match error {
        DealError::Store(_) => error,
        error if of == acting => error,
        error => DealError::Partner(Box::new(error)),
    }
}

/// What one side gives, when a trade is done.
struct Half<'t> {
    from: &'t Side,
    to: &'t Side,
    stock: Stock,
    given: Given,
}

impl Half<'_> {
    /// Checks the room, moves this side's money, and tells it.
    fn settle(
        &self,
        tx: &Transaction<'_>,
        deals: &Deals<'_>,
        trade: &Trade,
        now: Now,
    ) -> Result<(), DealError> {
        let Self { from, to, stock, given } = self;
        let mut record = party(tx, from.persona, now)?;
        stock.take(deals.rules, &record.persona, Amount::of(&from.items), Amount::of(&to.items))?;
        let amount = i64::from(to.dollars) - i64::from(from.dollars);
        if amount != 0 {
            let entry = Entry { kind: Kind::TradeMoney, amount, reference: trade.number };
            ledger::book(tx, &mut record, entry, now)?;
        }
        given.leave(&mut record.persona);
        tx.put(&key::persona(from.persona), &record)?;
        let list = |side: &Side| {
            let money = (side.dollars > 0).then(|| format!("{} dollars", side.dollars));
            let things = side.items.iter().map(|item| deals.name(*item));
            let all: Vec<String> = things.chain(money).collect();
            if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
        };
        let text =
            format!("Trade {} is done. You got: {}. You gave: {}.", trade.number, list(to), list(from));
        Ok(tell(tx, from.persona, ESCROW, "The trade is done", text, now)?)
    }

    /// Hands over what this side gives.
    fn hand_over(&self, tx: &Transaction<'_>, now: Now) -> Result<(), DealError> {
        let (from, to) = (self.from.persona, self.to.persona);
        for item in &self.from.items {
            hand_over(tx, item.goods, from, to)?;
            for (persona, kind) in [(from, Kind::GoodsGiven), (to, Kind::GoodsGot)] {
                let record: Option<PersonaRecord> = tx.get(&key::persona(persona))?;
                let mut record = record.ok_or(DealError::NoSuchPersona)?;
                if persona == to {
                    arrive(&mut record.persona, item.goods);
                }
                note(tx, &mut record, kind, item.goods.number(), now)?;
                tx.put(&key::persona(persona), &record)?;
            }
        }
        Ok(())
    }
}

/// The trade of this number as `persona` has seen it.
fn current(
    table: &Table,
    persona: PersonaId,
    number: u32,
    version: u32,
    city: u32,
) -> Result<Trade, DealError> {
    let trade: Trade = table.get(&deal_key::trade(number))?.ok_or(DealError::Over)?;
    if trade.seen_by(persona).is_none() || city >= trade.ends {
        return Err(DealError::Over);
    }
    if trade.version == version { Ok(trade) } else { Err(DealError::Changed) }
}

/// Stores a trade in which something has happened.
fn keep(tx: &Transaction<'_>, trade: &mut Trade, city: u32, now: Now) -> Result<(), StoreError> {
    tx.remove(&deal_key::end(deal_key::TRADE, trade.ends, trade.number))?;
    trade.ends = city.saturating_add(IDLE);
    tx.put(&deal_key::end(deal_key::TRADE, trade.ends, trade.number), &trade.number)?;
    tx.put(&deal_key::trade(trade.number), trade)?;
    clock::note(tx, city, now)
}

/// Ends a trade without a deal, because `left` has left it, or because nothing happened for long.
pub(super) fn abandon(
    tx: &Transaction<'_>,
    trade: &Trade,
    left: Option<PersonaId>,
    now: Now,
) -> Result<(), StoreError> {
    remove(tx, trade)?;
    let name = match left {
        Some(id) => tx.get::<PersonaRecord>(&key::persona(id))?.map(|record| record.persona.name),
        None => None,
    };
    let number = trade.number;
    let text = name.map_or_else(
        || format!("Trade {number} is over: for a day nobody has changed or accepted anything."),
        |name| format!("{name} has left trade {number}. Everybody keeps what he has."),
    );
    for side in trade.sides.iter().filter(|side| Some(side.persona) != left) {
        tell(tx, side.persona, ESCROW, "A trade is over", text.clone(), now)?;
    }
    Ok(())
}

/// Removes the record of a trade with all entries that lead to it.
pub(super) fn remove(tx: &Transaction<'_>, trade: &Trade) -> Result<(), StoreError> {
    let number = trade.number;
    tx.remove(&deal_key::trade(number))?;
    tx.remove(&deal_key::end(deal_key::TRADE, trade.ends, number))?;
    for side in &trade.sides {
        tx.remove(&deal_key::deal_of(side.persona, deal_key::SIDE, number))?;
    }
    count(tx, deal_key::TRADES, false)
}
