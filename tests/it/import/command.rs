//! `mcos catalog`, beside a running server and without one.

use super::{game, writer};
use crate::support::{Server, complaint};
use jet_reader::Version;
use mco_proto::ids::DealerId;
use mcos::client::sitting::Transactions;
use smol::block_on;
use std::fs;
use std::process::Command;

/// A server with files to import beside it.
fn prepared() -> Server {
    let server = Server::prepare();
    let good = writer::database(Version::Jet3, 0, &game::tables());
    fs::write(server.path().join("game.mdb"), good).unwrap();
    fs::write(server.path().join("wrong.mdb"), "no database at all").unwrap();
    server
}

fn catalog(server: &Server, arguments: &[&str]) -> String {
    let output = server.cli(&[&["catalog"], arguments].concat(), "");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "no progress where there is no terminal");
    String::from_utf8(output.stdout).unwrap()
}

fn refused(server: &Server, arguments: &[&str]) -> String {
    let output = server.cli(&[&["catalog"], arguments].concat(), "");
    assert!(output.stdout.is_empty());
    complaint(&output)
}

/// How many cars the dealer of new personas has.
fn cars(server: &Server) -> usize {
    let place = block_on(server.place());
    block_on(Transactions::stock(&place, DealerId(8))).unwrap().cars.len()
}

#[test]
fn an_import_without_a_server_is_there_for_its_start() {
    let mut server = prepared();
    assert!(refused(&server, &["show"]).contains("there is no data of mcos in"));
    assert!(refused(&server, &["import", "/dev/zero"]).contains("a device or a pipe"));
    assert!(refused(&server, &["import", "."]).contains("this is a folder: name the file in it"));
    for arguments in
        [&["account", "add", "../x", "--password-stdin"][..], &["keys", "import-login", "wrong.mdb"]]
    {
        assert!(!server.cli(arguments, "Roadster-57!\n").status.success());
        assert!(!server.data().exists(), "{arguments:?}");
    }
    assert!(refused(&server, &["import", "wrong.mdb"]).contains("this is no Jet (Access) database"));
    assert!(refused(&server, &["import", "nothing.mdb"]).contains("check the name, or give the whole path"));
    let told = catalog(&server, &["import", "game.mdb"]);
    assert!(told.contains("SHA-256 ") && told.contains("3      cars for sale"), "{told}");
    assert!(told.ends_with("the server will use it when it is started\n"), "{told}");
    let made = format!("note: there was no data folder {}, so it was made", server.data().display());
    assert!(told.contains(&made), "{told}");
    assert!(!catalog(&server, &["import", "game.mdb"]).contains("note: there was no data folder"));
    let sum = Command::new("sha256sum").arg(server.path().join("game.mdb")).output().unwrap().stdout;
    assert!(told.contains(&String::from_utf8(sum).unwrap()[..64]));
    let shown = catalog(&server, &["show"]);
    assert!(told.starts_with(&shown), "{shown}");
    refused(&server, &["import", "wrong.mdb"]);
    assert_eq!(catalog(&server, &["show"]), shown, "the old one stays");
    server.start();
    assert_eq!(cars(&server), 3);
}

#[test]
fn a_running_server_uses_an_import_at_once() {
    let mut server = prepared();
    server.start();
    assert!(cars(&server) > 3);
    refused(&server, &["import", "wrong.mdb"]);
    assert!(cars(&server) > 3);
    let told = catalog(&server, &["import", "game.mdb"]);
    assert!(told.contains("the running server uses it now"), "{told}");
    assert_eq!(cars(&server), 3);
}
