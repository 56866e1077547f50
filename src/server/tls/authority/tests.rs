use super::*;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::LazyLock;
use tempfile::TempDir;

/// Finding RSA keys takes its time, so one data directory is made, and copied.
static MADE: LazyLock<TempDir> = LazyLock::new(|| {
    let data = tempfile::tempdir().unwrap();
    Authority::open(data.path(), &names()).unwrap();
    data
});

fn names() -> Names {
    Names::new(["localhost", "mcos.local"], ["192.168.1.5".parse().unwrap(), "::1".parse().unwrap()])
}

fn copy() -> TempDir {
    let data = tempfile::tempdir().unwrap();
    fs::create_dir(data.path().join(FOLDER)).unwrap();
    for file in [AUTHORITY, LEAVES] {
        fs::copy(MADE.path().join(FOLDER).join(file), data.path().join(FOLDER).join(file)).unwrap();
    }
    data
}

fn certificates(authority: &Authority) -> Vec<Vec<u8>> {
    let leaves = authority.leaves();
    [&leaves.modern, &leaves.legacy].map(|leaf| leaf.chain[0].to_vec()).to_vec()
}

fn contains(der: &[u8], part: &[u8]) -> bool {
    der.windows(part.len()).any(|window| window == part)
}

#[test]
fn what_was_made_is_found_again() {
    let data = copy();
    let first = Authority::open(data.path(), &names()).unwrap();
    let again = Authority::open(data.path(), &names()).unwrap();
    assert_eq!(first.certificate_der(), again.certificate_der());
    assert_eq!(certificates(&first), certificates(&again));
}

#[test]
fn keys_are_for_the_owner_only() {
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = MADE.path().join(FOLDER);
    assert_eq!(mode(folder.clone()), 0o700);
    assert_eq!((mode(folder.join(AUTHORITY)), mode(folder.join(LEAVES))), (0o600, 0o600));
    assert_eq!(fs::read_dir(folder).unwrap().count(), 2, "nothing else is left behind");
}

#[test]
fn other_names_mean_other_certificates_by_the_same_authority_for_the_same_keys() {
    let data = copy();
    let authority = Authority::open(data.path(), &names()).unwrap();
    let before = (authority.leaves(), certificates(&authority));
    assert!(!authority.refresh(&names()).unwrap());
    let mut more = names();
    more.add_address("10.9.8.7".parse::<IpAddr>().unwrap());
    assert!(authority.refresh(&more).unwrap());
    let after = authority.leaves();
    assert_eq!(after.legacy.key, before.0.legacy.key);
    assert_eq!(after.modern.key, before.0.modern.key);
    for (old, new) in before.1.iter().zip(certificates(&authority)) {
        assert!(
            contains(&new, b"10.9.8.7") && contains(&new, &[0x87, 4, 10, 9, 8, 7]),
            "as DNS name and as address"
        );
        assert!(!contains(old, b"10.9.8.7"));
    }
    // Where the new address comes and goes, nothing is made or written again.
    let there = certificates(&authority);
    assert!(!authority.refresh(&names()).unwrap() && !authority.refresh(&more).unwrap());
    assert_eq!(certificates(&authority), there);
    // After a restart as well, and back.
    let again = Authority::open(data.path(), &more).unwrap();
    assert_eq!(certificates(&again), certificates(&authority));
    let back = Authority::open(data.path(), &names()).unwrap();
    assert_ne!(certificates(&back), certificates(&authority));
    assert_eq!(back.certificate_der(), authority.certificate_der());
}

#[test]
fn certificates_are_valid_from_2000_to_2037_in_years_of_two_digits() {
    let authority = Authority::open(copy().path(), &names()).unwrap();
    let mut all = certificates(&authority);
    all.push(authority.certificate_der().to_vec());
    for der in all {
        assert!(contains(&der, b"\x17\x0d000101000000Z\x17\x0d371231000000Z"));
    }
}

#[test]
fn real_names_stand_before_addresses_spelled_as_names() {
    let authority = Authority::open(copy().path(), &names()).unwrap();
    for der in certificates(&authority) {
        let at = |part: &[u8]| der.windows(part.len()).position(|window| window == part).unwrap();
        let order = [
            at(b"\x82\x09localhost"),
            at(b"\x82\x0amcos.local"),
            at(&[0x87, 4, 192, 168, 1, 5]),
            at(b"\x82\x0b192.168.1.5"),
            at(b"\x82\x03::1"),
        ];
        assert!(order.is_sorted(), "{order:?}");
    }
}

#[test]
fn certificates_that_cannot_be_saved_are_served_all_the_same() {
    let data = copy();
    let file = data.path().join(FOLDER).join(LEAVES);
    let saved = fs::read(&file).unwrap();
    // Nothing can be written: a folder is where the new file would be.
    fs::create_dir(data.path().join(FOLDER).join(format!("{LEAVES}.new"))).unwrap();
    let moved = |address: &str| Names::new(["localhost", "mcos.local"], [address.parse().unwrap()]);
    let authority = Authority::open(data.path(), &moved("192.168.1.6")).unwrap();
    assert_eq!(authority.leaves().names, moved("192.168.1.6"));
    assert!(authority.refresh(&moved("192.168.1.7")).unwrap());
    assert!(authority.leaves().names.to_string().contains("192.168.1.7"));
    assert!(fs::read(&file).unwrap() == saved);
}

#[test]
fn damaged_leaves_are_set_aside_and_made_anew_under_the_same_authority() {
    let data = copy();
    let path = data.path().join(FOLDER).join(LEAVES);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, &text[..text.len() / 2]).unwrap();
    let authority = Authority::open(data.path(), &names()).unwrap();
    let original = Authority::open(copy().path(), &names()).unwrap();
    assert_eq!(authority.certificate_der(), original.certificate_der());
    assert_ne!(certificates(&authority), certificates(&original));
    let aside = fs::read_dir(data.path().join(FOLDER)).unwrap().flatten();
    assert_eq!(aside.filter(|file| file.file_name().to_string_lossy().contains(".damaged-")).count(), 1);
}

#[test]
fn a_damaged_authority_is_set_aside_and_everything_is_issued_by_a_new_one() {
    let data = copy();
    let path = data.path().join(FOLDER).join(AUTHORITY);
    fs::write(&path, "not what it was").unwrap();
    let authority = Authority::open(data.path(), &names()).unwrap();
    let original = Authority::open(copy().path(), &names()).unwrap();
    assert_ne!(authority.certificate_der(), original.certificate_der());
    assert_eq!(authority.leaves().legacy.key, original.leaves().legacy.key);
    assert_eq!(authority.leaves().legacy.chain[1].as_ref(), authority.certificate_der());
}

#[test]
fn a_damaged_or_missing_authority_is_brought_back_from_the_backup() {
    let original = Authority::open(copy().path(), &names()).unwrap();
    for left in [Some(""), Some("not what it was"), None] {
        let data = copy();
        // The server makes a backup, and another one after the file was damaged.
        let store = Store::open(data.path()).unwrap();
        store.renew_backup();
        drop(store);
        let path = data.path().join(FOLDER).join(AUTHORITY);
        match left {
            Some(text) => fs::write(&path, text).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let store = Store::open(data.path()).unwrap();
        store.renew_backup();
        drop(store);
        let authority = Authority::open(data.path(), &names()).unwrap();
        assert_eq!(authority.certificate_der(), original.certificate_der(), "{left:?}");
        assert_eq!(certificates(&authority), certificates(&original), "{left:?}");
        let again = Authority::open(data.path(), &names()).unwrap();
        assert_eq!(again.certificate_der(), original.certificate_der());
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Authority::open(file.path(), &names()).unwrap_err().to_string();
    assert!(error.contains(&file.path().join(FOLDER).display().to_string()), "{error}");
}
