//! A backup on a new card: to its players the server is the old one.

use crate::import::{game, writer};
use crate::support::browser::Browser;
use crate::support::{Raw, Server};
use jet_reader::Version;
use smol::block_on;
use std::fs;
use std::path::{Path, PathBuf};

/// A server with an account, a driver and a catalogue of its own, which has started once.
fn old_card() -> Server {
    let mut server = Server::prepare();
    server.account("doc");
    server.persona("doc", "Dr Brown");
    let disc = server.path().join("game.mdb");
    fs::write(&disc, writer::database(Version::Jet3, 0, &game::tables())).unwrap();
    server.must(&["catalog", "import", disc.to_str().unwrap()], "");
    server.start();
    server
}

/// The server's half of `pub.key`, as players fetch it.
fn public_key(server: &Server) -> Vec<u8> {
    let mut raw = Raw::connect(server.port("http"));
    raw.send(b"GET /key HTTP/1.0\r\n\r\n");
    let answer = raw.receive_all();
    let end = answer.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
    assert!(answer.len() > end + 200, "a key of 1024 bits has more digits");
    answer[end..].to_vec()
}

/// To players it is the server that it was.
fn assert_same(server: &Server, authority: &Path, key: &[u8]) {
    assert_eq!(public_key(server), key);
    assert!(Browser::trusting(authority, server).look("/operator").contains("assword"));
    assert!(server.must(&["catalog", "show"], "").contains("game.mdb"));
    block_on(server.driver("doc", "Dr Brown"));
}

fn replaced(server: &Server) -> Vec<PathBuf> {
    let files = fs::read_dir(server.data().join("tls")).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|file| file.to_str().unwrap().contains(".replaced-")).collect()
}

#[test]
fn a_backup_restored_into_an_empty_folder_makes_the_same_server() {
    let mut old = old_card();
    let backup = old.path().join("backup");
    old.must(&["backup", backup.to_str().unwrap()], "");
    let (key, authority) = (public_key(&old), old.data().join("tls/authority.pem"));
    assert!(old.stop().success());
    let offline = old.path().join("offline");
    old.must(&["backup", offline.to_str().unwrap()], "");
    for backup in [backup, offline] {
        let mut new = Server::prepare();
        new.must(&["restore", backup.to_str().unwrap()], "");
        new.start();
        assert_same(&new, &authority, &key);
        assert!(replaced(&new).is_empty());
        assert!(new.stop().success());
    }
}

#[test]
fn a_server_that_runs_becomes_the_one_whose_backup_is_uploaded() {
    let mut old = old_card();
    let backup = old.operator().fill_in("/operator/backup", "/operator/backup/download", "").body;
    let (key, authority) = (public_key(&old), old.data().join("tls/authority.pem"));
    assert!(old.stop().success());
    let mut new = Server::started();
    assert_ne!(public_key(&new), key);
    let own = fs::read(new.data().join("tls/authority.pem")).unwrap();
    assert!(new.operator().upload(&backup).text().contains("restarts"));
    new.await_restart();
    // It says anew where it listens.
    assert!(new.stop().success());
    new.start();
    assert_same(&new, &authority, &key);
    assert!(!new.log().contains("ERROR"), "{}", new.log());
    let kept = replaced(&new);
    assert!(kept.iter().any(|file| fs::read(file).unwrap() == own), "what it was before is kept: {kept:?}");
    assert!(new.stop().success());
}
