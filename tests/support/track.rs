//! What racers do between start and finish.

use mco_proto::mcots::race::SLOTS;
use mcos::client::racing::{Starter, Traffic};
use smol::spawn;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// For races that are over in a moment: times are not held against the clock.
pub(crate) const ANY_TIME: &str = "[game]\ncheck_race_times = false\n";

/// What each slot sends: so many packets of at most so many bytes, one every so many milliseconds.
pub(crate) fn traffic(packets: [u32; SLOTS], most: usize, milliseconds: u64) -> Arc<Traffic> {
    let (interval, epoch) = (Duration::from_millis(milliseconds), Instant::now());
    Arc::new(Traffic { packets, interval, least: 0, most, lead: None, epoch, counters: Arc::default() })
}

/// All at once.
pub(crate) async fn drive(field: Vec<Starter>) -> Vec<Starter> {
    let go = |mut starter: Starter| async move {
        starter.drive().await.unwrap();
        starter
    };
    let mut done = Vec::new();
    for starter in field.into_iter().map(|starter| spawn(go(starter))).collect::<Vec<_>>() {
        done.push(starter.await);
    }
    done
}
