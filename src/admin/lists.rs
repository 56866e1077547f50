//! Accounts, personas and bans as the Server Operator sees them in lists.

use super::requests::{AccountEntry, BanEntry, PersonaDetails, PersonaEntry};
use crate::clock::Now;
use crate::store::{Account, BanTarget, Persona, Store, StoreError};
use mco_proto::ids::CustomerId;
use std::collections::HashMap;

/// All accounts, by number.
pub fn accounts(store: &Store) -> Result<Vec<AccountEntry>, StoreError> {
    let accounts = store.accounts().list()?.into_iter();
    let mut entries = accounts.map(|account| account_entry(store, account)).collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(|entry| entry.customer_id);
    Ok(entries)
}

/// All personas, by number.
pub fn personas(store: &Store) -> Result<Vec<PersonaEntry>, StoreError> {
    let names: HashMap<_, _> =
        store.accounts().list()?.into_iter().map(|account| (account.customer_id, account.name)).collect();
    let name = |id: CustomerId| names.get(&id).cloned().unwrap_or_else(|| format!("(customer {id})"));
    let personas = store.personas().list()?.into_iter();
    Ok(by_number(personas.map(|persona| persona_entry(name(persona.customer_id), persona))))
}

/// The personas of one account, by number.
pub fn personas_of(store: &Store, account: &Account) -> Result<Vec<PersonaEntry>, StoreError> {
    let personas = store.personas().of_customer(account.customer_id)?.into_iter();
    Ok(by_number(personas.map(|persona| persona_entry(account.name.clone(), persona))))
}

/// All bans, those that are over too.
pub fn bans(store: &Store, now: Now) -> Result<Vec<BanEntry>, StoreError> {
    let mut entries = Vec::new();
    for ban in store.bans().list()? {
        let account = match ban.target {
            BanTarget::Account(customer) => store.accounts().by_customer(customer)?,
            BanTarget::Address(_) => None,
        };
        let account = account.map(|account| account.name);
        entries.push(BanEntry { account, counts: ban.counts_at(now.unix), ban });
    }
    Ok(entries)
}

pub(super) fn account_entry(store: &Store, account: Account) -> Result<AccountEntry, StoreError> {
    let personas = store.personas().of_customer(account.customer_id)?.len();
    let Account { customer_id, name, disabled, created, .. } = account;
    Ok(AccountEntry { customer_id, name, disabled, created, personas })
}

pub(super) fn persona_entry(account: String, persona: Persona) -> PersonaEntry {
    let Persona { id, name, bank_balance, last_login, .. } = persona;
    PersonaEntry { persona_id: id, name, account, bank_balance, last_login }
}

/// How many lines of the ledger the Operator sees at once.
const LAST_LINES: usize = 25;

/// A persona with what it did last.
pub fn details(store: &Store, account: String, persona: Persona) -> Result<PersonaDetails, StoreError> {
    let cars = store.garage().vehicles(persona.id)?;
    let lines = store.ledger().of(persona.id)?.into_iter().rev().take(LAST_LINES);
    Ok(PersonaDetails {
        level: persona.level,
        points: persona.points,
        races: persona.races_entered,
        races_won: persona.races_won,
        cars: cars.iter().map(|car| car.model).collect(),
        car_numbers: cars.iter().map(|car| car.id).collect(),
        lines: lines.map(|(_, line)| line).collect(),
        persona: persona_entry(account, persona),
    })
}

fn by_number(entries: impl Iterator<Item = PersonaEntry>) -> Vec<PersonaEntry> {
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by_key(|entry| entry.persona_id);
    entries
}
