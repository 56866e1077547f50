//! Races and their rooms on the lobby's side: who leaves the room has left the race.

use super::*;
use crate::world::NpsServer;
use crate::world::races::Move;
use mco_proto::ids::CommId;
use mco_proto::nps::channel::{BootUser, StartGameServer, TerminateGameServer};
use mco_proto::nps::lobby::{ChannelGranted, CloseCommChannel, Login, Name, OpenCommChannel};
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

/// A request for a room without number and password.
fn any_room() -> OpenCommChannel {
    OpenCommChannel { channel: CommId(0), ..room(RaceId(0)) }
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
            self.now(),
        );
        assert!(caller.signed_in());
        caller
    }

    /// Says something on the connection to the room server, which is made if there is none.
    pub(super) fn say(&mut self, who: usize, message: &impl Packets) -> Vec<Packet> {
        if self.racers[who].room.is_none() {
            self.racers[who].room = Some(self.sign_in(who, NpsServer::Room(1)));
        }
        let now = self.now();
        let caller = self.racers[who].room.as_mut().unwrap();
        lobby::answer(&self.game, caller, &Incoming { packet: message.packet(), encrypted: true }, now)
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
        self.lose_room(who, Move::Other);
    }

    pub(super) fn lose_room(&mut self, who: usize, how: Move) {
        if let Some(caller) = self.racers[who].room.take() {
            lobby::leave(&self.game, &caller, how, self.now());
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

    /// The password of a race's room.
    fn word(&self, race: RaceId) -> String {
        self.game.world.races.lock().get(race).unwrap().password.clone()
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

/// Which room a request was granted.
fn granted(replies: &[Packet]) -> Option<CommId> {
    let granted = replies.iter().find(|reply| reply.id == id::CHANNEL_GRANTED)?;
    Some(granted.read::<ChannelGranted>().unwrap().channel)
}

#[test]
fn who_has_joined_a_race_gets_into_its_one_room_without_number_and_password() {
    let password = |word: &str| OpenCommChannel { password: PStr::new(word).unwrap(), ..any_room() };
    // Under whatever number the host opens it: none, the race's, another with its description or only with its password.
    for hosts in 0..4 {
        for strict in [false, true] {
            let mut track = Track::with(3);
            track.game.config.compat.deny_wrong_password = strict;
            let race = track.create(0, &wish());
            let word = track.word(race);
            let request = match hosts {
                0 => password(&word),
                1 => OpenCommChannel { channel: CommId(race.0), ..password(&word) },
                2 => OpenCommChannel { password: PStr::new(&word).unwrap(), ..described(race) },
                _ => OpenCommChannel { channel: CommId(7001), ..password(&word) },
            };
            let room = granted(&track.say(0, &request)).unwrap();
            for (who, wanted) in
                [(1, any_room()), (2, OpenCommChannel { channel: CommId(race.0), ..any_room() })]
            {
                assert_eq!(track.join(who, race).number(), Some(number::RACE_JOIN_OK));
                assert_eq!(granted(&track.say(who, &wanted)), Some(room));
            }
            let people = track.game.world.channels.room(room).0;
            assert_eq!(people, [0, 1, 2].map(|who: usize| track.racers[who].id()));
            // The same on the race port, after the host has called everybody there.
            track.say(0, &StartGameServer { channel: room, best_host: PStr::constant(b"127.0.0.1") });
            track.walk(1);
            assert_eq!(granted(&track.say(1, &any_room())), Some(room));
        }
    }
}

#[test]
fn a_joiner_who_opens_the_room_before_the_host_is_not_its_host() {
    let mut track = Track::with(2);
    let race = track.create(0, &wish());
    track.join(1, race);
    let room = granted(&track.say(1, &any_room())).unwrap();
    assert_eq!(granted(&track.say(0, &any_room())), Some(room));
    let boot = |persona| BootUser { channel: room, persona };
    let [host, joiner] = [0, 1].map(|who: usize| track.racers[who].id());
    track.say(1, &boot(host));
    assert_eq!(track.game.world.channels.room(room).0.len(), 2, "the joiner throws nobody out");
    track.say(0, &boot(joiner));
    assert_eq!(track.game.world.channels.room(room).0, [host]);
}

#[test]
fn a_host_does_not_become_the_host_of_another_room_by_naming_its_race_there() {
    let mut track = Track::with(2);
    let untied = OpenCommChannel { channel: CommId(7001), ..any_room() };
    track.open(1, &untied);
    let race = track.create(0, &wish());
    track.open(0, &OpenCommChannel { channel: CommId(7001), ..described(race) });
    let owner = track.racers[1].id();
    track.say(0, &BootUser { channel: CommId(7001), persona: owner });
    assert_eq!(track.game.world.channels.room(CommId(7001)).0.len(), 2);
}

#[test]
fn who_does_not_host_the_race_throws_nobody_out_of_it() {
    let mut track = Track::with(3);
    let race = track.met(described);
    let [host, joiner] = [0, 1].map(|who: usize| track.racers[who].id());
    let channel = described(race).channel;
    // A member in the race's room, who does not host it; and a stranger.
    track.say(1, &BootUser { channel, persona: host });
    track.say(2, &BootUser { channel, persona: joiner });
    assert_eq!(track.game.world.channels.room(channel).0, [host, joiner]);
    // The host of another room that names the race: whom it throws out of that is in the race as before.
    let other = OpenCommChannel { channel: CommId(77), ..described(race) };
    track.open(1, &other);
    track.open(0, &other);
    track.say(1, &BootUser { channel: CommId(77), persona: host });
    assert_eq!((track.race_of(0), track.join(0, race).number()), (Some(race), Some(number::RACE_JOIN_OK)));
}

#[test]
fn the_room_of_a_race_is_for_those_whom_218_let_in() {
    for room in [room, described] {
        let mut track = Track::with(3);
        let race = track.met(room);
        let channel = room(race).channel;
        let word = track.word(race);
        for password in [String::new(), "wrong".to_owned(), word] {
            let password = PStr::new(&password).unwrap();
            for request in [
                OpenCommChannel { password: password.clone(), ..room(race) },
                OpenCommChannel { channel, password: password.clone(), ..any_room() },
            ] {
                assert_eq!(track.say(2, &request)[0].id, id::CHANNEL_DENIED);
            }
        }
        assert_eq!(track.game.world.channels.room(channel).0.len(), 2);
    }
}

#[test]
fn who_is_thrown_out_of_a_race_is_out_of_it_for_good_and_may_join_another() {
    for room in [room, described] {
        let mut track = Track::with(3);
        let race = track.met(room);
        let thrown_out = track.racers[1].id();
        track.say(0, &BootUser { channel: room(race).channel, persona: thrown_out });
        assert_eq!(track.race_of(1), None);
        assert_eq!(track.say(1, &room(race))[0].id, id::CHANNEL_DENIED);
        assert_eq!(track.join(1, race), refused(number::RACE_JOIN, None));
        // A room that is opened anew is still the room of the same race.
        track.walk(0);
        track.open(0, &room(race));
        assert_eq!(track.say(1, &room(race))[0].id, id::CHANNEL_DENIED);
        assert_eq!(track.join(2, race).number(), Some(number::RACE_JOIN_OK));
        let other = track.create(2, &wish());
        track.open(2, &described(other));
        assert_eq!(track.join(1, other).number(), Some(number::RACE_JOIN_OK));
        track.open(1, &described(other));
    }
}

#[test]
fn a_racer_thrown_out_while_it_drives_keeps_its_result() {
    let mut track = Track::with(2);
    let race = track.met(room);
    let slots = track.slots(&[0, 1]);
    track.start(0, race, slots);
    let persona = track.racers[1].id();
    track.say(0, &BootUser { channel: room(race).channel, persona });
    track.finish(0, race, 6401);
    let results = track.finish(1, race, 6400).unwrap();
    assert_eq!(results.order(), [1, 0].map(|who: usize| track.racers[who].id()));
    assert_eq!(track.join(1, race), refused(number::RACE_JOIN, None));
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
    lobby::answer(&track.game, &mut lobby, &open, track.now());
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
fn who_is_lost_after_the_call_keeps_the_place_for_a_minute_and_a_half() {
    let mut track = Track::with(3);
    let race = track.met(described);
    track.call(0);
    track.walk(1);
    assert!(track.pass(rules::ENTER_TIMEOUT.saturating_sub(Duration::from_secs(1))).is_none());
    assert_eq!(track.join(2, race), refused(number::RACE_JOIN, Some(number::TOO_MANY_PLAYERS)));
    track.pass(Duration::from_secs(1));
    assert_eq!(track.join(2, race).number(), Some(number::RACE_JOIN_OK));
    // Who has come back in time has it.
    track.enter(2, race);
    track.walk(2);
    track.pass(rules::ENTER_TIMEOUT / 2);
    track.enter(2, race);
    track.pass(rules::ENTER_TIMEOUT);
    assert_eq!(track.join(1, race), refused(number::RACE_JOIN, Some(number::TOO_MANY_PLAYERS)));
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
    assert_eq!(track.say(2, &other)[0].id, id::CHANNEL_DENIED);
    track.open(1, &other);
    for who in [2, 1] {
        track.open(who, &OpenCommChannel { channel: CommId(78), ..room(RaceId(78)) });
        track.say(who, &CloseCommChannel { channel: CommId(78) });
    }
    track.walk(2);
    assert_eq!(track.join(2, race), refused(number::RACE_JOIN, Some(number::TOO_MANY_PLAYERS)));
}

#[test]
fn who_closes_the_room_after_the_call_has_left_and_who_joins_instead_races() {
    let mut track = Track::with(3);
    let race = track.met(described);
    track.call(0);
    track.say(1, &CloseCommChannel { channel: described(race).channel });
    assert_eq!(track.join(2, race).number(), Some(number::RACE_JOIN_OK));
    track.enter(2, race);
    let slots = track.slots(&[0, 2]);
    let started = track.start(0, race, slots);
    assert_eq!((started.ok_to_start, started.slots[1].barred.0), (1, false));
    // Also after the run, while the race server is still called.
    track.finish(0, race, 6400);
    track.finish(2, race, 6400);
    track.say(2, &CloseCommChannel { channel: described(race).channel });
    assert_eq!(track.join(1, race).number(), Some(number::RACE_JOIN_OK));
}

#[test]
fn who_goes_to_the_race_server_by_closing_the_room_has_its_place_again_there() {
    let mut track = Track::with(2);
    let race = track.met(described);
    track.call(0);
    track.say(1, &CloseCommChannel { channel: described(race).channel });
    track.enter(1, race);
    let slots = track.slots(&[0, 1]);
    let started = track.start(0, race, slots);
    assert_eq!((started.ok_to_start, started.slots[1].barred.0), (1, false));
}

#[test]
fn who_joins_and_never_comes_keeps_the_place_for_a_minute_and_a_half() {
    let mut track = Track::with(3);
    let race = track.create(0, &CreateRace { most_racers: 2, ..wish() });
    track.enter(0, race);
    track.join(1, race);
    track.pass(rules::ENTER_TIMEOUT.saturating_sub(Duration::from_secs(1)));
    assert_eq!(track.join(2, race), refused(number::RACE_JOIN, Some(number::TOO_MANY_PLAYERS)));
    track.pass(Duration::from_secs(1));
    assert_eq!(track.join(2, race).number(), Some(number::RACE_JOIN_OK));
    assert_eq!(track.race_of(1), None);
    track.enter(2, race);
    let slots = track.slots(&[0, 2]);
    assert_eq!(track.start(0, race, slots).ok_to_start, 1);
}

#[test]
fn a_host_without_a_room_keeps_its_race_however_long_it_waits() {
    let mut track = Track::with(2);
    let race = track.create(0, &wish());
    track.pass(rules::ENTER_TIMEOUT * 2);
    track.join(1, race);
    track.pass(rules::ENTER_TIMEOUT * 2);
    let slots = track.slots(&[0, 1]);
    let started = track.start(0, race, slots);
    assert_eq!((started.ok_to_start, started.slots[1].barred.0), (1, false));
}

#[test]
fn a_racer_without_rooms_who_is_silent_for_a_minute_is_waited_for_no_longer() {
    let mut track = Track::with(2);
    let race = track.met(described);
    track.call(0);
    let slots = track.slots(&[0, 1]);
    track.start(0, race, slots);
    assert!(track.finish(0, race, 6400).is_none());
    track.walk(1);
    // A word on MCOTS is a sign of life.
    track.pass(rules::LOST_TIMEOUT.saturating_sub(Duration::from_secs(1)));
    track.ask(1, GenericRequest::body(number::KEEP_RACE_ALIVE, race.0));
    assert!(track.pass(rules::LOST_TIMEOUT.saturating_sub(Duration::from_secs(1))).is_none());
    let results = track.pass(Duration::from_secs(1)).unwrap();
    let [ann, bob] = [0, 1].map(|who| track.racers[who].id());
    assert_eq!((results.order(), results.placement(bob).flags), (vec![ann, bob], Placement::TIMED_OUT));
    assert_eq!(
        track.ask(1, finish(race, bob, 6400)),
        refused(number::RACER_COMPLETED_RACE, Some(number::RACE_TIME_ALREADY_RECEIVED))
    );
}

#[test]
fn who_comes_back_to_a_room_or_drives_alone_is_not_lost() {
    let mut track = Track::with(2);
    let race = track.met(described);
    track.call(0);
    let slots = track.slots(&[0, 1]);
    track.start(0, race, slots);
    track.finish(0, race, 6400);
    track.walk(1);
    track.enter(1, race);
    assert!(track.pass(rules::LOST_TIMEOUT * 2).is_none());
    track.quit(1, race);
    let alone = track.create(1, &wish());
    track.enter(1, alone);
    let slots = track.slots(&[1]);
    track.start(1, alone, slots);
    track.walk(1);
    assert!(track.pass(rules::LOST_TIMEOUT * 3).is_none());
}
