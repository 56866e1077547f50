//! The state machine of the writer, with a disk on strings.

use super::*;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::Wake;

const LONG: Duration = Duration::from_hours(1);
const SOON: Duration = Duration::from_mins(2);

#[derive(Debug, PartialEq)]
enum Did {
    Sync,
    BackUp,
}

/// A disk that says what it is asked and does what it is told.
struct Puppet {
    did: Sender<Did>,
    outcome: Receiver<Result<(), StoreError>>,
}

impl Disk for Puppet {
    fn sync(&mut self) -> Result<(), StoreError> {
        self.did.send(Did::Sync).unwrap();
        self.outcome.recv().unwrap()
    }

    fn back_up(&mut self) -> Result<(), StoreError> {
        self.did.send(Did::BackUp).unwrap();
        self.outcome.recv().unwrap()
    }
}

struct Hand {
    did: Receiver<Did>,
    outcome: Sender<Result<(), StoreError>>,
}

impl Hand {
    fn expect(&self, did: &Did) {
        assert_eq!(&self.did.recv_timeout(SOON).unwrap(), did);
    }

    fn let_it(&self, outcome: Result<(), StoreError>) {
        self.outcome.send(outcome).unwrap();
    }
}

fn puppet() -> (Puppet, Hand) {
    let (did, seen) = channel();
    let (outcome, told) = channel();
    (Puppet { did, outcome: told }, Hand { did: seen, outcome })
}

fn broken() -> StoreError {
    StoreError::NotSaved("no card".into())
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Whether the ticket has resolved, without taking it.
fn settled(ticket: &Ticket) -> Option<Result<(), StoreError>> {
    lock(&ticket.batch.state).outcome.clone()
}

#[test]
fn a_ticket_resolves_only_by_a_sync_that_began_after_the_change() {
    let (puppet, hand) = puppet();
    let writer = Writer::start(puppet, LONG, false).unwrap();
    let first = writer.ticket(false);
    hand.expect(&Did::Sync);
    // This change comes while the disk is busy with the first one.
    let second = writer.ticket(false);
    hand.let_it(Ok(()));
    assert_eq!(first.wait(), Ok(()));
    hand.expect(&Did::Sync);
    assert_eq!(settled(&second), None);
    hand.let_it(Ok(()));
    assert_eq!(second.wait(), Ok(()));
}

#[test]
fn everything_that_waits_shares_one_sync() {
    let (puppet, hand) = puppet();
    let writer = Writer::start(puppet, LONG, false).unwrap();
    let first = writer.ticket(false);
    hand.expect(&Did::Sync);
    let waiting: Vec<_> = (0..100).map(|_| writer.ticket(false)).collect();
    hand.let_it(Ok(()));
    hand.expect(&Did::Sync);
    hand.let_it(Ok(()));
    for ticket in waiting {
        assert_eq!(ticket.wait(), Ok(()));
    }
    assert_eq!(first.wait(), Ok(()));
    drop(writer);
    assert!(hand.did.recv().is_err(), "there was no third");
}

#[test]
fn a_failed_sync_fails_its_tickets_and_is_the_last_one() {
    let (puppet, hand) = puppet();
    let writer = Writer::start(puppet, LONG, false).unwrap();
    let before = writer.ticket(false);
    hand.expect(&Did::Sync);
    hand.let_it(Ok(()));
    assert_eq!((before.wait(), writer.failed()), (Ok(()), None));
    let (first, same) = (writer.ticket(false), writer.ticket(false));
    hand.expect(&Did::Sync);
    let next = writer.ticket(false);
    hand.let_it(Err(broken()));
    assert_eq!(first.wait(), Err(broken()));
    // The backup may succeed where the database did not.
    hand.expect(&Did::BackUp);
    hand.let_it(Ok(()));
    let refused = StoreError::ReadOnly("no card".into());
    assert_eq!(next.wait(), Err(refused.clone()));
    assert_eq!(writer.failed(), Some(refused.clone()));
    // Whether the second ticket was in time for the sync or not, it has failed.
    assert!(same.wait().is_err());
    assert_eq!(writer.ticket(true).wait(), Err(refused));
    hand.let_it(Ok(()));
    drop(writer);
    assert!(!hand.did.iter().any(|did| did == Did::Sync), "there was no other sync");
}

#[test]
fn a_panic_of_the_engine_is_a_failed_sync() {
    struct Panics;
    impl Disk for Panics {
        fn sync(&mut self) -> Result<(), StoreError> {
            panic!("as sled does")
        }
        fn back_up(&mut self) -> Result<(), StoreError> {
            panic!("as sled does")
        }
    }
    let writer = Writer::start(Panics, LONG, false).unwrap();
    assert!(matches!(writer.ticket(true).wait(), Err(StoreError::NotSaved(_))));
    for _ in 0..3 {
        assert!(matches!(writer.ticket(true).wait(), Err(StoreError::ReadOnly(_))));
    }
}

#[test]
fn a_joined_ticket_fails_if_either_part_failed() {
    for failing in [0, 1] {
        let (puppet, hand) = puppet();
        let writer = Writer::start(puppet, LONG, false).unwrap();
        let first = writer.ticket(false);
        hand.expect(&Did::Sync);
        let second = writer.ticket(false);
        let both = second.and(first);
        for number in 0..=failing {
            hand.let_it(if number == failing { Err(broken()) } else { Ok(()) });
            if number < failing {
                hand.expect(&Did::Sync);
            }
        }
        hand.expect(&Did::BackUp);
        hand.let_it(Ok(()));
        assert!(both.wait().is_err());
    }
}

#[test]
fn tickets_of_one_batch_join_without_growing() {
    let (puppet, hand) = puppet();
    let writer = Writer::start(puppet, LONG, false).unwrap();
    let first = writer.ticket(false);
    hand.expect(&Did::Sync);
    let mut all = writer.ticket(false);
    for _ in 0..10 {
        all = all.and(writer.ticket(false));
    }
    assert!(all.others.is_empty());
    let all = first.and(all);
    assert_eq!(all.others.len(), 1);
    hand.let_it(Ok(()));
    hand.let_it(Ok(()));
    assert_eq!(all.wait(), Ok(()));
}

#[test]
fn a_task_that_awaits_a_ticket_is_woken_once_it_resolves() {
    let (puppet, hand) = puppet();
    let writer = Writer::start(puppet, LONG, false).unwrap();
    let ticket = writer.ticket(false);
    let witness = Arc::clone(&ticket.batch);
    let mut future = pin!(ticket.committed());
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let mut context = Context::from_waker(&waker);
    for _ in 0..3 {
        assert_eq!(future.as_mut().poll(&mut context), Poll::Pending);
    }
    hand.expect(&Did::Sync);
    hand.let_it(Ok(()));
    assert_eq!(witness.wait(), Ok(()));
    drop(writer);
    assert_eq!(count.0.load(Ordering::SeqCst), 1, "three polls leave one waker");
    assert_eq!(future.as_mut().poll(&mut context), Poll::Ready(Ok(())));
}

#[test]
fn the_backup_follows_a_change_at_once_and_then_not_before_its_time() {
    let (puppet, hand) = puppet();
    let writer = Writer::start(puppet, LONG, false).unwrap();
    hand.let_it(Ok(()));
    assert_eq!(writer.ticket(true).wait(), Ok(()));
    hand.expect(&Did::Sync);
    hand.expect(&Did::BackUp);
    hand.let_it(Ok(()));
    for _ in 0..3 {
        hand.let_it(Ok(()));
        assert_eq!(writer.ticket(true).wait(), Ok(()));
        hand.expect(&Did::Sync);
    }
    // Closing brings it up to date.
    hand.let_it(Ok(()));
    drop(writer);
    hand.expect(&Did::BackUp);
    assert!(hand.did.recv().is_err());
}

#[test]
fn a_backup_that_is_due_is_written_though_nothing_more_happens() {
    let (puppet, hand) = puppet();
    let writer = Writer::start(puppet, Duration::from_millis(20), false).unwrap();
    for _ in 0..5 {
        hand.let_it(Ok(()));
    }
    let _ = writer.ticket(true).wait();
    hand.expect(&Did::Sync);
    hand.expect(&Did::BackUp);
    let _ = writer.ticket(true).wait();
    hand.expect(&Did::Sync);
    hand.expect(&Did::BackUp);
    assert!(hand.did.recv_timeout(Duration::from_millis(100)).is_err(), "nothing has changed since");
}

#[test]
fn closing_without_changes_writes_no_backup() {
    let (puppet, hand) = puppet();
    let writer = Writer::start(puppet, LONG, false).unwrap();
    hand.let_it(Ok(()));
    assert_eq!(writer.ticket(false).wait(), Ok(()));
    hand.expect(&Did::Sync);
    drop(writer);
    assert!(hand.did.recv().is_err());
}

#[test]
fn closing_serves_those_who_still_wait() {
    let (puppet, hand) = puppet();
    let writer = Writer::start(puppet, LONG, false).unwrap();
    let first = writer.ticket(false);
    hand.expect(&Did::Sync);
    let second = writer.ticket(false);
    hand.let_it(Ok(()));
    hand.let_it(Ok(()));
    drop(writer);
    assert_eq!((settled(&first), settled(&second)), (Some(Ok(())), Some(Ok(()))));
}

#[test]
fn many_threads_use_far_fewer_syncs_than_commits() {
    /// A disk so slow that meanwhile everybody asks who can: those whose tickets are not part of this sync.
    struct Slow {
        syncs: Arc<AtomicUsize>,
        asked: Arc<[AtomicUsize; 64]>,
    }
    impl Disk for Slow {
        fn sync(&mut self) -> Result<(), StoreError> {
            let syncs = self.syncs.fetch_add(1, Ordering::SeqCst) + 1;
            // Who asks during one sync is served by the next, so every second sync serves all.
            while self.asked.iter().any(|asked| asked.load(Ordering::SeqCst) < syncs.div_ceil(2).min(20)) {
                thread::sleep(Duration::from_millis(1));
            }
            Ok(())
        }
        fn back_up(&mut self) -> Result<(), StoreError> {
            Ok(())
        }
    }
    let syncs = Arc::new(AtomicUsize::new(0));
    let asked = Arc::new([const { AtomicUsize::new(0) }; 64]);
    let disk = Slow { syncs: Arc::clone(&syncs), asked: Arc::clone(&asked) };
    let writer = Writer::start(disk, LONG, false).unwrap();
    thread::scope(|scope| {
        for asked in asked.iter() {
            let writer = &writer;
            scope.spawn(move || {
                for _ in 0..20 {
                    let ticket = writer.ticket(true);
                    asked.fetch_add(1, Ordering::SeqCst);
                    ticket.wait().unwrap();
                }
            });
        }
    });
    let syncs = syncs.load(Ordering::SeqCst);
    assert!(syncs >= 20, "every thread waits for 20 syncs of its own: {syncs}");
    assert!(syncs * 8 < 64 * 20, "{syncs} syncs for 1280 commits");
}

#[test]
fn one_who_waits_alone_is_not_kept_waiting_for_others() {
    let (puppet, hand) = puppet();
    let writer = Writer::start(puppet, LONG, false).unwrap();
    let first = writer.ticket(false);
    hand.expect(&Did::Sync);
    let crowd: Vec<_> = (0..50).map(|_| writer.ticket(false)).collect();
    hand.let_it(Ok(()));
    hand.expect(&Did::Sync);
    hand.let_it(Ok(()));
    first.wait().unwrap();
    for ticket in crowd {
        ticket.wait().unwrap();
    }
    // Nobody of the crowd comes back.
    let alone = writer.ticket(false);
    hand.expect(&Did::Sync);
    hand.let_it(Ok(()));
    alone.wait().unwrap();
}

#[test]
fn a_ticket_can_be_awaited_on_any_thread() {
    fn sendable<T: Send + 'static>(thing: T) -> T {
        thing
    }
    let (puppet, hand) = puppet();
    let writer = Writer::start(puppet, LONG, false).unwrap();
    let future = sendable(sendable(writer.ticket(false)).committed());
    hand.let_it(Ok(()));
    assert_eq!(smol::block_on(future), Ok(()));
}
