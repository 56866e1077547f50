use super::*;
use crate::store::backup::{self, Backup};
use tempfile::TempDir;

/// Puts a backup into a file.
fn write(file: &Path, server: u8, generation: u64, content: &str) {
    let rows = vec![(b"aone".to_vec(), content.as_bytes().to_vec()), (key::LOGIN_KEY.to_vec(), vec![server])];
    backup::write(file, &Backup { generation, rows, files: Vec::new() }).unwrap();
}

struct Card {
    dir: TempDir,
}

impl Card {
    fn new() -> Self {
        Self { dir: TempDir::new().unwrap() }
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("backups")
    }

    /// Another backup is made, when the clock says so.
    fn make(&self, name: &str, server: u8, generation: u64) {
        let file = self.dir.path().join(name);
        write(&file, server, generation, &format!("{generation}"));
        keep(&file, &self.folder(), None).unwrap();
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }
}

#[test]
fn the_oldest_content_goes_whatever_the_clock_said() {
    let card = Card::new();
    card.make("mcos-20260101-0000.mcos", 1, 1);
    // The clock jumps ahead, and is set right again.
    card.make("mcos-20990101-0000.mcos", 1, 2);
    card.make("mcos-20260701-0000.mcos", 1, 3);
    card.make("mcos-20260702-0000.mcos", 1, 4);
    // The battery is empty.
    card.make("mcos-19700101-0000.mcos", 1, 5);
    assert_eq!(card.names().len(), 5);
    card.make("mcos-19700102-0000.mcos", 1, 6);
    assert_eq!(
        card.names(),
        [
            "mcos-19700101-0000.mcos",
            "mcos-19700102-0000.mcos",
            "mcos-20260701-0000.mcos",
            "mcos-20260702-0000.mcos",
            "mcos-20990101-0000.mcos"
        ]
    );
    card.make("mcos-20260703-0000.mcos", 1, 7);
    assert!(!card.names().contains(&"mcos-20990101-0000.mcos".to_owned()), "{:?}", card.names());
    assert!(card.names().contains(&"mcos-20260703-0000.mcos".to_owned()));
}

#[test]
fn one_of_a_day_stays_and_the_same_is_not_written_again() {
    let card = Card::new();
    card.make("mcos-20260701-0000.mcos", 1, 1);
    card.make("mcos-20260701-0100.mcos", 1, 2);
    assert_eq!(card.names(), ["mcos-20260701-0100.mcos"]);
    let file = card.dir.path().join("mcos-20260702-0000.mcos");
    write(&file, 1, 2, "2");
    keep(&file, &card.folder(), None).unwrap();
    assert_eq!(card.names(), ["mcos-20260701-0100.mcos"], "nothing has changed");
    // In the same minute.
    card.make("mcos-20260701-0100.mcos", 1, 3);
    assert_eq!(card.names(), ["mcos-20260701-0100.mcos"]);
    assert_eq!(backup::read(&card.folder().join("mcos-20260701-0100.mcos")).unwrap().generation, 3);
}

#[test]
fn what_is_newer_or_of_another_server_stays() {
    let card = Card::new();
    card.make("mcos-20260701-0000.mcos", 2, 70);
    card.make("mcos-20260701-0000.mcos", 1, 50);
    assert_eq!(card.names(), ["mcos-20260701-0000-2.mcos", "mcos-20260701-0000.mcos"]);
    // An old card of the same server is put in again.
    for (day, generation) in [(2, 3), (3, 4), (4, 5), (5, 6), (6, 7), (7, 8), (8, 9)] {
        card.make(&format!("mcos-2026070{day}-0000.mcos"), 1, generation);
    }
    fs::write(card.folder().join("mcos-notes.txt"), "mine").unwrap();
    let names = card.names();
    assert_eq!(names.len(), 5 + 3, "{names:?}");
    for stays in
        ["mcos-20260701-0000-2.mcos", "mcos-20260701-0000.mcos", "mcos-20260708-0000.mcos", "mcos-notes.txt"]
    {
        assert!(names.contains(&stays.to_owned()), "{stays}: {names:?}");
    }
}

#[test]
fn a_damaged_one_goes_first_and_what_cannot_be_kept_costs_nothing() {
    let card = Card::new();
    for day in 1..=4 {
        card.make(&format!("mcos-2026070{day}-0000.mcos"), 1, day);
    }
    fs::write(card.folder().join("mcos-20260731-0000.mcos"), "cut").unwrap();
    card.make("mcos-20260705-0000.mcos", 1, 5);
    assert_eq!(card.names().len(), 5);
    assert!(!card.names().contains(&"mcos-20260731-0000.mcos".to_owned()));
    let cut = card.dir.path().join("mcos-20260801-0000.mcos");
    fs::write(&cut, "cut").unwrap();
    assert!(matches!(keep(&cut, &card.folder(), None), Err(KeepError::NoBackup(_))));
    assert_eq!(card.names().len(), 5);
    let full = KeepError::Refused(io::ErrorKind::StorageFull.into()).to_string();
    assert!(full.contains("is full"), "{full}");
    let locked = KeepError::Refused(io::ErrorKind::ReadOnlyFilesystem.into()).to_string();
    assert!(locked.contains("write-protected"), "{locked}");
}

const WORDS: &str = "lorraine kept the flyer";

impl Card {
    /// The same for an encrypted backup.
    fn make_sealed(&self, name: &str, server: u8, generation: u64, password: &BackupPassword) {
        let file = self.dir.path().join(name);
        write(&file, server, generation, &format!("{generation}"));
        let plain = fs::read(&file).unwrap();
        password.write_sealed(plain.as_slice(), &file).unwrap();
        keep(&file, &self.folder(), Some(password)).unwrap();
    }
}

#[test]
fn encrypted_ones_of_another_password_go_in_their_turn_and_nothing_is_decrypted_for_that() {
    let card = Card::new();
    let (old, new) = (BackupPassword::given("the old one"), BackupPassword::given(WORDS));
    card.make("mcos-20260701-0000.mcos", 1, 1);
    card.make_sealed("mcos-20990102-0000.mcos", 1, 2, &old);
    card.make_sealed("mcos-20260703-0000.mcos", 1, 3, &old);
    card.make_sealed("mcos-20260703-0100.mcos", 1, 4, &old);
    card.make_sealed("mcos-20260704-0000.mcos", 2, 1, &old);
    let days = |card: &Card| card.names().iter().map(|name| name[5..18].to_owned()).collect::<Vec<_>>();
    assert_eq!(
        days(&card),
        ["20260701-0000", "20260703-0100", "20260704-0000", "20990102-0000"],
        "one of a day"
    );
    assert!(card.names()[1..].iter().all(|name| name.ends_with(SEALED)), "{:?}", card.names());
    for day in 5..=8 {
        card.make_sealed(&format!("mcos-2026070{day}-0000.mcos"), 1, day, &new);
    }
    // The clear one and then the oldest encrypted one were the oldest; that of the other server stays.
    assert_eq!(
        days(&card),
        [
            "20260703-0100",
            "20260704-0000",
            "20260705-0000",
            "20260706-0000",
            "20260707-0000",
            "20260708-0000"
        ]
    );
    for name in card.names().iter().skip(2) {
        let mut plain = Vec::new();
        let sealed = BufReader::new(fs::File::open(card.folder().join(name)).unwrap());
        io::Read::read_to_end(&mut unsealed(sealed, Some(&new)).unwrap(), &mut plain).unwrap();
        assert_eq!(&plain[..7], b"mcosbak");
    }
}

#[test]
fn what_has_not_changed_is_not_written_again_but_with_another_password_or_in_clear() {
    let card = Card::new();
    let (old, new) = (BackupPassword::given("the old one"), BackupPassword::given(WORDS));
    card.make_sealed("mcos-20260701-0000.mcos", 1, 1, &old);
    let first = card.names();
    card.make_sealed("mcos-20260702-0000.mcos", 1, 1, &old);
    assert_eq!(card.names(), first);
    card.make_sealed("mcos-20260703-0000.mcos", 1, 1, &new);
    assert_eq!(card.names().len(), 2, "who knows the new password alone has one");
    card.make("mcos-20260704-0000.mcos", 1, 1);
    assert_eq!(card.names().len(), 3);
    let two = card.dir.path().join("mcos-20260705-0000.mcos");
    write(&two, 1, 2, "two");
    new.write_sealed(fs::read(&two).unwrap().as_slice(), &two).unwrap();
    for wrong in [None, Some(&old)] {
        assert!(matches!(keep(&two, &card.folder(), wrong), Err(KeepError::NoBackup(_))));
    }
    assert_eq!(card.names().len(), 3);
}

#[test]
fn files_that_only_look_like_encrypted_backups_are_told_by_their_beginning_and_their_name() {
    let card = Card::new();
    for day in 1..=4 {
        card.make(&format!("mcos-2026070{day}-0000.mcos"), 1, day);
    }
    let about = About::read(&card.folder().join("mcos-20260704-0000.mcos"), None).unwrap();
    let name = about.sealed_name(OsStr::new("mcos-20260731-0000.mcos"));
    assert_eq!(About::of_sealed_name(name.to_str().unwrap()), Some(about));
    fs::write(card.folder().join(&name), "cut").unwrap();
    for foreign in
        ["mcos-20260731-0000.mcos.age", "mcos-holiday.mcos.age", "mcos-20260731-0000-x-1-1-1.mcos.age"]
    {
        assert_eq!(About::of_sealed_name(foreign), None, "{foreign}");
        fs::write(card.folder().join(foreign), "mine").unwrap();
    }
    card.make("mcos-20260706-0000.mcos", 1, 6);
    let names = card.names();
    assert!(!names.contains(&name.to_str().unwrap().to_owned()), "a damaged one goes first: {names:?}");
    assert!(names.contains(&"mcos-20260701-0000.mcos".to_owned()), "{names:?}");
    assert_eq!(names.iter().filter(|name| name.ends_with(SEALED)).count(), 3, "{names:?}");
}

#[test]
fn a_folder_full_of_other_things_is_refused_with_words() {
    let card = Card::new();
    fs::create_dir(card.folder()).unwrap();
    for number in 0..=MOST_ENTRIES {
        fs::write(card.folder().join(format!("photo-{number}")), "").unwrap();
    }
    let file = card.dir.path().join("mcos-20260701-0000.mcos");
    write(&file, 1, 1, "1");
    let error = keep(&file, &card.folder(), None).unwrap_err();
    assert!(error.to_string().contains("more than 10000 files"), "{error}");
}

#[test]
fn what_a_pulled_stick_has_left_unfinished_goes_with_the_next_and_nothing_else_does() {
    let card = Card::new();
    card.make("mcos-20260701-0000.mcos", 1, 1);
    let others = ["holiday.new", "mcos-notes.txt.new", "other-20260702-0000.mcos.new"];
    for name in others.into_iter().chain(["mcos-20260702-0000.mcos.new", "mcos-20260702-0001.mcos.age.new"]) {
        fs::write(card.folder().join(name), "half").unwrap();
    }
    fs::create_dir(card.folder().join("mcos-folder.mcos.new")).unwrap();
    card.make("mcos-20260703-0000.mcos", 1, 3);
    assert_eq!(
        card.names(),
        [
            "holiday.new",
            "mcos-20260701-0000.mcos",
            "mcos-20260703-0000.mcos",
            "mcos-folder.mcos.new",
            "mcos-notes.txt.new",
            "other-20260702-0000.mcos.new"
        ]
    );
}
