//! Ending the deals whose time is over.

use super::{DealError, Deals, clock, trades};
use crate::clock::Now;
use crate::store::deal_key;
use crate::store::error::StoreError;
use crate::store::records::deal::{Ad, Auction, Trade};
use crate::store::table::Table;
use crate::store::ticket::Changed;

/// How many deals of a kind are ended at once, so that others can change something in between.
const AT_ONCE: usize = 32;

impl Deals<'_> {
    /// Ends auctions, ads and trades whose time is over, some of them if there are many. To be called every few seconds. Returned is how
    /// many were ended. `None`: none is due.
    ///
    /// Each ends in a transaction of its own, so that one that cannot be read does not keep the others.
    pub fn end_due(&self, now: Now) -> Result<Option<Changed<usize>>, StoreError> {
        let leap = self.note_leap(now)?;
        let table = self.store.table();
        let city = clock::city_time(self.store, now)?;
        let mut any = false;
        for kind in KINDS {
            any |= !due(table, kind, city, 1)?.is_empty();
        }
        if !any {
            return Ok(leap.map(|leap| Changed { value: 0, ticket: leap.ticket }));
        }
        let ended: Result<Changed<usize>, StoreError> = self.store.change(|table| {
            let mut ended = 0;
            for kind in KINDS {
                for (ends, number) in due(table, kind, city, AT_ONCE)? {
                    match table.transact(|tx| {
                        clock::note(tx, city, now)?;
                        match kind {
                            deal_key::AD => {
                                let ad: Option<Ad> = tx.get(&deal_key::ad(number))?;
                                ad.map_or(Ok(()), |ad| self.expire(tx, &ad, now))?;
                            }
                            deal_key::TRADE => {
                                let trade: Option<Trade> = tx.get(&deal_key::trade(number))?;
                                trade.map_or(Ok(()), |trade| trades::abandon(tx, &trade, None, now))?;
                            }
                            _ => {
                                let auction: Option<Auction> = tx.get(&deal_key::auction(number))?;
                                auction.map_or(Ok(()), |auction| self.conclude(tx, &auction, now))?;
                            }
                        }
                        Ok::<_, DealError>(tx.remove(&deal_key::end(kind, ends, number))?)
                    }) {
                        Ok(()) => ended += 1,
                        Err(error) => log::error!("deals: deal {number} cannot be ended: {error}"),
                    }
                }
            }
            Ok(ended)
        });
        ended.map(Some)
    }
}

const KINDS: [u8; 4] = [deal_key::CAR_AUCTION, deal_key::PART_AUCTION, deal_key::AD, deal_key::TRADE];

/// Ends and numbers of so many deals of a kind whose time is over.
fn due(table: &Table, kind: u8, city: u32, most: usize) -> Result<Vec<(u32, u32)>, StoreError> {
    let prefix = deal_key::ends_of(kind);
    let mut found = Vec::new();
    for (key, number) in table.scan_from::<u32>(&prefix, &[], most)? {
        let ends = key.get(prefix.len()..).and_then(|rest| rest.first_chunk()).copied();
        let ends = ends.map_or(0, u32::from_be_bytes);
        if ends > city {
            break;
        }
        found.push((ends, number));
    }
    Ok(found)
}
