//! `cargo bench --bench growth`: what a store costs as it grows, and how many bytes go to the card for each byte that changes.
//! Nothing here is asserted: a slow disk is not a fault. Sizes are given in records: `cargo bench --bench growth -- 10000 100000`;
//! with `store` in front of them nothing but the store is measured.
//!
//! The folder is that of `TMPDIR`: let it be on the disk that is meant.

#![allow(
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a benchmark fails by panicking, and its figures are no sums of money"
)]

#[path = "support/figures.rs"]
#[allow(dead_code, reason = "here everything grows")]
mod figures;

use mco_proto::ids::{BrandedPartId, PersonaId, RaceId, ShardId, SkinId, VehicleId};
use mcos::clock::Now;
use mcos::store::{
    CarPurchase, Entrant, Letter, NewPart, NewPersona, PartPurchase, Password, Payout, Settlement, Sheet,
    Store,
};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

const PLAYERS: usize = 60;
/// Records of a car: the car with its parts, whose it is, and the line in the ledger.
const RECORDS_EACH: usize = 3;
const PARTS: u32 = 45;

fn main() {
    let arguments: Vec<_> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [opened, dir] = arguments.as_slice()
        && opened == "opened"
    {
        return opened_elsewhere(Path::new(dir));
    }
    if arguments.first().is_none_or(|first| first != "store") {
        evening();
    }
    println!(
        "\n{:>9} {:>8} {:>10} {:>9} {:>10} {:>9} {:>9}",
        "records", "open", "RSS", "checked", "RSS", "backup", "database"
    );
    let sizes: Vec<usize> = arguments.iter().filter_map(|size| size.parse().ok()).collect();
    for size in if sizes.is_empty() { vec![10_000, 100_000] } else { sizes } {
        growth(size);
    }
}

/// A store of that size: opened by a process of its own, as a server opens it, then changed, and changed while its backup is made anew.
fn growth(records: usize) {
    let folder = tempfile::tempdir().expect("folder");
    let dir = folder.path().join("data");
    let store = Store::open(&dir).expect("store");
    let players = people(&store, PLAYERS);
    for (number, player) in (0..records / RECORDS_EACH).zip(players.iter().cycle()) {
        buy(&store, *player, number % 500 == 0);
    }
    store.flush().expect("saved");
    store.renew_backup();
    drop(store);
    let child = process::Command::new(env::current_exe().expect("itself"));
    let mut child = child;
    let said = child.arg("opened").arg(&dir).output().expect("a process").stdout;
    let said = String::from_utf8_lossy(&said);
    let said: Vec<f64> = said.split_whitespace().map(|text| text.parse().expect("a figure")).collect();
    let [open, resident, checked, resident_then]: [f64; 4] = said.try_into().expect("four figures");

    for (what, unit, value) in [
        ("time to open the store", "ms", open),
        ("time until all of it is checked", "ms", checked),
        ("resident memory after opening", "MiB", resident / 1024.0),
        ("resident memory after the check", "MiB", resident_then / 1024.0),
    ] {
        figures::growth(what, unit, "records", records as f64, value);
    }
    let store = Store::open(&dir).expect("store");
    let size = |path: &Path| fs::metadata(path).map_or(0, |file| file.len()) >> 10;
    println!(
        "{records:>9} {open:>6}ms {resident:>7}KiB {checked:>7}ms {resident_then:>7}KiB {:>6}KiB {:>6}KiB",
        size(&Store::backup_in(&dir)),
        store.size_on_disk().expect("size") >> 10,
    );
    changes(&store, &players, records, "alone");
    store.renew_backup();
    changes(&store, &players, records, "while a backup is written");
}

/// Two players change the store for some seconds: one waits until each change is on the card, the other never does.
fn changes(store: &Store, players: &[PersonaId], records: usize, when: &str) {
    let (commits, verbs) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let end = Instant::now() + Duration::from_secs(6);
    thread::scope(|scope| {
        let (commits, verbs) = (&commits, &verbs);
        let (first, second) = (player(players, 0), player(players, 1));
        scope.spawn(move || {
            timed(end, commits, || {
                buy(store, first, true);
            });
        });
        scope.spawn(move || {
            timed(end, verbs, || {
                buy(store, second, false);
            });
        });
    });
    for (kind, times) in [("saved change", commits), ("verb", verbs)] {
        let mut times = times.into_inner().expect("times");
        times.sort();
        let of_hundred = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default();
        let (median, most, longest) =
            (of_hundred(50), of_hundred(99), times.last().copied().unwrap_or_default());
        let over = times.iter().filter(|time| **time > median * 5).count();
        println!(
            "          {kind} {when}: median {median:.1?}, 99 of 100 at most {most:.1?}, longest {longest:.1?}, {over} of {} over 5 times the median",
            times.len()
        );
        let per_thousand = over as f64 * 1000.0 / times.len().max(1) as f64;
        let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
        for (what, unit, value) in [
            ("99 of 100 at most", "ms", milliseconds(most)),
            ("longest", "ms", milliseconds(longest)),
            ("over 5 times the median", "in 1,000", per_thousand),
        ] {
            figures::growth(
                &format!("{kind} {when}, {what}"),
                unit,
                "records of a store that is changed",
                records as f64,
                value,
            );
        }
    }
}

/// Opens a store and says how long that took and how much memory is resident then, and the same for the check of all records.
fn opened_elsewhere(dir: &Path) {
    let began = Instant::now();
    let say = || print!("{} {} ", began.elapsed().as_millis(), figure("/proc/self/status", "VmRSS:"));
    let store = Store::open_soon(dir).expect("store");
    say();
    while store.is_being_checked() {
        thread::sleep(Duration::from_millis(5));
    }
    say();
}

/// Bytes written for each byte of a change: cars that are bought, one after the other, each of which waits for the card alone, and
/// all players at once; and an evening of races.
fn evening() {
    let folder = tempfile::tempdir().expect("folder");
    let dir = folder.path().join("data");
    let store = Store::open(&dir).expect("store");
    let players = people(&store, PLAYERS);
    let each = changed(&store, &dir, || {
        (0..100).zip(players.iter().cycle()).for_each(|(_, player)| {
            buy(&store, *player, true);
        });
    }) / 100;
    println!("a purchase changes {each} bytes; for each byte of {PLAYERS} players' changes are written:");
    written(&store, "one after the other, 6,000 changes", 6000 * each, || {
        (0..6000).zip(players.iter().cycle()).for_each(|(_, player)| {
            buy(&store, *player, true);
        });
    });
    written(&store, "all at once, 30,000 changes", 30_000 * each, || {
        thread::scope(|scope| {
            for player in &players {
                scope.spawn(|| {
                    (0..500).for_each(|_| {
                        buy(&store, *player, true);
                    });
                });
            }
        });
    });
    let before = figure("/proc/self/io", "write_bytes:");
    thread::sleep(Duration::from_secs(10));
    println!("  idle: {} bytes", figure("/proc/self/io", "write_bytes:") - before);

    let folder = tempfile::tempdir().expect("folder");
    let dir = folder.path().join("data");
    let store = Store::open(&dir).expect("store");
    let players: Vec<_> =
        people(&store, PLAYERS).into_iter().map(|player| (player, buy(&store, player, true))).collect();
    let each = changed(&store, &dir, || race_all(&store, &players, 1));
    println!("  a round of races of {PLAYERS} players in sixes changes {each} bytes");
    written(&store, "races of 4 hours, 47 rounds", 47 * each, || {
        (2..=48).for_each(|round| race_all(&store, &players, round));
    });

    let folder = tempfile::tempdir().expect("folder");
    let dir = folder.path().join("data");
    let store = Store::open(&dir).expect("store");
    let players: Vec<_> =
        people(&store, PLAYERS).into_iter().map(|player| (player, buy(&store, player, true))).collect();
    let each = changed(&store, &dir, || play_all(&store, &players, 1));
    println!("  a round of an evening, with repairs and parts, changes {each} bytes");
    written(&store, "an evening of 4 hours, 47 rounds", 47 * each, || {
        (2..=48).for_each(|round| play_all(&store, &players, round));
    });
}

/// A race for everybody, and what they do until the next one: all repair their cars, and some buy a part. Every change waits for the card.
fn play_all(store: &Store, players: &[(PersonaId, VehicleId)], round: u32) {
    race_all(store, players, round);
    let part = NewPart { branded_part: BrandedPartId(300_001), parent: None, attachment_point: 0 };
    let part = PartPurchase { price: 1, parts: vec![part] };
    for ((owner, car), number) in players.iter().zip(round..) {
        let garage = store.garage();
        let repaired = garage.repair_all(*owner, car.part(), &|_| 1, Now::read()).expect("repairs");
        repaired.ticket.wait().expect("on the card");
        if number % 6 == 0 {
            let bought = garage.buy_part(*owner, &part, &|_| usize::MAX, Now::read()).expect("a part");
            bought.ticket.wait().expect("on the card");
        }
        let played =
            store.personas().update(*owner, |persona| persona.seconds_online += 300).expect("a persona");
        played.ticket.wait().expect("on the card");
    }
}

/// How many bytes `work` changes, as the first journal of a store has them.
fn changed(store: &Store, dir: &Path, work: impl FnOnce()) -> u64 {
    let used = || {
        store.flush().expect("saved");
        let bytes = fs::read(dir.join("backup.mcos.journal-0")).expect("the first journal");
        bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last as u64 + 1)
    };
    let before = used();
    work();
    used() - before
}

/// Says what is written for each byte that `work` changes.
fn written(store: &Store, what: &str, bytes: u64, work: impl FnOnce()) {
    let count = || ["wchar:", "write_bytes:"].map(|key| figure("/proc/self/io", key));
    let [handed, pages] = count();
    work();
    store.flush().expect("saved");
    thread::sleep(Duration::from_secs(2));
    let [handed_after, pages_after] = count();
    let ratio = |after: u64, before: u64| (after - before) as f64 / bytes as f64;
    println!(
        "  {what}: {:.2} handed to the system, {:.2} in pages of 4 KiB, {:.1} MiB of them in all",
        ratio(handed_after, handed),
        ratio(pages_after, pages),
        (pages_after - pages) as f64 / 1024.0 / 1024.0
    );
}

/// One race for everybody, six in each: every change waits for the card.
fn race_all(store: &Store, players: &[(PersonaId, VehicleId)], round: u32) {
    for racers in players.chunks(6) {
        let entrants: Vec<_> =
            racers.iter().map(|(persona, _)| Entrant { persona: *persona, fee: 100, car: None }).collect();
        let started = store.races().start(RaceId(8), &entrants, false, Now::read()).expect("a race");
        started.ticket.wait().expect("on the card");
        for (owner, car) in racers {
            let parts = store.garage().parts_of(*car).expect("parts");
            let worn: Vec<_> = parts.iter().map(|part| (part.id, 5, round * 10)).collect();
            let damaged = store.races().damage((RaceId(8), false), *owner, *car, &worn).expect("damage");
            damaged.ticket.wait().expect("on the card");
        }
        let payouts = racers.iter().zip(0..).map(|((persona, _), place)| Payout {
            persona: *persona,
            cash: 100,
            points: 50,
            place: Some(place),
        });
        let settlement = Settlement {
            race_type: 17,
            racers: 6,
            payouts: payouts.collect(),
            cars_lost: Vec::new(),
            uncounted: Vec::new(),
            sheet: Sheet::default(),
            standing: |points| (points / 100 + 1, points / 500),
            letter: |_, payout, _| Letter::city_news("race", &format!("{:?}", payout.place)),
        };
        let settled = store.races().settle(started.value, &settlement, Now::read()).expect("settled");
        settled.ticket.wait().expect("on the card");
    }
}

fn timed(end: Instant, times: &Mutex<Vec<Duration>>, work: impl Fn()) {
    while Instant::now() < end {
        let began = Instant::now();
        work();
        times.lock().expect("times").push(began.elapsed());
        thread::sleep(Duration::from_millis(1));
    }
}

fn player(players: &[PersonaId], at: usize) -> PersonaId {
    *players.get(at).expect("a player")
}

fn figure(file: &str, key: &str) -> u64 {
    let text = fs::read_to_string(file).expect(file);
    let line = text.lines().find_map(|line| line.strip_prefix(key)).expect(key);
    line.split_whitespace().next().and_then(|figure| figure.parse().ok()).expect("a figure")
}

fn people(store: &Store, count: usize) -> Vec<PersonaId> {
    let password = Password::new("Roadster-57").expect("password");
    let owner =
        store.accounts().create("bench", &password, None, Now::read()).expect("account").value.customer_id;
    let person = |at| {
        let new = NewPersona {
            name: format!("Driver {at}"),
            shard: ShardId(44),
            id: None,
            starter_cash: u32::MAX,
            max_per_customer: count,
        };
        store.personas().create(owner, new, Now::read()).expect("persona").value.id
    };
    (0..count).map(person).collect()
}

fn buy(store: &Store, player: PersonaId, wait: bool) -> VehicleId {
    let part = |number: u32| NewPart {
        branded_part: BrandedPartId(100_000 + number * 7919),
        parent: (number >= 8).then_some(number as usize % 8),
        attachment_point: 10,
    };
    let car = CarPurchase {
        model: BrandedPartId(104),
        skin: SkinId(47),
        flags: 0,
        car_class: 2,
        price: 1,
        parts: (0..PARTS).map(part).collect(),
        first_car: false,
    };
    let bought = store.garage().buy_car(player, car, Now::read()).expect("a car");
    if wait {
        bought.ticket.wait().expect("on the card");
    }
    bought.value
}
