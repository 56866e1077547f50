//! `cargo bench --bench purchases`: how fast purchases are on the card, beside bare sled on the same disk in the same run;
//! and how fast a car of 45 parts is told. Nothing here is asserted: a slow disk is not a fault.
//!
//! The folder is that of `TMPDIR`: let it be on the disk that is meant.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a benchmark fails by panicking, and its figures are no sums of money"
)]

#[path = "support/figures.rs"]
mod figures;

use figures::figure;
use mco_proto::bytes::List;
use mco_proto::ids::{BrandedPartId, PartId, PersonaId, ShardId, SkinId};
use mco_proto::mcots::Message;
use mco_proto::mcots::garage::{CarPart, VehicleInfo};
use mcos::clock::Now;
use mcos::store::{CarPurchase, NewPart, NewPersona, Password, Store};
use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const SPELL: Duration = Duration::from_secs(2);
const TURNS: usize = 5;
const PLAYERS: usize = 64;
const PARTS: usize = 45;
/// How long the record of a car with so many parts is, in bytes, roughly.
const CAR: usize = 380;

fn main() {
    println!("{:<44} {:>10} {:>10} {:>8}   budget", "", "mcos", "bare", "ratio");
    let folder = tempfile::tempdir().expect("folder");
    let store = Store::open(&folder.path().join("data")).expect("store");
    let players = people(&store);
    let mut figures: [Vec<f64>; 8] = Default::default();
    // Turn by turn, since the disk of a shared machine has moods.
    for turn in 0..TURNS {
        let bare = |name: &str| folder.path().join(format!("{name}{turn}"));
        let cpu = cpu_seconds();
        let one = purchases(&store, &players[..1]);
        let each = (cpu_seconds() - cpu) / (one * SPELL.as_secs_f64()) * 1e6;
        let now = [
            one,
            each,
            bare_sled(&bare("record"), 1, false),
            bare_sled(&bare("one"), 1, true),
            appended(&bare("log")),
            served_purchases(&store, &players),
            purchases(&store, &players),
            bare_sled(&bare("many"), PLAYERS as u64, true),
        ];
        let [one, each, record, six, _, many, _, ceiling] = now;
        figure(
            "durable purchases/s, one player (one record into bare sled)",
            "1/s",
            one,
            record,
            "ratio >= 0.95",
        );
        figure("durable purchases/s, one player (the same six records into bare sled)", "1/s", one, six, "");
        let what = format!("durable purchases/s, {PLAYERS} players (the same records into bare sled)");
        figure(&what, "1/s", many, ceiling, "ratio >= 0.70");
        figure("processor time of a purchase, one player", "us", each, 0.0, "");
        figures.iter_mut().zip(now).for_each(|(all, now)| all.push(now));
    }
    for all in &mut figures {
        all.sort_by(f64::total_cmp);
    }
    let [one, each, record, six, log, many, threads, ceiling] = &figures;
    row("durable purchases/s, one player", one, record, "one record into bare sled, >= 0.95");
    row("", one, six, "the same six records into bare sled");
    row("", one, log, "the same bytes appended to a file");
    row(
        &format!("durable purchases/s, {PLAYERS} players"),
        many,
        ceiling,
        "the same records into bare sled, >= 0.70",
    );
    row("  each of whom is a thread that blocks", threads, ceiling, "the same");
    println!("{:<44} {:>10.0}", "microseconds of CPU each, one player", median(each));
    let in_memory = rate(1, |_| {
        let store = &store;
        let player = players[0];
        move || drop(store.garage().buy_car(player, car(), Now::read()).expect("a car"))
    });
    println!("{:<44} {in_memory:>10.0}", "purchases/s, nobody waits for the card");

    let player = players[0];
    let car = store.garage().buy_car(player, car(), Now::read()).expect("a car").value;
    let told = rate(1, |_| {
        let store = &store;
        move || {
            let garage = store.garage();
            let vehicle = garage.vehicle(car).expect("store").expect("car");
            let parts = garage.parts_of(car).expect("store");
            assert!(info(&vehicle, &parts).body().0.len() > 2000 + PARTS * 26);
        }
    });
    println!("{:<44} {told:>10.0}", format!("123 of a car of {PARTS} parts/s, from the store"));
}

/// Medians, and the lowest and highest ratio of one turn's figures would say less than their spread: so both are shown.
fn row(what: &str, ours: &[f64], bare: &[f64], budget: &str) {
    let spread = |all: &[f64]| format!("{:.0}-{:.0}", all[0], all[all.len() - 1]);
    let (ours_median, bare_median) = (median(ours), median(bare));
    println!(
        "{what:<44} {ours_median:>10.0} {bare_median:>10.0} {:>8.2}   {budget} ({}; {})",
        ours_median / bare_median,
        spread(ours),
        spread(bare)
    );
}

/// Of figures in their order.
fn median(figures: &[f64]) -> f64 {
    figures[figures.len() / 2]
}

/// What this process has used, all threads together: fields 14 and 15, in hundredths of a second.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("stat");
    let fields: Vec<_> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<f64>().expect("ticks")).sum::<f64>() / 100.0
}

fn people(store: &Store) -> Vec<PersonaId> {
    let password = Password::new("Roadster-57").expect("password");
    let owner =
        store.accounts().create("bench", &password, None, Now::read()).expect("account").value.customer_id;
    let person = |at| {
        let new = NewPersona {
            name: format!("Driver {at}"),
            shard: ShardId(44),
            id: None,
            starter_cash: u32::MAX,
            max_per_customer: PLAYERS,
        };
        store.personas().create(owner, new, Now::read()).expect("persona").value.id
    };
    (0..PLAYERS).map(person).collect()
}

fn car() -> CarPurchase {
    let part = |number: u32| NewPart {
        branded_part: BrandedPartId(100_000 + number * 7919),
        parent: (number >= 8).then_some(number as usize % 8),
        attachment_point: 10,
    };
    CarPurchase {
        model: BrandedPartId(104),
        skin: SkinId(47),
        flags: 0,
        car_class: 2,
        price: 1,
        parts: (0..PARTS as u32).map(part).collect(),
        first_car: false,
    }
}

fn purchases(store: &Store, players: &[PersonaId]) -> f64 {
    rate(players.len(), |at| {
        let player = players[at];
        move || {
            store
                .garage()
                .buy_car(player, car(), Now::read())
                .expect("a car")
                .ticket
                .wait()
                .expect("on the card");
        }
    })
}

/// The same by players as the server has them: each is a task, on as many threads as there are cores.
fn served_purchases(store: &Store, players: &[PersonaId]) -> f64 {
    let threads = thread::available_parallelism().map_or(2, usize::from);
    let (done, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let executor = smol::Executor::new();
    let tasks: Vec<_> = players
        .iter()
        .map(|player| {
            executor.spawn(async {
                while !over.load(Ordering::Relaxed) {
                    let bought = store.garage().buy_car(*player, car(), Now::read()).expect("a car");
                    bought.ticket.committed().await.expect("on the card");
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let (end, ended) = smol::channel::bounded::<()>(1);
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| smol::block_on(executor.run(ended.recv())));
        }
        thread::sleep(SPELL);
        over.store(true, Ordering::Relaxed);
        for task in tasks {
            smol::block_on(task);
        }
        drop(end);
    });
    done.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64()
}

/// Purchases into bare sled, so many in each commit: a record of the size of such a car, or all six records in one
/// transaction; then flush, sync. Returned are purchases per second.
fn bare_sled(folder: &std::path::Path, purchases: u64, whole: bool) -> f64 {
    let db = sled::Config::new().path(folder).flush_every_ms(None).open().expect("sled");
    let file = File::options().write(true).open(folder.join("db")).expect("its file");
    let rate = rate(1, |_| {
        let (db, file) = (&db, &file);
        let mut purchase = 0_u64;
        move || {
            let mut batch = sled::Batch::default();
            for _ in 0..purchases {
                purchase += 1;
                let key = |kind: u8, number: u64| [&[kind][..], &number.to_be_bytes()].concat();
                let player = purchase % purchases;
                if whole {
                    // The counter and the sum, then the persona, its line and its car.
                    batch.insert(key(b'm', 0), &[1; 6][..]);
                    batch.insert(key(b's', 0), &[1; 10][..]);
                    batch.insert(key(b'p', player), &[2; 120][..]);
                    batch.insert(key(b'j', purchase), &[3; 20][..]);
                    batch.insert(key(b'g', purchase), &[4; 6][..]);
                    batch.insert(key(b'v', purchase), &[5; CAR][..]);
                } else {
                    db.insert(key(b'v', purchase), &[5; CAR][..]).expect("insert");
                }
            }
            if whole {
                db.apply_batch(batch).expect("batch");
            }
            db.flush().expect("flush");
            file.sync_data().expect("sync");
        }
    });
    rate * purchases as f64
}

/// As many bytes appended to a file and synced.
fn appended(path: &std::path::Path) -> f64 {
    use std::io::Write as _;
    let file = File::create(path).expect("file");
    rate(1, |_| {
        let mut file = &file;
        move || {
            file.write_all(&[7; 580]).expect("append");
            file.sync_data().expect("sync");
        }
    })
}

/// How often `threads` threads together do something per second.
fn rate<F: FnMut() + Send>(threads: usize, mut make: impl FnMut(usize) -> F) -> f64 {
    let (done, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let began = Instant::now();
    thread::scope(|scope| {
        for at in 0..threads {
            let mut work = make(at);
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

fn info(vehicle: &mcos::store::Vehicle, parts: &[mcos::store::Part]) -> VehicleInfo {
    let part = |part: &mcos::store::Part| CarPart {
        part: part.id,
        parent: part.parent.unwrap_or(PartId(0)),
        branded_part: part.branded_part,
        repair_price: 0,
        junk_price: 0,
        wear: part.wear,
        attachment_point: part.attachment_point,
        damage: part.damage,
    };
    VehicleInfo {
        owner: vehicle.owner,
        vehicle: vehicle.id,
        skin: vehicle.skin,
        flags: vehicle.flags,
        delta: vehicle.delta,
        car_class: vehicle.car_class,
        damage: VehicleInfo::dents(&vehicle.damage),
        parts: List::first_n(parts.iter().map(part)),
    }
}
