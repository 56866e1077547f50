//! What the Server Operator puts right: other names, and money given or taken.

use super::accounts::{AccountError, Accounts, check_name};
use super::key;
use super::ledger::{self, Entry, LedgerError};
use super::mail::{self, Letter};
use super::names::{self, is_taken};
use super::personas::{PersonaError, Personas};
use super::records::account::{Account, AccountRecord};
use super::records::ledger::Kind;
use super::records::persona::{Persona, PersonaRecord};
use super::ticket::Changed;
use crate::clock::Now;
use mco_proto::ids::PersonaId;

impl Accounts<'_> {
    /// Gives an account another name to sign in with.
    ///
    /// # Errors
    /// [`AccountError::NotFound`], [`AccountError::BadName`], [`AccountError::NameTaken`].
    pub fn rename(&self, name: &str, new: &str) -> Result<Changed<Account>, AccountError> {
        check_name(new)?;
        let same = name.eq_ignore_ascii_case(new);
        self.store.change(|table| {
            table.transact(|tx| {
                let mut record: AccountRecord = tx.get(&key::account(name))?.ok_or(AccountError::NotFound)?;
                if !same && tx.has(&key::account(new))? {
                    return Err(AccountError::NameTaken);
                }
                tx.remove(&key::account(name))?;
                new.clone_into(&mut record.name);
                tx.put(&key::account(new), &record)?;
                tx.put(&key::customer(record.customer_id), &new.to_ascii_lowercase())?;
                Ok(record.into())
            })
        })
    }
}

impl Personas<'_> {
    /// Gives a persona another name. Results of races keep the one it had.
    ///
    /// # Errors
    /// [`PersonaError::NotFound`], [`PersonaError::BadName`], [`PersonaError::NameTaken`].
    pub fn rename(&self, id: PersonaId, new: &str) -> Result<Changed<Persona>, PersonaError> {
        self.check_name(new)?;
        self.store.change(|table| {
            let found: Option<PersonaRecord> = table.get(&key::persona(id))?;
            let mut record = found.ok_or(PersonaError::NotFound)?;
            let shard = record.persona.shard;
            if is_taken(table, shard, new, Some(id))? {
                return Err(PersonaError::NameTaken);
            }
            table.transact(|tx| {
                names::strike(tx, shard, &record.persona.name, id)?;
                new.clone_into(&mut record.persona.name);
                names::enter(tx, shard, new, id)?;
                tx.put(&key::persona(id), &record)?;
                Ok(record.persona)
            })
        })
    }

    /// Gives a persona dollars, or takes them if they are negative, with a line of the ledger and a mail that says why.
    ///
    /// # Errors
    /// [`PersonaError::NotFound`], [`PersonaError::Overdrawn`], [`PersonaError::TooRich`].
    pub fn grant(
        &self,
        id: PersonaId,
        dollars: i64,
        reason: &str,
        now: Now,
    ) -> Result<Changed<Persona>, PersonaError> {
        self.store.change(|table| {
            table.transact(|tx| {
                let mut record: PersonaRecord = tx.get(&key::persona(id))?.ok_or(PersonaError::NotFound)?;
                let entry = Entry { kind: Kind::Grant, amount: dollars, reference: 0 };
                ledger::book(tx, &mut record, entry, now).map_err(|error| match error {
                    LedgerError::Overdrawn => PersonaError::Overdrawn,
                    LedgerError::TooRich => PersonaError::TooRich,
                    LedgerError::Store(error) => PersonaError::Store(error),
                })?;
                tx.put(&key::persona(id), &record)?;
                let (title, verb) =
                    if dollars < 0 { ("Money taken", "took") } else { ("Money given", "gave you") };
                let text = format!(
                    "The operator of this server {verb} {} dollars: {reason}",
                    dollars.unsigned_abs()
                );
                mail::post(tx, id, &Letter::city_news(title, &text), now)?;
                Ok(record.persona)
            })
        })
    }
}
