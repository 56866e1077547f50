//! A server in which nothing is recorded.

use crate::admin::recordings::{RecordingSwitch, Running, Whom};
use crate::clock::Now;

/// Nothing is ever recorded.
pub(super) struct NoSwitch;

impl RecordingSwitch for NoSwitch {
    fn start(&self, _: Whom, _: u64, _: Now) -> Result<(), String> {
        Err("Nothing can be recorded here.".to_owned())
    }
    fn stop(&self) -> bool {
        false
    }
    fn running(&self) -> Option<Running> {
        None
    }
    fn ended(&self) -> Option<String> {
        Some("recording-000001 ended by itself: the card is full.".to_owned())
    }
}
