//! The room of a race on the lobby's side, as far as places in the race depend on it.
//!
//! A race and its room are tied by what the host writes: the room has the race's number, or its description begins with
//! it (*inferred*). Who is seen to leave the room has left the race, whether MCOTS hears a 235 or not: its place can be taken, and it
//! is not the host. It is not forgotten before somebody takes the place, because a Client may well go by the server to where it races:
//! whoever comes back first has it again, behind those who stayed. Once the racers are called to the race server, nobody counts as
//! gone who is on the way there.

use super::{Member, Race, Table};
use crate::world::ChannelInfo;
use mco_proto::ids::{CommId, PersonaId, RaceId};

/// Where a member is, by what is known of the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// Not seen in a room yet: it comes there a moment after it joins.
    Unseen,
    /// In the room with this number.
    Inside(CommId),
    /// It was there and has left.
    Left,
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
        let at = if back { self.members.len() } else { at };
        self.members.insert(at, member);
    }
}

impl Table {
    /// The race that `riff` is the room of.
    pub fn race_of_room(&self, riff: &ChannelInfo) -> Option<&Race> {
        let [d0, d1, d2, d3, ..] = *riff.data;
        let named = [riff.channel.0, u32::from_le_bytes([d0, d1, d2, d3])].map(RaceId);
        named.into_iter().find_map(|id| self.races.get(&id))
    }

    /// `mover` has come to the room `riff` or left it, and `people` are there now. Returned is the race that it is the room
    /// of, with the members who have left it by that; none while they are `called` to the race server.
    pub fn sync_room(
        &mut self,
        riff: &ChannelInfo,
        mover: PersonaId,
        people: &[PersonaId],
        called: bool,
    ) -> Option<(RaceId, Vec<PersonaId>)> {
        let id = self.race_of_room(riff)?.id;
        let race = self.races.get_mut(&id)?;
        let inside = Room::Inside(riff.channel);
        if people.contains(&mover) {
            race.come_back(mover, inside);
        }
        let mut left = Vec::new();
        for member in race.members.iter_mut().filter(|_| !called) {
            let was = member.room == inside || (member.room == Room::Unseen && member.persona == mover);
            if was && !people.contains(&member.persona) {
                member.room = Room::Left;
                left.push(member.persona);
            }
        }
        Some((id, left))
    }

    /// Makes a place for somebody who may join: whoever left the room first loses it.
    pub(super) fn make_place(&mut self, id: RaceId) {
        let Some(race) = self.races.get_mut(&id) else { return };
        if race.members.len() < race.settings.most_racers {
            return;
        }
        if let Some(at) = race.members.iter().position(|member| !member.is_here()) {
            let absent = race.members.remove(at);
            self.member_of.remove(&absent.persona);
        }
    }
}
