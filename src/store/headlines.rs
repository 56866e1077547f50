//! Headlines about clubs, weeks and race nights. Those about races write themselves from the results.

use super::city_key as key;
use super::error::StoreError;
use super::handle::Store;
use super::records::contest::Headline;
use super::table::Transaction;
use crate::clock::Now;

/// How many are kept.
const MOST_HEADLINES: u32 = 100;

impl Store {
    /// The headlines that are kept, the newest first.
    pub fn headlines(&self) -> Result<Vec<Headline>, StoreError> {
        let mut all = self.table().scan::<Headline>(key::HEADLINES)?;
        all.reverse();
        Ok(all)
    }
}

/// Writes one, in the same change as what it is about. `page` is the path of the page that says more.
pub(super) fn write(tx: &Transaction<'_>, text: String, page: String, now: Now) -> Result<(), StoreError> {
    let number = tx.take(key::NEXT_HEADLINE, 1, 1)?;
    if let Some(old) = number.checked_sub(MOST_HEADLINES) {
        tx.remove(&key::headline(old))?;
    }
    tx.put(&key::headline(number), &Headline { at: now.unix32(), text, page })
}
