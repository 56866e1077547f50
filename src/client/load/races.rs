//! Races in rooms of six, all at once, with every packet between the racers accounted for.

use super::report::RaceReport;
use super::{Site, join_all, sign_in};
use crate::client::Error;
use crate::client::latency::Latency;
use crate::client::probe::Credentials;
use crate::client::racing::{Counters, Faults, Racer, Starter, Terms, Traffic, line_up};
use mco_proto::ids::CommId;
use mco_proto::mcots::race::SLOTS;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The fewest and the most bytes of filling in a packet.
const FILLING: [usize; 2] = [20, 200];
/// The rooms that are used in turn, by number in the directory; 2 is the chat channel.
const ROOMS: [CommId; 2] = [CommId(1), CommId(3)];

/// Lets the players sign in, race and sign out. Each sends `rate` packets in a second, for so many seconds.
pub(super) async fn run(site: &Site, players: Vec<Credentials>, rate: u32, seconds: u32) -> RaceReport {
    let counters = &site.counters;
    let mut errors = Vec::new();
    let wanted = players.len();
    let begun = Instant::now();
    let rooms = groups(players).into_iter().zip(ROOMS.into_iter().cycle());
    let joining = rooms.map(|(group, room)| assemble(site.clone(), group, room));
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
        counters: Arc::clone(counters),
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
    let (mut faults, mut latency, mut last) = (Faults::default(), Latency::default(), begun);
    let (mut sent, mut received, mut received_bytes) = (0, 0, 0);
    let mut fields = Vec::new();
    for room in raced {
        let mut field = Vec::new();
        for racer in room {
            let (starter, outcome) = racer.await;
            errors.extend(outcome.err().map(|error| error.to_string()));
            let deliveries = starter.deliveries();
            faults = faults.and(deliveries.faults());
            latency.add(deliveries.latency());
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
    RaceReport {
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
        latency_milliseconds: latency.percentiles(),
        faults,
        errors,
    }
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
async fn assemble(site: Site, group: Vec<Credentials>, room: CommId) -> (Vec<Racer>, Vec<String>) {
    let (mut racers, mut errors) = (Vec::new(), Vec::new());
    for player in group {
        match racer(&site, &player, room).await {
            Ok(racer) => {
                Counters::count(&site.counters.joined);
                racers.push(racer);
            }
            Err(error) => errors.push(format!("{}: {error}", player.user)),
        }
    }
    (racers, errors)
}

async fn racer(site: &Site, player: &Credentials, room: CommId) -> Result<Racer, Error> {
    Racer::sign_in(sign_in(site, player).await?, room).await
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
    fn players_race_in_rooms_of_six() {
        let player = |_| Credentials { user: String::new(), password: String::new().into() };
        let sizes = |count| groups((0..count).map(player).collect()).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(13), [6, 6, 1]);
        assert!(sizes(0).is_empty());
    }
}
