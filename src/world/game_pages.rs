//! How often the game has opened each of the pages whose addresses it was given by number: nobody knows yet which number is which page.

use super::locked;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// The visits by number. Only numbers that were handed out are counted, so there are not many.
#[derive(Debug, Default)]
pub struct GamePages(Mutex<BTreeMap<u32, u32>>);

impl GamePages {
    /// Counts a visit of a page that was handed out; whether it is the first of this page.
    pub fn visit(&self, number: u32) -> bool {
        let mut visits = locked(&self.0);
        let count = visits.entry(number).or_default();
        *count = count.saturating_add(1);
        *count == 1
    }

    /// The numbers that were visited, each with how often.
    pub fn visits(&self) -> Vec<(u32, u32)> {
        locked(&self.0).iter().map(|(number, count)| (*number, *count)).collect()
    }
}
