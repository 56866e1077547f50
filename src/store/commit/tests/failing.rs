//! A disk that fails, and what becomes of those who wait for it.

use super::*;

#[test]
fn a_failed_sync_fails_what_was_changed_upon_it_and_nothing_is_accepted_until_a_write_succeeds() {
    let (disk, control) = disk();
    let writer = Writer::start(disk, LONG, false, None).unwrap();
    let before = writer.ticket(false);
    control.expect(&Did::Sync);
    control.let_it(Ok(()));
    assert_eq!((before.wait(), writer.failed()), (Ok(()), None));
    let first = writer.ticket(false);
    control.expect(&Did::Sync);
    let next = writer.ticket(false);
    control.let_it(Err(broken()));
    assert_eq!(first.wait(), Err(broken()));
    let refused = StoreError::ReadOnly("no card".into());
    control.expect(&Did::Recover);
    assert_eq!(next.wait(), Err(refused.clone()));
    assert_eq!(writer.failed(), Some(refused.clone()));
    // The card stays ill for a while.
    for _ in 0..3 {
        control.let_it(Err(broken()));
        control.expect(&Did::Recover);
        assert_eq!(writer.failed(), Some(refused.clone()));
    }
    control.let_it(Ok(()));
    // The backup follows, for the changes that are saved from now on.
    control.expect_backup();
    control.let_backup(Ok(()));
    assert_eq!(writer.failed(), None);
    let after = writer.ticket(false);
    control.expect(&Did::Sync);
    control.let_it(Ok(()));
    assert_eq!(after.wait(), Ok(()));
    assert!(writer.is_alive() && !writer.is_hopeless());
}

#[test]
fn a_disk_that_fails_without_a_change_is_noticed_and_recovers() {
    struct Fails(Arc<AtomicBool>);
    impl Disk for Fails {
        fn sync(&mut self) -> Result<(), StoreError> {
            Ok(())
        }
        fn failure(&self) -> Option<StoreError> {
            self.0.load(Ordering::SeqCst).then(broken)
        }
        fn recover(&mut self, taken_back: &mut dyn FnMut()) -> Result<(), StoreError> {
            taken_back();
            self.0.store(false, Ordering::SeqCst);
            Ok(())
        }
        fn backup_due(&self, _: bool) -> bool {
            false
        }
        fn begin_backup(&mut self) -> Result<WriteBackup, StoreError> {
            panic!("it is not due")
        }
    }
    let fails = Arc::new(AtomicBool::new(false));
    let writer = Writer::start(Fails(Arc::clone(&fails)), LONG, false, None).unwrap();
    assert_eq!(writer.ticket(true).wait(), Ok(()));
    fails.store(true, Ordering::SeqCst);
    writer.look();
    let end = Instant::now() + SOON;
    while fails.load(Ordering::SeqCst) || writer.failed().is_some() {
        assert!(Instant::now() < end);
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(writer.ticket(true).wait(), Ok(()));
}

#[test]
fn a_writer_that_hangs_gives_no_sign_of_life() {
    let (disk, control) = disk();
    let writer = Writer::start(disk, LONG, false, None).unwrap();
    let ticket = writer.ticket(false);
    control.expect(&Did::Sync);
    // The first call finds nobody late; the call stays open as long as the writer hangs.
    assert!(writer.is_alive());
    let asked = lock(&writer.shared.queue).asked.unwrap();
    assert!(writer.is_alive());
    assert_eq!(lock(&writer.shared.queue).asked, Some(asked));
    lock(&writer.shared.queue).asked = asked.checked_sub(HANGS_AFTER);
    assert!(!writer.is_alive());
    control.let_it(Ok(()));
    ticket.wait().unwrap();
    let end = Instant::now() + SOON;
    while !writer.is_alive() {
        assert!(Instant::now() < end);
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_panic_of_the_engine_is_a_failed_sync() {
    struct Panics;
    impl Disk for Panics {
        fn sync(&mut self) -> Result<(), StoreError> {
            panic!("as sled does")
        }
        fn failure(&self) -> Option<StoreError> {
            None
        }
        fn recover(&mut self, _: &mut dyn FnMut()) -> Result<(), StoreError> {
            panic!("as sled does")
        }
        fn backup_due(&self, _: bool) -> bool {
            true
        }
        fn begin_backup(&mut self) -> Result<WriteBackup, StoreError> {
            panic!("as sled does")
        }
    }
    let writer = Writer::start(Panics, LONG, false, None).unwrap();
    assert!(matches!(writer.ticket(true).wait(), Err(StoreError::NotSaved(_))));
    for _ in 0..3 {
        assert!(matches!(writer.ticket(true).wait(), Err(StoreError::ReadOnly(_))));
    }
}
