//! What goes into the plots of *Health*: a look at the server every minute.

use super::metrics::resident_memory;
use super::shared::Shared;
use crate::admin::history::{History, Sample};
use crate::admin::machine::Machine;
use crate::clock::Now;
use crate::services::Game;
use smol::Timer;
use std::sync::Arc;
use std::time::Duration;

/// Between two looks.
const MINUTE: Duration = Duration::from_mins(1);
/// Between two writings, in minutes.
const HOUR: u32 = 60;

/// Looks and writes until it is cancelled.
pub(super) async fn keep(shared: &Shared) {
    let mut seen = shared.game.store.changes();
    for minute in 1_u32.. {
        Timer::after(MINUTE).await;
        let changes = shared.game.store.changes();
        let (game, history) = (Arc::clone(&shared.game), Arc::clone(&shared.history));
        let new = u32::try_from(changes.saturating_sub(seen)).unwrap_or(u32::MAX);
        seen = changes;
        smol::unblock(move || {
            history.add(sample(&game, new, Now::read()));
            if minute % HOUR == 0 {
                save(&history);
            }
        })
        .await;
    }
}

/// Writes the history; that it cannot be is said and no more.
pub(super) fn save(history: &History) {
    if let Err(error) = history.save() {
        log::warn!("the history for the plots of Health cannot be written: {error}");
    }
}

fn sample(game: &Game, changes: u32, now: Now) -> Sample {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Sample {
        at: now.unix32(),
        players: count(game.world.population(now)),
        races: count(game.races_under_way(now)),
        changes,
        memory: u32::try_from(resident_memory().unwrap_or_default() / 1024).unwrap_or(u32::MAX),
        temperature: Machine::here().temperature,
    }
}
