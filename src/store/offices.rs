//! The personas that nobody plays and that own or write something: the junkyard, the Escrow and the auction house.
//!
//! The game's own catalogue knows their numbers (*documented*). In a data folder from before these were kept free a player may have one
//! of them, and everything that the office owns would be that player's. So when the store is opened, an office whose number a player
//! has takes another one, which is noted and holds from then on. See `deals::settle_in`.

use super::error::StoreError;
use super::key;
use super::records::persona::PersonaRecord;
use super::table::{Table, Transaction};
use mco_proto::ids::PersonaId;

/// A persona that nobody plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Office {
    /// Its number, unless a player has that.
    pub usual: PersonaId,
    /// Its name as the sender of mails.
    pub name: &'static str,
    /// Where another number is noted.
    key: &'static [u8],
}

/// The persona that gets the cars that dealers take in part payment (*seen in use*).
pub const JUNKYARD: Office = Office { usual: PersonaId(9), name: "Junkyard", key: b"mjunkyard" };
/// The persona that owns what is in a deal, and writes about ads and trades.
pub const ESCROW: Office = Office { usual: PersonaId(13), name: "Escrow", key: b"mescrow" };
/// The persona that writes about auctions.
pub const AUCTION_HOUSE: Office = Office { usual: PersonaId(14), name: "Auctions", key: b"mauction_house" };

const ALL: [Office; 3] = [JUNKYARD, ESCROW, AUCTION_HOUSE];
/// Other numbers than the usual ones, which are below 15, and than those that players get.
const OTHERS: std::ops::Range<u32> = 15..1000;

impl Office {
    /// Its number.
    pub(super) fn number(self, tx: &Transaction<'_>) -> Result<PersonaId, StoreError> {
        Ok(tx.get(self.key)?.map_or(self.usual, PersonaId))
    }

    /// The same, outside a transaction.
    pub(super) fn number_in(self, table: &Table) -> Result<PersonaId, StoreError> {
        Ok(table.get(self.key)?.map_or(self.usual, PersonaId))
    }
}

/// Whether an office has this number.
pub(super) fn are_at(tx: &Transaction<'_>, id: PersonaId) -> Result<bool, StoreError> {
    for office in ALL {
        if office.number(tx)? == id {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The offices whose number a player has, each with the free number that it gets; [`note`] is what gives it.
pub(super) fn displaced(table: &Table) -> Result<Vec<(Office, PersonaId)>, StoreError> {
    let mut found: Vec<(Office, PersonaId)> = Vec::new();
    for office in ALL {
        let is_free = |id: PersonaId| {
            let taken = found.iter().any(|(_, new)| *new == id) || number_of_other(table, id)?;
            Ok::<_, StoreError>(!taken && table.get::<PersonaRecord>(&key::persona(id))?.is_none())
        };
        if table.get::<u32>(office.key)?.is_some()
            || table.get::<PersonaRecord>(&key::persona(office.usual))?.is_none()
        {
            continue;
        }
        let mut new = None;
        for id in OTHERS.map(PersonaId) {
            if is_free(id)? {
                new = Some(id);
                break;
            }
        }
        found.push((office, new.ok_or(StoreError::NoMoreIds)?));
    }
    Ok(found)
}

/// Whether an office has had to take this number before.
fn number_of_other(table: &Table, id: PersonaId) -> Result<bool, StoreError> {
    for office in ALL {
        if table.get::<u32>(office.key)? == Some(id.0) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Notes the number of an office.
pub(super) fn note(tx: &Transaction<'_>, office: Office, number: PersonaId) -> Result<(), StoreError> {
    tx.put(office.key, &number.0)
}
