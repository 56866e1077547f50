//! Those who are gone without a word, and how long the others wait for them.
//!
//! A player has connections to MCOTS and to the race's room, and the network may break either. Each is given time to be made again. Nobody
//! waits for one who drives alone, nor does anybody lose a race that he drives alone by being silent.

use super::{Exit, Member, Race, Room, Starter, Table};
use crate::catalog::rules;
use crate::clock::Now;
use crate::world::ConnectionId;
use mco_proto::ids::{PersonaId, RaceId};
use std::time::Duration;

impl Race {
    /// Whoever has joined and did not come to the room in time holds its place no longer, nor does who was lost on the way to the race
    /// server and did not come back in time. The host keeps the race as long as nobody else came there.
    pub(super) fn give_up_absent(&mut self, now: Now) {
        let host = self.host();
        let met = self.members.iter().any(|member| matches!(member.room, Room::Inside(_)));
        for member in self.members.iter_mut().filter(|member| met || Some(member.persona) != host) {
            let (away, then) = match member.room {
                Room::Unseen => (Some(member.joined), Room::Missing),
                Room::Inside(_) => (member.absent_since, Room::Left),
                Room::Missing | Room::Left => continue,
            };
            if let Some(since) = away.filter(|since| now.since(*since) >= rules::ENTER_TIMEOUT) {
                member.depart(then, since + rules::ENTER_TIMEOUT);
            }
        }
        self.pass_on(host);
    }

    /// Puts those racers out who are lost.
    pub(super) fn put_out_lost(&mut self, now: Now) {
        if self.field.iter().filter(|starter| starter.is_human()).count() < 2 {
            return;
        }
        let ready = self.started + rules::LOADING_GRACE;
        let lost = self.members.iter().filter_map(|member| {
            let silent_since = member.absent_since?.max(member.last_word).max(ready);
            (now.since(silent_since) >= rules::LOST_TIMEOUT).then_some(member.persona)
        });
        let lost: Vec<PersonaId> = lost.collect();
        let after = now.since(self.started);
        let is_lost = |starter: &&mut Starter| lost.iter().any(|persona| starter.is(*persona));
        self.field.iter_mut().filter(is_lost).for_each(|starter| starter.put_out(Exit::TimedOut, after));
    }
}

impl Table {
    /// A connection to MCOTS is gone, and with it the persona that raced through it, whose race is returned: at once, but from a race that
    /// runs only if it does not come back in time.
    pub fn hang_up(&mut self, persona: PersonaId, connection: ConnectionId, now: Now) -> Option<RaceId> {
        let race = self.races.get_mut(self.member_of.get(&persona)?)?;
        let runs = race.runs();
        let member = race.members.iter_mut().find(|member| member.persona == persona)?;
        if member.spare == Some(connection) {
            member.spare = None;
        }
        if member.connection != connection {
            return None;
        }
        if let Some(spare) = member.spare.take() {
            member.connection = spare;
        } else if runs {
            member.lost_since = Some(now.mono);
        } else {
            return self.leave(persona, Exit::Dropped, now);
        }
        None
    }

    /// A persona has signed in to MCOTS anew: if its connection was lost while it raced, it is heard by this one.
    pub fn signed_in(&mut self, persona: PersonaId, connection: ConnectionId) {
        let race = self.member_of.get(&persona).and_then(|id| self.races.get_mut(id));
        let member = race.and_then(|race| race.members.iter_mut().find(|member| member.persona == persona));
        let Some(member) = member else { return };
        if member.lost_since.take().is_some() {
            member.connection = connection;
        } else if member.connection != connection {
            member.spare = Some(connection);
        }
    }

    /// A sign of life of a persona, for the race it is in.
    pub fn touch(&mut self, persona: PersonaId, connection: ConnectionId, now: Now) -> Option<&mut Race> {
        let race = self.races.get_mut(self.member_of.get(&persona)?)?;
        race.last_sign = now.mono;
        if let Some(member) = race.members.iter_mut().find(|member| member.persona == persona) {
            if member.connection != connection {
                // The other one may still be there, or is found to be gone later.
                member.spare = member.spare.filter(|spare| *spare != connection);
            }
            (member.connection, member.last_word, member.lost_since) = (connection, now.mono, None);
        }
        Some(race)
    }

    /// Takes those out of their races whose connection to MCOTS did not come back in time, and of those that do not run who left the
    /// room long ago.
    pub(super) fn forget_gone(&mut self, now: Now) {
        let longer = |since: Option<std::time::Instant>, time: Duration| {
            since.is_some_and(|since| now.since(since) >= time)
        };
        let gone = |race: &Race, member: &Member| {
            longer(member.lost_since, rules::LOST_TIMEOUT)
                || (!race.is_under_way() && longer(member.left_since, rules::FORGET_TIMEOUT))
        };
        let all = self.races.values().flat_map(|race| race.members.iter().map(move |member| (race, member)));
        let gone = all.filter(|(race, member)| gone(race, member)).map(|(_, member)| member.persona);
        for persona in gone.collect::<Vec<_>>() {
            self.leave(persona, Exit::Dropped, now);
        }
    }
}
