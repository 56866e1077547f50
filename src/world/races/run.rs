//! A race while it runs and when it ends.

use super::field::doubt_who_is_at_odds;
use super::{Driver, Exit, Race, State, Table};
use crate::catalog::rules;
use crate::clock::Now;
use mco_proto::ids::{BookingId, PersonaId, RaceId, VehicleId};

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

    /// A racer is about to say what the current or last run did to its car: the car, the first time it does.
    pub fn take_damage(&mut self, id: RaceId, racer: PersonaId) -> Option<VehicleId> {
        let race = self.races.get_mut(&id)?;
        let starter = race.field.iter_mut().find(|starter| starter.is(racer) && !starter.damage_told)?;
        starter.damage_told = true;
        match starter.driver {
            Driver::Human { vehicle, .. } => Some(vehicle),
            Driver::Ai(_) => None,
        }
    }

    /// Puts those out who keep a race from ending, and forgets races that nothing is heard of. Returned are the races that
    /// are over by that.
    pub fn expire(&mut self, now: Now) -> Vec<RaceId> {
        let mut over = Vec::new();
        let member_of = &mut self.member_of;
        self.races.retain(|id, race| {
            let silent = now.since(race.last_sign) >= rules::SILENCE_TIMEOUT;
            let late = race.first_in.is_some_and(|first| now.since(first) >= rules::FINISH_TIMEOUT);
            if race.runs() {
                let endless = now.since(race.started) >= rules::LONGEST_RUN;
                if silent || late || endless {
                    race.field.iter_mut().for_each(|starter| starter.put_out(Exit::TimedOut));
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
            race.give_up_absent(now);
            if silent {
                race.members.iter().for_each(|member| {
                    member_of.remove(&member.persona);
                });
            }
            !silent
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

    /// Ends the run of a race that is over, once: what it was, with its booking. A race nobody is in any more vanishes.
    pub fn finish(&mut self, id: RaceId) -> Option<(Race, Option<BookingId>)> {
        let race = self.races.get_mut(&id).filter(|race| race.is_over())?;
        let State::Running(booking) = race.state else { return None };
        race.state = State::Finished;
        doubt_who_is_at_odds(&mut race.field);
        race.count_round();
        race.first_in = None;
        let finished = race.clone();
        if finished.members.is_empty() {
            self.races.remove(&id);
        }
        Some((finished, booking))
    }
}
