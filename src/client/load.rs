//! `mcos load`: many simulated players in rooms of six, all racing at once.

use super::Error;
use super::probe::{Credentials, HostError, Target};
use super::racing::{Counters, Faults, Racer, Starter, Terms, Traffic, line_up};
use super::sitting::{Account, ShardEndpoints};
use super::web::Web;
use crate::config::Network;
use mco_proto::ids::CommId;
use mco_proto::mcots::race::SLOTS;
use serde::Serialize;
use std::fmt;
use std::future::Future;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The fewest and the most bytes of filling in a packet.
const FILLING: [usize; 2] = [20, 200];
/// The first and the last room that is used, by number in the directory; 2 is the chat channel.
const ROOMS: [CommId; 2] = [CommId(1), CommId(3)];

/// What load to make.
#[derive(Debug)]
pub struct Options {
    /// Name or address, with or without `:PORT` of its web server. `None`: the server of this machine.
    pub host: Option<String>,
    /// The accounts; each is one player.
    pub players: Vec<Credentials>,
    /// Packets that each player sends in a second.
    pub rate: u32,
    /// Length of the races in seconds.
    pub seconds: u32,
    /// The configuration of this machine's server.
    pub network: Network,
    /// The longest that any wait may last.
    pub timeout: Duration,
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

/// Time from sending to receiving in milliseconds, by the clock of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Latency {
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
    /// 99.9th percentile.
    pub p99_9: f64,
    /// The longest time.
    pub most: f64,
}

impl Latency {
    /// Of so many microseconds.
    fn of(mut microseconds: Vec<u32>) -> Self {
        microseconds.sort_unstable();
        let count = microseconds.len();
        let at = |thousandths: usize| {
            let rank = (count * thousandths).div_ceil(1000).saturating_sub(1);
            f64::from(microseconds.get(rank).copied().unwrap_or_default()) / 1000.0
        };
        Self { p50: at(500), p99: at(990), p99_9: at(999), most: at(1000) }
    }
}

/// The result of a load.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Players that were asked for.
    pub players: usize,
    /// Players that heard the results of their race.
    pub finished: usize,
    /// Players that signed in.
    pub joined: usize,
    /// Rooms of up to six.
    pub rooms: usize,
    /// Packets a second and player, as wanted.
    pub rate: u32,
    /// Time that all of them needed to sign in.
    pub joining_seconds: f64,
    /// From the first packet to the last.
    pub racing_seconds: f64,
    /// Packets sent by players.
    pub sent: u64,
    /// Packets received by players; the server makes up to five of one.
    pub received: u64,
    /// Received packets in a second.
    pub received_per_second: f64,
    /// Bytes of these, without their encryption's padding.
    pub received_bytes: u64,
    /// Time that the received packets needed.
    pub latency_milliseconds: Latency,
    /// Packets that did not arrive as they were sent.
    pub faults: Faults,
    /// Other errors, in words.
    pub errors: Vec<String>,
}

impl Report {
    /// Whether every packet arrived as it was sent and nothing else failed.
    pub const fn is_good(&self) -> bool {
        self.faults.sum() == 0 && self.errors.is_empty()
    }

    /// As lines for people, or as one JSON document.
    pub fn print(&self, json: bool, out: &mut dyn Write) -> io::Result<()> {
        if json {
            return writeln!(out, "{}", serde_json::to_string_pretty(self)?);
        }
        let Self { players, joined, finished, rooms, rate, sent, received, faults, .. } = self;
        let Latency { p50, p99, p99_9, most } = self.latency_milliseconds;
        let Faults { lost, doubled, reordered, altered, stray } = faults;
        writeln!(
            out,
            "players   {joined} of {players} joined in {:.1} s, in {rooms} rooms",
            self.joining_seconds
        )?;
        writeln!(out, "races     {finished} players heard the results of their race")?;
        writeln!(
            out,
            "sent      {sent} packets in {:.1} s, {rate} wanted a second and player",
            self.racing_seconds
        )?;
        let bytes = self.received_bytes;
        writeln!(
            out,
            "received  {received} packets, {:.0} a second, {bytes} bytes",
            self.received_per_second
        )?;
        writeln!(out, "latency   p50 {p50:.2} ms, p99 {p99:.2} ms, p99.9 {p99_9:.2} ms, most {most:.2} ms")?;
        writeln!(
            out,
            "packets   {lost} lost, {altered} altered, {doubled} doubled, {reordered} reordered, {stray} astray"
        )?;
        writeln!(out, "errors    {}", self.errors.len())?;
        self.errors.iter().try_for_each(|error| writeln!(out, "          {error}"))
    }
}

/// Lets all players sign in, race and sign out. `counters` counts along.
pub async fn run(options: Options, counters: Arc<Counters>) -> Result<Report, LoadError> {
    let Options { host, players, rate, seconds, network, timeout } = options;
    let target = Target::of(host.as_deref(), &network, timeout).await.map_err(LoadError::Host)?;
    let (web, endpoints) = find(&target, timeout).await.map_err(LoadError::Server)?;
    let mut errors = Vec::new();
    let wanted = players.len();
    let begun = Instant::now();
    let rooms = groups(players).into_iter().zip(ROOMS.into_iter().cycle());
    let joining = rooms.map(|(group, room)| {
        assemble(web.clone(), Arc::clone(&endpoints), group, room, Arc::clone(&counters))
    });
    let mut groups = Vec::new();
    for (group, failed) in join_all(joining).await {
        groups.push(group);
        errors.extend(failed);
    }
    groups.retain(|group| !group.is_empty());
    let joining_seconds = begun.elapsed().as_secs_f64();
    let (joined, rooms) = (groups.iter().map(Vec::len).sum(), groups.len());

    let traffic = Arc::new(Traffic {
        packets: [rate.saturating_mul(seconds); SLOTS],
        interval: Duration::from_secs(1) / rate.max(1),
        least: FILLING[0],
        most: FILLING[1],
        lead: None,
        epoch: Instant::now(),
        counters,
    });
    let grids = successes(
        join_all(groups.into_iter().map(|group| grid(group, Arc::clone(&traffic)))).await,
        &mut errors,
    );
    let begun = Instant::now();
    let mut raced = Vec::new();
    for grid in grids {
        raced.push(grid.into_iter().map(|starter| smol::spawn(drive(starter))).collect::<Vec<_>>());
    }
    let (mut faults, mut latencies, mut last) = (Faults::default(), Vec::new(), begun);
    let (mut sent, mut received, mut received_bytes) = (0, 0, 0);
    let mut fields = Vec::new();
    for room in raced {
        let mut field = Vec::new();
        for racer in room {
            let (starter, outcome) = racer.await;
            errors.extend(outcome.err().map(|error| error.to_string()));
            let deliveries = starter.deliveries();
            faults = faults.and(deliveries.faults());
            latencies.extend_from_slice(deliveries.latencies());
            last = deliveries.last().map_or(last, |own| own.max(last));
            sent += deliveries.sent();
            received += deliveries.received();
            received_bytes += deliveries.bytes();
            field.push(starter);
        }
        fields.push(field);
    }
    let racing = last - begun;
    let finished = successes(join_all(fields.into_iter().map(finish)).await, &mut errors).into_iter().sum();
    let per_second = u64::try_from(racing.as_micros()).ok().filter(|micros| *micros > 0);
    let per_second = per_second.map_or(0, |micros| received.saturating_mul(1_000_000) / micros);
    Ok(Report {
        players: wanted,
        finished,
        joined,
        rooms,
        rate,
        joining_seconds,
        racing_seconds: racing.as_secs_f64(),
        sent,
        received,
        received_per_second: f64::from(u32::try_from(per_second).unwrap_or(u32::MAX)),
        received_bytes,
        latency_milliseconds: Latency::of(latencies),
        faults,
        errors,
    })
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

/// Groups of up to [`SLOTS`] players, one for each room.
fn groups(mut players: Vec<Credentials>) -> Vec<Vec<Credentials>> {
    let mut groups = Vec::new();
    while !players.is_empty() {
        let rest = players.split_off(players.len().min(SLOTS));
        groups.push(std::mem::replace(&mut players, rest));
    }
    groups
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

/// The values of what succeeded; the other errors go to `errors`.
fn successes<T>(outcomes: Vec<Result<T, Error>>, errors: &mut Vec<String>) -> Vec<T> {
    let mut well = Vec::new();
    for outcome in outcomes {
        match outcome {
            Ok(value) => well.push(value),
            Err(error) => errors.push(error.to_string()),
        }
    }
    well
}

/// Signs the players of a room in; those who can't are reported.
async fn assemble(
    web: Web,
    endpoints: Arc<ShardEndpoints>,
    group: Vec<Credentials>,
    room: CommId,
    counters: Arc<Counters>,
) -> (Vec<Racer>, Vec<String>) {
    let (mut racers, mut errors) = (Vec::new(), Vec::new());
    for Credentials { user, password } in group {
        match sign_in(&web, &endpoints, &user, &password, room).await {
            Ok(racer) => {
                Counters::count(&counters.joined);
                racers.push(racer);
            }
            Err(error) => errors.push(format!("{user}: {error}")),
        }
    }
    (racers, errors)
}

async fn sign_in(
    web: &Web,
    endpoints: &Arc<ShardEndpoints>,
    user: &str,
    password: &str,
    room: CommId,
) -> Result<Racer, Error> {
    let account = Account::sign_in(web, endpoints, user, password).await?;
    let mut personas = account.personas().await?;
    if personas.is_empty() {
        let name: String = user.chars().take(12).collect();
        account.create_persona(&name).await?;
        personas = account.personas().await?;
    }
    let entry = personas.first().ok_or_else(|| web.wrong("/AuthLogin", "the account has no persona"))?;
    Racer::sign_in(account.select(entry).await?, room).await
}

/// Takes a room to the start.
async fn grid(mut group: Vec<Racer>, traffic: Arc<Traffic>) -> Result<Vec<Starter>, Error> {
    let Some(host) = group.first_mut() else { return Ok(Vec::new()) };
    let terms = Terms { lobby: host.circuit().await?, entry_fee: 0, pink_slip: false };
    line_up(group, terms, &traffic).await
}

async fn drive(mut starter: Starter) -> (Starter, Result<(), Error>) {
    let outcome = starter.drive().await;
    (starter, outcome)
}

/// From the finishing line to the way out. How many heard the results.
async fn finish(mut field: Vec<Starter>) -> Result<usize, Error> {
    for starter in &mut field {
        starter.come_in().await?;
    }
    for starter in &mut field {
        starter.results().await?;
    }
    let count = field.len();
    for starter in field {
        starter.leave().await?.sign_out().await?;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_packets_that_were_sent() {
        let latency = Latency::of((1..=2000).rev().collect());
        assert_eq!(latency, Latency { p50: 1.0, p99: 1.98, p99_9: 1.998, most: 2.0 });
        assert_eq!(Latency::of(vec![7]), Latency { p50: 0.007, p99: 0.007, p99_9: 0.007, most: 0.007 });
        assert_eq!(Latency::of(Vec::new()), Latency::default());
    }

    #[test]
    fn players_race_in_rooms_of_six() {
        let player = |_| Credentials { user: String::new(), password: String::new().into() };
        let sizes = |count| groups((0..count).map(player).collect()).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(13), [6, 6, 1]);
        assert!(sizes(0).is_empty());
    }
}
