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
    for turned in game.store.nights().in_zone(game.zone()).turn(&CityRules(&game.catalog), now)? {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::history::{History, Sample};
    use crate::services::mcots;
    use std::fs;
    use std::net::{IpAddr, Ipv4Addr};
    use std::path::{Path, PathBuf};
    use std::time::{Duration, SystemTime};

    const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const DAY: u64 = 24 * 60 * 60;
    /// The first second of a Wednesday, which is far from the end of a week.
    const WEDNESDAY: u64 = 19_676 * DAY;

    /// Every file in a folder, with its length and when it was written last.
    fn files(folder: &Path) -> Vec<(PathBuf, u64, SystemTime)> {
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let found = entry.metadata().unwrap();
            if found.is_dir() {
                files.extend(self::files(&entry.path()));
            } else {
                files.push((entry.path(), found.len(), found.modified().unwrap()));
            }
        }
        files.sort_unstable();
        files
    }

    #[test]
    fn a_day_on_which_nobody_plays_writes_nothing() {
        let (game, folder) = Game::for_tests();
        let history = History::open(folder.path());
        let begun = Now::read();
        let at =
            |second: u64| Now { mono: begun.mono + Duration::from_secs(second), unix: WEDNESDAY + second };
        let player = game.player("marty", "Marty", HOME);
        let changes = || game.store.changes();
        let minute = |number: u64, changed: u64| {
            let now = at(number * 60);
            turn(&game, now);
            let told = mcots::tick(&game, now);
            assert!(told.commit.is_none() && told.pushes.is_empty());
            assert_eq!(game.store.trouble(), None);
            game.store.rest();
            let changes = u32::try_from(changed).unwrap();
            history.add(Sample { at: now.unix32(), changes, ..Sample::default() });
            if number.is_multiple_of(60) {
                history.save().unwrap();
            }
        };
        // What somebody did the evening before is settled and written.
        game.store
            .personas()
            .update(player.persona, |persona| persona.seconds_online += 60)
            .unwrap()
            .saved()
            .unwrap();
        minute(0, changes());
        game.store.flush().unwrap();

        let (before, made) = (files(folder.path()), changes());
        assert!(made > 0 && before.len() > 3, "{before:?}");
        (1..=DAY / 60).for_each(|number| minute(number, 0));
        assert_eq!((files(folder.path()), changes()), (before, made));
    }
}
