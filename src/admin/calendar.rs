//! What time brings to the city: weeks that are over are settled, and race nights and deals end. No Client asks for it.

use crate::catalog::RaceType;
use crate::clock::Now;
use crate::services::Game;
use crate::services::deals::{self, CityRules};
use crate::store::{ClubRules, RewardTable, StoreError};

/// Settles what is over. It waits until that is on the card, so it belongs on a thread that may wait.
pub fn turn(game: &Game, now: Now) {
    if let Err(error) = settle(game, now) {
        log::error!("calendar: what is over cannot be settled, and is tried again: {error}");
    }
    // Nobody waits to hear of it: what came of a deal is in the mail.
    match deals::with(game, |deals| deals.end_due(now)) {
        Ok(Some(ended)) if ended.value > 0 => log::info!("deals: {} are over", ended.value),
        Ok(_) => {}
        Err(error) => log::error!("deals whose time is over go on until the store answers: {error}"),
    }
}

fn settle(game: &Game, now: Now) -> Result<(), StoreError> {
    let amounts = &game.config.rewards;
    let table = RewardTable { top_dog: &amounts.top_dog, trials: &amounts.trials, kind };
    for settled in game.store.rewards().settle(&table, now)? {
        let week = settled.saved()?;
        let paid: usize = week.boards.iter().map(|board| board.winners.len()).sum();
        log::info!("calendar: week {} is settled, {paid} rewards are paid", week.week);
    }
    for settled in game.store.turfs().settle(amounts.turf, &|lobby| turf(game, lobby), now)? {
        let turf = settled.saved()?;
        let winner = turf.clubs.first().map_or("nobody", |club| club.acronym.as_str());
        log::info!("calendar: the turf of lobby {} in week {} is won by {winner}", turf.lobby, turf.week);
    }
    for turned in game.store.nights().turn(&CityRules(&game.catalog), now)? {
        let turned = turned.saved()?;
        let paid = turned.night.outcome.as_ref().map_or(0, |outcome| outcome.prizes.len());
        log::info!("calendar: race night {} is over, {paid} prizes are paid", turned.night.id);
    }
    Ok(())
}

fn kind(race_type: u32) -> &'static str {
    RaceType::from_number(race_type).map_or("race", RaceType::name)
}

fn turf(game: &Game, lobby: u32) -> String {
    let found = game.catalog.lobbies().iter().find(|known| known.id == lobby).map(|known| known.turf.clone());
    found.unwrap_or_else(|| format!("track {lobby}"))
}

/// The rules about clubs, as the Client is told them.
pub fn club_rules(game: &Game) -> ClubRules {
    let rules = game.catalog.tunables();
    ClubRules {
        founding_cost: rules.club_creation_cost,
        founding_level: rules.club_creation_level,
        officer_level: rules.club_officer_level,
        most_members: rules.club_max_members,
        cooldown_days: rules.club_switch_cooldown,
        registration_cost: rules.club_registration_cost,
        re_registration_cost: rules.club_re_registration_cost,
    }
}
