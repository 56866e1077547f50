//! Ends what goes on under an account on a running server: its Contexts, its Session Key and its connections.

use crate::clock::Now;
use crate::services::{Game, Push};
use crate::store::{BanTarget, StoreError};
use crate::world::ConnectionId;
use mco_proto::ids::CustomerId;

/// What [`kick`] found.
#[derive(Debug)]
#[must_use = "the connections it names are to be ended"]
pub struct Kicked {
    /// Whether the account was signed in.
    pub signed_in: bool,
    /// Which connections are to end.
    pub push: Push,
}

/// Ends everything that goes on under an account; it may sign in again.
///
/// # Errors
/// The store failed, so the account's connections are not known. It is signed out all the same.
pub fn kick(game: &Game, customer: CustomerId, now: Now) -> Result<Kicked, StoreError> {
    let signed_in = game.world.sessions.all(now).iter().any(|(signed_in, ..)| *signed_in == customer);
    log::info!("operator: kick customer {customer}");
    Ok(Kicked { signed_in, push: expel(game, customer)? })
}

/// Ends an account's Contexts and its Session Key, and names its connections.
pub(super) fn expel(game: &Game, customer: CustomerId) -> Result<Push, StoreError> {
    game.world.revoke(customer);
    let personas = game.store.personas().of_customer(customer)?;
    let connections: Vec<ConnectionId> =
        personas.iter().flat_map(|persona| game.world.presence.connections(persona.id)).collect();
    Ok(Push::Dismiss(connections))
}

/// The accounts that are signed in from a banned address, each once.
pub(super) fn customers_at(game: &Game, banned: BanTarget, now: Now) -> Vec<CustomerId> {
    let signed_in = game.world.sessions.all(now).into_iter();
    let mut customers: Vec<_> = signed_in
        .filter(|(_, address, _)| BanTarget::address(*address) == banned)
        .map(|(customer, ..)| customer)
        .collect();
    customers.dedup();
    customers
}
