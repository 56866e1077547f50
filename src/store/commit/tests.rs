//! The state machine of the writer, with a disk that does what the test says.

mod failing;
mod held;

use super::*;
use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll, Wake, Waker};

const LONG: Duration = Duration::from_hours(1);
const SOON: Duration = Duration::from_mins(2);

#[derive(Debug, PartialEq)]
enum Did {
    Sync,
    Recover,
    BackUp,
}

/// A disk that says what it is asked and does what it is told.
struct FakeDisk {
    did: Sender<Did>,
    syncs: Receiver<Result<(), StoreError>>,
    backups: Arc<Mutex<Receiver<Result<(), StoreError>>>>,
    unchecked: bool,
    urgent: bool,
}

impl Disk for FakeDisk {
    fn sync(&mut self) -> Result<(), StoreError> {
        self.did.send(Did::Sync).unwrap();
        self.syncs.recv().unwrap()
    }

    fn failure(&self) -> Option<StoreError> {
        None
    }

    fn recover(&mut self, taken_back: &mut dyn FnMut()) -> Result<(), StoreError> {
        taken_back();
        self.did.send(Did::Recover).unwrap();
        self.syncs.recv().unwrap().inspect(|()| self.unchecked = false)
    }

    fn is_unchecked(&self) -> bool {
        self.unchecked
    }

    fn end_check(&mut self, outcome: Result<(), StoreError>) -> Result<(), StoreError> {
        outcome.map(|()| self.unchecked = false)
    }

    fn backup_due(&self, _: bool) -> bool {
        true
    }

    fn backup_is_urgent(&self) -> bool {
        self.urgent
    }

    fn begin_backup(&mut self) -> Result<WriteBackup, StoreError> {
        // The database learns of it.
        self.sync()?;
        let (did, backups) = (self.did.clone(), Arc::clone(&self.backups));
        Ok(Box::new(move || {
            did.send(Did::BackUp).unwrap();
            lock(&backups).recv().unwrap()
        }))
    }
}

/// The other end of a [`FakeDisk`].
struct Control {
    did: Receiver<Did>,
    syncs: Sender<Result<(), StoreError>>,
    backups: Sender<Result<(), StoreError>>,
}

impl Control {
    fn next(&self) -> Did {
        self.did.recv_timeout(SOON).unwrap()
    }

    fn expect(&self, did: &Did) {
        assert_eq!(&self.next(), did);
    }

    /// Ends a sync so, the current one or the next.
    fn let_it(&self, outcome: Result<(), StoreError>) {
        self.syncs.send(outcome).unwrap();
    }

    /// Ends a backup so, the current one or the next.
    fn let_backup(&self, outcome: Result<(), StoreError>) {
        self.backups.send(outcome).unwrap();
    }

    /// A backup is begun: the database learns of it, and then it is written.
    fn expect_backup(&self) {
        self.expect(&Did::Sync);
        self.let_it(Ok(()));
        self.expect(&Did::BackUp);
    }
}

fn disk() -> (FakeDisk, Control) {
    let (did, seen) = channel();
    let (sync, syncs) = channel();
    let (backup, backups) = channel();
    let disk =
        FakeDisk { did, syncs, backups: Arc::new(Mutex::new(backups)), unchecked: false, urgent: false };
    (disk, Control { did: seen, syncs: sync, backups: backup })
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
    ticket.batch.outcome()
}

#[test]
fn a_ticket_resolves_only_by_a_sync_that_began_after_the_change() {
    let (disk, control) = disk();
    let writer = Writer::start(disk, LONG, false, None).unwrap();
    let first = writer.ticket(false);
    control.expect(&Did::Sync);
    // This change comes while the disk is busy with the first one.
    let second = writer.ticket(false);
    control.let_it(Ok(()));
    assert_eq!(first.wait(), Ok(()));
    control.expect(&Did::Sync);
    assert_eq!(settled(&second), None);
    control.let_it(Ok(()));
    assert_eq!(second.wait(), Ok(()));
}

#[test]
fn everything_that_waits_shares_one_sync() {
    let (disk, control) = disk();
    let writer = Writer::start(disk, LONG, false, None).unwrap();
    let first = writer.ticket(false);
    control.expect(&Did::Sync);
    let waiting: Vec<_> = (0..100).map(|_| writer.ticket(false)).collect();
    control.let_it(Ok(()));
    control.expect(&Did::Sync);
    control.let_it(Ok(()));
    for ticket in waiting {
        assert_eq!(ticket.wait(), Ok(()));
    }
    assert_eq!(first.wait(), Ok(()));
    drop(writer);
    assert!(control.did.recv().is_err(), "there was no third");
}

#[test]
fn a_joined_ticket_fails_if_either_part_failed() {
    for failing in [0, 1] {
        let (disk, control) = disk();
        let writer = Writer::start(disk, LONG, false, None).unwrap();
        let first = writer.ticket(false);
        control.expect(&Did::Sync);
        let second = writer.ticket(false);
        let both = second.and(first);
        for number in 0..=failing {
            control.let_it(if number == failing { Err(broken()) } else { Ok(()) });
            if number < failing {
                control.expect(&Did::Sync);
            }
        }
        control.expect(&Did::Recover);
        control.let_it(Ok(()));
        assert!(both.wait().is_err());
        control.expect_backup();
        control.let_backup(Ok(()));
    }
}

#[test]
fn tickets_of_one_batch_join_without_growing() {
    let (disk, control) = disk();
    let writer = Writer::start(disk, LONG, false, None).unwrap();
    let first = writer.ticket(false);
    control.expect(&Did::Sync);
    let mut all = writer.ticket(false);
    for _ in 0..10 {
        all = all.and(writer.ticket(false));
    }
    assert!(all.others.is_empty());
    let all = first.and(all);
    assert_eq!(all.others.len(), 1);
    control.let_it(Ok(()));
    control.let_it(Ok(()));
    assert_eq!(all.wait(), Ok(()));
}

#[test]
fn a_task_that_awaits_a_ticket_is_woken_once_it_resolves() {
    let (disk, control) = disk();
    let writer = Writer::start(disk, LONG, false, None).unwrap();
    let ticket = writer.ticket(false);
    let witness = Arc::clone(&ticket.batch);
    let mut future = pin!(ticket.committed());
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let mut context = Context::from_waker(&waker);
    for _ in 0..3 {
        assert_eq!(future.as_mut().poll(&mut context), Poll::Pending);
    }
    control.expect(&Did::Sync);
    control.let_it(Ok(()));
    assert_eq!(witness.wait(), Ok(()));
    drop(writer);
    assert_eq!(count.0.load(Ordering::SeqCst), 1, "three polls leave one waker");
    assert_eq!(future.as_mut().poll(&mut context), Poll::Ready(Ok(())));
}

#[test]
fn the_backup_follows_a_change_at_once_and_then_not_before_its_time() {
    let (disk, control) = disk();
    let writer = Writer::start(disk, LONG, false, None).unwrap();
    control.let_it(Ok(()));
    assert_eq!(writer.ticket(true).wait(), Ok(()));
    control.expect(&Did::Sync);
    control.expect_backup();
    control.let_backup(Ok(()));
    for _ in 0..3 {
        control.let_it(Ok(()));
        assert_eq!(writer.ticket(true).wait(), Ok(()));
        control.expect(&Did::Sync);
    }
    // Closing brings it up to date.
    control.let_it(Ok(()));
    control.let_backup(Ok(()));
    drop(writer);
    control.expect(&Did::Sync);
    control.expect(&Did::BackUp);
    assert!(control.did.recv().is_err());
}

#[test]
fn a_backup_that_is_due_is_written_though_nothing_more_happens() {
    let (disk, control) = disk();
    let writer = Writer::start(disk, Duration::from_millis(20), false, None).unwrap();
    for _ in 0..2 {
        control.let_it(Ok(()));
        let _ = writer.ticket(true).wait();
        control.expect(&Did::Sync);
        control.expect_backup();
        control.let_backup(Ok(()));
    }
    assert!(control.did.recv_timeout(Duration::from_millis(100)).is_err(), "nothing has changed since");
}

#[test]
fn tickets_resolve_while_a_backup_is_written() {
    let (disk, control) = disk();
    let writer = Writer::start(disk, Duration::ZERO, false, None).unwrap();
    control.let_it(Ok(()));
    assert_eq!(writer.ticket(true).wait(), Ok(()));
    control.expect(&Did::Sync);
    control.expect_backup();
    for _ in 0..3 {
        control.let_it(Ok(()));
        assert_eq!(writer.ticket(true).wait(), Ok(()));
        control.expect(&Did::Sync);
    }
    assert!(control.did.try_recv().is_err(), "there is one backup at a time");
    // What was changed meanwhile is in the next one.
    control.let_backup(Ok(()));
    control.expect_backup();
    control.let_backup(Ok(()));
    drop(writer);
    assert!(control.did.recv().is_err());
}

#[test]
fn closing_waits_for_a_backup_that_is_written_and_makes_the_last_one() {
    for outcome in [Ok(()), Err(broken())] {
        let (disk, control) = disk();
        let writer = Writer::start(disk, LONG, false, None).unwrap();
        control.let_it(Ok(()));
        assert_eq!(writer.ticket(true).wait(), Ok(()));
        control.expect(&Did::Sync);
        control.expect_backup();
        let failed = outcome.is_err();
        let closing = thread::spawn(move || drop(writer));
        assert!(control.did.recv_timeout(Duration::from_millis(50)).is_err());
        assert!(!closing.is_finished());
        control.let_backup(outcome);
        if failed {
            control.expect_backup();
            control.let_backup(Ok(()));
        }
        closing.join().unwrap();
        assert!(control.did.recv().is_err());
    }
}

#[test]
fn a_backup_that_is_renewed_does_not_wait_for_a_change() {
    let (disk, control) = disk();
    let writer = Writer::start(disk, LONG, false, None).unwrap();
    writer.renew_backup();
    control.expect_backup();
    control.let_backup(Ok(()));
    drop(writer);
    assert!(control.did.recv().is_err());
}

#[test]
fn a_backup_is_written_only_when_it_is_due_and_one_that_fails_is_tried_again() {
    struct Due(Arc<AtomicUsize>);
    impl Disk for Due {
        fn sync(&mut self) -> Result<(), StoreError> {
            Ok(())
        }
        fn failure(&self) -> Option<StoreError> {
            None
        }
        fn recover(&mut self, _: &mut dyn FnMut()) -> Result<(), StoreError> {
            panic!("nothing has failed")
        }
        fn backup_due(&self, closing: bool) -> bool {
            closing
        }
        fn begin_backup(&mut self) -> Result<WriteBackup, StoreError> {
            let written = Arc::clone(&self.0);
            Ok(Box::new(
                move || if written.fetch_add(1, Ordering::SeqCst) < 2 { Err(broken()) } else { Ok(()) },
            ))
        }
    }
    let written = Arc::new(AtomicUsize::new(0));
    let writer = Writer::start(Due(Arc::clone(&written)), Duration::from_millis(1), false, None).unwrap();
    writer.ticket(true).wait().unwrap();
    writer.ticket(true).wait().unwrap();
    assert_eq!(written.load(Ordering::SeqCst), 0);
    writer.renew_backup();
    let end = Instant::now() + SOON;
    while written.load(Ordering::SeqCst) < 3 {
        assert!(Instant::now() < end);
        thread::sleep(Duration::from_millis(1));
    }
    drop(writer);
    assert_eq!(written.load(Ordering::SeqCst), 3, "nothing has changed since");
}

#[test]
fn closing_without_changes_writes_no_backup() {
    let (disk, control) = disk();
    let writer = Writer::start(disk, LONG, false, None).unwrap();
    control.let_it(Ok(()));
    assert_eq!(writer.ticket(false).wait(), Ok(()));
    control.expect(&Did::Sync);
    drop(writer);
    assert!(control.did.recv().is_err());
}

#[test]
fn closing_serves_those_who_still_wait() {
    let (disk, control) = disk();
    let writer = Writer::start(disk, LONG, false, None).unwrap();
    let first = writer.ticket(false);
    control.expect(&Did::Sync);
    let second = writer.ticket(false);
    control.let_it(Ok(()));
    control.let_it(Ok(()));
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
            let batches = self.syncs.fetch_add(1, Ordering::SeqCst) + 1;
            // Who asks during one batch is served by the next, so every second batch serves all.
            while self.asked.iter().any(|asked| asked.load(Ordering::SeqCst) < batches.div_ceil(2).min(20)) {
                thread::sleep(Duration::from_millis(1));
            }
            Ok(())
        }
        fn failure(&self) -> Option<StoreError> {
            None
        }
        fn recover(&mut self, _: &mut dyn FnMut()) -> Result<(), StoreError> {
            panic!("nothing has failed")
        }
        fn backup_due(&self, _: bool) -> bool {
            false
        }
        fn begin_backup(&mut self) -> Result<WriteBackup, StoreError> {
            panic!("it is not due")
        }
    }
    let syncs = Arc::new(AtomicUsize::new(0));
    let asked = Arc::new([const { AtomicUsize::new(0) }; 64]);
    let disk = Slow { syncs: Arc::clone(&syncs), asked: Arc::clone(&asked) };
    let writer = Writer::start(disk, LONG, false, None).unwrap();
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
    let (disk, control) = disk();
    let writer = Writer::start(disk, LONG, false, None).unwrap();
    let first = writer.ticket(false);
    control.expect(&Did::Sync);
    let crowd: Vec<_> = (0..50).map(|_| writer.ticket(false)).collect();
    control.let_it(Ok(()));
    control.expect(&Did::Sync);
    control.let_it(Ok(()));
    first.wait().unwrap();
    for ticket in crowd {
        ticket.wait().unwrap();
    }
    // Nobody of the crowd comes back.
    let alone = writer.ticket(false);
    control.expect(&Did::Sync);
    control.let_it(Ok(()));
    alone.wait().unwrap();
}

#[test]
fn a_ticket_can_be_awaited_on_any_thread() {
    fn sendable<T: Send + 'static>(thing: T) -> T {
        thing
    }
    let (disk, control) = disk();
    let writer = Writer::start(disk, LONG, false, None).unwrap();
    let future = sendable(sendable(writer.ticket(false)).committed());
    control.let_it(Ok(()));
    assert_eq!(smol::block_on(future), Ok(()));
}

#[test]
fn much_in_the_journal_has_a_backup_begun_before_its_time() {
    let (disk, control) = disk();
    let writer = Writer::start(FakeDisk { urgent: true, ..disk }, LONG, false, None).unwrap();
    for _ in 0..3 {
        let ticket = writer.ticket(true);
        control.expect(&Did::Sync);
        control.let_it(Ok(()));
        assert_eq!(ticket.wait(), Ok(()));
        control.expect_backup();
        control.let_backup(Ok(()));
    }
}
