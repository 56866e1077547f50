//! `/metrics`: the figures of the server for Prometheus and what reads the same text, given to this machine only: who collects them
//! runs beside the server, and nobody else has a use for them.
//!
//! The number of series is bounded: message numbers are those that are known, and one for all others.

use super::connections::Connections;
use super::counters::Counters;
use super::limits::Limits;
use super::memory_budget::MemoryBudget;
use super::turns::Turns;
use crate::clock::Now;
use crate::services::{Game, Verdict};
use std::fmt::{self, Write as _};
use std::fs;
use std::sync::Arc;
use std::time::Instant;

/// The content type of the text.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4";

/// Where the figures come from.
pub(super) struct Metrics {
    pub(super) game: Arc<Game>,
    pub(super) limits: Arc<Limits>,
    pub(super) input: Arc<MemoryBudget>,
    pub(super) counters: Arc<Counters>,
    pub(super) turns: Arc<Turns>,
    pub(super) connections: Arc<Connections>,
    /// When the server began.
    pub(super) started: Instant,
}

impl Metrics {
    /// All figures as they are now.
    pub(super) fn text(&self, now: Now) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = self.write(now, &mut text);
        text
    }

    fn write(&self, now: Now, out: &mut String) -> fmt::Result {
        let (unread, most_unread) = self.connections.waiting();
        let simple = [
            ("mcos_uptime_seconds", "gauge", now.since(self.started).as_secs()),
            ("mcos_players", "gauge", self.game.world.population(now) as u64),
            ("mcos_connections", "gauge", self.limits.count() as u64),
            ("mcos_addresses_turned_away", "gauge", self.game.world.turned_away.count() as u64),
            ("mcos_connection_memory_bytes", "gauge", self.input.held() as u64),
            ("mcos_unread_bytes", "gauge", unread as u64),
            ("mcos_unread_bytes_of_one", "gauge", most_unread as u64),
            ("mcos_races", "gauge", self.game.races_under_way(now) as u64),
            ("mcos_changes_saved_total", "counter", self.game.store.changes()),
            ("mcos_sent_away_from_line_total", "counter", self.turns.sent_away()),
            ("mcos_memory_bytes", "gauge", resident_memory().unwrap_or_default()),
            ("mcos_store_trouble", "gauge", u64::from(self.game.store.trouble().is_some())),
        ];
        for (name, kind, value) in simple {
            writeln!(out, "# TYPE {name} {kind}\n{name} {value}")?;
        }
        writeln!(out, "# TYPE mcos_connections_refused_total counter")?;
        for (reason, count) in self.limits.refused().chain(self.counters.unwelcome.all()) {
            writeln!(out, "mcos_connections_refused_total{{reason=\"{reason}\"}} {count}")?;
        }
        writeln!(out, "# TYPE mcos_game_connections_ended_total counter")?;
        for (reason, count) in self.counters.ended.all() {
            writeln!(out, "mcos_game_connections_ended_total{{reason=\"{reason}\"}} {count}")?;
        }
        writeln!(out, "# TYPE mcos_waiting gauge")?;
        for (work, count) in self.turns.waiting() {
            writeln!(out, "mcos_waiting{{work=\"{work}\"}} {count}")?;
        }
        self.counters.saving.write("mcos_saving_seconds", out)?;
        writeln!(out, "# TYPE mcos_messages_total counter")?;
        self.counters.each(|family, number, verdict, count| {
            let number = number.map_or_else(|| "other".to_owned(), |number| number.to_string());
            let verdict = word(verdict);
            // As above.
            let _ = writeln!(
                out,
                "mcos_messages_total{{family=\"{family}\",number=\"{number}\",verdict=\"{verdict}\"}} {count}"
            );
        });
        Ok(())
    }
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Answered => "answered",
        Verdict::Refused => "refused",
        Verdict::NotAllowed => "not_allowed",
        Verdict::Malformed => "malformed",
        Verdict::Unknown => "unknown",
        Verdict::Failed => "failed",
    }
}

/// The resident memory of this process in bytes, if the system tells.
pub(super) fn resident_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}
