//! Whatever players do in whatever order, the server agrees with a small model of it, and money comes and goes only where
//! the rules say so.

use super::*;
use crate::store::Kind;
use mco_proto::mcots::Number;
use std::collections::{BTreeMap, BTreeSet};
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

/// What became of a racer in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Driving,
    In(u32),
    Out,
}

type Field = Vec<(usize, Fate)>;

#[derive(Clone, Debug, Default)]
struct ModelRace {
    id: RaceId,
    fee: u32,
    members: Vec<usize>,
    /// Those of them who are in the room.
    inside: BTreeSet<usize>,
    /// Those of them who have left the room.
    gone: BTreeSet<usize>,
    /// Those of them who left it just now, and not by being waited for in vain: they are forgotten after ten minutes.
    fresh: BTreeSet<usize>,
    /// Those of them who did not come in time.
    missing: BTreeSet<usize>,
    /// Those of them who were in the room and have no connection there any more.
    absent: BTreeSet<usize>,
    field: Field,
    runs: bool,
}

/// The room of a race, which may outlive the race.
#[derive(Clone, Debug, Default)]
struct ModelRoom {
    people: Vec<usize>,
    /// Who opened it, or the host of its race who came later.
    owner: Option<usize>,
    called: bool,
}

impl ModelRace {
    fn host(&self) -> Option<usize> {
        self.members.iter().find(|who| self.is_here(**who)).or(self.members.first()).copied()
    }

    fn is_here(&self, who: usize) -> bool {
        !self.gone.contains(&who) && !self.missing.contains(&who)
    }

    fn taken(&self) -> usize {
        self.members.iter().filter(|who| self.is_here(**who)).count()
    }

    /// Who was the host may have left: somebody in the room follows it, if there is one.
    fn pass_on(&mut self, host: Option<usize>) {
        let next = self.members.iter().copied().find(|who| self.is_here(*who));
        if next.is_none_or(|next| Some(next) == host || self.inside.contains(&next)) {
            return;
        }
        if let Some(at) = self.members.iter().position(|who| self.inside.contains(who)) {
            let next = self.members.remove(at);
            self.members.insert(0, next);
        }
    }

    fn forget(&mut self, who: usize) {
        self.members.retain(|member| *member != who);
        for among in [&mut self.inside, &mut self.gone, &mut self.fresh, &mut self.missing, &mut self.absent]
        {
            among.remove(&who);
        }
    }

    fn welcome(&mut self, who: usize) {
        if self.members.contains(&who) {
            if self.gone.contains(&who) {
                self.come_back(who);
            }
            return;
        }
        if self.members.len() == MOST {
            let host = self.host();
            let absent = |member: &&usize| !self.is_here(**member) && Some(**member) != host;
            let absent = *self.members.iter().find(absent).unwrap();
            self.forget(absent);
        }
        self.members.push(who);
    }

    fn come_back(&mut self, who: usize) {
        if self.is_here(who) {
            return;
        }
        for among in [&mut self.gone, &mut self.fresh, &mut self.missing, &mut self.absent] {
            among.remove(&who);
        }
        if !self.runs {
            self.members.retain(|member| *member != who);
            self.members.push(who);
        }
    }

    /// Minutes have passed: who never came to the room, or was lost on the way to the race server and did not come back, has no
    /// place any more, and who is lost in a race is waited for no longer.
    fn wait(&mut self, minutes: u64) {
        if !self.runs {
            let (host, met) = (self.host(), !self.inside.is_empty());
            let away = |who: &usize| !self.inside.contains(who) || self.absent.contains(who);
            let given_up = |who: &usize| self.is_here(*who) && away(who) && (met || Some(*who) != host);
            let given_up: Vec<usize> = self.members.iter().copied().filter(given_up).collect();
            for who in given_up {
                let was = self.inside.remove(&who);
                if was {
                    self.gone.insert(who)
                } else {
                    self.missing.insert(who)
                };
            }
            self.pass_on(host);
            // No time passes in between, so who was given up before was so a minute and a half after everything else.
            let forgotten = |who: &usize| {
                (minutes > 31 && self.gone.contains(who)) || (minutes > 10 && self.fresh.contains(who))
            };
            let forgotten: Vec<usize> = self.members.iter().copied().filter(forgotten).collect();
            for who in forgotten {
                let host = self.host();
                self.forget(who);
                self.pass_on(host);
            }
        } else if self.field.len() > 1 {
            let lost = |who: usize| self.members.contains(&who) && self.absent.contains(&who);
            let lost: Vec<usize> = self.field.iter().map(|(who, _)| *who).filter(|who| lost(*who)).collect();
            for who in lost {
                if let Some(fate) = self.awaited(who) {
                    *fate = Fate::Out;
                }
            }
        }
    }

    fn awaited(&mut self, who: usize) -> Option<&mut Fate> {
        let runs = self.runs;
        let fate = self.field.iter_mut().find(|(racer, _)| *racer == who).map(|(_, fate)| fate);
        fate.filter(|fate| runs && **fate == Fate::Driving)
    }
}

#[derive(Debug, Default)]
struct Model {
    races: Vec<ModelRace>,
    rooms: BTreeMap<RaceId, ModelRoom>,
    money: [u32; PLAYERS],
    points: [u32; PLAYERS],
    entered: [u32; PLAYERS],
    /// How many results were told.
    told: usize,
}

impl Model {
    fn of(&mut self, who: usize) -> Option<&mut ModelRace> {
        self.races.iter_mut().find(|race| race.members.contains(&who))
    }

    /// Settles what is over and forgets what is empty.
    fn settle(&mut self) {
        let mut races = std::mem::take(&mut self.races);
        for race in &mut races {
            if !race.runs || race.field.iter().any(|(_, fate)| *fate == Fate::Driving) {
                continue;
            }
            race.runs = false;
            self.told += 1;
            let humans = race.field.len();
            let mut order: Vec<(u32, usize)> = race
                .field
                .iter()
                .filter_map(|(who, fate)| match fate {
                    Fate::In(time) if *time >= rules::SHORTEST_TIME => Some((*time, *who)),
                    _ => None,
                })
                .collect();
            order.sort_by_key(|(time, _)| *time);
            if order.is_empty() {
                race.field.iter().for_each(|(who, _)| self.money[*who] += rules::fee(race.fee, humans));
                continue;
            }
            for (who, _) in &race.field {
                self.entered[*who] += 1;
            }
            // No time passes but in vain, so who is out was on the way as long as the winner; who lies did not drive.
            let out = race.field.iter().filter(|(_, fate)| *fate == Fate::Out).count();
            let raced = order.len() + out;
            for (place, (time, who)) in order.iter().copied().enumerate() {
                let purse = rules::purse_for(race.fee, humans, raced, order[0].0);
                assert!(time >= rules::FULL_PAY_TIME);
                self.money[who] += rules::share(purse, raced, place);
                self.points[who] += rules::points(raced, place);
            }
        }
        races.retain(|race| race.runs || !race.members.is_empty());
        self.races = races;
    }

    fn leave(&mut self, who: usize) {
        if let Some(race) = self.of(who) {
            if let Some(fate) = race.awaited(who) {
                *fate = Fate::Out;
            }
            let host = race.host();
            race.forget(who);
            race.pass_on(host);
        }
    }

    /// `who` is in the room of the race it is in, and in no other.
    fn enter(&mut self, who: usize) {
        self.walk(who);
        let Some((id, hosts)) = self.of(who).map(|race| (race.id, race.host() == Some(who))) else { return };
        let room = self.rooms.entry(id).or_default();
        room.people.push(who);
        if hosts || room.owner.is_none() {
            room.owner = Some(who);
        }
        self.attend(id, who);
    }

    fn walk(&mut self, who: usize) {
        let Some((id, room)) = self.rooms.iter_mut().find(|(_, room)| room.people.contains(&who)) else {
            return;
        };
        let id = *id;
        room.people.retain(|other| *other != who);
        if room.owner == Some(who) {
            room.owner = room.people.first().copied();
        }
        if room.people.is_empty() {
            self.rooms.remove(&id);
        }
        self.attend(id, who);
    }

    fn attend(&mut self, id: RaceId, who: usize) {
        let ModelRoom { people, called, .. } = self.rooms.get(&id).cloned().unwrap_or_default();
        let Some(race) = self.races.iter_mut().find(|race| race.id == id) else { return };
        if people.contains(&who) && race.members.contains(&who) {
            race.come_back(who);
            race.absent.remove(&who);
            race.inside.insert(who);
        }
        let host = race.host();
        let expected = |member: &usize| *member == who && race.is_here(who);
        let leaves = |member: &usize| race.inside.contains(member) || expected(member);
        let left = race.members.iter().copied().filter(|member| leaves(member) && !people.contains(member));
        let left: Vec<usize> = left.collect();
        race.absent.extend(&left);
        for member in left.into_iter().filter(|_| !called) {
            race.inside.remove(&member);
            race.gone.insert(member);
            race.fresh.insert(member);
        }
        race.pass_on(host);
    }

    fn call(&mut self, who: usize) {
        let mut rooms = self.rooms.values_mut();
        if let Some(room) = rooms.find(|room| room.owner == Some(who)) {
            room.called = true;
        }
    }

    fn start(&mut self, who: usize) -> bool {
        let money = self.money;
        let Some(race) = self.of(who).filter(|race| race.host() == Some(who) && !race.runs) else {
            return false;
        };
        let mut racers = race.members.clone();
        racers.retain(|racer| !race.gone.contains(racer));
        if race.inside.contains(&who) {
            racers.retain(|racer| race.inside.contains(racer));
        }
        if race.fee > 0 {
            racers.retain(|racer| !race.missing.contains(racer));
        }
        let broke =
            |racers: &[usize], fee| racers.iter().position(|who| money[*who] < rules::fee(fee, racers.len()));
        while let Some(at) = broke(&racers, race.fee) {
            racers.remove(at);
        }
        if !racers.contains(&who) {
            return false;
        }
        let fee = rules::fee(race.fee, racers.len());
        race.field = racers.iter().map(|who| (*who, Fate::Driving)).collect();
        race.runs = true;
        let gone = |who: &usize| race.gone.contains(who) || race.missing.contains(who);
        race.absent.retain(|who| !gone(who));
        for who in racers {
            self.money[who] -= fee;
        }
        true
    }
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
