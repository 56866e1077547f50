//! What the Captain of a club decides.

use super::{ClubRules, Clubs, NewClub, colours, description, pay, persona, tell};
use crate::clock::Now;
use crate::store::deals::party;
use crate::store::mail::{self, Letter};
use crate::store::records::club::{Club, Rank};
use crate::store::records::ledger::Kind;
use crate::store::refused::{CityError, ensure, tidy};
use crate::store::ticket::Changed;
use crate::store::week::week;
use mco_proto::ids::PersonaId;

/// For how many weeks a registration for the turf wars counts, the week in which it is paid included.
pub const REGISTERED_WEEKS: u32 = 4;

fn member(club: &mut Club, who: PersonaId) -> Result<&mut super::Member, CityError> {
    let found = club.members.iter_mut().find(|member| member.persona == who);
    found.ok_or(CityError::because("this driver is no member any more"))
}

impl Clubs<'_> {
    /// Changes description and colours; name and acronym stay.
    pub fn describe(&self, by: PersonaId, new: &NewClub) -> Result<Changed<()>, CityError> {
        let (text, three) = (description(&new.description)?, colours(new.colours)?);
        self.alter(by, Rank::Captain, |_, club, _| {
            club.description = text;
            club.colours = three;
            Ok(())
        })
    }

    /// Makes a member an officer, or an officer a member.
    pub fn set_officer(
        &self,
        by: PersonaId,
        who: PersonaId,
        officer: bool,
        rules: &ClubRules,
    ) -> Result<Changed<()>, CityError> {
        self.alter(by, Rank::Captain, |tx, club, _| {
            ensure(who != by, "you are the Captain: hand the club over first")?;
            let level = persona(tx, who)?.persona.level;
            let least = rules.officer_level;
            if officer && level < least {
                let why = format!("an officer has level {least} at least, and this driver has {level}");
                return Err(CityError::Refused(why.into()));
            }
            member(club, who)?.rank = if officer { Rank::Officer } else { Rank::Member };
            Ok(())
        })
    }

    /// Gives a member a title, of at most 20 characters; empty: none.
    pub fn set_title(&self, by: PersonaId, who: PersonaId, title: &str) -> Result<Changed<()>, CityError> {
        let title = tidy(title, 0, 20, "a title has at most 20 characters: shorten it")?;
        self.alter(by, Rank::Captain, |_, club, _| {
            member(club, who)?.title = title;
            Ok(())
        })
    }

    /// Makes another member the Captain, and oneself an officer.
    pub fn hand_over(&self, by: PersonaId, who: PersonaId, now: Now) -> Result<Changed<()>, CityError> {
        self.alter(by, Rank::Captain, |tx, club, _| {
            ensure(who != by, "you are the Captain already")?;
            let next = persona(tx, who)?.persona.name;
            member(club, who)?.rank = Rank::Captain;
            member(club, by)?.rank = Rank::Officer;
            let text = format!("The Captain of {} [{}] is {next} now.", club.name, club.acronym);
            Ok(tell(tx, club, "A new Captain", &text, now)?)
        })
    }

    /// Registers the club for the turf wars for [`REGISTERED_WEEKS`], or prolongs that, for the Captain's money. Returned is the week from
    /// which on it does not count any more.
    pub fn register(&self, by: PersonaId, rules: &ClubRules, now: Now) -> Result<Changed<u32>, CityError> {
        let this_week = week(now);
        let this_week =
            this_week.ok_or(CityError::because("the clock of the server is not set: tell the operator"))?;
        self.alter(by, Rank::Captain, |tx, club, _| {
            let until = club.registered_until;
            // More than one term ahead was promised by a clock that was wrong, or is enough.
            let ahead = until > this_week + REGISTERED_WEEKS;
            ensure(!ahead, "the club is registered for more than four weeks: come back later")?;
            let price = if until == 0 { rules.registration_cost } else { rules.re_registration_cost };
            let mut record = party(tx, by, now)?;
            pay(tx, &mut record, Kind::ClubRegistered, price, club.id, now)?;
            club.registered_until = until.max(this_week) + REGISTERED_WEEKS;
            let text = format!("{} [{}] is registered for the turf wars.", club.name, club.acronym);
            club.members.iter().filter(|member| member.persona != by).try_for_each(|member| {
                mail::post(tx, member.persona, &Letter::city_news("Turf wars", &text), now)
            })?;
            Ok(club.registered_until)
        })
    }
}
