//! Simulated racers: from making the race to the results, with the traffic of a race between them.
//!
//! Nobody has recorded a race of two. The order of steps is that of `docs/protocol/lobby-rooms.md` and
//! `docs/protocol/mcots-messages.md`: the race is made on MCOTS (230), its channel opened on a room server, the others
//! join on both, all are ready, the host starts on MCOTS (232) and on the room server (010A), all meet on the race
//! server and speak by relays, report that they are in (234), and hear the results (237).

mod traffic;

pub use traffic::{Counters, Deliveries, Faults, Traffic};

use super::error::Error;
use super::sitting::{FirstCar, LobbyConnection, PersonaSession, RaceChannel, RoomAddress, Transactions};
use crate::catalog::{RaceType, rules};
use mco_proto::bytes::{Bool8, Rest};
use mco_proto::ids::{CommId, DealerId, PartId, PersonaId, RaceId, SkinId, VehicleId};
use mco_proto::mcots::race::{
    CrcPreRaceData, CreateRace, DAMAGE_SLOTS, Damage, Damages, FinalResults, InRaceDamage, JoinRace,
    LobbyFlags, PostRaceDamage, RaceCreated, RaceJoined, RaceStarted, RacerCompleted, RacerSlot, SLOTS,
    StartRace,
};
use mco_proto::mcots::{GenericRequest, Message as _, number};
use mco_proto::nps::relay;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The dealer that sells a car to a persona that has none.
const DEALER: DealerId = DealerId(8);
/// Laps of a race.
const LAPS: u8 = 2;
/// How many packets are received between two that are sent late.
const RECEIVE_BATCH: usize = 64;
/// How long the host waits before it asks again who is ready.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// A persona with a car, signed in to MCOTS, the lobby and a room server.
#[derive(Debug)]
pub struct Racer {
    session: PersonaSession,
    mcots: Transactions,
    lobby: LobbyConnection,
    room: LobbyConnection,
    address: RoomAddress,
    car: VehicleId,
}

/// What a host asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The race lobby, as in 324.
    pub lobby: u32,
    /// Dollars each racer pays.
    pub entry_fee: u32,
    /// Whether each racer wagers the car.
    pub pink_slip: bool,
}

impl Racer {
    /// Signs in to MCOTS, the lobby and a room server. A persona that has no car yet buys the cheapest there is.
    pub async fn sign_in(session: PersonaSession, room: CommId) -> Result<Self, Error> {
        let (mcots, car) = sign_in_with_car(&session).await?;
        let mut lobby = session.lobby().await?;
        let address = lobby.server_info(room).await?;
        let room = session.room(&address).await?;
        Ok(Self { session, mcots, lobby, room, address, car })
    }

    /// The car it races with.
    pub const fn car(&self) -> VehicleId {
        self.car
    }

    /// Number of its persona.
    pub const fn persona(&self) -> PersonaId {
        self.session.persona
    }

    /// The connection to MCOTS.
    pub const fn mcots(&mut self) -> &mut Transactions {
        &mut self.mcots
    }

    /// The number of a lobby where one races in laps.
    pub async fn circuit(&mut self) -> Result<u32, Error> {
        let (lobbies, _) = self.mcots.lobbies().await?;
        let circuit = lobbies.lobbies.iter().find(|lobby| lobby.race_type == RaceType::Circuit.number());
        let circuit = circuit.map(|lobby| lobby.lobby);
        circuit.ok_or_else(|| {
            self.mcots.mcots().contradiction(number::LOBBIES, "lobbies", "there is no circuit")
        })
    }

    /// Signs out of MCOTS, leaves the persona and closes all connections.
    pub async fn sign_out(self) -> Result<(), Error> {
        let Self { session, mcots, lobby, room, .. } = self;
        drop((lobby, room));
        mcots.logout().await?;
        session.leave().await
    }

    /// 230, and the channel of the race.
    async fn host(&mut self, terms: Terms, racers: usize) -> Result<(RaceId, RaceChannel), Error> {
        let created: RaceCreated = self.mcots.mcots().ask(&request(terms, racers)).await?;
        let mut data = [0; 256];
        for (to, from) in data.iter_mut().zip(created.race.0.to_le_bytes()) {
            *to = from;
        }
        let (name, password) = (format!("Race {}", created.race), created.password.to_string());
        let mut race = RaceChannel { channel: CommId(0), name, password, data };
        race.channel = self.room.open_race(&race, self.address.endpoint.port).await?;
        Ok((created.race, race))
    }

    /// 218, the list of races, and the channel of this one.
    async fn join(&mut self, id: RaceId) -> Result<RaceChannel, Error> {
        let join = JoinRace { race: id, vehicle: self.car, power_class: 1, padding: 0 };
        let joined: RaceJoined = self.mcots.mcots().ask(&join).await?;
        let races = self.room.races().await?;
        let found = races.into_iter().find(|race| race.data.starts_with(&id.0.to_le_bytes()));
        let found = found.ok_or_else(|| self.room.no_such_race(id))?;
        let race = RaceChannel { password: joined.password.to_string(), ..found };
        self.room.open_race(&race, self.address.endpoint.port).await?;
        Ok(race)
    }
}

/// Signs in to MCOTS, with a car.
async fn sign_in_with_car(session: &PersonaSession) -> Result<(Transactions, VehicleId), Error> {
    let mut mcots = Transactions::connect(session).await?;
    mcots.sign_in(None).await?;
    if let Some(car) = mcots.cars().await?.first() {
        return Ok((mcots, car.vehicle));
    }
    let stock = Transactions::stock(&session.account.endpoints, DEALER).await?;
    let no_car = |mcots: &mut Transactions, why| {
        Err(mcots.mcots().contradiction(number::OWNED_VEHICLES_LIST, "vehicles", why))
    };
    let Some(cheapest) = stock.cars.iter().min_by_key(|car| car.price) else {
        return no_car(&mut mcots, "the persona has no car and no dealer sells one");
    };
    let mut mcots = Transactions::connect(session).await?;
    mcots.sign_in(Some(FirstCar { dealer: DEALER, model: cheapest.model, skin: SkinId(0) })).await?;
    match mcots.cars().await?.first() {
        Some(car) => Ok((mcots, car.vehicle)),
        None => no_car(&mut mcots, "the persona has no car and does not get one"),
    }
}

fn request(terms: Terms, racers: usize) -> CreateRace {
    CreateRace {
        entry_fee: terms.entry_fee,
        pink_slip: Bool8(terms.pink_slip),
        least_racers: u8::try_from(racers).unwrap_or(u8::MAX),
        damage: Bool8(true),
        ..CreateRace::open_to_all(terms.lobby, u8::try_from(SLOTS).unwrap_or(u8::MAX), LAPS)
    }
}

/// Takes racers, the first of them the host, to the start of a race, where `traffic` says what they will send.
pub async fn line_up(
    racers: Vec<Racer>,
    terms: Terms,
    traffic: &Arc<Traffic>,
) -> Result<Vec<Starter>, Error> {
    let (least, mut racers) = (racers.len(), racers.into_iter());
    let Some(host) = racers.next() else { return Ok(Vec::new()) };
    let mut grid = Grid::gather(host, racers.collect(), terms, least).await?;
    grid.ready().await?;
    grid.start(traffic).await
}

/// Racers in the room of a race that has not started.
#[derive(Debug)]
pub struct Grid {
    host: Racer,
    joiners: Vec<Racer>,
    race: RaceId,
    channel: RaceChannel,
}

impl Grid {
    /// `host` makes a race for at least so many racers, and the others join it.
    pub async fn gather(
        mut host: Racer,
        mut joiners: Vec<Racer>,
        terms: Terms,
        least: usize,
    ) -> Result<Self, Error> {
        let (race, channel) = host.host(terms, least).await?;
        for joiner in &mut joiners {
            let joined = joiner.join(race).await?;
            if joined.channel != channel.channel {
                return Err(joiner.room.no_such_race(race));
            }
        }
        Ok(Self { host, joiners, race, channel })
    }

    /// Everybody says that it is ready, and the host hears that all are.
    pub async fn ready(&mut self) -> Result<(), Error> {
        for racer in self.joiners.iter_mut().chain([&mut self.host]) {
            racer.room.ready(self.channel.channel).await?;
        }
        self.await_ready(1 + self.joiners.len()).await
    }

    /// Waits until the host hears that so many are ready.
    pub async fn await_ready(&mut self, wanted: usize) -> Result<(), Error> {
        let room = &mut self.host.room;
        let deadline = Instant::now() + self.host.session.account.endpoints.timeout;
        while room.ready_count(self.channel.channel).await? != wanted {
            if Instant::now() > deadline {
                return Err(room.not_all_ready());
            }
            smol::Timer::after(ASK_AGAIN).await;
        }
        Ok(())
    }

    /// The host closes the room. Whoever has been in it longest is the host then, if there is anybody.
    pub async fn host_leaves(self) -> Result<(Racer, Option<Self>), Error> {
        let Self { mut host, mut joiners, race, channel } = self;
        host.room.close_channel(channel.channel).await?;
        if joiners.is_empty() {
            return Ok((host, None));
        }
        let next = joiners.remove(0);
        Ok((host, Some(Self { host: next, joiners, race, channel })))
    }

    /// The host starts the race, and all go to the race server, where `traffic` says what they will send.
    pub async fn start(self, traffic: &Arc<Traffic>) -> Result<Vec<Starter>, Error> {
        let Self { mut host, mut joiners, race, channel } = self;
        start(&mut host, &mut joiners, race).await?;
        let started = Instant::now();
        host.room.start_race(channel.channel).await?;
        let racers: Vec<Racer> = std::iter::once(host).chain(joiners).collect();
        let grid: Arc<[PersonaId]> = racers.iter().map(Racer::persona).collect();
        let mut starters = Vec::new();
        for (slot, mut racer) in racers.into_iter().enumerate() {
            let address = racer.room.race_started(channel.channel).await?;
            let mut race_server = racer.session.room(&address).await?;
            race_server.open_race(&channel, address.endpoint.port).await?;
            let deliveries = Deliveries::new(Arc::clone(traffic), channel.channel, Arc::clone(&grid), slot);
            let channel = channel.channel;
            starters.push(Starter { racer, race, started, channel, race_server, slot, deliveries });
        }
        Ok(starters)
    }
}

/// Starts the race on MCOTS (232); all joiners must hear it (233).
async fn start(host: &mut Racer, joiners: &mut [Racer], race: RaceId) -> Result<(), Error> {
    let mut slots = [RacerSlot::NOBODY; SLOTS];
    let racers = std::iter::once(&*host).chain(joiners.iter());
    for (slot, racer) in slots.iter_mut().zip(racers) {
        *slot = RacerSlot::human(racer.persona(), racer.car);
    }
    let lobby_flags = LobbyFlags::DAMAGE.0 | LobbyFlags::NIGHT.0;
    let request = StartRace { race, slots, multi_round_limit: 0, laps: LAPS, lobby_flags, dial_in: [0; 2] };
    let started: RaceStarted = host.mcots.mcots().ask(&request).await?;
    if started.ok_to_start != 1 || started.slots.iter().any(|slot| slot.barred.0) {
        let why = "somebody may not race; the server's log says why";
        return Err(host.mcots.mcots().contradiction(RaceStarted::NUMBER, "slots", why));
    }
    for joiner in joiners {
        let heard: RaceStarted = joiner.mcots.pushed().await?;
        if heard != started {
            let why = "it is not what the host heard";
            return Err(joiner.mcots.mcots().contradiction(RaceStarted::NUMBER, "slots", why));
        }
    }
    Ok(())
}

/// A racer in a race that has started, connected to the race server.
#[derive(Debug)]
pub struct Starter {
    racer: Racer,
    race: RaceId,
    started: Instant,
    channel: CommId,
    race_server: LobbyConnection,
    slot: usize,
    deliveries: Deliveries,
}

impl Starter {
    /// The address of its connection to the race server, by which the server's log names it.
    pub fn address(&mut self) -> Option<SocketAddr> {
        self.race_server.nps().local()
    }

    /// What was sent and received.
    pub const fn deliveries(&self) -> &Deliveries {
        &self.deliveries
    }

    /// Sends what it has to send, at its rate, and takes in what the others send, until all of it has come or nothing
    /// came for as long as any wait may last. What is missing then, the [`Deliveries`] says.
    pub async fn drive(&mut self) -> Result<(), Error> {
        let (interval, timeout) = (self.deliveries.interval(), self.racer.session.account.endpoints.timeout);
        // Not all at the same moment.
        let shift = u32::try_from(self.slot).unwrap_or_default();
        let mut due = Instant::now() + interval * shift / 6;
        let mut news = Instant::now();
        while !self.deliveries.is_complete() {
            if !self.deliveries.has_more() || self.deliveries.is_ahead() {
                if self.hear(timeout.saturating_sub(news.elapsed())).await? {
                    news = Instant::now();
                } else {
                    return Ok(());
                }
                continue;
            }
            let now = Instant::now();
            if due > now {
                self.hear(due - now).await?;
            } else {
                due += interval;
                self.say().await?;
                for _ in 0..RECEIVE_BATCH {
                    if !self.hear(Duration::ZERO).await? {
                        break;
                    }
                }
            }
            news = Instant::now();
        }
        Ok(())
    }

    /// Sends the next packet, if there is one.
    async fn say(&mut self) -> Result<(), Error> {
        match self.deliveries.next_packet() {
            Some(packet) => self.race_server.nps().send_packet(&packet).await,
            None => Ok(()),
        }
    }

    /// Takes in the next packet on the race server; whether one came within `timeout`.
    pub async fn hear(&mut self, timeout: Duration) -> Result<bool, Error> {
        let Some(incoming) = self.race_server.nps().next_within(timeout).await? else { return Ok(false) };
        if relay::is_relay(incoming.packet.id) {
            self.deliveries.receive(&incoming.packet);
        }
        Ok(true)
    }

    /// Says that it is in after so many ticks of 1/64 s (434, 240, 234).
    pub async fn finish(&mut self, ticks: u32) -> Result<(), Error> {
        let race = self.race;
        let mcots = self.racer.mcots.mcots();
        let game_files = [1, 2, 3];
        mcots.send(&CrcPreRaceData { checksum: 0, race, game_files, opaque: Rest(vec![7; 500]) }).await?;
        let (parts, percent) = ([PartId(0); DAMAGE_SLOTS], [0; DAMAGE_SLOTS]);
        mcots.send(&InRaceDamage { race, count: 0, parts, percent }).await?;
        let finish = RacerCompleted {
            top_speed: 40,
            race,
            racer: self.racer.session.persona,
            time: ticks,
            best_lap: ticks / 2,
            average_speed: 30,
            security: 0,
            travel_map_length: 9999,
            travel_map: Rest(vec![1; 500]),
        };
        mcots.send(&finish).await.map(drop)
    }

    /// The racer's connection to MCOTS.
    pub const fn mcots(&mut self) -> &mut Transactions {
        self.racer.mcots()
    }

    /// For how long the race has gone on.
    pub fn driven(&self) -> Duration {
        self.started.elapsed()
    }

    /// Says that it is in after the time that has passed since the start, or gives up (235) if nobody can have driven the
    /// race in that time.
    pub async fn come_in(&mut self) -> Result<(), Error> {
        let ticks = self.driven().as_millis() * 64 / 1000;
        let ticks = u32::try_from(ticks).unwrap_or(u32::MAX);
        if ticks >= rules::shortest_time(RaceType::Circuit, None, LAPS) {
            return self.finish(ticks).await;
        }
        let quit = GenericRequest::body(number::RACER_LEFT_RACE, self.race.0);
        self.racer.mcots.mcots().send_body(quit).await.map(drop)
    }

    /// Says what the race did to the car: parts with their damage in percent and their wear (241). Never answered.
    pub async fn report_damage(&mut self, parts: &[(PartId, u8, u32)]) -> Result<(), Error> {
        let damages = parts.iter().map(|&(part, percent, wear)| Damage::new(part, percent, wear)).collect();
        let report = PostRaceDamage { race: self.race, parts: Damages::new(damages)? };
        self.racer.mcots.mcots().send(&report).await.map(drop)
    }

    /// Waits for the results of the race (237).
    pub async fn results(&mut self) -> Result<FinalResults, Error> {
        let results: FinalResults = self.racer.mcots.pushed().await?;
        if results.race == self.race {
            return Ok(results);
        }
        let why = format!("it is {}, not {}", results.race, self.race);
        Err(self.racer.mcots.mcots().contradiction(FinalResults::NUMBER, "race", &why))
    }

    /// Leaves the race everywhere (0105, 235).
    pub async fn leave(self) -> Result<Racer, Error> {
        let Self { mut racer, race, channel, mut race_server, .. } = self;
        race_server.close_channel(channel).await?;
        racer.room.close_channel(channel).await?;
        let quit = GenericRequest::body(number::RACER_LEFT_RACE, race.0);
        racer.mcots.mcots().send_body(quit).await?;
        Ok(racer)
    }

    /// Leaves the race by MCOTS only (235): the race server has cut it off.
    pub async fn abandon(self) -> Result<Racer, Error> {
        let Self { mut racer, race, .. } = self;
        let quit = GenericRequest::body(number::RACER_LEFT_RACE, race.0);
        racer.mcots.mcots().send_body(quit).await?;
        Ok(racer)
    }
}
