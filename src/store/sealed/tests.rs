use super::*;
use crate::clock::Now;
use crate::store::Password;
use crate::store::tests::records;
use std::fs::File;
use std::os::unix::fs::PermissionsExt as _;
use tempfile::TempDir;

const WORDS: &str = "lorraine kept the flyer";

/// Encrypts with little work, so that a test can do it often.
fn sealed(plain: &[u8], password: &str) -> Vec<u8> {
    let mut recipient = scrypt::Recipient::new(SecretString::from(password.to_owned()));
    recipient.set_work_factor(4);
    let encryptor = Encryptor::with_recipients(iter::once(&recipient as &dyn age::Recipient)).unwrap();
    let mut out = encryptor.wrap_output(Vec::new()).unwrap();
    out.write_all(plain).unwrap();
    out.finish().unwrap()
}

fn opened(bytes: &[u8], password: Option<&BackupPassword>) -> Result<Vec<u8>, BackupError> {
    let mut plain = Vec::new();
    unsealed(bytes, password)?.read_to_end(&mut plain)?;
    Ok(plain)
}

fn lock_of(bytes: &[u8], password: Option<&BackupPassword>) -> Option<Lock> {
    match opened(bytes, password) {
        Err(BackupError::Locked(lock)) => Some(lock),
        _ => None,
    }
}

/// A store with an account, and a backup of it.
fn store(dir: &Path) -> (Store, Vec<u8>) {
    let store = Store::open(dir).unwrap();
    let password = Password::new("garage").unwrap();
    store.accounts().create("driver", &password, None, Now::read()).unwrap().ticket.wait().unwrap();
    let backup = store.backup().unwrap();
    (store, backup)
}

#[test]
fn what_is_encrypted_comes_back_with_its_password_alone() {
    let password = BackupPassword::new(WORDS).unwrap();
    // Nothing, less than a piece of the format (64 KiB), and several.
    for length in [0, 5, 200_000] {
        let plain = b"mcosbak".repeat(length / 7 + 1);
        let plain = &plain[..length];
        let sealed = password.seal(plain).unwrap();
        assert!(sealed.starts_with(b"age-encryption.org/v1\n-> scrypt "), "as the program age has it");
        assert!(!sealed.windows(7).any(|window| window == b"mcosbak"));
        assert_eq!(opened(&sealed, Some(&password)).unwrap(), plain);
        assert_eq!(lock_of(&sealed, None), Some(Lock::NoPassword));
        assert_eq!(
            lock_of(&sealed, Some(&BackupPassword::given("lorraine kept the  flyer"))),
            Some(Lock::WrongPassword)
        );
    }
    assert_eq!(opened(b"mcosbak...", Some(&password)).unwrap(), b"mcosbak...", "what is in clear needs none");
    assert!(!format!("{password:?}").contains("flyer"));
}

#[test]
fn whatever_is_cut_off_altered_or_added_is_noticed() {
    let password = BackupPassword::given("x");
    // Two whole pieces of 64 KiB and a byte; and two whole ones, where the end is at the border of one.
    for length in [2 * 65_536 + 1, 2 * 65_536] {
        let good = sealed(&vec![7; length], "x");
        let header = good.windows(5).position(|bytes| bytes == b"\n--- ").unwrap() + 49;
        let payload = header + 16;
        assert_eq!(opened(&good, Some(&password)).unwrap().len(), length);
        let piece = 65_536 + 16;
        let cuts =
            (MAGIC.len()..payload + 20).chain([payload + piece - 1, payload + piece, payload + piece + 1]);
        for cut in cuts.chain([payload + 2 * piece - 1, good.len() - 1]) {
            let outcome = opened(&good[..cut], Some(&password));
            assert!(matches!(outcome, Err(BackupError::Damaged(_))), "cut at {cut}: {outcome:?}");
        }
        for place in (0..payload + 20).chain([payload + piece, payload + 2 * piece - 1, good.len() - 1]) {
            for bit in [1, 0x40] {
                let mut bad = good.clone();
                bad[place] ^= bit;
                // One that does not begin like an encrypted one is no backup either.
                let outcome = opened(&bad, Some(&password)).map(|plain| plain.starts_with(b"mcosbak"));
                assert!(!matches!(outcome, Ok(true)), "byte {place}");
                assert!(outcome.is_err() || place < MAGIC.len(), "byte {place}");
            }
        }
        for more in [&b"x"[..], &good] {
            assert!(opened(&[&good, more].concat(), Some(&password)).is_err(), "something behind its end");
        }
    }
}

#[test]
fn a_file_that_wants_much_memory_or_has_no_end_of_its_header_costs_nothing() {
    let password = || BackupPassword::given("x");
    let asks = |work: &str| {
        let good = sealed(b"plain", "x");
        let place = good.windows(3).position(|bytes| bytes == b" 4\n").unwrap();
        [&good[..place], b" ", work.as_bytes(), &good[place + 2..]].concat()
    };
    for (work, mib) in [("17", "128 MiB"), ("18", "256 MiB"), ("31", "2097152 MiB")] {
        let lock = lock_of(&asks(work), Some(&password())).unwrap();
        assert!(lock.to_string().contains(mib) && lock.to_string().contains("age -d"), "{lock}");
    }
    assert_eq!(lock_of(&asks("19"), Some(&password().of_command())), Some(Lock::TooMuchWork(19)));
    assert_eq!(lock_of(&asks("63"), Some(&password())).unwrap(), Lock::TooMuchWork(63));
    assert!(!Lock::TooMuchWork(63).to_string().contains("MiB"));
    // Its work is altered, so even if it is done nothing comes of it.
    assert!(opened(&asks("5"), Some(&password())).is_err());

    let mut endless = Cursor::new(MAGIC.to_vec()).chain(io::repeat(b'\n'));
    assert!(matches!(unsealed(&mut endless, Some(&password())), Err(BackupError::Damaged(_))));
    let key = b"age-encryption.org/v1\n-> X25519 TEiF0ypqr+bpvcqXNyCVJpL7OuwPdVwPL7KQEbFDOCc\nEmECAEcKN+n/Vs9SbWiV+Hu0r+E8R77DdWYyd83nw7U\n--- Vn+54jqiiUCE+WZcEVY3f1sqHjlu/z1LCQ/T7Xm7qI0\n0123456789abcdef";
    assert_eq!(lock_of(key, Some(&password())), Some(Lock::Key));
}

#[test]
fn the_password_lies_in_the_data_folder_for_its_owner_alone() {
    let dir = TempDir::new().unwrap();
    let (store, _) = store(dir.path());
    assert!(store.backup_password().unwrap().is_none());
    for bad in ["", "11 letters.", "a line\nand another", &"x".repeat(129)] {
        assert_eq!(BackupPassword::new(bad).err(), Some(BackupPasswordError::BadPassword), "{bad:?}");
    }
    for good in ["12 letters..", "zwölf Zeichen", &"\u{20ac}".repeat(128)] {
        store.set_backup_password(Some(&BackupPassword::new(good).unwrap())).unwrap();
        let file = dir.path().join(KEPT);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let kept = store.backup_password().unwrap().unwrap();
        assert_eq!(kept.text.expose_secret(), good);
    }
    // No backup holds it, and restoring one leaves it alone.
    let backup = store.backup().unwrap();
    let needle = "\u{20ac}".repeat(3);
    assert!(!backup.windows(needle.len()).any(|window| window == needle.as_bytes()));
    store.set_backup_password(None).unwrap();
    store.set_backup_password(None).unwrap();
    assert!(store.backup_password().unwrap().is_none());
}

#[test]
fn a_password_that_cannot_be_used_is_not_taken_for_none() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join(KEPT);
    for content in
        [&b""[..], b"short\n", b"\xff\xfe not a text at all", &[b'x'; 1000], b"two lines\nof a password\n"]
    {
        fs::write(&file, content).unwrap();
        let error = BackupPassword::kept(dir.path()).unwrap_err();
        assert!(error.to_string().contains("mcos operator backup-password"), "{error}");
    }
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert!(BackupPassword::kept(dir.path()).is_err());
}

#[test]
fn an_encrypted_backup_is_restored_with_its_password_and_without_it_nothing_is_touched() {
    let (old, new) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (first, backup) = store(old.path());
    let before = records(&first);
    let file = old.path().join("b.mcos.age");
    fs::write(&file, sealed(&backup, WORDS)).unwrap();
    let (right, wrong) = (BackupPassword::given(WORDS), BackupPassword::given("x"));
    assert!(Store::is_sealed(&file).unwrap());
    assert_eq!(Store::check_backup(&file, Some(&right)).unwrap().accounts, 1);
    let (there, _) = store(new.path());
    let own = records(&there);
    drop(there);
    for (password, lock) in [(None, Lock::NoPassword), (Some(&wrong), Lock::WrongPassword)] {
        let error = Store::restore(new.path(), &file, password).unwrap_err();
        assert!(matches!(error, OpenError::Locked { lock: found, .. } if found == lock), "{error}");
        assert!(error.to_string().ends_with("; nothing was changed"), "{error}");
        assert!(Store::stage_restore_from(new.path(), "x", File::open(&file).unwrap(), password).is_err());
        let plain = new.path().join("plain");
        assert!(wrong.write_opened(&file, &plain).is_err() && !plain.exists());
    }
    let cut = sealed(&backup, WORDS);
    fs::write(&file, &cut[..cut.len() - 1]).unwrap();
    let error = Store::restore(new.path(), &file, Some(&right)).unwrap_err();
    assert!(matches!(&error, OpenError::BadBackup { why, .. } if why.contains("cut short")), "{error}");
    let plain = new.path().join("plain");
    assert!(right.write_opened(&file, &plain).is_err() && !plain.exists());
    assert!(!new.path().join("restore.mcos").exists());
    assert_eq!(records(&Store::open(new.path()).unwrap()), own);
    fs::write(&file, &cut).unwrap();
    right.write_opened(&file, &plain).unwrap();
    assert_eq!(fs::read(&plain).unwrap(), backup);
    Store::restore(new.path(), &file, Some(&right)).unwrap();
    assert_eq!(records(&Store::open(new.path()).unwrap()), before);
}

#[test]
fn what_a_card_brings_encrypted_waits_for_its_password_and_the_server_goes_on() {
    let (old, new) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (first, backup) = store(old.path());
    let staged = new.path().join("restore.mcos");
    fs::create_dir_all(new.path()).unwrap();
    fs::write(&staged, sealed(&backup, WORDS)).unwrap();
    assert!(!Store::restore_staged(new.path()).unwrap());
    // Whoever sets the same password later does not ask for the data of that day.
    let there = Store::open(new.path()).unwrap();
    there.set_backup_password(Some(&BackupPassword::new(WORDS).unwrap())).unwrap();
    drop(there);
    assert!(!Store::restore_staged(new.path()).unwrap());
    assert!(Store::waits_for_password(new.path()));
    assert!(Store::open_staged(new.path(), &BackupPassword::given("x")).is_err());
    assert!(Store::waits_for_password(new.path()));
    assert!(Store::open(new.path()).unwrap().accounts().list().unwrap().is_empty());
    Store::open_staged(new.path(), &BackupPassword::given(WORDS)).unwrap();
    assert!(!Store::waits_for_password(new.path()) && staged.exists());
    assert!(Store::restore_staged(new.path()).unwrap() && !staged.exists());
    let again = Store::open(new.path()).unwrap();
    assert_eq!(records(&again), records(&first));
    // The box whose password it is does not ask.
    again.set_backup_password(Some(&BackupPassword::new(WORDS).unwrap())).unwrap();
    drop(again);
    fs::write(&staged, sealed(&backup, WORDS)).unwrap();
    assert!(Store::restore_staged(new.path()).unwrap());
    // What is damaged is set aside, encrypted or not.
    let cut = sealed(&backup, WORDS);
    fs::write(&staged, &cut[..cut.len() - 1]).unwrap();
    assert!(!Store::restore_staged(new.path()).unwrap() && !staged.exists());
}

#[test]
fn a_password_file_that_is_a_link_to_nowhere_is_not_taken_for_none() {
    let dir = TempDir::new().unwrap();
    assert!(BackupPassword::kept(dir.path()).unwrap().is_none());
    std::os::unix::fs::symlink("/nowhere/password", dir.path().join("backup-password")).unwrap();
    assert!(matches!(BackupPassword::kept(dir.path()), Err(BackupPasswordError::Unreadable { .. })));
}

#[test]
fn a_copy_that_was_cut_is_made_anew_and_no_clear_one_is_kept_once_there_is_a_password() {
    let (dir, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (_store, backup) = store(dir.path());
    let password = BackupPassword::new(WORDS).unwrap();
    let file = dir.path().join("mcos-20301231-1200.mcos");
    fs::write(&file, &backup).unwrap();
    let refused = crate::store::rotation::keep(&file, folder.path(), Some(&password));
    assert!(refused.unwrap_err().to_string().contains("not encrypted"));
    fs::write(&file, sealed(&backup, WORDS)).unwrap();
    let kept = || fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    crate::store::rotation::keep(&file, folder.path(), Some(&password)).unwrap();
    let [first] = &kept()[..] else { panic!("{:?}", kept()) };
    let whole = fs::read(first).unwrap();
    fs::write(first, &whole[..whole.len() - 9]).unwrap();
    crate::store::rotation::keep(&file, folder.path(), Some(&password)).unwrap();
    assert!(kept().iter().any(|path| fs::read(path).unwrap().len() == whole.len()));
}

#[test]
fn who_restores_an_encrypted_backup_is_asked_for_a_password_until_that_is_answered() {
    let (old, new) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (_first, backup) = store(old.path());
    let file = old.path().join("b.mcos.age");
    let open = || Store::open(new.path()).unwrap();
    let right = BackupPassword::given(WORDS);
    // One in clear asks for nothing.
    fs::write(&file, &backup).unwrap();
    Store::restore(new.path(), &file, Some(&right)).unwrap();
    assert!(!open().wants_backup_password());
    fs::write(&file, sealed(&backup, WORDS)).unwrap();
    let ways: [&dyn Fn(); 3] = [
        &|| Store::restore(new.path(), &file, Some(&right)).unwrap(),
        &|| {
            let reader = File::open(&file).unwrap();
            Store::stage_restore_from(new.path(), "x", reader, Some(&right)).unwrap();
            assert!(Store::restore_staged(new.path()).unwrap());
        },
        &|| {
            fs::copy(&file, new.path().join("restore.mcos.locked")).unwrap();
            Store::open_staged(new.path(), &right).unwrap();
            assert!(Store::restore_staged(new.path()).unwrap());
        },
    ];
    for way in ways {
        way();
        assert!(open().wants_backup_password());
        // That none is wanted is an answer as well.
        open().set_backup_password(None).unwrap();
        assert!(!open().wants_backup_password());
        way();
        open().set_backup_password(Some(&BackupPassword::new(WORDS).unwrap())).unwrap();
        assert!(!open().wants_backup_password());
        // Where there is a password, nothing is asked.
        way();
        assert!(!open().wants_backup_password());
        open().set_backup_password(None).unwrap();
        assert!(!open().wants_backup_password());
    }
}

#[test]
fn a_backup_that_waits_can_be_discarded_whatever_its_lock() {
    let dir = TempDir::new().unwrap();
    let locked = dir.path().join("restore.mcos.locked");
    // Encrypted for a key: no password opens it.
    fs::write(&locked, b"age-encryption.org/v1\n-> X25519 abc\n--- mac\n").unwrap();
    assert!(Store::waits_for_password(dir.path()));
    assert!(Store::open_staged(dir.path(), &BackupPassword::given(WORDS)).is_err());
    Store::discard_staged(dir.path()).unwrap();
    assert!(!locked.exists() && !Store::waits_for_password(dir.path()));
    assert!(Store::discard_staged(dir.path()).is_err(), "there is none");
}
