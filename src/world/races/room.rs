//! The room of a race on the lobby's side, as far as places in the race depend on it.
//!
//! A race has one room, opened by a member: under the race's number, with its password, or with a description that begins with the
//! number (*inferred*). Whoever of its members asks for a room of that race means this one. Who is seen to leave the room has left the race, whether MCOTS hears a 235 or not: its place can be taken, and it
//! is not the host. It is not forgotten before somebody takes the place, because a Client may well go by the server to where it races:
//! whoever comes back first has it again, behind those who stayed. After ten minutes it is forgotten all the same. Once the racers are called to the race server, a connection that
//! ends may be that of somebody on the way there; who closes the room, or is thrown out, has left nevertheless.
//!
//! Those who keep others waiting are given up: who has joined and does not come to the room, who is lost after the call to the race
//! server and before the race runs, and who is lost while it runs, with no connection to a room and nothing heard on MCOTS.
//!
//! Who may enter the room is who has a place in the race: its host, and whom 218 let in.

use super::{Exit, Member, Race, Table};
use crate::clock::Now;
use crate::world::{Admission, ChannelInfo, Denied};
use mco_proto::ids::{CommId, PersonaId, RaceId};
use rand::Rng;
use rand::rngs::OsRng;
use std::time::Instant;

/// Characters of a room's password: what fits its field with a NUL behind it.
const PASSWORD: usize = 7;

/// Where a member is, by what is known of the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// Not seen in a room yet: it comes there a moment after it joins.
    Unseen,
    /// In the room with this number.
    Inside(CommId),
    /// It has not come in time, and holds no place until it comes.
    Missing,
    /// It was there and has left.
    Left,
}

/// How somebody comes to or goes from the room of a race.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Closed the room, or was thrown out.
    Closed,
    /// Was cut off by the server, because others sent more than it read: that is nobody's leaving.
    CutOff,
    /// Anything else: came, lost a connection, or is where it was while the room changed.
    Other,
}

impl Member {
    /// Whether it holds its place.
    pub fn is_here(&self) -> bool {
        matches!(self.room, Room::Unseen | Room::Inside(_))
    }

    /// It has left its place.
    pub(super) fn depart(&mut self, room: Room, since: Instant) {
        self.room = room;
        self.left_since = (room == Room::Left).then_some(since);
    }
}

impl Race {
    /// How many places are taken.
    pub(super) fn taken(&self) -> usize {
        self.members.iter().filter(|member| member.is_here()).count()
    }

    /// Who comes back stands behind those who stayed, unless the race runs: then everybody goes from room to room.
    pub(super) fn come_back(&mut self, persona: PersonaId, room: Room, now: Now) {
        let Some(at) = self.members.iter().position(|member| member.persona == persona) else { return };
        let mut member = self.members.remove(at);
        let back = !member.is_here() && !self.runs();
        if member.room == Room::Left {
            member.joined = now.mono;
        }
        member.room = room;
        (member.absent_since, member.left_since) = (None, None);
        let at = if back { self.members.len() } else { at };
        self.members.insert(at, member);
    }

    /// The part of `host`, who may have left by now, goes to a member in the room rather than to one who is only expected there.
    pub(super) fn pass_on(&mut self, host: Option<PersonaId>) {
        let next = self.members.iter().find(|member| member.is_here());
        let inside = |member: &Member| matches!(member.room, Room::Inside(_));
        if next.is_none_or(|next| Some(next.persona) == host || inside(next)) {
            return;
        }
        if let Some(at) = self.members.iter().position(inside) {
            let next = self.members.remove(at);
            self.members.insert(0, next);
        }
    }
}

impl Table {
    /// `mover` has come to the room `riff` or left it, and `people` are there now. Returned is the race that it is the room
    /// of, with the members who have left it by that; while they are `called` to the race server only one who has closed it.
    pub fn sync_room(
        &mut self,
        riff: &ChannelInfo,
        (mover, how): (PersonaId, Move),
        people: &[PersonaId],
        called: bool,
        now: Now,
    ) -> Option<(RaceId, Vec<PersonaId>)> {
        let id = self.race_of_room(riff.channel)?.id;
        let race = self.races.get_mut(&id)?;
        let host = race.host();
        if people.is_empty() && race.room == Some(riff.channel) {
            race.room = None;
        }
        let inside = Room::Inside(riff.channel);
        if people.contains(&mover) {
            race.come_back(mover, inside, now);
            race.last_sign = now.mono;
        }
        let (mut left, runs) = (Vec::new(), race.runs());
        for member in &mut race.members {
            let was = member.room == inside || (member.room == Room::Unseen && member.persona == mover);
            if !was || people.contains(&member.persona) {
                continue;
            }
            let how = if member.persona == mover { how } else { Move::Other };
            if how == Move::CutOff && runs {
                continue;
            }
            member.absent_since.get_or_insert(now.mono);
            let on_the_way = (called && how == Move::Other) || how == Move::CutOff;
            if !on_the_way {
                member.depart(Room::Left, now.mono);
                left.push(member.persona);
            }
        }
        race.pass_on(host);
        Some((id, left))
    }

    /// The race that a room is the room of.
    pub fn race_of_room(&self, channel: CommId) -> Option<&Race> {
        let numbered = self.races.get(&RaceId(channel.0));
        numbered.or_else(|| self.races.values().find(|race| race.room == Some(channel)))
    }

    /// The race that the description of a room names. Anybody can write that.
    fn race_named(&self, riff: &ChannelInfo) -> Option<&Race> {
        let [d0, d1, d2, d3, ..] = *riff.data;
        self.races.get(&RaceId(u32::from_le_bytes([d0, d1, d2, d3])))
    }

    /// The number of the room that a member of a race means who asks for `riff`: that of its race, if it asks for none (0), for
    /// the race's own number, or names the race. A room that does not exist yet gets the race's number, or the one that was asked for.
    pub fn room_meant(&self, persona: PersonaId, riff: &ChannelInfo) -> CommId {
        let (asked, named) = (riff.channel, self.race_named(riff).map(|race| race.id));
        match self.of(persona) {
            Some(race) if asked == CommId(0) || asked.0 == race.id.0 => {
                race.room.unwrap_or(CommId(race.id.0))
            }
            Some(race) if named == Some(race.id) => race.room.unwrap_or(asked),
            _ => asked,
        }
    }

    /// Whether `persona` may enter `riff`, a room that `exists` or would be made.
    ///
    /// # Errors
    /// It is the room of a race in which the persona has no place, or says that it is that of a race and is not.
    pub fn admit(&self, riff: &ChannelInfo, exists: bool, persona: PersonaId) -> Result<Admission, Denied> {
        let own = self.race_of_room(riff.channel);
        let race = own.or_else(|| self.race_named(riff));
        match race {
            None => Ok(Admission::ByPassword),
            Some(_) if exists && own.is_none() => Err(Denied::NotItsRoom),
            Some(race) if race.thrown_out.contains(persona) => Err(Denied::ThrownOut),
            Some(race) if race.member(persona).is_none() => Err(Denied::NotJoined),
            Some(race) if race.host() == Some(persona) => Ok(Admission::Host),
            Some(_) => Ok(Admission::Invited),
        }
    }

    /// `persona` has entered `riff` with that password, or describes it: it is the room of its race, if that has none and the room has
    /// its number or names it, or is the host's and was opened with its password.
    pub fn tie(&mut self, riff: &ChannelInfo, password: &str, persona: PersonaId) {
        if self.race_of_room(riff.channel).is_some_and(|race| race.room.is_some()) {
            return;
        }
        let named = riff.channel.0 == self.of(persona).map_or(0, |race| race.id.0)
            || self.race_named(riff).is_some_and(|race| race.member(persona).is_some());
        let Some(id) = self.member_of.get(&persona) else { return };
        if let Some(race) = self.races.get_mut(id)
            && race.room.is_none()
            && (named || (race.host() == Some(persona) && race.password == password))
        {
            race.room = Some(riff.channel);
        }
    }

    /// Whether the host of the room `channel`, `by`, may throw somebody out of it: in the room of a race only the host of that.
    pub fn may_throw_out(&self, channel: CommId, by: PersonaId) -> bool {
        self.race_of_room(channel).is_none_or(|race| race.host() == Some(by))
    }

    /// The host of the room `channel` has thrown `persona` out. That is out of the race too: who drives goes on to do so; anybody else
    /// has left. Whether it was a member.
    pub fn throw_out(&mut self, channel: CommId, persona: PersonaId, now: Now) -> bool {
        let id = self.race_of_room(channel).map(|race| race.id);
        let Some(race) = id.and_then(|id| self.races.get_mut(&id)) else { return false };
        race.thrown_out.add(persona);
        let (id, under_way) = (race.id, race.is_under_way());
        let member = self.member_of.get(&persona) == Some(&id);
        if !under_way && member {
            self.leave(persona, Exit::Quit, now);
        }
        member
    }

    /// Makes a place for somebody who may join: whoever left the room first loses it.
    pub(super) fn make_place(&mut self, id: RaceId) {
        let Some(race) = self.races.get_mut(&id) else { return };
        if race.members.len() < race.settings.most_racers {
            return;
        }
        let host = race.host();
        let absent = |member: &Member| !member.is_here() && Some(member.persona) != host;
        if let Some(at) = race.members.iter().position(absent) {
            let absent = race.members.remove(at);
            self.member_of.remove(&absent.persona);
        }
    }
}

/// Seven letters and digits that are not mistaken for each other.
pub(super) fn password() -> String {
    const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let letter = || ALPHABET.get(OsRng.gen_range(0..ALPHABET.len())).copied().map_or('x', char::from);
    std::iter::repeat_with(letter).take(PASSWORD).collect()
}
