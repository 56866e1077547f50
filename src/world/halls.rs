//! The lobby and the room servers: who is connected to each, and their channels ("riffs").
//!
//! Membership is per connection, not per persona: a player is in the lobby and in a room at once. A channel's number
//! means something within its hall only: on the same room server the Client opens 2 as "LOBBY" although the directory
//! lists 2 as something else (*captured*).

use super::{ConnectionId, locked};
use crate::protocol::ids::{CommId, PersonaId};
use crate::protocol::nps::user_data::UserData;
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

/// One NPS server: the lobby, or one of the room ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hall {
    /// Port 7003.
    Lobby,
    /// A room server, by its place in the range of room ports: 0 is 9000.
    Room(u16),
}

/// Somebody who signed in to a hall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub persona: PersonaId,
    /// The driver's name.
    pub name: String,
    /// Car and driver as last set.
    pub user_data: UserData,
}

/// Why a channel can't be entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The connection has not signed in to this hall.
    NotHere,
    /// The channel is full.
    Full,
    /// The hall has no room for another channel, or the connection is in too many.
    TooMany,
}

/// All halls.
#[derive(Debug, Default)]
pub struct Halls(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    people: HashMap<ConnectionId, (Hall, Person)>,
    channels: BTreeMap<(Hall, CommId), Channel>,
}

/// A channel exists as long as somebody is in it. Members stand in the order in which they came.
#[derive(Debug, Default)]
struct Channel {
    members: Vec<ConnectionId>,
}

impl Halls {
    /// The most members of a channel: what a user list can name.
    pub const MOST_MEMBERS: usize = crate::protocol::nps::lobby::MOST_USERS;
    /// The most channels of a hall.
    pub const MOST_CHANNELS: usize = 500;
    /// The most channels one connection may be in.
    pub const MOST_MEMBERSHIPS: usize = 8;

    /// Somebody has signed in.
    pub fn enter(&self, connection: ConnectionId, hall: Hall, person: Person) {
        locked(&self.0).people.insert(connection, (hall, person));
    }

    /// A connection is gone: it leaves all its channels. Returned is, for each of them, who is still there.
    pub fn leave(&self, connection: ConnectionId) -> Vec<(CommId, Vec<ConnectionId>)> {
        let mut inner = locked(&self.0);
        let Some((hall, _)) = inner.people.remove(&connection) else { return Vec::new() };
        let channels: Vec<_> = inner.memberships(hall, connection).collect();
        channels
            .into_iter()
            .filter_map(|channel| Some((channel, inner.part(hall, channel, connection)?)))
            .collect()
    }

    /// Opens a channel for a connection. Returned are the other members.
    pub fn open(&self, connection: ConnectionId, channel: CommId) -> Result<Vec<ConnectionId>, Denied> {
        let mut inner = locked(&self.0);
        let (hall, _) = *inner.people.get(&connection).ok_or(Denied::NotHere)?;
        let known = inner.channels.contains_key(&(hall, channel));
        if !known && inner.channels_of(hall).count() >= Self::MOST_CHANNELS {
            return Err(Denied::TooMany);
        }
        if inner.memberships(hall, connection).filter(|other| *other != channel).count()
            >= Self::MOST_MEMBERSHIPS
        {
            return Err(Denied::TooMany);
        }
        let members = &mut inner.channels.entry((hall, channel)).or_default().members;
        let others: Vec<_> = members.iter().copied().filter(|member| *member != connection).collect();
        if others.len() == members.len() {
            if members.len() >= Self::MOST_MEMBERS {
                return Err(Denied::Full);
            }
            members.push(connection);
        }
        Ok(others)
    }

    /// Closes a channel for a connection. Returned are those still in it; `None` if the connection was not.
    pub fn close(&self, connection: ConnectionId, channel: CommId) -> Option<Vec<ConnectionId>> {
        let mut inner = locked(&self.0);
        let (hall, _) = *inner.people.get(&connection)?;
        inner.part(hall, channel, connection)
    }

    /// Keeps what a connection says of its car and driver. Returned is everybody who shares a channel with it.
    pub fn set_user_data(&self, connection: ConnectionId, user_data: UserData) -> Vec<ConnectionId> {
        let mut inner = locked(&self.0);
        let Some((hall, person)) = inner.people.get_mut(&connection) else { return Vec::new() };
        person.user_data = user_data;
        let hall = *hall;
        let mut others: Vec<_> = inner
            .channels_of(hall)
            .filter(|(_, channel)| channel.members.contains(&connection))
            .flat_map(|(_, channel)| channel.members.iter().copied())
            .filter(|member| *member != connection)
            .collect();
        others.sort_unstable();
        others.dedup();
        others
    }

    /// Who is in a channel, in the order in which they came.
    pub fn members(&self, hall: Hall, channel: CommId) -> Vec<Person> {
        let inner = locked(&self.0);
        let Some(channel) = inner.channels.get(&(hall, channel)) else { return Vec::new() };
        let people = channel.members.iter().filter_map(|member| inner.people.get(member));
        people.map(|(_, person)| person.clone()).collect()
    }

    /// Who is in a hall, channel or not.
    pub fn people(&self, hall: Hall) -> Vec<Person> {
        let inner = locked(&self.0);
        let mut here: Vec<_> = inner.people.iter().filter(|(_, (place, _))| *place == hall).collect();
        here.sort_unstable_by_key(|(connection, _)| **connection);
        here.into_iter().map(|(_, (_, person))| person.clone()).collect()
    }

    /// The hall that a connection has signed in to, if it is one of a hall.
    pub fn hall_of(&self, connection: ConnectionId) -> Option<Hall> {
        locked(&self.0).people.get(&connection).map(|(hall, _)| *hall)
    }

    /// How many connections a hall has.
    pub fn head_count(&self, hall: Hall) -> usize {
        locked(&self.0).people.values().filter(|(place, _)| *place == hall).count()
    }

    /// How many are in a channel.
    pub fn population(&self, hall: Hall, channel: CommId) -> usize {
        locked(&self.0).channels.get(&(hall, channel)).map_or(0, |channel| channel.members.len())
    }
}

impl Inner {
    fn channels_of(&self, hall: Hall) -> impl Iterator<Item = (CommId, &Channel)> {
        let range = (hall, CommId(0))..=(hall, CommId(u32::MAX));
        self.channels.range(range).map(|((_, id), channel)| (*id, channel))
    }

    fn memberships(&self, hall: Hall, connection: ConnectionId) -> impl Iterator<Item = CommId> {
        self.channels_of(hall)
            .filter(move |(_, channel)| channel.members.contains(&connection))
            .map(|(id, _)| id)
    }

    /// Takes a connection out of a channel, which vanishes when it is empty.
    fn part(&mut self, hall: Hall, id: CommId, connection: ConnectionId) -> Option<Vec<ConnectionId>> {
        let channel = self.channels.get_mut(&(hall, id))?;
        let place = channel.members.iter().position(|member| *member == connection)?;
        channel.members.remove(place);
        let left = channel.members.clone();
        if left.is_empty() {
            self.channels.remove(&(hall, id));
        }
        Some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Hall = Hall::Room(1);
    const LOBBY: CommId = CommId(2);

    fn person(persona: u32) -> Person {
        Person { persona: PersonaId(persona), name: format!("Driver {persona}"), user_data: [0; 64] }
    }

    fn halls(people: u64) -> Halls {
        let halls = Halls::default();
        for id in 1..=people {
            halls.enter(ConnectionId(id), ROOM, person(u32::try_from(id).unwrap()));
        }
        halls
    }

    #[test]
    fn who_opens_a_channel_is_listed_in_it_until_it_closes_or_drops() {
        let halls = halls(2);
        assert_eq!(halls.open(ConnectionId(1), LOBBY), Ok(vec![]));
        assert_eq!(halls.open(ConnectionId(2), LOBBY), Ok(vec![ConnectionId(1)]));
        assert_eq!(halls.members(ROOM, LOBBY), [person(1), person(2)]);
        assert_eq!(halls.close(ConnectionId(1), LOBBY), Some(vec![ConnectionId(2)]));
        assert_eq!(halls.close(ConnectionId(1), LOBBY), None);
        assert_eq!(halls.leave(ConnectionId(2)), [(LOBBY, vec![])]);
        assert_eq!(halls.population(ROOM, LOBBY), 0);
        assert!(locked(&halls.0).channels.is_empty(), "an empty channel vanishes");
    }

    #[test]
    fn opening_twice_counts_once() {
        let halls = halls(1);
        halls.open(ConnectionId(1), LOBBY).unwrap();
        assert_eq!(halls.open(ConnectionId(1), LOBBY), Ok(vec![]));
        assert_eq!(halls.population(ROOM, LOBBY), 1);
    }

    #[test]
    fn the_same_number_is_another_channel_in_another_hall() {
        let halls = halls(1);
        halls.enter(ConnectionId(9), Hall::Lobby, person(9));
        halls.open(ConnectionId(1), LOBBY).unwrap();
        assert_eq!(halls.open(ConnectionId(9), LOBBY), Ok(vec![]));
        assert_eq!(halls.head_count(Hall::Lobby), 1);
    }

    #[test]
    fn user_data_is_told_to_everybody_who_shares_a_channel_once() {
        let halls = halls(3);
        for channel in [CommId(2), CommId(3)] {
            halls.open(ConnectionId(1), channel).unwrap();
            halls.open(ConnectionId(2), channel).unwrap();
        }
        assert_eq!(halls.set_user_data(ConnectionId(1), [7; 64]), [ConnectionId(2)]);
        assert_eq!(halls.members(ROOM, LOBBY)[0].user_data, [7; 64]);
    }

    #[test]
    fn no_client_can_make_channels_without_end() {
        let halls = halls(1);
        for id in 0..u32::try_from(Halls::MOST_MEMBERSHIPS).unwrap() {
            halls.open(ConnectionId(1), CommId(id)).unwrap();
        }
        assert_eq!(halls.open(ConnectionId(1), CommId(99)), Err(Denied::TooMany));
        assert_eq!(halls.open(ConnectionId(77), LOBBY), Err(Denied::NotHere));
    }
}
