//! How long a persona was in use.

use super::Game;
use crate::store::PersonaError;
use crate::world::Released;

/// Adds the time that a persona was in use to its record. Nobody waits until that is on the card.
pub(super) fn keep_playtime(game: &Game, released: Released) {
    let Released { persona, after } = released;
    let seconds = u32::try_from(after.as_secs()).unwrap_or(u32::MAX);
    log::info!("logout: persona {persona} after {seconds} s");
    let kept = game.store.personas().update(persona, |record| {
        record.seconds_online = record.seconds_online.saturating_add(seconds);
    });
    // A persona that was deleted while in use has no time to keep.
    if let Err(error) = kept
        && !matches!(error, PersonaError::NotFound)
    {
        log::warn!("logout: the time of persona {persona} online is lost: {error}");
    }
}
