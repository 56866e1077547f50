//! A race while it runs and when it ends.

use super::field::{Clocked, doubt_who_is_at_odds};
use super::{DamageReport, Driver, Exit, Place, Race, Room, State, Table};
use crate::catalog::{RaceType, rules};
use crate::clock::Now;
use mco_proto::ids::{BookingId, PartId, PersonaId, RaceId};

impl Table {
    /// What a racer's game files add up to. Returned are the members of its race of whom that is known too, and whether it is the same.
    pub fn compare(&mut self, persona: PersonaId, game_files: [u32; 3]) -> Vec<(PersonaId, bool)> {
        let race = self.member_of.get(&persona).and_then(|id| self.races.get_mut(id));
        let Some(race) = race else { return Vec::new() };
        let mut others = Vec::new();
        for member in &mut race.members {
            if member.persona == persona {
                member.game_files = Some(game_files);
            } else if let Some(theirs) = member.game_files {
                others.push((member.persona, theirs == game_files));
            }
        }
        others
    }

    /// A racer says what the current or last run did to its car, the first time. Until the run is settled that is held, for it is not known yet
    /// whose car it will be: [`Self::finish`] and [`Self::settled`] give it back. After that it comes back at once, with whether the run was won
    /// by somebody.
    /// `None`: it is held, or was said before, or the racer did not race.
    pub fn take_damage(
        &mut self,
        id: RaceId,
        driver: PersonaId,
        parts: Vec<(PartId, u8, u32)>,
    ) -> Option<(DamageReport, bool)> {
        let race = self.races.get_mut(&id)?;
        let starter = race.field.iter_mut().find(|starter| starter.is(driver) && starter.damage.is_none())?;
        let Driver::Human { vehicle: car, .. } = starter.driver else { return None };
        starter.damage = parts.iter().map(|(_, percent, _)| *percent).max().or(Some(0));
        let report = DamageReport { driver, car, parts };
        if race.state == State::Finished && !race.settling {
            let won = Place::order(&race.field).first().is_some_and(|first| first.place.is_some());
            return Some((report, won));
        }
        race.damage.push(report);
        None
    }

    /// Puts those out who keep a race from ending, and forgets races that nothing is heard of. Returned are the races that
    /// are over by that.
    pub fn expire(&mut self, now: Now) -> Vec<RaceId> {
        let mut over = Vec::new();
        self.races.values_mut().filter(|race| !race.is_under_way()).for_each(|race| race.give_up_absent(now));
        self.forget_gone(now);
        let member_of = &mut self.member_of;
        self.races.retain(|id, race| {
            let silent = now.since(race.last_sign) >= rules::SILENCE_TIMEOUT;
            let after = now.since(race.started);
            let late = race.first_in.is_some_and(|first| now.since(first) >= rules::FINISH_TIMEOUT);
            if race.runs() {
                let endless = now.since(race.started) >= rules::LONGEST_RUN;
                if silent || late || endless {
                    race.field.iter_mut().for_each(|starter| starter.put_out(Exit::TimedOut, after));
                }
                race.put_out_lost(now);
                if race.is_over() {
                    over.push(*id);
                }
                return true;
            }
            if race.state == State::Starting {
                return true;
            }
            // Who waits in the room says nothing on MCOTS.
            let deserted =
                silent && !race.members.iter().any(|member| matches!(member.room, Room::Inside(_)));
            if deserted {
                race.members.iter().for_each(|member| {
                    member_of.remove(&member.persona);
                });
            }
            !deserted
        });
        over
    }

    /// A race that is over could not be settled: its fees go back as soon as that can be done.
    pub fn keep_unsettled(&mut self, booking: BookingId) {
        self.unsettled.push(booking);
    }

    /// The bookings whose fees have to go back, for one more try.
    pub fn take_unsettled(&mut self) -> Vec<BookingId> {
        std::mem::take(&mut self.unsettled)
    }

    /// What [`Self::finish`] has ended is stored. Returned is what racers said of their cars meanwhile.
    pub fn settled(&mut self, id: RaceId) -> Vec<DamageReport> {
        let race = self.races.get_mut(&id).filter(|race| race.settling);
        race.map_or_else(Vec::new, |race| {
            race.settling = false;
            std::mem::take(&mut race.damage)
        })
    }

    /// Ends the run of a race that is over, once: what it was, with its booking. Once that is stored, [`Self::settled`] is to be called. A race
    /// nobody is in any more vanishes.
    pub fn finish(&mut self, id: RaceId) -> Option<(Race, Option<BookingId>)> {
        let race = self.races.get_mut(&id).filter(|race| race.is_over())?;
        let State::Running(booking) = race.state else { return None };
        race.state = State::Finished;
        let one_light = race.settings.race_type != RaceType::Drag;
        let clocked = Clocked { one_light, stakes: race.settings.stakes() };
        doubt_who_is_at_odds(&mut race.field, clocked);
        race.count_round();
        race.first_in = None;
        let finished = race.clone();
        race.damage.clear();
        race.settling = true;
        if finished.members.is_empty() {
            self.races.remove(&id);
        }
        Some((finished, booking))
    }
}
