//! Patch, Auth and Shard as one: which of them answers a path, and with what bytes. Texts are Windows-1252, as everywhere on the wire.

use super::auth::{self, Attempt, AuthLimits};
use super::{Game, patch, shard};
use crate::clock::Now;
use crate::config::HostName;
use crate::world::SignInStep;
use mco_proto::ids::CustomerId;
use mco_proto::windows_1252;
use std::net::IpAddr;

/// What a request wants, as far as the services tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// GET and HEAD.
    Read,
    /// Sends a form.
    Post,
    /// Everything else.
    Other,
}

/// A service that the Client asks over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// [`log_in`] answers.
    Auth,
    /// [`shard_list`] answers.
    Shard,
    /// [`patch::NOTHING_TO_UPDATE`] is the answer; a body is read and forgotten.
    Patch,
}

/// The service that answers a request to `path`, which is in lower case and without a slash at the end; `None` if it is none
/// of the three.
pub fn route(verb: Verb, path: &str) -> Option<Route> {
    match (path, verb) {
        ("/authlogin", Verb::Read) => Some(Route::Auth),
        ("/shardlist", Verb::Read) => Some(Route::Shard),
        (_, Verb::Read | Verb::Post) if patch::is_question(path) => Some(Route::Patch),
        _ => None,
    }
}

/// The answer of Auth to the text behind the `?`, which holds the password. Checks it, so it belongs on a worker thread.
/// `host` is the name by which the Client reached the server.
pub fn log_in(game: &Game, query: &str, from: IpAddr, host: &HostName, now: Now) -> Vec<u8> {
    let Game { store, world, ports, .. } = game;
    let help = host.front_page(ports.http);
    let attempt = Attempt { query, from, help: &help, now, sign_in_trace: &world.sign_in_trace };
    let limits = AuthLimits {
        failures: &world.auth_failures,
        checks: &world.password_checks,
        history: &world.password_history,
    };
    let answer = auth::answer(store, &limits, attempt, |customer| new_context(game, customer, from, now));
    windows_1252::encode(&answer)
}

/// The answer of Auth to who has given the right password a moment ago; `None` if [`log_in`] is to answer. Checks no password.
pub fn log_in_again(game: &Game, query: &str, from: IpAddr, host: &HostName, now: Now) -> Option<Vec<u8>> {
    let Game { store, world, ports, .. } = game;
    let help = host.front_page(ports.http);
    let attempt = Attempt { query, from, help: &help, now, sign_in_trace: &world.sign_in_trace };
    let answer = auth::answer_again(store, attempt, |customer| new_context(game, customer, from, now))?;
    Some(windows_1252::encode(&answer))
}

/// A Context for an account that asks from this address; `None` if it plays on as many PCs as it may.
fn new_context(game: &Game, customer: CustomerId, from: IpAddr, now: Now) -> Option<String> {
    let Game { world, .. } = game;
    let has_place = world.sessions.has_place(customer, &world.presence.sessions(), now);
    has_place.then(|| world.sessions.issue_context(customer, from, now))
}

/// The answer of Auth when too many passwords are waiting to be checked already.
pub fn log_in_later(game: &Game, host: &HostName) -> Vec<u8> {
    windows_1252::encode(&auth::busy(&host.front_page(game.ports.http)))
}

/// The answer of Shard to a Client at `from` that reached the server by the name `host`.
pub fn shard_list(game: &Game, from: IpAddr, host: &HostName, now: Now) -> Vec<u8> {
    let Game { config, ports, world, .. } = game;
    world.sign_in_trace.passed(from, SignInStep::ShardList, now);
    windows_1252::encode(&shard::list(&config.shard, host, ports, world.population(now)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::BanTarget;

    #[test]
    fn each_path_has_one_service_and_each_service_its_verbs() {
        let nps = "/games/ea_seattle/motorcity/nps";
        for (path, verb, expected) in [
            ("/authlogin", Verb::Read, Some(Route::Auth)),
            ("/authlogin", Verb::Post, None),
            ("/shardlist", Verb::Read, Some(Route::Shard)),
            ("/shardlist", Verb::Post, None),
            (nps, Verb::Read, Some(Route::Patch)),
            (nps, Verb::Post, Some(Route::Patch)),
            (nps, Verb::Other, None),
            ("/AuthLogin", Verb::Read, None),
            ("/operator", Verb::Read, None),
            ("", Verb::Read, None),
        ] {
            assert_eq!(route(verb, path), expected, "{verb:?} {path}");
        }
    }

    #[test]
    fn who_fetched_the_shard_list_is_seen_by_diagnose() {
        let (game, _folder) = Game::for_tests();
        let (from, now) = ("192.168.1.20".parse().unwrap(), Now::read());
        let list = shard_list(&game, from, &HostName::parse("mcos.local").unwrap(), now);
        let list = windows_1252::decode(&list);
        assert!(list.contains("\n      LoginServerIP=mcos.local\n"), "{list}");
        assert!(
            game.world.sign_in_trace.of(from).step(SignInStep::ShardList).is_some_and(|seen| seen.passed)
        );
    }

    #[test]
    fn texts_go_to_the_client_in_its_code_page() {
        let (mut game, _folder) = Game::for_tests();
        game.config.shard.name = "Münchner Straßen".to_owned();
        game.config.shard.description = "„Гараж“ – 5 €".to_owned();
        let (from, host, now) =
            ("192.168.1.20".parse().unwrap(), HostName::parse("mcos.local").unwrap(), Now::read());
        let list = shard_list(&game, from, &host, now);
        assert!(
            list.starts_with(b"[M\xfcnchner Stra\xdfen]\n      Description=\x84Garazh\x93 \x96 5 \x80\n")
        );
        let player = game.player("doc", "Dr Brown", from);
        let ban = game.store.bans().put(BanTarget::Account(player.customer), "zu spät – „heute“", None, now);
        ban.unwrap().ticket.wait().unwrap();
        let query = "username=doc&password=Roadster-57";
        let answer = log_in(&game, query, from, &host, now);
        let reason = b"\nreasontext=This account is banned: zu sp\xe4t \x96 \x84heute\x93\n";
        assert!(answer.windows(reason.len()).any(|part| part == reason), "{}", windows_1252::decode(&answer));
    }
}
