//! How race nights end: with prizes, or cancelled, and how a weekly one goes on.

use super::prizes::Prizes;
use super::registration::{open_one, refund};
use super::{Host, MOST_CLOSED, MOST_OPEN, Nights, club_of_captain, open, season_of, write};
use crate::clock::{Now, Zone};
use crate::store::badges;
use crate::store::city_key as key;
use crate::store::deals::DealRules;
use crate::store::error::StoreError;
use crate::store::headlines;
use crate::store::key::persona as persona_key;
use crate::store::ledger;
use crate::store::mail::CLOCK_IS_SET;
use crate::store::records::contest::BadgeKind;
use crate::store::records::ledger::Kind;
use crate::store::records::night::{Night, NightEntry, NightOutcome, NightPlan};
use crate::store::records::persona::PersonaRecord;
use crate::store::refused::{CityError, ensure, tidy};
use crate::store::seasons;
use crate::store::table::{Table, Transaction};
use crate::store::ticket::Changed;
use mco_proto::ids::PersonaId;

/// What a racer who came in brings home in a race of a race night by points, by place among all racers.
pub const NIGHT_POINTS: [u32; 6] = [10, 8, 6, 5, 4, 3];
/// Percent of the purse by place: with one, two, and more who are placed.
const SHARES: [&[u32]; 3] = [&[100], &[70, 30], &[50, 30, 20]];
/// In seconds.
const WEEK: u64 = 7 * 24 * 60 * 60;

/// A race night that time has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turned {
    /// As it is kept.
    pub night: Night,
    /// The number of the next one, if it is weekly.
    pub next: Option<u32>,
}

impl Nights<'_> {
    /// Ends the race nights whose time is over: pays the prizes and gives the things to win, or gives all of that back if nobody has a result. Each once, whatever the
    /// clock does; nothing as long as it was not set.
    pub fn turn(&self, rules: &dyn DealRules, now: Now) -> Result<Vec<Changed<Turned>>, StoreError> {
        if now.unix < CLOCK_IS_SET.into() {
            return Ok(Vec::new());
        }
        let is_over = |night: &Night| now.unix >= night.plan.end.into();
        let over = open(self.store.table())?.into_iter().filter(is_over);
        let mut ended = Vec::new();
        for night in over {
            match self.end(night.id, rules, now) {
                Ok(night) => ended.push(night),
                Err(CityError::Store(error)) => return Err(error),
                // Somebody has cancelled it meanwhile.
                Err(CityError::Refused(_)) => {}
            }
        }
        Ok(ended)
    }

    fn end(self, night: u32, rules: &dyn DealRules, now: Now) -> Result<Changed<Turned>, CityError> {
        self.store.change(|table| {
            let room = Room::find(table)?;
            let prizes = Prizes::find(table, rules, night)?;
            table.transact(|tx| {
                let mut night = open_one(tx, night)?;
                ensure(now.unix >= night.plan.end.into(), "it is not over")?;
                let mut outcome = NightOutcome { at: now.unix32(), ..NightOutcome::default() };
                if night.table().0.is_empty() {
                    "nobody has a result".clone_into(&mut outcome.cancelled);
                    give_back(tx, &night, &outcome.cancelled, now)?;
                    prizes.give_back(tx, &night, &outcome.cancelled, now)?;
                } else {
                    outcome.prizes = pay(tx, &night, now)?;
                    outcome.won = prizes.give(tx, &night, now)?;
                    seasons::note(tx, &night)?;
                }
                let next = go_on(tx, &night, &room, (self.zone, now))?;
                night.outcome = Some(outcome);
                close(tx, &night, &room)?;
                Ok(Turned { night, next })
            })
        })
    }

    /// Cancels a race night that is not over: all fees and prizes go back, and everybody who is registered gets a mail. A weekly one ends with it.
    pub fn cancel(
        &self,
        rules: &dyn DealRules,
        host: Host,
        (night, why): (u32, &str),
        now: Now,
    ) -> Result<Changed<()>, CityError> {
        let why = tidy(why, 1, 100, "say in 1 to 100 characters why it is cancelled")?;
        self.store.change(|table| {
            let room = Room::find(table)?;
            let prizes = Prizes::find(table, rules, night)?;
            table.transact(|tx| {
                let mut night = open_one(tx, night)?;
                if let Host::Captain(captain) = host {
                    let club = club_of_captain(tx, captain)?.id;
                    ensure(night.club == club, "this is not a race night of your club")?;
                }
                give_back(tx, &night, &why, now)?;
                prizes.give_back(tx, &night, &why, now)?;
                let text = format!("The race night {} is cancelled: {why}", night.plan.name);
                headlines::write(tx, text, format!("/events/{}", night.id), now)?;
                night.outcome =
                    Some(NightOutcome { at: now.unix32(), cancelled: why, ..NightOutcome::default() });
                Ok(close(tx, &night, &room)?)
            })
        })
    }
}

/// How much room there is, looked up before the change.
struct Room {
    open: usize,
    /// The oldest closed one, if it has to make room.
    oldest: Option<u32>,
}

impl Room {
    fn find(table: &Table) -> Result<Self, StoreError> {
        let closed = table.scan::<Night>(key::CLOSED_NIGHTS)?;
        let oldest = closed.first().filter(|_| closed.len() >= MOST_CLOSED).map(|night| night.id);
        Ok(Self { open: open(table)?.len(), oldest })
    }
}

/// Moves it to those that are closed.
fn close(tx: &Transaction<'_>, night: &Night, room: &Room) -> Result<(), StoreError> {
    if let Some(oldest) = room.oldest {
        tx.remove(&key::closed_night(oldest))?;
    }
    tx.remove(&key::open_night(night.id))?;
    tx.put(&key::closed_night(night.id), night)
}

/// Gives all fees back.
fn give_back(tx: &Transaction<'_>, night: &Night, why: &str, now: Now) -> Result<(), StoreError> {
    for entry in &night.entries {
        let back = refund(tx, night.id, entry, now)?;
        let back = if entry.fee > 0 { format!(" Your fee is back: {back} dollars.") } else { String::new() };
        let text = format!("The race night {} does not count: {why}.{back}", night.plan.name);
        write(tx, entry.persona, &text, now)?;
    }
    Ok(())
}

/// What each place is paid: all of the purse, what cannot be divided going to the winner.
fn shares(purse: u64, placed: usize) -> Vec<u32> {
    let percent = SHARES.get(placed.clamp(1, SHARES.len()) - 1).copied().unwrap_or_default();
    let mut shares: Vec<u64> = percent.iter().map(|percent| purse * u64::from(*percent) / 100).collect();
    let rest = purse - shares.iter().sum::<u64>();
    if let Some(first) = shares.first_mut() {
        *first += rest;
    }
    shares.into_iter().map(|share| u32::try_from(share).unwrap_or(u32::MAX)).collect()
}

/// Pays the prizes, and writes to everybody.
fn pay(tx: &Transaction<'_>, night: &Night, now: Now) -> Result<Vec<(PersonaId, u32)>, StoreError> {
    let (placed, others) = night.table();
    let shares = shares(night.purse(), placed.len());
    let name = &night.plan.name;
    let mut prizes = Vec::new();
    for (at, entry) in placed.iter().enumerate() {
        let found: Option<PersonaRecord> = tx.get(&persona_key(entry.persona))?;
        let Some(mut record) = found else { continue };
        let share = shares.get(at).copied().unwrap_or_default();
        let dollars = ledger::give(tx, &mut record, Kind::NightPrize, share, night.id, now)?;
        tx.put(&persona_key(entry.persona), &record)?;
        let won = if share > 0 {
            prizes.push((entry.persona, dollars));
            format!(" The prize of {dollars} dollars is in the bank.")
        } else {
            String::new()
        };
        let text = format!("Race night {name}: place {} of {}.{won}", at + 1, night.entries.len());
        write(tx, entry.persona, &text, now)?;
    }
    for entry in others {
        write(tx, entry.persona, &format!("Race night {name} is over. You have no result in it."), now)?;
    }
    if let Some(NightEntry { persona, name: winner, .. }) = placed.first() {
        badges::give(tx, *persona, BadgeKind::RaceNight, &format!("Won {name}"), now)?;
        let text = format!("{winner} wins the race night {name}");
        headlines::write(tx, text, format!("/events/{}", night.id), now)?;
    }
    Ok(prizes)
}

/// When a weekly race night comes again: the first time that is still to come, at the hour for which it was planned by the clocks of a zone,
/// from when to when, and how much later than that. `None` after the year 2105.
fn again(plan: &NightPlan, delay: u32, zone: &Zone, now: Now) -> Option<(u32, u32, u32)> {
    let behind = now.unix.saturating_sub(plan.start.into());
    // By clocks that are put forward or back, a week is an hour shorter or longer.
    let first = (behind / WEEK).max(1);
    let weeks = first..first + 3;
    let mut starts = weeks.map(|weeks| zone.days_later((plan.start.into(), delay.into()), 7 * weeks));
    let (start, delay) = starts.find(|(start, _)| *start > now.unix)?;
    let start = u32::try_from(start).ok()?;
    let end = start.checked_add(plan.end.saturating_sub(plan.start))?;
    Some((start, end, u32::try_from(delay).ok()?))
}

/// Plans the next one of a weekly race night.
fn go_on(
    tx: &Transaction<'_>,
    night: &Night,
    room: &Room,
    (zone, now): (&Zone, Now),
) -> Result<Option<u32>, StoreError> {
    // The one that ends makes room for it.
    if !night.plan.weekly || room.open > MOST_OPEN {
        return Ok(None);
    }
    let Some((start, end, delay)) = again(&night.plan, night.delay, zone, now) else { return Ok(None) };
    let season = match season_of(tx, night.plan.season) {
        Ok(()) => night.plan.season,
        Err(CityError::Store(error)) => return Err(error),
        Err(CityError::Refused(_)) => 0,
    };
    let id = tx.take(key::NEXT_NIGHT, 1, 1)?;
    let plan = NightPlan { start, end, season, ..night.plan.clone() };
    tx.put(&key::open_night(id), &Night { id, plan, club: night.club, delay, ..Night::default() })?;
    Ok(Some(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weekly_race_night_keeps_its_hour_when_the_clocks_are_put_forward_or_back() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let plan = |start: &str| {
            let start = u32::try_from(berlin.read(start).unwrap()).unwrap();
            NightPlan { start, end: start + 7200, ..NightPlan::default() }
        };
        let over = |text: &str| Now { unix: berlin.read(text).unwrap(), ..Now::read() };
        let told = |start, now| {
            let (start, end, delay) = again(&plan(start), 0, &berlin, over(now)).unwrap();
            assert_eq!(delay, 0);
            assert_eq!(end - start, 7200);
            berlin.stamp(start)
        };
        assert_eq!(told("2030-03-27 20:00", "2030-03-27 22:00"), "2030-04-03 20:00 CEST");
        assert_eq!(told("2030-10-23 20:00", "2030-10-23 22:00"), "2030-10-30 20:00 CET");
        assert_eq!(told("2030-03-27 20:00", "2030-05-01 20:30"), "2030-05-08 20:00 CEST", "off for weeks");
        // Half an hour before now by the clock that was put forward, and not one by the other.
        assert_eq!(told("2030-03-27 20:00", "2030-04-03 20:30"), "2030-04-10 20:00 CEST");
        assert_eq!(told("2030-10-23 20:00", "2030-10-30 19:30"), "2030-10-30 20:00 CET");
        let utc = again(&plan("2030-03-27 20:00"), 0, Zone::utc(), over("2030-03-27 22:00")).unwrap();
        assert_eq!(berlin.stamp(utc.0), "2030-04-03 21:00 CEST", "by UTC it moves");
    }

    #[test]
    fn a_weekly_race_night_that_clocks_skip_has_its_hour_again_a_week_later() {
        // The clocks of Lord Howe Island are put forward by half an hour.
        for (zone, hours) in [
            (
                "Europe/Berlin",
                ["2027-03-21 02:30", "2027-03-28 03:30", "2027-04-04 02:30", "2027-04-11 02:30"],
            ),
            (
                "Australia/Lord_Howe",
                ["2027-09-26 02:15", "2027-10-03 02:45", "2027-10-10 02:15", "2027-10-17 02:15"],
            ),
        ] {
            let zone = Zone::named(zone).unwrap();
            let start = u32::try_from(zone.read(hours[0]).unwrap()).unwrap();
            let mut plan = NightPlan { start, end: start + 7200, ..NightPlan::default() };
            let mut delay = 0;
            for hour in &hours[1..] {
                let now = Now { unix: plan.end.into(), ..Now::read() };
                (plan.start, plan.end, delay) = again(&plan, delay, &zone, now).unwrap();
                assert_eq!(zone.minute(plan.start), *hour);
                assert_eq!(plan.end - plan.start, 7200);
            }
            // One that was skipped while the server was off for weeks.
            let late = Now { unix: zone.read(hours[3]).unwrap() - 1, ..Now::read() };
            let first = NightPlan { start, end: start + 7200, ..NightPlan::default() };
            assert_eq!(zone.minute(again(&first, 0, &zone, late).unwrap().0), hours[3]);
        }
    }

    #[test]
    fn a_purse_is_paid_to_the_last_dollar() {
        assert_eq!(shares(1001, 1), [1001]);
        assert_eq!(shares(1001, 2), [701, 300]);
        for placed in 3..9 {
            assert_eq!(shares(1001, placed), [501, 300, 200]);
        }
        assert_eq!(shares(0, 3), [0, 0, 0]);
    }
}
