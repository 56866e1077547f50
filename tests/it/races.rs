//! Races over real sockets, the half of them that is MCOTS: from the host's wish to the bank.

use crate::support::track::ANY_TIME;
use crate::support::{PATIENCE, Server};
use mco_proto::bytes::{Bool8, Rest};
use mco_proto::ids::{BrandedPartId, DealerId, PersonaId, RaceId, SkinId, VehicleId};
use mco_proto::mcots::race::{
    CrcPreRaceData, CreateRace, FinalResults, InRaceDamage, JoinRace, RaceCreated, RaceJoined, RaceStarted,
    RacerCompleted, RacerSlot, SLOTS, StartRace,
};
use mco_proto::mcots::{Flags, GenericRequest, number};
use mcos::catalog::rules;
use mcos::client::sitting::{FirstCar, PersonaSession, Transactions};
use smol::block_on;

/// The lobby of the circuit.
const CIRCUIT: u32 = 10_001;
pub(crate) const FEE: u32 = 250;
/// The cheapest car dealer 8 sells.
const COUPE: BrandedPartId = BrandedPartId(101);
pub(crate) const MINUTE: u32 = 60 * 64;

/// Somebody at the wheel.
pub(crate) struct Racer {
    pub(crate) driver: PersonaSession,
    pub(crate) mcots: Transactions,
    pub(crate) car: VehicleId,
    /// The sequence of the last packet sent.
    sent: u32,
}

impl Racer {
    /// Signs in for the first time, with a car.
    async fn arrive(server: &Server, number: usize) -> Self {
        let (user, name) = (format!("driver{number}"), format!("Driver {number}"));
        let account = server.sign_in(&user).await;
        account.create_persona(&name).await.unwrap();
        let driver = server.driver(&user, &name).await;
        let mut mcots = Transactions::connect(&driver).await.unwrap();
        let first_car = FirstCar { dealer: DealerId(8), model: COUPE, skin: SkinId(0) };
        mcots.sign_in(Some(first_car)).await.unwrap();
        let car = mcots.cars().await.unwrap()[0].vehicle;
        Self { driver, mcots, car, sent: 0 }
    }

    /// Signs in again.
    pub(crate) async fn come_back(server: &Server, number: usize) -> Self {
        Self::sign_in(server, &format!("driver{number}"), &format!("Driver {number}")).await
    }

    /// Signs in with a driver who has a car.
    pub(crate) async fn sign_in(server: &Server, user: &str, name: &str) -> Self {
        let driver = server.driver(user, name).await;
        let mut mcots = Transactions::connect(&driver).await.unwrap();
        mcots.sign_in(None).await.unwrap();
        let car = mcots.cars().await.unwrap()[0].vehicle;
        Self { driver, mcots, car, sent: 0 }
    }

    fn slot(&self) -> RacerSlot {
        RacerSlot::human(self.driver.persona, self.car)
    }

    /// The next message that nobody asked for; it must have come through the cipher with the number we sent last.
    pub(crate) async fn pushed<M: mco_proto::mcots::Message>(&mut self) -> M {
        let incoming = self.mcots.mcots().next_within(PATIENCE).await.unwrap().expect("a push");
        assert_eq!(incoming.body.number(), Some(M::NUMBER));
        assert!(incoming.flags.has(Flags::ENCRYPTED));
        assert_eq!(incoming.sequence, self.sent);
        incoming.body.read().unwrap()
    }

    async fn join(&mut self, race: RaceId) -> RaceJoined {
        let join = JoinRace { race, vehicle: self.car, power_class: 3, padding: 0 };
        self.sent = self.mcots.mcots().send(&join).await.unwrap();
        let sent = self.sent;
        self.mcots.mcots().answer(sent).await.unwrap()
    }

    /// What a Client says between start and finish.
    pub(crate) async fn drive(&mut self, race: RaceId, time: u32) {
        let game_files = [0x14b8_7af3, 0x9e3c_a5af, 0x1df0_ea13];
        let crc = CrcPreRaceData { checksum: 0, race, game_files, opaque: Rest(vec![7; 3000]) };
        let damage = InRaceDamage::none(race);
        let finish = RacerCompleted {
            top_speed: 40,
            race,
            racer: self.driver.persona,
            time,
            best_lap: time / 2,
            average_speed: 30,
            security: 0,
            travel_map_length: 9999,
            travel_map: Rest(vec![1; 500]),
        };
        let mcots = self.mcots.mcots();
        mcots.send(&crc).await.unwrap();
        mcots.send(&damage).await.unwrap();
        self.sent = mcots.send(&finish).await.unwrap();
    }
}

pub(crate) fn wish() -> CreateRace {
    CreateRace { entry_fee: FEE, damage: Bool8(true), ..CreateRace::open_to_all(CIRCUIT, 6, 2) }
}

pub(crate) fn server(racers: usize) -> Server {
    let mut server = Server::with(ANY_TIME);
    for number in 0..racers {
        server.account(&format!("driver{number}"));
    }
    server.start();
    server
}

pub(crate) async fn arrive(server: &Server, count: usize) -> Vec<Racer> {
    let mut racers = Vec::new();
    for number in 0..count {
        racers.push(Racer::arrive(server, number).await);
    }
    racers
}

#[test]
fn each_kind_of_race_can_be_made_as_its_lobby_shows_it_and_not_otherwise() {
    let server = server(1);
    block_on(async {
        let mut host = arrive(&server, 1).await.remove(0);
        let (lobbies, _) = host.mcots.lobbies().await.unwrap();
        let mut kinds: Vec<u32> = lobbies.lobbies.iter().map(|lobby| lobby.race_type).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, [14, 16, 17, 18]);
        for lobby in lobbies.lobbies.iter() {
            let byte = |number: u16| u8::try_from(number).unwrap();
            let shown = CreateRace {
                rounds: byte(lobby.rounds.most),
                weather: Bool8(lobby.weather.enabled.0),
                traffic: Bool8(lobby.traffic.enabled.0),
                ..CreateRace::open_to_all(lobby.lobby, byte(lobby.players.most), byte(lobby.laps.most))
            };
            let created: RaceCreated = host.mcots.mcots().ask(&shown).await.unwrap();
            assert_ne!(created.race.0, 0, "{}", lobby.turf_name);
            if lobby.race_type != 14 {
                let crowd = CreateRace { most_racers: shown.most_racers + 1, ..shown };
                let refused = host.mcots.mcots().ask::<RaceCreated>(&crowd).await;
                assert!(refused.is_err(), "{}", lobby.turf_name);
            }
        }
    });
}

/// Makes a race, lets all join and starts it; the first one is the host.
pub(crate) async fn start(racers: &mut [Racer]) -> RaceId {
    let (host, joiners) = racers.split_first_mut().unwrap();
    let created: RaceCreated = host.mcots.mcots().ask(&wish()).await.unwrap();
    assert_eq!(created.entry_fee, FEE);
    let race = created.race;
    for joiner in joiners.iter_mut() {
        let joined = joiner.join(race).await;
        assert_eq!((joined.race, &joined.password), (race, &created.password));
    }
    let mut slots = [RacerSlot::NOBODY; SLOTS];
    slots[0] = host.slot();
    for (slot, joiner) in slots[1..].iter_mut().zip(joiners.iter()) {
        *slot = joiner.slot();
    }
    let start = StartRace { race, slots, multi_round_limit: 0, laps: 2, lobby_flags: 8, dial_in: [0; 2] };
    let started: RaceStarted = host.mcots.mcots().ask(&start).await.unwrap();
    assert_eq!(started.ok_to_start, 1);
    assert!(started.slots.iter().all(|slot| !slot.barred.0));
    for joiner in joiners {
        assert_eq!(joiner.pushed::<RaceStarted>().await, started);
    }
    race
}

/// Money, races entered and races won, as the bank and the history say.
async fn record(mcots: &mut Transactions) -> (u32, u32, u32) {
    let info = mcots.player_info().await.unwrap();
    let history = mcots.history().await.unwrap();
    let sum = |of: fn(&mco_proto::mcots::player::RaceRow) -> u32| history.races.iter().map(of).sum::<u32>();
    assert_eq!((info.races_entered, info.races_won), (sum(|row| row.entered), sum(|row| row.won)));
    (info.bank_balance, info.races_entered, info.races_won)
}

/// So many race to the end, in reverse order of arrival, and are paid as the table says, before and after a restart.
fn race_to_the_end(count: usize) {
    let mut server = server(count);
    let (personas, before) = block_on(async {
        let mut racers = arrive(&server, count).await;
        let mut before = Vec::new();
        for racer in &mut racers {
            before.push(record(&mut racer.mcots).await.0);
        }
        let race = start(&mut racers).await;
        for (at, racer) in racers.iter_mut().enumerate() {
            racer.drive(race, MINUTE * 2 - u32::try_from(at).unwrap()).await;
        }
        let personas: Vec<PersonaId> = racers.iter().map(|racer| racer.driver.persona).collect();
        for racer in &mut racers {
            let results: FinalResults = racer.pushed().await;
            assert_eq!((results.race, results.flags), (race, FinalResults::AGAIN));
            let order: Vec<_> = results.placements[..count].iter().map(|placement| placement.racer).collect();
            assert!(order.iter().eq(personas.iter().rev()));
            assert!(results.placements[count..].iter().all(|placement| placement.racer == PersonaId(0)));
        }
        for racer in racers {
            racer.mcots.logout().await.unwrap();
        }
        (personas, before)
    });
    assert!(server.stop().success());
    server.start();
    block_on(async {
        let purse = rules::purse(FEE, count);
        for (at, money) in before.into_iter().enumerate() {
            let driver = server.driver(&format!("driver{at}"), &format!("Driver {at}")).await;
            assert_eq!(driver.persona, personas[at]);
            let mut mcots = Transactions::connect(&driver).await.unwrap();
            mcots.sign_in(None).await.unwrap();
            let place = count - 1 - at;
            let paid = money - FEE + rules::share(purse, count, place);
            assert_eq!(record(&mut mcots).await, (paid, 1, u32::from(place == 0)), "place {place}");
            let info = mcots.player_info().await.unwrap();
            assert_eq!(info.points, rules::points(count, place));
        }
    });
}

#[test]
fn two_players_race_to_the_end_and_the_bank_remembers_it() {
    race_to_the_end(2);
}

#[test]
fn six_players_race_to_the_end_and_the_bank_remembers_it() {
    race_to_the_end(6);
}

#[test]
fn a_racer_who_drops_does_not_keep_the_others_from_their_results() {
    let server = server(3);
    block_on(async {
        let mut racers = arrive(&server, 3).await;
        let race = start(&mut racers).await;
        racers[1].drive(race, MINUTE).await;
        let host = racers.remove(0);
        let gone = host.driver.persona;
        drop(host);
        racers[1].drive(race, MINUTE + 1).await;
        for racer in &mut racers {
            let results: FinalResults = racer.pushed().await;
            assert_eq!((results.placements[2].racer, results.placements[2].time), (gone, 0));
            assert_eq!(results.placements[0].cash, rules::share(rules::purse(FEE, 3), 3, 0));
        }
        // Whoever has been there longest is the host now, and may start it again.
        let mut slots = [RacerSlot::NOBODY; SLOTS];
        slots[0] = racers[0].slot();
        let start = StartRace { race, slots, multi_round_limit: 0, laps: 2, lobby_flags: 8, dial_in: [0; 2] };
        let started: RaceStarted = racers[0].mcots.mcots().ask(&start).await.unwrap();
        assert_eq!(started.ok_to_start, 1);
        let quit = GenericRequest::body(number::RACER_LEFT_RACE, race.0);
        racers[0].sent = racers[0].mcots.mcots().send_body(quit).await.unwrap();
        let results: FinalResults = racers[0].pushed().await;
        assert_ne!(results.flags & FinalResults::VOID, 0);
    });
}
