//! Personas: the characters of an account, with which it plays.

use super::bookings::Bookings;
use super::deals::Closing;
use super::error::StoreError;
use super::handle::Store;
use super::ledger;
use super::names::{self, is_taken};
use super::records::ledger::Kind;
use super::records::persona::{MOST_RACE_TYPES, Persona, PersonaRecord};
use super::removal::Belongings;
use super::ticket::Changed;
use super::{key, mail, offices, week};
use crate::clock::Now;
use crate::public_text;
use mco_proto::ids::{CustomerId, PersonaId, ShardId};
use std::fmt;

/// The first persona id that is given out without being asked for.
const FIRST_PERSONA: u32 = 1000;
/// The transaction service's name field holds 13 bytes with the final NUL (*captured*).
const LONGEST_NAME: usize = 12;

/// What is needed to create a persona.
#[derive(Clone, Debug)]
pub struct NewPersona {
    /// 1 to 12 characters that the Client can show, without a space at the ends; no other of the shard looks like it.
    pub name: String,
    /// The shard in which it plays.
    pub shard: ShardId,
    /// An id to take, for those who move here from another server; otherwise the next free one from 1000 on.
    pub id: Option<PersonaId>,
    /// The dollars it begins with.
    pub starter_cash: u32,
    /// How many personas the customer may have, this one included.
    pub max_per_customer: usize,
}

/// Why a persona could not be created or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonaError {
    /// The name breaks a rule, which is named.
    BadName(&'static str),
    /// A persona of the shard has that name or one that looks like it: with other capitals, with more spaces, with a 0 for an O.
    NameTaken,
    /// The customer has as many as allowed.
    TooMany,
    /// The persona belongs to another customer.
    NotYours,
    /// There is no such persona.
    NotFound,
    /// The id asked for is zero or taken.
    IdTaken,
    /// There is no account with that customer id.
    NoSuchAccount,
    /// The persona is in a race that is not over.
    InRace,
    /// Others wait for the end of an auction in which the persona sells or has bid.
    InAuction,
    /// The persona has less than is to be taken.
    Overdrawn,
    /// The balance would be more than the Client can show.
    TooRich,
    /// A field, which is named, is longer than the Client can show.
    TooLong(&'static str),
    /// The store failed.
    Store(StoreError),
}

impl fmt::Display for PersonaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadName(why) => write!(f, "this persona name cannot be used: {why}"),
            Self::NameTaken => f.write_str("this persona name is taken, or looks like one that is: choose another"),
            Self::TooMany => f.write_str("the account has as many personas as allowed: delete one in the game, or raise shard.max_personas in mcos.toml"),
            Self::NotYours => f.write_str("the persona belongs to another account"),
            Self::NotFound => f.write_str("there is no such persona: see all names with `mcos persona list`"),
            Self::IdTaken => f.write_str("this persona id is zero or taken: choose another"),
            Self::NoSuchAccount => f.write_str("there is no such account: see all names with `mcos account list`, or make it with `mcos account add`"),
            Self::InRace => f.write_str("the persona is in a race: wait until the race is over"),
            Self::InAuction => f.write_str("the persona has the highest bid in an auction, or somebody has bid in one of its own: wait until that is over"),
            Self::Overdrawn => f.write_str("the persona has less than that: take less"),
            Self::TooRich => f.write_str("the persona's bank holds no more money: give less"),
            Self::TooLong(field) => write!(f, "the {field} is too long: shorten it"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PersonaError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

impl From<StoreError> for PersonaError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The verbs about personas. See [`Store::personas`].
#[derive(Clone, Copy, Debug)]
pub struct Personas<'a> {
    pub(super) store: &'a Store,
}

impl Store {
    /// The verbs about personas.
    pub fn personas(&self) -> Personas<'_> {
        Personas { store: self }
    }
}

impl Personas<'_> {
    /// Creates a persona for an account, with its book in the ledger and a first mail.
    ///
    /// # Errors
    /// [`PersonaError::BadName`], [`PersonaError::NameTaken`], [`PersonaError::TooMany`], [`PersonaError::IdTaken`],
    /// [`PersonaError::NoSuchAccount`].
    #[expect(clippy::needless_pass_by_value, reason = "the caller has no use for it afterwards")]
    pub fn create(
        &self,
        owner: CustomerId,
        new: NewPersona,
        now: Now,
    ) -> Result<Changed<Persona>, PersonaError> {
        self.check_name(&new.name)?;
        self.store.change(|table| {
            let others = table.scan::<u32>(&key::personas_of(owner))?.len();
            let name_taken = is_taken(table, new.shard, &new.name, None)?;
            table.transact(|tx| {
                if !tx.has(&key::customer(owner))? {
                    return Err(PersonaError::NoSuchAccount);
                }
                if others >= new.max_per_customer {
                    return Err(PersonaError::TooMany);
                }
                if name_taken {
                    return Err(PersonaError::NameTaken);
                }
                let id = match new.id {
                    Some(id) if id.0 == 0 || offices::are_at(tx, id)? || tx.has(&key::persona(id))? => {
                        return Err(PersonaError::IdTaken);
                    }
                    Some(id) => id,
                    None => loop {
                        let id = PersonaId(tx.take(key::NEXT_PERSONA, FIRST_PERSONA, 1)?);
                        if !tx.has(&key::persona(id))? {
                            break id;
                        }
                    },
                };
                let serial = tx.take(key::NEXT_SERIAL, 0, 1)?;
                let persona = Persona {
                    id,
                    customer_id: owner,
                    shard: new.shard,
                    name: new.name.clone(),
                    created: now.unix32(),
                    level: 1,
                    ..Persona::default()
                };
                let mut record = PersonaRecord { serial, lines: 0, aided: 0, persona };
                ledger::open(tx, &mut record, Kind::StarterCash, new.starter_cash, now)?;
                mail::post(tx, id, &mail::welcome(&new.name), now)?;
                week::begin(tx, id, now)?;
                tx.put(&key::persona(id), &record)?;
                names::enter(tx, new.shard, &new.name, id)?;
                tx.put(&key::persona_of(owner, serial), &id.0)?;
                Ok(record.persona)
            })
        })
    }

    /// The persona with that id.
    pub fn by_id(&self, id: PersonaId) -> Result<Option<Persona>, StoreError> {
        let record = self.store.table().get::<PersonaRecord>(&key::persona(id))?;
        Ok(record.map(|record| record.persona))
    }

    /// The personas of an account, oldest first.
    pub fn of_customer(&self, owner: CustomerId) -> Result<Vec<Persona>, StoreError> {
        let ids = self.store.table().scan::<u32>(&key::personas_of(owner))?;
        ids.into_iter().filter_map(|id| self.by_id(PersonaId(id)).transpose()).collect()
    }

    /// All personas, by id.
    pub fn list(&self) -> Result<Vec<Persona>, StoreError> {
        let records = self.store.table().scan::<PersonaRecord>(key::PERSONAS)?;
        Ok(records.into_iter().map(|record| record.persona).collect())
    }

    /// How many personas there are.
    pub fn count(&self) -> Result<usize, StoreError> {
        Ok(self.store.table().scan::<u32>(key::PERSONA_NAMES)?.len())
    }

    /// Whether nobody in the shard has that name or one that looks like it. Says nothing about whether it may be used.
    pub fn name_is_free(&self, shard: ShardId, name: &str) -> Result<bool, StoreError> {
        Ok(!is_taken(self.store.table(), shard, name, None)?)
    }

    /// The persona of the shard that has exactly that name, but for the case of the letters.
    pub fn by_name(&self, shard: ShardId, name: &str) -> Result<Option<Persona>, StoreError> {
        match self.store.table().get::<u32>(&key::persona_name(shard, name))? {
            Some(id) => self.by_id(PersonaId(id)),
            None => Ok(None),
        }
    }

    /// Checks that a name has 1 to 12 visible characters of the Client's code page, or spaces between them. So it is the same
    /// everywhere: in the game, on the pages, on the command line.
    ///
    /// # Errors
    /// [`PersonaError::BadName`].
    pub fn check_name(&self, name: &str) -> Result<(), PersonaError> {
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            return Err(PersonaError::BadName("use 1 to 12 characters"));
        }
        if !public_text::is_name(name) {
            return Err(PersonaError::BadName(
                "use only letters of Western Europe, digits, signs and spaces: the game has no others",
            ));
        }
        if name.starts_with(' ') || name.ends_with(' ') {
            return Err(PersonaError::BadName("it must not begin or end with a space"));
        }
        Ok(())
    }

    /// Deletes a persona with its cars, its parts, its mail, its deals and its lines of the ledger, but not in the middle of a race, nor
    /// of an auction in which others take part.
    ///
    /// # Errors
    /// [`PersonaError::NotFound`], [`PersonaError::NotYours`], [`PersonaError::InRace`], [`PersonaError::InAuction`].
    pub fn delete(&self, owner: CustomerId, id: PersonaId, now: Now) -> Result<Changed<()>, PersonaError> {
        self.store.change(|table| {
            let belongings = Belongings::find(table, id)?;
            let bookings = Bookings::find(table)?;
            let deals = Closing::find(table, id)?;
            table.transact(|tx| {
                let record: PersonaRecord = tx.get(&key::persona(id))?.ok_or(PersonaError::NotFound)?;
                if record.persona.customer_id != owner {
                    return Err(PersonaError::NotYours);
                }
                if bookings.name(id) {
                    return Err(PersonaError::InRace);
                }
                if deals.is_bound() {
                    return Err(PersonaError::InAuction);
                }
                deals.close(tx)?;
                Ok(belongings.remove(tx, &record, now)?)
            })
        })
    }

    /// Lets `change` work on the stored persona. It is called once, inside the transaction, so it must not use the store.
    ///
    /// Id, customer, shard, name, creation time and the bank balance (which only the ledger changes) stay what they
    /// were, whatever `change` does to them.
    ///
    /// # Errors
    /// [`PersonaError::NotFound`], and [`PersonaError::TooLong`] if a text has become longer than the Client can show.
    pub fn update(
        &self,
        id: PersonaId,
        change: impl FnOnce(&mut Persona),
    ) -> Result<Changed<Persona>, PersonaError> {
        self.store.change(|table| {
            table.transact(|tx| {
                let mut record: PersonaRecord = tx.get(&key::persona(id))?.ok_or(PersonaError::NotFound)?;
                let mut persona = record.persona.clone();
                change(&mut persona);
                check_lengths(&persona)?;
                let Persona { id: _, customer_id, shard, name, created, bank_balance, .. } = record.persona;
                record.persona = Persona { id, customer_id, shard, name, created, bank_balance, ..persona };
                tx.put(&key::persona(id), &record)?;
                Ok(record.persona)
            })
        })
    }
}

fn check_lengths(persona: &Persona) -> Result<(), PersonaError> {
    let within = |field, length: usize, most| {
        if length > most { Err(PersonaError::TooLong(field)) } else { Ok(()) }
    };
    within("text of the licence plate", persona.plate.text.chars().count(), 7)?;
    for number in &persona.car_numbers {
        within("car number", number.chars().count(), 2)?;
    }
    within("description", persona.description.chars().count(), 255)?;
    within("racing history", persona.history.len(), MOST_RACE_TYPES)
}
