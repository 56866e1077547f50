//! The real server program in a folder of its own, on ports nobody else has.

#![allow(dead_code, reason = "no test needs all of it")]

pub(crate) mod browser;
pub(crate) mod chromium;
pub(crate) mod track;

use browser::Browser;
use mco_proto::ids::PersonaId;
use mcos::client::sitting::{Account, FixedPorts, PersonaSession, ShardEndpoints};
use mcos::client::web::Web;
use mcos::client::{Endpoint, Error};
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use std::{env, thread};
use tempfile::TempDir;

/// How long anything may take, on whatever machine and whatever else that one has to do. Only a server that is broken ever
/// makes a test wait that long.
pub(crate) const PATIENCE: Duration = Duration::from_mins(3);

/// The password of all accounts made here.
pub(crate) const PASSWORD: &str = "Roadster-1957.x";

/// How many rooms `rooms = [0, 0]` opens.
const ROOMS: usize = 15;

/// The operator's password.
pub(crate) const OPERATOR: &str = "cold+start+57";

/// A data folder with its configuration, and the server on it while it runs.
pub(crate) struct Server {
    folder: TempDir,
    running: Option<Running>,
    environment: Vec<(&'static str, OsString)>,
    /// What stands before the program: the way into another network.
    way_in: Vec<OsString>,
    on_box: bool,
}

/// A running `mcos serve`, killed when this value is dropped.
pub(crate) struct Running {
    child: Child,
    ports: HashMap<String, Vec<u16>>,
}

impl Running {
    /// Waits until a server, whose output must be a pipe, has said where all services are.
    pub(crate) fn await_ports(mut child: Child) -> Result<Self, String> {
        let lines = Lines::of(child.stdout.take().unwrap());
        let mut running = Self { child, ports: HashMap::new() };
        let deadline = Instant::now() + PATIENCE;
        let wanted = ["http", "login", "persona", "mail", "lobby", "mcots"];
        let known = |ports: &HashMap<String, Vec<u16>>| {
            wanted.iter().all(|service| ports.contains_key(*service))
                && ports.get("room").is_some_and(|rooms| rooms.len() >= ROOMS)
        };
        while !known(&running.ports) {
            let Some(line) = lines.next(deadline) else {
                let ended = running.child.try_wait();
                return Err(format!("mcos serve does not say where it listens ({ended:?})"));
            };
            let words: Vec<&str> = line.split(' ').collect();
            if let ["listening", service, address] = words[..] {
                let port = address.rsplit(':').next().unwrap().parse().unwrap();
                running.ports.entry(service.to_owned()).or_default().push(port);
            }
        }
        Ok(running)
    }

    /// The port of a service; of the first if there are several.
    pub(crate) fn port(&self, service: &str) -> u16 {
        self.ports[service][0]
    }

    /// Asks the server to stop, as systemd does, and waits until it has; `None` if it does not.
    pub(crate) fn stop(&mut self) -> Option<ExitStatus> {
        signal(self.child.id(), "TERM");
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(5));
        }
        None
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.running.take());
        if thread::panicking() {
            // Not through print!, which keeps the text of other threads apart from this test's.
            let _ = writeln!(std::io::stderr(), "--- log of the server ---\n{}", self.log());
        }
    }
}

impl Server {
    /// A new folder with a configuration: this machine only, any free ports.
    pub(crate) fn prepare() -> Self {
        Self::with("")
    }

    /// The same, with more lines at the end of the configuration.
    pub(crate) fn with(more: &str) -> Self {
        let server = Self {
            folder: TempDir::new().unwrap(),
            running: None,
            environment: Vec::new(),
            way_in: Vec::new(),
            on_box: false,
        };
        let services = ["http", "https", "login", "persona", "mail", "lobby", "mcots"];
        let ports = services.map(|service| format!("{service} = 0\n")).concat();
        server.configure(&format!(
            "[shard]\nname = \"Test City\"\nid = 44\n[network]\nbind = [\"127.0.0.1\"]\n{ports}rooms = [0, 0]\n{more}"
        ));
        server
    }

    /// A server that runs, with an account "doc".
    pub(crate) fn started() -> Self {
        let mut server = Self::prepare();
        server.account("doc");
        server.start();
        server
    }

    /// Sets a variable in the environment of everything that is started from now on.
    pub(crate) fn set(&mut self, variable: &'static str, value: impl Into<OsString>) {
        self.environment.push((variable, value.into()));
    }

    /// Everything runs behind this beginning of a command from now on.
    pub(crate) fn go(&mut self, way_in: Vec<OsString>) {
        self.way_in = way_in;
    }

    /// Serves as a box does from now on, whose card holds the configuration, and `status.txt` in [`Server::path`].
    pub(crate) fn put_on_box(&mut self) {
        self.on_box = true;
        self.set("RUNTIME_DIRECTORY", self.path().to_path_buf());
    }

    /// Waits until `status.txt` is as wanted, and gives it.
    pub(crate) fn await_status(&self, wanted: impl Fn(&str) -> bool) -> String {
        let status = || fs::read_to_string(self.path().join("status.txt")).unwrap_or_default();
        wait_until(status, |text| wanted(text))
    }

    /// Replaces the configuration.
    pub(crate) fn configure(&self, text: &str) {
        fs::write(self.config(), text).unwrap();
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("mcos.toml")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What the server logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Waits until the log says something, so many times.
    pub(crate) fn await_log(&self, text: &str, times: usize) {
        wait_until(|| self.log(), |log| log.matches(text).count() >= times);
    }

    /// Waits until the server has begun for a second time.
    pub(crate) fn await_restart(&self) {
        self.await_log("is open; players reach it", 2);
    }

    /// A browser on the operator's pages, which sets the password there.
    pub(crate) fn operator(&self) -> Browser {
        let mut browser = Browser::new(self);
        let fields = format!("password={OPERATOR}&again={OPERATOR}");
        assert_eq!(browser.fill_in("/operator", "/operator/first", &fields).status, 303);
        browser
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let program = OsString::from(env!("CARGO_BIN_EXE_mcos"));
        let mut line = self.way_in.iter().chain([&program]);
        let mut command = Command::new(line.next().unwrap());
        command.args(line).args(arguments).arg("--data").arg(self.data());
        if self.on_box {
            command.arg("--box").arg(self.path());
        } else {
            command.arg("--config").arg(self.config());
        }
        command.current_dir(self.folder.path()).env_remove("RUST_LOG").env_remove("STATE_DIRECTORY");
        command.envs(self.environment.iter().map(|(variable, value)| (variable, value)));
        command
    }

    /// Runs another command of the program to its end.
    pub(crate) fn cli(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that needs no input may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// The same; it must succeed. What it printed.
    pub(crate) fn must(&self, arguments: &[&str], input: &str) -> String {
        let output = self.cli(arguments, input);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "mcos {arguments:?}: {}: {errors}", output.status);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Makes an account.
    pub(crate) fn account(&self, name: &str) {
        self.must(&["account", "add", name, "--password-stdin"], &format!("{PASSWORD}\n"));
    }

    /// Makes a persona.
    pub(crate) fn persona(&self, account: &str, name: &str) {
        self.must(&["persona", "add", account, name], "");
    }

    /// Starts the server without waiting for anything.
    fn spawn_with(&self, more: &[&str]) -> Child {
        let log = File::options().append(true).create(true).open(self.folder.path().join("log")).unwrap();
        self.command(&[&["serve"], more].concat())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    /// Starts the server and waits until it says where all services are.
    pub(crate) fn start(&mut self) {
        self.start_with(&[]);
    }

    /// The same, with more arguments.
    pub(crate) fn start_with(&mut self, more: &[&str]) {
        assert!(self.running.is_none(), "it runs already");
        let running = Running::await_ports(self.spawn_with(more));
        self.running = Some(running.unwrap_or_else(|error| panic!("{error}:\n{}", self.log())));
    }

    /// Writes the ports that the server got into its configuration, where the commands of this program look for them.
    pub(crate) fn write_ports(&self) {
        let mut text = fs::read_to_string(self.config()).unwrap();
        for key in ["http", "login", "persona", "mail", "lobby", "mcots"] {
            text = text.replace(&format!("\n{key} = 0\n"), &format!("\n{key} = {}\n", self.port(key)));
        }
        // Free ports need not be neighbours: one room will do for a range.
        let room = self.port("room");
        self.configure(&text.replace("rooms = [0, 0]", &format!("rooms = [{room}, {room}]")));
    }

    /// The process number of the running server.
    pub(crate) fn pid(&self) -> u32 {
        self.running.as_ref().expect("it runs").child.id()
    }

    /// Asks the running server to stop, as systemd does, and waits until it has.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        let mut running = self.running.take().expect("it runs");
        running.stop().unwrap_or_else(|| panic!("the server does not stop:\n{}", self.log()))
    }

    /// Kills the running server, as a cut of the power does.
    pub(crate) fn kill(&mut self) {
        drop(self.running.take().expect("it runs"));
    }

    /// Whether the server runs.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.running.as_mut().is_some_and(|running| running.child.try_wait().unwrap().is_none())
    }

    /// The port of a service; of the first if there are several.
    pub(crate) fn port(&self, service: &str) -> u16 {
        self.running.as_ref().expect("it runs").port(service)
    }

    /// The ports of a service.
    pub(crate) fn ports(&self, service: &str) -> &[u16] {
        &self.running.as_ref().expect("it runs").ports[service]
    }

    pub(crate) fn at(&self, service: &str) -> Endpoint {
        Endpoint::new("127.0.0.1", self.port(service))
    }

    pub(crate) fn web(&self) -> Web {
        Web::new(self.at("http"), PATIENCE)
    }

    /// Where the services are, as a Client learns it.
    pub(crate) async fn place(&self) -> Arc<ShardEndpoints> {
        let shards = self.web().shard_list().await.unwrap();
        let fixed =
            FixedPorts { persona: self.port("persona"), mail: self.port("mail"), mcots: self.port("mcots") };
        Arc::new(ShardEndpoints::new(&shards[0], fixed, PATIENCE))
    }

    /// Signs a User in.
    pub(crate) async fn sign_in(&self, user: &str) -> Account {
        let place = self.place().await;
        Account::sign_in(&self.web(), &place, user, PASSWORD).await.unwrap()
    }

    /// Signs a User in and picks the persona with this name.
    pub(crate) async fn driver(&self, user: &str, name: &str) -> PersonaSession {
        Self::pick(&self.sign_in(user).await, name).await
    }

    /// Picks the persona with this name.
    pub(crate) async fn pick(account: &Account, name: &str) -> PersonaSession {
        let personas = account.personas().await.unwrap();
        let entry = personas.iter().find(|entry| entry.name.to_string() == name).expect("the persona exists");
        account.select(entry).await.unwrap()
    }

    /// How many players the shard list says are there.
    pub(crate) async fn population(&self) -> u32 {
        self.web().shard_list().await.unwrap()[0].population
    }

    /// Waits until the shard list says this many players are there.
    pub(crate) async fn await_population(&self, wanted: u32) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let population = self.population().await;
            if population == wanted {
                return;
            }
            assert!(Instant::now() < deadline, "{population} players, not {wanted}");
            smol::Timer::after(Duration::from_millis(20)).await;
        }
    }
}

/// Any signal, by its name without SIG.
pub(crate) fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status().unwrap();
    assert!(status.success());
}

/// Looks again and again until what is seen is as wanted, and gives it.
pub(crate) fn wait_until<T: std::fmt::Debug>(look: impl Fn() -> T, wanted: impl Fn(&T) -> bool) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = look();
        if wanted(&seen) {
            return seen;
        }
        assert!(Instant::now() < deadline, "it stays {seen:#?}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The one line on standard error of a command that failed.
pub(crate) fn complaint(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), errors.lines().count()), (Some(1), 1), "{errors}");
    assert!(errors.starts_with("mcos: ") && errors.ends_with('\n'), "{errors}");
    errors
}

/// The lines of a stream, read by a thread of their own so that waiting for one can end.
struct Lines(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    lines: std::collections::VecDeque<String>,
    ended: bool,
}

impl Lines {
    fn of(stream: impl std::io::Read + Send + 'static) -> Self {
        let shared = Arc::new((Mutex::new(State::default()), Condvar::new()));
        let lines = Arc::clone(&shared);
        thread::spawn(move || {
            let (state, news) = &*lines;
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                state.lock().unwrap().lines.push_back(line);
                news.notify_all();
            }
            state.lock().unwrap().ended = true;
            news.notify_all();
        });
        Self(shared)
    }

    /// The next line; `None` at the end and at `deadline`.
    fn next(&self, deadline: Instant) -> Option<String> {
        let (state, news) = &*self.0;
        let mut state = state.lock().unwrap();
        loop {
            if let Some(line) = state.lines.pop_front() {
                return Some(line);
            }
            let left = deadline.checked_duration_since(Instant::now()).filter(|_| !state.ended)?;
            state = news.wait_timeout(state, left).unwrap().0;
        }
    }
}

/// Says, visibly and for the summary of `scripts/test`, that a test could not be done.
pub(crate) fn skipped(what: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
    if let Some(file) = env::var_os("MCOS_SKIPS")
        && let Ok(mut file) = File::options().append(true).create(true).open(file)
    {
        let _ = writeln!(file, "{what}");
    }
}

/// Something that must be refused: the error, or a panic if it was not.
pub(crate) fn refused<T>(result: Result<T, Error>) -> Error {
    match result {
        Ok(_) => panic!("it was not refused"),
        Err(error @ Error::Refused { .. }) => error,
        Err(error) => panic!("it was not refused but: {error}"),
    }
}

/// A connection that does not know what it says.
pub(crate) struct Raw(std::net::TcpStream);

impl Raw {
    pub(crate) fn connect(port: u16) -> Self {
        let stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    /// Writes; a server that hangs up on what it reads may do so before it has all.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes);
    }

    /// Exactly so many bytes.
    pub(crate) fn receive(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.0.read_exact(&mut bytes).unwrap_or_else(|error| panic!("{count} bytes wanted: {error}"));
        bytes
    }

    /// What arrives until the server hangs up.
    pub(crate) fn receive_all(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            match self.0.read(&mut buffer) {
                Ok(0) => return bytes,
                Ok(count) => bytes.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return bytes,
                // The whole test was stopped and went on: a read that has a time limit is not taken up again by the system.
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => panic!("the server does not hang up: {error}"),
            }
        }
    }
}

/// A number no persona has.
pub(crate) const NOBODY: PersonaId = PersonaId(999_999);
