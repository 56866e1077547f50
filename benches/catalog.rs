//! `cargo bench --bench catalog`: how long importing a catalogue takes and how much memory, beside `mdb-export` writing the
//! same tables out as text, in the same run; then, with that catalogue, how many cars with all their parts the server puts
//! together for Clients (123). Nothing here is asserted: a slow machine is not a fault.
//!
//! Real files are those of `scripts/fetch-jet-samples`. The game's own can't be had here, so one of its size (about 3,200
//! parts, 9,300 rows of assemblies, 1,150 paints of 55 columns) is made up.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a benchmark fails by panicking, and its tables are long"
)]

#[path = "../tests/it/import/game.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod game;
#[path = "../crates/jet-reader/tests/it/writer.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod writer;

use jet_reader::{Database, Version};
use mco_proto::ids::{BrandedPartId, SkinId};
use mco_proto::mcots::session::ClientConnect;
use mco_proto::mcots::{Flags, GenericRequest, Incoming, Message as _, number};
use mco_proto::session_key::{LoginKey, SessionKey};
use mco_proto::text::Chars;
use mcos::catalog::{Catalog, import};
use mcos::clock::Now;
use mcos::config::Config;
use mcos::services::mcots::{ConnectionState, answer};
use mcos::services::{Game, Ports};
use mcos::store::{CarPurchase, NewPart, NewPersona, Password, Store};
use std::fs;
use std::io::Cursor;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use writer::{Cell, Table};

const RUNS: u32 = 10;
/// Of the largest stock car there are 48.
const PARTS: usize = 45;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    println!("{:<54} {:>12} {:>12}", "", "mcos", "mdb-export");
    if let Some(file) = largest_sample() {
        let bytes = fs::read(&file).expect("the sample");
        let tables = names(&bytes);
        let ours = median(|| read_all(&bytes));
        let theirs = median(|| export(&file, &tables));
        let what = format!("{}, {} tables, {} KiB", file_name(&file), tables.len(), bytes.len() / 1024);
        row(&format!("read all: {what}"), &millis(ours), &millis(theirs));
    } else {
        println!("(no real files: scripts/fetch-jet-samples)");
    }
    for version in [Version::Jet3, Version::Jet4] {
        let bytes = writer::database(version, 0, &large());
        let file = folder.path().join(format!("{version:?}.mdb"));
        fs::write(&file, &bytes).expect("the file");
        let tables: Vec<String> = large().into_iter().map(|table| table.name).collect();
        let what = format!("game's size, {version:?}, {} KiB", bytes.len() / 1024);
        let ours = median(|| drop(import::read(Cursor::new(&bytes), "x", 1, |_| ()).expect("sound")));
        row(&format!("import, in the process: {what}"), &millis(ours), "");
        let ours = median(|| _ = run(&mut command(folder.path(), &file)));
        let theirs = median(|| export(&file, &tables));
        row(&format!("the command, saved: {what}"), &millis(ours), &millis(theirs));
        let theirs = tables.iter().filter_map(|table| peak(&export_one(&file, table))).max();
        row(&format!("peak memory: {what}"), &kib(peak(&command(folder.path(), &file))), &kib(theirs));
    }
    let cars = format!("{:.0}/s", complete_cars());
    row(&format!("145 answered by 123, a car of {PARTS} parts, one core"), &cars, "");
}

/// How many times a second the service answers 145 by a whole car, prices and all, in memory: no socket, no cipher.
fn complete_cars() -> f64 {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bytes = writer::database(Version::Jet3, 0, &large());
    let imported = import::read(Cursor::new(bytes), "x", 1, |_| ()).expect("sound").imported;
    let part = |id| NewPart { branded_part: BrandedPartId(id), parent: None, attachment_point: 0 };
    let parts: Vec<NewPart> = imported.parts.iter().rev().take(PARTS).map(|row| part(row.id)).collect();
    let (store, key) = (Store::open(folder.path()).expect("a store"), LoginKey::generate().expect("a key"));
    let game = Game::new(
        Config::default(),
        folder.path().to_owned(),
        Ports::default(),
        store,
        Catalog::of(imported),
        key,
    );
    let password = Password::new("Roadster-57").expect("a password");
    let accounts = game.store.accounts();
    let customer =
        accounts.create("doc", &password, None, Now::read()).expect("an account").value.customer_id;
    let shard = game.config.shard.id;
    let name = "Dr Brown".to_owned();
    let new = NewPersona { name, shard, id: None, starter_cash: 0, max_per_customer: 4 };
    let persona = game.store.personas().create(customer, new, Now::read()).expect("a persona").value.id;
    let (model, skin) = (BrandedPartId(113), SkinId(1));
    let purchase = CarPurchase { model, skin, flags: 0, car_class: 2, price: 0, parts, first_car: true };
    let car = game.store.garage().buy_car(persona, purchase, Now::read()).expect("a car").value;

    let peer: SocketAddr = ([127, 0, 0, 1], 1044).into();
    game.world
        .sessions
        .begin(customer, SessionKey::random(), peer.ip(), &std::collections::BTreeSet::new(), Now::read())
        .unwrap();
    let mut caller = ConnectionState::new(game.world.new_connection(), peer, peer);
    let hello = ClientConnect::new(customer, persona, Chars::constant(b"Dr Brown")).body();
    answer(&game, &mut caller, &Incoming { sequence: 1, flags: Flags(0), body: hello }, Now::read());
    let body = GenericRequest::body(number::GET_COMPLETE_VEHICLE_INFO, car.0);
    let ask = Incoming { sequence: 2, flags: Flags(Flags::ENCRYPTED), body };
    let (start, mut count) = (Instant::now(), 0_u32);
    while start.elapsed() < Duration::from_secs(2) {
        let outcome = answer(&game, &mut caller, &ask, Now::read());
        assert_eq!(outcome.replies[0].body.0.len(), 2027 + 26 * PARTS);
        count += 1;
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}

fn row(what: &str, ours: &str, theirs: &str) {
    println!("{what:<54} {ours:>12} {theirs:>12}");
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

fn kib(peak: Option<u64>) -> String {
    peak.map_or_else(|| "no `time`".to_owned(), |kib| format!("{kib} KiB"))
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

fn file_name(file: &Path) -> String {
    file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn largest_sample() -> Option<PathBuf> {
    let folder =
        std::env::var_os("MCOS_JET_SAMPLES").map_or_else(|| "target/jet-samples".into(), PathBuf::from);
    let files = fs::read_dir(folder).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    files.max_by_key(|file| fs::metadata(file).map_or(0, |data| data.len()))
}

fn names(bytes: &[u8]) -> Vec<String> {
    let database = Database::open(Cursor::new(bytes)).expect("a Jet file");
    database.table_names().map(str::to_owned).collect()
}

fn read_all(bytes: &[u8]) {
    let mut database = Database::open(Cursor::new(bytes)).expect("a Jet file");
    for name in names(bytes) {
        let table = database.table(&name).expect("sound").expect("listed");
        database.rows(&table, |row| _ = std::hint::black_box(row)).expect("sound");
    }
}

fn export_one(file: &Path, table: &str) -> Command {
    let mut command = Command::new("mdb-export");
    command.arg(file).arg(table);
    command
}

fn export(file: &Path, tables: &[String]) {
    for table in tables {
        run(&mut export_one(file, table));
    }
}

fn command(folder: &Path, file: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcos"));
    command.args(["catalog", "import"]).arg(file).arg("--data").arg(folder.join("data")).current_dir(folder);
    command
}

fn run(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Peak resident memory of a command in KiB, as GNU `time` tells it.
fn peak(command: &Command) -> Option<u64> {
    let mut timed = Command::new("time");
    timed.args(["-f", "%M"]).arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        timed.current_dir(folder);
    }
    let output = timed.stdout(Stdio::null()).output().ok()?;
    String::from_utf8(output.stderr).ok()?.lines().last()?.trim().parse().ok()
}

/// The made-up catalogue of the tests, stretched to the size of the real one.
fn large() -> Vec<Table> {
    let mut tables = game::tables();
    let number = |at: u32| Cell::from(1_500_000 + at);
    let mut stretch = |name: &str, to: u32, change: &dyn Fn(u32, &mut Vec<Cell>)| {
        let Some(table) = tables.iter_mut().find(|table| table.name == name) else { return };
        let Some(last) = table.rows.last().cloned() else { return };
        for at in u32::try_from(table.rows.len()).unwrap_or(to)..to {
            let mut row = last.clone();
            change(at, &mut row);
            table.rows.push(row);
        }
    };
    stretch("Model", 3203, &|at, row| row[0] = number(at));
    stretch("PartType", 3088, &|at, row| row[1] = number(at));
    stretch("BrandedPart", 3208, &|at, row| row[0] = number(at));
    stretch("StockAssembly", 9294, &|at, row| row[0] = number(at / 40));
    stretch("PTSkin", 1149, &|at, row| row[0] = number(at));
    tables
}
