//! The weekly salary: every Monday (UTC) a persona has earned one. It is paid at the first sign-in of the week, once. Weeks
//! without a sign-in are not paid later, and the week in which a persona was created is not paid.

use super::key;
use super::ledger;
use super::mail::{self, Letter};
use super::personas::{PersonaError, Personas};
use super::records::ledger::Kind;
use super::records::persona::{Persona, PersonaRecord};
use super::ticket::Changed;
use super::week::week;
use mco_proto::ids::PersonaId;

use crate::clock::Now;
impl Personas<'_> {
    /// Pays the salary of this week, unless that was done; `salary` says how many dollars it is. `None`: nothing is due.
    /// Returned are the dollars that were paid: fewer if the balance would be more than 4,294,967,295.
    ///
    /// # Errors
    /// [`PersonaError::NotFound`].
    pub fn pay_salary(
        &self,
        id: PersonaId,
        salary: &dyn Fn(&Persona) -> u32,
        now: Now,
    ) -> Result<Option<Changed<u32>>, PersonaError> {
        let Some(week) = week(now) else { return Ok(None) };
        if self.store.table().get::<u32>(&key::paid_week(id))? == Some(week) {
            return Ok(None);
        }
        let paid: Result<Changed<u32>, PersonaError> = self.store.change(|table| {
            table.transact(|tx| {
                let mut record: PersonaRecord = tx.get(&key::persona(id))?.ok_or(PersonaError::NotFound)?;
                let last = tx.get::<u32>(&key::paid_week(id))?;
                tx.put(&key::paid_week(id), &week)?;
                // Not known: a persona from before there were salaries. Later than now: the clock was wrong.
                if last.is_none_or(|last| last >= week) {
                    return Ok(0);
                }
                let due = salary(&record.persona);
                let dollars = ledger::give(tx, &mut record, Kind::Salary, due, 0, now)?;
                if dollars == 0 {
                    return Ok(0);
                }
                tx.put(&key::persona(id), &record)?;
                let text =
                    format!("Your salary is in the bank: {dollars} dollars. A higher level earns more.");
                mail::post(tx, id, &Letter::city_news("Pay day", &text), now)?;
                Ok(dollars)
            })
        });
        paid.map(Some)
    }
}
