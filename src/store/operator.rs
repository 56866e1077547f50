//! What belongs to the Server Operator: the password of the operator's pages, and the message of the day.

use super::error::{OpenError, StoreError};
use super::handle::Store;
use super::key;
use super::password;
use super::records::account::OperatorRecord;
use super::ticket::Changed;
use crate::atomic_file;
use crate::public_text;
use std::fmt;
use std::fs;
use std::path::Path;
use zeroize::Zeroizing;

const SHORTEST_PASSWORD: usize = 8;
const LONGEST_PASSWORD: usize = 128;
/// Whoever can put a file of this name into the data directory has the box in hand.
const RESET: &str = "reset-operator-password";
/// The longest message of the day, in characters.
const LONGEST_MESSAGE: usize = 300;

/// The password of the Operator's pages, before it is stored: 8 to 128 characters of any script without control
/// characters; the Client never has to carry it. Wiped from memory when dropped, and never shown.
pub struct OperatorPassword(Zeroizing<String>);

impl OperatorPassword {
    /// Takes a password.
    ///
    /// # Errors
    /// [`OperatorError::BadPassword`].
    pub fn new(text: &str) -> Result<Self, OperatorError> {
        let length = text.chars().count();
        if !(SHORTEST_PASSWORD..=LONGEST_PASSWORD).contains(&length) || text.chars().any(char::is_control) {
            return Err(OperatorError::BadPassword);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

impl fmt::Debug for OperatorPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OperatorPassword")
    }
}

/// Why the operator's password or message could not be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperatorError {
    /// The password is too short, too long or holds control characters.
    BadPassword,
    /// Somebody has set a password before.
    AlreadySet,
    /// The message is too long, or has characters that the game has not.
    BadMessage,
    /// The store failed.
    Store(StoreError),
}

impl fmt::Display for OperatorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadPassword => {
                f.write_str("the operator's password needs 8 to 128 characters: choose another")
            }
            Self::AlreadySet => f.write_str(
                "the operator's password is set already: sign in with it, or replace it on the box with `mcos operator passwd`",
            ),
            Self::BadMessage => write!(f, "the message may have {LONGEST_MESSAGE} letters of Western Europe, digits and signs: change it"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OperatorError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

impl From<StoreError> for OperatorError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The verbs about what belongs to the Operator. See [`Store::operator`].
#[derive(Clone, Copy, Debug)]
pub struct OperatorStore<'a> {
    pub(super) store: &'a Store,
}

impl Store {
    /// The verbs about what belongs to the Server Operator.
    pub fn operator(&self) -> OperatorStore<'_> {
        OperatorStore { store: self }
    }
}

impl OperatorStore<'_> {
    /// Whether a password is set.
    pub fn has_password(&self) -> Result<bool, StoreError> {
        Ok(self.record()?.is_some())
    }

    /// Sets or replaces the password. Costs one password evaluation; blocks meanwhile.
    pub fn set_password(&self, password: &OperatorPassword) -> Result<Changed<()>, OperatorError> {
        let record = OperatorRecord { hash: password::hash(&password.0)? };
        self.store.change(|table| table.transact(|tx| Ok(tx.put(key::OPERATOR, &record)?)))
    }

    /// Sets the password if there is none: of two who try at once, one does. Costs one password evaluation; blocks meanwhile.
    ///
    /// # Errors
    /// [`OperatorError::AlreadySet`].
    pub fn set_first_password(&self, password: &OperatorPassword) -> Result<Changed<()>, OperatorError> {
        // Hashing takes long; nobody need wait for it in vain. The transaction looks again.
        if self.has_password()? {
            return Err(OperatorError::AlreadySet);
        }
        let record = OperatorRecord { hash: password::hash(&password.0)? };
        self.store.change(|table| {
            table.transact(|tx| {
                if tx.has(key::OPERATOR)? {
                    return Err(OperatorError::AlreadySet);
                }
                Ok(tx.put(key::OPERATOR, &record)?)
            })
        })
    }

    /// Removes the password: the next visit from the home network sets it.
    pub fn forget_password(&self) -> Result<Changed<()>, StoreError> {
        self.store.change(|table| table.transact(|tx| tx.remove(key::OPERATOR)))
    }

    /// Removes the password if the file `reset-operator-password` lies in the data directory `dir`, and says whether it
    /// did. What is in the file does not matter. The file is deleted before anybody can set another password, which
    /// would be removed as well at the next start.
    ///
    /// # Errors
    /// What the system or the store says.
    pub fn forget_password_if_asked(&self, dir: &Path) -> Result<bool, OpenError> {
        let refused = |source| OpenError::Io { path: dir.to_owned(), source };
        let request = dir.join(RESET);
        if !request.try_exists().map_err(refused)? {
            return Ok(false);
        }
        self.forget_password().and_then(|changed| changed.ticket.wait())?;
        fs::remove_file(&request).and_then(|()| atomic_file::sync_dir(dir)).map_err(refused)?;
        log::warn!(
            "THE OPERATOR'S PASSWORD IS FORGOTTEN, as {RESET} asked for: whoever comes first from the home network sets it"
        );
        Ok(true)
    }

    /// Whether this is the password. Costs one password evaluation in every case; blocks meanwhile.
    pub fn check_password(&self, password: &str) -> Result<bool, StoreError> {
        let record = self.record()?;
        password::matches(password, record.as_ref().map(|record| record.hash.as_str()))
    }

    /// The message of the day; empty: there is none.
    pub fn message(&self) -> Result<String, StoreError> {
        Ok(self.store.table().get::<String>(key::MESSAGE)?.unwrap_or_default())
    }

    /// Replaces the message of the day: one line of at most 300 characters; empty: none. Returned is what was stored.
    ///
    /// # Errors
    /// [`OperatorError::BadMessage`].
    pub fn set_message(&self, message: &str) -> Result<Changed<String>, OperatorError> {
        let message = public_text::one_line(message).ok_or(OperatorError::BadMessage)?;
        if message.chars().count() > LONGEST_MESSAGE {
            return Err(OperatorError::BadMessage);
        }
        self.store
            .change(|table| table.transact(|tx| Ok(tx.put(key::MESSAGE, &message).map(|()| message)?)))
    }

    fn record(self) -> Result<Option<OperatorRecord>, StoreError> {
        self.store.table().get(key::OPERATOR)
    }
}
