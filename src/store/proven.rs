//! Who has just proven a password: the Client asks Auth twice when it signs in, and the second time need not cost an evaluation.
//!
//! What is kept is a keyed hash of the password and of the hash that is stored for it, under a key which this process has made and
//! tells nobody. So it holds nothing to guess from, and is worth nothing once the password has changed.

use super::ticket::lock;
use crate::clock::Now;
use rand::RngCore as _;
use rand::rngs::OsRng;
use ring::hmac::{Context, HMAC_SHA256, Key};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

/// For how long a proof counts.
const LIFE: Duration = Duration::from_mins(1);
/// How many are kept at once; beyond that the oldest is forgotten.
const MOST: usize = 1024;

type Tag = [u8; 32];

/// The proofs of this process.
pub(super) static PROVEN: LazyLock<Proven> = LazyLock::new(Proven::new);

/// Proofs that still count.
pub(super) struct Proven {
    key: Key,
    seen: Mutex<HashMap<Tag, Instant>>,
}

impl Proven {
    fn new() -> Self {
        let mut random = zeroize::Zeroizing::new([0; 32]);
        OsRng.fill_bytes(&mut *random);
        Self { key: Key::new(HMAC_SHA256, &*random), seen: Mutex::default() }
    }

    /// `password` was found to belong to the stored `hash`.
    pub(super) fn remember(&self, password: &str, hash: &str, now: Now) {
        let Some(tag) = self.tag(password, hash) else { return };
        let mut seen = lock(&self.seen);
        if seen.len() >= MOST && !seen.contains_key(&tag) {
            seen.retain(|_, since| now.since(*since) < LIFE);
            if seen.len() >= MOST
                && let Some(oldest) = seen.iter().min_by_key(|(_, since)| **since).map(|(tag, _)| *tag)
            {
                seen.remove(&oldest);
            }
        }
        seen.insert(tag, now.mono);
    }

    /// Whether that was found within the last minute.
    pub(super) fn remembers(&self, password: &str, hash: &str, now: Now) -> bool {
        let Some(tag) = self.tag(password, hash) else { return false };
        lock(&self.seen).get(&tag).is_some_and(|since| now.since(*since) < LIFE)
    }

    fn tag(&self, password: &str, hash: &str) -> Option<Tag> {
        let mut context = Context::with_key(&self.key);
        context.update(hash.as_bytes());
        // No hash holds this byte.
        context.update(&[0]);
        context.update(password.as_bytes());
        context.sign().as_ref().try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_counts_for_a_minute_for_its_password_and_its_hash_alone() {
        let (proven, now) = (Proven::new(), Now::read());
        proven.remember("s3cret", "$argon2id$a", now);
        let almost = now.later(LIFE.saturating_sub(Duration::from_millis(1)));
        assert!(proven.remembers("s3cret", "$argon2id$a", almost));
        for (password, hash) in [("S3cret", "$argon2id$a"), ("s3cret", "$argon2id$b"), ("", "$argon2id$a")] {
            assert!(!proven.remembers(password, hash, now), "{password} {hash}");
        }
        assert!(!proven.remembers("s3cret", "$argon2id$a", now.later(LIFE)));
        assert!(!Proven::new().remembers("s3cret", "$argon2id$a", now), "each process has a key of its own");
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_the_last() {
        let (proven, now) = (Proven::new(), Now::read());
        for n in 0..2000_u64 {
            proven.remember(&n.to_string(), "hash", now.later(Duration::from_millis(n)));
        }
        assert_eq!(lock(&proven.seen).len(), MOST);
        assert!(proven.remembers("1999", "hash", now.later(Duration::from_secs(2))));
    }
}
