//! Personas: the drivers of an account.

use super::commit::Changed;
use super::error::StoreError;
use super::garage::LooseRecord;
use super::ledger::{self, Kind};
use super::record::{self, Record};
use super::{Store, key, mail, salary};
use crate::clock::Now;
use mco_proto::ids::{CustomerId, PersonaId, ShardId, VehicleId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The first persona id that is given out without being asked for.
const FIRST_PERSONA: u32 = 1000;
/// The transaction service's name field holds 13 bytes with the final NUL (*captured*).
const LONGEST_NAME: usize = 12;
/// The Client knows eight types of race (*seen in use*); twice that leaves room and stays bounded.
pub(super) const MOST_RACE_TYPES: usize = 16;

/// A driver, as it is stored. Times are seconds since 1970 by the Server's clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Persona {
    /// Never zero.
    pub id: PersonaId,
    /// The account it belongs to.
    pub customer_id: CustomerId,
    /// The shard it lives in.
    pub shard: ShardId,
    /// 1 to 12 characters of printable ASCII, unique in the shard whatever the case of the letters.
    pub name: String,
    /// When it was created.
    pub created: u32,
    /// When it was last chosen for playing; 0: never.
    pub last_login: u32,
    /// How often it was chosen for playing.
    pub logins: u32,
    /// How long it played in all.
    pub seconds_online: u32,
    /// Money.
    pub bank_balance: u32,
    /// The first car was taken.
    pub starter_car_chosen: bool,
    /// What the driver looks like.
    pub physical: Physical,
    /// The licence plate.
    pub plate: Plate,
    /// What others may see of its cars; a number only the Client understands.
    pub car_info_setting: u32,
    /// The numbers on its cars, at most 2 characters each.
    pub car_numbers: [String; 6],
    /// What the player wrote about it, at most 255 characters.
    pub description: String,
    /// The car it drives.
    pub vehicle: Option<VehicleId>,
    /// The class of its driver's licence.
    pub driver_class: u8,
    /// Its level, from 1.
    pub level: u32,
    /// Points in all, from which level and rank follow.
    pub points: u32,
    /// Its rank.
    pub rank: u32,
    /// Races begun.
    pub races_entered: u32,
    /// Races won.
    pub races_won: u32,
    /// Races driven to the end.
    pub races_completed: u32,
    /// Money won in all.
    pub total_winnings: u32,
    /// The same by type of race, at most 16 of them.
    pub history: Vec<RaceRecord>,
}

/// What a driver looks like. Colours are ARGB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Physical {
    /// One of the Client's figures.
    pub body_type: u32,
    /// Hair.
    pub hair_color: u32,
    /// Skin.
    pub skin_color: u32,
    /// Shirt.
    pub shirt_color: u32,
    /// Trousers.
    pub pants_color: u32,
}

/// A licence plate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plate {
    /// One of the Client's designs.
    pub code: u16,
    /// At most 7 characters.
    pub text: String,
}

/// What a driver did in one type of race.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaceRecord {
    /// The Client's number of the type.
    pub race_type: u32,
    /// Races begun.
    pub entered: u32,
    /// Races driven to the end.
    pub finished: u32,
    /// Races won.
    pub won: u32,
    /// Cars won.
    pub cars_won: u32,
    /// Cars lost.
    pub cars_lost: u32,
    /// Championships won.
    pub championships_won: u32,
    /// Money won.
    pub cash_won: u32,
}

/// What is needed to create a persona.
#[derive(Clone, Debug)]
pub struct NewPersona {
    /// See [`Persona::name`].
    pub name: String,
    /// The shard in which it shall live.
    pub shard: ShardId,
    /// An id to take, for those who move here from another server; otherwise the next free one from 1000 on.
    pub id: Option<PersonaId>,
    /// Money to begin with.
    pub starter_cash: u32,
    /// How many personas the customer may have, this one included.
    pub max_per_customer: usize,
}

/// Why a persona could not be created or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonaError {
    /// The name breaks a rule, which is named.
    BadName(&'static str),
    /// A persona of the shard has that name, perhaps with other capitals.
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
    /// A field, which is named, is longer than the Client can show.
    TooLong(&'static str),
    /// The store failed.
    Store(StoreError),
}

impl fmt::Display for PersonaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadName(why) => write!(f, "this persona name cannot be used: {why}"),
            Self::NameTaken => f.write_str("this persona name is taken: choose another"),
            Self::TooMany => f.write_str("the account has as many personas as allowed: delete one first"),
            Self::NotYours => f.write_str("the persona belongs to another account"),
            Self::NotFound => f.write_str("there is no such persona: check with `mcos persona list`"),
            Self::IdTaken => f.write_str("this persona id is zero or taken: choose another"),
            Self::NoSuchAccount => f.write_str("there is no such account: create it first"),
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

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct PersonaRecord {
    /// Its place in the order of creation. The clock cannot tell: a board without one starts in the past.
    serial: u32,
    /// How many lines the ledger ever had for it; the next line gets this number. 0: its book is not opened yet.
    pub(super) lines: u32,
    pub(super) persona: Persona,
}

/// As it was before there was a ledger.
#[derive(Deserialize)]
struct PersonaRecord1 {
    serial: u32,
    persona: Persona,
}

impl Record for PersonaRecord {
    const WHAT: &'static str = "persona";
    const VERSION: u8 = 2;

    fn older(version: u8, fields: &[u8]) -> Option<Self> {
        if version != 1 {
            return None;
        }
        let PersonaRecord1 { serial, persona } = record::whole(fields)?;
        Some(Self { serial, lines: 0, persona })
    }
}

/// The verbs about personas. See [`Store::personas`].
#[derive(Clone, Copy, Debug)]
pub struct Personas<'a> {
    pub(super) store: &'a Store,
}

impl Personas<'_> {
    /// Creates a persona for an account that exists.
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
            table.transact(|tx| {
                if !tx.has(&key::customer(owner))? {
                    return Err(PersonaError::NoSuchAccount);
                }
                if others >= new.max_per_customer {
                    return Err(PersonaError::TooMany);
                }
                let name_key = key::persona_name(new.shard, &new.name);
                if tx.has(&name_key)? {
                    return Err(PersonaError::NameTaken);
                }
                let id = match new.id {
                    Some(id) if id.0 == 0 || tx.has(&key::persona(id))? => return Err(PersonaError::IdTaken),
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
                let mut record = PersonaRecord { serial, lines: 0, persona };
                ledger::open(tx, &mut record, Kind::StarterCash, new.starter_cash, now)?;
                mail::post(tx, id, &mail::welcome(&new.name), now)?;
                salary::begin(tx, id, now)?;
                tx.put(&key::persona(id), &record)?;
                tx.put(&name_key, &id.0)?;
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

    /// Whether nobody in the shard has that name. Says nothing about whether it may be used.
    pub fn name_is_free(&self, shard: ShardId, name: &str) -> Result<bool, StoreError> {
        Ok(self.store.table().get::<u32>(&key::persona_name(shard, name))?.is_none())
    }

    /// Whether the name may be used: 1 to 12 printable ASCII characters, no space at the ends.
    pub fn check_name(&self, name: &str) -> Result<(), PersonaError> {
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            return Err(PersonaError::BadName("use 1 to 12 characters"));
        }
        if !name.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
            return Err(PersonaError::BadName("use only plain letters, digits, signs and spaces"));
        }
        if name.starts_with(' ') || name.ends_with(' ') {
            return Err(PersonaError::BadName("it must not begin or end with a space"));
        }
        Ok(())
    }

    /// Deletes a persona with its cars, its parts, its mail and its book.
    pub fn delete(&self, owner: CustomerId, id: PersonaId) -> Result<Changed<()>, PersonaError> {
        self.store.change(|table| {
            let lines = table.scan_rows::<ledger::Line>(&key::lines_of(id))?;
            let vehicles = table.scan::<u32>(&key::vehicles_of(id))?;
            let loose = table.scan_rows::<LooseRecord>(&key::loose_parts_of(id))?;
            table.transact(|tx| {
                let record: PersonaRecord = tx.get(&key::persona(id))?.ok_or(PersonaError::NotFound)?;
                if record.persona.customer_id != owner {
                    return Err(PersonaError::NotYours);
                }
                for vehicle in vehicles.iter().copied().map(VehicleId) {
                    tx.remove(&key::vehicle(vehicle))?;
                    tx.remove(&key::vehicle_of(id, vehicle))?;
                }
                for (part, _) in &loose {
                    tx.remove(part)?;
                }
                mail::empty(tx, id)?;
                tx.remove(&key::paid_week(id))?;
                for (line, _) in &lines {
                    tx.remove(line)?;
                }
                tx.remove(&key::persona_name(record.persona.shard, &record.persona.name))?;
                tx.remove(&key::persona_of(owner, record.serial))?;
                tx.remove(&key::persona(id))?;
                Ok(())
            })
        })
    }

    /// Lets `change` work on the stored persona. It may be called more than once and must not use the store.
    ///
    /// Id, customer, shard, name, creation time and the bank balance (which only the ledger changes) stay what they
    /// were, whatever `change` does to them.
    pub fn update(
        &self,
        id: PersonaId,
        change: impl Fn(&mut Persona),
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
