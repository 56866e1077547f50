//! The audit log: what the Server Operator did, the last [`MOST_ENTRIES`] acts of it.

use super::error::StoreError;
use super::handle::Store;
use super::key;
use super::records::audit::AuditEntry;
use super::ticket::Changed;
use crate::clock::Now;

/// How many entries are kept.
const MOST_ENTRIES: u32 = 2000;
/// The longest entry, in characters.
const LONGEST: usize = 300;
/// The number of the first entry.
const FIRST_ENTRY: u32 = 1;

/// The verbs about the audit log. See [`Store::audit`].
#[derive(Clone, Copy, Debug)]
pub struct Audit<'a> {
    store: &'a Store,
}

impl Store {
    /// The verbs about the audit log.
    pub fn audit(&self) -> Audit<'_> {
        Audit { store: self }
    }
}

impl Audit<'_> {
    /// Adds an entry, and removes the oldest if there are too many.
    pub fn note(&self, what: &str, now: Now) -> Result<Changed<()>, StoreError> {
        let what = what.chars().take(LONGEST).collect();
        self.store.change(|table| {
            table.transact(|tx| {
                let number = tx.take(key::NEXT_AUDIT, FIRST_ENTRY, 1)?;
                if let Some(old) = number.checked_sub(MOST_ENTRIES) {
                    tx.remove(&key::audit(old))?;
                }
                tx.put(&key::audit(number), &AuditEntry { at: now.unix32(), what })
            })
        })
    }

    /// How many entries are kept.
    pub fn count(&self) -> Result<usize, StoreError> {
        Ok((self.next()? - FIRST_ENTRY).min(MOST_ENTRIES) as usize)
    }

    /// So many entries, the newest first, without the `skipped` newest.
    pub fn newest(&self, skipped: usize, count: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let numbers = (FIRST_ENTRY..self.next()?).rev().skip(skipped).take(count);
        numbers.filter_map(|number| self.store.table().get(&key::audit(number)).transpose()).collect()
    }

    fn next(self) -> Result<u32, StoreError> {
        Ok(self.store.table().get::<u32>(key::NEXT_AUDIT)?.unwrap_or(FIRST_ENTRY))
    }
}
