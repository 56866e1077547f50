//! Races among players with plain values: no sockets.

mod fairness;
mod lies;
mod model;
mod pit;
mod refusals;
mod rooms;
mod runs;
mod terms;

use super::*;
use crate::catalog::{RaceType, rules};
use crate::clock::Now;
use crate::services::lobby;
use crate::store::{NewPart, Persona};
use mco_proto::bytes::Bool8;
use mco_proto::ids::{PartId, RaceId};
use mco_proto::mcots::Number;
use mco_proto::mcots::race::{
    CreateRace, Damage, Damages, FinalResults, JoinRace, Placement, PostRaceDamage, RaceCreated, RaceJoined,
    RaceStarted, RacerCompleted, RacerSlot, SLOTS, StartRace,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// The lobby of the circuit, and that of test drives.
const CIRCUIT: u32 = 10_001;
const PROVING_GROUND: u32 = 2;

/// Somebody with a car and a connection.
struct Racer {
    player: TestPlayer,
    caller: ConnectionState,
    car: VehicleId,
    /// The connection to a room server.
    room: Option<lobby::ConnectionState>,
}

impl Racer {
    fn id(&self) -> PersonaId {
        self.player.persona
    }
}

/// A shard with some players in it, and a clock that goes on when somebody drives.
struct Track {
    game: Game,
    folder: tempfile::TempDir,
    racers: Vec<Racer>,
    /// When it was opened.
    opened: Now,
    /// The time since then.
    elapsed: Duration,
    /// When each race was started.
    started: BTreeMap<RaceId, Duration>,
}

impl Track {
    fn with(racers: usize) -> Self {
        let (game, folder) = Game::for_tests();
        let (opened, elapsed) = (Now::read(), Duration::ZERO);
        let mut track = Self { game, folder, racers: Vec::new(), opened, elapsed, started: BTreeMap::new() };
        for number in 0..racers {
            let player = track.game.player(&format!("driver{number}"), &format!("Driver {number}"), peer());
            let car = track.give_car(player.persona);
            let caller = track.connect(&player);
            track.racers.push(Racer { player, caller, car, room: None });
        }
        track
    }

    fn now(&self) -> Now {
        self.opened.later(self.elapsed)
    }

    /// Time passes, and the server notices.
    fn pass(&mut self, time: Duration) -> Option<Results> {
        self.elapsed += time;
        Results::of(&tick(&self.game, self.now()).pushes)
    }

    fn give_car(&self, owner: PersonaId) -> VehicleId {
        self.give_car_with(owner, None)
    }

    /// A Fairlane with a hood that it is not sold with.
    fn give_modified_car(&self, owner: PersonaId) -> VehicleId {
        self.give_car_with(owner, Some(BrandedPartId(40_016)))
    }

    /// A whole Fairlane, and one part more.
    fn give_car_with(&self, owner: PersonaId, more: Option<BrandedPartId>) -> VehicleId {
        let sold_with = self.game.catalog.stock_parts(BrandedPartId(104)).unwrap_or_default();
        let sold_with = sold_with.into_iter().map(|part| NewPart {
            branded_part: part.branded_part,
            parent: part.parent,
            attachment_point: part.attachment_point,
        });
        let more = more.map(|part| NewPart { branded_part: part, parent: None, attachment_point: 0 });
        let purchase = CarPurchase {
            model: BrandedPartId(104),
            skin: SkinId(47),
            flags: 0,
            car_class: 2,
            price: 0,
            parts: sold_with.chain(more).collect(),
            first_car: false,
        };
        self.game.store.garage().buy_car(owner, purchase, Now::read()).unwrap().value
    }

    fn connect(&self, player: &TestPlayer) -> ConnectionState {
        let mut caller = new_caller(&self.game);
        let body = connect(player.customer, player.persona);
        answer(&self.game, &mut caller, &Incoming { sequence: 1, flags: CLEAR, body }, Now::read());
        assert!(caller.signed_in());
        caller
    }

    fn tell(&mut self, who: usize, body: Body) -> Outcome<Outgoing> {
        let incoming = Incoming { sequence: 12, flags: SEALED, body };
        let mut outcome =
            answer(&self.game, &mut self.racers[who].caller, &incoming, self.opened.later(self.elapsed));
        if let Some(ticket) = outcome.commit.take() {
            ticket.wait().unwrap();
        }
        outcome
    }

    fn ask(&mut self, who: usize, body: Body) -> Body {
        let [reply] = <[Outgoing; 1]>::try_from(self.tell(who, body).replies).unwrap();
        reply.body
    }

    fn create(&mut self, who: usize, wish: &CreateRace) -> RaceId {
        self.ask(who, wish.body()).read::<RaceCreated>().unwrap().race
    }

    fn join(&mut self, who: usize, race: RaceId) -> Body {
        let car = self.racers[who].car;
        self.ask(who, join(race, car))
    }

    fn slots(&self, who: &[usize]) -> [RacerSlot; SLOTS] {
        let mut slots = [RacerSlot::NOBODY; SLOTS];
        for (slot, who) in slots.iter_mut().zip(who) {
            *slot = RacerSlot::human(self.racers[*who].id(), self.racers[*who].car);
        }
        slots
    }

    fn start(&mut self, who: usize, race: RaceId, slots: [RacerSlot; SLOTS]) -> RaceStarted {
        self.started.insert(race, self.elapsed);
        let body = self.ask(who, start(race, slots));
        assert_eq!(body.number(), Some(number::RACE_STARTED));
        body.read().unwrap()
    }

    /// A race that runs, with these players, the first of them as host.
    fn running(&mut self, wish: &CreateRace, who: &[usize]) -> RaceId {
        let race = self.create(who[0], wish);
        for joiner in &who[1..] {
            assert_eq!(self.join(*joiner, race).number(), Some(number::RACE_JOIN_OK));
        }
        let slots = self.slots(who);
        assert_eq!(self.start(who[0], race, slots).ok_to_start, 1);
        race
    }

    /// Lets so much time pass since the start as it takes to drive `time`.
    fn drive(&mut self, race: RaceId, time: u32) {
        let started = self.started.get(&race).copied().unwrap_or_default();
        self.elapsed = self.elapsed.max(started + Duration::from_secs(time.into()) / 64);
    }

    /// Drives, and reports the time for oneself; the results, if that was the last.
    fn finish(&mut self, who: usize, race: RaceId, time: u32) -> Option<Results> {
        self.drive(race, time);
        self.say_finished(who, race, time)
    }

    /// Reports a time for oneself, whatever the clock says.
    fn say_finished(&mut self, who: usize, race: RaceId, time: u32) -> Option<Results> {
        let racer = self.racers[who].id();
        let outcome = self.tell(who, finish(race, racer, time));
        assert!(outcome.replies.is_empty(), "{:?}", outcome.replies);
        Results::of(&outcome.pushes)
    }

    fn quit(&mut self, who: usize, race: RaceId) -> Option<Results> {
        let outcome = self.tell(who, GenericRequest::body(number::RACER_LEFT_RACE, race.0));
        assert!(outcome.replies.is_empty());
        Results::of(&outcome.pushes)
    }

    /// The connection breaks, and another is made at once.
    fn drop(&mut self, who: usize) -> Option<Results> {
        let outcome = leave(&self.game, &self.racers[who].caller, self.now());
        if let Some(ticket) = outcome.commit {
            ticket.wait().unwrap();
        }
        self.racers[who].caller = self.connect(&self.racers[who].player);
        Results::of(&outcome.pushes)
    }

    /// The connection breaks for good: a minute later nobody waits any more.
    fn vanish(&mut self, who: usize) -> Option<Results> {
        let outcome = leave(&self.game, &self.racers[who].caller, self.now());
        if let Some(ticket) = outcome.commit {
            ticket.wait().unwrap();
        }
        let results = Results::of(&outcome.pushes).or_else(|| self.pass(rules::LOST_TIMEOUT));
        self.racers[who].caller = self.connect(&self.racers[who].player);
        results
    }

    fn persona(&self, who: usize) -> Persona {
        self.game.store.personas().by_id(self.racers[who].id()).unwrap().unwrap()
    }

    fn money(&self, who: usize) -> u32 {
        self.persona(who).bank_balance
    }

    fn set_money(&self, who: usize, dollars: u32) {
        let cash = self.money(who);
        let purchase = CarPurchase {
            model: BrandedPartId(104),
            skin: SkinId(0),
            flags: 0,
            car_class: 0,
            price: cash.checked_sub(dollars).expect("less than before"),
            parts: Vec::new(),
            first_car: false,
        };
        let car = self.game.store.garage().buy_car(self.racers[who].id(), purchase, Now::read());
        assert!(car.is_ok());
    }

    /// Makes somebody a driver who may wager a car and has another one.
    fn seasoned(&self, who: usize) -> VehicleId {
        let level = rules::PINK_SLIP_LEVEL;
        let points = (level - 1).pow(2) * rules::POINTS_OF_FIRST_LEVEL;
        let seasoned = self.game.store.personas().update(self.racers[who].id(), |persona| {
            (persona.level, persona.points) = (level, points);
        });
        assert!(seasoned.is_ok());
        self.give_car(self.racers[who].id())
    }

    fn races(&self) -> usize {
        self.game.world.races.lock().len()
    }

    fn ledger_is_right(&self) {
        let report = self.game.store.ledger().check().unwrap();
        assert!(report.differences.is_empty(), "{:?}", report.differences);
    }
}

/// What everybody hears at the end.
struct Results {
    receivers: Vec<ConnectionId>,
    results: FinalResults,
}

impl Results {
    fn of(pushes: &[Push]) -> Option<Self> {
        pushes.iter().find_map(|push| match push {
            Push::Body(receivers, body) if body.number() == Some(number::RACE_FINAL_RESULTS) => {
                Some(Self { receivers: receivers.clone(), results: body.read().unwrap() })
            }
            _ => None,
        })
    }

    fn order(&self) -> Vec<PersonaId> {
        let placements = self.results.placements.iter().map(|placement| placement.racer);
        placements.filter(|racer| *racer != PersonaId(0)).collect()
    }

    fn placement(&self, racer: PersonaId) -> &Placement {
        self.results.placements.iter().find(|placement| placement.racer == racer).unwrap()
    }

    fn is_void(&self) -> bool {
        self.results.flags & FinalResults::VOID != 0
    }
}

/// A free race on the circuit for up to six, in which cars are damaged.
fn wish() -> CreateRace {
    CreateRace { damage: Bool8(true), ..CreateRace::open_to_all(CIRCUIT, 6, 2) }
}

fn join(race: RaceId, vehicle: VehicleId) -> Body {
    JoinRace { race, vehicle, power_class: 3, padding: 0 }.body()
}

fn start(race: RaceId, slots: [RacerSlot; SLOTS]) -> Body {
    StartRace { race, slots, multi_round_limit: 0, laps: 2, lobby_flags: 10, dial_in: [0; 2] }.body()
}

fn finish(race: RaceId, racer: PersonaId, time: u32) -> Body {
    let finish = RacerCompleted {
        top_speed: 40,
        race,
        racer,
        time,
        best_lap: time / 2,
        average_speed: 30,
        security: 0,
        travel_map_length: 0,
        travel_map: mco_proto::bytes::Rest::default(),
    };
    finish.body()
}

fn refused(request: Number, reason: Option<Number>) -> Body {
    GenericReply::failed(request, reason)
}
