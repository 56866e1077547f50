//! `mcos replay`: plays the Client's side of a recording (`mcos serve --record`) against a server and says where it
//! answers differently. See `docs/recording.md`.

mod player;
mod recording;

use super::Error;
use super::probe::{Credentials, HostError, Options, Target, reach};
use super::sitting::{Account, ShardEndpoints};
use mco_proto::ids::{CustomerId, PersonaId};
use player::{Actor, Player, Tally};
use recording::Recording;
pub use recording::RecordingError;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

/// Whether the server answered as recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every answer has the message number of the recorded one.
    Same,
    /// So many answers are missing or have another number.
    Differs(usize),
}

/// Why a recording was not played to its end.
#[derive(Debug)]
pub enum ReplayError {
    /// The recording can't be read.
    Recording(RecordingError),
    /// The host is not a name or an address.
    Host(HostError),
    /// Signing in failed.
    Server(Error),
    /// No account has the number of a customer in the recording.
    Customer {
        /// In the recording.
        recorded: CustomerId,
        /// The accounts that were named, on the server.
        found: Vec<CustomerId>,
    },
    /// The customer's account lacks a persona of the recording.
    Persona(CustomerId, PersonaId),
    /// The report can't be written.
    Output(io::Error),
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recording(why) => why.fmt(f),
            Self::Host(why) => why.fmt(f),
            Self::Server(why) => why.fmt(f),
            Self::Customer { recorded, found } => {
                let found: Vec<String> = found.iter().map(ToString::to_string).collect();
                write!(
                    f,
                    "customer {recorded} is in the recording, and the accounts named with --user are customers {}; make one \
                     with \"mcos account add NAME --customer-id {recorded}\" on a fresh server and name it too",
                    found.join(" and ")
                )
            }
            Self::Persona(customer, persona) => write!(
                f,
                "customer {customer} has no persona {persona}, which the recording uses; make it with \
                 \"mcos persona add ACCOUNT NAME --persona-id {persona}\""
            ),
            Self::Output(why) => write!(f, "cannot print: {why}"),
        }
    }
}

impl std::error::Error for ReplayError {}

impl From<RecordingError> for ReplayError {
    fn from(why: RecordingError) -> Self {
        Self::Recording(why)
    }
}

impl From<HostError> for ReplayError {
    fn from(why: HostError) -> Self {
        Self::Host(why)
    }
}

impl From<Error> for ReplayError {
    fn from(why: Error) -> Self {
        Self::Server(why)
    }
}

impl From<io::Error> for ReplayError {
    fn from(why: io::Error) -> Self {
        Self::Output(why)
    }
}

/// Sends the Client's side of the recording in `folder` to the server of `options`, with these accounts, one for each customer
/// in it. Writes one line for each answer to `out`.
pub async fn run(
    folder: &Path,
    options: &Options,
    users: &[Credentials],
    out: &mut dyn Write,
) -> Result<Verdict, ReplayError> {
    let recording = Recording::load(folder)?;
    for gap in &recording.gaps {
        writeln!(out, "note: {gap}")?;
    }
    let target = Target::of(options.host.as_deref(), &options.network, options.timeout).await?;
    let web = reach(&target, options.timeout).await?;
    let shards = web.shard_list().await?;
    let Some(shard) = shards.iter().find(|shard| shard.status == 0).or(shards.first()) else {
        return Err(Error::ShardList(super::ShardListError::Empty).into());
    };
    let endpoints = Arc::new(ShardEndpoints::new(shard, target.fixed, options.timeout));
    let (mut actors, mut personas) = (Vec::new(), Vec::new());
    for user in users {
        let account = Account::sign_in(&web, &endpoints, &user.user, &user.password).await?;
        personas.extend(account.personas().await?.into_iter().map(|entry| (account.customer, entry.persona)));
        actors.push(Actor::new(account, user));
    }
    let found: Vec<CustomerId> = actors.iter().map(Actor::customer).collect();
    if let Some(recorded) = recording.customers().into_iter().find(|recorded| !found.contains(recorded)) {
        return Err(ReplayError::Customer { recorded, found });
    }
    if let Some((customer, persona)) = recording.personas().into_iter().find(|one| !personas.contains(one)) {
        return Err(ReplayError::Persona(customer, persona));
    }
    let tally = Player::new(&web, endpoints, actors).await?.play(&recording, out).await?;
    let Tally { sent, same, differing } = tally;
    writeln!(out, "{sent} messages sent; {same} answers of the same kind, {differing} missing or different")?;
    Ok(if differing == 0 { Verdict::Same } else { Verdict::Differs(differing) })
}
