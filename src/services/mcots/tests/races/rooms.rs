//! Races and their rooms on the lobby's side: who leaves the room has left the race.

use super::*;
use crate::clock::Now;
use crate::world::NpsServer;
use mco_proto::ids::CommId;
use mco_proto::nps::channel::{BootUser, StartGameServer, TerminateGameServer};
use mco_proto::nps::lobby::{CloseCommChannel, Login, Name, OpenCommChannel};
use mco_proto::nps::{Incoming, Message as Packets, Packet, id};
use mco_proto::text::PStr;
use std::net::Ipv4Addr;

/// A race's room, which has the race's number.
pub(super) fn room(race: RaceId) -> OpenCommChannel {
    OpenCommChannel::enter_chat(CommId(race.0), Name::constant(b"race"), 9001, PersonaId(0)).for_race(
        [0; 256],
        PStr::default(),
        6,
    )
}

/// A room with a number of its own, which says in its description what race it is for.
fn described(race: RaceId) -> OpenCommChannel {
    let mut channel_data = [0; 256];
    channel_data[..4].copy_from_slice(&race.0.to_le_bytes());
    OpenCommChannel { channel: CommId(50_000 + race.0 % 1000), channel_data, ..room(race) }
}

impl Track {
    fn sign_in(&self, who: usize, server: NpsServer) -> lobby::ConnectionState {
        let player = &self.racers[who].player;
        let local = "10.10.5.1:9001".parse().unwrap();
        let connection = self.game.world.new_connection();
        let mut caller = lobby::ConnectionState::new(connection, server, PEER.parse().unwrap(), local);
        let (name, address) = (Name::constant(b"Dr Brown"), Ipv4Addr::new(10, 10, 5, 8));
        let login = Login::new(player.persona, name, player.customer, address, &player.key);
        lobby::answer(
            &self.game,
            &mut caller,
            &Incoming { packet: login.packet(), encrypted: false },
            Now::read(),
        );
        assert!(caller.signed_in());
        caller
    }

    /// Says something on the connection to the room server, which is made if there is none.
    pub(super) fn say(&mut self, who: usize, message: &impl Packets) -> Vec<Packet> {
        if self.racers[who].room.is_none() {
            self.racers[who].room = Some(self.sign_in(who, NpsServer::Room(1)));
        }
        let caller = self.racers[who].room.as_mut().unwrap();
        lobby::answer(
            &self.game,
            caller,
            &Incoming { packet: message.packet(), encrypted: true },
            Now::read(),
        )
        .replies
    }

    pub(super) fn open(&mut self, who: usize, room: &OpenCommChannel) {
        assert!(self.say(who, room).iter().any(|reply| reply.id == id::CHANNEL_GRANTED));
    }

    /// Enters the room of a race.
    pub(super) fn enter(&mut self, who: usize, race: RaceId) {
        self.open(who, &described(race));
    }

    /// The connection to the room server breaks, if there is one.
    pub(super) fn walk(&mut self, who: usize) {
        if let Some(caller) = self.racers[who].room.take() {
            lobby::leave(&self.game, &caller, Now::read());
        }
    }

    /// Calls everybody in each room to the race server, wherever it is the host.
    pub(super) fn call(&mut self, who: usize) {
        let races: Vec<_> = (0..self.racers.len()).filter_map(|who| self.race_of(who)).collect();
        for race in races {
            let best_host = PStr::constant(b"127.0.0.1");
            self.say(who, &StartGameServer { channel: described(race).channel, best_host });
        }
    }

    fn race_of(&self, who: usize) -> Option<RaceId> {
        self.game.world.races.lock().of(self.racers[who].id()).map(|race| race.id)
    }

    /// A race for two with its room, where both are.
    fn met(&mut self, room: fn(RaceId) -> OpenCommChannel) -> RaceId {
        let race = self.create(0, &CreateRace { most_racers: 2, ..wish() });
        self.open(0, &room(race));
        assert_eq!(self.join(1, race).number(), Some(number::RACE_JOIN_OK));
        self.open(1, &room(race));
        race
    }
}

#[test]
fn who_leaves_the_room_has_left_the_race_and_somebody_else_may_join() {
    for room in [room, described] {
        let mut track = Track::with(3);
        let race = track.met(room);
        assert_eq!(track.join(2, race), refused(number::RACE_JOIN, Some(number::TOO_MANY_PLAYERS)));
        track.say(1, &CloseCommChannel { channel: room(race).channel });
        assert_eq!(track.join(2, race).number(), Some(number::RACE_JOIN_OK));
        assert_eq!(track.race_of(1), None, "the place is taken");
        assert_eq!(track.join(1, race), refused(number::RACE_JOIN, Some(number::TOO_MANY_PLAYERS)));
        let slots = track.slots(&[0, 2]);
        assert_eq!(track.start(0, race, slots).ok_to_start, 1);
    }
}

#[test]
fn who_has_left_the_room_is_not_put_on_the_grid_and_pays_nothing() {
    let mut track = Track::with(2);
    let race = track.create(0, &CreateRace { entry_fee: 100, ..wish() });
    track.enter(0, race);
    track.join(1, race);
    track.enter(1, race);
    track.walk(1);
    let slots = track.slots(&[0, 1]);
    let started = track.start(0, race, slots);
    assert_eq!((started.ok_to_start, started.slots[1].barred.0), (1, true));
    assert_eq!(track.money(1), 20_000);
    assert!(track.finish(0, race, 6400).is_some(), "nobody else is awaited");
}

#[test]
fn a_host_who_leaves_the_room_is_followed_by_the_next_who_can_start() {
    let mut track = Track::with(3);
    let race = track.create(0, &wish());
    for who in [0, 1, 2] {
        track.join(who, race);
        track.enter(who, race);
    }
    track.walk(0);
    let slots = track.slots(&[1, 2]);
    assert_eq!(track.ask(2, start(race, slots)), refused(number::RACE_START, None));
    // It comes back, behind the others.
    track.enter(0, race);
    assert_eq!(track.ask(0, start(race, slots)), refused(number::RACE_START, None));
    assert_eq!(track.start(1, race, slots).ok_to_start, 1);
}

#[test]
fn who_comes_back_before_somebody_else_came_has_its_place_again() {
    let mut track = Track::with(3);
    let race = track.met(described);
    track.walk(1);
    track.enter(1, race);
    assert_eq!(track.join(2, race), refused(number::RACE_JOIN, Some(number::TOO_MANY_PLAYERS)));
    let slots = track.slots(&[0, 1]);
    let started = track.start(0, race, slots);
    assert_eq!((started.ok_to_start, started.slots[1].barred.0), (1, false));
}

#[test]
fn who_is_thrown_out_has_left_and_two_connections_are_left_by_the_last() {
    let mut track = Track::with(3);
    let race = track.met(room);
    let mut lobby = track.sign_in(1, NpsServer::Lobby);
    let open = Incoming { packet: room(race).packet(), encrypted: true };
    lobby::answer(&track.game, &mut lobby, &open, Now::read());
    track.walk(1);
    assert_eq!(track.join(2, race), refused(number::RACE_JOIN, Some(number::TOO_MANY_PLAYERS)));
    let persona = track.racers[1].id();
    track.say(0, &BootUser { channel: room(race).channel, persona });
    assert_eq!(track.join(2, race).number(), Some(number::RACE_JOIN_OK));
}

#[test]
fn racers_on_their_way_to_the_race_server_have_not_left() {
    let mut track = Track::with(3);
    let race = track.met(described);
    // In one order of the host's two messages everybody is on the way before MCOTS knows.
    track.call(0);
    track.walk(1);
    assert_eq!(track.join(2, race), refused(number::RACE_JOIN, Some(number::TOO_MANY_PLAYERS)));
    let slots = track.slots(&[0, 1]);
    let started = track.start(0, race, slots);
    assert_eq!((started.ok_to_start, started.slots[1].barred.0), (1, false));
    track.finish(0, race, 6400);
    assert!(track.finish(1, race, 6401).is_some());
    // It never came back, and the host ends the race.
    track.say(0, &TerminateGameServer { channel: described(race).channel });
    assert_eq!(track.join(2, race).number(), Some(number::RACE_JOIN_OK));
}

#[test]
fn leaving_the_room_of_a_running_race_takes_nothing_from_the_racer() {
    let mut track = Track::with(2);
    let race = track.met(room);
    let slots = track.slots(&[0, 1]);
    track.start(0, race, slots);
    track.walk(1);
    track.finish(0, race, 6401);
    let results = track.finish(1, race, 6400).unwrap();
    assert_eq!(results.order(), [1, 0].map(|who: usize| track.racers[who].id()));
    assert_eq!(results.receivers.len(), 2);
}

#[test]
fn the_room_of_another_race_or_of_a_stranger_costs_nobody_a_place() {
    let mut track = Track::with(3);
    let race = track.met(described);
    // A stranger opens and leaves a room that says it is for this race; so does a racer, who stays in the true one.
    let other = OpenCommChannel { channel: CommId(77), ..described(race) };
    for who in [2, 1] {
        track.open(who, &other);
        track.open(who, &OpenCommChannel { channel: CommId(78), ..room(RaceId(78)) });
        track.say(who, &CloseCommChannel { channel: CommId(78) });
    }
    track.walk(2);
    assert_eq!(track.join(2, race), refused(number::RACE_JOIN, Some(number::TOO_MANY_PLAYERS)));
}
