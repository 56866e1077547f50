//! Before the database is checked nothing is made safe.

use super::*;

/// A writer that waits for a check, and what ends that.
fn held_writer() -> (Writer, Control, Sender<Result<(), StoreError>>) {
    let (disk, control) = disk();
    let disk = FakeDisk { unchecked: true, ..disk };
    let (end, ended) = channel();
    let check: Check = Box::new(move |_| ended.recv().unwrap());
    (Writer::start(disk, LONG, true, Some(check)).unwrap(), control, end)
}

#[test]
fn tickets_and_backups_wait_for_the_check_and_the_writer_lives() {
    let (writer, control, end) = held_writer();
    let ticket = writer.ticket(true);
    for _ in 0..3 {
        assert!(writer.is_alive());
        thread::sleep(Duration::from_millis(20));
    }
    assert!(control.did.try_recv().is_err(), "something was made safe");
    assert_eq!((settled(&ticket), writer.is_checking()), (None, true));
    end.send(Ok(())).unwrap();
    writer.wait_for_check();
    // What waited is made safe, and the backup that is wanted is begun with a sync of its own and written by another thread: any of the
    // last two may be first.
    control.expect(&Did::Sync);
    control.let_it(Ok(()));
    control.let_it(Ok(()));
    control.let_backup(Ok(()));
    let mut rest = [control.next(), control.next()];
    rest.sort_by_key(|did| *did == Did::BackUp);
    assert_eq!(rest, [Did::Sync, Did::BackUp]);
    assert_eq!(ticket.wait(), Ok(()));
    assert!(!writer.is_checking());
}

#[test]
fn a_check_that_finds_damage_fails_what_was_built_upon_it() {
    let (writer, control, end) = held_writer();
    let ticket = writer.ticket(true);
    let damaged = StoreError::Damaged { what: "set of records" };
    end.send(Err(damaged.clone())).unwrap();
    control.expect(&Did::Recover);
    assert_eq!(writer.failed(), Some(damaged.clone()));
    assert_eq!(ticket.wait(), Err(damaged));
    control.let_it(Ok(()));
    control.expect_backup();
    control.let_backup(Ok(()));
    let next = writer.ticket(false);
    control.expect(&Did::Sync);
    control.let_it(Ok(()));
    assert_eq!(next.wait(), Ok(()));
}

#[test]
fn who_closes_waits_for_the_check_only_if_something_waits_for_it() {
    let (disk, control) = disk();
    let disk = FakeDisk { unchecked: true, ..disk };
    let check: Check = Box::new(|given_up| {
        while !given_up.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(1));
        }
        Err(StoreError::Unchecked)
    });
    drop(Writer::start(disk, LONG, true, Some(check)).unwrap());
    assert!(control.did.try_recv().is_err(), "something was made safe");

    let (writer, control, end) = held_writer();
    let ticket = writer.ticket(true);
    end.send(Ok(())).unwrap();
    // The sync, what the last backup begins with, and the backup.
    control.let_it(Ok(()));
    control.let_it(Ok(()));
    control.let_backup(Ok(()));
    drop(writer);
    assert_eq!(ticket.wait(), Ok(()));
}
