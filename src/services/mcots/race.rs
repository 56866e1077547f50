//! Races, from the host's wish to the pay-out.
//!
//! The rules are written down in `docs/protocol/races.md`; the numbers are in [`rules`]. No function holds the races' lock while
//! it asks the store.

mod grid;
mod results;

use super::garage::{class_of, is_roadworthy};
use super::{Answer, Refusal, Request};
use crate::catalog::{Lobby, RaceType, rules};
use crate::clock::Now;
use crate::services::{Game, Hex, Outcome};
use crate::store::{Changed, Persona, RaceError, StoreError, Ticket};
use crate::world::ConnectionId;
use crate::world::races::{Denied, Exit, Report, Settings, Unfit};
use mco_proto::ids::{BookingId, PersonaId, RaceId, VehicleId};
use mco_proto::mcots::race::{
    CrcPostRaceData, CrcPreRaceData, CrcPreRaceDataTestDrive, CreateRace, Damage, InRaceDamage, JoinRace,
    PostRaceDamage, RaceCreated, RaceJoined, RacerCompleted, StartRace, UpdateBodyDamage,
};
use mco_proto::mcots::{Body, GenericReply, GenericRequest, Message, number};
use mco_proto::text::Chars;

pub(super) use grid::start;

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        let (reason, why) = match denied {
            Denied::NoSuchRace => (Some(number::INVALID_RACE_ID), "there is no such race"),
            Denied::NotInRace => (Some(number::PERSONA_NOT_IN_RACE), "not in that race"),
            Denied::Full => (Some(number::TOO_MANY_PLAYERS), "the race is full"),
            Denied::NotHost => (None, "only the host may start it"),
            Denied::Running => (None, "the race is running"),
            Denied::NotRunning => (None, "the race is not running"),
            Denied::AlreadyReported => (Some(number::RACE_TIME_ALREADY_RECEIVED), "its result is known"),
            Denied::TooManyRaces => (None, "the server holds no more races"),
            Denied::ThrownOut => (None, "the host has thrown it out of the race"),
        };
        Self::Because(reason, why.to_owned())
    }
}

impl From<Unfit> for Refusal {
    fn from(unfit: Unfit) -> Self {
        let reason = match unfit {
            Unfit::Racers(..) | Unfit::LeastRacers(..) => Some(number::TOO_MANY_PLAYERS),
            Unfit::Levels(..) => Some(number::INVALID_DRIVER_CLASS),
            Unfit::PowerClass(_) => Some(number::INVALID_CAR_CLASS),
            Unfit::Laps(_) | Unfit::Rounds(_) | Unfit::Switch(_) => None,
        };
        Self::Because(reason, format!("the host asks for {unfit}"))
    }
}

/// Whether one races with one's own car there.
const fn own_cars(race_type: RaceType) -> bool {
    !matches!(race_type, RaceType::TestDrive | RaceType::ArcadeStunt | RaceType::ArcadeTimeTrial)
}

fn myself(request: &Request<'_>) -> Result<Persona, Refusal> {
    let persona = request.game.store.personas().by_id(request.player.persona)?;
    persona.ok_or_else(|| Refusal::because("the persona was deleted"))
}

/// Whether a garage can take so many cars more.
fn has_room(game: &Game, owner: &Persona, more: usize) -> Result<bool, StoreError> {
    let room = game.catalog.tunables().cars_room(owner.level);
    let garage = game.store.garage();
    let taken = garage.vehicles(owner.id)?.len() + garage.expected(owner.id)?.cars;
    Ok(taken.saturating_add(more) <= room)
}

/// Adds what came of something else to an answer.
fn along_with(mut answer: Outcome<Body>, other: Outcome<Body>) -> Outcome<Body> {
    answer.pushes.extend(other.pushes);
    match other.commit {
        Some(ticket) => answer.after(ticket),
        None => answer,
    }
}

/// 230: somebody wants a race. Answered by its number and the password of its room, which the host opens next.
pub(super) fn create(request: &Request<'_>, wish: &CreateRace) -> Answer {
    let host = myself(request)?;
    let Some(lobby) = request.game.catalog.lobbies().iter().find(|lobby| lobby.id == wish.lobby) else {
        return Err(Refusal::because(format!("there is no lobby {}", wish.lobby)));
    };
    let settings = terms(request, wish, lobby)?;
    if host.level < lobby.level {
        let why = format!("the host has level {}, the track takes {}", host.level, lobby.level);
        return Err(Refusal::Because(Some(number::INVALID_DRIVER_CLASS), why));
    }
    let entry_fee = settings.entry_fee;
    if entry_fee > rules::HIGHEST_FEE {
        return Err(Refusal::because(format!("a fee of {entry_fee} is more than anybody may ask")));
    }
    if entry_fee > host.bank_balance {
        return Err(Refusal::Because(
            Some(number::INSUFFICIENT_FUNDS),
            "the host can't pay the fee".to_owned(),
        ));
    }
    if settings.pink_slip {
        check_wager(request.game, &host)?;
    }
    let mut races = request.game.world.races.lock();
    // It goes to another race.
    let departed = races.leave(host.id, Exit::Quit, request.now);
    let race = races.create(host.id, request.caller.connection, settings, request.now)?;
    log::info!("race {}: made by {} in lobby {}: {settings}", race.id, request.caller, lobby.id);
    let created = RaceCreated {
        race: race.id,
        entry_fee,
        bonus_per_player: rules::BONUS_PER_PLAYER,
        password: Chars::new(&race.password)?,
        history: race.id.0,
        bonus_per_race: rules::BONUS_PER_RACE,
    };
    drop(races);
    Ok(along_with(Outcome::reply(created.body()), results::conclude_all(request.game, departed, request.now)))
}

/// The terms of a race as its host wants them, if the lobby offers them. Where nothing counts they are the nearest on offer: a test drive
/// hurts nobody.
fn terms(request: &Request<'_>, wish: &CreateRace, lobby: &Lobby) -> Result<Settings, Refusal> {
    let (nearest, unfit) = Settings::nearest(wish, lobby);
    let counts = lobby.race_type.is_race();
    match unfit {
        Some(unfit) if counts && request.game.config.compat.deny_unoffered_terms => return Err(unfit.into()),
        Some(unfit) if counts => log::warn!(
            "mcots: {} asks for {unfit}, and gets a {nearest}; see compat.deny_unoffered_terms in mcos.toml",
            request.caller
        ),
        _ => {}
    }
    Ok(Settings {
        entry_fee: if counts { wish.entry_fee } else { 0 },
        pink_slip: wish.pink_slip.0 && counts && own_cars(lobby.race_type),
        ..nearest
    })
}

/// 218: somebody has picked a race in the lobby. Answered by the password of its room.
pub(super) fn join(request: &Request<'_>, body: &JoinRace) -> Answer {
    let JoinRace { race: id, vehicle, power_class, .. } = *body;
    let joiner = myself(request)?;
    let (settings, host) = {
        let races = request.game.world.races.lock();
        let race = races.joinable(id, joiner.id)?;
        (race.settings, race.host())
    };
    if host != Some(joiner.id) {
        check_terms(&settings, &joiner, power_class)?;
    }
    if settings.pink_slip {
        check_wager(request.game, &joiner)?;
    }
    check_car(request.game, &settings, joiner.id, vehicle)?;
    let mut races = request.game.world.races.lock();
    // Somebody may have taken the last place since.
    races.joinable(id, joiner.id)?;
    let departed = match races.of(joiner.id) {
        Some(other) if other.id != id => races.leave(joiner.id, Exit::Quit, request.now),
        _ => None,
    };
    let race = races.join(id, joiner.id, request.caller.connection, vehicle, request.now)?;
    log::info!("race {id}, {settings}: joined by {} with car {vehicle}", request.caller);
    let welcome = RaceJoined { race: id, password: Chars::new(&race.password)? };
    drop(races);
    Ok(along_with(Outcome::reply(welcome.body()), results::conclude_all(request.game, departed, request.now)))
}

/// Whether a driver may wager a car: from a level on, and never the last one.
fn check_wager(game: &Game, driver: &Persona) -> Result<(), Refusal> {
    if driver.level < rules::PINK_SLIP_LEVEL {
        let why = format!("no pink slips below level {}", rules::PINK_SLIP_LEVEL);
        return Err(Refusal::Because(Some(number::INVALID_DRIVER_CLASS), why));
    }
    let garage = game.store.garage();
    let mut cars = 0;
    for car in garage.vehicles(driver.id)? {
        cars += usize::from(is_roadworthy(game, &car, &garage.parts_of(car.id)?));
    }
    if cars < 2 {
        return Err(Refusal::Because(
            Some(number::INVALID_VEHICLE),
            "the last car that drives cannot be wagered: buy another one first".to_owned(),
        ));
    }
    Ok(())
}

/// Whether a driver meets what the host asks for. The codes of power classes are not proven, so the bound is read such
/// that a misunderstanding lets too many in and not too few.
fn check_terms(settings: &Settings, joiner: &Persona, power_class: u8) -> Result<(), Refusal> {
    let (least, most) = settings.levels;
    let because = |reason, why: &str| Err(Refusal::Because(Some(reason), why.to_owned()));
    if joiner.level < least || (most > 0 && joiner.level > most) {
        return because(number::INVALID_DRIVER_CLASS, "the host asks for another level");
    }
    if settings.power_class > 0 && u32::from(power_class) > settings.power_class {
        return because(number::INVALID_CAR_CLASS, "the car is too strong for this race");
    }
    if settings.entry_fee > joiner.bank_balance {
        return because(number::INSUFFICIENT_FUNDS, "the fee is more than the persona has");
    }
    Ok(())
}

/// Whether the car is the driver's, and of the class the host asks for. What the numbers of the classes in 230 mean is not
/// proven, so as long as `compat.check_body_class` is off a car of another class is only noted in a detailed log.
fn check_car(game: &Game, settings: &Settings, driver: PersonaId, car: VehicleId) -> Result<(), Refusal> {
    if !own_cars(settings.race_type) {
        return Ok(());
    }
    match game.store.garage().vehicle(car)? {
        Some(car) if car.owner == driver => {
            let parts = game.store.garage().parts_of(car.id)?;
            if settings.race_type.is_race() && !is_roadworthy(game, &car, &parts) {
                let why = format!("car {} does not drive: a part is missing or destroyed", car.id);
                return Err(Refusal::Because(Some(number::INVALID_VEHICLE), why));
            }
            if settings.body_class == 0 {
                return Ok(());
            }
            let class = u32::from(class_of(game, &car, &parts));
            if class == 0 || class == settings.body_class {
                return Ok(());
            }
            let why =
                format!("car {} is of class {class}, the host asks for {}", car.id, settings.body_class);
            if !game.config.compat.check_body_class {
                log::debug!("mcots: persona {driver} may race nevertheless: {why}");
                return Ok(());
            }
            Err(Refusal::Because(Some(number::INVALID_CAR_CLASS), why))
        }
        _ => Err(Refusal::Because(Some(number::INVALID_VEHICLE), format!("car {car} is not the driver's"))),
    }
}

/// 234: somebody came in. No answer, but when nobody is awaited any more everybody hears the results.
pub(super) fn completed(request: &Request<'_>, finish: &RacerCompleted) -> Answer {
    let now = request.now;
    let report = Report {
        time: finish.time,
        best_lap: finish.best_lap,
        top_speed: finish.top_speed,
        average_speed: finish.average_speed,
    };
    let mut races = request.game.world.races.lock();
    races.touch(request.player.persona, request.caller.connection, now);
    let doubt = races.report(finish.race, request.player.persona, finish.racer, report, now)?;
    drop(races);
    let RacerCompleted { race, racer, time, security, .. } = *finish;
    if let Some(doubt) = doubt {
        log::warn!(
            "race {race}: {} says racer {racer} took {time}/64 s, which is {doubt}: not counted",
            request.caller
        );
    } else if security != 0 {
        log::warn!("race {race}: the Client of {} has doubts of its own: {security:#x}", request.caller);
    } else {
        log::info!("race {race}: racer {racer} is in after {time}/64 s");
    }
    Ok(results::conclude(request.game, race, request.now))
}

/// 235: somebody is out, or leaves a race that does not run.
pub(super) fn left(request: &Request<'_>, &GenericRequest { data, .. }: &GenericRequest) -> Outcome<Body> {
    let id = RaceId(data);
    let mut races = request.game.world.races.lock();
    match races.quit(id, request.player.persona, request.now) {
        Ok(()) => log::info!("race {id}: {} is out", request.caller),
        Err(denied) => log::debug!("race {id}: {} leaves it: {denied:?}", request.caller),
    }
    drop(races);
    results::conclude(request.game, id, request.now)
}

/// 448: the race goes on. Another server answered it and the Client went on (*seen in use*).
pub(super) fn keep_alive(request: &Request<'_>, body: &GenericRequest) -> Answer {
    let GenericRequest { .. } = *body;
    sign_of_life(request);
    Ok(Outcome::reply(GenericReply::success(number::KEEP_RACE_ALIVE)))
}

/// 455: what the game files add up to before a test drive. Nobody to compare it with; the answer is *inferred*.
pub(super) fn pre_test_drive(request: &Request<'_>, _: &CrcPreRaceDataTestDrive) -> Answer {
    sign_of_life(request);
    Ok(Outcome::reply(GenericReply::success(number::CRC_PRE_RACE_DATA_TEST_DRIVE)))
}

/// 434: what a racer's game files add up to. Racers with different ones may see different races, so both are told by mail, and the
/// Operator on the page *Health*: a patch set makes them the same.
pub(super) fn pre_race(request: &Request<'_>, data: &CrcPreRaceData) {
    sign_of_life(request);
    let Request { game, caller, player, now } = *request;
    let others = game.world.races.lock().compare(player.persona, data.game_files);
    for (other, same) in others {
        let news = game.world.game_files.compared(player.persona, other, same, now);
        if !same {
            log::warn!(
                "race {}: {caller} has other game files than persona {other}: they may not see the same race; see the page Patch set",
                data.race
            );
        }
        if news {
            tell_of_other_files(game, player.persona, other, now);
            tell_of_other_files(game, other, player.persona, now);
        }
    }
}

/// Nobody waits for it: there is no answer.
fn tell_of_other_files(game: &Game, reader: PersonaId, other: PersonaId, now: Now) {
    let told = game.store.personas().by_id(other).and_then(|other| match other {
        Some(other) => game.store.mails().send(reader, &results::other_files(&other.name), now).map(drop),
        None => Ok(()),
    });
    if let Err(error) = told {
        log::error!("mcots: persona {reader} cannot be told of other game files: {error}");
    }
}

/// 240: damage while racing. What counts is the report after the race.
pub(super) fn damage_update(request: &Request<'_>, _: &InRaceDamage) {
    sign_of_life(request);
}

/// 241: what the race did to the car, once for each run, as long as the car is the racer's own. It is kept when the run is settled.
pub(super) fn post_race_damage(request: &Request<'_>, report: &PostRaceDamage) {
    sign_of_life(request);
    let PostRaceDamage { race, parts } = report;
    let driver = request.player.persona;
    let mut races = request.game.world.races.lock();
    let settings = races.get(*race).map(|race| race.settings);
    let taken = settings.filter(|settings| own_cars(settings.race_type)).and_then(|settings| {
        // Where the host has switched damage off there is only wear.
        let percent = |part: &Damage| if settings.has_damage() { part.percent() } else { 0 };
        let parts = parts.iter().map(|part| (part.part, percent(part), part.wear())).collect();
        races.take_damage(*race, driver, parts)
    });
    drop(races);
    if let Some((report, settled)) = taken {
        results::damage(request.game, (*race, settled), &report);
    }
}

/// 202: the dents of the car. Not understood; a detailed log shows how it begins.
pub(super) fn body_damage(request: &Request<'_>, UpdateBodyDamage { opaque }: &UpdateBodyDamage) {
    sign_of_life(request);
    log::debug!("mcots: {} sent {}: {}", request.caller, number::UPDATE_BODY_DAMAGE, Hex(&opaque.0));
}

/// 435: what the game files add up to after the race. Not understood; a detailed log shows how it begins.
pub(super) fn post_race(request: &Request<'_>, CrcPostRaceData { opaque }: &CrcPostRaceData) {
    sign_of_life(request);
    log::debug!("mcots: {} sent {}: {}", request.caller, number::CRC_POST_RACE_DATA, Hex(&opaque.0));
}

fn sign_of_life(request: &Request<'_>) {
    let mut races = request.game.world.races.lock();
    races.touch(request.player.persona, request.caller.connection, request.now);
}

/// The connection of a player is gone. Nobody waits for it any longer, but for a moment while it races.
pub(super) fn hang_up(game: &Game, persona: PersonaId, connection: ConnectionId, now: Now) -> Outcome<Body> {
    let left = game.world.races.lock().hang_up(persona, connection, now);
    if let Some(id) = left {
        log::info!("race {id}: persona {persona} is gone");
    }
    results::conclude_all(game, left, now)
}

/// Puts racers out who did not report in time.
pub(super) fn tick(game: &Game, now: Now) -> Outcome<Body> {
    let over = game.world.races.lock().expire(now);
    for id in &over {
        log::info!("race {id}: nobody else is waited for");
    }
    refund_unsettled(game, now);
    results::conclude_all(game, over, now)
}

/// Gives back the fees of races that could not be settled, if the card takes changes again. Until then their cars stay booked.
fn refund_unsettled(game: &Game, now: Now) {
    let unsettled = game.world.races.lock().take_unsettled();
    for booking in unsettled {
        match game.store.races().refund(booking, &[], now) {
            Ok(_) => log::warn!("the fees of a race that could not be settled are given back"),
            Err(RaceError::NotUnderWay(_)) => {}
            Err(_) => game.world.races.lock().keep_unsettled(booking),
        }
    }
}

/// Gives the fees of these races back, which have no result. Returned is the ticket of what was changed, if anything was.
pub(super) fn refund(game: &Game, races: &[BookingId], now: Now) -> Result<Option<Ticket>, StoreError> {
    let mut all: Option<Ticket> = None;
    for &booking in races {
        match game.store.races().refund(booking, &[], now) {
            Ok(Changed { value: fees, ticket }) => {
                log::info!("the last run of a race was cut short; {} fees go back", fees.len());
                all = Some(match all {
                    Some(others) => others.and(ticket),
                    None => ticket,
                });
            }
            Err(RaceError::Store(error)) => return Err(error),
            // They went back before.
            Err(RaceError::NotUnderWay(_)) => {}
            Err(error) => log::warn!("{error}"),
        }
    }
    Ok(all)
}
