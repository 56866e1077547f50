//! What a load has shown, for people and as JSON.

use crate::client::latency::Percentiles;
use crate::client::racing::Faults;
use serde::Serialize;
use std::io::{self, Write};

/// The result of a load.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Of those who raced, if anybody did.
    pub races: Option<RaceReport>,
    /// Of the others, one for each thing that they did.
    pub acts: Vec<ActReport>,
}

/// What came of the races.
#[derive(Clone, Debug, Serialize)]
pub struct RaceReport {
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
    /// From sending a packet to receiving it.
    pub latency_milliseconds: Percentiles,
    /// Packets that did not arrive as they were sent.
    pub faults: Faults,
    /// Other errors, in words.
    pub errors: Vec<String>,
}

/// What came of one kind of act.
#[derive(Clone, Debug, Serialize)]
pub struct ActReport {
    /// What was done, such as "sign-ins".
    pub what: &'static str,
    /// Players that were asked for.
    pub players: usize,
    /// Players that got as far as to do it.
    pub joined: usize,
    /// Acts a second of all players together, as wanted.
    pub wanted_per_second: f64,
    /// Acts that were done.
    pub done: u64,
    /// Acts that the server refused, among them.
    pub refused: u64,
    /// Acts that came to nothing, such as lines of chat that somebody did not hear.
    pub lost: u64,
    /// Acts done in a second.
    pub per_second: f64,
    /// From the moment an act was due until it was done: what a player waits, also for the acts before.
    pub latency_milliseconds: Percentiles,
    /// Other errors, in words.
    pub errors: Vec<String>,
}

impl Report {
    /// Packets and acts that came to nothing.
    pub fn lost(&self) -> u64 {
        let races = self.races.as_ref().map_or(0, |races| races.faults.sum());
        races + self.acts.iter().map(|acts| acts.lost).sum::<u64>()
    }

    /// All errors.
    pub fn errors(&self) -> usize {
        let races = self.races.as_ref().map_or(0, |races| races.errors.len());
        races + self.acts.iter().map(|acts| acts.errors.len()).sum::<usize>()
    }

    /// As lines for people, or as one JSON document.
    pub fn print(&self, json: bool, out: &mut dyn Write) -> io::Result<()> {
        if json {
            return writeln!(out, "{}", serde_json::to_string_pretty(self)?);
        }
        if let Some(races) = &self.races {
            races.print(out)?;
        }
        self.acts.iter().try_for_each(|acts| acts.print(out))
    }
}

impl RaceReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { players, joined, finished, rooms, rate, sent, received, faults, .. } = self;
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
        writeln!(out, "latency   {}", self.latency_milliseconds)?;
        writeln!(
            out,
            "packets   {lost} lost, {altered} altered, {doubled} doubled, {reordered} reordered, {stray} astray"
        )?;
        print_errors(&self.errors, out)
    }
}

impl ActReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { what, players, joined, done, refused, lost, .. } = self;
        writeln!(out, "{what}: {joined} of {players} players")?;
        writeln!(
            out,
            "done      {done}, {:.1} a second of {:.1} wanted; {refused} of them refused, {lost} more lost",
            self.per_second, self.wanted_per_second
        )?;
        writeln!(out, "latency   {}", self.latency_milliseconds)?;
        print_errors(&self.errors, out)
    }
}

fn print_errors(errors: &[String], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "errors    {}", errors.len())?;
    errors.iter().try_for_each(|error| writeln!(out, "          {error}"))
}
