//! The end of a persona's connections: another PC plays it now, or it was deleted.

use super::{Game, Push};
use crate::world::ConnectionId;
use mco_proto::nps::bare::FORCE_LOGOFF;
use std::sync::Arc;

/// Tells those of `connections` that are to the lobby or a room that they are sent away, and ends all of them. MCOTS has no message
/// for it.
pub(super) fn send_away(game: &Game, connections: Vec<ConnectionId>) -> Vec<Push> {
    if connections.is_empty() {
        return Vec::new();
    }
    let told: Vec<_> =
        connections.iter().copied().filter(|id| game.world.channels.hall_of(*id).is_some()).collect();
    let form = game.config.compat.push_form.into();
    let notice = (!told.is_empty()).then(|| Push::Packet(told, Arc::new(FORCE_LOGOFF), form));
    notice.into_iter().chain([Push::Dismiss(connections)]).collect()
}
