//! The lobby and the room servers: who is connected to each, and their channels ("riffs").
//!
//! Membership is per connection, not per persona: a player is in the lobby and in a room at once, and may be in one race
//! with both. A chat channel's number means something within its server only: on the same room server the Client opens 2
//! as "LOBBY" although the directory lists 2 as something else (*captured*). A race is one channel for all channels, so
//! that racers meet whatever port they chose.

mod channel;
mod entry;
mod lists;
mod place;
mod race;
mod relays;

pub use entry::{Admission, Denied, HandOver, Left, OpenRequest, Opened};
pub use lists::{Census, RaceInfo, Readiness};
pub use race::{Booted, Start};
pub use relays::{RelayLoad, Unheard};

use super::{ConnectionId, locked};
use channel::{Channel, Membership};
use mco_proto::ids::{CommId, PersonaId};
use mco_proto::nps::channel::ChannelData;
use mco_proto::nps::relay::Address;
use mco_proto::nps::user_data::UserData;
use place::Place;
use relays::Allowance;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Mutex;

/// One NPS server: the lobby, or one of the room ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NpsServer {
    /// Port 7003.
    Lobby,
    /// A room server, by its place in the range of room ports: 0 is 9000.
    Room(u16),
}

/// The chat channel of every server, by the number under which the Client opens it (*captured*).
pub const LOBBY: CommId = CommId(2);

/// Somebody who signed in to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub persona: PersonaId,
    /// The driver's name.
    pub name: String,
    /// Car and driver as last set.
    pub user_data: UserData,
}

/// A channel as who made it described it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelInfo {
    /// Its number.
    pub channel: CommId,
    /// As players see it in the list.
    pub name: String,
    /// A race, or a place to chat.
    pub race: bool,
    /// As it came.
    pub channel_type: u16,
    /// As it came.
    pub flags: u32,
    /// The most players in a race; 0: not said.
    pub most: u16,
    /// A race as its host describes it.
    pub data: Box<ChannelData>,
}

/// Who is connected to the lobby and to each room server, and the channels of all of them.
#[derive(Debug, Default)]
pub struct Channels(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    clients: HashMap<ConnectionId, Client>,
    /// The connections of each persona, in the order in which they came.
    by_persona: HashMap<PersonaId, Vec<ConnectionId>>,
    /// What each of them who has sent relays may still send.
    allowances: HashMap<PersonaId, Allowance>,
    /// Servers with somebody in them.
    places: BTreeMap<NpsServer, Place>,
    channels: BTreeMap<Key, Channel>,
    /// Who is in the chat channels with a number, and in how many of them: each server has its own.
    chatting: HashMap<CommId, HashMap<PersonaId, usize>>,
    /// How many races were given a number.
    numbered: u32,
}

/// Somebody at one connection.
#[derive(Debug)]
struct Client {
    server: NpsServer,
    /// The address of ours by which the Client came.
    address: Ipv4Addr,
    /// From where it came.
    peer: IpAddr,
    person: Person,
    channels: heapless::Vec<Key, { Channels::MOST_MEMBERSHIPS }>,
}

/// Where a channel's number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    Races,
    NpsServer(NpsServer),
}

type Key = (Scope, CommId);

impl Channels {
    /// The most players in a channel: what a user list can name.
    pub const MOST_MEMBERS: usize = mco_proto::nps::lobby::MOST_USERS;
    /// The most chat channels of a server, and the most races.
    pub const MOST_CHANNELS: usize = 500;
    /// The most races one persona may be in: one, but a Client may come to the next before it has left the last.
    pub const MOST_RACES_OF_ONE: usize = 4;
    /// The most races made from one address: every racer of a large party behind one router may have one.
    pub const MOST_RACES_OF_ADDRESS: usize = 125;
    /// The most channels one connection may be in.
    pub const MOST_MEMBERSHIPS: usize = 8;
    /// Numbers that the server gives to races begin here: far from all numbers of directories ever seen.
    pub const FIRST_RACE: u32 = 20_000;

    /// Somebody has signed in, from `peer` and by our address `address`.
    pub fn enter(
        &self,
        connection: ConnectionId,
        server: NpsServer,
        person: Person,
        (peer, address): (IpAddr, Ipv4Addr),
    ) {
        let mut inner = locked(&self.0);
        let persona = person.persona;
        inner.places.entry(server).or_default().enter(connection, persona);
        inner.by_persona.entry(persona).or_default().push(connection);
        let client = Client { server, address, peer, person, channels: heapless::Vec::new() };
        inner.clients.insert(connection, client);
    }

    /// Everybody in a server, each on one connection, provided that `persona` is not there.
    pub fn others_in(&self, server: NpsServer, persona: PersonaId) -> Vec<ConnectionId> {
        let inner = locked(&self.0);
        let place = inner.places.get(&server).filter(|place| !place.has(persona));
        place.map_or_else(Vec::new, |place| place.one_of_each(&inner.clients))
    }

    /// A connection is gone and leaves all its channels.
    pub fn leave(&self, connection: ConnectionId) -> Vec<Left> {
        let mut inner = locked(&self.0);
        let Some(client) = inner.clients.get(&connection) else { return Vec::new() };
        let (server, persona) = (client.server, client.person.persona);
        let mut channels = client.channels.clone();
        // Chat first: who is gone from a LOBBY need not hear there that its race has vanished.
        channels.sort_unstable_by(|one, other| other.cmp(one));
        let left = channels.into_iter().filter_map(|key| inner.part(key, connection)).collect();
        inner.clients.remove(&connection);
        if let Some(home) = inner.by_persona.get_mut(&persona) {
            home.retain(|other| *other != connection);
            if home.is_empty() {
                inner.by_persona.remove(&persona);
                inner.allowances.remove(&persona);
            }
        }
        if let Some(place) = inner.places.get_mut(&server) {
            place.leave(connection, persona);
            if place.is_empty() {
                inner.places.remove(&server);
            }
        }
        left
    }

    /// Opens a channel for a connection. The Client's number counts, not the name, except for a race without a number. Who is not in
    /// the channel yet must be admitted by `admit`, which is given the channel and whether it exists, and says whether it wants the password.
    ///
    /// # Errors
    /// Why not.
    pub fn open(
        &self,
        connection: ConnectionId,
        request: OpenRequest,
        admit: impl FnOnce(&ChannelInfo, bool) -> Result<Admission, Denied>,
    ) -> Result<Opened, Denied> {
        let mut inner = locked(&self.0);
        let client = inner.clients.get(&connection).ok_or(Denied::NotHere)?;
        let (server, peer, me) = (client.server, client.peer, client.person.clone());
        let OpenRequest { mut riff, password, strict } = request;
        let found = inner.wanted(client, &riff, &password);
        let (mut wrong_password, mut host, mut is_new) = (false, false, true);
        if let Some((key, channel)) = found.and_then(|key| Some((key, inner.channels.get(&key)?))) {
            let known = channel.member(me.persona).is_some();
            is_new = !known;
            if channel.thrown_out.contains(me.persona) {
                return Err(Denied::ThrownOut);
            }
            let admission = if known { Admission::Invited } else { admit(&channel.riff, true)? };
            host = admission == Admission::Host;
            let most = if channel.riff.race && channel.riff.most > 0 {
                channel.riff.most.into()
            } else {
                Self::MOST_MEMBERS
            };
            wrong_password = admission == Admission::ByPassword
                && !channel.password.is_empty()
                && channel.password != password;
            if wrong_password && strict {
                return Err(Denied::Locked);
            }
            if !known && channel.people.len() >= most {
                return Err(Denied::Full);
            }
            if client.channels.contains(&key) {
                let riff = channel.riff.clone();
                let (recipients, taken_over) = (Vec::new(), Vec::new());
                return Ok(Opened { riff, me, recipients, made: None, wrong_password: false, taken_over });
            }
        } else {
            admit(&riff, false)?;
        }
        if client.channels.is_full() || (riff.race && inner.is_in_many_races(me.persona, found)) {
            return Err(Denied::TooMany);
        }
        let made = found.is_none() && riff.race;
        let key = match found {
            Some(key) => key,
            None => inner.make(server, &mut riff, password, (me.persona, peer))?,
        };
        let channel = inner.channels.get_mut(&key).ok_or(Denied::TooMany)?;
        if !channel.membership(me.persona, Membership { connection, server }) {
            return Err(Denied::TooMany);
        }
        let riff = channel.riff.clone();
        let recipients = channel.recipients(me.persona, server, connection);
        let mut taken_over = Vec::new();
        if host && channel.owner.replace(me.persona) != Some(me.persona) {
            let everybody = channel.people.iter().filter_map(|member| member.nearest(server));
            taken_over = everybody.map(|membership| membership.connection).collect();
        }
        if is_new && key.0 != Scope::Races {
            *inner.chatting.entry(key.1).or_default().entry(me.persona).or_default() += 1;
        }
        if let Some(client) = inner.clients.get_mut(&connection) {
            // There was room above.
            let _ = client.channels.push(key);
        }
        let made = made.then(|| inner.lobby_people(Some(me.persona)));
        Ok(Opened { riff, me, recipients, made, wrong_password, taken_over })
    }

    /// Closes a channel for a connection; `None` if the connection was not in it.
    pub fn close(&self, connection: ConnectionId, channel: CommId) -> Option<Left> {
        let mut inner = locked(&self.0);
        let key = inner.membership(connection, channel)?;
        inner.part(key, connection)
    }

    /// Keeps what a connection says of its car and driver. Returned is everybody who shares a channel with it, once, each
    /// on the connection nearest to this one.
    pub fn set_user_data(&self, connection: ConnectionId, user_data: UserData) -> Vec<ConnectionId> {
        let mut inner = locked(&self.0);
        let Some(client) = inner.clients.get_mut(&connection) else { return Vec::new() };
        client.person.user_data = user_data;
        let (server, persona, channels) = (client.server, client.person.persona, client.channels.clone());
        if let Some(place) = inner.places.get_mut(&server) {
            place.looks_changed();
        }
        let mut nearest: BTreeMap<PersonaId, Membership> = BTreeMap::new();
        for channel in channels.iter().filter_map(|key| inner.channels.get(key)) {
            for (member, membership) in channel.others(persona, server) {
                let known = nearest.entry(member.persona).or_insert(membership);
                if channel::nearness(membership.server, server) > channel::nearness(known.server, server) {
                    *known = membership;
                }
            }
        }
        nearest.into_values().map(|membership| membership.connection).collect()
    }

    /// Who hears a relay that weighs `load` and that a connection sends in a channel. With `echo` the sender hears what goes to everybody.
    ///
    /// # Errors
    /// It is not in that channel, or its persona sends more than anybody has to read.
    pub fn receivers(
        &self,
        connection: ConnectionId,
        channel: CommId,
        address: &Address,
        echo: bool,
        load: RelayLoad,
    ) -> Result<Vec<ConnectionId>, Unheard> {
        let mut inner = locked(&self.0);
        let me = inner.clients.get(&connection).ok_or(Unheard::NotThere)?.person.persona;
        if !inner.allowances.entry(me).or_insert_with(|| Allowance::full(load)).take(load) {
            return Err(Unheard::TooMuch);
        }
        let client = inner.clients.get(&connection).ok_or(Unheard::NotThere)?;
        let server = client.server;
        let seated = client.channels.iter().find(|(_, id)| *id == channel);
        let Some(channel) = seated.and_then(|key| inner.channels.get(key)) else {
            // A buddy is addressed by name; channel 0 is the whole server.
            return match address {
                Address::Buddy(buddy) if channel == CommId(0) => Ok(inner.anywhere(*buddy, server, me)),
                _ => Err(Unheard::NotThere),
            };
        };
        let one = |persona: &PersonaId| {
            let member = channel.member(*persona).filter(|member| member.persona != me);
            member.and_then(|member| member.nearest(server)).map(|membership| membership.connection)
        };
        let all_but = |except: &dyn Fn(&channel::Member) -> bool| {
            channel
                .others(me, server)
                .filter(|(member, _)| !except(member))
                .map(|(_, membership)| membership.connection)
                .collect::<Vec<_>>()
        };
        Ok(match address {
            Address::All => {
                let mut all = all_but(&|_| false);
                all.extend(echo.then_some(connection));
                all
            }
            Address::PlugIn => Vec::new(),
            Address::Ready => all_but(&|member| !member.ready),
            Address::List(listed) => all_but(&|member| listed.binary_search(&member.persona).is_err()),
            Address::NotList(listed) => all_but(&|member| listed.binary_search(&member.persona).is_ok()),
            Address::NotSingle(persona) => all_but(&|member| member.persona == *persona),
            Address::Single(persona) => one(persona).into_iter().collect(),
            Address::Buddy(persona) => match one(persona) {
                Some(connection) => vec![connection],
                None => inner.anywhere(*persona, server, me),
            },
        })
    }
}

impl Inner {
    /// The channel that a request is for, if it exists.
    fn wanted(&self, client: &Client, riff: &ChannelInfo, password: &str) -> Option<Key> {
        let id = riff.channel;
        if riff.race && id == CommId(0) {
            // A joiner that does not know the number has the name, and the password that MCOTS gave it.
            let same = |channel: &Channel| {
                !password.is_empty() && channel.password == password && channel.riff.name == riff.name
            };
            return self.races().find(|(_, channel)| same(channel)).map(|(id, _)| (Scope::Races, id));
        }
        let seated = client.channels.iter().copied().find(|(_, channel)| *channel == id);
        seated.or_else(|| self.known(client.server, id))
    }

    /// The channel with this number, seen from a server.
    fn known(&self, server: NpsServer, id: CommId) -> Option<Key> {
        [(Scope::Races, id), (Scope::NpsServer(server), id)]
            .into_iter()
            .find(|key| self.channels.contains_key(key))
    }

    /// The channel with this number that a connection is in.
    fn membership(&self, connection: ConnectionId, id: CommId) -> Option<Key> {
        self.clients.get(&connection)?.channels.iter().copied().find(|(_, channel)| *channel == id)
    }

    fn in_scope(&self, scope: Scope) -> impl Iterator<Item = (CommId, &Channel)> {
        self.channels
            .range((scope, CommId(0))..=(scope, CommId(u32::MAX)))
            .map(|((_, id), channel)| (*id, channel))
    }

    fn races(&self) -> impl Iterator<Item = (CommId, &Channel)> {
        self.in_scope(Scope::Races)
    }

    /// Whether a persona is in as many races as it may, besides the one that it goes to.
    fn is_in_many_races(&self, persona: PersonaId, to: Option<Key>) -> bool {
        let others = self.races().filter(|(id, _)| to != Some((Scope::Races, *id)));
        let mine = others.filter(|(_, channel)| channel.member(persona).is_some());
        mine.count() >= Channels::MOST_RACES_OF_ONE
    }

    /// Makes a channel, still empty.
    fn make(
        &mut self,
        server: NpsServer,
        riff: &mut ChannelInfo,
        password: String,
        (owner, peer): (PersonaId, IpAddr),
    ) -> Result<Key, Denied> {
        let scope = if riff.race { Scope::Races } else { Scope::NpsServer(server) };
        if self.in_scope(scope).count() >= Channels::MOST_CHANNELS {
            return Err(Denied::TooMany);
        }
        let made = |(_, channel): &(CommId, &Channel)| channel.made_from == peer.to_canonical();
        if riff.race && self.races().filter(made).count() >= Channels::MOST_RACES_OF_ADDRESS {
            return Err(Denied::TooMany);
        }
        if riff.race && riff.channel == CommId(0) {
            riff.channel = self.free_number();
        }
        let key = (scope, riff.channel);
        let (password, owner) = if riff.race { (password, Some(owner)) } else { (String::new(), None) };
        self.channels.insert(key, Channel::new(riff.clone(), password, owner, peer.to_canonical()));
        Ok(key)
    }

    /// A number that no channel has. There are far fewer channels than numbers.
    fn free_number(&mut self) -> CommId {
        loop {
            let id = CommId(Channels::FIRST_RACE.saturating_add(self.numbered % 1_000_000_000));
            self.numbered = self.numbered.wrapping_add(1);
            if self.channels.keys().all(|(_, known)| *known != id) {
                return id;
            }
        }
    }

    /// Takes a connection out of a channel, which vanishes when it is empty.
    fn part(&mut self, key: Key, connection: ConnectionId) -> Option<Left> {
        let client = self.clients.get_mut(&connection)?;
        let (server, persona) = (client.server, client.person.persona);
        client.channels.retain(|other| *other != key);
        let channel = self.channels.get_mut(&key)?;
        if !channel.unseat(persona, connection) {
            return None;
        }
        let recipients = channel.recipients(persona, server, connection);
        let gone = channel.member(persona).is_none();
        let handed_over =
            if gone && channel.owner == Some(persona) { channel.hand_over(server) } else { None };
        let ended = channel.race_ended(server);
        let race = channel.riff.race.then(|| channel.riff.clone());
        let vanished = channel.people.is_empty() && race.is_some();
        if channel.people.is_empty() {
            self.channels.remove(&key);
        }
        if gone && key.0 != Scope::Races {
            self.chats_no_more(key.1, persona);
        }
        let vanished = vanished.then(|| self.lobby_people(None));
        Some(Left { channel: key.1, persona, recipients, handed_over, ended, vanished, race })
    }

    /// A persona has left a chat channel with this number.
    fn chats_no_more(&mut self, channel: CommId, persona: PersonaId) {
        let Some(people) = self.chatting.get_mut(&channel) else { return };
        if let Some(count) = people.get_mut(&persona) {
            *count -= 1;
            if *count == 0 {
                people.remove(&persona);
            }
        }
        if people.is_empty() {
            self.chatting.remove(&channel);
        }
    }

    /// Those in the LOBBY channel of any server, each once.
    fn lobby_people(&self, except: Option<PersonaId>) -> Vec<ConnectionId> {
        let lobbies = self.channels.iter().filter(|((scope, id), _)| *scope != Scope::Races && *id == LOBBY);
        let mut people = BTreeMap::new();
        for ((scope, _), channel) in lobbies {
            let Scope::NpsServer(server) = *scope else { continue };
            for member in channel.people.iter().filter(|member| Some(member.persona) != except) {
                if let Some(membership) = member.nearest(server) {
                    people.insert(member.persona, membership.connection);
                }
            }
        }
        people.into_values().collect()
    }

    /// One connection of a player, wherever that is: in the server of who speaks, else in the lobby, where a Client always is.
    fn anywhere(&self, persona: PersonaId, server: NpsServer, me: PersonaId) -> Vec<ConnectionId> {
        let home = self.by_persona.get(&persona).filter(|_| persona != me);
        let clients = home.into_iter().flatten().filter_map(|id| Some((*id, self.clients.get(id)?)));
        let rank = |client: &Client| (client.server == server, client.server == NpsServer::Lobby);
        clients.max_by_key(|(_, client)| rank(client)).map(|(id, _)| id).into_iter().collect()
    }
}

#[cfg(test)]
mod tests;
