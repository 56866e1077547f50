//! How many connections there may be, in all and from one address.

use atomic_waker::AtomicWaker;
use std::collections::HashMap;
use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

/// Counts connections.
#[derive(Debug)]
pub(crate) struct Limits {
    most: usize,
    most_per_address: usize,
    counts: Mutex<Counts>,
    empty: AtomicWaker,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A connection's place; free again when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    limits: Arc<Limits>,
    /// Where from, if that is counted.
    address: Option<IpAddr>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crowded {
    /// The server is full.
    Server,
    /// This address has all the connections it may have.
    Address,
}

impl Limits {
    pub(crate) fn new(most: usize, most_per_address: usize) -> Arc<Self> {
        Arc::new(Self { most, most_per_address, counts: Mutex::default(), empty: AtomicWaker::new() })
    }

    /// A place for a connection from `address`. This machine itself is not counted by address: the Operator's tools and
    /// tests run there.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Permit, Crowded> {
        let address = address.to_canonical();
        let address = (!address.is_loopback()).then_some(address);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.all >= self.most {
            return Err(Crowded::Server);
        }
        if let Some(address) = address {
            let count = counts.by_address.entry(address).or_default();
            if *count >= self.most_per_address {
                return Err(Crowded::Address);
            }
            *count += 1;
        }
        counts.all += 1;
        Ok(Permit { limits: Arc::clone(self), address })
    }

    /// How many connections there are.
    pub(crate) fn count(&self) -> usize {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).all
    }

    /// Waits until no connection is left. For one waiter: the end of the server.
    pub(crate) async fn all_gone(&self) {
        poll_fn(|context| {
            self.empty.register(context.waker());
            let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            if counts.all == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.limits.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all = counts.all.saturating_sub(1);
        if let Some(address) = self.address
            && let Some(count) = counts.by_address.get_mut(&address)
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.by_address.remove(&address);
            }
        }
        if counts.all == 0 {
            self.limits.empty.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRIEND: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 20));
    const SELF: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn one_address_cannot_take_all_places_and_gives_them_back() {
        let limits = Limits::new(10, 2);
        let places: Vec<_> = (0..2).map(|_| limits.admit(FRIEND).unwrap()).collect();
        assert_eq!(limits.admit(FRIEND).unwrap_err(), Crowded::Address);
        drop(places);
        assert!(limits.admit(FRIEND).is_ok());
        let counts = limits.counts.lock().unwrap();
        assert!(counts.by_address.is_empty(), "an address without connections is forgotten");
    }

    #[test]
    fn this_machine_is_limited_by_the_whole_only() {
        let limits = Limits::new(3, 1);
        let places: Vec<_> = (0..3).map(|_| limits.admit(SELF).unwrap()).collect();
        assert_eq!(limits.admit(SELF).unwrap_err(), Crowded::Server);
        drop(places);
        smol::block_on(limits.all_gone());
    }
}
