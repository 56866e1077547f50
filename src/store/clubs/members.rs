//! Coming into a club and out of it: invitations, questions, leaving and expelling.

use super::{ClubRules, Clubs, club_of, join, persona, tell};
use crate::clock::Now;
use crate::public_text::{self, ODD_LETTERS};
use crate::store::city_key as key;
use crate::store::clubs::parting::{disband, part};
use crate::store::deals::party;
use crate::store::mail::{self, Letter};
use crate::store::nights;
use crate::store::records::club::{Club, Rank};
use crate::store::refused::{CityError, ensure, tidy};
use crate::store::table::Transaction;
use crate::store::ticket::Changed;
use mco_proto::ids::PersonaId;

/// How many are invited by one club at a time, and how many ask it.
const MOST_WAITING: usize = 20;
/// How many clubs one persona asks at a time.
const MOST_ASKED: usize = 5;

impl Clubs<'_> {
    /// Changes the club of a member of this rank or a higher one, in one transaction.
    pub(super) fn alter<T>(
        self,
        by: PersonaId,
        least: Rank,
        work: impl FnOnce(&Transaction<'_>, &mut Club, Rank) -> Result<T, CityError>,
    ) -> Result<Changed<T>, CityError> {
        self.store.change(|table| table.transact(|tx| altered(tx, by, least, work)))
    }

    /// Changes a club for somebody who is not in it.
    fn knock<T>(
        self,
        club: u32,
        work: impl FnOnce(&Transaction<'_>, &mut Club, &[Club]) -> Result<T, CityError>,
    ) -> Result<Changed<T>, CityError> {
        self.store.change(|table| {
            let all = super::all(table)?;
            table.transact(|tx| {
                let found: Option<Club> = tx.get(&key::club(club))?;
                let mut club = found.ok_or(CityError::because("there is no such club any more"))?;
                let value = work(tx, &mut club, &all)?;
                Ok(tx.put(&key::club(club.id), &club).map(|()| value)?)
            })
        })
    }

    /// Invites somebody, who gets a mail. An officer may.
    pub fn invite(&self, by: PersonaId, who: PersonaId, now: Now) -> Result<Changed<()>, CityError> {
        self.alter(by, Rank::Officer, |tx, club, _| {
            persona(tx, who)?;
            ensure(club.rank(who).is_none(), "this driver is a member already")?;
            ensure(!club.invited.contains(&who), "this driver is invited already: wait for the answer")?;
            ensure(club.invited.len() < MOST_WAITING, "20 invitations are open: take one back first")?;
            club.invited.push(who);
            let text = format!(
                "The club {} [{}] invites you. Answer on the page My drivers, Club.",
                club.name, club.acronym
            );
            Ok(mail::post(tx, who, &Letter::city_news("Invitation to a club", &text), now)?)
        })
    }

    /// Takes an invitation back, or refuses a question. An officer may.
    pub fn dismiss(&self, by: PersonaId, who: PersonaId, now: Now) -> Result<Changed<()>, CityError> {
        self.alter(by, Rank::Officer, |tx, club, _| {
            let asked = club.asking.contains(&who);
            ensure(asked || club.invited.contains(&who), "this driver neither asks nor is invited any more")?;
            club.asking.retain(|other| *other != who);
            club.invited.retain(|other| *other != who);
            if asked && persona(tx, who).is_ok() {
                let text =
                    format!("The club {} [{}] does not let you in at this time.", club.name, club.acronym);
                mail::post(tx, who, &Letter::city_news("A club's answer", &text), now)?;
            }
            Ok(())
        })
    }

    /// Lets in somebody who asks. An officer may.
    pub fn admit(
        &self,
        by: PersonaId,
        who: PersonaId,
        rules: &ClubRules,
        now: Now,
    ) -> Result<Changed<()>, CityError> {
        self.alter(by, Rank::Officer, |tx, club, _| {
            ensure(club.asking.contains(&who), "this driver does not ask any more")?;
            join(tx, club, who, rules, now)?;
            let text = format!("The club {} [{}] lets you in. Good racing!", club.name, club.acronym);
            Ok(mail::post(tx, who, &Letter::city_news("You are in a club", &text), now)?)
        })
    }

    /// Asks a club to let one in; its Captain gets a mail.
    pub fn ask(&self, who: PersonaId, club: u32, now: Now) -> Result<Changed<()>, CityError> {
        self.knock(club, |tx, club, others| {
            let asked = others.iter().filter(|other| other.asking.contains(&who)).count();
            ensure(
                asked < MOST_ASKED,
                "your driver asks five clubs already: wait for an answer, or take one back",
            )?;
            let record = party(tx, who, now)?;
            ensure(club_of(tx, who)? == 0, "your driver is in a club already: leave it first")?;
            ensure(
                !club.asking.contains(&who),
                "your driver has asked this club already: wait for the answer",
            )?;
            ensure(club.asking.len() < MOST_WAITING, "20 drivers ask this club already: try again later")?;
            club.asking.push(who);
            let Some(captain) = club.captain() else { return Ok(()) };
            let text = format!(
                "{} asks to join {} [{}]. Answer on the page My drivers, Club.",
                record.persona.name, club.name, club.acronym
            );
            Ok(mail::post(tx, captain, &Letter::city_news("Somebody asks to join", &text), now)?)
        })
    }

    /// Takes a club's invitation: one is a member then.
    pub fn accept(
        &self,
        who: PersonaId,
        club: u32,
        rules: &ClubRules,
        now: Now,
    ) -> Result<Changed<()>, CityError> {
        self.knock(club, |tx, club, _| {
            ensure(club.invited.contains(&who), "this club does not invite your driver any more")?;
            join(tx, club, who, rules, now)?;
            let name = persona(tx, who)?.persona.name;
            let Some(captain) = club.captain() else { return Ok(()) };
            let text = format!("{name} has joined {} [{}].", club.name, club.acronym);
            Ok(mail::post(tx, captain, &Letter::city_news("A new member", &text), now)?)
        })
    }

    /// Takes one's question to a club back, or does not take its invitation.
    pub fn decline(&self, who: PersonaId, club: u32) -> Result<Changed<()>, CityError> {
        self.knock(club, |_, club, _| {
            let waits = club.invited.contains(&who) || club.asking.contains(&who);
            ensure(waits, "nothing waits for an answer between this club and your driver")?;
            club.invited.retain(|other| *other != who);
            club.asking.retain(|other| *other != who);
            Ok(())
        })
    }

    /// Leaves one's club. When the Captain leaves, the officer who joined first is the Captain, or else the member; the last one to leave
    /// closes it.
    pub fn leave(&self, who: PersonaId, now: Now) -> Result<Changed<()>, CityError> {
        self.alter(who, Rank::Member, |tx, club, _| Ok(part(tx, club, who, true, now)?))
    }

    /// Expels somebody of a lower rank, who gets a mail. An officer may.
    pub fn expel(&self, by: PersonaId, who: PersonaId, now: Now) -> Result<Changed<()>, CityError> {
        self.alter(by, Rank::Officer, |tx, club, rank| {
            let theirs = club.rank(who).ok_or(CityError::because("this driver is no member any more"))?;
            ensure(theirs < rank, "you may expel only members of a lower rank than yours")?;
            part(tx, club, who, false, now)?;
            let text = format!("You are not in the club {} [{}] any more.", club.name, club.acronym);
            Ok(mail::post(tx, who, &Letter::city_news("Expelled from the club", &text), now)?)
        })
    }

    /// Writes a mail to all members, as oneself. An officer may.
    pub fn write(
        &self,
        by: PersonaId,
        title: &str,
        text: &str,
        now: Now,
    ) -> Result<Changed<usize>, CityError> {
        let text = public_text::lines(text).ok_or(CityError::because(ODD_LETTERS))?;
        ensure(!text.is_empty() && text.chars().count() <= 255, "a text has 1 to 255 characters: change it")?;
        let title = tidy(title, 0, 30, "a title has at most 30 characters: shorten it")?;
        self.alter(by, Rank::Officer, |tx, club, _| {
            let sender_name = persona(tx, by)?.persona.name;
            let title = if title.is_empty() { format!("[{}]", club.acronym) } else { title.clone() };
            let letter = Letter { sender: by, sender_name, title, text: text.clone() };
            let others = || club.members.iter().filter(|member| member.persona != by);
            others().try_for_each(|member| mail::post(tx, member.persona, &letter, now))?;
            Ok(others().count())
        })
    }

    /// Closes a club for the Server Operator; all members get a mail that says why.
    pub fn close(&self, acronym: &str, why: &str, now: Now) -> Result<Changed<()>, CityError> {
        let why = tidy(why, 1, 100, "say in 1 to 100 characters why the club is closed")?;
        self.store.change(|table| {
            let found =
                super::all(table)?.into_iter().find(|club| club.acronym.eq_ignore_ascii_case(acronym.trim()));
            let mut club = found.ok_or(CityError::because("there is no club with this acronym"))?;
            let hosts = nights::open(table)?.iter().any(|night| night.club == club.id);
            ensure(!hosts, "the club has a race night that is not over: cancel it first")?;
            table.transact(|tx| {
                let text =
                    format!("The operator has closed the club {} [{}]: {why}", club.name, club.acronym);
                tell(tx, &club, "The club is closed", &text, now)?;
                Ok(disband(tx, &mut club)?)
            })
        })
    }

    /// Closes one's club: nobody is in it any more, and everybody gets a mail. The Captain may.
    pub fn disband(&self, by: PersonaId, now: Now) -> Result<Changed<()>, CityError> {
        self.store.change(|table| {
            let nights = nights::open(table)?;
            table.transact(|tx| {
                altered(tx, by, Rank::Captain, |tx, club, _| {
                    let hosts = nights.iter().any(|night| night.club == club.id);
                    ensure(!hosts, "the club has a race night that is not over: cancel it first")?;
                    let text = format!("The Captain has closed the club {} [{}].", club.name, club.acronym);
                    tell(tx, club, "The club is closed", &text, now)?;
                    Ok(disband(tx, club)?)
                })
            })
        })
    }
}

fn altered<T>(
    tx: &Transaction<'_>,
    by: PersonaId,
    least: Rank,
    work: impl FnOnce(&Transaction<'_>, &mut Club, Rank) -> Result<T, CityError>,
) -> Result<T, CityError> {
    let found: Option<Club> = match club_of(tx, by)? {
        0 => None,
        club => tx.get(&key::club(club))?,
    };
    let not_in = CityError::because("your driver is in no club: found one, or ask one to let you in");
    let mut club = found.ok_or(not_in)?;
    let rank = club.rank(by).ok_or(CityError::because("your driver is no member of this club"))?;
    let who_may = match least {
        Rank::Captain => "only the Captain may do this: ask the Captain",
        _ => "only the Captain and officers may do this: ask one of them",
    };
    ensure(rank >= least, who_may)?;
    let value = work(tx, &mut club, rank)?;
    // A club that has ended has no members.
    if !club.members.is_empty() {
        tx.put(&key::club(club.id), &club)?;
    }
    Ok(value)
}
