//! Clubs: who founds one, who belongs to it, and what its races add up to. How somebody comes into one and out again: `members`.
//! What its Captain decides: `captain`.
//!
//! A club is one record, so whatever is done in it is one transaction. A persona is in one club at most, which its own record says.

mod captain;
mod members;
mod parting;

pub use captain::REGISTERED_WEEKS;
pub(super) use parting::Mentions;

use super::city_key as key;
use super::error::StoreError;
use super::handle::Store;
use super::headlines;
use super::key::persona as persona_key;
use super::ledger::{self, Entry};
use super::mail::{self, Letter};
use super::records::club::{Club, ClubTotals, Member, Membership, Rank};
use super::records::ledger::Kind;
use super::records::persona::PersonaRecord;
use super::records::result::RaceResult;
use super::refused::{CityError, ensure, tidy};
use super::table::{Table, Transaction};
use super::ticket::Changed;
use crate::clock::Now;
use crate::look_alike::look;
use mco_proto::ids::PersonaId;

/// How many clubs there are at most.
pub const MOST_CLUBS: usize = 200;
/// How many members a club has at most, whatever the rules say: its record holds no more.
const MOST_MEMBERS: usize = 60;

/// The rules about clubs, in numbers. Money in dollars.
#[derive(Clone, Copy, Debug)]
pub struct ClubRules {
    /// Dollars that the founder pays.
    pub founding_cost: u32,
    /// The level that it takes.
    pub founding_level: u32,
    /// The level that an officer has at least.
    pub officer_level: u32,
    /// How many members a club has at most.
    pub most_members: u32,
    /// Days until somebody who left a club may be in another one.
    pub cooldown_days: u32,
    /// What it costs to register for the turf wars the first time.
    pub registration_cost: u32,
    /// What it costs again.
    pub re_registration_cost: u32,
}

/// What is needed to found a club.
#[derive(Clone, Debug)]
pub struct NewClub {
    /// 3 to 30 characters.
    pub name: String,
    /// 1 to 3 letters.
    pub acronym: String,
    /// 1 to 255 characters.
    pub description: String,
    /// Foreground, background and third colour, as RGB.
    pub colours: [u32; 3],
}

/// The verbs about clubs. See [`Store::clubs`].
#[derive(Clone, Copy, Debug)]
pub struct Clubs<'a> {
    store: &'a Store,
}

impl Store {
    /// The verbs about clubs. Those that change something fail with [`CityError::Refused`], whose words say which rule is against it.
    pub fn clubs(&self) -> Clubs<'_> {
        Clubs { store: self }
    }
}

impl Clubs<'_> {
    /// All clubs, the oldest first.
    pub fn list(&self) -> Result<Vec<Club>, StoreError> {
        self.store.table().scan(key::CLUBS)
    }

    /// A club by its number.
    pub fn get(&self, club: u32) -> Result<Option<Club>, StoreError> {
        self.store.table().get(&key::club(club))
    }

    /// A club by its acronym, whatever the case of its letters.
    pub fn by_acronym(&self, acronym: &str) -> Result<Option<Club>, StoreError> {
        let found = self.list()?.into_iter().find(|club| club.acronym.eq_ignore_ascii_case(acronym));
        Ok(found)
    }

    /// The club of a persona.
    pub fn of(&self, persona: PersonaId) -> Result<Option<Club>, StoreError> {
        match self.membership(persona)?.club {
            0 => Ok(None),
            club => self.get(club),
        }
    }

    /// Where a persona belongs, and when it left.
    pub fn membership(&self, persona: PersonaId) -> Result<Membership, StoreError> {
        Ok(self.store.table().get(&key::membership(persona))?.unwrap_or_default())
    }

    /// What the races of a club's members add up to.
    pub fn totals(&self, club: u32) -> Result<ClubTotals, StoreError> {
        Ok(self.store.table().get(&key::club_totals(club))?.unwrap_or_default())
    }

    /// Founds a club, whose Captain is the founder.
    pub fn found(
        &self,
        founder: PersonaId,
        new: &NewClub,
        rules: &ClubRules,
        now: Now,
    ) -> Result<Changed<Club>, CityError> {
        let name = tidy(&new.name, 3, 30, "a club's name has 3 to 30 characters: choose another")?;
        let acronym = new.acronym.trim().to_ascii_uppercase();
        let is_acronym =
            (1..=3).contains(&acronym.len()) && acronym.bytes().all(|letter| letter.is_ascii_uppercase());
        ensure(is_acronym, "an acronym has 1 to 3 letters from A to Z: choose another")?;
        let description = description(&new.description)?;
        let colours = colours(new.colours)?;
        self.store.change(|table| {
            let others = table.scan::<Club>(key::CLUBS)?;
            ensure(others.len() < MOST_CLUBS, "there are 200 clubs, and no more can be: join one of them")?;
            let taken = others.iter().any(|other| other.acronym == acronym);
            ensure(!taken, "another club has this acronym: choose other letters")?;
            let alike = others.iter().any(|other| look(&other.name) == look(&name));
            ensure(!alike, "another club has this name, or one that looks like it: choose another")?;
            table.transact(|tx| {
                let mut record = persona(tx, founder)?;
                if record.persona.level < rules.founding_level {
                    let level = rules.founding_level;
                    return Err(CityError::Refused(
                        format!("it takes level {level} to found a club: win some races first").into(),
                    ));
                }
                may_join(tx, founder, rules, now)?;
                let id = tx.take(key::NEXT_CLUB, 1, 1)?;
                pay(tx, &mut record, Kind::ClubFounded, rules.founding_cost, id, now)?;
                let captain = Member {
                    persona: founder,
                    rank: Rank::Captain,
                    joined: now.unix32(),
                    ..Member::default()
                };
                let (members, since) = (vec![captain], now.unix32());
                let club = Club {
                    id,
                    name,
                    acronym,
                    description,
                    colours,
                    founded: since,
                    members,
                    ..Club::default()
                };
                tx.put(&key::club(id), &club)?;
                enter(tx, founder, id)?;
                let text =
                    format!("{} founds the club {} [{}]", record.persona.name, club.name, club.acronym);
                headlines::write(tx, text, page_of(&club), now)?;
                Ok(club)
            })
        })
    }
}

fn page_of(club: &Club) -> String {
    format!("/clubs/{}", club.acronym)
}

fn description(text: &str) -> Result<String, CityError> {
    tidy(text, 1, 255, "a club says in 1 to 255 characters what it is about: write a description")
}

fn colours(colours: [u32; 3]) -> Result<[u32; 3], CityError> {
    let known = colours.iter().all(|colour| *colour <= 0x00ff_ffff);
    ensure(known, "a colour has six digits from 0 to F, such as FFCC00: choose another")?;
    Ok(colours)
}

fn persona(tx: &Transaction<'_>, id: PersonaId) -> Result<PersonaRecord, CityError> {
    tx.get::<PersonaRecord>(&persona_key(id))?.ok_or(CityError::NOBODY)
}

/// Takes a price, with a line of the ledger.
fn pay(
    tx: &Transaction<'_>,
    record: &mut PersonaRecord,
    kind: Kind,
    price: u32,
    reference: u32,
    now: Now,
) -> Result<(), CityError> {
    ledger::book(tx, record, Entry { kind, amount: -i64::from(price), reference }, now)?;
    Ok(tx.put(&persona_key(record.persona.id), record)?)
}

fn membership(tx: &Transaction<'_>, persona: PersonaId) -> Result<Membership, StoreError> {
    Ok(tx.get(&key::membership(persona))?.unwrap_or_default())
}

/// Whether a persona is free to be in a club.
fn may_join(tx: &Transaction<'_>, id: PersonaId, rules: &ClubRules, now: Now) -> Result<(), CityError> {
    const DAY: u32 = 24 * 60 * 60;
    let Membership { club, left } = membership(tx, id)?;
    ensure(club == 0, "the driver is in a club already, which it has to leave first")?;
    let (now, cooldown) = (now.unix32(), rules.cooldown_days.saturating_mul(DAY));
    // A moment that is to come was told by a clock that was wrong.
    let free = left == 0 || left > now || now - left >= cooldown;
    if free {
        return Ok(());
    }
    let days = (cooldown - (now - left)).div_ceil(DAY);
    Err(CityError::Refused(
        format!("the driver has left a club not long ago, and may be in another one in {days} days").into(),
    ))
}

/// Notes in a persona's own record where it belongs.
fn enter(tx: &Transaction<'_>, id: PersonaId, club: u32) -> Result<(), StoreError> {
    let before = membership(tx, id)?;
    tx.put(&key::membership(id), &Membership { club, ..before })
}

/// Lets somebody in, who has to be free for it.
fn join(
    tx: &Transaction<'_>,
    club: &mut Club,
    who: PersonaId,
    rules: &ClubRules,
    now: Now,
) -> Result<(), CityError> {
    persona(tx, who)?;
    may_join(tx, who, rules, now)?;
    let most = usize::try_from(rules.most_members).unwrap_or(MOST_MEMBERS).min(MOST_MEMBERS);
    ensure(club.members.len() < most, "the club is full: somebody has to leave it first")?;
    club.invited.retain(|invited| *invited != who);
    club.asking.retain(|asking| *asking != who);
    club.members.push(Member { persona: who, joined: now.unix32(), ..Member::default() });
    Ok(enter(tx, who, club.id)?)
}

/// Writes to every member.
pub(super) fn tell(
    tx: &Transaction<'_>,
    club: &Club,
    title: &str,
    text: &str,
    now: Now,
) -> Result<(), StoreError> {
    let letter = Letter::city_news(title, text);
    club.members.iter().try_for_each(|member| mail::post(tx, member.persona, &letter, now))
}

/// The club of a racer, if it is in one.
pub(super) fn club_of(tx: &Transaction<'_>, racer: PersonaId) -> Result<u32, StoreError> {
    Ok(membership(tx, racer)?.club)
}

/// Adds a race to what the races of the clubs add up to.
pub(super) fn note(tx: &Transaction<'_>, result: &RaceResult) -> Result<(), StoreError> {
    for racer in result.racers.iter().filter(|racer| racer.is_player()) {
        let club = club_of(tx, racer.persona)?;
        if club > 0 {
            let mut totals: ClubTotals = tx.get(&key::club_totals(club))?.unwrap_or_default();
            totals.races = totals.races.saturating_add(1);
            totals.won = totals.won.saturating_add(u32::from(racer.place == Some(1)));
            totals.points = totals.points.saturating_add(racer.points);
            tx.put(&key::club_totals(club), &totals)?;
        }
    }
    Ok(())
}

/// All clubs, for a look before a change.
pub(super) fn all(table: &Table) -> Result<Vec<Club>, StoreError> {
    table.scan(key::CLUBS)
}
