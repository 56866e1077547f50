//! What hosts may choose, and what becomes of it.

use super::rooms::room;
use super::*;
use crate::catalog::RaceType;
use mco_proto::mcots::lists::LobbyInfo;
use mco_proto::mcots::race::LobbyFlags;
use mco_proto::nps::channel::{ChannelData, RiffList, SendRiffList, SetChannelData};

const CREATE: Number = number::CREATE_STANDARD_RACE;
const ON: Bool8 = Bool8(true);

impl Track {
    fn lobbies(&mut self) -> Vec<LobbyInfo> {
        let replies = self.tell(0, GenericRequest::body(number::GET_LOBBIES, 0)).replies;
        replies[0].body.read::<Lobbies>().unwrap().lobbies.to_vec()
    }

    fn lobby(&mut self, kind: RaceType) -> LobbyInfo {
        self.lobbies().into_iter().find(|lobby| lobby.race_type == kind.number()).unwrap()
    }

    /// A wish for a race that a Client makes of what it is shown.
    fn shown(&mut self, kind: RaceType) -> CreateRace {
        let lobby = self.lobby(kind);
        let byte = |number: u16| u8::try_from(number).unwrap();
        let free = |switch: mco_proto::mcots::lists::Switch| switch.enabled.0 || switch.default.0;
        CreateRace {
            most_racers: byte(lobby.players.most),
            laps: byte(lobby.laps.most),
            rounds: byte(lobby.rounds.most),
            weather: Bool8(free(lobby.weather)),
            night: Bool8(free(lobby.night)),
            backward: Bool8(free(lobby.backwards)),
            traffic: Bool8(free(lobby.traffic)),
            damage: ON,
            no_nitrous: ON,
            most_power: 300,
            ..CreateRace::open_to_all(lobby.lobby, 0, 0)
        }
    }
}

#[test]
fn every_kind_of_race_can_be_made_with_all_that_its_lobby_shows_and_is_kept_so() {
    for kind in [RaceType::Street, RaceType::Circuit, RaceType::Drag, RaceType::TestDrive] {
        let mut track = Track::with(1);
        let wish = track.shown(kind);
        let race = track.create(0, &wish);
        let settings = track.game.world.races.lock().get(race).unwrap().settings;
        assert_eq!((settings.lobby, settings.race_type), (wish.lobby, kind));
        assert_eq!(
            (settings.most_racers, settings.laps, settings.rounds),
            (wish.most_racers.into(), wish.laps, wish.rounds),
            "{kind:?}"
        );
        assert_eq!((settings.most_power, settings.no_nitrous, settings.has_damage()), (300, true, true));
        for (flag, asked) in [
            (LobbyFlags::WEATHER, wish.weather),
            (LobbyFlags::NIGHT, wish.night),
            (LobbyFlags::BACKWARD, wish.backward),
            (LobbyFlags::TRAFFIC, wish.traffic),
        ] {
            assert_eq!(settings.flags.has(flag), asked.0, "{kind:?}: {flag:?}");
        }
    }
}

#[test]
fn no_lobby_shows_more_places_than_can_be_taken() {
    let mut track = Track::with(1);
    assert!(track.lobbies().iter().all(|lobby| usize::from(lobby.players.most) <= SLOTS));
    assert_eq!(track.lobby(RaceType::Circuit).players.most, 6);
    assert_eq!(track.lobby(RaceType::Drag).players.most, 2);
}

#[test]
fn terms_that_a_lobby_does_not_offer_are_refused_with_the_reason_the_client_knows() {
    let mut track = Track::with(1);
    let street = track.shown(RaceType::Street);
    let unfit = [
        (CreateRace { most_racers: 8, ..wish() }, Some(number::TOO_MANY_PLAYERS)),
        (CreateRace { most_racers: 2, least_racers: 3, ..wish() }, Some(number::TOO_MANY_PLAYERS)),
        (CreateRace { least_level: 3, most_level: 2, ..wish() }, Some(number::INVALID_DRIVER_CLASS)),
        (CreateRace { power_class: 9, ..wish() }, Some(number::INVALID_CAR_CLASS)),
        (CreateRace { laps: 9, ..wish() }, None),
        (CreateRace { rounds: 200, ..wish() }, None),
        (CreateRace { traffic: ON, ..wish() }, None),
        (CreateRace { handicapped: ON, ..street }, None),
    ];
    for (wish, reason) in &unfit {
        assert_eq!(track.ask(0, wish.body()), refused(CREATE, *reason), "{wish:?}");
    }
    assert_eq!(track.races(), 0);
    track.game.config.compat.deny_unoffered_terms = false;
    for (wish, _) in &unfit {
        let race = track.create(0, wish);
        let settings = track.game.world.races.lock().get(race).unwrap().settings;
        assert!(settings.most_racers <= 6 && settings.laps <= 8 && settings.rounds <= 9, "{settings}");
    }
}

#[test]
fn what_a_test_drive_is_asked_for_hurts_nobody() {
    let mut track = Track::with(1);
    let odd = CreateRace { lobby: PROVING_GROUND, laps: 99, traffic: ON, most_racers: 200, ..wish() };
    let race = track.create(0, &odd);
    let settings = track.game.world.races.lock().get(race).unwrap().settings;
    assert_eq!((settings.laps, settings.most_racers), (0, 6));
}

#[test]
fn a_track_that_takes_a_level_is_closed_to_hosts_and_joiners_below_it() {
    let mut track = Track::with(2);
    let mut imported = crate::catalog::sample::catalogue();
    let hollow = crate::catalog::imported::Named { id: 31, name: "Hazard Hollow".to_owned() };
    imported.tracks = vec![hollow];
    track.game.catalog = crate::catalog::Catalog::of(imported);
    let lobby = track.lobbies().into_iter().find(|lobby| lobby.element == 31).unwrap();
    assert_eq!(
        (lobby.race_type, lobby.turf_name.to_string()),
        (16, "Hazard Hollow (level 15 up)".to_owned())
    );
    let closed = CreateRace { lobby: lobby.lobby, laps: 1, ..wish() };
    assert_eq!(track.ask(0, closed.body()), refused(CREATE, Some(number::INVALID_DRIVER_CLASS)));
    let host = track.racers[0].id();
    track.game.store.personas().update(host, |persona| persona.level = 15).unwrap().ticket.wait().unwrap();
    let race = track.create(0, &closed);
    assert_eq!(track.join(1, race), refused(number::RACE_JOIN, Some(number::INVALID_DRIVER_CLASS)));
}

#[test]
fn a_start_does_not_change_what_was_agreed_and_its_rounds_come_back_with_the_results() {
    let mut track = Track::with(2);
    let wish = CreateRace { most_racers: 2, rounds: 0, handicapped: ON, ..track.shown(RaceType::Drag) };
    let race = track.create(0, &wish);
    track.join(1, race);
    let agreed = track.game.world.races.lock().get(race).unwrap().settings;
    let slots = track.slots(&[0, 1]);
    let start = StartRace { race, slots, multi_round_limit: 3, laps: 7, lobby_flags: 0x7f, dial_in: [0, 64] };
    for (round, winners) in [(1, 0b1), (2, 0b11)] {
        track.started.insert(race, track.elapsed);
        assert_eq!(track.ask(0, start.body()).read::<RaceStarted>().unwrap().ok_to_start, 1);
        let kept = track.game.world.races.lock().get(race).unwrap().clone();
        assert_eq!((kept.settings, kept.rounds.limit, kept.rounds.dial_in), (agreed, 3, [0, 64]));
        track.finish(0, race, 1000);
        let results = track.finish(1, race, 900).unwrap().results;
        assert_eq!((results.rounds, results.round_winners), (round, winners));
        assert_eq!(results.flags, FinalResults::AGAIN);
    }
}

#[test]
fn where_damage_is_switched_off_there_is_only_wear() {
    let mut track = Track::with(1);
    let race = track.running(&CreateRace { damage: Bool8(false), ..wish() }, &[0]);
    let part = track.game.store.garage().parts_of(track.racers[0].car).unwrap()[0].clone();
    let parts = Damages::new(vec![Damage::new(part.id, 50, 0x123)]).unwrap();
    track.tell(0, PostRaceDamage { race, parts }.body());
    track.finish(0, race, 6400);
    let part = track.game.store.garage().parts_of(track.racers[0].car).unwrap()[0].clone();
    assert_eq!((part.damage, part.wear), (0, 0x123));
}

/// A description that says which race it is of, and something else.
fn described(race: RaceId, first: u8) -> ChannelData {
    let mut data = [0; 256];
    data[..4].copy_from_slice(&race.0.to_le_bytes());
    data[4] = first;
    data
}

#[test]
fn a_room_shows_what_its_race_was_made_with_and_keeps_it() {
    let mut track = Track::with(2);
    let race = track.create(0, &CreateRace { most_racers: 3, ..wish() });
    track.enter(0, race);
    let list = |track: &mut Track| {
        let riffs = track.say(1, &SendRiffList {})[0].read::<RiffList>().unwrap().riffs;
        (riffs[0].race.data, riffs[0].race.max_ready_players, riffs[0].race.channel)
    };
    let (first, most, channel) = list(&mut track);
    assert_eq!((first, most), (described(race, 0), 3));
    track.say(0, &SetChannelData { channel, data: described(race, 9) });
    assert_eq!(list(&mut track).0, first);
    track.game.config.compat.fixed_descriptions = false;
    track.say(0, &SetChannelData { channel, data: described(race, 9) });
    assert_eq!(list(&mut track).0, described(race, 9));
}

#[test]
fn a_room_without_description_gets_its_first() {
    let mut track = Track::with(1);
    let race = track.create(0, &wish());
    track.open(0, &room(race));
    let channel = room(race).channel;
    for first in [1, 2] {
        track.say(0, &SetChannelData { channel, data: described(race, first) });
        let riffs = track.say(0, &SendRiffList {})[0].read::<RiffList>().unwrap().riffs;
        assert_eq!(riffs[0].race.data, described(race, 1));
    }
}

#[test]
fn whoever_comes_in_has_driven_laps_times_the_length_that_is_known_and_nobody_else() {
    let mut track = Track::with(2);
    let drive = |track: &mut Track| {
        let race = track.running(&wish(), &[0, 1]);
        track.finish(0, race, 60 * 64);
        track.quit(1, race).unwrap();
        [0, 1].map(|who| {
            track.game.store.results().of_persona(track.racers[who].id()).unwrap().totals.of_all_time().metres
        })
    };
    assert_eq!(drive(&mut track), [0, 0], "nobody knows how long this track is");
    track.game.config = crate::config::Config::parse("[game]\ntrack_lengths = { 25 = 3200 }").unwrap();
    assert_eq!(drive(&mut track), [2 * 3200, 0]);
    let length = |turf: &str| {
        let found = track.game.catalog.lobbies().iter().find(|lobby| lobby.turf == turf).unwrap();
        track.game.lap_length(found)
    };
    assert_eq!([length("Harbor Loop"), length("Harbor Drag Strip")], [Some(3200), Some(402)]);
}
