//! Nobody loses a fee, a car or what it is worth but by racing.

use crate::support::Server;
use crate::support::track::ANY_TIME;
use mco_proto::bytes::{Bool8, Rest};
use mco_proto::ids::{BrandedPartId, CommId, DealerId, PersonaId, RaceId, SkinId, VehicleId};
use mco_proto::mcots::garage::{AssemblyParts, PurchaseStockCar};
use mco_proto::mcots::race::{
    CreateRace, Damage, Damages, FinalResults, JoinRace, PostRaceDamage, RaceCreated, RaceJoined,
    RaceStarted, RacerCompleted, RacerSlot, SLOTS, StartRace,
};
use mco_proto::mcots::{Message as _, number};
use mcos::catalog::rules;
use mcos::client::sitting::{FirstCar, LobbyConnection, PersonaSession, RaceChannel, Transactions};
use mcos::config::Limits;
use mcos::store::Store;
use smol::block_on;
use std::time::{Duration, Instant};

const CIRCUIT: u32 = 10_001;
const COUPE: BrandedPartId = BrandedPartId(101);
const MINUTE: u32 = 60 * 64;

/// Runs it; whatever comes of it the ledger is right afterwards.
pub(crate) fn sound(server: &Server, attack: impl Future<Output = ()>) {
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| block_on(attack)));
    let report = server.must(&["ledger", "check"], "");
    assert!(report.starts_with("the ledger is right"));
    if let Err(panic) = result {
        std::panic::resume_unwind(panic);
    }
}

/// A player with a car, in a room.
pub(crate) struct Pc {
    pub(crate) who: PersonaSession,
    pub(crate) mcots: Transactions,
    pub(crate) room: LobbyConnection,
    pub(crate) port: u16,
    pub(crate) car: VehicleId,
}

/// So many players of level 5, who will have two cars each.
pub(crate) fn server(count: usize, more: &str) -> Server {
    let mut server = Server::with(&format!("{ANY_TIME}starter_cash = 90000\n{more}"));
    for at in 0..count {
        server.account(&format!("driver{at}"));
        server.persona(&format!("driver{at}"), &format!("Driver {at}"));
    }
    let store = Store::open(&server.data()).unwrap();
    for persona in store.personas().list().unwrap() {
        let changed = store.personas().update(persona.id, |record| {
            record.points = 1600;
            (record.level, record.rank) = (rules::level(1600), rules::rank(1600));
        });
        changed.unwrap().ticket.wait().unwrap();
    }
    drop(store);
    server.start();
    server
}

impl Pc {
    pub(crate) async fn arrive(server: &Server, at: usize) -> Self {
        let who = server.driver(&format!("driver{at}"), &format!("Driver {at}")).await;
        Self::arrive_as(server, who).await
    }

    pub(crate) async fn arrive_as(server: &Server, who: PersonaSession) -> Self {
        let mut mcots = Transactions::connect(&who).await.unwrap();
        mcots.sign_in(Some(FirstCar { dealer: DealerId(8), model: COUPE, skin: SkinId(0) })).await.unwrap();
        let car = mcots.cars().await.unwrap()[0].vehicle;
        let second =
            PurchaseStockCar { dealer: DealerId(8), model: COUPE, skin: SkinId(0), trade_in: VehicleId(0) };
        mcots.order(second.body()).await.unwrap();
        let port = server.ports("room")[1];
        let room = who.room(&who.room_on_lobby_host(port)).await.unwrap();
        Self { who, mcots, room, port, car }
    }

    pub(crate) async fn money(&mut self) -> u32 {
        self.mcots.player_info().await.unwrap().bank_balance
    }

    pub(crate) async fn cars(&mut self) -> Vec<VehicleId> {
        self.mcots.cars().await.unwrap().iter().map(|car| car.vehicle).collect()
    }

    /// Makes a race, and its room.
    pub(crate) async fn host(&mut self, entry_fee: u32, pink_slip: bool) -> (RaceId, RaceChannel) {
        let wish = CreateRace {
            entry_fee,
            pink_slip: Bool8(pink_slip),
            damage: Bool8(true),
            ..CreateRace::open_to_all(CIRCUIT, 6, 2)
        };
        let created: RaceCreated = self.mcots.mcots().ask(&wish).await.unwrap();
        let mut data = [0; 256];
        data[..4].copy_from_slice(&created.race.0.to_le_bytes());
        let password = created.password.to_string();
        let mut room = RaceChannel { channel: CommId(0), name: "pit".to_owned(), password, data };
        room.channel = self.room.open_race(&room, self.port).await.unwrap();
        (created.race, room)
    }

    pub(crate) async fn join(&mut self, race: RaceId, room: &RaceChannel) {
        let join = JoinRace { race, vehicle: self.car, power_class: 1, padding: 0 };
        let _: RaceJoined = self.mcots.mcots().ask(&join).await.unwrap();
        self.room.open_race(room, self.port).await.unwrap();
    }

    pub(crate) async fn start(&mut self, race: RaceId, field: &[(PersonaId, VehicleId)]) -> RaceStarted {
        let mut slots = [RacerSlot::NOBODY; SLOTS];
        for (slot, (persona, car)) in slots.iter_mut().zip(field) {
            *slot = RacerSlot::human(*persona, *car);
        }
        let start = StartRace { race, slots, multi_round_limit: 0, laps: 2, lobby_flags: 8, dial_in: [0; 2] };
        self.mcots.mcots().ask(&start).await.unwrap()
    }

    pub(crate) fn me(&self) -> (PersonaId, VehicleId) {
        (self.who.persona, self.car)
    }

    pub(crate) async fn finish(&mut self, race: RaceId, time: u32) {
        let finish = RacerCompleted {
            top_speed: 40,
            race,
            racer: self.who.persona,
            time,
            best_lap: time / 2,
            average_speed: 30,
            security: 0,
            travel_map_length: 0,
            travel_map: Rest(vec![]),
        };
        self.mcots.mcots().send(&finish).await.unwrap();
    }

    pub(crate) async fn results(&mut self) -> FinalResults {
        self.mcots.pushed().await.unwrap()
    }
}

/// The victim closes the pit (0105) and is at home; the host closes it too, and starts (232) from outside.
#[test]
fn who_has_left_the_pit_pays_nothing_when_the_host_starts_from_outside_of_it() {
    let server = server(2, "");
    sound(&server, async {
        let (mut host, mut victim) = (Pc::arrive(&server, 0).await, Pc::arrive(&server, 1).await);
        let before = victim.money().await;
        let (race, room) = host.host(1000, false).await;
        victim.join(race, &room).await;
        victim.room.close_channel(room.channel).await.unwrap();
        host.room.close_channel(room.channel).await.unwrap();
        let field = [host.me(), victim.me()];
        let started = host.start(race, &field).await;
        let paid = before - victim.money().await;
        assert_eq!((started.ok_to_start, started.slots[1].barred.0, paid), (0, true, 0));
    });
}

/// The same with a car, which it would lose in a race it does not know of.
#[test]
fn who_has_left_the_pit_of_a_pink_slip_keeps_the_car() {
    let server = server(2, "");
    sound(&server, async {
        let (mut host, mut victim) = (Pc::arrive(&server, 0).await, Pc::arrive(&server, 1).await);
        let before = victim.cars().await;
        let (race, room) = host.host(0, true).await;
        let join = JoinRace { race, vehicle: host.car, power_class: 1, padding: 0 };
        let _: RaceJoined = host.mcots.mcots().ask(&join).await.unwrap();
        victim.join(race, &room).await;
        victim.room.close_channel(room.channel).await.unwrap();
        host.room.close_channel(room.channel).await.unwrap();
        let field = [host.me(), victim.me()];
        let started = host.start(race, &field).await;
        assert_eq!((started.ok_to_start, started.slots[1].barred.0), (0, true));
        // The victim races with somebody else.
        let wish = CreateRace::open_to_all(CIRCUIT, 6, 2);
        let _: RaceCreated = victim.mcots.mcots().ask(&wish).await.unwrap();
        assert_eq!(victim.cars().await, before);
    });
}

/// The loser reports damage (241) before it reports its time (234).
#[test]
fn the_loser_of_a_pink_slip_cannot_ruin_the_car_before_it_comes_in() {
    let server = server(2, "");
    sound(&server, async {
        let (mut winner, mut loser) = (Pc::arrive(&server, 0).await, Pc::arrive(&server, 1).await);
        let (race, room) = winner.host(0, true).await;
        loser.join(race, &room).await;
        let field = [winner.me(), loser.me()];
        assert_eq!(winner.start(race, &field).await.ok_to_start, 1);
        let parts: AssemblyParts = loser.mcots.get(number::GET_ASSEMBLY_PARTS, loser.car.0).await.unwrap();
        let ruin = parts.parts.iter().map(|part| Damage::new(part.part.part, 100, 65_000)).collect();
        let report = PostRaceDamage { race, parts: Damages::new(ruin).unwrap() };
        winner.finish(race, MINUTE).await;
        loser.mcots.mcots().send(&report).await.unwrap();
        loser.finish(race, MINUTE + 64).await;
        let results = winner.results().await;
        assert_eq!(results.placements[0].racer, winner.who.persona);
        assert!(winner.cars().await.contains(&loser.car), "the winner has the car");
        let won: AssemblyParts = winner.mcots.get(number::GET_ASSEMBLY_PARTS, loser.car.0).await.unwrap();
        let ruined = won.parts.iter().filter(|part| part.part.damage == 100).count();
        let (junk, repair): (u32, u32) = won.parts.iter().fold((0, 0), |(junk, repair), part| {
            (junk + part.part.junk_price, repair + part.part.repair_price)
        });
        assert_eq!(ruined, 0, "of {} parts; junk {junk}, repair {repair}", won.parts.len());
    });
}

/// How many relays of 60 KB the cheat sends.
const SENT: usize = 400;

/// A cheat floods an opponent who loads the track and does not read meanwhile.
#[test]
fn a_flood_of_relays_costs_nobody_its_connection_or_its_car() {
    use mco_proto::nps::Id;
    use mco_proto::nps::relay::{self, Address, Relay};
    // Room for what is let through in minutes, however long the sends take here, and far too little for the flood.
    let server = server(2, "[limits]\noutbound_bytes = 8388608\n");
    sound(&server, async {
        let (mut cheat, mut victim) = (Pc::arrive(&server, 0).await, Pc::arrive(&server, 1).await);
        let (race, room) = cheat.host(0, true).await;
        victim.join(race, &room).await;
        let field = [cheat.me(), victim.me()];
        assert_eq!(cheat.start(race, &field).await.ok_to_start, 1);
        let payload = vec![7; 60_000];
        let began = Instant::now();
        for _ in 0..SENT {
            let relay = Relay {
                id: Id(0x0095),
                channel: room.channel,
                sender: cheat.who.persona,
                address: Address::Single(victim.who.persona),
                payload: &payload,
            };
            cheat.room.nps().send_packet(&relay.packet()).await.unwrap();
        }
        // The server has looked at all of them.
        cheat.room.users(room.channel).await.unwrap();
        // The server's allowance: so many bytes each second, and four times as many at once.
        let per_second = f64::from(Limits::default().relay_bytes_per_second);
        let allowed = per_second * (began.elapsed().as_secs_f64() + 4.0) / 60_000.0 + 1.0;
        let mut heard = 0;
        while let Some(incoming) = victim.room.nps().next_within(Duration::from_secs(2)).await.unwrap() {
            heard += u32::from(relay::is_relay(incoming.packet.id));
        }
        assert!(heard >= 1 && f64::from(heard) <= allowed, "{heard} of {allowed} allowed");
        victim.finish(race, MINUTE).await;
        cheat.finish(race, MINUTE + 64).await;
        let results = victim.results().await;
        assert_eq!(results.placements[0].racer, victim.who.persona);
        assert!(victim.cars().await.contains(&victim.car));
    });
}
