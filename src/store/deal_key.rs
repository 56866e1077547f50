//! Where the records of deals lie: all under `d` and a second letter. Times are those of the city's clock.
//!
//! | key | record |
//! |---|---|
//! | `da` number | auction |
//! | `ds` number | classified ad |
//! | `dt` number | trade |
//! | `de` kind, end, number | the number; so deals are sorted by their ends |
//! | `dl` category, number counted down | the number; so ads are sorted by age, the newest first |
//! | `dp` persona id, role, number | the number; so the deals of a persona are found |
//! | `dm` persona id | whom it has muted |
//! | `dc` | how late it was by both clocks when something last happened |

use super::key::join;
use mco_proto::ids::PersonaId;

/// The city's clock.
pub(super) const CLOCK: &[u8] = b"dc";
/// The next deal. Ads, auctions and trades are numbered together.
pub(super) const NEXT_DEAL: &[u8] = b"mnext_deal";
/// How many auctions there are.
pub(super) const AUCTIONS: &[u8] = b"mauctions";
/// How many ads there are.
pub(super) const ADS: &[u8] = b"mads";
/// How many trades there are.
pub(super) const TRADES: &[u8] = b"mtrades";

/// The kinds of deals, by which their ends are sorted apart.
pub(super) const CAR_AUCTION: u8 = b'c';
pub(super) const PART_AUCTION: u8 = b'p';
pub(super) const AD: u8 = b's';
pub(super) const TRADE: u8 = b't';

/// What a persona is in a deal: the seller of an auction, its highest bidder, who placed an ad, a side of a trade.
pub(super) const SELLER: u8 = b'a';
pub(super) const BIDDER: u8 = b'b';
pub(super) const ADVERTISER: u8 = b's';
pub(super) const SIDE: u8 = b't';

pub(super) fn auction(number: u32) -> Vec<u8> {
    join(b'd', &[b"a", &number.to_be_bytes()])
}

/// A classified ad.
pub(super) fn ad(number: u32) -> Vec<u8> {
    join(b'd', &[b"s", &number.to_be_bytes()])
}

pub(super) fn trade(number: u32) -> Vec<u8> {
    join(b'd', &[b"t", &number.to_be_bytes()])
}

/// All deals of a kind by their ends.
pub(super) fn ends_of(kind: u8) -> Vec<u8> {
    join(b'd', &[b"e", &[kind]])
}

/// The entry of a deal among the ends of its kind.
pub(super) fn end(kind: u8, ends: u32, number: u32) -> Vec<u8> {
    join(b'd', &[b"e", &[kind], &ends.to_be_bytes(), &number.to_be_bytes()])
}

/// All ads of a category, the newest first.
pub(super) fn ads_of(category: u8) -> Vec<u8> {
    join(b'd', &[b"l", &[category]])
}

/// The entry of an ad in its category.
pub(super) fn listed_ad(category: u8, number: u32) -> Vec<u8> {
    join(b'd', &[b"l", &[category], &(u32::MAX - number).to_be_bytes()])
}

/// All deals in which a persona has this role.
pub(super) fn deals_of(persona: PersonaId, role: u8) -> Vec<u8> {
    join(b'd', &[b"p", &persona.0.to_be_bytes(), &[role]])
}

/// The entry of a deal among those of a persona.
pub(super) fn deal_of(persona: PersonaId, role: u8, number: u32) -> Vec<u8> {
    join(b'd', &[b"p", &persona.0.to_be_bytes(), &[role], &number.to_be_bytes()])
}

/// Whom a persona has muted.
pub(super) fn muted_by(persona: PersonaId) -> Vec<u8> {
    join(b'd', &[b"m", &persona.0.to_be_bytes()])
}
