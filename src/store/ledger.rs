//! The ledger: every change of money and property, line by line, so that every balance can be derived anew.
//!
//! Each persona has a book of its own: lines numbered from 0 without gaps, each with the balance after it. The first one
//! opens the book. Lines are only ever added, with two exceptions: a persona that is deleted takes its book with it,
//! and a book of [`LONGEST`] lines is made shorter by folding its older half into one [`Kind::Carried`] line. The fold
//! goes by number and not by date, since the clock of a board without a battery may say anything.
//!
//! # Booking something
//! ```text
//! ledger::book(tx: &Transaction<'_>, record: &mut PersonaRecord, entry: Entry, now: Now) -> Result<(), LedgerError>
//! ```
//! works inside any transaction: it changes `record.persona.bank_balance` and writes the line; the caller puts the record
//! afterwards, in the same transaction. It is the only way to change a balance. [`give`] uses it for what cannot be refused: prizes, and money that
//! comes back.

use super::error::StoreError;
use super::handle::Store;
use super::key;
use super::mail::{self, Letter};
use super::offices::ESCROW;
use super::property::{Misplaced, Property};
use super::record::{Record as _, decode};
use super::records::ledger::{Kind, Line};
use super::records::persona::PersonaRecord;
use super::snapshot::Snapshot;
use super::table::{Table, Transaction};
use crate::clock::Now;
use mco_proto::ids::PersonaId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A book never has more lines than this: some 30 KiB.
const LONGEST: u32 = 1000;
/// How many of them a fold leaves.
const KEPT: u32 = LONGEST / 2;

/// A line of the ledger to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What the money is for.
    pub kind: Kind,
    /// Dollars: positive if the persona gets them, negative if it pays.
    pub amount: i64,
    /// The number of the car, part or race; see [`Kind`]. 0: none.
    pub reference: u32,
}

/// Why something could not be booked. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerError {
    /// The persona has less than it is to pay.
    Overdrawn,
    /// The balance would be more than the Client can show (4,294,967,295).
    TooRich,
    /// The store failed.
    Store(StoreError),
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overdrawn => f.write_str("the persona cannot afford this: earn money first"),
            Self::TooRich => f.write_str("the persona's bank holds no more money: spend some first"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LedgerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

impl From<StoreError> for LedgerError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Changes the balance in `record` and adds the line. The caller puts the record, in the same transaction.
pub(super) fn book(
    tx: &Transaction<'_>,
    record: &mut PersonaRecord,
    entry: Entry,
    now: Now,
) -> Result<(), LedgerError> {
    let Entry { kind, amount, reference } = entry;
    let balance = i64::from(record.persona.bank_balance).checked_add(amount).ok_or(LedgerError::TooRich)?;
    if balance < 0 {
        return Err(LedgerError::Overdrawn);
    }
    let balance = u32::try_from(balance).map_err(|_| LedgerError::TooRich)?;
    write(tx, record, Line { time: now.unix32(), kind, amount, balance, reference })?;
    Ok(())
}

/// Gives dollars, as many as the bank holds; how many that was. Who gets fewer than those is told so by a mail, and what else is said of the money
/// has to name what is returned. The caller puts the record, in the same transaction.
pub(super) fn give(
    tx: &Transaction<'_>,
    record: &mut PersonaRecord,
    kind: Kind,
    due: u32,
    reference: u32,
    now: Now,
) -> Result<u32, StoreError> {
    let dollars = due.min(u32::MAX - record.persona.bank_balance);
    if dollars < due {
        let text = format!(
            "You were to get {due} dollars, and your bank had room for {dollars} of them. The rest is lost: a bank holds {} dollars. \
             Spend some before you get more.",
            u32::MAX
        );
        mail::post(tx, record.persona.id, &Letter::city_news("Your bank is full", &text), now)?;
    }
    if dollars == 0 {
        return Ok(0);
    }
    match book(tx, record, Entry { kind, amount: dollars.into(), reference }, now) {
        Ok(()) => Ok(dollars),
        Err(LedgerError::Store(error)) => Err(error),
        Err(LedgerError::Overdrawn | LedgerError::TooRich) => Ok(0),
    }
}

/// Opens the book of a persona that has none, with `balance`.
pub(super) fn open(
    tx: &Transaction<'_>,
    record: &mut PersonaRecord,
    kind: Kind,
    balance: u32,
    now: Now,
) -> Result<(), StoreError> {
    write(tx, record, Line { time: now.unix32(), kind, amount: balance.into(), balance, reference: 0 })
}

fn write(tx: &Transaction<'_>, record: &mut PersonaRecord, line: Line) -> Result<(), StoreError> {
    let (id, number) = (record.persona.id, record.lines);
    record.lines = number.checked_add(1).ok_or(StoreError::NoMoreIds)?;
    record.persona.bank_balance = line.balance;
    tx.put(&key::line(id, number), &line)?;
    if number % KEPT == 0 && number >= LONGEST { fold(tx, id, number) } else { Ok(()) }
}

/// Replaces the older half of a book by one line. `number` is that of the newest line.
fn fold(tx: &Transaction<'_>, id: PersonaId, number: u32) -> Result<(), StoreError> {
    let last = number - KEPT;
    let Some(line) = tx.get::<Line>(&key::line(id, last))? else {
        return Err(StoreError::Damaged { what: Line::WHAT });
    };
    for old in number - LONGEST..last {
        tx.remove(&key::line(id, old))?;
    }
    let carried = Line { kind: Kind::Carried, amount: line.balance.into(), reference: 0, ..line };
    tx.put(&key::line(id, last), &carried)
}

/// Opens the books of personas from before the ledger.
pub(super) fn open_books(table: &Table, now: Now) -> Result<(), StoreError> {
    let _write_lock = table.write_lock();
    let records = table.scan::<PersonaRecord>(key::PERSONAS)?;
    let mut unopened: Vec<_> = records.into_iter().filter(|record| record.lines == 0).collect();
    if !unopened.is_empty() {
        log::info!("the ledger begins with the balances of {} personas", unopened.len());
    }
    for record in &mut unopened {
        let balance = record.persona.bank_balance;
        table.transact(|tx| {
            let mut record = record.clone();
            open(tx, &mut record, Kind::Opening, balance, now)?;
            tx.put(&key::persona(record.persona.id), &record)
        })?;
    }
    Ok(())
}

/// What is wrong with a book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Problem {
    /// The persona has no lines at all.
    NoLines,
    /// A line does not follow from the one before it.
    Line {
        /// Which line it is, from 1 for the persona's first.
        number: u32,
        /// The balance it should say.
        derived: i64,
        /// The balance it says.
        balance: u32,
    },
    /// A line is missing.
    Gap {
        /// The first that is not there.
        number: u32,
    },
    /// The lines add up to something else than the persona has.
    Balance {
        /// What they add up to.
        derived: i64,
        /// What it has.
        balance: u32,
    },
    /// There are lines, but no such persona.
    NoPersona,
    /// A car or part is not where it belongs.
    Property {
        /// The car's or the part's.
        number: u32,
        /// What is wrong with it.
        misplaced: Misplaced,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLines => f.write_str("the ledger has no lines for it"),
            Self::Line { number, derived, balance } => {
                write!(f, "line {number} says {balance}, the lines up to it make {derived}")
            }
            Self::Gap { number } => write!(f, "line {number} is missing"),
            Self::Balance { derived, balance } => {
                write!(f, "it has {balance}, its lines make {derived}")
            }
            Self::NoPersona => f.write_str("there are lines for it, but it does not exist"),
            Self::Property { number, misplaced } => write!(f, "car or part {number} {misplaced}"),
        }
    }
}

/// A book that is not right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The persona whose book it is.
    pub persona: PersonaId,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What a check of the ledger found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerReport {
    /// How many personas were checked.
    pub personas: usize,
    /// How many lines were read.
    pub lines: usize,
    /// The sum of all balances, in dollars.
    pub money: u64,
    /// Dollars of highest bids and of the fees of race nights, which belong to nobody until these are over.
    pub held: u64,
    /// What is wrong; empty if nothing is.
    pub differences: Vec<Difference>,
}

/// The verbs about the ledger. See [`Store::ledger`].
#[derive(Clone, Copy, Debug)]
pub struct Ledger<'a> {
    pub(super) store: &'a Store,
}

impl Store {
    /// The verbs about the ledger: the history of money and property.
    pub fn ledger(&self) -> Ledger<'_> {
        Ledger { store: self }
    }
}

impl Ledger<'_> {
    /// The lines of a persona with their numbers, oldest first.
    pub fn of(&self, persona: PersonaId) -> Result<Vec<(u32, Line)>, StoreError> {
        let rows = self.store.table().scan_rows::<Line>(&key::lines_of(persona))?;
        Ok(rows.into_iter().filter_map(|(key, line)| Some((key::line_parts(&key)?.1, line))).collect())
    }

    /// Derives every balance from the lines and compares, and looks whether each car and part has one owner and each thing in a deal is
    /// held by the Escrow: of one state of the store, while changes go on.
    ///
    /// # Errors
    /// What reading the database failed with.
    pub fn check(&self) -> Result<LedgerReport, StoreError> {
        let mut books: BTreeMap<PersonaId, Vec<(u32, Line)>> = BTreeMap::new();
        let mut records: Vec<PersonaRecord> = Vec::new();
        let mut lines = 0;
        let mut property = Property::held_by(ESCROW.number_in(self.store.table())?);
        for rows in Snapshot::take(&self.store.inner.table)? {
            for (key, value) in rows? {
                if key.starts_with(key::LINES) {
                    lines += 1;
                    let line = decode(&value)?;
                    if let Some((persona, number)) = key::line_parts(&key) {
                        books.entry(persona).or_default().push((number, line));
                    }
                } else if key.starts_with(key::PERSONAS) {
                    records.push(decode(&value)?);
                } else {
                    property.see(&key, &value)?;
                }
            }
        }
        let mut report =
            LedgerReport { personas: records.len(), lines, held: property.held, ..LedgerReport::default() };
        for record in &records {
            let persona = record.persona.id;
            report.money += u64::from(record.persona.bank_balance);
            let book = books.remove(&persona).unwrap_or_default();
            let problems = audit(&book, record).into_iter();
            report.differences.extend(problems.map(|problem| Difference { persona, problem }));
        }
        let strays = books.into_keys().map(|persona| Difference { persona, problem: Problem::NoPersona });
        report.differences.extend(strays);
        report.differences.extend(property.misplaced().into_iter().map(|(persona, number, misplaced)| {
            Difference { persona, problem: Problem::Property { number, misplaced } }
        }));
        Ok(report)
    }
}

fn audit(book: &[(u32, Line)], record: &PersonaRecord) -> Vec<Problem> {
    let balance = record.persona.bank_balance;
    let Some(&(mut expected, _)) = book.first() else { return vec![Problem::NoLines] };
    let (mut problems, mut derived) = (Vec::new(), 0_i64);
    for &(number, line) in book {
        if number != expected {
            problems.push(Problem::Gap { number: expected });
        }
        expected = number.saturating_add(1);
        derived = derived.saturating_add(line.amount);
        if derived != i64::from(line.balance) {
            problems.push(Problem::Line { number, derived, balance: line.balance });
        }
    }
    if expected != record.lines {
        problems.push(Problem::Gap { number: expected });
    }
    if derived != i64::from(balance) {
        problems.push(Problem::Balance { derived, balance });
    }
    problems
}
