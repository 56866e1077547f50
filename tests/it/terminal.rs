//! What a person sees who starts the server on a terminal: a few lines instead of one for every socket.

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A terminal: our end, and the end of a program.
fn terminal() -> (File, File) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let path = Path::new(std::ffi::OsStr::from_bytes(name.as_bytes()));
    let theirs = OpenOptions::new().read(true).write(true).open(path).unwrap();
    (File::from(ours), theirs)
}

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_terminal_shows_both_pages_and_one_line_about_the_ports() {
    let folder = tempfile::tempdir().unwrap();
    let ports = ["http", "https", "login", "persona", "mail", "lobby", "mcots"];
    let ports = ports.map(|service| format!("{service} = 0\n")).concat();
    let settings = format!("[network]\nbind = [\"127.0.0.1\"]\nrooms = [0, 0]\n{ports}");
    fs::write(folder.path().join("mcos.toml"), settings).unwrap();
    let (ours, theirs) = terminal();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcos"));
    command.arg("serve").current_dir(folder.path()).env_remove("RUST_LOG").env_remove("STATE_DIRECTORY");
    command.stdin(Stdio::null()).stdout(theirs).stderr(File::create(folder.path().join("log")).unwrap());
    let _server = Ended(command.spawn().unwrap());
    let lines: Vec<String> = BufReader::new(ours).lines().take(3).map(Result::unwrap).collect();
    let [players, operator, open] = &lines[..] else { panic!("{lines:?}") };
    assert!(players.starts_with("page for players:   http://localhost:"), "{lines:?}");
    assert!(operator.starts_with("page for operator:  https://localhost:"), "{lines:?}");
    assert!(operator.trim_end().ends_with("/operator"), "{lines:?}");
    assert!(open.starts_with("shard \"Motor City\" is open on 22 sockets, ports "), "{lines:?}");
}
