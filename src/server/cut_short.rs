//! The races that were running when the server stopped: their fees go back.

use crate::clock::Now;
use crate::services::{Game, mcots};
use crate::store::{StoreError, Ticket};
use mco_proto::ids::BookingId;
use smol::Timer;
use std::time::Duration;

/// How long after a failure it is tried again.
const PAUSE: Duration = Duration::from_secs(2);

/// Such races, whose fees have gone back in memory, as far as the store lets that happen.
pub(super) struct CutShort {
    races: Vec<BookingId>,
    begun: Result<Option<Ticket>, StoreError>,
}

impl CutShort {
    /// Finds them. To be called before anybody plays.
    pub(super) fn find(game: &Game) -> Self {
        let races = mcots::races_cut_short(game).unwrap_or_else(|error| {
            log::error!("fees of races that were cut short stay taken until the next start: {error}");
            Vec::new()
        });
        let begun = mcots::refund_races(game, &races, Now::read());
        Self { races, begun }
    }

    /// Returns when all fees are back on the card. What a card that fails takes back, or a database that is found damaged, is done again.
    pub(super) async fn refund(self, game: &Game) {
        let Self { races, begun: mut refunded } = self;
        let mut fails = false;
        loop {
            let saved = match refunded {
                Ok(Some(ticket)) => ticket.committed().await,
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            };
            let Err(error) = saved else { return };
            if !fails {
                log::error!(
                    "fees of races that were cut short stay taken until changes can be saved: {error}"
                );
                fails = true;
            }
            Timer::after(PAUSE).await;
            refunded = mcots::refund_races(game, &races, Now::read());
        }
    }
}
