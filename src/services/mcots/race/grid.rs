//! The start of a race: who may drive, and who pays.

use super::super::{Answer, Refusal, Request};
use super::results::conclude;
use super::{StartRace, along_with, check_car, check_wager, has_room, own_cars};
use crate::catalog::{Lobby, RaceType, rules};
use crate::services::{Outcome, Push};
use crate::store::{Changed, Entrant, RaceError};
use crate::world::races::{Denied, Driver, Member, Race, Room, Settings, Starter, State, TimeLimits};
use mco_proto::bytes::Bool8;
use mco_proto::ids::{BookingId, PersonaId, RaceId};
use mco_proto::mcots::Message;
use mco_proto::mcots::race::{LobbyFlags, RaceStarted, RacerSlot, SLOTS, StartSlot};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// What the host's slots make: for each whether it is barred, and why.
struct Grid<'a> {
    request: &'a Request<'a>,
    race: &'a Race,
    slots: [RacerSlot; SLOTS],
    barred: [Option<String>; SLOTS],
}

/// What became of the fees.
enum Fees {
    /// Those who may race and can pay are not enough: nothing was taken.
    TooFewRacers,
    /// There are none, because nothing counts here.
    None,
    /// They are taken, and kept under a booking.
    Booked(Changed<BookingId>),
}

/// 232: the host presses start. Everybody in a slot is looked at; who may not race is marked in the answer, and the rest
/// go if they are enough. Their fees are taken at once or not at all. The others hear it too (*documented*: it goes to
/// host and joiners).
pub(in super::super) fn start(request: &Request<'_>, body: &StartRace) -> Answer {
    let StartRace { race: id, slots, multi_round_limit, dial_in, .. } = *body;
    let host = request.player.persona;
    let races = &request.game.world.races;
    let (race, before) = {
        let mut races = races.lock();
        races.touch(host, request.caller.connection, request.now);
        let before = races.get(id).map_or(State::Open, |race| race.state);
        (races.prepare(id, host)?, before)
    };
    let mut grid = Grid { request, race: &race, slots, barred: Default::default() };
    let fees = match grid.check_slots().and_then(|()| grid.take_fees()) {
        Ok(fees) => fees,
        Err(refusal) => {
            races.lock().stay(id, before);
            return Err(refusal);
        }
    };
    let field = grid.field();
    let ok = !matches!(fees, Fees::TooFewRacers);
    let answer = RaceStarted { race: id, ok_to_start: u32::from(ok), slots: grid.verdicts() }.body();
    for (slot, why) in grid.slots.iter().zip(&grid.barred) {
        if let Some(why) = why {
            log::info!("race {id}: racer {} may not race, {why}", slot.racer);
        }
    }
    let mut outcome = Outcome::reply(answer.clone());
    let booked = match fees {
        Fees::TooFewRacers => {
            log::info!("race {id}: not enough racers");
            races.lock().stay(id, before);
            return Ok(outcome);
        }
        Fees::None => None,
        Fees::Booked(booked) => Some(booked),
    };
    let others: Vec<_> = race
        .members
        .iter()
        .filter(|member| member.persona != host && slots.iter().any(|slot| slot.racer == member.persona))
        .map(|member| member.connection)
        .collect();
    log::info!("race {id}: started by {} with {} racers: {}", request.caller, field.len(), race.settings);
    note_other_terms(&race, body);
    let (booking, ticket) = booked.map(|Changed { value, ticket }| (value, ticket)).unzip();
    let limits = limits(request, &race);
    let started = {
        let mut races = races.lock();
        races.begin_round(id, multi_round_limit, dial_in);
        races.start(id, field, limits, booking, request.now)
    };
    if let Err(undone) = started {
        return refund(request, id, undone);
    }
    if let Some(ticket) = ticket {
        outcome = outcome.after(ticket);
    }
    if !others.is_empty() && request.game.config.compat.start_notices {
        outcome = outcome.push(Push::Body(others, Arc::new(answer)));
    }
    // All of them may have left while the fees were taken.
    Ok(along_with(outcome, conclude(request.game, id, request.now)))
}

/// The terms of a race are fixed when it is made (*documented*). What a start says otherwise is noted in the log and does not count. That
/// it says 0 laps is nothing else (*captured*).
fn note_other_terms(race: &Race, start: &StartRace) {
    let Settings { laps, rounds, flags, .. } = race.settings;
    let said = LobbyFlags(start.lobby_flags);
    if (start.laps != 0 && start.laps != laps) || said != flags {
        log::warn!(
            "race {}: its host starts it with {} laps{said}; what it was made with counts",
            race.id,
            start.laps
        );
    }
    if rounds != 0 && start.multi_round_limit != rounds {
        log::warn!(
            "race {}: its host starts it with {} rounds; {rounds} count",
            race.id,
            start.multi_round_limit
        );
    }
    if start.dial_in != [0; 2] && !flags.has(LobbyFlags::HANDICAP) {
        log::warn!(
            "race {}: its host starts it with a head start, but it was made without handicap",
            race.id
        );
    }
}

/// The times that a run can have, of the laps that were agreed when the race was made. Drag races may have several runs behind one start, so none of them is too late.
fn limits(request: &Request<'_>, race: &Race) -> TimeLimits {
    let (settings, game) = (&race.settings, request.game);
    if !game.config.game.check_race_times {
        return TimeLimits { shortest: rules::SHORTEST_TIME, longest_loading: None };
    }
    let lobby = game.catalog.lobbies().iter().find(|lobby| lobby.id == settings.lobby);
    let length = lobby.and_then(Lobby::length);
    let longest_loading =
        if settings.race_type == RaceType::Drag { Duration::MAX } else { rules::LONGEST_LOADING };
    TimeLimits {
        shortest: rules::shortest_time(settings.race_type, length, settings.laps),
        longest_loading: Some(longest_loading),
    }
}

/// The race vanished while its fees were taken: they go back.
fn refund(request: &Request<'_>, id: RaceId, booking: Option<BookingId>) -> Answer {
    if let Some(booking) = booking
        && let Err(error) = request.game.store.races().refund(booking, &[], request.now)
    {
        log::error!("race {id}: fees stay taken until the next start of the server: {error}");
    }
    Err(Denied::NoSuchRace.into())
}

impl Grid<'_> {
    fn bar(&mut self, at: usize, why: impl Into<String>) {
        if let Some(slot) = self.barred.get_mut(at) {
            slot.get_or_insert_with(|| why.into());
        }
    }

    /// Everything but money: each racer once, no strangers, everybody in a car of his own.
    fn check_slots(&mut self) -> Result<(), Refusal> {
        let mut seen = BTreeSet::new();
        let mut taken = 0;
        for (at, slot) in self.slots.into_iter().enumerate() {
            if slot == RacerSlot::NOBODY {
                continue;
            }
            taken += 1;
            if !seen.insert(slot.racer) {
                self.bar(at, "it stands in two slots");
            } else if taken > self.race.settings.most_racers {
                self.bar(at, "there are more racers than the host allowed");
            } else if !slot.human.0 {
                let Settings { race_type, ai_racers, entry_fee, pink_slip, .. } = self.race.settings;
                if self.race.member(slot.racer).is_some() {
                    self.bar(at, "it is a player, and said not to be one");
                } else if race_type.is_race() && (!ai_racers || entry_fee > 0 || pink_slip) {
                    // Its time is whatever the host says.
                    self.bar(
                        at,
                        "only players race for money or a car, or where the host did not ask for others",
                    );
                }
            } else if let Some(why) = self.objection(slot)? {
                self.bar(at, why);
            }
        }
        Ok(())
    }

    /// Why this player may not race, if so.
    fn objection(&self, slot: RacerSlot) -> Result<Option<String>, Refusal> {
        let settings = &self.race.settings;
        let Some(member) = self.race.member(slot.racer) else {
            return Ok(Some("it has not joined".to_owned()));
        };
        let host = self.race.member(self.request.player.persona);
        let inside = |member: &Member| matches!(member.room, Room::Inside(_));
        let away = match member.room {
            Room::Inside(_) => false,
            // It may not even hear that the race starts.
            Room::Left => true,
            Room::Missing => settings.stakes() || host.is_some_and(inside),
            Room::Unseen => host.is_some_and(inside),
        };
        if away {
            return Ok(Some("it is not in the race's room".to_owned()));
        }
        // The host must not wager another car of a joiner than the joiner did.
        if settings.pink_slip && member.vehicle.is_some_and(|car| car != slot.vehicle) {
            return Ok(Some("it joined with another car".to_owned()));
        }
        if settings.pink_slip
            && let Some(driver) = self.request.game.store.personas().by_id(slot.racer)?
            && let Err(Refusal::Because(_, why)) = check_wager(self.request.game, &driver)
        {
            return Ok(Some(why));
        }
        match check_car(self.request.game, settings, slot.racer, slot.vehicle) {
            Ok(()) => Ok(None),
            Err(Refusal::Because(_, why)) => Ok(Some(why)),
            Err(error) => Err(error),
        }
    }

    /// The places in the slots of players who may race.
    fn humans(&self) -> Vec<(usize, PersonaId)> {
        let fit = self.slots.iter().zip(&self.barred).enumerate();
        fit.filter(|(_, (slot, barred))| slot.human.0 && barred.is_none())
            .filter(|(_, (slot, _))| **slot != RacerSlot::NOBODY)
            .map(|(at, (slot, _))| (at, slot.racer))
            .collect()
    }

    fn field(&self) -> Vec<Starter> {
        let fit = self.slots.iter().zip(&self.barred).filter(|(_, barred)| barred.is_none());
        let fit = fit.map(|(slot, _)| slot).filter(|slot| **slot != RacerSlot::NOBODY);
        fit.map(|slot| {
            Starter::new(if slot.human.0 {
                Driver::Human { persona: slot.racer, vehicle: slot.vehicle }
            } else {
                Driver::Ai(slot.racer.0)
            })
        })
        .collect()
    }

    fn is_enough(&self) -> bool {
        let host = self.request.player.persona;
        self.field().len() >= self.race.settings.least_racers
            && self.humans().iter().any(|(_, racer)| *racer == host)
    }

    /// Takes the fees of all who may race; who can't pay may not.
    fn take_fees(&mut self) -> Result<Fees, Refusal> {
        if !self.race.settings.race_type.is_race() {
            return Ok(if self.is_enough() { Fees::None } else { Fees::TooFewRacers });
        }
        loop {
            self.check_means()?;
            if !self.is_enough() {
                return Ok(Fees::TooFewRacers);
            }
            let humans = self.humans();
            let fee = rules::fee(self.race.settings.entry_fee, humans.len());
            let settings = &self.race.settings;
            let own = own_cars(settings.race_type);
            let entrants: Vec<_> = humans
                .iter()
                .map(|&(at, persona)| {
                    let car = self.slots.get(at).map(|slot| slot.vehicle).filter(|_| own);
                    Entrant { persona, fee, car }
                })
                .collect();
            let races = self.request.game.store.races();
            let (id, why) = match races.start(self.race.id, &entrants, settings.pink_slip, self.request.now) {
                Ok(booked) => return Ok(Fees::Booked(booked)),
                Err(RaceError::InsufficientFunds(id) | RaceError::NoSuchPersona(id)) => {
                    (id, "it can't pay the fee")
                }
                Err(RaceError::CarRefused(id, why)) => (id, why),
                Err(RaceError::Store(error)) => return Err(error.into()),
                Err(error @ RaceError::NotUnderWay(_)) => return Err(Refusal::because(error.to_string())),
            };
            // One slot less to try, so this ends.
            let Some(&(at, _)) = humans.iter().find(|(_, racer)| *racer == id) else {
                return Ok(Fees::TooFewRacers);
            };
            self.bar(at, why);
        }
    }

    /// Who can't pay the fee, or has no room for the cars there are to win, may not race. With each of them the others
    /// have less to pay and to win.
    fn check_means(&mut self) -> Result<(), Refusal> {
        let game = self.request.game;
        loop {
            let humans = self.humans();
            let fee = rules::fee(self.race.settings.entry_fee, humans.len());
            let to_win = if self.race.settings.pink_slip { humans.len().saturating_sub(1) } else { 0 };
            let mut objection = None;
            for (at, racer) in humans {
                let Some(persona) = game.store.personas().by_id(racer)? else {
                    objection = Some((at, "it was deleted"));
                    break;
                };
                if persona.bank_balance < fee {
                    objection = Some((at, "it can't pay the fee"));
                    break;
                }
                if to_win > 0 && !has_room(game, &persona, to_win)? {
                    objection = Some((at, "its garage has no room for what it may win"));
                    break;
                }
            }
            let Some((at, why)) = objection else { return Ok(()) };
            self.bar(at, why);
        }
    }

    fn verdicts(&self) -> [StartSlot; SLOTS] {
        let mut verdicts = [StartSlot::default(); SLOTS];
        for (verdict, (slot, barred)) in verdicts.iter_mut().zip(self.slots.iter().zip(&self.barred)) {
            *verdict = StartSlot { racer: slot.racer, barred: Bool8(barred.is_some()) };
        }
        verdicts
    }
}
