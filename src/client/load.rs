//! `mcos load`: many simulated players at once, who race, or do something else at a steady pace.

mod acts;
mod races;
mod report;

pub use report::{ActReport, RaceReport, Report};

use super::Error;
use super::probe::{Credentials, HostError, Target};
use super::racing::Counters;
use super::sitting::{Account, PersonaSession, ShardEndpoints};
use super::web::Web;
use crate::config::Network;
use acts::Act;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What the players do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// They race in rooms of six.
    Races,
    /// Each signs in as the Client does, from AuthLogin into the lobby, and out, again and again.
    SignIns,
    /// Each logs in on 8226 with one and the same Context on one connection, again and again.
    Logins,
    /// They look at the directory and at who is there, in turn.
    Lobby,
    /// They speak to everybody in the chat channel of a room, twenty in each.
    Chat,
    /// They buy a part and scrap it.
    Shopping,
    /// Of each ten players six race, and of the other four each does one of the other things.
    Mixed,
}

/// What load to make.
#[derive(Debug)]
pub struct Options {
    /// The accounts; each is one player.
    pub players: Vec<Credentials>,
    /// What they do.
    pub scenario: Scenario,
    /// Packets that each racer sends in a second.
    pub rate: u32,
    /// Acts that each other player does in a second, more than 0.
    pub acts: f64,
    /// For how many seconds.
    pub seconds: u32,
}

/// A server that answers.
#[derive(Debug)]
pub struct Found {
    web: Web,
    endpoints: Arc<ShardEndpoints>,
}

impl Found {
    /// The server of that name or address, with or without `:PORT` of its web server; without a name that of this machine, whose
    /// configuration is `network`. `timeout` is the longest that any wait may last, now and while there is load.
    ///
    /// # Errors
    /// [`LoadError`] if `host` is none, or nothing answers there as it should.
    pub async fn at(host: Option<&str>, network: &Network, timeout: Duration) -> Result<Self, LoadError> {
        let target = Target::of(host, network, timeout).await.map_err(LoadError::Host)?;
        let (web, endpoints) = find(&target, timeout).await.map_err(LoadError::Server)?;
        Ok(Self { web, endpoints })
    }
}

/// Why no player could sign in at all.
#[derive(Debug)]
pub enum LoadError {
    /// The host is not a name or an address.
    Host(HostError),
    /// The server does not answer as it should.
    Server(Error),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(error) => error.fmt(f),
            Self::Server(error) => write!(f, "{error}; \"mcos probe\" says more"),
        }
    }
}

impl std::error::Error for LoadError {}

/// The server under load, and what is counted on the way.
#[derive(Clone, Debug)]
struct Site {
    web: Web,
    endpoints: Arc<ShardEndpoints>,
    counters: Arc<Counters>,
    /// The moment from which times in lines of chat are counted.
    epoch: Instant,
}

/// Lets all players sign in, do what the scenario says and sign out. `counters` counts along.
pub async fn run(found: Found, options: Options, counters: Arc<Counters>) -> Report {
    let Options { players, scenario, rate, acts, seconds } = options;
    let Found { web, endpoints } = found;
    let site = Site { web, endpoints, counters, epoch: Instant::now() };
    let (field, others) = cast(players, scenario);
    let driven = {
        let site = site.clone();
        smol::spawn(async move {
            if field.is_empty() { None } else { Some(races::run(&site, field, rate, seconds).await) }
        })
    };
    let others = others.into_iter().map(|(act, players)| {
        let site = site.clone();
        async move { acts::run(&site, act, players, acts, seconds).await }
    });
    let acts = join_all(others).await;
    Report { races: driven.await, acts }
}

/// Who races, and who does what else.
fn cast(players: Vec<Credentials>, scenario: Scenario) -> (Vec<Credentials>, Vec<(Act, Vec<Credentials>)>) {
    let act = match scenario {
        Scenario::Races => return (players, Vec::new()),
        Scenario::SignIns => Act::SignIn,
        Scenario::Logins => Act::LogIn,
        Scenario::Lobby => Act::Look,
        Scenario::Chat => Act::Speak,
        Scenario::Shopping => Act::Shop,
        Scenario::Mixed => {
            let mut racers = Vec::new();
            let mut others = Act::MIXED.map(|act| (act, Vec::new()));
            for (number, player) in players.into_iter().enumerate() {
                match others.get_mut(number % 10) {
                    Some((_, players)) => players.push(player),
                    None => racers.push(player),
                }
            }
            return (racers, others.into_iter().filter(|(_, players)| !players.is_empty()).collect());
        }
    };
    (Vec::new(), vec![(act, players)])
}

/// The first web server that answers, and what its shard list says.
async fn find(target: &Target, timeout: Duration) -> Result<(Web, Arc<ShardEndpoints>), Error> {
    let mut first = None;
    for endpoint in &target.web {
        let web = Web::new(endpoint.clone(), timeout);
        match web.shard_list().await {
            Ok(shards) => {
                let shard = shards.first().ok_or_else(|| web.wrong("/ShardList/", "there is no shard"))?;
                return Ok((web, Arc::new(ShardEndpoints::new(shard, target.fixed, timeout))));
            }
            Err(error) => first = first.or(Some(error)),
        }
    }
    let web = Web::new(super::Endpoint::new("", 0), timeout);
    Err(first.unwrap_or_else(|| web.wrong("/ShardList/", "there is no web server")))
}

/// Runs all of it at the same time.
async fn join_all<T: Send + 'static>(
    work: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let mut done = Vec::new();
    for task in work.map(smol::spawn).collect::<Vec<_>>() {
        done.push(task.await);
    }
    done
}

/// Signs a player in with its first persona, which is made if there is none.
async fn sign_in(site: &Site, player: &Credentials) -> Result<PersonaSession, Error> {
    let Site { web, endpoints, .. } = site;
    let account = Account::sign_in(web, endpoints, &player.user, &player.password).await?;
    let mut personas = account.personas().await?;
    if personas.is_empty() {
        let name: String = player.user.chars().take(12).collect();
        account.create_persona(&name).await?;
        personas = account.personas().await?;
    }
    let entry = personas.first().ok_or_else(|| web.wrong("/AuthLogin", "the account has no persona"))?;
    account.select(entry).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mixed_load_has_everything_in_it() {
        let players = |count| {
            (0..count).map(|_| Credentials { user: String::new(), password: String::new().into() }).collect()
        };
        let (racers, others) = cast(players(20), Scenario::Mixed);
        assert_eq!(racers.len(), 12);
        assert_eq!(
            others.iter().map(|(act, players)| (*act, players.len())).collect::<Vec<_>>(),
            Act::MIXED.map(|act| (act, 2))
        );
        let (racers, others) = cast(players(2), Scenario::Mixed);
        assert_eq!((racers.len(), others.len()), (0, 2));
        let (racers, others) = cast(players(7), Scenario::Races);
        assert_eq!((racers.len(), others.len()), (7, 0));
    }
}
