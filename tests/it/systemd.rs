//! What systemd hears of the server, on a real socket in the place of systemd's.

use crate::support::{PATIENCE, Server, signal, wait_until};
use std::fs;
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// Half of this is how often the server is expected to say that it is alive.
const WATCHDOG: Duration = Duration::from_secs(1);

/// systemd, as far as the server can tell.
struct Manager {
    messages: Receiver<String>,
    socket: PathBuf,
}

impl Manager {
    fn of(server: &mut Server) -> Self {
        let path = server.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        server.set("NOTIFY_SOCKET", &path);
        server.set("WATCHDOG_USEC", WATCHDOG.as_micros().to_string());
        let (heard, messages) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length) = socket.recv(&mut buffer) {
                if heard.send(String::from_utf8(buffer[..length].to_vec()).unwrap()).is_err() {
                    return;
                }
            }
        });
        Self { messages, socket: path }
    }

    /// Sends something on the same way as the server, so that it arrives behind all that the server has said.
    fn say(&self, message: &str) {
        UnixDatagram::unbound().unwrap().send_to(message.as_bytes(), &self.socket).unwrap();
    }

    /// Waits for a message with this line, and gives the whole message.
    fn hear(&self, line: &str) -> String {
        self.hear_line(|one| one == line)
    }

    /// The same for any line that will do.
    fn hear_line(&self, wanted: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let message = self.messages.recv_timeout(left).expect("what is waited for comes");
            if message.lines().any(&wanted) {
                return message;
            }
        }
    }

    /// What comes within this time.
    fn within(&self, time: Duration) -> Vec<String> {
        let deadline = Instant::now() + time;
        let left = || deadline.saturating_duration_since(Instant::now());
        std::iter::from_fn(|| self.messages.recv_timeout(left()).ok()).collect()
    }
}

/// Waits until all threads of a process are in this state, as the kernel calls it.
fn await_state(pid: u32, wanted: char) {
    let states = || -> Vec<Option<char>> {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap().map(Result::unwrap);
        let states = threads.map(|thread| fs::read_to_string(thread.path().join("stat")).unwrap_or_default());
        states.filter_map(|state| Some(state.rsplit_once(") ")?.1.chars().next())).collect()
    };
    wait_until(states, |states| states.iter().all(|state| *state == Some(wanted)));
}

#[test]
fn systemd_hears_when_all_ports_answer_that_the_server_lives_and_that_it_stops() {
    let mut server = Server::prepare();
    let manager = Manager::of(&mut server);
    server.start();
    manager.hear("READY=1");
    for service in ["http", "https", "login", "persona", "mail", "lobby", "room", "mcots"] {
        assert!(TcpStream::connect(("127.0.0.1", server.port(service))).is_ok(), "{service}");
    }
    manager.hear_line(|line| {
        line.starts_with("STATUS=ready") && line.contains("http://") && line.contains("no players online")
    });
    for _ in 0..3 {
        manager.hear("WATCHDOG=1");
    }
    assert_eq!(server.stop().code(), Some(0));
    manager.hear("STOPPING=1");
}

/// systemd waits for the next sign of life from the first one on, also while the server is still starting.
#[test]
fn a_start_may_take_as_long_as_the_unit_says_and_not_as_long_as_a_silent_server_may() {
    let unit = include_str!("../../systemd/mcos.service");
    assert!(directives(unit).contains(&("TimeoutStartSec", "10min")));
    let mut server = Server::prepare();
    let manager = Manager::of(&mut server);
    server.start();
    let first = manager.hear_line(|line| line.starts_with("WATCHDOG"));
    assert!(first.lines().any(|line| line == "STATUS=starting: opening the database"), "{first}");
    for line in ["WATCHDOG=1", "WATCHDOG_USEC=600000000"] {
        assert!(first.lines().any(|one| one == line), "{first}");
    }
    let ready = manager.hear_line(|line| line == "READY=1" || line.starts_with("WATCHDOG_USEC"));
    for line in ["READY=1", "WATCHDOG=1", "WATCHDOG_USEC=1000000"] {
        assert!(ready.lines().any(|one| one == line), "{ready}");
    }
}

#[test]
fn a_server_that_hangs_gives_no_sign_of_life() {
    let mut server = Server::prepare();
    let manager = Manager::of(&mut server);
    server.start();
    manager.hear("READY=1");
    manager.hear("WATCHDOG=1");
    signal(server.pid(), "STOP");
    await_state(server.pid(), 'T');
    // What was said before is still on its way.
    manager.say("STOPPED");
    manager.hear("STOPPED");
    assert_eq!(manager.within(3 * WATCHDOG), Vec::<String>::new());
    signal(server.pid(), "CONT");
    manager.hear("WATCHDOG=1");
}

#[test]
fn a_restart_by_the_operator_is_no_stop_and_is_ready_again_in_the_same_process() {
    let mut server = Server::started();
    let backup = server.path().join("evening.mcos");
    server.must(&["backup", backup.to_str().unwrap()], "");
    server.stop();
    let manager = Manager::of(&mut server);
    server.start();
    let pid = server.pid();
    manager.hear("READY=1");
    server.must(&["restore", "--yes", backup.to_str().unwrap()], "");
    let reloading = manager.hear("RELOADING=1");
    assert!(reloading.lines().any(|line| line.starts_with("MONOTONIC_USEC=")), "{reloading}");
    manager.hear("READY=1");
    manager.hear("WATCHDOG=1");
    assert!(server.is_alive() && server.pid() == pid);
    let said = manager.within(WATCHDOG);
    assert!(!said.iter().any(|message| message.contains("STOPPING=1")), "{said:?}");
}

/// What a unit sets, by the names of its directives.
fn directives(unit: &str) -> Vec<(&str, &str)> {
    let lines = unit.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';']));
    lines.filter_map(|line| line.split_once('=')).map(|(name, value)| (name.trim(), value.trim())).collect()
}

#[test]
fn the_program_alone_decides_from_where_it_is_reached_and_sees_its_own_addresses() {
    let units = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd");
    let mut seen = 0;
    for folder in [units.clone(), units.join("box")] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                continue;
            }
            seen += 1;
            // These helpers of the box reach nobody; mcos-health plays as a Client would.
            let name = path.file_stem().unwrap().to_str().unwrap();
            if [
                "mcos-backup",
                "mcos-box",
                "mcos-grow",
                "mcos-radio",
                "mcos-request",
                "mcos-status",
                "mcos-update",
                "mcos-wifi@",
            ]
            .contains(&name)
            {
                continue;
            }
            let unit = fs::read_to_string(&path).unwrap();
            for (name, _) in directives(&unit) {
                // What the system drops leaves no line in the log, and network.allow in mcos.toml could not allow it.
                let filters =
                    ["IPAddress", "IPIngress", "IPEgress", "SocketBind", "NFTSet", "PrivateNetwork"];
                assert!(!filters.iter().any(|filter| name.starts_with(filter)), "{}: {name}", path.display());
            }
        }
    }
    assert!(seen > 10, "the units were found");
    let unit = fs::read_to_string(units.join("mcos.service")).unwrap();
    let families: Vec<&str> = directives(&unit)
        .into_iter()
        .filter(|(name, _)| *name == "RestrictAddressFamilies")
        .flat_map(|(_, families)| families.split_whitespace())
        .collect();
    for needed in ["AF_INET", "AF_INET6", "AF_NETLINK"] {
        assert!(families.contains(&needed), "{needed}");
    }
}
