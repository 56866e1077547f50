//! Random players against a small model of who has to know what.

use super::scene::{Scene, race};
use super::*;
use crate::clock::Now;
use mco_proto::nps::Id;
use mco_proto::nps::channel::{
    BootUser, GetReadyList, NOT_READY, READY, ReadyList, RiffList, SendRiffList, SetCommFlags,
    StartGameServer, TerminateGameServer,
};
use mco_proto::nps::relay::{Address, Relay};
use std::collections::{BTreeMap, BTreeSet};

const PLAYERS: usize = 4;
const SERVERS: [NpsServer; 3] = [NpsServer::Lobby, NpsServer::Room(0), NpsServer::Room(1)];
const CHANNELS: [CommId; 3] = [LOBBY, CommId(55), CommId(56)];

/// Something that happens. Indices are taken modulo what there is.
#[derive(Clone, Debug)]
enum Event {
    Connect { player: u8, server: u8 },
    Drop { at: u8 },
    Open { at: u8, channel: u8 },
    Close { at: u8, channel: u8 },
    Ready { at: u8, channel: u8, ready: bool },
    Boot { at: u8, channel: u8, player: u8 },
    Start { at: u8, channel: u8 },
    Stop { at: u8, channel: u8 },
    Relay { at: u8, channel: u8, kind: u8, player: u8 },
}

/// Any event.
fn event() -> impl Strategy<Value = Event> {
    (0_u8..9, any::<[u8; 3]>(), any::<bool>()).prop_map(|(what, [at, channel, player], ready)| match what {
        0 => Event::Connect { player, server: channel },
        1 => Event::Drop { at },
        2 | 3 => Event::Open { at, channel },
        4 => Event::Close { at, channel },
        5 => Event::Ready { at, channel, ready },
        6 if ready => Event::Boot { at, channel, player },
        6 => Event::Stop { at, channel },
        7 => Event::Start { at, channel },
        _ => Event::Relay { at, channel, kind: at ^ player, player },
    })
}

/// A race is everywhere, a chat channel in one server.
type Key = (Option<NpsServer>, CommId);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Membership {
    key: Key,
    connection: ConnectionId,
    player: usize,
    server: NpsServer,
}

/// Who is to hear what. News of races made and gone go to a player, on whichever of its connections to a LOBBY.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Heard {
    On(ConnectionId, Id),
    Anywhere(usize, Id),
}

/// All memberships in a flat list, in the order in which they were taken.
#[derive(Default)]
struct Model {
    memberships: Vec<Membership>,
    people: BTreeMap<Key, Vec<usize>>,
    ready: BTreeSet<(Key, usize)>,
    owner: BTreeMap<Key, usize>,
    running: BTreeSet<Key>,
    thrown_out: BTreeSet<(Key, usize)>,
    expected: Vec<Heard>,
}

fn near(one: NpsServer, other: NpsServer) -> u8 {
    if one == other { 2 } else { u8::from(one != NpsServer::Lobby && other != NpsServer::Lobby) }
}

fn key(server: NpsServer, channel: CommId) -> Key {
    if channel == LOBBY { (Some(server), channel) } else { (None, channel) }
}

impl Model {
    fn of(&self, key: Key) -> Vec<usize> {
        self.people.get(&key).cloned().unwrap_or_default()
    }

    fn memberships(&self, key: Key, player: usize) -> Vec<Membership> {
        self.memberships
            .iter()
            .copied()
            .filter(|member| member.key == key && member.player == player)
            .collect()
    }

    fn nearest(&self, key: Key, player: usize, server: NpsServer) -> Membership {
        self.memberships(key, player).into_iter().max_by_key(|member| near(member.server, server)).unwrap()
    }

    fn tell_others(&mut self, key: Key, player: usize, server: NpsServer, id: Id) {
        for other in self.of(key).into_iter().filter(|other| *other != player) {
            self.expected.push(Heard::On(self.nearest(key, other, server).connection, id));
        }
    }

    /// `player` came or went by a connection in `server`; `more` are its other memberships.
    fn tell_recipients(&mut self, key: Key, player: usize, server: NpsServer, more: &[Membership], id: Id) {
        for other in self.of(key).into_iter().filter(|other| *other != player) {
            let member = self.nearest(key, other, server);
            if more.iter().all(|more| near(more.server, member.server) < near(server, member.server)) {
                self.expected.push(Heard::On(member.connection, id));
            }
        }
    }

    fn tell_lobbies(&mut self, except: Option<usize>, id: Id) {
        let players: BTreeSet<_> = self
            .memberships
            .iter()
            .filter(|member| member.key.1 == LOBBY)
            .map(|member| member.player)
            .collect();
        let players = players.into_iter().filter(|player| Some(*player) != except);
        self.expected.extend(players.map(|player| Heard::Anywhere(player, id)));
    }

    fn open(&mut self, member: Membership) {
        if self.memberships.contains(&member) {
            return;
        }
        let before = self.memberships(member.key, member.player);
        let people = self.people.entry(member.key).or_default();
        let (new, race) = (people.is_empty(), member.key.0.is_none());
        if !people.contains(&member.player) {
            people.push(member.player);
        }
        self.memberships.push(member);
        if new && race {
            self.owner.insert(member.key, member.player);
            self.tell_lobbies(Some(member.player), id::CHANNEL_CREATED);
        }
        self.tell_recipients(member.key, member.player, member.server, &before, id::USER_JOINED_CHANNEL);
    }

    fn close(&mut self, member: Membership) {
        let Some(at) = self.memberships.iter().position(|other| *other == member) else { return };
        self.memberships.remove(at);
        let Membership { key, player, server, .. } = member;
        let more = self.memberships(key, player);
        self.tell_recipients(key, player, server, &more, id::USER_LEFT_CHANNEL);
        if more.is_empty() {
            self.ready.remove(&(key, player));
            let people = self.people.get_mut(&key).unwrap();
            people.retain(|other| *other != player);
            if self.owner.get(&key) == Some(&player) {
                self.owner.remove(&key);
                if let Some(oldest) = people.first() {
                    self.owner.insert(key, *oldest);
                    let waits = !self.running.contains(&key);
                    for member in self.of(key).into_iter().filter(|_| waits) {
                        if self.ready.remove(&(key, member)) {
                            self.tell_others(key, usize::MAX, server, id::READY_FOR_GAME);
                        }
                    }
                    self.tell_others(key, usize::MAX, server, id::CHANNEL_MASTER);
                }
            }
        }
        let race_room = NpsServer::Room(0);
        let racing = self.memberships.iter().any(|other| other.key == key && other.server == race_room);
        if server == race_room && !racing && self.running.remove(&key) {
            self.tell_others(key, usize::MAX, server, id::GAME_SERVER_TERMINATED);
        }
        if self.of(key).is_empty() && key.0.is_none() {
            self.running.remove(&key);
            self.thrown_out.retain(|(other, _)| *other != key);
            self.tell_lobbies(None, id::CHANNEL_DELETED);
        }
    }

    /// Who is in a channel as seen from a member there, or from the server of who has none: each once, by server.
    fn seen(&self, member: Membership) -> Vec<usize> {
        let Membership { key, server, .. } = member;
        let own = key.0.is_none() || self.memberships.contains(&member);
        let keys = self.people.keys().copied();
        let seen = keys.filter(|other| {
            *other == key || (!own && server == NpsServer::Lobby && other.0.is_some() && other.1 == key.1)
        });
        let mut people = Vec::new();
        for player in seen.flat_map(|key| self.of(key)) {
            if !people.contains(&player) {
                people.push(player);
            }
        }
        people
    }

    fn owns(&self, key: Key, player: usize) -> bool {
        key.0.is_none() && self.owner.get(&key) == Some(&player)
    }
}

/// The scene, the model, and the connections of both.
struct Play<'a> {
    scene: &'a mut Scene,
    model: Model,
    connections: Vec<(ConnectionState, usize)>,
}

impl Play<'_> {
    fn member(&self, at: usize, channel: CommId) -> Membership {
        let (caller, player) = &self.connections[at];
        let key = key(caller.server, channel);
        Membership { key, connection: caller.connection, player: *player, server: caller.server }
    }

    #[allow(clippy::too_many_lines, reason = "one arm per event")]
    fn happen(&mut self, event: &Event) {
        let (at, channel) = match *event {
            Event::Connect { player, server } => {
                if self.connections.len() < 9 {
                    let (player, server) = (usize::from(player) % PLAYERS, SERVERS[usize::from(server) % 3]);
                    let caller = self.scene.connect(player, server);
                    self.connections.push((caller, player));
                }
                return;
            }
            Event::Drop { at } => (at, 0),
            Event::Open { at, channel }
            | Event::Close { at, channel }
            | Event::Ready { at, channel, .. }
            | Event::Boot { at, channel, .. }
            | Event::Start { at, channel }
            | Event::Stop { at, channel }
            | Event::Relay { at, channel, .. } => (at, channel),
        };
        if self.connections.is_empty() {
            return;
        }
        let at = usize::from(at) % self.connections.len();
        let channel = CHANNELS[usize::from(channel) % 3];
        let member = self.member(at, channel);
        let Membership { key, player, server, .. } = member;
        let model = &mut self.model;
        let in_race = key.0.is_none() && model.of(key).contains(&player);
        let caller = &mut self.connections[at].0;
        match *event {
            Event::Connect { .. } => {}
            Event::Drop { .. } => {
                let memberships = model.memberships.clone();
                let mine = memberships.into_iter().filter(|other| other.connection == member.connection);
                let (races, chats): (Vec<_>, Vec<_>) = mine.partition(|member| member.key.0.is_none());
                for member in chats.into_iter().chain(races) {
                    model.close(member);
                }
                let (caller, _) = self.connections.remove(at);
                self.scene.drop(&caller);
            }
            Event::Open { .. } => {
                let refused = model.thrown_out.contains(&(key, player));
                if !refused {
                    model.open(member);
                }
                let request = match channel {
                    LOBBY => open_lobby(LOBBY),
                    channel => race(channel, "race", "", 0),
                };
                let replies = self.scene.ask(caller, &request);
                assert!(replies.iter().any(|reply| reply.id == id::CHANNEL_GRANTED) != refused);
            }
            Event::Close { .. } => {
                model.close(member);
                self.scene.one::<ChannelClosed>(caller, &CloseCommChannel { channel });
            }
            Event::Ready { ready, .. } => {
                let news = in_race
                    && (if ready {
                        model.ready.insert((key, player))
                    } else {
                        model.ready.remove(&(key, player))
                    });
                if news {
                    model.tell_others(key, player, server, id::READY_FOR_GAME);
                }
                let flags = if ready { READY } else { NOT_READY };
                self.scene.ask(caller, &SetCommFlags { channel, flags });
            }
            Event::Boot { player: target, .. } => {
                let target = usize::from(target) % PLAYERS;
                if model.owns(key, player) && target != player {
                    let memberships = model.memberships(key, target);
                    if !memberships.is_empty() {
                        model.thrown_out.insert((key, target));
                    }
                    for member in &memberships {
                        model.expected.push(Heard::On(member.connection, id::FORCE_LEAVE_CHANNEL));
                    }
                    for member in memberships {
                        model.close(member);
                    }
                }
                let persona = self.scene.persona(target);
                self.scene.ask(caller, &BootUser { channel, persona });
            }
            Event::Start { .. } => {
                if model.owns(key, player) {
                    model.running.insert(key);
                    for id in [id::SERVER_INFO, id::USER_JOINED_CHANNEL, id::GAME_SERVER_STARTED] {
                        model.tell_others(key, player, server, id);
                    }
                }
                self.scene.ask(caller, &StartGameServer { channel, best_host: PStr::default() });
            }
            Event::Stop { .. } => {
                if model.owns(key, player) && model.running.remove(&key) {
                    model.tell_others(key, player, server, id::GAME_SERVER_TERMINATED);
                }
                self.scene.ask(caller, &TerminateGameServer { channel });
            }
            Event::Relay { kind, player: other, .. } => {
                let other = usize::from(other) % PLAYERS;
                let persona = self.scene.persona(other);
                let (id, address, to): (Id, Address, Box<dyn Fn(usize) -> bool>) = match kind % 4 {
                    0 => (Id(0x89), Address::All, Box::new(|_| true)),
                    1 => (Id(0x95), Address::Single(persona), Box::new(move |one| one == other)),
                    2 => (Id(0x97), Address::NotSingle(persona), Box::new(move |one| one != other)),
                    _ => {
                        let ready = model.ready.clone();
                        (Id(0x8d), Address::Ready, Box::new(move |one| ready.contains(&(key, one))))
                    }
                };
                if model.memberships.contains(&member) {
                    for one in model.of(key).into_iter().filter(|one| *one != player && to(*one)) {
                        model.expected.push(Heard::On(model.nearest(key, one, server).connection, id));
                    }
                }
                let sender = PersonaId(4711);
                let packet = Relay { id, channel, sender, address, payload: b"x" }.packet();
                self.scene.send(caller, &Incoming { packet, encrypted: true });
            }
        }
    }

    /// Everybody has heard exactly what it had to.
    fn compare_news(&mut self) {
        let mut heard = Vec::new();
        for (caller, player) in &self.connections {
            heard.extend(self.scene.numbers(caller).into_iter().map(|id| match id {
                id::CHANNEL_CREATED | id::CHANNEL_DELETED => Heard::Anywhere(*player, id),
                id => Heard::On(caller.connection, id),
            }));
        }
        self.scene.quiet();
        let mut expected = std::mem::take(&mut self.model.expected);
        heard.sort_unstable();
        expected.sort_unstable();
        assert_eq!(heard, expected);
    }

    /// All lists are right, whoever asks.
    fn compare_lists(&mut self) {
        for at in 0..self.connections.len() {
            for channel in CHANNELS {
                let member = self.member(at, channel);
                let key = member.key;
                let personas: Vec<_> =
                    self.model.seen(member).into_iter().map(|player| self.scene.persona(player)).collect();
                let people = self.model.of(key);
                let caller = &mut self.connections[at].0;
                let list: UserList = self.scene.one(caller, &GetUserList { channel });
                assert_eq!(list.users.iter().map(|user| user.persona).collect::<Vec<_>>(), personas);
                let list: ReadyList = self.scene.one(caller, &GetReadyList { channel });
                let listed: Vec<_> = list.records.iter().map(|r| (r.ready.0, r.master.0)).collect();
                let expected: Vec<_> = people
                    .iter()
                    .map(|one| (self.model.ready.contains(&(key, *one)), self.model.owns(key, *one)))
                    .collect();
                assert_eq!(listed, expected);
            }
            self.compare_totals(at);
        }
    }

    fn compare_totals(&mut self, at: usize) {
        let in_lobby = self.model.seen(self.member(at, LOBBY)).len();
        let (caller, player) = &mut self.connections[at];
        let list: RiffList = self.scene.one(caller, &SendRiffList {});
        let listed: Vec<_> = list
            .riffs
            .iter()
            .map(|riff| {
                let race = &riff.race;
                let counts = (race.connected_users.into(), race.ready_players.into(), race.connected.0);
                (race.channel, race.owner, counts, riff.running == 1)
            })
            .collect();
        let races =
            self.model.people.iter().filter(|((server, _), people)| server.is_none() && !people.is_empty());
        let expected: Vec<_> = races
            .map(|(key, people)| {
                let ready = self.model.ready.iter().filter(|(race, _)| race == key).count();
                let counts = (people.len(), ready, people.contains(player));
                let owner = self.scene.persona(self.model.owner[key]);
                (key.1, owner, counts, self.model.running.contains(key))
            })
            .collect();
        assert_eq!(listed, expected);
        let list: MiniRiffList = self.scene.one(caller, &SendMiniRiffList {});
        let population = list.riffs.iter().find(|riff| riff.channel == LOBBY).unwrap().population;
        assert_eq!(usize::from(population), in_lobby, "as many as are named");
    }
}

#[test]
fn the_server_and_a_small_model_never_disagree() {
    let scene = std::cell::RefCell::new(Scene::of(PLAYERS));
    let start = proptest::collection::vec((0_u8..4, 0_u8..3), 4..8);
    let events = proptest::collection::vec(event(), 1..80);
    let config = ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() };
    proptest::test_runner::TestRunner::new(config)
        .run(&(start, events), |(start, events)| {
            let mut scene = scene.borrow_mut();
            scene.forget();
            // A case that failed leaves people behind.
            scene.game.world.channels = crate::world::Channels::default();
            scene.game.world.presence = crate::world::Presence::default();
            let mut play = Play { scene: &mut scene, model: Model::default(), connections: Vec::new() };
            let start =
                start.iter().map(|(player, server)| Event::Connect { player: *player, server: *server });
            for event in start.chain(events) {
                play.happen(&event);
                play.compare_news();
                play.compare_lists();
            }
            while !play.connections.is_empty() {
                play.happen(&Event::Drop { at: 0 });
                play.compare_news();
                play.compare_lists();
            }
            assert_eq!(play.scene.game.world.population(Now::read()), 0);
            Ok(())
        })
        .unwrap();
}
