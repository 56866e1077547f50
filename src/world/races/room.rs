//! The room of a race on the lobby's side, as far as places in the race depend on it.
//!
//! A race and its room are tied by what the host writes: the room has the race's number, or its description begins with
//! it (*inferred*). Who is seen to leave the room has left the race, whether MCOTS hears a 235 or not: its place can be taken, and it
//! is not the host. It is not forgotten before somebody takes the place, because a Client may well go by the server to where it races:
//! whoever comes back first has it again, behind those who stayed. Once the racers are called to the race server, a connection that
//! ends may be that of somebody on the way there; who closes the room, or is thrown out, has left nevertheless.
//!
//! Those who keep others waiting are given up: who has joined and does not come to the room, who is lost after the call to the race
//! server and before the race runs, and who is lost while it runs, with no connection to a room and nothing heard on MCOTS.
//!
//! Who may enter the room is who has a place in the race: its host, and whom 218 let in.

use super::{Exit, Member, Race, Starter, Table};
use crate::catalog::rules;
use crate::clock::Now;
use crate::world::{Admission, ChannelInfo, Denied};
use mco_proto::ids::{CommId, PersonaId, RaceId};
use rand::Rng;
use rand::rngs::OsRng;

/// Characters of a room's password: what fits its field with a NUL behind it.
const PASSWORD: usize = 7;

/// Where a member is, by what is known of the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// Not seen in a room yet: it comes there a moment after it joins.
    Unseen,
    /// In the room with this number.
    Inside(CommId),
    /// It was there and has left, or did not come in time.
    Left,
}

/// How somebody comes to or goes from the room of a race.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Closed the room, or was thrown out.
    Closed,
    /// Anything else: came, lost a connection, or is where it was while the room changed.
    Other,
}

impl Member {
    /// Whether it holds its place.
    pub fn is_here(&self) -> bool {
        self.room != Room::Left
    }
}

impl Race {
    /// How many places are taken.
    pub(super) fn taken(&self) -> usize {
        self.members.iter().filter(|member| member.is_here()).count()
    }

    /// Who comes back stands behind those who stayed, unless the race runs: then everybody goes from room to room.
    pub(super) fn come_back(&mut self, persona: PersonaId, room: Room) {
        let Some(at) = self.members.iter().position(|member| member.persona == persona) else { return };
        let mut member = self.members.remove(at);
        let back = !member.is_here() && !self.runs();
        member.room = room;
        member.absent_since = None;
        let at = if back { self.members.len() } else { at };
        self.members.insert(at, member);
    }

    /// Whoever has joined and did not come to the room in time holds its place no longer, nor does who was lost on the way to the race
    /// server and did not come back in time. The host keeps the race as long as nobody else came there.
    pub(super) fn give_up_absent(&mut self, now: Now) {
        let host = self.host();
        let met = self.members.iter().any(|member| matches!(member.room, Room::Inside(_)));
        for member in self.members.iter_mut().filter(|member| met || Some(member.persona) != host) {
            let away = match member.room {
                Room::Unseen => Some(member.joined),
                Room::Inside(_) => member.absent_since,
                Room::Left => None,
            };
            if away.is_some_and(|since| now.since(since) >= rules::ENTER_TIMEOUT) {
                member.room = Room::Left;
            }
        }
    }

    /// Puts those racers out who are lost. Nobody waits for one who drives alone.
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
        let is_lost = |starter: &&mut Starter| lost.iter().any(|persona| starter.is(*persona));
        self.field.iter_mut().filter(is_lost).for_each(|starter| starter.put_out(Exit::TimedOut));
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
        let id = self.race_of_room(riff)?.id;
        let race = self.races.get_mut(&id)?;
        if people.is_empty() && race.room == Some(riff.channel) {
            race.room = None;
        }
        let inside = Room::Inside(riff.channel);
        if people.contains(&mover) {
            race.come_back(mover, inside);
        }
        let mut left = Vec::new();
        for member in &mut race.members {
            let was = member.room == inside || (member.room == Room::Unseen && member.persona == mover);
            if !was || people.contains(&member.persona) {
                continue;
            }
            member.absent_since.get_or_insert(now.mono);
            if !called || (how == Move::Closed && member.persona == mover) {
                member.room = Room::Left;
                left.push(member.persona);
            }
        }
        Some((id, left))
    }

    /// The race that a room is the room of: what it was opened as, or it names the race.
    pub fn race_of_room(&self, riff: &ChannelInfo) -> Option<&Race> {
        let [d0, d1, d2, d3, ..] = *riff.data;
        let named = [riff.channel.0, u32::from_le_bytes([d0, d1, d2, d3])].map(RaceId);
        let named = named.into_iter().find_map(|id| self.races.get(&id));
        named.or_else(|| self.races.values().find(|race| race.room == Some(riff.channel)))
    }

    /// The number of the room that a member of a race means who asks for `asked`: that of its race, if it asks for none (0) or for
    /// the race's own number. A room that does not exist yet gets the race's number.
    pub fn room_meant(&self, persona: PersonaId, asked: CommId) -> CommId {
        match self.of(persona) {
            Some(race) if asked == CommId(0) || asked.0 == race.id.0 => {
                race.room.unwrap_or(CommId(race.id.0))
            }
            _ => asked,
        }
    }

    /// Whether `persona` may enter `riff`, a room that exists or would be made.
    ///
    /// # Errors
    /// It is the room of a race in which the persona has no place.
    pub fn admit(&self, riff: &ChannelInfo, persona: PersonaId) -> Result<Admission, Denied> {
        match self.race_of_room(riff) {
            None => Ok(Admission::ByPassword),
            Some(race) if race.thrown_out.contains(persona) => Err(Denied::ThrownOut),
            Some(race) if race.member(persona).is_none() => Err(Denied::NotJoined),
            Some(race) if race.host() == Some(persona) => Ok(Admission::Host),
            Some(_) => Ok(Admission::Invited),
        }
    }

    /// `persona` has entered `riff` with that password: if it is the host's and names no race, it is the room of the host's race
    /// all the same.
    pub fn tie(&mut self, riff: &ChannelInfo, password: &str, persona: PersonaId) {
        let named = self.race_of_room(riff).map(|race| race.id);
        let Some(own) = self.of(persona) else { return };
        let (id, hosts) = (own.id, own.host() == Some(persona));
        let same = named == Some(id) || (named.is_none() && hosts && own.password == password);
        if let Some(race) = self.races.get_mut(&id)
            && same
            && (hosts || race.room.is_none())
        {
            race.room = Some(riff.channel);
        }
    }

    /// The host of the room `riff`, `by`, has thrown `persona` out. If it hosts the race too, that is out of the race: who drives
    /// goes on to do so; anybody else has left.
    pub fn throw_out(&mut self, riff: &ChannelInfo, by: PersonaId, persona: PersonaId) {
        let id = self.race_of_room(riff).filter(|race| race.host() == Some(by)).map(|race| race.id);
        let Some(race) = id.and_then(|id| self.races.get_mut(&id)) else { return };
        race.thrown_out.add(persona);
        let (id, under_way) = (race.id, race.is_under_way());
        if !under_way && self.member_of.get(&persona) == Some(&id) {
            self.leave(persona, Exit::Quit);
        }
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
