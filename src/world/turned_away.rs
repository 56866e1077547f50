//! Who is not answered for a while, because it floods the ports with connections.

use super::locked;
use super::refusals::{Refusals, Refused};
use super::source::Source;
use crate::clock::Now;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Whose new connections the system throws away, and how often that was begun.
#[derive(Debug, Default)]
pub struct TurnedAway {
    /// How many are turned away now.
    count: AtomicUsize,
    seen: Mutex<Refusals>,
}

impl TurnedAway {
    /// From now on somebody is turned away. `Some` if that is worth a line of the log: how many times since the last such line, this one
    /// included.
    pub fn note(&self, from: Source, now: Now) -> Option<u64> {
        locked(&self.seen).note(from, now)
    }

    /// So many are turned away now.
    pub fn set_count(&self, count: usize) {
        self.count.store(count, Ordering::Relaxed);
    }

    /// How many are turned away now.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Who was turned away since the server was started, the last one first. The list is bounded.
    pub fn all(&self) -> Vec<(Source, Refused)> {
        let mut all: Vec<_> = locked(&self.seen).all().collect();
        all.sort_by_key(|(from, seen)| (std::cmp::Reverse(seen.last.mono), *from));
        all
    }
}
