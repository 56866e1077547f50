//! Offices whose number a player has, when the store is opened: see [`crate::store::offices`].

use super::DealError;
use super::goods::hand_over;
use crate::store::deal_key;
use crate::store::error::StoreError;
use crate::store::offices::{self, ESCROW};
use crate::store::records::deal::{Ad, Auction};
use crate::store::table::Table;
use mco_proto::ids::PersonaId;

/// Gives each of them another number, and the Escrow what deals name. The number is noted last, so that a power cut in between only
/// means that it is done again.
pub(in crate::store) fn settle_in(table: &Table) -> Result<(), StoreError> {
    let _write_lock = table.write_lock();
    for (office, new) in offices::displaced(table)? {
        let old = office.usual;
        if office == ESCROW {
            take_over(table, old, new)?;
        }
        table.transact(|tx| offices::note(tx, office, new))?;
        log::warn!(
            "a player has the number {old} of the {}, which has number {new} from now on",
            office.name
        );
    }
    Ok(())
}

/// Hands over what deals name, as far as that was not done before.
fn take_over(table: &Table, old: PersonaId, new: PersonaId) -> Result<(), StoreError> {
    let auctions = table.scan::<Auction>(&deal_key::all_auctions())?.into_iter().map(|auction| auction.item);
    let ads = table.scan::<Ad>(&deal_key::all_ads())?.into_iter().filter_map(|ad| Some(ad.offer?.item));
    for item in auctions.chain(ads) {
        match table.transact(|tx| hand_over(tx, item.goods, old, new)) {
            Ok(_) | Err(DealError::NotYours) => {}
            Err(DealError::Store(error)) => return Err(error),
            Err(error) => log::error!("deals: {} cannot be handed over: {error}", item.goods.number()),
        }
    }
    Ok(())
}
