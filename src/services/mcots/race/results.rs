//! The end of a race: places, money, points, cars, and the news of them.

use super::{Game, along_with, own_cars};
use crate::catalog::rules;
use crate::clock::Now;
use crate::services::{Outcome, Push};
use crate::store::{
    Changed, Letter, Payout, RaceError, RaceTerms, RacerResult, Settled, Settlement, Sheet, StoreError,
    Uncounted,
};
use crate::world::races::{self, DamageReport, Doubt, Driver, Exit, Place, Race, Rounds, Settings};
use mco_proto::ids::{BookingId, PersonaId, RaceId, VehicleId};
use mco_proto::mcots::race::{FinalResults, Placement, SLOTS};
use mco_proto::mcots::{Body, Message};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Settles those of these races that are over.
pub(super) fn conclude_all(game: &Game, ids: impl IntoIterator<Item = RaceId>, now: Now) -> Outcome<Body> {
    let outcomes = ids.into_iter().map(|id| conclude(game, id, now));
    outcomes.fold(Outcome::silence(), along_with)
}

/// Settles a race that is over, once, and tells everybody who drove it. Nothing if it is not over.
pub(super) fn conclude(game: &Game, id: RaceId, now: Now) -> Outcome<Body> {
    let finished = game.world.races.lock().finish(id);
    let Some((race, booking)) = finished else { return Outcome::silence() };
    let Some(booking) = booking.filter(|_| race.settings.race_type.is_race()) else {
        log::info!("race {id}: a test drive is over");
        // Nothing happens to cars that are only tried.
        game.world.races.lock().settled(id);
        return Outcome::silence();
    };
    for starter in race.field.iter().filter(|starter| starter.doubt == Some(Doubt::AtOdds)) {
        let time = starter.report().unwrap_or_default().time;
        log::warn!(
            "race {id}: the time {time}/64 s of {:?} is {}: not counted",
            starter.driver,
            Doubt::AtOdds
        );
    }
    let places = Place::order(&race.field);
    let settled = settle(game, &race, booking, &places, now);
    let (flags, outcome) = match settled {
        Ok((flags, Changed { value, ticket })) => {
            let results = results(&race, flags | FinalResults::AGAIN, &places, &value);
            (flags, Outcome::silence().after(ticket).push(tell(&race, &results)))
        }
        Err(error) => {
            log::error!("race {id}: cannot be settled, its fees go back as soon as possible: {error}");
            game.world.races.lock().keep_unsettled(booking);
            let flags = FinalResults::VOID;
            (flags, Outcome::silence().push(tell(&race, &results(&race, flags, &places, &[]))))
        }
    };
    let late = game.world.races.lock().settled(id);
    race.damage.iter().chain(&late).for_each(|report| damage(game, (id, flags == 0), report));
    let how = if flags == 0 { "settled" } else { "void" };
    let Rounds { completed, limit, dial_in, .. } = race.rounds;
    let series =
        if completed > 0 { format!(", round {completed} of {}", limit.max(1)) } else { String::new() };
    let head_start = if dial_in == [0; 2] { String::new() } else { format!(", head start {dial_in:?}/64 s") };
    log::info!("race {id}: {how}, {} racers{series}{head_start}", race.field.len());
    outcome
}

fn tell(race: &Race, results: &FinalResults) -> Push {
    Push::Body(race.audience(), Arc::new(results.body()))
}

/// Pays, or gives the fees back if no human came in in a time that counts. The final flags, and what became of each.
fn settle(
    game: &Game,
    race: &Race,
    booking: BookingId,
    places: &[Place],
    now: Now,
) -> Result<(u8, Changed<Vec<Settled>>), RaceError> {
    let void = !places.iter().any(|place| human(place).is_some() && place.place.is_some());
    if void {
        let refunded = game.store.races().refund(booking, &uncounted(places), now)?;
        let standings = places.iter().filter_map(|place| standing(game, human(place)?.0).transpose());
        let value = standings.collect::<Result<_, _>>()?;
        let cheated = places.iter().any(|place| doubtful(place).is_some());
        let flag = if cheated { FinalResults::VOID_CHEATING } else { FinalResults::VOID };
        return Ok((flag, Changed { value, ticket: refunded.ticket }));
    }
    let settled = game.store.races().settle(booking, &settlement(game, race, places)?, now)?;
    Ok((0, settled))
}

/// What each racer gets.
fn settlement(game: &Game, race: &Race, places: &[Place]) -> Result<Settlement, StoreError> {
    let (humans, raced) = (humans(places), raced(places));
    let purse = rules::purse_for(race.settings.entry_fee, humans, raced, winning_time(places));
    let racers = places.len() - humans + raced;
    let payouts: Vec<Payout> = places
        .iter()
        .filter_map(|place| {
            let (persona, _) = human(place)?;
            Some(Payout {
                persona,
                cash: place.place.map_or(0, |at| rules::share(purse, racers, at)),
                points: points(places, place),
                place: place.place,
            })
        })
        .collect();
    let wagered = race.settings.pink_slip && payouts.iter().any(|payout| payout.place == Some(0));
    let losers = places.iter().filter(|place| wagered && place.place != Some(0));
    Ok(Settlement {
        race_type: race.settings.race_type.number(),
        racers: places.len(),
        payouts,
        cars_lost: losers.filter_map(human).collect(),
        uncounted: uncounted(places),
        sheet: sheet(game, race, places)?,
        standing: |points| (rules::level(points), rules::rank(points)),
        letter,
    })
}

/// What is kept of the race.
fn sheet(game: &Game, race: &Race, places: &[Place]) -> Result<Sheet, StoreError> {
    let Settings { lobby, entry_fee, pink_slip, laps, flags, no_nitrous, .. } = race.settings;
    let round = race.rounds.completed;
    let terms = RaceTerms { entry_fee, pink_slip, laps, round, flags: flags.0, no_nitrous };
    let racers = places.iter().map(|place| racer_result(game, race, place)).collect::<Result<_, _>>()?;
    let arranged_in = game.catalog.lobbies().iter().find(|known| known.id == lobby);
    let lap = arranged_in.and_then(|lobby| game.lap_length(lobby)).unwrap_or_default();
    // Where there are no laps to choose it is driven once.
    let metres = lap.saturating_mul(laps.max(1).into());
    Ok(Sheet { lobby, terms, metres, racers })
}

/// What is kept of a racer, as far as it was driven.
fn racer_result(game: &Game, race: &Race, place: &Place) -> Result<RacerResult, StoreError> {
    let Placement { racer, time, best_lap, .. } = driven(place);
    let timed_out = place.starter.outcome == Some(races::Outcome::Out(Exit::TimedOut));
    let flags = [(timed_out, RacerResult::TIMED_OUT), (doubtful(place).is_some(), RacerResult::NOT_COUNTED)];
    let flags = flags.into_iter().filter(|(set, _)| *set).fold(0, |flags, (_, flag)| flags | flag);
    let own = human(place).filter(|_| own_cars(race.settings.race_type));
    let car = own.map(|(_, car)| game.store.garage().vehicle(car)).transpose()?.flatten();
    let place_from_one = place.place.and_then(|at| u8::try_from(at + 1).ok());
    let damage = place.starter.damage;
    let result = RacerResult {
        persona: racer,
        place: place_from_one,
        time,
        best_lap,
        damage,
        flags,
        ..RacerResult::default()
    };
    Ok(match car {
        Some(car) => RacerResult { car: Some(car.id), model: car.model, class: car.car_class, ..result },
        None => result,
    })
}

/// What a racer finds in the mail. Titles hold 30 characters, texts 255.
fn letter(race: &Settlement, payout: &Payout, settled: &Settled) -> Letter {
    let title = match payout.place {
        Some(at) => format!("Race: place {} of {}", at + 1, race.racers),
        None => "Race: not finished".to_owned(),
    };
    let grown = if settled.level.1 > settled.level.0 { " A new level: the garage has grown." } else { "" };
    let cars = match (settled.cars_won, settled.cars_lost) {
        (0, 0) => "",
        (_, 0) => " What the others wagered stands in your garage.",
        _ => " Your car belongs to the winner now.",
    };
    let text = format!(
        "You won {} dollars and {} points. That makes {} points: level {}, rank {}.{grown}{cars}",
        settled.cash, payout.points, settled.points, settled.level.1, settled.rank.1
    );
    race_control(title, text)
}

/// Keeps what a run did to a car, as its driver says. A car that has changed hands stays as it was: whoever lost it could have said anything
/// of it.
pub(super) fn damage(game: &Game, run: (RaceId, bool), report: &DamageReport) {
    let (race, DamageReport { driver, car, parts }) = (run.0, report);
    // Nobody waits for it: there is no answer.
    match game.store.races().damage(run, *driver, *car, parts) {
        Ok(damaged) => log::debug!("race {race}: {} parts of car {car} are the worse for it", damaged.value),
        Err(error) => log::error!("race {race}: the damage of car {car} cannot be kept: {error}"),
    }
}

fn human(place: &Place) -> Option<(PersonaId, VehicleId)> {
    match place.starter.driver {
        Driver::Human { persona, vehicle } => Some((persona, vehicle)),
        Driver::Ai(_) => None,
    }
}

fn humans(places: &[Place]) -> usize {
    places.iter().filter(|place| human(place).is_some()).count()
}

/// How many of them drove for what they are paid: who came in in a time that counts, or was on the way when half the time had passed that
/// the winner took to come in. Who gives up at once makes no race out of a drive alone.
fn raced(places: &[Place]) -> usize {
    let winner = winner(places).map(|winner| winner.starter.after).unwrap_or_default();
    let drove = |place: &&Place| {
        human(place).is_some()
            && match place.starter.outcome {
                Some(races::Outcome::Out(_)) => place.starter.after * 2 >= winner,
                _ => place.place.is_some(),
            }
    };
    places.iter().filter(drove).count()
}

fn winner(places: &[Place]) -> Option<&Place> {
    places.iter().find(|place| human(place).is_some() && place.place.is_some())
}

/// The time of the first human whose result counts.
fn winning_time(places: &[Place]) -> u32 {
    winner(places).and_then(|place| place.starter.report()).map_or(0, |report| report.time)
}

/// What a racer's place brings in points.
fn points(places: &[Place], place: &Place) -> u32 {
    place.place.map_or(0, |at| rules::worth(rules::points(raced(places), at), winning_time(places)))
}

/// A player whose time cannot be true.
fn doubtful(place: &Place) -> Option<(PersonaId, Doubt)> {
    Some((human(place)?.0, place.starter.doubt?))
}

/// What is kept of the results that do not count, for the racers and for the Server Operator.
fn uncounted(places: &[Place]) -> Vec<Uncounted> {
    let doubtful = places.iter().filter_map(|place| Some((place, doubtful(place)?)));
    let kept = doubtful.map(|(place, (persona, doubt))| {
        let time = place.starter.report().unwrap_or_default().time;
        Uncounted { persona, time, why: doubt.to_string(), letter: not_counted(doubt) }
    });
    kept.collect()
}

/// The one mail about results that do not count.
fn not_counted(doubt: Doubt) -> Letter {
    let text = format!(
        "The time that your game reported is {doubt}. It was not counted: no money, no points. The same goes for \
         further ones, without a mail. If you drove it, ask the operator of this server."
    );
    race_control("Race: not counted".to_owned(), text)
}

/// To a racer whose game files are not those of `other`.
pub(super) fn other_files(other: &str) -> Letter {
    let text = format!(
        "You and {other} have different game files, so you may not have seen the same race. On both PCs start update.bat of the \
         player kit. If that changes nothing, ask the operator of this server for a patch set."
    );
    race_control("Race: different game files".to_owned(), text)
}

fn race_control(title: String, text: String) -> Letter {
    /// The office of the races.
    const RACE_CONTROL: PersonaId = PersonaId(11);
    Letter { sender: RACE_CONTROL, sender_name: "Race Control".to_owned(), title, text }
}

/// How a persona stands when nothing was won.
fn standing(game: &Game, id: PersonaId) -> Result<Option<Settled>, StoreError> {
    let persona = game.store.personas().by_id(id)?;
    Ok(persona.map(|persona| Settled {
        persona: id,
        cash: 0,
        points: persona.points,
        level: (persona.level, persona.level),
        rank: (persona.rank, persona.rank),
        cars_won: 0,
        cars_lost: 0,
    }))
}

fn results(race: &Race, flags: u8, places: &[Place], settled: &[Settled]) -> FinalResults {
    let settled: BTreeMap<PersonaId, &Settled> =
        settled.iter().map(|settled| (settled.persona, settled)).collect();
    let void = flags & (FinalResults::VOID | FinalResults::VOID_CHEATING) != 0;
    let mut placements = [Placement::NOBODY; SLOTS];
    for (placement, place) in placements.iter_mut().zip(places) {
        *placement = match human(place) {
            Some((persona, _)) => {
                let points = if void { 0 } else { points(places, place) };
                of_human(persona, place, points, settled.get(&persona).copied())
            }
            None => driven(place),
        };
    }
    FinalResults {
        race: race.id,
        placements,
        rounds: race.rounds.completed,
        round_winners: race.rounds.winners,
        flags,
        team_cash: 0,
        team_points: 0,
        team_par: 0,
    }
}

/// What is to be said of anybody's run.
fn driven(place: &Place) -> Placement {
    let racer = match place.starter.driver {
        Driver::Human { persona, .. } => persona,
        Driver::Ai(number) => PersonaId(number),
    };
    let report = place.starter.report().unwrap_or_default();
    Placement {
        racer,
        time: report.time,
        best_lap: report.best_lap,
        top_speed: report.top_speed,
        average_speed: report.average_speed,
        ..Placement::NOBODY
    }
}

fn of_human(persona: PersonaId, place: &Place, points: u32, settled: Option<&Settled>) -> Placement {
    let timed_out = place.starter.outcome == Some(races::Outcome::Out(Exit::TimedOut));
    let mut flags = 0;
    let mut flag = |set: bool, flag: u32| flags |= if set { flag } else { 0 };
    flag(timed_out, Placement::TIMED_OUT);
    flag(doubtful(place).is_some(), Placement::CHEAT_SUSPECTED);
    flag(settled.is_some_and(|settled| settled.cars_won > 0), Placement::WON_CAR);
    flag(settled.is_some_and(|settled| settled.cars_lost > 0), Placement::LOST_CAR);
    let run = Placement { racer: persona, flags, ..driven(place) };
    // A persona that was deleted meanwhile has nothing to show.
    let Some(settled) = settled else { return run };
    Placement {
        points: i16::try_from(points).unwrap_or(i16::MAX),
        total_points: short(settled.points),
        points_to_next_level: short(rules::points_to_next_level(settled.points)),
        points_to_next_rank: short(rules::points_to_next_rank(settled.points)),
        old_level: byte(settled.level.0),
        old_rank: byte(settled.rank.0),
        cash: settled.cash,
        level: byte(settled.level.1),
        rank: byte(settled.rank.1),
        ..run
    }
}

fn short(number: u32) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

fn byte(number: u32) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}
