//! What survives a reboot: accounts, personas, cars, parts and keys. The only floor that knows sled.
//!
//! Callers see verbs. A verb that changes something is complete for every reader when it returns, and gives a
//! [`Ticket`] which resolves when the change has survived a power cut; whoever answers a Client awaits it first.
//!
//! In the data directory lie `database/` (sled's own), `backup.mcos` (all records in one file, written at most once a
//! minute and when the store is closed) and `store.lock`. A database that cannot be read is set aside and rebuilt
//! from the backup; see [`Store::open`]. While the card is full or read-only, changes are refused and reads go on; see
//! [`Store::trouble`].

mod accounts;
mod backup;
mod bans;
mod commit;
mod error;
mod free_space;
mod garage;
mod key;
mod keys;
mod ledger;
mod mail;
mod open;
mod operator;
mod ownership;
mod password;
mod personas;
mod races;
mod record;
mod salary;
mod side_files;
mod staged;
mod table;
#[cfg(test)]
mod tests;

pub use accounts::{Account, AccountError, Accounts};
pub use bans::{Ban, BanError, BanTarget, Bans};
pub use commit::{Changed, Ticket};
pub use error::{OpenError, StoreError};
pub use garage::{
    CarPurchase, Fits, Garage, GarageError, JUNKYARD, NewPart, Part, PartPurchase, Price, Terms, Vehicle,
};
pub use keys::Keys;
pub use ledger::{Difference, Entry, Kind, Ledger, LedgerError, LedgerReport, Line, Problem};
pub use mail::{Letter, Mail, MailEntry, Mails};
pub use operator::{OperatorError, OperatorPassword, OperatorStore};
pub use password::{Password, PasswordError};
pub use personas::{NewPersona, Persona, PersonaError, Personas, Physical, Plate, RaceRecord};
pub use races::{BookingId, Payout, RaceError, Races, Settled, Settlement};

use commit::Writer;
use free_space::{Duplicate, FreeSpace};
use ownership::HandOver;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use table::Table;

/// The open store. Cloning it is cheap, every thread may use it, and the last clone closes it: whatever waits is
/// written, then the backup if it is out of date.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

/// Dropped in this order: the writer finishes, then the database is closed, then others may open it.
#[derive(Debug)]
struct Inner {
    writer: Writer,
    table: Arc<Table>,
    card: Arc<FreeSpace>,
    /// The data directory.
    dir: PathBuf,
    repaired: bool,
    _copy: Option<Duplicate>,
    _hand_over: HandOver,
    _lock: Option<open::Lock>,
}

impl Store {
    /// The verbs about accounts.
    pub fn accounts(&self) -> Accounts<'_> {
        Accounts { store: self }
    }

    /// The verbs about personas.
    pub fn personas(&self) -> Personas<'_> {
        Personas { store: self }
    }

    /// The verbs about cars and parts.
    pub fn garage(&self) -> Garage<'_> {
        Garage { store: self }
    }

    /// What is known of every change of money and property.
    pub fn ledger(&self) -> Ledger<'_> {
        Ledger { store: self }
    }

    /// The verbs about mail.
    pub fn mails(&self) -> Mails<'_> {
        Mails { store: self }
    }

    /// The verbs about races.
    pub fn races(&self) -> Races<'_> {
        Races { store: self }
    }

    /// The verbs about the Server's own keys.
    pub fn keys(&self) -> Keys<'_> {
        Keys { store: self }
    }

    /// The verbs about bans.
    pub fn bans(&self) -> Bans<'_> {
        Bans { store: self }
    }

    /// The verbs about what belongs to the Operator.
    pub fn operator(&self) -> OperatorStore<'_> {
        OperatorStore { store: self }
    }

    /// How many bytes the database has on the card, as far as the engine knows.
    pub fn size_on_disk(&self) -> Result<u64, StoreError> {
        self.inner.table.size_on_disk()
    }

    /// When changes were last made safe, in seconds since 1970; `None`: not since the store was opened.
    pub fn last_commit(&self) -> Option<u64> {
        self.inner.writer.last_commit()
    }

    /// Whether the thread that saves changes is still there. Without it every ticket would wait for ever.
    pub fn is_being_saved(&self) -> bool {
        self.inner.writer.is_alive()
    }

    /// Why no change is accepted now, if none is: the card is full, or cannot be written. What is stored can be read
    /// all the same. After a write that failed this lasts until the store is opened again, since what the system
    /// says of later writes cannot be believed.
    pub fn trouble(&self) -> Option<StoreError> {
        self.inner.writer.failed().or_else(|| self.inner.card.check().err())
    }

    /// Whether the database was found damaged when the store was opened, and made anew: from the backup beside it, or empty if
    /// there was none. What was changed after that backup is lost.
    pub fn was_repaired(&self) -> bool {
        self.inner.repaired
    }

    /// Whether opening the store again would end the trouble: it could not be written when it was opened, and could be
    /// now.
    pub fn wants_restart(&self) -> bool {
        self.inner.card.wants_restart()
    }

    /// Waits until everything changed so far is on the card.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.inner.writer.ticket(false).wait()
    }

    /// Writes everything into one file, for [`Store::restore`]. It holds password hashes and the login key, so only
    /// its owner may read it.
    /// What lies beside the database is in it: the certificate authority and an imported catalogue.
    pub fn write_backup(&self, file: &Path) -> Result<(), StoreError> {
        open::write_backup(&self.inner.table, &self.inner.dir, file)
    }

    /// The same in memory: it needs no room on a card that is full.
    pub fn backup(&self) -> Result<Vec<u8>, StoreError> {
        open::backup_bytes(&self.inner.table, &self.inner.dir)
    }

    fn table(&self) -> &Table {
        &self.inner.table
    }

    /// Runs a change while nobody else changes anything, and takes its ticket.
    fn change<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Table) -> Result<T, E>,
    ) -> Result<Changed<T>, E> {
        if let Some(trouble) = self.trouble() {
            return Err(trouble.into());
        }
        let turn = self.inner.table.turn();
        let value = work(&self.inner.table)?;
        drop(turn);
        Ok(Changed { value, ticket: self.inner.writer.ticket(true) })
    }
}
