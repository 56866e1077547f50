//! `cargo bench --bench relay`: what the server relays in 100 rooms of 6 players, beside two smol relays that know nothing but rooms, in
//! the same run: a bare one, which does the same reads and writes without looking at them, and one that also does the same DES. Nothing
//! here is asserted.
//!
//! Two measurements for each: frames per second with every sender sending as fast as its room hears it, with the processor time that each of
//! them costs the relay, and the time a frame takes at a fifth of that rate. Both are done with encrypted frames, which the server and the
//! second relay decrypt once and encrypt for each receiver, and with frames in clear. All players live in this process, one thread per core,
//! and do the same work whichever relay they talk to: those of the bare relay encrypt what they send, too, and decrypt what they receive.
//! Everything is measured three times in turn; what is printed is the median of each figure and of each ratio.

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
use mco_proto::nps::Id;
use mco_proto::nps::lobby::ChannelGranted;
use mco_proto::nps::relay::{Address, Relay};
use mco_proto::nps::{Headers, Link, Message as _, Packet};
use mco_proto::session_key::SessionKey;
use mcos::client::sitting::{Account, FixedPorts, ShardEndpoints};
use mcos::client::web::Web;
use mcos::client::{Endpoint, sitting::PersonaSession};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

const ROOMS: usize = 100;
const MEMBERS: usize = 6;
/// A car's state is about this large (*inferred*).
const PAYLOAD: usize = 64;
const SPELL: Duration = Duration::from_secs(3);
const ROUNDS: usize = 3;
const PASSWORD: &str = "Roadster-57";
const PATIENCE: Duration = Duration::from_mins(1);

fn main() {
    println!("relay in {ROOMS} rooms of {MEMBERS}, {PAYLOAD} bytes each, {} cores", cores());
    let (mut bare, mut same_des) = (rooms_of(Baseline::Bare), rooms_of(Baseline::SameDes));
    let (mut ours, per_player) = our_room_set();
    println!("resident memory of the server per player in a race, one connection each: {per_player:.1} KiB");
    figure("resident memory per player in a race", "KiB", per_player, 0.0, "");
    let mut encrypted = [const { Vec::new() }; 3];
    let mut clear = [const { Vec::new() }; 2];
    for _ in 0..ROUNDS {
        for (set, rounds) in [&mut ours, &mut bare, &mut same_des].into_iter().zip(&mut encrypted) {
            rounds.push(measure(set, true));
        }
        for (set, rounds) in [&mut ours, &mut bare].into_iter().zip(&mut clear) {
            rounds.push(measure(set, false));
        }
    }
    let [ours, bare, same_des] = &encrypted;
    compare("encrypted", "bare smol relay", ours, bare, &["ratio >= 0.80", "", "", "ratio <= 2", ""]);
    let promised = ["ratio >= 0.95", "ratio <= 1.3", "", "ratio <= 1.3", ""];
    compare("encrypted", "smol relay with the same DES", ours, same_des, &promised);
    let [ours, bare] = &clear;
    compare("in clear", "bare smol relay", ours, bare, &["ratio >= 0.80", "", "", "ratio <= 2", ""]);
}

/// Prints the figures of all rounds beside those of a baseline, and what is promised of each.
fn compare(form: &str, baseline: &str, ours: &[Figures], theirs: &[Figures], promised: &[&str; 5]) {
    println!("{form:<28} {:>12} {:>12} {:>8}   beside a {baseline}", "mcos", "baseline", "ratio");
    let whats = [
        ("relayed frames/s", "1/s"),
        ("processor time of a relayed frame", "us"),
        ("relay latency p50", "us"),
        ("relay latency p99", "us"),
        ("relay latency p99.9", "us"),
    ];
    for (at, ((what, unit), claim)) in whats.into_iter().zip(promised).enumerate() {
        let rounds = || ours.iter().zip(theirs).map(|(ours, theirs)| (ours[at], theirs[at]));
        for (ours, theirs) in rounds() {
            figure(&format!("{what}, {form} ({baseline})"), unit, ours, theirs, claim);
        }
        let (ours, theirs) =
            (median(rounds().map(|(ours, _)| ours)), median(rounds().map(|(_, theirs)| theirs)));
        let ratio = median(rounds().map(|(ours, theirs)| ours / theirs));
        println!("{:<28} {ours:>12.1} {theirs:>12.1} {ratio:>8.2}   {claim}", format!("{what}, {unit}"));
    }
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Frames per second; microseconds of processor time that each costs the relay; and the time in microseconds within which half, 99 % and 99.9 %
/// of the frames arrive.
type Figures = [f64; 5];

/// One connection of a player.
struct Player {
    stream: TcpStream,
    link: Link,
    packet: Packet,
    /// What it hears has this number; `None`: it is under a key that the player does not have.
    hears: Option<u16>,
}

impl Player {
    fn send(&mut self, encrypted: bool) {
        let mut wire = Vec::new();
        self.link.write(&self.packet, encrypted, &mut wire).expect("written");
        self.stream.write_all(&wire).expect("send");
    }

    /// Waits for one frame.
    fn receive(&mut self) {
        let mut chunk = [0; 4096];
        loop {
            if let Some(incoming) = self.link.next().expect("a whole stream") {
                assert!(self.hears.is_none_or(|number| number == incoming.packet.id.0));
                return;
            }
            let count = self.stream.read(&mut chunk).expect("a frame");
            assert_ne!(count, 0, "the connection was closed");
            self.link.feed(&chunk[..count]);
        }
    }
}

struct RoomSet {
    rooms: Vec<Vec<Player>>,
    relay: RelayProcess,
}

/// Who passes on what the players of some rooms say.
enum RelayProcess {
    /// The server.
    Server(Server),
    /// Threads of this process, which have this name.
    Threads(&'static str),
}

impl RelayProcess {
    /// The processor time that it has used, in seconds.
    fn cpu(&self) -> f64 {
        // Fields 14 and 15 of a process or thread, in hundredths of a second.
        let used = |folder: &std::path::Path| {
            let stat = fs::read_to_string(folder.join("stat")).unwrap_or_default();
            let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
            let ticks = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or(0.0);
            (ticks(11) + ticks(12)) / 100.0
        };
        match self {
            Self::Server(server) => used(format!("/proc/{}", server.process.id()).as_ref()),
            Self::Threads(name) => fs::read_dir("/proc/self/task")
                .expect("threads")
                .map(|thread| thread.expect("a thread").path())
                .filter(|thread| {
                    // The second is smol's own, which waits for sockets when nobody else does. The players use none.
                    let comm = fs::read_to_string(thread.join("comm")).unwrap_or_default();
                    [name, "async-io"].contains(&comm.trim())
                })
                .map(|thread| used(&thread))
                .sum(),
        }
    }
}

/// Each room in turn: one player speaks, the others listen, the next one speaks. A thread per core has its share of rooms, with
/// one frame under way in each.
fn measure(set: &mut RoomSet, encrypted: bool) -> Figures {
    let epoch = Instant::now();
    let micros = || u64::try_from(epoch.elapsed().as_micros()).unwrap_or(u64::MAX);
    let (delivered, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let pace = AtomicU64::new(0);
    let mut shares: Vec<Vec<&mut Vec<Player>>> = (0..cores()).map(|_| Vec::new()).collect();
    let many = shares.len();
    for (at, room) in set.rooms.iter_mut().enumerate() {
        shares[at % many].push(room);
    }
    let mut run = |paced: bool| {
        delivered.store(0, Ordering::Relaxed);
        over.store(false, Ordering::Relaxed);
        let interval = Duration::from_nanos(pace.load(Ordering::Relaxed));
        let began = Instant::now();
        let mut times: Vec<u64> = thread::scope(|scope| {
            let workers: Vec<_> = shares
                .iter_mut()
                .map(|rooms| {
                    let (delivered, over) = (&delivered, &over);
                    scope.spawn(move || {
                        let mut times = Vec::new();
                        let mut next = Instant::now();
                        for turn in 0.. {
                            if over.load(Ordering::Relaxed) {
                                break;
                            }
                            let speaker = turn % MEMBERS;
                            if paced {
                                for room in rooms.iter_mut() {
                                    next += interval;
                                    thread::sleep(next.saturating_duration_since(Instant::now()));
                                    let spoken = micros();
                                    room[speaker].send(encrypted);
                                    hear(room, speaker, || times.push(micros() - spoken));
                                }
                            } else {
                                for room in rooms.iter_mut() {
                                    room[speaker].send(encrypted);
                                }
                                for room in rooms.iter_mut() {
                                    hear(room, speaker, || {});
                                }
                            }
                            let frames = rooms.len() * (MEMBERS - 1);
                            delivered.fetch_add(frames as u64, Ordering::Relaxed);
                        }
                        times
                    })
                })
                .collect();
            thread::sleep(SPELL);
            over.store(true, Ordering::Relaxed);
            workers.into_iter().flat_map(|worker| worker.join().expect("a worker")).collect()
        });
        times.sort_unstable();
        (delivered.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64(), times)
    };
    let used = set.relay.cpu();
    let (rate, _) = run(false);
    let each = (set.relay.cpu() - used) * 1e6 / delivered.load(Ordering::Relaxed) as f64;
    // A fifth of the rate, divided among the threads; each turn delivers to all but the speaker.
    let turns_per_second = rate / 5.0 / (MEMBERS - 1) as f64 / many as f64;
    let interval = Duration::from_secs_f64(1.0 / turns_per_second);
    pace.store(u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    let (_, times) = run(true);
    let part = |permille: usize| times[(times.len() * permille / 1000).min(times.len() - 1)] as f64;
    [rate, each, part(500), part(990), part(999)]
}

fn hear(room: &mut [Player], speaker: usize, mut heard: impl FnMut()) {
    for (at, player) in room.iter_mut().enumerate() {
        if at != speaker {
            player.receive();
            heard();
        }
    }
}

// ---------------------------------------------------------------- the baselines

/// What a relay that knows nothing but rooms does with what it reads: it goes to the others, by one queue for each.
#[derive(Clone, Copy)]
enum Baseline {
    /// Nothing.
    Bare,
    /// It decrypts each frame, and encrypts it for each receiver.
    SameDes,
}

impl Baseline {
    /// Of its threads.
    const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare-relay",
            Self::SameDes => "des-relay",
        }
    }
}

fn rooms_of(baseline: Baseline) -> RoomSet {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let address = listener.local_addr().expect("address");
    let keys: Vec<_> = (0..ROOMS * MEMBERS).map(|_| SessionKey::random()).collect();
    let player = |key: &SessionKey| {
        let stream = TcpStream::connect(address).expect("connect");
        stream.set_nodelay(true).expect("nodelay");
        let hears = matches!(baseline, Baseline::SameDes).then_some(STATE.0);
        Player { stream, link: link_with(key), packet: state(CommId(1), PersonaId(1)), hears }
    };
    // They connect one by one, so they are accepted in the order of their keys.
    let rooms = thread::scope(|scope| {
        scope.spawn(|| accept_all(baseline, &listener, &keys));
        keys.chunks(MEMBERS).map(|room| room.iter().map(player).collect()).collect()
    });
    RoomSet { rooms, relay: RelayProcess::Threads(baseline.name()) }
}

fn link_with(key: &SessionKey) -> Link {
    let mut link = Link::new(Headers::Short, Link::LARGEST);
    link.start_encryption(key);
    link
}

fn accept_all(baseline: Baseline, listener: &TcpListener, keys: &[SessionKey]) {
    let executor: &'static smol::Executor<'static> = Box::leak(Box::new(smol::Executor::new()));
    for _ in 0..cores() {
        let work = || smol::block_on(executor.run(smol::future::pending::<()>()));
        thread::Builder::new().name(baseline.name().to_owned()).spawn(work).expect("a thread");
    }
    match baseline {
        Baseline::Bare => accept_rooms(
            executor,
            (listener, keys),
            |_| |chunk: &[u8]| Some(chunk.to_vec()),
            |_| |frame: &Vec<u8>, wire: &mut Vec<u8>| wire.extend(frame),
        ),
        Baseline::SameDes => accept_rooms(
            executor,
            (listener, keys),
            |key| {
                let mut link = link_with(key);
                move |chunk: &[u8]| {
                    link.feed(chunk);
                    Some(link.next().expect("a whole stream")?.packet)
                }
            },
            |key| {
                let mut link = link_with(key);
                move |packet: &Packet, wire: &mut Vec<u8>| link.write(packet, true, wire).expect("written")
            },
        ),
    }
}

/// `understand` makes for a key what makes a frame of what is read, `form` what makes bytes of it for a receiver.
fn accept_rooms<T, U, F>(
    executor: &smol::Executor<'static>,
    (listener, keys): (&TcpListener, &[SessionKey]),
    understand: impl Fn(&SessionKey) -> U,
    form: impl Fn(&SessionKey) -> F,
) where
    T: Send + Sync + 'static,
    U: FnMut(&[u8]) -> Option<T> + Send + 'static,
    F: FnMut(&T, &mut Vec<u8>) + Send + 'static,
{
    use smol::io::{AsyncReadExt as _, AsyncWriteExt as _};
    for room in keys.chunks(MEMBERS) {
        let (outs, ins): (Vec<_>, Vec<_>) = room.iter().map(|_| smol::channel::unbounded::<Arc<T>>()).unzip();
        let outs = Arc::new(outs);
        for ((me, inbox), key) in ins.into_iter().enumerate().zip(room) {
            let (stream, _) = listener.accept().expect("accept");
            stream.set_nodelay(true).expect("nodelay");
            let mut reader = smol::net::TcpStream::try_from(stream).expect("stream");
            let mut writer = reader.clone();
            let (mut understand, mut form) = (understand(key), form(key));
            let outs = Arc::clone(&outs);
            let receiver = async move {
                let mut chunk = vec![0; 4096];
                while let Ok(count @ 1..) = reader.read(&mut chunk).await {
                    let Some(frame) = understand(&chunk[..count]).map(Arc::new) else { continue };
                    for (_, out) in outs.iter().enumerate().filter(|(at, _)| *at != me) {
                        let _ = out.try_send(Arc::clone(&frame));
                    }
                }
            };
            let sender = async move {
                while let Ok(frame) = inbox.recv().await {
                    let mut wire = Vec::new();
                    form(&frame, &mut wire);
                    if writer.write_all(&wire).await.is_err() {
                        return;
                    }
                }
            };
            executor.spawn(receiver).detach();
            executor.spawn(sender).detach();
        }
    }
}

// ---------------------------------------------------------------- the server

/// The real server process with one account per room and one persona per player, each of them on the first room port; and
/// the memory in KiB that each of them costs it.
fn our_room_set() -> (RoomSet, f64) {
    let server = Server::start();
    let web = Web::new(Endpoint::new("127.0.0.1", server.port("http")), PATIENCE);
    // Checking passwords leaves memory behind that is none of a player's.
    let accounts: Vec<_> = (0..ROOMS).map(|room| smol::block_on(sign_in(&server, &web, room))).collect();
    let before = server.resident_kib();
    let mut rooms = Vec::new();
    for (room, account) in accounts.into_iter().enumerate() {
        let personas = smol::block_on(account.personas()).expect("personas");
        assert_eq!(personas.len(), MEMBERS);
        let players = personas.iter().map(|entry| {
            let name = entry.name.to_string();
            let driver = PersonaSession::new(account.clone(), entry.persona, entry.shard, &name);
            enter(&driver, server.at("room"), CommId(30_000 + u32::try_from(room).expect("small")))
        });
        rooms.push(players.collect());
    }
    for room in &mut rooms {
        let room: &mut Vec<Player> = room;
        for player in room.iter_mut() {
            quiet(player);
        }
    }
    let per_player = (server.resident_kib() - before) / (ROOMS * MEMBERS) as f64;
    (RoomSet { rooms, relay: RelayProcess::Server(server) }, per_player)
}

async fn sign_in(server: &Server, web: &Web, room: usize) -> Account {
    let shards = web.shard_list().await.expect("shard list");
    let fixed = FixedPorts {
        persona: server.port("persona"),
        mail: server.port("mail"),
        mcots: server.port("mcots"),
    };
    let place = Arc::new(ShardEndpoints::new(&shards[0], fixed, PATIENCE));
    Account::sign_in(web, &place, &format!("room{room}"), PASSWORD).await.expect("signed in")
}

/// Signs in to a room and opens its race.
fn enter(driver: &PersonaSession, at: SocketAddr, channel: CommId) -> Player {
    let stream = TcpStream::connect(at).expect("connect");
    stream.set_nodelay(true).expect("nodelay");
    let link = Link::new(Headers::Short, Link::LARGEST);
    let packet = state(channel, driver.persona);
    let mut player = Player { stream, link, hears: Some(packet.id.0), packet };
    say(&mut player, &driver.hello().expect("fits").packet(), false);
    assert_eq!(next(&mut player).id, mco_proto::nps::id::LOGIN_RESP);
    let key: &SessionKey = &driver.account.key;
    player.link.start_encryption(key);
    say(&mut player, &open(channel).packet(), true);
    while next(&mut player).id != ChannelGranted::ID {}
    player
}

/// What a driver tells all others in its race, by its number.
const STATE: Id = Id(0x0097);

/// The same as a packet.
fn state(channel: CommId, sender: PersonaId) -> Packet {
    let address = Address::NotSingle(sender);
    Relay { id: STATE, channel, sender, address, payload: &[0; PAYLOAD] }.packet()
}

fn say(player: &mut Player, packet: &Packet, encrypted: bool) {
    let mut wire = Vec::new();
    player.link.write(packet, encrypted, &mut wire).expect("written");
    player.stream.write_all(&wire).expect("send");
}

fn next(player: &mut Player) -> Packet {
    let mut chunk = [0; 4096];
    loop {
        if let Some(incoming) = player.link.next().expect("a whole stream") {
            return incoming.packet;
        }
        let count = player.stream.read(&mut chunk).expect("an answer");
        assert_ne!(count, 0, "the server closed the connection");
        player.link.feed(&chunk[..count]);
    }
}

/// Reads away what was told about others.
fn quiet(player: &mut Player) {
    use mco_proto::nps::id;
    say(player, &Packet::bare(id::GET_CLIENT_COUNT), true);
    while next(player).id != id::CLIENT_COUNT {}
}

fn open(channel: CommId) -> mco_proto::nps::lobby::OpenCommChannel {
    use mco_proto::nps::lobby::{Name, OpenCommChannel};
    OpenCommChannel::enter_chat(channel, Name::constant(b"bench"), 9000, PersonaId(0))
}

struct Server {
    process: Child,
    ports: Vec<(String, SocketAddr)>,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let mut config = "[network]\nbind = [\"127.0.0.1\"]\nrooms = [0, 0]\n".to_owned();
        for name in ["http", "https", "login", "persona", "mail", "lobby", "mcots"] {
            let _ = writeln!(config, "{name} = 0");
        }
        // What is measured is how much the server could pass on.
        config.push_str("[limits]\nrelay_bytes_per_second = 1_000_000_000\n");
        let _ = write!(config, "[shard]\nmax_personas = {MEMBERS}\n");
        fs::write(folder.path().join("mcos.toml"), config).expect("config");
        let command = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_mcos"));
            command.args(arguments).arg("--data").arg(folder.path().join("data"));
            command.current_dir(folder.path()).env("RUST_LOG", "warn");
            command
        };
        let mut process = command(&["serve"]).stdout(Stdio::piped()).spawn().expect("mcos serve");
        let mut lines = BufReader::new(process.stdout.take().expect("stdout")).lines();
        let mut ports = Vec::new();
        while !ports.iter().any(|(service, _)| service == "mcots") {
            let line = lines.next().expect("the server runs").expect("a line");
            if let ["listening", service, address] = line.split_whitespace().collect::<Vec<_>>()[..] {
                ports.push((service.to_owned(), address.parse().expect("address")));
            }
        }
        // It may still print.
        thread::spawn(move || lines.for_each(drop));
        for room in 0..ROOMS {
            let account = format!("room{room}");
            let mut add = command(&["account", "add", &account, "--password-stdin"]);
            let mut add = add.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("account add");
            add.stdin.take().expect("stdin").write_all(PASSWORD.as_bytes()).expect("password");
            assert!(add.wait().expect("wait").success());
            for member in 0..MEMBERS {
                let name = format!("R{room}M{member}");
                let added = command(&["persona", "add", &account, &name]).stdout(Stdio::null()).status();
                assert!(added.expect("persona add").success());
            }
        }
        Self { process, ports, _folder: folder }
    }

    /// The first port of a service.
    fn at(&self, service: &str) -> SocketAddr {
        self.ports.iter().find(|(name, _)| name == service).expect("it listens").1
    }

    fn resident_kib(&self) -> f64 {
        let path = format!("/proc/{}/status", self.process.id());
        let status = fs::read_to_string(path).expect("status");
        let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("VmRSS");
        line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("KiB")
    }

    fn port(&self, service: &str) -> u16 {
        self.at(service).port()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
