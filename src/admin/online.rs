//! The players who are in the game.

use crate::clock::Now;
use crate::services::Game;
use crate::world::{ConnectionId, NpsServer, Present};
use mco_proto::ids::CustomerId;
use std::collections::HashMap;
use std::net::IpAddr;

/// A persona in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Player {
    /// The name of the persona.
    pub persona: String,
    /// The account's number.
    pub customer: CustomerId,
    /// The account's name.
    pub account: String,
    /// Where it is played from: where its session signed in. `None` before its first connection, and when that is no longer known.
    pub address: Option<IpAddr>,
    /// What the Client is connected to: `lobby`, `room 9001`, `MCOTS`; empty between two connections.
    pub services: Vec<String>,
    /// How long the persona has been in use, in seconds.
    pub seconds: u64,
}

/// All personas in use, by number.
pub fn players(game: &Game, now: Now) -> Vec<Player> {
    let sessions = game.world.sessions.all(now).into_iter();
    let addresses: HashMap<_, _> = sessions.map(|(_, address, session)| (session, address)).collect();
    let in_use = game.world.presence.all(now).into_iter();
    in_use
        .filter_map(|Present { persona, since, session, connections }| {
            // A persona that cannot be read is in the log already.
            let persona = game.store.personas().by_id(persona).ok().flatten()?;
            let customer = persona.customer_id;
            let account = game.store.accounts().by_customer(customer).ok().flatten();
            let mut services: Vec<_> =
                connections.iter().map(|connection| service(game, *connection)).collect();
            services.sort_unstable();
            Some(Player {
                persona: persona.name,
                customer,
                account: account.map_or_else(|| format!("customer {customer}"), |account| account.name),
                address: session.and_then(|session| addresses.get(&session).copied()),
                services,
                seconds: now.since(since).as_secs(),
            })
        })
        .collect()
}

/// The service of a connection. Those that are on no lobby or room server are of MCOTS.
fn service(game: &Game, connection: ConnectionId) -> String {
    match game.world.channels.hall_of(connection) {
        Some(NpsServer::Lobby) => "lobby".to_owned(),
        Some(NpsServer::Room(index)) => match game.ports.rooms.get(usize::from(index)) {
            Some(port) => format!("room {port}"),
            None => "room".to_owned(),
        },
        None => "MCOTS".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Person;

    #[test]
    fn a_driver_is_listed_with_account_address_and_every_place_it_is_in() {
        let (game, _folder) = Game::for_tests();
        let address = "192.168.1.20".parse().unwrap();
        let doc = game.player("doc", "Dr Brown", address);
        assert!(players(&game, Now::read()).is_empty(), "signed in is not yet in the game");
        game.world.presence.select(doc.persona, &[doc.session], Now::read());
        let [lobby, room, mcots] = [(); 3].map(|()| game.world.new_connection());
        for (connection, server) in [(lobby, NpsServer::Lobby), (room, NpsServer::Room(1))] {
            let name = "Dr Brown".to_owned();
            game.world.channels.enter(
                connection,
                server,
                Person { persona: doc.persona, name, user_data: [0; 64] },
                (address, std::net::Ipv4Addr::LOCALHOST),
            );
        }
        for connection in [lobby, room, mcots] {
            game.world.presence.arrive(doc.persona, connection, doc.session, Now::read()).unwrap();
        }
        let all = players(&game, Now::read());
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].persona.as_str(), all[0].account.as_str()), ("Dr Brown", "doc"));
        assert_eq!(all[0].address, Some(address));
        assert_eq!(all[0].services, ["MCOTS", "lobby", "room 9001"]);
    }
}
