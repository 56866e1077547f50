//! `cargo bench --bench budgets`: the figures behind the budgets of the README, measured on a real server process beside a
//! baseline in the same run. Nothing here is asserted: a slow machine is not a fault.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark fails by panicking, and its figures are no sums of money"
)]

#[path = "support/figures.rs"]
mod figures;

use figures::figure;
use mco_proto::ids::{CommId, PersonaId};
use mco_proto::nps::lobby::{GetMiniUserList, Login, LoginResponse, Name};
use mco_proto::nps::login::UserLogin;
use mco_proto::nps::{Headers, Link, Message, Packet, id};
use mco_proto::session_key::{PublicLoginKey, SessionKey};
use mco_proto::text::Str16;
use rsa::{Oaep, RsaPrivateKey};
use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const PASSWORD: &str = "Roadster-57";
const SPELL: Duration = Duration::from_secs(3);
/// How often requests of one connection are measured, in turn with the baseline: where the system puts the threads makes a difference
/// of a half, so one spell says nothing.
const TURNS: usize = 7;
/// How long one turn is.
const TURN: Duration = Duration::from_millis(400);

fn main() {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    println!("mcos {} on {cores} cores\n", env!("CARGO_PKG_VERSION"));
    println!("{:<44} {:>14} {:>14} {:>10}   budget", "", "mcos", "baseline", "ratio");
    let box_ = Box_::new();
    start_up(&box_);
    memory(&box_);
    logins(&box_, cores);
    round_trips(&box_);
}

fn row(what: &str, ours: &str, baseline: &str, ratio: &str, budget: &str) {
    println!("{what:<44} {ours:>14} {baseline:>14} {ratio:>10}   {budget}");
}

// ---------------------------------------------------------------- the figures

/// From starting the process to all ports answering, keys existing.
fn start_up(box_: &Box_) {
    drop(box_.start());
    let mut times: Vec<_> = (0..15).map(|_| box_.start().ready_after).collect();
    times.sort();
    let median = times[times.len() / 2];
    figure("start until all ports answer (keys exist)", "ms", median.as_secs_f64() * 1e3, 0.0, "mcos <= 150");
    row("start to all ports answering, median of 15", &millis(median), "", "", "<= 150 ms");
}

/// Resident memory, empty and with idle connections to the lobby.
fn memory(box_: &Box_) {
    let server = box_.start();
    thread::sleep(Duration::from_millis(300));
    let idle = server.resident_kib();
    row("resident, idle, empty store", &format!("{:.1} MiB", idle as f64 / 1024.0), "", "", "<= 12 MiB");
    figure("resident memory, idle, empty store", "MiB", idle as f64 / 1024.0, 0.0, "mcos <= 12");
    let mut connections = Vec::new();
    for most in [2_000, 5_000] {
        while connections.len() < most {
            let mut connection = TcpStream::connect(server.at("lobby")).expect("connect");
            connection.read_exact(&mut [0; 4]).expect("greeting");
            connections.push(connection);
        }
        thread::sleep(Duration::from_millis(300));
        let each = (server.resident_kib() - idle) as f64 / most as f64;
        figure(&format!("resident memory per idle connection, at {most}"), "KiB", each, 0.0, "mcos <= 8");
        row(&format!("resident per idle connection, {most}"), &format!("{each:.1} KiB"), "", "", "<= 8 KiB");
    }
}

/// Logins on 8226, each on a connection of its own, beside what the `rsa` crate alone decrypts.
fn logins(box_: &Box_, cores: usize) {
    let key = RsaPrivateKey::new(&mut rand::rngs::OsRng, 1024).expect("key");
    let block = key
        .to_public_key()
        .encrypt(&mut rand::rngs::OsRng, Oaep::new::<sha1::Sha1>(), &[7; 38])
        .expect("encrypt");
    let alone = per_second(cores, || {
        let (key, block) = (key.clone(), block.clone());
        move || {
            key.decrypt_blinded(&mut rand::rngs::OsRng, Oaep::new::<sha1::Sha1>(), &block).expect("decrypt");
        }
    });

    let server = box_.start();
    let address = server.at("login");
    let mut request = Vec::new();
    server.user_login(&SessionKey::random()).encode(&mut request).expect("written");
    let cpu = server.cpu_seconds();
    let began = Instant::now();
    let rate = per_second(cores * 4, || {
        let request = request.clone();
        move || {
            let mut connection = TcpStream::connect(address).expect("connect");
            connection.write_all(&request).expect("send");
            connection.read_exact(&mut [0; 76]).expect("two answers");
        }
    });
    let logins = rate * began.elapsed().as_secs_f64();
    let per_cpu = logins / (server.cpu_seconds() - cpu);
    let budget = ">= 0.85 of the crate alone";
    figure("logins/s, the Clients on the same cores (rsa crate alone)", "1/s", rate, alone, "");
    let per_core = alone / cores as f64;
    figure(
        "logins per second of the server's own CPU (rsa crate alone)",
        "1/s",
        per_cpu,
        per_core,
        "ratio >= 0.85",
    );
    row("logins/s, Client on the same cores", &count(rate), &count(alone), &ratio(rate / alone), budget);
    row(
        "logins per second of the server's CPU",
        &count(per_cpu),
        &count(per_core),
        &ratio(per_cpu / per_core),
        budget,
    );
}

/// Requests and answers on one encrypted lobby connection, beside a bare smol echo of the same bytes: the medians of several turns,
/// each with connections of its own.
fn round_trips(box_: &Box_) {
    let server = box_.start();
    let mut turns: Vec<_> = (0..TURNS).map(|_| round_trip(&server)).collect();
    for (ours, bare) in &turns {
        figure(
            "encrypted request and answer/s, one lobby connection (bare smol echo)",
            "1/s",
            *ours,
            *bare,
            "ratio >= 0.80",
        );
    }
    turns.sort_by(|(a, b), (c, d)| (a / b).total_cmp(&(c / d)));
    let (ours, bare) = turns[TURNS / 2];
    let [(a, b), .., (c, d)] = turns[..] else { return };
    let spread = format!("{:.2} to {:.2}", a / b, c / d);
    row(
        "request and answer/s, one lobby connection",
        &count(ours),
        &count(bare),
        &ratio(ours / bare),
        &spread,
    );
}

fn round_trip(server: &Server) -> (f64, f64) {
    let key = SessionKey::random();
    server.exchange("login", &server.user_login(&key));
    let (mut stream, mut link) = server.lobby(&key);
    let request = GetMiniUserList { channel: CommId(0) }.packet();
    let mut sizes = (0, 0);
    let ours = alone_per_second(|| {
        let mut wire = Vec::new();
        link.write(&request, true, &mut wire).expect("written");
        stream.write_all(&wire).expect("send");
        sizes = (wire.len(), answer(&mut stream, &mut link).0);
    });

    let echo = TcpListener::bind("127.0.0.1:0").expect("bind");
    let address = echo.local_addr().expect("address");
    thread::spawn(move || smol::block_on(bare_echo(echo, sizes)));
    let mut stream = TcpStream::connect(address).expect("connect");
    stream.set_nodelay(true).expect("nodelay");
    let (request, mut reply) = (vec![0; sizes.0], vec![0; sizes.1]);
    let bare = alone_per_second(|| {
        stream.write_all(&request).expect("send");
        stream.read_exact(&mut reply).expect("answer");
    });
    (ours, bare)
}

async fn bare_echo(listener: TcpListener, (request, reply): (usize, usize)) {
    use smol::io::{AsyncReadExt, AsyncWriteExt};
    let listener = smol::net::TcpListener::try_from(listener).expect("listener");
    let (mut stream, _) = listener.accept().await.expect("accept");
    stream.set_nodelay(true).expect("nodelay");
    let (mut request, reply) = (vec![0; request], vec![0; reply]);
    while stream.read_exact(&mut request).await.is_ok() {
        if stream.write_all(&reply).await.is_err() {
            return;
        }
    }
}

// ---------------------------------------------------------------- measuring

/// How often `threads` threads together do something per second.
fn per_second<F: FnMut() + Send>(threads: usize, make: impl Fn() -> F) -> f64 {
    let (done, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            let mut work = make();
            let (done, over) = (&done, &over);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    work();
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        thread::sleep(SPELL);
        over.store(true, Ordering::Relaxed);
    });
    done.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64()
}

/// The same on this thread.
fn alone_per_second(mut work: impl FnMut()) -> f64 {
    let began = Instant::now();
    let mut done = 0_u32;
    while began.elapsed() < TURN {
        work();
        done += 1;
    }
    f64::from(done) / began.elapsed().as_secs_f64()
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

fn count(rate: f64) -> String {
    format!("{rate:.0}")
}

fn ratio(ratio: f64) -> String {
    format!("{ratio:.2}")
}

// ---------------------------------------------------------------- a server to measure

/// A data folder with one account and one persona.
struct Box_ {
    folder: tempfile::TempDir,
}

impl Box_ {
    fn new() -> Self {
        let box_ = Self { folder: tempfile::tempdir().expect("folder") };
        let ports = ["http", "https", "login", "persona", "mail", "lobby", "mcots"]
            .map(|name| format!("{name} = 0\n"))
            .concat();
        let config = format!("[network]\nbind = [\"127.0.0.1\"]\n{ports}rooms = [0, 0]\n");
        fs::write(box_.folder.path().join("mcos.toml"), config).expect("config");
        let mut add = box_.command(&["account", "add", "doc", "--password-stdin"]);
        let mut add = add.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("mcos account add");
        add.stdin.take().expect("stdin").write_all(PASSWORD.as_bytes()).expect("password");
        assert!(add.wait().expect("wait").success(), "account add");
        let added = box_.command(&["persona", "add", "doc", "Dr Brown"]).stdout(Stdio::null()).status();
        assert!(added.expect("mcos persona add").success(), "persona add");
        box_
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcos"));
        command
            .args(arguments)
            .arg("--data")
            .arg(self.folder.path().join("data"))
            .current_dir(self.folder.path());
        command
    }

    fn start(&self) -> Server {
        let began = Instant::now();
        let mut serve = self.command(&["serve"]);
        let mut process = serve.env("RUST_LOG", "warn").stdout(Stdio::piped()).spawn().expect("mcos serve");
        let mut lines = BufReader::new(process.stdout.take().expect("stdout"));
        let mut ports = HashMap::new();
        while !ports.contains_key("mcots") {
            let mut line = String::new();
            assert_ne!(lines.read_line(&mut line).expect("a line"), 0, "the server ended");
            if let ["listening", service, address] = line.split_whitespace().collect::<Vec<_>>()[..] {
                ports.insert(service.to_owned(), address.parse().expect("address"));
            }
        }
        for address in ports.values() {
            TcpStream::connect(address).expect("every port answers");
        }
        Server { process, ports, ready_after: began.elapsed(), _stdout: lines }
    }
}

struct Server {
    process: Child,
    ports: HashMap<String, SocketAddr>,
    ready_after: Duration,
    /// Kept open: the server may still print.
    _stdout: BufReader<ChildStdout>,
}

impl Server {
    fn at(&self, service: &str) -> SocketAddr {
        self.ports[service]
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(Path::new("/proc").join(self.process.id().to_string()).join(file)).expect(file)
    }

    fn resident_kib(&self) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("VmRSS");
        line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("KiB")
    }

    /// User and system time: fields 14 and 15, in hundredths of a second.
    fn cpu_seconds(&self) -> f64 {
        let stat = self.proc("stat");
        let fields: Vec<_> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
        fields[11..13].iter().map(|ticks| ticks.parse::<f64>().expect("ticks")).sum::<f64>() / 100.0
    }

    fn http(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.at("http")).expect("connect");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("ask");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answer");
        answer.split_once("\r\n\r\n").expect("body").1.to_owned()
    }

    fn user_login(&self, key: &SessionKey) -> Packet {
        let answer = self.http(&format!("/AuthLogin?username=doc&password={PASSWORD}"));
        let context = answer.split_once("Ticket=").expect("ticket").1;
        let public = PublicLoginKey::from_hex(&self.http("/key")).expect("pub.key");
        let login = UserLogin::new(
            Str16::new(context).expect("fits"),
            Str16::new(&public.encrypt(key).expect("seal")).expect("fits"),
        );
        login.packet()
    }

    /// Sends one packet on a connection of its own and returns its first answer.
    fn exchange(&self, service: &str, packet: &Packet) -> Packet {
        let mut stream = TcpStream::connect(self.at(service)).expect("connect");
        let mut wire = Vec::new();
        packet.encode(&mut wire).expect("written");
        stream.write_all(&wire).expect("send");
        answer(&mut stream, &mut Link::new(Headers::Either, Link::LARGEST)).1
    }

    fn lobby(&self, key: &SessionKey) -> (TcpStream, Link) {
        use mco_proto::nps::login::UserStatus;
        use mco_proto::nps::persona::{GetPersonaMaps, PersonaList};
        let status: UserStatus = self.exchange("login", &self.user_login(key)).read().expect("0601");
        let customer = status.customer;
        let list: PersonaList =
            self.exchange("persona", &GetPersonaMaps { customer }.packet()).read().expect("0607");
        let mut stream = TcpStream::connect(self.at("lobby")).expect("connect");
        stream.set_nodelay(true).expect("nodelay");
        let mut link = Link::new(Headers::Short, Link::LARGEST);
        assert_eq!(answer(&mut stream, &mut link).1.id, id::OK_TO_LOGIN);
        let login = Login::new(
            list.personas.first().map_or(PersonaId(0), |persona| persona.persona),
            Name::constant(b"Dr Brown"),
            customer,
            Ipv4Addr::LOCALHOST,
            key,
        );
        let mut wire = Vec::new();
        link.write(&login.packet(), false, &mut wire).expect("written");
        stream.write_all(&wire).expect("send");
        answer(&mut stream, &mut link).1.read::<LoginResponse>().expect("signed in");
        link.start_encryption(key);
        (stream, link)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The next packet, and how many bytes it took.
fn answer(stream: &mut TcpStream, link: &mut Link) -> (usize, Packet) {
    let (mut chunk, mut size) = ([0; 4096], 0);
    loop {
        if let Some(incoming) = link.next().expect("a whole stream") {
            return (size, incoming.packet);
        }
        let count = stream.read(&mut chunk).expect("an answer");
        assert_ne!(count, 0, "the server closed the connection");
        size += count;
        link.feed(&chunk[..count]);
    }
}
