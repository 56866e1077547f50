//! Whatever players do in whatever order, the server agrees with a small model of it, and money comes and goes only where
//! the rules say so.

mod rules_of_races;

use super::*;
use crate::store::Kind;
use mco_proto::mcots::Number;
use rules_of_races::{Fate, Model, ModelRace};
use std::time::Duration;

const PLAYERS: usize = 4;
/// How many may be in a race.
const MOST: usize = 3;
/// Little enough to be spent on fees.
const MONEY: u32 = 300;
const FEES: [u32; 3] = [0, 100, 250];

#[derive(Clone, Debug)]
enum Deed {
    Create(usize, usize),
    Join(usize, usize),
    Start(usize),
    Finish(usize, u32),
    Quit(usize),
    Drop(usize),
    /// Enters the room of the race it is in.
    Enter(usize),
    /// The connection to the room server breaks.
    Walk(usize),
    /// Calls everybody in the room to the race server, as far as it may.
    Call(usize),
    /// So many minutes pass without a word; those who are waited for are given up.
    Wait(u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    let who = || 0..PLAYERS;
    prop_oneof![
        3 => (who(), 0..FEES.len()).prop_map(|(who, fee)| Deed::Create(who, fee)),
        6 => (who(), 0..3_usize).prop_map(|(who, race)| Deed::Join(who, race)),
        5 => who().prop_map(Deed::Start),
        8 => (who(), prop_oneof![Just(0), Just(100), 6000..6010_u32])
            .prop_map(|(who, time)| Deed::Finish(who, time)),
        2 => who().prop_map(Deed::Quit),
        2 => who().prop_map(Deed::Drop),
        5 => who().prop_map(Deed::Enter),
        3 => who().prop_map(Deed::Walk),
        1 => who().prop_map(Deed::Call),
        1 => prop_oneof![Just(5), Just(11), Just(32)].prop_map(Deed::Wait),
    ]
}

/// The server and its model.
struct Pair {
    track: Track,
    model: Model,
    told: usize,
}

impl Pair {
    fn new() -> Self {
        let mut track = Track::with(PLAYERS);
        // Times are tested elsewhere.
        track.game.config.game.check_race_times = false;
        (0..PLAYERS).for_each(|who| track.set_money(who, MONEY));
        let model = Model { money: [MONEY; PLAYERS], ..Model::default() };
        Self { track, model, told: 0 }
    }

    fn tell(&mut self, who: usize, body: Body) -> Option<Body> {
        let outcome = self.track.tell(who, body);
        self.count(&outcome.pushes);
        assert!(outcome.replies.len() <= 1);
        outcome.replies.into_iter().next().map(|reply| reply.body)
    }

    fn count(&mut self, pushes: &[Push]) {
        self.told += pushes
            .iter()
            .filter(|push| matches!(push, Push::Body(_, body) if body.number() == Some(Number(237))))
            .count();
    }

    fn apply(&mut self, deed: &Deed) {
        match *deed {
            Deed::Create(who, fee) => {
                let fee = FEES[fee];
                let wish = CreateRace { entry_fee: fee, most_racers: MOST.try_into().unwrap(), ..wish() };
                let answer = self.tell(who, wish.body()).unwrap();
                if self.model.money[who] < fee {
                    assert_eq!(answer.number(), Some(number::FAILED));
                    return;
                }
                self.model.leave(who);
                let id = answer.read::<RaceCreated>().unwrap().race;
                let members = vec![who];
                self.model.races.push(ModelRace { id, fee, members, ..ModelRace::default() });
            }
            Deed::Join(who, at) => {
                let Some(race) = self.model.races.get(at).cloned() else { return };
                let car = self.track.racers[who].car;
                let answer = self.tell(who, join(race.id, car)).unwrap();
                let host = race.host() == Some(who);
                let room = race.taken() < MOST && !race.runs;
                let welcome = race.members.contains(&who) || room;
                let welcome = welcome && (host || self.model.money[who] >= race.fee);
                let joined = answer.number() == Some(number::RACE_JOIN_OK);
                assert_eq!(joined, welcome, "{race:?}");
                if joined {
                    if !race.members.contains(&who) {
                        self.model.leave(who);
                    }
                    let race = self.model.races.iter_mut().find(|other| other.id == race.id);
                    race.unwrap().welcome(who);
                }
            }
            Deed::Start(who) => {
                let Some(race) = self.model.of(who).cloned() else { return };
                let slots = self.track.slots(&race.members);
                let answer = self.tell(who, start(race.id, slots)).unwrap();
                let started = answer.read::<RaceStarted>().map(|started| started.ok_to_start == 1);
                let started = answer.number() == Some(number::RACE_STARTED) && started == Ok(true);
                assert_eq!(started, self.model.start(who), "{race:?}");
            }
            Deed::Finish(who, time) => {
                let Some(race) = self.model.of(who).map(|race| race.id) else { return };
                let racer = self.track.racers[who].id();
                let answer = self.tell(who, finish(race, racer, time));
                let fate = self.model.of(who).and_then(|race| race.awaited(who));
                assert_eq!(answer.is_none(), fate.is_some());
                if let Some(fate) = fate {
                    *fate = Fate::In(time);
                }
            }
            Deed::Quit(who) => {
                let Some(race) = self.model.of(who) else { return };
                let (id, runs) = (race.id, race.runs);
                assert!(self.tell(who, GenericRequest::body(Number(235), id.0)).is_none());
                if !runs {
                    self.model.leave(who);
                } else if let Some(fate) = self.model.of(who).and_then(|race| race.awaited(who)) {
                    *fate = Fate::Out;
                }
            }
            Deed::Drop(who) => {
                let outcome = leave(&self.track.game, &self.track.racers[who].caller, self.track.now());
                self.count(&outcome.pushes);
                self.track.racers[who].caller = self.track.connect(&self.track.racers[who].player);
                // Who races is back at once.
                if self.model.of(who).is_some_and(|race| !race.runs) {
                    self.model.leave(who);
                }
            }
            Deed::Enter(who) => {
                self.track.walk(who);
                if let Some(race) = self.model.of(who).map(|race| race.id) {
                    self.track.enter(who, race);
                }
                self.model.enter(who);
            }
            Deed::Walk(who) => {
                self.track.walk(who);
                self.model.walk(who);
            }
            Deed::Call(who) => {
                self.track.call(who);
                self.model.call(who);
            }
            Deed::Wait(minutes) => {
                let outcome = tick(&self.track.game, self.track.now().later(Duration::from_mins(minutes)));
                self.count(&outcome.pushes);
                for race in self.model.races.iter_mut().filter(|race| race.runs) {
                    let somebody_in = race.field.iter().any(|(_, fate)| matches!(fate, Fate::In(_)));
                    if minutes > 31 || (minutes > 10 && somebody_in) {
                        for (_, fate) in race.field.iter_mut().filter(|(_, fate)| *fate == Fate::Driving) {
                            *fate = Fate::Out;
                        }
                    }
                }
                self.model.races.iter_mut().for_each(|race| race.wait(minutes));
                if minutes > 31 {
                    self.model.races.retain(|race| race.runs || !race.inside.is_empty());
                }
            }
        }
    }

    fn agree(&mut self) {
        self.model.settle();
        for who in 0..PLAYERS {
            let persona = self.track.persona(who);
            let seen = (persona.bank_balance, persona.points, persona.races_entered);
            let model = &self.model;
            assert_eq!(seen, (model.money[who], model.points[who], model.entered[who]), "player {who}");
            let races = self.track.game.world.races.lock();
            let race = races.of(persona.id).map(|race| race.id);
            drop(races);
            assert_eq!(race, self.model.of(who).map(|race| race.id), "player {who}");
        }
        for race in &self.model.races {
            let races = self.track.game.world.races.lock();
            let seen = races.get(race.id).unwrap();
            let host = race.host().map(|who| self.track.racers[who].id());
            assert_eq!(seen.host(), host, "{race:?}");
            let here = seen.members.iter().map(|member| (member.persona, member.is_here()));
            let model = race.members.iter();
            let model = model.map(|who| (self.track.racers[*who].id(), race.is_here(*who)));
            assert!(here.eq(model), "{:?} is not {race:?}", seen.members);
        }
        assert_eq!(self.track.races(), self.model.races.len());
        assert_eq!(self.told, self.model.told);
        let running = self.model.races.iter().filter(|race| race.runs).count();
        assert_eq!(self.track.game.store.races().under_way().unwrap().len(), running);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn players_in_any_order_never_bring_server_and_model_apart(
        deeds in proptest::collection::vec(deed(), 1..60)
    ) {
        let mut pair = Pair::new();
        for deed in &deeds {
            pair.apply(deed);
            pair.agree();
        }
        pair.track.ledger_is_right();
        for racer in &pair.track.racers {
            for (_, line) in pair.track.game.store.ledger().of(racer.id()).unwrap() {
                let known = matches!(
                    line.kind,
                    Kind::StarterCash | Kind::CarBought | Kind::EntryFee | Kind::Refund | Kind::Purse
                );
                prop_assert!(known, "money from {:?}", line.kind);
            }
        }
    }
}
