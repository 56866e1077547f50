//! Accounts: who may sign in.

use super::error::StoreError;
use super::handle::Store;
use super::key;
use super::password::{self, Password};
use super::proven::PROVEN;
use super::records::account::{Account, AccountRecord};
use super::ticket::Changed;
use crate::clock::Now;
use mco_proto::ids::CustomerId;
use std::fmt;

/// The first customer id that is given out without being asked for.
const FIRST_CUSTOMER: u32 = 1000;
const LONGEST_NAME: usize = 32;
/// The most accounts there are. Each may own some hundred records in time.
pub const MOST_ACCOUNTS: usize = 10_000;

/// Why an account could not be created or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountError {
    /// The name breaks a rule, which is named.
    BadName(&'static str),
    /// There is an account of that name, perhaps with other capitals.
    NameTaken,
    /// The customer id asked for is zero or belongs to another account.
    CustomerIdTaken,
    /// There are as many accounts as there may be.
    TooMany,
    /// There is no account of that name.
    NotFound,
    /// A persona of the account is in a race that is not over.
    InRace,
    /// Others wait for the end of an auction in which a persona of the account sells or has bid.
    InAuction,
    /// The store failed.
    Store(StoreError),
}

impl fmt::Display for AccountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadName(why) => write!(f, "this account name cannot be used: {why}"),
            Self::NameTaken => f.write_str("this account name is taken: choose another"),
            Self::CustomerIdTaken => f.write_str("this customer id is zero or taken: choose another"),
            Self::TooMany => write!(f, "there are {MOST_ACCOUNTS} accounts, and no more are made"),
            Self::NotFound => f.write_str("there is no such account: see all names with `mcos account list`"),
            Self::InRace => f.write_str("a persona of the account is in a race: wait until the race is over"),
            Self::InAuction => f.write_str(
                "a persona of the account has the highest bid in an auction, or somebody has bid in one of its own: wait until that is over",
            ),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AccountError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

impl From<StoreError> for AccountError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The verbs about accounts. See [`Store::accounts`].
#[derive(Clone, Copy, Debug)]
pub struct Accounts<'a> {
    pub(super) store: &'a Store,
}

impl Store {
    /// The verbs about accounts.
    pub fn accounts(&self) -> Accounts<'_> {
        Accounts { store: self }
    }
}

impl Accounts<'_> {
    /// Creates an account. The name has 1 to 32 ASCII letters, digits, `_`, `.` and `-`. Without a customer id it gets the
    /// next free one from 1000 on. Costs one password evaluation; blocks meanwhile.
    ///
    /// # Errors
    /// [`AccountError::BadName`], [`AccountError::NameTaken`], [`AccountError::CustomerIdTaken`], [`AccountError::TooMany`].
    pub fn create(
        &self,
        name: &str,
        password: &Password,
        customer_id: Option<CustomerId>,
        now: Now,
    ) -> Result<Changed<Account>, AccountError> {
        check_name(name)?;
        // Hashing takes long; a name that is taken already need not wait for it. The transaction looks again.
        if self.record(name)?.is_some() {
            return Err(AccountError::NameTaken);
        }
        let mut accounts = 0;
        self.store.table().walk(key::ACCOUNTS, |_, _| {
            accounts += 1;
            Ok(())
        })?;
        if accounts >= MOST_ACCOUNTS {
            return Err(AccountError::TooMany);
        }
        let hash = password.hash()?;
        let created = now.unix;
        self.store.change(|table| {
            table.transact(|tx| {
                if tx.has(&key::account(name))? {
                    return Err(AccountError::NameTaken);
                }
                let customer_id = match customer_id {
                    Some(id) if id.0 == 0 || tx.has(&key::customer(id))? => {
                        return Err(AccountError::CustomerIdTaken);
                    }
                    Some(id) => id,
                    None => loop {
                        let id = CustomerId(tx.take(key::NEXT_CUSTOMER, FIRST_CUSTOMER, 1)?);
                        if !tx.has(&key::customer(id))? {
                            break id;
                        }
                    },
                };
                let record =
                    AccountRecord { customer_id, name: name.to_owned(), disabled: false, created, hash };
                tx.put(&key::account(name), &record)?;
                tx.put(&key::customer(customer_id), &name.to_ascii_lowercase())?;
                Ok(record.into())
            })
        })
    }

    /// The account of that name, whatever the case of its letters.
    pub fn by_name(&self, name: &str) -> Result<Option<Account>, StoreError> {
        Ok(self.record(name)?.map(Account::from))
    }

    /// The account with that customer id.
    pub fn by_customer(&self, id: CustomerId) -> Result<Option<Account>, StoreError> {
        match self.store.table().get::<String>(&key::customer(id))? {
            Some(name) => self.by_name(&name),
            None => Ok(None),
        }
    }

    /// All accounts, sorted by name in lower case.
    pub fn list(&self) -> Result<Vec<Account>, StoreError> {
        let records = self.store.table().scan::<AccountRecord>(key::ACCOUNTS)?;
        Ok(records.into_iter().map(Account::from).collect())
    }

    /// How many accounts were made from that moment on, in seconds since 1970.
    pub fn made_since(&self, unix: u64) -> Result<usize, StoreError> {
        let records = self.store.table().scan::<AccountRecord>(key::ACCOUNTS)?;
        Ok(records.iter().filter(|record| record.created >= unix).count())
    }

    /// The account, if name and password are right and it is not disabled.
    ///
    /// Takes one password evaluation (tens to hundreds of milliseconds on a small board) in every case, so that
    /// neither the answer nor the time tells which names exist. Blocks meanwhile: keep it off the packet path.
    pub fn check_password(
        &self,
        name: &str,
        password: &str,
        now: Now,
    ) -> Result<Option<Account>, StoreError> {
        let record = self.record(name)?;
        let right = password::matches(password, record.as_ref().map(|record| record.hash.as_str()))?;
        let found = record.filter(|record| right && !record.disabled);
        if let Some(record) = &found {
            PROVEN.remember(password, &record.hash, now);
        }
        Ok(found.map(Account::from))
    }

    /// Name and password were just set by who knows them: they count as found right for [`Self::recently_proven`], if the account can
    /// be read.
    pub fn was_set(&self, name: &str, password: &Password, now: Now) {
        if let Ok(Some(record)) = self.record(name) {
            PROVEN.remember(password.text(), &record.hash, now);
        }
    }

    /// The account, if [`Self::check_password`] found name and password right within the last minute, both are still as they were
    /// and it is not disabled. Costs no evaluation.
    pub fn recently_proven(
        &self,
        name: &str,
        password: &str,
        now: Now,
    ) -> Result<Option<Account>, StoreError> {
        let record = self.record(name)?;
        let proven = |record: &AccountRecord| PROVEN.remembers(password, &record.hash, now);
        Ok(record.filter(|record| !record.disabled && proven(record)).map(Account::from))
    }

    /// Replaces the password. Costs one password evaluation; blocks meanwhile.
    ///
    /// # Errors
    /// [`AccountError::NotFound`].
    pub fn set_password(&self, name: &str, password: &Password) -> Result<Changed<Account>, AccountError> {
        let hash = password.hash()?;
        self.alter(name, |record| record.hash = hash)
    }

    /// Forbids or allows signing in. Who is signed in already stays so.
    ///
    /// # Errors
    /// [`AccountError::NotFound`].
    pub fn set_disabled(&self, name: &str, disabled: bool) -> Result<Changed<Account>, AccountError> {
        self.alter(name, |record| record.disabled = disabled)
    }

    fn alter(
        self,
        name: &str,
        alter: impl FnOnce(&mut AccountRecord),
    ) -> Result<Changed<Account>, AccountError> {
        let key = key::account(name);
        self.store.change(|table| {
            table.transact(|tx| {
                let mut record: AccountRecord = tx.get(&key)?.ok_or(AccountError::NotFound)?;
                alter(&mut record);
                tx.put(&key, &record)?;
                Ok(record.into())
            })
        })
    }

    fn record(self, name: &str) -> Result<Option<AccountRecord>, StoreError> {
        self.store.table().get(&key::account(name))
    }
}

/// Whether an account may have this name: 1 to 32 ASCII letters, digits, `_`, `.` and `-`.
///
/// # Errors
/// [`AccountError::BadName`].
pub fn check_name(name: &str) -> Result<(), AccountError> {
    if name.is_empty() || name.len() > LONGEST_NAME {
        return Err(AccountError::BadName("use 1 to 32 characters"));
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)) {
        return Err(AccountError::BadName("use only letters, digits, '_', '.' and '-'"));
    }
    Ok(())
}
