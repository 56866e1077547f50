//! Backups with a password.

use super::*;
use crate::store::{BackupPassword, Store};

const SET: &str = "password=lorraine+kept+the+flyer&again=lorraine+kept+the+flyer";
const MULTIPART: &str = "multipart/form-data; boundary=XX";

/// The form of a restore with a password.
fn upload_with(token: &str, password: &str, file: &[u8]) -> Vec<u8> {
    let field = format!("--XX\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n{password}\r\n");
    [field.as_bytes(), &upload(token, file)].concat()
}

#[test]
fn the_page_says_what_a_stolen_backup_means_until_there_is_a_password_which_it_never_shows() {
    let scene = Scene::new();
    let mut operator = scene.operator();
    let page = operator.look("/operator/backup");
    assert!(page.contains("Backups are not encrypted") && page.contains("If one is stolen"), "{page}");
    for (fields, why) in [
        ("password=lorraine+kept+it&again=lorraine+kept+i", "The two passwords are not the same"),
        ("password=short&again=short", "A password for backups needs 12 to 128 characters"),
    ] {
        operator.fill_in("/operator/backup", "/operator/backup/password", fields);
        let page = operator.look("/operator/backup");
        assert!(page.contains(why) && page.contains("Backups are not encrypted"), "{page}");
        assert!(!page.contains("lorraine"), "{page}");
    }
    operator.fill_in("/operator/backup", "/operator/backup/password", SET);
    for _ in 0..2 {
        let page = operator.look("/operator/backup");
        assert!(
            page.contains("<b>Backups are encrypted</b>") && !page.contains("If one is stolen"),
            "{page}"
        );
        assert!(!page.contains("lorraine") && !page.contains("flyer"), "{page}");
    }
    let noted = &scene.game.store.audit().newest(0, 1).unwrap()[0].what;
    assert_eq!(noted, "operator backup-password");
    std::fs::write(scene.folder.path().join("backup-password"), "x").unwrap();
    let page = operator.look("/operator/backup");
    assert!(page.contains("cannot be used") && !page.contains("Backups are not encrypted"), "{page}");
    let reply = operator.fill_in("/operator/backup", "/operator/backup/download", "");
    assert!(reply.location.is_some(), "no backup in clear instead of an encrypted one");
    operator.fill_in("/operator/backup", "/operator/backup/no-password", "");
    assert!(operator.look("/operator/backup").contains("Backups are not encrypted"));
}

#[test]
fn a_download_is_encrypted_and_comes_back_with_its_password() {
    let scene = Scene::new();
    let mut operator = scene.operator();
    operator.fill_in("/operator/backup", "/operator/backup/password", SET);
    let own = operator.fill_in("/operator/backup", "/operator/backup/download", "");
    assert!(own.body.starts_with(b"age-encryption.org/v1\n"));
    let other = BackupPassword::given("of another server").seal(&scene.game.store.backup().unwrap()).unwrap();
    let staged = scene.folder.path().join("restore.mcos");
    let mut send = |password: &str, file: &[u8]| {
        let token = token(&operator.look("/operator/backup"));
        let reply =
            operator.send_file("/operator/backup/restore", MULTIPART, &upload_with(&token, password, file));
        (reply.restart, operator.look("/operator/backup"))
    };
    for (password, file, why) in [
        ("", &other[..], "The password is not the one with which it was encrypted"),
        ("lorraine kept it", &own.body[..], "The password is not the one with which it was encrypted"),
        ("", &own.body[..own.body.len() - 1], "is not a complete backup (it is cut short, or was altered)"),
        ("", &own.body[..100], "is not a complete backup"),
    ] {
        let (restarts, page) = send(password, file);
        assert!(!restarts && !staged.exists() && page.contains(why), "{page}");
        assert!(page.contains("Nothing was changed"), "{page}");
    }
    for (password, file) in [("", &own.body), ("of another server", &other)] {
        assert!(send(password, file).0);
        assert!(!Store::is_sealed(&staged).unwrap(), "it was opened");
        std::fs::remove_file(&staged).unwrap();
    }
}

#[test]
fn a_backup_that_waits_for_its_password_is_asked_for_it() {
    let scene = Scene::new();
    let mut operator = scene.operator();
    let staged = scene.folder.path().join("restore.mcos.locked");
    assert!(!operator.look("/operator/backup").contains("waits for its password"));
    let backup = BackupPassword::given("of the old card").seal(&scene.game.store.backup().unwrap()).unwrap();
    std::fs::write(&staged, &backup).unwrap();
    assert!(operator.look("/operator/backup").contains("A backup waits for its password"));
    let reply = operator.fill_in("/operator/backup", "/operator/backup/open", "password=of+the+new+card");
    assert!(!reply.restart && std::fs::read(&staged).unwrap() == backup);
    assert!(operator.look("/operator/backup").contains("The password is not the one"));
    let reply = operator.fill_in("/operator/backup", "/operator/backup/open", "password=of+the+old+card");
    assert!(reply.restart && !Store::waits_for_password(scene.folder.path()));
    assert!(Store::restore_staged(scene.folder.path()).is_err(), "once the store is closed");
}

#[test]
fn a_backup_that_waits_is_told_by_health_and_can_be_discarded() {
    const WAITS: &str = "backup waits to be restored, but it is encrypted";
    let scene = Scene::new();
    let mut operator = scene.operator();
    let staged = scene.folder.path().join("restore.mcos.locked");
    assert!(!operator.look("/operator/health").contains(WAITS));
    std::fs::write(&staged, b"age-encryption.org/v1\n-> X25519 abc\n--- mac\n").unwrap();
    assert!(operator.look("/operator/health").contains(WAITS));
    operator.fill_in("/operator/backup", "/operator/backup/discard", "");
    assert!(operator.look("/operator/backup").contains("Tick the box to confirm") && staged.exists());
    operator.fill_in("/operator/backup", "/operator/backup/discard", "sure=yes");
    let page = operator.look("/operator/backup");
    assert!(page.contains("The backup that waited is discarded") && !staged.exists(), "{page}");
    assert!(!page.contains("Discard it") && !operator.look("/operator/health").contains(WAITS));
}

#[test]
fn that_new_backups_are_in_clear_after_an_encrypted_one_was_restored_is_told_until_it_is_answered() {
    const CLEAR: &str = "backup that was restored here was encrypted, but this server has no password";
    let scene = Scene::new();
    let mut operator = scene.operator();
    assert!(!operator.look("/operator/health").contains(CLEAR));
    Store::note_sealed_restore(scene.folder.path());
    assert!(operator.look("/operator/health").contains(CLEAR));
    let page = operator.look("/operator/backup");
    assert!(page.contains(CLEAR) && page.contains("Encrypt none any more"), "{page}");
    operator.fill_in("/operator/backup", "/operator/backup/no-password", "");
    assert!(!operator.look("/operator/health").contains(CLEAR));
    assert!(!operator.look("/operator/backup").contains(CLEAR));
    Store::note_sealed_restore(scene.folder.path());
    operator.fill_in("/operator/backup", "/operator/backup/password", SET);
    assert!(!operator.look("/operator/health").contains(CLEAR));
}
