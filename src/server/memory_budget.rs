//! One budget for what all connections together hold in memory: half packets and half handshakes; and of connections to the SSL
//! server everything, from the first moment on and with answers that nobody reads. Each is bounded by itself, but there are thousands.
//!
//! When the budget is overdrawn, the address pays whose connections hold most of it together: of these the largest ends, and of equals
//! the oldest. So a crowd of connections from some addresses cannot push out the one of somebody else. What is held where somebody plays
//! counts less, because a browser opens more connections at once than each of a crowd of strangers needs: but not if that is half of the
//! budget already.

use crate::config;
use crate::world::Source;
use atomic_waker::AtomicWaker;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::fs;
use std::future::poll_fn;
use std::net::IpAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

/// So many parts of the memory that this process may use are for that.
const PART: u64 = 4;
/// The budget is never smaller than this, in bytes, if it follows from the memory.
const LEAST: u64 = 2 * 1024 * 1024;
/// An address where somebody plays, or an Operator is logged in, pays as one that holds this part of it,
const PART_OF_KNOWN: usize = 8;
/// as long as all such addresses together hold no more than this part of the budget: or else they would leave nothing to newcomers.
const PART_FOR_KNOWN: usize = 2;

/// Counts the bytes that connections hold.
#[derive(Debug)]
pub(super) struct MemoryBudget {
    most: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held: usize,
    /// Who holds something, by address.
    addresses: HashMap<Source, Holders>,
    /// The same addresses in the order in which they pay, the last first: those of strangers, and those where somebody plays.
    strangers: BTreeSet<Weight>,
    known: BTreeSet<Weight>,
    /// How much the latter hold.
    held_by_known: usize,
    /// How many shares there were.
    shares: u64,
}

/// What an address holds; of equals the one pays that has held something for longer.
type Weight = (usize, Reverse<u64>, Source);

/// The connections of one address that hold something.
#[derive(Debug, Default)]
struct Holders {
    held: usize,
    /// Somebody plays there.
    known: bool,
    /// The number of the share that was the first of them.
    first: u64,
    /// By how much each holds, the first comer last among equals.
    connections: BTreeMap<(usize, Reverse<u64>), Arc<dyn Evict>>,
}

/// A connection that can be ended because it holds too much.
pub(super) trait Evict: Send + Sync + fmt::Debug {
    /// Ends it. Called with a lock held, so it only leaves word.
    fn evict(&self);
}

/// What one connection holds. Given back when dropped.
#[derive(Debug)]
pub(super) struct Share {
    budget: Arc<MemoryBudget>,
    from: Source,
    number: u64,
    known: bool,
    bytes: usize,
    owner: Arc<dyn Evict>,
}

impl MemoryBudget {
    /// A budget of so many bytes.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, state: Mutex::default() })
    }

    /// As `mcos.toml` says, or sized from the memory that this process may use.
    pub(super) fn configured(limits: &config::Limits) -> Arc<Self> {
        if limits.input_bytes > 0 {
            return Self::new(limits.input_bytes);
        }
        let bytes = (usable_memory() / PART).max(LEAST);
        log::debug!("connections may hold {} KiB of memory", bytes / 1024);
        Self::new(usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many bytes are held.
    pub(super) fn held(&self) -> usize {
        self.state().held
    }

    /// The share of a new connection from this address, which holds nothing yet. `known`: somebody plays there. `owner` ends it if it
    /// has to pay.
    pub(super) fn share(self: &Arc<Self>, from: IpAddr, known: bool, owner: Arc<dyn Evict>) -> Share {
        let mut state = self.state();
        state.shares += 1;
        let from = Source::of(from);
        Share { budget: Arc::clone(self), from, number: state.shares, known, bytes: 0, owner }
    }
}

impl Share {
    /// Somebody plays on this connection: what its address holds counts less from the next time on that it says how much.
    pub(super) const fn somebody_plays(&mut self) {
        self.known = true;
    }

    /// The connection holds so many bytes now. If that is too much for all together, somebody is ended; it may be this one.
    pub(super) fn set(&mut self, bytes: usize) {
        if bytes == self.bytes {
            return;
        }
        let mut state = self.budget.state();
        let place = |bytes| (bytes, Reverse(self.number));
        // Who has been ended is no longer counted.
        let counted = self.bytes == 0 || state.take(self.from, place(self.bytes)).is_some();
        if counted && bytes > 0 {
            state.put(self.from, self.known, place(bytes), Arc::clone(&self.owner));
        }
        self.bytes = bytes;
        while state.held > self.budget.most
            && let Some(owner) = state.take_largest(self.budget.most)
        {
            owner.evict();
        }
    }
}

impl Holders {
    const fn weight(&self, from: Source) -> Weight {
        (self.held, Reverse(self.first), from)
    }
}

impl State {
    fn put(&mut self, from: Source, known: bool, place: (usize, Reverse<u64>), owner: Arc<dyn Evict>) {
        self.change(from, place.1.0, |holders| {
            holders.known |= known;
            holders.held = holders.held.saturating_add(place.0);
            holders.connections.insert(place, owner);
        });
    }

    /// The connection at this place no longer counts. `None` if there is none.
    fn take(&mut self, from: Source, place: (usize, Reverse<u64>)) -> Option<Arc<dyn Evict>> {
        self.addresses.get(&from)?.connections.get(&place)?;
        self.change(from, place.1.0, |holders| {
            holders.held = holders.held.saturating_sub(place.0);
            holders.connections.remove(&place)
        })
    }

    /// Changes what an address holds, of which `number` is the share if it held nothing so far.
    fn change<T>(&mut self, from: Source, number: u64, change: impl FnOnce(&mut Holders) -> T) -> T {
        let new = || Holders { first: number, ..Holders::default() };
        let mut holders = self.addresses.remove(&from).unwrap_or_else(new);
        let (held, known) = (holders.held, holders.known);
        (if known { &mut self.known } else { &mut self.strangers }).remove(&holders.weight(from));
        let changed = change(&mut holders);
        self.held = self.held.saturating_sub(held).saturating_add(holders.held);
        let (before, after) = (if known { held } else { 0 }, if holders.known { holders.held } else { 0 });
        self.held_by_known = self.held_by_known.saturating_sub(before).saturating_add(after);
        if !holders.connections.is_empty() {
            (if holders.known { &mut self.known } else { &mut self.strangers }).insert(holders.weight(from));
            self.addresses.insert(from, holders);
        }
        changed
    }

    /// The connection that has to pay, of a budget of `most` bytes, no longer counts.
    fn take_largest(&mut self, most: usize) -> Option<Arc<dyn Evict>> {
        let part = if self.held_by_known > most / PART_FOR_KNOWN { 1 } else { PART_OF_KNOWN };
        let known = self.known.last().map(|(held, first, from)| (held / part, *first, *from));
        let (_, _, from) = known.max(self.strangers.last().copied())?;
        let (place, _) = self.addresses.get(&from)?.connections.last_key_value()?;
        let place = *place;
        self.take(from, place)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// Word for a connection that it must end, where nothing else waits for such words.
#[derive(Debug, Default)]
pub(super) struct Eviction {
    evicted: AtomicBool,
    waker: AtomicWaker,
}

impl Evict for Eviction {
    fn evict(&self) {
        self.evicted.store(true, Ordering::Release);
        self.waker.wake();
    }
}

impl Eviction {
    /// Waits until the connection must end. For one waiter.
    pub(super) async fn wait(&self) {
        poll_fn(|context: &mut Context<'_>| {
            self.waker.register(context.waker());
            if self.evicted.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

#[cfg(test)]
impl Share {
    /// One that never has to pay.
    pub(super) fn for_tests() -> Self {
        MemoryBudget::new(usize::MAX).share([127, 0, 0, 1].into(), false, Arc::<Eviction>::default())
    }
}

/// How many bytes of memory this process may use: what its control groups leave it, or else what the machine has.
#[allow(clippy::useless_conversion, reason = "on machines of 32 bits the system counts in fewer")]
fn usable_memory() -> u64 {
    let machine = rustix::system::sysinfo();
    let machine = u64::try_from(machine.totalram).unwrap_or(u64::MAX).saturating_mul(machine.mem_unit.into());
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    memory_of_groups(&groups, Path::new("/sys/fs/cgroup")).map_or(machine, |least| least.min(machine))
}

/// The least that any of the control groups allows in which a process is. `groups` is its `/proc/self/cgroup`, `root` where the
/// groups are mounted: of version 2, or the controller `memory` of version 1.
fn memory_of_groups(groups: &str, root: &Path) -> Option<u64> {
    let limits = groups.lines().flat_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        let (root, file) = match controllers {
            "" => (root.to_owned(), "memory.max"),
            "memory" => (root.join("memory"), "memory.limit_in_bytes"),
            _ => return Vec::new(),
        };
        let own = root.join(path.trim_start_matches('/'));
        let groups = own.ancestors().take_while(|group| group.starts_with(&root));
        // A group without a limit says "max", or a number that no machine has.
        groups.filter_map(|group| fs::read_to_string(group.join(file)).ok()?.trim().parse().ok()).collect()
    });
    limits.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From there on somebody plays.
    const PLAYER: u8 = 200;

    fn host(n: u8) -> IpAddr {
        [10, 0, 0, n].into()
    }

    /// Connections with from where they come and what each holds; returned is which were ended, in the order in which they came.
    fn ended(budget: &Arc<MemoryBudget>, holdings: &[(u8, usize)]) -> Vec<bool> {
        let ends: Vec<Arc<Eviction>> = holdings.iter().map(|_| Arc::default()).collect();
        let mut shares: Vec<_> = holdings
            .iter()
            .zip(&ends)
            .map(|((from, _), end)| budget.share(host(*from), *from >= PLAYER, Arc::clone(end) as _))
            .collect();
        shares.iter_mut().zip(holdings).for_each(|(share, (_, bytes))| share.set(*bytes));
        assert!(budget.state().held <= budget.most);
        ends.iter().map(|end| end.evicted.load(Ordering::Acquire)).collect()
    }

    #[test]
    fn of_one_address_who_holds_most_pays_first_and_of_equals_who_came_first() {
        let budget = MemoryBudget::new(100);
        for (holdings, expected) in [
            (&[10, 60, 20][..], &[false, false, false][..]),
            (&[10, 60, 40], &[false, true, false]),
            (&[30, 30, 30, 30], &[true, false, false, false]),
            (&[101], &[true]),
            (&[60, 50, 45], &[true, false, false]),
        ] {
            let of_one: Vec<_> = holdings.iter().map(|bytes| (1, *bytes)).collect();
            assert_eq!(ended(&budget, &of_one), expected, "{holdings:?}");
            let state = budget.state();
            assert!(
                state.held + state.held_by_known == 0
                    && state.addresses.is_empty()
                    && state.strangers.is_empty(),
                "all is given back"
            );
        }
    }

    #[test]
    fn the_address_that_holds_most_pays_even_if_another_has_the_largest_connection() {
        let budget = MemoryBudget::new(100);
        for (holdings, expected) in [
            (&[(1, 50), (2, 30), (2, 30)][..], &[false, true, false][..]),
            (&[(1, 50), (2, 30), (3, 30)], &[true, false, false]),
            // What is paid brings an address down to the others.
            (&[(1, 30), (2, 30), (2, 30), (3, 30), (3, 30)], &[false, true, false, true, false]),
        ] {
            assert_eq!(ended(&budget, holdings), expected, "{holdings:?}");
        }
    }

    #[test]
    fn the_one_connection_of_a_player_outlives_crowds_from_other_addresses() {
        let budget = MemoryBudget::new(1_000_000);
        let mut holdings = vec![(0, 60_000)];
        holdings.extend((0..8000_u32).map(|n| (u8::try_from(1 + n % 15).unwrap(), 60_000)));
        let ended = ended(&budget, &holdings);
        assert!(!ended[0]);
        assert_eq!(ended.iter().filter(|ended| !**ended).count(), 1_000_000 / 60_000);
    }

    #[test]
    fn where_somebody_plays_a_browser_outlives_a_crowd_but_no_flood_does() {
        let budget = MemoryBudget::new(1_000);
        let lost = |own: &[(u8, usize)], crowd: &[(u8, usize)]| {
            let holdings: Vec<_> = own.iter().chain(crowd).copied().collect();
            ended(&budget, &holdings)[..own.len()].iter().filter(|ended| **ended).count()
        };
        let strangers: Vec<_> = (0..150).flat_map(|n| [(n, 10); 4]).collect();
        assert_eq!(lost(&[(PLAYER, 10); 6], &strangers), 0, "six connections of a browser");
        assert!(lost(&[(199, 10); 6], &strangers) >= 4, "of somebody who is not known");
        assert!(lost(&[(PLAYER, 10); 90], &strangers) > 10, "nor does anybody keep all there is");
        let players: Vec<_> = (PLAYER..PLAYER + 10).flat_map(|n| [(n, 10); 48]).collect();
        assert_eq!(lost(&[(199, 10); 6], &players), 0, "of a newcomer where players hold much");
        assert_eq!(lost(&[(255, 10); 6], &players), 0, "of another player");
    }

    #[test]
    fn of_addresses_that_hold_the_same_the_one_pays_that_came_first() {
        let budget = MemoryBudget::new(100);
        for hosts in [[1, 2, 3], [3, 2, 1], [2, 3, 1]] {
            assert_eq!(ended(&budget, &hosts.map(|host| (host, 40))), [true, false, false], "{hosts:?}");
        }
    }

    #[test]
    fn thousands_of_half_packets_never_hold_more_than_the_budget() {
        let budget = MemoryBudget::new(1_000_000);
        let ended = ended(&budget, &vec![(1, 60 * 1024); 8192]);
        assert_eq!(ended.iter().filter(|ended| !**ended).count(), 1_000_000 / (60 * 1024));
        assert!(!ended[8191] && ended[0], "the last who came are left");
    }

    #[test]
    fn who_was_ended_counts_no_more_whatever_it_still_says() {
        let budget = MemoryBudget::new(100);
        let (mut one, mut other) = (
            budget.share(host(1), false, Arc::<Eviction>::default()),
            budget.share(host(1), false, Arc::<Eviction>::default()),
        );
        one.set(80);
        other.set(70);
        one.set(200);
        one.set(5);
        assert_eq!(budget.state().held, 70);
        other.set(0);
        drop((one, other));
        assert_eq!(budget.state().held, 0);
    }

    #[test]
    fn the_least_of_all_control_groups_counts() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, file: &str, text: &str| {
            fs::create_dir_all(root.path().join(path)).unwrap();
            fs::write(root.path().join(path).join(file), text).unwrap();
        };
        put("system.slice/mcos.service", "memory.max", "268435456\n");
        put("system.slice", "memory.max", "max\n");
        let of = |groups| memory_of_groups(groups, root.path());
        assert_eq!(of("0::/system.slice/mcos.service\n"), Some(268_435_456));
        assert_eq!(of("0::/\n"), None);
        put("system.slice", "memory.max", "1048576\n");
        assert_eq!(of("0::/system.slice/mcos.service\n"), Some(1_048_576));
        put("memory/docker/abc", "memory.limit_in_bytes", "500\n");
        assert_eq!(of("12:cpu:/x\n4:memory:/docker/abc\n"), Some(500));
        assert_eq!(of(""), None);
    }

    #[test]
    fn this_machine_has_some_memory() {
        assert!(usable_memory() > 1024 * 1024);
    }
}
