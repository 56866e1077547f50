//! Backups that leave the server with a password: by the command line, by the page, and in the hands of the program `age`.

use crate::support::{Server, skipped};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

const WORDS: &str = "lorraine kept the flyer";
const AGE: &[u8] = b"age-encryption.org/v1\n";

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs a command that is to fail, and gives what it says.
fn refused(server: &Server, arguments: &[&str], input: &str) -> String {
    let output = server.cli(arguments, input);
    assert_eq!(output.status.code(), Some(1), "mcos {arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs the program `age` on a terminal of its own, where it asks for the password; `None` if it or that terminal is not there.
fn age(arguments: &str, answers: &str) -> Option<bool> {
    for (program, package) in [("age", "age"), ("script", "bsdutils")] {
        if Command::new(program).arg("--version").output().is_err() {
            skipped(&format!("{package} is not installed; run scripts/install-test-peers"));
            return None;
        }
    }
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--command", &format!("age {arguments}"), "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(answers.as_bytes()).unwrap();
    Some(child.wait().unwrap().success())
}

#[test]
fn backups_of_commands_are_encrypted_with_and_without_a_server_and_make_the_same_server_elsewhere() {
    let mut old = Server::prepare();
    old.account("doc");
    let folder = old.path().to_path_buf();
    let backup = |name: &str| folder.join(name);
    let said = old.must(&["operator", "backup-password", "--password-stdin"], WORDS);
    assert!(said.contains("write the password down") && !said.contains("flyer"), "{said}");
    let kept = old.data().join("backup-password");
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    let offline = backup("offline.age");
    let said = old.must(&["backup", text(&offline)], "");
    assert!(said.contains("encrypted by the password"), "{said}");
    let running = backup("running.age");
    old.start();
    old.must(&["backup", text(&running)], "");
    let page = backup("page.age");
    fs::write(&page, old.operator().fill_in("/operator/backup", "/operator/backup/download", "").body)
        .unwrap();
    let left: Vec<_> = fs::read_dir(old.data()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with("exchange-")), "{left:?}");
    assert!(old.stop().success());
    assert!(!old.log().contains("flyer"));
    for file in [offline, running, page] {
        assert!(fs::read(&file).unwrap().starts_with(AGE));
        let new = Server::prepare();
        let restore = ["restore", text(&file), "--yes", "--password-stdin"];
        let said = refused(&new, &restore, "lorraine kept it");
        assert!(
            said.contains("the password is not the one") && said.contains("nothing was changed"),
            "{said}"
        );
        assert!(!new.data().join("database").exists());
        new.must(&restore, WORDS);
        assert!(new.must(&["account", "list"], "").contains("doc"));
        // Where there is no terminal nobody can be asked.
        let output = new.cli(&["restore", text(&file), "--yes"], "");
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("--password-stdin"));
        // Its own password needs no typing.
        new.must(&["operator", "backup-password", "--password-stdin"], WORDS);
        new.must(&["restore", text(&file), "--yes"], "");
    }
    old.must(&["operator", "backup-password", "--remove"], "");
    let clear = backup("clear.mcos");
    let said = old.must(&["backup", text(&clear)], "");
    assert!(said.contains("not encrypted"), "{said}");
    assert!(fs::read(&clear).unwrap().starts_with(b"mcosbak"));
    let said = refused(&old, &["restore", text(&clear), "--yes", "--password-stdin"], WORDS);
    assert!(said.contains("is not encrypted"), "{said}");
}

#[test]
fn a_running_server_restarts_with_an_encrypted_backup_of_the_command() {
    let old = Server::prepare();
    old.account("emmett");
    old.must(&["operator", "backup-password", "--password-stdin"], WORDS);
    let file = old.path().join("b.age");
    old.must(&["backup", text(&file)], "");
    let mut new = Server::started();
    let said = new.must(&["restore", text(&file), "--yes", "--password-stdin"], WORDS);
    assert!(said.contains("the running server restarts with it"), "{said}");
    new.await_restart();
    let accounts = new.must(&["account", "list"], "");
    assert!(accounts.contains("emmett") && !accounts.contains("doc"), "{accounts}");
    assert!(!new.log().contains("flyer"));
    assert!(new.stop().success());
}

#[test]
fn what_is_no_password_is_refused_and_one_that_cannot_be_used_stops_a_backup() {
    let server = Server::prepare();
    server.account("doc");
    let said = refused(&server, &["operator", "backup-password", "--password-stdin"], "short");
    assert!(said.contains("12 to 128 characters"), "{said}");
    fs::write(server.data().join("backup-password"), "x").unwrap();
    let file = server.path().join("b.mcos");
    let said = refused(&server, &["backup", text(&file)], "");
    assert!(said.contains("cannot be used") && !file.exists(), "{said}");
}

#[test]
fn the_program_age_opens_ours_and_we_open_its() {
    let server = Server::prepare();
    server.account("doc");
    let at = |name: &str| server.path().join(name);
    let (ours, opened, theirs) = (at("ours.age"), at("opened.mcos"), at("theirs.age"));
    let clear = at("clear.mcos");
    server.must(&["backup", text(&clear)], "");
    server.must(&["operator", "backup-password", "--password-stdin"], WORDS);
    server.must(&["backup", text(&ours)], "");
    let Some(good) = age(&format!("-d -o {} {}", text(&opened), text(&ours)), &format!("{WORDS}\n")) else {
        return;
    };
    assert!(good);
    assert!(fs::read(&opened).unwrap().starts_with(b"mcosbak"));
    let elsewhere = Server::prepare();
    elsewhere.must(&["restore", text(&opened)], "");
    assert!(elsewhere.must(&["account", "list"], "").contains("doc"));
    // It asks for the password twice, and takes 256 MiB.
    let made = age(
        &format!("-p -o {} {}", text(&theirs), text(&clear)),
        "a password of a person\na password of a person\n",
    );
    assert_eq!(made, Some(true));
    let elsewhere = Server::prepare();
    elsewhere.must(&["restore", text(&theirs), "--yes", "--password-stdin"], "a password of a person");
    assert!(elsewhere.must(&["account", "list"], "").contains("doc"));
}
